/*
 * api/call - one request on its way through the API: what its handler reads and fills in.
 */
#ifndef API_CALL_H
#define API_CALL_H

#include "api/api.h"
#include "api/rule_counts.h"
#include "policy/reader.h"

enum {
    CALL_IDS_MAX = 2,
    CALL_REPLY_MAX = 64 << 20,   /* bytes of one reply */
    CALL_REPLY_KEPT = 256 << 10, /* bytes of the buffer that stay allocated between replies */
};

struct counts {
    int64_t requests;
    int64_t by_class[6]; /* status / 100 */
    int64_t rate_limited;
    int64_t unauthenticated;
    int64_t malformed;
    int64_t verdicts[VERDICT_ALLOW + 1];
    int64_t decisions;
    int64_t overrides;
    int64_t broken_glass;
};

struct evaluations;
struct traffic;
struct bucket_row;
struct stream;
struct limits;
struct identity;

struct api {
    struct api_options options;
    struct control *control;
    struct limits *limits;
    struct identity *identity;
    struct buf out; /* the reply being written; kept to save allocations */
    struct counts counts;
    struct counts at_last_minute;
    struct rule_counts rule_counts;
    struct bucket_row *buckets; /* by service index; events gathered since the last flush */
    uint32_t bucket_count;
    bool buckets_pending;
    struct stream *streams;
    unsigned stream_count;
    char policy_error[ERR_TEXT_MAX];
    struct traffic *traffic; /* null until the first spans */
    int64_t traffic_from_ms;
    int64_t traffic_turn_ms;
    uint64_t traffic_refused; /* periods that the graph could not hold, or the ledger not take */
    int64_t disk_free_bytes;
    int64_t disk_size_bytes;
};

struct call {
    struct api *api;
    struct control *control;
    struct http_exchange *x;
    const struct http_request *request;
    struct arena *arena;
    struct principal who;
    bool anonymous;
    struct str nonce_key; /* of a signed request; empty else */
    struct str nonce;
    struct value body; /* parsed; an empty object when there was none */
    bool cloud_event; /* the body is an envelope */
    struct str ids[CALL_IDS_MAX];
    struct idempotency_key idempotency;

    /* The reply. */
    unsigned status;
    struct value reply;
    bool raw;                 /* text and content_type instead of reply */
    struct str text;
    const char *content_type;
    uint64_t wait_seq;        /* everything below must be durable first */
    uint64_t action;          /* to abandon when the reply never leaves */
    bool deferred;            /* the handler answers by itself later */
    const struct route *route;
    bool asking;              /* validators: it is handled again with their answers */
    bool handling;            /* its handler runs now: answers that are there at once don't call it */
    struct evaluations *batch; /* AuthZEN: of one request, as far as they are; null: none */
    struct call *next_waiting; /* for the same bucket of events */
};

typedef enum rc (*call_fn)(struct call *c, struct err *e);

/* Sets status and reply; waits for all that is applied by now. Returns RC_OK. */
enum rc call_reply(struct call *c, unsigned status, struct value v);
enum rc call_text(struct call *c, unsigned status, const char *content_type, struct str text);
void call_send(struct call *c);
void call_problem(struct call *c, enum rc rc, const struct err *e);
void call_problem_status(struct call *c, unsigned status, const struct err *e);
/* The problem document alone; instance and e may be empty and null. */
void problem_write(struct buf *out, unsigned status, struct str instance, const struct err *e);

/* The id in a path ("act_12"), or RC_NOT_FOUND. */
NODISCARD enum rc call_id(const struct call *c, unsigned i, const char *prefix, uint64_t *ret,
                          struct err *e);
NODISCARD enum rc call_fields(struct call *c, const struct field *fields, size_t count, void *out,
                              struct err *e);
/* limit and after of a listing. */
NODISCARD enum rc call_page(struct call *c, uint64_t *ret_after, uint64_t *ret_limit, struct err *e);
bool call_is_operator(const struct call *c);
/* A source's globs cover the service. */
bool call_may_write_service(const struct call *c, struct str service);

#define ROLES_OPERATOR                                                                             \
    (ROLE_VIEWER | ROLE_AUDITOR | ROLE_RESPONDER | ROLE_APPROVER | ROLE_OVERRIDE | ROLE_ADMIN)
#define ROLES_ANY (ROLES_OPERATOR | ROLE_AGENT | ROLE_SOURCE | ROLE_ENFORCER)

/* api/render.c */
struct str id_str(struct arena *a, const char *prefix, uint64_t seq);
void add_null_or_str(struct arena *a, struct value *v, struct str name, struct str text);
struct value percent(int64_t ppm);
/* The short answer about a decision. */
struct value render_decided(struct call *c, const struct decided *d);
/* findings, rules, signals and blast radius: what a whole decision says beside its verdict. */
void render_grounds(struct call *c, struct value *v, const struct decision *d, const struct facts *f);
struct value render_record(struct call *c, const struct decision_record *r, bool whole);
struct value render_findings(struct call *c, const struct decision *d, const struct facts *f);
struct value render_signals(struct call *c, const struct facts *f);
struct value render_blast_radius(struct arena *a, const struct facts *f);
struct value render_memory(struct arena *a, const struct facts *f);
struct value render_calibration(struct arena *a, const struct calibration *c);
struct value render_action(struct call *c, const struct action *a);

/* api/review.c: for operators; r is the action's newest decision. */
NODISCARD enum rc render_review(struct call *c, const struct action *action, const struct decision_record *r,
                                struct value *ret, struct err *e);

/* api/catalogue.c: the error budget of one service as a decision would read it. False: no policy is loaded. */
bool call_budget(const struct call *c, uint32_t index, struct budget_fact *ret);

