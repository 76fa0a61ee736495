/*
 * cause/cause - which node, and which change, explains what a service suffers.
 *
 * Over one evidence (see evidence/evidence.h), whatever it came from. Candidates are the service and all that can harm
 * it along ties. Each gets a score, in nats: how much likelier what was measured is if something went wrong at this node
 * than if nothing did, times the share of the whole harm that it accounts for. A score is the sum of its terms; every
 * term says what it rests on. Changes are ranked apart, by the node they touch and their time. When the best score is
 * within what chance gives among so many candidates, the answer is that no cause was found.
 *
 * Deterministic: equal evidence, equal report; ties go by name. No learning, no constant of one system: each constant
 * stands in cause_internal.h with its reason, and docs/rca.md measures what each part brings. Pure.
 */
#ifndef CAUSE_CAUSE_H
#define CAUSE_CAUSE_H

#include "evidence/evidence.h"
#include "value/value.h"

enum {
    CAUSE_RANKED_MAX = 100,    /* causes and changes in a report */
    CAUSE_RULED_OUT_MAX = 50,
    CAUSE_STEPS_MAX = 64,      /* of one chain; a longer one is cut in its middle */
};

enum symptom {
    SYMPTOM_ANY = 0, /* both count */
    SYMPTOM_LATENCY,
    SYMPTOM_AVAILABILITY,
    SYMPTOM_COUNT,
};

/* What the score is made of. Each can be left out, to measure what it brings. */
enum ingredient {
    TERM_OWN_TIME = 0, /* time that callees do not explain */
    TERM_ERRORS,       /* errors that callees do not explain */
    TERM_NETWORK,      /* time between client and server span */
    TERM_SATURATION,   /* a resource at its end */
    TERM_PATTERN,      /* proportions of calls and log lines that always held, and no more */
    TERM_COUNT,
    WITHOUT_BEFORE = TERM_COUNT, /* the minutes just before are not looked at */
    WITHOUT_SUBTRACTION,         /* what callees explain stays with the caller */
    WITHOUT_OUTSIDE,             /* what is outside the system counts as what is inside */
    WITHOUT_CALIBRATION,         /* scores are not held against those of normal windows */
    INGREDIENT_COUNT,
};

/* "own_time", "errors", ..., "before", "subtraction", "outside", "calibration". */
const char *ingredient_name(enum ingredient i);
NODISCARD bool ingredient_parse(struct str name, enum ingredient *ret);
const char *symptom_name(enum symptom s);
NODISCARD bool symptom_parse(struct str name, enum symptom *ret);

struct question {
    uint32_t service;
    enum symptom symptom;
    int64_t at_ms;    /* when it was noticed, on the time of the changes; 0: not known */
    uint32_t without; /* bits 1 << enum ingredient */
};

struct cause_term {
    enum ingredient of;
    double score; /* nats */
    struct str says;
};

/* Harm from `from` to `to`. */
struct cause_step {
    uint32_t from;
    uint32_t to;
    struct str kind;
    struct str says; /* what was measured on it */
};

struct cause {
    uint32_t node;
    double score;
    struct cause_term terms[TERM_COUNT]; /* those above 0, the largest first */
    uint32_t term_count;
    struct cause_step *steps; /* to the service; none when it is the service itself */
    uint32_t step_count;
    uint32_t steps_left_out;
};

struct ranked_change {
    uint32_t change; /* of the evidence */
    uint32_t node;   /* that it touches */
    double score;
    struct str says;
    struct cause_step *steps; /* from what changed to the service */
    uint32_t step_count;
    uint32_t steps_left_out;
};

struct ruled_out {
    uint32_t node;
    struct str why;
};

struct report {
    bool found;
    struct str why; /* one sentence */
    double needed;  /* a score below this is chance */
    uint32_t candidates;
    struct cause *causes; /* best first; when nothing was found these are weak leads */
    uint32_t cause_count;
    struct ranked_change *changes;
    uint32_t change_count;
    struct ruled_out *ruled_out;
    uint32_t ruled_out_count;
    uint32_t ruled_out_more; /* beyond CAUSE_RULED_OUT_MAX */
};

/*
 * ev: settled. Keeps: the report's texts and lists are in a; it refers to ev by index.
 * Errors: RC_INVALID: the service is no node of the evidence; RC_LIMIT, RC_NO_MEMORY: the arena.
 */
NODISCARD enum rc cause_find(struct arena *a, const struct evidence *ev, const struct question *q, struct report *ret, struct err *e);

/* The report as JSON, for the API and the terminal alike. Borrows: names of ev. */
struct value report_value(struct arena *a, const struct evidence *ev, const struct question *q, const struct report *r);

#endif
