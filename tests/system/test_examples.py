#!/usr/bin/env python3
"""The three example policies: each is valid, and they differ as their comments say; and docs/configuration.md names
every threshold with the default that the server has, docs/threat-model.md every check."""
import pathlib
import re
import subprocess
import sys

import pawl_server
import test_prometheus

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs/configuration.md"
FOLDER = pathlib.Path(__file__).resolve().parents[2] / "examples/policies"
NAMES = ("strict", "balanced", "advisory")
POLLED = ("storefront", "catalog", "checkout")
PLAN = {"plan": {"steps": ["one"]}, "contexts": [{"id": "ticket-7", "trust": "trusted"}], "intent": "as planned"}
INJECTED = {**PLAN, "contexts": [{"id": "mail-9", "trust": "untrusted"}]}


def query(service):
    return f"slo:{service}:good_ratio_28d"


def healthy(fake):
    for service in POLLED:
        fake.tell(query(service), "1")


def remaining(service, pct):
    """Sets what is left of a service's budget."""
    objective = 0.9995 if service == "checkout" else 0.999
    return lambda fake: fake.tell(query(service), repr(1 - (1 - objective) * (1 - pct / 100)))


def silent(service):
    def break_it(fake):
        fake.answers[query(service)] = lambda: (500, b"oops")
    return break_it


def shopctl(verb, service, what):
    argv = ["shopctl", verb, service, str(what)]
    return {"invocation": {"argv": argv, "executable": "/usr/bin/shopctl"}}


DEPLOY = shopctl("deploy", "storefront", "4.2.0")
SCALE = shopctl("scale", "storefront", 6)
READ = {"tool": "metrics.query", "parameters": {"service": "payments"}}
FLAG = {"tool": "flag.set", "parameters": {"flag": "new-prices", "on": True}}
REFUND = {"tool": "refund", "parameters": {"order": "123456", "cents": 500}}
MIGRATE = {"tool": "schema.migrate", "parameters": {"service": "catalog", "migration": "0042_drop_column"}}

# What is asked: how the services stand, agent, request; then what strict, balanced and advisory make of it, each as
# (verdict, a check among those that block or None).
ADVISE = ("advise", None)
CASES = [
    ("a read passes everywhere, and is only advice to those who look on", healthy, "support-bot", READ,
     ("allow", None), ("allow", None), ADVISE),
    ("a reversible change of a healthy service", healthy, "deploy-bot", {**DEPLOY, **PLAN},
     ("escalate", "tier"), ("allow", None), ADVISE),
    ("the same without a plan", healthy, "deploy-bot", DEPLOY,
     ("deny", "lineage"), ("allow", None), ADVISE),
    ("an autonomous agent", healthy, "capacity-bot", {**SCALE, **PLAN},
     ("escalate", "tier"), ("allow", None), ADVISE),
    ("beyond the tool's bounds", healthy, "capacity-bot", shopctl("scale", "storefront", 400),
     ("deny", "catalogue"), ("deny", "catalogue"), ("deny", "catalogue")),
    ("what matches no tool", healthy, "deploy-bot", shopctl("destroy", "storefront", "now"),
     ("deny", "catalogue"), ("deny", "catalogue"), ("deny", "catalogue")),
    ("a budget between both minima", remaining("storefront", 30), "deploy-bot", {**DEPLOY, **PLAN},
     ("escalate", "error_budget"), ("allow", None), ADVISE),
    ("a low budget", remaining("storefront", 10), "deploy-bot", {**DEPLOY, **PLAN},
     ("escalate", "error_budget"), ("escalate", "error_budget"), ADVISE),
    ("more replicas under a low budget", remaining("storefront", 10), "capacity-bot", {**SCALE, **PLAN},
     ("escalate", "error_budget"), ("allow", None), ADVISE),
    ("more replicas under a spent budget", remaining("storefront", -5), "capacity-bot", {**SCALE, **PLAN},
     ("escalate", "error_budget"), ("escalate", "error_budget"), ADVISE),
    ("a caller's budget counts", remaining("storefront", 10), "deploy-bot",
     {**shopctl("deploy", "catalog", "4.2.0"), **PLAN},
     ("escalate", "error_budget"), ("escalate", "error_budget"), ADVISE),
    ("a burning dependency", remaining("catalog", 10), "deploy-bot", {**DEPLOY, **PLAN},
     ("escalate", "upstream"), ("allow", None), ADVISE),
    ("a budget that nobody measures", silent("storefront"), "deploy-bot", {**DEPLOY, **PLAN},
     ("escalate", "error_budget"), ("hold", "error_budget"), ADVISE),
    ("across a zone, by a named exception", healthy, "deploy-bot", {**shopctl("deploy", "payments", "4.2.0"), **PLAN},
     ("deny", "zone"), ("allow", None), ADVISE),
    ("a service that is not ready", healthy, "capacity-bot", {**shopctl("scale", "payments", 3), **PLAN},
     ("deny", "readiness"), ("deny", "zone"), ADVISE),
    ("money", healthy, "support-bot", {**REFUND, **PLAN},
     ("deny", "tier"), ("escalate", "quorum"), ADVISE),
    ("a protected surface, and who is excepted", healthy, "deploy-bot", {**FLAG, **PLAN},
     ("deny", "surfaces"), ("allow", None), ADVISE),
    ("a protected surface, and who is not", healthy, "capacity-bot", {**FLAG, **PLAN},
     ("deny", "drift"), ("escalate", "surfaces"), ADVISE),
    ("what destroys", healthy, "deploy-bot", {**MIGRATE, **PLAN},
     ("escalate", "quorum"), ("escalate", "quorum"), ADVISE),
    ("a patch of a protected surface", healthy, "deploy-bot", {**DEPLOY, **PLAN, "diff": "+++ b/src/auth/login.c\n"},
     ("deny", "surfaces"), ("allow", None), ADVISE),
    ("context that is not trusted", healthy, "deploy-bot", {**DEPLOY, **INJECTED},
     ("deny", "provenance"), ("escalate", "provenance"), ADVISE),
]


