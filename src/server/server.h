/*
 * server - from a configuration file to a running process: reads files, wires ports, threads and loop.
 */
#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H

#include "base/err.h"
#include "server/config.h"

enum {
    SERVER_EXIT_OK = 0,
    SERVER_EXIT_FAILED = 1,
    SERVER_EXIT_USAGE = 2,
    SERVER_EXIT_LOCKED = 3, /* another serve holds the data folder */
};

/* Until SIGTERM or SIGINT. Returns an exit code; what went wrong was logged. */
int server_run(const char *config_path);

struct init_options {
    const char *folder;
    struct str origin;
    struct str admin; /* who holds the first token */
};

/*
 * Makes the data folder (0700), its keys and the ledger, and the first admin's token.
 * secret gets the token. RC_CONFLICT when the folder is not empty.
 */
NODISCARD enum rc server_init(const struct init_options *options, char secret[static 96],
                              struct err *e);

#endif
