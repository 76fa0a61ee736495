#include "diff/access.h"

#include "value/json.h"

#include <string.h>

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool same_letters(struct str s, const char *word)
{
    size_t i = 0;
    while (i < s.len && word[i] != '\0' && lower(s.ptr[i]) == lower(word[i])) {
        i++;
    }
    return i == s.len && word[i] == '\0';
}

static bool is_one_of(struct str s, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (same_letters(s, words[i])) {
            return true;
        }
    }
    return false;
}

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* --- addresses -------------------------------------------------------------------------------------- */

bool access_is_everywhere(struct str address)
{
    enum { WIDE_PREFIX = 7 };
    static const char *const words[] = {"*", "any", "internet", "0.0.0.0", "::"};
    int64_t prefix = 0;
    struct str s = str_trim(address);
    size_t slash = str_find(s, '/');
    if (slash == s.len) {
        return is_one_of(s, words, COUNT(words));
    }
    return str_to_i64(str_slice(s, slash + 1, s.len), &prefix) && prefix <= WIDE_PREFIX;
}

/* --- roles ------------------------------------------------------------------------------------------ */

bool access_is_admin(struct str role)
{
    static const char *const words[] = {
        "roles/owner", "roles/editor", "roles/iam.serviceAccountTokenCreator", "roles/iam.serviceAccountUser", "Owner",
        "Contributor", "User Access Administrator", "Role Based Access Control Administrator", "Global Administrator",
        "Privileged Role Administrator"};
    static const char *const endings[] = {
        "/AdministratorAccess", "/PowerUserAccess", "/IAMFullAccess", "/AmazonS3FullAccess", "/AmazonEC2FullAccess",
        /* Azure's built-in Owner, Contributor and User Access Administrator */
        "/8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "/b24988ac-6180-42a0-ab88-20f7382dd24c",
        "/18d7d88d-d35e-4fb5-a5c3-7773c20a72d9"};
    for (size_t i = 0; i < COUNT(endings); i++) {
        if (str_ends(role, str_from(endings[i]))) {
            return true;
        }
    }
    bool google = str_starts(role, STR("roles/")) && (str_ends(role, STR(".admin")) || str_ends(role, STR("Admin")));
    return google || is_one_of(role, words, COUNT(words));
}

bool access_is_anyone(struct str member)
{
    static const char *const words[] = {"allUsers", "allAuthenticatedUsers"};
    return is_one_of(member, words, COUNT(words));
}

/* --- policy documents ------------------------------------------------------------------------------- */

/* AWS allows one where a list could stand. */
static const struct value *one_or_item(const struct value *v, uint32_t i)
{
    return v == NULL || v->type == VALUE_ARRAY ? value_item(v, i) : i == 0 ? v : NULL;
}

static bool is_any_action(struct str action)
{
    size_t colon = str_find(action, ':');
    struct str verb = colon < action.len ? str_slice(action, colon + 1, action.len) : action;
    bool stars = verb.len > 0;
    for (size_t i = 0; i < verb.len; i++) {
        stars = stars && (verb.ptr[i] == '*' || verb.ptr[i] == '?');
    }
    return stars;
}

static diff_facts facts_of_principal(const struct value *principal)
{
    const struct value *one;
    if (str_eq(value_text(principal), STR("*"))) {
        return FACT_BIT(FACT_PUBLIC_ACCESS);
    }
    for (uint32_t m = 0; value_is(principal, VALUE_OBJECT) && m < principal->count; m++) {
        for (uint32_t i = 0; (one = one_or_item(&principal->members[m].value, i)) != NULL; i++) {
            if (str_eq(value_text(one), STR("*"))) {
                return FACT_BIT(FACT_PUBLIC_ACCESS);
            }
        }
    }
    return 0;
}

static diff_facts facts_of_statement(const struct value *s)
{
    diff_facts facts = 0;
    const struct value *one;
    if (!value_is(s, VALUE_OBJECT)) {
        return FACT_BIT(FACT_UNREADABLE);
    }
    if (same_letters(value_text(value_get(s, STR("Effect"))), "Deny")) {
        return 0;
    }
    for (uint32_t i = 0; (one = one_or_item(value_get(s, STR("Action")), i)) != NULL; i++) {
        facts |= is_any_action(value_text(one)) ? FACT_BIT(FACT_IAM_WILDCARD) : 0;
    }
    for (uint32_t i = 0; (one = one_or_item(value_get(s, STR("Resource")), i)) != NULL; i++) {
        facts |= str_eq(value_text(one), STR("*")) ? FACT_BIT(FACT_IAM_ANY_RESOURCE) : 0;
    }
    /* Everything but what is named. */
    bool inverse = value_get(s, STR("NotAction")) != NULL;
    facts |= inverse ? FACT_BIT(FACT_IAM_WILDCARD) : 0;
    facts |= value_get(s, STR("NotResource")) != NULL ? FACT_BIT(FACT_IAM_ANY_RESOURCE) : 0;
    facts |= value_get(s, STR("NotPrincipal")) != NULL ? FACT_BIT(FACT_PUBLIC_ACCESS) : 0;
    return facts | facts_of_principal(value_get(s, STR("Principal")));
}

static diff_facts facts_of_binding(const struct value *binding)
{
    const struct value *members = value_get(binding, STR("members"));
    diff_facts facts = access_is_admin(value_text(value_get(binding, STR("role")))) ? FACT_BIT(FACT_IAM_ADMIN) : 0;
    for (uint32_t i = 0; value_item(members, i) != NULL; i++) {
        facts |= access_is_anyone(value_text(value_item(members, i))) ? FACT_BIT(FACT_PUBLIC_ACCESS) : 0;
    }
    return facts;
}

diff_facts access_policy(const struct value *policy)
{
    const struct value *statements = value_get(policy, STR("Statement"));
    const struct value *bindings = value_get(policy, STR("bindings"));
    const struct value *one;
    diff_facts facts = 0;
    for (uint32_t i = 0; (one = one_or_item(statements, i)) != NULL; i++) {
        facts |= facts_of_statement(one);
    }
    for (uint32_t i = 0; (one = value_item(bindings, i)) != NULL; i++) {
        facts |= facts_of_binding(one);
    }
    return facts;
}

diff_facts access_policy_text(struct arena *a, struct str text)
{
    static const char *const words[] = {"\"Statement\"", "\"bindings\""};
    struct str s = str_trim(text);
    struct value v;
    if (s.len == 0 || s.ptr[0] != '{') {
        return 0;
    }
    /* Read and not searched: the words can be written with escapes. */
    if (json_parse(a, s, &v, NULL) == RC_OK) {
        return access_policy(&v);
    }
    bool policy = false;
    for (size_t i = 0; i < COUNT(words) && !policy; i++) {
        policy = memmem(s.ptr, s.len, words[i], strlen(words[i])) != NULL;
    }
    return policy ? FACT_BIT(FACT_UNREADABLE) : 0;
}
