/*
 * cli/policies - versions of the policy: which there were, what changed between them, an earlier one again.
 */
#include "cli/cli.h"
#include "cli/output.h"

#include "client/untrusted.h"
#include "server/config.h"
#include "value/json.h"

#include <inttypes.h>
#include <stdio.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* --- history ---------------------------------------------------------------------------------------------------- */

static void add_version(struct session *s, const struct value *entry, struct value *ret)
{
    static const char *const names[] = {"hash", "author", "reason", "signature", "aside"};
    const struct value *body = value_get(entry, STR("body"));
    struct value row = value_object();
    value_add_int(s->arena, &row, STR("seq"), value_integer_or(value_get(entry, STR("seq")), 0));
    value_add_str(s->arena, &row, STR("time"), value_text(value_get(entry, STR("time"))));
    for (size_t k = 0; k < COUNT(names); k++) {
        const struct value *v = value_get(body, str_from(names[k]));
        if (v != NULL) {
            value_add(s->arena, &row, str_from(names[k]), *v);
        }
    }
    value_push(s->arena, ret, row);
}

/* The ledger has a next page for ever; `more` says when it is worth asking for. */
static int get_versions(struct session *s, struct value *ret)
{
    char after[32] = "0";
    bool more = true;
    *ret = value_array();
    while (more) {
        char path[128];
        snprintf(path, sizeof path, "/v1/ledger?kind=policy.loaded&limit=1000&after=%s", after);
        int code = session_get(s, path);
        if (code != CLI_OK) {
            return code;
        }
        const struct value *items = value_get(&s->answer.body, STR("items"));
        for (uint32_t i = 0; value_item(items, i) != NULL; i++) {
            add_version(s, value_item(items, i), ret);
        }
        more = value_bool_or(value_get(&s->answer.body, STR("more")), false) &&
               str_to_c(value_text(value_get(&s->answer.body, STR("next"))), after, sizeof after);
    }
    return CLI_OK;
}

static int run_history(const struct args *a)
{
    static const struct column columns[] = {{"seq", "seq"}, {"time", "time"}, {"author", "author"}, {"reason", "reason"}, {"hash", "hash"}};
    struct session s;
    struct err e;
    if (args_expect(a, 0, 0, "no words", &e) != RC_OK) {
        return cli_usage(&e);
    }
    int code = session_open(&s, a);
    if (code != CLI_OK) {
        return code;
    }
    struct value all;
    code = get_versions(&s, &all);
    if (code == CLI_OK && args_flag(a, "json")) {
        output_json(&all);
    } else if (code == CLI_OK) {
        output_table(&all, columns, COUNT(columns));
    }
    session_close(&s);
    return code;
}

/* --- diff --------------------------------------------------------------------------------------------------------- */

struct comparing {
    struct arena *arena;
    struct value rows;
};

static void compare(struct comparing *c, struct str path, const struct value *before, const struct value *after);

static void add_row(struct comparing *c, struct str path, const struct value *before, const struct value *after)
{
    struct value row = value_object();
    value_add_str(c->arena, &row, STR("path"), path);
    value_add(c->arena, &row, STR("before"), before == NULL ? value_null() : *before);
    value_add(c->arena, &row, STR("after"), after == NULL ? value_null() : *after);
    value_push(c->arena, &c->rows, row);
}

static struct str name_of(const struct value *v)
{
    return value_text(value_get(v, STR("name")));
}

/* A list of named things is compared by name, any other one as a whole. */
static bool is_named(const struct value *v)
{
    for (uint32_t i = 0; i < v->count; i++) {
        if (name_of(&v->items[i]).len == 0) {
            return false;
        }
    }
    return true;
}

static const struct value *find_named(const struct value *list, struct str name)
{
    for (uint32_t i = 0; i < list->count; i++) {
        if (str_eq(name_of(&list->items[i]), name)) {
            return &list->items[i];
        }
    }
    return NULL;
}

static void compare_lists(struct comparing *c, struct str path, const struct value *before, const struct value *after)
{
    if (!is_named(before) || !is_named(after)) {
        add_row(c, path, before, after);
        return;
    }
    for (uint32_t i = 0; i < before->count; i++) {
        struct str name = name_of(&before->items[i]);
        compare(c, arena_printf(c->arena, "%.*s[%.*s]", STR_ARG(path), STR_ARG(name)), &before->items[i], find_named(after, name));
    }
    for (uint32_t i = 0; i < after->count; i++) {
        struct str name = name_of(&after->items[i]);
        if (find_named(before, name) == NULL) {
            add_row(c, arena_printf(c->arena, "%.*s[%.*s]", STR_ARG(path), STR_ARG(name)), NULL, &after->items[i]);
        }
    }
}

