#include "model/request.h"

#include "base/map.h"
#include "model/world.h"
#include "value/mark.h"

#include <stddef.h>
#include <string.h>

static struct str texts_at(const struct value *v, uint32_t i)
{
    return value_text(&v->items[i]);
}

static enum rc argv_list(struct arena *a, const struct value *v, struct str_list *ret, struct err *e)
{
    struct str *words = arena_array(a, v->count, sizeof *words);
    if (words == NULL && v->count > 0) {
        return err_set(e, arena_rc(a), "the request is too large");
    }
    for (uint32_t i = 0; i < v->count; i++) {
        words[i] = texts_at(v, i);
    }
    *ret = (struct str_list){words, v->count};
    return RC_OK;
}

static void wrong(struct arena *a, struct request *q, enum derive_result result, const char *text,
                  struct str detail)
{
    q->derived = result;
    q->derive_detail = arena_printf(a, "%s%.*s", text, STR_ARG(detail));
}

static void found(struct arena *a, struct request *q, const struct world *w, uint32_t index, struct value parameters)
{
    if (q->tool != NULL) {
        wrong(a, q, DERIVE_AMBIGUOUS, "matches another tool as well: ", q->tool->name);
        return;
    }
    q->tool_index = index;
    q->tool = world_tool_at(w, index)->def;
    q->parameters = parameters;
    q->derived = DERIVE_OK;
}

void request_parameters(struct arena *a, struct request *q)
{
    const struct value *words = value_get(q->invocation, STR("argv"));
    struct str_list argv;
    struct value captured;
    q->parameters = q->given == NULL ? value_object() : *q->given;
    if (q->tool != NULL && value_is(words, VALUE_ARRAY) && argv_list(a, words, &argv, NULL) == RC_OK &&
        tool_matches_argv(a, q->tool, value_text(value_get(q->invocation, STR("executable"))), &argv, &captured)) {
        q->parameters = captured;
    }
}

/* A command: the first matching pattern of each tool; two tools that match are one too many. */
static enum rc match_argv(struct arena *a, const struct world *w, struct request *q, struct err *e)
{
    struct str_list argv;
    enum rc rc = argv_list(a, value_get(q->invocation, STR("argv")), &argv, e);
    if (rc != RC_OK) {
        return rc;
    }
    struct str executable = value_text(value_get(q->invocation, STR("executable")));
    for (uint32_t i = 0; i < world_tool_count(w); i++) {
        const struct tool_def *t = world_tool_at(w, i)->def;
        struct value parameters;
        if (t != NULL && tool_matches_argv(a, t, executable, &argv, &parameters)) {
            found(a, q, w, i, parameters);
        }
    }
    if (q->tool != NULL && q->given != NULL && q->given->count > 0) {
        wrong(a, q, DERIVE_CLAIM_MISMATCH, "parameters of a command are read from it, not given", STR(""));
    }
    return RC_OK;
}

static void match_mcp(struct arena *a, const struct world *w, struct request *q)
{
    struct str name = value_text(value_get(q->invocation, STR("mcp")));
    for (uint32_t i = 0; i < world_tool_count(w); i++) {
        const struct tool_def *t = world_tool_at(w, i)->def;
        if (t != NULL && tool_matches_mcp(t, name)) {
            found(a, q, w, i, q->given == NULL ? value_object() : *q->given);
        }
    }
}

/* A tool that is called by its name has no other way in: the name is then the invocation. */
static void match_name(struct arena *a, const struct world *w, struct request *q)
{
    uint32_t index = world_tool_find(w, q->claimed_tool);
    const struct tool_def *t = index == MAP_NONE ? NULL : world_tool_at(w, index)->def;
    if (t != NULL && tool_is_named(t)) {
        found(a, q, w, index, q->given == NULL ? value_object() : *q->given);
    }
}

static bool has_service(const struct request *q, uint32_t index)
{
    for (uint32_t i = 0; i < q->service_count; i++) {
        if (q->services[i] == index) {
            return true;
        }
    }
    return false;
}

static enum rc derive_services(struct arena *a, const struct world *w, struct request *q, struct err *e)
{
    for (uint32_t i = 0; i < q->tool->services.count; i++) {
        struct str name;
        struct err inner;
        enum rc rc = template_fill(a, q->tool->services.items[i], &q->parameters, &name, &inner);
        if (rc == RC_INVALID || rc == RC_LIMIT) {
            wrong(a, q, DERIVE_BAD_PARAMETERS, "services: ", arena_str(a, str_from(inner.text)));
            return RC_OK;
        }
        if (rc != RC_OK) {
            return err_set(e, rc, "out of memory");
        }
        uint32_t index = world_service_find(w, name);
        if (index == MAP_NONE || world_service_at(w, index)->def == NULL) {
            wrong(a, q, DERIVE_UNKNOWN_SERVICE, "no such service: ", name);
            return RC_OK;
        }
        if (!has_service(q, index)) {
            q->services[q->service_count++] = index;
        }
    }
    return RC_OK;
}

