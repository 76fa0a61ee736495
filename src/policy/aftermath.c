/*
 * policy/aftermath - what follows an execution: what is watched and asked after it, and the way back.
 *
 * Both name commands by exact words, never by a line for a shell.
 */
#include "policy/policy_internal.h"

#include "policy/rules.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static enum rc check_command(struct reader *r, const struct value *v, const struct str_list *argv, const char *what)
{
    if (!str_starts(argv->items[0], STR("/"))) {
        return reader_fail(r, v, "%s: expected an absolute path as the first word", what);
    }
    return argv->count <= ARGV_WORDS_MAX ? RC_OK : reader_fail(r, v, "%s: expected at most %d words", what, ARGV_WORDS_MAX);
}

/* --- the way back ---------------------------------------------------------------------------------------- */

static const struct field revert_fields[] = {
    {"argv", FIELD_TEXTS, FIELD_OF(struct revert, argv), true, 0, 0, 0, NULL},
    {"timeout", FIELD_SPAN, FIELD_OF(struct revert, timeout_ms), false, 60000, 1000, 3600000, NULL},
};

enum rc revert_read(struct reader *r, const struct value *v, struct revert *ret)
{
    enum rc rc = read_fields(r, v, revert_fields, COUNT(revert_fields), ret);
    return rc == RC_OK ? check_command(r, v, &ret->argv, "revert") : rc;
}

struct value revert_value(struct arena *a, const struct revert *back)
{
    return write_fields(a, revert_fields, COUNT(revert_fields), back);
}

/* --- invariants -------------------------------------------------------------------------------------------- */

enum { AFTER_ALL = -1 }; /* not said: at the end */

static const struct field invariant_fields[] = {
    {"name", FIELD_NAME, FIELD_OF(struct invariant, name), true, 0, 0, 0, NULL},
    {"argv", FIELD_TEXTS, FIELD_OF(struct invariant, argv), false, 0, 0, 0, NULL},
    {"condition", FIELD_TEXT, FIELD_OF(struct invariant, condition), false, 0, 0, 0, NULL},
    {"after", FIELD_SPAN, FIELD_OF(struct invariant, after_ms), false, AFTER_ALL, 0, 24 * 3600000LL, NULL},
    {"timeout", FIELD_SPAN, FIELD_OF(struct invariant, timeout_ms), false, 10000, 100, 600000, NULL},
};

/* Compiled here for its errors only: it is judged by the text that was decided. */
static enum rc check_condition(struct reader *r, const struct value *v, struct str text)
{
    struct cel_program *program = NULL;
    struct err inner;
    CLEANUP(cel_env) struct cel_env *env = rule_env_new();
    const struct cel_options options = {.cost_max = RULE_COST_MAX, .result = &cel_bool};
    if (env == NULL) {
        return err_set(r->e, RC_NO_MEMORY, "out of memory");
    }
    if (text.len > RULE_TEXT_MAX) {
        return reader_fail(r, v, "condition: expected an expression of at most %d bytes", RULE_TEXT_MAX);
    }
    enum rc rc = cel_compile(env, text, &options, &program, &inner);
    cel_program_free(program);
    return rc == RC_OK ? RC_OK : reader_fail(r, v, "condition: at %s of the expression: %s", inner.where, inner.text);
}

static enum rc read_invariant(struct reader *r, const struct value *v, int64_t for_ms, struct invariant *ret)
{
    enum rc rc = read_fields(r, v, invariant_fields, COUNT(invariant_fields), ret);
    if (rc != RC_OK) {
        return rc;
    }
    ret->after_ms = ret->after_ms == AFTER_ALL ? for_ms : ret->after_ms;
    if (ret->after_ms > for_ms) {
        return reader_fail(r, v, "after: expected no more than the observation's own time");
    }
    if ((ret->argv.count > 0) == (ret->condition.len > 0)) {
        return reader_fail(r, v, "expected either argv or condition");
    }
    return ret->argv.count > 0 ? check_command(r, v, &ret->argv, "argv") : check_condition(r, v, ret->condition);
}

static enum rc read_invariants(struct reader *r, const struct value *v, struct observation *ret)
{
    if (!value_is(v, VALUE_ARRAY) || v->count > INVARIANTS_MAX) {
        return reader_fail(r, v, "expected a list of at most %d invariants", INVARIANTS_MAX);
    }
    struct invariant *all = arena_array(r->arena, v->count, sizeof *all);
    for (uint32_t i = 0; i < v->count && all != NULL; i++) {
        enum rc rc = read_invariant(r, &v->items[i], ret->for_ms, &all[i]);
        for (uint32_t k = 0; k < i && rc == RC_OK; k++) {
            if (str_eq(all[k].name, all[i].name)) {
                rc = reader_fail(r, &v->items[i], "name: there is another of that name");
            }
        }
        if (rc != RC_OK) {
            return reader_step_index(r, rc, i);
        }
    }
    ret->invariants = all;
    ret->invariant_count = all == NULL ? 0 : v->count;
    return RC_OK;
}

/* --- what is watched --------------------------------------------------------------------------------------- */

struct observation_parts {
    struct observation def;
    const struct value *invariants;
};

static const struct field observation_fields[] = {
    {"for", FIELD_SPAN, FIELD_OF(struct observation_parts, def.for_ms), true, 0, 1000, 24 * 3600000LL, NULL},
    {"max_drop_pct", FIELD_PERCENT, FIELD_OF(struct observation_parts, def.max_drop_ppm), false, 10000, 0, 1000000, NULL},
    {"invariants", FIELD_VALUE, FIELD_OF(struct observation_parts, invariants), false, 0, 0, 0, NULL},
};

enum rc observation_read(struct reader *r, const struct value *v, struct observation *ret)
{
    struct observation_parts parts = {0};
    enum rc rc = read_fields(r, v, observation_fields, COUNT(observation_fields), &parts);
    if (rc == RC_OK && parts.invariants != NULL) {
        rc = reader_step(r, read_invariants(r, parts.invariants, &parts.def), "invariants");
    }
    *ret = parts.def;
    return rc;
}

struct value observation_value(struct arena *a, const struct observation *o)
{
    struct value list = value_array();
    for (uint32_t i = 0; i < o->invariant_count; i++) {
        value_push(a, &list, write_fields(a, invariant_fields, COUNT(invariant_fields), &o->invariants[i]));
    }
    struct observation_parts parts = {.def = *o, .invariants = list.count > 0 ? &list : NULL};
    return write_fields(a, observation_fields, COUNT(observation_fields), &parts);
}
