/* Patterns on PCRE2's automaton. The one file that includes its header. */
#include "cel/pattern.h"

#include "value/json.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/* Integers that the automaton wants for a state, at this place and at the next. */
enum { STATE_INTS = 3, WORKSPACE_INTS = CEL_PATTERN_STATES_MAX * STATE_INTS * 2 };

struct cel_matcher {
    pcre2_match_context *context;
    pcre2_match_data *data;
};

static void *take(PCRE2_SIZE size, void *arena)
{
    return arena_alloc(arena, size);
}

static void leave(void *memory, void *arena)
{
    (void)memory;
    (void)arena;
}

uint64_t cel_pattern_cost(uint32_t places)
{
    uint64_t n = places < CEL_PATTERN_STATES_MAX ? places : CEL_PATTERN_STATES_MAX;
    return 1 + n + n * n / 4;
}

static pcre2_code *compile(struct arena *a, struct str text, int *ret_error)
{
    PCRE2_SIZE where = 0;
    pcre2_general_context *memory = pcre2_general_context_create(take, leave, a);
    pcre2_compile_context *context = memory == NULL ? NULL : pcre2_compile_context_create(memory);
    *ret_error = PCRE2_ERROR_NOMEMORY;
    if (context == NULL) {
        return NULL;
    }
    pcre2_set_newline(context, PCRE2_NEWLINE_LF);
    pcre2_set_parens_nest_limit(context, CEL_PATTERN_NEST_MAX * 2);
    return pcre2_compile((PCRE2_SPTR)text.ptr, text.len,
                         PCRE2_UTF | PCRE2_NEVER_UCP | PCRE2_NEVER_BACKSLASH_C |
                             PCRE2_NO_AUTO_POSSESS,
                         ret_error, &where, context);
}

/* The pattern as the automaton gets it. */
static bool prepare(struct arena *a, struct str text, struct cel_pattern *ret_pattern,
                    struct str *ret, struct str *ret_what)
{
    struct cel_pattern_fault fault = {NULL, 0};
    struct buf b;
    if (text.len > CEL_PATTERN_TEXT_MAX || !utf8_valid(text)) {
        *ret_what = arena_printf(a, "invalid pattern: longer than %d bytes, or no UTF-8",
                                 (int)CEL_PATTERN_TEXT_MAX);
        return false;
    }
    buf_init(&b, (size_t)CEL_PATTERN_TEXT_MAX * 24 + 64);
    /* The lazy prefix makes one search of all starts at once. */
    buf_str(&b, STR("(?s:.*?)(?:"));
    bool good = cel_pattern_translate(text, &b, &ret_pattern->places, &fault);
    buf_char(&b, ')');
    *ret = arena_str(a, buf_view(&b));
    *ret_what =
        good ? STR("") : arena_printf(a, "invalid pattern: %s (byte %zu)", fault.what, fault.at);
    good = good && b.rc == RC_OK;
    buf_done(&b);
    return good;
}

bool cel_pattern_compile(struct arena *a, struct str text, struct cel_pattern *ret,
                         struct str *ret_what)
{
    struct str translated;
    int error = 0;
    if (!prepare(a, text, ret, &translated, ret_what)) {
        return false;
    }
    pcre2_code *code = compile(a, translated, &error);
    if (code == NULL) {
        char said[128] = "";
        pcre2_get_error_message(error, (PCRE2_UCHAR *)said, sizeof said);
        *ret_what = arena_printf(a, "invalid pattern: %s", said);
        return false;
    }
    PCRE2_SIZE size = 0;
    if (pcre2_pattern_info(code, PCRE2_INFO_SIZE, &size) != 0 || size > CEL_PATTERN_COMPILED_MAX) {
        *ret_what = STR("invalid pattern: expression too large");
        return false;
    }
    ret->code = code;
    return true;
}

struct cel_matcher *cel_matcher_new(struct arena *a)
{
    struct cel_matcher *m = arena_alloc(a, sizeof *m);
    pcre2_general_context *memory = m == NULL ? NULL : pcre2_general_context_create(take, leave, a);
    if (memory == NULL) {
        return NULL;
    }
    m->context = pcre2_match_context_create(memory);
    m->data = pcre2_match_data_create(1, memory);
    if (m->context == NULL || m->data == NULL) {
        return NULL;
    }
    pcre2_set_match_limit(m->context, CEL_PATTERN_MATCHES_MAX);
    pcre2_set_depth_limit(m->context, CEL_PATTERN_NEST_MAX);
    pcre2_set_heap_limit(m->context, CEL_PATTERN_HEAP_MAX_KB);
    return m;
}

enum pattern_result cel_pattern_search(const struct cel_matcher *m, const struct cel_pattern *p,
                                       struct str text)
{
    int workspace[WORKSPACE_INTS];
    const char *bytes = text.ptr != NULL ? text.ptr : "";
    int rc = pcre2_dfa_match(p->code, (PCRE2_SPTR)bytes, text.len, 0,
                             PCRE2_ANCHORED | PCRE2_DFA_SHORTEST, m->data, m->context, workspace,
                             WORKSPACE_INTS);
    if (rc >= 0) {
        return PATTERN_YES;
    }
    if (rc == PCRE2_ERROR_NOMATCH) {
        return PATTERN_NO;
    }
    return rc <= PCRE2_ERROR_UTF8_ERR1 && rc >= PCRE2_ERROR_UTF8_ERR21 ? PATTERN_NOT_TEXT
                                                                       : PATTERN_GAVE_UP;
}
