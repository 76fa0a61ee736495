/*
 * gate/on_call - is there a person who can be woken for the target, and has that person room for one more?
 *
 * Who is on call is said by a source (the event on_call.changed) and is unknown when it was not said lately or its
 * end has passed. An on-call's load is what the source counts, and the incidents that are open here on any service
 * of the same person.
 */
#include "gate/checks.h"
#include "gate/gather.h"

static int64_t open_incidents(const struct world *w, const struct world_on_call *on_call)
{
    int64_t count = on_call->incidents;
    for (uint32_t i = 0; i < world_incident_count(w); i++) {
        uint32_t service = world_incident_at(w, i)->service;
        const struct world_on_call *other = service == MAP_NONE ? NULL : world_service_at(w, service)->on_call;
        count += other != NULL && str_eq(str_from(other->person), str_from(on_call->person)) ? 1 : 0;
    }
    return count;
}

static bool is_fresh(const struct world_on_call *on_call, int64_t now_ms, int64_t max_age_ms)
{
    return on_call != NULL && now_ms - on_call->at_ms <= max_age_ms &&
           (on_call->until_ms == 0 || now_ms < on_call->until_ms);
}

void gather_on_call(const struct gate_input *in, const struct thresholds *t, struct facts *f)
{
    bool off = thresholds_mode(t, CHECK_ON_CALL) == MODE_OFF;
    for (uint32_t i = 0; !off && i < in->request->service_count; i++) {
        const struct world_service *s = world_service_at(in->world, in->request->services[i]);
        if (!is_fresh(s->on_call, in->now_ms, t->at[ON_CALL_MAX_AGE_MS])) {
            f->on_call_unknown = str_from(s->name);
        } else if (s->on_call->person[0] == '\0') {
            f->on_call_nobody = str_from(s->name);
        } else {
            int64_t load = open_incidents(in->world, s->on_call);
            bool busier = f->on_call_busiest.len == 0 || load > f->on_call_incidents;
            f->on_call_busiest = busier ? str_from(s->name) : f->on_call_busiest;
            f->on_call_incidents = busier ? load : f->on_call_incidents;
        }
    }
}

void check_on_call(const struct check_input *in, struct finding *ret)
{
    const int64_t *t = in->thresholds->at;
    const struct facts *f = in->facts;
    finding_allow(CHECK_ON_CALL, ret);
    enum verdict block = (enum verdict)t[ON_CALL_ON_BLOCK];
    enum verdict blind = (enum verdict)t[ON_CALL_ON_UNKNOWN];
    if (only_reads(in)) {
        return;
    }
    if (f->on_call_nobody.len > 0) {
        finding_block(CHECK_ON_CALL, block, REASON_ON_CALL_NOBODY, f->on_call_nobody, ret);
    } else if (f->on_call_busiest.len > 0 && f->on_call_incidents > t[ON_CALL_MAX_INCIDENTS]) {
        finding_block(CHECK_ON_CALL, block, REASON_ON_CALL_BUSY, f->on_call_busiest, ret);
        ret->value = f->on_call_incidents;
        ret->threshold = t[ON_CALL_MAX_INCIDENTS];
    }
    if (f->on_call_unknown.len > 0 && blind < ret->verdict) {
        finding_block(CHECK_ON_CALL, blind, REASON_ON_CALL_UNKNOWN, f->on_call_unknown, ret);
        ret->unknown = true;
    }
}
