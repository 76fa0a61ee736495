/* Statements that set something, and those whose effect is known only when they run. */
#include "diff/sql_script.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* --- settings --------------------------------------------------------------------------------------- */

static const struct {
    const char *name; /* a glob */
    enum diff_fact fact;
} settings[] = {
    {"ssl", FACT_TLS_OFF}, {"row_security", FACT_ROW_SECURITY_OFF}, {"session_replication_role", FACT_DENY_REMOVED},
    {"log_*", FACT_LOGGING_OFF}, {"logging_collector", FACT_LOGGING_OFF}, {"pgaudit.*", FACT_LOGGING_OFF},
    {"archive_*", FACT_BACKUPS_OFF}, {"fsync", FACT_BACKUPS_OFF}, {"full_page_writes", FACT_BACKUPS_OFF},
    {"*_command", FACT_SERVER_PROGRAM}, {"*preload_libraries", FACT_SERVER_PROGRAM}, {"password_encryption", FACT_AUTH_DISABLED},
    {"role", FACT_ROLE_PRIVILEGED}, {"session_authorization", FACT_ROLE_PRIVILEGED},
};

static void add_setting(struct sql_script *s, const struct value *set, const char *where, bool lasts)
{
    struct str name = value_text(value_get(set, STR("name")));
    struct diff_change row = {.kind = DIFF_NO_OP};
    struct sql_name shown = {.len = 0};
    for (size_t i = 0; i < COUNT(settings); i++) {
        row.facts |= str_glob(str_from(settings[i].name), name) ? FACT_BIT(settings[i].fact) : 0;
    }
    /* Back to what it was before is no change of a session. */
    row.facts = !lasts && str_starts(value_text(value_get(set, STR("kind"))), STR("VAR_RESET")) ? 0 : row.facts;
    if (lasts || row.facts != 0) {
        row.kind = DIFF_UPDATE;
        row.surfaces = SURFACE_CONFIG;
    }
    sql_name_part(&shown, name.len > 0 ? name : STR("all"));
    script_add(s, row, str_from(where), shown);
}

void script_read_set(struct sql_script *s, const struct value *node)
{
    add_setting(s, node, "setting", false);
}

void script_read_lasting_set(struct sql_script *s, const struct value *node)
{
    add_setting(s, value_get(node, STR("setstmt")), "setting", true);
}

/* --- what hides its text ---------------------------------------------------------------------------- */

void script_read_opaque(struct sql_script *s, const struct value *node)
{
    struct sql_name name = {.len = 0};
    sql_name_put_list(&name, value_path(node, "funccall", "funcname", NULL));
    sql_name_part(&name, value_text(value_get(node, STR("name"))));
    struct diff_change row = {.kind = DIFF_EXECUTE, .facts = FACT_BIT(FACT_OPAQUE)};
    script_add(s, row, STR("code"), name);
}

static const struct {
    const char *name; /* a glob, without the schema */
    enum diff_fact fact;
} functions[] = {
    {"dblink*", FACT_OPAQUE}, {"query_to_xml*", FACT_OPAQUE}, {"cursor_to_xml*", FACT_OPAQUE}, {"pg_read_*", FACT_SERVER_PROGRAM},
    {"pg_ls_*", FACT_SERVER_PROGRAM}, {"pg_file_*", FACT_SERVER_PROGRAM}, {"lo_import", FACT_SERVER_PROGRAM},
    {"lo_export", FACT_SERVER_PROGRAM}, {"lo_unlink", FACT_DROP}, {"pg_terminate_backend", FACT_SERVER_PROGRAM},
    {"pg_cancel_backend", FACT_SERVER_PROGRAM}, {"pg_reload_conf", FACT_SERVER_PROGRAM}, {"pg_promote", FACT_SERVER_PROGRAM},
    {"pg_drop_replication_slot", FACT_DROP}, {"pg_create_*", FACT_SERVER_PROGRAM}, {"set_config", FACT_OPAQUE},
    {"setval", FACT_REWRITE}, {"pg_switch_wal", FACT_SERVER_PROGRAM}, {"pg_replication_*", FACT_SERVER_PROGRAM},
    {"database_to_xml*", FACT_OPAQUE}, {"table_to_xml*", FACT_OPAQUE}, {"schedule", FACT_OPAQUE}, {"xpath_table", FACT_OPAQUE},
};

void script_read_call(struct sql_script *s, const struct value *node)
{
    const struct value *names = value_get(node, STR("funcname"));
    const struct value *last = value_is(names, VALUE_ARRAY) ? value_item(names, names->count - 1) : NULL;
    struct str function = value_text(value_path(last, "String", "sval", NULL));
    struct diff_change row = {.kind = DIFF_EXECUTE};
    for (size_t i = 0; i < COUNT(functions); i++) {
        row.facts |= str_glob(str_from(functions[i].name), function) ? FACT_BIT(functions[i].fact) : 0;
    }
    if (row.facts != 0) {
        struct sql_name name = {.len = 0};
        sql_name_put_list(&name, names);
        script_add(s, row, STR("function"), name);
    }
}