static void check_claims(struct arena *a, const struct world *w, struct request *q)
{
    if (q->claimed_tool.len > 0 && !str_eq(q->claimed_tool, q->tool->name)) {
        wrong(a, q, DERIVE_CLAIM_MISMATCH, "claimed another tool; it is ", q->tool->name);
        return;
    }
    if (q->claimed_service.len == 0) {
        return;
    }
    uint32_t index = world_service_find(w, q->claimed_service);
    if (index == MAP_NONE || !has_service(q, index)) {
        wrong(a, q, DERIVE_CLAIM_MISMATCH, "does not touch the claimed service ", q->claimed_service);
    }
}

static void check_parameters(struct arena *a, struct request *q)
{
    struct err inner;
    enum rc rc = RC_OK;
    if (!value_is(&q->parameters, VALUE_OBJECT)) {
        rc = err_set(&inner, RC_INVALID, "expected an object");
    } else if (q->tool->schema != NULL) {
        /* The schema speaks of what was given, and a secret was a string. */
        struct value plain = value_has_mark(&q->parameters) ? value_unmarked(a, &q->parameters) : q->parameters;
        rc = schema_check(q->tool->schema, &plain, &inner);
    } else if (q->parameters.count > 0 && q->tool->argv_count == 0) {
        rc = err_set(&inner, RC_INVALID, "the tool takes no parameters");
    }
    if (rc != RC_OK) {
        struct str text = arena_printf(a, "%s: %s", inner.where, inner.text);
        wrong(a, q, DERIVE_BAD_PARAMETERS, "parameters", text);
    }
}

static enum rc derive_target(struct arena *a, struct request *q, struct err *e)
{
    struct err inner;
    enum rc rc = template_fill(a, q->tool->target, &q->parameters, &q->target, &inner);
    if (rc == RC_INVALID || rc == RC_LIMIT) {
        wrong(a, q, DERIVE_BAD_PARAMETERS, "target: ", arena_str(a, str_from(inner.text)));
        return RC_OK;
    }
    return rc == RC_OK ? RC_OK : err_set(e, rc, "out of memory");
}

/* The words of a command of the tool's, as a list of texts. */
static enum rc fill_words(struct arena *a, struct request *q, const struct str_list *argv, struct value *ret, struct err *e)
{
    *ret = value_array();
    for (uint32_t i = 0; i < argv->count; i++) {
        struct str word;
        enum rc rc = template_fill(a, argv->items[i], &q->parameters, &word, e);
        if (rc != RC_OK) {
            return rc;
        }
        value_push(a, ret, value_string(word));
    }
    return RC_OK;
}

/* What follows is part of what is decided and approved: it is known before anything runs. */
static enum rc derive_revert(struct arena *a, struct request *q, struct err *e)
{
    struct err inner;
    struct value words;
    enum rc rc = fill_words(a, q, &q->tool->revert.argv, &words, &inner);
    if (rc == RC_INVALID || rc == RC_LIMIT) {
        wrong(a, q, DERIVE_BAD_PARAMETERS, "revert: ", arena_str(a, str_from(inner.text)));
        return RC_OK;
    }
    q->revert = rc == RC_OK && words.count > 0 ? words : value_null();
    return rc == RC_OK ? RC_OK : err_set(e, rc, "out of memory");
}

static enum rc derive_invariants(struct arena *a, struct request *q, struct err *e)
{
    struct value list = value_array();
    for (uint32_t i = 0; i < q->tool->observe.invariant_count; i++) {
        const struct invariant *one = &q->tool->observe.invariants[i];
        struct err inner;
        struct value words;
        enum rc rc = fill_words(a, q, &one->argv, &words, &inner);
        if (rc == RC_INVALID || rc == RC_LIMIT) {
            wrong(a, q, DERIVE_BAD_PARAMETERS, "invariants: ", arena_str(a, str_from(inner.text)));
            return RC_OK;
        }
        if (rc != RC_OK) {
            return err_set(e, rc, "out of memory");
        }
        struct value row = value_object();
        value_add_int(a, &row, STR("after_ms"), one->after_ms);
        if (one->argv.count > 0) {
            value_add(a, &row, STR("argv"), words);
        } else {
            value_add_str(a, &row, STR("condition"), one->condition);
        }
        value_add_str(a, &row, STR("name"), one->name);
        value_add_int(a, &row, STR("timeout_ms"), one->timeout_ms);
        value_push(a, &list, row);
    }
    q->invariants = list.count > 0 ? list : value_null();
    return RC_OK;
}

