#include "value/yaml.h"

#include "value/json_internal.h"
#include "value/pointer.h"
#include "value/utf8.h"
#include "value/yaml_anchors.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum {
    /* Bytes of the file's name in a place: line and column must fit behind it. */
    FILE_SHOWN_MAX = 150,
    FIRST_KEYS = 8,
};

/* A key of one mapping and where it stands. */
struct key {
    struct str name;
    yaml_mark_t mark;
};

struct keys {
    struct key *items;
    uint32_t count;
    uint32_t capacity;
};

struct reader {
    yaml_parser_t parser;
    struct arena *arena;
    struct err *err;
    struct str file;
    struct str text;
    int depth;
    /* Of a stream only; null: what it needs is refused. */
    struct yaml_anchors *anchors;
    uint32_t document; /* that is being read, from 1 */
    uint32_t nodes;    /* values so far */
    int deepest;       /* collections inside each other, of what is being read */
};

static void event_cleanup(yaml_event_t *event)
{
    yaml_event_delete(event);
}

/* libyaml counts lines and columns from 0, people from 1. */
static enum rc fail_at(struct reader *r, yaml_mark_t mark, enum rc rc, const char *what)
{
    struct str file = r->file;
    while (file.len > FILE_SHOWN_MAX ||
           (file.len > 0 && ((unsigned char)*file.ptr & 0xc0) == 0x80)) {
        file = str_slice(file, 1, file.len);
    }
    char where[ERR_WHERE_MAX];
    char document[16] = "";
    if (r->document > 0) {
        snprintf(document, sizeof document, "#%u", r->document);
    }
    int len = snprintf(where, sizeof where, "%.*s%s:%zu:%zu", STR_ARG(file), document, mark.line + 1,
                       mark.column + 1);
    struct str place = {where, (size_t)len};
    return err_at(r->err, rc, place, "%s", what);
}

static enum rc fail(struct reader *r, yaml_mark_t mark, const char *what)
{
    return fail_at(r, mark, RC_INVALID, what);
}

/* The arena's failure, if there is one, as an error at the place that is being read. */
static enum rc built(struct reader *r, yaml_mark_t mark)
{
    enum rc rc = arena_rc(r->arena);
    if (rc == RC_OK) {
        return rc;
    }
    return fail_at(r, mark, rc,
                   rc == RC_LIMIT ? "takes more memory than its maximum" : "out of memory");
}

/* libyaml gives malformed bytes an offset only. */
static yaml_mark_t mark_of_offset(struct str text, size_t offset)
{
    yaml_mark_t mark = {0};
    size_t line_start = 0;
    for (size_t i = 0; i < offset && i < text.len; i++) {
        if (text.ptr[i] == '\n') {
            mark.line++;
            line_start = i + 1;
        }
    }
    mark.column = utf8_count(str_slice(text, line_start, offset));
    return mark;
}

static enum rc fail_parser(struct reader *r)
{
    const yaml_parser_t *p = &r->parser;
    if (p->error == YAML_MEMORY_ERROR) {
        return fail_at(r, p->mark, RC_NO_MEMORY, "out of memory");
    }
    if (p->error == YAML_READER_ERROR) {
        return fail(r, mark_of_offset(r->text, p->problem_offset), p->problem);
    }
    char what[ERR_TEXT_MAX];
    snprintf(what, sizeof what, "%s%s%s", p->context != NULL ? p->context : "",
             p->context != NULL ? ": " : "", p->problem != NULL ? p->problem : "malformed");
    return fail(r, p->problem_mark, what);
}

static enum rc event_next(struct reader *r, yaml_event_t *ret)
{
    return yaml_parser_parse(&r->parser, ret) ? RC_OK : fail_parser(r);
}

static enum rc refuse_marks(struct reader *r, const yaml_event_t *event, const yaml_char_t *anchor,
                            const yaml_char_t *tag)
{
    if (r->anchors != NULL) {
        return RC_OK;
    }
    if (anchor != NULL) {
        return fail(r, event->start_mark, "anchors are not supported: write the value out");
    }
    return tag != NULL
               ? fail(r, event->start_mark, "tags are not supported: quote what is a string")
               : RC_OK;
}

