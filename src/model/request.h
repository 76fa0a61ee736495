/*
 * model/request - what a door hands to the gate, and what the server derives from it.
 *
 * The caller says: an invocation (a command, an MCP tool, or a tool by name) with parameters, its
 * intent, and claims. The catalogue says what that is: tool, class, target, services. A claim that
 * disagrees is a finding; what matches no tool is class shell. Pure.
 * Source: SEMANTICS section 1; the digest: section 4.
 */
#ifndef MODEL_REQUEST_H
#define MODEL_REQUEST_H

#include "base/arena.h"
#include "base/buf.h"
#include "diff/names.h"
#include "diff/sql.h"
#include "policy/catalogue.h"
#include "value/value.h"

enum {
    REQUEST_TEXT_MAX = 4096, /* bytes of an intent */
    REQUEST_CONTEXTS_MAX = 256,
    REQUEST_ACT_MAX = 3,     /* agents in whose name one acts: SEMANTICS "Delegation" */
    REQUEST_MODEL_MAX = 256, /* bytes of a model or a prompt version */
    REQUEST_SERVICES_MAX = TOOL_SERVICES_MAX,
};

enum derive_result {
    DERIVE_OK = 0,
    DERIVE_NO_TOOL,            /* matches nothing: class shell */
    DERIVE_AMBIGUOUS,          /* matches more than one tool */
    DERIVE_CLAIM_MISMATCH,     /* the claimed tool or service is not what it is */
    DERIVE_BAD_PARAMETERS,     /* against the tool's schema, or a template can't be filled */
    DERIVE_UNKNOWN_SERVICE,
    DERIVE_NO_PLAN, /* the tool needs one */
    DERIVE_NO_DIFF,
};

struct validator_round;

struct request {
    /* Said by the caller. Values are redacted and belong to the exchange's arena. */
    struct str agent;
    const struct value *invocation; /* {argv, executable, ...} | {mcp} | null */
    const struct value *given;      /* parameters as given; null when none */
    struct str claimed_tool;
    struct str claimed_service;
    struct str intent;
    const struct value *plan;
    const struct value *diff;
    const struct value *properties; /* AuthZEN: {subject, resource, action} of an enforcer */
    struct str wants_person;        /* the agent's own reason to ask for a person; empty: none */
    struct str author_type;         /* "ai" or "human"; by who authenticated the caller, never by the caller */
    struct str person;              /* the operator who proposes, of a human's action; empty else */
    struct str break_glass;         /* why an operator does it whatever the checks say; empty: not so */
    struct str trace;               /* W3C traceparent or empty */
    const struct value *contexts;   /* [{id, trust: trusted | untrusted}]: what it was told; null: not said */
    uint32_t redacted;              /* secrets that were taken out of it */
    struct str model;               /* and prompt version: empty when not said */
    struct str prompt_version;
    bool attested;                  /* they are the issuer's words */
    struct validator_round *round;  /* what independent validators say of it (gate.h); null: nobody is asked */
    const struct value *act;        /* agents in whose name it is done, the nearest first; null: in its own */
    struct str behalf;              /* the person in whose name all of it is done; empty: none */
    struct str parent;              /* the action that led to this one, act_N; or empty */

    /* Derived by request_derive(). */
    enum derive_result derived;
    struct str derive_detail; /* what was wrong, for people; in the arena of the derivation */
    uint32_t agent_index;             /* in the world; MAP_NONE when not registered */
    uint32_t tool_index;
    const struct tool_def *tool;
    struct value parameters; /* captured or given */
    struct str target;
    enum sql_harm sql_harm; /* of its SQL; by who reads diffs, not by request_derive() */
    struct str sql_what;
    struct diff_names touched; /* what its diff names; as sql_harm */
    const struct value *changes; /* its diff, read as {format, changes, summary, over}; null: none. As sql_harm */
    struct value invariants; /* what is asked after it, a list of {after_ms, argv or condition, name, timeout_ms}; null: nothing */
    struct value revert; /* the command that takes it back, a list of texts; null: there is none */
    uint32_t services[REQUEST_SERVICES_MAX]; /* world indexes */
    uint32_t service_count;
};

struct world;

/* The parameters, given or captured, of a request whose tool is known already. */
void request_parameters(struct arena *a, struct request *q);
/* Fills the derived part. Never fails: what is wrong is in `derived`. RC_LIMIT or RC_NO_MEMORY only. */
NODISCARD enum rc request_derive(struct arena *a, const struct world *w, struct request *q,
                                 struct err *e);
/*
 * The object whose canonical form the action digest covers: agent, tool, parameters, invocation,
 * target, diff, plan, revert, invariants; and who stands behind it: model, prompt version, the chain, the operator.
 */
struct value request_bound(struct arena *a, const struct request *q);

/* As it stands in an action.decided body, and back. Reading borrows v. */
struct value request_write(struct arena *a, const struct request *q, struct str digest);
void request_read(const struct value *v, struct request *ret);

#endif
