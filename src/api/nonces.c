#include "api/nonces.h"

#include "base/map.h"
#include "base/must.h"
#include "crypto/crypto.h"
#include "sys/random.h"

#include <stdlib.h>

struct nonce_row {
    struct digest digest;
    int64_t until_s;
};

/* All are kept equally long, so the oldest are the first to go: a ring. */
struct nonces {
    struct nonce_row *rows;
    struct strmap index;
    int64_t keep_s;
    uint32_t first;
    uint32_t count;
};

struct nonces *nonces_new(int64_t keep_s)
{
    struct nonces *n = calloc(1, sizeof *n);
    if (n == NULL) {
        return NULL;
    }
    n->rows = calloc(NONCES_MAX, sizeof *n->rows);
    if (n->rows == NULL) {
        free(n);
        return NULL;
    }
    uint64_t seed;
    random_bytes(&seed, sizeof seed);
    strmap_init(&n->index, seed);
    n->keep_s = keep_s;
    return n;
}

void nonces_free(struct nonces *n)
{
    if (n != NULL) {
        strmap_done(&n->index);
        free(n->rows);
        free(n);
    }
}

static struct str key_of(const struct nonce_row *row)
{
    return (struct str){(const char *)row->digest.bytes, sizeof row->digest.bytes};
}

/* A keyid holds no NUL: structured fields are printable. */
static struct digest digest_of(struct str keyid, struct str nonce)
{
    const struct str parts[] = {keyid, {"", 1}, nonce};
    return sha256_parts(parts, 3);
}

static void forget_old(struct nonces *n, int64_t now_s)
{
    while (n->count > 0 && n->rows[n->first].until_s < now_s) {
        strmap_remove(&n->index, key_of(&n->rows[n->first]));
        n->first = (n->first + 1) % NONCES_MAX;
        n->count--;
    }
}

bool nonces_seen(struct nonces *n, struct str keyid, struct str nonce, int64_t now_s)
{
    forget_old(n, now_s);
    struct digest digest = digest_of(keyid, nonce);
    return strmap_get(&n->index, (struct str){(const char *)digest.bytes, sizeof digest.bytes}) != MAP_NONE;
}

enum rc nonces_take(struct nonces *n, struct str keyid, struct str nonce, int64_t now_s, struct err *e)
{
    if (nonces_seen(n, keyid, nonce, now_s)) {
        return err_set(e, RC_DENIED, "the nonce was used before");
    }
    if (n->count == NONCES_MAX) {
        return err_set(e, RC_LIMIT, "%d nonces are remembered: that is the limit", NONCES_MAX);
    }
    uint32_t at = (n->first + n->count) % NONCES_MAX;
    n->rows[at] = (struct nonce_row){digest_of(keyid, nonce), now_s + n->keep_s};
    enum rc rc = strmap_put(&n->index, key_of(&n->rows[at]), at);
    if (rc != RC_OK) {
        return err_set(e, rc, "out of memory");
    }
    n->count++;
    must(n->count <= NONCES_MAX);
    return RC_OK;
}
