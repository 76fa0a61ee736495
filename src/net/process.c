/* One child process: started from an open file, watched by its descriptor, read to its end, killed
 * with all it has started. */
#include "net/process.h"

#include "base/must.h"
#include "net/process_internal.h"
#include "net/sigpipe.h"
#include "sys/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PIECE_MAX = 16 << 10 };

enum { OUT = 0, ERR = 1, STREAMS = 2 };

struct process {
    pid_t pid;
    int pidfd;
    int output[STREAMS]; /* -1 when read to its end */
    int signals;         /* -1 unless they are forwarded */
    sigset_t mask_before;
    bool forward_output;
    bool ended;
    int exit_code;
    int signal;
    int64_t kill_at_us;        /* 0: not cancelled */
    struct descendants before; /* children we had already */
};

/* What the child needs, made ready before fork: after it only system calls are safe. */
struct plan {
    const struct process_spec *spec;
    bool script;
    int program;
    int in;
    int out[STREAMS];
    int report; /* closes when the program runs; else tells why it does not */
};

enum child_step { STEP_PREPARE, STEP_FOLDER, STEP_EXEC };

struct report {
    enum child_step step;
    int code;
};

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

/* The child, between fork and exec. */

static _Noreturn void child_fail(const struct plan *p, enum child_step step)
{
    struct report r = {.step = step, .code = errno};
    ssize_t n = write(p->report, &r, sizeof r);
    _exit(n == (ssize_t)sizeof r ? 127 : 126);
}

