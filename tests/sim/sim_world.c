/*
 * A random world: agents propose, people approve, things break, time passes; after every step what must
 * always hold is checked, and at the end the entries alone must make the same world again.
 *
 * sim_world [seed [hash seed [steps]]]. Prints the seed, what happened, and the world's digest, which
 * must not depend on the hash seed, the compiler or its options.
 */
#include "sim.h"

#include <inttypes.h>

static const char *const policies[] = {
    "{'checks':{'breaker':{'max_failures':8,'max_denials':30,'open_for':'1m'}}," SIM_AGENTS "," SIM_SERVICES "," SIM_TOOLS "}",
    "{'checks':{'error_budget':{'on_unknown':'escalate','require_slo':'dependants'},'aqdd':{'max_depth':5,'max_drift':2.5},"
    "'her_trend':{'min_sample':4,'tolerance_pct':1},"
    "'breaker':{'max_failures':5,'open_for':'1m','probes':2},'rate':{'per_service':9,'concurrent':3},'memory':{'max_failed_pct':60},"
    "'tier':{'default':'autonomous'}},'quorum':[{'name':'q','tools':['restart'],'approvals':[{'group':'sre'}]}],"
    "'limits':{'pending_per_agent':4}," SIM_AGENTS "," SIM_SERVICES "," SIM_TOOLS "}",
    "{'checks':{'aqdd':{'mode':'shadow'},'freeze':{'on_write':'escalate','on_destructive':'escalate'},'her_trend':{'on_block':'hold'},'grant':{'on_block':'escalate'},"
    "'breaker':{'max_calls':40,'window':'10s','open_for':'30s'},'upstream':{'min_pct':5},'blast_radius':{'mode':'shadow'}},"
    "'freezes':[{'name':'nights','services':['shop'],'days':['mon','tue','sat'],'day_from':'20:00','day_until':'23:30'}]," SIM_AGENTS "," SIM_SERVICES "," SIM_TOOLS "}",
    "{'mode':'advisory'," SIM_AGENTS "," SIM_SERVICES "," SIM_TOOLS "}",
};

static void begin(struct sim *s)
{
    struct value body = value_object();
    value_add_str(s->a, &body, STR("origin"), STR("sim.example/pawl"));
    sim_append(s, ENTRY_LEDGER_CREATED, "system", 0, &body);
    sim_load_policy(s, policies[0]);
}

static void do_propose(struct sim *s)
{
    static const char *const agents[] = {"bot", "cat", "dog", "ghost"};
    static const char *const tools[] = {"scale", "wipe", "look", "scale", "restart", "nothing"};
    struct request q = {.agent = str_from(agents[sim_random(s, 10) < 9 ? sim_random(s, 3) : 3]),
                        .claimed_tool = str_from(tools[sim_random(s, 6)]),
                        .wants_person = sim_random(s, 5) == 0 ? STR("not sure") : STR("")};
    struct value given = value_object();
    value_add_int(s->a, &given, STR("n"), (int64_t)sim_random(s, 40));
    q.given = &given;
    sim_propose(s, &q);
}

static void do_signals(struct sim *s)
{
    uint32_t service = (uint32_t)sim_random(s, world_service_count(s->w));
    struct budget_signal *b = signals_budget(&s->signals, service);
    sim_must(s, b != NULL, "a slot");
    b->state = sim_random(s, 12) == 0 ? SIGNAL_UNKNOWN : sim_random(s, 12) == 0 ? SIGNAL_NO_TRAFFIC : SIGNAL_KNOWN;
    b->remaining_ppm = b->state == SIGNAL_NO_TRAFFIC ? PPM_ONE
                       : sim_random(s, 3) == 0 ? (int64_t)sim_random(s, 400000) - 100000 : PPM_ONE - (int64_t)sim_random(s, 500000);
    b->at_ms = s->now_ms - (int64_t)sim_random(s, 20000);
}

/* All of them at once, as a poll does. */
static void do_poll(struct sim *s)
{
    for (uint32_t i = 0; i < world_service_count(s->w); i++) {
        struct budget_signal *b = signals_budget(&s->signals, i);
        sim_must(s, b != NULL, "a slot");
        b->at_ms = s->now_ms;
        b->state = b->state == SIGNAL_UNKNOWN ? SIGNAL_KNOWN : b->state;
        b->remaining_ppm = b->remaining_ppm < 250000 && sim_random(s, 2) == 0 ? 800000 : b->remaining_ppm;
    }
    s->signals.clock_ok = sim_random(s, 50) != 0;
}

static void do_stop(struct sim *s)
{
    static const char *const names[] = {"", "bot", "shop", "scale"};
    unsigned scope = (unsigned)sim_random(s, 4);
    if (world_stop_count(s->w) > 0 && sim_random(s, 8) != 0) {
        uint64_t id = world_stop_at(s->w, (uint32_t)sim_random(s, world_stop_count(s->w)))->id;
        struct value body = value_object();
        sim_append_ref(s, ENTRY_STOP_LIFTED, "tok_9", "stp", id, &body);
        return;
    }
    struct value body = value_object();
    value_add_str(s->a, &body, STR("level"), sim_random(s, 3) == 0 ? STR("stop") : sim_random(s, 3) == 0 ? STR("dry_run") : STR("pause"));
    value_add_str(s->a, &body, STR("name"), str_from(names[scope]));
    value_add_str(s->a, &body, STR("scope"), str_from(stop_scope_name((enum stop_scope)scope)));
    sim_append(s, ENTRY_STOP_SET, "tok_9", 0, &body);
}

