/*
 * cause/find - the inquiry from beginning to end, and its ranking.
 */
#include "base/must.h"
#include "cause/cause_internal.h"

#include <math.h>
#include <stdlib.h>

static const char *const ingredient_names[INGREDIENT_COUNT] = {
    "own_time", "errors", "network", "saturation", "pattern", "before", "subtraction", "outside", "calibration",
};

static const char *const symptom_names[SYMPTOM_COUNT] = {"any", "latency", "availability"};

const char *ingredient_name(enum ingredient i)
{
    return ingredient_names[i];
}

bool ingredient_parse(struct str name, enum ingredient *ret)
{
    for (int i = 0; i < INGREDIENT_COUNT; i++) {
        if (str_eq(name, str_from(ingredient_names[i]))) {
            *ret = (enum ingredient)i;
            return true;
        }
    }
    return false;
}

const char *symptom_name(enum symptom s)
{
    return symptom_names[s];
}

bool symptom_parse(struct str name, enum symptom *ret)
{
    for (int i = 0; i < SYMPTOM_COUNT; i++) {
        if (str_eq(name, str_from(symptom_names[i]))) {
            *ret = (enum symptom)i;
            return true;
        }
    }
    return false;
}

bool inquiry_build(struct inquiry *in)
{
    size_t room = in->node_count + 1U;
    bool good = true;
    for (int t = 0; t < TERM_COUNT; t++) {
        in->terms[t] = arena_array(in->arena, room, sizeof *in->terms[t]);
        in->scores[t] = arena_array(in->arena, room, sizeof *in->scores[t]);
        good &= in->terms[t] != NULL && in->scores[t] != NULL;
    }
    in->score = arena_array(in->arena, room, sizeof *in->score);
    in->measured = arena_array(in->arena, room, sizeof *in->measured);
    good = good && in->score != NULL && in->measured != NULL && calls_build(in) && harm_build(in);
    if (!good) {
        return false;
    }
    find_own_time(in);
    find_errors(in);
    if (!find_network(in) || !find_saturation(in) || !find_patterns(in)) {
        return false;
    }
    weigh(in);
    return true;
}

/* --- ranking ------------------------------------------------------------------------------------- */

struct place {
    uint32_t node;
    double score;
    struct str name;
};

static int better_first(const void *a, const void *b)
{
    const struct place *x = a;
    const struct place *y = b;
    if (x->score != y->score) {
        return x->score > y->score ? -1 : 1;
    }
    return str_cmp(x->name, y->name);
}

static bool rank_nodes(struct inquiry *in, struct report *r)
{
    struct place *places = arena_array(in->arena, in->node_count + 1U, sizeof *places);
    uint32_t count = 0;
    if (places == NULL) {
        return false;
    }
    for (uint32_t n = 0; n < in->node_count; n++) {
        if (in->score[n] > 0) {
            places[count++] = (struct place){.node = n, .score = in->score[n], .name = in->ev->nodes[n].name};
        }
    }
    qsort(places, count, sizeof *places, better_first);
    r->cause_count = count < CAUSE_RANKED_MAX ? count : CAUSE_RANKED_MAX;
    r->causes = arena_array(in->arena, r->cause_count + 1U, sizeof *r->causes);
    for (uint32_t i = 0; r->causes != NULL && i < r->cause_count; i++) {
        struct cause *c = &r->causes[i];
        c->node = places[i].node;
        c->score = places[i].score;
        explain_terms(in, c);
        if (!explain_chain(in, c->node, &c->steps, &c->step_count, &c->steps_left_out)) {
            return false;
        }
    }
    return r->causes != NULL;
}

static bool compared(const struct inquiry *in)
{
    bool now = false;
    bool then = false;
    for (uint32_t w = 0; w < in->ev->window_count; w++) {
        now |= in->ev->windows[w].role == ROLE_INCIDENT;
        then |= in->ev->windows[w].role != ROLE_INCIDENT;
    }
    for (uint32_t i = 0; i < in->ev->sample_count; i++) {
        now |= in->ev->samples[i].role == ROLE_INCIDENT;
        then |= in->ev->samples[i].role != ROLE_INCIDENT;
    }
    return now && then;
}

/* Of the best, what is about the symptom that was asked for. */
static double best_score(const struct inquiry *in, const struct report *r)
{
    double sum = 0;
    for (int t = 0; r->cause_count > 0 && t < TERM_COUNT; t++) {
        sum += is_asked(in->q, (enum ingredient)t) ? in->scores[t][r->causes[0].node] : 0.0;
    }
    return sum;
}

static void conclude(const struct inquiry *in, struct report *r)
{
    r->candidates = in->candidates;
    r->needed = log(CHANCE * in->candidates);
    double best = best_score(in, r);
    r->found = r->cause_count > 0 && best >= r->needed;
    if (r->found) {
        struct str name = in->ev->nodes[r->causes[0].node].name;
        r->why = arena_printf(in->arena, "%.*s explains it best: %.1f nats, where chance gives %.1f among %u candidates", STR_ARG(name),
                              r->causes[0].score, r->needed, r->candidates);
    } else if (!compared(in)) {
        r->why = STR("nothing to compare: no measurement of the incident, or none of a time before it");
    } else if (r->cause_count == 0) {
        r->why = arena_printf(in->arena, "none of %u candidates differs from its normal time", r->candidates);
    } else {
        r->why = arena_printf(in->arena, "the strongest of %u candidates has %.1f nats; chance gives %.1f", r->candidates,
                              best, r->needed);
    }
}

enum rc cause_find(struct arena *a, const struct evidence *ev, const struct question *q, struct report *ret, struct err *e)
{
    must(ev->settled);
    if (q->service >= ev->node_count) {
        return err_set(e, RC_INVALID, "the service is no node of the evidence");
    }
    struct inquiry in = {.arena = a, .ev = ev, .q = q, .node_count = ev->node_count};
    *ret = (struct report){0};
    if (inquiry_build(&in) && rank_nodes(&in, ret)) {
        conclude(&in, ret);
        if (rank_changes(&in, ret) && rule_out(&in, ret) && arena_rc(a) == RC_OK) {
            return RC_OK;
        }
    }
    enum rc rc = arena_rc(a) != RC_OK ? arena_rc(a) : RC_NO_MEMORY;
    return err_set(e, rc, "the inquiry takes too much memory");
}
