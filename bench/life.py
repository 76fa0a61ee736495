"""The whole life of actions over HTTP: cycles per second, and a stop of everything with much under way."""
import http.client
import json
import statistics
import threading
import time

import ledger
import load

WORKERS = 8
PENDING = 1000
RUNNING = 100
STOPS = 10

POLICY = """
policy:
  limits: {open_actions: 1000000, pending_approvals: 100000, pending_per_agent: 10000}
  checks:
    error_budget: {max_age: 1h}
    aqdd: {mode: "off"}
    her_trend: {mode: "off"}
    breaker: {mode: "off"}
  quorum:
    - {name: hands, tools: [change], approvals: [{group: sre}]}
  agents:
    - {name: bot, owner: alice}
  services:
    - {name: shop, slo: {objective: 99.9, events: true}}
  tools:
    - {name: change, class: write, services: [shop], parameters: {type: object}}
    - {name: scale, class: write, services: [shop], parameters: {type: object}}
"""


class Client:
    def __init__(self, s):
        self.s, self.connection = s, http.client.HTTPConnection("127.0.0.1", s.port, timeout=20)

    def post(self, who, path, body):
        self.connection.request("POST", path, json.dumps(body), {"Authorization": "Bearer " + self.s.tokens[who],
                                                                 "Content-Type": "application/json"})
        answer = self.connection.getresponse()
        text = answer.read()
        assert answer.status < 300, text
        return json.loads(text)


def nonce(action):
    return "nonce-of-an-executor-" + action


def cycle(client, number):
    """Propose, approve, commit, outcome: four entries, each durable before its answer."""
    p = client.post("bot", "/v1/actions", {"tool": "change", "parameters": {"n": number}})
    assert p["verdict"] == "escalate", p
    action = p["action_id"]
    client.post("sre", f"/v1/approvals/{action}/approve", {"digest": p["digest"], "decision_id": p["decision_id"]})
    c = client.post("bot", f"/v1/actions/{action}/commit", {"executor_nonce": nonce(action), "digest": p["digest"]})
    assert c["committed"], c
    client.post("bot", f"/v1/actions/{action}/outcome", {"executor_nonce": nonce(action), "result": "succeeded"})


def cycles(s):
    until = time.perf_counter() + load.SECONDS
    done = [0] * WORKERS

    def work(worker):
        client = Client(s)
        while time.perf_counter() < until:
            cycle(client, worker * 10000000 + done[worker])
            done[worker] += 1

    threads = [threading.Thread(target=work, args=(w,)) for w in range(WORKERS)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return sum(done) / load.SECONDS


def start_running(s, client):
    running = []
    for n in range(RUNNING):
        p = client.post("bot", "/v1/actions", {"tool": "scale", "parameters": {"n": n, "at": time.time()}})
        client.post("bot", f"/v1/actions/{p['action_id']}/commit", {"executor_nonce": nonce(p["action_id"]), "digest": p["digest"]})
        running.append(p["action_id"])
    return running


def confirmations(s, client, running, begun):
    """Each executor learns of the stop at its next heartbeat and says that it ended."""
    for action in running:
        beat = client.post("bot", f"/v1/actions/{action}/heartbeat", {"executor_nonce": nonce(action)})
        assert beat["cancel"], beat
        client.post("bot", f"/v1/actions/{action}/outcome", {"executor_nonce": nonce(action), "result": "failed"})
    return (time.perf_counter() - begun) * 1000


def stop_once(s, client):
    running = start_running(s, client)
    watch = ledger.Watch(s)
    watch.start()
    watch.begun.wait()
    time.sleep(0.02)
    begun = time.perf_counter()
    status, answer = s.call("POST", "/v1/stops", {"scope": "all", "reason": "bench"})
    assert status in (201, 202), answer
    watch.join()
    confirmed = confirmations(s, client, running, begun)
    assert s.call("POST", f"/v1/stops/{answer['stop_id']}/resume", {"reason": "bench"}, token="other")[0] == 200
    return (watch.refused - begun) * 1000, confirmed


def measure(pawl):
    with load.server(pawl, POLICY) as s:
        load.prepare(s)
        s.token("sre", roles=["approver"], person="dora", groups="sre")
        s.token("other", roles=["admin"], person="kim")
        found = {"workers": WORKERS, "cycles_per_s": round(cycles(s), 1)}
        client = Client(s)
        for n in range(PENDING):
            client.post("bot", "/v1/actions", {"tool": "change", "parameters": {"waits": n}})
        stops = [stop_once(s, client) for _ in range(STOPS)]
        refused = sorted(r for r, _ in stops)
        found["stop_ms"] = {"pending": PENDING, "running": RUNNING, "median": round(statistics.median(refused), 2),
                            "max": round(refused[-1], 2),
                            "all_confirmed_median": round(statistics.median(c for _, c in stops), 1)}
        return found
