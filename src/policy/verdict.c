#include "policy/verdict.h"

#include "base/must.h"

static const char *const names[] = {"deny", "escalate", "hold", "advise", "allow"};

const char *verdict_name(enum verdict v)
{
    must((unsigned)v < sizeof names / sizeof *names);
    return names[v];
}

bool verdict_parse(struct str name, enum verdict *ret)
{
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        if (str_eq(name, str_from(names[i]))) {
            *ret = (enum verdict)i;
            return true;
        }
    }
    return false;
}
