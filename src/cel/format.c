/*
 * "...".format([...]): %s %d %f %e %b %o %x %X %%, with a precision before f and e.
 *
 * Source: cel-go ext/README.md "Strings", "Format", and its locale-independent form.
 */
#include "cel/strings.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct formatter {
    struct machine *m;
    const struct cel_node *n;
    struct buf out;
    struct cel_value *ret; /* where an error goes */
};

/* One clause behind its percent sign. */
struct clause {
    char letter;
    int precision; /* -1: none */
};

static bool refuse(struct formatter *f, const char *clause, const struct cel_value *v)
{
    fault_format(f->m, f->n, f->ret, "error during formatting: %s, was given %s", clause,
                 cel_kind_name((enum cel_kind)v->kind));
    return false;
}

enum { FORMAT_DEPTH_MAX = 32 };

static bool put_value(struct formatter *f, const struct cel_value *v, int depth);

static bool put_list(struct formatter *f, const struct cel_value *v, int depth)
{
    buf_char(&f->out, '[');
    for (uint32_t i = 0; i < v->aux; i++) {
        struct cel_value item;
        cel_list_at(v, i, f->m->arena, &item);
        buf_str(&f->out, i > 0 ? STR(", ") : STR(""));
        if (!put_value(f, &item, depth + 1)) {
            return false;
        }
    }
    buf_char(&f->out, ']');
    return true;
}

/* A map's key as text, with its entry, to be sorted. */
struct shown {
    struct str key;
    struct cel_value value;
};

static int shown_order(const void *a, const void *b)
{
    const struct shown *x = a;
    const struct shown *y = b;
    return str_cmp(x->key, y->key);
}

static struct shown *shown_entries(struct formatter *f, const struct cel_value *v)
{
    struct shown *entries = machine_alloc(f->m, v->aux, sizeof *entries);
    for (uint32_t i = 0; entries != NULL && i < v->aux; i++) {
        struct cel_entry entry;
        struct buf key;
        cel_map_at(v, i, f->m->arena, &entry);
        buf_init(&key, CEL_RESULT_MAX);
        buf_plain(&key, &entry.key);
        entries[i].key = arena_str(f->m->arena, buf_view(&key));
        entries[i].value = entry.value;
        buf_done(&key);
        charge(f->m, 1 + steps_of(entries[i].key.len));
    }
    return entries;
}

static bool put_map(struct formatter *f, const struct cel_value *v, int depth)
{
    struct shown *entries = shown_entries(f, v);
    if (entries == NULL || f->m->cut != CEL_FAULT) {
        fault_set(f->m, f->n, f->ret, "");
        return false;
    }
    qsort(entries, v->aux, sizeof *entries, shown_order);
    buf_char(&f->out, '{');
    for (uint32_t i = 0; i < v->aux; i++) {
        buf_str(&f->out, i > 0 ? STR(", ") : STR(""));
        buf_str(&f->out, entries[i].key);
        buf_str(&f->out, STR(": "));
        if (!put_value(f, &entries[i].value, depth + 1)) {
            return false;
        }
    }
    buf_char(&f->out, '}');
    return true;
}

/* %s */
static bool put_value(struct formatter *f, const struct cel_value *v, int depth)
{
    if (depth > FORMAT_DEPTH_MAX || !charge(f->m, 1)) {
        fault_set(f->m, f->n, f->ret, "error during formatting: a value that nests too deep");
        return false;
    }
    switch ((enum cel_kind)v->kind) {
    case CEL_LIST:
        return put_list(f, v, depth);
    case CEL_MAP:
        return put_map(f, v, depth);
    case CEL_DOUBLE:
        buf_double_plain(&f->out, v->number);
        return true;
    default:
        return buf_plain(&f->out, v) ||
               refuse(f,
                      "string clause can only be used on strings, bools, bytes, ints, doubles, "
                      "maps, lists, types, durations, and timestamps",
                      v);
    }
}

static bool put_special(struct formatter *f, const struct cel_value *v)
{
    if (v->kind != CEL_DOUBLE || isfinite(v->number)) {
        return false;
    }
    buf_double_plain(&f->out, v->number);
    return true;
}

static bool put_decimal(struct formatter *f, const struct cel_value *v)
{
    if (v->kind == CEL_INT || v->kind == CEL_UINT) {
        return buf_plain(&f->out, v);
    }
    if (v->kind == CEL_DOUBLE) {
        buf_double_plain(&f->out, v->number);
        return true;
    }
    return refuse(f, "decimal clause can only be used on integers", v);
}

static bool put_double(struct formatter *f, const struct clause *c, const struct cel_value *v)
{
    double n = v->kind == CEL_INT    ? (double)v->integer
               : v->kind == CEL_UINT ? (double)v->natural
                                     : v->number;
    int precision = c->precision < 0 ? 6 : c->precision;
    if (v->kind != CEL_INT && v->kind != CEL_UINT && v->kind != CEL_DOUBLE) {
        return refuse(f,
                      c->letter == 'f' ? "fixed-point clause can only be used on doubles"
                                       : "scientific clause can only be used on doubles",
                      v);
    }
    if (put_special(f, v)) {
        return true;
    }
    if (c->letter == 'f') {
        buf_printf(&f->out, "%.*f", precision, n);
    } else {
        buf_printf(&f->out, "%.*e", precision, n);
    }
    return true;
}

