/*
 * gate/rules - the operators' own rules, each on the same values; the strictest that holds is the finding.
 *
 * A rule that can't be judged (a field that has no value, a cut) counts as if it held. An approval covers the set of
 * rules that it was shown: another set at commit is another finding.
 */
#include "gate/gather.h"
#include "gate/rule_values.h"

#include "base/must.h"

#include <string.h>

void gather_for_rules(const struct gate_input *in, struct facts *f)
{
    if ((in->policy->rule_count + in->policy->validator_count == 0 && !in->conditions) || in->arena == NULL) {
        return; /* without an arena nothing is going to be judged */
    }
    struct value *seen = arena_alloc(in->arena, sizeof *seen);
    if (seen != NULL) {
        *seen = rule_seen(in, in->arena);
        f->seen = seen;
    }
}

/* --- what comes of it ------------------------------------------------------------------------------------------- */

/* Beyond the room the most lenient goes; what is recorded only goes before what counts. */
static void keep(struct decision *d, struct rule_match m)
{
    d->rules_held++;
    if (d->rule_count < RULE_MATCHES_MAX) {
        d->rules[d->rule_count++] = m;
        return;
    }
    unsigned least = RULE_MATCHES_MAX - 1;
    for (unsigned i = RULE_MATCHES_MAX - 1; i-- > 0;) {
        int64_t here = (d->rules[i].shadow ? 10 : 0) + (int64_t)d->rules[i].verdict;
        int64_t there = (d->rules[least].shadow ? 10 : 0) + (int64_t)d->rules[least].verdict;
        least = here > there ? i : least;
    }
    if ((m.shadow ? 10 : 0) + (int64_t)m.verdict < (d->rules[least].shadow ? 10 : 0) + (int64_t)d->rules[least].verdict) {
        d->rules[least] = m;
    }
}

/* FNV-1a over the names of those that escalate, in the order of the policy: which of them there are, all of them. */
static void add_mark(uint64_t *mark, struct str name)
{
    for (size_t i = 0; i <= name.len; i++) {
        unsigned char c = i < name.len ? (unsigned char)name.ptr[i] : 0;
        *mark = (*mark ^ c) * UINT64_C(0x100000001b3);
    }
}

/* Everything of one evaluation of the rules. */
struct judging {
    struct rule_views views;
    struct cel_value vars[RULE_VAR_COUNT];
    struct rule_memory memory;
};

/* Without memory to judge it, it can't be judged. */
static void eval(struct judging *j, const struct rule *rule, struct rule_result *ret)
{
    *ret = (struct rule_result){.holds = false};
    if (j->memory.scratch == NULL) {
        *ret = (struct rule_result){.holds = true, .failed = true, .message = STR("it could not be judged: out of memory")};
    } else if (rule_fits(rule, j->vars, j->memory.scratch)) {
        rule_eval(rule, j->vars, &j->memory, ret);
    }
}

static void begin(const struct check_input *in, struct arena *scratch, struct judging *j)
{
    must(in->arena != NULL);
    memset(j->vars, 0, sizeof j->vars);
    j->memory = (struct rule_memory){scratch, in->arena, RULES_STEPS_MAX, NULL};
    rule_values(in, &j->views, j->vars);
}

void judge_rules(const struct check_input *in, struct decision *d)
{
    uint64_t mark = UINT64_C(0xcbf29ce484222325);
    d->rule_count = 0;
    d->rules_held = 0;
    d->rules_mark = 0;
    if (in->policy == NULL || in->policy->rule_count == 0 || thresholds_mode(in->thresholds, CHECK_RULES) == MODE_OFF) {
        return;
    }
    struct judging j;
    CLEANUP(arena) struct arena *scratch = arena_new(RULE_MEMORY_MAX);
    begin(in, scratch, &j);
    for (uint32_t i = 0; i < in->policy->rule_count; i++) {
        const struct rule *rule = &in->policy->rules[i];
        struct rule_result result = {.holds = false};
        if (rule->mode != MODE_OFF) {
            eval(&j, rule, &result);
            arena_reset(scratch);
            j.memory.budget = result.steps < j.memory.budget ? j.memory.budget - result.steps : 1;
        }
        if (result.holds) {
            bool shadow = rule->mode == MODE_SHADOW;
            keep(d, (struct rule_match){rule->name, (enum verdict)rule->verdict, (enum rule_severity)rule->severity, shadow,
                                        result.failed, result.message});
            if (!shadow && rule->verdict == VERDICT_ESCALATE) {
                add_mark(&mark, rule->name);
                d->rules_mark = mark & ((UINT64_C(1) << 53) - 1);
            }
        }
    }
}

/* --- explaining --------------------------------------------------------------------------------------------------- */

