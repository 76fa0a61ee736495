/* server: the configuration file and OpenSLO beside it. Every mistake is named with its place. */
#include "server/config.h"
#include "server/openslo.h"
#include "value/json.h"

#include "check.h"

#include <sys/stat.h>
#include <unistd.h>

struct folder {
    char path[64];
    char file[128];
    char slo[128];
};

static int make_folder(void **state)
{
    static struct folder f;
    snprintf(f.path, sizeof f.path, "/tmp/pawl-config.XXXXXX");
    assert_non_null(mkdtemp(f.path));
    snprintf(f.file, sizeof f.file, "%s/pawl.yaml", f.path);
    snprintf(f.slo, sizeof f.slo, "%s/slo.yaml", f.path);
    *state = &f;
    return 0;
}

static int drop_folder(void **state)
{
    const struct folder *f = *state;
    unlink(f->file);
    unlink(f->slo);
    return rmdir(f->path);
}

static void write_text(const char *path, const char *text)
{
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(text, 1, strlen(text), out), strlen(text));
    fclose(out);
    assert_int_equal(chmod(path, 0600), 0);
}

static const struct {
    const char *text;
    const char *where; /* behind the file's name */
    const char *says;
} mistakes[] = {
    {"nonsense: 1\n", ":1:", "expected server or policy"},
    {"server:\n  listen: localhost\n", ":2:", "numeric address"},
    {"server:\n  listen: 0.0.0.0:7411\n", ":2:", "beyond loopback only with tls"},
    {"server:\n  tls: {cert: a}\n", ":2:", "key is required"},
    {"server:\n  rate_per_s: 0\n", ":2:", "expected 1 to"},
    {"server:\n  prometheus: {interval: 5s}\n", ":2:", "url is required"},
    {"server:\n  notify: {name: x}\n", ":2:", "expected a list of routes"},
    {"server:\n  notify:\n    - {name: x, on: [stop], command: [page]}\n", ":3:", "expected an absolute path"},
    {"policy:\n  mode: sometimes\n", ":2:", "enforce, advisory"},
    {"policy:\n  checks:\n    error_budget: {min_pct: 200}\n", ":3:", "expected -1000 to 100"},
    {"policy:\n  checks:\n    stop: {mode: \"off\"}\n", ":3:", "no mode and no thresholds"},
    {"policy:\n  checks:\n    aqdd: {on_unknown: allow}\n", ":3:", "deny, escalate, hold"},
    {"policy:\n  tools:\n    - {name: t, class: sharp}\n", ":3:", "read, write, destructive"},
    {"policy:\n  tools:\n    - {name: t, class: read, parameters: {type: object, patternProperties: {}}}\n", ":3:",
     "patternProperties"},
    {"policy:\n  services:\n    - {name: s, slo: {objective: 100, events: true}}\n", ":3:", "objective"},
    {"policy:\n  agents:\n    - {name: a}\n", ":3:", "owner is required"},
    {"policy: [\n", ":2:", ""},
    {"policy:\n  agents: []\n  agents: []\n", ":3:", ""},
};

static void every_mistake_has_its_place(void **state)
{
    const struct folder *f = *state;
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        write_text(f->file, mistakes[i].text);
        struct config c;
        struct err e = {0};
        enum rc rc = config_load(f->file, &c, &e);
        bool placed = strncmp(e.where, f->file, strlen(f->file)) == 0 &&
                      strncmp(e.where + strlen(f->file), mistakes[i].where, strlen(mistakes[i].where)) == 0;
        if (rc != RC_INVALID || !placed || strstr(e.text, mistakes[i].says) == NULL) {
            print_error("mistake %zu: rc %s, %s: %s\n", i, rc_name(rc), e.where, e.text);
        }
        assert_int_equal(rc, RC_INVALID);
        assert_true(placed);
        assert_non_null(strstr(e.text, mistakes[i].says));
    }
}

static void others_must_not_write_it(void **state)
{
    const struct folder *f = *state;
    struct config c;
    struct err e = {0};
    write_text(f->file, "policy: {}\n");
    assert_int_equal(chmod(f->file, 0620), 0);
    assert_int_equal(config_load(f->file, &c, &e), RC_DENIED);
    assert_non_null(strstr(e.text, "chmod go-w"));
    assert_int_equal(unlink(f->file), 0);
    assert_int_equal(config_load(f->file, &c, &e), RC_NOT_FOUND);
    write_text(f->file, "");
    assert_int_equal(config_load(f->file, &c, &e), RC_OK);
    assert_str(c.server.listen, "127.0.0.1:7411");
    assert_int_equal(c.policy->tool_count, 0);
    config_done(&c);
}

static void listen_addresses(void **state)
{
    (void)state;
    char host[64];
    uint16_t port;
    assert_true(listen_parse(STR("127.0.0.1:0"), host, &port) && port == 0);
    assert_true(listen_parse(STR("[::1]:65535"), host, &port) && port == 65535);
    assert_string_equal(host, "::1");
    assert_true(host_is_loopback("127.9.9.9") && host_is_loopback("::1"));
    assert_false(host_is_loopback("128.0.0.1") || host_is_loopback("::") || host_is_loopback("0.0.0.0"));
    static const char *const bad[] = {"", ":", "127.0.0.1", "127.0.0.1:65536", "host:80", "127.0.0.1:x", "::1:80:"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(listen_parse(str_from(bad[i]), host, &port));
    }
}

