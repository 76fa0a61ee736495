#!/usr/bin/env python3
"""The AuthZEN Authorization API 1.0, on examples/authzen-certification: all that its fixture asks, evaluations and searches;
then searches over many agents, services and tools, page by page, and with validators that have their say."""
import itertools
import json
import pathlib
import socket
import sys

import pawl_server
import test_validators

EXAMPLE = pathlib.Path(__file__).resolve().parents[2] / "examples/authzen-certification/pawl.yaml"


def with_rows(policy, **lists):
    """The policy with more rows at the head of its lists."""
    for name, rows in lists.items():
        head = f"\n  {name}:\n"
        assert policy.count(head) == 1, name
        policy = policy.replace(head, head + "".join(f"    - {row}\n" for row in rows))
    return policy


# The example as it stands, and with it what is no part of the fixture: a tool of two phases, and one that a command calls.
TEXT = EXAMPLE.read_text()
POLICY = with_rows(
    TEXT[TEXT.index("\npolicy:"):],
    tools=["{name: publish, class: write, target: '{target}', parameters: {type: object, properties: {target: {type: string}}}}",
           "{name: shell, class: write, phases: 1, match: {argv: [ls, '{target}']}, target: '{target}',"
           " parameters: {type: object, properties: {target: {type: string}}}}"],
    permissions=["{agents: [user/alice], tools: [publish, shell], targets: [record/record-1]}"])

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
    (request("alice", "read", "record-1", {"team": "sales", "role": "manager"}, {"method": "GET"},
             {**ACTIVE, "owner": "bob"}), True),
    (request("alice", "publish", "record-1"), False),  # two phases: an evaluation is not the go
]


def evaluate(s, body, token="enforcer", path="/access/v1/evaluation", headers=None):
    status, got, text = s.send("POST", path, json.dumps(body).encode(), token=token, headers=headers)
    return status, got, json.loads(text)


def example_is_valid(s):
    """As it stands, with its own server settings."""
    copy = s.folder / "example.yaml"
    copy.write_text(TEXT)
    copy.chmod(0o600)
    checked = s.command("check-config", str(copy))
    assert checked.returncode == 0, checked.stderr


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


PATHS = ["/access/v1/evaluation", "/access/v1/evaluations"] + [f"/access/v1/search/{of}" for of in ("subject", "resource", "action")]
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
        for path in PATHS:
            status, _, _ = s.send("POST", path, text, token="enforcer", headers={"Content-Type": kind})
            assert status == 400, (text, kind, status)
    assert s.call("GET", "/v1/status")[1]["ledger"]["entries"] == before


def credentials(s):
    assert evaluate(s, ALLOWED, token=None)[0] == 401
    assert evaluate(s, ALLOWED, token="pawl_enforcer_" + "A" * 43)[0] == 401
    assert evaluate(s, ALLOWED, token="viewer")[0] == 403
    assert evaluate(s, ALLOWED, token="alice")[2]["decision"] is True
    assert evaluate(s, DENIED, token="alice")[0] == 403, "an agent asks about itself only"
    admin = request("alice", "write", "record-2", {"role": "admin"}, None, ARCHIVED)
    assert evaluate(s, admin)[2]["decision"] is True
    assert evaluate(s, admin, token="alice")[2]["decision"] is False, "an agent can't make itself an admin"


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
        "access_evaluations_endpoint": here + "/access/v1/evaluations",
        **{f"search_{of}_endpoint": f"{here}/access/v1/search/{of}" for of in ("subject", "resource", "action")}}, text


def recorded(s):
    """Every evaluation is in the ledger, and judged again gives the same."""
    context = evaluate(s, DENIED)[2]["context"]
    decided = s.call("GET", "/v1/ledger/" + context["action_id"][4:])[1]
    assert decided["kind"] == "action.decided" and decided["body"]["verdict"] == "deny", decided
    assert s.call("GET", f"/v1/decisions/{context['decision_id']}/replay")[1]["same"] is True


# --- searches ---------------------------------------------------------------------------------------------------------

ALICE, BOB, ADMIN_BOB = entity("user", "alice"), entity("user", "bob"), entity("user", "bob", {"role": "admin"})
ONE, TWO_ARCHIVED = entity("record", "record-1"), entity("record", "record-2", ARCHIVED)
USERS, RECORDS = {"type": "user"}, {"type": "record"}
READ, WRITE = {"name": "read"}, {"name": "write"}

