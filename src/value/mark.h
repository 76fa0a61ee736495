/*
 * value/mark - what stands where a secret was: {"$redacted": "hmac-sha256:...", "type": "..."}.
 *
 * The marks are made by redact; readers that expect a text there (a schema, a command's words) see them as one.
 * Pure.
 */
#ifndef VALUE_MARK_H
#define VALUE_MARK_H

#include "value/value.h"

bool value_is_mark(const struct value *v);
/* Any mark in v, however deep. */
bool value_has_mark(const struct value *v);
/* A copy with a text for each mark: "[redacted:TYPE:hmac-sha256:<16 hex>]". */
struct value value_unmarked(struct arena *a, const struct value *v);

#endif
