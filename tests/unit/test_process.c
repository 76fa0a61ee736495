/* process: what a child gets, what comes back, and that nothing of it is left. */
#include "net/process.h"

#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WAIT_MS = 10000, ENV_COUNT = 2 };

static const char *const env[ENV_COUNT + 1] = {"PATH=/usr/bin:/bin", "ONLY=this", NULL};

/* What a run gave. */
struct outcome {
    enum rc rc;
    struct err e;
    enum process_event event;
    int exit_code;
    int signal;
    struct buf out;
    struct buf err;
};

static void collect(void *context, int stream, struct str piece)
{
    struct outcome *o = context;
    assert_in_range(stream, 1, 2);
    buf_str(stream == 1 ? &o->out : &o->err, piece);
}

static void outcome_init(struct outcome *o)
{
    *o = (struct outcome){0};
    buf_init(&o->out, 8 << 20);
    buf_init(&o->err, 8 << 20);
}

static void outcome_done(struct outcome *o)
{
    buf_done(&o->out);
    buf_done(&o->err);
}

static struct process *begin(struct outcome *o, struct process_spec *spec)
{
    outcome_init(o);
    int fd = open(spec->exec_path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    spec->exec_fd = fd;
    struct process *p = NULL;
    o->rc = process_start(spec, &p, &o->e);
    close(fd);
    assert_int_equal(p != NULL, o->rc == RC_OK);
    return p;
}

static void end(struct outcome *o, struct process *p, int64_t wait_ms)
{
    o->event = process_wait(p, wait_ms, collect, o);
    if (o->event == PROCESS_EXITED) {
        o->exit_code = process_exit_code(p);
        o->signal = process_signal(p);
    }
    process_free(p);
}

static struct process_spec shell(const char *const *argv)
{
    return (struct process_spec){
        .exec_path = "/bin/sh", .argv = argv, .envp = env, .cwd = "/", .stdin_fd = -1};
}

/* Runs sh -c text to its end. */
static struct outcome run(const char *text)
{
    const char *argv[] = {"sh", "-c", text, NULL};
    struct process_spec spec = shell(argv);
    struct outcome o;
    struct process *p = begin(&o, &spec);
    if (o.rc != RC_OK) {
        fail_msg("%s", o.e.text);
    }
    end(&o, p, WAIT_MS);
    assert_int_equal(o.event, PROCESS_EXITED);
    return o;
}

static void exit_codes_and_signals(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int exit_code;
        int signal;
    } cases[] = {
        {"exit 0", 0, 0},      {"exit 7", 7, 0},          {"exit 255", 255, 0},
        {"kill -9 $$", -1, 9}, {"kill -TERM $$", -1, 15}, {"kill -SEGV $$", -1, 11},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct outcome o = run(cases[i].text);
        assert_int_equal(o.exit_code, cases[i].exit_code);
        assert_int_equal(o.signal, cases[i].signal);
        outcome_done(&o);
    }
}

static void output_comes_whole_and_apart(void **state)
{
    (void)state;
    struct outcome o = run("echo out; echo err >&2; head -c 3000000 /dev/zero; echo last");
    assert_int_equal(o.out.len, 4 + 3000000 + 5);
    assert_true(str_starts(buf_view(&o.out), STR("out\n")));
    assert_true(str_ends(buf_view(&o.out), STR("last\n")));
    assert_str(buf_view(&o.err), "err\n");
    outcome_done(&o);
}

static void output_is_read_after_it_was_closed(void **state)
{
    (void)state;
    struct outcome o = run("echo out; exec >&- 2>&-; sleep 0.05; exit 3");
    assert_int_equal(o.exit_code, 3);
    assert_str(buf_view(&o.out), "out\n");
    outcome_done(&o);
}

