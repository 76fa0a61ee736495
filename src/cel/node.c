#include "cel/node.h"

#include "value/utf8.h"

#include <stdarg.h>
#include <stdio.h>

struct str cel_place(struct str text, uint32_t at, char out[static CEL_PLACE_MAX])
{
    uint32_t line = 1;
    uint32_t column = 1;
    for (size_t i = 0; i < at && i < text.len; i++) {
        bool newline = text.ptr[i] == '\n';
        line += newline;
        /* Columns count code points: bytes that continue one don't. */
        column = newline ? 1 : column + ((text.ptr[i] & 0xC0) != 0x80);
    }
    int len = snprintf(out, CEL_PLACE_MAX, "%u:%u", line, column);
    return (struct str){out, (size_t)len};
}

void *compile_fail(struct compiler *c, enum rc rc, uint32_t at, const char *format, ...)
{
    if (c->rc != RC_OK) {
        return NULL;
    }
    c->rc = rc;
    char text[ERR_TEXT_MAX];
    char place[CEL_PLACE_MAX];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    size_t kept = len < 0 ? 0 : (size_t)len < sizeof text ? (size_t)len : sizeof text - 1;
    struct str said = utf8_clip((struct str){text, kept}, ERR_TEXT_MAX - 1);
    err_say_at(c->err, rc, cel_place(c->program->text, at, place), "%.*s", STR_ARG(said));
    return NULL;
}

bool compile_memory(struct compiler *c)
{
    if (c->rc == RC_OK && arena_rc(c->arena) != RC_OK) {
        c->rc = arena_rc(c->arena);
        err_say(c->err, c->rc, "the expression needs more than %d bytes of memory",
                (int)CEL_PROGRAM_MAX);
    }
    return c->rc == RC_OK;
}

struct cel_node *node_new(struct compiler *c, enum node_op op, uint32_t from, uint32_t to)
{
    if (c->rc != RC_OK) {
        return NULL;
    }
    if (c->program->nodes >= CEL_NODES_MAX) {
        return compile_fail(c, RC_LIMIT, from, "more than %d parts", (int)CEL_NODES_MAX);
    }
    struct cel_node *n = arena_alloc(c->arena, sizeof *n);
    if (n == NULL) {
        compile_memory(c);
        return NULL;
    }
    n->op = (uint8_t)op;
    n->from = from;
    n->to = to;
    n->id = c->program->nodes++;
    n->depth = 1;
    return n;
}

struct cel_node *node_with(struct compiler *c, struct cel_node *n, struct cel_node *const *kids,
                           uint32_t count)
{
    if (n == NULL || c->rc != RC_OK) {
        return NULL;
    }
    n->kids = arena_array(c->arena, count, sizeof(struct cel_node *));
    if (n->kids == NULL) {
        compile_memory(c);
        return NULL;
    }
    n->count = count;
    for (uint32_t i = 0; i < count; i++) {
        must(kids[i] != NULL);
        n->kids[i] = kids[i];
        n->depth = kids[i]->depth + 1 > n->depth ? kids[i]->depth + 1 : n->depth;
    }
    if (n->depth > CEL_DEPTH_MAX) {
        return compile_fail(c, RC_LIMIT, n->from, "more than %d expressions inside each other",
                            (int)CEL_DEPTH_MAX);
    }
    return n;
}
