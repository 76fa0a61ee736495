#include "diff/terraform_rules.h"

#include "diff/access.h"
#include "diff/compare.h"
#include "diff/members.h"
#include "value/mark.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* --- attributes ------------------------------------------------------------------------------------- */

/* IS_: what stands there afterwards. TURNED_OFF: it was on, and is not. */
enum test { IS_TRUE, IS_FALSE, IS_ZERO, IS_PUBLIC_ACL, IS_ANY_VIEWER, TURNED_OFF, CHANGED };

static const struct {
    const char *name;
    enum test test;
    enum diff_fact fact;
} attributes[] = {
    {"force_destroy", IS_TRUE, FACT_FORCE_DESTROY},
    {"force_delete", IS_TRUE, FACT_FORCE_DESTROY},
    {"delete_protection_enabled", TURNED_OFF, FACT_DELETION_PROTECTION_OFF},
    {"deletion_protection", TURNED_OFF, FACT_DELETION_PROTECTION_OFF},
    {"deletion_protection_enabled", TURNED_OFF, FACT_DELETION_PROTECTION_OFF},
    {"enable_deletion_protection", TURNED_OFF, FACT_DELETION_PROTECTION_OFF},
    {"disable_api_termination", TURNED_OFF, FACT_DELETION_PROTECTION_OFF},
    {"termination_protection", TURNED_OFF, FACT_DELETION_PROTECTION_OFF},
    {"purge_protection_enabled", TURNED_OFF, FACT_DELETION_PROTECTION_OFF},
    {"prevent_deletion_if_contains_resources", TURNED_OFF, FACT_DELETION_PROTECTION_OFF},
    {"object_lock_enabled", TURNED_OFF, FACT_DELETION_PROTECTION_OFF},
    {"skip_final_snapshot", IS_TRUE, FACT_SKIP_FINAL_SNAPSHOT},
    {"backup_retention_period", IS_ZERO, FACT_BACKUPS_OFF},
    {"snapshot_retention_limit", IS_ZERO, FACT_BACKUPS_OFF},
    {"automated_snapshot_retention_period", IS_ZERO, FACT_BACKUPS_OFF},
    {"backup_retention_days", TURNED_OFF, FACT_BACKUPS_OFF},
    {"point_in_time_recovery", TURNED_OFF, FACT_BACKUPS_OFF},
    {"point_in_time_recovery_enabled", TURNED_OFF, FACT_BACKUPS_OFF},
    {"backup_configuration", TURNED_OFF, FACT_BACKUPS_OFF},
    {"versioning", TURNED_OFF, FACT_BACKUPS_OFF},
    {"versioning_enabled", TURNED_OFF, FACT_BACKUPS_OFF},
    {"soft_delete_retention_days", TURNED_OFF, FACT_BACKUPS_OFF},
    {"storage_encrypted", IS_FALSE, FACT_ENCRYPTION_OFF},
    {"encrypted", IS_FALSE, FACT_ENCRYPTION_OFF},
    {"at_rest_encryption_enabled", IS_FALSE, FACT_ENCRYPTION_OFF},
    {"encryption_enabled", IS_FALSE, FACT_ENCRYPTION_OFF},
    {"transit_encryption_enabled", IS_FALSE, FACT_TLS_OFF},
    {"kms_key_id", TURNED_OFF, FACT_ENCRYPTION_OFF},
    {"kms_key_arn", TURNED_OFF, FACT_ENCRYPTION_OFF},
    {"kms_master_key_id", TURNED_OFF, FACT_ENCRYPTION_OFF},
    {"encryption", TURNED_OFF, FACT_ENCRYPTION_OFF},
    {"encryption_at_rest", TURNED_OFF, FACT_ENCRYPTION_OFF},
    {"encrypt_at_rest", TURNED_OFF, FACT_ENCRYPTION_OFF},
    {"encryption_config", TURNED_OFF, FACT_ENCRYPTION_OFF},
    {"encryption_configuration", TURNED_OFF, FACT_ENCRYPTION_OFF},
    {"server_side_encryption", TURNED_OFF, FACT_ENCRYPTION_OFF},
    {"server_side_encryption_configuration", TURNED_OFF, FACT_ENCRYPTION_OFF},
    {"disk_encryption_set_id", TURNED_OFF, FACT_ENCRYPTION_OFF},
    {"enable_key_rotation", TURNED_OFF, FACT_ENCRYPTION_OFF},
    {"node_to_node_encryption", TURNED_OFF, FACT_TLS_OFF},
    {"require_ssl", TURNED_OFF, FACT_TLS_OFF},
    {"ssl_enforcement_enabled", IS_FALSE, FACT_TLS_OFF},
    {"enable_https_traffic_only", IS_FALSE, FACT_TLS_OFF},
    {"https_traffic_only_enabled", IS_FALSE, FACT_TLS_OFF},
    {"https_only", IS_FALSE, FACT_TLS_OFF},
    {"viewer_protocol_policy", IS_ANY_VIEWER, FACT_TLS_OFF},
    {"logging", TURNED_OFF, FACT_LOGGING_OFF},
    {"enable_logging", IS_FALSE, FACT_LOGGING_OFF},
    {"logging_config", TURNED_OFF, FACT_LOGGING_OFF},
    {"logging_configuration", TURNED_OFF, FACT_LOGGING_OFF},
    {"access_logs", TURNED_OFF, FACT_LOGGING_OFF},
    {"log_config", TURNED_OFF, FACT_LOGGING_OFF},
    {"log_publishing_options", TURNED_OFF, FACT_LOGGING_OFF},
    {"enable_log_file_validation", TURNED_OFF, FACT_LOGGING_OFF},
    {"is_multi_region_trail", TURNED_OFF, FACT_LOGGING_OFF},
    {"enabled_cluster_log_types", TURNED_OFF, FACT_LOGGING_OFF},
    {"enabled_cloudwatch_logs_exports", TURNED_OFF, FACT_LOGGING_OFF},
    {"logging_service", TURNED_OFF, FACT_LOGGING_OFF},
    {"enable_flow_logs", TURNED_OFF, FACT_LOGGING_OFF},
    {"publicly_accessible", IS_TRUE, FACT_PUBLIC_ACCESS},
    {"endpoint_public_access", IS_TRUE, FACT_PUBLIC_ACCESS},
    {"public_network_access_enabled", IS_TRUE, FACT_PUBLIC_ACCESS},
    {"allow_blob_public_access", IS_TRUE, FACT_PUBLIC_ACCESS},
    {"allow_nested_items_to_be_public", IS_TRUE, FACT_PUBLIC_ACCESS},
    {"acl", IS_PUBLIC_ACL, FACT_PUBLIC_ACCESS},
    {"block_public_acls", IS_FALSE, FACT_PUBLIC_ACCESS},
    {"block_public_policy", IS_FALSE, FACT_PUBLIC_ACCESS},
    {"ignore_public_acls", IS_FALSE, FACT_PUBLIC_ACCESS},
    {"restrict_public_buckets", IS_FALSE, FACT_PUBLIC_ACCESS},
    {"uniform_bucket_level_access", TURNED_OFF, FACT_PUBLIC_ACCESS},
    {"iam_database_authentication_enabled", TURNED_OFF, FACT_AUTH_DISABLED},
    {"mfa_configuration", TURNED_OFF, FACT_AUTH_DISABLED},
    {"role_based_access_control_enabled", TURNED_OFF, FACT_AUTH_DISABLED},
    {"desired_count", IS_ZERO, FACT_REPLICAS_ZERO},
    {"desired_capacity", IS_ZERO, FACT_REPLICAS_ZERO},
    {"replicas", IS_ZERO, FACT_REPLICAS_ZERO},
    {"target_size", IS_ZERO, FACT_REPLICAS_ZERO},
    {"max_size", IS_ZERO, FACT_REPLICAS_ZERO},
    {"ami", CHANGED, FACT_IMAGE_CHANGED},
    {"image", CHANGED, FACT_IMAGE_CHANGED},
    {"image_id", CHANGED, FACT_IMAGE_CHANGED},
    {"image_uri", CHANGED, FACT_IMAGE_CHANGED},
    {"container_definitions", CHANGED, FACT_IMAGE_CHANGED},
    {"user_data", CHANGED, FACT_IMAGE_CHANGED},
    {"user_data_base64", CHANGED, FACT_IMAGE_CHANGED},
    {"privileged", IS_TRUE, FACT_PRIVILEGED_CONTAINER},
};

