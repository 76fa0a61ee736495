/*
 * The whole control plane on a real ledger, with a clock of its own, driven at random: agents propose and commit,
 * people approve and leave, executors are lost, things are stopped, the clock jumps, the process ends and starts
 * again. At the end an auditor, who shares no code with what it audits, reads the ledger alone, entry by entry,
 * and asks of every start of an execution whether it was right.
 *
 * sim_life [seed [steps]]. Prints the seed; a failing run names entry and rule.
 */
#include "control_bench.h"

#include "base/encode.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { PEOPLE = 5, OPEN_MAX = 4000 };

struct life {
    struct bench *b;
    uint64_t seed;
    uint64_t random;
    struct principal people[PEOPLE];
    bool gone[PEOPLE];
    uint64_t ids[OPEN_MAX]; /* actions that were proposed */
    unsigned count;
    unsigned step;
    unsigned answered;      /* requests that got an answer: each must be in the ledger */
    uint64_t answered_seq[OPEN_MAX * 4];
    unsigned starts;
    unsigned restarts;
};

static uint64_t below(struct life *l, uint64_t n)
{
    l->random ^= l->random << 13;
    l->random ^= l->random >> 7;
    l->random ^= l->random << 17;
    return l->random % n;
}

static void holds(const struct life *l, bool it, const char *rule, uint64_t seq)
{
    if (!it) {
        fprintf(stderr, "seed %" PRIu64 ", step %u, entry %" PRIu64 ": %s\n", l->seed, l->step, seq, rule);
        abort();
    }
}

static void answer(struct life *l, uint64_t seq)
{
    if (l->answered < OPEN_MAX * 4) {
        l->answered_seq[l->answered++] = seq;
    }
}

/* Most of what is tried at random is refused, and that is right; a broken world is not. */
static void tried(const struct life *l, enum rc rc)
{
    holds(l, rc != RC_CORRUPT && rc != RC_NO_MEMORY, "the world is sound", 0);
    settle(l->b);
}

/* --- what happens ---------------------------------------------------------------------------------------- */

static const char *const policies[] = {
    "{" CATALOGUE ",'quorum':[{'name':'two','tools':['scale'],'approvals':[{'group':'sre','count':2}]},"
    "{'name':'dba','tools':['wipe'],'approvals':[{'group':'sre'},{'group':'dba'}]}]}",
    "{" CATALOGUE ",'checks':{'tier':{'supervised_write':'person'},'rate':{'concurrent':2}}}",
    "{" CATALOGUE ",'checks':{'breaker':{'max_failures':6,'open_for':'10s'},'tier':{'default':'autonomous'}}}",
};

static void do_propose(struct life *l)
{
    static const char *const tools[] = {"scale", "wipe", "look", "scale"};
    struct decided d = {0};
    if (l->count == OPEN_MAX || propose_as(l->b, below(l, 3) == 0 ? &l->b->cat : &l->b->bot, tools[below(l, 4)], (int64_t)below(l, 60),
                                           below(l, 5) == 0 ? "not sure" : "", &d) != RC_OK) {
        return;
    }
    settle(l->b);
    answer(l, d.seq);
    l->ids[l->count++] = d.action;
}

static const struct action *some(struct life *l)
{
    return l->count == 0 ? NULL : world_action(HERE(l->b), l->ids[below(l, l->count)]);
}

static const struct action *newest(struct life *l, enum action_state state)
{
    for (unsigned i = l->count; i-- > 0 && i + 60 > l->count;) {
        const struct action *a = world_action(HERE(l->b), l->ids[i]);
        if (a != NULL && a->state == state && below(l, 2) == 0) {
            return a;
        }
    }
    return some(l);
}

static void do_approve(struct life *l)
{
    const struct action *a = newest(l, ACTION_ESCALATED);
    unsigned who = (unsigned)below(l, PEOPLE);
    if (a == NULL || l->gone[who] || l->people[who].token == 0) {
        return;
    }
    uint64_t seq = control_read_seq(l->b->c);
    if (approve(l->b, &l->people[who], a->id) == RC_OK) {
        answer(l, seq);
    }
}

