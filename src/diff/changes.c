#include "diff/changes.h"

#include "base/must.h"
#include "diff/shown.h"

static const char *const kinds[DIFF_KIND_COUNT] = {"unknown", "create", "update", "delete", "replace", "read",   "no_op",
                                                   "rename",  "grant",  "revoke", "forget", "drift",   "execute"};

static const char *const formats[DIFF_FORMAT_COUNT] = {"none",    "terraform", "kubernetes", "sql",  "git",
                                                       "haproxy", "nginx",     "env",        "json", "yaml"};

static const char *const surfaces[DIFF_SURFACE_COUNT] = {"auth",    "network",   "data",         "schema", "encryption", "secrets",
                                                         "logging", "execution", "availability", "code",   "tests",      "config"};

/* What a fact says about its row. */
enum { MILD = 0, DESTROYS = 1, FOR_GOOD = 2, BOTH = DESTROYS | FOR_GOOD };

static const struct {
    const char *name;
    unsigned surface;
    unsigned weight;
} facts[] = {
    [FACT_IAM_WILDCARD] = {"iam_wildcard", SURFACE_AUTH, MILD},
    [FACT_IAM_ANY_RESOURCE] = {"iam_any_resource", SURFACE_AUTH, MILD},
    [FACT_IAM_ADMIN] = {"iam_admin", SURFACE_AUTH, MILD},
    [FACT_PUBLIC_ACCESS] = {"public_access", SURFACE_AUTH, MILD},
    [FACT_RBAC_WILDCARD] = {"rbac_wildcard", SURFACE_AUTH, MILD},
    [FACT_RBAC_ESCALATION] = {"rbac_escalation", SURFACE_AUTH, MILD},
    [FACT_CLUSTER_ADMIN] = {"cluster_admin", SURFACE_AUTH, MILD},
    [FACT_ANONYMOUS_SUBJECT] = {"anonymous_subject", SURFACE_AUTH, MILD},
    [FACT_GRANT] = {"grant", SURFACE_AUTH, MILD},
    [FACT_GRANT_PUBLIC] = {"grant_public", SURFACE_AUTH, MILD},
    [FACT_ROLE_PRIVILEGED] = {"role_privileged", SURFACE_AUTH, MILD},
    [FACT_ROW_SECURITY_OFF] = {"row_security_off", SURFACE_AUTH, MILD},
    [FACT_AUTH_DISABLED] = {"auth_disabled", SURFACE_AUTH, MILD},
    [FACT_AUTH_CHECK_DELETED] = {"auth_check_deleted", SURFACE_AUTH, MILD},
    [FACT_DENY_REMOVED] = {"deny_removed", SURFACE_AUTH, MILD},
    [FACT_OWNER_CHANGED] = {"owner_changed", SURFACE_AUTH, MILD},
    [FACT_PUBLIC_INGRESS] = {"public_ingress", SURFACE_NETWORK, MILD},
    [FACT_NETWORK_POLICY_REMOVED] = {"network_policy_removed", SURFACE_NETWORK, MILD},
    [FACT_NETWORK_POLICY_OPEN] = {"network_policy_open", SURFACE_NETWORK, MILD},
    [FACT_LOAD_BALANCER] = {"load_balancer", SURFACE_NETWORK, MILD},
    [FACT_INGRESS_HOST] = {"ingress_host", SURFACE_NETWORK, MILD},
    [FACT_HOST_NETWORK] = {"host_network", SURFACE_NETWORK, MILD},
    [FACT_BIND_ANY] = {"bind_any", SURFACE_NETWORK, MILD},
    [FACT_STATEFUL_DELETE] = {"stateful_delete", SURFACE_DATA, BOTH},
    [FACT_STATEFUL_REPLACE] = {"stateful_replace", SURFACE_DATA, BOTH},
    [FACT_FORCE_DESTROY] = {"force_destroy", SURFACE_DATA, MILD},
    [FACT_DELETION_PROTECTION_OFF] = {"deletion_protection_off", SURFACE_DATA, MILD},
    [FACT_SKIP_FINAL_SNAPSHOT] = {"skip_final_snapshot", SURFACE_DATA, MILD},
    [FACT_BACKUPS_OFF] = {"backups_off", SURFACE_DATA, MILD},
    [FACT_DROP] = {"drop", SURFACE_SCHEMA, BOTH},
    [FACT_TRUNCATE] = {"truncate", SURFACE_DATA, BOTH},
    [FACT_MISSING_WHERE] = {"missing_where", SURFACE_DATA, BOTH},
    [FACT_REWRITE] = {"rewrite", SURFACE_SCHEMA, FOR_GOOD},
    [FACT_NARROWS] = {"narrows", SURFACE_SCHEMA, MILD},
    [FACT_ENCRYPTION_OFF] = {"encryption_off", SURFACE_ENCRYPTION, MILD},
    [FACT_TLS_OFF] = {"tls_off", SURFACE_ENCRYPTION, MILD},
    [FACT_VERIFY_OFF] = {"verify_off", SURFACE_ENCRYPTION, MILD},
    [FACT_LOGGING_OFF] = {"logging_off", SURFACE_LOGGING, MILD},
    [FACT_PRIVILEGED_CONTAINER] = {"privileged_container", SURFACE_EXECUTION, MILD},
    [FACT_PRIVILEGE_ESCALATION] = {"privilege_escalation", SURFACE_EXECUTION, MILD},
    [FACT_CAPABILITIES_ADDED] = {"capabilities_added", SURFACE_EXECUTION, MILD},
    [FACT_RUN_AS_ROOT] = {"run_as_root", SURFACE_EXECUTION, MILD},
    [FACT_HOST_PATH] = {"host_path", SURFACE_EXECUTION, MILD},
    [FACT_HOST_PROCESS] = {"host_process", SURFACE_EXECUTION, MILD},
    [FACT_IMAGE_CHANGED] = {"image_changed", SURFACE_EXECUTION, MILD},
    [FACT_IMAGE_MUTABLE] = {"image_mutable", SURFACE_EXECUTION, MILD},
    [FACT_OPAQUE] = {"opaque", SURFACE_EXECUTION, BOTH},
    [FACT_SERVER_PROGRAM] = {"server_program", SURFACE_EXECUTION, BOTH},
    [FACT_REPLICAS_ZERO] = {"replicas_zero", SURFACE_AVAILABILITY, MILD},
    [FACT_LIMITS_REMOVED] = {"limits_removed", SURFACE_AVAILABILITY, MILD},
    [FACT_PROBE_REMOVED] = {"probe_removed", SURFACE_AVAILABILITY, MILD},
    [FACT_DISRUPTION_BUDGET_REMOVED] = {"disruption_budget_removed", SURFACE_AVAILABILITY, MILD},
    [FACT_SERVER_REMOVED] = {"server_removed", SURFACE_AVAILABILITY, MILD},
    [FACT_BACKEND_REMOVED] = {"backend_removed", SURFACE_AVAILABILITY, MILD},
    [FACT_SECRET_CHANGED] = {"secret_changed", SURFACE_SECRETS, MILD},
    [FACT_TEST_DELETED] = {"test_deleted", SURFACE_TESTS, MILD},
    [FACT_OWNER_MISSING] = {"owner_missing", SURFACE_CODE, MILD},
    [FACT_OWNERS_CHANGED] = {"owners_changed", SURFACE_AUTH, MILD},
    [FACT_BINARY] = {"binary", SURFACE_CODE, MILD},
    [FACT_MODE_CHANGED] = {"mode_changed", SURFACE_CODE, MILD},
    [FACT_LINK] = {"link", SURFACE_CODE, MILD},
    [FACT_UNREADABLE] = {"unreadable", 0, BOTH},
    [FACT_NOT_KNOWN] = {"not_known", 0, MILD},
};

