#!/usr/bin/env python3
"""The log of a running server, checked from outside by tlog_check.py while it is being written to."""
import os
import pathlib
import subprocess
import sys
import threading

import pawl_server

POLICY = """
policy:
  agents:
    - {name: bot, owner: alice}
  services:
    - {name: shop}
  tools:
    - name: look
      class: read
      services: [shop]
      parameters: {type: object, properties: {n: {type: integer}}, required: [n]}
"""
CHECK = pathlib.Path(__file__).with_name("tlog_check.py")
ROUNDS = 3
ENTRIES = 1200  # more than four tiles of 256, so that there is a level above


def check(s, vkey, *words, token="admin"):
    env = dict(os.environ)
    env.pop("PAWL_TOKEN", None)
    if token is not None:
        env["PAWL_TOKEN"] = s.tokens[token]
    return subprocess.run([sys.executable, CHECK, f"http://127.0.0.1:{s.port}", vkey, *words], env=env,
                          capture_output=True, text=True, timeout=120)


def write_on(s, ended):
    n = 0
    while not ended.is_set():
        n += 1
        status, _ = s.call("POST", "/v1/actions", {"tool": "look", "parameters": {"n": n}}, token="bot")
        assert status == 201


def covered(s):
    note = s.send("GET", "/checkpoint")[2]
    return int(note.split(b"\n")[1])


def receipt(s, seq):
    path = s.folder / f"receipt-{seq}"
    proved = s.command("prove", str(seq), "--output", str(path))
    assert proved.returncode == 0, proved.stderr
    return path


def live(s, vkey):
    s.wait_for(lambda: covered(s) >= ENTRIES, 120)
    sizes = []
    for n in range(ROUNDS):
        kept = s.folder / f"kept-{n}"
        kept.write_bytes(s.send("GET", "/checkpoint")[2])
        sizes.append(covered(s))
        s.wait_for(lambda: covered(s) > sizes[-1])
        checked = check(s, vkey, "--old", str(kept), "--receipt", str(receipt(s, 1 + n * 300)))
        assert checked.returncode == 0, checked.stderr
        assert "1 receipts: all as signed" in checked.stdout, checked.stdout
    assert sizes == sorted(set(sizes)), "the log did not grow meanwhile"
    refused = check(s, vkey, token=None)
    assert refused.returncode == 1 and "401" in refused.stderr, refused.stderr


def after_the_end(s, vkey):
    """Everybody may look when the policy of the server says so, and what was kept still holds."""
    kept = s.folder / "kept-0"
    s.stop()
    s.config.write_text(s.config.read_text().replace("server:\n", "server:\n  public_log: true\n"))
    s.start()
    checked = check(s, vkey, "--old", str(kept), token=None)
    assert checked.returncode == 0, checked.stderr
    other = vkey.replace("+", "x+", 1)
    assert check(s, other, token=None).returncode == 1
    offline = s.command("verify", "--proof", str(s.folder / "receipt-301"), "--key", vkey)
    assert offline.returncode == 0 and "entry 301 " in offline.stdout, offline


def main(pawl):
    with pawl_server.Server(pawl, POLICY, "  checkpoint_interval: 50ms\n") as s:
        s.token("bot", roles=["agent"], agent="bot")
        vkey = s.call("GET", "/v1/ledger/0")[1]["body"]["vkey"]
        ended = threading.Event()
        writers = [threading.Thread(target=write_on, args=(s, ended)) for _ in range(4)]
        for writer in writers:
            writer.start()
        try:
            live(s, vkey)
        finally:
            ended.set()
            for writer in writers:
                writer.join()
        after_the_end(s, vkey)
    print("tlog_live: as signed while it was written to")


if __name__ == "__main__":
    main(sys.argv[1])
