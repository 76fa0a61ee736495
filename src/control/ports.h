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

/* The commands that Pawl itself runs: what takes an action back, and what asks whether all is well after it. */
enum command_kind { COMMAND_REVERT, COMMAND_INVARIANT };

struct command {
    enum command_kind kind;
    uint64_t action;
    uint32_t index; /* of the invariant */
    const struct str *argv;
    size_t count;
    int64_t timeout_ms;
};

enum command_start {
    COMMAND_STARTED,
    COMMAND_BUSY, /* not now: too many run already */
    COMMAND_FAILED,
};

struct ports {
    int64_t (*wall_ms)(void *context);    /* the wall clock, Unix UTC */
    int64_t (*elapsed_ms)(void *context); /* CLOCK_BOOTTIME: never goes back */
    /* Microseconds since some fixed moment, for how long a stop took; null: elapsed_ms is used. */
    int64_t (*elapsed_us)(void *context);
    void (*random)(void *context, void *out, size_t len);
    /* A stop of everything takes effect before its entry is durable: make it last at once (the stop
     * file). A null reason takes the file away: everything was resumed. May be null. */
    void (*stop_file)(void *context, const char *reason);
    /* Starts a command, and says later by control_command_ended what came of it. argv: count words, argv[0]
     * absolute. May be null: then nothing is reverted and no invariant is asked. */
    enum command_start (*run)(void *context, const struct command *command);
    void *context;
};

#endif
