/*
 * import/compose - what a compose file says about who runs and who calls whom.
 *
 * Every service is a service, or by its image (import/image.h) a datastore or a queue. depends_on is depends_on; links, and
 * addresses (import/hosts.h) of other services in its environment, command and entrypoint, are calls. A service is known by
 * its name, container_name, hostname and the aliases of its networks. Its configs and secrets are configs ("config/name",
 * "secret/name") that configure it, its image an artifact. Extension fields (x-...) and everything else are passed over.
 * Pure. Source: the Compose Specification.
 */
#ifndef IMPORT_COMPOSE_H
#define IMPORT_COMPOSE_H

#include "import/documents.h"
#include "import/found.h"

/* Documents after the first add services, as files that are given together do. Borrows, errors: as import_kubernetes. */
NODISCARD enum rc import_compose(const struct documents *d, struct found *f, struct err *e);

#endif
