/* Values against compiled schemas: the first place that does not fit, and what was expected there.
 */
#include "base/must.h"
#include "value/json.h"
#include "value/number.h"
#include "value/pointer.h"
#include "value/schema_internal.h"
#include "value/schema_pattern.h"
#include "value/utf8.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    CHOICES_TEXT_MAX = 200, /* bytes of the choices that an error lists */
    COMPARED_PAIRWISE = 16, /* items; more are sorted by their canonical bytes */
    UNIQUE_BYTES_MAX = 32 << 20,
};

struct checker {
    struct err *err; /* null inside alternatives, whose failures nobody reads */
    uint64_t work;
};

static enum rc check(struct checker *k, const struct schema *s, const struct value *v);

static enum rc spend(struct checker *k, uint64_t work)
{
    k->work += work;
    if (k->work > SCHEMA_WORK_MAX) {
        return err_set(k->err, RC_LIMIT, "takes more work than a schema check may");
    }
    return RC_OK;
}

static bool type_fits(unsigned types, const struct value *v)
{
    if (number_is(v)) {
        return (types & SCHEMA_TYPE_NUMBER) != 0 ||
               ((types & SCHEMA_TYPE_INTEGER) != 0 && number_is_whole(v));
    }
    return (types & 1U << v->type) != 0;
}

static enum rc check_type(struct checker *k, const struct schema *s, const struct value *v)
{
    if (s->types == 0 || type_fits(s->types, v)) {
        return RC_OK;
    }
    char names[96]; /* all seven take 65 */
    size_t len = 0;
    for (unsigned type = VALUE_NULL; type <= VALUE_OBJECT; type++) {
        if ((s->types & 1U << type) != 0) {
            const char *name = value_type_name(type);
            len += (size_t)snprintf(names + len, sizeof names - len, "%s%s", len > 0 ? " or " : "",
                                    name);
            must(len < sizeof names);
        }
    }
    return err_set(k->err, RC_INVALID, "expected %s, found %s", names, value_type_name(v->type));
}

static enum rc fail_choice(struct checker *k, const char *expected, const struct value *choices,
                           uint32_t count)
{
    if (k->err == NULL) {
        return RC_INVALID;
    }
    struct buf text;
    buf_init(&text, CHOICES_TEXT_MAX);
    for (uint32_t i = 0; i < count; i++) {
        buf_str(&text, i > 0 ? STR(", ") : STR(""));
        json_write(&text, &choices[i]);
    }
    struct str shown = buf_view(&text);
    while (!utf8_valid(shown)) {
        shown.len--;
    }
    err_set(k->err, RC_INVALID, "expected %s%.*s%s", expected, STR_ARG(shown),
            text.rc == RC_OK ? "" : "...");
    buf_done(&text);
    return RC_INVALID;
}

static enum rc check_choices(struct checker *k, const struct schema *s, const struct value *v)
{
    if (s->constant != NULL && !value_eq(s->constant, v)) {
        return fail_choice(k, "", s->constant, 1);
    }
    if (s->choices == NULL) {
        return RC_OK;
    }
    enum rc rc = spend(k, s->choices->count);
    if (rc != RC_OK) {
        return rc;
    }
    for (uint32_t i = 0; i < s->choices->count; i++) {
        if (value_eq(&s->choices->items[i], v)) {
            return RC_OK;
        }
    }
    return fail_choice(k, "one of ", s->choices->items, s->choices->count);
}

static enum rc check_count(struct checker *k, const char *what, int64_t count,
                           const int64_t bounds[2])
{
    if (count < bounds[0]) {
        return err_set(k->err, RC_INVALID, "expected at least %" PRId64 " %s, found %" PRId64,
                       bounds[0], what, count);
    }
    if (count > bounds[1]) {
        return err_set(k->err, RC_INVALID, "expected at most %" PRId64 " %s, found %" PRId64,
                       bounds[1], what, count);
    }
    return RC_OK;
}

