/* import: what manifests, compose files and metrics say of the graph; what they get wrong; every limit. */
#include "check.h"

#include "import/compose.h"
#include "import/hosts.h"
#include "import/image.h"
#include "import/kubernetes.h"
#include "import/service_metrics.h"
#include "value/json.h"
#include "value/yaml.h"

enum { MEMORY_MAX = 512 << 20 };

typedef enum rc (*import_fn)(const struct documents *d, struct found *f, struct err *e);

struct imported {
    struct arena *a;
    struct found found;
    struct err e;
    enum rc rc;
};

static void begin(struct imported *i)
{
    i->a = arena_new(MEMORY_MAX);
    assert_non_null(i->a);
    i->e = (struct err){.rc = RC_OK};
    found_init(&i->found, i->a);
}

static void end(struct imported *i)
{
    found_done(&i->found);
    arena_free(i->a);
}

static struct imported import(import_fn fn, struct str text)
{
    struct imported i;
    struct documents d = {.count = 0};
    begin(&i);
    i.rc = documents_read(&d, i.a, STR("f.yaml"), text, &i.e);
    i.rc = i.rc == RC_OK ? fn(&d, &i.found, &i.e) : i.rc;
    return i;
}

static struct imported metrics(const char *text)
{
    struct imported i;
    begin(&i);
    i.rc = import_service_metrics(STR("f.prom"), str_from(text), &i.found, &i.e);
    return i;
}

/* "kind:name {attributes}" and "from kind to [effect]", a line each. */
static struct str drawn(const struct imported *i, bool attributes)
{
    struct buf out;
    buf_init(&out, MEMORY_MAX);
    for (uint32_t n = 0; n < i->found.node_count; n++) {
        const struct found_node *x = &i->found.nodes[n];
        buf_printf(&out, "%.*s", STR_ARG(x->key));
        if (attributes && x->attributes.count > 0) {
            buf_char(&out, ' ');
            json_write(&out, &x->attributes);
        }
        buf_char(&out, '\n');
    }
    for (uint32_t n = 0; n < i->found.edge_count; n++) {
        const struct found_edge *x = &i->found.edges[n];
        buf_printf(&out, "%.*s %s %.*s", STR_ARG(i->found.nodes[x->from].key), edge_kind_name(x->kind),
                   STR_ARG(i->found.nodes[x->to].key));
        if (x->effect_bp > 0) {
            buf_printf(&out, " %u", x->effect_bp);
        }
        buf_char(&out, '\n');
    }
    struct str s = arena_str(i->a, buf_view(&out));
    buf_done(&out);
    return s;
}

static void check_ok(const struct imported *i)
{
    if (i->rc != RC_OK) {
        fail_msg("%s: %s", i->e.where, i->e.text);
    }
}

static void says(import_fn fn, const char *text, const char *want)
{
    struct imported i = import(fn, str_from(text));
    check_ok(&i);
    assert_str(drawn(&i, false), want);
    end(&i);
}

/* --- words -------------------------------------------------------------------------------------------------------- */

static void collect(void *context, struct str host)
{
    struct buf *b = context;
    buf_printf(b, "%s%.*s", b->len > 0 ? " " : "", STR_ARG(host));
}

static void hosts_stand_where_addresses_stand(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        const char *text;
        const char *hosts;
    } rows[] = {
        {"", "http://cart", "cart"},
        {"", "http://cart/v1/items?x=http", "cart"},
        {"", "https://cart:8443", "cart"},
        {"", "postgres://orders:secret@orders-db:5432/orders?sslmode=off", "orders-db"},
        {"", "postgres://orders:5432@orders-db/orders", "orders-db"},
        {"", "jdbc:mysql://a:3306,b:3306/x", "a b"},
        {"", "app:pw@tcp(orders-db:3306)/orders", "orders-db"},
        {"", "cart:80", "cart"},
        {"", "cart:8", ""},
        {"", "cart:123456", ""},
        {"", "cart:8080x", ""},
        {"IMAGE", "registry/cart:1.2", ""},
        {"", "a.shop.svc.cluster.local.", "a.shop.svc.cluster.local"},
        {"", "cart", ""},
        {"DB_HOST", "orders-db", "orders-db"},
        {"db.host", " orders-db ", "orders-db"},
        {"HOSTNAME", "cart", "cart"},
        {"SERVER_NAME", "cart", ""},
        {"OTEL_SERVICE_NAME", "cart", ""},
        {"BROKERS", "a,b, c", "a b c"},
        {"BROKERS", "a b", "a"},
        {"", "host: cart\nname: web\n", "cart"},
        {"", "--db-host=cart --mode=web", "cart"},
        {"", "{\"endpoint\": \"cart\", \"name\": \"web\"}", "cart"},
        {"URL", "$(HOST):80", ""},
        {"PATH", "/usr/cart/bin", ""},
        {"ADDR", "cart:${CART_PORT}", "cart"},
        {"", "${CART_HOST:-cart}", "cart"},
        {"HOST", "--", ""},
        {"", "", ""},
        {"", ":", ""},
        {"", "//", ""},
        {"HOST", "...", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf b;
        buf_init(&b, 4096);
        hosts_in(str_from(rows[i].key), str_from(rows[i].text), collect, &b);
        if (!str_eq(buf_view(&b), str_from(rows[i].hosts))) {
            fail_msg("%s=%s: got \"%.*s\", want \"%s\"", rows[i].key, rows[i].text, STR_ARG(buf_view(&b)), rows[i].hosts);
        }
        buf_done(&b);
    }
}

