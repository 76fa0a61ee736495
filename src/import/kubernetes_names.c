/*
 * import/kubernetes_names - what workloads are called, and which of them a Service's name reaches.
 */
#include "import/image.h"
#include "import/kubernetes_internal.h"

#include <stdio.h>

enum {
    LABELS_MAX = 10,      /* of a host; the longest that is looked at is pod.service.namespace.svc.cluster.local */
    LABEL_KEY_MAX = 1024, /* bytes of "namespace/label=value"; Kubernetes has them far shorter */
};

/* --- workloads as nodes ------------------------------------------------------------------------------------------ */

static struct str image_of(const struct workload *w)
{
    const struct value *first = value_item(value_path(w->pod, "spec", "containers", NULL), 0);
    return value_text(value_get(first, STR("image")));
}

static enum node_kind kind_of(const struct workload *w, struct str *ret_engine)
{
    enum node_kind k = image_kind(image_of(w), ret_engine);
    bool keeps = str_eq(w->object->kind, STR("StatefulSet")) &&
                 value_item(value_path(w->object->value, "spec", "volumeClaimTemplates", NULL), 0) != NULL;
    return k == NODE_SERVICE && keeps ? NODE_DATASTORE : k;
}

static struct str zone_of(const struct workload *w)
{
    static const char *const names[] = {"topology.kubernetes.io/zone", "zone"};
    const struct value *places[] = {value_path(w->object->value, "metadata", "labels", NULL), w->labels,
                                    value_path(w->pod, "spec", "nodeSelector", NULL)};
    for (size_t i = 0; i < 6; i++) {
        struct str zone = value_text(value_get(places[i / 2], str_from(names[i % 2])));
        if (zone.len > 0) {
            return zone;
        }
    }
    return STR("");
}

static void settle(struct cluster *c, struct workload *w, bool shared)
{
    struct str engine;
    enum node_kind kind = kind_of(w, &engine);
    struct found *f = c->found;
    w->node = found_node(f, kind, cluster_name(c, w->object->space, shared ? w->object->name : w->wanted));
    found_say_text(f, w->node, STR("workload"), w->object->kind);
    found_say_text(f, w->node, STR("namespace"), w->object->space);
    found_say_text(f, w->node, STR("image"), image_of(w));
    found_say_text(f, w->node, STR("engine"), engine);
    found_say_text(f, w->node, STR("zone"), zone_of(w));
    const struct value *replicas = value_path(w->object->value, "spec", "replicas", NULL);
    if (value_is(replicas, VALUE_INT)) {
        found_say(f, w->node, STR("replicas"), *replicas);
    }
}

static void put(struct cluster *c, struct strmap *map, struct str key, uint32_t index)
{
    if (c->rc == RC_OK) {
        c->rc = arena_rc(c->arena) == RC_OK ? strmap_put(map, key, index) : arena_rc(c->arena);
    }
}

/* How many workloads want each name: 0 for one, 1 for more. */
static void count_names(struct cluster *c, struct strmap *shared)
{
    for (uint32_t i = 0; i < c->workload_count && c->rc == RC_OK; i++) {
        struct str key = cluster_key(c, c->workloads[i].object->space, c->workloads[i].wanted);
        put(c, shared, key, strmap_get(shared, key) == MAP_NONE ? 0 : 1);
    }
}

static struct str label_key(const struct cluster *c, struct str space, const struct member *label)
{
    return arena_printf(c->arena, "%.*s/%.*s=%.*s", STR_ARG(space), STR_ARG(label->name), STR_ARG(value_text(&label->value)));
}

static void add_labels(struct cluster *c, uint32_t workload)
{
    const struct workload *w = &c->workloads[workload];
    for (uint32_t i = 0; value_is(w->labels, VALUE_OBJECT) && i < w->labels->count && c->rc == RC_OK; i++) {
        const struct member *m = &w->labels->members[i];
        struct str key = label_key(c, w->object->space, m);
        uint32_t next = strmap_get(&c->first_of, key);
        c->rows[c->row_count] = (struct label_row){workload, next, next == MAP_NONE ? 1 : c->rows[next].count + 1};
        put(c, &c->first_of, key, c->row_count++);
    }
}

