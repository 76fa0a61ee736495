/*
 * import/kubernetes_routes - an Ingress, or the Gateway of a route, and the services behind it.
 */
#include "import/kubernetes_internal.h"

static void call_backend(struct cluster *c, uint32_t gateway, struct str space, struct str service)
{
    uint32_t at = service.len == 0 ? MAP_NONE : strmap_get(&c->service_of, cluster_key(c, space, service));
    if (at != MAP_NONE) {
        names_call(c, gateway, at);
    }
}

/* Of networking.k8s.io/v1, and the name alone of versions before it. */
static struct str backend_name(const struct value *backend)
{
    struct str name = value_text(value_path(backend, "service", "name", NULL));
    return name.len > 0 ? name : value_text(value_get(backend, STR("serviceName")));
}

static void read_ingress(struct cluster *c, const struct object *o)
{
    const struct value *rules = value_path(o->value, "spec", "rules", NULL);
    uint32_t gateway = found_node(c->found, NODE_GATEWAY, cluster_name(c, o->space, o->name));
    call_backend(c, gateway, o->space, backend_name(value_path(o->value, "spec", "defaultBackend", NULL)));
    call_backend(c, gateway, o->space, backend_name(value_path(o->value, "spec", "backend", NULL)));
    for (uint32_t i = 0; value_item(rules, i) != NULL; i++) {
        const struct value *paths = value_path(value_item(rules, i), "http", "paths", NULL);
        for (uint32_t k = 0; value_item(paths, k) != NULL; k++) {
            call_backend(c, gateway, o->space, backend_name(value_get(value_item(paths, k), STR("backend"))));
        }
    }
}

/* --- the Gateway API --------------------------------------------------------------------------------------------- */

/* What a reference names when it is of that kind or says none; its namespace is the referrer's unless it says one. */
static struct str referred(const struct value *ref, const char *kind, struct str *space)
{
    struct str of_kind = value_text(value_get(ref, STR("kind")));
    struct str other = value_text(value_get(ref, STR("namespace")));
    *space = other.len > 0 ? other : *space;
    return of_kind.len == 0 || str_eq(of_kind, str_from(kind)) ? value_text(value_get(ref, STR("name"))) : STR("");
}

static void call_backends(struct cluster *c, uint32_t gateway, const struct object *o)
{
    const struct value *rules = value_path(o->value, "spec", "rules", NULL);
    for (uint32_t i = 0; value_item(rules, i) != NULL; i++) {
        const struct value *refs = value_get(value_item(rules, i), STR("backendRefs"));
        for (uint32_t k = 0; value_item(refs, k) != NULL; k++) {
            struct str space = o->space;
            struct str name = referred(value_item(refs, k), "Service", &space);
            call_backend(c, gateway, space, name);
        }
    }
}

/* A route without a parent stands for its gateway itself. */
static void read_route(struct cluster *c, const struct object *o)
{
    const struct value *parents = value_path(o->value, "spec", "parentRefs", NULL);
    if (value_item(parents, 0) == NULL) {
        call_backends(c, found_node(c->found, NODE_GATEWAY, cluster_name(c, o->space, o->name)), o);
    }
    for (uint32_t i = 0; value_item(parents, i) != NULL; i++) {
        struct str space = o->space;
        struct str name = referred(value_item(parents, i), "Gateway", &space);
        if (name.len > 0) {
            call_backends(c, found_node(c->found, NODE_GATEWAY, cluster_name(c, space, name)), o);
        }
    }
}

void routes_read(struct cluster *c, const struct object *route)
{
    if (str_eq(route->kind, STR("Ingress"))) {
        read_ingress(c, route);
    } else {
        read_route(c, route);
    }
    c->rc = c->rc == RC_OK ? arena_rc(c->arena) : c->rc;
}
