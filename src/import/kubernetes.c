#include "import/kubernetes_internal.h"

#include <string.h>

/* --- objects --------------------------------------------------------------------------------------------------- */

static bool is_list(const struct value *v)
{
    return str_ends(value_text(value_get(v, STR("kind"))), STR("List")) && value_is(value_get(v, STR("items")), VALUE_ARRAY);
}

static uint64_t count_objects(const struct documents *d)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < d->count; i++) {
        const struct value *v = &d->items[i].value;
        count += v->type == VALUE_ARRAY ? v->count : is_list(v) ? value_get(v, STR("items"))->count : 1;
    }
    return count;
}

static enum rc take_object(struct cluster *c, const struct document *d, const struct value *v, struct err *e)
{
    const struct value *metadata = value_get(v, STR("metadata"));
    struct object o = {v, value_text(value_get(v, STR("kind"))), value_text(value_get(metadata, STR("name"))),
                       value_text(value_get(metadata, STR("namespace")))};
    if (!value_is(v, VALUE_OBJECT)) {
        return document_expected(d, v, "an object of Kubernetes", e);
    }
    if (o.kind.len == 0) {
        return document_expected(d, v, "an object of Kubernetes: it has no kind", e);
    }
    if (o.name.len == 0 && value_get(metadata, STR("generateName")) == NULL) {
        return document_expected(d, v, "a name in the object's metadata", e);
    }
    o.space = o.space.len == 0 ? STR("default") : o.space;
    c->objects[c->object_count++] = o;
    return RC_OK;
}

static enum rc take_document(struct cluster *c, const struct document *d, struct err *e)
{
    const struct value *list = d->value.type == VALUE_ARRAY ? &d->value
                               : is_list(&d->value)         ? value_get(&d->value, STR("items"))
                                                            : NULL;
    if (list == NULL) {
        return take_object(c, d, &d->value, e);
    }
    enum rc rc = RC_OK;
    for (uint32_t i = 0; i < list->count && rc == RC_OK; i++) {
        rc = take_object(c, d, &list->items[i], e);
        if (rc != RC_OK && list->items[i].line == 0) {
            err_say_before(e, rc, "item %u", i);
        }
    }
    return rc;
}

/* --- what they are ------------------------------------------------------------------------------------------------ */

static void keep(struct cluster *c, struct strmap *map, struct str key, uint32_t index)
{
    if (c->rc == RC_OK && strmap_get(map, key) == MAP_NONE) {
        c->rc = arena_rc(c->arena) == RC_OK ? strmap_put(map, key, index) : arena_rc(c->arena);
    }
}

static bool is_owned(const struct object *o)
{
    const struct value *owners = value_path(o->value, "metadata", "ownerReferences", NULL);
    return value_item(owners, 0) != NULL;
}

static void add_workload(struct cluster *c, uint32_t at, const struct value *pod)
{
    const struct object *o = &c->objects[at];
    struct str label = object_label(value_get(o->value, STR("metadata")), "app.kubernetes.io/name");
    c->workloads[c->workload_count++] = (struct workload){.object = o,
                                                          .pod = pod,
                                                          .labels = value_path(pod, "metadata", "labels", NULL),
                                                          .wanted = label.len > 0 ? label : o->name,
                                                          .node = MAP_NONE};
}

static void take_workload(struct cluster *c, uint32_t at)
{
    add_workload(c, at, value_path(c->objects[at].value, "spec", "template", NULL));
}

/* A Job of a CronJob, a ReplicaSet of a Deployment, a Pod of either: their owner says it already. */
static void take_unowned(struct cluster *c, uint32_t at)
{
    if (!is_owned(&c->objects[at])) {
        take_workload(c, at);
    }
}

static void take_cron_job(struct cluster *c, uint32_t at)
{
    add_workload(c, at, value_path(c->objects[at].value, "spec", "jobTemplate", "spec", "template", NULL));
}

static void take_pod(struct cluster *c, uint32_t at)
{
    if (!is_owned(&c->objects[at])) {
        add_workload(c, at, c->objects[at].value);
    }
}

static void take_service(struct cluster *c, uint32_t at)
{
    const struct object *o = &c->objects[at];
    keep(c, &c->service_of, cluster_key(c, o->space, o->name), c->services.count);
    c->services.items[c->services.count++] = o;
}

static void take_config_map(struct cluster *c, uint32_t at)
{
    keep(c, &c->config_of, cluster_key(c, c->objects[at].space, c->objects[at].name), at);
}

static void take_namespace(struct cluster *c, uint32_t at)
{
    keep(c, &c->space_of, c->objects[at].name, at);
}

static void take_route(struct cluster *c, uint32_t at)
{
    c->routes.items[c->routes.count++] = &c->objects[at];
}

