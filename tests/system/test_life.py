#!/usr/bin/env python3
"""The whole life of an action on a real server: outcome checks and a revert, secrets, quorum, breaker, grants, tiers."""
import json
import os
import sqlite3
import sys
import time

import pawl_server

SECRET = "ghp_" + "a1B2c3D4e5" * 3 + "F6g7h8"
PASSWORD = "corr3ct-horse-battery"

POLICY = """
policy:
  checks:
    error_budget: {max_age: 1h}
    breaker: {max_denials: 3, open_for: 1h}
  quorum:
    - name: two-hands
      tools: [migrate]
      approvals: [{group: sre, count: 1}, {group: dba, count: 1}]
  agents:
    - {name: bot, owner: alice, tier: autonomous}
    - {name: odd, owner: alice}
  services:
    - {name: shop, slo: {objective: 90, window: 1h, events: true}}
  tools:
    - name: weight
      class: write
      services: [shop]
      parameters: {type: object, properties: {n: {type: integer}, token: {type: string}}, required: [n]}
      observe: {for: 3s, max_drop_pct: 5}
      revert: {argv: [@UNDO@, "{n}"], timeout: 10s}
    - name: check
      class: write
      services: [shop]
      parameters: {type: object, properties: {n: {type: integer}}, required: [n]}
      observe: {for: 2s, max_drop_pct: 100, invariants: [{name: answers, argv: [@ASK@, "{n}"], after: 1s, timeout: 1s}]}
      revert: {argv: [@UNDO@, "{n}"], timeout: 10s}
    - name: migrate
      class: write
      services: [shop]
      parameters: {type: object}
"""

UNDO = """#!/bin/sh
# Takes a weight back; leaves a mark that says how often, with what, and in which environment.
{ echo "undone $1"; env; } >> "$(dirname "$0")/undone"
"""


ASK = """#!/bin/sh
# Holds for 1; does not for 2; never answers for 3.
{ echo "asked $1"; env; } >> "$(dirname "$0")/asked"
case $1 in 1) exit 0;; 2) exit 7;; *) exec sleep 60;; esac
"""


def events(s, good, total=1000):
    status, answer = s.call("POST", "/v1/events", {"type": "sli", "service": "shop", "good": good, "total": total},
                            token="source")
    assert status == 202, answer


def propose(s, token="bot", **request):
    status, answer = s.call("POST", "/v1/actions", request, token=token)
    assert status == 201, answer
    return answer


def state(s, action):
    return s.call("GET", f"/v1/actions/{action}")[1]["state"]


def run(s, action, digest, succeeded=True, token="bot"):
    nonce = "0123456789abcdef" + action
    status, answer = s.call("POST", f"/v1/actions/{action}/commit", {"executor_nonce": nonce, "digest": digest}, token=token)
    assert status == 200 and answer["committed"], answer
    status, answer = s.call("POST", f"/v1/actions/{action}/outcome",
                            {"executor_nonce": nonce, "result": "succeeded" if succeeded else "failed"}, token=token)
    assert status == 200, answer


def verified(s):
    p = propose(s, tool="weight", parameters={"n": 1})
    assert p["verdict"] == "allow", p
    run(s, p["action_id"], p["digest"])
    assert state(s, p["action_id"]) == "observing"
    s.wait_for(lambda: state(s, p["action_id"]) == "verified")
    assert not (s.folder / "undone").exists()


def reverted(s):
    p = propose(s, tool="weight", parameters={"n": 7})
    run(s, p["action_id"], p["digest"])
    events(s, 0, 300)  # it broke the service
    s.wait_for(lambda: state(s, p["action_id"]) == "reverted")
    text = (s.folder / "undone").read_text()
    assert text.count("undone") == 1 and "undone 7\n" in text, text
    assert f"PAWL_REVERTS={p['action_id']}" in text and "PAWL_TOKEN" not in text, text
    kinds = [e["kind"] for e in s.entries(action=p["action_id"])]
    assert kinds == ["action.decided", "action.committed", "action.finished", "action.violated", "revert.started",
                     "revert.finished"], kinds
    incidents = s.call("GET", "/v1/incidents")[1]["items"]
    assert [i["action_id"] for i in incidents] == [p["action_id"]], incidents
    done = s.command("incident", "close", incidents[0]["incident_id"], "--reason", "the weight is back")
    assert done.returncode == 0, done
    memory = s.call("GET", "/v1/memory")[1]["items"]
    assert [(m["tool"], m["outcomes"], m["failed"]) for m in memory] == [("weight", 2, 1)], memory


def invariants(s):
    """What its tool declares is asked after it, once, and a no or no answer takes it back."""
    s.stop()
    s.start()
    events(s, 100000, 100000)
    for n, end, detail in ((1, "verified", None), (2, "reverted", "exit status 7"), (3, "reverted", "it took too long and was killed")):
        p = propose(s, tool="check", parameters={"n": n})
        assert p["verdict"] == "allow", p
        run(s, p["action_id"], p["digest"])
        s.wait_for(lambda: state(s, p["action_id"]) == end)
        text = (s.folder / "asked").read_text()
        assert text.count(f"asked {n}\n") == 1 and f"PAWL_ASKS_AFTER={p['action_id']}" in text and "PAWL_TOKEN" not in text, text
        said = [e["body"] for e in s.entries(action=p["action_id"]) if e["kind"] in ("action.verified", "action.violated")]
        assert len(said) == 1, said
        if detail is None:
            assert (said[0]["level"], said[0]["invariants_held"]) == ("verified", 1), said
        else:
            assert (said[0]["invariant"], said[0]["detail"], said[0]["service"]) == ("answers", detail, "shop"), said
            incident = s.call("GET", "/v1/incidents")[1]["items"][0]["incident_id"]
            assert s.command("incident", "close", incident, "--reason", "seen").returncode == 0


