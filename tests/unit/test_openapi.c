/* docs/openapi.yaml against the table of routes: every route is described, with its roles, and nothing
 * else is. */
#include "api/routes.h"
#include "value/yaml.h"

#include "check.h"

#include <stdio.h>

static struct arena *arena;
static struct value document;

static int read_document(void **state)
{
    (void)state;
    FILE *f = fopen(OPENAPI_FILE, "rb");
    assert_non_null(f);
    static char text[1 << 20];
    size_t len = fread(text, 1, sizeof text, f);
    fclose(f);
    arena = arena_new(64 << 20);
    struct err e = {0};
    enum rc rc = yaml_parse(arena, STR("openapi.yaml"), (struct str){text, len}, &document, &e);
    if (rc != RC_OK) {
        print_error("%s: %s\n", e.where, e.text);
    }
    return rc == RC_OK ? 0 : -1;
}

static int free_document(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

/* "/v1/actions/{action_id}" and "/v1/actions/{}" are the same; "{path}" at the end is "*". */
static bool same_path(struct str described, struct str route)
{
    struct str want;
    struct str got;
    while (str_next(&route, '/', &want)) {
        if (!str_next(&described, '/', &got)) {
            return false;
        }
        bool open = str_eq(want, STR("{}")) || str_eq(want, STR("*"));
        bool named = got.len > 2 && got.ptr[0] == '{' && got.ptr[got.len - 1] == '}';
        if (open ? !named : !str_eq(want, got)) {
            return false;
        }
    }
    return described.ptr == NULL;
}

static struct str method_name(enum http_method m)
{
    return m == HTTP_POST ? STR("post") : STR("get");
}

static const struct value *describe(const struct route *r)
{
    const struct value *paths = value_get(&document, STR("paths"));
    for (uint32_t i = 0; i < paths->count; i++) {
        if (same_path(paths->members[i].name, str_from(r->path))) {
            return value_get(&paths->members[i].value, method_name(r->method));
        }
    }
    return NULL;
}

static void every_route_is_described(void **state)
{
    (void)state;
    size_t count;
    const struct route *routes = routes_table(&count);
    assert_true(count > 0);
    for (size_t i = 0; i < count; i++) {
        const struct value *d = describe(&routes[i]);
        if (d == NULL) {
            print_error("not described: %s\n", routes[i].path);
        }
        assert_non_null(d);
        const struct value *roles = value_get(d, STR("x-roles"));
        unsigned described = 0;
        for (uint32_t k = 0; k < roles->count; k++) {
            unsigned role;
            assert_true(role_parse(roles->items[k].string, &role));
            described |= role;
        }
        if (described != routes[i].roles) {
            print_error("roles differ: %s\n", routes[i].path);
        }
        assert_int_equal(described, routes[i].roles);
    }
}

/* A new POST without a decision about repeats fails here. */
static void every_write_says_what_a_repeat_is(void **state)
{
    (void)state;
    static const char *const words[] = {
        [REPEAT_KEY] = "key", [REPEAT_NONCE] = "nonce", [REPEAT_ASKS] = "asks", [REPEAT_SAME] = "same"};
    size_t count;
    const struct route *routes = routes_table(&count);
    for (size_t i = 0; i < count; i++) {
        const struct value *described = value_get(describe(&routes[i]), STR("x-repeat"));
        if (routes[i].method != HTTP_POST) {
            assert_int_equal(routes[i].repeat, REPEAT_READS);
            assert_null(described);
            continue;
        }
        bool decided = routes[i].repeat >= REPEAT_KEY && routes[i].repeat <= REPEAT_SAME;
        if (!decided || !str_eq(value_text(described), str_from(words[routes[i].repeat]))) {
            print_error("what a repeat is: %s\n", routes[i].path);
            fail();
        }
    }
}

static void nothing_else_is_described(void **state)
{
    (void)state;
    size_t count;
    const struct route *routes = routes_table(&count);
    const struct value *paths = value_get(&document, STR("paths"));
    size_t described = 0;
    for (uint32_t i = 0; i < paths->count; i++) {
        described += paths->members[i].value.count;
        bool served = false;
        for (size_t k = 0; k < count; k++) {
            served = served || same_path(paths->members[i].name, str_from(routes[k].path));
        }
        assert_true(served);
    }
    assert_int_equal(described, count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_route_is_described),
        cmocka_unit_test(every_write_says_what_a_repeat_is),
        cmocka_unit_test(nothing_else_is_described),
    };
    return cmocka_run_group_tests(tests, read_document, free_document);
}
