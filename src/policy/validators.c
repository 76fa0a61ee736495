#include "policy/validators.h"

#include "base/must.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const char *const types[] = {"opa", "authzen", "http", "command", NULL};
static const char *const modes[] = {"enforce", "shadow", "off", NULL};
/* In the order of enum verdict. */
static const char *const blocking[] = {"deny", "escalate", "hold", NULL};
static const char *const answers[] = {"none", "allow", "deny", "escalate", "hold", "error", NULL};

const char *validator_type_name(enum validator_type t)
{
    must((unsigned)t <= VALIDATOR_COMMAND);
    return types[t];
}

const char *validator_answer_name(enum validator_answer a)
{
    must((unsigned)a <= ANSWER_ERROR);
    return answers[a];
}

bool validator_answer_parse(struct str name, enum validator_answer *ret)
{
    for (unsigned i = 0; answers[i] != NULL; i++) {
        if (str_eq(name, str_from(answers[i]))) {
            *ret = (enum validator_answer)i;
            return true;
        }
    }
    return false;
}

/* --- reading ---------------------------------------------------------------------------------------------------- */

struct validator_parts {
    struct validator v;
    const struct value *match;
    const struct value *input;
};

#define PART(member) FIELD_OF(struct validator_parts, v.member)

static const struct field fields[] = {
    {"name", FIELD_NAME, PART(name), true, 0, 0, 0, NULL},
    {"type", FIELD_WORD, PART(type), true, 0, 0, 0, types},
    {"url", FIELD_TEXT, PART(url), false, 0, 0, 0, NULL},
    {"socket", FIELD_TEXT, PART(socket), false, 0, 0, 0, NULL},
    {"ca_file", FIELD_TEXT, PART(ca_file), false, 0, 0, 0, NULL},
    {"token_file", FIELD_TEXT, PART(token_file), false, 0, 0, 0, NULL},
    {"secret_file", FIELD_TEXT, PART(secret_file), false, 0, 0, 0, NULL},
    {"argv", FIELD_TEXTS, PART(argv), false, 0, 0, 0, NULL},
    {"match", FIELD_VALUE, FIELD_OF(struct validator_parts, match), false, 0, 0, 0, NULL},
    {"input", FIELD_VALUE, FIELD_OF(struct validator_parts, input), false, 0, 0, 0, NULL},
    {"timeout", FIELD_SPAN, PART(timeout_ms), false, 1000, 10, 2000, NULL},
    {"on_deny", FIELD_WORD, PART(on_deny), false, VERDICT_DENY, 0, 0, blocking},
    {"on_error", FIELD_WORD, PART(on_error), false, VERDICT_ESCALATE, 0, 0, blocking},
    {"mode", FIELD_WORD, PART(mode), false, MODE_ENFORCE, 0, 0, modes},
};

static enum rc check_command(struct reader *r, const struct value *v, const struct validator *x)
{
    if (x->argv.count == 0 || x->argv.count > VALIDATOR_ARGV_MAX || !str_starts(x->argv.items[0], STR("/"))) {
        return reader_fail(r, v, "argv: expected 1 to %d words, the first an absolute path", VALIDATOR_ARGV_MAX);
    }
    bool extra = x->url.len + x->socket.len + x->ca_file.len + x->token_file.len + x->secret_file.len > 0;
    return extra ? reader_fail(r, v, "a command has no url, socket, ca_file, token_file or secret_file") : RC_OK;
}

static enum rc check_address(struct reader *r, const struct value *v, const struct validator *x)
{
    bool http = str_starts(x->url, STR("http://")) || str_starts(x->url, STR("https://"));
    if (!http || x->argv.count > 0) {
        return reader_fail(r, v, "url: expected http:// or https://, and no argv");
    }
    if ((x->type == VALIDATOR_HTTP) != (x->secret_file.len > 0)) {
        return reader_fail(r, v, "secret_file: expected for type http, whose requests are signed, and for no other");
    }
    return RC_OK;
}

static enum rc read_input(struct reader *r, const struct value *v, const struct cel_env *env, struct validator *x)
{
    struct err inner;
    const struct cel_options options = {.cost_max = RULE_COST_MAX};
    if (v == NULL) {
        return RC_OK;
    }
    if (!value_is(v, VALUE_STRING) || v->string.len == 0 || v->string.len > RULE_TEXT_MAX) {
        return reader_fail(r, v, "input: expected an expression of at most %d bytes", RULE_TEXT_MAX);
    }
    enum rc rc = cel_compile(env, v->string, &options, &x->program, &inner);
    if (rc != RC_OK) {
        return reader_fail(r, v, "input: at %s of the expression: %s", inner.where, inner.text);
    }
    x->input = cel_program_text(x->program);
    return RC_OK;
}