static void a_host_has_its_length(void **state)
{
    (void)state;
    char text[HOST_MAX + 8];
    struct buf b;
    for (size_t len = HOST_MAX; len <= HOST_MAX + 1; len++) {
        memset(text, 'a', len);
        memcpy(text + len, ":80", 4);
        buf_init(&b, 4096);
        hosts_in(STR(""), str_from(text), collect, &b);
        assert_int_equal(b.len, len == HOST_MAX ? HOST_MAX : 0);
        buf_done(&b);
    }
}

static void images_are_products_or_not(void **state)
{
    (void)state;
    static const struct {
        const char *image;
        enum node_kind kind;
        const char *engine;
    } rows[] = {
        {"postgres", NODE_DATASTORE, "postgres"},
        {"docker.io/bitnami/postgresql-repmgr:16.1", NODE_DATASTORE, "postgres"},
        {"localhost:5000/redis@sha256:00", NODE_DATASTORE, "redis"},
        {"redis:7-alpine", NODE_DATASTORE, "redis"},
        {"confluentinc/cp-kafka:7.5.0", NODE_QUEUE, "kafka"},
        {"rabbitmq:3-management", NODE_QUEUE, "rabbitmq"},
        {"mongo-express", NODE_SERVICE, ""},
        {"postgres-exporter", NODE_SERVICE, ""},
        {"provectus/kafka-ui", NODE_SERVICE, ""},
        {"shop/cart", NODE_SERVICE, ""},
        {"server", NODE_SERVICE, ""},
        {"", NODE_SERVICE, ""},
        {":::", NODE_SERVICE, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct str engine;
        if (image_kind(str_from(rows[i].image), &engine) != rows[i].kind || !str_eq(engine, str_from(rows[i].engine))) {
            fail_msg("%s", rows[i].image);
        }
    }
}

/* --- Kubernetes --------------------------------------------------------------------------------------------------------- */

#define WORKLOAD(kind, space, name, image, more) \
    "---\nkind: " kind "\nmetadata: {name: " name ", namespace: " space "}\nspec: {template: {metadata: {labels: {app: " name "}}, " \
    "spec: {containers: [{image: " image "}]" more "}}}\n"
#define SERVICE(space, name, app) "---\nkind: Service\nmetadata: {name: " name ", namespace: " space "}\nspec: {selector: {app: " app "}}\n"

static void workloads_are_nodes(void **state)
{
    (void)state;
    static const char text[] =
        "kind: Deployment\n"
        "metadata: {name: web, labels: {zone: eu-1}}\n"
        "spec: {replicas: 2, template: {spec: {containers: [{image: 'shop/web:1'}]}}}\n"
        "---\nkind: StatefulSet\nmetadata: {name: ledger, namespace: shop}\n"
        "spec: {volumeClaimTemplates: [{}], template: {spec: {containers: [{image: shop/ledger}]}}}\n"
        "---\nkind: StatefulSet\nmetadata: {name: mq}\nspec: {template: {spec: {containers: [{image: rabbitmq}]}}}\n"
        "---\nkind: CronJob\nmetadata: {name: clean}\n"
        "spec: {jobTemplate: {spec: {template: {spec: {containers: [{image: shop/clean}]}}}}}\n"
        "---\nkind: Job\nmetadata: {name: clean-1, ownerReferences: [{kind: CronJob, name: clean}]}\n"
        "---\nkind: Pod\nmetadata: {name: alone}\nspec: {nodeSelector: {topology.kubernetes.io/zone: b}, containers: [{image: x}]}\n"
        "---\nkind: CustomThing\nmetadata: {name: what}\n";
    struct imported i = import(import_kubernetes, str_from(text));
    check_ok(&i);
    assert_str(drawn(&i, true),
               "service:web {\"workload\":\"Deployment\",\"namespace\":\"default\",\"image\":\"shop/web:1\",\"zone\":\"eu-1\",\"replicas\":2}\n"
               "datastore:shop/ledger {\"workload\":\"StatefulSet\",\"namespace\":\"shop\",\"image\":\"shop/ledger\"}\n"
               "queue:mq {\"workload\":\"StatefulSet\",\"namespace\":\"default\",\"image\":\"rabbitmq\",\"engine\":\"rabbitmq\"}\n"
               "service:clean {\"workload\":\"CronJob\",\"namespace\":\"default\",\"image\":\"shop/clean\"}\n"
               "service:alone {\"workload\":\"Pod\",\"namespace\":\"default\",\"image\":\"x\",\"zone\":\"b\"}\n"
               "artifact:shop/web:1\nartifact:shop/ledger\nartifact:rabbitmq\nartifact:shop/clean\nartifact:x\n"
               "artifact:shop/web:1 deploys service:web\nartifact:shop/ledger deploys datastore:shop/ledger\n"
               "artifact:rabbitmq deploys queue:mq\nartifact:shop/clean deploys service:clean\nartifact:x deploys service:alone\n");
    end(&i);
}

static void names_follow_labels_that_are_nobody_elses(void **state)
{
    (void)state;
    says(import_kubernetes,
         "kind: Deployment\nmetadata: {name: r1-web, labels: {app.kubernetes.io/name: web}}\n"
         "---\nkind: Deployment\nmetadata: {name: r1-db, labels: {app.kubernetes.io/name: db}}\n"
         "---\nkind: Deployment\nmetadata: {name: r2-db, labels: {app.kubernetes.io/name: db}}\n"
         "---\nkind: Deployment\nmetadata: {name: r2-db, labels: {app.kubernetes.io/name: db}}\n"
         "---\nkind: Deployment\nmetadata: {name: any, namespace: b, labels: {app.kubernetes.io/name: db}}\n",
         "service:web\nservice:r1-db\nservice:r2-db\nservice:b/db\n");
}

static void names_in_texts_are_calls(void **state)
{
    (void)state;
    static const char backends[] = WORKLOAD("Deployment", "shop", "cart", "c", "") SERVICE("shop", "cart-svc", "cart")
        WORKLOAD("StatefulSet", "data", "orders", "postgres", "") SERVICE("data", "orders-db", "orders");
    static const struct {
        const char *container;
        const char *calls;
    } rows[] = {
        {"env: [{name: A, value: 'http://cart-svc/x'}]", "service:shop/web calls service:shop/cart\n"},
        {"env: [{name: A_HOST, value: cart-svc}]", "service:shop/web calls service:shop/cart\n"},
        {"env: [{name: A, value: cart-svc}]", ""},
        {"env: [{name: A, value: 'cart:80'}]", ""},
        {"env: [{name: A, value: 'orders-db:5432'}]", ""},
        {"env: [{name: A, value: 'orders-db.data:5432'}]", "service:shop/web calls datastore:data/orders\n"},
        {"env: [{name: A, value: 'pg://u:p@orders-db.data.svc/x'}]", "service:shop/web calls datastore:data/orders\n"},
        {"env: [{name: A, value: orders-0.orders-db.data.svc.cluster.local}]", "service:shop/web calls datastore:data/orders\n"},
        {"env: [{name: A, value: 'orders-0.orders-db.data:1000'}]", "service:shop/web calls datastore:data/orders\n"},
        {"env: [{name: A, value: 'cart-0.cart-svc:80'}]", "service:shop/web calls service:shop/cart\n"},
        {"env: [{name: A, value: 'x.cart-svc:80'}]", ""},
        {"env: [{name: A, value: a.b.c.d.e.f.g.cart-svc.shop.svc}]", "service:shop/web calls service:shop/cart\n"},
        {"env: [{name: A, value: a.b.c.d.e.f.g.h.cart-svc.shop.svc}]", ""},
        {"args: ['--upstream=cart-svc']", "service:shop/web calls service:shop/cart\n"},
        {"args: [--upstream, cart-svc]", "service:shop/web calls service:shop/cart\n"},
        {"args: [serve, cart-svc]", ""},
        {"command: [sh, -c, 'wait cart-svc:80 && wait orders-db.data:5432']",
         "service:shop/web calls service:shop/cart\nservice:shop/web calls datastore:data/orders\n"},
        {"env: [{name: A, value: 'web-svc:80'}]", ""},
    };
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        char text[4096];
        snprintf(text, sizeof text,
                 "%s" SERVICE("shop", "web-svc", "web") "---\nkind: Deployment\nmetadata: {name: web, namespace: shop}\n"
                 "spec: {template: {metadata: {labels: {app: web}}, spec: {containers: [{%s}]}}}\n", backends, rows[r].container);
        struct imported i = import(import_kubernetes, str_from(text));
        check_ok(&i);
        struct str all = drawn(&i, false);
        const char *deploys = "artifact:c deploys service:shop/cart\nartifact:postgres deploys datastore:data/orders\n";
        const char *at = strstr(all.ptr, deploys);
        assert_non_null(at);
        if (strcmp(at + strlen(deploys), rows[r].calls) != 0) {
            fail_msg("%s: got %s", rows[r].container, at + strlen(deploys));
        }
        end(&i);
    }
}

