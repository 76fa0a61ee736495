#include "ledger/ledger_internal.h"

#include "base/must.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* --- paths ------------------------------------------------------------------------------------- */

/* "x001/x234/067": groups of three digits, all but the last marked. */
static void put_index(uint64_t index, char *out, size_t size)
{
    char text[48];
    size_t first = sizeof text;
    text[--first] = '\0';
    bool last = true;
    do {
        char group[8];
        int len = snprintf(group, sizeof group, last ? "%03u" : "x%03u/", (unsigned)(index % 1000));
        first -= (size_t)len;
        memcpy(text + first, group, (size_t)len);
        index /= 1000;
        last = false;
    } while (index > 0);
    must(strlen(text + first) < size);
    snprintf(out, size, "%s", text + first);
}

void tile_path(unsigned level, uint64_t index, unsigned width, char *out, size_t size)
{
    must(level < TILE_LEVELS_MAX || level == TILE_ENTRIES);
    must(width > 0 && width <= TILE_WIDTH);
    char number[48];
    put_index(index, number, sizeof number);
    char level_text[16] = "entries";
    if (level != TILE_ENTRIES) {
        snprintf(level_text, sizeof level_text, "%u", level);
    }
    int len = width == TILE_WIDTH ? snprintf(out, size, "tile/%s/%s", level_text, number)
                                  : snprintf(out, size, "tile/%s/%s.p/%u", level_text, number, width);
    must(len > 0 && (size_t)len < size);
}

static bool level_parse(struct str text, unsigned *ret)
{
    if (str_eq(text, STR("entries"))) {
        *ret = TILE_ENTRIES;
        return true;
    }
    if (text.len != 1 || text.ptr[0] < '0' || text.ptr[0] >= '0' + TILE_LEVELS_MAX) {
        return false;
    }
    *ret = (unsigned)(text.ptr[0] - '0');
    return true;
}

/* Reads the groups without minding their marks: the caller compares with the canonical path. */
static bool index_parse(struct str text, uint64_t *ret)
{
    uint64_t index = 0;
    struct str group;
    while (str_next(&text, '/', &group)) {
        uint64_t n;
        if (group.len == 0 || !str_to_u64(group.ptr[0] == 'x' ? str_slice(group, 1, group.len) : group, &n) ||
            n > 999 || __builtin_mul_overflow(index, (uint64_t)1000, &index) ||
            __builtin_add_overflow(index, n, &index)) {
            return false;
        }
    }
    *ret = index;
    return true;
}

static bool path_parse(struct str path, unsigned *level, uint64_t *index, unsigned *width)
{
    struct str rest = path;
    struct str part;
    if (path.len >= TILE_PATH_MAX || !str_next(&rest, '/', &part) || !str_eq(part, STR("tile")) ||
        !str_next(&rest, '/', &part) || !level_parse(part, level)) {
        return false;
    }
    uint64_t partial = TILE_WIDTH;
    for (size_t i = 0; i + 3 < rest.len; i++) {
        if (memcmp(rest.ptr + i, ".p/", 3) == 0) {
            if (!str_to_u64(str_slice(rest, i + 3, rest.len), &partial) || partial == 0 ||
                partial >= TILE_WIDTH) {
                return false;
            }
            rest = str_slice(rest, 0, i);
            break;
        }
    }
    *width = (unsigned)partial;
    return index_parse(rest, index);
}

enum rc tile_path_parse(struct str path, unsigned *ret_level, uint64_t *ret_index, unsigned *ret_width,
                        struct err *e)
{
    unsigned level = 0;
    uint64_t index = 0;
    unsigned width = 0;
    char canonical[TILE_PATH_MAX] = "";
    if (path_parse(path, &level, &index, &width)) {
        tile_path(level, index, width, canonical, sizeof canonical);
    }
    if (path.len == 0 || !str_eq(path, str_from(canonical))) {
        return err_set(e, RC_INVALID, "not a tile path, such as tile/0/x001/067 or tile/0/000.p/9");
    }
    *ret_level = level;
    *ret_index = index;
    *ret_width = width;
    return RC_OK;
}

/* --- subtrees ---------------------------------------------------------------------------------- */

/* Reads nodes of the tree and keeps the tile it read last: neighbours of a proof share tiles. */
struct reader {
    tile_read_fn read;
    void *context;
    unsigned level;
    uint64_t index;
    unsigned count; /* 0: nothing read yet */
    struct digest hashes[TILE_WIDTH];
};

uint64_t split_below(uint64_t n)
{
    must(n >= 2);
    return (uint64_t)1 << (63 - __builtin_clzll(n - 1));
}

