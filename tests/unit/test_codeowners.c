/* diff/codeowners: patterns, the last that fits, lines that are no rules. */
#include "check.h"

#include "diff/codeowners.h"

static void patterns(void **state)
{
    (void)state;
    static const struct {
        const char *pattern;
        const char *path;
        bool fits;
    } rows[] = {
        {"*", "a.c", true},
        {"*", "a/b/c.c", true},
        {"*.js", "src/app.js", true},
        {"*.js", "app.jsx", false},
        {"docs", "docs/a/b.md", true},
        {"docs", "x/docs/b.md", true},
        {"docs", "docs", true},
        {"/docs", "x/docs/b.md", false},
        {"/docs", "docs/b.md", true},
        {"docs/", "docs/b.md", true},
        {"docs/", "docs", false},
        {"apps/", "x/apps/y/z", true},
        {"/apps/", "x/apps/y", false},
        {"docs/*", "docs/a.md", true},
        {"docs/*", "docs/a/b.md", false},
        {"docs/**", "docs/a/b.md", true},
        {"docs/**", "docs", true},
        {"**/logs", "build/logs/a", true},
        {"**/logs", "logs", true},
        {"/build/**/out", "build/out", true},
        {"/build/**/out", "build/a/b/out/c", true},
        {"/build/**/out", "x/build/out", false},
        {"a/b", "x/a/b", false},
        {"a/b", "a/b/c", true},
        {"/a/*/c", "a/b/c", true},
        {"/a/*/c", "a/b/b/c", false},
        {"src/?.c", "src/a.c", true},
        {"/", "a", false},
        {"", "a", false},
        {"**", "a/b", true},
        {"a", "", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (codeowners_match(str_from(rows[i].pattern), str_from(rows[i].path)) != rows[i].fits) {
            print_error("%s on %s: want %d\n", rows[i].pattern, rows[i].path, rows[i].fits);
            fail();
        }
    }
}

static void the_last_rule_counts(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(1 << 20);
    struct codeowners o;
    struct str text = STR("* @all @more\r\n# note\n/src/ @app # theirs\n/src/free.c\n!x @no\n[abc] @no\nmy\\ file @sp\n\n\tdocs\t@tab\n");
    assert_int_equal(codeowners_read(a, text, &o, NULL), RC_OK);
    assert_int_equal(o.count, 5);
    struct value all = codeowners_of(a, &o, STR("x"));
    assert_int_equal(all.count, 2);
    assert_str(all.items[1].string, "@more");
    assert_str(codeowners_of(a, &o, STR("src/a.c")).items[0].string, "@app");
    assert_int_equal(codeowners_of(a, &o, STR("src/free.c")).count, 0);
    assert_str(codeowners_of(a, &o, STR("a/my file")).items[0].string, "@sp");
    assert_str(codeowners_of(a, &o, STR("docs/a")).items[0].string, "@tab");
    assert_true(codeowners_is_file(STR(".github/CODEOWNERS")));
    assert_false(codeowners_is_file(STR("src/CODEOWNERS")));
}

static void limits(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(4 << 20);
    char *text = malloc(CODEOWNERS_RULES_MAX * 2 + 2);
    assert_non_null(text);
    for (size_t i = 0; i <= CODEOWNERS_RULES_MAX; i++) {
        memcpy(text + 2 * i, "a\n", 2);
    }
    struct codeowners o;
    struct err e = {0};
    assert_int_equal(codeowners_read(a, (struct str){text, CODEOWNERS_RULES_MAX * 2}, &o, &e), RC_OK);
    assert_int_equal(o.count, CODEOWNERS_RULES_MAX);
    assert_int_equal(codeowners_read(a, (struct str){text, CODEOWNERS_RULES_MAX * 2 + 2}, &o, &e), RC_LIMIT);
    assert_string_equal(e.text, "more than 4096 rules");
    /* As deep as can be matched, and one deeper: nobody owns that. */
    char path[2 * CODEOWNERS_DEPTH_MAX + 2];
    for (size_t i = 0; i <= CODEOWNERS_DEPTH_MAX; i++) {
        memcpy(path + 2 * i, "d/", 2);
    }
    assert_true(codeowners_match(STR("*"), (struct str){path, 2 * CODEOWNERS_DEPTH_MAX}));
    assert_true(codeowners_match(STR("**/d"), (struct str){path, 2 * CODEOWNERS_DEPTH_MAX}));
    assert_false(codeowners_match(STR("*"), (struct str){path, 2 * CODEOWNERS_DEPTH_MAX + 1}));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(patterns), cmocka_unit_test(the_last_rule_counts),
                                       cmocka_unit_test(limits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
