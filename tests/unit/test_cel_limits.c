/* Every limit crossed: of compiling, of evaluating, and what hostile expressions come to. */
#include "cel_case.h"

#include "base/buf.h"

/* head, part count times, tail. */
static struct str repeated(struct buf *b, const char *head, const char *part, int count,
                           const char *tail)
{
    buf_reset(b);
    buf_str(b, str_from(head));
    for (int i = 0; i < count; i++) {
        buf_str(b, str_from(part));
    }
    buf_str(b, str_from(tail));
    return buf_view(b);
}

static void append(struct buf *b, const char *part, int count)
{
    for (int i = 0; i < count; i++) {
        buf_str(b, str_from(part));
    }
}

static void test_compiling(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 4 << 20);
    CLEANUP(cel_env) struct cel_env *env = cel_env_new();
    struct cel_setting s = {.env = env};
    static const struct {
        const char *open;
        const char *inner;
        const char *close;
    } nests[] = {{"(", "1", ")"},
                 {"[", "", "]"},
                 {"{1:", "1", "}"},
                 {"-(", "1", ")"},
                 {"size(", "''", ")"},
                 {"[1][", "0", "]"},
                 {"true?true:", "true", ""},
                 {"[1].all(x,", "true", ")"},
                 {"'a'.matches(", "'a'", ")"}};
    for (size_t i = 0; i < sizeof nests / sizeof nests[0]; i++) {
        /* Ten thousand deep, and a little too deep. */
        for (int depth = 10000; depth > 0; depth = depth > 170 ? 170 : 0) {
            repeated(&b, "", nests[i].open, depth, nests[i].inner);
            append(&b, nests[i].close, depth);
            struct buf out;
            buf_init(&out, CEL_SHOWN_MAX);
            cel_shown(&s, buf_view(&b), &out);
            if (!str_starts(buf_view(&out), STR("limit "))) {
                print_error("%s: %.*s\n", nests[i].open, STR_ARG(buf_view(&out)));
            }
            assert_true(str_starts(buf_view(&out), STR("limit ")));
            buf_done(&out);
        }
    }
    repeated(&b, "", "(", CEL_DEPTH_MAX - 1, "1");
    append(&b, ")", CEL_DEPTH_MAX - 1);
    cel_check_text(&s, buf_view(&b), "1");
    cel_check_text(&s, repeated(&b, "", "(", 10000, "1"),
                   "limit 1:161: more than 160 expressions inside each other");
    cel_check_text(&s, repeated(&b, "1", "+1", CEL_DEPTH_MAX - 1, ""), "160");
    cel_check_text(&s, repeated(&b, "1", "+1", CEL_DEPTH_MAX, ""), "limit 1:1: more than 160...");
    cel_check_text(&s, repeated(&b, "{}", ".a", 10000, ""), "limit 1:1: more than 160...");
    cel_check_text(&s, repeated(&b, "", "!", 10000, "true"), "true");
    cel_check_text(&s, repeated(&b, "", "-", 9999, "1"), "-1");
    cel_check_text(&s, repeated(&b, "true", "&&true", 5000, ""), "true");
    cel_check_text(&s, repeated(&b, "false", "||false", 5000, "||true"), "true");
    cel_check_text(&s, repeated(&b, "[0", ",0", CEL_NODES_MAX - 2, "].size()"),
                   "limit 1:1: more than 20000 parts");
    cel_check_text(&s, repeated(&b, "[0", ",0", CEL_NODES_MAX - 3, "].size()"), "19998");
    cel_check_text(&s, repeated(&b, "'", "a", CEL_TEXT_MAX - 9, "'.size()"), "65527");
    cel_check_text(&s, repeated(&b, "'", "a", CEL_TEXT_MAX - 8, "'.size()"),
                   "limit : an expression of more than 65536 bytes");
    cel_check_text(&s, repeated(&b, "1.", "0", 600, ""),
                   "limit 1:1: a number longer than 511 digits");
    cel_check_text(&s, repeated(&b, "1", "0", 5000, ""),
                   "refused 1:1: an int literal beyond 64 bits");
    cel_check_text(&s, repeated(&b, "", "a.", 400, "b"), "limit 1:1: more than 160...");
    buf_done(&b);
}

