/* diff/sql: statements that drop, truncate, rewrite or narrow, however they are written. */
#include "check.h"

#include "diff/sql.h"

static void statements_are_judged(void **state)
{
    (void)state;
    static const struct {
        const char *sql;
        enum sql_harm harm;
        const char *what;
    } rows[] = {
        {"", SQL_HARMLESS, ""},
        {"select 1", SQL_HARMLESS, ""},
        {"create table t (a int not null)", SQL_HARMLESS, ""},
        {"create index concurrently i on t (a)", SQL_HARMLESS, ""},
        {"alter table t add column b int", SQL_HARMLESS, ""},
        {"alter table t alter column b set default 3", SQL_HARMLESS, ""},
        {"insert into t values ('drop table t')", SQL_HARMLESS, ""},
        {"select 'truncate t' -- drop table t", SQL_HARMLESS, ""},
        {"/* drop table t */ select 1", SQL_HARMLESS, ""},
        {"delete from t where a = 1", SQL_HARMLESS, ""},
        {"update t set a = 1 where b = 2", SQL_HARMLESS, ""},
        {"vacuum t", SQL_HARMLESS, ""},
        {"drop table t", SQL_DROPS, "drop"},
        {"DrOp /* really */ TABLE IF EXISTS \"T\" cascade", SQL_DROPS, "drop"},
        {"drop index i", SQL_DROPS, "drop"},
        {"drop schema s cascade", SQL_DROPS, "drop"},
        {"drop database d", SQL_DROPS, "drop database"},
        {"drop owned by r", SQL_DROPS, "drop owned"},
        {"alter table t drop column b", SQL_DROPS, "drop column b"},
        {"alter table t drop constraint k", SQL_DROPS, "drop constraint k"},
        {"alter table t detach partition p", SQL_DROPS, "detach partition"},
        {"truncate t", SQL_TRUNCATES, "truncate"},
        {"delete from orders", SQL_TRUNCATES, "delete every row of orders"},
        {"update orders set paid = true", SQL_REWRITES, "update every row of orders"},
        {"alter table t alter column b type smallint", SQL_REWRITES, "change the type of column b"},
        {"alter table t set unlogged", SQL_REWRITES, "set unlogged"},
        {"vacuum full t", SQL_REWRITES, "vacuum full"},
        {"cluster t using i", SQL_REWRITES, "cluster t"},
        {"alter table t alter column b set not null", SQL_NARROWS, "set not null on column b"},
        {"alter table t add constraint c check (a > 0)", SQL_NARROWS, "add constraint"},
        {"alter table t rename column a to b", SQL_NARROWS, "rename t"},
        {"alter table t set schema s", SQL_NARROWS, "move to another schema t"},
        {"do $$ begin execute 'drop table t'; end $$", SQL_OPAQUE, "do block"},
        {"call p()", SQL_OPAQUE, "call"},
        {"copy t from program 'curl x'", SQL_OPAQUE, "copy with a program"},
        {"copy t from stdin", SQL_HARMLESS, ""},
        {"with gone as (delete from t returning *) select * from gone", SQL_TRUNCATES, "delete every row of t"},
        {"begin; alter table t add column b int; drop table old; commit", SQL_DROPS, "drop"},
        {"select 1; truncate t; select 2", SQL_TRUNCATES, "truncate"},
        {"drop tabel t", SQL_UNREADABLE, "syntax error at or near \"tabel\""},
        {"this is no sql", SQL_UNREADABLE, "syntax error at or near \"this\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sql_reading r = sql_read(str_from(rows[i].sql));
        if (r.harm != rows[i].harm || strcmp(r.what, rows[i].what) != 0) {
            print_error("%s: %s (%s), want %s (%s)\n", rows[i].sql, sql_harm_name(r.harm), r.what,
                        sql_harm_name(rows[i].harm), rows[i].what);
            fail();
        }
    }
}

static void limits(void **state)
{
    (void)state;
    char *text = malloc(SQL_MAX + 2);
    assert_non_null(text);
    memset(text, ' ', SQL_MAX + 1);
    memcpy(text, "select 1", 8);
    assert_int_equal(sql_read((struct str){text, SQL_MAX}).harm, SQL_HARMLESS);
    assert_int_equal(sql_read((struct str){text, SQL_MAX + 1}).harm, SQL_UNREADABLE);
    assert_int_equal(sql_read((struct str){"select\0 1", 9}).harm, SQL_UNREADABLE);
    /* So deep that the tree can't be read: not harmless. */
    size_t len = 7;
    memcpy(text, "select ", 7);
    for (int i = 0; i < 200; i++) {
        memcpy(text + len, "(select ", 8);
        len += 8;
    }
    text[len++] = '1';
    memset(text + len, ')', 200);
    len += 200;
    struct sql_reading r = sql_read((struct str){text, len});
    assert_int_equal(r.harm, SQL_UNREADABLE);
    assert_string_equal(r.what, "nested too deep to be judged");
    assert_int_equal(sql_read(STR("select 1; select 2; select 3")).statements, 3);
    free(text);
}

/* A chain that hangs together from the left has no end that the grammar knows, and the tree is written by recursion. */
static void chains_are_limited(void **state)
{
    (void)state;
    static const struct {
        const char *head;
        const char *link;
    } chains[] = {
        {"select 1", "+1"}, {"select 1", " union select 1"}, {"select * from a", " join b on c"}, {"select a", "::int"},
        {"select a", " collate b"}, {"select a", " at time zone b"}, {"select a", " is null"}, {"select a", " isnull"},
        {"select '+'", "/**/-/**/1"},
    };
    char *text = malloc(SQL_MAX + 1);
    assert_non_null(text);
    for (size_t i = 0; i < sizeof chains / sizeof *chains; i++) {
        size_t len = (size_t)snprintf(text, SQL_MAX, "%s", chains[i].head);
        size_t link = strlen(chains[i].link);
        while (len + link <= SQL_MAX) {
            memcpy(text + len, chains[i].link, link);
            len += link;
        }
        struct sql_reading r = sql_read((struct str){text, len});
        assert_int_equal(r.harm, SQL_UNREADABLE);
        assert_string_equal(r.what, "nested too deep to be judged");
    }
    /* What is flat is read up to the limit, and not beyond: each "=" could be a level. */
    for (int more = 0; more < 2; more++) {
        size_t len = (size_t)snprintf(text, SQL_MAX, "select 1 where a=1");
        for (int i = 1; i < SQL_LINKS_MAX + more; i++) {
            memcpy(text + len, " and a=1", 8);
            len += 8;
        }
        assert_int_equal(sql_read((struct str){text, len}).harm, more == 1 ? SQL_UNREADABLE : SQL_HARMLESS);
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(statements_are_judged), cmocka_unit_test(limits),
                                       cmocka_unit_test(chains_are_limited)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
