/* value/json: what is accepted and refused, the canonical form, every limit. */
#include "value/json.h"

#include "check.h"

static enum rc parse_exact(struct arena *a, struct str text, struct value *ret, struct err *e)
{
    /* A block of exactly this size, so that ASan sees one byte too many. */
    char *bytes = malloc(text.len > 0 ? text.len : 1);
    assert_non_null(bytes);
    if (text.len > 0) {
        memcpy(bytes, text.ptr, text.len);
    }
    struct value v;
    enum rc rc = json_parse(a, (struct str){bytes, text.len}, &v, e);
    if (rc == RC_OK) {
        *ret = value_copy(a, &v);
    }
    free(bytes);
    return rc;
}

static void check_canonical(const char *text, size_t len, const char *want)
{
    CLEANUP(arena) struct arena *a = arena_new(1 << 24);
    struct value v;
    struct err e = {0};
    if (parse_exact(a, (struct str){text, len}, &v, &e) != RC_OK) {
        fail_msg("%s: %s", text, e.text);
    }
    __attribute__((cleanup(buf_cleanup))) struct buf out;
    buf_init(&out, 1 << 20);
    json_write_canonical(&out, &v, a);
    assert_int_equal(out.rc, RC_OK);
    assert_str(buf_view(&out), want);
}

static void accepted(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *canonical;
    } cases[] = {
        {"null", "null"},
        {" \t\r\n true \n", "true"},
        {"false", "false"},
        {"0", "0"},
        {"-0", "0"},
        {"-0.0", "0"},
        {"0e0", "0"},
        {"1.0", "1"},
        {"100e-2", "1"},
        {"1E+2", "100"},
        {"9007199254740992", "9007199254740992"},
        {"9007199254740993", "9007199254740993"},
        {"9223372036854775807", "9223372036854775807"},
        {"-9223372036854775808", "-9223372036854775808"},
        {"123456789012345678", "123456789012345678"},
        {"1234567890123456789", "1234567890123456789"},
        {"9.223372036854774e18", "9223372036854774000"},
        {"1e21", "1e+21"},
        {"-1e21", "-1e+21"},
        {"1e-400", "0"},
        {"0.1", "0.1"},
        {"99.95", "99.95"},
        {"0.30000000000000004", "0.30000000000000004"},
        {"1.7976931348623157e308", "1.7976931348623157e+308"},
        {"3.141592653589793238462643383279502884197169399375105820974944592307816406286",
         "3.141592653589793"},
        {"0."
         "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
         "0000000000000000"
         "00000000000000000000000000000001e131",
         "0.000001"},
        {"\"\"", "\"\""},
        {"\"plain text beyond eight bytes\"", "\"plain text beyond eight bytes\""},
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\\"\\\\/\\b\\f\\n\\r\\t\""},
        {"\"\\u0000\\u001F\\u007f\\u00e9\\u20ac\\ud83d\\ude00\"",
         "\"\\u0000\\u001f\x7f\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""},
        {"\"caf\xc3\xa9 \xf0\x9f\x98\x80\"", "\"caf\xc3\xa9 \xf0\x9f\x98\x80\""},
        {"\"\\\\\"", "\"\\\\\""},
        {"\"1234567\\\\\"", "\"1234567\\\\\""},
        {"[]", "[]"},
        {"[ ]", "[]"},
        {"[1, [2, [3]], {}]", "[1,[2,[3]],{}]"},
        {"{}", "{}"},
        {"{ \"b\" : 1 , \"a\" : { \"d\" : 1, \"c\" : 2 } }", "{\"a\":{\"c\":2,\"d\":1},\"b\":1}"},
        {"{\"\":1,\"a\":2,\"aa\":3,\"A\":4}", "{\"\":1,\"A\":4,\"a\":2,\"aa\":3}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        check_canonical(cases[i].text, strlen(cases[i].text), cases[i].canonical);
        /* The canonical form of canonical bytes is the same bytes. */
        check_canonical(cases[i].canonical, strlen(cases[i].canonical), cases[i].canonical);
    }
}

