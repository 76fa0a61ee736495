#include "cel/parser.h"

#include "value/utf8.h"

#include <string.h>

void parser_advance(struct parser *p)
{
    p->end = p->token.to;
    p->token = lexer_next(&p->lexer);
}

bool parser_at(const struct parser *p, int op)
{
    return p->token.kind == TOKEN_PUNCT && p->token.op == op;
}

bool parser_take(struct parser *p, int op)
{
    if (!parser_at(p, op)) {
        return false;
    }
    parser_advance(p);
    return true;
}

struct str parser_text(const struct parser *p)
{
    return str_slice(p->lexer.text, p->token.from, p->token.to);
}

void *parser_unexpected(struct parser *p, const char *wanted)
{
    const struct token *t = &p->token;
    if (t->kind == TOKEN_BAD) {
        return compile_fail(p->c, RC_INVALID, t->from, "%s", t->what);
    }
    if (t->kind == TOKEN_END) {
        return compile_fail(p->c, RC_INVALID, t->from, "expected %s, not the end", wanted);
    }
    struct str text = utf8_clip(parser_text(p), 40);
    return compile_fail(p->c, RC_INVALID, t->from, "expected %s, not '%.*s'", wanted,
                        STR_ARG(text));
}

bool parser_expect(struct parser *p, int op, const char *wanted)
{
    if (parser_take(p, op)) {
        return true;
    }
    parser_unexpected(p, wanted);
    return false;
}

bool node_list_add(struct parser *p, struct node_list *l, struct cel_node *n)
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
