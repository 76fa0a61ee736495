#!/usr/bin/env python3
"""Rules of operators on a real server: beside the configuration, in decisions and their explanation; policies that are
refused, come back, and are shipped signed; the pack of invariants; the page's tables are the program's."""
import json
import pathlib
import subprocess
import sys

import pawl_server

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACK = ROOT / "examples/rules/invariants.yaml"

POLICY = """
policy:
  checks:
    error_budget: {mode: "off"}
  agents:
    - {name: bot, owner: alice, labels: {env: test}}
  services:
    - {name: shop, labels: {replicas: 4, env: prod}}
  tools:
    - {name: scale, class: write, services: [shop], parameters: {type: object}, reversible: true}
    - {name: migrate, class: write, services: [shop], parameters: {type: object}, sql: sql}
"""

RULES = """
- name: twice-at-most
  match: {tools: [scale]}
  condition: action.params.n > 2 * service.labels.replicas
  verdict: escalate
  message: '"from " + string(service.labels.replicas) + " to " + string(action.params.n)'
  tests:
    - {name: more, given: {action: {tool: scale, params: {n: 9}}, service: {labels: {replicas: 4}}}, expect: escalate, message: from 4 to 9}
    - {name: other tool, given: {action: {tool: drop, params: {n: 9}}, service: {labels: {replicas: 4}}}, expect: allow}
- name: watching
  condition: action.params.n > 1
  verdict: deny
  mode: shadow
"""


def main(pawl):
    page_is_what_the_program_says(pawl)
    pack_passes(pawl)
    s = pawl_server.Server(pawl, POLICY)
    vkey = subprocess.run([pawl, "policy", "key", "--name", "ci", str(s.folder / "ci.key")], capture_output=True, text=True,
                          check=True).stdout.strip()
    s.config.write_text(s.config.read_text().replace("server:\n", f'server:\n  policy_keys: ["{vkey}"]\n', 1))
    write(s, "house.yaml", RULES)
    with s:
        s.token("bot", roles=["agent"], agent="bot")
        for scene in (rules_decide, a_bad_policy_changes_nothing, tests_and_lint, diffs_are_read):
            print(scene.__name__, flush=True)
            scene(s)
        versions(s, vkey)
        assert s.command("verify", "--deep", "--data", str(s.folder / "data")).returncode == 0


def write(s, name, text):
    folder = s.folder / "rules"
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / name).write_text(text)
    (folder / name).chmod(0o600)


def propose(s, n, tool="scale", **more):
    status, answer = s.call("POST", "/v1/actions", {"tool": tool, "parameters": {"n": n}, **more}, token="bot")
    assert status == 201, answer
    return answer


def page_is_what_the_program_says(pawl):
    page = (ROOT / "docs/policy.md").read_text()
    said = subprocess.run([pawl, "policy", "variables"], capture_output=True, text=True, check=True).stdout
    assert page.split("`pawl policy variables` -->\n\n")[1] == said, "docs/policy.md: its tables are not what pawl policy variables prints"


def pack_passes(pawl):
    done = subprocess.run([pawl, "policy", "test", str(PACK)], capture_output=True, text=True)
    assert done.returncode == 0 and " 0 failed" in done.stdout and "without" not in done.stdout, done
    done = subprocess.run([pawl, "policy", "lint", str(PACK)], capture_output=True, text=True)
    assert done.returncode == 0 and "nothing found" in done.stdout, done


def rules_decide(s):
    fine = propose(s, 8)
    assert fine["verdict"] == "allow", fine
    high = propose(s, 9)
    assert (high["verdict"], high["blocking_check"]) == ("escalate", "rules"), high
    assert high["reason"] == "rule twice-at-most: from 4 to 9", high
    record = s.call("GET", f"/v1/decisions/{high['decision_id']}")[1]
    assert [(r["rule"], r["verdict"], r["mode"], r["message"]) for r in record["rules"]] == [
        ("twice-at-most", "escalate", "enforce", "from 4 to 9"), ("watching", "deny", "shadow", None)], record["rules"]
    done = s.command("policy", "explain", high["decision_id"])
    assert done.returncode == 0 and "twice-at-most (escalate, enforce): holds" in done.stdout, done
    assert "service.labels.replicas  =  4" in done.stdout and "action.params.n  =  9" in done.stdout, done.stdout
    again = s.call("GET", f"/v1/decisions/{high['decision_id']}/replay")[1]
    assert again["same"] is True, again
    explained = s.call("GET", f"/v1/decisions/{fine['decision_id']}/explain")[1]
    assert [(r["rule"], r["holds"]) for r in explained["rules"]] == [("twice-at-most", False), ("watching", True)], explained


