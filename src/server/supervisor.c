#include "server/supervisor.h"

#include "base/str.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A path, or "@name" for a name without a file. False when it is neither or too long. */
static bool read_path(struct supervisor *s, const char *text)
{
    size_t len = text == NULL ? 0 : strlen(text);
    if (len < 2 || len >= SUPERVISOR_PATH_MAX || (text[0] != '/' && text[0] != '@')) {
        return false;
    }
    memcpy(s->path, text, len + 1);
    s->path_len = (unsigned)len;
    if (s->path[0] == '@') {
        s->path[0] = '\0';
    }
    return true;
}

/* 0: nobody watches, or it is another process that is watched. */
static int64_t read_watchdog(const char *usec, const char *pid)
{
    int64_t us = 0;
    int64_t whose = 0;
    bool ours = pid == NULL || (str_to_i64(str_from(pid), &whose) && whose == getpid());
    bool given = usec != NULL && str_to_i64(str_from(usec), &us) && us > 0;
    return ours && given && us >= 2000 ? us / 1000 : 0; /* its half is at least a millisecond */
}

void supervisor_init(struct supervisor *s)
{
    *s = (struct supervisor){.fd = -1};
    if (read_path(s, getenv("NOTIFY_SOCKET"))) {
        s->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    }
    if (s->fd >= 0) {
        s->watchdog_ms = read_watchdog(getenv("WATCHDOG_USEC"), getenv("WATCHDOG_PID"));
    }
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
}

void supervisor_done(struct supervisor *s)
{
    if (s->fd >= 0) {
        close(s->fd);
    }
    s->fd = -1;
}

void supervisor_say(const struct supervisor *s, const char *state)
{
    if (s->fd < 0) {
        return;
    }
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    memcpy(to.sun_path, s->path, s->path_len);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + s->path_len);
    /* Lost when its queue is full or it is gone: the next one says the same. */
    (void)!sendto(s->fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&to, size);
}
