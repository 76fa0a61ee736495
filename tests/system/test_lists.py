#!/usr/bin/env python3
"""Each listing of the command line is that of the API: a row for each item, and --json is the items."""
import json
import sys

import pawl_server

POLICY = """
policy:
  agents:
    - {name: bot, owner: alice}
    - {name: cat, owner: bob}
  services:
    - {name: shop, owner: team-shop, slo: {objective: 99, events: true}}
  tools:
    - {name: scale, class: write, services: [shop], parameters: {type: object}}
    - {name: look, class: read, services: [shop], parameters: {type: object}}
"""

# The command, its page, and the members that its columns show, in their order.
LISTS = [
    ("agents", "agents", ["name", "owner"]),
    ("tools", "tools", ["name", "class"]),
    ("services", "services", ["name", "owner"]),
    ("signals", "signals", ["signal"]),
    ("stops", "stops", ["stop_id", "scope", "name", "level", "by", "at", "running", "confirmed", "unconfirmed", "reason"]),
    ("grants", "grants", ["grant_id", "agent", "tool", "target", "expires_at", "by", "state", "reason"]),
    ("breakers", "breakers", ["agent", "state"]),
    ("actions", "actions", ["action_id", "state", "agent", "tool"]),
    ("decisions", "decisions", ["decision_id", "action_id", "decided_at", "agent", "tool"]),
    ("approvals", "approvals", ["action_id", "agent", "tool"]),
    ("incidents", "incidents", []),
    ("memory", "memory", ["tool", "service", "outcomes"]),
    ("token list", "tokens", ["token_id", "person"]),
]
EMPTY = {"incidents"}


def cell(v):
    return "-" if v is None or v == "" else str(v)


def main(pawl):
    with pawl_server.Server(pawl, POLICY) as s:
        s.token("bot", roles=["agent"], agent="bot")
        executes(s)
        for body in ({"tool": "scale", "parameters": {}, "wants_person": "hm"}, {"tool": "look", "parameters": {}}):
            assert s.call("POST", "/v1/actions", body, token="bot")[0] == 201
        for path, body in [("grants", {"agent": "bot", "tool": "scale", "target": "*", "expires_in": "1h", "reason": "a\tb"}),
                           ("breakers", {"agent": "cat", "state": "open", "reason": "odd"}),
                           ("stops", {"scope": "agent", "name": "cat", "level": "pause", "reason": "x\u202ey"})]:
            status, answer = s.call("POST", "/v1/" + path, body)
            assert status in (200, 201), (path, answer)
        for command, page, members in LISTS:
            items = s.call("GET", "/v1/" + page)[1]["items"]
            assert bool(items) != (page in EMPTY), page
            done = s.command(*command.split())
            rows = [line.split("\t") for line in done.stdout.splitlines()]
            assert done.returncode == 0 and len(rows) == len(items), (command, done)
            for row, item in zip(rows, items):
                want = [cell(item[m]).replace("\t", "\\t").replace("\u202e", "\\u202e") for m in members]
                assert row[:len(want)] == want, (command, row, want)
            shown = s.command(*command.split(), "--json")
            listed = json.loads(shown.stdout)
            assert shown.returncode == 0 and [set(i) for i in listed] == [set(i) for i in items], (command, shown)
            assert [i.get(m) for i in listed for m in members] == [i[m] for i in items for m in members], (command, shown)
            assert s.command(*command.split(), "more").returncode == 2, command


def executes(s):
    """One execution that ended: it is remembered."""
    assert s.call("POST", "/v1/agents", {"name": "third", "owner": "carol"})[0] == 201
    s.token("source", roles=["source"], person="feed", services="*")
    assert s.call("POST", "/v1/events", {"type": "sli", "service": "shop", "good": 1000, "total": 1000},
                  token="source")[0] == 202
    answer = s.call("POST", "/v1/actions", {"tool": "scale", "parameters": {"n": 1}}, token="bot")[1]
    assert answer["verdict"] == "allow", answer
    nonce = "executor-0123456789"
    status, grant = s.call("POST", f"/v1/actions/{answer['action_id']}/commit",
                           {"executor_nonce": nonce, "digest": answer["digest"]}, token="bot")
    assert status == 200 and grant["committed"], grant
    assert s.call("POST", f"/v1/actions/{answer['action_id']}/outcome", {"executor_nonce": nonce, "result": "succeeded"},
                  token="bot")[0] == 200


if __name__ == "__main__":
    main(sys.argv[1])
