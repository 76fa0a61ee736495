/* Descendants, as /proc tells them. Source: proc(5), /proc/pid/task/tid/children. */
#include "net/process_internal.h"

#include "base/str.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    CHILDREN_TEXT_MAX = 4 << 10,
    DESCENDANTS_LISTED_MAX = 256, /* at once; the rest comes up in the next round */
};

/* The direct children of one thread group's main thread; we fork from ours only. */
static size_t children_of(pid_t pid, pid_t *out, size_t max)
{
    char path[64];
    char text[CHILDREN_TEXT_MAX];
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return 0;
    }
    ssize_t n = read(fd, text, sizeof text);
    close(fd);
    struct str rest = {text, n > 0 ? (size_t)n : 0};
    struct str word;
    size_t count = 0;
    while (count < max && str_next(&rest, ' ', &word)) {
        int64_t child;
        if (str_to_i64(word, &child) && child > 0) {
            out[count++] = (pid_t)child;
        }
    }
    return count;
}

void descendants_note(struct descendants *d)
{
    d->count = children_of(getpid(), d->pids, DESCENDANTS_BEFORE_MAX);
}

static bool had(const struct descendants *d, pid_t pid)
{
    for (size_t i = 0; i < d->count; i++) {
        if (d->pids[i] == pid) {
            return true;
        }
    }
    return false;
}

void descendants_kill(const struct descendants *d, pid_t child)
{
    bool child_dead = child == 0;
    bool found = true;
    for (int round = 0; found && round < DESCENDANTS_ROUNDS_MAX; round++) {
        pid_t pids[DESCENDANTS_LISTED_MAX];
        size_t count = children_of(getpid(), pids, DESCENDANTS_LISTED_MAX);
        found = false;
        for (size_t i = 0; i < count; i++) {
            bool is_child = pids[i] == child;
            if (had(d, pids[i]) || (is_child && child_dead)) {
                continue;
            }
            /* Only when it is dead are its own children ours, for the next round. */
            siginfo_t info;
            (void)kill(pids[i], SIGKILL);
            (void)waitid(P_PID, (id_t)pids[i], &info, is_child ? WEXITED | WNOWAIT : WEXITED);
            child_dead = child_dead || is_child;
            found = true;
        }
    }
}
