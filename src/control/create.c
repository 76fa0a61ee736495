#include "control/create.h"

#include "control/control_internal.h"
#include "value/json.h"

#include <stdio.h>
#include <string.h>

static enum rc first_body(struct arena *a, struct str origin, const struct signing_key *key,
                          struct buf *out, struct err *e)
{
    uint8_t public_key[ED25519_PUBLIC_LEN];
    signing_key_public(key, public_key);
    struct buf vkey;
    buf_init(&vkey, VKEY_MAX);
    vkey_write(&vkey, origin, public_key);
    struct value body = value_object();
    value_add_int(a, &body, STR("format"), STORE_FORMAT);
    value_add_str(a, &body, STR("origin"), origin);
    value_add_str(a, &body, STR("vkey"), buf_view(&vkey));
    json_write_canonical(out, &body, a);
    buf_done(&vkey);
    return out->rc == RC_OK && arena_rc(a) == RC_OK ? RC_OK : err_set(e, RC_NO_MEMORY, "out of memory");
}

static enum rc append_first(struct store *s, struct str body, const struct ports *ports, struct err *e)
{
    struct stored stored = {.seq = 0, .body = body};
    ports->random(ports->context, stored.salt, sizeof stored.salt);
    struct entry entry = {.v = entry_kind_version(ENTRY_LEDGER_CREATED),
                          .time_ms = ports->wall_ms(ports->context),
                          .kind = ENTRY_LEDGER_CREATED,
                          .actor = STR("system")};
    struct digest digest = ledger_body_digest(stored.salt, body);
    memcpy(entry.body_digest, digest.bytes, sizeof entry.body_digest);
    struct buf header;
    buf_init(&header, ENTRY_HEADER_MAX);
    entry_write(&header, &entry);
    stored.header = buf_view(&header);
    struct batch batch = {.entries = &stored, .entry_count = 1};
    enum rc rc = header.rc == RC_OK ? store_append(s, &batch, e) : err_set(e, header.rc, "the header is too large");
    buf_done(&header);
    return rc;
}

enum rc control_create(const char *folder, struct str origin, const struct signing_key *key,
                       const struct ports *ports, struct err *e)
{
    char path[4096];
    if (snprintf(path, sizeof path, "%s/ledger.db", folder) >= (int)sizeof path) {
        return err_set(e, RC_INVALID, "the folder's name is too long");
    }
    enum rc rc = origin_check(origin, e);
    CLEANUP(arena) struct arena *a = arena_new(OP_ARENA_MAX);
    struct buf body;
    buf_init(&body, ENTRY_BODY_MAX);
    if (rc == RC_OK) {
        rc = a == NULL ? err_set(e, RC_NO_MEMORY, "out of memory") : first_body(a, origin, key, &body, e);
    }
    struct store *s = NULL;
    rc = rc == RC_OK ? store_open(path, STORE_CREATE, &s, e) : rc;
    rc = rc == RC_OK ? append_first(s, buf_view(&body), ports, e) : rc;
    store_close(s);
    buf_done(&body);
    return rc;
}
