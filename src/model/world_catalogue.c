/*
 * model/world_catalogue - agents, services and tools: those the policy declares and those that were
 * registered.
 *
 * A name keeps its index for good; a policy that no longer declares it takes the definition away and
 * leaves what is known about it (its decisions, its deploys). Declared wins over registered.
 */
#include "model/world_internal.h"

#include "base/must.h"

#include <stdlib.h>
#include <string.h>

static enum rc no_memory(struct err *e)
{
    return err_set(e, RC_NO_MEMORY, "out of memory");
}

/* Every row begins with its name. */
static enum rc add_row(struct strmap *index, struct str name, void *row, uint32_t at, struct err *e)
{
    char *own = row;
    if (row == NULL) {
        return no_memory(e);
    }
    must(str_to_c(name, own, 129));
    return strmap_put(index, str_from(own), at) == RC_OK ? RC_OK : no_memory(e);
}

enum rc catalogue_agent_row(struct world *w, struct str name, uint32_t *ret, struct err *e)
{
    *ret = strmap_get(&w->agent_index, name);
    if (*ret != MAP_NONE) {
        return RC_OK;
    }
    enum rc rc = table_room(&w->agents, w->agent_count, &w->agent_capacity, sizeof *w->agents, e);
    if (rc != RC_OK) {
        return rc;
    }
    *ret = w->agent_count;
    struct world_agent *row = calloc(1, sizeof *row);
    rc = add_row(&w->agent_index, name, row, *ret, e);
    if (rc != RC_OK) {
        free(row);
        return rc;
    }
    w->agents[w->agent_count++] = row;
    return RC_OK;
}

enum rc catalogue_service_row(struct world *w, struct str name, uint32_t *ret, struct err *e)
{
    *ret = strmap_get(&w->service_index, name);
    if (*ret != MAP_NONE) {
        return RC_OK;
    }
    enum rc rc =
        table_room(&w->services, w->service_count, &w->service_capacity, sizeof *w->services, e);
    if (rc != RC_OK) {
        return rc;
    }
    *ret = w->service_count;
    struct world_service *row = calloc(1, sizeof *row);
    rc = add_row(&w->service_index, name, row, *ret, e);
    if (rc != RC_OK) {
        free(row);
        return rc;
    }
    w->services[w->service_count++] = row;
    return graph_service_row(w, *ret, e);
}

enum rc catalogue_tool_row(struct world *w, struct str name, uint32_t *ret, struct err *e)
{
    *ret = strmap_get(&w->tool_index, name);
    if (*ret != MAP_NONE) {
        return RC_OK;
    }
    enum rc rc = table_room(&w->tools, w->tool_count, &w->tool_capacity, sizeof *w->tools, e);
    if (rc != RC_OK) {
        return rc;
    }
    *ret = w->tool_count;
    struct world_tool *row = calloc(1, sizeof *row);
    rc = add_row(&w->tool_index, name, row, *ret, e);
    if (rc != RC_OK) {
        free(row);
        return rc;
    }
    w->tools[w->tool_count++] = row;
    return RC_OK;
}

/* Takes away what the old policy declared; registered definitions stay. */
static void forget_declared(struct world *w)
{
    for (uint32_t i = 0; i < w->agent_count; i++) {
        w->agents[i]->def = w->agents[i]->own == NULL ? NULL : w->agents[i]->def;
    }
    for (uint32_t i = 0; i < w->service_count; i++) {
        w->services[i]->def = w->services[i]->own == NULL ? NULL : w->services[i]->def;
    }
    for (uint32_t i = 0; i < w->tool_count; i++) {
        w->tools[i]->def = w->tools[i]->own == NULL ? NULL : w->tools[i]->def;
    }
}

static enum rc take_agents(struct world *w, const struct policy *p, uint64_t seq, struct err *e)
{
    for (uint32_t i = 0; i < p->agent_count; i++) {
        uint32_t at;
        enum rc rc = catalogue_agent_row(w, p->agents[i].name, &at, e);
        if (rc != RC_OK) {
            return rc;
        }
        struct world_agent *row = w->agents[at];
        arena_free(row->own);
        row->own = NULL;
        row->def = &p->agents[i];
        row->version = seq;
    }
    return RC_OK;
}

