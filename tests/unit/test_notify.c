/* notify: routes as configured, the queue and its limits, messages as signed, and both ways out for
 * real: a webhook on loopback, a command. */
#include "notify/notify.h"

#include "base/instant.h"
#include "base/must.h"
#include "check.h"
#include "crypto/webhook.h"
#include "notify/message.h"
#include "notify/outbox.h"
#include "raw_peer.h"
#include "sys/clock.h"
#include "value/json.h"
#include "value/yaml.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

static const int64_t some_time = 1614265330000;

static struct notice notice(enum notice_kind kind, const char *key)
{
    return (struct notice){.kind = kind,
                           .key = str_from(key),
                           .text = STR("something happened"),
                           .seq = 7,
                           .at_ms = some_time,
                           .needs_ack = true};
}

static struct notify_route route_for_all(enum notify_route_type type)
{
    struct notify_route r = {.name = STR("all"), .type = type, .timeout_ms = 5000};
    for (int i = 0; i < NOTICE_COUNT; i++) {
        r.kinds[i] = true;
    }
    return r;
}

/* --- configuration ----------------------------------------------------------------------------- */

static enum rc read_text(struct arena *a, const char *text, struct notify_routes *ret, struct err *e)
{
    struct value v;
    *e = (struct err){0};
    assert_int_equal(yaml_parse(a, STR("pawl.yaml"), str_from(text), &v, e), RC_OK);
    struct reader r = {a, STR("pawl.yaml"), e};
    return notify_read(&r, &v, ret);
}

static void routes_are_read(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(1 << 20);
    struct notify_routes routes;
    struct err e;
    enum rc rc = read_text(a,
                           "- name: oncall\n"
                           "  on: [escalated, signal_lost]\n"
                           "  owners: ['team-*']\n"
                           "  escalation: [sre]\n"
                           "  webhook: {url: 'https://hooks.example:8443/a?b', secret_file: /s}\n"
                           "  repeat: 5m\n"
                           "- name: pager\n"
                           "  on: ['*']\n"
                           "  agents: [a, b]\n"
                           "  command: [/usr/local/bin/page, --team, 's r e']\n"
                           "  timeout: 10s\n",
                           &routes, &e);
    assert_int_equal(rc, RC_OK);
    assert_int_equal(routes.count, 2);
    const struct notify_route *r = &routes.items[0];
    assert_str(r->name, "oncall");
    for (int i = 0; i < NOTICE_COUNT; i++) {
        assert_int_equal(r->kinds[i], i == NOTICE_ESCALATED || i == NOTICE_SIGNAL_LOST);
        assert_true(routes.items[1].kinds[i]);
    }
    assert_int_equal(r->type, ROUTE_WEBHOOK);
    assert_string_equal(r->url.ptr, "https://hooks.example:8443/a?b");
    assert_string_equal(r->secret_file.ptr, "/s");
    assert_str(r->owners.items[0], "team-*");
    assert_str(r->escalation.items[0], "sre");
    assert_int_equal(r->timeout_ms, NOTIFY_TIMEOUT_MS);
    assert_int_equal(r->repeat_ms, 5 * MINUTE_MS);
    r = &routes.items[1];
    assert_int_equal(r->type, ROUTE_COMMAND);
    assert_int_equal(r->agents.count, 2);
    assert_int_equal(r->command.count, 3);
    assert_string_equal(r->command.items[2].ptr, "s r e");
    assert_int_equal(r->timeout_ms, 10 * SECOND_MS);
    assert_int_equal(r->repeat_ms, 0);
    struct reader none = {a, STR(""), &e};
    assert_int_equal(notify_read(&none, NULL, &routes), RC_OK);
    assert_int_equal(routes.count, 0);
}

#define HOOK(url) "- {name: a, on: [stop], webhook: {url: '" url "', secret_file: /s}}\n"

static const struct {
    const char *text;
    const char *says; /* null: fine */
} configurations[] = {
    {"a: 1\n", "expected a list of routes"},
    {"- 5\n", "expected an object"},
    {"- {on: [stop], command: [/a]}\n", "name is required"},
    {"- {name: a, command: [/a]}\n", "on is required"},
    {"- {name: a, on: [], command: [/a]}\n", "on"},
    {"- {name: a, on: [stopp], command: [/a]}\n",
     "on: expected *, escalated, expiring, unknown, revert_failed, stop, stop_unconfirmed, breaker, signal_lost, disk, clock"},
    {"- {name: a, on: [stop]}\n", "expected either webhook or command"},
    {"- {name: a, on: [stop], command: [/a], webhook: {url: 'https://a/', secret_file: /s}}\n",
     "expected either webhook or command"},
    {"- {name: a, on: [stop], command: [/a], slack: x}\n", "unknown key \"slack\""},
    {"- {name: a, on: [stop], command: [a]}\n", "expected an absolute path first"},
    {"- {name: a, on: [stop], command: [/a, \"b\\0c\"]}\n", "holds a NUL"},
    {"- {name: a, on: [stop], command: [/a], timeout: 10ms}\n", "timeout: expected"},
    {"- {name: a, on: [stop], command: [/a], timeout: 2m}\n", "timeout: expected"},
    {"- {name: a, on: [stop], command: [/a], repeat: 9s}\n", "repeat: expected"},
    {"- {name: a, on: [stop], command: [/a], repeat: 2d}\n", "repeat: expected"},
    {"- {name: a, on: [stop], timeout: 1s, webhook: {url: 'https://a/', secret_file: /s}}\n",
     "a webhook's stands inside webhook"},
    {"- {name: a, on: [stop], webhook: {url: 'https://a/'}}\n", "secret_file is required"},
    {"- {name: a, on: [stop], webhook: {secret_file: /s}}\n", "url is required"},
    {"- {name: a, on: [stop], webhook: {url: 'https://a/', secret_file: /s, secret: x}}\n",
     "unknown key \"secret\""},
    {"- {name: a, on: [stop], webhook: {url: 'https://a/', secret_file: \"/s\\0\"}}\n", "holds a NUL"},
    {"- {name: a, on: [stop], command: [/a]}\n- {name: a, on: [stop], command: [/a]}\n",
     "name: \"a\" is taken"},
    {"- {name: a, on: [stop], command: [/a]}\n- {name: b, on: [stop], command: [/a], timeout: 60s, repeat: 10s}\n",
     NULL},
    {HOOK("https://example.com/x"), NULL},
    {HOOK("https://[2001:db8::1]:8443"), NULL},
    {HOOK("http://127.0.0.1:8080/x"), NULL},
    {HOOK("http://127.9.9.9"), NULL},
    {HOOK("http://[::1]:8080/x"), NULL},
    {HOOK("http://localhost/x"), NULL},
    {HOOK("http://example.com/x"), "http only to loopback; elsewhere https"},
    {HOOK("http://10.0.0.1/x"), "http only to loopback"},
    {HOOK("http://[::2]/x"), "http only to loopback"},
    {HOOK("http://127.0.0.1.example.com/x"), "http only to loopback"},
    {HOOK("http://localhost.example.com/x"), "http only to loopback"},
    {HOOK("http://127.0.0.1@example.com/x"), "without user and password"},
    {HOOK("http://127.0.0.1:80@example.com/x"), "without user and password"},
    {HOOK("http://127.0.0.1\\@example.com/x"), "without user and password"},
    {HOOK("http://[::1]example.com/x"), "without user and password"},
    {HOOK("https:///x"), "expected https://host"},
    {HOOK("https://a:0/"), "expected https://host"},
    {HOOK("https://a:65536/"), "expected https://host"},
    {HOOK("https://a b/"), "expected https://host"},
    {HOOK("ftp://a/"), "expected https://host"},
    {HOOK("HTTPS://a/"), "expected https://host"},
};