#define SLI_HEAD "apiVersion: openslo/v1\nkind: SLI\nmetadata: {name: shop-ok}\nspec:\n  ratioMetric:\n"
#define QUERY(q) "{metricSource: {type: Prometheus, spec: {query: \"" q "\"}}}\n"
#define SLO_BODY                                                                                                       \
    "apiVersion: openslo/v1\nkind: SLO\nmetadata: {name: shop}\nspec:\n  service: shop\n  indicatorRef: shop-ok\n"     \
    "  timeWindow: [{duration: 28d, isRolling: true}]\n  budgetingMethod: Occurrences\n"                               \
    "  objectives: [{target: 0.999}]\n"

static enum rc merge(const char *text, char *out, size_t size, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(16 << 20);
    struct value policy = value_object();
    enum rc rc = openslo_merge(a, STR("slo.yaml"), str_from(text), &policy, e);
    struct buf b;
    buf_init(&b, size - 1);
    json_write_canonical(&b, &policy, a);
    snprintf(out, size, "%.*s", STR_ARG(buf_view(&b)));
    buf_done(&b);
    return rc;
}

static void openslo_becomes_an_slo(void **state)
{
    (void)state;
    char out[2048];
    struct err e = {0};
    assert_int_equal(merge(SLI_HEAD "    good: " QUERY("good_q") "    total: " QUERY("total_q") "---\n" SLO_BODY, out,
                           sizeof out, &e),
                     RC_OK);
    assert_string_equal(out, "{\"services\":[{\"name\":\"shop\",\"slo\":{\"objective\":99.9,\"prometheus\":"
                             "{\"good\":\"good_q\",\"total\":\"total_q\"},\"window\":\"28d\"}}]}");
    assert_int_equal(merge(SLI_HEAD "    bad: " QUERY("b") "    total: " QUERY("t") "---\n" SLO_BODY, out, sizeof out, &e),
                     RC_OK);
    assert_non_null(strstr(out, "\"good\":\"(t) - (b)\""));
    assert_int_equal(merge(SLI_HEAD "    rawType: failure\n    raw: " QUERY("r") "---\n" SLO_BODY, out, sizeof out, &e),
                     RC_OK);
    assert_non_null(strstr(out, "\"ratio\":\"1 - (r)\""));
}

static void openslo_that_is_not_understood_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *where;
        const char *says;
    } rows[] = {
        {SLO_BODY, "slo.yaml:1:", "indicator is missing"},
        {"apiVersion: v1\nkind: SLO\n", "slo.yaml:1:", "openslo/v1"},
        {"apiVersion: openslo/v1\nkind: Potato\n", "slo.yaml:1:", "unknown kind"},
        {"apiVersion: openslo/v1\nkind: Service\n---\napiVersion: openslo/v1\nkind: Potato\n", "slo.yaml:4:", "unknown kind"},
        {SLI_HEAD "    good: {metricSource: {type: Datadog}}\n    total: " QUERY("t") "---\n" SLO_BODY, "slo.yaml:6:",
         "Prometheus"},
        {"apiVersion: openslo/v1\nkind: SLO\nspec:\n  budgetingMethod: Timeslices\n", "slo.yaml:4:", "Occurrences"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char out[2048];
        struct err e = {0};
        enum rc rc = merge(rows[i].text, out, sizeof out, &e);
        if (rc != RC_INVALID || strstr(e.text, rows[i].says) == NULL ||
            strncmp(e.where, rows[i].where, strlen(rows[i].where)) != 0) {
            print_error("row %zu: %s %s: %s\n", i, rc_name(rc), e.where, e.text);
        }
        assert_int_equal(rc, RC_INVALID);
        assert_non_null(strstr(e.text, rows[i].says));
        assert_int_equal(strncmp(e.where, rows[i].where, strlen(rows[i].where)), 0);
    }
}

static void openslo_beside_the_file(void **state)
{
    const struct folder *f = *state;
    char text[1024];
    snprintf(text, sizeof text, "server:\n  openslo: [\"%s\"]\npolicy:\n  services: [{name: shop, owner: x}]\n", f->slo);
    write_text(f->file, text);
    write_text(f->slo, SLI_HEAD "    good: " QUERY("g") "    total: " QUERY("t") "---\n" SLO_BODY);
    struct config c;
    struct err e = {0};
    enum rc rc = config_load(f->file, &c, &e);
    if (rc != RC_OK) {
        print_error("%s: %s\n", e.where, e.text);
    }
    assert_int_equal(rc, RC_OK);
    assert_int_equal(c.policy->service_count, 1);
    assert_true(c.policy->services[0].has_slo);
    assert_int_equal(c.policy->services[0].slo.objective_ppm, 999000);
    config_done(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_mistake_has_its_place, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(others_must_not_write_it, make_folder, drop_folder),
        cmocka_unit_test(listen_addresses),
        cmocka_unit_test(openslo_becomes_an_slo),
        cmocka_unit_test(openslo_that_is_not_understood_is_refused),
        cmocka_unit_test_setup_teardown(openslo_beside_the_file, make_folder, drop_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
