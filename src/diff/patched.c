#include "diff/patched.h"

#include "diff/shown.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define TEXT(literal)                                                                              \
    {                                                                                              \
        "" literal, sizeof(literal) - 1                                                            \
    }

/* --- defaults --------------------------------------------------------------------------------------- */

static const struct str default_tests[] = {
    TEXT("test/*"), TEXT("tests/*"), TEXT("*/test/*"), TEXT("*/tests/*"), TEXT("spec/*"), TEXT("*/spec/*"), TEXT("*__tests__/*"),
    TEXT("*_test.*"), TEXT("*_tests.*"), TEXT("*.test.*"), TEXT("*.tests.*"), TEXT("*.spec.*"), TEXT("*_spec.*"),
    TEXT("test_*"), TEXT("*/test_*"), TEXT("*Test.*"), TEXT("*Tests.*"), TEXT("e2e/*"), TEXT("*/e2e/*"), TEXT("*conftest.py"),
};

static const struct str default_auth[] = {
    TEXT("authoriz"), TEXT("authoris"), TEXT("authenticat"), TEXT("authz"), TEXT("permission"), TEXT("require_role"),
    TEXT("requirerole"), TEXT("has_role"), TEXT("hasrole"), TEXT("rolesallowed"), TEXT("login_required"), TEXT("require_login"),
    TEXT("requirelogin"), TEXT("is_admin"), TEXT("isadmin"), TEXT("require_auth"), TEXT("requireauth"), TEXT("check_auth"),
    TEXT("checkauth"), TEXT("access_control"), TEXT("accesscontrol"), TEXT("check_access"), TEXT("checkaccess"), TEXT("@secured"),
    TEXT("verify_token"), TEXT("verifytoken"), TEXT("verify_signature"), TEXT("verifysignature"), TEXT("verify_jwt"),
    TEXT("csrf"), TEXT("forbidden"), TEXT("unauthorized"), TEXT("before_action :"), TEXT("policy.check"), TEXT("enforce("),
};

/* What opens a test in a test's file. */
static const struct str test_words[] = {
    TEXT("def test"), TEXT("it("), TEXT("it \""), TEXT("it '"), TEXT("test("), TEXT("@test"), TEXT("func test"), TEXT("test_f("),
    TEXT("test_case("), TEXT("#[test]"), TEXT("describe("), TEXT("describe \""), TEXT("scenario"), TEXT("[fact]"), TEXT("[test]"),
    TEXT("unit_test("),
};

/* --- paths ------------------------------------------------------------------------------------------ */

/* One character of a path in git's quotes. Source: git's quote.c, C escapes with octal bytes. */
static char unquote_one(struct str s, size_t *at)
{
    static const char letters[] = "abtnvfr\"\\";
    static const char bytes[] = "\a\b\t\n\v\f\r\"\\";
    char c = s.ptr[(*at)++];
    if (c != '\\' || *at == s.len) {
        return c;
    }
    c = s.ptr[(*at)++];
    const char *letter = strchr(letters, c);
    if (c != '\0' && letter != NULL) {
        return bytes[letter - letters];
    }
    unsigned octal = 0;
    for (unsigned i = 0; i < 3 && c >= '0' && c <= '7'; i++) {
        octal = octal * 8 + (unsigned)(c - '0');
        c = i < 2 && *at < s.len && s.ptr[*at] >= '0' && s.ptr[*at] <= '7' ? s.ptr[(*at)++] : '\0';
    }
    return (char)octal;
}

static struct str unquote(struct arena *a, struct str s)
{
    char *out = arena_alloc(a, s.len);
    size_t len = 0;
    size_t at = 1;
    while (out != NULL && at < s.len && s.ptr[at] != '"') {
        out[len++] = unquote_one(s, &at);
    }
    return out == NULL ? STR("") : (struct str){out, len};
}

struct str patched_path(struct arena *a, struct str s, bool prefixed)
{
    bool quoted = s.len > 1 && s.ptr[0] == '"';
    s = quoted ? unquote(a, s) : str_slice(s, 0, str_find(s, '\t'));
    s = !quoted && s.len > 0 && s.ptr[s.len - 1] == '\r' ? str_slice(s, 0, s.len - 1) : s;
    if (str_eq(s, STR("/dev/null"))) {
        return STR("");
    }
    static const char sides[] = "abciow";
    bool lettered = prefixed && s.len > 2 && s.ptr[1] == '/' && strchr(sides, s.ptr[0]) != NULL;
    return lettered ? str_slice(s, 2, s.len) : s;
}

/* "a/x b/x": only here when nothing else says the name; both are the same then. */
static struct str path_of_head(struct patch_rows *r, struct str head)
{
    if (head.len > 1 && head.ptr[0] == '"') {
        return patched_path(r->arena, head, true);
    }
    size_t half = head.len / 2;
    bool same = head.len % 2 == 1 && head.len > 5 && head.ptr[half] == ' ' &&
                str_eq(str_slice(head, 2, half), str_slice(head, half + 3, head.len));
    return same ? patched_path(r->arena, str_slice(head, 0, half), true) : head;
}

/* --- a file's row ----------------------------------------------------------------------------------- */

static bool is_test(const struct diff_settings *s, struct str path)
{
    const struct str *globs = s->test_paths != NULL ? s->test_paths : default_tests;
    uint32_t count = s->test_paths != NULL ? s->test_path_count : COUNT(default_tests);
    for (uint32_t i = 0; i < count; i++) {
        if (str_glob(globs[i], path)) {
            return true;
        }
    }
    return false;
}

