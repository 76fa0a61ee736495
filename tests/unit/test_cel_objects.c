/*
 * The C side: declarations, classes over structs, JSON values, lazily loaded variables, what is
 * recorded for an explanation, the walk, values as text and as JSON.
 */
#include "cel_case.h"

#include "value/json.h"

struct owner {
    const char *name;
};

struct service {
    const char *name;
    int64_t replicas;
    const struct owner *owner;
    const char *const *tags;
    uint32_t tag_count;
    const struct value *labels;
};

static bool owner_get(const void *self, unsigned field, struct arena *scope, struct cel_value *ret)
{
    const struct owner *o = self;
    (void)field;
    (void)scope;
    *ret = cel_of_str(str_from(o->name));
    return true;
}

static const struct cel_field owner_fields[] = {{"name", &cel_string, "Who it is."}};
static const struct cel_class owner_class = {"pawl.Owner", "Who answers for it.", owner_fields, 1,
                                             owner_get, false};
static const struct cel_type owner_type = {.kind = CEL_OBJECT, .class = &owner_class};

static void tag_at(const void *self, uint32_t i, struct arena *scope, struct cel_value *ret)
{
    const struct service *s = self;
    (void)scope;
    *ret = cel_of_str(str_from(s->tags[i]));
}

static const struct cel_list_ops tag_ops = {tag_at};

/* A map from a tag to its length. */
static bool tag_find(const void *self, const struct cel_value *key, struct arena *scope,
                     struct cel_value *ret)
{
    const struct service *s = self;
    (void)scope;
    for (uint32_t i = 0; key->kind == CEL_STRING && i < s->tag_count; i++) {
        if (str_eq(cel_text(key), str_from(s->tags[i]))) {
            *ret = cel_of_int((int64_t)strlen(s->tags[i]));
            return true;
        }
    }
    return false;
}

static const struct cel_map_ops length_ops = {tag_find, tag_at};

enum { FIELD_NAME, FIELD_REPLICAS, FIELD_OWNER, FIELD_TAGS, FIELD_LENGTHS, FIELD_LABELS, FIELDS };

static bool service_get(const void *self, unsigned field, struct arena *scope,
                        struct cel_value *ret)
{
    const struct service *s = self;
    (void)scope;
    switch (field) {
    case FIELD_NAME:
        *ret = cel_of_str(str_from(s->name));
        return true;
    case FIELD_REPLICAS:
        *ret = cel_of_int(s->replicas);
        return true;
    case FIELD_OWNER:
        *ret = cel_of_object(&owner_class, s->owner);
        return s->owner != NULL;
    case FIELD_TAGS:
        *ret = cel_of_items(s, s->tag_count, &tag_ops);
        return true;
    case FIELD_LENGTHS:
        *ret = cel_of_entries(s, s->tag_count, &length_ops);
        return true;
    default:
        *ret = cel_of_json(s->labels);
        return true;
    }
}

static const struct cel_type lengths_type = {
    .kind = CEL_MAP, .key = &cel_string, .item = &cel_int, .max = 8};
static const struct cel_type tags_type = {.kind = CEL_LIST, .item = &cel_string, .max = 8};
static const struct cel_field service_fields[FIELDS] = {
    {"name", &cel_string, "What it is called."},
    {"replicas", &cel_int, "How many run."},
    {"owner", &owner_type, "Who answers for it; absent when nobody does."},
    {"tags", &tags_type, "Words."},
    {"lengths", &lengths_type, "Words and their lengths."},
    {"labels", &cel_map_string_dyn, "From its configuration."}};
static const struct cel_class service_class = {"pawl.Service", "What is kept running.",
                                               service_fields, FIELDS, service_get, false};
static const struct cel_type service_type = {.kind = CEL_OBJECT, .class = &service_class};

static const char *const web_tags[] = {"edge", "http", "eu"};

struct world {
    struct cel_env *env;
    struct arena *arena;
    struct value labels;
    struct owner ann;
    struct service web;
    struct service db;
    struct cel_value values[6];
    struct cel_activation activation;
};

