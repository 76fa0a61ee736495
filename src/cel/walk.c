/* The read-only walk over a program's parts. */
#include "cel/functions.h"

static const char *const loop_names[] = {
    [LOOP_ALL] = "all",
    [LOOP_EXISTS] = "exists",
    [LOOP_EXISTS_ONE] = "exists_one",
    [LOOP_MAP] = "map",
    [LOOP_FILTER] = "filter",
    [LOOP_TO_MAP] = "transformMap",
    [LOOP_TO_MAP_ENTRY] = "transformMapEntry",
    [LOOP_SORT] = "sortBy",
};

static enum cel_part part_of(const struct cel_node *n)
{
    switch ((enum node_op)n->op) {
    case NODE_CONSTANT:
        return CEL_PART_CONSTANT;
    case NODE_VARIABLE:
        return CEL_PART_VARIABLE;
    case NODE_LOCAL:
    case NODE_LAZY:
        return CEL_PART_LOCAL;
    case NODE_SELECT:
        return CEL_PART_FIELD;
    case NODE_PRESENCE:
        return CEL_PART_PRESENCE;
    case NODE_INDEX:
        return CEL_PART_INDEX;
    case NODE_CALL:
    case NODE_AND:
    case NODE_OR:
    case NODE_IF:
        return CEL_PART_CALL;
    case NODE_LIST:
        return CEL_PART_LIST;
    case NODE_MAP:
        return CEL_PART_MAP;
    case NODE_LOOP:
    case NODE_BIND:
    case NODE_OPT_MAP:
        return CEL_PART_MACRO;
    default:
        return CEL_PART_UNKNOWN;
    }
}

struct walker {
    cel_walk_fn *fn;
    void *context;
};

static void walk(const struct walker *w, const struct cel_node *n, uint32_t parent)
{
    struct cel_view v = {.part = part_of(n),
                         .name = n->op == NODE_LOOP ? str_from(loop_names[n->loop]) : n->name,
                         .type = n->type,
                         .class = n->class,
                         .constant = n->op == NODE_CONSTANT ? &n->constant : NULL,
                         .slot = n->slot,
                         .step = n->id,
                         .parent = parent,
                         .from = n->from,
                         .to = n->to};
    w->fn(w->context, &v);
    for (uint32_t i = 0; i < n->count; i++) {
        walk(w, n->kids[i], n->id);
    }
}

void cel_walk(const struct cel_program *p, cel_walk_fn *fn, void *context)
{
    struct walker w = {.fn = fn, .context = context};
    walk(&w, p->root, p->root->id);
}
