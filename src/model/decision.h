/*
 * model/decision - facts, findings, decisions: what was read, what each check said, what came of it.
 *
 * Facts are everything that the checks read apart from the request and the policy. They are gathered
 * once, recorded with the decision, and are all that replay needs besides the versions it names. Pure.
 * Source: SEMANTICS sections 2 and 3, section 5 "Size" and "Replay".
 */
#ifndef MODEL_DECISION_H
#define MODEL_DECISION_H

#include "graph/graph.h"
#include "diff/sql.h"
#include "model/signals.h"
#include "policy/policy.h"

enum {
    FACT_IMPACT_MAX = 16,
    FACT_POLICIES_MAX = 16,
    FACT_BUDGETS_MAX = 32, /* services of one blast radius that are listed; the worst are kept */
    FACT_STOPS_MAX = 8,
    FACT_FREEZES_MAX = 8,
    FACT_DEPLOYS_MAX = 8,
    FACT_SOURCE_MAX = 32,
    FACT_ZONES_MAX = 8,
    QUORUM_MATCHES_MAX = 8, /* rules that one action fits; the first ones of the policy count */
    FACT_SURFACES_MAX = 16, /* protected surfaces that a diff touches; the first ones of the policy are named */
    FACT_UPSTREAM_MAX = 8, /* dependencies of the target; the worst are kept */
    RULE_MATCHES_MAX = 16, /* rules that hold, of one decision; the strictest are kept */
};

enum breaker_phase { BREAKER_CLOSED = 0, BREAKER_OPEN, BREAKER_HALF_OPEN };
const char *breaker_phase_name(enum breaker_phase p);
NODISCARD bool breaker_phase_parse(struct str name, enum breaker_phase *ret);

/* How much a stop stops, the strictest first. */
enum stop_level {
    STOP_FULL = 0, /* everything, reads too */
    STOP_PAUSE,    /* changes wait */
    STOP_DRY_RUN,  /* changes are decided and recorded, and none runs */
};
const char *stop_level_name(enum stop_level l);
NODISCARD bool stop_level_parse(struct str name, enum stop_level *ret);

struct budget_fact {
    struct str service;
    enum signal_state state;
    int64_t remaining_ppm;
    int64_t age_ms; /* -1: never measured */
    struct str source; /* "prometheus", "events", "given"; empty for none */
    struct str reason; /* why it is unknown */
    bool dependant;    /* calls the target; else the target itself */
};

struct freeze_fact {
    struct str freeze; /* its name */
    struct str service;
    int64_t until_ms; /* 0: no end is known */
};

struct deploy_fact {
    struct str service;
    struct str id;
    int64_t since_ms;
};

/* A service that is hurt when the targets are. */
struct impact_fact {
    struct str service;
    struct str via;      /* the node that hurts it */
    uint32_t effect_bp;  /* how much of the harm reaches it */
    enum confidence confidence; /* the weakest edge of the way */
    bool assumed;        /* an effect of the way was never measured */
};

enum agent_status { AGENT_UNKNOWN = 0, AGENT_ACTIVE, AGENT_SUSPENDED, AGENT_REMOVED, AGENT_HUMAN /* no agent: an operator */ };

/* What is known of the agent's model and prompt version. */
enum identity_kind {
    IDENTITY_NONE = 0,
    IDENTITY_ASSERTED, /* said by itself */
    IDENTITY_ATTESTED, /* said by the issuer of its token */
};

/* What an independent validator said of the request. */
struct validator_fact {
    struct str name;
    enum validator_answer answer;
    struct str text; /* its reason, or what went wrong */
    int64_t took_ms;
};

