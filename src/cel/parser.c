/*
 * The parser: recursive descent over the grammar, macros expanded as their calls are read.
 *
 * Chains of && and || become one node with many children, so that a long policy is not a deep one.
 * Source: cel-spec doc/langdef.md "Syntax", with the optional syntax and quoted fields of cel-go.
 */
#include "cel/lexer.h"
#include "cel/node.h"

#include <stdlib.h>
#include <string.h>

struct parser {
    struct compiler *c;
    struct lexer lexer;
    struct token token; /* not taken yet */
    uint32_t end;       /* of the last token that was taken */
    uint32_t depth;
};

struct node_list {
    struct cel_node **items;
    uint32_t count;
    uint32_t capacity;
};

static struct cel_node *parse_expr(struct parser *p);
static struct cel_node *parse_unary(struct parser *p);

static void advance(struct parser *p)
{
    p->end = p->token.to;
    p->token = lexer_next(&p->lexer);
}

static bool is_op(const struct parser *p, int op)
{
    return p->token.kind == TOKEN_PUNCT && p->token.op == op;
}

static bool take_op(struct parser *p, int op)
{
    if (!is_op(p, op)) {
        return false;
    }
    advance(p);
    return true;
}

static struct str token_text(const struct parser *p)
{
    return str_slice(p->lexer.text, p->token.from, p->token.to);
}

static void *unexpected(struct parser *p, const char *wanted)
{
    const struct token *t = &p->token;
    if (t->kind == TOKEN_BAD) {
        return compile_fail(p->c, RC_INVALID, t->from, "%s", t->what);
    }
    if (t->kind == TOKEN_END) {
        return compile_fail(p->c, RC_INVALID, t->from, "expected %s, not the end", wanted);
    }
    struct str text = token_text(p);
    text.len = text.len < 40 ? text.len : 40;
    return compile_fail(p->c, RC_INVALID, t->from, "expected %s, not '%.*s'", wanted,
                        STR_ARG(text));
}

static bool expect_op(struct parser *p, int op, const char *wanted)
{
    if (take_op(p, op)) {
        return true;
    }
    unexpected(p, wanted);
    return false;
}

/* False when n is null, which was told, or there is no memory. */
static bool list_add(struct parser *p, struct node_list *l, struct cel_node *n)
{
    if (n == NULL) {
        return false;
    }
    if (l->count == l->capacity) {
        uint32_t capacity = l->capacity == 0 ? 4 : l->capacity * 2;
        struct cel_node **items = arena_array(p->c->arena, capacity, sizeof(struct cel_node *));
        if (items == NULL) {
            return compile_memory(p->c);
        }
        if (l->count > 0) {
            memcpy(items, l->items, l->count * sizeof(struct cel_node *));
        }
        l->items = items;
        l->capacity = capacity;
    }
    l->items[l->count++] = n;
    return true;
}

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
    struct str text = token_text(p);
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
    advance(p);
    struct str s = {out, len};
    return constant(p, from, bytes ? cel_of_bytes(s) : cel_of_str(s));
}

