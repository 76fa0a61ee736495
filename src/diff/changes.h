/*
 * diff/changes - one form for every change, whatever it is written in.
 *
 * A reader turns a plan, manifests, SQL, a patch or configuration into a list of rows. A row is a whole object that
 * changes (a resource, a statement, a file, a directive), or a part of the row before it (`whole` is false): one
 * member that changes, with the value before and after. What was recognised stands on the whole row as `facts`, words
 * of a small vocabulary; each fact belongs to a surface. What changes nothing is counted and not listed.
 *
 * Values are bounded, and secrets are not shown. Crossing a limit sets `over`: there is more than is shown, and
 * whoever decides by the list must treat it as unknown. Facts, surfaces and counts are complete even then, as far as
 * the reader got. Pure.
 */
#ifndef DIFF_CHANGES_H
#define DIFF_CHANGES_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "value/value.h"

enum {
    DIFF_CHANGES_MAX = 8192, /* rows of one list */
    DIFF_PARTS_MAX = 256,    /* parts of one object */
    DIFF_PATH_MAX = 512,     /* bytes of a path or a resource's name */
    DIFF_WALK_MAX = 64,      /* objects and lists inside each other that are compared */
};

enum diff_kind {
    DIFF_UNKNOWN = 0, /* can't be told: as bad as it could be */
    DIFF_CREATE,
    DIFF_UPDATE,
    DIFF_DELETE,
    DIFF_REPLACE, /* deleted and created again, in either order */
    DIFF_READ,
    DIFF_NO_OP,
    DIFF_RENAME,
    DIFF_GRANT,
    DIFF_REVOKE,
    DIFF_FORGET,  /* stays, and is managed no more */
    DIFF_DRIFT,   /* was changed already, by somebody else */
    DIFF_EXECUTE, /* runs something whose text is not here */
    DIFF_KIND_COUNT,
};

/* Bits of a row's surfaces. */
enum diff_surface {
    SURFACE_AUTH = 1 << 0,
    SURFACE_NETWORK = 1 << 1,
    SURFACE_DATA = 1 << 2,
    SURFACE_SCHEMA = 1 << 3,
    SURFACE_ENCRYPTION = 1 << 4,
    SURFACE_SECRETS = 1 << 5,
    SURFACE_LOGGING = 1 << 6,
    SURFACE_EXECUTION = 1 << 7,
    SURFACE_AVAILABILITY = 1 << 8,
    SURFACE_CODE = 1 << 9,
    SURFACE_TESTS = 1 << 10,
    SURFACE_CONFIG = 1 << 11,
};
enum { DIFF_SURFACE_COUNT = 12 };

