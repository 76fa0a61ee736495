/* diff: whole documents of every format, and the rows they give: tests/cases/diff. */
#include "check.h"

#include "diff/config.h"
#include "diff/read.h"
#include "diff/sql_changes.h"
#include "diff/terraform.h"
#include "value/json.h"

enum { FILE_MAX = 1 << 20, ROOM = 64 << 20 };

static const struct {
    const char *name;
    enum diff_format format;
    bool owners;
} cases[] = {
    {"terraform_aws", DIFF_TERRAFORM, false}, {"terraform_clouds", DIFF_TERRAFORM, false},
    {"kubernetes_shop", DIFF_KUBERNETES, false}, {"sql_migration", DIFF_SQL, false},
    {"sql_broken", DIFF_SQL, false}, {"sql_more", DIFF_SQL, false}, {"git_more", DIFF_GIT, false},
    {"terraform_small", DIFF_TERRAFORM, false}, {"git_change", DIFF_GIT, true}, {"git_plain", DIFF_GIT, false},
    {"haproxy_edge", DIFF_HAPROXY, false}, {"haproxy_order", DIFF_HAPROXY, false},
    {"nginx_site", DIFF_NGINX, false}, {"env_app", DIFF_ENV, false}, {"json_service", DIFF_JSON, false},
    {"yaml_docs", DIFF_YAML, false},
};

static struct str read_case(struct arena *a, const char *name, const char *ending)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s.%s", CASES_FOLDER, name, ending);
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        print_error("%s can't be opened\n", path);
        fail();
    }
    char *bytes = arena_alloc(a, FILE_MAX);
    assert_non_null(bytes);
    size_t len = fread(bytes, 1, FILE_MAX, f);
    fclose(f);
    assert_true(len > 0 && len < FILE_MAX);
    return (struct str){bytes, len};
}

/* The diff as a request carries it, with its format said. */
static struct value request_of(struct arena *a, size_t i)
{
    struct value v = value_object();
    const char *name = cases[i].name;
    value_add_str(a, &v, STR("format"), str_from(diff_format_name(cases[i].format)));
    if (cases[i].format == DIFF_TERRAFORM) {
        value_add_str(a, &v, STR("plan"), read_case(a, name, "json"));
    } else if (cases[i].format == DIFF_SQL) {
        value_add_str(a, &v, STR("sql"), read_case(a, name, "sql"));
    } else if (cases[i].format == DIFF_GIT) {
        value_add_str(a, &v, STR("patch"), read_case(a, name, "patch"));
    } else {
        value_add_str(a, &v, STR("before"), read_case(a, name, "before"));
        value_add_str(a, &v, STR("after"), read_case(a, name, "after"));
    }
    return v;
}

static void put_list(struct buf *out, const char *label, const struct value *list)
{
    buf_printf(out, " %s=", label);
    for (uint32_t i = 0; value_item(list, i) != NULL; i++) {
        buf_str(out, i > 0 ? STR(",") : STR(""));
        buf_str(out, value_text(value_item(list, i)));
    }
}

static bool flag(const struct value *row, const char *name)
{
    return value_bool_or(value_get(row, str_from(name)), false);
}

static void put_row(struct buf *out, const struct value *row)
{
    buf_str(out, flag(row, "whole") ? STR("") : STR("  "));
    buf_str(out, value_text(value_get(row, STR("kind"))));
    buf_char(out, ' ');
    buf_str(out, value_text(value_get(row, STR("resource"))));
    buf_str(out, STR(" ["));
    buf_str(out, value_text(value_get(row, STR("path"))));
    buf_char(out, ']');
    put_list(out, "facts", value_get(row, STR("facts")));
    put_list(out, "surface", value_get(row, STR("surface")));
    buf_str(out, STR(" flags="));
    buf_str(out, flag(row, "destructive") ? STR("D") : STR(""));
    buf_str(out, flag(row, "reversible") ? STR("") : STR("I"));
    buf_str(out, flag(row, "sensitive") ? STR("S") : STR(""));
    buf_str(out, flag(row, "unknown") ? STR("? ") : STR(" "));
    json_write(out, value_get(row, STR("before")));
    buf_str(out, STR(" -> "));
    json_write(out, value_get(row, STR("after")));
    buf_char(out, '\n');
}

static void put_changes(struct buf *out, struct arena *a, const struct diff_changes *c)
{
    static const char *const names[] = {"creates", "updates", "deletes", "replaces",
                                        "reads",   "no_ops",  "destructive", "irreversible"};
    static const char *const labels[] = {"create", "update", "delete", "replace", "read", "no_op", "destructive", "irreversible"};
    struct value v = diff_changes_value(a, c);
    const struct value *rows = value_get(&v, STR("changes"));
    for (uint32_t i = 0; value_item(rows, i) != NULL; i++) {
        put_row(out, value_item(rows, i));
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        int64_t count = value_integer_or(value_path(&v, "summary", names[i], NULL), -1);
        buf_printf(out, "%s%s %lld", i > 0 ? " " : "", labels[i], (long long)count);
    }
    buf_char(out, '\n');
}

