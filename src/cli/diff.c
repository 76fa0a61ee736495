/*
 * cli/diff - `pawl diff`: what the gate sees in a change.
 *
 * Reads files or standard input ("-"), and runs git for a range. A table on a terminal, else JSON.
 */
#include "cli/cli.h"
#include "cli/git_output.h"
#include "cli/output.h"
#include "diff/config.h"
#include "diff/read.h"
#include "diff/sql_changes.h"
#include "diff/terraform.h"
#include "sys/file.h"
#include "value/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum {
    DIFF_INPUT_MAX = 64 << 20,  /* bytes of one file */
    DIFF_ARENA_MAX = 768 << 20, /* of all that is made of it */
    OWNERS_MAX = 4 << 20,
};

/* One call: what was read, and what became of it. */
struct look {
    const struct args *args;
    struct arena *arena;
    struct buf texts[2];
    struct buf owners;
    struct diff_changes changes;
    struct err e;
};

/* --- what comes in ---------------------------------------------------------------------------------- */

static enum rc read_word(struct look *l, size_t i, struct str *ret)
{
    const char *name = l->args->rest[i];
    buf_init(&l->texts[i], DIFF_INPUT_MAX);
    enum rc rc = file_read(strcmp(name, "-") == 0 ? "/dev/stdin" : name, &l->texts[i], &l->e);
    *ret = buf_view(&l->texts[i]);
    return rc;
}

static enum rc read_both(struct look *l, struct value values[static 2])
{
    enum rc rc = RC_OK;
    for (size_t i = 0; i < 2 && rc == RC_OK; i++) {
        struct str text = STR("");
        rc = read_word(l, i, &text);
        values[i] = value_string(text);
    }
    return rc;
}

static struct str name_of(const char *word)
{
    return strcmp(word, "-") == 0 ? STR("") : str_from(word);
}

/* --- what goes out ---------------------------------------------------------------------------------- */

static void print_table(const struct look *l)
{
    static const struct column columns[] = {{"kind", "kind"},     {"resource", "resource"}, {"path", "path"},
                                            {"facts", "facts"},   {"surface", "surface"},   {"before", "before"},
                                            {"after", "after"}};
    const struct diff_changes *c = &l->changes;
    output_table(&c->list, columns, COUNT(columns));
    printf("\n%" PRIu64 " created, %" PRIu64 " changed, %" PRIu64 " replaced, %" PRIu64 " deleted; %" PRIu64 " destructive, %" PRIu64
           " can't be taken back\n",
           c->creates, c->updates, c->replaces, c->deletes, c->destructive, c->irreversible);
    if (c->over) {
        puts("There is more than is shown: a gate takes all of it as unknown.");
    }
}

static void print_look(struct look *l)
{
    if (output_is_terminal() && !args_flag(l->args, "json")) {
        print_table(l);
        return;
    }
    struct value v = diff_changes_value(l->arena, &l->changes);
    output_json(&v);
}

/* --- one look --------------------------------------------------------------------------------------- */

static int look(const struct args *a, size_t words, const char *what, enum rc (*read)(struct look *l))
{
    struct look l = {.args = a};
    if (args_expect(a, words, words, what, &l.e) != RC_OK) {
        return cli_usage(&l.e);
    }
    l.arena = arena_new(DIFF_ARENA_MAX);
    enum rc rc = l.arena == NULL ? err_set(&l.e, RC_NO_MEMORY, "out of memory") : read(&l);
    if (rc == RC_OK) {
        print_look(&l);
        rc = diff_built(l.arena, &l.e);
    }
    buf_done(&l.texts[0]);
    buf_done(&l.texts[1]);
    buf_done(&l.owners);
    arena_free(l.arena);
    return rc == RC_OK ? CLI_OK : cli_failed(&l.e);
}

static enum rc look_terraform(struct look *l)
{
    struct str text = STR("");
    struct value plan;
    enum rc rc = read_word(l, 0, &text);
    rc = rc == RC_OK ? json_parse(l->arena, text, &plan, &l->e) : rc;
    return rc == RC_OK ? diff_terraform(l->arena, &plan, &l->changes, &l->e) : rc;
}

static enum rc look_sql(struct look *l)
{
    struct str text = STR("");
    enum rc rc = read_word(l, 0, &text);
    return rc == RC_OK ? diff_sql(l->arena, text, &l->changes, &l->e) : rc;
}

static enum rc look_kubernetes(struct look *l)
{
    struct value values[2];
    struct diff_pair sides = {.before = &values[0], .after = &values[1]};
    enum rc rc = read_both(l, values);
    return rc == RC_OK ? diff_kubernetes(l->arena, &sides, &l->changes, &l->e) : rc;
}

