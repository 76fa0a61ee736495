/* value/json against another implementation: the same texts accepted, the same values read. */
#include "value/json.h"

#include "check.h"

#include <jansson.h>

enum { DOCUMENTS = 6000, TEXT_MAX = 4096 };

struct random {
    uint64_t state;
};

/* xorshift64: the same documents in every run. */
static uint64_t random_next(struct random *r)
{
    r->state ^= r->state << 13;
    r->state ^= r->state >> 7;
    r->state ^= r->state << 17;
    return r->state;
}

static uint64_t random_below(struct random *r, uint64_t bound)
{
    return random_next(r) % bound;
}

static void put_one_of(struct random *r, struct buf *out, const char *const *texts, size_t count)
{
    buf_str(out, str_from(texts[random_below(r, count)]));
}

#define PUT_ONE_OF(r, out, texts) put_one_of((r), (out), (texts), sizeof(texts) / sizeof *(texts))

static void put_space(struct random *r, struct buf *out)
{
    static const char *const texts[] = {"", "", "", "", " ", "\n", "\t\r\n "};
    PUT_ONE_OF(r, out, texts);
}

static void put_number(struct random *r, struct buf *out)
{
    static const char *const texts[] = {"0",
                                        "-0",
                                        "9223372036854775807",
                                        "-9223372036854775808",
                                        "9223372036854775808",
                                        "1e5",
                                        "-1.25E-3",
                                        "1e400",
                                        "0.1",
                                        "123456789.987654321",
                                        "5e-324",
                                        "01",
                                        "1.",
                                        "9007199254740993",
                                        "1e22",
                                        "1e23",
                                        "179769313486231570000e289"};
    switch (random_below(r, 4)) {
    case 0:
        PUT_ONE_OF(r, out, texts);
        break;
    case 1:
        buf_i64(out, (int64_t)random_next(r));
        break;
    case 2:
        buf_i64(out, (int64_t)random_below(r, 1000));
        break;
    default: {
        long long digits = (long long)random_below(r, 1ULL << (1 + random_below(r, 60)));
        buf_printf(out, "%lld.%lldE%d", digits, digits, (int)random_below(r, 640) - 320);
        break;
    }
    }
}

static void put_string(struct random *r, struct buf *out)
{
    static const char *const texts[] = {"a",
                                        "plain words beyond eight",
                                        "\\n",
                                        "\\u00e9",
                                        "\xc3\xa9",
                                        "\\ud83d\\ude00",
                                        "\xf0\x9f\x98\x80",
                                        "\\\\",
                                        "\\\"",
                                        "\\/",
                                        "\\u0001",
                                        "\x7f",
                                        "",
                                        "\xe2\x82\xac",
                                        "\\ud800",
                                        "\\x",
                                        "\x01",
                                        "\xff"};
    /* The last four are wrong, and rare. */
    size_t count = random_below(r, 60) == 0 ? 18 : 14;
    buf_char(out, '"');
    for (uint64_t i = random_below(r, 4); i > 0; i--) {
        put_one_of(r, out, texts, count);
    }
    buf_char(out, '"');
}

static void put_value(struct random *r, struct buf *out, int depth);

static void put_collection(struct random *r, struct buf *out, int depth, bool object)
{
    buf_char(out, object ? '{' : '[');
    uint64_t count = random_below(r, 5);
    for (uint64_t i = 0; i < count; i++) {
        buf_str(out, i > 0 ? STR(",") : STR(""));
        put_space(r, out);
        if (object) {
            put_string(r, out);
            put_space(r, out);
            buf_char(out, ':');
        }
        put_value(r, out, depth + 1);
    }
    put_space(r, out);
    buf_char(out, object ? '}' : ']');
}

static void put_value(struct random *r, struct buf *out, int depth)
{
    static const char *const literals[] = {"true", "false", "null"};
    put_space(r, out);
    uint64_t kind = random_below(r, depth < 5 ? 7 : 3);
    if (kind == 0) {
        PUT_ONE_OF(r, out, literals);
    } else if (kind == 1) {
        put_number(r, out);
    } else if (kind == 2) {
        put_string(r, out);
    } else {
        put_collection(r, out, depth, kind % 2 == 0);
    }
    put_space(r, out);
}

/* Every third document gets one byte changed, removed or doubled. */
static void damage(struct random *r, struct buf *out)
{
    static const char bytes[] = "{}[],:\"\\0123456789.eE+-tfnu \t\n\x80\xc3";
    if (out->len == 0 || random_below(r, 3) != 0) {
        return;
    }
    size_t at = random_below(r, out->len);
    switch (random_below(r, 3)) {
    case 0:
        out->data[at] = bytes[random_below(r, sizeof bytes - 1)];
        break;
    case 1:
        out->len--;
        memmove(out->data + at, out->data + at + 1, out->len - at);
        break;
    default:
        buf_char(out, out->data[at]);
        break;
    }
}

