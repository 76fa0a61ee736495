#!/usr/bin/env python3
"""Every POST of the API, sent again: what docs/openapi.yaml says of it under x-repeat is what comes of it.

A path without a row here fails, so that a new one comes with its decision.
"""
import json
import pathlib
import re
import subprocess
import sys

import pawl_server

OPENAPI = pathlib.Path(__file__).resolve().parents[2] / "docs/openapi.yaml"
NONCE = "executor-0123456789"

POLICY = """
policy:
  start_deadline: 1s
  checks:
    aqdd: {mode: "off"}
    her_trend: {mode: "off"}
    breaker: {max_failures: 50}
  limits: {pending_per_agent: 100}
  agents:
    - {name: bot, owner: alice}
    - {name: cat, owner: alice}
  services:
    - {name: shop, slo: {objective: 99, events: true}}
    - {name: web, slo: {objective: 90, window: 1h, events: true}}
    - {name: fair, slo: {objective: 99, events: true}}
  tools:
    - {name: scale, class: write, services: [shop], parameters: {type: object}}
    - {name: frozen, class: write, services: [fair], parameters: {type: object}}
    - {name: look, class: read, services: [shop], parameters: {type: object}}
    - name: mend
      class: write
      services: [shop]
      parameters: {type: object}
      revert: {argv: [/bin/true], timeout: 5s}
    - name: harm
      class: write
      services: [web]
      parameters: {type: object}
      observe: {for: 3s, max_drop_pct: 5}
  freezes:
    - {name: sale, services: [fair], from: 2020-01-01T00:00:00Z, until: 2040-01-01T00:00:00Z}
"""


class World:
    """The server, and numbers that are used once."""

    def __init__(self, s, levers):
        self.s, self.levers, self.n = s, levers, 0

    def next(self):
        self.n += 1
        return self.n

    def propose(self, tool="scale", state="allowed", **more):
        status, answer = self.s.call("POST", "/v1/actions", {"tool": tool, "parameters": {"n": self.next()}, **more}, token="bot")
        assert status == 201 and answer["state"] == state, answer
        return answer

    def committed(self, tool="scale"):
        answer = self.propose(tool)
        status, grant = self.s.call("POST", f"/v1/actions/{answer['action_id']}/commit",
                                    {"executor_nonce": NONCE, "digest": answer["digest"]}, token="bot")
        assert status == 200 and grant["committed"], grant
        return answer["action_id"]

    def finished(self, tool):
        action = self.committed(tool)
        assert self.s.call("POST", f"/v1/actions/{action}/outcome", {"executor_nonce": NONCE, "result": "succeeded"},
                           token="bot")[0] == 200
        return action

    def unknown(self):
        action = self.committed()
        self.s.wait_for(lambda: self.s.call("GET", f"/v1/actions/{action}")[1]["state"] == "unknown")
        return action

    def escalated(self):
        return self.propose(state="escalated", wants_person="sure?")

    def incident(self):
        self.count("web", 1000, 1000)
        self.finished("harm")
        self.count("web", 0, 300)
        return self.s.wait_for(lambda: self.s.call("GET", "/v1/incidents")[1]["items"])[0]["incident_id"]

    def count(self, service, good, total):
        assert self.s.call("POST", "/v1/events", {"type": "sli", "service": service, "good": good, "total": total},
                           token="source")[0] == 202

    def made(self, path, id_name, body):
        status, answer = self.s.call("POST", path, body)
        assert status == 201, answer
        return answer[id_name]

    def stop(self):
        return self.made("/v1/stops", "stop_id", {"scope": "tool", "name": "look", "level": "pause"})

    def jumped(self):
        self.levers.add_ms(3600 * 1000)
        self.s.wait_for(lambda: self.s.entries(kind="clock.jumped"))
        return "/v1/clock/accept"


# What the row makes before: the path, a body and another one. Then who sends it.
def stop_of(w):
    return {"scope": "agent", "name": "cat", "level": "pause", "reason": f"odd {w.next()}"}


def approval(w):
    a = w.escalated()
    body = {"digest": a["digest"], "decision_id": a["decision_id"]}
    return f"/v1/approvals/{a['action_id']}/approve", body, {**body, "shown_at": "2026-01-01T00:00:00Z"}


def override(w):
    a = w.propose("frozen", "held")
    body = {"check": "freeze", "digest": a["digest"], "decision_id": a["decision_id"], "reason": "so"}
    return f"/v1/approvals/{a['action_id']}/override", body, {**body, "reason": "so it is"}