struct facts {
    enum agent_status agent;
    bool clock_ok;
    uint64_t overrides; /* checks that a person overrode for this action, a bit each */
    struct str stops[FACT_STOPS_MAX]; /* ids of the stops in force for this request */
    unsigned stop_count;
    enum stop_level stop_level; /* the strictest of them */
    struct freeze_fact freezes[FACT_FREEZES_MAX];
    unsigned freeze_count;
    struct deploy_fact deploys[FACT_DEPLOYS_MAX];
    unsigned deploy_count;
    struct budget_fact budgets[FACT_BUDGETS_MAX];
    unsigned budget_count;
    unsigned budgets_seen; /* in the whole blast radius */
    bool aqdd_known;
    int64_t aqdd_depth;
    int64_t aqdd_baseline_milli; /* -1: no baseline yet */
    int64_t aqdd_drift_milli;    /* -1: none */
    int64_t pending_of_agent;
    bool her_known;
    int64_t her_ppm;
    int64_t her_sample;
    enum breaker_phase breaker;
    struct str breaker_cause;  /* a word */
    int64_t breaker_until_ms;  /* half-open from then */
    bool probing;              /* half-open, and an execution of the agent is under way */
    enum tier tier;            /* the lowest over the services; never TIER_DEFAULT */
    struct str zones[FACT_ZONES_MAX]; /* trust zones of the services */
    unsigned zone_count;
    bool zone_outside;         /* one of them is none of the agent's */
    struct str zone_exception; /* the named exception that lets it across; empty: none */
    struct budget_fact upstream[FACT_UPSTREAM_MAX];
    unsigned upstream_count;
    struct str on_call_nobody;  /* a service for which nobody is on call; empty: none, as below */
    struct str on_call_unknown; /* one of which nothing fresh was said */
    struct str on_call_busiest; /* the one whose on-call has most open incidents */
    int64_t on_call_incidents;
    int64_t blast_ppm;         /* predicted share of all traffic that is touched */
    unsigned blast_services;   /* targets and those that are hurt with them */
    bool blast_declared;       /* each of the targets has a declared share */
    struct impact_fact impact[FACT_IMPACT_MAX]; /* those that are hurt most, the targets apart */
    unsigned impact_count;
    struct str crossed[FACT_ZONES_MAX]; /* trust zones of what is hurt that are none of the targets' */
    unsigned crossed_count;
    struct str policies[FACT_POLICIES_MAX]; /* freezes, approvals and rules that name one of `impact` */
    unsigned policy_count;
    int64_t rate_agent;        /* executions in the window; counted where there is a limit */
    int64_t rate_service;      /* of the busiest service */
    int64_t rate_tool;
    int64_t executing;         /* on the busiest service, now, this action apart */
    struct str rate_subject;   /* that service */
    int64_t rate_release_ms;   /* when the oldest counted one leaves the window */
    unsigned gaps;             /* of readiness, the services' together */
    struct str gap_service;
    struct str surfaces[FACT_SURFACES_MAX]; /* seen in its diff; those of the tool are in the tool */
    unsigned surface_count;
    struct str evidence_service; /* destructive: the service whose way back is oldest; empty: none */
    int64_t snapshot_ms;         /* its newest snapshot; 0: none */
    int64_t rollback_ms;         /* its newest rollback that was tested and worked; 0: none */
    int64_t memory_n;          /* outcomes of this tool on the service where it failed most */
    int64_t memory_failed;
    struct str memory_service;
    uint64_t recall_incident;  /* open on what it touches, and of a shape that was seen before; 0: none */
    struct str recall_shape;
    int64_t recall_seen;       /* closed incidents of that shape */
    int64_t recall_tried;      /* of those, in which this tool was tried */
    int64_t recall_resolved;   /* and by which they were resolved */
    uint64_t grant;            /* the operator's grant that covers it; 0: none */
    enum sql_harm sql_harm;    /* the worst that its SQL does */
    struct str sql_what;
    enum identity_kind identity;
    bool rung_dropped;         /* model or prompt version is not the registered one, or not said */
    struct str delegator;      /* in whose name it is done and who may not; empty: all may */
    enum agent_status delegator_status;
    bool chain_advisory;       /* one of them only advises */
    int64_t hour_count;        /* executions of the agent in an hour; counted where it declares a rate */
    struct validator_fact validators[VALIDATORS_MAX]; /* who was asked */
    unsigned validator_count;
    const struct value *seen;  /* what rules read beyond all that: gate/rules.c; null without rules */
};