def by_hand(s):
    s.stop()
    s.start()  # what is left of the budget is measured again
    events(s, 100000, 100000)
    p = propose(s, tool="weight", parameters={"n": 9})
    assert p["verdict"] == "allow", p
    run(s, p["action_id"], p["digest"])
    s.wait_for(lambda: state(s, p["action_id"]) == "verified")
    done = s.command("actions", "revert", p["action_id"], "--reason", "not wanted after all")
    assert done.returncode == 0, done
    s.wait_for(lambda: state(s, p["action_id"]) == "reverted")
    assert "undone 9\n" in (s.folder / "undone").read_text()


def secrets(s):
    p = propose(s, tool="weight", parameters={"n": 2, "token": SECRET}, intent=f"log in with password={PASSWORD} and go")
    assert p["verdict"] == "allow", p
    again = s.call("POST", "/v1/evaluate", {"tool": "weight", "parameters": {"n": 2, "token": SECRET}}, token="bot")[1]
    assert again["verdict"] == "allow", again
    body = s.entries(action=p["action_id"], kind="action.decided")[0]["body"]
    assert body["redacted"] == 2, body
    assert body["request"]["parameters"]["token"]["$redacted"].startswith("hmac-sha256:"), body
    assert "[redacted:" in body["request"]["intent"], body
    run(s, p["action_id"], p["digest"])
    # Nothing of it is on the disk, wherever one looks.
    s.stop()
    for path in (s.folder / "data").rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert SECRET.encode() not in content and PASSWORD.encode() not in content, path
    log = (s.folder / "server.log").read_text()
    assert SECRET not in log and PASSWORD not in log
    s.start()
    events(s, 100000, 100000)


def quorum(s):
    s.token("dora", roles=["approver"], person="dora", groups="sre")
    s.token("emil", roles=["approver"], person="emil", groups="sre,dba")
    p = propose(s, tool="migrate", parameters={})
    assert (p["verdict"], p["blocking_check"]) == ("escalate", "quorum"), p
    for person, want in (("dora", "escalated"), ("emil", "approved")):
        status, answer = s.call("POST", f"/v1/approvals/{p['action_id']}/approve",
                                {"digest": p["digest"], "decision_id": p["decision_id"]}, token=person)
        assert status == 200 and answer["state"] == want, answer
    run(s, p["action_id"], p["digest"])


def breaker(s):
    for n in range(3):
        assert propose(s, token="odd", tool="no-such-tool", parameters={"n": n})["verdict"] == "deny"
    p = propose(s, token="odd", tool="migrate", parameters={})
    assert (p["verdict"], p["blocking_check"]) == ("deny", "breaker"), p
    shown = s.command("breakers", "--json")
    assert [b["state"] for b in json.loads(shown.stdout) if b["agent"] == "odd"] == ["open"], shown
    done = s.command("breaker", "close", "odd", "--reason", "told it what is there")
    assert done.returncode == 0, done
    assert propose(s, token="odd", tool="migrate", parameters={})["blocking_check"] == "quorum"


def ladder(s):
    done = s.command("tier", "bot", "--to", "shadow", "--service", "shop", "--reason", "drill")
    assert done.returncode == 0, done
    assert propose(s, tool="weight", parameters={"n": 40})["verdict"] == "advise"
    bad = s.command("tier", "bot", "--to", "emperor", "--reason", "drill")
    assert bad.returncode == 1 and "expected read_only" in bad.stderr, bad
    assert s.command("tier", "bot", "--to", "autonomous", "--reason", "drill over").returncode == 0
    granted = s.command("grant", "bot", "--tool", "weight", "--target", "*", "--for", "1h", "--reason", "drill", "--json")
    grant = json.loads(granted.stdout)["grant_id"]
    assert s.command("revoke", grant, "--reason", "over").returncode == 0
    assert "revoked" in s.command("grants").stdout


def main(pawl):
    with pawl_server.Server(pawl, "") as s:
        undo = s.folder / "undo"
        undo.write_text(UNDO)
        undo.chmod(0o755)
        ask = s.folder / "ask"
        ask.write_text(ASK)
        ask.chmod(0o755)
        s.config.write_text(s.config.read_text() + POLICY.replace("@UNDO@", str(undo)).replace("@ASK@", str(ask)))
        s.stop()
        s.start()
        for agent in ("bot", "odd"):
            s.token(agent, roles=["agent"], agent=agent)
        s.token("source", roles=["source"], person="prober", services="*")
        events(s, 1000)
        for scene in (verified, reverted, invariants, by_hand, secrets, quorum, breaker, ladder):
            print(scene.__name__, flush=True)
            scene(s)
        done = s.command("verify", "--deep", "--data", str(s.folder / "data"))
        assert done.returncode == 0, done


if __name__ == "__main__":
    main(sys.argv[1])
