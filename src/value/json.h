/*
 * value/json - JSON text to values and back, strictly.
 *
 * The reader takes exactly one RFC 8259 value in valid UTF-8 and refuses: trailing bytes, a byte
 * order mark, duplicate member names, lone surrogates, control characters in strings, NaN and
 * infinities, integer literals outside int64, doubles that overflow, nesting beyond the limit.
 * A double that is a whole number in 2^63 <= |x| < 1e21 is refused as well: its canonical text
 * would be an integer literal that the reader refuses. Errors name the byte offset and a JSON
 * pointer.
 *
 * The canonical form is RFC 8785 (members sorted by UTF-16 code units, shortest round-trip doubles,
 * minimal escapes), except that int64 integers print their exact digits. Pure.
 * Source: RFC 8259, RFC 8785, SEMANTICS section 5 "Canonical form", docs/decisions/001.
 */
#ifndef VALUE_JSON_H
#define VALUE_JSON_H

#include "base/buf.h"
#include "value/value.h"

enum {
    JSON_DEPTH_MAX = 32,      /* arrays and objects inside each other */
    JSON_MEMBERS_MAX = 65536, /* of one object */
};

/*
 * Keeps:  strings without escapes point into text, so text must live as long as the value; others
 *         are in the arena.
 * Errors: RC_INVALID with the place; RC_LIMIT for depth, members or the arena; RC_NO_MEMORY.
 */
NODISCARD enum rc json_parse(struct arena *a, struct str text, struct value *ret, struct err *e);

/* Members that a reader does not want. No name is empty. */
struct json_unread {
    const struct str *names; /* of the outermost object */
    uint32_t count;
    struct str in;              /* a member of it that is an object, */
    const struct str *in_names; /* and members of that one */
    uint32_t in_count;
};

/*
 * The same without some members, which are passed over: they are neither checked nor in ret. Only for a text that is known
 * to be JSON, such as a body that has the digest that its maker gave it. Null: all are read.
 */
NODISCARD enum rc json_parse_without(struct arena *a, struct str text, const struct json_unread *unread, struct value *ret,
                                     struct err *e);

/* Compact, members in their own order. Doubles as in the canonical form. */
void json_write(struct buf *out, const struct value *v);
/* Two spaces of indent, members in their own order; for people. */
void json_write_pretty(struct buf *out, const struct value *v);
/* Canonical bytes. The scratch arena holds sort tables for the call; its failure makes out fail. */
void json_write_canonical(struct buf *out, const struct value *v, struct arena *scratch);

/* One string as a JSON literal with quotes. s must be valid UTF-8 (see utf8_valid). */
void json_write_string(struct buf *out, struct str s);
/* The RFC 8785 text of a finite double. */
void json_write_double(struct buf *out, double n);
bool utf8_valid(struct str s);

#endif