static struct value side_value(struct patch_rows *r, struct str path, struct str mode, uint64_t lines)
{
    struct value v = value_object();
    struct value owners = r->settings->has_codeowners ? codeowners_of(r->arena, &r->owners, path) : value_null();
    value_add_str(r->arena, &v, STR("path"), diff_text(r->arena, path, DIFF_PATH_MAX));
    value_add_str(r->arena, &v, STR("mode"), diff_text(r->arena, mode, SHOWN_TEXT_MAX));
    value_add_int(r->arena, &v, STR("lines"), (int64_t)lines);
    if (r->settings->has_codeowners) {
        struct shown shown = {STR("owners"), NULL, false};
        value_add(r->arena, &v, STR("owners"), diff_shown(r->arena, &owners, &shown));
    }
    return v;
}

static bool is_unowned(const struct value *side)
{
    const struct value *owners = value_get(side, STR("owners"));
    return value_is(owners, VALUE_ARRAY) && owners->count == 0;
}

static bool is_link(struct str mode)
{
    return str_eq(mode, STR("120000")) || str_eq(mode, STR("160000"));
}

static diff_facts facts_of_file(struct patch_rows *r)
{
    struct patched *f = &r->file;
    bool was_test = f->old_path.len > 0 && is_test(r->settings, f->old_path);
    bool still_test = f->new_path.len > 0 && is_test(r->settings, f->new_path);
    bool tests_gone = was_test && (!still_test || removed_any(&f->tests));
    bool mode = f->old_mode.len > 0 && f->new_mode.len > 0 && !str_eq(f->old_mode, f->new_mode);
    bool link = is_link(f->old_mode) || is_link(f->new_mode);
    return (tests_gone ? FACT_BIT(FACT_TEST_DELETED) : 0) | (mode ? FACT_BIT(FACT_MODE_CHANGED) : 0) |
           (removed_any(&f->auth) ? FACT_BIT(FACT_AUTH_CHECK_DELETED) : 0) | (link ? FACT_BIT(FACT_LINK) : 0) |
           (f->binary ? FACT_BIT(FACT_BINARY) : 0) |
           (codeowners_is_file(f->old_path) || codeowners_is_file(f->new_path) ? FACT_BIT(FACT_OWNERS_CHANGED) : 0);
}

static struct str file_type(const struct patched *f)
{
    struct str mode = f->new_mode.len > 0 ? f->new_mode : f->old_mode;
    return str_eq(mode, STR("120000")) ? STR("symlink") : str_eq(mode, STR("160000")) ? STR("submodule") : STR("file");
}

/* Which names it has when its lines did not say both. */
static void settle_paths(struct patch_rows *r)
{
    struct patched *f = &r->file;
    if (f->old_path.len == 0 && f->new_path.len == 0) {
        f->old_path = path_of_head(r, f->head);
        f->new_path = f->old_path;
    }
    f->made = f->made || f->old_path.len == 0;
    f->deleted = f->deleted || f->new_path.len == 0;
    f->old_path = f->made ? STR("") : f->old_path;
    f->new_path = f->deleted ? STR("") : f->new_path;
}

void patched_close(struct patch_rows *r)
{
    struct patched *f = &r->file;
    if (!f->open) {
        return;
    }
    settle_paths(r);
    bool tests = is_test(r->settings, f->deleted ? f->old_path : f->new_path);
    /* Behind the limit nobody sees a row's sides; the list is over as it is. */
    bool listed = r->changes->list.count < DIFF_CHANGES_MAX;
    struct diff_change row = {.kind = f->deleted                ? DIFF_DELETE
                                      : f->made || f->copied    ? DIFF_CREATE
                                      : f->renamed              ? DIFF_RENAME
                                                                : DIFF_UPDATE,
                              .resource = file_type(f),
                              .path = f->deleted ? f->old_path : f->new_path,
                              .before = value_null(),
                              .after = value_null(),
                              .facts = facts_of_file(r),
                              .surfaces = SURFACE_CODE | (tests ? SURFACE_TESTS : 0)};
    if (f->old_path.len > 0 && listed) {
        row.before = side_value(r, f->old_path, f->old_mode, f->lines_removed);
    }
    if (f->new_path.len > 0 && listed) {
        row.after = side_value(r, f->new_path, f->new_mode, f->lines_added);
    }
    row.facts |= is_unowned(&row.before) || is_unowned(&row.after) ? FACT_BIT(FACT_OWNER_MISSING) : 0;
    diff_add(r->arena, r->changes, &row);
    *f = (struct patched){.open = false};
}

static void lower_line(struct patch_rows *r, struct str line)
{
    buf_reset(&r->lower);
    char *out = buf_reserve(&r->lower, line.len);
    for (size_t i = 0; out != NULL && i < line.len; i++) {
        out[i] = line.ptr[i] >= 'A' && line.ptr[i] <= 'Z' ? (char)(line.ptr[i] - 'A' + 'a') : line.ptr[i];
    }
    buf_grown(&r->lower, out == NULL ? 0 : line.len);
}

void patched_line(struct patch_rows *r, struct str line, bool added)
{
    const struct diff_settings *s = r->settings;
    const struct words auth = {s->auth_words != NULL ? s->auth_words : default_auth,
                               s->auth_words != NULL ? s->auth_word_count : COUNT(default_auth)};
    const struct words tests = {test_words, COUNT(test_words)};
    lower_line(r, line);
    struct str lower = buf_view(&r->lower);
    if (words_in(&auth, lower)) {
        removed_put(r->arena, &r->file.auth, line, added);
    }
    if (words_in(&tests, lower)) {
        removed_put(r->arena, &r->file.tests, line, added);
    }
    r->file.lines_added += added ? 1 : 0;
    r->file.lines_removed += added ? 0 : 1;
}
