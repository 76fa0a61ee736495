#include "sys/log.h"

#include "base/buf.h"
#include "base/instant.h"
#include "sys/clock.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static const char *const level_names[] = {"debug", "info", "warn", "error"};

enum { CUT_ROOM = 16 }; /* what the end of a line needs: ,"cut":true}\n */

void log_init(struct log *l, int fd, enum log_level level)
{
    *l = (struct log){.fd = fd, .level = level, .readable = isatty(fd) == 1};
}

bool log_level_parse(struct str name, enum log_level *ret)
{
    for (size_t i = 0; i < sizeof level_names / sizeof *level_names; i++) {
        if (str_eq(name, str_from(level_names[i]))) {
            *ret = (enum log_level)i;
            return true;
        }
    }
    return false;
}

struct log_field log_str(const char *name, struct str text)
{
    return (struct log_field){.name = name, .type = LOG_FIELD_STR, .text = text};
}

struct log_field log_int(const char *name, int64_t number)
{
    return (struct log_field){.name = name, .type = LOG_FIELD_INT, .number = number};
}

struct log_field log_bool(const char *name, bool b)
{
    return (struct log_field){.name = name, .type = LOG_FIELD_BOOL, .number = b ? 1 : 0};
}

/* Reads one UTF-8 sequence; its length, or 0 when the bytes are none. */
static size_t utf8_next(struct str s, uint32_t *ret)
{
    unsigned char lead = (unsigned char)s.ptr[0];
    size_t len = lead < 0x80 ? 1 : lead >= 0xc2 && lead < 0xe0 ? 2 : (lead & 0xf0) == 0xe0 ? 3
                 : lead >= 0xf0 && lead < 0xf5                  ? 4
                                                                : 0;
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

/* What could move a reader's cursor, hide text or turn it around. */
static bool is_treacherous(uint32_t point)
{
    return point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0xad || point == 0x61c ||
           (point >= 0x200b && point <= 0x200f) || (point >= 0x2028 && point <= 0x202e) ||
           (point >= 0x2060 && point <= 0x206f) || point == 0xfeff;
}

static void put_quoted(struct buf *b, struct str s)
{
    buf_char(b, '"');
    while (s.len > 0) {
        uint32_t point = 0xfffd;
        size_t len = utf8_next(s, &point);
        if (len == 0 || is_treacherous(point)) {
            buf_printf(b, "\\u%04x", (unsigned)point);
        } else {
            if (point == '"' || point == '\\') {
                buf_char(b, '\\');
            }
            buf_put(b, s.ptr, len);
        }
        s = str_slice(s, len == 0 ? 1 : len, s.len);
    }
    buf_char(b, '"');
}

static void put_field(struct buf *b, const struct log *l, const struct log_field *f)
{
    if (l->readable) {
        buf_printf(b, " %s=", f->name);
    } else {
        buf_printf(b, ",\"%s\":", f->name);
    }
    if (f->type == LOG_FIELD_STR) {
        put_quoted(b, f->text);
    } else if (f->type == LOG_FIELD_INT) {
        buf_i64(b, f->number);
    } else {
        buf_str(b, f->number != 0 ? STR("true") : STR("false"));
    }
}

static void put_start(struct buf *b, const struct log *l, enum log_level level, const char *message)
{
    char now[INSTANT_TEXT_LEN];
    instant_format(clock_wall_ms(), now);
    if (l->readable) {
        buf_printf(b, "%.12s %-5s %s", now + 11, level_names[level], message);
        return;
    }
    buf_printf(b, "{\"time\":\"%.*s\",\"level\":\"%s\",\"message\":", INSTANT_TEXT_LEN, now,
               level_names[level]);
    put_quoted(b, str_from(message));
}

void log_fields(const struct log *l, enum log_level level, const char *message,
                const struct log_field *fields, size_t count)
{
    if (l == NULL || level < l->level) {
        return;
    }
    CLEANUP(buf) struct buf b;
    buf_init(&b, LOG_LINE_MAX - CUT_ROOM);
    put_start(&b, l, level, message);
    if (b.rc != RC_OK) {
        return; /* no memory, or a message that is no short literal */
    }
    size_t whole = b.len;
    bool cut = false;
    for (size_t i = 0; i < count && !cut; i++) {
        put_field(&b, l, &fields[i]);
        cut = b.rc != RC_OK;
        whole = cut ? whole : b.len;
    }
    b.len = whole;
    b.max = LOG_LINE_MAX;
    b.rc = RC_OK;
    if (cut) {
        buf_str(&b, l->readable ? STR(" cut=true") : STR(",\"cut\":true"));
    }
    buf_str(&b, l->readable ? STR("\n") : STR("}\n"));
    /* A log that can't be written has nobody left to tell. */
    while (write(l->fd, b.data, b.len) < 0 && errno == EINTR) {
    }
}

void log_text(const struct log *l, enum log_level level, const char *message)
{
    log_fields(l, level, message, NULL, 0);
}
