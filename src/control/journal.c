/*
 * control/journal - one entry: canonical body, applied, handed to the writer.
 */
#include "control/control_internal.h"

#include "base/must.h"
#include "value/json.h"

#include <string.h>

struct str ref_text(struct arena *a, const char *prefix, uint64_t seq)
{
    struct id_text id = id_format(prefix, seq);
    return arena_str(a, str_from(id.text));
}

static enum rc may_append(struct control *c, const struct append *what, struct err *e)
{
    switch (writer_state(c->writer)) {
    case WRITER_FAILED:
        return err_set(e, RC_UNAVAILABLE, "the ledger can't be written");
    case WRITER_DISK_FULL:
        if (!what->tightens) {
            return err_set(e, RC_UNAVAILABLE, "the disk is full: nothing new is decided until there is room");
        }
        break;
    case WRITER_OK:
        break;
    }
    if (c->disk_low && !what->tightens) {
        return err_set(e, RC_UNAVAILABLE, "the disk is nearly full: nothing new is decided until there is room");
    }
    uint64_t waiting = world_next_seq(c->world) - writer_durable(c->writer);
    if (waiting + 1 >= WRITER_QUEUE_MAX) {
        return err_set(e, RC_UNAVAILABLE, "%llu entries wait to be written: the limit is %d",
                       (unsigned long long)waiting, WRITER_QUEUE_MAX);
    }
    return RC_OK;
}

static enum rc body_text(struct arena *a, const struct append *what, struct buf *out, struct err *e)
{
    buf_reset(out);
    json_write_canonical(out, &what->body, a);
    enum rc rc = arena_rc(a) != RC_OK ? arena_rc(a) : out->rc;
    return rc == RC_OK ? RC_OK : err_set(e, rc, "the entry is too large");
}

enum rc control_append(struct control *c, struct arena *a, const struct append *what, uint64_t *ret_seq,
                       struct err *e)
{
    struct buf *text = &c->text;
    enum rc rc = may_append(c, what, e);
    if (rc != RC_OK) {
        return rc;
    }
    rc = body_text(a, what, text, e);
    if (rc != RC_OK) {
        return rc;
    }
    struct entry entry = {.v = entry_kind_version(what->kind),
                          .seq = world_next_seq(c->world),
                          .time_ms = clock_now(c),
                          .kind = what->kind,
                          .actor = what->actor,
                          .refs = {what->refs[0], what->refs[1]},
                          .ref_count = what->ref_count};
    uint8_t salt[ENTRY_SALT_LEN];
    c->options.ports.random(c->options.ports.context, salt, sizeof salt);
    rc = writer_push(c->writer, &entry, salt, buf_view(text), what->blobs, what->blob_count, e);
    if (rc != RC_OK) {
        return rc == RC_LIMIT ? err_wrap(e, RC_UNAVAILABLE, "ledger") : rc;
    }
    /* The body was made here and the limits were checked before: failing now is a bug, and going on with
     * a world that is not the ledger's would be worse than ending. */
    struct err apply;
    rc = world_apply(c->world, &entry, &what->body, what->policy_text, &apply);
    must(rc == RC_OK);
    *ret_seq = entry.seq;
    return RC_OK;
}

void add_idempotency(struct arena *a, struct value *body, const struct idempotency_key *k)
{
    if (k == NULL || !k->given) {
        return;
    }
    struct value v = value_object();
    value_add_hex(a, &v, STR("body"), STR(""), k->body_digest, sizeof k->body_digest);
    value_add_hex(a, &v, STR("key"), STR(""), k->key, sizeof k->key);
    value_add(a, body, STR("idem"), v);
}

void add_decision(struct control *c, struct arena *a, struct value *body, const struct facts *f,
                  const struct decision *d, int64_t now_ms)
{
    if (d->blocking >= 0) {
        value_add_str(a, body, STR("blocking"), check_str((enum check)d->blocking));
    }
    value_add(a, body, STR("facts"), facts_write(a, f));
    value_add(a, body, STR("findings"), findings_write(a, d));
    value_add_int(a, body, STR("policy"), (int64_t)world_policy_seq(c->world));
    if (d->verdict == VERDICT_HOLD) {
        value_add_instant(a, body, STR("retry_at"), now_ms + d->retry_after_ms);
    }
    value_add_str(a, body, STR("verdict"), verdict_str(d->verdict));
}

struct idempotency_key control_idempotency(const struct principal *p, struct str key, struct str route,
                                           struct str body)
{
    struct idempotency_key k = {.given = key.len > 0};
    if (!k.given) {
        return k;
    }
    const struct str parts[] = {str_from(p->actor), STR("\n"), route, STR("\n"), key};
    struct digest of_key = sha256_parts(parts, sizeof parts / sizeof *parts);
    struct digest of_body = sha256(body);
    memcpy(k.key, of_key.bytes, sizeof k.key);
    memcpy(k.body_digest, of_body.bytes, sizeof k.body_digest);
    return k;
}

enum rc control_repeated(const struct control *c, const struct idempotency_key *k, uint64_t *ret_seq,
                         struct err *e)
{
    const struct idempotency *found = k->given ? world_idempotency(c->world, k->key) : NULL;
    if (found == NULL) {
        return RC_NOT_FOUND;
    }
    if (memcmp(found->body_digest, k->body_digest, sizeof k->body_digest) != 0) {
        return err_set(e, RC_INVALID, "this Idempotency-Key came with another body before");
    }
    *ret_seq = found->seq;
    return RC_OK;
}
