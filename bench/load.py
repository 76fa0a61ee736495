"""Requests per second: Pawl, nginx and FastAPI in turn, each on CPU 0, wrk on CPU 1."""
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests/system"))
import pawl_server  # noqa: E402

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
SECONDS = int(os.environ.get("BENCH_SECONDS", "2"))
SYNCS = 1000

POLICY = """
policy:
  limits: {open_actions: 100000000}
  checks:
    error_budget: {max_age: 1h}
  agents:
    - {name: bot, owner: alice}
  services:
    - {name: shop, slo: {objective: 99.9, events: true}}
  tools:
    - name: scale
      class: write
      services: ["{service}"]
      parameters:
        type: object
        properties: {service: {type: string}, replicas: {type: integer, minimum: 0, maximum: 100}}
        required: [service, replicas]
"""

BODY = ('{"tool":"scale","parameters":{"service":"shop","replicas":6},"intent":"%s"}')
BODY = BODY % ("p95 latency rose above its limit on two of six replicas; one more takes the load. " * 9)[:600 - len(BODY) + 2]

NGINX = """
worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log crit;
events {{ worker_connections 2048; }}
http {{
  access_log off; keepalive_requests 100000000; default_type application/json;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi; client_body_buffer_size 64k;
  server {{ listen 127.0.0.1:{port}; location / {{ return 200 '{answer}'; }} }}
}}
"""


def pin(pid, cpu):
    """All threads of a process onto one CPU."""
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(task.name), {cpu})


def wait_until_open(port, process):
    for _ in range(200):
        try:
            pawl_server.socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            assert process.poll() is None, f"{process.args[0]} ended at once"
            time.sleep(0.05)
    raise AssertionError(f"{process.args[0]} does not listen")


class Process:
    """A server on CPU 0, in a folder of its own; ended with it."""

    def __init__(self, words, env=None, port=None):
        self.port = port
        self.process = subprocess.Popen(["taskset", "-c", "0", *words], env={**os.environ, **(env or {})},
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until_open(port, self.process)

    def end(self):
        self.process.terminate()
        self.process.wait(20)


def nginx(folder):
    port = pawl_server.free_port()
    config = folder / "nginx.conf"
    config.write_text(NGINX.format(folder=folder, port=port, answer='{"verdict":"allow","padding":"%s"}' % ("x" * 363)))
    return Process([shutil.which("nginx") or "/usr/sbin/nginx", "-p", str(folder), "-c", str(config)], port=port)


def fastapi(folder):
    port = pawl_server.free_port()
    return Process(["/usr/bin/python3", "-m", "uvicorn", "--app-dir", str(HERE / "peers"), "--loop", "uvloop",
                    "--http", "httptools", "--no-access-log", "--log-level", "error", "--port", str(port), "fastapi_gate:app"],
                   {"GATE_DB": str(folder / "gate.db")}, port)


def has_fastapi():
    asked = subprocess.run(["/usr/bin/python3", "-c", "import fastapi, uvicorn, uvloop, httptools"], capture_output=True)
    return asked.returncode == 0


def server(pawl, policy=POLICY):
    """Pawl with its limits out of the way, fed, with a budget that is known; not started yet."""
    s = pawl_server.Server(pawl, policy, "  connections: 2048\n")
    s.config.write_text(s.config.read_text().replace("rate_per_s: 10000\n  burst: 10000",
                                                     "rate_per_s: 10000000\n  burst: 10000000\n  daily_bytes: 1000000000000"))
    return s


def prepare(s):
    s.token("bot", roles=["agent"], agent="bot")
    s.token("source", roles=["source"], person="probe", services="*")
    status, answer = s.call("POST", "/v1/events", {"type": "sli", "service": "shop", "good": 1000, "total": 1000},
                            token="source")
    assert status == 202, answer
    pin(s.process.pid, 0)


UNITS = {"us": 1, "ms": 1000, "s": 1000000}


def micros(text, label):
    found = re.search(label + r"\s+([\d.]+)(us|ms|s)\b", text)
    return float(found[1]) * UNITS[found[2]]


def ticks(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def wrk(port, connections, path="/v1/actions", token="none", pid=None):
    env = {**os.environ, "BENCH_PATH": path, "BENCH_TOKEN": token, "BENCH_BODY": BODY}
    before = ticks(pid) if pid else 0
    ran = subprocess.run(["taskset", "-c", "1", "wrk", "-t1", f"-c{connections}", f"-d{SECONDS}s", "--latency", "-s",
                          str(HERE / "post.lua"), f"http://127.0.0.1:{port}"], env=env, capture_output=True, text=True,
                         check=True)
    text = ran.stdout
    assert "Non-2xx" not in text, text
    requests = int(re.search(r"(\d+) requests in", text)[1])
    result = {"per_s": float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1]), "p50_us": micros(text, "50%"),
              "p99_us": micros(text, "99%"), "requests": requests}
    if pid:
        result["cpu_us"] = (ticks(pid) - before) / os.sysconf("SC_CLK_TCK") * 1e6 / max(requests, 1)
    return result


