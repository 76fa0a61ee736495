/* control: what is large lies beside its entry, comes back whole, and goes by retention. */
#include "control_bench.h"

#include "redact/redact.h"

/* --- shorthands ------------------------------------------------------------------------------------------------ */

/* A text of that length, the same for the same seed; lines, so that it is no single word. */
static struct str text_of(struct bench *b, size_t len, unsigned seed)
{
    char *bytes = arena_alloc(b->a, len + 1);
    assert_non_null(bytes);
    uint32_t x = seed * 2654435761U + 1;
    for (size_t i = 0; i < len; i++) {
        x = x * 1664525U + 1013904223U;
        bytes[i] = i % 61 == 60 ? '\n' : (char)('a' + (x >> 24) % 26);
    }
    return (struct str){bytes, len};
}

static const struct value *object_of(struct bench *b, const char *name, struct value v)
{
    struct value *object = arena_alloc(b->a, sizeof *object);
    *object = value_object();
    value_add(b->a, object, str_from(name), v);
    return object;
}

static const struct value *parse(struct bench *b, const char *text)
{
    struct str copy = arena_str(b->a, str_from(text));
    for (size_t i = 0; i < copy.len; i++) {
        ((char *)(uintptr_t)copy.ptr)[i] = copy.ptr[i] == '\'' ? '"' : copy.ptr[i];
    }
    struct value *v = arena_alloc(b->a, sizeof *v);
    assert_int_equal(json_parse(b->a, copy, v, &b->e), RC_OK);
    return v;
}

/* More than BLOB_PART_MAX of things that are small themselves. */
static struct value many_small(struct bench *b, unsigned count)
{
    struct value all = value_array();
    for (unsigned i = 0; i < count; i++) {
        struct value one = value_object();
        value_add_int(b->a, &one, STR("n"), i);
        value_add_str(b->a, &one, STR("text"), STR("twenty bytes of text"));
        value_push(b->a, &all, one);
    }
    return all;
}

static struct request request_of(struct bench *b, int64_t n, const char *person_wanted)
{
    return (struct request){.agent = STR("bot"),
                            .claimed_tool = STR("scale"),
                            .given = object_of(b, "n", value_int(n)),
                            .wants_person = str_from(person_wanted)};
}

static enum rc try(struct bench *b, struct request *q, struct decided *ret)
{
    return control_propose(b->c, b->a, &b->bot, q, NULL, ret, &b->e);
}

static struct decided propose_request(struct bench *b, struct request *q)
{
    struct decided d = {0};
    if (try(b, q, &d) != RC_OK) {
        print_error("%s: %s\n", b->e.where, b->e.text);
        fail();
    }
    return d;
}

static struct decided propose_diff(struct bench *b, int64_t n, struct str diff, const char *person_wanted)
{
    struct request q = request_of(b, n, person_wanted);
    q.diff = object_of(b, "text", value_string(diff));
    struct decided d = propose_request(b, &q);
    settle(b);
    return d;
}

static struct value body_of(struct bench *b, uint64_t seq)
{
    struct entry entry;
    struct value body;
    assert_int_equal(control_read_entry(b->c, b->a, seq, &entry, &body, &b->e), RC_OK);
    return body;
}

static struct decision_record record_of(struct bench *b, uint64_t seq)
{
    struct decision_record r;
    assert_int_equal(control_read_decision(b->c, b->a, seq, &r, &b->e), RC_OK);
    return r;
}

static struct decision_record whole_of(struct bench *b, uint64_t seq)
{
    struct decision_record r = record_of(b, seq);
    if (control_complete(b->c, b->a, false, &r, &b->e) != RC_OK) {
        print_error("%s\n", b->e.text);
        fail();
    }
    return r;
}

static void check_ref(const struct value *ref, struct str bytes, bool json)
{
    struct digest digest = sha256(bytes);
    char name[7 + 2 * SHA256_LEN];
    memcpy(name, "sha256:", 7);
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < SHA256_LEN; i++) {
        name[7 + 2 * i] = digits[digest.bytes[i] >> 4];
        name[8 + 2 * i] = digits[digest.bytes[i] & 15];
    }
    assert_true(value_is(ref, VALUE_OBJECT));
    assert_int_equal(ref->count, json ? 3 : 2);
    assert_true(str_eq(value_text(value_get(ref, STR("$blob"))), (struct str){name, sizeof name}));
    assert_int_equal(value_integer_or(value_get(ref, STR("size")), -1), bytes.len);
    assert_int_equal(value_bool_or(value_get(ref, STR("json")), false), json);
}

