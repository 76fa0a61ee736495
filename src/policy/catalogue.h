/*
 * policy/catalogue - what is declared: agents, services, tools.
 *
 * The same shapes come from pawl.yaml and from the API. What an action is (its tool, class, target,
 * services) is derived from here and never taken from the caller. Pure.
 * Source: DESIGN section 2, SEMANTICS section 1.
 */
#ifndef POLICY_CATALOGUE_H
#define POLICY_CATALOGUE_H

#include "base/buf.h"
#include "policy/reader.h"
#include "policy/thresholds.h"
#include "slo/budget.h"
#include "value/schema.h"

enum {
    ARGV_WORDS_MAX = 256,      /* words of a command that is matched */
    ARGV_PATTERNS_MAX = 32,    /* patterns of one tool */
    LABELS_MAX = 32,           /* of one agent, service or tool */
    LABEL_TEXT_MAX = 256,
    INVARIANTS_MAX = 8,        /* of one tool */
    CAPTURES_MAX = 16,         /* {names} in one pattern or template */
    TOOL_SERVICES_MAX = 16,    /* services of one tool */
    AGENT_TIERS_MAX = 64,      /* services with a tier of their own, of one agent */
    AGENT_KEYS_MAX = 8,        /* public keys of one agent: those in use and those that follow them */
    AGENT_KEY_LEN = 32,        /* bytes of an Ed25519 public key */
};

/* The trust ladder, lowest first. */
enum tier {
    TIER_DEFAULT = 0, /* not said: what the check's threshold says */
    TIER_READ_ONLY,
    TIER_SHADOW,     /* decided and recorded; nothing runs */
    TIER_SUPERVISED, /* what destroys needs a person */
    TIER_AUTONOMOUS,
};
const char *tier_name(enum tier t);
NODISCARD bool tier_parse(struct str name, enum tier *ret);

struct service_tier {
    struct str service; /* glob */
    int64_t tier;       /* enum tier */
};

/* What an agent says that it does; what it does otherwise is drift. Empty and 0: not said. */
struct behaviour {
    struct str_list tools;   /* globs */
    struct str_list targets; /* globs */
    struct str_list surfaces; /* globs: of its tools and of its diffs */
    int64_t per_hour;        /* executions, at most RATE_COUNT_MAX */
    int64_t from_ms;         /* hours of the day in UTC; both 0: any */
    int64_t until_ms;
};

/* What an agent signs its requests with, by Ed25519; the request names it "<agent>/<id>". */
struct agent_key {
    struct str id; /* a name without '/' */
    uint8_t public[AGENT_KEY_LEN];
};

struct agent_def {
    struct str name;
    struct str owner;           /* who answers for it */
    struct str_list escalation; /* who is called, in order: the on-call path of the ARO record */
    struct str team;
    struct str_list roles;
    struct str model;          /* asserted */
    struct str prompt_version; /* asserted */
    bool advisory;             /* caps its results at advise */
    bool suspended;
    int64_t tier;                      /* enum tier */
    const struct service_tier *tiers;  /* the first that fits a service holds for it */
    uint32_t tier_count;
    struct str_list zones;             /* globs over trust zones it acts in; empty: any */
    const struct value *labels;        /* names with a text, a number or a bool; null: none */
    struct behaviour behaviour;
    const struct agent_key *keys;
    uint32_t key_count;
    struct threshold_changes checks;
};

/* What must hold before agents may change a service. Source: reference metrics "Readiness". */
struct readiness {
    bool error_budget_policy;
    bool decision_provenance;
    bool automated_rollback;
    bool toil_measured;
    int64_t shadow_since_ms; /* agents run in shadow on it since then; 0: never */
};

enum readiness_gap {
    GAP_SLO = 1 << 0,
    GAP_ERROR_BUDGET_POLICY = 1 << 1,
    GAP_SHADOW_PERIOD = 1 << 2,
    GAP_PROVENANCE = 1 << 3,
    GAP_ROLLBACK = 1 << 4,
    GAP_TOIL = 1 << 5,
    GAPS_ALL = (1 << 6) - 1,
};
#define READINESS_SHADOW_MS (30LL * 24 * 3600 * 1000)
const char *readiness_gap_name(enum readiness_gap one);

