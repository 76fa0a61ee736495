#include "policy/rule_vars.h"

#include "base/must.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static bool get_field(const void *self, unsigned field, struct arena *scope, struct cel_value *ret)
{
    const struct rule_object *o = self;
    struct cel_value *kept = o->remembered.fields;
    if (kept != NULL && kept[field].kind != CEL_ABSENT) {
        *ret = kept[field];
        return true;
    }
    if (!o->get(o, field, scope, ret)) {
        return false;
    }
    if (kept != NULL && (ret->kind != CEL_LIST || ret->form != CEL_NATIVE)) {
        kept[field] = *ret;
    }
    return true;
}

#define CLASS(what, doc_, fields_) {.name = what, .doc = doc_, .fields = fields_, .count = COUNT(fields_), .get = get_field, .remembers = true}
#define OBJECT(of) {.kind = CEL_OBJECT, .class = &(of)}
#define LIST(of) {.kind = CEL_LIST, .item = &(of)}

/* --- classes -------------------------------------------------------------------------------------------------- */

static const struct cel_field agent_fields[] = {
    [RULE_AGENT_NAME] = {"name", &cel_string, "The agent that acts; empty when an operator does."},
    [RULE_AGENT_HUMAN] = {"human", &cel_bool, "An operator acts, and no agent."},
    [RULE_AGENT_OWNER] = {"owner", &cel_string, "Who answers for it."},
    [RULE_AGENT_TEAM] = {"team", &cel_string, "Its team; may be empty."},
    [RULE_AGENT_ROLES] = {"roles", &cel_list_string, "Its roles."},
    [RULE_AGENT_LABELS] = {"labels", &cel_map_string_dyn, "Its labels."},
    [RULE_AGENT_TIER] = {"tier", &cel_string, "The rung that counts now: the lowest over the services, after what is known of model and prompt."},
    [RULE_AGENT_MODEL] = {"model", &cel_string, "Its registered model; empty when none is."},
    [RULE_AGENT_PROMPT_VERSION] = {"prompt_version", &cel_string, "Its registered prompt version; empty when none is."},
    [RULE_AGENT_IDENTITY] = {"identity", &cel_string, "What stands behind model and prompt version."},
    [RULE_AGENT_ACTS_FOR] = {"acts_for", &cel_list_string, "Agents in whose name it acts, the nearest first."},
    [RULE_AGENT_BREAKER] = {"breaker", &cel_string, "Its circuit breaker."},
    [RULE_AGENT_ADVISORY] = {"advisory", &cel_bool, "Nothing of it runs."},
    [RULE_AGENT_PENDING] = {"pending", &cel_int, "Its open escalations."},
};
const struct cel_class rule_agent = CLASS("pawl.Agent", "Who acts, as registered.", agent_fields);

static const struct cel_field action_fields[] = {
    [RULE_ACTION_TOOL] = {"tool", &cel_string, "The tool, by the catalogue; empty when nothing matched."},
    [RULE_ACTION_CLASS] = {"class", &cel_string, "The tool's class; `shell` when no tool matched."},
    [RULE_ACTION_TASK_CLASS] = {"task_class", &cel_string, "The tool's task class; may be empty."},
    [RULE_ACTION_PARAMS] = {"params", &cel_map_string_dyn, "The parameters, given or captured; secrets are taken out."},
    [RULE_ACTION_TARGET] = {"target", &cel_string, "What it acts on, by the tool's template."},
    [RULE_ACTION_REVERSIBLE] = {"reversible", &cel_bool, "The tool is declared so, or knows the way back."},
    [RULE_ACTION_TWO_PHASE] = {"two_phase", &cel_bool, "It is committed before it runs."},
    [RULE_ACTION_SURFACES] = {"surfaces", &cel_list_string, "Protected surfaces: the tool's, and those seen in the diff."},
    [RULE_ACTION_LABELS] = {"labels", &cel_map_string_dyn, "The tool's labels."},
    [RULE_ACTION_BREAK_GLASS] = {"break_glass", &cel_bool, "An operator breaks the glass."},
};
const struct cel_class rule_action = CLASS("pawl.Action", "What is about to be done, by the catalogue.", action_fields);

