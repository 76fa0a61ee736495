/* store/writer: order, durability, limits, full disks, failed syncs, checkpoints at start and stop. */
#include "base/encode.h"
#include "place.h"
#include "store/writer.h"
#include "sys/file.h"

#include "check.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ORIGIN "pawl.example/test"

/* --- a disk whose next sync fails: stands before the C library's own --------------------------------- */

static _Atomic int syncs_to_fail;

int fdatasync(int fd);
int fdatasync(int fd)
{
    if (atomic_load(&syncs_to_fail) > 0 && atomic_fetch_sub(&syncs_to_fail, 1) > 0) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fdatasync, fd);
}

/* Files of this process can't grow past the limit: a disk without room. 0: no limit. */
static void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes == 0 ? limit.rlim_max : bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* --- a writer in a folder -------------------------------------------------------------------------------- */

struct bench {
    struct store_place place;
    char checkpoint_file[320];
    struct signing_key *key;
    struct writer *writer;
    uint64_t next;
    int64_t checkpoint_ms;
    bool by_publish;
    pthread_mutex_t mutex;
    pthread_cond_t woken;
    unsigned wakes;
};

static void wake(void *context)
{
    struct bench *b = context;
    pthread_mutex_lock(&b->mutex);
    b->wakes++;
    pthread_cond_signal(&b->woken);
    pthread_mutex_unlock(&b->mutex);
}

/* Waits for the next wake-up after the one that was seen last. */
static void await_wake(struct bench *b, unsigned *seen)
{
    pthread_mutex_lock(&b->mutex);
    while (b->wakes == *seen) {
        pthread_cond_wait(&b->woken, &b->mutex);
    }
    *seen = b->wakes;
    pthread_mutex_unlock(&b->mutex);
}

static void await_durable(struct bench *b, uint64_t size)
{
    unsigned seen = 0;
    while (writer_durable(b->writer) < size) {
        await_wake(b, &seen);
    }
    assert_int_equal(writer_durable(b->writer), size);
}

static void await_state(struct bench *b, enum writer_state state)
{
    unsigned seen = 0;
    while (writer_state(b->writer) != state) {
        await_wake(b, &seen);
    }
}

static enum rc start(struct bench *b, struct err *e)
{
    struct writer_options options = {
        .path = b->place.path,
        .checkpoint_file = b->checkpoint_file,
        .origin = STR(ORIGIN),
        .key = b->key,
        .checkpoint_ms = b->checkpoint_ms,
        .by_publish = b->by_publish,
        .wake = wake,
        .context = b,
    };
    return writer_start(&options, &b->writer, e);
}

static void stop(struct bench *b)
{
    writer_stop(b->writer);
    b->writer = NULL;
}

static struct signing_key *key_of(uint8_t first)
{
    uint8_t seed[ED25519_SEED_LEN] = {first};
    struct signing_key *key = NULL;
    assert_int_equal(signing_key_new(seed, &key, NULL), RC_OK);
    return key;
}

static int make(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    assert_non_null(b);
    signal(SIGXFSZ, SIG_IGN);
    place_make(&b->place);
    snprintf(b->checkpoint_file, sizeof b->checkpoint_file, "%s/checkpoint", b->place.folder);
    b->key = key_of(1);
    b->checkpoint_ms = 60000; /* only when a test asks */
    pthread_mutex_init(&b->mutex, NULL);
    pthread_cond_init(&b->woken, NULL);
    struct store *s = NULL;
    assert_int_equal(store_open(b->place.path, STORE_CREATE, &s, NULL), RC_OK);
    store_close(s);
    assert_int_equal(start(b, NULL), RC_OK);
    *state = b;
    return 0;
}

static int drop(void **state)
{
    struct bench *b = *state;
    limit_files(0);
    atomic_store(&syncs_to_fail, 0);
    writer_stop(b->writer);
    signing_key_free(b->key);
    pthread_cond_destroy(&b->woken);
    pthread_mutex_destroy(&b->mutex);
    place_drop(&b->place);
    free(b);
    return 0;
}

static enum rc push_with(struct bench *b, struct str body, const struct stored_blob *blobs, size_t blob_count,
                         struct err *e)
{
    struct entry entry = {.v = 1,
                          .seq = b->next,
                          .time_ms = 1795255200000 + (int64_t)b->next,
                          .kind = ENTRY_ACTION_DECIDED,
                          .actor = STR("tok_5"),
                          .refs = {STR("act_1")},
                          .ref_count = 1};
    uint8_t salt[ENTRY_SALT_LEN];
    memset(salt, (int)(b->next % 250), sizeof salt);
    enum rc rc = writer_push(b->writer, &entry, salt, body, blobs, blob_count, e);
    b->next += rc == RC_OK ? 1 : 0;
    return rc;
}

