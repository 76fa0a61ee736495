/* control: a secret that slips into a reason is in no entry, no world, no file, whatever the reason is for. */
#include "control_bench.h"

#include "control/restore.h"
#include "redact/redact.h"

#include <sys/wait.h>

#define SECRET "ghp_" "Ab1Cd2Ef3Gh4Ij5Kl6Mn7Op8Qr9St0Uv1Wx2"
#define REASON STR("it was " SECRET ", see the log")
#define MARK "[redacted:github_token:hmac-sha256:"

#define POLICY                                                                                                 \
    "{'agents':[{'name':'bot','owner':'ann'},{'name':'cat','owner':'ben'}],"                                   \
    "'services':[{'name':'shop'," SLO "},{'name':'web','depends_on':['shop']}],"                               \
    "'tools':[{'name':'scale','class':'write','services':['shop'],'parameters':true,"                          \
    "'observe':{'for':'1m','max_drop_pct':2},'revert':{'argv':['/sbin/scale','{n}'],'timeout':'10s'}},"        \
    "{'name':'look','class':'read','services':['shop'],'parameters':true}]"
#define FROZEN ",'freezes':[{'name':'fair','services':['shop'],'from':'2020-01-01T00:00:00Z','until':'2040-01-01T00:00:00Z'}]"

/* --- every way to give one ------------------------------------------------------------------------------------ */

static enum rc rejecting(struct bench *b)
{
    uint64_t id = propose(b, "scale", 1, "not sure").action;
    return control_reject(b->c, b->a, &b->ben, id, REASON, NULL, &b->e);
}

static enum rc overriding(struct bench *b)
{
    load_policy(b, POLICY FROZEN "}");
    struct principal olga = person(b, ROLE_OVERRIDE, "olga", "");
    struct decided d = propose(b, "scale", 1, "");
    struct override o = {.check = CHECK_FREEZE, .shown = {digest_of(b, d.action), d.seq, 0}, .reason = REASON};
    return control_override(b->c, b->a, &olga, d.action, &o, NULL, &b->e);
}

static enum rc cancelling(struct bench *b)
{
    return control_cancel(b->c, b->a, &b->bot, propose(b, "scale", 1, "").action, REASON, &b->e);
}

static enum rc stopping(struct bench *b)
{
    struct stop_order order = {.scope = STOP_ALL, .reason = REASON};
    uint64_t id;
    enum rc rc = control_stop_set(b->c, b->a, &b->ann, &order, NULL, &id, &b->e);
    assert_non_null(strstr(b->stop_file, MARK));
    assert_null(strstr(b->stop_file, SECRET));
    assert_null(strstr(world_stop_at(HERE(b), 0)->reason, SECRET));
    return rc;
}

static enum rc resuming(struct bench *b)
{
    struct stop_order order = {.scope = STOP_AGENT, .name = STR("bot"), .reason = STR("odd")};
    uint64_t id;
    assert_int_equal(control_stop_set(b->c, b->a, &b->ann, &order, NULL, &id, &b->e), RC_OK);
    return control_stop_lift(b->c, b->a, &b->admin, id, REASON, NULL, &b->e);
}

static enum rc revoking(struct bench *b)
{
    return control_token_revoke(b->c, b->a, &b->admin, b->cat.token, REASON, &b->e);
}

static enum rc opening(struct bench *b)
{
    return control_breaker_set(b->c, b->a, &b->admin, STR("bot"), true, REASON, NULL, &b->e);
}

static enum rc changing_tier(struct bench *b)
{
    struct tier_order o = {STR("bot"), STR("shop"), TIER_READ_ONLY, REASON};
    return control_tier_change(b->c, b->a, &b->admin, &o, NULL, &b->e);
}

static enum rc granting_for(struct bench *b, struct str reason, uint64_t *ret_id)
{
    struct grant_order o = {.agent = STR("bot"), .tool = STR("*"), .target = STR("*"),
                            .expires_ms = control_now(b->c) + HOUR_MS, .reason = reason};
    return control_grant_issue(b->c, b->a, &b->admin, &o, NULL, ret_id, &b->e);
}

