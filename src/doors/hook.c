#include "doors/hook.h"

#include "base/encode.h"
#include "client/untrusted.h"
#include "crypto/crypto.h"
#include "doors/spool.h"
#include "doors/state.h"
#include "sys/clock.h"
#include "value/json.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEX_LEN = 2 * SHA256_LEN };

struct hook {
    const struct hook_options *options;
    struct arena *arena;
    struct client client;
    struct hook_call call;
    struct answer answer;
    char id[HEX_LEN + 1];    /* of this call: session and tool_use_id, digested */
    char input[HEX_LEN + 1]; /* of the tool's input */
    struct err e;
};

/* --- what the host is told -------------------------------------------------------------------------- */

/* One JSON object to stdout. Exit 2 with the reason on stderr denies when even that fails. */
static int tell(struct arena *a, const struct value *v, struct str reason)
{
    struct buf text;
    buf_init(&text, 1 << 20);
    json_write(&text, v);
    buf_char(&text, '\n');
    bool good = arena_rc(a) == RC_OK && text.rc == RC_OK &&
                fwrite(text.data, 1, text.len, stdout) == text.len && fflush(stdout) == 0;
    buf_done(&text);
    if (!good) {
        fprintf(stderr, "pawl: denied: %.*s\n", STR_ARG(str_slice(reason, 0, 4096)));
    }
    return good ? 0 : 2;
}

/* decision: "deny" or "defer". The reason goes to the agent; what others wrote in it is escaped. */
static int answer_tool(struct arena *a, const char *decision, struct str reason)
{
    struct buf safe;
    buf_init(&safe, 65536);
    buf_str(&safe, STR("Pawl: "));
    untrusted_cell(&safe, reason);
    struct str text = buf_view(&safe);
    struct value output = value_object();
    value_add_str(a, &output, STR("hookEventName"), STR("PreToolUse"));
    value_add_str(a, &output, STR("permissionDecision"), str_from(decision));
    value_add_str(a, &output, STR("permissionDecisionReason"), text);
    struct value v = value_object();
    value_add(a, &v, STR("hookSpecificOutput"), output);
    int code = tell(a, &v, text);
    buf_done(&safe);
    return code;
}

static int deny(struct hook *h, struct str reason)
{
    return answer_tool(h->arena, "deny", reason);
}

static int deny_failure(struct hook *h, const char *what)
{
    return deny(h, arena_printf(h->arena, "%s: %s%s%s", what, h->e.where, h->e.where[0] == '\0' ? "" : ": ",
                                h->e.text));
}

/* Feedback after the fact: the tool ran already. */
static int block(struct hook *h, struct str reason)
{
    struct value v = value_object();
    value_add_str(h->arena, &v, STR("decision"), STR("block"));
    value_add_str(h->arena, &v, STR("reason"), reason);
    return tell(h->arena, &v, reason);
}

/* --- what is kept between before and after ------------------------------------------------------------ */

static void to_hex(const struct digest *d, char out[static HEX_LEN + 1])
{
    hex_encode(d->bytes, SHA256_LEN, out);
    out[HEX_LEN] = '\0';
}

static enum rc name_call(struct hook *h)
{
    struct str parts[] = {h->call.session, STR("\n"), h->call.use};
    struct digest id = sha256_parts(parts, sizeof parts / sizeof *parts);
    to_hex(&id, h->id);
    struct buf text;
    buf_init(&text, HOOK_INPUT_MAX * 2);
    json_write_canonical(&text, h->call.input, h->arena);
    struct digest input = sha256(buf_view(&text));
    to_hex(&input, h->input);
    enum rc rc = text.rc;
    buf_done(&text);
    return rc == RC_OK ? RC_OK : err_set(&h->e, rc, "the call is too large");
}

/* Only who has the token can say it; the same call always says the same. */
static struct str nonce_of(const struct hook *h)
{
    struct digest d = hmac_sha256(str_from(h->client.authorization), str_from(h->id));
    char hex[HEX_LEN + 1];
    to_hex(&d, hex);
    return arena_str(h->arena, str_from(hex));
}

