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
    CAPTURES_MAX = 16,         /* {names} in one pattern or template */
    TOOL_SERVICES_MAX = 16,    /* services of one tool */
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
    struct threshold_changes checks;
};

struct service_def {
    struct str name;
    struct str owner;
    struct str zone;
    int64_t traffic_ppm;         /* share of all traffic, 0 when not declared */
    struct str_list depends_on;  /* services it calls */
    bool has_slo;
    struct slo slo;
};

enum tool_class { TOOL_READ = 0, TOOL_WRITE, TOOL_DESTRUCTIVE };
const char *tool_class_name(enum tool_class c);

/* One argument-vector pattern: words with '*' globs and {captures}; a last word "..." takes the rest. */
struct argv_pattern {
    struct str_list words;
};

struct tool_def {
    struct str name;
    struct str description;
    enum tool_class class;
    bool two_phase;  /* decided, then committed before it runs */
    bool reversible;
    struct str task_class;
    struct str target;         /* template over the parameters */
    struct str_list services;  /* templates */
    struct str_list surfaces;
    struct argv_pattern *argv;
    uint32_t argv_count;
    struct str_list mcp;       /* globs over MCP tool names */
    struct str_list env;       /* environment names that reach the command */
    struct str_list inputs;    /* parameters that name input files */
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

/* Fills {name} from parameters (texts, integers, booleans). RC_INVALID naming what is missing. */
NODISCARD enum rc template_fill(struct arena *a, struct str text, const struct value *parameters,
                                struct str *ret, struct err *e);

#endif
