#include "check.h"

#include "base/encode.h"
#include "crypto/crypto.h"
#include "redact/redact.h"
#include "value/json.h"

enum { MEMORY_MAX = 64 << 20, TEXT_MAX = 4096 };

static const uint8_t key[REDACT_KEY_LEN] = {1, 2, 3};
static const uint8_t other_key[REDACT_KEY_LEN] = {1, 2, 4};

struct maker {
    struct redactor *r;
    struct arena *a;
};

static int set_up(void **state)
{
    struct maker *m = calloc(1, sizeof *m);
    m->a = arena_new(MEMORY_MAX);
    assert_int_equal(redactor_new(key, NULL, 0, &m->r, NULL), RC_OK);
    *state = m;
    return 0;
}

static int tear_down(void **state)
{
    struct maker *m = *state;
    redactor_free(m->r);
    arena_free(m->a);
    free(m);
    return 0;
}

static struct str hex_of(struct arena *a, const uint8_t *with, struct str secret, size_t bytes)
{
    struct digest d = hmac_sha256((struct str){(const char *)with, REDACT_KEY_LEN}, secret);
    char hex[2 * SHA256_LEN];
    hex_encode(d.bytes, bytes, hex);
    return arena_str(a, (struct str){hex, 2 * bytes});
}

static struct str marker_of(struct arena *a, struct str type, struct str secret)
{
    struct str hex = hex_of(a, key, secret, 8);
    return arena_printf(a, "[redacted:%.*s:hmac-sha256:%.*s]", STR_ARG(type), STR_ARG(hex));
}

/*
 * Cases are written with each secret as {type|secret}: want() turns it into its marker, plain()
 * into the secret. \1 and \2 stand for the braces, since they may be in a text.
 */
static struct str written(struct arena *a, const char *marked, bool redacted)
{
    CLEANUP(buf) struct buf out;
    buf_init(&out, 1 << 16);
    struct str rest = str_from(marked);
    while (rest.len > 0) {
        size_t open = str_find(rest, '\1');
        buf_str(&out, str_slice(rest, 0, open));
        rest = str_slice(rest, open + 1, rest.len);
        if (rest.len == 0) {
            break;
        }
        size_t bar = str_find(rest, '|');
        size_t end = str_find(rest, '\2');
        struct str secret = str_slice(rest, bar + 1, end);
        buf_str(&out, redacted ? marker_of(a, str_slice(rest, 0, bar), secret) : secret);
        rest = str_slice(rest, end + 1, rest.len);
    }
    assert_int_equal(out.rc, RC_OK);
    return arena_str(a, buf_view(&out));
}

static uint32_t secrets_in(const char *marked)
{
    uint32_t count = 0;
    for (; *marked != '\0'; marked++) {
        count += *marked == '\1';
    }
    return count;
}

static struct str redacted(const struct redactor *r, struct arena *a, struct str text,
                           uint32_t *ret_count)
{
    struct str out;
    struct err e = {0};
    if (redact_text(r, a, text, &out, ret_count, &e) != RC_OK) {
        print_error("%s\n", e.text);
        fail();
    }
    return out;
}

static void check_marked(const struct redactor *r, struct arena *a, const char *marked)
{
    struct str want = written(a, marked, true);
    uint32_t count = 0;
    struct str got = redacted(r, a, written(a, marked, false), &count);
    assert_str(got, want.ptr);
    assert_int_equal(count, secrets_in(marked));
    struct str again = redacted(r, a, got, &count);
    assert_str(again, want.ptr);
    assert_int_equal(count, 0);
    assert_ptr_equal(again.ptr, got.ptr);
}

#define A8 "Ab3dE5gH"
#define A16 A8 A8
#define A32 A16 A16
#define JWT_HEAD "eyJhbGciOiJIUzI1NiJ9"
#define JWT_BODY "eyJzdWIiOiIxIn0"
#define PEM(label)                                                                                 \
    "-----BEGIN " label "PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7bq5\nAb+/Cd==\n-----END " label        \
    "PRIVATE KEY-----"

