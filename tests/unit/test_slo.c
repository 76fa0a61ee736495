/* slo: what is left of an error budget, and the ring of hours it is counted in. */
#include "check.h"

#include "base/instant.h"
#include "slo/budget.h"
#include "slo/window.h"

#include <math.h>

/* --- budgets --------------------------------------------------------------------------------------- */

static void budgets_at_their_bounds(void **state)
{
    (void)state;
    static const struct {
        int64_t objective_ppm;
        double good;
        double total;
        int64_t want_ppm;
    } rows[] = {
        {999000, 1000000, 1000000, 1000000},          /* nothing spent */
        {999000, 999800, 1000000, 800000},
        {999000, 999200, 1000000, 200000},            /* exactly 20 % */
        {999000, 999199, 1000000, 199000},
        {999000, 999000, 1000000, 0},                 /* spent */
        {999000, 998000, 1000000, -1000000},          /* overspent, and shown so */
        {999999, 9999992, 10000000, 200000},          /* the strictest objective, exactly 20 % */
        {999999, 9999991, 10000000, 100000},
        {999999, 9999990, 10000000, 0},
        {999990, 999992, 1000000, 200000},
        {500000, 1, 2, 0},
        {500000, 0, 2, -1000000},
        {1, 1, 2, 499999},                            /* the laxest: allowed is 0.999999 */
        {999000, 2999999, 3000000, 999666},           /* 999,666.67: rounded towards less */
        {999000, 2996, 3000, -333334},                /* -333,333.3: towards less as well */
        {900000, 0.5, 1, -4000000},                   /* rates work as counts do */
        {999999, 0, 1, BUDGET_MIN_SHOWN_PPM},         /* not shown below the minimum */
        {999000, 1000000.5, 1000000, 1000000},        /* two queries are two moments */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t got = INT64_MIN;
        struct err e;
        enum rc rc =
            budget_from_counts(rows[i].objective_ppm, rows[i].good, rows[i].total, &got, &e);
        if (rc != RC_OK || got != rows[i].want_ppm) {
            print_error("row %zu: rc %d, %lld ppm, want %lld\n", i, rc, (long long)got,
                        (long long)rows[i].want_ppm);
            fail();
        }
    }
}

static void ratios_give_budgets(void **state)
{
    (void)state;
    static const struct {
        int64_t objective_ppm;
        double ratio;
        int64_t want_ppm;
    } rows[] = {
        {999000, 1.0, 1000000}, {999000, 0.9992, 200000}, {999000, 0.999, 0}, {990000, 0.99, 0},
        {999000, 0.9991, 100000}, {999000, 0, -999000000}, {999000, 1.0000005, 1000000},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t got = INT64_MIN;
        assert_int_equal(budget_from_ratio(rows[i].objective_ppm, rows[i].ratio, &got, NULL), RC_OK);
        assert_int_equal(got, rows[i].want_ppm);
    }
}

