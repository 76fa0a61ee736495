/*
 * model/world_precedents - what incidents left behind: how harm had travelled, what was tried, what resolved it.
 *
 * Found by shape, not by text (world.h). The oldest goes when there are too many, and when the policy's memory_keep is over,
 * by entry time.
 */
#include "model/world_step.h"

#include "base/must.h"

#include <stdlib.h>

enum rc precedent_add(struct world *w, const struct world_precedent *p, struct err *e)
{
    if (w->precedent_count == PRECEDENTS_MAX) {
        memmove(w->precedents, w->precedents + 1, (PRECEDENTS_MAX - 1) * sizeof *w->precedents);
        w->precedent_count--;
    }
    enum rc rc = table_room(&w->precedents, w->precedent_count, &w->precedent_capacity, sizeof *w->precedents, e);
    if (rc == RC_OK) {
        w->precedents[w->precedent_count++] = *p;
    }
    return rc;
}

void precedents_evict(struct world *w)
{
    int64_t keep = w->policy == NULL ? INT64_MAX : w->policy->memory_keep_ms;
    uint32_t gone = 0;
    while (gone < w->precedent_count && keep != INT64_MAX && w->precedents[gone].closed_ms <= w->time_ms - keep) {
        gone++;
    }
    if (gone > 0) {
        w->precedent_count -= gone;
        memmove(w->precedents, w->precedents + gone, w->precedent_count * sizeof *w->precedents);
    }
}

/* --- entries ------------------------------------------------------------------------------------------------- */

enum rc incident_opened(const struct step *s)
{
    struct world *w = s->w;
    uint32_t service = world_service_find(w, text(s, STR("service")));
    int64_t at;
    if (service == MAP_NONE || !instant(s, STR("at"), &at)) {
        return missing(s, "the incident");
    }
    if (w->incident_count < INCIDENTS_MAX) {
        struct world_incident *x = &w->incidents[w->incident_count++];
        *x = (struct world_incident){.id = s->entry->seq, .service = service, .at_ms = at};
        copy_text(x->symptom, sizeof x->symptom, text(s, STR("symptom")));
        copy_text(x->shape, sizeof x->shape, text(s, STR("shape")));
    }
    return RC_OK;
}

static void read_tried(const struct step *s, const struct value *tried, struct world_precedent *p)
{
    for (uint32_t i = 0; value_item(tried, i) != NULL && p->tried_count < PRECEDENT_TRIED_MAX; i++) {
        uint32_t tool = world_tool_find(s->w, value_text(value_item(value_item(tried, i), 0)));
        if (tool != MAP_NONE) {
            p->tried[p->tried_count].tool = tool;
            p->tried[p->tried_count++].good = value_bool_or(value_item(value_item(tried, i), 1), false);
        }
    }
}

/* What a closed incident leaves: x may have left memory already. */
enum rc incident_remember(const struct step *s, uint64_t incident, const struct world_incident *x)
{
    const struct value *pattern = get(s, STR("pattern"));
    struct world_precedent p = {.incident = incident,
                                .closed_seq = s->entry->seq,
                                .service = x == NULL ? (uint32_t)MAP_NONE : x->service,
                                .at_ms = x == NULL ? s->entry->time_ms : x->at_ms,
                                .closed_ms = s->entry->time_ms,
                                .tool = MAP_NONE};
    if (pattern == NULL) {
        return RC_OK;
    }
    copy_text(p.shape, sizeof p.shape, value_text(value_get(pattern, STR("shape"))));
    read_tried(s, value_get(pattern, STR("tried")), &p);
    if (id_parse(value_text(value_get(pattern, STR("resolved_by"))), "act", &p.action)) {
        p.tool = world_tool_find(s->w, value_text(value_get(pattern, STR("tool"))));
    }
    return precedent_add(s->w, &p, s->e);
}

/* --- reading --------------------------------------------------------------------------------------------------- */

uint32_t world_precedent_count(const struct world *w)
{
    return w->precedent_count;
}

const struct world_precedent *world_precedent_at(const struct world *w, uint32_t index)
{
    must(index < w->precedent_count);
    return &w->precedents[index];
}

struct recall world_recall(const struct world *w, struct str shape, uint32_t tool)
{
    struct recall r = {0};
    for (uint32_t i = 0; i < w->precedent_count; i++) {
        const struct world_precedent *p = &w->precedents[i];
        if (!str_eq(str_from(p->shape), shape)) {
            continue;
        }
        r.first_ms = r.seen == 0 ? p->at_ms : r.first_ms;
        r.last_ms = p->at_ms;
        r.seen++;
        r.resolved += tool != MAP_NONE && p->tool == tool ? 1 : 0;
        bool tried = tool != MAP_NONE && p->tool == tool;
        for (uint32_t k = 0; k < p->tried_count; k++) {
            tried = tried || p->tried[k].tool == tool;
        }
        r.tried += tried ? 1 : 0;
    }
    return r;
}