static enum rc fail_bound(struct checker *k, const char *expected, const struct value *bound)
{
    return fail_choice(k, expected, bound, 1);
}

static enum rc check_number(struct checker *k, const struct schema *s, const struct value *v)
{
    if (s->minimum != NULL && number_cmp(v, s->minimum) < 0) {
        return fail_bound(k, "a number not below ", s->minimum);
    }
    if (s->maximum != NULL && number_cmp(v, s->maximum) > 0) {
        return fail_bound(k, "a number not above ", s->maximum);
    }
    if (s->exclusive_minimum != NULL && number_cmp(v, s->exclusive_minimum) <= 0) {
        return fail_bound(k, "a number above ", s->exclusive_minimum);
    }
    if (s->exclusive_maximum != NULL && number_cmp(v, s->exclusive_maximum) >= 0) {
        return fail_bound(k, "a number below ", s->exclusive_maximum);
    }
    int64_t n;
    /* What is no int64 is no multiple either: refusing is the safe side. */
    if (s->multiple_of != 0 && (!number_as_int(v, &n) || n % s->multiple_of != 0)) {
        return err_set(k->err, RC_INVALID, "expected a multiple of %" PRId64, s->multiple_of);
    }
    return RC_OK;
}

static enum rc check_string(struct checker *k, const struct schema *s, const struct value *v)
{
    if (s->min_length > 0 || s->max_length < INT64_MAX) {
        int64_t length = (int64_t)utf8_count(v->string);
        enum rc rc =
            check_count(k, "characters", length, (const int64_t[]){s->min_length, s->max_length});
        if (rc != RC_OK) {
            return rc;
        }
    }
    if (s->pattern == NULL) {
        return RC_OK;
    }
    uint64_t work;
    bool matched = pattern_matches(s->pattern, v->string, SCHEMA_WORK_MAX - k->work, &work);
    enum rc rc = spend(k, work);
    if (rc == RC_OK && !matched) {
        struct str shown = utf8_clip(s->pattern_text->string, CHOICES_TEXT_MAX);
        rc = err_set(k->err, RC_INVALID, "expected text that matches %.*s", STR_ARG(shown));
    }
    return rc;
}

static int bytes_order(const void *a, const void *b)
{
    const struct str *x = a;
    const struct str *y = b;
    return str_cmp(*x, *y);
}

/* Canonical bytes are the same exactly when values are. texts has room for the count of v. */
static enum rc canonical_items(const struct value *v, struct buf *out, struct str *texts,
                               struct arena *scratch)
{
    for (uint32_t i = 0; i < v->count; i++) {
        size_t before = out->len;
        json_write_canonical(out, &v->items[i], scratch);
        texts[i].len = out->len - before;
    }
    if (out->rc != RC_OK) {
        return out->rc;
    }
    /* Only now the bytes have stopped moving. */
    const char *at = out->data;
    for (uint32_t i = 0; i < v->count; i++) {
        texts[i].ptr = at;
        at += texts[i].len;
    }
    return RC_OK;
}

static enum rc many_differ(const struct value *v, struct arena *scratch, bool *ret_twice)
{
    struct str *texts = arena_array(scratch, v->count, sizeof *texts);
    if (texts == NULL) {
        return arena_rc(scratch);
    }
    __attribute__((cleanup(buf_cleanup))) struct buf out;
    buf_init(&out, UNIQUE_BYTES_MAX);
    enum rc rc = canonical_items(v, &out, texts, scratch);
    if (rc != RC_OK) {
        return rc;
    }
    qsort(texts, v->count, sizeof *texts, bytes_order);
    for (uint32_t i = 1; i < v->count; i++) {
        *ret_twice = *ret_twice || str_eq(texts[i - 1], texts[i]);
    }
    return RC_OK;
}

static bool few_differ(const struct value *v)
{
    for (uint32_t i = 1; i < v->count; i++) {
        for (uint32_t j = 0; j < i; j++) {
            if (value_eq(&v->items[i], &v->items[j])) {
                return false;
            }
        }
    }
    return true;
}

