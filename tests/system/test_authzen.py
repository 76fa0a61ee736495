#!/usr/bin/env python3
"""The AuthZEN Authorization API 1.0, on the certification's fixture as an ordinary configuration."""
import itertools
import json
import sys

import pawl_server

POLICY = """
policy:
  checks:
    error_budget: {mode: off}
    aqdd: {mode: off}
    her_trend: {mode: off}
    tier: {mode: off}
  agents:
    - {name: user/alice, owner: fixture}
    - {name: user/bob, owner: fixture, roles: [admin]}
  tools:
    - name: read
      class: read
      phases: 1
      target: "{target}"
      parameters: &any
    - name: write
      class: write
      phases: 1
      target: "{target}"
      parameters: &any
    - name: publish
      class: write
      target: "{target}"
      parameters: &any
    - name: delete
      class: destructive
      phases: 1
      target: "{target}"
      parameters: {type: object, properties: {target: {type: string}, soft: {const: true}}, required: [target, soft]}
  permissions:
    - {agents: [user/alice, user/bob], tools: [read], targets: [record/record-1]}
    - {agents: [user/alice], tools: [write, publish], targets: [record/record-1], unless: {resource.status: archived}}
    - {agents: [user/alice], tools: [delete], targets: [record/record-1]}
    - {roles: [admin], tools: [write], targets: [record/record-2]}
    - {agents: ["*"], tools: [write], targets: ["record/*"], where: {subject.role: admin, resource.status: archived}}
""".replace("&any", "{type: object, properties: {target: {type: string}}, required: [target]}")

ACTIVE, ARCHIVED = {"status": "active"}, {"status": "archived"}


def entity(kind, identifier, properties=None):
    value = {"type": kind, "id": identifier}
    if properties is not None:
        value["properties"] = properties
    return value


def request(who, what, which, subject=None, action=None, resource=None):
    value = {"subject": entity("user", who, subject), "action": {"name": what}, "resource": entity("record", which, resource)}
    if action is not None:
        value["action"]["properties"] = action
    return value


ALLOWED = request("alice", "read", "record-1")
DENIED = request("bob", "write", "record-1")

DECISIONS = [
    (ALLOWED, True),
    (request("alice", "write", "record-1"), True),
    (request("alice", "write", "record-1", resource=ACTIVE), True),
    (request("bob", "read", "record-1"), True),
    (DENIED, False),
    (request("bob", "write", "record-1", resource=ACTIVE), False),
    (request("alice", "write", "record-2"), False),
    (request("alice", "write", "record-2", resource=ARCHIVED), False),
    (request("alice", "write", "record-1", resource=ARCHIVED), False),
    (request("bob", "write", "record-2"), True),
    (request("bob", "write", "record-2", {"role": "admin"}, None, ARCHIVED), True),
    (request("alice", "write", "record-2", {"role": "admin"}, None, ARCHIVED), True),
    (request("alice", "write", "record-2", {"role": "admin"}, None, ACTIVE), False),
    (request("alice", "delete", "record-1", action={"soft": True}), True),
    (request("alice", "delete", "record-1", action={"soft": False}), False),
    (request("alice", "delete", "record-1", action={"soft": "true"}), False),
    (request("alice", "delete", "record-1"), False),
    (request("bob", "delete", "record-1", action={"soft": True}), False),
    (request("alice", "shred", "record-1"), False),
    (request("carol", "read", "record-1"), False),
    (request("alice", "read", "record-3"), False),
    ({**ALLOWED, "context": {"time": "2026-11-21T10:00:00Z"}, "unknown": [1]}, True),
    (request("alice", "publish", "record-1"), False),  # two phases: an evaluation is not the go
]


def evaluate(s, body, token="enforcer", path="/access/v1/evaluation", headers=None):
    status, got, text = s.send("POST", path, json.dumps(body).encode(), token=token, headers=headers)
    return status, got, json.loads(text)


def decisions(s):
    for turn in range(3):  # the same request, the same decision
        for body, expected in DECISIONS:
            status, headers, answer = evaluate(s, body)
            assert status == 200 and answer["decision"] is expected, (turn, body, answer)
            assert headers["Content-Type"] == "application/json", headers
            context = answer["context"]
            assert context["action_id"].startswith("act_") and context["checks"], answer
            assert (context["verdict"] == "allow") == (expected or body["action"]["name"] == "publish"), answer
    context = evaluate(s, request("alice", "publish", "record-1"))[2]["context"]
    assert context["commit_url"] == f"/v1/actions/{context['action_id']}/commit", context


def without(body, *path):
    copy = json.loads(json.dumps(body))
    at = copy
    for step in path[:-1]:
        at = at[step]
    del at[path[-1]]
    return copy


def changed(body, value, *path):
    copy = json.loads(json.dumps(body))
    at = copy
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    return copy


FIELDS = [("subject",), ("action",), ("resource",), ("subject", "type"), ("subject", "id"), ("action", "name"),
          ("resource", "type"), ("resource", "id")]
WRONG = [None, 1, True, [], "", [{"type": "user", "id": "alice"}]]


