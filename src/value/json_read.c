/* The JSON reader: arrays, objects, literals; one pass, at most JSON_DEPTH_MAX calls deep. */
#include "value/json_internal.h"
#include "value/pointer.h"

#include <stdlib.h>
#include <string.h>

enum {
    PENDING_FIRST = 48,  /* members kept on the stack before the arena lends room */
    NAMES_COMPARED = 24, /* up to here names are compared with each other, beyond they are sorted */
};

static enum rc read_value(struct json_reader *r, uint32_t place);

static inline void skip_space(struct json_reader *r)
{
    /* Between programs there is mostly none. */
    while (r->at < r->end && *r->at <= ' ' &&
           (*r->at == ' ' || *r->at == '\n' || *r->at == '\t' || *r->at == '\r')) {
        r->at++;
    }
}

/* Takes c, with space before it; false when something else stands there. */
static inline bool take(struct json_reader *r, char c)
{
    skip_space(r);
    if (r->at == r->end || *r->at != c) {
        return false;
    }
    r->at++;
    return true;
}

static enum rc pending_grow(struct json_reader *r)
{
    uint32_t capacity;
    if (__builtin_mul_overflow(r->pending_capacity, (uint32_t)2, &capacity)) {
        return err_set(r->err, RC_LIMIT, "takes more memory than its maximum");
    }
    struct member *room = arena_array(r->arena, capacity, sizeof *room);
    if (room == NULL) {
        return json_arena_rc(r);
    }
    memcpy(room, r->pending, r->pending_count * sizeof *room);
    r->pending = room;
    r->pending_capacity = capacity;
    return RC_OK;
}

/*
 * A place for one more value. Every value is read straight into its place, never copied around: the
 * place is an index because what is nested in the value may move them all.
 */
static enum rc pending_add(struct json_reader *r)
{
    if (r->pending_count == r->pending_capacity) {
        enum rc rc = pending_grow(r);
        if (rc != RC_OK) {
            return rc;
        }
    }
    r->pending[r->pending_count++].name = (struct str){0};
    return RC_OK;
}

static enum rc read_items(struct json_reader *r, uint32_t first)
{
    do {
        uint32_t place = r->pending_count;
        enum rc rc = pending_add(r);
        rc = rc == RC_OK ? read_value(r, place) : rc;
        if (rc != RC_OK) {
            pointer_item(r->err, place - first);
            return rc;
        }
    } while (take(r, ','));
    return take(r, ']') ? RC_OK : json_fail(r, r->at, "expected ',' or ']'");
}

/* Moves the pending items from first on into an array of exactly their count. */
static enum rc array_close(struct json_reader *r, uint32_t first, struct value *ret)
{
    uint32_t count = r->pending_count - first;
    struct value *items = arena_array(r->arena, count, sizeof *items);
    if (items == NULL) {
        return json_arena_rc(r);
    }
    for (uint32_t i = 0; i < count; i++) {
        items[i] = r->pending[first + i].value;
    }
    *ret = (struct value){.type = VALUE_ARRAY, .count = count, .capacity = count, .items = items};
    r->pending_count = first;
    return RC_OK;
}

static enum rc read_array(struct json_reader *r, uint32_t place)
{
    if (take(r, ']')) {
        r->pending[place].value = value_array();
        return RC_OK;
    }
    uint32_t first = r->pending_count;
    enum rc rc = read_items(r, first);
    return rc == RC_OK ? array_close(r, first, &r->pending[place].value) : rc;
}

/* Behind the opening quote. */
static enum rc read_name(struct json_reader *r, uint32_t place)
{
    enum rc rc = json_read_string(r, &r->pending[place].name);
    if (rc == RC_OK && !take(r, ':')) {
        rc = json_fail(r, r->at, "expected ':'");
    }
    return rc;
}

static uint64_t length_bit(struct str name)
{
    return 1ULL << (name.len & 63);
}

static uint64_t lengths_of(const struct str *names, uint32_t count)
{
    uint64_t lengths = 0;
    for (uint32_t i = 0; i < count; i++) {
        lengths |= length_bit(names[i]);
    }
    return lengths;
}

static bool is_among(const struct str *names, uint32_t count, struct str name)
{
    for (uint32_t i = 0; i < count; i++) {
        if (names[i].len == name.len && name.ptr[0] == names[i].ptr[0] && str_eq(names[i], name)) {
            return true;
        }
    }
    return false;
}

