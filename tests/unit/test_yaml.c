/* value/yaml: typing, places, everything that is refused, every limit. */
#include "value/json.h"
#include "value/yaml.h"

#include "check.h"

static enum rc parse_text(struct arena *a, struct str text, struct value *ret, struct err *e)
{
    /* A block of exactly this size, so that ASan sees one byte too many. */
    char *bytes = malloc(text.len > 0 ? text.len : 1);
    assert_non_null(bytes);
    if (text.len > 0) {
        memcpy(bytes, text.ptr, text.len);
    }
    enum rc rc = yaml_parse(a, STR("pawl.yaml"), (struct str){bytes, text.len}, ret, e);
    free(bytes);
    return rc;
}

static void accepted(void **state)
{
    (void)state;
    static const struct {
        const char *yaml;
        const char *json;
    } cases[] = {
        {"", "{}"},
        {"# only a comment\n", "{}"},
        {"---\n", "{}"},
        {"---\n...\n", "{}"},
        {"null\n", "{}"},
        {"\xef\xbb\xbf"
         "a: 1",
         "{\"a\":1}"},
        {"a: 1\nb: -2\nc: 0\n", "{\"a\":1,\"b\":-2,\"c\":0}"},
        {"a: 9223372036854775807\nb: -9223372036854775808",
         "{\"a\":9223372036854775807,\"b\":-9223372036854775808}"},
        {"a: 1.5\nb: -0.5e-3\nc: 1e3\nd: 2.0", "{\"a\":1.5,\"b\":-0.0005,\"c\":1000,\"d\":2}"},
        {"[true, false, null, ]", "[true,false,null]"},
        {"[yes, no, on, off, y, n, True, FALSE, Null, ~]",
         "[\"yes\",\"no\",\"on\",\"off\",\"y\",\"n\",\"True\",\"FALSE\",\"Null\",\"~\"]"},
        {"[0777, 0x1f, 0o7, 1_000, +1, .5, 1., 12:30, 1.2.3, .inf, .nan, 2026-11-21, 99.9%, 28d, "
         "-]",
         "[\"0777\",\"0x1f\",\"0o7\",\"1_000\",\"+1\",\".5\",\"1.\",\"12:30\",\"1.2.3\",\".inf\","
         "\".nan\",\"2026-11-21\","
         "\"99.9%\",\"28d\",\"-\"]"},
        {"['true', \"1\", 'null', \"\", '~']", "[\"true\",\"1\",\"null\",\"\",\"~\"]"},
        {"a:\nb: |\n  12\n  13\nc: >\n  one\n  two\n",
         "{\"a\":null,\"b\":\"12\\n13\\n\",\"c\":\"one two\\n\"}"},
        {"\"\\u00e9\\n\\x41\\0\": 'it''s'", "{\"\xc3\xa9\\nA\\u0000\":\"it's\"}"},
        {"a:\n  b:\n    - 1\n    - c: 2\n      d: 3\n  e: {f: [], g: {}}\n",
         "{\"a\":{\"b\":[1,{\"c\":2,\"d\":3}],\"e\":{\"f\":[],\"g\":{}}}}"},
        {"\"1\": a\n'true': b\n\"<<\": c\n", "{\"1\":\"a\",\"true\":\"b\",\"<<\":\"c\"}"},
        {"%YAML 1.1\n---\na: 1\n", "{\"a\":1}"},
        {"plain text", "\"plain text\""},
        {"a: text # comment\n", "{\"a\":\"text\"}"},
    };
    CLEANUP(arena) struct arena *a = arena_new(1 << 20);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct value v;
        struct err e = {0};
        arena_reset(a);
        if (parse_text(a, str_from(cases[i].yaml), &v, &e) != RC_OK) {
            fail_msg("%s: %s: %s", cases[i].yaml, e.where, e.text);
        }
        __attribute__((cleanup(buf_cleanup))) struct buf out;
        buf_init(&out, 1 << 16);
        json_write(&out, &v);
        assert_str(buf_view(&out), cases[i].json);
    }
}

