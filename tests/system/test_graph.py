#!/usr/bin/env python3
"""The graph of a running server: written, observed in traces, walked before a change and after an incident."""
import gzip
import json
import struct
import sys
import time

import pawl_server

POLICY = """
policy:
  checks: {error_budget: {mode: "off"}, blast_radius: {mode: "off"}}
  agents: [{name: bot, owner: alice}]
  services:
    - {name: db, zone: data, traffic_pct: 0}
    - {name: cart, zone: shop, traffic_pct: 10, depends_on: [db]}
    - {name: web, zone: edge, traffic_pct: 60, depends_on: [cart]}
    - {name: lone, traffic_pct: 5}
  tools:
    - {name: scale, class: write, services: [cart], parameters: {type: object}}
  freezes: [{name: sale, services: [web], from: "2020-01-01T00:00:00Z", until: "2020-01-02T00:00:00Z"}]
"""
SERVER = "  traffic_period: 1s\n  observed_for: 1m\n"


def stamp(s=None):
    s = time.time() if s is None else s
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(s)) + f".{int(s % 1 * 1000):03d}Z"


# --- written --------------------------------------------------------------------------------------------------

def writes(s):
    s.token("source", roles=["source"], person="kube", services="web,ca*")
    before = stamp()
    time.sleep(0.05)
    body = {"source": "hand", "nodes": [{"node": "datastore:orders", "attributes": {"engine": "postgres"}}],
            "edges": [{"from": "cart", "to": "datastore:orders", "kind": "calls", "effect_pct": 40}],
            "changes": [{"node": "config:orders/pool", "kind": "config", "what": "50 -> 5"}]}
    status, answer = s.call("POST", "/v1/graph", body, token="source")
    assert status == 201 and (answer["nodes"], answer["edges"], answer["changes"]) == (1, 1, 1), answer
    status, answer = s.call("POST", "/v1/graph", {"source": "x", "edges": [{"from": "db", "to": "web", "kind": "calls"}]},
                            token="source")
    assert status == 403 and "may not write db" in answer["detail"], answer
    status, answer = s.call("POST", "/v1/graph", {"source": "x", "edges": [{"from": "web", "to": "x", "kind": "loves"}]})
    assert status == 422 and answer["errors"][0]["pointer"] == "/edges/0/kind", answer
    status, answer = s.call("POST", "/v1/graph", {"source": "x", "nodes": [{"node": "web", "gone": True}]}, token="source")
    assert status == 409 and "goes with its definition" in answer["detail"], answer
    node = s.call("GET", "/v1/graph?node=datastore:orders")[1]
    assert node["attributes"] == {"engine": "postgres"}, node
    assert [(x["from"], x["kind"], x["effect_pct"], x["confidence"]) for x in node["edges"]] == \
        [("service:cart", "calls", 40, "declared")], node
    assert s.call("GET", f"/v1/graph?node=datastore:orders&at={before}")[0] == 404
    changes = s.call("GET", "/v1/graph?node=config:orders/pool")[1]["changes"]
    assert [c["what"] for c in changes] == ["50 -> 5"], changes
    shown = s.command("graph", "cart")
    assert shown.returncode == 0 and "-calls-> datastore:orders  (declared, effect 40 %, hand" in shown.stdout, shown


# --- before a change ------------------------------------------------------------------------------------------

def foretells(s):
    status, v = s.call("GET", "/v1/impact?services=cart")
    assert status == 200 and v["traffic_pct"] == 70 and v["services"] == 2, v
    assert v["zones_crossed"] == ["edge"] and v["policies"] == ["sale"], v
    assert [n["path"] for n in v["nodes"]] == [["service:cart"], ["service:cart", "service:web"]], v
    assert s.call("GET", "/v1/impact?services=nobody")[0] == 404
    assert s.call("GET", "/v1/impact")[0] == 422
    shown = s.command("impact", "cart")
    assert shown.returncode == 0 and "70 % of the traffic" in shown.stdout and "trust zones crossed: edge" in shown.stdout, shown
    s.token("bot", roles=["agent"], agent="bot")
    status, d = s.call("POST", "/v1/actions", {"tool": "scale", "parameters": {}}, token="bot")
    assert status == 201, d
    record = s.call("GET", "/v1/decisions/" + d["decision_id"])[1]["blast_radius"]
    assert record["traffic_pct"] == 70 and record["affected"] == \
        [{"service": "web", "via": "cart", "effect_pct": 100, "confidence": "declared", "measured": False}], record


# --- traffic --------------------------------------------------------------------------------------------------

