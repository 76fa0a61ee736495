#include "diff/flags.h"

#include "diff/access.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { FLAG_NAME_MAX = 128 }; /* bytes of a name's end that is looked at */

/* What a name ends in, in small letters and without separators. */
static const struct {
    const char *ending;
    bool bad_on; /* on is what is bad; else off is */
    enum diff_fact fact;
} flags[] = {
    {"insecureskipverify", true, FACT_VERIFY_OFF},
    {"skipverify", true, FACT_VERIFY_OFF},
    {"skiptlsverify", true, FACT_VERIFY_OFF},
    {"skipsslverify", true, FACT_VERIFY_OFF},
    {"noverify", true, FACT_VERIFY_OFF},
    {"insecure", true, FACT_VERIFY_OFF},
    {"trustservercertificate", true, FACT_VERIFY_OFF},
    {"allowinvalidcertificates", true, FACT_VERIFY_OFF},
    {"disabletls", true, FACT_TLS_OFF},
    {"disablessl", true, FACT_TLS_OFF},
    {"tlsdisabled", true, FACT_TLS_OFF},
    {"disableauth", true, FACT_AUTH_DISABLED},
    {"disableauthentication", true, FACT_AUTH_DISABLED},
    {"authdisabled", true, FACT_AUTH_DISABLED},
    {"skipauth", true, FACT_AUTH_DISABLED},
    {"noauth", true, FACT_AUTH_DISABLED},
    {"allowanonymous", true, FACT_AUTH_DISABLED},
    {"anonymousenabled", true, FACT_AUTH_DISABLED},
    {"anonymousaccess", true, FACT_AUTH_DISABLED},
    {"permitrootlogin", true, FACT_AUTH_DISABLED},
    {"disablelogging", true, FACT_LOGGING_OFF},
    {"rejectunauthorized", false, FACT_VERIFY_OFF},
    {"verify", false, FACT_VERIFY_OFF},
    {"verifyenabled", false, FACT_VERIFY_OFF},
    {"verifyssl", false, FACT_VERIFY_OFF},
    {"verifytls", false, FACT_VERIFY_OFF},
    {"verifypeer", false, FACT_VERIFY_OFF},
    {"verifyhost", false, FACT_VERIFY_OFF},
    {"verifycertificate", false, FACT_VERIFY_OFF},
    {"verifysignature", false, FACT_VERIFY_OFF},
    {"strictssl", false, FACT_VERIFY_OFF},
    {"auth", false, FACT_AUTH_DISABLED},
    {"authenabled", false, FACT_AUTH_DISABLED},
    {"authentication", false, FACT_AUTH_DISABLED},
    {"authenticationenabled", false, FACT_AUTH_DISABLED},
    {"authorization", false, FACT_AUTH_DISABLED},
    {"authorizationenabled", false, FACT_AUTH_DISABLED},
    {"requireauth", false, FACT_AUTH_DISABLED},
    {"authrequired", false, FACT_AUTH_DISABLED},
    {"rbac", false, FACT_AUTH_DISABLED},
    {"rbacenabled", false, FACT_AUTH_DISABLED},
    {"mfa", false, FACT_AUTH_DISABLED},
    {"mfaenabled", false, FACT_AUTH_DISABLED},
    {"mfarequired", false, FACT_AUTH_DISABLED},
    {"requiremfa", false, FACT_AUTH_DISABLED},
    {"csrf", false, FACT_AUTH_DISABLED},
    {"csrfenabled", false, FACT_AUTH_DISABLED},
    {"csrfprotection", false, FACT_AUTH_DISABLED},
    {"protectedmode", false, FACT_AUTH_DISABLED},
    {"tls", false, FACT_TLS_OFF},
    {"tlsenabled", false, FACT_TLS_OFF},
    {"enabletls", false, FACT_TLS_OFF},
    {"requiretls", false, FACT_TLS_OFF},
    {"usetls", false, FACT_TLS_OFF},
    {"ssl", false, FACT_TLS_OFF},
    {"sslenabled", false, FACT_TLS_OFF},
    {"enablessl", false, FACT_TLS_OFF},
    {"requiressl", false, FACT_TLS_OFF},
    {"usessl", false, FACT_TLS_OFF},
    {"sslmode", false, FACT_TLS_OFF},
    {"https", false, FACT_TLS_OFF},
    {"forcehttps", false, FACT_TLS_OFF},
    {"httpsonly", false, FACT_TLS_OFF},
    {"hsts", false, FACT_TLS_OFF},
    {"mtls", false, FACT_TLS_OFF},
    {"securecookie", false, FACT_TLS_OFF},
    {"cookiesecure", false, FACT_TLS_OFF},
    {"encryption", false, FACT_ENCRYPTION_OFF},
    {"encryptionenabled", false, FACT_ENCRYPTION_OFF},
    {"encrypt", false, FACT_ENCRYPTION_OFF},
    {"audit", false, FACT_LOGGING_OFF},
    {"auditenabled", false, FACT_LOGGING_OFF},
    {"auditlog", false, FACT_LOGGING_OFF},
    {"auditlogenabled", false, FACT_LOGGING_OFF},
    {"auditlogging", false, FACT_LOGGING_OFF},
    {"accesslog", false, FACT_LOGGING_OFF},
    {"backup", false, FACT_BACKUPS_OFF},
    {"backups", false, FACT_BACKUPS_OFF},
    {"backupenabled", false, FACT_BACKUPS_OFF},
    {"backupsenabled", false, FACT_BACKUPS_OFF},
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

static bool ends_in(const struct flag_name *n, const char *ending)
{
    return str_ends((struct str){n->text, n->len}, str_from(ending));
}

static diff_facts facts_of_address(const struct diff_leaf *leaf, const struct flag_name *name)
{
    static const char *const endings[] = {"bind", "bindaddress", "listen", "listenaddress", "host", "address", "addr", "bindip"};
    struct str now = value_text(leaf->after);
    struct str host = str_starts(now, STR("[")) ? str_slice(now, 1, str_find(now, ']')) : now;
    host = str_starts(host, STR("0.0.0.0:")) ? STR("0.0.0.0") : host;
    bool open = str_eq(host, STR("0.0.0.0")) || str_eq(host, STR("::")) || (str_eq(host, STR("*")) && ends_in(name, "bind"));
    for (size_t i = 0; i < COUNT(endings) && open; i++) {
        if (ends_in(name, endings[i])) {
            return FACT_BIT(FACT_BIND_ANY);
        }
    }
    bool origins = ends_in(name, "origin") || ends_in(name, "origins") || ends_in(name, "allowedhosts");
    return origins && str_eq(now, STR("*")) ? FACT_BIT(FACT_PUBLIC_ACCESS) : 0;
}

diff_facts flag_facts(const struct diff_leaf *leaf)
{
    struct flag_name name = name_of(leaf->path);
    enum state before = state_of(leaf->before);
    enum state after = state_of(leaf->after);
    diff_facts facts = facts_of_address(leaf, &name);
    for (size_t i = 0; i < COUNT(flags); i++) {
        if (!ends_in(&name, flags[i].ending)) {
            continue;
        }
        bool turned_on = after == STATE_ON && before != STATE_ON;
        bool turned_off = (after == STATE_OFF && before != STATE_OFF) || (after == STATE_OTHER && before == STATE_ON);
        if (flags[i].bad_on ? turned_on : turned_off) {
            facts |= FACT_BIT(flags[i].fact);
        }
        break;
    }
    return facts;
}
