#include "import/compose.h"

#include "import/hosts.h"
#include "import/image.h"

struct file {
    struct found *found;
    struct strmap node_of; /* names by which others reach it, to nodes */
    enum rc rc;
};

struct reading {
    struct file *file;
    uint32_t node;
};

/* --- names ------------------------------------------------------------------------------------------------------ */

static void known_as(struct file *f, struct str name, uint32_t node)
{
    if (name.len > 0 && node != MAP_NONE && f->rc == RC_OK && strmap_get(&f->node_of, name) == MAP_NONE) {
        f->rc = strmap_put(&f->node_of, name, node);
    }
}

static void read_aliases(struct file *f, const struct value *networks, uint32_t node)
{
    for (uint32_t i = 0; value_is(networks, VALUE_OBJECT) && i < networks->count; i++) {
        const struct value *aliases = value_get(&networks->members[i].value, STR("aliases"));
        for (uint32_t k = 0; value_item(aliases, k) != NULL; k++) {
            known_as(f, value_text(value_item(aliases, k)), node);
        }
    }
}

static uint32_t take_service(struct file *f, struct str name, const struct value *v)
{
    struct str engine;
    struct str image = value_text(value_get(v, STR("image")));
    uint32_t node = found_node(f->found, image_kind(image, &engine), name);
    found_say_text(f->found, node, STR("image"), image);
    found_say_text(f->found, node, STR("engine"), engine);
    const struct value *replicas = value_path(v, "deploy", "replicas", NULL);
    replicas = replicas != NULL ? replicas : value_get(v, STR("scale"));
    if (value_is(replicas, VALUE_INT)) {
        found_say(f->found, node, STR("replicas"), *replicas);
    }
    found_edge(f->found, found_node(f->found, NODE_ARTIFACT, image), node, EDGE_DEPLOYS);
    known_as(f, name, node);
    return node;
}

/* Names of services go before what they say for themselves. */
static void take_other_names(struct file *f, const struct value *v, uint32_t node)
{
    known_as(f, value_text(value_get(v, STR("container_name"))), node);
    known_as(f, value_text(value_get(v, STR("hostname"))), node);
    read_aliases(f, value_get(v, STR("networks")), node);
}

/* --- what it uses -------------------------------------------------------------------------------------------------- */

static void link_to(struct reading *r, struct str name, enum edge_kind kind)
{
    uint32_t to = strmap_get(&r->file->node_of, name);
    found_edge(r->file->found, r->node, to, kind);
}

static void take_host(void *context, struct str host)
{
    link_to(context, host, EDGE_CALLS);
}

static void read_depends_on(struct reading *r, const struct value *v)
{
    for (uint32_t i = 0; value_is(v, VALUE_OBJECT) && i < v->count; i++) {
        link_to(r, v->members[i].name, EDGE_DEPENDS_ON);
    }
    for (uint32_t i = 0; value_item(v, i) != NULL; i++) {
        link_to(r, value_text(value_item(v, i)), EDGE_DEPENDS_ON);
    }
}

/* "name" or "name:alias": the alias is a name here only. */
static void read_links(struct reading *r, const struct value *v)
{
    for (uint32_t i = 0; value_item(v, i) != NULL; i++) {
        struct str link = value_text(value_item(v, i));
        link_to(r, str_slice(link, 0, str_find(link, ':')), EDGE_CALLS);
    }
}

static void read_environment(struct reading *r, const struct value *v)
{
    for (uint32_t i = 0; value_is(v, VALUE_OBJECT) && i < v->count; i++) {
        hosts_in(v->members[i].name, value_text(&v->members[i].value), take_host, r);
    }
    for (uint32_t i = 0; value_item(v, i) != NULL; i++) {
        struct str s = value_text(value_item(v, i));
        size_t equals = str_find(s, '=');
        hosts_in(str_slice(s, 0, equals), str_slice(s, equals + 1, s.len), take_host, r);
    }
}

static void read_words(struct reading *r, const struct value *v)
{
    struct str before = STR("");
    hosts_in(STR(""), value_text(v), take_host, r);
    for (uint32_t i = 0; value_item(v, i) != NULL; i++) {
        struct str word = value_text(value_item(v, i));
        hosts_in(str_starts(before, STR("-")) ? before : STR(""), word, take_host, r);
        before = word;
    }
}

/* Names, or objects that say their source. */
static void read_configs(struct reading *r, const struct value *v, const char *kind)
{
    struct found *f = r->file->found;
    for (uint32_t i = 0; value_item(v, i) != NULL; i++) {
        struct str name = value_text(value_item(v, i));
        name = name.len > 0 ? name : value_text(value_get(value_item(v, i), STR("source")));
        if (name.len > 0) {
            struct str called = arena_printf(f->arena, "%s/%.*s", kind, STR_ARG(name));
            found_edge(f, found_node(f, NODE_CONFIG, called), r->node, EDGE_CONFIGURES);
        }
    }
}

static void read_service(struct reading *r, const struct value *v)
{
    read_depends_on(r, value_get(v, STR("depends_on")));
    read_links(r, value_get(v, STR("links")));
    read_environment(r, value_get(v, STR("environment")));
    read_words(r, value_get(v, STR("command")));
    read_words(r, value_get(v, STR("entrypoint")));
    read_configs(r, value_get(v, STR("configs")), "config");
    read_configs(r, value_get(v, STR("secrets")), "secret");
}

/* --- the files --------------------------------------------------------------------------------------------------------- */

typedef void (*service_fn)(struct file *f, struct str name, const struct value *v);

static void first_look(struct file *f, struct str name, const struct value *v)
{
    (void)take_service(f, name, v);
}

static void second_look(struct file *f, struct str name, const struct value *v)
{
    take_other_names(f, v, strmap_get(&f->node_of, name));
}

static void third_look(struct file *f, struct str name, const struct value *v)
{
    struct reading r = {f, strmap_get(&f->node_of, name)};
    read_service(&r, v);
}

static void each_service(struct file *f, const struct documents *d, service_fn fn)
{
    for (uint32_t i = 0; i < d->count; i++) {
        const struct value *services = value_get(&d->items[i].value, STR("services"));
        for (uint32_t k = 0; value_is(services, VALUE_OBJECT) && k < services->count; k++) {
            const struct member *m = &services->members[k];
            if (!str_starts(m->name, STR("x-")) && m->value.type == VALUE_OBJECT) {
                fn(f, m->name, &m->value);
            }
        }
    }
}

static enum rc check(const struct document *d, struct err *e)
{
    const struct value *services = value_get(&d->value, STR("services"));
    if (!value_is(&d->value, VALUE_OBJECT)) {
        return document_expected(d, &d->value, "a compose file: a mapping with services", e);
    }
    return services == NULL || value_is(services, VALUE_OBJECT)
               ? RC_OK
               : document_expected(d, services, "services to be a mapping from names", e);
}

enum rc import_compose(const struct documents *d, struct found *f, struct err *e)
{
    static const service_fn looks[] = {first_look, second_look, third_look};
    struct file file = {.found = f};
    for (uint32_t i = 0; i < d->count; i++) {
        enum rc rc = check(&d->items[i], e);
        if (rc != RC_OK) {
            return rc;
        }
    }
    strmap_init(&file.node_of, 0);
    for (size_t i = 0; i < sizeof looks / sizeof *looks; i++) {
        each_service(&file, d, looks[i]);
    }
    strmap_done(&file.node_of);
    return file.rc == RC_OK ? RC_OK : err_set(e, file.rc, "out of memory");
}
