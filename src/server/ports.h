/*
 * server/ports - the real clock, randomness and stop file for control.
 */
#ifndef SERVER_PORTS_H
#define SERVER_PORTS_H

#include "control/ports.h"
#include "sys/random.h"

struct executor;

struct server_ports {
    struct random_pool pool;
    const char *folder; /* null: no stop file */
    struct executor *executor; /* null: nothing is reverted by itself */
};

/* Keeps: p, as the context. */
struct ports server_ports(struct server_ports *p);

#endif
