/* The sets extension: lists read as sets. Source: cel-go ext/README.md "Sets". */
#include "cel/functions.h"

/* Whether a has an element that equals v; may cut. */
static bool has(struct machine *m, const struct cel_value *a, const struct cel_value *v)
{
    for (uint32_t i = 0; i < a->aux && charge(m, 1); i++) {
        struct cel_value item;
        cel_list_at(a, i, m->arena, &item);
        if (values_equal(m, &item, v)) {
            return true;
        }
    }
    return false;
}

/* Whether each element of b is in a, or (wanted false) is not. */
static bool each(struct machine *m, const struct cel_value *a, const struct cel_value *b,
                 bool wanted)
{
    for (uint32_t i = 0; i < b->aux && m->cut == CEL_FAULT; i++) {
        struct cel_value item;
        cel_list_at(b, i, m->arena, &item);
        if (has(m, a, &item) != wanted) {
            return false;
        }
    }
    return true;
}

static void contains(struct machine *m, const struct cel_node *n, struct cel_value *args,
                     struct cel_value *ret)
{
    (void)n;
    *ret = cel_of_bool(each(m, &args[0], &args[1], true));
}

static void equivalent(struct machine *m, const struct cel_node *n, struct cel_value *args,
                       struct cel_value *ret)
{
    (void)n;
    *ret = cel_of_bool(each(m, &args[0], &args[1], true) && each(m, &args[1], &args[0], true));
}

static void intersects(struct machine *m, const struct cel_node *n, struct cel_value *args,
                       struct cel_value *ret)
{
    (void)n;
    *ret = cel_of_bool(!each(m, &args[0], &args[1], false));
}

const struct cel_function cel_set_functions[] = {
    FUNCTION("sets.contains", "LALA", "b", contains),
    FUNCTION("sets.equivalent", "LALA", "b", equivalent),
    FUNCTION("sets.intersects", "LALA", "b", intersects),
    FUNCTIONS_END,
};
