/*
 * api/authzen - the AuthZEN Authorization API 1.0: the same gate, in a decision point's words.
 *
 * A denial is 200 with decision false and the verdict in the context. true is answered for one-phase tools only: a
 * two-phase action is allowed by its commit, not by an evaluation.
 * Source: AuthZEN Authorization API 1.0; SEMANTICS section 8.
 */
#include "api/authzen.h"

#include "value/json.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* --- deciding -------------------------------------------------------------------------------------------------- */

static struct value answer(struct call *c, const struct decided *d, bool one_phase)
{
    struct arena *a = c->arena;
    bool go = d->decision.verdict == VERDICT_ALLOW && one_phase;
    struct value v = value_object();
    value_add_bool(a, &v, STR("decision"), go);
    struct value context = value_object();
    struct value decided = render_decided(c, d);
    static const char *const passed_on[] = {"verdict", "reason", "blocking_check", "action_id",
                                            "decision_id", "digest"};
    for (size_t i = 0; i < COUNT(passed_on); i++) {
        const struct value *member = value_get(&decided, str_from(passed_on[i]));
        if (member != NULL) {
            value_add(a, &context, str_from(passed_on[i]), *member);
        }
    }
    const struct value *retry = value_get(&decided, STR("retry_after_s"));
    if (retry != NULL) {
        value_add(a, &context, STR("retry_after"), *retry);
    }
    if (!one_phase && d->action != 0 && d->decision.verdict == VERDICT_ALLOW) {
        value_add_str(a, &context, STR("commit_url"),
                      arena_printf(a, "/v1/actions/act_%llu/commit", (unsigned long long)d->action));
    }
    value_add(a, &context, STR("checks"), render_findings(c, &d->decision, &d->facts));
    value_add(a, &v, STR("context"), context);
    return v;
}

static enum rc decide_one(struct call *c, struct question *question, struct value *ret, struct err *e)
{
    struct request q;
    struct decided *d = arena_alloc(c->arena, sizeof *d);
    enum rc rc = authzen_read(question, SEARCHED_NONE, e);
    rc = rc == RC_OK ? authzen_request(c, c->arena, question, &q, e) : rc;
    if (rc != RC_OK || d == NULL) {
        return rc != RC_OK ? rc : err_set(e, RC_LIMIT, "the request is too large");
    }
    rc = control_propose(c->control, c->arena, &c->who, &q, NULL, d, e);
    if (rc == RC_OK && d->pending_again) {
        struct decision_record *record = arena_alloc(c->arena, sizeof *record);
        rc = record == NULL ? err_set(e, RC_LIMIT, "the request is too large")
                            : control_read_decision(c->control, c->arena, d->seq, record, e);
        if (rc == RC_OK) {
            d->decision = record->decision;
            d->facts = record->facts;
        }
    }
    if (rc != RC_OK) {
        return rc;
    }
    *ret = answer(c, d, q.tool != NULL && !q.tool->two_phase);
    return RC_OK;
}

enum rc authzen_evaluation(struct call *c, struct err *e)
{
    struct question q = {.subject = value_get(&c->body, STR("subject")),
                         .action = value_get(&c->body, STR("action")),
                         .resource = value_get(&c->body, STR("resource")),
                         .context = value_get(&c->body, STR("context"))};
    struct value v;
    enum rc rc = decide_one(c, &q, &v, e);
    return rc == RC_OK ? call_reply(c, 200, v) : rc;
}

/* --- several ---------------------------------------------------------------------------------------------------- */

enum {
    EVALUATIONS_MAX = 1000,
    EVALUATIONS_ASKED_MAX = 64, /* of them that validators are asked about, one after the other */
};

/* How far it is: validators are asked about one evaluation at a time, and what was decided before stays decided. */
struct evaluations {
    const struct value *list;
    uint32_t at;
    uint32_t asked;
    size_t semantic;
    struct value answers;
};

static const struct value *own_or_default(const struct value *item, const struct value *defaults,
                                          const char *name)
{
    const struct value *own = value_get(item, str_from(name));
    return own != NULL ? own : value_get(defaults, str_from(name));
}

/* A bad item is refused in its own answer and does not fail the batch. */
static struct value refused_item(struct call *c, const struct err *e)
{
    struct value error = value_object();
    value_add_int(c->arena, &error, STR("status"), 400);
    value_add_str(c->arena, &error, STR("message"),
                  arena_printf(c->arena, "%s: %s", e->where, e->text));
    struct value context = value_object();
    value_add(c->arena, &context, STR("error"), error);
    struct value v = value_object();
    value_add_bool(c->arena, &v, STR("decision"), false);
    value_add(c->arena, &v, STR("context"), context);
    return v;
}

