/* The language without its functions: words, grammar, names, types, logic, arithmetic, macros. */
#include "cel_case.h"

static struct cel_setting with(struct cel_env **env)
{
    static const struct cel_value values[] = {
        {.kind = CEL_INT, .integer = 7},
        {.kind = CEL_STRING, .text = "text", .len = 4},
        {.kind = CEL_INT, .integer = 1},
        {.kind = CEL_INT, .integer = 2},
        {.kind = CEL_DYN},
    };
    static const struct cel_activation activation = {.values = values, .count = 4};
    *env = cel_env_new();
    assert_int_equal(cel_declare(*env, STR("n"), &cel_int, "", NULL), RC_OK);
    assert_int_equal(cel_declare(*env, STR("s"), &cel_string, "", NULL), RC_OK);
    assert_int_equal(cel_declare(*env, STR("a.b"), &cel_int, "", NULL), RC_OK);
    assert_int_equal(cel_declare(*env, STR("x.y.n"), &cel_int, "", NULL), RC_OK);
    assert_int_equal(cel_declare(*env, STR("nothing"), &cel_dyn, "", NULL), RC_OK);
    return (struct cel_setting){.env = *env, .values = &activation};
}

static void check(const struct cel_case *cases, size_t count)
{
    CLEANUP(cel_env) struct cel_env *env = NULL;
    struct cel_setting s = with(&env);
    cel_check_cases(&s, cases, count);
}

#define CHECK(cases) check((cases), sizeof(cases) / sizeof((cases)[0]))

static void test_literals(void **state)
{
    (void)state;
    static const struct cel_case cases[] = {
        {"0", "0"},
        {"9223372036854775807", "9223372036854775807"},
        {"-9223372036854775808", "-9223372036854775808"},
        {"- 5", "-5"},
        {"--5", "5"},
        {"---5", "-5"},
        {"9223372036854775808", "refused 1:1: an int literal beyond 64 bits"},
        {"0x7fffffffffffffff", "9223372036854775807"},
        {"-0x8000000000000000", "-9223372036854775808"},
        {"0xFFFFFFFFFFFFFFFFu", "18446744073709551615u"},
        {"18446744073709551615U", "18446744073709551615u"},
        {"18446744073709551616u", "refused 1:1: a uint literal beyond 64 bits"},
        {"1.5", "1.5"},
        {".5", "0.5"},
        {"1e3", "1000"},
        {"1.5E-2", "0.015"},
        {"1e999", "refused 1:1: a double literal beyond 64 bits"},
        {"-1e309", "refused 1:1: a double literal beyond 64 bits"},
        {"1e-999", "0"},
        {"1.", "refused 1:3: expected a field's name, not the end"},
        {"1e", "refused 1:1: a number must end before a letter"},
        {"12ab", "refused 1:1: a number must end before a letter"},
        {"0x", "refused 1:1: a number must end before a letter"},
        {"''", "\"\""},
        {"'it''s'", "refused 1:5: expected an operator or the end, not ''s''"},
        {"'a' \"b\"", "refused 1:5: expected an operator or the end, not '\"b\"'"},
        {"'\\a\\b\\f\\n\\r\\t\\v\\\\\\?\\\"\\'\\`' == "
         "'\\x07\\x08\\x0c\\x0a\\x0d\\x09\\x0b\\x5c\\x3f\\x22\\x27\\x60'",
         "true"},
        {"'\\u00e9\\U0001F600\\351' == 'é😀é'", "true"},
        {"'\\q'", "refused 1:1: an unknown escape"},
        {"'\\x1'", "refused 1:1: an unknown escape"},
        {"'\\u12'", "refused 1:1: an unknown escape"},
        {"'\\400'", "refused 1:1: an unknown escape"},
        {"'\\18'", "refused 1:1: an unknown escape"},
        {"'\\ud800'", "refused 1:1: an escape that is no Unicode code point"},
        {"'\\U00110000'", "refused 1:1: an escape that is no Unicode code point"},
        {"'\\", "refused 1:1: a string that does not end"},
        {"'abc", "refused 1:1: a string that does not end"},
        {"'a\nb'", "refused 1:1: a string that does not end"},
        {"'''a\nb''' == 'a\\nb'", "true"},
        {"\"\"\"a\"b\"\"c\"\"\" == 'a\"b\"\"c'", "true"},
        {"'''abc''", "refused 1:1: a string that does not end"},
        {"r'\\d\\q' == '\\\\d\\\\q'", "true"},
        {"R\"\\\"", "\"\\\\\""},
        {"b'\\xff\\377a'", "b\"\\xff\\xffa\""},
        {"b'é' == b'\\xc3\\xa9'", "true"},
        {"br'\\x'", "b\"\\x5cx\""},
        {"b'\\u00e9'", "refused 1:1: an unknown escape"},
        {"rb'x'", "refused 1:3: expected an operator or the end, not ''x''"},
        {"'\xff'", "refused 1:2: the expression is no valid UTF-8"},
        {"[1, 2,]", "[1, 2]"},
        {"[,]", "refused 1:2: expected an expression, not ','"},
        {"{'a': 1,}", "{\"a\": 1}"},
        {"{}", "{}"},
        {"{1: 2, 1u: 3}", "error: repeated key"},
        {"true // and so on", "true"},
        {"// nothing\n\t1", "1"},
    };
    CHECK(cases);
}

