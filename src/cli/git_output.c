#include "cli/git_output.h"

#include "net/process.h"
#include "scope/log.h"
#include "sys/file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RANGE_MAX = 512, SAID_MAX = 1024, ENV_MAX = 8, ENV_TEXT_MAX = 4096 };

/* One run of git. */
struct run {
    struct buf *out;
    struct buf said; /* to stderr */
    struct process *process;
};

/* --- the program ------------------------------------------------------------------------------------ */

/* In the absolute folders of PATH. */
static int open_git(char path[static FILE_PATH_MAX])
{
    const char *folders = getenv("PATH");
    struct str rest = str_from(folders == NULL ? "/usr/bin:/bin" : folders);
    struct str folder;
    while (str_next(&rest, ':', &folder)) {
        int n = snprintf(path, FILE_PATH_MAX, "%.*s/git", STR_ARG(folder));
        if (n > 0 && n < FILE_PATH_MAX && path[0] == '/' && access(path, X_OK) == 0) {
            return open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        }
    }
    return -1;
}

/* Its own repository settings are its folder's; what the environment could point elsewhere stays out. */
static void make_env(char texts[static ENV_MAX][ENV_TEXT_MAX], const char *envp[static ENV_MAX + 1])
{
    static const char *const passed[] = {"PATH", "HOME", "XDG_CONFIG_HOME"};
    static const char *const fixed[] = {"LC_ALL=C", "GIT_OPTIONAL_LOCKS=0", "GIT_TERMINAL_PROMPT=0", "GIT_NO_LAZY_FETCH=1"};
    unsigned count = 0;
    for (size_t i = 0; i < sizeof passed / sizeof *passed; i++) {
        const char *value = getenv(passed[i]);
        int n = value == NULL ? 0 : snprintf(texts[count], ENV_TEXT_MAX, "%s=%s", passed[i], value);
        if (n > 0 && n < ENV_TEXT_MAX) {
            envp[count] = texts[count];
            count++;
        }
    }
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) {
        envp[count++] = fixed[i];
    }
    envp[count] = NULL;
}

/* --- a run ------------------------------------------------------------------------------------------ */

static void take(void *context, int stream, struct str piece)
{
    struct run *run = context;
    if (stream == 2) {
        buf_str(&run->said, str_slice(piece, 0, SAID_MAX - run->said.len));
        return;
    }
    if (run->out->rc == RC_OK) {
        buf_str(run->out, piece);
    }
    if (run->out->rc != RC_OK) {
        process_cancel(run->process);
    }
}

static enum rc finish(struct run *run, enum process_event event, struct err *e)
{
    if (event == PROCESS_TIMEOUT) {
        return err_set(e, RC_UNAVAILABLE, "git takes longer than %d s", GIT_WAIT_MS / 1000);
    }
    if (run->out->rc != RC_OK) {
        return err_set(e, run->out->rc, "git prints more than %zu bytes", run->out->max);
    }
    if (process_exit_code(run->process) != 0) {
        struct str said = str_trim(buf_view(&run->said));
        return err_set(e, RC_INVALID, "git: %.*s", STR_ARG(said));
    }
    return RC_OK;
}

static enum rc run_git_in(const char *folder, const char *const *argv, struct buf *out, struct err *e)
{
    char path[FILE_PATH_MAX];
    char texts[ENV_MAX][ENV_TEXT_MAX];
    const char *envp[ENV_MAX + 1];
    struct run run = {.out = out};
    int fd = open_git(path);
    if (fd < 0) {
        return err_set(e, RC_NOT_FOUND, "git: no such command in PATH");
    }
    make_env(texts, envp);
    struct process_spec spec = {.exec_fd = fd, .exec_path = path, .argv = argv, .envp = envp, .cwd = folder, .stdin_fd = -1};
    buf_init(&run.said, SAID_MAX);
    enum rc rc = process_start(&spec, &run.process, e);
    if (rc == RC_OK) {
        enum process_event event = process_wait(run.process, GIT_WAIT_MS, take, &run);
        rc = finish(&run, event, e);
        process_free(run.process);
    }
    buf_done(&run.said);
    close(fd);
    return rc;
}

static enum rc run_git(const char *const *argv, struct buf *out, struct err *e)
{
    return run_git_in(NULL, argv, out, e);
}

/* --- what is asked ---------------------------------------------------------------------------------- */

static size_t dots_at(struct str word)
{
    for (size_t i = 0; i + 1 < word.len; i++) {
        if (word.ptr[i] == '.' && word.ptr[i + 1] == '.') {
            return i;
        }
    }
    return word.len;
}

bool git_is_range(struct str word)
{
    size_t at = dots_at(word);
    return at < word.len && word.len > 2 && word.len < RANGE_MAX && word.ptr[0] != '-' && word.ptr[0] != '/' &&
           !str_starts(word, STR("../")) && !str_starts(word, STR("./"));
}

enum rc git_patch(struct str range, struct buf *out, struct err *e)
{
    char word[RANGE_MAX];
    if (!git_is_range(range) || !str_to_c(range, word, sizeof word)) {
        return err_set(e, RC_INVALID, "expected a range such as main..HEAD");
    }
    const char *const argv[] = {"git", "--no-pager", "-c", "core.quotePath=true", "-c", "core.fsmonitor=false", "diff",
                                "--no-color", "--no-ext-diff", "--no-textconv", "--no-relative", "--find-renames",
                                "--full-index", "--unified=0", "--src-prefix=a/", "--dst-prefix=b/", "--submodule=short",
                                "--ignore-submodules=none", word, "--", NULL};
    return run_git(argv, out, e);
}

