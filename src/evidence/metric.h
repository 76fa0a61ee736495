/*
 * evidence/metric - what a metric measures, told by its name. Pure.
 *
 * Names differ between systems; their words do not much. A name is cut into words at everything that is no letter or
 * digit, and before a capital behind a small letter; the words say what it is (latency, duration, requests, rps, errors, availability, cpu, memory, disk, ...) and
 * its unit (ms, us, ns, seconds; pct, percent, ratio). Latencies without a unit are seconds, as Prometheus has them. What
 * no word tells is METRIC_OTHER, and is left alone.
 * Source: Prometheus, "Metric and label naming", for base units; OpenMetrics for suffixes.
 */
#ifndef EVIDENCE_METRIC_H
#define EVIDENCE_METRIC_H

#include "evidence/evidence.h"

/* edge: the series is of a call between two nodes, where latency is one side's. */
struct metric metric_of(struct str name, bool edge);

#endif
