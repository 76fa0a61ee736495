/*
 * evidence - what was measured around an incident: the one input of cause/, whatever it was read from.
 *
 * Nodes by name; ties between them by which harm travels; windows of time with a role (a normal period, the minutes just
 * before, the incident); in them calls between nodes with their times, and log lines by template; series of samples per
 * node; changes. Anything may be missing: a number that is not known is NAN, a table that is not there is empty.
 *
 * Fill it in any order, settle it once, then read it. A failure is sticky: fill freely and ask evidence_settle(). The
 * order of filling changes nothing but indices. Pure.
 *
 * Limits: below; what crosses one is RC_LIMIT and names it.
 */
#ifndef EVIDENCE_EVIDENCE_H
#define EVIDENCE_EVIDENCE_H

#include "base/arena.h"
#include "base/map.h"

#include <stdint.h>

enum {
    EVIDENCE_NODES_MAX = 1 << 16,
    EVIDENCE_TIES_MAX = 1 << 18,
    EVIDENCE_WINDOWS_MAX = 1 << 12,
    EVIDENCE_CALLS_MAX = 1 << 19,
    EVIDENCE_LOGS_MAX = 1 << 19,
    EVIDENCE_WORDS_MAX = 1 << 18, /* operations and templates */
    EVIDENCE_SAMPLES_MAX = 1 << 14,
    EVIDENCE_SERIES_MAX = 1 << 16,
    EVIDENCE_VALUES_MAX = 1 << 22,
    EVIDENCE_CHANGES_MAX = 1 << 12,
    EVIDENCE_NAME_MAX = 1024, /* bytes of a name, an operation or a template */
};

/* What a stretch of time is to the question. */
enum role {
    ROLE_NORMAL = 0, /* a long period in which nothing was wrong */
    ROLE_BEFORE,     /* the minutes just before */
    ROLE_INCIDENT,
    ROLE_COUNT,
};

struct evidence_node {
    struct str name;
    bool outside; /* not ours: nobody here can mend it (a client, a remote address) */
    bool in_graph; /* a source of structure named it, not only a measurement */
};

/* Harm travels from one to the other: from the called to the caller, from a config to what it configures. */
struct tie {
    uint32_t harmer;
    uint32_t harmed;
    struct str kind; /* "calls", "configures": static or in the evidence */
    bool call;       /* harmed calls harmer: the time of one holds the time of the other */
};

struct window {
    struct str name;
    enum role role;
    int64_t length_ms; /* 0, as evidence_window leaves it: not known, taken for a minute */
};

/* Calls of one operation in one window. Times are means in milliseconds; NAN: not known. */
struct call {
    uint32_t window;
    uint32_t caller; /* MAP_NONE: whoever, as a series of the node itself tells it */
    uint32_t callee;
    uint32_t operation; /* of evidence_word(); MAP_NONE: not told apart */
    double count;
    double latency_ms;
    double self_ms;  /* without its own calls to others */
    double net_ms;   /* the caller's span minus the callee's */
    double children; /* calls that each of them made */
    double errors;   /* of count */
    uint32_t key;    /* given by evidence_settle: the same for the same caller, callee and operation */
};

struct log_count {
    uint32_t window;
    uint32_t node;
    uint32_t template_id; /* of evidence_word() */
    double count;
    uint32_t key; /* given by evidence_settle: the same for the same node and template */
};

/* What a series of samples measures, told by its name: see metric.h. */
enum metric_meaning {
    METRIC_OTHER = 0,
    METRIC_TRAFFIC,
    METRIC_LATENCY,
    METRIC_ERRORS,       /* a number of requests */
    METRIC_ERROR_SHARE,  /* of the requests, 0 to 1 */
    METRIC_AVAILABILITY, /* 0 to 1 */
    METRIC_SATURATION,   /* of a resource: 0 to 1 where the name says so, else any scale */
    METRIC_CLIENT_SIDE,  /* latency of an edge, as the caller sees it */
    METRIC_SERVER_SIDE,  /* and as the callee does */
};