static struct str nonce_of(struct life *l, const struct action *a)
{
    return arena_printf(l->b->a, "the-nonce-of-%08" PRIu64 "-%d", a->id, below(l, 8) == 0 ? 2 : 1);
}

static const struct principal *proposer(struct life *l, const struct action *a)
{
    return a->agent == l->b->bot.agent ? &l->b->bot : &l->b->cat;
}

static void do_commit(struct life *l)
{
    const struct action *a = newest(l, below(l, 2) == 0 ? ACTION_ALLOWED : ACTION_APPROVED);
    if (a == NULL || a->agent == MAP_NONE) {
        return;
    }
    uint64_t id = a->id;
    struct committed c = commit(l->b, proposer(l, a), id, nonce_of(l, a));
    if (c.rc == RC_OK) {
        answer(l, c.decided.seq);
        l->starts += c.release == RELEASE_GO && !c.decided.pending_again ? 1 : 0;
    }
}

static void do_outcome(struct life *l)
{
    const struct action *a = newest(l, ACTION_EXECUTING);
    if (a == NULL || a->agent == MAP_NONE) {
        return;
    }
    struct outcome o = {.succeeded = below(l, 4) != 0};
    tried(l, control_outcome(l->b->c, l->b->a, proposer(l, a), a->id, nonce_of(l, a), &o, &l->b->e));
}

/* A stop that nobody lifts would end the life: it is lifted sooner than the next one is set. */
static void do_stop(struct life *l)
{
    const struct world *w = HERE(l->b);
    if (world_stop_count(w) > 0 && below(l, 4) != 0) {
        tried(l, control_stop_lift(l->b->c, l->b->a, &l->b->admin, world_stop_at(w, 0)->id, STR("over"), NULL, &l->b->e));
        return;
    }
    static const struct {
        enum stop_scope scope;
        const char *name;
    } rows[] = {{STOP_ALL, ""}, {STOP_AGENT, "bot"}, {STOP_SERVICE, "shop"}, {STOP_TOOL, "scale"}};
    size_t i = below(l, 4);
    struct stop_order o = {.scope = rows[i].scope, .name = str_from(rows[i].name),
                           .level = (enum stop_level)below(l, 3), .reason = STR("drill")};
    uint64_t id;
    /* The system's own, so that the same admin may lift it. */
    tried(l, control_stop_set(l->b->c, l->b->a, NULL, &o, NULL, &id, &l->b->e));
}

static void do_people(struct life *l)
{
    unsigned who = (unsigned)below(l, PEOPLE);
    static const char *const groups[PEOPLE] = {"sre", "sre,dba", "sre", "dba", "sre"};
    static const char *const names[PEOPLE] = {"dora", "emil", "finn", "gina", "ann"}; /* ann owns bot */
    if (!l->gone[who] && l->people[who].token != 0) {
        l->gone[who] = control_token_revoke(l->b->c, l->b->a, &l->b->admin, l->people[who].token, STR("left"), &l->b->e) == RC_OK;
        settle(l->b);
        return;
    }
    char secret[96];
    uint64_t id;
    struct token_order order = {.roles = ROLE_APPROVER, .person = str_from(names[who]), .groups = str_from(groups[who])};
    if (control_token_create(l->b->c, l->b->a, NULL, &order, secret, &id, &l->b->e) == RC_OK &&
        control_authenticate(l->b->c, str_from(secret), &l->people[who], &l->b->e) == RC_OK) {
        l->people[who].person = str_from(names[who]);
        l->gone[who] = false;
    }
    settle(l->b);
}

static void do_time(struct life *l)
{
    static const int64_t spans[] = {1, 100, 1000, 5000, 31000, 70000, 3700000};
    pass(l->b, spans[below(l, 60) == 0 ? 6 : below(l, 5)]);
    if (below(l, 40) == 0) {
        l->b->wall_ms += 3600000; /* it jumps */
    }
    int64_t next;
    control_tick(l->b->c, &next);
    settle(l->b);
    if (below(l, 2) == 0) {
        tried(l, control_clock_accept(l->b->c, l->b->a, &l->b->admin, &l->b->e));
    }
}

static void do_budget(struct life *l)
{
    set_budget(l->b, below(l, 8) == 0 ? (int64_t)below(l, 250000) : PPM_ONE - (int64_t)below(l, 100000));
}

