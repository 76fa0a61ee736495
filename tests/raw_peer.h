/*
 * tests/raw_peer - the other end of a connection, byte by byte: what a client library would not
 * send.
 *
 * Every wait ends after PEER_WAIT_S.
 */
#ifndef TESTS_RAW_PEER_H
#define TESTS_RAW_PEER_H

#include "check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { PEER_WAIT_S = 10 };

static inline void peer_limit(int fd)
{
    struct timeval wait = {.tv_sec = PEER_WAIT_S};
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait), 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait), 0);
}

/* Null socket_path: TCP on the loopback address. -1 when refused. */
static inline int peer_connect(uint16_t port, const char *socket_path)
{
    struct sockaddr_in tcp = {.sin_family = AF_INET,
                              .sin_port = htons(port),
                              .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    bool by_path = socket_path != NULL;
    if (by_path) {
        assert_true(str_to_c(str_from(socket_path), local.sun_path, sizeof local.sun_path));
    }
    int fd = socket(by_path ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    peer_limit(fd);
    int status = by_path ? connect(fd, (struct sockaddr *)&local, sizeof local)
                         : connect(fd, (struct sockaddr *)&tcp, sizeof tcp);
    if (status != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* False when the other end has closed. */
static inline bool peer_send(int fd, struct str bytes)
{
    while (bytes.len > 0) {
        ssize_t n = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
        if (n <= 0) {
            return false;
        }
        bytes = str_slice(bytes, (size_t)n, bytes.len);
    }
    return true;
}

static inline size_t count_of(struct str text, struct str what)
{
    size_t n = 0;
    for (size_t i = 0; i + what.len <= text.len; i++) {
        n += memcmp(text.ptr + i, what.ptr, what.len) == 0;
    }
    return n;
}

/* Reads into out until what has come the given number of times, the other end has closed or out is
 * full; what was read, with a NUL after it. A time-out fails the test. */
static inline struct str peer_read(int fd, char *out, size_t size, const char *what, size_t times)
{
    size_t len = 0;
    out[0] = '\0';
    while (len < size - 1) {
        if (what != NULL && count_of((struct str){out, len}, str_from(what)) >= times) {
            break;
        }
        ssize_t n = recv(fd, out + len, size - 1 - len, 0);
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            print_error("nothing came in %d s after: %s\n", PEER_WAIT_S, out);
            fail();
        }
        if (n <= 0) {
            break;
        }
        len += (size_t)n;
        out[len] = '\0';
    }
    return (struct str){out, len};
}

#endif
