/*
 * api/rule_counts - how often each rule of the policy in force held for a proposal, since start.
 *
 * At most as many rows as the policy has rules. A rule that stays, in its mode, keeps its count when another policy comes.
 */
#ifndef API_RULE_COUNTS_H
#define API_RULE_COUNTS_H

#include "base/buf.h"
#include "model/world.h"

struct rule_count {
    char name[129];
    enum check_mode mode;
    uint64_t held;
};

struct rule_counts {
    struct rule_count *rows; /* in the order of the policy */
    uint32_t count;
    uint64_t policy_seq; /* that they are of */
};

void rule_counts_done(struct rule_counts *r);
/* Without memory nothing is counted. */
void rule_counts_add(struct rule_counts *r, const struct world *w, const struct decision *d);
/* One line of the exposition format for each rule that is not off. */
void rule_counts_write(struct rule_counts *r, const struct world *w, const char *metric, struct buf *out);

#endif