def other_policy(s, ttl):
    """A configuration whose policy differs in one thing only, in a file of its own."""
    text = s.config.read_text().replace("policy:\n", f"policy:\n  proposal_ttl: {ttl}m\n", 1)
    path = s.folder / f"other-{ttl}.yaml"
    path.write_text(text)
    path.chmod(0o600)
    return path


def rollback(w):
    s, first = w.s, w.s.call("GET", "/v1/policy")[1]["seq"]
    kept = s.config.read_text()
    s.config.write_text(other_policy(s, 59).read_text())
    assert s.call("POST", "/v1/policy/reload", {})[0] == 200
    s.config.write_text(kept)
    return "/v1/policy/rollback", {"seq": first, "reason": "so"}, {"seq": first, "reason": "so it is"}


def bundle(w):
    def made(ttl):
        out = w.s.folder / f"bundle-{ttl}"
        done = w.s.command("policy", "bundle", "--config", str(other_policy(w.s, ttl)), "--key", str(w.s.folder / "key"), "--name", "ci",
                           "--author", "ann", str(out))
        assert done.returncode == 0, done
        return json.loads(out.read_text())
    return "/v1/policy", made(58), made(57)


def with_reason(path):
    return lambda w: (path(w), {"reason": "so"}, {"reason": "so it is"})


ROWS = {
    "/v1/actions": (lambda w: ("/v1/actions", {"tool": "scale", "parameters": {"n": w.next()}},
                               {"tool": "scale", "parameters": {"n": w.next()}}), "bot"),
    "/v1/actions/{}/outcome": (lambda w: (f"/v1/actions/{w.committed()}/outcome",
                                          {"executor_nonce": NONCE, "result": "succeeded"},
                                          {"executor_nonce": NONCE, "result": "failed"}), "bot"),
    "/v1/actions/{}/cancel": (with_reason(lambda w: f"/v1/actions/{w.propose()['action_id']}/cancel"), "bot"),
    "/v1/actions/{}/revert": (with_reason(lambda w: f"/v1/actions/{w.finished('mend')}/revert"), "admin"),
    "/v1/actions/{}/settle": (lambda w: (f"/v1/actions/{w.unknown()}/settle", {"result": "succeeded", "reason": "seen"},
                                         {"result": "failed", "reason": "seen"}), "admin"),
    "/v1/approvals/{}/approve": (approval, "carol"),
    "/v1/approvals/{}/override": (override, "olga"),
    "/v1/approvals/{}/reject": (with_reason(lambda w: f"/v1/approvals/{w.escalated()['action_id']}/reject"), "carol"),
    "/v1/agents": (lambda w: ("/v1/agents", {"name": "dog", "owner": "x"}, {"name": "dog", "owner": "y"}), "admin"),
    "/v1/services": (lambda w: ("/v1/services", {"name": "mail", "owner": "x"}, {"name": "mail", "owner": "y"}), "admin"),
    "/v1/tools": (lambda w: ("/v1/tools", {"name": "bite", "class": "read", "services": ["shop"]},
                             {"name": "bite", "class": "write", "services": ["shop"]}), "admin"),
    "/v1/events": (lambda w: ("/v1/events", {"type": "sli", "service": "shop", "good": 1, "total": 1},
                              {"type": "sli", "service": "shop", "good": 1, "total": 2}), "source"),
    "/v1/stops": (lambda w: ("/v1/stops", stop_of(w), stop_of(w)), "admin"),
    "/v1/stops/{}/resume": (with_reason(lambda w: f"/v1/stops/{w.stop()}/resume"), "admin"),
    "/v1/breakers": (lambda w: ("/v1/breakers", {"agent": "cat", "state": "open", "reason": "a"},
                                {"agent": "cat", "state": "closed", "reason": "a"}), "admin"),
    "/v1/tiers": (lambda w: ("/v1/tiers", {"agent": "cat", "tier": "shadow", "reason": "a"},
                             {"agent": "cat", "tier": "read_only", "reason": "a"}), "admin"),
    "/v1/grants": (lambda w: ("/v1/grants", {"agent": "cat", "tool": "*", "target": "*", "expires_in": "1h", "reason": "a"},
                              {"agent": "cat", "tool": "*", "target": "*", "expires_in": "2h", "reason": "a"}), "admin"),
    "/v1/grants/{}/revoke": (with_reason(lambda w: "/v1/grants/" + w.made("/v1/grants", "grant_id", {
        "agent": "cat", "tool": "scale", "target": "*", "expires_in": "1h", "reason": "a"}) + "/revoke"), "admin"),
    "/v1/incidents": (lambda w: ("/v1/incidents", {"service": "shop"}, {"service": "shop", "symptom": "latency"}), "admin"),
    "/v1/graph": (lambda w: ("/v1/graph", {"source": "hand", "nodes": [{"node": "queue:a"}]},
                             {"source": "hand", "nodes": [{"node": "queue:b"}]}), "admin"),
    "/v1/incidents/{}/close": (with_reason(lambda w: f"/v1/incidents/{w.incident()}/close"), "admin"),
    "/v1/tokens": (lambda w: ("/v1/tokens", {"roles": ["viewer"], "person": "vic"}, {"roles": ["admin"], "person": "vic"}), "admin"),
    "/v1/tokens/{}/revoke": (with_reason(lambda w: "/v1/tokens/" + w.made("/v1/tokens", "token_id", {
        "roles": ["viewer"], "person": "sam"}) + "/revoke"), "admin"),
    "/v1/policy": (bundle, "admin"),
    "/v1/policy/rollback": (rollback, "admin"),
    "/v1/clock/accept": (lambda w: (w.jumped(), {}, {"more": 1}), "admin"),
}