/* The type of a plain scalar is what it would be in JSON; nothing at all is null. */
static enum rc read_plain(struct reader *r, const yaml_event_t *event, struct str s,
                          struct value *ret)
{
    if (s.len == 0 || str_eq(s, STR("null"))) {
        *ret = value_null();
    } else if (str_eq(s, STR("true")) || str_eq(s, STR("false"))) {
        *ret = value_bool(s.ptr[0] == 't');
    } else if (json_is_number(s)) {
        if (json_parse(r->arena, s, ret, NULL) != RC_OK) {
            enum rc rc = built(r, event->start_mark);
            if (rc == RC_OK && r->anchors != NULL) {
                *ret = value_string(arena_str(r->arena, s));
                return RC_OK;
            }
            static const char what[] = "number outside int64 and double: quote it if it is a string";
            return rc != RC_OK ? rc : fail(r, event->start_mark, what);
        }
    } else {
        *ret = value_string(arena_str(r->arena, s));
    }
    return RC_OK;
}

static enum rc read_scalar(struct reader *r, const yaml_event_t *event, struct value *ret)
{
    enum rc rc = refuse_marks(r, event, event->data.scalar.anchor, event->data.scalar.tag);
    if (rc != RC_OK) {
        return rc;
    }
    struct str s = {(const char *)event->data.scalar.value, event->data.scalar.length};
    const char *tag = (const char *)event->data.scalar.tag;
    if (event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE || str_eq(str_from(tag), STR(YAML_STR_TAG))) {
        *ret = value_string(arena_str(r->arena, s));
    } else {
        rc = read_plain(r, event, s, ret);
    }
    return rc == RC_OK ? built(r, event->start_mark) : rc;
}

static void keys_put(struct reader *r, struct keys *keys, struct str name, yaml_mark_t mark)
{
    if (keys->count == keys->capacity) {
        uint32_t capacity = keys->capacity == 0 ? FIRST_KEYS : keys->capacity * 2;
        struct key *grown = arena_array(r->arena, capacity, sizeof *grown);
        if (grown == NULL) {
            return;
        }
        if (keys->count > 0) {
            memcpy(grown, keys->items, keys->count * sizeof *grown);
        }
        keys->items = grown;
        keys->capacity = capacity;
    }
    keys->items[keys->count++] = (struct key){name, mark};
}

static int key_order(const void *x, const void *y)
{
    const struct key *a = x;
    const struct key *b = y;
    int order = str_cmp(a->name, b->name);
    return order != 0 ? order : (a->mark.index > b->mark.index) - (a->mark.index < b->mark.index);
}

/* Sorted: input can't make that slow, as it could a hash table with a known seed. */
static enum rc keys_differ(struct reader *r, struct keys *keys)
{
    const struct key *twice = NULL;
    if (keys->count > 1) {
        qsort(keys->items, keys->count, sizeof *keys->items, key_order);
    }
    for (uint32_t i = 1; i < keys->count; i++) {
        const struct key *key = &keys->items[i];
        bool same = str_eq(key[-1].name, key->name);
        twice = same && (twice == NULL || key->mark.index < twice->mark.index) ? key : twice;
    }
    if (twice == NULL) {
        return RC_OK;
    }
    char what[ERR_TEXT_MAX];
    struct str shown = utf8_clip(twice->name, POINTER_STEP_MAX);
    snprintf(what, sizeof what, "duplicate key \"%.*s\"", STR_ARG(shown));
    return fail(r, twice->mark, what);
}

static bool is_merge(const yaml_event_t *event)
{
    struct str s = {(const char *)event->data.scalar.value, event->data.scalar.length};
    return event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && str_eq(s, STR("<<"));
}

static enum rc read_key(struct reader *r, const yaml_event_t *event, struct keys *keys,
                        struct str *ret)
{
    struct value key;
    if (event->type != YAML_SCALAR_EVENT) {
        return fail(r, event->start_mark, "a key must be a string");
    }
    enum rc rc = read_scalar(r, event, &key);
    if (rc != RC_OK) {
        return rc;
    }
    if (key.type != VALUE_STRING && r->anchors != NULL) {
        struct str s = {(const char *)event->data.scalar.value, event->data.scalar.length};
        key = value_string(arena_str(r->arena, s));
    }
    if (key.type != VALUE_STRING) {
        return fail(r, event->start_mark, "a key must be a string: quote it");
    }
    if (is_merge(event)) {
        *ret = STR("");
        return r->anchors != NULL
                   ? RC_OK
                   : fail(r, event->start_mark, "merge keys are not supported: write the members out");
    }
    *ret = key.string;
    keys_put(r, keys, key.string, event->start_mark);
    return RC_OK;
}

