/* The text of a pattern to its tree. What ECMA-262 knows and this subset does not is refused. */
#include "base/must.h"
#include "value/schema_pattern_internal.h"
#include "value/utf8.h"

#include <string.h>

enum {
    TEXT_MAX = 4096,  /* bytes of one pattern: twice what the program could hold */
    RANGES_MAX = 128, /* of one [...] */
    POINT_MAX = 0x10ffff,
};

struct reader {
    const char *at;
    const char *end;
    const char *start;
    struct arena *arena;
    struct err *err;
    int depth;
};

struct set_builder {
    struct pattern_range ranges[RANGES_MAX];
    uint32_t count;
};

/* All sorted, so that a complement is the gaps. */
static const struct pattern_range digit_ranges[] = {{'0', '9'}};
static const struct pattern_range word_ranges[] = {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
static const struct pattern_range space_ranges[] = {
    {'\t', '\r'},     {' ', ' '},       {0xa0, 0xa0},     {0x1680, 0x1680}, {0x2000, 0x200a},
    {0x2028, 0x2029}, {0x202f, 0x202f}, {0x205f, 0x205f}, {0x3000, 0x3000}, {0xfeff, 0xfeff}};
static const struct pattern_range line_ranges[] = {{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}};

#define SET(ranges, negated)                                                                       \
    {                                                                                              \
        (ranges), sizeof(ranges) / sizeof *(ranges), (negated)                                     \
    }
static const struct pattern_set any_set = SET(line_ranges, true);

/* The sets that a backslash and a letter name. */
static const struct {
    char letter;
    struct pattern_set set;
} named_sets[] = {
    {'d', SET(digit_ranges, false)}, {'D', SET(digit_ranges, true)},
    {'w', SET(word_ranges, false)},  {'W', SET(word_ranges, true)},
    {'s', SET(space_ranges, false)}, {'S', SET(space_ranges, true)},
};

static enum rc read_either(struct reader *r, struct pattern_node **ret);

static enum rc fail(struct reader *r, const char *place, const char *what)
{
    return err_set(r->err, RC_INVALID, "pattern: %s at byte %zu", what, (size_t)(place - r->start));
}

static enum rc too_large(struct reader *r, const char *what)
{
    return err_set(r->err, RC_LIMIT, "pattern: %s", what);
}

static enum rc node_new(struct reader *r, struct pattern_node node, struct pattern_node **ret)
{
    struct pattern_node *n = arena_alloc(r->arena, sizeof *n);
    if (n == NULL) {
        return err_set(r->err, arena_rc(r->arena), "pattern takes more memory than its maximum");
    }
    *n = node;
    *ret = n;
    return RC_OK;
}

static bool next_is(const struct reader *r, char c)
{
    return r->at < r->end && *r->at == c;
}

static const struct pattern_set *named_set(char letter)
{
    for (size_t i = 0; i < sizeof named_sets / sizeof *named_sets; i++) {
        if (named_sets[i].letter == letter) {
            return &named_sets[i].set;
        }
    }
    return NULL;
}

/* at is behind a backslash: a set, or else a point. */
static enum rc read_escape(struct reader *r, const struct pattern_set **ret_set,
                           uint32_t *ret_point)
{
    static const char letters[] = "tnvfr";
    static const char meanings[] = "\t\n\v\f\r";
    if (r->at == r->end || *r->at == '\0') {
        return fail(r, r->at - 1, "unfinished escape");
    }
    char c = *r->at++;
    *ret_set = named_set(c);
    const char *letter = strchr(letters, c);
    if (letter != NULL) {
        *ret_point = (unsigned char)meanings[letter - letters];
    } else if (strchr("^$\\.*+?()[]{}|/-", c) != NULL) {
        *ret_point = (unsigned char)c;
    } else if (*ret_set == NULL) {
        return fail(r, r->at - 2, "an escape that is not known");
    }
    return RC_OK;
}

static enum rc read_point(struct reader *r, uint32_t *ret)
{
    size_t len = utf8_decode(r->at, r->end, ret);
    if (len == 0) {
        return fail(r, r->at, "invalid UTF-8");
    }
    r->at += len;
    return RC_OK;
}

static enum rc set_add(struct reader *r, struct set_builder *b, uint32_t first, uint32_t last)
{
    if (b->count == RANGES_MAX) {
        return too_large(r, "a [...] of too many ranges");
    }
    b->ranges[b->count++] = (struct pattern_range){first, last};
    return RC_OK;
}

static enum rc set_add_set(struct reader *r, struct set_builder *b, const struct pattern_set *set)
{
    enum rc rc = RC_OK;
    uint32_t gap = 0;
    for (uint32_t i = 0; rc == RC_OK && i < set->count; i++) {
        const struct pattern_range *range = &set->ranges[i];
        /* No set begins at 0, so there is a gap before each of its ranges. */
        rc = set->negated ? set_add(r, b, gap, range->first - 1)
                          : set_add(r, b, range->first, range->last);
        gap = range->last + 1;
    }
    return rc == RC_OK && set->negated ? set_add(r, b, gap, POINT_MAX) : rc;
}

/* One end of a range inside [...]: a point, or a set that stands alone. */
static enum rc read_class_atom(struct reader *r, const struct pattern_set **ret_set,
                               uint32_t *ret_point)
{
    *ret_set = NULL;
    if (next_is(r, '\\')) {
        r->at++;
        return read_escape(r, ret_set, ret_point);
    }
    if (next_is(r, '[')) {
        return fail(r, r->at, "'[' without a backslash in [...]");
    }
    return read_point(r, ret_point);
}

static enum rc read_class_item(struct reader *r, struct set_builder *b)
{
    const char *place = r->at;
    const struct pattern_set *set;
    uint32_t first = 0;
    enum rc rc = read_class_atom(r, &set, &first);
    if (rc != RC_OK) {
        return rc;
    }
    /* A '-' in front of ']' is itself. */
    bool range = r->end - r->at >= 2 && r->at[0] == '-' && r->at[1] != ']';
    if (!range) {
        return set != NULL ? set_add_set(r, b, set) : set_add(r, b, first, first);
    }
    r->at++;
    const struct pattern_set *last_set;
    uint32_t last = 0;
    rc = read_class_atom(r, &last_set, &last);
    if (rc != RC_OK) {
        return rc;
    }
    if (set != NULL || last_set != NULL || last < first) {
        return fail(r, place, "a range that is none");
    }
    return set_add(r, b, first, last);
}

static enum rc set_finish(struct reader *r, const struct set_builder *b, bool negated,
                          struct pattern_node **ret)
{
    struct pattern_range *ranges = arena_array(r->arena, b->count, sizeof *ranges);
    struct pattern_set *set = arena_alloc(r->arena, sizeof *set);
    if (ranges != NULL && set != NULL) {
        memcpy(ranges, b->ranges, b->count * sizeof *ranges);
        *set = (struct pattern_set){ranges, b->count, negated};
    }
    /* A failed arena stays failed: node_new() reports it. */
    return node_new(r, (struct pattern_node){.kind = PATTERN_SET, .set = set}, ret);
}

/* at is behind '['. */
static enum rc read_class(struct reader *r, struct pattern_node **ret)
{
    struct set_builder b = {.count = 0};
    const char *place = r->at - 1;
    bool negated = next_is(r, '^');
    r->at += negated;
    while (r->at < r->end && *r->at != ']') {
        enum rc rc = read_class_item(r, &b);
        if (rc != RC_OK) {
            return rc;
        }
    }
    if (r->at == r->end) {
        return fail(r, place, "'[' without its ']'");
    }
    r->at++;
    return b.count == 0 ? fail(r, place, "an empty [...]") : set_finish(r, &b, negated, ret);
}

/* at is behind '('. */
static enum rc read_group(struct reader *r, struct pattern_node **ret)
{
    const char *place = r->at - 1;
    if (r->end - r->at >= 2 && r->at[0] == '?' && r->at[1] == ':') {
        r->at += 2;
    }
    if (r->depth == PATTERN_DEPTH_MAX) {
        return too_large(r, "groups nested too deeply");
    }
    r->depth++;
    enum rc rc = read_either(r, ret);
    r->depth--;
    if (rc == RC_OK && !next_is(r, ')')) {
        return fail(r, place, "'(' without its ')'");
    }
    r->at += rc == RC_OK;
    return rc;
}

static enum rc read_atom(struct reader *r, struct pattern_node **ret)
{
    struct pattern_node node = {.kind = PATTERN_POINT};
    enum rc rc = RC_OK;
    char c = *r->at;
    if (strchr("*+?{}]", c) != NULL && c != '\0') {
        return fail(r, r->at, "a quantifier or bracket that belongs to nothing");
    }
    if (strchr("([.^$\\", c) == NULL || c == '\0') {
        rc = read_point(r, &node.point);
        return rc == RC_OK ? node_new(r, node, ret) : rc;
    }
    r->at++;
    switch (c) {
    case '(':
        return read_group(r, ret);
    case '[':
        return read_class(r, ret);
    case '\\':
        rc = read_escape(r, &node.set, &node.point);
        break;
    case '.':
        node.set = &any_set;
        break;
    default:
        node.kind = c == '^' ? PATTERN_START : PATTERN_END;
        break;
    }
    if (node.set != NULL) {
        node.kind = PATTERN_SET;
    }
    return rc == RC_OK ? node_new(r, node, ret) : rc;
}

/* A number of at most PATTERN_REPEAT_MAX. */
static enum rc read_repeat_count(struct reader *r, int *ret)
{
    const char *first = r->at;
    int n = 0;
    for (; r->at < r->end && *r->at >= '0' && *r->at <= '9'; r->at++) {
        n = n * 10 + (*r->at - '0');
        if (n > PATTERN_REPEAT_MAX) {
            return too_large(r, "a repetition beyond 256");
        }
    }
    if (r->at == first) {
        return fail(r, first, "expected a count");
    }
    *ret = n;
    return RC_OK;
}

/* at is behind '{'. */
static enum rc read_braces(struct reader *r, struct pattern_node *node)
{
    const char *place = r->at - 1;
    enum rc rc = read_repeat_count(r, &node->min);
    node->max = node->min;
    if (rc == RC_OK && next_is(r, ',')) {
        r->at++;
        node->max = PATTERN_UNBOUNDED;
        rc = next_is(r, '}') ? RC_OK : read_repeat_count(r, &node->max);
    }
    if (rc != RC_OK) {
        return rc;
    }
    if (!next_is(r, '}')) {
        return fail(r, place, "'{' without its '}'");
    }
    r->at++;
    return node->max != PATTERN_UNBOUNDED && node->max < node->min
               ? fail(r, place, "a repetition that is none")
               : RC_OK;
}

/* Wraps *node when a quantifier follows it. */
static enum rc read_quantifier(struct reader *r, struct pattern_node **node)
{
    if (r->at == r->end || *r->at == '\0' || strchr("*+?{", *r->at) == NULL) {
        return RC_OK;
    }
    const char *place = r->at;
    must(*node != NULL);
    if ((*node)->kind == PATTERN_START || (*node)->kind == PATTERN_END) {
        return fail(r, place, "a quantifier or bracket that belongs to nothing");
    }
    char c = *r->at++;
    struct pattern_node repeat = {
        .kind = PATTERN_REPEAT, .left = *node, .min = c == '+', .max = PATTERN_UNBOUNDED};
    enum rc rc = RC_OK;
    if (c == '?') {
        repeat.max = 1;
    } else if (c == '{') {
        rc = read_braces(r, &repeat);
    }
    if (rc == RC_OK && next_is(r, '?')) {
        return fail(r, r->at, "a lazy quantifier");
    }
    return rc == RC_OK ? node_new(r, repeat, node) : rc;
}

/* Appends a link that holds left to a chain; *last is null before the first. */
static enum rc chain_add(struct reader *r, struct pattern_node link, struct pattern_node **first,
                         struct pattern_node **last)
{
    struct pattern_node *n = NULL;
    enum rc rc = node_new(r, link, &n);
    if (rc == RC_OK) {
        *(*last == NULL ? first : &(*last)->next) = n;
        *last = n;
    }
    return rc;
}

static enum rc read_sequence(struct reader *r, struct pattern_node **ret)
{
    struct pattern_node *last = NULL;
    while (r->at < r->end && *r->at != '|' && *r->at != ')') {
        struct pattern_node *atom = NULL;
        enum rc rc = read_atom(r, &atom);
        rc = rc == RC_OK ? read_quantifier(r, &atom) : rc;
        rc = rc == RC_OK ? chain_add(r, (struct pattern_node){.kind = PATTERN_ALL, .left = atom},
                                     ret, &last)
                         : rc;
        if (rc != RC_OK) {
            return rc;
        }
    }
    return last != NULL ? RC_OK : node_new(r, (struct pattern_node){.kind = PATTERN_EMPTY}, ret);
}

static enum rc read_either(struct reader *r, struct pattern_node **ret)
{
    struct pattern_node *last = NULL;
    for (;;) {
        struct pattern_node *sequence = NULL;
        enum rc rc = read_sequence(r, &sequence);
        rc = rc == RC_OK
                 ? chain_add(r, (struct pattern_node){.kind = PATTERN_EITHER, .left = sequence},
                             ret, &last)
                 : rc;
        if (rc != RC_OK || !next_is(r, '|')) {
            return rc;
        }
        r->at++;
    }
}

enum rc pattern_read(struct arena *a, struct str text, struct pattern_node **ret, struct err *e)
{
    struct reader r = {.at = text.len > 0 ? text.ptr : "", .arena = a, .err = e};
    r.start = r.at;
    r.end = r.at + text.len;
    if (text.len > TEXT_MAX) {
        return too_large(&r, "longer than 4096 bytes");
    }
    enum rc rc = read_either(&r, ret);
    return rc == RC_OK && r.at < r.end ? fail(&r, r.at, "')' without its '('") : rc;
}