# --- the page -----------------------------------------------------------------------------------------------------

def read_page():
    """{path: what a repeat is}, ids as {}."""
    found, path = {}, None
    for line in OPENAPI.read_text().splitlines():
        if match := re.match(r'  "(/.*)":$', line):
            path = re.sub(r"{[^}]*}", "{}", match.group(1))
        if match := re.match(r"      x-repeat: (\w+)$", line):
            found[path] = match.group(1)
    return found


def main(pawl, preloaded):
    page = read_page()
    assert {path for path, what in page.items() if what == "key"} == set(ROWS), page
    assert {path for path, what in page.items() if what != "key"} == set(OTHERS), page
    s = pawl_server.Server(pawl, POLICY)
    levers = pawl_server.Levers(s.folder)
    s.extra = levers.environment(preloaded)
    key = subprocess.run([pawl, "policy", "key", "--name", "ci", str(s.folder / "key")], capture_output=True, text=True, check=True)
    s.config.write_text(s.config.read_text().replace("server:\n", f"server:\n  policy_keys: [\"{key.stdout.strip()}\"]\n", 1))
    with s:
        s.token("bot", roles=["agent"], agent="bot")
        s.token("carol", roles=["approver"], person="carol")
        s.token("olga", roles=["override"], person="olga")
        s.token("source", roles=["source"], person="feed", services="*")
        w = World(s, levers)
        w.count("shop", 1000, 1000)
        w.count("fair", 1000, 1000)
        kept = [once(w, path) for path in ROWS]
        many_events(w)
        for path, check in OTHERS.items():
            check(w, path)
        s.stop()
        s.start()
        for again in kept:
            again()


def send(s, path, body, token, key):
    status, _, text = s.send("POST", path, json.dumps(body).encode(), token, {"Idempotency-Key": key})
    return status, json.loads(text)


# What stays the same in an answer whatever happens meanwhile.
IDS = ("action_id", "decision_id", "stop_id", "grant_id", "token_id", "incident_id", "name", "version", "agent", "accepted",
       "digest")


def once(w, row):
    """The first does it; the second is answered and does nothing; another body is refused. Then once more, for later."""
    path, body, other = ROWS[row][0](w)
    token, key = ROWS[row][1], "key-of-" + row
    status, first = send(w.s, path, body, token, key)
    assert status in (200, 201, 202), (row, status, first)

    def again():
        before = len(w.s.entries())
        status_again, second = send(w.s, path, body, token, key)
        if row == "/v1/tokens":
            assert status_again == 409 and first["token_id"] + " was made" in second["detail"], second
            assert "token" not in second and first["token"] not in str(second), second
        else:
            assert status_again == (200 if row == "/v1/actions" else status), (row, status_again, second)
            same = [name for name in IDS if name in first and name in second]
            assert [first[n] for n in same] == [second[n] for n in same], (row, first, second)
        refused, problem = send(w.s, path, other, token, key)
        assert refused == 422 and "another body" in problem["detail"], (row, refused, problem)
        after = w.s.entries()[before:]
        assert not [e for e in after if e["kind"] not in ("revert.finished", "sli.bucket")], (row, after)

    again()
    return again


def counted(s):
    return [sum(e["body"][n] for e in s.entries(kind="sli.bucket") if e["body"]["service"] == "shop") for n in ("good", "total")]


