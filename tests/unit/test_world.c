/* model/world: what each entry does, what is refused, what is forgotten when, and the world as bytes. */
#include "check.h"
#include "maker.h"

#include "base/must.h"

/* --- the world as bytes ------------------------------------------------------------------------------- */

struct saved {
    struct str records[4096];
    uint32_t count;
    struct arena *a;
};

static enum rc keep_record(void *context, struct str record, struct err *e)
{
    struct saved *s = context;
    (void)e;
    must(s->count < 4096);
    s->records[s->count++] = arena_str(s->a, record);
    return RC_OK;
}

static struct saved *save(const struct world *w, struct arena *a)
{
    struct saved *s = arena_alloc(a, sizeof *s);
    assert_non_null(s);
    s->a = a;
    struct err e;
    if (world_save(w, keep_record, s, &e) != RC_OK) {
        print_error("%s\n", e.text);
        fail();
    }
    return s;
}

static void check_saved(const struct saved *got, const struct saved *want)
{
    for (uint32_t i = 0; i < got->count || i < want->count; i++) {
        struct str a = i < got->count ? got->records[i] : STR("nothing");
        struct str b = i < want->count ? want->records[i] : STR("nothing");
        if (!str_eq(a, b)) {
            print_error("record %u\n  got:  %.*s\n  want: %.*s\n", i, STR_ARG(a), STR_ARG(b));
            fail();
        }
    }
}

static struct world *restored(const struct saved *s, uint64_t seed)
{
    struct world *w = world_new(seed);
    struct err e;
    for (uint32_t i = 0; i < s->count; i++) {
        if (world_load_record(w, s->records[i], &e) != RC_OK) {
            print_error("%.*s: %s\n", STR_ARG(s->records[i]), e.text);
            fail();
        }
    }
    assert_int_equal(world_load_end(w, &e), RC_OK);
    return w;
}

/* What is saved loads, and saves to the same bytes. */
static void check_roundtrip(struct maker *m)
{
    CLEANUP(arena) struct arena *a = arena_new(256 << 20);
    struct saved *first = save(m->w, a);
    CLEANUP(world) struct world *w = restored(first, 12345);
    check_saved(save(w, a), first);
}

#define POLICY                                                                                                     \
    "{'agents':[{'name':'bot','owner':'ann'},{'name':'cat','owner':'ben'}],"                                       \
    "'services':[{'name':'shop','slo':{'objective':99.9,'events':true}},{'name':'web','depends_on':['shop']}],"    \
    "'tools':[{'name':'t','class':'write','services':['shop']},{'name':'look','class':'read'}]}"

static void scene(struct maker *m)
{
    maker_init(m, 7);
    maker_add(m, ENTRY_LEDGER_CREATED, "system", NULL, "{'origin':'example.org/pawl'}");
    maker_policy(m, POLICY);
    maker_add(m, ENTRY_TOKEN_CREATED, "system", NULL,
              "{'roles':['agent'],'agent':'bot','person':'bot',"
              "'digest':'sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'}");
}

static const struct action *found(struct maker *m, uint64_t id)
{
    const struct action *a = world_action(m->w, id);
    assert_non_null(a);
    return a;
}

/* --- entries ------------------------------------------------------------------------------------------- */

static void the_first_entries_make_a_world(void **state)
{
    (void)state;
    struct maker m;
    scene(&m);
    assert_str(world_origin(m.w), "example.org/pawl");
    assert_int_equal(world_next_seq(m.w), 3);
    assert_int_equal(world_time(m.w), m.now_ms);
    assert_int_equal(world_policy_seq(m.w), 1);
    assert_str(world_policy_hash(m.w), "sha256:00");
    assert_int_equal(world_agent_count(m.w), 2);
    assert_int_equal(world_service_count(m.w), 2);
    assert_int_equal(world_tool_count(m.w), 2);
    assert_int_equal(world_agent_at(m.w, world_agent_find(m.w, STR("bot")))->version, 1);
    assert_int_equal(world_agent_find(m.w, STR("dog")), MAP_NONE);
    const struct world_token *t = world_token_by_id(m.w, 2);
    assert_non_null(t);
    assert_int_equal(t->roles, ROLE_AGENT);
    assert_int_equal(t->agent, world_agent_find(m.w, STR("bot")));
    assert_ptr_equal(world_token_by_digest(m.w, t->digest), t);
    assert_null(world_token_by_id(m.w, 3));
    assert_false(t->revoked);
    maker_add(&m, ENTRY_TOKEN_REVOKED, "tok_1", "tok_2", "{'reason':'lost'}");
    assert_true(world_token_by_id(m.w, 2)->revoked);
    check_roundtrip(&m);
    maker_done(&m);
}

static void entries_follow_each_other(void **state)
{
    (void)state;
    struct maker m;
    scene(&m);
    struct value none = value_object();
    struct entry entry = maker_entry(&m, ENTRY_CLOCK_JUMPED, "system", NULL);
    entry.seq = 4;
    assert_int_equal(world_apply(m.w, &entry, &none, STR(""), &m.e), RC_CORRUPT);
    assert_non_null(strstr(m.e.text, "entry 4 does not follow: expected seq 3"));
    entry.seq = 2;
    assert_int_equal(world_apply(m.w, &entry, &none, STR(""), &m.e), RC_CORRUPT);
    entry.seq = 3;
    entry.time_ms = m.now_ms - 1;
    assert_int_equal(world_apply(m.w, &entry, &none, STR(""), &m.e), RC_CORRUPT);
    entry.time_ms = m.now_ms;
    assert_int_equal(world_apply(m.w, &entry, &none, STR(""), &m.e), RC_OK);
    maker_done(&m);
}

#define DIGEST "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define REQUEST "'request':{'agent':'bot','digest':'" DIGEST "'}"