/* The perfect subtree over the size leaves from first on; first is a multiple of size. */
static enum rc read_perfect(struct reader *r, uint64_t first, uint64_t size, struct digest *ret,
                            struct err *e)
{
    unsigned bits = (unsigned)__builtin_ctzll(size);
    unsigned level = bits / 8;
    unsigned width = 1U << bits % 8;
    uint64_t at = first >> (8 * level);
    uint64_t index = at / TILE_WIDTH;
    unsigned offset = (unsigned)(at % TILE_WIDTH);
    unsigned count = offset + width;
    if (r->count < count || r->level != level || r->index != index) {
        r->count = 0;
        enum rc rc = r->read(r->context, level, index, count, r->hashes, e);
        if (rc != RC_OK) {
            return rc;
        }
        r->level = level;
        r->index = index;
        r->count = count;
    }
    *ret = perfect_root(r->hashes + offset, width);
    return RC_OK;
}

/* The subtree over leaves first to end: perfect ones from the left, folded from the right. */
static enum rc read_range(struct reader *r, uint64_t first, uint64_t end, struct digest *ret, struct err *e)
{
    struct digest peaks[TREE_HASHES_MAX];
    unsigned count = 0;
    while (first < end) {
        uint64_t left = end - first;
        uint64_t size = left == 1 ? 1 : split_below(left);
        size = size * 2 == left ? left : size;
        enum rc rc = read_perfect(r, first, size, &peaks[count], e);
        if (rc != RC_OK) {
            return rc;
        }
        count++;
        first += size;
    }
    must(count > 0);
    /* cppcheck-suppress uninitvar ; count says that there is one */
    *ret = peaks[--count];
    while (count > 0) {
        *ret = ledger_node_hash(&peaks[--count], ret);
    }
    return RC_OK;
}

enum rc tiles_root(tile_read_fn read, void *context, uint64_t size, struct digest *ret, struct err *e)
{
    if (size == 0) {
        *ret = ledger_empty_root();
        return RC_OK;
    }
    struct reader r = {.read = read, .context = context};
    return read_range(&r, 0, size, ret, e);
}

/* --- proofs from tiles -------------------------------------------------------------------------- */

static void proof_reverse(struct proof *p)
{
    for (unsigned i = 0; i < p->count / 2; i++) {
        struct digest swap = p->hashes[i];
        p->hashes[i] = p->hashes[p->count - 1 - i];
        p->hashes[p->count - 1 - i] = swap;
    }
}

static enum rc proof_add(struct proof *p, struct reader *r, uint64_t first, uint64_t end, struct err *e)
{
    must(p->count < TREE_HASHES_MAX);
    enum rc rc = read_range(r, first, end, &p->hashes[p->count], e);
    p->count += rc == RC_OK ? 1 : 0;
    return rc;
}

enum rc tiles_inclusion(tile_read_fn read, void *context, uint64_t index, uint64_t size, struct proof *ret,
                        struct err *e)
{
    if (index >= size) {
        return err_set(e, RC_NOT_FOUND, "entry %" PRIu64 " is not in a log of %" PRIu64, index, size);
    }
    struct reader r = {.read = read, .context = context};
    struct proof p = {.count = 0};
    uint64_t first = 0;
    uint64_t end = size;
    /* From the root down; the sibling of each step, turned around at the end. */
    while (end - first > 1) {
        uint64_t middle = first + split_below(end - first);
        bool left = index < middle;
        enum rc rc = left ? proof_add(&p, &r, middle, end, e) : proof_add(&p, &r, first, middle, e);
        if (rc != RC_OK) {
            return rc;
        }
        first = left ? first : middle;
        end = left ? middle : end;
    }
    proof_reverse(&p);
    *ret = p;
    return RC_OK;
}

enum rc tiles_consistency(tile_read_fn read, void *context, uint64_t old_size, uint64_t size,
                          struct proof *ret, struct err *e)
{
    if (old_size > size) {
        return err_set(e, RC_INVALID, "the old size %" PRIu64 " is beyond the log's %" PRIu64, old_size, size);
    }
    struct proof p = {.count = 0};
    if (old_size == 0 || old_size == size) {
        *ret = p;
        return RC_OK;
    }
    struct reader r = {.read = read, .context = context};
    uint64_t first = 0;
    uint64_t end = size;
    while (end != old_size) {
        uint64_t middle = first + split_below(end - first);
        bool left = old_size <= middle;
        enum rc rc = left ? proof_add(&p, &r, middle, end, e) : proof_add(&p, &r, first, middle, e);
        if (rc != RC_OK) {
            return rc;
        }
        first = left ? first : middle;
        end = left ? middle : end;
    }
    /* The verifier knows the old root itself; any smaller subtree it has to be told. */
    enum rc rc = first > 0 ? proof_add(&p, &r, first, end, e) : RC_OK;
    if (rc != RC_OK) {
        return rc;
    }
    proof_reverse(&p);
    *ret = p;
    return RC_OK;
}
