/* Which names say that their value is a secret. */
#include "redact/redact_internal.h"

/* Where in a name its word has to stand. Always at the end. */
enum place {
    PLACE_ANY,   /* whatever is before: PGPASSWORD */
    PLACE_WORD,  /* at the start, after a separator or as a hump: token, x-token, accessToken */
    PLACE_AFTER, /* as a word, but not alone: PWD is a folder, DB_PWD is not */
};

/* Lower case, without separators: apikey is api_key, api-key, apiKey and API Key. */
struct name_word {
    struct str word;
    struct str type; /* empty: it is no secret whatever its last word says */
    enum place place;
};

#define TEXT(literal)                                                                              \
    {                                                                                              \
        "" literal, sizeof(literal) - 1                                                            \
    }
#define NOTHING                                                                                    \
    {                                                                                              \
        "", 0                                                                                      \
    }

/* The first that fits counts, so the longer come first. */
static const struct name_word words[] = {
    {TEXT("nexttoken"), NOTHING, PLACE_WORD},
    {TEXT("pagetoken"), NOTHING, PLACE_WORD},
    {TEXT("continuationtoken"), NOTHING, PLACE_WORD},
    {TEXT("password"), TEXT("password"), PLACE_ANY},
    {TEXT("passwd"), TEXT("password"), PLACE_ANY},
    {TEXT("passphrase"), TEXT("password"), PLACE_ANY},
    {TEXT("pwd"), TEXT("password"), PLACE_AFTER},
    {TEXT("pass"), TEXT("password"), PLACE_AFTER},
    {TEXT("secretaccesskey"), TEXT("aws_secret_key"), PLACE_WORD},
    {TEXT("secretkey"), TEXT("secret"), PLACE_WORD},
    {TEXT("clientsecret"), TEXT("secret"), PLACE_WORD},
    {TEXT("secret"), TEXT("secret"), PLACE_WORD},
    {TEXT("accesstoken"), TEXT("token"), PLACE_WORD},
    {TEXT("refreshtoken"), TEXT("token"), PLACE_WORD},
    {TEXT("authtoken"), TEXT("token"), PLACE_WORD},
    {TEXT("sessiontoken"), TEXT("token"), PLACE_WORD},
    {TEXT("apitoken"), TEXT("token"), PLACE_WORD},
    {TEXT("bearertoken"), TEXT("token"), PLACE_WORD},
    {TEXT("token"), TEXT("token"), PLACE_WORD},
    {TEXT("apikey"), TEXT("api_key"), PLACE_WORD},
    {TEXT("privatekey"), TEXT("private_key"), PLACE_WORD},
    {TEXT("accesskey"), TEXT("access_key"), PLACE_WORD},
    {TEXT("accountkey"), TEXT("access_key"), PLACE_WORD},
    {TEXT("signingkey"), TEXT("secret_key"), PLACE_WORD},
    {TEXT("encryptionkey"), TEXT("secret_key"), PLACE_WORD},
    {TEXT("masterkey"), TEXT("secret_key"), PLACE_WORD},
    {TEXT("authorization"), TEXT("authorization"), PLACE_WORD},
};

static bool is_separator(char c)
{
    return c == '_' || c == '-' || c == '.' || c == ' ';
}

/* Whether name ends in word, separators not counting; ret_from is where it begins in name. */
static bool ends_in(struct str name, struct str word, size_t *ret_from)
{
    size_t at = name.len;
    for (size_t k = word.len; k > 0; k--) {
        while (k < word.len && at > 0 && is_separator(name.ptr[at - 1])) {
            at--;
        }
        if (at == 0 || to_lower(name.ptr[at - 1]) != word.ptr[k - 1]) {
            return false;
        }
        at--;
    }
    *ret_from = at;
    return true;
}

static bool stands_in(struct str name, size_t from, enum place place)
{
    if (place == PLACE_ANY) {
        return true;
    }
    if (from == 0) {
        return place == PLACE_WORD;
    }
    char before = name.ptr[from - 1];
    return is_separator(before) ||
           (is_upper(name.ptr[from]) && (is_lower(before) || is_digit(before)));
}

/* Whether any of the words ends in c: most names are done with after that. */
static bool may_end_in(char c)
{
    switch (to_lower(c)) {
    case 'd':
    case 'e':
    case 'n':
    case 's':
    case 't':
    case 'y':
        return true;
    default:
        return false;
    }
}

struct str name_secret(struct str name)
{
    if (name.len == 0 || !may_end_in(name.ptr[name.len - 1])) {
        return (struct str){NULL, 0};
    }
    name = str_slice(name, name.len > NAME_SEEN_MAX ? name.len - NAME_SEEN_MAX : 0, name.len);
    char last = to_lower(name.ptr[name.len - 1]);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t from = 0;
        if (words[i].word.ptr[words[i].word.len - 1] == last &&
            ends_in(name, words[i].word, &from) && stands_in(name, from, words[i].place)) {
            return words[i].type;
        }
    }
    return (struct str){NULL, 0};
}

bool is_authorization(struct str type)
{
    return str_eq(type, STR("authorization"));
}