/* --- in and out -------------------------------------------------------------------------------------------------- */

static void what_is_large_lies_beside_its_entry(void **state)
{
    struct bench *b = *state;
    struct str fits = text_of(b, BLOB_TEXT_MAX, 1);
    struct str large = text_of(b, BLOB_TEXT_MAX + 1, 2);
    struct request q = request_of(b, 1, "not sure");
    struct value plan = value_object();
    value_add_str(b->a, &plan, STR("fits"), fits);
    struct value steps = value_array();
    value_push(b->a, &steps, value_int(7));
    value_push(b->a, &steps, value_string(large));
    value_add(b->a, &plan, STR("steps"), steps);
    struct value diff = many_small(b, 1000);
    struct value context = value_array();
    value_push(b->a, &context, *parse(b, "{'id':'x','trust':'trusted'}"));
    struct value given = value_object();
    value_add(b->a, &given, STR("list"), many_small(b, 500));
    value_add_str(b->a, &given, STR("text"), large); /* the same bytes: one blob for both */
    q.plan = &plan;
    q.diff = &diff;
    q.contexts = &context;
    q.given = &given;
    struct decided d = propose_request(b, &q);
    /* The caller's values are as they were. */
    assert_int_equal(steps.items[1].string.len, large.len);
    assert_int_equal(diff.count, 1000);
    /* What waits for the disk is read like the rest. */
    struct decision_record r = whole_of(b, d.seq);
    assert_true(value_eq(r.request.diff, &diff));
    settle(b);
    struct value body = body_of(b, d.seq);
    const struct value *request = value_get(&body, STR("request"));
    assert_true(str_eq(value_text(value_path(request, "plan", "fits", NULL)), fits));
    check_ref(value_item(value_path(request, "plan", "steps", NULL), 1), large, false);
    assert_int_equal(value_integer_or(value_item(value_path(request, "plan", "steps", NULL), 0), 0), 7);
    CLEANUP(buf) struct buf text;
    buf_init(&text, 1 << 20);
    json_write_canonical(&text, &diff, b->a);
    check_ref(value_get(request, STR("diff")), buf_view(&text), true);
    assert_true(value_bool_or(value_path(request, "parameters", "json", NULL), false));
    assert_true(str_eq(value_text(value_get(request, STR("agent"))), STR("bot")));
    for (int round = 0; round < 2; round++) {
        r = whole_of(b, d.seq);
        assert_true(value_eq(r.request.plan, &plan));
        assert_true(value_eq(r.request.diff, &diff));
        assert_true(value_eq(r.request.given, &given));
        assert_true(value_eq(r.request.contexts, &context));
        restart(b);
    }
    assert_int_equal(writer_counts(control_writer(b->c)).erased_blobs, 0);
}

/* A part is measured by its canonical text, to the byte. */
static void a_part_stays_up_to_its_limit(void **state)
{
    struct bench *b = *state;
    for (size_t over = 0; over < 2; over++) {
        struct value all = value_array();
        for (int i = 0; i < 5; i++) {
            value_push(b->a, &all, value_string(text_of(b, 2997, (unsigned)(40 + i))));
        }
        value_push(b->a, &all, value_string(STR("")));
        struct value *rest = &all.items[5];
        rest->string = (struct str){arena_alloc(b->a, BLOB_PART_MAX), 0};
        CLEANUP(buf) struct buf text;
        buf_init(&text, 1 << 20);
        json_write_canonical(&text, &all, b->a);
        rest->string.len = BLOB_PART_MAX - text.len + over;
        memset((char *)(uintptr_t)rest->string.ptr, 'r', rest->string.len);
        buf_reset(&text);
        json_write_canonical(&text, &all, b->a);
        assert_int_equal(text.len, BLOB_PART_MAX + over);
        struct request q = request_of(b, (int64_t)over, "");
        q.plan = &all;
        struct decided d = propose_request(b, &q);
        settle(b);
        struct value body = body_of(b, d.seq);
        const struct value *plan = value_path(&body, "request", "plan", NULL);
        assert_int_equal(plan->type, over == 0 ? VALUE_ARRAY : VALUE_OBJECT);
        struct decision_record r = whole_of(b, d.seq);
        assert_true(value_eq(r.request.plan, &all));
    }
}