static void refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *where;
        const char *what;
    } cases[] = {
        {"", "", "expected a value, found the end at byte 0"},
        {"  ", "", "expected a value, found the end at byte 2"},
        {"nul", "", "expected a value at byte 0"},
        {"NaN", "", "expected a value at byte 0"},
        {"Infinity", "", "expected a value at byte 0"},
        {"-Infinity", "", "invalid number at byte 0"},
        {"'a'", "", "expected a value at byte 0"},
        {"\xef\xbb\xbf{}", "", "expected a value at byte 0"},
        {"1 2", "", "something stands behind the value at byte 2"},
        {"{}}", "", "something stands behind the value at byte 2"},
        {"[1]x", "", "something stands behind the value at byte 3"},
        {"truee", "", "something stands behind the value at byte 4"},
        {"01", "", "invalid number at byte 0"},
        {"-", "", "invalid number at byte 0"},
        {"+1", "", "expected a value at byte 0"},
        {".5", "", "expected a value at byte 0"},
        {"1.", "", "invalid number at byte 0"},
        {"1e", "", "invalid number at byte 0"},
        {"1e+", "", "invalid number at byte 0"},
        {"-01", "", "invalid number at byte 0"},
        {"9223372036854775808", "", "integer outside int64 at byte 0"},
        {"-9223372036854775809", "", "integer outside int64 at byte 0"},
        {"[0,100000000000000000000000000000]", "/1", "integer outside int64 at byte 3"},
        {"1e19", "", "whole number outside int64 at byte 0"},
        {"9223372036854775808.0", "", "whole number outside int64 at byte 0"},
        {"-9223372036854775808.0", "", "whole number outside int64 at byte 0"},
        {"999999999999999900000.0", "", "whole number outside int64 at byte 0"},
        {"1e309", "", "number too large for a double at byte 0"},
        {"-1e99999999999999999999", "", "number too large for a double at byte 0"},
        {"\"abc", "", "unfinished string at byte 4"},
        {"\"abc\\", "", "unfinished string at byte 5"},
        {"\"abc\\\"", "", "unfinished string at byte 6"},
        {"\"a\nb\"", "", "unescaped control character at byte 2"},
        {"\"0123456789\tb\"", "", "unescaped control character at byte 11"},
        {"\"\\\x01\"", "", "unescaped control character at byte 2"},
        {"\"\\x\"", "", "invalid escape at byte 1"},
        {"\"\\u12\"", "", "invalid escape at byte 1"},
        {"\"\\u12g4\"", "", "invalid escape at byte 1"},
        {"\"\\ud800\"", "", "lone surrogate at byte 1"},
        {"\"a\\udc00\"", "", "lone surrogate at byte 2"},
        {"\"\\ud800\\ud800\"", "", "lone surrogate at byte 1"},
        {"\"\\ud800\\n\"", "", "lone surrogate at byte 1"},
        {"\"\\ud800\\u0041\"", "", "lone surrogate at byte 1"},
        {"\"\xff\"", "", "invalid UTF-8 at byte 1"},
        {"\"\xc0\xaf\"", "", "invalid UTF-8 at byte 1"},
        {"\"\xed\xa0\x80\"", "", "invalid UTF-8 at byte 1"},
        {"\"\xe2\x82\"", "", "invalid UTF-8 at byte 1"},
        {"[1,]", "/1", "expected a value at byte 3"},
        {"[1 2]", "", "expected ',' or ']' at byte 3"},
        {"[1", "", "expected ',' or ']' at byte 2"},
        {"[", "/0", "expected a value, found the end at byte 1"},
        {"{", "", "expected a member name at byte 1"},
        {"{a:1}", "", "expected a member name at byte 1"},
        {"{\"a\"1}", "/a", "expected ':' at byte 4"},
        {"{\"a\":}", "/a", "expected a value at byte 5"},
        {"{\"a\":1,}", "", "expected a member name at byte 7"},
        {"{\"a\":1 \"b\":2}", "", "expected ',' or '}' at byte 7"},
        {"{\"a\":{\"b\":[0,{\"c/d\":tru}]}}", "/a/b/1/c~1d", "expected a value at byte 20"},
        {"{\"a\":1,\"a\":2}", "/a", "duplicate member name in the object that ends at byte 13"},
        {"{\"a\":1,\"\\u0061\":2}", "/a",
         "duplicate member name in the object that ends at byte 18"},
        {"{\"\":1,\"\":2}", "/", "duplicate member name in the object that ends at byte 11"},
        {"[{\"x\":{\"a\":1,\"b\":1,\"a\":1}}]", "/0/x/a",
         "duplicate member name in the object that ends at byte 25"},
    };
    CLEANUP(arena) struct arena *a = arena_new(1 << 20);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct value v = value_int(42);
        struct err e = {0};
        assert_int_equal(parse_exact(a, str_from(cases[i].text), &v, &e), RC_INVALID);
        assert_string_equal(e.text, cases[i].what);
        assert_string_equal(e.where, cases[i].where);
        assert_int_equal(e.rc, RC_INVALID);
        assert_int_equal(v.integer, 42); /* untouched */
        assert_int_equal(json_parse(a, str_from(cases[i].text), &v, NULL), RC_INVALID);
    }
}