static enum rc push(struct bench *b, struct err *e)
{
    char body[32];
    int len = snprintf(body, sizeof body, "{\"n\":%llu}", (unsigned long long)b->next);
    return push_with(b, (struct str){body, (size_t)len}, NULL, 0, e);
}

static void push_many(struct bench *b, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(push(b, NULL), RC_OK);
    }
}

/* --- what came of it ----------------------------------------------------------------------------------- */

struct seen {
    uint64_t next;
    struct tree tree;
};

static enum rc check_entry(void *context, const struct stored *stored, struct err *e)
{
    (void)e;
    struct seen *seen = context;
    char body[32];
    snprintf(body, sizeof body, "{\"n\":%llu}", (unsigned long long)seen->next);
    assert_int_equal(stored->seq, seen->next);
    assert_str(stored->body, body);
    assert_int_equal(stored->salt[0], seen->next % 250);
    assert_str(stored->entry.refs[0], "act_1");
    struct digest leaf = ledger_leaf_hash(stored->header);
    tree_append(&seen->tree, &leaf, NULL, NULL);
    seen->next++;
    return RC_OK;
}

/* The stored log has these entries, its tiles agree with its leaves. */
static struct digest check_log(struct bench *b, uint64_t size)
{
    struct store *s = NULL;
    assert_int_equal(store_open(b->place.path, STORE_READ, &s, NULL), RC_OK);
    struct seen seen = {.next = 0};
    tree_init(&seen.tree);
    assert_int_equal(store_walk(s, 0, UINT64_MAX, check_entry, &seen, NULL), RC_OK);
    assert_int_equal(seen.next, size);
    struct digest root = tree_root(&seen.tree);
    struct digest from_tiles;
    assert_int_equal(tiles_root(store_tile, s, size, &from_tiles, NULL), RC_OK);
    assert_memory_equal(&from_tiles, &root, SHA256_LEN);
    store_close(s);
    return root;
}

static struct checkpoint open_note(struct bench *b, struct str note)
{
    static char text[VKEY_MAX];
    uint8_t public_key[ED25519_PUBLIC_LEN];
    signing_key_public(b->key, public_key);
    CLEANUP(buf) struct buf out;
    buf_init(&out, VKEY_MAX);
    vkey_write(&out, STR(ORIGIN), public_key);
    memcpy(text, out.data, out.len);
    struct vkey key;
    assert_int_equal(vkey_parse((struct str){text, out.len}, &key, NULL), RC_OK);
    struct checkpoint c;
    assert_int_equal(checkpoint_open(note, &key, &c, NULL), RC_OK);
    return c;
}

static void order_and_durability(void **state)
{
    struct bench *b = *state;
    assert_int_equal(writer_durable(b->writer), 0);
    push(b, NULL);
    await_durable(b, 1);
    push_many(b, 5000); /* more than one append takes */
    await_durable(b, 5001);
    struct writer_counts counts = writer_counts(b->writer);
    assert_int_equal(counts.entries, 5001);
    assert_in_range(counts.batches, 3, 5001);
    assert_in_range(counts.bytes, 5001 * 200, 5001 * 400);
    assert_int_equal(counts.blob_bytes, 0);
    assert_int_equal(writer_state(b->writer), WRITER_OK);
    char error[100];
    writer_error(b->writer, error, sizeof error);
    assert_string_equal(error, "");
    stop(b);
    check_log(b, 5001);
}

static uint64_t sum_of_commits(const struct writer_counts *counts)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i <= WRITER_COMMIT_BUCKETS; i++) {
        sum += counts->commits[i];
    }
    return sum;
}

static void commits_fall_into_buckets(void **state)
{
    struct bench *b = *state;
    for (unsigned i = 1; i < WRITER_COMMIT_BUCKETS; i++) {
        assert_true(writer_commit_bound_us(i) > writer_commit_bound_us(i - 1));
    }
    struct writer_counts counts = writer_counts(b->writer);
    assert_int_equal(sum_of_commits(&counts), 0);
    push_many(b, 5000);
    await_durable(b, 5000);
    counts = writer_counts(b->writer);
    assert_int_equal(sum_of_commits(&counts), counts.batches);
    /* The bucket of a commit is that of its time: with one each, the sum lies between the bounds. */
    uint64_t least = 0;
    for (unsigned i = 1; i <= WRITER_COMMIT_BUCKETS; i++) {
        least += counts.commits[i] * (uint64_t)writer_commit_bound_us(i - 1);
    }
    assert_true(counts.syncs_us_total >= least);
}

