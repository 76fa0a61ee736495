/* Programs: compiling a text, evaluating it, the state between. */
#include "cel/functions.h"

#include "value/utf8.h"

#include <stdlib.h>

static struct cel_program *program_new(struct str text)
{
    struct cel_program *p = calloc(1, sizeof *p);
    if (p == NULL) {
        return NULL;
    }
    p->arena = arena_new(CEL_PROGRAM_MAX);
    if (p->arena != NULL) {
        p->text = arena_str(p->arena, text);
        p->type = &cel_dyn;
    }
    if (p->arena == NULL || arena_rc(p->arena) != RC_OK) {
        cel_program_free(p);
        return NULL;
    }
    return p;
}

void cel_program_free(struct cel_program *p)
{
    if (p != NULL) {
        arena_free(p->arena);
        free(p);
    }
}

/* Text that is no UTF-8 is refused as a whole, so that no message has to quote it. */
static bool is_text(struct compiler *c)
{
    struct str s = c->program->text;
    for (size_t at = 0; at < s.len;) {
        size_t len = utf8_len(s.ptr + at, s.ptr + s.len);
        if (len == 0) {
            compile_fail(c, RC_INVALID, (uint32_t)at, "the expression is no valid UTF-8");
            return false;
        }
        at += len;
    }
    return true;
}

/* All the stages; what fails is told through c. */
static bool compile(struct compiler *c)
{
    struct cel_program *p = c->program;
    if (!is_text(c)) {
        return false;
    }
    p->root = cel_parse(c);
    if (p->root == NULL || !cel_check(c, p->root) || !cel_link(c, p->root) ||
        !cel_estimate(c, p->root)) {
        return false;
    }
    p->variables = cel_env_count(c->env);
    p->wanted = c->options->result == NULL ? CEL_DYN : c->options->result->kind;
    uint64_t limit = c->options->cost_max == 0 ? CEL_COST_MAX : c->options->cost_max;
    if (p->cost > limit) {
        compile_fail(c, RC_LIMIT, 0, "the worst case takes %llu steps, more than %llu",
                     (unsigned long long)p->cost, (unsigned long long)limit);
    }
    p->root = cel_pack(p->arena, p->root);
    return c->rc == RC_OK;
}

enum rc cel_compile(const struct cel_env *env, struct str text, const struct cel_options *options,
                    struct cel_program **ret, struct err *e)
{
    static const struct cel_options defaults;
    if (text.len > CEL_TEXT_MAX) {
        return err_set(e, RC_LIMIT, "an expression of more than %d bytes", (int)CEL_TEXT_MAX);
    }
    CLEANUP(cel_program) struct cel_program *p = program_new(text);
    if (p == NULL) {
        return err_set(e, RC_NO_MEMORY, "out of memory");
    }
    struct compiler c = {.env = env,
                         .options = options != NULL ? options : &defaults,
                         .program = p,
                         .arena = p->arena,
                         .err = e};
    if (!compile(&c)) {
        must(c.rc != RC_OK);
        return c.rc;
    }
    *ret = p;
    p = NULL;
    return RC_OK;
}

const struct cel_type *cel_program_type(const struct cel_program *p)
{
    return p->type;
}

struct str cel_program_text(const struct cel_program *p)
{
    return p->text;
}

uint64_t cel_program_cost(const struct cel_program *p)
{
    return p->cost;
}

uint32_t cel_program_steps(const struct cel_program *p)
{
    return p->nodes;
}

static enum rc failed(const struct cel_program *p, const struct cel_value *v,
                      const struct machine *m, struct err *e)
{
    char place[CEL_PLACE_MAX];
    struct str where = cel_place(p->text, v->aux, place);
    if (m->cut == CEL_CUT_MEMORY) {
        return err_at(e, RC_LIMIT, where, "the evaluation needs more memory than it may take");
    }
    if (m->cut == CEL_CUT_COST) {
        return err_at(e, RC_LIMIT, where, "the evaluation takes more steps than its budget");
    }
    return err_at(e, RC_INVALID, where, "%.*s", STR_ARG(cel_text(v)));
}

/* The caches that an evaluation needs beside its results. */
static bool machine_begin(struct machine *m)
{
    const struct cel_program *p = m->program;
    if (p->locals > 0) {
        m->locals = arena_array(m->arena, p->locals, sizeof(struct cel_value));
    }
    if (m->values->load != NULL && p->variables > 0) {
        m->loaded = arena_array(m->arena, p->variables, sizeof(struct cel_value));
    }
    return arena_rc(m->arena) == RC_OK;
}

enum rc cel_eval(const struct cel_program *p, const struct cel_activation *values,
                 struct cel_run *run, struct cel_value *ret, struct err *e)
{
    static const struct cel_activation none;
    int64_t budget = run->budget < INT64_MAX ? (int64_t)run->budget : INT64_MAX;
    struct machine m = {.fuel = run->steps == NULL ? budget : 0,
                        .reserve = run->steps == NULL ? 0 : budget,
                        .arena = run->arena,
                        .values = values != NULL ? values : &none,
                        .program = p,
                        .run = run};
    struct cel_value v = {0};
    if (!machine_begin(&m)) {
        return err_set(e, RC_LIMIT, "the evaluation needs more memory than it may take");
    }
    eval(&m, p->root, &v);
    /* Also what callers' functions could not make. */
    if (arena_rc(m.arena) != RC_OK) {
        machine_cut(&m, CEL_CUT_MEMORY);
    }
    run->spent = m.cut == CEL_CUT_COST ? run->budget : (uint64_t)(budget - m.fuel - m.reserve);
    if (m.cut != CEL_FAULT || is_error(&v)) {
        return failed(p, &v, &m, e);
    }
    if (p->wanted != CEL_DYN && p->wanted != (enum cel_kind)v.kind) {
        /* A caller's value was not what its type declares. */
        return err_set(e, RC_INVALID, "the expression yielded %s, not %s",
                       cel_kind_name((enum cel_kind)v.kind), cel_kind_name(p->wanted));
    }
    *ret = v;
    return RC_OK;
}