/* api/limits.c */
struct limits *limits_new(int64_t rate_per_s, int64_t burst, int64_t daily_bytes);
void limits_free(struct limits *l);
/* True when the credential may send one more request now; ret_retry_ms else. */
bool limits_take(struct limits *l, uint64_t token, int64_t now_ms, int64_t *ret_retry_ms);
/* True when these bytes still fit into the credential's day; then they are counted. */
bool limits_take_bytes(struct limits *l, uint64_t token, int64_t now_ms, size_t size, int64_t *ret_retry_ms);

/* A call that waits for its bucket is gone. */
void events_forget(struct api *api, const struct call *gone);
void events_done(struct api *api);

/* The exchange is gone: if it was a stream, it is forgotten. */
void streams_gone(struct api *api, const struct http_exchange *x);

/* The request's Content-Type without its parameters. */
bool call_is_type(struct http_exchange *x, const char *want);

/* api/cloud_event.c: the body becomes the event in it. Errors: RC_INVALID. */
NODISCARD enum rc cloud_event_open(struct call *c, struct err *e);

/* api/causes.c: the report of what a node of the graph suffered. */
struct causes_question {
    uint32_t node;
    int64_t at_ms;     /* when it was noticed */
    int64_t window_ms; /* what is noticed began so much earlier */
    struct str metric; /* "" for any */
};
NODISCARD enum rc causes_of(struct call *c, const struct causes_question *asked, struct value *ret, struct err *e);

/* handlers */
enum rc traces_post(struct call *c, struct err *e);
enum rc actions_propose(struct call *c, struct err *e);
enum rc actions_list(struct call *c, struct err *e);
enum rc actions_get(struct call *c, struct err *e);
enum rc actions_decide(struct call *c, struct err *e);
enum rc actions_commit(struct call *c, struct err *e);
enum rc actions_heartbeat(struct call *c, struct err *e);
enum rc actions_outcome(struct call *c, struct err *e);
enum rc actions_cancel(struct call *c, struct err *e);
enum rc evaluate(struct call *c, struct err *e);
enum rc approvals_list(struct call *c, struct err *e);
enum rc approvals_approve(struct call *c, struct err *e);
enum rc approvals_override(struct call *c, struct err *e);
enum rc approvals_reject(struct call *c, struct err *e);
enum rc decisions_list(struct call *c, struct err *e);
enum rc decisions_get(struct call *c, struct err *e);
enum rc decisions_replay(struct call *c, struct err *e);
enum rc decisions_explain(struct call *c, struct err *e);
enum rc policy_rollback(struct call *c, struct err *e);
enum rc policy_load(struct call *c, struct err *e);
enum rc agents_list(struct call *c, struct err *e);
enum rc breakers_list(struct call *c, struct err *e);
enum rc breakers_set(struct call *c, struct err *e);
enum rc tiers_set(struct call *c, struct err *e);
enum rc grants_list(struct call *c, struct err *e);
enum rc grants_issue(struct call *c, struct err *e);
enum rc grants_revoke(struct call *c, struct err *e);
enum rc memory_list(struct call *c, struct err *e);
enum rc incidents_list(struct call *c, struct err *e);
enum rc incidents_close(struct call *c, struct err *e);
enum rc graph_write(struct call *c, struct err *e);
enum rc graph_get(struct call *c, struct err *e);
enum rc impact_get(struct call *c, struct err *e);
enum rc calibration_get(struct call *c, struct err *e);
enum rc causes_get(struct call *c, struct err *e);
enum rc incidents_open(struct call *c, struct err *e);
enum rc memory_recall(struct call *c, struct err *e);
enum rc actions_revert_by_hand(struct call *c, struct err *e);
enum rc actions_settle(struct call *c, struct err *e);
enum rc agents_declare(struct call *c, struct err *e);
enum rc services_list(struct call *c, struct err *e);
enum rc services_declare(struct call *c, struct err *e);
enum rc tools_list(struct call *c, struct err *e);
enum rc tools_declare(struct call *c, struct err *e);
enum rc signals_list(struct call *c, struct err *e);
enum rc events_post(struct call *c, struct err *e);
enum rc stops_list(struct call *c, struct err *e);
enum rc stops_set(struct call *c, struct err *e);
enum rc stops_lift(struct call *c, struct err *e);
enum rc ledger_list(struct call *c, struct err *e);
enum rc ledger_get(struct call *c, struct err *e);
enum rc ledger_blob(struct call *c, struct err *e);
enum rc ledger_proof(struct call *c, struct err *e);
enum rc ledger_checkpoint(struct call *c, struct err *e);
enum rc ledger_tile(struct call *c, struct err *e);
enum rc stream_get(struct call *c, struct err *e);
enum rc tokens_list(struct call *c, struct err *e);
enum rc tokens_create(struct call *c, struct err *e);
enum rc tokens_revoke(struct call *c, struct err *e);
enum rc policy_get(struct call *c, struct err *e);
enum rc policy_reload(struct call *c, struct err *e);
enum rc clock_accept(struct call *c, struct err *e);
enum rc status_get(struct call *c, struct err *e);
enum rc healthz(struct call *c, struct err *e);
enum rc readyz(struct call *c, struct err *e);
enum rc metrics(struct call *c, struct err *e);
enum rc authzen_evaluation(struct call *c, struct err *e);
enum rc authzen_evaluations(struct call *c, struct err *e);
enum rc authzen_search_subject(struct call *c, struct err *e);
enum rc authzen_search_resource(struct call *c, struct err *e);
enum rc authzen_search_action(struct call *c, struct err *e);
enum rc authzen_metadata(struct call *c, struct err *e);

#endif