/* These decide who may reach what: unknown until it runs is not harmless. */
static const char *const deciding[] = {
    "policy", "assume_role_policy", "policy_data", "ingress", "cidr_blocks", "ipv6_cidr_blocks", "cidr_ipv4", "cidr_ipv6",
    "source_ranges", "source_address_prefix", "source_address_prefixes", "members", "member", "role_definition_name",
};

static bool is_on(const struct value *v)
{
    static const char *const off[] = {"", "Disabled", "DISABLED", "disabled", "OFF", "Off", "off", "NONE", "None",
                                      "none", "false", "0", "Suspended", "PassThrough"};
    double number = 1;
    if (v == NULL || v->type == VALUE_NULL) {
        return false;
    }
    if (v->type == VALUE_STRING) {
        for (size_t i = 0; i < COUNT(off); i++) {
            if (str_eq(v->string, str_from(off[i]))) {
                return false;
            }
        }
        return true;
    }
    if (value_number(v, &number)) {
        return number < 0 || number > 0;
    }
    if (v->type == VALUE_BOOL) {
        return v->boolean;
    }
    /* A block with a switch of its own. */
    const struct value *block = v->type == VALUE_ARRAY ? value_item(v, 0) : v;
    const struct value *enabled = value_get(block, STR("enabled"));
    enabled = enabled == NULL ? value_get(block, STR("status")) : enabled;
    return v->count > 0 && (enabled == NULL || is_on(enabled));
}