static void configs_configure_and_name_others(void **state)
{
    (void)state;
    says(import_kubernetes,
         WORKLOAD("Deployment", "default", "web", "w",
                  ", volumes: [{configMap: {name: files}}, {secret: {secretName: tls}}, {projected: {sources: [{secret: {name: more}}, "
                  "{configMap: {name: kube-root-ca.crt}}]}}]")
         WORKLOAD("Deployment", "default", "job", "j", "")
         "---\nkind: Deployment\nmetadata: {name: api}\nspec: {template: {spec: {containers: [{envFrom: [{configMapRef: {name: env}}, "
         "{secretRef: {name: keys}}], env: [{name: Q, valueFrom: {configMapKeyRef: {name: one, key: q}}}]}]}}}\n"
         SERVICE("default", "web", "web") SERVICE("default", "job", "job")
         "---\nkind: ConfigMap\nmetadata: {name: env}\ndata: {WEB_URL: 'http://web'}\n"
         "---\nkind: ConfigMap\nmetadata: {name: one}\ndata: {q: 'job:90', other: 'web:80'}\n"
         "---\nkind: ConfigMap\nmetadata: {name: files}\ndata: {x.conf: \"upstream job:90;\\n\"}\n"
         "---\nkind: Secret\nmetadata: {name: keys}\nstringData: {A: 'http://job'}\n",
         "service:web\nservice:job\nservice:api\nartifact:w\nconfig:configmap/files\nconfig:secret/tls\nconfig:secret/more\n"
         "artifact:j\nconfig:configmap/one\nconfig:configmap/env\nconfig:secret/keys\n"
         "artifact:w deploys service:web\nconfig:configmap/files configures service:web\nservice:web calls service:job\n"
         "config:secret/tls configures service:web\nconfig:secret/more configures service:web\nartifact:j deploys service:job\n"
         "config:configmap/one configures service:api\nservice:api calls service:job\nconfig:configmap/env configures service:api\n"
         "service:api calls service:web\nconfig:secret/keys configures service:api\n");
}