static const struct {
    const char *kind;
    void (*take)(struct cluster *c, uint32_t at);
} kinds[] = {
    {"Deployment", take_workload}, {"StatefulSet", take_workload}, {"DaemonSet", take_workload}, {"Job", take_unowned},
    {"CronJob", take_cron_job},    {"ReplicaSet", take_unowned},   {"Pod", take_pod},            {"Service", take_service},
    {"ConfigMap", take_config_map}, {"Namespace", take_namespace}, {"Ingress", take_route},      {"HTTPRoute", take_route},
    {"GRPCRoute", take_route},
};

/* Others have kinds of the same names: a Service of Knative is none of these. An object that names no group is ours. */
static bool is_of_kubernetes(const struct object *o)
{
    static const char *const groups[] = {"apps", "batch", "extensions", "networking.k8s.io", "gateway.networking.k8s.io"};
    struct str version = value_text(value_get(o->value, STR("apiVersion")));
    struct str group = str_slice(version, 0, str_find(version, '/'));
    if (group.len == version.len) {
        return true;
    }
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        if (str_eq(group, str_from(groups[i]))) {
            return true;
        }
    }
    return false;
}

/* The same object twice, as when a file is given twice, is one. */
static void sort_out(struct cluster *c)
{
    struct strmap seen;
    strmap_init(&seen, 0);
    for (uint32_t i = 0; i < c->object_count && c->rc == RC_OK; i++) {
        const struct object *o = &c->objects[i];
        size_t k = 0;
        while (k < sizeof kinds / sizeof *kinds && !str_eq(o->kind, str_from(kinds[k].kind))) {
            k++;
        }
        if (k == sizeof kinds / sizeof *kinds || o->name.len == 0 || !is_of_kubernetes(o)) {
            continue;
        }
        struct str key = arena_printf(c->arena, "%s/%.*s/%.*s", kinds[k].kind, STR_ARG(o->space), STR_ARG(o->name));
        if (strmap_get(&seen, key) == MAP_NONE) {
            keep(c, &seen, key, i);
            kinds[k].take(c, i);
        }
    }
    strmap_done(&seen);
}

/* --- the whole ------------------------------------------------------------------------------------------------------- */

struct str cluster_key(const struct cluster *c, struct str space, struct str name)
{
    return arena_printf(c->arena, "%.*s/%.*s", STR_ARG(space), STR_ARG(name));
}

struct str cluster_name(const struct cluster *c, struct str space, struct str name)
{
    return str_eq(space, STR("default")) ? name : cluster_key(c, space, name);
}

struct str object_label(const struct value *metadata, const char *name)
{
    return value_text(value_get(value_get(metadata, STR("labels")), str_from(name)));
}

static bool rooms(struct cluster *c, uint32_t count)
{
    c->objects = arena_array(c->arena, count, sizeof *c->objects);
    c->workloads = arena_array(c->arena, count, sizeof *c->workloads);
    c->services.items = arena_array(c->arena, count, sizeof *c->services.items);
    c->routes.items = arena_array(c->arena, count, sizeof *c->routes.items);
    return arena_rc(c->arena) == RC_OK;
}

static void read_all(struct cluster *c)
{
    sort_out(c);
    names_settle(c);
    for (uint32_t i = 0; i < c->workload_count && c->rc == RC_OK; i++) {
        pods_read(c, &c->workloads[i]);
    }
    for (uint32_t i = 0; i < c->routes.count && c->rc == RC_OK; i++) {
        routes_read(c, c->routes.items[i]);
    }
}

enum rc import_kubernetes(const struct documents *d, struct found *f, struct err *e)
{
    struct cluster c = {.arena = f->arena, .found = f};
    struct strmap *const maps[] = {&c.service_of, &c.config_of, &c.space_of, &c.first_of};
    uint64_t count = count_objects(d);
    if (count > KUBERNETES_OBJECTS_MAX) {
        return err_set(e, RC_LIMIT, "more than %d objects: import them in parts", KUBERNETES_OBJECTS_MAX);
    }
    enum rc rc = rooms(&c, (uint32_t)count) ? RC_OK : err_set(e, arena_rc(c.arena), "takes more memory than its maximum");
    for (uint32_t i = 0; i < d->count && rc == RC_OK; i++) {
        rc = take_document(&c, &d->items[i], e);
    }
    if (rc != RC_OK) {
        return rc;
    }
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++) {
        strmap_init(maps[i], 0);
    }
    read_all(&c);
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++) {
        strmap_done(maps[i]);
    }
    return c.rc == RC_OK ? RC_OK : err_set(e, c.rc, "takes more memory than its maximum");
}