static void a_large_diff_lives_through_its_action(void **state)
{
    struct bench *b = *state;
    struct str diff = text_of(b, 1 << 20, 3);
    struct decided d = propose_diff(b, 1, diff, "not sure");
    assert_int_equal(d.decision.verdict, VERDICT_ESCALATE);
    /* The same request is the same action still. */
    assert_int_equal(propose_diff(b, 1, diff, "not sure").action, d.action);
    restart(b);
    struct decision_record r;
    struct decision again;
    assert_int_equal(control_replay(b->c, b->a, d.seq, &r, &again, &b->e), RC_OK);
    assert_int_equal(again.verdict, VERDICT_ESCALATE);
    assert_true(str_eq(value_text(value_get(r.request.diff, STR("text"))), diff));
    assert_int_equal(approve(b, &b->ben, d.action), RC_OK);
    restart(b);
    /* At commit the digest is made again, of what came back. */
    assert_int_equal(commit(b, &b->bot, d.action, NONCE).release, RELEASE_GO);
    struct str said = text_of(b, 100000, 4);
    struct outcome o = {.succeeded = true, .detail = object_of(b, "output", value_string(said))};
    assert_int_equal(control_outcome(b->c, b->a, &b->bot, d.action, NONCE, &o, &b->e), RC_OK);
    uint64_t finished = control_read_seq(b->c) - 1;
    settle(b);
    struct value body = body_of(b, finished);
    check_ref(value_path(&body, "detail", "output", NULL), said, false);
    struct value whole;
    assert_int_equal(blobs_put_back(b->c, b->a, finished, &body, &whole, &b->e), RC_OK);
    assert_true(str_eq(value_text(value_path(&whole, "detail", "output", NULL)), said));
    restart(b);
}

static void another_diff_is_another_action(void **state)
{
    struct bench *b = *state;
    struct str diff = text_of(b, 1 << 20, 3);
    struct decided d = propose_diff(b, 1, diff, "not sure");
    ((char *)(uintptr_t)diff.ptr)[diff.len - 1] = 'X';
    struct decided other = propose_diff(b, 1, diff, "not sure");
    assert_int_not_equal(other.action, d.action);
    assert_memory_not_equal(act(b, d.action)->digest, act(b, other.action)->digest, ENTRY_DIGEST_LEN);
}

/* --- what callers may not say ------------------------------------------------------------------------------------ */

static void nobody_else_says_blob(void **state)
{
    struct bench *b = *state;
    static const char marked[] = "{'a':[1,{'b':{'$blob':'sha256:00','size':1}}]}";
    static const char bare[] = "{'$blob':5}";
    const struct {
        size_t offset;
        const char *value;
        const char *where;
    } rows[] = {
        {offsetof(struct request, given), marked, "/parameters/a/1/b/$blob"},
        {offsetof(struct request, given), bare, "/parameters/$blob"},
        {offsetof(struct request, plan), marked, "/plan/a/1/b/$blob"},
        {offsetof(struct request, diff), marked, "/diff/a/1/b/$blob"},
        {offsetof(struct request, diff), bare, "/diff/$blob"},
        {offsetof(struct request, invocation), marked, "/invocation/a/1/b/$blob"},
        {offsetof(struct request, contexts), marked, "/contexts/a/1/b/$blob"},
        {offsetof(struct request, properties), marked, "/properties/a/1/b/$blob"},
    };
    uint64_t before = control_read_seq(b->c);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct request q = request_of(b, 1, "");
        struct decided d;
        const struct value *v = parse(b, rows[i].value);
        memcpy((char *)&q + rows[i].offset, &v, sizeof v);
        struct request same = q;
        check_error(b, try(b, &q, &d), RC_INVALID, "\"$blob\" is the server's own name for what lies beside an entry");
        assert_string_equal(b->e.where, rows[i].where);
        assert_int_equal(control_evaluate(b->c, b->a, &same, &d, &b->e), RC_INVALID);
    }
    assert_int_equal(control_read_seq(b->c), before);
    struct decided d = propose(b, "scale", 1, "");
    assert_int_equal(commit(b, &b->bot, d.action, NONCE).release, RELEASE_GO);
    struct outcome o = {.succeeded = true, .detail = parse(b, marked)};
    check_error(b, control_outcome(b->c, b->a, &b->bot, d.action, NONCE, &o, &b->e), RC_INVALID,
                "\"$blob\" is the server's own name for what lies beside an entry");
    assert_string_equal(b->e.where, "/detail/a/1/b/$blob");
    /* As a text, and as a part of a name, it is nobody's. */
    struct request q = request_of(b, 2, "");
    q.plan = parse(b, "{'$blobs':'$blob','x$blob':{'$blo':'b'}}");
    d = propose_request(b, &q);
    struct decision_record r = whole_of(b, d.seq);
    assert_true(value_eq(r.request.plan, q.plan));
}