# Exactly what is found: more than the fixture asks for would be a true that an evaluation does not give.
SEARCHES = [
    ("subject", {"subject": USERS, "action": READ, "resource": ONE}, ["alice", "bob"]),
    ("subject", {"subject": USERS, "action": READ, "resource": ONE, "context": {"time": "now"}}, ["alice", "bob"]),
    ("subject", {"subject": BOB, "action": WRITE, "resource": ONE}, ["alice"]),  # an id is ignored
    ("subject", {"subject": USERS, "action": WRITE, "resource": TWO_ARCHIVED}, ["bob"]),
    ("subject", {"subject": {**USERS, "properties": {"role": "admin"}}, "action": WRITE, "resource": TWO_ARCHIVED}, ["alice", "bob"]),
    ("subject", {"subject": {"type": "agent"}, "action": READ, "resource": ONE}, ["user/alice", "user/bob"]),
    ("subject", {"subject": {"type": "use"}, "action": READ, "resource": ONE}, []),
    ("subject", {"subject": {"type": "spaceship"}, "action": READ, "resource": ONE}, []),
    ("subject", {"subject": USERS, "action": {"name": "delete", "properties": {"soft": True}}, "resource": ONE}, ["alice"]),
    ("subject", {"subject": USERS, "action": {"name": "delete"}, "resource": ONE}, []),
    ("subject", {"subject": USERS, "action": {"name": "publish"}, "resource": ONE}, []),  # two phases: never a true
    ("resource", {"subject": ALICE, "action": READ, "resource": RECORDS}, ["record-1"]),
    ("resource", {"subject": ALICE, "action": READ, "resource": {**RECORDS, "id": "record-9"}}, ["record-1"]),
    ("resource", {"subject": ADMIN_BOB, "action": WRITE, "resource": RECORDS}, ["record-2"]),
    ("resource", {"subject": ALICE, "action": WRITE, "resource": {**RECORDS, "properties": ARCHIVED}}, []),
    ("resource", {"subject": ALICE, "action": READ, "resource": {"type": "target"}}, ["record/record-1"]),
    ("resource", {"subject": ALICE, "action": READ, "resource": {"type": "planet"}}, []),
    ("action", {"subject": ALICE, "resource": ONE}, ["read", "write"]),
    ("action", {"subject": ALICE, "resource": ONE, "context": {"time": "now"}, "action": "ignored"}, ["read", "write"]),
    ("action", {"subject": ADMIN_BOB, "resource": TWO_ARCHIVED}, ["write"]),
    ("action", {"subject": ALICE, "resource": entity("record", "record-1", ARCHIVED)}, ["read"]),
    ("action", {"subject": entity("user", "nobody"), "resource": ONE}, []),
]


def search(s, of, body, token="enforcer", headers=None):
    status, got, answer = evaluate(s, body, token, f"/access/v1/search/{of}", headers)
    return (status, got, answer) if headers is not None else (status, answer)


def found(of, answer):
    return [result["name" if of == "action" else "id"] for result in answer["results"]]


def asked_of(of, body, one):
    """The evaluation that a result answers."""
    body = {**body, of: one if of == "action" else {**body[of], **one}}
    return {name: body[name] for name in ("subject", "action", "resource")}


def searches(s):
    before = s.call("GET", "/v1/status")[1]["ledger"]["entries"]
    answers = []
    for of, body, expected in SEARCHES:
        status, got, answer = search(s, of, body, headers={"X-Request-ID": "one-more"})
        assert status == 200 and found(of, answer) == expected and "page" not in answer, (of, body, answer)
        assert got["X-Request-ID"] == "one-more" and got["Content-Type"] == "application/json", got
        kinds = {"name"} if of == "action" else {"type", "id"}
        assert all(set(r) == kinds and r.get("type") == body.get(of, {}).get("type") for r in answer["results"] if of != "action"), answer
        answers.append((of, body, answer))
    assert s.call("GET", "/v1/status")[1]["ledger"]["entries"] == before, "a search leaves nothing behind"
    for of, body, answer in answers:
        for one in answer["results"]:
            status, _, decided = evaluate(s, asked_of(of, body, one))
            assert status == 200 and decided["decision"] is True, (of, body, one, decided)


NEEDED = {"subject": [("subject",), ("action",), ("resource",), ("subject", "type"), ("action", "name"), ("resource", "type"), ("resource", "id")],
          "resource": [("subject",), ("action",), ("resource",), ("subject", "type"), ("subject", "id"), ("action", "name"), ("resource", "type")],
          "action": [("subject",), ("resource",), ("subject", "type"), ("subject", "id"), ("resource", "type"), ("resource", "id")]}
