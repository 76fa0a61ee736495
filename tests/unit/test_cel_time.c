/* Moments, spans and time zones. */
#include "cel_case.h"

#include "base/buf.h"

enum { ZONE_BYTES_MAX = 64 << 10 };

static void check(const struct cel_case *cases, size_t count)
{
    CLEANUP(cel_env) struct cel_env *env = cel_env_new();
    struct cel_setting s = {.env = env};
    cel_check_cases(&s, cases, count);
}

#define CHECK(cases) check((cases), sizeof(cases) / sizeof((cases)[0]))

static void test_timestamps(void **state)
{
    (void)state;
    static const struct cel_case cases[] = {
        {"timestamp('2009-02-13T23:31:30Z')", "timestamp(\"2009-02-13T23:31:30Z\")"},
        {"timestamp('2009-02-13T23:31:30.120Z')", "timestamp(\"2009-02-13T23:31:30.12Z\")"},
        {"timestamp('2009-02-13T23:31:30.0000000019Z')",
         "timestamp(\"2009-02-13T23:31:30.000000001Z\")"},
        {"timestamp('2009-02-14T00:31:30+01:00')", "timestamp(\"2009-02-13T23:31:30Z\")"},
        {"timestamp('2009-02-13T14:01:30-09:30')", "timestamp(\"2009-02-13T23:31:30Z\")"},
        {"timestamp('0001-01-01T00:00:00Z')", "timestamp(\"0001-01-01T00:00:00Z\")"},
        {"timestamp('9999-12-31T23:59:59.999999999Z')",
         "timestamp(\"9999-12-31T23:59:59.999999999Z\")"},
        {"timestamp('2000-02-29T00:00:00Z')", "timestamp(\"2000-02-29T00:00:00Z\")"},
        {"['2009-02-13', '2009-02-13T23:31:30', '2009-02-13 23:31:30Z', '2009-02-13t23:31:30z', "
         "'2009-13-01T00:00:00Z', '2009-00-01T00:00:00Z', '2009-01-32T00:00:00Z', "
         "'2009-02-29T00:00:00Z', '2009-01-00T00:00:00Z', '2009-01-01T24:00:00Z', "
         "'2009-01-01T00:60:00Z', '2009-01-01T00:00:60Z', '2009-01-01T00:00:00.Z', "
         "'2009-01-01T00:00:00+0100', '2009-01-01T00:00:00+24:00', '2009-01-01T00:00:00Z ', "
         "'0000-12-31T23:59:59Z', '10000-01-01T00:00:00Z', '0001-01-01T00:00:00+00:01', "
         "'9999-12-31T23:59:59-00:01', '', '20090-1-01T00:00:00Z']"
         ".filter(x, !cel.bind(t, timestamp(x), t == t || true))",
         "[]"},
        {"timestamp('2009-02-29T00:00:00Z')",
         "error: type conversion error: no timestamp reads like that"},
        {"timestamp('9999-12-31T23:59:59-00:01')",
         "error: type conversion error: no timestamp reads like that"},
        {"timestamp(253402300799)", "timestamp(\"9999-12-31T23:59:59Z\")"},
        {"timestamp(253402300800)", "error: timestamp out of range"},
        {"timestamp(-62135596800)", "timestamp(\"0001-01-01T00:00:00Z\")"},
        {"timestamp(-62135596801)", "error: timestamp out of range"},
        {"timestamp(0) + duration('1.5s')", "timestamp(\"1970-01-01T00:00:01.5Z\")"},
        {"duration('-1ns') + timestamp(0)", "timestamp(\"1969-12-31T23:59:59.999999999Z\")"},
        {"timestamp('2000-01-01T00:00:00.9Z') + duration('200ms')",
         "timestamp(\"2000-01-01T00:00:01.1Z\")"},
        {"timestamp('2000-01-01T00:00:00.1Z') - duration('200ms')",
         "timestamp(\"1999-12-31T23:59:59.9Z\")"},
        {"timestamp(0) - duration('-9223372036854775808ns')",
         "timestamp(\"2262-04-11T23:47:16.854775808Z\")"},
        {"timestamp(5) - timestamp('1970-01-01T00:00:02.5Z')", "duration(\"2.5s\")"},
        {"timestamp(253402300799) - timestamp(0)", "error: duration out of range"},
        {"timestamp(253402300799) + duration('1s')", "error: timestamp out of range"},
        {"timestamp(-62135596800) - duration('1ns')", "error: timestamp out of range"},
        {"timestamp('2020-01-01T00:00:00Z') < timestamp('2020-01-01T00:00:00.000000001Z')", "true"},
    };
    CHECK(cases);
}

