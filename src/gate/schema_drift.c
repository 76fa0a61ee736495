/*
 * gate/schema_drift - a migration that drops, truncates, rewrites or narrows needs a person; so does one whose effect
 * can't be read from it.
 */
#include "gate/checks.h"

void check_schema_drift(const struct check_input *in, struct finding *ret)
{
    const struct facts *f = in->facts;
    const int64_t *t = in->thresholds->at;
    if (f->sql_harm == SQL_HARMLESS) {
        finding_allow(CHECK_SCHEMA_DRIFT, ret);
        return;
    }
    bool blind = f->sql_harm == SQL_OPAQUE || f->sql_harm == SQL_UNREADABLE;
    finding_block(CHECK_SCHEMA_DRIFT, (enum verdict)t[blind ? SCHEMA_ON_UNKNOWN : SCHEMA_ON_BLOCK],
                  blind ? REASON_SCHEMA_UNKNOWN : REASON_SCHEMA_HARM, f->sql_what, ret);
    ret->value = f->sql_harm;
    ret->unknown = blind;
}
