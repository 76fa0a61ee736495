/*
 * client - one HTTP call to a Pawl server, for programs that just wait for the answer.
 *
 * Where the server is and who we are come from options, then from the environment: PAWL_URL
 * (http://127.0.0.1:7411; unix:/path/pawl.sock for a local socket); PAWL_TOKEN, PAWL_TOKEN_FILE, or
 * ~/.config/pawl/token. A token's file that others can read is refused. A problem document becomes a
 * struct err; that the server can't be reached is told apart from its refusal (answer.status is 0).
 */
#ifndef CLIENT_CLIENT_H
#define CLIENT_CLIENT_H

#include "base/arena.h"
#include "sys/file.h"
#include "value/value.h"

#include <stdint.h>

enum {
    CLIENT_TOKEN_MAX = 512,
    CLIENT_URL_MAX = 1024,
    CLIENT_TIMEOUT_MS = 10000,
    CLIENT_ARENA_MAX = 256 << 20,
    CLIENT_KEY_LEN = 32, /* bytes of an idempotency key, without its NUL */
};

#define CLIENT_URL_DEFAULT "http://127.0.0.1:7411"

struct client_options {
    const char *url;        /* null: from the environment */
    const char *token_file; /* null: from the environment */
};

struct client {
    char url[CLIENT_URL_MAX];
    char socket[FILE_PATH_MAX]; /* "" for TCP */
    char authorization[CLIENT_TOKEN_MAX + 32]; /* the whole header; "" without a token */
    int64_t timeout_ms;
};

/* Errors: RC_INVALID (url, token), and those of reading the token's file. */
NODISCARD enum rc client_init(const struct client_options *options, struct client *ret, struct err *e);
/* Wipes the token. */
void client_done(struct client *c);
/* Which file the token is read from; "" when it is the environment itself. out: FILE_PATH_MAX bytes. */
void client_token_path(const struct client_options *options, char *out);

struct client_call {
    const char *method;
    const char *path;         /* with its query, which client_query helps to build */
    const struct value *body; /* null: none */
    const char *key;          /* Idempotency-Key, or null */
};

struct answer {
    unsigned status;   /* 0: the server can't be reached */
    struct value body; /* of a JSON answer; null else */
    struct str text;   /* as it came */
    struct str code;   /* of a problem: "conflict" */
    int64_t retry_after_s; /* 0: not said */
};

/*
 * RC_OK for a 2xx only. Else the rc that fits the status (400, 422 RC_INVALID; 401, 403 RC_DENIED; 404;
 * 409 RC_CONFLICT; 413, 429 RC_LIMIT; 500 RC_CORRUPT; others RC_UNAVAILABLE), with ret filled in.
 */
NODISCARD enum rc client_call(const struct client *c, struct arena *a, const struct client_call *call,
                              struct answer *ret, struct err *e);
/* Shorthands. */
NODISCARD enum rc client_get(const struct client *c, struct arena *a, const char *path,
                             struct answer *ret, struct err *e);
NODISCARD enum rc client_post(const struct client *c, struct arena *a, const char *path,
                              const struct value *body, struct answer *ret, struct err *e);
/*
 * Hands the body of a 2xx on as it comes, until fn returns false or the server ends it; both are RC_OK. For as long
 * as timeout_ms. last_id: Last-Event-ID, or null. Any other answer is read as by client_call.
 */
typedef bool (*client_piece_fn)(void *context, struct str piece);
struct client_stream {
    const char *path;
    const char *last_id;
    int64_t timeout_ms;
    client_piece_fn fn;
    void *context;
};
NODISCARD enum rc client_stream(const struct client *c, struct arena *a, const struct client_stream *stream,
                                struct answer *ret, struct err *e);
/* Appends "?name=value" or "&name=value", percent-encoded; nothing for a null value. */
void client_query(struct buf *path, const char *name, const char *value);
/* A new random idempotency key. */
void client_key(char out[static CLIENT_KEY_LEN + 1]);

#endif