void names_settle(struct cluster *c)
{
    struct strmap shared;
    uint64_t labels = 0;
    strmap_init(&shared, 0);
    count_names(c, &shared);
    for (uint32_t i = 0; i < c->workload_count && c->rc == RC_OK; i++) {
        struct workload *w = &c->workloads[i];
        settle(c, w, strmap_get(&shared, cluster_key(c, w->object->space, w->wanted)) == 1);
        labels += value_is(w->labels, VALUE_OBJECT) ? w->labels->count : 0;
    }
    strmap_done(&shared);
    c->rows = arena_array(c->arena, labels, sizeof *c->rows);
    c->rc = c->rc == RC_OK ? arena_rc(c->arena) : c->rc;
    for (uint32_t i = c->workload_count; i-- > 0 && c->rc == RC_OK;) {
        add_labels(c, i);
    }
}

/* --- selectors -------------------------------------------------------------------------------------------------------- */

/* The first row of a label; MAP_NONE: no workload has it. */
static uint32_t rows_of(const struct cluster *c, struct str space, const struct member *label)
{
    char text[LABEL_KEY_MAX];
    int len = snprintf(text, sizeof text, "%.*s/%.*s=%.*s", STR_ARG(space), STR_ARG(label->name), STR_ARG(value_text(&label->value)));
    return len > 0 && (size_t)len < sizeof text ? strmap_get(&c->first_of, (struct str){text, (size_t)len}) : MAP_NONE;
}

/* By the label that the fewest have. */
struct selection selection_of(const struct cluster *c, uint32_t service)
{
    struct selection s = {.service = c->services.items[service], .row = MAP_NONE};
    s.selector = value_path(s.service->value, "spec", "selector", NULL);
    for (uint32_t i = 0; value_is(s.selector, VALUE_OBJECT) && i < s.selector->count; i++) {
        uint32_t row = rows_of(c, s.service->space, &s.selector->members[i]);
        if (row == MAP_NONE) {
            s.row = MAP_NONE;
            return s;
        }
        s.row = s.row == MAP_NONE || c->rows[row].count < c->rows[s.row].count ? row : s.row;
    }
    return s;
}

static bool has_labels(const struct value *labels, const struct value *selector)
{
    for (uint32_t i = 0; i < selector->count; i++) {
        const struct value *has = value_get(labels, selector->members[i].name);
        if (has == NULL || !value_eq(has, &selector->members[i].value)) {
            return false;
        }
    }
    return true;
}

uint32_t selection_next(const struct cluster *c, struct selection *s)
{
    while (s->row != MAP_NONE) {
        uint32_t workload = c->rows[s->row].workload;
        s->row = c->rows[s->row].next;
        if (has_labels(c->workloads[workload].labels, s->selector)) {
            return workload;
        }
    }
    return MAP_NONE;
}

void names_call(struct cluster *c, uint32_t from, uint32_t service)
{
    struct selection s = selection_of(c, service);
    for (uint32_t at = selection_next(c, &s); at != MAP_NONE; at = selection_next(c, &s)) {
        found_edge(c->found, from, c->workloads[at].node, EDGE_CALLS);
    }
}

/* --- hosts ------------------------------------------------------------------------------------------------------------ */

static uint32_t service_at(const struct cluster *c, struct str space, struct str name)
{
    char text[520];
    int len = snprintf(text, sizeof text, "%.*s/%.*s", STR_ARG(space), STR_ARG(name));
    return len > 0 && (size_t)len < sizeof text ? strmap_get(&c->service_of, (struct str){text, (size_t)len}) : MAP_NONE;
}

/* "orders-db-0": one pod of a StatefulSet. */
static bool is_pod(struct str label)
{
    size_t i = label.len;
    while (i > 0 && label.ptr[i - 1] >= '0' && label.ptr[i - 1] <= '9') {
        i--;
    }
    return i < label.len && i > 1 && label.ptr[i - 1] == '-';
}

/* Source: Kubernetes, DNS for Services and Pods. */
uint32_t names_resolve(const struct cluster *c, struct str host, struct str space)
{
    struct str labels[LABELS_MAX];
    unsigned count = 0;
    for (struct str rest = host; count < LABELS_MAX && str_next(&rest, '.', &labels[count]);) {
        count++;
    }
    for (unsigned i = 2; i < count; i++) {
        if (str_eq(labels[i], STR("svc"))) {
            return service_at(c, labels[i - 1], labels[i - 2]);
        }
    }
    if (count == 1) {
        return service_at(c, space, labels[0]);
    }
    uint32_t at = count == 2 ? service_at(c, labels[1], labels[0]) : MAP_NONE;
    if (at == MAP_NONE && count == 2 && is_pod(labels[0])) {
        return service_at(c, space, labels[1]);
    }
    return count == 3 && is_pod(labels[0]) ? service_at(c, labels[2], labels[1]) : at;
}
