/* What the parts of the JSON reader say when they fail. */
#include "value/json_internal.h"

enum rc json_fail(struct json_reader *r, const char *place, const char *what)
{
    return err_set(r->err, RC_INVALID, "%s at byte %zu", what, (size_t)(place - r->start));
}

enum rc json_arena_rc(struct json_reader *r)
{
    enum rc rc = arena_rc(r->arena);
    if (rc == RC_LIMIT) {
        return err_set(r->err, rc, "takes more memory than its maximum");
    }
    return rc == RC_OK ? rc : err_set(r->err, rc, "out of memory");
}