static bool is_passed_over(const struct json_reader *r, struct str name)
{
    const struct json_unread *u = r->unread;
    if (u == NULL || r->depth > 2 || name.len == 0) {
        return false;
    }
    /* Most names are told from all of them by their length. */
    uint64_t length = length_bit(name);
    if (r->depth == 1) {
        return (r->lengths & length) != 0 && is_among(u->names, u->count, name);
    }
    return r->within && (r->in_lengths & length) != 0 && is_among(u->in_names, u->in_count, name);
}

/* Whether what stands in the outermost object's member has members that are passed over. */
static void enter_member(struct json_reader *r, struct str name)
{
    if (r->depth == 1 && r->unread != NULL) {
        r->within = str_eq(name, r->unread->in);
    }
}

static enum rc read_member(struct json_reader *r)
{
    if (!take(r, '"')) {
        return json_fail(r, r->at, "expected a member name");
    }
    uint32_t place = r->pending_count;
    enum rc rc = pending_add(r);
    if (rc != RC_OK) {
        return rc;
    }
    rc = read_name(r, place);
    if (rc == RC_OK && is_passed_over(r, r->pending[place].name)) {
        skip_space(r);
        json_pass_value(r);
        r->pending_count = place;
        return RC_OK;
    }
    enter_member(r, r->pending[place].name);
    rc = rc == RC_OK ? read_value(r, place) : rc;
    if (rc != RC_OK) {
        pointer_member(r->err, r->pending[place].name);
    }
    return rc;
}

static enum rc read_members(struct json_reader *r, uint32_t first)
{
    do {
        if (r->pending_count - first == JSON_MEMBERS_MAX) {
            return err_set(r->err, RC_LIMIT, "more than %d members", JSON_MEMBERS_MAX);
        }
        enum rc rc = read_member(r);
        if (rc != RC_OK) {
            return rc;
        }
    } while (take(r, ','));
    return take(r, '}') ? RC_OK : json_fail(r, r->at, "expected ',' or '}'");
}

/*
 * One bit of 64 per name: as long as the bits are all different so are the names, and mostly they
 * are. Only a name whose bit is taken is compared with those before it.
 */
static const struct member *twice_among_few(const struct member *members, uint32_t count)
{
    uint64_t seen = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct str name = members[i].name;
        unsigned mark = (unsigned)name.len;
        if (name.len > 0) {
            mark += 5U * (unsigned char)name.ptr[0] + 11U * (unsigned char)name.ptr[name.len - 1] +
                    3U * (unsigned char)name.ptr[name.len / 2];
        }
        uint64_t bit = 1ULL << (mark & 63);
        if ((seen & bit) != 0) {
            for (uint32_t k = 0; k < i; k++) {
                if (str_eq(members[k].name, name)) {
                    return &members[i];
                }
            }
        }
        seen |= bit;
    }
    return NULL;
}

static int name_order(const void *a, const void *b)
{
    const struct member *const *x = a;
    const struct member *const *y = b;
    return str_cmp((*x)->name, (*y)->name);
}

/* Input can't make sorting slow, as it could make a hash table with a known seed. */
static enum rc twice_among_many(struct json_reader *r, const struct member *members, uint32_t count,
                                const struct member **ret)
{
    const struct member **sorted = arena_array(r->arena, count, sizeof *sorted);
    if (sorted == NULL) {
        return json_arena_rc(r);
    }
    for (uint32_t i = 0; i < count; i++) {
        sorted[i] = &members[i];
    }
    qsort(sorted, count, sizeof *sorted, name_order);
    for (uint32_t i = 1; i < count; i++) {
        if (str_eq(sorted[i - 1]->name, sorted[i]->name)) {
            *ret = sorted[i];
            return RC_OK;
        }
    }
    return RC_OK;
}

static bool names_ascend(const struct member *members, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        if (str_cmp(members[i - 1].name, members[i].name) >= 0) {
            return false;
        }
    }
    return true;
}