/* What is a secret by its looks; one byte less at the end (or where cut says) is none. */
static const struct {
    const char *type;
    const char *secret;
    bool any_length; /* its shorter form is still one */
} tokens[] = {
    {"aws_access_key_id", "AKIAIOSFODNN7EXAMPLE", false},
    {"aws_access_key_id", "ASIAIOSFODNN7EXAMPLE", false},
    {"google_api_key", "AIzaSyA-1_" A16 A8 "abcde", false},
    {"google_client_secret", "GOCSPX-" A16 A8 "a_-b", false},
    {"google_token", "ya29." A16 A8 "abcd_-", false},
    {"github_token", "ghp_" A32 "abcd", false},
    {"github_token", "gho_" A32 "abcd", false},
    {"github_token", "ghu_" A32 "abcd", false},
    {"github_token", "ghs_" A32 "abcd", false},
    {"github_token", "ghr_" A32 "abcd", false},
    {"github_token", "github_pat_11ABCDEFG0abcdefghijkl_" A32 A16 A8 "abc", false},
    {"gitlab_token", "glpat-" A16 "a_-b", false},
    {"gitlab_token", "gldt-" A16 "a_-b", false},
    {"gitlab_token", "glrt-" A16 "a_-b", false},
    {"gitlab_token", "glcbt-" A16 "a_-b", false},
    {"gitlab_token", "glptt-" A16 "a_-b", false},
    {"gitlab_token", "glft-" A16 "a_-b", false},
    {"gitlab_token", "glimt-" A16 "a_-b", false},
    {"gitlab_token", "glagent-" A16 "a_-b", false},
    {"gitlab_token", "gloas-" A16 "a_-b", false},
    {"gitlab_token", "glsoat-" A16 "a_-b", false},
    {"gitlab_token", "glffct-" A16 "a_-b", false},
    {"gitlab_token", "glpat-" A32 ".01.0a1b2c3d4", true},
    {"slack_token", "xoxb-123456789012-abcdefg", false},
    {"slack_token", "xoxp-123456789012-abcdefg", false},
    {"slack_token", "xoxa-123456789012-abcdefg", false},
    {"slack_token", "xoxr-123456789012-abcdefg", false},
    {"slack_token", "xoxs-123456789012-abcdefg", false},
    {"slack_token", "xoxe-123456789012-abcdefg", false},
    {"slack_token", "xoxc-123456789012-abcdefg", false},
    {"slack_token", "xoxd-123456789012-abcdefg", false},
    {"slack_token", "xapp-1-A0123456789-abcdef", true},
    {"stripe_key", "sk_live_" A16, false},
    {"stripe_key", "sk_test_" A16, false},
    {"stripe_key", "rk_live_" A16, false},
    {"stripe_key", "rk_test_" A16, false},
    {"webhook_secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", false},
    {"npm_token", "npm_" A32 "abcd", false},
    {"pypi_token", "pypi-AgEIcHlwaS5vcmcC" A32 A32 "a_-de", false},
    {"openai_key", "sk-" A32 A16, false},
    {"openai_key", "sk-proj-" A32 "abcd-_fg", false},
    {"openai_key", "sk-svcacct-" A32 "abcd-_fg", false},
    {"openai_key", "sk-admin-" A32 "abcd-_fg", false},
    {"anthropic_key", "sk-ant-api03-" A32 A32 "abcd-_fghi", false},
    {"vault_token", "hvs." A16 "abcd-_fg", false},
    {"vault_token", "hvb." A16 "abcd-_fg", false},
    {"grafana_token", "glsa_" A32 "_1a2b3c4d", false},
    {"pawl_token", "pawl_agent_" A32 "abcdefgh-_i", false},
    {"pawl_token", "pawl_approver_" A32 "abcdefgh-_i", false},
    {"jwt", JWT_HEAD "." JWT_BODY "." A16, false},
    {"private_key", PEM(""), true},
    {"private_key", PEM("RSA "), true},
    {"private_key", PEM("EC "), true},
    {"private_key", PEM("OPENSSH "), true},
    {"private_key", PEM("ENCRYPTED "), true},
};

static struct value parsed(struct arena *a, struct str text)
{
    struct value v;
    struct err e = {0};
    if (json_parse(a, text, &v, &e) != RC_OK) {
        print_error("%s: %.*s\n", e.text, STR_ARG(text));
        fail();
    }
    return v;
}

static struct str canonical(struct arena *a, const struct value *v)
{
    CLEANUP(buf) struct buf out;
    buf_init(&out, MEMORY_MAX);
    json_write(&out, v);
    assert_int_equal(out.rc, RC_OK);
    return arena_str(a, buf_view(&out));
}

static struct str object_of(struct arena *a, struct str type, struct str secret)
{
    struct str hex = hex_of(a, key, secret, SHA256_LEN);
    return arena_printf(a, "{\"$redacted\":\"hmac-sha256:%.*s\",\"type\":\"%.*s\"}", STR_ARG(hex),
                        STR_ARG(type));
}

static void token_alone(void **state)
{
    struct maker *m = *state;
    for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++) {
        struct str secret = str_from(tokens[i].secret);
        static const char *const around[] = {"", " \n"};
        for (size_t k = 0; k < 2; k++) {
            struct value v =
                value_string(arena_printf(m->a, "%s%s%s", around[k], secret.ptr, around[k]));
            uint32_t count = 0;
            assert_int_equal(redact_value(m->r, m->a, &v, &count, NULL), RC_OK);
            assert_str(canonical(m->a, &v), object_of(m->a, str_from(tokens[i].type), secret).ptr);
            assert_int_equal(count, 1);
            assert_true(redact_holds(&v));
        }
    }
}

static void token_in_text(void **state)
{
    static const struct {
        const char *before;
        const char *after;
    } around[] = {
        {"use ", ""},
        {"", " was used"},
        {"(", ")"},
        {"\"", "\""},
        {"https://x/?k=", "&a"},
        {"a:", ", more"},
        {"ü", "ü"},
        {"it's ", ", he said"},
        {"", "\nnext line"},
        {"say ", "\tthere"},
        {"<", ">"},
        {"a/", "; b"},
        {"x=", "|sh"},
    };
    struct maker *m = *state;
    for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++) {
        for (size_t k = 0; k < sizeof around / sizeof *around; k++) {
            char text[TEXT_MAX];
            snprintf(text, sizeof text, "%s\1%s|%s\2%s", around[k].before, tokens[i].type,
                     tokens[i].secret, around[k].after);
            check_marked(m->r, m->a, text);
        }
    }
}

static void token_too_short(void **state)
{
    struct maker *m = *state;
    for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++) {
        if (!tokens[i].any_length) {
            struct str secret = str_from(tokens[i].secret);
            struct str cut = arena_str(m->a, str_slice(secret, 0, secret.len - 1));
            check_marked(m->r, m->a, cut.ptr);
            check_marked(m->r, m->a, arena_printf(m->a, "use %s.", cut.ptr).ptr);
            /* Nor when it begins inside a word. */
            check_marked(m->r, m->a, arena_printf(m->a, "x%s", secret.ptr).ptr);
        }
    }
}

