/*
 * redact/redact_internal - a text that is scanned, and what was found in it.
 *
 * scan.c walks the text once and hands each byte that may belong to a secret to a finder: tokens.c
 * and pem.c know secrets by what they look like, fields.c by what stands before them. Finders add
 * spans, which may overlap; replace.c merges them and writes the text anew.
 *
 * Markers are walls. A text [redacted:...] is never looked into, no run of characters goes beyond
 * it, and a token or a name that touches one is none. Without that a second pass could find what
 * the first one did not, because its neighbour had changed.
 */
#ifndef REDACT_REDACT_INTERNAL_H
#define REDACT_REDACT_INTERNAL_H

#include "crypto/crypto.h"
#include "redact/redact.h"
#include "value/schema_pattern.h"

enum {
    NAME_SEEN_MAX = 128, /* bytes of a name that are looked at, from its end */
    SPACES_MAX = 64,     /* between a name and its value */
    MARKER_HEX = 16,
};

/* How a secret was found; the lower wins where two found the same bytes. */
enum rank { RANK_TOKEN, RANK_FIELD, RANK_PATTERN };

struct span {
    size_t from;
    size_t to;
    struct str type;
    enum rank rank;
};

struct compiled_pattern {
    struct str type;
    const struct pattern *pattern;
};

enum { TOKENS_MAX = 64, TOKEN_NONE = 0xff };

/* Rows of the table of tokens by two of their bytes, so that most looks end after one look-up. */
struct token_index {
    uint8_t first[256];
    uint8_t next[TOKENS_MAX];
};

struct redactor {
    uint8_t key[REDACT_KEY_LEN];
    struct arena *arena;
    struct compiled_pattern patterns[REDACT_PATTERNS_MAX];
    size_t pattern_count;
    struct token_index tokens;
};

/* One call of redact_value or redact_text. */
struct pass {
    const struct redactor *redactor;
    struct arena *arena;
    struct err *err;
    uint32_t count; /* secrets replaced */
    uint64_t work;
    uint32_t found; /* spans added, over all texts */
    /* Of the text at hand. */
    struct span *spans;
    uint32_t span_count;
    uint32_t span_capacity;
    enum rc rc; /* sticky */
};

struct scan {
    struct pass *pass;
    struct str text;
    size_t settled;   /* what a field said ends here: fields inside it are not looked for */
    size_t token_end; /* the same for tokens */
    size_t key_end;   /* and for private keys */
    /* The last word that was read, up to a blank or the like; cut when a marker ends it. */
    size_t word_from;
    size_t word_to;
    bool word_is_cut;
};

/* scan.c: every span of the text, in pass->spans, in no order. */
void scan_text(struct pass *p, struct str text);
void scan_add(struct scan *s, struct span found);
void pass_add(struct pass *p, struct span found);
enum rc pass_out_of_memory(struct pass *p);

/* The rest of a text from a place on is a secret because of a name. */
struct field {
    size_t from;
    struct str type;
    bool may_be_flag; /* the word after --password: none when it is a flag itself */
};

/* What became of one text. */
struct replaced {
    bool whole;      /* one secret, with nothing but white space around it */
    struct str type; /* of it */
    struct digest digest;
};

/* replace.c */
/*
 * Finds the secrets of a text; field may be null. False when there is none; otherwise they are in
 * pass->spans, merged and in order.
 */
bool text_find(struct pass *p, struct str text, const struct field *field, struct replaced *ret);
/* The text with a marker for each of the spans. */
struct str text_replace(struct pass *p, struct str text);
struct digest secret_digest(const struct pass *p, struct str secret);

/* values.c */
void value_redact(struct pass *p, struct value *v);

/* marker.c: the length of the marker that begins at at, or 0; whether one ends there. */
size_t marker_len(struct str text, size_t at);
bool marker_ends(struct str text, size_t at);
bool marker_type_valid(struct str type);
bool is_hash(struct str hex, size_t digits);
/* Bytes of a marker of this type, and the marker itself; out has room for them. */
size_t marker_size(struct str type);
void marker_write(char *out, struct str type, const struct digest *d);

/* names.c: the type of what a name says is secret, or the empty string. */
struct str name_secret(struct str name);
bool is_authorization(struct str type);

/* fields.c: each is called at the byte that it is named after. */
void find_after_equals(struct scan *s, size_t at);
void find_after_colon(struct scan *s, size_t at);
void find_after_flag(struct scan *s, size_t at);
void find_after_bearer(struct scan *s, size_t at);
/* Length of "Bearer " and the like with the spaces behind it, or 0. */
size_t scheme_len(struct str text);

/* no_secret.c: env:NAME, file:/path, ${NAME}, $NAME, true, ***; and -h, --host. */
bool is_no_secret(struct str value);
bool looks_like_flag(struct str word);

/* tokens.c, pem.c */
void token_index_init(struct token_index *x);
void find_token(struct scan *s, size_t at);
void find_jwt(struct scan *s, size_t at);
void find_pem(struct scan *s, size_t at);

static inline bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static inline bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static inline bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool is_alnum(char c)
{
    return is_lower(c) || is_upper(c) || is_digit(c);
}

static inline char to_lower(char c)
{
    return is_upper(c) ? (char)(c + ('a' - 'A')) : c;
}

static inline bool is_name_char(char c)
{
    return is_alnum(c) || c == '_' || c == '-' || c == '.';
}

/* White space and every other control character. */
static inline bool is_blank(char c)
{
    return (unsigned char)c <= ' ' || c == 0x7f;
}

#endif
