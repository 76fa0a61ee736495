/*
 * server/init - a new data folder: keys, ledger, first admin.
 */
#include "server/ports.h"
#include "server/server.h"

#include "control/create.h"
#include "server/folder.h"

static void nobody(void *context)
{
    (void)context; /* nothing waits on this loop: control is stopped right after */
}

static enum rc first_admin(const char *folder, const struct signing_key *key, struct str admin,
                           char secret[static 96], struct err *e)
{
    struct server_ports ports = {0};
    struct control_options options = {
        .folder = folder, .key = key, .ports = server_ports(&ports), .wake = nobody};
    struct control *control;
    enum rc rc = control_start(&options, &control, e);
    if (rc != RC_OK) {
        return rc;
    }
    CLEANUP(arena) struct arena *a = arena_new(1 << 20);
    struct token_order order = {.roles = ROLE_ADMIN | ROLE_AUDITOR | ROLE_RESPONDER | ROLE_VIEWER,
                                .person = admin};
    uint64_t id;
    rc = a == NULL ? err_set(e, RC_NO_MEMORY, "out of memory")
                   : control_token_create(control, a, NULL, &order, secret, &id, e);
    uint64_t wanted = control_read_seq(control);
    /* Stopping writes what waits; a token that did not get to the disk must not be shown. */
    struct store *s = NULL;
    uint64_t size = 0;
    control_stop(control);
    char path[FILE_PATH_MAX];
    folder_path(folder, "ledger.db", path);
    rc = rc == RC_OK ? store_open(path, STORE_READ, &s, e) : rc;
    rc = rc == RC_OK ? store_size(s, &size, e) : rc;
    store_close(s);
    return rc == RC_OK && size != wanted ? err_set(e, RC_UNAVAILABLE, "the ledger could not be written")
                                         : rc;
}

enum rc server_init(const struct init_options *options, char secret[static 96], struct err *e)
{
    CLEANUP(signing_key) struct signing_key *key = NULL;
    struct server_ports ports = {0};
    struct ports given = server_ports(&ports);
    enum rc rc = folder_create(options->folder, &key, e);
    rc = rc == RC_OK ? control_create(options->folder, options->origin, key, &given, e) : rc;
    rc = rc == RC_OK ? first_admin(options->folder, key, options->admin, secret, e) : rc;
    if (rc == RC_OK) {
        folder_make_ballast(options->folder);
    }
    return rc;
}
