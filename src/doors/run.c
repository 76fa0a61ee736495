#include "doors/run.h"

#include "base/encode.h"
#include "client/untrusted.h"
#include "doors/spool.h"
#include "sys/clock.h"
#include "sys/random.h"
#include "value/json.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    NONCE_LEN = 32,
    COMMIT_TRIES = 5,       /* the same nonce gets the same answer, so asking again is safe */
    RETRY_MS = 300,
    POLL_MIN_MS = 200,
    POLL_MAX_MS = 2000,
    PROGRESS_MS = 30000,
};

struct run {
    const struct client *client;
    const struct run_options *options;
    struct arena *arena;
    struct invocation invocation;
    struct answer answer; /* the newest about the action */
    struct str action;
    struct str digest;
    char nonce[64];
    int64_t waited_ms; /* for holds */
    struct executed executed;
    struct err e;
};

/* --- exit codes --------------------------------------------------------------------------------- */

int run_exit_of_state(struct str state)
{
    static const struct {
        const char *state;
        int code;
    } codes[] = {
        {"advised", RUN_ADVISE},   {"held", RUN_HOLD},     {"escalated", RUN_ESCALATE},
        {"expired", RUN_ESCALATE}, {"denied", RUN_DENY},   {"rejected", RUN_DENY},
        {"cancelled", RUN_DENY},
    };
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        if (str_eq(state, str_from(codes[i].state))) {
            return codes[i].code;
        }
    }
    return RUN_REFUSED;
}

int run_exit_of(const struct executed *x)
{
    if (!x->ran) {
        return x->failure.rc == RC_NOT_FOUND ? RUN_NOT_FOUND : RUN_NOT_EXECUTABLE;
    }
    return x->signal != 0 ? RUN_SIGNAL + x->signal : x->exit_status;
}

/* --- what is said ------------------------------------------------------------------------------- */

/* "pawl: act_12 is held: <text of the server>". */
static void say(const struct run *r, const char *what, struct str text)
{
    struct buf line;
    buf_init(&line, 16384);
    buf_str(&line, STR("pawl: "));
    if (r->action.len > 0) {
        untrusted_cell(&line, r->action);
        buf_char(&line, ' ');
    }
    buf_str(&line, str_from(what));
    if (text.len > 0) {
        buf_str(&line, STR(": "));
        untrusted_cell(&line, text);
    }
    fprintf(stderr, "%.*s\n", STR_ARG(buf_view(&line)));
    buf_done(&line);
}

static struct str member(const struct run *r, const char *name)
{
    return value_text(value_get(&r->answer.body, str_from(name)));
}

static struct str why(const struct run *r)
{
    struct str recommendation = member(r, "recommendation");
    return recommendation.len > 0 ? recommendation : member(r, "reason");
}

static int refused(struct run *r)
{
    say(r, r->answer.status == 0 ? "nothing ran: the server can't be reached" : "nothing ran: the server refused",
        str_from(r->e.text));
    return RUN_REFUSED;
}

static void pause_ms(int64_t ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L}, NULL);
}

/* --- asking ------------------------------------------------------------------------------------- */

static bool is_passing(enum rc rc)
{
    return rc == RC_UNAVAILABLE || rc == RC_LIMIT;
}

static enum rc post(struct run *r, const char *verb, const struct value *body)
{
    struct str path = arena_printf(r->arena, "/v1/actions/%.*s/%s", STR_ARG(r->action), verb);
    return client_post(r->client, r->arena, path.ptr, body, &r->answer, &r->e);
}

/* Fetches how the action stands; an outage of a moment is sat out. */
static enum rc look(struct run *r)
{
    struct str path = arena_printf(r->arena, "/v1/actions/%.*s", STR_ARG(r->action));
    enum rc rc = RC_UNAVAILABLE;
    for (int n = 0; n < COMMIT_TRIES && is_passing(rc); n++) {
        if (n > 0) {
            pause_ms(RETRY_MS);
        }
        rc = client_get(r->client, r->arena, path.ptr, &r->answer, &r->e);
    }
    return rc;
}

static void add_text(struct run *r, struct value *body, struct str name, const char *text)
{
    if (text != NULL) {
        value_add_str(r->arena, body, name, str_from(text));
    }
}

