/*
 * api/ledger - the ledger over HTTP: entries by filter, proofs, the checkpoint and the tiles.
 */
#include "api/call.h"

#include "base/encode.h"
#include "value/json.h"

#include <string.h>

/* --- entries ---------------------------------------------------------------------------------------------- */

static struct value entry_value(struct call *c, const struct entry *entry, const struct value *body,
                                const struct stored *stored)
{
    struct arena *a = c->arena;
    struct value v = value_object();
    value_add_int(a, &v, STR("seq"), (int64_t)entry->seq);
    value_add_instant(a, &v, STR("time"), entry->time_ms);
    value_add_str(a, &v, STR("kind"), entry_kind_name(entry->kind));
    value_add_str(a, &v, STR("actor"), arena_str(a, entry->actor));
    struct value refs = value_array();
    for (unsigned i = 0; i < entry->ref_count; i++) {
        value_push(a, &refs, value_string(arena_str(a, entry->refs[i])));
    }
    value_add(a, &v, STR("refs"), refs);
    if (stored->erased) {
        value_add_str(a, &v, STR("body"), STR("erased by policy"));
    } else {
        value_add(a, &v, STR("body"), *body);
    }
    return v;
}

struct filter {
    struct str kind; /* glob */
    struct str agent;
    struct str verdict;
    uint64_t action;
    int64_t since_ms;
};

struct scan {
    struct call *call;
    struct filter filter;
    struct value items;
    uint64_t limit;
    uint64_t looked;
    uint64_t next; /* where to go on */
};

/* The agent that an entry is about: in its own body, or that of the action it refers to. */
static struct str agent_of(struct call *c, const struct entry *entry, const struct value *body)
{
    struct str own = value_text(value_path(body, "request", "agent", NULL));
    if (own.len == 0) {
        own = value_text(value_path(body, "definition", "name", NULL));
    }
    uint64_t id;
    if (own.len > 0 || entry->ref_count == 0 || !id_parse(entry->refs[0], "act", &id)) {
        return own;
    }
    const struct world *w = control_world(c->control);
    const struct action *action = world_action(w, id);
    if (action != NULL) {
        return action->agent == MAP_NONE ? STR("") : str_from(world_agent_at(w, action->agent)->name);
    }
    struct entry first;
    struct value *of_action = arena_alloc(c->arena, sizeof *of_action);
    return of_action != NULL &&
                   control_read_entry(c->control, c->arena, id, &first, of_action, NULL) == RC_OK
               ? value_text(value_path(of_action, "request", "agent", NULL))
               : STR("");
}

static bool fits(struct scan *s, const struct entry *entry, const struct value *body)
{
    const struct filter *f = &s->filter;
    if (f->kind.len > 0 && !str_glob(f->kind, entry_kind_name(entry->kind))) {
        return false;
    }
    if (entry->time_ms < f->since_ms) {
        return false;
    }
    if (f->verdict.len > 0 && !str_eq(f->verdict, value_text(value_get(body, STR("verdict"))))) {
        return false;
    }
    uint64_t id;
    if (f->action != UINT64_MAX && entry->seq != f->action &&
        (entry->ref_count == 0 || !id_parse(entry->refs[0], "act", &id) || id != f->action)) {
        return false;
    }
    return f->agent.len == 0 || str_glob(f->agent, agent_of(s->call, entry, body));
}

static enum rc scan_one(void *context, const struct stored *stored, struct err *e)
{
    struct scan *s = context;
    struct call *c = s->call;
    struct entry entry;
    struct value body = value_object();
    s->next = stored->seq + 1;
    s->looked++;
    enum rc rc = entry_parse(stored->header, &entry, e);
    if (rc == RC_OK && !stored->erased) {
        rc = json_parse(c->arena, arena_str(c->arena, stored->body), &body, e);
    }
    if (rc != RC_OK) {
        return rc;
    }
    if (fits(s, &entry, &body)) {
        value_push(c->arena, &s->items, entry_value(c, &entry, &body, stored));
    }
    /* Ends the walk early; the caller tells it from a failure. */
    bool enough = s->items.count >= s->limit || s->looked >= API_SCAN_MAX ||
                  arena_used(c->arena) > API_LIST_BYTES_MAX;
    return enough ? RC_LIMIT : RC_OK;
}

