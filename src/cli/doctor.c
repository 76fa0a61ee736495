/*
 * cli/doctor - what stands in the way, looked for from here; and the two commands of an admin's day.
 */
#include "cli/cli.h"
#include "cli/output.h"
#include "client/untrusted.h"
#include "sys/clock.h"
#include "base/instant.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { CLOCK_APART_MS = 5000 };

/* --- what is said ------------------------------------------------------------------------------- */

enum health { HEALTH_GOOD, HEALTH_NOTE, HEALTH_BAD };

struct examination {
    struct session s;
    const struct args *args;
    struct value found; /* for --json */
    bool bad;
};

static void say(struct examination *x, enum health health, const char *what, struct str text)
{
    static const char *const words[] = {"ok", "note", "bad"};
    static const char *const colours[] = {"allow", "hold", "deny"};
    x->bad = x->bad || health == HEALTH_BAD;
    if (args_flag(x->args, "json")) {
        struct value v = value_object();
        value_add_str(x->s.arena, &v, STR("check"), str_from(what));
        value_add_str(x->s.arena, &v, STR("result"), str_from(words[health]));
        value_add_str(x->s.arena, &v, STR("text"), arena_str(x->s.arena, text));
        value_push(x->s.arena, &x->found, v);
        return;
    }
    struct buf line;
    buf_init(&line, 16384);
    const char *colour = output_colour_of(str_from(colours[health]));
    buf_printf(&line, "%s%-5s%s %-12s ", colour, words[health], colour[0] == '\0' ? "" : output_plain(), what);
    untrusted_cell(&line, text);
    buf_char(&line, '\n');
    output_buf(&line);
    buf_done(&line);
}

/* --- the server --------------------------------------------------------------------------------- */

static bool ask(struct examination *x, const char *path)
{
    return client_get(&x->s.client, x->s.arena, path, &x->s.answer, &x->s.e) == RC_OK;
}

/* Each question is answered to some roles only; what is answered says which they are. */
static void look_at_token(struct examination *x)
{
    static const char *const questions[][2] = {
        {"/v1/status", "reads the state"},
        {"/v1/ledger?limit=1", "reads the ledger (auditor or admin)"},
        {"/v1/tokens?limit=1", "makes credentials (admin)"},
        {"/v1/actions?limit=1", "sees actions"},
    };
    struct buf may;
    buf_init(&may, 1024);
    for (size_t i = 0; i < COUNT(questions); i++) {
        if (ask(x, questions[i][0])) {
            buf_printf(&may, "%s%s", may.len > 0 ? ", " : "", questions[i][1]);
        } else if (x->s.answer.status == 401) {
            say(x, HEALTH_BAD, "token", str_from(x->s.e.text));
            buf_done(&may);
            return;
        }
    }
    say(x, may.len > 0 ? HEALTH_GOOD : HEALTH_NOTE, "token",
        may.len > 0 ? buf_view(&may) : STR("valid, and may read nothing here"));
    buf_done(&may);
}

static void look_at_clock(struct examination *x)
{
    int64_t there_ms;
    if (!ask(x, "/v1/status") ||
        !instant_parse(value_text(value_get(&x->s.answer.body, STR("now"))), &there_ms)) {
        return; /* this credential is not told */
    }
    int64_t apart_ms = clock_wall_ms() - there_ms;
    bool good = apart_ms < CLOCK_APART_MS && apart_ms > -CLOCK_APART_MS;
    say(x, good ? HEALTH_GOOD : HEALTH_BAD, "clock",
        arena_printf(x->s.arena, "ours and the server's are %lld ms apart", (long long)apart_ms));
}

static void look_at_readiness(struct examination *x)
{
    bool ready = ask(x, "/readyz");
    if (!ready && x->s.answer.status != 503) {
        return;
    }
    struct buf text;
    buf_init(&text, 1024);
    for (uint32_t i = 0; x->s.answer.body.type == VALUE_OBJECT && i < x->s.answer.body.count; i++) {
        const struct member *m = &x->s.answer.body.members[i];
        buf_printf(&text, "%s%.*s: ", i > 0 ? ", " : "", STR_ARG(m->name));
        output_cell(&text, &m->value);
    }
    say(x, ready ? HEALTH_GOOD : HEALTH_BAD, "ready", buf_view(&text));
    buf_done(&text);
}

static void look_at_server(struct examination *x)
{
    if (!ask(x, "/healthz")) {
        say(x, HEALTH_BAD, "server", str_from(x->s.e.text));
        return;
    }
    say(x, HEALTH_GOOD, "server", str_from(x->s.client.socket[0] == '\0' ? x->s.client.url : x->s.client.socket));
    look_at_token(x);
    look_at_readiness(x);
    look_at_clock(x);
}

/* --- files -------------------------------------------------------------------------------------- */

static void look_at_data(struct examination *x, const char *folder)
{
    char key[FILE_PATH_MAX];
    struct err e;
    bool good = folder_check_private(folder, &e) == RC_OK;
    say(x, good ? HEALTH_GOOD : HEALTH_BAD, "data", good ? str_from(folder) : str_from(e.text));
    if (snprintf(key, sizeof key, "%s/keys/ledger.key", folder) >= (int)sizeof key) {
        return;
    }
    good = file_check_private(key, &e) == RC_OK;
    say(x, good ? HEALTH_GOOD : HEALTH_BAD, "key", good ? str_from(key) : str_from(e.text));
}

