#include "scope/scope_internal.h"

#include "base/must.h"

#include <math.h>
#include <string.h>

/* --- counts that fade --------------------------------------------------------------------------------------------- */

double fading_at(const struct fading *f, uint32_t now, double half_life)
{
    return f->value == 0 ? 0 : f->value * exp(-0.69314718055994531 / half_life * (double)(now - f->at));
}

void fading_add(struct fading *f, uint32_t now, double half_life)
{
    f->value = fading_at(f, now, half_life) + 1;
    f->at = now;
}

/* --- tables ------------------------------------------------------------------------------------------------------- */

/* The rows with room for one more; a failure is the arena's, and sticky. */
static void *with_room(struct scope_learner *l, void *rows, uint32_t count, uint32_t *room, size_t size)
{
    if (count < *room) {
        return rows;
    }
    uint32_t more = *room == 0 ? 256 : 2 * *room;
    void *grown = arena_array(l->arena, more, size);
    if (grown == NULL) {
        return rows;
    }
    if (count > 0) {
        memcpy(grown, rows, count * size);
    }
    *room = more;
    return grown;
}

#define ROOM(l, rows, count, room)                                                                                     \
    ((l)->rows = with_room((l), (l)->rows, (l)->count, &(l)->room, sizeof *(l)->rows), arena_rc((l)->arena))

static enum rc keep_text(struct scope_learner *l, struct strmap *ids, struct str text, uint32_t id, struct str *ret)
{
    *ret = arena_str(l->arena, text);
    enum rc rc = arena_rc(l->arena);
    return rc == RC_OK ? strmap_put(ids, *ret, id) : rc;
}

static enum rc add_cell(struct scope_learner *l, uint32_t *list, uint32_t item)
{
    enum rc rc = ROOM(l, cells, cell_count, cell_room);
    if (rc == RC_OK) {
        l->cells[l->cell_count] = (struct cell){item, *list};
        *list = l->cell_count++;
    }
    return rc;
}

enum rc word_id(struct scope_learner *l, struct str text, uint32_t *ret)
{
    *ret = strmap_get(&l->word_ids, text);
    if (*ret != NONE || l->word_count == SCOPE_WORDS_MAX) {
        return RC_OK;
    }
    struct word w = {.links = NONE, .titles = NONE, .named = NONE};
    enum rc rc = ROOM(l, words, word_count, word_room);
    rc = rc == RC_OK ? keep_text(l, &l->word_ids, text, l->word_count, &w.text) : rc;
    if (rc == RC_OK) {
        *ret = l->word_count;
        l->words[l->word_count++] = w;
    }
    return rc;
}

/* --- files -------------------------------------------------------------------------------------------------------- */

/* Folder and extension: the path without the base name's words. */
static enum rc family_id(struct scope_learner *l, struct str path, uint32_t *ret)
{
    struct str base = path_base(path);
    size_t from = base.len == 0 ? path.len : (size_t)(base.ptr - path.ptr);
    struct str folder = str_slice(path, 0, from);
    struct str extension = str_slice(path, from + base.len, path.len);
    char key[SCOPE_PATH_MAX + 1];
    size_t len = 0;
    memcpy(key, path.ptr, folder.len);
    len += folder.len;
    key[len++] = '\n';
    for (size_t i = 0; i < extension.len && len < sizeof key; i++) {
        key[len++] = extension.ptr[i];
    }
    struct str text = {key, len};
    struct str kept;
    *ret = strmap_get(&l->family_ids, text);
    if (*ret != NONE) {
        return RC_OK;
    }
    enum rc rc = ROOM(l, families, family_count, family_room);
    rc = rc == RC_OK ? keep_text(l, &l->family_ids, text, l->family_count, &kept) : rc;
    *ret = rc == RC_OK ? l->family_count++ : NONE;
    return rc;
}

static enum rc add_file(struct scope_learner *l, struct str path)
{
    struct file f = {.word_count = 0, .slot = NONE};
    enum rc rc = ROOM(l, files, file_count, file_room);
    rc = rc == RC_OK ? keep_text(l, &l->file_ids, path, l->file_count, &f.path) : rc;
    rc = rc == RC_OK ? name_words(l, f.path, &f) : rc;
    rc = rc == RC_OK ? family_id(l, f.path, &f.family) : rc;
    for (uint32_t i = 0; rc == RC_OK && i < f.word_count; i++) {
        rc = add_cell(l, &l->words[f.words[i]].named, l->file_count);
    }
    if (rc == RC_OK) {
        l->files[l->file_count++] = f;
    }
    return rc;
}

enum rc file_id(struct scope_learner *l, struct str path, uint32_t *ret)
{
    *ret = strmap_get(&l->file_ids, path);
    if (*ret != NONE || l->file_count == SCOPE_FILES_MAX || path.len == 0 || path.len > SCOPE_PATH_MAX) {
        return RC_OK;
    }
    enum rc rc = add_file(l, path);
    *ret = rc == RC_OK ? l->file_count - 1 : NONE;
    return rc;
}