/* On a world with: act_3 escalated of bot, act_4 denied of nobody, act_5 denied of bot, stp_6. */
static void malformed_bodies_are_corrupt(void **state)
{
    (void)state;
    static const struct {
        enum entry_kind kind;
        const char *actor;
        const char *ref;
        const char *body;
        const char *text;
    } rows[] = {
        {ENTRY_LEDGER_CREATED, "system", NULL, "{'origin':'x'}", "entry 7 (ledger.created): a ledger is created by entry 0 only"},
        {ENTRY_POLICY_LOADED, "system", NULL, "{}", "entry 7 (policy.loaded): the policy is missing or malformed"},
        {ENTRY_TOKEN_CREATED, "system", NULL, "{'roles':['king'],'digest':'" DIGEST "'}", "entry 7 (token.created): a role is missing or malformed"},
        {ENTRY_TOKEN_CREATED, "system", NULL, "{'roles':[],'digest':'" DIGEST "'}", "entry 7 (token.created): the token's roles or digest is missing or malformed"},
        {ENTRY_TOKEN_CREATED, "system", NULL, "{'roles':['admin'],'digest':'sha256:bb'}", "entry 7 (token.created): the token's roles or digest is missing or malformed"},
        {ENTRY_TOKEN_CREATED, "system", NULL, "{'roles':['agent'],'agent':'Not A Name','digest':'" DIGEST "'}", NULL},
        {ENTRY_TOKEN_CREATED, "system", NULL, "{'roles':['agent'],'digest':'" DIGEST "'}", NULL},
        {ENTRY_TOKEN_REVOKED, "tok_1", NULL, "{}", "entry 7 (token.revoked): the token is missing or malformed"},
        {ENTRY_TOKEN_REVOKED, "tok_1", "tok_9", "{}", "entry 7 (token.revoked): the token is missing or malformed"},
        {ENTRY_TOKEN_REVOKED, "tok_1", "act_2", "{}", "entry 7 (token.revoked): the token is missing or malformed"},
        {ENTRY_AGENT_REGISTERED, "tok_1", NULL, "{}", NULL},
        {ENTRY_AGENT_REGISTERED, "tok_1", NULL, "{'definition':{'name':'x'}}", "entry 7 (agent.registered): owner is required"},
        {ENTRY_SERVICE_DECLARED, "tok_1", NULL, "{'definition':{'name':'X'}}", NULL},
        {ENTRY_TOOL_DECLARED, "tok_1", NULL, "{'definition':7}", "entry 7 (tool.declared): expected an object"},
        {ENTRY_ACTION_DECIDED, "system", NULL, "{" REQUEST ",'verdict':'allow','findings':[]}", "entry 7 (action.decided): the proposer is missing or malformed"},
        {ENTRY_ACTION_DECIDED, "tok_2", NULL, "{'request':{'agent':'bot'},'verdict':'allow','findings':[]}", "entry 7 (action.decided): the action's digest is missing or malformed"},
        {ENTRY_ACTION_DECIDED, "tok_2", NULL, "{" REQUEST ",'findings':[]}", "entry 7 (action.decided): the verdict is missing or malformed"},
        {ENTRY_ACTION_DECIDED, "tok_2", NULL, "{" REQUEST ",'verdict':'escalate'}", "entry 7 (action.decided): a record has no findings"},
        {ENTRY_ACTION_DECIDED, "tok_2", NULL, "{" REQUEST ",'verdict':'escalate','findings':[['x','y']]}", "entry 7 (action.decided): a recorded finding is not one"},
        {ENTRY_ACTION_DECIDED, "tok_2", NULL, "{" REQUEST ",'verdict':'allow','findings':[],'services':['gone']}", "entry 7 (action.decided): a service of the action is missing or malformed"},
        {ENTRY_ACTION_DECIDED, "tok_2", NULL, "{" REQUEST ",'verdict':'allow','findings':[],'services':['shop','shop','shop','shop','shop','shop',"
            "'shop','shop','shop','shop','shop','shop','shop','shop','shop','shop','shop']}", "entry 7 (action.decided): a service of the action is missing or malformed"},
        {ENTRY_ACTION_DECIDED, "tok_2", NULL, "{'request':{'agent':'nobody','digest':'" DIGEST "'},'verdict':'escalate','findings':[]}",
            "entry 7 (action.decided): an action of an unknown agent was not denied"},
        {ENTRY_ACTION_REDECIDED, "tok_2", "act_9", "{'verdict':'allow','findings':[]}", "entry 7 (action.redecided): the action is missing or malformed"},
        {ENTRY_ACTION_REDECIDED, "tok_2", "act_4", "{'verdict':'escalate','findings':[]}", "entry 7 (action.redecided): a closed action can't be opened again"},
        {ENTRY_ACTION_REDECIDED, "tok_2", "act_5", "{'verdict':'allow','findings':[]}", "entry 7 (action.redecided): a closed action can't be opened again"},
        {ENTRY_ACTION_COMMITTED, "tok_2", "act_3", "{'start_by':'2027-01-15T09:00:00Z'}", "entry 7 (action.committed): the commit is missing or malformed"},
        {ENTRY_ACTION_COMMITTED, "tok_2", "act_3", "{'nonce':'" DIGEST "'}", "entry 7 (action.committed): the commit is missing or malformed"},
        {ENTRY_ACTION_COMMITTED, "tok_2", "act_5", "{'nonce':'" DIGEST "','start_by':'2027-01-15T09:00:00Z'}", "entry 7 (action.committed): a closed action can't be opened again"},
        {ENTRY_ACTION_HEARTBEAT, "tok_2", "act_3", "{}", "entry 7 (action.heartbeat): the heartbeat is missing or malformed"},
        {ENTRY_ACTION_FINISHED, "tok_2", "act_3", "{'result':'fine'}", "entry 7 (action.finished): the outcome is missing or malformed"},
        {ENTRY_ACTION_FINISHED, "tok_2", NULL, "{'result':'succeeded'}", "entry 7 (action.finished): the outcome is missing or malformed"},
        {ENTRY_BLOBS_ERASED, "system", NULL, "{}", "entry 7 (blobs.erased): how far it goes is missing or malformed"},
        {ENTRY_BLOBS_ERASED, "system", NULL, "{'through_seq':7}",
         "entry 7 (blobs.erased): how far it goes is missing or malformed"},
        {ENTRY_ACTION_LOST, "system", "act_9", "{}", "entry 7 (action.lost): the action is missing or malformed"},
        {ENTRY_ACTION_CANCELLED, "system", "tok_2", "{}", "entry 7 (action.cancelled): the action is missing or malformed"},
        {ENTRY_ACTION_EXPIRED, "system", NULL, "{}", "entry 7 (action.expired): the action is missing or malformed"},
        {ENTRY_ACTION_ABANDONED, "system", "act_03", "{}", "entry 7 (action.abandoned): the action is missing or malformed"},
        {ENTRY_APPROVAL_GRANTED, "ann", "act_3", "{'quorum':true}", "entry 7 (approval.granted): the approval is missing or malformed"},
        {ENTRY_APPROVAL_GRANTED, "tok_8", "act_5", "{'quorum':true}", "entry 7 (approval.granted): a closed action can't be opened again"},
        {ENTRY_APPROVAL_REJECTED, "tok_8", "act_9", "{}", "entry 7 (approval.rejected): the action is missing or malformed"},
        {ENTRY_STOP_SET, "tok_1", NULL, "{'scope':'world'}", "entry 7 (stop.set): the stop's scope is missing or malformed"},
        {ENTRY_STOP_LIFTED, "tok_1", "stp_5", "{}", "entry 7 (stop.lifted): the stop is missing or malformed"},
        {ENTRY_STOP_LIFTED, "tok_1", NULL, "{}", "entry 7 (stop.lifted): the stop is missing or malformed"},
        {ENTRY_DEPLOY_STARTED, "tok_1", NULL, "{'service':'gone','id':'d'}", "entry 7 (deploy.started): the service is missing or malformed"},
        {ENTRY_DEPLOY_ENDED, "tok_1", NULL, "{'id':'d'}", "entry 7 (deploy.ended): the service is missing or malformed"},
        {ENTRY_SLI_BUCKET, "system", NULL, "{'service':'shop','at':'2027-01-15T08:00:00Z','good':2,'total':1}", "entry 7 (sli.bucket): the bucket is missing or malformed"},
        {ENTRY_SLI_BUCKET, "system", NULL, "{'service':'shop','good':1,'total':1}", "entry 7 (sli.bucket): the bucket is missing or malformed"},
        {ENTRY_SLI_BUCKET, "system", NULL, "{'service':'shop','at':'2027-01-15T08:00:00Z','good':-1,'total':1}", "entry 7 (sli.bucket): the bucket is missing or malformed"},
        {ENTRY_CLOCK_JUMPED, "system", NULL, "{'idem':{'key':'00','body':'00'}}", "entry 7 (clock.jumped): the idempotency key is missing or malformed"},
        {ENTRY_LEDGER_RESTORED, "system", NULL, "{'lost_after':5}", "entry 7 (ledger.restored): where the loss begins is missing or malformed"},
        {ENTRY_LEDGER_RESTORED, "system", NULL, "{}", "entry 7 (ledger.restored): where the loss begins is missing or malformed"},
        {ENTRY_CLOCK_JUMPED, "system", NULL, "{'idem':7}", "entry 7 (clock.jumped): the idempotency key is missing or malformed"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct maker m;
        scene(&m);
        maker_action(&m, "bot", "escalate", "");
        maker_action(&m, "nobody", "deny", "");
        maker_action(&m, "bot", "deny", "");
        maker_add(&m, ENTRY_STOP_SET, "tok_1", NULL, "{'scope':'all'}");
        enum rc rc = maker_apply(&m, rows[i].kind, rows[i].actor, rows[i].ref, rows[i].body);
        if (rc != RC_CORRUPT || strstr(m.e.text, "entry 7 (") != m.e.text ||
            (rows[i].text != NULL && strcmp(m.e.text, rows[i].text) != 0)) {
            print_error("row %zu: %s: %s\n", i, rc_name(rc), m.e.text);
            fail();
        }
        maker_done(&m);
    }
}

static void malformed_policies_are_corrupt(void **state)
{
    (void)state;
    struct maker m;
    scene(&m);
    assert_int_equal(maker_try_policy(&m, "{'mode':'soft'}"), RC_CORRUPT);
    assert_string_equal(m.e.text, "entry 3 (policy.loaded): mode: expected one of enforce, advisory");
    maker_done(&m);
    scene(&m);
    struct entry entry = maker_entry(&m, ENTRY_POLICY_LOADED, "system", NULL);
    struct value body = maker_value(&m, "{'hash':'x'}");
    assert_int_equal(world_apply(m.w, &entry, &body, STR("{"), &m.e), RC_CORRUPT);
    maker_done(&m);
    scene(&m);
    body = maker_value(&m, arena_printf(m.a, "{'hash':'%0100d'}", 0).ptr);
    assert_int_equal(world_apply(m.w, &entry, &body, STR("{}"), &m.e), RC_CORRUPT);
    assert_string_equal(m.e.text, "entry 3 (policy.loaded): a policy's hash is too long");
    maker_done(&m);
}

/* --- actions --------------------------------------------------------------------------------------------- */

static void an_action_lives_its_life(void **state)
{
    (void)state;
    struct maker m;
    scene(&m);
    uint64_t id = maker_action(&m, "bot", "escalate",
                               "'blocking':'error_budget','services':['shop'],");
    const struct action *a = found(&m, id);
    assert_int_equal(a->state, ACTION_ESCALATED);
    assert_int_equal(a->verdict, VERDICT_ESCALATE);
    assert_int_equal(a->blocking, CHECK_ERROR_BUDGET);
    assert_int_equal(a->proposer, 2);
    assert_int_equal(a->policy_seq, 1);
    assert_int_equal(a->decided_seq, id);
    assert_int_equal(a->service_count, 1);
    assert_int_equal(a->due_ms, m.now_ms + HOUR_MS);
    assert_ptr_equal(world_pending(m.w, a->digest), a);
    assert_int_equal(world_pending_approvals(m.w), 1);
    assert_int_equal(world_open_actions(m.w), 1);
    assert_int_equal(world_agent_at(m.w, a->agent)->pending, 1);
    check_roundtrip(&m);
    m.now_ms += 1000;
    maker_add(&m, ENTRY_APPROVAL_GRANTED, "tok_8", maker_id(&m, "act", id),
              arena_printf(m.a, "{'quorum':true,'expires_at':'%s'}", maker_in(&m, 5000)).ptr);
    a = found(&m, id);
    assert_int_equal(a->state, ACTION_APPROVED);
    assert_int_equal(a->due_ms, m.now_ms + 5000);
    assert_int_equal(action_review(a)->approval_count, 1);
    assert_int_equal(action_review(a)->approvals[0].token, 8);
    assert_ptr_equal(world_pending(m.w, a->digest), a);
    assert_int_equal(world_pending_approvals(m.w), 0);
    assert_int_equal(world_agent_at(m.w, a->agent)->pending, 0);
    check_roundtrip(&m);
    uint64_t grant = maker_add(&m, ENTRY_ACTION_COMMITTED, "tok_2", maker_id(&m, "act", id),
                               arena_printf(m.a, "{'nonce':'" DIGEST "','start_by':'%s'}", maker_in(&m, 30000)).ptr);
    a = found(&m, id);
    assert_int_equal(a->state, ACTION_EXECUTING);
    assert_int_equal(a->grant_seq, grant);
    assert_int_equal(a->due_ms, m.now_ms + 30000);
    assert_null(world_pending(m.w, a->digest));
    check_roundtrip(&m);
    maker_add(&m, ENTRY_ACTION_HEARTBEAT, "tok_2", maker_id(&m, "act", id),
              arena_printf(m.a, "{'due_at':'%s'}", maker_in(&m, 90000)).ptr);
    assert_int_equal(found(&m, id)->due_ms, m.now_ms + 90000);
    maker_add(&m, ENTRY_ACTION_FINISHED, "tok_2", maker_id(&m, "act", id), "{'result':'failed'}");
    assert_int_equal(found(&m, id)->state, ACTION_FAILED);
    assert_int_equal(world_open_actions(m.w), 0);
    assert_null(world_due(m.w, INT64_MAX));
    check_roundtrip(&m);
    maker_done(&m);
}

static void decisions_lead_to_states(void **state)
{
    (void)state;
    static const struct {
        const char *verdict;
        const char *more;
        enum action_state want;
        bool open;
    } rows[] = {
        {"deny", "", ACTION_DENIED, false},       {"escalate", "", ACTION_ESCALATED, true},
        {"hold", "", ACTION_HELD, true},          {"advise", "", ACTION_ADVISED, false},
        {"allow", "", ACTION_ALLOWED, true},      {"allow", "'two_phase':false,", ACTION_ALLOWED, false},
    };
    struct maker m;
    scene(&m);
    unsigned open = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint64_t id = maker_action(&m, "bot", rows[i].verdict, rows[i].more);
        open += rows[i].open ? 1 : 0;
        assert_int_equal(found(&m, id)->state, rows[i].want);
        assert_int_equal(world_open_actions(m.w), open);
        assert_int_equal(found(&m, id)->closed_ms, rows[i].open ? 0 : m.now_ms);
    }
    check_roundtrip(&m);
    for (unsigned s = 0; s <= ACTION_ABANDONED; s++) {
        enum action_state back = ACTION_ABANDONED;
        assert_true(action_state_parse(str_from(action_state_name((enum action_state)s)), &back));
        assert_int_equal(back, s);
    }
    enum action_state none;
    assert_false(action_state_parse(STR("resting"), &none));
    maker_done(&m);
}

