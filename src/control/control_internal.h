/*
 * control/control_internal - what the files of this folder share.
 */
#ifndef CONTROL_CONTROL_INTERNAL_H
#define CONTROL_CONTROL_INTERNAL_H

#include "control/beside.h"
#include "control/control.h"
#include "control/derive.h"
#include "control/feed.h"

enum {
    OP_ARENA_MAX = 16 << 20, /* memory of one operation that brings no arena of its own */
    ENTRY_BLOBS_MAX = 32,        /* texts and parts beside one entry, each of at most STORE_BLOB_MAX bytes */
    BLOB_TEXT_MAX = 4 << 10,     /* bytes of a text that stays in its entry */
    BLOB_PART_MAX = 16 << 10,    /* canonical bytes of a part of a request or an outcome that stays */
    TEXT_MAX = 48 << 20,         /* canonical bytes of one operation: a digest's text is of more than an entry's body */
    TEXT_KEPT = 256 << 10,       /* bytes of that buffer that stay allocated */
    QUEUE_BYTES_RESERVED = 4 << 20, /* of WRITER_QUEUE_BYTES_MAX: what is large must not keep a stop out */
};

/* One answer that waits for the disk. fn is null once it is forgotten. */
struct waiter {
    uint64_t seq;
    uint64_t action;
    durable_fn fn;
    void *context;
};

struct control {
    struct control_options options;
    char *path; /* of the ledger file */
    struct world *world;
    struct signals signals;
    struct writer *writer;
    struct store *reader;
    struct buf text; /* canonical bytes of the operation under way; kept to save allocations */

    /* now = max(ledger head, anchor + elapsed) */
    int64_t anchor_wall_ms;
    int64_t anchor_elapsed_ms;
    bool clock_jumped;
    bool clock_entry_written;

    struct waiter *waiters; /* ring */
    uint32_t waiter_first;
    uint32_t waiter_count;
    uint32_t waiter_capacity;

    bool disk_full;
    bool disk_low;
    uint64_t *abandoned; /* actions whose answers never left */
    uint32_t abandoned_count;
    uint32_t abandoned_capacity;

    int64_t stop_effect_us;
    uint64_t snapshot_seq; /* where the newest snapshot stands */
    int64_t snapshot_begun_ms;
    struct fold_job *snapshot; /* under way; null else */
    struct invariants *invariants;   /* what is asked after executions now; null: nothing yet */
    struct retention_job *retention; /* the same */
    int64_t retention_next_ms;       /* 0: at once */
    uint64_t retention_after_seq;    /* a snapshot that it waits for is durable with this many entries */
    bool retention_resumed;          /* what a last process left was asked for again */
    bool snapshot_wanted;            /* by retention: nothing goes that no snapshot is behind */
    struct feed *feed;
    struct calibration_state *calibration; /* null until an execution is watched */
};

/* What goes into one entry. */
struct append {
    enum entry_kind kind;
    struct str actor;
    struct str refs[2];
    unsigned ref_count;
    struct value body;
    struct str policy_text; /* for policy.loaded */
    const struct stored_blob *blobs;
    size_t blob_count;
    int64_t at_ms;  /* when it was decided; 0: now */
    bool tightens;  /* allowed while the disk is full */
};

/*
 * Applies one entry to the world and hands it to the writer. Errors: RC_UNAVAILABLE (the ledger can't be
 * written, or too much waits). On any error nothing has changed.
 */
NODISCARD enum rc control_append(struct control *c, struct arena *a, const struct append *what,
                                 uint64_t *ret_seq, struct err *e);

/* ids as texts in an arena */
struct str ref_text(struct arena *a, const char *prefix, uint64_t seq);

void add_idempotency(struct arena *a, struct value *body, const struct idempotency_key *k);
/* verdict, blocking, facts, findings, policy: what every decision's body holds. */
void add_decision(struct control *c, struct arena *a, struct value *body, const struct facts *f,
                  const struct decision *d, int64_t now_ms);

/* The versions of the agent and the tool that a decision was made on; those that are not declared have
 * none. world indexes, MAP_NONE for none. */
void add_versions(struct control *c, struct arena *a, struct value *body, uint32_t agent, uint32_t tool);

/* Rebuilds an action's request from its entry and derives it on the world of now. RC_CONFLICT when the
 * catalogue has since changed what it is. */
NODISCARD enum rc control_rebuild(struct control *c, struct arena *a, const struct action *action,
                                  struct request *ret, struct err *e);
NODISCARD enum rc action_digest(struct control *c, struct arena *a, const struct request *q,
                                struct digest *ret, struct err *e);

/* blobs.c */
/* What goes into one append besides its body. */
struct blob_list {
    struct stored_blob all[ENTRY_BLOBS_MAX];
    size_t count;
    uint64_t owner; /* the action, 0: the entry itself */
};
/* RC_INVALID, with its place below v, when a caller's value says "$blob". v may be null. */
NODISCARD enum rc blobs_refuse(const struct value *v, struct err *e);
NODISCARD enum rc blobs_refuse_request(const struct request *q, struct err *e);
/* Takes what is large out of the object's members, or those of the object that body has under name. Borrows: the
 * texts, until they are appended. Errors: RC_INVALID with the place, RC_LIMIT, RC_NO_MEMORY. */
