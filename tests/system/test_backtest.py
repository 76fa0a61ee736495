#!/usr/bin/env python3
"""A real history, in which a change did harm and was taken back; then other policies on it: beside the server, on its
folder after it, on a backup. What a request would come to now; how often rules held."""
import json
import re
import sys

import pawl_server

POLICY = """
policy:
  checks:
    error_budget: {max_age: 1h}
  agents:
    - {name: bot, owner: alice, tier: autonomous}
    - {name: odd, owner: alice}
  services:
    - {name: shop, traffic_pct: 30, slo: {objective: 90, window: 1h, events: true}}
  tools:
    - name: weight
      class: write
      services: [shop]
      parameters: {type: object, properties: {n: {type: integer}}, required: [n]}
      observe: {for: 2s, max_drop_pct: 5}
      revert: {argv: [/bin/true, "{n}"], timeout: 10s}
    - name: old
      class: read
      services: [shop]
"""

RULES = """
- name: watching
  match: {tools: [weight]}
  condition: action.params.n > 2
  verdict: deny
  mode: shadow
"""

STRICTER = """
- name: no-seven
  match: {tools: [weight]}
  condition: action.params.n == 7
  verdict: escalate
  message: '"weight " + string(action.params.n) + " broke the shop before"'
"""


def write(s, name, text):
    path = s.folder / name
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.write_text(text)
    path.chmod(0o600)
    return str(path)


def events(s, good, total=1000):
    status, answer = s.call("POST", "/v1/events", {"type": "sli", "service": "shop", "good": good, "total": total}, token="source")
    assert status == 202, answer


def propose(s, token="bot", **request):
    status, answer = s.call("POST", "/v1/actions", request, token=token)
    assert status == 201, answer
    return answer


def state(s, action):
    return s.call("GET", f"/v1/actions/{action}")[1]["state"]


def run(s, p, end):
    nonce = "0123456789abcdef" + p["action_id"]
    status, answer = s.call("POST", f"/v1/actions/{p['action_id']}/commit", {"executor_nonce": nonce, "digest": p["digest"]}, token="bot")
    assert status == 200 and answer["committed"], answer
    status, answer = s.call("POST", f"/v1/actions/{p['action_id']}/outcome", {"executor_nonce": nonce, "result": "succeeded"}, token="bot")
    assert status == 200, answer
    if end == "reverted":
        events(s, 0, 300)
    s.wait_for(lambda: state(s, p["action_id"]) == end)


def history(s):
    """One that is well, one that did harm, one that nothing came of, one that nobody may."""
    events(s, 1000)
    good = propose(s, tool="weight", parameters={"n": 1})
    assert good["verdict"] == "allow", good
    run(s, good, "verified")
    bad = propose(s, tool="weight", parameters={"n": 7})
    assert bad["verdict"] == "allow", bad
    run(s, bad, "reverted")
    assert propose(s, tool="old", token="odd")["verdict"] == "allow"
    assert propose(s, tool="nothing")["verdict"] == "deny"
    return good, bad


def backtest(s, *words, data=None):
    done = s.command("backtest", *words, "--data", data or str(s.folder / "data"), "--json", token=None)
    assert done.returncode == 0 and done.stderr == "", done
    return json.loads(done.stdout)


def the_policy_in_force_changes_nothing(s, data):
    report = backtest(s, str(s.config), data=data)
    assert (report["decisions"], report["changed"], report["not_decidable"]) == (4, 0, 0), report
    assert (report["harm"]["actions"], report["good"]["actions"]) == (1, 1), report
    assert report["only_in_force"] == {"agents": [], "services": [], "tools": []}, report
    assert report["by_rule"] == [{"rule": "watching", "mode": "shadow", "held_before": 1, "decided_before": 0, "held": 1,
                                  "decided": 0, "would_block": 1, "allowed_now": 0}], report["by_rule"]


def a_stricter_one_stops_the_harm(s, bad, data):
    report = backtest(s, write(s, "stricter.yaml", STRICTER), data=data)
    assert (report["changed"], report["stricter"], report["matrix"]["allow"]["escalate"]) == (1, 1, 1), report
    assert report["harm"] == {"actions": 1, "stopped": 1, "let_through": 0, "not_decidable": 0}, report
    assert report["good"] == {"actions": 1, "blocked": 0, "not_decidable": 0}, report
    example = report["examples"]["stopped_harm"][0]
    assert example["action_id"] == bad["action_id"] and example["agent"] == "bot", example
    assert example["now"] == {"verdict": "escalate", "blocking_check": "rules",
                              "reason": "rule no-seven: weight 7 broke the shop before"}, example
    assert [(r["agent"], r["changed"]) for r in report["by_agent"]] == [("bot", 1), ("odd", 0)], report
    only = backtest(s, str(s.folder / "stricter.yaml"), "--agent", "odd", "--agent", "x*", data=data)
    assert (only["decisions"], only["changed"]) == (1, 0), only


def another_configuration(s, bad):
    """Another SLO is fed by the same events; what it no longer declares stays as it was."""
    text = POLICY.replace("objective: 90", "objective: 99.99").split("    - name: old")[0].replace("    - {name: odd, owner: alice}\n", "")
    path = write(s, "other/pawl.yaml", text)
    report = backtest(s, path)
    assert report["only_in_force"] == {"agents": ["odd"], "services": [], "tools": ["old"]}, report
    assert report["not_decidable"] == 0 and report["decisions"] == 4, report
    done = s.command("backtest", path, "--data", str(s.folder / "data"), token=None)
    assert done.returncode == 0 and "taken as they were: tools old" in done.stdout, done
    assert "Before (rows) and now (columns)" in done.stdout and done.stderr == "", done
    code, said = s.terminal("admin", None, "backtest", path, "--data", str(s.folder / "data"))
    assert code == 0 and "4 decisions" in said, said


