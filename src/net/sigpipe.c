#include "net/sigpipe.h"

#include "base/must.h"

#include <pthread.h>
#include <stddef.h>
#include <time.h>

static sigset_t only_sigpipe(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    return set;
}

void sigpipe_hold(struct sigpipe *s)
{
    sigset_t set = only_sigpipe();
    sigset_t pending;
    sigemptyset(&pending);
    sigpending(&pending);
    s->pending = sigismember(&pending, SIGPIPE) == 1;
    must(pthread_sigmask(SIG_BLOCK, &set, &s->before) == 0);
}

void sigpipe_release(const struct sigpipe *s)
{
    sigset_t set = only_sigpipe();
    if (!s->pending) {
        (void)sigtimedwait(&set, NULL, &(struct timespec){0});
    }
    must(pthread_sigmask(SIG_SETMASK, &s->before, NULL) == 0);
}
