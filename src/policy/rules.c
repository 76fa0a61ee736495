#include "policy/rules.h"

#include "base/must.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const char *const severities[] = {"low", "medium", "high", "critical", NULL};
static const char *const modes[] = {"enforce", "shadow", "off", NULL};
/* In the order of enum verdict. A rule allows nothing; a test may expect that nothing comes of it. */
static const char *const verdicts[] = {"deny", "escalate", "hold", "advise", NULL};
static const char *const expected[] = {"deny", "escalate", "hold", "advise", "allow", NULL};

const char *rule_severity_name(enum rule_severity s)
{
    must((unsigned)s <= SEVERITY_CRITICAL);
    return severities[s];
}

bool rule_severity_parse(struct str name, enum rule_severity *ret)
{
    for (unsigned i = 0; severities[i] != NULL; i++) {
        if (str_eq(name, str_from(severities[i]))) {
            *ret = (enum rule_severity)i;
            return true;
        }
    }
    return false;
}

/* --- tests ------------------------------------------------------------------------------------------------------ */

struct test_parts {
    struct rule_test test;
    const struct value *given;
};

static const struct field test_fields[] = {
    {"name", FIELD_TEXT, FIELD_OF(struct test_parts, test.name), false, 0, 0, 0, NULL},
    {"given", FIELD_VALUE, FIELD_OF(struct test_parts, given), false, 0, 0, 0, NULL},
    {"expect", FIELD_WORD, FIELD_OF(struct test_parts, test.verdict), true, 0, 0, 0, expected},
    {"message", FIELD_TEXT, FIELD_OF(struct test_parts, test.message), false, 0, 0, 0, NULL},
};

static enum rc read_test(struct reader *r, const struct value *v, struct rule_test *ret)
{
    struct test_parts parts = {0};
    struct cel_value vars[RULE_VAR_COUNT];
    struct err inner;
    enum rc rc = read_fields(r, v, test_fields, COUNT(test_fields), &parts);
    struct value *given = rc == RC_OK ? arena_alloc(r->arena, sizeof *given) : NULL;
    if (given == NULL) {
        return rc == RC_OK ? err_set(r->e, arena_rc(r->arena), "the configuration is too large") : rc;
    }
    *given = parts.given == NULL ? value_object() : value_copy(r->arena, parts.given);
    *ret = parts.test;
    ret->given = given;
    rc = rule_vars_from(r->arena, given, vars, &inner);
    return rc == RC_OK ? RC_OK : reader_fail(r, parts.given == NULL ? v : parts.given, "given%s: %s", inner.where, inner.text);
}

static enum rc read_tests(struct reader *r, const struct value *v, struct rule *rule)
{
    if (v == NULL) {
        return RC_OK;
    }
    if (!value_is(v, VALUE_ARRAY) || v->count > RULE_TESTS_MAX) {
        return reader_fail(r, v, "tests: expected a list of at most %d {name, given, expect, message}", RULE_TESTS_MAX);
    }
    struct rule_test *tests = arena_array(r->arena, v->count, sizeof *tests);
    for (uint32_t i = 0; i < v->count && tests != NULL; i++) {
        enum rc rc = read_test(r, &v->items[i], &tests[i]);
        if (rc != RC_OK) {
            return reader_step_index(r, rc, i);
        }
    }
    rule->tests = tests;
    rule->test_count = tests == NULL ? 0 : v->count;
    return RC_OK;
}

static struct value tests_value(struct arena *a, const struct rule *rule)
{
    struct value all = value_array();
    for (uint32_t i = 0; i < rule->test_count; i++) {
        struct test_parts parts = {.test = rule->tests[i], .given = rule->tests[i].given};
        value_push(a, &all, write_fields(a, test_fields, COUNT(test_fields), &parts));
    }
    return all;
}

/* --- rules ------------------------------------------------------------------------------------------------------ */

struct rule_parts {
    struct rule rule;
    const struct value *match;
    const struct value *condition;
    const struct value *message;
    const struct value *tests;
};

