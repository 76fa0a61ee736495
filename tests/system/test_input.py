#!/usr/bin/env python3
"""What comes in from outside and is wrong: bodies, heads, configurations, addresses, rates."""
import json
import re
import signal
import socket
import ssl
import subprocess
import sys
import urllib.request

import pawl_server

POLICY = """
policy:
  agents:
    - {name: bot, owner: alice}
  services:
    - {name: shop, slo: {objective: 99, events: true}}
  tools:
    - name: scale
      class: write
      services: [shop]
      parameters: {type: object, properties: {n: {type: integer}}, required: [n]}
"""

PROPOSAL = {"tool": "scale", "parameters": {"n": 1}}


def deep(depth):
    """A proposal whose innermost array is `depth` deep."""
    return b'{"tool":"scale","parameters":{"n":' + b"[" * (depth - 2) + b"]" * (depth - 2) + b"}}"


BODIES = [
    # what it is, body, status, code, pointer of the first error or None
    ("no JSON", b"tool=scale", 400, "invalid_json", None),
    ("cut", b'{"tool":"scale"', 400, "invalid_json", None),
    ("two values", b'{"tool":"scale"} {}', 400, "invalid_json", None),
    ("an array", b"[]", 400, "invalid_json", None),
    ("a text", b'"scale"', 400, "invalid_json", None),
    ("no UTF-8", b'{"tool":"\xff"}', 400, "invalid_json", None),
    ("a lone surrogate", b'{"tool":"\\ud800"}', 400, "invalid_json", None),
    ("a NUL", b'{"tool":"scale\x00"}', 400, "invalid_json", None),
    ("NaN", b'{"tool":"scale","parameters":{"n":NaN}}', 400, "invalid_json", None),
    ("a huge integer", b'{"tool":"scale","parameters":{"n":9223372036854775808}}', 400, "invalid_json", None),
    ("a huge exponent", b'{"tool":"scale","parameters":{"n":1e999}}', 400, "invalid_json", None),
    ("the same key twice", b'{"tool":"scale","tool":"other"}', 400, "invalid_json", None),
    ("the same key twice, within", b'{"tool":"scale","parameters":{"n":1,"n":2}}', 400, "invalid_json", None),
    ("33 deep", deep(33), 400, "invalid_json", None),
    ("100,000 deep", b"[" * 50000 + b"]" * 50000, 400, "invalid_json", None),
    ("a tool that is a number", b'{"tool":1}', 422, "invalid", "/tool"),
    ("parameters that are a list", b'{"tool":"scale","parameters":[1]}', 422, "invalid", "/parameters"),
    ("an unknown key", b'{"tool":"scale","force":true}', 422, "invalid", "/force"),
    ("no tool", b"{}", 422, "invalid", "/tool"),
    ("argv that is a text", b'{"invocation":{"argv":"rm -rf"}}', 422, "invalid", "/invocation/argv"),
    ("argv with a number", b'{"invocation":{"argv":["a",1]}}', 422, "invalid", "/invocation/argv"),
    ("a relative executable", b'{"invocation":{"argv":["a"],"executable":"a"}}', 422, "invalid",
     "/invocation/executable"),
    ("a long intent", b'{"tool":"scale","intent":"' + b"x" * 70000 + b'"}', 422, "invalid", "/intent"),
]


def bodies(s):
    before = s.call("GET", "/v1/status")[1]["ledger"]["entries"]
    for what, body, status, code, pointer in BODIES:
        got, headers, text = s.send("POST", "/v1/actions", body, token="bot")
        problem = json.loads(text)
        assert (got, problem["code"]) == (status, code), (what, got, problem)
        assert headers["Content-Type"] == "application/problem+json", (what, headers)
        assert problem["type"] == "urn:pawl:error:" + code and problem["status"] == status, (what, problem)
        if pointer is not None:
            assert problem["errors"][0]["pointer"] == pointer, (what, problem)
    assert s.call("GET", "/v1/status")[1]["ledger"]["entries"] == before, "a bad body left an entry"
    # In its entry a proposal lies one level deeper: what the ledger's reader would refuse is refused.
    status, _, text = s.send("POST", "/v1/actions", deep(32), token="bot")
    assert status == 422 and "nests too deep" in json.loads(text)["detail"], text
    status, _, text = s.send("POST", "/v1/actions", deep(31), token="bot")
    assert status == 201 and json.loads(text)["verdict"] == "deny", text


