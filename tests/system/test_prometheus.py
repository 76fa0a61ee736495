#!/usr/bin/env python3
"""Error budgets from Prometheus: one that misbehaves in every way we know of, and a real one."""
import http.server
import json
import pathlib
import subprocess
import sys
import threading
import time
import urllib.parse

import pawl_server

POLICY = """
policy:
  checks:
    error_budget: {max_age: 3s}
  agents:
    - {name: bot, owner: alice}
  services:
    - name: shop
      slo:
        objective: 99
        prometheus: {good: good_requests, total: all_requests}
    - name: mail
      slo:
        objective: 99
        prometheus: {ratio: mail_ratio, timestamp: mail_time}
  tools:
    - name: scale
      class: write
      services: ["{service}"]
      parameters: {type: object, properties: {service: {type: string}}, required: [service]}
"""


def settings(url):
    return f"  prometheus: {{url: \"{url}\", interval: 200ms, timeout: 1s, max_sample_age: 5s}}\n"


def decide(s, service="shop"):
    status, answer = s.call("POST", "/v1/evaluate", {"tool": "scale", "parameters": {"service": service}}, token="bot")
    assert status == 200, answer
    return answer


def signal(s, service="shop"):
    return next(i for i in s.call("GET", "/v1/signals")[1]["items"] if i["service"] == service)


def becomes(s, verdict, service="shop", seconds=20):
    """The gate's answer, once it is that; with a reason of the error budget unless it is allow."""
    answer = s.wait_for(lambda: (lambda a: a if a["verdict"] == verdict else None)(decide(s, service)), seconds)
    if verdict != "allow":
        assert answer["blocking_check"] == "error_budget", answer
    return answer


# --- a fake one ----------------------------------------------------------------------------------------------

def vector(*samples):
    return json.dumps({"status": "success", "data": {"resultType": "vector", "result": [
        {"metric": {"n": str(n)}, "value": sample} for n, sample in enumerate(samples)]}}).encode()


class Fake(http.server.BaseHTTPRequestHandler):
    """Answers each query as its table says."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        query = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())["query"][0]
        self.server.asked.add(query)
        if self.server.ended:
            self.close_connection = True
            return
        status, body = self.server.answers[query]()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Prometheus(http.server.ThreadingHTTPServer):
    """The fake; what it answers can be changed at any time."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Fake)
        self.asked, self.gate, self.ended = set(), threading.Event(), False
        self.answers = {}
        self.tell("good_requests", "999", "all_requests", "1000", "mail_ratio", "0.999", "mail_time", None)
        self.thread = threading.Thread(target=self.serve_forever, daemon=True)
        self.thread.start()

    def tell(self, *pairs):
        for query, value in zip(pairs[::2], pairs[1::2]):
            self.answers[query] = lambda v=value: (200, vector([time.time(), v if v is not None else str(time.time())]))

    def end(self):
        self.ended = True  # kept connections end as well
        self.gate.set()
        self.shutdown()
        self.thread.join()
        self.server_close()

    def handle_error(self, *_):
        """A peer that has enough of us closes: that is what some of the answers are for."""

    def hang(self):
        self.gate.wait(30)
        return 500, b""


def error(kind):
    return json.dumps({"status": "error", "errorType": kind, "error": "no \x1b[31m\u202e such thing"}).encode()


def misbehaviours(fake):
    now = time.time
    yield "500", lambda: (500, b"oops")
    yield "an error", lambda: (422, error("execution"))
    yield "an error that says 200", lambda: (200, error("bad_data"))
    yield "404", lambda: (404, b"<html>")
    yield "no JSON", lambda: (200, b"<html>all is well</html>")
    yield "cut JSON", lambda: (200, vector([now(), "1"])[:-3])
    yield "nothing", lambda: (200, b"")
    yield "an empty vector", lambda: (200, vector())
    yield "several series", lambda: (200, vector([now(), "1"], [now(), "2"]))
    yield "NaN", lambda: (200, vector([now(), "NaN"]))
    yield "+Inf", lambda: (200, vector([now(), "+Inf"]))
    yield "no number", lambda: (200, vector([now(), "many"]))
    yield "a number as such", lambda: (200, vector([now(), 1]))
    yield "an old sample", lambda: (200, vector([now() - 60, "1000"]))
    yield "a sample of tomorrow", lambda: (200, vector([now() + 86400, "1000"]))
    yield "a matrix", lambda: (200, b'{"status":"success","data":{"resultType":"matrix","result":[]}}')
    yield "100 MB", lambda: (200, b'{"status":"success","data":"' + b"x" * 100_000_000 + b'"}')
    yield "silence", fake.hang


def wrong_numbers(s, fake):
    """Replies that are well formed and make no sense as counts."""
    for good, total in (("2000", "1000"), ("-1", "1000"), ("0", "-5")):
        fake.tell("good_requests", good, "all_requests", total)
        becomes(s, "hold")
        fake.tell("good_requests", "999", "all_requests", "1000")
        becomes(s, "allow")


