/*
 * base/must - a bug is found where it happens.
 *
 * must(condition) is always compiled in: it aborts with file, line and the condition's text. It is
 * for what can't be unless the program is wrong; never for input.
 */
#ifndef BASE_MUST_H
#define BASE_MUST_H

_Noreturn void must_fail(const char *file, int line, const char *text);

#define must(condition) ((condition) ? (void)0 : must_fail(__FILE__, __LINE__, #condition))

#endif