static void world_begin(struct world *w)
{
    memset(w, 0, sizeof *w);
    w->env = cel_env_new();
    w->arena = arena_new(1 << 20);
    assert_int_equal(json_parse(w->arena,
                                STR("{\"team\":\"core\",\"weight\":2.5,\"on\":true,\"none\":null,"
                                    "\"list\":[1,{\"a\":\"b\"},[]],\"map\":{\"x\":1}}"),
                                &w->labels, NULL),
                     RC_OK);
    w->ann = (struct owner){"ann"};
    w->web = (struct service){"web", 3, &w->ann, web_tags, 3, &w->labels};
    w->db = (struct service){"db", 1, NULL, NULL, 0, &w->labels};
    assert_int_equal(cel_declare(w->env, STR("web"), &service_type, "The one.", NULL), RC_OK);
    assert_int_equal(cel_declare(w->env, STR("db"), &service_type, "The other.", NULL), RC_OK);
    assert_int_equal(cel_declare(w->env, STR("any"), &cel_dyn, "Either.", NULL), RC_OK);
    assert_int_equal(cel_declare(w->env, STR("labels"), &cel_map_string_dyn, "", NULL), RC_OK);
    assert_int_equal(cel_declare(w->env, STR("wrong"), &cel_list_string, "", NULL), RC_OK);
    assert_int_equal(cel_declare(w->env, STR("missing"), &cel_int, "", NULL), RC_OK);
    w->values[0] = cel_of_object(&service_class, &w->web);
    w->values[1] = cel_of_object(&service_class, &w->db);
    w->values[2] = w->values[0];
    w->values[3] = cel_of_json(&w->labels);
    w->values[4] = cel_of_json(value_get(&w->labels, STR("list"))); /* not what was declared */
    w->activation = (struct cel_activation){.values = w->values, .count = 6};
}

static void world_end(struct world *w)
{
    cel_env_free(w->env);
    arena_free(w->arena);
}

static void test_declare(void **state)
{
    (void)state;
    CLEANUP(cel_env) struct cel_env *env = cel_env_new();
    struct err e = {0};
    static const char *const bad[] = {"",       "a b", "1a",    "a.", ".a",  "a..b", "true", "in",
                                      "a.true", "if",  "for.x", "é",  "a-b", "null", "@x"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(cel_declare(env, str_from(bad[i]), &cel_int, "", &e), RC_INVALID);
        assert_true(str_ends(str_from(e.text), STR("can't name a variable")));
    }
    assert_int_equal(cel_declare(env, STR("a.if"), &cel_int, "one", &e), RC_OK);
    assert_int_equal(cel_declare(env, STR("a.if"), &cel_int, "", &e), RC_CONFLICT);
    assert_str(str_from(e.text), "'a.if' is declared already");
    for (uint32_t i = 1; i < CEL_VARIABLES_MAX; i++) {
        char name[16];
        snprintf(name, sizeof name, "v%u", i);
        assert_int_equal(cel_declare(env, str_from(name), &service_type, "", &e), RC_OK);
    }
    assert_int_equal(cel_declare(env, STR("more"), &cel_int, "", &e), RC_LIMIT);
    assert_str(str_from(e.text), "more than 1024 variables");
    assert_int_equal(cel_env_count(env), CEL_VARIABLES_MAX);
    struct cel_declaration first = cel_env_at(env, 0);
    assert_str(first.name, "a.if");
    assert_string_equal(first.doc, "one");
    assert_ptr_equal(first.type, &cel_int);
    assert_ptr_equal(cel_env_class(env, 0), &service_class);
    assert_ptr_equal(cel_env_class(env, 1), &owner_class);
    assert_null(cel_env_class(env, 2));
}

