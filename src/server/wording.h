/*
 * server/wording - notices as people read them: one line each, who answers, who is called.
 *
 * Ids are the ledger's, so that a notice that is said again after a restart is the same one. No words of an agent
 * are in it: they would reach a person outside of Pawl's own display.
 */
#ifndef SERVER_WORDING_H
#define SERVER_WORDING_H

#include "control/feed.h"
#include "notify/notify.h"

struct wording {
    struct control *control;
    struct notifier *notifier;
};

/* needs_ack: until it is settled, else once. */
void say_escalated(const struct wording *w, const struct feed_item *item, const struct action *a, bool needs_ack);
/* at_ms: from when on little time was left. */
void say_expiring(const struct wording *w, const struct action *a, int64_t at_ms);
void say_unknown(const struct wording *w, const struct action *a, bool needs_ack);
/* What an action broke, and nothing takes back. */
void say_broken_glass(const struct wording *w, const struct world_incident *incident, const struct action *a);
void say_harm(const struct wording *w, const struct world_incident *incident, const struct action *a);
void say_stop(const struct wording *w, const struct world_stop *s);
/* Some of what it found running was not heard of in time. */
void say_unconfirmed(const struct wording *w, const struct world_stop *s);
void say_breaker(const struct wording *w, const struct world_agent *a);
void say_clock(const struct wording *w, uint64_t seq, int64_t at_ms);
void say_disk(const struct wording *w);
void say_signal_lost(const struct wording *w, uint32_t service, int64_t since_ms);

#endif
