/* base: strings, arenas, buffers, text encodings, instants, maps. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/encode.h"
#include "base/instant.h"
#include "base/map.h"

#include "check.h"

static void numbers_are_exact(void **state)
{
    (void)state;
    int64_t n;
    assert_true(str_to_i64(STR("-9223372036854775808"), &n) && n == INT64_MIN);
    assert_true(str_to_i64(STR("9223372036854775807"), &n) && n == INT64_MAX);
    static const char *const bad[] = {"", "-", "+1", " 1", "1 ", "9223372036854775808", "-9223372036854775809", "0x1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(str_to_i64(str_from(bad[i]), &n));
    }
    double d;
    assert_true(str_to_double(STR("-0.5e1"), &d) && d == -5.0);
    assert_false(str_to_double(STR("nan"), &d));
    assert_false(str_to_double(STR("1e999"), &d));
}

/* Of every length: alike, and apart in each single byte. */
static void each_byte_counts(void **state)
{
    (void)state;
    for (size_t len = 0; len <= 40; len++) {
        char a[40];
        char b[40];
        memset(a, 'x', sizeof a);
        memset(b, 'x', sizeof b);
        assert_true(str_eq((struct str){a, len}, (struct str){b, len}));
        assert_false(str_eq((struct str){a, len}, (struct str){b, len + 1}));
        for (size_t i = 0; i < len; i++) {
            b[i] = 'y';
            assert_false(str_eq((struct str){a, len}, (struct str){b, len}));
            b[i] = 'x';
        }
    }
    assert_true(str_eq((struct str){NULL, 0}, STR("")));
}

static void globs(void **state)
{
    (void)state;
    assert_true(str_glob(STR("*"), STR("")));
    assert_true(str_glob(STR("deploy-*"), STR("deploy-bot")));
    assert_true(str_glob(STR("a*b*c"), STR("aXXbYYbc")));
    assert_true(str_glob(STR("?x"), STR("ax")));
    assert_false(str_glob(STR("deploy-*"), STR("deploy")));
    assert_false(str_glob(STR(""), STR("a")));
}

static void names(void **state)
{
    (void)state;
    char longest[130];
    memset(longest, 'a', sizeof longest);
    assert_true(str_is_name((struct str){longest, 128}));
    assert_false(str_is_name((struct str){longest, 129}));
    assert_true(str_is_name(STR("user/alice.b_c-1")));
    assert_false(str_is_name(STR("-a")));
    assert_false(str_is_name(STR("Alice")));
    assert_false(str_is_name(STR("")));
}

static void splits(void **state)
{
    (void)state;
    struct str rest = STR("a,,b");
    struct str part;
    assert_true(str_next(&rest, ',', &part));
    assert_str(part, "a");
    assert_true(str_next(&rest, ',', &part));
    assert_str(part, "");
    assert_true(str_next(&rest, ',', &part));
    assert_str(part, "b");
    assert_false(str_next(&rest, ',', &part));
}

static void arena_stops_at_its_cap(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(1000);
    assert_non_null(arena_alloc(a, 900));
    assert_null(arena_alloc(a, 200));
    assert_int_equal(arena_rc(a), RC_LIMIT);
    assert_null(arena_alloc(a, 1)); /* sticky */
    arena_reset(a);
    assert_int_equal(arena_rc(a), RC_OK);
    assert_non_null(arena_alloc(a, 900));
    assert_null(arena_array(a, SIZE_MAX / 2, 8));
    assert_null(arena_copy(a, "ab", 2));
    assert_int_equal(arena_rc(a), RC_LIMIT);
}

static void arena_grows_by_chunks(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(64 << 20);
    for (int i = 0; i < 10000; i++) {
        struct str s = arena_printf(a, "number %d", i);
        assert_true(str_starts(s, STR("number ")));
    }
    assert_memory_equal(arena_copy(a, "abc", 3), "abc", 3);
    char *big = arena_alloc(a, 3 << 20);
    assert_non_null(big);
    assert_int_equal(big[(3 << 20) - 1], 0);
}

