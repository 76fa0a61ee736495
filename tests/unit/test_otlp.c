/* otlp: spans out of both encodings, and the calls that follow from them. */
#include "check.h"
#include "otlp_writer.h"

#include "otlp/traffic.h"
#include "value/json.h"

#include <zlib.h>

enum { INTERNAL = 1, SERVER, CLIENT, PRODUCER, CONSUMER };

/* --- reading ------------------------------------------------------------------------------------------------- */

struct seen {
    struct buf text;
};

static void write_seen(void *context, const struct otlp_span *s)
{
    struct seen *seen = context;
    buf_printf(&seen->text, "%.*s %.*s %llx %llx %llx %u %llu %s %s:%.*s\n", STR_ARG(s->service), STR_ARG(s->name),
               (unsigned long long)s->trace, (unsigned long long)s->id, (unsigned long long)s->parent, s->kind,
               (unsigned long long)(s->end_ns - s->start_ns), s->error ? "error" : "ok", node_kind_name(s->peer_kind),
               STR_ARG(s->peer));
}

static const struct made_span two[] = {
    {"shop", "GET /", 0x1122, 0xa1, 0, SERVER, 100, 50, false, {{NULL, NULL}}},
    {"shop", "SELECT", 0x1122, 0xa2, 0xa1, CLIENT, 110, 20, true, {{"db.system", "postgresql"}, {"db.name", "orders"}}},
};

static const char *const want_two = "shop GET / 1122 a1 0 2 50000 ok service:\n"
                                    "shop SELECT 1122 a2 a1 3 20000 error datastore:orders\n";

static void both_encodings_say_the_same(void **state)
{
    (void)state;
    struct buf message;
    struct seen seen;
    buf_init(&message, 1 << 20);
    buf_init(&seen.text, 1 << 16);
    put_message(&message, two, 2);
    assert_int_equal(otlp_read_protobuf(buf_view(&message), write_seen, &seen, NULL), RC_OK);
    assert_str(buf_view(&seen.text), want_two);
    buf_reset(&message);
    buf_reset(&seen.text);
    put_json_message(&message, two, 2);
    CLEANUP(arena) struct arena *a = arena_new(1 << 20);
    struct value v;
    struct err e;
    assert_int_equal(json_parse(a, buf_view(&message), &v, &e), RC_OK);
    assert_int_equal(otlp_read_json(&v, write_seen, &seen, NULL), RC_OK);
    assert_str(buf_view(&seen.text), want_two);
    buf_done(&message);
    buf_done(&seen.text);
}

static void a_message_that_is_cut_is_refused(void **state)
{
    (void)state;
    struct buf message;
    buf_init(&message, 1 << 20);
    put_message(&message, two, 1);
    struct str whole = buf_view(&message);
    size_t refused = 0;
    for (size_t len = 1; len < whole.len; len++) {
        struct err e = {.rc = RC_OK};
        refused += otlp_read_protobuf(str_slice(whole, 0, len), NULL, NULL, &e) == RC_INVALID ? 1 : 0;
        assert_true(e.rc == RC_OK || e.text[0] != '\0');
    }
    assert_int_equal(refused, whole.len - 1);
    assert_int_equal(otlp_read_protobuf(STR(""), NULL, NULL, NULL), RC_OK);
    static const char *const bad[] = {"\x0b", "\x0a\x05", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "\x02"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(otlp_read_protobuf(str_from(bad[i]), NULL, NULL, NULL), RC_INVALID);
    }
    buf_done(&message);
}

static void bad_json_names_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *where;
    } rows[] = {
        {"{\"resourceSpans\":3}", ""},
        {"{\"resourceSpans\":[{\"scopeSpans\":{}}]}", "/resourceSpans/0"},
        {"{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{},7]}]}]}", "/resourceSpans/0/scopeSpans/0/spans/1"},
        {"{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"spanId\":\"xyz\"}]}]}]}", "/resourceSpans/0/scopeSpans/0/spans/0"},
        {"{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"endTimeUnixNano\":\"soon\"}]}]}]}",
         "/resourceSpans/0/scopeSpans/0/spans/0"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CLEANUP(arena) struct arena *a = arena_new(1 << 20);
        struct value v;
        struct err e;
        assert_int_equal(json_parse(a, str_from(rows[i].text), &v, &e), RC_OK);
        assert_int_equal(otlp_read_json(&v, NULL, NULL, &e), RC_INVALID);
        assert_string_equal(e.where, rows[i].where);
    }
}

