#include "diff/documents.h"

#include "value/json.h"
#include "value/mark.h"
#include "value/pointer.h"
#include "value/yaml.h"

/* --- YAML ------------------------------------------------------------------------------------------- */

/* "---" or "..." alone, or with something behind a space. Source: YAML 1.1 section 9.1.2. */
static bool is_mark(struct str line, const char *mark)
{
    return str_starts(line, str_from(mark)) &&
           (line.len == 3 || line.ptr[3] == ' ' || line.ptr[3] == '\t' || line.ptr[3] == '\r');
}

/* The next document with the mark that opens it; false at the end. */
static bool next_document(struct str *rest, struct str *ret)
{
    size_t at = 0;
    bool first = true;
    if (rest->len == 0) {
        return false;
    }
    while (at < rest->len) {
        struct str line = str_slice(*rest, at, at + str_find(str_slice(*rest, at, rest->len), '\n'));
        size_t next = at + line.len + 1 < rest->len ? at + line.len + 1 : rest->len;
        if (is_mark(line, "---") && !first) {
            break;
        }
        if (is_mark(line, "...")) {
            *ret = str_slice(*rest, 0, at);
            *rest = str_slice(*rest, next, rest->len);
            return true;
        }
        first = false;
        at = next;
    }
    *ret = str_slice(*rest, 0, at);
    *rest = str_slice(*rest, at, rest->len);
    return true;
}

static enum rc read_yaml(struct arena *a, struct str side, struct str text, struct value *list, struct err *e)
{
    struct str rest = text;
    struct str part;
    for (unsigned n = 1; next_document(&rest, &part); n++) {
        struct str name = arena_printf(a, "%.*s#%u", STR_ARG(side), n);
        struct value v;
        if (n > DOCUMENTS_MAX) {
            return err_at(e, RC_LIMIT, side, "more than %d documents", DOCUMENTS_MAX);
        }
        enum rc rc = yaml_parse(a, name, part, &v, e);
        if (rc != RC_OK) {
            return rc;
        }
        if (v.type != VALUE_OBJECT || v.count > 0) {
            value_push(a, list, v);
        }
    }
    return RC_OK;
}

/* --- a side ----------------------------------------------------------------------------------------- */

static enum rc read_text(struct arena *a, struct str side, struct str text, struct value *list, struct err *e)
{
    struct str s = str_trim(text);
    struct value v;
    bool json = s.len > 0 && (s.ptr[0] == '{' || s.ptr[0] == '[') && json_parse(a, s, &v, NULL) == RC_OK;
    if (!json) {
        return arena_rc(a) == RC_OK ? read_yaml(a, side, text, list, e) : RC_OK;
    }
    if (v.type == VALUE_ARRAY) {
        *list = v;
    } else {
        value_push(a, list, v);
    }
    return RC_OK;
}

enum rc diff_documents(struct arena *a, struct str side, const struct value *v, struct value *ret, struct err *e)
{
    struct value list = value_array();
    enum rc rc = RC_OK;
    if (v != NULL && value_is_mark(v)) {
        return err_at(e, RC_INVALID, side, "was taken out as a secret, so it can't be read");
    }
    if (v == NULL || v->type == VALUE_NULL) {
        rc = RC_OK;
    } else if (v->type == VALUE_STRING) {
        rc = read_text(a, side, v->string, &list, e);
    } else if (v->type == VALUE_ARRAY) {
        list = *v;
    } else if (v->type == VALUE_OBJECT) {
        value_push(a, &list, *v);
    } else {
        rc = err_at(e, RC_INVALID, side, "expected a text, an object or a list, not a %s", value_type_name(v->type));
    }
    if (rc == RC_OK) {
        *ret = list;
    }
    return rc;
}
