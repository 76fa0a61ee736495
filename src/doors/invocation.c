#include "doors/invocation.h"

#include "value/json.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static enum rc rc_of_errno(int code)
{
    return code == ENOENT || code == ENOTDIR ? RC_NOT_FOUND
           : code == EACCES || code == EPERM ? RC_DENIED
                                             : RC_UNAVAILABLE;
}

static struct value hex_text(struct arena *a, const struct digest *d)
{
    struct value holder = value_object();
    value_add_hex(a, &holder, STR("d"), STR("sha256:"), d->bytes, sizeof d->bytes);
    const struct value *text = value_get(&holder, STR("d"));
    return text == NULL ? value_null() : *text; /* null only when the arena has failed already */
}

enum rc digest_of_fd(int fd, const char *name, struct digest *ret, struct err *e)
{
    CLEANUP(sha256_stream) struct sha256_stream *s = sha256_stream_new();
    if (s == NULL) {
        return err_set(e, RC_NO_MEMORY, "out of memory");
    }
    char bytes[65536];
    off_t at = 0;
    ssize_t n;
    while ((n = pread(fd, bytes, sizeof bytes, at)) != 0) {
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return err_set(e, RC_UNAVAILABLE, "%s: %s", name, strerror(errno));
        }
        sha256_stream_put(s, (struct str){bytes, (size_t)n});
        at += n;
    }
    *ret = sha256_stream_end(s);
    return RC_OK;
}

/* --- the executable ----------------------------------------------------------------------------- */

