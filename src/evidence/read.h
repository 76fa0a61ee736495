/*
 * evidence/read - files as evidence: a graph, metrics, calls, log templates, changes.
 *
 * Each reader takes the text of one file and the name by which errors speak of it ("file:line:column"). Columns that are
 * not known are passed over, except in metrics, where every column "node|metric" or "a>b|metric" is a series. Pure.
 *
 *   graph    JSON {"nodes": [{"id", "type"}], "edges": [{"from", "to", "kind"}]}
 *   metrics  CSV: `ts` (seconds since 1970 or RFC 3339; a sample stands for what follows it) or `offset_min` (minutes; a
 *            sample stands for what is before it), then a column for each series
 *   calls    CSV: window, caller, callee, op, n, lat_ms and, when known, self_ms, net_ms, children, errors
 *   logs     CSV: window, node, level, template, n
 *   changes  a JSON object a line: kind, object, ts and, when known, detail
 *
 * Errors: RC_INVALID with the place and what was expected; RC_LIMIT.
 */
#ifndef EVIDENCE_READ_H
#define EVIDENCE_READ_H

#include "evidence/evidence.h"

enum {
    FOLDER_WINDOWS_MAX = 64,  /* windows of one folder, by name */
    ROLE_RULES_MAX = 16,
    BEFORE_SAMPLES = 3,       /* samples that are "just before" */
};

/* The role of windows by name. ROLE_COUNT: they are left out. */
struct role_rules {
    struct {
        const char *name;
        enum role role;
    } rules[ROLE_RULES_MAX];
    uint32_t count;
    enum role otherwise;
};

/* The windows that calls and logs of one folder share. */
struct folder_windows {
    const struct role_rules *rules;
    struct str names[FOLDER_WINDOWS_MAX];
    uint32_t windows[FOLDER_WINDOWS_MAX];
    uint32_t count;
};

/* "pre" and "before" are just before; "normal", "history" and "baseline" are normal; all others are the incident. */
extern const struct role_rules read_usual_roles;

/* Where the incident lies on the time of a metrics file; by offset_min, on that. Half open. */
struct incident_span {
    int64_t begin_ms;
    int64_t end_ms;          /* INT64_MAX: until the last sample */
    int64_t normal_again_ms; /* what is from here on is normal; between, samples are left out. INT64_MAX: all of them */
    bool all_normal;         /* the file is of the normal period, whole */
};

NODISCARD enum rc read_graph(struct evidence *ev, const char *file, struct str text, struct err *e);
NODISCARD enum rc read_metrics(struct evidence *ev, const char *file, struct str text, const struct incident_span *span,
                               struct err *e);
NODISCARD enum rc read_calls(struct evidence *ev, const char *file, struct str text, struct folder_windows *windows,
                             struct err *e);
NODISCARD enum rc read_logs(struct evidence *ev, const char *file, struct str text, struct folder_windows *windows,
                            struct err *e);
NODISCARD enum rc read_changes(struct evidence *ev, const char *file, struct str text, struct err *e);

/* An instant: seconds since 1970, or RFC 3339. */
NODISCARD bool read_instant(struct str text, int64_t *ret_ms);

#endif
