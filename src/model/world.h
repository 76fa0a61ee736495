/*
 * model/world - everything that is, as a fold over the ledger.
 *
 * world_apply() takes one entry and changes the world; nothing else does. It reads no clock: the time
 * is the entry's. Replaying the same entries gives the same world to the byte (world_save), whatever
 * the compiler or the hash seed. Tables are walked in order of insertion. Pure.
 *
 * Deadlines count at their instant; the entry that records one only writes it down. Closed actions
 * leave memory CLOSED_KEEP_MS after they closed, idempotency keys after IDEMPOTENCY_KEEP_MS, both by
 * entry time.
 */
#ifndef MODEL_WORLD_H
#define MODEL_WORLD_H

#include "base/instant.h"
#include "base/map.h"
#include "entry/entry.h"
#include "graph/impact.h"
#include "model/decision.h"
#include "model/request.h"
#include "slo/window.h"

enum {
    CLOSED_KEEP_MS = HOUR_MS,
    IDEMPOTENCY_KEEP_MS = DAY_MS,
    HER_WINDOW = 50,           /* decisions */
    HER_WINDOW_MS = 7 * DAY_MS,
    AQDD_SAMPLE_MS = 60 * SECOND_MS,
    AQDD_BASELINE_SAMPLES = 10, /* before the baseline counts */
    AQDD_BREACH_MS = 30 * MINUTE_MS,
    AQDD_BREACH_MILLI = 2000,
    DEPLOYS_MAX = 16,          /* in flight on one service; the oldest is dropped as unknown */
    STOPS_MAX = 1000,
    TOKENS_MAX = 10000,
    APPROVALS_MAX = 8,         /* of one action */
    TOOLS_MAX = 10000,
    NONCE_DIGEST_LEN = 32,
    TIER_OVERRIDES_MAX = 64,   /* of one agent */
    PATTERNS_MAX = 100000,     /* pairs of tool and service whose outcomes are counted */
    GRANTS_MAX = 1000,         /* in force */
    INCIDENTS_MAX = 1000,      /* open; more are in the ledger only */
    INCIDENTS_REPORTED_MAX = INCIDENTS_MAX / 2, /* of them that somebody opened: those that Pawl opens find room */
    REVIEW_MS = DAY_MS,        /* broken glass is looked at within that */
    GRANT_SCHEMA_MAX = 16384,  /* bytes of a grant's parameter constraints */
    PRECEDENTS_MAX = 4096,
    PRECEDENT_TRIED_MAX = 8,   /* actions of one incident */
    SHAPE_MAX = 256,           /* bytes of a shape with its NUL; longer ones are cut */
    OBSERVED_KEPT_MAX = 4096, /* observations of traffic that are known by their entry: more than two days of minutes */
    DEFINITION_ARENA_MAX = 4 << 20, /* what one registered definition may take up */
};

/* --- tables ----------------------------------------------------------------------------------- */

struct her_ring {
    int64_t at_ms[HER_WINDOW];
    bool own[HER_WINDOW]; /* escalated for reasons of its own */
    uint32_t next;
    uint32_t count;
};

/* When the last executions were, for limits and rates that are exact. */
struct rate_ring {
    int64_t at_ms[RATE_COUNT_MAX];
    uint32_t next;
    uint32_t count;
};

/* Executions later than since; ret_oldest: when the oldest of them was. r may be null. */
int64_t rate_count(const struct rate_ring *r, int64_t since_ms, int64_t *ret_oldest_ms);

/* What trips it and how far: denials and failures count in a row. */
struct breaker {
    bool open;
    bool forced;       /* by an operator: stays until one closes it */
    char cause[32];    /* denials, failures, calls, operator */
    int64_t until_ms;  /* half-open from then */
    uint32_t denials;
    uint32_t failures;
    uint32_t probes;   /* good outcomes since half-open */
};

/* Where an operator put an agent on the ladder; the newest that fits a service holds. */
struct tier_override {
    char service[129]; /* a glob */
    enum tier tier;
    uint64_t seq;
};

