#!/usr/bin/env python3
"""Independent validators on a real server: stand-ins for OPA, an AuthZEN decision point and a signed HTTP service that
answer as their specifications say, a command; errors, time-outs and malformed answers; asked at commit again; the
server goes on meanwhile. With opa on the machine, the readiness policy runs in it, and its rule in CEL agrees on all 64."""
import base64
import hashlib
import hmac
import http.server
import itertools
import json
import shutil
import subprocess
import sys
import threading
import time

import pawl_server

KEY = b"0123456789abcdef0123456789abcdef"
SECRET = "whsec_" + base64.b64encode(KEY).decode()

POLICY = """
policy:
  limits: {pending_per_agent: 100}
  checks:
    error_budget: {mode: "off"}
    aqdd: {mode: "off"}
    her_trend: {mode: "off"}
    breaker: {max_denials: 1000}
  agents:
    - {name: bot, owner: alice}
  services:
    - {name: shop}
  tools:
    - {name: opa, class: write, services: [shop], parameters: {type: object}}
    - {name: azn, class: write, services: [shop], parameters: {type: object}}
    - {name: web, class: write, services: [shop], parameters: {type: object}}
    - {name: cmd, class: write, services: [shop], parameters: {type: object}}
    - {name: both, class: write, services: [shop], parameters: {type: object}}
    - {name: free, class: write, services: [shop], parameters: {type: object}}
  validators:
    - {name: rego, type: opa, url: "http://127.0.0.1:@PORT@/v1/data/shop/allow", token_file: @FOLDER@/token, timeout: 500ms,
       match: {tools: [opa, both]}, input: '{"n": action.params.n, "tool": action.tool}'}
    - {name: pdp, type: authzen, url: "http://127.0.0.1:@PORT@/access/v1/evaluation", timeout: 500ms, match: {tools: [azn]}}
    - {name: house, type: http, url: "http://127.0.0.1:@PORT@/check", secret_file: @FOLDER@/secret, timeout: 500ms,
       match: {tools: [web, both]}, on_error: deny}
    - {name: script, type: command, argv: [@FOLDER@/check, word], timeout: 500ms, match: {tools: [cmd]}, on_error: hold}
"""

CHECK = """#!/bin/sh
# Its answer is the status that the parameter asks for; it says what it got.
cat > "$(dirname "$0")/asked"
[ "$1" = word ] || exit 9
exit "$(sed 's/.*"n":\\([0-9]*\\).*/\\1/' "$(dirname "$0")/asked")"
"""


class Fake:
    """A decision point: what the test says it answers."""

    def __init__(self):
        self.heard, self.answer, self.delay = [], (200, {}), 0
        fake = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                fake.heard.append((self.path, dict(self.headers), body))
                time.sleep(fake.delay)
                status, text = fake.answer(self.path, json.loads(body)) if callable(fake.answer) else fake.answer
                text = text if isinstance(text, bytes) else json.dumps(text).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def main(pawl):
    fake = Fake()
    s = pawl_server.Server(pawl, "")
    policy = POLICY.replace("@PORT@", str(fake.port)).replace("@FOLDER@", str(s.folder))
    s.config.write_text(s.config.read_text() + policy)
    for name, text, mode in (("token", "s3cret-token\n", 0o600), ("secret", SECRET + "\n", 0o600), ("check", CHECK, 0o755)):
        (s.folder / name).write_text(text)
        (s.folder / name).chmod(mode)
    with s:
        s.token("bot", roles=["agent"], agent="bot")
        for scene in (opa, authzen, signed_http, command, several, slow_ones_hold_nobody_up, at_commit, gone_before_the_answer):
            print(scene.__name__, flush=True)
            scene(s, fake)
        assert s.command("verify", "--deep", "--data", str(s.folder / "data")).returncode == 0
    readiness(pawl)


counter = itertools.count(1000)


def propose(s, tool, n=None, path="/v1/actions"):
    status, answer = s.call("POST", path, {"tool": tool, "parameters": {"n": next(counter) if n is None else n}}, token="bot")
    assert status in (200, 201), answer
    return answer


def said(s, answer):
    return [f for f in s.call("GET", f"/v1/decisions/{answer['decision_id']}")[1]["findings"] if f["check"] == "validators"][0]


