/*
 * model/world_tokens - credentials: who they are and what they may do. Only digests are kept.
 */
#include "model/world_internal.h"

#include "base/must.h"

#include <stdlib.h>
#include <string.h>

static const char *const roles[] = {"agent",    "viewer", "auditor", "responder", "approver",
                                    "override", "admin",  "source",  "enforcer"};

const char *role_name(unsigned role)
{
    for (unsigned i = 0; i < sizeof roles / sizeof *roles; i++) {
        if (role == 1U << i) {
            return roles[i];
        }
    }
    return NULL;
}

bool role_parse(struct str name, unsigned *ret)
{
    for (unsigned i = 0; i < sizeof roles / sizeof *roles; i++) {
        if (str_eq(name, str_from(roles[i]))) {
            *ret = 1U << i;
            return true;
        }
    }
    return false;
}

enum rc tokens_add(struct world *w, const struct world_token *t, struct err *e)
{
    enum rc rc = table_room(&w->tokens, w->token_count, &w->token_capacity, sizeof *w->tokens, e);
    struct world_token *row = rc == RC_OK ? malloc(sizeof *row) : NULL;
    if (row == NULL) {
        return err_set(e, RC_NO_MEMORY, "out of memory");
    }
    *row = *t;
    uint32_t index = w->token_count;
    w->tokens[w->token_count++] = row;
    struct str key = {(const char *)row->digest, sizeof row->digest};
    if (strmap_put(&w->token_by_digest, key, index) != RC_OK ||
        idmap_put(&w->token_by_id, row->id, index) != RC_OK) {
        return err_set(e, RC_NO_MEMORY, "out of memory");
    }
    return RC_OK;
}

const struct world_token *world_token_by_digest(const struct world *w, const uint8_t digest[32])
{
    uint32_t at = strmap_get(&w->token_by_digest, (struct str){(const char *)digest, 32});
    return at == MAP_NONE ? NULL : w->tokens[at];
}

const struct world_token *world_token_by_id(const struct world *w, uint64_t id)
{
    uint32_t at = idmap_get(&w->token_by_id, id);
    return at == MAP_NONE ? NULL : w->tokens[at];
}

const struct world_token *world_token_at(const struct world *w, uint32_t index)
{
    must(index < w->token_count);
    return w->tokens[index];
}

uint32_t world_token_count(const struct world *w)
{
    return w->token_count;
}
