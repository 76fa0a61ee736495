/*
 * cli/rules - rules tried without a server: their own tests, what is wrong with them, what they can read.
 */
#include "cli/cli.h"
#include "cli/output.h"

#include "policy/rule_lint.h"
#include "server/config.h"
#include "server/config_files.h"

#include <stdio.h>
#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { TEST_MEMORY_MAX = 64 << 20 };

/* --- what is read ---------------------------------------------------------------------------------------------- */

struct loaded {
    struct config config;  /* of a configuration, with the rules beside it */
    struct policy *alone;  /* of files of rules; null: config's */
    struct arena *arena;
};

static void loaded_done(struct loaded *l)
{
    policy_free(l->alone);
    arena_free(l->arena);
    if (l->config.policy != NULL) {
        config_done(&l->config);
    }
}

/* Files of rules by themselves: there is nothing for them to name. */
static enum rc load_files(const struct args *a, struct loaded *l, struct err *e)
{
    struct value none = value_object();
    struct rules_file *files = arena_array(l->arena, a->rest_count, sizeof *files);
    enum rc rc = files == NULL ? err_set(e, RC_NO_MEMORY, "out of memory") : RC_OK;
    for (size_t i = 0; rc == RC_OK && i < a->rest_count; i++) {
        rc = rules_file_read(l->arena, a->rest[i], &files[i], e);
    }
    const struct policy_source source = {STR(""), &none, files, (uint32_t)a->rest_count};
    return rc == RC_OK ? policy_read_all(&source, &l->alone, e) : rc;
}

/* Null: said on stderr. */
static const struct policy *load(const struct args *a, struct loaded *l)
{
    struct err e;
    *l = (struct loaded){.arena = arena_new(POLICY_ARENA_MAX)};
    enum rc rc = l->arena == NULL   ? err_set(&e, RC_NO_MEMORY, "out of memory")
                 : a->rest_count > 0 ? load_files(a, l, &e)
                                     : config_load(cli_config_path(a), &l->config, &e);
    if (rc != RC_OK) {
        cli_error(&e);
        return NULL;
    }
    return l->alone != NULL ? l->alone : l->config.policy;
}

/* --- test ------------------------------------------------------------------------------------------------------- */

struct trying {
    struct arena *arena;
    struct value results;
    unsigned passed;
    unsigned failed;
    unsigned untested;
};

static struct str what_came(struct arena *a, const struct rule *rule, const struct rule_result *r)
{
    enum verdict verdict = r->holds ? (enum verdict)rule->verdict : VERDICT_ALLOW;
    return r->failed ? arena_printf(a, "%s (%.*s)", verdict_name(verdict), STR_ARG(r->message)) : verdict_str(verdict);
}

static void try_one(struct trying *t, const struct rule *rule, const struct rule_test *test)
{
    CLEANUP(arena) struct arena *scratch = arena_new(TEST_MEMORY_MAX);
    struct cel_value vars[RULE_VAR_COUNT];
    struct rule_result result = {.holds = false};
    struct err e;
    if (scratch == NULL || rule_vars_from(scratch, test->given, vars, &e) != RC_OK) {
        result = (struct rule_result){.holds = true, .failed = true, .message = STR("what is given can't be read")};
    } else if (rule_fits(rule, vars, scratch)) {
        const struct rule_memory memory = {scratch, t->arena, 0, NULL};
        rule_eval(rule, vars, &memory, &result);
    }
    enum verdict came = result.holds ? (enum verdict)rule->verdict : VERDICT_ALLOW;
    bool good = !result.failed && (int64_t)came == test->verdict &&
                (test->message.len == 0 || str_eq(test->message, result.message));
    struct value v = value_object();
    value_add_str(t->arena, &v, STR("rule"), rule->name);
    value_add_str(t->arena, &v, STR("test"), test->name);
    value_add_bool(t->arena, &v, STR("passed"), good);
    value_add_str(t->arena, &v, STR("expected"), verdict_str((enum verdict)test->verdict));
    value_add_str(t->arena, &v, STR("came"), what_came(t->arena, rule, &result));
    if (result.message.len > 0) {
        value_add_str(t->arena, &v, STR("message"), result.message);
    }
    value_push(t->arena, &t->results, v);
    *(good ? &t->passed : &t->failed) += 1;
}

static void print_tests(const struct trying *t)
{
    static const struct column columns[] = {{"rule", "rule"}, {"test", "test"}, {"expected", "expected"}, {"came", "came"},
                                            {"message", "message"}};
    struct value bad = value_array();
    for (uint32_t i = 0; i < t->results.count; i++) {
        if (!value_bool_or(value_get(&t->results.items[i], STR("passed")), false)) {
            value_push(t->arena, &bad, t->results.items[i]);
        }
    }
    if (bad.count > 0) {
        output_table(&bad, columns, COUNT(columns));
    }
    printf("%u passed, %u failed", t->passed, t->failed);
    if (t->untested > 0) {
        printf(", %u rules without a test", t->untested);
    }
    printf("\n");
}

