#include "value/yaml.h"

#include "value/json_internal.h"
#include "value/pointer.h"
#include "value/utf8.h"

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
    int len = snprintf(where, sizeof where, "%.*s:%zu:%zu", STR_ARG(file), mark.line + 1,
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
    if (event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE) {
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
    if (key.type != VALUE_STRING) {
        return fail(r, event->start_mark, "a key must be a string: quote it");
    }
    bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (plain && str_eq(key.string, STR("<<"))) {
        return fail(r, event->start_mark, "merge keys are not supported: write the members out");
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

static enum rc read_member(struct reader *r, struct keys *keys, struct value *object,
                           bool *ret_end)
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
    rc = read_key(r, &event, keys, &key);
    rc = rc == RC_OK ? read_next(r, &v, &end) : rc;
    if (rc == RC_OK) {
        value_add(r->arena, object, key, v);
    }
    return rc;
}

static enum rc read_mapping(struct reader *r, struct value *ret)
{
    struct keys keys = {0};
    bool end = false;
    enum rc rc = RC_OK;
    while (rc == RC_OK && !end) {
        rc = read_member(r, &keys, ret, &end);
    }
    return rc == RC_OK ? keys_differ(r, &keys) : rc;
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
    if (r->depth == YAML_DEPTH_MAX) {
        return fail_at(r, event->start_mark, RC_LIMIT, "nested too deeply");
    }
    *ret = mapping ? value_object() : value_array();
    r->depth++;
    rc = mapping ? read_mapping(r, ret) : read_sequence(r, ret);
    r->depth--;
    return rc == RC_OK ? built(r, event->start_mark) : rc;
}

static enum rc read_node(struct reader *r, const yaml_event_t *event, struct value *ret)
{
    enum rc rc;
    if (event->type == YAML_ALIAS_EVENT) {
        return fail(r, event->start_mark, "aliases are not supported: write the value out");
    }
    rc = event->type == YAML_SCALAR_EVENT ? read_scalar(r, event, ret)
                                          : read_collection(r, event, ret);
    ret->line = (uint32_t)event->start_mark.line + 1;
    ret->column = (uint32_t)event->start_mark.column + 1;
    return rc;
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
    if (event.type == YAML_DOCUMENT_START_EVENT &&
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

enum rc yaml_parse(struct arena *a, struct str file, struct str text, struct value *ret,
                   struct err *e)
{
    struct reader r = {.arena = a, .err = e, .file = file, .text = text};
    yaml_mark_t start = {0};
    if (text.len > YAML_TEXT_MAX) {
        return fail_at(&r, start, RC_LIMIT, "larger than 8 MiB");
    }
    if (!yaml_parser_initialize(&r.parser)) {
        return fail_at(&r, start, RC_NO_MEMORY, "out of memory");
    }
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)(text.len > 0 ? text.ptr : ""),
                                 text.len);
    struct value v;
    enum rc rc = built(&r, start);
    rc = rc == RC_OK ? read_stream(&r, &v) : rc;
    yaml_parser_delete(&r.parser);
    if (rc == RC_OK) {
        *ret = v;
    }
    return rc;
}
