#include "doors/state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Every missing folder of the path. */
static enum rc make_folders(char *path, struct err *e)
{
    for (char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
        if (slash != NULL) {
            *slash = '\0';
        }
        bool failed = mkdir(path, 0700) != 0 && errno != EEXIST;
        if (failed) {
            return err_set(e, RC_UNAVAILABLE, "%s: %s", path, strerror(errno));
        }
        if (slash == NULL) {
            return RC_OK;
        }
        *slash = '/';
    }
}

enum rc state_folder(const char *sub, char *out, struct err *e)
{
    const char *state = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    bool given = state != NULL && state[0] == '/';
    if (!given && (home == NULL || home[0] != '/')) {
        return err_set(e, RC_NOT_FOUND, "neither XDG_STATE_HOME nor HOME is set");
    }
    int n = snprintf(out, FILE_PATH_MAX, "%s%s/pawl%s%s", given ? state : home, given ? "" : "/.local/state",
                     sub[0] == '\0' ? "" : "/", sub);
    if (n < 0 || n >= FILE_PATH_MAX) {
        return err_set(e, RC_LIMIT, "the state folder's name is too long");
    }
    enum rc rc = make_folders(out, e);
    return rc == RC_OK ? folder_check_private(out, e) : rc;
}
