/* The encoders extension: base64. Source: cel-go ext/README.md "Encoders"; RFC 4648. */
#include "cel/functions.h"

#include "base/encode.h"

#include <string.h>

static void encode(struct machine *m, const struct cel_node *n, struct cel_value *args,
                   struct cel_value *ret)
{
    size_t size = (args[0].len / 3 + 1) * 4;
    char *room = machine_alloc(m, size, 1);
    if (room == NULL) {
        fault_set(m, n, ret, "");
        return;
    }
    struct buf b = buf_over(room, size);
    buf_base64(&b, (const uint8_t *)args[0].text, args[0].len);
    must(b.rc == RC_OK);
    *ret = cel_of_str(buf_view(&b));
}

/* With or without padding. */
static void decode(struct machine *m, const struct cel_node *n, struct cel_value *args,
                   struct cel_value *ret)
{
    struct str s = cel_text(&args[0]);
    size_t missing = s.len % 4 == 0 ? 0 : 4 - s.len % 4;
    char *padded = machine_alloc(m, s.len + 4, 1);
    uint8_t *out = machine_alloc(m, s.len + 4, 1);
    size_t len = 0;
    if (padded == NULL || out == NULL) {
        fault_set(m, n, ret, "");
        return;
    }
    if (s.len > 0) {
        memcpy(padded, s.ptr, s.len);
    }
    memset(padded + s.len, '=', missing);
    if (missing > 2 ||
        !base64_decode((struct str){padded, s.len + missing}, out, s.len + 4, &len)) {
        fault_set(m, n, ret, "not base64");
        return;
    }
    *ret = cel_of_bytes((struct str){(const char *)out, len});
}

const struct cel_function cel_encoder_functions[] = {
    FUNCTION("base64.encode", "y", "s", encode),
    FUNCTION("base64.decode", "s", "y", decode),
    FUNCTIONS_END,
};