static enum rc read_node(struct reader *r, const yaml_event_t *event, struct value *ret);

/* The next node, or the end of the collection that it would stand in. */
static enum rc read_next(struct reader *r, struct value *ret, bool *ret_end)
{
    __attribute__((cleanup(event_cleanup))) yaml_event_t event = {0};
    enum rc rc = event_next(r, &event);
    if (rc != RC_OK) {
        return rc;
    }
    *ret_end = event.type == YAML_SEQUENCE_END_EVENT;
    return *ret_end ? RC_OK : read_node(r, &event, ret);
}

static enum rc read_sequence(struct reader *r, struct value *ret)
{
    for (;;) {
        struct value item = value_null();
        bool end = false;
        enum rc rc = read_next(r, &item, &end);
        if (rc != RC_OK || end) {
            return rc;
        }
        value_push(r->arena, ret, item);
    }
}

/* What is being put together: members of a mapping, and mappings to be merged into it. */
struct making {
    struct keys keys;
    struct value *object;
    struct value merged;
};

static bool may_be_merged(const struct value *v)
{
    bool good = v->type == VALUE_OBJECT || v->type == VALUE_ARRAY;
    for (uint32_t i = 0; v->type == VALUE_ARRAY && i < v->count; i++) {
        good = good && v->items[i].type == VALUE_OBJECT;
    }
    return good;
}

static enum rc keep_merged(struct reader *r, struct making *m, const struct value *v, yaml_mark_t mark)
{
    if (!may_be_merged(v)) {
        return fail(r, mark, "expected a mapping to merge, or a list of them");
    }
    if (v->type == VALUE_OBJECT) {
        value_push(r->arena, &m->merged, *v);
    }
    for (uint32_t i = 0; v->type == VALUE_ARRAY && i < v->count; i++) {
        value_push(r->arena, &m->merged, v->items[i]);
    }
    return RC_OK;
}

static enum rc read_member(struct reader *r, struct making *m, bool *ret_end)
{
    __attribute__((cleanup(event_cleanup))) yaml_event_t event = {0};
    enum rc rc = event_next(r, &event);
    *ret_end = rc == RC_OK && event.type == YAML_MAPPING_END_EVENT;
    if (rc != RC_OK || *ret_end) {
        return rc;
    }
    struct str key = STR("");
    struct value v = value_null();
    bool end = false;
    rc = read_key(r, &event, &m->keys, &key);
    rc = rc == RC_OK ? read_next(r, &v, &end) : rc;
    if (rc == RC_OK && is_merge(&event)) {
        return keep_merged(r, m, &v, event.start_mark);
    }
    if (rc == RC_OK) {
        value_add(r->arena, m->object, key, v);
    }
    return rc;
}

static enum rc read_mapping(struct reader *r, struct value *ret)
{
    struct making m = {.object = ret, .merged = value_array()};
    bool end = false;
    enum rc rc = RC_OK;
    while (rc == RC_OK && !end) {
        rc = read_member(r, &m, &end);
    }
    rc = rc == RC_OK ? keys_differ(r, &m.keys) : rc;
    return rc == RC_OK && m.merged.count > 0 ? yaml_merge(r->arena, ret, &m.merged) : rc;
}

static enum rc read_collection(struct reader *r, const yaml_event_t *event, struct value *ret)
{
    bool mapping = event->type == YAML_MAPPING_START_EVENT;
    enum rc rc = mapping ? refuse_marks(r, event, event->data.mapping_start.anchor,
                                        event->data.mapping_start.tag)
                         : refuse_marks(r, event, event->data.sequence_start.anchor,
                                        event->data.sequence_start.tag);
    if (rc != RC_OK) {
        return rc;
    }
    if (r->depth == (r->anchors != NULL ? (int)YAML_STREAM_DEPTH_MAX : (int)YAML_DEPTH_MAX)) {
        return fail_at(r, event->start_mark, RC_LIMIT, "nested too deeply");
    }
    *ret = mapping ? value_object() : value_array();
    r->depth++;
    r->deepest = r->depth > r->deepest ? r->depth : r->deepest;
    rc = mapping ? read_mapping(r, ret) : read_sequence(r, ret);
    r->depth--;
    return rc == RC_OK ? built(r, event->start_mark) : rc;
}

