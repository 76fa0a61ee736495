/*
 * backtest/other - the policy that judges now: a given one, or rules laid over the one that was in force.
 *
 * What it declares counts; what only the policy in force declares stays as it was. A budget that was measured for
 * another SLO, and the answer of a validator that was another one, are facts that were not recorded.
 */
#include "backtest/backtest_internal.h"

#include "value/json.h"

#include <stdlib.h>
#include <string.h>

/* --- rules over a policy ---------------------------------------------------------------------------------------- */

static const struct value *rules_of(const struct value *file)
{
    const struct value *under = value_get(file, STR("rules"));
    return under != NULL ? under : file;
}

static bool is_replaced(const struct backtest_options *o, struct str name)
{
    for (uint32_t i = 0; i < o->rules_count; i++) {
        const struct value *rules = rules_of(&o->rules[i].v);
        for (uint32_t k = 0; value_item(rules, k) != NULL; k++) {
            if (str_eq(value_text(value_get(value_item(rules, k), STR("name"))), name)) {
                return true;
            }
        }
    }
    return false;
}

static struct value without_replaced(struct arena *a, const struct backtest_options *o, const struct value *policy)
{
    struct value ret = value_object();
    for (uint32_t i = 0; i < policy->count; i++) {
        const struct member *m = &policy->members[i];
        struct value v = m->value;
        if (str_eq(m->name, STR("rules"))) {
            v = value_array();
            for (uint32_t k = 0; value_item(&m->value, k) != NULL; k++) {
                const struct value *rule = value_item(&m->value, k);
                if (!is_replaced(o, value_text(value_get(rule, STR("name"))))) {
                    value_push(a, &v, *rule);
                }
            }
        }
        value_add(a, &ret, m->name, v);
    }
    return ret;
}

static enum rc compose(struct other *o, const struct policy *in_force, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(POLICY_ARENA_MAX);
    CLEANUP(buf) struct buf text;
    struct value v;
    buf_init(&text, POLICY_TEXT_MAX);
    if (a == NULL) {
        return err_set(e, RC_NO_MEMORY, "out of memory");
    }
    policy_write(&text, in_force);
    enum rc rc = text.rc == RC_OK ? json_parse(a, buf_view(&text), &v, e) : err_set(e, text.rc, "the policy is too large");
    if (rc != RC_OK) {
        return rc;
    }
    v = without_replaced(a, o->options, &v);
    if (arena_rc(a) != RC_OK) {
        return err_set(e, arena_rc(a), "the policy is too large");
    }
    const struct policy_source source = {STR(""), &v, o->options->rules, o->options->rules_count};
    return policy_read_all(&source, &o->own, e);
}

/* --- what it needs ---------------------------------------------------------------------------------------------- */

static void look_for_budgets(void *context, const struct cel_view *view)
{
    bool *reads = context;
    bool variable = view->part == CEL_PART_VARIABLE && (view->slot == RULE_VAR_BUDGET || view->slot == RULE_VAR_BUDGETS);
    bool field = (view->part == CEL_PART_FIELD || view->part == CEL_PART_PRESENCE) && view->class == &rule_signals &&
                 view->slot == RULE_SIGNALS_UPSTREAM_BUDGET_PCT;
    *reads = *reads || variable || field;
}

static void note_rules(struct other *o)
{
    o->rules_read_budgets = false;
    o->rules_worst = VERDICT_ALLOW;
    for (uint32_t i = 0; i < o->policy->rule_count; i++) {
        const struct rule *rule = &o->policy->rules[i];
        bool reads = false;
        cel_walk(rule->program, look_for_budgets, &reads);
        if (reads && rule->mode == MODE_ENFORCE) {
            o->rules_read_budgets = true;
            o->rules_worst = verdict_strictest(o->rules_worst, (enum verdict)rule->verdict);
        }
    }
}

static bool same_texts(const struct str_list *x, const struct str_list *y)
{
    bool same = x->count == y->count;
    for (uint32_t i = 0; same && i < x->count; i++) {
        same = str_eq(x->items[i], y->items[i]);
    }
    return same;
}

static bool same_validator(const struct validator *x, const struct validator *y)
{
    return x->type == y->type && str_eq(x->url, y->url) && str_eq(x->socket, y->socket) && str_eq(x->input, y->input) &&
           same_texts(&x->argv, &y->argv);
}

static void note_validators(struct other *o, const struct policy *in_force)
{
    for (uint32_t i = 0; i < o->policy->validator_count; i++) {
        o->asked_the_same[i] = false;
        for (uint32_t k = 0; in_force != NULL && k < in_force->validator_count; k++) {
            const struct validator *was = &in_force->validators[k];
            bool named = str_eq(was->name, o->policy->validators[i].name);
            o->asked_the_same[i] = o->asked_the_same[i] || (named && same_validator(was, &o->policy->validators[i]));
        }
    }
}

static bool same_slo(const struct service_def *x, const struct service_def *y)
{
    if (x == NULL || y == NULL || !x->has_slo || !y->has_slo) {
        return x == y;
    }
    const struct slo *a = &x->slo;
    const struct slo *b = &y->slo;
    return a->objective_ppm == b->objective_ppm && a->window_ms == b->window_ms && a->source == b->source &&
           str_eq(a->ratio, b->ratio) && str_eq(a->good, b->good) && str_eq(a->total, b->total) &&
           str_eq(a->timestamp, b->timestamp);
}

static enum rc note_slos(struct other *o, const struct world *w, struct err *e)
{
    uint32_t count = world_service_count(w);
    bool *grown = realloc(o->slo_differs, (count + 1) * sizeof *grown);
    if (grown == NULL) {
        return err_set(e, RC_NO_MEMORY, "out of memory");
    }
    o->slo_differs = grown;
    o->service_count = count;
    for (uint32_t i = 0; i < count; i++) {
        const struct world_service *s = world_service_at(w, i);
        o->slo_differs[i] = o->lens && !same_slo(s->def, s->aside);
    }
    return RC_OK;
}

/* --- coming and going -------------------------------------------------------------------------------------------- */

enum rc other_begin(struct other *o, struct world *w, struct err *e)
{
    enum rc rc = RC_OK;
    o->policy = o->options->policy;
    if (o->policy != NULL) {
        rc = world_lens_on(w, o->policy, e);
        o->lens = rc == RC_OK;
    } else if (world_policy(w) != NULL) {
        rc = compose(o, world_policy(w), e);
        o->policy = o->own;
    }
    if (rc != RC_OK || o->policy == NULL) {
        return rc;
    }
    note_rules(o);
    note_validators(o, world_policy(w));
    return note_slos(o, w, e);
}

enum rc other_end(struct other *o, struct world *w, struct err *e)
{
    bool lens = o->lens;
    o->lens = false;
    o->policy = NULL;
    policy_free(o->own);
    o->own = NULL;
    return lens ? world_lens_off(w, e) : RC_OK;
}

void other_done(struct other *o)
{
    policy_free(o->own);
    free(o->slo_differs);
    *o = (struct other){0};
}
