#include "cel/machine.h"

#include "value/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { FAULT_TEXT_MAX = 200, FAULT_STEPS = 16 };

void machine_cut(struct machine *m, enum cel_fault why)
{
    if (m->cut == CEL_FAULT) {
        m->cut = why;
    }
    m->fuel = 0;
    m->reserve = 0;
}

bool charge_slow(struct machine *m)
{
    if (m->run->steps != NULL) {
        /* Fuel stays at zero, so that every step comes by here. */
        m->reserve += m->fuel;
        m->fuel = 0;
        if (m->reserve >= 0) {
            return true;
        }
    }
    machine_cut(m, CEL_CUT_COST);
    return false;
}

static void record(struct machine *m, const struct cel_node *n, const struct cel_value *v)
{
    struct cel_step *s = &m->run->steps[n->id];
    s->from = n->from;
    s->to = n->to;
    s->count++;
    s->value = *v;
}

void eval_slow(struct machine *m, const struct cel_node *n, struct cel_value *ret)
{
    if (m->cut != CEL_FAULT || !charge_slow(m)) {
        fault_set(m, n, ret, "");
        return;
    }
    n->eval(m, n, ret);
    record(m, n, ret);
}

void fault_set(struct machine *m, const struct cel_node *n, struct cel_value *ret, const char *text)
{
    struct str s = str_from(text);
    *ret = (struct cel_value){
        .kind = CEL_ERROR, .form = (uint8_t)m->cut, .aux = n->from, .text = s.ptr, .len = s.len};
}

void fault_format(struct machine *m, const struct cel_node *n, struct cel_value *ret,
                  const char *format, ...)
{
    char text[FAULT_TEXT_MAX];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (len < 0 || !charge(m, FAULT_STEPS)) {
        fault_set(m, n, ret, "");
        return;
    }
    size_t kept = (size_t)len < sizeof text ? (size_t)len : sizeof text - 1;
    struct str s = utf8_clip((struct str){text, kept}, FAULT_TEXT_MAX - 4);
    char *copy = machine_alloc(m, s.len + 1, 1);
    if (copy == NULL) {
        fault_set(m, n, ret, "");
        return;
    }
    for (size_t i = 0; i < s.len; i++) {
        copy[i] = s.ptr[i];
    }
    fault_set(m, n, ret, copy);
}

void fault_overload(struct machine *m, const struct cel_node *n, struct cel_value *ret)
{
    fault_format(m, n, ret, "no such overload: '%.*s'", (int)(n->name.len < 80 ? n->name.len : 80),
                 n->name.ptr != NULL ? n->name.ptr : "");
}

void fault_key(struct machine *m, const struct cel_node *n, struct cel_value *ret,
               const struct cel_value *key)
{
    if (key->kind == CEL_STRING) {
        struct str s = utf8_clip(cel_text(key), 80);
        fault_format(m, n, ret, "no such key: '%.*s'", STR_ARG(s));
    } else if (key->kind == CEL_INT) {
        fault_format(m, n, ret, "no such key: %lld", (long long)key->integer);
    } else {
        fault_set(m, n, ret, "no such key");
    }
}

void *machine_alloc(struct machine *m, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        machine_cut(m, CEL_CUT_MEMORY);
        return NULL;
    }
    void *memory = charge(m, steps_of(bytes)) ? arena_alloc(m->arena, bytes) : NULL;
    if (memory == NULL) {
        machine_cut(m, CEL_CUT_MEMORY);
    }
    return memory;
}

void optional_of(struct machine *m, const struct cel_node *n, const struct cel_value *v,
                 struct cel_value *ret)
{
    struct cel_value *box = machine_alloc(m, 1, sizeof *box);
    if (box == NULL) {
        fault_set(m, n, ret, "");
        return;
    }
    *box = *v;
    *ret = cel_of_optional(box);
}

char *text_copy(struct machine *m, const struct cel_node *n, struct str s, struct cel_value *ret)
{
    char *copy = machine_alloc(m, s.len + 1, 1);
    if (copy == NULL) {
        fault_set(m, n, ret, "");
        return NULL;
    }
    if (s.len > 0) {
        memcpy(copy, s.ptr, s.len);
    }
    *ret = cel_of_str((struct str){copy, s.len});
    return copy;
}

void text_result(struct machine *m, const struct cel_node *n, struct buf *b, struct cel_value *ret)
{
    if (b->rc == RC_OK) {
        text_copy(m, n, buf_view(b), ret);
    } else {
        machine_cut(m, CEL_CUT_MEMORY);
        fault_set(m, n, ret, "");
    }
    buf_done(b);
}
