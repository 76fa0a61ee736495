#!/usr/bin/env python3
"""pawl bench-rca on incidents kept elsewhere, held to the shares that must come out.

    rca_cases.py PAWL FOLDER

FOLDER holds one folder for each system; PAWL_RCA_CASES names another. Skipped (77) when it is not there.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

SKIPPED = 77
MUST = {
    # system: what is printed, and the least share
    "petshop_low": {"Top-1": 0.92, "Top-3": 1.0, "node and change": 0.90, "says no cause found": 0.95},
    "nezha_tt_a": {"Top-1": 0.90},
    "nezha_ob": {"Top-1": 0.75},
}


def bench(pawl, folder, *options):
    done = subprocess.run([pawl, "bench-rca", folder, *options], capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, done.stderr
    return done.stdout


def shares(text):
    """The lines "name  0.958  [..]  23 of 24"."""
    found = {}
    for line in text.splitlines():
        name, rest = line[:23].strip(), line[23:].split()
        if rest and rest[0].replace(".", "").isdigit() and name not in found:
            found[name] = float(rest[0])
    return found


def predictions(pawl, folder):
    """Without labels the same is ranked, and written."""
    with tempfile.TemporaryDirectory() as scratch:
        bare = pathlib.Path(scratch, "bare")
        bare.mkdir()
        for item in pathlib.Path(folder).iterdir():
            if item.name != "labels.jsonl":
                (bare / item.name).symlink_to(item)
        files = [pathlib.Path(scratch, name) for name in ("with", "without")]
        bench(pawl, folder, "--predictions", files[0])
        bench(pawl, bare, "--predictions", files[1])
        texts = [f.read_text() for f in files]
        assert texts[0] == texts[1], "labels change a ranking"
        rows = [json.loads(line) for line in texts[0].splitlines()]
        assert rows and all({"id", "ranked", "changes"} <= set(row) for row in rows)


def main(pawl, folder):
    folder = os.environ.get("PAWL_RCA_CASES", folder)
    there = [name for name in MUST if os.path.isdir(os.path.join(folder, name))]
    if not there:
        print(f"skipped: no incidents in {folder} (see PAWL_RCA_CASES)")
        return SKIPPED
    wrong = []
    for name in there:
        path = os.path.join(folder, name)
        text = bench(pawl, path)
        if "says no cause found" in MUST[name]:
            text += bench(pawl, path, "--normal")
        print(f"== {name}\n{text}")
        came = shares(text)
        wrong += [f"{name}: {what} is {came.get(what)}, must be {least}" for what, least in MUST[name].items()
                  if came.get(what, -1) < least]
    predictions(pawl, os.path.join(folder, there[-1]))
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(os.path.abspath(sys.argv[1]), sys.argv[2]))