static void what_is_no_measurement_is_refused(void **state)
{
    (void)state;
    static const struct {
        int64_t objective_ppm;
        double good;
        double total;
        const char *text;
    } rows[] = {
        {999000, 0, 0, "good 0 of total 0: expected 0 <= good <= total, total > 0"},
        {999000, 1, -1, "good 1 of total -1: expected 0 <= good <= total, total > 0"},
        {999000, -1, 1, "good -1 of total 1: expected 0 <= good <= total, total > 0"},
        {999000, (double)NAN, 1, NULL},
        {999000, 1, (double)NAN, NULL},
        {999000, (double)INFINITY, 1, NULL},
        {999000, 1, (double)INFINITY, NULL},
        {999000, 1.00001, 1, "the SLI is 1.00001: expected 0 to 1"},
        {0, 1, 1, "an objective lies between 0 % and 100 %, both excluded"},
        {PPM_ONE, 1, 1, "an objective lies between 0 % and 100 %, both excluded"},
        {-1, 1, 1, "an objective lies between 0 % and 100 %, both excluded"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t got = 42;
        struct err e;
        assert_int_equal(
            budget_from_counts(rows[i].objective_ppm, rows[i].good, rows[i].total, &got, &e), RC_INVALID);
        assert_int_equal(got, 42);
        if (rows[i].text != NULL) {
            assert_str(str_from(e.text), rows[i].text);
        }
    }
    static const double ratios[] = {(double)NAN, (double)INFINITY, -(double)INFINITY, -0.001, 1.001};
    for (size_t i = 0; i < sizeof ratios / sizeof *ratios; i++) {
        int64_t got = 42;
        assert_int_equal(budget_from_ratio(999000, ratios[i], &got, NULL), RC_INVALID);
        assert_int_equal(got, 42);
    }
}

/* Whole counts against whole-number arithmetic: the result is the floor, to the ppm. */
static void counts_agree_with_whole_numbers(void **state)
{
    (void)state;
    uint64_t x = 88172645463325252ULL;
    for (int i = 0; i < 20000; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        int64_t total = 1 + (int64_t)(x % 900000);
        int64_t bad = (int64_t)(x >> 40) % 100;
        bad = bad > total ? total : bad;
        int64_t above = PPM_ONE * (total - PPM_ONE * bad);
        int64_t want = above >= 0 ? above / total : -((-above + total - 1) / total);
        want = want < BUDGET_MIN_SHOWN_PPM ? BUDGET_MIN_SHOWN_PPM : want;
        int64_t got;
        assert_int_equal(budget_from_counts(999999, (double)(total - bad), (double)total, &got, NULL), RC_OK);
        assert_int_equal(got, want);
    }
}

static void burn_rates(void **state)
{
    (void)state;
    assert_int_equal(burn_rate_milli(999000, 0, 100), 0);
    assert_int_equal(burn_rate_milli(999000, 1, 1000), 1000);
    assert_int_equal(burn_rate_milli(999000, 144, 10000), 14400);
    assert_int_equal(burn_rate_milli(900000, 1, 1), 10000);
    assert_int_equal(burn_rate_milli(999999, 1, 1), 1000000000);
    assert_int_equal(burn_rate_milli(999000, 1, 0), 0);
    assert_int_equal(burn_rate_milli(PPM_ONE, 1, 1), 0);
}

/* --- windows ---------------------------------------------------------------------------------------- */

enum { START = 500000 }; /* an hour in 2027 */

static int64_t hour_ms(int64_t hour)
{
    return hour * HOUR_MS;
}

static struct window *new_window(void)
{
    struct window *w = malloc(sizeof *w);
    assert_non_null(w);
    window_init(w);
    return w;
}

static void check_sum(struct window *w, int64_t now_ms, int64_t span_ms, int64_t good, int64_t total)
{
    struct window_bucket sum = window_sum(w, now_ms, span_ms);
    assert_int_equal(sum.good, good);
    assert_int_equal(sum.total, total);
}

static void a_window_counts_its_span(void **state)
{
    (void)state;
    struct window *w = new_window();
    check_sum(w, hour_ms(START), 30LL * DAY_MS, 0, 0);
    assert_true(window_add(w, hour_ms(START), 9, 10));
    assert_true(window_add(w, hour_ms(START) + HOUR_MS - 1, 1, 1)); /* the hour's last moment */
    assert_true(window_add(w, hour_ms(START + 1), 5, 5));
    assert_true(window_add(w, hour_ms(START + 3), 0, 2));
    check_sum(w, hour_ms(START + 3), DAY_MS, 15, 18);
    /* The oldest hour counts whole, as long as any of it lies in the span. */
    check_sum(w, hour_ms(START + 3) + 1, 3 * HOUR_MS, 15, 18);
    check_sum(w, hour_ms(START + 3), 3 * HOUR_MS, 15, 18);
    check_sum(w, hour_ms(START + 4), 3 * HOUR_MS, 5, 7);
    check_sum(w, hour_ms(START + 4), HOUR_MS, 0, 2);
    check_sum(w, hour_ms(START + 5), HOUR_MS, 0, 0);
    /* Looked at from before: what comes later does not count. */
    check_sum(w, hour_ms(START + 1), DAY_MS, 15, 16);
    check_sum(w, hour_ms(START - 1), DAY_MS, 0, 0);
    free(w);
}

static void the_ring_rolls_over(void **state)
{
    (void)state;
    struct window *w = new_window();
    for (int64_t h = 0; h < WINDOW_HOURS; h++) {
        assert_true(window_add(w, hour_ms(START + h), 1, 2));
    }
    int64_t last = START + WINDOW_HOURS - 1;
    check_sum(w, hour_ms(last), 91LL * DAY_MS, WINDOW_HOURS, 2 * WINDOW_HOURS);
    assert_true(window_add(w, hour_ms(last + 1), 7, 7)); /* the first hour's slot again */
    check_sum(w, hour_ms(last + 1), 91LL * DAY_MS, WINDOW_HOURS - 1 + 7, 2 * WINDOW_HOURS - 2 + 7);
    assert_false(window_add(w, hour_ms(START), 1, 1));      /* that hour is gone */
    assert_true(window_add(w, hour_ms(START + 1), 1, 1));   /* the oldest that is there */
    check_sum(w, hour_ms(last + 1), 90LL * DAY_MS, 90 * 24 + 7, 2 * 90 * 24 + 7);
    /* A gap empties what lies in it; a gap longer than the ring empties everything. */
    assert_true(window_add(w, hour_ms(last + 11), 1, 1));
    check_sum(w, hour_ms(last + 11), 10 * HOUR_MS, 8, 8);
    assert_true(window_add(w, hour_ms(last + 11 + WINDOW_HOURS), 3, 4));
    check_sum(w, hour_ms(last + 11 + WINDOW_HOURS), 91LL * DAY_MS, 3, 4);
    assert_true(window_add(w, hour_ms(last + 11 + 5 * WINDOW_HOURS), 1, 1));
    check_sum(w, hour_ms(last + 11 + 5 * WINDOW_HOURS), 91LL * DAY_MS, 1, 1);
    free(w);
}

static void the_first_hours_of_time(void **state)
{
    (void)state;
    struct window *w = new_window();
    assert_false(window_add(w, -1, 1, 1));
    assert_true(window_add(w, 0, 1, 1));
    assert_true(window_add(w, hour_ms(2), 1, 3));
    check_sum(w, hour_ms(2), 90LL * DAY_MS, 2, 4);
    check_sum(w, 0, 90LL * DAY_MS, 1, 1);
    free(w);
}

/* The same question again, with counts that came meanwhile: as if it had been asked for the first time. */
static void a_kept_sum_is_the_sum(void **state)
{
    (void)state;
    struct window *w = new_window();
    uint64_t x = 88172645463325252ULL;
    int64_t now = hour_ms(START);
    for (int i = 0; i < 3000; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        now += (int64_t)(x % 5) * (HOUR_MS / 4);
        int64_t at = now - (int64_t)(x >> 20) % (100 * HOUR_MS);
        assert_true(window_add(w, at, (int64_t)(x >> 50) % 7, 7));
        int64_t span = (1 + (int64_t)(x >> 33) % 3) * DAY_MS;
        struct window *fresh = new_window();
        memcpy(fresh, w, sizeof *w);
        fresh->kept_first = -1;
        struct window_bucket want = window_sum(fresh, now, span);
        check_sum(w, now, span, want.good, want.total);
        free(fresh);
    }
    free(w);
}

/* Counts stay at the largest number rather than turn negative. */
static void counts_do_not_overflow(void **state)
{
    (void)state;
    struct window *w = new_window();
    assert_true(window_add(w, hour_ms(START), INT64_MAX, INT64_MAX));
    assert_true(window_add(w, hour_ms(START), 5, 6));
    assert_true(window_add(w, hour_ms(START + 1), INT64_MAX - 1, INT64_MAX));
    struct window_bucket sum = window_sum(w, hour_ms(START + 1), DAY_MS);
    assert_true(sum.good == INT64_MAX && sum.total == INT64_MAX);
    free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(budgets_at_their_bounds),
        cmocka_unit_test(ratios_give_budgets),
        cmocka_unit_test(what_is_no_measurement_is_refused),
        cmocka_unit_test(counts_agree_with_whole_numbers),
        cmocka_unit_test(burn_rates),
        cmocka_unit_test(a_window_counts_its_span),
        cmocka_unit_test(the_ring_rolls_over),
        cmocka_unit_test(the_first_hours_of_time),
        cmocka_unit_test(a_kept_sum_is_the_sum),
        cmocka_unit_test(counts_do_not_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