static void do_policy(struct life *l)
{
    load_policy(l->b, policies[below(l, 3)]);
    settle(l->b);
}

static void do_restart(struct life *l)
{
    restart(l->b); /* compares the world before with the one after */
    l->restarts++;
}

static const struct {
    unsigned weight;
    void (*run)(struct life *l);
} doings[] = {{14, do_propose}, {40, do_approve}, {34, do_commit}, {14, do_outcome}, {2, do_stop},
              {2, do_people},   {6, do_time},     {10, do_budget}, {1, do_policy},   {1, do_restart}};

static void do_something(struct life *l)
{
    unsigned all = 0;
    for (size_t i = 0; i < sizeof doings / sizeof *doings; i++) {
        all += doings[i].weight;
    }
    uint64_t at = below(l, all);
    size_t i = 0;
    while (at >= doings[i].weight) {
        at -= doings[i++].weight;
    }
    doings[i].run(l);
}

/* --- the auditor: the ledger alone --------------------------------------------------------------------------- */

enum { AUDIT_TOKENS = 2000, AUDIT_STOPS = 1000, AUDIT_APPROVALS = 16 };

struct audited_token {
    char person[64];
    char groups[128];
    bool approver;
    bool revoked;
};

struct audited_approval {
    uint64_t token;
    uint64_t policy;
    char digest[80];
};

struct audited_action {
    char digest[80];
    char agent[32];
    char tool[32];
    char verdict[16];
    bool escalated;      /* by its newest decision */
    uint64_t decided;    /* seq of it */
    uint64_t policy;     /* it was made under */
    char quorum[4][32];
    unsigned quorum_count;
    struct audited_approval approvals[AUDIT_APPROVALS];
    unsigned approval_count;
    int64_t expires_ms;
    unsigned starts;
    uint64_t proposer;
    bool over;
};

struct audited_stop {
    uint64_t id;
    char scope[16];
    char name[32];
    char level[16];
};

struct audit {
    struct life *l;
    uint64_t seq;
    int64_t time_ms;
    uint64_t policy;
    const char *policy_text[OPEN_MAX * 4]; /* by seq of policy.loaded */
    struct audited_token tokens[AUDIT_TOKENS * 4];
    struct audited_action *actions; /* by seq */
    struct audited_stop stops[AUDIT_STOPS];
    unsigned stop_count;
    unsigned checked;
};

static void rule(const struct audit *a, bool it, const char *what)
{
    holds(a->l, it, what, a->seq);
}

static void take(const struct value *v, const char *name, char *out, size_t size)
{
    struct str text = value_text(value_get(v, str_from(name)));
    snprintf(out, size, "%.*s", STR_ARG(text));
}

static bool covers(const struct audit *a, const struct audited_stop *s, const struct audited_action *x)
{
    (void)a;
    /* Every tool of the catalogue touches shop. */
    return strcmp(s->scope, "all") == 0 || (strcmp(s->scope, "agent") == 0 && strcmp(s->name, x->agent) == 0) ||
           (strcmp(s->scope, "service") == 0 && strcmp(s->name, "shop") == 0) ||
           (strcmp(s->scope, "tool") == 0 && strcmp(s->name, x->tool) == 0);
}

static bool in_group(const struct audited_token *t, const char *group)
{
    char list[160];
    char want[40];
    snprintf(list, sizeof list, ",%s,", t->groups);
    snprintf(want, sizeof want, ",%s,", group);
    return strstr(list, want) != NULL;
}

/* Tries every way to give the rule's places to people: small, so the plainest search will do. */
static bool seated(const struct audit *a, const struct audited_action *x, const char *const *places, unsigned count,
                   unsigned used)
{
    if (count == 0) {
        return true;
    }
    for (unsigned i = 0; i < x->approval_count; i++) {
        const struct audited_token *t = &a->tokens[x->approvals[i].token];
        bool same_person = false;
        for (unsigned k = 0; k < x->approval_count; k++) {
            same_person = same_person || ((used & (1U << k)) != 0 &&
                                          strcmp(a->tokens[x->approvals[k].token].person, t->person) == 0);
        }
        if ((used & (1U << i)) == 0 && !same_person && !t->revoked && t->approver && in_group(t, places[0]) &&
            seated(a, x, places + 1, count - 1, used | 1U << i)) {
            return true;
        }
    }
    return false;
}

