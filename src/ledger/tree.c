#include "ledger/ledger_internal.h"

#include "base/must.h"

#include <inttypes.h>
#include <string.h>

struct digest ledger_body_digest(const uint8_t salt[static ENTRY_SALT_LEN], struct str body)
{
    struct str parts[] = {{(const char *)salt, ENTRY_SALT_LEN}, body};
    return sha256_parts(parts, 2);
}

enum rc ledger_check_body(const struct entry *entry, const uint8_t salt[static ENTRY_SALT_LEN],
                          struct str body, struct err *e)
{
    struct digest got = ledger_body_digest(salt, body);
    if (memcmp(got.bytes, entry->body_digest, sizeof got.bytes) != 0) {
        return err_set(e, RC_CORRUPT, "entry %" PRIu64 ": its body is not the one it was sealed with", entry->seq);
    }
    return RC_OK;
}

struct digest ledger_leaf_hash(struct str header)
{
    struct str parts[] = {{"\0", 1}, header};
    return sha256_parts(parts, 2);
}

struct digest ledger_node_hash(const struct digest *left, const struct digest *right)
{
    char bytes[1 + 2 * SHA256_LEN];
    bytes[0] = 1;
    memcpy(bytes + 1, left->bytes, SHA256_LEN);
    memcpy(bytes + 1 + SHA256_LEN, right->bytes, SHA256_LEN);
    return sha256((struct str){bytes, sizeof bytes});
}

struct digest ledger_empty_root(void)
{
    return sha256(STR(""));
}

struct digest perfect_root(const struct digest *hashes, unsigned count)
{
    must(count > 0 && count <= TILE_WIDTH && (count & (count - 1)) == 0);
    if (count == 1) {
        return hashes[0];
    }
    struct digest row[TILE_WIDTH / 2];
    for (unsigned i = 0; i < count / 2; i++) {
        row[i] = ledger_node_hash(&hashes[2 * i], &hashes[2 * i + 1]);
    }
    for (unsigned n = count / 2; n > 1; n /= 2) {
        for (unsigned i = 0; i < n / 2; i++) {
            row[i] = ledger_node_hash(&row[2 * i], &row[2 * i + 1]);
        }
    }
    /* cppcheck-suppress uninitvar ; the loop above ran, for count is at least 2 */
    return row[0];
}

void tree_init(struct tree *t)
{
    memset(t, 0, sizeof *t);
}

/* Hands out the level's full tile and gives its root. */
static struct digest tile_out(struct tree *t, unsigned level, tree_tile_fn on_full, void *context)
{
    struct tile tile = {.level = level, .index = (t->size >> (8 * level) >> 8) - 1};
    memcpy(tile.hashes, t->edge[level], sizeof tile.hashes);
    tile.root = perfect_root(tile.hashes, TILE_WIDTH);
    t->edge_count[level] = 0;
    if (on_full != NULL) {
        on_full(context, &tile);
    }
    return tile.root;
}

void tree_append(struct tree *t, const struct digest *leaf, tree_tile_fn on_full, void *context)
{
    must(t->size < UINT64_MAX);
    t->size++;
    struct digest hash = *leaf;
    for (unsigned level = 0; level < TILE_LEVELS_MAX; level++) {
        must(t->edge_count[level] < TILE_WIDTH);
        t->edge[level][t->edge_count[level]++] = hash;
        if (t->edge_count[level] < TILE_WIDTH) {
            return;
        }
        hash = tile_out(t, level, on_full, context);
    }
}

struct digest tree_root(const struct tree *t)
{
    if (t->size == 0) {
        return ledger_empty_root();
    }
    /* From the right: the perfect subtrees of the size's binary digits, smallest first. */
    struct digest root;
    bool any = false;
    for (unsigned level = 0; level < TILE_LEVELS_MAX; level++) {
        unsigned left = t->edge_count[level];
        must(left < TILE_WIDTH);
        for (unsigned width = 1; left > 0; width *= 2) {
            if ((left & width) == 0) {
                continue;
            }
            left -= width;
            struct digest peak = perfect_root(&t->edge[level][left], width);
            root = any ? ledger_node_hash(&peak, &root) : peak;
            any = true;
        }
    }
    must(any);
    return root;
}
