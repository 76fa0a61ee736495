/*
 * control - the use cases, and the one writer of the world.
 *
 * Propose, decide, approve, commit, report, stop: each takes a principal and its input, decides on the
 * world as it is, appends one entry, and returns at once. The entry is applied immediately; what loosens
 * or leaves the process must wait until it is durable: the caller hands its answer to
 * control_when_durable(). What tightens (stop, reject, revoke) acts at once.
 *
 * Threads: one thread, the loop's. control_durable_changed() is to be called on it after each wake of
 * the store's writer.
 */
#ifndef CONTROL_CONTROL_H
#define CONTROL_CONTROL_H

#include "control/ports.h"
#include "crypto/crypto.h"
#include "gate/gate.h"
#include "store/writer.h"

struct control;

enum {
    CONTROL_REASON_MAX = 1024,        /* bytes of a reason a person gives */
    CONTROL_WAITERS_MAX = 65536,      /* answers that wait for the disk */
    CONTROL_NONCE_MIN = 16,           /* bytes of an executor's nonce */
    CONTROL_NONCE_MAX = 128,
    CONTROL_IDEMPOTENCY_KEY_MAX = 255,
    CLOCK_JUMP_MS = 5000,             /* wall clock against elapsed time */
    DISK_RESERVE_PCT = 5,             /* decisions are refused below this much free disk, or ... */
    SNAPSHOT_EVERY = 50000,           /* entries, and not more often than ... */
    SNAPSHOT_INTERVAL_MS = 60000,
    ON_CALL_PEOPLE_MAX = 8,
    ON_CALL_PERSON_MAX = 128, /* bytes */
    STOPS_RESERVED = 2,               /* of STOPS_MAX: a stop and a pause of everything always fit */
    BLOB_KEEP_MIN_MS = DAY_MS,        /* of control_options.blob_keep_ms, unless it is 0 */
    RETENTION_EVERY_MS = DAY_MS,
    QUEUE_RESERVED = 64,              /* of WRITER_QUEUE_MAX: for what tightens */
};
#define DISK_RESERVE_BYTES (1LL << 30) /* ... below this many bytes, whichever is less */

struct redactor;
struct graph_observation;

struct control_options {
    const char *folder;           /* the data folder */
    const char *checkpoint_file;  /* or null */
    const struct signing_key *key;
    const struct redactor *redactor; /* borrowed; null: nothing is redacted (tests) */
    struct ports ports;
    void (*wake)(void *context);  /* on the writer's thread: call control_durable_changed soon */
    void *wake_context;
    int64_t checkpoint_ms;
    int64_t blob_keep_ms; /* how long what lies beside entries is kept; 0: for good */
    bool by_publish; /* entries wait for writer_publish(): the loop says when a round is over */
    uint64_t hash_seed;
};

/*
 * Opens the ledger, restores the world (newest snapshot, then the entries behind it), starts the writer.
 * Errors: RC_CORRUPT naming the seq, RC_CONFLICT when another process writes.
 */
NODISCARD enum rc control_start(const struct control_options *options, struct control **ret,
                                struct err *e);
/* Writes what waits, signs a checkpoint, closes. */
void control_stop(struct control *c);

const struct world *control_world(const struct control *c);
struct signals *control_signals(struct control *c);
struct writer *control_writer(struct control *c);
struct store *control_reader(struct control *c); /* the loop's own read connection */
int64_t control_now(struct control *c);

/* --- who --------------------------------------------------------------------------------------------- */

struct idempotency_key;

struct principal {
    uint64_t token;       /* id */
    char actor[ENTRY_ID_MAX];
    struct str person;
    unsigned roles;
    uint32_t agent; /* world index or MAP_NONE */
    struct str services; /* a source's globs */
    struct validator_round *round; /* of the request in hand: who is asked about it; null: nobody */
    const struct idempotency_key *key; /* of the request in hand, for what takes none of its own; null: none */

