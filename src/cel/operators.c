/* The operators' rows, calls in general, and membership. */
#include "cel/functions.h"

#define OPERATOR(name, args, result, eval)                                                         \
    {                                                                                              \
        name, false, args, result, NULL, eval                                                      \
    }
#define RELATION(name, eval)                                                                       \
    OPERATOR(name, "bb", "b", eval), OPERATOR(name, "ii", "b", eval),                              \
        OPERATOR(name, "uu", "b", eval), OPERATOR(name, "dd", "b", eval),                          \
        OPERATOR(name, "iu", "b", eval), OPERATOR(name, "ui", "b", eval),                          \
        OPERATOR(name, "id", "b", eval), OPERATOR(name, "di", "b", eval),                          \
        OPERATOR(name, "ud", "b", eval), OPERATOR(name, "du", "b", eval),                          \
        OPERATOR(name, "ss", "b", eval), OPERATOR(name, "yy", "b", eval),                          \
        OPERATOR(name, "tt", "b", eval), OPERATOR(name, "DD", "b", eval)

const struct cel_function cel_operators[] = {
    OPERATOR("_==_", "AA", "b", eval_equal),
    OPERATOR("_!=_", "AA", "b", eval_not_equal),
    RELATION("_<_", eval_less),
    RELATION("_<=_", eval_less_equal),
    RELATION("_>_", eval_greater),
    RELATION("_>=_", eval_greater_equal),
    OPERATOR("_+_", "ii", "i", eval_add),
    OPERATOR("_+_", "uu", "u", eval_add),
    OPERATOR("_+_", "dd", "d", eval_add),
    OPERATOR("_+_", "ss", "s", eval_add),
    OPERATOR("_+_", "yy", "y", eval_add),
    OPERATOR("_+_", "LALA", "LA", eval_add),
    OPERATOR("_+_", "tD", "t", eval_add),
    OPERATOR("_+_", "Dt", "t", eval_add),
    OPERATOR("_+_", "DD", "D", eval_add),
    OPERATOR("_-_", "ii", "i", eval_subtract),
    OPERATOR("_-_", "uu", "u", eval_subtract),
    OPERATOR("_-_", "dd", "d", eval_subtract),
    OPERATOR("_-_", "tt", "D", eval_subtract),
    OPERATOR("_-_", "tD", "t", eval_subtract),
    OPERATOR("_-_", "DD", "D", eval_subtract),
    OPERATOR("_*_", "ii", "i", eval_multiply),
    OPERATOR("_*_", "uu", "u", eval_multiply),
    OPERATOR("_*_", "dd", "d", eval_multiply),
    OPERATOR("_/_", "ii", "i", eval_divide),
    OPERATOR("_/_", "uu", "u", eval_divide),
    OPERATOR("_/_", "dd", "d", eval_divide),
    OPERATOR("_%_", "ii", "i", eval_modulo),
    OPERATOR("_%_", "uu", "u", eval_modulo),
    OPERATOR("-_", "i", "i", eval_negate),
    OPERATOR("-_", "d", "d", eval_negate),
    OPERATOR("!_", "b", "b", eval_not),
    OPERATOR("@in", "ALA", "b", eval_in),
    OPERATOR("@in", "AMAB", "b", eval_in),
    OPERATOR("_[_]", "LAi", "A", eval_index),
    OPERATOR("_[_]", "MABA", "B", eval_index),
    OPERATOR("_[_]", "OLAi", "OA", eval_index),
    OPERATOR("_[_]", "OMABA", "OB", eval_index),
    OPERATOR("_[?_]", "LAi", "OA", eval_index),
    OPERATOR("_[?_]", "MABA", "OB", eval_index),
    OPERATOR("_[?_]", "OLAi", "OA", eval_index),
    OPERATOR("_[?_]", "OMABA", "OB", eval_index),
    FUNCTIONS_END,
};

void eval_in(struct machine *m, const struct cel_node *n, struct cel_value *ret)
{
    struct cel_value room[2];
    struct cel_value item;
    const struct cel_value *what = operand(m, n->kids[0], &room[0]);
    if (is_error(what)) {
        *ret = *what;
        return;
    }
    const struct cel_value *of = operand(m, n->kids[1], &room[1]);
    if (is_error(of)) {
        *ret = *of;
        return;
    }
    if (of->kind == CEL_MAP) {
        bool found = charge(m, of->form == CEL_JSON ? of->aux / 8 : 1) &&
                     cel_map_find(of, what, m->arena, &item);
        *ret = cel_of_bool(found);
    } else if (of->kind == CEL_LIST) {
        bool found = false;
        for (uint32_t i = 0; i < of->aux && !found && charge(m, 1); i++) {
            cel_list_at(of, i, m->arena, &item);
            found = values_equal(m, what, &item);
        }
        *ret = cel_of_bool(found);
    } else {
        fault_overload(m, n, ret);
    }
    if (m->cut != CEL_FAULT) {
        fault_set(m, n, ret, "");
    }
}

static bool row_takes(const struct cel_function *f, const struct cel_value *args, uint32_t count)
{
    const char *at = f->args;
    if (function_arity(f) != count) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        enum cel_kind wanted = signature_kind(*at);
        if (wanted != CEL_DYN && wanted != (enum cel_kind)args[i].kind) {
            return false;
        }
        at = signature_skip(at);
    }
    return true;
}

/* The row that the values say, when it is not the one that the types said. */
static const struct cel_function *dispatch(const struct cel_node *n, const struct cel_value *args)
{
    const struct cel_function *f = NULL;
    while ((f = function_next(f, n->name, n->member)) != NULL) {
        if (f->call != NULL && row_takes(f, args, n->count)) {
            return f;
        }
    }
    return NULL;
}

void eval_call(struct machine *m, const struct cel_node *n, struct cel_value *ret)
{
    struct cel_value args[CALL_ARGS_MAX];
    bool as_wanted = true;
    for (uint32_t i = 0; i < n->count; i++) {
        eval(m, n->kids[i], &args[i]);
        if (is_error(&args[i])) {
            *ret = args[i];
            return;
        }
        as_wanted = as_wanted && (n->want[i] == CEL_DYN || n->want[i] == args[i].kind);
    }
    const struct cel_function *f = as_wanted ? n->function : dispatch(n, args);
    if (f == NULL) {
        fault_overload(m, n, ret);
        return;
    }
    f->call(m, n, args, ret);
    if (m->cut != CEL_FAULT) {
        fault_set(m, n, ret, "");
    }
}
