/*
 * One stored entry of every kind and version, and the world it makes: what was once written is read the
 * same way for ever.
 *
 * test_golden --write FOLDER writes the files that are not there yet (a new kind or version); it never
 * changes one. tests/cases/ledger/base.json is the small world that each entry is applied to.
 */
#include "check.h"
#include "maker.h"

#include "base/encode.h"
#include "base/must.h"
#include "crypto/crypto.h"
#include "ledger/ledger.h"

#include <dirent.h>
#include <unistd.h>

#define SHA(c) "sha256:" c c c c c c c c c c c c c c c c
#define NONCE SHA("c0de")

/* ref and body of one entry; a policy's body is made from its text. */
struct sample {
    enum entry_kind kind;
    const char *actor;
    const char *ref;
    const char *body;
};

#define FINDINGS                                                                                                 \
    "'findings':['identity','stop','catalogue','request','freeze',['error_budget','escalate','budget_low',"       \
    "120000,200000,'shop'],['aqdd','allow','none',1,3],['her_trend','allow','insufficient_sample',0,150000]]"

#define FACTS                                                                                                     \
    "'facts':{'agent':'active','aqdd':[1,-1,-1],'budgets':[['shop','known',120000,2000,'prometheus']],"           \
    "'budgets_seen':1,'her':[0,3]},'policy':1"

#define FINDINGS_PLAIN "'findings':['identity','stop','catalogue','request','freeze','error_budget','aqdd','her_trend']"
#define WATCHED                                                                                                   \
    "{'facts':{'budgets':[['shop','known',990000,10,'events']]},'nonce':'" NONCE "',"                             \
    "'observe':{'for_ms':60000,'invariants_after_ms':[5000,60000],'max_drop_ppm':10000},"                           \
    "'start_by':'2027-01-15T08:00:30.000Z','verdict':'allow'}"

static const char policy_text[] =
    "{'agents':[{'name':'bot','owner':'ann','checks':{'error_budget':{'min_pct':30}}}],"
    "'services':[{'name':'shop','slo':{'objective':99.9,'events':true}},{'name':'web','depends_on':['shop']}],"
    "'tools':[{'name':'scale','class':'write','services':['shop'],'parameters':{'type':'object'}}],"
    "'freezes':[{'name':'xmas','from':'2027-12-24T00:00:00Z','until':'2027-12-27T00:00:00Z'}]}";