static void test_grammar(void **state)
{
    (void)state;
    static const struct cel_case cases[] = {
        {"1 + 2 * 3 - 4 / 2 % 3", "5"},
        {"(1 + 2) * 3", "9"},
        {"10 - 4 - 3", "3"},
        {"1 < 2 == true", "true"},
        {"true || false && false", "true"},
        {"false ? 1 : true ? 2 : 3", "2"},
        {"!false && !!true", "true"},
        {"-n + n", "0"},
        {"1 in [1] && !(2 in [1])", "true"},
        {"{'in1': 1}.in1", "1"},
        {"{'if': 1}.if", "1"},
        {"{'true': 1}.true", "refused 1:13: expected a field's name, not 'true'"},
        {"{'a-b': {'c d': 2}}.`a-b`.`c d`", "2"},
        {"{'a': 1}.``", "refused 1:10: a quoted name that is empty or does not end"},
        {"{'a': 1}.`a", "refused 1:10: a quoted name that is empty or does not end"},
        {"{'a': 1}.`a!`", "refused 1:10: a quoted name takes letters, digits and _ . - / space"},
        {"", "refused 1:1: expected an expression, not the end"},
        {"1 +", "refused 1:4: expected an expression, not the end"},
        {"(1", "refused 1:3: expected ')', not the end"},
        {"[1", "refused 1:3: expected ',' or ']', not the end"},
        {"{1 2}", "refused 1:4: expected ':', not '2'"},
        {"1 2", "refused 1:3: expected an operator or the end, not '2'"},
        {"1 = 2", "refused 1:3: a character that means nothing here"},
        {"1 & 2", "refused 1:3: a character that means nothing here"},
        {"n ? 1", "refused 1:6: expected ':', not the end"},
        {"'é' +\n  @", "refused 2:3: a character that means nothing here"},
        {"'é' @", "refused 1:5: a character that means nothing here"},
        {"size(1, )", "refused 1:9: expected an expression, not ')'"},
        {"if", "refused 1:1: 'if' is a reserved word"},
        {"package.x", "refused 1:1: 'package' is a reserved word"},
        {"in", "refused 1:1: expected a name, not 'in'"},
        {"Some{a: 1}", "refused 1:1: no values of this type can be made"},
        {"a.b{c: 1, d: 2,}", "refused 1:1: no values of this type can be made"},
        {"Some{1: 1}", "refused 1:6: expected a field's name, not '1'"},
    };
    CHECK(cases);
}