static enum rc check_unique(struct checker *k, const struct value *v)
{
    bool twice = false;
    enum rc rc = spend(k, v->count);
    if (rc != RC_OK) {
        return rc;
    }
    if (v->count <= COMPARED_PAIRWISE) {
        twice = !few_differ(v);
    } else {
        CLEANUP(arena) struct arena *scratch = arena_new(UNIQUE_BYTES_MAX);
        rc = scratch == NULL ? RC_NO_MEMORY : many_differ(v, scratch, &twice);
        if (rc != RC_OK) {
            return err_set(k->err, rc, "uniqueItems takes more memory than its maximum");
        }
    }
    return twice ? err_set(k->err, RC_INVALID, "expected items that all differ") : RC_OK;
}

static enum rc check_array(struct checker *k, const struct schema *s, const struct value *v)
{
    enum rc rc = check_count(k, "items", v->count, (const int64_t[]){s->min_items, s->max_items});
    for (uint32_t i = 0; rc == RC_OK && i < v->count; i++) {
        const struct schema *of_item =
            i < s->prefix_items.count ? &s->prefix_items.items[i] : s->items;
        if (of_item == NULL) {
            break;
        }
        rc = check(k, of_item, &v->items[i]);
        if (rc != RC_OK) {
            pointer_item(k->err, i);
        }
    }
    return rc == RC_OK && s->unique_items ? check_unique(k, v) : rc;
}

static const struct schema *property_find(const struct schema *s, struct str name)
{
    for (uint32_t i = 0; i < s->properties.count; i++) {
        if (str_eq(s->properties.items[i].name, name)) {
            return s->properties.items[i].schema;
        }
    }
    return NULL;
}

static enum rc check_name(struct checker *k, const struct schema *s, struct str name)
{
    struct value v = value_string(name);
    enum rc rc = s->property_names == NULL ? RC_OK : check(k, s->property_names, &v);
    return rc == RC_OK ? rc : err_wrap(k->err, rc, "member name");
}

static enum rc check_member(struct checker *k, const struct schema *s, const struct member *m)
{
    enum rc rc = check_name(k, s, m->name);
    if (rc != RC_OK) {
        return rc;
    }
    const struct schema *of_member = property_find(s, m->name);
    if (of_member != NULL) {
        return check(k, of_member, &m->value);
    }
    if (s->additional != NULL && s->additional->never) {
        return err_set(k->err, RC_INVALID, "expected no member of this name");
    }
    return s->additional == NULL ? RC_OK : check(k, s->additional, &m->value);
}

static enum rc check_required(struct checker *k, const struct schema *s, const struct value *v)
{
    for (uint32_t i = 0; s->required != NULL && i < s->required->count; i++) {
        struct str name = s->required->items[i].string;
        if (value_get(v, name) == NULL) {
            name = utf8_clip(name, POINTER_STEP_MAX);
            return err_set(k->err, RC_INVALID, "expected a member \"%.*s\"", STR_ARG(name));
        }
    }
    return RC_OK;
}

static enum rc check_object(struct checker *k, const struct schema *s, const struct value *v)
{
    uint32_t looked_up = s->properties.count + (s->required != NULL ? s->required->count : 0);
    enum rc rc = spend(k, (uint64_t)looked_up * v->count);
    rc = rc == RC_OK ? check_required(k, s, v) : rc;
    rc = rc == RC_OK ? check_count(k, "members", v->count,
                                   (const int64_t[]){s->min_properties, s->max_properties})
                     : rc;
    for (uint32_t i = 0; rc == RC_OK && i < v->count; i++) {
        rc = check_member(k, s, &v->members[i]);
        if (rc != RC_OK) {
            pointer_member(k->err, v->members[i].name);
        }
    }
    return rc;
}

