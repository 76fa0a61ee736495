/* Any bytes: refused with a place, or a value whose parts all have one and that JSON can carry. */
#include "fuzz/fuzz.h"

#include "base/must.h"
#include "value/json.h"
#include "value/yaml.h"

enum { MEMORY_MAX = 64 << 20 };

static void check_places(const struct value *v)
{
    must(v->line > 0 && v->column > 0);
    for (uint32_t i = 0; v->type == VALUE_ARRAY && i < v->count; i++) {
        check_places(&v->items[i]);
    }
    for (uint32_t i = 0; v->type == VALUE_OBJECT && i < v->count; i++) {
        check_places(&v->members[i].value);
    }
}

static void check_as_json(const struct value *v, struct arena *a)
{
    struct buf out;
    buf_init(&out, MEMORY_MAX);
    json_write_canonical(&out, v, a);
    must(out.rc == RC_OK);
    must(utf8_valid(buf_view(&out)));
    struct value back;
    must(json_parse(a, buf_view(&out), &back, NULL) == RC_OK);
    must(value_eq(v, &back));
    buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena) struct arena *a = arena_new(MEMORY_MAX);
    struct value v;
    struct err e = {0};
    enum rc rc = yaml_parse(a, STR("f.yaml"), (struct str){(const char *)data, size}, &v, &e);
    if (rc == RC_OK) {
        check_places(&v);
        check_as_json(&v, a);
        return 0;
    }
    must(rc == RC_INVALID || rc == RC_LIMIT);
    must(e.rc == rc && e.text[0] != '\0');
    must(str_starts(str_from(e.where), STR("f.yaml:")));
    return 0;
}