static void actions_end_in_their_ways(void **state)
{
    (void)state;
    static const struct {
        enum entry_kind kind;
        const char *body;
        enum action_state want;
    } rows[] = {
        {ENTRY_ACTION_FINISHED, "{'result':'succeeded'}", ACTION_SUCCEEDED},
        {ENTRY_ACTION_FINISHED, "{'result':'failed'}", ACTION_FAILED},
        {ENTRY_ACTION_CANCELLED, "{}", ACTION_CANCELLED},
        {ENTRY_ACTION_EXPIRED, "{}", ACTION_EXPIRED},
        {ENTRY_ACTION_ABANDONED, "{}", ACTION_ABANDONED},
        {ENTRY_APPROVAL_REJECTED, "{}", ACTION_REJECTED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct maker m;
        scene(&m);
        uint64_t id = maker_action(&m, "bot", "escalate", "");
        maker_add(&m, rows[i].kind, "tok_2", maker_id(&m, "act", id), rows[i].body);
        assert_int_equal(found(&m, id)->state, rows[i].want);
        assert_true(action_state_is_closed(rows[i].want));
        assert_int_equal(world_open_actions(m.w), 0);
        assert_int_equal(world_pending_approvals(m.w), 0);
        assert_null(world_pending(m.w, found(&m, id)->digest));
        assert_int_equal(world_next_due(m.w), INT64_MAX);
        check_roundtrip(&m);
        m.now_ms += CLOSED_KEEP_MS - 1;
        maker_add(&m, ENTRY_CLOCK_JUMPED, "system", NULL, "{}");
        assert_non_null(world_action(m.w, id));
        m.now_ms += 1;
        maker_add(&m, ENTRY_CLOCK_JUMPED, "system", NULL, "{}");
        assert_null(world_action(m.w, id));
        assert_null(world_action_next(m.w, NULL));
        check_roundtrip(&m);
        maker_done(&m);
    }
}

/* However long it takes: only a report or a person says what became of it. */
static void an_unknown_action_stays_until_it_is_resolved(void **state)
{
    (void)state;
    struct maker m;
    scene(&m);
    uint64_t id = maker_action(&m, "bot", "allow", "");
    uint64_t other = maker_action(&m, "bot", "allow", "");
    maker_add(&m, ENTRY_ACTION_LOST, "system", maker_id(&m, "act", id), "{}");
    assert_int_equal(found(&m, id)->state, ACTION_UNKNOWN);
    assert_false(action_state_is_closed(ACTION_UNKNOWN));
    assert_int_equal(found(&m, id)->closed_ms, 0);
    assert_int_equal(world_open_actions(m.w), 2);
    assert_int_equal(world_open_count(m.w), 2);
    assert_int_equal(world_next_due(m.w), found(&m, other)->due_ms); /* it never falls due by itself */
    check_roundtrip(&m);
    maker_add(&m, ENTRY_ACTION_CANCELLED, "tok_2", maker_id(&m, "act", other), "{}");
    assert_int_equal(world_next_due(m.w), INT64_MAX);
    m.now_ms += 400LL * DAY_MS;
    maker_add(&m, ENTRY_CLOCK_JUMPED, "system", NULL, "{}");
    assert_null(world_action(m.w, other));
    assert_non_null(world_action(m.w, id));
    assert_null(world_due(m.w, INT64_MAX - 1));
    assert_int_equal(world_open_actions(m.w), 1);
    check_roundtrip(&m);
    maker_add(&m, ENTRY_ACTION_FINISHED, "tok_2", maker_id(&m, "act", id), "{'result':'failed','late':true}");
    assert_int_equal(found(&m, id)->state, ACTION_FAILED);
    assert_int_equal(world_open_actions(m.w), 0);
    check_roundtrip(&m);
    m.now_ms += CLOSED_KEEP_MS;
    maker_add(&m, ENTRY_CLOCK_JUMPED, "system", NULL, "{}");
    assert_null(world_action(m.w, id));
    maker_done(&m);
}

static void what_was_erased_is_noted(void **state)
{
    (void)state;
    struct maker m;
    scene(&m);
    assert_int_equal(world_erased_through(m.w), 0);
    maker_add(&m, ENTRY_BLOBS_ERASED, "system", NULL, "{'bytes':5,'count':1,'rule':'r','through_seq':2}");
    assert_int_equal(world_erased_through(m.w), 2);
    check_roundtrip(&m);
    maker_add(&m, ENTRY_BLOBS_ERASED, "system", NULL, "{'bytes':5,'count':1,'rule':'r','through_seq':1}");
    assert_int_equal(world_erased_through(m.w), 2);
    maker_done(&m);
}

static void a_late_outcome_is_kept(void **state)
{
    (void)state;
    struct maker m;
    scene(&m);
    uint64_t id = maker_action(&m, "bot", "allow", "");
    maker_add(&m, ENTRY_ACTION_LOST, "system", maker_id(&m, "act", id), "{}");
    m.now_ms += 1000;
    maker_add(&m, ENTRY_ACTION_FINISHED, "tok_2", maker_id(&m, "act", id), "{'result':'succeeded','late':true}");
    assert_int_equal(found(&m, id)->state, ACTION_SUCCEEDED);
    check_roundtrip(&m);
    m.now_ms += CLOSED_KEEP_MS; /* it leaves memory once */
    maker_add(&m, ENTRY_CLOCK_JUMPED, "system", NULL, "{}");
    assert_null(world_action(m.w, id));
    uint64_t other = maker_action(&m, "bot", "allow", "");
    m.now_ms += CLOSED_KEEP_MS;
    maker_add(&m, ENTRY_CLOCK_JUMPED, "system", NULL, "{}");
    assert_non_null(world_action(m.w, other));
    maker_done(&m);
}

static void commit(struct maker *m, uint64_t id)
{
    maker_add(m, ENTRY_ACTION_COMMITTED, "tok_2", maker_id(m, "act", id),
              arena_printf(m->a, "{'nonce':'" DIGEST "','start_by':'%s'}", maker_in(m, 30000)).ptr);
}

/* What may have happened in the entries that were lost must not happen again, and nobody's word of before counts. */
static void a_restore_with_a_loss_voids_what_loosens(void **state)
{
    (void)state;
    struct maker m;
    scene(&m);
    uint64_t allowed = maker_action(&m, "bot", "allow", "");
    uint64_t at_once = maker_action(&m, "bot", "allow", "'two_phase':false,");
    uint64_t held = maker_action(&m, "bot", "hold", "");
    uint64_t half = maker_action(&m, "bot", "escalate", "");
    uint64_t approved = maker_action(&m, "bot", "escalate", "");
    uint64_t executing = maker_action(&m, "bot", "allow", "'services':['shop'],");
    uint64_t succeeded = maker_action(&m, "bot", "allow", "");
    maker_add(&m, ENTRY_APPROVAL_GRANTED, "tok_8", maker_id(&m, "act", half), "{'quorum':false}");
    maker_add(&m, ENTRY_APPROVAL_GRANTED, "tok_8", maker_id(&m, "act", approved), "{'quorum':true}");
    commit(&m, executing);
    commit(&m, succeeded);
    maker_add(&m, ENTRY_ACTION_FINISHED, "tok_2", maker_id(&m, "act", succeeded), "{'result':'succeeded'}");
    uint64_t grant = maker_add(&m, ENTRY_GRANT_ISSUED, "tok_8", NULL,
                               arena_printf(m.a, "{'agent':'bot','tool':'*','target':'*','expires_at':'%s'}",
                                            maker_in(&m, HOUR_MS)).ptr);
    uint64_t stop = maker_add(&m, ENTRY_STOP_SET, "tok_8", NULL, "{'scope':'all'}");
    const struct world_agent *bot = world_agent_at(m.w, found(&m, executing)->agent);
    uint32_t failures = bot->breaker.failures;
    assert_int_equal(bot->executing, 1);
    maker_add(&m, ENTRY_LEDGER_RESTORED, "system", NULL,
              arena_printf(m.a, "{'lost_after':%llu,'reason':'x'}", (unsigned long long)stop).ptr);
    assert_int_equal(found(&m, allowed)->state, ACTION_CANCELLED);
    assert_int_equal(found(&m, at_once)->state, ACTION_ALLOWED);
    assert_int_equal(found(&m, held)->state, ACTION_CANCELLED);
    assert_int_equal(found(&m, half)->state, ACTION_ESCALATED);
    assert_int_equal(action_review(found(&m, half))->approval_count, 0);
    assert_int_equal(found(&m, approved)->state, ACTION_CANCELLED);
    assert_int_equal(found(&m, executing)->state, ACTION_UNKNOWN);
    assert_int_equal(found(&m, succeeded)->state, ACTION_SUCCEEDED);
    assert_true(world_grant_by_id(m.w, grant)->revoked);
    assert_int_equal(bot->executing, 0);
    assert_int_equal(bot->breaker.failures, failures + 1);
    assert_int_equal(world_stop_count(m.w), 1); /* what tightens stays */
    assert_int_equal(world_open_actions(m.w), 2); /* half, and what became of one is not known */
    check_roundtrip(&m);
    maker_done(&m);
}

static void a_decision_is_made_again(void **state)
{
    (void)state;
    struct maker m;
    scene(&m);
    uint64_t id = maker_action(&m, "bot", "hold", arena_printf(m.a, "'retry_at':'%s',", maker_in(&m, 60000)).ptr);
    assert_int_equal(found(&m, id)->retry_at_ms, m.now_ms + 60000);
    uint64_t again = maker_add(&m, ENTRY_ACTION_REDECIDED, "tok_2", maker_id(&m, "act", id),
                               arena_printf(m.a,
                                            "{'verdict':'escalate','blocking':'her_trend','expires_at':'%s','findings':["
                                            "['her_trend','escalate','her_high',200000,150000],"
                                            "['error_budget','escalate','budget_unknown',0,200000,'shop',2,0],"
                                            "['aqdd','escalate','queue_deep',9,3,'',1,0]]}",
                                            maker_in(&m, 1000)).ptr);
    const struct action *a = found(&m, id);
    assert_int_equal(a->state, ACTION_ESCALATED);
    assert_int_equal(a->decided_seq, again);
    assert_int_equal(a->due_ms, m.now_ms + 1000);
    assert_true(action_review(a)->shown[CHECK_HER_TREND].shown && !action_review(a)->shown[CHECK_HER_TREND].unknown);
    assert_int_equal(action_review(a)->shown[CHECK_HER_TREND].value, 200000);
    assert_true(action_review(a)->shown[CHECK_ERROR_BUDGET].shown && action_review(a)->shown[CHECK_ERROR_BUDGET].unknown);
    assert_false(action_review(a)->shown[CHECK_AQDD].shown); /* in shadow */
    check_roundtrip(&m);
    maker_add(&m, ENTRY_APPROVAL_GRANTED, "tok_8", maker_id(&m, "act", id), "{'quorum':true}");
    maker_add(&m, ENTRY_ACTION_REDECIDED, "tok_2", maker_id(&m, "act", id),
              arena_printf(m.a, "{'approval_kept':true,'verdict':'hold','retry_at':'%s','findings':[]}", maker_in(&m, 7000)).ptr);
    a = found(&m, id);
    assert_int_equal(a->state, ACTION_APPROVED);
    assert_int_equal(action_review(a)->approval_count, 1);
    assert_int_equal(a->retry_at_ms, m.now_ms + 7000);
    assert_int_equal(a->decided_seq, again);
    maker_add(&m, ENTRY_ACTION_REDECIDED, "tok_2", maker_id(&m, "act", id), "{'verdict':'escalate','findings':[]}");
    a = found(&m, id);
    assert_int_equal(a->state, ACTION_ESCALATED);
    assert_int_equal(action_review(a)->approval_count, 0); /* what was approved is void */
    assert_false(action_review(a)->shown[CHECK_HER_TREND].shown);
    check_roundtrip(&m);
    maker_done(&m);
}

static void deadlines_come_in_order(void **state)
{
    (void)state;
    struct maker m;
    scene(&m);
    assert_int_equal(world_next_due(m.w), INT64_MAX);
    enum { N = 200 };
    int64_t start = m.now_ms;
    uint64_t ids[N];
    for (unsigned i = 0; i < N; i++) {
        uint64_t seq = world_next_seq(m.w);
        char text[INSTANT_TEXT_LEN];
        instant_format(start + 1000 + (int64_t)(i * 7919 % N) * 10, text);
        ids[i] = maker_add(&m, ENTRY_ACTION_DECIDED, "tok_2", NULL,
                           arena_printf(m.a, "{'request':{'agent':'bot','digest':'sha256:%064llx'},'verdict':'allow','findings':[],"
                                             "'expires_at':'%.24s'}", (unsigned long long)seq, text).ptr);
    }
    for (unsigned i = 0; i < N; i += 3) { /* some end before their time */
        maker_add(&m, ENTRY_ACTION_CANCELLED, "tok_2", maker_id(&m, "act", ids[i]), "{}");
    }
    int64_t last = 0;
    unsigned count = 0;
    const struct action *a;
    while (world_next_due(m.w) != INT64_MAX) {
        int64_t due = world_next_due(m.w);
        assert_true(due >= last);
        assert_null(world_due(m.w, due - 1));
        a = world_due(m.w, due);
        assert_non_null(a);
        assert_int_equal(a->due_ms, due);
        last = due;
        m.now_ms = due;
        maker_add(&m, ENTRY_ACTION_EXPIRED, "system", maker_id(&m, "act", a->id), "{}");
        count++;
    }
    assert_int_equal(count, N - (N + 2) / 3);
    maker_done(&m);
}

static void many_actions_come_and_go(void **state)
{
    (void)state;
    struct maker m;
    scene(&m);
    for (unsigned i = 0; i < 600; i++) {
        uint64_t id = maker_action(&m, "bot", i % 3 == 0 ? "escalate" : i % 3 == 1 ? "allow" : "deny", "");
        const struct action *a = found(&m, id);
        assert_ptr_equal(world_pending(m.w, a->digest), i % 3 == 0 ? a : NULL);
        if (i % 6 == 0) {
            maker_add(&m, ENTRY_APPROVAL_REJECTED, "tok_8", maker_id(&m, "act", id), "{'reason':'no'}");
        }
        m.now_ms += MINUTE_MS;
    }
    unsigned in_memory = 0;
    uint64_t last = 0;
    for (const struct action *a = world_action_next(m.w, NULL); a != NULL; a = world_action_next(m.w, a)) {
        assert_true(a->id > last);
        last = a->id;
        in_memory++;
        if (a->state == ACTION_ESCALATED) {
            assert_ptr_equal(world_pending(m.w, a->digest), a);
        }
    }
    assert_int_equal(world_pending_approvals(m.w), 100);
    assert_int_equal(world_open_actions(m.w), 300);
    assert_true(in_memory >= 300 && in_memory <= 300 + 60);
    check_roundtrip(&m);
    maker_done(&m);
}

/* Few names are kept in the action, more aside; both are what the entry said, also after a load. */
static void an_action_keeps_all_its_names(void **state)
{
    (void)state;
    static const struct {
        const char *services;
        const char *act;
        uint32_t service[REQUEST_SERVICES_MAX];
        uint32_t service_count;
        uint32_t agent[REQUEST_ACT_MAX];
        uint32_t act_count;
    } rows[] = {
        {"[]", "[]", {0}, 0, {0}, 0},
        {"['web']", "[]", {1}, 1, {0}, 0},
        {"['web','shop']", "[]", {1, 0}, 2, {0}, 0},
        {"['web']", "['cat']", {1}, 1, {1}, 1},
        {"[]", "['cat','bot']", {0}, 0, {1, 0}, 2},
        {"['shop','web']", "['cat']", {0, 1}, 2, {1}, 1},
        {"['shop','web','shop']", "['cat','bot','cat']", {0, 1, 0}, 3, {1, 0, 1}, 3},
    };
    struct maker m;
    scene(&m);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *body = arena_printf(m.a, "{'request':{'act':%s,'agent':'bot','digest':'" DIGEST "'},'tool':'t','verdict':'deny',"
                                             "'findings':[],'services':%s}", rows[i].act, rows[i].services).ptr;
        uint64_t id = maker_add(&m, ENTRY_ACTION_DECIDED, "tok_2", NULL, body);
        CLEANUP(arena) struct arena *a = arena_new(256 << 20);
        CLEANUP(world) struct world *w = restored(save(m.w, a), 5);
        struct world *const all[] = {m.w, w};
        for (size_t k = 0; k < 2; k++) {
            const struct action *got = world_action(all[k], id);
            assert_int_equal(got->service_count, rows[i].service_count);
            assert_int_equal(got->act_count, rows[i].act_count);
            assert_memory_equal(action_services(got), rows[i].service, rows[i].service_count * sizeof(uint32_t));
            assert_memory_equal(action_act(got), rows[i].agent, rows[i].act_count * sizeof(uint32_t));
        }
    }
    check_roundtrip(&m);
    m.now_ms += CLOSED_KEEP_MS + 1;
    maker_action(&m, "bot", "deny", "");
    assert_null(world_action(m.w, 6));
    maker_done(&m);
}

