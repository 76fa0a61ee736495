/*
 * Preloaded into a server by tests: a wall clock that can be moved and a disk that can hang, which no test may
 * do to the machine. PAWL_TEST_LEVERS names a file of two int64: milliseconds to add to the wall clock, and
 * 1 while every sync waits.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

struct levers {
    _Atomic int64_t add_ms;
    _Atomic int64_t hang;
};

static struct levers *levers;

__attribute__((constructor)) static void find_levers(void)
{
    const char *path = getenv("PAWL_TEST_LEVERS");
    int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
    if (fd >= 0) {
        void *at = mmap(NULL, sizeof *levers, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        levers = at == MAP_FAILED ? NULL : at;
        close(fd);
    }
}

int clock_gettime(clockid_t id, struct timespec *ret)
{
    int rc = (int)syscall(SYS_clock_gettime, id, ret);
    if (rc == 0 && id == CLOCK_REALTIME && levers != NULL) {
        int64_t add_ms = atomic_load(&levers->add_ms);
        int64_t ns = ret->tv_nsec + add_ms % 1000 * 1000000;
        ret->tv_sec += add_ms / 1000 + (ns >= 1000000000 ? 1 : ns < 0 ? -1 : 0);
        ret->tv_nsec = ns >= 1000000000 ? ns - 1000000000 : ns < 0 ? ns + 1000000000 : ns;
    }
    return rc;
}

static void wait_for_the_disk(void)
{
    struct timespec step = {0, 10000000};
    while (levers != NULL && atomic_load(&levers->hang) != 0) {
        nanosleep(&step, NULL);
    }
}

int fsync(int fd)
{
    wait_for_the_disk();
    return (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    wait_for_the_disk();
    return (int)syscall(SYS_fdatasync, fd);
}