static const struct sample base[] = {
    {ENTRY_LEDGER_CREATED, "system", NULL, "{'format':1,'origin':'example.org/pawl','vkey':'example.org/pawl+00000000+AA=='}"},
    {ENTRY_POLICY_LOADED, "system", NULL, policy_text},
    {ENTRY_TOKEN_CREATED, "system", NULL, "{'agent':'bot','digest':'" SHA("0001") "','person':'bot','roles':['agent']}"},
    {ENTRY_TOKEN_CREATED, "system", NULL, "{'digest':'" SHA("0002") "','person':'ben','roles':['approver','responder']}"},
    {ENTRY_ACTION_DECIDED, "tok_2", NULL,
     "{'agent_version':1,'blocking':'error_budget','expires_at':'2027-01-15T09:00:00.000Z'," FACTS "," FINDINGS ","
     "'request':{'agent':'bot','digest':'" SHA("0004") "','intent':'scale','parameters':{'n':3}},'services':['shop'],"
     "'target':'','tool':'scale','tool_version':1,'verdict':'escalate'}"},
    {ENTRY_ACTION_DECIDED, "tok_2", NULL,
     "{'expires_at':'2027-01-15T09:00:00.000Z','findings':['identity','stop','catalogue','request','freeze','error_budget','aqdd','her_trend'],"
     "'request':{'agent':'bot','digest':'" SHA("0005") "'},'tool':'scale','verdict':'allow'}"},
    {ENTRY_ACTION_DECIDED, "tok_2", NULL,
     "{'expires_at':'2027-01-15T09:00:00.000Z','findings':['identity','stop','catalogue','request','freeze','error_budget','aqdd','her_trend'],"
     "'request':{'agent':'bot','digest':'" SHA("0006") "'},'tool':'scale','verdict':'allow'}"},
    {ENTRY_ACTION_COMMITTED, "tok_2", "act_6", "{'nonce':'" NONCE "','start_by':'2027-01-15T08:00:30.000Z','verdict':'allow'}"},
    {ENTRY_STOP_SET, "tok_3", NULL, "{'level':'pause','name':'bot','person':'ben','reason':'odd','scope':'agent'}"},
    {ENTRY_DEPLOY_STARTED, "tok_3", NULL, "{'id':'d1','service':'shop'}"},
    {ENTRY_GRANT_ISSUED, "tok_3", NULL,
     "{'agent':'b*','expires_at':'2027-01-16T09:00:00.000Z','person':'ben','reason':'all day','target':'*','tool':'*'}"},
    {ENTRY_TOKEN_CREATED, "system", NULL, "{'digest':'" SHA("0009") "','groups':'sre,security','person':'gus','roles':['approver']}"},
    /* 12: watched after its success. */
    {ENTRY_ACTION_DECIDED, "tok_2", NULL,
     "{'expires_at':'2027-01-15T09:00:00.000Z'," FINDINGS_PLAIN ",'request':{'agent':'bot','digest':'" SHA("0012") "'},"
     "'services':['shop'],'tool':'scale','verdict':'allow'}"},
    {ENTRY_ACTION_COMMITTED, "tok_2", "act_12", WATCHED},
    {ENTRY_ACTION_FINISHED, "tok_2", "act_12", "{'late':false,'level':'reported','result':'succeeded'}"},
    {ENTRY_DEPLOY_ENDED, "tok_3", NULL, "{'id':'d1','result':'succeeded','service':'shop'}"},
    {ENTRY_DEPLOY_STARTED, "tok_3", NULL, "{'id':'d1','service':'shop'}"},
    /* 17: its outcome was bad, and it waits for its revert. */
    {ENTRY_ACTION_DECIDED, "tok_2", NULL,
     "{'expires_at':'2027-01-15T09:00:00.000Z'," FINDINGS_PLAIN ",'request':{'agent':'bot','digest':'" SHA("0017") "'},"
     "'revert':['/bin/true','x'],'services':['shop'],'tool':'scale','verdict':'allow'}"},
    {ENTRY_ACTION_COMMITTED, "tok_2", "act_17", WATCHED},
    {ENTRY_ACTION_FINISHED, "tok_2", "act_17", "{'late':false,'level':'reported','result':'succeeded'}"},
    {ENTRY_ACTION_VIOLATED, "system", "act_17", "{'after_ppm':800000,'before_ppm':990000,'service':'shop'}"},
};