/* How the predicted impact of executions held against what came of them; sums over those that were watched to the end. */
struct calibration {
    int64_t n;
    int64_t bad;            /* a budget fell too far, or an invariant did not hold */
    int64_t harmed;         /* services whose budget fell too far */
    int64_t foretold;       /* of those, predicted */
    int64_t spared;         /* predicted and not harmed, where one was */
    int64_t over_ppm;       /* traffic that was predicted and not harmed, where one was */
    int64_t under_ppm;      /* traffic that was harmed and not predicted */
    int64_t risk_ppm;       /* predicted chance of a bad outcome */
    int64_t brier_ppm;      /* squared difference of that and what came: 0 or 1 */
};
enum { CALIBRATION_NUMBERS = 9 };

struct world_agent {
    char name[129];
    const struct agent_def *def; /* null when it was removed */
    const struct agent_def *aside; /* under a lens (world_lens_on): what def is without it */
    uint64_t version;            /* seq of the entry that declared it */
    struct arena *own;           /* of a registered one; null when the policy declares it */
    struct her_ring her;
    uint32_t pending; /* escalations nobody has decided */
    uint64_t changes;      /* executions with an outcome: its change budget */
    uint64_t changes_good;
    uint32_t executing;
    struct rate_ring *done;  /* executions; null until the first */
    struct rate_ring *calls; /* proposals; null until the first that is counted */
    struct breaker breaker;
    struct tier_override *tiers; /* null until an operator moved it */
    uint32_t tier_count;
    struct calibration calibration;
};

struct world_deploy {
    char id[ENTRY_ID_MAX * 2];
    int64_t since_ms;
};

/* Who is woken for a service, as a source said it last. */
struct world_on_call {
    char person[129];  /* the first; "": nobody */
    int64_t incidents; /* that the person has open elsewhere */
    int64_t at_ms;
    int64_t until_ms;  /* 0: no end was said */
};

struct world_service {
    char name[129];
    const struct service_def *def;
    const struct service_def *aside; /* as an agent's */
    uint64_t version;
    struct arena *own;
    struct world_deploy deploys[DEPLOYS_MAX];
    uint32_t deploy_count;
    struct window *sli; /* null until the first event */
    int64_t sli_at_ms;  /* newest bucket */
    uint32_t node; /* of the graph */
    uint32_t executing;
    struct rate_ring *done;
    struct world_on_call *on_call; /* null until it is said */
    int64_t snapshot_ms; /* its newest snapshot; 0: none */
    int64_t rollback_ms; /* its newest rollback that was tested and worked; 0: none, or the newest failed */
};

struct world_tool {
    char name[129];
    const struct tool_def *def;
    const struct tool_def *aside; /* as an agent's */
    uint64_t version;
    struct arena *own;
    struct rate_ring *done;
    struct calibration calibration;
};

/* How a tool did on a service: what later decisions remember. */
struct world_pattern {
    uint32_t tool;
    uint32_t service;
    uint64_t n;
    uint64_t failed; /* failed, unknown */
    uint64_t last;   /* the newest action */
    int64_t last_ms;
};

/* A scoped permission to write, by an operator. */
struct world_grant {
    uint64_t id;      /* seq; shown as grt_N */
    char agent[129];  /* globs */
    char tool[129];
    char target[257];
    int64_t expires_ms;
    uint64_t by;      /* token */
    char by_person[129];
    char reason[257];
    bool revoked;
    struct arena *own;           /* of the schema; null without one */
    const struct value *where;   /* JSON Schema that the parameters must fit; null: any */
    const struct schema *schema;
};

enum role {
    ROLE_AGENT = 1 << 0,
    ROLE_VIEWER = 1 << 1,
    ROLE_AUDITOR = 1 << 2,
    ROLE_RESPONDER = 1 << 3,
    ROLE_APPROVER = 1 << 4,
    ROLE_OVERRIDE = 1 << 5,
    ROLE_ADMIN = 1 << 6,
    ROLE_SOURCE = 1 << 7,
    ROLE_ENFORCER = 1 << 8,
};

/* "agent", "viewer", ...; null when roles is no single role. */
const char *role_name(unsigned role);
NODISCARD bool role_parse(struct str name, unsigned *ret);