static void test_names(void **state)
{
    (void)state;
    CLEANUP(cel_env) struct cel_env *env = NULL;
    struct cel_setting s = with(&env);
    static const struct cel_case plain[] = {
        {"n", "7"},
        {".n", "7"},
        {"a.b", "1"},
        {"(a.b)", "1"},
        {"(a).b", "refused 1:1: unknown name 'a'"},
        {"a.c", "refused 1:1: unknown name 'a'"},
        {"m", "refused 1:1: unknown name 'm'"},
        {"nothing", "error: 'nothing' has no value"},
        {"nothing == 1 || true", "true"},
        {"[3].all(n, n == 3 && .n == 7)", "true"},
        {"[{'b': 5}].all(a, a.b == 5)", "true"},
        {"[1].map(n, [2].map(n, n))", "[[2]]"},
        {"[int, uint, double, bool, string, bytes, list, map, null_type, type]",
         "[int, uint, double, bool, string, bytes, list, map, null_type, type]"},
        {"google.protobuf.Timestamp == type(timestamp(0))", "true"},
        {"type(type(1)) == type", "true"},
        {"type(optional.none()) == optional_type", "true"},
    };
    CEL_CHECK(&s, plain);
    static const struct cel_options contained = {.container = {"x.y", 3}};
    static const struct cel_case inside[] = {
        {"n", "2"}, {".n", "7"}, {"y.n", "2"}, {"s", "\"text\""}, {"[1].all(n, n == 1)", "true"}};
    s.options = &contained;
    CEL_CHECK(&s, inside);
    static const struct cel_options math = {.container = {"math", 4}};
    static const struct cel_case function[] = {{"abs(-3)", "3"},
                                               {"math.abs(-3)", "3"},
                                               {".abs(-3)", "refused 1:1: unknown function 'abs'"}};
    s.options = &math;
    CEL_CHECK(&s, function);
}

