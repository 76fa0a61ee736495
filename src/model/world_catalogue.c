/*
 * model/world_catalogue - agents, services and tools: those the policy declares and those that were
 * registered, and who depends on whom.
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
    return RC_OK;
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

/* --- dependants --------------------------------------------------------------------------------- */

/* Who calls whom, turned round: the callers of each service, as lists in one array. */
struct callers {
    uint32_t *first; /* by service; count + 1 of them */
    uint32_t *items;
    uint32_t *queue;
    uint32_t *seen; /* the round in which a service was reached */
};

static void callers_done(struct callers *c)
{
    free(c->first);
    free(c->items);
    free(c->queue);
    free(c->seen);
}

static uint32_t dependency(const struct world *w, uint32_t service, uint32_t i)
{
    return strmap_get(&w->service_index, w->services[service]->def->depends_on.items[i]);
}

static uint32_t dependency_count(const struct world *w, uint32_t service)
{
    return w->services[service]->def == NULL ? 0 : w->services[service]->def->depends_on.count;
}

static enum rc callers_init(struct callers *c, const struct world *w, struct err *e)
{
    uint32_t n = w->service_count;
    uint32_t edges = 0;
    for (uint32_t s = 0; s < n; s++) {
        edges += dependency_count(w, s);
    }
    *c = (struct callers){calloc(n + 2, sizeof *c->first), calloc(edges + 1, sizeof *c->items),
                          calloc(n + 1, sizeof *c->queue), calloc(n + 1, sizeof *c->seen)};
    if (c->first == NULL || c->items == NULL || c->queue == NULL || c->seen == NULL) {
        return no_memory(e);
    }
    for (uint32_t s = 0; s < n; s++) {
        for (uint32_t i = 0; i < dependency_count(w, s); i++) {
            uint32_t to = dependency(w, s, i);
            if (to != MAP_NONE) {
                c->first[to + 2]++;
            }
        }
    }
    for (uint32_t s = 1; s < n + 2; s++) {
        c->first[s] += c->first[s - 1];
    }
    /* first[to + 1] is where the next caller of `to` goes; after the loop it is where `to` ends. */
    for (uint32_t s = 0; s < n; s++) {
        for (uint32_t i = 0; i < dependency_count(w, s); i++) {
            uint32_t to = dependency(w, s, i);
            if (to != MAP_NONE) {
                c->items[c->first[to + 1]++] = s;
            }
        }
    }
    return RC_OK;
}

/* Breadth first from one service; the service itself is not its own dependant. */
static uint32_t callers_reach(struct callers *c, uint32_t from, uint32_t round)
{
    uint32_t count = 0;
    c->seen[from] = round;
    uint32_t at = from;
    for (uint32_t next = 0;; at = c->queue[next++]) {
        for (uint32_t i = c->first[at]; i < c->first[at + 1]; i++) {
            uint32_t caller = c->items[i];
            if (c->seen[caller] != round) {
                c->seen[caller] = round;
                c->queue[count++] = caller;
            }
        }
        if (next == count) {
            return count;
        }
    }
}

static int by_index(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static enum rc lists_build(struct world *w, struct callers *c, struct err *e)
{
    uint32_t *all = NULL;
    uint32_t count = 0;
    uint32_t capacity = 0;
    for (uint32_t s = 0; s < w->service_count; s++) {
        uint32_t reached = callers_reach(c, s, s + 1);
        if (count + reached > DEPENDANTS_MAX) {
            free(all);
            return err_set(e, RC_LIMIT, "the services have more than %d dependants together",
                           DEPENDANTS_MAX);
        }
        while (capacity < count + reached) {
            enum rc rc = table_room(&all, capacity, &capacity, sizeof *all, e);
            if (rc != RC_OK) {
                free(all);
                return rc;
            }
        }
        if (reached > 0) {
            memcpy(all + count, c->queue, reached * sizeof *all);
            qsort(all + count, reached, sizeof *all, by_index);
        }
        w->services[s]->dependant_count = reached;
        count += reached;
    }
    free(w->dependants);
    w->dependants = all;
    uint32_t at = 0;
    for (uint32_t s = 0; s < w->service_count; s++) {
        w->services[s]->dependants = all == NULL ? NULL : all + at;
        at += w->services[s]->dependant_count;
    }
    return RC_OK;
}

enum rc catalogue_settle(struct world *w, struct err *e)
{
    struct callers c;
    enum rc rc = callers_init(&c, w, e);
    if (rc == RC_OK) {
        rc = lists_build(w, &c, e);
    }
    callers_done(&c);
    return rc;
}

/* --- asked before it is written ----------------------------------------------------------------- */

/* A world of services only, with the definitions of w, for a try. */
static struct world *try_new(const struct world *w, bool declared, struct err *e)
{
    struct world *t = world_new(w->service_index.seed);
    enum rc rc = t == NULL ? no_memory(e) : RC_OK;
    for (uint32_t i = 0; i < w->service_count && rc == RC_OK; i++) {
        const struct world_service *s = w->services[i];
        uint32_t at;
        rc = catalogue_service_row(t, str_from(s->name), &at, e);
        if (rc == RC_OK) {
            t->services[at]->def = declared || s->own != NULL ? s->def : NULL;
        }
    }
    if (rc != RC_OK) {
        world_free(t);
        return NULL;
    }
    return t;
}

static enum rc try_define(struct world *t, const struct service_def *def, struct err *e)
{
    uint32_t at;
    enum rc rc = catalogue_service_row(t, def->name, &at, e);
    if (rc == RC_OK) {
        t->services[at]->def = def;
    }
    return rc;
}

enum rc world_check_policy(const struct world *w, const struct policy *p, struct err *e)
{
    struct world *t = try_new(w, false, e);
    enum rc rc = t == NULL ? RC_NO_MEMORY : RC_OK;
    for (uint32_t i = 0; i < p->service_count && rc == RC_OK; i++) {
        rc = try_define(t, &p->services[i], e);
    }
    rc = rc == RC_OK ? catalogue_settle(t, e) : rc;
    world_free(t);
    return rc;
}

enum rc world_check_service(const struct world *w, const struct service_def *def, struct err *e)
{
    struct world *t = try_new(w, true, e);
    enum rc rc = t == NULL ? RC_NO_MEMORY : try_define(t, def, e);
    rc = rc == RC_OK ? catalogue_settle(t, e) : rc;
    world_free(t);
    return rc;
}
