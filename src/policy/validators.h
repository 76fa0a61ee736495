/*
 * policy/validators - independent decision points that are asked before an action: OPA, an AuthZEN decision point, an
 * HTTP service, a local command.
 *
 * What they are asked is JSON: every variable of rules, or what an expression makes of them. A validator that does not
 * answer, or not in its form, or not in time, gives `on_error`; never a yes. Pure.
 * Source: OPA REST data API, AuthZEN 1.0, Standard Webhooks 1.0 for the signature.
 */
#ifndef POLICY_VALIDATORS_H
#define POLICY_VALIDATORS_H

#include "policy/rules.h"

enum {
    VALIDATORS_MAX = 16,              /* of a policy */
    VALIDATOR_ARGV_MAX = 64,
    VALIDATOR_REPLY_MAX = 64 << 10,   /* bytes of an answer */
    VALIDATOR_TEXT_MAX = 256,         /* bytes of a reason that are kept */
    VALIDATOR_INPUT_MAX = 512 << 10,  /* bytes of what one is asked */
};

enum validator_type { VALIDATOR_OPA = 0, VALIDATOR_AUTHZEN, VALIDATOR_HTTP, VALIDATOR_COMMAND };
const char *validator_type_name(enum validator_type t);

enum validator_answer {
    ANSWER_NONE = 0, /* nobody was asked */
    ANSWER_ALLOW,
    ANSWER_DENY,
    ANSWER_ESCALATE,
    ANSWER_HOLD,
    ANSWER_ERROR,
};
const char *validator_answer_name(enum validator_answer a);
NODISCARD bool validator_answer_parse(struct str name, enum validator_answer *ret);

struct validator {
    struct str name;
    int64_t type;          /* enum validator_type */
    struct str url;        /* of all but a command: http or https */
    struct str socket;     /* path of a local socket instead of TCP; empty: none */
    struct str ca_file;    /* empty: the system's */
    struct str token_file; /* holds a bearer token; empty: none */
    struct str secret_file; /* of type http: holds the key that requests are signed with */
    struct str_list argv;  /* of a command: exact words, the first an absolute path */
    struct rule whom;      /* only its lists: what it is asked about */
    int64_t timeout_ms;
    int64_t on_deny;       /* enum verdict */
    int64_t on_error;      /* enum verdict */
    int64_t mode;          /* enum check_mode */
    struct str input;      /* an expression that gives what it is asked; empty: all variables */
    struct cel_program *program; /* null without one */
};

NODISCARD enum rc validator_read(struct reader *r, const struct value *v, const struct cel_env *env, struct validator *ret);
struct value validator_value(struct arena *a, const struct validator *v);
void validator_done(struct validator *v);

/* What it is asked, as JSON. Errors: RC_INVALID when its expression fails or gives no JSON, RC_LIMIT. */
NODISCARD enum rc validator_input(const struct validator *v, const struct cel_value *vars, const struct rule_memory *m,
                                     struct value *ret, struct err *e);
/* All variables as one object; fields without a value are left out. */
NODISCARD enum rc rule_vars_json(const struct cel_value *vars, struct arena *a, struct value *ret, struct err *e);

#endif
