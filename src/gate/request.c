/*
 * gate/request - the agent itself asks for a person.
 */
#include "gate/checks.h"

struct finding check_request(const struct check_input *in)
{
    if (in->request->wants_person.len > 0) {
        return finding_block(CHECK_REQUEST, VERDICT_ESCALATE, REASON_ASKED_FOR_PERSON,
                             in->request->wants_person);
    }
    return finding_allow(CHECK_REQUEST);
}
