/* diff/names: what changes of several kinds name, and the limits. */
#include "check.h"

#include "diff/names.h"
#include "value/json.h"

#include <string.h>

static struct diff_names names_of(struct arena *a, const char *json)
{
    struct value v;
    struct err e;
    if (json_parse(a, str_from(json), &v, &e) != RC_OK) {
        print_error("%s: %s\n", json, e.text);
        fail();
    }
    struct value *kept = arena_alloc(a, sizeof *kept);
    *kept = v;
    return diff_names(a, kept);
}

static void changes_and_their_names(void **state)
{
    (void)state;
    static const struct {
        const char *diff;
        const char *names; /* a bar between */
    } rows[] = {
        {"\"--- a/src/auth/login.c\\n+++ b/src/auth/login.c\\n@@ -1 +1 @@\\n-x\\n+y\\n\"",
         "src/auth/login.c|src/auth/login.c"},
        {"\"--- old/x.c\\t2026-11-21 10:00:00\\n+++ new/x.c\\t2026-11-21 10:00:01\\n@@ -1 +1 @@\\n-x\\n+y\"",
         "old/x.c|new/x.c"},
        {"\"--- /dev/null\\n+++ b/iam.tf\\n@@ -0,0 +1 @@\\n+x\"", "iam.tf"},
        {"\"diff --git a/run.sh b/run.sh\\nold mode 100644\\nnew mode 100755\"", "diff|--git|run.sh|run.sh"},
        {"\"diff --git a/a b/b\\nrename from a\\nrename to b\"", "diff|--git|a|b|a|b"},
        {"\"Index: trunk/net.conf\\n\"", "trunk/net.conf"},
        /* a line of SQL that was taken out looks like a header: one name too many */
        {"\"--- a/q.sql\\n+++ b/q.sql\\n@@ -1 +0,0 @@\\n--- drop it\\n\"", "q.sql|q.sql|drop it"},
        {"\"charts/shop/values.yaml\\r\\n  charts/auth/values.yaml\\n\\n\"",
         "charts/shop/values.yaml|charts/auth/values.yaml"},
        {"\"\"", ""},
        {"{\"kind\":\"Role\",\"metadata\":{\"name\":\"admin\"}}", "kind|Role|metadata|metadata.name|admin"},
        {"{\"resource_changes\":[{\"address\":\"aws_iam_role.ci\",\"change\":{\"actions\":[\"update\"]}},{\"n\":1}]}",
         "resource_changes|resource_changes.address|aws_iam_role.ci|resource_changes.change|"
         "resource_changes.change.actions|update|resource_changes.n"},
        {"[{\"op\":\"replace\",\"path\":\"/spec/replicas\",\"value\":3}]", "op|replace|path|/spec/replicas|value"},
        {"{\"patch\":\"--- a/billing.c\\n+++ b/billing.c\\n\"}", "patch|billing.c|billing.c"},
        {"{\"\":1}", ""},
        {"7", ""},
        {"null", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CLEANUP(arena) struct arena *a = arena_new(1 << 20);
        struct diff_names got = names_of(a, rows[i].diff);
        struct str want = str_from(rows[i].names);
        struct str one;
        assert_false(got.over);
        for (uint32_t k = 0; k < got.count; k++) {
            if (!str_next(&want, '|', &one) || !str_eq(one, got.items[k])) {
                print_error("%s: name %u is \"%.*s\"\n", rows[i].diff, k, STR_ARG(got.items[k]));
                fail();
            }
        }
        if (want.len > 0) {
            print_error("%s: \"%.*s\" is missing\n", rows[i].diff, STR_ARG(want));
            fail();
        }
    }
    assert_int_equal(diff_names(NULL, NULL).count, 0);
}

static struct diff_names names_of_lines(struct arena *a, size_t count)
{
    char *text = arena_alloc(a, count * 2 + 1);
    for (size_t i = 0; i < count; i++) {
        memcpy(text + i * 2, "x\n", 2);
    }
    struct value *v = arena_alloc(a, sizeof *v);
    *v = value_string((struct str){text, count * 2});
    return diff_names(a, v);
}

static void too_many(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(8 << 20);
    struct diff_names most = names_of_lines(a, DIFF_NAMES_MAX);
    assert_int_equal(most.count, DIFF_NAMES_MAX);
    assert_false(most.over);
    assert_true(names_of_lines(a, DIFF_NAMES_MAX + 1).over);
}

static void too_deep(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(1 << 20);
    struct value v = value_string(STR("x"));
    for (size_t depth = 1; depth <= DIFF_DEPTH_MAX; depth++) {
        struct value outer = value_array();
        value_push(a, &outer, v);
        v = outer;
        assert_int_equal(diff_names(a, &v).over, depth == DIFF_DEPTH_MAX);
    }
}

static void a_path_too_long(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(1 << 20);
    char name[DIFF_NAME_LEN_MAX + 1];
    memset(name, 'n', sizeof name);
    for (size_t len = DIFF_NAME_LEN_MAX; len <= sizeof name; len++) {
        struct value v = value_object();
        value_add_int(a, &v, (struct str){name, len}, 1);
        assert_int_equal(diff_names(a, &v).over, len > DIFF_NAME_LEN_MAX);
    }
}

static void no_memory(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *big = arena_new(8 << 20);
    CLEANUP(arena) struct arena *small = arena_new(4096);
    while (arena_alloc(small, 256) != NULL) {
    }
    struct value v = value_string(STR("x"));
    assert_true(diff_names(small, &v).over);
    assert_int_equal(diff_names(big, &v).count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_and_their_names), cmocka_unit_test(too_many),        cmocka_unit_test(too_deep),
        cmocka_unit_test(a_path_too_long),         cmocka_unit_test(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
