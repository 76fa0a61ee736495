/* A notice as a Standard Webhooks message, and as the environment of a command. */
#include "notify/message.h"

#include "base/encode.h"
#include "base/instant.h"
#include "base/must.h"
#include "crypto/crypto.h"
#include "value/json.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* --- the message ------------------------------------------------------------------------------- */

void message_id(const struct outbox_notice *n, uint32_t repeat, char out[static MESSAGE_ID_SIZE])
{
    char numbers[64];
    snprintf(numbers, sizeof numbers, "\n%llu\n%lld", (unsigned long long)n->seq,
             (long long)n->at_ms);
    const struct str parts[] = {str_from(notice_kind_name(n->kind)), STR("\n"), str_from(n->key),
                                str_from(numbers)};
    struct digest d = sha256_parts(parts, sizeof parts / sizeof *parts);
    char hex[33] = "";
    hex_encode(d.bytes, 16, hex);
    int len = repeat == 0 ? snprintf(out, MESSAGE_ID_SIZE, "msg_%s", hex)
                          : snprintf(out, MESSAGE_ID_SIZE, "msg_%s_%u", hex, repeat);
    must(len > 0 && len < MESSAGE_ID_SIZE);
}

static void put_text(struct buf *out, const char *name, const char *text)
{
    buf_printf(out, ",\"%s\":", name);
    json_write_string(out, str_from(text));
}

static void put_path(struct buf *out, const struct outbox_notice *n)
{
    buf_str(out, STR(",\"escalation\":["));
    for (uint32_t i = 0; i < n->path_count; i++) {
        buf_str(out, i == 0 ? STR("") : STR(","));
        json_write_string(out, str_from(n->path[i]));
    }
    buf_char(out, ']');
}

void message_body(struct buf *out, const struct outbox_notice *n, const char *id, uint32_t repeat)
{
    buf_printf(out, "{\"type\":\"pawl.%s\",\"timestamp\":\"", notice_kind_name(n->kind));
    buf_instant(out, n->at_ms);
    buf_printf(out, "\",\"data\":{\"id\":\"%s\"", id);
    put_text(out, "kind", notice_kind_name(n->kind));
    put_text(out, "key", n->key);
    put_text(out, "agent", n->agent);
    put_text(out, "service", n->service);
    put_text(out, "owner", n->owner);
    put_path(out, n);
    put_text(out, "text", n->text);
    buf_printf(out, ",\"seq\":%llu,\"needs_ack\":%s,\"repeat\":%u,\"more\":%u}}",
               (unsigned long long)n->seq, n->needs_ack ? "true" : "false", repeat, n->more);
}

/* --- the command's environment ------------------------------------------------------------------ */

static const char *path_text(struct arena *a, const struct outbox_notice *n)
{
    struct str all = STR("");
    for (uint32_t i = 0; i < n->path_count; i++) {
        all = arena_printf(a, "%.*s%s%s", STR_ARG(all), i == 0 ? "" : ",", n->path[i]);
    }
    return all.ptr;
}

const char *const *message_environment(struct arena *a, const struct outbox_notice *n,
                                       const char *id, uint32_t repeat)
{
    char at[INSTANT_TEXT_LEN];
    instant_format(n->at_ms, at);
    const struct str lines[] = {
        STR("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
        STR("LANG=C.UTF-8"),
        arena_printf(a, "PAWL_NOTICE_ID=%s", id),
        arena_printf(a, "PAWL_NOTICE_KIND=%s", notice_kind_name(n->kind)),
        arena_printf(a, "PAWL_NOTICE_KEY=%s", n->key),
        arena_printf(a, "PAWL_NOTICE_AGENT=%s", n->agent),
        arena_printf(a, "PAWL_NOTICE_SERVICE=%s", n->service),
        arena_printf(a, "PAWL_NOTICE_OWNER=%s", n->owner),
        arena_printf(a, "PAWL_NOTICE_ESCALATION=%s", path_text(a, n)),
        arena_printf(a, "PAWL_NOTICE_TEXT=%s", n->text),
        arena_printf(a, "PAWL_NOTICE_SEQ=%llu", (unsigned long long)n->seq),
        arena_printf(a, "PAWL_NOTICE_AT=%.*s", INSTANT_TEXT_LEN, at),
        arena_printf(a, "PAWL_NOTICE_REPEAT=%u", repeat),
    };
    size_t count = sizeof lines / sizeof *lines;
    const char **env = arena_array(a, count + 1, sizeof *env);
    for (size_t i = 0; i < count && env != NULL; i++) {
        env[i] = lines[i].ptr;
    }
    return arena_rc(a) == RC_OK ? env : NULL;
}

/* --- Retry-After ------------------------------------------------------------------------------- */

int64_t message_retry_after_ms(struct str header, int64_t wall_ms)
{
    int64_t wait_ms = 0;
    uint64_t seconds;
    char text[64];
    struct tm date = {0};
    if (str_to_u64(header, &seconds)) {
        uint64_t most = NOTIFY_RETRY_AFTER_MAX_MS / SECOND_MS;
        wait_ms = (int64_t)(seconds < most ? seconds : most) * SECOND_MS;
    } else if (str_to_c(header, text, sizeof text)) {
        const char *end = strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &date);
        wait_ms = end != NULL && *end == '\0' ? (int64_t)timegm(&date) * SECOND_MS - wall_ms : 0;
    }
    wait_ms = wait_ms < NOTIFY_RETRY_AFTER_MAX_MS ? wait_ms : NOTIFY_RETRY_AFTER_MAX_MS;
    return wait_ms > 0 ? wait_ms : 0;
}
