/* loop_process: what a command gets, how its end is told, and that nothing of it is left. */
#include "net/loop_process.h"

#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WAIT_MS = 10000 };

static const char *const env[] = {"PATH=/usr/bin:/bin", "ONLY=this one", NULL};

struct run {
    struct loop *loop;
    struct loop_process *process;
    struct loop_process_end end;
    unsigned ends;
    unsigned wanted;
    char folder[64];
    char out[128];
};

static void run_init(struct run *r)
{
    *r = (struct run){.wanted = 1, .folder = "/tmp/pawl-loop-process.XXXXXX"};
    assert_int_equal(loop_new(&r->loop, NULL), RC_OK);
    assert_non_null(mkdtemp(r->folder));
    snprintf(r->out, sizeof r->out, "%s/out", r->folder);
}

static void run_done(struct run *r)
{
    loop_free(r->loop);
    unlink(r->out);
    assert_int_equal(rmdir(r->folder), 0);
}

static void on_end(void *context, struct loop_process_end end)
{
    struct run *r = context;
    r->end = end;
    if (++r->ends >= r->wanted) {
        loop_stop(r->loop);
    }
}

static enum rc start(struct run *r, const char *const *argv, struct str input, int64_t timeout_ms,
                     struct err *e)
{
    struct loop_process_spec spec = {
        .argv = argv, .envp = env, .input = input, .timeout_ms = timeout_ms};
    return loop_process_start(r->loop, &spec, on_end, r, &r->process, e);
}

/* sh -c text, with the file to write to as $0, to its end. */
static void run_shell(struct run *r, const char *text, struct str input, int64_t timeout_ms)
{
    const char *argv[] = {"/bin/sh", "-c", text, r->out, NULL};
    struct err e;
    if (start(r, argv, input, timeout_ms, &e) != RC_OK) {
        fail_msg("%s", e.text);
    }
    loop_run(r->loop);
}

