/* value: builders, readers, equality, copies; the numbers and code points below them. */
#include "value/json.h"
#include "value/number.h"
#include "value/pointer.h"
#include "value/utf8.h"
#include "value/value.h"

#include "check.h"

static struct value parsed(struct arena *a, const char *text)
{
    struct value v;
    struct err e = {0};
    if (json_parse(a, str_from(text), &v, &e) != RC_OK) {
        fail_msg("%s: %s", text, e.text);
    }
    return v;
}

static void builders_keep_order(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(1 << 16);
    struct value o = value_object();
    value_add_str(a, &o, STR("b"), STR("text"));
    value_add_int(a, &o, STR("a"), -7);
    value_add_bool(a, &o, STR("c"), true);
    value_add_instant(a, &o, STR("at"), 0);
    value_add_hex(a, &o, STR("digest"), STR("sha256:"), (const uint8_t *)"\x00\xff", 2);
    struct value list = value_array();
    for (int i = 0; i < 100; i++) {
        value_push(a, &list, value_int(i));
    }
    value_add(a, &o, STR("list"), list);
    assert_int_equal(arena_rc(a), RC_OK);

    assert_int_equal(o.count, 6);
    assert_str(o.members[0].name, "b");
    assert_str(value_text(value_get(&o, STR("at"))), "1970-01-01T00:00:00.000Z");
    assert_str(value_text(value_get(&o, STR("digest"))), "sha256:00ff");
    assert_int_equal(value_integer_or(value_get(&o, STR("a")), 1), -7);
    assert_true(value_bool_or(value_get(&o, STR("c")), false));
    const struct value *items = value_get(&o, STR("list"));
    assert_int_equal(items->count, 100);
    assert_int_equal(items->items[99].integer, 99);
}

static void readers_take_what_is_missing(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(1 << 16);
    struct value v = parsed(a, "{\"slo\":{\"objective\":99.5,\"n\":3},\"s\":\"x\"}");
    double n;
    assert_true(value_number(value_path(&v, "slo", "objective", NULL), &n) && n == 99.5);
    assert_true(value_number(value_path(&v, "slo", "n", NULL), &n) && n == 3);
    assert_false(value_number(value_path(&v, "s", NULL), &n));
    assert_null(value_path(&v, "slo", "nothing", "below", NULL));
    assert_null(value_path(&v, "s", "below", NULL));
    assert_ptr_equal(value_path(&v, NULL), &v);
    assert_null(value_get(NULL, STR("a")));
    assert_false(value_is(NULL, VALUE_NULL));
    assert_str(value_text(NULL), "");
    assert_str(value_text(&v), "");
    assert_int_equal(value_integer_or(NULL, 4), 4);
    assert_int_equal(value_integer_or(value_path(&v, "slo", "objective", NULL), 4), 4);
    assert_true(value_bool_or(NULL, true));
    assert_false(value_number(NULL, &n));
}

/* Two values are the same exactly when their canonical bytes are. */
static void equality_is_that_of_canonical_bytes(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "null",
        "true",
        "false",
        "0",
        "-0.0",
        "1",
        "1.0",
        "1.5",
        "\"\"",
        "\"1\"",
        "[]",
        "[1]",
        "[1.0]",
        "[1,2]",
        "[2,1]",
        "{}",
        "{\"a\":1}",
        "{\"a\":1.0}",
        "{\"a\":1,\"b\":2}",
        "{\"b\":2,\"a\":1}",
        "{\"a\":2,\"b\":1}",
        "{\"a\":null}",
        "{\"b\":null}",
        "9007199254740992",
        "9007199254740993",
        "9007199254740992.0",
        "9007199254740993.0",
        "4611686018427387904",
        "4611686018427387904.0",
        "4611686018427388000",
        "9223372036854775807",
        "9.223372036854774e18",
        "1e21",
        "-1e300",
        "1e-7",
    };
    enum { COUNT = sizeof texts / sizeof *texts };
    CLEANUP(arena) struct arena *a = arena_new(1 << 20);
    struct value values[COUNT];
    struct buf canonical[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        values[i] = parsed(a, texts[i]);
        buf_init(&canonical[i], 1 << 16);
        json_write_canonical(&canonical[i], &values[i], a);
    }
    int same = 0;
    for (size_t i = 0; i < COUNT; i++) {
        for (size_t k = 0; k < COUNT; k++) {
            bool bytes = str_eq(buf_view(&canonical[i]), buf_view(&canonical[k]));
            if (value_eq(&values[i], &values[k]) != bytes) {
                fail_msg("%s and %s", texts[i], texts[k]);
            }
            same += bytes;
        }
    }
    assert_true(same > COUNT + 10);
    for (size_t i = 0; i < COUNT; i++) {
        buf_done(&canonical[i]);
    }
}

