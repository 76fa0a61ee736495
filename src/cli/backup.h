/*
 * cli/backup - a verified copy of the ledger, beside a running server, and the way back from one.
 *
 * A backup is two files: the ledger, and the newest checkpoint that covers it. The keys are in neither.
 */
#ifndef CLI_BACKUP_H
#define CLI_BACKUP_H

#include "cli/verify.h"
#include "sys/file.h"

enum { BACKUP_NAME_MAX = 4000 }; /* bytes of a file's or folder's name, for what is put behind it */

struct backup_options {
    const char *data; /* the data folder */
    const char *to;   /* a file that is not there; <to>.checkpoint is written beside it */
    bool deep;        /* verify deeply */
};

/*
 * Both files are whole, synced and verified, or there is neither. Errors: RC_CONFLICT (one is there), RC_LIMIT (the
 * disk is full), those of verify_folder().
 */
NODISCARD enum rc backup_take(const struct backup_options *o, struct verify_result *ret, struct err *e);

struct restore_options {
    const char *from;
    const char *data;
    const char *keys;            /* folder of the keys; null: they are in the data folder */
    const char *checkpoint_file; /* the second place; null: <data>.checkpoint */
    bool accept_loss;
    const char *reason; /* of the loss */
};

struct restored {
    uint64_t entries; /* that the backup had */
    uint64_t signed_size; /* of the second place's checkpoint; 0: there was none */
    bool lost;            /* what it lacks was accepted, and is in the ledger */
    char kept[FILE_PATH_MAX]; /* where the old checkpoint is now; empty: there was none, or it stays in force */
};

/*
 * The ledger is in place, or the folder has none. Errors: RC_CONFLICT (there is a ledger, a server runs, entries would
 * be lost), RC_CORRUPT, RC_DENIED (keys).
 */
NODISCARD enum rc restore_run(const struct restore_options *o, struct restored *ret, struct err *e);

#endif
