/* Any bytes: refused with a place, or a value that keeps itself through every form of text. */
#include "fuzz/fuzz.h"

#include "base/must.h"
#include "value/json.h"

enum { MEMORY_MAX = 64 << 20 };

typedef void write_fn(struct buf *out, const struct value *v, struct arena *a);

static void write_compact(struct buf *out, const struct value *v, struct arena *a)
{
    (void)a;
    json_write(out, v);
}

static void write_pretty(struct buf *out, const struct value *v, struct arena *a)
{
    (void)a;
    json_write_pretty(out, v);
}

static struct str written(write_fn *write, const struct value *v, struct arena *a)
{
    struct buf out;
    buf_init(&out, MEMORY_MAX);
    write(&out, v, a);
    must(out.rc == RC_OK);
    struct str text = arena_str(a, buf_view(&out));
    must(arena_rc(a) == RC_OK);
    must(utf8_valid(text));
    buf_done(&out);
    return text;
}

static void check_round_trip(write_fn *write, const struct value *v, struct arena *a)
{
    struct value back;
    struct str text = written(write, v, a);
    must(json_parse(a, text, &back, NULL) == RC_OK);
    must(value_eq(v, &back));
    must(str_eq(written(json_write_canonical, v, a), written(json_write_canonical, &back, a)));
}

/* Whatever it is, a reader that does not want it finds what stands behind it. */
static void check_passing(struct str json, struct arena *a)
{
    static const struct str names[] = {{"x", 1}};
    static const struct json_unread unread = {names, 1, {"y", 1}, names, 1};
    static const char behind[] = ",\"b\":2,\"c\":\"long enough for the bytes that are looked at together, and more\"}";
    struct buf text;
    struct value v;
    buf_init(&text, MEMORY_MAX);
    buf_str(&text, STR("{\"y\":{\"x\":"));
    buf_str(&text, json);
    buf_str(&text, STR("},\"x\":"));
    buf_str(&text, json);
    buf_str(&text, str_from(behind));
    must(json_parse_without(a, buf_view(&text), &unread, &v, NULL) == RC_OK);
    must(v.count == 3 && v.members[0].value.count == 0 && value_integer_or(value_get(&v, STR("b")), 0) == 2);
    buf_done(&text);
}

static void check_refusal(enum rc rc, const struct err *e)
{
    must(rc == RC_INVALID || rc == RC_LIMIT);
    must(e->rc == rc);
    must(e->text[0] != '\0');
    must(utf8_valid(str_from(e->where)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena) struct arena *a = arena_new(MEMORY_MAX);
    struct value v;
    struct err e = {0};
    enum rc rc = json_parse(a, (struct str){(const char *)data, size}, &v, &e);
    if (rc != RC_OK) {
        check_refusal(rc, &e);
        return 0;
    }
    must(value_eq(&v, &v));
    check_round_trip(json_write_canonical, &v, a);
    check_round_trip(write_compact, &v, a);
    check_round_trip(write_pretty, &v, a);
    check_passing((struct str){(const char *)data, size}, a);
    struct value copy = value_copy(a, &v);
    must(value_eq(&v, &copy));
    return 0;
}
