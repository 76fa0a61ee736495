/*
 * value/schema - JSON Schema 2020-12, the subset that tool parameters use.
 *
 * Known: type (name or list), enum, const, properties, required, additionalProperties (bool or
 * schema), patternProperties is NOT known, propertyNames, minProperties, maxProperties, items,
 * prefixItems, minItems, maxItems, uniqueItems, contains is NOT known, minLength, maxLength (in code
 * points), pattern (see below), minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf
 * (integers), anyOf, allOf, oneOf, not, boolean schemas, $defs with local $ref ("#/$defs/name"), and
 * the annotations title, description, default, examples, $schema, $comment, deprecated, readOnly,
 * writeOnly, format (an annotation, never asserted). Anything else is refused when the schema is
 * compiled: a keyword that is silently ignored would be a hole in the gate.
 *
 * pattern: an ECMA-262 subset matched in linear time without backtracking: literals, '.', classes
 * [a-z] [^...], \d \w \s and their complements, escapes of punctuation, ^ $ | ( ) and the
 * quantifiers * + ? {n} {n,} {n,m} with m <= 256. Unanchored, by code point. Others are refused.
 * Pure.
 */
#ifndef VALUE_SCHEMA_H
#define VALUE_SCHEMA_H

#include "value/value.h"

struct schema;

enum { SCHEMA_DEPTH_MAX = 32 };

/*
 * Keeps:  definition by reference; it and a must outlive the schema.
 * Gives:  a compiled schema in a.
 * Errors: RC_INVALID; `where` is the JSON pointer inside the definition.
 */
NODISCARD enum rc schema_compile(struct arena *a, const struct value *definition,
                                 const struct schema **ret, struct err *e);
/*
 * Errors: RC_INVALID with the first failing place: `where` is the JSON pointer inside v, the text
 * says what was expected. RC_LIMIT when v nests beyond SCHEMA_DEPTH_MAX.
 */
NODISCARD enum rc schema_check(const struct schema *s, const struct value *v, struct err *e);

#endif
