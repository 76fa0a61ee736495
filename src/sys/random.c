#include "sys/random.h"

#include "base/must.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sys/types.h>

void random_bytes(void *out, size_t len)
{
    uint8_t *at = out;
    while (len > 0) {
        ssize_t n = getrandom(at, len, 0);
        must(n >= 0 || errno == EINTR);
        if (n > 0) {
            at += n;
            len -= (size_t)n;
        }
    }
}

void random_pool_take(struct random_pool *p, void *out, size_t len)
{
    must(len <= sizeof p->bytes);
    if (p->left < len) {
        random_bytes(p->bytes, sizeof p->bytes);
        p->left = sizeof p->bytes;
    }
    p->left -= len;
    memcpy(out, p->bytes + p->left, len);
    explicit_bzero(p->bytes + p->left, len);
}

void random_pool_done(struct random_pool *p)
{
    explicit_bzero(p, sizeof *p);
}
