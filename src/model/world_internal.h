/*
 * model/world_internal - the world's tables, for the files of this folder only.
 */
#ifndef MODEL_WORLD_INTERNAL_H
#define MODEL_WORLD_INTERNAL_H

#include "model/world.h"

#define CLOSED_FIRST 64U
#define ACTIONS_BLOCK 256U

/* Edges that definitions say, sorted: from << 32 | to. */
struct drawn {
    uint64_t *ends;
    uint32_t count;
    uint32_t capacity;
};

/* A table that grows; rows are found by index and keep it for good. */
struct rows {
    void *items;
    uint32_t count;
    uint32_t capacity;
};

struct idempotency_row {
    uint8_t key[32];
    struct idempotency value;
    int64_t at_ms;
    uint32_t next; /* towards the newest; also the free list */
};

struct world {
    uint64_t next_seq;
    int64_t time_ms;
    char origin[129];
    uint64_t erased_through;
    bool lens; /* another catalogue lies over this one: world_lens.c */

    struct policy *policy;
    uint64_t policy_seq;
    char policy_hash[80];
    char policy_aside[80]; /* of the file's, that another one took the place of; "" */

    /* Rows are heap objects, so that names and definitions keep their address. */
    struct world_agent **agents;
    uint32_t agent_count;
    uint32_t agent_capacity;
    struct strmap agent_index;
    struct world_service **services;
    uint32_t service_count;
    uint32_t service_capacity;
    struct strmap service_index;
    struct world_tool **tools;
    uint32_t tool_count;
    uint32_t tool_capacity;
    struct strmap tool_index;

    struct graph *graph;
    struct impact_walk *walk;  /* scratch of world_impact */
    struct drawn drawn;
    uint32_t *service_of_node; /* MAP_NONE: it is none, or none that was declared */
    uint32_t known_nodes;
    uint32_t node_capacity;
    struct observed_span observed[OBSERVED_KEPT_MAX]; /* ring of the newest, in order of their entries */
    uint32_t observed_first;
    uint32_t observed_count;

    struct world_token **tokens;
    uint32_t token_count;
    uint32_t token_capacity;
    struct strmap token_by_digest;
    struct idmap token_by_id;

    struct world_stop stops[STOPS_MAX];
    uint32_t stop_count;

    struct action **actions; /* blocks of ACTIONS_BLOCK, which never move */
    uint32_t action_blocks;
    uint32_t action_block_capacity;
    uint32_t action_free;  /* first free slot, MAP_NONE */
    uint32_t action_first; /* in order of id */
    uint32_t action_last;
    uint32_t action_count;
    struct idmap action_by_id;
    struct strmap pending_by_digest;
    uint32_t *heap; /* open actions by (due_ms, id) */
    uint32_t heap_count;
    uint32_t heap_capacity;
    uint32_t *closed; /* ring of closed actions, oldest first */
    uint32_t closed_first;
    uint32_t closed_count;
    uint32_t closed_capacity;
    uint32_t open_count;
    uint32_t escalated_count;

    struct world_pattern *patterns;
    uint32_t pattern_count;
    uint32_t pattern_capacity;
    struct idmap pattern_index; /* by tool and service */
    struct world_grant **grants; /* in order of id; those that are over leave */
    uint32_t grant_count;
    uint32_t grant_capacity;
    struct world_incident incidents[INCIDENTS_MAX];
    uint32_t incident_count;
    struct world_precedent *precedents; /* by closing */
    uint32_t precedent_count;
    uint32_t precedent_capacity;

    int64_t aqdd_baseline_milli;
    int64_t aqdd_samples;
    int64_t aqdd_next_ms; /* next grid point; 0 before the first entry */
    int64_t aqdd_over_since_ms; /* drift at or above the breach since then; 0: not */

    struct idempotency_row *idem;
    uint32_t idem_capacity;
    uint32_t idem_free;
    uint32_t idem_first; /* oldest */
    uint32_t idem_last;
    struct strmap idem_index;
};

/* Makes room for one more pointer in a table. */
NODISCARD enum rc table_room(void *items, uint32_t count, uint32_t *capacity, size_t size,
                             struct err *e);

/* world_catalogue.c */
NODISCARD enum rc catalogue_load_policy(struct world *w, struct policy *p, uint64_t seq,
                                        struct str hash, struct err *e);
NODISCARD enum rc catalogue_declare_agent(struct world *w, const struct value *definition,
                                          uint64_t seq, struct err *e);
NODISCARD enum rc catalogue_declare_service(struct world *w, const struct value *definition,
                                            uint64_t seq, struct err *e);
NODISCARD enum rc catalogue_declare_tool(struct world *w, const struct value *definition,
                                         uint64_t seq, struct err *e);