static void ordinary_text_stays(void **state)
{
    static const char *const texts[] = {
        "",
        "scale checkout to 5 replicas because latency is above 300 ms",
        "123e4567-e89b-12d3-a456-426614174000",
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "registry.example/team/app@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b",
        "checkout-7d9f8b6c5d-x2k4q",
        "ip-10-0-0-1.eu-west-1.compute.internal",
        "arn:aws:iam::123456789012:role/deploy",
        "2026-11-21T10:00:00.000Z",
        "10:30:00",
        "https://example.com:8443/a/b?c=d@e",
        "postgres://app@db:5432/shop",
        "git@host:team/x.git",
        "ssh://git@host:22/x",
        "http://user:@host/",
        "mailto:a@b.c",
        "max_tokens=4096",
        "tokens: 5",
        "tokenizer=bpe",
        "PWD=/home/me",
        "OLDPWD=/tmp",
        "author=me",
        "bypass=true",
        "secretName: db-creds",
        "secretKeyRef: x",
        "password_file=/run/x",
        "--password-file /run/x",
        "GOOGLE_APPLICATION_CREDENTIALS=/etc/key.json",
        "next_token=abc",
        "nextPageToken=abc",
        "rotate the token: it leaked",
        "the password policy: twelve characters",
        "Bearer tokens are accepted",
        "Basic authentication is off",
        "basic-auth",
        "a bearer of news",
        "if token == nil",
        "token =~ x",
        "password=",
        "PASSWORD= psql -h db",
        "password: |",
        "password=env:DB_PASSWORD",
        "password=file:/run/secrets/db",
        "password=${DB_PASSWORD}",
        "password=$DB_PASSWORD",
        "--password \"$(cat /run/secret)\"",
        "password=$(cat x)",
        "password=`cat x`",
        "password=true",
        "password=****",
        "--password --host x",
        "--token -v",
        "--password \\\n --host x",
        "Authorization: required for all",
        "task-" A32 A16,
        "sk-learn",
        "desk-" A32 A16,
        "AKIAIOSFODNN7EXAMPLEX",
        "AKIAIOSFODNN7EXAMPLEx",
        "AKIAiosfodnn7example",
        JWT_HEAD "." JWT_BODY ".",
        JWT_HEAD "." JWT_BODY,
        "eyJhbGciOiJIUzI1NiJA." JWT_BODY "." A16,
        JWT_HEAD ".eyJzdWIiOiIxIn1h." A16,
        "-----BEGIN CERTIFICATE-----\nMIIEpAIBAAKCAQEA7bq5\n-----END CERTIFICATE-----",
        "-----BEGIN PUBLIC KEY-----\nMIIEpAIBAAKCAQEA7bq5\n-----END PUBLIC KEY-----",
        "a file with -----BEGIN PRIVATE KEY----- in it",
        "-----END RSA PRIVATE KEY-----",
        "pawl_agent_short",
        "pawl_decisions_total",
        "npm_config_registry=https://registry.npmjs.org",
        "[redacted:github_token:hmac-sha256:0123456789abcdef]",
        "[redacted:x",
        "[a[b]c]",
        "ghp_",
        "_",
        "-",
        ":",
        "=",
        "://",
        "B",
        "eyJ",
        "I",
        "grüße an das Team: Straße 5 – fertig",
    };
    struct maker *m = *state;
    size_t before = arena_used(m->a);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        uint32_t count = 99;
        struct str text = str_from(texts[i]);
        struct str out = redacted(m->r, m->a, text, &count);
        assert_str(out, texts[i]);
        assert_ptr_equal(out.ptr, text.ptr);
        assert_int_equal(count, 0);
    }
    assert_int_equal(arena_used(m->a), before); /* nothing found, nothing allocated */
}

#define FIELD(type, secret) "\1" type "|" secret "\2"

