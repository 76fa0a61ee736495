#include "diff/flags.h"

#include "diff/access.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { FLAG_NAME_MAX = 128 }; /* bytes of a name's end that is looked at */

#define TEXT(literal)                                                                              \
    {                                                                                              \
        "" literal, sizeof(literal) - 1                                                            \
    }

/* What a name ends in, in small letters and without separators. */
static const struct {
    struct str ending;
    bool bad_on; /* on is what is bad; else off is */
    enum diff_fact fact;
} flags[] = {
    {TEXT("insecureskipverify"), true, FACT_VERIFY_OFF},
    {TEXT("skipverify"), true, FACT_VERIFY_OFF},
    {TEXT("skiptlsverify"), true, FACT_VERIFY_OFF},
    {TEXT("skipsslverify"), true, FACT_VERIFY_OFF},
    {TEXT("noverify"), true, FACT_VERIFY_OFF},
    {TEXT("insecure"), true, FACT_VERIFY_OFF},
    {TEXT("trustservercertificate"), true, FACT_VERIFY_OFF},
    {TEXT("allowinvalidcertificates"), true, FACT_VERIFY_OFF},
    {TEXT("disabletls"), true, FACT_TLS_OFF},
    {TEXT("disablessl"), true, FACT_TLS_OFF},
    {TEXT("tlsdisabled"), true, FACT_TLS_OFF},
    {TEXT("disableauth"), true, FACT_AUTH_DISABLED},
    {TEXT("disableauthentication"), true, FACT_AUTH_DISABLED},
    {TEXT("authdisabled"), true, FACT_AUTH_DISABLED},
    {TEXT("skipauth"), true, FACT_AUTH_DISABLED},
    {TEXT("noauth"), true, FACT_AUTH_DISABLED},
    {TEXT("allowanonymous"), true, FACT_AUTH_DISABLED},
    {TEXT("anonymousenabled"), true, FACT_AUTH_DISABLED},
    {TEXT("anonymousaccess"), true, FACT_AUTH_DISABLED},
    {TEXT("permitrootlogin"), true, FACT_AUTH_DISABLED},
    {TEXT("disablelogging"), true, FACT_LOGGING_OFF},
    {TEXT("rejectunauthorized"), false, FACT_VERIFY_OFF},
    {TEXT("verify"), false, FACT_VERIFY_OFF},
    {TEXT("verifyenabled"), false, FACT_VERIFY_OFF},
    {TEXT("verifyssl"), false, FACT_VERIFY_OFF},
    {TEXT("verifytls"), false, FACT_VERIFY_OFF},
    {TEXT("verifypeer"), false, FACT_VERIFY_OFF},
    {TEXT("verifyhost"), false, FACT_VERIFY_OFF},
    {TEXT("verifycertificate"), false, FACT_VERIFY_OFF},
    {TEXT("verifysignature"), false, FACT_VERIFY_OFF},
    {TEXT("strictssl"), false, FACT_VERIFY_OFF},
    {TEXT("auth"), false, FACT_AUTH_DISABLED},
    {TEXT("authenabled"), false, FACT_AUTH_DISABLED},
    {TEXT("authentication"), false, FACT_AUTH_DISABLED},
    {TEXT("authenticationenabled"), false, FACT_AUTH_DISABLED},
    {TEXT("authorization"), false, FACT_AUTH_DISABLED},
    {TEXT("authorizationenabled"), false, FACT_AUTH_DISABLED},
    {TEXT("requireauth"), false, FACT_AUTH_DISABLED},
    {TEXT("authrequired"), false, FACT_AUTH_DISABLED},
    {TEXT("rbac"), false, FACT_AUTH_DISABLED},
    {TEXT("rbacenabled"), false, FACT_AUTH_DISABLED},
    {TEXT("mfa"), false, FACT_AUTH_DISABLED},
    {TEXT("mfaenabled"), false, FACT_AUTH_DISABLED},
    {TEXT("mfarequired"), false, FACT_AUTH_DISABLED},
    {TEXT("requiremfa"), false, FACT_AUTH_DISABLED},
    {TEXT("csrf"), false, FACT_AUTH_DISABLED},
    {TEXT("csrfenabled"), false, FACT_AUTH_DISABLED},
    {TEXT("csrfprotection"), false, FACT_AUTH_DISABLED},
    {TEXT("protectedmode"), false, FACT_AUTH_DISABLED},
    {TEXT("tls"), false, FACT_TLS_OFF},
    {TEXT("tlsenabled"), false, FACT_TLS_OFF},
    {TEXT("enabletls"), false, FACT_TLS_OFF},
    {TEXT("requiretls"), false, FACT_TLS_OFF},
    {TEXT("usetls"), false, FACT_TLS_OFF},
    {TEXT("ssl"), false, FACT_TLS_OFF},
    {TEXT("sslenabled"), false, FACT_TLS_OFF},
    {TEXT("enablessl"), false, FACT_TLS_OFF},
    {TEXT("requiressl"), false, FACT_TLS_OFF},
    {TEXT("usessl"), false, FACT_TLS_OFF},
    {TEXT("sslmode"), false, FACT_TLS_OFF},
    {TEXT("https"), false, FACT_TLS_OFF},
    {TEXT("forcehttps"), false, FACT_TLS_OFF},
    {TEXT("httpsonly"), false, FACT_TLS_OFF},
    {TEXT("hsts"), false, FACT_TLS_OFF},
    {TEXT("mtls"), false, FACT_TLS_OFF},
    {TEXT("securecookie"), false, FACT_TLS_OFF},
    {TEXT("cookiesecure"), false, FACT_TLS_OFF},
    {TEXT("encryption"), false, FACT_ENCRYPTION_OFF},
    {TEXT("encryptionenabled"), false, FACT_ENCRYPTION_OFF},
    {TEXT("encrypt"), false, FACT_ENCRYPTION_OFF},
    {TEXT("audit"), false, FACT_LOGGING_OFF},
    {TEXT("auditenabled"), false, FACT_LOGGING_OFF},
    {TEXT("auditlog"), false, FACT_LOGGING_OFF},
    {TEXT("auditlogenabled"), false, FACT_LOGGING_OFF},
    {TEXT("auditlogging"), false, FACT_LOGGING_OFF},
    {TEXT("accesslog"), false, FACT_LOGGING_OFF},
    {TEXT("backup"), false, FACT_BACKUPS_OFF},
    {TEXT("backups"), false, FACT_BACKUPS_OFF},
    {TEXT("backupenabled"), false, FACT_BACKUPS_OFF},
    {TEXT("backupsenabled"), false, FACT_BACKUPS_OFF},
};

