/*
 * server/config_files - the files that a configuration is read from.
 *
 * Each must be writable by its owner only: nobody else may change what the gate decides by.
 */
#ifndef SERVER_CONFIG_FILES_H
#define SERVER_CONFIG_FILES_H

#include "policy/policy.h"

enum {
    CONFIG_FILE_MAX = 8 << 20, /* bytes of one */
    RULES_FILES_MAX = 256,
};

/* The text, in a. Errors: RC_NOT_FOUND; RC_DENIED for one that others may write; RC_LIMIT. */
NODISCARD enum rc config_file_read(struct arena *a, const char *path, struct str *ret, struct err *e);
NODISCARD enum rc config_yaml_read(struct arena *a, const char *path, struct value *ret, struct err *e);

/*
 * The rules beside a configuration: rules/NAME.yaml in its folder, in the order of their names. None when there is no
 * such folder. ret: an array in a.
 */
NODISCARD enum rc rules_files_read(struct arena *a, const char *config_path, struct rules_file **ret, uint32_t *ret_count,
                                   struct err *e);
/* One of them. */
NODISCARD enum rc rules_file_read(struct arena *a, const char *path, struct rules_file *ret, struct err *e);

#endif
