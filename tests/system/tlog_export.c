/*
 * tests/system/tlog_export - writes a log through the writer and lays it out as a static tlog.
 *
 *     tlog_export FOLDER SIZE [SIZE...]
 *
 * Grows the log to each size in turn; leaves checkpoint, checkpoint.SIZE, tile/... and receipt in
 * FOLDER and prints the verifier key. tlog_check.py looks at what comes out.
 */
#include "base/encode.h"
#include "store/writer.h"
#include "value/json.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define ORIGIN STR("pawl.example/export")

struct exporter {
    char folder[512];
    char ledger[600];
    struct signing_key *key;
    pthread_mutex_t mutex;
    pthread_cond_t woken;
    bool awake;
};

static void wake(void *context)
{
    struct exporter *x = context;
    pthread_mutex_lock(&x->mutex);
    x->awake = true;
    pthread_cond_signal(&x->woken);
    pthread_mutex_unlock(&x->mutex);
}

static void await(struct exporter *x)
{
    pthread_mutex_lock(&x->mutex);
    while (!x->awake) {
        pthread_cond_wait(&x->woken, &x->mutex);
    }
    x->awake = false;
    pthread_mutex_unlock(&x->mutex);
}

static void check(enum rc rc, const struct err *e)
{
    if (rc != RC_OK) {
        fprintf(stderr, "tlog_export: %s\n", e->text);
        exit(1);
    }
}

/* --- growing ------------------------------------------------------------------------------------------ */

static void push(struct exporter *x, struct writer *w, uint64_t seq)
{
    char body[40];
    int len = snprintf(body, sizeof body, "{\"n\":%llu}", (unsigned long long)seq);
    struct entry entry = {
        .v = 1, .seq = seq, .time_ms = 1795255200000, .kind = ENTRY_ACTION_DECIDED, .actor = STR("agt_7")};
    uint8_t salt[ENTRY_SALT_LEN];
    memset(salt, (int)(seq & 0xff), sizeof salt);
    struct err e;
    enum rc rc;
    while ((rc = writer_push(w, &entry, salt, (struct str){body, (size_t)len}, NULL, 0, &e)) == RC_LIMIT) {
        await(x);
    }
    check(rc, &e);
}

static void grow(struct exporter *x, uint64_t size)
{
    struct writer_options options = {.path = x->ledger,
                                     .origin = ORIGIN,
                                     .key = x->key,
                                     .checkpoint_ms = 200,
                                     .wake = wake,
                                     .context = x};
    struct writer *w = NULL;
    struct err e;
    check(writer_start(&options, &w, &e), &e);
    for (uint64_t seq = writer_durable(w); seq < size; seq++) {
        push(x, w, seq);
    }
    writer_stop(w);
}

/* --- laying out ----------------------------------------------------------------------------------------- */

