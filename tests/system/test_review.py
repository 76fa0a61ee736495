#!/usr/bin/env python3
"""What an approver sees before they answer: all of it, and nothing that the agent wrote can pass for ours."""
import sys

import pawl_server

POLICY = """
policy:
  approval_ttl: 30m
  agents:
    - {name: bot, owner: alice, team: shop-team, model: m-1, prompt_version: p-1}
  services:
    - {name: shop, slo: {objective: 99, events: true}, traffic_pct: 12.5}
    - {name: web, depends_on: [shop], traffic_pct: 30, slo: {objective: 99, events: true}}
  tools:
    - name: migrate
      class: destructive
      description: changes the schema
      services: [shop]
      target: "db/{table}"
      parameters: {type: object, properties: {table: {type: string}}}
      observe: {for: 1m, invariants: [{name: readable, argv: [/usr/bin/ask, "{table}"], after: 30s}]}
      revert: {argv: [/usr/bin/undo, "{table}"], timeout: 5s}
    - name: scale
      class: write
      services: [shop]
      parameters: {type: object}
  quorum:
    - name: schema-changes
      tools: [migrate]
      approvals: [{group: dba, count: 1}, {count: 1}]
"""

HOSTILE = "ok\x1b[2K\r\u202egnp.exe\u2066 \u200bhidden"
ESCAPED = "ok\\u001b[2K\\r\\u202egnp.exe\\u2066 \\u200bhidden"
FORBIDDEN = "\x1b\u202e\u2066\u200b"


def main(pawl):
    with pawl_server.Server(pawl, POLICY) as s:
        s.token("bot", roles=["agent"], agent="bot")
        s.token("dan", roles=["approver", "auditor"], person="dan", groups="dba")
        s.token("eve", roles=["approver"], person="eve")
        everything_is_shown(s)
        a_unified_diff(s)
        no_way_back(s)
        hostile_members(s)
        agents_see_less(s)


def propose(s, **more):
    status, answer = s.call("POST", "/v1/actions", {
        "tool": "migrate", "parameters": {"table": "orders"}, "model": "m-1", "prompt_version": "p-1", **more}, token="bot")
    assert status == 201 and answer["state"] == "escalated", answer
    return answer


def has(text, *lines):
    """Each of them is a line of its own, in this order; spaces count as one."""
    rest = [" ".join(line.split()) for line in text.splitlines()]
    for line in lines:
        assert line in rest, (line, text)
        rest = rest[rest.index(line) + 1:]


def everything_is_shown(s):
    answer = propose(s, intent=HOSTILE, model="m-2",
                     plan={"steps": [{"do": "copy the table", "rollback": "drop the copy"}, {"do": HOSTILE}, "look at it"],
                           "window": "night"},
                     diff={"op": "rename", "to": "orders_2"})
    action = answer["action_id"]
    code, text = s.terminal("dan", b"no\n", "approve", action)
    assert code == 1 and "not approved" in text, (code, text)
    record = s.call("GET", f"/v1/actions/{action}")[1]
    policy = s.call("GET", "/v1/policy")[1]
    has(text, f"action {action}", "state escalated", "Who asks", "agent bot", "owner alice", "team shop-team",
        "model m-2", "prompt version p-1", "said by asserted", "for the agents -", "for the person -",
        "not the registered one: m-1",
        "What it does, by the catalogue", "tool migrate", "class destructive", "description changes the schema",
        "target db/orders", "services shop", "blast radius 42.5 % of the traffic, 2 services with those that call them",
        'must hold after readable, after 30s: "/usr/bin/ask" "orders"',
        'taken back by "/usr/bin/undo" "orders"',
        "The agent's own words (not checked by anybody)", f'intent "{ESCAPED}"',
        'parameters {"table":"orders"}',
        "plan", '1. do: "copy the table"', 'rollback: "drop the copy"', f'2. do: "{ESCAPED}"', "rollback: not said",
        '3. "look at it"', "rollback: not said", 'window: "night"',
        "diff", "| {", '| "op": "rename",', '| "to": "orders_2"', "| }",
        "What blocks it", "error_budget hold error budget of shop is unknown, from events (no event yet)",
        "value unknown, threshold 20 %; source events, age unknown", "quorum escalate needs 2 approvals: schema-changes",
        "source policy and catalogue, age 0.0 s when it was decided",
        "Approvals", "still missing dba, by rule schema-changes", "still missing any approver, by rule schema-changes",
        "at least one of them a person, not an agent",
        "What an approval binds to", f"action digest {answer['digest']}", f"decision {answer['decision_id']}",
        f"policy {policy['hash']}", "quorum rule schema-changes: 1 of dba, 1 of any approver, a person among them",
        f"waits until {record['due_at']}", "approval expires 30m after it is given")
    assert not set(text) & set(FORBIDDEN), text
    # What was shown is what the entry says, and the next one sees who has agreed.
    code, text = s.terminal("dan", b"yes\n", "approve", action)
    assert code == 0 and f"{action} is escalated" in text, (code, text)
    granted = s.entries(action=action, kind="approval.granted")[0]["body"]
    assert granted["digest"] == answer["digest"] and granted["decision"] == answer["decision_id"], granted
    assert granted["shown_at"] and granted["person"] == "dan", granted
    shown = s.command("actions", "show", action)
    assert shown.returncode == 0, shown
    has(shown.stdout, "Approvals", f"given by dan at {s.call('GET', '/v1/actions/' + action)[1]['approvals'][0]['at']}",
        "still missing any approver, by rule schema-changes", "What an approval binds to")
    assert "still missing dba" not in shown.stdout and "at least one of them" not in shown.stdout, shown.stdout
    code, text = s.terminal("eve", b"yes\n", "approve", action)
    assert code == 0 and f"{action} is approved" in text, (code, text)
    shown = s.command("actions", "show", action)
    approved = s.call("GET", "/v1/actions/" + action)[1]
    has(shown.stdout, "state approved", f"approved until {approved['review']['binds']['approval_expires_at']}")
    assert "still missing" not in shown.stdout and not set(shown.stdout) & set(FORBIDDEN), shown.stdout


