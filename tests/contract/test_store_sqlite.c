/* store over SQLite: the suite, and what is this database's own: damaged files, full disks, modes. */
#include "log_maker.h"
#include "place.h"

#include "check.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

struct damaged {
    struct store_place place;
    struct log_maker *maker;
};

static int make(void **state)
{
    struct damaged *d = calloc(1, sizeof *d);
    assert_non_null(d);
    place_make(&d->place);
    d->maker = log_maker_new();
    struct store *s = NULL;
    assert_int_equal(store_open(d->place.path, STORE_CREATE, &s, NULL), RC_OK);
    log_maker_fill(d->maker, s, 2000);
    store_close(s); /* everything is in the file, the log is gone */
    *state = d;
    return 0;
}

static int drop(void **state)
{
    struct damaged *d = *state;
    log_maker_free(d->maker);
    place_drop(&d->place);
    free(d);
    return 0;
}

static enum rc pass(void *context, const struct stored *stored, struct err *e)
{
    (void)context;
    (void)stored;
    (void)e;
    return RC_OK;
}

/* Opens and walks it all; the first thing that is wrong. */
static enum rc examine(const char *path, struct err *e)
{
    struct store *s = NULL;
    enum rc rc = store_open(path, STORE_READ, &s, e);
    rc = rc == RC_OK ? store_walk(s, 0, UINT64_MAX, pass, NULL, e) : rc;
    store_close(s);
    return rc;
}

static void cut_short(void **state)
{
    struct damaged *d = *state;
    struct err e;
    struct stat st;
    assert_int_equal(stat(d->place.path, &st), 0);
    assert_int_equal(truncate(d->place.path, st.st_size / 2 / 16384 * 16384), 0);
    assert_int_equal(examine(d->place.path, &e), RC_CORRUPT);
    assert_non_null(strstr(e.text, "ledger.db: damaged, or not a ledger: database disk image is malformed"));
    assert_int_equal(truncate(d->place.path, 100), 0);
    assert_int_equal(examine(d->place.path, &e), RC_CORRUPT);
    assert_int_equal(truncate(d->place.path, 0), 0);
    assert_int_equal(examine(d->place.path, &e), RC_CORRUPT);
    assert_non_null(strstr(e.text, "ledger.db: is not a ledger"));
}

static void some_other_file(void **state)
{
    struct damaged *d = *state;
    FILE *f = fopen(d->place.path, "w");
    assert_non_null(f);
    for (int i = 0; i < 1000; i++) {
        fputs("this is a letter to my aunt\n", f);
    }
    assert_int_equal(fclose(f), 0);
    struct err e;
    assert_int_equal(examine(d->place.path, &e), RC_CORRUPT);
    assert_non_null(strstr(e.text, "damaged, or not a ledger: file is not a database"));
    struct store *s = NULL;
    assert_int_equal(store_open(d->place.path, STORE_WRITE, &s, &e), RC_CORRUPT);
}

/* Where the text first stands in the file. */
static long find_in_file(const char *path, const char *text, char *bytes, size_t size)
{
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    size_t len = fread(bytes, 1, size, f);
    assert_int_equal(fclose(f), 0);
    const char *at = memmem(bytes, len, text, strlen(text));
    assert_non_null(at);
    return at - bytes;
}

static void write_at(const char *path, long at, const char *bytes, size_t len)
{
    int fd = open(path, O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, len, at), len);
    close(fd);
}

static void flipped_bits(void **state)
{
    struct damaged *d = *state;
    static char bytes[4 << 20];
    struct err e;
    long at = find_in_file(d->place.path, "{\"n\":777,", bytes, sizeof bytes);
    assert_int_equal(examine(d->place.path, &e), RC_OK);
    write_at(d->place.path, at + 20, "\x21", 1);
    assert_int_equal(examine(d->place.path, &e), RC_CORRUPT);
    assert_string_equal(e.text, "entry 777: its body is not the one it was sealed with");
    write_at(d->place.path, at, bytes + at, 40);
    at = find_in_file(d->place.path, "\"seq\":778,", bytes, sizeof bytes);
    write_at(d->place.path, at, "\"seq\":779,", 10);
    assert_int_equal(examine(d->place.path, &e), RC_CORRUPT);
    assert_string_equal(e.text, "row 778 holds entry 779");
    write_at(d->place.path, at, "\"seq\":77x,", 10);
    assert_int_equal(examine(d->place.path, &e), RC_CORRUPT);
    assert_string_equal(e.text, "row 778: entry header is not canonical at its time");
    write_at(d->place.path, at, bytes + at, 10);
    assert_int_equal(examine(d->place.path, &e), RC_OK);
    /* A page's own structure. */
    write_at(d->place.path, 16384 * 20, "\xff\xff\xff\xff\xff\xff\xff\xff", 8);
    assert_int_equal(examine(d->place.path, &e), RC_CORRUPT);
    assert_non_null(strstr(e.text, "database disk image is malformed"));
}

