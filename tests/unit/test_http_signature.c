/* crypto/http_signature: the vector of RFC 9421, requests signed here, and what must not pass. */
#include "base/encode.h"
#include "crypto/http_signature.h"

#include "check.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { NOW_S = 1618884500 };

/* A request as a table of its components. */
struct request {
    struct {
        const char *name;
        const char *value;
    } rows[16];
};

static bool component(void *context, struct str name, struct str *ret)
{
    const struct request *r = context;
    for (size_t i = 0; i < COUNT(r->rows) && r->rows[i].name != NULL; i++) {
        if (str_eq(str_from(r->rows[i].name), name)) {
            *ret = str_from(r->rows[i].value);
            return true;
        }
    }
    return false;
}

/* One byte string member: label=:base64: */
static void buf_member(struct buf *out, const char *label, const uint8_t *bytes, size_t len)
{
    buf_printf(out, "%s=:", label);
    buf_base64(out, bytes, len);
    buf_char(out, ':');
}

static void the_vector_of_rfc_9421(void **state)
{
    (void)state;
    struct request r = {{{"date", "Tue, 20 Apr 2021 02:07:55 GMT"},
                         {"@method", "POST"},
                         {"@path", "/foo"},
                         {"@authority", "example.com"},
                         {"content-type", "application/json"},
                         {"content-length", "18"}}};
    struct http_message m = {.component = component, .context = &r};
    const char *params = "(\"date\" \"@method\" \"@path\" \"@authority\" \"content-type\" \"content-length\");created=1618884473;"
                         "keyid=\"test-key-ed25519\"";
    struct http_signature s = {.components = {STR("date"), STR("@method"), STR("@path"), STR("@authority"),
                                              STR("content-type"), STR("content-length")},
                               .component_count = 6,
                               .params = str_from(params)};
    struct buf base;
    buf_init(&base, 4096);
    assert_int_equal(http_signature_base(&s, &m, &base, NULL), RC_OK);
    assert_str(buf_view(&base), "\"date\": Tue, 20 Apr 2021 02:07:55 GMT\n"
                                "\"@method\": POST\n"
                                "\"@path\": /foo\n"
                                "\"@authority\": example.com\n"
                                "\"content-type\": application/json\n"
                                "\"content-length\": 18\n"
                                "\"@signature-params\": (\"date\" \"@method\" \"@path\" \"@authority\" \"content-type\" "
                                "\"content-length\");created=1618884473;keyid=\"test-key-ed25519\"");
    /* The key is the last 32 bytes of its SubjectPublicKeyInfo. */
    uint8_t spki[44];
    uint8_t signature[ED25519_SIGNATURE_LEN];
    size_t len = 0;
    assert_true(base64_decode(STR("MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs="), spki, sizeof spki, &len));
    assert_int_equal(len, sizeof spki);
    assert_true(base64_decode(
        STR("wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw=="), signature,
        sizeof signature, &len));
    assert_true(ed25519_verify(spki + 12, buf_view(&base), signature));
    buf_done(&base);
    /* Without a nonce it is refused here all the same. */
    struct buf headers;
    buf_init(&headers, 4096);
    buf_printf(&headers, "sig-b26=%s", params);
    struct buf bytes;
    buf_init(&bytes, 4096);
    buf_member(&bytes, "sig-b26", signature, sizeof signature);
    struct err e = {0};
    assert_int_equal(http_signature_parse(buf_view(&headers), buf_view(&bytes), STR(""), &s, &e), RC_INVALID);
    assert_str(str_from(e.text), "nonce has 1 to 128 bytes");
    buf_done(&headers);
    buf_done(&bytes);
}

#define ALL "(\"@method\" \"@authority\" \"@path\" \"@query\" \"content-digest\")"
#define PARAMS ";created=1618884473;nonce=\"n1\";keyid=\"k1\""
#define BODY "{\"hello\": \"world\"}"
#define BODY_DIGEST "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"

