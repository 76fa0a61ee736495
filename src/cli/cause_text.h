/*
 * cli/cause_text - a report of causes, as JSON has it, drawn for a person.
 *
 * Names and texts in it come from measurements and are escaped. Pure.
 */
#ifndef CLI_CAUSE_TEXT_H
#define CLI_CAUSE_TEXT_H

#include "base/buf.h"
#include "value/value.h"

enum {
    CAUSE_TEXT_SHOWN = 3,      /* causes and changes that are drawn; all with explain */
    CAUSE_TEXT_RULED_OUT = 8,  /* of those ruled out */
};

/* report: what report_value() gives. explain: every term of every score, and all that was ruled out. */
void cause_text(struct buf *out, const struct value *report, bool explain);

#endif
