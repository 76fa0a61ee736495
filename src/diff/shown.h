/*
 * diff/shown - values fit to be shown: bounded, valid UTF-8, without secrets.
 *
 * A secret is what the document marks as one, what stands under a name that says so (password, token, api_key, ...),
 * and a text that carries such a name with a value, a private key or a password in a URL. This is for showing only;
 * what leaves the caller's machine goes through redact. Pure.
 */
#ifndef DIFF_SHOWN_H
#define DIFF_SHOWN_H

#include "base/arena.h"
#include "base/str.h"
#include "value/value.h"

enum {
    SHOWN_TEXT_MAX = 256, /* bytes of a text */
    SHOWN_ITEMS_MAX = 16, /* items of a list, members of an object */
    SHOWN_DEPTH_MAX = 4,
};

/* At most max bytes; bytes that are no UTF-8 become U+FFFD, and a cut ends in an ellipsis. */
struct str diff_text(struct arena *a, struct str s, size_t max);
/* A name whose value is not shown. */
bool diff_name_is_secret(struct str name);
/* A text that carries a secret in what would be shown of it. */
bool diff_text_is_secret(struct str text);

struct shown {
    struct str name;            /* under which it stands */
    const struct value *hidden; /* true, or objects and lists with true where a value is a secret; null: none */
    bool sensitive;             /* out: something is not shown */
};

/* v may be null: that is null. */
struct value diff_shown(struct arena *a, const struct value *v, struct shown *s);

#endif
