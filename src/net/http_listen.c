/* Listening sockets of the HTTP server: TCP at a numeric address, or a private local socket. */
#include "net/http_internal.h"

#include "base/must.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

_Static_assert(offsetof(struct sockaddr_in, sin_port) == offsetof(struct sockaddr_in6, sin6_port),
               "see bound_port");

static enum rc socket_fail(struct err *e, const char *what, const char *where)
{
    int code = errno;
    enum rc rc = code == EADDRINUSE                  ? RC_CONFLICT
                 : code == EACCES || code == EPERM   ? RC_DENIED
                 : code == EADDRNOTAVAIL             ? RC_INVALID
                 : code == ENOENT || code == ENOTDIR ? RC_INVALID
                                                     : RC_UNAVAILABLE;
    return err_set(e, rc, "%s %s: %s", what, where, strerror(code));
}

static enum rc listen_at(int fd, const struct sockaddr *at, socklen_t size, const char *where,
                         struct err *e)
{
    if (bind(fd, at, size) != 0) {
        return socket_fail(e, "can't listen at", where);
    }
    if (listen(fd, HTTP_BACKLOG) != 0) {
        return socket_fail(e, "can't listen at", where);
    }
    return RC_OK;
}

static bool address_parse(const char *host, uint16_t port, struct sockaddr_storage *ret,
                          socklen_t *ret_size)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    if (inet_pton(AF_INET, host, &v4.sin_addr) == 1) {
        memcpy(ret, &v4, sizeof v4);
        *ret_size = sizeof v4;
        return true;
    }
    if (inet_pton(AF_INET6, host, &v6.sin6_addr) == 1) {
        memcpy(ret, &v6, sizeof v6);
        *ret_size = sizeof v6;
        return true;
    }
    return false;
}

static uint16_t bound_port(int fd)
{
    /* The smaller address of version 4 has its port at the same place. */
    struct sockaddr_in6 at = {0};
    socklen_t size = sizeof at;
    must(getsockname(fd, (struct sockaddr *)&at, &size) == 0);
    return ntohs(at.sin6_port);
}

static enum rc listen_tcp(struct http_listener *l, const char *host, uint16_t port, struct err *e)
{
    struct sockaddr_storage at = {0};
    socklen_t size = 0;
    if (!address_parse(host, port, &at, &size)) {
        return err_set(e, RC_INVALID, "\"%s\" is not a numeric address", host);
    }
    l->fd = socket(at.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (l->fd < 0) {
        return socket_fail(e, "socket for", host);
    }
    int on = 1;
    (void)setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    enum rc rc = listen_at(l->fd, (struct sockaddr *)&at, size, host, e);
    if (rc != RC_OK) {
        return rc;
    }
    l->port = bound_port(l->fd);
    return RC_OK;
}

/* A socket file that nobody listens at is left over from a process that died: it is removed. */
static enum rc remove_stale(const struct sockaddr_un *at, struct err *e)
{
    struct stat st;
    if (lstat(at->sun_path, &st) != 0) {
        return RC_OK; /* nothing there, or bind will say what is wrong */
    }
    if (!S_ISSOCK(st.st_mode)) {
        return err_set(e, RC_CONFLICT, "%s is there and is not a socket", at->sun_path);
    }
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe < 0) {
        return socket_fail(e, "socket for", at->sun_path);
    }
    bool stale =
        connect(probe, (const struct sockaddr *)at, sizeof *at) != 0 && errno == ECONNREFUSED;
    close(probe);
    if (!stale) {
        return err_set(e, RC_CONFLICT, "%s is in use by another process", at->sun_path);
    }
    if (unlink(at->sun_path) != 0 && errno != ENOENT) {
        return socket_fail(e, "can't replace", at->sun_path);
    }
    return RC_OK;
}

static enum rc listen_local(struct http_listener *l, const char *path, struct err *e)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    _Static_assert(sizeof at.sun_path == HTTP_SOCKET_PATH_MAX, "a path fits exactly");
    if (path[0] == '\0' || !str_to_c(str_from(path), at.sun_path, sizeof at.sun_path)) {
        return err_set(e, RC_INVALID, "path of a local socket has 1 to %d bytes: %s",
                       HTTP_SOCKET_PATH_MAX - 1, path);
    }
    enum rc rc = remove_stale(&at, e);
    if (rc != RC_OK) {
        return rc;
    }
    l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (l->fd < 0) {
        return socket_fail(e, "socket for", path);
    }
    /* Before bind, so that the file is made with this mode: others may connect at no moment. */
    must(fchmod(l->fd, 0600) == 0);
    rc = listen_at(l->fd, (struct sockaddr *)&at, sizeof at, path, e);
    struct stat st;
    if (rc == RC_OK && lstat(path, &st) == 0) {
        memcpy(l->path, at.sun_path, sizeof l->path);
        l->device = st.st_dev;
        l->inode = st.st_ino;
    }
    return rc;
}

enum rc http_listen(struct http_listener *l, const struct http_server_options *o, struct err *e)
{
    *l = (struct http_listener){.fd = -1};
    enum rc rc = o->socket_path != NULL ? listen_local(l, o->socket_path, e)
                                        : listen_tcp(l, o->host, o->port, e);
    if (rc != RC_OK) {
        http_listener_close(l);
    }
    return rc;
}

void http_listener_close(struct http_listener *l)
{
    struct stat st;
    if (l->path[0] != '\0' && lstat(l->path, &st) == 0 && st.st_dev == l->device &&
        st.st_ino == l->inode) {
        unlink(l->path);
    }
    l->path[0] = '\0';
    if (l->fd >= 0) {
        close(l->fd);
        l->fd = -1;
    }
}