static void touch(struct scope_learner *l, struct file *f)
{
    if (f->commits == 0) {
        l->named_files++;
        for (uint32_t i = 0; i < f->word_count; i++) {
            l->words[f->words[i]].names++;
        }
    }
    f->commits++;
    f->last = l->now;
    fading_add(&l->touches, l->now, OFTEN_HALF_LIFE);
    fading_add(&f->often, l->now, OFTEN_HALF_LIFE);
    fading_add(&f->lately, l->now, LATELY_HALF_LIFE);
}

/* --- rates -------------------------------------------------------------------------------------------------------- */

double word_rarity(const struct scope_learner *l, uint32_t word)
{
    return log((l->now + 1.0) / (l->words[word].commits + 0.5));
}

/* A file that was not touched for long has a rate too: a small one. */
static const double least_touches = 0.02;

static double average_rate(const struct scope_learner *l)
{
    double touches = fading_at(&l->touches, l->now, OFTEN_HALF_LIFE) / (l->named_files + 1.0);
    return (touches + least_touches) / (fading_at(&l->commits_faded, l->now, OFTEN_HALF_LIFE) + 1);
}

double file_often(const struct scope_learner *l, const struct file *f)
{
    double touches = fading_at(&f->often, l->now, OFTEN_HALF_LIFE);
    return f->commits == 0 ? average_rate(l)
                           : (touches + least_touches) / (fading_at(&l->commits_faded, l->now, OFTEN_HALF_LIFE) + 1);
}

double file_lately(const struct scope_learner *l, const struct file *f)
{
    double touches = fading_at(&f->lately, l->now, LATELY_HALF_LIFE);
    return f->commits == 0 ? average_rate(l)
                           : (touches + least_touches) / (fading_at(&l->commits_lately, l->now, LATELY_HALF_LIFE) + 1);
}

/* --- a commit ----------------------------------------------------------------------------------------------------- */

static enum rc add_link(struct scope_learner *l, uint32_t word, uint32_t file)
{
    uint64_t key = (uint64_t)word << 32 | file;
    uint32_t id = idmap_get(&l->link_ids, key);
    if (id == NONE && l->link_count == SCOPE_LINKS_MAX) {
        return RC_OK;
    }
    enum rc rc = RC_OK;
    if (id == NONE) {
        id = l->link_count;
        rc = ROOM(l, links, link_count, link_room);
        rc = rc == RC_OK ? idmap_put(&l->link_ids, key, id) : rc;
        if (rc != RC_OK) {
            return rc;
        }
        l->links[id] = (struct link){.file = file, .next = l->words[word].links};
        l->words[word].links = id;
        l->link_count++;
    }
    fading_add(&l->links[id].count, l->now, OFTEN_HALF_LIFE);
    return rc;
}

static enum rc remember_word(struct scope_learner *l, uint32_t word, const struct commit *c)
{
    struct word *w = &l->words[word];
    fading_add(&w->seen, l->now, OFTEN_HALF_LIFE);
    w->commits++;
    enum rc rc = add_cell(l, &w->titles, l->now);
    for (uint32_t i = 0; rc == RC_OK && i < c->file_count; i++) {
        rc = add_link(l, word, c->files[i]);
    }
    return rc;
}

static enum rc remember_files(struct scope_learner *l, const struct scope_commit *commit, struct commit *c)
{
    uint32_t count = commit->file_count < SCOPE_COMMIT_FILES_MAX ? commit->file_count : SCOPE_COMMIT_FILES_MAX;
    c->files = arena_array(l->arena, count + 1, sizeof *c->files);
    enum rc rc = arena_rc(l->arena);
    for (uint32_t i = 0; rc == RC_OK && i < count; i++) {
        uint32_t file;
        rc = file_id(l, commit->files[i], &file);
        if (rc == RC_OK && file != NONE) {
            touch(l, &l->files[file]);
            c->files[c->file_count++] = file;
        }
    }
    return rc;
}

enum rc remember(struct scope_learner *l, const struct title *t, const struct scope_commit *commit)
{
    struct commit *c = &l->commits[l->now];
    must(l->now < SCOPE_COMMITS_MAX);
    *c = (struct commit){.norm = 0};
    enum rc rc = remember_files(l, commit, c);
    if (rc != RC_OK) {
        return rc;
    }
    fading_add(&l->commits_faded, l->now, OFTEN_HALF_LIFE);
    fading_add(&l->commits_lately, l->now, LATELY_HALF_LIFE);
    for (uint32_t i = 0; rc == RC_OK && i < t->count && commit->file_count <= SCOPE_SWEEP_FILES; i++) {
        double rarity = word_rarity(l, t->words[i]);
        c->norm += rarity * rarity;
        rc = remember_word(l, t->words[i], c);
    }
    return rc;
}