struct world_token {
    uint64_t id; /* seq; shown as tok_N */
    char person[129]; /* who holds it; an agent's name for agents */
    unsigned roles;
    char groups[256]; /* of an approver: names, comma between */
    uint32_t agent; /* world index, MAP_NONE when it is no agent's */
    char services[512]; /* for sources: globs, comma between; "" all of none */
    uint8_t digest[32]; /* SHA-256 of the secret */
    int64_t expires_ms; /* 0: never */
    bool revoked;
};

/* Operators who may act themselves, and those who may do so whatever the checks say. */
#define ROLES_ACTING (ROLE_RESPONDER | ROLE_APPROVER | ROLE_OVERRIDE | ROLE_ADMIN)
#define ROLES_BREAK_GLASS (ROLE_RESPONDER | ROLE_OVERRIDE | ROLE_ADMIN)

/* A label is owner=, team=, role= or prompt= and a value: all agents that have it. */
enum stop_scope { STOP_ALL = 0, STOP_AGENT, STOP_SERVICE, STOP_TOOL, STOP_MODEL, STOP_LABEL };
const char *stop_scope_name(enum stop_scope s);
NODISCARD bool stop_scope_parse(struct str name, enum stop_scope *ret);

struct world_stop {
    uint64_t id;
    enum stop_scope scope;
    char name[129]; /* of what; "" for all */
    enum stop_level level;
    uint64_t by;    /* token, 0: the system (file or signal) */
    char by_person[129];
    int64_t at_ms;
    char reason[256];
    uint32_t running;     /* executions it found under way that have not ended */
    uint32_t confirmed;   /* of those that ended: said so */
    uint32_t unconfirmed; /* nobody said so in time */
    bool reported;        /* stop.confirmed is written */
};

enum action_state {
    ACTION_ALLOWED = 0,
    ACTION_ADVISED,
    ACTION_HELD,
    ACTION_DENIED,
    ACTION_ESCALATED,
    ACTION_APPROVED,
    ACTION_REJECTED,
    ACTION_EXPIRED,
    ACTION_EXECUTING,
    ACTION_SUCCEEDED,
    ACTION_FAILED,
    ACTION_UNKNOWN,
    ACTION_CANCELLED,
    ACTION_ABANDONED,
    ACTION_OBSERVING,      /* succeeded; its outcome is watched */
    ACTION_VERIFIED,
    ACTION_VIOLATED,       /* its outcome is bad, and there is no way back */
    ACTION_REVERT_WAITING, /* its outcome is bad: the revert has not started */
    ACTION_REVERTING,
    ACTION_REVERTED,
    ACTION_REVERT_FAILED,
    ACTION_STATE_COUNT,
};

const char *action_state_name(enum action_state s);
NODISCARD bool action_state_parse(struct str name, enum action_state *ret);
/* Final: nothing changes it but a revert. An unknown one is open until it is known what became of it. */
bool action_state_is_closed(enum action_state s);

/* An escalate finding that an approver was shown. */
struct shown_finding {
    bool shown;
    bool unknown; /* it escalated because something was not known */
    int64_t value;
    uint64_t mark; /* the finding's */
};

struct world_approval {
    uint64_t token;
    int64_t at_ms;
};

/* What people were shown of an action, and what they said. */
struct action_review {
    struct shown_finding shown[CHECK_COUNT];
    struct world_approval approvals[APPROVALS_MAX];
    uint32_t approval_count;
    uint32_t quorums[QUORUM_MATCHES_MAX]; /* rules of the policy of that decision; none: one approval */
    uint32_t quorum_count;
};

/* A hold that a person took upon herself; token 0: nobody did. */
struct world_override {
    uint64_t token;
    uint64_t policy_seq; /* it was said under */
    int64_t expires_ms;
};

/* By check. */
struct action_overrides {
    struct world_override of[CHECK_COUNT];
};

/* What an action's outcome is measured against. */
struct action_watch {
    int64_t for_ms;
    int64_t max_drop_ppm;
    int64_t invariant_after_ms[INVARIANTS_MAX]; /* since the success, in the order of the decision's list */
    uint32_t invariant_count;
    uint32_t count;
    struct {
        uint32_t service;
        int64_t before_ppm; /* the error budget when it started */
    } at[FACT_BUDGETS_MAX];
};