static void gateways_call_their_backends(void **state)
{
    (void)state;
    says(import_kubernetes,
         "kind: Deployment\nmetadata: {name: web}\nspec: {template: {metadata: {labels: {app: web}}}}\n"
         SERVICE("default", "web", "web")
         "---\nkind: Ingress\nmetadata: {name: in}\nspec: {rules: [{http: {paths: [{backend: {service: {name: web}}}]}}]}\n"
         "---\nkind: Ingress\nmetadata: {name: old}\nspec: {backend: {serviceName: web}}\n"
         "---\nkind: Ingress\nmetadata: {name: any}\nspec: {defaultBackend: {service: {name: nobody}}}\n"
         "---\nkind: HTTPRoute\nmetadata: {name: r, namespace: b}\nspec: {parentRefs: [{name: public, namespace: infra}, "
         "{kind: Service, name: x}], rules: [{backendRefs: [{name: web, namespace: default}, {kind: Bucket, name: web}]}]}\n"
         "---\nkind: HTTPRoute\nmetadata: {name: free}\nspec: {rules: [{backendRefs: [{name: web}]}]}\n",
         "service:web\ngateway:in\ngateway:old\ngateway:any\ngateway:infra/public\ngateway:free\n"
         "gateway:in calls service:web\ngateway:old calls service:web\ngateway:infra/public calls service:web\n"
         "gateway:free calls service:web\n");
}

static void owners_are_teams(void **state)
{
    (void)state;
    says(import_kubernetes,
         "kind: List\nitems:\n- kind: Deployment\n  metadata: {name: a, labels: {team: red, app.kubernetes.io/part-of: shop}}\n"
         "- kind: Deployment\n  metadata: {name: b, annotations: {owner: blue}, namespace: n}\n"
         "- kind: Namespace\n  metadata: {name: n, labels: {owner: green, app.kubernetes.io/part-of: n/b}}\n",
         "service:a\nservice:n/b\nteam:red\nservice:shop\nteam:blue\nteam:green\n"
         "team:red owns service:a\nservice:a part_of service:shop\nteam:blue owns service:n/b\nteam:green owns service:n/b\n");
}

static void selectors_need_every_label(void **state)
{
    (void)state;
    says(import_kubernetes,
         "kind: Deployment\napiVersion: apps/v1\nmetadata: {name: one}\nspec: {template: {metadata: {labels: {app: x, tier: a}}}}\n"
         "---\nkind: Deployment\nmetadata: {name: two}\nspec: {template: {metadata: {labels: {app: x, tier: b}}}}\n"
         "---\nkind: Service\nmetadata: {name: both}\nspec: {selector: {app: x}}\n"
         "---\nkind: Service\nmetadata: {name: second}\nspec: {selector: {app: x, tier: b}}\n"
         "---\nkind: Service\napiVersion: serving.knative.dev/v1\nmetadata: {name: none}\nspec: {selector: {app: x}}\n"
         "---\nkind: Service\napiVersion: v1\nmetadata: {name: none}\nspec: {selector: {}}\n"
         "---\nkind: Ingress\nmetadata: {name: g}\nspec: {defaultBackend: {service: {name: both}}}\n"
         "---\nkind: Ingress\nmetadata: {name: h}\nspec: {defaultBackend: {service: {name: second}}}\n"
         "---\nkind: Ingress\nmetadata: {name: i}\nspec: {defaultBackend: {service: {name: none}}}\n",
         "service:one\nservice:two\ngateway:g\ngateway:h\ngateway:i\n"
         "gateway:g calls service:one\ngateway:g calls service:two\ngateway:h calls service:two\n");
}

/* --- compose ----------------------------------------------------------------------------------------------------------------- */

static void compose_says_who_needs_whom(void **state)
{
    (void)state;
    says(import_compose,
         "x-common: &common\n  environment: &env {CART_ADDR: 'cart:80'}\n  restart: always\n"
         "services:\n"
         "  web:\n    <<: *common\n    image: shop/web\n    depends_on: [cart, nobody]\n    configs: [site]\n"
         "  cart:\n    build: .\n    depends_on: {db: {condition: service_healthy}}\n    environment: ['DB_HOST=orders']\n"
         "    links: ['q:queue']\n    secrets: [{source: key}]\n"
         "  db: {image: 'mysql:8', container_name: orders}\n"
         "  q: {image: nats, networks: {default: {aliases: [bus]}}}\n"
         "  job:\n    environment:\n      <<: [*env]\n      BUS: 'nats://bus'\n    command: run --broker bus\n"
         "  x-none: {image: postgres}\n  broken: 7\n",
         "service:web\nartifact:shop/web\nservice:cart\ndatastore:db\nartifact:mysql:8\nqueue:q\nartifact:nats\nservice:job\n"
         "config:config/site\nconfig:secret/key\n"
         "artifact:shop/web deploys service:web\nartifact:mysql:8 deploys datastore:db\nartifact:nats deploys queue:q\n"
         "service:web depends_on service:cart\nservice:web calls service:cart\nconfig:config/site configures service:web\n"
         "service:cart depends_on datastore:db\nservice:cart calls queue:q\nservice:cart calls datastore:db\n"
         "config:secret/key configures service:cart\nservice:job calls queue:q\nservice:job calls service:cart\n");
}