/* One row per kind and version, in the order of the kinds. */
static const struct sample samples[] = {
    {ENTRY_LEDGER_SNAPSHOT, "system", NULL, "{'at_seq':3,'size':100,'world_digest':'" SHA("abcd") "'}"},
    {ENTRY_POLICY_LOADED, "system", NULL, "{'mode':'advisory','agents':[{'name':'cat','owner':'eve'}],'services':[{'name':'shop'}]}"},
    {ENTRY_TOKEN_CREATED, "tok_3", NULL,
     "{'digest':'" SHA("0003") "','expires_at':'2028-01-01T00:00:00.000Z','person':'ci','roles':['source','viewer'],'services':'shop,web*'}"},
    {ENTRY_TOKEN_REVOKED, "tok_3", "tok_2", "{'reason':'lost'}"},
    {ENTRY_AGENT_REGISTERED, "tok_3", NULL, "{'definition':{'name':'dog','owner':'eve','roles':['fixer'],'checks':{'aqdd':{'max_depth':1}}}}"},
    {ENTRY_SERVICE_DECLARED, "tok_3", NULL, "{'definition':{'name':'db','depends_on':['web'],'slo':{'objective':99,'prometheus':{'ratio':'r'}}}}"},
    {ENTRY_TOOL_DECLARED, "tok_3", NULL, "{'definition':{'name':'drain','class':'destructive','match':{'argv':['drain','{n}']},'parameters':{'type':'object'}}}"},
    {ENTRY_ACTION_DECIDED, "tok_2", NULL,
     "{'agent_version':1,'blocking':'request','expires_at':'2027-01-15T09:00:00.000Z'," FACTS ","
     "'findings':['identity','stop','catalogue',['request','escalate','asked_for_person',0,0,'not sure'],'freeze',"
     "['error_budget','hold','budget_stale',0,200000,'shop',3,1800000015000],'aqdd','her_trend'],"
     "'idem':{'body':'000102030405060708090a0b0c0d0e0f','key':'" "0000111122223333444455556666777788889999aaaabbbbccccddddeeeeffff" "'},"
     "'own':true,'request':{'agent':'bot','digest':'" SHA("0007") "','wants_person':'not sure'},'services':['shop'],"
     "'target':'','tool':'scale','tool_version':1,'verdict':'escalate'}"},
    {ENTRY_ACTION_REDECIDED, "tok_2", "act_5",
     "{'blocking':'error_budget','expires_at':'2027-01-15T09:00:00.000Z'," FACTS "," FINDINGS ",'for':'commit','verdict':'escalate'}"},
    {ENTRY_ACTION_COMMITTED, "tok_2", "act_5", "{'nonce':'" SHA("beef") "','start_by':'2027-01-15T08:00:30.000Z','verdict':'allow'}"},
    {ENTRY_ACTION_HEARTBEAT, "tok_2", "act_6", "{'due_at':'2027-01-15T08:02:00.000Z'}"},
    {ENTRY_ACTION_FINISHED, "tok_2", "act_6", "{'late':false,'level':'reported','result':'failed'}"},
    {ENTRY_ACTION_LOST, "system", "act_6", "{'from':'executing'}"},
    {ENTRY_ACTION_CANCELLED, "tok_3", "act_4", "{'reason':'no longer needed'}"},
    {ENTRY_ACTION_EXPIRED, "system", "act_5", "{'from':'allowed'}"},
    {ENTRY_ACTION_ABANDONED, "system", "act_5", "{}"},
    {ENTRY_APPROVAL_GRANTED, "tok_3", "act_4",
     "{'decision':'dec_4','digest':'" SHA("0004") "','expires_at':'2027-01-15T09:00:00.000Z','person':'ben','quorum':true}"},
    {ENTRY_APPROVAL_REJECTED, "tok_3", "act_4", "{'person':'ben','reason':'too risky'}"},
    {ENTRY_STOP_SET, "system", NULL, "{'level':'stop','name':'','person':'system','reason':'stop file','scope':'all'}"},
    {ENTRY_STOP_LIFTED, "tok_3", "stp_8", "{'person':'ben','reason':'fine again'}"},
    {ENTRY_DEPLOY_STARTED, "tok_3", NULL, "{'id':'d2','service':'web'}"},
    {ENTRY_DEPLOY_ENDED, "tok_3", NULL, "{'id':'d1','result':'succeeded','service':'shop'}"},
    {ENTRY_SLI_BUCKET, "system", NULL, "{'at':'2027-01-15T08:00:00.000Z','good':99,'service':'shop','total':100}"},
    {ENTRY_CLOCK_JUMPED, "system", NULL, "{'steady':'2027-01-15T08:00:00.000Z','wall':'2027-01-15T09:00:00.000Z'}"},
    {ENTRY_CLOCK_ACCEPTED, "tok_3", NULL, "{'person':'ben','wall':'2027-01-15T09:00:00.000Z'}"},
    {ENTRY_LOAD_REFUSED, "system", NULL, "{'malformed':1,'rate_limited':2,'unauthenticated':3}"},
    {ENTRY_BREAKER_SET, "tok_3", NULL, "{'agent':'bot','person':'ben','reason':'odd','state':'open'}"},
    {ENTRY_TIER_CHANGED, "tok_3", NULL, "{'agent':'bot','person':'ben','reason':'earned','service':'shop*','tier':'autonomous'}"},
    {ENTRY_GRANT_ISSUED, "tok_3", NULL,
     "{'agent':'bot','expires_at':'2027-01-15T09:00:00.000Z','person':'ben','reason':'tonight','target':'*','tool':'sc*',"
     "'where':{'type':'object'}}"},
    {ENTRY_GRANT_REVOKED, "tok_3", "grt_10", "{'person':'ben','reason':'done'}"},
    {ENTRY_ACTION_VERIFIED, "system", "act_12", "{'level':'verified'}"},
    {ENTRY_ACTION_VIOLATED, "system", "act_12", "{'after_ppm':800000,'before_ppm':990000,'service':'shop'}"},
    {ENTRY_REVERT_STARTED, "system", "act_17", "{'due_at':'2027-01-15T08:05:00.000Z','person':'system','reason':'its outcome was bad'}"},
    {ENTRY_REVERT_FINISHED, "system", "act_17", "{'detail':'exit status 0','result':'succeeded'}"},
    {ENTRY_STOP_CONFIRMED, "system", "stp_8", "{'after_ms':120,'confirmed':1,'unconfirmed':0}"},
    {ENTRY_INCIDENT_CLOSED, "tok_3", "inc_20", "{'person':'ben','reason':'seen to'}"},
    {ENTRY_ON_CALL_CHANGED, "tok_3", NULL, "{'incidents':1,'people':['dora','emil'],'service':'shop','until':'2027-01-15T20:00:00.000Z'}"},
    {ENTRY_SNAPSHOT_TAKEN, "tok_3", NULL, "{'at':'2027-01-15T07:00:00.000Z','id':'s1','service':'shop'}"},
    {ENTRY_ROLLBACK_TESTED, "tok_3", NULL, "{'at':'2027-01-15T07:00:00.000Z','id':'r1','result':'succeeded','service':'shop'}"},
    {ENTRY_OVERRIDE_GRANTED, "tok_3", "act_4", "{'check':'freeze','decision':'dec_4','digest':'sha256:00','expires_at':'2027-01-15T09:00:01.000Z','person':'ben','reason':'now'}"},
    {ENTRY_LEDGER_RESTORED, "system", NULL, "{'checkpoint':'example.org/pawl\\n40\\n','lost_after':20,'reason':'the disk failed'}"},
    {ENTRY_INCIDENT_OPENED, "tok_3", NULL,
     "{'at':'2027-01-15T07:59:00.000Z','person':'eve','reason':'slow','service':'shop','shape':'service -calls-> service | latency','symptom':'latency'}"},
    {ENTRY_MEMORY_READ, "tok_3", NULL, "{'person':'eve','seen':2,'shape':'service | any'}"},
    {ENTRY_GRAPH_WRITTEN, "tok_3", NULL,
     "{'source':'kubernetes','nodes':[{'node':'datastore:orders','attributes':{'image':'postgres:15'}},{'node':'queue:old','gone':true}],"
     "'edges':[{'from':'shop','to':'datastore:orders','kind':'calls','effect_pct':40.5},{'from':'web','to':'shop','kind':'calls','gone':true}],"
     "'changes':[{'node':'config:orders/pool','kind':'config','what':'50 -> 5','at':'2027-01-15T07:59:00.000Z'}]}"},
    {ENTRY_GRAPH_OBSERVED, "system", NULL,
     "{'source':'otlp','from':'2027-01-15T07:59:00.000Z','to':'2027-01-15T08:00:00.000Z','until':'2027-01-16T08:00:00.000Z',"
     "'effects':[['service:web','service:shop',9000],['service:shop','datastore:orders',0]],"
     "'traffic':{'calls':[['client','service:web','GET /',120,2,1200000,300000,0,240]]}}"},
    {ENTRY_BLOBS_ERASED, "system", NULL, "{'bytes':1048576,'count':3,'rule':'blobs older than 90d','through_seq':12}"},
};

