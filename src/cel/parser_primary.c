/* What an expression starts with: literals, names, calls, lists, maps, parentheses. */
#include "cel/parser.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct cel_node *constant(struct parser *p, uint32_t from, struct cel_value v)
{
    struct cel_node *n = node_new(p->c, NODE_CONSTANT, from, p->end);
    if (n != NULL) {
        n->constant = v;
    }
    return n;
}

static struct cel_node *parse_text(struct parser *p, bool bytes)
{
    uint32_t from = p->token.from;
    struct str text = parser_text(p);
    char *out = arena_alloc(p->c->arena, text.len);
    size_t len = 0;
    const char *what = NULL;
    if (out == NULL) {
        compile_memory(p->c);
        return NULL;
    }
    if (!literal_text(text, bytes, out, &len, &what)) {
        return compile_fail(p->c, RC_INVALID, from, "%s", what);
    }
    parser_advance(p);
    struct str s = {out, len};
    return constant(p, from, bytes ? cel_of_bytes(s) : cel_of_str(s));
}

struct cel_node *parse_number(struct parser *p, bool negative, uint32_t from)
{
    struct str text = parser_text(p);
    const char *what = NULL;
    struct cel_value v;
    if (p->token.kind == TOKEN_DOUBLE) {
        char c[512];
        double n;
        if (!str_to_c(text, c, sizeof c)) {
            return compile_fail(p->c, RC_LIMIT, from, "a number longer than %d digits",
                                (int)sizeof c - 1);
        }
        n = strtod(c, NULL);
        if (isinf(n)) {
            return compile_fail(p->c, RC_INVALID, from, "a double literal beyond 64 bits");
        }
        v = cel_of_double(negative ? -n : n);
    } else if (p->token.kind == TOKEN_UINT) {
        uint64_t n;
        if (!literal_uint(text, &n, &what)) {
            return compile_fail(p->c, RC_INVALID, from, "%s", what);
        }
        v = cel_of_uint(n);
    } else {
        int64_t n;
        if (!literal_int(text, negative, &n, &what)) {
            return compile_fail(p->c, RC_INVALID, from, "%s", what);
        }
        v = cel_of_int(n);
    }
    parser_advance(p);
    return constant(p, from, v);
}

/* Up to the closing parenthesis, which is taken. */
static bool parse_args(struct parser *p, struct node_list *ret)
{
    if (parser_take(p, ')')) {
        return true;
    }
    do {
        if (!node_list_add(p, ret, parse_expr(p))) {
            return false;
        }
    } while (parser_take(p, ','));
    return parser_expect(p, ')', "',' or ')'");
}

struct cel_node *parse_call(struct parser *p, struct cel_node *target, struct str name,
                            uint32_t from, bool absolute)
{
    struct node_list args = {0};
    if ((target != NULL && !node_list_add(p, &args, target)) || !parse_args(p, &args)) {
        return NULL;
    }
    uint32_t skip = target != NULL ? 1 : 0;
    struct call_syntax call = {.target = target,
                               .name = name,
                               .args = args.items == NULL ? NULL : args.items + skip,
                               .count = args.count - skip,
                               .from = from,
                               .to = p->end};
    if (!p->c->options->no_macros && !absolute) {
        bool made = false;
        struct cel_node *n = cel_macro(p->c, &call, &made);
        if (made || p->c->rc != RC_OK) {
            return n;
        }
    }
    struct cel_node *n = node_new(p->c, NODE_CALL, from, p->end);
    if (n == NULL) {
        return NULL;
    }
    n->name = name;
    n->member = target != NULL;
    n->absolute = absolute;
    return node_with(p->c, n, args.items, args.count);
}

static struct cel_node *parse_ident(struct parser *p)
{
    uint32_t from = p->token.from;
    bool absolute = parser_take(p, '.');
    struct str name = parser_text(p);
    if (p->token.kind != TOKEN_IDENT || word_is_keyword(name)) {
        return parser_unexpected(p, "a name");
    }
    if (word_is_reserved(name)) {
        return compile_fail(p->c, RC_INVALID, p->token.from, "'%.*s' is a reserved word",
                            STR_ARG(name));
    }
    parser_advance(p);
    if (parser_take(p, '(')) {
        return parse_call(p, NULL, name, from, absolute);
    }
    struct cel_node *n = node_new(p->c, NODE_IDENT, from, p->end);
    if (n != NULL) {
        n->name = name;
        n->absolute = absolute;
    }
    return n;
}