static void every_mistake_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(configurations); i++) {
        CLEANUP(arena) struct arena *a = arena_new(1 << 20);
        struct notify_routes routes = {.count = 99};
        struct err e;
        enum rc rc = read_text(a, configurations[i].text, &routes, &e);
        const char *says = configurations[i].says;
        bool good = says == NULL ? rc == RC_OK && routes.count != 99
                                 : rc == RC_INVALID && strstr(e.text, says) != NULL &&
                                       str_starts(str_from(e.where), STR("pawl.yaml:")) &&
                                       routes.count == 99;
        if (!good) {
            fail_msg("%s: %s, %s: %s", configurations[i].text, rc_name(rc), e.where, e.text);
        }
    }
}

static void a_mistake_without_a_file_has_a_pointer(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *where;
    } cases[] = {
        {"[{\"name\":\"a\",\"on\":[\"stop\",\"x\"],\"command\":[\"/a\"]}]", "/0/on/1"},
        {"[{\"name\":\"a\",\"on\":[\"stop\"],\"command\":[\"a\"]}]", "/0/command"},
        {"[{\"name\":\"a\",\"on\":[\"stop\"],\"webhook\":{\"url\":\"x\",\"secret_file\":\"/s\"}}]",
         "/0/webhook/url"},
        {"[{\"name\":\"a\",\"on\":[\"stop\"],\"webhook\":{\"url\":\"https://a\",\"secret_file\":\"/s\",\"x\":1}}]",
         "/0/webhook/x"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        CLEANUP(arena) struct arena *a = arena_new(1 << 20);
        struct value v;
        struct err e = {0};
        assert_int_equal(json_parse(a, str_from(cases[i].text), &v, &e), RC_OK);
        struct reader r = {a, STR(""), &e};
        struct notify_routes routes;
        assert_int_equal(notify_read(&r, &v, &routes), RC_INVALID);
        assert_string_equal(e.where, cases[i].where);
    }
}

static void configured_limits_hold(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(1 << 20);
    struct notify_routes routes;
    struct err e;
    struct buf text;
    buf_init(&text, 1 << 20);
    for (int i = 0; i < NOTIFY_ROUTES_MAX; i++) {
        buf_printf(&text, "- {name: r%d, on: [stop], command: [/a]}\n", i);
    }
    buf_char(&text, '\0');
    assert_int_equal(read_text(a, text.data, &routes, &e), RC_OK);
    assert_int_equal(routes.count, NOTIFY_ROUTES_MAX);
    text.len--;
    buf_printf(&text, "- {name: last, on: [stop], command: [/a]}\n");
    buf_char(&text, '\0');
    assert_int_equal(read_text(a, text.data, &routes, &e), RC_INVALID);
    assert_string_equal(e.text, "more than 16 routes");
    for (int over = 0; over < 2; over++) {
        buf_reset(&text);
        buf_str(&text, STR("- {name: a, on: [stop], command: [/a"));
        for (int i = 1; i < NOTIFY_ARGS_MAX + over; i++) {
            buf_str(&text, STR(", x"));
        }
        buf_str(&text, STR("]}\n"));
        buf_char(&text, '\0');
        assert_int_equal(read_text(a, text.data, &routes, &e), over ? RC_INVALID : RC_OK);
        assert_string_equal(e.text, over ? "command: more than 64 arguments" : "");
        buf_reset(&text);
        buf_str(&text, STR("- {name: a, on: [stop], webhook: {secret_file: /s, url: 'https://a/"));
        for (int i = (int)strlen("https://a/"); i < NOTIFY_URL_MAX + over; i++) {
            buf_char(&text, 'x');
        }
        buf_str(&text, STR("'}}\n"));
        buf_char(&text, '\0');
        assert_int_equal(read_text(a, text.data, &routes, &e), over ? RC_INVALID : RC_OK);
        assert_string_equal(e.text, over ? "url: more than 2048 bytes" : "");
    }
    buf_done(&text);
}

/* --- which route ------------------------------------------------------------------------------- */

static void a_route_takes_what_it_names(void **state)
{
    (void)state;
    const struct str team[] = {STR("team-*"), STR("root")};
    const struct str agent[] = {STR("bot-?")};
    const struct str sre[] = {STR("sre-*")};
    const struct str path[] = {STR("boss"), STR("sre-eu")};
    const struct str other[] = {STR("boss")};
    const struct {
        enum notice_kind kind;
        const char *agent;
        const char *owner;
        struct str_list path;
        bool takes;
    } cases[] = {
        {NOTICE_STOP, "bot-1", "team-a", {path, 2}, true},
        {NOTICE_STOP, "bot-1", "root", {path, 2}, true},
        {NOTICE_DISK, "bot-1", "team-a", {path, 2}, false},
        {NOTICE_STOP, "bot-12", "team-a", {path, 2}, false},
        {NOTICE_STOP, "bot-1", "crew", {path, 2}, false},
        {NOTICE_STOP, "bot-1", "team-a", {other, 1}, false},
        {NOTICE_STOP, "", "", {NULL, 0}, true}, /* all are concerned */
        {NOTICE_STOP, "bot-1", "", {NULL, 0}, true},
        {NOTICE_STOP, "", "crew", {NULL, 0}, false},
    };
    struct notify_route r = {
        .agents = {agent, 1}, .owners = {team, 2}, .escalation = {sre, 1}, .kinds[NOTICE_STOP] = true};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct notice n = notice(cases[i].kind, "k");
        n.agent = str_from(cases[i].agent);
        n.owner = str_from(cases[i].owner);
        n.escalation = cases[i].path;
        if (outbox_takes(&r, &n) != cases[i].takes) {
            fail_msg("case %zu", i);
        }
    }
}

/* --- the outbox, with a time of our own -------------------------------------------------------- */

static struct outbox *new_outbox(const struct notify_route *routes, uint32_t count)
{
    struct outbox *o = outbox_new((struct notify_routes){routes, count}, NOTIFY_RETRY_MS);
    assert_non_null(o);
    return o;
}

static enum outbox_said say(struct outbox *o, enum notice_kind kind, const char *key, int64_t now)
{
    struct notice n = notice(kind, key);
    return outbox_say(o, &n, now);
}

/* The next message's key, which must be there. */
static const char *next(struct outbox *o, int64_t now, struct outbox_ref *ret)
{
    assert_true(outbox_next(o, now, ret));
    return outbox_notice(o, *ret)->key;
}