static enum rc look_config(struct look *l)
{
    const char *name = args_text(l->args, "format");
    enum diff_format format = DIFF_NONE;
    if (name == NULL || !diff_format_find(str_from(name), &format) || format < DIFF_HAPROXY) {
        return err_set(&l->e, RC_INVALID, "option --format: expected haproxy, nginx, env, json or yaml");
    }
    struct value values[2];
    struct diff_pair sides = {.before = &values[0], .after = &values[1], .name = name_of(l->args->rest[1])};
    enum rc rc = read_both(l, values);
    return rc == RC_OK ? diff_config(l->arena, format, &sides, &l->changes, &l->e) : rc;
}

static enum rc look_any(struct look *l)
{
    struct str text = STR("");
    enum rc rc = read_word(l, 0, &text);
    struct value v = value_string(text);
    return rc == RC_OK ? diff_read(l->arena, &v, NULL, &l->changes, &l->e) : rc;
}

/* --- git -------------------------------------------------------------------------------------------- */

/* The option's, else those of the state before. */
static enum rc read_owners(struct look *l, struct str range, struct diff_settings *s)
{
    const char *file = args_text(l->args, "codeowners");
    enum rc rc = RC_NOT_FOUND;
    buf_init(&l->owners, OWNERS_MAX);
    if (file != NULL) {
        rc = file_read(file, &l->owners, &l->e);
    } else if (range.len > 0) {
        rc = git_codeowners(range, &l->owners, &l->e);
    }
    s->has_codeowners = rc == RC_OK;
    s->codeowners = buf_view(&l->owners);
    return rc == RC_NOT_FOUND && file == NULL ? RC_OK : rc;
}

static enum rc look_git(struct look *l)
{
    struct str word = str_from(l->args->rest[0]);
    struct diff_settings settings = {.has_codeowners = false};
    struct str patch = STR("");
    bool range = git_is_range(word);
    enum rc rc;
    if (range) {
        buf_init(&l->texts[0], DIFF_INPUT_MAX);
        rc = git_patch(word, &l->texts[0], &l->e);
        patch = buf_view(&l->texts[0]);
    } else {
        rc = read_word(l, 0, &patch);
    }
    rc = rc == RC_OK ? read_owners(l, range ? word : STR(""), &settings) : rc;
    return rc == RC_OK ? diff_git(l->arena, patch, &settings, &l->changes, &l->e) : rc;
}

/* --- commands --------------------------------------------------------------------------------------- */

static int run_any(const struct args *a)
{
    return look(a, 1, "FILE", look_any);
}

static int run_terraform(const struct args *a)
{
    return look(a, 1, "FILE", look_terraform);
}

static int run_kubernetes(const struct args *a)
{
    return look(a, 2, "BEFORE AFTER", look_kubernetes);
}

static int run_sql(const struct args *a)
{
    return look(a, 1, "FILE", look_sql);
}

static int run_git(const struct args *a)
{
    return look(a, 1, "BASE..HEAD or FILE", look_git);
}

static int run_config(const struct args *a)
{
    return look(a, 2, "BEFORE AFTER", look_config);
}

static const struct option plain_options[] = {CLI_JSON_OPTION};

static const struct option git_options[] = {
    {"codeowners", 0, OPTION_TEXT, "FILE", "who owns which path (of a range: CODEOWNERS before the change)"},
    CLI_JSON_OPTION,
};

static const struct option config_options[] = {
    {"format", 0, OPTION_TEXT, "FORMAT", "haproxy, nginx, env, json or yaml"},
    CLI_JSON_OPTION,
};

static const char more[] = "A table on a terminal, else JSON; - is standard input. The words it uses stand in docs/diff.md.";

const struct command diff_commands[] = {
    {"diff", "FILE", "show what the gate sees in a change, whatever its format", plain_options, COUNT(plain_options), run_any, more},
    {"diff terraform", "FILE", "the same of a plan: terraform show -json PLAN", plain_options, COUNT(plain_options), run_terraform,
     more},
    {"diff kubernetes", "BEFORE AFTER", "the same of manifests", plain_options, COUNT(plain_options), run_kubernetes, more},
    {"diff sql", "FILE", "the same of a script of SQL", plain_options, COUNT(plain_options), run_sql, more},
    {"diff git", "BASE..HEAD|FILE", "the same of a range of commits, or of a patch", git_options, COUNT(git_options), run_git, more},
    {"diff config", "BEFORE AFTER", "the same of configuration", config_options, COUNT(config_options), run_config, more},
    {0},
};
