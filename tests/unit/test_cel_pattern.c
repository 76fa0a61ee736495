/* matches(): RE2's syntax, what it lacks refused, time bounded. */
#include "cel_case.h"

#include "cel/pattern.h"

/* What a search yields: 'y', 'n', '?' when it gave up, '!' when it is no text; 'e' for no pattern.
 */
static char search(struct str pattern, struct str text)
{
    CLEANUP(arena) struct arena *a = arena_new(16 << 20);
    struct cel_pattern p;
    struct str what = STR("");
    if (!cel_pattern_compile(a, pattern, &p, &what)) {
        assert_true(what.len > 0);
        return 'e';
    }
    return "ny?!"[cel_pattern_search(cel_matcher_new(a), &p, text)];
}

static void test_matches(void **state)
{
    (void)state;
    static const struct {
        const char *pattern;
        const char *text;
        char want;
    } cases[] = {
        {"", "", 'y'},
        {"", "x", 'y'},
        {"abc", "xabcx", 'y'},
        {"abc", "xabx", 'n'},
        {"^abc$", "abc", 'y'},
        {"^abc$", "abc\n", 'n'},
        {"(?m)^b$", "a\nb\nc", 'y'},
        {"^b$", "a\nb\nc", 'n'},
        {"a.c", "a\nc", 'n'},
        {"(?s)a.c", "a\nc", 'y'},
        {"(?s:a.)c", "a\nc", 'y'},
        {"(?i)ABC", "abc", 'y'},
        {"(?i:a)bC", "AbC", 'y'},
        {"(?i-s:a)B", "AB", 'y'},
        {"(?-i)a", "A", 'n'},
        {"(?U)a+", "a", 'y'},
        {"a|b|", "x", 'y'},
        {"^(a|bc)+$", "abca", 'y'},
        {"^(?:a|bc){2}$", "abc", 'y'},
        {"^(?P<name>a)(?<other>b)$", "ab", 'y'},
        {"^a{2,3}$", "aaaa", 'n'},
        {"^a{2,}$", "aaaa", 'y'},
        {"^a{,2}$", "a{,2}", 'y'},
        {"^a{x}$", "a{x}", 'y'},
        {"^a{$", "a{", 'y'},
        {"^}]$", "}]", 'y'},
        {"^a+?b*?c??$", "aabbc", 'y'},
        {"^[a-c]+$", "abc", 'y'},
        {"^[^a-c]+$", "xyz", 'y'},
        {"^[]a]+$", "]a", 'y'},
        {"^[^]a]$", "b", 'y'},
        {"^[a[b]+$", "[ab", 'y'},
        {"^[[:alpha:]_]+$", "ab_", 'y'},
        {"^[[:^alpha:]]$", "1", 'y'},
        {"^[\\d\\-x]+$", "1-x", 'y'},
        {"^[\\s]+$", " \t\n\f\r", 'y'},
        {"[\\s]", "\v", 'n'},
        {"[\\S]", "\v", 'y'},
        {"\\s", "\v", 'n'},
        {"\\S", "\v", 'y'},
        {"\\v", "\v", 'y'},
        {"^\\w\\W\\d\\D$", "a 1b", 'y'},
        {"\\d", "٣", 'n'},
        {"\\w", "é", 'n'},
        {"\\bfoo\\b", "a foo b", 'y'},
        {"\\Boo", "foo", 'y'},
        {"\\Afoo\\z", "foo", 'y'},
        {"^é+$", "éé", 'y'},
        {"^[é-ü]+?x$", "éüx", 'y'},
        {"^(?:ab)+$", "abab", 'y'},
        {"(?m:^b$)|^c$", "a\nb\nc", 'y'},
        {"(?m:^x$)|^c$", "a\nb\nc", 'n'},
        {"((?m)^b)$", "a\nb", 'y'},
        {"a$|b", "xb\n", 'y'},
        {"\\a\\f\\t\\n\\r", "\a\f\t\n\r", 'y'},
        {"^\\x41\\x{1F600}\\101\\07$", "A😀A\a", 'y'},
        {"^\\Qa.b*\\E+$", "a.b**", 'y'},
        {"^\\Q\\E$", "", 'y'},
        {"^\\pL\\p{Greek}\\PN\\p{^Lu}$", "éαxy", 'y'},
        {"^[\\p{Lu}\\d]+$", "A1", 'y'},
        {"^.$", "😀", 'y'},
        {"^\\.\\*\\+\\?\\(\\)\\[\\]\\{\\}\\|\\^\\$\\\\\\/\\_$", ".*+?()[]{}|^$\\/_", 'y'},
        {"# not a comment", "# not a comment", 'y'},
        {"^(a*)*$", "aaa", 'y'},
        {"^(a*)+b$", "aab", 'y'},
        {"^(|a)+$", "aa", 'y'},
        {"(^a|b$)", "cb", 'y'},
        {"a^b", "a^b", 'n'},
        {"^*$?\\b{2}", "x", 'y'},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char got = search(str_from(cases[i].pattern), str_from(cases[i].text));
        if (got != cases[i].want) {
            print_error("%s on %s: %c\n", cases[i].pattern, cases[i].text, got);
        }
        assert_int_equal(got, cases[i].want);
    }
    assert_int_equal(search(STR("a"), STR("\xff\xfe")), '!');
    assert_int_equal(search(STR("a\0b"), STR("xa\0b")), 'y');
    assert_int_equal(search(STR("a\0b"), STR("xab")), 'n');
}

