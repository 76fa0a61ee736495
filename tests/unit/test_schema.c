/* value/schema: every keyword, what is refused when compiling, places and texts, every limit. */
#include "value/json.h"
#include "value/schema.h"
#include "value/schema_pattern.h"

#include "check.h"

static struct value parsed(struct arena *a, struct str text)
{
    struct value v;
    struct err e = {0};
    if (json_parse(a, text, &v, &e) != RC_OK) {
        fail_msg("%.*s: %s", STR_ARG(text), e.text);
    }
    return v;
}

static enum rc compile_text(struct arena *a, const char *text, const struct schema **ret,
                            struct err *e)
{
    struct value *definition = arena_alloc(a, sizeof *definition);
    assert_non_null(definition);
    *definition = parsed(a, str_from(text));
    return schema_compile(a, definition, ret, e);
}

/* '+' a value that fits, '-' one that does not with its place and text. */
struct check_case {
    const char *schema;
    const char *value;
    const char *where; /* null: it fits */
    const char *what;
};

static void run_cases(const struct check_case *cases, size_t count)
{
    CLEANUP(arena) struct arena *a = arena_new(1 << 22);
    for (size_t i = 0; i < count; i++) {
        const struct check_case *c = &cases[i];
        const struct schema *s = NULL;
        struct err e = {0};
        arena_reset(a);
        if (compile_text(a, c->schema, &s, &e) != RC_OK) {
            fail_msg("%s: %s: %s", c->schema, e.where, e.text);
        }
        struct value v = parsed(a, str_from(c->value));
        enum rc rc = schema_check(s, &v, &e);
        if (rc != (c->where == NULL ? RC_OK : RC_INVALID)) {
            fail_msg("%s with %s: %s %s", c->schema, c->value, rc_name(rc), e.text);
        }
        if (c->where != NULL) {
            assert_string_equal(e.where, c->where);
            assert_string_equal(e.text, c->what);
            assert_int_equal(schema_check(s, &v, NULL), RC_INVALID);
        }
    }
}

#define RUN_CASES(cases) run_cases((cases), sizeof(cases) / sizeof *(cases))

static void types(void **state)
{
    (void)state;
    static const struct check_case cases[] = {
        {"true", "{\"a\":[1]}", NULL, NULL},
        {"{}", "null", NULL, NULL},
        {"false", "null", "", "expected nothing here"},
        {"{\"type\":\"null\"}", "null", NULL, NULL},
        {"{\"type\":\"boolean\"}", "false", NULL, NULL},
        {"{\"type\":\"boolean\"}", "0", "", "expected boolean, found integer"},
        {"{\"type\":\"string\"}", "\"\"", NULL, NULL},
        {"{\"type\":\"string\"}", "null", "", "expected string, found null"},
        {"{\"type\":\"array\"}", "[]", NULL, NULL},
        {"{\"type\":\"array\"}", "{}", "", "expected array, found object"},
        {"{\"type\":\"object\"}", "{}", NULL, NULL},
        {"{\"type\":\"object\"}", "[]", "", "expected object, found array"},
        {"{\"type\":\"integer\"}", "7", NULL, NULL},
        {"{\"type\":\"integer\"}", "7.0", NULL, NULL},
        {"{\"type\":\"integer\"}", "1e300", NULL, NULL},
        {"{\"type\":\"integer\"}", "7.5", "", "expected integer, found number"},
        {"{\"type\":\"number\"}", "7", NULL, NULL},
        {"{\"type\":\"number\"}", "7.5", NULL, NULL},
        {"{\"type\":\"number\"}", "\"7\"", "", "expected number, found string"},
        {"{\"type\":[\"string\",\"null\"]}", "null", NULL, NULL},
        {"{\"type\":[\"string\",\"null\"]}", "1", "", "expected null or string, found integer"},
        {"{\"type\":[\"null\",\"boolean\",\"integer\",\"number\",\"string\",\"array\"]}", "{}", "",
         "expected null or boolean or integer or number or string or array, found object"},
        {"{\"type\":[\"object\",\"null\",\"boolean\",\"integer\",\"number\",\"string\",\"array\"]}",
         "{}", NULL, NULL},
        {"{\"enum\":[\"a\",1,null]}", "1.0", NULL, NULL},
        {"{\"enum\":[\"a\",1,null]}", "\"b\"", "", "expected one of \"a\", 1, null"},
        {"{\"const\":{\"a\":[1,2],\"b\":3}}", "{\"b\":3,\"a\":[1,2]}", NULL, NULL},
        {"{\"const\":{\"a\":[1,2]}}", "{\"a\":[2,1]}", "", "expected {\"a\":[1,2]}"},
        {"{\"const\":null}", "0", "", "expected null"},
    };
    RUN_CASES(cases);
}