static void the_environment_is_exactly_what_was_given(void **state)
{
    (void)state;
    assert_int_equal(setenv("LD_PRELOAD_NOT", "1", 1), 0);
    static const char *const argv[] = {"env", NULL};
    struct process_spec spec = shell(argv);
    spec.exec_path = "/usr/bin/env";
    struct outcome o;
    struct process *p = begin(&o, &spec);
    end(&o, p, WAIT_MS);
    assert_str(buf_view(&o.out), "PATH=/usr/bin:/bin\nONLY=this\n");
    outcome_done(&o);
    static const char *const nothing[] = {NULL};
    spec.envp = nothing;
    p = begin(&o, &spec);
    end(&o, p, WAIT_MS);
    assert_int_equal(o.exit_code, 0);
    assert_str(buf_view(&o.out), "");
    outcome_done(&o);
}

static void nothing_else_is_inherited(void **state)
{
    (void)state;
    int leak = open("/dev/null", O_RDONLY); /* without O_CLOEXEC */
    assert_true(leak > 2);
    assert_int_equal(signal(SIGUSR1, SIG_IGN) == SIG_ERR, 0);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    assert_int_equal(sigprocmask(SIG_BLOCK, &set, NULL), 0);
    struct outcome o =
        run("pwd; ls /proc/self/fd | wc -l; grep -E 'Sig(Blk|Ign)' /proc/self/status |"
            " sort -u | tr -d '\\t'; ps -o pgid= -p $$ | tr -d ' ' >/dev/null; "
            "test \"$(cut -d' ' -f5 /proc/self/stat)\" = $$ && echo own group");
    /* 0, 1, 2 and the folder that ls reads. */
    assert_str(buf_view(&o.out),
               "/\n4\nSigBlk:0000000000000000\nSigIgn:0000000000000000\nown group\n");
    outcome_done(&o);
    assert_int_equal(sigprocmask(SIG_UNBLOCK, &set, NULL), 0);
    signal(SIGUSR1, SIG_DFL);
    close(leak);
}

static void standard_input(void **state)
{
    (void)state;
    struct outcome o = run("cat; echo end");
    assert_str(buf_view(&o.out), "end\n");
    outcome_done(&o);
    FILE *in = tmpfile();
    assert_non_null(in);
    fputs("given", in);
    rewind(in);
    static const char *const argv[] = {"cat", NULL};
    struct process_spec spec = shell(argv);
    spec.exec_path = "/bin/cat";
    spec.stdin_fd = fileno(in);
    struct process *p = begin(&o, &spec);
    end(&o, p, WAIT_MS);
    assert_str(buf_view(&o.out), "given");
    outcome_done(&o);
    fclose(in);
}

static void low_descriptors_may_be_closed(void **state)
{
    (void)state;
    int in = fcntl(0, F_DUPFD_CLOEXEC, 10);
    assert_int_equal(in < 0 ? errno == EBADF : close(0) == 0, 1);
    struct outcome o = run("cat; echo out; echo err >&2"); /* a pipe's end is 0 now */
    assert_str(buf_view(&o.out), "out\n");
    assert_str(buf_view(&o.err), "err\n");
    outcome_done(&o);
    if (in >= 0) {
        assert_int_equal(dup2(in, 0), 0);
        close(in);
    }
}

static bool runs(int64_t pid)
{
    return kill((pid_t)pid, 0) == 0;
}

/* The pid that text printed first. */
static int64_t printed_pid(const struct outcome *o)
{
    struct str rest = buf_view(&o->out);
    struct str line;
    int64_t pid = 0;
    assert_true(str_next(&rest, '\n', &line) && str_to_i64(line, &pid) && pid > 1);
    return pid;
}

static void what_is_left_running_is_killed(void **state)
{
    (void)state;
    static const char *const texts[] = {
        /* of the group, holds the pipes */
        "sleep 100 & echo $!",
        /* of a session of its own */
        "{ setsid sh -c 'echo $$; exec sleep 100' & } | { read p; echo $p; }",
        /* a daemon with a child */
        "{ (setsid sh -c 'echo $$; sleep 100; true' &) } | { read p; echo $p; }",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct outcome o = run(texts[i]);
        assert_int_equal(o.exit_code, 0);
        assert_false(runs(printed_pid(&o)));
        outcome_done(&o);
    }
}

