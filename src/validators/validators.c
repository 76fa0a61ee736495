#include "validators/validators.h"

#include "base/encode.h"
#include "crypto/crypto.h"
#include "crypto/webhook.h"
#include "net/http_client.h"
#include "net/loop_process.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/random.h"
#include "validators/reply.h"
#include "value/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ASKING_ARENA_MAX = 8 << 20, SECRET_FILE_MAX = 64 << 10, WEBHOOK_ID_SIZE = 40 };

struct asking;

struct asked {
    struct asking *of;
    uint32_t index;
    enum validator_type type;
    int64_t began_ms;
    struct http_client_call *call; /* null: none, or over */
    struct loop_process *process;  /* the same */
};

/* One round under way. */
struct asking {
    struct validators *v;
    struct validator_round *round;
    void (*done)(void *waiter);
    void *waiter;
    struct asked all[VALIDATORS_MAX];
    uint32_t open;
    bool starting; /* its questions are being asked: it is not over before all are */
    struct arena *arena;
    struct asking *next;
    struct asking *previous;
};

struct validators {
    struct loop *loop;
    struct http_client *client;
    struct asking *all;
    uint32_t count;
    uint32_t commands;
};

enum rc validators_new(struct loop *l, struct validators **ret, struct err *e)
{
    struct validators *v = calloc(1, sizeof *v);
    if (v == NULL) {
        return err_set(e, RC_NO_MEMORY, "out of memory");
    }
    v->loop = l;
    enum rc rc = http_client_new(l, &v->client, e);
    if (rc != RC_OK) {
        free(v);
        return rc;
    }
    *ret = v;
    return RC_OK;
}

static void asking_free(struct asking *a)
{
    struct validators *v = a->v;
    for (uint32_t i = 0; i < a->round->count; i++) {
        if (a->all[i].call != NULL) {
            http_client_cancel(a->all[i].call);
        }
        if (a->all[i].process != NULL) {
            loop_process_free(a->all[i].process);
            v->commands--;
        }
    }
    *(a->previous == NULL ? &v->all : &a->previous->next) = a->next;
    if (a->next != NULL) {
        a->next->previous = a->previous;
    }
    v->count--;
    arena_free(a->arena);
    free(a);
}

void validators_free(struct validators *v)
{
    while (v != NULL && v->all != NULL) {
        asking_free(v->all);
    }
    if (v != NULL) {
        http_client_free(v->client);
        free(v);
    }
}

void validators_forget(struct validators *v, const void *waiter)
{
    for (struct asking *a = v->all; a != NULL; a = a->next) {
        if (a->waiter == waiter) {
            asking_free(a);
            return;
        }
    }
}

/* --- answers ------------------------------------------------------------------------------------------------------ */

static void end_if_over(struct asking *a)
{
    if (a->open > 0 || a->starting) {
        return;
    }
    void (*done)(void *waiter) = a->done;
    void *waiter = a->waiter;
    asking_free(a);
    done(waiter);
}

/* What is said lies with the round: the decision and its record read it after this is over. */
static void take(struct asked *q, enum validator_answer answer, const char *text)
{
    struct validator_fact *fact = &q->of->round->answers[q->index];
    char *kept = q->of->round->texts[q->index];
    snprintf(kept, VALIDATOR_TEXT_MAX, "%s", text);
    fact->answer = answer;
    fact->text = str_from(kept);
    fact->took_ms = clock_boot_ms() - q->began_ms;
    q->of->open--;
}

static void replied(void *context, const struct http_reply *reply, const struct err *e)
{
    struct asked *q = context;
    struct verdict_reply r = {.answer = ANSWER_ERROR};
    q->call = NULL;
    if (reply == NULL) {
        snprintf(r.text, sizeof r.text, "%.200s", e->text);
    } else if (reply->status != 200) {
        snprintf(r.text, sizeof r.text, "it answered %u", reply->status);
    } else {
        reply_read(q->type, reply->body, &r);
    }
    take(q, r.answer, r.text);
    end_if_over(q->of);
}

static void ended(void *context, struct loop_process_end end)
{
    static const enum validator_answer answers[] = {ANSWER_ALLOW, ANSWER_DENY, ANSWER_ERROR, ANSWER_ESCALATE, ANSWER_HOLD};
    struct asked *q = context;
    q->process = NULL;
    q->of->v->commands--;
    bool known = end.exit_code >= 0 && end.exit_code < (int)(sizeof answers / sizeof *answers);
    enum validator_answer answer = known && !end.timed_out ? answers[end.exit_code] : ANSWER_ERROR;
    char text[64] = "";
    if (end.timed_out) {
        snprintf(text, sizeof text, "it took too long and was killed");
    } else if (end.exit_code < 0) {
        snprintf(text, sizeof text, "signal %d", end.signal);
    } else if (answer != ANSWER_ALLOW) {
        snprintf(text, sizeof text, "exit status %d", end.exit_code);
    }
    take(q, answer, text);
    end_if_over(q->of);
}

/* --- questions ------------------------------------------------------------------------------------------------------ */

static enum rc read_secret(const struct asking *a, struct str path, struct str *ret, struct err *e)
{
    struct buf text;
    buf_init(&text, SECRET_FILE_MAX);
    enum rc rc = file_check_private(path.ptr, e);
    rc = rc == RC_OK ? file_read(path.ptr, &text, e) : rc;
    *ret = rc == RC_OK ? arena_str(a->arena, str_trim(buf_view(&text))) : STR("");
    wipe(text.data, text.len);
    buf_done(&text);
    return rc;
}