static void child_reset_signals(void)
{
    /* The kernel's own form, all zero, means the default. The library refuses two numbers that it keeps
     * for itself, and whoever started us may have had them ignored. */
    const uint64_t plain[8] = {0};
    for (long number = 1; number < NSIG; number++) {
        (void)syscall(SYS_rt_sigaction, number, plain, NULL, sizeof(uint64_t)); /* some can't be set */
    }
    sigset_t none;
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static bool child_set_streams(const struct plan *p)
{
    /* The plan's descriptors are all above 2, so none of these closes one that is still needed. */
    return dup2(p->in, STDIN_FILENO) >= 0 && dup2(p->out[OUT], STDOUT_FILENO) >= 0 &&
           dup2(p->out[ERR], STDERR_FILENO) >= 0;
}

static _Noreturn void child_run(const struct plan *p)
{
    const struct process_spec *spec = p->spec;
    /* execve takes what is not const by history only. */
    char *const *argv = (char *const *)(uintptr_t)spec->argv;
    char *const *envp = (char *const *)(uintptr_t)spec->envp;
    child_reset_signals();
    if (setpgid(0, 0) != 0 || !child_set_streams(p) ||
        syscall(SYS_close_range, 3u, ~0u, CLOSE_RANGE_CLOEXEC) != 0) {
        child_fail(p, STEP_PREPARE);
    }
    if (spec->cwd != NULL && chdir(spec->cwd) != 0) {
        child_fail(p, STEP_FOLDER);
    }
    if (p->script) {
        execve(spec->exec_path, argv, envp);
    } else {
        syscall(SYS_execveat, p->program, "", argv, envp, AT_EMPTY_PATH);
    }
    child_fail(p, STEP_EXEC);
}

/* The parent. */

static enum rc report_rc(const struct plan *p, struct report r, struct err *e)
{
    const struct process_spec *spec = p->spec;
    const char *text = strerror(r.code);
    if (r.step == STEP_PREPARE) {
        return err_set(e, RC_UNAVAILABLE, "%s can't be started: %s", spec->exec_path, text);
    }
    const char *what = r.step == STEP_FOLDER ? spec->cwd : spec->exec_path;
    switch (r.code) {
    case ENOENT:
        return err_set(e, RC_NOT_FOUND, "%s: %s", what,
                       r.step == STEP_EXEC && p->script ? "it or its interpreter is not there"
                                                        : text);
    case EACCES:
    case EPERM:
        return err_set(e, RC_DENIED, "%s: %s", what, text);
    case ENOEXEC:
    case ENOTDIR:
    case EISDIR:
    case ELOOP:
        return err_set(e, RC_INVALID, "%s: %s", what, text);
    case E2BIG:
        return err_set(e, RC_LIMIT, "%s: %s", what, text);
    default:
        return err_set(e, RC_UNAVAILABLE, "%s: %s", what, text);
    }
}

static enum rc count_args(const struct process_spec *spec, struct err *e)
{
    size_t count = 0;
    while (count <= PROCESS_ARGS_MAX && spec->argv[count] != NULL) {
        count++;
    }
    if (count > PROCESS_ARGS_MAX) {
        return err_set(e, RC_LIMIT, "%s: more than %d arguments", spec->exec_path,
                       PROCESS_ARGS_MAX);
    }
    must(count > 0);
    return RC_OK;
}

/* An interpreter opens its script again, by name: the name must still lead to the open file. */
static enum rc check_executable(const struct process_spec *spec, bool *ret_script, struct err *e)
{
    struct stat st;
    if (fstat(spec->exec_fd, &st) != 0) {
        return err_set(e, RC_UNAVAILABLE, "%s: %s", spec->exec_path, strerror(errno));
    }
    if (!S_ISREG(st.st_mode) || (st.st_mode & 0111) == 0) {
        return err_set(e, RC_INVALID, "%s is not executable", spec->exec_path);
    }
    char first[2];
    *ret_script = pread(spec->exec_fd, first, 2, 0) == 2 && first[0] == '#' && first[1] == '!';
    if (!*ret_script) {
        return RC_OK;
    }
    struct stat named;
    if (stat(spec->exec_path, &named) != 0) {
        return err_set(e, RC_NOT_FOUND, "%s: %s", spec->exec_path, strerror(errno));
    }
    if (named.st_dev != st.st_dev || named.st_ino != st.st_ino) {
        return err_set(e, RC_DENIED, "%s is not the file that was checked", spec->exec_path);
    }
    return RC_OK;
}

/* A descriptor above 2 that exec closes; takes fd. */
static int raise_fd(int fd)
{
    if (fd < 0 || fd > 2) {
        return fd;
    }
    int higher = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    close(fd);
    return higher;
}

static bool pipe_above(int *ret_read, int *ret_write)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return false;
    }
    *ret_read = raise_fd(ends[0]);
    *ret_write = raise_fd(ends[1]);
    return *ret_read >= 0 && *ret_write >= 0;
}

static bool open_pipes(struct process *p, struct plan *plan, int *ret_report)
{
    const struct process_spec *spec = plan->spec;
    plan->program = fcntl(spec->exec_fd, F_DUPFD_CLOEXEC, 3);
    plan->in = spec->stdin_fd >= 0 ? fcntl(spec->stdin_fd, F_DUPFD_CLOEXEC, 3)
                                   : raise_fd(open("/dev/null", O_RDONLY | O_CLOEXEC));
    return plan->program >= 0 && plan->in >= 0 && pipe_above(&p->output[OUT], &plan->out[OUT]) &&
           pipe_above(&p->output[ERR], &plan->out[ERR]) && pipe_above(ret_report, &plan->report) &&
           fcntl(p->output[OUT], F_SETFL, O_NONBLOCK) == 0 &&
           fcntl(p->output[ERR], F_SETFL, O_NONBLOCK) == 0;
}

/* Waits until the program runs or the child has said why it does not. */
static enum rc await_exec(const struct plan *plan, int report, struct err *e)
{
    struct report r;
    ssize_t n;
    do {
        n = read(report, &r, sizeof r);
    } while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof r ? report_rc(plan, r, e) : RC_OK;
}