static void fields_of_text(void **state)
{
    static const char *const texts[] = {
        /* NAME=VALUE */
        "password=" FIELD("password", "hunter2"),
        "DB_PASSWORD=" FIELD("password", "hunter2"),
        "PGPASSWORD=" FIELD("password", "x") " psql -h db",
        "db.passwd=" FIELD("password", "x"),
        "MYSQL_PWD=" FIELD("password", "x"),
        "SMTP_PASS=" FIELD("password", "x"),
        "export API_KEY=" FIELD("api_key", "k1") " && run",
        "apikey=" FIELD("api_key", "k1"),
        "clientSecret=" FIELD("secret", "s"),
        "client_secret=" FIELD("secret", "s"),
        "x-access-token=" FIELD("token", "t"),
        "accessToken=" FIELD("token", "t"),
        "ACCESSTOKEN=" FIELD("token", "t"),
        "private_key=" FIELD("private_key", "t"),
        "aws_secret_access_key = " FIELD("aws_secret_key",
                                         "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
        "AWS_SECRET_ACCESS_KEY=" FIELD("aws_secret_key",
                                       "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
        "AccountKey=" FIELD("access_key", "abc==") ";EndpointSuffix=core",
        "Server=db;User Id=sa;Password=" FIELD("password", "p(w)d") ";",
        "password='" FIELD("password", "two words; 1 | 2") "'",
        "password=\"" FIELD("password", "a\\\"b") "\" c",
        "password = \"" FIELD("password", "x") "\"",
        "password => '" FIELD("password", "x") "'",
        "password=$'" FIELD("password", "x") "'",
        "password=\"" FIELD("password", "cut") "\nnext",
        "?user=a&password=" FIELD("password", "b") "&c=d",
        "token=" FIELD("token", "a") "|sh",
        "token=" FIELD("token", "a") ";reboot",
        "token=" FIELD("token", "a") "$(reboot)",
        "--from-literal=password=" FIELD("password", "x"),
        "password=" FIELD("password", "grün") " x",
        /* flags */
        "mysql --password " FIELD("password", "hunter2") " -h db",
        "mysql --password=" FIELD("password", "hunter2"),
        "-token " FIELD("token", "abc"),
        "--api-key '" FIELD("api_key", "a b") "'",
        "--token " FIELD("token", "-abc"),
        "--client-secret   " FIELD("secret", "s"),
        "'--password' ",
        "--password env:X",
        /* members */
        "{\"password\":\"" FIELD("password", "hunter2") "\",\"user\":\"me\"}",
        "{\\\"password\\\": \\\"" FIELD("password", "hunter2") "\\\"}",
        "'token' : '" FIELD("token", "x") "'",
        "user: me\n  password: " FIELD("password", "hunter2") "\nhost: db",
        "- token: " FIELD("token", "x"),
        "password: " FIELD("password", "x") "\r\n",
        "curl -H 'X-Api-Key: " FIELD("api_key", "k") "' u",
        "token: \"" FIELD("token", "x y") "\"",
        /* Authorization */
        "Authorization: Bearer " FIELD("authorization", "abc"),
        "authorization: basic " FIELD("authorization", "YTpi"),
        "curl -H \"Authorization: Bearer " FIELD("authorization", "abc.def") "\" https://x",
        "Proxy-Authorization: Basic " FIELD("authorization", "YTpi"),
        "Authorization: token " FIELD("authorization", "a1"),
        "Authorization: " FIELD("authorization", "rawvalue1") "\nHost: x",
        "{\"Authorization\":\"Bearer " FIELD("authorization", "abc") "\"}",
        "Authorization: Bearer " FIELD("jwt", JWT_HEAD "." JWT_BODY "." A16),
        "Bearer " FIELD("authorization", "abcdefghijklmnopqrs1"),
        "got: bearer " FIELD("authorization", "1bcdefghijklmnopqrst"),
        "Bearer abcdefghijklmnopqr1",
        "Bearer abcdefghijklmnopqrst",
        "Basic " FIELD("authorization", "dXNlcjpwYXNz"),
        "Basic dXNlcnBhc3M=",
        "Basic dXNlcjpwYXN",
        /* URLs */
        "postgres://app:" FIELD("url_password", "s3cret") "@db:5432/shop",
        "https://me:" FIELD("url_password", "p@ss") "@host/x",
        "redis://:" FIELD("url_password", "x") "@r/0",
        "amqp://u:" FIELD("url_password", "a:b") "@h and https://v:" FIELD("url_password",
                                                                           "c") "@i",
        "https://u:${PASSWORD}@h",
        "https://hooks.slack.com/services/" FIELD("slack_webhook", "T00000000/B00000000/" A16 A8),
        "https://hooks.slack.com/services/T0/B0/x",
        /* a token under a name is what it is; its name does not matter then */
        "GITHUB_TOKEN=" FIELD("github_token", "ghp_" A32 "abcd"),
        "https://u:" FIELD("github_token", "ghp_" A32 "abcd") "@github.com/x",
        /* one inside another is one secret */
        "password='" FIELD("password", "a ghp_" A32 "abcd b") "'",
        "private_key=" FIELD("private_key", PEM("RSA ")) " x",
        /* keys that were cut */
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQ",
        FIELD("private_key", "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\nAbcd+/12"),
        "error: x " FIELD("private_key",
                          "AIBAAKCAQEA7bq5\nAb+/Cd==\n-----END RSA PRIVATE KEY-----") "\n",
        FIELD("private_key",
              "-----BEGIN PRIVATE KEY-----\\nMIIEpAIBAAKCAQEA\\n-----END PRIVATE KEY-----"),
        FIELD("private_key",
              "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: "
              "A-1-CBC,0A\n\nMIIE\n"
              "-----END RSA PRIVATE KEY-----") " and " FIELD("private_key", PEM("EC ")),
        /* a command is not hidden in a key */
        "-----BEGIN PRIVATE KEY-----; rm -rf /; -----END PRIVATE KEY-----",
    };
    struct maker *m = *state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        check_marked(m->r, m->a, texts[i]);
    }
}

/* want: JSON with <type|secret> for an object and \1type|secret\2 for a marker. */
static struct str wanted(struct arena *a, const char *want)
{
    CLEANUP(buf) struct buf out;
    buf_init(&out, 1 << 16);
    struct str rest = written(a, want, true);
    while (rest.len > 0) {
        size_t open = str_find(rest, '<');
        buf_str(&out, str_slice(rest, 0, open));
        rest = str_slice(rest, open + 1, rest.len);
        if (rest.len > 0) {
            size_t bar = str_find(rest, '|');
            size_t end = str_find(rest, '>');
            buf_str(&out, object_of(a, str_slice(rest, 0, bar), str_slice(rest, bar + 1, end)));
            rest = str_slice(rest, end + 1, rest.len);
        }
    }
    return arena_str(a, buf_view(&out));
}

static void check_value(struct maker *m, const char *given, const char *want)
{
    struct value v = parsed(m->a, str_from(given));
    uint32_t count = 0;
    struct err e = {0};
    assert_int_equal(redact_value(m->r, m->a, &v, &count, &e), RC_OK);
    struct str got = canonical(m->a, &v);
    assert_str(got, wanted(m->a, want).ptr);
    assert_int_equal(redact_holds(&v),
                     strpbrk(want, "<\1") != NULL || strstr(want, "redacted") != NULL);
    assert_int_equal(count > 0, strpbrk(want, "<\1") != NULL);
    assert_int_equal(redact_value(m->r, m->a, &v, &count, &e), RC_OK);
    assert_str(canonical(m->a, &v), got.ptr);
    assert_int_equal(count, 0);
}

static void values(void **state)
{
    static const struct {
        const char *given;
        const char *want;
    } cases[] = {
        {"{\"replicas\":5,\"on\":true,\"x\":null,\"f\":1.5}",
         "{\"replicas\":5,\"on\":true,\"x\":null,\"f\":1.5}"},
        {"{\"password\":\"hunter2\"}", "{\"password\":<password|hunter2>}"},
        {"{\"a\":{\"b\":[{\"API-Key\":\"k\"}]}}", "{\"a\":{\"b\":[{\"API-Key\":<api_key|k>}]}}"},
        {"{\"dbPassword\":\"a b\",\"PASSWD\":\"c\"}",
         "{\"dbPassword\":<password|a b>,\"PASSWD\":<password|c>}"},
        {"{\"password\":1234,\"secret\":1.5}",
         "{\"password\":<password|1234>,\"secret\":<secret|1.5>}"},
        {"{\"password\":\"\",\"token\":null,\"secret\":true}",
         "{\"password\":\"\",\"token\":null,\"secret\":true}"},
        {"{\"password\":\"env:DB_PASSWORD\",\"token\":\"file:/run/t\"}",
         "{\"password\":\"env:DB_PASSWORD\",\"token\":\"file:/run/t\"}"},
        {"{\"password\":\"file:/ghp_" A32 "abcd\"}",
         "{\"password\":<password|file:/ghp_" A32 "abcd>}"},
        {"{\"password\":\"env:A B\"}", "{\"password\":<password|env:A B>}"},
        {"{\"token\":\"ghp_" A32 "abcd\"}", "{\"token\":<github_token|ghp_" A32 "abcd>}"},
        {"{\"secret\":[\"a\",\"b\",{\"name\":\"c\"}]}",
         "{\"secret\":[<secret|a>,<secret|b>,{\"name\":\"c\"}]}"},
        {"{\"secret\":{\"name\":\"db-creds\"}}", "{\"secret\":{\"name\":\"db-creds\"}}"},
        {"{\"Authorization\":\"Bearer abc\"}",
         "{\"Authorization\":\"Bearer " FIELD("authorization", "abc") "\"}"},
        {"{\"authorization\":\"abc\"}", "{\"authorization\":<authorization|abc>}"},
        {"{\"text\":\"x password=y z\"}", "{\"text\":\"x password=" FIELD("password", "y") " z\"}"},
        {"[\"psql\",\"--password\",\"p w\",\"-h\",\"db\"]",
         "[\"psql\",\"--password\",<password|p w>,\"-h\",\"db\"]"},
        {"[\"x\",\"--password=hunter2\"]",
         "[\"x\",\"--password=" FIELD("password", "hunter2") "\"]"},
        {"[\"x\",\"--password\",\"--host\",\"db\"]", "[\"x\",\"--password\",\"--host\",\"db\"]"},
        {"[\"x\",\"--token\",\"-abc\"]", "[\"x\",\"--token\",<token|-abc>]"},
        {"[\"x\",\"--password\",\"--AKIAIOSFODNN7EXAMPLE\"]",
         "[\"x\",\"--password\",<password|--AKIAIOSFODNN7EXAMPLE>]"},
        {"[\"--password\",\"--a-AKIAIOSFODNN7EXAMPLE\"]",
         "[\"--password\",<password|--a-AKIAIOSFODNN7EXAMPLE>]"},
        {"[\"--password\"]", "[\"--password\"]"},
        {"[\"A=b\",\"DB_PASSWORD=two words; x\"]",
         "[\"A=b\",\"DB_PASSWORD=" FIELD("password", "two words; x") "\"]"},
        {"[\"sh\",\"-c\",\"TOKEN=x;reboot now\"]",
         "[\"sh\",\"-c\",\"TOKEN=" FIELD("token", "x") ";reboot now\"]"},
        {"[{\"name\":\"DB_PASSWORD\",\"value\":\"x\"},{\"name\":\"A\",\"value\":\"y\"}]",
         "[{\"name\":\"DB_PASSWORD\",\"value\":<password|x>},{\"name\":\"A\",\"value\":\"y\"}]"},
        {"{\"key\":\"api_key\",\"value\":\"x\"}", "{\"key\":\"api_key\",\"value\":<api_key|x>}"},
        {"{\"kind\":\"Secret\",\"metadata\":{\"name\":\"a\"},\"data\":{\"x\":\"eA==\"},"
         "\"stringData\":{\"y\":\"z\"}}",
         "{\"kind\":\"Secret\",\"metadata\":{\"name\":\"a\"},\"data\":{\"x\":<kubernetes_secret|eA="
         "=>},"
         "\"stringData\":{\"y\":<kubernetes_secret|z>}}"},
        {"{\"kind\":\"ConfigMap\",\"data\":{\"x\":\"y\"}}",
         "{\"kind\":\"ConfigMap\",\"data\":{\"x\":\"y\"}}"},
        {"{\"AKIAIOSFODNN7EXAMPLE\":1}",
         "{\"" FIELD("aws_access_key_id", "AKIAIOSFODNN7EXAMPLE") "\":1}"},
        /* what only looks redacted */
        {"{\"password\":{\"$redacted\":\"hunter2\",\"type\":\"x\"}}",
         "{\"password\":{\"$redacted\":\"hunter2\",\"type\":\"x\"}}"},
        {"{\"$redacted\":\"x\",\"type\":\"a\",\"password\":\"b\"}",
         "{\"$redacted\":\"x\",\"type\":\"a\",\"password\":<password|b>}"},
        {"\"AKIAIOSFODNN7EXAMPLE\"", "<aws_access_key_id|AKIAIOSFODNN7EXAMPLE>"},
        {"{\"password\":\"[redacted:x:hmac-sha256:0123456789abcdef]\"}",
         "{\"password\":\"[redacted:x:hmac-sha256:0123456789abcdef]\"}"},
    };
    struct maker *m = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        check_value(m, cases[i].given, cases[i].want);
    }
}

