/*
 * control/blobs - what is large lies beside its entry, by digest.
 *
 * On the way in, after everything that reads it: a text over BLOB_TEXT_MAX becomes {"$blob":"sha256:...","size":n}, and a
 * whole part (parameters, plan, diff, an outcome's detail) that is still over BLOB_PART_MAX in its canonical form becomes
 * {"$blob":...,"json":true,"size":n}. The digest of an action is over the full values, so it binds what is beside the
 * entry as well. On the way out the same places get their values back. No caller may say "$blob" itself: what stands in
 * an entry's body under that name was put there here.
 * Source: SEMANTICS section 5 "Size", "Retention and erasure".
 */
#include "control/control_internal.h"

#include "base/encode.h"
#include "value/json.h"
#include "value/pointer.h"

#include <inttypes.h>
#include <string.h>

static const struct str mark = {"$blob", 5};

/* --- what callers say ---------------------------------------------------------------------------------- */

enum rc blobs_refuse(const struct value *v, struct err *e)
{
    bool array = value_is(v, VALUE_ARRAY);
    for (uint32_t i = 0; (array || value_is(v, VALUE_OBJECT)) && i < v->count; i++) {
        if (!array && str_eq(v->members[i].name, mark)) {
            return err_at(e, RC_INVALID, STR("/$blob"), "\"$blob\" is the server's own name for what lies beside an entry");
        }
        enum rc rc = blobs_refuse(array ? &v->items[i] : &v->members[i].value, e);
        if (rc != RC_OK) {
            if (array) {
                pointer_item(e, i);
            } else {
                pointer_member(e, v->members[i].name);
            }
            return rc;
        }
    }
    return RC_OK;
}

enum rc blobs_refuse_request(const struct request *q, struct err *e)
{
    const struct {
        const struct value *value;
        struct str name;
    } parts[] = {{q->given, STR("parameters")}, {q->invocation, STR("invocation")}, {q->plan, STR("plan")},
                 {q->diff, STR("diff")},        {q->contexts, STR("contexts")},     {q->properties, STR("properties")}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        enum rc rc = blobs_refuse(parts[i].value, e);
        if (rc != RC_OK) {
            pointer_member(e, parts[i].name);
            return rc;
        }
    }
    return RC_OK;
}

/* --- in -------------------------------------------------------------------------------------------------- */

struct taking {
    struct arena *arena;
    struct blob_list *list;
    size_t bound; /* no canonical text of what was walked is longer */
    struct err *e;
};

static enum rc list_add(struct taking *t, const struct digest *digest, struct str bytes)
{
    struct blob_list *list = t->list;
    for (size_t i = 0; i < list->count; i++) {
        if (digest_eq(&list->all[i].digest, digest)) {
            return RC_OK; /* the same text in two places */
        }
    }
    if (list->count == ENTRY_BLOBS_MAX) {
        return err_set(t->e, RC_INVALID, "more than %d texts over %d bytes, or parts over %d, in one entry",
                       ENTRY_BLOBS_MAX, BLOB_TEXT_MAX, BLOB_PART_MAX);
    }
    list->all[list->count++] =
        (struct stored_blob){.digest = *digest, .bytes = bytes, .owner = list->owner, .erasable = true};
    return RC_OK;
}

static enum rc put_ref(struct taking *t, struct value *v, struct str bytes, bool json)
{
    if (bytes.len > STORE_BLOB_MAX) {
        return err_set(t->e, RC_INVALID, "%zu bytes: at most %d are kept of one text or part", bytes.len, STORE_BLOB_MAX);
    }
    struct digest digest = sha256(bytes);
    enum rc rc = list_add(t, &digest, bytes);
    struct value ref = value_object();
    value_add_hex(t->arena, &ref, mark, STR("sha256:"), digest.bytes, sizeof digest.bytes);
    if (json) {
        value_add_bool(t->arena, &ref, STR("json"), true);
    }
    value_add_int(t->arena, &ref, STR("size"), (int64_t)bytes.len);
    *v = ref;
    return rc;
}

