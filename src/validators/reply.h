/*
 * validators/reply - what the answer of a decision point says. For this folder. Pure.
 */
#ifndef VALIDATORS_REPLY_H
#define VALIDATORS_REPLY_H

#include "base/arena.h"
#include "policy/validators.h"

struct verdict_reply {
    enum validator_answer answer;
    char text[VALIDATOR_TEXT_MAX]; /* its reason, or what is wrong with it */
};

/* body: of a reply with status 200. */
void reply_read(enum validator_type type, struct str body, struct verdict_reply *ret);
/* What a decision point of that type is sent: the body. question: as validator_input made it. */
struct value reply_question(struct arena *a, enum validator_type type, const struct value *question);

#endif
