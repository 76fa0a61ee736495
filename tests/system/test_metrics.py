#!/usr/bin/env python3
"""What /metrics says: every name the example's alerts use, what moves them, and nothing of an action."""
import pathlib
import re
import shutil
import subprocess
import sys

import pawl_server

ROOT = pathlib.Path(__file__).resolve().parents[2]
RULES = ROOT / "examples/prometheus/pawl.rules.yml"
CASES = ROOT / "tests/cases/prometheus/pawl.rules.test.yml"
SECRET = "an intent that is nobody's business"

POLICY = """
policy:
  checks:
    breaker: {max_failures: 1}
  start_deadline: 1s
  heartbeat: 1s
  agents:
    - {name: robot-7, owner: alice}
  services:
    - {name: shop, slo: {objective: 99, events: true}}
    - {name: mail, slo: {objective: 99, events: true}}
    - {name: plain}
  tools:
    - name: resize
      class: write
      services: [shop]
      parameters: {type: object, properties: {n: {type: integer}}, required: [n]}
    - {name: drop, class: destructive, services: [shop]}
    - {name: send, class: write, services: [mail]}
"""


def scrape(s):
    """{name or name{labels}: number}; the text is well formed, or this fails."""
    status, headers, text = s.send("GET", "/metrics")
    assert status == 200 and headers["Content-Type"].startswith("text/plain; version=0.0.4"), headers
    text = text.decode()
    assert SECRET not in text and "robot-7" not in text and "resize" not in text, text
    if shutil.which("promtool"):
        linted = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
        assert linted.returncode == 0, linted.stdout + linted.stderr
    found, typed = {}, set()
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            name = line.split()[2]
            assert name not in typed, ("a family in two pieces", name)
            typed.add(name)
        elif not line.startswith("#"):
            key, value = line.rsplit(" ", 1)
            assert key not in found, key
            found[key] = float(value)
    return found


def family(key):
    return re.sub(r"_(bucket|sum|count)$", "", key.split("{")[0])


# --- the rules --------------------------------------------------------------------------------------------

def expressions():
    return re.findall(r"^ +expr: (.+)$", RULES.read_text(), re.M)


def rules_are_valid():
    if shutil.which("promtool") is None:
        print("no promtool: the rules are not checked by it")
        return
    checked = subprocess.run(["promtool", "check", "rules", str(RULES)], capture_output=True, text=True)
    assert checked.returncode == 0 and "SUCCESS" in checked.stdout, checked.stdout + checked.stderr
    tested = subprocess.run(["promtool", "test", "rules", str(CASES)], capture_output=True, text=True)
    assert tested.returncode == 0 and "SUCCESS" in tested.stdout, tested.stdout + tested.stderr
    alerts = set(re.findall(r"alert: (\w+)", RULES.read_text()))
    assert alerts == set(re.findall(r'alertname="(\w+)"', CASES.read_text())), "a case for every alert"


def rules_name_what_is_there(s):
    shown = {family(key) for key in scrape(s)}
    used = set()
    for expression in expressions():
        used |= {family(name) for name in re.findall(r"\bpawl_\w+", expression)}
    assert len(used) >= 18, used
    assert used <= shown, used - shown
    recorded = set(re.findall(r"record: (\S+)", RULES.read_text()))
    named = {name for e in expressions() for name in re.findall(r"\bpawl:[\w:]+", e)}
    assert named <= recorded and recorded <= named, (named, recorded)


def rules_lead_to_the_runbook():
    headings = re.findall(r"^## (.+)$", (ROOT / "docs/runbook.md").read_text(), re.M)
    anchors = {re.sub(r"[^a-z0-9 -]", "", h.lower()).replace(" ", "-") for h in headings}
    alerts = re.findall(r"alert: (\w+)", RULES.read_text())
    led = re.findall(r'runbook: "docs/runbook\.md#([^"]+)"', RULES.read_text())
    assert len(led) == len(alerts) > 10, (led, alerts)
    assert set(led) <= anchors, set(led) - anchors


# --- what moves -------------------------------------------------------------------------------------------

def propose(s, tool, parameters=None):
    body = {"tool": tool, "intent": SECRET}
    if parameters is not None:
        body["parameters"] = parameters
    status, answer = s.call("POST", "/v1/actions", body, token="bot")
    assert status == 201, answer
    return answer