static enum rc propose(struct run *r)
{
    char key[CLIENT_KEY_LEN + 1];
    struct value body = value_object();
    client_key(key);
    add_text(r, &body, STR("agent"), r->options->agent);
    add_text(r, &body, STR("break_glass"), r->options->break_glass);
    add_text(r, &body, STR("intent"), r->options->intent);
    add_text(r, &body, STR("model"), r->options->model);
    add_text(r, &body, STR("prompt_version"), r->options->prompt_version);
    add_text(r, &body, STR("wants_person"), r->options->wants_person);
    value_add(r->arena, &body, STR("invocation"), r->invocation.value);
    add_text(r, &body, STR("service"), r->options->service);
    add_text(r, &body, STR("tool"), r->options->tool);
    struct client_call call = {.method = "POST", .path = "/v1/actions", .body = &body, .key = key};
    enum rc rc = client_call(r->client, r->arena, &call, &r->answer, &r->e);
    if (rc == RC_OK) {
        r->action = member(r, "action_id");
        r->digest = member(r, "digest");
        if (r->action.len == 0 || r->digest.len == 0) {
            rc = err_set(&r->e, RC_CORRUPT, "the answer names no action");
        }
    }
    return rc;
}

/* --- waiting ------------------------------------------------------------------------------------ */

enum next { NEXT_LOOK = -1 }; /* no exit code: the action's state says what comes */

/* Sleeps out a hold, as far as the user wants to wait; then asks again. */
static int wait_hold(struct run *r, bool approved)
{
    int64_t hold_ms = value_integer_or(value_get(&r->answer.body, STR("retry_after_s")), 1) * 1000;
    hold_ms = hold_ms < 1000 ? 1000 : hold_ms;
    int64_t left_ms = r->options->wait_ms - r->waited_ms;
    if (left_ms <= 0) {
        char what[96];
        snprintf(what, sizeof what, "is held, ask again in %lld s", (long long)(hold_ms / 1000));
        say(r, what, why(r));
        return RUN_HOLD;
    }
    hold_ms = hold_ms < left_ms ? hold_ms : left_ms;
    if (r->waited_ms == 0) {
        say(r, "is held, waiting", why(r));
    }
    pause_ms(hold_ms);
    r->waited_ms += hold_ms;
    if (approved) {
        return NEXT_LOOK; /* the approval stands: the commit is tried again */
    }
    struct value none = value_object();
    return post(r, "decide", &none) == RC_OK ? NEXT_LOOK : refused(r);
}

static int wait_approval(struct run *r)
{
    struct str id = r->action;
    if (r->options->no_wait) {
        say(r, "waits for a person", why(r));
        return RUN_ESCALATE;
    }
    say(r, "waits for a person", why(r));
    fprintf(stderr, "pawl: an approver decides with: pawl approve %.*s\n", STR_ARG(id));
    int64_t began_ms = clock_boot_ms();
    int64_t said_ms = began_ms;
    int64_t step_ms = POLL_MIN_MS;
    for (;;) {
        pause_ms(step_ms);
        step_ms = step_ms * 3 / 2 < POLL_MAX_MS ? step_ms * 3 / 2 : POLL_MAX_MS;
        struct arena *fresh = arena_new(1 << 20); /* one poll's; the run's own would fill up */
        if (fresh == NULL) {
            (void)err_set(&r->e, RC_NO_MEMORY, "out of memory");
            return refused(r);
        }
        struct run poll = *r;
        poll.arena = fresh;
        enum rc rc = look(&poll);
        bool waits = rc == RC_OK && str_eq(member(&poll, "state"), STR("escalated"));
        r->e = poll.e;
        arena_free(fresh);
        if (rc != RC_OK) {
            r->answer = (struct answer){.status = poll.answer.status};
            return refused(r);
        }
        if (!waits) {
            return NEXT_LOOK;
        }
        if (clock_boot_ms() - said_ms >= PROGRESS_MS) {
            said_ms = clock_boot_ms();
            fprintf(stderr, "pawl: still waiting (%lld s)\n", (long long)((said_ms - began_ms) / 1000));
        }
    }
}

/* --- running ------------------------------------------------------------------------------------ */

static int execute(struct run *r, const struct grant_held *grant)
{
    execution_run(r->client, r->arena, &r->invocation, grant, &r->executed);
    int code = run_exit_of(&r->executed);
    if (!r->executed.ran) {
        say(r, "was granted, but the command was not started", str_from(r->executed.failure.text));
    } else if (code >= RUN_ADVISE && code <= RUN_REFUSED) {
        fprintf(stderr, "pawl: the command ran, and %d is its own exit status\n", code);
    }
    return code;
}

/* Starts only with `committed: true` in hand. */
static int commit(struct run *r)
{
    struct value body = value_object();
    value_add_str(r->arena, &body, STR("executor_nonce"), str_from(r->nonce));
    value_add_str(r->arena, &body, STR("digest"), r->digest);
    enum rc rc = RC_UNAVAILABLE;
    for (int n = 0; n < COMMIT_TRIES && is_passing(rc); n++) {
        if (n > 0) {
            pause_ms(RETRY_MS);
        }
        rc = post(r, "commit", &body);
    }
    if (rc != RC_OK) {
        return refused(r);
    }
    if (!value_bool_or(value_get(&r->answer.body, STR("committed")), false)) {
        /* An approval that met a hold stands; anything else is a new state. */
        bool stands = str_eq(member(r, "state"), STR("approved"));
        return stands ? wait_hold(r, true) : NEXT_LOOK;
    }
    int64_t heartbeat_s = value_integer_or(value_path(&r->answer.body, "grant", "heartbeat_s", NULL), 60);
    struct grant_held grant = {r->action, r->nonce, heartbeat_s * 1000};
    return execute(r, &grant);
}

