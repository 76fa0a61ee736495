#include "diff/git.h"

#include "base/buf.h"
#include "diff/codeowners.h"
#include "diff/removed.h"
#include "diff/shown.h"

#include <stdio.h>
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

/* --- the file that is read -------------------------------------------------------------------------- */

struct patched {
    struct str old_path; /* empty: not said */
    struct str new_path;
    struct str head;     /* "a/x b/x" of the line diff --git */
    struct str old_mode;
    struct str new_mode;
    bool made;
    bool deleted;
    bool renamed;
    bool copied;
    bool binary;
    bool open; /* there is one */
    uint64_t lines_removed;
    uint64_t lines_added;
    struct removed_lines auth;
    struct removed_lines tests;
};

struct patch_reader {
    struct arena *arena;
    struct diff_changes *changes;
    const struct diff_settings *settings;
    struct codeowners owners;
    struct err *err;
    struct str rest;
    struct buf lower; /* of the line at hand */
    uint64_t line;
    struct patched file;
};

static enum rc fail(struct patch_reader *r, const char *what)
{
    char where[32];
    int len = snprintf(where, sizeof where, "line %llu", (unsigned long long)r->line);
    struct str place = {where, (size_t)len};
    return err_at(r->err, RC_INVALID, place, "%s", what);
}

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

/* The path of a head line; its date, the prefix of its side and quotes are taken off. Empty for /dev/null. */
static struct str path_of(struct patch_reader *r, struct str s, bool prefixed)
{
    bool quoted = s.len > 1 && s.ptr[0] == '"';
    s = quoted ? unquote(r->arena, s) : str_slice(s, 0, str_find(s, '\t'));
    s = !quoted && s.len > 0 && s.ptr[s.len - 1] == '\r' ? str_slice(s, 0, s.len - 1) : s;
    if (str_eq(s, STR("/dev/null"))) {
        return STR("");
    }
    static const char sides[] = "abciow";
    bool lettered = prefixed && s.len > 2 && s.ptr[1] == '/' && strchr(sides, s.ptr[0]) != NULL;
    return lettered ? str_slice(s, 2, s.len) : s;
}

