/*
 * model/world_lens - another policy's catalogue over the world's own, for who asks what it would have made of things.
 *
 * Every row keeps its own definition aside, so that the fold goes on as the ledger says: only what decisions read is
 * another.
 */
#include "model/world_internal.h"

#include "base/must.h"

static void keep_aside(struct world *w)
{
    for (uint32_t i = 0; i < w->agent_count; i++) {
        w->agents[i]->aside = w->agents[i]->def;
    }
    for (uint32_t i = 0; i < w->service_count; i++) {
        w->services[i]->aside = w->services[i]->def;
    }
    for (uint32_t i = 0; i < w->tool_count; i++) {
        w->tools[i]->aside = w->tools[i]->def;
    }
}

static enum rc lay_agents(struct world *w, const struct policy *p, struct err *e)
{
    enum rc rc = RC_OK;
    for (uint32_t i = 0; rc == RC_OK && i < p->agent_count; i++) {
        uint32_t at;
        rc = catalogue_agent_row(w, p->agents[i].name, &at, e);
        if (rc == RC_OK) {
            w->agents[at]->def = &p->agents[i];
        }
    }
    return rc;
}

static enum rc lay_services(struct world *w, const struct policy *p, struct err *e)
{
    enum rc rc = RC_OK;
    for (uint32_t i = 0; rc == RC_OK && i < p->service_count; i++) {
        uint32_t at;
        rc = catalogue_service_row(w, p->services[i].name, &at, e);
        if (rc == RC_OK) {
            w->services[at]->def = &p->services[i];
        }
    }
    return rc;
}

static enum rc lay_tools(struct world *w, const struct policy *p, struct err *e)
{
    enum rc rc = RC_OK;
    for (uint32_t i = 0; rc == RC_OK && i < p->tool_count; i++) {
        uint32_t at;
        rc = catalogue_tool_row(w, p->tools[i].name, &at, e);
        if (rc == RC_OK) {
            w->tools[at]->def = &p->tools[i];
        }
    }
    return rc;
}

enum rc world_lens_on(struct world *w, const struct policy *p, struct err *e)
{
    must(!w->lens);
    keep_aside(w);
    w->lens = true;
    enum rc rc = lay_agents(w, p, e);
    rc = rc == RC_OK ? lay_services(w, p, e) : rc;
    rc = rc == RC_OK ? lay_tools(w, p, e) : rc;
    return rc == RC_OK ? catalogue_settle(w, e) : rc;
}

enum rc world_lens_off(struct world *w, struct err *e)
{
    must(w->lens);
    for (uint32_t i = 0; i < w->agent_count; i++) {
        w->agents[i]->def = w->agents[i]->aside;
    }
    for (uint32_t i = 0; i < w->service_count; i++) {
        w->services[i]->def = w->services[i]->aside;
    }
    for (uint32_t i = 0; i < w->tool_count; i++) {
        w->tools[i]->def = w->tools[i]->aside;
    }
    w->lens = false;
    return catalogue_settle(w, e);
}