def counters(s):
    before = scrape(s)
    assert propose(s, "resize", {"n": 1})["verdict"] == "allow"
    assert propose(s, "nothing")["verdict"] == "deny"
    assert s.send("GET", "/v1/status", token="wrong")[0] == 401
    after = scrape(s)
    for key in ('pawl_decisions_total{verdict="allow"}', 'pawl_decisions_total{verdict="deny"}',
                "pawl_unauthenticated_total", 'pawl_http_responses_total{class="4xx"}'):
        assert after[key] == before[key] + 1, (key, before[key], after[key])
    assert after["pawl_ledger_batches_total"] > before["pawl_ledger_batches_total"]
    assert after["pawl_ledger_durable_entries"] == after["pawl_ledger_entries"]


def histogram(s):
    found = scrape(s)
    name = "pawl_ledger_commit_duration_seconds"
    buckets = [v for k, v in found.items() if k.startswith(name + "_bucket")]
    assert len(buckets) == 13 and buckets == sorted(buckets), buckets
    assert buckets[-1] == found[name + "_count"] >= found["pawl_ledger_batches_total"] > 0
    bounds = re.findall(r'_bucket\{le="([^"]+)"', "\n".join(found))
    assert bounds[-1] == "+Inf" and [float(b) for b in bounds[:-1]] == sorted(float(b) for b in bounds[:-1])
    assert found[name + "_sum"] > 0


def approvals(s):
    assert scrape(s)["pawl_pending_approval_age_seconds"] == 0
    escalated = propose(s, "drop")
    assert escalated["verdict"] == "escalate", escalated
    found = s.wait_for(lambda: (lambda m: m if m["pawl_pending_approval_age_seconds"] > 0 else None)(scrape(s)))
    assert found["pawl_pending_approvals"] == 1
    status, answer = s.call("POST", f"/v1/approvals/{escalated['action_id']}/reject", {"reason": "no"}, token="carol")
    assert status == 200, answer
    found = scrape(s)
    assert found["pawl_pending_approvals"] == 0 and found["pawl_pending_approval_age_seconds"] == 0


def signals(s):
    found = scrape(s)
    assert found['pawl_signal_known{service="shop"}'] == 1
    assert found['pawl_error_budget_remaining_ratio{service="shop"}'] == 1
    assert 0 <= found['pawl_signal_age_seconds{service="shop"}'] < 60
    assert found['pawl_signal_known{service="mail"}'] == 0
    assert 'pawl_signal_age_seconds{service="mail"}' not in found
    assert not any('service="plain"' in key for key in found), "a service without an SLO has no signal"


def lost(s):
    """An execution that never says how it ended is unknown, and a failure of its agent."""
    assert scrape(s)["pawl_unknown_actions"] == scrape(s)["pawl_breakers_open"] == 0
    assert commit(s, propose(s, "resize", {"n": 2}))[0] == 200
    found = s.wait_for(lambda: (lambda m: m if m["pawl_unknown_actions"] == 1 else None)(scrape(s)))
    assert found["pawl_breakers_open"] == 1, found


def commit(s, decided):
    return s.call("POST", f"/v1/actions/{decided['action_id']}/commit",
                  {"executor_nonce": "executor-0123456789", "digest": decided["digest"]}, token="bot")


def states(s):
    found = s.wait_for(lambda: (lambda m: m if m["pawl_checkpoint_lag_seconds"] == 0 else None)(scrape(s)))
    assert found["pawl_ledger_healthy"] == 1 and found["pawl_clock_jumped"] == 0 and found["pawl_policy_error"] == 0
    assert 0 < found["pawl_disk_free_bytes"] <= found["pawl_disk_size_bytes"]
    assert found["pawl_stops"] == 0
    s.call("POST", "/v1/stops", {"scope": "service", "name": "mail", "reason": "drill"})
    assert scrape(s)["pawl_stops"] == 1


def main(pawl):
    rules_are_valid()
    rules_lead_to_the_runbook()
    with pawl_server.Server(pawl, POLICY) as s:
        s.token("bot", roles=["agent"], agent="robot-7")
        s.token("carol", roles=["approver"], person="carol")
        s.token("source", roles=["source"], person="probe", services="*")
        assert s.call("POST", "/v1/events", {"type": "sli", "service": "shop", "good": 10, "total": 10},
                      token="source")[0] == 202
        for scene in (counters, histogram, approvals, signals, lost, states, rules_name_what_is_there):
            print(scene.__name__, flush=True)
            scene(s)


if __name__ == "__main__":
    main(sys.argv[1])
