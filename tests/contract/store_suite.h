/*
 * tests/contract/store_suite - what every store promises, whatever database is behind it.
 *
 * A database's test gives a place to keep a ledger in; each test of the suite gets a fresh one.
 */
#ifndef TESTS_CONTRACT_STORE_SUITE_H
#define TESTS_CONTRACT_STORE_SUITE_H

struct store_place {
    char folder[256];
    char path[320]; /* what store_open takes */
};

/* Fills in a new place; drop removes it with everything there. */
typedef void (*place_fn)(struct store_place *place);

/* The number of failed tests. */
int store_suite(const char *name, place_fn make, place_fn drop);

#endif