static struct str gzip(const char *bytes, size_t len, unsigned char *room, size_t size)
{
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (unsigned char *)(uintptr_t)bytes;
    z.avail_in = (unsigned)len;
    z.next_out = room;
    z.avail_out = (unsigned)size;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    struct str packed = {(const char *)room, size - z.avail_out};
    deflateEnd(&z);
    return packed;
}

static void gzip_is_unpacked_within_its_limit(void **state)
{
    (void)state;
    static char zeros[300000];
    static unsigned char room[4096];
    struct str packed = gzip(zeros, sizeof zeros, room, sizeof room);
    CLEANUP(arena) struct arena *a = arena_new(1 << 20);
    struct str got;
    assert_int_equal(otlp_inflate(a, packed, sizeof zeros, &got, NULL), RC_OK);
    assert_int_equal(got.len, sizeof zeros);
    assert_int_equal(otlp_inflate(a, packed, sizeof zeros - 1, &got, NULL), RC_LIMIT);
    assert_int_equal(otlp_inflate(a, packed, 1000, &got, NULL), RC_LIMIT);
    assert_int_equal(otlp_inflate(a, str_slice(packed, 0, packed.len - 3), 1 << 20, &got, NULL), RC_INVALID);
    assert_int_equal(otlp_inflate(a, STR("plain"), 1 << 20, &got, NULL), RC_INVALID);
    assert_int_equal(otlp_inflate(a, STR(""), 1 << 20, &got, NULL), RC_INVALID);
}

/* --- calls ------------------------------------------------------------------------------------------------------ */

static struct traffic *fed(const struct made_span *spans, size_t count)
{
    struct traffic *t = traffic_new(5);
    assert_non_null(t);
    struct buf message;
    buf_init(&message, 1 << 20);
    put_message(&message, spans, count);
    assert_int_equal(otlp_read_protobuf(buf_view(&message), traffic_add, t, NULL), RC_OK);
    buf_done(&message);
    return t;
}

static void expect(struct traffic *t, const char *want)
{
    CLEANUP(arena) struct arena *a = arena_new(1 << 20);
    struct graph_observation o;
    struct buf b;
    buf_init(&b, 1 << 16);
    assert_int_equal(traffic_take(t, a, &o, NULL), RC_OK);
    for (uint32_t i = 0; i < o.call_count; i++) {
        const struct call_row *c = &o.calls[i];
        buf_printf(&b, "%.*s > %.*s %.*s n%lld e%lld t%lld s%lld w%lld c%lld\n", STR_ARG(c->caller), STR_ARG(c->callee),
                   STR_ARG(c->operation), (long long)c->n, (long long)c->errors, (long long)c->total_us,
                   (long long)c->self_us, (long long)c->net_us, (long long)c->children);
    }
    for (uint32_t i = 0; i < o.effect_count; i++) {
        buf_printf(&b, "%.*s %.*s %u\n", STR_ARG(o.effects[i].caller.name), STR_ARG(o.effects[i].callee.name),
                   o.effects[i].effect_bp);
    }
    assert_str(buf_view(&b), want);
    buf_done(&b);
}

static const struct made_span chain[] = {
    /* Children end first, as exporters send them. */
    {"cart", "charge", 9, 0x13, 0x12, SERVER, 120, 40, true, {{NULL, NULL}}},
    {"shop", "POST cart", 9, 0x12, 0x11, CLIENT, 110, 60, true, {{"server.address", "cart.internal"}}},
    {"shop", "SELECT", 9, 0x14, 0x15, CLIENT, 180, 10, false, {{"db.system", "mysql"}, {"db.name", "orders"}}},
    {"shop", "load", 9, 0x15, 0x11, INTERNAL, 175, 20, false, {{NULL, NULL}}},
    {"shop", "GET /", 9, 0x11, 0, SERVER, 100, 100, false, {{NULL, NULL}}},
};


