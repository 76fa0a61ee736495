/*
 * policy/primitives - rules that name things: exceptions from trust zones, protected surfaces, quorums.
 */
#include "policy/policy_internal.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* --- trust zones ------------------------------------------------------------------------------ */

static const struct field zone_exception_fields[] = {
    {"name", FIELD_NAME, FIELD_OF(struct zone_exception, name), true, 0, 0, 0, NULL},
    {"reason", FIELD_TEXT, FIELD_OF(struct zone_exception, reason), false, 0, 0, 0, NULL},
    {"agents", FIELD_TEXTS, FIELD_OF(struct zone_exception, agents), true, 0, 0, 0, NULL},
    {"tools", FIELD_TEXTS, FIELD_OF(struct zone_exception, tools), true, 0, 0, 0, NULL},
    {"zones", FIELD_TEXTS, FIELD_OF(struct zone_exception, zones), true, 0, 0, 0, NULL},
    {"until", FIELD_INSTANT, FIELD_OF(struct zone_exception, until_ms), false, 0, 0, 0, NULL},
};

enum rc zone_exception_read(struct reader *r, const struct value *v, void *out)
{
    return read_fields(r, v, zone_exception_fields, COUNT(zone_exception_fields), out);
}

struct value zone_exception_value(struct arena *a, const void *in)
{
    return write_fields(a, zone_exception_fields, COUNT(zone_exception_fields), in);
}

/* --- surfaces --------------------------------------------------------------------------------- */

/* In the order of enum verdict. */
static const char *const surface_verdicts[] = {"deny", "escalate", "hold", "advise", "allow", NULL};

static const struct field surface_fields[] = {
    {"name", FIELD_NAME, FIELD_OF(struct surface_rule, name), true, 0, 0, 0, NULL},
    {"verdict", FIELD_WORD, FIELD_OF(struct surface_rule, verdict), true, 0, 0, 0, surface_verdicts},
    {"except", FIELD_TEXTS, FIELD_OF(struct surface_rule, except), false, 0, 0, 0, NULL},
    {"detect", FIELD_TEXTS, FIELD_OF(struct surface_rule, detect), false, 0, 0, 0, NULL},
};

enum rc surface_rule_read(struct reader *r, const struct value *v, void *out)
{
    return read_fields(r, v, surface_fields, COUNT(surface_fields), out);
}

struct value surface_rule_value(struct arena *a, const void *in)
{
    return write_fields(a, surface_fields, COUNT(surface_fields), in);
}

/* --- quorums ---------------------------------------------------------------------------------- */

struct quorum_parts {
    struct quorum_rule rule;
    const struct value *approvals;
};

#define QUORUM(member) FIELD_OF(struct quorum_parts, rule.member)

static const struct field quorum_fields[] = {
    {"name", FIELD_NAME, QUORUM(name), true, 0, 0, 0, NULL},
    {"agents", FIELD_TEXTS, QUORUM(agents), false, 0, 0, 0, NULL},
    {"tools", FIELD_TEXTS, QUORUM(tools), false, 0, 0, 0, NULL},
    {"services", FIELD_TEXTS, QUORUM(services), false, 0, 0, 0, NULL},
    {"surfaces", FIELD_NAMES, QUORUM(surfaces), false, 0, 0, 0, NULL},
    {"classes", FIELD_NAMES, QUORUM(classes), false, 0, 0, 0, NULL},
    {"tiers", FIELD_NAMES, QUORUM(tiers), false, 0, 0, 0, NULL},
    {"irreversible", FIELD_BOOL, QUORUM(irreversible), false, 0, 0, 0, NULL},
    {"blast_over_pct", FIELD_PERCENT, QUORUM(blast_over_ppm), false, 0, 0, 1000000, NULL},
    {"human", FIELD_BOOL, QUORUM(human), false, 1, 0, 0, NULL},
    {"approvals", FIELD_VALUE, FIELD_OF(struct quorum_parts, approvals), true, 0, 0, 0, NULL},
};

static const struct field approval_fields[] = {
    {"group", FIELD_NAME, FIELD_OF(struct quorum_part, group), false, 0, 0, 0, NULL},
    {"count", FIELD_COUNT, FIELD_OF(struct quorum_part, count), false, 1, 1, QUORUM_APPROVALS_MAX, NULL},
};

static enum rc read_approvals(struct reader *r, const struct value *v, struct quorum_rule *rule)
{
    if (!value_is(v, VALUE_ARRAY) || v->count == 0 || v->count > QUORUM_PARTS_MAX) {
        return reader_fail(r, v, "approvals: expected a list of 1 to %d {group, count}", QUORUM_PARTS_MAX);
    }
    int64_t sum = 0;
    for (uint32_t i = 0; i < v->count; i++) {
        enum rc rc = read_fields(r, &v->items[i], approval_fields, COUNT(approval_fields), &rule->parts[i]);
        if (rc != RC_OK) {
            return reader_step_index(r, rc, i);
        }
        sum += rule->parts[i].count;
    }
    rule->part_count = v->count;
    return sum <= QUORUM_APPROVALS_MAX
               ? RC_OK
               : reader_fail(r, v, "approvals: %lld together, at most %d", (long long)sum, QUORUM_APPROVALS_MAX);
}

static enum rc check_words(struct reader *r, const struct value *v, const struct quorum_rule *rule)
{
    for (uint32_t i = 0; i < rule->classes.count; i++) {
        if (!str_eq(rule->classes.items[i], STR("write")) && !str_eq(rule->classes.items[i], STR("destructive"))) {
            return reader_fail(r, v, "classes: expected write or destructive");
        }
    }
    for (uint32_t i = 0; i < rule->tiers.count; i++) {
        enum tier t;
        if (!tier_parse(rule->tiers.items[i], &t) || t == TIER_DEFAULT) {
            return reader_fail(r, v, "tiers: expected read_only, shadow, supervised or autonomous");
        }
    }
    return RC_OK;
}

enum rc quorum_rule_read(struct reader *r, const struct value *v, void *out)
{
    struct quorum_parts parts = {.rule = {.part_count = 0}};
    enum rc rc = read_fields(r, v, quorum_fields, COUNT(quorum_fields), &parts);
    rc = rc == RC_OK ? reader_step(r, read_approvals(r, parts.approvals, &parts.rule), "approvals") : rc;
    rc = rc == RC_OK ? check_words(r, v, &parts.rule) : rc;
    *(struct quorum_rule *)out = parts.rule;
    return rc;
}

struct value quorum_rule_value(struct arena *a, const void *in)
{
    const struct quorum_rule *rule = in;
    struct value approvals = value_array();
    for (uint32_t i = 0; i < rule->part_count; i++) {
        value_push(a, &approvals, write_fields(a, approval_fields, COUNT(approval_fields), &rule->parts[i]));
    }
    struct quorum_parts parts = {.rule = *rule, .approvals = &approvals};
    struct value v = write_fields(a, quorum_fields, COUNT(quorum_fields), &parts);
    return v;
}
