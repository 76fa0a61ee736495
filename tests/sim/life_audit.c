/*
 * tests/sim/life_audit - what must be true of every entry, by the entries before it.
 */
#include "life_audit.h"

#include "base/instant.h"
#include "value/value.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STOPS_AUDITED = 1000, APPROVALS_AUDITED = 16, OVERRIDES_AUDITED = 64 };

/* What a token says of its holder. */
enum { APPROVES = 1, OVERRIDES = 2, RESPONDS = 4, RULES = 8 };
enum { MAY_ACT = APPROVES | OVERRIDES | RESPONDS | RULES, MAY_BREAK = OVERRIDES | RESPONDS | RULES };

struct token {
    char person[64];
    char groups[128];
    unsigned may;
    bool revoked;
};

struct said_yes {
    uint64_t token;
    uint64_t policy;
    char digest[80];
};

struct said_never_mind {
    char check[32];
    uint64_t token;
    uint64_t policy;
    uint64_t seq;
    int64_t until_ms;
};

struct audited {
    char digest[80];
    char agent[32];
    char tool[32];
    char verdict[16];
    bool broken;         /* glass */
    bool escalated;      /* by its newest decision */
    uint64_t decided;    /* seq of it */
    uint64_t policy;     /* it was made under */
    char quorum[4][32];
    unsigned quorum_count;
    struct said_yes approvals[APPROVALS_AUDITED];
    unsigned approval_count;
    struct said_never_mind *overrides;
    unsigned override_count;
    int64_t expires_ms;
    unsigned starts;
    uint64_t proposer;
    bool over;
};

struct stop {
    uint64_t id;
    char scope[16];
    char name[32];
    char level[16];
};

struct audit {
    uint64_t seed;
    uint64_t seq;
    int64_t time_ms;
    uint64_t policy;
    uint64_t clock; /* seq of the newest clock.accepted */
    struct token tokens[AUDIT_SIZE_MAX]; /* by seq */
    struct audited *actions;             /* by seq */
    struct stop stops[STOPS_AUDITED];
    unsigned stop_count;
    struct audit_result *result;
};

static void rule(const struct audit *a, bool it, const char *what)
{
    if (!it) {
        fprintf(stderr, "seed %" PRIu64 ", entry %" PRIu64 ": not so: %s\n", a->seed, a->seq, what);
        abort();
    }
}

static void take(const struct value *v, const char *name, char *out, size_t size)
{
    struct str text = value_text(value_get(v, str_from(name)));
    snprintf(out, size, "%.*s", STR_ARG(text));
}

static bool says(const struct value *v, const char *name)
{
    return value_text(value_get(v, str_from(name))).len > 0;
}

static const struct token *actor_of(const struct audit *a, const struct entry *entry)
{
    uint64_t id = 0;
    rule(a, id_parse(entry->actor, "tok", &id) && id < AUDIT_SIZE_MAX, "somebody does it");
    rule(a, !a->tokens[id].revoked, "a credential that was revoked does nothing");
    return &a->tokens[id];
}

/* --- stops ------------------------------------------------------------------------------------------------------ */

static bool covers(const struct stop *s, const struct audited *x)
{
    /* Every tool of the catalogue touches shop; what no tool matches touches nothing that is declared. */
    return strcmp(s->scope, "all") == 0 || (strcmp(s->scope, "agent") == 0 && strcmp(s->name, x->agent) == 0) ||
           (strcmp(s->scope, "service") == 0 && strcmp(s->name, "shop") == 0 && x->tool[0] != '\0') ||
           (strcmp(s->scope, "tool") == 0 && strcmp(s->name, x->tool) == 0);
}

static void audit_stop(struct audit *a, const struct entry *entry, const struct value *body)
{
    uint64_t id = 0;
    if (entry->kind == ENTRY_STOP_SET) {
        rule(a, a->stop_count < STOPS_AUDITED, "room");
        struct stop *s = &a->stops[a->stop_count++];
        s->id = a->seq;
        take(body, "scope", s->scope, sizeof s->scope);
        take(body, "name", s->name, sizeof s->name);
        take(body, "level", s->level, sizeof s->level);
        return;
    }
    rule(a, id_parse(entry->refs[0], "stp", &id), "a stop is named");
    for (unsigned i = 0; i < a->stop_count; i++) {
        if (a->stops[i].id == id) {
            a->stops[i] = a->stops[--a->stop_count];
        }
    }
}

