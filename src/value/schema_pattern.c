/* A pattern's tree to its program, and the run of the program over a text. */
#include "base/must.h"
#include "value/schema_pattern_internal.h"
#include "value/utf8.h"

#include <string.h>

enum {
    /* Nodes visited while the program is made: repetitions of nothing, such as (){256}, make no
     * instructions that would count. */
    VISITS_MAX = 8 * PATTERN_PROGRAM_MAX,
    MARK_WORDS = PATTERN_PROGRAM_MAX / 64,
    NOWHERE = UINT16_MAX,
    REPLACEMENT = 0xfffd,
};

enum op { OP_POINT, OP_SET, OP_START, OP_END, OP_SPLIT, OP_JUMP, OP_MATCH };

struct instruction {
    enum op op;
    uint16_t next;  /* OP_JUMP, OP_SPLIT; the others go on with the one below */
    uint16_t other; /* OP_SPLIT */
    uint32_t point;
    const struct pattern_set *set;
};

struct pattern {
    const struct instruction *code;
    uint16_t count;
    bool begins[256]; /* bytes that a match which is not empty can begin with */
};

struct emitter {
    struct instruction *code; /* PATTERN_PROGRAM_MAX */
    uint16_t count;
    unsigned visits;
    bool full;
};

static void emit(struct emitter *m, const struct pattern_node *node);

/* Its index; the last one's again once the program is full. */
static uint16_t put(struct emitter *m, struct instruction i)
{
    if (m->count == PATTERN_PROGRAM_MAX) {
        m->full = true;
        return PATTERN_PROGRAM_MAX - 1;
    }
    m->code[m->count] = i;
    return m->count++;
}

/* Makes every jump of a list, linked through next, lead here. */
static void land(struct emitter *m, uint16_t jumps)
{
    while (jumps != NOWHERE && !m->full) {
        uint16_t following = m->code[jumps].next;
        m->code[jumps].next = m->count;
        jumps = following;
    }
}

static void emit_either(struct emitter *m, const struct pattern_node *node)
{
    uint16_t jumps = NOWHERE;
    for (; node->next != NULL && !m->full; node = node->next) {
        uint16_t split = put(m, (struct instruction){.op = OP_SPLIT});
        m->code[split].next = m->count;
        emit(m, node->left);
        jumps = put(m, (struct instruction){.op = OP_JUMP, .next = jumps});
        m->code[split].other = m->count;
    }
    emit(m, node->left);
    land(m, jumps);
}

static void emit_loop(struct emitter *m, const struct pattern_node *body)
{
    uint16_t split = put(m, (struct instruction){.op = OP_SPLIT});
    m->code[split].next = m->count;
    emit(m, body);
    put(m, (struct instruction){.op = OP_JUMP, .next = split});
    m->code[split].other = m->count;
}

static void emit_repeat(struct emitter *m, const struct pattern_node *node)
{
    for (int i = 0; i < node->min && !m->full; i++) {
        emit(m, node->left);
    }
    if (node->max == PATTERN_UNBOUNDED) {
        emit_loop(m, node->left);
        return;
    }
    uint16_t skips = NOWHERE;
    for (int i = node->min; i < node->max && !m->full; i++) {
        skips = put(m, (struct instruction){.op = OP_SPLIT, .next = skips});
        m->code[skips].other = m->count;
        emit(m, node->left);
    }
    land(m, skips);
}

static void emit(struct emitter *m, const struct pattern_node *node)
{
    for (; node != NULL && !m->full; node = node->kind == PATTERN_ALL ? node->next : NULL) {
        m->full = ++m->visits > VISITS_MAX;
        switch (node->kind) {
        case PATTERN_EMPTY:
            break;
        case PATTERN_POINT:
            put(m, (struct instruction){.op = OP_POINT, .point = node->point});
            break;
        case PATTERN_SET:
            put(m, (struct instruction){.op = OP_SET, .set = node->set});
            break;
        case PATTERN_START:
        case PATTERN_END:
            put(m, (struct instruction){.op = node->kind == PATTERN_START ? OP_START : OP_END});
            break;
        case PATTERN_ALL:
            emit(m, node->left);
            break;
        case PATTERN_EITHER:
            emit_either(m, node);
            break;
        case PATTERN_REPEAT:
            emit_repeat(m, node);
            break;
        }
    }
}