static void own_time_is_what_calls_do_not_take(void **state)
{
    (void)state;
    struct traffic *t = fed(chain, 5);
    expect(t, "");
    traffic_turn(t);
    expect(t, "");
    traffic_turn(t);
    expect(t, "service:shop > service:cart charge n1 e1 t40 s40 w20 c0\n"
              "service:shop > datastore:orders SELECT n1 e0 t10 s10 w0 c0\n"
              "client > service:shop GET / n1 e0 t100 s30 w0 c2\n"
              "shop cart 10000\n"
              "shop orders 10000\n");
    traffic_turn(t);
    expect(t, "");
    traffic_free(t);
}

/* Whatever batch each span comes in, next to each other, the calls are the same. */
static void spans_meet_across_batches(void **state)
{
    (void)state;
    for (size_t cut = 1; cut < 5; cut++) {
        struct traffic *t = fed(chain, cut);
        traffic_turn(t);
        struct buf message;
        buf_init(&message, 1 << 20);
        put_message(&message, chain + cut, 5 - cut);
        assert_int_equal(otlp_read_protobuf(buf_view(&message), traffic_add, t, NULL), RC_OK);
        buf_done(&message);
        traffic_turn(t);
        traffic_turn(t);
        CLEANUP(arena) struct arena *a = arena_new(1 << 20);
        struct graph_observation o;
        assert_int_equal(traffic_take(t, a, &o, NULL), RC_OK);
        assert_int_equal(o.call_count, 3);
        int64_t own = 0;
        for (uint32_t i = 0; i < o.call_count; i++) {
            own += o.calls[i].self_us;
        }
        assert_int_equal(own, 40 + 10 + 30);
        traffic_free(t);
    }
}

static void queues_stand_between_their_ends(void **state)
{
    (void)state;
    static const struct made_span spans[] = {
        {"shop", "send", 3, 0x21, 0, PRODUCER, 0, 5, false, {{"messaging.system", "kafka"}, {"messaging.destination.name", "mail"}}},
        {"mailer", "process", 3, 0x22, 0x21, CONSUMER, 10, 50, true,
         {{"messaging.system", "kafka"}, {"messaging.destination.name", "mail"}}},
    };
    struct traffic *t = fed(spans, 2);
    traffic_turn(t);
    traffic_turn(t);
    expect(t, "service:shop > queue:mail send n1 e0 t5 s5 w0 c0\n"
              "service:mailer > queue:mail process n1 e1 t50 s50 w0 c0\n"
              "shop mail 0\n"
              "mailer mail 10000\n");
    traffic_free(t);
}

static void effects_go_by_steps(void **state)
{
    (void)state;
    struct traffic *t = traffic_new(1);
    for (uint64_t i = 0; i < 100; i++) {
        struct otlp_span request = {.service = STR("a"), .name = STR("x"), .trace = i + 1, .id = 1, .kind = OTLP_SERVER};
        traffic_add(t, &request);
        struct otlp_span call = {.service = STR("a"), .name = STR("y"), .trace = i + 1, .id = 2, .parent = 1,
                                 .kind = OTLP_CLIENT, .peer = STR("b"), .peer_kind = NODE_SERVICE};
        if (i < 37) {
            traffic_add(t, &call);
        }
    }
    traffic_turn(t);
    traffic_turn(t);
    CLEANUP(arena) struct arena *a = arena_new(1 << 20);
    struct graph_observation o;
    assert_int_equal(traffic_take(t, a, &o, NULL), RC_OK);
    assert_int_equal(o.effects[0].effect_bp, 5000);
    traffic_free(t);
}

static void what_has_no_name_or_id_is_dropped(void **state)
{
    (void)state;
    static const struct made_span spans[] = {
        {"", "x", 3, 0x21, 0, SERVER, 0, 5, false, {{NULL, NULL}}},
        {"a", "x", 3, 0, 0, SERVER, 0, 5, false, {{NULL, NULL}}},
        {"\xff", "x", 3, 5, 0, SERVER, 0, 5, false, {{NULL, NULL}}},
        {"a", "\xff", 3, 6, 0, SERVER, 0, 5, false, {{NULL, NULL}}},
    };
    struct traffic *t = fed(spans, 4);
    traffic_turn(t);
    traffic_turn(t);
    assert_int_equal(traffic_counts(t).spans, 4);
    assert_int_equal(traffic_counts(t).dropped, 3);
    expect(t, "client > service:a other n1 e0 t5 s5 w0 c0\n");
    traffic_free(t);
}