static enum rc names_differ(struct json_reader *r, const struct member *members, uint32_t count)
{
    const struct member *twice = NULL;
    if (count <= NAMES_COMPARED) {
        twice = twice_among_few(members, count);
    } else if (!names_ascend(members, count)) {
        enum rc rc = twice_among_many(r, members, count, &twice);
        if (rc != RC_OK) {
            return rc;
        }
    }
    if (twice == NULL) {
        return RC_OK;
    }
    enum rc rc = json_fail(r, r->at, "duplicate member name in the object that ends");
    pointer_member(r->err, twice->name);
    return rc;
}

static enum rc object_close(struct json_reader *r, uint32_t first, struct value *ret)
{
    uint32_t count = r->pending_count - first;
    enum rc rc = names_differ(r, r->pending + first, count);
    if (rc != RC_OK) {
        return rc;
    }
    struct member *members = arena_copy(r->arena, r->pending + first, count * sizeof *members);
    if (members == NULL) {
        return json_arena_rc(r);
    }
    *ret =
        (struct value){.type = VALUE_OBJECT, .count = count, .capacity = count, .members = members};
    r->pending_count = first;
    return RC_OK;
}

static enum rc read_object(struct json_reader *r, uint32_t place)
{
    if (take(r, '}')) {
        r->pending[place].value = value_object();
        return RC_OK;
    }
    uint32_t first = r->pending_count;
    enum rc rc = read_members(r, first);
    return rc == RC_OK ? object_close(r, first, &r->pending[place].value) : rc;
}

static enum rc read_container(struct json_reader *r, uint32_t place)
{
    if (r->depth == JSON_DEPTH_MAX) {
        return err_set(r->err, RC_LIMIT, "nested deeper than %d at byte %zu", JSON_DEPTH_MAX,
                       (size_t)(r->at - r->start));
    }
    r->depth++;
    enum rc rc = *r->at++ == '{' ? read_object(r, place) : read_array(r, place);
    r->depth--;
    return rc;
}

static enum rc read_literal(struct json_reader *r, struct str word, struct value *ret)
{
    if ((size_t)(r->end - r->at) < word.len || memcmp(r->at, word.ptr, word.len) != 0) {
        return json_fail(r, r->at, "expected a value");
    }
    *ret = *r->at == 'n' ? value_null() : value_bool(*r->at == 't');
    r->at += word.len;
    return RC_OK;
}

static enum rc read_string_value(struct json_reader *r, struct value *ret)
{
    r->at++;
    *ret = (struct value){.type = VALUE_STRING};
    return json_read_string(r, &ret->string);
}

static enum rc read_value(struct json_reader *r, uint32_t place)
{
    skip_space(r);
    if (r->at == r->end) {
        return json_fail(r, r->at, "expected a value, found the end");
    }
    struct value *ret = &r->pending[place].value;
    switch (*r->at) {
    case '"':
        return read_string_value(r, ret);
    case '{':
    case '[':
        return read_container(r, place);
    case 't':
        return read_literal(r, STR("true"), ret);
    case 'f':
        return read_literal(r, STR("false"), ret);
    case 'n':
        return read_literal(r, STR("null"), ret);
    default:
        break;
    }
    if (*r->at != '-' && (*r->at < '0' || *r->at > '9')) {
        return json_fail(r, r->at, "expected a value");
    }
    return json_read_number(r, ret);
}

enum rc json_parse(struct arena *a, struct str text, struct value *ret, struct err *e)
{
    return json_parse_without(a, text, NULL, ret, e);
}

enum rc json_parse_without(struct arena *a, struct str text, const struct json_unread *unread, struct value *ret,
                           struct err *e)
{
    struct member first[PENDING_FIRST];
    struct json_reader r = {.at = text.len > 0 ? text.ptr : "",
                            .arena = a,
                            .err = e,
                            .unread = unread,
                            .pending = first,
                            .pending_capacity = PENDING_FIRST};
    r.start = r.at;
    r.end = r.at + text.len;
    if (unread != NULL) {
        r.lengths = lengths_of(unread->names, unread->count);
        r.in_lengths = lengths_of(unread->in_names, unread->in_count);
    }
    enum rc rc = json_arena_rc(&r);
    rc = rc == RC_OK ? pending_add(&r) : rc;
    rc = rc == RC_OK ? read_value(&r, 0) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    skip_space(&r);
    if (r.at != r.end) {
        return json_fail(&r, r.at, "something stands behind the value");
    }
    *ret = r.pending[0].value;
    return RC_OK;
}