def body_limits(s):
    """Exactly at the limit is read, one byte over is 413."""
    service = {"name": "limits", "owner": "team-limits"}
    for path, token, sent, limit in (("/v1/services", "admin", service, 64 << 10), ("/v1/actions", "bot", PROPOSAL, 10 << 20)):
        body = json.dumps(sent).encode()
        at_limit = body + b" " * (limit - len(body))
        status, _, text = s.send("POST", path, at_limit, token=token)
        assert status in (200, 201), (path, status, text[:200])
        # The first megabyte is thrown away, so that the answer is seen; more is not read at all.
        with socket.create_connection(("127.0.0.1", s.port), timeout=20) as peer:
            peer.sendall(f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {s.tokens[token]}\r\n"
                         f"Content-Type: application/json\r\nContent-Length: {limit + 1}\r\n\r\n".encode() + (at_limit + b" ")[:(1 << 20) + 1])
            answer = peer.recv(65536)
        assert answer.startswith(b"HTTP/1.1 413 ") and b"too_large" in answer, answer
    status, _, text = s.send("POST", "/v1/services", b" " * 65537, token="admin")
    assert status == 413 and json.loads(text)["code"] == "too_large"


HEADS = [
    # what it is, method, path, token, headers, status
    ("no credential", "GET", "/v1/status", None, {}, 401),
    ("a wrong credential", "GET", "/v1/status", "pawl_admin_" + "A" * 43, {}, 401),
    ("another scheme", "GET", "/v1/status", None, {"Authorization": "Basic YTpi"}, 401),
    ("no role for it", "POST", "/v1/tokens", "bot", {}, 403),
    ("no such path", "GET", "/v1/nothing", "admin", {}, 404),
    ("no such action", "GET", "/v1/actions/act_999", "admin", {}, 404),
    ("an id that is none", "GET", "/v1/actions/1", "admin", {}, 404),
    ("another method", "GET", "/v1/evaluate", "bot", {}, 405),
    ("another host", "GET", "/healthz", None, {"Host": "evil.example"}, 421),
    ("a list's limit", "GET", "/v1/actions?limit=1001", "admin", {}, 422),
    ("a list's limit that is a word", "GET", "/v1/actions?limit=many", "admin", {}, 422),
    ("a large head", "GET", "/healthz", None, {"X-Large": "x" * 20000}, 431),
    ("a tile that is not there", "GET", "/tile/0/999", "admin", {}, 404),
    ("a path upwards", "GET", "/tile/../../etc/passwd", "admin", {}, 404),
]


def heads(s):
    for what, method, path, token, headers, status in HEADS:
        got, _, text = s.send(method, path, token=token, headers=headers)
        assert got == status, (what, got, text)
    status, headers, _ = s.send("POST", "/v1/actions", b"n=1", token="bot", headers={"Content-Type": "text/plain"})
    assert status == 415
    status, headers, _ = s.send("GET", "/v1/status", token=None)
    assert headers["WWW-Authenticate"].startswith("Bearer")


def rate_limit(s):
    s.config.write_text(s.config.read_text().replace("rate_per_s: 10000\n  burst: 10000", "rate_per_s: 1\n  burst: 5"))
    s.stop()
    s.start()
    answers = [s.send("GET", "/v1/actions", token="bot") for _ in range(10)]
    limited = [headers for status, headers, _ in answers if status == 429]
    assert [status for status, _, _ in answers[:5]] == [200] * 5 and len(limited) >= 3, answers
    assert all(int(headers["Retry-After"]) >= 1 for headers in limited)
    assert s.call("GET", "/v1/status")[0] == 200, "another credential has its own rate"
    metrics = s.call("GET", "/metrics")[1].decode()
    assert f"pawl_rate_limited_total {len(limited)}" in metrics, metrics


def daily_bytes(s):
    s.config.write_text(s.config.read_text().replace("  burst: 10000", "  burst: 10000\n  daily_bytes: 4096"))
    s.stop()
    s.start()
    body = b'{"tool":"scale","parameters":{"n":1},"intent":"%s"}' % (b"x" * 1000)
    answers = [s.send("POST", "/v1/evaluate", body, token="bot") for _ in range(5)]
    assert [status for status, _, _ in answers[:3]] == [200] * 3, answers
    assert [status for status, _, _ in answers[3:]] == [429] * 2, answers
    assert 1 <= int(answers[4][1]["Retry-After"]) <= 86400, answers
    assert "in a day" in answers[4][2].decode(), answers


# --- configuration -----------------------------------------------------------------------------------------------

CONFIGS = [
    # text in place of the policy, what is said, with the line counted from it
    ("policy: [", 1, None, "did not find expected"),
    ("polcy: {}\n", 0, 8, "unknown key"),
    ("policy:\n  agents:\n    - {name: bot}\n", 2, 7, "owner"),
    ("policy:\n  agents:\n    - {name: Bot!, owner: a}\n", 2, 14, "name"),
    ("policy:\n  agents:\n    - {name: a, owner: a}\n    - {name: a, owner: b}\n", 3, None, "a"),
    ("policy:\n  checks:\n    error_budget: {mode: loose}\n", 2, 26, "mode"),
    ("policy:\n  checks:\n    error_budget: {on_unknown: allow}\n", 2, 32, "on_unknown"),
    ("policy:\n  checks:\n    stop: {mode: off}\n", 2, None, "stop"),
    ("policy:\n  services:\n    - {name: s, slo: {objective: 100, events: true}}\n", 2, None, "objective"),
    ("policy:\n  mode: &x enforce\n", 1, None, "anchor"),
    ("policy:\n  mode: enforce\n  mode: enforce\n", 2, 3, "mode"),
]