/* --- metrics ------------------------------------------------------------------------------------------------------------------- */

#define SAMPLE(client, server, type, n) \
    SERVICE_METRIC "{client=\"" client "\",server=\"" server "\",connection_type=\"" type "\"} " n "\n"

static void metrics_are_edges_with_effects(void **state)
{
    (void)state;
    struct imported i = metrics("# HELP x y\n# TYPE " SERVICE_METRIC " counter\n"
                                SAMPLE("user", "web", "virtual_node", "1000")
                                SAMPLE("web", "cart", "", "250") SAMPLE("web", "cart", "", "150 1700000000000")
                                "traces_service_graph_request_failed_total{client=\"web\",server=\"cart\"} 3\n"
                                SAMPLE("cart", "orders", "database", "1e3") SAMPLE("web", "mailer", "messaging_system", "1")
                                SAMPLE("mailer", "smtp", "virtual_node", "0") SAMPLE("cron", "cart", "", "2")
                                SAMPLE("a", "b", "", "NaN") SAMPLE("", "b", "", "1")
                                SERVICE_METRIC "{client=\"q\\\"\\\\\\n\", server = \"web\", } 5\n"
                                "up 1\n");
    check_ok(&i);
    assert_str(drawn(&i, false),
               "service:web\nservice:cart\ndatastore:orders\nqueue:mailer\nservice:mailer\nservice:smtp\nservice:cron\n"
               "service:q\"\\\n\n"
               "service:mailer calls queue:mailer\nservice:web calls service:cart 3981\n"
               "service:cart calls datastore:orders 10000\nservice:web calls queue:mailer 10\nservice:mailer calls service:smtp\n"
               "service:cron calls service:cart\nservice:q\"\\\n calls service:web\n");
    end(&i);
}

static void metrics_come_as_an_answer_too(void **state)
{
    (void)state;
    struct imported i = metrics("{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":["
                                "{\"metric\":{\"__name__\":\"" SERVICE_METRIC "\",\"client\":\"a\",\"server\":\"b\"},\"value\":[1,\"10\"]},"
                                "{\"metric\":{\"client\":\"b\",\"server\":\"c\"},\"value\":[1,\"5\"]},"
                                "{\"metric\":{\"__name__\":\"up\",\"client\":\"x\",\"server\":\"y\"},\"value\":[1,\"5\"]}]}}");
    check_ok(&i);
    assert_str(drawn(&i, false), "service:b\nservice:a\nservice:c\nservice:a calls service:b\nservice:b calls service:c 5000\n");
    end(&i);
}

/* --- what is wrong ---------------------------------------------------------------------------------------------------------------- */

static void faults_have_their_place(void **state)
{
    (void)state;
    static const struct {
        import_fn fn;
        const char *text;
        const char *where;
        const char *says;
    } rows[] = {
        {import_kubernetes, "kind: Service\nmetadata: {name: a}\n---\n- 1\n", "f.yaml#2:4:3", "expected an object of Kubernetes"},
        {import_kubernetes, "{a: 1}", "f.yaml#1:1:1", "expected an object of Kubernetes: it has no kind"},
        {import_kubernetes, "\n\nkind: Service\n", "f.yaml#1:3:1", "expected a name in the object's metadata"},
        {import_kubernetes, "{\"kind\":\"List\",\"items\":[{\"kind\":\"A\",\"metadata\":{\"name\":\"a\"}},3]}", "f.yaml#1",
         "item 1: expected an object of Kubernetes"},
        {import_kubernetes, "kind: A\nmetadata: {name: a}\n---\na: [1\n", "f.yaml#2:5:1",
         "while parsing a flow sequence: did not find expected ',' or ']'"},
        {import_kubernetes, "kind: \"\xff\"", "f.yaml#1:1:8", "invalid leading UTF-8 octet"},
        {import_kubernetes, "{\"kind\": }{", "f.yaml#2:1:11", "did not find expected <document start>"},
        {import_compose, "[1]", "f.yaml#1", "expected a compose file: a mapping with services"},
        {import_compose, "services: [a]", "f.yaml#1:1:11", "expected services to be a mapping from names"},
        {import_compose, "services:\n  a: &x\n    b: *x\n", "f.yaml#1:3:8", "an alias inside what it stands for"},
        {import_compose, "services:\n  a: *x\n", "f.yaml#1:2:6", "no anchor before it has this name"},
        {import_compose, "services:\n  a: {<<: 3}\n", "f.yaml#1:2:7", "expected a mapping to merge, or a list of them"},
    };
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        struct imported i = import(rows[r].fn, str_from(rows[r].text));
        if (i.rc != RC_INVALID || strcmp(i.e.where, rows[r].where) != 0 || strcmp(i.e.text, rows[r].says) != 0) {
            fail_msg("%s\n  got:  %d %s: %s\n  want: %s: %s", rows[r].text, i.rc, i.e.where, i.e.text, rows[r].where, rows[r].says);
        }
        end(&i);
    }
}

