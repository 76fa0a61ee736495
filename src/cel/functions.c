#include "cel/functions.h"

static const struct cel_function *const tables[] = {
    cel_operators,        cel_conversions,       cel_collections,        cel_string_functions,
    cel_search_functions, cel_time_functions,    cel_math_functions,     cel_list_functions,
    cel_set_functions,    cel_network_functions, cel_optional_functions, cel_encoder_functions,
};
enum { TABLES = sizeof tables / sizeof tables[0] };

const struct cel_function *function_next(const struct cel_function *after, struct str name,
                                         bool member)
{
    bool behind = after == NULL;
    for (size_t i = 0; i < TABLES; i++) {
        for (const struct cel_function *f = tables[i]; f->name != NULL; f++) {
            if (behind && f->member == member && str_eq(str_from(f->name), name)) {
                return f;
            }
            behind = behind || f == after;
        }
    }
    return NULL;
}

const char *signature_skip(const char *at)
{
    char letter = *at++;
    if (letter == 'L' || letter == 'O') {
        return signature_skip(at);
    }
    return letter == 'M' ? signature_skip(signature_skip(at)) : at;
}

uint32_t function_arity(const struct cel_function *f)
{
    uint32_t count = 0;
    if (f->args[0] == '#') {
        return UINT32_MAX;
    }
    for (const char *at = f->args; *at != '\0'; at = signature_skip(at)) {
        count++;
    }
    return count;
}

enum cel_kind signature_kind(char letter)
{
    switch (letter) {
    case 'n':
        return CEL_NULL;
    case 'b':
        return CEL_BOOL;
    case 'i':
        return CEL_INT;
    case 'u':
        return CEL_UINT;
    case 'd':
        return CEL_DOUBLE;
    case 's':
        return CEL_STRING;
    case 'y':
        return CEL_BYTES;
    case 't':
        return CEL_TIMESTAMP;
    case 'D':
        return CEL_DURATION;
    case 'T':
        return CEL_TYPE;
    case 'p':
        return CEL_IP;
    case 'c':
        return CEL_CIDR;
    case 'L':
        return CEL_LIST;
    case 'M':
        return CEL_MAP;
    case 'O':
        return CEL_OPTIONAL;
    default:
        return CEL_DYN;
    }
}