static void refused(void **state)
{
    (void)state;
    static const struct {
        const char *yaml;
        const char *where;
        const char *what;
    } cases[] = {
        {"a: &x 1", "pawl.yaml:1:4", "anchors are not supported: write the value out"},
        {"a: &x [1]", "pawl.yaml:1:4", "anchors are not supported: write the value out"},
        {"a: &x {b: 1}", "pawl.yaml:1:4", "anchors are not supported: write the value out"},
        {"&x a: 1", "pawl.yaml:1:1", "anchors are not supported: write the value out"},
        {"a: *x", "pawl.yaml:1:4", "aliases are not supported: write the value out"},
        {"*x : 1", "pawl.yaml:1:1", "a key must be a string"},
        {"a: !!str 1", "pawl.yaml:1:4", "tags are not supported: quote what is a string"},
        {"a: ! 1", "pawl.yaml:1:4", "tags are not supported: quote what is a string"},
        {"a: !x [1]", "pawl.yaml:1:4", "tags are not supported: quote what is a string"},
        {"!!map {a: 1}", "pawl.yaml:1:1", "tags are not supported: quote what is a string"},
        {"%TAG ! tag:x,2026:\n---\na: 1", "pawl.yaml:1:1",
         "tags are not supported: quote what is a string"},
        {"a: 1\n<<: {b: 2}", "pawl.yaml:2:1",
         "merge keys are not supported: write the members out"},
        {"a: 1\n---\nb: 2", "pawl.yaml:2:1", "more than one document"},
        {"1: a", "pawl.yaml:1:1", "a key must be a string: quote it"},
        {"true: a", "pawl.yaml:1:1", "a key must be a string: quote it"},
        {"x:\n  null: a", "pawl.yaml:2:3", "a key must be a string: quote it"},
        {"?\n: a", "pawl.yaml:1:2", "a key must be a string: quote it"},
        {"? [a]\n: 1", "pawl.yaml:1:3", "a key must be a string"},
        {"{{a: 1}: 2}", "pawl.yaml:1:2", "a key must be a string"},
        {"a: 1\nb: 2\n\"a\": 3", "pawl.yaml:3:1", "duplicate key \"a\""},
        {"x:\n  - {\xc3\xa9: 1, b: 1, b: 2}", "pawl.yaml:2:18", "duplicate key \"b\""},
        {"c: 1\nb: 2\na: 3\nb: 4\nc: 5\nb: 6", "pawl.yaml:4:1", "duplicate key \"b\""},
        {"a: 9223372036854775808", "pawl.yaml:1:4",
         "number outside int64 and double: quote it if it is a string"},
        {"- -9223372036854775809", "pawl.yaml:1:3",
         "number outside int64 and double: quote it if it is a string"},
        {"a: 1e309", "pawl.yaml:1:4",
         "number outside int64 and double: quote it if it is a string"},
        {"a: 1e19", "pawl.yaml:1:4", "number outside int64 and double: quote it if it is a string"},
        {"a: [1, 2", "pawl.yaml:2:1",
         "while parsing a flow sequence: did not find expected ',' or ']'"},
        {"a: 1\n b: 2", "pawl.yaml:2:3", "mapping values are not allowed in this context"},
        {"a:\n\t- 1", "pawl.yaml:2:1",
         "while scanning for the next token: found character that cannot start any token"},
        {"a: \"x", "pawl.yaml:1:6",
         "while scanning a quoted scalar: found unexpected end of stream"},
        {"a: \"\\ud800\"", "pawl.yaml:1:7",
         "while parsing a quoted scalar: found invalid Unicode character escape code"},
        {"a: 1\nb: \xc3\xa9\xff", "pawl.yaml:2:5", "invalid leading UTF-8 octet"},
        {"a: \x01", "pawl.yaml:1:4", "control characters are not allowed"},
        {"%YAML 2.0\n---\na: 1", "pawl.yaml:1:1", "found incompatible YAML document"},
    };
    CLEANUP(arena) struct arena *a = arena_new(1 << 20);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct value v = value_int(42);
        struct err e = {0};
        arena_reset(a);
        if (parse_text(a, str_from(cases[i].yaml), &v, &e) != RC_INVALID) {
            fail_msg("%s", cases[i].yaml);
        }
        assert_string_equal(e.text, cases[i].what);
        assert_string_equal(e.where, cases[i].where);
        assert_int_equal(v.integer, 42);
        assert_int_equal(parse_text(a, str_from(cases[i].yaml), &v, NULL), RC_INVALID);
    }
}