PAGES = [("x", "/page", "expected an object"), ([], "/page", "expected an object"),
         *(({"limit": limit}, "/page/limit", "expected a whole number, 1 or more") for limit in (0, -1, 1.5, "2", None, True)),
         *(({"token": token}, "/page/token", "expected the next_token of the page before, of the same question under the same policy")
           for token in ("", "1", "1.", "." + "0" * 32, "1." + "0" * 32, "x." + "0" * 32, 1, None, "1." + "g" * 32))]


def bad_searches(s):
    for of, paths in NEEDED.items():
        for path in paths:
            for body in (without(ALLOWED, *path), *(changed(ALLOWED, value, *path) for value in WRONG)):
                status, problem = search(s, of, body)
                assert status == 400 and problem["errors"][0]["pointer"] == "/" + "/".join(path), (of, path, body, problem)
        for page, pointer, text in PAGES:
            status, problem = search(s, of, {**ALLOWED, "page": page})
            assert status == 400 and problem["errors"][0]["pointer"] == pointer and text in problem["detail"], (page, problem)
        assert search(s, of, {**ALLOWED, "context": []})[0] == 400
        assert search(s, of, changed(ALLOWED, {"a": {"$blob": "x"}}, "subject", "properties"))[0] == 400


def who_may_search(s):
    body = {"subject": ALICE, "action": READ, "resource": RECORDS}
    for of in NEEDED:
        assert search(s, of, ALLOWED, token=None)[0] == 401 and search(s, of, ALLOWED, token="viewer")[0] == 403
        assert search(s, of, ALLOWED, token="alice")[0] == 200
    assert found("resource", search(s, "resource", body, token="alice")[1]) == ["record-1"]
    status, problem = search(s, "resource", {**body, "subject": BOB}, token="alice")
    assert status == 403 and problem["detail"] == "an agent may ask about itself only", problem
    assert search(s, "action", {"subject": BOB, "resource": ONE}, token="alice")[0] == 403
    everyone = {"subject": USERS, "action": READ, "resource": ONE}
    assert found("subject", search(s, "subject", everyone, token="alice")[1]) == ["alice"], "itself only"
    assert found("subject", search(s, "subject", {**everyone, "resource": entity("record", "record-3")}, token="alice")[1]) == []


def pages(s):
    body = {"subject": USERS, "action": READ, "resource": ONE}
    _, first = search(s, "subject", {**body, "page": {"limit": 1}})
    assert found("subject", first) == ["alice"] and first["page"]["count"] == 1 and first["page"]["next_token"], first
    _, second = search(s, "subject", {**body, "page": {"token": first["page"]["next_token"]}})
    assert found("subject", second) == ["bob"] and second["page"] == {"next_token": "", "count": 1}, second
    assert search(s, "subject", {**body, "page": {}})[1]["page"] == {"next_token": "", "count": 2}
    assert search(s, "subject", {**body, "page": {"limit": 10 ** 15}})[1]["page"] == {"next_token": "", "count": 2}
    token = {"page": {"token": first["page"]["next_token"]}}
    for other in ({**body, "action": WRITE}, {**body, "context": {}}, {**body, "resource": entity("record", "record-1", ACTIVE)}):
        assert search(s, "subject", {**other, **token})[0] == 400, "of another question"
    assert search(s, "action", {**body, **token})[0] == 400


SCENES = [example_is_valid, decisions, bad_requests, credentials, request_id, evaluations, metadata, recorded, searches, bad_searches,
          who_may_search, pages]


# --- many of each -------------------------------------------------------------------------------------------------------

JUDGED = 256  # of one request
AGENTS, SERVICES, TOOLS = 600, 300, 520
MANY = """
policy:
  checks: {error_budget: {mode: "off"}, aqdd: {mode: "off"}, her_trend: {mode: "off"}, breaker: {mode: "off"}}
  agents:
""" + "".join(f"    - {{name: bot/{n:04}, owner: o, roles: [{'reader' if n % 2 else 'other'}]}}\n" for n in range(AGENTS)) + """
  services:
    - {name: zone/left}
    - {name: zone/listed}
""" + "".join(f"    - {{name: s{n:04}}}\n" for n in range(SERVICES)) + """
  tools:
""" + "".join(f"    - {{name: t{n:04}, class: read, phases: {2 if n % 2 else 1}, target: '{{target}}',"
              " parameters: {type: object, properties: {target: {type: string}}}}\n" for n in range(TOOLS)) + """
    - {name: over, class: read, phases: 1, target: '{target}', services: ['{target}'], parameters: {type: object, properties: {target: {type: string}}}}
  permissions:
    - {roles: [reader], tools: ["t*", over], targets: ["service/*", "zone/*", "s00*", page/b, page/a, zone/listed]}
    - {agents: [bot/0001], tools: ["t*"], targets: [page/c, page/b]}
"""


