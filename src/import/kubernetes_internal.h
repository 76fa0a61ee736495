/*
 * import/kubernetes_internal - the objects of one import, by what they are: for import/kubernetes*.c.
 */
#ifndef IMPORT_KUBERNETES_INTERNAL_H
#define IMPORT_KUBERNETES_INTERNAL_H

#include "import/kubernetes.h"

struct object {
    const struct value *value;
    struct str kind;
    struct str name;
    struct str space; /* "default" when it has none */
};

struct objects {
    const struct object **items;
    uint32_t count;
};

struct workload {
    const struct object *object;
    const struct value *pod;    /* its template: metadata and spec; may be null */
    const struct value *labels; /* of the pods */
    struct str wanted;          /* the name that it would have */
    uint32_t node;
};

struct cluster {
    struct arena *arena;
    struct found *found;
    struct object *objects;
    uint32_t object_count;
    struct workload *workloads;
    uint32_t workload_count;
    struct objects services;
    struct objects routes; /* what sends requests from outside to services */
    struct strmap service_of;   /* "space/name" */
    struct strmap config_of;    /* the same of ConfigMaps, to objects */
    struct strmap space_of;     /* name of a namespace, to objects */
    struct strmap first_of;     /* "space/label=value", to the first row of selected */
    struct label_row *rows;
    uint32_t row_count;
    enum rc rc; /* of the maps */
};

/* A pod label and a workload that has it; rows of one label are a chain. */
struct label_row {
    uint32_t workload;
    uint32_t next;  /* MAP_NONE ends it */
    uint32_t count; /* of rows from here on */
};

/* "space/name". Gives: text in the arena. */
struct str cluster_key(const struct cluster *c, struct str space, struct str name);
/* The name that the graph has for it: without the namespace where that is default. */
struct str cluster_name(const struct cluster *c, struct str space, struct str name);
struct str object_label(const struct value *metadata, const char *name);

/* kubernetes_names: workloads become nodes, and labels are made ready for selectors. */
void names_settle(struct cluster *c);
/* Workloads that a Service selects, one after the other: begin with at = 0; MAP_NONE at the end. */
struct selection {
    const struct object *service;
    const struct value *selector;
    uint32_t row;
};
struct selection selection_of(const struct cluster *c, uint32_t service);
uint32_t selection_next(const struct cluster *c, struct selection *s);
/* The Service that a host names as seen from a namespace; MAP_NONE. */
uint32_t names_resolve(const struct cluster *c, struct str host, struct str space);
/* Calls from a node to whatever the Service selects. */
void names_call(struct cluster *c, uint32_t from, uint32_t service);

/* kubernetes_pods: what a workload's containers say. */
void pods_read(struct cluster *c, const struct workload *w);
/* kubernetes_routes: gateways and what is behind them. */
void routes_read(struct cluster *c, const struct object *route);

#endif
