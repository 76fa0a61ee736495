/*
 * control/ports - what control needs from outside, as functions filled in by the server and faked in
 * tests and simulation.
 */
#ifndef CONTROL_PORTS_H
#define CONTROL_PORTS_H

#include <stddef.h>
#include <stdint.h>

struct ports {
    int64_t (*wall_ms)(void *context);    /* the wall clock, Unix UTC */
    int64_t (*elapsed_ms)(void *context); /* CLOCK_BOOTTIME: never goes back */
    /* Microseconds since some fixed moment, for how long a stop took; null: elapsed_ms is used. */
    int64_t (*elapsed_us)(void *context);
    void (*random)(void *context, void *out, size_t len);
    /* A stop of everything takes effect before its entry is durable: make it last at once (the stop
     * file). A null reason takes the file away: everything was resumed. May be null. */
    void (*stop_file)(void *context, const char *reason);
    void *context;
};

#endif
