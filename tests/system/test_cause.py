#!/usr/bin/env python3
"""pawl cause on files made here, what it prints and what it refuses; pawl bench-rca on a folder made of them."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

PAWL = os.path.abspath(sys.argv[1])

GRAPH = {
    "nodes": [{"id": "web", "type": "service"}, {"id": "shop", "type": "service"}, {"id": "db", "type": "database"},
              {"id": "db.pool", "type": "config"}, {"id": "bank", "type": "remote_endpoint"}],
    "edges": [{"from": "web", "to": "shop", "kind": "calls"}, {"from": "shop", "to": "db", "kind": "calls"},
              {"from": "shop", "to": "bank", "kind": "calls"}, {"from": "db", "to": "db.pool", "kind": "configured_by"}],
}
BEGIN = 1700000000
STEP = 60


def series(minutes, wrong):
    """Latencies of three services by the clock, in seconds; the incident begins at minute `wrong`."""
    rows = ["ts,web|latency_avg,web|requests,shop|latency_avg,shop|requests,db|latency_avg,db|requests,bank|latency_avg,bank|requests"]
    for m in range(minutes):
        more = 0.4 if m >= wrong else 0.0
        wave = 0.001 * (m % 3)
        rows.append(f"{BEGIN + m * STEP},{0.1 + wave + more},100,{0.06 + wave + more},100,{0.02 + wave + more},120,0.01,10")
    return "\n".join(rows) + "\n"


def spans():
    rows = ["window,caller,callee,op,n,lat_ms,self_ms,net_ms,children"]
    for window, slow in (("normal", 0), ("pre", 0), ("f1", 300), ("f2", 310)):
        rows.append(f"{window},user,web,/,60,{50 + slow},10,,1")
        rows.append(f'{window},web,shop,"/buy,now",60,{40 + slow},{30 + slow},2,0')
    return "\n".join(rows) + "\n"


def events():
    return "".join(json.dumps({"kind": "config", "object": what, "detail": "size=5", "ts": BEGIN + minute * STEP}) + "\n"
                   for what, minute in (("db.pool", 27), ("web", 20), ("db.pool", 45)))


def pawl(*words, folder):
    return subprocess.run([PAWL, *words], cwd=folder, capture_output=True, text=True, timeout=60)


def fill(folder):
    (folder / "graph.json").write_text(json.dumps(GRAPH))
    (folder / "metrics.csv").write_text(series(33, 30))
    (folder / "calm.csv").write_text(series(33, 99))
    (folder / "spans.csv").write_text(spans())
    (folder / "logs.csv").write_text("window,node,level,template,n\nnormal,shop,INFO,sold,60\nf1,shop,ERROR,\x1b[2Jgone,60\n")
    (folder / "events.jsonl").write_text(events())


SERIES = ("cause", "web", "--graph", "graph.json", "--events", "events.jsonl", "--at", str(BEGIN + 30 * STEP), "--metric", "latency")


def ranks_from_series(folder):
    done = pawl(*SERIES, "--metrics", "metrics.csv", "--json", folder=folder)
    assert done.returncode == 0, done
    report = json.loads(done.stdout)
    assert report["found"] and report["causes"][0]["node"] == "db", report
    assert [(s["from"], s["edge"], s["to"]) for s in report["causes"][0]["chain"]] == [("db", "calls", "shop"), ("shop", "calls", "web")]
    assert [c["object"] for c in report["changes"]] == ["db.pool"], report["changes"]
    assert report["changes"][0]["chain"][0]["edge"] == "configures"
    why = {r["node"]: r["why"] for r in report["ruled_out"]}
    assert why["shop"] == "what grew at it is explained by what it calls, most by db", why
    assert why["bank"] == "nothing about it changed", why
    again = pawl(*SERIES, "--metrics", "metrics.csv", "--json", folder=folder)
    assert again.stdout == done.stdout


def draws_the_chain(folder):
    text = pawl(*SERIES, "--metrics", "metrics.csv", folder=folder).stdout
    assert "db  <-calls-  shop  <-calls-  web" in text, text
    assert "-configures->  db  <-calls-  shop" in text and "2023-11-14T22:40:20.000Z" in text, text
    assert "own_time" not in text
    assert "own_time" in pawl(*SERIES, "--metrics", "metrics.csv", "--explain", folder=folder).stdout


def is_silent_when_nothing_is_wrong(folder):
    done = pawl(*SERIES, "--metrics", "calm.csv", folder=folder)
    assert done.returncode == 0 and "no cause found" in done.stdout and "Changes" not in done.stdout, done


def ranks_from_spans_and_logs(folder):
    done = pawl("cause", "web", "--spans", "spans.csv", "--logs", "logs.csv", "--explain", folder=folder)
    assert done.returncode == 0, done
    assert "shop explains it best" in done.stdout and "own_time" in done.stdout and "pattern" in done.stdout, done.stdout
    # What a log line says can't reach the terminal.
    assert "\x1b" not in done.stdout and "\\u001b" in done.stdout.lower() or "\\x1b" in done.stdout.lower(), done.stdout


REFUSED = [
    # words, exit code, what is said
    (["cause"], 2, "expected SERVICE"),
    (["cause", "web", "--metrics", "metrics.csv"], 1, "option --at"),
    (["cause", "web", "--at", "noon", "--graph", "graph.json"], 2, "option --at"),
    (["cause", "web", "--metric", "love", "--graph", "graph.json"], 2, "option --metric"),
    (["cause", "nobody", "--graph", "graph.json"], 1, "nobody"),
    (["cause", "web", "--graph", "metrics.csv"], 1, "metrics.csv"),
    (["cause", "web", "--graph", "missing.json"], 1, "missing.json"),
    (["cause", "web", "--spans", "logs.csv"], 1, 'logs.csv:1:1: expected a column "caller"'),
    (["bench-rca"], 2, "expected DIR"),
    (["bench-rca", "nowhere"], 1, "nowhere"),
    (["bench-rca", ".", "--without", "luck"], 2, "option --without"),
]


def refuses(folder):
    for words, code, said in REFUSED:
        done = pawl(*words, folder=folder)
        assert done.returncode == code and said in done.stderr and done.stdout == "", (words, done)


def dataset(folder):
    """Two incidents and a calm baseline."""
    root = folder / "incidents-of-a-shop"
    for name, wrong in (("one", 30), ("two", 31)):
        place = root / "incidents" / name
        place.mkdir(parents=True)
        (place / "metrics.csv").write_text(series(33, wrong))
        (place / "events.jsonl").write_text(events())
        (place / "incident.json").write_text(json.dumps(
            {"id": name, "alert": {"node": "web", "metric": "latency_avg", "ts": BEGIN + 30 * STEP}, "baseline": "baseline.csv"}))
    (root / "graph.json").write_text(json.dumps(GRAPH))
    (root / "baseline.csv").write_text(series(200, 999).replace(str(BEGIN)[:4], str(BEGIN - 10**9)[:4]))
    (root / "labels.jsonl").write_text("".join(json.dumps(
        {"id": name, "root_cause": "db", "symptom": "latency", "true_change": {"object": "db.pool"}}) + "\n" for name in ("one", "two")))
    return root


def measures(folder):
    root = dataset(folder)
    done = pawl("bench-rca", root, "--predictions", "out.jsonl", folder=folder)
    assert done.returncode == 0 and "2 of 2" in done.stdout, done
    for name in ("Top-1", "Top-3", "Avg@5", "node and change", "  latency"):
        assert name in done.stdout, done.stdout
    rows = [json.loads(line) for line in (folder / "out.jsonl").read_text().splitlines()]
    assert [row["id"] for row in rows] == ["one", "two"] and rows[0]["ranked"][0] == "db" and rows[0]["changes"] == ["db.pool"], rows
    calm = pawl("bench-rca", root, "--normal", folder=folder)
    assert calm.returncode == 0 and "says no cause found    1.000" in calm.stdout, calm
    blind = pawl("bench-rca", root, "--without", "own_time", folder=folder)
    assert blind.returncode == 0 and "Top-1                  0.000" in blind.stdout, blind
    (root / "labels.jsonl").unlink()
    bare = pawl("bench-rca", root, "--predictions", "bare.jsonl", folder=folder)
    assert bare.returncode == 0 and (folder / "bare.jsonl").read_text() == (folder / "out.jsonl").read_text(), bare


def is_limited(folder):
    """A file of 256 MiB and a byte; 4,097 incidents."""
    (folder / "long.csv").write_text("ts\n")
    os.truncate(folder / "long.csv", (256 << 20) + 1)
    done = pawl("cause", "web", "--spans", "long.csv", folder=folder)
    assert done.returncode == 1 and "long.csv" in done.stderr, done
    many = folder / "many"
    for i in range(4097):
        (many / "incidents" / str(i)).mkdir(parents=True)
    done = pawl("bench-rca", "many", folder=folder)
    assert done.returncode == 1 and "4096" in done.stderr, done


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        fill(folder)
        for check in (ranks_from_series, draws_the_chain, is_silent_when_nothing_is_wrong, ranks_from_spans_and_logs, refuses, measures, is_limited):
            check(folder)
            print("passed:", check.__name__)


if __name__ == "__main__":
    main()
