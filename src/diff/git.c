#include "diff/git.h"

#include "diff/patched.h"

#include <stdio.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

struct patch_reader {
    struct patch_rows rows;
    struct err *err;
    struct str rest;
    uint64_t line;
};

static enum rc fail(struct patch_reader *r, const char *what)
{
    char where[32];
    int len = snprintf(where, sizeof where, "line %llu", (unsigned long long)r->line);
    struct str place = {where, (size_t)len};
    return err_at(r->err, RC_INVALID, place, "%s", what);
}

/* --- lines ------------------------------------------------------------------------------------------ */

static bool next_line(struct patch_reader *r, struct str *ret)
{
    r->line++;
    /* Behind the last line feed there is no line. */
    return r->rest.len > 0 && str_next(&r->rest, '\n', ret);
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
    if (!r->rows.file.open) {
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
            patched_line(&r->rows, str_slice(line, 1, line.len), kind == '+');
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
    r->rows.file.old_mode = mode_of(s);
}

static void head_new_mode(struct patch_reader *r, struct str s)
{
    r->rows.file.new_mode = mode_of(s);
}

static void head_deleted(struct patch_reader *r, struct str s)
{
    r->rows.file.deleted = true;
    r->rows.file.old_mode = mode_of(s);
}

static void head_made(struct patch_reader *r, struct str s)
{
    r->rows.file.made = true;
    r->rows.file.new_mode = mode_of(s);
}

static void head_rename_from(struct patch_reader *r, struct str s)
{
    r->rows.file.renamed = true;
    r->rows.file.old_path = patched_path(r->rows.arena, s, false);
}

static void head_copy_from(struct patch_reader *r, struct str s)
{
    r->rows.file.copied = true;
    r->rows.file.old_path = patched_path(r->rows.arena, s, false);
}

static void head_to(struct patch_reader *r, struct str s)
{
    r->rows.file.new_path = patched_path(r->rows.arena, s, false);
}

static void head_binary(struct patch_reader *r, struct str s)
{
    (void)s;
    r->rows.file.binary = true;
}

/* "index 1a2b..3c4d 100644": the mode of both. */
static void head_index(struct patch_reader *r, struct str s)
{
    size_t space = str_find(s, ' ');
    if (space < s.len) {
        r->rows.file.old_mode = mode_of(str_slice(s, space + 1, s.len));
        r->rows.file.new_mode = r->rows.file.old_mode;
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
    for (size_t i = 0; i < COUNT(heads) && r->rows.file.open; i++) {
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
    const struct patched *f = &r->rows.file;
    if (!f->open || f->head.len == 0 || f->named || f->binary) {
        patched_close(&r->rows);
        r->rows.file.open = true;
    }
    struct str old = patched_path(r->rows.arena, str_slice(line, 4, line.len), true);
    struct str fresh = patched_path(r->rows.arena, str_slice(second, 4, second.len), true);
    r->rows.file.made = r->rows.file.made || old.len == 0;
    r->rows.file.deleted = r->rows.file.deleted || fresh.len == 0;
    r->rows.file.old_path = old;
    r->rows.file.new_path = fresh;
    r->rows.file.named = true;
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
        patched_close(&r->rows);
        r->rows.file = (struct patched){.open = true, .head = str_slice(bare, sizeof git - 1, bare.len)};
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
    while (rc == RC_OK && next_line(r, &line) && arena_rc(r->rows.arena) == RC_OK) {
        rc = read_line(r, line);
    }
    if (rc == RC_OK) {
        patched_close(&r->rows);
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
    struct patch_reader r = {.rows = {.arena = a, .changes = &changes, .settings = settings == NULL ? &defaults : settings},
                             .err = e,
                             .rest = patch};
    enum rc rc = RC_OK;
    if (str_trim(patch).len > 0 && !diff_is_patch(patch)) {
        return err_set(e, RC_INVALID, "expected a patch: a line \"diff --git\", or \"--- \" and \"+++ \"");
    }
    if (r.rows.settings->has_codeowners) {
        rc = codeowners_read(a, r.rows.settings->codeowners, &r.rows.owners, e);
    }
    buf_init(&r.rows.lower, patch.len + 1);
    rc = rc == RC_OK ? read_patch(&r) : rc;
    rc = rc == RC_OK && r.rows.lower.rc != RC_OK ? err_set(e, r.rows.lower.rc, "out of memory") : rc;
    buf_done(&r.rows.lower);
    rc = rc == RC_OK ? diff_built(a, e) : rc;
    if (rc == RC_OK) {
        *ret = changes;
    }
    return rc;
}