    /* What the issuer of its token says of the agent; empty: nothing. */
    struct str model;
    struct str prompt_version;
    struct str act[REQUEST_ACT_MAX]; /* agents that it acts for, the nearest first */
    uint32_t act_count;
    struct str behalf; /* the person in whose name all of it is done; empty: none */
};

/* secret: the bearer token. RC_DENIED when unknown, expired or revoked. */
NODISCARD enum rc control_authenticate(struct control *c, struct str secret, struct principal *ret,
                                       struct err *e);

/* Who was verified elsewhere: by a key of the policy, or by an issuer. */
struct credential {
    struct str name; /* what stands for it: with "key:" or "jwt:" before it, so that no secret is the same */
    unsigned roles;
    struct str person; /* an agent's name for an agent */
    struct str agent;  /* for ROLE_AGENT */
    struct str groups; /* for ROLE_APPROVER */
};
/*
 * The principal of a credential. Its first use is an entry, token.created, from which it has an id like a bearer
 * token and can be revoked like one; when it has become something else since (another agent, other roles), the old
 * id is revoked and a new one made. Errors: RC_DENIED when revoked, RC_LIMIT, RC_UNAVAILABLE.
 */
NODISCARD enum rc control_admit(struct control *c, struct arena *a, const struct credential *who,
                                struct principal *ret, struct err *e);

/* --- durability --------------------------------------------------------------------------------------- */

/* rc is RC_OK, or RC_UNAVAILABLE when the ledger can't be written now. */
typedef void (*durable_fn)(void *context, enum rc rc);

/*
 * Calls fn once everything below seq is durable; at once when it is. action: the action to abandon when
 * the answer never leaves, 0 for none. RC_LIMIT when too many wait.
 */
NODISCARD enum rc control_when_durable(struct control *c, uint64_t seq, uint64_t action, durable_fn fn,
                                       void *context, struct err *e);
/* The waiter's answer is no longer wanted (its connection is gone). */
void control_forget_waiter(struct control *c, void *context);
void control_durable_changed(struct control *c);
/* Everything that was said up to now: what an answer made now must wait for. */
uint64_t control_read_seq(const struct control *c);

/* --- a repeated write ---------------------------------------------------------------------------------- */

struct idempotency_key {
    bool given;
    uint8_t key[32];         /* SHA-256 over principal and key */
    uint8_t body_digest[16];
};
struct idempotency_key control_idempotency(const struct principal *p, struct str key, struct str route,
                                           struct str body);
/* The seq of the first write with this key; RC_NOT_FOUND when it is the first, RC_INVALID when the same
 * key came with another body. */
NODISCARD enum rc control_repeated(const struct control *c, const struct idempotency_key *k,
                                   uint64_t *ret_seq, struct err *e);

/* --- actions -------------------------------------------------------------------------------------------- */

/* What was decided, for an answer. */
struct decided {
    uint64_t action;
    uint64_t seq; /* of the decision's entry */
    struct decision decision;
    struct facts facts;
    bool pending_again; /* the same action was pending already: nothing new was decided */
};

/* q: the caller's part is filled. Errors: RC_LIMIT (open actions, approvals), RC_UNAVAILABLE. */
/*
 * When validators must be asked first, RC_UNAVAILABLE: who, stands in the request's round then (of an action that is
 * there already: the principal's). Nothing was done; call again with the answers.
 */
NODISCARD enum rc control_propose(struct control *c, struct arena *a, const struct principal *p,
                                  struct request *q, const struct idempotency_key *k,
                                  struct decided *ret, struct err *e);
/* The same decision, nothing recorded. */
NODISCARD enum rc control_evaluate(struct control *c, struct arena *a, struct request *q,
                                   struct decided *ret, struct err *e);
/* The same as a proposal would be decided, where it would not be refused: a pending action of that digest stands, and
 * the limits of open actions hold. Nothing is recorded. Errors: control_propose's. */
NODISCARD enum rc control_consider(struct control *c, struct arena *a, struct request *q, struct decided *ret,
                                   struct err *e);