static void a_marker_has_one_form(void **state)
{
    static const char *const near[] = {
        "[redacted:x:hmac-sha256:0123456789abcde]",
        "[redacted:x:hmac-sha256:0123456789abcdef0]",
        "[redacted:x:hmac-sha256:0123456789ABCDEF]",
        "[redacted::hmac-sha256:0123456789abcdef]",
        "[redacted:X:hmac-sha256:0123456789abcdef]",
        "[redacted:x:hmac-sha512:0123456789abcdef]",
        "[redacted:_x:hmac-sha256:0123456789abcdef]",
        "[redacted:x:hmac-sha256:0123456789abcdef",
        "[redacted:abcdefghijabcdefghijabcdefghijabc:hmac-sha256:0123456789abcdef]",
    };
    struct maker *m = *state;
    struct value v = value_string(
        STR("a [redacted:abcdefghijabcdefghijabcdefghijab:hmac-sha256:0123456789abcdef]"));
    assert_true(redact_holds(&v));
    for (size_t i = 0; i < sizeof near / sizeof *near; i++) {
        v = value_string(str_from(near[i]));
        assert_false(redact_holds(&v));
        struct value o = value_object();
        value_add(m->a, &o, STR("password"), v);
        uint32_t count = 0;
        assert_int_equal(redact_value(m->r, m->a, &o, &count, NULL), RC_OK);
        assert_int_equal(count, 1);
    }
}