static void numbers(void **state)
{
    (void)state;
    static const struct check_case cases[] = {
        {"{\"minimum\":1}", "1", NULL, NULL},
        {"{\"minimum\":1}", "0.999", "", "expected a number not below 1"},
        {"{\"minimum\":1}", "\"0\"", NULL, NULL}, /* it speaks of numbers only */
        {"{\"maximum\":1.5}", "1.5", NULL, NULL},
        {"{\"maximum\":1.5}", "2", "", "expected a number not above 1.5"},
        {"{\"exclusiveMinimum\":0}", "0", "", "expected a number above 0"},
        {"{\"exclusiveMinimum\":0}", "5e-324", NULL, NULL},
        {"{\"exclusiveMaximum\":100}", "100.0", "", "expected a number below 100"},
        {"{\"exclusiveMaximum\":100}", "99", NULL, NULL},
        {"{\"maximum\":9007199254740992}", "9007199254740993", "",
         "expected a number not above 9007199254740992"},
        {"{\"maximum\":9223372036854775807}", "1e300", "",
         "expected a number not above 9223372036854775807"},
        {"{\"multipleOf\":4}", "-8", NULL, NULL},
        {"{\"multipleOf\":4}", "8.0", NULL, NULL},
        {"{\"multipleOf\":4}", "6", "", "expected a multiple of 4"},
        {"{\"multipleOf\":4}", "8.5", "", "expected a multiple of 4"},
        {"{\"multipleOf\":4}", "1e300", "", "expected a multiple of 4"},
        {"{\"multipleOf\":1}", "-9223372036854775808", NULL, NULL},
    };
    RUN_CASES(cases);
}

static void strings(void **state)
{
    (void)state;
    static const struct check_case cases[] = {
        {"{\"minLength\":2}", "\"\xf0\x9f\x98\x80\"", "",
         "expected at least 2 characters, found 1"},
        {"{\"minLength\":2}", "\"\xf0\x9f\x98\x80\xc3\xa9\"", NULL, NULL},
        {"{\"maxLength\":2}", "\"\xf0\x9f\x98\x80\xc3\xa9\"", NULL, NULL},
        {"{\"maxLength\":2}", "\"abc\"", "", "expected at most 2 characters, found 3"},
        {"{\"maxLength\":0}", "\"\"", NULL, NULL},
        {"{\"pattern\":\"^[a-z]+$\"}", "\"abc\"", NULL, NULL},
        {"{\"pattern\":\"^[a-z]+$\"}", "\"aBc\"", "", "expected text that matches ^[a-z]+$"},
        {"{\"pattern\":\"^[a-z]+$\"}", "5", NULL, NULL},
        {"{\"format\":\"email\"}", "\"no address\"", NULL, NULL},
    };
    RUN_CASES(cases);
}

static void arrays(void **state)
{
    (void)state;
    static const struct check_case cases[] = {
        {"{\"items\":{\"type\":\"integer\"}}", "[1,2]", NULL, NULL},
        {"{\"items\":{\"type\":\"integer\"}}", "[1,\"2\"]", "/1", "expected integer, found string"},
        {"{\"items\":false}", "[]", NULL, NULL},
        {"{\"items\":false}", "[1]", "/0", "expected nothing here"},
        {"{\"prefixItems\":[{\"const\":1},{\"const\":2}]}", "[1]", NULL, NULL},
        {"{\"prefixItems\":[{\"const\":1},{\"const\":2}]}", "[1,2,3]", NULL, NULL},
        {"{\"prefixItems\":[{\"const\":1},{\"const\":2}]}", "[1,3]", "/1", "expected 2"},
        {"{\"prefixItems\":[true],\"items\":false}", "[1,2]", "/1", "expected nothing here"},
        {"{\"minItems\":1}", "[]", "", "expected at least 1 items, found 0"},
        {"{\"maxItems\":1}", "[1,2]", "", "expected at most 1 items, found 2"},
        {"{\"uniqueItems\":true}", "[1,\"1\",[1],{\"a\":1}]", NULL, NULL},
        {"{\"uniqueItems\":true}", "[{\"a\":1,\"b\":2},{\"b\":2,\"a\":1.0}]", "",
         "expected items that all differ"},
        {"{\"uniqueItems\":true}", "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18]", NULL, NULL},
        {"{\"uniqueItems\":true}", "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,1.0]", "",
         "expected items that all differ"},
        {"{\"uniqueItems\":false}", "[1,1]", NULL, NULL},
    };
    RUN_CASES(cases);
}