/* The first line that is another one. */
static void compare_lines(const char *name, struct str got, struct str want)
{
    struct str x;
    struct str y;
    for (unsigned n = 1; got.len > 0 || want.len > 0; n++) {
        bool has = str_next(&got, '\n', &x);
        bool wants = str_next(&want, '\n', &y);
        if (!has || !wants || !str_eq(x, y)) {
            print_error("%s.want:%u\n  got:  %.*s\n  want: %.*s\n", name, n, STR_ARG(has ? x : STR("(nothing)")),
                        STR_ARG(wants ? y : STR("(nothing)")));
            fail();
        }
    }
}

static void documents_give_their_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CLEANUP(arena) struct arena *a = arena_new(ROOM);
        struct value v = request_of(a, i);
        struct diff_settings settings = {.has_codeowners = cases[i].owners};
        if (cases[i].owners) {
            settings.codeowners = read_case(a, cases[i].name, "owners");
        }
        struct diff_changes changes;
        struct err e = {0};
        if (diff_read(a, &v, &settings, &changes, &e) != RC_OK) {
            print_error("%s: %s: %s\n", cases[i].name, e.where, e.text);
            fail();
        }
        assert_int_equal(changes.format, cases[i].format);
        assert_false(changes.over);
        struct buf out;
        buf_init(&out, FILE_MAX);
        put_changes(&out, a, &changes);
        assert_int_equal(out.rc, RC_OK);
        assert_true(utf8_valid(buf_view(&out)));
        compare_lines(cases[i].name, buf_view(&out), read_case(a, cases[i].name, "want"));
        buf_done(&out);
    }
}

/* A side that is the other one too: nothing changes, whatever the order of its members. */
static void the_same_twice_is_no_change(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CLEANUP(arena) struct arena *a = arena_new(ROOM);
        struct value v = value_object();
        if (cases[i].format < DIFF_HAPROXY && cases[i].format != DIFF_KUBERNETES) {
            continue;
        }
        struct str text = read_case(a, cases[i].name, "before");
        value_add_str(a, &v, STR("format"), str_from(diff_format_name(cases[i].format)));
        value_add_str(a, &v, STR("before"), text);
        value_add_str(a, &v, STR("after"), text);
        struct diff_changes changes;
        assert_int_equal(diff_read(a, &v, NULL, &changes, NULL), RC_OK);
        assert_int_equal(changes.list.count, 0);
        assert_int_equal(changes.facts, 0);
    }
}

/* What is cut anywhere is refused or read, never more, and never memory that is not there. */
static void cut_documents_are_survived(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CLEANUP(arena) struct arena *whole = arena_new(ROOM);
        struct value full = request_of(whole, i);
        for (uint32_t part = 1; part < full.count; part++) {
            struct str text = full.members[part].value.string;
            size_t step = text.len / 97 + 1;
            for (size_t len = 0; len < text.len; len += step) {
                CLEANUP(arena) struct arena *a = arena_new(ROOM);
                char *exact = malloc(len > 0 ? len : 1);
                assert_non_null(exact);
                memcpy(exact, text.ptr, len);
                struct value v = value_copy(a, &full);
                v.members[part].value = value_string((struct str){exact, len});
                struct diff_changes changes;
                struct err e = {0};
                enum rc rc = diff_read(a, &v, NULL, &changes, &e);
                assert_true(rc == RC_OK || (rc == e.rc && e.text[0] != '\0'));
                free(exact);
            }
        }
    }
}

/* With less memory than it takes: refused, at whatever point it ends, and nothing is handed out. */
static void less_memory_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CLEANUP(arena) struct arena *source = arena_new(ROOM);
        struct value v = request_of(source, i);
        CLEANUP(arena) struct arena *enough = arena_new(ROOM);
        struct diff_changes c;
        assert_int_equal(diff_read(enough, &v, NULL, &c, NULL), RC_OK);
        size_t needed = arena_used(enough);
        assert_true(needed > 0);
        for (size_t room = 0; room < needed; room += needed / 211 + 1) {
            CLEANUP(arena) struct arena *a = arena_new(room);
            struct diff_changes none = {.creates = 4711};
            struct err e = {0};
            assert_int_equal(diff_read(a, &v, NULL, &none, &e), RC_LIMIT);
            assert_int_equal(e.rc, RC_LIMIT);
            assert_int_equal(none.creates, 4711);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(documents_give_their_rows),
                                       cmocka_unit_test(the_same_twice_is_no_change),
                                       cmocka_unit_test(cut_documents_are_survived),
                                       cmocka_unit_test(less_memory_is_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
