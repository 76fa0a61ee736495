#include "cli/show.h"

#include "base/instant.h"
#include "cli/output.h"
#include "client/untrusted.h"

enum { REACH_SHOWN = 8 };

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void heading(struct buf *out, const char *text)
{
    buf_printf(out, "\n%s%s%s\n", output_bold(), text, output_plain());
}

static void line(struct buf *out, const char *title, const struct value *v)
{
    if (v != NULL && v->type != VALUE_NULL) {
        buf_printf(out, "%-16s ", title);
        output_cell(out, v);
        buf_char(out, '\n');
    }
}

static void show_finding(struct buf *out, const struct value *f)
{
    struct str verdict = value_text(value_get(f, STR("verdict")));
    struct str mode = value_text(value_get(f, STR("mode")));
    const char *colour = output_colour_of(verdict);
    buf_printf(out, "  %-14.*s %s%-9.*s%s ", STR_ARG(value_text(value_get(f, STR("check")))), colour, STR_ARG(verdict),
               colour[0] == '\0' ? "" : output_plain());
    untrusted_cell(out, value_text(value_get(f, STR("text"))));
    if (!str_eq(mode, STR("enforce"))) {
        buf_printf(out, " (%.*s)", STR_ARG(mode));
    }
    buf_char(out, '\n');
}

static void show_budget(struct buf *out, const struct value *b)
{
    static const char *const members[] = {"role", "state", "remaining_pct", "source", "age_ms", "reason"};
    buf_str(out, STR("  error budget   "));
    output_cell(out, value_get(b, STR("service")));
    for (size_t i = 0; i < COUNT(members); i++) {
        const struct value *v = value_get(b, str_from(members[i]));
        if (v != NULL && v->type != VALUE_NULL) {
            buf_printf(out, " %s=", members[i]);
            output_cell(out, v);
        }
    }
    buf_char(out, '\n');
}

static void show_signals(struct buf *out, const struct value *signals)
{
    const struct value *budgets = value_get(signals, STR("error_budgets"));
    heading(out, "Signals as they were read");
    for (uint32_t i = 0; value_is(budgets, VALUE_ARRAY) && i < budgets->count; i++) {
        show_budget(out, &budgets->items[i]);
    }
    buf_str(out, STR("  AQDD depth     "));
    output_cell(out, value_path(signals, "aqdd", "depth", NULL));
    buf_str(out, STR("\n  HER trend      "));
    output_cell(out, value_path(signals, "her", "trend_pct", NULL));
    buf_str(out, STR(" % of "));
    output_cell(out, value_path(signals, "her", "sample", NULL));
    buf_str(out, STR(" decisions\n"));
}

/* Those that hold, the ones that only watch too. */
static void show_matches(struct buf *out, const struct value *rules)
{
    for (uint32_t i = 0; value_item(rules, i) != NULL; i++) {
        const struct value *rule = value_item(rules, i);
        if (i == 0) {
            heading(out, "Rules that hold");
        }
        buf_str(out, STR("  "));
        output_cell(out, value_get(rule, STR("rule")));
        buf_printf(out, " (%.*s, %.*s)%s", STR_ARG(value_text(value_get(rule, STR("verdict")))),
                   STR_ARG(value_text(value_get(rule, STR("mode")))),
                   value_bool_or(value_get(rule, STR("failed")), false) ? ": could not be judged" : "");
        if (value_is(value_get(rule, STR("message")), VALUE_STRING)) {
            buf_str(out, STR(": "));
            output_cell(out, value_get(rule, STR("message")));
        }
        buf_char(out, '\n');
    }
}

static void show_grounds(struct buf *out, const struct value *v)
{
    const struct value *findings = value_get(v, STR("findings"));
    const struct value *blast = value_get(v, STR("blast_radius"));
    heading(out, "What the gate found");
    for (uint32_t i = 0; value_is(findings, VALUE_ARRAY) && i < findings->count; i++) {
        show_finding(out, &findings->items[i]);
    }
    show_matches(out, value_get(v, STR("rules")));
    show_signals(out, value_get(v, STR("signals")));
    if (blast != NULL) {
        buf_str(out, STR("  blast radius   "));
        output_cell(out, value_get(blast, STR("services")));
        buf_str(out, STR(" services, "));
        output_cell(out, value_get(blast, STR("traffic_pct")));
        buf_str(out, STR(" % of the traffic\n"));
    }
}

