/*
 * control/secrets - what a caller says is redacted before it is derived, decided, recorded or shown; and what its
 * changes are is read from what is left. So are the reasons that people give.
 */
#include "control/control_internal.h"

#include "diff/names.h"
#include "diff/sql.h"
#include "redact/redact.h"
#include "value/mark.h"

static enum rc redact_one(const struct control *c, struct arena *a, const struct value **v, uint32_t *count, struct err *e)
{
    if (*v == NULL) {
        return RC_OK;
    }
    struct value *copy = arena_alloc(a, sizeof *copy);
    if (copy == NULL) {
        return err_set(e, arena_rc(a), "the request is too large");
    }
    uint32_t found = 0;
    *copy = **v;
    enum rc rc = redact_value(c->options.redactor, a, copy, &found, e);
    *v = copy;
    *count += found;
    return rc;
}

/* A command's words stay texts: patterns match them. */
static void keep_words(struct arena *a, struct value *invocation)
{
    struct value copy = value_object();
    for (uint32_t i = 0; i < invocation->count; i++) {
        const struct member *m = &invocation->members[i];
        bool words = str_eq(m->name, STR("argv"));
        value_add(a, &copy, m->name, words ? value_unmarked(a, &m->value) : m->value);
    }
    *invocation = copy;
}

static enum rc redact_words(const struct control *c, struct arena *a, struct str *text, uint32_t *count, struct err *e)
{
    uint32_t found = 0;
    enum rc rc = redact_text(c->options.redactor, a, *text, text, &found, e);
    *count += found;
    return rc;
}

enum rc redact_request(const struct control *c, struct arena *a, struct request *q, struct err *e)
{
    q->redacted = 0;
    enum rc rc = blobs_refuse_request(q, e);
    if (rc != RC_OK || c->options.redactor == NULL) {
        return rc;
    }
    uint32_t in_command = 0;
    rc = redact_one(c, a, &q->invocation, &in_command, e);
    if (rc == RC_OK && in_command > 0) {
        struct value kept = *q->invocation;
        keep_words(a, &kept);
        struct value *copy = arena_alloc(a, sizeof *copy);
        if (copy == NULL) {
            return err_set(e, arena_rc(a), "the request is too large");
        }
        *copy = kept;
        q->invocation = copy;
    }
    q->redacted += in_command;
    const struct value **values[] = {&q->given, &q->plan, &q->diff, &q->contexts, &q->properties};
    for (size_t i = 0; rc == RC_OK && i < sizeof values / sizeof *values; i++) {
        rc = redact_one(c, a, values[i], &q->redacted, e);
    }
    rc = rc == RC_OK ? redact_words(c, a, &q->intent, &q->redacted, e) : rc;
    rc = rc == RC_OK ? redact_words(c, a, &q->break_glass, &q->redacted, e) : rc;
    rc = rc == RC_OK ? redact_words(c, a, &q->model, &q->redacted, e) : rc;
    rc = rc == RC_OK ? redact_words(c, a, &q->prompt_version, &q->redacted, e) : rc;
    return rc == RC_OK ? redact_words(c, a, &q->wants_person, &q->redacted, e) : rc;
}

enum rc redact_detail(const struct control *c, struct arena *a, struct value *v, struct err *e)
{
    uint32_t count;
    return c->options.redactor == NULL ? RC_OK : redact_value(c->options.redactor, a, v, &count, e);
}

/* It never refuses: a stop must not wait for better words. */
struct str redact_reason(const struct control *c, struct arena *a, struct str reason)
{
    struct str kept = reason;
    uint32_t count;
    bool good = c->options.redactor == NULL || redact_text(c->options.redactor, a, reason, &kept, &count, NULL) == RC_OK;
    return good ? kept : STR("withheld: what is secret in it could not be told");
}

enum rc check_reason_size(struct str reason, struct err *e)
{
    return reason.len <= CONTROL_REASON_MAX
               ? RC_OK
               : err_at(e, RC_INVALID, STR("/reason"), "expected at most %d bytes", CONTROL_REASON_MAX);
}