static void backoff_stays_within_its_bounds(void **state)
{
    (void)state;
    static const int64_t most[] = {1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000};
    for (uint32_t tries = 1; tries <= COUNT(most); tries++) {
        assert_int_equal(outbox_backoff_ms(1000, tries, 0), most[tries - 1]);
        for (uint32_t random = 0; random < 100000; random += 37) {
            int64_t ms = outbox_backoff_ms(1000, tries, random);
            assert_in_range(ms, most[tries - 1] / 2, most[tries - 1]);
        }
        assert_int_equal(outbox_backoff_ms(1000, tries, (uint32_t)most[tries - 1] / 2), most[tries - 1] / 2);
    }
    assert_int_equal(outbox_backoff_ms(1, 1, 1), 1);
    assert_int_equal(outbox_backoff_ms(NOTIFY_RETRY_MAX_MS * 2, 1, 0), NOTIFY_RETRY_MAX_MS);
    assert_int_equal(outbox_backoff_ms(1000, UINT32_MAX, 0), NOTIFY_RETRY_MAX_MS);
}

static void a_message_is_tried_so_often(void **state)
{
    (void)state;
    struct notify_route r = route_for_all(ROUTE_WEBHOOK);
    struct outbox *o = new_outbox(&r, 1);
    struct outbox_ref ref;
    int64_t now = 100;
    assert_int_equal(say(o, NOTICE_UNKNOWN, "act_1", now), OUTBOX_TAKEN);
    for (uint32_t tries = 1; tries < NOTIFY_TRIES; tries++) {
        assert_string_equal(next(o, now, &ref), "act_1");
        assert_false(outbox_next(o, now, &ref)); /* is under way */
        assert_false(outbox_is_last_try(o, ref));
        assert_true(outbox_ended(o, ref, OUTBOX_FAILED, now, 0, 0));
        int64_t wait = outbox_backoff_ms(NOTIFY_RETRY_MS, tries, 0);
        assert_int_equal(outbox_wait_ms(o, now), wait);
        assert_false(outbox_next(o, now + wait - 1, &ref));
        now += wait;
    }
    next(o, now, &ref);
    assert_true(outbox_is_last_try(o, ref));
    assert_false(outbox_ended(o, ref, OUTBOX_FAILED, now, 0, 0));
    assert_int_equal(outbox_wait_ms(o, now), -1);
    struct notify_counts c = outbox_counts(o);
    assert_int_equal(c.failed, 1);
    assert_int_equal(c.sent, 0);
    assert_int_equal(c.open, 1); /* nobody has acknowledged it */
    outbox_settle(o, NOTICE_UNKNOWN, STR("act_1"));
    assert_int_equal(outbox_counts(o).open, 0);
    outbox_free(o);
}

static void a_receiver_may_ask_for_more_time(void **state)
{
    (void)state;
    struct notify_route r = route_for_all(ROUTE_WEBHOOK);
    struct outbox *o = new_outbox(&r, 1);
    struct outbox_ref ref;
    say(o, NOTICE_UNKNOWN, "act_1", 0);
    next(o, 0, &ref);
    assert_true(outbox_ended(o, ref, OUTBOX_FAILED, 0, 7000, 0));
    assert_int_equal(outbox_wait_ms(o, 0), 7000);
    next(o, 7000, &ref);
    assert_true(outbox_ended(o, ref, OUTBOX_FAILED, 7000, 1, 0)); /* less than the backoff */
    assert_int_equal(outbox_wait_ms(o, 7000), 2000);
    outbox_free(o);
}

static void it_is_repeated_until_settled(void **state)
{
    (void)state;
    struct notify_route r[2] = {route_for_all(ROUTE_WEBHOOK), route_for_all(ROUTE_WEBHOOK)};
    r[0].repeat_ms = 30000;
    struct outbox *o = new_outbox(r, 2);
    struct outbox_ref ref;
    say(o, NOTICE_ESCALATED, "act_1", 0);
    next(o, 0, &ref);
    assert_true(outbox_ended(o, ref, OUTBOX_SENT, 0, 0, 0));
    next(o, 0, &ref);
    assert_int_equal(ref.route, 1);
    assert_true(outbox_ended(o, ref, OUTBOX_SENT, 0, 0, 0));
    for (uint32_t i = 1; i < 5; i++) {
        int64_t at = 30000 * (int64_t)i;
        assert_int_equal(say(o, NOTICE_ESCALATED, "act_1", at - 1), OUTBOX_OPEN);
        assert_false(outbox_next(o, at - 1, &ref));
        assert_string_equal(next(o, at, &ref), "act_1");
        assert_int_equal(ref.route, 0);
        assert_int_equal(outbox_repeat(o, ref), i);
        /* A repeat that fails does not end the next one. */
        assert_int_equal(outbox_ended(o, ref, i == 2 ? OUTBOX_REFUSED : OUTBOX_SENT, at, 0, 0), i != 2);
    }
    outbox_settle(o, NOTICE_ESCALATED, STR("act_2")); /* another */
    outbox_settle(o, NOTICE_UNKNOWN, STR("act_1"));
    assert_int_equal(outbox_counts(o).open, 1);
    outbox_settle(o, NOTICE_ESCALATED, STR("act_1"));
    assert_int_equal(outbox_counts(o).open, 0);
    assert_int_equal(outbox_wait_ms(o, 0), -1);
    assert_int_equal(say(o, NOTICE_ESCALATED, "act_1", 0), OUTBOX_TAKEN); /* a new one */
    outbox_free(o);
}

static void what_is_settled_under_way_is_not_tried_again(void **state)
{
    (void)state;
    struct notify_route r = route_for_all(ROUTE_WEBHOOK);
    r.repeat_ms = 10000;
    struct outbox *o = new_outbox(&r, 1);
    struct outbox_ref ref;
    say(o, NOTICE_ESCALATED, "act_1", 0);
    next(o, 0, &ref);
    outbox_settle(o, NOTICE_ESCALATED, STR("act_1"));
    assert_int_equal(outbox_counts(o).open, 1);
    assert_true(outbox_is_last_try(o, ref));
    assert_false(outbox_ended(o, ref, OUTBOX_FAILED, 0, 0, 0));
    assert_int_equal(outbox_counts(o).open, 0);
    outbox_free(o);
}

static void what_needs_no_answer_is_over_when_told(void **state)
{
    (void)state;
    struct notify_route r = route_for_all(ROUTE_WEBHOOK);
    r.repeat_ms = 10000;
    struct outbox *o = new_outbox(&r, 1);
    struct notice n = notice(NOTICE_EXPIRING, "act_1");
    struct outbox_ref ref;
    n.needs_ack = false;
    assert_int_equal(outbox_say(o, &n, 0), OUTBOX_TAKEN);
    next(o, 0, &ref);
    assert_true(outbox_ended(o, ref, OUTBOX_SENT, 0, 0, 0));
    assert_int_equal(outbox_counts(o).open, 0);
    assert_int_equal(outbox_wait_ms(o, 0), -1);
    outbox_free(o);
}

static void what_no_route_takes_is_counted(void **state)
{
    (void)state;
    struct notify_route r = {.name = STR("r"), .kinds[NOTICE_STOP] = true};
    struct outbox *o = new_outbox(&r, 1);
    assert_int_equal(say(o, NOTICE_DISK, "disk", 0), OUTBOX_UNROUTED);
    assert_int_equal(outbox_counts(o).unrouted, 1);
    assert_int_equal(outbox_counts(o).open, 0);
    outbox_free(o);
}