NODISCARD enum rc blobs_take(struct arena *a, struct value *object, struct blob_list *list, struct err *e);
NODISCARD enum rc blobs_take_from(struct arena *a, struct value *body, struct str name, struct blob_list *list,
                                  struct err *e);
/* The same back, of entry seq's body. A null v gives nothing. Errors: RC_GONE, RC_CORRUPT, RC_LIMIT. */
NODISCARD enum rc blobs_put_back(struct control *c, struct arena *a, uint64_t seq, const struct value *v,
                                 struct value *ret, struct err *e);

/* journal.c */
/* A buffer that one large operation made large is given back. */
void text_release(struct buf *text);

/* calibration.c: an execution that will be watched begins; what came of its prediction, once, at the end of the watch. */
void calibration_begin(struct control *c, uint64_t action);
struct value calibration_value(struct control *c, struct arena *a, const struct action *action);
void calibration_end(struct control *c);

/* retention.c */
void retention_tick(struct control *c);
void retention_poll(struct control *c);
void retention_end(struct control *c);

/* clock.c */
void clock_start(struct control *c);
int64_t clock_now(struct control *c);
int64_t clock_steady(const struct control *c); /* anchored wall time that only elapses */
int64_t clock_wall(const struct control *c);
void clock_anchor(struct control *c);

/* secrets.c */
/* The caller's part of q; the parsed body that it borrows is changed. */
NODISCARD enum rc redact_request(const struct control *c, struct arena *a, struct request *q, struct err *e);
NODISCARD enum rc redact_detail(const struct control *c, struct arena *a, struct value *v, struct err *e);
/* What somebody gave as the reason; withheld as a whole when that can't be told. */
struct str redact_reason(const struct control *c, struct arena *a, struct str reason);
/* RC_INVALID when it is longer than CONTROL_REASON_MAX: one that is cut may end in half a secret. */
NODISCARD enum rc check_reason_size(struct str reason, struct err *e);

/* stop.c */
void stops_tick(struct control *c);

/* propose.c: what a decision is judged on; all of it is borrowed. */
struct gate_input judged_on(struct control *c, struct arena *a, const struct request *q, const struct action *again,
                            int64_t now);
/* RC_UNAVAILABLE when somebody must be asked before it can be judged: nothing was done. */
NODISCARD enum rc ask_first(const struct gate_input *in, struct err *e);
/* outcome.c */
void outcome_tick(struct control *c);
/* Fills in the words, a list of texts, and starts it. */
enum command_start start_command(struct control *c, struct arena *a, struct command *command, const struct value *words);

/* invariants.c: of an action that is observed. */
struct invariants_seen {
    uint32_t open; /* not asked or not answered yet */
    uint32_t held;
    uint32_t unseen;   /* could not be asked */
    struct str name;   /* of one that does not hold; empty: none is known */
    struct str detail;
};
/* Asks what is due. */
struct invariants_seen invariants_look(struct control *c, struct arena *a, const struct action *action, int64_t now);
void invariants_ended(struct control *c, const struct command *command, bool good, struct str detail);
void invariants_free(struct control *c);

/* credential.c */
void principal_from_token(const struct world_token *t, struct principal *ret);
/* declare.c */
NODISCARD enum rc token_check(const struct control *c, const struct token_order *o, struct err *e);
struct value token_body(struct arena *a, const struct token_order *o, const struct digest *digest);

/* quorum.c */
bool token_in_group(const struct world_token *t, struct str group);
/* The approvals of the action, and with (null: none), are what its rules ask for. */
bool quorum_met(struct control *c, const struct action *action, const struct world_token *with);

/* durable.c */
/* Its answer never left: it is about to be abandoned. */
bool is_abandoned(const struct control *c, uint64_t action);
void durable_fail_all(struct control *c);

/* feed.c */
/* How an agent's breaker stood before an entry. */
struct feed_mark {
    uint32_t agent; /* MAP_NONE: the entry is no agent's conduct */
    enum breaker_phase breaker;
    int64_t time_ms; /* of the entry */
};
struct feed *feed_new(void); /* null: no memory */
void feed_free(struct feed *f);
struct feed_mark feed_before(const struct control *c, const struct append *what, int64_t time_ms);
/* The entry was applied as seq: keeps what is to be told of it. */
void feed_after(struct control *c, const struct feed_mark *m, const struct append *what, uint64_t seq);
/* Tells what has become durable. */
void feed_deliver(struct control *c);

/* snapshot.c */
void snapshot_maybe(struct control *c);
void snapshot_poll(struct control *c);
void snapshot_end(struct control *c);
NODISCARD enum rc snapshot_restore(struct control *c, struct store *s, struct world **ret,
                                   struct err *e);

#endif