struct world_incident {
    uint64_t id;     /* seq; shown as inc_N */
    uint64_t action; /* 0: somebody opened it */
    uint32_t service; /* MAP_NONE: none is named */
    int64_t at_ms;
    int64_t review_by_ms; /* of broken glass: by when somebody else has looked at it; 0: of harm */
    char person[129];     /* who broke it; "" */
    char symptom[16];     /* of one that somebody opened: latency, availability, any */
    char shape[SHAPE_MAX]; /* how its harm travels, as was seen when it was opened; "" */
};

/*
 * What a closed incident leaves. Its shape is the typed way of the harm from the change to the symptom, without names:
 * "config -configures-> service -calls-> service | latency".
 */
struct world_precedent {
    uint64_t incident;
    uint64_t closed_seq;
    int64_t at_ms;
    int64_t closed_ms;
    uint32_t service; /* MAP_NONE */
    uint32_t tool;    /* of the action that resolved it; MAP_NONE: none did */
    uint64_t action;  /* that resolved it; 0 */
    uint32_t tried_count;
    struct {
        uint32_t tool;
        bool good; /* it succeeded, whatever became of the incident */
    } tried[PRECEDENT_TRIED_MAX];
    char shape[SHAPE_MAX];
};

/* Precedents of one shape. */
struct recall {
    int64_t seen;
    int64_t tried;    /* with the tool that was asked about */
    int64_t resolved; /* by it */
    int64_t first_ms;
    int64_t last_ms;
};

/* Services that it touches and agents in whose name it is done, as world indexes. */
struct action_names {
    uint32_t services[REQUEST_SERVICES_MAX];
    uint32_t service_count;
    uint32_t act[REQUEST_ACT_MAX]; /* the nearest first */
    uint32_t act_count;
};

enum { ACTION_NAMES_IN_PLACE = 2 }; /* most actions have one; more are kept aside */

/* There may be hundreds of thousands: every byte counts. */
struct action {
    uint64_t id; /* seq; shown as act_N */
    uint32_t agent;
    uint32_t tool; /* MAP_NONE when nothing matched */
    union {
        uint32_t few[ACTION_NAMES_IN_PLACE];
        uint32_t *many;
    } names; /* services, then agents: to be read with action_services(), action_act() */
    uint8_t service_count;
    uint8_t act_count;
    uint8_t state;   /* enum action_state */
    uint8_t verdict; /* enum verdict */
    int8_t blocking; /* enum check; -1: none */
    bool two_phase;
    bool has_revert;
    bool human;           /* an operator proposed it: it is no agent's */
    uint64_t proposer;    /* token */
    uint64_t decided_seq; /* its newest decision */
    uint64_t policy_seq;  /* policy.loaded of that decision */
    uint64_t grant_seq;   /* committed entry, 0 when never */
    uint64_t under;       /* the operator's grant it was committed under; 0: none was needed */
    uint64_t stopped_by;  /* the stop that found it executing; 0: none did */
    int64_t proposed_ms;
    int64_t retry_at_ms; /* of a hold */
    int64_t due_ms;      /* expires, is lost, or leaves memory */
    int64_t closed_ms;
    uint8_t digest[ENTRY_DIGEST_LEN];
    uint8_t nonce[NONCE_DIGEST_LEN]; /* SHA-256 of the executor's nonce */
    struct action_review *review; /* null until it is escalated: most never are */
    struct action_watch *watch;   /* null when its outcome is not watched */
    struct action_overrides *overrides; /* null until a person overrode something */
    uint32_t slot;    /* its place in the world's table */
    uint32_t heap_at; /* position in the due heap */
    uint32_t next;    /* in order of id */
    uint32_t previous;
};

/* service_count of them; act_count of them. */
static inline const uint32_t *action_services(const struct action *a)
{
    return a->service_count + a->act_count <= ACTION_NAMES_IN_PLACE ? a->names.few : a->names.many;
}

static inline const uint32_t *action_act(const struct action *a)
{
    return action_services(a) + a->service_count;
}

/* Its review, or an empty one. */
const struct action_review *action_review(const struct action *a);

