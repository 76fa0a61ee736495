/*
 * policy/thresholds - every number and mode that a check can be set to, as one table.
 *
 * A set of thresholds is an array of int64 indexed by enum threshold; the table names each one's
 * check, key, unit, default and range. A policy has a default set, one set per task class (the default
 * set with the class's changes) and, per agent, a short list of changes that is laid over the set of
 * the tool's class. The most specific wins: agent, then task class, then default. A check that is off by
 * default is enforced where it is named without a mode. Pure.
 */
#ifndef POLICY_THRESHOLDS_H
#define POLICY_THRESHOLDS_H

#include "base/arena.h"
#include "policy/verdict.h"
#include "value/value.h"

#include <stdint.h>

/* The checks of the gate in the order in which they are explained. */
enum check {
    CHECK_IDENTITY = 0,
    CHECK_STOP,
    CHECK_BREAKER,
    CHECK_CATALOGUE,
    CHECK_REQUEST, /* the agent itself asks for a person */
    CHECK_LINEAGE, /* intent, plan, contexts: what an auditor will ask for */
    CHECK_TIER,
    CHECK_READINESS, /* of the services for changes by agents */
    CHECK_GRANT,     /* a scoped, revocable permission to write */
    CHECK_ZONE,      /* the network boundary */
    CHECK_FREEZE,
    CHECK_ERROR_BUDGET, /* 1 of the Pre-Action SRE Gate */
    CHECK_AQDD,         /* 2 */
    CHECK_HER_TREND,    /* 3 */
    CHECK_UPSTREAM,     /* what the target calls */
    CHECK_ON_CALL,      /* somebody can be woken, and has room for one more */
    CHECK_BLAST_RADIUS,
    CHECK_RATE,
    CHECK_SURFACES,
    CHECK_SCHEMA_DRIFT, /* a migration that drops, truncates, rewrites or narrows */
    CHECK_REVERSIBILITY, /* a snapshot or a tested rollback before something is destroyed */
    CHECK_MEMORY,     /* the same failed here before */
    CHECK_DRIFT,      /* behaviour against its declaration */
    CHECK_PROVENANCE, /* of the context the agent acts on */
    CHECK_RULES,      /* the operators' own, in CEL */
    CHECK_VALIDATORS, /* independent decision points */
    CHECK_QUORUM,     /* who must approve */
    CHECK_COUNT,
};

const char *check_name(enum check c);
struct str check_str(enum check c);
NODISCARD bool check_parse(struct str name, enum check *ret);

enum { RATE_COUNT_MAX = 256 }; /* what one window can be limited to */

enum check_mode { MODE_ENFORCE = 0, MODE_SHADOW, MODE_OFF };
const char *check_mode_name(enum check_mode m);

