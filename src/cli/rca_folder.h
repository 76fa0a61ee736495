/*
 * cli/rca_folder - incidents kept in a folder, as evidence.
 *
 *     DIR/graph.json                     nodes and edges
 *     DIR/labels.jsonl                   {"id", "root_cause", "fault_type" or "symptom", "true_change"}, may be missing
 *     DIR/baseline.csv, DIR/history/...  what is normal, as incidents name it
 *     DIR/incidents/ID/incident.json     {"id", "alert": {"node", "ts", "metric"}, "baseline", "history": [...]}
 *     DIR/incidents/ID/{metrics,spans,logs}.csv, events.jsonl     each may be missing
 *
 * It only reads: what it fills is the same evidence that production fills, and knows nothing of any system.
 */
#ifndef CLI_RCA_FOLDER_H
#define CLI_RCA_FOLDER_H

#include "cause/cause.h"
#include "evidence/read.h"
#include "sys/file.h"

enum {
    RCA_INCIDENTS_MAX = 4096,
    RCA_FILE_MAX = 256 << 20, /* bytes */
    RCA_EVIDENCE_MAX = 1 << 30,
};

/* What to look at of an incident. */
enum rca_view {
    RCA_INCIDENT = 0,
    RCA_BEFORE, /* the minutes before it, as if they were one */
};

struct rca_folder {
    const char *path;
    struct arena *arena;
    struct str *ids; /* sorted */
    uint32_t count;
    struct value labels; /* objects by id */
};

/* One incident: what is asked, and the evidence. */
struct rca_case {
    struct str id;
    struct value about; /* incident.json */
    struct evidence *ev;
    struct question question;
    bool measured; /* the view has any data */
};

NODISCARD enum rc rca_open(struct arena *a, const char *path, struct rca_folder *ret, struct err *e);
/* Null: no label. */
const struct value *rca_label(const struct rca_folder *f, struct str id);
/* ret->ev is to be freed, on failure as well. */
NODISCARD enum rc rca_read(const struct rca_folder *f, struct str id, enum rca_view view, struct rca_case *ret, struct err *e);

/* A stretch of a normal period that plays the incident; the rest stays normal. */
struct rca_slice {
    struct str baseline; /* path in the folder */
    struct str node;
    struct str metric;
    int64_t begin_ms;
    int64_t end_ms;
    int64_t normal_again_ms;
};
NODISCARD enum rc rca_read_slice(const struct rca_folder *f, const struct rca_slice *s, struct rca_case *ret, struct err *e);
/* The instants of a table of metrics. ret: in the folder's arena, sorted. */
NODISCARD enum rc rca_instants(const struct rca_folder *f, struct str path, int64_t **ret, uint32_t *ret_count, struct err *e);

/* The whole text of a file; *ret_there is false, and it is no error, when there is none. */
NODISCARD enum rc rca_text(const char *path, struct buf *out, bool *ret_there, struct err *e);

#endif