/* Each is a bit of a row's facts; what they mean stands in docs/diff.md. */
enum diff_fact {
    FACT_IAM_WILDCARD = 0,
    FACT_IAM_ANY_RESOURCE,
    FACT_IAM_ADMIN,
    FACT_PUBLIC_ACCESS,
    FACT_RBAC_WILDCARD,
    FACT_RBAC_ESCALATION,
    FACT_CLUSTER_ADMIN,
    FACT_ANONYMOUS_SUBJECT,
    FACT_GRANT,
    FACT_GRANT_PUBLIC,
    FACT_ROLE_PRIVILEGED,
    FACT_ROW_SECURITY_OFF,
    FACT_AUTH_DISABLED,
    FACT_AUTH_CHECK_DELETED,
    FACT_DENY_REMOVED,
    FACT_OWNER_CHANGED,
    FACT_PUBLIC_INGRESS,
    FACT_NETWORK_POLICY_REMOVED,
    FACT_NETWORK_POLICY_OPEN,
    FACT_LOAD_BALANCER,
    FACT_INGRESS_HOST,
    FACT_HOST_NETWORK,
    FACT_BIND_ANY,
    FACT_STATEFUL_DELETE,
    FACT_STATEFUL_REPLACE,
    FACT_FORCE_DESTROY,
    FACT_DELETION_PROTECTION_OFF,
    FACT_SKIP_FINAL_SNAPSHOT,
    FACT_BACKUPS_OFF,
    FACT_DROP,
    FACT_TRUNCATE,
    FACT_MISSING_WHERE,
    FACT_REWRITE,
    FACT_NARROWS,
    FACT_ENCRYPTION_OFF,
    FACT_TLS_OFF,
    FACT_VERIFY_OFF,
    FACT_LOGGING_OFF,
    FACT_PRIVILEGED_CONTAINER,
    FACT_PRIVILEGE_ESCALATION,
    FACT_CAPABILITIES_ADDED,
    FACT_RUN_AS_ROOT,
    FACT_HOST_PATH,
    FACT_HOST_PROCESS,
    FACT_IMAGE_CHANGED,
    FACT_IMAGE_MUTABLE,
    FACT_OPAQUE,
    FACT_SERVER_PROGRAM,
    FACT_REPLICAS_ZERO,
    FACT_LIMITS_REMOVED,
    FACT_PROBE_REMOVED,
    FACT_DISRUPTION_BUDGET_REMOVED,
    FACT_SERVER_REMOVED,
    FACT_BACKEND_REMOVED,
    FACT_SECRET_CHANGED,
    FACT_TEST_DELETED,
    FACT_OWNER_MISSING,
    FACT_OWNERS_CHANGED,
    FACT_BINARY,
    FACT_MODE_CHANGED,
    FACT_LINK,
    FACT_UNREADABLE,
    FACT_NOT_KNOWN,
    FACT_COUNT,
};

typedef uint64_t diff_facts; /* FACT_BIT()s */
#define FACT_BIT(fact) ((diff_facts)1 << (fact))

enum diff_format {
    DIFF_NONE = 0,
    DIFF_TERRAFORM,
    DIFF_KUBERNETES,
    DIFF_SQL,
    DIFF_GIT,
    DIFF_HAPROXY,
    DIFF_NGINX,
    DIFF_ENV,
    DIFF_JSON,
    DIFF_YAML,
    DIFF_FORMAT_COUNT,
};

struct diff_changes {
    enum diff_format format;
    struct value list; /* of rows: see docs/diff.md */
    diff_facts facts;  /* of all rows, those that are not shown included */
    uint32_t surfaces;
    uint64_t creates;
    uint64_t updates; /* everything that is none of the others, drift apart */
    uint64_t deletes;
    uint64_t replaces;
    uint64_t reads;
    uint64_t no_ops;
    uint64_t destructive;
    uint64_t irreversible;
    bool over;
};

/* One row before it is listed. */
struct diff_change {
    enum diff_kind kind;
    struct str resource; /* a type and a name, an address, a file: in the arena or the input */
    struct str path;     /* JSON pointer, file, column; empty: all of it */
    struct value before; /* as diff_shown() made it */
    struct value after;
    diff_facts facts;
    uint32_t surfaces;
    bool destructive; /* what is there now is not there afterwards */
    bool irreversible;
    bool part;      /* of the whole row before it */
    bool sensitive; /* a value is not shown */
    bool unknown;   /* the value after it is known only when it runs */
};

struct diff_changes diff_changes_none(enum diff_format format);
/* Deletes and replacements are destructive; so is what its facts say. An unknown kind is both. */
void diff_add(struct arena *a, struct diff_changes *c, const struct diff_change *change);
/* {format, changes, summary, over}: what rules and people see. Borrows c->list. */
struct value diff_changes_value(struct arena *a, const struct diff_changes *c);

const char *diff_kind_name(enum diff_kind k);
const char *diff_fact_name(enum diff_fact f);
const char *diff_surface_name(unsigned bit);
bool diff_is_surface(struct str name);
const char *diff_format_name(enum diff_format f);
/* False when there is none of that name. */
bool diff_format_find(struct str name, enum diff_format *ret);
/* "RC_LIMIT: takes more memory than its maximum" and the like, when the arena has failed. */
NODISCARD enum rc diff_built(const struct arena *a, struct err *e);

#endif
