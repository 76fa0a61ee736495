/*
 * cause/cause_internal - what the files of the folder share: the constants, and one inquiry.
 *
 * Constants that several files use are here, those of one at its top. They have no dimension, or that of a measuring error;
 * none was chosen for one system: docs/rca.md has each with its reason, and what happens when it is another.
 */
#ifndef CAUSE_CAUSE_INTERNAL_H
#define CAUSE_CAUSE_INTERNAL_H

#include "cause/cause.h"

/* The long normal period and the minutes before are believed alike: what the minutes before show already may be of old, or
 * the slow beginning of the incident itself. */
#define SHARE_OF_OLD 0.5
/* Calls after which a window's mean is taken as seriously as any other's: more make it no truer, for it drifts as a whole. */
#define WEIGHT_MAX 5.0
/* Two calm windows differ by about this (log ratio): what is assumed until windows have been seen ... */
#define SPREAD_ASSUMED 0.15
/* ... and for how many seen windows that assumption stands. */
#define SPREAD_WEIGHT 3.0
/* A change of fewer standard deviations is none. */
#define Z_MIN 2.0
/* Clocks and spans resolve about this; ratios below it mean nothing. */
#define OWN_FLOOR_MS 0.5
#define NET_FLOOR_MS 1.0
/* Nats beyond this count by their logarithm: likelihoods are only as sure as their model. */
#define NATS_LINEAR 10.0
/* Fewer expected errors than this are not claimed: the tail of a count that small is not known. */
#define ERRORS_FLOOR 0.1
/* One normal window in twenty may hold an incident of its own; what the others reach is not more than chance. */
#define NORMAL_TAIL 20
#define NORMAL_TAIL_Z 1.645 /* and a standard normal variable passes this once in twenty */
/* A squared deviation larger than three standard deviations tells of another thing than spread. */
#define SQUARE_MAX 9.0
/* A resource at more than this of its whole, that rose by at least RISE, is at its end. Source: utilisation law, queues. */
#define SATURATED 0.8
#define SATURATION_RISE 0.2
#define SATURATION_NATS 30.0
/* Of nodes outside the system, that nobody here can mend. */
#define OUTSIDE_SHARE 0.1
/* The better of ten times as many candidates in calm times reaches ln of this times their number. */
#define CHANCE 10.0

struct measure {
    double count;
    double value; /* mean of each; or a number of events, for counts */
};

/* What a node or an edge was in normal windows, just before, and is in the incident. */
struct comparison {
    const struct measure *normal;
    uint32_t normal_count;
    struct measure before; /* count 0: not known */
    struct measure now;
    double floor; /* of values, for ratios */
    bool calibrated;
};

/* How much more it is: over the normal period, and over the larger of that and the minutes before. */
struct excess {
    double reference;
    double mean_long;
    double mean_both;
    double z_long;
    double z_both;
    bool known;
};

/* Of the two, see SHARE_OF_OLD. */
double mixed(double over_long, double over_both);
/* Nats of z standard deviations, 0 below Z_MIN. */
double nats_of_z(double z);
/* See NATS_LINEAR. */
double softened(double nats);
/* Poisson log likelihood ratio of `seen` against `expected`, over a dispersion. */
double count_nats(double seen, double expected, double dispersion);
/* scratch: room for count. */
double weighted_median(const struct measure *items, uint32_t count, double weight_max, struct measure *scratch);
/* The upper median. Sorts values. */
double median_of(double *values, uint32_t count);
/*
 * The standard deviation of samples about their median, as half of them have it and, when tails is true, as nine in ten
 * have it: medians of few calls jump. scratch: room for count.
 */
double spread_of(const double *values, uint32_t count, double middle, bool tails, double *scratch);
/* scratch: room for normal_count. */
struct excess excess_of_time(const struct comparison *c, struct measure *scratch);
/* value: the number of events among count. */
struct excess excess_of_errors(const struct comparison *c, struct measure *scratch);