static enum rc take_texts(struct taking *t, struct value *v, bool *ret_changed);

/* The containers are the caller's, whose values others still read: one that changes is copied first. */
static enum rc take_items(struct taking *t, struct value *v, bool *ret_changed)
{
    bool copied = false;
    for (uint32_t i = 0; i < v->count; i++) {
        struct value item = v->items[i];
        bool changed = false;
        enum rc rc = take_texts(t, &item, &changed);
        if (rc != RC_OK) {
            pointer_item(t->e, i);
            return rc;
        }
        if (changed && !copied) {
            struct value *items = arena_array(t->arena, v->count, sizeof *items);
            if (items == NULL) {
                return err_set(t->e, arena_rc(t->arena), "the request is too large");
            }
            memcpy(items, v->items, v->count * sizeof *items);
            v->items = items;
            v->capacity = v->count;
            copied = true;
        }
        if (changed) {
            v->items[i] = item;
        }
    }
    *ret_changed = copied;
    return RC_OK;
}

static enum rc take_members(struct taking *t, struct value *v, bool *ret_changed)
{
    bool copied = false;
    for (uint32_t i = 0; i < v->count; i++) {
        struct value member = v->members[i].value;
        bool changed = false;
        t->bound += 6 * v->members[i].name.len + 4;
        enum rc rc = take_texts(t, &member, &changed);
        if (rc != RC_OK) {
            pointer_member(t->e, v->members[i].name);
            return rc;
        }
        if (changed && !copied) {
            struct member *members = arena_array(t->arena, v->count, sizeof *members);
            if (members == NULL) {
                return err_set(t->e, arena_rc(t->arena), "the request is too large");
            }
            memcpy(members, v->members, v->count * sizeof *members);
            v->members = members;
            v->capacity = v->count;
            copied = true;
        }
        if (changed) {
            v->members[i].value = member;
        }
    }
    *ret_changed = copied;
    return RC_OK;
}

static enum rc take_texts(struct taking *t, struct value *v, bool *ret_changed)
{
    enum { REF_BOUND = 160, PLAIN_BOUND = 32 };
    switch (v->type) {
    case VALUE_STRING:
        *ret_changed = v->string.len > BLOB_TEXT_MAX;
        t->bound += *ret_changed ? REF_BOUND : 6 * v->string.len + 4;
        return *ret_changed ? put_ref(t, v, v->string, false) : RC_OK;
    case VALUE_ARRAY:
        t->bound += v->count + 2;
        return take_items(t, v, ret_changed);
    case VALUE_OBJECT:
        t->bound += v->count + 2;
        return take_members(t, v, ret_changed);
    default:
        t->bound += PLAIN_BOUND;
        return RC_OK;
    }
}

/* What is left of a part may still be many small things. */
static enum rc take_whole(struct taking *t, struct value *v)
{
    if (t->bound <= BLOB_PART_MAX || (v->type != VALUE_ARRAY && v->type != VALUE_OBJECT)) {
        return RC_OK;
    }
    CLEANUP(buf) struct buf text;
    buf_init(&text, STORE_BLOB_MAX);
    json_write_canonical(&text, v, t->arena);
    if (text.rc == RC_LIMIT && arena_rc(t->arena) == RC_OK) {
        return err_set(t->e, RC_INVALID, "over %d bytes: no more are kept of one text or part", STORE_BLOB_MAX);
    }
    struct str kept = text.rc == RC_OK && text.len > BLOB_PART_MAX ? arena_str(t->arena, buf_view(&text)) : STR("");
    if (text.rc != RC_OK || arena_rc(t->arena) != RC_OK) {
        return err_set(t->e, text.rc != RC_OK ? text.rc : arena_rc(t->arena), "the request is too large");
    }
    return kept.len > 0 ? put_ref(t, v, kept, true) : RC_OK;
}