static void free_kills_what_runs(void **state)
{
    (void)state;
    const char *argv[] = {"sh", "-c", "setsid sleep 100 & echo $!; sleep 100", NULL};
    struct process_spec spec = shell(argv);
    struct outcome o;
    struct process *p = begin(&o, &spec);
    while (o.out.len == 0) {
        assert_int_equal(process_wait(p, 20, collect, &o), PROCESS_TIMEOUT);
    }
    int64_t pid = printed_pid(&o);
    assert_true(runs(pid));
    process_free(p);
    assert_false(runs(pid));
    outcome_done(&o);
    process_free(NULL);
}

static void children_we_had_are_left_alone(void **state)
{
    (void)state;
    pid_t other = fork();
    assert_true(other >= 0);
    if (other == 0) {
        alarm(30);
        pause();
        _exit(0);
    }
    struct outcome o = run("exit 0");
    assert_true(runs(other));
    outcome_done(&o);
    kill(other, SIGKILL);
}

static void a_time_out_leaves_it_running(void **state)
{
    (void)state;
    const char *argv[] = {"sh", "-c", "sleep 0.2; echo late", NULL};
    struct process_spec spec = shell(argv);
    struct outcome o;
    struct process *p = begin(&o, &spec);
    assert_int_equal(process_wait(p, 0, collect, &o), PROCESS_TIMEOUT);
    assert_int_equal(process_wait(p, 20, collect, &o), PROCESS_TIMEOUT);
    end(&o, p, -1);
    assert_int_equal(o.event, PROCESS_EXITED);
    assert_str(buf_view(&o.out), "late\n");
    outcome_done(&o);
}

static void wait_for_output(struct process *p, struct outcome *o)
{
    while (o->out.len == 0) {
        assert_int_equal(process_wait(p, 20, collect, o), PROCESS_TIMEOUT);
    }
}

static void cancel_asks_first(void **state)
{
    (void)state;
    const char *argv[] = {
        "sh", "-c", "trap 'echo stopping; exit 9' TERM; echo ready; while :; do sleep 0.02; done",
        NULL};
    struct process_spec spec = shell(argv);
    struct outcome o;
    struct process *p = begin(&o, &spec);
    wait_for_output(p, &o);
    process_cancel(p);
    process_cancel(p); /* once */
    end(&o, p, WAIT_MS);
    assert_int_equal(o.exit_code, 9);
    assert_str(buf_view(&o.out), "ready\nstopping\n");
    outcome_done(&o);
}

static void cancel_kills_then(void **state)
{
    (void)state;
    const char *argv[] = {"sh", "-c", "trap '' TERM; echo ready; sleep 100; sleep 100", NULL};
    struct process_spec spec = shell(argv);
    struct outcome o;
    struct process *p = begin(&o, &spec);
    wait_for_output(p, &o);
    process_cancel(p);
    assert_int_equal(process_wait(p, 50, collect, &o), PROCESS_TIMEOUT);
    end(&o, p, 2 * PROCESS_KILL_MS);
    assert_int_equal(o.event, PROCESS_EXITED);
    assert_int_equal(o.signal, SIGKILL);
    outcome_done(&o);
}

static void signals_are_passed_on(void **state)
{
    (void)state;
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < 3; i++) {
        const char *argv[] = {"sh", "-c",
                              "trap 'exit 41' INT; trap 'exit 42' TERM; trap 'exit 43' HUP; "
                              "echo ready; while :; do sleep 0.02; done",
                              NULL};
        struct process_spec spec = shell(argv);
        struct outcome o;
        struct process *p = begin(&o, &spec);
        process_forward_signals(p);
        wait_for_output(p, &o);
        assert_int_equal(kill(getpid(), signals[i]), 0);
        end(&o, p, WAIT_MS);
        assert_int_equal(o.exit_code, 41 + (int)i);
        outcome_done(&o);
    }
    sigset_t mask;
    assert_int_equal(sigprocmask(SIG_BLOCK, NULL, &mask), 0);
    assert_false(sigismember(&mask, SIGTERM)); /* as before */
}