static void test_types(void **state)
{
    (void)state;
    static const struct cel_case cases[] = {
        {"1 + 'a'", "refused 1:1: no matching overload for '_+_' applied to (int, string)"},
        {"1 + 1u", "refused 1:1: no matching overload for '_+_' applied to (int, uint)"},
        {"1 == 1u", "refused 1:1: no matching overload for '_==_' applied to (int, uint)"},
        {"1 == dyn(1u)", "true"},
        {"1 < 1u || 1 < 1.5", "true"},
        {"[1] < [2]",
         "refused 1:1: no matching overload for '_<_' applied to (list(int), list(int))"},
        {"!1", "refused 1:1: no matching overload for '!_' applied to (int)"},
        {"-'a'", "refused 1:1: no matching overload for '-_' applied to (string)"},
        {"1 && true", "refused 1:1: no matching overload for '_&&_': expected bool, not int"},
        {"1 ? 2 : 3", "refused 1:1: no matching overload for '_?_:_': expected bool, not int"},
        {"true ? 1 : 'a'", "refused 1:1: the branches of '_?_:_' have types int and string"},
        {"true ? dyn(1) : 'a'", "1"},
        {"n.field", "refused 1:1: type int has no fields, so no 'field'"},
        {"{1: 2}.a", "refused 1:1: a map with keys of type int has no field 'a'"},
        {"[1]['a']", "refused 1:1: no matching overload for '_[_]' applied to (list(int), string)"},
        {"n in 5", "refused 1:1: no matching overload for '@in' applied to (int, int)"},
        {"'a' in [1]",
         "refused 1:1: no matching overload for '@in' applied to (string, list(int))"},
        {"nope(1)", "refused 1:1: unknown function 'nope'"},
        {"n.nope()", "refused 1:1: unknown function 'nope'"},
        {"size()", "refused 1:1: no matching overload for 'size' applied to ()"},
        {"size(1)", "refused 1:1: no matching overload for 'size' applied to (int)"},
        {"{1.5: 1}", "refused 1:2: a key is an int, uint, bool or string, not double"},
        {"{[1]: 1}", "refused 1:2: a key is an int, uint, bool or string, not list(int)"},
        {"n.all(x, true)", "refused 1:1: a macro goes over a list or a map, not over int"},
        {"[1].all(x, x)", "refused 1:12: a macro's condition is a bool, not int"},
        {"[1].map(x, x, x)", "refused 1:12: a macro's condition is a bool, not int"},
        {"null == timestamp(0)", "false"},
        {"null == 1", "refused 1:1: no matching overload for '_==_' applied to (null_type, int)"},
        {"[null, timestamp(0)].size()", "2"},
        {"[[], [1]] + [[2]]", "[[], [1], [2]]"},
        {"[1, 'a', 2.5][1]", "\"a\""},
        {"{'a': 1, 'b': 'c'}.b + 'd'", "\"cd\""},
        {"dyn(1) + 'a'", "error: no such overload: '_+_'"},
        {"[1, 'a'].map(x, x + 1)", "error: no such overload: '_+_'"},
        {"[].map(x, x + 1)", "[]"},
        {"([] + []).filter(x, (x + x).startsWith(true ? x : 'a'))", "[]"},
        {"[].all(x, x + x == 1 || x == 'a')", "true"},
        {"{}.a", "error: no such key: 'a'"},
        {"[dyn('b')][0].size()", "1"},
    };
    CHECK(cases);
    CLEANUP(cel_env) struct cel_env *env = NULL;
    struct cel_setting s = with(&env);
    static const struct cel_options wants_bool = {.result = &cel_bool};
    static const struct cel_case result[] = {
        {"n == 7", "true"},
        {"nothing", "error: 'nothing' has no value"},
        {"n", "refused 1:1: the expression yields int, not bool"}};
    s.options = &wants_bool;
    CEL_CHECK(&s, result);
    /* What is only known when it is there is looked at then. */
    static const struct cel_case late[] = {
        {"dyn(1)", "error: the expression yielded int, not bool"}, {"dyn(true)", "true"}};
    CEL_CHECK(&s, late);
}

static void test_unchecked(void **state)
{
    (void)state;
    CLEANUP(cel_env) struct cel_env *env = NULL;
    struct cel_setting s = with(&env);
    static const struct cel_options unchecked = {.unchecked = true};
    static const struct cel_case cases[] = {
        {"m", "error: unknown name 'm'"},
        {"m.k || true", "true"},
        {"nope(1) || true", "true"},
        {"nope(1)", "error: unknown function 'nope'"},
        {"size(1, 2)", "error: no matching overload for 'size' applied to (dyn, dyn)"},
        {"1 + 'a'", "error: no such overload: '_+_'"},
        {"1 == 1u", "true"},
        {"'a' ? 1 : 2", "error: no such overload: '_?_:_'"},
        {"1 && false", "false"},
        {"1 && true", "error: no such overload: '_&&_'"},
        {"{1.5: 1}", "error: unsupported key type"},
        {"n.k", "error: no such key: 'k' of a value of type int"},
        {"has(n.k)", "error: no such key: 'k' of a value of type int"},
        {"1 in 2", "error: no such overload: '@in'"},
        {"[1][true]", "error: a list's index must be a whole number"},
        {"1[0]", "error: no such overload: '_[_]'"},
        {"n.all(x, true)", "error: no such overload: 'all'"},
        {"[1].sortBy(x, x)", "[1]"},
        {"{1: 2}.sortBy(x, x)", "error: no such overload: 'sortBy'"},
        {"1.optMap(x, x)", "error: no such overload: 'optMap'"},
        {"optional.of(1).optFlatMap(x, x)", "error: no such overload: 'optFlatMap'"},
        {"[?1]", "error: an element with a question mark is no optional"},
        {"{1: 2}.transformMapEntry(k, v, 1)", "error: no such overload: 'transformMapEntry'"},
        {"'x'.substring('a')", "error: no such overload: 'substring'"},
        {"1.or(2)", "error: no such overload: 'or'"},
        {"optional.none().or(2)", "error: no such overload: 'or'"},
        {"math.greatest('a')", "error: no such overload: 'math.greatest'"},
        {"1.matches('a')", "error: no such overload: 'matches'"},
        {"[1].join()", "error: no such overload: 'join'"},
    };
    s.options = &unchecked;
    CEL_CHECK(&s, cases);
}

