/*
 * import/kubernetes - what manifests say about who runs and who calls whom.
 *
 * Workloads (Deployment, StatefulSet, DaemonSet, Job, CronJob, and ReplicaSet and Pod that nothing owns) are services:
 * called as app.kubernetes.io/name says, else as they are; with "namespace/" before it unless that is default. A name that
 * two workloads of a namespace would share is not used: then both are called as they are. A known image (import/image.h) is a
 * datastore or a queue, a StatefulSet that claims volumes a datastore.
 *
 * A Service gives the workloads that it selects names. Where such a name stands as an address (import/hosts.h) in a
 * container's environment, command or arguments, or in the data of a ConfigMap that it uses, there is a `calls` edge.
 * ConfigMaps and Secrets that are used are configs ("configmap/name", "secret/name") that configure; what is in a Secret is
 * not looked at. An Ingress or the Gateway of a route is a gateway that calls its backends. Images are artifacts,
 * app.kubernetes.io/part-of is part_of, a label or annotation team or owner, of the workload or its namespace, a team.
 * Everything else is passed over. Pure.
 */
#ifndef IMPORT_KUBERNETES_H
#define IMPORT_KUBERNETES_H

#include "import/documents.h"
#include "import/found.h"

enum { KUBERNETES_OBJECTS_MAX = 200000 }; /* of one import, those of lists counted each */

/*
 * Borrows: everything, until f is done with. Errors: RC_INVALID with the place (no object, no kind, no name), RC_LIMIT,
 * RC_NO_MEMORY.
 */
NODISCARD enum rc import_kubernetes(const struct documents *d, struct found *f, struct err *e);

#endif
