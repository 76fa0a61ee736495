/* What the types of resources tell: which surfaces they are, which hold data, what goes with them. */
#include "diff/terraform_rules.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Documented in docs/diff.md: what holds data. */
static const char *const stateful[] = {
    "aws_db_*", "aws_rds_*", "aws_dynamodb_table", "aws_dynamodb_global_table", "aws_s3_bucket", "aws_s3_object",
    "aws_s3_directory_bucket", "aws_s3tables_*", "aws_ebs_volume", "aws_ebs_snapshot*", "aws_efs_file_system", "aws_fsx_*",
    "aws_elasticache_*", "aws_memorydb_*", "aws_redshift*", "aws_docdb*", "aws_neptune*", "aws_opensearch*",
    "aws_elasticsearch_*", "aws_kinesis_stream", "aws_sqs_queue", "aws_kms_*", "aws_msk_*", "aws_mq_broker",
    "aws_eks_cluster", "aws_ecr_repository", "aws_secretsmanager_secret*", "aws_backup_vault*", "aws_cognito_user_pool",
    "aws_route53_zone", "aws_cloudwatch_log_group", "aws_glacier_vault", "aws_timestream*", "aws_keyspaces_*", "aws_qldb_*",
    "aws_lightsail_d*", "aws_ami*", "google_sql_*", "google_storage_bucket*", "google_bigquery_*", "google_compute_disk",
    "google_compute_region_disk", "google_compute_snapshot", "google_spanner_*", "google_bigtable_*", "google_redis_*",
    "google_memcache_*", "google_filestore_*", "google_container_cluster", "google_kms_*", "google_firestore_*",
    "google_datastore_*", "google_pubsub_*", "google_secret_manager_*", "google_alloydb_*", "google_project",
    "google_folder", "google_dns_managed_zone", "google_artifact_registry_repository", "azurerm_*sql*", "azurerm_mariadb_*",
    "azurerm_cosmosdb_*", "azurerm_storage_*", "azurerm_managed_disk", "azurerm_snapshot", "azurerm_key_vault*",
    "azurerm_redis_*", "azurerm_kubernetes_cluster", "azurerm_resource_group", "azurerm_recovery_services_vault",
    "azurerm_eventhub*", "azurerm_servicebus_*", "azurerm_log_analytics_workspace", "azurerm_data_*",
    "azurerm_container_registry", "azurerm_dns_zone", "kubernetes_persistent_volume*", "kubernetes_namespace*",
    "kubernetes_stateful_set*", "kubernetes_secret*", "mongodbatlas_*cluster*", "snowflake_*", "vault_mount", "vault_*_secret*",
    "*_database", "*_database_*", "*_db_*", "*_bucket", "*_volume", "*_disk", "*_file_system", "*_filesystem", "*_kms_key",
    "*_crypto_key", "*_postgresql_*", "*_mysql_*", "*_datastore",
};

/* Like those above by their names, but with nothing in them that is lost. */
static const char *const stateless[] = {
    "*_parameter_group", "*_subnet_group", "*_option_group", "*_policy", "*_policy_*", "*_attachment", "*_association",
    "*_alias", "*_notification", "*_iam_*", "*_firewall_rule", "*_access_policy", "*_security_group", "*_proxy*",
    "*_public_access_block", "*_ownership_controls", "*_acl", "*_grant", "*_event_subscription", "*_event_categories",
};

static bool is_any(struct str type, const char *const *globs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (str_glob(str_from(globs[i]), type)) {
            return true;
        }
    }
    return false;
}

bool terraform_is_stateful(struct str type)
{
    return is_any(type, stateful, COUNT(stateful)) && !is_any(type, stateless, COUNT(stateless));
}

