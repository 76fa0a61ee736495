#include "diff/codeowners.h"

#include "diff/changes.h"

#include <string.h>

/* --- the file --------------------------------------------------------------------------------------- */

/* The pattern ends at a space that has no backslash before it. */
static size_t pattern_len(struct str line)
{
    size_t i = 0;
    while (i < line.len && line.ptr[i] != ' ' && line.ptr[i] != '\t') {
        i += line.ptr[i] == '\\' && i + 1 < line.len ? 2 : 1;
    }
    return i;
}

static struct str unescaped(struct arena *a, struct str s)
{
    if (str_find(s, '\\') == s.len) {
        return s;
    }
    char *out = arena_alloc(a, s.len);
    size_t len = 0;
    for (size_t i = 0; out != NULL && i < s.len; i++) {
        i += s.ptr[i] == '\\' && i + 1 < s.len ? 1 : 0;
        out[len++] = s.ptr[i];
    }
    return out == NULL ? STR("") : (struct str){out, len};
}

static bool is_rule(struct str pattern)
{
    return pattern.len > 0 && pattern.ptr[0] != '!' && pattern.ptr[0] != '[' && str_find(pattern, '[') == pattern.len;
}

struct steps {
    struct str at[CODEOWNERS_DEPTH_MAX];
    unsigned count;
};

static bool split(struct str s, struct steps *ret)
{
    struct str rest = s;
    struct str step;
    ret->count = 0;
    while (str_next(&rest, '/', &step)) {
        if (step.len > 0 && ret->count == CODEOWNERS_DEPTH_MAX) {
            return false;
        }
        if (step.len > 0) {
            ret->at[ret->count++] = step;
        }
    }
    return true;
}

static struct owner_rule rule_of(struct str pattern, const struct steps *steps)
{
    bool folder = str_ends(pattern, STR("/"));
    struct str inner = str_slice(pattern, 0, folder ? pattern.len - 1 : pattern.len);
    return (struct owner_rule){
        .steps = steps->at, .count = steps->count, .anchored = str_find(inner, '/') < inner.len, .folder = folder};
}

/* A pattern deeper than any path fits none. */
static enum rc add_rule(struct arena *a, struct str line, struct codeowners *o, struct err *e)
{
    size_t len = pattern_len(line);
    struct str pattern = unescaped(a, str_slice(line, 0, len));
    struct str owners = str_slice(line, len, line.len);
    struct steps steps;
    if (!is_rule(pattern) || !split(pattern, &steps)) {
        return RC_OK;
    }
    if (o->count == CODEOWNERS_RULES_MAX) {
        return err_at(e, RC_LIMIT, STR("CODEOWNERS"), "more than %d rules", CODEOWNERS_RULES_MAX);
    }
    struct str *kept = arena_array(a, steps.count + 1, sizeof *kept);
    if (kept != NULL) {
        memcpy(kept, steps.at, steps.count * sizeof *kept);
        o->rules[o->count] = rule_of(pattern, &steps);
        o->rules[o->count].steps = kept;
        o->rules[o->count++].owners = str_trim(str_slice(owners, 0, str_find(owners, '#')));
    }
    return RC_OK;
}

enum rc codeowners_read(struct arena *a, struct str text, struct codeowners *ret, struct err *e)
{
    size_t lines = 1;
    for (size_t i = 0; i < text.len && lines < CODEOWNERS_RULES_MAX; i++) {
        lines += text.ptr[i] == '\n';
    }
    struct codeowners o = {arena_array(a, lines, sizeof *o.rules), 0};
    struct str rest = text;
    struct str line;
    enum rc rc = diff_built(a, e);
    /* Section heads of GitLab ("[Database] @dba") begin with '[' and are no rules. */
    while (rc == RC_OK && str_next(&rest, '\n', &line)) {
        line = str_trim(line);
        bool said = line.len > 0 && line.ptr[0] != '#';
        if (said && o.count == lines) {
            return err_at(e, RC_LIMIT, STR("CODEOWNERS"), "more than %d rules", CODEOWNERS_RULES_MAX);
        }
        rc = said ? add_rule(a, line, &o, e) : RC_OK;
    }
    rc = rc == RC_OK ? diff_built(a, e) : rc;
    if (rc == RC_OK) {
        *ret = o;
    }
    return rc;
}

/* --- matching --------------------------------------------------------------------------------------- */

/* Bit n of the result: the pattern fits the first n steps of the path, for each n in `from`. */
static uint64_t advance(uint64_t from, struct str step, const struct steps *path)
{
    uint64_t to = 0;
    bool any = str_eq(step, STR("**"));
    for (unsigned n = 0; n <= path->count; n++) {
        bool here = (from >> n & 1) != 0;
        if (any) {
            to |= here || (n > 0 && (to >> (n - 1) & 1) != 0) ? (uint64_t)1 << n : 0;
        } else if (here && n < path->count && str_glob(step, path->at[n])) {
            to |= (uint64_t)1 << (n + 1);
        }
    }
    return to;
}

static bool fits(const struct owner_rule *r, const struct steps *path)
{
    uint64_t whole = (uint64_t)1 << path->count;
    uint64_t reached = r->anchored ? 1 : whole - 1;
    for (unsigned i = 0; i < r->count && reached != 0; i++) {
        reached = advance(reached, r->steps[i], path);
    }
    /* A folder takes what is in it; a star at the end takes no folders. */
    bool direct = r->anchored && r->count > 0 && str_eq(r->steps[r->count - 1], STR("*"));
    uint64_t prefixes = direct ? 0 : whole - 2;
    return r->count > 0 && path->count > 0 && (reached & ((r->folder ? 0 : whole) | prefixes)) != 0;
}

bool codeowners_match(struct str pattern, struct str path)
{
    struct steps steps;
    struct steps folders;
    if (!split(pattern, &steps) || !split(path, &folders)) {
        return false;
    }
    struct owner_rule rule = rule_of(pattern, &steps);
    return fits(&rule, &folders);
}

struct value codeowners_of(struct arena *a, const struct codeowners *o, struct str path)
{
    struct value list = value_array();
    struct steps folders;
    if (!split(path, &folders)) {
        return list;
    }
    uint32_t i = o->count;
    while (i > 0 && !fits(&o->rules[i - 1], &folders)) {
        i--;
    }
    struct str rest = i > 0 ? o->rules[i - 1].owners : STR("");
    struct str owner;
    while (str_next(&rest, ' ', &owner)) {
        owner = str_trim(owner);
        if (owner.len > 0) {
            value_push(a, &list, value_string(owner));
        }
    }
    return list;
}

bool codeowners_is_file(struct str path)
{
    static const char *const places[] = {"CODEOWNERS", ".github/CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        if (str_eq(path, str_from(places[i]))) {
            return true;
        }
    }
    return false;
}