/* An integer in a base that is a power of two. */
static void put_digits(struct buf *out, const struct cel_value *v, unsigned bits, bool upper)
{
    const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    char text[64];
    size_t at = sizeof text;
    bool negative = v->kind == CEL_INT && v->integer < 0;
    uint64_t n = negative ? 0 - v->natural : v->natural;
    do {
        text[--at] = digits[n & ((1U << bits) - 1)];
        n >>= bits;
    } while (n > 0);
    if (negative) {
        buf_char(out, '-');
    }
    buf_put(out, text + at, sizeof text - at);
}

static bool put_binary(struct formatter *f, const struct cel_value *v)
{
    if (v->kind == CEL_BOOL) {
        buf_char(&f->out, v->boolean ? '1' : '0');
        return true;
    }
    if (v->kind != CEL_INT && v->kind != CEL_UINT) {
        return refuse(f, "only integers and bools can be formatted as binary", v);
    }
    put_digits(&f->out, v, 1, false);
    return true;
}

static bool put_octal(struct formatter *f, const struct cel_value *v)
{
    if (v->kind != CEL_INT && v->kind != CEL_UINT) {
        return refuse(f, "octal clause can only be used on integers", v);
    }
    put_digits(&f->out, v, 3, false);
    return true;
}

static bool put_hex(struct formatter *f, const struct cel_value *v, bool upper)
{
    if (v->kind == CEL_INT || v->kind == CEL_UINT) {
        put_digits(&f->out, v, 4, upper);
        return true;
    }
    if (v->kind != CEL_STRING && v->kind != CEL_BYTES) {
        return refuse(f, "only integers, byte buffers, and strings can be formatted as hex", v);
    }
    for (size_t i = 0; i < v->len; i++) {
        buf_printf(&f->out, upper ? "%02X" : "%02x", (unsigned)(uint8_t)v->text[i]);
    }
    return charge(f->m, v->len);
}

static bool put_clause(struct formatter *f, const struct clause *c, const struct cel_value *v)
{
    switch (c->letter) {
    case 's':
        return put_value(f, v, 0);
    case 'd':
        return put_decimal(f, v);
    case 'f':
    case 'e':
        return put_double(f, c, v);
    case 'b':
        return put_binary(f, v);
    case 'o':
        return put_octal(f, v);
    default:
        return put_hex(f, v, c->letter == 'X');
    }
}

/* The clause at *at, which is behind the percent sign. False: *ret is the error. */
static bool read_clause(struct formatter *f, struct str s, size_t *at, struct clause *ret)
{
    *ret = (struct clause){.precision = -1};
    if (*at < s.len && s.ptr[*at] == '.') {
        ret->precision = 0;
        for (++*at; *at < s.len && s.ptr[*at] >= '0' && s.ptr[*at] <= '9'; ++*at) {
            ret->precision = ret->precision * 10 + (s.ptr[*at] - '0');
            if (ret->precision > CEL_FORMAT_PRECISION_MAX) {
                fault_format(f->m, f->n, f->ret, "a precision beyond %d",
                             (int)CEL_FORMAT_PRECISION_MAX);
                return false;
            }
        }
    }
    if (*at >= s.len) {
        fault_set(f->m, f->n, f->ret, "unexpected end of the format string");
        return false;
    }
    ret->letter = s.ptr[(*at)++];
    if (ret->letter == '\0' || strchr("sdfeboxX", ret->letter) == NULL) {
        fault_set(f->m, f->n, f->ret,
                  "could not parse formatting clause: unrecognized formatting clause");
        return false;
    }
    return true;
}

static bool format_all(struct formatter *f, struct str s, const struct cel_value *list)
{
    uint32_t used = 0;
    for (size_t at = 0; at < s.len;) {
        struct clause c;
        struct cel_value v;
        char here = s.ptr[at++];
        if (here != '%' || (at < s.len && s.ptr[at] == '%')) {
            buf_char(&f->out, here);
            at += here == '%';
            continue;
        }
        if (!read_clause(f, s, &at, &c)) {
            return false;
        }
        if (used >= list->aux) {
            fault_format(f->m, f->n, f->ret, "index %u out of range", used);
            return false;
        }
        cel_list_at(list, used++, f->m->arena, &v);
        if (!put_clause(f, &c, &v)) {
            return false;
        }
    }
    return true;
}

void call_format(struct machine *m, const struct cel_node *n, struct cel_value *args,
                 struct cel_value *ret)
{
    struct formatter f = {.m = m, .n = n, .ret = ret};
    if (!charge(m, args[0].len)) {
        fault_set(m, n, ret, "");
        return;
    }
    buf_init(&f.out, CEL_RESULT_MAX);
    if (format_all(&f, cel_text(&args[0]), &args[1])) {
        text_result(m, n, &f.out, ret);
    } else {
        buf_done(&f.out);
    }
}