static struct str read_out(const struct run *r, char *out, size_t size)
{
    int fd = open(r->out, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    ssize_t n = read(fd, out, size - 1);
    assert_true(n >= 0);
    close(fd);
    return (struct str){out, (size_t)n};
}

static void ends_are_told(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int exit_code;
        int signal;
    } cases[] = {
        {"exit 0", 0, 0},
        {"exit 7", 7, 0},
        {"kill -TERM $$", -1, SIGTERM},
        {"kill -KILL $$", -1, SIGKILL},
        {"echo what is printed goes nowhere; echo also >&2", 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct run r;
        run_init(&r);
        run_shell(&r, cases[i].text, STR(""), WAIT_MS);
        assert_int_equal(r.end.exit_code, cases[i].exit_code);
        assert_int_equal(r.end.signal, cases[i].signal);
        assert_false(r.end.timed_out);
        run_done(&r);
    }
}

static void a_command_gets_exactly_what_it_was_given(void **state)
{
    (void)state;
    struct run r;
    run_init(&r);
    /* An open descriptor without close-on-exec, and a signal that we ignore. */
    int leak = open("/dev/null", O_RDONLY);
    assert_true(leak > 2);
    const char *text = "exec >\"$0\"; printf '[%s]' \"$@\"; cat; env | grep -v ^PWD= | grep -v ^_= | sort; pwd;"
                       "ls /proc/$$/fd | tr '\\n' ' '; grep SigIgn /proc/$$/status";
    const char *argv[] = {"/bin/sh", "-c", text, r.out, "a b", "$HOME", "*", "", "'\"`;", NULL};
    struct err e;
    assert_int_equal(start(&r, argv, STR("given\n"), WAIT_MS, &e), RC_OK);
    loop_run(r.loop);
    close(leak);
    assert_int_equal(r.end.exit_code, 0);
    char bytes[4096] = "";
    struct str got = read_out(&r, bytes, sizeof bytes);
    struct str want = STR("[a b][$HOME][*][]['\"`;]given\nONLY=this one\nPATH=/usr/bin:/bin\n/\n0 1 2 ");
    assert_str(str_slice(got, 0, want.len < got.len ? want.len : got.len), want.ptr);
    /* The two numbers that the C library keeps for itself stay as they came. */
    const char *ignored = memmem(got.ptr, got.len, "SigIgn:", 7);
    assert_non_null(ignored);
    assert_int_equal(strtoull(ignored + 7, NULL, 16) & ~(3ULL << 31), 0);
    run_done(&r);
}

static void the_input_may_be_large(void **state)
{
    (void)state;
    struct run r;
    run_init(&r);
    static char large[LOOP_PROCESS_INPUT_MAX + 1];
    memset(large, 'x', sizeof large);
    run_shell(&r, "wc -c >\"$0\"", (struct str){large, LOOP_PROCESS_INPUT_MAX}, WAIT_MS);
    char bytes[64];
    assert_str(str_trim(read_out(&r, bytes, sizeof bytes)), "1048576");
    run_shell(&r, "exit 3", (struct str){large, LOOP_PROCESS_INPUT_MAX}, WAIT_MS); /* unread */
    assert_int_equal(r.end.exit_code, 3);
    const char *argv[] = {"/bin/true", NULL};
    struct err e;
    assert_int_equal(start(&r, argv, (struct str){large, sizeof large}, WAIT_MS, &e), RC_LIMIT);
    assert_string_equal(e.text, "/bin/true: more than 1048576 bytes of input");
    run_done(&r);
}

/* The pid that a script wrote. */
static pid_t written_pid(const struct run *r)
{
    char bytes[32];
    int64_t pid = 0;
    assert_true(str_to_i64(str_trim(read_out(r, bytes, sizeof bytes)), &pid));
    return (pid_t)pid;
}

/* A killed grandchild is init's to reap, which may take a moment: a zombie counts as gone. */
static bool is_gone(pid_t pid)
{
    char path[64];
    char line[512] = "";
    snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    for (int i = 0; i < 200; i++) {
        FILE *f = fopen(path, "r");
        if (f == NULL) {
            return true;
        }
        const char *got = fgets(line, sizeof line, f);
        fclose(f);
        if (got == NULL || strstr(line, ") Z ") != NULL || strstr(line, ") X ") != NULL) {
            return true;
        }
        usleep(10000);
    }
    return false;
}

static void what_hangs_is_killed_with_its_group(void **state)
{
    (void)state;
    struct run r;
    run_init(&r);
    run_shell(&r, "trap '' TERM INT HUP; sleep 1000 & echo $! >\"$0\"; wait", STR(""), 600);
    assert_true(r.end.timed_out);
    assert_int_equal(r.end.exit_code, -1);
    assert_int_equal(r.end.signal, SIGKILL);
    assert_true(is_gone(written_pid(&r)));
    run_done(&r);
}

static void what_it_leaves_running_is_killed(void **state)
{
    (void)state;
    struct run r;
    run_init(&r);
    run_shell(&r, "sleep 1000 & echo $! >\"$0\"; exit 5", STR(""), WAIT_MS);
    assert_int_equal(r.end.exit_code, 5);
    assert_false(r.end.timed_out);
    assert_true(is_gone(written_pid(&r)));
    run_done(&r);
}

static void a_freed_one_is_killed_and_says_nothing(void **state)
{
    (void)state;
    struct run r;
    run_init(&r);
    const char *argv[] = {"/bin/sleep", "1000", NULL};
    struct err e;
    assert_int_equal(start(&r, argv, STR(""), WAIT_MS, &e), RC_OK);
    struct loop_process *first = r.process;
    run_shell(&r, "exit 1", STR(""), WAIT_MS);
    loop_process_free(first);
    loop_process_free(NULL);
    run_shell(&r, "exit 2", STR(""), WAIT_MS);
    assert_int_equal(r.ends, 2);
    assert_int_equal(r.end.exit_code, 2);
    run_done(&r);
}

static void several_run_at_once(void **state)
{
    (void)state;
    struct run r;
    run_init(&r);
    r.wanted = 8;
    /* Ignored SIGCHLD, as some parents leave it, would lose how they end. */
    signal(SIGCHLD, SIG_IGN);
    const char *argv[] = {"/bin/sh", "-c", "exit 4", NULL};
    for (unsigned i = 0; i < r.wanted; i++) {
        assert_int_equal(start(&r, argv, STR(""), WAIT_MS, NULL), RC_OK);
    }
    loop_run(r.loop);
    assert_int_equal(r.ends, 8);
    assert_int_equal(r.end.exit_code, 4);
    run_done(&r);
}

static void what_can_not_run_is_told(void **state)
{
    (void)state;
    struct run r;
    run_init(&r);
    int fd = open(r.out, O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
    assert_int_equal(write(fd, "neither\n", 8), 8);
    close(fd);
    char below[160];
    snprintf(below, sizeof below, "%s/below", r.out);
    const struct {
        const char *program;
        enum rc rc;
        const char *says;
    } cases[] = {
        {"/nonexistent/program", RC_NOT_FOUND, "/nonexistent/program: No such file or directory"},
        {"/tmp", RC_DENIED, "/tmp: Permission denied"},
        {"/etc/passwd", RC_DENIED, "/etc/passwd: Permission denied"},
        {r.out, RC_INVALID, "Exec format error"},
        {below, RC_INVALID, "Not a directory"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *argv[] = {cases[i].program, NULL};
        struct err e = {0};
        enum rc rc = start(&r, argv, STR(""), WAIT_MS, &e);
        if (rc != cases[i].rc || strstr(e.text, cases[i].says) == NULL) {
            fail_msg("%s: %s, \"%s\"", cases[i].program, rc_name(rc), e.text);
        }
    }
    assert_int_equal(r.ends, 0);
    run_done(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_are_told),
        cmocka_unit_test(a_command_gets_exactly_what_it_was_given),
        cmocka_unit_test(the_input_may_be_large),
        cmocka_unit_test(what_hangs_is_killed_with_its_group),
        cmocka_unit_test(what_it_leaves_running_is_killed),
        cmocka_unit_test(a_freed_one_is_killed_and_says_nothing),
        cmocka_unit_test(several_run_at_once),
        cmocka_unit_test(what_can_not_run_is_told),
    };
    return cmocka_run_group_tests_name("loop_process", tests, NULL, NULL);
}