static void the_key_decides(void **state)
{
    struct maker *m = *state;
    CLEANUP(redactor) struct redactor *same = NULL;
    CLEANUP(redactor) struct redactor *other = NULL;
    assert_int_equal(redactor_new(key, NULL, 0, &same, NULL), RC_OK);
    assert_int_equal(redactor_new(other_key, NULL, 0, &other, NULL), RC_OK);
    struct str text = STR("password=hunter2");
    uint32_t count = 0;
    struct str first = redacted(m->r, m->a, text, &count);
    assert_str(redacted(same, m->a, text, &count), first.ptr);
    assert_false(str_eq(redacted(other, m->a, text, &count), first));
    struct str hex = hex_of(m->a, other_key, STR("hunter2"), 8);
    assert_str(
        redacted(other, m->a, text, &count),
        arena_printf(m->a, "password=[redacted:password:hmac-sha256:%.*s]", STR_ARG(hex)).ptr);
    assert_false(str_eq(redacted(m->r, m->a, STR("password=hunter3"), &count), first));
}

static void operator_patterns(void **state)
{
    static const struct redact_pattern patterns[] = {
        {{"acme_id", 7}, {"ACME-[0-9]{4,}", 14}},
        {{"first", 5}, {"^x+y", 4}},
        {{"last", 4}, {"(z' )?z$", 8}},
        {{"word", 4}, {"[aä]b|b[cC]c?", 14}},
        {{"github_token", 12}, {"ghp_[a-z]{4}", 12}},
        {{"line", 4}, {"KEY .*", 6}},
    };
    static const char *const texts[] = {
        "id \1acme_id|ACME-1234\2.",
        "\1acme_id|ACME-1234567\2",
        "ACME-123",
        "acme-1234",
        "\1acme_id|ACME-1234\2 \1acme_id|ACME-5678\2",
        "\1acme_id|ACME-1234\2\1acme_id|ACME-5678\2",
        "\1first|xxxy\2 xy",
        "a xy",
        "z z\1last|z\2",
        "z ",
        "\1word|äb\2 \1word|abcc\2 bb \1word|bCc\2",
        "\1github_token|ghp_abcd\2e",
        "\1line|KEY ACME-1234 and password=x\2\nnext",
        /* shorter than what is known without it, and beyond it */
        "password=\1password|xACME-1234\2",
        "password='\1last|z' z\2",
    };
    struct maker *m = *state;
    CLEANUP(redactor) struct redactor *r = NULL;
    struct err e = {0};
    assert_int_equal(redactor_new(key, patterns, sizeof patterns / sizeof *patterns, &r, &e),
                     RC_OK);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        check_marked(r, m->a, texts[i]);
    }
}

/* A pattern that takes a neighbour away must not make a token or a name of what is left. */
static void a_second_pass_finds_nothing(void **state)
{
    static const struct redact_pattern patterns[] = {{{"foo", 3}, {"foo|;x| \\/", 10}}};
    static const char *const texts[] = {
        "fooghp_" A32 "abcd",
        "AKIAIOSFODNN7EXAMPLEfoo",
        "footoken=abc",
        "my.footoken=abc",
        "password=abc;xdef ghi",
        "a://u:p /@h",
        "password: a foo",
        "foo\npassword: a",
        "foo password: a",
        "--footoken a",
        "foo--token a",
        "token=foo",
        "token='foo bar'",
        "Basic dXNlcjpwYXNzfoo",
        "Authorization: afoo12345678",
        "file=foo://u:p@h",
        "xfooToken=1",
        "xFOOfooToken=1",
        "-----BEGIN PRIVATE KEY-----\nMIIEpAIBAAKCAQ;x-----END PRIVATE KEY-----",
        "foo-----BEGIN PRIVATE KEY-----\nMIIEpAIBAAKCAQ-----END PRIVATE KEY-----",
        "token=token=token=a",
        "password=\"$(x --token abc)foo\"",
        "ghp_" A32 "abfoocd",
        JWT_HEAD "." JWT_BODY "." A16 "foo",
        "foo" JWT_HEAD "." JWT_BODY "." A16,
    };
    struct maker *m = *state;
    CLEANUP(redactor) struct redactor *r = NULL;
    assert_int_equal(redactor_new(key, patterns, 1, &r, NULL), RC_OK);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        uint32_t count = 0;
        struct str once = redacted(r, m->a, str_from(texts[i]), &count);
        assert_true(count > 0);
        assert_str(redacted(r, m->a, once, &count), arena_str(m->a, once).ptr);
        assert_int_equal(count, 0);
    }
}