/* "a/x b/x": only here when nothing else says the name; both are the same then. */
static struct str path_of_head(struct patch_reader *r, struct str head)
{
    if (head.len > 1 && head.ptr[0] == '"') {
        return path_of(r, head, true);
    }
    size_t half = head.len / 2;
    bool same = head.len % 2 == 1 && head.len > 5 && head.ptr[half] == ' ' &&
                str_eq(str_slice(head, 2, half), str_slice(head, half + 3, head.len));
    return same ? path_of(r, str_slice(head, 0, half), true) : head;
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

static struct value side_value(struct patch_reader *r, struct str path, struct str mode, uint64_t lines)
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

static diff_facts facts_of_file(struct patch_reader *r)
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
static void settle_paths(struct patch_reader *r)
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

static void close_file(struct patch_reader *r)
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

/* --- lines ------------------------------------------------------------------------------------------ */

static bool next_line(struct patch_reader *r, struct str *ret)
{
    r->line++;
    /* Behind the last line feed there is no line. */
    return r->rest.len > 0 && str_next(&r->rest, '\n', ret);
}

static void lower_line(struct patch_reader *r, struct str line)
{
    buf_reset(&r->lower);
    char *out = buf_reserve(&r->lower, line.len);
    for (size_t i = 0; out != NULL && i < line.len; i++) {
        out[i] = line.ptr[i] >= 'A' && line.ptr[i] <= 'Z' ? (char)(line.ptr[i] - 'A' + 'a') : line.ptr[i];
    }
    buf_grown(&r->lower, out == NULL ? 0 : line.len);
}

static void look_at_line(struct patch_reader *r, struct str line, bool added)
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

/* "12,3" or "12": how many lines. */
static bool read_range(struct str s, uint64_t *ret_count)
{
    uint64_t from = 0;
    size_t comma = str_find(s, ',');
    *ret_count = 1;
    return str_to_u64(str_slice(s, 0, comma), &from) &&
           (comma == s.len || str_to_u64(str_slice(s, comma + 1, s.len), ret_count)) && *ret_count <= GIT_HUNK_LINES_MAX;
}

/* "@@ -12,3 +12,4 @@ context" */
static bool read_hunk_head(struct str line, uint64_t *ret_old, uint64_t *ret_new)
{
    struct str rest = str_slice(line, 3, line.len);
    struct str old = STR("");
    struct str fresh = STR("");
    return str_starts(line, STR("@@ ")) && str_next(&rest, ' ', &old) && str_next(&rest, ' ', &fresh) &&
           str_starts(rest, STR("@@")) && str_starts(old, STR("-")) && str_starts(fresh, STR("+")) &&
           read_range(str_slice(old, 1, old.len), ret_old) && read_range(str_slice(fresh, 1, fresh.len), ret_new);
}

static enum rc read_hunk(struct patch_reader *r, struct str head)
{
    uint64_t old = 0;
    uint64_t fresh = 0;
    if (!r->file.open) {
        return fail(r, "a hunk without the lines that name its file");
    }
    if (!read_hunk_head(head, &old, &fresh)) {
        return fail(r, "expected the head of a hunk such as @@ -1,3 +1,4 @@");
    }
    while (old > 0 || fresh > 0) {
        struct str line;
        if (!next_line(r, &line)) {
            return fail(r, "the patch ends inside a hunk");
        }
        /* Editors and some settings of git take the space off an empty line. */
        char kind = line.len == 0 || str_eq(line, STR("\r")) ? ' ' : line.ptr[0];
        bool fits = kind == '\\' || (kind == ' ' && old > 0 && fresh > 0) || (kind == '-' && old > 0) || (kind == '+' && fresh > 0);
        if (!fits) {
            return fail(r, "expected a line of the hunk: it has fewer lines than its head says");
        }
        old -= kind == ' ' || kind == '-' ? 1 : 0;
        fresh -= kind == ' ' || kind == '+' ? 1 : 0;
        if (kind == '-' || kind == '+') {
            look_at_line(r, str_slice(line, 1, line.len), kind == '+');
        }
    }
    return RC_OK;
}

/* --- heads ------------------------------------------------------------------------------------------ */

static struct str mode_of(struct str s)
{
    s = str_trim(s);
    return s.len <= 6 ? s : str_slice(s, 0, 6);
}

static void head_old_mode(struct patch_reader *r, struct str s)
{
    r->file.old_mode = mode_of(s);
}

static void head_new_mode(struct patch_reader *r, struct str s)
{
    r->file.new_mode = mode_of(s);
}

static void head_deleted(struct patch_reader *r, struct str s)
{
    r->file.deleted = true;
    r->file.old_mode = mode_of(s);
}

static void head_made(struct patch_reader *r, struct str s)
{
    r->file.made = true;
    r->file.new_mode = mode_of(s);
}

static void head_rename_from(struct patch_reader *r, struct str s)
{
    r->file.renamed = true;
    r->file.old_path = path_of(r, s, false);
}

static void head_copy_from(struct patch_reader *r, struct str s)
{
    r->file.copied = true;
    r->file.old_path = path_of(r, s, false);
}

static void head_to(struct patch_reader *r, struct str s)
{
    r->file.new_path = path_of(r, s, false);
}

static void head_binary(struct patch_reader *r, struct str s)
{
    (void)s;
    r->file.binary = true;
}

/* "index 1a2b..3c4d 100644": the mode of both. */
static void head_index(struct patch_reader *r, struct str s)
{
    size_t space = str_find(s, ' ');
    if (space < s.len) {
        r->file.old_mode = mode_of(str_slice(s, space + 1, s.len));
        r->file.new_mode = r->file.old_mode;
    }
}

static const struct {
    const char *start;
    void (*read)(struct patch_reader *r, struct str s);
} heads[] = {
    {"old mode ", head_old_mode}, {"new mode ", head_new_mode}, {"deleted file mode ", head_deleted}, {"new file mode ", head_made},
    {"rename from ", head_rename_from}, {"rename to ", head_to}, {"copy from ", head_copy_from}, {"copy to ", head_to},
    {"Binary files ", head_binary}, {"GIT binary patch", head_binary}, {"index ", head_index},
};

static void read_head(struct patch_reader *r, struct str line)
{
    for (size_t i = 0; i < COUNT(heads) && r->file.open; i++) {
        struct str start = str_from(heads[i].start);
        if (str_starts(line, start)) {
            heads[i].read(r, str_slice(line, start.len, line.len));
            return;
        }
    }
}

/* "--- a/x" and behind it "+++ b/x". A new file, unless the lines of git before it opened one. */
static bool read_names(struct patch_reader *r, struct str line)
{
    struct str rest = r->rest;
    struct str second;
    if (!str_starts(line, STR("--- ")) || !str_next(&rest, '\n', &second) || !str_starts(second, STR("+++ "))) {
        return false;
    }
    if (!r->file.open || r->file.head.len == 0 || r->file.lines_added + r->file.lines_removed > 0) {
        close_file(r);
        r->file.open = true;
    }
    struct str old = path_of(r, str_slice(line, 4, line.len), true);
    struct str fresh = path_of(r, str_slice(second, 4, second.len), true);
    r->file.made = r->file.made || old.len == 0;
    r->file.deleted = r->file.deleted || fresh.len == 0;
    r->file.old_path = old;
    r->file.new_path = fresh;
    r->rest = rest;
    r->line++;
    return true;
}

static enum rc read_line(struct patch_reader *r, struct str line)
{
    static const char git[] = "diff --git ";
    struct str bare = line.len > 0 && line.ptr[line.len - 1] == '\r' ? str_slice(line, 0, line.len - 1) : line;
    if (str_starts(line, STR("diff --cc ")) || str_starts(line, STR("diff --combined "))) {
        return fail(r, "a combined diff of a merge: expected a diff between two states");
    }
    if (str_starts(line, str_from(git))) {
        close_file(r);
        r->file = (struct patched){.open = true, .head = str_slice(bare, sizeof git - 1, bare.len)};
        return RC_OK;
    }
    if (str_starts(line, STR("@@ "))) {
        return read_hunk(r, line);
    }
    if (!read_names(r, line)) {
        read_head(r, bare);
    }
    return RC_OK;
}

static enum rc read_patch(struct patch_reader *r)
{
    enum rc rc = RC_OK;
    struct str line;
    while (rc == RC_OK && next_line(r, &line) && arena_rc(r->arena) == RC_OK) {
        rc = read_line(r, line);
    }
    if (rc == RC_OK) {
        close_file(r);
    }
    return rc;
}

bool diff_is_patch(struct str text)
{
    struct str rest = text;
    struct str line;
    bool named = false;
    while (str_next(&rest, '\n', &line)) {
        if (str_starts(line, STR("diff --git ")) || (named && str_starts(line, STR("+++ ")))) {
            return true;
        }
        named = str_starts(line, STR("--- "));
    }
    return false;
}

enum rc diff_git(struct arena *a, struct str patch, const struct diff_settings *settings, struct diff_changes *ret,
                 struct err *e)
{
    static const struct diff_settings defaults = {0};
    struct diff_changes changes = diff_changes_none(DIFF_GIT);
    struct patch_reader r = {
        .arena = a, .changes = &changes, .settings = settings == NULL ? &defaults : settings, .err = e, .rest = patch};
    enum rc rc = RC_OK;
    if (str_trim(patch).len > 0 && !diff_is_patch(patch)) {
        return err_set(e, RC_INVALID, "expected a patch: a line \"diff --git\", or \"--- \" and \"+++ \"");
    }
    if (r.settings->has_codeowners) {
        rc = codeowners_read(a, r.settings->codeowners, &r.owners, e);
    }
    buf_init(&r.lower, patch.len + 1);
    rc = rc == RC_OK ? read_patch(&r) : rc;
    rc = rc == RC_OK && r.lower.rc != RC_OK ? err_set(e, r.lower.rc, "out of memory") : rc;
    buf_done(&r.lower);
    rc = rc == RC_OK ? diff_built(a, e) : rc;
    if (rc == RC_OK) {
        *ret = changes;
    }
    return rc;
}