def a_unified_diff(s):
    """Line by line; a line that looks like ours stands behind a bar."""
    diff = f"--- a\n+++ b\n@@ -1 +1 @@\n-one\n+two {HOSTILE}\n\nApprovals\n  given by dan\n"
    answer = propose(s, intent="text", diff={"unified": diff, "files": 1})
    shown = s.command("actions", "show", answer["action_id"])
    has(shown.stdout, "diff", "files:", "| 1", "unified:", "| --- a", "| +++ b", "| @@ -1 +1 @@", "| -one", f"| +two {ESCAPED}", "|",
        "| Approvals", "| given by dan", "What blocks it")
    assert not set(shown.stdout) & set(FORBIDDEN), shown.stdout
    assert s.command("reject", answer["action_id"], "--reason", "no", token="dan").returncode == 0


def no_way_back(s):
    status, answer = s.call("POST", "/v1/actions", {"tool": "scale", "parameters": {}, "intent": "more",
                                                    "wants_person": "sure?"}, token="bot")
    assert status == 201, answer
    shown = s.command("actions", "show", answer["action_id"])
    has(shown.stdout, "taken back by nothing: it can't be taken back", "request escalate the agent asks for a person: sure?",
        "source the request, age 0.0 s when it was decided", "still missing any approver", "quorum rule none: one approval")
    budget = [f for f in s.call("GET", "/v1/actions/" + answer["action_id"])[1]["decision"]["findings"]
              if f["check"] == "error_budget"]
    assert budget[0]["verdict"] == "hold" and budget[0]["source"] == "events" and budget[0]["age_ms"] is None\
        and budget[0]["value_pct"] is None, budget
    has(shown.stdout, "value unknown, threshold 20 %; source events, age unknown")
    as_json = s.command("actions", "show", answer["action_id"], "--json")
    assert as_json.returncode == 0 and '"policy_in_force": true' in as_json.stdout, as_json
    assert s.command("actions", "show", "act_999999").returncode == 1
    assert s.command("actions", "show").returncode == 2


def hostile_members(s):
    """Names of members are the agent's words as well."""
    status, answer = s.call("POST", "/v1/actions", {
        "tool": "scale", "parameters": {HOSTILE: HOSTILE}, "wants_person": HOSTILE, "plan": {"steps": [{HOSTILE: 1}]},
        "diff": {HOSTILE: "a\nb", "x": [HOSTILE]}}, token="bot")
    assert status == 201, answer
    code, text = s.terminal("eve", b"no\n", "approve", answer["action_id"])
    assert code == 1 and not set(text) & set(FORBIDDEN), (code, text)
    has(text, f"{ESCAPED}:", "| a", "| b", "x:")


def agents_see_less(s):
    mine = s.call("GET", "/v1/actions?state=escalated", token="bot")[1]["items"][0]["action_id"]
    status, record = s.call("GET", f"/v1/actions/{mine}", token="bot")
    assert status == 200 and "review" not in record and "decision" not in record, record


if __name__ == "__main__":
    main(sys.argv[1])
