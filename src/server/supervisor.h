/*
 * server/supervisor - what the service manager is told: ready, alive, ending.
 *
 * One datagram a message to the socket that NOTIFY_SOCKET names. Without that variable nothing is sent, and
 * a message that can't be delivered is lost: who supervises must never keep the server from its work.
 * Source: sd_notify(3), sd_watchdog_enabled(3).
 */
#ifndef SERVER_SUPERVISOR_H
#define SERVER_SUPERVISOR_H

#include <stdbool.h>
#include <stdint.h>

enum { SUPERVISOR_PATH_MAX = 108 }; /* bytes of a socket's path: sun_path */

struct supervisor {
    int fd; /* -1: there is none */
    char path[SUPERVISOR_PATH_MAX];
    unsigned path_len;
    int64_t watchdog_ms; /* it expects a sign of life this often; 0: it does not */
};

/* Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID, and takes them from the environment: processes that
 * we start don't speak for us. */
void supervisor_init(struct supervisor *s);
void supervisor_done(struct supervisor *s);
/* "READY=1"; several lines are several messages in one. */
void supervisor_say(const struct supervisor *s, const char *state);

#endif