static enum rc granting(struct bench *b)
{
    uint64_t id;
    enum rc rc = granting_for(b, REASON, &id);
    assert_null(strstr(world_grant_at(HERE(b), 0)->reason, SECRET));
    return rc;
}

static enum rc revoking_a_grant(struct bench *b)
{
    uint64_t id;
    assert_int_equal(granting_for(b, STR("for tonight"), &id), RC_OK);
    return control_grant_revoke(b->c, b->a, &b->admin, id, REASON, NULL, &b->e);
}

static uint64_t started(struct bench *b)
{
    set_budget(b, PPM_ONE);
    uint64_t id = propose(b, "scale", 1, "").action;
    assert_int_equal(commit(b, &b->bot, id, NONCE).release, RELEASE_GO);
    return id;
}

static enum rc settling(struct bench *b)
{
    uint64_t id = started(b);
    pass(b, HOUR_MS);
    tick(b);
    struct settlement s = {.succeeded = false, .reason = REASON};
    return control_settle(b->c, b->a, &b->admin, id, &s, &b->e);
}

static enum rc reverting(struct bench *b)
{
    uint64_t id = started(b);
    assert_int_equal(finish(b, id, NONCE), RC_OK);
    pass(b, MINUTE_MS);
    set_budget(b, PPM_ONE);
    tick(b);
    return control_revert(b->c, b->a, &b->admin, id, REASON, false, &b->e);
}

static enum rc closing(struct bench *b)
{
    uint64_t id = started(b);
    assert_int_equal(finish(b, id, NONCE), RC_OK);
    b->refuse_to_revert = true;
    set_budget(b, 0);
    for (int i = 0; i < 3; i++) {
        tick(b);
    }
    assert_int_equal(world_incident_count(HERE(b)), 1);
    return control_incident_close(b->c, b->a, &b->admin, world_incident_at(HERE(b), 0)->id, &(struct incident_end){.reason = REASON}, NULL, &b->e);
}

static enum rc restoring(struct bench *b)
{
    struct loss loss = {.reason = REASON};
    return control_restored(b->c, b->a, &loss, &b->e);
}

/* Each ends with the entry that holds its reason. */
static const struct {
    const char *name;
    enum entry_kind kind;
    enum rc (*give)(struct bench *b);
} ways[] = {
    {"reject", ENTRY_APPROVAL_REJECTED, rejecting},  {"override", ENTRY_OVERRIDE_GRANTED, overriding},
    {"cancel", ENTRY_ACTION_CANCELLED, cancelling},  {"stop", ENTRY_STOP_SET, stopping},
    {"resume", ENTRY_STOP_LIFTED, resuming},         {"revoke", ENTRY_TOKEN_REVOKED, revoking},
    {"breaker", ENTRY_BREAKER_SET, opening},         {"tier", ENTRY_TIER_CHANGED, changing_tier},
    {"grant", ENTRY_GRANT_ISSUED, granting},         {"revoke grant", ENTRY_GRANT_REVOKED, revoking_a_grant},
    {"settle", ENTRY_ACTION_FINISHED, settling},      {"revert", ENTRY_REVERT_STARTED, reverting},
    {"close", ENTRY_INCIDENT_CLOSED, closing},       {"restore", ENTRY_LEDGER_RESTORED, restoring},
};

/* --- none of them is in what is kept ---------------------------------------------------------------------------- */

static int make_redacting(void **state)
{
    static const uint8_t key[REDACT_KEY_LEN] = {7};
    struct redactor *r = NULL;
    assert_int_equal(make(state), 0);
    struct bench *b = *state;
    assert_int_equal(redactor_new(key, NULL, 0, &r, &b->e), RC_OK);
    b->redactor = r;
    restart(b);
    load_policy(b, POLICY "}");
    set_budget(b, PPM_ONE);
    return 0;
}

static int drop_redacting(void **state)
{
    struct bench *b = *state;
    struct redactor *r = (struct redactor *)(uintptr_t)b->redactor;
    int result = drop(state);
    redactor_free(r);
    return result;
}

static bool is_in_files(struct bench *b, const char *text)
{
    char command[512];
    snprintf(command, sizeof command, "grep -raqF '%s' '%s'", text, b->folder);
    int status = system(command);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) <= 1);
    return WEXITSTATUS(status) == 0;
}

