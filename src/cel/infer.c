#include "cel/infer.h"

#include <string.h>

/* Room for one more item of size bytes; null when there is no memory. */
static void *grown(struct infer *f, void *items, uint32_t count, uint32_t *capacity, size_t size)
{
    if (count < *capacity) {
        return items;
    }
    uint32_t wanted = *capacity == 0 ? 64 : *capacity * 2;
    void *more = arena_array(f->c->arena, wanted, size);
    if (more == NULL) {
        compile_memory(f->c);
        return NULL;
    }
    if (count > 0) {
        memcpy(more, items, count * size);
    }
    *capacity = wanted;
    return more;
}

static const struct cel_type *made(struct infer *f, struct cel_type t)
{
    struct cel_type *copy = arena_alloc(f->c->arena, sizeof *copy);
    if (copy == NULL) {
        compile_memory(f->c);
        return &cel_dyn;
    }
    *copy = t;
    return copy;
}

const struct cel_type *infer_var(struct infer *f)
{
    const struct cel_type **bound =
        grown(f, f->bound, f->vars, &f->capacity, sizeof(const struct cel_type *));
    if (bound == NULL) {
        return &cel_dyn;
    }
    f->bound = bound;
    f->bound[f->vars] = NULL;
    return made(f, (struct cel_type){.kind = CEL_VAR, .var = f->vars++});
}

const struct cel_type *infer_list(struct infer *f, const struct cel_type *item)
{
    return made(f, (struct cel_type){.kind = CEL_LIST, .item = item});
}

const struct cel_type *infer_optional(struct infer *f, const struct cel_type *item)
{
    return made(f, (struct cel_type){.kind = CEL_OPTIONAL, .item = item});
}

const struct cel_type *infer_map(struct infer *f, const struct cel_type *key,
                                 const struct cel_type *item)
{
    return made(f, (struct cel_type){.kind = CEL_MAP, .key = key, .item = item});
}

const struct cel_type *infer_find(const struct infer *f, const struct cel_type *t)
{
    while (t->kind == CEL_VAR && t->var < f->vars && f->bound[t->var] != NULL) {
        t = f->bound[t->var];
    }
    return t;
}

static void bind(struct infer *f, uint32_t var, const struct cel_type *t)
{
    struct infer_change *trail =
        grown(f, f->trail, f->changes, &f->trail_capacity, sizeof(struct infer_change));
    if (trail == NULL) {
        return;
    }
    f->trail = trail;
    f->trail[f->changes++] = (struct infer_change){var, f->bound[var]};
    f->bound[var] = t;
}

void infer_undo(struct infer *f, uint32_t mark)
{
    while (f->changes > mark) {
        f->changes--;
        f->bound[f->trail[f->changes].var] = f->trail[f->changes].before;
    }
}

static const struct cel_type *item_of(const struct cel_type *t)
{
    return t->item != NULL ? t->item : &cel_dyn;
}

static const struct cel_type *key_of(const struct cel_type *t)
{
    return t->key != NULL ? t->key : &cel_dyn;
}

static bool occurs(const struct infer *f, uint32_t var, const struct cel_type *t)
{
    t = infer_find(f, t);
    if (t->kind == CEL_VAR) {
        return t->var == var;
    }
    return (t->item != NULL && occurs(f, var, t->item)) ||
           (t->key != NULL && occurs(f, var, t->key));
}

static bool fits_var(struct infer *f, const struct cel_type *var, const struct cel_type *t)
{
    if (t->kind == CEL_VAR && t->var == var->var) {
        return true;
    }
    if (occurs(f, var->var, t)) {
        return false;
    }
    bind(f, var->var, t);
    return true;
}

/* The variable that t is bound through last; null when t is none. */
static const struct cel_type *last_var(const struct infer *f, const struct cel_type *t)
{
    const struct cel_type *last = NULL;
    while (t->kind == CEL_VAR && t->var < f->vars && f->bound[t->var] != NULL) {
        last = t;
        t = f->bound[t->var];
    }
    return last;
}

static bool takes_null(const struct cel_type *t)
{
    return t->kind == CEL_OBJECT || t->kind == CEL_TIMESTAMP || t->kind == CEL_DURATION ||
           t->kind == CEL_OPTIONAL || t->kind == CEL_IP || t->kind == CEL_CIDR;
}

