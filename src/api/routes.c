/*
 * api/routes - the table of routes, and the way from a request to its handler.
 */
#include "api/routes.h"

#include "base/must.h"

#define OPS ROLES_OPERATOR
#define READERS (ROLES_OPERATOR | ROLE_AGENT)
#define ACTORS (ROLE_AGENT | ROLES_ACTING)

static const struct route table[] = {
    {HTTP_POST, "/v1/actions", ACTORS, ROUTE_LARGE_BODY, actions_propose, REPEAT_KEY},
    {HTTP_GET, "/v1/actions", READERS, 0, actions_list, REPEAT_READS},
    {HTTP_GET, "/v1/actions/{}", READERS, 0, actions_get, REPEAT_READS},
    {HTTP_POST, "/v1/actions/{}/decide", ACTORS, 0, actions_decide, REPEAT_ASKS},
    {HTTP_POST, "/v1/actions/{}/commit", ACTORS, 0, actions_commit, REPEAT_NONCE},
    {HTTP_POST, "/v1/actions/{}/heartbeat", ACTORS, 0, actions_heartbeat, REPEAT_NONCE},
    {HTTP_POST, "/v1/actions/{}/outcome", ACTORS, ROUTE_LARGE_BODY, actions_outcome, REPEAT_KEY},
    {HTTP_POST, "/v1/actions/{}/cancel", ROLE_AGENT | ROLE_ADMIN | ROLE_RESPONDER | ROLE_APPROVER, 0,
     actions_cancel, REPEAT_KEY},
    {HTTP_POST, "/v1/actions/{}/revert", ROLE_ADMIN | ROLE_RESPONDER, 0, actions_revert_by_hand, REPEAT_KEY},
    {HTTP_POST, "/v1/actions/{}/settle", ROLE_ADMIN | ROLE_RESPONDER, 0, actions_settle, REPEAT_KEY},
    {HTTP_POST, "/v1/evaluate", ACTORS | ROLE_ENFORCER, ROUTE_LARGE_BODY, evaluate, REPEAT_ASKS},
    {HTTP_GET, "/v1/approvals", OPS, 0, approvals_list, REPEAT_READS},
    {HTTP_POST, "/v1/approvals/{}/approve", ROLE_APPROVER, 0, approvals_approve, REPEAT_KEY},
    {HTTP_POST, "/v1/approvals/{}/override", ROLE_OVERRIDE, 0, approvals_override, REPEAT_KEY},
    {HTTP_POST, "/v1/approvals/{}/reject", ROLE_APPROVER, 0, approvals_reject, REPEAT_KEY},
    {HTTP_GET, "/v1/decisions", OPS, 0, decisions_list, REPEAT_READS},
    {HTTP_GET, "/v1/decisions/{}", READERS, 0, decisions_get, REPEAT_READS},
    {HTTP_GET, "/v1/decisions/{}/explain", READERS, 0, decisions_explain, REPEAT_READS},
    {HTTP_GET, "/v1/decisions/{}/replay", READERS, 0, decisions_replay, REPEAT_READS},
    {HTTP_GET, "/v1/agents", OPS, 0, agents_list, REPEAT_READS},
    {HTTP_POST, "/v1/agents", ROLE_ADMIN, 0, agents_declare, REPEAT_KEY},
    {HTTP_GET, "/v1/services", OPS | ROLE_SOURCE, 0, services_list, REPEAT_READS},
    {HTTP_POST, "/v1/services", ROLE_ADMIN | ROLE_SOURCE, 0, services_declare, REPEAT_KEY},
    {HTTP_GET, "/v1/tools", OPS | ROLE_SOURCE, 0, tools_list, REPEAT_READS},
    {HTTP_POST, "/v1/tools", ROLE_ADMIN | ROLE_SOURCE, 0, tools_declare, REPEAT_KEY},
    {HTTP_GET, "/v1/signals", OPS, 0, signals_list, REPEAT_READS},
    {HTTP_POST, "/v1/events", ROLE_SOURCE, ROUTE_CLOUD_EVENTS, events_post, REPEAT_KEY},
    {HTTP_POST, "/v1/traces", ROLE_ADMIN | ROLE_SOURCE, ROUTE_LARGE_BODY | ROUTE_RAW_BODY | ROUTE_BODY_ERRORS_400,
     traces_post, REPEAT_ASKS},
    {HTTP_GET, "/v1/stops", OPS, 0, stops_list, REPEAT_READS},
    {HTTP_POST, "/v1/stops", ROLES_ANY, 0, stops_set, REPEAT_KEY},
    {HTTP_POST, "/v1/stops/{}/resume", ROLE_ADMIN, 0, stops_lift, REPEAT_KEY},
    {HTTP_GET, "/v1/breakers", OPS, 0, breakers_list, REPEAT_READS},
    {HTTP_POST, "/v1/breakers", ROLE_ADMIN | ROLE_RESPONDER, 0, breakers_set, REPEAT_KEY},
    {HTTP_POST, "/v1/tiers", ROLE_ADMIN, 0, tiers_set, REPEAT_KEY},
    {HTTP_GET, "/v1/grants", OPS, 0, grants_list, REPEAT_READS},
    {HTTP_POST, "/v1/grants", ROLE_ADMIN | ROLE_APPROVER, 0, grants_issue, REPEAT_KEY},
    {HTTP_POST, "/v1/grants/{}/revoke", ROLE_ADMIN | ROLE_APPROVER | ROLE_RESPONDER, 0, grants_revoke, REPEAT_KEY},
    {HTTP_GET, "/v1/memory", OPS, 0, memory_list, REPEAT_READS},
    {HTTP_GET, "/v1/incidents", OPS, 0, incidents_list, REPEAT_READS},
    {HTTP_POST, "/v1/incidents", ROLE_AGENT | ROLE_SOURCE | ROLE_ADMIN | ROLE_RESPONDER, 0, incidents_open, REPEAT_KEY},
    {HTTP_POST, "/v1/memory/recall", READERS, 0, memory_recall, REPEAT_ASKS},
    {HTTP_POST, "/v1/incidents/{}/close", ROLE_ADMIN | ROLE_RESPONDER, 0, incidents_close, REPEAT_KEY},
    {HTTP_GET, "/v1/graph", READERS | ROLE_SOURCE, 0, graph_get, REPEAT_READS},
    {HTTP_POST, "/v1/graph", ROLE_ADMIN | ROLE_SOURCE, ROUTE_LARGE_BODY, graph_write, REPEAT_KEY},
    {HTTP_GET, "/v1/causes", READERS, 0, causes_get, REPEAT_READS},
    {HTTP_GET, "/v1/calibration", OPS, 0, calibration_get, REPEAT_READS},
    {HTTP_GET, "/v1/impact", READERS, 0, impact_get, REPEAT_READS},
    {HTTP_GET, "/v1/ledger", ROLE_AUDITOR | ROLE_ADMIN, 0, ledger_list, REPEAT_READS},
    {HTTP_GET, "/v1/ledger/{}", ROLE_AUDITOR | ROLE_ADMIN, 0, ledger_get, REPEAT_READS},
    {HTTP_GET, "/v1/ledger/{}/proof", ROLE_AUDITOR | ROLE_ADMIN, 0, ledger_proof, REPEAT_READS},
    {HTTP_GET, "/v1/blobs/{}", ROLE_AUDITOR | ROLE_ADMIN, 0, ledger_blob, REPEAT_READS},
    {HTTP_GET, "/v1/stream", OPS, 0, stream_get, REPEAT_READS},
    {HTTP_GET, "/v1/tokens", ROLE_ADMIN, 0, tokens_list, REPEAT_READS},
    {HTTP_POST, "/v1/tokens", ROLE_ADMIN, 0, tokens_create, REPEAT_KEY},
    {HTTP_POST, "/v1/tokens/{}/revoke", ROLE_ADMIN, 0, tokens_revoke, REPEAT_KEY},
    {HTTP_GET, "/v1/policy", OPS, 0, policy_get, REPEAT_READS},
    {HTTP_POST, "/v1/policy", ROLE_ADMIN, ROUTE_LARGE_BODY, policy_load, REPEAT_KEY},
    {HTTP_POST, "/v1/policy/rollback", ROLE_ADMIN, 0, policy_rollback, REPEAT_KEY},
    {HTTP_POST, "/v1/policy/reload", ROLE_ADMIN, 0, policy_reload, REPEAT_SAME},
    {HTTP_POST, "/v1/clock/accept", ROLE_ADMIN, 0, clock_accept, REPEAT_KEY},
    {HTTP_GET, "/v1/status", OPS, 0, status_get, REPEAT_READS},
    {HTTP_POST, "/access/v1/evaluation", ROLE_ENFORCER | ROLE_AGENT, ROUTE_BODY_ERRORS_400,
     authzen_evaluation, REPEAT_ASKS},
    {HTTP_POST, "/access/v1/evaluations", ROLE_ENFORCER | ROLE_AGENT, ROUTE_BODY_ERRORS_400,
     authzen_evaluations, REPEAT_ASKS},
    {HTTP_POST, "/access/v1/search/subject", ROLE_ENFORCER | ROLE_AGENT, ROUTE_BODY_ERRORS_400,
     authzen_search_subject, REPEAT_ASKS},
    {HTTP_POST, "/access/v1/search/resource", ROLE_ENFORCER | ROLE_AGENT, ROUTE_BODY_ERRORS_400,
     authzen_search_resource, REPEAT_ASKS},
    {HTTP_POST, "/access/v1/search/action", ROLE_ENFORCER | ROLE_AGENT, ROUTE_BODY_ERRORS_400,
     authzen_search_action, REPEAT_ASKS},
    {HTTP_GET, "/.well-known/authzen-configuration", ROLES_ANY, 0, authzen_metadata, REPEAT_READS},
    {HTTP_GET, "/checkpoint", ROLES_ANY, ROUTE_PUBLIC_LOG, ledger_checkpoint, REPEAT_READS},
    {HTTP_GET, "/tile/*", ROLES_ANY, ROUTE_PUBLIC_LOG, ledger_tile, REPEAT_READS},
    {HTTP_GET, "/metrics", OPS, 0, metrics, REPEAT_READS},
    {HTTP_GET, "/readyz", OPS, 0, readyz, REPEAT_READS},
    {HTTP_GET, "/healthz", 0, ROUTE_ANONYMOUS, healthz, REPEAT_READS},
};

const struct route *routes_table(size_t *ret_count)
{
    *ret_count = sizeof table / sizeof *table;
    return table;
}

/* Matches one pattern: "{}" is one segment, a last "*" is the rest. */
static bool path_fits(struct str pattern, struct str path, struct str ids[CALL_IDS_MAX])
{
    unsigned count = 0;
    struct str want;
    struct str got;
    while (str_next(&pattern, '/', &want)) {
        if (str_eq(want, STR("*"))) {
            ids[count] = path;
            return path.len > 0;
        }
        if (!str_next(&path, '/', &got)) {
            return false;
        }
        if (str_eq(want, STR("{}"))) {
            must(count < CALL_IDS_MAX);
            ids[count++] = got;
            if (got.len == 0) {
                return false;
            }
        } else if (!str_eq(want, got)) {
            return false;
        }
    }
    return path.ptr == NULL;
}

const struct route *routes_find(enum http_method method, struct str path, struct str ids[CALL_IDS_MAX],
                                bool *ret_other_method)
{
    *ret_other_method = false;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (!path_fits(str_from(table[i].path), path, ids)) {
            continue;
        }
        if (table[i].method == method) {
            return &table[i];
        }
        *ret_other_method = true;
    }
    return NULL;
}