static const struct cel_field service_fields[] = {
    [RULE_SERVICE_NAME] = {"name", &cel_string, "Its name."},
    [RULE_SERVICE_OWNER] = {"owner", &cel_string, "Who answers for it; may be empty."},
    [RULE_SERVICE_ZONE] = {"zone", &cel_string, "Its trust zone; may be empty."},
    [RULE_SERVICE_TRAFFIC_PCT] = {"traffic_pct", &cel_double, "Its declared share of all requests, in percent; 0 when none is."},
    [RULE_SERVICE_DEPENDS_ON] = {"depends_on", &cel_list_string, "Services that it calls, as declared."},
    [RULE_SERVICE_LABELS] = {"labels", &cel_map_string_dyn, "Its labels."},
};
const struct cel_class rule_service = CLASS("pawl.Service", "A service that the action touches.", service_fields);

static const struct cel_field signals_fields[] = {
    [RULE_SIGNALS_AQDD_DEPTH] = {"aqdd_depth", &cel_int, "Approvals that wait; absent while it is not known."},
    [RULE_SIGNALS_AQDD_DRIFT] = {"aqdd_drift", &cel_double, "That depth over its baseline; absent without a baseline."},
    [RULE_SIGNALS_HER_PCT] = {"her_pct", &cel_double, "Share of the agent's decisions that were escalated for its own reasons, in percent; absent below the smallest sample."},
    [RULE_SIGNALS_HER_SAMPLE] = {"her_sample", &cel_int, "Decisions that share is over."},
    [RULE_SIGNALS_UPSTREAM_BUDGET_PCT] = {"upstream_budget_pct", &cel_double, "The lowest known error budget of what the targets call, in percent; absent when none is known."},
    [RULE_SIGNALS_FREEZES] = {"freezes", &cel_list_string, "Code freezes in force for the targets."},
    [RULE_SIGNALS_DEPLOYS] = {"deploys", &cel_list_string, "Targets that are being deployed."},
    [RULE_SIGNALS_EXECUTING] = {"executing", &cel_int, "Executions under way on the busiest target, this one apart."},
    [RULE_SIGNALS_ON_CALL_INCIDENTS] = {"on_call_incidents", &cel_int, "Open incidents of the busiest person on call; absent when nobody is, or it is not known."},
    [RULE_SIGNALS_CLOCK_OK] = {"clock_ok", &cel_bool, "The server's clock is trusted."},
};
const struct cel_class rule_signals = CLASS("pawl.Signals", "The state of things, as the decision saw it.", signals_fields);

static const struct cel_field budget_fields[] = {
    [RULE_BUDGET_SERVICE] = {"service", &cel_string, "Of which service; empty when there is none."},
    [RULE_BUDGET_KNOWN] = {"known", &cel_bool, "It was measured, and is fresh."},
    [RULE_BUDGET_REMAINING_PCT] = {"remaining_pct", &cel_double, "What is left of the error budget, in percent; absent when it is not known."},
    [RULE_BUDGET_AGE] = {"age", &cel_duration, "Since it was measured; absent when it never was."},
    [RULE_BUDGET_SOURCE] = {"source", &cel_string, "Where it comes from: prometheus, events, given; may be empty."},
    [RULE_BUDGET_DEPENDANT] = {"dependant", &cel_bool, "Of a service that calls the target; else of the target itself."},
};
const struct cel_class rule_budget = CLASS("pawl.Budget", "An error budget.", budget_fields);

static const struct cel_field impact_fields[] = {
    [RULE_IMPACT_TRAFFIC_PCT] = {"traffic_pct", &cel_double, "Predicted share of all requests that is touched, in percent."},
    [RULE_IMPACT_DECLARED] = {"declared", &cel_bool, "Each target has a declared share."},
    [RULE_IMPACT_SERVICES] = {"services", &cel_int, "The targets and all that call them."},
    [RULE_IMPACT_ZONES] = {"zones", &cel_list_string, "Trust zones of the targets."},
    [RULE_IMPACT_CROSSES_ZONE] = {"crosses_zone", &cel_bool, "One of them is none of the agent's."},
};
const struct cel_class rule_impact = CLASS("pawl.Impact", "What it will touch, as predicted.", impact_fields);

