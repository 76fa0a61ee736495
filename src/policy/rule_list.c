/*
 * policy/rule_list - all rules of a policy, from its own list and from files of rules.
 */
#include "policy/policy_internal.h"

struct list {
    struct reader *reader;
    struct cel_env *env;
    struct strmap names;
    struct policy *policy;
    uint32_t room;
};

/* The list in a file: itself, or what stands under `rules`. */
static const struct value *rules_of(const struct value *v)
{
    const struct value *under = value_get(v, STR("rules"));
    return under != NULL && v->count == 1 ? under : v;
}

static enum rc read_one(struct list *l, const struct value *v)
{
    struct policy *p = l->policy;
    struct rule rule;
    enum rc rc = rule_read(l->reader, v, l->env, &rule);
    if (rc != RC_OK) {
        return rc;
    }
    p->rules[p->rule_count++] = rule; /* whoever frees the policy frees its programs */
    if (strmap_get(&l->names, rule.name) != MAP_NONE) {
        return reader_fail(l->reader, v, "rules: \"%.*s\" is declared twice", STR_ARG(rule.name));
    }
    return strmap_put(&l->names, rule.name, p->rule_count - 1);
}

static enum rc read_list(struct list *l, const struct value *v)
{
    if (!value_is(v, VALUE_ARRAY)) {
        return reader_fail(l->reader, v, "rules: expected a list");
    }
    if (v->count > l->room - l->policy->rule_count) {
        return reader_fail(l->reader, v, "rules: more than %d", RULES_MAX);
    }
    for (uint32_t i = 0; i < v->count; i++) {
        enum rc rc = read_one(l, &v->items[i]);
        if (rc != RC_OK) {
            return reader_step(l->reader, reader_step_index(l->reader, rc, i), "rules");
        }
    }
    return RC_OK;
}

static enum rc read_all(struct list *l, const struct value *own, const struct policy_source *source)
{
    enum rc rc = own == NULL ? RC_OK : read_list(l, own);
    for (uint32_t i = 0; rc == RC_OK && i < source->rules_count; i++) {
        struct reader of_file = *l->reader;
        struct reader *whole = l->reader;
        of_file.file = arena_str(of_file.arena, source->rules[i].file);
        l->reader = &of_file;
        rc = read_list(l, rules_of(&source->rules[i].v));
        l->reader = whole;
    }
    return rc;
}

enum rc rules_read(struct reader *r, const struct value *own, const struct policy_source *source, struct policy *p)
{
    if (own == NULL && source->rules_count == 0) {
        return RC_OK;
    }
    uint64_t count = own != NULL && value_is(own, VALUE_ARRAY) ? own->count : 0;
    for (uint32_t i = 0; i < source->rules_count; i++) {
        count += rules_of(&source->rules[i].v)->count;
    }
    struct list l = {.reader = r, .policy = p, .room = count < RULES_MAX ? (uint32_t)count : RULES_MAX};
    l.env = rule_env_new();
    p->rules = arena_array(r->arena, l.room, sizeof *p->rules);
    if (l.env == NULL || (p->rules == NULL && l.room > 0)) {
        cel_env_free(l.env);
        return err_set(r->e, RC_NO_MEMORY, "out of memory");
    }
    strmap_init(&l.names, 0);
    enum rc rc = read_all(&l, own, source);
    strmap_done(&l.names);
    cel_env_free(l.env);
    return rc;
}

struct value rules_value(struct arena *a, const struct policy *p)
{
    struct value all = value_array();
    for (uint32_t i = 0; i < p->rule_count; i++) {
        value_push(a, &all, rule_value(a, &p->rules[i]));
    }
    return all;
}

enum rc validators_read(struct reader *r, const struct value *v, struct policy *p)
{
    if (v == NULL) {
        return RC_OK;
    }
    if (!value_is(v, VALUE_ARRAY) || v->count > VALIDATORS_MAX) {
        return reader_step(r, reader_fail(r, v, "validators: expected a list of at most %d", VALIDATORS_MAX), "validators");
    }
    CLEANUP(cel_env) struct cel_env *env = rule_env_new();
    p->validators = arena_array(r->arena, v->count, sizeof *p->validators);
    if (env == NULL || (p->validators == NULL && v->count > 0)) {
        return err_set(r->e, RC_NO_MEMORY, "out of memory");
    }
    for (uint32_t i = 0; i < v->count; i++) {
        enum rc rc = validator_read(r, &v->items[i], env, &p->validators[i]);
        p->validator_count += rc == RC_OK ? 1 : 0;
        for (uint32_t k = 0; rc == RC_OK && k < i; k++) {
            if (str_eq(p->validators[k].name, p->validators[i].name)) {
                rc = reader_fail(r, &v->items[i], "validators: \"%.*s\" is declared twice", STR_ARG(p->validators[i].name));
            }
        }
        if (rc != RC_OK) {
            return reader_step(r, reader_step_index(r, rc, i), "validators");
        }
    }
    return RC_OK;
}

struct value validators_value(struct arena *a, const struct policy *p)
{
    struct value all = value_array();
    for (uint32_t i = 0; i < p->validator_count; i++) {
        value_push(a, &all, validator_value(a, &p->validators[i]));
    }
    return all;
}

void rules_done(struct policy *p)
{
    for (uint32_t i = 0; i < p->validator_count; i++) {
        validator_done(&p->validators[i]);
    }
    for (uint32_t i = 0; i < p->rule_count; i++) {
        rule_done(&p->rules[i]);
    }
}