static void test_logic(void **state)
{
    (void)state;
    static const struct cel_case cases[] = {
        {"true || 1 / 0 == 1", "true"},
        {"1 / 0 == 1 || true", "true"},
        {"1 / 0 == 1 || false", "error: division by zero"},
        {"1 / 0 == 1 && false", "false"},
        {"false && 1 / 0 == 1", "false"},
        {"1 / 0 == 1 && 1 % 0 == 1", "error: division by zero"},
        {"1 / 0 == 1 ? true : true", "error: division by zero"},
        {"true ? 1 : 1 / 0", "1"},
        {"false || false || 1 / 0 == 1 || true", "true"},
        {"!(1 / 0 == 1)", "error: division by zero"},
        {"[0, 1].all(x, 1 / x == 1)", "error: division by zero"},
        {"[0, 2].all(x, 1 / x == 1)", "false"},
        {"[0, 1].exists(x, 1 / x == 1)", "true"},
        {"[0, 2].exists(x, 1 / x == 1)", "error: division by zero"},
        {"[0, 1].exists_one(x, 1 / x == 1)", "error: division by zero"},
        {"[1, 1].exists_one(x, x == 1)", "false"},
        {"[1, 2].exists_one(x, x == 1)", "true"},
    };
    CHECK(cases);
}

static void test_arithmetic(void **state)
{
    (void)state;
    static const struct cel_case cases[] = {
        {"9223372036854775807 + 1", "error: integer overflow"},
        {"-9223372036854775808 - 1", "error: integer overflow"},
        {"9223372036854775807 * 2", "error: integer overflow"},
        {"-(-9223372036854775808)", "error: integer overflow"},
        {"-9223372036854775808 / -1", "error: integer overflow"},
        {"-9223372036854775808 % -1", "error: integer overflow"},
        {"18446744073709551615u + 1u", "error: unsigned integer overflow"},
        {"1u - 2u", "error: unsigned integer overflow"},
        {"18446744073709551615u * 2u", "error: unsigned integer overflow"},
        {"7 / 2", "3"},
        {"-7 / 2", "-3"},
        {"-7 % 2", "-1"},
        {"7u / 2u + 7u % 2u", "4u"},
        {"1 / 0", "error: division by zero"},
        {"1u / 0u", "error: division by zero"},
        {"1 % 0", "error: modulus by zero"},
        {"1u % 0u", "error: modulus by zero"},
        {"1.0 / 0.0", "Infinity"},
        {"-1.0 / 0.0", "-Infinity"},
        {"0.0 / 0.0", "NaN"},
        {"0.1 + 0.2", "0.30000000000000004"},
        {"2.0 * -8.988466e+307 < -1e308", "true"},
        {"1.5 - 0.5 * 2.0", "0.5"},
        {"'a' + 'b' + ''", "\"ab\""},
        {"b'a' + b'\\xff'", "b\"a\\xff\""},
        {"[1] + [] + [2, 3]", "[1, 2, 3]"},
    };
    CHECK(cases);
}