static const struct cel_field memory_fields[] = {
    [RULE_MEMORY_OUTCOMES] = {"outcomes", &cel_int, "Outcomes of this tool on the target where it failed most."},
    [RULE_MEMORY_FAILED] = {"failed", &cel_int, "Of them, those that failed or did harm."},
    [RULE_MEMORY_SERVICE] = {"service", &cel_string, "That target; empty when nothing is remembered."},
};
const struct cel_class rule_memory = CLASS("pawl.Memory", "What came of the same before.", memory_fields);

static const struct cel_field change_fields[] = {
    [RULE_CHANGE_KIND] = {"kind", &cel_string, "create, update, delete, replace, ... (docs/diff.md)."},
    [RULE_CHANGE_RESOURCE] = {"resource", &cel_string, "The resource, statement, file or directive."},
    [RULE_CHANGE_PATH] = {"path", &cel_string, "The member that changes, or the file; empty for the whole."},
    [RULE_CHANGE_SURFACE] = {"surface", &cel_string, "The first of its surfaces; may be empty."},
    [RULE_CHANGE_SURFACES] = {"surfaces", &cel_list_string, "What it touches: auth, network, data, ... (docs/diff.md)."},
    [RULE_CHANGE_BEFORE] = {"before", &cel_dyn, "The value before; null when there is none."},
    [RULE_CHANGE_AFTER] = {"after", &cel_dyn, "The value after; null when there is none."},
    [RULE_CHANGE_DESTRUCTIVE] = {"destructive", &cel_bool, "Something is lost by it."},
    [RULE_CHANGE_REVERSIBLE] = {"reversible", &cel_bool, "The opposite change brings it back."},
    [RULE_CHANGE_FACTS] = {"facts", &cel_list_string, "What was recognised: iam_wildcard, public_ingress, ... (docs/diff.md)."},
};
const struct cel_class rule_change = CLASS("pawl.Change", "One row of a diff that is understood.", change_fields);

static const struct cel_type change_type = OBJECT(rule_change);
static const struct cel_type changes_type = LIST(change_type);

static const struct cel_field diff_fields[] = {
    [RULE_DIFF_CHANGES] = {"changes", &changes_type, "What changes; empty without a diff."},
    [RULE_DIFF_OVER] = {"over", &cel_bool, "There is more than is listed, or it could not be read: treat it as unknown."},
    [RULE_DIFF_DESTRUCTIVE] = {"destructive", &cel_int, "Changes that lose something."},
    [RULE_DIFF_SURFACES] = {"surfaces", &cel_list_string, "The surfaces of all changes."},
    [RULE_DIFF_FACTS] = {"facts", &cel_list_string, "What was recognised in all changes, those that are not listed included."},
    [RULE_DIFF_FORMAT] = {"format", &cel_string, "terraform, kubernetes, sql, git, config, ...; empty without a diff."},
    [RULE_DIFF_RAW] = {"raw", &cel_dyn, "The diff as it was sent; null without one."},
};
const struct cel_class rule_diff = CLASS("pawl.Diff", "The change, read as structure.", diff_fields);

static const struct cel_field request_fields[] = {
    [RULE_REQUEST_INTENT] = {"intent", &cel_string, "Why, in the agent's words."},
    [RULE_REQUEST_WANTS_PERSON] = {"wants_person", &cel_string, "Why it asks for a person itself; empty when it does not."},
    [RULE_REQUEST_CLAIMED_TOOL] = {"claimed_tool", &cel_string, "The tool that it says it calls."},
    [RULE_REQUEST_CLAIMED_SERVICE] = {"claimed_service", &cel_string, "The service that it says it touches."},
    [RULE_REQUEST_MODEL] = {"model", &cel_string, "The model that it says it is."},
    [RULE_REQUEST_PROMPT_VERSION] = {"prompt_version", &cel_string, "The prompt version that it says it has."},
    [RULE_REQUEST_CONTEXTS] = {"contexts", &cel_list_dyn, "What it was told: objects with an id and a trust."},
    [RULE_REQUEST_PROPERTIES] = {"properties", &cel_map_string_dyn, "Of an enforcer: subject, resource, action."},
    [RULE_REQUEST_PERSON] = {"person", &cel_string, "The operator who acts; empty for an agent."},
    [RULE_REQUEST_BEHALF] = {"behalf", &cel_string, "The person in whose name all of it is done; may be empty."},
};
const struct cel_class rule_request = CLASS("pawl.Request", "What the caller says. Not to be trusted: it can tighten a rule, and should not loosen one.", request_fields);