/* --- one stored entry: its header, salt, body and, of a policy, its text ----------------------------------- */

static void make_entry(struct maker *m, const struct sample *s, struct value *ret)
{
    struct entry entry = maker_entry(m, s->kind, s->actor, s->ref);
    struct value body = maker_value(m, s->body);
    struct buf b;
    buf_init(&b, POLICY_TEXT_MAX);
    struct str policy = STR("");
    if (s->kind == ENTRY_POLICY_LOADED) {
        struct policy *p = NULL;
        must(policy_read(STR(""), &body, &p, NULL) == RC_OK);
        policy_write(&b, p);
        policy_free(p);
        policy = arena_str(m->a, buf_view(&b));
        struct digest digest = sha256(policy);
        body = value_object();
        value_add_str(m->a, &body, STR("author"), STR("ann"));
        value_add_hex(m->a, &body, STR("hash"), STR("sha256:"), digest.bytes, sizeof digest.bytes);
        buf_reset(&b);
    }
    json_write_canonical(&b, &body, m->a);
    uint8_t salt[ENTRY_SALT_LEN];
    memset(salt, (int)(entry.seq + 1), sizeof salt);
    struct digest digest = ledger_body_digest(salt, buf_view(&b));
    memcpy(entry.body_digest, digest.bytes, sizeof entry.body_digest);
    buf_reset(&b);
    entry_write(&b, &entry);
    *ret = value_object();
    value_add(m->a, ret, STR("body"), body);
    value_add_str(m->a, ret, STR("header"), arena_str(m->a, buf_view(&b)));
    if (policy.len > 0) {
        value_add_str(m->a, ret, STR("policy"), policy);
    }
    value_add_hex(m->a, ret, STR("salt"), STR(""), salt, sizeof salt);
    buf_done(&b);
}