static const struct request signed_request = {{{"@method", "POST"},
                                               {"@authority", "pawl.example"},
                                               {"@path", "/v1/actions"},
                                               {"@query", "?wait=1"},
                                               {"@scheme", "https"},
                                               {"@target-uri", "https://pawl.example/v1/actions?wait=1"},
                                               {"content-digest", BODY_DIGEST},
                                               {"x-empty", ""},
                                               {"x-broken", "a\n\"@path\": /other"}}};

static struct signing_key *key_of(uint8_t first, uint8_t public_key[static ED25519_PUBLIC_LEN])
{
    uint8_t seed[ED25519_SEED_LEN] = {first};
    struct signing_key *k = NULL;
    assert_int_equal(signing_key_new(seed, &k, NULL), RC_OK);
    signing_key_public(k, public_key);
    return k;
}

static void public_key_of(uint8_t first, uint8_t public_key[static ED25519_PUBLIC_LEN])
{
    signing_key_free(key_of(first, public_key));
}

/* Signs what the list and parameters say of the request; an unknown component is signed as absent. */
static void sign(const char *list, const char *more, const struct request *r, uint8_t out[static ED25519_SIGNATURE_LEN])
{
    uint8_t public_key[ED25519_PUBLIC_LEN];
    CLEANUP(signing_key) struct signing_key *k = key_of(7, public_key);
    struct buf base;
    buf_init(&base, HTTP_SIGNATURE_BASE_MAX);
    struct str rest = str_from(list);
    rest = str_slice(rest, 1, rest.len - 1);
    for (struct str item; str_next(&rest, ' ', &item);) {
        struct str value = STR("");
        struct request copy = *r;
        (void)component(&copy, str_slice(item, 1, item.len - 1), &value);
        buf_printf(&base, "%.*s: %.*s\n", STR_ARG(item), STR_ARG(value));
    }
    buf_printf(&base, "\"@signature-params\": %s%s", list, more);
    assert_int_equal(base.rc, RC_OK);
    signing_key_sign(k, buf_view(&base), out);
    buf_done(&base);
}

struct outcome {
    enum rc rc;
    struct err err;
};

static struct outcome verify(const char *input, const char *signature, const struct http_message *m,
                             const struct http_signature_rules *rules)
{
    uint8_t public_key[ED25519_PUBLIC_LEN];
    public_key_of(7, public_key);
    struct http_signature s;
    struct outcome o = {0};
    o.rc = http_signature_parse(str_from(input), str_from(signature), STR(""), &s, &o.err);
    if (o.rc == RC_OK) {
        o.rc = http_signature_verify(&s, rules, m, public_key, &o.err);
    }
    return o;
}

/* Signs the request as it was and verifies against the request as it came. */
static struct outcome sign_and_verify(const char *list, const char *more, struct http_message *m,
                                      const struct http_signature_rules *rules)
{
    uint8_t bytes[ED25519_SIGNATURE_LEN];
    sign(list, more, &signed_request, bytes);
    char input[16384];
    assert_in_range(snprintf(input, sizeof input, "pawl=%s%s", list, more), 1, sizeof input - 1);
    struct buf signature;
    buf_init(&signature, 4096);
    buf_member(&signature, "pawl", bytes, sizeof bytes);
    buf_char(&signature, '\0');
    struct outcome o = verify(input, signature.data, m, rules);
    buf_done(&signature);
    return o;
}

static const struct http_signature_rules RULES = {.skew_s = 30, .max_age_s = 300};

static void assert_outcome(struct outcome o, enum rc want, const char *error)
{
    if (o.rc != want) {
        print_error("want %s (%s), got %s: %s\n", rc_name(want), error, rc_name(o.rc), o.err.text);
        fail();
    }
    assert_str(str_from(o.err.text), error);
}

