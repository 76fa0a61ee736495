/*
 * otlp/inflate - gzip, by zlib: into a buffer that grows to what is allowed and no further.
 */
#include "otlp/otlp.h"

#include "base/buf.h"

#include <zlib.h>

#define GZIP_ONLY (16 + MAX_WBITS)
#define STEP_BYTES ((size_t)64 << 10)

static enum rc unpack(z_stream *z, struct buf *out, struct err *e)
{
    int status = Z_OK;
    while (status != Z_STREAM_END) {
        char *room = buf_reserve(out, STEP_BYTES);
        if (room == NULL) {
            return err_set(e, out->rc, "more than %zu bytes when unpacked", out->max - STEP_BYTES);
        }
        z->next_out = (unsigned char *)room;
        z->avail_out = STEP_BYTES;
        status = inflate(z, Z_NO_FLUSH);
        buf_grown(out, STEP_BYTES - z->avail_out);
        if (status != Z_OK && status != Z_STREAM_END) {
            return err_set(e, RC_INVALID, "the body is not whole gzip");
        }
    }
    return z->avail_in == 0 ? RC_OK : err_set(e, RC_INVALID, "there is something behind the gzip body");
}

enum rc otlp_inflate(struct arena *a, struct str packed, size_t max_bytes, struct str *ret, struct err *e)
{
    z_stream z = {0};
    if (packed.len > UINT32_MAX || inflateInit2(&z, GZIP_ONLY) != Z_OK) {
        return err_set(e, RC_NO_MEMORY, "out of memory");
    }
    z.next_in = (z_const unsigned char *)(uintptr_t)packed.ptr;
    z.avail_in = (unsigned)packed.len;
    struct buf out;
    buf_init(&out, max_bytes + STEP_BYTES);
    enum rc rc = unpack(&z, &out, e);
    if (rc == RC_OK && out.len > max_bytes) {
        rc = err_set(e, RC_LIMIT, "more than %zu bytes when unpacked", max_bytes);
    }
    *ret = rc == RC_OK ? arena_str(a, buf_view(&out)) : STR("");
    rc = rc == RC_OK && arena_rc(a) != RC_OK ? err_set(e, arena_rc(a), "the body is too large") : rc;
    buf_done(&out);
    inflateEnd(&z);
    return rc;
}