static bool same(const struct value *v, const json_t *j);

static bool same_object(const struct value *v, const json_t *j)
{
    bool all = json_object_size(j) == v->count;
    for (uint32_t i = 0; all && i < v->count; i++) {
        const struct member *m = &v->members[i];
        char name[TEXT_MAX];
        all = str_to_c(m->name, name, sizeof name) && json_object_get(j, name) != NULL &&
              same(&m->value, json_object_get(j, name));
    }
    return all;
}

static bool same_array(const struct value *v, const json_t *j)
{
    bool all = json_array_size(j) == v->count;
    for (uint32_t i = 0; all && i < v->count; i++) {
        all = same(&v->items[i], json_array_get(j, i));
    }
    return all;
}

static bool same(const struct value *v, const json_t *j)
{
    switch (v->type) {
    case VALUE_NULL:
        return json_is_null(j);
    case VALUE_BOOL:
        return json_is_boolean(j) && v->boolean == json_is_true(j);
    case VALUE_INT:
        return json_is_integer(j) && v->integer == json_integer_value(j);
    case VALUE_DOUBLE:
        return json_is_real(j) && v->number == json_real_value(j);
    case VALUE_STRING:
        return json_is_string(j) &&
               str_eq(v->string, (struct str){json_string_value(j), json_string_length(j)});
    case VALUE_ARRAY:
        return json_is_array(j) && same_array(v, j);
    case VALUE_OBJECT:
        return json_is_object(j) && same_object(v, j);
    }
    return false;
}

struct tally {
    int accepted;
    int refused;
    int whole;
};

/* The one documented difference: whole doubles that canonical text could not carry. */
static bool refused_for_range(const struct err *e)
{
    return strncmp(e->text, "whole number outside int64", 26) == 0;
}

static void compare(struct str text, struct tally *t)
{
    CLEANUP(arena) struct arena *a = arena_new(1 << 20);
    struct value v;
    struct err e = {0};
    enum rc rc = json_parse(a, text, &v, &e);
    json_error_t why;
    json_t *j = json_loadb(text.ptr, text.len,
                           JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &why);
    bool ok = rc == RC_OK ? j != NULL && same(&v, j) : j == NULL || refused_for_range(&e);
    if (!ok) {
        print_error("%.*s\n  ours: %s %s\n  jansson: %s\n", STR_ARG(text), rc_name(rc),
                    rc == RC_OK ? "" : e.text, j != NULL ? "accepted" : why.text);
    }
    t->accepted += rc == RC_OK;
    t->refused += rc != RC_OK;
    t->whole += rc != RC_OK && j != NULL;
    json_decref(j);
    assert_true(ok);
}

static void generated_documents(void **state)
{
    (void)state;
    struct random r = {20261121};
    struct tally t = {0};
    __attribute__((cleanup(buf_cleanup))) struct buf text;
    buf_init(&text, 1 << 20);
    for (int i = 0; i < DOCUMENTS; i++) {
        buf_reset(&text);
        put_value(&r, &text, 0);
        damage(&r, &text);
        compare(buf_view(&text), &t);
    }
    /* Both answers must have been tested, the difference as well. */
    assert_true(t.accepted > DOCUMENTS / 4);
    assert_true(t.refused > DOCUMENTS / 4);
    assert_true(t.whole > 0);
}

/* What we print, another reader reads as the same value. */
static void our_text_is_read_back(void **state)
{
    (void)state;
    struct random r = {7};
    int compared = 0;
    __attribute__((cleanup(buf_cleanup))) struct buf text;
    __attribute__((cleanup(buf_cleanup))) struct buf out;
    buf_init(&text, 1 << 20);
    buf_init(&out, 1 << 20);
    for (int i = 0; i < DOCUMENTS / 4; i++) {
        CLEANUP(arena) struct arena *a = arena_new(1 << 20);
        struct value v;
        buf_reset(&text);
        buf_reset(&out);
        put_value(&r, &text, 0);
        if (json_parse(a, buf_view(&text), &v, NULL) != RC_OK) {
            continue;
        }
        json_write_canonical(&out, &v, a);
        /* 1.0 is an integer by its canonical text. */
        struct value back;
        assert_int_equal(json_parse(a, buf_view(&out), &back, NULL), RC_OK);
        assert_true(value_eq(&v, &back));
        json_t *j = json_loadb(out.data, out.len,
                               JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        assert_non_null(j);
        assert_true(same(&back, j));
        json_decref(j);
        compared++;
    }
    assert_true(compared > DOCUMENTS / 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(generated_documents),
        cmocka_unit_test(our_text_is_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