/* A variable that was bound to something narrower becomes as wide as what it is compared with. */
static void widen(struct infer *f, const struct cel_type *to, const struct cel_type *wide)
{
    const struct cel_type *var = last_var(f, to);
    if (var != NULL && !occurs(f, var->var, wide)) {
        bind(f, var->var, wide);
    }
}

bool infer_fits(struct infer *f, const struct cel_type *to, const struct cel_type *from)
{
    const struct cel_type *a = infer_find(f, to);
    const struct cel_type *b = infer_find(f, from);
    if (a == b) {
        return true;
    }
    if (a->kind == CEL_VAR) {
        return fits_var(f, a, b);
    }
    if (b->kind == CEL_VAR) {
        return fits_var(f, b, a);
    }
    if (a->kind == CEL_DYN || b->kind == CEL_DYN) {
        widen(f, to, &cel_dyn);
        return true;
    }
    if (a->kind == CEL_NULL && takes_null(b)) {
        widen(f, to, b);
        return true;
    }
    if (b->kind == CEL_NULL && takes_null(a)) {
        return true;
    }
    if (a->kind != b->kind) {
        return false;
    }
    switch (a->kind) {
    case CEL_LIST:
    case CEL_OPTIONAL:
        return infer_fits(f, item_of(a), item_of(b));
    case CEL_MAP:
        return infer_fits(f, key_of(a), key_of(b)) && infer_fits(f, item_of(a), item_of(b));
    case CEL_OBJECT:
        return a->class == b->class;
    default:
        return true;
    }
}

const struct cel_type *infer_join(struct infer *f, const struct cel_type *a,
                                  const struct cel_type *b)
{
    uint32_t mark = f->changes;
    if (!infer_fits(f, a, b)) {
        infer_undo(f, mark);
        return &cel_dyn;
    }
    const struct cel_type *first = infer_find(f, a);
    const struct cel_type *second = infer_find(f, b);
    if (second->kind == CEL_DYN || first->kind == CEL_NULL) {
        return second;
    }
    return first;
}

const struct cel_type *infer_whole(struct infer *f, const struct cel_type *t, bool final)
{
    t = infer_find(f, t);
    if (t->kind == CEL_VAR) {
        return final ? &cel_dyn : t;
    }
    if (t->kind != CEL_LIST && t->kind != CEL_MAP && t->kind != CEL_OPTIONAL) {
        return t;
    }
    const struct cel_type *item = infer_whole(f, item_of(t), final);
    const struct cel_type *key = t->kind == CEL_MAP ? infer_whole(f, key_of(t), final) : NULL;
    if (item == t->item && key == t->key) {
        return t;
    }
    struct cel_type copy = *t;
    copy.item = item;
    copy.key = key;
    return made(f, copy);
}

const struct cel_type *infer_signature(struct infer *f, const char **at,
                                       const struct cel_type *vars[2])
{
    static const struct {
        char letter;
        const struct cel_type *type;
    } letters[] = {{'n', &cel_null},      {'b', &cel_bool},      {'i', &cel_int},
                   {'u', &cel_uint},      {'d', &cel_double},    {'s', &cel_string},
                   {'y', &cel_bytes},     {'t', &cel_timestamp}, {'D', &cel_duration},
                   {'T', &cel_type_type}, {'p', &cel_ip},        {'c', &cel_cidr},
                   {'*', &cel_dyn}};
    char letter = *(*at)++;
    if (letter == 'A' || letter == 'B') {
        const struct cel_type **var = &vars[letter - 'A'];
        *var = *var == NULL ? infer_var(f) : *var;
        return *var;
    }
    if (letter == 'L') {
        return infer_list(f, infer_signature(f, at, vars));
    }
    if (letter == 'O') {
        return infer_optional(f, infer_signature(f, at, vars));
    }
    if (letter == 'M') {
        const struct cel_type *key = infer_signature(f, at, vars);
        return infer_map(f, key, infer_signature(f, at, vars));
    }
    for (size_t i = 0; i < sizeof letters / sizeof letters[0]; i++) {
        if (letters[i].letter == letter) {
            return letters[i].type;
        }
    }
    must(!"a letter that no type has");
    return &cel_dyn;
}