def text_of(name):
    return (FOLDER / f"{name}.yaml").read_text()


def is_valid(pawl, name, folder):
    """As it stands in the repository."""
    copy = folder / f"{name}.yaml"
    copy.write_text(text_of(name))
    copy.chmod(0o600)
    checked = subprocess.run([pawl, "check-config", str(copy)], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
    return checked.stdout.split("sha256:")[1].strip()


def start(pawl, name, fake):
    """A real server with the example's policy; only where it listens and measures is ours."""
    settings = test_prometheus.settings(f"http://127.0.0.1:{fake.server_address[1]}")
    return pawl_server.Server(pawl, "\n" + text_of(name)[text_of(name).index("\npolicy:") + 1:], settings)


def prepare(s, strict):
    for agent in ("deploy-bot", "capacity-bot", "support-bot"):
        s.token(agent, roles=["agent"], agent=agent)
    s.token("probe", roles=["source"], person="probe", services="payments")
    s.token("pager", roles=["source"], person="pager", services="*")
    assert s.call("POST", "/v1/events", {"type": "sli", "service": "payments", "good": 10, "total": 10},
                  token="probe")[0] == 202
    s.wait_for(lambda: s.call("GET", "/readyz")[0] == 200)
    if not strict:
        return
    the_surroundings_are_said(s)
    # Without a grant strict denies every change; the cases are about what is behind that.
    s.wait_for(lambda: all(i["state"] == "known" for i in signals(s)))
    answer = ask(s, "deploy-bot", {**DEPLOY, **PLAN})
    assert (answer["verdict"], answer["blocking_check"]) == ("deny", "grant"), answer
    for agent in ("deploy-bot", "capacity-bot"):
        granted = s.command("grant", agent, "--tool", "*", "--target", "*", "--for", "8h", "--reason", "tests")
        assert granted.returncode == 0, granted.stderr


def the_surroundings_are_said(s):
    """strict: without an on-call nothing changes, and without a snapshot nothing is destroyed."""
    blocked = ask(s, "deploy-bot", {**DEPLOY, **PLAN})["blocked_by"]
    assert "on_call" in blocked, blocked
    assert "reversibility" in ask(s, "deploy-bot", {**MIGRATE, **PLAN})["blocked_by"]
    services = ("storefront", "catalog", "checkout", "payments")
    events = [{"type": "on_call.changed", "service": name, "people": ["dana"]} for name in services]
    events += [{"type": "snapshot.taken", "service": name, "id": "nightly"} for name in services]
    bad = events + [{"type": "rollback.tested", "service": "catalog", "id": "drill", "result": "perhaps"}]
    status, problem = s.call("POST", "/v1/events", {"events": bad}, token="pager")
    assert status == 422 and problem["errors"][0]["pointer"] == "/events/8/result", problem
    assert "on_call" in ask(s, "deploy-bot", {**DEPLOY, **PLAN})["blocked_by"]
    assert s.call("POST", "/v1/events", {"events": events}, token="pager")[0] == 202


def signals(s):
    return [i for i in s.call("GET", "/v1/signals")[1]["items"] if i.get("service") in POLLED]


def ask(s, agent, request):
    status, answer = s.call("POST", "/v1/evaluate", request, token=agent)
    assert status == 200, answer
    return answer


def settle(s, fake, state):
    """Tells Prometheus how the services stand, and waits until it was asked."""
    healthy(fake)
    state(fake)
    broken = {service for service in POLLED if fake.answers[query(service)]()[0] != 200}
    told = {service: float(value) for service, value in said(fake, broken)}

    def arrived():
        for i in signals(s):
            service = i["service"]
            if service in broken:
                if i["state"] != "unknown":
                    return False
            elif i["state"] != "known" or abs(i["remaining_pct"] - told[service]) > 0.5:
                return False
        return True
    s.wait_for(arrived)


def said(fake, broken):
    """What is left of each budget by what Prometheus answers now."""
    for service in POLLED:
        if service not in broken:
            body = fake.answers[query(service)]()[1].decode()
            ratio = float(re.search(r'"([0-9.e-]+)"\]', body).group(1))
            objective = 0.9995 if service == "checkout" else 0.999
            yield service, 100 * (1 - (1 - ratio) / (1 - objective))


def check_case(s, fake, name, case):
    what, state, agent, request = case[:4]
    verdict, check = case[4 + NAMES.index(name)]
    settle(s, fake, state)
    answer = ask(s, agent, request)
    assert answer["verdict"] == verdict, (name, what, verdict, answer)
    if check is not None:
        assert check in answer["blocked_by"], (name, what, check, answer)


def shadow_is_recorded(s):
    """advisory: what would have blocked is in the record, and nobody is asked."""
    status, answer = s.call("POST", "/v1/actions", {**MIGRATE, **PLAN}, token="deploy-bot")
    assert status == 201 and answer["verdict"] == "advise", answer
    findings = s.call("GET", "/v1/decisions/" + answer["decision_id"])[1]["findings"]
    shadowed = {f["check"] for f in findings if f["mode"] == "shadow" and f["verdict"] == "escalate"}
    assert {"tier", "surfaces", "quorum"} <= shadowed, findings
    assert s.approvals() == []


def refunds_do_not_burn(s):
    """balanced: a spent budget of payments stops its deploys and not its refunds, which ask for finance anyway."""
    assert s.call("POST", "/v1/events", {"type": "sli", "service": "payments", "good": 0, "total": 10},
                  token="probe")[0] == 202
    deploy = ask(s, "deploy-bot", {**shopctl("deploy", "payments", "4.2.0"), **PLAN})
    assert "error_budget" in deploy["blocked_by"], deploy
    refund = ask(s, "support-bot", {**REFUND, **PLAN})
    assert sorted(refund["blocked_by"]) == ["quorum", "surfaces"], refund


# --- the page ------------------------------------------------------------------------------------------------

def word_of(value):
    return str(value).lower() if isinstance(value, bool) else str(value)


def row_of(check, page):
    """A check's row: the one whose keys begin with its mode."""
    row = re.search(rf"^\| `{check}` \| (`mode`.*)$", page, re.M)
    assert row, ("no row for", check)
    return row.group(1)


def page_names_every_threshold(pawl):
    page = PAGE.read_text()
    with pawl_server.Server(pawl, "\npolicy: {agents: [{name: bot, owner: alice}]}\n") as s:
        checks = s.call("GET", "/v1/policy")[1]["policy"]["checks"]
    assert len(checks) == len(re.findall(r"^\| `\w+` \| `mode`", page, re.M)), "a row for each check, and no other"
    for check, keys in checks.items():
        row = row_of(check, page)
        assert (keys["mode"] == "off") == row.endswith("| off |"), (check, keys["mode"])
        for key, value in keys.items():
            default = rf"`{key}`(, `\w+`)* \({re.escape(word_of(value))}\b"
            assert key == "mode" or re.search(default, row), (check, key, value)


def threats_name_every_check(pawl):
    """docs/threat-model.md says of every check what it is against."""
    threats = (PAGE.parent / "threat-model.md").read_text().split("## What is not defended")[0]
    with pawl_server.Server(pawl, "\npolicy: {agents: [{name: bot, owner: alice}]}\n") as s:
        checks = s.call("GET", "/v1/policy")[1]["policy"]["checks"]
    for check in [*checks, "identity", "catalogue"]:
        assert f"`{check}`" in threats, check


def page_snippets_are_valid(pawl):
    """The lists shown under zone_exceptions, surfaces and quorum are read as they stand."""
    page = PAGE.read_text()
    shown = re.findall(r"^    (zone_exceptions|surfaces|quorum):\n((?:      .*\n)+)", page, re.M)
    assert [name for name, _ in shown] == ["zone_exceptions", "surfaces", "quorum"], shown
    text = "".join(f"  {name}:\n" + re.sub(r"^  ", "", body, flags=re.M) for name, body in shown)
    with pawl_server.Server(pawl, "\npolicy:\n" + text) as s:
        policy = s.call("GET", "/v1/policy")[1]["policy"]
    assert all(len(policy[name]) >= 1 for name, _ in shown), policy


def main(pawl):
    page_names_every_threshold(pawl)
    page_snippets_are_valid(pawl)
    threats_name_every_check(pawl)
    assert sorted(p.stem for p in FOLDER.glob("*.yaml")) == sorted(NAMES)
    for case in CASES:
        assert len(case) == 4 + len(NAMES), case[0]
    hashes = set()
    for name in NAMES:
        print(name, flush=True)
        fake = test_prometheus.Prometheus()
        healthy(fake)
        with start(pawl, name, fake) as s:
            hashes.add(is_valid(pawl, name, s.folder))
            prepare(s, name == "strict")
            for case in CASES:
                check_case(s, fake, name, case)
            if name == "balanced":
                refunds_do_not_burn(s)
            if name == "advisory":
                shadow_is_recorded(s)
        fake.end()
    assert len(hashes) == len(NAMES)


if __name__ == "__main__":
    main(sys.argv[1])
