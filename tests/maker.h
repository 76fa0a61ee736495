/*
 * tests/maker - a world made by hand: entries from the text of their bodies.
 */
#ifndef TESTS_MAKER_H
#define TESTS_MAKER_H

#include "model/world.h"
#include "value/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAKER_BASE_S = 1800000000 }; /* 2027-01-15T08:00:00Z */

struct maker {
    struct world *w;
    struct arena *a;
    int64_t now_ms;
    struct err e; /* of the newest entry */
};

static inline void maker_init(struct maker *m, uint64_t hash_seed)
{
    *m = (struct maker){world_new(hash_seed), arena_new(256 << 20), MAKER_BASE_S * 1000LL, {0}};
    if (m->w == NULL || m->a == NULL) {
        abort();
    }
}

static inline void maker_done(struct maker *m)
{
    world_free(m->w);
    arena_free(m->a);
}

/* The JSON of text; single quotes stand for double ones. */
static inline struct value maker_value(struct maker *m, const char *text)
{
    struct str copy = arena_str(m->a, str_from(text));
    for (size_t i = 0; i < copy.len; i++) {
        char *c = (char *)(uintptr_t)copy.ptr + i;
        *c = *c == '\'' ? '"' : *c;
    }
    struct value v;
    struct err e;
    if (json_parse(m->a, copy, &v, &e) != RC_OK) {
        fprintf(stderr, "%s\n  %s: %s\n", text, e.where, e.text);
        abort();
    }
    return v;
}

static inline struct entry maker_entry(struct maker *m, enum entry_kind kind, const char *actor, const char *ref)
{
    struct entry entry = {.v = entry_kind_version(kind),
                          .seq = world_next_seq(m->w),
                          .time_ms = m->now_ms,
                          .kind = kind,
                          .actor = str_from(actor)};
    if (ref != NULL) {
        entry.refs[entry.ref_count++] = arena_str(m->a, str_from(ref));
    }
    return entry;
}

/* ref may be null. Of a policy, body is {"hash":...} and text its canonical text. */
static inline enum rc maker_apply(struct maker *m, enum entry_kind kind, const char *actor, const char *ref,
                                  const char *body)
{
    struct entry entry = maker_entry(m, kind, actor, ref);
    struct value v = maker_value(m, body);
    return world_apply(m->w, &entry, &v, STR(""), &m->e);
}

/* The same for what must be right. Gives: its seq. */
static inline uint64_t maker_add(struct maker *m, enum entry_kind kind, const char *actor, const char *ref,
                                 const char *body)
{
    uint64_t seq = world_next_seq(m->w);
    if (maker_apply(m, kind, actor, ref, body) != RC_OK) {
        fprintf(stderr, "%s\n", m->e.text);
        abort();
    }
    return seq;
}

static inline enum rc maker_try_policy(struct maker *m, const char *policy)
{
    struct entry entry = maker_entry(m, ENTRY_POLICY_LOADED, "system", NULL);
    struct value v = maker_value(m, policy);
    struct buf text;
    buf_init(&text, POLICY_TEXT_MAX);
    json_write_canonical(&text, &v, m->a);
    struct value body = maker_value(m, "{'hash':'sha256:00'}");
    enum rc rc = world_apply(m->w, &entry, &body, arena_str(m->a, buf_view(&text)), &m->e);
    buf_done(&text);
    return rc;
}

static inline uint64_t maker_policy(struct maker *m, const char *policy)
{
    uint64_t seq = world_next_seq(m->w);
    if (maker_try_policy(m, policy) != RC_OK) {
        fprintf(stderr, "%s\n", m->e.text);
        abort();
    }
    return seq;
}

/* "act_7" and the like. */
static inline const char *maker_id(struct maker *m, const char *prefix, uint64_t seq)
{
    return arena_printf(m->a, "%s_%llu", prefix, (unsigned long long)seq).ptr;
}

/* The instant after some milliseconds, as text. */
static inline const char *maker_in(struct maker *m, int64_t ms)
{
    char text[INSTANT_TEXT_LEN];
    instant_format(m->now_ms + ms, text);
    return arena_str(m->a, (struct str){text, sizeof text}).ptr;
}

/* An action.decided. more: further members, each ending in a comma. Gives: its id. */
static inline uint64_t maker_action(struct maker *m, const char *agent, const char *verdict, const char *more)
{
    uint64_t seq = world_next_seq(m->w);
    const char *body = arena_printf(m->a,
                                    "{%s'findings':[],'request':{'agent':'%s','digest':'sha256:%064llx'},"
                                    "'expires_at':'%s','tool':'t','verdict':'%s'}",
                                    more, agent, (unsigned long long)seq, maker_in(m, HOUR_MS), verdict)
                           .ptr;
    return maker_add(m, ENTRY_ACTION_DECIDED, "tok_2", NULL, body);
}

#endif
