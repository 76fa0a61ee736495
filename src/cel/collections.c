/* size() and the tests that strings have in the core language, matches() among them. */
#include "cel/functions.h"
#include "cel/pattern.h"

#include "value/utf8.h"

#include <string.h>

static void size_text(struct machine *m, const struct cel_node *n, struct cel_value *args,
                      struct cel_value *ret)
{
    if (!charge(m, steps_of(args[0].len))) {
        fault_set(m, n, ret, "");
        return;
    }
    *ret = cel_of_int((int64_t)utf8_count(cel_text(&args[0])));
}

static void size_bytes(struct machine *m, const struct cel_node *n, struct cel_value *args,
                       struct cel_value *ret)
{
    (void)m;
    (void)n;
    *ret = cel_of_int((int64_t)args[0].len);
}

static void size_items(struct machine *m, const struct cel_node *n, struct cel_value *args,
                       struct cel_value *ret)
{
    (void)m;
    (void)n;
    *ret = cel_of_int(args[0].aux);
}

static void starts_with(struct machine *m, const struct cel_node *n, struct cel_value *args,
                        struct cel_value *ret)
{
    (void)n;
    charge(m, steps_of(args[1].len));
    *ret = cel_of_bool(str_starts(cel_text(&args[0]), cel_text(&args[1])));
}

static void ends_with(struct machine *m, const struct cel_node *n, struct cel_value *args,
                      struct cel_value *ret)
{
    (void)n;
    charge(m, steps_of(args[1].len));
    *ret = cel_of_bool(str_ends(cel_text(&args[0]), cel_text(&args[1])));
}

static void contains(struct machine *m, const struct cel_node *n, struct cel_value *args,
                     struct cel_value *ret)
{
    if (!charge(m, steps_of(args[0].len) + steps_of(args[1].len))) {
        fault_set(m, n, ret, "");
        return;
    }
    *ret = cel_of_bool(args[1].len == 0 ||
                       (args[0].len >= args[1].len &&
                        memmem(args[0].text, args[0].len, args[1].text, args[1].len) != NULL));
}

/* The pattern of a call whose argument was no constant. Null: *ret is the error. */
static const struct cel_pattern *pattern_now(struct machine *m, const struct cel_node *n,
                                             const struct cel_value *text, struct cel_pattern *room,
                                             struct cel_value *ret)
{
    struct str what = STR("");
    if (!charge(m, 64 + text->len)) {
        fault_set(m, n, ret, "");
        return NULL;
    }
    if (!cel_pattern_compile(m->arena, cel_text(text), room, &what)) {
        fault_format(m, n, ret, "%.*s", STR_ARG(what));
        return NULL;
    }
    return room;
}

static void match(struct machine *m, const struct cel_node *n, const struct cel_pattern *p,
                  const struct cel_value *text, struct cel_value *ret)
{
    if (!charge(m, 8 + text->len * cel_pattern_cost(p->places))) {
        fault_set(m, n, ret, "");
        return;
    }
    if (m->matcher == NULL) {
        m->matcher = cel_matcher_new(m->arena);
    }
    if (m->matcher == NULL) {
        machine_cut(m, CEL_CUT_MEMORY);
        fault_set(m, n, ret, "");
        return;
    }
    switch (cel_pattern_search(m->matcher, p, cel_text(text))) {
    case PATTERN_NO:
        *ret = cel_of_bool(false);
        return;
    case PATTERN_YES:
        *ret = cel_of_bool(true);
        return;
    case PATTERN_NOT_TEXT:
        fault_set(m, n, ret, "matches() on a string that is no valid UTF-8");
        return;
    case PATTERN_GAVE_UP:
        break;
    }
    machine_cut(m, CEL_CUT_COST);
    fault_set(m, n, ret, "");
}

void eval_matches(struct machine *m, const struct cel_node *n, struct cel_value *ret)
{
    struct cel_value room[2];
    struct cel_pattern made = {0};
    const struct cel_value *text = operand(m, n->kids[0], &room[0]);
    if (is_error(text)) {
        *ret = *text;
        return;
    }
    const struct cel_value *by = operand(m, n->kids[1], &room[1]);
    if (is_error(by)) {
        *ret = *by;
        return;
    }
    if (text->kind != CEL_STRING || by->kind != CEL_STRING) {
        fault_overload(m, n, ret);
        return;
    }
    const struct cel_pattern *p =
        n->pattern != NULL ? n->pattern : pattern_now(m, n, by, &made, ret);
    if (p != NULL) {
        match(m, n, p, text, ret);
    }
}

const struct cel_function cel_collections[] = {
    FUNCTION("size", "s", "i", size_text),
    FUNCTION("size", "y", "i", size_bytes),
    FUNCTION("size", "LA", "i", size_items),
    FUNCTION("size", "MAB", "i", size_items),
    METHOD("size", "s", "i", size_text),
    METHOD("size", "y", "i", size_bytes),
    METHOD("size", "LA", "i", size_items),
    METHOD("size", "MAB", "i", size_items),
    METHOD("startsWith", "ss", "b", starts_with),
    METHOD("endsWith", "ss", "b", ends_with),
    METHOD("contains", "ss", "b", contains),
    {"matches", false, "ss", "b", NULL, eval_matches},
    {"matches", true, "ss", "b", NULL, eval_matches},
    FUNCTIONS_END,
};