def varint(n):
    out = b""
    while n >= 128:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def field(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


def attribute(number, key, text):
    return field(number, field(1, key.encode()) + field(2, field(1, text.encode())))


class Traces:
    """Requests of web, which calls cart, which calls a store."""

    def __init__(self):
        self.next = 1

    def id(self):
        self.next += 1
        return self.next

    def request(self, own_ms):
        """Spans as (service, name, trace, id, parent, kind, took_ms, error, peer); own_ms is the cart's."""
        trace = self.id()
        web, out, cart, db = self.id(), self.id(), self.id(), self.id()
        return [("cart", "SELECT", trace, db, cart, 3, 4, False, "orders"),
                ("cart", "GET /cart", trace, cart, out, 2, own_ms + 4, False, None),
                ("web", "GET /cart", trace, out, web, 3, own_ms + 5, False, None),
                ("web", "GET /", trace, web, 0, 2, own_ms + 7, False, None)]


def protobuf(spans):
    message = b""
    for service, name, trace, span, parent, kind, took, error, peer in spans:
        s = (field(1, bytes(8) + struct.pack(">Q", trace)) + field(2, struct.pack(">Q", span)) +
             (field(4, struct.pack(">Q", parent)) if parent else b"") + field(5, name.encode()) + varint(6 << 3) + varint(kind) +
             varint(7 << 3 | 1) + struct.pack("<Q", 10**18) + varint(8 << 3 | 1) + struct.pack("<Q", 10**18 + int(took * 10**6)))
        if peer:
            s += attribute(9, "db.system", "postgresql") + attribute(9, "db.name", peer)
        if error:
            s += field(15, b"\x18\x02")
        message += field(1, field(1, attribute(1, "service.name", service)) + field(2, field(2, s)))
    return message


def otlp_json(spans):
    def attributes(pairs):
        return [{"key": k, "value": {"stringValue": v}} for k, v in pairs]
    return {"resourceSpans": [{
        "resource": {"attributes": attributes([("service.name", service)])},
        "scopeSpans": [{"spans": [{
            "traceId": f"{trace:032x}", "spanId": f"{span:016x}", "parentSpanId": f"{parent:016x}" if parent else "",
            "name": name, "kind": kind, "startTimeUnixNano": str(10**18), "endTimeUnixNano": str(10**18 + int(took * 10**6)),
            "attributes": attributes([("db.system", "postgresql"), ("db.name", peer)]) if peer else [],
            "status": {"code": 2} if error else {}}]}]}
        for service, name, trace, span, parent, kind, took, error, peer in spans]}


def send(s, spans, how):
    if how == "json":
        return s.send("POST", "/v1/traces", json.dumps(otlp_json(spans)).encode(), token="tracer")
    body = protobuf(spans)
    headers = {"Content-Type": "application/x-protobuf"}
    if how == "gzip":
        body, headers["Content-Encoding"] = gzip.compress(body), "gzip"
    return s.send("POST", "/v1/traces", body, token="tracer", headers=headers)


def refuses(s):
    spans = Traces().request(5)
    for body, headers, want in [
            (protobuf(spans)[:-3], {"Content-Type": "application/x-protobuf"}, 400),
            (b"{}", {"Content-Type": "text/plain"}, 400),
            (b"{\"resourceSpans\":7}", {}, 400),
            (b"no gzip", {"Content-Type": "application/x-protobuf", "Content-Encoding": "gzip"}, 400),
            (b"x", {"Content-Type": "application/x-protobuf", "Content-Encoding": "br"}, 400)]:
        status, _, text = s.send("POST", "/v1/traces", body, token="tracer", headers=headers)
        assert status == want, (headers, status, text)
    # A source sends what is not its own: the rest is taken.
    status, _, text = s.send("POST", "/v1/traces", json.dumps(otlp_json([("db", "x", 1, 2, 0, 2, 1, False, None)])).encode(),
                             token="source")
    assert status == 200 and json.loads(text)["partialSuccess"]["rejectedSpans"] == "1", text
    assert send(s, [], "protobuf")[0] == 200


def drive(s, traces, seconds, own_ms):
    end = time.time() + seconds
    turn = 0
    while time.time() < end:
        spans = [span for _ in range(20) for span in traces.request(own_ms + turn % 3 * 0.3)]
        status, headers, body = send(s, spans, ("json", "protobuf", "gzip")[turn % 3])
        assert status == 200, (status, body)
        assert headers["Content-Type"] == ("application/json" if turn % 3 == 0 else "application/x-protobuf"), headers
        assert body == (b"{}" if turn % 3 == 0 else b""), body
        turn += 1
        time.sleep(0.1)


def observes_and_explains(s):
    s.token("tracer", roles=["source"], person="otel", services="*")
    refuses(s)
    traces = Traces()
    drive(s, traces, 9, 5)
    status, answer = s.call("POST", "/v1/events", {"type": "config.changed", "service": "cart", "id": "cart/db-pool",
                                                   "what": "50 -> 2"}, token="tracer")
    assert status == 202, answer
    drive(s, traces, 5, 60)
    time.sleep(1.5)
    s.noticed = stamp()
    node = s.call("GET", "/v1/graph?node=cart")[1]
    edges = {(x["from"], x["to"], x["kind"]): x for x in node["edges"]}
    calls = edges[("service:web", "service:cart", "calls")]
    assert calls["confidence"] == "observed" and calls["source"] == "otlp" and calls["effect_pct"] == 100, calls
    # What was written as 40 % and then seen stays what was written.
    assert edges[("service:cart", "datastore:orders", "calls")]["confidence"] == "confirmed", edges
    status, v = s.call("GET", "/v1/causes?service=web&window_s=4")
    assert status == 200 and v["windows"]["normal"] > 0 and v["windows"]["incident"] > 0, v
    assert v["found"] and v["causes"][0]["node"] == "cart", json.dumps(v, indent=1)
    assert v["changes"] and v["changes"][0]["object"] == "cart/db-pool", json.dumps(v["changes"], indent=1)
    shown = s.command("cause", "web", "--window", "4")
    assert shown.returncode == 0 and "cart" in shown.stdout and "cart/db-pool" in shown.stdout, shown
    assert s.call("GET", "/v1/causes?service=nobody")[0] == 404
    assert s.call("GET", "/v1/causes?service=web&window_s=0")[0] == 422


def remembers(s):
    """What a closed incident taught stands in the next decision, before the approver, and in the ledger when asked."""
    for name in ("one", "two"):
        status, opened = s.call("POST", "/v1/incidents", {"service": "web", "symptom": "latency", "window_s": 4, "at": s.noticed, "reason": "slow"})
        assert status == 201 and opened["shape"] == "config change: config -configures-> service -depends_on-> service | latency", opened
        status, d = s.call("POST", "/v1/actions", {"tool": "scale", "parameters": {"for": name}}, token="bot")
        assert status == 201, d
        nonce = "n" * 16
        status, answer = s.call("POST", f"/v1/actions/{d['action_id']}/commit", {"executor_nonce": nonce, "digest": d["digest"]},
                                token="bot")
        assert status == 200, answer
        assert s.call("POST", f"/v1/actions/{d['action_id']}/outcome", {"executor_nonce": nonce, "result": "succeeded"},
                      token="bot")[0] == 200
        seen = s.call("GET", "/v1/decisions/" + d["decision_id"])[1]["memory"]
        assert (seen is None) == (name == "one"), seen
        assert s.call("POST", f"/v1/incidents/{opened['incident_id']}/close",
                      {"reason": "rolled back", "resolved_by": d["action_id"]})[0] == 200
    assert seen["seen"] == 1 and seen["resolved"] == 1, seen
    status, r = s.call("POST", "/v1/memory/recall", {"service": "web", "symptom": "latency", "window_s": 4, "at": s.noticed},
                       token="bot")
    assert status == 200 and r["seen"] == 2 and r["remedies"] == [{"tool": "scale", "tried": 2, "resolved": 2}], r
    entry = s.call("GET", f"/v1/ledger/{r['read_entry']}")[1]
    assert entry["kind"] == "memory.read" and entry["body"]["seen"] == 2, entry
    # One whose way nobody knows leaves its plain shape.
    opened = s.call("POST", "/v1/incidents", {"service": "lone"})[1]
    assert opened["shape"] is None, opened
    assert s.call("POST", f"/v1/incidents/{opened['incident_id']}/close", {"reason": "gone"})[0] == 200
    assert s.call("POST", "/v1/memory/recall", {"shape": "service | any"})[1]["seen"] == 1
    shown = s.command("recall", "web", "--symptom", "latency", token="bot")
    assert shown.returncode == 0 and "seen" in shown.stdout, shown


def takes_envelopes(s):
    event = {"specversion": "1.0", "id": "d1", "source": "/ci", "type": "dev.cdevents.service.upgraded.0.2.0", "subject": "web",
             "time": stamp(time.time() - 1)}
    headers = {"Content-Type": "application/cloudevents+json"}
    assert s.send("POST", "/v1/events", json.dumps(event).encode(), token="tracer", headers=headers)[0] == 202
    event["type"] = "com.example.party"
    assert s.send("POST", "/v1/events", json.dumps(event).encode(), token="tracer", headers=headers)[0] == 422
    changes = s.call("GET", "/v1/graph?node=config:d1")[1]["changes"]
    assert changes[0]["what"].startswith("dev.cdevents.service.upgraded"), changes


def survives(s):
    before = s.call("GET", "/v1/graph?limit=1000")[1]["items"]
    s.stop()
    s.start()
    after = s.call("GET", "/v1/graph?limit=1000")[1]["items"]
    assert [x["node"] for x in before] == [x["node"] for x in after], (before, after)


def main(pawl):
    with pawl_server.Server(pawl, POLICY, SERVER) as s:
        writes(s)
        foretells(s)
        observes_and_explains(s)
        remembers(s)
        takes_envelopes(s)
        survives(s)
    print("graph: ok")


if __name__ == "__main__":
    main(sys.argv[1])
