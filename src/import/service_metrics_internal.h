/*
 * import/service_metrics_internal - samples of the one metric: for its two readers.
 */
#ifndef IMPORT_SERVICE_METRICS_INTERNAL_H
#define IMPORT_SERVICE_METRICS_INTERNAL_H

#include "import/service_metrics.h"

enum { SAMPLE_COUNT_MAX = 1000000000 }; /* requests of one sample; times SERVICE_METRICS_MAX and WHOLE_BP it is an int64 */

struct sample {
    struct str client;
    struct str server;
    struct str connection; /* connection_type */
    int64_t count;
};

struct samples {
    struct arena *arena;
    struct sample *items;
    uint32_t count;
    uint32_t room;
};

/* Counts are cut to SAMPLE_COUNT_MAX; what is no number from 0 on is not taken. Errors: RC_LIMIT, RC_NO_MEMORY. */
NODISCARD enum rc samples_add(struct samples *s, const struct sample *x, double count);

/* Appends the samples of a text. Errors: as import_service_metrics. */
NODISCARD enum rc exposition_read(struct samples *s, struct str file, struct str text, struct err *e);

#endif
