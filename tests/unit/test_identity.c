/* api: who calls. Nonces are taken once and forgotten in time; subjects stand for whom the settings say. */
#include "api/issuers.h"
#include "api/nonces.h"
#include "model/world.h"
#include "value/yaml.h"

#include "check.h"

#define KEEP_S 62

static struct nonces *fresh(void)
{
    struct nonces *n = nonces_new(KEEP_S);
    assert_non_null(n);
    return n;
}

static void a_nonce_is_taken_once(void **state)
{
    (void)state;
    struct nonces *n = fresh();
    struct err e;
    assert_false(nonces_seen(n, STR("bot/k1"), STR("n1"), 1000));
    assert_int_equal(nonces_take(n, STR("bot/k1"), STR("n1"), 1000, &e), RC_OK);
    assert_true(nonces_seen(n, STR("bot/k1"), STR("n1"), 1000));
    assert_int_equal(nonces_take(n, STR("bot/k1"), STR("n1"), 1001, &e), RC_DENIED);
    assert_string_equal(e.text, "the nonce was used before");
    /* Another key's are its own; the two texts can't be pushed together. */
    assert_int_equal(nonces_take(n, STR("bot/k2"), STR("n1"), 1001, &e), RC_OK);
    assert_int_equal(nonces_take(n, STR("bot/k"), STR("1n1"), 1001, &e), RC_OK);
    nonces_free(n);
}

static void it_is_kept_as_long_as_it_could_come_again(void **state)
{
    (void)state;
    struct nonces *n = fresh();
    assert_int_equal(nonces_take(n, STR("k"), STR("n"), 1000, NULL), RC_OK);
    assert_true(nonces_seen(n, STR("k"), STR("n"), 1000 + KEEP_S));
    assert_false(nonces_seen(n, STR("k"), STR("n"), 1001 + KEEP_S));
    assert_int_equal(nonces_take(n, STR("k"), STR("n"), 1001 + KEEP_S, NULL), RC_OK);
    nonces_free(n);
}

static enum rc take(struct nonces *n, int i, int64_t now_s, struct err *e)
{
    char text[16];
    snprintf(text, sizeof text, "n%d", i);
    return nonces_take(n, STR("bot/k1"), str_from(text), now_s, e);
}

static void a_full_table_refuses_and_forgets_nothing(void **state)
{
    (void)state;
    struct nonces *n = fresh();
    struct err e;
    for (int i = 0; i < NONCES_MAX; i++) {
        assert_int_equal(take(n, i, i < 1000 ? 1000 : 1001, &e), RC_OK);
    }
    assert_int_equal(take(n, -1, 1000 + KEEP_S, &e), RC_LIMIT);
    assert_string_equal(e.text, "65536 nonces are remembered: that is the limit");
    assert_int_equal(take(n, 0, 1000 + KEEP_S, &e), RC_DENIED);
    /* The first thousand are too old a second later, and nobody else. */
    assert_int_equal(take(n, 1000, 1001 + KEEP_S, &e), RC_DENIED);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(take(n, i, 1001 + KEEP_S, &e), RC_OK);
    }
    assert_int_equal(take(n, -1, 1001 + KEEP_S, &e), RC_LIMIT);
    assert_int_equal(take(n, NONCES_MAX - 1, 1001 + KEEP_S, &e), RC_DENIED);
    nonces_free(n);
}

/* --- settings of issuers ------------------------------------------------------------------------------- */

static enum rc read(struct arena *a, const char *yaml, struct identity_settings *ret, struct err *e)
{
    struct value v;
    *ret = (struct identity_settings){0};
    assert_int_equal(yaml_parse(a, STR("s.yaml"), str_from(yaml), &v, e), RC_OK);
    struct reader r = {a, STR("s.yaml"), e};
    return identity_settings_read(&r, &v, ret);
}

#define ONE "[{name: i, issuer: \"https://i\", audience: pawl, jwks_file: f, subjects: "
#define BOT "[{sub: s, agent: bot}]"

