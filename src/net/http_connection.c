/* The server's open connections. */
#include "net/http_internal.h"

#include "base/must.h"

#include <stdlib.h>
#include <sys/socket.h>

/* -1 when it is not a local socket. */
static int64_t peer_uid(int fd)
{
    int domain = 0;
    socklen_t size = sizeof domain;
    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0 || domain != AF_UNIX) {
        return -1;
    }
    struct ucred peer;
    size = sizeof peer;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ? (int64_t)peer.uid : -1;
}

struct http_connection *connection_add(struct connection_list *l, int fd, int64_t now_ms)
{
    struct http_connection *c = calloc(1, sizeof *c);
    if (c == NULL) {
        return NULL;
    }
    c->fd = fd;
    c->peer_uid = peer_uid(fd);
    c->since_ms = now_ms;
    c->next = l->first;
    if (l->first != NULL) {
        l->first->prev = c;
    }
    l->first = c;
    return c;
}

void connection_remove(struct connection_list *l, struct http_connection *c)
{
    must(c->exchange == NULL);
    if (c->prev != NULL) {
        c->prev->next = c->next;
    } else {
        must(l->first == c);
        l->first = c->next;
    }
    if (c->next != NULL) {
        c->next->prev = c->prev;
    }
    free(c);
}

/* Whether the peer has closed and nothing of it is left to read. */
static bool at_end(int fd)
{
    char byte;
    return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

void connections_sweep(struct connection_list *l, int64_t now_ms, int64_t request_ms)
{
    for (struct http_connection *c = l->first; c != NULL; c = c->next) {
        int64_t age_ms = now_ms - c->since_ms;
        bool reading = c->exchange == NULL || c->exchange->state == EXCHANGE_READING;
        bool slow = reading && age_ms > request_ms;
        bool ended = c->exchange == NULL && age_ms >= HTTP_SWEEP_MS && at_end(c->fd);
        if (slow || ended) {
            (void)shutdown(c->fd, SHUT_RDWR); /* the library is told, and closes it */
        }
    }
}