static void check_place(const struct value *v, uint32_t line, uint32_t column)
{
    assert_non_null(v);
    assert_int_equal(v->line, line);
    assert_int_equal(v->column, column);
}

static void every_value_has_its_place(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(1 << 16);
    struct value v;
    struct err e;
    assert_int_equal(
        parse_text(a, STR("# first\nslo:\n  objective: 99.5\n  \xc3\xa9: [1,\n    two]\nempty:\n"),
                   &v, &e),
        RC_OK);
    check_place(&v, 2, 1);
    check_place(value_get(&v, STR("slo")), 3, 3);
    check_place(value_path(&v, "slo", "objective", NULL), 3, 14);
    const struct value *list = value_path(&v, "slo", "\xc3\xa9", NULL);
    check_place(list, 4, 6); /* columns count code points */
    check_place(&list->items[0], 4, 7);
    check_place(&list->items[1], 5, 5);
    assert_non_null(value_get(&v, STR("empty")));
    assert_true(value_get(&v, STR("empty"))->line > 0);
    assert_int_equal(parse_text(a, STR(""), &v, &e), RC_OK);
    check_place(&v, 1, 1);
}

static void depth_is_limited(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(1 << 20);
    char text[2 * YAML_DEPTH_MAX + 2];
    memset(text, '[', YAML_DEPTH_MAX + 1);
    memset(text + YAML_DEPTH_MAX + 1, ']', YAML_DEPTH_MAX + 1);
    struct value v;
    struct err e;
    assert_int_equal(parse_text(a, (struct str){text + 1, 2 * YAML_DEPTH_MAX}, &v, &e), RC_OK);
    assert_int_equal(parse_text(a, (struct str){text, sizeof text}, &v, &e), RC_LIMIT);
    assert_string_equal(e.where, "pawl.yaml:1:33");
    assert_string_equal(e.text, "nested too deeply");
}

static void size_is_limited(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(1 << 20);
    char *text = malloc(YAML_TEXT_MAX + 1);
    assert_non_null(text);
    memset(text, '\n', YAML_TEXT_MAX + 1);
    struct value v;
    struct err e;
    assert_int_equal(yaml_parse(a, STR("big.yaml"), (struct str){text, YAML_TEXT_MAX}, &v, &e),
                     RC_OK);
    assert_int_equal(yaml_parse(a, STR("big.yaml"), (struct str){text, YAML_TEXT_MAX + 1}, &v, &e),
                     RC_LIMIT);
    assert_string_equal(e.where, "big.yaml:1:1");
    free(text);
}

static void long_file_names_keep_the_place(void **state)
{
    (void)state;
    char name[601]; /* so that the end replaces whole code points */
    for (size_t i = 0; i + 2 < sizeof name; i += 2) {
        memcpy(name + i, "\xc3\xa9", 2);
    }
    memcpy(name + sizeof name - 9, "/pawl.yml", 9);
    CLEANUP(arena) struct arena *a = arena_new(1 << 16);
    struct value v;
    struct err e;
    assert_int_equal(yaml_parse(a, (struct str){name, sizeof name}, STR("a: 1\nb: *x"), &v, &e),
                     RC_INVALID);
    assert_true(str_ends(str_from(e.where), STR("/pawl.yml:2:4")));
    assert_true(utf8_valid(str_from(e.where)));
}

static const char document[] =
    "server:\n  listen: \"127.0.0.1:7777\"\n  data: /var/lib/pawl\nagents:\n  - name: deploy-bot\n "
    "   limits: {per_day: 20, "
    "text: 'it''s'}\n    notes: |\n      two\n      lines\nslo: {objective: 99.95, window: 28d}\n";

static void every_cap_is_survived(void **state)
{
    (void)state;
    int failed = 0;
    bool whole = false;
    for (size_t cap = 0; cap < 8192; cap += 16) {
        CLEANUP(arena) struct arena *a = arena_new(cap);
        struct value v;
        struct err e = {0};
        enum rc rc = parse_text(a, str_from(document), &v, &e);
        whole = rc == RC_OK;
        if (!whole) {
            assert_int_equal(rc, RC_LIMIT);
            assert_string_equal(e.text, "takes more memory than its maximum");
            failed++;
        }
    }
    assert_true(whole);
    assert_true(failed > 50);
}