/* A file of that content and mode in a new folder; its path. */
static void make_file(char *path, size_t size, const char *content, mode_t mode)
{
    const char *base = getenv("TMPDIR");
    char folder[64];
    snprintf(folder, sizeof folder, "%s/pawl-process-XXXXXX", base != NULL ? base : "/tmp");
    assert_non_null(mkdtemp(folder));
    snprintf(path, size, "%s/file", folder);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(content, f);
    fclose(f);
    assert_int_equal(chmod(path, mode), 0);
}

static void remove_file(char *path)
{
    (void)unlink(path);
    *strrchr(path, '/') = '\0';
    assert_int_equal(rmdir(path), 0);
}

static void scripts_run_by_their_path(void **state)
{
    (void)state;
    char path[128];
    make_file(path, sizeof path, "#!/bin/sh\necho \"$0 $1\"\n", 0700);
    const char *argv[] = {"ignored", "one", NULL};
    struct process_spec spec = shell(argv);
    spec.exec_path = path;
    struct outcome o;
    struct process *p = begin(&o, &spec);
    end(&o, p, WAIT_MS);
    char want[160];
    snprintf(want, sizeof want, "%s one\n", path);
    assert_str(buf_view(&o.out), want);
    outcome_done(&o);
    remove_file(path);
}

static void a_script_that_was_replaced_does_not_run(void **state)
{
    (void)state;
    char path[128];
    make_file(path, sizeof path, "#!/bin/sh\necho checked\n", 0700);
    char other[128];
    make_file(other, sizeof other, "#!/bin/sh\necho replaced\n", 0700);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(rename(other, path), 0);
    const char *argv[] = {"script", NULL};
    struct process_spec spec = shell(argv);
    spec.exec_path = path;
    spec.exec_fd = fd;
    struct process *p = NULL;
    struct err e;
    assert_int_equal(process_start(&spec, &p, &e), RC_DENIED);
    assert_non_null(strstr(e.text, "is not the file that was checked"));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(process_start(&spec, &p, &e), RC_NOT_FOUND);
    assert_null(p);
    close(fd);
    remove_file(path);
    remove_file(other);
}

static void a_program_that_was_replaced_runs_as_it_was(void **state)
{
    (void)state;
    char path[128];
    make_file(path, sizeof path, "", 0700);
    char command[320];
    snprintf(command, sizeof command, "cp /bin/echo '%s'", path);
    assert_int_equal(system(command), 0);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(unlink(path), 0);
    const char *argv[] = {"echo", "checked", NULL};
    struct process_spec spec = shell(argv);
    spec.exec_path = path;
    spec.exec_fd = fd;
    struct outcome o;
    outcome_init(&o);
    struct process *p = NULL;
    assert_int_equal(process_start(&spec, &p, &o.e), RC_OK);
    end(&o, p, WAIT_MS);
    assert_str(buf_view(&o.out), "checked\n");
    outcome_done(&o);
    close(fd);
    remove_file(path);
}

