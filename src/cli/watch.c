/*
 * cli/watch - what people care about, printed as it happens.
 *
 * The stream is read until it ends and then taken up again behind the last event that came, so that nothing is
 * missed while the server restarts.
 */
#include "cli/cli.h"
#include "cli/output.h"
#include "value/json.h"

#include <stdio.h>
#include <time.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum {
    WATCH_CALL_MS = 5 * 60 * 1000, /* a server that vanished without a word is noticed after that */
    WATCH_AGAIN_MS = 1000,
    WATCH_LINE_MAX = 256 << 10,
    WATCH_ID_SIZE = 32,
};

static const struct option watch_options[] = {
    {"json", 0, OPTION_FLAG, NULL, "print one JSON object a line"},
    CLI_SERVER_OPTIONS,
};

struct watch {
    bool json;
    bool broken; /* what comes is no stream of events, or can't be printed */
    char last_id[WATCH_ID_SIZE];
    struct buf line; /* the line that is not whole yet */
    struct buf data; /* of the event under way */
    struct arena *arena;
};

/* --- one event ---------------------------------------------------------------------------------- */

static void print_text(const struct value *v)
{
    static const char *const ids[] = {"action_id", "stop_id", "grant_id", "incident_id"};
    static const char *const told[] = {"agent", "tool",   "services", "verdict", "blocking_check", "result",
                                       "scope", "name",   "level",    "state",   "tier",           "cause",
                                       "hash",  "check",  "break_glass", "person", "reason",      "from_seq", "to_seq"};
    struct buf out;
    buf_init(&out, OUTPUT_MAX);
    output_cell(&out, value_get(v, STR("time")));
    buf_str(&out, STR("  "));
    output_cell(&out, value_get(v, STR("kind")));
    for (size_t i = 0; i < COUNT(ids); i++) {
        if (value_get(v, str_from(ids[i])) != NULL) {
            buf_str(&out, STR("  "));
            output_cell(&out, value_get(v, str_from(ids[i])));
        }
    }
    for (size_t i = 0; i < COUNT(told); i++) {
        const struct value *member = value_get(v, str_from(told[i]));
        if (member != NULL) {
            buf_printf(&out, "  %s=", told[i]);
            output_cell(&out, member);
        }
    }
    buf_char(&out, '\n');
    output_buf(&out);
    buf_done(&out);
}

static bool print_event(struct watch *w)
{
    struct value v;
    arena_reset(w->arena);
    if (json_parse(w->arena, buf_view(&w->data), &v, NULL) != RC_OK) {
        return false;
    }
    if (w->json) {
        output_json_line(&v);
    } else {
        print_text(&v);
    }
    return fflush(stdout) == 0;
}

/* --- lines -------------------------------------------------------------------------------------- */

static struct str field_of(struct str line, struct str name)
{
    return str_starts(line, name) ? str_trim(str_slice(line, name.len, line.len)) : STR("");
}

/* An event ends with an empty line. Its name is in its data as well. */
static bool take_line(struct watch *w, struct str line)
{
    if (line.len == 0) {
        bool good = w->data.len == 0 || print_event(w);
        buf_reset(&w->data);
        return good;
    }
    struct str id = field_of(line, STR("id:"));
    buf_str(&w->data, field_of(line, STR("data:")));
    return w->data.rc == RC_OK && (id.len == 0 || str_to_c(id, w->last_id, sizeof w->last_id));
}

static bool take_piece(void *context, struct str piece)
{
    struct watch *w = context;
    for (size_t i = 0; i < piece.len && !w->broken; i++) {
        if (piece.ptr[i] != '\n') {
            buf_char(&w->line, piece.ptr[i]);
            w->broken = w->line.rc != RC_OK;
            continue;
        }
        w->broken = !take_line(w, buf_view(&w->line));
        buf_reset(&w->line);
    }
    return !w->broken;
}

/* --- the stream, again and again ------------------------------------------------------------------ */

static int watch_for_good(struct session *s, struct watch *w)
{
    bool connected = false;
    for (;;) {
        struct client_stream stream = {.path = "/v1/stream",
                                       .last_id = w->last_id[0] == '\0' ? NULL : w->last_id,
                                       .timeout_ms = WATCH_CALL_MS,
                                       .fn = take_piece,
                                       .context = w};
        arena_reset(s->arena);
        buf_reset(&w->line);
        buf_reset(&w->data);
        enum rc rc = client_stream(&s->client, s->arena, &stream, &s->answer, &s->e);
        if (w->broken) {
            (void)err_set(&s->e, RC_CORRUPT, "what came is no event, or can't be printed");
            return cli_failed(&s->e);
        }
        bool good = s->answer.status >= 200 && s->answer.status < 300;
        bool refused = s->answer.status >= 400 && s->answer.status < 500;
        if (refused || (rc != RC_OK && !good && !connected)) {
            return session_failed(s);
        }
        connected = connected || good;
        if (rc != RC_OK || !good) {
            nanosleep(&(struct timespec){.tv_sec = WATCH_AGAIN_MS / 1000}, NULL);
        }
    }
}

static int run_watch(const struct args *a)
{
    struct session s = {0};
    struct err e;
    if (args_expect(a, 0, 0, "no words", &e) != RC_OK) {
        return cli_usage(&e);
    }
    int code = session_open(&s, a);
    if (code != CLI_OK) {
        return code;
    }
    struct watch w = {.json = args_flag(a, "json"), .arena = arena_new(CLIENT_ARENA_MAX)};
    buf_init(&w.line, WATCH_LINE_MAX);
    buf_init(&w.data, WATCH_LINE_MAX);
    code = w.arena == NULL ? cli_failed(&(struct err){.rc = RC_NO_MEMORY, .text = "out of memory"})
                           : watch_for_good(&s, &w);
    buf_done(&w.line);
    buf_done(&w.data);
    arena_free(w.arena);
    session_close(&s);
    return code;
}

const struct command watch_commands[] = {
    {"watch", "", "print what people care about as it happens", watch_options, COUNT(watch_options), run_watch,
     "Decisions that wait for a person, approvals, stops, breakers, what was lost or failed. Goes on when the server\n"
     "restarts; ends with Ctrl-C."},
    {0},
};
