/*
 * Equality and order.
 *
 * Numbers of different kinds compare by value (an int with a double as doubles, like cel-go);
 * values of other different kinds are unequal. Lists compare by element, maps without regard to
 * order. NaN is unequal to everything and has no order. Source: cel-spec doc/langdef.md, "Equality
 * and Ordering".
 */
#include "cel/address.h"
#include "cel/functions.h"

#include <string.h>

static enum cel_order order_i64(int64_t a, int64_t b)
{
    return a < b ? ORDER_LESS : a > b ? ORDER_GREATER : ORDER_EQUAL;
}

static enum cel_order order_u64(uint64_t a, uint64_t b)
{
    return a < b ? ORDER_LESS : a > b ? ORDER_GREATER : ORDER_EQUAL;
}

static enum cel_order order_double(double a, double b)
{
    return a < b ? ORDER_LESS : a > b ? ORDER_GREATER : a == b ? ORDER_EQUAL : ORDER_NONE;
}

static bool is_number(const struct cel_value *v)
{
    return v->kind == CEL_INT || v->kind == CEL_UINT || v->kind == CEL_DOUBLE;
}

static double as_double(const struct cel_value *v)
{
    return v->kind == CEL_INT    ? (double)v->integer
           : v->kind == CEL_UINT ? (double)v->natural
                                 : v->number;
}

static enum cel_order order_numbers(const struct cel_value *a, const struct cel_value *b)
{
    if (a->kind == CEL_DOUBLE || b->kind == CEL_DOUBLE) {
        return order_double(as_double(a), as_double(b));
    }
    if (a->kind == b->kind) {
        return a->kind == CEL_INT ? order_i64(a->integer, b->integer)
                                  : order_u64(a->natural, b->natural);
    }
    if (a->kind == CEL_INT) {
        return a->integer < 0 ? ORDER_LESS : order_u64((uint64_t)a->integer, b->natural);
    }
    return b->integer < 0 ? ORDER_GREATER : order_u64(a->natural, (uint64_t)b->integer);
}

static enum cel_order order_texts(struct machine *m, const struct cel_value *a,
                                  const struct cel_value *b)
{
    if (!charge(m, steps_of(a->len < b->len ? a->len : b->len))) {
        return ORDER_BAD;
    }
    int c = str_cmp(cel_text(a), cel_text(b));
    return c < 0 ? ORDER_LESS : c > 0 ? ORDER_GREATER : ORDER_EQUAL;
}

enum cel_order values_order(struct machine *m, const struct cel_value *a, const struct cel_value *b)
{
    if (is_number(a) && is_number(b)) {
        return order_numbers(a, b);
    }
    if (a->kind != b->kind) {
        return ORDER_BAD;
    }
    switch ((enum cel_kind)a->kind) {
    case CEL_BOOL:
        return order_i64(a->boolean, b->boolean);
    case CEL_STRING:
    case CEL_BYTES:
        return order_texts(m, a, b);
    case CEL_TIMESTAMP: {
        enum cel_order o = order_i64(a->integer, b->integer);
        return o != ORDER_EQUAL ? o : order_i64(a->aux, b->aux);
    }
    case CEL_DURATION:
        return order_i64(a->integer, b->integer);
    default:
        return ORDER_BAD;
    }
}

static bool equal(struct machine *m, const struct cel_value *a, const struct cel_value *b,
                  int depth);

static bool equal_lists(struct machine *m, const struct cel_value *a, const struct cel_value *b,
                        int depth)
{
    if (a->aux != b->aux) {
        return false;
    }
    for (uint32_t i = 0; i < a->aux; i++) {
        struct cel_value x;
        struct cel_value y;
        cel_list_at(a, i, m->arena, &x);
        cel_list_at(b, i, m->arena, &y);
        if (!charge(m, 1) || !equal(m, &x, &y, depth)) {
            return false;
        }
    }
    return true;
}

static bool equal_maps(struct machine *m, const struct cel_value *a, const struct cel_value *b,
                       int depth)
{
    if (a->aux != b->aux) {
        return false;
    }
    for (uint32_t i = 0; i < a->aux; i++) {
        struct cel_entry entry;
        struct cel_value other;
        cel_map_at(a, i, m->arena, &entry);
        if (!charge(m, b->form == CEL_JSON ? 1 + b->aux / 8 : 1) ||
            !cel_map_find(b, &entry.key, m->arena, &other) ||
            !equal(m, &entry.value, &other, depth)) {
            return false;
        }
    }
    return true;
}

static bool equal_addresses(const struct cel_value *a, const struct cel_value *b)
{
    struct cel_address x = address_plain(a->address);
    struct cel_address y = address_plain(b->address);
    return x.family == y.family && memcmp(x.bytes, y.bytes, sizeof x.bytes) == 0 &&
           (a->kind == CEL_IP || a->address->prefix == b->address->prefix);
}