/* Asks again about a held or allowed action. */
NODISCARD enum rc control_decide(struct control *c, struct arena *a, const struct principal *p,
                                 uint64_t action, struct decided *ret, struct err *e);

struct grant {
    uint64_t id; /* seq of the commit; shown as grt_N */
    int64_t silent_ms; /* in: how long the executor will be silent, since it sends no heartbeats; 0: it does */
    int64_t start_by_ms;
    int64_t heartbeat_ms;
};

/*
 * Decides again, bound to the same digest, and grants the start once. When it may not start, RC_OK with
 * *ret_release other than RELEASE_GO and the new decision. Errors: RC_CONFLICT (state, another nonce, the
 * digest differs).
 */
NODISCARD enum rc control_commit(struct control *c, struct arena *a, const struct principal *p,
                                 uint64_t action, struct str nonce, struct str digest,
                                 enum release *ret_release, struct decided *ret, struct grant *ret_grant,
                                 struct err *e);
NODISCARD enum rc control_heartbeat(struct control *c, struct arena *a, const struct principal *p,
                                    uint64_t action, struct str nonce, bool *ret_cancel, struct err *e);

struct outcome {
    bool succeeded;
    const struct value *detail; /* exit_status, duration_ms, output...: recorded as it is */
};
NODISCARD enum rc control_outcome(struct control *c, struct arena *a, const struct principal *p,
                                  uint64_t action, struct str nonce, const struct outcome *o,
                                  struct err *e);
NODISCARD enum rc control_cancel(struct control *c, struct arena *a, const struct principal *p,
                                 uint64_t action, struct str reason, struct err *e);

/* What a person says of an action that is unknown; key: null for none. */
struct settlement {
    bool succeeded;
    struct str reason;
    const struct idempotency_key *key;
};
/* Errors: RC_NOT_FOUND, RC_CONFLICT (state). */
NODISCARD enum rc control_settle(struct control *c, struct arena *a, const struct principal *p, uint64_t action,
                                 const struct settlement *s, struct err *e);

/* Takes an action back by hand, once. Errors: RC_NOT_FOUND, RC_CONFLICT (state, no way back, a stop). */
NODISCARD enum rc control_revert(struct control *c, struct arena *a, const struct principal *p, uint64_t action,
                                 struct str reason, bool under_stop, struct err *e);
/* What came of a command that ports.run started: its kind, action and index say of which. */
void control_command_ended(struct control *c, const struct command *command, bool good, struct str detail);
/* How harm travels in what is open: shapes are world.h's, "" when that is not known. */
struct incident_report {
    struct str service;
    struct str symptom; /* latency, availability, any */
    struct str shape;
    struct str reason;
    int64_t at_ms;
};
/* Errors: RC_NOT_FOUND, RC_INVALID, RC_DENIED (a quarantined agent). */
NODISCARD enum rc control_incident_open(struct control *c, struct arena *a, const struct principal *p,
                                        const struct incident_report *r, const struct idempotency_key *k, uint64_t *ret_id,
                                        struct err *e);
/* Somebody asks what is remembered: that is an entry. */
NODISCARD enum rc control_memory_read(struct control *c, struct arena *a, const struct principal *p, struct str shape,
                                      int64_t seen, uint64_t *ret_seq, struct err *e);
struct incident_end {
    struct str reason;
    struct str shape;        /* "": nothing is learnt */
    const uint64_t *tried;   /* actions */
    uint32_t tried_count;
    uint64_t resolved_by;    /* an action; 0: none */
};
NODISCARD enum rc control_incident_close(struct control *c, struct arena *a, const struct principal *p, uint64_t id,
                                         const struct incident_end *end, const struct idempotency_key *k, struct err *e);

/* --- approvals ------------------------------------------------------------------------------------------- */

struct approval {
    struct str digest;   /* of the action, as shown */
    uint64_t decision;   /* seq of the decision that was shown */
    int64_t shown_at_ms; /* 0: not said */
};
/* Errors: RC_DENIED (not independent), RC_CONFLICT (state, digest, a newer decision). */
NODISCARD enum rc control_approve(struct control *c, struct arena *a, const struct principal *p,
                                  uint64_t action, const struct approval *approval,
                                  const struct idempotency_key *k, struct err *e);