static void stopping_writes_and_signs(void **state)
{
    struct bench *b = *state;
    push_many(b, 700);
    stop(b);
    struct digest root = check_log(b, 700);
    struct store *s = NULL;
    CLEANUP(arena) struct arena *a = arena_new(2 * CHECKPOINT_MAX);
    struct str note;
    assert_int_equal(store_open(b->place.path, STORE_READ, &s, NULL), RC_OK);
    assert_int_equal(store_checkpoint(s, a, &note, NULL), RC_OK);
    store_close(s);
    struct checkpoint c = open_note(b, note);
    assert_int_equal(c.size, 700);
    assert_memory_equal(&c.root, &root, SHA256_LEN);
    CLEANUP(buf) struct buf copy;
    buf_init(&copy, CHECKPOINT_MAX);
    assert_int_equal(file_read(b->checkpoint_file, &copy, NULL), RC_OK);
    assert_true(str_eq(buf_view(&copy), note));
    /* And goes on where it ended. */
    assert_int_equal(start(b, NULL), RC_OK);
    assert_int_equal(writer_durable(b->writer), 700);
    struct str again;
    assert_int_equal(writer_checkpoint(b->writer, a, &again, NULL), RC_OK);
    assert_true(str_eq(again, note));
    push_many(b, 20);
    stop(b);
    check_log(b, 720);
}

static void await_checkpoint(struct bench *b, uint64_t size)
{
    CLEANUP(arena) struct arena *a = arena_new(1 << 20);
    unsigned seen = 0;
    for (;;) {
        struct str note;
        enum rc rc = writer_checkpoint(b->writer, a, &note, NULL);
        if (rc == RC_OK && open_note(b, note).size == size) {
            return;
        }
        arena_reset(a);
        await_wake(b, &seen);
    }
}

static void what_no_checkpoint_covers_ages(void **state)
{
    struct bench *b = *state;
    assert_int_equal(writer_counts(b->writer).unsigned_us, 0);
    push_many(b, 3);
    await_durable(b, 3);
    while (writer_counts(b->writer).unsigned_us == 0) {
    }
    unsigned seen = 0;
    writer_sign(b->writer);
    while (writer_counts(b->writer).unsigned_us != 0) {
        await_wake(b, &seen);
    }
    await_checkpoint(b, 3);
}

static void entries_wait_until_they_are_published(void **state)
{
    struct bench *b = *state;
    stop(b);
    b->by_publish = true;
    assert_int_equal(start(b, NULL), RC_OK);
    assert_int_equal(writer_unpublished(b->writer), 0);
    push_many(b, 3);
    assert_int_equal(writer_unpublished(b->writer), 3);
    unsigned seen = b->wakes;
    writer_sign(b->writer); /* wakes the thread, which takes what is there */
    await_wake(b, &seen);
    await_durable(b, 3);
    push_many(b, 2);
    writer_publish(b->writer);
    assert_int_equal(writer_unpublished(b->writer), 0);
    await_durable(b, 5);
    push_many(b, 1);
    stop(b); /* what was not published is written all the same */
    check_log(b, 6);
}

/* A thread that was woken for entries it had taken before sleeps again, and is woken again. */
static void what_was_taken_early_is_published_late(void **state)
{
    struct bench *b = *state;
    stop(b);
    b->by_publish = true;
    assert_int_equal(start(b, NULL), RC_OK);
    for (uint64_t i = 0; i < 20; i++) {
        push_many(b, 1);
        writer_sign(b->writer);
        await_checkpoint(b, 2 * i + 1);
        writer_publish(b->writer);
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL); /* lets it look, and find nothing */
        push_many(b, 1);
        writer_publish(b->writer);
        await_durable(b, 2 * i + 2);
    }
}

static void signs_on_demand(void **state)
{
    struct bench *b = *state;
    CLEANUP(arena) struct arena *a = arena_new(2 * CHECKPOINT_MAX);
    struct str note;
    struct err e;
    assert_int_equal(writer_checkpoint(b->writer, a, &note, &e), RC_NOT_FOUND);
    assert_string_equal(e.text, "there is no checkpoint yet");
    push_many(b, 3);
    await_durable(b, 3);
    writer_sign(b->writer);
    await_checkpoint(b, 3);
    push_many(b, 1);
    await_durable(b, 4);
    writer_sign(b->writer);
    await_checkpoint(b, 4);
    unsigned seen = b->wakes;
    writer_sign(b->writer); /* nothing new, and still an answer */
    await_wake(b, &seen);
}