static int run_test(const struct args *a)
{
    struct loaded l;
    const struct policy *p = load(a, &l);
    struct trying t = {.arena = l.arena, .results = value_array()};
    for (uint32_t i = 0; p != NULL && i < p->rule_count; i++) {
        const struct rule *rule = &p->rules[i];
        t.untested += rule->test_count == 0 ? 1 : 0;
        for (uint32_t k = 0; k < rule->test_count; k++) {
            try_one(&t, rule, &rule->tests[k]);
        }
    }
    if (p != NULL && args_flag(a, "json")) {
        output_json(&t.results);
    } else if (p != NULL) {
        print_tests(&t);
    }
    loaded_done(&l);
    return p == NULL || t.failed > 0 ? CLI_FAILED : CLI_OK;
}

/* --- lint ------------------------------------------------------------------------------------------------------- */

struct linted {
    struct arena *arena;
    struct value all;
    unsigned mistakes;
};

static void note(void *context, const struct lint *l)
{
    struct linted *out = context;
    struct value v = value_object();
    value_add_str(out->arena, &v, STR("rule"), l->rule->name);
    value_add_str(out->arena, &v, STR("place"),
                  l->rule->line == 0 ? l->rule->file : arena_printf(out->arena, "%.*s:%u", STR_ARG(l->rule->file), l->rule->line));
    value_add_str(out->arena, &v, STR("kind"), str_from(lint_kind_name(l->kind)));
    value_add_str(out->arena, &v, STR("text"), l->text);
    value_push(out->arena, &out->all, v);
    out->mistakes += lint_is_mistake(l->kind) ? 1 : 0;
}

static int run_lint(const struct args *a)
{
    static const struct column columns[] = {{"rule", "rule"}, {"place", "place"}, {"kind", "kind"}, {"text", "text"}};
    struct loaded l;
    const struct policy *p = load(a, &l);
    struct linted found = {.arena = l.arena, .all = value_array()};
    if (p != NULL) {
        rules_lint(p, l.arena, note, &found);
    }
    if (p != NULL && args_flag(a, "json")) {
        output_json(&found.all);
    } else if (p != NULL && found.all.count > 0) {
        output_table(&found.all, columns, COUNT(columns));
    } else if (p != NULL) {
        printf("nothing found in %u rules\n", p->rule_count);
    }
    loaded_done(&l);
    return p == NULL || found.mistakes > 0 ? CLI_FAILED : CLI_OK;
}

/* --- what rules read ---------------------------------------------------------------------------------------------- */

static void print_fields(struct buf *out, const struct cel_class *class)
{
    buf_printf(out, "\n### %s\n\n%s\n\n| field | type | |\n|---|---|---|\n", class->name, class->doc);
    for (unsigned i = 0; i < class->count; i++) {
        const struct cel_field *f = &class->fields[i];
        const char *const *words = rule_field_words(class, i);
        buf_printf(out, "| `%s` | `", f->name);
        buf_cel_type(out, f->type);
        buf_printf(out, "` | %s", f->doc);
        for (size_t w = 0; words != NULL && words[w] != NULL; w++) {
            buf_printf(out, "%s`%s`", w == 0 ? " One of " : ", ", words[w][0] == '\0' ? "\"\"" : words[w]);
        }
        buf_str(out, words == NULL ? STR(" |\n") : STR(". |\n"));
    }
}

static int run_variables(const struct args *a)
{
    struct err e;
    if (args_expect(a, 0, 0, "no words", &e) != RC_OK) {
        return cli_usage(&e);
    }
    struct cel_env *env = rule_env_new();
    struct buf out;
    buf_init(&out, OUTPUT_MAX);
    buf_str(&out, STR("| variable | type | |\n|---|---|---|\n"));
    for (uint32_t i = 0; env != NULL && i < cel_env_count(env); i++) {
        struct cel_declaration d = cel_env_at(env, i);
        buf_printf(&out, "| `%.*s` | `", STR_ARG(d.name));
        buf_cel_type(&out, d.type);
        buf_printf(&out, "` | %s |\n", d.doc);
    }
    for (uint32_t i = 0; env != NULL && cel_env_class(env, i) != NULL; i++) {
        print_fields(&out, cel_env_class(env, i));
    }
    output_buf(&out);
    int code = env != NULL && out.rc == RC_OK ? CLI_OK : CLI_FAILED;
    buf_done(&out);
    cel_env_free(env);
    return code;
}

static const struct option rule_options[] = {
    {"config", 'c', OPTION_TEXT, "FILE", "the configuration, with rules/ beside it (PAWL_CONFIG, else pawl.yaml)"},
    CLI_JSON_OPTION,
};

const struct command rule_commands[] = {
    {"policy test", "[FILE...]", "run the tests beside rules: of a configuration, or of files of rules", rule_options,
     COUNT(rule_options), run_test, NULL},
    {"policy lint", "[FILE...]", "rules that never hold, never speak, say the same twice or contradict each other",
     rule_options, COUNT(rule_options), run_lint, NULL},
    {"policy variables", "", "what rules can read, as the reference page says it", NULL, 0, run_variables, NULL},
    {0},
};
