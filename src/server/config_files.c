#include "server/config_files.h"

#include "base/buf.h"
#include "sys/file.h"
#include "value/yaml.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static enum rc check_writers(const char *path, struct err *e)
{
    struct stat st;
    if (stat(path, &st) != 0) {
        return err_set(e, RC_NOT_FOUND, "%s: %s", path, strerror(errno));
    }
    return (st.st_mode & (S_IWGRP | S_IWOTH)) == 0
               ? RC_OK
               : err_set(e, RC_DENIED, "%s: group or others may write it: chmod go-w", path);
}

enum rc config_file_read(struct arena *a, const char *path, struct str *ret, struct err *e)
{
    enum rc rc = check_writers(path, e);
    struct buf text;
    buf_init(&text, CONFIG_FILE_MAX);
    rc = rc == RC_OK ? file_read(path, &text, e) : rc;
    *ret = rc == RC_OK ? arena_str(a, buf_view(&text)) : STR("");
    buf_done(&text);
    return rc == RC_OK && arena_rc(a) != RC_OK ? err_set(e, arena_rc(a), "%s: too large", path) : rc;
}

enum rc config_yaml_read(struct arena *a, const char *path, struct value *ret, struct err *e)
{
    struct str text;
    enum rc rc = config_file_read(a, path, &text, e);
    return rc == RC_OK ? yaml_parse(a, str_from(path), text, ret, e) : rc;
}

enum rc rules_file_read(struct arena *a, const char *path, struct rules_file *ret, struct err *e)
{
    ret->file = arena_str(a, str_from(path));
    return config_yaml_read(a, path, &ret->v, e);
}

static int is_yaml(const struct dirent *entry)
{
    struct str name = str_from(entry->d_name);
    return !str_starts(name, STR(".")) && (str_ends(name, STR(".yaml")) || str_ends(name, STR(".yml")));
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static enum rc read_all(struct arena *a, const char *folder, struct dirent *const *names, int count, struct rules_file *out,
                        struct err *e)
{
    for (int i = 0; i < count; i++) {
        struct str path = arena_printf(a, "%s/%s", folder, names[i]->d_name);
        enum rc rc = path.ptr == NULL ? err_set(e, arena_rc(a), "the configuration is too large")
                                      : rules_file_read(a, path.ptr, &out[i], e);
        if (rc != RC_OK) {
            return rc;
        }
    }
    return RC_OK;
}

enum rc rules_files_read(struct arena *a, const char *config_path, struct rules_file **ret, uint32_t *ret_count,
                         struct err *e)
{
    const char *slash = strrchr(config_path, '/');
    int in_front = slash == NULL ? 0 : (int)(slash + 1 - config_path);
    struct str folder = arena_printf(a, "%.*srules", in_front, config_path);
    struct dirent **names = NULL;
    *ret = NULL;
    *ret_count = 0;
    int count = scandir(folder.ptr, &names, is_yaml, by_name);
    if (count < 0) {
        return errno == ENOENT || errno == ENOTDIR ? RC_OK : err_set(e, RC_UNAVAILABLE, "%s: %s", folder.ptr, strerror(errno));
    }
    enum rc rc = count > RULES_FILES_MAX
                     ? err_set(e, RC_LIMIT, "%s: %d files, the limit is %d", folder.ptr, count, RULES_FILES_MAX)
                     : check_writers(folder.ptr, e);
    *ret = arena_array(a, (size_t)count, sizeof **ret);
    if (rc == RC_OK && *ret == NULL && count > 0) {
        rc = err_set(e, arena_rc(a), "the configuration is too large");
    }
    rc = rc == RC_OK && *ret != NULL ? read_all(a, folder.ptr, names, count, *ret, e) : rc;
    *ret_count = rc == RC_OK ? (uint32_t)count : 0;
    for (int i = 0; i < count; i++) {
        free(names[i]);
    }
    free(names);
    return rc;
}
