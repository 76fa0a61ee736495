/*
 * signals/reply - one reply of Prometheus to one instant query, judged.
 */
#include "signals/prometheus.h"

#include "value/json.h"

#include <math.h>
#include <stdlib.h>

static enum rc unknown(struct err *e, const char *why)
{
    return err_set(e, RC_UNAVAILABLE, "%s", why);
}

/* [<float seconds>, "<number>"] */
static enum rc read_sample(const struct value *sample, double *ret_value, int64_t *ret_at_ms, struct err *e)
{
    double seconds;
    if (!value_is(sample, VALUE_ARRAY) || sample->count != 2 || !value_number(&sample->items[0], &seconds)) {
        return unknown(e, "the reply holds no sample");
    }
    /* NaN and +Inf are texts that are no numbers to us: 0/0 is unknown, not zero. */
    if (!str_to_double(value_text(&sample->items[1]), ret_value)) {
        return unknown(e, "the sample is not a finite number");
    }
    *ret_at_ms = (int64_t)floor(seconds * 1000.0);
    return RC_OK;
}

static enum rc read_data(const struct value *data, double *ret_value, int64_t *ret_at_ms, struct err *e)
{
    struct str type = value_text(value_get(data, STR("resultType")));
    const struct value *result = value_get(data, STR("result"));
    if (str_eq(type, STR("scalar"))) {
        return read_sample(result, ret_value, ret_at_ms, e);
    }
    if (!str_eq(type, STR("vector")) || !value_is(result, VALUE_ARRAY)) {
        return unknown(e, "the result is neither a vector nor a scalar");
    }
    if (result->count == 0) {
        return unknown(e, "the vector is empty: no data");
    }
    if (result->count > 1) {
        return unknown(e, "the query gives several series: it must give one");
    }
    return read_sample(value_get(&result->items[0], STR("value")), ret_value, ret_at_ms, e);
}

enum rc prometheus_read_reply(struct arena *a, unsigned status, struct str body, double *ret_value,
                              int64_t *ret_at_ms, struct err *e)
{
    struct value v;
    struct err inner;
    bool json = json_parse(a, body, &v, &inner) == RC_OK;
    if (status != 200) {
        struct str why = json ? value_text(value_get(&v, STR("error"))) : STR("");
        return err_set(e, RC_UNAVAILABLE, "HTTP %u %.*s", status, STR_ARG(why));
    }
    if (!json) {
        return unknown(e, "the reply is not JSON");
    }
    if (!str_eq(value_text(value_get(&v, STR("status"))), STR("success"))) {
        return unknown(e, "the query failed");
    }
    return read_data(value_get(&v, STR("data")), ret_value, ret_at_ms, e);
}