def many_events(w):
    """Counted once, also when the repeat comes while the first waits; a body of several kinds has one key."""
    s, body = w.s, {"events": [{"type": "deploy.started", "service": "web", "id": "d1"},
                               {"type": "sli", "service": "shop", "good": 3, "total": 5},
                               {"type": "sli", "service": "web", "good": 1, "total": 1}]}
    good, total = counted(s)
    for _ in range(3):
        assert send(s, "/v1/events", body, "source", "many") == (202, {"accepted": 3})
    assert send(s, "/v1/events", {**body, "events": body["events"][:2]}, "source", "many")[0] == 422
    assert counted(s) == [good + 3, total + 5], (good, total, counted(s))
    assert len(s.entries(kind="deploy.started")) == 1
    for event in ({"type": "deploy.ended", "id": "d1"}, {"type": "on_call.changed", "people": ["ann"]},
                  {"type": "snapshot.taken", "id": "s1"}, {"type": "rollback.tested", "id": "r1", "result": "succeeded"}):
        for _ in range(2):
            assert send(s, "/v1/events", {**event, "service": "web"}, "source", event["type"])[0] == 202
        assert len(s.entries(kind=event["type"])) == 1, event
        assert send(s, "/v1/events", {**event, "service": "shop"}, "source", event["type"])[0] == 422


# --- without a key ------------------------------------------------------------------------------------------------

def commit(w, _):
    """The holder of the nonce gets the same grant, nobody else does."""
    action = w.propose()
    path = f"/v1/actions/{action['action_id']}/commit"
    body = {"executor_nonce": NONCE, "digest": action["digest"]}
    first = w.s.call("POST", path, body, token="bot")[1]
    assert first["committed"], first
    before = len(w.s.entries())
    assert w.s.call("POST", path, body, token="bot")[1]["grant"]["grant_id"] == first["grant"]["grant_id"]
    assert w.s.call("POST", path, {**body, "executor_nonce": "another-nonce-1234"}, token="bot")[0] == 409
    assert len(w.s.entries()) == before


def heartbeat(w, _):
    action = w.committed()
    for _ in range(2):
        assert w.s.call("POST", f"/v1/actions/{action}/heartbeat", {"executor_nonce": NONCE}, token="bot") == (200, {"cancel": False})
    assert w.s.call("POST", f"/v1/actions/{action}/heartbeat", {"executor_nonce": "another-nonce-1234"}, token="bot")[0] == 403


def decide(w, _):
    action = w.propose()["action_id"]
    for _ in range(2):
        status, answer = send(w.s, f"/v1/actions/{action}/decide", {}, "bot", "asked")
        assert status == 200 and answer["action_id"] == action, answer


def evaluate(w, path):
    for n in (1, 1, 2):
        before = len(w.s.entries())
        status, answer = send(w.s, path, {"tool": "scale", "parameters": {"n": n}}, "bot", "asked")
        assert status == 200 and answer["recorded"] is False and len(w.s.entries()) == before, answer


def authzen(w, path):
    question = {"subject": {"type": "agent", "id": "bot"}, "action": {"name": "look"}, "resource": {"type": "service", "id": "shop"}}
    for n in (1, 2):
        body = {"evaluations": [question] * n} if path.endswith("evaluations") else question
        status, answer = send(w.s, path, body, "bot", "asked")
        assert status == 200, (path, status, answer)


def reload(w, path):
    first = send(w.s, path, {}, "admin", "again")
    before = len(w.s.entries())
    assert first[0] == 200 and send(w.s, path, {}, "admin", "again")[0] == 200 and len(w.s.entries()) == before


def traces(w, path):
    """Spans are counted whenever they come: exporters send a batch again only when nobody answered."""
    body = {"resourceSpans": []}
    for _ in range(2):
        assert w.s.call("POST", path, body) == (200, {})


def recall(w, path):
    """Each question is an entry of its own."""
    first, again = (w.s.call("POST", path, {"shape": "service | any"})[1] for _ in range(2))
    assert first["read_entry"] < again["read_entry"] and first["seen"] == again["seen"]


OTHERS = {"/v1/traces": traces, "/v1/memory/recall": recall, "/v1/actions/{}/commit": commit, "/v1/actions/{}/heartbeat": heartbeat, "/v1/actions/{}/decide": decide,
          "/v1/evaluate": evaluate, "/access/v1/evaluation": authzen, "/access/v1/evaluations": authzen,
          **{f"/access/v1/search/{of}": authzen for of in ("subject", "resource", "action")},
          "/v1/policy/reload": reload}


if __name__ == "__main__":
    main(*sys.argv[1:])