static enum rc take_services(struct world *w, const struct policy *p, uint64_t seq, struct err *e)
{
    for (uint32_t i = 0; i < p->service_count; i++) {
        uint32_t at;
        enum rc rc = catalogue_service_row(w, p->services[i].name, &at, e);
        if (rc != RC_OK) {
            return rc;
        }
        struct world_service *row = w->services[at];
        arena_free(row->own);
        row->own = NULL;
        row->def = &p->services[i];
        row->version = seq;
    }
    return RC_OK;
}

static enum rc take_tools(struct world *w, const struct policy *p, uint64_t seq, struct err *e)
{
    for (uint32_t i = 0; i < p->tool_count; i++) {
        uint32_t at;
        enum rc rc = catalogue_tool_row(w, p->tools[i].name, &at, e);
        if (rc != RC_OK) {
            return rc;
        }
        struct world_tool *row = w->tools[at];
        arena_free(row->own);
        row->own = NULL;
        row->def = &p->tools[i];
        row->version = seq;
    }
    return RC_OK;
}

enum rc catalogue_load_policy(struct world *w, struct policy *p, uint64_t seq, struct str hash,
                              struct err *e)
{
    must(!w->lens);
    if (!str_to_c(hash, w->policy_hash, sizeof w->policy_hash)) {
        policy_free(p);
        return err_set(e, RC_CORRUPT, "a policy's hash is too long");
    }
    forget_declared(w);
    policy_free(w->policy);
    w->policy = p;
    w->policy_seq = seq;
    enum rc rc = take_agents(w, p, seq, e);
    if (rc == RC_OK) {
        rc = take_services(w, p, seq, e);
    }
    if (rc == RC_OK) {
        rc = take_tools(w, p, seq, e);
    }
    return rc == RC_OK ? catalogue_settle(w, e) : rc;
}

/* --- registered definitions --------------------------------------------------------------------- */

static enum rc own_arena(struct arena **ret, struct err *e)
{
    *ret = arena_new(DEFINITION_ARENA_MAX);
    return *ret == NULL ? no_memory(e) : RC_OK;
}

enum rc catalogue_declare_agent(struct world *w, const struct value *definition, uint64_t seq,
                                struct err *e)
{
    must(!w->lens);
    CLEANUP(arena) struct arena *own = NULL;
    enum rc rc = own_arena(&own, e);
    struct agent_def *def = rc == RC_OK ? arena_alloc(own, sizeof *def) : NULL;
    if (def == NULL) {
        return no_memory(e);
    }
    struct reader r = {own, STR(""), e};
    uint32_t at;
    rc = agent_def_read(&r, definition, def);
    rc = rc == RC_OK ? catalogue_agent_row(w, def->name, &at, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    struct world_agent *row = w->agents[at];
    arena_free(row->own);
    row->own = own;
    own = NULL;
    row->def = def;
    row->version = seq;
    return RC_OK;
}

enum rc catalogue_declare_service(struct world *w, const struct value *definition, uint64_t seq,
                                  struct err *e)
{
    must(!w->lens);
    CLEANUP(arena) struct arena *own = NULL;
    enum rc rc = own_arena(&own, e);
    struct service_def *def = rc == RC_OK ? arena_alloc(own, sizeof *def) : NULL;
    if (def == NULL) {
        return no_memory(e);
    }
    struct reader r = {own, STR(""), e};
    uint32_t at;
    rc = service_def_read(&r, definition, def);
    rc = rc == RC_OK ? catalogue_service_row(w, def->name, &at, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    struct world_service *row = w->services[at];
    arena_free(row->own);
    row->own = own;
    own = NULL;
    row->def = def;
    row->version = seq;
    return catalogue_settle(w, e);
}

enum rc catalogue_declare_tool(struct world *w, const struct value *definition, uint64_t seq,
                               struct err *e)
{
    must(!w->lens);
    CLEANUP(arena) struct arena *own = NULL;
    enum rc rc = own_arena(&own, e);
    struct tool_def *def = rc == RC_OK ? arena_alloc(own, sizeof *def) : NULL;
    if (def == NULL) {
        return no_memory(e);
    }
    struct reader r = {own, STR(""), e};
    uint32_t at;
    rc = tool_def_read(&r, definition, def);
    rc = rc == RC_OK ? catalogue_tool_row(w, def->name, &at, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    struct world_tool *row = w->tools[at];
    arena_free(row->own);
    row->own = own;
    own = NULL;
    row->def = def;
    row->version = seq;
    return RC_OK;
}