static void a_quiet_log_gets_its_checkpoint(void **state)
{
    struct bench *b = *state;
    stop(b);
    b->checkpoint_ms = 1;
    assert_int_equal(start(b, NULL), RC_OK);
    push_many(b, 3);
    await_checkpoint(b, 3); /* by itself */
    push_many(b, 2);
    await_checkpoint(b, 5);
}

static void blobs_beside_entries(void **state)
{
    struct bench *b = *state;
    struct stored_blob blobs[2] = {{.digest = sha256(STR("one")), .bytes = STR("one")},
                                   {.digest = sha256(STR("two!")), .bytes = STR("two!")}};
    assert_int_equal(push_with(b, STR("{\"n\":0}"), blobs, 1, NULL), RC_OK);
    assert_int_equal(push_with(b, STR("{\"n\":1}"), NULL, 0, NULL), RC_OK);
    assert_int_equal(push_with(b, STR("{\"n\":2}"), blobs, 2, NULL), RC_OK);
    await_durable(b, 3);
    assert_int_equal(writer_counts(b->writer).blob_bytes, 3 + 3 + 4);
    stop(b);
    check_log(b, 3);
    struct store *s = NULL;
    assert_int_equal(store_open(b->place.path, STORE_READ, &s, NULL), RC_OK);
    CLEANUP(arena) struct arena *a = arena_new(4096);
    struct str bytes;
    assert_int_equal(store_blob(s, a, &blobs[1].digest, &bytes, NULL), RC_OK);
    assert_str(bytes, "two!");
    store_close(s);
}

static bool blob_is_there(struct store *s, const char *text)
{
    CLEANUP(arena) struct arena *a = arena_new(4096);
    struct digest digest = sha256(str_from(text));
    struct str bytes;
    return store_blob(s, a, &digest, &bytes, NULL) == RC_OK;
}

static void await_erasure(struct bench *b)
{
    unsigned seen = 0;
    while (writer_counts(b->writer).erasures > 0) {
        await_wake(b, &seen);
    }
}

static void blobs_are_erased_behind_their_entry(void **state)
{
    struct bench *b = *state;
    stop(b);
    b->by_publish = true;
    assert_int_equal(start(b, NULL), RC_OK);
    struct stored_blob blobs[] = {
        {.digest = sha256(STR("one")), .bytes = STR("one"), .erasable = true},
        {.digest = sha256(STR("two")), .bytes = STR("two"), .owner = 7, .erasable = true},
        {.digest = sha256(STR("policy")), .bytes = STR("policy")},
    };
    assert_int_equal(push_with(b, STR("{\"n\":0}"), blobs, 3, NULL), RC_OK);
    /* What waits can be read, what does not is said not to. */
    CLEANUP(arena) struct arena *a = arena_new(4096);
    struct str bytes;
    struct err e;
    assert_int_equal(writer_pending_blob(b->writer, a, &blobs[1].digest, &bytes, &e), RC_OK);
    assert_str(bytes, "two");
    struct digest other = sha256(STR("three"));
    assert_int_equal(writer_pending_blob(b->writer, a, &other, &bytes, &e), RC_NOT_FOUND);
    assert_string_equal(e.text, "no such blob waits to be written");
    CLEANUP(arena) struct arena *small = arena_new(2);
    assert_int_equal(writer_pending_blob(b->writer, small, &blobs[0].digest, &bytes, &e), RC_LIMIT);
    assert_true(writer_waiting_bytes(b->writer) > 3 + 3 + 6);
    writer_publish(b->writer);
    await_durable(b, 1);
    /* Not before the entry that says so. */
    assert_int_equal(push(b, NULL), RC_OK);
    static const uint64_t kept[] = {7};
    struct blob_erasure what = {.through_seq = 0, .kept = kept, .kept_count = 1};
    assert_int_equal(writer_erase_blobs(b->writer, &what, 1, NULL), RC_OK);
    assert_int_equal(writer_counts(b->writer).erasures, 1);
    struct store *s = NULL;
    assert_int_equal(store_open(b->place.path, STORE_READ, &s, NULL), RC_OK);
    assert_true(blob_is_there(s, "one"));
    writer_publish(b->writer);
    await_erasure(b);
    assert_int_equal(writer_durable(b->writer), 2);
    assert_int_equal(writer_counts(b->writer).erased_blobs, 1);
    assert_int_equal(writer_counts(b->writer).erased_bytes, 3);
    assert_false(blob_is_there(s, "one"));
    assert_true(blob_is_there(s, "two"));
    /* One that takes another's place. */
    what.kept_count = 0;
    assert_int_equal(writer_erase_blobs(b->writer, &what, 100, NULL), RC_OK);
    assert_int_equal(writer_erase_blobs(b->writer, &what, 0, NULL), RC_OK);
    await_erasure(b);
    assert_false(blob_is_there(s, "two"));
    assert_true(blob_is_there(s, "policy"));
    assert_int_equal(writer_pending_blob(b->writer, a, &blobs[1].digest, &bytes, &e), RC_NOT_FOUND);
    /* One that never comes to its turn does not keep the writer from stopping. */
    assert_int_equal(writer_erase_blobs(b->writer, &what, 100, NULL), RC_OK);
    store_close(s);
    stop(b);
}

