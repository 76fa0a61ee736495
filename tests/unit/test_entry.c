/* entry: the table of kinds, the header's codec, ids. */
#include "base/buf.h"
#include "entry/entry.h"

#include "check.h"

#define DIGEST_HEX "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define GOOD                                                                                       \
    "{\"actor\":\"tok_5\",\"body_digest\":\"sha256:" DIGEST_HEX "\",\"kind\":\"action.decided\","  \
    "\"refs\":[\"act_12\",\"apr_7\"],\"seq\":12,\"time\":\"2026-11-21T10:00:00.123Z\",\"v\":1}"

static struct entry sample(void)
{
    struct entry entry = {.v = 1,
                          .seq = 12,
                          .time_ms = 1795255200123,
                          .kind = ENTRY_ACTION_DECIDED,
                          .actor = STR("tok_5"),
                          .refs = {STR("act_12"), STR("apr_7")},
                          .ref_count = 2};
    for (unsigned i = 0; i < ENTRY_DIGEST_LEN; i++) {
        entry.body_digest[i] = (uint8_t)i;
    }
    return entry;
}

static void kinds_are_names(void **state)
{
    (void)state;
    static const char *const names[ENTRY_KIND_COUNT] = {
        "ledger.created",    "ledger.snapshot",  "policy.loaded",    "token.created",     "token.revoked",
        "agent.registered",  "service.declared", "tool.declared",    "action.decided",    "action.redecided",
        "action.committed",  "action.heartbeat", "action.finished",  "action.lost",       "action.cancelled",
        "action.expired",    "action.abandoned", "approval.granted", "approval.rejected", "stop.set",
        "stop.lifted",       "deploy.started",   "deploy.ended",     "sli.bucket",        "clock.jumped",
        "clock.accepted",    "load.refused",     "breaker.set",       "tier.changed",      "grant.issued",
        "grant.revoked",     "action.verified",  "action.violated",   "revert.started",    "revert.finished",
        "incident.closed",   "stop.confirmed",   "ledger.restored",
        "on_call.changed",   "snapshot.taken",   "rollback.tested",  "override.granted",  "blobs.erased",
        "graph.written",     "graph.observed",   "incident.opened",  "memory.read",
    };
    for (unsigned i = 0; i < ENTRY_KIND_COUNT; i++) {
        enum entry_kind kind;
        assert_str(entry_kind_name((enum entry_kind)i), names[i]);
        assert_int_equal(entry_kind_parse(str_from(names[i]), &kind, NULL), RC_OK);
        assert_int_equal(kind, i);
        assert_int_equal(entry_kind_version(kind), kind == ENTRY_CLOCK_ACCEPTED ? 2 : 1);
    }
    struct err e;
    enum entry_kind kind;
    assert_int_equal(entry_kind_parse(STR("action.decide"), &kind, &e), RC_INVALID);
    assert_string_equal(e.text, "unknown entry kind \"action.decide\"");
}

static void writes_canonical_json(void **state)
{
    (void)state;
    CLEANUP(buf) struct buf out;
    buf_init(&out, 4096);
    struct entry entry = sample();
    entry_write(&out, &entry);
    assert_str(buf_view(&out), GOOD);
    buf_reset(&out);
    entry.ref_count = 0;
    entry.seq = 0;
    entry_write(&out, &entry);
    assert_str(buf_view(&out), "{\"actor\":\"tok_5\",\"body_digest\":\"sha256:" DIGEST_HEX
                               "\",\"kind\":\"action.decided\",\"refs\":[],\"seq\":0,"
                               "\"time\":\"2026-11-21T10:00:00.123Z\",\"v\":1}");
}

static void reads_what_it_writes(void **state)
{
    (void)state;
    struct entry got;
    memset(&got, 0xff, sizeof got);
    assert_int_equal(entry_parse(STR(GOOD), &got, NULL), RC_OK);
    struct entry want = sample();
    assert_int_equal(got.v, 1);
    assert_int_equal(got.seq, 12);
    assert_int_equal(got.time_ms, want.time_ms);
    assert_int_equal(got.kind, ENTRY_ACTION_DECIDED);
    assert_int_equal(got.ref_count, 2);
    assert_str(got.actor, "tok_5");
    assert_str(got.refs[0], "act_12");
    assert_str(got.refs[1], "apr_7");
    assert_int_equal(got.refs[2].len, 0);
    assert_memory_equal(got.body_digest, want.body_digest, ENTRY_DIGEST_LEN);
}

static void the_widest_header_fits(void **state)
{
    (void)state;
    struct str id = STR("abcdefghijklmnopqrstuvwxyz_01234");
    assert_int_equal(id.len, ENTRY_ID_MAX);
    struct entry entry = sample();
    entry.actor = id;
    entry.seq = INT64_MAX;
    entry.time_ms = INT64_MAX; /* clamped to the last year */
    entry.kind = ENTRY_APPROVAL_REJECTED;
    entry.ref_count = ENTRY_REFS_MAX;
    for (unsigned i = 0; i < ENTRY_REFS_MAX; i++) {
        entry.refs[i] = id;
    }
    CLEANUP(buf) struct buf out;
    buf_init(&out, ENTRY_HEADER_MAX);
    entry_write(&out, &entry);
    assert_int_equal(out.rc, RC_OK);
    struct entry got;
    assert_int_equal(entry_parse(buf_view(&out), &got, NULL), RC_OK);
    assert_true(got.seq == INT64_MAX);
    assert_int_equal(got.ref_count, ENTRY_REFS_MAX);
}

