"""A large ledger: how fast it is verified and started from; how soon a stop is felt; what memory it takes."""
import http.client
import json
import os
import pathlib
import re
import statistics
import subprocess
import threading
import time

import load

ACTIONS = int(os.environ.get("BENCH_ACTIONS", "100000"))
STOPS = 20
STARTS = 5


def policy(agents):
    rows = "".join(f"    - {{name: agent-{i}, owner: alice}}\n" for i in range(agents))
    return f"""
policy:
  limits: {{open_actions: 100000000}}
  checks:
    error_budget: {{max_age: 1h}}
  agents:
    - {{name: bot, owner: alice}}
{rows}  services:
    - {{name: shop, slo: {{objective: 99.9, events: true}}}}
  tools:
    - name: scale
      class: write
      services: [shop]
      parameters: {{type: object}}
"""


def rss_kib(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1])


def openssl_bytes_per_s(size):
    ran = subprocess.run(["openssl", "speed", "-seconds", "1", "-bytes", str(size), "-evp", "sha256"],
                         capture_output=True, text=True, check=True)
    return float(re.findall(r"([\d.]+)k\s*$", ran.stdout.strip())[-1]) * 1000


def verify(s):
    """Everything stored is hashed once for its body and once for its leaf: bytes twice would be unfair to us,
    so the fraction counts each stored byte once."""
    runs = []
    for _ in range(3):
        ran = s.command("verify", "--data", str(s.folder / "data"), "--json")
        assert ran.returncode == 0, ran.stderr
        runs.append(json.loads(ran.stdout))
    best = max(runs, key=lambda r: r["entries_per_s"])
    size = best["bytes"] // best["entries"]
    return {"entries": best["entries"], "bytes_per_entry": size, "entries_per_s": best["entries_per_s"],
            "median_entries_per_s": statistics.median(r["entries_per_s"] for r in runs),
            "fraction_of_openssl_speed": round(best["bytes"] / best["duration_s"] / openssl_bytes_per_s(size), 3)}


def start_ms(s):
    """From exec to the first answer."""
    begun = time.perf_counter()
    s.log = open(s.folder / "server.log", "ab")
    s.process = subprocess.Popen([s.pawl, "serve", "--config", str(s.config)], stdout=s.log, stderr=s.log)
    while True:
        try:
            assert s.call("GET", "/healthz", token=None)[0] == 200
            return (time.perf_counter() - begun) * 1000
        except OSError:
            assert s.process.poll() is None, s.said()
            time.sleep(0.001)


def large_ledger(pawl, build):
    with_agents = policy(1000)
    s = load.server(pawl, with_agents)
    try:
        made = subprocess.run([str(build / "bench/fill"), str(s.config), str(ACTIONS)], capture_output=True, text=True)
        assert made.returncode == 0, made.stderr
        filled = json.loads(made.stdout)
        found = {"fill": filled, "verify": verify(s)}
        starts = []
        for _ in range(STARTS):
            starts.append(start_ms(s))
            found["rss_after_start_mib"] = round(rss_kib(s.process.pid) / 1024, 1)
            s.kill()
        found["start_ms"] = {"median": round(statistics.median(starts), 1), "max": round(max(starts), 1)}
        return found
    finally:
        s.__exit__(AssertionError, None, None)


class Watch(threading.Thread):
    """Asks again and again; remembers when the first refusal came."""

    def __init__(self, s):
        super().__init__()
        self.s, self.refused, self.begun = s, None, threading.Event()

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.s.port, timeout=20)
        headers = {"Authorization": "Bearer " + self.s.tokens["bot"], "Content-Type": "application/json"}
        while self.refused is None:
            connection.request("POST", "/v1/evaluate", load.BODY, headers)
            verdict = json.loads(connection.getresponse().read())["verdict"]
            self.begun.set()
            if verdict == "deny":
                self.refused = time.perf_counter()
        connection.close()


def stop_once(s):
    """From the stop's first byte to the first refusal that somebody else receives."""
    watch = Watch(s)
    watch.start()
    watch.begun.wait()
    time.sleep(0.02)
    begun = time.perf_counter()
    status, stop = s.call("POST", "/v1/stops", {"scope": "all", "reason": "bench"})
    assert status == 201, stop
    watch.join()
    assert s.call("POST", f"/v1/stops/{stop['stop_id']}/resume", {}, token="second")[0] == 200
    return (watch.refused - begun) * 1000


def small_servers(pawl):
    found = {}
    with load.server(pawl) as s:
        load.prepare(s)
        s.token("second", roles=["admin"], person="bob")
        found["rss_empty_mib"] = round(rss_kib(s.process.pid) / 1024, 1)
        stops = sorted(stop_once(s) for _ in range(STOPS))
        found["stop_ms"] = {"median": round(stops[STOPS // 2], 2), "max": round(stops[-1], 2)}
    sizes = []
    for agents in (1000, 3000):
        with load.server(pawl, policy(agents)) as s:
            s.stop()
            s.start()  # the second start: the policy is in the ledger, nothing is read twice
            sizes.append(rss_kib(s.process.pid))
    found["rss_1000_agents_mib"] = round(sizes[0] / 1024, 1)
    found["kib_per_1000_idle_agents"] = round((sizes[1] - sizes[0]) / 2)
    return found


def measure(pawl, build):
    print("  stops and memory", flush=True)
    found = small_servers(pawl)
    print(f"  a ledger of {10 * ACTIONS} entries", flush=True)
    found.update(large_ledger(pawl, build))
    return found