NODISCARD enum rc catalogue_agent_row(struct world *w, struct str name, uint32_t *ret, struct err *e);
NODISCARD enum rc catalogue_service_row(struct world *w, struct str name, uint32_t *ret,
                                        struct err *e);
NODISCARD enum rc catalogue_tool_row(struct world *w, struct str name, uint32_t *ret, struct err *e);
/* world_graph.c: definitions changed. */
NODISCARD enum rc catalogue_settle(struct world *w, struct err *e);
NODISCARD enum rc graph_settle_loaded(struct world *w, struct err *e);
/* The node of a new row. */
NODISCARD enum rc graph_service_row(struct world *w, uint32_t service, struct err *e);
/* An entry holds what traffic showed in that span. */
void graph_note_observed(struct world *w, struct observed_span s);
/* Something was done to the service, now, as the entry says. */
NODISCARD enum rc graph_service_changed(struct world *w, uint32_t service, enum node_kind kind, uint64_t seq, struct str what,
                                        struct err *e);

/* world_actions.c */
NODISCARD enum rc actions_add(struct world *w, uint64_t id, struct action **ret, struct err *e);
struct action *actions_find(struct world *w, uint64_t id);
void actions_free(struct world *w);
/* What it touches and acts for; it has none yet. */
NODISCARD enum rc actions_name(struct action *a, const struct action_names *names, struct err *e);
/* What hangs on it, and not in a table; it may be done so again. */
void action_done(struct action *a);
/* The action's review, empty; made if there is none. */
NODISCARD enum rc actions_review(struct action *a, struct action_review **ret, struct err *e);
NODISCARD enum rc actions_watch(struct action *a, struct action_watch **ret, struct err *e);
/* Takes the place of what was overridden of this check before. */
NODISCARD enum rc actions_override(struct action *a, enum check check, struct world_override by, struct err *e);
/* Sets the state and its deadline, and keeps heap, counts and pending index right. */
NODISCARD enum rc actions_move(struct world *w, struct action *a, enum action_state state,
                               int64_t due_ms, struct err *e);
/* Back into a revert, from waiting for it or from an end that a person wants undone. */
NODISCARD enum rc actions_revert(struct world *w, struct action *a, int64_t due_ms, struct err *e);
void actions_evict(struct world *w);
/* For loading: puts a whole action in, closed ones in order of closing. Takes: what hangs on from, even when it fails. */
NODISCARD enum rc actions_restore(struct world *w, const struct action *from, struct err *e);
NODISCARD enum rc actions_restore_closed(struct world *w, struct err *e);

/* world_measures.c */
void her_add(struct her_ring *r, int64_t at_ms, bool own);
void aqdd_advance(struct world *w, int64_t now_ms);
NODISCARD enum rc idempotency_put(struct world *w, const uint8_t key[32],
                                  const uint8_t body_digest[16], uint64_t seq, int64_t at_ms,
                                  struct err *e);
void idempotency_evict(struct world *w);

/* world_stops.c */
/* Marks what the newest stop finds executing. */
void stops_find_running(struct world *w, struct world_stop *s);
/* An execution that a stop found has ended. */
void stops_note_end(struct world *w, const struct action *a, bool said_so);

/* world_conduct.c */
NODISCARD enum rc rate_add(struct rate_ring **r, int64_t at_ms, struct err *e);
/* A proposal of the agent was decided: what its breaker counts. */
NODISCARD enum rc conduct_decided(struct world *w, const struct action *a, struct err *e);
NODISCARD enum rc conduct_committed(struct world *w, const struct action *a, struct err *e);
NODISCARD enum rc conduct_ended(struct world *w, const struct action *a, bool good, struct err *e);
/* What came of a prediction, as the entry that ends the watch says; v may be null. */
void conduct_calibrated(struct world *w, const struct action *a, const struct value *v, bool bad);
NODISCARD enum rc tier_override(struct world_agent *a, struct str service, enum tier tier, uint64_t seq,
                                struct err *e);
NODISCARD enum rc pattern_row(struct world *w, uint32_t tool, uint32_t service, struct world_pattern **ret,
                              struct err *e);

/* world_grants.c */
/* where: null for none; copied. */
NODISCARD enum rc grants_add(struct world *w, const struct world_grant *g, const struct value *where, struct err *e);
void grants_evict(struct world *w);
void grants_free(struct world *w);

/* world_precedents.c */
NODISCARD enum rc precedent_add(struct world *w, const struct world_precedent *p, struct err *e);
void precedents_evict(struct world *w);

/* world_tokens.c */
NODISCARD enum rc tokens_add(struct world *w, const struct world_token *t, struct err *e);

#endif
