/*
 * The parser: recursive descent over the grammar, macros expanded as their calls are read.
 *
 * Chains of && and || become one node with many children, so that a long policy is not a deep one.
 * Source: cel-spec doc/langdef.md "Syntax", with the optional syntax and quoted fields of cel-go.
 */
#include "cel/parser.h"

/* Behind the dot. */
static struct cel_node *parse_select(struct parser *p, struct cel_node *of)
{
    bool optional = parser_take(p, '?');
    struct str name = parser_text(p);
    bool quoted = p->token.kind == TOKEN_QUOTED;
    if (quoted) {
        name = str_slice(name, 1, name.len - 1);
    } else if (p->token.kind != TOKEN_IDENT || word_is_keyword(name)) {
        return parser_unexpected(p, "a field's name");
    }
    parser_advance(p);
    if (!quoted && !optional && parser_take(p, '(')) {
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
    bool optional = parser_take(p, '?');
    struct cel_node *key = parse_expr(p);
    if (key == NULL || !parser_expect(p, ']', "']'")) {
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
    if (!node_list_add(p, &items, of)) {
        return NULL;
    }
    while (!parser_at(p, '}')) {
        parser_take(p, '?');
        if (p->token.kind != TOKEN_IDENT && p->token.kind != TOKEN_QUOTED) {
            return parser_unexpected(p, "a field's name");
        }
        parser_advance(p);
        if (!parser_expect(p, ':', "':'") || !node_list_add(p, &items, parse_expr(p))) {
            return NULL;
        }
        if (!parser_take(p, ',')) {
            break;
        }
    }
    if (!parser_expect(p, '}', "',' or '}'")) {
        return NULL;
    }
    struct cel_node *n = node_new(p->c, NODE_STRUCT, of->from, p->end);
    return node_with(p->c, n, items.items, items.count);
}

static struct cel_node *parse_member_of(struct parser *p, struct cel_node *n)
{
    while (n != NULL) {
        if (parser_take(p, '.')) {
            n = parse_select(p, n);
        } else if (parser_take(p, '[')) {
            n = parse_index(p, n);
        } else if (parser_at(p, '{') && is_qualified(n)) {
            parser_advance(p);
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
    while (parser_at(p, op)) {
        last = p->token.from;
        count++;
        parser_advance(p);
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
    if (parser_at(p, '!')) {
        return parse_prefixed(p, '!');
    }
    if (parser_at(p, '-')) {
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
        if (parser_at(p, table->op)) {
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
        parser_advance(p);
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
        parser_advance(p);
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
    if (p->token.kind == TOKEN_IDENT && str_eq(parser_text(p), STR("in"))) {
        return "@in";
    }
    return operator_here(p, table);
}

static struct cel_node *parse_relation(struct parser *p)
{
    struct cel_node *left = parse_addition(p);
    const char *name;
    while (left != NULL && (name = relation_here(p)) != NULL) {
        parser_advance(p);
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
        if (!parser_at(p, op) && operands.count == 0) {
            return n;
        }
        if (!node_list_add(p, &operands, n)) {
            return NULL;
        }
    } while (parser_take(p, op));
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
    if (condition == NULL || !parser_take(p, '?')) {
        return condition;
    }
    struct cel_node *yes = parse_chain(p, true);
    if (yes == NULL || !parser_expect(p, ':', "':'")) {
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

struct cel_node *parse_expr(struct parser *p)
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
        return parser_unexpected(&p, "an operator or the end");
    }
    return n;
}