static void test_comparison(void **state)
{
    (void)state;
    static const struct cel_case cases[] = {
        {"0.0 / 0.0 == 0.0 / 0.0", "false"},
        {"0.0 / 0.0 != 0.0 / 0.0", "true"},
        {"0.0 / 0.0 < 1.0 || 0.0 / 0.0 >= 1.0", "false"},
        {"0.0 == -0.0", "true"},
        {"dyn(1) == 1.0 && dyn(1u) == 1 && dyn(1.0) == 1u", "true"},
        {"dyn(-1) == 18446744073709551615u", "false"},
        {"-1 < 0u && 0u > -1 && 1.5 > 1 && 1u < 1.5", "true"},
        {"dyn(1) == '1'", "false"},
        {"dyn([1]) == {1: 1}", "false"},
        {"[1, [2.0]] == dyn([1u, [2]])", "true"},
        {"[1, 2] == [1, 3]", "false"},
        {"[1] == [1, 2]", "false"},
        {"{1: 'a', 'b': 2} == dyn({'b': 2u, 1u: 'a'})", "true"},
        {"{1: 'a'} == {1: 'b'}", "false"},
        {"{1: 'a'} == {2: 'a'}", "false"},
        {"{'a': 0.0 / 0.0} == {'a': 0.0 / 0.0}", "false"},
        {"'a' < 'b' && 'a' < 'aa' && 'Z' < 'a' && 'z' < 'é'", "true"},
        {"b'a' < b'b' && b'' < b'\\x00' && b'\\x7f' < b'\\x80'", "true"},
        {"false < true && true >= true", "true"},
        {"timestamp(1) < timestamp(2) && duration('1s') > duration('999ms')", "true"},
        {"timestamp('2020-01-01T00:00:00.5Z') > timestamp('2020-01-01T00:00:00Z')", "true"},
        {"int == type(1) && int != uint", "true"},
        {"null == null", "true"},
        {"optional.of(1) == optional.of(1) && optional.none() != optional.of(1)", "true"},
        {"dyn(1) in {1u: 'a'} && 1.0 in dyn({1: 'a'}) && !(dyn(1.5) in {1: 'a'})", "true"},
        {"dyn(1u) in [1, 2]", "true"},
        {"{1: 'a', 2u: 'b', true: 'c', 'd': 'e'}[dyn(2.0)]", "\"b\""},
        {"{1: 'a'}[dyn(-1.0)]", "error: no such key"},
        {"{-1: 'a'}[dyn(-1.0)]", "\"a\""},
        {"{1: 'a'}[dyn([1])]", "error: no such key"},
        {"{1: 'a'}[2]", "error: no such key: 2"},
        {"{'k': 'a'}['l']", "error: no such key: 'l'"},
        {"[1, 2][2]", "error: index out of bounds"},
        {"[1, 2][-1]", "error: index out of bounds"},
        {"[1, 2][dyn(1u)] + [1, 2][dyn(0.0)]", "3"},
        {"[1, 2][dyn(0.5)]", "error: a list's index must be a whole number"},
        {"{0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 7: 7, 8: 8, 9: 9, 'x': 10}['x']", "10"},
        {"{0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 7: 7, 8: 8, 9: 9, 9u: 10}",
         "error: repeated key"},
    };
    CHECK(cases);
}