static void bad_patterns(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        const char *pattern;
        enum rc rc;
        const char *text;
    } cases[] = {
        {"", "a", RC_INVALID, "patterns[1]: type: expected [a-z0-9][a-z0-9_-]*, at most 32 bytes"},
        {"Up", "a", RC_INVALID,
         "patterns[1]: type: expected [a-z0-9][a-z0-9_-]*, at most 32 bytes"},
        {"a]", "a", RC_INVALID,
         "patterns[1]: type: expected [a-z0-9][a-z0-9_-]*, at most 32 bytes"},
        {"abcdefghijabcdefghijabcdefghijabc", "a", RC_INVALID,
         "patterns[1]: type: expected [a-z0-9][a-z0-9_-]*, at most 32 bytes"},
        {"x", "a*", RC_INVALID, "patterns[1]: pattern: matches the empty text"},
        {"x", "", RC_INVALID, "patterns[1]: pattern: matches the empty text"},
        {"x", "a{257}", RC_LIMIT, "patterns[1]: pattern: a repetition beyond 256"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct redact_pattern patterns[] = {{STR("ok"), STR("a+")},
                                            {str_from(cases[i].type), str_from(cases[i].pattern)}};
        struct redactor *r = NULL;
        struct err e = {0};
        assert_int_equal(redactor_new(key, patterns, 2, &r, &e), cases[i].rc);
        assert_str(str_from(e.text), cases[i].text);
        assert_null(r);
    }
    redactor_free(NULL);
}

static void limit_of_patterns(void **state)
{
    (void)state;
    struct redact_pattern patterns[REDACT_PATTERNS_MAX + 1];
    for (size_t i = 0; i <= REDACT_PATTERNS_MAX; i++) {
        patterns[i] = (struct redact_pattern){STR("abcdefghijabcdefghijabcdefghijab"), STR("a")};
    }
    struct redactor *r = NULL;
    struct err e = {0};
    assert_int_equal(redactor_new(key, patterns, REDACT_PATTERNS_MAX + 1, &r, &e), RC_LIMIT);
    assert_str(str_from(e.text), "more than 64 patterns");
    assert_int_equal(redactor_new(key, patterns, REDACT_PATTERNS_MAX, &r, &e), RC_OK);
    redactor_free(r);
}

static struct str repeated(struct arena *a, struct str part, size_t count)
{
    char *bytes = arena_alloc(a, part.len * count);
    assert_non_null(bytes);
    for (size_t i = 0; i < count; i++) {
        memcpy(bytes + i * part.len, part.ptr, part.len);
    }
    return (struct str){bytes, part.len * count};
}

static void limit_of_secrets(void **state)
{
    struct maker *m = *state;
    struct str part = STR("pwd_pwd=a ");
    struct str text = repeated(m->a, part, REDACT_FOUND_MAX + 1);
    struct str out = STR("untouched");
    uint32_t count = 0;
    struct err e = {0};
    assert_int_equal(redact_text(m->r, m->a, text, &out, &count, &e), RC_LIMIT);
    assert_str(str_from(e.text), "more than 10000 secrets");
    assert_str(out, "untouched");
    text.len -= part.len;
    assert_int_equal(redact_text(m->r, m->a, text, &out, &count, &e), RC_OK);
    assert_int_equal(count, REDACT_FOUND_MAX);
    /* Over all strings of a value. */
    struct value v = value_array();
    value_push(m->a, &v, value_string(text));
    value_push(m->a, &v, value_string(STR("x pwd_pwd=a")));
    assert_int_equal(redact_value(m->r, m->a, &v, &count, &e), RC_LIMIT);
}

static void limit_of_work(void **state)
{
    struct maker *m = *state;
    struct redact_pattern pattern = {STR("slow"), STR("(a?){200}b")};
    CLEANUP(redactor) struct redactor *r = NULL;
    assert_int_equal(redactor_new(key, &pattern, 1, &r, NULL), RC_OK);
    struct str text = repeated(m->a, STR("a"), 200000);
    struct str out;
    uint32_t count = 0;
    struct err e = {0};
    assert_int_equal(redact_text(r, m->a, text, &out, &count, &e), RC_LIMIT);
    assert_str(str_from(e.text), "the patterns take more than 20000000 steps");
    text.len = 2000;
    assert_int_equal(redact_text(r, m->a, text, &out, &count, &e), RC_OK);
}

static void limit_of_memory(void **state)
{
    struct maker *m = *state;
    static const char *const given[] = {"\"x password=y\"", "{\"password\":\"x\"}",
                                        "{\"password\":5}"};
    for (size_t i = 0; i < sizeof given / sizeof *given; i++) {
        struct value v = parsed(m->a, str_from(given[i]));
        CLEANUP(arena) struct arena *small = arena_new(8);
        uint32_t count = 99;
        struct err e = {0};
        assert_int_equal(redact_value(m->r, small, &v, &count, &e), RC_LIMIT);
        assert_str(str_from(e.text), "redaction takes more memory than its maximum");
        assert_int_equal(count, 99);
    }
}

/* count arrays around text. */
static struct str nested(struct arena *a, size_t count, const char *text)
{
    struct str open = repeated(a, STR("["), count);
    struct str close = repeated(a, STR("]"), count);
    return arena_printf(a, "%.*s\"%s\"%.*s", STR_ARG(open), text, STR_ARG(close));
}

