/*
 * api/authzen_search - AuthZEN's search: which subjects, resources or actions would get a true.
 *
 * What is registered is gone through: agents as subjects; the targets that permissions name, and services, as resources;
 * tools as actions. Each is judged as an evaluation would judge it, and nothing is recorded. Validators are not asked:
 * what needs one is left out. So is a two-phase tool, which no evaluation answers with true.
 *
 * One request judges a bounded number and says where it stopped. Agents, services and tools are walked in the order in
 * which they came, targets in that of their bytes. A page's token is the place to go on at and a digest of the question
 * and the policy: it gives nobody anything that the question would not.
 * Source: AuthZEN Authorization API 1.0, Search APIs; SEMANTICS section 8.
 */
#include "api/authzen.h"

#include "base/encode.h"
#include "crypto/crypto.h"
#include "value/json.h"

#include <stdlib.h>
#include <string.h>

enum {
    SEARCH_JUDGED_MAX = 256,      /* candidates of one request, and so its results */
    SEARCH_BYTES_MAX = 512 << 10, /* of one request: its body is looked at again for each candidate */
    SEARCH_ARENA_MAX = 16 << 20,  /* memory of one candidate */
    TOKEN_DIGEST_LEN = 16,        /* bytes of its digest that a token has */
};

struct search {
    struct call *call;
    enum searched searched;
    struct question asked;
    struct str *targets; /* that permissions name, each once, by bytes; for resources */
    uint32_t target_count;
    uint64_t place; /* of the next candidate */
    uint32_t limit; /* of results, and of candidates */
    uint32_t judged;
    bool paged; /* it was asked for pages */
    uint8_t digest[TOKEN_DIGEST_LEN];
};

/* --- candidates ---------------------------------------------------------------------------------------------- */

/* The id under which that type means that name; empty when it can't. */
static struct str id_of(struct str name, struct str type, const char *plain)
{
    struct str id = name;
    if (!str_eq(type, str_from(plain))) {
        bool below = str_starts(name, type) && name.len > type.len && name.ptr[type.len] == '/';
        id = below ? str_slice(name, type.len + 1, name.len) : STR("");
    }
    return id.len <= AUTHZEN_TEXT_MAX ? id : STR("");
}