static void a_gone_route_gets_nothing_more(void **state)
{
    (void)state;
    struct notify_route r = route_for_all(ROUTE_WEBHOOK);
    r.repeat_ms = 10000;
    struct outbox *o = new_outbox(&r, 1);
    struct outbox_ref first;
    struct outbox_ref second;
    say(o, NOTICE_UNKNOWN, "act_1", 0);
    say(o, NOTICE_UNKNOWN, "act_2", 0);
    say(o, NOTICE_UNKNOWN, "act_3", 0);
    next(o, 0, &first);
    next(o, 0, &second);
    assert_false(outbox_ended(o, first, OUTBOX_GONE, 0, 0, 0));
    assert_true(outbox_is_last_try(o, second));
    assert_false(outbox_ended(o, second, OUTBOX_GONE, 0, 0, 0));
    assert_false(outbox_next(o, 1000000, &first));
    assert_int_equal(say(o, NOTICE_STOP, "all", 0), OUTBOX_UNROUTED);
    struct notify_counts c = outbox_counts(o);
    assert_int_equal(c.failed, 3);
    assert_int_equal(c.gone, 1);
    assert_int_equal(c.open, 3);
    outbox_free(o);
}

static void the_most_important_goes_first_and_few_at_once(void **state)
{
    (void)state;
    struct notify_route r[3] = {route_for_all(ROUTE_WEBHOOK), route_for_all(ROUTE_COMMAND),
                                route_for_all(ROUTE_COMMAND)};
    struct outbox *o = new_outbox(r, 3);
    struct outbox_ref ref = {0, 0};
    char key[32];
    say(o, NOTICE_SIGNAL_LOST, "s", 0);
    for (int i = 0; i < 9; i++) {
        snprintf(key, sizeof key, "act_%d", i);
        say(o, NOTICE_ESCALATED, key, 0);
    }
    say(o, NOTICE_STOP, "all", 0);
    uint32_t calls = 0;
    uint32_t commands = 0;
    assert_string_equal(next(o, 0, &ref), "all");
    struct outbox_ref stop = ref;
    calls++;
    while (outbox_next(o, 0, &ref)) {
        calls += ref.route == 0;
        commands += ref.route != 0;
        assert_string_not_equal(outbox_notice(o, ref)->key, "s");
    }
    assert_int_equal(calls, NOTIFY_ROUTE_CALLS_MAX);
    assert_int_equal(commands, NOTIFY_COMMANDS_MAX);
    assert_int_equal(outbox_wait_ms(o, 0), -1); /* what is due waits for one to end */
    assert_true(outbox_ended(o, stop, OUTBOX_SENT, 0, 0, 0));
    next(o, 0, &ref);
    assert_int_equal(ref.route, 0);
    outbox_free(o);
}

static void fill_queue(struct outbox *o, enum notice_kind kind, int count)
{
    char key[32];
    for (int i = 0; i < count; i++) {
        snprintf(key, sizeof key, "%s_%d", notice_kind_name(kind), i);
        assert_int_equal(say(o, kind, key, 0), OUTBOX_TAKEN);
    }
}

static void a_full_queue_drops_the_least_important(void **state)
{
    (void)state;
    struct notify_route r = route_for_all(ROUTE_WEBHOOK);
    struct outbox *o = new_outbox(&r, 1);
    struct outbox_ref ref;
    fill_queue(o, NOTICE_UNKNOWN, NOTIFY_QUEUE_MAX - 3);
    fill_queue(o, NOTICE_SIGNAL_LOST, 2);
    fill_queue(o, NOTICE_ESCALATED, 1);
    assert_int_equal(outbox_counts(o).open, NOTIFY_QUEUE_MAX);
    assert_int_equal(outbox_counts(o).dropped, 0);
    assert_int_equal(say(o, NOTICE_ESCALATED, "new", 0), OUTBOX_PUSHED);
    assert_int_equal(say(o, NOTICE_SIGNAL_LOST, "signal_lost_1", 0), OUTBOX_OPEN); /* the older went */
    assert_int_equal(say(o, NOTICE_STOP, "all", 0), OUTBOX_PUSHED);
    assert_int_equal(say(o, NOTICE_EXPIRING, "x", 0), OUTBOX_DROPPED); /* all others matter more */
    assert_int_equal(say(o, NOTICE_DISK, "disk", 0), OUTBOX_PUSHED);   /* for escalated_0 */
    assert_int_equal(say(o, NOTICE_ESCALATED, "escalated_0", 0), OUTBOX_PUSHED); /* for "new" */
    assert_int_equal(outbox_counts(o).open, NOTIFY_QUEUE_MAX);
    assert_int_equal(outbox_counts(o).dropped, 5);
    assert_string_equal(next(o, 0, &ref), "all");
    outbox_free(o);
}

static void what_was_told_goes_before_what_was_not(void **state)
{
    (void)state;
    struct notify_route r = route_for_all(ROUTE_WEBHOOK);
    struct outbox *o = new_outbox(&r, 1);
    struct outbox_ref ref;
    fill_queue(o, NOTICE_UNKNOWN, NOTIFY_QUEUE_MAX);
    next(o, 0, &ref);
    struct outbox_ref oldest = ref;
    next(o, 0, &ref);
    assert_string_equal(outbox_notice(o, ref)->key, "unknown_1");
    outbox_ended(o, ref, OUTBOX_SENT, 0, 0, 0);
    assert_int_equal(say(o, NOTICE_UNKNOWN, "one", 0), OUTBOX_PUSHED); /* for unknown_1 */
    assert_int_equal(say(o, NOTICE_UNKNOWN, "two", 0), OUTBOX_PUSHED); /* not unknown_0: under way */
    assert_string_equal(outbox_notice(o, oldest)->key, "unknown_0");
    assert_int_equal(say(o, NOTICE_UNKNOWN, "unknown_3", 0), OUTBOX_OPEN);
    assert_int_equal(say(o, NOTICE_UNKNOWN, "unknown_2", 0), OUTBOX_PUSHED);
    outbox_free(o);
}

static void a_stop_is_never_dropped_untold(void **state)
{
    (void)state;
    struct notify_route r = route_for_all(ROUTE_WEBHOOK);
    struct outbox *o = new_outbox(&r, 1);
    struct outbox_ref ref;
    fill_queue(o, NOTICE_STOP, NOTIFY_QUEUE_MAX);
    assert_int_equal(say(o, NOTICE_UNKNOWN, "act_1", 0), OUTBOX_DROPPED);
    assert_int_equal(say(o, NOTICE_STOP, "one", 0), OUTBOX_JOINED);
    assert_int_equal(say(o, NOTICE_STOP, "two", 0), OUTBOX_JOINED);
    assert_int_equal(outbox_counts(o).dropped, 1);
    for (int i = 0; i < NOTIFY_QUEUE_MAX; i++) {
        char key[32];
        snprintf(key, sizeof key, "stop_%d", i);
        assert_string_equal(next(o, 0, &ref), key);
        assert_int_equal(outbox_notice(o, ref)->more, i == NOTIFY_QUEUE_MAX - 1 ? 2 : 0);
        outbox_ended(o, ref, OUTBOX_SENT, 0, 0, 0);
    }
    assert_int_equal(say(o, NOTICE_STOP, "three", 0), OUTBOX_PUSHED); /* they were told */
    assert_string_equal(next(o, 0, &ref), "three");
    outbox_free(o);
}