static void bad_metrics_have_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum rc rc;
        const char *where;
        const char *says;
    } rows[] = {
        {"up 1\n" SERVICE_METRIC "{client=\"a\" 1\n", RC_INVALID, "f.prom:2", "expected a comma between labels, or } after them"},
        {SERVICE_METRIC "{client=a} 1\n", RC_INVALID, "f.prom:1", "expected labels such as {client=\"web\"}, in UTF-8"},
        {SERVICE_METRIC "{client=\"a", RC_INVALID, "f.prom:1", "expected labels such as {client=\"web\"}, in UTF-8"},
        {SERVICE_METRIC "{client=\"a\\\"", RC_INVALID, "f.prom:1", "expected labels such as {client=\"web\"}, in UTF-8"},
        {SERVICE_METRIC "{client=\"\xff\"} 1", RC_INVALID, "f.prom:1", "expected labels such as {client=\"web\"}, in UTF-8"},
        {SERVICE_METRIC "{} much", RC_INVALID, "f.prom:1", "expected a number after the labels"},
        {SERVICE_METRIC, RC_INVALID, "f.prom:1", "expected a number after the labels"},
        {"{\"status\":\"error\",\"error\":\"no\"}", RC_UNAVAILABLE, "f.prom", "no"},
        {"{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[]}}", RC_INVALID, "",
         "f.prom: expected the answer of /api/v1/query: a vector"},
        {"{\"data\":{\"resultType\":\"vector\",\"result\":[7]}}", RC_INVALID, "/data/result/0",
         "f.prom: expected a metric with its labels"},
        {"{\"data\":{\"resultType\":\"vector\",\"result\":[{\"metric\":{},\"value\":[1,2]}]}}", RC_INVALID, "/data/result/0",
         "f.prom: expected a value: [time, \"number\"]"},
    };
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        struct imported i = metrics(rows[r].text);
        if (i.rc != rows[r].rc || strcmp(i.e.where, rows[r].where) != 0 || strcmp(i.e.text, rows[r].says) != 0) {
            fail_msg("%s\n  got:  %d %s: %s\n  want: %s: %s", rows[r].text, i.rc, i.e.where, i.e.text, rows[r].where, rows[r].says);
        }
        end(&i);
    }
}

enum { FILLED_MAX = 1024 };

/* The template with the value in the place of its '@'. */
static void fill(char out[static FILLED_MAX], const char *template, const char *value)
{
    const char *hole = strchr(template, '@');
    assert_non_null(hole);
    snprintf(out, FILLED_MAX, "%.*s%s%s", (int)(hole - template), template, value, hole + 1);
}

/* Every member of these is of every type once: nothing is found, nothing is harmed. */
static void wrong_types_are_passed_over(void **state)
{
    (void)state;
    static const char *const values[] = {"null", "true", "-7", "1.5", "'x'", "[]", "[[], {}, 7, null, 'a']", "{}", "{a: {b: []}}"};
    static const char *const kubernetes[] = {
        "kind: Deployment\nmetadata: {name: a, labels: @}\n",
        "kind: Deployment\nmetadata: {name: a, namespace: @, annotations: {team: 7}}\nspec: 3\n",
        "kind: StatefulSet\nmetadata: {name: a}\nspec: {replicas: @, volumeClaimTemplates: {}, template: []}\n",
        "kind: Deployment\nmetadata: {name: a}\nspec: {template: {metadata: {labels: {app: @}}, spec: {containers: {}}}}\n",
        "kind: Deployment\nmetadata: {name: a}\nspec: {template: {spec: {containers: @, volumes: {}}}}\n",
        "kind: Deployment\nmetadata: {name: a}\nspec: {template: {spec: {volumes: [{configMap: @}, {projected: {sources: 1}}]}}}\n",
        "kind: Deployment\nmetadata: {name: a}\nspec: {template: {spec: {containers: [{env: @, envFrom: 1, args: {}}]}}}\n",
        "kind: Deployment\nmetadata: {name: a}\nspec: {template: {spec: {containers: [{env: [{name: @, valueFrom: 1}]}]}}}\n",
        "kind: Service\nmetadata: {name: a}\nspec: {selector: @}\n---\nkind: Ingress\nmetadata: {name: i}\nspec: {backend: {serviceName: a}}\n",
        "kind: Ingress\nmetadata: {name: a}\nspec: {rules: @}\n",
        "kind: HTTPRoute\nmetadata: {name: a}\nspec: {parentRefs: [{}], rules: [{backendRefs: @}]}\n",
        "kind: List\nmetadata: {name: a}\nitems: {}\nspec: @\n",
    };
    static const char *const compose[] = {
        "services: {a: @}\n",         "services: {a: {image: @}}\n",   "services: {a: {depends_on: @}}\n",
        "services: {a: {links: @}}\n", "services: {a: {environment: @}}\n", "services: {a: {networks: {n: @}}}\n",
        "services: {a: {configs: @}}\n", "services: {a: {command: @, deploy: 3}}\n", "services: {a: {scale: @}}\n",
    };
    char text[FILLED_MAX];
    for (size_t v = 0; v < sizeof values / sizeof *values; v++) {
        for (size_t k = 0; k < sizeof kubernetes / sizeof *kubernetes; k++) {
            fill(text, kubernetes[k], values[v]);
            struct imported i = import(import_kubernetes, str_from(text));
            check_ok(&i);
            end(&i);
        }
        for (size_t k = 0; k < sizeof compose / sizeof *compose; k++) {
            fill(text, compose[k], values[v]);
            struct imported i = import(import_compose, str_from(text));
            check_ok(&i);
            end(&i);
        }
    }
}

