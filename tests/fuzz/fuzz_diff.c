/* Any bytes as a diff of any format, told by the first byte: refused with a text, or rows that JSON can carry, bounded. */
#include "fuzz/fuzz.h"

#include "base/must.h"
#include "diff/read.h"
#include "value/json.h"

enum { MEMORY_MAX = 256 << 20, TEXT_MAX = 16 << 20 };

static void check_row(const struct value *row)
{
    must(row->type == VALUE_OBJECT && row->count == 12);
    must(value_text(value_get(row, STR("kind"))).len > 0);
    must(value_is(value_get(row, STR("facts")), VALUE_ARRAY));
    must(value_text(value_get(row, STR("path"))).len <= 3 * DIFF_PATH_MAX);
}

static void check_changes(struct arena *a, const struct diff_changes *c)
{
    struct value v = diff_changes_value(a, c);
    must(c->list.count <= DIFF_CHANGES_MAX);
    for (uint32_t i = 0; i < c->list.count; i++) {
        check_row(&c->list.items[i]);
    }
    struct buf out;
    buf_init(&out, TEXT_MAX);
    json_write(&out, &v);
    must(out.rc == RC_LIMIT || utf8_valid(buf_view(&out)));
    struct value back;
    must(out.rc == RC_LIMIT || json_parse(a, buf_view(&out), &back, NULL) == RC_OK);
    buf_done(&out);
}

/* Both halves of a text with a NUL between are the two sides. */
static struct value diff_of(struct arena *a, struct str text, enum diff_format format)
{
    struct value v = value_object();
    size_t at = str_find(text, '\0');
    struct str before = str_slice(text, 0, at);
    struct str after = at < text.len ? str_slice(text, at + 1, text.len) : STR("");
    if (format == DIFF_NONE) {
        return value_string(text);
    }
    value_add_str(a, &v, STR("format"), str_from(diff_format_name(format)));
    if (format == DIFF_TERRAFORM || format == DIFF_SQL || format == DIFF_GIT) {
        value_add_str(a, &v, format == DIFF_TERRAFORM ? STR("plan") : format == DIFF_SQL ? STR("sql") : STR("patch"), text);
    } else {
        value_add_str(a, &v, STR("before"), before);
        value_add_str(a, &v, STR("after"), after);
    }
    return v;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    CLEANUP(arena) struct arena *a = arena_new(MEMORY_MAX);
    struct str text = {(const char *)data + 1, size - 1};
    struct diff_settings settings = {.codeowners = text, .has_codeowners = (data[0] & 0x80) != 0};
    struct value v = diff_of(a, text, (enum diff_format)((data[0] & 0x7f) % DIFF_FORMAT_COUNT));
    struct diff_changes c;
    struct err e = {0};
    enum rc rc = diff_read(a, &v, &settings, &c, &e);
    if (rc == RC_OK) {
        check_changes(a, &c);
    } else {
        must(rc == RC_INVALID || rc == RC_LIMIT || rc == RC_CONFLICT);
        must(e.rc == rc && e.text[0] != '\0');
    }
    return 0;
}
