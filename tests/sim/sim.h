/*
 * tests/sim - what a control plane does to a world, in small: model and gate only, no disk, no clock.
 *
 * The simulation keeps its own account of every action beside the world's and compares the two.
 */
#ifndef TESTS_SIM_H
#define TESTS_SIM_H

#include "gate/gate.h"
#include "value/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIM_AGENTS "'agents':[{'name':'bot','owner':'ann'},{'name':'cat','owner':'ben'},{'name':'dog','owner':'ann'}]"
#define SIM_SLO "'slo':{'objective':99.9,'prometheus':{'ratio':'r'}}"
#define SIM_SERVICES                                                                                               \
    "'services':[{'name':'shop'," SIM_SLO "},{'name':'db'," SIM_SLO "},{'name':'web','depends_on':['shop','db'],"  \
    SIM_SLO "},{'name':'queue','slo':{'objective':99,'window':'1h','events':true}},{'name':'edge','depends_on':['web']}]"
#define SIM_N "'parameters':{'type':'object','properties':{'n':{'type':'integer','maximum':37}}}"
#define SIM_TOOLS                                                                                                  \
    "'tools':[{'name':'scale','class':'write','services':['shop']," SIM_N "},{'name':'wipe','class':'destructive',"\
    "'services':['db']," SIM_N "},{'name':'look','class':'read'," SIM_N "},{'name':'restart','class':'write',"     \
    "'services':['web','queue']," SIM_N "}]"

enum { SIM_ACTIONS_MAX = 20000, SIM_ENTRIES_MAX = 60000 };

/* The simulation's own account of one action. */
struct sim_action {
    uint64_t id;
    enum action_state state;
    unsigned agent;
    bool counts; /* in the agent's escalation rate */
    bool own;
    int64_t at_ms;
    unsigned grants;
    int64_t due_ms;
    uint64_t policy_seq;
    struct decision decided; /* the newest, as an approver sees it; names are not to be used */
};

struct sim_entry {
    char *header;
    char *body;
    char *policy;
    size_t header_len;
    size_t body_len;
    size_t policy_len;
};

struct sim {
    struct world *w;
    struct signals signals;
    struct arena *a; /* of one step */
    uint64_t seed;
    uint64_t random;
    int64_t now_ms;
    unsigned step;
    struct sim_action *actions;
    size_t action_count;
    struct sim_entry *entries;
    size_t entry_count;
    unsigned proposals;
    unsigned grants;
    unsigned approvals;
    unsigned refused;
    int64_t depth_max;
};

struct sim *sim_new(uint64_t seed, uint64_t hash_seed);
void sim_free(struct sim *s);
/* 0 to below. */
uint64_t sim_random(struct sim *s, uint64_t below);
/* Says seed and step and ends the program when what must hold does not. */
void sim_must(const struct sim *s, bool holds, const char *what);

/* One entry: written, read back, applied. action: the ref, 0 for none. Gives: its seq. */
uint64_t sim_append(struct sim *s, enum entry_kind kind, const char *actor, uint64_t action, const struct value *body);
uint64_t sim_append_ref(struct sim *s, enum entry_kind kind, const char *actor, const char *prefix, uint64_t ref,
                        const struct value *body);
/* Single quotes stand for double ones. */
void sim_load_policy(struct sim *s, const char *text);

void sim_propose(struct sim *s, struct request *q);
void sim_commit_one(struct sim *s);
void sim_decide_one(struct sim *s);
void sim_approve_one(struct sim *s);
void sim_reject_one(struct sim *s);
void sim_finish_one(struct sim *s);
void sim_heartbeat_one(struct sim *s);
void sim_cancel_one(struct sim *s);
void sim_override_one(struct sim *s);
void sim_record_due(struct sim *s);

/* What must hold after every step. */
void sim_check(struct sim *s);
/* The entries alone make the same world, and so do a snapshot and the rest. */
void sim_refold(struct sim *s, uint64_t hash_seed);
/* FNV-1a over the saved world, from two starts. */
void sim_digest(const struct world *w, uint64_t ret[2]);

#endif