static bool is_executable(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

/* As execvp(3) looks, but in absolute folders only: the current one must be asked for by name. */
static bool find_in_path(const char *name, char *out)
{
    const char *path = getenv("PATH");
    struct str rest = str_from(path == NULL ? "/usr/bin:/bin" : path);
    struct str folder;
    while (str_next(&rest, ':', &folder)) {
        if (folder.len == 0 || folder.ptr[0] != '/') {
            continue;
        }
        int n = snprintf(out, FILE_PATH_MAX, "%.*s/%s", STR_ARG(folder), name);
        if (n > 0 && n < FILE_PATH_MAX && is_executable(out)) {
            return true;
        }
    }
    return false;
}

static enum rc open_executable(const char *name, struct invocation *i, struct err *e)
{
    char found[FILE_PATH_MAX];
    char resolved[PATH_MAX];
    if (strchr(name, '/') != NULL) {
        if (!str_to_c(str_from(name), found, sizeof found)) {
            return err_set(e, RC_LIMIT, "the command's name is too long");
        }
    } else if (!find_in_path(name, found)) {
        return err_set(e, RC_NOT_FOUND, "%.200s: no such command in PATH", name);
    }
    if (realpath(found, resolved) == NULL) {
        return err_set(e, rc_of_errno(errno), "%.200s: %s", found, strerror(errno));
    }
    snprintf(i->executable, sizeof i->executable, "%s", resolved);
    if (!is_executable(resolved)) {
        return err_set(e, RC_DENIED, "%.200s: it is no executable file", resolved);
    }
    i->exec_fd = open(resolved, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (i->exec_fd < 0) {
        return err_set(e, rc_of_errno(errno), "%.200s: %s", resolved, strerror(errno));
    }
    return digest_of_fd(i->exec_fd, i->executable, &i->exec_digest, e);
}

enum rc invocation_recheck(const struct invocation *i, struct err *e)
{
    struct digest now;
    enum rc rc = digest_of_fd(i->exec_fd, i->executable, &now, e);
    if (rc == RC_OK && !digest_eq(&now, &i->exec_digest)) {
        return err_set(e, RC_CONFLICT, "%s has changed since it was proposed", i->executable);
    }
    return rc;
}

/* --- copies ------------------------------------------------------------------------------------- */

static enum rc copy_bytes(int from, int to, const char *name, struct err *e)
{
    char bytes[65536];
    int64_t total = 0;
    ssize_t n;
    while ((n = read(from, bytes, sizeof bytes)) != 0) {
        if (n < 0 && errno == EINTR) {
            continue;
        }
        total += n;
        if (n < 0 || total > INVOCATION_INPUT_MAX) {
            return n < 0 ? err_set(e, RC_UNAVAILABLE, "%s: %s", name, strerror(errno))
                         : err_set(e, RC_LIMIT, "%s: larger than %d bytes", name, INVOCATION_INPUT_MAX);
        }
        for (ssize_t done = 0; done < n;) {
            ssize_t written = write(to, bytes + done, (size_t)(n - done));
            if (written < 0 && errno != EINTR) {
                return err_set(e, RC_UNAVAILABLE, "%s: it can't be copied: %s", name, strerror(errno));
            }
            done += written > 0 ? written : 0;
        }
    }
    return RC_OK;
}

static enum rc copy_file(const char *name, int to, struct digest *ret, struct err *e)
{
    int from = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (from < 0) {
        return err_set(e, rc_of_errno(errno), "%.200s: %s", name, strerror(errno));
    }
    enum rc rc = copy_bytes(from, to, name, e);
    close(from);
    return rc == RC_OK ? digest_of_fd(to, name, ret, e) : rc;
}

/* Memory that nobody can change any more, not even we. */
static enum rc take_stdin(struct arena *a, const char *name, struct invocation *i, struct value *ret,
                          struct err *e)
{
    if (name == NULL) {
        *ret = value_null();
        return RC_OK;
    }
    struct digest digest;
    i->stdin_fd = memfd_create("pawl-stdin", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (i->stdin_fd < 0) {
        return err_set(e, RC_UNAVAILABLE, "standard input can't be copied: %s", strerror(errno));
    }
    enum rc rc = copy_file(strcmp(name, "-") == 0 ? "/dev/stdin" : name, i->stdin_fd, &digest, e);
    const int seals = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;
    if (rc == RC_OK && (fcntl(i->stdin_fd, F_ADD_SEALS, seals) != 0 || lseek(i->stdin_fd, 0, SEEK_SET) != 0)) {
        rc = err_set(e, RC_UNAVAILABLE, "standard input can't be sealed: %s", strerror(errno));
    }
    *ret = rc == RC_OK ? hex_text(a, &digest) : value_null();
    return rc;
}

static enum rc make_private_folder(struct invocation *i, struct err *e)
{
    const char *base = getenv("XDG_RUNTIME_DIR");
    base = base != NULL && base[0] == '/' ? base : getenv("TMPDIR");
    base = base != NULL && base[0] == '/' ? base : "/tmp";
    int n = snprintf(i->folder, sizeof i->folder, "%s/pawl-run-XXXXXX", base);
    if (n < 0 || (size_t)n >= sizeof i->folder || mkdtemp(i->folder) == NULL) {
        i->folder[0] = '\0';
        return err_set(e, RC_UNAVAILABLE, "no private folder can be made in %.200s: %s", base, strerror(errno));
    }
    return RC_OK;
}

static bool replace_argument(const char **argv, const char *name, const char *with)
{
    bool any = false;
    for (size_t k = 1; argv[k] != NULL; k++) {
        if (strcmp(argv[k], name) == 0) {
            argv[k] = with;
            any = true;
        }
    }
    return any;
}

static enum rc take_input(struct arena *a, struct invocation *i, size_t number, const char *name,
                          struct value *inputs, struct err *e)
{
    const char *slash = strrchr(name, '/');
    struct str copy =
        arena_printf(a, "%s/%zu-%s", i->folder, number, slash == NULL ? name : slash + 1);
    if (arena_rc(a) != RC_OK || copy.len >= FILE_PATH_MAX) {
        return err_set(e, RC_LIMIT, "%.200s: the name is too long", name);
    }
    if (!replace_argument(i->argv, name, copy.ptr)) {
        return err_set(e, RC_INVALID, "--input %.200s: no argument is exactly that", name);
    }
    struct digest digest;
    int to = open(copy.ptr, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
    if (to < 0) {
        return err_set(e, RC_UNAVAILABLE, "%.200s: %s", copy.ptr, strerror(errno));
    }
    enum rc rc = copy_file(name, to, &digest, e);
    close(to);
    if (rc == RC_OK && value_get(inputs, str_from(name)) == NULL) {
        value_add(a, inputs, str_from(name), hex_text(a, &digest));
    }
    return rc;
}

static enum rc take_inputs(struct arena *a, const struct invocation_spec *spec, struct invocation *i,
                           struct value *ret, struct err *e)
{
    *ret = value_object();
    enum rc rc = spec->inputs[0] == NULL ? RC_OK : make_private_folder(i, e);
    for (size_t k = 0; spec->inputs[k] != NULL && rc == RC_OK; k++) {
        rc = take_input(a, i, k, spec->inputs[k], ret, e);
    }
    return rc;
}

/* --- the environment ---------------------------------------------------------------------------- */

static const char *const usual_env[] = {"PATH", "HOME", "LANG", "LC_ALL", "TZ", "TERM", "USER"};

enum { USUAL_ENV = sizeof usual_env / sizeof *usual_env };

bool env_is_secret(struct str name)
{
    static const char *const parts[] = {"KEY", "TOKEN", "SECRET", "PASSW", "CREDENTIAL"};
    char upper[256];
    if (name.len >= sizeof upper) {
        return true;
    }
    for (size_t i = 0; i < name.len; i++) {
        upper[i] = name.ptr[i] >= 'a' && name.ptr[i] <= 'z' ? (char)(name.ptr[i] - 32) : name.ptr[i];
    }
    upper[name.len] = '\0';
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (strstr(upper, parts[i]) != NULL) {
            return true;
        }
    }
    return false;
}

static enum rc take_variable(struct arena *a, struct invocation *i, const char *name, struct value *env,
                             struct err *e)
{
    const char *text = getenv(name);
    if (text == NULL || value_get(env, str_from(name)) != NULL) {
        return RC_OK;
    }
    if (!utf8_valid(str_from(text))) {
        return err_set(e, RC_INVALID, "the variable %.100s is not valid UTF-8", name);
    }
    i->envp[env->count] = arena_printf(a, "%s=%s", name, text).ptr;
    struct digest digest = sha256(str_from(text));
    value_add(a, env, str_from(name),
              env_is_secret(str_from(name)) ? hex_text(a, &digest) : value_string(str_from(text)));
    return RC_OK;
}

static enum rc take_env(struct arena *a, const struct invocation_spec *spec, struct invocation *i,
                        struct value *ret, struct err *e)
{
    *ret = value_object();
    i->envp = arena_array(a, USUAL_ENV + INVOCATION_ENV_MAX + 1, sizeof *i->envp);
    if (i->envp == NULL) {
        return err_set(e, RC_NO_MEMORY, "out of memory");
    }
    enum rc rc = RC_OK;
    for (size_t k = 0; k < USUAL_ENV && rc == RC_OK; k++) {
        rc = take_variable(a, i, usual_env[k], ret, e);
    }
    for (size_t k = 0; spec->env[k] != NULL && rc == RC_OK; k++) {
        struct str name = str_from(spec->env[k]);
        bool bad = name.len == 0 || str_find(name, '=') < name.len || str_starts(name, STR("LD_"));
        rc = bad ? err_set(e, RC_INVALID, "--env %.100s: never passed on", name.ptr)
                 : take_variable(a, i, spec->env[k], ret, e);
    }
    return rc;
}

/* --- all of it ---------------------------------------------------------------------------------- */

static enum rc take_words(struct arena *a, const struct invocation_spec *spec, struct invocation *i,
                          struct value *ret, struct err *e)
{
    size_t count = 0;
    while (spec->argv[count] != NULL) {
        count++;
    }
    *ret = value_array();
    i->argv = arena_array(a, count + 1, sizeof *i->argv);
    if (i->argv == NULL) {
        return err_set(e, RC_NO_MEMORY, "out of memory");
    }
    for (size_t k = 0; k < count; k++) {
        if (!utf8_valid(str_from(spec->argv[k]))) {
            return err_set(e, RC_INVALID, "argument %zu is not valid UTF-8", k);
        }
        i->argv[k] = spec->argv[k];
        value_push(a, ret, value_string(str_from(spec->argv[k])));
    }
    return RC_OK;
}

static enum rc fill(struct arena *a, const struct invocation_spec *spec, struct invocation *i, struct err *e)
{
    struct value words;
    struct value env;
    struct value input;
    struct value inputs;
    enum rc rc = take_words(a, spec, i, &words, e);
    rc = rc == RC_OK ? open_executable(spec->argv[0], i, e) : rc;
    if (rc == RC_OK && getcwd(i->cwd, sizeof i->cwd) == NULL) {
        rc = err_set(e, RC_UNAVAILABLE, "the current folder: %s", strerror(errno));
    }
    rc = rc == RC_OK ? take_env(a, spec, i, &env, e) : rc;
    rc = rc == RC_OK ? take_stdin(a, spec->stdin_file, i, &input, e) : rc;
    rc = rc == RC_OK ? take_inputs(a, spec, i, &inputs, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    if (!utf8_valid(str_from(i->cwd)) || !utf8_valid(str_from(i->executable))) {
        return err_set(e, RC_INVALID, "a folder's name is not valid UTF-8");
    }
    i->value = value_object();
    value_add(a, &i->value, STR("argv"), words);
    value_add_str(a, &i->value, STR("cwd"), arena_str(a, str_from(i->cwd)));
    value_add(a, &i->value, STR("env"), env);
    value_add_str(a, &i->value, STR("executable"), arena_str(a, str_from(i->executable)));
    value_add(a, &i->value, STR("executable_sha256"), hex_text(a, &i->exec_digest));
    value_add(a, &i->value, STR("inputs"), inputs);
    value_add(a, &i->value, STR("stdin"), input);
    return arena_rc(a) == RC_OK ? RC_OK : err_set(e, arena_rc(a), "the command is too large");
}

enum rc invocation_make(struct arena *a, const struct invocation_spec *spec, struct invocation *ret,
                        struct err *e)
{
    *ret = (struct invocation){.exec_fd = -1, .stdin_fd = -1};
    enum rc rc = fill(a, spec, ret, e);
    if (rc != RC_OK) {
        invocation_done(ret);
    }
    return rc;
}

static void remove_folder(const char *folder)
{
    DIR *d = opendir(folder);
    if (d != NULL) {
        for (const struct dirent *entry = readdir(d); entry != NULL; entry = readdir(d)) {
            (void)unlinkat(dirfd(d), entry->d_name, 0); /* "." and ".." refuse by themselves */
        }
        closedir(d);
    }
    (void)rmdir(folder);
}

void invocation_done(struct invocation *i)
{
    if (i->exec_fd >= 0) {
        close(i->exec_fd);
        i->exec_fd = -1;
    }
    if (i->stdin_fd >= 0) {
        close(i->stdin_fd);
        i->stdin_fd = -1;
    }
    if (i->folder[0] != '\0') {
        remove_folder(i->folder);
        i->folder[0] = '\0';
    }
}
