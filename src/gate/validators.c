/*
 * gate/validators - independent decision points: who is asked about an action, and what their answers come to.
 *
 * The strictest answer counts. Who should have been asked and gave none gives its on_error, whatever the cause: an agent
 * is never the only one that decides.
 */
#include "gate/gather.h"
#include "gate/rule_values.h"

#include <string.h>

static void add_question(const struct validator *v, const struct cel_value *vars, const struct rule_memory *m,
                         struct validator_round *round)
{
    struct err e;
    uint32_t at = round->count++;
    struct validator_question *q = &round->questions[at];
    *q = (struct validator_question){.of = v, .name = arena_str(m->kept, v->name), .input = value_null()};
    round->answers[at] = (struct validator_fact){.name = q->name, .answer = ANSWER_NONE, .text = STR("")};
    if (validator_input(v, vars, m, &q->input, &e) != RC_OK) {
        round->answers[at].answer = ANSWER_ERROR;
        round->answers[at].text = arena_printf(m->kept, "its input: %s", e.text);
    }
}

void gate_questions(const struct gate_input *in, struct validator_round *ret)
{
    struct facts facts;
    struct thresholds room;
    ret->count = 0;
    ret->answered = false;
    if (in->policy == NULL || in->policy->validator_count == 0) {
        return;
    }
    gate_gather(in, &facts);
    const struct check_input seen = gate_seen(in, &facts, &room);
    CLEANUP(arena) struct arena *scratch = arena_new(RULE_MEMORY_MAX);
    if (scratch == NULL || thresholds_mode(seen.thresholds, CHECK_VALIDATORS) == MODE_OFF) {
        return; /* nobody is asked: where the check is on, that is an error of each of them */
    }
    struct rule_views views;
    struct cel_value vars[RULE_VAR_COUNT];
    memset(vars, 0, sizeof vars);
    rule_values(&seen, &views, vars);
    const struct rule_memory memory = {scratch, in->arena, 0, NULL};
    for (uint32_t i = 0; i < in->policy->validator_count; i++) {
        const struct validator *v = &in->policy->validators[i];
        if (v->mode != MODE_OFF && rule_fits(&v->whom, vars, scratch)) {
            add_question(v, vars, &memory, ret);
        }
        arena_reset(scratch);
    }
}

void gather_answers(const struct gate_input *in, struct facts *f)
{
    for (uint32_t i = 0; in->round != NULL && in->round->answered && i < in->round->count; i++) {
        f->validators[f->validator_count++] = in->round->answers[i];
    }
}

static const struct validator_fact *answer_of(const struct facts *f, struct str name)
{
    for (unsigned i = 0; i < f->validator_count; i++) {
        if (str_eq(f->validators[i].name, name)) {
            return &f->validators[i];
        }
    }
    return NULL;
}

static void finding_of(const struct validator *v, const struct validator_fact *fact, struct finding *ret)
{
    enum validator_answer answer = fact == NULL ? ANSWER_NONE : fact->answer;
    finding_block(CHECK_VALIDATORS, (enum verdict)v->on_error, REASON_VALIDATOR, v->name, ret);
    ret->note = fact == NULL ? STR("it was not asked") : fact->text;
    switch (answer) {
    case ANSWER_ALLOW:
        finding_allow(CHECK_VALIDATORS, ret);
        return;
    case ANSWER_DENY:
        ret->verdict = (enum verdict)v->on_deny;
        return;
    case ANSWER_ESCALATE:
        ret->verdict = VERDICT_ESCALATE;
        return;
    case ANSWER_HOLD:
        ret->verdict = VERDICT_HOLD;
        return;
    case ANSWER_NONE:
    case ANSWER_ERROR:
        break;
    }
    ret->reason = REASON_VALIDATOR_ERROR;
    ret->unknown = true;
}

/* Which of them say no, as one number: who was shown one no has not seen another. */
static uint64_t mark_of(const struct check_input *in, const bool *asked)
{
    uint64_t mark = 0;
    for (uint32_t i = 0; i < in->policy->validator_count; i++) {
        const struct validator *v = &in->policy->validators[i];
        struct finding f;
        finding_of(v, answer_of(in->facts, v->name), &f);
        bool counts = asked[i] && v->mode == MODE_ENFORCE;
        mark |= counts && f.verdict == VERDICT_ESCALATE ? UINT64_C(1) << i : 0;
    }
    return mark;
}

static bool find_asked(const struct check_input *in, bool *asked)
{
    struct rule_views views;
    struct cel_value vars[RULE_VAR_COUNT];
    CLEANUP(arena) struct arena *scratch = arena_new(RULE_MEMORY_MAX);
    memset(vars, 0, sizeof vars);
    if (scratch == NULL || in->arena == NULL) {
        return false;
    }
    rule_values(in, &views, vars);
    for (uint32_t i = 0; i < in->policy->validator_count; i++) {
        asked[i] = in->policy->validators[i].mode != MODE_OFF && rule_fits(&in->policy->validators[i].whom, vars, scratch);
        arena_reset(scratch);
    }
    return true;
}

void check_validators(const struct check_input *in, struct finding *ret)
{
    finding_allow(CHECK_VALIDATORS, ret);
    if (in->policy == NULL || in->policy->validator_count == 0) {
        return;
    }
    bool asked[VALIDATORS_MAX] = {false};
    if (!find_asked(in, asked)) {
        finding_block(CHECK_VALIDATORS, VERDICT_DENY, REASON_VALIDATOR_ERROR, STR("validators"), ret);
        ret->note = STR("out of memory");
        return;
    }
    for (uint32_t i = 0; i < in->policy->validator_count; i++) {
        const struct validator *v = &in->policy->validators[i];
        struct finding f;
        finding_of(v, answer_of(in->facts, v->name), &f);
        if (asked[i] && v->mode == MODE_ENFORCE && f.verdict < ret->verdict) {
            *ret = f;
        }
    }
    ret->mark = ret->verdict == VERDICT_ESCALATE ? mark_of(in, asked) : 0;
}
