/*
 * diff/documents - one side of a change as a list of values: for this folder.
 *
 * A side is given as a text of YAML (any number of documents) or JSON, as a value, or as a list of values. Documents
 * of YAML are told apart by their marks at the start of a line and read by value/yaml: anchors, aliases and tags are
 * refused, so nothing in it can grow. Pure.
 */
#ifndef DIFF_DOCUMENTS_H
#define DIFF_DOCUMENTS_H

#include "base/arena.h"
#include "base/err.h"
#include "value/value.h"

enum { DOCUMENTS_MAX = 10000 }; /* of one text */

/*
 * side: "before" or "after", for messages. v may be null or a null: there are none. Empty documents are left out.
 * Errors: RC_INVALID with the place ("after#2:3:7": line and column in the second document), RC_LIMIT, RC_NO_MEMORY.
 */
NODISCARD enum rc diff_documents(struct arena *a, struct str side, const struct value *v, struct value *ret, struct err *e);

#endif
