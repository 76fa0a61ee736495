/*
 * server/config - pawl.yaml: server settings and the policy, which are two top-level keys.
 *
 * Server settings say where this process listens and reads; they are no part of the policy and its hash.
 * A file that group or world may write is refused.
 */
#ifndef SERVER_CONFIG_H
#define SERVER_CONFIG_H

#include "notify/notify.h"
#include "api/issuers.h"
#include "policy/policy.h"
#include "redact/redact.h"
#include "sys/log.h"

#define BLOB_KEEP_DEFAULT_MS (90LL * DAY_MS)

struct server_settings {
    struct str listen;          /* address:port */
    struct str data;            /* the data folder */
    struct str tls_cert;        /* file names; both or neither */
    struct str tls_key;
    struct str_list policy_keys; /* verifier keys of who may sign policy bundles */
    struct str_list hosts;
    struct str checkpoint_file; /* second place of the newest checkpoint */
    int64_t checkpoint_ms;
    int64_t blob_keep_ms;       /* how long what lies beside entries is kept; 0: for good */
    bool public_log;
    bool socket;                /* listen on <data>/pawl.sock as well */
    int64_t rate_per_s;
    int64_t burst;
    int64_t daily_bytes;
    int64_t connections;
    int64_t sli_bucket_ms;
    int64_t traffic_period_ms;
    int64_t observed_for_ms;
    int64_t log_level;
    struct str_list openslo;    /* files of OpenSLO v1 documents */
    struct str prometheus_url;
    struct str prometheus_token_file;
    int64_t prometheus_interval_ms;
    int64_t prometheus_timeout_ms;
    int64_t prometheus_sample_age_ms;
    struct notify_routes notify;
    struct redact_pattern *redact; /* what else is a secret here */
    size_t redact_count;
    struct identity_settings identity; /* who else says who somebody is */
};

struct config {
    struct arena *arena;
    struct server_settings server;
    struct policy *policy;
};

/* Errors: RC_INVALID with file:line:column; RC_DENIED for a file that others may write. */
NODISCARD enum rc config_load(const char *path, struct config *ret, struct err *e);
void config_done(struct config *c);

/* "127.0.0.1:7411", "[::1]:7411". False when it is not that. */
NODISCARD bool listen_parse(struct str text, char host[static 64], uint16_t *ret_port);
bool host_is_loopback(const char *host);

#endif