static void test_refused(void **state)
{
    (void)state;
    static const struct cel_case cases[] = {
        {"(?=a)", "a group that is not supported (byte 0)"},
        {"(?!a)", "a group that is not supported (byte 0)"},
        {"(?<=a)", "a group that is not supported (byte 0)"},
        {"(?<!a)", "a group that is not supported (byte 0)"},
        {"(?>a)", "a group that is not supported (byte 0)"},
        {"(?|a)", "a group that is not supported (byte 0)"},
        {"(?#a)", "a group that is not supported (byte 0)"},
        {"(?R)", "a group that is not supported (byte 0)"},
        {"(?1)", "a group that is not supported (byte 0)"},
        {"(?&n)", "a group that is not supported (byte 0)"},
        {"(?P=n)", "a group that is not supported (byte 0)"},
        {"(?P>n)", "a group that is not supported (byte 0)"},
        {"(?P<>a)", "a group that is not supported (byte 0)"},
        {"(?P<a", "a group that is not supported (byte 0)"},
        {"(?P<a-b>c)", "a group that is not supported (byte 0)"},
        {"(?C1)", "a group that is not supported (byte 0)"},
        {"(?(1)a)", "a group that is not supported (byte 0)"},
        {"(?x)a", "a group that is not supported (byte 0)"},
        {"(?J)a", "a group that is not supported (byte 0)"},
        {"(?^)a", "a group that is not supported (byte 0)"},
        {"(?)", "a group that is not supported (byte 0)"},
        {"(?i-)a", "a group that is not supported (byte 0)"},
        {"(?i-s-m)a", "a group that is not supported (byte 0)"},
        {"(?", "a group that is not supported (byte 0)"},
        {"(*ACCEPT)a", "a repetition of nothing (byte 1)"},
        {"(*UTF)a", "a repetition of nothing (byte 1)"},
        {"a++", "a repetition of a repetition (byte 2)"},
        {"a*+", "a repetition of a repetition (byte 2)"},
        {"a?+", "a repetition of a repetition (byte 2)"},
        {"a{2}+", "a repetition of a repetition (byte 4)"},
        {"a**", "a repetition of a repetition (byte 2)"},
        {"a{2}{3}", "a repetition of a repetition (byte 4)"},
        {"a*??", "a repetition of a repetition (byte 3)"},
        {"*a", "a repetition of nothing (byte 0)"},
        {"a|*", "a repetition of nothing (byte 2)"},
        {"(+)", "a repetition of nothing (byte 1)"},
        {"{2}", "a repetition of nothing (byte 0)"},
        {"a{1001}", "an invalid repeat count (byte 1)"},
        {"a{3,2}", "an invalid repeat count (byte 1)"},
        {"a{1,1001}", "an invalid repeat count (byte 1)"},
        {"\\1", "back-references are not supported (byte 0)"},
        {"(a)\\1", "back-references are not supported (byte 3)"},
        {"\\8", "an escape that is not supported (byte 0)"},
        {"\\g1", "an escape that is not supported (byte 0)"},
        {"\\k<n>", "an escape that is not supported (byte 0)"},
        {"\\K", "an escape that is not supported (byte 0)"},
        {"\\G", "an escape that is not supported (byte 0)"},
        {"\\X", "an escape that is not supported (byte 0)"},
        {"\\R", "an escape that is not supported (byte 0)"},
        {"\\C", "an escape that is not supported (byte 0)"},
        {"\\Z", "an escape that is not supported (byte 0)"},
        {"\\h", "an escape that is not supported (byte 0)"},
        {"\\N", "an escape that is not supported (byte 0)"},
        {"\\e", "an escape that is not supported (byte 0)"},
        {"\\cA", "an escape that is not supported (byte 0)"},
        {"\\o{12}", "an escape that is not supported (byte 0)"},
        {"\\E", "an escape that is not supported (byte 0)"},
        {"\\é", "an escape that is not supported (byte 0)"},
        {"\\", "an escape that is not supported (byte 0)"},
        {"[\\b]", "an escape that is not supported (byte 0)"},
        {"[\\Qa\\E]", "an escape that is not supported (byte 0)"},
        {"\\x", "an invalid escape (byte 0)"},
        {"\\x4", "an invalid escape (byte 0)"},
        {"\\x{}", "an invalid escape (byte 0)"},
        {"\\x{1234567}", "an invalid escape (byte 0)"},
        {"\\p", "an invalid character class (byte 0)"},
        {"\\p{}", "an invalid character class (byte 0)"},
        {"\\p{L&}", "an invalid character class (byte 0)"},
        {"[[:nope:]]", "an invalid character class (byte 0)"},
        {"[a", "a character class that does not end (byte 0)"},
        {"[]", "a character class that does not end (byte 0)"},
        {"(a", "a parenthesis that is not closed (byte 2)"},
        {"a)", "a parenthesis too many (byte 1)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CLEANUP(arena) struct arena *a = arena_new(1 << 20);
        struct cel_pattern p;
        struct str what = STR("");
        char want[200];
        if (cel_pattern_compile(a, str_from(cases[i].expr), &p, &what)) {
            print_error("compiled: %s\n", cases[i].expr);
            fail();
        }
        snprintf(want, sizeof want, "invalid pattern: %s", cases[i].want);
        assert_str(what, want);
    }
    /* What the library refuses by itself. */
    assert_int_equal(search(STR("[z-a]"), STR("")), 'e');
    assert_int_equal(search(STR("\\p{Klingon}"), STR("")), 'e');
    assert_int_equal(search(STR("\\x{110000}"), STR("")), 'e');
    assert_int_equal(search(STR("\xff"), STR("")), 'e');
}

/* From is repeated count times between head and tail. */
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

static void test_limits(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1 << 20);
    assert_int_equal(search(repeated(&b, "", "a", CEL_PATTERN_TEXT_MAX, ""), STR("")), 'n');
    assert_int_equal(search(repeated(&b, "", "a", CEL_PATTERN_TEXT_MAX + 1, ""), STR("")), 'e');
    assert_int_equal(search(repeated(&b, "", "(", CEL_PATTERN_NEST_MAX + 1, ""), STR("")), 'e');
    repeated(&b, "", "(", CEL_PATTERN_NEST_MAX, "a");
    for (int i = 0; i < CEL_PATTERN_NEST_MAX; i++) {
        buf_char(&b, ')');
    }
    assert_int_equal(search(buf_view(&b), STR("a")), 'y');
    assert_int_equal(search(STR("a{1000}"), STR("a")), 'n');
    assert_int_equal(search(STR("((a{1000}){1000}){1000}"), STR("a")), 'e');
    assert_int_equal(search(STR("([x-z]b|cde|fgh){1000}"), STR("a")), 'e');
    /* More states at once than are followed. */
    struct buf text;
    buf_init(&text, 1 << 20);
    assert_int_equal(search(STR("(a?){50}b"), repeated(&text, "", "a", 2000, "b")), 'y');
    assert_int_equal(search(STR("^(a?){1000}b"), repeated(&text, "", "a", 2000, "b")), '?');
    buf_done(&b);
    buf_done(&text);
}