struct attribute {
    struct str name;
    const struct value *before;
    const struct value *after;
    const struct value *unknown;
    bool fresh; /* the resource is made by this change */
};

static bool is_true_text(const struct value *v, const char *word)
{
    return value_bool_or(v, false) || str_eq(value_text(v), str_from(word));
}

static bool holds(struct arena *a, enum test test, const struct attribute *at)
{
    double number = 1;
    switch (test) {
    case IS_TRUE:
        return is_true_text(at->after, "true");
    case IS_FALSE:
        return (value_is(at->after, VALUE_BOOL) && !at->after->boolean) || str_eq(value_text(at->after), STR("false"));
    case IS_ZERO:
        return value_number(at->after, &number) && !(number < 0 || number > 0);
    case IS_PUBLIC_ACL:
        return str_starts(value_text(at->after), STR("public-")) ||
               str_eq(value_text(at->after), STR("authenticated-read"));
    case IS_ANY_VIEWER:
        return str_eq(value_text(at->after), STR("allow-all"));
    case TURNED_OFF:
        return is_on(at->before) && !is_on(at->after) && !value_bool_or(at->unknown, false);
    case CHANGED:
        return !at->fresh && (value_bool_or(at->unknown, false) || !diff_same(a, at->before, at->after));
    }
    return false;
}

static diff_facts facts_of_attribute(struct arena *a, const struct attribute *at)
{
    diff_facts facts = 0;
    for (size_t i = 0; i < COUNT(attributes); i++) {
        bool named = str_eq(at->name, str_from(attributes[i].name));
        facts |= named && holds(a, attributes[i].test, at) ? FACT_BIT(attributes[i].fact) : 0;
    }
    for (size_t i = 0; i < COUNT(deciding); i++) {
        bool named = str_eq(at->name, str_from(deciding[i]));
        facts |= named && value_bool_or(at->unknown, false) ? FACT_BIT(FACT_NOT_KNOWN) : 0;
        facts |= named && at->after != NULL && value_is_mark(at->after) ? FACT_BIT(FACT_UNREADABLE) : 0;
    }
    struct str text = value_text(at->after);
    if (text.len > 0) {
        facts |= access_policy_text(a, text);
        facts |= access_is_admin(text) ? FACT_BIT(FACT_IAM_ADMIN) : 0;
        facts |= access_is_anyone(text) ? FACT_BIT(FACT_PUBLIC_ACCESS) : 0;
    }
    return facts;
}

