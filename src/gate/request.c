/*
 * gate/request - the agent itself asks for a person.
 */
#include "gate/checks.h"

void check_request(const struct check_input *in, struct finding *ret)
{
    if (in->request->wants_person.len > 0) {
        finding_block(CHECK_REQUEST, VERDICT_ESCALATE, REASON_ASKED_FOR_PERSON, in->request->wants_person, ret);
        return;
    }
    finding_allow(CHECK_REQUEST, ret);
}