/* --- people ------------------------------------------------------------------------------------------------------ */

static void audit_token(struct audit *a, const struct entry *entry, const struct value *body)
{
    static const struct {
        const char *name;
        unsigned may;
    } rows[] = {{"approver", APPROVES}, {"override", OVERRIDES}, {"responder", RESPONDS}, {"admin", RULES}};
    uint64_t id = 0;
    if (entry->kind == ENTRY_TOKEN_REVOKED) {
        rule(a, id_parse(entry->refs[0], "tok", &id), "a token is named");
        a->tokens[id].revoked = true;
        return;
    }
    struct token *t = &a->tokens[a->seq];
    take(body, "person", t->person, sizeof t->person);
    take(body, "groups", t->groups, sizeof t->groups);
    const struct value *roles = value_get(body, STR("roles"));
    for (uint32_t i = 0; value_item(roles, i) != NULL; i++) {
        for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
            t->may |= str_eq(value_text(value_item(roles, i)), str_from(rows[k].name)) ? rows[k].may : 0;
        }
    }
}

static const char *owner_of(const struct audited *x)
{
    return strcmp(x->agent, "bot") == 0 ? "ann" : strcmp(x->agent, "cat") == 0 ? "ben" : "";
}

/* Neither who asks nor who answers for the agent. */
static void audit_independence(const struct audit *a, const struct audited *x, const struct token *t)
{
    rule(a, strcmp(t->person, a->tokens[x->proposer].person) != 0, "nobody judges what she proposed");
    rule(a, strcmp(t->person, owner_of(x)) != 0, "the owner does not judge");
}

static bool in_group(const struct token *t, const char *group)
{
    char list[160];
    char want[40];
    snprintf(list, sizeof list, ",%s,", t->groups);
    snprintf(want, sizeof want, ",%s,", group);
    return strstr(list, want) != NULL;
}

static bool may_approve(const struct token *t)
{
    return (t->may & APPROVES) != 0 && !t->revoked;
}

/* Tries every way to give the rule's places to people: small, so the plainest search will do. */
static bool seated(const struct audit *a, const struct audited *x, const char *const *places, unsigned count, unsigned used)
{
    if (count == 0) {
        return true;
    }
    for (unsigned i = 0; i < x->approval_count; i++) {
        const struct token *t = &a->tokens[x->approvals[i].token];
        bool same_person = false;
        for (unsigned k = 0; k < x->approval_count; k++) {
            same_person = same_person || ((used & (1U << k)) != 0 &&
                                          strcmp(a->tokens[x->approvals[k].token].person, t->person) == 0);
        }
        if ((used & (1U << i)) == 0 && !same_person && may_approve(t) && in_group(t, places[0]) &&
            seated(a, x, places + 1, count - 1, used | 1U << i)) {
            return true;
        }
    }
    return false;
}

static void audit_quorum(const struct audit *a, const struct audited *x)
{
    static const char *const two[] = {"sre", "sre"};
    static const char *const dba[] = {"sre", "dba"};
    unsigned standing = 0;
    for (unsigned i = 0; i < x->approval_count; i++) {
        standing += may_approve(&a->tokens[x->approvals[i].token]) ? 1 : 0;
        rule(a, strcmp(x->approvals[i].digest, x->digest) == 0, "an approval is for these very bytes");
        rule(a, x->approvals[i].policy == a->policy, "an approval does not outlive its policy");
        audit_independence(a, x, &a->tokens[x->approvals[i].token]);
    }
    rule(a, standing > 0, "somebody who is entitled approved");
    for (unsigned i = 0; i < x->quorum_count; i++) {
        bool is_two = strcmp(x->quorum[i], "two") == 0;
        rule(a, seated(a, x, is_two ? two : dba, 2, 0), "the quorum is met by distinct entitled people");
    }
}

/* What both kinds of word are about: this action, as it was shown, while it waits. */
static void audit_shown(const struct audit *a, const struct audited *x, const struct value *body)
{
    char text[80];
    uint64_t decision = 0;
    take(body, "digest", text, sizeof text);
    rule(a, x->digest[0] != '\0' && strcmp(text, x->digest) == 0, "a word is about these very bytes");
    rule(a, id_parse(value_text(value_get(body, STR("decision"))), "dec", &decision) && decision == x->decided,
         "a word is about the newest decision");
    rule(a, !x->over && x->starts == 0, "what is over, or runs, is not judged");
    rule(a, a->time_ms < x->expires_ms, "what expired is not judged");
}

