/*
 * cel/lexer - the words of an expression; for this folder.
 *
 * Source: cel-spec doc/langdef.md, "Syntax".
 */
#ifndef CEL_LEXER_H
#define CEL_LEXER_H

#include "base/str.h"

enum token_kind {
    TOKEN_END,
    TOKEN_IDENT,
    TOKEN_QUOTED, /* `a-b` */
    TOKEN_INT,
    TOKEN_UINT,
    TOKEN_DOUBLE,
    TOKEN_STRING,
    TOKEN_BYTES,
    TOKEN_PUNCT, /* one or two characters, in op */
    TOKEN_BAD,   /* what says why */
};

/* A punctuator as a number: PUNCT2('&', '&'). */
#define PUNCT2(a, b) (((a) << 8) | (b))

struct token {
    enum token_kind kind;
    int op;
    uint32_t from;
    uint32_t to;
    const char *what;
};

struct lexer {
    struct str text;
    uint32_t at;
};

/* The next token; at the end TOKEN_END again and again. */
struct token lexer_next(struct lexer *l);

/* Literals by their text. False: what says why. */
bool literal_int(struct str text, bool negative, int64_t *ret, const char **what);
bool literal_uint(struct str text, uint64_t *ret, const char **what);
/* Any of the quoted forms, with prefixes. out has room for text.len bytes. */
bool literal_text(struct str text, bool bytes, char *out, size_t *ret_len, const char **what);
/* true, false, null, in. */
bool word_is_keyword(struct str word);
/* Words kept for host languages: no names of variables. */
bool word_is_reserved(struct str word);

#endif