static void nul_is_a_byte_like_others(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(1 << 16);
    struct value v;
    struct err e;
    assert_int_equal(json_parse(a, STR("1\0"), &v, &e), RC_INVALID);
    assert_int_equal(json_parse(a, STR("\"a\0b\""), &v, &e), RC_INVALID);
    assert_int_equal(json_parse(a, STR("\0"), &v, &e), RC_INVALID);
    assert_int_equal(json_parse(a, STR("\"\\\0\""), &v, &e), RC_INVALID);
    assert_int_equal(json_parse(a, (struct str){NULL, 0}, &v, &e), RC_INVALID);
    /* Names that a C string would confuse are different names. */
    assert_int_equal(json_parse(a, STR("{\"a\\u0000b\":1,\"a\\u0000c\":2}"), &v, &e), RC_OK);
    assert_int_equal(v.count, 2);
}

static void strings_without_escapes_are_borrowed(void **state)
{
    (void)state;
    static const char text[] = "[\"borrowed\",\"cop\\u0069ed\"]";
    CLEANUP(arena) struct arena *a = arena_new(1 << 16);
    struct value v;
    assert_int_equal(json_parse(a, str_from(text), &v, NULL), RC_OK);
    assert_ptr_equal(v.items[0].string.ptr, text + 2);
    assert_str(v.items[1].string, "copied");
    assert_true(v.items[1].string.ptr < text || v.items[1].string.ptr > text + sizeof text);
    assert_int_equal(v.capacity, v.count);
    assert_int_equal(v.line, 0);
}

/* A text of count times open, inside, count times close. */
static struct str nested(struct arena *a, const char *open, const char *inside, const char *close,
                         int count)
{
    struct str s = str_from(inside);
    for (int i = 0; i < count; i++) {
        s = arena_printf(a, "%s%.*s%s", open, STR_ARG(s), close);
    }
    return s;
}

static void depth_is_limited(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(1 << 20);
    struct value v;
    struct err e;
    assert_int_equal(json_parse(a, nested(a, "[", "", "]", JSON_DEPTH_MAX), &v, &e), RC_OK);
    assert_int_equal(json_parse(a, nested(a, "[", "", "]", JSON_DEPTH_MAX + 1), &v, &e), RC_LIMIT);
    assert_string_equal(e.text, "nested deeper than 32 at byte 32");
    assert_string_equal(e.where,
                        "/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0");
    assert_int_equal(json_parse(a, nested(a, "{\"a\":", "1", "}", JSON_DEPTH_MAX), &v, &e), RC_OK);
    assert_int_equal(json_parse(a, nested(a, "{\"a\":", "1", "}", JSON_DEPTH_MAX + 1), &v, &e),
                     RC_LIMIT);
    /* Side by side is not inside each other. */
    assert_int_equal(
        json_parse(a,
                   STR("[[[]],[[]],[[]],[[]],[[]],[[]],[[]],[[]],[[]],[[]],[[]],[[]],[[]],[[]]]"),
                   &v, &e),
        RC_OK);
}

