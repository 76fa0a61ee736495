#include "cli/args.h"

#include "base/must.h"

#include <string.h>

static const struct option *find_name(const struct args *a, struct str name)
{
    for (size_t i = 0; i < a->option_count; i++) {
        if (str_eq(name, str_from(a->options[i].name))) {
            return &a->options[i];
        }
    }
    return NULL;
}

static const struct option *find_letter(const struct args *a, char letter)
{
    for (size_t i = 0; i < a->option_count; i++) {
        if (a->options[i].letter == letter) {
            return &a->options[i];
        }
    }
    return NULL;
}

static enum rc add(struct args *a, const struct option *o, const char *text, struct err *e)
{
    for (size_t i = 0; i < a->value_count && o->kind != OPTION_TEXTS; i++) {
        if (a->values[i].option == o) {
            return err_set(e, RC_INVALID, "option --%s is given twice", o->name);
        }
    }
    if (a->value_count == ARGS_VALUES_MAX) {
        return err_set(e, RC_LIMIT, "more than %d options", ARGS_VALUES_MAX);
    }
    a->values[a->value_count++] = (struct arg_value){o, text};
    return RC_OK;
}

/* One option at words[*at]; moves *at on to its value when that is a word of its own. */
static enum rc take_option(struct args *a, int count, char *const *words, int *at, struct err *e)
{
    const char *word = words[*at];
    const char *equals = strchr(word, '=');
    const struct option *o = NULL;
    if (word[1] == '-') {
        o = find_name(a, (struct str){word + 2, equals == NULL ? strlen(word + 2)
                                                               : (size_t)(equals - word - 2)});
    } else if (word[2] == '\0') {
        o = find_letter(a, word[1]);
        equals = NULL;
    }
    if (o == NULL) {
        return err_set(e, RC_INVALID, "unknown option %.*s",
                       equals == NULL ? (int)strnlen(word, 128) : (int)(equals - word), word);
    }
    if (o->kind == OPTION_FLAG) {
        return equals == NULL ? add(a, o, NULL, e)
                              : err_set(e, RC_INVALID, "option --%s takes no value", o->name);
    }
    if (equals != NULL) {
        return add(a, o, equals + 1, e);
    }
    if (*at + 1 >= count) {
        return err_set(e, RC_INVALID, "option --%s needs a value: %s", o->name, o->value);
    }
    *at += 1;
    return add(a, o, words[*at], e);
}

enum rc args_parse(int count, char *const *words, const struct option *options, size_t option_count,
                   struct args *ret, struct err *e)
{
    *ret = (struct args){.options = options, .option_count = option_count};
    for (int i = 0; i < count; i++) {
        const char *word = words[i];
        /* A lone "-" is a word: standard input, by habit. */
        bool is_option = !ret->ended && word[0] == '-' && word[1] != '\0';
        if (is_option && strcmp(word, "--") == 0) {
            ret->ended = true;
            ret->rest_before = ret->rest_count;
        } else if (is_option) {
            enum rc rc = take_option(ret, count, words, &i, e);
            if (rc != RC_OK) {
                return rc;
            }
        } else if (ret->rest_count == ARGS_REST_MAX) {
            return err_set(e, RC_LIMIT, "more than %d words", ARGS_REST_MAX);
        } else {
            ret->rest[ret->rest_count++] = word;
        }
    }
    ret->rest_before = ret->ended ? ret->rest_before : ret->rest_count;
    return RC_OK;
}

static const struct option *known(const struct args *a, const char *name)
{
    const struct option *o = find_name(a, str_from(name));
    must(o != NULL);
    return o;
}

const char *args_nth(const struct args *a, const char *name, size_t i)
{
    const struct option *o = known(a, name);
    must(o->kind != OPTION_FLAG);
    for (size_t k = 0; k < a->value_count; k++) {
        if (a->values[k].option == o && i-- == 0) {
            return a->values[k].text;
        }
    }
    return NULL;
}

const char *args_text(const struct args *a, const char *name)
{
    return args_nth(a, name, 0);
}

bool args_flag(const struct args *a, const char *name)
{
    const struct option *o = known(a, name);
    must(o->kind == OPTION_FLAG);
    for (size_t i = 0; i < a->value_count; i++) {
        if (a->values[i].option == o) {
            return true;
        }
    }
    return false;
}

enum rc args_number(const struct args *a, const char *name, int64_t min, int64_t max, int64_t *ret,
                    struct err *e)
{
    const char *text = args_text(a, name);
    int64_t n;
    if (text == NULL) {
        return RC_OK;
    }
    if (!str_to_i64(str_from(text), &n) || n < min || n > max) {
        return err_set(e, RC_INVALID, "option --%s: expected a whole number from %lld to %lld", name,
                       (long long)min, (long long)max);
    }
    *ret = n;
    return RC_OK;
}

enum rc args_expect(const struct args *a, size_t min, size_t max, const char *what, struct err *e)
{
    if (a->rest_count < min) {
        return err_set(e, RC_INVALID, "expected %s", what);
    }
    return a->rest_count <= max ? RC_OK
                                : err_set(e, RC_INVALID, "unexpected word \"%.128s\"", a->rest[max]);
}
