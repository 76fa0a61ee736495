/*
 * cli/graph_import - `pawl graph import`: what others have written down about production, said to the graph.
 *
 * Files, standard input ("-") or for metrics a Prometheus are read here, by the pure readers of import/; the server gets
 * writings of the graph as from anybody. Nothing is taken back: what is gone from the files is still in the graph.
 */
#include "cli/cli.h"
#include "cli/output.h"
#include "import/compose.h"
#include "import/kubernetes.h"
#include "import/service_metrics.h"
#include "net/http_client.h"
#include "sys/file.h"
#include "value/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum {
    IMPORT_INPUT_MAX = 64 << 20,  /* bytes of one file */
    IMPORT_ARENA_MAX = 1024 << 20, /* of all that is made of them */
    IMPORT_URL_MAX = 4096,
};

/* One call: what is read, and what was found in it. */
struct importing {
    const struct args *args;
    struct arena *arena;
    struct found found;
    struct err e;
};

typedef enum rc (*import_fn)(struct importing *i);

/* --- what comes in ---------------------------------------------------------------------------------------------- */

static struct str shown_name(const char *word)
{
    return strcmp(word, "-") == 0 ? STR("stdin") : str_from(word);
}

/* A file's whole text, in the arena. */
static enum rc read_file(struct importing *i, const char *word, struct str *ret)
{
    struct buf text;
    buf_init(&text, IMPORT_INPUT_MAX);
    enum rc rc = file_read(strcmp(word, "-") == 0 ? "/dev/stdin" : word, &text, &i->e);
    *ret = rc == RC_OK ? arena_str(i->arena, buf_view(&text)) : STR("");
    buf_done(&text);
    return rc == RC_OK && arena_rc(i->arena) != RC_OK
               ? err_set(&i->e, arena_rc(i->arena), "the files together are too large: import them in parts")
               : rc;
}

static enum rc read_documents(struct importing *i, struct documents *d)
{
    enum rc rc = RC_OK;
    for (size_t k = 0; k < i->args->rest_count && rc == RC_OK; k++) {
        const char *word = i->args->rest[k];
        struct str text;
        rc = read_file(i, word, &text);
        rc = rc == RC_OK ? documents_read(d, i->arena, shown_name(word), text, &i->e) : rc;
    }
    return rc;
}

static enum rc read_kubernetes(struct importing *i)
{
    struct documents d = {.count = 0};
    enum rc rc = read_documents(i, &d);
    return rc == RC_OK ? import_kubernetes(&d, &i->found, &i->e) : rc;
}

static enum rc read_compose(struct importing *i)
{
    struct documents d = {.count = 0};
    enum rc rc = read_documents(i, &d);
    return rc == RC_OK ? import_compose(&d, &i->found, &i->e) : rc;
}

/* --- a Prometheus ------------------------------------------------------------------------------------------------- */

/* Our own credential is not for others: none is sent. */
static enum rc ask_prometheus(struct importing *i, const char *word, struct str *ret)
{
    char url[IMPORT_URL_MAX];
    struct str base = str_from(word);
    while (str_ends(base, STR("/"))) {
        base.len--;
    }
    bool whole = strstr(word, "/api/v1/query?") != NULL;
    int len = snprintf(url, sizeof url, "%.*s%s", STR_ARG(base), whole ? "" : "/api/v1/query?query=" SERVICE_METRIC);
    if (len < 0 || (size_t)len >= sizeof url) {
        return err_set(&i->e, RC_INVALID, "the address is longer than %d bytes", IMPORT_URL_MAX);
    }
    struct http_call call = {.method = "GET", .url = url, .timeout_ms = CLIENT_TIMEOUT_MS};
    struct http_reply reply;
    enum rc rc = http_fetch(i->arena, &call, &reply, &i->e);
    if (rc == RC_OK && reply.status != 200 && str_trim(reply.body).len == 0) {
        return err_set(&i->e, RC_UNAVAILABLE, "Prometheus answered with status %u", reply.status);
    }
    *ret = rc == RC_OK ? reply.body : STR("");
    return rc;
}