/* --- messages ---------------------------------------------------------------------------------- */

static void the_published_signature_comes_out(void **state)
{
    (void)state;
    static const char want[] = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    struct webhook_secrets s;
    struct err e;
    char got[WEBHOOK_SIGNATURES_SIZE];
    assert_int_equal(webhook_secrets_read(STR(SECRET "\n"), &s, &e), RC_OK);
    webhook_sign(&s, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, STR("{\"test\": 2432232314}"), got);
    assert_string_equal(got, want);
    webhook_secrets_done(&s);
    assert_int_equal(webhook_secrets_read(STR(SECRET "\r\n\n" SECRET), &s, &e), RC_OK);
    webhook_sign(&s, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, STR("{\"test\": 2432232314}"), got);
    struct str both = str_from(got);
    assert_int_equal(both.len, 2 * strlen(want) + 1);
    assert_true(str_starts(both, str_from(want)) && str_ends(both, str_from(want)));
    webhook_secrets_done(&s);
    assert_int_equal(s.count, 0);
}

static void a_wrong_secret_is_refused_without_showing_it(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "", "\n\n", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_", "whsec_!!!!", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa==",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLQ==", /* 23 bytes once decoded, or not canonical */
        SECRET "\n" SECRET "\n" SECRET,
        "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    };
    for (size_t i = 0; i < COUNT(wrong); i++) {
        struct webhook_secrets s;
        struct err e = {0};
        if (webhook_secrets_read(str_from(wrong[i]), &s, &e) != RC_INVALID || strstr(e.text, "MfKQ") != NULL ||
            strstr(e.text, "whsec_<base64") == NULL) {
            fail_msg("%s: %s", wrong[i], e.text);
        }
    }
}

static void a_message_says_what_happened(void **state)
{
    (void)state;
    struct notify_route r = route_for_all(ROUTE_WEBHOOK);
    struct outbox *o = new_outbox(&r, 1);
    const struct str path[] = {STR("first"), STR("second")};
    struct notice n = notice(NOTICE_REVERT_FAILED, "act_1");
    n.agent = STR("bot");
    n.service = STR("web");
    n.owner = STR("team");
    n.escalation = (struct str_list){path, 2};
    n.text = STR("line\none \"two\" \x1b[31m \xff \xc3\xa9");
    outbox_say(o, &n, 0);
    struct outbox_ref ref;
    next(o, 0, &ref);
    struct buf body;
    buf_init(&body, MESSAGE_BODY_MAX);
    message_body(&body, outbox_notice(o, ref), "msg_1", 3);
    assert_str(buf_view(&body),
               "{\"type\":\"pawl.revert_failed\",\"timestamp\":\"2021-02-25T15:02:10.000Z\",\"data\":{"
               "\"id\":\"msg_1\",\"kind\":\"revert_failed\",\"key\":\"act_1\",\"agent\":\"bot\","
               "\"service\":\"web\",\"owner\":\"team\",\"escalation\":[\"first\",\"second\"],"
               "\"text\":\"line?one \\\"two\\\" ?[31m ? \xc3\xa9\",\"seq\":7,\"needs_ack\":true,"
               "\"repeat\":3,\"more\":0}}");
    buf_done(&body);
    outbox_free(o);
}

static void ids_tell_messages_apart(void **state)
{
    (void)state;
    struct outbox_notice n = {.kind = NOTICE_STOP, .key = "all", .seq = 1, .at_ms = 2};
    char first[MESSAGE_ID_SIZE];
    char other[MESSAGE_ID_SIZE];
    message_id(&n, 0, first);
    message_id(&n, 0, other);
    assert_string_equal(first, other);
    assert_int_equal(strlen(first), 4 + 32);
    message_id(&n, UINT32_MAX, other);
    assert_true(str_starts(str_from(other), str_from(first)));
    assert_string_not_equal(first, other);
    struct outbox_notice changed[4] = {n, n, n, n};
    changed[0].kind = NOTICE_DISK;
    changed[1].key[0] = 'A';
    changed[2].seq = 12;
    changed[2].at_ms = 0;
    changed[3].at_ms = 3;
    for (size_t i = 0; i < COUNT(changed); i++) {
        message_id(&changed[i], 0, other);
        assert_string_not_equal(first, other);
    }
}

static void long_texts_are_cut_between_letters(void **state)
{
    (void)state;
    struct notify_route r = route_for_all(ROUTE_WEBHOOK);
    struct outbox *o = new_outbox(&r, 1);
    static char text[NOTIFY_TEXT_MAX * 2];
    memset(text, 'a', sizeof text);
    memcpy(text + NOTIFY_TEXT_MAX - 1, "\xc3\xa9", 2);
    memcpy(text + NOTIFY_NAME_MAX - 1, "\xc3\xa9", 2);
    struct str names[NOTIFY_PATH_MAX + 1];
    for (size_t i = 0; i < COUNT(names); i++) {
        names[i] = STR("n");
    }
    struct notice n = notice(NOTICE_STOP, "k");
    n.key = n.agent = n.service = n.owner = n.text = (struct str){text, sizeof text};
    n.escalation = (struct str_list){names, COUNT(names)};
    assert_int_equal(outbox_say(o, &n, 0), OUTBOX_TAKEN);
    assert_int_equal(outbox_say(o, &n, 0), OUTBOX_OPEN);
    struct outbox_ref ref;
    next(o, 0, &ref);
    const struct outbox_notice *copy = outbox_notice(o, ref);
    assert_int_equal(strlen(copy->text), NOTIFY_TEXT_MAX - 1);
    assert_int_equal(strlen(copy->key), NOTIFY_NAME_MAX - 1);
    assert_int_equal(strlen(copy->owner), NOTIFY_NAME_MAX - 1);
    assert_int_equal(copy->path_count, NOTIFY_PATH_MAX);
    outbox_settle(o, NOTICE_STOP, n.key);
    outbox_ended(o, ref, OUTBOX_SENT, 0, 0, 0);
    assert_int_equal(outbox_counts(o).open, 0);
    outbox_free(o);
}

static void retry_after_is_honoured_up_to_a_cap(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t want_ms;
    } cases[] = {
        {"", 0},          {"0", 0},           {"7", 7000},
        {"300", 300000},  {"301", 300000},    {"18446744073709551615", 300000},
        {"-1", 0},        {"1.5", 0},         {"soon", 0},
        {"Thu, 25 Feb 2021 15:02:15 GMT", 5000},
        {"Thu, 25 Feb 2021 15:02:05 GMT", 0},
        {"Fri, 26 Feb 2021 15:02:10 GMT", 300000},
        {"Thu, 25 Feb 2021 15:02:15 GMT and more", 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(message_retry_after_ms(str_from(cases[i].text), some_time), cases[i].want_ms);
    }
}