static enum rc read_filter(struct call *c, struct filter *f, struct err *e)
{
    struct str text;
    *f = (struct filter){.action = UINT64_MAX, .since_ms = INT64_MIN};
    if (http_query(c->x, "kind", &text)) {
        f->kind = text;
    }
    if (http_query(c->x, "agent", &text)) {
        f->agent = text;
    }
    if (http_query(c->x, "verdict", &text)) {
        enum verdict v;
        if (!verdict_parse(text, &v)) {
            return err_at(e, RC_INVALID, STR("/verdict"), "expected allow, advise, hold, escalate or deny");
        }
        f->verdict = text;
    }
    if (http_query(c->x, "action", &text) && !id_parse(text, "act", &f->action)) {
        return err_at(e, RC_INVALID, STR("/action"), "expected act_N");
    }
    if (http_query(c->x, "since", &text) && !instant_parse(text, &f->since_ms)) {
        return err_at(e, RC_INVALID, STR("/since"), "expected a time such as 2026-11-21T10:00:00Z");
    }
    return RC_OK;
}

/* `after` is where to go on: the listing's `next`; it is there even when nothing fits yet, so that a
 * follower can go on asking. */
enum rc ledger_list(struct call *c, struct err *e)
{
    uint64_t first;
    struct scan s = {.call = c, .items = value_array()};
    enum rc rc = call_page(c, &first, &s.limit, e);
    rc = rc == RC_OK ? read_filter(c, &s.filter, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    if (s.filter.action != UINT64_MAX && s.filter.action > first) {
        first = s.filter.action; /* nothing about an action stands before it */
    }
    s.next = first;
    rc = store_walk(control_reader(c->control), first, UINT64_MAX - 1, scan_one, &s, e);
    if (rc != RC_OK && rc != RC_LIMIT) {
        return rc;
    }
    struct value v = value_object();
    value_add(c->arena, &v, STR("items"), s.items);
    value_add_str(c->arena, &v, STR("next"), arena_printf(c->arena, "%llu", (unsigned long long)s.next));
    value_add_bool(c->arena, &v, STR("more"), rc == RC_LIMIT);
    return call_reply(c, 200, v);
}

static enum rc seq_of(const struct call *c, uint64_t *ret, struct err *e)
{
    return str_to_u64(c->ids[0], ret) ? RC_OK : err_set(e, RC_NOT_FOUND, "there is no such entry");
}

enum rc ledger_get(struct call *c, struct err *e)
{
    uint64_t seq;
    struct stored stored;
    struct entry entry;
    struct value body = value_object();
    enum rc rc = seq_of(c, &seq, e);
    rc = rc == RC_OK ? store_read(control_reader(c->control), c->arena, seq, &stored, e) : rc;
    rc = rc == RC_OK ? entry_parse(stored.header, &entry, e) : rc;
    rc = rc == RC_OK && !stored.erased ? json_parse(c->arena, stored.body, &body, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    struct value v = entry_value(c, &entry, &body, &stored);
    value_add_str(c->arena, &v, STR("header"), stored.header);
    value_add_hex(c->arena, &v, STR("salt"), STR(""), stored.salt, sizeof stored.salt);
    return call_reply(c, 200, v);
}

/* Bytes that an entry's body names as {"$blob": "sha256:..."}. What they hold is whatever an agent sent: nothing may
 * take them for a page. */
enum rc ledger_blob(struct call *c, struct err *e)
{
    struct digest digest;
    struct str bytes;
    struct str name;
    if (!http_unescape(c->arena, c->ids[0], &name) || !str_starts(name, STR("sha256:")) ||
        !hex_decode(str_slice(name, 7, name.len), digest.bytes, sizeof digest.bytes)) {
        return err_set(e, RC_NOT_FOUND, "expected sha256: and 64 hexadecimal digits");
    }
    enum rc rc = control_read_blob(c->control, c->arena, &digest, &bytes, e);
    if (rc != RC_OK) {
        return rc == RC_NOT_FOUND ? err_set(e, rc, "there is no such blob: it never was, or it was erased by policy") : rc;
    }
    http_add_header(c->x, "X-Content-Type-Options", STR("nosniff"));
    (void)call_text(c, 200, "application/octet-stream", bytes);
    c->wait_seq = control_read_seq(c->control);
    return RC_OK;
}

/* --- proofs ------------------------------------------------------------------------------------------------ */

static enum rc newest_checkpoint(struct call *c, struct str *ret_note, uint64_t *ret_size, struct err *e)
{
    enum rc rc = writer_checkpoint(control_writer(c->control), c->arena, ret_note, e);
    if (rc != RC_OK) {
        return rc;
    }
    struct str rest = *ret_note;
    struct str line;
    bool sized = str_next(&rest, '\n', &line) && str_next(&rest, '\n', &line) && str_to_u64(line, ret_size);
    return sized ? RC_OK : err_set(e, RC_CORRUPT, "the checkpoint is malformed");
}

/* What the receipt carries along: the entry's own bytes. */
static struct str receipt_extra(struct arena *a, const struct stored *stored)
{
    struct value v = value_object();
    value_add_str(a, &v, STR("body"), stored->body);
    value_add_str(a, &v, STR("header"), stored->header);
    value_add_hex(a, &v, STR("salt"), STR(""), stored->salt, sizeof stored->salt);
    struct buf out;
    buf_init(&out, ENTRY_BODY_MAX * 2);
    json_write_canonical(&out, &v, a);
    struct str text = arena_str(a, buf_view(&out));
    buf_done(&out);
    return text;
}

enum rc ledger_proof(struct call *c, struct err *e)
{
    uint64_t seq;
    uint64_t size = 0;
    struct str note;
    struct stored stored;
    struct proof *proof = arena_alloc(c->arena, sizeof *proof);
    enum rc rc = proof == NULL ? err_set(e, RC_LIMIT, "out of memory") : seq_of(c, &seq, e);
    rc = rc == RC_OK ? store_read(control_reader(c->control), c->arena, seq, &stored, e) : rc;
    rc = rc == RC_OK ? newest_checkpoint(c, &note, &size, e) : rc;
    if (rc == RC_OK && seq >= size) {
        writer_sign(control_writer(c->control));
        return err_set(e, RC_CONFLICT, "no checkpoint covers entry %llu yet: ask again in a moment",
                       (unsigned long long)seq);
    }
    rc = rc == RC_OK ? tiles_inclusion(store_tile, control_reader(c->control), seq, size, proof, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    struct buf out;
    buf_init(&out, ENTRY_BODY_MAX * 4);
    receipt_write(&out, receipt_extra(c->arena, &stored), seq, proof, note);
    struct str text = arena_str(c->arena, buf_view(&out));
    buf_done(&out);
    return call_text(c, 200, "text/plain; charset=utf-8", text);
}

enum rc ledger_checkpoint(struct call *c, struct err *e)
{
    struct str note;
    enum rc rc = writer_checkpoint(control_writer(c->control), c->arena, &note, e);
    if (rc != RC_OK) {
        return rc;
    }
    http_add_header(c->x, "Cache-Control", STR("no-cache"));
    return call_text(c, 200, "text/plain; charset=utf-8", note);
}

enum rc ledger_tile(struct call *c, struct err *e)
{
    unsigned level;
    uint64_t index;
    unsigned width;
    struct str path = str_slice(c->request->path, 1, c->request->path.len);
    enum rc rc = tile_path_parse(path, &level, &index, &width, e);
    struct digest *hashes = arena_array(c->arena, TILE_WIDTH, sizeof *hashes);
    if (rc != RC_OK || hashes == NULL) {
        return err_set(e, RC_NOT_FOUND, "there is no such tile");
    }
    rc = store_tile(control_reader(c->control), level, index, width, hashes, e);
    if (rc != RC_OK) {
        return rc;
    }
    http_add_header(c->x, "Cache-Control", STR("max-age=31536000, immutable"));
    struct str bytes = {(const char *)hashes, width * sizeof *hashes};
    return call_text(c, 200, "application/octet-stream", bytes);
}
