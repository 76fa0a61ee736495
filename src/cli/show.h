/*
 * cli/show - a decision, and an action with all that an approver must see, whole, for a person to judge.
 *
 * What the agent said is escaped, quoted and named as its words; what the gate found stands beside with
 * value, source and age. Nothing is cut.
 */
#ifndef CLI_SHOW_H
#define CLI_SHOW_H

#include "base/buf.h"
#include "value/value.h"

/* record: an answer of GET /v1/decisions/{id}. */
void show_decision(struct buf *out, const struct value *record);
/* answer: one of POST /v1/evaluate?whole=true. */
void show_evaluation(struct buf *out, const struct value *answer);
/* action: an answer of GET /v1/actions/{id} to an operator. */
void show_action(struct buf *out, const struct value *action);

/* cli/show_request.c: what the agent wrote itself; request: the member of a decision. */
void show_request(struct buf *out, const struct value *request);

#endif
