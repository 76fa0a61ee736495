/*
 * An expression, compiled with and without the type check, evaluated over JSON values and an
 * object: it ends within its budget and its memory, says why it failed, yields the same again and
 * with steps recorded, and what a program yields when it was checked is of the type that the check
 * said.
 */
#include "fuzz/fuzz.h"

#include "base/must.h"
#include "cel/cel.h"
#include "value/json.h"

enum { MEMORY_MAX = 8 << 20, BUDGET = 100000, SHOWN_MAX = 1 << 20, STEPS_MAX = 4096 };

struct thing {
    int64_t size;
    const struct value *labels;
};

static bool thing_get(const void *self, unsigned field, struct arena *scope, struct cel_value *ret)
{
    const struct thing *t = self;
    (void)scope;
    *ret = field == 0 ? cel_of_int(t->size) : cel_of_json(t->labels);
    return field < 2;
}

static const struct cel_field thing_fields[] = {
    {"size", &cel_int, ""}, {"labels", &cel_map_string_dyn, ""}, {"never", &cel_string, ""}};
static const struct cel_class thing_class = {"fuzz.Thing", "", thing_fields, 3, thing_get, false};
static const struct cel_type thing_type = {.kind = CEL_OBJECT, .class = &thing_class};

struct world {
    struct cel_env *env;
    struct arena *arena;
    struct value json;
    struct thing thing;
    struct cel_value values[6];
    struct cel_activation activation;
};

static void declare(struct world *w, const char *name, const struct cel_type *type)
{
    must(cel_declare(w->env, str_from(name), type, "", NULL) == RC_OK);
}

static void world_begin(struct world *w)
{
    *w = (struct world){.env = cel_env_new(), .arena = arena_new(MEMORY_MAX)};
    must(w->env != NULL && w->arena != NULL);
    must(json_parse(w->arena,
                    STR("{\"a\":[1,2,{\"b\":\"c\"}],\"d\":1.5,\"e\":null,\"f\":\"text \xC3\xA9\"}"),
                    &w->json, NULL) == RC_OK);
    w->thing = (struct thing){3, &w->json};
    declare(w, "n", &cel_int);
    declare(w, "s", &cel_string);
    declare(w, "j", &cel_dyn);
    declare(w, "t", &thing_type);
    declare(w, "l", &cel_list_string);
    declare(w, "x.y", &cel_dyn);
    w->values[0] = cel_of_int(-7);
    w->values[1] = cel_of_str(STR("some text"));
    w->values[2] = cel_of_json(&w->json);
    w->values[3] = cel_of_object(&thing_class, &w->thing);
    w->values[4] = cel_of_json(value_get(&w->json, STR("a"))); /* not what was declared */
    w->activation = (struct cel_activation){.values = w->values, .count = 6};
}

static void check_error(enum rc rc, const struct err *e)
{
    must(rc == RC_OK || rc == RC_INVALID || rc == RC_LIMIT);
    must(rc == RC_OK || e->text[0] != '\0');
    must(rc == RC_OK || utf8_valid(str_from(e->text)));
}

/* What a program yields, as text. */
static enum rc evaluate(const struct world *w, const struct cel_program *p, struct cel_step *steps,
                        struct buf *ret_text)
{
    CLEANUP(arena) struct arena *a = arena_new(MEMORY_MAX);
    struct cel_run run = {.arena = a, .budget = BUDGET, .steps = steps};
    struct cel_value v = {0};
    struct err e = {0};
    struct value json;
    enum rc rc = cel_eval(p, &w->activation, &run, &v, &e);
    check_error(rc, &e);
    must(run.spent <= BUDGET);
    if (rc != RC_OK) {
        buf_printf(ret_text, "%s %s", e.where, e.text);
        return rc;
    }
    enum cel_kind kind = cel_program_type(p)->kind;
    /* What JSON holds need not be what was declared, so only the outermost kind is sure. */
    must(v.kind != CEL_ABSENT && v.kind < CEL_KINDS);
    must(kind != CEL_BOOL || v.kind == CEL_BOOL || rc != RC_OK);
    buf_cel_value(ret_text, &v, a);
    enum rc to_json = cel_to_json(&v, a, &json, &e);
    must(to_json == RC_OK || to_json == RC_INVALID || to_json == RC_LIMIT);
    return rc;
}

static void see(void *context, const struct cel_view *view)
{
    uint32_t *count = context;
    must(view->from <= view->to && view->type != NULL);
    ++*count;
}

static void run(const struct world *w, struct str text, const struct cel_options *options)
{
    static struct cel_step steps[STEPS_MAX];
    CLEANUP(cel_program) struct cel_program *p = NULL;
    struct err e = {0};
    struct buf first;
    struct buf again;
    uint32_t parts = 0;
    enum rc rc = cel_compile(w->env, text, options, &p, &e);
    check_error(rc, &e);
    if (rc != RC_OK) {
        return;
    }
    cel_walk(p, see, &parts);
    must(parts > 0 && parts <= cel_program_steps(p));
    buf_init(&first, SHOWN_MAX);
    buf_init(&again, SHOWN_MAX);
    rc = evaluate(w, p, NULL, &first);
    bool record = cel_program_steps(p) <= STEPS_MAX;
    must(evaluate(w, p, record ? steps : NULL, &again) == rc);
    must(str_eq(buf_view(&first), buf_view(&again)));
    buf_done(&first);
    buf_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct cel_options checked = {.cost_max = UINT64_MAX, .container = {"x", 1}};
    static const struct cel_options unchecked = {.cost_max = UINT64_MAX, .unchecked = true};
    struct world w;
    world_begin(&w);
    struct str text = {(const char *)data, size};
    run(&w, text, &checked);
    run(&w, text, &unchecked);
    run(&w, text, NULL);
    cel_env_free(w.env);
    arena_free(w.arena);
    return 0;
}
