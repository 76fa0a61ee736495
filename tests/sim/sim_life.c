/*
 * The whole control plane on a real ledger, with a clock of its own, driven at random: agents propose and commit, so do
 * people, who also approve, override, break glass, look at what others broke, and leave; executors are lost, things are
 * stopped, the clock jumps, the process ends and starts again. At the end an auditor (life_audit.c), who shares no code
 * with what it audits, reads the ledger alone, entry by entry, and asks of every start of an execution whether it was
 * right.
 *
 * sim_life [seed [steps]]. Prints the seed; a failing run names entry and rule.
 */
#include "control_bench.h"
#include "life_audit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { PEOPLE = 10, OPEN_MAX = 4000 };

/* Who is on the team. The second hal is the same person with another credential. */
static const struct {
    const char *name;
    const char *groups;
    unsigned roles;
} team[PEOPLE] = {
    {"dora", "sre", ROLE_APPROVER},
    {"emil", "sre,dba", ROLE_APPROVER},
    {"finn", "sre", ROLE_APPROVER | ROLE_RESPONDER},
    {"gina", "dba", ROLE_APPROVER},
    {"ann", "sre", ROLE_APPROVER | ROLE_OVERRIDE}, /* owns bot */
    {"hal", "", ROLE_RESPONDER},
    {"hal", "sre", ROLE_APPROVER},
    {"olga", "", ROLE_OVERRIDE},
    {"ines", "sre", ROLE_APPROVER | ROLE_OVERRIDE},
    {"vic", "", ROLE_VIEWER | ROLE_AUDITOR},
};

