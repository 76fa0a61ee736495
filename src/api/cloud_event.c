/*
 * api/cloud_event - an event in a CloudEvents envelope becomes the event that it holds.
 *
 * The type is ours with "pawl." before it, or one of CDEvents that says the same. What its data does not say, the envelope
 * does: the subject is the service, the id the id, the time the time.
 * Source: CloudEvents 1.0 structured mode, CDEvents 0.4 continuous deployment.
 */
#include "api/call.h"

static const struct {
    const char *prefix;
    const char *type;
} types[] = {
    {"dev.cdevents.service.deployed.", "config.changed"},
    {"dev.cdevents.service.upgraded.", "config.changed"},
    {"dev.cdevents.service.rolledback.", "config.changed"},
    {"dev.cdevents.environment.modified.", "config.changed"},
};

static struct str type_of(struct str said)
{
    if (str_starts(said, STR("pawl."))) {
        return str_slice(said, 5, said.len);
    }
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (str_starts(said, str_from(types[i].prefix))) {
            return str_from(types[i].type);
        }
    }
    return STR("");
}

static void add_unless_said(struct arena *a, struct value *event, struct str name, struct str text)
{
    if (value_get(event, name) == NULL && text.len > 0) {
        value_add_str(a, event, name, text);
    }
}

enum rc cloud_event_open(struct call *c, struct err *e)
{
    struct arena *a = c->arena;
    const struct value *data = value_get(&c->body, STR("data"));
    struct str said = value_text(value_get(&c->body, STR("type")));
    struct str type = type_of(said);
    if (!str_eq(value_text(value_get(&c->body, STR("specversion"))), STR("1.0"))) {
        return err_at(e, RC_INVALID, STR("/specversion"), "expected \"1.0\"");
    }
    if (type.len == 0) {
        return err_at(e, RC_INVALID, STR("/type"), "expected pawl. and a type of event, or one of CDEvents that changes a service");
    }
    if (data != NULL && data->type != VALUE_OBJECT) {
        return err_at(e, RC_INVALID, STR("/data"), "expected an object");
    }
    struct value event = data == NULL || !str_starts(said, STR("pawl.")) ? value_object() : value_copy(a, data);
    if (value_get(&event, STR("type")) != NULL) {
        return err_at(e, RC_INVALID, STR("/data/type"), "the envelope says the type");
    }
    value_add_str(a, &event, STR("type"), type);
    add_unless_said(a, &event, STR("service"), value_text(value_get(&c->body, STR("subject"))));
    add_unless_said(a, &event, STR("id"), value_text(value_get(&c->body, STR("id"))));
    bool timed = str_eq(type, STR("config.changed"));
    add_unless_said(a, &event, STR("at"), timed ? value_text(value_get(&c->body, STR("time"))) : STR(""));
    add_unless_said(a, &event, STR("what"), timed && !str_starts(said, STR("pawl.")) ? said : STR(""));
    c->body = event;
    return arena_rc(a) == RC_OK ? RC_OK : err_set(e, arena_rc(a), "the event is too large");
}
