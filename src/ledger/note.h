/*
 * ledger/note - C2SP signed notes: a text, a blank line, signature lines.
 *
 * Narrower than the specification in one thing: texts and key names are printable ASCII, since
 * origins are. Pure.
 * Source: c2sp.org/signed-note.
 */
#ifndef LEDGER_NOTE_H
#define LEDGER_NOTE_H

#include "ledger/ledger.h"

enum { NOTE_SIGNATURES_MAX = 32 };

/* Appends the text (which ends in a line feed), the blank line and the signature line. */
void note_sign(struct buf *out, struct str text, struct str name, const struct signing_key *key);
/* Keeps: ret_text points into note. Errors: RC_INVALID, RC_DENIED as of checkpoint_open. */
NODISCARD enum rc note_open(struct str note, const struct vkey *key, struct str *ret_text, struct err *e);

#endif