static void audit_approval(struct audit *a, struct audited *x, const struct entry *entry, const struct value *body)
{
    const struct token *t = actor_of(a, entry);
    rule(a, may_approve(t), "an approver is entitled");
    rule(a, x->escalated, "only what waits for people is approved");
    audit_shown(a, x, body);
    rule(a, x->approval_count < APPROVALS_AUDITED, "room");
    for (unsigned i = 0; i < x->approval_count; i++) {
        rule(a, strcmp(a->tokens[x->approvals[i].token].person, t->person) != 0, "nobody approves twice");
    }
    struct said_yes *p = &x->approvals[x->approval_count++];
    *p = (struct said_yes){.token = (uint64_t)(t - a->tokens), .policy = a->policy};
    take(body, "digest", p->digest, sizeof p->digest);
    int64_t at;
    if (value_bool_or(value_get(body, STR("quorum")), false) &&
        instant_parse(value_text(value_get(body, STR("expires_at"))), &at)) {
        x->expires_ms = at;
    }
}

/* --- overrides ------------------------------------------------------------------------------------------------------ */

static bool by_name(const char *check)
{
    return strcmp(check, "freeze") == 0 || strcmp(check, "upstream") == 0 || strcmp(check, "rate") == 0;
}

static void audit_override(struct audit *a, struct audited *x, const struct entry *entry, const struct value *body)
{
    const struct token *t = actor_of(a, entry);
    rule(a, (t->may & OVERRIDES) != 0, "who overrides is entitled");
    audit_independence(a, x, t);
    audit_shown(a, x, body);
    rule(a, !x->broken, "what nothing holds is not overridden");
    rule(a, says(body, "reason"), "an override has a reason");
    rule(a, x->override_count < OVERRIDES_AUDITED, "room");
    x->overrides = realloc(x->overrides, (x->override_count + 1) * sizeof *x->overrides);
    rule(a, x->overrides != NULL, "room");
    struct said_never_mind *o = &x->overrides[x->override_count++];
    *o = (struct said_never_mind){.token = (uint64_t)(t - a->tokens), .policy = a->policy, .seq = a->seq};
    take(body, "check", o->check, sizeof o->check);
    rule(a, instant_parse(value_text(value_get(body, STR("expires_at"))), &o->until_ms) && o->until_ms > a->time_ms &&
                o->until_ms <= a->time_ms + HOUR_MS,
         "an override ends, like an approval");
    a->result->overrides++;
}

static bool is_overridden(const struct audit *a, const struct audited *x, const char *check)
{
    for (unsigned i = 0; i < x->override_count; i++) {
        const struct said_never_mind *o = &x->overrides[i];
        const struct token *t = &a->tokens[o->token];
        if (strcmp(o->check, check) == 0 && o->policy == a->policy && a->time_ms < o->until_ms && o->seq > a->clock &&
            !t->revoked && (t->may & OVERRIDES) != 0) {
            return true;
        }
    }
    return false;
}

/* --- findings --------------------------------------------------------------------------------------------------------- */

/* [check, verdict, reason, value, threshold, subject, flags, release], or a check's name for a plain allow. */
static void audit_finding(struct audit *a, const struct audited *x, const struct value *item, bool starts)
{
    enum { SHADOW = 1, UNKNOWN = 2, WAIVED = 4 };
    if (!value_is(item, VALUE_ARRAY)) {
        return;
    }
    char check[32];
    snprintf(check, sizeof check, "%.*s", STR_ARG(value_text(value_item(item, 0))));
    struct str verdict = value_text(value_item(item, 1));
    int64_t flags = value_integer_or(value_item(item, 6), 0);
    bool holds = str_eq(verdict, STR("hold"));
    if ((flags & WAIVED) != 0 && x->broken) {
        rule(a, strcmp(check, "identity") != 0 && strcmp(check, "stop") != 0, "broken glass leaves identity and stop");
    } else if ((flags & WAIVED) != 0) {
        rule(a, holds && (by_name(check) || (flags & UNKNOWN) != 0), "only what may be overridden is waived");
        rule(a, is_overridden(a, x, check), "what is waived has an override in force");
        a->result->waived++;
    } else if (starts && (flags & SHADOW) == 0) {
        bool approved = x->escalated && (str_eq(verdict, STR("escalate")) || (holds && strcmp(check, "aqdd") == 0));
        rule(a, str_eq(verdict, STR("allow")) || approved, "at a start every finding allows, was approved or is waived");
    }
}

