/*
 * IP addresses and networks as text, strictly: no leading zeros, no zones, no IPv4 inside IPv6.
 *
 * Source: RFC 4291 section 2.2, RFC 5952 for printing.
 */
#include "cel/address.h"

#include <string.h>

static bool parse_v4(struct str s, uint8_t out[4])
{
    struct str rest = s;
    struct str part;
    int count = 0;
    if (s.len > 0 && s.ptr[s.len - 1] == '.') {
        return false;
    }
    while (str_next(&rest, '.', &part)) {
        uint64_t n = 0;
        if (count == 4 || part.len == 0 || part.len > 3 || (part.len > 1 && part.ptr[0] == '0') ||
            !str_to_u64(part, &n) || n > 255) {
            return false;
        }
        out[count++] = (uint8_t)n;
    }
    return count == 4;
}

static bool parse_group(struct str s, uint32_t *ret)
{
    uint32_t n = 0;
    if (s.len == 0 || s.len > 4) {
        return false;
    }
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        char lower = (char)(c | 0x20);
        bool digit = c >= '0' && c <= '9';
        if (!digit && (lower < 'a' || lower > 'f')) {
            return false;
        }
        n = n << 4 | (uint32_t)(digit ? c - '0' : lower - 'a' + 10);
    }
    *ret = n;
    return true;
}

/* Groups between colons; their count, or -1. */
static int parse_groups(struct str s, uint32_t out[8])
{
    int count = 0;
    if (s.len == 0) {
        return 0;
    }
    for (size_t at = 0;;) {
        size_t len = str_find(str_slice(s, at, s.len), ':');
        if (count == 8 || !parse_group(str_slice(s, at, at + len), &out[count])) {
            return -1;
        }
        count++;
        at += len + 1;
        if (at > s.len) {
            return count;
        }
    }
}

static bool parse_v6(struct str s, uint8_t out[16])
{
    uint32_t head[8] = {0};
    uint32_t tail[8] = {0};
    size_t gap = 0;
    while (gap + 1 < s.len && (s.ptr[gap] != ':' || s.ptr[gap + 1] != ':')) {
        gap++;
    }
    bool has_gap = gap + 1 < s.len;
    int before = parse_groups(has_gap ? str_slice(s, 0, gap) : s, head);
    int after = has_gap ? parse_groups(str_slice(s, gap + 2, s.len), tail) : 0;
    if (before < 0 || after < 0 || (has_gap ? before + after > 7 : before != 8)) {
        return false;
    }
    for (int i = 0; i < after; i++) {
        head[8 - after + i] = tail[i];
    }
    for (int i = 0; i < 8; i++) {
        out[2 * i] = (uint8_t)(head[i] >> 8);
        out[2 * i + 1] = (uint8_t)head[i];
    }
    return true;
}

bool address_parse(struct str s, struct cel_address *ret)
{
    struct cel_address a = {0};
    if (str_find(s, ':') < s.len) {
        a.family = 6;
        a.prefix = 128;
        if (!parse_v6(s, a.bytes)) {
            return false;
        }
    } else {
        a.family = 4;
        a.prefix = 32;
        if (!parse_v4(s, a.bytes)) {
            return false;
        }
    }
    *ret = a;
    return true;
}

bool network_parse(struct str s, struct cel_address *ret)
{
    size_t slash = str_find(s, '/');
    struct str bits = slash < s.len ? str_slice(s, slash + 1, s.len) : STR("");
    uint64_t n = 0;
    struct cel_address a;
    if (!address_parse(str_slice(s, 0, slash), &a) || bits.len == 0 || bits.len > 3 ||
        (bits.len > 1 && bits.ptr[0] == '0') || !str_to_u64(bits, &n) || n > a.prefix) {
        return false;
    }
    a.prefix = (uint8_t)n;
    *ret = a;
    return true;
}

struct cel_address address_masked(const struct cel_address *a)
{
    struct cel_address out = *a;
    for (unsigned i = 0; i < sizeof out.bytes; i++) {
        unsigned kept = a->prefix > i * 8 ? a->prefix - i * 8 : 0;
        out.bytes[i] &= (uint8_t)(kept >= 8 ? 0xFF : 0xFF << (8 - kept));
    }
    return out;
}

struct cel_address address_plain(const struct cel_address *a)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
    struct cel_address v4 = {.family = 4, .prefix = a->prefix};
    if (a->family != 6 || memcmp(a->bytes, mapped, sizeof mapped) != 0) {
        return *a;
    }
    memcpy(v4.bytes, a->bytes + 12, 4);
    return v4;
}

/* The longest run of zero groups, of two or more; its length. */
static int longest_run(const uint32_t groups[8], int *ret_from)
{
    int best = 1;
    for (int i = 0; i < 8; i++) {
        int len = 0;
        while (i + len < 8 && groups[i + len] == 0) {
            len++;
        }
        if (len > best) {
            best = len;
            *ret_from = i;
        }
    }
    return best > 1 ? best : 0;
}

static void put_v6(struct buf *b, const uint8_t bytes[16])
{
    uint32_t groups[8];
    int from = 8;
    for (int i = 0; i < 8; i++) {
        groups[i] = (uint32_t)bytes[2 * i] << 8 | bytes[2 * i + 1];
    }
    int len = longest_run(groups, &from);
    for (int i = 0; i < 8; i++) {
        if (i == from) {
            buf_str(b, STR("::"));
            i += len - 1;
            continue;
        }
        buf_printf(b, "%s%x", i > 0 && i != from + len ? ":" : "", groups[i]);
    }
}

void buf_address(struct buf *b, const struct cel_value *v)
{
    const struct cel_address *a = v->address;
    if (a->family == 4) {
        buf_printf(b, "%u.%u.%u.%u", a->bytes[0], a->bytes[1], a->bytes[2], a->bytes[3]);
    } else {
        put_v6(b, a->bytes);
    }
    if (v->kind == CEL_CIDR) {
        buf_printf(b, "/%u", a->prefix);
    }
}