/* --- both ways out, for real -------------------------------------------------------------------- */

enum { REQUESTS_MAX = 16, REQUEST_MAX = 8192 };

/* Answers the n-th request with the n-th answer, the last one from then on. */
struct peer {
    int listener;
    uint16_t port;
    const char *const *answers;
    size_t answer_count;
    char requests[REQUESTS_MAX][REQUEST_MAX];
    size_t count;
    pthread_t thread;
};

static void *serve(void *context)
{
    struct peer *p = context;
    int fd;
    while ((fd = accept(p->listener, NULL, NULL)) >= 0) {
        must(p->count < REQUESTS_MAX);
        peer_limit(fd);
        (void)peer_read(fd, p->requests[p->count], REQUEST_MAX, "}}", 1);
        size_t at = p->count < p->answer_count ? p->count : p->answer_count - 1;
        p->count++;
        (void)peer_send(fd, str_from(p->answers[at]));
        close(fd);
    }
    return NULL;
}

static struct peer *peer_start(const char *const *answers, size_t count)
{
    struct peer *p = calloc(1, sizeof *p);
    assert_non_null(p);
    p->answers = answers;
    p->answer_count = count;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof at;
    p->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(p->listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(p->listener, 64), 0);
    assert_int_equal(getsockname(p->listener, (struct sockaddr *)&at, &size), 0);
    p->port = ntohs(at.sin_port);
    assert_int_equal(pthread_create(&p->thread, NULL, serve, p), 0);
    return p;
}

/* After it p's requests may be read. */
static void peer_join(struct peer *p)
{
    shutdown(p->listener, SHUT_RDWR);
    assert_int_equal(pthread_join(p->thread, NULL), 0);
    close(p->listener);
}

struct bench {
    struct loop *loop;
    struct http_client *http;
    struct loop_timer *poll;
    struct notifier *notifier;
    struct log log;
    struct notify_route route;
    struct str argv[4];
    uint64_t until_sent; /* the loop ends when so many were sent or given up */
    uint64_t until_failed;
    int64_t give_up_ms;
    char folder[64];
    char secret[128];
    char out[128];
    char log_file[128];
    char url[128];
    char said[8192];
};

static int64_t wall(void *context)
{
    (void)context;
    return some_time;
}

/* Not 0: every reading takes a millisecond, and nothing else does. */
static int64_t creeping_ms;

static int64_t elapsed(void *context)
{
    (void)context;
    return creeping_ms != 0 ? creeping_ms++ : clock_boot_ms();
}

static void poll_counts(void *context)
{
    struct bench *b = context;
    struct notify_counts c = notifier_counts(b->notifier);
    assert_true(clock_boot_ms() < b->give_up_ms); /* the test hangs */
    if (c.sent >= b->until_sent && c.failed >= b->until_failed) {
        loop_stop(b->loop);
    } else {
        loop_timer_set(b->poll, 2);
    }
}