/* --- limits -------------------------------------------------------------------------------------------------------- */

static void each_limit_is_crossed(void **state)
{
    struct bench *b = *state;
    struct decided d;
    struct str most = text_of(b, STORE_BLOB_MAX + 1, 5);
    struct request q = request_of(b, 1, "");
    q.diff = object_of(b, "text", value_string(most));
    check_error(b, try(b, &q, &d), RC_INVALID, "8388609 bytes: at most 8388608 are kept of one text or part");
    assert_string_equal(b->e.where, "/diff/text");
    propose_diff(b, 1, str_slice(most, 0, STORE_BLOB_MAX), "");
    /* Texts beside one entry. */
    struct value texts = value_array();
    for (unsigned i = 0; i < ENTRY_BLOBS_MAX; i++) {
        value_push(b->a, &texts, value_string(text_of(b, BLOB_TEXT_MAX + 1, 100 + i)));
    }
    value_push(b->a, &texts, texts.items[0]); /* said twice: one blob */
    q = request_of(b, 2, "");
    q.plan = &texts;
    d = propose_request(b, &q);
    struct decision_record r = whole_of(b, d.seq);
    assert_true(value_eq(r.request.plan, &texts));
    value_push(b->a, &texts, value_string(text_of(b, BLOB_TEXT_MAX + 1, 999)));
    q = request_of(b, 3, "");
    q.plan = &texts;
    check_error(b, try(b, &q, &d), RC_INVALID, "more than 32 texts over 4096 bytes, or parts over 16384, in one entry");
    assert_string_equal(b->e.where, "/plan/33");
    /* A part of many small things. */
    struct value small = value_array();
    for (unsigned i = 0; i < STORE_BLOB_MAX / 4000 + 1; i++) {
        value_push(b->a, &small, value_string(text_of(b, 4000, 7)));
    }
    q = request_of(b, 4, "");
    q.plan = &small;
    check_error(b, try(b, &q, &d), RC_INVALID, "over 8388608 bytes: no more are kept of one text or part");
    assert_string_equal(b->e.where, "/plan");
    settle(b);
}

static void what_is_large_does_not_keep_a_stop_out(void **state)
{
    struct bench *b = *state;
    settle(b);
    struct decided d = {0};
    enum rc rc = RC_OK;
    unsigned taken = 0;
    pthread_mutex_lock(&disk);
    for (unsigned i = 0; i < 16 && rc == RC_OK; i++) {
        struct request q = request_of(b, i, "");
        q.diff = object_of(b, "text", value_string(text_of(b, STORE_BLOB_MAX, 50 + i)));
        rc = try(b, &q, &d);
        taken += rc == RC_OK ? 1 : 0;
    }
    assert_int_equal(taken, 3);
    assert_int_equal(rc, RC_UNAVAILABLE);
    assert_non_null(strstr(b->e.text, "bytes wait to be written: no room for 8388608 more now"));
    struct stop_order order = {.scope = STOP_ALL, .reason = STR("enough")};
    uint64_t id;
    assert_int_equal(control_stop_set(b->c, b->a, &b->admin, &order, NULL, &id, &b->e), RC_OK);
    pthread_mutex_unlock(&disk);
    settle(b);
    restart(b);
}

