/*
 * policy/labels - names with a value that agents, services and tools carry, for rules to read.
 */
#include "policy/policy_internal.h"

static bool is_label(const struct value *v)
{
    return v->type == VALUE_INT || v->type == VALUE_BOOL || (v->type == VALUE_STRING && v->string.len <= LABEL_TEXT_MAX);
}

static enum rc check_labels(struct reader *r, const struct value *v)
{
    if (!value_is(v, VALUE_OBJECT) || v->count > LABELS_MAX) {
        return reader_fail(r, v, "labels: expected at most %d names with their values", LABELS_MAX);
    }
    for (uint32_t i = 0; i < v->count; i++) {
        const struct member *m = &v->members[i];
        if (m->name.len == 0 || m->name.len > LABEL_TEXT_MAX || !is_label(&m->value)) {
            return reader_fail(r, &m->value, "labels: expected a name and a text of at most %d bytes, an integer or a bool",
                               LABEL_TEXT_MAX);
        }
    }
    return RC_OK;
}

enum rc labels_read(struct reader *r, const struct value *v, const struct value **ret)
{
    *ret = NULL;
    if (v == NULL) {
        return RC_OK;
    }
    enum rc rc = check_labels(r, v);
    struct value *copy = rc == RC_OK ? arena_alloc(r->arena, sizeof *copy) : NULL;
    if (copy != NULL) {
        *copy = value_copy(r->arena, v);
        *ret = copy;
    }
    return reader_step(r, rc, "labels");
}
