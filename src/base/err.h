/*
 * base/err - expected failures, as values.
 *
 * enum rc says what the caller can do; struct err says it to a person. An err is a small value on
 * the caller's stack: no heap, no thread-local. Fail in one line:
 *
 *     return err_set(e, RC_INVALID, "objective must be below 100");
 *
 * and add context on the way up: return err_wrap(e, "service %u", n). Libraries never log; the edge
 * that handles an error logs it once. Every function takes a null e. Pure.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/attr.h"
#include "base/str.h"

enum {
    ERR_TEXT_MAX = 384,  /* bytes with the NUL; longer text is cut */
    ERR_WHERE_MAX = 192, /* bytes with the NUL */
};

enum rc {
    RC_OK = 0,
    RC_INVALID,     /* the input is wrong: mend it */
    RC_NOT_FOUND,   /* there is no such thing */
    RC_CONFLICT,    /* it is not in a state for this */
    RC_DENIED,      /* not allowed to this caller */
    RC_LIMIT,       /* a named maximum was crossed */
    RC_NO_MEMORY,   /* the machine is out of memory */
    RC_UNAVAILABLE, /* a part this needs does not answer: try later */
    RC_CORRUPT,     /* stored bytes are not what was written */
    RC_GONE,        /* it was there, and was erased by policy */
};

struct err {
    enum rc rc;
    char where[ERR_WHERE_MAX]; /* "pawl.yaml:3:7" or a JSON pointer; may be empty */
    char text[ERR_TEXT_MAX];
};

/*
 * The three ways to fail; each is an expression with the value rc, so that a caller can return it. They
 * are macros only for that: compilers and analyzers see which rc comes out.
 *
 *     err_set(e, rc, format, ...)         the text
 *     err_at(e, rc, where, format, ...)   the text and the place: a file position or a JSON pointer
 *     err_wrap(e, rc, format, ...)        puts "context: " before the text of an err that was set
 */
#define err_set(e, rc, ...) err_result((err_say((e), (rc), __VA_ARGS__), (rc)))
#define err_at(e, rc, where, ...) err_result((err_say_at((e), (rc), (where), __VA_ARGS__), (rc)))
#define err_wrap(e, rc, ...) err_result((err_say_before((e), (rc), __VA_ARGS__), (rc)))

void err_say(struct err *e, enum rc rc, const char *format, ...) PRINTF(3, 4);
void err_say_at(struct err *e, enum rc rc, struct str where, const char *format, ...) PRINTF(4, 5);
void err_say_before(struct err *e, enum rc rc, const char *format, ...) PRINTF(3, 4);
static inline enum rc err_result(enum rc rc)
{
    return rc;
}

/* Puts a step before the place: err_step(e, "/slo") turns "/objective" into "/slo/objective". */
void err_step(struct err *e, const char *format, ...) PRINTF(2, 3);
/* A word such as "invalid"; never null. */
const char *rc_name(enum rc rc);

#endif
