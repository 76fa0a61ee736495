/*
 * cel/infer - which types fit each other; for this folder.
 *
 * Type variables are bound as they are compared; a trail takes bindings back when an overload turns
 * out not to fit. dyn fits everything, and what is compared with it becomes dyn.
 */
#ifndef CEL_INFER_H
#define CEL_INFER_H

#include "cel/node.h"

struct infer {
    struct compiler *c;
    const struct cel_type **bound; /* by variable; null: free */
    uint32_t vars;
    uint32_t capacity;
    struct infer_change {
        uint32_t var;
        const struct cel_type *before;
    } * trail;
    uint32_t changes;
    uint32_t trail_capacity;
};

/* Never null: cel_dyn when there is no memory, which the compiler notes. */
const struct cel_type *infer_var(struct infer *f);
const struct cel_type *infer_list(struct infer *f, const struct cel_type *item);
const struct cel_type *infer_optional(struct infer *f, const struct cel_type *item);
const struct cel_type *infer_map(struct infer *f, const struct cel_type *key,
                                 const struct cel_type *item);
/* Through bound variables, at the top only. */
const struct cel_type *infer_find(const struct infer *f, const struct cel_type *t);
/* Whether a `from` may stand where a `to` is wanted; binds. */
bool infer_fits(struct infer *f, const struct cel_type *to, const struct cel_type *from);
/* The type of elements that are both: dyn when they have nothing in common. */
const struct cel_type *infer_join(struct infer *f, const struct cel_type *a,
                                  const struct cel_type *b);
/* Bindings made after mark are taken back. */
void infer_undo(struct infer *f, uint32_t mark);
/* With every variable replaced; free ones by dyn when final. */
const struct cel_type *infer_whole(struct infer *f, const struct cel_type *t, bool final);
/* One type of a signature; vars are what A and B stand for. */
const struct cel_type *infer_signature(struct infer *f, const char **at,
                                       const struct cel_type *vars[2]);

#endif
