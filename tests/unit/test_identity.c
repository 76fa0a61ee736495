/* api: who calls. Nonces are taken once and forgotten in time. */
#include "api/nonces.h"

#include "check.h"

#define KEEP_S 62

static struct nonces *fresh(void)
{
    struct nonces *n = nonces_new(KEEP_S);
    assert_non_null(n);
    return n;
}

static void a_nonce_is_taken_once(void **state)
{
    (void)state;
    struct nonces *n = fresh();
    struct err e;
    assert_false(nonces_seen(n, STR("bot/k1"), STR("n1"), 1000));
    assert_int_equal(nonces_take(n, STR("bot/k1"), STR("n1"), 1000, &e), RC_OK);
    assert_true(nonces_seen(n, STR("bot/k1"), STR("n1"), 1000));
    assert_int_equal(nonces_take(n, STR("bot/k1"), STR("n1"), 1001, &e), RC_DENIED);
    assert_string_equal(e.text, "the nonce was used before");
    /* Another key's are its own; the two texts can't be pushed together. */
    assert_int_equal(nonces_take(n, STR("bot/k2"), STR("n1"), 1001, &e), RC_OK);
    assert_int_equal(nonces_take(n, STR("bot/k"), STR("1n1"), 1001, &e), RC_OK);
    nonces_free(n);
}

static void it_is_kept_as_long_as_it_could_come_again(void **state)
{
    (void)state;
    struct nonces *n = fresh();
    assert_int_equal(nonces_take(n, STR("k"), STR("n"), 1000, NULL), RC_OK);
    assert_true(nonces_seen(n, STR("k"), STR("n"), 1000 + KEEP_S));
    assert_false(nonces_seen(n, STR("k"), STR("n"), 1001 + KEEP_S));
    assert_int_equal(nonces_take(n, STR("k"), STR("n"), 1001 + KEEP_S, NULL), RC_OK);
    nonces_free(n);
}

static enum rc take(struct nonces *n, int i, int64_t now_s, struct err *e)
{
    char text[16];
    snprintf(text, sizeof text, "n%d", i);
    return nonces_take(n, STR("bot/k1"), str_from(text), now_s, e);
}

static void a_full_table_refuses_and_forgets_nothing(void **state)
{
    (void)state;
    struct nonces *n = fresh();
    struct err e;
    for (int i = 0; i < NONCES_MAX; i++) {
        assert_int_equal(take(n, i, i < 1000 ? 1000 : 1001, &e), RC_OK);
    }
    assert_int_equal(take(n, -1, 1000 + KEEP_S, &e), RC_LIMIT);
    assert_string_equal(e.text, "65536 nonces are remembered: that is the limit");
    assert_int_equal(take(n, 0, 1000 + KEEP_S, &e), RC_DENIED);
    /* The first thousand are too old a second later, and nobody else. */
    assert_int_equal(take(n, 1000, 1001 + KEEP_S, &e), RC_DENIED);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(take(n, i, 1001 + KEEP_S, &e), RC_OK);
    }
    assert_int_equal(take(n, -1, 1001 + KEEP_S, &e), RC_LIMIT);
    assert_int_equal(take(n, NONCES_MAX - 1, 1001 + KEEP_S, &e), RC_DENIED);
    nonces_free(n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_nonce_is_taken_once),
        cmocka_unit_test(it_is_kept_as_long_as_it_could_come_again),
        cmocka_unit_test(a_full_table_refuses_and_forgets_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
