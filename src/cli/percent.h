/*
 * cli/percent - a percentage as text to parts per million, rounded to the chosen side.
 *
 * Exact: a percentage that lies a hair on the wrong side of a limit stays there. Pure.
 */
#ifndef CLI_PERCENT_H
#define CLI_PERCENT_H

#include "base/str.h"

enum percent_rounding { PERCENT_DOWN, PERCENT_UP };

/* Decimal digits with an optional sign and fraction, at most 6 digits before the point. */
NODISCARD bool percent_parse(struct str text, enum percent_rounding rounding, int64_t *ret_ppm);

#endif