/* What the world and the checks of people read from bodies; each has a limit of its own. */
static bool stays(struct str name)
{
    static const char *const names[] = {"act", "agent", "behalf", "digest"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (str_eq(name, str_from(names[i]))) {
            return true;
        }
    }
    return false;
}

enum rc blobs_take(struct arena *a, struct value *object, struct blob_list *list, struct err *e)
{
    for (uint32_t i = 0; value_is(object, VALUE_OBJECT) && i < object->count; i++) {
        struct member *part = &object->members[i];
        struct taking t = {.arena = a, .list = list, .e = e};
        bool changed = false;
        if (stays(part->name)) {
            continue;
        }
        enum rc rc = take_texts(&t, &part->value, &changed);
        rc = rc == RC_OK ? take_whole(&t, &part->value) : rc;
        if (rc != RC_OK) {
            pointer_member(e, part->name);
            return rc;
        }
    }
    return arena_rc(a) == RC_OK ? RC_OK : err_set(e, arena_rc(a), "the request is too large");
}

enum rc blobs_take_from(struct arena *a, struct value *body, struct str name, struct blob_list *list, struct err *e)
{
    for (uint32_t i = 0; i < body->count; i++) {
        if (str_eq(body->members[i].name, name)) {
            return blobs_take(a, &body->members[i].value, list, e);
        }
    }
    return RC_OK;
}

/* --- out --------------------------------------------------------------------------------------------------- */

struct resolving {
    const struct blob_source *from;
    struct arena *arena;
    uint64_t seq;  /* of the entry */
    bool show;     /* what was erased is said to be; else it is a failure */
    size_t left;   /* bytes that may still be read */
    struct err *e;
};

enum rc control_read_blob(struct control *c, struct arena *a, const struct digest *digest, struct str *ret,
                          struct err *e)
{
    /* What the world shows may still wait for the disk. */
    enum rc rc = writer_pending_blob(c->writer, a, digest, ret, e);
    return rc == RC_NOT_FOUND ? store_blob(c->reader, a, digest, ret, e) : rc;
}

static enum rc fetch(struct resolving *r, const struct value *ref, struct str *ret)
{
    struct str name = value_text(value_get(ref, mark));
    struct digest digest;
    int64_t size = value_integer_or(value_get(ref, STR("size")), -1);
    if (!str_starts(name, STR("sha256:")) || !hex_decode(str_slice(name, 7, name.len), digest.bytes, sizeof digest.bytes) ||
        size < 0 || size > STORE_BLOB_MAX) {
        return err_set(r->e, RC_CORRUPT, "entry %" PRIu64 " names no blob where it should", r->seq);
    }
    if ((size_t)size > r->left) {
        return err_set(r->e, RC_LIMIT, "entry %" PRIu64 ": more than %d bytes lie beside it", r->seq, BLOBS_READ_MAX);
    }
    r->left -= (size_t)size;
    enum rc rc = r->from->read(r->from->context, r->arena, &digest, ret, r->e);
    if (rc == RC_NOT_FOUND) {
        return r->seq <= r->from->erased_through
                   ? err_set(r->e, RC_GONE, "what lay beside entry %" PRIu64 " was erased by policy", r->seq)
                   : err_set(r->e, RC_CORRUPT, "entry %" PRIu64 ": %.71s is missing, and no erasure took it", r->seq,
                             name.ptr);
    }
    return rc == RC_OK && ret->len != (size_t)size
               ? err_set(r->e, RC_CORRUPT, "entry %" PRIu64 ": a blob has another size", r->seq)
               : rc;
}

static enum rc resolve(struct resolving *r, const struct value *v, struct value *ret);