/* from is the minus when negative. */
static struct cel_node *parse_number(struct parser *p, bool negative, uint32_t from)
{
    struct str text = token_text(p);
    const char *what = NULL;
    struct cel_value v = cel_of_null();
    if (p->token.kind == TOKEN_DOUBLE) {
        char c[512];
        double n;
        if (!str_to_c(text, c, sizeof c)) {
            return compile_fail(p->c, RC_LIMIT, from, "a number longer than %d digits",
                                (int)sizeof c - 1);
        }
        n = strtod(c, NULL);
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
    advance(p);
    return constant(p, from, v);
}

/* Up to the closing parenthesis, which is taken. */
static bool parse_args(struct parser *p, struct node_list *ret)
{
    if (take_op(p, ')')) {
        return true;
    }
    do {
        if (!list_add(p, ret, parse_expr(p))) {
            return false;
        }
    } while (take_op(p, ','));
    return expect_op(p, ')', "',' or ')'");
}

/* A call whose opening parenthesis was taken. target null: global. */
static struct cel_node *parse_call(struct parser *p, struct cel_node *target, struct str name,
                                   uint32_t from, bool absolute)
{
    struct node_list args = {0};
    if ((target != NULL && !list_add(p, &args, target)) || !parse_args(p, &args)) {
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
    bool absolute = take_op(p, '.');
    struct str name = token_text(p);
    if (p->token.kind != TOKEN_IDENT || word_is_keyword(name)) {
        return unexpected(p, "a name");
    }
    if (word_is_reserved(name)) {
        return compile_fail(p->c, RC_INVALID, p->token.from, "'%.*s' is a reserved word",
                            STR_ARG(name));
    }
    advance(p);
    if (take_op(p, '(')) {
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
    advance(p);
    while (!is_op(p, ']')) {
        if ((take_op(p, '?') && !mark_optional(p, &marks, items.count)) ||
            !list_add(p, &items, parse_expr(p))) {
            return NULL;
        }
        if (!take_op(p, ',')) {
            break;
        }
    }
    if (!expect_op(p, ']', "',' or ']'")) {
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
    advance(p);
    while (!is_op(p, '}')) {
        if ((take_op(p, '?') && !mark_optional(p, &marks, items.count / 2)) ||
            !list_add(p, &items, parse_expr(p)) || !expect_op(p, ':', "':'") ||
            !list_add(p, &items, parse_expr(p))) {
            return NULL;
        }
        if (!take_op(p, ',')) {
            break;
        }
    }
    if (!expect_op(p, '}', "',' or '}'")) {
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
    advance(p);
    struct cel_node *n = parse_expr(p);
    if (n == NULL || !expect_op(p, ')', "')'")) {
        return NULL;
    }
    n->from = from;
    n->to = p->end;
    n->grouped = true;
    return n;
}

static struct cel_node *parse_word(struct parser *p)
{
    struct str word = token_text(p);
    uint32_t from = p->token.from;
    bool is_true = str_eq(word, STR("true"));
    if (is_true || str_eq(word, STR("false"))) {
        advance(p);
        return constant(p, from, cel_of_bool(is_true));
    }
    if (str_eq(word, STR("null"))) {
        advance(p);
        return constant(p, from, cel_of_null());
    }
    return parse_ident(p);
}

static struct cel_node *parse_primary(struct parser *p)
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
    if (is_op(p, '(')) {
        return parse_group(p);
    }
    if (is_op(p, '[')) {
        return parse_list(p);
    }
    if (is_op(p, '{')) {
        return parse_map(p);
    }
    return is_op(p, '.') ? parse_ident(p) : unexpected(p, "an expression");
}

/* Behind the dot. */
static struct cel_node *parse_select(struct parser *p, struct cel_node *of)
{
    bool optional = take_op(p, '?');
    struct str name = token_text(p);
    bool quoted = p->token.kind == TOKEN_QUOTED;
    if (quoted) {
        name = str_slice(name, 1, name.len - 1);
    } else if (p->token.kind != TOKEN_IDENT || word_is_keyword(name)) {
        return unexpected(p, "a field's name");
    }
    advance(p);
    if (!quoted && !optional && take_op(p, '(')) {
        return parse_call(p, of, name, of->from, false);
    }
    struct cel_node *n = node_new(p->c, NODE_SELECT, of->from, p->end);
    if (n == NULL) {
        return NULL;
    }
    n->name = name;
    n->quoted = quoted;
    n->optional = optional;
    return node_with(p->c, n, &of, 1);
}

static struct cel_node *parse_index(struct parser *p, struct cel_node *of)
{
    bool optional = take_op(p, '?');
    struct cel_node *key = parse_expr(p);
    if (key == NULL || !expect_op(p, ']', "']'")) {
        return NULL;
    }
    struct cel_node *n = node_new(p->c, NODE_INDEX, of->from, p->end);
    if (n == NULL) {
        return NULL;
    }
    n->optional = optional;
    return node_with(p->c, n, (struct cel_node *const[]){of, key}, 2);
}

static bool is_qualified(const struct cel_node *n)
{
    while (n->op == NODE_SELECT && !n->quoted && !n->optional && !n->grouped) {
        n = n->kids[0];
    }
    return n->op == NODE_IDENT && !n->grouped;
}

/* Type{field: value}; nothing can be made that way, which the checker says. */
static struct cel_node *parse_struct(struct parser *p, struct cel_node *of)
{
    struct node_list items = {0};
    if (!list_add(p, &items, of)) {
        return NULL;
    }
    while (!is_op(p, '}')) {
        take_op(p, '?');
        if (p->token.kind != TOKEN_IDENT && p->token.kind != TOKEN_QUOTED) {
            return unexpected(p, "a field's name");
        }
        advance(p);
        if (!expect_op(p, ':', "':'") || !list_add(p, &items, parse_expr(p))) {
            return NULL;
        }
        if (!take_op(p, ',')) {
            break;
        }
    }
    if (!expect_op(p, '}', "',' or '}'")) {
        return NULL;
    }
    struct cel_node *n = node_new(p->c, NODE_STRUCT, of->from, p->end);
    return node_with(p->c, n, items.items, items.count);
}

static struct cel_node *parse_member_of(struct parser *p, struct cel_node *n)
{
    while (n != NULL) {
        if (take_op(p, '.')) {
            n = parse_select(p, n);
        } else if (take_op(p, '[')) {
            n = parse_index(p, n);
        } else if (is_op(p, '{') && is_qualified(n)) {
            advance(p);
            n = parse_struct(p, n);
        } else {
            return n;
        }
    }
    return NULL;
}

static struct cel_node *operation(struct parser *p, const char *name, uint32_t from,
                                  struct cel_node *const *kids, uint32_t count)
{
    struct cel_node *n = node_new(p->c, NODE_CALL, from, p->end);
    if (n != NULL) {
        n->name = str_from(name);
    }
    return node_with(p->c, n, kids, count);
}

/*
 * A run of ! or -: two of them are kept as two, which checks the operand's type, and an even or odd
 * rest means nothing more. A minus before a number is part of the literal.
 */
static struct cel_node *parse_prefixed(struct parser *p, int op)
{
    uint32_t from = p->token.from;
    uint32_t last = from;
    uint32_t count = 0;
    while (is_op(p, op)) {
        last = p->token.from;
        count++;
        advance(p);
    }
    struct cel_node *n;
    if (op == '-' && (p->token.kind == TOKEN_INT || p->token.kind == TOKEN_DOUBLE)) {
        count--;
        n = parse_member_of(p, parse_number(p, true, last));
    } else {
        n = parse_member_of(p, parse_primary(p));
    }
    uint32_t kept = count == 0 ? 0 : 2 - count % 2;
    for (uint32_t i = 0; i < kept && n != NULL; i++) {
        n = operation(p, op == '!' ? "!_" : "-_", from, &n, 1);
    }
    return n;
}

static struct cel_node *parse_unary(struct parser *p)
{
    if (is_op(p, '!')) {
        return parse_prefixed(p, '!');
    }
    if (is_op(p, '-')) {
        return parse_prefixed(p, '-');
    }
    return parse_member_of(p, parse_primary(p));
}

struct operator
{
    int op;
    const char *name;
};

/* The name of the operator that stands here, or null. */
static const char *operator_here(const struct parser *p, const struct operator* table)
{
    for (; table->name != NULL; table++) {
        if (is_op(p, table->op)) {
            return table->name;
        }
    }
    return NULL;
}

static struct cel_node *parse_multiplication(struct parser *p)
{
    static const struct operator table[] = {{'*', "_*_"}, {'/', "_/_"}, {'%', "_%_"}, {0, NULL}};
    struct cel_node *left = parse_unary(p);
    const char *name;
    while (left != NULL && (name = operator_here(p, table)) != NULL) {
        advance(p);
        struct cel_node *right = parse_unary(p);
        left = right == NULL
                   ? NULL
                   : operation(p, name, left->from, (struct cel_node *const[]){left, right}, 2);
    }
    return left;
}

static struct cel_node *parse_addition(struct parser *p)
{
    static const struct operator table[] = {{'+', "_+_"}, {'-', "_-_"}, {0, NULL}};
    struct cel_node *left = parse_multiplication(p);
    const char *name;
    while (left != NULL && (name = operator_here(p, table)) != NULL) {
        advance(p);
        struct cel_node *right = parse_multiplication(p);
        left = right == NULL
                   ? NULL
                   : operation(p, name, left->from, (struct cel_node *const[]){left, right}, 2);
    }
    return left;
}

static const char *relation_here(const struct parser *p)
{
    static const struct operator table[] = {{PUNCT2('=', '='), "_==_"},
                                            {PUNCT2('!', '='), "_!=_"},
                                            {PUNCT2('<', '='), "_<=_"},
                                            {PUNCT2('>', '='), "_>=_"},
                                            {'<', "_<_"},
                                            {'>', "_>_"},
                                            {0, NULL}};
    if (p->token.kind == TOKEN_IDENT && str_eq(token_text(p), STR("in"))) {
        return "@in";
    }
    return operator_here(p, table);
}

static struct cel_node *parse_relation(struct parser *p)
{
    struct cel_node *left = parse_addition(p);
    const char *name;
    while (left != NULL && (name = relation_here(p)) != NULL) {
        advance(p);
        struct cel_node *right = parse_addition(p);
        left = right == NULL
                   ? NULL
                   : operation(p, name, left->from, (struct cel_node *const[]){left, right}, 2);
    }
    return left;
}

/* A chain of && or of ||, or the one operand that there is. */
static struct cel_node *parse_chain(struct parser *p, bool is_or)
{
    int op = is_or ? PUNCT2('|', '|') : PUNCT2('&', '&');
    struct node_list operands = {0};
    do {
        struct cel_node *n = is_or ? parse_chain(p, false) : parse_relation(p);
        if (!is_op(p, op) && operands.count == 0) {
            return n;
        }
        if (!list_add(p, &operands, n)) {
            return NULL;
        }
    } while (take_op(p, op));
    struct cel_node *n =
        node_new(p->c, is_or ? NODE_OR : NODE_AND, operands.items[0]->from, p->end);
    if (n != NULL) {
        n->name = is_or ? STR("_||_") : STR("_&&_");
    }
    return node_with(p->c, n, operands.items, operands.count);
}

static struct cel_node *parse_conditional(struct parser *p)
{
    struct cel_node *condition = parse_chain(p, true);
    if (condition == NULL || !take_op(p, '?')) {
        return condition;
    }
    struct cel_node *yes = parse_chain(p, true);
    if (yes == NULL || !expect_op(p, ':', "':'")) {
        return NULL;
    }
    struct cel_node *no = parse_expr(p);
    if (no == NULL) {
        return NULL;
    }
    struct cel_node *n = node_new(p->c, NODE_IF, condition->from, p->end);
    if (n != NULL) {
        n->name = STR("_?_:_");
    }
    return node_with(p->c, n, (struct cel_node *const[]){condition, yes, no}, 3);
}

static struct cel_node *parse_expr(struct parser *p)
{
    if (p->depth >= CEL_DEPTH_MAX) {
        return compile_fail(p->c, RC_LIMIT, p->token.from,
                            "more than %d expressions inside each other", (int)CEL_DEPTH_MAX);
    }
    p->depth++;
    struct cel_node *n = parse_conditional(p);
    p->depth--;
    return n;
}

struct cel_node *cel_parse(struct compiler *c)
{
    struct parser p = {.c = c, .lexer = {.text = c->program->text}};
    p.token = lexer_next(&p.lexer);
    struct cel_node *n = parse_expr(&p);
    if (n != NULL && p.token.kind != TOKEN_END) {
        return unexpected(&p, "an operator or the end");
    }
    return n;
}
