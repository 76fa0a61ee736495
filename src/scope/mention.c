#include "scope/scope_internal.h"

#include <string.h>

/*
 * Files that are written out: "src/parser.c", or "parser.c" where one file fits. The learner has nothing to learn from
 * here, for hardly any title writes one; so it is taken at its word.
 */

/* How likely a file is touched that the title or the body writes out; shared by all files that fit. */
static const double said_in_title = 0.9;
static const double said_in_body = 0.5;

/* A word between blanks, without the marks around it. */
static struct str bare(struct str piece)
{
    static const char marks[] = "`'\"()[]{}<>,;:!?*";
    size_t from = 0;
    size_t to = piece.len;
    while (from < to && memchr(marks, piece.ptr[from], sizeof marks - 1) != NULL) {
        from++;
    }
    while (to > from && (piece.ptr[to - 1] == '.' || memchr(marks, piece.ptr[to - 1], sizeof marks - 1) != NULL)) {
        to--;
    }
    struct str s = str_slice(piece, from, to);
    return str_starts(s, STR("./")) ? str_slice(s, 2, s.len) : s;
}

static bool looks_like_path(struct str s)
{
    for (size_t i = 1; i + 1 < s.len && s.len <= SCOPE_PATH_MAX; i++) {
        if (s.ptr[i] == '/' || s.ptr[i] == '.') {
            return true;
        }
    }
    return false;
}

static bool fits(struct str path, struct str said)
{
    return str_ends(path, said) && (path.len == said.len || path.ptr[path.len - said.len - 1] == '/');
}

static void add_mentions(struct scope_learner *l, uint32_t named, struct str said, double probability)
{
    struct look *look = &l->look;
    uint32_t first = look->mention_count;
    uint32_t walked = 0;
    for (uint32_t at = named; at != NONE && walked < SCOPE_WALK_MAX; at = l->cells[at].next) {
        const struct file *f = &l->files[l->cells[at].item];
        if (look->mention_count < SCOPE_MENTIONS_MAX && can_be_touched(l, f) && fits(f->path, said)) {
            look->mentions[look->mention_count++] = (struct mention){l->cells[at].item, 0};
        }
        walked++;
    }
    for (uint32_t i = first; i < look->mention_count; i++) {
        look->mentions[i].probability = probability / (look->mention_count - first);
    }
}

static enum rc read_text(struct scope_learner *l, struct str text, double probability)
{
    enum rc rc = RC_OK;
    struct str line;
    struct str piece;
    while (rc == RC_OK && str_next(&text, '\n', &line)) {
        while (rc == RC_OK && str_next(&line, ' ', &piece)) {
            struct str said = bare(str_trim(piece));
            struct file name = {.word_count = 0};
            if (looks_like_path(said)) {
                rc = name_words(l, said, &name);
                add_mentions(l, name.word_count > 0 ? l->words[name.words[0]].named : NONE, said, probability);
            }
        }
    }
    return rc;
}

enum rc find_mentions(struct scope_learner *l, struct str title, struct str body)
{
    l->look.mention_count = 0;
    enum rc rc = read_text(l, str_slice(title, 0, SCOPE_TITLE_MAX), said_in_title);
    return rc == RC_OK ? read_text(l, str_slice(body, 0, SCOPE_BODY_MAX), said_in_body) : rc;
}
