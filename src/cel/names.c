/*
 * Names: what an identifier or a dotted name means where it stands.
 *
 * Innermost first: what macros bind, then variables and types under each container from the longest
 * to none. The longest dotted prefix that is a variable wins; the rest are fields.
 * Source: cel-spec doc/langdef.md "Name Resolution".
 */
#include "cel/check.h"

#include <string.h>

const struct scope *scope_find(const struct checker *k, struct str name)
{
    const struct scope *s = k->scope;
    while (s != NULL && !str_eq(s->name, name)) {
        s = s->up;
    }
    return s;
}

bool container_next(struct str container, size_t *at, struct str *ret_prefix)
{
    if (*at == SIZE_MAX) {
        return false;
    }
    *ret_prefix = str_slice(container, 0, *at);
    if (*at == 0) {
        *at = SIZE_MAX;
        return true;
    }
    size_t i = *at;
    while (i > 0 && container.ptr[i - 1] != '.') {
        i--;
    }
    *at = i > 0 ? i - 1 : 0;
    return true;
}

bool dotted_put(struct dotted *d, struct str s)
{
    if (s.len > sizeof d->text - d->len) {
        return false;
    }
    if (s.len > 0) {
        memcpy(d->text + d->len, s.ptr, s.len);
    }
    d->len += s.len;
    return true;
}

bool dotted_name(const struct cel_node *n, struct dotted *d, const struct cel_node **ret_root)
{
    if (n->op == NODE_IDENT) {
        *ret_root = n;
        return dotted_put(d, n->name);
    }
    if (n->op != NODE_SELECT || n->quoted || n->optional || n->kids[0]->grouped) {
        return false;
    }
    return dotted_name(n->kids[0], d, ret_root) && dotted_put(d, STR(".")) &&
           dotted_put(d, n->name);
}

static const struct cel_type *found(struct checker *k, struct cel_node *n, struct str name)
{
    uint32_t slot = env_find(k->c->env, name);
    if (slot != UINT32_MAX) {
        n->op = NODE_VARIABLE;
        n->count = 0;
        n->slot = slot;
        n->name = cel_env_at(k->c->env, slot).name;
        n->type = k->unchecked ? &cel_dyn : cel_env_at(k->c->env, slot).type;
        return n->type;
    }
    const struct cel_type *type = env_type_named(k->c->env, name);
    if (type != NULL) {
        n->op = NODE_CONSTANT;
        n->count = 0;
        n->constant = cel_of_type(type);
        n->type = k->unchecked ? &cel_dyn : &cel_type_type;
        return n->type;
    }
    return NULL;
}

static const struct cel_type *check_local(struct checker *k, struct cel_node *n,
                                          const struct scope *s)
{
    n->op = s->init != NULL ? NODE_LAZY : NODE_LOCAL;
    n->slot = s->slot;
    n->init = s->init;
    n->type = k->unchecked ? &cel_dyn : s->type;
    return n->type;
}

const struct cel_type *check_qualified(struct checker *k, struct cel_node *n)
{
    struct dotted d = {.len = 0};
    const struct cel_node *root = NULL;
    if (!dotted_name(n, &d, &root)) {
        return NULL;
    }
    struct str name = {d.text, d.len};
    const struct scope *local = root->absolute ? NULL : scope_find(k, root->name);
    if (local != NULL) {
        return n == root ? check_local(k, n, local) : NULL;
    }
    struct str container = root->absolute ? STR("") : k->c->options->container;
    struct str prefix;
    for (size_t at = container.len; container_next(container, &at, &prefix);) {
        struct dotted whole = {.len = 0};
        if (!dotted_put(&whole, prefix) || (prefix.len > 0 && !dotted_put(&whole, STR("."))) ||
            !dotted_put(&whole, name)) {
            continue;
        }
        const struct cel_type *t = found(k, n, (struct str){whole.text, whole.len});
        if (t != NULL) {
            return t;
        }
    }
    return NULL;
}