/* An object of count members "n<i>"; the last one repeats name number twice when it is >= 0. */
static void put_object(struct buf *text, int count, int twice)
{
    buf_char(text, '{');
    for (int i = 0; i < count; i++) {
        /* Neither in order nor with short equal prefixes only. */
        int number = i == count - 1 && twice >= 0 ? twice : (int)(i * 40503LL % 65537);
        buf_printf(text, "%s\"n%d\":%d", i > 0 ? "," : "", number, i);
    }
    buf_char(text, '}');
}

static void members_are_limited_and_differ(void **state)
{
    (void)state;
    static const int counts[] = {2, 23, 24, 25, 26, 100, 5000, JSON_MEMBERS_MAX};
    __attribute__((cleanup(buf_cleanup))) struct buf text;
    buf_init(&text, 8 << 20);
    CLEANUP(arena) struct arena *a = arena_new(64 << 20);
    struct value v;
    struct err e;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        arena_reset(a);
        buf_reset(&text);
        put_object(&text, counts[i], -1);
        assert_int_equal(json_parse(a, buf_view(&text), &v, &e), RC_OK);
        assert_int_equal(v.count, counts[i]);
        assert_int_equal(v.members[counts[i] - 1].value.integer, counts[i] - 1);
        arena_reset(a);
        buf_reset(&text);
        put_object(&text, counts[i], 0);
        assert_int_equal(json_parse(a, buf_view(&text), &v, &e), RC_INVALID);
        assert_string_equal(e.where, "/n0");
    }
    arena_reset(a);
    buf_reset(&text);
    put_object(&text, JSON_MEMBERS_MAX + 1, -1);
    assert_int_equal(json_parse(a, buf_view(&text), &v, &e), RC_LIMIT);
    assert_string_equal(e.text, "more than 65536 members");
}

static const char document[] = "{\"agent\":\"deploy-bot\",\"n\":[1,-2.5e3,0.1,true,false,null,{}],"
                               "\"t\":\"a\\u00e9\\n\xe2\x82\xac\\ud83d\\ude00\","
                               "\"deep\":{\"z\":{\"y\":[[[\"x\"]]]},\"a\":12345678901234567},"
                               "\"long\":\"0123456789012345678901234567890\"}";

static void every_prefix_fails_cleanly(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(1 << 20);
    struct value v;
    struct err e;
    size_t whole = sizeof document - 1;
    assert_int_equal(parse_exact(a, (struct str){document, whole}, &v, &e), RC_OK);
    for (size_t len = 0; len < whole; len++) {
        arena_reset(a);
        assert_int_equal(parse_exact(a, (struct str){document, len}, &v, &e), RC_INVALID);
        assert_true(e.text[0] != '\0');
        assert_int_equal(arena_rc(a), RC_OK);
    }
}

/* A document that needs every kind of memory: escapes, growth of the pending members, sorting. */
static void put_hungry(struct buf *text)
{
    buf_str(text, STR("{\"e\":\"\\u0041\\u0042\",\"list\":["));
    for (int i = 0; i < 120; i++) {
        buf_printf(text, "%s%d", i > 0 ? "," : "", i);
    }
    buf_str(text, STR("],\"object\":"));
    put_object(text, 60, -1);
    buf_str(text, STR(",\"number\":")); /* longer than what is copied to the stack */
    for (int i = 0; i < 200; i++) {
        buf_char(text, '9');
    }
    buf_str(text, STR(".5e-190}"));
}

static void every_cap_is_survived(void **state)
{
    (void)state;
    __attribute__((cleanup(buf_cleanup))) struct buf text;
    buf_init(&text, 1 << 20);
    put_hungry(&text);
    int failed = 0;
    bool whole = false;
    for (size_t cap = 0; cap < 80000; cap += 16) {
        CLEANUP(arena) struct arena *a = arena_new(cap);
        struct value v;
        struct err e = {0};
        enum rc rc = json_parse(a, buf_view(&text), &v, &e);
        whole = rc == RC_OK;
        if (!whole) {
            assert_int_equal(rc, RC_LIMIT);
            assert_string_equal(e.text, "takes more memory than its maximum");
            failed++;
        }
    }
    assert_true(whole);
    assert_true(failed > 100);
}

