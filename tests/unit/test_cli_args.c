/*
 * cli/args, cli/percent, cli/csv: words to options, percentages to ppm, texts to cells.
 */
#include "check.h"

#include "cli/args.h"
#include "cli/csv.h"
#include "cli/percent.h"

static const struct option options[] = {
    {"all", 'a', OPTION_FLAG, NULL, ""},
    {"name", 'n', OPTION_TEXT, "N", ""},
    {"role", 0, OPTION_TEXTS, "R", ""},
};

enum { OPTIONS = sizeof options / sizeof *options, WORDS_MAX = 16 };

static enum rc parse(const char *line, struct args *ret, struct err *e)
{
    static char text[256];
    char *words[WORDS_MAX];
    int count = 0;
    snprintf(text, sizeof text, "%s", line);
    for (char *word = strtok(text, " "); word != NULL; word = strtok(NULL, " ")) {
        words[count++] = word;
    }
    return args_parse(count, words, options, OPTIONS, ret, e);
}

static void test_good(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        bool all;
        const char *name;
        const char *roles; /* with commas */
        const char *rest;
        size_t before;
        bool ended;
    } cases[] = {
        {"", false, NULL, "", "", 0, false},
        {"--all", true, NULL, "", "", 0, false},
        {"-a x", true, NULL, "", "x,", 1, false},
        {"--name v", false, "v", "", "", 0, false},
        {"--name=v", false, "v", "", "", 0, false},
        {"--name=", false, "", "", "", 0, false},
        {"--name=a=b", false, "a=b", "", "", 0, false},
        {"--name --all", false, "--all", "", "", 0, false},
        {"-n v", false, "v", "", "", 0, false},
        {"--role a --role=b", false, NULL, "a,b,", "", 0, false},
        {"x --all y", true, NULL, "", "x,y,", 2, false},
        {"-- --all y", false, NULL, "", "--all,y,", 0, true},
        {"x -- y", false, NULL, "", "x,y,", 1, true},
        {"-- --", false, NULL, "", "--,", 0, true},
        {"-", false, NULL, "", "-,", 1, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct args a;
        struct err e;
        char roles[64] = "";
        char rest[64] = "";
        assert_int_equal(parse(cases[i].line, &a, &e), RC_OK);
        assert_int_equal(args_flag(&a, "all"), cases[i].all);
        if (cases[i].name == NULL) {
            assert_null(args_text(&a, "name"));
        } else {
            assert_string_equal(args_text(&a, "name"), cases[i].name);
        }
        for (size_t k = 0; args_nth(&a, "role", k) != NULL; k++) {
            strcat(strcat(roles, args_nth(&a, "role", k)), ",");
        }
        for (size_t k = 0; k < a.rest_count; k++) {
            strcat(strcat(rest, a.rest[k]), ",");
        }
        assert_string_equal(roles, cases[i].roles);
        assert_string_equal(rest, cases[i].rest);
        assert_null(a.rest[a.rest_count]);
        assert_int_equal(a.rest_before, cases[i].before);
        assert_int_equal(a.ended, cases[i].ended);
    }
}

static void test_bad(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        const char *text;
    } cases[] = {
        {"--bogus", "unknown option --bogus"},       {"--bogus=secret", "unknown option --bogus"},
        {"-x", "unknown option -x"},                 {"-ab", "unknown option -ab"},
        {"--al", "unknown option --al"},             {"--", NULL},
        {"--all=yes", "option --all takes no value"}, {"--name", "option --name needs a value: N"},
        {"--all --all", "option --all is given twice"},
        {"--name a --name b", "option --name is given twice"},
        {"--=x", "unknown option --"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct args a;
        struct err e;
        enum rc rc = parse(cases[i].line, &a, &e);
        assert_int_equal(rc, cases[i].text == NULL ? RC_OK : RC_INVALID);
        if (cases[i].text != NULL) {
            assert_string_equal(e.text, cases[i].text);
        }
    }
}

