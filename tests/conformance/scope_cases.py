#!/usr/bin/env python3
"""Runs `pawl bench-scope` on cases that are no part of this repository and holds it to its figures.

    scope_cases.py PAWL FOLDER               FOLDER unless PAWL_SCOPE_CASES names another; skipped (77) when it is not there
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

SKIPPED = 77
F1_MIN = 0.60
CREEP_MAX = 1.3


def bench(pawl, folder, *words):
    done = subprocess.run([pawl, "bench-scope", str(folder), "--json", *words], capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines() if line]


def only_what_was_before(pawl, folder, predicted):
    """A case says the same when nothing of the history behind it is there."""
    cases = lines(folder / "cases.jsonl")
    history = (folder / "history.jsonl").read_text().splitlines()
    case = cases[len(cases) // 2]
    with tempfile.TemporaryDirectory() as name:
        cut = pathlib.Path(name)
        (cut / "history.jsonl").write_text("\n".join(history[:case["history_upto"]]) + "\n")
        (cut / "cases.jsonl").write_text(json.dumps(case) + "\n")
        tree = cut / case["tree"]
        tree.parent.mkdir(parents=True, exist_ok=True)
        tree.write_bytes((folder / case["tree"]).read_bytes())
        bench(pawl, cut, "--predictions", str(cut / "said.jsonl"))
        said = lines(cut / "said.jsonl")
    assert said == [row for row in predicted if row["id"] == case["id"]], said


def main():
    pawl = os.path.abspath(sys.argv[1])
    folder = pathlib.Path(os.environ.get("PAWL_SCOPE_CASES") or sys.argv[2])
    if not (folder / "cases.jsonl").exists():
        print(f"skipped: no cases in {folder}; PAWL_SCOPE_CASES can name another folder")
        sys.exit(SKIPPED)
    with tempfile.TemporaryDirectory() as name:
        report = bench(pawl, folder, "--predictions", f"{name}/said.jsonl")
        predicted = lines(pathlib.Path(name) / "said.jsonl")
    for row in report["tiers"]:
        print("{tier}: {changes} cases, F1 {f1} +- {f1_margin}, creep {creep}".format(**row))
    overall = report["tiers"][-1]
    assert overall["tier"] == "overall" and overall["changes"] == report["cases"] == len(predicted)
    only_what_was_before(pawl, folder, predicted)
    assert overall["f1"] >= F1_MIN, overall
    assert overall["creep"] <= CREEP_MAX, overall


if __name__ == "__main__":
    main()