def fdatasync(folder):
    """4 KiB into a file that has its blocks already, then fdatasync: what the disk alone takes."""
    path = folder / "raw"
    with open(path, "wb") as file:
        file.write(b"\0" * 4096 * SYNCS)
        os.fsync(file.fileno())
        times = []
        for i in range(SYNCS):
            begun = time.perf_counter()
            os.pwrite(file.fileno(), b"x" * 4096, i * 4096)
            os.fdatasync(file.fileno())
            times.append((time.perf_counter() - begun) * 1e6)
    path.unlink()
    times.sort()
    return {"p50_us": times[SYNCS // 2], "p99_us": times[SYNCS * 99 // 100]}


def pawl_round(pawl):
    """One fresh ledger per number of connections."""
    found = {}
    for connections in (1, 64, 256):
        with server(pawl) as s:
            prepare(s)
            before = s.call("GET", "/v1/status")[1]["ledger"]
            run = found[f"durable_{connections}"] = wrk(s.port, connections, token=s.tokens["bot"], pid=s.process.pid)
            after = s.call("GET", "/v1/status")[1]["ledger"]
            run["bytes_per_decision"] = (after["bytes"] - before["bytes"]) / (after["entries"] - before["entries"])
            run["file_bytes_per_decision"] = (s.folder / "data/ledger.db").stat().st_size / after["entries"]
            if connections == 64:
                found["evaluate_64"] = wrk(s.port, 64, "/v1/evaluate", s.tokens["bot"], s.process.pid)
    return found


def one_round(pawl, folder, peers):
    found = {"fdatasync": fdatasync(folder)}
    if "nginx" in peers:
        peer = nginx(folder)
        try:
            for connections in (64, 256):
                found[f"nginx_{connections}"] = wrk(peer.port, connections)
        finally:
            peer.end()
    found.update(pawl_round(pawl))
    if "fastapi" in peers:
        peer = fastapi(folder)
        try:
            found["fastapi_64"] = wrk(peer.port, 64)
        finally:
            peer.end()
    return found


def median_of(rounds, case, what):
    return statistics.median(r[case][what] for r in rounds)


def ratio_of(rounds, case, base):
    return statistics.median(r[case]["per_s"] / r[base]["per_s"] for r in rounds)


def summary(rounds, peers):
    result = {case: {what: round(median_of(rounds, case, what), 1) for what in rounds[0][case]} for case in rounds[0]}
    ratios = [("durable_64", "nginx_64"), ("durable_256", "nginx_256"), ("evaluate_64", "nginx_64")] if "nginx" in peers else []
    ratios += [("durable_64", "fastapi_64")] if "fastapi" in peers else []
    result["ratios"] = {f"{case}/{base}": round(ratio_of(rounds, case, base), 3) for case, base in ratios}
    disk = {what: median_of(rounds, "fdatasync", what) for what in ("p50_us", "p99_us")}
    result["ratios"]["durable_1 p50/fdatasync p50"] = round(median_of(rounds, "durable_1", "p50_us") / disk["p50_us"], 2)
    result["ratios"]["durable_64 p99/fdatasync p99"] = round(median_of(rounds, "durable_64", "p99_us") / disk["p99_us"], 2)
    return result


def measure(pawl):
    if shutil.which("wrk") is None:
        print("wrk is not here: requests per second are skipped")
        return {}
    peers = {"nginx"} if shutil.which("nginx") or os.path.exists("/usr/sbin/nginx") else set()
    if not peers:
        print("nginx is not here: ratios to it are skipped")
    if has_fastapi():
        peers.add("fastapi")
    else:
        print("/usr/bin/python3 has no fastapi, uvicorn, uvloop, httptools: the ratio to them is skipped")
    if os.cpu_count() < 2:
        print("one CPU: server and wrk share it, and ratios mean little")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="pawl-bench-"))
    os.chmod(folder, 0o755)
    try:
        rounds = []
        for number in range(ROUNDS):
            print(f"  round {number + 1} of {ROUNDS}", flush=True)
            for old in folder.iterdir():
                shutil.rmtree(old) if old.is_dir() else old.unlink()
            rounds.append(one_round(pawl, folder, peers))
        return summary(rounds, peers)
    finally:
        shutil.rmtree(folder)
