/* store/writer: making checkpoints, and holding the log against those it made before. */
#include "store/writer_internal.h"

#include "sys/file.h"

#include <inttypes.h>
#include <string.h>

static struct str origin_of(const struct worker *w)
{
    return (struct str){w->origin, w->origin_len};
}

static void publish(struct worker *w, struct str note)
{
    pthread_mutex_lock(&w->shared->mutex);
    memcpy(w->shared->note, note.ptr, note.len);
    w->shared->note_len = note.len;
    pthread_mutex_unlock(&w->shared->mutex);
}

enum rc worker_sign(struct worker *w, struct err *e)
{
    if (w->has_checkpoint && w->signed_size == w->tree.size) {
        return RC_OK;
    }
    CLEANUP(buf) struct buf note;
    buf_init(&note, CHECKPOINT_MAX);
    struct checkpoint c = {.origin = origin_of(w), .size = w->tree.size, .root = tree_root(&w->tree)};
    checkpoint_write(&note, &c, w->key);
    if (note.rc != RC_OK) {
        return err_set(e, note.rc, "checkpoint: out of memory");
    }
    /* Durable before anyone can see it: what was published is never taken back. */
    enum rc rc = store_put_checkpoint(w->store, c.size, buf_view(&note), e);
    if (rc != RC_OK) {
        return err_wrap(e, rc, "checkpoint");
    }
    w->has_checkpoint = true;
    w->has_copy = false;
    w->signed_size = c.size;
    publish(w, buf_view(&note));
    return RC_OK;
}

enum rc worker_copy(struct worker *w, struct err *e)
{
    if (w->checkpoint_file == NULL || w->has_copy) {
        return RC_OK;
    }
    /* The thread alone writes the note, so it may read it without the lock. */
    struct str note = {w->shared->note, w->shared->note_len};
    enum rc rc = file_write_atomic(w->checkpoint_file, note, 0644, e);
    w->has_copy = rc == RC_OK;
    return rc == RC_OK ? RC_OK : err_wrap(e, rc, "checkpoint");
}

/* --- at start --------------------------------------------------------------------------------------- */

/* place: where the note came from, for the error. */
static enum rc check_note(struct worker *w, struct str note, const char *place, struct err *e)
{
    struct vkey key;
    uint8_t public_key[ED25519_PUBLIC_LEN];
    signing_key_public(w->key, public_key);
    CLEANUP(buf) struct buf text;
    buf_init(&text, VKEY_MAX);
    vkey_write(&text, origin_of(w), public_key);
    enum rc rc = text.rc == RC_OK ? vkey_parse(buf_view(&text), &key, e) : err_set(e, text.rc, "out of memory");
    if (rc != RC_OK) {
        return rc;
    }
    struct checkpoint c;
    rc = checkpoint_open(note, &key, &c, e);
    if (rc != RC_OK) {
        return err_wrap(e, RC_CORRUPT, "%s", place);
    }
    if (c.size > w->tree.size) {
        return err_set(e, RC_CORRUPT,
                       "%s: it was signed over %" PRIu64 " entries, the ledger has %" PRIu64 ": entries were lost",
                       place, c.size, w->tree.size);
    }
    struct digest root;
    rc = tiles_root(store_tile, w->store, c.size, &root, e);
    if (rc == RC_OK && !digest_eq(&root, &c.root)) {
        rc = err_set(e, RC_CORRUPT, "%s: the ledger's first %" PRIu64 " entries are not the ones that were signed",
                     place, c.size);
    }
    if (rc == RC_OK && (!w->has_checkpoint || c.size > w->signed_size)) {
        w->has_checkpoint = true;
        w->signed_size = c.size;
        publish(w, note);
    }
    return rc;
}

static enum rc check_file(struct worker *w, struct err *e)
{
    CLEANUP(buf) struct buf note;
    buf_init(&note, CHECKPOINT_MAX);
    enum rc rc = w->checkpoint_file == NULL ? RC_NOT_FOUND : file_read(w->checkpoint_file, &note, e);
    if (rc == RC_NOT_FOUND) {
        return RC_OK;
    }
    rc = rc == RC_OK ? check_note(w, buf_view(&note), w->checkpoint_file, e) : rc;
    w->has_copy = rc == RC_OK && w->shared->note_len == note.len &&
                  memcmp(w->shared->note, note.data, note.len) == 0;
    return rc;
}

enum rc worker_check(struct worker *w, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(2 * CHECKPOINT_MAX);
    if (a == NULL) {
        return err_set(e, RC_NO_MEMORY, "out of memory");
    }
    struct str note;
    enum rc rc = store_checkpoint(w->store, a, &note, e);
    if (rc == RC_OK) {
        rc = check_note(w, note, "the ledger's checkpoint", e);
    } else if (rc == RC_NOT_FOUND) {
        rc = RC_OK;
    }
    return rc == RC_OK ? check_file(w, e) : rc;
}