_Static_assert(sizeof facts / sizeof *facts == FACT_COUNT, "a row for each fact");
_Static_assert(FACT_COUNT <= 64, "facts are bits of 64");

/* --- names ------------------------------------------------------------------------------------------ */

const char *diff_kind_name(enum diff_kind k)
{
    must((unsigned)k < DIFF_KIND_COUNT);
    return kinds[k];
}

const char *diff_fact_name(enum diff_fact f)
{
    must((unsigned)f < FACT_COUNT);
    return facts[f].name;
}

const char *diff_surface_name(unsigned bit)
{
    must(bit < DIFF_SURFACE_COUNT);
    return surfaces[bit];
}

const char *diff_format_name(enum diff_format f)
{
    must((unsigned)f < DIFF_FORMAT_COUNT);
    return formats[f];
}

bool diff_format_find(struct str name, enum diff_format *ret)
{
    for (unsigned i = DIFF_NONE + 1; i < DIFF_FORMAT_COUNT; i++) {
        if (str_eq(name, str_from(formats[i]))) {
            *ret = (enum diff_format)i;
            return true;
        }
    }
    return false;
}

/* --- rows ------------------------------------------------------------------------------------------- */

struct diff_changes diff_changes_none(enum diff_format format)
{
    return (struct diff_changes){.format = format, .list = value_array()};
}

bool diff_is_surface(struct str name)
{
    for (unsigned i = 0; i < DIFF_SURFACE_COUNT; i++) {
        if (str_eq(name, str_from(surfaces[i]))) {
            return true;
        }
    }
    return false;
}

static struct value texts_of_surfaces(struct arena *a, uint32_t bits)
{
    struct value list = value_array();
    for (unsigned i = 0; i < DIFF_SURFACE_COUNT; i++) {
        if ((bits >> i & 1) != 0) {
            value_push(a, &list, value_string(str_from(surfaces[i])));
        }
    }
    return list;
}

static struct value texts_of_facts(struct arena *a, diff_facts bits)
{
    struct value list = value_array();
    for (unsigned i = 0; i < FACT_COUNT; i++) {
        if ((bits >> i & 1) != 0) {
            value_push(a, &list, value_string(str_from(facts[i].name)));
        }
    }
    return list;
}

