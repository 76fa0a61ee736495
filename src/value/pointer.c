#include "value/pointer.h"

#include "value/utf8.h"

#include <string.h>

/* err_step() cuts at a byte; a code point that lost its end goes as a whole. */
static void mend_cut(struct err *e)
{
    size_t len = strlen(e->where);
    if (len < sizeof e->where - 1) {
        return;
    }
    size_t last = len - 1;
    while (last > 0 && ((unsigned char)e->where[last] & 0xc0) == 0x80) {
        last--;
    }
    if (utf8_len(e->where + last, e->where + len) == 0) {
        e->where[last] = '\0';
    }
}

void pointer_member(struct err *e, struct str name)
{
    if (e == NULL) {
        return;
    }
    name = utf8_clip(name, POINTER_STEP_MAX);
    char step[2 * POINTER_STEP_MAX + 1];
    size_t len = 0;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (c == '~' || c == '/') {
            step[len++] = '~';
            c = c == '~' ? '0' : '1';
        }
        step[len++] = c == '\0' ? '?' : c;
    }
    err_step(e, "/%.*s", (int)len, step);
    mend_cut(e);
}

void pointer_item(struct err *e, uint32_t index)
{
    if (e != NULL) {
        err_step(e, "/%u", index);
        mend_cut(e);
    }
}
