/*
 * client/untrusted - text that came from an agent, a tool or a file, made fit for a terminal.
 *
 * The only way such text is printed. Control characters, ESC, bidirectional and zero-width characters and
 * invalid UTF-8 are written as visible escapes, so that it can't move the cursor, hide itself or turn
 * around; nothing is cut. Pure.
 * Source: SEMANTICS section 7; Trojan Source (CVE-2021-42574) for the characters.
 */
#ifndef CLIENT_UNTRUSTED_H
#define CLIENT_UNTRUSTED_H

#include "base/buf.h"

/* In double quotes, with '"' and '\' escaped: what is inside is theirs, what is outside is ours. */
void untrusted_quote(struct buf *out, struct str s);
/* Without quotes: for a cell of a table, where the column says whose text it is. */
void untrusted_cell(struct buf *out, struct str s);
/* JSON text: what would be escaped becomes \uXXXX of JSON, so the value stays the same. Line feeds of its
 * indentation stay. */
void untrusted_json(struct buf *out, struct str json);

#endif
