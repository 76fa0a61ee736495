/* ledger: tree heads as signed notes. Source: c2sp.org/tlog-checkpoint. */
#include "ledger/ledger.h"

#include "base/encode.h"
#include "base/must.h"
#include "ledger/note.h"

#include <inttypes.h>

void checkpoint_write(struct buf *out, const struct checkpoint *c, const struct signing_key *key)
{
    must(origin_check(c->origin, NULL) == RC_OK);
    CLEANUP(buf) struct buf text;
    buf_init(&text, CHECKPOINT_MAX);
    buf_str(&text, c->origin);
    buf_printf(&text, "\n%" PRIu64 "\n", c->size);
    buf_base64(&text, c->root.bytes, sizeof c->root.bytes);
    buf_char(&text, '\n');
    if (text.rc != RC_OK) {
        out->rc = text.rc;
        return;
    }
    note_sign(out, buf_view(&text), c->origin, key);
}

static bool size_parse(struct str text, uint64_t *ret)
{
    return str_to_u64(text, ret) && (text.len == 1 || text.ptr[0] != '0');
}

enum rc checkpoint_open(struct str note, const struct vkey *key, struct checkpoint *ret, struct err *e)
{
    struct str text = {NULL, 0};
    enum rc rc = note_open(note, key, &text, e);
    if (rc != RC_OK) {
        return err_wrap(e, rc, "checkpoint");
    }
    struct checkpoint c = {0};
    struct str size = {NULL, 0};
    struct str root = {NULL, 0};
    size_t len = 0;
    /* Lines after the third are extensions, which the specification tells readers to pass over. */
    if (!str_next(&text, '\n', &c.origin) || !str_next(&text, '\n', &size) || !str_next(&text, '\n', &root) ||
        !size_parse(size, &c.size) || !base64_decode(root, c.root.bytes, sizeof c.root.bytes, &len) ||
        len != sizeof c.root.bytes) {
        return err_set(e, RC_INVALID, "checkpoint: not an origin, a size and a root");
    }
    if (!str_eq(c.origin, key->origin)) {
        return err_set(e, RC_DENIED, "checkpoint: it is of another log than %.*s", STR_ARG(key->origin));
    }
    *ret = c;
    return RC_OK;
}
