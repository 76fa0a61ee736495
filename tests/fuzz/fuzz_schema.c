/*
 * The first line is a schema, the rest a value: the answer is the same with and without an error to
 * fill in and for the value's canonical text, and the opposite below "not".
 */
#include "fuzz/fuzz.h"

#include "base/must.h"
#include "value/json.h"
#include "value/schema.h"

enum { MEMORY_MAX = 32 << 20 };

static void check_error(enum rc rc, const struct err *e)
{
    must(rc == RC_OK || rc == RC_INVALID || rc == RC_LIMIT);
    must(rc == RC_OK || e->text[0] != '\0');
    must(rc == RC_OK || utf8_valid(str_from(e->where)));
}

static void check_canonical(const struct schema *s, const struct value *v, enum rc want,
                            struct arena *a)
{
    struct buf out;
    buf_init(&out, MEMORY_MAX);
    json_write_canonical(&out, v, a);
    struct value back;
    must(json_parse(a, buf_view(&out), &back, NULL) == RC_OK);
    must(schema_check(s, &back, NULL) == want);
    buf_done(&out);
}

static void check_not(const struct value *definition, const struct value *v, enum rc rc,
                      struct arena *a)
{
    const struct schema *s;
    struct value around = value_object();
    value_add(a, &around, STR("not"), *definition);
    /* One level deeper may be too deep, and $defs stand at the top only. */
    if (rc != RC_LIMIT && schema_compile(a, &around, &s, NULL) == RC_OK) {
        enum rc opposite = schema_check(s, v, NULL);
        must(opposite == RC_LIMIT || opposite == (rc == RC_OK ? RC_INVALID : RC_OK));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena) struct arena *a = arena_new(MEMORY_MAX);
    struct str rest = {(const char *)data, size};
    struct str line;
    struct value definition;
    struct value v;
    struct err e = {0};
    const struct schema *s;
    if (!str_next(&rest, '\n', &line) || json_parse(a, line, &definition, NULL) != RC_OK ||
        json_parse(a, rest, &v, NULL) != RC_OK) {
        return 0;
    }
    enum rc rc = schema_compile(a, &definition, &s, &e);
    check_error(rc, &e);
    if (rc != RC_OK) {
        return 0;
    }
    rc = schema_check(s, &v, &e);
    check_error(rc, &e);
    must(schema_check(s, &v, NULL) == rc);
    check_canonical(s, &v, rc, a);
    check_not(&definition, &v, rc, a);
    return 0;
}