static int by_bytes(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static bool is_glob(struct str text)
{
    return str_find(text, '*') < text.len || str_find(text, '?') < text.len;
}

static uint32_t count_targets(const struct policy *p)
{
    uint32_t count = 0;
    for (uint32_t i = 0; p != NULL && i < p->permission_count; i++) {
        count += p->permissions[i].targets.count;
    }
    return count;
}

static enum rc find_targets(struct search *s, struct err *e)
{
    const struct policy *p = world_policy(control_world(s->call->control));
    uint32_t most = count_targets(p);
    s->targets = arena_array(s->call->arena, most + 1, sizeof *s->targets);
    if (s->targets == NULL) {
        return err_set(e, RC_LIMIT, "the request is too large");
    }
    uint32_t count = 0;
    for (uint32_t i = 0; most > 0 && i < p->permission_count; i++) {
        const struct str_list *all = &p->permissions[i].targets;
        for (uint32_t k = 0; k < all->count; k++) {
            s->targets[count] = all->items[k];
            count += is_glob(all->items[k]) ? 0 : 1;
        }
    }
    qsort(s->targets, count, sizeof *s->targets, by_bytes);
    for (uint32_t i = 0; i < count; i++) {
        if (i == 0 || !str_eq(s->targets[i], s->targets[i - 1])) {
            s->targets[s->target_count++] = s->targets[i];
        }
    }
    return RC_OK;
}

static struct str subject_at(const struct search *s, uint64_t place)
{
    const struct world_agent *agent = world_agent_at(control_world(s->call->control), (uint32_t)place);
    bool own = (s->call->who.roles & ROLE_ENFORCER) != 0 || place == s->call->who.agent;
    return agent->def != NULL && own ? id_of(str_from(agent->name), s->asked.subject_type, "agent") : STR("");
}

/* A service is one of type "service", and what its name alone says; unless it was a target already. */
static struct str service_at(const struct search *s, uint64_t index)
{
    const struct world_service *service = world_service_at(control_world(s->call->control), (uint32_t)index);
    struct str type = s->asked.resource_type;
    struct str name = str_from(service->name);
    struct str id = str_eq(type, STR("service")) ? name : id_of(name, type, "target");
    if (service->def == NULL || id.len == 0) {
        return STR("");
    }
    struct str target = authzen_name(s->call->arena, type, id, "target");
    bool known = bsearch(&target, s->targets, s->target_count, sizeof target, by_bytes) != NULL;
    return known ? STR("") : id;
}

static struct str resource_at(const struct search *s, uint64_t place)
{
    return place < s->target_count ? id_of(s->targets[place], s->asked.resource_type, "target")
                                   : service_at(s, place - s->target_count);
}

static struct str action_at(const struct search *s, uint64_t place)
{
    const struct world_tool *tool = world_tool_at(control_world(s->call->control), (uint32_t)place);
    bool evaluated = tool->def != NULL && tool_is_named(tool->def) && !tool->def->two_phase;
    return evaluated ? tool->def->name : STR("");
}

static uint64_t places(const struct search *s)
{
    const struct world *w = control_world(s->call->control);
    switch (s->searched) {
    case SEARCHED_SUBJECT:
        return world_agent_count(w);
    case SEARCHED_RESOURCE:
        return (uint64_t)s->target_count + world_service_count(w);
    case SEARCHED_ACTION:
    case SEARCHED_NONE:
        break;
    }
    return world_tool_count(w);
}

/* Its id or name, from s->place on; empty when there is none left. */
static struct str next_candidate(struct search *s)
{
    struct str found = STR("");
    for (; found.len == 0 && s->place < places(s); s->place++) {
        found = s->searched == SEARCHED_SUBJECT    ? subject_at(s, s->place)
                : s->searched == SEARCHED_RESOURCE ? resource_at(s, s->place)
                                                   : action_at(s, s->place);
    }
    return found;
}

/* --- judging ------------------------------------------------------------------------------------------------- */

static const struct value *copied(struct arena *a, const struct value *v)
{
    struct value *copy = v == NULL ? NULL : arena_alloc(a, sizeof *copy);
    if (copy != NULL) {
        *copy = value_copy(a, v);
    }
    return copy;
}

/* As it would be asked about the candidate; what is redacted in it must not be taken out of the question itself. */
static struct question question_of(const struct search *s, struct arena *a, struct str candidate)
{
    struct question q = s->asked;
    q.subject = copied(a, q.subject);
    q.action = copied(a, q.action);
    q.resource = copied(a, q.resource);
    *(s->searched == SEARCHED_SUBJECT    ? &q.subject_id
      : s->searched == SEARCHED_RESOURCE ? &q.resource_id
                                         : &q.tool) = candidate;
    return q;
}

static enum rc judge(const struct search *s, struct arena *a, struct str candidate, bool *ret, struct err *e)
{
    struct request q;
    struct decided *d = arena_alloc(a, sizeof *d);
    struct question asked = question_of(s, a, candidate);
    enum rc rc = authzen_request(s->call, a, &asked, &q, e);
    if (rc != RC_OK || arena_rc(a) != RC_OK) {
        return rc != RC_OK ? rc : err_set(e, RC_LIMIT, "the request is too large");
    }
    q.round = NULL;
    rc = control_consider(s->call->control, a, &q, d, e);
    *ret = rc == RC_OK && !d->pending_again && d->decision.verdict == VERDICT_ALLOW && q.tool != NULL &&
           !q.tool->two_phase;
    return rc;
}

static struct value result_of(const struct search *s, struct str candidate)
{
    struct arena *a = s->call->arena;
    struct value v = value_object();
    if (s->searched == SEARCHED_ACTION) {
        value_add_str(a, &v, STR("name"), candidate);
        return v;
    }
    value_add_str(a, &v, STR("type"),
                  s->searched == SEARCHED_SUBJECT ? s->asked.subject_type : s->asked.resource_type);
    value_add_str(a, &v, STR("id"), candidate);
    return v;
}

static enum rc find_results(struct search *s, struct value *results, struct err *e)
{
    size_t bytes = s->call->request->body.len;
    uint32_t most = bytes * SEARCH_JUDGED_MAX <= SEARCH_BYTES_MAX ? SEARCH_JUDGED_MAX
                                                                  : (uint32_t)(SEARCH_BYTES_MAX / bytes);
    CLEANUP(arena) struct arena *a = arena_new(SEARCH_ARENA_MAX);
    if (a == NULL) {
        return err_set(e, RC_NO_MEMORY, "out of memory");
    }
    struct str candidate;
    while (results->count < s->limit && s->judged < most && (candidate = next_candidate(s)).len > 0) {
        bool allowed;
        enum rc rc = judge(s, a, candidate, &allowed, e);
        if (rc != RC_OK) {
            return rc;
        }
        if (allowed) {
            value_push(s->call->arena, results, result_of(s, candidate));
        }
        s->judged++;
        arena_reset(a);
    }
    return RC_OK;
}

/* --- pages --------------------------------------------------------------------------------------------------- */

/* Of what must stay the same from page to page. */
static enum rc digest_question(struct search *s, struct err *e)
{
    static const char *const names[] = {"subject", "action", "resource", "context"};
    struct call *c = s->call;
    struct value v = value_object();
    struct buf text;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const struct value *part = value_get(&c->body, str_from(names[i]));
        if (part != NULL) {
            value_add(c->arena, &v, str_from(names[i]), *part);
        }
    }
    value_add_int(c->arena, &v, STR("searched"), s->searched);
    value_add_str(c->arena, &v, STR("policy"), world_policy_hash(control_world(c->control)));
    buf_init(&text, HTTP_BODY_MAX * 2);
    json_write_canonical(&text, &v, c->arena);
    struct digest d = sha256(buf_view(&text));
    enum rc rc = text.rc != RC_OK ? text.rc : arena_rc(c->arena);
    buf_done(&text);
    memcpy(s->digest, d.bytes, sizeof s->digest);
    return rc == RC_OK ? RC_OK : err_set(e, RC_LIMIT, "the request is too large");
}