static enum rc kept_path(struct hook *h, char out[static FILE_PATH_MAX])
{
    char folder[FILE_PATH_MAX];
    enum rc rc = state_folder("hook", folder, &h->e);
    if (rc == RC_OK && snprintf(out, FILE_PATH_MAX, "%s/%s.json", folder, h->id) >= FILE_PATH_MAX) {
        rc = err_set(&h->e, RC_LIMIT, "the state folder's name is too long");
    }
    return rc;
}

static enum rc keep(struct hook *h, struct str action, bool two_phase)
{
    char path[FILE_PATH_MAX];
    enum rc rc = kept_path(h, path);
    struct value v = value_object();
    value_add_str(h->arena, &v, STR("action_id"), action);
    value_add_int(h->arena, &v, STR("at_ms"), clock_wall_ms());
    value_add_str(h->arena, &v, STR("input_sha256"), str_from(h->input));
    value_add_bool(h->arena, &v, STR("two_phase"), two_phase);
    struct buf text;
    buf_init(&text, 4096);
    json_write(&text, &v);
    rc = rc == RC_OK ? file_write_atomic(path, buf_view(&text), 0600, &h->e) : rc;
    buf_done(&text);
    return rc;
}

static enum rc read_kept(struct hook *h, struct value *ret)
{
    char path[FILE_PATH_MAX];
    struct buf text;
    enum rc rc = kept_path(h, path);
    buf_init(&text, 4096);
    rc = rc == RC_OK ? file_read(path, &text, &h->e) : rc;
    rc = rc == RC_OK ? json_parse(h->arena, arena_str(h->arena, buf_view(&text)), ret, &h->e) : rc;
    buf_done(&text);
    if (rc == RC_OK) {
        (void)unlink(path);
    }
    return rc;
}

/* --- before a tool ------------------------------------------------------------------------------------ */

static struct str member(const struct hook *h, const char *name)
{
    return value_text(value_get(&h->answer.body, str_from(name)));
}

/* What the agent is told of a verdict that is no allow. */
static int answer_verdict(struct hook *h, struct str state)
{
    struct str why = member(h, "recommendation");
    why = why.len > 0 ? why : member(h, "reason");
    bool escalated = str_eq(state, STR("escalated"));
    bool held = str_eq(state, STR("held"));
    int64_t retry_s = value_integer_or(value_get(&h->answer.body, STR("retry_after_s")), 0);
    struct str next = escalated ? STR(" A person decides; after that, repeat the very same call.")
                      : held && retry_s > 0
                          ? arena_printf(h->arena, " Repeat the same call in %lld s.", (long long)retry_s)
                      : held ? STR(" Repeat the same call later.")
                             : STR("");
    struct str text = arena_printf(h->arena, "%.*s is %.*s. %.*s%.*s", STR_ARG(member(h, "action_id")), STR_ARG(state),
                                   STR_ARG(why), STR_ARG(next));
    return answer_tool(h->arena, escalated && h->options->headless ? "defer" : "deny", text);
}

static enum rc post(struct hook *h, struct str action, const char *verb, const struct value *body)
{
    struct str path = arena_printf(h->arena, "/v1/actions/%.*s/%s", STR_ARG(action), verb);
    return client_post(&h->client, h->arena, path.ptr, body, &h->answer, &h->e);
}

static void add_said(struct hook *h, struct value *body, struct str name, const char *text)
{
    if (text != NULL) {
        value_add_str(h->arena, body, name, str_from(text));
    }
}

