/*
 * Packing: the parts of a finished program, next to each other in the order in which they are evaluated.
 *
 * The parser and the macros leave them all over the program's memory, between names and types that no evaluation looks
 * at. A policy has hundreds of programs, one run after the other, and what such a run costs is mostly the cache lines that
 * it touches.
 */
#include "cel/node.h"

enum { LINE = 64 }; /* bytes of a cache line; a node is a whole number of them */

_Static_assert(sizeof(struct cel_node) % LINE == 0, "nodes next to each other begin on a line");

struct packing {
    struct cel_node *nodes;
    struct cel_node **kids;
    uint32_t node_count; /* put so far */
    uint32_t kid_count;
};

static uint32_t count_nodes(const struct cel_node *n)
{
    uint32_t count = 1;
    for (uint32_t i = 0; i < n->count; i++) {
        count += count_nodes(n->kids[i]);
    }
    return count;
}

static struct cel_node *pack(struct packing *p, struct cel_node *n)
{
    struct cel_node *copy = &p->nodes[p->node_count++];
    struct cel_node **kids = &p->kids[p->kid_count];
    p->kid_count += n->count;
    *copy = *n;
    copy->kids = kids;
    n->packed = copy;
    for (uint32_t i = 0; i < n->count; i++) {
        kids[i] = pack(p, n->kids[i]);
    }
    return copy;
}

/* The first whole line of memory that has LINE bytes more than are needed. */
static void *line_up(void *memory)
{
    uintptr_t over = (uintptr_t)memory % LINE;
    return (char *)memory + (over == 0 ? 0 : LINE - over);
}

struct cel_node *cel_pack(struct arena *a, struct cel_node *root)
{
    uint32_t count = count_nodes(root);
    char *nodes = arena_alloc(a, sizeof *root * count + LINE);
    struct packing p = {.kids = arena_array(a, count, sizeof(struct cel_node *))};
    if (nodes == NULL || p.kids == NULL) {
        return root; /* slower, and all there */
    }
    p.nodes = line_up(nodes);
    struct cel_node *packed = pack(&p, root);
    must(p.node_count == count && p.kid_count == count - 1);
    for (uint32_t i = 0; i < count; i++) {
        const struct cel_node *init = p.nodes[i].init;
        p.nodes[i].init = init == NULL ? NULL : init->packed;
        must(init == NULL || p.nodes[i].init != NULL);
    }
    return packed;
}
