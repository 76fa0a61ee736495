/*
 * control/ports - what control needs from outside, as functions filled in by the server and faked in
 * tests and simulation.
 */
#ifndef CONTROL_PORTS_H
#define CONTROL_PORTS_H

#include "base/str.h"

#include <stdbool.h>
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
    /* Runs the command that takes an action back, and says later by control_revert_ended what came of it.
     * argv: count words, argv[0] absolute. False: it could not be started. May be null: then nothing is
     * reverted by itself. */
    bool (*revert)(void *context, uint64_t action, const struct str *argv, size_t count, int64_t timeout_ms);
    void *context;
};

#endif
