#include "policy/rule_lint.h"

#include "base/must.h"

static const char *const kinds[LINT_KINDS] = {"never_holds", "always_holds", "never_speaks", "unreachable", "contradicts",
                                              "no_tests"};

const char *lint_kind_name(enum lint_kind k)
{
    must((unsigned)k < LINT_KINDS);
    return kinds[k];
}

bool lint_is_mistake(enum lint_kind k)
{
    return k != LINT_NO_TESTS;
}

struct linting {
    const struct policy *policy;
    const struct rule *rule;
    struct arena *arena;
    lint_fn fn;
    void *context;
};

static void report(const struct linting *l, enum lint_kind kind, struct str text)
{
    const struct lint lint = {kind, l->rule, text};
    l->fn(l->context, &lint);
}

/* --- the expression ------------------------------------------------------------------------------------------- */

/* All parts of a condition, in the order of the walk: each before what stands in it. */
struct parts {
    struct cel_view *all;
    uint32_t count;
    uint32_t room;
};

static void keep_part(void *context, const struct cel_view *view)
{
    struct parts *p = context;
    if (p->count < p->room) {
        p->all[p->count++] = *view;
    }
}

static struct parts parts_of(const struct rule *rule, struct arena *a)
{
    struct parts p = {.room = CEL_NODES_MAX};
    p.all = arena_array(a, p.room, sizeof *p.all);
    p.room = p.all == NULL ? 0 : p.room;
    cel_walk(rule->program, keep_part, &p);
    return p;
}

/* The n-th part that stands directly in this one; null when there are fewer. */
static const struct cel_view *child(const struct parts *p, const struct cel_view *of, unsigned n)
{
    for (uint32_t i = 0; i < p->count; i++) {
        const struct cel_view *v = &p->all[i];
        if (v != of && v->parent == of->step && n-- == 0) {
            return v;
        }
    }
    return NULL;
}

static struct str source_of(const struct rule *rule, const struct cel_view *v)
{
    return str_slice(rule->condition, v->from, v->to);
}

static bool is_call(const struct cel_view *v, const char *name)
{
    return v != NULL && v->part == CEL_PART_CALL && str_eq(v->name, str_from(name));
}

/* --- a word that a field never has ------------------------------------------------------------------------------ */

static bool is_word_of(const char *const *words, struct str word)
{
    for (size_t i = 0; words[i] != NULL; i++) {
        if (str_eq(word, str_from(words[i]))) {
            return true;
        }
    }
    return false;
}

static void check_words(const struct linting *l, const struct parts *p, const struct cel_view *equals)
{
    const struct cel_view *a = child(p, equals, 0);
    const struct cel_view *b = child(p, equals, 1);
    const struct cel_view *field = a != NULL && a->part == CEL_PART_FIELD ? a : b;
    const struct cel_view *constant = field == a ? b : a;
    if (field == NULL || field->part != CEL_PART_FIELD || field->class == NULL || constant == NULL ||
        constant->part != CEL_PART_CONSTANT || constant->constant->kind != CEL_STRING) {
        return;
    }
    const char *const *words = rule_field_words(field->class, field->slot);
    if (words != NULL && !is_word_of(words, cel_text(constant->constant))) {
        report(l, LINT_NEVER_HOLDS,
               arena_printf(l->arena, "%.*s is never %.*s", STR_ARG(source_of(l->rule, field)),
                            STR_ARG(source_of(l->rule, constant))));
    }
}

/* --- conjunctions that nothing fulfils --------------------------------------------------------------------------- */

enum { TERMS_MAX = 64 };

/* Something compared with a constant, in a place where all must be true. */
struct term {
    struct str what;
    struct str op; /* _==_, _<_, ... */
    const struct cel_view *constant;
};

struct terms {
    struct term all[TERMS_MAX];
    unsigned count;
};