static void test_worst_case(void **state)
{
    (void)state;
    CLEANUP(cel_env) struct cel_env *env = cel_env_new();
    static const struct cel_type short_list = {.kind = CEL_LIST, .item = &cel_int, .max = 4};
    static const struct cel_type long_list = {.kind = CEL_LIST, .item = &cel_int, .max = 100000};
    static const struct cel_type short_text = {.kind = CEL_STRING, .max = 16};
    assert_int_equal(cel_declare(env, STR("four"), &short_list, "", NULL), RC_OK);
    assert_int_equal(cel_declare(env, STR("many"), &long_list, "", NULL), RC_OK);
    assert_int_equal(cel_declare(env, STR("some"), &cel_list_dyn, "", NULL), RC_OK);
    assert_int_equal(cel_declare(env, STR("name"), &short_text, "", NULL), RC_OK);
    assert_int_equal(cel_declare(env, STR("text"), &cel_string, "", NULL), RC_OK);
    struct cel_options options = {.cost_max = 200};
    struct cel_setting s = {.env = env, .options = &options};
    static const struct cel_case cases[] = {
        {"four.all(x, x > 0)", "error: 'four' has no value"},
        {"many.all(x, x > 0)", "limit 1:1: the worst case takes 900002 steps, more than 200"},
        {"some.all(x, true)", "limit 1:1: the worst case takes..."},
        {"four.all(x, four.all(y, x == y))", "error: 'four' has no value"},
        {"four.all(x, four.all(y, four.all(z, x == y)))", "limit 1:1: the worst case takes..."},
        {"lists.range(10).size() == 10", "true"},
        {"lists.range(1000).size() == 10", "limit 1:1: the worst case takes..."},
        {"name.matches('a')", "error: 'name' has no value"},
        {"text.matches('a')", "limit 1:1: the worst case takes..."},
        {"text.replace('', text) == ''", "limit 1:1: the worst case takes..."},
        {"true ? 1 : some.map(x, x)[0]", "limit 1:1: the worst case takes..."},
        {"cel.bind(x, name + name, x + x == name)", "error: 'name' has no value"},
    };
    CEL_CHECK(&s, cases);
    /* A chain of bindings each used twice: counted once each, not two to the power of their number.
     */
    struct buf b;
    buf_init(&b, 1 << 20);
    repeated(&b, "cel.bind(a, 1, ", "cel.bind(a, a + a, ", 60, "a");
    append(&b, ")", 61);
    options.cost_max = 100000;
    cel_check_text(&s, buf_view(&b), "1152921504606846976");
    buf_done(&b);
}

static void test_budget(void **state)
{
    (void)state;
    CLEANUP(cel_env) struct cel_env *env = cel_env_new();
    static const struct cel_options any = {.cost_max = UINT64_MAX};
    struct cel_setting s = {.env = env, .options = &any, .budget = 5000};
    static const char cut[] = "cut: the evaluation takes more steps than its budget";
    static const struct cel_case cases[] = {
        {"lists.range(100).all(x, x >= 0)", "true"},
        {"lists.range(10000).all(x, x >= 0)", cut},
        {"lists.range(10000).all(x, x >= 0) || true", cut},
        {"lists.range(10000).all(x, x < 0) && false", cut},
        {"true || lists.range(10000).all(x, x >= 0)", "true"},
        {"(lists.range(10000).size() > 0 ? 1 : 2) == 1 || true", cut},
        {"[1].exists(y, lists.range(10000).all(x, x >= 0) || true)", cut},
        {"[1, 2].all(y, lists.range(9999).size() < 0)", cut},
        {"lists.range(9223372036854775807).size() > 0 || true", "cut: ..."},
        {"lists.range(100).map(x, lists.range(100).map(y, lists.range(100)))", cut},
        {"[0].all(a, [0, 1].all(b, lists.range(50).all(c, lists.range(50).all(d, c + d >= 0))))",
         cut},
        {"optional.none().orValue(lists.range(10000)).size() > 0 || true", cut},
        {"cel.bind(x, lists.range(10000), x.size() > 0 || true)", cut},
        {"lists.range(200) == lists.range(200)", "true"},
        {"lists.range(180).distinct().size() > 0 || true", cut},
        {"sets.contains(lists.range(180), lists.range(180).reverse()) || true", cut},
        {"1 in lists.range(10000) || true", cut},
        {"lists.range(600).sort().size() > 0 || true", cut},
        {"'%s'.format([lists.range(1800)]).size() > 0 || true", cut},
        {"lists.range(1500).transformMap(i, v, i).size() > 0 || true", cut},
        {"'abababababababababababababababababababababababab'.matches('(a|b){20}c') "
         "|| true",
         cut},
    };
    CEL_CHECK(&s, cases);
}

