/* What may stand where a secret would and is none: it says where one is, or that there is none. */
#include "redact/redact_internal.h"

/* A variable's name; with upper, in the way that the shell's usually are. */
static bool is_variable(struct str s, bool upper)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (!(is_upper(c) || c == '_' || (is_lower(c) && !upper) || (is_digit(c) && i > 0))) {
            return false;
        }
    }
    return s.len > 0;
}

static bool is_path(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (!is_name_char(c) && c != '/') {
            return false;
        }
    }
    return s.len > 1 && s.ptr[0] == '/';
}

static bool is_mask(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] != '*') {
            return false;
        }
    }
    return true;
}

static bool is_word_of_nothing(struct str s)
{
    static const char *const words[] = {"true", "false", "null", "none", "nil", "yes", "no"};
    char lower[8];
    if (s.len >= sizeof lower) {
        return false;
    }
    for (size_t i = 0; i < s.len; i++) {
        lower[i] = to_lower(s.ptr[i]);
    }
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (str_eq((struct str){lower, s.len}, str_from(words[i]))) {
            return true;
        }
    }
    return false;
}

bool is_no_secret(struct str value)
{
    bool braced = str_starts(value, STR("${")) && str_ends(value, STR("}")) &&
                  is_variable(str_slice(value, 2, value.len - 1), false);
    return is_mask(value) || braced || is_word_of_nothing(value) ||
           (str_starts(value, STR("$")) && is_variable(str_slice(value, 1, value.len), true)) ||
           (str_starts(value, STR("env:")) && is_variable(str_slice(value, 4, value.len), false)) ||
           (str_starts(value, STR("file:")) && is_path(str_slice(value, 5, value.len)));
}

bool looks_like_flag(struct str word)
{
    return (word.len == 2 && word.ptr[0] == '-' && is_alnum(word.ptr[1])) ||
           (word.len > 2 && str_starts(word, STR("--")) && is_lower(word.ptr[2]));
}
