/*
 * import/documents - texts as a list of documents, each with its place.
 *
 * A text is JSON, or YAML of any number of documents (value/yaml.h has its limits); empty documents are left out. Pure.
 */
#ifndef IMPORT_DOCUMENTS_H
#define IMPORT_DOCUMENTS_H

#include "value/value.h"

struct document {
    struct str place; /* "file#2": its second document */
    struct value value;
};

struct documents {
    struct document *items;
    uint32_t count;
    uint32_t room;
};

/* Appends what text holds. Keeps: text. Errors: RC_INVALID and RC_LIMIT with the place, RC_NO_MEMORY. */
NODISCARD enum rc documents_read(struct documents *d, struct arena *a, struct str file, struct str text, struct err *e);

/* "expected ..." at v, which is in the document: a line and a column when it has them. Null: at the document. */
NODISCARD enum rc document_expected(const struct document *d, const struct value *v, const char *what, struct err *e);

#endif
