/*
 * value/schema - JSON Schema 2020-12, the subset that tool parameters use.
 *
 * Known: type (name or list), enum, const, properties, required, additionalProperties (bool or
 * schema), propertyNames, minProperties, maxProperties, items, prefixItems, minItems, maxItems,
 * uniqueItems, minLength, maxLength (in code points), pattern (see below), minimum, maximum,
 * exclusiveMinimum, exclusiveMaximum, multipleOf (integers), anyOf, allOf, oneOf, not, boolean
 * schemas, $defs (at the top only) with local $ref ("#/$defs/name"), and the annotations title,
 * description, default, examples, $schema, $comment, deprecated, readOnly, writeOnly, format (never
 * asserted). Anything else, patternProperties and contains for two, is refused when the schema is
 * compiled: a keyword that is silently ignored would be a hole in the gate.
 *
 * pattern: an ECMA-262 subset matched in linear time without backtracking: literals, '.', classes
 * [a-z] [^...], \d \w \s and their complements, escapes of punctuation and \t \n \v \f \r,
 * ^ $ | ( ) (?: ) and the quantifiers * + ? {n} {n,} {n,m} with m <= 256. Unanchored, by code
 * point. Others are refused. Pure.
 */
#ifndef VALUE_SCHEMA_H
#define VALUE_SCHEMA_H

#include "value/value.h"

struct schema;

enum {
    /* Schemas inside each other, values inside each other, and the longest chain of $ref, anyOf,
     * allOf, oneOf and not that looks at one value. */
    SCHEMA_DEPTH_MAX = 32,
    /* Steps of one check: schemas tried, members looked up, instructions of patterns. Far beyond
     * any honest use; recursive schemas can be made to take exponential time without it. */
    SCHEMA_WORK_MAX = 2000000,
};

/*
 * Keeps:  definition by reference; it and a must outlive the schema.
 * Gives:  a compiled schema in a.
 * Errors: RC_INVALID; `where` is the JSON pointer inside the definition. RC_LIMIT for
 *         SCHEMA_DEPTH_MAX, a pattern's size or the arena; RC_NO_MEMORY.
 */
NODISCARD enum rc schema_compile(struct arena *a, const struct value *definition,
                                 const struct schema **ret, struct err *e);
/*
 * Errors: RC_INVALID with the first failing place: `where` is the JSON pointer inside v, the text
 * says what was expected and never quotes v. RC_LIMIT when v nests beyond SCHEMA_DEPTH_MAX or the
 * check goes beyond SCHEMA_WORK_MAX: nothing is known about v then.
 */
NODISCARD enum rc schema_check(const struct schema *s, const struct value *v, struct err *e);

#endif
