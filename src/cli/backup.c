/*
 * cli/backup - `pawl backup` and `pawl restore`, and how a backup is taken.
 */
#include "cli/backup.h"

#include "cli/cli.h"
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* --- taking one ----------------------------------------------------------------------------------- */

struct backup {
    char ledger[FILE_PATH_MAX]; /* of the data folder */
    char copy[FILE_PATH_MAX];   /* the copy's name while it is made */
    char checkpoint[FILE_PATH_MAX];
};

static enum rc name_files(struct backup *b, const struct backup_options *o, struct err *e)
{
    if (strlen(o->to) > BACKUP_NAME_MAX || strlen(o->data) > BACKUP_NAME_MAX) {
        return err_set(e, RC_INVALID, "a name has more than %d bytes", BACKUP_NAME_MAX);
    }
    snprintf(b->ledger, sizeof b->ledger, "%.4000s/ledger.db", o->data);
    snprintf(b->checkpoint, sizeof b->checkpoint, "%.4000s.checkpoint", o->to);
    if (file_exists(o->to) || file_exists(b->checkpoint)) {
        return err_set(e, RC_CONFLICT, "%s: exists; each backup has a name of its own",
                       file_exists(o->to) ? o->to : b->checkpoint);
    }
    return RC_OK;
}

/* A name that nobody else has: two backups at once don't meet. */
static enum rc name_copy(struct backup *b, const char *to, struct err *e)
{
    snprintf(b->copy, sizeof b->copy, "%.4000s.XXXXXX", to);
    int fd = mkstemp(b->copy);
    if (fd < 0) {
        char reason[96];
        return err_set(e, RC_UNAVAILABLE, "%s: can't create: %s", to, strerror_r(errno, reason, sizeof reason));
    }
    close(fd);
    unlink(b->copy);
    return RC_OK;
}

static enum rc copy_ledger(const struct backup *b, struct err *e)
{
    struct store *s = NULL;
    enum rc rc = store_open(b->ledger, STORE_READ, &s, e);
    rc = rc == RC_OK ? store_copy(s, b->copy, e) : rc;
    store_close(s);
    return rc;
}

/* The newest checkpoint that the copy holds. */
static enum rc write_checkpoint(const struct backup *b, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(4 * CHECKPOINT_MAX);
    struct store *s = NULL;
    struct str note;
    enum rc rc = a == NULL ? err_set(e, RC_NO_MEMORY, "out of memory") : store_open(b->copy, STORE_READ, &s, e);
    rc = rc == RC_OK ? store_checkpoint(s, a, &note, e) : rc;
    store_close(s);
    return rc == RC_OK ? file_write_atomic(b->checkpoint, note, 0644, e) : rc;
}

/* The checkpoint is there before the ledger has its name: a backup with its name is whole. */
static enum rc finish(const struct backup *b, const char *to, struct err *e)
{
    enum rc rc = write_checkpoint(b, e);
    if (rc == RC_OK && rename(b->copy, to) != 0) {
        char reason[96];
        rc = err_set(e, RC_UNAVAILABLE, "%s: can't rename into place: %s", to,
                     strerror_r(errno, reason, sizeof reason));
    }
    return rc == RC_OK ? folder_sync(to, e) : rc;
}