static void check_needs(struct arena *a, struct request *q)
{
    if (q->tool->needs_plan && !value_is(q->plan, VALUE_OBJECT)) {
        wrong(a, q, DERIVE_NO_PLAN, "the tool needs a plan", STR(""));
    } else if (q->tool->needs_diff && !value_is(q->diff, VALUE_OBJECT)) {
        wrong(a, q, DERIVE_NO_DIFF, "the tool needs a diff", STR(""));
    }
}

enum rc request_derive(struct arena *a, const struct world *w, struct request *q, struct err *e)
{
    q->agent_index = world_agent_find(w, q->agent);
    q->tool_index = MAP_NONE;
    q->tool = NULL;
    q->service_count = 0;
    q->target = STR("");
    q->revert = value_null();
    q->invariants = value_null();
    q->sql_harm = SQL_HARMLESS;
    q->sql_what = STR("");
    q->parameters = q->given == NULL ? value_object() : *q->given;
    q->derive_detail = STR("");
    q->derived = DERIVE_NO_TOOL;
    enum rc rc = RC_OK;
    if (value_is(value_get(q->invocation, STR("argv")), VALUE_ARRAY)) {
        rc = match_argv(a, w, q, e);
    } else if (value_is(value_get(q->invocation, STR("mcp")), VALUE_STRING)) {
        match_mcp(a, w, q);
    } else {
        match_name(a, w, q);
    }
    if (rc == RC_OK && q->derived == DERIVE_OK) {
        check_parameters(a, q);
    }
    if (rc == RC_OK && q->derived == DERIVE_OK) {
        rc = derive_target(a, q, e);
    }
    if (rc == RC_OK && q->derived == DERIVE_OK) {
        rc = derive_services(a, w, q, e);
    }
    if (rc == RC_OK && q->derived == DERIVE_OK) {
        rc = derive_revert(a, q, e);
    }
    if (rc == RC_OK && q->derived == DERIVE_OK) {
        rc = derive_invariants(a, q, e);
    }
    if (rc == RC_OK && q->derived == DERIVE_OK) {
        check_needs(a, q);
    }
    if (rc == RC_OK && q->derived == DERIVE_OK) {
        check_claims(a, w, q);
    }
    return rc;
}

static void add_text(struct arena *a, struct value *v, struct str name, struct str text)
{
    if (text.len > 0) {
        value_add_str(a, v, name, text);
    }
}

static void add_value(struct arena *a, struct value *v, struct str name, const struct value *part)
{
    if (part != NULL) {
        value_add(a, v, name, *part);
    }
}

struct value request_bound(struct arena *a, const struct request *q)
{
    struct value v = value_object();
    add_value(a, &v, STR("act"), q->act);
    value_add_str(a, &v, STR("agent"), q->agent);
    add_text(a, &v, STR("behalf"), q->behalf);
    add_text(a, &v, STR("break_glass"), q->break_glass);
    if (q->diff != NULL) {
        value_add(a, &v, STR("diff"), *q->diff);
    }
    if (q->invariants.type == VALUE_ARRAY) {
        value_add(a, &v, STR("invariants"), q->invariants);
    }
    if (q->invocation != NULL) {
        value_add(a, &v, STR("invocation"), *q->invocation);
    }
    add_text(a, &v, STR("model"), q->model);
    value_add(a, &v, STR("parameters"), q->parameters);
    add_text(a, &v, STR("person"), q->person);
    if (q->plan != NULL) {
        value_add(a, &v, STR("plan"), *q->plan);
    }
    add_text(a, &v, STR("prompt_version"), q->prompt_version);
    if (q->revert.type == VALUE_ARRAY) {
        value_add(a, &v, STR("revert"), q->revert);
    }
    value_add_str(a, &v, STR("target"), q->target);
    value_add_str(a, &v, STR("tool"), q->tool == NULL ? STR("") : q->tool->name);
    return v;
}