static void names_that_are_none_are_passed_over(void **state)
{
    (void)state;
    struct buf text;
    buf_init(&text, 4096);
    buf_str(&text, STR("services:\n  a: {}\n  \"b\\0c\": {depends_on: [a]}\n  "));
    for (int i = 0; i <= GRAPH_NAME_MAX; i++) {
        buf_char(&text, 'n');
    }
    buf_str(&text, STR(": {depends_on: [a]}\n"));
    struct imported i = import(import_compose, buf_view(&text));
    check_ok(&i);
    assert_str(drawn(&i, false), "service:a\n");
    end(&i);
    buf_done(&text);
}

/* --- limits ----------------------------------------------------------------------------------------------------------------------- */

static void many_become_several_writings(void **state)
{
    (void)state;
    struct buf text;
    buf_init(&text, 16 << 20);
    buf_str(&text, STR("{\"services\":{\"s0\":{}"));
    for (unsigned n = 1; n < 11000; n++) {
        buf_printf(&text, ",\"s%u\":{\"depends_on\":[\"s%u\"]}", n, n - 1);
    }
    buf_str(&text, STR("}}"));
    struct imported i = import(import_compose, buf_view(&text));
    check_ok(&i);
    struct value all;
    assert_int_equal(found_writings(&i.found, STR("compose"), &all, &i.e), RC_OK);
    assert_int_equal(all.count, 3);
    uint32_t nodes = 0;
    uint32_t edges = 0;
    for (uint32_t w = 0; w < all.count; w++) {
        struct graph_writing read;
        assert_int_equal(graph_writing_read(i.a, &all.items[w], &read, &i.e), RC_OK);
        assert_str(read.source, "compose");
        nodes += read.node_count;
        edges += read.edge_count;
    }
    assert_int_equal(nodes, 11000);
    assert_int_equal(edges, 10999);
    end(&i);
    buf_done(&text);
}

static void writings_are_bounded_in_bytes(void **state)
{
    (void)state;
    struct imported i;
    char image[FOUND_TEXT_MAX * 2];
    begin(&i);
    memset(image, '\x01', sizeof image);
    for (unsigned n = 0; n < 4000; n++) {
        uint32_t at = found_node(&i.found, NODE_SERVICE, arena_printf(i.a, "s%u", n));
        found_say_text(&i.found, at, STR("image"), (struct str){image, sizeof image});
        assert_int_equal(value_get(&i.found.nodes[at].attributes, STR("image"))->string.len, FOUND_TEXT_MAX);
    }
    struct value all;
    assert_int_equal(found_writings(&i.found, STR("x"), &all, &i.e), RC_OK);
    assert_int_equal(all.count, 2);
    end(&i);
}

static void nothing_is_said_as_nothing(void **state)
{
    (void)state;
    struct imported i = import(import_kubernetes, STR("# nothing\n"));
    struct value all;
    check_ok(&i);
    assert_int_equal(found_writings(&i.found, STR("x"), &all, &i.e), RC_NOT_FOUND);
    end(&i);
}

static void what_is_found_has_its_limits(void **state)
{
    (void)state;
    struct imported i;
    struct value all;
    char name[32];
    begin(&i);
    for (unsigned n = 0; n < FOUND_NODES_MAX; n++) {
        snprintf(name, sizeof name, "%u", n);
        assert_int_equal(found_node(&i.found, NODE_TEAM, str_from(name)), n);
    }
    for (unsigned n = 0; n < FOUND_EDGES_MAX; n++) {
        found_edge(&i.found, n % 1000, 1000 + n / 1000, EDGE_OWNS);
    }
    assert_int_equal(i.found.edge_count, FOUND_EDGES_MAX);
    assert_int_equal(i.found.rc, RC_OK);
    found_edge(&i.found, 0, FOUND_NODES_MAX - 1, EDGE_OWNS);
    assert_int_equal(i.found.rc, RC_LIMIT);
    assert_int_equal(found_writings(&i.found, STR("x"), &all, &i.e), RC_LIMIT);
    i.found.rc = RC_OK;
    assert_int_equal(found_node(&i.found, NODE_TEAM, STR("more")), MAP_NONE);
    assert_int_equal(i.found.rc, RC_LIMIT);
    end(&i);
}