static const struct field match_fields[] = {
    {"agents", FIELD_TEXTS, FIELD_OF(struct rule, agents), false, 0, 0, 0, NULL},
    {"tools", FIELD_TEXTS, FIELD_OF(struct rule, tools), false, 0, 0, 0, NULL},
    {"classes", FIELD_NAMES, FIELD_OF(struct rule, classes), false, 0, 0, 0, NULL},
    {"services", FIELD_TEXTS, FIELD_OF(struct rule, services), false, 0, 0, 0, NULL},
    {"surfaces", FIELD_TEXTS, FIELD_OF(struct rule, surfaces), false, 0, 0, 0, NULL},
    {"labels", FIELD_TEXTS, FIELD_OF(struct rule, labels), false, 0, 0, 0, NULL},
};

static const struct field rule_fields[] = {
    {"name", FIELD_NAME, FIELD_OF(struct rule_parts, rule.name), true, 0, 0, 0, NULL},
    {"description", FIELD_TEXT, FIELD_OF(struct rule_parts, rule.description), false, 0, 0, 0, NULL},
    {"match", FIELD_VALUE, FIELD_OF(struct rule_parts, match), false, 0, 0, 0, NULL},
    {"condition", FIELD_VALUE, FIELD_OF(struct rule_parts, condition), true, 0, 0, 0, NULL},
    {"verdict", FIELD_WORD, FIELD_OF(struct rule_parts, rule.verdict), true, 0, 0, 0, verdicts},
    {"message", FIELD_VALUE, FIELD_OF(struct rule_parts, message), false, 0, 0, 0, NULL},
    {"severity", FIELD_WORD, FIELD_OF(struct rule_parts, rule.severity), false, SEVERITY_MEDIUM, 0, 0, severities},
    {"mode", FIELD_WORD, FIELD_OF(struct rule_parts, rule.mode), false, MODE_ENFORCE, 0, 0, modes},
    {"tests", FIELD_VALUE, FIELD_OF(struct rule_parts, tests), false, 0, 0, 0, NULL},
};

static enum rc compile(struct reader *r, const struct value *v, const struct cel_env *env, const struct cel_type *result,
                       struct cel_program **ret)
{
    struct err inner;
    const struct cel_options options = {.cost_max = RULE_COST_MAX, .result = result};
    if (!value_is(v, VALUE_STRING) || v->string.len == 0 || v->string.len > RULE_TEXT_MAX) {
        return reader_fail(r, v, "expected an expression of at most %d bytes", RULE_TEXT_MAX);
    }
    enum rc rc = cel_compile(env, v->string, &options, ret, &inner);
    if (rc == RC_NO_MEMORY) {
        return err_set(r->e, rc, "out of memory");
    }
    return rc == RC_OK ? RC_OK : reader_fail(r, v, "at %s of the expression: %s", inner.where, inner.text);
}

static bool is_class(struct str word)
{
    static const char *const words[] = {"read", "write", "destructive", "shell"};
    for (size_t i = 0; i < COUNT(words); i++) {
        if (str_eq(word, str_from(words[i]))) {
            return true;
        }
    }
    return false;
}

enum rc rule_match_read(struct reader *r, const struct value *v, struct rule *rule)
{
    enum rc rc = v == NULL ? RC_OK : read_fields(r, v, match_fields, COUNT(match_fields), rule);
    for (uint32_t i = 0; rc == RC_OK && i < rule->classes.count; i++) {
        if (!is_class(rule->classes.items[i])) {
            rc = reader_fail(r, v, "classes: expected read, write, destructive or shell");
        }
    }
    for (uint32_t i = 0; rc == RC_OK && i < rule->labels.count; i++) {
        if (str_find(rule->labels.items[i], '=') == rule->labels.items[i].len) {
            rc = reader_fail(r, v, "labels: expected name=value");
        }
    }
    return rc;
}

