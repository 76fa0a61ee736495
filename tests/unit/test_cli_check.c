/*
 * cli/given: signals given by hand, judged by the gate's three checks at their exact bounds.
 */
#include "check.h"

#include "cli/given.h"

static enum verdict judge(const struct given_signals *given, int *ret_blocking)
{
    struct facts facts;
    struct err e;
    struct thresholds thresholds = thresholds_default();
    struct request request = {.agent = STR("a")};
    struct decision d = {0};
    assert_int_equal(given_facts(given, &facts, &e), RC_OK);
    struct check_input in = {.thresholds = &thresholds, .request = &request, .facts = &facts, .now_ms = 1};
    gate_judge_three(&in, &d);
    *ret_blocking = -1;
    for (int c = CHECK_HER_TREND; c >= CHECK_ERROR_BUDGET; c--) {
        *ret_blocking = d.findings[c].verdict == VERDICT_ALLOW ? *ret_blocking : c;
    }
    return strictest_of_three(&d);
}

static void test_bounds(void **state)
{
    (void)state;
    static const struct {
        struct given_signals given;
        enum verdict verdict;
        int blocking;
    } cases[] = {
        {{"20", "3", "15"}, VERDICT_ALLOW, -1},
        {{"100", "0", "0"}, VERDICT_ALLOW, -1},
        {{"20.0000000", "3", "15.00000"}, VERDICT_ALLOW, -1},
        {{"19.9999999", "3", "15"}, VERDICT_ESCALATE, CHECK_ERROR_BUDGET},
        {{"-5", "3", "15"}, VERDICT_ESCALATE, CHECK_ERROR_BUDGET},
        {{"20", "4", "15"}, VERDICT_HOLD, CHECK_AQDD},
        {{"20", "3", "15.0000001"}, VERDICT_ESCALATE, CHECK_HER_TREND},
        {{"20", "4", "15.0000001"}, VERDICT_ESCALATE, CHECK_AQDD},
        {{NULL, "3", "15"}, VERDICT_HOLD, CHECK_ERROR_BUDGET},
        {{"20", NULL, "15"}, VERDICT_HOLD, CHECK_AQDD},
        {{"20", "3", NULL}, VERDICT_HOLD, CHECK_HER_TREND},
        {{NULL, NULL, NULL}, VERDICT_HOLD, CHECK_ERROR_BUDGET},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int blocking;
        assert_int_equal(judge(&cases[i].given, &blocking), cases[i].verdict);
        assert_int_equal(blocking, cases[i].blocking);
    }
}

static void test_facts(void **state)
{
    (void)state;
    struct facts f;
    struct err e;
    struct given_signals all = {"12.5", "2", "7"};
    assert_int_equal(given_facts(&all, &f, &e), RC_OK);
    assert_int_equal(f.budgets[0].state, SIGNAL_KNOWN);
    assert_int_equal(f.budgets[0].remaining_ppm, 125000);
    assert_str(f.budgets[0].source, "given");
    assert_int_equal(f.her_sample, GIVEN_SAMPLE);
    struct given_signals none = {NULL, NULL, NULL};
    assert_int_equal(given_facts(&none, &f, &e), RC_OK);
    assert_int_equal(f.budgets[0].state, SIGNAL_UNKNOWN);
    assert_false(f.aqdd_known);
    assert_false(f.her_known);
}

static void test_bad(void **state)
{
    (void)state;
    static const struct {
        struct given_signals given;
        const char *text;
    } cases[] = {
        {{"much", "3", "15"}, "option --error-budget-pct: expected a percentage such as 19.5"},
        {{"20", "3.5", "15"}, "option --aqdd-depth: expected a count such as 2"},
        {{"20", "-1", "15"}, "option --aqdd-depth: expected a count such as 2"},
        {{"20", "3", "-1"}, "option --her-trend-pct: expected a percentage such as 19.5"},
        {{"20", "3", ""}, "option --her-trend-pct: expected a percentage such as 19.5"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct facts f;
        struct err e;
        assert_int_equal(given_facts(&cases[i].given, &f, &e), RC_INVALID);
        assert_string_equal(e.text, cases[i].text);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_facts),
        cmocka_unit_test(test_bad),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