struct override {
    enum check check;
    struct approval shown;
    struct str reason;
};
/* A hold of one check no longer counts for this action: freeze, upstream, rate, or a signal that is unknown. Errors:
 * RC_DENIED (not independent, or nothing that can be overridden), RC_CONFLICT (it does not hold; state; digest). */
NODISCARD enum rc control_override(struct control *c, struct arena *a, const struct principal *p, uint64_t action,
                                   const struct override *o, const struct idempotency_key *k, struct err *e);
NODISCARD enum rc control_reject(struct control *c, struct arena *a, const struct principal *p,
                                 uint64_t action, struct str reason, const struct idempotency_key *k,
                                 struct err *e);

/* One approval that a rule still asks for. */
struct quorum_place {
    struct str rule;
    struct str group; /* empty: any approver's */
};

/* What keeps an escalated action from being approved. Nothing set: nothing does. */
struct quorum_missing {
    struct quorum_place places[QUORUM_MATCHES_MAX * QUORUM_APPROVALS_MAX];
    unsigned count;
    bool human;     /* one of the approvers must be no agent, and none is yet */
    bool any;       /* no rule asks, and nobody has approved */
    bool rule_gone; /* the policy has changed since it was decided: it is asked again */
};
/* Borrows: names from the policy. */
void control_quorum_missing(struct control *c, const struct action *action, struct quorum_missing *ret);

/* --- conduct: breakers, tiers, grants ---------------------------------------------------------------------- */

/* Opens the agent's breaker until it is closed by hand, or closes it. */
NODISCARD enum rc control_breaker_set(struct control *c, struct arena *a, const struct principal *p, struct str agent,
                                      bool open, struct str reason, const struct idempotency_key *k, struct err *e);

struct tier_order {
    struct str agent;
    struct str service; /* a name or a glob */
    enum tier tier;
    struct str reason;
};
NODISCARD enum rc control_tier_change(struct control *c, struct arena *a, const struct principal *p,
                                      const struct tier_order *o, const struct idempotency_key *k, struct err *e);

#define GRANT_LIFE_MAX_MS (30LL * DAY_MS)
struct grant_order {
    struct str agent; /* globs */
    struct str tool;
    struct str target;
    const struct value *where; /* JSON Schema over the parameters; null: any */
    int64_t expires_ms;        /* at most GRANT_LIFE_MAX_MS ahead */
    struct str reason;
};
NODISCARD enum rc control_grant_issue(struct control *c, struct arena *a, const struct principal *p,
                                      const struct grant_order *o, const struct idempotency_key *k, uint64_t *ret_id,
                                      struct err *e);
/* Counts for the next decision; executions under it are told at their next heartbeat. */
NODISCARD enum rc control_grant_revoke(struct control *c, struct arena *a, const struct principal *p, uint64_t id,
                                       struct str reason, const struct idempotency_key *k, struct err *e);

/* --- stops ------------------------------------------------------------------------------------------------- */

struct stop_order {
    enum stop_scope scope;
    struct str name;
    enum stop_level level;
    struct str reason;
};
/* p null: the system itself (stop file, signal). */
NODISCARD enum rc control_stop_set(struct control *c, struct arena *a, const struct principal *p,
                                   const struct stop_order *order, const struct idempotency_key *k,
                                   uint64_t *ret_id, struct err *e);
/* Errors: RC_NOT_FOUND, RC_DENIED (someone else must). */
NODISCARD enum rc control_stop_lift(struct control *c, struct arena *a, const struct principal *p,
                                    uint64_t id, struct str reason, const struct idempotency_key *k,
                                    struct err *e);

/* --- catalogue, tokens, policy, events ------------------------------------------------------------------- */