static void limit_of_depth(void **state)
{
    struct maker *m = *state;
    struct str token = STR("AKIAIOSFODNN7EXAMPLE");
    for (size_t depth = JSON_DEPTH_MAX - 1; depth <= JSON_DEPTH_MAX; depth++) {
        struct value v = parsed(m->a, nested(m->a, depth, token.ptr));
        uint32_t count = 0;
        assert_int_equal(redact_value(m->r, m->a, &v, &count, NULL), RC_OK);
        struct str text = canonical(m->a, &v);
        struct value back = parsed(m->a, text); /* it can be read again */
        assert_true(redact_holds(&back));
        assert_int_equal(redact_value(m->r, m->a, &back, &count, NULL), RC_OK);
        assert_int_equal(count, 0);
        assert_str(canonical(m->a, &back), text.ptr);
    }
    struct value v = parsed(m->a, nested(m->a, JSON_DEPTH_MAX, "x"));
    assert_false(redact_holds(&v));
    struct value deeper = value_array();
    value_push(m->a, &deeper, v);
    uint32_t count = 0;
    struct err e = {0};
    assert_int_equal(redact_value(m->r, m->a, &deeper, &count, &e), RC_LIMIT);
    assert_str(str_from(e.text), "nested deeper than 32");
}

static void equal_names(void **state)
{
    struct maker *m = *state;
    struct str token = STR("AKIAIOSFODNN7EXAMPLE");
    struct str marker = marker_of(m->a, STR("aws_access_key_id"), token);
    struct value v = parsed(m->a, arena_printf(m->a, "{\"%s\":1,\"%s\":2}", token.ptr, marker.ptr));
    uint32_t count = 0;
    struct err e = {0};
    assert_int_equal(redact_value(m->r, m->a, &v, &count, &e), RC_INVALID);
    assert_str(str_from(e.text), "two members have one name once it is redacted");
}

static void holds_fails_closed(void **state)
{
    struct maker *m = *state;
    static const struct {
        const char *text;
        bool holds;
    } cases[] = {
        {"{\"a\":[1,\"x\",null]}", false},
        {"{\"a\":[{\"$redacted\":1}]}", true},
        {"{\"[redacted:x:hmac-sha256:0123456789abcdef]\":1}", true},
        {"[\"a\",\"b [ [redacted:x:hmac-sha256:0123456789abcdef]\"]", true},
        {"\"[redacted]\"", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct value v = parsed(m->a, str_from(cases[i].text));
        assert_int_equal(redact_holds(&v), cases[i].holds);
    }
    struct value v = value_null();
    for (int i = 0; i < 100; i++) {
        struct value around = value_array();
        value_push(m->a, &around, v);
        v = around;
    }
    assert_true(redact_holds(&v));
}

/* Texts that would take hours if anything were looked at again and again. */
static void hostile_texts_are_linear(void **state)
{
    static const char *const parts[] = {
        "token=",
        "password='",
        "password=\"",
        "password=\"\\\"",
        "password=\\\"",
        "a://",
        "a://b:",
        "://a:b@",
        "-----BEGIN PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\n",
        "-----END PRIVATE KEY-----",
        "-----",
        "eyJ",
        "eyJ.",
        "eyJ-",
        "glpat-",
        "ghp_",
        "sk-",
        "sk-proj-",
        "xoxb-",
        "AKIA",
        "pawl_a_",
        "--token ",
        "--token",
        "-- ",
        "_",
        "token: ",
        "\"token\":",
        "token=$(",
        "token='$(",
        "token=file:/",
        "Bearer ",
        "Basic YTpi",
        "[",
        "[redacted:",
        "[redacted:x:hmac-sha256:0123456789abcdef]",
        "Authorization:",
        "token = ",
        "token   ",
        "\\",
        "'",
        "token=[redacted:x:",
        "password=$",
        "a=b&",
        "hooks.slack.com/services/",
        "password='`",
        "password=\"`password='`",
    };
    (void)state;
    static const struct redact_pattern patterns[] = {{{"foo", 3}, {"foo[a-z]*bar|x", 14}}};
    CLEANUP(redactor) struct redactor *r = NULL;
    assert_int_equal(redactor_new(key, patterns, 1, &r, NULL), RC_OK);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        CLEANUP(arena) struct arena *a = arena_new(MEMORY_MAX);
        struct str part = str_from(parts[i]);
        struct str text = repeated(a, part, (256 << 10) / part.len);
        struct str out;
        uint32_t count = 0;
        struct err e = {0};
        enum rc rc = redact_text(r, a, text, &out, &count, &e);
        assert_true(rc == RC_OK || strcmp(e.text, "more than 10000 secrets") == 0);
        struct str marked =
            arena_printf(a, "%.*s[redacted:x:hmac-sha256:0123456789abcdef]", STR_ARG(text));
        rc = redact_text(r, a, marked, &out, &count, &e);
        assert_true(rc == RC_OK || strcmp(e.text, "more than 10000 secrets") == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(token_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(token_in_text, set_up, tear_down),
        cmocka_unit_test_setup_teardown(token_too_short, set_up, tear_down),
        cmocka_unit_test_setup_teardown(ordinary_text_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(fields_of_text, set_up, tear_down),
        cmocka_unit_test_setup_teardown(values, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_marker_has_one_form, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_key_decides, set_up, tear_down),
        cmocka_unit_test_setup_teardown(operator_patterns, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_second_pass_finds_nothing, set_up, tear_down),
        cmocka_unit_test(bad_patterns),
        cmocka_unit_test(limit_of_patterns),
        cmocka_unit_test_setup_teardown(limit_of_secrets, set_up, tear_down),
        cmocka_unit_test_setup_teardown(limit_of_work, set_up, tear_down),
        cmocka_unit_test_setup_teardown(limit_of_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(limit_of_depth, set_up, tear_down),
        cmocka_unit_test_setup_teardown(equal_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(holds_fails_closed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(hostile_texts_are_linear, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
