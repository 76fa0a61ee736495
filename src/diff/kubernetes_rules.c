#include "diff/kubernetes_rules.h"

#include "diff/access.h"
#include "diff/compare.h"
#include "diff/members.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* --- values as kubectl reads them ------------------------------------------------------------------- */

static bool is_word(struct str s, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (str_eq(s, str_from(words[i]))) {
            return true;
        }
    }
    return false;
}

static bool is_true(const struct value *v)
{
    static const char *const words[] = {"y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "true", "True", "TRUE"};
    return value_bool_or(v, false) || is_word(value_text(v), words, COUNT(words));
}

static bool is_zero(const struct value *v)
{
    double number = 1;
    struct str s = value_text(v);
    bool zero = s.len > 0 && memchr(s.ptr, '0', s.len) != NULL;
    for (size_t i = 0; i < s.len; i++) {
        zero = zero && strchr("0xXoObB+-_.eE", s.ptr[i]) != NULL;
    }
    return value_number(v, &number) ? !(number < 0 || number > 0) : zero;
}

static bool is_there(const struct value *v)
{
    static const char *const words[] = {"~", "Null", "NULL"};
    bool empty = v != NULL && (v->type == VALUE_OBJECT || v->type == VALUE_ARRAY) && v->count == 0;
    return v != NULL && v->type != VALUE_NULL && !empty && !is_word(value_text(v), words, COUNT(words));
}

static bool has_text(const struct value *list, const char *word)
{
    for (uint32_t i = 0; value_item(list, i) != NULL; i++) {
        if (str_eq(value_text(value_item(list, i)), str_from(word))) {
            return true;
        }
    }
    return false;
}

static bool has_any(const struct value *list, const char *const *words, size_t count)
{
    for (uint32_t i = 0; value_item(list, i) != NULL; i++) {
        if (is_word(value_text(value_item(list, i)), words, count)) {
            return true;
        }
    }
    return false;
}

/* --- kinds ------------------------------------------------------------------------------------------ */

static const struct {
    const char *kind; /* a glob */
    unsigned surface;
} kind_surfaces[] = {
    {"*Role", SURFACE_AUTH}, {"*RoleBinding", SURFACE_AUTH}, {"ServiceAccount", SURFACE_AUTH}, {"*WebhookConfiguration", SURFACE_AUTH},
    {"*AdmissionPolicy*", SURFACE_AUTH}, {"AuthorizationPolicy", SURFACE_AUTH}, {"RequestAuthentication", SURFACE_AUTH},
    {"PeerAuthentication", SURFACE_AUTH | SURFACE_ENCRYPTION}, {"PodSecurityPolicy", SURFACE_AUTH},
    {"CertificateSigningRequest", SURFACE_AUTH}, {"*NetworkPolicy", SURFACE_NETWORK}, {"Service", SURFACE_NETWORK},
    {"Ingress*", SURFACE_NETWORK}, {"*Gateway", SURFACE_NETWORK}, {"*Route", SURFACE_NETWORK}, {"VirtualService", SURFACE_NETWORK},
    {"Endpoint*", SURFACE_NETWORK}, {"PersistentVolume*", SURFACE_DATA}, {"StorageClass", SURFACE_DATA},
    {"VolumeSnapshot*", SURFACE_DATA}, {"StatefulSet", SURFACE_DATA | SURFACE_EXECUTION}, {"Namespace", SURFACE_DATA},
    {"CustomResourceDefinition", SURFACE_DATA | SURFACE_SCHEMA}, {"*Secret", SURFACE_SECRETS}, {"SecretStore", SURFACE_SECRETS},
    {"Certificate", SURFACE_ENCRYPTION}, {"*Issuer", SURFACE_ENCRYPTION}, {"Pod", SURFACE_EXECUTION}, {"Deployment", SURFACE_EXECUTION},
    {"DaemonSet", SURFACE_EXECUTION}, {"ReplicaSet", SURFACE_EXECUTION}, {"ReplicationController", SURFACE_EXECUTION},
    {"*Job", SURFACE_EXECUTION}, {"Rollout", SURFACE_EXECUTION}, {"PodDisruptionBudget", SURFACE_AVAILABILITY},
    {"*PodAutoscaler", SURFACE_AVAILABILITY}, {"ResourceQuota", SURFACE_AVAILABILITY}, {"LimitRange", SURFACE_AVAILABILITY},
    {"PriorityClass", SURFACE_AVAILABILITY}, {"ConfigMap", SURFACE_CONFIG},
};

uint32_t kubernetes_surfaces(struct str kind)
{
    uint32_t found = 0;
    for (size_t i = 0; i < COUNT(kind_surfaces); i++) {
        found |= str_glob(str_from(kind_surfaces[i].kind), kind) ? kind_surfaces[i].surface : 0;
    }
    return found;
}

static const struct {
    const char *kind; /* a glob */
    enum diff_fact fact;
} deletes[] = {
    {"PersistentVolume*", FACT_STATEFUL_DELETE}, {"StatefulSet", FACT_STATEFUL_DELETE}, {"Namespace", FACT_STATEFUL_DELETE},
    {"CustomResourceDefinition", FACT_STATEFUL_DELETE}, {"VolumeSnapshot*", FACT_STATEFUL_DELETE},
    {"*NetworkPolicy", FACT_NETWORK_POLICY_REMOVED}, {"PodDisruptionBudget", FACT_DISRUPTION_BUDGET_REMOVED},
    {"ResourceQuota", FACT_LIMITS_REMOVED}, {"LimitRange", FACT_LIMITS_REMOVED}, {"*AdmissionPolicy*", FACT_DENY_REMOVED},
    {"*WebhookConfiguration", FACT_DENY_REMOVED}, {"AuthorizationPolicy", FACT_DENY_REMOVED}, {"PodSecurityPolicy", FACT_DENY_REMOVED},
    {"RequestAuthentication", FACT_AUTH_DISABLED}, {"PeerAuthentication", FACT_TLS_OFF},
};

/* --- RBAC ------------------------------------------------------------------------------------------- */

static diff_facts facts_of_rule(const struct value *rule)
{
    static const char *const dangerous[] = {"escalate", "bind", "impersonate"};
    static const char *const readers[] = {"get", "list", "watch", "*"};
    static const char *const writers[] = {"create", "update", "patch", "*"};
    static const char *const reads[] = {"secrets", "secrets/*"};
    static const char *const writes[] = {"pods", "pods/exec", "pods/attach", "pods/ephemeralcontainers", "serviceaccounts/token",
                                         "nodes/proxy", "roles", "rolebindings", "clusterroles", "clusterrolebindings",
                                         "mutatingwebhookconfigurations", "certificatesigningrequests/approval"};
    const struct value *verbs = value_get(rule, STR("verbs"));
    const struct value *resources = value_get(rule, STR("resources"));
    bool wild = has_text(verbs, "*") || has_text(resources, "*") || has_text(resources, "*/*") ||
                has_text(value_get(rule, STR("nonResourceURLs")), "*");
    bool escalates = has_any(verbs, dangerous, COUNT(dangerous)) ||
                     (has_any(verbs, readers, COUNT(readers)) && has_any(resources, reads, COUNT(reads))) ||
                     (has_any(verbs, writers, COUNT(writers)) && has_any(resources, writes, COUNT(writes)));
    return (wild ? FACT_BIT(FACT_RBAC_WILDCARD) : 0) | (escalates ? FACT_BIT(FACT_RBAC_ESCALATION) : 0);
}

static diff_facts facts_of_role(const struct value *after)
{
    const struct value *rules = value_get(after, STR("rules"));
    diff_facts facts = 0;
    for (uint32_t i = 0; value_item(rules, i) != NULL; i++) {
        facts |= facts_of_rule(value_item(rules, i));
    }
    return facts;
}

static diff_facts facts_of_binding(const struct value *after)
{
    static const char *const everybody[] = {"system:anonymous", "system:unauthenticated", "system:authenticated",
                                            "system:serviceaccounts"};
    const struct value *subjects = value_get(after, STR("subjects"));
    struct str role = value_text(value_path(after, "roleRef", "name", NULL));
    diff_facts facts = str_eq(role, STR("cluster-admin")) ? FACT_BIT(FACT_CLUSTER_ADMIN) : 0;
    for (uint32_t i = 0; value_item(subjects, i) != NULL; i++) {
        struct str name = value_text(value_get(value_item(subjects, i), STR("name")));
        facts |= is_word(name, everybody, COUNT(everybody)) ? FACT_BIT(FACT_ANONYMOUS_SUBJECT) : 0;
        facts |= str_eq(name, STR("system:masters")) ? FACT_BIT(FACT_CLUSTER_ADMIN) : 0;
    }
    return facts;
}

/* --- the network ------------------------------------------------------------------------------------ */

/* A rule without peers, or with every address, is open to all. */
static bool is_open_rule(const struct value *rule, struct str direction)
{
    const struct value *peers = value_get(rule, direction);
    bool open = !is_there(peers);
    for (uint32_t i = 0; value_item(peers, i) != NULL; i++) {
        const struct value *peer = value_item(peers, i);
        const struct value *spaces = value_get(peer, STR("namespaceSelector"));
        bool all = value_is(spaces, VALUE_OBJECT) && spaces->count == 0 && !is_there(value_get(peer, STR("podSelector")));
        struct str cidr = value_text(value_path(peer, "ipBlock", "cidr", NULL));
        open = open || all || access_is_everywhere(cidr);
    }
    return open;
}

static bool is_open(const struct value *object)
{
    const struct value *spec = value_get(object, STR("spec"));
    const struct value *in = value_get(spec, STR("ingress"));
    const struct value *out = value_get(spec, STR("egress"));
    bool open = false;
    for (uint32_t i = 0; value_item(in, i) != NULL; i++) {
        open = open || is_open_rule(value_item(in, i), STR("from"));
    }
    for (uint32_t i = 0; value_item(out, i) != NULL; i++) {
        open = open || is_open_rule(value_item(out, i), STR("to"));
    }
    return open;
}

static void collect_texts(struct arena *a, const struct value *list, struct str name, struct value *out)
{
    for (uint32_t i = 0; value_item(list, i) != NULL; i++) {
        const struct value *item = value_item(list, i);
        value_push(a, out, value_string(value_text(name.len == 0 ? item : value_get(item, name))));
    }
}

/* The names under which it is reached: of an Ingress, a Gateway, a route, a VirtualService. "" is any. */
static void collect_hosts(struct arena *a, struct str kind, const struct value *object, struct value *out)
{
    const struct value *spec = value_get(object, STR("spec"));
    const struct value *servers = value_get(spec, STR("servers"));
    if (str_starts(kind, STR("Ingress"))) {
        collect_texts(a, value_get(spec, STR("rules")), STR("host"), out);
    }
    collect_texts(a, value_get(spec, STR("listeners")), STR("hostname"), out);
    for (uint32_t i = 0; value_item(servers, i) != NULL; i++) {
        collect_texts(a, value_get(value_item(servers, i), STR("hosts")), STR(""), out);
    }
    collect_texts(a, value_get(spec, STR("hosts")), STR(""), out);
    collect_texts(a, value_get(spec, STR("hostnames")), STR(""), out);
    if (is_there(value_get(spec, STR("defaultBackend")))) {
        value_push(a, out, value_string(STR("")));
    }
}

static bool has_hosts(struct str kind)
{
    return str_starts(kind, STR("Ingress")) || str_ends(kind, STR("Gateway")) || str_ends(kind, STR("Route")) ||
           str_eq(kind, STR("VirtualService"));
}

static diff_facts facts_of_hosts(struct arena *a, struct str kind, const struct value *before, const struct value *after)
{
    struct value old = value_array();
    struct value names = value_array();
    struct value set = value_object();
    collect_hosts(a, kind, before, &old);
    collect_hosts(a, kind, after, &names);
    for (uint32_t i = 0; i < old.count; i++) {
        value_add_bool(a, &set, old.items[i].string, true);
    }
    struct members known = members_of(a, &set);
    bool tls_off = is_there(value_path(before, "spec", "tls", NULL)) && !is_there(value_path(after, "spec", "tls", NULL));
    diff_facts facts = tls_off ? FACT_BIT(FACT_TLS_OFF) : 0;
    for (uint32_t i = 0; i < names.count; i++) {
        facts |= members_get(&known, names.items[i].string) == NULL ? FACT_BIT(FACT_INGRESS_HOST) : 0;
    }
    return facts;
}

static bool is_exposed(const struct value *service)
{
    const struct value *spec = value_get(service, STR("spec"));
    struct str type = value_text(value_get(spec, STR("type")));
    return str_eq(type, STR("LoadBalancer")) || str_eq(type, STR("NodePort")) || is_there(value_get(spec, STR("externalIPs")));
}

static diff_facts facts_of_service(struct arena *a, const struct value *before, const struct value *after)
{
    const struct value *old = value_path(before, "spec", "loadBalancerSourceRanges", NULL);
    const struct value *ranges = value_path(after, "spec", "loadBalancerSourceRanges", NULL);
    bool open = is_exposed(after) && is_there(old) && !is_there(ranges);
    for (uint32_t i = 0; value_item(ranges, i) != NULL && !diff_same(a, old, ranges); i++) {
        open = open || access_is_everywhere(value_text(value_item(ranges, i)));
    }
    return (is_exposed(after) && !is_exposed(before) ? FACT_BIT(FACT_LOAD_BALANCER) : 0) |
           (open ? FACT_BIT(FACT_PUBLIC_INGRESS) : 0);
}

/* --- pods ------------------------------------------------------------------------------------------- */

static const struct value *pod_spec(const struct value *object)
{
    const struct value *spec = value_get(object, STR("spec"));
    const struct value *job = value_path(spec, "jobTemplate", "spec", "template", "spec", NULL);
    const struct value *template = value_path(spec, "template", "spec", NULL);
    return job != NULL ? job : template != NULL ? template : spec;
}

/* What is said of a whole pod or of one container. */
static diff_facts facts_of_security(const struct value *context)
{
    const struct value *added = value_path(context, "capabilities", "add", NULL);
    return (is_true(value_get(context, STR("privileged"))) ? FACT_BIT(FACT_PRIVILEGED_CONTAINER) : 0) |
           (is_true(value_get(context, STR("allowPrivilegeEscalation"))) ? FACT_BIT(FACT_PRIVILEGE_ESCALATION) : 0) |
           (is_there(added) ? FACT_BIT(FACT_CAPABILITIES_ADDED) : 0) |
           (is_zero(value_get(context, STR("runAsUser"))) ? FACT_BIT(FACT_RUN_AS_ROOT) : 0);
}

static bool had_and_lost(const struct value *before, const struct value *after, struct str name)
{
    return is_true(value_get(before, name)) && !is_true(value_get(after, name));
}

static bool lost_limits(struct arena *a, const struct value *before, const struct value *after)
{
    const struct value *old = value_path(before, "resources", "limits", NULL);
    struct members limits = members_of(a, value_path(after, "resources", "limits", NULL));
    for (uint32_t i = 0; value_is(old, VALUE_OBJECT) && i < old->count; i++) {
        if (is_there(&old->members[i].value) && !is_there(members_get(&limits, old->members[i].name))) {
            return true;
        }
    }
    return false;
}

static diff_facts facts_of_image(const struct value *before, const struct value *after)
{
    struct str old = value_text(value_get(before, STR("image")));
    struct str image = value_text(value_get(after, STR("image")));
    if (image.len == 0 || str_eq(old, image)) {
        return 0;
    }
    bool digest = memmem(image.ptr, image.len, "@sha256:", 8) != NULL || memmem(image.ptr, image.len, "@sha512:", 8) != NULL;
    return (old.len > 0 ? FACT_BIT(FACT_IMAGE_CHANGED) : 0) | (digest ? 0 : FACT_BIT(FACT_IMAGE_MUTABLE));
}

static diff_facts facts_of_container(struct arena *a, const struct value *before, const struct value *after)
{
    static const char *const probes[] = {"livenessProbe", "readinessProbe", "startupProbe"};
    const struct value *old = value_get(before, STR("securityContext"));
    const struct value *context = value_get(after, STR("securityContext"));
    diff_facts facts = facts_of_image(before, after) | (facts_of_security(context) & ~facts_of_security(old));
    const struct value *added = value_path(context, "capabilities", "add", NULL);
    if (is_there(added) && !diff_same(a, value_path(old, "capabilities", "add", NULL), added)) {
        facts |= FACT_BIT(FACT_CAPABILITIES_ADDED);
    }
    facts |= had_and_lost(old, context, STR("runAsNonRoot")) ? FACT_BIT(FACT_RUN_AS_ROOT) : 0;
    facts |= lost_limits(a, before, after) ? FACT_BIT(FACT_LIMITS_REMOVED) : 0;
    for (size_t i = 0; i < COUNT(probes); i++) {
        struct str name = str_from(probes[i]);
        facts |= is_there(value_get(before, name)) && !is_there(value_get(after, name)) ? FACT_BIT(FACT_PROBE_REMOVED) : 0;
    }
    return facts;
}

/* Containers are the same by their names. One that is gone takes its limits and probes with it. */
static diff_facts facts_of_containers(struct arena *a, const struct value *before, const struct value *after)
{
    struct members old = {0};
    bool named = members_of_list(a, before, STR("name"), &old);
    diff_facts facts = 0;
    for (uint32_t i = 0; value_item(after, i) != NULL; i++) {
        const struct value *container = value_item(after, i);
        struct str name = value_text(value_get(container, STR("name")));
        facts |= facts_of_container(a, named ? members_get(&old, name) : value_item(before, i), container);
    }
    return facts;
}

static diff_facts facts_of_volumes(struct arena *a, const struct value *before, const struct value *after)
{
    struct members old = {0};
    bool named = members_of_list(a, before, STR("name"), &old);
    for (uint32_t i = 0; value_item(after, i) != NULL; i++) {
        const struct value *volume = value_item(after, i);
        const struct value *path = value_get(volume, STR("hostPath"));
        const struct value *was = named ? members_get(&old, value_text(value_get(volume, STR("name")))) : NULL;
        if (is_there(path) && !diff_same(a, value_get(was, STR("hostPath")), path)) {
            return FACT_BIT(FACT_HOST_PATH);
        }
    }
    return 0;
}

static diff_facts facts_of_host(const struct value *spec)
{
    return (is_true(value_get(spec, STR("hostNetwork"))) ? FACT_BIT(FACT_HOST_NETWORK) : 0) |
           (is_true(value_get(spec, STR("hostPID"))) || is_true(value_get(spec, STR("hostIPC"))) ? FACT_BIT(FACT_HOST_PROCESS) : 0);
}

static diff_facts facts_of_pod(struct arena *a, const struct value *before, const struct value *after)
{
    static const char *const lists[] = {"containers", "initContainers", "ephemeralContainers"};
    const struct value *old = pod_spec(before);
    const struct value *spec = pod_spec(after);
    const struct value *old_context = value_get(old, STR("securityContext"));
    const struct value *context = value_get(spec, STR("securityContext"));
    diff_facts facts = facts_of_host(spec) & ~facts_of_host(old);
    facts |= facts_of_security(context) & ~facts_of_security(old_context);
    facts |= had_and_lost(old_context, context, STR("runAsNonRoot")) ? FACT_BIT(FACT_RUN_AS_ROOT) : 0;
    for (size_t i = 0; i < COUNT(lists); i++) {
        struct str list = str_from(lists[i]);
        facts |= facts_of_containers(a, value_get(old, list), value_get(spec, list));
    }
    return facts | facts_of_volumes(a, value_get(old, STR("volumes")), value_get(spec, STR("volumes")));
}

/* --- an object -------------------------------------------------------------------------------------- */

static diff_facts facts_of_replicas(const struct value *before, const struct value *after)
{
    const struct value *old = value_path(before, "spec", "replicas", NULL);
    bool zero = is_zero(value_path(after, "spec", "replicas", NULL)) && !(before != NULL && is_zero(old));
    return zero ? FACT_BIT(FACT_REPLICAS_ZERO) : 0;
}

/* Admission that lets pass what it can't ask about; a namespace that lets pods do anything; volumes that go with their claim. */
static diff_facts facts_of_guards(struct str kind, const struct value *before, const struct value *after)
{
    static const struct str enforce = {"pod-security.kubernetes.io/enforce", 34};
    struct str old = value_text(value_get(value_path(before, "metadata", "labels", NULL), enforce));
    struct str level = value_text(value_get(value_path(after, "metadata", "labels", NULL), enforce));
    struct str policy = value_text(value_path(after, "spec", "persistentVolumeReclaimPolicy", NULL));
    struct str old_policy = value_text(value_path(before, "spec", "persistentVolumeReclaimPolicy", NULL));
    diff_facts facts = 0;
    if (str_eq(kind, STR("Namespace")) && old.len > 0 && !str_eq(old, STR("privileged")) &&
        (level.len == 0 || str_eq(level, STR("privileged")))) {
        facts |= FACT_BIT(FACT_DENY_REMOVED);
    }
    if (str_eq(old_policy, STR("Retain")) && !str_eq(policy, STR("Retain"))) {
        facts |= FACT_BIT(FACT_FORCE_DESTROY);
    }
    const struct value *webhooks = value_get(after, STR("webhooks"));
    for (uint32_t i = 0; value_item(webhooks, i) != NULL; i++) {
        struct str failure = value_text(value_get(value_item(webhooks, i), STR("failurePolicy")));
        facts |= before != NULL && str_eq(failure, STR("Ignore")) ? FACT_BIT(FACT_DENY_REMOVED) : 0;
    }
    return facts;
}

static diff_facts facts_of_delete(struct str kind)
{
    diff_facts facts = 0;
    for (size_t i = 0; i < COUNT(deletes); i++) {
        facts |= str_glob(str_from(deletes[i].kind), kind) ? FACT_BIT(deletes[i].fact) : 0;
    }
    return facts;
}

diff_facts kubernetes_facts(struct arena *a, struct str kind, const struct value *before, const struct value *after)
{
    diff_facts facts = str_eq(kind, STR("Secret")) ? FACT_BIT(FACT_SECRET_CHANGED) : 0;
    if (after == NULL) {
        return facts | facts_of_delete(kind);
    }
    facts |= facts_of_pod(a, before, after) | facts_of_replicas(before, after) | facts_of_guards(kind, before, after);
    facts |= has_hosts(kind) ? facts_of_hosts(a, kind, before, after) : 0;
    if (str_glob(STR("*Role"), kind) && !diff_same(a, value_get(before, STR("rules")), value_get(after, STR("rules")))) {
        facts |= facts_of_role(after);
    }
    if (str_glob(STR("*RoleBinding"), kind)) {
        facts |= facts_of_binding(after);
    }
    if (str_glob(STR("*NetworkPolicy"), kind) && !diff_same(a, value_get(before, STR("spec")), value_get(after, STR("spec")))) {
        facts |= is_open(after) ? FACT_BIT(FACT_NETWORK_POLICY_OPEN) : 0;
    }
    return facts | (str_eq(kind, STR("Service")) ? facts_of_service(a, before, after) : 0);
}
