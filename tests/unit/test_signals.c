/* signals: one reply of Prometheus, judged. Whatever is not one finite number is unknown. */
#include "signals/prometheus.h"

#include "check.h"

static const struct {
    unsigned status;
    const char *body;
    const char *why; /* null: it is a number */
    double value;
    int64_t at_ms;
} replies[] = {
    {200, "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[{\"metric\":{},\"value\":[1700000000.5,\"0.25\"]}]}}",
     NULL, 0.25, 1700000000500},
    {200, "{\"status\":\"success\",\"data\":{\"resultType\":\"scalar\",\"result\":[1700000000,\"3\"]}}", NULL, 3,
     1700000000000},
    {200, "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[]}}", "empty", 0, 0},
    {200, "{\"status\":\"success\",\"data\":{\"resultType\":\"scalar\",\"result\":[1700000000,\"NaN\"]}}", "finite", 0, 0},
    {200, "{\"status\":\"success\",\"data\":{\"resultType\":\"scalar\",\"result\":[1700000000,\"+Inf\"]}}", "finite", 0, 0},
    {200, "{\"status\":\"success\",\"data\":{\"resultType\":\"scalar\",\"result\":[1700000000,\"-Inf\"]}}", "finite", 0, 0},
    {200, "{\"status\":\"success\",\"data\":{\"resultType\":\"scalar\",\"result\":[1700000000,\"\"]}}", "finite", 0, 0},
    {200, "{\"status\":\"success\",\"data\":{\"resultType\":\"scalar\",\"result\":[1700000000]}}", "no sample", 0, 0},
    {200, "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[{\"value\":[1,\"1\"]},{\"value\":[1,\"1\"]}]}}",
     "several series", 0, 0},
    {200, "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[]}}", "neither", 0, 0},
    {200, "{\"status\":\"success\",\"data\":{\"resultType\":\"string\",\"result\":[1,\"x\"]}}", "neither", 0, 0},
    {200, "{\"status\":\"error\",\"errorType\":\"execution\",\"error\":\"boom\"}", "failed", 0, 0},
    {200, "<html>", "not JSON", 0, 0},
    {200, "", "not JSON", 0, 0},
    {200, "{}", "failed", 0, 0},
    {200, "{\"status\":\"success\"}", "neither", 0, 0},
    {400, "{\"status\":\"error\",\"error\":\"parse error\"}", "HTTP 400 parse error", 0, 0},
    {503, "later", "HTTP 503", 0, 0},
    {204, "", "HTTP 204", 0, 0},
};

static void only_one_finite_number_counts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof replies / sizeof *replies; i++) {
        CLEANUP(arena) struct arena *a = arena_new(1 << 20);
        struct err e = {0};
        double value = -1;
        int64_t at_ms = -1;
        enum rc rc = prometheus_read_reply(a, replies[i].status, str_from(replies[i].body), &value, &at_ms, &e);
        if (replies[i].why == NULL) {
            assert_int_equal(rc, RC_OK);
            assert_true(value == replies[i].value);
            assert_int_equal(at_ms, replies[i].at_ms);
            continue;
        }
        assert_int_equal(rc, RC_UNAVAILABLE);
        if (strstr(e.text, replies[i].why) == NULL) {
            print_error("reply %zu says: %s\n", i, e.text);
        }
        assert_non_null(strstr(e.text, replies[i].why));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_one_finite_number_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
