/*
 * diff/nginx - a configuration of nginx as directives in blocks, and what a change of one means: for this folder.
 *
 * A block is named by its words and, for a server, by its first name and listen, so that what moves from one to the
 * other is seen. Pure.
 * Source: nginx.org "Beginner's Guide", "Configuration File's Structure".
 */
#ifndef DIFF_NGINX_H
#define DIFF_NGINX_H

#include "diff/lines.h"

enum {
    NGINX_DEPTH_MAX = 16,
    NGINX_DIRECTIVE_MAX = 65536, /* bytes of one */
};

/* Errors: RC_INVALID with the line; RC_LIMIT for blocks inside each other. */
NODISCARD enum rc nginx_read(struct arena *a, struct str text, struct config_lines *ret, struct err *e);
diff_facts nginx_facts(const struct config_line *before, const struct config_line *after);

#endif
