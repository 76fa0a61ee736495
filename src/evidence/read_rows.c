/*
 * evidence/read_rows - calls and log templates, a row each.
 */
#include "evidence/csv.h"
#include "evidence/read.h"

#include <math.h>
#include <stdio.h>

const struct role_rules read_usual_roles = {
    .rules = {{"pre", ROLE_BEFORE}, {"before", ROLE_BEFORE}, {"normal", ROLE_NORMAL}, {"history", ROLE_NORMAL},
              {"baseline", ROLE_NORMAL}},
    .count = 5,
    .otherwise = ROLE_INCIDENT,
};

static enum role role_of(const struct role_rules *rules, struct str name)
{
    for (uint32_t i = 0; i < rules->count; i++) {
        if (str_eq(name, str_from(rules->rules[i].name))) {
            return rules->rules[i].role;
        }
    }
    return rules->otherwise;
}

/* The window of that name; MAP_NONE when it is to be left out. */
static enum rc window_of(struct evidence *ev, struct folder_windows *f, struct str name, uint32_t *ret, struct err *e)
{
    for (uint32_t i = 0; i < f->count; i++) {
        if (str_eq(f->names[i], name)) {
            *ret = f->windows[i];
            return RC_OK;
        }
    }
    if (f->count == FOLDER_WINDOWS_MAX) {
        return err_set(e, RC_LIMIT, "more than %d windows", FOLDER_WINDOWS_MAX);
    }
    enum role role = role_of(f->rules, name);
    *ret = role == ROLE_COUNT ? MAP_NONE : evidence_window(ev, name, role);
    f->names[f->count] = arena_str(ev->arena, name);
    f->windows[f->count++] = *ret;
    return RC_OK;
}

/* --- calls -------------------------------------------------------------------------------------- */

enum { WINDOW = 0, CALLER, CALLEE, OPERATION, CALL_TEXTS };
enum { COUNT = 0, LATENCY, SELF, NET, CHILDREN, ERRORS, CALL_NUMBERS };

struct call_columns {
    uint32_t texts[CALL_TEXTS];
    uint32_t numbers[CALL_NUMBERS];
};

static enum rc find_call_columns(const struct csv *c, struct call_columns *ret, struct err *e)
{
    static const char *const texts[CALL_TEXTS] = {"window", "caller", "callee", "op"};
    static const char *const numbers[CALL_NUMBERS] = {"n", "lat_ms", "self_ms", "net_ms", "children", "errors"};
    enum rc rc = RC_OK;
    for (int i = 0; rc == RC_OK && i < CALL_TEXTS; i++) {
        if (i == OPERATION) {
            ret->texts[i] = csv_column(c, texts[i]);
        } else {
            rc = csv_need(c, texts[i], &ret->texts[i], e);
        }
    }
    for (int i = 0; rc == RC_OK && i < CALL_NUMBERS; i++) {
        ret->numbers[i] = csv_column(c, numbers[i]);
    }
    return rc == RC_OK ? csv_need(c, "n", &ret->numbers[COUNT], e) : rc;
}

static enum rc call_numbers(const struct csv *c, const struct call_columns *at, struct call *call, struct err *e)
{
    double *places[CALL_NUMBERS] = {&call->count, &call->latency_ms, &call->self_ms, &call->net_ms, &call->children, &call->errors};
    for (int i = 0; i < CALL_NUMBERS; i++) {
        enum rc rc = csv_number(c, at->numbers[i], places[i], e);
        if (rc != RC_OK) {
            return rc;
        }
        if (*places[i] < 0 && i != NET) {
            return csv_wrong(c, at->numbers[i], "a number that is not negative", e);
        }
    }
    return isnan(call->count) ? csv_wrong(c, at->numbers[COUNT], "a number", e) : RC_OK;
}

