/*
 * tests/check - what every cmocka test includes.
 */
#ifndef TESTS_CHECK_H
#define TESTS_CHECK_H

#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Prints both texts when they differ. */
#define assert_str(got, want) check_text((got), (want), __FILE__, __LINE__)

static inline void check_text(struct str got, const char *want, const char *file, int line)
{
    if (!str_eq(got, str_from(want))) {
        print_error("%s:%d\n  got:  %.*s\n  want: %s\n", file, line, STR_ARG(got), want);
        fail();
    }
}

#endif
