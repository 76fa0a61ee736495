/*
 * The worst case of an expression in steps, from the bounds that types declare.
 *
 * A loop costs its range's size times its body. A value without a declared bound counts as the size
 * that the options assume, and so do the elements of what an expression makes itself: the budget of
 * an evaluation is what holds, this is what refuses a rule before it runs. Saturating: what does
 * not fit is the largest number.
 */
#include "cel/functions.h"
#include "cel/pattern.h"

/* Steps to evaluate, the most elements or bytes that come out, and the steps to pass over the
 * operands once. */
struct estimate {
    uint64_t steps;
    uint64_t size;
    uint64_t pass;
};

struct estimator {
    uint64_t assumed;
    struct estimate *known; /* by node; steps 0: not yet. What is bound once may be read often. */
};

static uint64_t plus(uint64_t a, uint64_t b)
{
    uint64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

static uint64_t times(uint64_t a, uint64_t b)
{
    uint64_t product;
    return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

static struct estimate estimate(const struct estimator *e, const struct cel_node *n);

static bool has_size(const struct cel_type *t)
{
    return t->kind == CEL_STRING || t->kind == CEL_BYTES || t->kind == CEL_LIST ||
           t->kind == CEL_MAP || t->kind == CEL_DYN || t->kind == CEL_OPTIONAL;
}

/* What a value of that type may hold. */
static uint64_t size_of(const struct estimator *e, const struct cel_type *t)
{
    if (t == NULL || !has_size(t)) {
        return t == NULL ? e->assumed : 1;
    }
    return t->max > 0 ? t->max : e->assumed;
}

static struct estimate of_constant(const struct cel_node *n)
{
    const struct cel_value *v = &n->constant;
    bool text = v->kind == CEL_STRING || v->kind == CEL_BYTES;
    return (struct estimate){1, text ? v->len : 1, 0};
}

/* Texts are passed over 16 bytes at a step, lists by element. */
static uint64_t pass_over(const struct cel_type *t, uint64_t size)
{
    if (t == NULL || t->kind == CEL_STRING || t->kind == CEL_BYTES) {
        return plus(1, size / 16);
    }
    return has_size(t) ? size : 1;
}

/* The larger size of those that sizes of results come from. */
static struct estimate of_kids(const struct estimator *e, const struct cel_node *n)
{
    struct estimate sum = {1, 0, 0};
    for (uint32_t i = 0; i < n->count; i++) {
        struct estimate kid = estimate(e, n->kids[i]);
        sum.steps = plus(sum.steps, kid.steps);
        sum.size = kid.size > sum.size ? kid.size : sum.size;
        sum.pass = plus(sum.pass, pass_over(n->kids[i]->type, kid.size));
    }
    return sum;
}

static bool named(const struct cel_node *n, const char *name)
{
    return str_eq(n->name, str_from(name));
}

/* Concatenation, and what grows texts and lists: the parts together. */
static struct estimate of_sum(const struct estimator *e, const struct cel_node *n)
{
    struct estimate sum = {1, 0, 0};
    for (uint32_t i = 0; i < n->count; i++) {
        struct estimate kid = estimate(e, n->kids[i]);
        sum.steps = plus(sum.steps, kid.steps);
        sum.size = plus(sum.size, kid.size);
    }
    /* Values are copied: 24 bytes for an element, which is two steps. */
    sum.steps = plus(sum.steps, times(pass_over(n->type, sum.size), 2));
    return sum;
}

/* What a call yields and costs beyond its arguments, from their sizes; elements or bytes. */
struct growth {
    const char *name;
    enum { GROW_SAME, GROW_PRODUCT, GROW_REPLACE, GROW_JOIN, GROW_FLATTEN, GROW_RANGE } how;
};

static const struct growth growths[] = {
    {"distinct", GROW_PRODUCT},
    {"sets.contains", GROW_PRODUCT},
    {"sets.equivalent", GROW_PRODUCT},
    {"sets.intersects", GROW_PRODUCT},
    {"lastIndexOf", GROW_PRODUCT},
    {"replace", GROW_REPLACE},
    {"join", GROW_JOIN},
    {"format", GROW_JOIN},
    {"flatten", GROW_FLATTEN},
    {"lists.range", GROW_RANGE},
};

static struct estimate of_matches(const struct estimator *e, const struct cel_node *n)
{
    struct estimate text = estimate(e, n->kids[0]);
    struct estimate by = estimate(e, n->kids[1]);
    uint32_t places = n->pattern != NULL ? n->pattern->places : CEL_PATTERN_STATES_MAX;
    uint64_t steps = plus(72, plus(by.size, times(text.size, cel_pattern_cost(places))));
    return (struct estimate){plus(steps, plus(text.steps, by.steps)), 1, 0};
}

static uint64_t kid_size(const struct estimator *e, const struct cel_node *n, uint32_t i)
{
    return i < n->count ? estimate(e, n->kids[i]).size : 1;
}

/* Each place where the old text may stand gives one new text; the empty one stands everywhere. */
static uint64_t replaced_size(const struct estimator *e, const struct cel_node *n)
{
    uint64_t text = kid_size(e, n, 0);
    bool constant = n->kids[1]->op == NODE_CONSTANT && n->kids[1]->constant.kind == CEL_STRING;
    uint64_t old = constant && n->kids[1]->constant.len > 0 ? n->kids[1]->constant.len : 1;
    return plus(text, times(plus(text / old, 1), kid_size(e, n, 2)));
}

static uint64_t range_size(const struct estimator *e, const struct cel_node *n)
{
    const struct cel_node *count = n->kids[0];
    bool constant = count->op == NODE_CONSTANT && count->constant.kind == CEL_INT;
    return !constant                     ? e->assumed
           : count->constant.integer < 0 ? 0
                                         : (uint64_t)count->constant.integer;
}

/* An element of a list of lists or texts. */
static uint64_t item_size(const struct estimator *e, const struct cel_node *n)
{
    const struct cel_type *t = n->type;
    return t->kind == CEL_LIST && t->item != NULL ? size_of(e, t->item) : e->assumed;
}

static struct estimate grown(const struct estimator *e, const struct cel_node *n,
                             struct estimate all)
{
    size_t i = 0;
    while (i < sizeof growths / sizeof growths[0] && !named(n, growths[i].name)) {
        i++;
    }
    uint64_t steps = all.pass;
    uint64_t size = all.size;
    switch (i < sizeof growths / sizeof growths[0] ? growths[i].how : GROW_SAME) {
    case GROW_SAME:
        break;
    case GROW_PRODUCT:
        steps = times(kid_size(e, n, 0), plus(2, times(2, kid_size(e, n, n->count > 1 ? 1 : 0))));
        break;
    case GROW_REPLACE:
        size = replaced_size(e, n);
        steps = plus(all.pass, size / 8);
        break;
    case GROW_JOIN:
        size = plus(all.size, times(plus(kid_size(e, n, n->count - 1), kid_size(e, n, 0)),
                                    plus(item_size(e, n->kids[0]), kid_size(e, n, n->count - 1))));
        steps = plus(all.pass, size / 8);
        break;
    case GROW_FLATTEN:
        size = times(all.size, item_size(e, n->kids[0]));
        steps = times(size, 6);
        break;
    case GROW_RANGE:
        size = range_size(e, n);
        steps = times(size, 3);
        break;
    }
    return (struct estimate){plus(all.steps, steps), size, 0};
}

static struct estimate of_call(const struct estimator *e, const struct cel_node *n)
{
    if (named(n, "_+_")) {
        return of_sum(e, n);
    }
    if (named(n, "matches")) {
        return of_matches(e, n);
    }
    struct estimate result = grown(e, n, of_kids(e, n));
    if (n->op == NODE_INDEX || named(n, "value") || named(n, "orValue")) {
        result.size = size_of(e, n->type);
    }
    return result;
}

static struct estimate of_loop(const struct estimator *e, const struct cel_node *n)
{
    struct estimate range = estimate(e, n->kids[0]);
    uint64_t body = 3;
    uint64_t item = 1;
    for (uint32_t i = 1; i < n->count; i++) {
        struct estimate kid = estimate(e, n->kids[i]);
        body = plus(body, kid.steps);
        item = kid.size;
    }
    struct estimate result = {plus(range.steps, times(range.size, body)), range.size, 0};
    if (n->loop == LOOP_TO_MAP_ENTRY) {
        result.size = times(range.size, item);
    } else if (n->loop == LOOP_SORT) {
        /* Comparisons: count times its logarithm, of which 32 is no less. */
        result.steps = plus(result.steps, times(range.size, 32));
    }
    return result;
}

static struct estimate of_if(const struct estimator *e, const struct cel_node *n)
{
    struct estimate yes = estimate(e, n->kids[1]);
    struct estimate no = estimate(e, n->kids[2]);
    uint64_t steps = yes.steps > no.steps ? yes.steps : no.steps;
    return (struct estimate){plus(1, plus(estimate(e, n->kids[0]).steps, steps)),
                             yes.size > no.size ? yes.size : no.size, 0};
}

static struct estimate of_node(const struct estimator *e, const struct cel_node *n)
{
    struct estimate r;
    switch ((enum node_op)n->op) {
    case NODE_CONSTANT:
        return of_constant(n);
    case NODE_CALL:
    case NODE_INDEX:
        return of_call(e, n);
    case NODE_LIST:
    case NODE_MAP:
        r = of_kids(e, n);
        return (struct estimate){plus(r.steps, times(n->count, 2)),
                                 n->op == NODE_MAP ? n->count / 2 : n->count, 0};
    case NODE_LOOP:
        return of_loop(e, n);
    case NODE_IF:
        return of_if(e, n);
    case NODE_LAZY:
        r = estimate(e, n->init);
        return (struct estimate){1, r.size, 0};
    case NODE_BIND:
        r = of_kids(e, n);
        return (struct estimate){r.steps, estimate(e, n->kids[n->count - 1]).size, 0};
    default:
        r = of_kids(e, n);
        return (struct estimate){plus(r.steps, 1), size_of(e, n->type), 0};
    }
}

static struct estimate estimate(const struct estimator *e, const struct cel_node *n)
{
    struct estimate *known = &e->known[n->id];
    if (known->steps == 0) {
        *known = of_node(e, n);
    }
    return *known;
}

bool cel_estimate(struct compiler *c, const struct cel_node *root)
{
    uint32_t assumed = c->options->size_assumed;
    struct estimator e = {.assumed = assumed == 0 ? CEL_SIZE_ASSUMED : assumed,
                          .known = arena_array(c->arena, c->program->nodes, sizeof *e.known)};
    if (e.known == NULL) {
        return compile_memory(c);
    }
    c->program->cost = estimate(&e, root).steps;
    return true;
}