static void near_secrets_are_no_trouble(void **state)
{
    struct bench *b = *state;
    static const char *const near[] = {"password=Bearer -----BEGIN PRIVATE KEYeyJ.AKIA token: ghp_https://user:",
                                       "-----BEGIN PRIVATE KEY", "[redacted:--password\nAPI_KEY= ", "=:=:-_-."};
    const uint8_t key[REDACT_KEY_LEN] = {1};
    struct redactor *redactor = NULL;
    assert_int_equal(redactor_new(key, NULL, 0, &redactor, &b->e), RC_OK);
    settle(b);
    control_stop(b->c);
    b->redactor = redactor;
    assert_int_equal(start(b), RC_OK);
    set_budget(b, PPM_ONE);
    for (size_t i = 0; i < sizeof near / sizeof *near; i++) {
        size_t len = strlen(near[i]);
        char *bytes = arena_alloc(b->a, STORE_BLOB_MAX);
        assert_non_null(bytes);
        for (size_t at = 0; at + len < STORE_BLOB_MAX; at += len) {
            memcpy(bytes + at, near[i], len);
        }
        memset(bytes + STORE_BLOB_MAX - 64, '.', 64);
        for (size_t at = 0; at < STORE_BLOB_MAX; at++) {
            bytes[at] = bytes[at] == '\0' ? '.' : bytes[at];
        }
        struct request q = request_of(b, (int64_t)i, "");
        q.diff = object_of(b, "text", value_string((struct str){bytes, STORE_BLOB_MAX}));
        struct decided d;
        enum rc rc = try(b, &q, &d);
        /* Taken, with what was a secret replaced, or refused for what it is. */
        bool grown = rc == RC_INVALID && strstr(b->e.text, "are kept of one text") != NULL;
        bool many = rc == RC_LIMIT && strstr(b->e.text, "more than 10000 secrets") != NULL;
        if (rc != RC_OK && !grown && !many) {
            print_error("%s: %s: %s\n", near[i], rc_name(rc), b->e.text);
            fail();
        }
        settle(b);
        arena_reset(b->a); /* names of principals were in it */
        b->bot.person = STR("bot");
    }
    control_stop(b->c);
    b->redactor = NULL;
    redactor_free(redactor);
    assert_int_equal(start(b), RC_OK);
}

/* --- retention ----------------------------------------------------------------------------------------------------- */

static void restart_keeping(struct bench *b, int64_t keep_ms)
{
    b->blob_keep_ms = keep_ms;
    restart(b);
}

static bool is_quiet(struct bench *b)
{
    return b->c->retention == NULL && b->c->snapshot == NULL && !b->c->snapshot_wanted &&
           control_now(b->c) < b->c->retention_next_ms &&
           writer_counts(control_writer(b->c)).erasures == 0;
}

/* Lets retention do what it would: look, take a snapshot if it needs one, look again, erase. */
static void let_it_work(struct bench *b)
{
    for (int i = 0; i < 2000; i++) {
        tick(b);
        control_durable_changed(b->c);
        settle(b);
        if (is_quiet(b)) {
            return;
        }
        usleep(5000);
    }
    fail_msg("retention does not end");
}

static unsigned count_kind(struct bench *b, enum entry_kind kind, uint64_t *ret_last)
{
    unsigned n = 0;
    for (uint64_t seq = 0; seq < control_read_seq(b->c); seq++) {
        CLEANUP(arena) struct arena *a = arena_new(64 << 20);
        struct stored stored;
        assert_int_equal(store_read(control_reader(b->c), a, seq, &stored, &b->e), RC_OK);
        if (stored.entry.kind == kind) {
            *ret_last = seq;
            n++;
        }
    }
    return n;
}

static enum rc complete(struct bench *b, uint64_t seq)
{
    struct decision_record r = record_of(b, seq);
    return control_complete(b->c, b->a, false, &r, &b->e);
}

