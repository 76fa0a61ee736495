/*
 * graph/kinds - the types of nodes and edges, and which way harm flows.
 */
#include "graph/graph.h"

static const char *const node_kinds[NODE_KIND_COUNT] = {
    [NODE_SERVICE] = "service", [NODE_DATASTORE] = "datastore", [NODE_QUEUE] = "queue",   [NODE_FUNCTION] = "function",
    [NODE_GATEWAY] = "gateway", [NODE_CONFIG] = "config",       [NODE_DEPLOY] = "deploy", [NODE_ARTIFACT] = "artifact",
    [NODE_AGENT] = "agent",     [NODE_ACTION] = "action",       [NODE_POLICY] = "policy", [NODE_INCIDENT] = "incident",
    [NODE_TEAM] = "team",
};

static const char *const edge_kinds[EDGE_KIND_COUNT] = {
    [EDGE_CALLS] = "calls",           [EDGE_DEPENDS_ON] = "depends_on", [EDGE_DEPLOYS] = "deploys",
    [EDGE_CONFIGURES] = "configures", [EDGE_TOUCHES] = "touches",       [EDGE_CAUSED] = "caused",
    [EDGE_RESOLVED_BY] = "resolved_by", [EDGE_OWNS] = "owns",           [EDGE_PART_OF] = "part_of",
};

static const char *const confidences[CONFIDENCE_COUNT] = {
    [CONFIDENCE_OBSERVED] = "observed",
    [CONFIDENCE_DECLARED] = "declared",
    [CONFIDENCE_CONFIRMED] = "confirmed",
};

const char *node_kind_name(enum node_kind k)
{
    return node_kinds[k];
}

const char *edge_kind_name(enum edge_kind k)
{
    return edge_kinds[k];
}

const char *confidence_name(enum confidence c)
{
    return confidences[c];
}

bool node_kind_parse(struct str name, enum node_kind *ret)
{
    for (unsigned k = 0; k < NODE_KIND_COUNT; k++) {
        if (str_eq(name, str_from(node_kinds[k]))) {
            *ret = (enum node_kind)k;
            return true;
        }
    }
    return false;
}

bool edge_kind_parse(struct str name, enum edge_kind *ret)
{
    for (unsigned k = 0; k < EDGE_KIND_COUNT; k++) {
        if (str_eq(name, str_from(edge_kinds[k]))) {
            *ret = (enum edge_kind)k;
            return true;
        }
    }
    return false;
}

bool edge_kind_flows_forward(enum edge_kind k)
{
    return k == EDGE_DEPLOYS || k == EDGE_CONFIGURES || k == EDGE_PART_OF;
}
