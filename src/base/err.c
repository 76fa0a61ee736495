#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

PRINTF(4, 0)
static void err_text(struct err *e, enum rc rc, struct str where, const char *format, va_list args)
{
    if (e == NULL) {
        return;
    }
    e->rc = rc;
    snprintf(e->where, sizeof e->where, "%.*s", STR_ARG(where));
    vsnprintf(e->text, sizeof e->text, format, args);
}

void err_say(struct err *e, enum rc rc, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    err_text(e, rc, STR(""), format, args);
    va_end(args);
}

void err_say_at(struct err *e, enum rc rc, struct str where, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    err_text(e, rc, where, format, args);
    va_end(args);
}

static void put_before(char *text, size_t size, const char *before, const char *between)
{
    char old[ERR_TEXT_MAX];
    snprintf(old, sizeof old, "%s", text);
    int n = snprintf(text, size, "%s%s", before, between);
    if (n >= 0 && (size_t)n < size) {
        size_t len = strnlen(old, size - (size_t)n - 1);
        memcpy(text + n, old, len);
        text[(size_t)n + len] = '\0';
    }
}

void err_say_before(struct err *e, enum rc rc, const char *format, ...)
{
    if (e == NULL) {
        return;
    }
    char context[ERR_TEXT_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(context, sizeof context, format, args);
    va_end(args);
    put_before(e->text, sizeof e->text, context, ": ");
    e->rc = rc;
}

void err_step(struct err *e, const char *format, ...)
{
    if (e == NULL) {
        return;
    }
    char step[ERR_WHERE_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(step, sizeof step, format, args);
    va_end(args);
    put_before(e->where, sizeof e->where, step, "");
}

const char *rc_name(enum rc rc)
{
    static const char *const names[] = {"ok",     "invalid",   "not_found",   "conflict", "denied",
                                        "limit",  "no_memory", "unavailable", "corrupt",  "gone"};
    return (unsigned)rc < sizeof names / sizeof *names ? names[rc] : "unknown";
}
