/*
 * cli/restore - from a backup to a ledger in its place.
 *
 * The copy is made inside the data folder under another name and judged there: by our key, by the checkpoint that was
 * taken with it, and by the newest one that was kept in the second place. Only then it gets its name.
 */
#include "cli/backup.h"

#include "base/instant.h"
#include "control/restore.h"
#include "server/folder.h"
#include "server/ports.h"
#include "store/store.h"
#include "sys/clock.h"
#include "value/json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct restore {
    const struct restore_options *o;
    struct restored *ret;
    struct arena *a;
    struct signing_key *key;
    struct file_lock *lock;
    char ledger[FILE_PATH_MAX];
    char copy[FILE_PATH_MAX];
    char taken[FILE_PATH_MAX];  /* the checkpoint that was taken with the backup */
    char second[FILE_PATH_MAX]; /* the second place */
    struct str key_text;        /* our key under the log's name */
    struct str note;            /* in the second place; empty: none */
};

static enum rc name_files(struct restore *r, struct err *e)
{
    const struct restore_options *o = r->o;
    const char *second = o->checkpoint_file == NULL ? "" : o->checkpoint_file;
    if (strlen(o->data) > BACKUP_NAME_MAX || strlen(o->from) > BACKUP_NAME_MAX || strlen(second) > BACKUP_NAME_MAX) {
        return err_set(e, RC_INVALID, "a name has more than %d bytes", BACKUP_NAME_MAX);
    }
    int data_len = (int)strlen(o->data);
    while (data_len > 1 && o->data[data_len - 1] == '/') {
        data_len--;
    }
    folder_path(o->data, "ledger.db", r->ledger);
    folder_path(o->data, "ledger.restoring", r->copy);
    snprintf(r->taken, sizeof r->taken, "%.4000s.checkpoint", o->from);
    if (o->checkpoint_file == NULL) {
        snprintf(r->second, sizeof r->second, "%.*s.checkpoint", data_len, o->data);
    } else {
        snprintf(r->second, sizeof r->second, "%.4000s", second);
    }
    return RC_OK;
}

/* A log that another ledger left would be taken for this one's. */
static enum rc has_no_ledger(const struct restore *r, struct err *e)
{
    static const char *const names[] = {"ledger.db", "ledger.db-wal", "ledger.db-journal"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[FILE_PATH_MAX];
        folder_path(r->o->data, names[i], path);
        if (file_exists(path)) {
            return err_set(e, RC_CONFLICT, "%s: exists; move the old ledger away first", path);
        }
    }
    return RC_OK;
}

static enum rc prepare(struct restore *r, struct err *e)
{
    enum rc rc = name_files(r, e);
    rc = rc == RC_OK ? has_no_ledger(r, e) : rc;
    rc = rc == RC_OK && r->o->keys != NULL ? folder_take_keys(r->o->data, r->o->keys, e) : rc;
    return rc == RC_OK ? folder_open(r->o->data, &r->lock, &r->key, e) : rc;
}

/* --- the copy and its judges ------------------------------------------------------------------------ */

static enum rc copy_in(struct restore *r, struct err *e)
{
    struct store *s = NULL;
    store_remove(r->copy); /* of a restore that was ended */
    enum rc rc = store_open(r->o->from, STORE_READ, &s, e);
    rc = rc == RC_OK ? store_copy(s, r->copy, e) : rc;
    store_close(s);
    return rc;
}

