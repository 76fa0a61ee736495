#include "cel/lexer.h"

#include <string.h>

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static char peek(const struct lexer *l, uint32_t ahead)
{
    return l->at + ahead < l->text.len ? l->text.ptr[l->at + ahead] : '\0';
}

static void skip_blank(struct lexer *l)
{
    while (l->at < l->text.len) {
        char c = peek(l, 0);
        if (c == '/' && peek(l, 1) == '/') {
            while (l->at < l->text.len && peek(l, 0) != '\n' && peek(l, 0) != '\r') {
                l->at++;
            }
        } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f') {
            l->at++;
        } else {
            return;
        }
    }
}

static struct token token_from(const struct lexer *l, enum token_kind kind, uint32_t from)
{
    return (struct token){.kind = kind, .from = from, .to = l->at};
}

static struct token token_bad(const struct lexer *l, uint32_t from, const char *what)
{
    return (struct token){.kind = TOKEN_BAD, .from = from, .to = l->at, .what = what};
}

static void skip_digits(struct lexer *l)
{
    while (is_digit(peek(l, 0))) {
        l->at++;
    }
}

/* True when there was an exponent. */
static bool skip_exponent(struct lexer *l)
{
    if (peek(l, 0) != 'e' && peek(l, 0) != 'E') {
        return false;
    }
    uint32_t sign = peek(l, 1) == '+' || peek(l, 1) == '-' ? 1 : 0;
    if (!is_digit(peek(l, 1 + sign))) {
        return false;
    }
    l->at += 1 + sign;
    skip_digits(l);
    return true;
}

static struct token number_end(struct lexer *l, enum token_kind kind, uint32_t from)
{
    if (kind == TOKEN_INT && (peek(l, 0) == 'u' || peek(l, 0) == 'U')) {
        l->at++;
        kind = TOKEN_UINT;
    }
    if (is_letter(peek(l, 0)) || is_digit(peek(l, 0))) {
        return token_bad(l, from, "a number must end before a letter");
    }
    return token_from(l, kind, from);
}

static struct token lex_number(struct lexer *l)
{
    uint32_t from = l->at;
    if (peek(l, 0) == '0' && (peek(l, 1) == 'x' || peek(l, 1) == 'X') && is_hex(peek(l, 2))) {
        l->at += 2;
        while (is_hex(peek(l, 0))) {
            l->at++;
        }
        return number_end(l, TOKEN_INT, from);
    }
    skip_digits(l);
    enum token_kind kind = TOKEN_INT;
    if (peek(l, 0) == '.' && is_digit(peek(l, 1))) {
        kind = TOKEN_DOUBLE;
        l->at++;
        skip_digits(l);
    }
    if (skip_exponent(l)) {
        kind = TOKEN_DOUBLE;
    }
    return number_end(l, kind, from);
}

/* At the opening quote; prefix letters are behind. */
static struct token lex_text(struct lexer *l, uint32_t from, bool raw, bool bytes)
{
    char quote = peek(l, 0);
    bool triple = peek(l, 1) == quote && peek(l, 2) == quote;
    uint32_t width = triple ? 3 : 1;
    l->at += width;
    while (l->at < l->text.len) {
        char c = peek(l, 0);
        if (c == quote && (!triple || (peek(l, 1) == quote && peek(l, 2) == quote))) {
            l->at += width;
            return token_from(l, bytes ? TOKEN_BYTES : TOKEN_STRING, from);
        }
        if (!triple && (c == '\n' || c == '\r')) {
            break;
        }
        l->at += c == '\\' && !raw && l->at + 1 < l->text.len ? 2 : 1;
    }
    return token_bad(l, from, "a string that does not end");
}

/* The prefix of a string that starts here: r, b, br in either case. False: it is none. */
static bool text_prefix(const struct lexer *l, uint32_t *ret_len, bool *ret_raw, bool *ret_bytes)
{
    uint32_t n = 0;
    *ret_bytes = peek(l, n) == 'b' || peek(l, n) == 'B';
    n += *ret_bytes;
    *ret_raw = peek(l, n) == 'r' || peek(l, n) == 'R';
    n += *ret_raw;
    *ret_len = n;
    return peek(l, n) == '"' || peek(l, n) == '\'';
}

static struct token lex_quoted(struct lexer *l)
{
    uint32_t from = l->at++;
    while (l->at < l->text.len && peek(l, 0) != '`') {
        char c = peek(l, 0);
        if (!is_letter(c) && !is_digit(c) && strchr(".-/ ", c) == NULL) {
            return token_bad(l, from, "a quoted name takes letters, digits and _ . - / space");
        }
        l->at++;
    }
    if (l->at >= l->text.len || l->at == from + 1) {
        return token_bad(l, from, "a quoted name that is empty or does not end");
    }
    l->at++;
    return token_from(l, TOKEN_QUOTED, from);
}

static struct token lex_punct(struct lexer *l)
{
    static const char doubles[][3] = {"&&", "||", "==", "!=", "<=", ">="};
    uint32_t from = l->at;
    char c = peek(l, 0);
    for (size_t i = 0; i < sizeof doubles / sizeof doubles[0]; i++) {
        if (c == doubles[i][0] && peek(l, 1) == doubles[i][1]) {
            l->at += 2;
            struct token t = token_from(l, TOKEN_PUNCT, from);
            t.op = PUNCT2(c, doubles[i][1]);
            return t;
        }
    }
    if (c == '\0' || strchr("()[]{}.,:?!<>+-*/%", c) == NULL) {
        l->at++;
        return token_bad(l, from, "a character that means nothing here");
    }
    l->at++;
    struct token t = token_from(l, TOKEN_PUNCT, from);
    t.op = (unsigned char)c;
    return t;
}

struct token lexer_next(struct lexer *l)
{
    skip_blank(l);
    uint32_t from = l->at;
    if (from >= l->text.len) {
        return token_from(l, TOKEN_END, from);
    }
    char c = peek(l, 0);
    uint32_t prefix;
    bool raw;
    bool bytes;
    if (text_prefix(l, &prefix, &raw, &bytes)) {
        l->at += prefix;
        return lex_text(l, from, raw, bytes);
    }
    if (is_letter(c)) {
        while (is_letter(peek(l, 0)) || is_digit(peek(l, 0))) {
            l->at++;
        }
        return token_from(l, TOKEN_IDENT, from);
    }
    if (is_digit(c) || (c == '.' && is_digit(peek(l, 1)))) {
        return lex_number(l);
    }
    return c == '`' ? lex_quoted(l) : lex_punct(l);
}

static bool word_among(struct str word, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (str_eq(word, str_from(*words))) {
            return true;
        }
    }
    return false;
}

bool word_is_keyword(struct str word)
{
    static const char *const words[] = {"true", "false", "null", "in", NULL};
    return word_among(word, words);
}

bool word_is_reserved(struct str word)
{
    static const char *const words[] = {
        "as",  "break", "const",   "continue",  "else",   "for", "function", "if",    "import",
        "let", "loop",  "package", "namespace", "return", "var", "void",     "while", NULL};
    return word_among(word, words);
}
