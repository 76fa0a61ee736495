/*
 * client/untrusted: nothing that could deceive a reader reaches the terminal.
 */
#include "check.h"

#include "client/untrusted.h"

static void check_one(void (*write)(struct buf *, struct str), struct str in, const char *want)
{
    struct buf b;
    buf_init(&b, 4096);
    write(&b, in);
    assert_str(buf_view(&b), want);
    buf_done(&b);
}

static void test_quote(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", "\"\""},
        {"plain text", "\"plain text\""},
        {"gr\xc3\xbc\xc3\x9f dich \xe2\x82\xac \xf0\x9f\x98\x80", "\"gr\xc3\xbc\xc3\x9f dich \xe2\x82\xac \xf0\x9f\x98\x80\""},
        {"a\"b\\c", "\"a\\\"b\\\\c\""},
        {"\x1b[31mred", "\"\\u001b[31mred\""},
        {"one\ntwo\ttab\rback", "\"one\\ntwo\\ttab\\rback\""},
        {"\x07\x08\x7f", "\"\\u0007\\u0008\\u007f\""},
        {"\xc2\x9b" "31m", "\"\\u009b31m\""},
        {"a\xe2\x80\xae" "b", "\"a\\u202eb\""},
        {"a\xe2\x81\xa6" "b", "\"a\\u2066b\""},
        {"z\xe2\x80\x8b" "w", "\"z\\u200bw\""},
        {"\xef\xbb\xbf", "\"\\ufeff\""},
        {"\xf3\xa0\x81\x81", "\"\\U000e0041\""},
        {"\xe2\x80\xa8", "\"\\u2028\""},
        {"bad\xff\xfe", "\"bad\\xff\\xfe\""},
        {"\xc0\xaf", "\"\\xc0\\xaf\""},
        {"\xed\xa0\x80", "\"\\xed\\xa0\\x80\""},
        {"cut\xe2\x82", "\"cut\\xe2\\x82\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        check_one(untrusted_quote, str_from(cases[i][0]), cases[i][1]);
    }
    check_one(untrusted_quote, STR("a\0b"), "\"a\\u0000b\"");
    check_one(untrusted_cell, STR("say \"x\"\x1b"), "say \"x\"\\u001b");
}

/* Every code point below a space, every C1, and each range's ends. */
static void test_no_control_is_let_through(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 4096);
    for (unsigned point = 0; point < 0xa0; point++) {
        char bytes[2] = {(char)point, 0};
        struct str s = {bytes, 1};
        if (point >= 0x80) {
            bytes[0] = (char)0xc2;
            bytes[1] = (char)point;
            s.len = 2;
        }
        bool plain = point >= 0x20 && point < 0x7f;
        buf_reset(&b);
        untrusted_cell(&b, s);
        for (size_t i = 0; i < b.len; i++) {
            assert_true((unsigned char)b.data[i] >= 0x20 && (unsigned char)b.data[i] < 0x7f);
        }
        assert_int_equal(b.len > 1 && point != '\\', !plain);
    }
    buf_done(&b);
}

static void test_json_keeps_its_value(void **state)
{
    (void)state;
    check_one(untrusted_json, STR("{\n  \"a\": \"b\\n\"\n}"), "{\n  \"a\": \"b\\n\"\n}");
    check_one(untrusted_json, STR("\"\xe2\x80\xae\""), "\"\\u202e\"");
    check_one(untrusted_json, STR("\"\xc2\x9b\x7f\""), "\"\\u009b\\u007f\"");
    check_one(untrusted_json, STR("\"\xf3\xa0\x81\x81\""), "\"\\udb40\\udc41\"");
    check_one(untrusted_json, STR("\"\xff\""), "\"\\ufffd\"");
    check_one(untrusted_json, STR("\"gr\xc3\xbc\""), "\"gr\xc3\xbc\"");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quote),
        cmocka_unit_test(test_no_control_is_let_through),
        cmocka_unit_test(test_json_keeps_its_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