def bad_configurations(s):
    head = s.config.read_text().split("policy:")[0]
    first = head.count("\n") + 1
    path = s.folder / "bad.yaml"
    for text, line, column, said in CONFIGS:
        path.write_text(head + text)
        path.chmod(0o600)
        checked = s.command("check-config", str(path))
        assert checked.returncode != 0 and said in checked.stderr, (text, checked.stderr)
        place = re.search(re.escape(str(path)) + r":(\d+):(\d+)", checked.stderr)
        assert place, (text, checked.stderr)
        assert int(place[1]) == first + line, (text, checked.stderr)
        assert column is None or int(place[2]) == column, (text, checked.stderr)
        served = s.command("serve", "--config", str(path))
        assert served.returncode == 1 and said in served.stderr, (text, served.stderr)


def writable_configuration(s):
    for mode in (0o620, 0o602):
        s.config.chmod(mode)
        for words in (("check-config", str(s.config)), ("serve", "--config", str(s.config))):
            ended = s.command(*words)
            assert ended.returncode != 0 and "chmod go-w" in ended.stderr, ended.stderr
    s.config.chmod(0o600)


def beyond_loopback(s):
    path = s.folder / "open.yaml"
    for address in ("0.0.0.0:0", "[::]:0", "192.0.2.1:7411"):
        path.write_text(f"server:\n  listen: \"{address}\"\n  data: {s.folder}/data\n")
        path.chmod(0o600)
        ended = s.command("serve", "--config", str(path))
        assert ended.returncode == 1 and "beyond loopback only with tls" in ended.stderr, ended.stderr
        assert f"{path}:2:" in ended.stderr, ended.stderr
    path.write_text("server:\n  listen: localhost:7411\n")
    assert "numeric address" in s.command("check-config", str(path)).stderr


def reload(s):
    """A bad policy leaves the old one in force and says so; a good one replaces it."""
    def status():
        return s.call("GET", "/v1/status")[1]["policy"]

    def send_hup(text):
        s.config.write_text(text)
        s.process.send_signal(signal.SIGHUP)

    good = s.config.read_text()
    before = status()
    assert before["error"] is None
    send_hup(good.replace("class: write", "class: wild"))
    s.wait_for(lambda: status()["error"])
    assert status()["hash"] == before["hash"] and "class" in status()["error"], status()
    assert s.call("POST", "/v1/actions", PROPOSAL, token="bot")[1]["verdict"] in ("allow", "hold")
    assert "the old one stays" in s.said()
    send_hup(good.replace("owner: alice", "owner: zoe"))
    s.wait_for(lambda: status()["hash"] != before["hash"])
    assert status()["error"] is None
    assert s.call("POST", "/v1/policy/reload", {})[0] == 200
    assert len(s.entries(kind="policy.loaded")) == 2, "the same policy is loaded once"


def tls(s):
    cert, key = s.folder / "cert.pem", s.folder / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout",
                    str(key), "-out", str(cert)], check=True, capture_output=True)
    s.stop()
    plain = s.config.read_text()
    s.config.write_text(plain.replace("server:\n", f"server:\n  tls: {{cert: {cert}, key: {key}}}\n"))
    s.log = open(s.folder / "server.log", "ab")
    s.process = subprocess.Popen([s.pawl, "serve", "--config", str(s.config)], stdout=s.log, stderr=s.log)
    s.wait_for(lambda: s.said().count("listening") == 2)
    context = ssl.create_default_context(cafile=str(cert))
    request = urllib.request.Request(f"https://localhost:{s.port}/v1/status",
                                     headers={"Authorization": "Bearer " + s.tokens["admin"]})
    with urllib.request.urlopen(request, context=context, timeout=20) as answer:
        assert answer.status == 200 and json.load(answer)["policy"]["hash"]
    for refused in (lambda: urllib.request.urlopen(request, context=ssl.create_default_context(), timeout=20),
                    lambda: urllib.request.urlopen(f"http://localhost:{s.port}/healthz", timeout=20)):
        try:
            refused()
        except OSError:
            continue
        raise AssertionError("a connection that must fail did not")
    s.stop()
    s.config.write_text(plain)
    s.start()


SCENES = [bodies, body_limits, heads, rate_limit, daily_bytes, bad_configurations, writable_configuration, beyond_loopback,
          reload, tls]


def main(pawl):
    for scene in SCENES:
        print(scene.__name__, flush=True)
        with pawl_server.Server(pawl, POLICY) as s:
            s.token("bot", roles=["agent"], agent="bot")
            s.token("source", roles=["source"], person="probe", services="*")
            status, answer = s.call("POST", "/v1/events",
                                    {"type": "sli", "service": "shop", "good": 10, "total": 10}, token="source")
            assert status == 202, answer
            scene(s)


if __name__ == "__main__":
    main(sys.argv[1])