static void objects(void **state)
{
    (void)state;
    static const struct check_case cases[] = {
        {"{\"properties\":{\"n\":{\"type\":\"integer\"}}}", "{\"n\":1,\"other\":2}", NULL, NULL},
        {"{\"properties\":{\"n\":{\"type\":\"integer\"}}}", "{\"n\":\"1\"}", "/n",
         "expected integer, found string"},
        {"{\"properties\":{\"a/b\":{\"properties\":{\"c~\":false}}}}", "{\"a/b\":{\"c~\":1}}",
         "/a~1b/c~0", "expected nothing here"},
        {"{\"required\":[\"a\",\"b\"]}", "{\"b\":1}", "", "expected a member \"a\""},
        {"{\"required\":[\"a\"]}", "[]", NULL, NULL},
        {"{\"required\":[]}", "{}", NULL, NULL},
        {"{\"properties\":{\"a\":true},\"additionalProperties\":false}", "{\"a\":1}", NULL, NULL},
        {"{\"properties\":{\"a\":true},\"additionalProperties\":false}", "{\"a\":1,\"b\":1}", "/b",
         "expected no member of this name"},
        {"{\"additionalProperties\":{\"type\":\"string\"}}", "{\"a\":\"x\",\"b\":1}", "/b",
         "expected string, found integer"},
        {"{\"propertyNames\":{\"pattern\":\"^[a-z]+$\"}}", "{\"ok\":1}", NULL, NULL},
        {"{\"propertyNames\":{\"pattern\":\"^[a-z]+$\"}}", "{\"Not\":1}", "/Not",
         "member name: expected text that matches ^[a-z]+$"},
        {"{\"minProperties\":2}", "{\"a\":1}", "", "expected at least 2 members, found 1"},
        {"{\"maxProperties\":0}", "{\"a\":1}", "", "expected at most 0 members, found 1"},
    };
    RUN_CASES(cases);
}

static void combinations(void **state)
{
    (void)state;
    static const struct check_case cases[] = {
        {"{\"anyOf\":[{\"type\":\"string\"},{\"minimum\":5}]}", "7", NULL, NULL},
        {"{\"anyOf\":[{\"type\":\"string\"},{\"minimum\":5}]}", "4", "",
         "fits none of the 2 alternatives of anyOf"},
        {"{\"allOf\":[{\"minimum\":1},{\"maximum\":3}]}", "2", NULL, NULL},
        {"{\"allOf\":[{\"minimum\":1},{\"maximum\":3}]}", "4", "", "expected a number not above 3"},
        {"{\"oneOf\":[{\"minimum\":1},{\"maximum\":3}]}", "4", NULL, NULL},
        {"{\"oneOf\":[{\"minimum\":1},{\"maximum\":3}]}", "2", "",
         "fits 2 of the 2 alternatives of oneOf, expected one"},
        {"{\"oneOf\":[{\"minimum\":3},{\"type\":\"string\"}]}", "2", "",
         "fits 0 of the 2 alternatives of oneOf, expected one"},
        {"{\"not\":{\"type\":\"string\"}}", "1", NULL, NULL},
        {"{\"not\":{\"type\":\"string\"}}", "\"x\"", "", "fits what \"not\" excludes"},
        {"{\"$ref\":\"#/$defs/n\",\"maximum\":9,\"$defs\":{\"n\":{\"type\":\"integer\"}}}", "7",
         NULL, NULL},
        {"{\"$ref\":\"#/$defs/n\",\"maximum\":9,\"$defs\":{\"n\":{\"type\":\"integer\"}}}", "10",
         "", "expected a number not above 9"},
        {"{\"properties\":{\"l\":{\"$ref\":\"#/$defs/"
         "n\"}},\"$defs\":{\"n\":{\"type\":\"integer\"}}}",
         "{\"l\":\"x\"}", "/l", "expected integer, found string"},
        /* A tree: the schema comes back to itself, one step further down in the value. */
        {"{\"$ref\":\"#/$defs/"
         "node\",\"$defs\":{\"node\":{\"type\":\"object\",\"required\":[\"v\"],\"properties\":{"
         "\"v\":{\"type\":\"integer\"},\"kids\":{\"items\":{\"$ref\":\"#/$defs/node\"}}}}}}",
         "{\"v\":1,\"kids\":[{\"v\":2},{\"v\":3,\"kids\":[{\"v\":4}]}]}", NULL, NULL},
        {"{\"$ref\":\"#/$defs/"
         "node\",\"$defs\":{\"node\":{\"type\":\"object\",\"required\":[\"v\"],\"properties\":{"
         "\"v\":{\"type\":\"integer\"},\"kids\":{\"items\":{\"$ref\":\"#/$defs/node\"}}}}}}",
         "{\"v\":1,\"kids\":[{\"v\":2},{\"v\":3,\"kids\":[{}]}]}", "/kids/1/kids/0",
         "expected a member \"v\""},
        {"{\"title\":\"t\",\"description\":\"d\",\"default\":1,\"examples\":[1],\"$schema\":\"s\","
         "\"$comment\":\"c\","
         "\"deprecated\":true,\"readOnly\":true,\"writeOnly\":false,\"format\":\"f\"}",
         "1", NULL, NULL},
    };
    RUN_CASES(cases);
}

