/*
 * cel/parser - the parser's state, shared by its three files; for this folder.
 *
 * parser.c has the operators and the way in, parser_primary.c what an expression starts with,
 * parser_tokens.c the steps from one token to the next.
 */
#ifndef CEL_PARSER_H
#define CEL_PARSER_H

#include "cel/lexer.h"
#include "cel/node.h"

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

/* Takes the token. */
void parser_advance(struct parser *p);
bool parser_at(const struct parser *p, int op);
/* Takes the punctuator when it stands here. */
bool parser_take(struct parser *p, int op);
/* The same; a failure otherwise, which says what was wanted. */
bool parser_expect(struct parser *p, int op, const char *wanted);
struct str parser_text(const struct parser *p);
/* Fails because of the token; null. */
void *parser_unexpected(struct parser *p, const char *wanted);
/* False when n is null, which was told, or there is no memory. */
bool node_list_add(struct parser *p, struct node_list *l, struct cel_node *n);

struct cel_node *parse_expr(struct parser *p);
struct cel_node *parse_primary(struct parser *p);
/* A number; from is the minus when negative. */
struct cel_node *parse_number(struct parser *p, bool negative, uint32_t from);
/* A call whose opening parenthesis was taken. target null: global. */
struct cel_node *parse_call(struct parser *p, struct cel_node *target, struct str name,
                            uint32_t from, bool absolute);

#endif