/* Everything about the stored form holds, and it applies. */
static void apply_stored(struct maker *m, const struct value *stored, const char *name)
{
    struct str header = value_text(value_get(stored, STR("header")));
    struct entry entry;
    struct err e;
    if (entry_parse(header, &entry, &e) != RC_OK) {
        print_error("%s: %s\n", name, e.text);
        fail();
    }
    struct buf b;
    buf_init(&b, POLICY_TEXT_MAX);
    entry_write(&b, &entry);
    assert_true(str_eq(buf_view(&b), header));
    buf_reset(&b);
    const struct value *body = value_get(stored, STR("body"));
    json_write_canonical(&b, body, m->a);
    uint8_t salt[ENTRY_SALT_LEN];
    assert_true(hex_decode(value_text(value_get(stored, STR("salt"))), salt, sizeof salt));
    struct digest digest = ledger_body_digest(salt, buf_view(&b));
    assert_memory_equal(digest.bytes, entry.body_digest, sizeof digest.bytes);
    buf_done(&b);
    if (world_apply(m->w, &entry, body, value_text(value_get(stored, STR("policy"))), &e) != RC_OK) {
        print_error("%s: %s\n", name, e.text);
        fail();
    }
}

static enum rc hash_record(void *context, struct str record, struct err *e)
{
    (void)e;
    sha256_stream_put(context, record);
    sha256_stream_put(context, STR("\n"));
    return RC_OK;
}

static struct str world_digest(struct maker *m)
{
    CLEANUP(sha256_stream) struct sha256_stream *hash = sha256_stream_new();
    struct err e;
    assert_int_equal(world_save(m->w, hash_record, hash, &e), RC_OK);
    struct digest digest = sha256_stream_end(hash);
    struct value v = value_object();
    value_add_hex(m->a, &v, STR("d"), STR("sha256:"), digest.bytes, sizeof digest.bytes);
    return value_text(value_get(&v, STR("d")));
}

/* --- files ---------------------------------------------------------------------------------------------------- */

static void path_of(const char *folder, enum entry_kind kind, unsigned version, char out[static 512])
{
    struct str name = entry_kind_name(kind);
    snprintf(out, 512, "%s/%.*s.%u.json", folder, STR_ARG(name), version);
}

static struct value read_json(struct maker *m, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        print_error("%s is missing: run test_golden --write for a new kind or version\n", path);
        fail();
    }
    char *text = arena_alloc(m->a, 1 << 20);
    size_t len = fread(text, 1, 1 << 20, file);
    fclose(file);
    struct value v;
    struct err e;
    if (json_parse(m->a, (struct str){text, len}, &v, &e) != RC_OK) {
        print_error("%s: %s\n", path, e.text);
        fail();
    }
    return v;
}

static void write_json(const char *path, const struct value *v)
{
    if (access(path, F_OK) == 0) {
        return;
    }
    struct buf b;
    buf_init(&b, 1 << 20);
    json_write_pretty(&b, v);
    buf_char(&b, '\n');
    FILE *file = fopen(path, "wb");
    must(file != NULL && b.rc == RC_OK && fwrite(b.data, 1, b.len, file) == b.len);
    must(fclose(file) == 0);
    buf_done(&b);
    printf("wrote %s\n", path);
}

static void apply_base(struct maker *m, const char *folder)
{
    char path[512];
    snprintf(path, sizeof path, "%s/base.json", folder);
    struct value v = read_json(m, path);
    const struct value *entries = value_get(&v, STR("entries"));
    assert_true(value_is(entries, VALUE_ARRAY) && entries->count > 0);
    for (uint32_t i = 0; i < entries->count; i++) {
        apply_stored(m, &entries->items[i], path);
    }
    struct str want = value_text(value_get(&v, STR("world")));
    struct str got = world_digest(m);
    if (!str_eq(got, want)) {
        print_error("%s makes %.*s, and made %.*s\n", path, STR_ARG(got), STR_ARG(want));
        fail();
    }
}