static void what_is_said_is_given(void **state)
{
    (void)state;
    struct http_signature s;
    struct str input = STR("other=(\"date\");created=1, pawl=" ALL ";created=1618884473;expires=1618884600;nonce=\"n-1\";"
                           "alg=\"ed25519\";keyid=\"agent 7\";tag=\"pawl\";extra=:AA==:;flag;off=?0;t=tok/en");
    struct str signature = STR(
        "other=:AAAA:, pawl=:AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAg==:");
    struct err e = {0};
    enum rc rc = http_signature_parse(input, signature, STR("pawl"), &s, &e);
    assert_str(str_from(e.text), "");
    assert_int_equal(rc, RC_OK);
    assert_str(s.label, "pawl");
    assert_int_equal(s.component_count, 5);
    assert_str(s.components[4], "content-digest");
    assert_int_equal(s.created_s, 1618884473);
    assert_int_equal(s.expires_s, 1618884600);
    assert_str(s.nonce, "n-1");
    assert_str(s.keyid, "agent 7");
    assert_str(s.tag, "pawl");
    assert_int_equal(s.bytes[0], 1);
    assert_int_equal(s.bytes[63], 2);
    assert_true(str_starts(s.params, STR("(\"@method\"")));
    assert_true(str_ends(s.params, STR(";t=tok/en")));
}