void show_evaluation(struct buf *out, const struct value *answer)
{
    static const struct column heads[] = {{"agent", "agent"},           {"tool", "tool"},
                                          {"target", "target"},         {"verdict", "verdict"},
                                          {"blocked by", "blocked_by"}, {"reason", "reason"},
                                          {"recommendation", "recommendation"}};
    for (size_t i = 0; i < COUNT(heads); i++) {
        line(out, heads[i].title, output_at(answer, heads[i].path));
    }
    show_grounds(out, answer);
}

void show_decision(struct buf *out, const struct value *record)
{
    static const struct column heads[] = {
        {"action", "action_id"},       {"decision", "decision_id"},
        {"decided at", "decided_at"},  {"agent", "agent"},
        {"tool", "tool"},              {"target", "target"},
        {"verdict", "verdict"},        {"blocked by", "blocked_by"},
        {"reason", "reason"},          {"recommendation", "recommendation"},
        {"policy version", "policy_seq"}};
    for (size_t i = 0; i < COUNT(heads); i++) {
        line(out, heads[i].title, output_at(record, heads[i].path));
    }
    show_request(out, value_get(record, STR("request")));
    show_grounds(out, record);
}

/* --- an action, for who must answer ---------------------------------------------------------------------------- */

/* A row of a section, by a path into the action; what is not known is said to be. */
struct row {
    const char *title;
    const char *path;
};

static void rows(struct buf *out, const struct value *action, const struct row *all, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct value *v = output_at(action, all[i].path);
        if (v != NULL) {
            buf_printf(out, "  %-16s ", all[i].title);
            output_cell(out, v);
            buf_char(out, '\n');
        }
    }
}

static void show_asker(struct buf *out, const struct value *action)
{
    static const struct row all[] = {
        {"agent", "review/agent/name"},
        {"owner", "review/agent/owner"},
        {"team", "review/agent/team"},
        {"tier", "review/agent/tier"},
        {"model", "review/agent/model"},
        {"prompt version", "review/agent/prompt_version"},
        {"said by", "review/agent/said_by"},
        {"for the agents", "review/agent/act"},
        {"for the person", "review/agent/behalf"},
    };
    heading(out, "Who asks");
    rows(out, action, all, COUNT(all));
    static const char *const said[][2] = {{"model", "registered_model"}, {"prompt_version", "registered_prompt_version"}};
    const struct value *agent = output_at(action, "review/agent");
    for (size_t i = 0; i < COUNT(said); i++) {
        struct str now = value_text(value_get(agent, str_from(said[i][0])));
        struct str known = value_text(value_get(agent, str_from(said[i][1])));
        if (known.len > 0 && !str_eq(now, known)) {
            buf_str(out, STR("                   not the registered one: "));
            untrusted_cell(out, known);
            buf_char(out, '\n');
        }
    }
}

static void show_words(struct buf *out, const struct value *argv)
{
    for (uint32_t i = 0; value_is(argv, VALUE_ARRAY) && i < argv->count; i++) {
        buf_char(out, ' ');
        untrusted_quote(out, value_text(&argv->items[i]));
    }
}

static void show_invariants(struct buf *out, const struct value *action)
{
    const struct value *all = output_at(action, "review/invariants");
    for (uint32_t i = 0; value_item(all, i) != NULL; i++) {
        const struct value *one = value_item(all, i);
        buf_str(out, i == 0 ? STR("  must hold after  ") : STR("                   "));
        untrusted_cell(out, value_text(value_get(one, STR("name"))));
        buf_str(out, STR(", after "));
        buf_span(out, value_integer_or(value_get(one, STR("after_ms")), 0));
        buf_char(out, ':');
        if (value_get(one, STR("condition")) != NULL) {
            buf_char(out, ' ');
            untrusted_cell(out, value_text(value_get(one, STR("condition"))));
        }
        show_words(out, value_get(one, STR("argv")));
        buf_char(out, '\n');
    }
}

static void show_way_back(struct buf *out, const struct value *action)
{
    const struct value *argv = output_at(action, "review/revert");
    buf_str(out, STR("  taken back by   "));
    show_words(out, argv);
    if (!value_is(argv, VALUE_ARRAY)) {
        bool reversible = value_bool_or(output_at(action, "review/tool/reversible"), false);
        buf_str(out, reversible ? STR(" hand: it is declared reversible, and Pawl knows no command") : STR(" nothing: it can't be taken back"));
    }
    buf_char(out, '\n');
}

