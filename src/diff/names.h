/*
 * diff/names - what a change names: files, addresses, kinds, keys.
 *
 * Of a text in unified form (diff, git) the names are its files; of any other text, its lines. Of an object they
 * are the dotted paths of its members and every text in it, so that the address of a Terraform plan, the kind of a
 * Kubernetes object and the path of a JSON patch are all found. Made for finding protected surfaces: a name too
 * many is harmless, a name too few is not, and `over` says that there are more than were kept.
 * Pure.
 */
#ifndef DIFF_NAMES_H
#define DIFF_NAMES_H

#include "base/arena.h"
#include "base/str.h"
#include "value/value.h"

enum {
    DIFF_NAMES_MAX = 8192,
    DIFF_NAME_LEN_MAX = 512, /* bytes of a path of members */
    DIFF_DEPTH_MAX = 64,     /* of objects and lists in each other */
};

struct diff_names {
    struct str *items;
    uint32_t count;
    bool over; /* too many, a path too long or too deep: what is missing is not known */
};

/* The texts are the value's or the arena's. Without memory the list is over. v may be null. */
struct diff_names diff_names(struct arena *a, const struct value *v);

#endif
