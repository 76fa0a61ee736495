/*
 * gate/release - at commit: is every finding released?
 */
#include "gate/gate.h"

/* Lower is worse for a budget, higher for everything else that has a value. */
static bool is_worse(const struct finding *now, const struct shown_finding *shown,
                     const struct thresholds *t)
{
    if (now->check == CHECK_ERROR_BUDGET) {
        bool turned_negative = shown->value >= 0 && now->value < 0;
        return turned_negative || now->value < shown->value - t->at[BUDGET_TOLERANCE_PPM];
    }
    if (now->mark != shown->mark) {
        return true; /* other rules than those that were shown */
    }
    int64_t tolerance = now->check == CHECK_HER_TREND ? t->at[HER_TOLERANCE_PPM] : 0;
    return now->value > shown->value + tolerance;
}

static bool is_covered(const struct finding *now, const struct action *a, const struct thresholds *t)
{
    const struct shown_finding *shown = &action_review(a)->shown[now->check];
    /* Unknown and known are two findings: who saw the one has not seen the other. */
    return a->state == ACTION_APPROVED && shown->shown && shown->unknown == now->unknown &&
           !is_worse(now, shown, t);
}

/* The approval queue bounds autonomous action; what a person approved is not autonomous. */
static bool is_excused(const struct finding *now, const struct action *a)
{
    return now->check == CHECK_AQDD && a->state == ACTION_APPROVED;
}

enum release gate_release(const struct decision *now, const struct action *action,
                          const struct thresholds *t)
{
    enum release result = now->advisory ? RELEASE_ADVISED : RELEASE_GO;
    bool advised = now->advisory;
    for (unsigned c = 0; c < CHECK_COUNT; c++) {
        const struct finding *f = &now->findings[c];
        if (!finding_counts(f) || is_excused(f, action)) {
            continue;
        }
        if (f->verdict == VERDICT_DENY) {
            return RELEASE_DENIED;
        }
        if (f->verdict == VERDICT_ESCALATE && !is_covered(f, action, t)) {
            result = RELEASE_ESCALATED;
        }
        if (f->verdict == VERDICT_HOLD && result != RELEASE_ESCALATED) {
            result = RELEASE_HELD;
        }
        advised = advised || f->verdict == VERDICT_ADVISE;
    }
    /* A finding that only advises, of a dry run or of an agent in shadow, is not overcome by an approval. */
    return result == RELEASE_GO && advised ? RELEASE_ADVISED : result;
}

int64_t gate_hold_ms(const struct decision *now, const struct action *action, int64_t now_ms)
{
    int64_t latest = now_ms;
    for (unsigned c = 0; c < CHECK_COUNT; c++) {
        const struct finding *f = &now->findings[c];
        bool holds = f->verdict == VERDICT_HOLD && finding_counts(f) && !is_excused(f, action);
        latest = holds && f->release_ms > latest ? f->release_ms : latest;
    }
    return latest - now_ms;
}
