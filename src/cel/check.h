/*
 * cel/check - the checker's state, shared by its files; for this folder.
 */
#ifndef CEL_CHECK_H
#define CEL_CHECK_H

#include "cel/functions.h"
#include "cel/infer.h"

/* A name that a macro binds, in the expressions below it. */
struct scope {
    const struct scope *up;
    struct str name;
    uint32_t slot;
    const struct cel_type *type;
    const struct cel_node *init; /* of a binding that is evaluated when it is first read */
};

struct checker {
    struct compiler *c;
    struct infer infer;
    const struct scope *scope;
    bool unchecked;
};

/* The type of n, whose names and overloads are resolved in place; null when it failed. */
const struct cel_type *check_node(struct checker *k, struct cel_node *n);
const struct cel_type *check_call(struct checker *k, struct cel_node *n);
const struct cel_type *check_binder(struct checker *k, struct cel_node *n);
/* Resolves a name or a.b.c to a variable or a type; null (without failure) when it is neither. */
const struct cel_type *check_qualified(struct checker *k, struct cel_node *n);
/* "a.b.c" of a chain of plain selections from a name; false when n is none or it is too long. */
enum { DOTTED_MAX = 512 };
struct dotted {
    char text[DOTTED_MAX];
    size_t len;
};
bool dotted_put(struct dotted *d, struct str s);
bool dotted_name(const struct cel_node *n, struct dotted *d, const struct cel_node **ret_root);
const struct scope *scope_find(const struct checker *k, struct str name);
/* For each container from the innermost out: "a.b." "a." "". False behind the last. */
bool container_next(struct str container, size_t *at, struct str *ret_prefix);
/* What an unknown name or overload is: an error now, or a node that fails when it is reached. */
const struct cel_type *check_fail(struct checker *k, struct cel_node *n, const char *format, ...)
    PRINTF(3, 4);
/* A type's text for messages, in the program's arena. */
struct str type_text(struct checker *k, const struct cel_type *t);

#endif
