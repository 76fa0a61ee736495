#include "scope/scope_internal.h"

#include "base/must.h"

#include <string.h>
#include <strings.h>

/* Types of conventional titles: what stands before the colon and is none of them says where, not what.
 * Source: Conventional Commits 1.0.0 and the Angular convention that it names. */
static const char *const types[] = {"feat", "fix",  "docs",  "style",    "refactor", "perf",
                                    "test", "build", "ci",   "chore",    "revert"};

/* --- bytes -------------------------------------------------------------------------------------------------------- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

/* Bytes beyond ASCII are letters: other alphabets stay whole. */
static bool is_lower(char c)
{
    return (c >= 'a' && c <= 'z') || ((unsigned char)c & 0x80) != 0;
}

static bool is_word_byte(char c)
{
    return is_lower(c) || is_upper(c) || is_digit(c) || c == '_';
}

/* Splits off the next run of word bytes; false when there is none. */
static bool next_run(struct str *rest, struct str *ret)
{
    size_t from = 0;
    while (from < rest->len && !is_word_byte(rest->ptr[from])) {
        from++;
    }
    size_t to = from;
    while (to < rest->len && is_word_byte(rest->ptr[to])) {
        to++;
    }
    *ret = str_slice(*rest, from, to);
    *rest = str_slice(*rest, to, rest->len);
    return ret->len > 0;
}

/* --- one word ----------------------------------------------------------------------------------------------------- */

static bool ends(const char *w, size_t len, const char *tail)
{
    size_t n = strlen(tail);
    return len > n + 1 && memcmp(w + len - n, tail, n) == 0;
}

/* Takes off what English adds to one word: parsers, parsing and parsed are one. Gives the new length. */
static size_t stem(char *w, size_t len)
{
    if (len > 5 && ends(w, len, "ing")) {
        len -= 3;
    } else if (len > 4 && ends(w, len, "ies")) {
        len -= 2;
        w[len - 1] = 'y';
    } else if (len > 4 && ends(w, len, "ed")) {
        len -= 2;
    } else if (len > 3 && w[len - 1] == 's' && strchr("sui", w[len - 2]) == NULL) {
        len -= 1;
    }
    if (len > 4 && w[len - 1] == 'e') {
        len -= 1;
    }
    bool doubled = len > 4 && w[len - 1] == w[len - 2] && w[len - 1] != 'l' && w[len - 1] != 's';
    return doubled ? len - 1 : len;
}

static size_t normal_form(struct str run, char out[static WORD_BYTES_MAX])
{
    bool has_letter = false;
    if (run.len < 2 || run.len > WORD_BYTES_MAX) {
        return 0;
    }
    for (size_t i = 0; i < run.len; i++) {
        char c = run.ptr[i];
        has_letter = has_letter || is_lower(c) || is_upper(c);
        out[i] = is_upper(c) ? (char)(c - 'A' + 'a') : c;
    }
    return has_letter ? stem(out, run.len) : 0;
}

/* --- a list of words ---------------------------------------------------------------------------------------------- */

static void add_id(struct title *t, uint32_t word, enum word_kind kind)
{
    for (uint32_t i = 0; i < t->count; i++) {
        if (t->words[i] == word) {
            t->kinds[i] = kind == WORD_SCOPE ? WORD_SCOPE : t->kinds[i];
            return;
        }
    }
    if (t->count < SCOPE_TITLE_WORDS_MAX && word != NONE) {
        t->words[t->count] = word;
        t->kinds[t->count++] = (uint8_t)kind;
    }
}

static enum rc add_text(struct scope_learner *l, struct title *t, struct str text, enum word_kind kind)
{
    uint32_t word = NONE;
    enum rc rc = word_id(l, text, &word);
    if (rc == RC_OK) {
        add_id(t, word, kind);
    }
    return rc;
}

static enum rc add_word(struct scope_learner *l, struct title *t, struct str run, enum word_kind kind)
{
    char text[WORD_BYTES_MAX];
    size_t len = normal_form(run, text);
    return len == 0 ? RC_OK : add_text(l, t, (struct str){text, len}, kind);
}

/* The end of the part of an identifier that begins at from: snake_case, camelCase, HTTPServer. */
static size_t part_end(struct str run, size_t from)
{
    size_t to = from + 1;
    bool capitals = is_upper(run.ptr[from]) && to < run.len && is_upper(run.ptr[to]);
    while (capitals && to < run.len && (is_upper(run.ptr[to]) || is_digit(run.ptr[to])) &&
           !(to + 1 < run.len && is_upper(run.ptr[to]) && is_lower(run.ptr[to + 1]))) {
        to++;
    }
    while (!capitals && to < run.len && (is_lower(run.ptr[to]) || is_digit(run.ptr[to]))) {
        to++;
    }
    return to;
}

/* The whole of a run, and its parts when it has several. */
static enum rc add_run(struct scope_learner *l, struct title *t, struct str run, enum word_kind kind)
{
    enum rc rc = add_word(l, t, run, kind);
    for (size_t from = 0; rc == RC_OK && from < run.len && run.len <= WORD_BYTES_MAX;) {
        if (run.ptr[from] == '_') {
            from++;
            continue;
        }
        size_t to = part_end(run, from);
        if (to - from < run.len) {
            rc = add_word(l, t, str_slice(run, from, to), kind);
        }
        from = to;
    }
    return rc;
}

static enum rc add_runs(struct scope_learner *l, struct title *t, struct str text, enum word_kind kind)
{
    enum rc rc = RC_OK;
    struct str run;
    while (rc == RC_OK && next_run(&text, &run)) {
        rc = add_run(l, t, run, kind);
    }
    return rc;
}

