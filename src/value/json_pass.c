/*
 * The JSON reader's way past a value that nobody wants: only strings and brackets are looked at.
 *
 * What is passed over is mostly a list of short lists of short strings, where every jump to the next quote is a branch that is
 * not foreseen. So 64 bytes are looked at together: which of them are quotes, hence which of them stand in strings, hence
 * which brackets count. A value with a backslash in it, and its last bytes, are passed byte by byte.
 */
#include "value/json_internal.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* Where it is passed: brackets that are open, and whether a string is. */
struct passing {
    int depth;
    bool in_string;
};

#if defined(__SSE2__)

enum { BLOCK = 64 };

/* A bit for each byte of a block. */
struct marks {
    uint64_t quotes;
    uint64_t slashes;
    uint64_t opening;
    uint64_t closing;
};

static uint64_t bits_where(__m128i bytes, char c)
{
    return (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(c)));
}

static struct marks marks_of(const char *at)
{
    struct marks m = {0};
    for (unsigned i = 0; i < BLOCK; i += sizeof(__m128i)) {
        __m128i bytes;
        memcpy(&bytes, at + i, sizeof bytes);
        /* Brackets and braces differ in this one bit, which no other byte shares with either. */
        __m128i folded = _mm_or_si128(bytes, _mm_set1_epi8(0x20));
        m.quotes |= bits_where(bytes, '"') << i;
        m.slashes |= bits_where(bytes, '\\') << i;
        m.opening |= bits_where(folded, '{') << i;
        m.closing |= bits_where(folded, '}') << i;
    }
    return m;
}

/* Every bit that an odd number of quotes stands at or before. */
static uint64_t within_strings(uint64_t quotes, bool in_string)
{
    for (unsigned by = 1; by < BLOCK; by *= 2) {
        quotes ^= quotes << by;
    }
    return in_string ? ~quotes : quotes;
}

/* To behind the bracket that closes the outermost one, or to where bytes are needed. */
static void pass_blocks(struct json_reader *r, struct passing *p)
{
    while (r->end - r->at >= BLOCK) {
        struct marks m = marks_of(r->at);
        if (m.slashes != 0) {
            return;
        }
        uint64_t inside = within_strings(m.quotes, p->in_string);
        uint64_t brackets = (m.opening | m.closing) & ~inside;
        while (brackets != 0) {
            uint64_t lowest = brackets & -brackets;
            p->depth += (m.opening & lowest) != 0 ? 1 : -1;
            if (p->depth == 0) {
                r->at += __builtin_ctzll(lowest) + 1;
                p->in_string = false;
                return;
            }
            brackets ^= lowest;
        }
        p->in_string = inside >> (BLOCK - 1) != 0;
        r->at += BLOCK;
    }
}

#else

static void pass_blocks(struct json_reader *r, struct passing *p)
{
    (void)r;
    (void)p;
}

#endif

/* Past a string, behind its opening quote. */
static void pass_string(struct json_reader *r)
{
    while (r->at < r->end) {
        r->at = json_skip_plain(r->at, r->end);
        if (r->at == r->end) {
            return;
        }
        char c = *r->at++;
        if (c == '"') {
            return;
        }
        r->at += c == '\\' && r->at < r->end ? 1 : 0;
    }
}

void json_pass_value(struct json_reader *r)
{
    struct passing p = {0, false};
    if (r->at < r->end && (*r->at == '[' || *r->at == '{')) {
        r->at++;
        p.depth = 1;
        pass_blocks(r, &p);
    }
    if (p.in_string) {
        pass_string(r);
    }
    while (r->at < r->end) {
        char c = *r->at;
        if (p.depth == 0 && (c == ',' || c == '}')) {
            return;
        }
        p.depth += c == '[' || c == '{' ? 1 : c == ']' || c == '}' ? -1 : 0;
        r->at++;
        if (c == '"') {
            pass_string(r);
        }
    }
}