static void refused_definitions(void **state)
{
    (void)state;
    static const struct {
        const char *schema;
        const char *where;
        const char *what;
    } cases[] = {
        {"1", "", "expected a schema: an object, true or false"},
        {"[]", "", "expected a schema: an object, true or false"},
        {"{\"patternProperties\":{}}", "/patternProperties", "is not a keyword that is known here"},
        {"{\"contains\":true}", "/contains", "is not a keyword that is known here"},
        {"{\"$id\":\"x\"}", "/$id", "is not a keyword that is known here"},
        {"{\"Type\":\"string\"}", "/Type", "is not a keyword that is known here"},
        {"{\"properties\":{\"a\":{\"items\":{\"if\":true}}}}", "/properties/a/items/if",
         "is not a keyword that is known here"},
        {"{\"type\":\"float\"}", "/type", "expected a type's name or a list of them"},
        {"{\"type\":[]}", "/type", "expected a list that is not empty"},
        {"{\"type\":[\"string\",1]}", "/type", "expected a type's name or a list of them"},
        {"{\"type\":[\"string\",\"string\"]}", "/type", "names a type twice"},
        {"{\"enum\":[]}", "/enum", "expected a list that is not empty"},
        {"{\"enum\":\"a\"}", "/enum", "expected a list that is not empty"},
        {"{\"properties\":[]}", "/properties", "expected an object of schemas"},
        {"{\"properties\":{\"a\":1}}", "/properties/a",
         "expected a schema: an object, true or false"},
        {"{\"required\":\"a\"}", "/required", "expected a list of member names"},
        {"{\"required\":[\"a\",1]}", "/required/1", "expected a member name"},
        {"{\"items\":[true]}", "/items", "expected a schema: an object, true or false"},
        {"{\"prefixItems\":[true,5]}", "/prefixItems/1",
         "expected a schema: an object, true or false"},
        {"{\"anyOf\":[]}", "/anyOf", "expected a list of schemas that is not empty"},
        {"{\"oneOf\":{}}", "/oneOf", "expected a list of schemas that is not empty"},
        {"{\"allOf\":[{\"x\":1}]}", "/allOf/0/x", "is not a keyword that is known here"},
        {"{\"not\":[]}", "/not", "expected a schema: an object, true or false"},
        {"{\"minItems\":-1}", "/minItems", "expected an integer that is not negative"},
        {"{\"maxLength\":1.5}", "/maxLength", "expected an integer that is not negative"},
        {"{\"maxProperties\":\"1\"}", "/maxProperties", "expected an integer that is not negative"},
        {"{\"uniqueItems\":1}", "/uniqueItems", "expected true or false"},
        {"{\"minimum\":\"1\"}", "/minimum", "expected a number"},
        {"{\"exclusiveMaximum\":true}", "/exclusiveMaximum", "expected a number"},
        {"{\"multipleOf\":0}", "/multipleOf", "expected a positive integer"},
        {"{\"multipleOf\":0.1}", "/multipleOf", "expected a positive integer"},
        {"{\"pattern\":1}", "/pattern", "expected a regular expression"},
        {"{\"pattern\":\"(a\"}", "/pattern", "pattern: '(' without its ')' at byte 0"},
        {"{\"$ref\":\"#\"}", "/$ref", "expected \"#/$defs/<name>\""},
        {"{\"$ref\":\"https://example.com/x\"}", "/$ref", "expected \"#/$defs/<name>\""},
        {"{\"$ref\":\"#/$defs/a\"}", "/$ref", "names nothing in $defs"},
        {"{\"$ref\":\"#/$defs/a\",\"$defs\":{\"b\":true}}", "/$ref", "names nothing in $defs"},
        {"{\"$defs\":[]}", "/$defs", "expected an object of schemas"},
        {"{\"$defs\":{\"a\":{\"x\":1}}}", "/$defs/a/x", "is not a keyword that is known here"},
        {"{\"items\":{\"$defs\":{}}}", "/items/$defs", "is known at the top of a schema only"},
        {"{\"$defs\":{\"a\":{\"$ref\":\"#/$defs/a\"}}}", "/$defs/a", "leads back to itself"},
        {"{\"$defs\":{\"a\":{\"anyOf\":[true,{\"$ref\":\"#/$defs/"
         "b\"}]},\"b\":{\"not\":{\"$ref\":\"#/$defs/a\"}}}}",
         "/$defs/a", "leads back to itself"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CLEANUP(arena) struct arena *a = arena_new(1 << 20);
        const struct schema *s = NULL;
        struct err e = {0};
        if (compile_text(a, cases[i].schema, &s, &e) != RC_INVALID) {
            fail_msg("%s", cases[i].schema);
        }
        assert_string_equal(e.text, cases[i].what);
        assert_string_equal(e.where, cases[i].where);
        assert_null(s);
    }
}

static void patterns_match(void **state)
{
    (void)state;
    static const struct {
        const char *pattern;
        const char *text;
        bool want;
    } cases[] = {
        {"", "", true},
        {"", "anything", true},
        {"b", "abc", true},
        {"b", "ac", false},
        {"^b", "ab", false},
        {"^b", "ba", true},
        {"b$", "ab", true},
        {"b$", "ba", false},
        {"^$", "", true},
        {"^$", "a", false},
        {"a$b", "ab", false},
        {"^a|b$", "xb", true},
        {"^a|b$", "ax", true},
        {"^a|b$", "xax", false},
        {"^(a|bc|)d$", "d", true},
        {"^(a|bc|)d$", "bcd", true},
        {"^(?:ab)+$", "ababab", true},
        {"^(?:ab)+$", "", false},
        {"^(ab)*$", "", true},
        {"^a?b$", "b", true},
        {"^a?b$", "aab", false},
        {"^a{3}$", "aaa", true},
        {"^a{3}$", "aa", false},
        {"^a{0}$", "", true},
        {"^a{0}$", "a", false},
        {"^a{2,}$", "aaaaa", true},
        {"^a{2,}$", "a", false},
        {"^a{1,3}$", "aaa", true},
        {"^a{1,3}$", "aaaa", false},
        {"^(a{1,2}){2}$", "aaaa", true},
        {"^(a{1,2}){2}$", "aaaaa", false},
        {"^.$", "\xf0\x9f\x98\x80", true},
        {"^.$", "\n", false},
        {"^.$", "\xe2\x80\xa8", false}, /* U+2028 ends a line */
        {"^\\d+$", "0123456789", true},
        {"^\\d$", "\xd9\xa3", false}, /* an Arabic digit */
        {"^\\D$", "x", true},
        {"^\\w+$", "aZ_9", true},
        {"^\\w$", "\xc3\xa9", false},
        {"^\\W$", "-", true},
        {"^\\s+$", " \t\n\v\f\r\xc2\xa0\xe2\x80\x83\xef\xbb\xbf", true},
        {"^\\S$", " ", false},
        {"^\\S$", "\xe2\x82\xac", true},
        {"^[abc-]+$", "a-c", true},
        {"^[-a]$", "-", true},
        {"^[a-c\\-x]+$", "-x", true},
        {"^[^a-c]$", "d", true},
        {"^[^a-c]$", "b", false},
        {"^[^\\d\\s]$", "5", false},
        {"^[\\D]$", "5", false},
        {"^[\\D]$", "x", true},
        {"^[\\W\\d]$", "5", true},
        {"^[\\W\\d]$", "x", false},
        {"^[\\S]$", "\xf4\x8f\xbf\xbf", true},
        {"^[\xc3\xa0-\xc3\xbf]$", "\xc3\xa9", true},
        {"^[.*+?(){}|^$]+$", ".*+?(){}|^$", true},
        {"^\\^\\$\\\\\\.\\*\\+\\?\\(\\)\\[\\]\\{\\}\\|\\/\\-$", "^$\\.*+?()[]{}|/-", true},
        {"^\\t\\n\\v\\f\\r$", "\t\n\v\f\r", true},
        {"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", "checkout-api", true},
        {"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", "checkout-", false},
        {"^(a*)*b$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac", false},
        {"^(a|a)*$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", false},
        {"(x+x+)+y", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", false},
        {"^(|a)+$", "aaa", true},
        {"^((^a)|b)*$", "ab", true},
        {"^((^a)|b)*$", "ba", false},
    };
    CLEANUP(arena) struct arena *a = arena_new(1 << 22);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct pattern *p = NULL;
        struct err e = {0};
        uint64_t work = 0;
        arena_reset(a);
        if (pattern_compile(a, str_from(cases[i].pattern), &p, &e) != RC_OK) {
            fail_msg("%s: %s", cases[i].pattern, e.text);
        }
        if (pattern_matches(p, str_from(cases[i].text), 100000, &work) != cases[i].want) {
            fail_msg("%s with %s", cases[i].pattern, cases[i].text);
        }
        assert_true(work > 0 && work <= 100000);
    }
}

static void patterns_refused(void **state)
{
    (void)state;
    static const struct {
        const char *pattern;
        enum rc rc;
        const char *what;
    } cases[] = {
        {"(", RC_INVALID, "pattern: '(' without its ')' at byte 0"},
        {"a)", RC_INVALID, "pattern: ')' without its '(' at byte 1"},
        {"[a", RC_INVALID, "pattern: '[' without its ']' at byte 0"},
        {"[]", RC_INVALID, "pattern: an empty [...] at byte 0"},
        {"[^]", RC_INVALID, "pattern: an empty [...] at byte 0"},
        {"[[:alpha:]]", RC_INVALID, "pattern: '[' without a backslash in [...] at byte 1"},
        {"[z-a]", RC_INVALID, "pattern: a range that is none at byte 1"},
        {"[a-\\d]", RC_INVALID, "pattern: a range that is none at byte 1"},
        {"[\\d-z]", RC_INVALID, "pattern: a range that is none at byte 1"},
        {"*", RC_INVALID, "pattern: a quantifier or bracket that belongs to nothing at byte 0"},
        {"a**", RC_INVALID, "pattern: a quantifier or bracket that belongs to nothing at byte 2"},
        {"^*", RC_INVALID, "pattern: a quantifier or bracket that belongs to nothing at byte 1"},
        {"a|+", RC_INVALID, "pattern: a quantifier or bracket that belongs to nothing at byte 2"},
        {"a]", RC_INVALID, "pattern: a quantifier or bracket that belongs to nothing at byte 1"},
        {"{", RC_INVALID, "pattern: a quantifier or bracket that belongs to nothing at byte 0"},
        {"a{", RC_INVALID, "pattern: expected a count at byte 2"},
        {"a{,2}", RC_INVALID, "pattern: expected a count at byte 2"},
        {"a{1", RC_INVALID, "pattern: '{' without its '}' at byte 1"},
        {"a{1,x}", RC_INVALID, "pattern: expected a count at byte 4"},
        {"a{3,2}", RC_INVALID, "pattern: a repetition that is none at byte 1"},
        {"a+?", RC_INVALID, "pattern: a lazy quantifier at byte 2"},
        {"(?=a)", RC_INVALID, "pattern: a quantifier or bracket that belongs to nothing at byte 1"},
        {"(?<n>a)", RC_INVALID,
         "pattern: a quantifier or bracket that belongs to nothing at byte 1"},
        {"\\1", RC_INVALID, "pattern: an escape that is not known at byte 0"},
        {"\\bword", RC_INVALID, "pattern: an escape that is not known at byte 0"},
        {"\\u0041", RC_INVALID, "pattern: an escape that is not known at byte 0"},
        {"\\p{L}", RC_INVALID, "pattern: an escape that is not known at byte 0"},
        {"a\\", RC_INVALID, "pattern: unfinished escape at byte 1"},
        {"[\\", RC_INVALID, "pattern: unfinished escape at byte 1"},
        {"\xff", RC_INVALID, "pattern: invalid UTF-8 at byte 0"},
        {"a{257}", RC_LIMIT, "pattern: a repetition beyond 256"},
        {"a{1,99999999999}", RC_LIMIT, "pattern: a repetition beyond 256"},
        {"((a{256}){256}){256}", RC_LIMIT,
         "pattern: too large when its repetitions are written out"},
        {"(((((){256}){256}){256}){256}){256}", RC_LIMIT,
         "pattern: too large when its repetitions are written out"},
        {"((((((((((((((((((((((((((((((((()))))))))))))))))))))))))))))))))", RC_LIMIT,
         "pattern: groups nested too deeply"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CLEANUP(arena) struct arena *a = arena_new(1 << 20);
        const struct pattern *p = NULL;
        struct err e = {0};
        if (pattern_compile(a, str_from(cases[i].pattern), &p, &e) != cases[i].rc) {
            fail_msg("%s: %s", cases[i].pattern, e.text);
        }
        assert_string_equal(e.text, cases[i].what);
        assert_null(p);
    }
}

static void pattern_limits(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(8 << 20);
    static char text[PATTERN_PROGRAM_MAX * 2 + 1];
    memset(text, 'a', sizeof text);
    const struct pattern *p = NULL;
    struct err e = {0};
    /* One instruction is left for the match itself. */
    assert_int_equal(pattern_compile(a, (struct str){text, PATTERN_PROGRAM_MAX - 1}, &p, &e),
                     RC_OK);
    uint64_t work = 0;
    assert_true(pattern_matches(p, (struct str){text, PATTERN_PROGRAM_MAX - 1}, UINT64_MAX, &work));
    assert_false(
        pattern_matches(p, (struct str){text, PATTERN_PROGRAM_MAX - 2}, UINT64_MAX, &work));
    assert_false(pattern_matches(p, (struct str){text, PATTERN_PROGRAM_MAX - 1}, 100, &work));
    assert_true(work > 100 && work < 1000); /* it gave up */
    assert_int_equal(pattern_compile(a, (struct str){text, PATTERN_PROGRAM_MAX}, &p, &e), RC_LIMIT);
    assert_int_equal(pattern_compile(a, (struct str){text, sizeof text}, &p, &e), RC_LIMIT);
    assert_string_equal(e.text, "pattern: longer than 4096 bytes");
    /* 128 ranges are the most of one class. */
    for (size_t i = 0; i < 140; i++) {
        text[i] = i == 0 ? '[' : i == 139 ? ']' : 'a';
    }
    assert_int_equal(pattern_compile(a, (struct str){text, 140}, &p, &e), RC_LIMIT);
    text[129] = ']';
    assert_int_equal(pattern_compile(a, (struct str){text, 130}, &p, &e), RC_OK);
}

/* Text of count times open, inside, count times close. */
static struct str nested(struct arena *a, const char *open, const char *inside, const char *close,
                         int count)
{
    struct str s = str_from(inside);
    for (int i = 0; i < count; i++) {
        s = arena_printf(a, "%s%.*s%s", open, STR_ARG(s), close);
    }
    return s;
}

static void depth_is_limited(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(4 << 20);
    const struct schema *s = NULL;
    struct err e = {0};
    assert_int_equal(compile_text(a, "true", &s, &e), RC_OK);
    /* Built, because no reader makes a value this deep. */
    struct value v = value_int(1);
    for (int i = 0; i < SCHEMA_DEPTH_MAX; i++) {
        struct value outer = value_array();
        value_push(a, &outer, v);
        v = outer;
    }
    assert_int_equal(schema_check(s, &v, &e), RC_OK);
    struct value outer = value_object();
    value_add(a, &outer, STR("a"), v);
    assert_int_equal(schema_check(s, &outer, &e), RC_LIMIT);
    assert_string_equal(e.text, "nested deeper than 32");

    struct value definition = parsed(a, nested(a, "{\"items\":", "true", "}", SCHEMA_DEPTH_MAX));
    assert_int_equal(schema_compile(a, &definition, &s, &e), RC_OK);
    struct value deeper = value_object();
    value_add(a, &deeper, STR("items"), definition);
    assert_int_equal(schema_compile(a, &deeper, &s, &e), RC_LIMIT);
    assert_string_equal(e.text, "schemas inside each other deeper than 32");
}

/*
 * A schema of head and $defs d0 to d<count - 1>, each leading to the next; twice through allOf when
 * doubled.
 */
static struct str chain(struct arena *a, const char *head, int count, bool doubled)
{
    struct str s = arena_printf(a, "{%s,\"$defs\":{", head);
    for (int i = 0; i < count; i++) {
        s = arena_printf(
            a,
            doubled
                ? "%.*s\"d%d\":{\"allOf\":[{\"$ref\":\"#/$defs/d%d\"},{\"$ref\":\"#/$defs/d%d\"}]},"
                : "%.*s\"d%d\":{\"$ref\":\"#/$defs/d%d\"},",
            STR_ARG(s), i, i + 1, i + 1);
    }
    return arena_printf(a, "%.*s\"d%d\":true}}", STR_ARG(s), count);
}

static void chains_are_limited(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(4 << 20);
    const struct schema *s = NULL;
    struct err e = {0};
    struct value v = value_int(1);
    struct value good = parsed(a, chain(a, "\"$ref\":\"#/$defs/d0\"", SCHEMA_DEPTH_MAX, false));
    assert_int_equal(schema_compile(a, &good, &s, &e), RC_OK);
    assert_int_equal(schema_check(s, &v, &e), RC_OK);
    struct value bad = parsed(a, chain(a, "\"$ref\":\"#/$defs/d0\"", SCHEMA_DEPTH_MAX + 1, false));
    assert_int_equal(schema_compile(a, &bad, &s, &e), RC_LIMIT);
    assert_string_equal(e.text, "a chain of schemas longer than 32");
    assert_string_equal(e.where, "/$defs/d0");
}

static void expect_too_much_work(struct arena *a, struct str definition, const struct value *v)
{
    const struct schema *s = NULL;
    struct err e = {0};
    struct value d = parsed(a, definition);
    assert_int_equal(schema_compile(a, &d, &s, &e), RC_OK);
    assert_int_equal(schema_check(s, v, &e), RC_LIMIT);
    assert_non_null(strstr(e.text, "schema check may"));
}

/* "Don't know" must never come out as "fits" or "does not fit", least of all below "not". */
static void work_is_limited(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(8 << 20);
    /* Each of d0 to d15 looks at every item twice. */
    static const char *const heads[] = {
        "\"items\":{\"$ref\":\"#/$defs/d0\"}",
        "\"not\":{\"items\":{\"$ref\":\"#/$defs/d0\"}}",
        "\"anyOf\":[{\"items\":{\"$ref\":\"#/$defs/d0\"}},true]",
        "\"oneOf\":[{\"items\":{\"$ref\":\"#/$defs/d0\"}},true]",
    };
    struct value list = value_array();
    for (int i = 0; i < 50; i++) {
        value_push(a, &list, value_int(i));
    }
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        expect_too_much_work(a, chain(a, heads[i], 15, true), &list);
    }
    /* A pattern that keeps many alternatives alive over a long text. */
    char *text = arena_alloc(a, 1 << 16);
    assert_non_null(text);
    memset(text, 'a', 1 << 16);
    struct value longest = value_string((struct str){text, 1 << 16});
    expect_too_much_work(a, STR("{\"pattern\":\"(a{0,200}){4}b\"}"), &longest);
}

static void every_cap_is_survived(void **state)
{
    (void)state;
    static const char definition[] =
        "{\"type\":\"object\",\"properties\":{\"a\":{\"pattern\":\"^(a|[b-d\\\\s]{2,5})*$\"},\"b\":"
        "{\"anyOf\":[{\"const\":1},"
        "{\"$ref\":\"#/$defs/"
        "n\"}]}},\"$defs\":{\"n\":{\"items\":{\"type\":\"integer\"}}},\"required\":[\"a\"]}";
    CLEANUP(arena) struct arena *source = arena_new(1 << 16);
    struct value d = parsed(source, str_from(definition));
    int failed = 0;
    bool whole = false;
    for (size_t cap = 0; cap < 16384; cap += 16) {
        CLEANUP(arena) struct arena *a = arena_new(cap);
        const struct schema *s = NULL;
        struct err e = {0};
        enum rc rc = schema_compile(a, &d, &s, &e);
        whole = rc == RC_OK;
        if (!whole) {
            assert_int_equal(rc, RC_LIMIT);
            assert_non_null(strstr(e.text, "more memory"));
            assert_null(s);
            failed++;
        }
    }
    assert_true(whole);
    assert_true(failed > 100);
}

static void long_choices_are_cut(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(1 << 18);
    struct str list = STR("");
    for (int i = 0; i < 100; i++) {
        list = arena_printf(a, "%.*s%s\"\xe2\x82\xac%d\"", STR_ARG(list), i > 0 ? "," : "", i);
    }
    struct value d = parsed(a, arena_printf(a, "{\"enum\":[%.*s]}", STR_ARG(list)));
    const struct schema *s = NULL;
    struct err e = {0};
    assert_int_equal(schema_compile(a, &d, &s, &e), RC_OK);
    struct value v = value_null();
    assert_int_equal(schema_check(s, &v, &e), RC_INVALID);
    assert_true(str_starts(str_from(e.text), STR("expected one of \"\xe2\x82\xac"
                                                 "0\", \"\xe2\x82\xac"
                                                 "1\"")));
    assert_true(str_ends(str_from(e.text), STR("...")));
    assert_true(utf8_valid(str_from(e.text)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types),
        cmocka_unit_test(numbers),
        cmocka_unit_test(strings),
        cmocka_unit_test(arrays),
        cmocka_unit_test(objects),
        cmocka_unit_test(combinations),
        cmocka_unit_test(refused_definitions),
        cmocka_unit_test(patterns_match),
        cmocka_unit_test(patterns_refused),
        cmocka_unit_test(pattern_limits),
        cmocka_unit_test(depth_is_limited),
        cmocka_unit_test(chains_are_limited),
        cmocka_unit_test(work_is_limited),
        cmocka_unit_test(every_cap_is_survived),
        cmocka_unit_test(long_choices_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
