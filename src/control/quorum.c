/*
 * control/quorum - have the right people approved?
 *
 * Each rule that the action fits names groups with counts; a person counts once over all groups of a rule, so
 * the question is whether people and places can be matched. What destroys, and a migration that harms, needs at
 * least one human whatever the rules say; without a rule one approval is enough.
 */
#include "control/control_internal.h"

#include <string.h>

/* Those whose approval stands: in force still, and approver still. */
struct approvers {
    const struct world_token *all[APPROVALS_MAX + 1];
    unsigned count;
    bool human;
};

static void add_approver(struct approvers *p, const struct world_token *t, int64_t now_ms)
{
    bool in_force = t != NULL && !t->revoked && (t->expires_ms == 0 || now_ms < t->expires_ms) &&
                    (t->roles & ROLE_APPROVER) != 0;
    if (in_force && p->count < APPROVALS_MAX + 1) {
        p->all[p->count++] = t;
        p->human = p->human || t->agent == MAP_NONE;
    }
}

bool token_in_group(const struct world_token *t, struct str group)
{
    struct str rest = str_from(t->groups);
    struct str one;
    if (group.len == 0) {
        return true;
    }
    while (rest.len > 0 && str_next(&rest, ',', &one)) {
        if (str_eq(str_trim(one), group)) {
            return true;
        }
    }
    return false;
}

/* A rule's places, one for each approval that it asks for. */
struct places {
    struct str group[QUORUM_APPROVALS_MAX];
    unsigned count;
    int taken_by[QUORUM_APPROVALS_MAX]; /* approver, or -1 */
};

/* Finds a place for one approver, moving others on if need be. */
static bool seat(struct places *p, const struct approvers *who, unsigned approver, unsigned seen)
{
    for (unsigned i = 0; i < p->count; i++) {
        if ((seen & (1U << i)) != 0 || !token_in_group(who->all[approver], p->group[i])) {
            continue;
        }
        seen |= 1U << i;
        if (p->taken_by[i] < 0 || seat(p, who, (unsigned)p->taken_by[i], seen)) {
            p->taken_by[i] = (int)approver;
            return true;
        }
    }
    return false;
}

/* Seats everybody who fits; the places that stay empty are what is missing. */
static struct places seat_all(const struct quorum_rule *rule, const struct approvers *who)
{
    struct places p = {.count = 0};
    for (uint32_t i = 0; i < rule->part_count; i++) {
        for (int64_t k = 0; k < rule->parts[i].count && p.count < QUORUM_APPROVALS_MAX; k++) {
            p.group[p.count] = rule->parts[i].group;
            p.taken_by[p.count++] = -1;
        }
    }
    for (unsigned i = 0; i < who->count; i++) {
        (void)seat(&p, who, i, 0);
    }
    return p;
}

static void add_empty(const struct places *p, struct str rule, struct quorum_missing *ret)
{
    for (unsigned i = 0; i < p->count; i++) {
        if (p->taken_by[i] < 0) {
            ret->places[ret->count++] = (struct quorum_place){rule, p->group[i]};
        }
    }
}

static bool needs_human(struct control *c, const struct action *action)
{
    bool destroys = action->tool != MAP_NONE && world_tool_at(c->world, action->tool)->def != NULL &&
                    world_tool_at(c->world, action->tool)->def->class == TOOL_DESTRUCTIVE;
    return destroys || action_review(action)->shown[CHECK_SCHEMA_DRIFT].shown;
}

static void find_missing(struct control *c, const struct action *action, const struct world_token *with,
                         struct quorum_missing *ret)
{
    const struct action_review *review = action_review(action);
    const struct policy *policy = world_policy(c->world);
    struct approvers who = {.count = 0};
    *ret = (struct quorum_missing){0};
    for (uint32_t i = 0; i < review->approval_count; i++) {
        add_approver(&who, world_token_by_id(c->world, review->approvals[i].token), clock_now(c));
    }
    if (with != NULL) {
        add_approver(&who, with, clock_now(c));
    }
    bool human = needs_human(c, action);
    for (uint32_t i = 0; i < review->quorum_count; i++) {
        uint32_t at = review->quorums[i];
        if (policy == NULL || at >= policy->quorum_count) {
            ret->rule_gone = true;
            continue;
        }
        const struct quorum_rule *rule = &policy->quorums[at];
        struct places p = seat_all(rule, &who);
        add_empty(&p, rule->name, ret);
        human = human || rule->human;
    }
    ret->human = human && !who.human;
    ret->any = who.count == 0 && ret->count == 0;
}

bool quorum_met(struct control *c, const struct action *action, const struct world_token *with)
{
    struct quorum_missing missing;
    find_missing(c, action, with, &missing);
    return missing.count == 0 && !missing.human && !missing.any && !missing.rule_gone;
}

void control_quorum_missing(struct control *c, const struct action *action, struct quorum_missing *ret)
{
    find_missing(c, action, NULL, ret);
}