def misbehaving(s, fake):
    becomes(s, "allow")
    assert fake.asked == {"good_requests", "all_requests", "mail_ratio", "mail_time"}, fake.asked
    for what, answer in misbehaviours(fake):
        good = fake.answers["all_requests"]
        fake.answers["all_requests"] = answer
        held = becomes(s, "hold")
        assert "unknown" in held["reason"], (what, held)
        assert signal(s)["state"] == "unknown", what
        fake.gate.set()
        fake.answers["all_requests"] = good
        becomes(s, "allow")
        fake.gate.clear()
    wrong_numbers(s, fake)


def numbers(s, fake):
    """Good numbers, and what they mean."""
    assert abs(signal(s)["remaining_pct"] - 90) < 0.01, signal(s)
    fake.tell("good_requests", "985", "all_requests", "1000")
    becomes(s, "escalate")
    s.wait_for(lambda: abs(signal(s)["remaining_pct"] + 50) < 0.01)
    fake.tell("good_requests", "0", "all_requests", "0")
    becomes(s, "allow")
    s.wait_for(lambda: signal(s)["state"] == "no_traffic")
    fake.tell("good_requests", "999", "all_requests", "1000")
    becomes(s, "allow", "mail")
    fake.tell("mail_ratio", "0.98")
    becomes(s, "escalate", "mail")
    fake.tell("mail_ratio", "1.5")
    becomes(s, "hold", "mail")
    fake.tell("mail_ratio", "0.999")
    becomes(s, "allow", "mail")
    fake.tell("mail_time", str(time.time() - 60))
    becomes(s, "hold", "mail")
    fake.tell("mail_time", None)
    becomes(s, "allow", "mail")


def unreachable(s, fake):
    fake.end()
    becomes(s, "hold")
    assert s.call("GET", "/v1/status")[0] == 200
    s.stop()
    s.start()
    held = decide(s)
    assert held["verdict"] == "hold" and held["blocking_check"] == "error_budget", held
    assert signal(s)["state"] == "unknown", signal(s)


def fake_prometheus(pawl):
    fake = Prometheus()
    with pawl_server.Server(pawl, POLICY, settings(f"http://127.0.0.1:{fake.server_address[1]}")) as s:
        s.token("bot", roles=["agent"], agent="bot")
        for scene in (misbehaving, numbers, unreachable):
            print(scene.__name__, flush=True)
            scene(s, fake)


# --- a real one -------------------------------------------------------------------------------------------------

class Exporter(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        good, bad = self.server.step()
        body = f'requests_total{{code="200"}} {good}\nrequests_total{{code="500"}} {bad}\n'.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Service(http.server.ThreadingHTTPServer):
    """A service with counters that grow by what they are told at each scrape."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Exporter)
        self.good = self.bad = 0
        self.pace = (0, 0)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def step(self):
        self.good, self.bad = self.good + self.pace[0], self.bad + self.pace[1]
        return self.good, self.bad


REAL = """
policy:
  checks:
    error_budget: {max_age: 5s}
  agents:
    - {name: bot, owner: alice}
  services:
    - name: shop
      slo:
        objective: 90
        window: 1h
        prometheus:
          good: sum(increase(requests_total{code!~"5.."}[10s]))
          total: sum(increase(requests_total[10s]))
          timestamp: max(timestamp(requests_total))
  tools:
    - name: scale
      class: write
      services: ["{service}"]
      parameters: {type: object, properties: {service: {type: string}}, required: [service]}
"""


def start_prometheus(folder, port, target):
    config = folder / "prometheus.yml"
    config.write_text("global: {scrape_interval: 1s}\nscrape_configs:\n"
                      f"  - job_name: shop\n    static_configs: [{{targets: ['127.0.0.1:{target}']}}]\n")
    return subprocess.Popen(["/usr/bin/prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder}/tsdb",
                             f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def real_scenes(s, service):
    print("no traffic", flush=True)
    becomes(s, "allow", seconds=60)
    assert signal(s)["state"] == "no_traffic", signal(s)
    print("good traffic", flush=True)
    service.pace = (100, 0)
    s.wait_for(lambda: signal(s)["state"] == "known" and signal(s)["remaining_pct"] > 99, 30)
    becomes(s, "allow")
    print("errors", flush=True)
    service.pace = (50, 50)
    becomes(s, "escalate", seconds=30)
    print("the exporter dies", flush=True)
    service.shutdown()
    service.server_close()
    becomes(s, "hold", seconds=60)
    assert signal(s)["state"] == "unknown", signal(s)


def real_prometheus(pawl):
    service = Service()
    port = pawl_server.free_port()
    with pawl_server.Server(pawl, REAL, settings(f"http://127.0.0.1:{port}")) as s:
        s.token("bot", roles=["agent"], agent="bot")
        prometheus = start_prometheus(s.folder, port, service.server_address[1])
        try:
            real_scenes(s, service)
        finally:
            prometheus.terminate()
            prometheus.wait(20)


def main(pawl):
    fake_prometheus(pawl)
    if pathlib.Path("/usr/bin/prometheus").exists():
        real_prometheus(pawl)
    else:
        print("no /usr/bin/prometheus: the real one is skipped")


if __name__ == "__main__":
    main(sys.argv[1])
