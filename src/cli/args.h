/*
 * cli/args - the words after a command's name: options from a table, and the rest.
 *
 * Strict: an option that is not in the table, a value where none belongs, a missing value and an option
 * given twice (unless it is a list) are errors that name it. `--name value` and `--name=value` are the
 * same; `--` ends the options. Pure.
 */
#ifndef CLI_ARGS_H
#define CLI_ARGS_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    ARGS_VALUES_MAX = 256, /* options of one call */
    ARGS_REST_MAX = 1024,  /* words that are no options */
};

enum option_kind {
    OPTION_FLAG = 0,
    OPTION_TEXT,  /* takes a value */
    OPTION_TEXTS, /* takes a value and may be given several times */
};

struct option {
    const char *name; /* without its dashes */
    char letter;      /* `-o`, or 0 */
    enum option_kind kind;
    const char *value; /* what the value is, for help; null for a flag */
    const char *help;
};

struct arg_value {
    const struct option *option;
    const char *text; /* null for a flag */
};

struct args {
    const struct option *options;
    size_t option_count;
    struct arg_value values[ARGS_VALUES_MAX];
    size_t value_count;
    const char *rest[ARGS_REST_MAX + 1]; /* in order; null ends them */
    size_t rest_count;
    size_t rest_before; /* how many of them stood before `--` */
    bool ended;         /* there was a `--` */
};

/* Keeps: words and options by reference. Errors: RC_INVALID naming the word; RC_LIMIT. */
NODISCARD enum rc args_parse(int count, char *const *words, const struct option *options,
                             size_t option_count, struct args *ret, struct err *e);
/* All take the name of an option of the table; any other is a bug. */
bool args_flag(const struct args *a, const char *name);
/* Null when it was not given. */
const char *args_text(const struct args *a, const char *name);
/* The i-th value of a list, null behind the last. */
const char *args_nth(const struct args *a, const char *name, size_t i);
/* A whole number in min..max; *ret is untouched when the option was not given. RC_INVALID names it. */
NODISCARD enum rc args_number(const struct args *a, const char *name, int64_t min, int64_t max,
                              int64_t *ret, struct err *e);
/* RC_INVALID unless there are min to max words that are no options. what: for the message. */
NODISCARD enum rc args_expect(const struct args *a, size_t min, size_t max, const char *what,
                              struct err *e);

#endif