static void write_file(const char *path, const char *text, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static void bench_init(struct bench *b, enum notify_route_type type)
{
    *b = (struct bench){.folder = "/tmp/pawl-notify.XXXXXX", .route = route_for_all(type)};
    assert_non_null(mkdtemp(b->folder));
    snprintf(b->secret, sizeof b->secret, "%s/secret", b->folder);
    snprintf(b->out, sizeof b->out, "%s/out", b->folder);
    snprintf(b->log_file, sizeof b->log_file, "%s/log", b->folder);
    write_file(b->secret, SECRET "\n", 0600);
    b->route.secret_file = str_from(b->secret);
    int fd = open(b->log_file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    log_init(&b->log, fd, LOG_LEVEL_INFO);
    assert_int_equal(loop_new(&b->loop, NULL), RC_OK);
    assert_int_equal(http_client_new(b->loop, &b->http, NULL), RC_OK);
    assert_int_equal(loop_timer_new(b->loop, poll_counts, b, &b->poll, NULL), RC_OK);
}

static enum rc try_notifier(struct bench *b, struct err *e)
{
    struct notifier_options options = {.loop = b->loop,
                                       .http = b->http,
                                       .log = &b->log,
                                       .routes = {&b->route, 1},
                                       .wall_ms = wall,
                                       .elapsed_ms = elapsed,
                                       .retry_ms = 1};
    *e = (struct err){0};
    return notifier_new(&options, &b->notifier, e);
}

static void start_notifier(struct bench *b)
{
    struct err e;
    if (try_notifier(b, &e) != RC_OK) {
        fail_msg("%s", e.text);
    }
}

static void to_peer(struct bench *b, const struct peer *p)
{
    snprintf(b->url, sizeof b->url, "http://127.0.0.1:%u/hook?key=hidden", p->port);
    b->route.url = str_from(b->url);
    start_notifier(b);
}

static void to_shell(struct bench *b, const char *text)
{
    b->argv[0] = STR("/bin/sh");
    b->argv[1] = STR("-c");
    b->argv[2] = str_from(text);
    b->argv[3] = str_from(b->out);
    b->route.command = (struct str_list){b->argv, 4};
    start_notifier(b);
}

static void run_until(struct bench *b, uint64_t sent, uint64_t failed)
{
    b->until_sent = sent;
    b->until_failed = failed;
    b->give_up_ms = clock_boot_ms() + PEER_WAIT_S * 1000;
    loop_timer_set(b->poll, 0);
    loop_run(b->loop);
}

static const char *read_file(struct bench *b, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    ssize_t n = read(fd, b->said, sizeof b->said - 1);
    assert_true(n >= 0);
    close(fd);
    b->said[n] = '\0';
    return b->said;
}

static void bench_done(struct bench *b)
{
    notifier_free(b->notifier);
    loop_timer_free(b->poll);
    http_client_free(b->http);
    loop_free(b->loop);
    close(b->log.fd);
    unlink(b->secret);
    unlink(b->out);
    unlink(b->log_file);
    assert_int_equal(rmdir(b->folder), 0);
}

#define OK "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"
#define BUSY "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"

static void header_of(const char *request, const char *name, char *out, size_t size)
{
    const char *at = strstr(request, name);
    assert_non_null(at);
    at += strlen(name);
    size_t len = strcspn(at, "\r");
    assert_true(len < size);
    memcpy(out, at, len);
    out[len] = '\0';
}

static void check_signature(const char *request)
{
    char id[128];
    char at[64];
    char signature[WEBHOOK_SIGNATURES_SIZE];
    char want[WEBHOOK_SIGNATURES_SIZE];
    header_of(request, "webhook-id: ", id, sizeof id);
    header_of(request, "webhook-timestamp: ", at, sizeof at);
    header_of(request, "webhook-signature: ", signature, sizeof signature);
    assert_string_equal(at, "1614265330");
    const char *body = strstr(request, "\r\n\r\n");
    assert_non_null(body);
    struct webhook_secrets s;
    assert_int_equal(webhook_secrets_read(STR(SECRET), &s, NULL), RC_OK);
    webhook_sign(&s, id, 1614265330, str_from(body + 4), want);
    assert_string_equal(signature, want);
    webhook_secrets_done(&s);
}

static void a_webhook_is_signed_and_tried_again_under_one_id(void **state)
{
    (void)state;
    static const char *const answers[] = {
        BUSY, "HTTP/1.1 429 Slow\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n",
        "" /* closed without an answer */, OK};
    struct bench b;
    bench_init(&b, ROUTE_WEBHOOK);
    struct peer *p = peer_start(answers, COUNT(answers));
    to_peer(&b, p);
    struct notice n = notice(NOTICE_ESCALATED, "act_12");
    notifier_say(b.notifier, &n);
    run_until(&b, 1, 0);
    peer_join(p);
    assert_int_equal(p->count, 4);
    char first[128];
    char id[128];
    header_of(p->requests[0], "webhook-id: ", first, sizeof first);
    for (size_t i = 0; i < p->count; i++) {
        assert_true(str_starts(str_from(p->requests[i]), STR("POST /hook?key=hidden HTTP/1.1\r\n")));
        assert_non_null(strstr(p->requests[i], "content-type: application/json\r\n"));
        assert_non_null(strstr(p->requests[i], "\r\n\r\n{\"type\":\"pawl.escalated\","));
        header_of(p->requests[i], "webhook-id: ", id, sizeof id);
        assert_string_equal(id, first);
        check_signature(p->requests[i]);
    }
    assert_int_equal(notifier_counts(b.notifier).failed, 0);
    assert_string_equal(read_file(&b, b.log_file), "");
    free(p);
    bench_done(&b);
}

static void a_webhook_is_repeated_under_new_ids(void **state)
{
    (void)state;
    static const char *const answers[] = {OK};
    struct bench b;
    bench_init(&b, ROUTE_WEBHOOK);
    b.route.repeat_ms = 15;
    struct peer *p = peer_start(answers, COUNT(answers));
    to_peer(&b, p);
    struct notice n = notice(NOTICE_UNKNOWN, "act_12");
    notifier_say(b.notifier, &n);
    run_until(&b, 3, 0);
    notifier_settle(b.notifier, NOTICE_UNKNOWN, STR("act_12"));
    struct notice last = notice(NOTICE_CLOCK, "clock");
    last.needs_ack = false;
    notifier_say(b.notifier, &last);
    run_until(&b, notifier_counts(b.notifier).sent + 1, 0);
    assert_int_equal(notifier_counts(b.notifier).open, 0);
    peer_join(p);
    char first[128];
    char second[128];
    header_of(p->requests[0], "webhook-id: ", first, sizeof first);
    header_of(p->requests[1], "webhook-id: ", second, sizeof second);
    assert_string_not_equal(first, second);
    assert_true(str_starts(str_from(second), str_from(first)));
    assert_non_null(strstr(p->requests[1], "\"repeat\":1,"));
    assert_non_null(strstr(p->requests[p->count - 1], "pawl.clock"));
    free(p);
    bench_done(&b);
}

static const struct {
    const char *answer;
    size_t requests; /* for two notices */
    const char *says;
} refusals[] = {
    {BUSY, 2 * NOTIFY_TRIES, "the receiver answered 503"},
    {"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", 2, "the receiver answered 404"},
    {"HTTP/1.1 302 No\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", 2, "the receiver answered 302"},
    {"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n", 1, "its route is off until restart"},
    {"nonsense\r\n\r\n", 2 * NOTIFY_TRIES, "answer is not HTTP"},
};

static void a_webhook_is_given_up_with_a_line_in_the_log(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refusals); i++) {
        struct bench b;
        bench_init(&b, ROUTE_WEBHOOK);
        struct peer *p = peer_start(&refusals[i].answer, 1);
        to_peer(&b, p);
        struct notice n = notice(NOTICE_BREAKER, "bot");
        notifier_say(b.notifier, &n);
        run_until(&b, 0, 1);
        n.key = STR("other");
        notifier_say(b.notifier, &n);
        bool gone = notifier_counts(b.notifier).gone == 1;
        run_until(&b, 0, gone ? 1 : 2);
        peer_join(p);
        assert_int_equal(p->count, refusals[i].requests);
        assert_int_equal(gone, refusals[i].requests == 1);
        assert_int_equal(notifier_counts(b.notifier).unrouted, gone);
        assert_int_equal(notifier_counts(b.notifier).sent, 0);
        const char *log = read_file(&b, b.log_file);
        if (strstr(log, refusals[i].says) == NULL || strstr(log, "hidden") != NULL ||
            strstr(log, "\"route\":\"all\",\"kind\":\"breaker\",\"key\":\"bot\"") == NULL) {
            fail_msg("%zu: %s", i, log);
        }
        free(p);
        bench_done(&b);
    }
}

static void what_is_under_way_ends_with_the_notifier(void **state)
{
    (void)state;
    static const char *const answers[] = {OK};
    struct bench b;
    bench_init(&b, ROUTE_WEBHOOK);
    struct peer *p = peer_start(answers, COUNT(answers));
    to_peer(&b, p);
    for (int i = 0; i < 3; i++) {
        char key[16];
        snprintf(key, sizeof key, "act_%d", i);
        struct notice n = notice(NOTICE_UNKNOWN, key);
        notifier_say(b.notifier, &n);
    }
    run_until(&b, 0, 0); /* one round */
    assert_int_equal(notifier_counts(b.notifier).open, 3);
    bench_done(&b);
    peer_join(p);
    free(p);
}

static void a_command_gets_argv_environment_and_input(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b, ROUTE_COMMAND);
    to_shell(&b, "exec >\"$0\"; echo $#; cat; echo; env | grep -v ^PWD= | grep -v ^_= | grep -v ^SHLVL= | sort");
    const struct str path[] = {STR("one"), STR("two")};
    struct notice n = notice(NOTICE_STOP, "all");
    n.agent = STR("bot; rm -rf $HOME");
    n.escalation = (struct str_list){path, 2};
    notifier_say(b.notifier, &n);
    run_until(&b, 1, 0);
    struct outbox_notice same = {.kind = NOTICE_STOP, .key = "all", .seq = 7, .at_ms = some_time};
    char id[MESSAGE_ID_SIZE];
    char want[4096];
    message_id(&same, 0, id);
    snprintf(want, sizeof want,
             "0\n{\"type\":\"pawl.stop\",\"timestamp\":\"2021-02-25T15:02:10.000Z\",\"data\":{\"id\":\"%s\","
             "\"kind\":\"stop\",\"key\":\"all\",\"agent\":\"bot; rm -rf $HOME\",\"service\":\"\",\"owner\":\"\","
             "\"escalation\":[\"one\",\"two\"],\"text\":\"something happened\",\"seq\":7,\"needs_ack\":true,"
             "\"repeat\":0,\"more\":0}}\nLANG=C.UTF-8\n"
             "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
             "PAWL_NOTICE_AGENT=bot; rm -rf $HOME\nPAWL_NOTICE_AT=2021-02-25T15:02:10.000Z\n"
             "PAWL_NOTICE_ESCALATION=one,two\nPAWL_NOTICE_ID=%s\nPAWL_NOTICE_KEY=all\n"
             "PAWL_NOTICE_KIND=stop\nPAWL_NOTICE_OWNER=\nPAWL_NOTICE_REPEAT=0\nPAWL_NOTICE_SEQ=7\n"
             "PAWL_NOTICE_SERVICE=\nPAWL_NOTICE_TEXT=something happened\n",
             id, id);
    assert_string_equal(read_file(&b, b.out), want);
    bench_done(&b);
}