/* --- measures ------------------------------------------------------------------------------------------------ */

static void check_her(struct maker *m, int64_t ppm, int64_t sample)
{
    int64_t got_ppm;
    int64_t got_sample;
    world_her(m->w, world_agent_find(m->w, STR("bot")), m->now_ms, &got_ppm, &got_sample);
    assert_int_equal(got_sample, sample);
    assert_int_equal(got_ppm, ppm);
}

static void the_escalation_rate_counts_its_own(void **state)
{
    (void)state;
    struct maker m;
    scene(&m);
    check_her(&m, 0, 0);
    maker_action(&m, "bot", "allow", "");
    check_her(&m, 0, 1);
    maker_action(&m, "bot", "escalate", "'own':true,");
    check_her(&m, 500000, 2);
    maker_action(&m, "bot", "escalate", ""); /* not for reasons of its own */
    maker_action(&m, "bot", "hold", "");
    maker_action(&m, "bot", "deny", "");
    maker_action(&m, "bot", "advise", "");
    maker_action(&m, "cat", "escalate", "'own':true,");
    check_her(&m, 500000, 2);
    maker_action(&m, "bot", "allow", "");
    check_her(&m, 333334, 3); /* rounded up */
    check_roundtrip(&m);
    /* Fifty at most: the first ones leave. */
    for (unsigned i = 0; i < HER_WINDOW - 1; i++) {
        maker_action(&m, "bot", "allow", "'two_phase':false,");
    }
    check_her(&m, 0, HER_WINDOW);
    for (unsigned i = 0; i < 17; i++) {
        maker_action(&m, "bot", "escalate", "'own':true,");
    }
    check_her(&m, 340000, HER_WINDOW);
    check_roundtrip(&m);
    /* And seven days at most. */
    int64_t start = m.now_ms;
    m.now_ms = start + HER_WINDOW_MS - 1;
    check_her(&m, 340000, HER_WINDOW);
    m.now_ms = start + HER_WINDOW_MS;
    check_her(&m, 0, 0);
    maker_done(&m);
}