static void what_is_old_goes_and_the_ledger_says_so(void **state)
{
    struct bench *b = *state;
    struct str old = text_of(b, 50000, 1);
    struct str shared = text_of(b, 60000, 2);
    struct str open = text_of(b, 70000, 3);
    uint64_t last = 0;
    struct decided first = propose_diff(b, 1, old, "not sure");
    struct decided twice = propose_diff(b, 2, shared, "");
    struct decided running = propose_diff(b, 3, open, "");
    assert_int_equal(commit(b, &b->bot, running.action, NONCE).release, RELEASE_GO);
    restart_keeping(b, 2 * DAY_MS);
    let_it_work(b);
    assert_int_equal(count_kind(b, ENTRY_BLOBS_ERASED, &last), 0);
    pass(b, DAY_MS);
    let_it_work(b); /* expires the first two, and nobody heard of the third */
    assert_int_equal(act(b, running.action)->state, ACTION_UNKNOWN);
    set_budget(b, PPM_ONE);
    struct decided young = propose_diff(b, 4, shared, "");
    pass(b, DAY_MS - 2 * MINUTE_MS);
    let_it_work(b);
    assert_int_equal(count_kind(b, ENTRY_BLOBS_ERASED, &last), 0);
    assert_int_equal(complete(b, first.seq), RC_OK);
    pass(b, DAY_MS - HOUR_MS);
    let_it_work(b);
    /* One entry, behind a snapshot that was made for it. */
    assert_int_equal(count_kind(b, ENTRY_BLOBS_ERASED, &last), 1);
    struct value body = body_of(b, last);
    assert_int_equal(value_integer_or(value_get(&body, STR("count")), -1), 1);
    assert_int_equal(value_integer_or(value_get(&body, STR("bytes")), -1), 50000);
    assert_true(str_eq(value_text(value_get(&body, STR("rule"))), STR("blobs older than 2d")));
    uint64_t through = (uint64_t)value_integer_or(value_get(&body, STR("through_seq")), -1);
    assert_int_equal(through, world_erased_through(HERE(b)));
    assert_true(through >= running.seq && through < young.seq);
    uint64_t snapshot = 0;
    assert_int_equal(count_kind(b, ENTRY_LEDGER_SNAPSHOT, &snapshot), 1);
    assert_true(snapshot < last);
    assert_int_equal(writer_counts(control_writer(b->c)).erased_bytes, 50000);
    char gone[96];
    snprintf(gone, sizeof gone, "what lay beside entry %llu was erased by policy", (unsigned long long)first.seq);
    for (int round = 0; round < 2; round++) {
        check_error(b, complete(b, first.seq), RC_GONE, gone);
        struct decision_record r;
        struct decision again;
        check_error(b, control_replay(b->c, b->a, first.seq, &r, &again, &b->e), RC_GONE, gone);
        r = record_of(b, first.seq);
        assert_int_equal(control_complete(b->c, b->a, true, &r, &b->e), RC_OK);
        const struct value *shown = value_get(r.request.diff, STR("text"));
        assert_true(str_eq(value_text(value_get(shown, STR("erased"))), STR("erased by policy")));
        assert_int_equal(value_integer_or(value_get(shown, STR("size")), -1), 50000);
        /* What a younger entry says too, and what an open action needs. */
        assert_int_equal(complete(b, twice.seq), RC_OK);
        assert_int_equal(complete(b, young.seq), RC_OK);
        assert_int_equal(control_replay(b->c, b->a, running.seq, &r, &again, &b->e), RC_OK);
        restart(b);
        let_it_work(b);
    }
    /* Resolved, it goes with the next day's. */
    assert_int_equal(finish(b, running.action, NONCE), RC_OK);
    pass(b, DAY_MS);
    let_it_work(b);
    assert_int_equal(complete(b, running.seq), RC_GONE);
    assert_int_equal(complete(b, young.seq), RC_GONE); /* three days old by now, and with it what it shared */
    assert_int_equal(complete(b, twice.seq), RC_GONE);
    /* What was erased may be said again, and is read in all places then. */
    set_budget(b, PPM_ONE);
    struct decided again = propose_diff(b, 9, old, "");
    assert_int_equal(complete(b, again.seq), RC_OK);
    assert_int_equal(complete(b, first.seq), RC_OK);
    restart(b);
}