static void find_beginnings(struct pattern *p);

/* Keeps of the emitter's program exactly what is used. */
static enum rc finish(struct arena *a, const struct emitter *m, const struct pattern **ret,
                      struct err *e)
{
    struct instruction *code = arena_array(a, m->count, sizeof *code);
    struct pattern *p = arena_alloc(a, sizeof *p);
    if (code == NULL || p == NULL) {
        return err_set(e, arena_rc(a), "pattern takes more memory than its maximum");
    }
    memcpy(code, m->code, m->count * sizeof *code);
    *p = (struct pattern){.code = code, .count = m->count};
    find_beginnings(p);
    *ret = p;
    return RC_OK;
}

enum rc pattern_compile(struct arena *a, struct str text, const struct pattern **ret, struct err *e)
{
    struct pattern_node *tree = NULL;
    enum rc rc = pattern_read(a, text, &tree, e);
    if (rc != RC_OK) {
        return rc;
    }
    struct instruction code[PATTERN_PROGRAM_MAX];
    struct emitter m = {.code = code};
    emit(&m, tree);
    put(&m, (struct instruction){.op = OP_MATCH});
    if (m.full) {
        return err_set(e, RC_LIMIT, "pattern: too large when its repetitions are written out");
    }
    return finish(a, &m, ret, e);
}

/* The instructions that wait for the next code point, each once. */
struct threads {
    uint64_t seen[MARK_WORDS];
    uint16_t at[PATTERN_PROGRAM_MAX];
    /* Where the match began that each belongs to. Lists keep them ascending: those that go on come
     * before the one that begins, so an instruction is marked by the earliest first. */
    size_t from[PATTERN_PROGRAM_MAX];
    uint16_t count;
};

struct run {
    const struct pattern *pattern;
    struct threads lists[2];
    uint64_t work;
    size_t from; /* of the thread that is being added */
    bool matched;
    bool any; /* one match is enough */
    size_t matched_from;
};

static void threads_clear(struct threads *t, const struct pattern *p)
{
    memset(t->seen, 0, ((size_t)p->count + 63) / 64 * sizeof *t->seen);
    t->count = 0;
}

/* Marks i and puts it on the stack unless it was seen. */
static void visit(struct threads *t, uint16_t i, uint16_t *stack, uint16_t *height)
{
    uint64_t bit = 1ULL << (i % 64);
    if ((t->seen[i / 64] & bit) == 0) {
        t->seen[i / 64] |= bit;
        stack[(*height)++] = i;
    }
}

/* Follows every instruction that takes no code point, from first on. */
static void threads_add(struct run *r, struct threads *t, uint16_t first, bool at_start,
                        bool at_end)
{
    uint16_t stack[PATTERN_PROGRAM_MAX];
    uint16_t height = 0;
    visit(t, first, stack, &height);
    while (height > 0) {
        uint16_t at = stack[--height];
        const struct instruction *i = &r->pattern->code[at];
        r->work++;
        switch (i->op) {
        case OP_SPLIT:
            visit(t, i->other, stack, &height);
            visit(t, i->next, stack, &height);
            break;
        case OP_JUMP:
            visit(t, i->next, stack, &height);
            break;
        case OP_START:
        case OP_END:
            if (i->op == OP_START ? at_start : at_end) {
                visit(t, (uint16_t)(at + 1), stack, &height);
            }
            break;
        case OP_MATCH:
            r->matched_from = r->matched ? r->matched_from : r->from;
            r->matched = true;
            break;
        case OP_POINT:
        case OP_SET:
            t->from[t->count] = r->from;
            t->at[t->count++] = at;
            break;
        }
    }
}

static bool takes(const struct instruction *i, uint32_t point)
{
    if (i->op == OP_POINT) {
        return i->point == point;
    }
    for (uint32_t k = 0; k < i->set->count; k++) {
        if (point >= i->set->ranges[k].first && point <= i->set->ranges[k].last) {
            return !i->set->negated;
        }
    }
    return i->set->negated;
}

