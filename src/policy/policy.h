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

enum {
    POLICY_ARENA_MAX = 256 << 20,
    POLICY_TEXT_MAX = 8 << 20, /* bytes of the canonical text: one blob of the ledger */
    FREEZES_MAX = 1000,
    PERMISSIONS_MAX = 10000,
    TASK_CLASSES_MAX = 1000,
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
    bool resume_by_another; /* stop --all is lifted by someone else than who set it */
    bool owner_approves;    /* the agent's owner may approve for it */
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
};

/* v: the object under the file's `policy` key, or the canonical one. file is for error places. */
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