def bad_requests(s):
    before = s.call("GET", "/v1/status")[1]["ledger"]["entries"]
    bad = [without(ALLOWED, *path) for path in FIELDS]
    bad += [changed(ALLOWED, value, *path) for path, value in itertools.product(FIELDS, WRONG)]
    bad += [changed(ALLOWED, {}, *path) for path in FIELDS]
    bad += [changed(ALLOWED, value, name, "properties") for name in ("subject", "action", "resource")
            for value in ("x", 1, [])]
    bad += [changed(ALLOWED, value, "context") for value in ("x", 1, [])]
    for body in bad:
        status, _, problem = evaluate(s, body)
        assert status == 400 and problem["errors"][0]["pointer"].startswith("/"), (body, status, problem)
    for text, kind in ((b"", "application/json"), (b"{", "application/json"), (b"[]", "application/json"),
                       (b"not json", "application/json"), (json.dumps(ALLOWED).encode(), "text/plain"),
                       (json.dumps(ALLOWED).encode(), "application/x-www-form-urlencoded")):
        for path in ("/access/v1/evaluation", "/access/v1/evaluations"):
            status, _, _ = s.send("POST", path, text, token="enforcer", headers={"Content-Type": kind})
            assert status == 400, (text, kind, status)
    assert s.call("GET", "/v1/status")[1]["ledger"]["entries"] == before


def credentials(s):
    assert evaluate(s, ALLOWED, token=None)[0] == 401
    assert evaluate(s, ALLOWED, token="pawl_enforcer_" + "A" * 43)[0] == 401
    assert evaluate(s, ALLOWED, token="viewer")[0] == 403
    assert evaluate(s, ALLOWED, token="alice")[2]["decision"] is True
    assert evaluate(s, DENIED, token="alice")[0] == 403, "an agent asks about itself only"


def request_id(s):
    for headers in ({}, {"X-Request-ID": "bfe9eb29-ab87-4ca3-be83-a1d5d8305716"}):
        for body in (ALLOWED, DENIED, {}):
            _, got, _ = evaluate(s, body, headers=headers)
            assert got.get("X-Request-ID") == headers.get("X-Request-ID"), got


def batch(s, body):
    status, _, answer = evaluate(s, body, path="/access/v1/evaluations")
    assert status == 200, answer
    return [item["decision"] for item in answer["evaluations"]]


SEMANTICS = [
    ({}, [True, False, True, False]),
    ({"evaluations_semantic": "execute_all"}, [True, False, True, False]),
    ({"evaluations_semantic": "deny_on_first_deny"}, [True, False]),
    ({"evaluations_semantic": "permit_on_first_permit"}, [True]),
]


def evaluations(s):
    items = [{"action": {"name": "read"}}, {"action": {"name": "shred"}}, {"action": {"name": "write"}},
             {"resource": entity("record", "record-2")}]
    for options, expected in SEMANTICS:
        assert batch(s, {**ALLOWED, "evaluations": items, "options": options}) == expected, options
    assert batch(s, {"evaluations": [ALLOWED, DENIED, ALLOWED]}) == [True, False, True]
    # An item's own value replaces the default whole, properties included.
    default = request("alice", "write", "record-2", {"role": "admin"}, None, ARCHIVED)
    assert batch(s, {**default, "evaluations": [{}, {"subject": entity("user", "alice")}]}) == [True, False]
    status, _, answer = evaluate(s, {**ALLOWED, "evaluations": []}, path="/access/v1/evaluations")
    assert status == 200 and answer["decision"] is True
    status, _, answer = evaluate(s, ALLOWED, path="/access/v1/evaluations")
    assert status == 200 and answer["decision"] is True
    assert evaluate(s, {**ALLOWED, "evaluations": {}}, path="/access/v1/evaluations")[0] == 400
    assert evaluate(s, {**ALLOWED, "evaluations": [{}], "options": {"evaluations_semantic": "all"}},
                    path="/access/v1/evaluations")[0] == 400
    refused_items(s)


def refused_items(s):
    """A bad item has its error in its own answer."""
    items = [{}, {"subject": {"type": "user"}}, {"action": "read"}, {}]
    status, _, answer = evaluate(s, {**ALLOWED, "evaluations": items}, path="/access/v1/evaluations")
    assert status == 200 and [i["decision"] for i in answer["evaluations"]] == [True, False, False, True], answer
    for item in answer["evaluations"][1:3]:
        assert item["context"]["error"]["status"] == 400 and item["context"]["error"]["message"], item


def metadata(s):
    status, _, text = s.send("GET", "/.well-known/authzen-configuration", token="enforcer")
    here = f"http://127.0.0.1:{s.port}"
    assert status == 200 and json.loads(text) == {
        "policy_decision_point": here, "access_evaluation_endpoint": here + "/access/v1/evaluation",
        "access_evaluations_endpoint": here + "/access/v1/evaluations"}, text


def recorded(s):
    """Every evaluation is in the ledger, and judged again gives the same."""
    context = evaluate(s, DENIED)[2]["context"]
    decided = s.call("GET", "/v1/ledger/" + context["action_id"][4:])[1]
    assert decided["kind"] == "action.decided" and decided["body"]["verdict"] == "deny", decided
    assert s.call("GET", f"/v1/decisions/{context['decision_id']}/replay")[1]["same"] is True


SCENES = [decisions, bad_requests, credentials, request_id, evaluations, metadata, recorded]


def main(pawl):
    with pawl_server.Server(pawl, POLICY) as s:
        s.token("enforcer", roles=["enforcer"], person="gateway")
        s.token("viewer", roles=["viewer"], person="vera")
        s.token("alice", roles=["agent"], agent="user/alice")
        for scene in SCENES:
            print(scene.__name__, flush=True)
            scene(s)


if __name__ == "__main__":
    main(sys.argv[1])