/* The host asks again under the same id when it resumes a deferred call: that is the same proposal. */
static enum rc propose(struct hook *h)
{
    struct value body;
    enum rc rc = hook_proposal(h->arena, &h->call, &body, &h->e);
    if (rc != RC_OK) {
        return rc;
    }
    add_said(h, &body, STR("agent"), h->options->agent);
    add_said(h, &body, STR("model"), h->options->model);
    add_said(h, &body, STR("prompt_version"), h->options->prompt_version);
    char key[CLIENT_KEY_LEN + 1];
    snprintf(key, sizeof key, "%.*s", CLIENT_KEY_LEN, h->id);
    struct client_call call = {.method = "POST", .path = "/v1/actions", .body = &body, .key = key};
    rc = client_call(&h->client, h->arena, &call, &h->answer, &h->e);
    bool asked_before = rc == RC_OK && h->answer.status == 200;
    if (asked_before && str_eq(member(h, "state"), STR("held"))) {
        struct value none = value_object();
        rc = post(h, member(h, "action_id"), "decide", &none);
    }
    return rc;
}

static enum rc commit(struct hook *h, struct str action)
{
    struct value body = value_object();
    value_add_str(h->arena, &body, STR("executor_nonce"), nonce_of(h));
    value_add_str(h->arena, &body, STR("digest"), member(h, "digest"));
    /* Nothing of ours runs beside the tool: the next word is the one after it. Source: the host's longest time limit. */
    value_add_str(h->arena, &body, STR("silent_for"), STR("10m"));
    return post(h, action, "commit", &body);
}

static int before(struct hook *h)
{
    struct surface surface;
    struct str touched;
    surface_of(h->arena, h->options, h->call.cwd, &surface);
    if (surface_touched(h->arena, &surface, &h->call, &touched)) {
        return deny(h, arena_printf(h->arena, "no agent touches Pawl itself (%.*s)", STR_ARG(touched)));
    }
    if (propose(h) != RC_OK) {
        return deny_failure(h, h->answer.status == 0 ? "the server can't be reached" : "the server refused");
    }
    struct str state = member(h, "state");
    struct str action = member(h, "action_id");
    bool two_phase = value_bool_or(value_get(&h->answer.body, STR("two_phase")), true);
    bool again = two_phase && str_eq(state, STR("executing")); /* the host repeats a call we granted */
    if (!str_eq(state, STR("allowed")) && !str_eq(state, STR("approved")) && !again) {
        return answer_verdict(h, state);
    }
    if (keep(h, action, two_phase) != RC_OK) {
        return deny_failure(h, "what was decided can't be kept");
    }
    if (!two_phase) {
        return 0;
    }
    if (commit(h, action) != RC_OK) {
        return deny_failure(h, "the action was not committed");
    }
    bool committed = value_bool_or(value_get(&h->answer.body, STR("committed")), false);
    return committed ? 0 : answer_verdict(h, member(h, "state"));
}

/* --- after a tool ------------------------------------------------------------------------------------- */

static struct value outcome_of(struct hook *h, bool good, bool mismatch, bool two_phase)
{
    struct arena *a = h->arena;
    struct value detail = value_object();
    if (mismatch) {
        value_add_bool(a, &detail, STR("input_mismatch"), true);
    }
    if (h->call.error.len > 0) {
        value_add_str(a, &detail, STR("error"), str_slice(h->call.error, 0, 2048));
    }
    if (h->call.response != NULL) {
        struct buf text;
        buf_init(&text, HOOK_INPUT_MAX * 2);
        json_write_canonical(&text, h->call.response, a);
        struct digest d = sha256(buf_view(&text));
        value_add_int(a, &detail, STR("response_bytes"), (int64_t)text.len);
        value_add_hex(a, &detail, STR("response_sha256"), STR("sha256:"), d.bytes, sizeof d.bytes);
        buf_done(&text);
    }
    struct value body = value_object();
    if (two_phase) {
        value_add_str(a, &body, STR("executor_nonce"), nonce_of(h));
    }
    value_add_str(a, &body, STR("result"), good ? STR("succeeded") : STR("failed"));
    value_add(a, &body, STR("detail"), detail);
    return body;
}

