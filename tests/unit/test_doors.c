/*
 * doors: exit codes, the tail of an output, a host's call as a proposal, pawl's own surface, settings.
 */
#include "check.h"

#include "doors/hook.h"
#include "doors/invocation.h"
#include "doors/run.h"
#include "value/json.h"

static struct arena *fresh(void)
{
    struct arena *a = arena_new(16 << 20);
    assert_non_null(a);
    return a;
}

static struct value parsed(struct arena *a, const char *text)
{
    struct value v;
    struct err e;
    assert_int_equal(json_parse(a, str_from(text), &v, &e), RC_OK);
    return v;
}

/* --- run ------------------------------------------------------------------------------------------ */

static void test_exit_codes(void **state)
{
    (void)state;
    static const struct {
        const char *state;
        int code;
    } states[] = {{"advised", 20},  {"held", 21},      {"escalated", 22}, {"expired", 22}, {"denied", 23},
                  {"rejected", 23}, {"cancelled", 23}, {"abandoned", 24}, {"unknown", 24}, {"executing", 24},
                  {"succeeded", 24}, {"", 24},         {"something", 24}};
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        assert_int_equal(run_exit_of_state(str_from(states[i].state)), states[i].code);
    }
    static const struct {
        struct executed executed;
        int code;
    } runs[] = {
        {{.ran = true, .exit_status = 0}, 0},
        {{.ran = true, .exit_status = 24}, 24},
        {{.ran = true, .exit_status = 255}, 255},
        {{.ran = true, .exit_status = -1, .signal = 9}, 137},
        {{.ran = true, .exit_status = -1, .signal = 15}, 143},
        {{.failure = {.rc = RC_NOT_FOUND}}, 127},
        {{.failure = {.rc = RC_DENIED}}, 126},
        {{.failure = {.rc = RC_CONFLICT}}, 126},
    };
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        assert_int_equal(run_exit_of(&runs[i].executed), runs[i].code);
    }
}

static void test_tail(void **state)
{
    (void)state;
    struct arena *a = fresh();
    struct tail t = {0};
    assert_str(tail_text(a, &t), "");
    tail_put(&t, STR("one "));
    tail_put(&t, STR("two\xff"));
    assert_str(tail_text(a, &t), "one two\xef\xbf\xbd");
    char big[3 * EXECUTION_TAIL];
    memset(big, 'x', sizeof big);
    tail_put(&t, (struct str){big, sizeof big});
    tail_put(&t, STR("end"));
    struct str text = tail_text(a, &t);
    assert_int_equal(text.len, EXECUTION_TAIL);
    assert_true(str_ends(text, STR("xend")));
    /* The oldest byte falls into the middle of a character: that one goes. */
    struct tail cut = {0};
    tail_put(&cut, STR("\xe2\x82\xac"));
    tail_put(&cut, (struct str){big, EXECUTION_TAIL - 2});
    text = tail_text(a, &cut);
    assert_int_equal(text.len, EXECUTION_TAIL - 2);
    assert_int_equal(text.ptr[0], 'x');
    arena_free(a);
}

static void test_secret_names(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool secret;
    } cases[] = {{"PATH", false},      {"KUBECONFIG", false}, {"API_KEY", true},   {"github_token", true},
                 {"MySecret", true},   {"DB_PASSWORD", true}, {"PGPASSFILE", false}, {"PASSWD", true},
                 {"AWS_ACCESS_KEY_ID", true}, {"GOOGLE_APPLICATION_CREDENTIALS", true}, {"LANG", false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(env_is_secret(str_from(cases[i].name)), cases[i].secret);
    }
}

static enum rc make(struct arena *a, const char *const *argv, const char *input, const char *env, struct err *e)
{
    struct invocation i;
    struct invocation_spec spec = {.argv = argv, .inputs = {input}, .env = {env}};
    enum rc rc = invocation_make(a, &spec, &i, e);
    if (rc == RC_OK) {
        invocation_done(&i);
    }
    return rc;
}

