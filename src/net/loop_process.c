/* A child that the loop watches by its descriptor: posix_spawn copies no page tables, so that the loop
 * is not held up by a large process forking. */
#include "net/loop_process.h"

#include "base/must.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct loop_process {
    pid_t pid;
    int pidfd; /* readable when it has ended */
    struct loop_fd *watch;
    struct loop_timer *timer;
    loop_process_fn fn;
    void *context;
    bool timed_out;
};

/* --- ending ------------------------------------------------------------------------------------ */

/* Only before the child is reaped: until then its number is nobody else's. */
static void kill_group(const struct loop_process *p)
{
    (void)kill(-p->pid, SIGKILL); /* that nothing is left of it is fine */
}

static struct loop_process_end reap(const struct loop_process *p)
{
    int status = 0;
    pid_t got;
    do {
        got = waitpid(p->pid, &status, 0);
    } while (got < 0 && errno == EINTR);
    must(got == p->pid);
    return (struct loop_process_end){.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
                                     .signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
                                     .timed_out = p->timed_out};
}

/* What the loop holds of it. */
static void release(struct loop_process *p)
{
    loop_unwatch(p->watch);
    loop_timer_free(p->timer);
    if (p->pidfd >= 0) {
        close(p->pidfd);
    }
    free(p);
}

void loop_process_free(struct loop_process *p)
{
    if (p != NULL) {
        kill_group(p);
        (void)reap(p);
        release(p);
    }
}

static void on_end(void *context, int fd, int events)
{
    (void)fd;
    (void)events;
    struct loop_process *p = context;
    kill_group(p); /* what it left running */
    struct loop_process_end end = reap(p);
    loop_process_fn fn = p->fn;
    void *fn_context = p->context;
    release(p);
    fn(fn_context, end);
}

static void on_time_over(void *context)
{
    struct loop_process *p = context;
    p->timed_out = true;
    kill_group(p); /* its end comes by the descriptor */
}

/* --- beginning --------------------------------------------------------------------------------- */

static enum rc spawn_failed(struct err *e, const char *program, int code)
{
    enum rc rc = code == ENOENT                       ? RC_NOT_FOUND
                 : code == EACCES || code == EPERM    ? RC_DENIED
                 : code == ENOEXEC || code == ENOTDIR ? RC_INVALID
                 : code == E2BIG                      ? RC_LIMIT
                 : code == ENOMEM                     ? RC_NO_MEMORY
                                                      : RC_UNAVAILABLE;
    return err_set(e, rc, "%s: %s", program, strerror(code));
}

/* The bytes as a file that begins at its start; -1 with errno. */
static int input_open(struct str input)
{
    int fd = memfd_create("input", MFD_CLOEXEC);
    while (fd >= 0 && input.len > 0) {
        ssize_t n = write(fd, input.ptr, input.len);
        if (n <= 0) {
            close(fd);
            return -1;
        }
        input = str_slice(input, (size_t)n, input.len);
    }
    if (fd >= 0 && lseek(fd, 0, SEEK_SET) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static int fill_actions(posix_spawn_file_actions_t *actions, int input)
{
    int code = posix_spawn_file_actions_adddup2(actions, input, STDIN_FILENO);
    for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO && code == 0; fd++) {
        code = posix_spawn_file_actions_addopen(actions, fd, "/dev/null", O_WRONLY, 0);
    }
    code = code == 0 ? posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1) : code;
    return code == 0 ? posix_spawn_file_actions_addchdir_np(actions, "/") : code;
}

/* Own group, no signal blocked, none ignored: ours ignores SIGPIPE. */
static int fill_attributes(posix_spawnattr_t *attributes)
{
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    int code = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                                        POSIX_SPAWN_SETSIGDEF);
    code = code == 0 ? posix_spawnattr_setpgroup(attributes, 0) : code;
    code = code == 0 ? posix_spawnattr_setsigmask(attributes, &none) : code;
    return code == 0 ? posix_spawnattr_setsigdefault(attributes, &all) : code;
}

/* 0 or an error number. */
static int spawn(const struct loop_process_spec *spec, int input, pid_t *ret)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int code = posix_spawn_file_actions_init(&actions);
    if (code != 0) {
        return code;
    }
    code = posix_spawnattr_init(&attributes);
    if (code == 0) {
        code = fill_actions(&actions, input);
        code = code == 0 ? fill_attributes(&attributes) : code;
        /* They take what is not const by history only. */
        char *const *argv = (char *const *)(uintptr_t)spec->argv;
        char *const *envp = (char *const *)(uintptr_t)spec->envp;
        code = code == 0 ? posix_spawn(ret, argv[0], &actions, &attributes, argv, envp) : code;
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return code;
}

/* Whoever started us may have had SIGCHLD ignored; then the kernel reaps, and a child's number may
 * become another's before we look. */
static void keep_ended_children(void)
{
    struct sigaction now;
    if (sigaction(SIGCHLD, NULL, &now) == 0 && now.sa_handler == SIG_IGN) {
        signal(SIGCHLD, SIG_DFL);
    }
}

static enum rc start_child(struct loop_process *p, const struct loop_process_spec *spec,
                           struct err *e)
{
    int input = input_open(spec->input);
    if (input < 0) {
        return err_set(e, RC_UNAVAILABLE, "%s: no room for its input: %s", spec->argv[0],
                       strerror(errno));
    }
    int code = spawn(spec, input, &p->pid);
    close(input);
    return code == 0 ? RC_OK : spawn_failed(e, spec->argv[0], code);
}

static enum rc watch_child(struct loop *l, struct loop_process *p, int64_t timeout_ms,
                           struct err *e)
{
    p->pidfd = (int)syscall(SYS_pidfd_open, p->pid, 0);
    if (p->pidfd < 0) {
        return err_set(e, RC_UNAVAILABLE, "a command can't be watched: %s", strerror(errno));
    }
    enum rc rc = loop_watch(l, p->pidfd, LOOP_READ, on_end, p, &p->watch, e);
    rc = rc == RC_OK ? loop_timer_new(l, on_time_over, p, &p->timer, e) : rc;
    if (rc == RC_OK) {
        loop_timer_set(p->timer, timeout_ms);
    }
    return rc;
}

enum rc loop_process_start(struct loop *l, const struct loop_process_spec *spec, loop_process_fn fn,
                           void *context, struct loop_process **ret, struct err *e)
{
    must(spec->argv[0] != NULL && spec->argv[0][0] == '/' && spec->timeout_ms > 0 && fn != NULL);
    if (spec->input.len > LOOP_PROCESS_INPUT_MAX) {
        return err_set(e, RC_LIMIT, "%s: more than %d bytes of input", spec->argv[0],
                       LOOP_PROCESS_INPUT_MAX);
    }
    struct loop_process *p = calloc(1, sizeof *p);
    if (p == NULL) {
        return err_set(e, RC_NO_MEMORY, "no memory for a command");
    }
    p->fn = fn;
    p->context = context;
    p->pidfd = -1;
    keep_ended_children();
    enum rc rc = start_child(p, spec, e);
    if (rc != RC_OK) {
        free(p);
        return rc;
    }
    rc = watch_child(l, p, spec->timeout_ms, e);
    if (rc != RC_OK) {
        loop_process_free(p);
        return rc;
    }
    *ret = p;
    return RC_OK;
}