enum rc backup_take(const struct backup_options *o, struct verify_result *ret, struct err *e)
{
    struct backup b;
    enum rc rc = name_files(&b, o, e);
    rc = rc == RC_OK ? name_copy(&b, o->to, e) : rc;
    rc = rc == RC_OK ? copy_ledger(&b, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    struct verify_options verify = {.ledger = b.copy, .deep = o->deep};
    rc = verify_folder(&verify, ret, e);
    rc = rc == RC_OK ? finish(&b, o->to, e) : err_wrap(e, rc, "the copy");
    if (rc != RC_OK) {
        store_remove(b.copy);
        if (!file_exists(o->to)) {
            unlink(b.checkpoint);
        }
    }
    return rc;
}

/* --- the commands ------------------------------------------------------------------------------------ */

static int run_backup(const struct args *a)
{
    struct err e;
    struct verify_result result;
    const char *data = args_text(a, "data");
    struct backup_options o = {
        .data = data == NULL ? "pawl-data" : data, .to = args_text(a, "to"), .deep = args_flag(a, "deep")};
    if (args_expect(a, 0, 0, "no words", &e) != RC_OK) {
        return cli_usage(&e);
    }
    if (o.to == NULL) {
        (void)err_set(&e, RC_INVALID, "expected --to FILE");
        return cli_usage(&e);
    }
    signal(SIGXFSZ, SIG_IGN); /* a limit on files is a full disk, not our end in the middle of one */
    if (backup_take(&o, &result, &e) != RC_OK) {
        return cli_failed(&e);
    }
    printf("ok\n%s: %" PRIu64 " entries, verified\n%s.checkpoint: over %" PRIu64 " entries\n"
           "The keys are not in it: keep %s/keys elsewhere. Without them it can be read, not served.\n",
           o.to, result.entries, o.to, result.checkpoint_size, o.data);
    return CLI_OK;
}

static const struct option backup_options[] = {
    {"data", 0, OPTION_TEXT, "DIR", "the data folder (pawl-data)"},
    {"to", 0, OPTION_TEXT, "FILE", "the copy; FILE.checkpoint is written beside it"},
    {"deep", 0, OPTION_FLAG, NULL, "also apply every entry of the copy again"},
};

static void print_restored(const struct restore_options *o, const struct restored *r)
{
    printf("ok\n%s/ledger.db: %" PRIu64 " entries, verified\n", o->data, r->entries);
    if (!r->lost) {
        return;
    }
    printf("Entries were lost: ledger.restored says so. Approvals, open allows and grants are void; what was executing "
           "is unknown.\nTokens that were revoked in what was lost are valid again: revoke them again.\n");
    if (r->kept[0] != '\0') {
        printf("The checkpoint over what was lost is kept: %s\n", r->kept);
    }
}

static int run_restore(const struct args *a)
{
    struct err e;
    struct restored result;
    const char *data = args_text(a, "data");
    struct restore_options o = {.from = args_text(a, "from"),
                                .data = data == NULL ? "pawl-data" : data,
                                .keys = args_text(a, "keys"),
                                .checkpoint_file = args_text(a, "checkpoint-file"),
                                .accept_loss = args_flag(a, "accept-loss"),
                                .reason = args_text(a, "reason")};
    if (args_expect(a, 0, 0, "no words", &e) != RC_OK) {
        return cli_usage(&e);
    }
    if (o.from == NULL || o.accept_loss != (o.reason != NULL)) {
        (void)err_set(&e, RC_INVALID, o.from == NULL ? "expected --from FILE"
                                                     : "--accept-loss and --reason TEXT go together");
        return cli_usage(&e);
    }
    signal(SIGXFSZ, SIG_IGN);
    if (restore_run(&o, &result, &e) != RC_OK) {
        return cli_failed(&e);
    }
    print_restored(&o, &result);
    return CLI_OK;
}

static const struct option restore_options[] = {
    {"from", 0, OPTION_TEXT, "FILE", "the backup; FILE.checkpoint lies beside it"},
    {"data", 0, OPTION_TEXT, "DIR", "the data folder, without a ledger (pawl-data)"},
    {"keys", 0, OPTION_TEXT, "DIR", "take ledger.key and redact.key from there; else they are in the data folder"},
    {"checkpoint-file", 0, OPTION_TEXT, "FILE", "the server's checkpoint_file (DIR.checkpoint)"},
    {"accept-loss", 0, OPTION_FLAG, NULL, "although entries that were signed are not in it: voids approvals and grants"},
    {"reason", 0, OPTION_TEXT, "TEXT", "why the loss is accepted"},
};

const struct command backup_commands[] = {
    {"backup", "", "copy the ledger beside a running server, and verify the copy", backup_options,
     COUNT(backup_options), run_backup, NULL},
    {"restore", "", "put a backup in place, verified, while no server runs", restore_options, COUNT(restore_options),
     run_restore, NULL},
    {0},
};
