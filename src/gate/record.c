/*
 * gate/record - the record of the Pre-Action SRE Gate: the three checks, first failure wins.
 */
#include "gate/gate.h"

static struct value percent_value(int64_t ppm)
{
    return ppm % 10000 == 0 ? value_int(ppm / 10000) : value_double(ppm_to_percent(ppm));
}

/* The lowest known budget, or null when what counts is not known. */
static struct value budget_value(const struct facts *f, const struct finding *finding)
{
    bool known = false;
    int64_t lowest = INT64_MAX;
    for (unsigned i = 0; i < f->budget_count; i++) {
        const struct budget_fact *b = &f->budgets[i];
        if ((b->state == SIGNAL_KNOWN || b->state == SIGNAL_NO_TRAFFIC) && b->remaining_ppm < lowest) {
            lowest = b->remaining_ppm;
            known = true;
        }
    }
    return known && !finding->unknown ? percent_value(lowest) : value_null();
}

static bool blocks(const struct finding *f)
{
    return f->verdict != VERDICT_ALLOW && finding_counts(f);
}

void gate_recommendation(struct buf *out, const struct finding *f)
{
    static const char *const advice[] = {
        [VERDICT_DENY] = "Do not proceed.",     [VERDICT_ESCALATE] = "Escalate to the agent's owner.",
        [VERDICT_HOLD] = "Hold.",               [VERDICT_ADVISE] = "Suggest it to a person.",
        [VERDICT_ALLOW] = "Proceed.",
    };
    size_t from = out->len;
    finding_text(out, f);
    if (out->len > from) {
        buf_str(out, STR(". "));
    }
    buf_str(out, str_from(advice[f->verdict]));
    if (out->rc == RC_OK && out->data[from] >= 'a' && out->data[from] <= 'z') {
        out->data[from] = (char)(out->data[from] - 'a' + 'A');
    }
}

static void unknown_words(struct buf *out, const struct finding *f)
{
    static const char *const words[CHECK_COUNT] = {[CHECK_ERROR_BUDGET] = "Error budget",
                                                   [CHECK_AQDD] = "AQDD depth",
                                                   [CHECK_HER_TREND] = "HER trend"};
    buf_printf(out, "%s is unknown. Hold.", words[f->check]);
}

static struct value recommendation(struct arena *a, const struct finding *f)
{
    struct buf text;
    buf_init(&text, 1024);
    if (f == NULL) {
        buf_str(&text, STR("All three checks passed. Proceed."));
    } else if (f->unknown) {
        unknown_words(&text, f);
    } else {
        gate_recommendation(&text, f);
    }
    struct value v = value_string(arena_str(a, buf_view(&text)));
    buf_done(&text);
    return v;
}

struct value gate_record_value(struct arena *a, const struct gate_record *r, const struct facts *f,
                               const struct decision *d)
{
    const struct finding *first = NULL;
    struct value unknown = value_array();
    for (unsigned c = CHECK_ERROR_BUDGET; c <= CHECK_HER_TREND; c++) {
        const struct finding *finding = &d->findings[c];
        if (finding->unknown) {
            value_push(a, &unknown, value_string(str_from(check_name((enum check)c))));
        }
        if (first == NULL && blocks(finding)) {
            first = finding;
        }
    }
    struct value signals = value_object();
    value_add(a, &signals, STR("error_budget_pct"),
              budget_value(f, &d->findings[CHECK_ERROR_BUDGET]));
    value_add(a, &signals, STR("aqdd_depth"),
              f->aqdd_known ? value_int(f->aqdd_depth) : value_null());
    value_add(a, &signals, STR("her_trend_pct"),
              f->her_known ? percent_value(f->her_ppm) : value_null());
    struct value v = value_object();
    value_add_str(a, &v, STR("trace_type"), STR("pre_action_gate"));
    value_add_str(a, &v, STR("task_id"), r->task_id);
    value_add_str(a, &v, STR("agent_id"), r->agent_id);
    value_add_str(a, &v, STR("intended_action"), r->intended_action);
    value_add_str(a, &v, STR("action"), r->action);
    value_add_bool(a, &v, STR("gate_approved"), first == NULL);
    value_add(a, &v, STR("blocking_check"),
              first == NULL ? value_null() : value_string(str_from(check_name(first->check))));
    value_add(a, &v, STR("sre_signals"), signals);
    value_add(a, &v, STR("unknown"), unknown);
    value_add(a, &v, STR("recommendation"), recommendation(a, first));
    value_add_instant(a, &v, STR("checked_at"), r->checked_at_ms);
    return v;
}
