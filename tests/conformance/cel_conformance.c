/*
 * Runs CEL conformance cases: every .jsonl file of a folder, one case a line.
 *
 *     cel_conformance FOLDER
 *     cel_conformance --default FOLDER     FOLDER unless PAWL_CEL_CASES names another; skipped (77)
 *                                          when it is not there
 *     cel_conformance --values             reads expressions from standard input, one a line, and
 *                                          prints what each yields
 *
 * A case is {"section", "name", "expr", "bindings", "container", "disable_check", "check_only",
 * "disable_macros", "expect": {"value": V} or {"error": TEXT}}; V is {"int": "1"}, {"list": [V]},
 * {"map": [[V, V]]} and so on. An error is met by any error, at compile time too.
 */
#include "base/encode.h"
#include "cel/cel.h"
#include "value/json.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SKIPPED = 77,
    FILES_MAX = 256,
    PATH_BYTES = 4096,
    FILE_BYTES_MAX = 64 << 20,
    CASE_MEMORY_MAX = 64 << 20,
    BUDGET = 10000000,
    BINDINGS_MAX = 64,
    ZONE_BYTES_MAX = 64 << 10,
    TEXT_BYTES_MAX = 1 << 20,
};

/* A folder's file, or one case, and what became of it. */
struct tally {
    unsigned passed;
    unsigned failed;
};

struct fixture {
    const char *file;
    const struct value *json;
    struct arena *arena;
    struct cel_env *env;
    struct cel_value values[BINDINGS_MAX];
    uint32_t count;
    struct err err;
};

/* Time zones, from where Linux keeps them. */
static bool zone_of(void *context, struct str name, int64_t seconds, int32_t *ret_offset)
{
    char path[512];
    static char bytes[ZONE_BYTES_MAX];
    (void)context;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (c == '.' || c == '\0' || (c == '/' && i == 0)) {
            return false;
        }
    }
    snprintf(path, sizeof path, "/usr/share/zoneinfo/%.*s", STR_ARG(name));
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        return false;
    }
    size_t len = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    return cel_zone_offset((struct str){bytes, len}, seconds, ret_offset);
}

static bool make(struct arena *a, const struct value *v, struct cel_value *ret);

static bool make_list(struct arena *a, const struct value *v, struct cel_value *ret)
{
    struct cel_value *items = arena_array(a, v->count, sizeof *items);
    for (uint32_t i = 0; items != NULL && i < v->count; i++) {
        if (!make(a, value_item(v, i), &items[i])) {
            return false;
        }
    }
    *ret = cel_of_list(items, v->count);
    return items != NULL;
}

static bool make_map(struct arena *a, const struct value *v, struct cel_value *ret)
{
    struct cel_map *map = cel_map_new(a, v->count);
    for (uint32_t i = 0; map != NULL && i < v->count; i++) {
        struct cel_value key;
        struct cel_value item;
        const struct value *pair = value_item(v, i);
        if (!make(a, value_item(pair, 0), &key) || !make(a, value_item(pair, 1), &item) ||
            !cel_map_put(map, &key, &item)) {
            return false;
        }
    }
    if (map != NULL) {
        *ret = cel_of_map(map);
    }
    return map != NULL;
}

static bool make_bytes(struct arena *a, struct str text, struct cel_value *ret)
{
    uint8_t *bytes = arena_alloc(a, text.len + 1);
    size_t len = 0;
    if (bytes == NULL || !base64_decode(text, bytes, text.len + 1, &len)) {
        return false;
    }
    *ret = cel_of_bytes((struct str){(const char *)bytes, len});
    return true;
}

static bool make_type(struct arena *a, struct str name, struct cel_value *ret)
{
    for (int kind = CEL_NULL; kind < CEL_KINDS; kind++) {
        if (str_eq(name, str_from(cel_kind_name((enum cel_kind)kind)))) {
            struct cel_type *type = arena_alloc(a, sizeof *type);
            if (type != NULL) {
                type->kind = (enum cel_kind)kind;
                *ret = cel_of_type(type);
            }
            return type != NULL;
        }
    }
    return false;
}

static int64_t number_at(const struct value *pair, uint32_t i)
{
    int64_t n = 0;
    const struct value *v = value_item(pair, i);
    if (value_is(v, VALUE_INT)) {
        return v->integer;
    }
    return str_to_i64(value_text(v), &n) ? n : 0;
}