static enum rc add_part(void *context, struct str part, struct err *e)
{
    (void)e;
    buf_str(context, part);
    return RC_OK;
}

static void snapshots_come_first(void **state)
{
    struct bench *b = *state;
    for (unsigned i = 0; i < 3; i++) {
        struct str *parts = malloc(2 * sizeof *parts);
        assert_non_null(parts);
        parts[0] = (struct str){strdup("first"), 5};
        parts[1] = (struct str){strdup("second"), 6};
        writer_put_snapshot(b->writer, 10 + i, parts, 2);
    }
    push_many(b, 1);
    await_durable(b, 1);
    struct store *s = NULL;
    assert_int_equal(store_open(b->place.path, STORE_READ, &s, NULL), RC_OK);
    assert_int_equal(store_walk_snapshot(s, 10, add_part, NULL, NULL), RC_NOT_FOUND); /* two are kept */
    for (uint64_t at = 11; at < 13; at++) {
        CLEANUP(buf) struct buf all;
        buf_init(&all, 100);
        assert_int_equal(store_walk_snapshot(s, at, add_part, &all, NULL), RC_OK);
        assert_str(buf_view(&all), "firstsecond");
    }
    store_close(s);
}

/* --- limits ---------------------------------------------------------------------------------------------- */

/* With entries in its hands that it can't write. */
static void fill_the_disk(struct bench *b)
{
    limit_files(40000);
    char *body = malloc(200000);
    assert_non_null(body);
    memset(body, 'x', 200000);
    assert_int_equal(push_with(b, (struct str){body, 200000}, NULL, 0, NULL), RC_OK);
    free(body);
    await_state(b, WRITER_DISK_FULL);
}

static void what_waits_can_be_read(void **state)
{
    struct bench *b = *state;
    CLEANUP(arena) struct arena *a = arena_new(1 << 20);
    struct entry entry;
    struct str body;
    struct err e;
    assert_int_equal(writer_pending(b->writer, a, 0, &entry, &body, &e), RC_NOT_FOUND);
    fill_the_disk(b); /* the thread has entry 0 */
    assert_int_equal(push_with(b, STR("{\"n\":1}"), NULL, 0, NULL), RC_OK);
    assert_int_equal(push_with(b, STR("{\"n\":2}"), NULL, 0, NULL), RC_OK);
    assert_int_equal(writer_pending(b->writer, a, 0, &entry, &body, NULL), RC_OK);
    assert_int_equal(entry.seq, 0);
    assert_int_equal(body.len, 200000);
    assert_int_equal(writer_pending(b->writer, a, 2, &entry, &body, NULL), RC_OK);
    assert_int_equal(entry.seq, 2);
    assert_str(body, "{\"n\":2}");
    assert_int_equal(writer_pending(b->writer, a, 3, &entry, &body, &e), RC_NOT_FOUND);
    assert_string_equal(e.text, "entry 3 does not wait to be written");
    CLEANUP(arena) struct arena *small = arena_new(100000);
    assert_int_equal(writer_pending(b->writer, small, 0, &entry, &body, NULL), RC_LIMIT);
    limit_files(0);
    await_durable(b, 3);
    writer_sign(b->writer);
    await_checkpoint(b, 3); /* signed after the batch was given back */
    assert_int_equal(writer_pending(b->writer, a, 0, &entry, &body, NULL), RC_NOT_FOUND);
}

