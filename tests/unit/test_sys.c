/* sys: files, locks, clocks, random bytes, the log. */
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/log.h"
#include "sys/random.h"

#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct folder {
    char path[256];
};

static int folder_make(void **state)
{
    static struct folder f;
    const char *tmp = getenv("TMPDIR");
    snprintf(f.path, sizeof f.path, "%s/pawl-sys-XXXXXX", tmp != NULL ? tmp : "/tmp");
    *state = &f;
    return mkdtemp(f.path) == NULL ? -1 : 0;
}

static int folder_drop(void **state)
{
    const struct folder *f = *state;
    char command[300];
    snprintf(command, sizeof command, "rm -rf '%s'", f->path);
    return system(command);
}

static const char *in(void **state, const char *name, char *out)
{
    const struct folder *f = *state;
    snprintf(out, FILE_PATH_MAX, "%s/%s", f->path, name);
    return out;
}

static void writes_and_reads(void **state)
{
    char path[FILE_PATH_MAX];
    in(state, "a", path);
    mode_t old = umask(077);
    assert_int_equal(file_write_atomic(path, STR("one"), 0644, NULL), RC_OK);
    assert_int_equal(file_write_atomic(path, STR("second"), 0644, NULL), RC_OK);
    umask(old);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0644);
    CLEANUP(buf) struct buf b;
    buf_init(&b, 6); /* exactly its length */
    assert_int_equal(file_read(path, &b, NULL), RC_OK);
    assert_str(buf_view(&b), "second");
    assert_true(file_exists(path));
    assert_int_equal(file_write_atomic(path, STR(""), 0600, NULL), RC_OK);
    buf_reset(&b);
    assert_int_equal(file_read(path, &b, NULL), RC_OK);
    assert_int_equal(b.len, 0);
}

static void a_long_file_is_refused(void **state)
{
    char path[FILE_PATH_MAX];
    in(state, "long", path);
    assert_int_equal(file_write_atomic(path, STR("1234567"), 0600, NULL), RC_OK);
    CLEANUP(buf) struct buf b;
    buf_init(&b, 6);
    struct err e;
    assert_int_equal(file_read(path, &b, &e), RC_LIMIT);
    assert_non_null(strstr(e.text, "/long: longer than 6 bytes"));
    assert_int_equal(b.rc, RC_LIMIT);
}