static const char *const semantics[] = {"execute_all", "deny_on_first_deny", "permit_on_first_permit"};

static enum rc read_semantic(const struct value *body, size_t *ret, struct err *e)
{
    const struct value *wanted = value_path(body, "options", "evaluations_semantic", NULL);
    for (*ret = 0; wanted != NULL && *ret < COUNT(semantics); (*ret)++) {
        if (str_eq(value_text(wanted), str_from(semantics[*ret]))) {
            return RC_OK;
        }
    }
    return wanted == NULL ? RC_OK
                          : err_at(e, RC_INVALID, STR("/options/evaluations_semantic"),
                                   "expected execute_all, deny_on_first_deny or permit_on_first_permit");
}

static enum rc begin_batch(struct call *c, const struct value *list, struct err *e)
{
    if (list->type != VALUE_ARRAY || list->count > EVALUATIONS_MAX) {
        return err_at(e, RC_INVALID, STR("/evaluations"), "expected a list of at most %d", EVALUATIONS_MAX);
    }
    struct evaluations *b = arena_alloc(c->arena, sizeof *b);
    if (b == NULL) {
        return err_set(e, RC_LIMIT, "the request is too large");
    }
    *b = (struct evaluations){.list = list, .answers = value_array()};
    enum rc rc = read_semantic(&c->body, &b->semantic, e);
    c->batch = rc == RC_OK ? b : NULL;
    return rc;
}

/* What was said of one evaluation lies in the round, which is the next one's as well. */
static void next_round(struct call *c, struct evaluations *b, struct value *answered)
{
    struct validator_round *round = c->who.round;
    if (round == NULL) {
        return;
    }
    if (round->count > 0) {
        *answered = value_copy(c->arena, answered);
        b->asked++;
    }
    round->count = 0;
    round->answered = false;
    if (b->asked >= EVALUATIONS_ASKED_MAX) {
        c->who.round = NULL;
    }
}

static enum rc evaluate_next(struct call *c, struct evaluations *b, struct err *e)
{
    const struct value *item = &b->list->items[b->at];
    struct question q = {.subject = own_or_default(item, &c->body, "subject"),
                         .action = own_or_default(item, &c->body, "action"),
                         .resource = own_or_default(item, &c->body, "resource"),
                         .context = own_or_default(item, &c->body, "context")};
    struct value v;
    enum rc rc = decide_one(c, &q, &v, e);
    if (rc == RC_INVALID || rc == RC_DENIED) {
        v = refused_item(c, e);
    } else if (rc != RC_OK) {
        return rc;
    }
    next_round(c, b, &v);
    value_push(c->arena, &b->answers, v);
    bool go = value_bool_or(value_get(&v, STR("decision")), false);
    bool over = (b->semantic == 1 && !go) || (b->semantic == 2 && go);
    b->at = over ? b->list->count : b->at + 1;
    return RC_OK;
}

/* Called again with what validators said of the evaluation that it stands at. */
enum rc authzen_evaluations(struct call *c, struct err *e)
{
    const struct value *list = value_get(&c->body, STR("evaluations"));
    if (list == NULL || (list->type == VALUE_ARRAY && list->count == 0)) {
        return authzen_evaluation(c, e);
    }
    enum rc rc = c->batch == NULL ? begin_batch(c, list, e) : RC_OK;
    while (rc == RC_OK && c->batch->at < c->batch->list->count) {
        rc = evaluate_next(c, c->batch, e);
    }
    if (rc != RC_OK) {
        return rc;
    }
    struct value v = value_object();
    value_add(c->arena, &v, STR("evaluations"), c->batch->answers);
    return call_reply(c, 200, v);
}

enum rc authzen_metadata(struct call *c, struct err *e)
{
    (void)e;
    struct str host = http_header(c->x, "Host");
    const char *scheme = c->request->tls ? "https" : "http";
    struct value v = value_object();
    static const struct {
        const char *name;
        const char *path;
    } rows[] = {{"policy_decision_point", ""},
                {"access_evaluation_endpoint", "/access/v1/evaluation"},
                {"access_evaluations_endpoint", "/access/v1/evaluations"},
                {"search_subject_endpoint", "/access/v1/search/subject"},
                {"search_resource_endpoint", "/access/v1/search/resource"},
                {"search_action_endpoint", "/access/v1/search/action"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        value_add_str(c->arena, &v, str_from(rows[i].name),
                      arena_printf(c->arena, "%s://%.*s%s", scheme, STR_ARG(host), rows[i].path));
    }
    return call_reply(c, 200, v);
}