static struct str mirrored(struct str op)
{
    static const char *const pairs[][2] = {{"_<_", "_>_"}, {"_<=_", "_>=_"}, {"_>_", "_<_"}, {"_>=_", "_<=_"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        if (str_eq(op, str_from(pairs[i][0]))) {
            return str_from(pairs[i][1]);
        }
    }
    return op;
}

static void add_term(const struct linting *l, const struct parts *p, const struct cel_view *compare, struct terms *out)
{
    const struct cel_view *a = child(p, compare, 0);
    const struct cel_view *b = child(p, compare, 1);
    bool left = a != NULL && a->part == CEL_PART_CONSTANT;
    const struct cel_view *constant = left ? a : b;
    const struct cel_view *what = left ? b : a;
    if (what == NULL || constant == NULL || constant->part != CEL_PART_CONSTANT || out->count == TERMS_MAX) {
        return;
    }
    out->all[out->count++] = (struct term){source_of(l->rule, what), left ? mirrored(compare->name) : compare->name, constant};
}

static void collect(const struct linting *l, const struct parts *p, const struct cel_view *v, struct terms *out)
{
    static const char *const compared[] = {"_==_", "_<_", "_<=_", "_>_", "_>=_"};
    if (is_call(v, "_&&_")) {
        for (unsigned n = 0; child(p, v, n) != NULL; n++) {
            collect(l, p, child(p, v, n), out);
        }
    }
    for (size_t i = 0; i < sizeof compared / sizeof *compared; i++) {
        if (is_call(v, compared[i])) {
            add_term(l, p, v, out);
        }
    }
}

static bool number_of(const struct cel_value *v, double *ret)
{
    *ret = v->kind == CEL_INT ? (double)v->integer : v->kind == CEL_UINT ? (double)v->natural : v->number;
    return v->kind == CEL_INT || v->kind == CEL_UINT || v->kind == CEL_DOUBLE;
}

/* No number is both. Bounds that touch leave one only when both take it in. */
static bool are_apart(const struct term *a, const struct term *b)
{
    double x;
    double y;
    bool above = str_starts(a->op, STR("_>"));
    bool below = str_starts(b->op, STR("_<"));
    if (!above || !below || !number_of(a->constant->constant, &x) || !number_of(b->constant->constant, &y)) {
        return false;
    }
    return x > y || (x == y && !(str_eq(a->op, STR("_>=_")) && str_eq(b->op, STR("_<=_"))));
}

static bool is_outside(const struct term *equal, const struct term *bound)
{
    double x;
    double y;
    if (!str_eq(equal->op, STR("_==_")) || !number_of(equal->constant->constant, &x) ||
        !number_of(bound->constant->constant, &y)) {
        return false;
    }
    return (str_eq(bound->op, STR("_<_")) && x >= y) || (str_eq(bound->op, STR("_<=_")) && x > y) ||
           (str_eq(bound->op, STR("_>_")) && x <= y) || (str_eq(bound->op, STR("_>=_")) && x < y);
}

static bool are_two(const struct linting *l, const struct term *a, const struct term *b)
{
    bool equal = str_eq(a->op, STR("_==_")) && str_eq(b->op, STR("_==_"));
    const struct cel_value *x = a->constant->constant;
    const struct cel_value *y = b->constant->constant;
    double n;
    double m;
    if (number_of(x, &n) && number_of(y, &m)) {
        return equal && (n < m || n > m);
    }
    return equal && !str_eq(source_of(l->rule, a->constant), source_of(l->rule, b->constant));
}

static void check_terms(const struct linting *l, const struct parts *p)
{
    struct terms terms = {.count = 0};
    if (p->count > 0) {
        collect(l, p, &p->all[0], &terms);
    }
    for (unsigned i = 0; i < terms.count; i++) {
        for (unsigned k = 0; k < terms.count; k++) {
            const struct term *a = &terms.all[i];
            const struct term *b = &terms.all[k];
            bool same = i != k && str_eq(a->what, b->what);
            if (same && ((i < k && are_two(l, a, b)) || are_apart(a, b) || is_outside(a, b))) {
                report(l, LINT_NEVER_HOLDS,
                       arena_printf(l->arena, "%.*s can't be both %.*s and %.*s", STR_ARG(a->what),
                                    STR_ARG(source_of(l->rule, a->constant)), STR_ARG(source_of(l->rule, b->constant))));
                return;
            }
        }
    }
}

/* --- conditions that read nothing ----------------------------------------------------------------------------------- */

static bool reads_nothing(const struct parts *p)
{
    for (uint32_t i = 0; i < p->count; i++) {
        if (p->all[i].part == CEL_PART_VARIABLE) {
            return false;
        }
    }
    return true;
}

static void check_constant(const struct linting *l, const struct parts *p)
{
    struct cel_value vars[RULE_VAR_COUNT] = {{.kind = CEL_ABSENT}};
    const struct rule_memory memory = {l->arena, l->arena, 0, NULL};
    struct rule_result result;
    if (!reads_nothing(p)) {
        return;
    }
    rule_eval(l->rule, vars, &memory, &result);
    report(l, result.holds ? LINT_ALWAYS_HOLDS : LINT_NEVER_HOLDS, STR("its condition reads nothing"));
}

/* --- what it speaks of ---------------------------------------------------------------------------------------------- */

typedef struct str (*name_fn)(const struct policy *p, uint32_t i);

static struct str agent_name(const struct policy *p, uint32_t i)
{
    return p->agents[i].name;
}

static struct str tool_name(const struct policy *p, uint32_t i)
{
    return p->tools[i].name;
}

static struct str service_name(const struct policy *p, uint32_t i)
{
    return p->services[i].name;
}

/* Rules in files of their own, without a policy around them, have nothing to name. */
static void check_named(const struct linting *l, const struct str_list *globs, uint32_t count, name_fn name, const char *what)
{
    bool alone = l->policy->agent_count + l->policy->tool_count + l->policy->service_count == 0;
    for (uint32_t g = 0; !alone && g < globs->count; g++) {
        bool found = false;
        for (uint32_t i = 0; i < count && !found; i++) {
            found = str_glob(globs->items[g], name(l->policy, i));
        }
        if (!found) {
            report(l, LINT_NEVER_SPEAKS,
                   arena_printf(l->arena, "no %s that the policy declares is \"%.*s\"", what, STR_ARG(globs->items[g])));
        }
    }
}

/* --- other rules ---------------------------------------------------------------------------------------------------- */

static bool same_list(const struct str_list *a, const struct str_list *b)
{
    for (uint32_t i = 0; a->count == b->count && i < a->count; i++) {
        if (!str_eq(a->items[i], b->items[i])) {
            return false;
        }
    }
    return a->count == b->count;
}

static bool speak_of_the_same(const struct rule *a, const struct rule *b)
{
    return same_list(&a->agents, &b->agents) && same_list(&a->tools, &b->tools) && same_list(&a->classes, &b->classes) &&
           same_list(&a->services, &b->services) && same_list(&a->surfaces, &b->surfaces) && same_list(&a->labels, &b->labels);
}

/* a says: not b's condition. */
static bool is_negation(struct str a, struct str b)
{
    struct str inner = str_trim(str_slice(a, 1, a.len));
    if (!str_starts(a, STR("!")) || !str_starts(inner, STR("(")) || !str_ends(inner, STR(")"))) {
        return false;
    }
    return str_eq(str_trim(str_slice(inner, 1, inner.len - 1)), b);
}

static void check_others(const struct linting *l)
{
    const struct rule *rule = l->rule;
    for (uint32_t i = 0; i < l->policy->rule_count; i++) {
        const struct rule *other = &l->policy->rules[i];
        if (other == rule || other->mode != rule->mode || !speak_of_the_same(rule, other)) {
            continue;
        }
        bool before = other < rule;
        bool same = str_eq(str_trim(rule->condition), str_trim(other->condition));
        if (same && (other->verdict < rule->verdict || (other->verdict == rule->verdict && before))) {
            report(l, LINT_UNREACHABLE, arena_printf(l->arena, "rule %.*s says the same and is as strict", STR_ARG(other->name)));
        } else if (is_negation(str_trim(rule->condition), str_trim(other->condition))) {
            report(l, LINT_CONTRADICTS,
                   arena_printf(l->arena, "with rule %.*s it speaks against every action", STR_ARG(other->name)));
        }
    }
}

void rules_lint(const struct policy *p, struct arena *a, lint_fn fn, void *context)
{
    for (uint32_t i = 0; i < p->rule_count; i++) {
        const struct linting l = {p, &p->rules[i], a, fn, context};
        if (l.rule->mode == MODE_OFF) {
            continue;
        }
        struct parts parts = parts_of(l.rule, a);
        for (uint32_t k = 0; k < parts.count; k++) {
            if (is_call(&parts.all[k], "_==_")) {
                check_words(&l, &parts, &parts.all[k]);
            }
        }
        check_terms(&l, &parts);
        check_constant(&l, &parts);
        check_named(&l, &l.rule->agents, p->agent_count, agent_name, "agent");
        check_named(&l, &l.rule->tools, p->tool_count, tool_name, "tool");
        check_named(&l, &l.rule->services, p->service_count, service_name, "service");
        check_others(&l);
        if (l.rule->test_count == 0) {
            report(&l, LINT_NO_TESTS, STR("no tests beside it"));
        }
    }
}