/* Who is hurt with the targets, the most first. */
static void show_reach(struct buf *out, const struct value *blast)
{
    const struct value *affected = value_get(blast, STR("affected"));
    for (uint32_t i = 0; value_item(affected, i) != NULL && i < REACH_SHOWN; i++) {
        const struct value *x = value_item(affected, i);
        buf_str(out, i == 0 ? STR("  reaches          ") : STR("                   "));
        output_cell(out, value_get(x, STR("service")));
        buf_str(out, STR(" by "));
        output_cell(out, value_get(x, STR("via")));
        buf_str(out, STR(", effect "));
        output_cell(out, value_get(x, STR("effect_pct")));
        buf_str(out, value_bool_or(value_get(x, STR("measured")), false) ? STR(" %\n") : STR(" % (assumed)\n"));
    }
}

static void show_memory(struct buf *out, const struct value *memory)
{
    if (!value_is(memory, VALUE_OBJECT)) {
        return;
    }
    buf_str(out, STR("  memory           seen "));
    output_cell(out, value_get(memory, STR("seen")));
    buf_str(out, STR(" times; this tool was tried "));
    output_cell(out, value_get(memory, STR("tried")));
    buf_str(out, STR(" times and resolved it "));
    output_cell(out, value_get(memory, STR("resolved")));
    buf_str(out, STR(" times ("));
    output_cell(out, value_get(memory, STR("shape")));
    buf_str(out, STR(")\n"));
}

static void show_effect(struct buf *out, const struct value *action)
{
    static const struct row all[] = {
        {"tool", "review/tool/name"},         {"class", "review/tool/class"},       {"description", "review/tool/description"},
        {"target", "review/target"},          {"services", "services"},             {"surfaces", "review/tool/surfaces"},
    };
    heading(out, "What it does, by the catalogue");
    rows(out, action, all, COUNT(all));
    const struct value *share = output_at(action, "review/blast_radius/traffic_pct");
    buf_str(out, STR("  blast radius     "));
    if (share != NULL && share->type != VALUE_NULL) {
        output_cell(out, share);
        buf_str(out, STR(" % of the traffic, "));
    } else {
        buf_str(out, STR("share of the traffic not declared, "));
    }
    output_cell(out, output_at(action, "review/blast_radius/services"));
    buf_str(out, STR(" services with those that call them\n"));
    show_reach(out, output_at(action, "review/blast_radius"));
    show_memory(out, output_at(action, "review/memory"));
    show_invariants(out, action);
    show_way_back(out, action);
}

/* "value 12 %, threshold 20 %": under the sentence, for the eye that compares. */
static void show_measure(struct buf *out, const struct value *f)
{
    bool share = value_get(f, STR("threshold_pct")) != NULL;
    const char *unit = share ? " %" : "";
    const struct value *threshold = value_get(f, share ? STR("threshold_pct") : STR("threshold"));
    const struct value *age = value_get(f, STR("age_ms"));
    struct str check = value_text(value_get(f, STR("check")));
    buf_str(out, STR("                   "));
    if (threshold != NULL && !str_eq(check, STR("tier")) && !str_eq(check, STR("quorum"))) { /* those say it in words */
        const struct value *value = value_get(f, share ? STR("value_pct") : STR("value"));
        bool known = value != NULL && value->type != VALUE_NULL;
        buf_str(out, STR("value "));
        known ? output_cell(out, value) : buf_str(out, STR("unknown"));
        buf_printf(out, "%s, threshold ", known ? unit : "");
        output_cell(out, threshold);
        buf_printf(out, "%s; ", unit);
    }
    buf_str(out, STR("source "));
    output_cell(out, value_get(f, STR("source")));
    buf_str(out, STR(", age "));
    if (value_is(age, VALUE_INT)) {
        buf_printf(out, "%.1f s when it was decided\n", (double)age->integer / 1000.0);
    } else {
        buf_str(out, STR("unknown\n"));
    }
}

static void show_blockers(struct buf *out, const struct value *action)
{
    const struct value *findings = output_at(action, "decision/findings");
    heading(out, "What blocks it");
    for (uint32_t i = 0; value_is(findings, VALUE_ARRAY) && i < findings->count; i++) {
        if (!str_eq(value_text(value_get(&findings->items[i], STR("verdict"))), STR("allow"))) {
            show_finding(out, &findings->items[i]);
            show_measure(out, &findings->items[i]);
        }
    }
    static const struct row all[] = {{"recommendation", "decision/recommendation"}};
    rows(out, action, all, COUNT(all));
}

