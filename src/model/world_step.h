/*
 * model/world_step - one entry being applied: what its row reads the body with. For the files world_apply*.c.
 */
#ifndef MODEL_WORLD_STEP_H
#define MODEL_WORLD_STEP_H

#include "model/world_internal.h"

#include "base/encode.h"

#include <string.h>

struct step {
    struct world *w;
    const struct entry *entry;
    const struct value *body;
    struct str policy_text;
    struct err *e;
};

static inline enum rc missing(const struct step *s, const char *what)
{
    return err_set(s->e, RC_CORRUPT, "%s is missing or malformed", what);
}

static inline const struct value *get(const struct step *s, struct str name)
{
    return value_get(s->body, name);
}

static inline struct str text(const struct step *s, struct str name)
{
    return value_text(get(s, name));
}

static inline NODISCARD bool instant(const struct step *s, struct str name, int64_t *ret)
{
    return instant_parse(text(s, name), ret);
}

/* An instant that may be absent. */
static inline int64_t instant_or(const struct step *s, struct str name, int64_t otherwise)
{
    int64_t ms;
    return instant(s, name, &ms) ? ms : otherwise;
}

static inline NODISCARD bool digest_of(struct str value, struct str prefix, uint8_t *out, size_t len)
{
    return str_starts(value, prefix) && hex_decode(str_slice(value, prefix.len, value.len), out, len);
}

static inline NODISCARD bool ref_id(const struct step *s, unsigned i, const char *prefix, uint64_t *ret)
{
    return i < s->entry->ref_count && id_parse(s->entry->refs[i], prefix, ret);
}

static inline struct action *ref_action(const struct step *s)
{
    uint64_t id;
    return ref_id(s, 0, "act", &id) ? actions_find(s->w, id) : NULL;
}

/* As much of a text as fits, cut between characters: the world is saved as UTF-8. */
static inline struct str text_that_fits(struct str from, size_t size)
{
    size_t len = from.len < size ? from.len : size - 1;
    while (len > 0 && len < from.len && ((unsigned char)from.ptr[len] & 0xc0) == 0x80) {
        len--;
    }
    return str_slice(from, 0, len);
}

static inline void copy_text(char *out, size_t size, struct str from)
{
    struct str cut = text_that_fits(from, size);
    if (cut.len > 0) {
        memcpy(out, cut.ptr, cut.len);
    }
    out[cut.len] = '\0';
}

/* world_apply_actions.c */
NODISCARD enum rc action_decided(const struct step *s);
NODISCARD enum rc action_redecided(const struct step *s);
NODISCARD enum rc action_committed(const struct step *s);
NODISCARD enum rc action_heartbeat(const struct step *s);
NODISCARD enum rc action_finished(const struct step *s);
NODISCARD enum rc action_verified(const struct step *s);
NODISCARD enum rc action_violated(const struct step *s);
NODISCARD enum rc revert_started(const struct step *s);
NODISCARD enum rc revert_finished(const struct step *s);
NODISCARD enum rc incident_closed(const struct step *s);
NODISCARD enum rc action_lost(const struct step *s);
NODISCARD enum rc action_cancelled(const struct step *s);
NODISCARD enum rc action_expired(const struct step *s);
NODISCARD enum rc action_abandoned(const struct step *s);
NODISCARD enum rc approval_granted(const struct step *s);
NODISCARD enum rc approval_rejected(const struct step *s);
NODISCARD enum rc override_granted(const struct step *s);

/* world_apply_events.c */
NODISCARD enum rc deploy_started(const struct step *s);
NODISCARD enum rc deploy_ended(const struct step *s);
NODISCARD enum rc on_call_changed(const struct step *s);
NODISCARD enum rc evidence_recorded(const struct step *s);
NODISCARD enum rc sli_bucket(const struct step *s);
NODISCARD enum rc breaker_set(const struct step *s);
NODISCARD enum rc tier_changed(const struct step *s);
NODISCARD enum rc grant_issued(const struct step *s);
NODISCARD enum rc grant_revoked(const struct step *s);

/* world_precedents.c */
NODISCARD enum rc incident_opened(const struct step *s);
NODISCARD enum rc incident_remember(const struct step *s, uint64_t incident, const struct world_incident *x);

/* world_graph.c */
NODISCARD enum rc graph_written(const struct step *s);
NODISCARD enum rc graph_observed(const struct step *s);

#endif
