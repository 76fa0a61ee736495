/*
 * value/yaml_anchors - what the anchors of one YAML document stand for: for value/yaml.
 *
 * A value keeps how many values and how many levels it is, so that the reader can refuse what grows by aliases of aliases.
 * Pure.
 */
#ifndef VALUE_YAML_ANCHORS_H
#define VALUE_YAML_ANCHORS_H

#include "base/map.h"
#include "value/yaml.h"

struct yaml_anchor {
    struct value value;
    uint32_t nodes; /* values, itself included */
    int height;     /* collections inside each other */
    bool open;      /* it is being read: nothing in it may stand for it */
};

struct yaml_anchors {
    struct strmap index_of;
    struct yaml_anchor *items;
    uint32_t count;
    uint32_t room;
};

void yaml_anchors_init(struct yaml_anchors *n);
void yaml_anchors_done(struct yaml_anchors *n);
/* For the next document. */
void yaml_anchors_forget(struct yaml_anchors *n);
/* A new one, open; a name may be given again. Errors: RC_LIMIT, RC_NO_MEMORY. */
NODISCARD enum rc yaml_anchor_open(struct yaml_anchors *n, struct arena *a, struct str name, uint32_t *ret);
/* Null: there is none of that name. */
const struct yaml_anchor *yaml_anchor_find(const struct yaml_anchors *n, struct str name);

/* Adds to an object those members of the objects of a list that it has not, the first of a name. Errors: of memory. */
NODISCARD enum rc yaml_merge(struct arena *a, struct value *object, const struct value *list);

#endif