static void check_entry(struct bench *b, const char *name, enum entry_kind kind)
{
    bool found = false;
    for (uint64_t seq = 0; seq < control_read_seq(b->c); seq++) {
        struct entry entry;
        struct value body;
        assert_int_equal(control_read_entry(b->c, b->a, seq, &entry, &body, &b->e), RC_OK);
        struct str reason = value_text(value_get(&body, STR("reason")));
        if (entry.kind == kind && str_starts(reason, STR("it was "))) {
            found = str_starts(reason, STR("it was " MARK)) && str_ends(reason, STR("], see the log"));
        }
    }
    if (!found) {
        print_error("%s: its reason is not there, or as it was given\n", name);
        fail();
    }
}

static void no_reason_holds_a_secret(void **state)
{
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        assert_int_equal(make_redacting(state), 0);
        struct bench *b = *state;
        if (ways[i].give(b) != RC_OK) {
            print_error("%s: %s\n", ways[i].name, b->e.text);
            fail();
        }
        settle(b);
        check_entry(b, ways[i].name, ways[i].kind);
        restart(b); /* what is read back is what was applied */
        assert_true(is_in_files(b, MARK));
        assert_false(is_in_files(b, SECRET));
        assert_int_equal(drop_redacting(state), 0);
    }
}

/* The stop counts, with other words, even when there is no memory to look at its reason. */
static void what_can_not_be_looked_at_is_withheld(void **state)
{
    assert_int_equal(make_redacting(state), 0);
    struct bench *b = *state;
    CLEANUP(arena) struct arena *tiny = arena_new(16);
    struct stop_order order = {.scope = STOP_ALL, .reason = REASON};
    uint64_t id;
    assert_int_not_equal(control_stop_set(b->c, tiny, &b->ann, &order, NULL, &id, &b->e), RC_OK);
    assert_true(b->stopped);
    assert_string_equal(b->stop_file, "withheld: what is secret in it could not be told");
    assert_int_equal(drop_redacting(state), 0);
}

/* One that is cut could end in the first half of a secret. */
static void long_reasons_are_refused(void **state)
{
    assert_int_equal(make_redacting(state), 0);
    struct bench *b = *state;
    struct stop_order order = {.scope = STOP_AGENT, .name = STR("bot"), .reason = STR("odd")};
    uint64_t stop;
    assert_int_equal(control_stop_set(b->c, b->a, &b->ann, &order, NULL, &stop, &b->e), RC_OK);
    char text[CONTROL_REASON_MAX + 1];
    memset(text, 'x', sizeof text);
    struct str longer = {text, sizeof text};
    struct str longest = {text, sizeof text - 1};
    const char *said = "expected at most 1024 bytes";
    check_error(b, control_stop_lift(b->c, b->a, &b->admin, stop, longer, NULL, &b->e), RC_INVALID, said);
    assert_int_equal(control_stop_lift(b->c, b->a, &b->admin, stop, longest, NULL, &b->e), RC_OK);
    order.reason = longer;
    check_error(b, control_stop_set(b->c, b->a, &b->ann, &order, NULL, &stop, &b->e), RC_INVALID, said);
    order.reason = longest;
    assert_int_equal(control_stop_set(b->c, b->a, &b->ann, &order, NULL, &stop, &b->e), RC_OK);
    assert_int_equal(control_stop_lift(b->c, b->a, &b->admin, stop, STR("fine"), NULL, &b->e), RC_OK);
    uint64_t id = propose(b, "scale", 2, "").action;
    check_error(b, control_cancel(b->c, b->a, &b->bot, id, longer, &b->e), RC_INVALID, said);
    assert_int_equal(control_cancel(b->c, b->a, &b->bot, id, longest, &b->e), RC_OK);
    check_error(b, control_token_revoke(b->c, b->a, &b->admin, b->cat.token, longer, &b->e), RC_INVALID, said);
    assert_int_equal(control_token_revoke(b->c, b->a, &b->admin, b->cat.token, longest, &b->e), RC_OK);
    settle(b);
    assert_int_equal(drop_redacting(state), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_reason_holds_a_secret),
        cmocka_unit_test(what_can_not_be_looked_at_is_withheld),
        cmocka_unit_test(long_reasons_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