static const struct value *item_of(const struct value *v, uint32_t i)
{
    return value_is(v, VALUE_BOOL) ? v : value_item(v, i);
}

/* The attribute and all inside it. NOLINTNEXTLINE(misc-no-recursion): as deep as DIFF_WALK_MAX */
static diff_facts walk(struct arena *a, const struct attribute *at, unsigned depth)
{
    diff_facts facts = facts_of_attribute(a, at);
    if (depth == DIFF_WALK_MAX) {
        return facts | FACT_BIT(FACT_UNREADABLE);
    }
    struct members walks[] = {members_of(a, at->before), members_of(a, at->after), members_of(a, at->unknown)};
    struct str name;
    while (members_next(walks, COUNT(walks), &name)) {
        struct attribute inner = {name, members_take(&walks[0], name), members_take(&walks[1], name),
                                  members_take(&walks[2], name), at->fresh};
        facts |= walk(a, &inner, depth + 1);
    }
    uint32_t before = value_is(at->before, VALUE_ARRAY) ? at->before->count : 0;
    uint32_t after = value_is(at->after, VALUE_ARRAY) ? at->after->count : 0;
    for (uint32_t i = 0; i < before || i < after; i++) {
        struct attribute inner = {at->name, item_of(at->before, i), item_of(at->after, i), item_of(at->unknown, i),
                                  at->fresh};
        facts |= walk(a, &inner, depth + 1);
    }
    return facts;
}

/* --- openings --------------------------------------------------------------------------------------- */

static const struct {
    const char *type;
    const char *list;       /* the blocks that open; null: the resource is one */
    const char *sources[4]; /* attributes with addresses */
    const char *must[4];    /* name, value, name, value: what is said otherwise opens nothing */
} openings[] = {
    {"aws_security_group", "ingress", {"cidr_blocks", "ipv6_cidr_blocks"}, {NULL}},
    {"aws_default_security_group", "ingress", {"cidr_blocks", "ipv6_cidr_blocks"}, {NULL}},
    {"aws_security_group_rule", NULL, {"cidr_blocks", "ipv6_cidr_blocks"}, {"type", "ingress"}},
    {"aws_vpc_security_group_ingress_rule", NULL, {"cidr_ipv4", "cidr_ipv6"}, {NULL}},
    {"aws_network_acl", "ingress", {"cidr_block", "ipv6_cidr_block"}, {"action", "allow"}},
    {"aws_default_network_acl", "ingress", {"cidr_block", "ipv6_cidr_block"}, {"action", "allow"}},
    {"aws_network_acl_rule", NULL, {"cidr_block", "ipv6_cidr_block"}, {"rule_action", "allow", "egress", "false"}},
    {"aws_db_security_group", "ingress", {"cidr"}, {NULL}},
    {"aws_eks_cluster", "vpc_config", {"public_access_cidrs"}, {"endpoint_public_access", "true"}},
    {"google_compute_firewall", NULL, {"source_ranges"}, {"direction", "INGRESS", "disabled", "false"}},
    {"google_sql_database_instance", "settings", {"value"}, {NULL}},
    {"azurerm_network_security_rule", NULL, {"source_address_prefix", "source_address_prefixes"},
     {"direction", "Inbound", "access", "Allow"}},
    {"azurerm_network_security_group", "security_rule", {"source_address_prefix", "source_address_prefixes"},
     {"direction", "Inbound", "access", "Allow"}},
    {"*_firewall*", NULL, {"source_addresses", "source_ips", "source_ranges", "remote_ip_prefix"}, {NULL}},
    {"openstack_*_secgroup_rule*", NULL, {"remote_ip_prefix"}, {"direction", "ingress"}},
};

