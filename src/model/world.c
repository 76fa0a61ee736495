#include "model/world_internal.h"

#include "base/must.h"

#include <stdlib.h>
#include <string.h>

struct world *world_new(uint64_t hash_seed)
{
    struct world *w = calloc(1, sizeof *w);
    if (w == NULL) {
        return NULL;
    }
    strmap_init(&w->agent_index, hash_seed);
    strmap_init(&w->service_index, hash_seed);
    strmap_init(&w->tool_index, hash_seed);
    strmap_init(&w->token_by_digest, hash_seed);
    idmap_init(&w->token_by_id, hash_seed);
    idmap_init(&w->action_by_id, hash_seed);
    idmap_init(&w->pattern_index, hash_seed);
    strmap_init(&w->pending_by_digest, hash_seed);
    strmap_init(&w->idem_index, hash_seed);
    w->action_free = MAP_NONE;
    w->action_first = MAP_NONE;
    w->action_last = MAP_NONE;
    w->idem_free = MAP_NONE;
    w->idem_first = MAP_NONE;
    w->idem_last = MAP_NONE;
    w->aqdd_baseline_milli = -1;
    w->graph = graph_new(hash_seed);
    w->walk = impact_walk_new();
    if (w->graph == NULL || w->walk == NULL) {
        world_free(w);
        return NULL;
    }
    return w;
}

static void free_catalogue(struct world *w)
{
    for (uint32_t i = 0; i < w->agent_count; i++) {
        arena_free(w->agents[i]->own);
        free(w->agents[i]->done);
        free(w->agents[i]->calls);
        free(w->agents[i]->tiers);
        free(w->agents[i]);
    }
    for (uint32_t i = 0; i < w->service_count; i++) {
        arena_free(w->services[i]->own);
        free(w->services[i]->sli);
        free(w->services[i]->on_call);
        free(w->services[i]->done);
        free(w->services[i]);
    }
    for (uint32_t i = 0; i < w->tool_count; i++) {
        arena_free(w->tools[i]->own);
        free(w->tools[i]->done);
        free(w->tools[i]);
    }
    for (uint32_t i = 0; i < w->token_count; i++) {
        free(w->tokens[i]);
    }
    free(w->agents);
    free(w->services);
    free(w->tools);
    free(w->tokens);
    graph_free(w->graph);
    impact_walk_free(w->walk);
    free(w->precedents);
    free(w->drawn.ends);
    free(w->service_of_node);
}

void world_free(struct world *w)
{
    if (w == NULL) {
        return;
    }
    free_catalogue(w);
    policy_free(w->policy);
    strmap_done(&w->agent_index);
    strmap_done(&w->service_index);
    strmap_done(&w->tool_index);
    strmap_done(&w->token_by_digest);
    idmap_done(&w->token_by_id);
    idmap_done(&w->action_by_id);
    idmap_done(&w->pattern_index);
    free(w->patterns);
    grants_free(w);
    strmap_done(&w->pending_by_digest);
    strmap_done(&w->idem_index);
    actions_free(w);
    free(w->heap);
    free(w->closed);
    free(w->idem);
    free(w);
}

enum rc table_room(void *items, uint32_t count, uint32_t *capacity, size_t size, struct err *e)
{
    if (count < *capacity) {
        return RC_OK;
    }
    must(*capacity <= UINT32_MAX / 2);
    uint32_t grown = *capacity == 0 ? 16 : *capacity * 2;
    void *moved = realloc(*(void **)items, grown * size);
    if (moved == NULL) {
        return err_set(e, RC_NO_MEMORY, "out of memory");
    }
    *(void **)items = moved;
    *capacity = grown;
    return RC_OK;
}

uint64_t world_next_seq(const struct world *w)
{
    return w->next_seq;
}

int64_t world_time(const struct world *w)
{
    return w->time_ms;
}

const struct policy *world_policy(const struct world *w)
{
    return w->policy;
}

uint64_t world_policy_seq(const struct world *w)
{
    return w->policy_seq;
}

struct str world_policy_aside(const struct world *w)
{
    return str_from(w->policy_aside);
}

struct str world_policy_hash(const struct world *w)
{
    return str_from(w->policy_hash);
}

struct str world_origin(const struct world *w)
{
    return str_from(w->origin);
}

uint64_t world_erased_through(const struct world *w)
{
    return w->erased_through;
}

uint32_t world_agent_find(const struct world *w, struct str name)
{
    return strmap_get(&w->agent_index, name);
}

const struct world_agent *world_agent_at(const struct world *w, uint32_t index)
{
    must(index < w->agent_count);
    return w->agents[index];
}

uint32_t world_agent_count(const struct world *w)
{
    return w->agent_count;
}

uint32_t world_service_find(const struct world *w, struct str name)
{
    return strmap_get(&w->service_index, name);
}

const struct world_service *world_service_at(const struct world *w, uint32_t index)
{
    must(index < w->service_count);
    return w->services[index];
}

uint32_t world_service_count(const struct world *w)
{
    return w->service_count;
}

uint32_t world_tool_find(const struct world *w, struct str name)
{
    return strmap_get(&w->tool_index, name);
}

const struct world_tool *world_tool_at(const struct world *w, uint32_t index)
{
    must(index < w->tool_count);
    return w->tools[index];
}

uint32_t world_tool_count(const struct world *w)
{
    return w->tool_count;
}

const struct world_stop *world_stop_at(const struct world *w, uint32_t index)
{
    must(index < w->stop_count);
    return &w->stops[index];
}

uint32_t world_stop_count(const struct world *w)
{
    return w->stop_count;
}