static void tick(struct maker *m)
{
    maker_add(m, ENTRY_CLOCK_JUMPED, "system", NULL, "{}");
}

static void the_queue_is_sampled_on_a_grid(void **state)
{
    (void)state;
    struct maker m;
    scene(&m);
    assert_int_equal(m.now_ms % AQDD_SAMPLE_MS, 0);
    struct aqdd q = world_aqdd(m.w, m.now_ms);
    assert_int_equal(q.depth, 0);
    assert_int_equal(q.baseline_milli, -1);
    assert_int_equal(q.drift_milli, -1);
    for (unsigned i = 0; i < 2; i++) {
        maker_action(&m, "bot", "escalate", "");
    }
    m.now_ms += AQDD_SAMPLE_MS - 1; /* nothing is sampled yet */
    tick(&m);
    m.now_ms += 1;
    tick(&m);
    m.now_ms += (AQDD_BASELINE_SAMPLES - 2) * AQDD_SAMPLE_MS;
    tick(&m);
    assert_int_equal(world_aqdd(m.w, m.now_ms).baseline_milli, -1); /* nine samples */
    m.now_ms += AQDD_SAMPLE_MS;
    tick(&m);
    q = world_aqdd(m.w, m.now_ms);
    assert_int_equal(q.baseline_milli, 2000);
    assert_int_equal(q.drift_milli, 1000);
    assert_false(q.breach);
    check_roundtrip(&m);
    maker_done(&m);
}

/* A spike is judged against the baseline of before, then mixed in. */
static void a_spike_does_not_damp_itself(void **state)
{
    (void)state;
    struct maker m;
    scene(&m);
    for (unsigned i = 0; i < 2; i++) {
        maker_action(&m, "bot", "escalate", "");
    }
    m.now_ms += AQDD_BASELINE_SAMPLES * AQDD_SAMPLE_MS;
    tick(&m);
    for (unsigned i = 0; i < 6; i++) {
        maker_action(&m, "bot", "escalate", "");
    }
    struct aqdd q = world_aqdd(m.w, m.now_ms);
    assert_int_equal(q.depth, 8);
    assert_int_equal(q.baseline_milli, 2000);
    assert_int_equal(q.drift_milli, 4000);
    m.now_ms += AQDD_SAMPLE_MS;
    tick(&m);
    q = world_aqdd(m.w, m.now_ms);
    assert_int_equal(q.baseline_milli, 2600); /* 0.9 x 2 + 0.1 x 8 */
    assert_int_equal(q.drift_milli, 3076);
    m.now_ms += AQDD_SAMPLE_MS;
    tick(&m);
    assert_int_equal(world_aqdd(m.w, m.now_ms).baseline_milli, 3140);
    maker_done(&m);
}

/* The baseline of this test grows so slowly that drift stays above two: more and more are waiting. */
static void a_breach_takes_half_an_hour(void **state)
{
    (void)state;
    struct maker m;
    scene(&m);
    maker_action(&m, "bot", "escalate", "");
    m.now_ms += AQDD_BASELINE_SAMPLES * AQDD_SAMPLE_MS;
    tick(&m);
    int64_t first = 0;
    for (unsigned minute = 1; minute <= 31; minute++) {
        int64_t depth = world_aqdd(m.w, m.now_ms).depth;
        int64_t wanted = world_aqdd(m.w, m.now_ms).baseline_milli * 23 / 10000 + 1;
        for (int64_t i = depth; i < wanted; i++) {
            maker_action(&m, "cat", "escalate", "'expires_at_unused':0,");
        }
        m.now_ms += AQDD_SAMPLE_MS;
        tick(&m);
        first = first == 0 ? m.now_ms : first;
        assert_int_equal(world_aqdd(m.w, m.now_ms).breach, m.now_ms - first >= AQDD_BREACH_MS);
    }
    assert_false(world_aqdd(m.w, first + AQDD_BREACH_MS - 1).breach);
    assert_true(world_aqdd(m.w, first + AQDD_BREACH_MS).breach);
    check_roundtrip(&m);
    /* One sample below two ends it. */
    while (world_aqdd(m.w, m.now_ms).drift_milli >= AQDD_BREACH_MILLI) {
        const struct action *a = world_action_next(m.w, NULL);
        while (a->state != ACTION_ESCALATED) {
            a = world_action_next(m.w, a);
        }
        maker_add(&m, ENTRY_APPROVAL_REJECTED, "tok_8", maker_id(&m, "act", a->id), "{}");
    }
    m.now_ms += AQDD_SAMPLE_MS;
    tick(&m);
    assert_false(world_aqdd(m.w, m.now_ms).breach);
    maker_done(&m);
}

/* Samples nobody was awake for are the same as those that were taken one by one. */
static void missed_samples_are_made_up(void **state)
{
    (void)state;
    static const unsigned gaps[] = {1, 2, 9, 10, 11, 100, 999};
    for (size_t i = 0; i < sizeof gaps / sizeof *gaps; i++) {
        struct maker one;
        struct maker all;
        scene(&one);
        scene(&all);
        for (unsigned k = 0; k < 3; k++) {
            maker_action(&one, "bot", "escalate", "");
            maker_action(&all, "bot", "escalate", "");
        }
        for (unsigned k = 0; k < gaps[i]; k++) {
            one.now_ms += AQDD_SAMPLE_MS;
            tick(&one);
        }
        all.now_ms += gaps[i] * (int64_t)AQDD_SAMPLE_MS;
        tick(&all);
        struct aqdd a = world_aqdd(one.w, one.now_ms);
        struct aqdd b = world_aqdd(all.w, all.now_ms);
        assert_int_equal(a.depth, b.depth);
        assert_int_equal(a.baseline_milli, b.baseline_milli);
        assert_int_equal(a.drift_milli, b.drift_milli);
        assert_int_equal(a.breach, b.breach);
        maker_done(&one);
        maker_done(&all);
    }
    /* A gap of years ends soon, on the depth it had. */
    struct maker m;
    scene(&m);
    maker_action(&m, "bot", "escalate", "");
    m.now_ms += 400LL * DAY_MS;
    tick(&m);
    assert_int_equal(world_aqdd(m.w, m.now_ms).baseline_milli, 1000);
    check_roundtrip(&m);
    maker_done(&m);
}

#define KEY_1 "1111111111111111111111111111111111111111111111111111111111111111"
#define BODY_1 "00000000000000000000000000000001"