/* The elements that have a question mark before them, by index. */
struct mark_list {
    bool *items;
    uint32_t capacity;
};

static bool mark_optional(struct parser *p, struct mark_list *l, uint32_t index)
{
    if (index >= l->capacity) {
        uint32_t capacity = index < 8 ? 16 : index * 2;
        bool *items = arena_array(p->c->arena, capacity, sizeof(bool));
        if (items == NULL) {
            return compile_memory(p->c);
        }
        if (l->capacity > 0) {
            memcpy(items, l->items, l->capacity * sizeof(bool));
        }
        *l = (struct mark_list){items, capacity};
    }
    l->items[index] = true;
    return true;
}

/* What the node keeps: a mark for each element, or null when none has one. */
static bool *marks_of(struct parser *p, struct mark_list *l, uint32_t count)
{
    if (l->capacity > 0 && count > l->capacity) {
        bool *items = arena_array(p->c->arena, count, sizeof(bool));
        if (items != NULL) {
            memcpy(items, l->items, l->capacity * sizeof(bool));
        }
        compile_memory(p->c);
        return items;
    }
    return l->items;
}

static struct cel_node *parse_list(struct parser *p)
{
    uint32_t from = p->token.from;
    struct node_list items = {0};
    struct mark_list marks = {0};
    parser_advance(p);
    while (!parser_at(p, ']')) {
        if ((parser_take(p, '?') && !mark_optional(p, &marks, items.count)) ||
            !node_list_add(p, &items, parse_expr(p))) {
            return NULL;
        }
        if (!parser_take(p, ',')) {
            break;
        }
    }
    if (!parser_expect(p, ']', "',' or ']'")) {
        return NULL;
    }
    struct cel_node *n = node_new(p->c, NODE_LIST, from, p->end);
    if (n != NULL) {
        n->optionals = marks_of(p, &marks, items.count);
    }
    return node_with(p->c, n, items.items, items.count);
}

static struct cel_node *parse_map(struct parser *p)
{
    uint32_t from = p->token.from;
    struct node_list items = {0};
    struct mark_list marks = {0};
    parser_advance(p);
    while (!parser_at(p, '}')) {
        if ((parser_take(p, '?') && !mark_optional(p, &marks, items.count / 2)) ||
            !node_list_add(p, &items, parse_expr(p)) || !parser_expect(p, ':', "':'") ||
            !node_list_add(p, &items, parse_expr(p))) {
            return NULL;
        }
        if (!parser_take(p, ',')) {
            break;
        }
    }
    if (!parser_expect(p, '}', "',' or '}'")) {
        return NULL;
    }
    struct cel_node *n = node_new(p->c, NODE_MAP, from, p->end);
    if (n != NULL) {
        n->optionals = marks_of(p, &marks, items.count / 2);
    }
    return node_with(p->c, n, items.items, items.count);
}

static struct cel_node *parse_group(struct parser *p)
{
    uint32_t from = p->token.from;
    parser_advance(p);
    struct cel_node *n = parse_expr(p);
    if (n == NULL || !parser_expect(p, ')', "')'")) {
        return NULL;
    }
    n->from = from;
    n->to = p->end;
    n->grouped = true;
    return n;
}

static struct cel_node *parse_word(struct parser *p)
{
    struct str word = parser_text(p);
    uint32_t from = p->token.from;
    bool is_true = str_eq(word, STR("true"));
    if (is_true || str_eq(word, STR("false"))) {
        parser_advance(p);
        return constant(p, from, cel_of_bool(is_true));
    }
    if (str_eq(word, STR("null"))) {
        parser_advance(p);
        return constant(p, from, cel_of_null());
    }
    return parse_ident(p);
}

struct cel_node *parse_primary(struct parser *p)
{
    switch (p->token.kind) {
    case TOKEN_IDENT:
        return parse_word(p);
    case TOKEN_INT:
    case TOKEN_UINT:
    case TOKEN_DOUBLE:
        return parse_number(p, false, p->token.from);
    case TOKEN_STRING:
        return parse_text(p, false);
    case TOKEN_BYTES:
        return parse_text(p, true);
    default:
        break;
    }
    if (parser_at(p, '(')) {
        return parse_group(p);
    }
    if (parser_at(p, '[')) {
        return parse_list(p);
    }
    if (parser_at(p, '{')) {
        return parse_map(p);
    }
    return parser_at(p, '.') ? parse_ident(p) : parser_unexpected(p, "an expression");
}