static int go(struct run *r)
{
    if (value_bool_or(value_get(&r->answer.body, STR("two_phase")), true)) {
        return commit(r);
    }
    struct grant_held none = {r->action, NULL, 0};
    return execute(r, &none);
}

/* --- from state to state ------------------------------------------------------------------------ */

static int act_on_state(struct run *r)
{
    struct str state = member(r, "state");
    if (str_eq(state, STR("held"))) {
        return wait_hold(r, false);
    }
    if (str_eq(state, STR("allowed")) || str_eq(state, STR("approved"))) {
        return go(r);
    }
    if (str_eq(state, STR("escalated"))) {
        return wait_approval(r);
    }
    char what[96];
    struct buf word;
    buf_init(&word, 64);
    untrusted_cell(&word, state);
    snprintf(what, sizeof what, "is %.*s, nothing ran", STR_ARG(buf_view(&word)));
    buf_done(&word);
    say(r, what, why(r));
    return run_exit_of_state(state);
}

static int follow(struct run *r)
{
    if (propose(r) != RC_OK) {
        return refused(r);
    }
    for (;;) {
        int code = act_on_state(r);
        if (code != NEXT_LOOK) {
            return code;
        }
        if (str_eq(member(r, "state"), STR("held"))) {
            continue; /* the answer at hand is the newest, and says why */
        }
        if (look(r) != RC_OK) {
            return refused(r);
        }
    }
}

/* --- the result file ---------------------------------------------------------------------------- */

static void write_result(struct run *r, int code)
{
    static const char *const verdicts[] = {"advise", "hold", "escalate", "deny"};
    struct arena *a = r->arena;
    const struct executed *x = &r->executed;
    struct value v = value_object();
    bool refusal = !x->ran && code >= RUN_ADVISE && code <= RUN_DENY;
    value_add_bool(a, &v, STR("ran"), x->ran);
    value_add(a, &v, STR("verdict"),
              x->ran    ? value_string(STR("allow"))
              : refusal ? value_string(str_from(verdicts[code - RUN_ADVISE]))
                        : value_null());
    value_add(a, &v, STR("action_id"), r->action.len > 0 ? value_string(r->action) : value_null());
    value_add(a, &v, STR("exit_status"), x->ran && x->signal == 0 ? value_int(x->exit_status) : value_null());
    value_add(a, &v, STR("signal"), x->ran && x->signal != 0 ? value_int(x->signal) : value_null());
    struct buf text;
    buf_init(&text, 65536);
    json_write(&text, &v);
    buf_char(&text, '\n');
    struct err e;
    enum rc rc = text.rc == RC_OK ? file_write_atomic(r->options->result_file, buf_view(&text), 0644, &e)
                                  : err_set(&e, text.rc, "the result is too large");
    if (rc != RC_OK) {
        say(r, "has no result file", str_from(e.text));
    }
    buf_done(&text);
}

static int run_prepared(struct run *r)
{
    uint8_t nonce[NONCE_LEN];
    struct buf text;
    random_bytes(nonce, sizeof nonce);
    buf_init(&text, sizeof r->nonce);
    buf_base64url(&text, nonce, sizeof nonce);
    if (!str_to_c(buf_view(&text), r->nonce, sizeof r->nonce)) {
        buf_done(&text);
        return RUN_REFUSED;
    }
    buf_done(&text);
    spool_resend(r->client);
    int code = follow(r);
    wipe(nonce, sizeof nonce);
    return code;
}

int run_command(const struct client *c, const struct run_options *o)
{
    CLEANUP(arena) struct arena *a = arena_new(CLIENT_ARENA_MAX);
    if (a == NULL) {
        fputs("pawl: out of memory\n", stderr);
        return RUN_REFUSED;
    }
    struct run r = {.client = c, .options = o, .arena = a};
    enum rc rc = invocation_make(a, &o->command, &r.invocation, &r.e);
    int code = RUN_NOT_EXECUTABLE;
    if (rc == RC_OK) {
        code = run_prepared(&r);
    } else {
        say(&r, "nothing ran", str_from(r.e.text));
        code = rc == RC_NOT_FOUND ? RUN_NOT_FOUND : RUN_NOT_EXECUTABLE;
    }
    if (o->result_file != NULL) {
        write_result(&r, code);
    }
    invocation_done(&r.invocation);
    wipe(r.nonce, sizeof r.nonce);
    return code;
}
