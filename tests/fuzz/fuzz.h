/*
 * tests/fuzz/fuzz - what every fuzz target includes.
 *
 * A target checks its invariants with must(), which aborts: that is what a fuzzer looks for.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