static void writers_report_what_failed(void **state)
{
    (void)state;
    __attribute__((cleanup(buf_cleanup))) struct buf text;
    buf_init(&text, 1 << 20);
    put_object(&text, 60, -1);
    CLEANUP(arena) struct arena *a = arena_new(1 << 20);
    struct value v;
    assert_int_equal(json_parse(a, buf_view(&text), &v, NULL), RC_OK);
    for (size_t max = 0; max <= text.len; max++) {
        __attribute__((cleanup(buf_cleanup))) struct buf out;
        buf_init(&out, max);
        json_write_canonical(&out, &v, a);
        assert_int_equal(out.rc, max < text.len ? RC_LIMIT : RC_OK);
        assert_true(out.len <= max);
    }
    CLEANUP(arena) struct arena *none = arena_new(8);
    __attribute__((cleanup(buf_cleanup))) struct buf out;
    buf_init(&out, 1 << 20);
    json_write_canonical(&out, &v, none);
    assert_int_equal(out.rc, RC_LIMIT);
}

/* RFC 8785 section 3.2.3. */
static void keys_sort_by_utf16(void **state)
{
    (void)state;
    static const char text[] = "{\"\\u20ac\":\"Euro Sign\",\"\\r\":\"Carriage "
                               "Return\",\"\\ufb33\":\"Hebrew Letter Dalet With "
                               "Dagesh\",\"1\":\"One\",\"\\ud83d\\ude00\":\"Emoji: Grinning "
                               "Face\",\"\\u0080\":\"Control\","
                               "\"\\u00f6\":\"Latin Small Letter O With Diaeresis\"}";
    check_canonical(
        text, strlen(text),
        "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\xc2\x80\":\"Control\",\"\xc3\xb6\":\"Latin "
        "Small Letter O "
        "With Diaeresis\",\"\xe2\x82\xac\":\"Euro Sign\",\"\xf0\x9f\x98\x80\":\"Emoji: Grinning "
        "Face\",\"\xef\xac\xb3\":\"Hebrew Letter Dalet With Dagesh\"}");
    /* Surrogates sort below U+E000 to U+FFFF and above U+D7FF; among themselves by code point. */
    static const char order[] = "{\"\\uffff\":6,\"\\ue000\":5,\"\\udbff\\udfff\":4,"
                                "\"\\ud800\\udc00\":3,\"\\ud7ff\":2,\"a\":1}";
    check_canonical(order, strlen(order),
                    "{\"a\":1,\"\xed\x9f\xbf\":2,\"\xf0\x90\x80\x80\":3,\"\xf4\x8f\xbf\xbf\":4,"
                    "\"\xee\x80\x80\":5,"
                    "\"\xef\xbf\xbf\":6}");
}

