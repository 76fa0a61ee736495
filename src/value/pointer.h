/*
 * value/pointer - the place of an error as a JSON pointer, for whoever walks a value.
 *
 * The path is put together on the way up, so that success costs nothing. A place that outgrows
 * struct err is cut, but stays valid UTF-8. Pure.
 * Source: RFC 6901.
 */
#ifndef VALUE_POINTER_H
#define VALUE_POINTER_H

#include "base/err.h"

#include <stdint.h>

enum { POINTER_STEP_MAX = 64 }; /* bytes that one name takes in a place or a message */

/* Puts "/name" before the place of an err that was set; a null e is fine. */
void pointer_member(struct err *e, struct str name);
void pointer_item(struct err *e, uint32_t index);

#endif