/* --- variables -------------------------------------------------------------------------------------------------- */

static const struct cel_type agent_type = OBJECT(rule_agent), action_type = OBJECT(rule_action),
                             service_type = OBJECT(rule_service), signals_type = OBJECT(rule_signals),
                             budget_type = OBJECT(rule_budget), impact_type = OBJECT(rule_impact),
                             memory_type = OBJECT(rule_memory), diff_type = OBJECT(rule_diff),
                             request_type = OBJECT(rule_request);
static const struct cel_type services_type = LIST(service_type), budgets_type = LIST(budget_type);

static const struct {
    const char *name;
    const struct cel_type *type;
    const char *doc;
} vars[RULE_VAR_COUNT] = {
    [RULE_VAR_AGENT] = {"agent", &agent_type, "Who acts."},
    [RULE_VAR_ACTION] = {"action", &action_type, "What is about to be done."},
    [RULE_VAR_TARGET] = {"target", &cel_string, "action.target."},
    [RULE_VAR_SERVICE] = {"service", &service_type, "The first service that it touches; its name is empty when there is none."},
    [RULE_VAR_SERVICES] = {"services", &services_type, "All that it touches."},
    [RULE_VAR_SIGNALS] = {"signals", &signals_type, "The state of things."},
    [RULE_VAR_BUDGET] = {"budget", &budget_type, "The worst error budget of the targets and of those that call them; what is not known comes first."},
    [RULE_VAR_BUDGETS] = {"budgets", &budgets_type, "All of these, the worst first."},
    [RULE_VAR_IMPACT] = {"impact", &impact_type, "The predicted blast radius."},
    [RULE_VAR_MEMORY] = {"memory", &memory_type, "What came of the same before."},
    [RULE_VAR_DIFF] = {"diff", &diff_type, "The change that it brings along."},
    [RULE_VAR_PLAN] = {"plan", &cel_map_string_dyn, "Its plan as it was sent; empty without one."},
    [RULE_VAR_REQUEST] = {"request", &request_type, "What the caller says, unchecked."},
    [RULE_VAR_NOW] = {"now", &cel_timestamp, "The moment of the decision, UTC."},
};

struct str rule_var_name(enum rule_var v)
{
    must((unsigned)v < RULE_VAR_COUNT);
    return str_from(vars[v].name);
}

const struct cel_type *rule_var_type(enum rule_var v)
{
    must((unsigned)v < RULE_VAR_COUNT);
    return vars[v].type;
}

struct cel_env *rule_env_new(void)
{
    struct cel_env *env = cel_env_new();
    struct err e;
    for (unsigned i = 0; env != NULL && i < RULE_VAR_COUNT; i++) {
        if (cel_declare(env, str_from(vars[i].name), vars[i].type, vars[i].doc, &e) != RC_OK) {
            cel_env_free(env);
            return NULL;
        }
    }
    return env;
}

/* --- words ------------------------------------------------------------------------------------------------------ */

static const char *const class_words[] = {"read", "write", "destructive", "shell", NULL};
static const char *const tier_words[] = {"read_only", "shadow", "supervised", "autonomous", NULL};
static const char *const identity_words[] = {"none", "asserted", "attested", NULL};
static const char *const breaker_words[] = {"closed", "open", "half_open", NULL};
static const char *const source_words[] = {"", "prometheus", "events", "given", NULL};

static const struct {
    const struct cel_class *class;
    unsigned field;
    const char *const *words;
} domains[] = {
    {&rule_action, RULE_ACTION_CLASS, class_words},      {&rule_agent, RULE_AGENT_TIER, tier_words},
    {&rule_agent, RULE_AGENT_IDENTITY, identity_words},  {&rule_agent, RULE_AGENT_BREAKER, breaker_words},
    {&rule_budget, RULE_BUDGET_SOURCE, source_words},
};

const char *const *rule_field_words(const struct cel_class *class, unsigned field)
{
    for (size_t i = 0; i < COUNT(domains); i++) {
        if (domains[i].class == class && domains[i].field == field) {
            return domains[i].words;
        }
    }
    return NULL;
}