static void step(struct run *r, const struct threads *now, struct threads *then, uint32_t point,
                 bool at_end)
{
    threads_clear(then, r->pattern);
    for (uint16_t k = 0; k < now->count && !(r->matched && r->any); k++) {
        r->work++;
        r->from = now->from[k];
        if (takes(&r->pattern->code[now->at[k]], point)) {
            threads_add(r, then, (uint16_t)(now->at[k] + 1), false, at_end);
        }
    }
}

/* The lists are left as they are: they are large, and cleared before they are read. */
static void run_begin(struct run *r, const struct pattern *p, bool any)
{
    r->pattern = p;
    r->work = 0;
    r->from = 0;
    r->matched = false;
    r->any = any;
    r->matched_from = 0;
}

bool pattern_matches(const struct pattern *p, struct str s, uint64_t max_work, uint64_t *ret_work)
{
    must(p->count > 0 && p->count <= PATTERN_PROGRAM_MAX);
    struct run r;
    run_begin(&r, p, true);
    struct threads *now = &r.lists[0];
    struct threads *then = &r.lists[1];
    threads_clear(now, p);
    const char *at = s.len > 0 ? s.ptr : "";
    const char *end = at + s.len;
    threads_add(&r, now, 0, true, at == end);
    /* A match may begin anywhere: the program is entered again at every code point. */
    while (!r.matched && at < end && r.work <= max_work &&
           (now->count > 0 || p->code[0].op != OP_START)) {
        uint32_t point = REPLACEMENT; /* for a byte that is no UTF-8: no reader lets one in */
        size_t len = utf8_decode(at, end, &point);
        at += len > 0 ? len : 1;
        step(&r, now, then, point, at == end);
        threads_add(&r, then, 0, false, at == end);
        struct threads *swap = now;
        now = then;
        then = swap;
    }
    *ret_work = r.work;
    return r.matched;
}

/* What the program can take first, whatever ^ and $ say about the place. */
static void find_beginnings(struct pattern *p)
{
    struct run r;
    run_begin(&r, p, false);
    threads_clear(&r.lists[0], p);
    threads_add(&r, &r.lists[0], 0, true, true);
    for (uint16_t k = 0; k < r.lists[0].count; k++) {
        const struct instruction *i = &p->code[r.lists[0].at[k]];
        for (uint32_t byte = 0; byte < 256; byte++) {
            /* What is not ASCII begins with one of many bytes: all of them will do. */
            p->begins[byte] |= byte >= 0x80 || takes(i, byte);
        }
    }
}

/* Where the next match can begin at or after at, or end. */
static const char *skip_to_beginning(const struct pattern *p, const char *at, const char *end)
{
    while (at < end && !p->begins[(unsigned char)*at]) {
        at++;
    }
    return at;
}

bool pattern_find(const struct pattern *p, const struct pattern_search *in, uint64_t max_work,
                  uint64_t *ret_work)
{
    must(p->count > 0 && in->from <= in->to && in->to <= in->text.len);
    struct run r;
    run_begin(&r, p, false);
    struct threads *now = &r.lists[0];
    struct threads *then = &r.lists[1];
    threads_clear(now, p);
    const char *start = in->text.len > 0 ? in->text.ptr : "";
    const char *end = start + in->to;
    const char *at = start + in->from;
    while (at < end && r.work <= max_work) {
        if (now->count == 0) {
            at = skip_to_beginning(p, at, end);
            if (at == end || (at > start && p->code[0].op == OP_START)) {
                break;
            }
        }
        r.from = (size_t)(at - start);
        threads_add(&r, now, 0, at == start, false);
        r.matched = false; /* an empty match is none */
        uint32_t point = REPLACEMENT;
        size_t len = utf8_decode(at, end, &point);
        at += len > 0 ? len : 1;
        step(&r, now, then, point, at == start + in->text.len);
        if (r.matched) {
            in->found(in->context, r.matched_from, (size_t)(at - start));
        }
        struct threads *swap = now;
        now = then;
        then = swap;
    }
    *ret_work = r.work;
    return r.work <= max_work;
}