static void test_macros(void **state)
{
    (void)state;
    static const struct cel_case cases[] = {
        {"has({'a': 1}.a) && !has({'a': 1}.b)", "true"},
        {"has({'a': null}.a)", "true"},
        {"has({'a': {'b': 1}}.a.b)", "true"},
        {"has({}.a.b)", "error: no such key: 'a'"},
        {"has(n)", "refused 1:5: has() takes a field: has(a.b)"},
        {"has({}.?a)", "refused 1:5: has() takes a field: has(a.b)"},
        {"has({}['a'])", "refused 1:5: has() takes a field: has(a.b)"},
        {"[1, 2, 3].map(x, x * 2)", "[2, 4, 6]"},
        {"[1, 2, 3].map(x, x > 1, x * 2)", "[4, 6]"},
        {"{'a': 1, 'b': 2}.map(k, k)", "[\"a\", \"b\"]"},
        {"[1, 2, 3].filter(x, x != 2)", "[1, 3]"},
        {"{'a': 1, 'b': 2}.filter(k, k != 'a')", "[\"b\"]"},
        {"{'a': 1}.all(k, k == 'a')", "true"},
        {"[1].map(1, 2)", "refused 1:9: a macro's variable must be a simple name"},
        {"[1].map(a.b, 2)", "refused 1:9: a macro's variable must be a simple name"},
        {"[1].map(.x, 2)", "refused 1:9: a macro's variable must be a simple name"},
        {"[1].all(i, i, true)", "refused 1:12: a macro's two variables must have different names"},
        {"['a', 'b'].all(i, v, i < 2 && v != 'c')", "true"},
        {"['a', 'b'].exists(i, v, i == 1 && v == 'b')", "true"},
        {"['a', 'b'].exists_one(i, v, i == 1)", "true"},
        {"['a', 'b'].existsOne(v, v == 'a')", "true"},
        {"{'a': 1}.all(k, v, k == 'a' && v == 1)", "true"},
        {"[3, 4].transformList(i, v, i * v)", "[0, 4]"},
        {"[3, 4].transformList(i, v, i > 0, v)", "[4]"},
        {"{'a': 1, 'b': 2}.transformList(k, v, v)", "[1, 2]"},
        {"{'a': 1, 'b': 2}.transformMap(k, v, v + 1)", "{\"a\": 2, \"b\": 3}"},
        {"{'a': 1, 'b': 2}.transformMap(k, v, v > 1, v)", "{\"b\": 2}"},
        {"[5].transformMap(i, v, v)", "{0: 5}"},
        {"{'a': 'x', 'b': 'y'}.transformMapEntry(k, v, {v: k})", "{\"x\": \"a\", \"y\": \"b\"}"},
        {"{'a': 'x', 'b': 'x'}.transformMapEntry(k, v, {v: k})", "error: repeated key"},
        {"{'a': 1, 'b': 2}.transformMapEntry(k, v, v > 1, {k: v})", "{\"b\": 2}"},
        {"['a'].transformMapEntry(i, v, {})", "{}"},
        {"[1].transformMapEntry(i, v, i)",
         "refused 1:29: transformMapEntry yields a map for each entry, not int"},
        {"cel.bind(x, 1 + 1, x * x)", "4"},
        {"cel.bind(x, 1 / 0, 5)", "5"},
        {"cel.bind(x, 1 / 0, x)", "error: division by zero"},
        {"cel.bind(x, 1 / 0, x == 1 || true)", "true"},
        {"cel.bind(x, [1, 2], x.map(y, cel.bind(z, y + size(x), z * z)))", "[9, 16]"},
        {"cel.bind(1, 2, 3)", "refused 1:10: a macro's variable must be a simple name"},
        {"cel.block([1, cel.index(0) + 1], cel.index(1) * 10)", "20"},
        {"cel.block([cel.index(1), 1], cel.index(0))", "refused 1:12: unknown name '@index1'"},
        {"cel.block(1, 2)", "refused 1:11: cel.block takes a list literal first"},
        {"cel.index(-1)", "refused 1:11: takes an int literal that is not negative"},
        {"[1, 2].map(cel.iterVar(0, 0), cel.iterVar(0, 0) + 1)", "[2, 3]"},
        {"[[1, 2], [3]].map(x, x.map(y, y + size(x)))", "[[3, 4], [4]]"},
        {"[3, 1, 2].sortBy(x, -x)", "[3, 2, 1]"},
        {"[{'n': 'b'}, {'n': 'a'}].sortBy(x, x.n).map(x, x.n)", "[\"a\", \"b\"]"},
        {"[1, 2].sortBy(x, [x])", "refused 1:1: sortBy takes a list and a key that has an order"},
        {"[dyn(1), dyn('a')].sortBy(x, x)",
         "error: list elements must have the same comparable type"},
        {"[].sortBy(x, x)", "[]"},
    };
    CHECK(cases);
    CLEANUP(cel_env) struct cel_env *env = NULL;
    struct cel_setting s = with(&env);
    static const struct cel_options no_macros = {.no_macros = true};
    static const struct cel_case without[] = {
        {"[1].exists(x, x == 1)", "refused 1:12: unknown name 'x'"},
        {"has({}.a)", "refused 1:1: unknown function 'has'"}};
    s.options = &no_macros;
    cel_check_cases(&s, without + 1, 1);
}