/* The log must say that it is signed by the key that we have. */
static enum rc check_key(struct restore *r, struct store *s, struct err *e)
{
    struct stored first;
    struct value body;
    uint8_t public_key[ED25519_PUBLIC_LEN];
    enum rc rc = store_read(s, r->a, 0, &first, e);
    rc = rc == RC_OK ? json_parse(r->a, first.body, &body, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    signing_key_public(r->key, public_key);
    CLEANUP(buf) struct buf text;
    buf_init(&text, VKEY_MAX);
    vkey_write(&text, value_text(value_get(&body, STR("origin"))), public_key);
    if (text.rc != RC_OK || !str_eq(buf_view(&text), value_text(value_get(&body, STR("vkey"))))) {
        return err_set(e, RC_DENIED, "%s: its entries are signed by another key than %s/keys/ledger.key", r->o->from,
                       r->o->data);
    }
    r->key_text = arena_str(r->a, buf_view(&text));
    return RC_OK;
}

static enum rc read_second(struct restore *r, struct err *e)
{
    CLEANUP(buf) struct buf text;
    buf_init(&text, CHECKPOINT_MAX);
    enum rc rc = file_read(r->second, &text, e);
    r->note = rc == RC_OK ? arena_str(r->a, buf_view(&text)) : STR("");
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

/* Sets ret->lost when the second place knows of more than the copy has, or of nothing. */
static enum rc check_second(struct restore *r, struct store *s, struct err *e)
{
    struct vkey key;
    struct checkpoint c;
    struct digest root;
    enum rc rc = read_second(r, e);
    if (rc != RC_OK || r->note.len == 0) {
        r->ret->lost = true;
        return rc;
    }
    rc = vkey_parse(r->key_text, &key, e);
    rc = rc == RC_OK ? checkpoint_open(r->note, &key, &c, e) : rc;
    if (rc != RC_OK) {
        return err_wrap(e, rc, "%s", r->second);
    }
    r->ret->signed_size = c.size;
    r->ret->lost = c.size > r->ret->entries;
    if (r->ret->lost) {
        return RC_OK;
    }
    rc = tiles_root(store_tile, s, c.size, &root, e);
    if (rc == RC_OK && !digest_eq(&root, &c.root)) {
        rc = err_set(e, RC_CORRUPT, "%s: the backup's first %" PRIu64 " entries are not the ones that were signed",
                     r->second, c.size);
    }
    return rc;
}

static enum rc check_copy(struct restore *r, struct err *e)
{
    struct store *s = NULL;
    struct verify_result verified;
    enum rc rc = store_open(r->copy, STORE_READ, &s, e);
    rc = rc == RC_OK ? check_key(r, s, e) : rc;
    struct verify_options verify = {.ledger = r->copy, .against = r->taken, .key = r->key_text.ptr};
    rc = rc == RC_OK ? verify_folder(&verify, &verified, e) : rc;
    if (rc == RC_OK) {
        r->ret->entries = verified.entries;
        rc = check_second(r, s, e);
    }
    store_close(s);
    return rc;
}

static enum rc may_lose(const struct restore *r, struct err *e)
{
    if (!r->ret->lost || r->o->accept_loss) {
        return RC_OK;
    }
    if (r->note.len == 0) {
        return err_set(e, RC_CONFLICT, "%s: there is no checkpoint, so nobody can tell what was lost; name the "
                       "server's with --checkpoint-file, or accept the loss", r->second);
    }
    return err_set(e, RC_CONFLICT, "%s: it was signed over %" PRIu64 " entries, the backup has %" PRIu64
                   ": entries would be lost; use a newer backup, or accept the loss",
                   r->second, r->ret->signed_size, r->ret->entries);
}

/* --- in its place --------------------------------------------------------------------------------------- */

static void nobody(void *context)
{
    (void)context; /* nothing waits on this loop: control is stopped right after */
}

static enum rc say_loss(struct restore *r, struct err *e)
{
    struct server_ports ports = {0};
    struct control_options options = {
        .folder = r->o->data, .key = r->key, .ports = server_ports(&ports), .wake = nobody};
    struct control *control = NULL;
    enum rc rc = control_start(&options, &control, e);
    if (rc != RC_OK) {
        return rc;
    }
    struct loss loss = {.reason = str_from(r->o->reason), .checkpoint = r->note};
    rc = control_restored(control, r->a, &loss, e);
    control_stop(control); /* writes what waits, and signs */
    return rc;
}

/* Of an old note nothing is thrown away: it shows what was signed. */
static enum rc begin_checkpoints(struct restore *r, struct err *e)
{
    struct store *s = NULL;
    struct str note;
    uint64_t size = 0;
    enum rc rc = store_open(r->ledger, STORE_READ, &s, e);
    rc = rc == RC_OK ? store_size(s, &size, e) : rc;
    rc = rc == RC_OK ? store_checkpoint(s, r->a, &note, e) : rc;
    store_close(s);
    if (rc == RC_OK && size != r->ret->entries + 1) {
        return err_set(e, RC_UNAVAILABLE, "the ledger could not be written");
    }
    if (rc == RC_OK && r->note.len > 0) {
        char at[INSTANT_TEXT_LEN];
        instant_format(clock_wall_ms(), at);
        snprintf(r->ret->kept, sizeof r->ret->kept, "%.4000s.%.*s", r->second, INSTANT_TEXT_LEN, at);
        if (rename(r->second, r->ret->kept) != 0) {
            char reason[96];
            return err_set(e, RC_UNAVAILABLE, "%s: can't rename: %s", r->second,
                           strerror_r(errno, reason, sizeof reason));
        }
    }
    return rc == RC_OK ? file_write_atomic(r->second, note, 0644, e) : rc;
}

static enum rc put_in_place(struct restore *r, struct err *e)
{
    enum rc rc = store_adopt(r->copy, e);
    if (rc == RC_OK && rename(r->copy, r->ledger) != 0) {
        char reason[96];
        rc = err_set(e, RC_UNAVAILABLE, "%s: can't rename into place: %s", r->ledger,
                     strerror_r(errno, reason, sizeof reason));
    }
    if (rc != RC_OK) {
        return rc;
    }
    rc = folder_sync(r->ledger, e);
    if (r->ret->lost) {
        rc = rc == RC_OK ? say_loss(r, e) : rc;
        rc = rc == RC_OK ? begin_checkpoints(r, e) : rc;
    }
    if (rc != RC_OK) {
        store_remove(r->ledger);
    }
    return rc;
}

enum rc restore_run(const struct restore_options *o, struct restored *ret, struct err *e)
{
    *ret = (struct restored){0};
    CLEANUP(arena) struct arena *a = arena_new(64 << 20);
    struct restore r = {.o = o, .ret = ret, .a = a};
    enum rc rc = a == NULL ? err_set(e, RC_NO_MEMORY, "out of memory") : prepare(&r, e);
    if (rc == RC_OK) {
        rc = copy_in(&r, e);
        rc = rc == RC_OK ? check_copy(&r, e) : rc;
        rc = rc == RC_OK ? may_lose(&r, e) : rc;
        rc = rc == RC_OK ? put_in_place(&r, e) : rc;
        store_remove(r.copy);
    }
    if (rc == RC_OK) {
        folder_make_ballast(o->data);
    }
    file_lock_free(r.lock);
    signing_key_free(r.key);
    return rc;
}