static void audit_quorum(const struct audit *a, const struct audited_action *x)
{
    static const char *const two[] = {"sre", "sre"};
    static const char *const dba[] = {"sre", "dba"};
    unsigned standing = 0;
    for (unsigned i = 0; i < x->approval_count; i++) {
        const struct audited_token *t = &a->tokens[x->approvals[i].token];
        standing += t->approver && !t->revoked ? 1 : 0;
        rule(a, strcmp(x->approvals[i].digest, x->digest) == 0, "an approval is for these very bytes");
        rule(a, x->approvals[i].policy == a->policy, "an approval does not outlive its policy");
        rule(a, x->approvals[i].token != x->proposer, "nobody approves what it proposed");
        rule(a, strcmp(t->person, strcmp(x->agent, "bot") == 0 ? "ann" : "ben") != 0, "the owner does not approve");
    }
    rule(a, standing > 0, "somebody who is entitled approved");
    for (unsigned i = 0; i < x->quorum_count; i++) {
        bool is_two = strcmp(x->quorum[i], "two") == 0;
        rule(a, seated(a, x, is_two ? two : dba, 2, 0), "the quorum is met by distinct entitled people");
    }
}

static void audit_start(struct audit *a, struct audited_action *x, const struct value *body)
{
    a->checked++;
    rule(a, x->starts == 0, "nothing starts twice");
    rule(a, !x->over, "what was over does not start");
    rule(a, a->time_ms < x->expires_ms, "nothing starts after it expired");
    rule(a, str_eq(value_text(value_get(body, STR("verdict"))), STR("allow")), "a start has an allow of its own commit");
    for (unsigned i = 0; i < a->stop_count; i++) {
        rule(a, !covers(a, &a->stops[i], x), "nothing starts under a stop, a pause or a dry run");
    }
    if (x->escalated) {
        audit_quorum(a, x);
    } else {
        rule(a, strcmp(x->verdict, "allow") == 0, "what was not allowed needs people");
    }
    x->starts++;
}

static void audit_decision(struct audit *a, struct audited_action *x, const struct value *body)
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
}

static void audit_proposal(struct audit *a, struct audited_action *x, const struct entry *entry, const struct value *body)
{
    const struct value *request = value_get(body, STR("request"));
    *x = (struct audited_action){.starts = 0};
    take(request, "digest", x->digest, sizeof x->digest);
    take(request, "agent", x->agent, sizeof x->agent);
    take(body, "tool", x->tool, sizeof x->tool);
    rule(a, id_parse(entry->actor, "tok", &x->proposer), "a proposal has a proposer");
    audit_decision(a, x, body);
}

static void audit_approval(struct audit *a, struct audited_action *x, const struct entry *entry, const struct value *body)
{
    uint64_t token = 0;
    rule(a, id_parse(entry->actor, "tok", &token), "an approval has an approver");
    const struct audited_token *t = &a->tokens[token];
    rule(a, t->approver && !t->revoked, "an approver is entitled");
    rule(a, x->escalated && !x->over && x->starts == 0, "only what waits for people is approved");
    rule(a, a->time_ms < x->expires_ms, "what expired is not approved");
    rule(a, x->approval_count < AUDIT_APPROVALS, "room");
    for (unsigned i = 0; i < x->approval_count; i++) {
        rule(a, strcmp(a->tokens[x->approvals[i].token].person, t->person) != 0, "nobody approves twice");
    }
    struct audited_approval *p = &x->approvals[x->approval_count++];
    *p = (struct audited_approval){.token = token, .policy = a->policy};
    take(body, "digest", p->digest, sizeof p->digest);
    int64_t at;
    if (value_bool_or(value_get(body, STR("quorum")), false) &&
        instant_parse(value_text(value_get(body, STR("expires_at"))), &at)) {
        x->expires_ms = at;
    }
}

