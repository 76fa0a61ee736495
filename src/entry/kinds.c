#include "entry/entry.h"

#include "base/must.h"

/*
 * One row per kind. Names are noun.past_verb and are in stored headers, so a row is never renamed or
 * removed; version is the newest body this program writes.
 */
static const struct kind {
    struct str name;
    unsigned version;
} kinds[ENTRY_KIND_COUNT] = {
#define KIND(text, newest) {{"" text, sizeof(text) - 1}, (newest)}
    [ENTRY_LEDGER_CREATED] = KIND("ledger.created", 1),
    [ENTRY_LEDGER_SNAPSHOT] = KIND("ledger.snapshot", 1),
    [ENTRY_POLICY_LOADED] = KIND("policy.loaded", 1),
    [ENTRY_TOKEN_CREATED] = KIND("token.created", 1),
    [ENTRY_TOKEN_REVOKED] = KIND("token.revoked", 1),
    [ENTRY_AGENT_REGISTERED] = KIND("agent.registered", 1),
    [ENTRY_SERVICE_DECLARED] = KIND("service.declared", 1),
    [ENTRY_TOOL_DECLARED] = KIND("tool.declared", 1),
    [ENTRY_ACTION_DECIDED] = KIND("action.decided", 1),
    [ENTRY_ACTION_REDECIDED] = KIND("action.redecided", 1),
    [ENTRY_ACTION_COMMITTED] = KIND("action.committed", 1),
    [ENTRY_ACTION_HEARTBEAT] = KIND("action.heartbeat", 1),
    [ENTRY_ACTION_FINISHED] = KIND("action.finished", 1),
    [ENTRY_ACTION_LOST] = KIND("action.lost", 1),
    [ENTRY_ACTION_CANCELLED] = KIND("action.cancelled", 1),
    [ENTRY_ACTION_EXPIRED] = KIND("action.expired", 1),
    [ENTRY_ACTION_ABANDONED] = KIND("action.abandoned", 1),
    [ENTRY_APPROVAL_GRANTED] = KIND("approval.granted", 1),
    [ENTRY_APPROVAL_REJECTED] = KIND("approval.rejected", 1),
    [ENTRY_STOP_SET] = KIND("stop.set", 1),
    [ENTRY_STOP_LIFTED] = KIND("stop.lifted", 1),
    [ENTRY_DEPLOY_STARTED] = KIND("deploy.started", 1),
    [ENTRY_DEPLOY_ENDED] = KIND("deploy.ended", 1),
    [ENTRY_SLI_BUCKET] = KIND("sli.bucket", 1),
    [ENTRY_CLOCK_JUMPED] = KIND("clock.jumped", 1),
    [ENTRY_CLOCK_ACCEPTED] = KIND("clock.accepted", 2),
    [ENTRY_LOAD_REFUSED] = KIND("load.refused", 1),
    [ENTRY_BREAKER_SET] = KIND("breaker.set", 1),
    [ENTRY_TIER_CHANGED] = KIND("tier.changed", 1),
    [ENTRY_GRANT_ISSUED] = KIND("grant.issued", 1),
    [ENTRY_GRANT_REVOKED] = KIND("grant.revoked", 1),
    [ENTRY_ACTION_VERIFIED] = KIND("action.verified", 1),
    [ENTRY_ACTION_VIOLATED] = KIND("action.violated", 1),
    [ENTRY_REVERT_STARTED] = KIND("revert.started", 1),
    [ENTRY_REVERT_FINISHED] = KIND("revert.finished", 1),
    [ENTRY_INCIDENT_CLOSED] = KIND("incident.closed", 1),
    [ENTRY_STOP_CONFIRMED] = KIND("stop.confirmed", 1),
    [ENTRY_LEDGER_RESTORED] = KIND("ledger.restored", 1),
    [ENTRY_ON_CALL_CHANGED] = KIND("on_call.changed", 1),
    [ENTRY_SNAPSHOT_TAKEN] = KIND("snapshot.taken", 1),
    [ENTRY_ROLLBACK_TESTED] = KIND("rollback.tested", 1),
    [ENTRY_OVERRIDE_GRANTED] = KIND("override.granted", 1),
    [ENTRY_BLOBS_ERASED] = KIND("blobs.erased", 1),
    [ENTRY_GRAPH_WRITTEN] = KIND("graph.written", 1),
    [ENTRY_INCIDENT_OPENED] = KIND("incident.opened", 1),
    [ENTRY_MEMORY_READ] = KIND("memory.read", 1),
    [ENTRY_GRAPH_OBSERVED] = KIND("graph.observed", 1),
#undef KIND
};

struct str entry_kind_name(enum entry_kind kind)
{
    must((unsigned)kind < ENTRY_KIND_COUNT);
    return kinds[kind].name;
}

unsigned entry_kind_version(enum entry_kind kind)
{
    must((unsigned)kind < ENTRY_KIND_COUNT);
    return kinds[kind].version;
}

enum rc entry_kind_parse(struct str name, enum entry_kind *ret, struct err *e)
{
    for (unsigned i = 0; i < ENTRY_KIND_COUNT; i++) {
        if (str_eq(name, kinds[i].name)) {
            *ret = (enum entry_kind)i;
            return RC_OK;
        }
    }
    return err_set(e, RC_INVALID, "unknown entry kind \"%.*s\"", name.len > 64 ? 64 : (int)name.len,
                   name.ptr != NULL ? name.ptr : "");
}