static void test_objects(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w);
    struct cel_setting s = {.env = w.env, .values = &w.activation};
    static const struct cel_case cases[] = {
        {"web.name + web.owner.name", "\"webann\""},
        {"web.replicas * 2", "6"},
        {"any.replicas * 2", "6"},
        {"any.owner.name", "\"ann\""},
        {"db.owner.name", "error: 'owner' has no value"},
        {"has(web.owner) && !has(db.owner)", "true"},
        {"has(any.owner)", "true"},
        {"has(any.nope)", "error: pawl.Service has no field 'nope'"},
        {"db.?owner.?name.orValue('nobody')", "\"nobody\""},
        {"web.?owner.name", "optional.of(\"ann\")"},
        {"optional.of(web).owner.name.value()", "\"ann\""},
        {"optional.of(db).owner.hasValue()", "false"},
        {"web.nope", "refused 1:1: pawl.Service has no field 'nope'"},
        {"has(web.nope)", "refused 1:1: pawl.Service has no field 'nope'"},
        {"[1].exists(x, web.owner.nope == x)", "refused 1:15: pawl.Owner has no field 'nope'"},
        {"any.nope", "error: pawl.Service has no field 'nope'"},
        {"web['name']",
         "refused 1:1: no matching overload for '_[_]' applied to (pawl.Service, string)"},
        {"any['name']", "error: no such overload: '_[_]'"},
        {"web.name + 1", "refused 1:1: no matching overload for '_+_' applied to (string, int)"},
        {"web == any && web != db", "true"},
        {"web == web.owner",
         "refused 1:1: no matching overload for '_==_' applied to (pawl.Service, pawl.Owner)"},
        {"web == null", "false"},
        {"type(web) == pawl.Service && type(web.owner) == pawl.Owner", "true"},
        {"type(any)", "pawl.Service"},
        {"web.tags.size() == 3 && 'edge' in web.tags && web.tags[2] == 'eu'", "true"},
        {"web.tags.filter(t, t.size() == 4)", "[\"edge\", \"http\"]"},
        {"web.tags.map(t, t + '!') + ['x'] == ['edge!', 'http!', 'eu!', 'x']", "true"},
        {"web.tags == ['edge', 'http', 'eu'] && db.tags == []", "true"},
        {"web.tags.join('-')", "\"edge-http-eu\""},
        {"web.tags.sort().reverse()", "[\"http\", \"eu\", \"edge\"]"},
        {"web.lengths", "{\"edge\": 4, \"http\": 4, \"eu\": 2}"},
        {"web.lengths.edge + web.lengths['eu']", "6"},
        {"web.lengths == {'eu': 2, 'http': 4, 'edge': 4}", "true"},
        {"web.lengths.all(k, v, k.size() == v) && web.lengths.exists(k, k == 'eu')", "true"},
        {"web.lengths.nope", "error: no such key: 'nope'"},
        {"'http' in web.lengths && !('x' in web.lengths)", "true"},
        {"web.labels.team + labels['team']", "\"corecore\""},
        {"labels.weight + 1.0", "3.5"},
        {"labels.on && labels.none == null", "true"},
        {"labels.list[1].a + string(labels.list.size()) + string(labels.map.x)", "\"b31\""},
        {"labels.list == [1, {'a': 'b'}, []] && labels.map == {'x': 1}", "true"},
        {"labels.map(k, k).size() == labels.size() && 'team' in labels && !(1 in dyn(labels))",
         "true"},
        {"labels.transformMap(k, v, type(v) == int || k == 'team', v)", "{\"team\": \"core\"}"},
        {"labels.nope.deeper", "error: no such key: 'nope'"},
        {"wrong[0] + 'x'", "error: no such overload: '_+_'"},
        {"wrong.map(x, x.size())", "error: no such overload: 'size'"},
        {"missing", "error: 'missing' has no value"},
        {"missing == 1 || true", "true"},
        {"[web].map(s, s.owner.name)", "[\"ann\"]"},
        {"{'s': web}.s.replicas", "3"},
        {"[web, db].sortBy(s, s.replicas).map(s, s.name)", "[\"db\", \"web\"]"},
        {"db", "pawl.Service{name: \"db\", replicas: 1, tags: [], lengths: {}, labels: {\"team\": "
               "\"core\", \"weight\": 2.5, \"on\": true, \"none\": null, \"list\": [1, {\"a\": "
               "\"b\"}, []], \"map\": {\"x\": 1}}}"},
    };
    CEL_CHECK(&s, cases);
    world_end(&w);
}

/* One that remembers: a field that is known is not asked for, one that is absent is. */
struct counter {
    struct cel_remembered known;
    int *asked;
};

static bool counter_get(const void *self, unsigned field, struct arena *scope,
                        struct cel_value *ret)
{
    const struct counter *c = self;
    (void)scope;
    ++*c->asked;
    *ret = cel_of_int(field);
    return field < 2;
}

