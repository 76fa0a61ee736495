/*
 * doors/spool - outcomes that could not be delivered, kept until they can.
 *
 * One file each (0600, synced) in the state folder. Whoever runs next delivers what the same credential
 * left for the same server. An outcome that the server refuses for good, and one that is older than
 * SPOOL_AGE_MAX_MS, is dropped.
 */
#ifndef DOORS_SPOOL_H
#define DOORS_SPOOL_H

#include "client/client.h"

enum { SPOOL_FILES_MAX = 1000, SPOOL_FILE_MAX = 1 << 20, SPOOL_AGE_MAX_MS = 86400000 };

NODISCARD enum rc spool_put(const struct client *c, const char *path, const struct value *body,
                            struct err *e);
/* Delivers what it can; says on stderr what became of it. */
void spool_resend(const struct client *c);

#endif
