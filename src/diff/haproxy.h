/*
 * diff/haproxy - a configuration of HAProxy as lines in sections, and what a change of one means: for this folder.
 * Pure.
 * Source: HAProxy Configuration Manual, sections 2.2 (quoting) and 4 (proxies).
 */
#ifndef DIFF_HAPROXY_H
#define DIFF_HAPROXY_H

#include "diff/lines.h"

/* Errors: RC_INVALID with the line. */
NODISCARD enum rc haproxy_read(struct arena *a, struct str text, struct config_lines *ret, struct err *e);
diff_facts haproxy_facts(const struct config_line *before, const struct config_line *after);

#endif