def opa(s, fake):
    for given, verdict, text in (
            ((200, {"result": True}), "allow", None),
            ((200, {"result": False}), "deny", "rego says no"),
            ((200, {}), "deny", "not defined"),
            ((200, {"result": {"allow": False, "reason": "too late"}}), "deny", "too late"),
            ((200, {"result": "yes"}), "escalate", "neither a bool"),
            ((200, b"{"), "escalate", "no JSON object"),
            ((200, b"x" * 70000), "escalate", "gave no answer"),
            ((500, {"result": True}), "escalate", "it answered 500"),
            ((302, {"result": True}), "escalate", "it answered 302")):
        fake.answer = given
        answer = propose(s, "opa")
        assert answer["verdict"] == verdict, (given, answer)
        assert text is None or text in said(s, answer)["text"], said(s, answer)
    path, headers, body = fake.heard[-1]
    assert path == "/v1/data/shop/allow" and headers["Authorization"] == "Bearer s3cret-token", headers
    assert set(json.loads(body)) == {"input"} and json.loads(body)["input"]["tool"] == "opa", body
    fake.answer = (200, {"result": True})
    assert propose(s, "opa", path="/v1/evaluate")["verdict"] == "allow"
    heard = len(fake.heard)
    assert propose(s, "free")["verdict"] == "allow" and len(fake.heard) == heard  # nobody is asked about it
    (s.folder / "token").chmod(0o644)
    answer = propose(s, "opa")
    assert answer["verdict"] == "escalate" and len(fake.heard) == heard, answer
    (s.folder / "token").chmod(0o600)


def authzen(s, fake):
    fake.answer = (200, {"decision": True})
    assert propose(s, "azn")["verdict"] == "allow"
    body = json.loads(fake.heard[-1][2])
    assert (body["subject"], body["action"], body["resource"]) == (
        {"type": "agent", "id": "bot"}, {"name": "azn"}, {"type": "service", "id": "shop"}), body
    assert body["context"]["action"]["class"] == "write", body
    fake.answer = (200, {"decision": False, "context": {"reason_admin": {"en": "not yours"}}})
    answer = propose(s, "azn")
    assert answer["verdict"] == "deny" and "not yours" in said(s, answer)["text"], answer
    fake.answer = (200, {"decision": 1})
    assert propose(s, "azn")["verdict"] == "escalate"