def a_bad_policy_changes_nothing(s):
    hash_before = s.call("GET", "/v1/policy")[1]["hash"]
    write(s, "bad.yaml", "- {name: bad, verdict: deny, condition: 'agent.teir == \"x\"'}")
    done = s.command("policy", "reload")
    assert done.returncode == 1 and "rules/bad.yaml:1:41" in done.stderr and "teir" in done.stderr, done
    policy = s.call("GET", "/v1/status")[1]["policy"]
    assert policy["hash"] == hash_before and "teir" in policy["error"], policy
    assert b"pawl_policy_error 1" in s.send("GET", "/metrics")[2]
    assert propose(s, 10)["verdict"] == "escalate"
    (s.folder / "rules/bad.yaml").chmod(0o666)
    done = s.command("policy", "reload")
    assert done.returncode == 1 and "chmod go-w" in done.stderr, done
    (s.folder / "rules/bad.yaml").unlink()
    assert s.command("policy", "reload").returncode == 0
    assert s.call("GET", "/v1/status")[1]["policy"]["error"] is None


def tests_and_lint(s):
    done = s.command("policy", "test", "--config", str(s.config), token=None)
    assert done.returncode == 0 and done.stdout == "2 passed, 0 failed, 1 rules without a test\n", done
    wrong = s.folder / "wrong.yaml"
    wrong.write_text("- {name: w, verdict: deny, condition: 'action.class == \"writ\"', tests: [{name: t, expect: deny, "
                     "given: {action: {class: read}}}]}\n")
    wrong.chmod(0o600)
    done = s.command("policy", "test", str(wrong), token=None)
    assert done.returncode == 1 and "0 passed, 1 failed" in done.stdout, done
    rows = json.loads(s.command("policy", "test", "--json", str(wrong), token=None).stdout)
    assert [(r["rule"], r["test"], r["passed"], r["expected"], r["came"]) for r in rows] == [("w", "t", False, "deny", "allow")], rows
    done = s.command("policy", "lint", str(wrong), token=None)
    assert done.returncode == 1 and 'never_holds' in done.stdout and "wrong.yaml:1" in done.stdout, done


def diffs_are_read(s):
    """The invariants on what an action really brings along: a plan, SQL, and what can't be read."""
    write(s, "pack.yaml", PACK.read_text())
    assert s.command("policy", "reload").returncode == 0
    plan = {"format_version": "1.2", "terraform_version": "1.9", "resource_changes": [
        {"address": "aws_security_group_rule.db", "type": "aws_security_group_rule", "name": "db", "mode": "managed",
         "change": {"actions": ["create"], "before": None, "after": {
             "type": "ingress", "protocol": "tcp", "from_port": 5432, "to_port": 5432, "cidr_blocks": ["0.0.0.0/0"]}}},
        {"address": "aws_db_instance.main", "type": "aws_db_instance", "name": "main", "mode": "managed",
         "change": {"actions": ["delete"], "before": {"engine": "postgres"}, "after": None}}]}
    answer = propose(s, 1, diff=plan)
    assert (answer["verdict"], answer["blocking_check"]) == ("deny", "rules"), answer
    record = s.call("GET", f"/v1/decisions/{answer['decision_id']}")[1]
    held = {r["rule"] for r in record["rules"]}
    assert {"no-stateful-delete", "no-public-ingress-to-data", "no-prod-from-elsewhere"} <= held, record["rules"]
    assert s.call("GET", f"/v1/decisions/{answer['decision_id']}/replay")[1]["same"] is True
    answer = propose(s, 1, tool="migrate")  # its SQL is missing: unreadable
    status, answer = s.call("POST", "/v1/actions", {"tool": "migrate", "parameters": {"sql": "DELETE FROM orders"}}, token="bot")
    held = {r["rule"] for r in s.call("GET", f"/v1/decisions/{answer['decision_id']}")[1]["rules"]}
    assert status == 201 and "destructive-migration-needs-a-person" in held, (answer, held)
    odd = propose(s, 1, diff={"what": "is this"})
    held = {r["rule"] for r in s.call("GET", f"/v1/decisions/{odd['decision_id']}")[1]["rules"]}
    assert "diff-not-understood" in held, held
    (s.folder / "rules/pack.yaml").unlink()
    assert s.command("policy", "reload").returncode == 0