struct metric {
    enum metric_meaning meaning;
    bool share;      /* METRIC_SATURATION of a known whole */
    double scale;    /* makes milliseconds, or 0 to 1, of a value */
    uint32_t choice; /* of several that mean the same of one node the lowest is taken */
};

struct series {
    uint32_t node;
    uint32_t to; /* the callee, for a series of an edge; else MAP_NONE */
    struct str name;
    struct metric metric;
    double *values; /* scaled, one per sample, NAN where there is none; from evidence_settle */
};

struct sample {
    int64_t at_ms;
    enum role role;
};

struct change {
    int64_t at_ms;
    uint32_t node;   /* what changed: a config, an artifact, a service */
    struct str kind; /* "config", "deploy", ... */
    struct str what; /* a few words, or "" */
};

struct evidence {
    struct arena *arena;
    struct evidence_node *nodes;
    struct tie *ties;
    struct window *windows;
    struct call *calls;
    struct log_count *logs;
    struct sample *samples; /* by time, from evidence_settle */
    struct series *series;
    struct change *changes;
    struct str *words; /* operations and templates, by index */
    uint32_t node_count, node_room;
    uint32_t tie_count, tie_room;
    uint32_t window_count, window_room;
    uint32_t call_count, call_room;
    uint32_t log_count, log_room;
    uint32_t sample_count, sample_room;
    uint32_t series_count, series_room;
    uint32_t change_count, change_room;
    uint32_t word_count, word_room;
    uint32_t key_count;     /* of calls */
    uint32_t log_key_count; /* of logs */
    bool settled;
    /* Private. */
    struct strmap node_of;
    struct strmap word_of;
    struct strmap series_of;
    struct idmap tie_of;
    struct idmap sample_of;
    struct cell *cells;
    uint32_t cell_count, cell_room;
    struct err err;
};

/* max_bytes: of everything in it. Null when out of memory. */
struct evidence *evidence_new(size_t max_bytes);
void evidence_free(struct evidence *ev);
DEFINE_CLEANUP(evidence)

/* --- filling: indices are good for ever; MAP_NONE after a failure ------------------------------- */

/* The node of that name; made when it is not there. Copies the name. */
uint32_t evidence_node(struct evidence *ev, struct str name);
/* MAP_NONE when there is none. */
uint32_t evidence_find(const struct evidence *ev, struct str name);
uint32_t evidence_word(struct evidence *ev, struct str word);
/* Once for each pair: the first kind is kept. kind: copied. */
void evidence_tie(struct evidence *ev, uint32_t harmer, uint32_t harmed, struct str kind, bool call);
uint32_t evidence_window(struct evidence *ev, struct str name, enum role role);
void evidence_call(struct evidence *ev, const struct call *c);
void evidence_log(struct evidence *ev, const struct log_count *l);
/* The sample of that instant; made with the role when it is not there. */
uint32_t evidence_sample(struct evidence *ev, int64_t at_ms, enum role role);
/* to: the callee of an edge's series, else MAP_NONE. The series of that name; made when it is not there. */
uint32_t evidence_series(struct evidence *ev, uint32_t node, uint32_t to, struct str name);
/* One value of a sample: the last one counts. */
void evidence_value(struct evidence *ev, uint32_t series, uint32_t sample, double value);
void evidence_change(struct evidence *ev, const struct change *c);
/* Keeps the first failure. */
enum rc evidence_fail(struct evidence *ev, enum rc rc, const char *text);

/*
 * Ends the filling: orders samples by time, gives calls and logs their keys, makes calls of the series that tell a node's
 * requests, times and errors (for nodes of which no calls of the incident are known), ties callers to the callees that
 * were seen, and takes as outside who only calls and is in no graph. Errors: the first failure.
 */
NODISCARD enum rc evidence_settle(struct evidence *ev, struct err *e);

#endif