static void test_memory(void **state)
{
    (void)state;
    CLEANUP(cel_env) struct cel_env *env = cel_env_new();
    static const struct cel_options any = {.cost_max = UINT64_MAX};
    struct cel_setting s = {
        .env = env, .options = &any, .budget = 1000000000, .memory_max = 256 << 10};
    static const char cut[] = "cut: the evaluation needs more memory than it may take";
    static const struct cel_case cases[] = {
        {"lists.range(1000).size()", "1000"},
        {"lists.range(20000).size() > 0 || true", cut},
        {"cel.bind(a, 'aaaaaaaaaaaaaaaa', cel.bind(b, a+a+a+a+a+a+a+a, cel.bind(c, "
         "b+b+b+b+b+b+b+b, "
         "cel.bind(d, c+c+c+c+c+c+c+c, cel.bind(e, d+d+d+d+d+d+d+d, e+e+e+e+e+e+e+e))))).size() > "
         "0 || true",
         cut},
        {"cel.bind(a, 'aaaaaaaaaaaaaaaa', cel.bind(b, a.replace('a', a), b.replace('a', "
         "b))).size() > 0 "
         "|| true",
         "true"},
        {"cel.bind(a, 'aaaaaaaaaaaaaaaa', cel.bind(b, a.replace('a', a), cel.bind(c, "
         "b.replace('a', b), "
         "c.replace('a', c)))).size() > 0 || true",
         cut},
        {"cel.bind(a, [1, 2, 3, 4], cel.bind(b, a.map(x, a), b.map(x, b.map(y, b.map(z, b.map(u, "
         "b))))))"
         ".size() > 0 || true",
         "true"},
        {"cel.bind(a, lists.range(10), a.map(x, a.map(y, a.map(z, a.map(u, [x, y, z, "
         "u]))))).size() > 0 "
         "|| true",
         cut},
        {"lists.range(5000).transformMap(i, v, i).size() > 0 || true", cut},
        {"lists.range(5000).map(x, optional.of(x)).size() > 0 || true", cut},
        {"lists.range(4500).map(x, 'x').join(',').split(',').size() > 0 || true", cut},
        {"lists.range(6000).map(x, ip('::')).size() > 0 || true", cut},
        {"lists.range(5000).sortBy(x, -x).size() > 0 || true", cut},
    };
    CEL_CHECK(&s, cases);
}

/* With any amount of memory the answer is the right one or a cut. */
static void test_any_memory(void **state)
{
    (void)state;
    static const struct cel_case cases[] = {
        {"[1, 2, 3].map(x, [x, x + 1]).flatten().sort().distinct().reverse() == [4, 3, 2, 1] || "
         "true",
         "true"},
        {"{'a': 1, 'b': {'c': [1, 2]}}.b.c[1] == 2 || true", "true"},
        {"[1, 2, 3, 4, 5, 6, 7, 8, 9, 10].transformMap(i, v, v).transformMapEntry(k, v, {v: "
         "k}).size()",
         "10"},
        {"'a-b-c'.split('-').join('+').replace('+', '--').upperAscii().reverse()", "\"C--B--A\""},
        {"'%s %x'.format([['a', {'b': 1u}], b'zz'])", "\"[a, {b: 1}] 7a7a\""},
        {"string(ip('2001:db8::1')) + string(cidr('10.1.2.3/8').masked())",
         "\"2001:db8::110.0.0.0/8\""},
        {"'abcabc'.matches('(a|b)' + '{2}c') && 'x'.matches('x') || true", "true"},
        {"base64.decode(base64.encode(b'hello')) == b'hello' || true", "true"},
        {"optional.of([1]).optMap(x, x + [2]).orValue([]).size() == 2 || true", "true"},
        {"cel.bind(x, 'a' + 'b', [x, x].sortBy(y, y + x)).size() == 2 || true", "true"},
        {"dyn({}).nope || 'x'.charAt(7) == '' || true", "true"},
        {"strings.quote('a\\n') + string(1.5) + string(timestamp(0)) + string(duration('1s'))",
         "\"\\\"a\\\\n\\\"1.51970-01-01T00:00:00Z1s\""},
    };
    CLEANUP(cel_env) struct cel_env *env = cel_env_new();
    struct cel_setting s = {.env = env};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool whole = false;
        for (size_t memory = 16; memory < 8192; memory += 16) {
            struct buf b;
            buf_init(&b, CEL_SHOWN_MAX);
            s.memory_max = memory;
            cel_shown(&s, str_from(cases[i].expr), &b);
            whole = str_eq(buf_view(&b), str_from(cases[i].want));
            if (!whole && !str_starts(buf_view(&b), STR("cut: the evaluation needs more memory"))) {
                print_error("%s in %zu bytes: %.*s\n", cases[i].expr, memory,
                            STR_ARG(buf_view(&b)));
                fail();
            }
            buf_done(&b);
        }
        assert_true(whole);
    }
}