static void failures_to_start_say_why(void **state)
{
    (void)state;
    static const struct {
        const char *content;
        mode_t mode;
        const char *cwd;
        enum rc want;
        const char *part;
    } cases[] = {
        {"#!/bin/sh\n", 0600, "/", RC_INVALID, "is not executable"},
        {"not a program\n", 0700, "/", RC_INVALID, "Exec format error"},
        {"", 0700, "/", RC_INVALID, "Exec format error"},
        {"#!/nonexistent/interpreter\n", 0700, "/", RC_NOT_FOUND,
         "or its interpreter is not there"},
        {"#!/bin/sh\n", 0700, "/nonexistent", RC_NOT_FOUND, "/nonexistent: No such file"},
        {"#!/bin/sh\n", 0700, "/dev/null", RC_INVALID, "/dev/null: Not a directory"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char path[128];
        make_file(path, sizeof path, cases[i].content, cases[i].mode);
        const char *argv[] = {"x", NULL};
        struct process_spec spec = shell(argv);
        spec.exec_path = path;
        spec.cwd = cases[i].cwd;
        struct outcome o;
        (void)begin(&o, &spec);
        if (o.rc != cases[i].want || strstr(o.e.text, cases[i].part) == NULL) {
            fail_msg("%zu: %s, %s", i, rc_name(o.rc), o.e.text);
        }
        outcome_done(&o);
        remove_file(path);
    }
    const char *argv[] = {"x", NULL};
    struct process_spec spec = shell(argv);
    spec.exec_path = "/";
    struct outcome o;
    (void)begin(&o, &spec);
    assert_int_equal(o.rc, RC_INVALID); /* a folder */
    outcome_done(&o);
}

static void arguments_up_to_the_limit(void **state)
{
    (void)state;
    static const char *argv[PROCESS_ARGS_MAX + 2];
    for (size_t i = 0; i < PROCESS_ARGS_MAX; i++) {
        argv[i] = "x";
    }
    struct process_spec spec = shell(argv);
    spec.exec_path = "/bin/true";
    struct outcome o;
    struct process *p = begin(&o, &spec);
    end(&o, p, WAIT_MS);
    assert_int_equal(o.exit_code, 0);
    outcome_done(&o);
    argv[PROCESS_ARGS_MAX] = "x";
    (void)begin(&o, &spec);
    assert_int_equal(o.rc, RC_LIMIT);
    assert_non_null(strstr(o.e.text, "more than 1024 arguments"));
    outcome_done(&o);
}

/* Runs sh -c text with our own standard output replaced by fd. */
static struct outcome run_forwarded(const char *text, int fd)
{
    int saved = fcntl(1, F_DUPFD_CLOEXEC, 10);
    assert_true(saved >= 0);
    fflush(stdout);
    assert_int_equal(dup2(fd, 1), 1);
    const char *argv[] = {"sh", "-c", text, NULL};
    struct process_spec spec = shell(argv);
    spec.forward_output = true;
    struct outcome o;
    struct process *p = begin(&o, &spec);
    end(&o, p, WAIT_MS);
    assert_int_equal(dup2(saved, 1), 1);
    close(saved);
    return o;
}

static void output_is_copied_on(void **state)
{
    (void)state;
    FILE *copy = tmpfile();
    assert_non_null(copy);
    struct outcome o = run_forwarded("echo both", fileno(copy));
    assert_str(buf_view(&o.out), "both\n");
    outcome_done(&o);
    rewind(copy);
    char text[16] = "";
    assert_int_equal(fread(text, 1, sizeof text - 1, copy), 5);
    assert_string_equal(text, "both\n");
    fclose(copy);
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    close(ends[0]); /* nobody reads: the command runs on all the same */
    o = run_forwarded("echo alone; exit 5", ends[1]);
    assert_int_equal(o.exit_code, 5);
    assert_str(buf_view(&o.out), "alone\n");
    outcome_done(&o);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exit_codes_and_signals),
        cmocka_unit_test(output_comes_whole_and_apart),
        cmocka_unit_test(output_is_read_after_it_was_closed),
        cmocka_unit_test(the_environment_is_exactly_what_was_given),
        cmocka_unit_test(nothing_else_is_inherited),
        cmocka_unit_test(standard_input),
        cmocka_unit_test(low_descriptors_may_be_closed),
        cmocka_unit_test(what_is_left_running_is_killed),
        cmocka_unit_test(free_kills_what_runs),
        cmocka_unit_test(children_we_had_are_left_alone),
        cmocka_unit_test(a_time_out_leaves_it_running),
        cmocka_unit_test(cancel_asks_first),
        cmocka_unit_test(cancel_kills_then),
        cmocka_unit_test(signals_are_passed_on),
        cmocka_unit_test(scripts_run_by_their_path),
        cmocka_unit_test(a_script_that_was_replaced_does_not_run),
        cmocka_unit_test(a_program_that_was_replaced_runs_as_it_was),
        cmocka_unit_test(failures_to_start_say_why),
        cmocka_unit_test(arguments_up_to_the_limit),
        cmocka_unit_test(output_is_copied_on),
    };
    return cmocka_run_group_tests_name("process", tests, NULL, NULL);
}