/* Counts the alternatives that fit. Only RC_INVALID means "does not fit". */
static enum rc count_fitting(struct checker *k, const struct schema *list, uint32_t count,
                             const struct value *v, uint32_t *ret)
{
    struct err *err = k->err;
    enum rc rc = RC_OK;
    *ret = 0;
    k->err = NULL;
    for (uint32_t i = 0; i < count && (rc == RC_OK || rc == RC_INVALID); i++) {
        rc = check(k, &list[i], v);
        *ret += rc == RC_OK;
    }
    k->err = err;
    if (rc == RC_OK || rc == RC_INVALID) {
        return RC_OK;
    }
    return err_set(k->err, rc, "takes more than a schema check may");
}

static enum rc check_alternatives(struct checker *k, const struct schema *s, const struct value *v)
{
    uint32_t fitting;
    enum rc rc = RC_OK;
    if (s->any_of.count > 0) {
        rc = count_fitting(k, s->any_of.items, s->any_of.count, v, &fitting);
        if (rc == RC_OK && fitting == 0) {
            rc = err_set(k->err, RC_INVALID, "fits none of the %u alternatives of anyOf",
                         s->any_of.count);
        }
    }
    if (rc == RC_OK && s->one_of.count > 0) {
        rc = count_fitting(k, s->one_of.items, s->one_of.count, v, &fitting);
        if (rc == RC_OK && fitting != 1) {
            rc =
                err_set(k->err, RC_INVALID, "fits %u of the %u alternatives of oneOf, expected one",
                        fitting, s->one_of.count);
        }
    }
    if (rc == RC_OK && s->not_this != NULL) {
        rc = count_fitting(k, s->not_this, 1, v, &fitting);
        if (rc == RC_OK && fitting != 0) {
            rc = err_set(k->err, RC_INVALID, "fits what \"not\" excludes");
        }
    }
    return rc;
}

static enum rc check_combined(struct checker *k, const struct schema *s, const struct value *v)
{
    enum rc rc = s->ref == NULL ? RC_OK : check(k, s->ref, v);
    for (uint32_t i = 0; rc == RC_OK && i < s->all_of.count; i++) {
        rc = check(k, &s->all_of.items[i], v);
    }
    return rc == RC_OK ? check_alternatives(k, s, v) : rc;
}

static enum rc check_content(struct checker *k, const struct schema *s, const struct value *v)
{
    switch (v->type) {
    case VALUE_INT:
    case VALUE_DOUBLE:
        return check_number(k, s, v);
    case VALUE_STRING:
        return check_string(k, s, v);
    case VALUE_ARRAY:
        return check_array(k, s, v);
    case VALUE_OBJECT:
        return check_object(k, s, v);
    case VALUE_NULL:
    case VALUE_BOOL:
        break;
    }
    return RC_OK;
}

static enum rc check(struct checker *k, const struct schema *s, const struct value *v)
{
    enum rc rc = spend(k, 1);
    if (rc == RC_OK && s->never) {
        return err_set(k->err, RC_INVALID, "expected nothing here");
    }
    rc = rc == RC_OK ? check_type(k, s, v) : rc;
    rc = rc == RC_OK ? check_choices(k, s, v) : rc;
    rc = rc == RC_OK ? check_content(k, s, v) : rc;
    return rc == RC_OK ? check_combined(k, s, v) : rc;
}

/* Beforehand, so that nothing above need count: neither comparing nor descending can go deeper. */
static bool nests_beyond(const struct value *v, int depth)
{
    bool array = v->type == VALUE_ARRAY;
    if (!array && v->type != VALUE_OBJECT) {
        return false;
    }
    bool beyond = depth == 0;
    for (uint32_t i = 0; !beyond && i < v->count; i++) {
        beyond = nests_beyond(array ? &v->items[i] : &v->members[i].value, depth - 1);
    }
    return beyond;
}

enum rc schema_check(const struct schema *s, const struct value *v, struct err *e)
{
    must(s != NULL && v != NULL);
    if (nests_beyond(v, SCHEMA_DEPTH_MAX)) {
        return err_set(e, RC_LIMIT, "nested deeper than %d", SCHEMA_DEPTH_MAX);
    }
    struct checker k = {.err = e};
    return check(&k, s, v);
}
