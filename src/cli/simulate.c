/*
 * cli/simulate - `pawl simulate`: what the server would decide of a request now, and why; nothing is recorded.
 */
#include "cli/cli.h"
#include "cli/output.h"
#include "cli/show.h"
#include "policy/verdict.h"
#include "sys/file.h"
#include "value/json.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { REQUEST_MAX = 10 << 20 }; /* bytes: the limit of the route */

static enum rc read_request(struct session *s, const char *word, struct value *ret)
{
    CLEANUP(buf) struct buf text;
    buf_init(&text, REQUEST_MAX);
    enum rc rc = file_read(strcmp(word, "-") == 0 ? "/dev/stdin" : word, &text, &s->e);
    struct str kept = rc == RC_OK ? arena_str(s->arena, buf_view(&text)) : STR("");
    rc = rc == RC_OK && arena_rc(s->arena) != RC_OK ? err_set(&s->e, arena_rc(s->arena), "the request is too large") : rc;
    rc = rc == RC_OK ? json_parse(s->arena, kept, ret, &s->e) : rc;
    return rc == RC_OK ? rc : err_wrap(&s->e, rc, "%s", word);
}

static int print_answer(const struct session *s, bool json)
{
    const struct value *answer = &s->answer.body;
    enum verdict verdict = VERDICT_DENY;
    if (json) {
        output_json(answer);
    } else {
        struct buf out;
        buf_init(&out, OUTPUT_MAX);
        show_evaluation(&out, answer);
        output_buf(&out);
        buf_done(&out);
    }
    (void)!verdict_parse(value_text(value_get(answer, STR("verdict"))), &verdict);
    return cli_verdict_code(verdict);
}

static int run_simulate(const struct args *a)
{
    struct session s;
    struct value body;
    struct err e;
    if (args_expect(a, 1, 1, "a file with a request, or - for standard input", &e) != RC_OK) {
        return cli_usage(&e);
    }
    int code = session_open(&s, a);
    if (code != CLI_OK) {
        return code;
    }
    code = read_request(&s, a->rest[0], &body) == RC_OK ? session_post(&s, "/v1/evaluate?whole=true", &body) : cli_failed(&s.e);
    if (code == CLI_OK) {
        code = print_answer(&s, args_flag(a, "json"));
    }
    session_close(&s);
    return code;
}

static const struct option simulate_options[] = {CLI_JSON_OPTION, CLI_SERVER_OPTIONS};

const struct command simulate_commands[] = {
    {"simulate", "REQUEST.json", "what would become of a request now, and why; records nothing", simulate_options,
     COUNT(simulate_options), run_simulate,
     "REQUEST.json is a body of POST /v1/actions; - is standard input. It is judged as the credential's own: an agent's token\n"
     "for an agent's request. Exit code: 0 allow, 20 advise, 21 hold, 22 escalate, 23 deny."},
    {0},
};
