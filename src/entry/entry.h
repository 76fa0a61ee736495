/*
 * entry - one leaf of the ledger: its header, its kind, its codec.
 *
 * An entry is a canonical header {v,seq,time,kind,actor,refs,body_digest} with its body beside it.
 * The header is kept forever and is what the Merkle leaf hashes. body_digest is SHA-256(salt ||
 * canonical body); salt and body are erased together. Ids in actor and refs are opaque (act_1842,
 * tok_5, system); names live in bodies. Pure.
 * Source: SEMANTICS section 5 "Entry".
 */
#ifndef ENTRY_ENTRY_H
#define ENTRY_ENTRY_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"

#include <stdint.h>

enum {
    ENTRY_REFS_MAX = 8,
    ENTRY_ID_MAX = 32,       /* bytes of an id */
    ENTRY_SALT_LEN = 32,
    ENTRY_DIGEST_LEN = 32,
    ENTRY_HEADER_MAX = 1024, /* bytes of a header */
    ENTRY_BODY_MAX = 10 << 20,
};

/* One row per kind and version in entry/kinds.c; append only, a change of meaning is a new row. */
enum entry_kind {
    ENTRY_LEDGER_CREATED = 0,
    ENTRY_LEDGER_SNAPSHOT,
    ENTRY_POLICY_LOADED,
    ENTRY_TOKEN_CREATED,
    ENTRY_TOKEN_REVOKED,
    ENTRY_AGENT_REGISTERED,
    ENTRY_SERVICE_DECLARED,
    ENTRY_TOOL_DECLARED,
    ENTRY_ACTION_DECIDED,   /* proposed and decided, in one entry: creates the action */
    ENTRY_ACTION_REDECIDED, /* asked again, or a commit that was refused */
    ENTRY_ACTION_COMMITTED, /* decided again, allowed, executing from here */
    ENTRY_ACTION_HEARTBEAT, /* the executor lives */
    ENTRY_ACTION_FINISHED,  /* outcome reported */
    ENTRY_ACTION_LOST,      /* no outcome in time: unknown */
    ENTRY_ACTION_CANCELLED,
    ENTRY_ACTION_EXPIRED,
    ENTRY_ACTION_ABANDONED, /* its answer never left: it can never be committed */
    ENTRY_APPROVAL_GRANTED,
    ENTRY_APPROVAL_REJECTED,
    ENTRY_STOP_SET,
    ENTRY_STOP_LIFTED,
    ENTRY_DEPLOY_STARTED,
    ENTRY_DEPLOY_ENDED,
    ENTRY_SLI_BUCKET,
    ENTRY_CLOCK_JUMPED,
    ENTRY_CLOCK_ACCEPTED,
    ENTRY_LOAD_REFUSED, /* one summary a minute of what the rate limits turned away */
    ENTRY_BREAKER_SET,  /* by an operator */
    ENTRY_TIER_CHANGED,
    ENTRY_GRANT_ISSUED,
    ENTRY_GRANT_REVOKED,
    ENTRY_ACTION_VERIFIED,  /* the outcome checks found nothing, or could not tell */
    ENTRY_ACTION_VIOLATED,  /* they found something: an incident */
    ENTRY_REVERT_STARTED,
    ENTRY_REVERT_FINISHED,
    ENTRY_INCIDENT_CLOSED,
    ENTRY_STOP_CONFIRMED, /* whatever ran when it was set has ended, or was given up */
    ENTRY_LEDGER_RESTORED, /* from a backup that lacks entries which were signed */
    ENTRY_ON_CALL_CHANGED,
    ENTRY_SNAPSHOT_TAKEN,
    ENTRY_ROLLBACK_TESTED,
    ENTRY_OVERRIDE_GRANTED, /* a hold that a person takes upon herself */
    ENTRY_BLOBS_ERASED, /* what lay beside old entries, by the rule of retention */
    ENTRY_GRAPH_WRITTEN,  /* somebody says what production is made of, or what changed in it */
    ENTRY_GRAPH_OBSERVED, /* what traffic showed in a span of time */
    ENTRY_INCIDENT_OPENED, /* somebody says that something is wrong */
    ENTRY_MEMORY_READ,     /* somebody asked what was learnt from incidents */
    ENTRY_KIND_COUNT,
};

/* "action.decided"; never null for a valid kind. */
struct str entry_kind_name(enum entry_kind kind);
/* The newest version of the kind's body that this program writes; it reads 1..that. */
unsigned entry_kind_version(enum entry_kind kind);
NODISCARD enum rc entry_kind_parse(struct str name, enum entry_kind *ret, struct err *e);

struct entry {
    unsigned v;
    uint64_t seq;
    int64_t time_ms;
    enum entry_kind kind;
    struct str actor;
    struct str refs[ENTRY_REFS_MAX];
    unsigned ref_count;
    uint8_t body_digest[ENTRY_DIGEST_LEN];
};

/* The canonical header bytes. Limits: ENTRY_HEADER_MAX. */
void entry_write(struct buf *out, const struct entry *entry);
/*
 * Strict: exactly the bytes entry_write would give. Keeps: strings point into header.
 * Errors: RC_CORRUPT naming what is wrong; RC_INVALID for a kind or version this program does not
 * know (the text names the seq).
 */
NODISCARD enum rc entry_parse(struct str header, struct entry *ret, struct err *e);

/* Ids are a prefix and the seq of the entry that created the thing: id_format(out, "act", 1842). */
struct id_text {
    char text[ENTRY_ID_MAX];
};
struct id_text id_format(const char *prefix, uint64_t seq);
/* False unless it is exactly that prefix, '_' and a decimal number without leading zeros. */
NODISCARD bool id_parse(struct str id, const char *prefix, uint64_t *ret_seq);

#endif