static enum rc read_metrics(struct importing *i)
{
    const char *word = i->args->rest[0];
    struct str text;
    bool url = strncmp(word, "http://", 7) == 0 || strncmp(word, "https://", 8) == 0;
    enum rc rc = url ? ask_prometheus(i, word, &text) : read_file(i, word, &text);
    return rc == RC_OK ? import_service_metrics(url ? STR("prometheus") : shown_name(word), text, &i->found, &i->e) : rc;
}

/* --- what goes out ------------------------------------------------------------------------------------------------- */

static int print_all(const struct value *writings)
{
    for (uint32_t k = 0; k < writings->count; k++) {
        output_json_line(&writings->items[k]);
    }
    return CLI_OK;
}

static int post_all(struct importing *i, const struct value *writings)
{
    struct session s;
    int code = session_open(&s, i->args);
    if (code != CLI_OK) {
        return code;
    }
    for (uint32_t k = 0; k < writings->count && code == CLI_OK; k++) {
        code = session_post(&s, "/v1/graph", &writings->items[k]);
    }
    session_close(&s);
    if (code == CLI_OK) {
        printf("%" PRIu32 " nodes and %" PRIu32 " edges written\n", i->found.node_count, i->found.edge_count);
    }
    return code;
}

static int say(struct importing *i, const char *source)
{
    const char *given = args_text(i->args, "source");
    struct value writings;
    struct graph_writing checked;
    enum rc rc = found_writings(&i->found, str_from(given != NULL ? given : source), &writings, &i->e);
    /* The first shows what is wrong with the source's name before anything is sent. */
    rc = rc == RC_OK ? graph_writing_read(i->arena, &writings.items[0], &checked, &i->e) : rc;
    if (rc != RC_OK) {
        return cli_failed(&i->e);
    }
    return args_flag(i->args, "print") ? print_all(&writings) : post_all(i, &writings);
}

static int run(const struct args *a, size_t max, const char *source, import_fn read)
{
    struct importing i = {.args = a};
    if (args_expect(a, 1, max, max == 1 ? "a file, or - for standard input" : "files, or - for standard input", &i.e) != RC_OK) {
        return cli_usage(&i.e);
    }
    i.arena = arena_new(IMPORT_ARENA_MAX);
    if (i.arena == NULL) {
        (void)err_set(&i.e, RC_NO_MEMORY, "out of memory");
        return cli_failed(&i.e);
    }
    found_init(&i.found, i.arena);
    int code = read(&i) == RC_OK ? say(&i, source) : cli_failed(&i.e);
    found_done(&i.found);
    arena_free(i.arena);
    return code;
}

/* --- commands --------------------------------------------------------------------------------------------------------- */

static int run_kubernetes(const struct args *a)
{
    return run(a, ARGS_REST_MAX, "kubernetes", read_kubernetes);
}

static int run_compose(const struct args *a)
{
    return run(a, ARGS_REST_MAX, "compose", read_compose);
}

static int run_prometheus(const struct args *a)
{
    return run(a, 1, "prometheus", read_metrics);
}

static const struct option options[] = {
    {"source", 0, OPTION_TEXT, "NAME", "who says so (the word after import)"},
    {"print", 0, OPTION_FLAG, NULL, "print what would be sent, one writing a line"},
    CLI_SERVER_OPTIONS,
};

const struct command graph_import_commands[] = {
    {"graph import kubernetes", "FILE...|-", "write to the graph what manifests say", options, COUNT(options), run_kubernetes,
     "YAML of any number of documents, or what kubectl get -o json prints. What becomes what stands in docs/graph.md."},
    {"graph import compose", "FILE...|-", "the same of compose files", options, COUNT(options), run_compose,
     "Files that are given together are one project. What becomes what stands in docs/graph.md."},
    {"graph import prometheus", "FILE|URL|-", "the same of service-graph metrics", options, COUNT(options), run_prometheus,
     "Reads " SERVICE_METRIC " from the text format, from what /api/v1/query answered, or from a\n"
     "Prometheus at URL, which is asked without credentials. What becomes what stands in docs/graph.md."},
    {0},
};
