/*
 * control/policies - a policy comes into force: from the file, from a bundle, or an earlier one again.
 *
 * Each is an entry with the whole text beside it. One that a person loads puts the file's aside: a restart keeps it, for
 * the file did not change; reading the file again by hand takes the file's.
 */
#include "control/control_internal.h"

#include "base/encode.h"

static struct value origin_value(struct arena *a, const struct policy_origin *o, const struct digest *digest, size_t size)
{
    struct value body = value_object();
    value_add_str(a, &body, STR("author"), o->author);
    value_add_hex(a, &body, STR("hash"), STR("sha256:"), digest->bytes, sizeof digest->bytes);
    struct value blob = value_object();
    value_add_str(a, &blob, STR("$blob"), value_text(value_get(&body, STR("hash"))));
    value_add_int(a, &blob, STR("size"), (int64_t)size);
    value_add(a, &body, STR("policy"), blob);
    value_add_str(a, &body, STR("reason"), o->reason);
    if (o->signature.len > 0) {
        value_add_str(a, &body, STR("signature"), o->signature);
    }
    return body;
}

/* Of the file's policy, which is in force or aside already. */
static struct str file_hash(const struct control *c)
{
    struct str aside = world_policy_aside(c->world);
    return aside.len > 0 ? aside : world_policy_hash(c->world);
}

static enum rc load_text(struct control *c, struct arena *a, struct str text, const struct policy_origin *o, struct err *e)
{
    struct digest digest = sha256(text);
    struct value body = origin_value(a, o, &digest, text.len);
    struct str hash = value_text(value_get(&body, STR("hash")));
    bool by_hand = o->by != NULL;
    bool in_force = str_eq(hash, world_policy_hash(c->world));
    bool aside = world_policy_aside(c->world).len > 0;
    if ((in_force && by_hand) || (in_force && !aside) || (o->at_start && str_eq(hash, world_policy_aside(c->world)))) {
        return RC_OK;
    }
    if (by_hand && !str_eq(hash, file_hash(c))) {
        value_add_str(a, &body, STR("aside"), file_hash(c));
    }
    add_idempotency(a, &body, by_hand ? o->by->key : NULL);
    struct stored_blob stored = {.digest = digest, .bytes = text};
    struct append what = {.kind = ENTRY_POLICY_LOADED,
                          .actor = by_hand ? str_from(o->by->actor) : STR("system"),
                          .body = body,
                          .policy_text = text,
                          .blobs = &stored,
                          .blob_count = 1};
    uint64_t seq;
    return control_append(c, a, &what, &seq, e);
}

enum rc control_load_policy(struct control *c, struct arena *a, const struct policy *policy,
                            const struct policy_origin *origin, struct err *e)
{
    enum rc fits = world_check_policy(c->world, policy, e);
    if (fits != RC_OK) {
        return fits;
    }
    struct buf text;
    buf_init(&text, POLICY_TEXT_MAX);
    policy_write(&text, policy);
    enum rc rc = text.rc == RC_OK ? load_text(c, a, buf_view(&text), origin, e)
                                  : err_set(e, text.rc, "the policy is larger than %d bytes", POLICY_TEXT_MAX);
    buf_done(&text);
    return rc;
}

enum rc control_policy_rollback(struct control *c, struct arena *a, const struct principal *p, uint64_t seq,
                                struct str reason, struct err *e)
{
    struct entry entry;
    struct value body;
    struct str text;
    struct digest digest;
    if (str_trim(reason).len == 0 || reason.len > CONTROL_REASON_MAX) {
        return err_at(e, RC_INVALID, STR("/reason"), "expected a reason of at most %d bytes", CONTROL_REASON_MAX);
    }
    enum rc rc = seq < control_read_seq(c) ? control_read_entry(c, a, seq, &entry, &body, e)
                                           : err_set(e, RC_NOT_FOUND, "there is no such entry");
    struct str name = rc == RC_OK ? value_text(value_path(&body, "policy", "$blob", NULL)) : STR("");
    if (rc == RC_OK && (entry.kind != ENTRY_POLICY_LOADED || !str_starts(name, STR("sha256:")) ||
                        !hex_decode(str_slice(name, 7, name.len), digest.bytes, sizeof digest.bytes))) {
        rc = err_set(e, RC_NOT_FOUND, "that entry loaded no policy");
    }
    rc = rc == RC_OK ? control_read_blob(c, a, &digest, &text, e) : rc;
    struct policy *policy = NULL;
    rc = rc == RC_OK ? policy_parse(text, &policy, e) : rc;
    const struct policy_origin origin = {.author = p->person, .reason = reason, .by = p};
    rc = rc == RC_OK ? control_load_policy(c, a, policy, &origin, e) : rc;
    policy_free(policy);
    return rc;
}