/* A prefix of YAML may be a whole document; it must end in a value or in an error with its place.
 */
static void every_prefix_ends_cleanly(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(1 << 20);
    int failed = 0;
    for (size_t len = 0; len < sizeof document; len++) {
        struct value v;
        struct err e = {0};
        arena_reset(a);
        enum rc rc = parse_text(
            a, (struct str){document, len < sizeof document - 1 ? len : sizeof document - 1}, &v,
            &e);
        assert_true(rc == RC_OK || rc == RC_INVALID);
        if (rc != RC_OK) {
            assert_true(str_starts(str_from(e.where), STR("pawl.yaml:")));
            failed++;
        }
    }
    assert_true(failed > 10);
}

/* --- a stream ---------------------------------------------------------------------------------------- */

static void a_stream_is_read_as_others_write_it(void **state)
{
    (void)state;
    static const struct {
        const char *yaml;
        const char *json;
    } cases[] = {
        {"", "[]"},
        {"---\na: 1\n---\n---\nb: 2\n...\n", "[{\"a\":1},null,{\"b\":2}]"},
        {"a: &x [1, {b: 2}]\nc: *x\nd: *x", "[{\"a\":[1,{\"b\":2}],\"c\":[1,{\"b\":2}],\"d\":[1,{\"b\":2}]}]"},
        {"a: &x 1\nb: &x 2\nc: *x", "[{\"a\":1,\"b\":2,\"c\":2}]"},
        {"x: &x {a: 1, b: 2}\ny: {<<: *x, b: 3}", "[{\"x\":{\"a\":1,\"b\":2},\"y\":{\"b\":3,\"a\":1}}]"},
        {"y: {<<: [{a: 1}, {a: 2, b: 2}]}", "[{\"y\":{\"a\":1,\"b\":2}}]"},
        {"'<<': 1", "[{\"<<\":1}]"},
        {"80: a\ntrue: b\n~: c", "[{\"80\":\"a\",\"true\":\"b\",\"~\":\"c\"}]"},
        {"a: !!str 8080\nb: !reset null\nc: !x {d: 1}", "[{\"a\":\"8080\",\"b\":null,\"c\":{\"d\":1}}]"},
        {"a: 123456789012345678901234567890", "[{\"a\":\"123456789012345678901234567890\"}]"},
        {"%TAG ! tag:x,2026:\n---\na: 1", "[{\"a\":1}]"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CLEANUP(arena) struct arena *a = arena_new(1 << 20);
        __attribute__((cleanup(buf_cleanup))) struct buf out;
        struct value v;
        struct err e = {0};
        if (yaml_parse_stream(a, STR("f"), str_from(cases[i].yaml), &v, &e) != RC_OK) {
            fail_msg("%s: %s: %s", cases[i].yaml, e.where, e.text);
        }
        buf_init(&out, 1 << 16);
        json_write(&out, &v);
        assert_str(buf_view(&out), cases[i].json);
    }
}

static void a_stream_refuses_what_it_must(void **state)
{
    (void)state;
    static const struct {
        const char *yaml;
        const char *where;
        const char *what;
    } cases[] = {
        {"a: &x [*x]", "f#1:1:8", "an alias inside what it stands for"},
        {"a: &x {b: {c: *x}}", "f#1:1:15", "an alias inside what it stands for"},
        {"a: &x 1\n---\nb: *x", "f#2:3:4", "no anchor before it has this name"},
        {"a: 1\n---\nb: 1\nb: 2", "f#2:4:1", "duplicate key \"b\""},
        {"<<: [1]", "f#1:1:1", "expected a mapping to merge, or a list of them"},
        {"? [a]\n: 1", "f#1:1:3", "a key must be a string"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CLEANUP(arena) struct arena *a = arena_new(1 << 20);
        struct value v;
        struct err e = {0};
        assert_int_equal(yaml_parse_stream(a, STR("f"), str_from(cases[i].yaml), &v, &e), RC_INVALID);
        assert_string_equal(e.where, cases[i].where);
        assert_string_equal(e.text, cases[i].what);
    }
}

/* Levels of ten aliases each: a few bytes that would be 10^n values. */
static void aliases_of_aliases_have_their_limit(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(64 << 20);
    struct buf text;
    struct value v;
    struct err e;
    buf_init(&text, 1 << 20);
    buf_str(&text, STR("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"));
    for (int n = 1; n <= 5; n++) {
        buf_printf(&text, "a%d: &a%d [", n, n);
        for (int k = 0; k < 10; k++) {
            buf_printf(&text, "%s*a%d", k == 0 ? "" : ",", n - 1);
        }
        buf_str(&text, STR("]\n"));
    }
    assert_int_equal(yaml_parse_stream(a, STR("f"), buf_view(&text), &v, &e), RC_OK);
    buf_str(&text, STR("b: [*a5, *a5]\n"));
    assert_int_equal(yaml_parse_stream(a, STR("f"), buf_view(&text), &v, &e), RC_OK);
    buf_str(&text, STR("c: [*a5]\n"));
    assert_int_equal(yaml_parse_stream(a, STR("f"), buf_view(&text), &v, &e), RC_LIMIT);
    assert_string_equal(e.where, "f#1:8:5");
    buf_done(&text);
}

static void a_stream_has_its_limits(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(512 << 20);
    struct buf text;
    struct value v;
    struct err e;
    buf_init(&text, YAML_STREAM_MAX + 2);
    for (int over = 0; over < 2; over++) {
        buf_reset(&text);
        for (int n = 0; n < YAML_STREAM_DEPTH_MAX + over; n++) {
            buf_char(&text, '[');
        }
        for (int n = 0; n < YAML_STREAM_DEPTH_MAX + over; n++) {
            buf_char(&text, ']');
        }
        assert_int_equal(yaml_parse_stream(a, STR("f"), buf_view(&text), &v, &e), over ? RC_LIMIT : RC_OK);
        buf_reset(&text);
        for (int n = 0; n < YAML_DOCUMENTS_MAX + over; n++) {
            buf_str(&text, STR("--- 1\n"));
        }
        assert_int_equal(yaml_parse_stream(a, STR("f"), buf_view(&text), &v, &e), over ? RC_LIMIT : RC_OK);
        buf_reset(&text);
        for (int n = 0; n < YAML_ANCHORS_MAX + over; n++) {
            buf_printf(&text, "- &a%d 1\n", n);
        }
        assert_int_equal(yaml_parse_stream(a, STR("f"), buf_view(&text), &v, &e), over ? RC_LIMIT : RC_OK);
    }
    /* What an alias stands for counts with its depth as well. */
    buf_reset(&text);
    buf_str(&text, STR("a: &x [[[1]]]\nb: "));
    for (int n = 0; n < YAML_STREAM_DEPTH_MAX - 3; n++) {
        buf_char(&text, '[');
    }
    buf_str(&text, STR("*x"));
    assert_int_equal(yaml_parse_stream(a, STR("f"), buf_view(&text), &v, &e), RC_LIMIT);
    char *blank = buf_reserve(&text, YAML_STREAM_MAX + 1 - text.len);
    assert_non_null(blank);
    memset(text.data, '\n', YAML_STREAM_MAX + 1);
    assert_int_equal(yaml_parse_stream(a, STR("f"), (struct str){text.data, YAML_STREAM_MAX + 1}, &v, &e), RC_LIMIT);
    assert_string_equal(e.text, "larger than 64 MiB");
    buf_done(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream_is_read_as_others_write_it),
        cmocka_unit_test(a_stream_refuses_what_it_must),
        cmocka_unit_test(aliases_of_aliases_have_their_limit),
        cmocka_unit_test(a_stream_has_its_limits),
        cmocka_unit_test(accepted),
        cmocka_unit_test(refused),
        cmocka_unit_test(every_value_has_its_place),
        cmocka_unit_test(depth_is_limited),
        cmocka_unit_test(size_is_limited),
        cmocka_unit_test(long_file_names_keep_the_place),
        cmocka_unit_test(every_cap_is_survived),
        cmocka_unit_test(every_prefix_ends_cleanly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