static void keys_are_kept_for_a_day(void **state)
{
    (void)state;
    struct maker m;
    scene(&m);
    uint8_t key[32];
    memset(key, 0x11, sizeof key);
    assert_null(world_idempotency(m.w, key));
    uint64_t seq = maker_add(&m, ENTRY_STOP_SET, "tok_1", NULL,
                             "{'scope':'all','idem':{'key':'" KEY_1 "','body':'" BODY_1 "'}}");
    const struct idempotency *k = world_idempotency(m.w, key);
    assert_non_null(k);
    assert_int_equal(k->seq, seq);
    assert_int_equal(k->body_digest[15], 1);
    check_roundtrip(&m);
    /* Many more, so that the table moves. */
    for (unsigned i = 0; i < 300; i++) {
        maker_add(&m, ENTRY_CLOCK_JUMPED, "system", NULL,
                  arena_printf(m.a, "{'idem':{'key':'%064x','body':'" BODY_1 "'}}", i + 1000).ptr);
    }
    assert_int_equal(world_idempotency(m.w, key)->seq, seq);
    check_roundtrip(&m);
    m.now_ms += IDEMPOTENCY_KEEP_MS - 1;
    tick(&m);
    assert_non_null(world_idempotency(m.w, key));
    m.now_ms += 1;
    tick(&m);
    assert_null(world_idempotency(m.w, key));
    check_roundtrip(&m);
    /* The rows are used again. */
    for (unsigned i = 0; i < 300; i++) {
        maker_add(&m, ENTRY_CLOCK_JUMPED, "system", NULL,
                  arena_printf(m.a, "{'idem':{'key':'%064x','body':'" BODY_1 "'}}", i + 5000).ptr);
    }
    memset(key, 0, sizeof key);
    key[30] = 5000 >> 8;
    key[31] = 5000 & 0xff;
    assert_non_null(world_idempotency(m.w, key));
    check_roundtrip(&m);
    maker_done(&m);
}

/* --- services --------------------------------------------------------------------------------------------------- */

static void check_dependants(struct maker *m, const char *service, const char *want)
{
    uint32_t target = world_service_find(m->w, str_from(service));
    const struct impact hurt = world_impact(m->w, &target, 1, UINT32_MAX);
    struct buf b;
    buf_init(&b, 4096);
    for (uint32_t i = 1; i < hurt.count; i++) {
        buf_printf(&b, "%s%s", i == 1 ? "" : " ", graph_name(world_graph(m->w), hurt.nodes[i]).ptr);
    }
    if (!str_eq(buf_view(&b), str_from(want))) {
        print_error("of %s: got %.*s, want %s\n", service, STR_ARG(buf_view(&b)), want);
        fail();
    }
    buf_done(&b);
}

static void dependants_are_found(void **state)
{
    (void)state;
    struct maker m;
    maker_init(&m, 3);
    maker_add(&m, ENTRY_LEDGER_CREATED, "system", NULL, "{'origin':'o.example'}");
    /* a diamond, a circle, one that calls itself, one that calls what nobody declared, twice */
    maker_policy(&m, "{'services':[{'name':'base'},{'name':'left','depends_on':['base']},"
                     "{'name':'right','depends_on':['base','base']},{'name':'top','depends_on':['left','right']},"
                     "{'name':'a','depends_on':['b']},{'name':'b','depends_on':['c']},{'name':'c','depends_on':['a']},"
                     "{'name':'self','depends_on':['self']},{'name':'odd','depends_on':['nothing','later','later']}]}");
    check_dependants(&m, "base", "left right top");
    check_dependants(&m, "left", "top");
    check_dependants(&m, "top", "");
    check_dependants(&m, "a", "c b");
    check_dependants(&m, "b", "a c");
    check_dependants(&m, "self", "");
    check_dependants(&m, "odd", "");
    maker_add(&m, ENTRY_SERVICE_DECLARED, "tok_1", NULL, "{'definition':{'name':'later','depends_on':['base']}}");
    check_dependants(&m, "base", "left right later top odd");
    check_dependants(&m, "later", "odd");
    check_roundtrip(&m);
    maker_add(&m, ENTRY_SERVICE_DECLARED, "tok_1", NULL, "{'definition':{'name':'later'}}");
    check_dependants(&m, "base", "left right top");
    check_roundtrip(&m);
    /* A policy that forgets a service breaks the chain. */
    maker_policy(&m, "{'services':[{'name':'base'},{'name':'top','depends_on':['left']}]}");
    check_dependants(&m, "base", "");
    check_dependants(&m, "later", "");
    check_dependants(&m, "left", "top");
    check_roundtrip(&m);
    maker_done(&m);
}

/* What would be too much can be asked before anything is written down. */
static void the_graph_has_its_limit(void **state)
{
    (void)state;
    struct maker m;
    maker_init(&m, 3);
    maker_add(&m, ENTRY_LEDGER_CREATED, "system", NULL, "{'origin':'o.example'}");
    maker_policy(&m, "{'services':[{'name':'base'},{'name':'top','depends_on':['base']}]}");
    struct str *deps = calloc(GRAPH_EDGES_MAX, sizeof *deps);
    assert_non_null(deps);
    for (uint32_t i = 0; i < GRAPH_EDGES_MAX; i++) {
        deps[i] = STR("base");
    }
    struct err e;
    struct service_def one = {.name = STR("one"), .depends_on = {deps, GRAPH_EDGES_MAX}};
    assert_int_equal(world_check_service(m.w, &one, &e), RC_LIMIT);
    assert_string_equal(e.text, "the graph would have more than 2097152 edges in force");
    struct policy p = {.services = &one, .service_count = 1};
    assert_int_equal(world_check_policy(m.w, &p, &e), RC_LIMIT);
    one.depends_on.count = GRAPH_EDGES_MAX - 1;
    assert_int_equal(world_check_service(m.w, &one, &e), RC_OK);
    assert_int_equal(world_check_policy(m.w, &p, &e), RC_OK);
    for (uint32_t i = 0; i < GRAPH_EDGES_MAX; i++) {
        deps[i] = STR("new");
    }
    assert_int_equal(world_check_service(m.w, &one, &e), RC_LIMIT);
    assert_string_equal(e.text, "the graph would have more than 1048576 nodes");
    free(deps);
    maker_done(&m);
}

static void deploys_come_and_go(void **state)
{
    (void)state;
    struct maker m;
    scene(&m);
    const struct world_service *s = world_service_at(m.w, world_service_find(m.w, STR("shop")));
    maker_add(&m, ENTRY_DEPLOY_STARTED, "tok_1", NULL, "{'service':'shop','id':'d1'}");
    m.now_ms += 5;
    maker_add(&m, ENTRY_DEPLOY_STARTED, "tok_1", NULL, "{'service':'shop','id':'d2'}");
    assert_int_equal(s->deploy_count, 2);
    assert_int_equal(s->deploys[1].since_ms, m.now_ms);
    check_roundtrip(&m);
    maker_add(&m, ENTRY_DEPLOY_ENDED, "tok_1", NULL, "{'service':'shop','id':'d1'}");
    maker_add(&m, ENTRY_DEPLOY_ENDED, "tok_1", NULL, "{'service':'shop','id':'never'}");
    assert_int_equal(s->deploy_count, 1);
    assert_string_equal(s->deploys[0].id, "d2");
    for (unsigned i = 0; i < DEPLOYS_MAX; i++) {
        maker_add(&m, ENTRY_DEPLOY_STARTED, "tok_1", NULL, arena_printf(m.a, "{'service':'shop','id':'x%u'}", i).ptr);
    }
    assert_int_equal(s->deploy_count, DEPLOYS_MAX);
    assert_string_equal(s->deploys[0].id, "x0"); /* the oldest was dropped */
    check_roundtrip(&m);
    maker_done(&m);
}

static void buckets_are_counted(void **state)
{
    (void)state;
    struct maker m;
    scene(&m);
    const struct world_service *s = world_service_at(m.w, world_service_find(m.w, STR("shop")));
    maker_add(&m, ENTRY_SLI_BUCKET, "system", NULL, "{'service':'shop','at':'2027-01-15T08:00:00Z','good':9,'total':10}");
    maker_add(&m, ENTRY_SLI_BUCKET, "system", NULL, "{'service':'shop','at':'2027-01-15T07:00:00Z','good':1,'total':1}");
    int64_t at;
    assert_true(instant_parse(STR("2027-01-15T08:00:00Z"), &at));
    assert_int_equal(s->sli_at_ms, at);
    struct window_bucket sum = window_sum(s->sli, m.now_ms, DAY_MS);
    assert_int_equal(sum.good, 10);
    assert_int_equal(sum.total, 11);
    check_roundtrip(&m);
    /* An hour in which nothing happened is an hour. */
    m.now_ms += 2 * HOUR_MS;
    maker_add(&m, ENTRY_SLI_BUCKET, "system", NULL, "{'service':'shop','at':'2027-01-15T10:00:00Z','good':0,'total':0}");
    check_roundtrip(&m);
    /* What is older than the ring is not counted and moves nothing. */
    maker_add(&m, ENTRY_SLI_BUCKET, "system", NULL, "{'service':'shop','at':'2026-10-01T10:00:00Z','good':5,'total':5}");
    sum = window_sum(s->sli, m.now_ms, 90LL * DAY_MS);
    assert_int_equal(sum.total, 11);
    check_roundtrip(&m);
    maker_done(&m);
}