static void test_durations(void **state)
{
    (void)state;
    static const struct cel_case cases[] = {
        {"duration('1h2m3.5s')", "duration(\"3723.5s\")"},
        {"duration('-1.5h')", "duration(\"-5400s\")"},
        {"duration('+5ms')", "duration(\"0.005s\")"},
        {"duration('1us1ns')", "duration(\"0.000001001s\")"},
        {"duration('1\u00b5s') == duration('1\u03bcs')", "true"},
        {"duration('0') == duration('0s')", "true"},
        {"duration('.5s') + duration('1.s')", "duration(\"1.5s\")"},
        {"duration('0.25000000000000000000h')", "duration(\"900s\")"},
        {"duration('9223372036854775807ns')", "duration(\"9223372036.854775807s\")"},
        {"duration('-9223372036854775808ns')", "duration(\"-9223372036.854775808s\")"},
        {"duration('9223372036854775808ns')",
         "error: type conversion error: no duration reads like that"},
        {"duration('99999999999999999999s')",
         "error: type conversion error: no duration reads like that"},
        {"duration('')", "error: type conversion error: no duration reads like that"},
        {"duration('-')", "error: type conversion error: no duration reads like that"},
        {"duration('5')", "error: type conversion error: no duration reads like that"},
        {"duration('.s')", "error: type conversion error: no duration reads like that"},
        {"duration('1d')", "error: type conversion error: no duration reads like that"},
        {"duration('1 s')", "error: type conversion error: no duration reads like that"},
        {"duration('1s') - duration('3s')", "duration(\"-2s\")"},
        {"duration('9223372036s') + duration('1s')", "error: duration out of range"},
        {"duration('-9223372036s') - duration('1s')", "error: duration out of range"},
        {"[duration('3h25m45.678s').getHours(), duration('3h25m45.678s').getMinutes(), "
         "duration('3h25m45.678s').getSeconds(), duration('3h25m45.678s').getMilliseconds()]",
         "[3, 205, 12345, 678]"},
        {"[duration('-90s').getMinutes(), duration('-1.5s').getMilliseconds()]", "[-1, -500]"},
        {"string(duration('1h'))", "\"3600s\""},
    };
    CHECK(cases);
}

/* A clock with one zone, an hour ahead in the southern summer of 2009. */
static bool zone_south(void *context, struct str name, int64_t seconds, int32_t *ret_offset)
{
    (void)context;
    *ret_offset = seconds > 1230768000 ? 39600 : 36000;
    return str_eq(name, STR("Some/South"));
}

static void test_parts(void **state)
{
    (void)state;
    static const struct cel_case cases[] = {
        {"cel.bind(t, timestamp('2009-02-13T23:31:30.123456789Z'), [t.getFullYear(), t.getMonth(), "
         "t.getDate(), t.getDayOfMonth(), t.getDayOfYear(), t.getDayOfWeek(), t.getHours(), "
         "t.getMinutes(), t.getSeconds(), t.getMilliseconds()])",
         "[2009, 1, 13, 12, 43, 5, 23, 31, 30, 123]"},
        {"cel.bind(t, timestamp('2008-12-31T23:00:00Z'), [t.getDayOfYear(), t.getMonth(), "
         "t.getDayOfWeek()])",
         "[365, 11, 3]"},
        {"cel.bind(t, timestamp('2000-03-01T00:00:00Z'), [t.getDayOfYear(), t.getMonth(), "
         "t.getDayOfMonth()])",
         "[60, 2, 0]"},
        {"cel.bind(t, timestamp('1969-12-31T23:59:59Z'), [t.getFullYear(), t.getDayOfYear(), "
         "t.getDayOfWeek(), t.getSeconds()])",
         "[1969, 364, 3, 59]"},
        {"cel.bind(t, timestamp('0001-01-01T00:00:00Z'), [t.getFullYear(), t.getDayOfWeek(), "
         "t.getDayOfYear()])",
         "[1, 1, 0]"},
        {"cel.bind(t, timestamp('2009-02-13T23:31:30Z'), [t.getHours('UTC'), t.getHours(''), "
         "t.getHours('+01:00'), t.getHours('02:00'), t.getHours('-09:30'), t.getMinutes('-09:30'), "
         "t.getDate('+1:00'), t.getMinutes('-00:30')])",
         "[23, 23, 0, 1, 14, 1, 14, 1]"},
        {"timestamp(0).getHours('Nowhere/None')", "error: unknown time zone"},
        {"timestamp(0).getHours('+24:00')", "error: unknown time zone"},
        {"timestamp(0).getHours('+01:60')", "error: unknown time zone"},
        {"timestamp(0).getHours('+01')", "error: unknown time zone"},
        {"timestamp(0).getHours('+:30')", "error: unknown time zone"},
        {"timestamp(0).getHours('--1:30')", "error: unknown time zone"},
    };
    CHECK(cases);
    CLEANUP(cel_env) struct cel_env *env = cel_env_new();
    struct cel_setting s = {.env = env, .zone = zone_south};
    static const struct cel_case zoned[] = {
        {"timestamp('2009-02-13T23:31:30Z').getHours('Some/South')", "10"},
        {"timestamp('2008-02-13T23:31:30Z').getHours('Some/South')", "9"},
        {"timestamp(0).getHours('Some/North')", "error: unknown time zone"}};
    CEL_CHECK(&s, zoned);
}

static void put_number(struct buf *b, uint64_t n, int bytes)
{
    for (int i = bytes - 1; i >= 0; i--) {
        buf_char(b, (char)(n >> (8 * i)));
    }
}