static void test_limits(void **state)
{
    (void)state;
    static char *words[ARGS_REST_MAX + 1];
    struct args a;
    struct err e;
    for (size_t i = 0; i <= ARGS_REST_MAX; i++) {
        words[i] = (char *)(uintptr_t)"x";
    }
    assert_int_equal(args_parse(ARGS_REST_MAX, words, options, OPTIONS, &a, &e), RC_OK);
    assert_int_equal(args_parse(ARGS_REST_MAX + 1, words, options, OPTIONS, &a, &e), RC_LIMIT);
    assert_string_equal(e.text, "more than 1024 words");
    for (size_t i = 0; i <= ARGS_VALUES_MAX; i++) {
        words[i] = (char *)(uintptr_t)"--role=r";
    }
    assert_int_equal(args_parse(ARGS_VALUES_MAX, words, options, OPTIONS, &a, &e), RC_OK);
    assert_int_equal(args_parse(ARGS_VALUES_MAX + 1, words, options, OPTIONS, &a, &e), RC_LIMIT);
}

static void test_number_and_words(void **state)
{
    (void)state;
    struct args a;
    struct err e;
    int64_t n = 7;
    assert_int_equal(parse("x", &a, &e), RC_OK);
    assert_int_equal(args_number(&a, "name", 0, 9, &n, &e), RC_OK);
    assert_int_equal(n, 7);
    static const struct {
        const char *line;
        bool good;
    } cases[] = {{"--name=0", true}, {"--name=9", true}, {"--name=10", false}, {"--name=-1", false},
                 {"--name=1x", false}, {"--name=", false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(parse(cases[i].line, &a, &e), RC_OK);
        assert_int_equal(args_number(&a, "name", 0, 9, &n, &e), cases[i].good ? RC_OK : RC_INVALID);
    }
    assert_string_equal(e.text, "option --name: expected a whole number from 0 to 9");
    assert_int_equal(parse("x y", &a, &e), RC_OK);
    assert_int_equal(args_expect(&a, 1, 2, "X", &e), RC_OK);
    assert_int_equal(args_expect(&a, 0, 1, "X", &e), RC_INVALID);
    assert_string_equal(e.text, "unexpected word \"y\"");
    assert_int_equal(args_expect(&a, 3, 3, "act_N", &e), RC_INVALID);
    assert_string_equal(e.text, "expected act_N");
}

static void test_percent(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t down;
        int64_t up;
    } cases[] = {
        {"0", 0, 0},
        {"20", 200000, 200000},
        {"20.0000", 200000, 200000},
        {"20.00000000", 200000, 200000},
        {"19.9999999", 199999, 200000},
        {"19.9999", 199999, 199999},
        {"15.0000001", 150000, 150001},
        {"0.00000000000000000001", 0, 1},
        {"-1.5", -15000, -15000},
        {"-0.00001", -1, 0},
        {"999999", 9999990000, 9999990000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t ppm;
        assert_true(percent_parse(str_from(cases[i].text), PERCENT_DOWN, &ppm));
        assert_int_equal(ppm, cases[i].down);
        assert_true(percent_parse(str_from(cases[i].text), PERCENT_UP, &ppm));
        assert_int_equal(ppm, cases[i].up);
    }
    static const char *const bad[] = {"",    "-",    ".",    "1.",   ".5",   "1e3", "1,5", "20%",
                                      " 20", "20 ", "+20", "nan", "1.2.3", "1000000", "0x10", "--1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t ppm;
        assert_false(percent_parse(str_from(bad[i]), PERCENT_DOWN, &ppm));
    }
}

static void test_csv(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", ""},
        {"plain", "plain"},
        {"a,b", "\"a,b\""},
        {"say \"x\"", "\"say \"\"x\"\"\""},
        {"two\nlines", "\"two\nlines\""},
        {"=1+1", "\"'=1+1\""},
        {"+1", "\"'+1\""},
        {"-1", "\"'-1\""},
        {"@x", "\"'@x\""},
        {"\tx", "\"'\tx\""},
        {"\rx", "\"'\rx\""},
        {"a=b", "a=b"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf b;
        buf_init(&b, 256);
        csv_cell(&b, str_from(cases[i][0]));
        assert_str(buf_view(&b), cases[i][1]);
        buf_done(&b);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),   cmocka_unit_test(test_bad),
        cmocka_unit_test(test_limits), cmocka_unit_test(test_number_and_words),
        cmocka_unit_test(test_percent), cmocka_unit_test(test_csv),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
