/*
 * sys/clock - the three clocks of the machine.
 *
 * Wall time can jump; the boot clock never goes back and counts while the machine sleeps; the
 * monotonic one is for measuring short spans. Pure folders never call these: they are handed `now`.
 * Source: clock_gettime(2); SEMANTICS section 5 "Clock".
 */
#ifndef SYS_CLOCK_H
#define SYS_CLOCK_H

#include <stdint.h>

/* Milliseconds since 1970-01-01 UTC. */
int64_t clock_wall_ms(void);
/* Milliseconds since boot, sleep included. */
int64_t clock_boot_ms(void);
/* Microseconds since some fixed moment. */
int64_t clock_monotonic_us(void);

#endif