struct world;

/* hash_seed must not change anything but speed. Null when out of memory. */
struct world *world_new(uint64_t hash_seed);
void world_free(struct world *w);
DEFINE_CLEANUP(world)

/*
 * Applies the next entry. policy_text: the canonical policy of a policy.loaded entry, empty else.
 * Errors: RC_CORRUPT when the body is not what its kind promises or the seq does not follow; the text
 * names the seq. RC_NO_MEMORY. The world is not to be used after a failure.
 */
NODISCARD enum rc world_apply(struct world *w, const struct entry *entry, const struct value *body,
                              struct str policy_text, struct err *e);

/* Would an entry with this policy, or this service, fit? To be asked before it is written down: RC_LIMIT
 * when the graph would have more than GRAPH_NODES_MAX nodes or GRAPH_EDGES_MAX edges. */
NODISCARD enum rc world_check_policy(const struct world *w, const struct policy *p, struct err *e);
NODISCARD enum rc world_check_service(const struct world *w, const struct service_def *def, struct err *e);

/*
 * Another policy's catalogue over the world's own: what it declares is seen in its definition, everything else as it
 * is. The fold goes on under it as without it. While it is on no entry of a policy or a definition may be applied, and
 * the world is not saved. Keeps: p. Errors: RC_LIMIT (the graph's), RC_NO_MEMORY.
 */
NODISCARD enum rc world_lens_on(struct world *w, const struct policy *p, struct err *e);
NODISCARD enum rc world_lens_off(struct world *w, struct err *e);

uint64_t world_next_seq(const struct world *w);
int64_t world_time(const struct world *w); /* of the newest entry */
/* The current policy; null before the first. */
const struct policy *world_policy(const struct world *w);
uint64_t world_policy_seq(const struct world *w);
struct str world_policy_hash(const struct world *w); /* "sha256:..." */
/* Of the policy in the configuration file, when another one took its place by hand; else empty. */
struct str world_policy_aside(const struct world *w);
struct str world_origin(const struct world *w);
/* What lay beside the entries up to here may have been erased; 0: nothing was. */
uint64_t world_erased_through(const struct world *w);

uint32_t world_agent_find(const struct world *w, struct str name);
const struct world_agent *world_agent_at(const struct world *w, uint32_t index);
uint32_t world_agent_count(const struct world *w);
uint32_t world_service_find(const struct world *w, struct str name);
const struct world_service *world_service_at(const struct world *w, uint32_t index);
uint32_t world_service_count(const struct world *w);

/* Services, what they depend on, and what else was said or seen; never null. */
const struct graph *world_graph(const struct world *w);
/* MAP_NONE: the node is no service that was ever declared. */
uint32_t world_service_of_node(const struct world *w, uint32_t node);
/* Entries that hold what traffic showed (graph.observed), oldest first. */
struct observed_span {
    int64_t from_ms;
    int64_t to_ms;
    uint64_t seq;
};
uint32_t world_observed_count(const struct world *w);
struct observed_span world_observed_at(const struct world *w, uint32_t index);
/* Who is hurt now when these services are, as graph_impact says; until the next call, or the next entry. */
struct impact world_impact(const struct world *w, const uint32_t *services, uint32_t count, uint32_t limit);

uint32_t world_tool_find(const struct world *w, struct str name);
const struct world_tool *world_tool_at(const struct world *w, uint32_t index);
uint32_t world_tool_count(const struct world *w);

const struct world_token *world_token_by_digest(const struct world *w, const uint8_t digest[32]);
const struct world_token *world_token_by_id(const struct world *w, uint64_t id);
const struct world_token *world_token_at(const struct world *w, uint32_t index);
uint32_t world_token_count(const struct world *w);

const struct world_stop *world_stop_at(const struct world *w, uint32_t index);
uint32_t world_stop_count(const struct world *w);

/* Null when it is not in memory. */
const struct action *world_action(const struct world *w, uint64_t id);
/* The checks whose override counts, a bit each: said under the policy of now, not expired, by a token that is in force and
 * entitled still. */