def signed_http(s, fake):
    fake.answer = (200, {"verdict": "allow"})
    assert propose(s, "web")["verdict"] == "allow"
    _, headers, body = fake.heard[-1]
    text = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    want = "v1," + base64.b64encode(hmac.new(KEY, text, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == want and abs(int(headers["webhook-timestamp"]) - time.time()) < 60, headers
    for verdict in ("deny", "escalate", "hold"):
        fake.answer = (200, {"verdict": verdict, "reason": "so"})
        assert propose(s, "web")["verdict"] == verdict
    fake.answer = (200, {"verdict": "maybe"})
    assert propose(s, "web")["verdict"] == "deny"  # its on_error


def command(s, _):
    for status, verdict, text in ((0, "allow", None), (1, "deny", "exit status 1"), (3, "escalate", "exit status 3"), (4, "hold", "exit status 4"),
                                  (2, "hold", "exit status 2"), (77, "hold", "exit status 77")):
        answer = propose(s, "cmd", status)
        assert answer["verdict"] == verdict, (status, answer)
        assert text is None or text in said(s, answer)["text"], said(s, answer)
    asked = json.loads((s.folder / "asked").read_text())
    assert asked["action"]["tool"] == "cmd" and asked["agent"]["name"] == "bot", asked
    (s.folder / "check").write_text("#!/bin/sh\nexec sleep 60\n")
    answer = propose(s, "cmd", 5)
    assert answer["verdict"] == "hold" and "took too long" in said(s, answer)["text"], said(s, answer)
    (s.folder / "check").unlink()
    assert propose(s, "cmd", 6)["verdict"] == "hold"


def several(s, fake):
    """The strictest counts; all are recorded."""
    fake.answer = lambda path, _: (200, {"verdict": "hold", "reason": "lunch"} if path == "/check" else {"result": False})
    answer = propose(s, "both")
    assert answer["verdict"] == "deny" and "rego" in said(s, answer)["text"], said(s, answer)
    entry = [e for e in s.entries(kind="action.decided") if f"act_{e['seq']}" == answer["action_id"]][0]["body"]
    assert [row[:2] for row in entry["facts"]["validators"]] == [["rego", "deny"], ["house", "hold"]], entry["facts"]
    replay = s.call("GET", f"/v1/decisions/{answer['decision_id']}/replay")[1]
    assert replay["same"] is True, replay


def slow_ones_hold_nobody_up(s, fake):
    """While one waits for its validator, others are decided; late is an error."""
    fake.answer, fake.delay = (200, {"result": True}), 3
    results = []
    slow = threading.Thread(target=lambda: results.append(propose(s, "opa")))
    slow.start()
    others = [propose(s, "free")["verdict"] for _ in range(5)]
    assert others == ["allow"] * 5 and not results, (others, results)
    slow.join()
    assert results[0]["verdict"] == "escalate" and "gave no answer" in said(s, results[0])["text"], said(s, results[0])
    fake.delay = 0


def at_commit(s, fake):
    """Who said yes may say no when it is about to run."""
    fake.answer = (200, {"result": True})
    first, second = propose(s, "opa"), propose(s, "opa")
    commit = {"executor_nonce": "executor-0123456789", "digest": first["digest"]}
    status, grant = s.call("POST", f"/v1/actions/{first['action_id']}/commit", commit, token="bot")
    assert status == 200 and grant["committed"], grant
    fake.answer = (200, {"result": False})
    status, refused = s.call("POST", f"/v1/actions/{second['action_id']}/commit", {**commit, "digest": second["digest"]}, token="bot")
    assert status == 200 and not refused["committed"] and refused["verdict"] == "deny", refused


def gone_before_the_answer(s, fake):
    """Whoever hangs up while validators are asked leaves nothing behind that could run."""
    import socket
    fake.answer, fake.delay = (200, {"result": True}), 0.3
    before = len(s.entries())
    body = json.dumps({"tool": "opa", "parameters": {"n": next(counter)}}).encode()
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", s.port)) as peer:
            peer.sendall(b"POST /v1/actions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + s.tokens["bot"].encode() +
                         b"\r\nContent-Type: application/json\r\nContent-Length: " + str(len(body)).encode() + b"\r\n\r\n" + body)
    time.sleep(0.8)
    fake.delay = 0
    assert propose(s, "opa")["verdict"] == "allow"
    kinds = [e["kind"] for e in s.entries()[before:]]
    assert set(kinds) <= {"action.decided", "action.abandoned"}, kinds  # decided at most, and nothing of it started


# --- the readiness policy --------------------------------------------------------------------------------------------

NAMES = ("slo_defined", "error_budget_policy", "shadow_period_complete", "decision_provenance", "automated_rollback", "toil_measured")

# The six prerequisites, all of which must hold, as Rego and as a rule.
REGO = "package sre.ai.readiness\n\ndefault allow_agentic_ai := false\n\nallow_agentic_ai if {\n" + "".join(
    f"\tinput.service.{name} == true\n" for name in NAMES) + "}\n"
CEL = "!(" + " && ".join(f"service.labels[?\"{name}\"].orValue(false) == true" for name in NAMES) + ")"


def combinations():
    for values in itertools.product((False, True), repeat=len(NAMES)):
        yield dict(zip(NAMES, values))


def readiness(pawl):
    """The rule gives the same as the definition over all 64 combinations; and as OPA, where there is one."""
    import pathlib
    import tempfile
    folder = pathlib.Path(tempfile.mkdtemp(prefix="pawl-test-"))
    tests = [{"name": f"{i}", "given": {"service": {"labels": c}}, "expect": "allow" if all(c.values()) else "escalate"}
             for i, c in enumerate(combinations())]
    rules = folder / "readiness.yaml"
    rules.write_text(json.dumps({"rules": [{"name": "readiness", "verdict": "escalate", "condition": CEL, "tests": tests}]}))
    rules.chmod(0o600)
    done = subprocess.run([pawl, "policy", "test", str(rules)], capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.startswith("64 passed, 0 failed"), done
    if shutil.which("opa") is None:
        print("readiness: opa is not on this machine: the Rego side is not run")
        return
    (folder / "readiness.rego").write_text(REGO)
    for c in combinations():
        done = subprocess.run(["opa", "eval", "--format", "raw", "--stdin-input", "--data", str(folder / "readiness.rego"),
                               "data.sre.ai.readiness.allow_agentic_ai"], input=json.dumps({"service": c}), capture_output=True, text=True)
        assert done.stdout.strip() == ("true" if all(c.values()) else "false"), (c, done)


if __name__ == "__main__":
    main(sys.argv[1])