static enum rc add_token(struct asking *a, const struct validator *v, struct http_call *call, size_t *at, struct err *e)
{
    struct str token;
    enum rc rc = v->token_file.len == 0 ? RC_OK : read_secret(a, v->token_file, &token, e);
    if (rc == RC_OK && v->token_file.len > 0) {
        call->headers[(*at)++] = arena_printf(a->arena, "Authorization: Bearer %.*s", STR_ARG(token)).ptr;
    }
    return rc;
}

static enum rc add_signature(struct asking *a, const struct validator *v, struct http_call *call, size_t *at, struct err *e)
{
    struct str text;
    struct webhook_secrets secrets;
    char id[WEBHOOK_ID_SIZE];
    char signature[WEBHOOK_SIGNATURES_SIZE];
    uint8_t bytes[16];
    if (v->secret_file.len == 0) {
        return RC_OK;
    }
    enum rc rc = read_secret(a, v->secret_file, &text, e);
    rc = rc == RC_OK ? webhook_secrets_read(text, &secrets, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    random_bytes(bytes, sizeof bytes);
    memcpy(id, "msg_", 4);
    hex_encode(bytes, sizeof bytes, id + 4);
    id[4 + 2 * sizeof bytes] = '\0';
    int64_t at_s = clock_wall_ms() / 1000;
    webhook_sign(&secrets, id, at_s, call->body, signature);
    webhook_secrets_done(&secrets);
    call->headers[(*at)++] = arena_printf(a->arena, "webhook-id: %s", id).ptr;
    call->headers[(*at)++] = arena_printf(a->arena, "webhook-timestamp: %lld", (long long)at_s).ptr;
    call->headers[(*at)++] = arena_printf(a->arena, "webhook-signature: %s", signature).ptr;
    return RC_OK;
}

static const char *path_or_null(struct str path)
{
    return path.len > 0 ? path.ptr : NULL;
}

static enum rc ask_http(struct asked *q, const struct validator *v, struct str body, struct err *e)
{
    struct asking *a = q->of;
    struct http_call call = {.method = "POST",
                             .url = v->url.ptr,
                             .socket_path = path_or_null(v->socket),
                             .ca_file = path_or_null(v->ca_file),
                             .headers = {"Content-Type: application/json", "Accept: application/json"},
                             .body = body,
                             .timeout_ms = v->timeout_ms,
                             .reply_max = VALIDATOR_REPLY_MAX};
    size_t at = 2;
    enum rc rc = add_token(a, v, &call, &at, e);
    rc = rc == RC_OK ? add_signature(a, v, &call, &at, e) : rc;
    return rc == RC_OK ? http_client_start(a->v->client, &call, replied, q, &q->call, e) : rc;
}

static enum rc ask_command(struct asked *q, const struct validator *v, struct str body, struct err *e)
{
    static const char *const envp[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", NULL};
    struct asking *a = q->of;
    const char **argv = arena_array(a->arena, v->argv.count + 1, sizeof *argv);
    if (a->v->commands >= VALIDATORS_COMMANDS_MAX || argv == NULL) {
        return err_set(e, RC_LIMIT, "too many commands run already");
    }
    for (uint32_t i = 0; i < v->argv.count; i++) {
        argv[i] = arena_str(a->arena, v->argv.items[i]).ptr;
    }
    struct loop_process_spec spec = {.argv = argv, .envp = envp, .input = body, .timeout_ms = v->timeout_ms};
    enum rc rc = loop_process_start(a->v->loop, &spec, ended, q, &q->process, e);
    a->v->commands += rc == RC_OK ? 1 : 0;
    return rc;
}

static void ask_one(struct asking *a, uint32_t index)
{
    const struct validator_question *question = &a->round->questions[index];
    struct asked *q = &a->all[index];
    struct err e = {.text = "out of memory"};
    struct buf body;
    *q = (struct asked){.of = a, .index = index, .type = (enum validator_type)question->of->type, .began_ms = clock_boot_ms()};
    a->open++;
    buf_init(&body, VALIDATOR_INPUT_MAX);
    struct value v = reply_question(a->arena, q->type, &question->input);
    json_write(&body, &v);
    enum rc rc = body.rc == RC_OK && arena_rc(a->arena) == RC_OK ? RC_OK : err_set(&e, RC_LIMIT, "what it is asked is too large");
    if (rc == RC_OK) {
        rc = q->type == VALIDATOR_COMMAND ? ask_command(q, question->of, buf_view(&body), &e)
                                          : ask_http(q, question->of, buf_view(&body), &e);
    }
    buf_done(&body);
    if (rc != RC_OK) {
        char text[VALIDATOR_TEXT_MAX];
        snprintf(text, sizeof text, "%.200s", e.text);
        take(q, ANSWER_ERROR, text);
    }
}

bool validators_ask(struct validators *v, struct validator_round *round, void (*done)(void *waiter), void *waiter)
{
    struct asking *a = v->count >= VALIDATORS_WAITING_MAX ? NULL : calloc(1, sizeof *a);
    struct arena *arena = a == NULL ? NULL : arena_new(ASKING_ARENA_MAX);
    if (arena == NULL) {
        free(a);
        return false;
    }
    *a = (struct asking){.v = v, .round = round, .done = done, .waiter = waiter, .starting = true, .arena = arena, .next = v->all};
    if (v->all != NULL) {
        v->all->previous = a;
    }
    v->all = a;
    v->count++;
    for (uint32_t i = 0; i < round->count; i++) {
        if (round->answers[i].answer == ANSWER_NONE) {
            ask_one(a, i);
        }
    }
    a->starting = false;
    end_if_over(a);
    return true;
}
