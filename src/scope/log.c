#include "scope/log.h"

enum { ID_MIN = 40, ID_MAX = 64 };

static enum rc no_memory(const struct arena *a, struct err *e)
{
    enum rc rc = arena_rc(a);
    return rc == RC_OK ? rc : err_set(e, rc, rc == RC_LIMIT ? "the history is too large" : "out of memory");
}

static uint32_t count_items(struct str text, char separator)
{
    uint32_t count = 0;
    struct str item;
    while (str_next(&text, separator, &item)) {
        count++;
    }
    return count;
}

enum rc scope_list_read(struct arena *a, struct str text, char separator, struct scope_list *ret, struct err *e)
{
    uint32_t room = count_items(text, separator);
    struct str *items = arena_array(a, (size_t)room + 1, sizeof *items);
    uint32_t count = 0;
    struct str item;
    while (items != NULL && str_next(&text, separator, &item)) {
        if (item.len > 0) {
            items[count++] = item;
        }
    }
    *ret = (struct scope_list){items, count};
    return no_memory(a, e);
}

/* --- git log ------------------------------------------------------------------------------------------------------ */

struct reading {
    struct str rest;
    size_t size;
    struct str *files; /* room for all paths there can be */
    uint32_t file_count;
};

/* The next item, up to its NUL; false at the end, or when the NUL is missing. */
static bool next_item(struct reading *r, struct str *ret)
{
    size_t end = str_find(r->rest, '\0');
    if (end == r->rest.len) {
        return false;
    }
    *ret = str_slice(r->rest, 0, end);
    r->rest = str_slice(r->rest, end + 1, r->rest.len);
    return true;
}

static bool is_id(struct str s)
{
    bool ok = s.len >= ID_MIN && s.len <= ID_MAX;
    for (size_t i = 0; ok && i < s.len; i++) {
        char c = s.ptr[i];
        ok = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    }
    return ok;
}

static enum rc wrong(const struct reading *r, const char *expected, struct err *e)
{
    return err_set(e, RC_INVALID, "the output of git log at byte %zu: expected %s", r->size - r->rest.len, expected);
}

/* A head line: "ID PARENT PARENT". */
static bool read_ids(struct str item, struct scope_log_commit *ret)
{
    struct str parents = item;
    struct str part;
    if (!str_next(&parents, ' ', &ret->id) || !is_id(ret->id)) {
        return false;
    }
    ret->parent = STR("");
    while (str_next(&parents, ' ', &part)) {
        if (part.len > 0 && !is_id(part)) {
            return false;
        }
        ret->parent = ret->parent.len == 0 ? part : ret->parent;
    }
    return true;
}

static bool at_file(const struct reading *r)
{
    struct str rest = r->rest;
    size_t skip = rest.len > 0 && rest.ptr[0] == '\n' ? 1 : 0;
    return rest.len > skip && rest.ptr[skip] == ':';
}

static enum rc read_commit(struct reading *r, struct scope_log_commit *ret, struct err *e)
{
    struct str item;
    if (!next_item(r, &item) || !read_ids(item, ret)) {
        return wrong(r, "a commit", e);
    }
    if (!next_item(r, &ret->commit.title)) {
        return wrong(r, "a subject", e);
    }
    ret->commit.files = &r->files[r->file_count];
    while (at_file(r)) {
        if (!next_item(r, &item) || !next_item(r, &item) || item.len == 0) {
            return wrong(r, "a path", e);
        }
        r->files[r->file_count++] = item;
        ret->commit.file_count++;
    }
    return RC_OK;
}

enum rc scope_log_read(struct arena *a, struct str text, struct scope_log *ret, struct err *e)
{
    struct reading r = {.rest = text, .size = text.len};
    struct scope_log_commit *commits = arena_array(a, SCOPE_LOG_COMMITS_MAX, sizeof *commits);
    uint32_t count = 0;
    r.files = arena_array(a, (size_t)count_items(text, '\0') / 2 + 1, sizeof *r.files);
    enum rc rc = no_memory(a, e);
    while (rc == RC_OK && r.rest.len > 0) {
        if (count == SCOPE_LOG_COMMITS_MAX) {
            return err_set(e, RC_LIMIT, "more than %d commits", SCOPE_LOG_COMMITS_MAX);
        }
        rc = read_commit(&r, &commits[count++], e);
    }
    if (rc != RC_OK) {
        return rc;
    }
    for (uint32_t i = 0; i < count / 2; i++) {
        struct scope_log_commit older = commits[count - 1 - i];
        commits[count - 1 - i] = commits[i];
        commits[i] = older;
    }
    *ret = (struct scope_log){.commits = commits, .count = count};
    return RC_OK;
}