static void buf_stops_at_its_max(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 10);
    buf_str(&b, STR("0123456789"));
    assert_int_equal(b.rc, RC_OK);
    buf_char(&b, 'x');
    assert_int_equal(b.rc, RC_LIMIT);
    assert_int_equal(b.len, 10);
    buf_reset(&b);
    buf_i64(&b, -1234567);
    assert_str(buf_view(&b), "-1234567");
    buf_done(&b);
    buf_init(&b, 64);
    buf_i64(&b, INT64_MIN);
    assert_str(buf_view(&b), "-9223372036854775808");
    buf_done(&b);
}

static void encodings(void **state)
{
    (void)state;
    static const struct {
        const char *plain, *base64, *url;
    } rows[] = {{"", "", ""},          {"f", "Zg==", "Zg"},         {"fo", "Zm8=", "Zm8"},
                {"foo", "Zm9v", "Zm9v"}, {"\xfb\xff", "+/8=", "-_8"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf b;
        buf_init(&b, 64);
        buf_base64(&b, (const uint8_t *)rows[i].plain, strlen(rows[i].plain));
        assert_str(buf_view(&b), rows[i].base64);
        buf_reset(&b);
        buf_base64url(&b, (const uint8_t *)rows[i].plain, strlen(rows[i].plain));
        assert_str(buf_view(&b), rows[i].url);
        uint8_t out[8];
        size_t len;
        assert_true(base64_decode(str_from(rows[i].base64), out, sizeof out, &len));
        assert_int_equal(len, strlen(rows[i].plain));
        assert_memory_equal(out, rows[i].plain, len);
        assert_true(base64url_decode(str_from(rows[i].url), out, sizeof out, &len));
        assert_memory_equal(out, rows[i].plain, len);
        buf_done(&b);
    }
    uint8_t out[8];
    size_t len;
    static const char *const bad[] = {"Zg", "Zg=", "Zh==", "Zm9=", "Z===", "====", "Zm9v=", "Z_9v", "Zg==Zg=="};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(base64_decode(str_from(bad[i]), out, sizeof out, &len));
    }
    assert_false(base64_decode(STR("Zm9vZm9vZm9v"), out, sizeof out, &len)); /* nine bytes, room for eight */
    assert_true(hex_decode(STR("00fFa1"), out, 3));
    assert_memory_equal(out, "\x00\xff\xa1", 3);
    assert_false(hex_decode(STR("0g"), out, 1));
    assert_false(hex_decode(STR("000"), out, 1));
    static const char digits[] = "0123456789abcdefABCDEF";
    for (unsigned c = 0; c < 256; c++) {
        const char pair[2] = {(char)c, '0'};
        const char *digit = c != 0 ? strchr(digits, (int)c) : NULL;
        assert_int_equal(hex_decode((struct str){pair, 2}, out, 1), digit != NULL);
        unsigned value = digit == NULL ? 0 : (unsigned)(digit - digits);
        assert_true(digit == NULL || out[0] >> 4 == (value < 16 ? value : value - 6));
    }
}

static void instants(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {{"1970-01-01T00:00:00.000Z", 0},
                {"2026-11-21T10:00:00.123Z", 1795255200123},
                {"2000-02-29T23:59:59.999Z", 951868799999},
                {"0001-01-01T00:00:00.000Z", -62135596800000},
                {"9999-12-31T23:59:59.999Z", 253402300799999}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[INSTANT_TEXT_LEN];
        instant_format(rows[i].ms, text);
        assert_memory_equal(text, rows[i].text, INSTANT_TEXT_LEN);
        int64_t ms;
        assert_true(instant_parse(str_from(rows[i].text), &ms));
        assert_int_equal(ms, rows[i].ms);
    }
    int64_t ms;
    assert_true(instant_parse(STR("1970-01-01t01:00:00+01:00"), &ms) && ms == 0);
    assert_true(instant_parse(STR("1970-01-01 00:00:00.5Z"), &ms) && ms == 500);
    static const char *const bad[] = {"2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-01T24:00:00Z",
                                      "2026-01-01T00:00:00", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00Zx", ""};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(instant_parse(str_from(bad[i]), &ms));
    }
    /* Every byte of the form that is written, when it is another one. */
    for (size_t i = 0; i < INSTANT_TEXT_LEN; i++) {
        static const char others[] = {'/', ':', 'x', ' ' - 1, '\0', '\377'};
        for (size_t k = 0; k < sizeof others; k++) {
            char text[] = "2026-11-21T20:38:48.712Z";
            assert_true(instant_parse(str_from(text), &ms) && ms == 1795293528712);
            if (text[i] != others[k]) {
                text[i] = others[k];
                assert_false(instant_parse((struct str){text, INSTANT_TEXT_LEN}, &ms));
            }
        }
    }
}