static bool make_scalar(struct str kind, struct str text, struct cel_value *ret)
{
    int64_t i = 0;
    uint64_t u = 0;
    char c[512];
    if (str_eq(kind, STR("int")) && str_to_i64(text, &i)) {
        *ret = cel_of_int(i);
        return true;
    }
    if (str_eq(kind, STR("uint")) && str_to_u64(text, &u)) {
        *ret = cel_of_uint(u);
        return true;
    }
    if (str_eq(kind, STR("double")) && text.len > 0 && str_to_c(text, c, sizeof c)) {
        /* "in" is how some text files write infinity. */
        *ret = cel_of_double(str_eq(text, STR("in"))    ? (double)INFINITY
                             : str_eq(text, STR("-in")) ? -(double)INFINITY
                                                        : strtod(c, NULL));
        return true;
    }
    return false;
}

/* A case's VALUE. */
static bool make(struct arena *a, const struct value *v, struct cel_value *ret)
{
    if (!value_is(v, VALUE_OBJECT) || v->count != 1) {
        return false;
    }
    struct str kind = v->members[0].name;
    const struct value *of = &v->members[0].value;
    if (str_eq(kind, STR("null"))) {
        *ret = cel_of_null();
        return true;
    }
    if (str_eq(kind, STR("bool"))) {
        *ret = cel_of_bool(value_bool_or(of, false));
        return true;
    }
    if (str_eq(kind, STR("string"))) {
        *ret = cel_of_str(value_text(of));
        return true;
    }
    if (str_eq(kind, STR("bytes"))) {
        return make_bytes(a, value_text(of), ret);
    }
    if (str_eq(kind, STR("list"))) {
        return make_list(a, of, ret);
    }
    if (str_eq(kind, STR("map"))) {
        return make_map(a, of, ret);
    }
    if (str_eq(kind, STR("type"))) {
        return make_type(a, value_text(of), ret);
    }
    if (str_eq(kind, STR("timestamp"))) {
        *ret = cel_of_timestamp(number_at(of, 0), (uint32_t)number_at(of, 1));
        return true;
    }
    if (str_eq(kind, STR("duration"))) {
        *ret = cel_of_duration(number_at(of, 0) * 1000000000 + number_at(of, 1));
        return true;
    }
    return make_scalar(kind, value_text(of), ret);
}

static bool same(struct arena *a, const struct cel_value *x, const struct cel_value *y);

static bool same_maps(struct arena *a, const struct cel_value *x, const struct cel_value *y)
{
    for (uint32_t i = 0; i < x->aux; i++) {
        struct cel_entry entry;
        struct cel_entry other;
        bool found = false;
        cel_map_at(x, i, a, &entry);
        for (uint32_t j = 0; j < y->aux && !found; j++) {
            cel_map_at(y, j, a, &other);
            found = same(a, &entry.key, &other.key) && same(a, &entry.value, &other.value);
        }
        if (!found) {
            return false;
        }
    }
    return x->aux == y->aux;
}

static bool same_lists(struct arena *a, const struct cel_value *x, const struct cel_value *y)
{
    for (uint32_t i = 0; i < x->aux && i < y->aux; i++) {
        struct cel_value u;
        struct cel_value v;
        cel_list_at(x, i, a, &u);
        cel_list_at(y, i, a, &v);
        if (!same(a, &u, &v)) {
            return false;
        }
    }
    return x->aux == y->aux;
}

/* The same value of the same kind: stricter than the language's equality, but NaN is NaN. */
static bool same(struct arena *a, const struct cel_value *x, const struct cel_value *y)
{
    if (x->kind != y->kind) {
        return false;
    }
    switch ((enum cel_kind)x->kind) {
    case CEL_NULL:
        return true;
    case CEL_BOOL:
        return x->boolean == y->boolean;
    case CEL_INT:
    case CEL_UINT:
    case CEL_DURATION:
        return x->natural == y->natural;
    case CEL_DOUBLE:
        return (isnan(x->number) && isnan(y->number)) || x->number == y->number;
    case CEL_STRING:
    case CEL_BYTES:
        return str_eq(cel_text(x), cel_text(y));
    case CEL_LIST:
        return same_lists(a, x, y);
    case CEL_MAP:
        return same_maps(a, x, y);
    case CEL_TYPE:
        return str_eq(cel_type_name(x->type), cel_type_name(y->type));
    case CEL_TIMESTAMP:
        return x->integer == y->integer && x->aux == y->aux;
    default:
        return false;
    }
}

