/*
 * policy - the loaded policy as typed data.
 *
 * A policy is read from a value (YAML or the canonical JSON of the ledger), checked whole, and never
 * changes after that. Its canonical value has every default filled in and is what the policy hash
 * covers; comments, server settings and secrets are no part of it. Pure.
 * Source: SEMANTICS sections 2, 3 and 5 "Policy".
 */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include "base/buf.h"
#include "base/map.h"
#include "policy/catalogue.h"
#include "policy/rules.h"
#include "policy/validators.h"

enum {
    POLICY_ARENA_MAX = 256 << 20,
    POLICY_TEXT_MAX = 8 << 20, /* bytes of the canonical text: one blob of the ledger */
    FREEZES_MAX = 1000,
    PERMISSIONS_MAX = 10000,
    TASK_CLASSES_MAX = 1000,
    ZONE_EXCEPTIONS_MAX = 1000,
    SURFACES_MAX = 256,
    QUORUM_RULES_MAX = 256,
    QUORUM_PARTS_MAX = 8,     /* groups of one rule */
    QUORUM_APPROVALS_MAX = 8, /* approvals of one action */
};

/* A code freeze: from one moment to another, or on days of the week, UTC. */
struct freeze {
    struct str name;
    struct str reason;
    struct str_list services; /* globs; empty: all */
    int64_t from_ms;          /* 0: not bounded that way */
    int64_t until_ms;
    unsigned days;            /* bit 0 Monday ... bit 6 Sunday; 0: not weekly */
    int64_t day_from_ms;      /* within a day */
    int64_t day_until_ms;
};

/* Least privilege: with any permission declared, an action needs one that fits it. */
struct permission {
    struct str_list agents; /* globs over agent names */
    struct str_list roles;
    struct str_list tools;   /* globs */
    struct str_list targets; /* globs; empty: any */
    const struct value *where;  /* {"resource.status": "active"}: properties sent by an enforcer */
    const struct value *unless; /* the same form; when all of it holds, this one does not fit */
};

/* These agents may use these tools across the border of these zones. */
struct zone_exception {
    struct str name;
    struct str reason;
    struct str_list agents; /* globs, as all of these */
    struct str_list tools;
    struct str_list zones;
    int64_t until_ms; /* 0: no end */
};

/* What touching a protected surface comes to. A surface without a rule escalates. */
struct surface_rule {
    struct str name;
    int64_t verdict;        /* enum verdict */
    struct str_list except; /* globs over agents to which it does not apply */
    struct str_list detect; /* globs over what a diff names (diff/names.h) */
};

struct quorum_part {
    struct str group; /* empty: any approver */
    int64_t count;
};

/* An action that fits all that is said needs these approvals. */
struct quorum_rule {
    struct str name;
    struct str_list agents; /* globs; every list: empty for any */
    struct str_list tools;
    struct str_list services;
    struct str_list surfaces;
    struct str_list classes;
    struct str_list tiers;
    bool irreversible;      /* only actions that can't be reverted */
    int64_t blast_over_ppm; /* only a predicted impact above; 0: any */
    bool human;             /* at least one of them is a person and no agent */
    struct quorum_part parts[QUORUM_PARTS_MAX];
    uint32_t part_count;
};

struct task_class {
    struct str name;
    struct threshold_changes checks;
    struct thresholds thresholds; /* default with the changes */
};

struct policy_limits {
    int64_t agents;
    int64_t services;
    int64_t open_actions;
    int64_t pending_approvals;
    int64_t pending_per_agent; /* open escalations of one agent */
};

struct policy {
    struct arena *arena; /* owns everything below */
    bool advisory;
    int64_t proposal_ttl_ms;
    int64_t approval_ttl_ms;
    int64_t start_deadline_ms;
    int64_t heartbeat_ms;
    int64_t max_silence_ms; /* after a commit, of an executor that says it sends no heartbeats */
    bool resume_by_another; /* stop --all is lifted by someone else than who set it */
    bool owner_approves;    /* the agent's owner may approve for it */
    int64_t memory_keep_ms; /* how long a closed incident is remembered */
    struct str_list memory_readers; /* globs over agents that may ask what is remembered; empty: none */
    struct policy_limits limits;
    struct thresholds thresholds;
    struct threshold_changes checks; /* as written: for the canonical value */
    struct agent_def *agents;
    uint32_t agent_count;
    struct service_def *services;
    uint32_t service_count;
    struct tool_def *tools;
    uint32_t tool_count;
    struct task_class *classes;
    uint32_t class_count;
    struct strmap class_index;
    struct freeze *freezes;
    uint32_t freeze_count;
    struct permission *permissions;
    uint32_t permission_count;
    struct zone_exception *zone_exceptions;
    uint32_t zone_exception_count;
    struct surface_rule *surfaces;
    uint32_t surface_count;
    struct quorum_rule *quorums;
    uint32_t quorum_count;
    struct rule *rules;
    uint32_t rule_count;
    struct validator *validators;
    uint32_t validator_count;
};

/* A list of rules, or an object with `rules`, in a file of its own. */
struct rules_file {
    struct str file;
    struct value v;
};

struct policy_source {
    struct str file;       /* for error places */
    const struct value *v; /* the object under the file's `policy` key, or the canonical one */
    const struct rules_file *rules;
    uint32_t rules_count;
};

/* Errors: RC_INVALID with file:line:column, or a pointer for what came from no file; RC_LIMIT; RC_NO_MEMORY. */
NODISCARD enum rc policy_read_all(const struct policy_source *source, struct policy **ret, struct err *e);
/* Of one file. */
NODISCARD enum rc policy_read(struct str file, const struct value *v, struct policy **ret,
                              struct err *e);
/* From the canonical text. */
NODISCARD enum rc policy_parse(struct str canonical, struct policy **ret, struct err *e);
void policy_free(struct policy *p);
DEFINE_CLEANUP(policy)
/* The canonical text: sha256 of it is the policy hash. Its failure is the buffer's. */
void policy_write(struct buf *out, const struct policy *p);

/* The set for a tool's class and an agent, written into *room when it had to be put together. */
const struct thresholds *policy_thresholds(const struct policy *p, struct str task_class,
                                           struct threshold_changes of_agent,
                                           struct thresholds *room);

/* True when the freeze covers the service at that moment; ret_until gets its end. */
bool freeze_covers(const struct freeze *f, struct str service, int64_t now_ms, int64_t *ret_until);

/* properties: {subject:{}, resource:{}, action:{}} or null. */
bool permission_fits(const struct permission *p, const struct agent_def *agent, struct str tool,
                     struct str target, const struct value *properties);

#endif
