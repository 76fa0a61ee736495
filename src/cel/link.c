/* The linker: puts into each node the function that evaluates it. */
#include "cel/functions.h"
#include "cel/pattern.h"

static cel_eval_fn *loop_eval(enum loop_kind kind)
{
    static cel_eval_fn *const evals[] = {
        [LOOP_ALL] = eval_loop_all,
        [LOOP_EXISTS] = eval_loop_exists,
        [LOOP_EXISTS_ONE] = eval_loop_one,
        [LOOP_MAP] = eval_loop_map,
        [LOOP_FILTER] = eval_loop_filter,
        [LOOP_TO_MAP] = eval_loop_to_map,
        [LOOP_TO_MAP_ENTRY] = eval_loop_to_entry,
        [LOOP_SORT] = eval_loop_sort,
    };
    return evals[kind];
}

static cel_eval_fn *select_eval(const struct cel_node *n)
{
    if (n->optional) {
        return eval_optional_select;
    }
    return n->class != NULL ? eval_object_field : eval_select;
}

static cel_eval_fn *eval_of(const struct cel_node *n)
{
    switch ((enum node_op)n->op) {
    case NODE_CONSTANT:
        return eval_constant;
    case NODE_VARIABLE:
        return eval_variable;
    case NODE_LOCAL:
        return eval_local;
    case NODE_LAZY:
        return eval_lazy;
    case NODE_SELECT:
        return select_eval(n);
    case NODE_PRESENCE:
        return eval_presence;
    case NODE_INDEX:
    case NODE_CALL:
        return n->function->eval != NULL ? n->function->eval : eval_call;
    case NODE_AND:
        return eval_and;
    case NODE_OR:
        return eval_or;
    case NODE_IF:
        return eval_if;
    case NODE_LIST:
        return eval_list;
    case NODE_MAP:
        return eval_map;
    case NODE_LOOP:
        return loop_eval((enum loop_kind)n->loop);
    case NODE_BIND:
        return eval_bind;
    case NODE_OPT_MAP:
        return eval_opt_map;
    case NODE_FAIL:
        return eval_fail;
    case NODE_IDENT:
    case NODE_STRUCT:
        break;
    }
    must(!"a node that the checker left");
    return NULL;
}

/* A constant pattern is compiled now, and what is wrong with it is told now. */
static bool link_pattern(struct compiler *c, struct cel_node *n)
{
    const struct cel_node *text = n->kids[1];
    if (text->op != NODE_CONSTANT || text->constant.kind != CEL_STRING) {
        return true;
    }
    struct cel_pattern *p = arena_alloc(c->arena, sizeof *p);
    struct str what = STR("");
    if (p == NULL) {
        return compile_memory(c);
    }
    if (!cel_pattern_compile(c->arena, cel_text(&text->constant), p, &what)) {
        compile_fail(c, RC_INVALID, text->from, "%.*s", STR_ARG(what));
        return false;
    }
    n->pattern = p;
    return true;
}

bool cel_link(struct compiler *c, struct cel_node *n)
{
    n->eval = eval_of(n);
    if (n->op == NODE_CALL && n->function->eval == NULL) {
        const char *at = n->function->args;
        must(n->count <= CALL_ARGS_MAX);
        for (uint32_t i = 0; i < n->count && i < CALL_ARGS_MAX; i++) {
            n->want[i] = (uint8_t)signature_kind(*at);
            at = signature_skip(at);
        }
    }
    if (n->op == NODE_CALL && n->function->eval == eval_matches && !link_pattern(c, n)) {
        return false;
    }
    for (uint32_t i = 0; i < n->count; i++) {
        if (!cel_link(c, n->kids[i])) {
            return false;
        }
    }
    return true;
}