struct life {
    struct bench *b;
    uint64_t seed;
    uint64_t random;
    struct principal people[PEOPLE];
    bool here[PEOPLE];
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

/* --- people -------------------------------------------------------------------------------------------------- */

/* One of those who are here and have one of the roles; null: nobody. What the routes ask before they call. */
static const struct principal *somebody(struct life *l, unsigned roles)
{
    unsigned first = (unsigned)below(l, PEOPLE);
    for (unsigned i = 0; i < PEOPLE; i++) {
        unsigned who = (first + i) % PEOPLE;
        if (l->here[who] && (team[who].roles & roles) != 0) {
            return &l->people[who];
        }
    }
    return NULL;
}

static void join(struct life *l, unsigned who)
{
    char secret[96];
    uint64_t id;
    struct token_order order = {
        .roles = team[who].roles, .person = str_from(team[who].name), .groups = str_from(team[who].groups)};
    if (control_token_create(l->b->c, l->b->a, NULL, &order, secret, &id, &l->b->e) == RC_OK &&
        control_authenticate(l->b->c, str_from(secret), &l->people[who], &l->b->e) == RC_OK) {
        l->people[who].person = str_from(team[who].name);
        l->here[who] = true;
    }
}

static void leave(struct life *l, unsigned who)
{
    enum rc rc = control_token_revoke(l->b->c, l->b->a, &l->b->admin, l->people[who].token, STR("left"), &l->b->e);
    l->here[who] = l->here[who] && rc != RC_OK;
    settle(l->b);
}

/* Whoever it is that proposed it, with a credential that she has now; null: gone. */
static const struct principal *proposer(struct life *l, const struct action *a)
{
    if (!a->human) {
        return a->agent == l->b->bot.agent ? &l->b->bot : a->agent == MAP_NONE ? NULL : &l->b->cat;
    }
    const struct world_token *t = world_token_by_id(HERE(l->b), a->proposer);
    if (t == NULL || strcmp(t->person, "eve") == 0) {
        return t == NULL ? NULL : &l->b->admin;
    }
    unsigned first = (unsigned)below(l, PEOPLE);
    for (unsigned i = 0; i < PEOPLE; i++) {
        unsigned who = (first + i) % PEOPLE;
        if (l->here[who] && strcmp(team[who].name, t->person) == 0) {
            return &l->people[who];
        }
    }
    return NULL;
}

/* --- what happens ---------------------------------------------------------------------------------------- */

#define FAIR "'freezes':[{'name':'fair','services':['shop'],'from':'2020-01-01T00:00:00Z','until':'2040-01-01T00:00:00Z'}]"

static const char *const policies[] = {
    "{" CATALOGUE ",'quorum':[{'name':'two','tools':['scale'],'approvals':[{'group':'sre','count':2}]},"
    "{'name':'dba','tools':['wipe'],'approvals':[{'group':'sre'},{'group':'dba'}]}]}",
    "{" CATALOGUE ",'checks':{'tier':{'supervised_write':'person'},'rate':{'concurrent':2}}}",
    "{" CATALOGUE ",'checks':{'breaker':{'max_failures':6,'open_for':'10s'},'tier':{'default':'autonomous'}}}",
    "{" CATALOGUE ",'approval_ttl':'10s'," FAIR ",'quorum':[{'name':'two','tools':['scale'],'classes':['destructive'],"
    "'approvals':[{'group':'sre','count':2}]}]}",
    "{" CATALOGUE ",'approval_ttl':'30s'," FAIR ",'checks':{'rate':{'concurrent':1},'freeze':{'on_destructive':'hold'}}}",
};

enum { POLICIES = sizeof policies / sizeof *policies };

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

static void set_clock_back(struct life *l)
{
    int64_t next;
    l->b->wall_ms -= 6000;
    control_tick(l->b->c, &next);
    settle(l->b);
    tried(l, control_clock_accept(l->b->c, l->b->a, &l->b->admin, &l->b->e));
}

/* What is held is asked again. */
static void ask_again(struct life *l, const struct action *a)
{
    const struct principal *p = a == NULL ? NULL : proposer(l, a);
    struct decided d = {0};
    if (p != NULL) {
        tried(l, control_decide(l->b->c, l->b->a, p, a->id, &d, &l->b->e));
    }
}

static void do_decide(struct life *l)
{
    ask_again(l, newest(l, ACTION_HELD));
}

static void do_close(struct life *l)
{
    uint32_t open = world_incident_count(HERE(l->b));
    const struct principal *p = below(l, 3) == 0 ? &l->b->admin : somebody(l, ROLE_RESPONDER);
    if (open > 0 && p != NULL) {
        tried(l, control_incident_close(l->b->c, l->b->a, p, world_incident_at(HERE(l->b), (uint32_t)below(l, open))->id,
                                        &(struct incident_end){.reason = STR("looked at"), .shape = STR("service | any")}, NULL,
                                        &l->b->e));
    }
}

static struct str nonce_of(struct life *l, const struct action *a)
{
    return arena_printf(l->b->a, "the-nonce-of-%08" PRIu64 "-%d", a->id, below(l, 8) == 0 ? 2 : 1);
}

static void commit_as(struct life *l, const struct principal *p, uint64_t id)
{
    if (p == NULL) {
        return;
    }
    struct committed c = commit(l->b, p, id, nonce_of(l, act(l->b, id)));
    if (c.rc == RC_OK) {
        answer(l, c.decided.seq);
        l->starts += c.release == RELEASE_GO && !c.decided.pending_again ? 1 : 0;
    }
}

static bool approves(struct life *l, const struct principal *p, uint64_t id)
{
    uint64_t seq = control_read_seq(l->b->c);
    bool said = p != NULL && approve(l->b, p, id) == RC_OK;
    if (said) {
        answer(l, seq);
    }
    return said;
}

static void do_approve(struct life *l)
{
    const struct action *a = newest(l, ACTION_ESCALATED);
    if (a == NULL) {
        return;
    }
    uint64_t id = a->id;
    if (!approves(l, somebody(l, ROLE_APPROVER), id) || below(l, 8) != 0) {
        return;
    }
    /* Between the first and the second of two, or before what was approved starts. */
    set_clock_back(l);
    a = world_action(HERE(l->b), id);
    if (a != NULL && a->state == ACTION_ESCALATED && approves(l, somebody(l, ROLE_APPROVER), id)) {
        set_budget(l->b, PPM_ONE);
        commit_as(l, proposer(l, act(l->b, id)), id);
    }
}

static void do_commit(struct life *l)
{
    const struct action *a = newest(l, below(l, 2) == 0 ? ACTION_ALLOWED : ACTION_APPROVED);
    if (a != NULL) {
        commit_as(l, below(l, 6) == 0 ? somebody(l, ~0U) : proposer(l, a), a->id);
    }
}

/* Whoever it is: the control plane says who may. */
static void do_propose_person(struct life *l)
{
    static const char *const tools[] = {"scale", "wipe", "look", "nothing-like-it"};
    const struct principal *p = below(l, 6) == 0 ? &l->b->admin : somebody(l, below(l, 3) == 0 ? ROLE_RESPONDER : ~0U);
    struct decided d = {0};
    if (l->count == OPEN_MAX || p == NULL) {
        return;
    }
    struct value *given = arena_alloc(l->b->a, sizeof *given);
    *given = value_object();
    value_add_int(l->b->a, given, STR("n"), (int64_t)below(l, 60));
    struct request q = {.claimed_tool = str_from(tools[below(l, 4)]), .given = given, .author_type = STR("human"),
                        .person = p->person, .break_glass = below(l, 2) == 0 ? STR("the shop is down") : STR("")};
    if (control_propose(l->b->c, l->b->a, p, &q, NULL, &d, &l->b->e) == RC_OK) {
        settle(l->b);
        answer(l, d.seq);
        l->ids[l->count++] = d.action;
        if (below(l, 3) == 0) {
            commit_as(l, proposer(l, act(l->b, d.action)), d.action);
        }
    }
}

static void do_outcome(struct life *l)
{
    const struct action *a = newest(l, ACTION_EXECUTING);
    const struct principal *p = a == NULL ? NULL : proposer(l, a);
    if (p == NULL) {
        return;
    }
    struct outcome o = {.succeeded = below(l, 4) != 0};
    tried(l, control_outcome(l->b->c, l->b->a, p, a->id, nonce_of(l, a), &o, &l->b->e));
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
    if (l->here[who]) {
        leave(l, who);
    } else {
        join(l, who);
    }
    settle(l->b);
}

static void do_tick(struct life *l)
{
    int64_t next;
    control_tick(l->b->c, &next);
    settle(l->b);
}

static void do_time(struct life *l)
{
    static const int64_t spans[] = {1, 100, 1000, 5000, 31000, 70000, 3700000};
    pass(l->b, spans[below(l, 60) == 0 ? 6 : below(l, 5)]);
    if (below(l, 40) == 0) {
        l->b->wall_ms += 3600000; /* it jumps */
    }
    do_tick(l);
    if (below(l, 2) == 0) {
        tried(l, control_clock_accept(l->b->c, l->b->a, &l->b->admin, &l->b->e));
    }
}

static void do_budget(struct life *l)
{
    set_budget(l->b, below(l, 8) == 0 ? (int64_t)below(l, 250000) : PPM_ONE - (int64_t)below(l, 100000));
    if (below(l, 5) == 0) {
        signals_budget(control_signals(l->b->c), world_service_find(HERE(l->b), STR("shop")))->state = SIGNAL_UNKNOWN;
    }
}

static void do_policy(struct life *l)
{
    load_policy(l->b, policies[below(l, POLICIES)]);
    settle(l->b);
}

/* What takes the ground from under an override happens right behind one more often than by chance. */
static void disturb(struct life *l, const struct principal *who)
{
    switch (below(l, 8)) {
    case 0:
        do_policy(l);
        break;
    case 1:
        pass(l->b, 31000);
        set_budget(l->b, PPM_ONE);
        break;
    case 2:
        leave(l, (unsigned)(who - l->people));
        break;
    case 3:
        set_clock_back(l);
        break;
    default:
        break;
    }
}

static void do_override(struct life *l)
{
    static const enum check checks[] = {CHECK_FREEZE, CHECK_FREEZE, CHECK_RATE, CHECK_ERROR_BUDGET, CHECK_AQDD, CHECK_STOP};
    const struct action *a = newest(l, ACTION_HELD);
    const struct principal *p = somebody(l, ROLE_OVERRIDE);
    if (a == NULL || p == NULL) {
        return;
    }
    uint64_t id = a->id;
    bool aimed = a->blocking >= 0 && below(l, 3) != 0;
    struct override o = {.check = aimed ? (enum check)a->blocking : checks[below(l, sizeof checks / sizeof *checks)],
                         .shown = {digest_of(l->b, a->id), a->decided_seq - (below(l, 10) == 0 ? 1 : 0), 0},
                         .reason = STR("the fair is over")};
    uint64_t seq = control_read_seq(l->b->c);
    enum rc rc = control_override(l->b->c, l->b->a, p, id, &o, NULL, &l->b->e);
    tried(l, rc);
    if (rc == RC_OK) {
        answer(l, seq);
        disturb(l, p);
        ask_again(l, world_action(HERE(l->b), id));
        if (below(l, 2) == 0) {
            disturb(l, p);
        }
        a = world_action(HERE(l->b), id);
        if (a != NULL && below(l, 3) != 0) {
            commit_as(l, proposer(l, a), id);
        }
    }
}

static void do_restart(struct life *l)
{
    restart(l->b); /* compares the world before with the one after */
    l->restarts++;
}

static const struct {
    unsigned weight;
    void (*run)(struct life *l);
} doings[] = {{12, do_propose}, {9, do_propose_person}, {32, do_approve}, {38, do_commit}, {14, do_outcome},
              {18, do_override}, {10, do_decide},        {3, do_close},    {2, do_stop},    {2, do_people},
              {6, do_time},      {8, do_budget},         {1, do_policy},   {1, do_restart}};

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

/* --- one life after another ------------------------------------------------------------------------------------ */

/* What the world says is open is what the ledger says. */
static void check_reviews(const struct life *l, const struct audit_result *found)
{
    const struct world *w = HERE(l->b);
    holds(l, world_incident_count(w) == found->review_count, "each broken glass is looked at, or open", 0);
    for (uint32_t i = 0; i < found->review_count; i++) {
        const struct world_incident *x = world_incident_at(w, i);
        const struct audited_review *r = &found->reviews[i];
        holds(l, x->id == r->id && x->action == r->action && x->review_by_ms == r->by_ms && strcmp(x->person, r->person) == 0,
              "an open review says what the ledger says", r->id);
    }
}

static void begin(struct life *l, struct bench *b, uint64_t seed)
{
    l->b = b;
    l->seed = seed;
    l->random = seed * 0x9e3779b97f4a7c15ULL + 1;
    load_policy(l->b, policies[seed % POLICIES]);
    for (unsigned i = 0; i < PEOPLE; i++) {
        join(l, i);
    }
    settle(l->b);
    set_budget(l->b, PPM_ONE);
}

static void live(uint64_t seed, unsigned steps, struct audit_result *ret)
{
    struct life *l = calloc(1, sizeof *l);
    void *state = NULL;
    must(l != NULL && make(&state) == 0);
    begin(l, state, seed);
    for (l->step = 0; l->step < steps; l->step++) {
        do_something(l);
        if (world_stop_count(HERE(l->b)) > 0 && below(l, 8) == 0) {
            do_stop(l);
        }
    }
    settle(l->b);
    audit_ledger(l->b->c, seed, ret);
    holds(l, ret->starts == l->starts, "every start that was answered was audited", 0);
    for (unsigned i = 0; i < l->answered; i++) {
        holds(l, l->answered_seq[i] < control_read_seq(l->b->c), "every answered request is in the ledger", l->answered_seq[i]);
    }
    check_reviews(l, ret);
    must(drop(&state) == 0);
    free(l);
}

int main(int argc, char **argv)
{
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    unsigned lives = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 20;
    unsigned steps = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 150;
    static struct audit_result all;
    static struct audit_result one;
    for (unsigned i = 0; i < lives; i++) {
        live(seed + i, steps, &one);
        all.starts += one.starts;
        all.broken += one.broken;
        all.overrides += one.overrides;
        all.waived += one.waived;
        all.overridden += one.overridden;
        all.closed += one.closed;
    }
    printf("seeds %" PRIu64 " to %" PRIu64 ", %u steps each: %u executions started, each of them rightly; %u with broken glass, "
           "%u of these looked at; %u overrides, %u findings waived by them, %u starts\n",
           seed, seed + lives - 1, steps, all.starts, all.broken, all.closed, all.overrides, all.waived, all.overridden);
    bool enough = all.starts >= lives && all.broken >= lives / 2 && all.closed > 0 && all.overrides >= lives / 2 &&
                  all.overridden > 0;
    if (lives >= 20 && !enough) {
        fprintf(stderr, "too little happened\n");
        return 1;
    }
    return 0;
}