/* GOOD with one part replaced. */
static void refuses_what_is_not_canonical(void **state)
{
    (void)state;
    static const struct {
        const char *from;
        const char *to;
        const char *text;
    } cases[] = {
        {"{\"actor\"", "{ \"actor\"", "entry header is not canonical at its actor"},
        {"tok_5", "", "entry header is not canonical at its actor"},
        {"tok_5", "tok 5", "entry header is not canonical at its actor"},
        {"tok_5", "t\\u006fk", "entry header is not canonical at its actor"},
        {"tok_5", "abcdefghijklmnopqrstuvwxyz_012345", "entry header is not canonical at its actor"},
        {"sha256:00", "sha256:0", "entry header is not canonical at its body_digest"},
        {"0a0b", "0A0b", "entry header is not canonical at its body_digest"},
        {"sha256:", "sha512:", "entry header is not canonical at its body_digest"},
        {"action.decided", "action decided", "entry header is not canonical at its kind"},
        {"action.decided", "", "entry header is not canonical at its kind"},
        {"\"act_12\",", "\"act_12\", ", "entry header is not canonical at its refs"},
        {"\"act_12\",", "\"act_12\",\"\",", "entry header is not canonical at its refs"},
        {"\"apr_7\"]", "\"apr_7\",]", "entry header is not canonical at its refs"},
        {"[\"act_12\"", "[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\"", "entry header is not canonical at its refs"},
        {":12,", ":012,", "entry header is not canonical at its seq"},
        {":12,", ":-1,", "entry header is not canonical at its seq"},
        {":12,", ":9223372036854775808,", "entry header is not canonical at its seq"},
        {":12,", ":12.0,", "entry header is not canonical at its time"},
        {"21T10", "21t10", "entry header is not canonical at its time"},
        {"21T10", "32T10", "entry header is not canonical at its time"},
        {".123Z", "+00:00", "entry header is not canonical at its time"},
        {".123Z", ".12Z", "entry header is not canonical at its time"},
        {"\"v\":1", "\"v\":0", "entry header is not canonical at its v"},
        {"\"v\":1}", "\"v\":1} ", "entry header is not canonical at its end"},
        {"\"v\":1}", "\"v\":1,\"x\":2}", "entry header is not canonical at its end"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[1024];
        const char *at = strstr(GOOD, cases[i].from);
        assert_non_null(at);
        snprintf(text, sizeof text, "%.*s%s%s", (int)(at - GOOD), GOOD, cases[i].to, at + strlen(cases[i].from));
        struct entry got;
        struct err e = {0};
        assert_int_equal(entry_parse(str_from(text), &got, &e), RC_CORRUPT);
        assert_str(str_from(e.text), cases[i].text);
    }
}

static void every_prefix_is_refused(void **state)
{
    (void)state;
    for (size_t len = 0; len < sizeof GOOD - 1; len++) {
        char *exact = malloc(len + 1); /* so that a read past the end is seen */
        assert_non_null(exact);
        memcpy(exact, GOOD, len);
        struct entry got;
        assert_int_equal(entry_parse((struct str){exact, len}, &got, NULL), RC_CORRUPT);
        free(exact);
    }
    char longer[ENTRY_HEADER_MAX + 1];
    memset(longer, ' ', sizeof longer);
    struct err e;
    struct entry got;
    assert_int_equal(entry_parse((struct str){longer, sizeof longer}, &got, &e), RC_CORRUPT);
    assert_string_equal(e.text, "entry header is longer than 1024 bytes");
}

static void the_future_is_refused_by_seq(void **state)
{
    (void)state;
    struct entry got;
    struct err e;
#define HEAD "{\"actor\":\"a\",\"body_digest\":\"sha256:" DIGEST_HEX "\",\"kind\":\""
#define TAIL "\",\"refs\":[],\"seq\":77,\"time\":\"2026-11-21T10:00:00.123Z\",\"v\":"
    assert_int_equal(entry_parse(STR(HEAD "moon.landed" TAIL "1}"), &got, &e), RC_INVALID);
    assert_string_equal(e.text, "entry 77: unknown entry kind \"moon.landed\"");
    assert_int_equal(entry_parse(STR(HEAD "stop.set" TAIL "2}"), &got, &e), RC_INVALID);
    assert_string_equal(e.text, "entry 77: stop.set has version 2, this program knows 1");
#undef HEAD
#undef TAIL
}

static void ids(void **state)
{
    (void)state;
    uint64_t seq;
    assert_string_equal(id_format("act", 1842).text, "act_1842");
    assert_true(id_parse(STR("act_1842"), "act", &seq) && seq == 1842);
    assert_true(id_parse(STR("act_0"), "act", &seq) && seq == 0);
    assert_true(id_parse(str_from(id_format("inc", INT64_MAX).text), "inc", &seq) && seq == INT64_MAX);
    static const char *const bad[] = {"", "act", "act_", "act_01", "act_1 ", "act_-1", "apr_1", "act_1x",
                                      "act_99999999999999999999", "xact_1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(id_parse(str_from(bad[i]), "act", &seq));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_are_names),
        cmocka_unit_test(writes_canonical_json),
        cmocka_unit_test(reads_what_it_writes),
        cmocka_unit_test(the_widest_header_fits),
        cmocka_unit_test(refuses_what_is_not_canonical),
        cmocka_unit_test(every_prefix_is_refused),
        cmocka_unit_test(the_future_is_refused_by_seq),
        cmocka_unit_test(ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
