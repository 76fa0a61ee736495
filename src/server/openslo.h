/*
 * server/openslo - OpenSLO v1 documents as SLOs of declared services.
 *
 * Kinds SLO and SLI with a Prometheus ratio (good and total, bad and total, or a raw success ratio), one
 * rolling window, Occurrences budgeting, one objective. The service named in spec.service gets the slo;
 * one that is not declared yet is. Everything else of OpenSLO is refused by name, not skipped: an SLO that
 * is silently left out would leave its service without a budget.
 * Source: OpenSLO v1.
 */
#ifndef SERVER_OPENSLO_H
#define SERVER_OPENSLO_H

#include "value/value.h"

/* text: one or more documents. Changes policy's `services`. */
NODISCARD enum rc openslo_merge(struct arena *a, struct str file, struct str text, struct value *policy,
                                struct err *e);

#endif