static void a_full_disk_loses_nothing(void **state)
{
    struct bench *b = *state;
    limit_files(40000);
    while (writer_state(b->writer) == WRITER_OK && b->next < 4000) {
        push_many(b, 10);
        if (b->next == 4000) {
            await_state(b, WRITER_DISK_FULL);
        }
    }
    char error[200];
    writer_error(b->writer, error, sizeof error);
    assert_non_null(strstr(error, "the disk is full"));
    uint64_t before = writer_durable(b->writer);
    assert_true(before < b->next);
    push_many(b, 50); /* they wait */
    assert_int_equal(writer_state(b->writer), WRITER_DISK_FULL);
    limit_files(0);
    await_durable(b, b->next);
    assert_int_equal(writer_state(b->writer), WRITER_OK);
    writer_error(b->writer, error, sizeof error);
    assert_string_equal(error, "");
    uint64_t size = b->next;
    stop(b);
    check_log(b, size);
}

static void the_queue_is_bounded(void **state)
{
    struct bench *b = *state;
    fill_the_disk(b);
    push_many(b, WRITER_QUEUE_MAX - 1);
    struct err e;
    assert_int_equal(push(b, &e), RC_LIMIT);
    assert_string_equal(e.text, "8192 entries wait to be written");
    limit_files(0);
    await_durable(b, WRITER_QUEUE_MAX);
    assert_int_equal(push(b, &e), RC_OK);
    await_durable(b, WRITER_QUEUE_MAX + 1);
}

static void the_bytes_are_bounded(void **state)
{
    struct bench *b = *state;
    fill_the_disk(b);
    char *bytes = calloc(1, STORE_BLOB_MAX);
    assert_non_null(bytes);
    struct stored_blob blob = {.bytes = {bytes, STORE_BLOB_MAX}};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(push_with(b, STR("{}"), &blob, 1, NULL), RC_OK);
    }
    struct err e;
    assert_int_equal(push_with(b, STR("{}"), &blob, 1, &e), RC_LIMIT);
    assert_non_null(strstr(e.text, "bytes wait to be written: no room for 8388620 more (at most 33554432)"));
    blob.bytes.len /= 2;
    assert_int_equal(push_with(b, STR("{}"), &blob, 1, &e), RC_OK);
    limit_files(0);
    await_durable(b, b->next);
    free(bytes);
}

static void the_blobs_are_bounded(void **state)
{
    struct bench *b = *state;
    fill_the_disk(b);
    static struct stored_blob blobs[WRITER_BLOBS_MAX + 1];
    struct err e;
    assert_int_equal(push_with(b, STR("{}"), blobs, WRITER_BLOBS_MAX + 1, &e), RC_INVALID);
    assert_string_equal(e.text, "65 blobs beside one entry: at most 64");
    for (size_t i = 0; i < WRITER_QUEUE_BLOBS_MAX / WRITER_BLOBS_MAX; i++) {
        assert_int_equal(push_with(b, STR("{}"), blobs, WRITER_BLOBS_MAX, NULL), RC_OK);
    }
    assert_int_equal(push_with(b, STR("{}"), blobs, 1, &e), RC_LIMIT);
    assert_string_equal(e.text, "8192 blobs wait to be written");
    limit_files(0);
    await_durable(b, b->next);
}

static void parts_are_bounded(void **state)
{
    struct bench *b = *state;
    struct err e;
    char *bytes = calloc(1, ENTRY_BODY_MAX + 1);
    assert_non_null(bytes);
    assert_int_equal(push_with(b, (struct str){bytes, ENTRY_BODY_MAX + 1}, NULL, 0, &e), RC_INVALID);
    assert_string_equal(e.text, "a body of 10485761 bytes: at most 10485760");
    assert_int_equal(push_with(b, (struct str){bytes, ENTRY_BODY_MAX}, NULL, 0, &e), RC_OK);
    struct stored_blob blob = {.bytes = {bytes, STORE_BLOB_MAX + 1}};
    assert_int_equal(push_with(b, STR("{}"), &blob, 1, &e), RC_INVALID);
    assert_string_equal(e.text, "a blob of 8388609 bytes: at most 8388608 are kept");
    await_durable(b, 1);
    free(bytes);
}

static void stopping_with_a_full_disk_ends(void **state)
{
    struct bench *b = *state;
    push_many(b, 5);
    await_durable(b, 5);
    fill_the_disk(b);
    stop(b);
    limit_files(0);
    check_log(b, 5); /* what was never durable was never answered */
    assert_int_equal(start(b, NULL), RC_OK);
    assert_int_equal(writer_durable(b->writer), 5);
}

