/*
 * diff/flags - settings whose names say what they protect: for this folder.
 *
 * auth.enabled, REQUIRE_TLS, insecureSkipVerify, NODE_TLS_REJECT_UNAUTHORIZED: a list of names, by whose ends a setting
 * is known, however it is written. Pure.
 */
#ifndef DIFF_FLAGS_H
#define DIFF_FLAGS_H

#include "diff/compare.h"

diff_facts flag_facts(const struct diff_leaf *leaf);

#endif