/* Makes the folders on the way; name is below the exporter's folder. */
static void put_file(struct exporter *x, const char *name, struct str bytes)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", x->folder, name);
    for (char *slash = strchr(path + strlen(x->folder) + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    FILE *f = fopen(path, "w");
    if (f == NULL || fwrite(bytes.ptr, 1, bytes.len, f) != bytes.len || fclose(f) != 0) {
        perror(path);
        exit(1);
    }
}

static void put_hash_tile(struct exporter *x, struct store *s, unsigned level, uint64_t index, unsigned width)
{
    static struct digest hashes[TILE_WIDTH];
    char path[TILE_PATH_MAX];
    struct err e;
    check(store_tile(s, level, index, width, hashes, &e), &e);
    tile_path(level, index, width, path, sizeof path);
    put_file(x, path, (struct str){(const char *)hashes, width * sizeof *hashes});
}

static enum rc add_entry(void *context, const struct stored *stored, struct err *e)
{
    (void)e;
    struct buf *b = context;
    buf_char(b, (char)(stored->header.len >> 8));
    buf_char(b, (char)(stored->header.len & 0xff));
    buf_str(b, stored->header);
    return RC_OK;
}

static void put_entry_tile(struct exporter *x, struct store *s, uint64_t index, unsigned width)
{
    CLEANUP(buf) struct buf b;
    buf_init(&b, 1 << 20);
    char path[TILE_PATH_MAX];
    struct err e;
    check(store_walk(s, index * TILE_WIDTH, index * TILE_WIDTH + width - 1, add_entry, &b, &e), &e);
    check(b.rc, &e);
    tile_path(TILE_ENTRIES, index, width, path, sizeof path);
    put_file(x, path, buf_view(&b));
}

static void put_tiles(struct exporter *x, struct store *s, uint64_t size)
{
    for (unsigned level = 0; level < TILE_LEVELS_MAX && size >> (8 * level) > 0; level++) {
        uint64_t hashes = size >> (8 * level);
        for (uint64_t index = 0; index * TILE_WIDTH < hashes; index++) {
            uint64_t left = hashes - index * TILE_WIDTH;
            unsigned width = left < TILE_WIDTH ? (unsigned)left : TILE_WIDTH;
            put_hash_tile(x, s, level, index, width);
            if (level == 0) {
                put_entry_tile(x, s, index, width);
            }
        }
    }
}

/* Of the entry in the middle: as the server gives it, bytes as text and the salt as hexadecimal digits. */
static void put_receipt(struct exporter *x, struct store *s, uint64_t size, struct str note)
{
    CLEANUP(arena) struct arena *a = arena_new(1 << 16);
    struct stored stored;
    struct proof p;
    struct err e;
    check(store_read(s, a, size / 2, &stored, &e), &e);
    check(tiles_inclusion(store_tile, s, size / 2, size, &p, &e), &e);
    CLEANUP(buf) struct buf extra;
    buf_init(&extra, 1 << 16);
    buf_str(&extra, STR("{\"body\":"));
    json_write_string(&extra, stored.body);
    buf_str(&extra, STR(",\"header\":"));
    json_write_string(&extra, stored.header);
    buf_str(&extra, STR(",\"salt\":\""));
    buf_hex(&extra, stored.salt, sizeof stored.salt);
    buf_str(&extra, STR("\"}"));
    CLEANUP(buf) struct buf out;
    buf_init(&out, 1 << 17);
    receipt_write(&out, buf_view(&extra), size / 2, &p, note);
    check(out.rc, &e);
    put_file(x, "receipt", buf_view(&out));
}

static void lay_out(struct exporter *x, uint64_t size)
{
    CLEANUP(arena) struct arena *a = arena_new(1 << 16);
    struct store *s = NULL;
    struct str note;
    struct err e;
    check(store_open(x->ledger, STORE_READ, &s, &e), &e);
    check(store_checkpoint(s, a, &note, &e), &e);
    put_file(x, "checkpoint", note);
    char name[64];
    snprintf(name, sizeof name, "checkpoint.%llu", (unsigned long long)size);
    put_file(x, name, note);
    put_tiles(x, s, size);
    put_receipt(x, s, size, note);
    store_close(s);
}

static void print_vkey(const struct signing_key *key)
{
    uint8_t public_key[ED25519_PUBLIC_LEN];
    signing_key_public(key, public_key);
    CLEANUP(buf) struct buf vkey;
    buf_init(&vkey, VKEY_MAX);
    vkey_write(&vkey, ORIGIN, public_key);
    printf("%.*s\n", STR_ARG(buf_view(&vkey)));
}

int main(int argc, char **argv)
{
    static struct exporter x = {.mutex = PTHREAD_MUTEX_INITIALIZER, .woken = PTHREAD_COND_INITIALIZER};
    static const uint8_t seed[ED25519_SEED_LEN] = {42};
    if (argc < 3) {
        fprintf(stderr, "usage: tlog_export FOLDER SIZE [SIZE...]\n");
        return 2;
    }
    struct err e;
    struct store *s = NULL;
    snprintf(x.folder, sizeof x.folder, "%s", argv[1]);
    snprintf(x.ledger, sizeof x.ledger, "%s/ledger.db", x.folder);
    check(store_open(x.ledger, STORE_CREATE, &s, &e), &e);
    store_close(s);
    check(signing_key_new(seed, &x.key, &e), &e);
    for (int i = 2; i < argc; i++) {
        uint64_t size = strtoull(argv[i], NULL, 10);
        grow(&x, size);
        lay_out(&x, size);
    }
    print_vkey(x.key);
    signing_key_free(x.key);
    return 0;
}
