/* diff/read: what a request's diff is taken for, what is refused and how, every limit, secrets, the table of facts. */
#include "check.h"

#include "diff/compare.h"
#include "diff/config.h"
#include "diff/documents.h"
#include "diff/nginx.h"
#include "diff/read.h"
#include "diff/shown.h"
#include "diff/terraform.h"
#include "value/json.h"

enum { ROOM = 256 << 20 };

static struct value parse(struct arena *a, const char *json)
{
    struct value v;
    struct err e;
    if (json_parse(a, str_from(json), &v, &e) != RC_OK) {
        print_error("%s: %s %s\n", json, e.where, e.text);
        fail();
    }
    return v;
}

static void formats_are_recognised(void **state)
{
    (void)state;
    static const struct {
        const char *diff;
        enum diff_format format;
        const char *kind; /* of the first row; null: there is none */
    } rows[] = {
        {"{\"resource_changes\":[]}", DIFF_TERRAFORM, NULL},
        {"{\"format_version\":\"1.2\",\"planned_values\":{}}", DIFF_TERRAFORM, NULL},
        {"{\"plan\":{\"resource_changes\":[]}}", DIFF_TERRAFORM, NULL},
        {"\"{\\\"resource_changes\\\":[]}\"", DIFF_TERRAFORM, NULL},
        {"{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"a\"}}", DIFF_KUBERNETES, "create"},
        {"[{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"a\"}}]", DIFF_KUBERNETES, "create"},
        {"\"apiVersion: v1\\nkind: Service\\nmetadata: {name: a}\\n\"", DIFF_KUBERNETES, "create"},
        {"{\"before\":\"apiVersion: v1\\nkind: Service\\nmetadata: {name: a}\\n\"}", DIFF_KUBERNETES, "delete"},
        {"\"drop table t\"", DIFF_SQL, "delete"},
        {"{\"sql\":\"select 1\"}", DIFF_SQL, "read"},
        {"\"--- a\\n+++ b\\n@@ -1 +1 @@\\n-a\\n+b\\n\"", DIFF_GIT, "update"},
        {"{\"patch\":\"diff --git a/x b/x\\nnew file mode 100644\\n\"}", DIFF_GIT, "create"},
        {"{\"before\":{\"a\":1},\"after\":{\"a\":2}}", DIFF_JSON, "update"},
        /* What it says counts more than what it looks like. */
        {"{\"format\":\"yaml\",\"before\":{\"a\":1},\"after\":{}}", DIFF_YAML, "delete"},
        {"{\"format\":\"json\",\"before\":{},\"after\":{\"apiVersion\":\"v1\",\"kind\":\"Pod\"}}", DIFF_JSON, "create"},
        {"{\"format\":\"sql\",\"sql\":\"this is no sql\"}", DIFF_SQL, "unknown"},
        {"{\"format\":\"git\",\"patch\":\"\"}", DIFF_GIT, NULL},
        {"{\"format\":\"env\",\"before\":null,\"after\":\"A=1\"}", DIFF_ENV, "create"},
        {"{\"format\":\"kubernetes\",\"before\":\"\",\"after\":\"---\\n---\\n# nothing\\n\"}", DIFF_KUBERNETES, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CLEANUP(arena) struct arena *a = arena_new(ROOM);
        struct value v = parse(a, rows[i].diff);
        struct diff_changes c;
        struct err e = {0};
        if (diff_read(a, &v, NULL, &c, &e) != RC_OK || c.format != rows[i].format) {
            print_error("%s: %s %s\n", rows[i].diff, e.where, e.text);
            fail();
        }
        const struct value *row = value_item(&c.list, 0);
        assert_int_equal(row == NULL, rows[i].kind == NULL);
        if (row != NULL) {
            assert_str(value_text(value_get(row, STR("kind"))), rows[i].kind);
        }
    }
}

static void errors_name_the_place(void **state)
{
    (void)state;
    static const struct {
        const char *diff;
        enum rc rc;
        const char *where;
        const char *text;
    } rows[] = {
        {"null", RC_INVALID, "", "there is no diff"},
        {"17", RC_INVALID, "", "can't be recognised"},
        {"[]", RC_INVALID, "", "can't be recognised"},
        {"{}", RC_INVALID, "", "can't be recognised"},
        {"\"restart the pods\"", RC_INVALID, "", "can't be recognised"},
        {"{\"$redacted\":\"hmac-sha256:00\",\"type\":\"token\"}", RC_INVALID, "", "taken out as a secret"},
        {"{\"format\":\"xml\"}", RC_INVALID, "/format", "expected terraform, kubernetes"},
        {"{\"format\":7}", RC_INVALID, "/format", "expected terraform, kubernetes"},
        {"{\"format\":\"json\"}", RC_INVALID, "", "expected before and after"},
        {"{\"format\":\"sql\"}", RC_INVALID, "sql", "expected a text"},
        {"{\"format\":\"sql\",\"sql\":{\"$redacted\":\"hmac-sha256:00\",\"type\":\"x\"}}", RC_INVALID, "sql", "taken out as a secret"},
        {"{\"format\":\"git\",\"patch\":[]}", RC_INVALID, "patch", "expected a text"},
        {"{\"format\":\"git\",\"patch\":\"hello\"}", RC_INVALID, "", "expected a patch"},
        {"{\"before\":\"a\",\"after\":\"b\"}", RC_INVALID, "", "can't be recognised"},
        {"{\"format\":\"terraform\",\"plan\":{\"values\":{}}}", RC_INVALID, "", "this is no plan"},
        {"{\"format\":\"terraform\",\"plan\":[]}", RC_INVALID, "", "expected the object"},
        {"{\"format_version\":\"2.0\",\"resource_changes\":[]}", RC_INVALID, "/format_version", "0.x or 1.x"},
        {"{\"resource_changes\":{}}", RC_INVALID, "/resource_changes", "expected a list"},
        {"{\"resource_changes\":[7]}", RC_INVALID, "/resource_changes/0", "expected an object"},
        {"{\"resource_changes\":[{\"type\":\"a\"}]}", RC_INVALID, "/resource_changes/0/address", "expected a text"},
        {"{\"resource_changes\":[{\"address\":\"a.b\"}]}", RC_INVALID, "/resource_changes/0/type", "expected a text"},
        {"{\"resource_changes\":[{\"address\":\"a.b\",\"type\":\"a\"}]}", RC_INVALID, "/resource_changes/0/change", "an object"},
        {"{\"resource_changes\":[{\"address\":\"a.b\",\"type\":\"a\",\"change\":{\"actions\":[]}}]}", RC_INVALID,
         "/resource_changes/0/change/actions", "expected a list"},
        {"{\"resource_changes\":[],\"output_changes\":{\"o\":7}}", RC_INVALID, "/output_changes/o/change", "an object"},
        {"{\"format\":\"kubernetes\",\"after\":\"a: &x [*x]\"}", RC_INVALID, "after#1:1:4", "anchors are not supported"},
        {"{\"format\":\"kubernetes\",\"after\":\"{}\\n---\\nkind: [\\n\"}", RC_INVALID, "after#2:3:1", ""},
        {"{\"format\":\"kubernetes\",\"after\":[{\"kind\":\"A\"}]}", RC_INVALID, "after#1/0/apiVersion", "expected a text"},
        {"{\"format\":\"kubernetes\",\"after\":{\"apiVersion\":\"v1\",\"kind\":\"A\"}}", RC_INVALID, "after#1/0/metadata/name", "a text"},
        {"{\"format\":\"kubernetes\",\"after\":{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[7]}}", RC_INVALID, "after#1/items/0",
         "expected an object"},
        {"{\"format\":\"kubernetes\",\"before\":[{\"apiVersion\":\"v1\",\"kind\":\"A\",\"metadata\":{\"name\":\"n\"}},"
         "{\"apiVersion\":\"v1\",\"kind\":\"A\",\"metadata\":{\"name\":\"n\",\"namespace\":\"default\"}}]}",
         RC_CONFLICT, "before", "A n stands there twice"},
        {"{\"format\":\"kubernetes\",\"after\":7}", RC_INVALID, "after", "not a integer"},
        {"{\"format\":\"env\",\"after\":\"A=1\\nB\\n\"}", RC_INVALID, "after:2", "expected KEY=VALUE"},
        {"{\"format\":\"env\",\"after\":\"A=1\\nB='x\\n\\n\"}", RC_INVALID, "after:2", "a quote is not closed"},
        {"{\"format\":\"env\",\"after\":\"A=1\\nB=2\\nA=3\"}", RC_CONFLICT, "after", "A stands there twice"},
        {"{\"format\":\"env\",\"after\":{}}", RC_INVALID, "after", "expected a text, not a object"},
        {"{\"format\":\"json\",\"after\":\"{\\\"a\\\":1,\\\"a\\\":2}\"}", RC_INVALID, "/a", "after: duplicate member"},
        {"{\"format\":\"yaml\",\"after\":\"a: 1\\na: 2\\n\"}", RC_INVALID, "after#1:2:1", "duplicate key"},
        {"{\"format\":\"haproxy\",\"after\":\"bind :80\\n\"}", RC_INVALID, "after line 1", "expected a section"},
        {"{\"format\":\"haproxy\",\"after\":\"global\\n log \\\"x\\n\"}", RC_INVALID, "after line 2", "a quote is not closed"},
        {"{\"format\":\"nginx\",\"after\":\"http {\\n a b;\\n\"}", RC_INVALID, "after line 3", "a block is not closed"},
        {"{\"format\":\"nginx\",\"before\":\"}\"}", RC_INVALID, "before line 1", "a } closes nothing"},
        {"{\"format\":\"nginx\",\"after\":\"a b\\n}\"}", RC_INVALID, "after line 2", "expected ; or {"},
        {"{\"format\":\"nginx\",\"after\":\"{ }\"}", RC_INVALID, "after line 1", "expected a name before {"},
        {"{\"format\":\"nginx\",\"after\":\"a 'b\"}", RC_INVALID, "after line 1", "expected ; or {"},
        {"{\"format\":\"git\",\"patch\":\"--- a/x\\n+++ b/x\\n@@ -1 +1 @@\\n-a\\n\"}", RC_INVALID, "line 5", "ends inside a hunk"},
        {"{\"format\":\"git\",\"patch\":\"--- a/x\\n+++ b/x\\n@@ -1 +1 @@\\n-a\\n-b\\n\"}", RC_INVALID, "line 5", "fewer lines"},
        {"{\"format\":\"git\",\"patch\":\"--- a/x\\n+++ b/x\\n@@ -1 1 @@\\n\"}", RC_INVALID, "line 3", "the head of a hunk"},
        {"{\"format\":\"git\",\"patch\":\"diff --cc x\\n--- a/x\\n+++ b/x\\n\"}", RC_INVALID, "line 1", "a combined diff"},
        {"{\"format\":\"git\",\"patch\":\"@@ -1 +1 @@\\n--- a/x\\n+++ b/x\\n\"}", RC_INVALID, "line 1", "a hunk without"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CLEANUP(arena) struct arena *a = arena_new(ROOM);
        struct value v = parse(a, rows[i].diff);
        struct diff_changes c;
        struct err e = {0};
        enum rc rc = diff_read(a, &v, NULL, &c, &e);
        if (rc != rows[i].rc || strcmp(e.where, rows[i].where) != 0 || strstr(e.text, rows[i].text) == NULL) {
            print_error("%s\n  got:  %s, %s, %s\n  want: %s, %s, %s\n", rows[i].diff, rc_name(rc), e.where, e.text,
                        rc_name(rows[i].rc), rows[i].where, rows[i].text);
            fail();
        }
    }
}

/* --- limits ----------------------------------------------------------------------------------------- */

/* {"format":"json","before":{},"after":{"k0":0,...}} */
static struct value many_members(struct arena *a, unsigned count)
{
    struct value after = value_object();
    for (unsigned i = 0; i < count; i++) {
        value_add_int(a, &after, arena_printf(a, "k%u", i), 0);
    }
    struct value v = value_object();
    value_add_str(a, &v, STR("format"), STR("json"));
    value_add(a, &v, STR("before"), value_object());
    value_add(a, &v, STR("after"), after);
    return v;
}

static void rows_are_limited(void **state)
{
    (void)state;
    for (unsigned more = 0; more < 2; more++) {
        CLEANUP(arena) struct arena *a = arena_new(ROOM);
        struct value v = many_members(a, DIFF_CHANGES_MAX + more);
        struct diff_changes c;
        assert_int_equal(diff_read(a, &v, NULL, &c, NULL), RC_OK);
        assert_int_equal(c.list.count, DIFF_CHANGES_MAX);
        assert_int_equal(c.creates, DIFF_CHANGES_MAX + more);
        assert_int_equal(c.over, more == 1);
        struct value shown = diff_changes_value(a, &c);
        assert_int_equal(value_bool_or(value_get(&shown, STR("over")), false), more == 1);
    }
}

/* What is behind the limit is counted, and its facts are there. */
static void facts_behind_the_limit_count(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(ROOM);
    struct value v = many_members(a, DIFF_CHANGES_MAX);
    value_add_bool(a, &v.members[2].value, STR("z_insecure"), true);
    struct diff_changes c;
    assert_int_equal(diff_read(a, &v, NULL, &c, NULL), RC_OK);
    assert_true(c.over);
    assert_true((c.facts & FACT_BIT(FACT_VERIFY_OFF)) != 0);
    assert_true((c.surfaces & SURFACE_ENCRYPTION) != 0);
}

/* A plan with one update of an object with so many members that change. */
static void parts_are_limited(void **state)
{
    (void)state;
    for (unsigned more = 0; more < 2; more++) {
        CLEANUP(arena) struct arena *a = arena_new(ROOM);
        struct buf text;
        buf_init(&text, 1 << 20);
        buf_str(&text, STR("{\"resource_changes\":[{\"address\":\"a.b\",\"type\":\"a\",\"change\":{\"actions\":[\"update\"],\"before\":{}"
                           ",\"after\":{"));
        for (unsigned i = 0; i < DIFF_PARTS_MAX + more; i++) {
            buf_printf(&text, "%s\"k%u\":1", i > 0 ? "," : "", i);
        }
        buf_str(&text, STR("}}}]}"));
        buf_char(&text, '\0');
        struct value v = parse(a, text.data);
        struct diff_changes c;
        assert_int_equal(diff_read(a, &v, NULL, &c, NULL), RC_OK);
        assert_int_equal(c.list.count, 1 + DIFF_PARTS_MAX);
        assert_int_equal(c.updates, 1);
        assert_int_equal(c.over, more == 1);
        buf_done(&text);
    }
}

static void long_names_are_over(void **state)
{
    (void)state;
    for (unsigned more = 0; more < 2; more++) {
        CLEANUP(arena) struct arena *a = arena_new(ROOM);
        char name[DIFF_PATH_MAX + 1];
        memset(name, 'x', sizeof name);
        struct value after = value_object();
        /* With its slash it fits exactly, or not. */
        value_add_int(a, &after, (struct str){name, DIFF_PATH_MAX - 1 + more}, 1);
        struct value v = value_object();
        value_add_str(a, &v, STR("format"), STR("json"));
        value_add(a, &v, STR("after"), after);
        struct diff_changes c;
        assert_int_equal(diff_read(a, &v, NULL, &c, NULL), RC_OK);
        assert_int_equal(c.list.count, 1);
        assert_int_equal(c.over, more == 1);
    }
}

/* Values that are handed in, not parsed, can be deeper than any reader makes them. */
static void depth_is_limited(void **state)
{
    (void)state;
    for (unsigned more = 0; more < 2; more++) {
        CLEANUP(arena) struct arena *a = arena_new(ROOM);
        struct value before = value_int(1);
        struct value after = value_int(2);
        for (unsigned i = 0; i < DIFF_WALK_MAX - 1 + more; i++) {
            struct value x = value_object();
            struct value y = value_object();
            value_add(a, &x, STR("a"), before);
            value_add(a, &y, STR("a"), after);
            before = x;
            after = y;
        }
        struct diff_changes c = diff_changes_none(DIFF_JSON);
        struct diff_change row = {.kind = DIFF_UPDATE};
        struct diff_sides sides = {.before = &before, .after = &after, .leaves = true};
        diff_compare(a, &c, &row, &sides);
        assert_int_equal(c.over, more == 1);
        assert_int_equal(c.list.count, 1 - more);
        assert_false(diff_same(a, &before, &after));
    }
}

static void the_arena_is_the_limit(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *source = arena_new(ROOM);
    struct value v = many_members(source, 4000);
    CLEANUP(arena) struct arena *a = arena_new(64 << 10);
    struct diff_changes c = {.creates = 77};
    struct err e = {0};
    assert_int_equal(diff_read(a, &v, NULL, &c, &e), RC_LIMIT);
    assert_string_equal(e.text, "takes more memory than its maximum");
    assert_int_equal(c.creates, 77);
}

static void nginx_blocks_are_limited(void **state)
{
    (void)state;
    for (unsigned more = 0; more < 2; more++) {
        CLEANUP(arena) struct arena *a = arena_new(ROOM);
        struct buf text;
        buf_init(&text, 1 << 20);
        for (unsigned i = 0; i < NGINX_DEPTH_MAX + more; i++) {
            buf_str(&text, STR("server{"));
        }
        for (unsigned i = 0; i < NGINX_DEPTH_MAX + more; i++) {
            buf_char(&text, '}');
        }
        struct value after = value_string(buf_view(&text));
        struct diff_pair sides = {.after = &after};
        struct diff_changes c;
        struct err e = {0};
        assert_int_equal(diff_config(a, DIFF_NGINX, &sides, &c, &e), more == 1 ? RC_LIMIT : RC_OK);
        assert_string_equal(e.text, more == 1 ? "blocks are nested too deeply" : "");
        buf_done(&text);
    }
}

static void long_directives_and_hunks_are_refused(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(1 << 30);
    size_t len = 70000;
    char *text = malloc(len);
    assert_non_null(text);
    for (size_t i = 0; i < len; i++) {
        text[i] = i % 100 == 99 ? ' ' : 'x';
    }
    text[len - 1] = ';';
    struct value after = value_string((struct str){text, len});
    struct diff_pair sides = {.after = &after};
    struct diff_changes c;
    struct err e = {0};
    assert_int_equal(diff_config(a, DIFF_NGINX, &sides, &c, &e), RC_LIMIT);
    assert_string_equal(e.text, "a directive is longer than 65536 bytes");
    struct str hunk = STR("--- a/x\n+++ b/x\n@@ -1,10485761 +1 @@\n");
    assert_int_equal(diff_git(a, hunk, NULL, &c, &e), RC_INVALID);
    assert_string_equal(e.text, "expected the head of a hunk such as @@ -1,3 +1,4 @@");
    free(text);
}

static void documents_are_limited(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(ROOM);
    struct buf text;
    buf_init(&text, 1 << 20);
    for (unsigned i = 0; i < DOCUMENTS_MAX; i++) {
        buf_str(&text, STR("---\n"));
    }
    struct value after = value_string(buf_view(&text));
    struct diff_pair sides = {.after = &after};
    struct diff_changes c;
    struct err e = {0};
    assert_int_equal(diff_config(a, DIFF_YAML, &sides, &c, &e), RC_OK);
    buf_str(&text, STR("---\n"));
    after = value_string(buf_view(&text));
    assert_int_equal(diff_config(a, DIFF_YAML, &sides, &c, &e), RC_LIMIT);
    assert_string_equal(e.text, "more than 10000 documents");
    assert_string_equal(e.where, "after");
    buf_done(&text);
}

/* --- hostile ---------------------------------------------------------------------------------------- */

/* The same members backwards: found in n log n, and the same. */
static void order_costs_nothing(void **state)
{
    (void)state;
    enum { MEMBERS = 60000 };
    CLEANUP(arena) struct arena *a = arena_new(ROOM);
    struct value before = value_object();
    struct value after = value_object();
    for (unsigned i = 0; i < MEMBERS; i++) {
        value_add_int(a, &before, arena_printf(a, "k%u", i), i);
        value_add_int(a, &after, arena_printf(a, "k%u", MEMBERS - 1 - i), MEMBERS - 1 - i);
    }
    struct diff_pair sides = {.before = &before, .after = &after};
    struct diff_changes c;
    assert_int_equal(diff_config(a, DIFF_JSON, &sides, &c, NULL), RC_OK);
    assert_int_equal(c.list.count, 0);
    assert_true(diff_same(a, &before, &after));
}

static void bytes_that_are_no_text(void **state)
{
    (void)state;
    static const struct {
        enum diff_format format;
        struct str after;
        enum rc rc;
    } rows[] = {
        {DIFF_ENV, {"A=\xff\xfe\n\xc3=1", 9}, RC_OK},
        {DIFF_ENV, {"A=x\0y", 5}, RC_OK},
        {DIFF_HAPROXY, {"backend \xff\n server \x80 1\n", 23}, RC_OK},
        {DIFF_NGINX, {"a \xff\0;", 5}, RC_OK},
        {DIFF_YAML, {"a: \xff", 4}, RC_INVALID},
        {DIFF_JSON, {"{\"a\":\"\xff\"}", 9}, RC_INVALID},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CLEANUP(arena) struct arena *a = arena_new(ROOM);
        struct value after = value_string(rows[i].after);
        struct diff_pair sides = {.after = &after};
        struct diff_changes c;
        struct buf out;
        assert_int_equal(diff_config(a, rows[i].format, &sides, &c, NULL), rows[i].rc);
        if (rows[i].rc == RC_OK) {
            struct value v = diff_changes_value(a, &c);
            buf_init(&out, 1 << 20);
            json_write(&out, &v);
            assert_true(utf8_valid(buf_view(&out)));
            buf_done(&out);
        }
    }
}

static void a_plan_that_failed_is_over(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(ROOM);
    struct value v = parse(a, "{\"resource_changes\":[],\"errored\":true}");
    struct diff_changes c;
    assert_int_equal(diff_terraform(a, &v, &c, NULL), RC_OK);
    assert_true(c.over);
}

/* What a repository says about itself is taken instead of the defaults. */
static void settings_are_used(void **state)
{
    (void)state;
    static const struct str tests[] = {{"checks/*", 8}};
    static const struct str words[] = {{"gatekeeper", 10}};
    static const char patch[] = "diff --git a/checks/a.c b/checks/a.c\ndeleted file mode 100644\n--- a/checks/a.c\n+++ /dev/null\n"
                                "@@ -1 +0,0 @@\n-x\n"
                                "diff --git a/tests/b.c b/tests/b.c\ndeleted file mode 100644\n--- a/tests/b.c\n+++ /dev/null\n"
                                "@@ -1,2 +0,0 @@\n-require_role(x)\n-y\n"
                                "--- a/c.c\n+++ b/c.c\n@@ -1 +0,0 @@\n-  GateKeeper(x);\n";
    const struct diff_settings settings = {
        .test_paths = tests, .test_path_count = 1, .auth_words = words, .auth_word_count = 1};
    static const diff_facts want[2][3] = {
        {0, FACT_BIT(FACT_TEST_DELETED) | FACT_BIT(FACT_AUTH_CHECK_DELETED), 0},
        {FACT_BIT(FACT_TEST_DELETED), 0, FACT_BIT(FACT_AUTH_CHECK_DELETED)},
    };
    for (unsigned given = 0; given < 2; given++) {
        CLEANUP(arena) struct arena *a = arena_new(ROOM);
        struct diff_changes c;
        assert_int_equal(diff_git(a, str_from(patch), given == 1 ? &settings : NULL, &c, NULL), RC_OK);
        assert_int_equal(c.list.count, 3);
        for (uint32_t i = 0; i < 3; i++) {
            const struct value *facts = value_get(value_item(&c.list, i), STR("facts"));
            assert_int_equal(facts->count, (uint32_t)__builtin_popcountll(want[given][i]));
        }
        assert_true(c.facts == (want[given][0] | want[given][1] | want[given][2]));
    }
}

/* A file's name is what its rows are of. */
static void files_have_names(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(ROOM);
    struct value v = parse(a, "{\"format\":\"env\",\"path\":\"deploy/.env\",\"before\":\"\",\"after\":\"A=1\"}");
    struct diff_changes c;
    assert_int_equal(diff_read(a, &v, NULL, &c, NULL), RC_OK);
    assert_str(value_text(value_get(value_item(&c.list, 0), STR("resource"))), "deploy/.env");
    assert_str(value_text(value_get(value_item(&c.list, 0), STR("path"))), "/A");
}

/* What is read by its type must be of that type by its address. */
static void addresses_say_the_type(void **state)
{
    (void)state;
    static const struct {
        const char *address;
        const char *type;
        bool reads;
    } rows[] = {
        {"aws_kms_key.a", "aws_kms_key", true},
        {"module.aws_kms_key.aws_kms_key.a[0]", "aws_kms_key", true},
        {"data.aws_kms_key.a", "aws_kms_key", true},
        {"my_aws_kms_key.aws_kms_key.a", "aws_kms_key", true},
        {"aws_kms_key.a", "null_resource", false},
        {"xaws_kms_key.a", "aws_kms_key", false},
        {"aws_kms_key_x.a", "aws_kms_key", false},
        {"aws_kms_key", "aws_kms_key", false},
        {"aws_kms_ke", "aws_kms_key", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CLEANUP(arena) struct arena *a = arena_new(ROOM);
        struct str text = arena_printf(a, "{\"resource_changes\":[{\"address\":\"%s\",\"type\":\"%s\",\"change\":"
                                          "{\"actions\":[\"read\"]}}]}", rows[i].address, rows[i].type);
        struct value v = parse(a, text.ptr);
        struct diff_changes c;
        assert_int_equal(diff_read(a, &v, NULL, &c, NULL), RC_OK);
        struct str kind = value_text(value_get(value_item(&c.list, 0), STR("kind")));
        if ((c.facts == 0) != rows[i].reads || !str_eq(kind, rows[i].reads ? STR("read") : STR("unknown"))) {
            print_error("%s, %s\n", rows[i].address, rows[i].type);
            fail();
        }
    }
}

/* Whatever is behind its name, a policy that is not there to be read is not harmless. */
static void policies_that_were_taken_out(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(ROOM);
    struct value v = parse(a, "{\"resource_changes\":[{\"address\":\"aws_iam_policy.p\",\"type\":\"aws_iam_policy\",\"change\":"
                              "{\"actions\":[\"create\"],\"before\":null,\"after\":{\"policy\":{\"$redacted\":\"hmac-sha256:"
                              "0000000000000000000000000000000000000000000000000000000000000000\",\"type\":\"token\"}}}}]}");
    struct diff_changes c;
    assert_int_equal(diff_read(a, &v, NULL, &c, NULL), RC_OK);
    assert_true(c.facts == FACT_BIT(FACT_UNREADABLE));
    assert_int_equal(c.irreversible, 1);
}

/* --- secrets ---------------------------------------------------------------------------------------- */

static void names_of_secrets(void **state)
{
    (void)state;
    static const char *const secret[] = {"password", "DB_PASSWORD", "dbPassword", "api-key", "apiKey", "client_secret",
                                         "AWS_SECRET_ACCESS_KEY", "connectionString", "token", "private.key", "SENTRY_DSN"};
    static const char *const plain[] = {"", "mode", "secretName", "password_file", "tokens_per_minute", "key", "keyboard"};
    for (size_t i = 0; i < sizeof secret / sizeof *secret; i++) {
        assert_true(diff_name_is_secret(str_from(secret[i])));
    }
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        assert_false(diff_name_is_secret(str_from(plain[i])));
    }
    static const char *const texts[] = {"postgres://u:p@h/d", "user a password x", "{\"apiKey\":\"x\"}", "TOKEN=x", "password: x",
                                        "-----BEGIN RSA PRIVATE KEY-----"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_true(diff_text_is_secret(str_from(texts[i])));
    }
    static const char *const open[] = {"https://host/path", "https://host:8080/a@b", "hello", "server a 10.0.0.1:80", ""};
    for (size_t i = 0; i < sizeof open / sizeof *open; i++) {
        assert_false(diff_text_is_secret(str_from(open[i])));
    }
}

static void values_are_bounded(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(ROOM);
    char text[SHOWN_TEXT_MAX + 2];
    memset(text, 'x', sizeof text);
    assert_int_equal(diff_text(a, (struct str){text, SHOWN_TEXT_MAX}, SHOWN_TEXT_MAX).len, SHOWN_TEXT_MAX);
    struct str cut = diff_text(a, (struct str){text, SHOWN_TEXT_MAX + 1}, SHOWN_TEXT_MAX);
    assert_true(cut.len <= SHOWN_TEXT_MAX && str_ends(cut, STR("\xe2\x80\xa6")));
    /* A character is not cut in two. */
    memcpy(text + SHOWN_TEXT_MAX - 4, "\xc3\xa9", 2);
    assert_true(utf8_valid(diff_text(a, (struct str){text, SHOWN_TEXT_MAX + 1}, SHOWN_TEXT_MAX)));
    struct value list = value_array();
    for (unsigned i = 0; i < SHOWN_ITEMS_MAX; i++) {
        value_push(a, &list, value_int(1));
    }
    struct shown s = {STR(""), NULL, false};
    assert_int_equal(diff_shown(a, &list, &s).count, SHOWN_ITEMS_MAX);
    value_push(a, &list, value_int(1));
    assert_str(diff_shown(a, &list, &s).string, "(17 items)");
    struct value deep = value_int(1);
    for (unsigned i = 0; i < SHOWN_DEPTH_MAX + 1; i++) {
        struct value outer = value_object();
        value_add(a, &outer, STR("a"), deep);
        deep = outer;
    }
    struct value shown = diff_shown(a, &deep, &s);
    for (unsigned i = 0; i < SHOWN_DEPTH_MAX; i++) {
        assert_int_equal(shown.type, VALUE_OBJECT);
        shown = shown.members[0].value;
    }
    assert_str(shown.string, "(1 members)");
    struct value hidden = value_bool(true);
    struct shown secret = {STR("a"), &hidden, false};
    assert_int_equal(diff_shown(a, &list, &secret).type, VALUE_NULL);
    assert_true(secret.sensitive);
}

/* --- the words -------------------------------------------------------------------------------------- */

static void every_word_is_documented(void **state)
{
    (void)state;
    FILE *f = fopen(DOCS_FILE, "rb");
    assert_non_null(f);
    static char page[1 << 18];
    size_t len = fread(page, 1, sizeof page - 1, f);
    fclose(f);
    assert_true(len > 0 && len < sizeof page - 1);
    char word[64];
    for (unsigned i = 0; i < FACT_COUNT; i++) {
        snprintf(word, sizeof word, "| `%s`", diff_fact_name((enum diff_fact)i));
        if (strstr(page, word) == NULL) {
            print_error("docs/diff.md does not say what %s is\n", word);
            fail();
        }
    }
    for (unsigned i = 0; i < DIFF_KIND_COUNT; i++) {
        snprintf(word, sizeof word, "`%s`", diff_kind_name((enum diff_kind)i));
        assert_non_null(strstr(page, word));
    }
    for (unsigned i = 0; i < DIFF_SURFACE_COUNT; i++) {
        snprintf(word, sizeof word, "`%s`", diff_surface_name(i));
        assert_non_null(strstr(page, word));
    }
    for (unsigned i = DIFF_NONE + 1; i < DIFF_FORMAT_COUNT; i++) {
        enum diff_format found = DIFF_NONE;
        assert_true(diff_format_find(str_from(diff_format_name((enum diff_format)i)), &found));
        assert_int_equal(found, i);
        snprintf(word, sizeof word, "`%s`", diff_format_name(found));
        assert_non_null(strstr(page, word));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_are_recognised), cmocka_unit_test(errors_name_the_place), cmocka_unit_test(rows_are_limited),
        cmocka_unit_test(facts_behind_the_limit_count), cmocka_unit_test(parts_are_limited), cmocka_unit_test(long_names_are_over),
        cmocka_unit_test(depth_is_limited), cmocka_unit_test(the_arena_is_the_limit), cmocka_unit_test(nginx_blocks_are_limited),
        cmocka_unit_test(long_directives_and_hunks_are_refused), cmocka_unit_test(documents_are_limited),
        cmocka_unit_test(order_costs_nothing), cmocka_unit_test(bytes_that_are_no_text),
        cmocka_unit_test(a_plan_that_failed_is_over), cmocka_unit_test(settings_are_used),
        cmocka_unit_test(policies_that_were_taken_out), cmocka_unit_test(addresses_say_the_type), cmocka_unit_test(files_have_names),
        cmocka_unit_test(names_of_secrets), cmocka_unit_test(values_are_bounded),
        cmocka_unit_test(every_word_is_documented)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
