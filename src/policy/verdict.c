#include "policy/verdict.h"

#include "base/must.h"

static const struct str names[] = {{"deny", 4}, {"escalate", 8}, {"hold", 4}, {"advise", 6}, {"allow", 5}};

const char *verdict_name(enum verdict v)
{
    return verdict_str(v).ptr;
}

struct str verdict_str(enum verdict v)
{
    must((unsigned)v < sizeof names / sizeof *names);
    return names[v];
}

bool verdict_parse(struct str name, enum verdict *ret)
{
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        if (str_eq(name, names[i])) {
            *ret = (enum verdict)i;
            return true;
        }
    }
    return false;
}
