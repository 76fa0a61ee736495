/*
 * diff/lines - configuration as lines in sections, and what differs: for this folder.
 *
 * What HAProxy and nginx have in common: a section has directives, whose order may count. A directive has a key, by
 * which one that went and one that came are the same one changed. Pure.
 */
#ifndef DIFF_LINES_H
#define DIFF_LINES_H

#include "diff/changes.h"

struct config_line {
    struct str section; /* "backend web", "http/server example.com/location /" */
    struct str key;     /* "server web1"; empty: the section itself */
    struct str text;    /* words with one space between */
    uint32_t at;        /* its place in the file; of the list's making */
    bool kept;          /* the other side has it too; the same */
};

struct config_lines {
    struct config_line *items;
    uint32_t count;
    uint32_t room;
};

/* A section that only came or went, or a line of one. Both are null-free: an empty text says there was none. */
typedef diff_facts (*line_judge)(const struct config_line *before, const struct config_line *after);

/* Without memory the line is left out: arena_rc() tells. */
void config_lines_put(struct arena *a, struct config_lines *l, struct config_line line);
/* Rows of what differs. Sorts both. */
void config_lines_compare(struct arena *a, struct diff_changes *c, struct config_lines sides[static 2], line_judge judge);

#endif