static enum rc call_row(struct evidence *ev, const struct csv *c, const struct call_columns *at, struct folder_windows *f,
                        struct err *e)
{
    struct call call = {0};
    enum rc rc = call_numbers(c, at, &call, e);
    if (rc == RC_OK) {
        rc = window_of(ev, f, c->cells[at->texts[WINDOW]], &call.window, e);
    }
    for (int i = CALLER; rc == RC_OK && i <= CALLEE; i++) {
        if (c->cells[at->texts[i]].len == 0) {
            rc = csv_wrong(c, at->texts[i], "a node's name", e);
        }
    }
    if (rc != RC_OK || call.window == MAP_NONE || call.count <= 0) {
        return rc;
    }
    call.caller = evidence_node(ev, c->cells[at->texts[CALLER]]);
    call.callee = evidence_node(ev, c->cells[at->texts[CALLEE]]);
    call.operation = at->texts[OPERATION] < c->columns ? evidence_word(ev, c->cells[at->texts[OPERATION]]) : MAP_NONE;
    evidence_call(ev, &call);
    return ev->err.rc == RC_OK ? RC_OK : err_set(e, ev->err.rc, "%s", ev->err.text);
}

enum rc read_calls(struct evidence *ev, const char *file, struct str text, struct folder_windows *windows, struct err *e)
{
    struct csv c;
    struct call_columns at;
    bool row = true;
    enum rc rc = csv_open(ev->arena, file, text, &c, e);
    if (rc == RC_OK) {
        rc = find_call_columns(&c, &at, e);
    }
    while (rc == RC_OK) {
        rc = csv_next(&c, &row, e);
        if (rc != RC_OK || !row) {
            break;
        }
        rc = call_row(ev, &c, &at, windows, e);
    }
    return rc;
}

/* --- logs --------------------------------------------------------------------------------------- */

enum { LOG_WINDOW = 0, LOG_NODE, LOG_LEVEL, LOG_TEMPLATE, LOG_COUNT, LOG_COLUMNS };

static enum rc log_row(struct evidence *ev, const struct csv *c, const uint32_t *at, struct folder_windows *f, struct err *e)
{
    struct log_count l = {0};
    enum rc rc = csv_number(c, at[LOG_COUNT], &l.count, e);
    if (rc == RC_OK && (isnan(l.count) || l.count < 0)) {
        rc = csv_wrong(c, at[LOG_COUNT], "a number that is not negative", e);
    }
    if (rc == RC_OK) {
        rc = window_of(ev, f, c->cells[at[LOG_WINDOW]], &l.window, e);
    }
    if (rc != RC_OK || l.window == MAP_NONE) {
        return rc;
    }
    struct str level = at[LOG_LEVEL] < c->columns ? c->cells[at[LOG_LEVEL]] : STR("");
    struct str word = arena_printf(ev->arena, "%.*s%s%.*s", STR_ARG(level), level.len > 0 ? " " : "",
                                   STR_ARG(c->cells[at[LOG_TEMPLATE]]));
    l.node = evidence_node(ev, c->cells[at[LOG_NODE]]);
    l.template_id = evidence_word(ev, word.len > EVIDENCE_NAME_MAX ? str_slice(word, 0, EVIDENCE_NAME_MAX) : word);
    evidence_log(ev, &l);
    return ev->err.rc == RC_OK ? RC_OK : err_set(e, ev->err.rc, "%s", ev->err.text);
}

enum rc read_logs(struct evidence *ev, const char *file, struct str text, struct folder_windows *windows, struct err *e)
{
    static const char *const names[LOG_COLUMNS] = {"window", "node", "level", "template", "n"};
    struct csv c;
    uint32_t at[LOG_COLUMNS];
    bool row = true;
    enum rc rc = csv_open(ev->arena, file, text, &c, e);
    for (int i = 0; rc == RC_OK && i < LOG_COLUMNS; i++) {
        if (i == LOG_LEVEL) {
            at[i] = csv_column(&c, names[i]);
        } else {
            rc = csv_need(&c, names[i], &at[i], e);
        }
    }
    while (rc == RC_OK) {
        rc = csv_next(&c, &row, e);
        if (rc != RC_OK || !row) {
            break;
        }
        rc = log_row(ev, &c, at, windows, e);
    }
    return rc;
}