enum threshold {
    FREEZE_MODE = 0,
    FREEZE_ON_WRITE,
    FREEZE_ON_DESTRUCTIVE,
    FREEZE_ON_UNKNOWN,
    FREEZE_DEPLOY_TIMEOUT_MS, /* a deploy in flight for longer is unknown */
    BUDGET_MODE,
    BUDGET_MIN_PPM,
    BUDGET_ON_BLOCK,
    BUDGET_ON_UNKNOWN,
    BUDGET_MAX_AGE_MS,
    BUDGET_TOLERANCE_PPM,
    BUDGET_REQUIRE_SLO, /* 0: of the target, 1: of its dependants too */
    AQDD_MODE,
    AQDD_MAX_DEPTH,
    AQDD_MAX_DRIFT_MILLI, /* 0: drift is recorded and does not block */
    AQDD_ON_BLOCK,
    AQDD_ON_UNKNOWN,
    HER_MODE,
    HER_MAX_PPM,
    HER_MIN_SAMPLE,
    HER_ON_BLOCK,
    HER_ON_UNKNOWN,
    HER_TOLERANCE_PPM,
    BREAKER_MODE,
    BREAKER_MAX_DENIALS,  /* in a row */
    BREAKER_MAX_FAILURES, /* in a row: failed, unknown */
    BREAKER_MAX_CALLS,    /* proposals in the window; 0: any */
    BREAKER_WINDOW_MS,
    BREAKER_OPEN_MS,      /* then half-open */
    BREAKER_PROBES,       /* successes that close it again */
    BREAKER_ON_BLOCK,
    LINEAGE_MODE,
    LINEAGE_ON_BLOCK,
    TIER_MODE,
    TIER_OTHERWISE,       /* enum tier of an agent that has none declared */
    TIER_SUPERVISED_WRITE, /* 1: a supervised write needs a person too */
    TIER_ASSERTED_CAP,    /* 1: without an attested model and prompt version no rung above supervised */
    READINESS_MODE,
    READINESS_ON_BLOCK,
    GRANT_MODE,
    GRANT_ON_BLOCK,
    ZONE_MODE,
    ZONE_ON_BLOCK,
    UPSTREAM_MODE,
    UPSTREAM_MIN_PPM,
    UPSTREAM_ON_BLOCK,
    UPSTREAM_ON_UNKNOWN,
    ON_CALL_MODE,
    ON_CALL_MAX_INCIDENTS, /* open ones that the on-call has */
    ON_CALL_MAX_AGE_MS,    /* what was said longer ago is unknown */
    ON_CALL_ON_BLOCK,
    ON_CALL_ON_UNKNOWN,
    BLAST_MODE,
    BLAST_MAX_PPM,
    BLAST_ON_BLOCK,
    BLAST_REQUIRE_TRAFFIC, /* 1: an undeclared share of traffic is unknown */
    BLAST_ON_UNKNOWN,
    RATE_MODE,
    RATE_WINDOW_MS,
    RATE_MAX_AGENT, /* executions in the window; 0: any */
    RATE_MAX_SERVICE,
    RATE_MAX_TOOL,
    RATE_CONCURRENT, /* executing on one service at a time; 0: any */
    RATE_ON_BLOCK,
    SURFACES_MODE,
    SCHEMA_MODE,
    SCHEMA_ON_BLOCK,
    SCHEMA_ON_UNKNOWN,
    REVERSIBILITY_MODE,
    REVERSIBILITY_SNAPSHOT_MS, /* how long a snapshot is fresh */
    REVERSIBILITY_ROLLBACK_MS, /* how long a tested rollback counts */
    REVERSIBILITY_ON_BLOCK,
    MEMORY_MODE,
    MEMORY_MIN_FAILURES,
    MEMORY_MAX_FAILED_PPM,
    MEMORY_ON_BLOCK,
    DRIFT_MODE,
    DRIFT_ON_BLOCK,
    PROVENANCE_MODE,
    PROVENANCE_ON_BLOCK,
    RULES_MODE,
    VALIDATORS_MODE,
    QUORUM_MODE,
    THRESHOLD_COUNT,
};

struct thresholds {
    int64_t at[THRESHOLD_COUNT];
};

/* One changed threshold. */
struct threshold_change {
    enum threshold threshold;
    int64_t value;
};

struct threshold_changes {
    const struct threshold_change *items;
    uint32_t count;
};

struct reader;

struct thresholds thresholds_default(void);
/* Reads {check: {key: value}}. Gives: the changes, in a. Refuses unknown checks and keys. */
NODISCARD enum rc thresholds_read(struct reader *r, const struct value *v,
                                  struct threshold_changes *ret);
void thresholds_change(struct thresholds *t, struct threshold_changes changes);
/* The canonical value of a whole set, or of some changes. */
struct value thresholds_value(struct arena *a, const struct thresholds *t);
struct value threshold_changes_value(struct arena *a, struct threshold_changes changes);

/* A check that decides whatever a policy says: it has no mode. */
bool check_is_mandatory(enum check c);
/* The mode of a check in a set; checks without a mode always enforce. */
enum check_mode thresholds_mode(const struct thresholds *t, enum check c);

#endif