enum reason {
    REASON_NONE = 0,
    REASON_UNKNOWN_AGENT,
    REASON_SUSPENDED,
    REASON_REMOVED,
    REASON_NOT_PERMITTED,
    REASON_CLOCK_JUMPED,
    REASON_STOPPED,
    REASON_PAUSED,
    REASON_DRY_RUN,
    REASON_SHELL, /* matches no tool */
    REASON_AMBIGUOUS,
    REASON_CLAIM_MISMATCH,
    REASON_BAD_PARAMETERS,
    REASON_UNKNOWN_SERVICE,
    REASON_NO_PLAN,
    REASON_NO_DIFF,
    REASON_PENDING_LIMIT,
    REASON_ASKED_FOR_PERSON,
    REASON_CODE_FREEZE,
    REASON_DEPLOY_IN_FLIGHT,
    REASON_DEPLOY_UNKNOWN,
    REASON_BUDGET_LOW,
    REASON_BUDGET_UNKNOWN,
    REASON_BUDGET_STALE,
    REASON_NO_SLO,
    REASON_NO_TRAFFIC,
    REASON_QUEUE_DEEP,
    REASON_QUEUE_DRIFT,
    REASON_QUEUE_UNKNOWN,
    REASON_HER_HIGH,
    REASON_HER_UNKNOWN,
    REASON_INSUFFICIENT_SAMPLE,
    REASON_BREAKER_OPEN,
    REASON_BREAKER_PROBING,
    REASON_LINEAGE_INCOMPLETE,
    REASON_TIER_READ_ONLY,
    REASON_TIER_SHADOW,
    REASON_TIER_SUPERVISED,
    REASON_NOT_READY,
    REASON_NO_GRANT,
    REASON_ZONE_CROSSED,
    REASON_ZONE_OUTSIDE,
    REASON_ZONE_EXCEPTED,
    REASON_UPSTREAM_LOW,
    REASON_UPSTREAM_UNKNOWN,
    REASON_ON_CALL_NOBODY,
    REASON_ON_CALL_BUSY,
    REASON_ON_CALL_UNKNOWN,
    REASON_BLAST_WIDE,
    REASON_BLAST_UNKNOWN,
    REASON_RATE_AGENT,
    REASON_RATE_SERVICE,
    REASON_RATE_TOOL,
    REASON_BUSY,
    REASON_SURFACE,
    REASON_SCHEMA_HARM,
    REASON_SCHEMA_UNKNOWN,
    REASON_NO_WAY_BACK,
    REASON_FAILED_BEFORE,
    REASON_DRIFT_TOOL,
    REASON_DRIFT_TARGET,
    REASON_DRIFT_SURFACE,
    REASON_DRIFT_RATE,
    REASON_DRIFT_HOURS,
    REASON_UNTRUSTED_CONTEXT,
    REASON_RULE,
    REASON_RULE_FAILED,
    REASON_VALIDATOR,
    REASON_VALIDATOR_ERROR,
    REASON_QUORUM,
    REASON_NOT_APPLICABLE, /* the check does not look at this class of tool */
    REASON_OFF,
    REASON_COUNT,
};

const char *reason_name(enum reason r);
struct str reason_str(enum reason r);
NODISCARD bool reason_parse(struct str name, enum reason *ret);

struct finding {
    enum check check;
    enum verdict verdict;
    enum reason reason;
    bool shadow;      /* recorded, does not count */
    bool waived;      /* a person said that it does not count: an override, or broken glass */
    bool unknown;     /* blocked because something is not known */
    struct str subject; /* service, stop, freeze or deploy it is about */
    int64_t value;    /* ppm or a count; meaning by check */
    int64_t threshold;
    int64_t release_ms; /* for a hold: when to ask again; 0: no time is known */
    uint64_t mark;      /* of a set that an approver was shown: another set is another finding; below 2^53 */
    struct str note;    /* words of whoever made the rule */
};

/* A rule that speaks of the action and holds. */
struct rule_match {
    struct str rule;
    enum verdict verdict;
    enum rule_severity severity;
    bool shadow; /* recorded, does not count */
    bool failed; /* it could not be judged, and counts as if it held */
    struct str message;
};

struct decision {
    enum verdict verdict;
    int blocking; /* enum check, or -1 when nothing blocked */
    struct finding findings[CHECK_COUNT];
    int64_t retry_after_ms; /* of a hold: from now; 0 else */
    bool advisory;          /* advisory mode: whatever comes of it, it does not run */
    bool capped;            /* advisory mode lowered it */
    bool escalated_by_own;  /* for reasons of the agent's own: counts in its HER */
    struct str quorums[QUORUM_MATCHES_MAX]; /* rules that say who must approve */
    unsigned quorum_count;
    struct rule_match rules[RULE_MATCHES_MAX]; /* in the order of the policy */
    unsigned rule_count;
    unsigned rules_held; /* in all */
    uint64_t rules_mark; /* of those that escalate */
};

/* It has a say in the verdict. */
static inline bool finding_counts(const struct finding *f)
{
    return !f->shadow && !f->waived;
}

/* Facts and findings as they stand in a record, and back. Reading borrows v. */
struct value facts_write(struct arena *a, const struct facts *f);
NODISCARD enum rc facts_read(const struct value *v, struct facts *ret, struct err *e);
struct value findings_write(struct arena *a, const struct decision *d);
NODISCARD enum rc findings_read(const struct value *v, struct decision *ret, struct err *e);
/* The list of rules that held; what is no row of it is left out. v may be null. */
struct value rule_matches_write(struct arena *a, const struct decision *d);
void rule_matches_read(const struct value *v, struct decision *ret);

/* One sentence for people: "error budget of shop is 12 % (minimum 20 %)". */
void finding_text(struct buf *out, const struct finding *f);

#endif