static void reading_what_is_not_there(void **state)
{
    char path[FILE_PATH_MAX];
    struct err e;
    CLEANUP(buf) struct buf b;
    buf_init(&b, 100);
    assert_int_equal(file_read(in(state, "missing", path), &b, &e), RC_NOT_FOUND);
    assert_non_null(strstr(e.text, "/missing: can't open: No such file"));
    assert_false(file_exists(path));
    assert_int_equal(file_read(in(state, "", path), &b, &e), RC_UNAVAILABLE);
    assert_non_null(strstr(e.text, "can't read: Is a directory"));
    assert_int_equal(file_write_atomic(in(state, "no/such/folder", path), STR("x"), 0600, &e), RC_NOT_FOUND);
    assert_non_null(strstr(e.text, "can't create"));
    char longest[FILE_PATH_MAX + 10];
    memset(longest, 'p', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    assert_int_equal(file_write_atomic(longest, STR("x"), 0600, &e), RC_INVALID);
}

/* In a child, since the limit can't be raised again everywhere. */
static void a_full_disk_leaves_the_old_file(void **state)
{
    char path[FILE_PATH_MAX];
    in(state, "kept", path);
    assert_int_equal(file_write_atomic(path, STR("old"), 0600, NULL), RC_OK);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        signal(SIGXFSZ, SIG_IGN);
        struct rlimit limit = {1000, 1000};
        static char big[2000];
        int ok = setrlimit(RLIMIT_FSIZE, &limit) == 0 &&
                 file_write_atomic(path, (struct str){big, sizeof big}, 0600, NULL) == RC_LIMIT;
        _exit(ok ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CLEANUP(buf) struct buf b;
    buf_init(&b, 100);
    assert_int_equal(file_read(path, &b, NULL), RC_OK);
    assert_str(buf_view(&b), "old");
    char command[FILE_PATH_MAX + 40];
    snprintf(command, sizeof command, "test -z \"$(ls '%s'.* 2>/dev/null)\"", path);
    assert_int_equal(system(command), 0);
}

static void private_files(void **state)
{
    char path[FILE_PATH_MAX];
    struct err e;
    in(state, "key", path);
    assert_int_equal(file_write_atomic(path, STR("k"), 0600, NULL), RC_OK);
    assert_int_equal(file_check_private(path, NULL), RC_OK);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(file_check_private(path, &e), RC_DENIED);
    assert_non_null(strstr(e.text, "mode 0640 lets others in; make it 0600"));
    assert_int_equal(chmod(path, 0400), 0);
    assert_int_equal(file_check_private(path, NULL), RC_OK);
    assert_int_equal(folder_check_private(path, &e), RC_DENIED);
    assert_non_null(strstr(e.text, "is not a folder"));
    char link[FILE_PATH_MAX];
    assert_int_equal(symlink(path, in(state, "link", link)), 0);
    assert_int_equal(file_check_private(link, &e), RC_DENIED);
    assert_non_null(strstr(e.text, "is not a regular file"));
    assert_int_equal(file_check_private(in(state, "nothing", link), &e), RC_NOT_FOUND);
    const struct folder *f = *state;
    assert_int_equal(folder_check_private(f->path, NULL), RC_OK);
    assert_int_equal(chmod(f->path, 0755), 0);
    assert_int_equal(folder_check_private(f->path, &e), RC_DENIED);
    assert_non_null(strstr(e.text, "mode 0755 lets others in; make it 0700"));
    assert_int_equal(chmod(f->path, 0700), 0);
}

static void one_holder_at_a_time(void **state)
{
    char path[FILE_PATH_MAX];
    in(state, "pawl.lock", path);
    struct file_lock *first = NULL;
    struct file_lock *second = NULL;
    assert_int_equal(file_lock_take(path, &first, NULL), RC_OK);
    struct err e;
    assert_int_equal(file_lock_take(path, &second, &e), RC_CONFLICT);
    char want[64];
    snprintf(want, sizeof want, "pawl.lock: held by process %ld", (long)getpid());
    assert_non_null(strstr(e.text, want));
    assert_null(second);
    file_lock_free(first);
    assert_int_equal(file_lock_take(path, &second, NULL), RC_OK);
    file_lock_free(second);
    file_lock_free(NULL);
    assert_int_equal(file_lock_take(in(state, "no/folder", path), &second, &e), RC_NOT_FOUND);
}

static void clocks_go_forward(void **state)
{
    (void)state;
    assert_true(clock_wall_ms() > 1700000000000);
    int64_t boot = clock_boot_ms();
    int64_t mono = clock_monotonic_us();
    assert_true(clock_boot_ms() >= boot);
    assert_true(clock_monotonic_us() >= mono);
}

static void random_bytes_are_handed_out_once(void **state)
{
    (void)state;
    enum { COUNT = 300 };
    static uint8_t salts[COUNT][32];
    struct random_pool pool = {.left = 0};
    for (size_t i = 0; i < COUNT; i++) { /* past two refills */
        random_pool_take(&pool, salts[i], 32);
        for (size_t k = 0; k < i; k++) {
            assert_memory_not_equal(salts[i], salts[k], 32);
        }
    }
    for (size_t i = pool.left; i < sizeof pool.bytes; i++) {
        assert_int_equal(pool.bytes[i], 0); /* wiped */
    }
    random_pool_done(&pool);
    assert_int_equal(pool.left, 0);
    uint8_t zero[64] = {0};
    uint8_t bytes[64] = {0};
    random_bytes(bytes, sizeof bytes);
    assert_memory_not_equal(bytes, zero, sizeof bytes);
}

/* What the log writes into a pipe, without the time that begins it. */
static struct str logged(int fd, char *out, size_t size)
{
    ssize_t n = read(fd, out, size);
    assert_true(n > 0);
    return (struct str){out, (size_t)n};
}

static void log_lines(void **state)
{
    (void)state;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    struct log l;
    log_init(&l, fds[1], LOG_LEVEL_INFO);
    assert_false(l.readable);
    char text[2 * LOG_LINE_MAX];
    log_text(&l, LOG_LEVEL_DEBUG, "not written");
    log_text(NULL, LOG_LEVEL_ERROR, "not written either");
    log_line(&l, LOG_LEVEL_WARN, "disk is full", log_str("path", STR("/x")), log_int("free_bytes", -7),
             log_bool("ok", true));
    struct str line = logged(fds[0], text, sizeof text);
    assert_true(str_starts(line, STR("{\"time\":\"20")));
    assert_str(str_slice(line, 9 + 26 - 1, line.len),
               ",\"level\":\"warn\",\"message\":\"disk is full\",\"path\":\"/x\",\"free_bytes\":-7,\"ok\":true}\n");
    log_line(&l, LOG_LEVEL_ERROR, "m", log_str("s", STR("a\"b\\\n\x1b[2J\xe2\x80\xae\xc3\xa9\xff\xc2\x9b\xf0\x9f\x98\x80\xed\xa0\x80")));
    line = logged(fds[0], text, sizeof text);
    assert_str(str_slice(line, 34, line.len),
               ",\"level\":\"error\",\"message\":\"m\",\"s\":\"a\\\"b\\\\\\u000a\\u001b[2J\\u202e\xc3\xa9\\ufffd\\u009b"
               "\xf0\x9f\x98\x80\\ufffd\\ufffd\\ufffd\"}\n");
    l.readable = true;
    log_line(&l, LOG_LEVEL_INFO, "started", log_int("port", 8080), log_str("who", STR("a\rb")));
    line = logged(fds[0], text, sizeof text);
    assert_str(str_slice(line, 12, line.len), " info  started port=8080 who=\"a\\u000db\"\n");
    close(fds[0]);
    close(fds[1]);
}

static void long_lines_are_cut_whole(void **state)
{
    (void)state;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    struct log l = {.fd = fds[1], .level = LOG_LEVEL_DEBUG};
    static char big[LOG_LINE_MAX];
    memset(big, 'x', sizeof big);
    char text[2 * LOG_LINE_MAX];
    log_line(&l, LOG_LEVEL_INFO, "m", log_int("n", 1), log_str("s", (struct str){big, sizeof big}), log_int("k", 2));
    struct str line = logged(fds[0], text, sizeof text);
    assert_str(str_slice(line, 34, line.len), ",\"level\":\"info\",\"message\":\"m\",\"n\":1,\"cut\":true}\n");
    /* The longest that is whole. */
    size_t room = LOG_LINE_MAX - 16 - line.len + strlen(",\"n\":1,\"cut\":true}\n") - strlen(",\"s\":\"\"");
    log_line(&l, LOG_LEVEL_INFO, "m", log_str("s", (struct str){big, room}));
    line = logged(fds[0], text, sizeof text);
    assert_true(str_ends(line, STR("xx\"}\n")));
    log_line(&l, LOG_LEVEL_INFO, "m", log_str("s", (struct str){big, room + 1}));
    line = logged(fds[0], text, sizeof text);
    assert_true(str_ends(line, STR("\"m\",\"cut\":true}\n")));
    close(fds[0]);
    close(fds[1]);
}

static void log_levels(void **state)
{
    (void)state;
    enum log_level level;
    assert_true(log_level_parse(STR("debug"), &level) && level == LOG_LEVEL_DEBUG);
    assert_true(log_level_parse(STR("error"), &level) && level == LOG_LEVEL_ERROR);
    assert_false(log_level_parse(STR("loud"), &level));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_and_reads),
        cmocka_unit_test(a_long_file_is_refused),
        cmocka_unit_test(reading_what_is_not_there),
        cmocka_unit_test(a_full_disk_leaves_the_old_file),
        cmocka_unit_test(private_files),
        cmocka_unit_test(one_holder_at_a_time),
        cmocka_unit_test(clocks_go_forward),
        cmocka_unit_test(random_bytes_are_handed_out_once),
        cmocka_unit_test(log_lines),
        cmocka_unit_test(long_lines_are_cut_whole),
        cmocka_unit_test(log_levels),
    };
    return cmocka_run_group_tests(tests, folder_make, folder_drop);
}
