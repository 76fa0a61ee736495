/* Types: the constants, their names, their text. */
#include "cel/value.h"

#include <string.h>

const struct cel_type cel_null = {.kind = CEL_NULL};
const struct cel_type cel_bool = {.kind = CEL_BOOL};
const struct cel_type cel_int = {.kind = CEL_INT};
const struct cel_type cel_uint = {.kind = CEL_UINT};
const struct cel_type cel_double = {.kind = CEL_DOUBLE};
const struct cel_type cel_string = {.kind = CEL_STRING};
const struct cel_type cel_bytes = {.kind = CEL_BYTES};
const struct cel_type cel_timestamp = {.kind = CEL_TIMESTAMP};
const struct cel_type cel_duration = {.kind = CEL_DURATION};
const struct cel_type cel_type_type = {.kind = CEL_TYPE};
const struct cel_type cel_dyn = {.kind = CEL_DYN};
const struct cel_type cel_ip = {.kind = CEL_IP};
const struct cel_type cel_cidr = {.kind = CEL_CIDR};
const struct cel_type cel_list_dyn = {.kind = CEL_LIST, .item = &cel_dyn};
const struct cel_type cel_list_string = {.kind = CEL_LIST, .item = &cel_string};
const struct cel_type cel_map_dyn = {.kind = CEL_MAP, .key = &cel_dyn, .item = &cel_dyn};
const struct cel_type cel_map_string_dyn = {.kind = CEL_MAP, .key = &cel_string, .item = &cel_dyn};
const struct cel_type cel_map_string_string = {
    .kind = CEL_MAP, .key = &cel_string, .item = &cel_string};
const struct cel_type cel_optional_dyn = {.kind = CEL_OPTIONAL, .item = &cel_dyn};

const char *cel_kind_name(enum cel_kind kind)
{
    static const char *const names[] = {
        [CEL_ABSENT] = "absent",
        [CEL_NULL] = "null_type",
        [CEL_BOOL] = "bool",
        [CEL_INT] = "int",
        [CEL_UINT] = "uint",
        [CEL_DOUBLE] = "double",
        [CEL_STRING] = "string",
        [CEL_BYTES] = "bytes",
        [CEL_LIST] = "list",
        [CEL_MAP] = "map",
        [CEL_TYPE] = "type",
        [CEL_TIMESTAMP] = "google.protobuf.Timestamp",
        [CEL_DURATION] = "google.protobuf.Duration",
        [CEL_OPTIONAL] = "optional_type",
        [CEL_IP] = "net.IP",
        [CEL_CIDR] = "net.CIDR",
        [CEL_OBJECT] = "object",
        [CEL_DYN] = "dyn",
        [CEL_VAR] = "dyn",
        [CEL_ERROR] = "error",
    };
    return kind <= CEL_ERROR ? names[kind] : "unknown";
}

struct str cel_type_name(const struct cel_type *t)
{
    return str_from(t->kind == CEL_OBJECT && t->class != NULL ? t->class->name
                                                              : cel_kind_name(t->kind));
}

void buf_cel_type(struct buf *b, const struct cel_type *t)
{
    buf_str(b, cel_type_name(t));
    if (t->kind != CEL_LIST && t->kind != CEL_MAP && t->kind != CEL_OPTIONAL) {
        return;
    }
    buf_char(b, '(');
    if (t->kind == CEL_MAP) {
        buf_cel_type(b, t->key != NULL ? t->key : &cel_dyn);
        buf_str(b, STR(", "));
    }
    buf_cel_type(b, t->item != NULL ? t->item : &cel_dyn);
    buf_char(b, ')');
}