static bool says_otherwise(const struct value *block, const char *const must[4])
{
    for (unsigned i = 0; i < 4 && must[i] != NULL; i += 2) {
        const struct value *v = value_get(block, str_from(must[i]));
        struct str said = value_is(v, VALUE_BOOL) ? (v->boolean ? STR("true") : STR("false")) : value_text(v);
        if (said.len > 0 && (said.len != strlen(must[i + 1]) || strncasecmp(said.ptr, must[i + 1], said.len) != 0)) {
            return true;
        }
    }
    return false;
}

/* Any of the attributes, however deep. NOLINTNEXTLINE(misc-no-recursion): as deep as DIFF_WALK_MAX */
static bool opens(const struct value *v, struct str name, size_t row, unsigned depth)
{
    bool open = depth == DIFF_WALK_MAX;
    for (unsigned i = 0; value_is(v, VALUE_STRING) && i < 4 && openings[row].sources[i] != NULL && !open; i++) {
        open = str_eq(name, str_from(openings[row].sources[i])) && access_is_everywhere(v->string);
    }
    for (uint32_t i = 0; value_is(v, VALUE_ARRAY) && i < v->count && !open; i++) {
        open = opens(&v->items[i], name, row, depth + 1);
    }
    if (value_is(v, VALUE_OBJECT) && says_otherwise(v, openings[row].must)) {
        return false;
    }
    for (uint32_t i = 0; value_is(v, VALUE_OBJECT) && i < v->count && !open; i++) {
        open = opens(&v->members[i].value, v->members[i].name, row, depth + 1);
    }
    return open;
}

static diff_facts facts_of_openings(const struct planned *p, struct arena *a)
{
    for (size_t i = 0; i < COUNT(openings); i++) {
        if (!str_glob(str_from(openings[i].type), p->type)) {
            continue;
        }
        struct str list = openings[i].list == NULL ? STR("") : str_from(openings[i].list);
        const struct value *before = list.len == 0 ? p->before : value_get(p->before, list);
        const struct value *after = list.len == 0 ? p->after : value_get(p->after, list);
        bool changed = p->kind != DIFF_UPDATE || !diff_same(a, before, after);
        /* The first row that fits is the type's own. */
        return changed && opens(after, list, i, 0) ? FACT_BIT(FACT_PUBLIC_INGRESS) : 0;
    }
    return 0;
}

/* --- a resource ------------------------------------------------------------------------------------- */

/* What a custom role may do: actions of Azure, permissions of Google. */
static diff_facts facts_of_role(const struct planned *p)
{
    const struct value *permissions = value_get(p->after, STR("permissions"));
    for (uint32_t i = 0; str_eq(p->type, STR("azurerm_role_definition")) && value_item(permissions, i) != NULL; i++) {
        const struct value *actions = value_get(value_item(permissions, i), STR("actions"));
        for (uint32_t k = 0; value_item(actions, k) != NULL; k++) {
            if (str_ends(value_text(value_item(actions, k)), STR("*"))) {
                return FACT_BIT(FACT_IAM_WILDCARD);
            }
        }
    }
    return 0;
}

diff_facts terraform_facts(struct arena *a, const struct planned *p)
{
    diff_facts facts = p->kind == DIFF_DELETE || p->kind == DIFF_REPLACE ? terraform_loss(p) : 0;
    if (!value_is(p->after, VALUE_OBJECT)) {
        return facts;
    }
    struct members walks[] = {members_of(a, p->before), members_of(a, p->after), members_of(a, p->unknown)};
    struct str name;
    while (members_next(walks, COUNT(walks), &name)) {
        struct attribute at = {name, members_take(&walks[0], name), members_take(&walks[1], name),
                               members_take(&walks[2], name), p->before == NULL || p->before->type == VALUE_NULL};
        if (p->kind != DIFF_UPDATE || value_is(at.unknown, VALUE_BOOL) || !diff_same(a, at.before, at.after)) {
            facts |= walk(a, &at, 0);
        }
    }
    return facts | facts_of_openings(p, a) | facts_of_role(p);
}