enum declared { DECLARED_AGENT, DECLARED_SERVICE, DECLARED_TOOL };
/* RC_CONFLICT when the policy declares the name. ret_seq: its version. */
NODISCARD enum rc control_declare(struct control *c, struct arena *a, const struct principal *p,
                                  enum declared what, const struct value *definition,
                                  const struct idempotency_key *k, uint64_t *ret_seq, struct err *e);

/*
 * What is said of the graph, as model/graph_writing.h has it, without its source's rights being asked. Errors: RC_INVALID,
 * RC_LIMIT with the place; RC_CONFLICT: a declared service is said to be gone.
 */
NODISCARD enum rc control_graph_write(struct control *c, struct arena *a, const struct principal *p,
                                      const struct value *said, const struct idempotency_key *k, uint64_t *ret_seq,
                                      struct err *e);
/* What traffic showed. Errors: RC_LIMIT. */
NODISCARD enum rc control_graph_observe(struct control *c, struct arena *a, const struct graph_observation *seen,
                                        struct err *e);

/* The observation that entry seq holds, with its calls. Errors: RC_GONE when they were erased; RC_NOT_FOUND, RC_CORRUPT. */
NODISCARD enum rc control_read_observation(struct control *c, struct arena *a, uint64_t seq, struct graph_observation *ret,
                                           struct err *e);

struct token_order {
    unsigned roles;
    struct str person;
    struct str agent;    /* for ROLE_AGENT, or the agent that holds an approver's token */
    struct str services; /* for ROLE_SOURCE */
    struct str groups;   /* for ROLE_APPROVER: names, comma between */
    int64_t expires_ms;  /* 0: never */
};
/* secret: at least 64 bytes; gets pawl_<role>_<base64url> and its NUL. */
NODISCARD enum rc control_token_create(struct control *c, struct arena *a, const struct principal *p,
                                       const struct token_order *order, char secret[static 96],
                                       uint64_t *ret_id, struct err *e);
NODISCARD enum rc control_token_revoke(struct control *c, struct arena *a, const struct principal *p,
                                       uint64_t id, struct str reason, struct err *e);

/* --- policies --------------------------------------------------------------------------------------------- */

/* Where a policy comes from, for its entry. */
struct policy_origin {
    struct str author;           /* a person, or the file that it was read from */
    struct str reason;
    struct str signature;        /* of a bundle: its signed note; empty else */
    const struct principal *by;  /* who loads it by hand: then the file's waits; null: it is the file's */
    bool at_start;               /* the file's policy stays aside when it was put aside by hand before */
};
/* RC_OK without an entry when it is the policy in force. */
NODISCARD enum rc control_load_policy(struct control *c, struct arena *a, const struct policy *policy,
                                      const struct policy_origin *origin, struct err *e);
/* An earlier one again, by the seq that loaded it. RC_NOT_FOUND: that entry loaded none. */
NODISCARD enum rc control_policy_rollback(struct control *c, struct arena *a, const struct principal *p, uint64_t seq,
                                          struct str reason, struct err *e);

NODISCARD enum rc control_deploy(struct control *c, struct arena *a, const struct principal *p,
                                 bool started, struct str service, struct str id, struct str result,
                                 struct err *e);
/* Who is on call for a service; nobody when people is empty. */
struct on_call_report {
    struct str service;
    struct str_list people; /* the first is woken first; at most ON_CALL_PEOPLE_MAX */
    int64_t incidents;      /* that the first has open elsewhere */
    int64_t until_ms;       /* 0: no end is known */
};
/* Its people and its end are what they must be; control_on_call asks the same. */
NODISCARD enum rc control_check_on_call(struct control *c, const struct on_call_report *o, struct err *e);
NODISCARD enum rc control_on_call(struct control *c, struct arena *a, const struct principal *p,
                                  const struct on_call_report *o, struct err *e);
/* A way back from what would be destroyed: a snapshot, or a rollback that was tried. */
struct evidence {
    struct str service;
    struct str id;
    bool is_rollback;
    struct str result; /* of a rollback: succeeded or failed */
    int64_t at_ms;   /* 0: now; not ahead of now */
};
NODISCARD enum rc control_check_evidence(struct control *c, const struct evidence *ev, struct err *e);
NODISCARD enum rc control_evidence(struct control *c, struct arena *a, const struct principal *p,
                                   const struct evidence *ev, struct err *e);