static void spans(void **state)
{
    (void)state;
    int64_t ms;
    assert_true(span_parse(STR("30s"), &ms) && ms == 30000);
    assert_true(span_parse(STR("500ms"), &ms) && ms == 500);
    assert_true(span_parse(STR("28d"), &ms) && ms == 28LL * DAY_MS);
    assert_true(span_parse(STR("5m"), &ms) && ms == 300000);
    static const char *const bad[] = {"", "5", "s", "-1s", "1.5h", "1y", "999999999999d"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(span_parse(str_from(bad[i]), &ms));
    }
    struct buf b;
    buf_init(&b, 64);
    buf_span(&b, 90000);
    buf_char(&b, ' ');
    buf_span(&b, 2 * HOUR_MS);
    buf_char(&b, ' ');
    buf_span(&b, 0);
    assert_str(buf_view(&b), "90s 2h 0ms");
    buf_done(&b);
}

static void maps_hold_what_was_put(void **state)
{
    (void)state;
    struct strmap m;
    struct idmap ids;
    struct idmap dense;
    strmap_init(&m, 7);
    idmap_init(&dense, 5);
    idmap_init(&ids, 7);
    static char keys[2000][8];
    for (uint32_t i = 0; i < 2000; i++) {
        int len = snprintf(keys[i], sizeof keys[i], "k%u", i);
        assert_int_equal(strmap_put(&m, (struct str){keys[i], (size_t)len}, i), RC_OK);
        assert_int_equal(idmap_put(&ids, i * 256ULL, i), RC_OK);
        assert_int_equal(idmap_put(&dense, i, i), RC_OK);
    }
    for (uint32_t i = 0; i < 2000; i += 2) {
        strmap_remove(&m, str_from(keys[i]));
        idmap_remove(&ids, i * 256ULL);
        idmap_remove(&dense, i);
    }
    for (uint32_t i = 0; i < 2000; i++) {
        uint32_t want = i % 2 == 0 ? (uint32_t)MAP_NONE : i;
        assert_int_equal(strmap_get(&m, str_from(keys[i])), want);
        assert_int_equal(idmap_get(&ids, i * 256ULL), want);
        assert_int_equal(idmap_get(&dense, i), want);
    }
    assert_int_equal(m.count, 1000);
    strmap_done(&m);
    idmap_done(&ids);
    idmap_done(&dense);
}

static void errors_say_where(void **state)
{
    (void)state;
    struct err e;
    assert_int_equal(err_at(&e, RC_INVALID, STR("/objective"), "must be below %d", 100), RC_INVALID);
    err_step(&e, "/slo");
    assert_string_equal(e.where, "/slo/objective");
    assert_int_equal(err_wrap(&e, RC_INVALID, "service %s", "x"), RC_INVALID);
    assert_string_equal(e.text, "service x: must be below 100");
    assert_int_equal(err_set(NULL, RC_LIMIT, "nobody listens"), RC_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_exact),      cmocka_unit_test(globs),
        cmocka_unit_test(each_byte_counts),
        cmocka_unit_test(names),                  cmocka_unit_test(splits),
        cmocka_unit_test(arena_stops_at_its_cap), cmocka_unit_test(arena_grows_by_chunks),
        cmocka_unit_test(buf_stops_at_its_max),   cmocka_unit_test(encodings),
        cmocka_unit_test(instants),               cmocka_unit_test(spans),
        cmocka_unit_test(maps_hold_what_was_put), cmocka_unit_test(errors_say_where),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