static enum rc resolve_ref(struct resolving *r, const struct value *v, struct value *ret)
{
    struct str bytes;
    enum rc rc = fetch(r, v, &bytes);
    if (rc == RC_GONE && r->show) {
        *ret = value_copy(r->arena, v);
        value_add_str(r->arena, ret, STR("erased"), STR("erased by policy"));
        return RC_OK;
    }
    if (rc != RC_OK || !value_bool_or(value_get(v, STR("json")), false)) {
        *ret = value_string(rc == RC_OK ? bytes : STR(""));
        return rc;
    }
    struct value part;
    rc = json_parse(r->arena, bytes, &part, r->e);
    if (rc == RC_INVALID) {
        return err_wrap(r->e, RC_CORRUPT, "entry %" PRIu64, r->seq);
    }
    /* A part holds texts that lie beside it, never another part. */
    return rc == RC_OK ? resolve(r, &part, ret) : rc;
}

static enum rc resolve_all(struct resolving *r, const struct value *v, struct value *ret)
{
    bool array = v->type == VALUE_ARRAY;
    *ret = array ? value_array() : value_object();
    for (uint32_t i = 0; i < v->count; i++) {
        struct value one;
        enum rc rc = resolve(r, array ? &v->items[i] : &v->members[i].value, &one);
        if (rc != RC_OK) {
            return rc;
        }
        if (array) {
            value_push(r->arena, ret, one);
        } else {
            value_add(r->arena, ret, v->members[i].name, one);
        }
    }
    return RC_OK;
}

static bool holds_ref(const struct value *v)
{
    bool array = v->type == VALUE_ARRAY;
    if (v->type == VALUE_OBJECT && value_get(v, mark) != NULL) {
        return true;
    }
    for (uint32_t i = 0; (array || v->type == VALUE_OBJECT) && i < v->count; i++) {
        if (holds_ref(array ? &v->items[i] : &v->members[i].value)) {
            return true;
        }
    }
    return false;
}

static enum rc resolve(struct resolving *r, const struct value *v, struct value *ret)
{
    if (v->type == VALUE_OBJECT && value_get(v, mark) != NULL) {
        return resolve_ref(r, v, ret);
    }
    if ((v->type != VALUE_ARRAY && v->type != VALUE_OBJECT) || !holds_ref(v)) {
        *ret = *v;
        return RC_OK;
    }
    return resolve_all(r, v, ret);
}

static enum rc put_back(struct resolving *r, const struct value *v, struct value *ret)
{
    enum rc rc = resolve(r, v, ret);
    return rc == RC_OK && arena_rc(r->arena) != RC_OK
               ? err_set(r->e, arena_rc(r->arena), "entry %" PRIu64 " is too large to be read here", r->seq)
               : rc;
}

enum rc beside_put_back(const struct blob_source *from, struct arena *a, uint64_t seq, const struct value *v,
                        struct value *ret, struct err *e)
{
    struct resolving r = {.from = from, .arena = a, .seq = seq, .left = BLOBS_READ_MAX, .e = e};
    return v == NULL ? RC_OK : put_back(&r, v, ret);
}

static enum rc read_here(void *context, struct arena *a, const struct digest *digest, struct str *ret, struct err *e)
{
    return control_read_blob(context, a, digest, ret, e);
}

static struct blob_source here(struct control *c)
{
    return (struct blob_source){read_here, c, world_erased_through(c->world)};
}

enum rc blobs_put_back(struct control *c, struct arena *a, uint64_t seq, const struct value *v, struct value *ret,
                       struct err *e)
{
    const struct blob_source from = here(c);
    return beside_put_back(&from, a, seq, v, ret, e);
}

enum rc control_complete(struct control *c, struct arena *a, bool show_erased, struct decision_record *record,
                         struct err *e)
{
    const struct blob_source from = here(c);
    struct resolving r = {.from = &from, .arena = a, .seq = record->action, .show = show_erased, .left = BLOBS_READ_MAX, .e = e};
    struct value *whole = arena_alloc(a, sizeof *whole);
    if (whole == NULL) {
        return err_set(e, arena_rc(a), "the record is too large");
    }
    enum rc rc = record->said == NULL ? RC_OK : put_back(&r, record->said, whole);
    if (rc == RC_OK) {
        request_read(record->said == NULL ? NULL : whole, &record->request);
    }
    return rc;
}