uint64_t world_overrides(const struct world *w, const struct action *a, int64_t now_ms);
/* The pending (escalated or approved) action with that digest, or null. */
const struct action *world_pending(const struct world *w, const uint8_t digest[32]);
/* All actions in memory, oldest first: start with null, ends with null. */
const struct action *world_action_next(const struct world *w, const struct action *after);
uint32_t world_open_actions(const struct world *w);
uint32_t world_pending_approvals(const struct world *w);

/* The human escalation rate over the window that ends at now. */
void world_her(const struct world *w, uint32_t agent, int64_t now_ms, int64_t *ret_ppm,
               int64_t *ret_sample);

struct aqdd {
    int64_t depth;
    int64_t baseline_milli; /* -1: none yet */
    int64_t drift_milli;    /* -1: none yet */
    bool breach;            /* drift >= 2.0 for 30 minutes */
};
struct aqdd world_aqdd(const struct world *w, int64_t now_ms);

/* The oldest action whose deadline is at or before now and that an entry must record; null: none. */
const struct action *world_due(const struct world *w, int64_t now_ms);
/* When world_due will next have something; INT64_MAX: never. */
int64_t world_next_due(const struct world *w);

/* A repeated write: what its first entry was. */
struct idempotency {
    uint64_t seq;
    uint8_t body_digest[16];
};
const struct idempotency *world_idempotency(const struct world *w, const uint8_t key[32]);

/* --- the whole world as bytes ------------------------------------------------------------------ */

enum { WORLD_FORMAT = 2, WORLD_RECORD_MAX = 16 << 20 };

/* One record after the other; each is canonical JSON without a newline. Non-zero ends the walk. */
typedef enum rc (*world_record_fn)(void *context, struct str record, struct err *e);
NODISCARD enum rc world_save(const struct world *w, world_record_fn fn, void *context, struct err *e);
/* Feed the records of world_save in order to a new world, then end it. */
NODISCARD enum rc world_load_record(struct world *w, struct str record, struct err *e);
NODISCARD enum rc world_load_end(struct world *w, struct err *e);

/* What a stop may concern: world indexes, MAP_NONE for none. */
struct stop_subject {
    uint32_t agent;
    uint32_t tool;
    const uint32_t *services;
    uint32_t service_count;
    const uint32_t *act; /* those in whose name it is done: a stop of one covers it */
    uint32_t act_count;
};
struct stop_subject action_subject(const struct action *a);
bool world_stop_covers(const struct world *w, const struct world_stop *s, const struct stop_subject *subject);
/* An agent that fits the label or the model; for a stop that would stop nobody. */
bool agent_has_label(const struct agent_def *def, struct str label);

/* --- conduct: breakers, tiers, memory, grants ---------------------------------------------------------- */

enum breaker_phase world_breaker(const struct world *w, uint32_t agent, int64_t now_ms);
/* The lowest tier of the agent over these services (none: over all). */
enum tier world_tier(const struct world *w, uint32_t agent, const uint32_t *services, uint32_t count,
                     enum tier otherwise);
/* Null: nothing is remembered. */
const struct world_pattern *world_pattern(const struct world *w, uint32_t tool, uint32_t service);
uint32_t world_pattern_count(const struct world *w);
const struct world_pattern *world_pattern_at(const struct world *w, uint32_t index);
uint32_t world_incident_count(const struct world *w);
const struct world_incident *world_incident_at(const struct world *w, uint32_t index);
uint32_t world_precedent_count(const struct world *w);
const struct world_precedent *world_precedent_at(const struct world *w, uint32_t index); /* oldest first */
/* tool: MAP_NONE for none. */
struct recall world_recall(const struct world *w, struct str shape, uint32_t tool);
/* Actions that are not over, in no order that means anything. */
uint32_t world_open_count(const struct world *w);
const struct action *world_open_at(const struct world *w, uint32_t index);
uint32_t world_grant_count(const struct world *w);
const struct world_grant *world_grant_at(const struct world *w, uint32_t index);
const struct world_grant *world_grant_by_id(const struct world *w, uint64_t id);
/* The first grant in force that covers it; null: none. */
const struct world_grant *world_grant_for(const struct world *w, struct str agent, struct str tool, struct str target,
                                          const struct value *parameters, int64_t now_ms);

#endif