/* What grows by doubling: an error or a cut within the budget, never anything else. */
static void test_doubling(void **state)
{
    (void)state;
    CLEANUP(cel_env) struct cel_env *env = cel_env_new();
    static const struct cel_options any = {.cost_max = UINT64_MAX};
    struct cel_setting s = {.env = env, .options = &any, .budget = 200000};
    struct buf b;
    buf_init(&b, 1 << 20);
    repeated(&b, "'x'", ".replace('', 'xxxxxxxx')", 40, ".size() > 0 || true");
    cel_check_text(&s, buf_view(&b), "cut: ...");
    repeated(&b, "[1]", ".map(x, [x, x]).flatten()", 40, ".size() > 0 || true");
    cel_check_text(&s, buf_view(&b), "cut: ...");
    repeated(&b, "['foo', 'bar']", ".map(x, [x + x, x + x])", 40, ".size() > 0 || true");
    cel_check_text(&s, buf_view(&b), "true");
    repeated(&b, "", "[0, 1].all(x, ", 60, "1 / 0 == 1");
    append(&b, ")", 60);
    buf_str(&b, STR(" || true"));
    cel_check_text(&s, buf_view(&b), "cut: ...");
    repeated(&b, "", "cel.bind(x, [x, x], ", 0, "");
    repeated(&b, "cel.bind(x, [1], ", "cel.bind(x, [x, x], ", 60, "x == x || true");
    append(&b, ")", 61);
    cel_check_text(&s, buf_view(&b), "cut: ...");
    buf_done(&b);
}

static void test_equal_depth(void **state)
{
    (void)state;
    CLEANUP(cel_env) struct cel_env *env = cel_env_new();
    static const struct cel_options any = {.cost_max = UINT64_MAX};
    struct cel_setting s = {.env = env, .options = &any};
    for (int depth = CEL_EQUAL_DEPTH_MAX - 1; depth <= CEL_EQUAL_DEPTH_MAX; depth++) {
        struct buf b;
        buf_init(&b, 1 << 20);
        append(&b, "[", depth);
        append(&b, "]", depth);
        buf_str(&b, STR(" == "));
        append(&b, "[", depth);
        append(&b, "]", depth);
        cel_check_text(&s, buf_view(&b), "true");
        buf_done(&b);
    }
    struct buf b;
    buf_init(&b, 1 << 20);
    append(&b, "[", CEL_EQUAL_DEPTH_MAX + 2);
    append(&b, "]", CEL_EQUAL_DEPTH_MAX + 2);
    buf_str(&b, STR(" == "));
    append(&b, "[", CEL_EQUAL_DEPTH_MAX + 2);
    append(&b, "]", CEL_EQUAL_DEPTH_MAX + 2);
    buf_str(&b, STR(" || true"));
    cel_check_text(&s, buf_view(&b), "cut: ...");
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_compiling),   cmocka_unit_test(test_worst_case),
        cmocka_unit_test(test_budget),      cmocka_unit_test(test_memory),
        cmocka_unit_test(test_doubling),    cmocka_unit_test(test_any_memory),
        cmocka_unit_test(test_equal_depth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