/* One bucket of counted events. */
NODISCARD enum rc control_sli(struct control *c, struct arena *a, struct str actor, struct str service,
                              int64_t at_ms, int64_t good, int64_t total, struct err *e);
struct sli_bucket {
    struct str service;
    int64_t at_ms;
    int64_t good;
    int64_t total;
    const struct idempotency_key *keys; /* of the requests that are counted in it */
    uint32_t key_count;
};
/* The same with the keys of those who sent them, so that none is counted twice. */
NODISCARD enum rc control_sli_bucket(struct control *c, struct arena *a, struct str actor, const struct sli_bucket *b,
                                     struct err *e);
/* One summary of what was turned away before it reached the ledger. */
NODISCARD enum rc control_load_refused(struct control *c, struct arena *a, int64_t rate_limited,
                                       int64_t unauthenticated, int64_t malformed, struct err *e);

/* --- time --------------------------------------------------------------------------------------------------- */

/* Records what fell due; ret_next_ms: when to call again at the latest (INT64_MAX: never). */
void control_tick(struct control *c, int64_t *ret_next_ms);
NODISCARD enum rc control_clock_accept(struct control *c, struct arena *a, const struct principal *p,
                                       struct err *e);

/* --- reading back ---------------------------------------------------------------------------------------------- */

/* One recorded decision, parsed. Strings point into a. */
struct decision_record {
    uint64_t seq;
    uint64_t action;
    int64_t time_ms;
    enum entry_kind kind;
    struct value body;
    struct request request; /* of the action; not derived; what is large as it stands in the entry */
    const struct value *said; /* the same, as it stands there */
    struct decision decision;
    struct facts facts;
    struct str tool;
    struct str target;
    uint64_t policy_seq;
    uint64_t agent_version;
    uint64_t tool_version;
};
NODISCARD enum rc control_read_decision(struct control *c, struct arena *a, uint64_t seq,
                                        struct decision_record *ret, struct err *e);
/* Puts what lies beside the entry into the record's request. What was erased: RC_GONE, or with show_erased it is said
 * so in its place. RC_CORRUPT for what is missing without an erasure. */
NODISCARD enum rc control_complete(struct control *c, struct arena *a, bool show_erased, struct decision_record *record,
                                   struct err *e);
/* What lies beside entries under this digest. RC_NOT_FOUND: never, or not any more. */
NODISCARD enum rc control_read_blob(struct control *c, struct arena *a, const struct digest *digest, struct str *ret,
                                    struct err *e);
/* What each rule of the policy that the record names makes of it, and why: a list. Errors as control_replay's. */
NODISCARD enum rc control_explain(struct control *c, struct arena *a, uint64_t seq, struct value *ret, struct err *e);
/* Judges the recorded facts again under the versions the record names; the record is complete then. RC_NOT_FOUND for
 * no decision, RC_GONE when a part of it was erased. */
NODISCARD enum rc control_replay(struct control *c, struct arena *a, uint64_t seq,
                                 struct decision_record *ret_record, struct decision *ret_again,
                                 struct err *e);
/* An entry with its body parsed. */
NODISCARD enum rc control_read_entry(struct control *c, struct arena *a, uint64_t seq,
                                     struct entry *ret, struct value *ret_body, struct err *e);

/* The disk is nearly full: nothing new is decided until there is room again. */
void control_set_disk_low(struct control *c, bool low);

enum control_health {
    HEALTH_OK = 0,
    HEALTH_DISK_FULL,    /* or nearly: decisions are refused, reads go on */
    HEALTH_LEDGER_DOWN,  /* for good: the process is to end */
    HEALTH_CLOCK_JUMPED,
};
enum control_health control_health(struct control *c);
/* How long the newest stop took from the call to its effect, in microseconds; -1: none yet. */
int64_t control_stop_effect_us(const struct control *c);

#endif