enum state { STATE_OTHER, STATE_ON, STATE_OFF };

static bool same_letters(struct str s, const char *word)
{
    return s.len == strlen(word) && strncasecmp(s.ptr == NULL ? "" : s.ptr, word, s.len) == 0;
}

/* As people write a switch; anything else is on, since it says how. */
static enum state state_of(const struct value *v)
{
    static const char *const off[] = {"", "false", "off", "no", "0", "none", "disabled", "disable", "never", "allow", "prefer", "n", "f"};
    double number = 0;
    if (v == NULL || v->type == VALUE_NULL) {
        return STATE_OTHER;
    }
    if (v->type == VALUE_STRING) {
        for (size_t i = 0; i < COUNT(off); i++) {
            if (same_letters(str_trim(v->string), off[i])) {
                return STATE_OFF;
            }
        }
        return STATE_ON;
    }
    if (value_number(v, &number)) {
        return number < 0 || number > 0 ? STATE_ON : STATE_OFF;
    }
    if (v->type == VALUE_BOOL) {
        return v->boolean ? STATE_ON : STATE_OFF;
    }
    return v->count > 0 ? STATE_ON : STATE_OFF;
}

struct flag_name {
    char text[FLAG_NAME_MAX];
    size_t len;
};

/* The end of the path in small letters, its steps and words put together: /auth/enabled is authenabled. */
static struct flag_name name_of(struct str path)
{
    struct flag_name n = {.len = 0};
    size_t from = path.len > FLAG_NAME_MAX ? path.len - FLAG_NAME_MAX : 0;
    for (size_t i = from; i < path.len; i++) {
        char c = path.ptr[i];
        c = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
            n.text[n.len++] = c;
        }
    }
    return n;
}

/* Members are many: most are done with after their last letter. */
static bool ends_in(const struct flag_name *n, struct str ending)
{
    return n->len >= ending.len && n->text[n->len - 1] == ending.ptr[ending.len - 1] &&
           memcmp(n->text + n->len - ending.len, ending.ptr, ending.len) == 0;
}

static diff_facts facts_of_address(const struct diff_leaf *leaf, const struct flag_name *name)
{
    static const struct str endings[] = {TEXT("bind"), TEXT("listen"), TEXT("host"), TEXT("address"), TEXT("addr"), TEXT("bindip")};
    static const struct str lists[] = {TEXT("origin"), TEXT("origins"), TEXT("allowedhosts")};
    struct str now = value_text(leaf->after);
    struct str host = str_starts(now, STR("[")) ? str_slice(now, 1, str_find(now, ']')) : now;
    host = str_starts(host, STR("0.0.0.0:")) ? STR("0.0.0.0") : host;
    bool open = str_eq(host, STR("0.0.0.0")) || str_eq(host, STR("::")) || (str_eq(host, STR("*")) && ends_in(name, endings[0]));
    for (size_t i = 0; i < COUNT(endings) && open; i++) {
        if (ends_in(name, endings[i])) {
            return FACT_BIT(FACT_BIND_ANY);
        }
    }
    for (size_t i = 0; i < COUNT(lists) && str_eq(now, STR("*")); i++) {
        if (ends_in(name, lists[i])) {
            return FACT_BIT(FACT_PUBLIC_ACCESS);
        }
    }
    return 0;
}

diff_facts flag_facts(const struct diff_leaf *leaf)
{
    struct flag_name name = name_of(leaf->path);
    diff_facts facts = facts_of_address(leaf, &name);
    for (size_t i = 0; i < COUNT(flags); i++) {
        if (!ends_in(&name, flags[i].ending)) {
            continue;
        }
        enum state before = state_of(leaf->before);
        enum state after = state_of(leaf->after);
        bool turned_on = after == STATE_ON && before != STATE_ON;
        bool turned_off = (after == STATE_OFF && before != STATE_OFF) || (after == STATE_OTHER && before == STATE_ON);
        if (flags[i].bad_on ? turned_on : turned_off) {
            facts |= FACT_BIT(flags[i].fact);
        }
        break;
    }
    return facts;
}
