/* Any bytes: refused as the output of git log, or a history that can be learned and asked about. */
#include "fuzz/fuzz.h"

#include "base/must.h"
#include "scope/log.h"

enum { MEMORY_MAX = 64 << 20, COMMITS_LEARNED = 64 };

static void check_prediction(const struct scope_prediction *p)
{
    must(p->chosen <= p->count && p->chosen <= SCOPE_CHOSEN_MAX && (p->chosen > 0 || p->count == 0));
    must(p->expected_f1 >= 0 && p->expected_f1 < 1.000001);
    for (uint32_t i = 0; i < p->count; i++) {
        must(p->guesses[i].probability >= 0 && p->guesses[i].probability <= 1);
        must(i == 0 || p->guesses[i].probability <= p->guesses[i - 1].probability);
        must(p->guesses[i].path.len > 0 && p->guesses[i].path.len <= SCOPE_PATH_MAX);
    }
}

static void learn_and_ask(const struct scope_log *log, struct str text)
{
    struct scope_learner *l = scope_learner_new(NULL);
    struct scope_prediction p;
    must(l != NULL);
    for (uint32_t i = 0; i < log->count && i < COMMITS_LEARNED; i++) {
        const struct scope_commit *c = &log->commits[i].commit;
        struct scope_question q = {.title = c->title, .body = text, .tree = c->files, .tree_count = c->file_count};
        must(scope_predict(l, &q, &p, NULL) == RC_OK);
        check_prediction(&p);
        must(scope_learn(l, c, NULL) == RC_OK);
    }
    struct scope_question q = {.title = text, .body = text};
    must(scope_predict(l, &q, &p, NULL) == RC_OK);
    check_prediction(&p);
    scope_learner_free(l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena) struct arena *a = arena_new(MEMORY_MAX);
    struct str text = {(const char *)data, size};
    struct scope_log log = {.count = 0};
    struct err e = {0};
    enum rc rc = scope_log_read(a, text, &log, &e);
    must(rc == RC_OK || ((rc == RC_INVALID || rc == RC_LIMIT) && e.text[0] != '\0'));
    learn_and_ask(&log, text);
    return 0;
}