/* What would let whoever runs here act without asking. */
static void look_at_credentials(struct examination *x)
{
    static const char *const files[] = {".kube/config",
                                        ".aws/credentials",
                                        ".config/gcloud/application_default_credentials.json",
                                        ".azure/msal_token_cache.json",
                                        ".docker/config.json",
                                        ".terraform.d/credentials.tfrc.json",
                                        ".ssh/id_rsa",
                                        ".ssh/id_ed25519"};
    static const char *const variables[] = {"KUBECONFIG", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY",
                                            "AWS_PROFILE", "GOOGLE_APPLICATION_CREDENTIALS",
                                            "AZURE_CLIENT_SECRET", "GITHUB_TOKEN", "VAULT_TOKEN"};
    const char *home = getenv("HOME");
    struct buf found;
    buf_init(&found, 8192);
    for (size_t i = 0; home != NULL && i < COUNT(files); i++) {
        char path[FILE_PATH_MAX];
        snprintf(path, sizeof path, "%.3900s/%s", home, files[i]);
        if (access(path, R_OK) == 0) {
            buf_printf(&found, "%s~/%s", found.len > 0 ? ", " : "", files[i]);
        }
    }
    for (size_t i = 0; i < COUNT(variables); i++) {
        if (getenv(variables[i]) != NULL) {
            buf_printf(&found, "%s$%s", found.len > 0 ? ", " : "", variables[i]);
        }
    }
    if (access("/var/run/secrets/kubernetes.io/serviceaccount/token", R_OK) == 0) {
        buf_printf(&found, "%sa Kubernetes service account", found.len > 0 ? ", " : "");
    }
    bool any = found.len > 0;
    buf_str(&found, any ? STR(": an agent that runs here can act without asking, so Pawl is advisory for it")
                        : STR("this process can read no usual production credential"));
    say(x, any ? HEALTH_NOTE : HEALTH_GOOD, "credentials", buf_view(&found));
    buf_done(&found);
}

/* --- the host ----------------------------------------------------------------------------------- */

static bool version_parse(const char *text, long ret[static 3])
{
    /* "2.1.295 (the program's name)" */
    struct str rest = str_slice(str_from(text), 0, str_find(str_from(text), ' '));
    struct str part;
    for (unsigned i = 0; i < 3; i++) {
        int64_t n;
        if (!str_next(&rest, '.', &part) || !str_to_i64(str_trim(part), &n)) {
            return false;
        }
        ret[i] = (long)n;
    }
    return true;
}

/* Before that version a hook that fails lets the tool run. */
static void look_at_claude(struct examination *x)
{
    static const long least[3] = {2, 1, 295};
    char line[128] = "";
    FILE *p = popen("claude --version 2>/dev/null </dev/null", "re");
    bool told = p != NULL && fgets(line, sizeof line, p) != NULL;
    if (p != NULL) {
        (void)pclose(p);
    }
    long v[3];
    if (!told || !version_parse(line, v)) {
        return; /* not installed: nothing to say */
    }
    bool good = true;
    for (size_t i = 0; i < 3; i++) {
        if (v[i] != least[i]) {
            good = v[i] > least[i];
            break;
        }
    }
    line[strcspn(line, "\n")] = '\0';
    say(x, good ? HEALTH_GOOD : HEALTH_BAD, "claude",
        good ? str_from(line)
             : arena_printf(x->s.arena, "%s: before 2.1.295 a hook that fails lets the tool run", line));
}

static int run_doctor(const struct args *a)
{
    struct examination x = {.args = a, .found = value_array()};
    struct err e;
    if (args_expect(a, 0, 0, "no words", &e) != RC_OK) {
        return cli_usage(&e);
    }
    int code = session_open(&x.s, a);
    if (code != CLI_OK) {
        return code;
    }
    look_at_server(&x);
    if (args_text(a, "data") != NULL) {
        look_at_data(&x, args_text(a, "data"));
    }
    look_at_credentials(&x);
    look_at_claude(&x);
    if (args_flag(a, "json")) {
        output_json(&x.found);
    }
    session_close(&x.s);
    return x.bad ? CLI_FAILED : CLI_OK;
}

static const struct option doctor_options[] = {
    {"data", 0, OPTION_TEXT, "DIR", "look at the data folder and its key as well"},
    CLI_JSON_OPTION,
    CLI_SERVER_OPTIONS,
};

/* --- an admin's day ----------------------------------------------------------------------------- */

static const struct option server_options[] = {CLI_SERVER_OPTIONS};

static int post_plain(const struct args *a, const char *path, const char *title, const char *name)
{
    struct session s;
    struct err e;
    if (args_expect(a, 0, 0, "no words", &e) != RC_OK) {
        return cli_usage(&e);
    }
    int code = session_open(&s, a);
    if (code != CLI_OK) {
        return code;
    }
    struct value body = value_object();
    code = session_post(&s, path, &body);
    if (code == CLI_OK) {
        struct column column = {title, name};
        output_members(&s.answer.body, &column, 1);
    }
    session_close(&s);
    return code;
}

static int run_clock_accept(const struct args *a)
{
    return post_plain(a, "/v1/clock/accept", "now", "now");
}

const struct command doctor_commands[] = {
    {"doctor", "", "look for what stands in the way, from here", doctor_options, COUNT(doctor_options), run_doctor,
     NULL},
    {"clock accept", "", "the server's clock jumped and is right now: voids approvals and grants", server_options,
     COUNT(server_options), run_clock_accept, NULL},
    {0},
};