static void what_must_be_covered(void **state)
{
    (void)state;
    static const struct {
        const char *list;
        bool has_query;
        bool has_body;
        const char *error; /* null: accepted */
    } rows[] = {
        {ALL, true, true, NULL},
        {"(\"@method\" \"@authority\" \"@path\")", false, false, NULL},
        {"(\"@method\" \"@target-uri\" \"content-digest\")", true, true, NULL},
        {"(\"@method\" \"@target-uri\" \"content-digest\" \"@scheme\" \"x-empty\")", true, true, NULL},
        {"(\"@authority\" \"@path\" \"@query\" \"content-digest\")", true, true, "the signature does not cover @method"},
        {"(\"@method\" \"@path\" \"@query\" \"content-digest\")", true, true, "the signature does not cover @authority"},
        {"(\"@method\" \"@authority\" \"@query\" \"content-digest\")", true, true, "the signature does not cover @path"},
        {"(\"@method\" \"@authority\" \"@path\" \"content-digest\")", true, true, "the signature does not cover @query"},
        {"(\"@method\" \"@authority\" \"@path\" \"@query\")", true, true, "the signature does not cover content-digest"},
        {"(\"@method\" \"@target-uri\")", true, true, "the signature does not cover content-digest"},
        {"()", false, false, "the signature does not cover @method"},
        {"(\"@method\" \"@target-uri\" \"x-missing\")", true, false, "the request has no x-missing"},
        {"(\"@method\" \"@target-uri\" \"@status\")", true, false, "the component @status is not known here"},
        {"(\"@method\" \"@target-uri\" \"@query-param\")", true, false, "the component @query-param is not known here"},
        {"(\"@method\" \"@target-uri\" \"X-Empty\")", true, false, "the component X-Empty is not known here"},
        {"(\"@method\" \"@target-uri\" \"x-broken\")", true, false, "x-broken holds a line break"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct request r = signed_request;
        struct http_message m = {component, &r, rows[i].has_query, rows[i].has_body, NOW_S};
        assert_outcome(sign_and_verify(rows[i].list, PARAMS, &m, &RULES), rows[i].error == NULL ? RC_OK : RC_DENIED,
                       rows[i].error == NULL ? "" : rows[i].error);
    }
}

static void what_was_changed_on_the_way(void **state)
{
    (void)state;
    static const struct {
        size_t row;
        const char *value;
    } rows[] = {
        {0, "PUT"},
        {1, "other.example"},
        {2, "/v1/stops"},
        {3, "?wait=1&override=1"},
        {3, "?"},
        {6, "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"},
        {6, BODY_DIGEST ", sha-512=:AAAA:"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct request r = signed_request;
        struct http_message m = {component, &r, true, true, NOW_S};
        assert_outcome(sign_and_verify(ALL, PARAMS, &m, &RULES), RC_OK, "");
        r.rows[rows[i].row].value = rows[i].value;
        assert_outcome(sign_and_verify(ALL, PARAMS, &m, &RULES), RC_DENIED, "the signature is wrong");
    }
}

static void parameters_are_signed(void **state)
{
    (void)state;
    uint8_t bytes[ED25519_SIGNATURE_LEN];
    sign(ALL, PARAMS, &signed_request, bytes);
    struct buf signature;
    buf_init(&signature, 4096);
    buf_member(&signature, "pawl", bytes, sizeof bytes);
    buf_char(&signature, '\0');
    struct request r = signed_request;
    struct http_message m = {component, &r, true, true, NOW_S};
    static const struct {
        const char *input;
        enum rc rc;
    } rows[] = {
        {"pawl=" ALL PARAMS, RC_OK},
        {"pawl=" ALL ";created=1618884474;nonce=\"n1\";keyid=\"k1\"", RC_DENIED},
        {"pawl=" ALL ";created=1618884473;nonce=\"n2\";keyid=\"k1\"", RC_DENIED},
        {"pawl=" ALL ";created=1618884473;nonce=\"n1\";keyid=\"k2\"", RC_DENIED},
        {"pawl=" ALL ";nonce=\"n1\";created=1618884473;keyid=\"k1\"", RC_DENIED},
        {"pawl=" ALL PARAMS ";alg=\"ed25519\"", RC_DENIED},
        {"pawl=(\"@authority\" \"@method\" \"@path\" \"@query\" \"content-digest\")" PARAMS, RC_DENIED},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_outcome(verify(rows[i].input, signature.data, &m, &RULES), rows[i].rc,
                       rows[i].rc == RC_OK ? "" : "the signature is wrong");
    }
    for (size_t i = 0; i < sizeof bytes; i++) {
        uint8_t public_key[ED25519_PUBLIC_LEN];
        public_key_of(7, public_key);
        struct http_signature s;
        assert_int_equal(http_signature_parse(str_from(rows[0].input), str_from(signature.data), STR(""), &s, NULL), RC_OK);
        s.bytes[i] ^= 1;
        assert_int_equal(http_signature_verify(&s, &RULES, &m, public_key, NULL), RC_DENIED);
    }
    uint8_t other_key[ED25519_PUBLIC_LEN];
    public_key_of(8, other_key);
    struct http_signature s;
    assert_int_equal(http_signature_parse(str_from(rows[0].input), str_from(signature.data), STR(""), &s, NULL), RC_OK);
    assert_int_equal(http_signature_verify(&s, &RULES, &m, other_key, NULL), RC_DENIED);
    buf_done(&signature);
}

static void when_it_counts(void **state)
{
    (void)state;
    static const struct {
        const char *more;
        int64_t now_s;
        const char *error;
    } rows[] = {
        {";created=1000;nonce=\"n\";keyid=\"k\"", 1000, NULL},
        {";created=1000;nonce=\"n\";keyid=\"k\"", 970, NULL},
        {";created=1000;nonce=\"n\";keyid=\"k\"", 969, "the signature is created in the future"},
        {";created=1000;nonce=\"n\";keyid=\"k\"", 1299, NULL},
        {";created=1000;nonce=\"n\";keyid=\"k\"", 1300, "the signature is older than 300 s"},
        {";created=999999999999999;nonce=\"n\";keyid=\"k\"", 1000, "the signature is created in the future"},
        {";created=1000;expires=1100;nonce=\"n\";keyid=\"k\"", 1099, NULL},
        {";created=1000;expires=1100;nonce=\"n\";keyid=\"k\"", 1100, "the signature is expired"},
        {";created=1000;expires=9999;nonce=\"n\";keyid=\"k\"", 1300, "the signature is older than 300 s"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct request r = signed_request;
        struct http_message m = {component, &r, true, true, rows[i].now_s};
        assert_outcome(sign_and_verify(ALL, rows[i].more, &m, &RULES), rows[i].error == NULL ? RC_OK : RC_DENIED,
                       rows[i].error == NULL ? "" : rows[i].error);
    }
}

#define ZEROS "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="
#define MALFORMED "Signature-Input: a parameter is malformed or there twice"
#define WRONG_TIMES "created must be there, and expires after it"

static void malformed_input(void **state)
{
    (void)state;
    static const struct {
        const char *input;
        enum rc rc;
        const char *error;
    } rows[] = {
        {"", RC_NOT_FOUND, "there is no Signature-Input"},
        {"a", RC_INVALID, "Signature-Input: label=value was expected"},
        {"A=()", RC_INVALID, "Signature-Input: label=value was expected"},
        {"a=", RC_INVALID, "Signature-Input: a signature has a list of components"},
        {"a=1", RC_INVALID, "Signature-Input: a signature has a list of components"},
        {"a=(", RC_INVALID, "Signature-Input: a component is a string"},
        {"a=(x)", RC_INVALID, "Signature-Input: a component is a string"},
        {"a=(\"\")", RC_INVALID, "Signature-Input: a component is a string"},
        {"a=(\"x)", RC_INVALID, "Signature-Input: a component is a string"},
        {"a=(\"x\\\"\")", RC_INVALID, "Signature-Input: a component is a string"},
        {"a=(\"x\"\"y\")", RC_INVALID, "Signature-Input: one space stands between components"},
        {"a=(\"x\"  \"y\")", RC_INVALID, "Signature-Input: a component is a string"},
        {"a=( \"x\")", RC_INVALID, "Signature-Input: a component is a string"},
        {"a=(\"x\" )", RC_INVALID, "Signature-Input: a component is a string"},
        {"a=(\"x\" \"x\")" PARAMS, RC_INVALID, "Signature-Input: a component is there twice"},
        {"a=(\"x\";)" PARAMS, RC_INVALID, "Signature-Input: malformed parameter of a component"},
        {"a=(\"x\";req)" PARAMS, RC_INVALID, "components with parameters are not known here"},
        {"a=(\"x\" \"x\";req)" PARAMS, RC_INVALID, "components with parameters are not known here"},
        {"a=() ;created=1", RC_INVALID, "Signature-Input: a comma or the end was expected"},
        {"a=();created=1 b", RC_INVALID, "Signature-Input: a comma or the end was expected"},
        {"a=()" PARAMS ",", RC_INVALID, "Signature-Input: a comma or the end was expected"},
        {"a=();", RC_INVALID, MALFORMED},
        {"a=();created=", RC_INVALID, MALFORMED},
        {"a=();created=01", RC_INVALID, MALFORMED},
        {"a=();created=-0", RC_INVALID, MALFORMED},
        {"a=();created=-", RC_INVALID, MALFORMED},
        {"a=();created=1.5", RC_INVALID, MALFORMED},
        {"a=();created=1000000000000000", RC_INVALID, MALFORMED},
        {"a=();created=\"1\"", RC_INVALID, MALFORMED},
        {"a=();created", RC_INVALID, MALFORMED},
        {"a=();x=?2", RC_INVALID, MALFORMED},
        {"a=();x=:AA", RC_INVALID, MALFORMED},
        {"a=();x=@5", RC_INVALID, MALFORMED},
        {"a=();nonce=n", RC_INVALID, MALFORMED},
        {"a=()" PARAMS ";nonce=\"other\"", RC_INVALID, MALFORMED},
        {"a=()" PARAMS ";created=1618884473", RC_INVALID, MALFORMED},
        {"a=();nonce=\"n\";keyid=\"k\"", RC_INVALID, WRONG_TIMES},
        {"a=();created=-1;nonce=\"n\";keyid=\"k\"", RC_INVALID, WRONG_TIMES},
        {"a=();created=5;expires=5;nonce=\"n\";keyid=\"k\"", RC_INVALID, WRONG_TIMES},
        {"a=();created=5;expires=0;nonce=\"n\";keyid=\"k\"", RC_INVALID, WRONG_TIMES},
        {"a=();created=5;keyid=\"k\"", RC_INVALID, "nonce has 1 to 128 bytes"},
        {"a=();created=5;nonce=\"\";keyid=\"k\"", RC_INVALID, "nonce has 1 to 128 bytes"},
        {"a=();created=5;nonce=\"n\"", RC_INVALID, "keyid has 1 to 256 bytes"},
        {"a=()" PARAMS ";alg=\"rsa-pss-sha512\"", RC_INVALID, "alg is ed25519 when it is said"},
        {"a=()" PARAMS ";alg=\"hmac-sha256\"", RC_INVALID, "alg is ed25519 when it is said"},
        {"a=()" PARAMS ";alg=\"\"", RC_INVALID, "alg is ed25519 when it is said"},
        {"a=()" PARAMS ", a=()" PARAMS, RC_INVALID, "Signature-Input: a label is there twice"},
        {"a=()" PARAMS ", b=()" PARAMS, RC_INVALID, "2 signatures where one was expected"},
        {"c=()" PARAMS, RC_INVALID, "Signature: the label of Signature-Input is not there"},
        {"a=()" PARAMS, RC_OK, ""},
        {"a=()" PARAMS " ", RC_OK, ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct http_signature s;
        struct outcome o = {0};
        o.rc = http_signature_parse(str_from(rows[i].input), STR("a=:" ZEROS ":"), STR(""), &s, &o.err);
        assert_outcome(o, rows[i].rc, rows[i].error);
    }
}

static void malformed_signature(void **state)
{
    (void)state;
    static const struct {
        const char *signature;
        enum rc rc;
        const char *error;
    } rows[] = {
        {"a=:" ZEROS ":", RC_OK, ""},
        {"a=:" ZEROS ":;x=1 ,\tb=:AAAA:", RC_OK, ""},
        {"", RC_NOT_FOUND, "there is no Signature"},
        {"a=" ZEROS, RC_INVALID, "Signature: a member is :base64:"},
        {"a=:" ZEROS, RC_INVALID, "Signature: a member is :base64:"},
        {"a=\"" ZEROS "\"", RC_INVALID, "Signature: a member is :base64:"},
        {"a=:" ZEROS ":x", RC_INVALID, "Signature: a member is :base64:"},
        {"a=:AAAA:", RC_INVALID, "Signature: an Ed25519 signature has 64 bytes"},
        {"a=:AAAA" ZEROS ":", RC_INVALID, "Signature: an Ed25519 signature has 64 bytes"},
        {"a=:" ZEROS "=:", RC_INVALID, "Signature: an Ed25519 signature has 64 bytes"},
        {"a=:" ZEROS ":, a=:" ZEROS ":", RC_INVALID, "Signature: a label is there twice"},
        {"b=:" ZEROS ":", RC_INVALID, "Signature: the label of Signature-Input is not there"},
        {"a", RC_INVALID, "Signature: label=value was expected"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct http_signature s;
        struct outcome o = {0};
        o.rc = http_signature_parse(STR("a=()" PARAMS), str_from(rows[i].signature), STR(""), &s, &o.err);
        assert_outcome(o, rows[i].rc, rows[i].error);
    }
}

static void the_tag_chooses_one_of_several(void **state)
{
    (void)state;
    struct str signature = STR("p=:AAAA:, a=:" ZEROS ":, b=:" ZEROS ":");
    static const struct {
        const char *input;
        enum rc rc;
        const char *error;
    } rows[] = {
        {"p=(\"a\";req);created=1;tag=\"proxy\", a=()" PARAMS ";tag=\"pawl\", b=();tag=\"paw\"", RC_OK, ""},
        {"a=()" PARAMS ";tag=\"pawl\", b=()" PARAMS ";tag=\"pawl\"", RC_INVALID, "2 signatures where one was expected"},
        {"a=()" PARAMS ", b=()" PARAMS ";tag=\"proxy\"", RC_NOT_FOUND, "no signature has the tag pawl"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct http_signature s;
        struct outcome o = {0};
        o.rc = http_signature_parse(str_from(rows[i].input), signature, STR("pawl"), &s, &o.err);
        assert_outcome(o, rows[i].rc, rows[i].error);
        if (o.rc == RC_OK) {
            assert_str(s.label, "a");
        }
    }
}

static struct outcome parse(const struct buf *input, const struct buf *signature)
{
    struct http_signature s;
    struct outcome o = {0};
    o.rc = http_signature_parse(buf_view(input), buf_view(signature), STR("t"), &s, &o.err);
    return o;
}

static void limits_of_the_headers(void **state)
{
    (void)state;
    struct buf input;
    struct buf signature;
    buf_init(&input, 1 << 16);
    buf_init(&signature, 1 << 16);
    char name[HTTP_SIGNATURE_KEYID_MAX + 1];
    memset(name, 'n', sizeof name);
    for (int over = 0; over < 2; over++) {
        buf_reset(&signature);
        buf_str(&signature, STR("a=:" ZEROS ":"));
        buf_reset(&input);
        buf_printf(&input, "a=();created=1;keyid=\"k\";tag=\"t\";nonce=\"%.*s\"", HTTP_SIGNATURE_NONCE_MAX + over, name);
        assert_outcome(parse(&input, &signature), over ? RC_INVALID : RC_OK, over ? "nonce has 1 to 128 bytes" : "");
        buf_reset(&input);
        buf_printf(&input, "a=();created=1;nonce=\"n\";tag=\"t\";keyid=\"%.*s\"", HTTP_SIGNATURE_KEYID_MAX + over, name);
        assert_outcome(parse(&input, &signature), over ? RC_INVALID : RC_OK, over ? "keyid has 1 to 256 bytes" : "");
        buf_reset(&input);
        buf_str(&input, STR("a=(\"c0\""));
        for (int i = 1; i < HTTP_SIGNATURE_COMPONENTS_MAX + over; i++) {
            buf_printf(&input, " \"c%d\"", i);
        }
        buf_str(&input, STR(")" PARAMS ";tag=\"t\""));
        assert_outcome(parse(&input, &signature), over ? RC_LIMIT : RC_OK,
                       over ? "Signature-Input: more than 32 components" : "");
        buf_reset(&input);
        buf_str(&input, STR("a=()" PARAMS ";tag=\"t\""));
        for (int i = 1; i < HTTP_SIGNATURES_MAX + over; i++) {
            buf_printf(&input, ", a%d=()", i);
            buf_printf(&signature, ", a%d=:AAAA:", i);
        }
        assert_outcome(parse(&input, &signature), over ? RC_LIMIT : RC_OK, over ? "Signature-Input: more than 8 members" : "");
        buf_reset(&input);
        buf_str(&input, STR("a=()" PARAMS ";tag=\"t\""));
        assert_outcome(parse(&input, &signature), over ? RC_LIMIT : RC_OK, over ? "Signature: more than 8 members" : "");
        while (input.len < HTTP_SIGNATURE_HEADER_MAX + (size_t)over) {
            buf_char(&input, ' ');
        }
        buf_reset(&signature);
        buf_str(&signature, STR("a=:" ZEROS ":"));
        assert_outcome(parse(&input, &signature), over ? RC_LIMIT : RC_OK,
                       over ? "Signature-Input has at most 8192 bytes" : "");
        buf_reset(&input);
        buf_str(&input, STR("a=()" PARAMS ";tag=\"t\""));
        while (signature.len < HTTP_SIGNATURE_HEADER_MAX + (size_t)over) {
            buf_char(&signature, ' ');
        }
        assert_outcome(parse(&input, &signature), over ? RC_LIMIT : RC_OK, over ? "Signature has at most 8192 bytes" : "");
    }
    buf_done(&input);
    buf_done(&signature);
}

static void a_base_that_is_too_long(void **state)
{
    (void)state;
    static char value[HTTP_SIGNATURE_BASE_MAX + 1];
    memset(value, 'v', sizeof value - 1);
    struct request r = signed_request;
    r.rows[7].value = value;
    struct http_message m = {component, &r, true, true, NOW_S};
    assert_outcome(sign_and_verify("(\"@method\" \"@target-uri\" \"content-digest\" \"x-empty\")", PARAMS, &m, &RULES),
                   RC_LIMIT, "what was signed is too long");
}

static void digests_of_bodies(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        enum rc rc;
        const char *error;
    } rows[] = {
        {BODY_DIGEST, RC_OK, ""},
        {BODY_DIGEST ", sha-512=:AAAA:", RC_OK, ""},
        {"sha-512=:AAAA:," BODY_DIGEST, RC_OK, ""},
        {"sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:", RC_DENIED, "the body has another digest than was said"},
        {"sha-512=:AAAA:", RC_INVALID, "Content-Digest: no sha-256"},
        {"", RC_INVALID, "Content-Digest: no sha-256"},
        {BODY_DIGEST ", " BODY_DIGEST, RC_INVALID, "Content-Digest: sha-256 is there once and has 32 bytes"},
        {"sha-256=:AAAA:", RC_INVALID, "Content-Digest: sha-256 is there once and has 32 bytes"},
        {"sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE:", RC_INVALID,
         "Content-Digest: sha-256 is there once and has 32 bytes"},
        {"SHA-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:", RC_INVALID,
         "Content-Digest: a member is algorithm=:base64:"},
        {"sha-256=X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=", RC_INVALID,
         "Content-Digest: a member is algorithm=:base64:"},
        {BODY_DIGEST ",", RC_INVALID, "Content-Digest: a member is algorithm=:base64:"},
        {BODY_DIGEST " x", RC_INVALID, "Content-Digest: a member is algorithm=:base64:"},
        {"a=:AA==:,b=:AA==:,c=:AA==:,d=:AA==:,e=:AA==:,f=:AA==:,g=:AA==:," BODY_DIGEST, RC_OK, ""},
        {"a=:AA==:,b=:AA==:,c=:AA==:,d=:AA==:,e=:AA==:,f=:AA==:,g=:AA==:,h=:AA==:," BODY_DIGEST, RC_LIMIT,
         "Content-Digest: more than 8 digests"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct outcome o = {0};
        o.rc = content_digest_check(str_from(rows[i].header), STR(BODY), &o.err);
        assert_outcome(o, rows[i].rc, rows[i].error);
    }
    assert_int_equal(content_digest_check(STR(BODY_DIGEST), STR(BODY " "), NULL), RC_DENIED);
    assert_int_equal(content_digest_check(STR(BODY_DIGEST), (struct str){NULL, 0}, NULL), RC_DENIED);
    struct buf text;
    buf_init(&text, 2 * HTTP_SIGNATURE_HEADER_MAX);
    content_digest_write(&text, STR(BODY));
    assert_str(buf_view(&text), BODY_DIGEST);
    while (text.len < HTTP_SIGNATURE_HEADER_MAX) {
        buf_char(&text, ' ');
    }
    assert_int_equal(content_digest_check(buf_view(&text), STR(BODY), NULL), RC_OK);
    buf_char(&text, ' ');
    assert_int_equal(content_digest_check(buf_view(&text), STR(BODY), NULL), RC_LIMIT);
    buf_done(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vector_of_rfc_9421),
        cmocka_unit_test(what_is_said_is_given),
        cmocka_unit_test(what_must_be_covered),
        cmocka_unit_test(what_was_changed_on_the_way),
        cmocka_unit_test(parameters_are_signed),
        cmocka_unit_test(when_it_counts),
        cmocka_unit_test(malformed_input),
        cmocka_unit_test(malformed_signature),
        cmocka_unit_test(the_tag_chooses_one_of_several),
        cmocka_unit_test(limits_of_the_headers),
        cmocka_unit_test(a_base_that_is_too_long),
        cmocka_unit_test(digests_of_bodies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