enum rc rule_read(struct reader *r, const struct value *v, const struct cel_env *env, struct rule *ret)
{
    struct rule_parts parts = {0};
    enum rc rc = read_fields(r, v, rule_fields, COUNT(rule_fields), &parts);
    struct rule *rule = &parts.rule;
    rc = rc == RC_OK ? reader_step(r, rule_match_read(r, parts.match, rule), "match") : rc;
    rc = rc == RC_OK ? reader_step(r, read_tests(r, parts.tests, rule), "tests") : rc;
    rc = rc == RC_OK ? reader_step(r, compile(r, parts.condition, env, &cel_bool, &rule->program), "condition") : rc;
    if (rc == RC_OK && parts.message != NULL) {
        rc = reader_step(r, compile(r, parts.message, env, &cel_string, &rule->says), "message");
    }
    if (rc != RC_OK) {
        rule_done(rule);
        return rc;
    }
    rule->condition = cel_program_text(rule->program);
    rule->message = rule->says == NULL ? STR("") : cel_program_text(rule->says);
    rule->file = r->file;
    rule->line = v->line;
    *ret = *rule;
    return RC_OK;
}

struct value rule_match_value(struct arena *a, const struct rule *rule)
{
    return write_fields(a, match_fields, COUNT(match_fields), rule);
}

struct value rule_value(struct arena *a, const struct rule *rule)
{
    struct value match = rule_match_value(a, rule);
    struct value condition = value_string(rule->condition);
    struct value message = value_string(rule->message);
    struct value tests = tests_value(a, rule);
    struct rule_parts parts = {.rule = *rule,
                               .match = match.count > 0 ? &match : NULL,
                               .condition = &condition,
                               .message = rule->message.len > 0 ? &message : NULL,
                               .tests = tests.count > 0 ? &tests : NULL};
    return write_fields(a, rule_fields, COUNT(rule_fields), &parts);
}

void rule_done(struct rule *rule)
{
    cel_program_free(rule->program);
    cel_program_free(rule->says);
    rule->program = NULL;
    rule->says = NULL;
}

/* --- evaluation ------------------------------------------------------------------------------------------------- */

static struct str keep(struct arena *a, struct str text)
{
    return arena_str(a, str_slice(text, 0, text.len < RULE_MESSAGE_MAX ? text.len : RULE_MESSAGE_MAX));
}

static struct str say(const struct rule *rule, const struct cel_activation *values, const struct rule_memory *m)
{
    struct cel_run run = {.arena = m->scratch, .budget = RULE_STEPS_MAX};
    struct cel_value text;
    struct err e;
    if (rule->says == NULL) {
        return rule->description;
    }
    if (cel_eval(rule->says, values, &run, &text, &e) != RC_OK) {
        return keep(m->kept, arena_printf(m->kept, "(no message: %s)", e.text));
    }
    return keep(m->kept, cel_text(&text));
}

void rule_eval(const struct rule *rule, const struct cel_value *vars, const struct rule_memory *m, struct rule_result *ret)
{
    const struct cel_activation values = {.values = vars, .count = RULE_VAR_COUNT};
    uint64_t budget = m->budget > 0 && m->budget < RULE_STEPS_MAX ? m->budget : RULE_STEPS_MAX;
    struct cel_run run = {.arena = m->scratch, .budget = budget, .steps = m->steps};
    struct cel_value held = {.kind = CEL_ABSENT};
    struct err e;
    enum rc rc = cel_eval(rule->program, &values, &run, &held, &e);
    *ret = (struct rule_result){.steps = run.spent};
    ret->failed = rc != RC_OK || held.kind != CEL_BOOL;
    ret->holds = ret->failed || held.boolean;
    if (rc != RC_OK) {
        ret->message = keep(m->kept, arena_printf(m->kept, "it could not be judged: %s", e.text));
    } else if (ret->failed) {
        ret->message = STR("it could not be judged: its condition gave no bool");
    } else if (ret->holds) {
        ret->message = say(rule, &values, m);
    }
}