/* --- the head of a title ------------------------------------------------------------------------------------------ */

/* "fix(parser, lexer)!: rest" or "net/http: rest". */
struct head {
    struct str type;
    struct str scope; /* without its parentheses */
    bool breaking;    /* with its "!" */
    struct str rest;
};

static bool is_head_byte(char c)
{
    return is_word_byte(c) || c == '/' || c == '-' || c == '.' || c == '!';
}

/* False when the title has none: then all of it is rest. */
static bool read_head(struct str title, struct head *ret)
{
    size_t at = 0;
    *ret = (struct head){.rest = title};
    while (at < title.len && is_head_byte(title.ptr[at])) {
        at++;
    }
    struct head head = {.breaking = at > 0 && title.ptr[at - 1] == '!'};
    head.type = str_slice(title, 0, head.breaking ? at - 1 : at);
    if (at < title.len && title.ptr[at] == '(') {
        size_t close = str_find(title, ')');
        head.scope = str_slice(title, at + 1, close);
        at = close + 1;
    }
    if (at < title.len && title.ptr[at] == '!') {
        head.breaking = true;
        at++;
    }
    if (head.type.len == 0 || at >= title.len || title.ptr[at] != ':') {
        return false;
    }
    head.rest = str_slice(title, at + 1, title.len);
    *ret = head;
    return true;
}

static bool is_type(struct str word)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strlen(types[i]) == word.len && strncasecmp(types[i], word.ptr, word.len) == 0) {
            return true;
        }
    }
    return false;
}

/* What is no word of a title, as "a:b": no word has a colon. Both are words, or empty. */
static enum rc add_marked(struct scope_learner *l, struct title *t, enum word_kind kind, struct str a, struct str b)
{
    char text[2 * WORD_BYTES_MAX + 1];
    must(a.len <= WORD_BYTES_MAX && b.len <= WORD_BYTES_MAX);
    if (a.len > 0) {
        memcpy(text, a.ptr, a.len);
    }
    text[a.len] = ':';
    if (b.len > 0) {
        memcpy(text + a.len + 1, b.ptr, b.len);
    }
    return add_text(l, t, (struct str){text, a.len + 1 + b.len}, kind);
}

static enum rc add_type_pairs(struct scope_learner *l, struct title *t, struct str type)
{
    enum rc rc = RC_OK;
    uint32_t count = t->count;
    for (uint32_t i = 0; rc == RC_OK && i < count; i++) {
        if (t->kinds[i] == WORD_SCOPE) {
            rc = add_marked(l, t, WORD_PAIR, type, l->words[t->words[i]].text);
        }
    }
    return rc == RC_OK && t->scopes == 0 ? add_marked(l, t, WORD_PAIR, type, STR("-")) : rc;
}

static uint32_t count_names(struct str scope)
{
    uint32_t count = 0;
    struct str run;
    while (next_run(&scope, &run)) {
        count++;
    }
    return count;
}

static enum rc read_convention(struct scope_learner *l, struct title *t, struct str *rest)
{
    struct head head;
    char type[WORD_BYTES_MAX];
    bool found = read_head(*rest, &head);
    size_t len = normal_form(head.type, type);
    struct str word = {type, len};
    if (!found || (l->without & SCOPE_CONVENTION) != 0) {
        return add_marked(l, t, WORD_TYPE, STR(""), STR(""));
    }
    /* "net/http: rest": where it is, said without a type. */
    struct str scope = head.scope.len > 0 || is_type(head.type) ? head.scope : head.type;
    *rest = head.rest;
    t->scopes = count_names(scope);
    enum rc rc = add_marked(l, t, WORD_TYPE, word, STR(""));
    rc = rc == RC_OK && head.breaking ? add_marked(l, t, WORD_PAIR, STR("!"), STR("")) : rc;
    rc = rc == RC_OK ? add_runs(l, t, scope, WORD_SCOPE) : rc;
    return rc == RC_OK ? add_type_pairs(l, t, word) : rc;
}

/* --- titles, paths ------------------------------------------------------------------------------------------------ */

static enum rc add_plain(struct scope_learner *l, struct title *t, struct str text)
{
    enum rc rc = RC_OK;
    struct str run;
    while (rc == RC_OK && next_run(&text, &run)) {
        rc = add_run(l, t, run, WORD_PLAIN);
        t->plain++;
    }
    return rc;
}

enum rc title_read(struct scope_learner *l, struct str title, struct title *ret)
{
    struct str rest = str_trim(str_slice(title, 0, SCOPE_TITLE_MAX));
    *ret = (struct title){.count = 0};
    enum rc rc = read_convention(l, ret, &rest);
    return rc == RC_OK ? add_plain(l, ret, rest) : rc;
}

struct str path_base(struct str path)
{
    size_t at = path.len;
    while (at > 0 && path.ptr[at - 1] != '/') {
        at--;
    }
    struct str base = str_slice(path, at, path.len);
    size_t dot = base.len;
    while (dot > 1 && base.ptr[dot - 1] != '.') {
        dot--;
    }
    return dot > 1 ? str_slice(base, 0, dot - 1) : base;
}

enum rc name_words(struct scope_learner *l, struct str path, struct file *ret)
{
    struct title words = {.count = 0};
    enum rc rc = add_runs(l, &words, path_base(path), WORD_PLAIN);
    for (uint32_t i = 0; i < words.count && i < NAME_WORDS_MAX; i++) {
        ret->words[ret->word_count++] = words.words[i];
    }
    return rc;
}
