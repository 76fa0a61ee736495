/*
 * cause/report - the report as JSON.
 */
#include "cause/cause.h"

#include <math.h>

/* Three digits are more than is known. */
static struct value rounded(double n)
{
    return value_double(floor(n * 1000.0 + 0.5) / 1000.0);
}

static struct str name_of(const struct evidence *ev, uint32_t node)
{
    return ev->nodes[node].name;
}

static struct value steps_value(struct arena *a, const struct evidence *ev, const struct cause_step *steps, uint32_t count)
{
    struct value list = value_array();
    for (uint32_t i = 0; i < count; i++) {
        struct value v = value_object();
        value_add_str(a, &v, STR("from"), name_of(ev, steps[i].from));
        value_add_str(a, &v, STR("edge"), steps[i].kind);
        value_add_str(a, &v, STR("to"), name_of(ev, steps[i].to));
        value_add_str(a, &v, STR("says"), steps[i].says);
        value_push(a, &list, v);
    }
    return list;
}

static struct value terms_value(struct arena *a, const struct cause *c)
{
    struct value list = value_array();
    for (uint32_t i = 0; i < c->term_count; i++) {
        struct value v = value_object();
        value_add_str(a, &v, STR("term"), str_from(ingredient_name(c->terms[i].of)));
        value_add(a, &v, STR("score"), rounded(c->terms[i].score));
        value_add_str(a, &v, STR("says"), c->terms[i].says);
        value_push(a, &list, v);
    }
    return list;
}

static struct value causes_value(struct arena *a, const struct evidence *ev, const struct report *r)
{
    struct value list = value_array();
    for (uint32_t i = 0; i < r->cause_count; i++) {
        const struct cause *c = &r->causes[i];
        struct value v = value_object();
        value_add_str(a, &v, STR("node"), name_of(ev, c->node));
        value_add(a, &v, STR("score"), rounded(c->score));
        value_add(a, &v, STR("terms"), terms_value(a, c));
        value_add(a, &v, STR("chain"), steps_value(a, ev, c->steps, c->step_count));
        if (c->steps_left_out > 0) {
            value_add_int(a, &v, STR("steps_left_out"), c->steps_left_out);
        }
        value_push(a, &list, v);
    }
    return list;
}

static struct value changes_value(struct arena *a, const struct evidence *ev, const struct report *r)
{
    struct value list = value_array();
    for (uint32_t i = 0; i < r->change_count; i++) {
        const struct ranked_change *c = &r->changes[i];
        const struct change *of = &ev->changes[c->change];
        struct value v = value_object();
        value_add_str(a, &v, STR("object"), name_of(ev, of->node));
        value_add_str(a, &v, STR("kind"), of->kind);
        if (of->what.len > 0) {
            value_add_str(a, &v, STR("what"), of->what);
        }
        value_add_instant(a, &v, STR("at"), of->at_ms);
        value_add_str(a, &v, STR("node"), name_of(ev, c->node));
        value_add(a, &v, STR("score"), rounded(c->score));
        value_add_str(a, &v, STR("says"), c->says);
        value_add(a, &v, STR("chain"), steps_value(a, ev, c->steps, c->step_count));
        value_push(a, &list, v);
    }
    return list;
}

static struct value ruled_out_value(struct arena *a, const struct evidence *ev, const struct report *r)
{
    struct value list = value_array();
    for (uint32_t i = 0; i < r->ruled_out_count; i++) {
        struct value v = value_object();
        value_add_str(a, &v, STR("node"), name_of(ev, r->ruled_out[i].node));
        value_add_str(a, &v, STR("why"), r->ruled_out[i].why);
        value_push(a, &list, v);
    }
    return list;
}

struct value report_value(struct arena *a, const struct evidence *ev, const struct question *q, const struct report *r)
{
    struct value v = value_object();
    value_add_str(a, &v, STR("service"), name_of(ev, q->service));
    value_add_str(a, &v, STR("metric"), str_from(symptom_name(q->symptom)));
    value_add_bool(a, &v, STR("found"), r->found);
    value_add_str(a, &v, STR("why"), r->why);
    value_add(a, &v, STR("needed"), rounded(r->needed));
    value_add_int(a, &v, STR("candidates"), r->candidates);
    value_add(a, &v, r->found ? STR("causes") : STR("leads"), causes_value(a, ev, r));
    value_add(a, &v, STR("changes"), changes_value(a, ev, r));
    value_add(a, &v, STR("ruled_out"), ruled_out_value(a, ev, r));
    if (r->ruled_out_more > 0) {
        value_add_int(a, &v, STR("ruled_out_more"), r->ruled_out_more);
    }
    return v;
}
