/* Any bytes as manifests, compose files and metrics: refused with a place, or writings that the server reads. */
#include "fuzz/fuzz.h"

#include "base/must.h"
#include "import/compose.h"
#include "import/kubernetes.h"
#include "import/service_metrics.h"

enum { MEMORY_MAX = 64 << 20 };

typedef enum rc (*import_fn)(struct str text, struct found *f, struct err *e);

static enum rc kubernetes(struct str text, struct found *f, struct err *e)
{
    struct documents d = {.count = 0};
    enum rc rc = documents_read(&d, f->arena, STR("f"), text, e);
    return rc == RC_OK ? import_kubernetes(&d, f, e) : rc;
}

static enum rc compose(struct str text, struct found *f, struct err *e)
{
    struct documents d = {.count = 0};
    enum rc rc = documents_read(&d, f->arena, STR("f"), text, e);
    return rc == RC_OK ? import_compose(&d, f, e) : rc;
}

static enum rc metrics(struct str text, struct found *f, struct err *e)
{
    return import_service_metrics(STR("f"), text, f, e);
}

static void check_writings(struct found *f)
{
    struct value all;
    struct err e = {.rc = RC_OK};
    enum rc rc = found_writings(f, STR("fuzz"), &all, &e);
    must(rc == RC_OK || e.text[0] != '\0');
    for (uint32_t i = 0; rc == RC_OK && i < all.count; i++) {
        struct graph_writing w;
        rc = graph_writing_read(f->arena, &all.items[i], &w, &e);
        must(rc != RC_INVALID);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const import_fn imports[] = {kubernetes, compose, metrics};
    for (size_t i = 0; i < sizeof imports / sizeof *imports; i++) {
        CLEANUP(arena) struct arena *a = arena_new(MEMORY_MAX);
        struct found f;
        struct err e = {.rc = RC_OK};
        found_init(&f, a);
        enum rc rc = imports[i]((struct str){(const char *)data, size}, &f, &e);
        must(rc == RC_OK || (e.rc == rc && e.text[0] != '\0'));
        if (rc == RC_OK) {
            check_writings(&f);
        }
        found_done(&f);
    }
    return 0;
}