static void a_crash_before_the_deletion_is_made_good(void **state)
{
    struct bench *b = *state;
    struct decided d = propose_diff(b, 1, text_of(b, 50000, 1), "");
    assert_int_equal(control_cancel(b->c, b->a, &b->bot, d.action, STR("x"), &b->e), RC_OK);
    struct value body = value_object();
    value_add_int(b->a, &body, STR("through_seq"), (int64_t)d.seq);
    struct append what = {.kind = ENTRY_BLOBS_ERASED, .actor = STR("system"), .body = body};
    uint64_t seq;
    assert_int_equal(control_append(b->c, b->a, &what, &seq, &b->e), RC_OK);
    restart(b); /* with retention off by now: what was said is done all the same */
    assert_int_equal(complete(b, d.seq), RC_OK);
    tick(b);
    for (int i = 0; i < 2000 && writer_counts(control_writer(b->c)).erasures > 0; i++) {
        usleep(5000);
    }
    assert_int_equal(writer_counts(control_writer(b->c)).erased_blobs, 1);
    assert_int_equal(complete(b, d.seq), RC_GONE);
}

static void what_is_missing_otherwise_is_damage(void **state)
{
    struct bench *b = *state;
    struct decided d = propose_diff(b, 1, text_of(b, 50000, 1), "");
    settle(b);
    control_stop(b->c);
    char path[300];
    snprintf(path, sizeof path, "%s/ledger.db", b->folder);
    struct store *s = NULL;
    assert_int_equal(store_open(path, STORE_WRITE, &s, &b->e), RC_OK);
    struct blob_erasure what = {.through_seq = UINT32_MAX};
    struct erased_blobs gone;
    int64_t cursor = 0;
    bool more;
    assert_int_equal(store_erase_blobs(s, &what, &cursor, &gone, &more, &b->e), RC_OK);
    assert_int_equal(gone.count, 1);
    store_close(s);
    assert_int_equal(start(b), RC_OK);
    set_budget(b, PPM_ONE);
    assert_int_equal(complete(b, d.seq), RC_CORRUPT);
    assert_non_null(strstr(b->e.text, "is missing, and no erasure took it"));
    struct decision_record r;
    struct decision again;
    assert_int_equal(control_replay(b->c, b->a, d.seq, &r, &again, &b->e), RC_CORRUPT);
    /* And what can't be read whole is not committed. */
    assert_int_equal(commit(b, &b->bot, d.action, NONCE).rc, RC_CORRUPT);
}

static void incidents_keep_what_they_are_about(void **state)
{
    struct bench *b = *state;
    struct decided d = propose_diff(b, 1, text_of(b, 50000, 1), "");
    assert_int_equal(commit(b, &b->bot, d.action, NONCE).release, RELEASE_GO);
    assert_int_equal(finish(b, d.action, NONCE), RC_OK);
    /* Something that watches says that it did harm. */
    struct append what = {.kind = ENTRY_ACTION_VIOLATED,
                          .actor = STR("system"),
                          .refs = {ref_text(b->a, "act", d.action)},
                          .ref_count = 1,
                          .body = *parse(b, "{'after_ppm':1,'before_ppm':2,'service':'shop'}")};
    uint64_t incident;
    assert_int_equal(control_append(b->c, b->a, &what, &incident, &b->e), RC_OK);
    restart_keeping(b, DAY_MS);
    pass(b, 3 * DAY_MS);
    let_it_work(b);
    assert_int_equal(complete(b, d.seq), RC_OK);
    assert_int_equal(control_incident_close(b->c, b->a, &b->admin, incident, &(struct incident_end){.reason = STR("seen to")}, NULL, &b->e), RC_OK);
    pass(b, DAY_MS);
    let_it_work(b);
    assert_int_equal(complete(b, d.seq), RC_GONE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_large_lies_beside_its_entry),
        TEST(a_part_stays_up_to_its_limit),
        TEST(a_large_diff_lives_through_its_action),
        TEST(another_diff_is_another_action),
        TEST(nobody_else_says_blob),
        TEST(each_limit_is_crossed),
        TEST(what_is_large_does_not_keep_a_stop_out),
        TEST(near_secrets_are_no_trouble),
        TEST(what_is_old_goes_and_the_ledger_says_so),
        TEST(a_crash_before_the_deletion_is_made_good),
        TEST(what_is_missing_otherwise_is_damage),
        TEST(incidents_keep_what_they_are_about),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