/* The case's bindings as variables of type dyn: what their declared types were is not told. */
static bool bind_all(struct fixture *c)
{
    const struct value *bindings = value_get(c->json, STR("bindings"));
    uint32_t count = value_is(bindings, VALUE_OBJECT) ? bindings->count : 0;
    for (uint32_t i = 0; i < count && c->count < BINDINGS_MAX; i++) {
        struct str name = bindings->members[i].name;
        /* A binding named "true" can't be declared, and nothing can read it. */
        if (cel_declare(c->env, name, &cel_dyn, "", NULL) != RC_OK) {
            continue;
        }
        if (!make(c->arena, &bindings->members[i].value, &c->values[c->count])) {
            err_say(&c->err, RC_INVALID, "the binding '%.*s' can't be read", STR_ARG(name));
            return false;
        }
        c->count++;
    }
    return true;
}

static enum rc run(struct fixture *c, struct cel_value *ret)
{
    const struct value *json = c->json;
    struct cel_options options = {
        .container = value_text(value_get(json, STR("container"))),
        .unchecked = value_bool_or(value_get(json, STR("disable_check")), false),
        .no_macros = value_bool_or(value_get(json, STR("disable_macros")), false),
        /* The cases ask for the language; what a deployment refuses is another matter. */
        .cost_max = UINT64_MAX};
    CLEANUP(cel_program) struct cel_program *p = NULL;
    enum rc rc =
        cel_compile(c->env, value_text(value_get(json, STR("expr"))), &options, &p, &c->err);
    if (rc != RC_OK) {
        return rc;
    }
    struct cel_activation values = {.values = c->values, .count = c->count};
    struct cel_run run = {.arena = c->arena, .budget = BUDGET, .zone = zone_of};
    if (value_bool_or(value_get(json, STR("check_only")), false)) {
        *ret = cel_of_type(cel_program_type(p));
        return RC_OK;
    }
    rc = cel_eval(p, &values, &run, ret, &c->err);
    /* Constants are the program's, which ends here. */
    if (rc == RC_OK) {
        struct buf b;
        buf_init(&b, TEXT_BYTES_MAX);
        buf_cel_value(&b, ret, c->arena);
        struct cel_value wanted;
        const struct value *expected = value_get(value_get(json, STR("expect")), STR("value"));
        bool good = make(c->arena, expected, &wanted) && same(c->arena, ret, &wanted);
        err_say(&c->err, RC_OK, "%.*s", (int)(b.len < 200 ? b.len : 200),
                b.data != NULL ? b.data : "");
        *ret = cel_of_bool(good);
        buf_done(&b);
    }
    return rc;
}

/* What came and what was wanted, when they differ. */
static bool judge(struct fixture *c)
{
    const struct value *expect = value_get(c->json, STR("expect"));
    const struct value *wanted = value_get(expect, STR("value"));
    bool check_only = value_bool_or(value_get(c->json, STR("check_only")), false);
    struct cel_value v = {0};
    enum rc rc = bind_all(c) ? run(c, &v) : RC_CORRUPT;
    bool good = rc == RC_OK ? wanted != NULL && (check_only || v.boolean)
                            : wanted == NULL && rc != RC_CORRUPT;
    if (good) {
        return true;
    }
    struct buf b;
    buf_init(&b, TEXT_BYTES_MAX);
    json_write(&b, expect);
    printf("FAILED %s %.*s/%.*s\n  expression: %.*s\n  came:       %s%s\n  expected:   %.*s\n",
           c->file, STR_ARG(value_text(value_get(c->json, STR("section")))),
           STR_ARG(value_text(value_get(c->json, STR("name")))),
           STR_ARG(value_text(value_get(c->json, STR("expr")))),
           rc == RC_OK ? "" : "error: ", c->err.text, STR_ARG(buf_view(&b)));
    buf_done(&b);
    return false;
}

static bool run_case(const char *file, struct str line)
{
    CLEANUP(arena) struct arena *a = arena_new(CASE_MEMORY_MAX);
    CLEANUP(cel_env) struct cel_env *env = cel_env_new();
    struct value json;
    struct err e = {0};
    if (a == NULL || env == NULL || json_parse(a, line, &json, &e) != RC_OK) {
        printf("FAILED %s\n  a line that is no case: %s\n", file, e.text);
        return false;
    }
    struct fixture c = {.file = file, .json = &json, .arena = a, .env = env};
    return judge(&c);
}

/* All of a file; null when it can't be read. */
static char *read_whole(const char *path, size_t *ret_len)
{
    FILE *f = fopen(path, "rb");
    char *bytes = f == NULL ? NULL : malloc(FILE_BYTES_MAX);
    if (bytes != NULL) {
        *ret_len = fread(bytes, 1, FILE_BYTES_MAX, f);
    }
    if (f != NULL) {
        fclose(f);
    }
    return bytes;
}