/* RFC 8785 section 3.2.2 and appendix B. */
static void doubles_print_as_in_the_rfc(void **state)
{
    (void)state;
    static const struct {
        uint64_t bits;
        const char *text;
    } cases[] = {
        {0x0000000000000000, "0"},
        {0x8000000000000000, "0"},
        {0x0000000000000001, "5e-324"},
        {0x8000000000000001, "-5e-324"},
        {0x7fefffffffffffff, "1.7976931348623157e+308"},
        {0xffefffffffffffff, "-1.7976931348623157e+308"},
        {0x4340000000000000, "9007199254740992"},
        {0xc340000000000000, "-9007199254740992"},
        {0x4430000000000000, "295147905179352830000"},
        {0x44b52d02c7e14af5, "9.999999999999997e+22"},
        {0x44b52d02c7e14af6, "1e+23"},
        {0x44b52d02c7e14af7, "1.0000000000000001e+23"},
        {0x444b1ae4d6e2ef4e, "999999999999999700000"},
        {0x444b1ae4d6e2ef4f, "999999999999999900000"},
        {0x444b1ae4d6e2ef50, "1e+21"},
        {0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"},
        {0x3eb0c6f7a0b5ed8d, "0.000001"},
        {0x41b3de4355555553, "333333333.3333332"},
        {0x41b3de4355555554, "333333333.33333325"},
        {0x41b3de4355555555, "333333333.3333333"},
        {0x41b3de4355555556, "333333333.3333334"},
        {0x41b3de4355555557, "333333333.33333343"},
        {0xbecbf647612f3696, "-0.0000033333333333333333"},
        {0x43143ff3c1cb0959, "1424953923781206.2"},
        {0x3d30000000000000, "5.684341886080802e-14"}, /* 2^-44: the nearest 16 digits miss it */
        {0x0010000000000000, "2.2250738585072014e-308"},
        {0x000fffffffffffff, "2.225073858507201e-308"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double n;
        memcpy(&n, &cases[i].bits, sizeof n);
        __attribute__((cleanup(buf_cleanup))) struct buf out;
        buf_init(&out, 64);
        json_write_double(&out, n);
        assert_str(buf_view(&out), cases[i].text);
    }
    static const char text[] =
        "{\"numbers\":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"
        "\"string\":\"\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\\"\\/\","
        "\"literals\":[null,true,false]}";
    check_canonical(
        text, strlen(text),
        "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],"
        "\"string\":\"\xe2\x82\xac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}");
}

/* Every double that the reader takes keeps its value on the way through canonical text. */
static void doubles_survive(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(1 << 16);
    uint64_t seed = 88172645463325252ULL;
    int wrong = 0;
    for (int i = 0; i < 20000; i++) {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        uint64_t bits = i % 2 == 0 ? seed : (seed & 0x801fffffffffffffULL) | 0x3fe0000000000000ULL;
        double n;
        memcpy(&n, &bits, sizeof n);
        if ((bits >> 52 & 0x7ff) == 0x7ff ||
            ((n >= 0x1p53 || n <= -0x1p53) && n < 1e21 && n > -1e21)) {
            continue;
        }
        __attribute__((cleanup(buf_cleanup))) struct buf out;
        buf_init(&out, 64);
        json_write_double(&out, n);
        struct value v;
        double back;
        arena_reset(a);
        wrong += json_parse(a, buf_view(&out), &v, NULL) != RC_OK || !value_number(&v, &back) ||
                 back != n;
    }
    assert_int_equal(wrong, 0);
}

static void colliding_pairs_do_not_collide(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"9007199254740993", "9007199254740992"},
        {"9223372036854775807", "9223372036854775806"},
        {"-9007199254740993", "-9007199254740992"},
        {"1", "\"1\""},
        {"null", "\"null\""},
        {"[]", "{}"},
        {"[[1],2]", "[1,[2]]"},
        {"{\"a\":\"b\"}", "{\"a\":{\"b\":null}}"},
        {"\"\\u00e9\"", "\"e\\u0301\""}, /* no Unicode normalization */
        {"{\"a\":null}", "{}"},
        {"0.1", "0.10000000000000002"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        CLEANUP(arena) struct arena *a = arena_new(1 << 16);
        struct buf out[2];
        for (int k = 0; k < 2; k++) {
            struct value v;
            assert_int_equal(json_parse(a, str_from(pairs[i][k]), &v, NULL), RC_OK);
            buf_init(&out[k], 1 << 10);
            json_write_canonical(&out[k], &v, a);
        }
        assert_false(str_eq(buf_view(&out[0]), buf_view(&out[1])));
        buf_done(&out[0]);
        buf_done(&out[1]);
    }
}

static void other_forms(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(1 << 16);
    struct value v;
    assert_int_equal(json_parse(a, STR("{\"b\":[1,{\"c\":\"x\"},[],{}],\"a\":1.50}"), &v, NULL),
                     RC_OK);
    __attribute__((cleanup(buf_cleanup))) struct buf out;
    buf_init(&out, 1 << 10);
    json_write(&out, &v);
    assert_str(buf_view(&out), "{\"b\":[1,{\"c\":\"x\"},[],{}],\"a\":1.5}");
    buf_reset(&out);
    json_write_pretty(&out, &v);
    assert_str(buf_view(&out), "{\n  \"b\": [\n    1,\n    {\n      \"c\": \"x\"\n    },\n    "
                               "[],\n    {}\n  ],\n  \"a\": 1.5\n}");
    buf_reset(&out);
    json_write_string(&out, STR("0123456\"\x01\xc3\xa9 0123456789"));
    assert_str(buf_view(&out), "\"0123456\\\"\\u0001\xc3\xa9 0123456789\"");
    buf_reset(&out);
    json_write_string(&out, (struct str){NULL, 0});
    assert_str(buf_view(&out), "\"\"");
}

static const struct str name_x[] = {{"x", 1}};
static const struct json_unread without_x = {name_x, 1, {"", 0}, NULL, 0};

/* What is passed over is not looked at, wherever it stands, and only there. */
static void one_member_is_passed_over(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"{\"a\":1,\"x\":[1,{\"x\":\"]}\\\"\"},[]],\"b\":2}", "{\"a\":1,\"b\":2}"},
        {"{\"x\":{\"a\":1}}", "{}"},
        {"{\"x\":\"long enough for eight at a time, and , } ] \\\\\",\"b\":null}", "{\"b\":null}"},
        {"{\"x\":-1.5e3,\"b\":{\"x\":3}}", "{\"b\":{\"x\":3}}"},
        {"{\"a\":[{\"x\":1}]}", "{\"a\":[{\"x\":1}]}"},
        {"[{\"x\":1}]", "[{\"x\":1}]"},
        {"{\"a\":1,\"x\":true}", "{\"a\":1}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CLEANUP(arena) struct arena *a = arena_new(1 << 16);
        struct value v;
        struct buf out;
        buf_init(&out, 4096);
        assert_int_equal(json_parse_without(a, str_from(cases[i][0]), &without_x, &v, NULL), RC_OK);
        json_write(&out, &v);
        assert_str(buf_view(&out), cases[i][1]);
        buf_done(&out);
    }
    static const char *const broken[] = {"{\"x\":[1", "{\"x\":\"", "{\"x\":\"\\", "{\"a\":1,\"x\":{}", "{\"x\":1]", "{\"x\"", "{\"x\":1}}"};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        CLEANUP(arena) struct arena *a = arena_new(1 << 16);
        struct value v;
        struct err e;
        assert_int_equal(json_parse_without(a, str_from(broken[i]), &without_x, &v, &e), RC_INVALID);
    }
}

