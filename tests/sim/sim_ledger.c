/* tests/sim: entries, folding them again, digests. */
#include "sim.h"

#include <inttypes.h>

struct sim *sim_new(uint64_t seed, uint64_t hash_seed)
{
    struct sim *s = calloc(1, sizeof *s);
    if (s == NULL) {
        abort();
    }
    s->seed = seed;
    s->random = (seed ^ 0x2545f4914f6cdd1dULL) * 0xd1342543de82ef95ULL;
    s->now_ms = 1800000000000;
    s->w = world_new(hash_seed);
    s->a = arena_new(256 << 20);
    s->actions = calloc(SIM_ACTIONS_MAX, sizeof *s->actions);
    s->entries = calloc(SIM_ENTRIES_MAX, sizeof *s->entries);
    signals_init(&s->signals);
    sim_must(s, s->w != NULL && s->a != NULL && s->actions != NULL && s->entries != NULL, "memory");
    return s;
}

void sim_free(struct sim *s)
{
    for (size_t i = 0; i < s->entry_count; i++) {
        free(s->entries[i].header);
        free(s->entries[i].body);
        free(s->entries[i].policy);
    }
    free(s->entries);
    free(s->actions);
    signals_done(&s->signals);
    arena_free(s->a);
    world_free(s->w);
    free(s);
}

/* splitmix64 */
uint64_t sim_random(struct sim *s, uint64_t below)
{
    uint64_t z = s->random += 0x9e3779b97f4a7c15ULL;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
    return (z ^ z >> 31) % below;
}

void sim_must(const struct sim *s, bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "seed %" PRIu64 ", step %u: does not hold: %s\n", s->seed, s->step, what);
        exit(1);
    }
}

static char *keep(struct sim *s, struct str bytes)
{
    char *copy = malloc(bytes.len + 1);
    sim_must(s, copy != NULL, "memory");
    if (bytes.len > 0) {
        memcpy(copy, bytes.ptr, bytes.len);
    }
    copy[bytes.len] = '\0';
    return copy;
}

static void apply_text(const struct sim *s, struct world *w, const struct sim_entry *e)
{
    CLEANUP(arena) struct arena *a = arena_new(64 << 20);
    struct entry entry;
    struct value body;
    struct err why;
    enum rc rc = entry_parse((struct str){e->header, e->header_len}, &entry, &why);
    rc = rc == RC_OK ? json_parse(a, (struct str){e->body, e->body_len}, &body, &why) : rc;
    rc = rc == RC_OK ? world_apply(w, &entry, &body, (struct str){e->policy, e->policy_len}, &why) : rc;
    sim_must(s, rc == RC_OK, rc == RC_OK ? "" : why.text);
}

static uint64_t append(struct sim *s, struct entry *entry, const struct value *body, struct str policy)
{
    sim_must(s, s->entry_count < SIM_ENTRIES_MAX, "room for entries");
    struct sim_entry *e = &s->entries[s->entry_count];
    entry->v = entry_kind_version(entry->kind);
    entry->seq = world_next_seq(s->w);
    entry->time_ms = s->now_ms;
    struct buf b;
    buf_init(&b, ENTRY_BODY_MAX);
    entry_write(&b, entry);
    e->header_len = b.len;
    e->header = keep(s, buf_view(&b));
    buf_reset(&b);
    json_write_canonical(&b, body, s->a);
    e->body_len = b.len;
    e->body = keep(s, buf_view(&b));
    e->policy_len = policy.len;
    e->policy = keep(s, policy);
    buf_done(&b);
    s->entry_count++;
    apply_text(s, s->w, e);
    return entry->seq;
}

uint64_t sim_append_ref(struct sim *s, enum entry_kind kind, const char *actor, const char *prefix, uint64_t ref,
                        const struct value *body)
{
    struct id_text id = id_format(prefix, ref);
    struct entry entry = {.kind = kind, .actor = str_from(actor), .refs = {str_from(id.text)}, .ref_count = 1};
    return append(s, &entry, body, STR(""));
}

uint64_t sim_append(struct sim *s, enum entry_kind kind, const char *actor, uint64_t action, const struct value *body)
{
    struct entry entry = {.kind = kind, .actor = str_from(actor)};
    return action != 0 ? sim_append_ref(s, kind, actor, "act", action, body) : append(s, &entry, body, STR(""));
}

void sim_load_policy(struct sim *s, const char *text)
{
    char *json = keep(s, str_from(text));
    for (char *c = json; *c != '\0'; c++) {
        *c = *c == '\'' ? '"' : *c;
    }
    struct policy *p = NULL;
    struct err e;
    enum rc rc = policy_parse(str_from(json), &p, &e);
    sim_must(s, rc == RC_OK, rc == RC_OK ? "" : e.text);
    struct buf b;
    buf_init(&b, POLICY_TEXT_MAX);
    policy_write(&b, p);
    policy_free(p);
    struct value body = value_object();
    value_add_str(s->a, &body, STR("hash"), arena_printf(s->a, "sha256:%zu", b.len));
    struct entry entry = {.kind = ENTRY_POLICY_LOADED, .actor = STR("system")};
    append(s, &entry, &body, buf_view(&b));
    buf_done(&b);
    free(json);
}

/* --- digests and folding ---------------------------------------------------------------------------------- */

static enum rc mix(void *context, struct str record, struct err *e)
{
    uint64_t *d = context;
    (void)e;
    for (size_t i = 0; i <= record.len; i++) {
        unsigned char c = i < record.len ? (unsigned char)record.ptr[i] : '\n';
        d[0] = (d[0] ^ c) * 0x100000001b3ULL;
        d[1] = (d[1] ^ c) * 0x100000001b3ULL;
    }
    return RC_OK;
}

void sim_digest(const struct world *w, uint64_t ret[2])
{
    struct err e;
    ret[0] = 0xcbf29ce484222325ULL;
    ret[1] = 0x84222325cbf29ce4ULL;
    if (world_save(w, mix, ret, &e) != RC_OK) {
        fprintf(stderr, "%s\n", e.text);
        exit(1);
    }
}

static enum rc load(void *context, struct str record, struct err *e)
{
    return world_load_record(context, record, e);
}

static bool same(const struct world *a, const struct world *b)
{
    uint64_t x[2];
    uint64_t y[2];
    sim_digest(a, x);
    sim_digest(b, y);
    return x[0] == y[0] && x[1] == y[1];
}

void sim_refold(struct sim *s, uint64_t hash_seed)
{
    struct world *w = world_new(hash_seed);
    size_t cut = sim_random(s, s->entry_count);
    sim_must(s, w != NULL, "memory");
    for (size_t i = 0; i < s->entry_count; i++) {
        if (i == cut) {
            struct world *loaded = world_new(hash_seed + 17);
            struct err e;
            sim_must(s, loaded != NULL && world_save(w, load, loaded, &e) == RC_OK && world_load_end(loaded, &e) == RC_OK,
                     "a snapshot loads");
            sim_must(s, same(w, loaded), "a snapshot is the world");
            world_free(w);
            w = loaded;
        }
        apply_text(s, w, &s->entries[i]);
    }
    sim_must(s, same(w, s->w), "the entries make the world again");
    world_free(w);
}