struct service_def {
    struct str name;
    struct str owner;
    struct str zone;
    int64_t traffic_ppm;         /* share of all traffic, 0 when not declared */
    struct str_list depends_on;  /* services it calls */
    const struct value *labels;  /* as an agent's */
    bool has_slo;
    struct slo slo;
    struct readiness readiness;
};

/* The gaps of a service at that moment, a set of enum readiness_gap. */
unsigned service_gaps(const struct service_def *s, int64_t now_ms);

enum tool_class { TOOL_READ = 0, TOOL_WRITE, TOOL_DESTRUCTIVE };
const char *tool_class_name(enum tool_class c);

/* One argument-vector pattern: words with '*' globs and {captures}; a last word "..." takes the rest. */
struct argv_pattern {
    struct str_list words;
};

/* What must hold after a change: a command that changes nothing and ends with 0 while it does, or a condition in CEL. */
struct invariant {
    struct str name;
    struct str_list argv; /* templates over the parameters; the first word is an absolute path. Empty: a condition */
    struct str condition; /* over the variables of rules, as they are then */
    int64_t after_ms;     /* since the success: when it is asked, once */
    int64_t timeout_ms;
};

/* What Pawl looks at after a success, and for how long. */
struct observation {
    int64_t for_ms;       /* 0: it is not watched */
    int64_t max_drop_ppm; /* of an error budget of the targets and those that call them, since the start */
    const struct invariant *invariants;
    uint32_t invariant_count; /* at most INVARIANTS_MAX */
};

/* How a change is taken back: an exact command, templates over the parameters. */
struct revert {
    struct str_list argv; /* empty: it can't be */
    int64_t timeout_ms;
};

struct tool_def {
    struct str name;
    struct str description;
    const struct value *labels; /* as an agent's */
    enum tool_class class;
    bool two_phase;  /* decided, then committed before it runs */
    bool reversible;
    bool needs_plan;
    bool needs_diff;
    struct observation observe;
    struct revert revert;
    struct str task_class;
    struct str target;         /* template over the parameters */
    struct str_list services;  /* templates */
    struct str_list surfaces;
    struct argv_pattern *argv;
    uint32_t argv_count;
    struct str_list mcp;       /* globs over MCP tool names */
    struct str_list env;       /* environment names that reach the command */
    struct str_list inputs;    /* parameters that name input files */
    struct str sql;            /* the parameter that holds SQL; empty: none does */
    const struct value *parameters; /* JSON Schema; null: no parameters */
    const struct schema *schema;
};

/* Read one definition. Gives: in r->arena, definitions borrow v's strings nowhere. */
NODISCARD enum rc agent_def_read(struct reader *r, const struct value *v, struct agent_def *ret);
NODISCARD enum rc service_def_read(struct reader *r, const struct value *v, struct service_def *ret);
NODISCARD enum rc tool_def_read(struct reader *r, const struct value *v, struct tool_def *ret);
struct value agent_def_value(struct arena *a, const struct agent_def *d);
struct value service_def_value(struct arena *a, const struct service_def *d);
struct value tool_def_value(struct arena *a, const struct tool_def *d);

/*
 * Matches a command against the tool's patterns. executable is the resolved absolute path: a first
 * word with a '/' is matched against it, one without against its last part.
 * Gives: the captured texts as an object in a, integers where the tool's schema says integer.
 */
bool tool_matches_argv(struct arena *a, const struct tool_def *t, struct str executable,
                       const struct str_list *argv, struct value *ret_parameters);
bool tool_matches_mcp(const struct tool_def *t, struct str mcp_tool);
/* True when the tool is only ever called by its name. */
bool tool_is_named(const struct tool_def *t);

/* Null: the agent has no such key. */
const struct agent_key *agent_key_find(const struct agent_def *d, struct str id);

/* Any of the globs fits. */
bool any_glob(const struct str_list *globs, struct str text);
bool any_equal(const struct str_list *texts, struct str text);

/* Fills {name} from parameters (texts, integers, booleans). RC_INVALID naming what is missing. */
NODISCARD enum rc template_fill(struct arena *a, struct str text, const struct value *parameters,
                                struct str *ret, struct err *e);

#endif
