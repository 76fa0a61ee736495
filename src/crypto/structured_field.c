#include "crypto/structured_field.h"

#include <string.h>

enum { INTEGER_DIGITS_MAX = 15 };

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static bool is_one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

/* The longest beginning whose characters are all in set. */
static struct str take(struct str *in, const char *set)
{
    size_t len = 0;
    while (len < in->len && is_one_of(in->ptr[len], set)) {
        len++;
    }
    struct str taken = str_slice(*in, 0, len);
    *in = str_slice(*in, len, in->len);
    return taken;
}

static bool next_is(struct str in, const char *set)
{
    return in.len > 0 && is_one_of(in.ptr[0], set);
}

bool sf_char(struct str *in, char c)
{
    if (in->len == 0 || in->ptr[0] != c) {
        return false;
    }
    *in = str_slice(*in, 1, in->len);
    return true;
}

bool sf_key(struct str *in, struct str *ret)
{
    if (!next_is(*in, LOWER "*")) {
        return false;
    }
    *ret = take(in, LOWER DIGITS "_-.*");
    return true;
}

static bool read_string(struct str *in, struct str *ret)
{
    size_t len = 0;
    while (len < in->len && in->ptr[len] >= ' ' && in->ptr[len] <= '~' &&
           !is_one_of(in->ptr[len], "\"\\")) {
        len++;
    }
    *ret = str_slice(*in, 0, len);
    *in = str_slice(*in, len, in->len);
    return sf_char(in, '"');
}

static bool read_integer(struct str *in, int64_t *ret)
{
    bool negative = sf_char(in, '-');
    struct str digits = take(in, DIGITS);
    bool leading_zero = digits.len > 0 && digits.ptr[0] == '0' && (digits.len > 1 || negative);
    if (leading_zero || digits.len > INTEGER_DIGITS_MAX || next_is(*in, ".") ||
        !str_to_i64(digits, ret)) {
        return false;
    }
    *ret = negative ? -*ret : *ret;
    return true;
}

static bool read_bytes(struct str *in, struct str *ret)
{
    *ret = take(in, UPPER LOWER DIGITS "+/=");
    return sf_char(in, ':');
}

static bool read_boolean(struct str *in, bool *ret)
{
    *ret = next_is(*in, "1");
    return sf_char(in, '1') || sf_char(in, '0');
}

bool sf_item(struct str *in, struct sf_item *ret)
{
    *ret = (struct sf_item){.type = SF_TOKEN};
    if (sf_char(in, '"')) {
        ret->type = SF_STRING;
        return read_string(in, &ret->text);
    }
    if (sf_char(in, ':')) {
        ret->type = SF_BYTES;
        return read_bytes(in, &ret->text);
    }
    if (sf_char(in, '?')) {
        ret->type = SF_BOOLEAN;
        return read_boolean(in, &ret->boolean);
    }
    if (next_is(*in, "-" DIGITS)) {
        ret->type = SF_INTEGER;
        return read_integer(in, &ret->integer);
    }
    bool is_token = next_is(*in, UPPER LOWER "*");
    ret->text = take(in, UPPER LOWER DIGITS "!#$%&'*+-.^_`|~:/");
    return is_token;
}

bool sf_param(struct str *in, bool *ret_there, struct sf_param *ret)
{
    *ret_there = sf_char(in, ';');
    if (!*ret_there) {
        return true;
    }
    ret->value = (struct sf_item){.type = SF_BOOLEAN, .boolean = true};
    if (!sf_key(in, &ret->key)) {
        return false;
    }
    return !sf_char(in, '=') || sf_item(in, &ret->value);
}

bool sf_params_skip(struct str *in)
{
    struct sf_param unused;
    bool there = true;
    while (there) {
        if (!sf_param(in, &there, &unused)) {
            return false;
        }
    }
    return true;
}

bool sf_next_member(struct str *in, bool *ret_more)
{
    (void)take(in, " \t");
    *ret_more = sf_char(in, ',');
    if (!*ret_more) {
        return in->len == 0;
    }
    (void)take(in, " \t");
    return in->len > 0;
}