static void numbers_compare_exactly(void **state)
{
    (void)state;
    static const struct {
        struct value a;
        struct value b;
        int want;
    } cases[] = {
        {{.type = VALUE_INT, .integer = 1}, {.type = VALUE_INT, .integer = 2}, -1},
        {{.type = VALUE_INT, .integer = 1}, {.type = VALUE_DOUBLE, .number = 1}, 0},
        {{.type = VALUE_INT, .integer = 1}, {.type = VALUE_DOUBLE, .number = 1.5}, -1},
        {{.type = VALUE_INT, .integer = 2}, {.type = VALUE_DOUBLE, .number = 1.5}, 1},
        {{.type = VALUE_INT, .integer = -1}, {.type = VALUE_DOUBLE, .number = -1.5}, 1},
        {{.type = VALUE_INT, .integer = -2}, {.type = VALUE_DOUBLE, .number = -1.5}, -1},
        {{.type = VALUE_INT, .integer = 0}, {.type = VALUE_DOUBLE, .number = -0.5}, 1},
        {{.type = VALUE_INT, .integer = 9007199254740993},
         {.type = VALUE_DOUBLE, .number = 9007199254740992.0},
         1},
        {{.type = VALUE_INT, .integer = INT64_MAX},
         {.type = VALUE_DOUBLE, .number = 9223372036854775808.0},
         -1},
        {{.type = VALUE_INT, .integer = INT64_MIN},
         {.type = VALUE_DOUBLE, .number = -9223372036854775808.0},
         0},
        {{.type = VALUE_INT, .integer = INT64_MIN}, {.type = VALUE_DOUBLE, .number = -1e300}, 1},
        {{.type = VALUE_DOUBLE, .number = 0.5}, {.type = VALUE_DOUBLE, .number = 0.25}, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int got = number_cmp(&cases[i].a, &cases[i].b);
        int back = number_cmp(&cases[i].b, &cases[i].a);
        if ((got > 0) - (got < 0) != cases[i].want || (back > 0) - (back < 0) != -cases[i].want) {
            fail_msg("case %zu: %d %d", i, got, back);
        }
    }
}

static void copies_stand_alone(void **state)
{
    (void)state;
    char text[] = "{\"name\":[\"one\",{\"two\":2.5}],\"empty\":[{},[]]}";
    CLEANUP(arena) struct arena *first = arena_new(1 << 16);
    CLEANUP(arena) struct arena *second = arena_new(1 << 16);
    struct value v = parsed(first, text);
    struct value copy = value_copy(second, &v);
    assert_true(value_eq(&v, &copy));
    memset(text, 'x', sizeof text - 1);
    arena_reset(first);
    assert_str(value_text(&value_get(&copy, STR("name"))->items[0]), "one");
    assert_non_null(value_get(&copy, STR("empty")));
}

/* Whatever the cap, building and copying end with the arena's failure and a value that can be
 * walked. */
static void every_cap_is_survived(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *source = arena_new(1 << 16);
    struct value v =
        parsed(source, "{\"a\":[1,\"two\",{\"b\":{}}],\"c\":\"text\",\"d\":[[],[[1]]]}");
    int failed = 0;
    for (size_t cap = 0; cap < 4096; cap += 8) {
        CLEANUP(arena) struct arena *a = arena_new(cap);
        struct value copy = value_copy(a, &v);
        value_add_hex(a, &copy, STR("e"), STR("p:"), (const uint8_t *)"\1", 1);
        value_add_instant(a, &copy, STR("f"), 0);
        struct buf out;
        buf_init(&out, 1 << 16);
        json_write(&out, &copy);
        assert_int_equal(out.rc, RC_OK);
        buf_done(&out);
        if (arena_rc(a) == RC_OK) {
            assert_int_equal(copy.count, v.count + 2);
        } else {
            assert_int_equal(arena_rc(a), RC_LIMIT);
            failed++;
        }
    }
    assert_true(failed > 20);
    assert_true(failed < 500);
}

static void utf8_is_strict(void **state)
{
    (void)state;
    static const char *const good[] = {"",
                                       "a",
                                       "\x7f",
                                       "\xc2\x80",
                                       "\xdf\xbf",
                                       "\xe0\xa0\x80",
                                       "\xed\x9f\xbf",
                                       "\xee\x80\x80",
                                       "\xef\xbf\xbf",
                                       "\xf0\x90\x80\x80",
                                       "\xf4\x8f\xbf\xbf"};
    static const char *const bad[] = {"\x80",
                                      "\xbf",
                                      "\xc0\x80",
                                      "\xc1\xbf",
                                      "\xc2",
                                      "\xc2\x41",
                                      "\xe0\x9f\xbf",
                                      "\xed\xa0\x80",
                                      "\xed\xbf\xbf",
                                      "\xe2\x82",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xff",
                                      "\xf0\x90\x80"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(utf8_valid(str_from(good[i])));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(utf8_valid(str_from(bad[i])));
    }
    for (uint32_t point = 0; point <= 0x10ffff; point += point < 0x1000 ? 1 : 97) {
        if (point >= 0xd800 && point <= 0xdfff) {
            continue;
        }
        char bytes[UTF8_MAX];
        size_t len = utf8_encode(point, bytes);
        uint32_t back = 0;
        assert_int_equal(utf8_decode(bytes, bytes + len, &back), len);
        assert_int_equal(back, point);
        assert_int_equal(utf8_count((struct str){bytes, len}), 1);
    }
    assert_str(utf8_clip(STR("a\xe2\x82\xac"), 3), "a");
    assert_str(utf8_clip(STR("a\xe2\x82\xac"), 4), "a\xe2\x82\xac");
}

static void places_stay_valid(void **state)
{
    (void)state;
    struct err e;
    assert_int_equal(err_set(&e, RC_INVALID, "x"), RC_INVALID);
    pointer_item(&e, 3);
    pointer_member(&e, STR("a/b~c"));
    assert_string_equal(e.where, "/a~1b~0c/3");
    pointer_member(NULL, STR("x"));
    /* Beyond ERR_WHERE_MAX the end is cut, never inside a code point. */
    for (int i = 0; i < 40; i++) {
        pointer_member(&e, STR("\xe2\x82\xac\xe2\x82\xac"));
        assert_true(utf8_valid(str_from(e.where)));
    }
    assert_true(strlen(e.where) > ERR_WHERE_MAX - 8);
    char longest[200];
    memset(longest, '/', sizeof longest);
    err_set(&e, RC_INVALID, "x");
    pointer_member(&e, (struct str){longest, sizeof longest});
    assert_int_equal(strlen(e.where), 1 + 2 * POINTER_STEP_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(builders_keep_order),
        cmocka_unit_test(readers_take_what_is_missing),
        cmocka_unit_test(equality_is_that_of_canonical_bytes),
        cmocka_unit_test(numbers_compare_exactly),
        cmocka_unit_test(copies_stand_alone),
        cmocka_unit_test(every_cap_is_survived),
        cmocka_unit_test(utf8_is_strict),
        cmocka_unit_test(places_stay_valid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
