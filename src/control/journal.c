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
    if (waiting + (what->tightens ? 1 : QUEUE_RESERVED) >= WRITER_QUEUE_MAX) {
        return err_set(e, RC_UNAVAILABLE, "%llu entries wait to be written: the limit is %d",
                       (unsigned long long)waiting, WRITER_QUEUE_MAX);
    }
    return RC_OK;
}

static unsigned depth_of(const struct value *v)
{
    unsigned deepest = 0;
    bool array = value_is(v, VALUE_ARRAY);
    for (uint32_t i = 0; (array || value_is(v, VALUE_OBJECT)) && i < v->count; i++) {
        unsigned depth = depth_of(array ? &v->items[i] : &v->members[i].value);
        deepest = depth > deepest ? depth : deepest;
    }
    return array || value_is(v, VALUE_OBJECT) ? deepest + 1 : 0;
}

static enum rc body_text(struct arena *a, const struct append *what, struct buf *out, struct err *e)
{
    /* What the reader would refuse must not be written: no start would get past it. */
    if (depth_of(&what->body) > JSON_DEPTH_MAX) {
        return err_set(e, RC_INVALID, "the entry nests too deep: expected at most %d levels", JSON_DEPTH_MAX);
    }
    buf_reset(out);
    json_write_canonical(out, &what->body, a);
    enum rc rc = arena_rc(a) != RC_OK ? arena_rc(a) : out->rc;
    return rc == RC_OK ? RC_OK : err_set(e, rc, "the entry is too large");
}

void text_release(struct buf *text)
{
    if (text->capacity > TEXT_KEPT) {
        buf_done(text);
    }
}

/* What a stop needs of the queue is not filled up by what is large, not even by an outcome. */
static enum rc leaves_room(const struct control *c, const struct append *what, struct err *e)
{
    size_t size = 0;
    for (size_t i = 0; i < what->blob_count; i++) {
        size += what->blobs[i].bytes.len;
    }
    size_t waiting = size == 0 ? 0 : writer_waiting_bytes(c->writer);
    return size == 0 || waiting + size <= WRITER_QUEUE_BYTES_MAX - QUEUE_BYTES_RESERVED
               ? RC_OK
               : err_set(e, RC_UNAVAILABLE, "%zu bytes wait to be written: no room for %zu more now", waiting, size);
}

static enum rc append_text(struct control *c, const struct append *what, struct str text, uint64_t *ret_seq,
                           struct err *e)
{
    struct entry entry = {.v = entry_kind_version(what->kind),
                          .seq = world_next_seq(c->world),
                          .time_ms = what->at_ms != 0 ? what->at_ms : clock_now(c),
                          .kind = what->kind,
                          .actor = what->actor,
                          .refs = {what->refs[0], what->refs[1]},
                          .ref_count = what->ref_count};
    uint8_t salt[ENTRY_SALT_LEN];
    c->options.ports.random(c->options.ports.context, salt, sizeof salt);
    enum rc rc = writer_room(c->writer, &entry, text, what->blobs, what->blob_count, e);
    if (rc != RC_OK) {
        return rc == RC_LIMIT ? err_wrap(e, RC_UNAVAILABLE, "ledger") : rc;
    }
    /* The body was made here and the limits were checked before: failing now is a bug, and going on with
     * half an entry in the world would be worse than ending. It is applied first, so that what can't be
     * applied never reaches the ledger, which no start would get past. */
    struct err apply;
    struct feed_mark mark = feed_before(c, what, entry.time_ms);
    rc = world_apply(c->world, &entry, &what->body, what->policy_text, &apply);
    must(rc == RC_OK);
    feed_after(c, &mark, what, entry.seq);
    rc = writer_push(c->writer, &entry, salt, text, what->blobs, what->blob_count, e);
    must(rc == RC_OK || rc == RC_UNAVAILABLE); /* the writer failed for good meanwhile: the process ends */
    if (rc != RC_OK) {
        return rc;
    }
    *ret_seq = entry.seq;
    return RC_OK;
}

/* Every reason passes here, whoever gave it and for what: the one place where none is forgotten. */
static struct value without_secrets(const struct control *c, struct arena *a, const struct value *body)
{
    const struct value *reason = value_get(body, STR("reason"));
    if (!value_is(reason, VALUE_STRING)) {
        return *body;
    }
    struct value clean = value_object();
    for (uint32_t i = 0; i < body->count; i++) {
        const struct member *m = &body->members[i];
        bool is_reason = &m->value == reason;
        value_add(a, &clean, m->name, is_reason ? value_string(redact_reason(c, a, value_text(reason))) : m->value);
    }
    return clean;
}

enum rc control_append(struct control *c, struct arena *a, const struct append *what, uint64_t *ret_seq,
                       struct err *e)
{
    struct append clean = *what;
    clean.body = without_secrets(c, a, &what->body);
    enum rc rc = may_append(c, &clean, e);
    rc = rc == RC_OK ? leaves_room(c, &clean, e) : rc;
    rc = rc == RC_OK ? body_text(a, &clean, &c->text, e) : rc;
    rc = rc == RC_OK ? append_text(c, &clean, buf_view(&c->text), ret_seq, e) : rc;
    text_release(&c->text);
    return rc;
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
    if (d->rule_count > 0) {
        value_add(a, body, STR("rules"), rule_matches_write(a, d));
    }
    value_add_int(a, body, STR("policy"), (int64_t)world_policy_seq(c->world));
    struct value quorums = value_array();
    for (unsigned i = 0; i < d->quorum_count; i++) {
        value_push(a, &quorums, value_string(d->quorums[i]));
    }
    if (d->quorum_count > 0) {
        value_add(a, body, STR("quorum"), quorums);
    }
    if (d->verdict == VERDICT_HOLD) {
        value_add_instant(a, body, STR("retry_at"), now_ms + d->retry_after_ms);
    }
    value_add_str(a, body, STR("verdict"), verdict_str(d->verdict));
}

void add_versions(struct control *c, struct arena *a, struct value *body, uint32_t agent, uint32_t tool)
{
    if (agent != MAP_NONE && world_agent_at(c->world, agent)->def != NULL) {
        value_add_int(a, body, STR("agent_version"), (int64_t)world_agent_at(c->world, agent)->version);
    }
    if (tool != MAP_NONE && world_tool_at(c->world, tool)->def != NULL) {
        value_add_int(a, body, STR("tool_version"), (int64_t)world_tool_at(c->world, tool)->version);
    }
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
