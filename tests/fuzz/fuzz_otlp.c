/* Any bytes as spans: refused with a place, or counted; never more calls than spans. */
#include "fuzz/fuzz.h"

#include "base/must.h"
#include "otlp/traffic.h"
#include "value/json.h"

enum { MEMORY_MAX = 16 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(traffic) struct traffic *t = traffic_new(1);
    CLEANUP(arena) struct arena *a = arena_new(MEMORY_MAX);
    struct str text = {(const char *)data, size};
    struct err e = {.rc = RC_OK};
    struct value v;
    struct str packed;
    enum rc rc = otlp_read_protobuf(text, traffic_add, t, &e);
    must(rc == RC_OK || e.text[0] != '\0');
    if (json_parse(a, text, &v, &e) == RC_OK) {
        rc = otlp_read_json(&v, traffic_add, t, &e);
        must(rc == RC_OK || e.text[0] != '\0');
    }
    rc = otlp_inflate(a, text, 1 << 20, &packed, &e);
    must(rc != RC_OK || packed.len <= 1 << 20);
    traffic_turn(t);
    traffic_turn(t);
    struct graph_observation o;
    must(traffic_take(t, a, &o, &e) == RC_OK);
    must(traffic_counts(t).calls <= traffic_counts(t).spans);
    return 0;
}
