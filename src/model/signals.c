#include "model/signals.h"

#include "base/must.h"

#include <stdlib.h>
#include <string.h>

static const char *const names[] = {"unknown", "known", "no_traffic", "stale", "no_slo"};

const char *signal_state_name(enum signal_state s)
{
    must((unsigned)s < sizeof names / sizeof *names);
    return names[s];
}

bool signal_state_parse(struct str name, enum signal_state *ret)
{
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        if (str_eq(name, str_from(names[i]))) {
            *ret = (enum signal_state)i;
            return true;
        }
    }
    return false;
}

void signals_init(struct signals *s)
{
    *s = (struct signals){.clock_ok = true};
}

void signals_done(struct signals *s)
{
    free(s->budgets);
    *s = (struct signals){0};
}

struct budget_signal *signals_budget(struct signals *s, uint32_t service)
{
    if (service >= s->capacity) {
        uint32_t capacity = s->capacity == 0 ? 16 : s->capacity;
        while (capacity <= service) {
            must(capacity <= UINT32_MAX / 2);
            capacity *= 2;
        }
        struct budget_signal *grown = realloc(s->budgets, capacity * sizeof *grown);
        if (grown == NULL) {
            return NULL;
        }
        memset(grown + s->capacity, 0, (capacity - s->capacity) * sizeof *grown);
        s->budgets = grown;
        s->capacity = capacity;
    }
    if (service >= s->count) {
        s->count = service + 1;
    }
    return &s->budgets[service];
}
