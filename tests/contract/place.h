/*
 * tests/contract/place - a temporary folder with a ledger's path in it.
 */
#ifndef TESTS_CONTRACT_PLACE_H
#define TESTS_CONTRACT_PLACE_H

#include "store_suite.h"

#include <stdio.h>
#include <stdlib.h>

static inline void place_make(struct store_place *p)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(p->folder, sizeof p->folder, "%s/pawl-store-XXXXXX", tmp != NULL ? tmp : "/tmp");
    if (mkdtemp(p->folder) == NULL) {
        abort();
    }
    snprintf(p->path, sizeof p->path, "%s/ledger.db", p->folder);
}

static inline void place_drop(struct store_place *p)
{
    char command[300];
    snprintf(command, sizeof command, "rm -rf '%s'", p->folder);
    if (system(command) != 0) {
        abort();
    }
}

#endif