static void subjects_stand_for_the_first_that_fits(void **state)
{
    (void)state;
    struct arena *a = arena_new(1 << 20);
    struct identity_settings set;
    struct err e;
    assert_int_equal(read(a, ONE "[{sub: \"agent:bot\", agent: bot}, {sub: \"agent:*\", agent: team/other}, "
                                 "{sub: \"*@eu\", person: ann, roles: [approver, viewer], groups: \"sre,dba\"}]}]",
                          &set, &e), RC_OK);
    assert_int_equal(set.count, 1);
    const struct issuer_settings *i = set.issuers;
    assert_int_equal(i->profile, JWT_OIDC);
    assert_str(subject_find(i, STR("agent:bot"))->agent, "bot");
    assert_int_equal(subject_find(i, STR("agent:bot"))->roles, ROLE_AGENT);
    assert_str(subject_find(i, STR("agent:bots"))->agent, "team/other");
    const struct subject_row *ann = subject_find(i, STR("x@eu"));
    assert_str(ann->person, "ann");
    assert_str(ann->groups, "sre,dba");
    assert_int_equal(ann->roles, ROLE_APPROVER | ROLE_VIEWER);
    assert_null(subject_find(i, STR("x@us")));
    assert_null(subject_find(i, STR("")));
    arena_free(a);
}

static const struct {
    const char *yaml;
    const char *where; /* behind the file's name */
    const char *says;  /* empty: it is good */
} settings[] = {
    {"[]", "", ""},
    {ONE BOT "}]", "", ""},
    {"[{name: i, profile: spiffe, trust_domain: td, audience: p, jwks_url: \"https://k\", subjects: " BOT "}]", "", ""},
    {"[{name: i, issuer: x, audience: p, jwks_url: \"http://127.0.0.1:80/k\", subjects: " BOT "}]", "", ""},
    {"[{name: i, issuer: x, audience: p, jwks_url: \"http://localhost/k\", subjects: " BOT "}]", "", ""},
    {"[{name: i, issuer: x, audience: p, jwks_url: \"http://[::1]:80/k\", subjects: " BOT "}]", "", ""},
    {"[{name: i, issuer: x, audience: p, jwks_url: \"http://keys.example/k\", subjects: " BOT "}]", ":1:",
     "jwks_url: expected https, or http on loopback"},
    {"[{name: i, issuer: x, audience: p, jwks_url: \"http://127.0.0.1.evil.example/k\", subjects: " BOT "}]", ":1:",
     "jwks_url: expected https, or http on loopback"},
    {"[{name: i, issuer: x, audience: p, jwks_url: \"http://localhost:80@evil.example/k\", subjects: " BOT "}]", ":1:",
     "jwks_url: expected https, or http on loopback"},
    {"[{name: i, issuer: x, audience: p, jwks_url: \"ftp://k\", subjects: " BOT "}]", ":1:",
     "jwks_url: expected https, or http on loopback"},
    {"{}", ":1:1", "identity: expected a list of at most 16 issuers"},
    {"[{name: i}]", ":1:2", "audience is required"},
    {"[{name: i, audience: p, jwks_file: f, subjects: " BOT "}]", ":1:2",
     "expected issuer with profile oidc, trust_domain with profile spiffe"},
    {"[{name: i, issuer: x, trust_domain: t, audience: p, jwks_file: f, subjects: " BOT "}]", ":1:2",
     "expected issuer with profile oidc, trust_domain with profile spiffe"},
    {"[{name: i, profile: spiffe, issuer: x, trust_domain: t, audience: p, jwks_file: f, subjects: " BOT "}]", ":1:2",
     "expected issuer with profile oidc, trust_domain with profile spiffe"},
    {"[{name: i, profile: saml, audience: p, subjects: " BOT "}]", ":1:", "profile: expected one of oidc, spiffe"},
    {"[{name: i, issuer: \"a b\", audience: p, jwks_file: f, subjects: " BOT "}]", ":1:",
     "issuer: expected a text without spaces"},
    {"[{name: i, issuer: x, audience: p, subjects: " BOT "}]", ":1:2", "expected either jwks_file or jwks_url"},
    {"[{name: i, issuer: x, audience: p, jwks_file: f, jwks_url: \"https://k\", subjects: " BOT "}]", ":1:2",
     "expected either jwks_file or jwks_url"},
    {ONE "[]}]", ":1:", "subjects: expected a list of 1 to 1024 {sub, agent} or {sub, person, roles}"},
    {ONE "[{sub: s}]}]", ":1:", "expected {sub, agent}, or {sub, person, roles} with a person of at most 128 bytes"},
    {ONE "[{sub: s, agent: Bad}]}]", ":1:",
     "expected {sub, agent}, or {sub, person, roles} with a person of at most 128 bytes"},
    {ONE "[{sub: s, agent: bot, roles: [admin]}]}]", ":1:",
     "expected {sub, agent}, or {sub, person, roles} with a person of at most 128 bytes"},
    {ONE "[{sub: s, agent: bot, person: ann, roles: [admin]}]}]", ":1:",
     "expected {sub, agent}, or {sub, person, roles} with a person of at most 128 bytes"},
    {ONE "[{sub: s, person: ann}]}]", ":1:",
     "expected {sub, agent}, or {sub, person, roles} with a person of at most 128 bytes"},
    {ONE "[{sub: s, person: ann, roles: [agent]}]}]", ":1:",
     "roles: expected viewer, auditor, responder, approver, override, admin or enforcer"},
    {ONE "[{sub: s, person: ann, roles: [source]}]}]", ":1:",
     "roles: expected viewer, auditor, responder, approver, override, admin or enforcer"},
    {ONE "[{sub: s, person: ann, roles: [viewer], groups: sre}]}]", ":1:",
     "groups: expected groups of an approver, at most 255 bytes"},
    {"[{name: i, issuer: x, audience: p, jwks_file: f, subjects: " BOT "}, "
     "{name: j, issuer: x, audience: q, jwks_file: g, subjects: " BOT "}]", ":1:", "the issuer is there twice"},
};

