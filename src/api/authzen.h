/*
 * api/authzen - an AuthZEN question, and the request that it is for the gate.
 *
 * subject is the agent (type "agent", or "type/id" for any other type), action the tool, resource the target (type
 * "target", or "type/id"). In a search one of the three is not said but looked for.
 */
#ifndef API_AUTHZEN_H
#define API_AUTHZEN_H

#include "api/call.h"

enum { AUTHZEN_TEXT_MAX = 1024 }; /* bytes of a type, an id or a name */

enum searched { SEARCHED_NONE = 0, SEARCHED_SUBJECT, SEARCHED_RESOURCE, SEARCHED_ACTION };

struct question {
    const struct value *subject;
    const struct value *action; /* null when it is looked for */
    const struct value *resource;
    const struct value *context;
    struct str subject_type;
    struct str subject_id; /* empty when it is looked for; so are the next two */
    struct str tool;
    struct str resource_id;
    struct str resource_type;
};

/* Checks the four values, which may be null, and fills in the texts. Errors: RC_INVALID with the place. */
NODISCARD enum rc authzen_read(struct question *q, enum searched searched, struct err *e);
/* Whom a type and an id mean: the id alone for the type plain, "type/id" else. */
struct str authzen_name(struct arena *a, struct str type, struct str id, const char *plain);
/* The question as a request of this caller, with room in a. Errors: RC_DENIED for an agent that asks about another,
 * RC_INVALID, RC_LIMIT. */
NODISCARD enum rc authzen_request(const struct call *c, struct arena *a, const struct question *question,
                                  struct request *ret, struct err *e);

#endif