/* Patterns that backtracking takes ages for, on 64 KiB. */
static void test_bombs(void **state)
{
    (void)state;
    static const char *const patterns[] = {
        "(a*)*b",         "(a+)+b",     "(a|a)*b",        "(a|aa)+b",   "(.*)(.*)(.*)b",
        "(a*)*(a*)*b",    "^(a+)+$b",   "a*a*a*a*a*a*b",  "([a-z]+)*1", "(x+x+)+y",
        "(?i)(a|A|b?)*c", "(.*a){12}b", "(a?){20}a{20}b",
    };
    struct buf text;
    buf_init(&text, 1 << 20);
    struct str a = repeated(&text, "", "a", 64 << 10, "");
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        assert_int_equal(search(str_from(patterns[i]), a), 'n');
    }
    buf_done(&text);
}

static void test_in_expressions(void **state)
{
    (void)state;
    CLEANUP(cel_env) struct cel_env *env = cel_env_new();
    struct cel_setting s = {.env = env};
    static const struct cel_case cases[] = {
        {"'abc'.matches('^a(b|x)c$')", "true"},
        {"matches('abc', 'd')", "false"},
        {"'abc'.matches('(?=a)')",
         "refused 1:15: invalid pattern: a group that is not supported (byte 0)"},
        {"'abc'.matches('a' + '*')", "true"},
        {"'abc'.matches('(' + 'a')",
         "error: invalid pattern: a parenthesis that is not closed (byte 2)"},
        {"['a', 'b', 'c'].filter(x, 'a|c'.matches(x) && x.matches('a|c'))", "[\"a\", \"c\"]"},
        {"'x'.matches(1)",
         "refused 1:1: no matching overload for 'matches' applied to (string, int)"},
        {"1 / 0 == 1 || 'a'.matches('a')", "true"},
        {"string(1 / 0).matches('a')", "error: division by zero"},
        {"'a'.matches(string(1 / 0))", "error: division by zero"},
    };
    CEL_CHECK(&s, cases);
    /* What the automaton gives up on is a cut, which nothing absorbs. */
    static const struct cel_options any = {.cost_max = UINT64_MAX};
    static const struct cel_case given_up[] = {
        {"lists.range(2000).map(x, x < 1999 ? 'a' : 'b').join().matches('^(a?){1000}b') || 1 > 0",
         "cut: the evaluation takes more steps than its budget"}};
    s.options = &any;
    CEL_CHECK(&s, given_up);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_matches),        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_limits),         cmocka_unit_test(test_bombs),
        cmocka_unit_test(test_in_expressions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
