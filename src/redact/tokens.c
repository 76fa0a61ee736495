/* Secrets that are known by how they look: a published prefix, an alphabet, a length. */
#include "redact/redact_internal.h"

#include "base/encode.h"
#include "base/must.h"

#include <string.h>

enum alphabet { UPPER_DIGIT, ALNUM, WORD, DASHED, DOTTED, SLASHED };

/*
 * What follows the prefix is the longest run of its alphabet, at least min. Longer ones are taken
 * whole, since services lengthen their tokens, unless max says otherwise.
 */
struct token {
    struct str prefix;
    uint8_t at; /* index in prefix of the byte that the scan stops at: a rare one */
    enum alphabet alphabet;
    uint16_t min;
    uint16_t max; /* 0: none */
    struct str type;
};

#define TEXT(literal)                                                                              \
    {                                                                                              \
        "" literal, sizeof(literal) - 1                                                            \
    }
#define LAST(prefix, alphabet, min, type)                                                          \
    {                                                                                              \
        TEXT(prefix), sizeof(prefix) - 2, (alphabet), (min), 0, TEXT(type)                         \
    }

/* Sources: docs/redaction.md. */
static const struct token tokens[] = {
    {TEXT("AKIA"), 2, UPPER_DIGIT, 16, 16, TEXT("aws_access_key_id")},
    {TEXT("ASIA"), 2, UPPER_DIGIT, 16, 16, TEXT("aws_access_key_id")},
    {TEXT("AIza"), 1, DASHED, 35, 0, TEXT("google_api_key")},
    LAST("GOCSPX-", DASHED, 28, "google_client_secret"),
    LAST("ya29.", DASHED, 30, "google_token"),
    LAST("ghp_", WORD, 36, "github_token"),
    LAST("gho_", WORD, 36, "github_token"),
    LAST("ghu_", WORD, 36, "github_token"),
    LAST("ghs_", WORD, 36, "github_token"),
    LAST("ghr_", WORD, 36, "github_token"),
    LAST("github_pat_", WORD, 82, "github_token"),
    LAST("glpat-", DOTTED, 20, "gitlab_token"),
    LAST("gldt-", DOTTED, 20, "gitlab_token"),
    LAST("glrt-", DOTTED, 20, "gitlab_token"),
    LAST("glcbt-", DOTTED, 20, "gitlab_token"),
    LAST("glptt-", DOTTED, 20, "gitlab_token"),
    LAST("glft-", DOTTED, 20, "gitlab_token"),
    LAST("glimt-", DOTTED, 20, "gitlab_token"),
    LAST("glagent-", DOTTED, 20, "gitlab_token"),
    LAST("gloas-", DOTTED, 20, "gitlab_token"),
    LAST("glsoat-", DOTTED, 20, "gitlab_token"),
    LAST("glffct-", DOTTED, 20, "gitlab_token"),
    LAST("xoxb-", DASHED, 20, "slack_token"),
    LAST("xoxp-", DASHED, 20, "slack_token"),
    LAST("xoxa-", DASHED, 20, "slack_token"),
    LAST("xoxr-", DASHED, 20, "slack_token"),
    LAST("xoxs-", DASHED, 20, "slack_token"),
    LAST("xoxe-", DASHED, 20, "slack_token"),
    LAST("xoxc-", DASHED, 20, "slack_token"),
    LAST("xoxd-", DASHED, 20, "slack_token"),
    LAST("xapp-", DASHED, 20, "slack_token"),
    LAST("sk_live_", ALNUM, 16, "stripe_key"),
    LAST("sk_test_", ALNUM, 16, "stripe_key"),
    LAST("rk_live_", ALNUM, 16, "stripe_key"),
    LAST("rk_test_", ALNUM, 16, "stripe_key"),
    LAST("whsec_", SLASHED, 32, "webhook_secret"),
    LAST("npm_", ALNUM, 36, "npm_token"),
    LAST("pypi-", DASHED, 85, "pypi_token"),
    LAST("sk-", ALNUM, 48, "openai_key"),
    LAST("sk-proj-", DASHED, 40, "openai_key"),
    LAST("sk-svcacct-", DASHED, 40, "openai_key"),
    LAST("sk-admin-", DASHED, 40, "openai_key"),
    LAST("sk-ant-", DASHED, 80, "anthropic_key"),
    LAST("hvs.", DASHED, 24, "vault_token"),
    LAST("hvb.", DASHED, 24, "vault_token"),
    LAST("glsa_", WORD, 41, "grafana_token"),
};

static bool is_of(enum alphabet alphabet, char c)
{
    switch (alphabet) {
    case UPPER_DIGIT:
        return is_upper(c) || is_digit(c);
    case ALNUM:
        return is_alnum(c);
    case WORD:
        return is_alnum(c) || c == '_';
    case DASHED:
        return is_alnum(c) || c == '_' || c == '-';
    case DOTTED:
        return is_alnum(c) || c == '_' || c == '-' || c == '.';
    case SLASHED:
        return is_alnum(c) || c == '+' || c == '/' || c == '=';
    }
    return false;
}

