#include "diff/sql_script.h"

#include "diff/shown.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* --- rows ------------------------------------------------------------------------------------------- */

void script_add(struct sql_script *s, struct diff_change row, struct str type, struct sql_name name)
{
    row.resource = arena_printf(s->arena, "%.*s%s%.*s", STR_ARG(type), name.len > 0 ? " " : "", (int)name.len, name.text);
    diff_add(s->arena, s->changes, &row);
    s->rows++;
}

struct value script_text(struct sql_script *s, struct str text)
{
    return text.len == 0 ? value_null() : value_string(diff_text(s->arena, text, SHOWN_TEXT_MAX));
}

bool sql_is_set(const struct value *node, const char *name)
{
    return value_bool_or(value_get(node, str_from(name)), false);
}

/* --- conditions ------------------------------------------------------------------------------------- */

/* Nothing in it depends on the row. */
static bool is_constant(const struct value *v)
{
    static const char *const free_nodes[] = {"ColumnRef", "ParamRef", "SubLink", "CurrentOfExpr", "FuncCall"};
    bool constant = true;
    for (uint32_t i = 0; v->type == VALUE_ARRAY && i < v->count && constant; i++) {
        constant = is_constant(&v->items[i]);
    }
    for (uint32_t i = 0; v->type == VALUE_OBJECT && i < v->count && constant; i++) {
        for (size_t k = 0; k < COUNT(free_nodes); k++) {
            constant = constant && !str_eq(v->members[i].name, str_from(free_nodes[k]));
        }
        constant = constant && is_constant(&v->members[i].value);
    }
    return constant;
}

/* WHERE true, WHERE 1 = 1, WHERE a = 1 OR true. */
bool sql_is_no_condition(const struct value *where)
{
    if (where == NULL || is_constant(where)) {
        return true;
    }
    const struct value *arms = value_path(where, "BoolExpr", "args", NULL);
    struct str op = value_text(value_path(where, "BoolExpr", "boolop", NULL));
    for (uint32_t i = 0; str_eq(op, STR("OR_EXPR")) && value_item(arms, i) != NULL; i++) {
        if (sql_is_no_condition(value_item(arms, i))) {
            return true;
        }
    }
    return false;
}

bool sql_has_true_option(const struct value *options, const char *const *names, size_t count)
{
    for (uint32_t i = 0; value_item(options, i) != NULL; i++) {
        const struct value *option = value_get(value_item(options, i), STR("DefElem"));
        struct str name = value_text(value_get(option, STR("defname")));
        for (size_t k = 0; k < count; k++) {
            if (str_eq(name, str_from(names[k])) && value_bool_or(value_path(option, "arg", "Boolean", "boolval", NULL), false)) {
                return true;
            }
        }
    }
    return false;
}