/* What was evaluated, each with its text and what it gave last; constants say nothing. */
static struct value steps_value(const struct rule *rule, const struct cel_step *steps, struct arena *a, struct arena *scratch)
{
    struct value all = value_array();
    struct str whole = cel_program_text(rule->program);
    for (uint32_t i = 0; i < cel_program_steps(rule->program); i++) {
        const struct cel_step *step = &steps[i];
        struct str part = str_slice(whole, step->from, step->to);
        if (step->count == 0) {
            continue;
        }
        struct buf text;
        buf_init(&text, RULE_MESSAGE_MAX);
        buf_cel_value(&text, &step->value, scratch);
        struct str shown = arena_str(a, buf_view(&text));
        buf_done(&text);
        if (!str_eq(shown, part)) {
            struct value v = value_object();
            value_add_str(a, &v, STR("expression"), arena_str(a, part));
            value_add_str(a, &v, STR("value"), shown);
            value_add_int(a, &v, STR("times"), step->count);
            value_push(a, &all, v);
        }
    }
    return all;
}

struct value gate_explain_rule(const struct check_input *in, const struct rule *rule)
{
    struct arena *a = in->arena;
    CLEANUP(arena) struct arena *scratch = arena_new(RULE_MEMORY_MAX);
    struct judging j;
    struct value v = value_object();
    begin(in, scratch, &j);
    j.memory.steps = arena_array(a, cel_program_steps(rule->program), sizeof *j.memory.steps);
    struct rule_result result;
    eval(&j, rule, &result);
    bool speaks = scratch != NULL && rule_fits(rule, j.vars, scratch);
    value_add_str(a, &v, STR("rule"), arena_str(a, rule->name));
    value_add_str(a, &v, STR("mode"), str_from(check_mode_name((enum check_mode)rule->mode)));
    value_add_str(a, &v, STR("verdict"), verdict_str((enum verdict)rule->verdict));
    value_add_str(a, &v, STR("severity"), str_from(rule_severity_name((enum rule_severity)rule->severity)));
    value_add_bool(a, &v, STR("speaks"), speaks);
    value_add_bool(a, &v, STR("holds"), result.holds);
    value_add_bool(a, &v, STR("failed"), result.failed);
    value_add_str(a, &v, STR("condition"), arena_str(a, rule->condition));
    if (result.message.len > 0) {
        value_add_str(a, &v, STR("message"), arena_str(a, result.message));
    }
    value_add_int(a, &v, STR("steps"), (int64_t)result.steps);
    value_add(a, &v, STR("evaluated"),
              speaks && j.memory.steps != NULL ? steps_value(rule, j.memory.steps, a, scratch) : value_array());
    return v;
}

/* --- a condition by itself ------------------------------------------------------------------------------------------ */

enum rc gate_condition(const struct gate_input *in, struct str text, bool *ret_holds, struct err *e)
{
    struct facts facts;
    struct thresholds room;
    struct judging j;
    struct cel_value held = {.kind = CEL_ABSENT};
    CLEANUP(cel_program) struct cel_program *program = NULL;
    CLEANUP(cel_env) struct cel_env *env = rule_env_new();
    CLEANUP(arena) struct arena *scratch = arena_new(RULE_MEMORY_MAX);
    const struct cel_options options = {.cost_max = RULE_COST_MAX, .result = &cel_bool};
    if (env == NULL || scratch == NULL) {
        return err_set(e, RC_NO_MEMORY, "out of memory");
    }
    gate_gather(in, &facts);
    const struct check_input seen = gate_seen(in, &facts, &room);
    begin(&seen, scratch, &j);
    enum rc rc = cel_compile(env, text, &options, &program, e);
    const struct cel_activation values = {.values = j.vars, .count = RULE_VAR_COUNT};
    struct cel_run run = {.arena = scratch, .budget = RULE_STEPS_MAX};
    rc = rc == RC_OK ? cel_eval(program, &values, &run, &held, e) : rc;
    *ret_holds = rc == RC_OK && held.kind == CEL_BOOL && held.boolean;
    return rc == RC_LIMIT ? err_wrap(e, RC_INVALID, "cut") : rc;
}

/* --- the finding --------------------------------------------------------------------------------------------------- */

void check_rules(const struct check_input *in, struct finding *ret)
{
    const struct decision *d = in->decided;
    const struct rule_match *first = NULL;
    unsigned counted = 0;
    for (unsigned i = 0; i < d->rule_count; i++) {
        const struct rule_match *m = &d->rules[i];
        counted += m->shadow ? 0 : 1;
        if (!m->shadow && (first == NULL || m->verdict < first->verdict)) {
            first = m;
        }
    }
    if (first == NULL) {
        finding_allow(CHECK_RULES, ret);
        return;
    }
    finding_block(CHECK_RULES, first->verdict, first->failed ? REASON_RULE_FAILED : REASON_RULE, first->rule, ret);
    ret->note = first->message;
    ret->value = (int64_t)counted;
    ret->unknown = first->failed;
    ret->mark = first->verdict == VERDICT_ESCALATE ? d->rules_mark : 0;
}
