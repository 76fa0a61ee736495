/*
 * gate/provenance - context that is not trusted must not lead to a change by itself: it may be an injection.
 */
#include "gate/checks.h"

void check_provenance(const struct check_input *in, struct finding *ret)
{
    const struct value *contexts = in->request->contexts;
    for (uint32_t i = 0; !only_reads(in) && value_item(contexts, i) != NULL; i++) {
        const struct value *context = value_item(contexts, i);
        /* What does not say that it is trusted is not. */
        if (!str_eq(value_text(value_get(context, STR("trust"))), STR("trusted"))) {
            finding_block(CHECK_PROVENANCE, (enum verdict)in->thresholds->at[PROVENANCE_ON_BLOCK],
                          REASON_UNTRUSTED_CONTEXT, value_text(value_get(context, STR("id"))), ret);
            return;
        }
    }
    finding_allow(CHECK_PROVENANCE, ret);
}