struct value request_write(struct arena *a, const struct request *q, struct str digest)
{
    struct value v = value_object();
    add_value(a, &v, STR("act"), q->act);
    value_add_str(a, &v, STR("agent"), q->agent);
    if (q->attested) {
        value_add_bool(a, &v, STR("attested"), true);
    }
    add_text(a, &v, STR("author_type"), q->author_type);
    add_text(a, &v, STR("behalf"), q->behalf);
    add_text(a, &v, STR("break_glass"), q->break_glass);
    add_text(a, &v, STR("claimed_service"), q->claimed_service);
    add_text(a, &v, STR("claimed_tool"), q->claimed_tool);
    add_value(a, &v, STR("contexts"), q->contexts);
    add_value(a, &v, STR("diff"), q->diff);
    value_add_str(a, &v, STR("digest"), digest);
    add_text(a, &v, STR("intent"), q->intent);
    add_value(a, &v, STR("invocation"), q->invocation);
    add_text(a, &v, STR("model"), q->model);
    add_value(a, &v, STR("parameters"), q->given);
    add_text(a, &v, STR("parent"), q->parent);
    add_text(a, &v, STR("person"), q->person);
    add_value(a, &v, STR("plan"), q->plan);
    add_text(a, &v, STR("prompt_version"), q->prompt_version);
    add_value(a, &v, STR("properties"), q->properties);
    add_text(a, &v, STR("trace"), q->trace);
    add_text(a, &v, STR("wants_person"), q->wants_person);
    return v;
}

/* The members of a written request, in the order of their names, which is that of its canonical form. */
struct written {
    struct str name;
    enum { WRITTEN_TEXT, WRITTEN_VALUE, WRITTEN_FLAG, WRITTEN_ASIDE } kind;
    size_t offset; /* in struct request */
};

#define WRITTEN(text, what, member) {{"" text, sizeof(text) - 1}, (what), offsetof(struct request, member)}
static const struct written written[] = {
    WRITTEN("act", WRITTEN_VALUE, act),
    WRITTEN("agent", WRITTEN_TEXT, agent),
    WRITTEN("attested", WRITTEN_FLAG, attested),
    WRITTEN("author_type", WRITTEN_TEXT, author_type),
    WRITTEN("behalf", WRITTEN_TEXT, behalf),
    WRITTEN("break_glass", WRITTEN_TEXT, break_glass),
    WRITTEN("claimed_service", WRITTEN_TEXT, claimed_service),
    WRITTEN("claimed_tool", WRITTEN_TEXT, claimed_tool),
    WRITTEN("contexts", WRITTEN_VALUE, contexts),
    WRITTEN("diff", WRITTEN_VALUE, diff),
    {{"digest", 6}, WRITTEN_ASIDE, 0},
    WRITTEN("intent", WRITTEN_TEXT, intent),
    WRITTEN("invocation", WRITTEN_VALUE, invocation),
    WRITTEN("model", WRITTEN_TEXT, model),
    WRITTEN("parameters", WRITTEN_VALUE, given),
    WRITTEN("parent", WRITTEN_TEXT, parent),
    WRITTEN("person", WRITTEN_TEXT, person),
    WRITTEN("plan", WRITTEN_VALUE, plan),
    WRITTEN("prompt_version", WRITTEN_TEXT, prompt_version),
    WRITTEN("properties", WRITTEN_VALUE, properties),
    WRITTEN("trace", WRITTEN_TEXT, trace),
    WRITTEN("wants_person", WRITTEN_TEXT, wants_person),
};
#undef WRITTEN

static void take_written(const struct written *w, const struct value *v, struct request *ret)
{
    char *at = (char *)ret + w->offset;
    if (w->kind == WRITTEN_TEXT) {
        *(struct str *)(void *)at = value_text(v);
    } else if (w->kind == WRITTEN_VALUE) {
        *(const struct value **)(void *)at = v;
    } else if (w->kind == WRITTEN_FLAG) {
        *(bool *)at = value_bool_or(v, false);
    }
}

/* Both lists ascend, so one walk finds all; what is in another order, or has more, is searched name by name. */
void request_read(const struct value *v, struct request *ret)
{
    enum { COUNT = sizeof written / sizeof *written };
    uint32_t members = value_is(v, VALUE_OBJECT) ? v->count : 0;
    uint32_t at = 0;
    *ret = (struct request){.agent_index = MAP_NONE, .tool_index = MAP_NONE};
    for (size_t i = 0; i < COUNT && at < members; i++) {
        if (str_eq(v->members[at].name, written[i].name)) {
            take_written(&written[i], &v->members[at++].value, ret);
        }
    }
    for (size_t i = 0; i < COUNT && at < members; i++) {
        take_written(&written[i], value_get(v, written[i].name), ret);
    }
}