static const struct cel_field counter_fields[] = {
    {"zero", &cel_int, ""}, {"one", &cel_int, ""}, {"none", &cel_int, ""}};
static const struct cel_class counter_class = {
    "pawl.Counter", "", counter_fields, 3, counter_get, true};
static const struct cel_type counter_type = {.kind = CEL_OBJECT, .class = &counter_class};

static void test_remembered(void **state)
{
    (void)state;
    CLEANUP(cel_env) struct cel_env *env = cel_env_new();
    assert_int_equal(cel_declare(env, STR("c"), &counter_type, "", NULL), RC_OK);
    assert_int_equal(cel_declare(env, STR("any"), &cel_dyn, "", NULL), RC_OK);
    struct cel_value fields[3] = {{0}};
    int asked = 0;
    struct counter c = {{fields}, &asked};
    struct cel_value values[2] = {cel_of_object(&counter_class, &c),
                                  cel_of_object(&counter_class, &c)};
    struct cel_activation activation = {.values = values, .count = 2};
    struct cel_setting s = {.env = env, .values = &activation};
    cel_check_text(&s, STR("c.one + c.one"), "2");
    assert_int_equal(asked, 2);
    fields[1] = cel_of_int(41);
    cel_check_text(&s, STR("[c].map(x, x.one + c.one)"), "[82]");
    cel_check_text(&s, STR("c.one"), "41");
    assert_int_equal(asked, 2);
    cel_check_text(&s, STR("c.zero == 0 && c.zero < c.one"), "true");
    assert_int_equal(asked, 4);
    cel_check_text(&s, STR("c.none == 0"), "error: 'none' has no value");
    cel_check_text(&s, STR("has(c.none)"), "false");
    cel_check_text(&s, STR("any.zero"), "0");
    c.known.fields = NULL;
    cel_check_text(&s, STR("c.one"), "1");
}

struct loads {
    int count;
};

static void load(void *context, uint32_t slot, struct arena *scope, struct cel_value *ret)
{
    struct loads *l = context;
    (void)scope;
    l->count++;
    if (slot == 0) {
        *ret = cel_of_int(5);
    }
}

static void test_load(void **state)
{
    (void)state;
    CLEANUP(cel_env) struct cel_env *env = cel_env_new();
    struct loads loads = {0};
    assert_int_equal(cel_declare(env, STR("a"), &cel_int, "", NULL), RC_OK);
    assert_int_equal(cel_declare(env, STR("b"), &cel_int, "", NULL), RC_OK);
    struct cel_activation lazy = {.load = load, .context = &loads};
    struct cel_setting s = {.env = env, .values = &lazy};
    cel_check_text(&s, STR("1 + 1"), "2");
    assert_int_equal(loads.count, 0);
    cel_check_text(&s, STR("a + a + a"), "15");
    assert_int_equal(loads.count, 1);
    cel_check_text(&s, STR("a == 5 || b == 1"), "true");
    assert_int_equal(loads.count, 2);
    cel_check_text(&s, STR("b"), "error: 'b' has no value");
}

/* A program is evaluated again and again, and yields the same. */
static void test_again(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w);
    CLEANUP(cel_program) struct cel_program *p = NULL;
    assert_int_equal(cel_compile(w.env,
                                 STR("cel.bind(n, web.tags.map(t, t.size()), n.size() + n[0]) + 1"),
                                 NULL, &p, NULL),
                     RC_OK);
    assert_int_equal(cel_program_type(p)->kind, CEL_INT);
    assert_true(cel_program_cost(p) > 10);
    uint64_t spent = 0;
    for (int i = 0; i < 5; i++) {
        struct cel_value v = {0};
        arena_reset(w.arena);
        struct cel_run run = {.arena = w.arena, .budget = 1000};
        assert_int_equal(cel_eval(p, &w.activation, &run, &v, NULL), RC_OK);
        assert_int_equal(v.integer, 8);
        assert_true(run.spent > 0 && (i == 0 || run.spent == spent));
        spent = run.spent;
    }
    world_end(&w);
}

