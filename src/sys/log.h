/*
 * sys/log - the process's own log: one line per happening.
 *
 * A line is a JSON object {"time","level","message",...fields}, or, when it goes to a terminal,
 * "10:00:00.000 warn  message name=value". A field's text may come from anyone: control characters,
 * bidirectional and zero-width ones and invalid UTF-8 are written as \u escapes in both forms. The
 * edge that handles an error logs it, once; libraries never log.
 *
 * Threads: a struct log is read-only after log_init; each line is one write(2).
 */
#ifndef SYS_LOG_H
#define SYS_LOG_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LOG_LINE_MAX = 16384 }; /* bytes; a longer line loses its last fields and says "cut":true */

enum log_level {
    LOG_LEVEL_DEBUG = 0,
    LOG_LEVEL_INFO,
    LOG_LEVEL_WARN,
    LOG_LEVEL_ERROR,
};

struct log {
    int fd;
    enum log_level level; /* what is below is not written */
    bool readable;        /* for a person rather than as JSON */
};

/* readable is set when fd is a terminal. */
void log_init(struct log *l, int fd, enum log_level level);
/* "debug", "info", "warn", "error"; false when it is none of them. */
bool log_level_parse(struct str name, enum log_level *ret);

enum log_field_type {
    LOG_FIELD_STR = 0,
    LOG_FIELD_INT,
    LOG_FIELD_BOOL,
};

struct log_field {
    const char *name; /* snake_case, the unit last */
    enum log_field_type type;
    struct str text;
    int64_t number;
};

struct log_field log_str(const char *name, struct str text);
struct log_field log_int(const char *name, int64_t number);
struct log_field log_bool(const char *name, bool b);

/* A null l is a log that writes nothing. */
void log_text(const struct log *l, enum log_level level, const char *message);
void log_fields(const struct log *l, enum log_level level, const char *message,
                const struct log_field *fields, size_t count);
/* log_line(l, LOG_LEVEL_WARN, "disk is full", log_str("path", p), log_int("free_bytes", n)) */
#define log_line(l, level, message, ...)                                                           \
    log_fields((l), (level), (message), (const struct log_field[]){__VA_ARGS__},                   \
               sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field))

#endif