static void do_deploy(struct sim *s)
{
    struct value body = value_object();
    value_add_str(s->a, &body, STR("id"), arena_printf(s->a, "d%u", (unsigned)sim_random(s, 3)));
    value_add_str(s->a, &body, STR("service"), sim_random(s, 2) == 0 ? STR("shop") : STR("db"));
    sim_append(s, sim_random(s, 6) == 0 ? ENTRY_DEPLOY_STARTED : ENTRY_DEPLOY_ENDED, "tok_9", 0, &body);
}

static void do_bucket(struct sim *s)
{
    int64_t total = (int64_t)sim_random(s, 1000);
    struct value body = value_object();
    value_add_instant(s->a, &body, STR("at"), s->now_ms / 10000 * 10000);
    value_add_int(s->a, &body, STR("good"), total - (int64_t)sim_random(s, 200) * total / 40000);
    value_add_str(s->a, &body, STR("service"), STR("queue"));
    value_add_int(s->a, &body, STR("total"), total);
    sim_append(s, ENTRY_SLI_BUCKET, "system", 0, &body);
}

static void do_time(struct sim *s)
{
    static const int64_t spans[] = {1, 1, 50, 50, 999, 999, 5000, 5000, 15000, 30000, 60000, 60000, 600000, 3700000};
    s->now_ms += spans[sim_random(s, 14)];
    sim_record_due(s);
}

/* What operators say about agents. */
static void do_conduct(struct sim *s)
{
    static const char *const agents[] = {"bot", "cat", "dog"};
    static const char *const services[] = {"*", "shop", "w*"};
    struct value body = value_object();
    struct str agent = str_from(agents[sim_random(s, 3)]);
    switch (sim_random(s, 4)) {
    case 0:
        value_add_str(s->a, &body, STR("agent"), agent);
        value_add_str(s->a, &body, STR("state"), sim_random(s, 5) == 0 ? STR("open") : STR("closed"));
        sim_append(s, ENTRY_BREAKER_SET, "tok_9", 0, &body);
        break;
    case 1:
        value_add_str(s->a, &body, STR("agent"), agent);
        value_add_str(s->a, &body, STR("service"), str_from(services[sim_random(s, 3)]));
        value_add_str(s->a, &body, STR("tier"), str_from(tier_name((enum tier)(sim_random(s, 6) == 0 ? TIER_READ_ONLY + sim_random(s, 2) : TIER_SUPERVISED + sim_random(s, 2)))));
        sim_append(s, ENTRY_TIER_CHANGED, "tok_9", 0, &body);
        break;
    case 2:
        value_add_str(s->a, &body, STR("agent"), agent);
        value_add_instant(s->a, &body, STR("expires_at"), s->now_ms + 1 + (int64_t)sim_random(s, 4000000));
        value_add_str(s->a, &body, STR("target"), STR("*"));
        value_add_str(s->a, &body, STR("tool"), STR("*"));
        sim_append(s, ENTRY_GRANT_ISSUED, "tok_9", 0, &body);
        break;
    default:
        if (world_grant_count(s->w) > 0) {
            uint64_t id = world_grant_at(s->w, (uint32_t)sim_random(s, world_grant_count(s->w)))->id;
            sim_append_ref(s, ENTRY_GRANT_REVOKED, "tok_9", "grt", id, &body);
        }
    }
}

static void do_policy(struct sim *s)
{
    sim_load_policy(s, policies[sim_random(s, 20) == 0 ? 3 : sim_random(s, 3)]);
}

static const struct {
    unsigned weight;
    void (*run)(struct sim *s);
} doings[] = {
    {30, do_propose}, {22, sim_commit_one}, {9, sim_approve_one}, {3, sim_reject_one}, {10, sim_finish_one},
    {4, sim_heartbeat_one}, {3, sim_cancel_one}, {6, sim_decide_one}, {5, do_signals}, {24, do_poll},
    {2, do_stop}, {2, do_deploy}, {8, do_bucket}, {14, do_time}, {1, do_policy},
    {2, do_conduct}, {3, sim_override_one},
};

static void do_something(struct sim *s)
{
    unsigned all = 0;
    for (size_t i = 0; i < sizeof doings / sizeof *doings; i++) {
        all += doings[i].weight;
    }
    uint64_t at = sim_random(s, all);
    size_t i = 0;
    while (at >= doings[i].weight) {
        at -= doings[i++].weight;
    }
    doings[i].run(s);
}

int main(int argc, char **argv)
{
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 20270115;
    uint64_t hash_seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    unsigned steps = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 6000;
    struct sim *s = sim_new(seed, hash_seed);
    printf("seed %" PRIu64 "\n", seed);
    begin(s);
    for (s->step = 0; s->step < steps; s->step++) {
        do_something(s);
        sim_check(s);
    }
    sim_refold(s, hash_seed + 1);
    printf("entries %zu proposals %u grants %u approvals %u refused commits %u\n", s->entry_count, s->proposals,
           s->grants, s->approvals, s->refused);
    sim_must(s, steps < 1000 || (s->grants > 10 && s->approvals > 20 && s->refused > 20), "enough happened");
    uint64_t digest[2];
    sim_digest(s->w, digest);
    printf("world %016" PRIx64 "%016" PRIx64 "\n", digest[0], digest[1]);
    sim_free(s);
    return 0;
}
