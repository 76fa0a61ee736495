/*
 * bench/otlp - spans per second that one core reads and counts.
 *
 *     otlp [SECONDS]
 *
 * Batches of 512 spans with ten attributes each, as a collector sends them: requests of a shop of six services with two
 * stores and a queue, sorted by service within a batch. Each batch is read as the route reads it, once for what is wrong
 * with it and once for its spans; batches close and what was counted is taken as often as in a busy server. Prints one
 * JSON line.
 */
#include "otlp/traffic.h"
#include "otlp_writer.h"
#include "value/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    BATCH = 512,
    BATCHES = 256,
    TURN_EVERY = 64, /* batches; ids come again after four turns, when nothing waits any more */
    TAKE_EVERY = 4,  /* turns */
    MESSAGE_MAX = 4 << 20,
    ARENA_MAX = 256 << 20,
};

static void check(enum rc rc, const struct err *e)
{
    if (rc != RC_OK) {
        fprintf(stderr, "otlp: %s\n", e->text);
        exit(1);
    }
}

static double clock_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* --- the shop ---------------------------------------------------------------------------------------------------- */

/* One span of a request, and which one it is in. */
struct part {
    const char *service;
    const char *name;
    int parent; /* index here; -1: none */
    unsigned kind;
    unsigned took_us;
    const char *peer[2][2];
};

static const struct part request[] = {
    {"gateway", "GET /checkout", -1, OTLP_SERVER, 9000, {{NULL, NULL}}},
    {"gateway", "POST", 0, OTLP_CLIENT, 8500, {{"server.address", "checkout"}}},
    {"checkout", "POST /orders", 1, OTLP_SERVER, 8000, {{NULL, NULL}}},
    {"checkout", "price", 2, OTLP_INTERNAL, 900, {{NULL, NULL}}},
    {"checkout", "GET", 2, OTLP_CLIENT, 2500, {{"server.address", "cart"}}},
    {"cart", "GET /cart", 4, OTLP_SERVER, 2200, {{NULL, NULL}}},
    {"cart", "HGETALL", 5, OTLP_CLIENT, 400, {{"db.system", "redis"}, {"db.name", "carts"}}},
    {"checkout", "POST", 2, OTLP_CLIENT, 3500, {{"server.address", "payment"}}},
    {"payment", "POST /charge", 7, OTLP_SERVER, 3100, {{NULL, NULL}}},
    {"payment", "INSERT payments", 8, OTLP_CLIENT, 1200, {{"db.system", "postgresql"}, {"db.name", "payments"}}},
    {"checkout", "orders publish", 2, OTLP_PRODUCER, 300, {{"messaging.system", "kafka"}, {"messaging.destination.name", "orders"}}},
    {"shipping", "orders process", 10, OTLP_CONSUMER, 4000, {{"messaging.system", "kafka"}, {"messaging.destination.name", "orders"}}},
    {"shipping", "GET", 11, OTLP_CLIENT, 800, {{"server.address", "quote"}}},
    {"quote", "GET /quote", 12, OTLP_SERVER, 600, {{NULL, NULL}}},
};

enum { PARTS = sizeof request / sizeof *request };

static const char *const always[][2] = {
    {"http.request.method", "POST"},
    {"url.path", "/api/v1/orders/7f3a2b"},
    {"url.scheme", "https"},
    {"http.response.status_code", "200"},
    {"network.protocol.version", "1.1"},
    {"user_agent.original", "shop-web/4.2 (build 1809; linux)"},
    {"client.address", "10.24.7.113"},
    {"thread.name", "worker-12"},
    {"app.customer.tier", "gold"},
    {"app.region", "eu-central-1"},
};

static struct made_span span_of(uint64_t trace, int part)
{
    const struct part *p = &request[part];
    struct made_span s = {.service = p->service,
                          .name = p->name,
                          .trace = trace,
                          .id = trace * PARTS + (uint64_t)part + 1,
                          .parent = p->parent < 0 ? 0 : trace * PARTS + (uint64_t)p->parent + 1,
                          .kind = p->kind,
                          .start_us = 1800000000000000 + trace * 50,
                          .took_us = p->took_us + trace % 97,
                          .error = trace % 100 == 0 && part >= 8};
    /* Half of the common ones stand before those that are looked for. */
    int n = 0;
    for (int i = 0; n < MADE_ATTRIBUTES; i++) {
        bool peer = i >= 5 && i < 7 && p->peer[i - 5][0] != NULL;
        const char *const *from = peer ? p->peer[i - 5] : always[n];
        s.attribute[n][0] = from[0];
        s.attribute[n++][1] = from[1];
    }
    return s;
}

