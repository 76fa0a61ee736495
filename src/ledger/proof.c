#include "ledger/ledger_internal.h"

/* Both walk the path of the last leaf up the tree: node is its place in the row, last the row's end. */

static bool is_right_edge(uint64_t node, uint64_t last)
{
    return (node & 1) != 0 || node == last;
}

/* After a step on the right edge: past the rows in which the node has no sibling. */
static void skip_rows(uint64_t *node, uint64_t *last)
{
    while ((*node & 1) == 0 && *node != 0) {
        *node >>= 1;
        *last >>= 1;
    }
}

bool proof_includes(const struct proof *p, const struct digest *leaf, uint64_t index, uint64_t size,
                    const struct digest *root)
{
    if (index >= size || p->count > TREE_HASHES_MAX) {
        return false;
    }
    uint64_t node = index;
    uint64_t last = size - 1;
    struct digest hash = *leaf;
    for (unsigned i = 0; i < p->count; i++) {
        if (last == 0) {
            return false;
        }
        if (is_right_edge(node, last)) {
            hash = ledger_node_hash(&p->hashes[i], &hash);
            skip_rows(&node, &last);
        } else {
            hash = ledger_node_hash(&hash, &p->hashes[i]);
        }
        node >>= 1;
        last >>= 1;
    }
    return last == 0 && digest_eq(&hash, root);
}

/* 0 < old_size < size. first is the hash both sides start from; hashes are the rest. */
static bool extends(const struct proof *p, unsigned from, struct digest first, uint64_t old_size,
                    uint64_t size, const struct digest roots[2])
{
    uint64_t node = old_size - 1;
    uint64_t last = size - 1;
    while ((node & 1) != 0) {
        node >>= 1;
        last >>= 1;
    }
    struct digest old_hash = first;
    struct digest hash = first;
    for (unsigned i = from; i < p->count; i++) {
        if (last == 0) {
            return false;
        }
        if (is_right_edge(node, last)) {
            old_hash = ledger_node_hash(&p->hashes[i], &old_hash);
            hash = ledger_node_hash(&p->hashes[i], &hash);
            skip_rows(&node, &last);
        } else {
            hash = ledger_node_hash(&hash, &p->hashes[i]);
        }
        node >>= 1;
        last >>= 1;
    }
    return last == 0 && digest_eq(&old_hash, &roots[0]) && digest_eq(&hash, &roots[1]);
}

bool proof_extends(const struct proof *p, uint64_t old_size, const struct digest *old_root, uint64_t size,
                   const struct digest *root)
{
    if (old_size > size || p->count > TREE_HASHES_MAX) {
        return false;
    }
    if (old_size == size) {
        return p->count == 0 && digest_eq(old_root, root);
    }
    if (old_size == 0) {
        struct digest empty = ledger_empty_root();
        return p->count == 0 && digest_eq(old_root, &empty);
    }
    struct digest roots[2] = {*old_root, *root};
    if ((old_size & (old_size - 1)) == 0) {
        return extends(p, 0, *old_root, old_size, size, roots);
    }
    return p->count > 0 && extends(p, 1, p->hashes[0], old_size, size, roots);
}
