/*
 * doors/hook_call - what the host says, and what it means to the gate.
 */
#include "doors/hook.h"

#include "value/json.h"

#include <string.h>

enum rc hook_call_read(const struct value *v, struct hook_call *ret, struct err *e)
{
    *ret = (struct hook_call){
        .event = value_text(value_get(v, STR("hook_event_name"))),
        .session = value_text(value_get(v, STR("session_id"))),
        .use = value_text(value_get(v, STR("tool_use_id"))),
        .tool = value_text(value_get(v, STR("tool_name"))),
        .cwd = value_text(value_get(v, STR("cwd"))),
        .input = value_get(v, STR("tool_input")),
        .response = value_get(v, STR("tool_response")),
        .error = value_text(value_get(v, STR("error"))),
    };
    if (ret->event.len == 0) {
        return err_at(e, RC_INVALID, STR("/hook_event_name"), "expected a text");
    }
    bool about_tool = str_starts(ret->event, STR("PreToolUse")) || str_starts(ret->event, STR("PostToolUse"));
    if (!about_tool) {
        return RC_OK;
    }
    if (ret->session.len == 0 || ret->use.len == 0) {
        return err_at(e, RC_INVALID, STR("/tool_use_id"), "expected session_id and tool_use_id");
    }
    if (ret->tool.len == 0 || ret->tool.len > HOOK_NAME_MAX) {
        return err_at(e, RC_INVALID, STR("/tool_name"), "expected 1 to %d bytes", HOOK_NAME_MAX);
    }
    return value_is(ret->input, VALUE_OBJECT) ? RC_OK
                                              : err_at(e, RC_INVALID, STR("/tool_input"), "expected an object");
}

static struct str mcp_name(struct arena *a, struct str tool)
{
    if (str_starts(tool, STR("mcp__"))) {
        return tool;
    }
    char lower[HOOK_NAME_MAX];
    for (size_t i = 0; i < tool.len; i++) {
        char c = tool.ptr[i];
        lower[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    return arena_printf(a, "claude-code/%.*s", (int)tool.len, lower);
}

enum rc hook_proposal(struct arena *a, const struct hook_call *call, struct value *ret, struct err *e)
{
    if (call->tool.len == 0 || call->tool.len > HOOK_NAME_MAX) {
        return err_set(e, RC_INVALID, "the tool's name is empty or too long");
    }
    struct value invocation = value_object();
    value_add_str(a, &invocation, STR("mcp"), mcp_name(a, call->tool));
    struct value parameters = *call->input;
    if (str_eq(call->tool, STR("Bash"))) {
        const struct value *command = value_get(call->input, STR("command"));
        if (!value_is(command, VALUE_STRING)) {
            return err_set(e, RC_INVALID, "Bash without a command");
        }
        parameters = value_object();
        value_add(a, &parameters, STR("command"), *command);
    }
    *ret = value_object();
    value_add(a, ret, STR("invocation"), invocation);
    value_add(a, ret, STR("parameters"), parameters);
    return arena_rc(a) == RC_OK ? RC_OK : err_set(e, arena_rc(a), "the call is too large");
}
