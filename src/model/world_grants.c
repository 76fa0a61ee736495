/*
 * model/world_grants - scoped permissions to write that operators issue and revoke.
 */
#include "model/world_internal.h"

#include "base/must.h"

#include <stdlib.h>
#include <string.h>

static void grant_free(struct world_grant *g)
{
    if (g != NULL) {
        arena_free(g->own);
        free(g);
    }
}

void grants_free(struct world *w)
{
    for (uint32_t i = 0; i < w->grant_count; i++) {
        grant_free(w->grants[i]);
    }
    free(w->grants);
}

static enum rc compile(struct world_grant *g, const struct value *where, struct err *e)
{
    g->own = arena_new(DEFINITION_ARENA_MAX);
    struct value *copy = g->own == NULL ? NULL : arena_alloc(g->own, sizeof *copy);
    if (copy == NULL) {
        return err_set(e, RC_NO_MEMORY, "out of memory");
    }
    *copy = value_copy(g->own, where);
    g->where = copy;
    return schema_compile(g->own, copy, &g->schema, e);
}

enum rc grants_add(struct world *w, const struct world_grant *g, const struct value *where, struct err *e)
{
    if (w->grant_count == GRANTS_MAX) {
        return err_set(e, RC_LIMIT, "more than %d grants", GRANTS_MAX);
    }
    enum rc rc = table_room(&w->grants, w->grant_count, &w->grant_capacity, sizeof *w->grants, e);
    struct world_grant *row = rc == RC_OK ? malloc(sizeof *row) : NULL;
    if (row == NULL) {
        return rc == RC_OK ? err_set(e, RC_NO_MEMORY, "out of memory") : rc;
    }
    *row = *g;
    row->own = NULL;
    row->where = NULL;
    row->schema = NULL;
    rc = where == NULL ? RC_OK : compile(row, where, e);
    if (rc != RC_OK) {
        grant_free(row);
        return rc;
    }
    w->grants[w->grant_count++] = row;
    return RC_OK;
}

/* One that is over is of no use to any decision; the ledger has it. Executions under it have ended by then or
 * end at their next heartbeat, which does not find it. */
void grants_evict(struct world *w)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < w->grant_count; i++) {
        struct world_grant *g = w->grants[i];
        if (w->time_ms >= g->expires_ms) {
            grant_free(g);
        } else {
            w->grants[kept++] = g;
        }
    }
    w->grant_count = kept;
}

uint32_t world_grant_count(const struct world *w)
{
    return w->grant_count;
}

const struct world_grant *world_grant_at(const struct world *w, uint32_t index)
{
    must(index < w->grant_count);
    return w->grants[index];
}

const struct world_grant *world_grant_by_id(const struct world *w, uint64_t id)
{
    for (uint32_t i = 0; i < w->grant_count; i++) {
        if (w->grants[i]->id == id) {
            return w->grants[i];
        }
    }
    return NULL;
}

const struct world_grant *world_grant_for(const struct world *w, struct str agent, struct str tool, struct str target,
                                          const struct value *parameters, int64_t now_ms)
{
    for (uint32_t i = 0; i < w->grant_count; i++) {
        const struct world_grant *g = w->grants[i];
        if (!g->revoked && now_ms < g->expires_ms && str_glob(str_from(g->agent), agent) &&
            str_glob(str_from(g->tool), tool) && str_glob(str_from(g->target), target) &&
            (g->schema == NULL || schema_check(g->schema, parameters, NULL) == RC_OK)) {
            return g;
        }
    }
    return NULL;
}