def every_page(s, of, body, limit=None):
    """All results, by as many pages as it takes; and how many results each had."""
    results, counts, page = [], [], {} if limit is None else {"limit": limit}
    while True:
        status, answer = search(s, of, {**body, "page": page})
        assert status == 200 and answer["page"]["count"] == len(answer["results"]), answer
        results += found(of, answer)
        counts.append(len(answer["results"]))
        if not answer["page"]["next_token"]:
            return results, counts
        page = {**page, "token": answer["page"]["next_token"]}


def many(s):
    readers = [f"{n:04}" for n in range(AGENTS) if n % 2]
    body = {"subject": {"type": "bot"}, "action": {"name": "t0000"}, "resource": entity("page", "a")}
    status, answer = search(s, "subject", body)
    assert status == 200 and answer["page"]["next_token"] and len(answer["results"]) == JUDGED // 2, answer["page"]
    assert every_page(s, "subject", body) == (readers, [128, 128, 44])
    assert every_page(s, "subject", body, 100)[0] == readers and every_page(s, "subject", body, 100)[1] == [100, 100, 100]
    # What nobody may do is found in as many pages, all of them empty.
    assert every_page(s, "subject", {**body, "resource": entity("page", "z")}) == ([], [0, 0, 0])
    one_phase = [f"t{n:04}" for n in range(TOOLS) if n % 2 == 0]
    question = {"subject": entity("bot", "0001"), "resource": entity("page", "b")}
    assert every_page(s, "action", question) == (one_phase, [256, 4])
    assert every_page(s, "action", question, 256) == (one_phase, [256, 4])
    # A large question is judged for fewer candidates at a time.
    large = {**question, "context": {"text": "x" * 32000}}
    results, counts = every_page(s, "action", large)
    assert results == one_phase and max(counts) == (512 << 10) // len(json.dumps({**large, "page": {}})), counts[:3]


def resources(s):
    """Targets that permissions name, by their bytes and each once; then services as they were declared."""
    body = {"subject": entity("bot", "0001"), "action": {"name": "t0000"}}
    names = [f"s{n:04}" for n in range(SERVICES)]
    of = lambda kind, action="t0000": every_page(s, "resource", {**body, "action": {"name": action}, "resource": {"type": kind}})[0]
    assert of("page") == ["a", "b", "c"]
    assert of("service") == ["zone/left", "zone/listed", *names]
    assert of("zone") == ["listed", "left"]
    assert of("target") == ["page/a", "page/b", "page/c", "zone/listed", "zone/left", *names[:100]]
    assert of("target", "over") == ["zone/listed", "zone/left", *names[:100]], "what is no service can't be the tool's"


def stopped(s):
    """What is stopped, or was removed, is nobody's to do: a search says what holds now."""
    body = {"subject": {"type": "bot"}, "action": {"name": "t0000"}, "resource": entity("page", "c")}
    assert every_page(s, "subject", body)[0] == ["0001"]
    stop = s.call("POST", "/v1/stops", {"scope": "agent", "name": "bot/0001", "level": "stop", "reason": "test"})
    assert stop[0] in (201, 202), stop
    assert every_page(s, "subject", body)[0] == []
    assert s.call("POST", f"/v1/stops/{stop[1]['stop_id']}/resume", {"reason": "over"})[0] == 200
    _, first = search(s, "subject", {**body, "page": {"limit": 1}})
    s.config.write_text(s.config.read_text().replace("{agents: [bot/0001]", "{agents: [bot/0002]"))
    assert s.call("POST", "/v1/policy/reload", {})[0] == 200
    assert search(s, "subject", {**body, "page": {"token": first["page"]["next_token"]}})[0] == 400, "of another policy"
    assert every_page(s, "subject", body)[0] == ["0002"]


# --- validators ---------------------------------------------------------------------------------------------------------

JUDGE = """
policy:
  checks: {error_budget: {mode: "off"}, aqdd: {mode: "off"}, her_trend: {mode: "off"}, breaker: {mode: "off"}}
  limits: {pending_per_agent: 1000}
  agents: [{name: bot, owner: o}]
  tools:
    - {name: asked, class: write, phases: 1, target: "{target}", parameters: @ANY@}
    - {name: free, class: write, phases: 1, target: "{target}", parameters: @ANY@}
    - {name: broken, class: write, phases: 1, target: "{target}", parameters: @ANY@}
  validators:
    - {name: judge, type: authzen, url: "http://127.0.0.1:@PORT@/", match: {tools: [asked]}}
    - {name: gone, type: command, argv: [/nonexistent/judge], match: {tools: [broken]}, on_error: deny}
""".replace("@ANY@", "{type: object, properties: {target: {type: string}}}")


