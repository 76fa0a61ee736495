/*
 * cli/session - the commands' side of a call to the server.
 */
#include "cli/cli.h"
#include "cli/output.h"

#include <stdio.h>

int session_open(struct session *s, const struct args *a)
{
    struct client_options options = {args_text(a, "url"), args_text(a, "token-file")};
    *s = (struct session){.arena = arena_new(CLIENT_ARENA_MAX)};
    if (s->arena == NULL) {
        (void)err_set(&s->e, RC_NO_MEMORY, "out of memory");
        return cli_failed(&s->e);
    }
    if (client_init(&options, &s->client, &s->e) != RC_OK) {
        cli_error(&s->e);
        session_close(s);
        return CLI_FAILED;
    }
    return CLI_OK;
}

void session_close(struct session *s)
{
    arena_free(s->arena);
    s->arena = NULL;
    client_done(&s->client);
}

int session_failed(struct session *s)
{
    cli_error(&s->e);
    return s->answer.status == 0 ? CLI_UNREACHABLE : CLI_FAILED;
}

int session_get(struct session *s, const char *path)
{
    return client_get(&s->client, s->arena, path, &s->answer, &s->e) == RC_OK ? CLI_OK
                                                                              : session_failed(s);
}

int session_post(struct session *s, const char *path, const struct value *body)
{
    return client_post(&s->client, s->arena, path, body, &s->answer, &s->e) == RC_OK
               ? CLI_OK
               : session_failed(s);
}

int session_list(struct session *s, const char *path, struct value *ret_items)
{
    *ret_items = value_array();
    struct str after = STR("");
    do {
        struct buf page;
        buf_init(&page, 8192);
        buf_printf(&page, "%s", path);
        client_query(&page, "limit", "1000");
        client_query(&page, "after", after.len > 0 ? after.ptr : NULL);
        buf_char(&page, '\0');
        int code = session_get(s, page.data);
        buf_done(&page);
        if (code != CLI_OK) {
            return code;
        }
        const struct value *items = value_get(&s->answer.body, STR("items"));
        for (uint32_t i = 0; value_is(items, VALUE_ARRAY) && i < items->count; i++) {
            value_push(s->arena, ret_items, items->items[i]);
        }
        after = arena_str(s->arena, value_text(value_get(&s->answer.body, STR("next"))));
    } while (after.len > 0);
    if (arena_rc(s->arena) != RC_OK) {
        (void)err_set(&s->e, arena_rc(s->arena), "the listing is too large");
        return session_failed(s);
    }
    return CLI_OK;
}

int cli_list(const struct args *a, const char *path, const struct column *columns, unsigned count)
{
    struct session s;
    struct value items;
    struct err e;
    if (args_expect(a, 0, 0, "no words", &e) != RC_OK) {
        return cli_usage(&e);
    }
    int code = session_open(&s, a);
    if (code != CLI_OK) {
        return code;
    }
    code = session_list(&s, path, &items);
    if (code == CLI_OK && args_flag(a, "json")) {
        output_json(&items);
    } else if (code == CLI_OK) {
        output_table(&items, columns, count);
    }
    session_close(&s);
    return code;
}