/* Far longer than Kubernetes has them: such a label selects nothing. */
static void labels_have_their_length(void **state)
{
    (void)state;
    for (int over = 0; over < 2; over++) {
        char value[1100];
        struct buf text;
        /* "default/app=" stands before it, a zero byte behind it: 1024 in all. */
        size_t len = 1024 - 13 + (size_t)over;
        memset(value, 'v', len);
        value[len] = '\0';
        buf_init(&text, 8192);
        buf_printf(&text, "kind: Deployment\nmetadata: {name: a}\nspec: {template: {metadata: {labels: {app: %s}}}}\n"
                          "---\nkind: Service\nmetadata: {name: s}\nspec: {selector: {app: %s}}\n"
                          "---\nkind: Ingress\nmetadata: {name: g}\nspec: {backend: {serviceName: s}}\n", value, value);
        struct imported i = import(import_kubernetes, buf_view(&text));
        check_ok(&i);
        assert_int_equal(i.found.edge_count, over ? 0 : 1);
        end(&i);
        buf_done(&text);
    }
}

/* A place is shown as far as an error has room for it. */
static void long_file_names_are_clipped(void **state)
{
    (void)state;
    char name[600];
    struct imported i;
    struct documents d = {.count = 0};
    memset(name, 'n', sizeof name);
    begin(&i);
    assert_int_equal(documents_read(&d, i.a, (struct str){name, sizeof name}, STR("a: 1"), &i.e), RC_OK);
    assert_int_equal(import_kubernetes(&d, &i.found, &i.e), RC_INVALID);
    assert_true(str_ends(str_from(i.e.where), STR(":1:1")));
    assert_int_equal(documents_read(&d, i.a, (struct str){name, sizeof name}, STR("a: ["), &i.e), RC_INVALID);
    assert_true(str_ends(str_from(i.e.where), STR("#1:2:1")) || str_ends(str_from(i.e.where), STR("#1:1:5")));
    assert_int_equal(import_service_metrics((struct str){name, sizeof name}, STR(SERVICE_METRIC "{"), &i.found, &i.e), RC_INVALID);
    assert_true(str_ends(str_from(i.e.where), STR("n:1")));
    end(&i);
}

static void metrics_have_their_limits(void **state)
{
    (void)state;
    struct buf text;
    buf_init(&text, 64 << 20);
    for (unsigned n = 0; n <= SERVICE_METRICS_MAX; n++) {
        buf_str(&text, STR(SERVICE_METRIC "{client=\"a\",server=\"b\"} 1e300\n"));
    }
    struct imported i;
    begin(&i);
    size_t line = text.len / (SERVICE_METRICS_MAX + 1);
    assert_int_equal(import_service_metrics(STR("f"), str_slice(buf_view(&text), line, text.len), &i.found, &i.e), RC_OK);
    assert_int_equal(import_service_metrics(STR("f"), buf_view(&text), &i.found, &i.e), RC_LIMIT);
    end(&i);
    buf_reset(&text);
    buf_str(&text, STR(SERVICE_METRIC "{"));
    for (unsigned n = 0; n < SERVICE_LABELS_MAX; n++) {
        buf_printf(&text, "l%u=\"\",", n);
    }
    size_t whole = text.len;
    for (unsigned more = 0; more < 2; more++) {
        text.len = whole;
        buf_str(&text, more == 0 ? STR("} 1") : STR("z=\"\"} 1"));
        begin(&i);
        enum rc rc = import_service_metrics(STR("f"), buf_view(&text), &i.found, &i.e);
        assert_int_equal(rc, more == 0 ? RC_OK : RC_INVALID);
        end(&i);
    }
    buf_done(&text);
}

static void objects_have_their_limit(void **state)
{
    (void)state;
    struct buf text;
    buf_init(&text, 64 << 20);
    buf_str(&text, STR("["));
    for (unsigned n = 0; n <= KUBERNETES_OBJECTS_MAX; n++) {
        buf_str(&text, n == 0 ? STR("{}") : STR(",{}"));
    }
    buf_str(&text, STR("]"));
    struct imported i = import(import_kubernetes, buf_view(&text));
    assert_int_equal(i.rc, RC_LIMIT);
    assert_string_equal(i.e.text, "more than 200000 objects: import them in parts");
    end(&i);
    buf_done(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts_stand_where_addresses_stand),
        cmocka_unit_test(a_host_has_its_length),
        cmocka_unit_test(images_are_products_or_not),
        cmocka_unit_test(workloads_are_nodes),
        cmocka_unit_test(names_follow_labels_that_are_nobody_elses),
        cmocka_unit_test(names_in_texts_are_calls),
        cmocka_unit_test(configs_configure_and_name_others),
        cmocka_unit_test(gateways_call_their_backends),
        cmocka_unit_test(owners_are_teams),
        cmocka_unit_test(selectors_need_every_label),
        cmocka_unit_test(compose_says_who_needs_whom),
        cmocka_unit_test(metrics_are_edges_with_effects),
        cmocka_unit_test(metrics_come_as_an_answer_too),
        cmocka_unit_test(faults_have_their_place),
        cmocka_unit_test(bad_metrics_have_their_place),
        cmocka_unit_test(wrong_types_are_passed_over),
        cmocka_unit_test(names_that_are_none_are_passed_over),
        cmocka_unit_test(many_become_several_writings),
        cmocka_unit_test(writings_are_bounded_in_bytes),
        cmocka_unit_test(nothing_is_said_as_nothing),
        cmocka_unit_test(what_is_found_has_its_limits),
        cmocka_unit_test(labels_have_their_length),
        cmocka_unit_test(long_file_names_are_clipped),
        cmocka_unit_test(metrics_have_their_limits),
        cmocka_unit_test(objects_have_their_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