def bad_input_is_said(s):
    data = str(s.folder / "data")
    rules = str(s.folder / "stricter.yaml")
    bad = write(s, "bad.yaml", "- {name: bad, verdict: deny, condition: 'agent.teir == \"x\"'}")
    broken = write(s, "broken/pawl.yaml", "policy: {agents: [{nam: x}]}")
    open_to_all = write(s, "open.yaml", STRICTER)
    (s.folder / "open.yaml").chmod(0o666)
    none = write(s, "none.db", "no ledger at all, but text that goes on for a while " * 100)
    for code, text, words in (
            (2, "expected a configuration file, or files of rules", ["--data", data]),
            (1, "nowhere.yaml", ["nowhere.yaml", "--data", data]),
            (1, "bad.yaml:1:41", [bad, "--data", data]),
            (1, "broken/pawl.yaml:1:25", [broken, "--data", data]),
            (1, "chmod go-w", [open_to_all, "--data", data]),
            (1, "expected one configuration file, or files of rules only", [str(s.config), rules, "--data", data]),
            (1, "nowhere", [rules, "--data", str(s.folder / "nowhere")]),
            (1, "none.db", [rules, "--data", none]),
            (1, "expected a span such as 7d, or a moment", [rules, "--data", data, "--since", "soon"]),
            (1, "expected a moment", [rules, "--data", data, "--until", "7d"]),
            (1, "no action was decided from", [rules, "--data", data, "--since", "1h", "--until", "2001-01-01T00:00:00Z"]),
            (1, "no action of these agents was decided", [rules, "--data", data, "--agent", "nobody"]),
            (1, "--since is not before --until", [rules, "--data", data, "--since", "2031-01-01T00:00:00Z", "--until", "2030-01-01T00:00:00Z"]),
            (1, "limit-examples", [rules, "--data", data, "--limit-examples", "101"])):
        done = s.command("backtest", *words, token=None)
        assert done.returncode == code and text in done.stderr and done.stdout == "", (words, done)


def simulate(s):
    before = len(s.entries())
    request = write(s, "request.json", '{"tool": "weight", "parameters": {"n": 9}, "intent": "more"}')
    done = s.command("simulate", request, token="bot")
    assert done.returncode == 22, done  # the harm has used up the budget
    assert re.search(r"^verdict +escalate$", done.stdout, re.M) and "watching (deny, shadow)" in done.stdout, done.stdout
    assert "error_budget" in done.stdout and "1 services, 30 % of the traffic" in done.stdout, done.stdout
    done = s.command("simulate", "-", "--json", token="odd", stdin='{"tool": "old"}')
    answer = json.loads(done.stdout)
    assert done.returncode == 0 and answer["verdict"] == "allow" and answer["recorded"] is False, done
    assert len(answer["findings"]) > 20 and answer["rules"] == [] and answer["blast_radius"]["services"] == 0, answer
    done = s.command("simulate", "-", token="bot", stdin='{"tool": "nothing"}')
    assert done.returncode == 23 and "catalogue" in done.stdout, done
    assert s.command("simulate", "-", token="bot", stdin="{").returncode == 1
    assert s.command("simulate", token="bot").returncode == 2
    short = s.call("POST", "/v1/evaluate", {"tool": "old"}, token="odd")[1]
    assert "findings" not in short, short
    assert len(s.entries()) == before, "a simulation leaves no trace"


def rules_are_counted(s):
    def held():
        text = s.send("GET", "/metrics")[2].decode()
        return re.findall(r'^pawl_rule_held_total\{rule="([^"]+)",mode="([^"]+)"\} (\d+)$', text, re.M)
    assert held() == [("watching", "shadow", "1")], held()
    write(s, "rules/house.yaml", RULES + "- {name: never, condition: 'false', verdict: hold}\n- {name: out, condition: 'true', verdict: deny, mode: 'off'}\n")
    assert s.command("policy", "reload").returncode == 0
    assert held() == [("watching", "shadow", "1"), ("never", "enforce", "0")], held()
    propose(s, tool="weight", parameters={"n": 3})
    assert held() == [("watching", "shadow", "2"), ("never", "enforce", "0")], held()


def main(pawl):
    s = pawl_server.Server(pawl, POLICY)
    write(s, "rules/house.yaml", RULES)
    with s:
        s.token("bot", roles=["agent"], agent="bot")
        s.token("odd", roles=["agent"], agent="odd")
        s.token("source", roles=["source"], services="shop", person="prober")
        good, bad = history(s)
        print("beside the server", flush=True)
        the_policy_in_force_changes_nothing(s, None)
        a_stricter_one_stops_the_harm(s, bad, None)
        another_configuration(s, bad)
        bad_input_is_said(s)
        print("a backup", flush=True)
        copy = s.folder / "copy"
        done = s.command("backup", "--data", str(s.folder / "data"), "--to", str(copy), token=None)
        assert done.returncode == 0, done
        ledger = copy if copy.is_file() else next(p for p in copy.rglob("*.db"))
        the_policy_in_force_changes_nothing(s, str(ledger))
        a_stricter_one_stops_the_harm(s, bad, str(ledger))
        simulate(s)
        rules_are_counted(s)
        s.stop()
        print("after it", flush=True)
        report = backtest(s, str(s.folder / "stricter.yaml"), "--since", "1h")
        assert report["harm"]["stopped"] == 1, report
        s.start()


if __name__ == "__main__":
    main(sys.argv[1])