static void run_sql(const char *path, const char *sql)
{
    char command[1000];
    snprintf(command, sizeof command, "sqlite3 '%s' \"%s\" > /dev/null", path, sql);
    assert_int_equal(system(command), 0);
}

static void lost_rows(void **state)
{
    struct damaged *d = *state;
    struct err e;
    run_sql(d->place.path, "DELETE FROM entry WHERE seq = 500");
    assert_int_equal(examine(d->place.path, &e), RC_CORRUPT);
    assert_string_equal(e.text, "entry 500 is missing");
    run_sql(d->place.path, "DELETE FROM tile WHERE id = 3");
    struct store *s = NULL;
    assert_int_equal(store_open(d->place.path, STORE_READ, &s, NULL), RC_OK);
    struct digest hashes[TILE_WIDTH];
    assert_int_equal(store_tile(s, 0, 3, 9, hashes, &e), RC_CORRUPT);
    assert_string_equal(e.text, "damaged: tile 0/3 is not there");
    struct tree tree;
    assert_int_equal(store_tree(s, &tree, &e), RC_CORRUPT);
    assert_string_equal(e.text, "tile 3 is missing");
    store_close(s);
}

static void erased_bodies(void **state)
{
    struct damaged *d = *state;
    run_sql(d->place.path, "UPDATE entry SET salt = NULL, body = NULL WHERE seq = 500");
    struct store *s = NULL;
    assert_int_equal(store_open(d->place.path, STORE_READ, &s, NULL), RC_OK);
    CLEANUP(arena) struct arena *a = arena_new(4096);
    struct stored stored;
    assert_int_equal(store_read(s, a, 500, &stored, NULL), RC_OK);
    assert_true(stored.erased);
    assert_int_equal(stored.body.len, 0);
    assert_int_equal(stored.entry.seq, 500);
    assert_int_equal(store_walk(s, 0, UINT64_MAX, pass, NULL, NULL), RC_OK);
    store_close(s);
}

static void another_format(void **state)
{
    struct damaged *d = *state;
    struct err e;
    run_sql(d->place.path, "PRAGMA user_version = 7");
    assert_int_equal(examine(d->place.path, &e), RC_CORRUPT);
    assert_non_null(strstr(e.text, "ledger format 7, this program reads format 1"));
    run_sql(d->place.path, "PRAGMA application_id = 5");
    assert_int_equal(examine(d->place.path, &e), RC_CORRUPT);
    assert_non_null(strstr(e.text, "is not a ledger"));
}

