/* A redactor: a key and compiled patterns; and the calls that use it. */
#include "redact/redact.h"

#include "redact/redact_internal.h"

#include <stdlib.h>
#include <string.h>

enum { MEMORY_MAX = 64 << 20 }; /* bytes of all compiled patterns */

static enum rc add_pattern(struct redactor *r, const struct redact_pattern *given, struct err *e)
{
    if (!marker_type_valid(given->type)) {
        return err_set(e, RC_INVALID, "type: expected [a-z0-9][a-z0-9_-]*, at most %d bytes",
                       REDACT_TYPE_MAX);
    }
    struct compiled_pattern c = {.type = arena_str(r->arena, given->type)};
    enum rc rc = pattern_compile(r->arena, given->pattern, &c.pattern, e);
    if (rc != RC_OK) {
        return rc;
    }
    uint64_t work = 0;
    if (pattern_matches(c.pattern, STR(""), UINT64_MAX, &work)) {
        return err_set(e, RC_INVALID, "pattern: matches the empty text");
    }
    r->patterns[r->pattern_count++] = c;
    return RC_OK;
}

static enum rc add_patterns(struct redactor *r, const struct redact_pattern *patterns, size_t count,
                            struct err *e)
{
    if (count > REDACT_PATTERNS_MAX) {
        return err_set(e, RC_LIMIT, "more than %d patterns", REDACT_PATTERNS_MAX);
    }
    for (size_t i = 0; i < count; i++) {
        enum rc rc = add_pattern(r, &patterns[i], e);
        rc = rc == RC_OK && arena_rc(r->arena) != RC_OK
                 ? err_set(e, arena_rc(r->arena), "more memory than its maximum")
                 : rc;
        if (rc != RC_OK) {
            return err_wrap(e, rc, "patterns[%zu]", i);
        }
    }
    return RC_OK;
}

enum rc redactor_new(const uint8_t key[static REDACT_KEY_LEN],
                     const struct redact_pattern *patterns, size_t count, struct redactor **ret,
                     struct err *e)
{
    struct redactor *r = calloc(1, sizeof *r);
    if (r == NULL) {
        return err_set(e, RC_NO_MEMORY, "out of memory");
    }
    memcpy(r->key, key, REDACT_KEY_LEN);
    token_index_init(&r->tokens);
    r->arena = arena_new(MEMORY_MAX);
    enum rc rc = r->arena != NULL ? add_patterns(r, patterns, count, e)
                                  : err_set(e, RC_NO_MEMORY, "out of memory");
    if (rc != RC_OK) {
        redactor_free(r);
        return rc;
    }
    *ret = r;
    return RC_OK;
}

void redactor_free(struct redactor *r)
{
    if (r != NULL) {
        wipe(r->key, sizeof r->key);
        arena_free(r->arena);
        free(r);
    }
}

enum rc redact_value(const struct redactor *r, struct arena *a, struct value *v,
                     uint32_t *ret_count, struct err *e)
{
    struct pass p = {.redactor = r, .arena = a, .err = e};
    value_redact(&p, v);
    if (p.rc == RC_OK) {
        *ret_count = p.count;
    }
    return p.rc;
}

enum rc redact_text(const struct redactor *r, struct arena *a, struct str text, struct str *ret,
                    uint32_t *ret_count, struct err *e)
{
    struct pass p = {.redactor = r, .arena = a, .err = e};
    struct replaced found;
    struct str replaced = text;
    if (text_find(&p, text, NULL, &found)) {
        replaced = text_replace(&p, text);
    }
    if (p.rc == RC_OK) {
        *ret = replaced;
        *ret_count = p.count;
    }
    return p.rc;
}
