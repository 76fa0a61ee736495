/* Any bytes as a table of metrics, calls or log templates, told by the first byte: refused with a place, or evidence that
 * can be asked. */
#include "fuzz/fuzz.h"

#include "base/must.h"
#include "cause/cause.h"
#include "evidence/csv.h"
#include "evidence/read.h"

enum { MEMORY_MAX = 64 << 20 };

static void check_table(struct str text)
{
    CLEANUP(arena) struct arena *a = arena_new(MEMORY_MAX);
    struct csv c;
    bool row = true;
    struct err e = {0};
    enum rc rc = csv_open(a, "t", text, &c, &e);
    while (rc == RC_OK && row) {
        rc = csv_next(&c, &row, &e);
        must(rc != RC_OK || c.line <= text.len + 1);
    }
    must(rc == RC_OK || e.text[0] != '\0');
}

static enum rc read_as(struct evidence *ev, char kind, struct str text, struct err *e)
{
    struct incident_span span = {.begin_ms = 0, .end_ms = INT64_MAX, .normal_again_ms = INT64_MAX};
    struct folder_windows windows = {.rules = &read_usual_roles};
    switch (kind % 3) {
    case 0:
        return read_metrics(ev, "t", text, &span, e);
    case 1:
        return read_calls(ev, "t", text, &windows, e);
    default:
        return read_logs(ev, "t", text, &windows, e);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    struct str text = {(const char *)data + 1, size - 1};
    check_table(text);
    CLEANUP(evidence) struct evidence *ev = evidence_new(MEMORY_MAX);
    CLEANUP(arena) struct arena *a = arena_new(MEMORY_MAX);
    struct err e = {0};
    struct report r;
    enum rc rc = read_as(ev, (char)(data[0] & 0x7f), text, &e);
    must(rc == RC_OK || e.text[0] != '\0');
    if (rc == RC_OK && ev->node_count > 0 && evidence_settle(ev, &e) == RC_OK) {
        struct question q = {.service = 0};
        rc = cause_find(a, ev, &q, &r, &e);
        must(rc == RC_LIMIT || (rc == RC_OK && r.why.len > 0));
        for (uint32_t i = 0; rc == RC_OK && i + 1 < r.cause_count; i++) {
            must(r.causes[i].score >= r.causes[i + 1].score);
        }
    }
    return 0;
}
