/*
 * import/kubernetes_pods - what the containers of a workload run, are told, and are told by.
 */
#include "import/hosts.h"
#include "import/kubernetes_internal.h"

/* Whose text is read. */
struct reading {
    struct cluster *c;
    const struct workload *w;
};

static void take_host(void *context, struct str host)
{
    struct reading *r = context;
    uint32_t service = names_resolve(r->c, host, r->w->object->space);
    if (service != MAP_NONE) {
        names_call(r->c, r->w->node, service);
    }
}

/* --- configs ------------------------------------------------------------------------------------------------------- */

enum config_kind { CONFIG_MAP = 0, CONFIG_SECRET };

static void use_config(struct reading *r, enum config_kind kind, struct str name)
{
    struct cluster *c = r->c;
    /* Every namespace has it: the cluster's own certificate. */
    if (name.len == 0 || str_eq(name, STR("kube-root-ca.crt"))) {
        return;
    }
    struct str called = arena_printf(c->arena, "%s/%.*s", kind == CONFIG_MAP ? "configmap" : "secret", STR_ARG(name));
    uint32_t node = found_node(c->found, NODE_CONFIG, cluster_name(c, r->w->object->space, called));
    found_say_text(c->found, node, STR("namespace"), r->w->object->space);
    found_edge(c->found, node, r->w->node, EDGE_CONFIGURES);
}

static const struct value *data_of(const struct reading *r, struct str config_map)
{
    uint32_t at = strmap_get(&r->c->config_of, cluster_key(r->c, r->w->object->space, config_map));
    return at == MAP_NONE ? NULL : value_get(r->c->objects[at].value, STR("data"));
}

static void use_config_map(struct reading *r, struct str name)
{
    const struct value *data = data_of(r, name);
    use_config(r, CONFIG_MAP, name);
    for (uint32_t i = 0; data != NULL && data->type == VALUE_OBJECT && i < data->count; i++) {
        hosts_in(data->members[i].name, value_text(&data->members[i].value), take_host, r);
    }
}

static struct str name_in(const struct value *v, const char *member, const char *name)
{
    return value_text(value_get(value_get(v, str_from(member)), str_from(name)));
}

static void read_volumes(struct reading *r)
{
    const struct value *volumes = value_path(r->w->pod, "spec", "volumes", NULL);
    for (uint32_t i = 0; value_item(volumes, i) != NULL; i++) {
        const struct value *v = value_item(volumes, i);
        use_config_map(r, name_in(v, "configMap", "name"));
        use_config(r, CONFIG_SECRET, name_in(v, "secret", "secretName"));
        const struct value *sources = value_path(v, "projected", "sources", NULL);
        for (uint32_t k = 0; value_item(sources, k) != NULL; k++) {
            use_config_map(r, name_in(value_item(sources, k), "configMap", "name"));
            use_config(r, CONFIG_SECRET, name_in(value_item(sources, k), "secret", "name"));
        }
    }
}

/* --- containers -------------------------------------------------------------------------------------------------------- */

static void read_variable(struct reading *r, const struct value *v)
{
    struct str name = value_text(value_get(v, STR("name")));
    const struct value *from = value_get(v, STR("valueFrom"));
    hosts_in(name, value_text(value_get(v, STR("value"))), take_host, r);
    use_config(r, CONFIG_SECRET, name_in(from, "secretKeyRef", "name"));
    struct str config_map = name_in(from, "configMapKeyRef", "name");
    if (config_map.len > 0) {
        use_config(r, CONFIG_MAP, config_map);
        struct str key = name_in(from, "configMapKeyRef", "key");
        hosts_in(name, value_text(value_get(data_of(r, config_map), key)), take_host, r);
    }
}

static void read_environment(struct reading *r, const struct value *container)
{
    const struct value *env = value_get(container, STR("env"));
    const struct value *from = value_get(container, STR("envFrom"));
    for (uint32_t i = 0; value_item(env, i) != NULL; i++) {
        read_variable(r, value_item(env, i));
    }
    for (uint32_t i = 0; value_item(from, i) != NULL; i++) {
        use_config_map(r, name_in(value_item(from, i), "configMapRef", "name"));
        use_config(r, CONFIG_SECRET, name_in(value_item(from, i), "secretRef", "name"));
    }
}

/* "--db-host orders-db" as two words: the first is the name of the second. */
static void read_words(struct reading *r, const struct value *words)
{
    struct str before = STR("");
    for (uint32_t i = 0; value_item(words, i) != NULL; i++) {
        struct str word = value_text(value_item(words, i));
        hosts_in(str_starts(before, STR("-")) ? before : STR(""), word, take_host, r);
        before = word;
    }
}

static void read_container(struct reading *r, const struct value *container)
{
    struct found *f = r->c->found;
    found_edge(f, found_node(f, NODE_ARTIFACT, value_text(value_get(container, STR("image")))), r->w->node, EDGE_DEPLOYS);
    read_environment(r, container);
    read_words(r, value_get(container, STR("command")));
    read_words(r, value_get(container, STR("args")));
}

/* --- whose it is ---------------------------------------------------------------------------------------------------------- */

static struct str said(const struct value *metadata, const char *name)
{
    struct str label = object_label(metadata, name);
    return label.len > 0 ? label : value_text(value_get(value_get(metadata, STR("annotations")), str_from(name)));
}

static void belong(struct reading *r, const struct value *metadata)
{
    struct found *f = r->c->found;
    struct str team = said(metadata, "team");
    team = team.len > 0 ? team : said(metadata, "owner");
    if (team.len > 0) {
        found_edge(f, found_node(f, NODE_TEAM, team), r->w->node, EDGE_OWNS);
    }
    struct str whole = object_label(metadata, "app.kubernetes.io/part-of");
    if (whole.len > 0) {
        found_edge(f, r->w->node, found_node(f, NODE_SERVICE, whole), EDGE_PART_OF);
    }
}

void pods_read(struct cluster *c, const struct workload *w)
{
    struct reading r = {c, w};
    const char *const lists[] = {"containers", "initContainers"};
    if (w->node == MAP_NONE) {
        return;
    }
    for (size_t l = 0; l < 2; l++) {
        const struct value *list = value_path(w->pod, "spec", lists[l], NULL);
        for (uint32_t i = 0; value_item(list, i) != NULL; i++) {
            read_container(&r, value_item(list, i));
        }
    }
    read_volumes(&r);
    belong(&r, value_get(w->object->value, STR("metadata")));
    uint32_t space = strmap_get(&c->space_of, w->object->space);
    if (space != MAP_NONE) {
        belong(&r, value_get(c->objects[space].value, STR("metadata")));
    }
    c->rc = c->rc == RC_OK ? arena_rc(c->arena) : c->rc;
}