static int by_service(const void *a, const void *b)
{
    const struct made_span *x = a;
    const struct made_span *y = b;
    int order = strcmp(x->service, y->service);
    return order != 0 ? order : (x->id > y->id) - (x->id < y->id);
}

static void make_batch(unsigned batch, struct buf *protobuf, struct buf *json)
{
    static struct made_span spans[BATCH];
    for (unsigned i = 0; i < BATCH; i++) {
        uint64_t n = (uint64_t)batch * BATCH + i;
        spans[i] = span_of(1 + n / PARTS, (int)(n % PARTS));
    }
    qsort(spans, BATCH, sizeof *spans, by_service);
    buf_init(protobuf, MESSAGE_MAX);
    buf_init(json, MESSAGE_MAX);
    put_message(protobuf, spans, BATCH);
    put_json_message(json, spans, BATCH);
    if (protobuf->rc != RC_OK || json->rc != RC_OK) {
        fprintf(stderr, "otlp: a batch is too large\n");
        exit(1);
    }
}

/* --- measuring --------------------------------------------------------------------------------------------------------- */

typedef void (*read_fn)(struct arena *a, struct str message, struct traffic *t);

static void read_protobuf(struct arena *a, struct str message, struct traffic *t)
{
    struct err e;
    (void)a;
    check(otlp_read_protobuf(message, NULL, NULL, &e), &e);
    check(otlp_read_protobuf(message, traffic_add, t, &e), &e);
}

static void read_json(struct arena *a, struct str message, struct traffic *t)
{
    struct value v;
    struct err e;
    check(json_parse(a, message, &v, &e), &e);
    check(otlp_read_json(&v, NULL, NULL, &e), &e);
    check(otlp_read_json(&v, traffic_add, t, &e), &e);
}

static void measure(const char *name, const struct buf *messages, read_fn read, double seconds)
{
    struct traffic *t = traffic_new(1);
    struct arena *a = arena_new(ARENA_MAX);
    struct graph_observation o;
    struct err e;
    size_t bytes = 0;
    unsigned batches = 0;
    uint32_t rows = 0;
    double begun = clock_s();
    double took = 0;
    for (; took < seconds; took = clock_s() - begun) {
        arena_reset(a);
        read(a, buf_view(&messages[batches % BATCHES]), t);
        bytes += messages[batches % BATCHES].len;
        batches++;
        if (batches % TURN_EVERY == 0) {
            traffic_turn(t);
        }
        if (batches % (TURN_EVERY * TAKE_EVERY) == 0) {
            arena_reset(a);
            check(traffic_take(t, a, &o, &e), &e);
            rows = o.call_count;
        }
    }
    struct traffic_counts counts = traffic_counts(t);
    printf("\"%s\":{\"spans_per_s\":%.0f,\"mb_per_s\":%.1f,\"bytes_per_span\":%.0f,\"calls_per_span\":%.3f,\"rows\":%u,\"dropped\":%llu}",
           name, batches * (double)BATCH / took, (double)bytes / took / 1e6, (double)bytes / batches / BATCH,
           (double)counts.calls / (double)counts.spans, rows, (unsigned long long)counts.dropped);
    arena_free(a);
    traffic_free(t);
}

int main(int argc, char **argv)
{
    static struct buf protobuf[BATCHES];
    static struct buf json[BATCHES];
    double seconds = argc > 1 ? strtod(argv[1], NULL) : 3;
    for (unsigned i = 0; i < BATCHES; i++) {
        make_batch(i, &protobuf[i], &json[i]);
    }
    printf("{\"batch_spans\":%d,\"attributes\":%d,", BATCH, MADE_ATTRIBUTES);
    measure("protobuf", protobuf, read_protobuf, seconds);
    printf(",");
    measure("json", json, read_json, seconds);
    printf("}\n");
    for (unsigned i = 0; i < BATCHES; i++) {
        buf_done(&protobuf[i]);
        buf_done(&json[i]);
    }
    return 0;
}