static enum rc read_new(struct reader *r, const yaml_event_t *event, struct value *ret)
{
    enum rc rc = event->type == YAML_SCALAR_EVENT ? read_scalar(r, event, ret)
                                                  : read_collection(r, event, ret);
    ret->line = (uint32_t)event->start_mark.line + 1;
    ret->column = (uint32_t)event->start_mark.column + 1;
    return rc;
}

static const yaml_char_t *anchor_of(const yaml_event_t *event)
{
    return event->type == YAML_SCALAR_EVENT           ? event->data.scalar.anchor
           : event->type == YAML_MAPPING_START_EVENT  ? event->data.mapping_start.anchor
           : event->type == YAML_SEQUENCE_START_EVENT ? event->data.sequence_start.anchor
                                                      : NULL;
}

/* A node that has a name: how much it weighs and how deep it is counts again wherever an alias stands for it. */
static enum rc read_anchored(struct reader *r, const yaml_event_t *event, struct str name, struct value *ret)
{
    uint32_t before = r->nodes;
    int deepest = r->deepest;
    uint32_t at;
    enum rc rc = yaml_anchor_open(r->anchors, r->arena, name, &at);
    if (rc != RC_OK) {
        return fail_at(r, event->start_mark, rc, rc == RC_LIMIT ? "too many anchors" : "out of memory");
    }
    r->deepest = r->depth;
    rc = read_new(r, event, ret);
    if (rc == RC_OK) {
        r->anchors->items[at] = (struct yaml_anchor){*ret, r->nodes - before + 1, r->deepest - r->depth, false};
    }
    r->deepest = deepest > r->deepest ? deepest : r->deepest;
    return rc;
}

static enum rc read_alias(struct reader *r, const yaml_event_t *event, struct value *ret)
{
    if (r->anchors == NULL) {
        return fail(r, event->start_mark, "aliases are not supported: write the value out");
    }
    const struct yaml_anchor *x = yaml_anchor_find(r->anchors, str_from((const char *)event->data.alias.anchor));
    if (x == NULL || x->open) {
        return fail(r, event->start_mark, x == NULL ? "no anchor before it has this name" : "an alias inside what it stands for");
    }
    if (x->nodes > YAML_STREAM_NODES_MAX - r->nodes || r->depth + x->height > YAML_STREAM_DEPTH_MAX) {
        return fail_at(r, event->start_mark, RC_LIMIT, "too many values, or nested too deeply, with aliases written out");
    }
    r->nodes += x->nodes;
    r->deepest = r->depth + x->height > r->deepest ? r->depth + x->height : r->deepest;
    *ret = x->value;
    return RC_OK;
}

static enum rc read_node(struct reader *r, const yaml_event_t *event, struct value *ret)
{
    if (event->type == YAML_ALIAS_EVENT) {
        return read_alias(r, event, ret);
    }
    if (r->anchors == NULL) {
        return read_new(r, event, ret);
    }
    if (r->nodes == YAML_STREAM_NODES_MAX) {
        return fail_at(r, event->start_mark, RC_LIMIT, "too many values");
    }
    r->nodes++;
    const char *anchor = (const char *)anchor_of(event);
    return anchor == NULL ? read_new(r, event, ret) : read_anchored(r, event, str_from(anchor), ret);
}

/* Takes one event of the frame around the document. */
static enum rc read_frame(struct reader *r, yaml_event_type_t *ret)
{
    __attribute__((cleanup(event_cleanup))) yaml_event_t event = {0};
    enum rc rc = event_next(r, &event);
    if (rc != RC_OK) {
        return rc;
    }
    *ret = event.type;
    if (event.type == YAML_DOCUMENT_START_EVENT && r->anchors == NULL &&
        event.data.document_start.tag_directives.start !=
            event.data.document_start.tag_directives.end) {
        return fail(r, event.start_mark, "tags are not supported: quote what is a string");
    }
    return RC_OK;
}