static void compare_objects(struct comparing *c, struct str path, const struct value *before, const struct value *after)
{
    const char *dot = path.len == 0 ? "" : ".";
    for (uint32_t i = 0; i < before->count; i++) {
        struct str name = before->members[i].name;
        compare(c, arena_printf(c->arena, "%.*s%s%.*s", STR_ARG(path), dot, STR_ARG(name)), &before->members[i].value,
                value_get(after, name));
    }
    for (uint32_t i = 0; i < after->count; i++) {
        struct str name = after->members[i].name;
        if (value_get(before, name) == NULL) {
            add_row(c, arena_printf(c->arena, "%.*s%s%.*s", STR_ARG(path), dot, STR_ARG(name)), NULL, &after->members[i].value);
        }
    }
}

/* Policies are at most as deep as what the reader of policies takes. */
static void compare(struct comparing *c, struct str path, const struct value *before, const struct value *after)
{
    if (after == NULL) {
        add_row(c, path, before, NULL);
    } else if (value_is(before, VALUE_OBJECT) && value_is(after, VALUE_OBJECT)) {
        compare_objects(c, path, before, after);
    } else if (!value_eq(before, after)) {
        if (value_is(before, VALUE_ARRAY) && value_is(after, VALUE_ARRAY)) {
            compare_lists(c, path, before, after);
        } else {
            add_row(c, path, before, after);
        }
    }
}

/* The policy that the entry of that seq loaded, or the one of a configuration file. */
static int get_policy(struct session *s, const char *word, const struct value *versions, struct value *ret)
{
    uint64_t seq;
    if (!str_to_u64(str_from(word), &seq)) {
        struct config config;
        struct buf text;
        if (config_load(word, &config, &s->e) != RC_OK) {
            return cli_failed(&s->e);
        }
        buf_init(&text, POLICY_TEXT_MAX);
        policy_write(&text, config.policy);
        config_done(&config);
        struct str kept = arena_str(s->arena, buf_view(&text));
        buf_done(&text);
        return json_parse(s->arena, kept, ret, &s->e) == RC_OK ? CLI_OK : cli_failed(&s->e);
    }
    for (uint32_t i = 0; i < versions->count; i++) {
        const struct value *v = &versions->items[i];
        if (value_integer_or(value_get(v, STR("seq")), -1) == (int64_t)seq) {
            char path[128];
            struct str hash = value_text(value_get(v, STR("hash")));
            snprintf(path, sizeof path, "/v1/blobs/%.*s", STR_ARG(str_slice(hash, 0, hash.len < 80 ? hash.len : 80)));
            int code = session_get(s, path);
            struct str text = arena_str(s->arena, s->answer.text);
            return code != CLI_OK || json_parse(s->arena, text, ret, &s->e) == RC_OK ? code : cli_failed(&s->e);
        }
    }
    (void)err_set(&s->e, RC_NOT_FOUND, "entry %" PRIu64 " loaded no policy", seq);
    return cli_failed(&s->e);
}

static void print_changes(const struct value *rows)
{
    struct buf out;
    buf_init(&out, OUTPUT_MAX);
    for (uint32_t i = 0; i < rows->count; i++) {
        const struct value *row = &rows->items[i];
        untrusted_cell(&out, value_text(value_get(row, STR("path"))));
        buf_str(&out, STR("\n"));
        for (int side = 0; side < 2; side++) {
            const struct value *v = value_get(row, side == 0 ? STR("before") : STR("after"));
            if (v->type != VALUE_NULL) {
                struct buf text;
                buf_init(&text, OUTPUT_MAX);
                json_write(&text, v);
                buf_printf(&out, "  %c ", side == 0 ? '-' : '+');
                untrusted_cell(&out, buf_view(&text));
                buf_char(&out, '\n');
                buf_done(&text);
            }
        }
    }
    if (out.len > 0) {
        output_buf(&out);
    }
    buf_done(&out);
}

static int run_diff(const struct args *a)
{
    struct session s;
    struct err e;
    if (args_expect(a, 2, 2, "two of a seq or a configuration file", &e) != RC_OK) {
        return cli_usage(&e);
    }
    int code = session_open(&s, a);
    if (code != CLI_OK) {
        return code;
    }
    struct value versions;
    struct value sides[2] = {value_null(), value_null()};
    struct comparing c = {s.arena, value_array()};
    code = get_versions(&s, &versions);
    for (int i = 0; i < 2 && code == CLI_OK; i++) {
        code = get_policy(&s, a->rest[i], &versions, &sides[i]);
    }
    if (code == CLI_OK) {
        compare(&c, STR(""), &sides[0], &sides[1]);
    }
    if (code == CLI_OK && args_flag(a, "json")) {
        output_json(&c.rows);
    } else if (code == CLI_OK) {
        print_changes(&c.rows);
    }
    session_close(&s);
    return code;
}

/* --- another one comes into force ------------------------------------------------------------------------------------ */

int cli_post_policy(const struct args *a, const char *path, const struct value *body)
{
    struct session s;
    int code = session_open(&s, a);
    if (code != CLI_OK) {
        return code;
    }
    code = session_post(&s, path, body);
    if (code == CLI_OK) {
        const struct column column = {"policy", "hash"};
        output_members(&s.answer.body, &column, 1);
    }
    session_close(&s);
    return code;
}