enum rc validator_read(struct reader *r, const struct value *v, const struct cel_env *env, struct validator *ret)
{
    struct validator_parts parts = {.match = NULL};
    struct validator *x = &parts.v;
    enum rc rc = read_fields(r, v, fields, COUNT(fields), &parts);
    rc = rc == RC_OK ? reader_step(r, rule_match_read(r, parts.match, &x->whom), "match") : rc;
    if (rc == RC_OK) {
        rc = x->type == VALIDATOR_COMMAND ? check_command(r, v, x) : check_address(r, v, x);
    }
    rc = rc == RC_OK ? read_input(r, parts.input, env, x) : rc;
    if (rc != RC_OK) {
        validator_done(x);
        return rc;
    }
    *ret = *x;
    return RC_OK;
}

struct value validator_value(struct arena *a, const struct validator *v)
{
    struct value match = rule_match_value(a, &v->whom);
    struct value input = value_string(v->input);
    struct validator_parts parts = {.v = *v,
                                    .match = match.count > 0 ? &match : NULL,
                                    .input = v->input.len > 0 ? &input : NULL};
    return write_fields(a, fields, COUNT(fields), &parts);
}

void validator_done(struct validator *v)
{
    cel_program_free(v->program);
    v->program = NULL;
}

/* --- what it is asked ------------------------------------------------------------------------------------------- */

static enum rc object_json(const struct cel_value *object, struct arena *a, struct value *ret, struct err *e);

static enum rc any_json(const struct cel_value *v, struct arena *a, struct value *ret, struct err *e)
{
    if (v->kind == CEL_OBJECT) {
        return object_json(v, a, ret, e);
    }
    if (v->kind != CEL_LIST) {
        return cel_to_json(v, a, ret, e);
    }
    *ret = value_array();
    for (uint32_t i = 0; i < v->aux; i++) {
        struct cel_value item = {.kind = CEL_ABSENT};
        struct value one;
        cel_list_at(v, i, a, &item);
        enum rc rc = any_json(&item, a, &one, e);
        if (rc != RC_OK) {
            return rc;
        }
        value_push(a, ret, one);
    }
    return RC_OK;
}

static enum rc object_json(const struct cel_value *object, struct arena *a, struct value *ret, struct err *e)
{
    *ret = value_object();
    for (unsigned i = 0; i < object->class->count; i++) {
        struct cel_value field = {.kind = CEL_ABSENT};
        struct value one;
        if (!object->class->get(object->self, i, a, &field)) {
            continue;
        }
        enum rc rc = any_json(&field, a, &one, e);
        if (rc != RC_OK) {
            return rc;
        }
        value_add(a, ret, str_from(object->class->fields[i].name), one);
    }
    return RC_OK;
}

enum rc rule_vars_json(const struct cel_value *vars, struct arena *a, struct value *ret, struct err *e)
{
    *ret = value_object();
    for (unsigned i = 0; i < RULE_VAR_COUNT; i++) {
        struct value one;
        enum rc rc = vars[i].kind == CEL_ABSENT ? RC_NOT_FOUND : any_json(&vars[i], a, &one, e);
        if (rc == RC_OK) {
            value_add(a, ret, rule_var_name((enum rule_var)i), one);
        } else if (rc != RC_NOT_FOUND) {
            return rc;
        }
    }
    return arena_rc(a) == RC_OK ? RC_OK : err_set(e, arena_rc(a), "what it is asked is too large");
}

enum rc validator_input(const struct validator *v, const struct cel_value *vars, const struct rule_memory *m,
                           struct value *ret, struct err *e)
{
    if (v->program == NULL) {
        return rule_vars_json(vars, m->kept, ret, e);
    }
    const struct cel_activation values = {.values = vars, .count = RULE_VAR_COUNT};
    struct cel_run run = {.arena = m->scratch, .budget = RULE_STEPS_MAX};
    struct cel_value made;
    struct value json;
    enum rc rc = cel_eval(v->program, &values, &run, &made, e);
    rc = rc == RC_OK ? any_json(&made, m->scratch, &json, e) : rc;
    if (rc == RC_OK) {
        *ret = value_copy(m->kept, &json);
    }
    return rc;
}