static void nobody_else_can_read_it(void **state)
{
    struct damaged *d = *state;
    struct stat st;
    assert_int_equal(stat(d->place.path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    struct store *s = NULL;
    assert_int_equal(store_open(d->place.path, STORE_WRITE, &s, NULL), RC_OK);
    log_maker_fill(d->maker, s, 1);
    char wal[400];
    snprintf(wal, sizeof wal, "%s-wal", d->place.path);
    assert_int_equal(stat(wal, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    store_close(s);
}

static long size_of_file(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? (long)st.st_size : 0;
}

static void the_log_of_the_database_stays_small(void **state)
{
    struct damaged *d = *state;
    struct store *s = NULL;
    assert_int_equal(store_open(d->place.path, STORE_WRITE, &s, NULL), RC_OK);
    char wal[400];
    snprintf(wal, sizeof wal, "%s-wal", d->place.path);
    long largest = 0;
    for (int i = 0; i < 400; i++) {
        log_maker_fill(d->maker, s, 100);
        assert_int_equal(store_tidy(s, false, NULL), RC_OK);
        largest = size_of_file(wal) > largest ? size_of_file(wal) : largest;
    }
    assert_in_range(largest, STORE_WAL_MAX_BYTES, STORE_WAL_MAX_BYTES * 5 / 4);
    store_close(s);
    /* An idle log is moved earlier. */
    assert_int_equal(store_open(d->place.path, STORE_WRITE, &s, NULL), RC_OK);
    largest = 0;
    for (int i = 0; i < 200; i++) {
        log_maker_fill(d->maker, s, 100);
        assert_int_equal(store_tidy(s, true, NULL), RC_OK);
        largest = size_of_file(wal) > largest ? size_of_file(wal) : largest;
    }
    assert_in_range(largest, STORE_WAL_IDLE_BYTES, STORE_WAL_IDLE_BYTES * 3 / 2);
    store_close(s);
}

/* Files of this process can't grow past the limit: to SQLite that is a disk without room. */
static void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes == 0 ? limit.rlim_max : bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_full_disk_takes_the_same_batch_later(void **state)
{
    struct damaged *d = *state;
    signal(SIGXFSZ, SIG_IGN);
    struct store *s = NULL;
    assert_int_equal(store_open(d->place.path, STORE_WRITE, &s, NULL), RC_OK);
    struct batch b = log_maker_batch(d->maker, 3000);
    struct err e;
    limit_files(200000); /* the log's first pages fit, the batch does not */
    for (int i = 0; i < 3; i++) {
        assert_int_equal(store_append(s, &b, &e), RC_LIMIT);
        assert_non_null(strstr(e.text, "ledger.db: the disk is full"));
        uint64_t size = 0;
        assert_int_equal(store_size(s, &size, NULL), RC_OK);
        assert_int_equal(size, 2000);
    }
    assert_int_equal(store_put_checkpoint(s, 2000, STR("note"), &e), RC_OK); /* small enough */
    limit_files(0);
    assert_int_equal(store_append(s, &b, &e), RC_OK);
    store_close(s);
    assert_int_equal(examine(d->place.path, &e), RC_OK);
    assert_int_equal(store_open(d->place.path, STORE_READ, &s, NULL), RC_OK);
    struct tree tree;
    assert_int_equal(store_tree(s, &tree, NULL), RC_OK);
    assert_int_equal(tree.size, 5000);
    struct digest got = tree_root(&tree);
    struct digest want = tree_root(&d->maker->tree);
    assert_memory_equal(&got, &want, SHA256_LEN);
    store_close(s);
}

static void a_copy_that_does_not_fit_is_gone(void **state)
{
    struct damaged *d = *state;
    char path[400];
    snprintf(path, sizeof path, "%s-copy", d->place.path);
    signal(SIGXFSZ, SIG_IGN);
    struct store *s = NULL;
    assert_int_equal(store_open(d->place.path, STORE_READ, &s, NULL), RC_OK);
    struct err e;
    limit_files(30000);
    enum rc rc = store_copy(s, path, &e);
    limit_files(0);
    assert_int_equal(rc, RC_LIMIT);
    assert_non_null(strstr(e.text, "copy to "));
    assert_non_null(strstr(e.text, "the disk is full"));
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(store_copy(s, path, NULL), RC_OK);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    store_close(s);
}

static void a_folder_that_is_not_there(void **state)
{
    struct damaged *d = *state;
    char path[400];
    snprintf(path, sizeof path, "%s/no/such/ledger.db", d->place.folder);
    struct store *s = NULL;
    struct err e;
    assert_int_equal(store_open(path, STORE_CREATE, &s, &e), RC_NOT_FOUND);
    assert_non_null(strstr(e.text, "No such file or directory"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(cut_short),
        TEST(some_other_file),
        TEST(flipped_bits),
        TEST(lost_rows),
        TEST(erased_bodies),
        TEST(another_format),
        TEST(nobody_else_can_read_it),
        TEST(the_log_of_the_database_stays_small),
        TEST(a_full_disk_takes_the_same_batch_later),
        TEST(a_copy_that_does_not_fit_is_gone),
        TEST(a_folder_that_is_not_there),
    };
    int failed = store_suite("store_suite: SQLite", place_make, place_drop);
    return failed + cmocka_run_group_tests_name("SQLite", tests, NULL, NULL);
}