static void test_invocation_errors(void **state)
{
    (void)state;
    struct arena *a = fresh();
    struct err e;
    assert_int_equal(make(a, (const char *[]){"true", NULL}, NULL, NULL, &e), RC_OK);
    assert_int_equal(make(a, (const char *[]){"no-such-command", NULL}, NULL, NULL, &e), RC_NOT_FOUND);
    assert_string_equal(e.text, "no-such-command: no such command in PATH");
    assert_int_equal(make(a, (const char *[]){"/etc/passwd", NULL}, NULL, NULL, &e), RC_DENIED);
    assert_string_equal(e.text, "/etc/passwd: it is no executable file");
    assert_int_equal(make(a, (const char *[]){"/no/such", NULL}, NULL, NULL, &e), RC_NOT_FOUND);
    assert_int_equal(make(a, (const char *[]){"true", "\xff", NULL}, NULL, NULL, &e), RC_INVALID);
    assert_string_equal(e.text, "argument 1 is not valid UTF-8");
    assert_int_equal(make(a, (const char *[]){"true", NULL}, NULL, "LD_PRELOAD", &e), RC_INVALID);
    assert_string_equal(e.text, "--env LD_PRELOAD: never passed on");
    assert_int_equal(make(a, (const char *[]){"true", NULL}, NULL, "A=B", &e), RC_INVALID);
    assert_int_equal(make(a, (const char *[]){"true", "x", NULL}, "/etc/passwd", NULL, &e), RC_INVALID);
    assert_string_equal(e.text, "--input /etc/passwd: no argument is exactly that");
    assert_int_equal(make(a, (const char *[]){"true", "/no/such", NULL}, "/no/such", NULL, &e), RC_NOT_FOUND);
    assert_int_equal(make(a, (const char *[]){"true", "/etc/passwd", NULL}, "/etc/passwd", NULL, &e), RC_OK);
    arena_free(a);
}

/* --- hook ----------------------------------------------------------------------------------------- */

static void test_proposals(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"Bash", "{\"command\":\"ls -l\",\"description\":\"x\",\"timeout\":5}",
         "{\"invocation\":{\"mcp\":\"claude-code/bash\"},\"parameters\":{\"command\":\"ls -l\"}}"},
        {"Write", "{\"file_path\":\"/a\",\"content\":\"b\"}",
         "{\"invocation\":{\"mcp\":\"claude-code/write\"},\"parameters\":{\"content\":\"b\",\"file_path\":\"/a\"}}"},
        {"NotebookEdit", "{}", "{\"invocation\":{\"mcp\":\"claude-code/notebookedit\"},\"parameters\":{}}"},
        {"mcp__Ops__Deploy", "{\"n\":1}",
         "{\"invocation\":{\"mcp\":\"mcp__Ops__Deploy\"},\"parameters\":{\"n\":1}}"},
    };
    struct arena *a = fresh();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct value input = parsed(a, cases[i][1]);
        struct hook_call call = {.tool = str_from(cases[i][0]), .input = &input};
        struct value v;
        struct err e;
        struct buf text;
        buf_init(&text, 4096);
        assert_int_equal(hook_proposal(a, &call, &v, &e), RC_OK);
        json_write_canonical(&text, &v, a);
        assert_str(buf_view(&text), cases[i][2]);
        buf_done(&text);
    }
    struct value input = parsed(a, "{\"command\":7}");
    struct hook_call call = {.tool = STR("Bash"), .input = &input};
    struct value v;
    struct err e;
    assert_int_equal(hook_proposal(a, &call, &v, &e), RC_INVALID);
    assert_string_equal(e.text, "Bash without a command");
    arena_free(a);
}

static void test_calls(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *where; /* null: good */
    } cases[] = {
        {"{\"hook_event_name\":\"SessionStart\"}", NULL},
        {"{\"hook_event_name\":\"PreToolUse\",\"session_id\":\"s\",\"tool_use_id\":\"u\",\"tool_name\":\"Read\","
         "\"tool_input\":{}}",
         NULL},
        {"{}", "/hook_event_name"},
        {"[]", "/hook_event_name"},
        {"{\"hook_event_name\":7}", "/hook_event_name"},
        {"{\"hook_event_name\":\"PreToolUse\",\"session_id\":\"s\"}", "/tool_use_id"},
        {"{\"hook_event_name\":\"PostToolUse\",\"tool_use_id\":\"s\"}", "/tool_use_id"},
        {"{\"hook_event_name\":\"PreToolUse\",\"session_id\":\"s\",\"tool_use_id\":\"u\"}", "/tool_name"},
        {"{\"hook_event_name\":\"PreToolUse\",\"session_id\":\"s\",\"tool_use_id\":\"u\",\"tool_name\":\"Read\","
         "\"tool_input\":[]}",
         "/tool_input"},
    };
    struct arena *a = fresh();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct value v = parsed(a, cases[i].text);
        struct hook_call call;
        struct err e;
        assert_int_equal(hook_call_read(&v, &call, &e), cases[i].where == NULL ? RC_OK : RC_INVALID);
        if (cases[i].where != NULL) {
            assert_string_equal(e.where, cases[i].where);
        }
    }
    arena_free(a);
}