static void members_of_a_member_are_passed_over(void **state)
{
    (void)state;
    static const struct str outer[] = {{"x", 1}, {"long", 4}};
    static const struct str inner[] = {{"in", 2}, {"x", 1}};
    static const struct json_unread unread = {outer, 2, {"of", 2}, inner, 2};
    static const char *const cases[][2] = {
        {"{\"of\":{\"in\":[1],\"a\":2,\"x\":{}},\"long\":[],\"x\":7}", "{\"of\":{\"a\":2}}"},
        /* Neither deeper, nor elsewhere, nor what is named in it further out. */
        {"{\"of\":{\"a\":{\"in\":1}},\"no\":{\"in\":1,\"x\":2},\"in\":3}",
         "{\"of\":{\"a\":{\"in\":1}},\"no\":{\"in\":1,\"x\":2},\"in\":3}"},
        {"{\"of\":[{\"in\":1}],\"to\":{\"long\":1}}", "{\"of\":[{\"in\":1}],\"to\":{\"long\":1}}"},
        /* Of the same length and beginning. */
        {"{\"lung\":1,\"long\":2,\"y\":3}", "{\"lung\":1,\"y\":3}"},
        {"[[{\"of\":{\"in\":1}}]]", "[[{\"of\":{\"in\":1}}]]"},
        {"{ \"of\" : { \"in\" : [ 1 ] , \"b\" : 1 } }", "{\"of\":{\"b\":1}}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CLEANUP(arena) struct arena *a = arena_new(1 << 16);
        struct value v;
        struct buf out;
        buf_init(&out, 4096);
        assert_int_equal(json_parse_without(a, str_from(cases[i][0]), &unread, &v, NULL), RC_OK);
        json_write(&out, &v);
        assert_str(buf_view(&out), cases[i][1]);
        buf_done(&out);
    }
}

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525U + 1013904223U;
    return *seed >> 16;
}