static int write_files(const char *folder)
{
    char path[512];
    struct maker m;
    maker_init(&m, 1);
    struct value entries = value_array();
    for (size_t i = 0; i < sizeof base / sizeof *base; i++) {
        struct value stored;
        make_entry(&m, &base[i], &stored);
        value_push(m.a, &entries, stored);
        apply_stored(&m, &stored, "base");
    }
    struct value v = value_object();
    value_add(m.a, &v, STR("entries"), entries);
    value_add_str(m.a, &v, STR("world"), world_digest(&m));
    snprintf(path, sizeof path, "%s/base.json", folder);
    write_json(path, &v);
    maker_done(&m);
    for (size_t i = 0; i <= sizeof samples / sizeof *samples; i++) {
        bool first = i == sizeof samples / sizeof *samples; /* the first entry stands on no base */
        const struct sample *s = first ? &base[0] : &samples[i];
        maker_init(&m, 1);
        if (!first) {
            apply_base(&m, folder);
            m.now_ms += 1000;
        }
        struct value stored;
        make_entry(&m, s, &stored);
        apply_stored(&m, &stored, "new");
        value_add_str(m.a, &stored, STR("world"), world_digest(&m));
        path_of(folder, s->kind, entry_kind_version(s->kind), path);
        write_json(path, &stored);
        maker_done(&m);
    }
    return 0;
}

/* --- the tests ------------------------------------------------------------------------------------------------- */

static void every_stored_entry_makes_the_world_it_made(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < ENTRY_KIND_COUNT; kind++) {
        for (unsigned version = 1; version <= entry_kind_version((enum entry_kind)kind); version++) {
            char path[512];
            path_of(CASES_FOLDER, (enum entry_kind)kind, version, path);
            struct maker m;
            maker_init(&m, kind);
            if (kind != ENTRY_LEDGER_CREATED) {
                apply_base(&m, CASES_FOLDER);
            }
            struct value stored = read_json(&m, path);
            apply_stored(&m, &stored, path);
            struct str want = value_text(value_get(&stored, STR("world")));
            struct str got = world_digest(&m);
            if (!str_eq(got, want)) {
                print_error("%s makes %.*s, and made %.*s\n", path, STR_ARG(got), STR_ARG(want));
                fail();
            }
            maker_done(&m);
        }
    }
}

/* Every kind changes the world in its own way, but for those that only say something. */
static void worlds_differ(void **state)
{
    (void)state;
    struct maker m;
    maker_init(&m, 1);
    struct str seen[ENTRY_KIND_COUNT];
    for (unsigned kind = 0; kind < ENTRY_KIND_COUNT; kind++) {
        char path[512];
        path_of(CASES_FOLDER, (enum entry_kind)kind, 1, path);
        struct value stored = read_json(&m, path);
        seen[kind] = value_text(value_get(&stored, STR("world")));
        bool silent = kind == ENTRY_LEDGER_SNAPSHOT || kind == ENTRY_CLOCK_JUMPED ||
                      kind == ENTRY_CLOCK_ACCEPTED || kind == ENTRY_LOAD_REFUSED || kind == ENTRY_MEMORY_READ;
        for (unsigned k = 0; k < kind; k++) {
            bool both = silent && (k == ENTRY_LEDGER_SNAPSHOT || k == ENTRY_CLOCK_JUMPED || k == ENTRY_CLOCK_ACCEPTED ||
                                   k == ENTRY_LOAD_REFUSED);
            assert_int_equal(str_eq(seen[k], seen[kind]), both);
        }
    }
    maker_done(&m);
}

static void no_file_is_of_nothing(void **state)
{
    (void)state;
    DIR *folder = opendir(CASES_FOLDER);
    assert_non_null(folder);
    unsigned count = 0;
    for (struct dirent *d = readdir(folder); d != NULL; d = readdir(folder)) {
        count += str_ends(str_from(d->d_name), STR(".json")) ? 1 : 0;
    }
    closedir(folder);
    unsigned want = 1;
    for (unsigned kind = 0; kind < ENTRY_KIND_COUNT; kind++) {
        want += entry_kind_version((enum entry_kind)kind);
    }
    assert_int_equal(count, want);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--write") == 0) {
        return write_files(argv[2]);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_stored_entry_makes_the_world_it_made),
        cmocka_unit_test(worlds_differ),
        cmocka_unit_test(no_file_is_of_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