static void put_group(struct buf *out, const struct value *v)
{
    struct str group = value_text(value_get(v, STR("group")));
    if (group.len == 0) {
        buf_str(out, STR("any approver"));
    } else {
        untrusted_cell(out, group);
    }
}

static void show_approvals(struct buf *out, const struct value *action)
{
    const struct value *given = value_get(action, STR("approvals"));
    const struct value *missing = output_at(action, "review/quorum/missing");
    heading(out, "Approvals");
    for (uint32_t i = 0; value_is(given, VALUE_ARRAY) && i < given->count; i++) {
        buf_str(out, STR("  given by         "));
        output_cell(out, value_get(&given->items[i], STR("person")));
        buf_str(out, STR(" at "));
        output_cell(out, value_get(&given->items[i], STR("at")));
        buf_char(out, '\n');
    }
    for (uint32_t i = 0; value_is(missing, VALUE_ARRAY) && i < missing->count; i++) {
        const struct value *rule = value_get(&missing->items[i], STR("rule"));
        buf_str(out, STR("  still missing    "));
        put_group(out, &missing->items[i]);
        if (value_is(rule, VALUE_STRING)) {
            buf_str(out, STR(", by rule "));
            output_cell(out, rule);
        }
        buf_char(out, '\n');
    }
    if (value_bool_or(output_at(action, "review/quorum/human_missing"), false)) {
        buf_str(out, STR("                   at least one of them a person, not an agent\n"));
    }
}

/* "freeze-team: 2 of sre, 1 of any approver, a person among them". */
static void show_rules(struct buf *out, const struct value *action)
{
    const struct value *rules = output_at(action, "review/quorum/rules");
    for (uint32_t i = 0; value_is(rules, VALUE_ARRAY) && i < rules->count; i++) {
        const struct value *parts = value_get(&rules->items[i], STR("approvals"));
        buf_str(out, STR("  quorum rule      "));
        output_cell(out, value_get(&rules->items[i], STR("name")));
        for (uint32_t k = 0; value_is(parts, VALUE_ARRAY) && k < parts->count; k++) {
            buf_str(out, k == 0 ? STR(": ") : STR(", "));
            output_cell(out, value_get(&parts->items[k], STR("count")));
            buf_str(out, STR(" of "));
            put_group(out, &parts->items[k]);
        }
        bool human = value_bool_or(value_get(&rules->items[i], STR("human")), false);
        buf_str(out, human ? STR(", a person among them\n") : STR("\n"));
    }
    if (value_is(rules, VALUE_ARRAY) && rules->count == 0) {
        buf_str(out, STR("  quorum rule      none: one approval\n"));
    }
}

static void show_binding(struct buf *out, const struct value *action)
{
    static const struct row all[] = {
        {"action digest", "review/binds/digest"},
        {"decision", "review/binds/decision_id"},
        {"policy", "review/binds/policy_hash"},
    };
    static const struct row ends[] = {
        {"waits until", "review/binds/waits_until"},
        {"approved until", "review/binds/approval_expires_at"},
    };
    heading(out, "What an approval binds to");
    rows(out, action, all, COUNT(all));
    if (!value_bool_or(output_at(action, "review/binds/policy_in_force"), true)) {
        buf_str(out, STR("                   it has changed since: this is decided again, not approved\n"));
    }
    show_rules(out, action);
    rows(out, action, ends, COUNT(ends));
    int64_t holds_s = value_integer_or(output_at(action, "review/binds/approval_holds_s"), 0);
    if (holds_s > 0 && output_at(action, "review/binds/approval_expires_at") == NULL) {
        buf_str(out, STR("  approval expires "));
        buf_span(out, holds_s * SECOND_MS);
        buf_str(out, STR(" after it is given\n"));
    }
}

void show_action(struct buf *out, const struct value *action)
{
    static const struct row heads[] = {
        {"action", "action_id"}, {"state", "state"}, {"verdict", "verdict"}, {"proposed at", "proposed_at"}};
    rows(out, action, heads, COUNT(heads));
    show_asker(out, action);
    show_effect(out, action);
    show_request(out, output_at(action, "decision/request"));
    show_blockers(out, action);
    show_approvals(out, action);
    show_binding(out, action);
}