/* --- catalogue ---------------------------------------------------------------------------------------------------- */

static void what_is_registered_stays(void **state)
{
    (void)state;
    struct maker m;
    scene(&m);
    uint64_t seq = maker_add(&m, ENTRY_AGENT_REGISTERED, "tok_1", NULL, "{'definition':{'name':'dog','owner':'eve','checks':{'aqdd':{'max_depth':9}}}}");
    maker_add(&m, ENTRY_TOOL_DECLARED, "tok_1", NULL,
              "{'definition':{'name':'u','class':'write','parameters':{'type':'object'},'match':{'argv':['u','{x}']}}}");
    const struct world_agent *dog = world_agent_at(m.w, world_agent_find(m.w, STR("dog")));
    assert_str(dog->def->owner, "eve");
    assert_int_equal(dog->version, seq);
    check_roundtrip(&m);
    maker_policy(&m, "{}");
    assert_non_null(dog->def);
    assert_null(world_agent_at(m.w, world_agent_find(m.w, STR("bot")))->def);
    assert_null(world_tool_at(m.w, world_tool_find(m.w, STR("t")))->def);
    assert_non_null(world_tool_at(m.w, world_tool_find(m.w, STR("u")))->def);
    check_roundtrip(&m);
    /* Declared wins over registered, and takes it away when it goes. */
    uint64_t policy = maker_policy(&m, "{'agents':[{'name':'dog','owner':'ann'}]}");
    assert_str(dog->def->owner, "ann");
    assert_int_equal(dog->version, policy);
    check_roundtrip(&m);
    maker_policy(&m, "{}");
    assert_null(dog->def);
    maker_add(&m, ENTRY_AGENT_REGISTERED, "tok_1", NULL, "{'definition':{'name':'dog','owner':'eva'}}");
    assert_str(dog->def->owner, "eva");
    check_roundtrip(&m);
    maker_done(&m);
}

/* --- stops ----------------------------------------------------------------------------------------------------------- */

static void stops_are_set_and_lifted(void **state)
{
    (void)state;
    struct maker m;
    scene(&m);
    uint64_t a = maker_add(&m, ENTRY_STOP_SET, "tok_8", NULL,
                           "{'scope':'agent','name':'bot','level':'pause','person':'ann','reason':'odd'}");
    uint64_t b = maker_add(&m, ENTRY_STOP_SET, "system", NULL, "{'scope':'all','level':'stop'}");
    assert_int_equal(world_stop_count(m.w), 2);
    const struct world_stop *s = world_stop_at(m.w, 0);
    assert_int_equal(s->id, a);
    assert_int_equal(s->scope, STOP_AGENT);
    assert_int_equal(s->level, STOP_PAUSE);
    assert_int_equal(s->by, 8);
    assert_string_equal(s->by_person, "ann");
    assert_string_equal(s->reason, "odd");
    assert_int_equal(world_stop_at(m.w, 1)->by, 0);
    check_roundtrip(&m);
    maker_add(&m, ENTRY_STOP_LIFTED, "tok_8", maker_id(&m, "stp", a), "{}");
    assert_int_equal(world_stop_count(m.w), 1);
    assert_int_equal(world_stop_at(m.w, 0)->id, b);
    assert_int_equal(maker_apply(&m, ENTRY_STOP_LIFTED, "tok_8", maker_id(&m, "stp", a), "{}"), RC_CORRUPT);
    maker_done(&m);
    for (unsigned i = 0; i <= STOP_TOOL; i++) {
        enum stop_scope back;
        assert_true(stop_scope_parse(str_from(stop_scope_name((enum stop_scope)i)), &back));
        assert_int_equal(back, i);
    }
}

/* The world that is loaded finds the same ones running. */
static void a_stop_covers_who_acts_for_it(void **state)
{
    (void)state;
    struct maker m;
    scene(&m);
    uint64_t id = maker_add(&m, ENTRY_ACTION_DECIDED, "tok_2", NULL,
                            "{'request':{'act':['gone','cat'],'agent':'bot','digest':'" DIGEST "'},'tool':'t','verdict':'allow',"
                            "'findings':[],'services':['shop']}");
    commit(&m, id);
    check_roundtrip(&m);
    CLEANUP(arena) struct arena *a = arena_new(256 << 20);
    CLEANUP(world) struct world *w = restored(save(m.w, a), 5);
    struct world *const all[] = {m.w, w};
    for (size_t i = 0; i < 2; i++) {
        const struct stop_subject subject = action_subject(world_action(all[i], id));
        struct world_stop s = {.scope = STOP_AGENT, .name = "cat"};
        assert_true(world_stop_covers(all[i], &s, &subject));
        s = (struct world_stop){.scope = STOP_LABEL, .name = "owner=ben"};
        assert_true(world_stop_covers(all[i], &s, &subject));
        s = (struct world_stop){.scope = STOP_AGENT, .name = "dog"};
        assert_false(world_stop_covers(all[i], &s, &subject));
    }
    maker_add(&m, ENTRY_STOP_SET, "system", NULL, "{'scope':'agent','name':'cat','level':'stop'}");
    assert_int_equal(world_stop_at(m.w, 0)->running, 1);
    maker_done(&m);
}

static void stops_have_their_limit(void **state)
{
    (void)state;
    struct maker m;
    scene(&m);
    for (unsigned i = 0; i < STOPS_MAX; i++) {
        maker_add(&m, ENTRY_STOP_SET, "system", NULL, "{'scope':'all','level':'stop'}");
    }
    assert_int_equal(maker_apply(&m, ENTRY_STOP_SET, "system", NULL, "{'scope':'all','level':'stop'}"), RC_LIMIT);
    assert_non_null(strstr(m.e.text, "more than 1000 stops in force"));
    maker_done(&m);
}

/* Texts longer than their room are cut between characters: the world stays text. */
static void long_texts_are_cut_between_characters(void **state)
{
    (void)state;
    for (unsigned shift = 0; shift < 4; shift++) {
        struct maker m;
        scene(&m);
        struct buf b;
        buf_init(&b, 1 << 16);
        buf_str(&b, str_slice(STR("xxx"), 0, shift));
        for (unsigned i = 0; i < 300; i++) {
            buf_str(&b, STR("\xf0\x9f\x9b\x91")); /* a stop sign */
        }
        buf_char(&b, '\0');
        maker_add(&m, ENTRY_STOP_SET, "tok_8", NULL,
                  arena_printf(m.a, "{'scope':'all','level':'stop','person':'%s','reason':'%s'}", b.data, b.data).ptr);
        maker_add(&m, ENTRY_DEPLOY_STARTED, "tok_8", NULL, arena_printf(m.a, "{'service':'shop','id':'%s'}", b.data).ptr);
        const struct world_stop *s = world_stop_at(m.w, 0);
        assert_true(utf8_valid(str_from(s->reason)) && utf8_valid(str_from(s->by_person)));
        assert_true(strlen(s->reason) > sizeof s->reason - 5);
        check_roundtrip(&m);
        maker_add(&m, ENTRY_DEPLOY_ENDED, "tok_8", NULL, arena_printf(m.a, "{'service':'shop','id':'%s'}", b.data).ptr);
        assert_int_equal(world_service_at(m.w, world_service_find(m.w, STR("shop")))->deploy_count, 0);
        buf_done(&b);
        maker_done(&m);
    }
}

/* --- folding and snapshots -------------------------------------------------------------------------------------------- */

/* One of everything; %s is the ref. */
static void step(struct maker *m, unsigned i)
{
    m->now_ms += 7919 * (int64_t)(i % 13) + (i % 97 == 0 ? HOUR_MS : 0);
    uint64_t seq = world_next_seq(m->w);
    const struct action *open = NULL;
    for (const struct action *a = world_action_next(m->w, NULL); a != NULL; a = world_action_next(m->w, a)) {
        open = !action_state_is_closed(a->state) && a->agent != MAP_NONE && (open == NULL || i % 3 != 0) ? a : open;
    }
    const char *ref = open == NULL ? NULL : maker_id(m, "act", open->id);
    switch (i % 17) {
    case 0: maker_policy(m, i % 2 == 0 ? POLICY : "{'agents':[{'name':'bot','owner':'eve'}],'services':[{'name':'shop'}]}"); return;
    case 1: maker_action(m, "bot", "escalate", "'own':true,'blocking':'request',"); return;
    case 2: maker_action(m, "cat", "allow", ""); return;
    case 3: maker_action(m, "nobody", "deny", ""); return;
    case 4: maker_action(m, "bot", "hold", "'services':['shop'],"); return;
    case 5: maker_add(m, ENTRY_AGENT_REGISTERED, "tok_1", NULL, arena_printf(m->a, "{'definition':{'name':'r%u','owner':'o'}}", i % 5).ptr); return;
    case 6: maker_add(m, ENTRY_SERVICE_DECLARED, "tok_1", NULL, arena_printf(m->a, "{'definition':{'name':'v%u','depends_on':['shop','v%u']}}", i % 5, (i + 1) % 5).ptr); return;
    case 7: maker_add(m, ENTRY_STOP_SET, "tok_1", NULL, "{'scope':'agent','name':'bot','level':'pause'}"); return;
    case 8: maker_add(m, ENTRY_STOP_LIFTED, "tok_1", maker_id(m, "stp", world_stop_at(m->w, 0)->id), "{}"); return;
    case 9: maker_add(m, ENTRY_DEPLOY_STARTED, "tok_1", NULL, arena_printf(m->a, "{'service':'shop','id':'d%u'}", i).ptr); return;
    case 10: maker_add(m, ENTRY_SLI_BUCKET, "system", NULL, arena_printf(m->a, "{'service':'shop','at':'%s','good':%u,'total':%u}", maker_in(m, 0), i, i + i % 3).ptr); return;
    case 11: maker_add(m, ENTRY_TOKEN_CREATED, "system", NULL, arena_printf(m->a, "{'roles':['viewer','admin'],'person':'p%u','digest':'sha256:%064x'}", i, i + 1).ptr); return;
    case 12: maker_add(m, ENTRY_CLOCK_ACCEPTED, "system", NULL, arena_printf(m->a, "{'idem':{'key':'%064x','body':'" BODY_1 "'}}", i).ptr); return;
    case 13: maker_add(m, ENTRY_APPROVAL_GRANTED, "tok_8", ref, arena_printf(m->a, "{'quorum':true,'expires_at':'%s'}", maker_in(m, HOUR_MS)).ptr); return;
    case 14: maker_add(m, ENTRY_ACTION_COMMITTED, "tok_2", ref, arena_printf(m->a, "{'nonce':'sha256:%064llx','start_by':'%s'}", (unsigned long long)seq, maker_in(m, 30000)).ptr); return;
    case 15: maker_add(m, i % 2 == 0 ? ENTRY_ACTION_LOST : ENTRY_ACTION_FINISHED, "tok_2", ref, "{'result':'succeeded'}"); return;
    default: maker_add(m, ENTRY_ACTION_REDECIDED, "tok_2", ref, arena_printf(m->a, "{'verdict':'escalate','findings':[['request','escalate','asked_for_person']],'expires_at':'%s'}", maker_in(m, HOUR_MS)).ptr);
    }
}

