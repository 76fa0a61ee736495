"""Another policy on a ledger of ordinary decisions: decisions per second of one core."""
import os
import pathlib
import resource
import subprocess
import sys
import tempfile

import load

DECISIONS = int(os.environ.get("BENCH_DECISIONS", "200000"))
RUNS = 5

POLICY = """
policy:
  limits: {open_actions: 100000000}
  checks:
    error_budget: {max_age: 1h, min_pct: @MIN@}
  agents:
    - {name: bot, owner: alice}
    - {name: cat, owner: alice}
  services:
    - {name: shop, slo: {objective: 99.9, events: true}}
  tools:
    - name: scale
      class: write
      services: [shop]
      parameters: {type: object}
      phases: 1
"""


def cpu_s():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(pawl, build):
    """User and system time of the whole program, start included; the best run, for a machine that is not alone."""
    server = load.pawl_server.Server(pawl, POLICY.replace("@MIN@", "20"))
    with tempfile.TemporaryDirectory() as folder:
        other = pathlib.Path(folder) / "other.yaml"
        other.write_text(POLICY.replace("@MIN@", "30"))
        other.chmod(0o600)
        try:
            subprocess.run([build / "bench/fill", server.config, str(DECISIONS), "decided"], capture_output=True, check=True)
            runs = []
            for _ in range(RUNS):
                before = cpu_s()
                subprocess.run([pawl, "backtest", other, "--data", server.folder / "data"], stdout=subprocess.DEVNULL, check=True)
                runs.append(cpu_s() - before)
        finally:
            server.__exit__(*sys.exc_info())
    return {"decisions": DECISIONS, "decisions_per_core_s": round(DECISIONS / min(runs)),
            "median_decisions_per_core_s": round(DECISIONS / sorted(runs)[RUNS // 2])}