/* --- failures ---------------------------------------------------------------------------------------------- */

/* SQLite takes the batch back with the failed sync, so it is not there: the process is to end. */
static void a_failed_sync_is_the_end(void **state)
{
    struct bench *b = *state;
    push_many(b, 3);
    await_durable(b, 3);
    atomic_store(&syncs_to_fail, 1);
    push_many(b, 1);
    await_state(b, WRITER_FAILED);
    assert_int_equal(writer_durable(b->writer), 3);
    struct err e;
    assert_int_equal(push(b, &e), RC_UNAVAILABLE);
    assert_non_null(strstr(e.text, "the ledger can't be written: "));
    assert_non_null(strstr(e.text, "; then: the last batch is not in the ledger"));
    stop(b);
    check_log(b, 3);
    b->next = 3;
    assert_int_equal(start(b, NULL), RC_OK); /* as after a restart */
    push_many(b, 2);
    stop(b);
    check_log(b, 5);
}

/* No entry hangs on it: the store is opened again, its entries are all there, the writer goes on. */
static void a_failed_sync_of_a_checkpoint_is_not(void **state)
{
    struct bench *b = *state;
    push_many(b, 3);
    await_durable(b, 3);
    atomic_store(&syncs_to_fail, 1);
    writer_sign(b->writer);
    unsigned seen = 0;
    char error[400] = "";
    while (error[0] == '\0') {
        await_wake(b, &seen);
        writer_error(b->writer, error, sizeof error);
    }
    assert_non_null(strstr(error, "checkpoint: "));
    assert_int_equal(writer_state(b->writer), WRITER_OK);
    push_many(b, 300);
    await_durable(b, 303);
    writer_sign(b->writer);
    await_checkpoint(b, 303);
    stop(b);
    check_log(b, 303);
}

static void a_dead_disk_is_the_end(void **state)
{
    struct bench *b = *state;
    push_many(b, 3);
    await_durable(b, 3);
    atomic_store(&syncs_to_fail, 1000);
    push_many(b, 1);
    await_state(b, WRITER_FAILED);
    atomic_store(&syncs_to_fail, 0);
    assert_int_equal(writer_durable(b->writer), 3);
    stop(b);
    /* The log of the database may still hold the batch that nobody was told of; a start settles it. */
    assert_int_equal(start(b, NULL), RC_OK);
    b->next = writer_durable(b->writer);
    assert_in_range(b->next, 3, 4);
    push_many(b, 2);
    uint64_t size = b->next;
    stop(b);
    check_log(b, size);
}

static void another_hand_in_the_file_is_the_end(void **state)
{
    struct bench *b = *state;
    push_many(b, 3);
    await_durable(b, 3);
    char command[600];
    snprintf(command, sizeof command, "sqlite3 '%s' \"INSERT INTO entry VALUES(3, x'00', x'00', x'00')\"", b->place.path);
    assert_int_equal(system(command), 0);
    push_many(b, 2);
    await_state(b, WRITER_FAILED);
    char error[400];
    writer_error(b->writer, error, sizeof error);
    /* What it says depends on how many of our entries the batch held. */
    assert_true(strlen(error) > 0);
    assert_int_equal(writer_durable(b->writer), 3);
}

/* --- what a start refuses ------------------------------------------------------------------------------------ */

static void copy_file(const char *from, const char *to)
{
    char command[800];
    snprintf(command, sizeof command, "cp '%s' '%s'", from, to);
    assert_int_equal(system(command), 0);
}

static void an_older_ledger_is_refused(void **state)
{
    struct bench *b = *state;
    char old[400];
    snprintf(old, sizeof old, "%s/old.db", b->place.folder);
    push_many(b, 10);
    stop(b);
    copy_file(b->place.path, old);
    assert_int_equal(start(b, NULL), RC_OK);
    push_many(b, 10);
    stop(b);
    copy_file(old, b->place.path);
    struct err e;
    assert_int_equal(start(b, &e), RC_CORRUPT);
    assert_non_null(strstr(e.text, "/checkpoint: it was signed over 20 entries, the ledger has 10: entries were lost"));
    assert_null(b->writer);
}