static void audit_stop(struct audit *a, const struct entry *entry, const struct value *body)
{
    uint64_t id = 0;
    if (entry->kind == ENTRY_STOP_SET) {
        struct audited_stop *s = &a->stops[a->stop_count++];
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

static void audit_token(struct audit *a, const struct entry *entry, const struct value *body)
{
    uint64_t id = 0;
    if (entry->kind == ENTRY_TOKEN_REVOKED) {
        rule(a, id_parse(entry->refs[0], "tok", &id), "a token is named");
        a->tokens[id].revoked = true;
        return;
    }
    struct audited_token *t = &a->tokens[a->seq];
    take(body, "person", t->person, sizeof t->person);
    take(body, "groups", t->groups, sizeof t->groups);
    const struct value *roles = value_get(body, STR("roles"));
    for (uint32_t i = 0; value_item(roles, i) != NULL; i++) {
        t->approver = t->approver || str_eq(value_text(value_item(roles, i)), STR("approver"));
    }
}

static void audit_entry(struct audit *a, const struct entry *entry, const struct value *body)
{
    uint64_t id = 0;
    struct audited_action *x =
        entry->ref_count > 0 && id_parse(entry->refs[0], "act", &id) ? &a->actions[id] : &a->actions[a->seq];
    rule(a, entry->time_ms >= a->time_ms, "time does not go back");
    a->time_ms = entry->time_ms;
    switch (entry->kind) {
    case ENTRY_POLICY_LOADED:
        a->policy = a->seq;
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
        if (!value_bool_or(value_get(body, STR("approval_kept")), false)) {
            audit_decision(a, x, body);
        }
        break;
    case ENTRY_APPROVAL_GRANTED:
        audit_approval(a, x, entry, body);
        break;
    case ENTRY_ACTION_COMMITTED:
        audit_start(a, x, body);
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

static unsigned audit(struct life *l)
{
    struct audit *a = calloc(1, sizeof *a);
    uint64_t size = control_read_seq(l->b->c);
    holds(l, a != NULL && size < AUDIT_TOKENS * 4, "room to audit", size);
    a->l = l;
    a->actions = calloc(size + 1, sizeof *a->actions);
    holds(l, a->actions != NULL, "room to audit", size);
    CLEANUP(arena) struct arena *arena = arena_new(64 << 20);
    for (a->seq = 0; a->seq < size; a->seq++) {
        struct entry entry;
        struct value body;
        arena_reset(arena);
        holds(l, control_read_entry(l->b->c, arena, a->seq, &entry, &body, &l->b->e) == RC_OK, "every entry reads back", a->seq);
        audit_entry(a, &entry, &body);
    }
    for (unsigned i = 0; i < l->answered; i++) {
        holds(l, l->answered_seq[i] < size, "every answered request is in the ledger", l->answered_seq[i]);
    }
    unsigned checked = a->checked;
    free(a->actions);
    free(a);
    return checked;
}

/* --- one life after another ------------------------------------------------------------------------------------ */

static unsigned live(uint64_t seed, unsigned steps)
{
    struct life *l = calloc(1, sizeof *l);
    void *state = NULL;
    must(l != NULL && make(&state) == 0);
    l->b = state;
    l->seed = seed;
    l->random = seed * 0x9e3779b97f4a7c15ULL + 1;
    load_policy(l->b, policies[0]);
    settle(l->b);
    for (unsigned i = 0; i < PEOPLE * 2; i++) {
        do_people(l);
    }
    set_budget(l->b, PPM_ONE);
    for (l->step = 0; l->step < steps; l->step++) {
        do_something(l);
        if (world_stop_count(HERE(l->b)) > 0 && below(l, 8) == 0) {
            do_stop(l);
        }
    }
    settle(l->b);
    unsigned checked = audit(l);
    holds(l, checked == l->starts, "every start that was answered was audited", 0);
    must(drop(&state) == 0);
    free(l);
    return checked;
}

int main(int argc, char **argv)
{
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    unsigned lives = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 20;
    unsigned steps = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 150;
    unsigned starts = 0;
    for (unsigned i = 0; i < lives; i++) {
        starts += live(seed + i, steps);
    }
    printf("seeds %" PRIu64 " to %" PRIu64 ", %u steps each: %u executions started, each of them rightly\n", seed,
           seed + lives - 1, steps, starts);
    if (lives >= 20 && starts < lives) {
        fprintf(stderr, "too little happened\n");
        return 1;
    }
    return 0;
}
