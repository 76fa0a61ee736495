/*
 * import/image - what a container image is, by its name: a store, a queue, or anything else.
 *
 * Only names that are a product and nothing more are known: postgres, bitnami/postgresql-repmgr and confluentinc/cp-kafka
 * are, postgres-exporter, kafka-ui and mongo-express are not. Pure.
 */
#ifndef IMPORT_IMAGE_H
#define IMPORT_IMAGE_H

#include "graph/graph.h"

/* NODE_DATASTORE, NODE_QUEUE, or NODE_SERVICE for all others. ret_engine: the product, "" for none. */
enum node_kind image_kind(struct str image, struct str *ret_engine);

#endif