static void audit_findings(struct audit *a, const struct audited *x, const struct value *body, bool starts)
{
    const struct value *findings = value_get(body, STR("findings"));
    rule(a, value_item(findings, 0) != NULL, "a decision has findings");
    for (uint32_t i = 0; value_item(findings, i) != NULL; i++) {
        audit_finding(a, x, value_item(findings, i), starts);
    }
}

/* --- broken glass --------------------------------------------------------------------------------------------------- */

static void audit_broken(struct audit *a, const struct audited *x, const struct entry *entry, const struct value *body)
{
    uint64_t action = 0;
    const struct token *t = actor_of(a, entry);
    char person[64];
    take(body, "person", person, sizeof person);
    rule(a, value_bool_or(value_get(body, STR("break_glass")), false) == x->broken, "a start says whether glass was broken");
    if (!x->broken) {
        return;
    }
    rule(a, (t->may & MAY_BREAK) != 0, "who breaks glass is entitled");
    rule(a, strcmp(person, t->person) == 0, "broken glass has a name on it");
    rule(a, a->result->review_count < AUDIT_REVIEWS_MAX && id_parse(entry->refs[0], "act", &action), "room");
    struct audited_review *r = &a->result->reviews[a->result->review_count++];
    *r = (struct audited_review){.id = a->seq, .action = action, .by_ms = a->time_ms + DAY_MS};
    memcpy(r->person, person, sizeof r->person);
    a->result->broken++;
}

static void audit_closing(struct audit *a, const struct entry *entry)
{
    uint64_t id = 0;
    const struct token *t = actor_of(a, entry);
    struct audit_result *all = a->result;
    rule(a, id_parse(entry->refs[0], "inc", &id), "an incident is named");
    rule(a, (t->may & (RESPONDS | RULES)) != 0, "who closes an incident is entitled");
    unsigned i = 0;
    while (i < all->review_count && all->reviews[i].id != id) {
        i++;
    }
    rule(a, i < all->review_count, "only a review that is open is closed");
    rule(a, strcmp(all->reviews[i].person, t->person) != 0, "another person looks at it");
    memmove(&all->reviews[i], &all->reviews[i + 1], (all->review_count - i - 1) * sizeof *all->reviews);
    all->review_count--;
    all->closed++;
}

/* --- actions --------------------------------------------------------------------------------------------------------- */

static void audit_start(struct audit *a, struct audited *x, const struct entry *entry, const struct value *body)
{
    a->result->starts++;
    rule(a, x->starts == 0, "nothing starts twice");
    rule(a, !x->over, "what was over does not start");
    rule(a, a->time_ms < x->expires_ms, "nothing starts after it expired");
    rule(a, str_eq(value_text(value_get(body, STR("verdict"))), STR("allow")), "a start has an allow of its own commit");
    rule(a, strcmp(actor_of(a, entry)->person, a->tokens[x->proposer].person) == 0, "who proposed it starts it");
    for (unsigned i = 0; i < a->stop_count; i++) {
        rule(a, !covers(&a->stops[i], x), "nothing starts under a stop, a pause or a dry run");
    }
    audit_broken(a, x, entry, body);
    unsigned waived = a->result->waived;
    audit_findings(a, x, body, true);
    a->result->overridden += a->result->waived > waived ? 1 : 0;
    if (x->escalated) {
        audit_quorum(a, x);
    } else {
        rule(a, strcmp(x->verdict, "allow") == 0, "what was not allowed needs people");
    }
    x->starts++;
}

static void audit_decision(struct audit *a, struct audited *x, const struct value *body)
{
    take(body, "verdict", x->verdict, sizeof x->verdict);
    x->escalated = strcmp(x->verdict, "escalate") == 0;
    x->decided = a->seq;
    x->policy = a->policy;
    x->approval_count = 0;
    x->quorum_count = 0;
    x->over = strcmp(x->verdict, "deny") == 0 || strcmp(x->verdict, "advise") == 0;
    int64_t at;
    x->expires_ms = instant_parse(value_text(value_get(body, STR("expires_at"))), &at) ? at : INT64_MAX;
    const struct value *names = value_get(body, STR("quorum"));
    for (uint32_t i = 0; i < 4 && value_item(names, i) != NULL; i++) {
        snprintf(x->quorum[x->quorum_count++], 32, "%.*s", STR_ARG(value_text(value_item(names, i))));
    }
    audit_findings(a, x, body, false);
}