/* A string of what is worst for who only counts brackets and quotes. */
static void put_string(struct buf *out, uint32_t *seed)
{
    static const char *const pieces[] = {"a", "bcdefghijklmnop", "[", "]", "{", "}", ",", ":", "\\\"", "\\\\", "\303\244", " "};
    /* Mostly without a backslash, so that blocks are passed as such. */
    size_t kinds = next_random(seed) % 16 == 0 ? sizeof pieces / sizeof *pieces : 8;
    buf_str(out, STR("\""));
    for (uint32_t i = next_random(seed) % 12; i > 0; i--) {
        buf_str(out, str_from(pieces[next_random(seed) % kinds]));
    }
    buf_str(out, STR("\""));
}

static void put_random(struct buf *out, uint32_t *seed, int depth)
{
    uint32_t kind = next_random(seed) % (depth > 0 ? 6 : 3);
    if (kind < 2) {
        put_string(out, seed);
        return;
    }
    if (kind == 2) {
        buf_str(out, STR("-12.5e3"));
        return;
    }
    bool array = kind < 5;
    buf_str(out, array ? STR("[") : STR("{"));
    for (uint32_t i = next_random(seed) % 6; i > 0; i--) {
        if (!array) {
            put_string(out, seed);
            buf_str(out, STR(":"));
        }
        put_random(out, seed, depth - 1);
        buf_str(out, i > 1 ? STR(",") : STR(""));
    }
    buf_str(out, array ? STR("]") : STR("}"));
}

/* Whatever it is, and wherever blocks of it begin, what stands behind it is read. */
static void anything_is_passed_over(void **state)
{
    (void)state;
    uint32_t seed = 7;
    for (unsigned i = 0; i < 4000; i++) {
        CLEANUP(arena) struct arena *a = arena_new(1 << 20);
        CLEANUP(buf) struct buf text;
        struct value v;
        buf_init(&text, 1 << 20);
        buf_str(&text, STR("{\"a\":1,\"x\":"));
        put_random(&text, &seed, 5);
        buf_str(&text, STR(",\"b\":\"]}\",\"c\":[[\"is long enough for another block of bytes behind\"],[]]}"));
        assert_int_equal(text.rc, RC_OK);
        assert_int_equal(json_parse_without(a, buf_view(&text), &without_x, &v, NULL), RC_OK);
        assert_int_equal(v.count, 3);
        assert_str(value_text(value_get(&v, STR("b"))), "]}");
        assert_int_equal(value_get(&v, STR("c"))->count, 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_member_is_passed_over),
        cmocka_unit_test(members_of_a_member_are_passed_over),
        cmocka_unit_test(anything_is_passed_over),
        cmocka_unit_test(accepted),
        cmocka_unit_test(refused),
        cmocka_unit_test(nul_is_a_byte_like_others),
        cmocka_unit_test(strings_without_escapes_are_borrowed),
        cmocka_unit_test(depth_is_limited),
        cmocka_unit_test(members_are_limited_and_differ),
        cmocka_unit_test(every_prefix_fails_cleanly),
        cmocka_unit_test(every_cap_is_survived),
        cmocka_unit_test(writers_report_what_failed),
        cmocka_unit_test(keys_sort_by_utf16),
        cmocka_unit_test(doubles_print_as_in_the_rfc),
        cmocka_unit_test(doubles_survive),
        cmocka_unit_test(colliding_pairs_do_not_collide),
        cmocka_unit_test(other_forms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
