#include "doors/spool.h"

#include "base/encode.h"
#include "client/untrusted.h"
#include "crypto/crypto.h"
#include "doors/state.h"
#include "sys/clock.h"
#include "value/json.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SPOOL_PREFIX "outcome-"

/* Says whose it is without saying the secret. */
static struct str mark_of(struct arena *a, const struct client *c)
{
    struct str parts[] = {str_from(c->url), STR("\n"), str_from(c->socket), STR("\n"),
                          str_from(c->authorization)};
    struct digest d = sha256_parts(parts, sizeof parts / sizeof *parts);
    char hex[2 * SHA256_LEN];
    hex_encode(d.bytes, SHA256_LEN, hex);
    return arena_str(a, (struct str){hex, sizeof hex});
}

enum rc spool_put(const struct client *c, const char *path, const struct value *body, struct err *e)
{
    char folder[FILE_PATH_MAX];
    char name[FILE_PATH_MAX];
    char key[CLIENT_KEY_LEN + 1];
    enum rc rc = state_folder("", folder, e);
    CLEANUP(arena) struct arena *a = arena_new(SPOOL_FILE_MAX * 2);
    if (rc != RC_OK || a == NULL) {
        return rc != RC_OK ? rc : err_set(e, RC_NO_MEMORY, "out of memory");
    }
    client_key(key);
    if (snprintf(name, sizeof name, "%s/" SPOOL_PREFIX "%s.json", folder, key) >= (int)sizeof name) {
        return err_set(e, RC_LIMIT, "the state folder's name is too long");
    }
    struct value v = value_object();
    value_add_str(a, &v, STR("for"), mark_of(a, c));
    value_add_int(a, &v, STR("at_ms"), clock_wall_ms());
    value_add_str(a, &v, STR("path"), str_from(path));
    value_add(a, &v, STR("body"), *body);
    struct buf text;
    buf_init(&text, SPOOL_FILE_MAX);
    json_write(&text, &v);
    rc = text.rc == RC_OK ? file_write_atomic(name, buf_view(&text), 0600, e)
                          : err_set(e, text.rc, "the outcome is too large");
    buf_done(&text);
    return rc;
}

enum resent { RESENT_KEEP, RESENT_DONE, RESENT_LATER }; /* later: the server can't be asked now */

static enum resent resend(const struct client *c, struct arena *a, const char *path)
{
    struct buf text;
    struct value v;
    struct err e;
    struct answer answer;
    buf_init(&text, SPOOL_FILE_MAX);
    enum rc rc = file_check_private(path, &e);
    rc = rc == RC_OK ? file_read(path, &text, &e) : rc;
    rc = rc == RC_OK ? json_parse(a, arena_str(a, buf_view(&text)), &v, &e) : rc;
    buf_done(&text);
    if (rc != RC_OK) {
        return RESENT_KEEP;
    }
    int64_t age_ms = clock_wall_ms() - value_integer_or(value_get(&v, STR("at_ms")), 0);
    bool old = age_ms > SPOOL_AGE_MAX_MS;
    if (old || !str_eq(value_text(value_get(&v, STR("for"))), mark_of(a, c))) {
        return old ? RESENT_DONE : RESENT_KEEP;
    }
    struct str to = arena_str(a, value_text(value_get(&v, STR("path"))));
    rc = client_post(c, a, to.ptr, value_get(&v, STR("body")), &answer, &e);
    bool refused = answer.status == 403 || answer.status == 404 || answer.status == 409 || answer.status == 422;
    if (rc == RC_OK || refused) {
        struct buf said;
        buf_init(&said, 4096);
        untrusted_cell(&said, to);
        fprintf(stderr, "pawl: an outcome of an earlier run was %s: %.*s\n", rc == RC_OK ? "delivered" : "refused",
                STR_ARG(buf_view(&said)));
        buf_done(&said);
    }
    return rc == RC_OK || refused ? RESENT_DONE : RESENT_LATER;
}

void spool_resend(const struct client *c)
{
    char folder[FILE_PATH_MAX];
    struct err e;
    DIR *d = state_folder("", folder, &e) == RC_OK ? opendir(folder) : NULL;
    if (d == NULL) {
        return; /* nothing was ever left, or it can't be looked at: the run goes on */
    }
    CLEANUP(arena) struct arena *a = arena_new(4 * SPOOL_FILE_MAX);
    unsigned seen = 0;
    enum resent result = RESENT_KEEP;
    for (const struct dirent *f = readdir(d);
         f != NULL && a != NULL && seen < SPOOL_FILES_MAX && result != RESENT_LATER; f = readdir(d)) {
        struct str name = str_from(f->d_name);
        char path[FILE_PATH_MAX];
        if (!str_starts(name, STR(SPOOL_PREFIX)) || !str_ends(name, STR(".json")) ||
            snprintf(path, sizeof path, "%s/%s", folder, f->d_name) >= (int)sizeof path) {
            continue;
        }
        seen++;
        arena_reset(a);
        result = resend(c, a, path);
        if (result == RESENT_DONE) {
            (void)unlink(path);
        }
    }
    closedir(d);
}
