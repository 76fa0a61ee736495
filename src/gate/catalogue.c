/*
 * gate/catalogue - is it a known tool with valid parameters, and what the caller claimed it to be?
 *
 * What matches no tool is class shell and denied: free-form commands are not a tool that anyone
 * declared.
 */
#include "gate/checks.h"

void check_catalogue(const struct check_input *in, struct finding *ret)
{
    static const enum reason reasons[] = {
        [DERIVE_OK] = REASON_NONE,
        [DERIVE_NO_TOOL] = REASON_SHELL,
        [DERIVE_AMBIGUOUS] = REASON_AMBIGUOUS,
        [DERIVE_CLAIM_MISMATCH] = REASON_CLAIM_MISMATCH,
        [DERIVE_BAD_PARAMETERS] = REASON_BAD_PARAMETERS,
        [DERIVE_UNKNOWN_SERVICE] = REASON_UNKNOWN_SERVICE,
        [DERIVE_NO_PLAN] = REASON_NO_PLAN,
        [DERIVE_NO_DIFF] = REASON_NO_DIFF,
    };
    if (in->request->derived == DERIVE_OK && in->request->tool != NULL) {
        finding_allow(CHECK_CATALOGUE, ret);
        return;
    }
    enum reason reason = in->request->derived == DERIVE_OK ? REASON_SHELL : reasons[in->request->derived];
    finding_block(CHECK_CATALOGUE, VERDICT_DENY, reason, in->request->derive_detail, ret);
}