def judged(s, fake):
    """In a batch validators are asked about one evaluation after the other, and each is decided once."""
    def answer(_, question):
        target = question["context"]["action"]["target"]
        return 200, {"decision": not target.endswith("7"), "context": {"reason": target}}
    fake.answer = answer
    evaluation = lambda n, tool="asked": {"subject": entity("agent", "bot"), "action": {"name": tool}, "resource": entity("r", str(n))}
    assert evaluate(s, evaluation(1))[2]["decision"] is True
    before, heard = len(s.entries()), len(fake.heard)
    items = [evaluation(2), evaluation(3, "free"), {"action": {}}, evaluation(17), evaluation(4)]
    status, _, answer = evaluate(s, {"evaluations": items}, path="/access/v1/evaluations")
    assert status == 200 and [i["decision"] for i in answer["evaluations"]] == [True, True, False, False, True], answer
    assert "r/17" in json.dumps(answer["evaluations"][3]) and "r/4" not in json.dumps(answer["evaluations"][3]), answer
    assert len(fake.heard) == heard + 3 and len(s.entries()) == before + 4, "asked once each, decided once each"
    for options, expected, asked in (({"evaluations_semantic": "deny_on_first_deny"}, [True, False], 2),
                                     ({"evaluations_semantic": "permit_on_first_permit"}, [True], 1)):
        heard = len(fake.heard)
        body = {"evaluations": [evaluation(5), evaluation(27), evaluation(6)], "options": options}
        assert batch(s, body) == expected and len(fake.heard) == heard + asked, (options, len(fake.heard) - heard)
    heard = len(fake.heard)
    got = batch(s, {"evaluations": [evaluation(100 + 10 * n) for n in range(70)]})
    assert got == [True] * 64 + [False] * 6 and len(fake.heard) == heard + 64, "at most 64 of one batch"
    # One that fails at once is an error of each.
    assert batch(s, {"evaluations": [evaluation(n, "broken") for n in range(100)]}) == [False] * 100


def gone_in_the_middle(s, fake):
    """Who hangs up is asked about no further; what was decided until then stands in the ledger, each once."""
    fake.delay = 0.2
    before, heard = len(s.entries()), len(fake.heard)
    items = [{"subject": entity("agent", "bot"), "action": {"name": "asked"}, "resource": entity("gone", str(n))} for n in range(20)]
    body = json.dumps({"evaluations": items}).encode()
    with socket.create_connection(("127.0.0.1", s.port)) as peer:
        peer.sendall(b"POST /access/v1/evaluations HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + s.tokens["enforcer"].encode() +
                     b"\r\nContent-Type: application/json\r\nContent-Length: " + str(len(body)).encode() + b"\r\n\r\n" + body)
        s.wait_for(lambda: len(fake.heard) >= heard + 3)
    assert evaluate(s, items[0])[2]["decision"] is True
    fake.delay = 0
    new = s.entries()[before:]
    assert {e["kind"] for e in new} == {"action.decided"} and 3 <= len(new) < len(items), len(new)
    targets = [e["body"]["target"] for e in new]
    assert len(set(targets)) >= len(targets) - 1, targets  # the first one was asked once more


def not_asked_in_searches(s, fake):
    heard = len(fake.heard)
    status, answer = search(s, "action", {"subject": entity("agent", "bot"), "resource": entity("r", "1")})
    assert status == 200 and found("action", answer) == ["free"] and len(fake.heard) == heard, answer


def main(pawl):
    with pawl_server.Server(pawl, POLICY) as s:
        s.token("enforcer", roles=["enforcer"], person="gateway")
        s.token("viewer", roles=["viewer"], person="vera")
        s.token("alice", roles=["agent"], agent="user/alice")
        for scene in SCENES:
            print(scene.__name__, flush=True)
            scene(s)
    with pawl_server.Server(pawl, MANY) as s:
        s.token("enforcer", roles=["enforcer"], person="gateway")
        for scene in (many, resources, stopped):
            print(scene.__name__, flush=True)
            scene(s)
    fake = test_validators.Fake()
    with pawl_server.Server(pawl, JUDGE.replace("@PORT@", str(fake.port))) as s:
        s.token("enforcer", roles=["enforcer"], person="gateway")
        for scene in (judged, gone_in_the_middle, not_asked_in_searches):
            print(scene.__name__, flush=True)
            scene(s, fake)
        assert s.command("verify", "--deep", "--data", str(s.folder / "data")).returncode == 0


if __name__ == "__main__":
    main(sys.argv[1])