/* Each step that was taken, as "text=value"; those that were not taken are not there. */
static void test_steps(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w);
    CLEANUP(cel_program) struct cel_program *p = NULL;
    static const char text[] =
        "web.replicas > 2 && (web.name == 'db' || web.tags.all(t, t != 'x')) ? 'yes' : db.name";
    assert_int_equal(cel_compile(w.env, str_from(text), NULL, &p, NULL), RC_OK);
    struct cel_step *steps = arena_array(w.arena, cel_program_steps(p), sizeof *steps);
    struct cel_run recorded = {.arena = w.arena, .budget = 1000, .steps = steps};
    struct cel_run plain = {.arena = w.arena, .budget = 1000};
    struct cel_value v = {0};
    assert_int_equal(cel_eval(p, &w.activation, &plain, &v, NULL), RC_OK);
    assert_int_equal(cel_eval(p, &w.activation, &recorded, &v, NULL), RC_OK);
    assert_str(cel_text(&v), "yes");
    assert_int_equal(plain.spent, recorded.spent);
    struct buf b;
    buf_init(&b, 1 << 16);
    for (uint32_t i = 0; i < cel_program_steps(p); i++) {
        if (steps[i].count > 0) {
            struct str part = str_slice(cel_program_text(p), steps[i].from, steps[i].to);
            buf_printf(&b, "%.*s=", STR_ARG(part));
            buf_cel_value(&b, &steps[i].value, w.arena);
            buf_printf(&b, " x%u\n", steps[i].count);
        }
    }
    buf_char(&b, '\0');
    assert_non_null(strstr(b.data, "web.replicas=3 x1\n"));
    assert_non_null(strstr(b.data, "web.name == 'db'=false x1\n"));
    assert_non_null(strstr(b.data, "t != 'x'=true x3\n"));
    assert_non_null(strstr(b.data, "web.tags.all(t, t != 'x')=true x1\n"));
    assert_null(strstr(b.data, "\ndb.name="));
    buf_done(&b);
    /* The budget holds while steps are recorded as well. */
    struct cel_run small = {.arena = w.arena, .budget = 5, .steps = steps};
    assert_int_equal(cel_eval(p, &w.activation, &small, &v, NULL), RC_LIMIT);
    assert_int_equal(small.spent, 5);
    world_end(&w);
}

static void note(void *context, const struct cel_view *view)
{
    static const char *const parts[] = {
        [CEL_PART_CONSTANT] = "constant", [CEL_PART_VARIABLE] = "variable",
        [CEL_PART_LOCAL] = "local",       [CEL_PART_FIELD] = "field",
        [CEL_PART_PRESENCE] = "presence", [CEL_PART_INDEX] = "index",
        [CEL_PART_CALL] = "call",         [CEL_PART_LIST] = "list",
        [CEL_PART_MAP] = "map",           [CEL_PART_MACRO] = "macro",
        [CEL_PART_UNKNOWN] = "unknown"};
    struct buf *b = context;
    buf_printf(b, "%s", parts[view->part]);
    if (view->name.len > 0) {
        buf_printf(b, " %.*s", STR_ARG(view->name));
    }
    if (view->class != NULL) {
        buf_printf(b, " of %s", view->class->name);
    }
    if (view->part == CEL_PART_VARIABLE) {
        buf_printf(b, " #%u", view->slot);
    }
    buf_printf(b, " [%u,%u): ", view->from, view->to);
    buf_cel_type(b, view->type);
    buf_char(b, '\n');
}

static void test_walk(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w);
    CLEANUP(cel_program) struct cel_program *p = NULL;
    static const char text[] = "has(db.owner) && web.tags.exists(t, t == {'a': ['b']}.a[0])";
    assert_int_equal(cel_compile(w.env, str_from(text), NULL, &p, NULL), RC_OK);
    struct buf b;
    buf_init(&b, 1 << 16);
    cel_walk(p, note, &b);
    assert_str(buf_view(&b), "call _&&_ [0,59): bool\n"
                             "presence owner of pawl.Service [0,13): bool\n"
                             "variable db #1 [4,6): pawl.Service\n"
                             "macro exists [17,59): bool\n"
                             "field tags of pawl.Service [17,25): list(string)\n"
                             "variable web #0 [17,20): pawl.Service\n"
                             "call _==_ [36,58): bool\n"
                             "local t [36,37): string\n"
                             "index _[_] [41,58): string\n"
                             "field a [41,55): list(string)\n"
                             "map [41,53): map(string, list(string))\n"
                             "constant [42,45): string\n"
                             "list [47,52): list(string)\n"
                             "constant [48,51): string\n"
                             "constant [56,57): int\n");
    buf_done(&b);
    world_end(&w);
}