static void test_surface(void **state)
{
    (void)state;
    static const struct {
        const char *input;
        bool touched;
    } cases[] = {
        {"{\"file_path\":\"/srv/pawl/data\"}", true},
        {"{\"file_path\":\"/srv/pawl/data/keys/ledger.key\"}", true},
        {"{\"file_path\":\"/srv/x/../pawl/./data//stop\"}", true},
        {"{\"file_path\":\"file:///srv/pawl/data/stop\"}", true},
        {"{\"file_path\":\"../pawl/data\"}", true},
        {"{\"a\":[{\"b\":\"/srv/pawl/data\"}]}", true},
        {"{\"file_path\":\"/srv/pawl/database\"}", false},
        {"{\"file_path\":\"/srv/pawl\"}", false},
        {"{\"content\":\"about /srv/pawl/data in a text\"}", false},
        {"{\"file_path\":\"\"}", false},
        {"{\"n\":7,\"b\":true,\"z\":null}", false},
        {"{\"command\":\"cat /srv/pawl/data/x\"}", true},
        {"{\"command\":\"cd /srv; cat data/x\"}", false},
        {"{\"command\":\"cat ../pawl/data/x\"}", true},
        {"{\"command\":\"pawl stop --all\"}", true},
        {"{\"command\":\"x=1;/opt/bin/pawl resume\"}", true},
        {"{\"command\":\"$(pawl status)\"}", true},
        {"{\"command\":\"'pa'\\\"wl\\\" status\"}", true},
        {"{\"command\":\"echo sprawl\"}", false},
        {"{\"command\":\"env PAWL_TOKEN=x true\"}", true},
        {"{\"command\":\"sed -i d ~/.claude/settings.local.json\"}", true},
        {"{\"command\":\"ls -l\"}", false},
        {"{\"command\":\"\"}", false},
    };
    struct arena *a = fresh();
    struct surface s = {0};
    surface_add(a, &s, STR("/srv/work"), "../pawl/data/");
    surface_add(a, &s, STR("/srv/work"), NULL);
    surface_add(a, &s, STR("/srv/work"), "/srv/pawl/data");
    assert_int_equal(s.count, 1);
    assert_str(s.paths[0], "/srv/pawl/data");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct value input = parsed(a, cases[i].input);
        struct hook_call call = {.cwd = STR("/srv/work"), .input = &input};
        struct str path;
        if (surface_touched(a, &s, &call, &path) != cases[i].touched) {
            fail_msg("%s", cases[i].input);
        }
    }
    arena_free(a);
}

static void test_settings(void **state)
{
    (void)state;
    struct arena *a = fresh();
    struct hook_options o = {.headless = true, .config = "/etc/pawl.yaml"};
    struct value old = parsed(a, "{\"m\":1,\"hooks\":{\"Stop\":[],\"PreToolUse\":[{\"matcher\":\"Bash\"}]},\"z\":2}");
    struct value once;
    struct value twice;
    struct err e;
    assert_int_equal(hook_settings_merge(a, &old, &o, "/usr/bin/pawl", &once, &e), RC_OK);
    assert_int_equal(hook_settings_merge(a, &once, &o, "/usr/bin/pawl", &twice, &e), RC_OK);
    assert_true(value_eq(&once, &twice));
    assert_int_equal(value_integer_or(value_get(&once, STR("m")), 0), 1);
    assert_int_equal(value_integer_or(value_get(&once, STR("z")), 0), 2);
    const struct value *before = value_path(&once, "hooks", "PreToolUse", NULL);
    assert_int_equal(before->count, 2);
    assert_str(value_text(value_get(&before->items[0], STR("matcher"))), "Bash");
    const struct value *hook = &value_get(&before->items[1], STR("hooks"))->items[0];
    struct value want = parsed(a, "{\"type\":\"command\",\"command\":\"/usr/bin/pawl\",\"args\":[\"hook\",\"claude-code\","
                                  "\"--config\",\"/etc/pawl.yaml\",\"--headless\"],\"timeout\":30,"
                                  "\"onFailure\":\"block\"}");
    assert_true(value_eq(hook, &want));
    static const char *const bad[] = {"[]", "{\"hooks\":[]}", "{\"hooks\":{\"PreToolUse\":{}}}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct value v = parsed(a, bad[i]);
        assert_int_equal(hook_settings_merge(a, &v, &o, "/usr/bin/pawl", &once, &e), RC_INVALID);
    }
    arena_free(a);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exit_codes), cmocka_unit_test(test_tail),
        cmocka_unit_test(test_secret_names), cmocka_unit_test(test_invocation_errors),
        cmocka_unit_test(test_proposals),  cmocka_unit_test(test_calls),
        cmocka_unit_test(test_surface),    cmocka_unit_test(test_settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