static void every_setting_is_checked(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        struct arena *a = arena_new(1 << 20);
        struct identity_settings set;
        struct err e = {0};
        bool good = settings[i].says[0] == '\0';
        enum rc rc = read(a, settings[i].yaml, &set, &e);
        bool placed = good || strncmp(e.where + strlen("s.yaml"), settings[i].where, strlen(settings[i].where)) == 0;
        if (rc != (good ? RC_OK : RC_INVALID) || !placed || strcmp(e.text, settings[i].says) != 0) {
            print_error("%s\n  %s %s: %s\n", settings[i].yaml, rc_name(rc), e.where, e.text);
            fail();
        }
        arena_free(a);
    }
}

static enum rc read_many(int issuers, int subjects, struct err *e)
{
    struct arena *a = arena_new(8 << 20);
    struct buf b;
    buf_init(&b, 1 << 20);
    buf_char(&b, '[');
    for (int i = 0; i < issuers; i++) {
        buf_printf(&b, "{name: i, issuer: \"i%d\", audience: p, jwks_file: f, subjects: [", i);
        for (int k = 0; k < subjects; k++) {
            buf_printf(&b, "{sub: s%d, agent: bot}, ", k);
        }
        buf_str(&b, STR("]}, "));
    }
    buf_str(&b, STR("]"));
    buf_char(&b, '\0');
    assert_int_equal(b.rc, RC_OK);
    struct identity_settings set;
    enum rc rc = read(a, b.data, &set, e);
    assert_true(rc != RC_OK || set.count == (uint32_t)issuers);
    buf_done(&b);
    arena_free(a);
    return rc;
}

static void there_are_few_issuers_and_subjects(void **state)
{
    (void)state;
    struct err e;
    assert_int_equal(read_many(ISSUERS_MAX, 1, &e), RC_OK);
    assert_int_equal(read_many(ISSUERS_MAX + 1, 1, &e), RC_INVALID);
    assert_string_equal(e.text, "identity: expected a list of at most 16 issuers");
    assert_int_equal(read_many(1, SUBJECTS_MAX, &e), RC_OK);
    assert_int_equal(read_many(1, SUBJECTS_MAX + 1, &e), RC_INVALID);
    assert_string_equal(e.text, "subjects: expected a list of 1 to 1024 {sub, agent} or {sub, person, roles}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_nonce_is_taken_once),
        cmocka_unit_test(it_is_kept_as_long_as_it_could_come_again),
        cmocka_unit_test(a_full_table_refuses_and_forgets_nothing),
        cmocka_unit_test(subjects_stand_for_the_first_that_fits),
        cmocka_unit_test(every_setting_is_checked),
        cmocka_unit_test(there_are_few_issuers_and_subjects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