static void another_ledger_is_refused(void **state)
{
    struct bench *b = *state;
    push_many(b, 10);
    stop(b);
    char command[600];
    snprintf(command, sizeof command, "sqlite3 '%s' 'DELETE FROM checkpoint; DELETE FROM entry WHERE seq > 4'",
             b->place.path);
    assert_int_equal(system(command), 0);
    assert_int_equal(unlink(b->checkpoint_file), 0);
    b->next = 5;
    assert_int_equal(start(b, NULL), RC_OK); /* nothing left that knows better */
    assert_int_equal(push_with(b, STR("{\"other\":1}"), NULL, 0, NULL), RC_OK);
    stop(b);
    char kept[400];
    snprintf(kept, sizeof kept, "%s/kept", b->place.folder);
    copy_file(b->checkpoint_file, kept);
    assert_int_equal(system(command), 0);
    assert_int_equal(unlink(b->checkpoint_file), 0);
    b->next = 5;
    assert_int_equal(start(b, NULL), RC_OK);
    push_many(b, 5);
    stop(b);
    copy_file(kept, b->checkpoint_file);
    struct err e;
    assert_int_equal(start(b, &e), RC_CORRUPT);
    assert_non_null(strstr(e.text, "the ledger's first 6 entries are not the ones that were signed"));
}

static void another_key_is_refused(void **state)
{
    struct bench *b = *state;
    push_many(b, 1);
    stop(b);
    signing_key_free(b->key);
    b->key = key_of(2);
    struct err e;
    assert_int_equal(start(b, &e), RC_CORRUPT);
    assert_string_equal(e.text, "the ledger's checkpoint: checkpoint: no signature by " ORIGIN);
}

static void a_lost_copy_is_made_again(void **state)
{
    struct bench *b = *state;
    push_many(b, 4);
    stop(b);
    assert_int_equal(unlink(b->checkpoint_file), 0);
    assert_int_equal(start(b, NULL), RC_OK);
    stop(b);
    assert_true(file_exists(b->checkpoint_file));
}

static void bad_options(void **state)
{
    struct bench *b = *state;
    struct writer_options options = {.path = b->place.path, .origin = STR("a b"), .key = b->key, .checkpoint_ms = 1, .wake = wake, .context = b};
    struct writer *w = NULL;
    struct err e;
    assert_int_equal(writer_start(&options, &w, &e), RC_INVALID);
    options.origin = STR(ORIGIN);
    assert_int_equal(writer_start(&options, &w, &e), RC_CONFLICT); /* one runs already */
    options.path = "/no/such/ledger.db";
    assert_int_equal(writer_start(&options, &w, &e), RC_NOT_FOUND);
    assert_null(w);
    writer_stop(NULL);
}

static void a_checkpoint_file_that_can_not_be(void **state)
{
    struct bench *b = *state;
    stop(b);
    snprintf(b->checkpoint_file, sizeof b->checkpoint_file, "%s/no/such/folder", b->place.folder);
    assert_int_equal(start(b, NULL), RC_OK);
    push_many(b, 2);
    await_durable(b, 2);
    writer_sign(b->writer);
    await_checkpoint(b, 2); /* the ledger has it all the same */
    char error[400] = "";
    unsigned seen = 0;
    while (strstr(error, "/no/such/folder: can't create") == NULL) {
        writer_error(b->writer, error, sizeof error);
        if (error[0] == '\0') {
            await_wake(b, &seen);
        }
    }
    assert_int_equal(writer_state(b->writer), WRITER_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(order_and_durability),
        TEST(commits_fall_into_buckets),
        TEST(what_no_checkpoint_covers_ages),
        TEST(stopping_writes_and_signs),
        TEST(entries_wait_until_they_are_published),
        TEST(what_was_taken_early_is_published_late),
        TEST(signs_on_demand),
        TEST(a_quiet_log_gets_its_checkpoint),
        TEST(blobs_beside_entries),
        TEST(blobs_are_erased_behind_their_entry),
        TEST(snapshots_come_first),
        TEST(what_waits_can_be_read),
        TEST(a_full_disk_loses_nothing),
        TEST(the_queue_is_bounded),
        TEST(the_bytes_are_bounded),
        TEST(the_blobs_are_bounded),
        TEST(parts_are_bounded),
        TEST(stopping_with_a_full_disk_ends),
        TEST(a_failed_sync_is_the_end),
        TEST(a_failed_sync_of_a_checkpoint_is_not),
        TEST(a_dead_disk_is_the_end),
        TEST(another_hand_in_the_file_is_the_end),
        TEST(an_older_ledger_is_refused),
        TEST(another_ledger_is_refused),
        TEST(another_key_is_refused),
        TEST(a_lost_copy_is_made_again),
        TEST(bad_options),
        TEST(a_checkpoint_file_that_can_not_be),
    };
    return cmocka_run_group_tests_name("writer", tests, NULL, NULL);
}
