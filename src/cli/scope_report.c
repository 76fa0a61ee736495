#include "cli/scope_report.h"

#include "client/untrusted.h"
#include "value/json.h"

#include <math.h>

enum { DIGITS = 10000, TEXT_MAX = 1 << 20 };

void scope_report_ratio(struct arena *a, struct value *object, struct str name, double ratio)
{
    value_add(a, object, name, value_double(floor(ratio * DIGITS + 0.5) / DIGITS));
}

void scope_report_score(struct arena *a, struct value *object, const struct scope_score *s)
{
    value_add_int(a, object, STR("declared"), s->declared);
    value_add_int(a, object, STR("touched"), s->touched);
    value_add_int(a, object, STR("hits"), s->hits);
    value_add_int(a, object, STR("creep"), s->creep);
    scope_report_ratio(a, object, STR("precision"), s->precision);
    scope_report_ratio(a, object, STR("recall"), s->recall);
    scope_report_ratio(a, object, STR("f1"), s->f1);
    scope_report_ratio(a, object, STR("jaccard"), s->jaccard);
}

void scope_report_summary(struct arena *a, struct value *object, const struct scope_summary *s)
{
    value_add_int(a, object, STR("changes"), s->count);
    scope_report_ratio(a, object, STR("f1"), s->f1);
    scope_report_ratio(a, object, STR("f1_margin"), s->f1_margin);
    scope_report_ratio(a, object, STR("precision"), s->precision);
    scope_report_ratio(a, object, STR("recall"), s->recall);
    scope_report_ratio(a, object, STR("jaccard"), s->jaccard);
    scope_report_ratio(a, object, STR("creep"), s->creep);
}

struct value scope_report_text(struct arena *a, struct str s)
{
    if (utf8_valid(s)) {
        return value_string(s);
    }
    struct buf text;
    buf_init(&text, TEXT_MAX);
    untrusted_cell(&text, s);
    struct value v = value_string(arena_str(a, buf_view(&text)));
    buf_done(&text);
    return v;
}

struct value scope_report_files(struct arena *a, const struct str *files, uint32_t count)
{
    struct value list = value_array();
    for (uint32_t i = 0; i < count; i++) {
        value_push(a, &list, scope_report_text(a, files[i]));
    }
    return list;
}