/* What a term says of a node before it is a score. */
struct finding_of_node {
    double nats;  /* of its own */
    double mass;  /* how much harm there is at it */
    double own;   /* and how much of that its callees do not explain */
    struct excess shown; /* of what weighs most in it */
    uint32_t key;        /* and what that is */
    double count;
};

/* Rows of calls with one caller, callee and operation. */
struct key {
    uint32_t caller;
    uint32_t callee;
    uint32_t operation;
    uint32_t first; /* in inquiry.rows */
    uint32_t count;
};

/* Sums over the windows of one role. */
struct total {
    double count;
    double latency, latency_count;
    double self, self_count;
    double net, net_count;
    double children, children_count;
    double errors, errors_count;
};

struct pattern {
    double nats;
    struct str broken; /* what is compared */
    struct str base;   /* with what */
    double expected;
    double seen;
};

struct inquiry {
    struct arena *arena;
    const struct evidence *ev;
    const struct question *q;
    uint32_t node_count;
    /* harm.c: who harms whom, and who is a candidate. */
    uint32_t *harmer_first; /* node_count + 1 offsets into harmers */
    struct tie *harmers;
    uint32_t *distance;     /* to the service; MAP_NONE: no path */
    uint32_t *next;         /* the index in harmers of the step towards the service; MAP_NONE */
    uint32_t candidates;
    /* calls.c */
    struct key *keys;
    const struct call **rows;
    struct total *before;   /* by key */
    struct total *now;
    uint32_t key_count;
    uint32_t rows_max;      /* of one key */
    uint32_t *by_callee;    /* keys, those of one callee together */
    uint32_t *callee_first; /* node_count + 1 offsets into by_callee */
    struct measure *scratch;
    struct measure *normal;
    /* One per term, by node. */
    struct finding_of_node *terms[TERM_COUNT];
    struct pattern *patterns; /* by node */
    double net_mass_max;
    double *scores[TERM_COUNT];
    double *score;
    bool *measured; /* in the incident */
    double whole[TERM_COUNT]; /* that the shares of a term are of; 0: it has none */
    double service_time;      /* of all calls to the service in the incident; 0: not known */
};

static inline bool uses(const struct inquiry *in, enum ingredient i)
{
    return (in->q->without & 1U << i) == 0;
}

/* All lists of the inquiry; then each part in this order. False: the arena failed. */
NODISCARD bool inquiry_build(struct inquiry *in);
NODISCARD bool calls_build(struct inquiry *in); /* calls.c */
NODISCARD bool harm_build(struct inquiry *in);  /* harm.c */
void find_own_time(struct inquiry *in);         /* times.c */
void find_errors(struct inquiry *in);
NODISCARD bool find_network(struct inquiry *in);    /* network.c */
NODISCARD bool find_saturation(struct inquiry *in); /* saturation.c */
NODISCARD bool find_patterns(struct inquiry *in);   /* patterns.c */
void weigh(struct inquiry *in);                     /* weigh.c */
/* Is it of the symptom that was asked for, or of any? */
bool is_asked(const struct question *q, enum ingredient term);

/* Time that calls to a node took in the incident. */
double time_at(const struct inquiry *in, uint32_t node);
void total_add(struct total *t, const struct call *c);
/* What callees, counted once each, have of the mass of a node. */
double mass_of_callees(const struct inquiry *in, uint32_t node, enum ingredient term);
/* The normal windows of a key as measures of what `of` picks, into in->normal; their number. */
typedef bool (*measure_fn)(const struct call *c, struct measure *ret);
uint32_t normal_measures(struct inquiry *in, const struct key *k, measure_fn of);

/* explain.c: texts and chains of what was found. */
void explain_terms(struct inquiry *in, struct cause *c);
NODISCARD bool explain_chain(struct inquiry *in, uint32_t node, struct cause_step **ret_steps, uint32_t *ret_count, uint32_t *ret_left_out);
/* changes.c */
NODISCARD bool rank_changes(struct inquiry *in, struct report *r);
/* ruled_out.c */
NODISCARD bool rule_out(struct inquiry *in, struct report *r);

#endif