static int run_reload(const struct args *a)
{
    struct value body = value_object();
    struct err e;
    return args_expect(a, 0, 0, "no words", &e) == RC_OK ? cli_post_policy(a, "/v1/policy/reload", &body) : cli_usage(&e);
}

static int run_rollback(const struct args *a)
{
    CLEANUP(arena) struct arena *arena = arena_new(1 << 20);
    struct value body = value_object();
    uint64_t seq = 0;
    struct err e;
    enum rc rc = args_expect(a, 1, 1, "the seq of an earlier version (pawl policy history)", &e);
    if (rc == RC_OK && !str_to_u64(str_from(a->rest[0]), &seq)) {
        rc = err_set(&e, RC_INVALID, "expected a seq: pawl policy history lists them");
    }
    if (rc == RC_OK && args_text(a, "reason") == NULL) {
        rc = err_set(&e, RC_INVALID, "expected --reason TEXT");
    }
    if (rc != RC_OK || arena == NULL) {
        return cli_usage(&e);
    }
    value_add_str(arena, &body, STR("reason"), str_from(args_text(a, "reason")));
    value_add_int(arena, &body, STR("seq"), (int64_t)seq);
    return cli_post_policy(a, "/v1/policy/rollback", &body);
}

/* --- explain ------------------------------------------------------------------------------------------------------------- */

static void print_rule(struct buf *out, const struct value *rule)
{
    bool holds = value_bool_or(value_get(rule, STR("holds")), false);
    const struct value *evaluated = value_get(rule, STR("evaluated"));
    untrusted_cell(out, value_text(value_get(rule, STR("rule"))));
    buf_printf(out, " (%.*s, %.*s): %s\n", STR_ARG(value_text(value_get(rule, STR("verdict")))),
               STR_ARG(value_text(value_get(rule, STR("mode")))),
               value_bool_or(value_get(rule, STR("failed")), false)    ? "could not be judged"
               : !value_bool_or(value_get(rule, STR("speaks")), false) ? "does not speak of it"
               : holds                                                 ? "holds"
                                                                       : "does not hold");
    if (value_get(rule, STR("message")) != NULL) {
        buf_str(out, STR("  "));
        untrusted_cell(out, value_text(value_get(rule, STR("message"))));
        buf_char(out, '\n');
    }
    for (uint32_t i = 0; value_item(evaluated, i) != NULL; i++) {
        const struct value *step = value_item(evaluated, i);
        buf_str(out, STR("    "));
        untrusted_cell(out, value_text(value_get(step, STR("expression"))));
        buf_str(out, STR("  =  "));
        untrusted_cell(out, value_text(value_get(step, STR("value"))));
        buf_char(out, '\n');
    }
}

static int run_explain(const struct args *a)
{
    struct session s;
    struct err e;
    char path[160];
    if (args_expect(a, 1, 1, "a decision: dec_N", &e) != RC_OK) {
        return cli_usage(&e);
    }
    int code = session_open(&s, a);
    if (code != CLI_OK) {
        return code;
    }
    snprintf(path, sizeof path, "/v1/decisions/%.100s/explain", a->rest[0]);
    code = session_get(&s, path);
    if (code == CLI_OK && args_flag(a, "json")) {
        output_json(&s.answer.body);
    } else if (code == CLI_OK) {
        struct buf out;
        buf_init(&out, OUTPUT_MAX);
        const struct value *rules = value_get(&s.answer.body, STR("rules"));
        for (uint32_t i = 0; value_item(rules, i) != NULL; i++) {
            print_rule(&out, value_item(rules, i));
        }
        output_buf(&out);
        buf_done(&out);
    }
    session_close(&s);
    return code;
}

static const struct option plain_options[] = {CLI_JSON_OPTION, CLI_SERVER_OPTIONS};
static const struct option server_options[] = {CLI_SERVER_OPTIONS};
static const struct option rollback_options[] = {{"reason", 0, OPTION_TEXT, "TEXT", "why, for the record"}, CLI_SERVER_OPTIONS};
#define OPTIONS(list) list, COUNT(list)

const struct command policy_commands[] = {
    {"policy history", "", "every policy that was in force, the newest last", OPTIONS(plain_options), run_history, NULL},
    {"policy diff", "A B", "what changed between two: seqs of pawl policy history, or configuration files", OPTIONS(plain_options),
     run_diff, NULL},
    {"policy rollback", "SEQ", "an earlier one again, until the file changes or is read again", OPTIONS(rollback_options),
     run_rollback, NULL},
    {"policy reload", "", "read the policy from the server's file again", OPTIONS(server_options), run_reload, NULL},
    {"policy explain", "dec_N", "which rules held for a decision, with the values that decided it", OPTIONS(plain_options),
     run_explain, NULL},
    {0},
};
