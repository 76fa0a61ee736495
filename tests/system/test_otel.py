#!/usr/bin/env python3
"""The OpenTelemetry SDK for Node.js sends its traces: what it saw are edges of the graph.

The packages are installed by tools/setup test (npm ci in tests/otel).
"""
import pathlib
import shutil
import subprocess
import sys

import pawl_server

POLICY = "\npolicy:\n  services: [{name: one-web, traffic_pct: 60}]\n"
SERVER = "  traffic_period: 1s\n"
SENDER = pathlib.Path(__file__).resolve().parent.parent / "otel"


def send(s, token):
    return subprocess.run(
        ["node", str(SENDER / "send.js")], capture_output=True, text=True, timeout=60, cwd=SENDER,
        env={**s.environment(None), "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{s.port}",
             "OTEL_EXPORTER_OTLP_HEADERS": f"Authorization=Bearer%20{s.tokens[token]}", "OTEL_EXPORTER_OTLP_TIMEOUT": "10000"})


def edges(s, prefix):
    found = {}
    for node in ("web", "orders", "mailer"):
        status, v = s.call("GET", f"/v1/graph?node={prefix}-{node}")
        for x in v["edges"] if status == 200 else []:
            found[(x["from"], x["kind"], x["to"])] = x
    return found


def sees(s, prefix):
    want = {(f"service:{prefix}-web", "calls", f"service:{prefix}-orders"),
            (f"service:{prefix}-orders", "calls", f"datastore:{prefix}-db"),
            (f"service:{prefix}-orders", "calls", f"queue:{prefix}-mails"),
            (f"service:{prefix}-mailer", "calls", f"queue:{prefix}-mails")}
    found = s.wait_for(lambda: (lambda all: all if want <= set(all) else None)(edges(s, prefix)))
    assert set(found) == want, sorted(set(found) ^ want)
    for key, x in found.items():
        assert (x["confidence"], x["source"]) == ("observed", "otlp"), x
    assert found[(f"service:{prefix}-web", "calls", f"service:{prefix}-orders")]["effect_pct"] == 100, found


def main(pawl):
    if shutil.which("node") is None or not (SENDER / "node_modules").is_dir():
        sys.exit("test_otel: node or tests/otel/node_modules is missing; tools/setup test installs both")
    with pawl_server.Server(pawl, POLICY, SERVER) as s:
        s.token("tracer", roles=["source"], person="otel", services="*")
        sent = send(s, "tracer")
        assert sent.returncode == 0, sent.stderr + s.said()
        assert sent.stdout == "sent 40 requests of 2 shops\n", sent.stdout
        for prefix in ("one", "two"):
            sees(s, prefix)
        # The sender hears of it when it may not.
        s.tokens["nobody"] = "pawl_none"
        refused = send(s, "nobody")
        assert refused.returncode == 1 and ("Unauthorized" in refused.stderr or "401" in refused.stderr), refused
    print("otel: ok")


if __name__ == "__main__":
    main(sys.argv[1])