static void audit_proposal(struct audit *a, struct audited *x, const struct entry *entry, const struct value *body)
{
    const struct value *request = value_get(body, STR("request"));
    const struct token *t = actor_of(a, entry);
    *x = (struct audited){.proposer = (uint64_t)(t - a->tokens), .broken = says(request, "break_glass")};
    take(request, "digest", x->digest, sizeof x->digest);
    take(request, "agent", x->agent, sizeof x->agent);
    take(body, "tool", x->tool, sizeof x->tool);
    char person[64];
    take(request, "person", person, sizeof person);
    bool human = person[0] != '\0';
    rule(a, human != (x->agent[0] != '\0'), "an action is an agent's or a person's");
    rule(a, !human || (strcmp(person, t->person) == 0 && (t->may & MAY_ACT) != 0), "a person acts as herself, and may");
    rule(a, !x->broken || (human && (t->may & MAY_BREAK) != 0), "who breaks glass is an entitled person");
    audit_decision(a, x, body);
}

static void audit_entry(struct audit *a, const struct entry *entry, const struct value *body)
{
    uint64_t id = 0;
    struct audited *x =
        entry->ref_count > 0 && id_parse(entry->refs[0], "act", &id) ? &a->actions[id] : &a->actions[a->seq];
    rule(a, entry->time_ms >= a->time_ms, "time does not go back");
    a->time_ms = entry->time_ms;
    switch (entry->kind) {
    case ENTRY_POLICY_LOADED:
        a->policy = a->seq;
        break;
    case ENTRY_CLOCK_ACCEPTED:
        a->clock = a->seq;
        for (uint64_t i = 0; i < a->seq; i++) {
            a->actions[i].approval_count = 0; /* by the old clock: whoever meant it says it again */
        }
        break;
    case ENTRY_TOKEN_CREATED:
    case ENTRY_TOKEN_REVOKED:
        audit_token(a, entry, body);
        break;
    case ENTRY_STOP_SET:
    case ENTRY_STOP_LIFTED:
        audit_stop(a, entry, body);
        break;
    case ENTRY_ACTION_DECIDED:
        audit_proposal(a, x, entry, body);
        break;
    case ENTRY_ACTION_REDECIDED:
        if (value_bool_or(value_get(body, STR("approval_kept")), false)) {
            audit_findings(a, x, body, false);
        } else {
            audit_decision(a, x, body);
        }
        break;
    case ENTRY_APPROVAL_GRANTED:
        audit_approval(a, x, entry, body);
        break;
    case ENTRY_OVERRIDE_GRANTED:
        audit_override(a, x, entry, body);
        break;
    case ENTRY_ACTION_COMMITTED:
        audit_start(a, x, entry, body);
        break;
    case ENTRY_INCIDENT_CLOSED:
        audit_closing(a, entry);
        break;
    case ENTRY_APPROVAL_REJECTED:
    case ENTRY_ACTION_EXPIRED:
    case ENTRY_ACTION_CANCELLED:
    case ENTRY_ACTION_ABANDONED:
        x->over = true;
        break;
    default:
        break;
    }
}

void audit_ledger(struct control *c, uint64_t seed, struct audit_result *ret)
{
    struct audit *a = calloc(1, sizeof *a);
    uint64_t size = control_read_seq(c);
    if (a == NULL || size >= AUDIT_SIZE_MAX || (a->actions = calloc(size + 1, sizeof *a->actions)) == NULL) {
        fprintf(stderr, "seed %" PRIu64 ": no room to audit %" PRIu64 " entries\n", seed, size);
        abort();
    }
    *ret = (struct audit_result){.starts = 0};
    a->seed = seed;
    a->result = ret;
    CLEANUP(arena) struct arena *arena = arena_new(64 << 20);
    for (a->seq = 0; a->seq < size; a->seq++) {
        struct entry entry;
        struct value body;
        arena_reset(arena);
        rule(a, control_read_entry(c, arena, a->seq, &entry, &body, NULL) == RC_OK, "every entry reads back");
        audit_entry(a, &entry, &body);
    }
    for (uint64_t i = 0; i <= size; i++) {
        free(a->actions[i].overrides);
    }
    free(a->actions);
    free(a);
}