/* An object with exactly this room: rows are many. */
static struct value object_of(struct arena *a, uint32_t members)
{
    struct value v = value_object();
    v.members = arena_array(a, members, sizeof *v.members);
    v.capacity = v.members == NULL ? 0 : members;
    return v;
}

static struct value row_value(struct arena *a, const struct diff_change *c)
{
    enum { MEMBERS = 12 };
    struct value row = object_of(a, MEMBERS);
    value_add_str(a, &row, STR("kind"), str_from(kinds[c->kind]));
    value_add_str(a, &row, STR("resource"), diff_text(a, c->resource, DIFF_PATH_MAX));
    value_add_str(a, &row, STR("path"), diff_text(a, c->path, DIFF_PATH_MAX));
    value_add(a, &row, STR("facts"), texts_of_facts(a, c->facts));
    value_add(a, &row, STR("surface"), texts_of_surfaces(a, c->surfaces));
    value_add(a, &row, STR("before"), c->before);
    value_add(a, &row, STR("after"), c->after);
    value_add_bool(a, &row, STR("destructive"), c->destructive);
    value_add_bool(a, &row, STR("reversible"), !c->irreversible);
    value_add_bool(a, &row, STR("whole"), !c->part);
    value_add_bool(a, &row, STR("sensitive"), c->sensitive);
    value_add_bool(a, &row, STR("unknown"), c->unknown);
    return row;
}

static void count(struct diff_changes *c, const struct diff_change *change)
{
    uint64_t *const counters[DIFF_KIND_COUNT] = {
        [DIFF_CREATE] = &c->creates, [DIFF_DELETE] = &c->deletes, [DIFF_REPLACE] = &c->replaces, [DIFF_READ] = &c->reads,
        [DIFF_NO_OP] = &c->no_ops};
    if (counters[change->kind] != NULL) {
        (*counters[change->kind])++;
    } else if (change->kind != DIFF_DRIFT) {
        c->updates++;
    }
    c->destructive += change->destructive ? 1 : 0;
    c->irreversible += change->irreversible ? 1 : 0;
}

/* A name that does not fit could hide its end behind its beginning. */
static bool is_cut(const struct diff_change *c)
{
    return c->resource.len > DIFF_PATH_MAX || c->path.len > DIFF_PATH_MAX;
}

void diff_add(struct arena *a, struct diff_changes *c, const struct diff_change *change)
{
    must((unsigned)change->kind < DIFF_KIND_COUNT);
    struct diff_change row = *change;
    bool gone = row.kind == DIFF_DELETE || row.kind == DIFF_REPLACE || row.kind == DIFF_UNKNOWN;
    row.destructive = row.destructive || (gone && !row.part);
    row.irreversible = row.irreversible || row.kind == DIFF_UNKNOWN;
    for (unsigned i = 0; i < FACT_COUNT && row.facts != 0; i++) {
        bool has = (row.facts >> i & 1) != 0;
        row.surfaces |= has ? facts[i].surface : 0;
        row.destructive = row.destructive || (has && (facts[i].weight & DESTROYS) != 0);
        row.irreversible = row.irreversible || (has && (facts[i].weight & FOR_GOOD) != 0);
    }
    c->facts |= row.facts;
    if (!row.part) {
        count(c, &row);
    }
    if (row.kind == DIFF_NO_OP) {
        return;
    }
    c->surfaces |= row.surfaces;
    c->over = c->over || is_cut(&row) || c->list.count == DIFF_CHANGES_MAX;
    if (c->list.count < DIFF_CHANGES_MAX) {
        value_push(a, &c->list, row_value(a, &row));
    }
}

/* --- all of it -------------------------------------------------------------------------------------- */

struct value diff_changes_value(struct arena *a, const struct diff_changes *c)
{
    const struct {
        struct str name;
        uint64_t count;
    } counts[] = {{STR("creates"), c->creates},         {STR("updates"), c->updates},
                  {STR("deletes"), c->deletes},         {STR("replaces"), c->replaces},
                  {STR("reads"), c->reads},             {STR("no_ops"), c->no_ops},
                  {STR("destructive"), c->destructive}, {STR("irreversible"), c->irreversible}};
    struct value summary = value_object();
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        value_add_int(a, &summary, counts[i].name, (int64_t)counts[i].count);
    }
    value_add(a, &summary, STR("surfaces"), texts_of_surfaces(a, c->surfaces));
    value_add(a, &summary, STR("facts"), texts_of_facts(a, c->facts));
    struct value v = value_object();
    value_add_str(a, &v, STR("format"), str_from(formats[c->format]));
    value_add(a, &v, STR("summary"), summary);
    value_add(a, &v, STR("changes"), c->list);
    value_add_bool(a, &v, STR("over"), c->over);
    return v;
}

enum rc diff_built(const struct arena *a, struct err *e)
{
    enum rc rc = arena_rc(a);
    if (rc == RC_OK) {
        return rc;
    }
    return err_set(e, rc, "%s", rc == RC_LIMIT ? "takes more memory than its maximum" : "out of memory");
}
