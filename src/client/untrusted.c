#include "client/untrusted.h"

#include <stdint.h>

/* One UTF-8 sequence: its length, or 0 when the bytes are none. Source: RFC 3629 section 4. */
static size_t sequence(struct str s, uint32_t *ret)
{
    unsigned char lead = (unsigned char)s.ptr[0];
    size_t len = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
    if (len == 0 || len > s.len) {
        return 0;
    }
    uint32_t point = len == 1 ? lead : lead & (0x7fU >> len);
    for (size_t i = 1; i < len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if ((c & 0xc0) != 0x80) {
            return 0;
        }
        point = point << 6 | (c & 0x3f);
    }
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (point < least[len] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) {
        return 0;
    }
    *ret = point;
    return len;
}

/* First and last of each range that could deceive a reader. */
static const uint32_t deceptive[][2] = {
    {0x00, 0x1f},       {0x7f, 0x9f},         {0xad, 0xad},         /* C0, C1, soft hyphen */
    {0x34f, 0x34f},     {0x61c, 0x61c},       {0x115f, 0x1160},     /* joiner, Arabic mark, Hangul fillers */
    {0x17b4, 0x17b5},   {0x180b, 0x180f},     {0x200b, 0x200f},     /* selectors, zero width, marks */
    {0x2028, 0x202e},   {0x2060, 0x206f},     {0x2800, 0x2800},     /* separators, bidi, isolates, blank */
    {0x3164, 0x3164},   {0xfe00, 0xfe0f},     {0xfeff, 0xfeff},     /* filler, selectors, byte order mark */
    {0xffa0, 0xffa0},   {0xfff9, 0xfffb},     {0x1d173, 0x1d17a},   /* filler, annotations, musical */
    {0xe0000, 0xe0fff}, {0xf0000, 0x10ffff},                        /* tags, private use */
};

static bool is_deceptive(uint32_t point)
{
    for (size_t i = 0; i < sizeof deceptive / sizeof *deceptive; i++) {
        if (point >= deceptive[i][0] && point <= deceptive[i][1]) {
            return true;
        }
    }
    return false;
}

static void put_escape(struct buf *out, uint32_t point)
{
    if (point == '\n' || point == '\t' || point == '\r') {
        buf_char(out, '\\');
        buf_char(out, point == '\n' ? 'n' : point == '\t' ? 't' : 'r');
    } else if (point > 0xffff) {
        buf_printf(out, "\\U%08x", (unsigned)point);
    } else {
        buf_printf(out, "\\u%04x", (unsigned)point);
    }
}

static void escape(struct buf *out, struct str s, bool quoted)
{
    while (s.len > 0) {
        uint32_t point;
        size_t len = sequence(s, &point);
        if (len == 0) {
            buf_printf(out, "\\x%02x", (unsigned)(unsigned char)s.ptr[0]);
        } else if (is_deceptive(point)) {
            put_escape(out, point);
        } else {
            if (point == '\\' || (quoted && point == '"')) {
                buf_char(out, '\\');
            }
            buf_put(out, s.ptr, len);
        }
        s = str_slice(s, len == 0 ? 1 : len, s.len);
    }
}

void untrusted_quote(struct buf *out, struct str s)
{
    buf_char(out, '"');
    escape(out, s, true);
    buf_char(out, '"');
}

void untrusted_cell(struct buf *out, struct str s)
{
    escape(out, s, false);
}

/* Everything above ASCII stands inside a string in JSON, and so may be escaped there. */
void untrusted_json(struct buf *out, struct str json)
{
    while (json.len > 0) {
        uint32_t point;
        size_t len = sequence(json, &point);
        if (len == 0) {
            buf_str(out, STR("\\ufffd"));
        } else if (point > 0x7e && is_deceptive(point)) {
            if (point > 0xffff) {
                uint32_t low = point - 0x10000;
                buf_printf(out, "\\u%04x\\u%04x", (unsigned)(0xd800 + (low >> 10)),
                           (unsigned)(0xdc00 + (low & 0x3ff)));
            } else {
                buf_printf(out, "\\u%04x", (unsigned)point);
            }
        } else {
            buf_put(out, json.ptr, len);
        }
        json = str_slice(json, len == 0 ? 1 : len, json.len);
    }
}
