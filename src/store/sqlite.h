/*
 * store/sqlite - SQLite behind a few calls: a database, its prepared queries, its errors as rc.
 *
 * Errors: RC_LIMIT for a full disk (nothing of the transaction was written), RC_CORRUPT for a damaged
 *         file or one that is no database, RC_CONFLICT for a key that is there, RC_NO_MEMORY,
 *         RC_NOT_FOUND for a file that can't be opened because it is not there, RC_UNAVAILABLE for
 *         everything else. A failed sync is never RC_LIMIT, whatever its reason.
 * Threads: a db and its queries belong to one thread at a time.
 */
#ifndef STORE_SQLITE_H
#define STORE_SQLITE_H

#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct db;

NODISCARD enum rc db_open(const char *path, bool for_writing, int busy_ms, struct db **ret, struct err *e);
/* Takes: the queries prepared on it as well. */
void db_close(struct db *d);
/* Statements without results and parameters. */
NODISCARD enum rc db_run(struct db *d, const char *sql, struct err *e);
/* The integer in the first column of the first row; 0 when there is none or it is null. */
NODISCARD enum rc db_number(struct db *d, const char *sql, int64_t *ret, struct err *e);
/* Ends a transaction that failed, if it is still open. */
void db_rollback(struct db *d);
/* Pages in the write-ahead log after the last commit of this connection. */
unsigned db_wal_pages(const struct db *d);
/* Moves log pages into the file. whole: waits for readers and fails when not all could be moved. */
NODISCARD enum rc db_checkpoint(struct db *d, bool whole, struct err *e);

/* All of it as one transaction sees it, into a file that is empty or not there. The copy has no log of its own and is
 * not synced. */
NODISCARD enum rc db_copy(struct db *d, const char *path, struct err *e);

struct query;
/* *q is prepared on first use and kept until db_close; returns it ready for binding. */
NODISCARD enum rc db_query(struct db *d, struct query **q, const char *sql, struct err *e);
/* Parameters count from 1. Borrows: bytes, until the query is reset or bound again. */
void query_number(struct query *q, int at, int64_t n);
void query_bytes(struct query *q, int at, struct str bytes);
/* Failure resets the query. */
NODISCARD enum rc query_step(struct query *q, bool *ret_row, struct err *e);
/* Steps a query without results, resets it. */
NODISCARD enum rc query_run(struct query *q, struct err *e);
void query_reset(struct query *q);
/* Columns count from 0. Valid until the next step or reset. */
int64_t query_column_number(struct query *q, int at);
struct str query_column_bytes(struct query *q, int at);
bool query_column_is_null(struct query *q, int at);

#endif