static struct tally run_file(const char *folder, const char *name)
{
    char path[PATH_BYTES];
    size_t len = 0;
    struct tally t = {0, 0};
    struct str line;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    char *bytes = read_whole(path, &len);
    if (bytes == NULL) {
        printf("FAILED %s: %s\n", path, strerror(errno));
        return (struct tally){0, 1};
    }
    struct str rest = {bytes, len};
    while (str_next(&rest, '\n', &line)) {
        if (str_trim(line).len == 0) {
            continue;
        }
        if (run_case(name, line)) {
            t.passed++;
        } else {
            t.failed++;
        }
    }
    free(bytes);
    return t;
}

static int by_name(const void *a, const void *b)
{
    const char *const *x = a;
    const char *const *y = b;
    return strcmp(*x, *y);
}

/* The names of a folder's .jsonl files, in order; their count, or -1. */
static int list_files(const char *folder, char *names[FILES_MAX])
{
    DIR *dir = opendir(folder);
    int count = 0;
    if (dir == NULL) {
        return -1;
    }
    for (struct dirent *entry = readdir(dir); entry != NULL && count < FILES_MAX;
         entry = readdir(dir)) {
        if (str_ends(str_from(entry->d_name), STR(".jsonl"))) {
            names[count] = strdup(entry->d_name);
            count += names[count] != NULL;
        }
    }
    closedir(dir);
    qsort(names, (size_t)count, sizeof names[0], by_name);
    return count;
}

static int run_folder(const char *folder)
{
    char *names[FILES_MAX];
    struct tally tallies[FILES_MAX];
    struct tally all = {0, 0};
    int count = list_files(folder, names);
    if (count <= 0) {
        fprintf(stderr, "%s: no .jsonl files\n", folder);
        return 2;
    }
    for (int i = 0; i < count; i++) {
        tallies[i] = run_file(folder, names[i]);
        all.passed += tallies[i].passed;
        all.failed += tallies[i].failed;
    }
    printf("%-32s %7s %7s\n", "file", "passed", "failed");
    for (int i = 0; i < count; i++) {
        printf("%-32s %7u %7u\n", names[i], tallies[i].passed, tallies[i].failed);
        free(names[i]);
    }
    printf("%u passed, %u failed\n", all.passed, all.failed);
    return all.failed == 0 && all.passed > 0 ? 0 : 1;
}

/* One expression of --values: what it yields, on one line. */
static void print_value(struct cel_env *env, struct str text)
{
    CLEANUP(arena) struct arena *a = arena_new(CASE_MEMORY_MAX);
    CLEANUP(cel_program) struct cel_program *p = NULL;
    struct cel_value v = {0};
    struct err e = {0};
    struct cel_run run = {.arena = a, .budget = BUDGET, .zone = zone_of};
    enum rc rc = cel_compile(env, text, NULL, &p, &e);
    bool compiled = rc == RC_OK;
    if (compiled) {
        rc = cel_eval(p, NULL, &run, &v, &e);
    }
    if (rc != RC_OK) {
        printf("%s: %s: %s\n", compiled ? "error" : "refused", e.where, e.text);
        return;
    }
    struct buf b;
    buf_init(&b, TEXT_BYTES_MAX);
    buf_cel_value(&b, &v, a);
    printf("%.*s\n", STR_ARG(buf_view(&b)));
    buf_done(&b);
}

static int print_values(void)
{
    CLEANUP(cel_env) struct cel_env *env = cel_env_new();
    static char line[CEL_TEXT_MAX];
    while (env != NULL && fgets(line, sizeof line, stdin) != NULL) {
        print_value(env, str_trim(str_from(line)));
    }
    return env == NULL;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--values") == 0) {
        return print_values();
    }
    bool optional = argc == 3 && strcmp(argv[1], "--default") == 0;
    if (argc != 2 && !optional) {
        fprintf(stderr, "usage: cel_conformance FOLDER | --default FOLDER | --values\n");
        return 2;
    }
    const char *folder = argv[argc - 1];
    if (optional && getenv("PAWL_CEL_CASES") != NULL) {
        folder = getenv("PAWL_CEL_CASES");
    }
    DIR *there = optional ? opendir(folder) : NULL;
    if (optional && there == NULL) {
        printf("skipped: no conformance cases in %s (see PAWL_CEL_CASES)\n", folder);
        return SKIPPED;
    }
    if (there != NULL) {
        closedir(there);
    }
    return run_folder(folder);
}