static enum rc start_child(struct process *p, struct plan *plan, int *report, struct err *e)
{
    const char *path = plan->spec->exec_path;
    if (!open_pipes(p, plan, report)) {
        return err_set(e, RC_UNAVAILABLE, "%s can't be started: %s", path, strerror(errno));
    }
    descendants_note(&p->before);
    /* What the child starts and leaves behind becomes ours, so that it can be found and killed. */
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
    p->pid = fork();
    if (p->pid == 0) {
        child_run(plan);
    }
    if (p->pid < 0) {
        return err_set(e, RC_UNAVAILABLE, "%s can't be started: %s", path, strerror(errno));
    }
    (void)setpgid(p->pid, p->pid); /* whoever of the two comes first */
    p->pidfd = (int)syscall(SYS_pidfd_open, p->pid, 0);
    close_fd(&plan->report);
    if (p->pidfd < 0) {
        return err_set(e, RC_UNAVAILABLE, "%s can't be watched: %s", path, strerror(errno));
    }
    return await_exec(plan, *report, e);
}

enum rc process_start(const struct process_spec *spec, struct process **ret, struct err *e)
{
    struct plan plan = {.spec = spec, .program = -1, .in = -1, .out = {-1, -1}, .report = -1};
    enum rc rc = count_args(spec, e);
    if (rc == RC_OK) {
        rc = check_executable(spec, &plan.script, e);
    }
    if (rc != RC_OK) {
        return rc;
    }
    struct process *p = calloc(1, sizeof *p);
    if (p == NULL) {
        return err_set(e, RC_NO_MEMORY, "no memory for a process");
    }
    *p = (struct process){
        .pidfd = -1, .output = {-1, -1}, .signals = -1, .forward_output = spec->forward_output};
    int report = -1;
    rc = start_child(p, &plan, &report, e);
    close_fd(&report);
    close_fd(&plan.report);
    close_fd(&plan.program);
    close_fd(&plan.in);
    close_fd(&plan.out[OUT]);
    close_fd(&plan.out[ERR]);
    if (rc != RC_OK) {
        process_free(p);
        return rc;
    }
    *ret = p;
    return RC_OK;
}

/* Output. */

/* Ours may be closed, or slow: the first is no matter, the second is waited for. */
static void forward(int fd, struct str bytes)
{
    struct sigpipe held;
    sigpipe_hold(&held);
    while (bytes.len > 0) {
        ssize_t n = write(fd, bytes.ptr, bytes.len);
        if (n > 0) {
            bytes = str_slice(bytes, (size_t)n, bytes.len);
        } else if (errno == EAGAIN) {
            (void)poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, -1);
        } else if (errno != EINTR) {
            break;
        }
    }
    sigpipe_release(&held);
}

/* One piece; false when there is none now. */
static bool read_piece(struct process *p, int stream, process_output_fn fn, void *context)
{
    char piece[PIECE_MAX];
    ssize_t n = p->output[stream] < 0 ? 0 : read(p->output[stream], piece, sizeof piece);
    if (n > 0) {
        struct str bytes = {piece, (size_t)n};
        if (p->forward_output) {
            forward(stream + 1, bytes);
        }
        if (fn != NULL) {
            fn(context, stream + 1, bytes);
        }
        return true;
    }
    if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        close_fd(&p->output[stream]);
    }
    return false;
}

/* The end. */