static struct str token_of(const struct search *s)
{
    char hex[2 * TOKEN_DIGEST_LEN];
    hex_encode(s->digest, sizeof s->digest, hex);
    return arena_printf(s->call->arena, "%llu.%.*s", (unsigned long long)s->place, (int)sizeof hex, hex);
}

static bool take_token(struct search *s, struct str token)
{
    uint8_t digest[TOKEN_DIGEST_LEN];
    struct str place;
    bool good = str_next(&token, '.', &place) && str_to_u64(place, &s->place) &&
                token.len == 2 * sizeof digest && hex_decode(token, digest, sizeof digest);
    return good && memcmp(digest, s->digest, sizeof digest) == 0;
}

static enum rc read_page(struct search *s, struct err *e)
{
    const struct value *page = value_get(&s->call->body, STR("page"));
    const struct value *limit = value_get(page, STR("limit"));
    const struct value *token = value_get(page, STR("token"));
    s->limit = SEARCH_JUDGED_MAX;
    s->paged = page != NULL;
    if (page != NULL && page->type != VALUE_OBJECT) {
        return err_at(e, RC_INVALID, STR("/page"), "expected an object");
    }
    if (limit != NULL && value_integer_or(limit, 0) < 1) {
        return err_at(e, RC_INVALID, STR("/page/limit"), "expected a whole number, 1 or more");
    }
    if (limit != NULL && limit->integer < s->limit) {
        s->limit = (uint32_t)limit->integer;
    }
    if (token != NULL && !take_token(s, value_text(token))) {
        return err_at(e, RC_INVALID, STR("/page/token"),
                      "expected the next_token of the page before, of the same question under the same policy");
    }
    return RC_OK;
}

/* The last page says so; the only one says nothing unless it was asked. */
static void add_page(struct search *s, uint32_t count, struct value *reply)
{
    uint64_t stopped_at = s->place;
    bool more = next_candidate(s).len > 0;
    s->place = stopped_at;
    if (!more && !s->paged) {
        return;
    }
    struct value page = value_object();
    value_add_str(s->call->arena, &page, STR("next_token"), more ? token_of(s) : STR(""));
    value_add_int(s->call->arena, &page, STR("count"), count);
    value_add(s->call->arena, reply, STR("page"), page);
}

/* --- the three ----------------------------------------------------------------------------------------------- */

static enum rc may_search(const struct search *s, struct err *e)
{
    struct request q;
    return s->searched == SEARCHED_SUBJECT ? RC_OK
                                           : authzen_request(s->call, s->call->arena, &s->asked, &q, e);
}

static enum rc search(struct call *c, enum searched searched, struct err *e)
{
    struct search s = {.call = c,
                       .searched = searched,
                       .asked = {.subject = value_get(&c->body, STR("subject")),
                                 .action = value_get(&c->body, STR("action")),
                                 .resource = value_get(&c->body, STR("resource")),
                                 .context = value_get(&c->body, STR("context"))}};
    s.asked.action = searched == SEARCHED_ACTION ? NULL : s.asked.action;
    struct value results = value_array();
    enum rc rc = authzen_read(&s.asked, searched, e);
    rc = rc == RC_OK ? may_search(&s, e) : rc;
    rc = rc == RC_OK ? digest_question(&s, e) : rc;
    rc = rc == RC_OK ? read_page(&s, e) : rc;
    rc = rc == RC_OK && searched == SEARCHED_RESOURCE ? find_targets(&s, e) : rc;
    rc = rc == RC_OK ? find_results(&s, &results, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    struct value v = value_object();
    value_add(c->arena, &v, STR("results"), results);
    add_page(&s, results.count, &v);
    return call_reply(c, 200, v);
}

enum rc authzen_search_subject(struct call *c, struct err *e)
{
    return search(c, SEARCHED_SUBJECT, e);
}

enum rc authzen_search_resource(struct call *c, struct err *e)
{
    return search(c, SEARCHED_RESOURCE, e);
}

enum rc authzen_search_action(struct call *c, struct err *e)
{
    return search(c, SEARCHED_ACTION, e);
}
