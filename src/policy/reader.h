/*
 * policy/reader - reads a configuration value into typed fields, and says where it is wrong.
 *
 * A struct is described by a table of fields; one function reads it, one writes it back in canonical
 * shape with defaults filled in. Unknown keys are refused. Errors carry file:line:column when the
 * value came from a file and a JSON pointer when it came from a request. Pure.
 */
#ifndef POLICY_READER_H
#define POLICY_READER_H

#include "base/arena.h"
#include "base/err.h"
#include "value/value.h"

#include <stddef.h>
#include <stdint.h>

struct reader {
    struct arena *arena;
    struct str file; /* for positions; may be empty */
    struct err *e;
};

enum field_type {
    FIELD_NAME,    /* struct str: a declared name */
    FIELD_TEXT,    /* struct str: any text up to FIELD_TEXT_MAX bytes */
    FIELD_NAMES,   /* struct str_list: of names */
    FIELD_TEXTS,   /* struct str_list: of texts */
    FIELD_BOOL,    /* bool */
    FIELD_COUNT,   /* int64_t: a plain number */
    FIELD_SPAN,    /* int64_t: milliseconds, written 30s, 5m */
    FIELD_PERCENT, /* int64_t: ppm, written as a percentage */
    FIELD_RATIO,   /* int64_t: thousandths, written as a number */
    FIELD_INSTANT, /* int64_t: milliseconds since 1970, written as RFC 3339 */
    FIELD_WORD,    /* int64_t: index in words */
    FIELD_VALUE,   /* const struct value *: taken as it is */
};

enum {
    FIELD_TEXT_MAX = 16384,
    FIELD_LIST_MAX = 4096,
};

struct str_list {
    const struct str *items;
    uint32_t count;
};

struct field {
    const char *name;
    enum field_type type;
    size_t offset;
    bool required;     /* there, and neither an empty text nor an empty list */
    int64_t otherwise; /* when absent: number, span in ms, ppm, milli, word index, bool */
    int64_t min;
    int64_t max;              /* both 0: not bounded */
    const char *const *words; /* FIELD_WORD: null ends the list */
};

#define FIELD_OF(type, member) offsetof(type, member)

/* Fills out's fields; absent ones get their `otherwise` (null and empty for the pointer kinds). */
NODISCARD enum rc read_fields(struct reader *r, const struct value *v, const struct field *fields,
                              size_t count, void *out);
/* One value of the kinds that are an int64 (bool to word). */
NODISCARD enum rc read_number(struct reader *r, const struct value *v, const struct field *f,
                              int64_t *ret);
/* An object holding every field of in. Empty texts, empty lists and null values are left out. */
struct value write_fields(struct arena *a, const struct field *fields, size_t count,
                          const void *in);
struct value write_number(struct arena *a, const struct field *f, int64_t n);

/* Fails at v: "file:line:column" or the pointer that the callers put together. */
#define reader_fail(r, v, ...) err_result((reader_say((r), (v), __VA_ARGS__), RC_INVALID))
void reader_say(struct reader *r, const struct value *v, const char *format, ...) PRINTF(3, 4);
/* Adds a step to the pointer of a failure on its way up; keeps file positions. Returns rc. */
enum rc reader_step(struct reader *r, enum rc rc, const char *name);
enum rc reader_step_index(struct reader *r, enum rc rc, size_t index);

/* A percentage to ppm, to the nearest. */
int64_t percent_to_ppm(double percent);
double ppm_to_percent(int64_t ppm);

#endif