static void reap(struct process *p)
{
    int status = 0;
    pid_t pid;
    do {
        pid = waitpid(p->pid, &status, 0);
    } while (pid < 0 && errno == EINTR);
    p->ended = true;
    p->exit_code = pid == p->pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    p->signal = pid == p->pid && WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void kill_all(struct process *p)
{
    (void)kill(-p->pid, SIGKILL);
    descendants_kill(&p->before, p->ended ? 0 : p->pid);
}

/* The child has ended. What it wrote is in the pipes; what it has left running is no part of the
 * command any more and is killed, or it could hold the pipes open for ever. */
static void finish(struct process *p, process_output_fn fn, void *context)
{
    reap(p);
    kill_all(p);
    for (int stream = 0; stream < STREAMS; stream++) {
        while (read_piece(p, stream, fn, context)) {
        }
        close_fd(&p->output[stream]);
    }
}

static void forward_one_signal(struct process *p)
{
    struct signalfd_siginfo info;
    if (read(p->signals, &info, sizeof info) == (ssize_t)sizeof info) {
        (void)kill(-p->pid, (int)info.ssi_signo);
    }
}

/* How long poll may wait, in milliseconds: until the caller's deadline or the kill's. */
static int poll_ms(const struct process *p, int64_t deadline_us)
{
    int64_t at_us = deadline_us;
    if (p->kill_at_us != 0 && p->kill_at_us < at_us) {
        at_us = p->kill_at_us;
    }
    if (at_us == INT64_MAX) {
        return -1;
    }
    int64_t left_ms = (at_us - clock_monotonic_us() + 999) / 1000;
    return left_ms <= 0 ? 0 : left_ms < INT32_MAX ? (int)left_ms : INT32_MAX;
}

/* Waits once; true when the child has ended. */
static bool pump(struct process *p, int wait_ms, process_output_fn fn, void *context)
{
    struct pollfd fds[] = {
        {.fd = p->pidfd, .events = POLLIN},
        {.fd = p->output[OUT], .events = POLLIN},
        {.fd = p->output[ERR], .events = POLLIN},
        {.fd = p->signals, .events = POLLIN},
    };
    if (poll(fds, sizeof fds / sizeof *fds, wait_ms) <= 0) {
        return false;
    }
    for (int stream = 0; stream < STREAMS; stream++) {
        if (fds[1 + stream].revents != 0) {
            (void)read_piece(p, stream, fn, context);
        }
    }
    if (fds[3].revents != 0) {
        forward_one_signal(p);
    }
    return fds[0].revents != 0;
}

enum process_event process_wait(struct process *p, int64_t wait_ms, process_output_fn fn,
                                void *context)
{
    int64_t deadline_us = INT64_MAX;
    if (wait_ms >= 0 && wait_ms < INT64_MAX / 2000) {
        deadline_us = clock_monotonic_us() + wait_ms * 1000;
    }
    while (!p->ended) {
        if (pump(p, poll_ms(p, deadline_us), fn, context)) {
            finish(p, fn, context);
            break;
        }
        int64_t now_us = clock_monotonic_us();
        if (p->kill_at_us != 0 && now_us >= p->kill_at_us) {
            kill_all(p);
            p->kill_at_us = INT64_MAX;
        }
        if (now_us >= deadline_us) {
            return PROCESS_TIMEOUT;
        }
    }
    return PROCESS_EXITED;
}

void process_cancel(struct process *p)
{
    if (p->ended || p->kill_at_us != 0) {
        return;
    }
    (void)kill(-p->pid, SIGTERM);
    (void)kill(-p->pid, SIGCONT); /* a stopped one could not obey */
    p->kill_at_us = clock_monotonic_us() + (int64_t)PROCESS_KILL_MS * 1000;
}

int process_exit_code(const struct process *p)
{
    must(p->ended);
    return p->exit_code;
}

int process_signal(const struct process *p)
{
    must(p->ended);
    return p->signal;
}

void process_forward_signals(struct process *p)
{
    must(p->signals < 0);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    must(sigprocmask(SIG_BLOCK, &set, &p->mask_before) == 0);
    p->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    must(p->signals >= 0);
}

void process_free(struct process *p)
{
    if (p == NULL) {
        return;
    }
    if (p->pid > 0 && !p->ended) {
        kill_all(p);
        reap(p);
        kill_all(p); /* what became ours when it died */
    }
    if (p->signals >= 0) {
        close_fd(&p->signals);
        (void)sigprocmask(SIG_SETMASK, &p->mask_before, NULL);
    }
    close_fd(&p->pidfd);
    close_fd(&p->output[OUT]);
    close_fd(&p->output[ERR]);
    free(p);
}