/* What an expression yields, as JSON. */
static void test_json(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w);
    static const struct cel_case cases[] = {
        {"[1, 2u, 1.5, 'é', true, null]", "[1,2,1.5,\"é\",true,null]"},
        {"[18446744073709551615u, 0.0 / 0.0, -1.0 / 0.0]",
         "[\"18446744073709551615\",\"NaN\",\"-Infinity\"]"},
        {"{1: b'hello', true: timestamp(0), 'd': duration('1.5s'), 2u: ip('::1')}",
         "{\"1\":\"aGVsbG8=\",\"true\":\"1970-01-01T00:00:00Z\",\"d\":\"1.5s\",\"2\":\"::1\"}"},
        {"[optional.of(1), optional.none()]", "[1,null]"},
        {"web.owner", "{\"name\":\"ann\"}"},
        {"[web.tags, web.lengths, labels.list]",
         "[[\"edge\",\"http\",\"eu\"],{\"edge\":4,\"http\":4,\"eu\":2},[1,{\"a\":\"b\"},[]]]"},
        {"db",
         "{\"name\":\"db\",\"replicas\":1,\"tags\":[],\"lengths\":{},\"labels\":{\"team\":\"core\","
         "\"weight\":2.5,\"on\":true,\"none\":null,\"list\":[1,{\"a\":\"b\"},[]],\"map\":{\"x\":1}}"
         "}"},
        {"int", "a value of type type has no JSON form"},
        {"{1: 1, '1': 2}", "two keys of a map become the same JSON name"},
        {"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
         "a value that nests beyond 32"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CLEANUP(cel_program) struct cel_program *p = NULL;
        struct cel_value v = {0};
        struct value json;
        struct err e = {0};
        struct cel_run run = {.arena = w.arena, .budget = 10000};
        assert_int_equal(cel_compile(w.env, str_from(cases[i].expr), NULL, &p, &e), RC_OK);
        assert_int_equal(cel_eval(p, &w.activation, &run, &v, &e), RC_OK);
        if (cel_to_json(&v, w.arena, &json, &e) != RC_OK) {
            assert_string_equal(e.text, cases[i].want);
            continue;
        }
        struct buf b;
        buf_init(&b, 1 << 16);
        json_write(&b, &json);
        assert_str(buf_view(&b), cases[i].want);
        buf_done(&b);
    }
    world_end(&w);
}

static void test_error_places(void **state)
{
    (void)state;
    CLEANUP(cel_env) struct cel_env *env = cel_env_new();
    CLEANUP(cel_program) struct cel_program *p = NULL;
    CLEANUP(arena) struct arena *a = arena_new(1 << 20);
    struct cel_value v = {.kind = CEL_INT, .integer = 77};
    struct err e = {0};
    struct cel_run run = {.arena = a, .budget = 1000};
    assert_int_equal(cel_compile(env, STR("'é' == 'x' ||\n  1 / 0 == 1"), NULL, &p, &e), RC_OK);
    assert_int_equal(cel_eval(p, NULL, &run, &v, &e), RC_INVALID);
    assert_string_equal(e.where, "2:3");
    assert_string_equal(e.text, "division by zero");
    assert_int_equal(v.integer, 77);
    struct cel_program *none = NULL;
    assert_int_equal(cel_compile(env, STR("1 +\n size('é') + nope"), NULL, &none, &e), RC_INVALID);
    assert_string_equal(e.where, "2:14");
    assert_null(none);
    /* Without an err to fill in. */
    assert_int_equal(cel_compile(env, STR("nope"), NULL, &none, NULL), RC_INVALID);
    assert_int_equal(cel_eval(p, NULL, &run, &v, NULL), RC_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_declare), cmocka_unit_test(test_objects),
        cmocka_unit_test(test_load),    cmocka_unit_test(test_again),
        cmocka_unit_test(test_steps),   cmocka_unit_test(test_walk),
        cmocka_unit_test(test_json),    cmocka_unit_test(test_error_places),
        cmocka_unit_test(test_remembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
