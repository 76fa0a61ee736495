/*
 * net/sigpipe - keeps a write to a peer that has left from ending the process.
 *
 * For one thread and one stretch of code, so that `pawl ... | head` elsewhere still ends as it
 * should. Source: signal(7); a SIGPIPE of write(2) goes to the thread that wrote.
 */
#ifndef NET_SIGPIPE_H
#define NET_SIGPIPE_H

#include <signal.h>
#include <stdbool.h>

struct sigpipe {
    sigset_t before;
    bool pending; /* one was there already: it is not ours to take */
};

void sigpipe_hold(struct sigpipe *s);
/* Takes the one that came meanwhile, if any. */
void sigpipe_release(const struct sigpipe *s);

#endif