static void a_command_that_fails_or_hangs_is_tried_again(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t sent;
        size_t runs;
        const char *says;
    } cases[] = {
        {"echo >>\"$0\"; [ $(wc -l <\"$0\") = 3 ]", 1, 3, ""},
        {"echo >>\"$0\"; exit 7", 0, NOTIFY_TRIES, "the command exited with 7"},
        {"echo >>\"$0\"; kill -TERM $$", 0, NOTIFY_TRIES, "the command ended by signal 15"},
        {"echo >>\"$0\"; [ $(wc -l <\"$0\") -ge 2 ] || sleep 1000", 1, 2, ""},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct bench b;
        bench_init(&b, ROUTE_COMMAND);
        bool hangs = strstr(cases[i].text, "sleep") != NULL;
        b.route.timeout_ms = hangs ? 400 : 5000;
        to_shell(&b, cases[i].text);
        struct notice n = notice(NOTICE_DISK, "disk");
        notifier_say(b.notifier, &n);
        run_until(&b, cases[i].sent, 1 - cases[i].sent);
        /* On a busy machine the time of a second run may be over as well. */
        size_t runs = strlen(read_file(&b, b.out));
        assert_in_range(runs, cases[i].runs, hangs ? NOTIFY_TRIES : cases[i].runs);
        const char *log = read_file(&b, b.log_file);
        assert_non_null(strstr(log, cases[i].says));
        assert_int_equal(log[0] == '\0', cases[i].sent == 1);
        bench_done(&b);
    }
}

/* What falls due while it is looked for what is due is not left behind. */
static void no_try_falls_between_two_moments(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b, ROUTE_COMMAND);
    creeping_ms = 1000;
    to_shell(&b, "echo >>\"$0\"; exit 7");
    struct notice n = notice(NOTICE_DISK, "disk");
    notifier_say(b.notifier, &n);
    run_until(&b, 0, 1);
    creeping_ms = 0;
    assert_int_equal(strlen(read_file(&b, b.out)), NOTIFY_TRIES);
    bench_done(&b);
}

static void a_running_command_is_killed_with_the_notifier(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b, ROUTE_COMMAND);
    to_shell(&b, "sleep 1000");
    struct notice n = notice(NOTICE_DISK, "disk");
    notifier_say(b.notifier, &n);
    b.until_failed = 0;
    run_until(&b, 0, 0);
    notifier_settle(b.notifier, NOTICE_DISK, STR("disk"));
    bench_done(&b); /* returns at once, and leaves nothing behind for the sanitizer */
}

static void secrets_and_programs_are_checked_at_start(void **state)
{
    (void)state;
    static const struct {
        const char *secret; /* null: none */
        mode_t mode;
        enum rc rc;
        const char *says;
    } secrets[] = {
        {NULL, 0600, RC_NOT_FOUND, "notify route all: "},
        {SECRET, 0640, RC_DENIED, "mode 0640 lets others in"},
        {"nothing", 0600, RC_INVALID, "/secret: expected one or two lines whsec_"},
        {"", 0600, RC_INVALID, "holds no secret"},
    };
    static const struct {
        const char *program;
        mode_t mode;
        enum rc rc;
        const char *says;
    } programs[] = {
        {"/nonexistent", 0, RC_NOT_FOUND, "notify route all: /nonexistent: No such file"},
        {"/tmp", 0, RC_INVALID, "is no program that we may run"},
        {NULL, 0600, RC_INVALID, "is no program that we may run"},
        {NULL, 0720, RC_DENIED, "group or others may write it"},
        {NULL, 0700, RC_OK, ""},
    };
    struct err e;
    struct bench b;
    bench_init(&b, ROUTE_WEBHOOK);
    for (size_t i = 0; i < COUNT(secrets); i++) {
        unlink(b.secret);
        if (secrets[i].secret != NULL) {
            write_file(b.secret, secrets[i].secret, secrets[i].mode);
        }
        assert_int_equal(try_notifier(&b, &e), secrets[i].rc);
        assert_non_null(strstr(e.text, secrets[i].says));
    }
    b.route.type = ROUTE_COMMAND;
    for (size_t i = 0; i < COUNT(programs); i++) {
        write_file(b.out, "#!/bin/sh\n", programs[i].mode);
        b.argv[0] = str_from(programs[i].program != NULL ? programs[i].program : b.out);
        b.route.command = (struct str_list){b.argv, 1};
        assert_int_equal(try_notifier(&b, &e), programs[i].rc);
        assert_non_null(strstr(e.text, programs[i].says));
    }
    bench_done(&b);
    notifier_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(routes_are_read),
        cmocka_unit_test(every_mistake_is_named),
        cmocka_unit_test(a_mistake_without_a_file_has_a_pointer),
        cmocka_unit_test(configured_limits_hold),
        cmocka_unit_test(a_route_takes_what_it_names),
        cmocka_unit_test(backoff_stays_within_its_bounds),
        cmocka_unit_test(a_message_is_tried_so_often),
        cmocka_unit_test(a_receiver_may_ask_for_more_time),
        cmocka_unit_test(it_is_repeated_until_settled),
        cmocka_unit_test(what_is_settled_under_way_is_not_tried_again),
        cmocka_unit_test(what_needs_no_answer_is_over_when_told),
        cmocka_unit_test(what_no_route_takes_is_counted),
        cmocka_unit_test(a_gone_route_gets_nothing_more),
        cmocka_unit_test(the_most_important_goes_first_and_few_at_once),
        cmocka_unit_test(a_full_queue_drops_the_least_important),
        cmocka_unit_test(what_was_told_goes_before_what_was_not),
        cmocka_unit_test(a_stop_is_never_dropped_untold),
        cmocka_unit_test(the_published_signature_comes_out),
        cmocka_unit_test(a_wrong_secret_is_refused_without_showing_it),
        cmocka_unit_test(a_message_says_what_happened),
        cmocka_unit_test(ids_tell_messages_apart),
        cmocka_unit_test(long_texts_are_cut_between_letters),
        cmocka_unit_test(retry_after_is_honoured_up_to_a_cap),
        cmocka_unit_test(a_webhook_is_signed_and_tried_again_under_one_id),
        cmocka_unit_test(a_webhook_is_repeated_under_new_ids),
        cmocka_unit_test(a_webhook_is_given_up_with_a_line_in_the_log),
        cmocka_unit_test(what_is_under_way_ends_with_the_notifier),
        cmocka_unit_test(a_command_gets_argv_environment_and_input),
        cmocka_unit_test(a_command_that_fails_or_hangs_is_tried_again),
        cmocka_unit_test(no_try_falls_between_two_moments),
        cmocka_unit_test(a_running_command_is_killed_with_the_notifier),
        cmocka_unit_test(secrets_and_programs_are_checked_at_start),
    };
    return cmocka_run_group_tests_name("notify", tests, NULL, NULL);
}