def versions(s, vkey):
    """Rollback restores byte for byte; a restart keeps it; the file's comes back when it is read; a bundle is signed."""
    history = json.loads(s.command("policy", "history", "--json").stdout)
    assert len(history) >= 3 and all(v["hash"].startswith("sha256:") for v in history), history
    first, last = history[0], history[-1]
    s.config.write_text(s.config.read_text().replace("policy:\n", "policy:\n  approval_ttl: 2h\n", 1))
    assert s.command("policy", "reload").returncode == 0
    newest = json.loads(s.command("policy", "history", "--json").stdout)[-1]
    done = s.command("policy", "diff", str(last["seq"]), str(newest["seq"]))
    assert done.returncode == 0 and done.stdout == 'approval_ttl\n  - "1h"\n  + "2h"\n', done
    assert s.command("policy", "rollback", str(first["seq"])).returncode == 2
    done = s.command("policy", "rollback", str(first["seq"]), "--reason", "it was better")
    assert done.returncode == 0 and first["hash"] in done.stdout, done
    s.stop()
    s.start()
    assert s.call("GET", "/v1/policy")[1]["hash"] == first["hash"]
    entry = s.entries(kind="policy.loaded")[-1]["body"]
    assert (entry["author"], entry["reason"], entry["aside"]) == ("root", "it was better", newest["hash"]), entry
    assert s.command("policy", "reload").returncode == 0
    assert s.call("GET", "/v1/policy")[1]["hash"] == newest["hash"]
    bundles(s, vkey)


def bundles(s, vkey):
    out = s.folder / "shop.bundle"
    other = s.folder / "ci.yaml"
    other.write_text(s.config.read_text().replace("approval_ttl: 2h", "approval_ttl: 3h"))
    other.chmod(0o600)
    made = s.command("policy", "bundle", "--config", str(other), "--key", str(s.folder / "ci.key"), "--name", "ci", "--author",
                     "build 81", str(out), token=None)
    assert made.returncode == 0, made
    done = s.command("policy", "verify", "--key", vkey, str(out), token=None)
    assert done.returncode == 0 and done.stdout.startswith("ok\n") and "author build 81" in done.stdout, done
    loaded = s.command("policy", "load", str(out))
    assert loaded.returncode == 0, loaded
    entry = s.entries(kind="policy.loaded")[-1]["body"]
    assert entry["author"] == "build 81" and "ci" in entry["signature"], entry
    bundle = json.loads(out.read_text())
    bundle["policy"]["approval_ttl"] = "4h"
    out.write_text(json.dumps(bundle))
    for words in (("verify", "--key", vkey, str(out)), ("load", str(out))):
        done = s.command("policy", *words)
        assert done.returncode == 1 and "not the one that was signed" in done.stderr, done
    subprocess.run([s.pawl, "policy", "key", "--name", "ci", str(s.folder / "other.key")], capture_output=True, check=True)
    made = s.command("policy", "bundle", "--config", str(other), "--key", str(s.folder / "other.key"), "--name", "ci", "--author",
                     "x", str(out), token=None)
    done = s.command("policy", "load", str(out))
    assert made.returncode == 0 and done.returncode == 1 and "none of the keys" in done.stderr, done


if __name__ == "__main__":
    main(sys.argv[1])