/* --- limits -------------------------------------------------------------------------------------------------------- */

static void a_full_batch_is_closed_early(void **state)
{
    (void)state;
    struct traffic *t = traffic_new(1);
    struct otlp_span s = {.service = STR("a"), .name = STR("x"), .trace = 1, .kind = OTLP_SERVER};
    for (uint64_t i = 1; i <= 2 * (uint64_t)TRAFFIC_BATCH_MAX + 1; i++) {
        s.id = i;
        traffic_add(t, &s);
    }
    assert_int_equal(traffic_counts(t).calls, TRAFFIC_BATCH_MAX);
    traffic_free(t);
}

static void too_many_names_begin_anew(void **state)
{
    (void)state;
    struct traffic *t = traffic_new(1);
    char name[16];
    struct otlp_span s = {.service = STR("a"), .trace = 1, .kind = OTLP_SERVER};
    for (uint64_t i = 1; i <= TRAFFIC_NAMES_MAX + 10; i++) {
        snprintf(name, sizeof name, "op %llu", (unsigned long long)i);
        s.name = str_from(name);
        s.id = i;
        traffic_add(t, &s);
    }
    traffic_turn(t);
    traffic_turn(t);
    CLEANUP(arena) struct arena *a = arena_new(64 << 20);
    struct graph_observation o;
    assert_int_equal(traffic_take(t, a, &o, NULL), RC_OK);
    assert_int_equal(o.call_count, GRAPH_ROWS_MAX);
    int64_t n = 0;
    for (uint32_t i = 0; i < o.call_count; i++) {
        n += o.calls[i].n;
    }
    /* Rows are full before there is one for "other": the rest is counted as dropped. */
    assert_int_equal(n + (int64_t)traffic_counts(t).dropped, TRAFFIC_NAMES_MAX + 10);
    s.name = STR("again");
    s.id = 3;
    traffic_add(t, &s);
    traffic_turn(t);
    traffic_turn(t);
    expect(t, "client > service:a again n1 e0 t0 s0 w0 c0\n");
    traffic_free(t);
}

/* Services inside each other in one process, deeper than is climbed, and a circle of parents. */
static void deep_and_circular_parents_are_safe(void **state)
{
    (void)state;
    struct traffic *t = traffic_new(1);
    struct otlp_span s = {.service = STR("a"), .name = STR("x"), .trace = 1, .kind = OTLP_CLIENT, .peer = STR("b"), .end_ns = 1000000};
    s.id = 1;
    s.parent = 2;
    traffic_add(t, &s);
    s.id = 2;
    s.parent = 1;
    traffic_add(t, &s);
    for (uint64_t i = 10; i < 10 + 2 * TRAFFIC_CLIMB_MAX; i++) {
        s.id = i;
        s.parent = i + 1;
        s.kind = OTLP_INTERNAL;
        traffic_add(t, &s);
    }
    traffic_turn(t);
    traffic_turn(t);
    expect(t, "service:a > service:b x n2 e0 t2000 s2000 w0 c0\na b 0\n");
    traffic_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_encodings_say_the_same),
        cmocka_unit_test(a_message_that_is_cut_is_refused),
        cmocka_unit_test(bad_json_names_its_place),
        cmocka_unit_test(gzip_is_unpacked_within_its_limit),
        cmocka_unit_test(own_time_is_what_calls_do_not_take),
        cmocka_unit_test(spans_meet_across_batches),
        cmocka_unit_test(queues_stand_between_their_ends),
        cmocka_unit_test(effects_go_by_steps),
        cmocka_unit_test(what_has_no_name_or_id_is_dropped),
        cmocka_unit_test(a_full_batch_is_closed_early),
        cmocka_unit_test(too_many_names_begin_anew),
        cmocka_unit_test(deep_and_circular_parents_are_safe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