static void test_optionals(void **state)
{
    (void)state;
    static const struct cel_case cases[] = {
        {"{'a': 1}.?a", "optional.of(1)"},
        {"{'a': 1}.?b", "optional.none()"},
        {"{'a': {'b': 2}}.?a.b", "optional.of(2)"},
        {"{'a': {'b': 2}}.?a.?c", "optional.none()"},
        {"{'a': 1}[?'a'].value() + [5][?0].value()", "6"},
        {"[1][?7].orValue(3)", "3"},
        {"optional.of([1])[0]", "optional.of(1)"},
        {"optional.of({'a': 1})['b']", "optional.none()"},
        {"optional.none()[?0]", "optional.none()"},
        {"has({'a': {'b': 2}}.?a.b) && !has({}.?a.b)", "true"},
        {"[?{}.?a, ?optional.of(2), 3]", "[2, 3]"},
        {"{?'a': {}.?a, ?'b': optional.of(2)}", "{\"b\": 2}"},
        {"[?1]", "refused 1:3: expected an optional, not int"},
        {"{?'a': 1}", "refused 1:8: expected an optional, not int"},
        {"{'a': 1}.?a.optMap(x, x + 1)", "optional.of(2)"},
        {"{}.?a.optMap(x, x + 1)", "optional.none()"},
        {"{'a': {'b': 2}}.?a.optFlatMap(x, x.?b)", "optional.of(2)"},
        {"{'a': 1}.?a.optFlatMap(x, x)",
         "refused 1:27: optFlatMap needs an expression that yields an optional, not int"},
        {"n.optMap(x, x)", "refused 1:1: 'optMap' needs an optional, not int"},
        {"optional.of(1).optMap(x, 1 / 0)", "error: division by zero"},
        {"optional.of(1 / 0).orValue(1)", "error: division by zero"},
        {"optional.of(1).orValue(1 / 0)", "1"},
        {"optional.none().orValue(1 / 0)", "error: division by zero"},
        {"optional.of(1).or(optional.of(1 / 0))", "optional.of(1)"},
        {"optional.none().or(optional.of(2)).value()", "2"},
        {"optional.none().value()", "error: optional.none() dereference"},
        {"optional.ofNonZeroValue(0).hasValue() || optional.ofNonZeroValue('').hasValue()",
         "false"},
        {"[0u, 0.0, false, null, b'', [], {}, duration('0s'), timestamp(0), optional.none()]"
         ".exists(x, optional.ofNonZeroValue(x).hasValue())",
         "false"},
        {"optional.ofNonZeroValue(int).hasValue()", "true"},
        {"optional.unwrap([optional.of(1), optional.none()])", "[1]"},
        {"[optional.none(), optional.of(2)].unwrapOpt()", "[2]"},
        {"{'a': 1}.?a.b", "refused 1:1: type int has no fields, so no 'b'"},
        {"{'a': dyn(1)}.?a.b", "error: no such key: 'b' of a value of type int"},
        {"{'a': dyn(1)}.?a[0]", "error: no such overload: '_[_]'"},
    };
    CHECK(cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_literals),   cmocka_unit_test(test_grammar),
        cmocka_unit_test(test_names),      cmocka_unit_test(test_types),
        cmocka_unit_test(test_unchecked),  cmocka_unit_test(test_logic),
        cmocka_unit_test(test_arithmetic), cmocka_unit_test(test_comparison),
        cmocka_unit_test(test_macros),     cmocka_unit_test(test_optionals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