enum rc git_codeowners(struct str range, struct buf *out, struct err *e)
{
    static const char *const places[] = {".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"};
    struct str base = str_slice(range, 0, dots_at(range));
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        char blob[RANGE_MAX + 32];
        snprintf(blob, sizeof blob, "%.*s:%s", base.len > 0 ? (int)base.len : 4, base.len > 0 ? base.ptr : "HEAD", places[i]);
        const char *const argv[] = {"git", "--no-pager", "cat-file", "blob", blob, NULL};
        buf_reset(out);
        enum rc rc = run_git(argv, out, e);
        if (rc != RC_INVALID) {
            return rc;
        }
    }
    buf_reset(out);
    return err_set(e, RC_NOT_FOUND, "there is no CODEOWNERS");
}

/* --- history ---------------------------------------------------------------------------------------- */

/* What every look at the history begins with: replaced objects and a monitor of files would change what is seen. */
#define GIT_PLAIN "git", "--no-pager", "--no-replace-objects", "-c", "core.fsmonitor=false"

enum rc git_commit_id(const char *folder, const char *commit, char ret[static GIT_ID_MAX + 1], struct err *e)
{
    char word[RANGE_MAX];
    struct buf out;
    int n = snprintf(word, sizeof word, "%s^{commit}", commit);
    if (commit[0] == '\0' || commit[0] == '-' || n >= (int)sizeof word) {
        return err_set(e, RC_INVALID, "expected a commit, such as HEAD or main");
    }
    const char *const argv[] = {GIT_PLAIN, "rev-parse", "--verify", "--quiet", "--end-of-options", word, NULL};
    buf_init(&out, RANGE_MAX);
    enum rc rc = run_git_in(folder, argv, &out, e);
    struct str id = str_trim(buf_view(&out));
    if (rc == RC_INVALID && e->text[strlen("git: ")] == '\0') {
        rc = err_set(e, RC_NOT_FOUND, "there is no commit \"%.200s\"", commit);
    }
    if (rc == RC_OK && !str_to_c(id, ret, GIT_ID_MAX + 1)) {
        rc = err_set(e, RC_INVALID, "git names no commit");
    }
    buf_done(&out);
    return rc;
}

static enum rc side_id(const char *folder, struct str side, char ret[static GIT_ID_MAX + 1], struct err *e)
{
    char word[RANGE_MAX];
    if (!str_to_c(side.len == 0 ? STR("HEAD") : side, word, sizeof word)) {
        return err_set(e, RC_INVALID, "expected a range such as main..HEAD");
    }
    return git_commit_id(folder, word, ret, e);
}

enum rc git_range_ids(const char *folder, const char *range, char ret_base[static GIT_ID_MAX + 1],
                      char ret_head[static GIT_ID_MAX + 1], struct err *e)
{
    struct str word = str_from(range);
    size_t at = dots_at(word);
    if (!git_is_range(word) || (at + 2 < word.len && word.ptr[at + 2] == '.')) {
        return err_set(e, RC_INVALID, "expected a range such as main..HEAD");
    }
    enum rc rc = side_id(folder, str_slice(word, 0, at), ret_base, e);
    return rc == RC_OK ? side_id(folder, str_slice(word, at + 2, word.len), ret_head, e) : rc;
}

enum rc git_log(const char *folder, const char *head, const char *not_in, uint32_t count, struct buf *out, struct err *e)
{
    char limit[32];
    char without[GIT_ID_MAX + 2];
    snprintf(limit, sizeof limit, "--max-count=%u", (unsigned)count);
    snprintf(without, sizeof without, "^%s", not_in == NULL ? "" : not_in);
    static const char format[] = "--format=" SCOPE_LOG_FORMAT;
    const char *const argv[] = {GIT_PLAIN, "log", "--no-color", "--no-show-signature", "--no-notes", "--no-merges",
                                "--topo-order", "--raw", "-z", "--abbrev=7", "--no-renames", "--no-relative",
                                "--no-ext-diff", "--no-textconv", "--ignore-submodules=none", "--root",
                                format, limit, head, not_in == NULL ? "--" : without,
                                not_in == NULL ? NULL : "--", NULL};
    return run_git_in(folder, argv, out, e);
}

enum rc git_tree(const char *folder, const char *commit, struct buf *out, struct err *e)
{
    const char *const argv[] = {GIT_PLAIN, "ls-tree", "-r", "-z", "--name-only", "--full-tree", commit, NULL};
    return run_git_in(folder, argv, out, e);
}

enum rc git_changed(const char *folder, const char *base, const char *head, struct buf *out, struct err *e)
{
    const char *const argv[] = {GIT_PLAIN, "diff", "--no-color", "--no-ext-diff", "--no-textconv", "--no-relative",
                                "--no-renames", "--ignore-submodules=none", "--name-only", "-z", base, head, "--", NULL};
    return run_git_in(folder, argv, out, e);
}
