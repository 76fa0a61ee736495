#include "sys/clock.h"

#include "base/must.h"

#include <time.h>

static struct timespec clock_read(clockid_t id)
{
    struct timespec t;
    must(clock_gettime(id, &t) == 0);
    return t;
}

static int64_t timespec_ms(struct timespec t)
{
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t clock_wall_ms(void)
{
    return timespec_ms(clock_read(CLOCK_REALTIME));
}

int64_t clock_boot_ms(void)
{
    return timespec_ms(clock_read(CLOCK_BOOTTIME));
}

int64_t clock_monotonic_us(void)
{
    struct timespec t = clock_read(CLOCK_MONOTONIC);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}