static void put_header(struct buf *b, uint32_t times, uint32_t types, uint32_t chars)
{
    buf_str(b, STR("TZif2"));
    for (int i = 0; i < 15; i++) {
        buf_char(b, '\0');
    }
    put_number(b, 0, 4);
    put_number(b, 0, 4);
    put_number(b, 0, 4);
    put_number(b, times, 4);
    put_number(b, types, 4);
    put_number(b, chars, 4);
}

/* Central Europe as a TZif file: one transition of old, then a rule. */
static void put_zone(struct buf *b, const char *rule)
{
    put_header(b, 0, 1, 1);
    put_number(b, 0, 6);
    buf_char(b, '\0');
    put_header(b, 2, 3, 1);
    put_number(b, (uint64_t)-2000000000, 8);
    put_number(b, 1000, 8);
    buf_char(b, 1);
    buf_char(b, 2);
    put_number(b, (uint32_t)-600, 4);
    put_number(b, 0, 2);
    put_number(b, 1800, 4);
    put_number(b, 0, 2);
    put_number(b, 3600, 4);
    put_number(b, 0, 2);
    buf_char(b, '\0');
    buf_printf(b, "\n%s\n", rule);
}

static void test_zone_file(void **state)
{
    (void)state;
    static const struct {
        const char *rule;
        int64_t seconds;
        int32_t want;
    } cases[] = {
        {"CET-1CEST,M3.5.0,M10.5.0/3", -2000000001, -600},
        {"CET-1CEST,M3.5.0,M10.5.0/3", -2000000000, 1800},
        {"CET-1CEST,M3.5.0,M10.5.0/3", 999, 1800},
        {"CET-1CEST,M3.5.0,M10.5.0/3", 1711846799, 3600}, /* 2024-03-31T00:59:59Z */
        {"CET-1CEST,M3.5.0,M10.5.0/3", 1711846800, 7200},
        {"CET-1CEST,M3.5.0,M10.5.0/3", 1729990799, 7200}, /* 2024-10-27T00:59:59Z */
        {"CET-1CEST,M3.5.0,M10.5.0/3", 1729990800, 3600},
        {"AEST-10AEDT,M10.1.0,M4.1.0/3", 1704067200, 39600}, /* January in the south */
        {"AEST-10AEDT,M10.1.0,M4.1.0/3", 1719792000, 36000},
        {"<+0545>-5:45", 1704067200, 20700},
        {"EST5", 1704067200, -18000},
        {"AAA-1BBB-3,J60/0,J300/0", 1709247600, 10800}, /* 2024-03-01: J60 knows no leap day */
        {"AAA-1BBB-3,59/0,299/0", 1709161200, 10800},   /* 2024-02-29, day 59 */
        {"AAA-1BBB-3,J60/0,J300/0", 1709161200, 3600},
        {"AAA-1BBB,M3.2.0/-1,M11.1.0", 1709247600, 3600},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf b;
        int32_t got = 0;
        buf_init(&b, ZONE_BYTES_MAX);
        put_zone(&b, cases[i].rule);
        assert_true(cel_zone_offset(buf_view(&b), cases[i].seconds, &got));
        if (got != cases[i].want) {
            print_error("%s at %lld: %d, not %d\n", cases[i].rule, (long long)cases[i].seconds, got,
                        cases[i].want);
        }
        assert_int_equal(got, cases[i].want);
        buf_done(&b);
    }
}

static void test_damaged_zone_file(void **state)
{
    (void)state;
    struct buf b;
    int32_t got = 0;
    buf_init(&b, ZONE_BYTES_MAX);
    put_zone(&b, "CET-1CEST,M3.5.0,M10.5.0/3");
    struct str whole = buf_view(&b);
    /* Every shorter file is read without a byte beyond it, in a block of its own size. */
    for (size_t len = 0; len < whole.len; len++) {
        char *part = malloc(len > 0 ? len : 1);
        memcpy(part, whole.ptr, len);
        bool good = cel_zone_offset((struct str){part, len}, 1704067200, &got);
        assert_true(!good || len + 1 >= whole.len - 27);
        free(part);
    }
    assert_false(cel_zone_offset(str_slice(whole, 0, 100), 0, &got));
    static const char *const rules[] = {"",
                                        "-1",
                                        "CET",
                                        "CET-1CEST",
                                        "CET-1CEST,M3.5.0",
                                        "CET-1CEST,M13.5.0,M10.5.0",
                                        "CET-1CEST,M3.6.0,M10.5.0",
                                        "CET-1CEST,M3.5.7,M10.5.0",
                                        "CET-1CEST,M3.5.0,M10.5.0x",
                                        "<CET-1"};
    for (size_t i = 1; i < sizeof rules / sizeof rules[0]; i++) {
        buf_reset(&b);
        put_zone(&b, rules[i]);
        assert_false(cel_zone_offset(buf_view(&b), 1704067200, &got));
    }
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_timestamps),
        cmocka_unit_test(test_durations),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_zone_file),
        cmocka_unit_test(test_damaged_zone_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