static bool equal_texts(struct machine *m, const struct cel_value *a, const struct cel_value *b)
{
    return a->len == b->len && charge(m, steps_of(a->len)) &&
           (a->len == 0 || memcmp(a->text, b->text, a->len) == 0);
}

static bool equal_same_kind(struct machine *m, const struct cel_value *a, const struct cel_value *b,
                            int depth)
{
    switch ((enum cel_kind)a->kind) {
    case CEL_NULL:
        return true;
    case CEL_BOOL:
        return a->boolean == b->boolean;
    case CEL_STRING:
    case CEL_BYTES:
        return equal_texts(m, a, b);
    case CEL_LIST:
        return equal_lists(m, a, b, depth + 1);
    case CEL_MAP:
        return equal_maps(m, a, b, depth + 1);
    case CEL_TYPE:
        return str_eq(cel_type_name(a->type), cel_type_name(b->type));
    case CEL_TIMESTAMP:
        return a->integer == b->integer && a->aux == b->aux;
    case CEL_DURATION:
        return a->integer == b->integer;
    case CEL_IP:
    case CEL_CIDR:
        return equal_addresses(a, b);
    case CEL_OPTIONAL:
        return a->items == NULL || b->items == NULL ? a->items == b->items
                                                    : equal(m, a->items, b->items, depth + 1);
    case CEL_OBJECT:
        return a->class == b->class && a->self == b->self;
    default:
        return false;
    }
}

static bool equal(struct machine *m, const struct cel_value *a, const struct cel_value *b,
                  int depth)
{
    if (is_number(a) && is_number(b)) {
        return order_numbers(a, b) == ORDER_EQUAL;
    }
    if (a->kind != b->kind) {
        return false;
    }
    if (depth >= CEL_EQUAL_DEPTH_MAX) {
        /* Deeper than any expression makes: cut rather than answer. */
        machine_cut(m, CEL_CUT_COST);
        return false;
    }
    return equal_same_kind(m, a, b, depth);
}

bool values_equal(struct machine *m, const struct cel_value *a, const struct cel_value *b)
{
    return equal(m, a, b, 0);
}

/* Both operands; false when *ret is the error of one. */
static bool operands(struct machine *m, const struct cel_node *n, const struct cel_value **a,
                     const struct cel_value **b, struct cel_value *room)
{
    *a = operand(m, n->kids[0], &room[0]);
    if (is_error(*a)) {
        return false;
    }
    *b = operand(m, n->kids[1], &room[1]);
    return !is_error(*b);
}

static void eval_equality(struct machine *m, const struct cel_node *n, bool wanted,
                          struct cel_value *ret)
{
    struct cel_value room[2];
    const struct cel_value *a = NULL;
    const struct cel_value *b = NULL;
    if (!operands(m, n, &a, &b, room)) {
        *ret = is_error(a) ? *a : *b;
        return;
    }
    bool texts = a->kind == CEL_STRING && b->kind == CEL_STRING;
    bool same = texts ? equal_texts(m, a, b) : values_equal(m, a, b);
    if (m->cut != CEL_FAULT) {
        fault_set(m, n, ret, "");
        return;
    }
    *ret = cel_of_bool(same == wanted);
}

void eval_equal(struct machine *m, const struct cel_node *n, struct cel_value *ret)
{
    eval_equality(m, n, true, ret);
}

void eval_not_equal(struct machine *m, const struct cel_node *n, struct cel_value *ret)
{
    eval_equality(m, n, false, ret);
}

/* accepted: a bit for each order for which the relation holds, 1 << (order + 1). */
static void eval_relation(struct machine *m, const struct cel_node *n, unsigned accepted,
                          struct cel_value *ret)
{
    struct cel_value room[2];
    const struct cel_value *a = NULL;
    const struct cel_value *b = NULL;
    if (!operands(m, n, &a, &b, room)) {
        *ret = is_error(a) ? *a : *b;
        return;
    }
    enum cel_order o = values_order(m, a, b);
    if (o == ORDER_BAD) {
        fault_overload(m, n, ret);
        return;
    }
    *ret = cel_of_bool((accepted >> (o + 1) & 1) != 0);
}

enum { ACCEPT_LESS = 1, ACCEPT_EQUAL = 2, ACCEPT_GREATER = 4 };

void eval_less(struct machine *m, const struct cel_node *n, struct cel_value *ret)
{
    eval_relation(m, n, ACCEPT_LESS, ret);
}

void eval_less_equal(struct machine *m, const struct cel_node *n, struct cel_value *ret)
{
    eval_relation(m, n, ACCEPT_LESS | ACCEPT_EQUAL, ret);
}

void eval_greater(struct machine *m, const struct cel_node *n, struct cel_value *ret)
{
    eval_relation(m, n, ACCEPT_GREATER, ret);
}

void eval_greater_equal(struct machine *m, const struct cel_node *n, struct cel_value *ret)
{
    eval_relation(m, n, ACCEPT_GREATER | ACCEPT_EQUAL, ret);
}
