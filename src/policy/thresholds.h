/*
 * policy/thresholds - every number and mode that a check can be set to, as one table.
 *
 * A set of thresholds is an array of int64 indexed by enum threshold; the table names each one's
 * check, key, unit, default and range. A policy has a default set, one set per task class (the default
 * set with the class's changes) and, per agent, a short list of changes that is laid over the set of
 * the tool's class. The most specific wins: agent, then task class, then default. Pure.
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
    CHECK_CATALOGUE,
    CHECK_REQUEST, /* the agent itself asks for a person */
    CHECK_FREEZE,
    CHECK_ERROR_BUDGET, /* 1 of the Pre-Action SRE Gate */
    CHECK_AQDD,         /* 2 */
    CHECK_HER_TREND,    /* 3 */
    CHECK_COUNT,
};

const char *check_name(enum check c);
struct str check_str(enum check c);
NODISCARD bool check_parse(struct str name, enum check *ret);

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

/* The mode of a check in a set; checks without a mode always enforce. */
enum check_mode thresholds_mode(const struct thresholds *t, enum check c);

#endif