static int after(struct hook *h, bool succeeded)
{
    struct value kept;
    if (read_kept(h, &kept) != RC_OK) {
        return block(h, STR("Pawl has no decision for this call: it ran past the gate."));
    }
    struct str action = value_text(value_get(&kept, STR("action_id")));
    bool mismatch = !str_eq(value_text(value_get(&kept, STR("input_sha256"))), str_from(h->input));
    bool two_phase = value_bool_or(value_get(&kept, STR("two_phase")), true);
    struct value body = outcome_of(h, succeeded && !mismatch, mismatch, two_phase);
    if (post(h, action, "outcome", &body) != RC_OK) {
        struct str path = arena_printf(h->arena, "/v1/actions/%.*s/outcome", STR_ARG(action));
        bool later = h->answer.status == 0 || h->answer.status == 429 || h->answer.status == 503;
        if (!later || spool_put(&h->client, path.ptr, &body, &h->e) != RC_OK) {
            fprintf(stderr, "pawl: the outcome could not be delivered\n");
        }
    }
    return mismatch ? block(h, STR("Pawl: what ran is not what was decided. Stop and tell a person.")) : 0;
}

/* --- one call ----------------------------------------------------------------------------------------- */

/* Calls whose end the host never told. */
static void forget_old(void)
{
    char folder[FILE_PATH_MAX];
    DIR *d = state_folder("hook", folder, NULL) == RC_OK ? opendir(folder) : NULL;
    if (d == NULL) {
        return;
    }
    for (const struct dirent *f = readdir(d); f != NULL; f = readdir(d)) {
        struct stat st;
        if (str_ends(str_from(f->d_name), STR(".json")) && fstatat(dirfd(d), f->d_name, &st, 0) == 0 &&
            clock_wall_ms() - (int64_t)st.st_mtime * 1000 > HOOK_AGE_MAX_MS) {
            (void)unlinkat(dirfd(d), f->d_name, 0);
        }
    }
    closedir(d);
}

static enum rc read_stdin(struct hook *h, struct value *ret)
{
    struct buf text;
    buf_init(&text, HOOK_INPUT_MAX);
    char bytes[65536];
    size_t n;
    while ((n = fread(bytes, 1, sizeof bytes, stdin)) > 0) {
        buf_put(&text, bytes, n);
    }
    enum rc rc = text.rc != RC_OK ? err_set(&h->e, text.rc, "the call is larger than %d bytes", HOOK_INPUT_MAX)
                                  : json_parse(h->arena, arena_str(h->arena, buf_view(&text)), ret, &h->e);
    buf_done(&text);
    return rc;
}

static int one_call(struct hook *h)
{
    struct value v;
    enum rc rc = read_stdin(h, &v);
    rc = rc == RC_OK ? hook_call_read(&v, &h->call, &h->e) : rc;
    if (rc != RC_OK) {
        return deny_failure(h, "the host's call can't be read");
    }
    bool failed = str_eq(h->call.event, STR("PostToolUseFailure"));
    bool is_after = failed || str_eq(h->call.event, STR("PostToolUse"));
    if (!is_after && !str_eq(h->call.event, STR("PreToolUse"))) {
        return 0;
    }
    rc = name_call(h);
    rc = rc == RC_OK ? client_init(&h->options->client, &h->client, &h->e) : rc;
    if (rc != RC_OK && is_after) {
        return block(h, STR("Pawl can't report what this call did."));
    }
    if (rc != RC_OK) {
        return deny_failure(h, "Pawl can't ask its server");
    }
    h->client.timeout_ms = HOOK_TIMEOUT_MS;
    if (is_after) {
        return after(h, !failed);
    }
    forget_old();
    spool_resend(&h->client);
    return before(h);
}

int hook_claude_code(const struct hook_options *o)
{
    CLEANUP(arena) struct arena *a = arena_new(64 << 20);
    if (a == NULL) {
        fputs("pawl: denied: out of memory\n", stderr);
        return 2;
    }
    struct hook h = {.options = o, .arena = a};
    int code = one_call(&h);
    client_done(&h.client);
    return code;
}
