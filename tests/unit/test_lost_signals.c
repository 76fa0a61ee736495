/* server: a budget that was known and is not, for longer than the patience, is lost; and it is found again. */
#include "control_bench.h"

#include "server/lost_signals.h"

enum { PATIENCE_MS = 30 * SECOND_MS };

struct change {
    unsigned count;
    bool lost;
    int64_t since_ms;
    uint32_t service;
};

static void on_change(void *context, uint32_t service, bool lost, int64_t since_ms)
{
    struct change *c = context;
    *c = (struct change){c->count + 1, lost, since_ms, service};
}

static void set_state(struct bench *b, enum signal_state state)
{
    struct budget_signal *s = signals_budget(control_signals(b->c), world_service_find(HERE(b), STR("shop")));
    *s = (struct budget_signal){state, PPM_ONE, control_now(b->c), ""};
}

static void lost_and_found(void **state)
{
    struct bench *b = *state;
    struct change seen = {0};
    struct lost_signals *l = lost_signals_new(PATIENCE_MS);
    assert_non_null(l);
    lost_signals_look(l, b->c, on_change, &seen);
    int64_t known_ms = control_now(b->c);
    set_state(b, SIGNAL_UNKNOWN);
    pass(b, PATIENCE_MS - 1);
    lost_signals_look(l, b->c, on_change, &seen);
    assert_int_equal(seen.count, 0);
    pass(b, 1);
    lost_signals_look(l, b->c, on_change, &seen);
    assert_int_equal(seen.count, 1);
    assert_true(seen.lost);
    assert_int_equal(seen.since_ms, known_ms);
    assert_int_equal(seen.service, world_service_find(HERE(b), STR("shop")));
    pass(b, PATIENCE_MS);
    lost_signals_look(l, b->c, on_change, &seen); /* still: said once */
    assert_int_equal(seen.count, 1);
    set_state(b, SIGNAL_NO_TRAFFIC); /* known as well */
    lost_signals_look(l, b->c, on_change, &seen);
    assert_int_equal(seen.count, 2);
    assert_false(seen.lost);
    pass(b, 2 * MINUTE_MS + 1 + PATIENCE_MS); /* measured, but too long ago */
    lost_signals_look(l, b->c, on_change, &seen);
    assert_int_equal(seen.count, 3);
    assert_true(seen.lost);
    lost_signals_free(l);
}

/* Whether it was known before the start is not known: it counts as if it had been. */
static void unknown_from_the_start(void **state)
{
    struct bench *b = *state;
    struct change seen = {0};
    struct lost_signals *l = lost_signals_new(PATIENCE_MS);
    set_state(b, SIGNAL_UNKNOWN);
    lost_signals_look(l, b->c, on_change, &seen);
    pass(b, PATIENCE_MS);
    lost_signals_look(l, b->c, on_change, &seen);
    assert_int_equal(seen.count, 1);
    assert_true(seen.lost);
    lost_signals_free(l);
}

#define WITH(more) \
    "{'agents':[{'name':'bot','owner':'ann'}],'services':[{'name':'shop'," SLO "},{'name':'web'}" more "]}"

static void what_was_never_known_is_not_lost(void **state)
{
    struct bench *b = *state;
    struct change seen = {0};
    struct lost_signals *l = lost_signals_new(0);
    load_policy(b, WITH(",{'name':'fed','slo':{'objective':99,'events':true}}"));
    lost_signals_look(l, b->c, on_change, &seen); /* nothing ever fed it */
    load_policy(b, WITH(",{'name':'fed','slo':{'objective':99,'events':true}},{'name':'late'," SLO "}"));
    for (int i = 0; i < 3; i++) {
        pass(b, SECOND_MS);
        lost_signals_look(l, b->c, on_change, &seen); /* and one declared later was not measured yet */
    }
    assert_int_equal(seen.count, 0);
    set_state(b, SIGNAL_UNKNOWN);
    lost_signals_look(l, b->c, on_change, &seen);
    assert_int_equal(seen.count, 1);
    load_policy(b, "{'agents':[{'name':'bot','owner':'ann'}],'services':[{'name':'shop'}]}");
    lost_signals_look(l, b->c, on_change, &seen); /* without an SLO there is nothing to lose */
    assert_int_equal(seen.count, 2);
    assert_false(seen.lost);
    lost_signals_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lost_and_found, make, drop),
        cmocka_unit_test_setup_teardown(unknown_from_the_start, make, drop),
        cmocka_unit_test_setup_teardown(what_was_never_known_is_not_lost, make, drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