enum { STEPS = 400 };

static void a_fold_does_not_depend_on_the_seed(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(512 << 20);
    struct saved *first = NULL;
    static const uint64_t seeds[] = {0, 1, 0x9e3779b97f4a7c15ULL};
    for (size_t k = 0; k < sizeof seeds / sizeof *seeds; k++) {
        struct maker m;
        scene(&m);
        world_free(m.w);
        m.w = world_new(seeds[k]);
        maker_add(&m, ENTRY_LEDGER_CREATED, "system", NULL, "{'origin':'example.org/pawl'}");
        for (unsigned i = 0; i < STEPS; i++) {
            step(&m, i);
        }
        struct saved *s = save(m.w, a);
        if (first == NULL) {
            first = s;
        } else {
            check_saved(s, first);
        }
        maker_done(&m);
    }
}

/* A snapshot at any point and the entries behind it make the same world as all entries. */
static void a_snapshot_and_the_rest_are_the_whole(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(512 << 20);
    struct maker m;
    scene(&m);
    for (unsigned i = 0; i < STEPS; i++) {
        step(&m, i);
    }
    struct saved *whole = save(m.w, a);
    maker_done(&m);
    for (unsigned at = 0; at < STEPS; at += 23) {
        scene(&m);
        for (unsigned i = 0; i < at; i++) {
            step(&m, i);
        }
        CLEANUP(arena) struct arena *b = arena_new(512 << 20);
        struct world *w = restored(save(m.w, b), 99);
        world_free(m.w);
        m.w = w;
        for (unsigned i = at; i < STEPS; i++) {
            step(&m, i);
        }
        check_saved(save(m.w, b), whole);
        maker_done(&m);
    }
}

static void malformed_snapshots_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *record;
        const char *text;
    } rows[] = {
        {"{", NULL},
        {"{}", "the snapshot's record kind is malformed"},
        {"{'r':'moon'}", "the snapshot's record kind is malformed"},
        {"{'r':'world','format':1}", "the snapshot has format 1: this program reads 2"},
        {"{'r':'policy','text':'{'}", NULL},
        {"{'r':'agent','name':'Not A Name'}", "the snapshot's agent is malformed"},
        {"{'r':'agent','name':'a','definition':{}}", NULL},
        {"{'r':'service','name':''}", "the snapshot's service is malformed"},
        {"{'r':'service','name':'s','sli':[1,1,5,2]}", "the snapshot's window is malformed"},
        {"{'r':'token','agent':7}", "the snapshot's token is malformed"},
        {"{'r':'token','agent':-1,'digest':'00'}", "the snapshot's token is malformed"},
        {"{'r':'stop','scope':9}", "the snapshot's stop is malformed"},
        {"{'r':'action','n':[1,2]}", "the snapshot's action is malformed"},
        {"{'r':'action','n':[1,7,-1,3,0,-1,1,0,1,1,0,5,0,0],'digest':'" KEY_1 "'}", "the snapshot's action is malformed"},
        {"{'r':'action','n':[1,-1,-1,4,0,-1,1,0,1,1,0,5,0,0],'digest':'" KEY_1 "'}", "the snapshot's action is malformed"},
        {"{'r':'action','n':[1,-1,-1,99,0,-1,1,0,1,1,0,5,0,0],'digest':'" KEY_1 "'}", "the snapshot's action is malformed"},
        {"{'r':'action','n':[1,-1,-1,3,0,-1,1,0,1,1,0,5,0,0],'digest':'00'}", "the snapshot's action is malformed"},
        {"{'r':'action','n':[1,-1,-1,3,0,-1,1,0,1,1,0,5,0,0],'digest':'" KEY_1 "','services':[3]}", "the snapshot's action is malformed"},
        {"{'r':'action','n':[1,-1,-1,3,0,-1,1,0,1,1,0,5,0,0],'digest':'" KEY_1 "','shown':[99,1,0]}", "the snapshot's action is malformed"},
        {"{'r':'action','n':[1,-1,-1,3,0,284,1,0,1,1,0,5,0,0,0,0,0,0,0],'digest':'" KEY_1 "'}", "the snapshot's action is malformed"},
        {"{'r':'action','n':[1,-1,-1,259,0,-1,1,0,1,1,0,5,0,0,0,0,0,0,0],'digest':'" KEY_1 "'}", "the snapshot's action is malformed"},
        {"{'r':'key','key':'00'}", "the snapshot's idempotency key is malformed"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct maker m;
        maker_init(&m, 1);
        struct str text = arena_str(m.a, str_from(rows[i].record));
        for (size_t k = 0; k < text.len; k++) {
            char *c = (char *)(uintptr_t)text.ptr + k;
            *c = *c == '\'' ? '"' : *c;
        }
        enum rc rc = world_load_record(m.w, text, &m.e);
        if (rc != RC_CORRUPT || (rows[i].text != NULL && strcmp(m.e.text, rows[i].text) != 0)) {
            print_error("row %zu: %s: %s\n", i, rc_name(rc), m.e.text);
            fail();
        }
        maker_done(&m);
    }
    /* A policy's rows must all be there. */
    struct maker m;
    maker_init(&m, 1);
    assert_int_equal(world_load_record(m.w, STR("{\"r\":\"policy\",\"seq\":1,\"hash\":\"h\",\"text\":\"{\\\"tools\\\":[{\\\"name\\\":\\\"t\\\",\\\"class\\\":\\\"read\\\"}]}\"}"), &m.e), RC_OK);
    assert_int_equal(world_load_end(m.w, &m.e), RC_CORRUPT);
    assert_string_equal(m.e.text, "the snapshot lacks a tool of its policy");
    maker_done(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_entries_make_a_world),
        cmocka_unit_test(entries_follow_each_other),
        cmocka_unit_test(malformed_bodies_are_corrupt),
        cmocka_unit_test(malformed_policies_are_corrupt),
        cmocka_unit_test(an_action_lives_its_life),
        cmocka_unit_test(decisions_lead_to_states),
        cmocka_unit_test(actions_end_in_their_ways),
        cmocka_unit_test(a_late_outcome_is_kept),
        cmocka_unit_test(an_unknown_action_stays_until_it_is_resolved),
        cmocka_unit_test(what_was_erased_is_noted),
        cmocka_unit_test(a_restore_with_a_loss_voids_what_loosens),
        cmocka_unit_test(a_decision_is_made_again),
        cmocka_unit_test(deadlines_come_in_order),
        cmocka_unit_test(many_actions_come_and_go),
        cmocka_unit_test(an_action_keeps_all_its_names),
        cmocka_unit_test(the_escalation_rate_counts_its_own),
        cmocka_unit_test(the_queue_is_sampled_on_a_grid),
        cmocka_unit_test(a_spike_does_not_damp_itself),
        cmocka_unit_test(a_breach_takes_half_an_hour),
        cmocka_unit_test(missed_samples_are_made_up),
        cmocka_unit_test(keys_are_kept_for_a_day),
        cmocka_unit_test(dependants_are_found),
        cmocka_unit_test(the_graph_has_its_limit),
        cmocka_unit_test(deploys_come_and_go),
        cmocka_unit_test(buckets_are_counted),
        cmocka_unit_test(what_is_registered_stays),
        cmocka_unit_test(stops_are_set_and_lifted),
        cmocka_unit_test(stops_have_their_limit),
        cmocka_unit_test(a_stop_covers_who_acts_for_it),
        cmocka_unit_test(long_texts_are_cut_between_characters),
        cmocka_unit_test(a_fold_does_not_depend_on_the_seed),
        cmocka_unit_test(a_snapshot_and_the_rest_are_the_whole),
        cmocka_unit_test(malformed_snapshots_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