static const struct {
    const char *glob;
    unsigned surface;
} type_surfaces[] = {
    {"*_iam_*", SURFACE_AUTH}, {"aws_cognito_*", SURFACE_AUTH}, {"aws_organizations_*", SURFACE_AUTH},
    {"aws_ssoadmin_*", SURFACE_AUTH}, {"aws_identitystore_*", SURFACE_AUTH}, {"*_policy_attachment", SURFACE_AUTH},
    {"*_bucket_policy", SURFACE_AUTH}, {"*_bucket_acl", SURFACE_AUTH}, {"*_public_access_block", SURFACE_AUTH},
    {"google_service_account*", SURFACE_AUTH}, {"azurerm_role_*", SURFACE_AUTH}, {"azuread_*", SURFACE_AUTH},
    {"azurerm_*_access_policy", SURFACE_AUTH}, {"kubernetes_*role*", SURFACE_AUTH}, {"kubernetes_service_account*", SURFACE_AUTH},
    {"okta_*", SURFACE_AUTH}, {"auth0_*", SURFACE_AUTH}, {"vault_policy*", SURFACE_AUTH}, {"vault_*auth*", SURFACE_AUTH},
    {"github_*permission*", SURFACE_AUTH}, {"github_branch_protection*", SURFACE_AUTH}, {"*_grant", SURFACE_AUTH},
    {"*security_group*", SURFACE_NETWORK}, {"*_vpc*", SURFACE_NETWORK}, {"*_subnet*", SURFACE_NETWORK},
    {"*_route*", SURFACE_NETWORK}, {"*_network*", SURFACE_NETWORK}, {"*firewall*", SURFACE_NETWORK}, {"aws_lb*", SURFACE_NETWORK},
    {"aws_alb*", SURFACE_NETWORK}, {"aws_elb*", SURFACE_NETWORK}, {"*_gateway*", SURFACE_NETWORK}, {"*_dns_*", SURFACE_NETWORK},
    {"cloudflare_*", SURFACE_NETWORK}, {"*_load_balancer*", SURFACE_NETWORK}, {"*_waf*", SURFACE_NETWORK},
    {"*_security_rule", SURFACE_NETWORK}, {"*_security_policy", SURFACE_NETWORK}, {"*_ingress*", SURFACE_NETWORK},
    {"*_kms_*", SURFACE_ENCRYPTION}, {"*_acm_*", SURFACE_ENCRYPTION}, {"*_certificate*", SURFACE_ENCRYPTION},
    {"tls_*", SURFACE_ENCRYPTION}, {"*_key_vault*", SURFACE_ENCRYPTION | SURFACE_SECRETS}, {"*_encryption*", SURFACE_ENCRYPTION},
    {"*_secret*", SURFACE_SECRETS}, {"aws_ssm_parameter", SURFACE_SECRETS}, {"random_password", SURFACE_SECRETS},
    {"aws_cloudtrail*", SURFACE_LOGGING}, {"*_flow_log*", SURFACE_LOGGING}, {"*_log_*", SURFACE_LOGGING},
    {"*_logging*", SURFACE_LOGGING}, {"aws_config_*", SURFACE_LOGGING}, {"aws_guardduty_*", SURFACE_LOGGING},
    {"azurerm_monitor_*", SURFACE_LOGGING}, {"*_audit_*", SURFACE_LOGGING},
    {"aws_lambda_*", SURFACE_EXECUTION}, {"aws_ecs_*", SURFACE_EXECUTION}, {"aws_instance", SURFACE_EXECUTION},
    {"*_function*", SURFACE_EXECUTION}, {"*_cloud_run*", SURFACE_EXECUTION}, {"*_virtual_machine*", SURFACE_EXECUTION},
    {"google_compute_instance*", SURFACE_EXECUTION}, {"kubernetes_deployment*", SURFACE_EXECUTION}, {"helm_release", SURFACE_EXECUTION},
    {"null_resource", SURFACE_EXECUTION}, {"terraform_data", SURFACE_EXECUTION}, {"*_autoscaling*", SURFACE_AVAILABILITY},
};

uint32_t terraform_surfaces(struct str type)
{
    uint32_t found = terraform_is_stateful(type) ? SURFACE_DATA : 0;
    for (size_t i = 0; i < COUNT(type_surfaces); i++) {
        found |= str_glob(str_from(type_surfaces[i].glob), type) ? type_surfaces[i].surface : 0;
    }
    return found;
}

/* What is lost with a resource of this type besides data. */
static const struct {
    const char *glob;
    enum diff_fact fact;
} deletes[] = {
    {"aws_cloudtrail*", FACT_LOGGING_OFF}, {"*_flow_log", FACT_LOGGING_OFF}, {"aws_guardduty_*", FACT_LOGGING_OFF},
    {"aws_config_*", FACT_LOGGING_OFF}, {"aws_s3_bucket_logging", FACT_LOGGING_OFF}, {"google_logging_*", FACT_LOGGING_OFF},
    {"azurerm_monitor_*", FACT_LOGGING_OFF}, {"aws_cloudwatch_log_*", FACT_LOGGING_OFF}, {"aws_securityhub_*", FACT_LOGGING_OFF},
    {"*_server_side_encryption_configuration", FACT_ENCRYPTION_OFF}, {"aws_ebs_encryption_by_default", FACT_ENCRYPTION_OFF},
    {"*_public_access_block", FACT_PUBLIC_ACCESS}, {"aws_backup_*", FACT_BACKUPS_OFF}, {"aws_dlm_*", FACT_BACKUPS_OFF},
    {"azurerm_backup_*", FACT_BACKUPS_OFF}, {"aws_s3_bucket_versioning", FACT_BACKUPS_OFF},
    {"google_compute_resource_policy", FACT_BACKUPS_OFF}, {"aws_waf*", FACT_DENY_REMOVED}, {"aws_shield_*", FACT_DENY_REMOVED},
    {"google_compute_security_policy", FACT_DENY_REMOVED}, {"azurerm_*firewall_policy*", FACT_DENY_REMOVED},
    {"aws_organizations_policy*", FACT_DENY_REMOVED}, {"google_org_policy_*", FACT_DENY_REMOVED},
    {"azurerm_*policy_assignment", FACT_DENY_REMOVED}, {"github_branch_protection*", FACT_DENY_REMOVED},
    {"kubernetes_network_policy*", FACT_NETWORK_POLICY_REMOVED},
    {"kubernetes_pod_disruption_budget*", FACT_DISRUPTION_BUDGET_REMOVED}, {"azurerm_management_lock", FACT_DELETION_PROTECTION_OFF},
};

diff_facts terraform_loss(const struct planned *p)
{
    diff_facts facts = 0;
    if (terraform_is_stateful(p->type)) {
        facts |= FACT_BIT(p->kind == DIFF_DELETE ? FACT_STATEFUL_DELETE : FACT_STATEFUL_REPLACE);
    }
    for (size_t i = 0; i < COUNT(deletes) && p->kind == DIFF_DELETE; i++) {
        facts |= str_glob(str_from(deletes[i].glob), p->type) ? FACT_BIT(deletes[i].fact) : 0;
    }
    return facts;
}