static enum rc read_end(struct reader *r)
{
    __attribute__((cleanup(event_cleanup))) yaml_event_t event = {0};
    enum rc rc = event_next(r, &event);
    if (rc == RC_OK && event.type != YAML_STREAM_END_EVENT) {
        return fail(r, event.start_mark, "more than one document");
    }
    return rc;
}

static enum rc read_document(struct reader *r, struct value *ret)
{
    bool end;
    *ret = value_null();
    enum rc rc = read_next(r, ret, &end);
    if (rc == RC_OK && ret->type == VALUE_NULL) {
        *ret = value_object();
        ret->line = 1;
        ret->column = 1;
    }
    yaml_event_type_t type;
    rc = rc == RC_OK ? read_frame(r, &type) : rc; /* the document's end */
    return rc == RC_OK ? read_end(r) : rc;
}

static enum rc read_stream(struct reader *r, struct value *ret)
{
    yaml_event_type_t type;
    enum rc rc = read_frame(r, &type); /* the stream's start */
    rc = rc == RC_OK ? read_frame(r, &type) : rc;
    if (rc == RC_OK && type == YAML_STREAM_END_EVENT) {
        *ret = (struct value){.type = VALUE_OBJECT, .line = 1, .column = 1};
        return RC_OK;
    }
    return rc == RC_OK ? read_document(r, ret) : rc;
}

typedef enum rc (*read_fn)(struct reader *r, struct value *ret);

static enum rc parse(struct reader *r, size_t max, read_fn read, struct value *ret)
{
    yaml_mark_t start = {0};
    if (r->text.len > max) {
        return fail_at(r, start, RC_LIMIT, max == YAML_TEXT_MAX ? "larger than 8 MiB" : "larger than 64 MiB");
    }
    if (!yaml_parser_initialize(&r->parser)) {
        return fail_at(r, start, RC_NO_MEMORY, "out of memory");
    }
    yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r->parser, (const unsigned char *)(r->text.len > 0 ? r->text.ptr : ""),
                                 r->text.len);
    struct value v;
    enum rc rc = built(r, start);
    rc = rc == RC_OK ? read(r, &v) : rc;
    yaml_parser_delete(&r->parser);
    if (rc == RC_OK) {
        *ret = v;
    }
    return rc;
}

enum rc yaml_parse(struct arena *a, struct str file, struct str text, struct value *ret,
                   struct err *e)
{
    struct reader r = {.arena = a, .err = e, .file = file, .text = text};
    return parse(&r, YAML_TEXT_MAX, read_stream, ret);
}

/* --- a stream of documents -------------------------------------------------------------------------- */

static enum rc read_one(struct reader *r, struct value *list)
{
    struct value v = value_null();
    yaml_event_type_t type;
    bool end;
    yaml_anchors_forget(r->anchors);
    enum rc rc = read_next(r, &v, &end);
    rc = rc == RC_OK ? read_frame(r, &type) : rc; /* the document's end */
    value_push(r->arena, list, v);
    return rc;
}

static enum rc read_all(struct reader *r, struct value *ret)
{
    yaml_event_type_t type;
    yaml_mark_t start = {0};
    *ret = value_array();
    r->document = 1;
    enum rc rc = read_frame(r, &type); /* the stream's start */
    for (;; r->document++) {
        rc = rc == RC_OK ? read_frame(r, &type) : rc;
        if (rc != RC_OK || type == YAML_STREAM_END_EVENT) {
            return rc == RC_OK ? built(r, start) : rc;
        }
        if (r->document > YAML_DOCUMENTS_MAX) {
            return fail_at(r, start, RC_LIMIT, "too many documents");
        }
        rc = read_one(r, ret);
    }
}

enum rc yaml_parse_stream(struct arena *a, struct str file, struct str text, struct value *ret,
                          struct err *e)
{
    struct yaml_anchors anchors;
    struct reader r = {.arena = a, .err = e, .file = file, .text = text, .anchors = &anchors};
    yaml_anchors_init(&anchors);
    enum rc rc = parse(&r, YAML_STREAM_MAX, read_all, ret);
    yaml_anchors_done(&anchors);
    return rc;
}