/* Past the run of the alphabet that begins at at; no alphabet holds what a marker begins with. */
static size_t run_end(struct str text, size_t at, enum alphabet alphabet)
{
    while (at < text.len && is_of(alphabet, text.ptr[at])) {
        at++;
    }
    return at;
}

static bool begins_word(struct str text, size_t from, enum alphabet word)
{
    return from == 0 || (!is_of(word, text.ptr[from - 1]) && !marker_ends(text, from));
}

static bool ends_word(struct str text, size_t to)
{
    return to == text.len || (!is_of(WORD, text.ptr[to]) && marker_len(text, to) == 0);
}

static void add_token(struct scan *s, size_t from, size_t to, struct str type)
{
    s->token_end = to;
    scan_add(s, (struct span){from, to, type, RANK_TOKEN});
}

static void try_token(struct scan *s, size_t from, const struct token *t)
{
    size_t body = from + t->prefix.len;
    size_t to = run_end(s->text, body, t->alphabet);
    /* The full stop of a sentence. */
    while (t->alphabet == DOTTED && to > body && s->text.ptr[to - 1] == '.') {
        to--;
    }
    if (to - body >= t->min && (t->max == 0 || (to - body <= t->max && ends_word(s->text, to)))) {
        add_token(s, from, to, t->type);
    }
}

/* pawl_<role>_<43 of base64url>. */
static void try_own(struct scan *s, size_t at)
{
    if (at < 4 || memcmp(s->text.ptr + at - 4, "pawl", 4) != 0 ||
        !begins_word(s->text, at - 4, WORD)) {
        return;
    }
    size_t role_end = at + 1;
    while (role_end < s->text.len && is_lower(s->text.ptr[role_end])) {
        role_end++;
    }
    if (role_end == at + 1 || role_end == s->text.len || s->text.ptr[role_end] != '_') {
        return;
    }
    size_t to = run_end(s->text, role_end + 1, DASHED);
    if (to - (role_end + 1) >= 43) {
        add_token(s, at - 4, to, STR("pawl_token"));
    }
}

/* Which chain of rows the last byte that is looked at and the one before it lead to. */
static uint8_t chain_of(char before, char here)
{
    return (uint8_t)((uint8_t)before * 4 + (uint8_t)here);
}

void token_index_init(struct token_index *x)
{
    memset(x->first, TOKEN_NONE, sizeof x->first);
    must(sizeof tokens / sizeof *tokens <= TOKENS_MAX);
    for (size_t i = sizeof tokens / sizeof *tokens; i > 0; i--) {
        const struct token *t = &tokens[i - 1];
        uint8_t chain = chain_of(t->prefix.ptr[t->at - 1], t->prefix.ptr[t->at]);
        x->next[i - 1] = x->first[chain];
        x->first[chain] = (uint8_t)(i - 1);
    }
}

void find_token(struct scan *s, size_t at)
{
    /* A token inside the run of another: what it could add is covered. Also keeps glpat-glpat-...
     * from being run over again and again. */
    if (at < s->token_end || at == 0) {
        return;
    }
    char here = s->text.ptr[at];
    char before = s->text.ptr[at - 1];
    const struct token_index *x = &s->pass->redactor->tokens;
    for (uint8_t i = x->first[chain_of(before, here)]; i != TOKEN_NONE; i = x->next[i]) {
        const struct token *t = &tokens[i];
        if (at >= t->at && s->text.ptr[at - t->at] == t->prefix.ptr[0] &&
            str_starts(str_slice(s->text, at - t->at, s->text.len), t->prefix) &&
            begins_word(s->text, at - t->at, WORD)) {
            try_token(s, at - t->at, t);
        }
    }
    if (here == '_') {
        try_own(s, at);
    }
}

/* Whether part is base64url of bytes that end in '}'. */
static bool ends_in_brace(struct str part)
{
    uint8_t last[3];
    size_t len = 0;
    size_t from = (part.len - 1) / 4 * 4;
    return base64url_decode(str_slice(part, from, part.len), last, sizeof last, &len) && len > 0 &&
           last[len - 1] == '}';
}

/* at is on the J of eyJ: what base64url makes of {" and a letter. */
void find_jwt(struct scan *s, size_t at)
{
    enum { SIGNATURE_MIN = 16 }; /* without a signature it opens nothing */
    struct str text = s->text;
    if (at < 2 || at < s->token_end || text.ptr[at - 1] != 'y' || text.ptr[at - 2] != 'e' ||
        !begins_word(text, at - 2, DASHED)) {
        return;
    }
    size_t header = at - 2;
    size_t header_end = run_end(text, header, DASHED);
    size_t payload = header_end + 1;
    if (!str_starts(str_slice(text, header_end, text.len), STR(".eyJ"))) {
        return;
    }
    size_t payload_end = run_end(text, payload, DASHED);
    if (payload_end == text.len || text.ptr[payload_end] != '.') {
        return;
    }
    size_t to = run_end(text, payload_end + 1, DASHED);
    if (to - (payload_end + 1) >= SIGNATURE_MIN &&
        ends_in_brace(str_slice(text, header, header_end)) &&
        ends_in_brace(str_slice(text, payload, payload_end))) {
        add_token(s, header, to, STR("jwt"));
    }
}
