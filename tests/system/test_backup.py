#!/usr/bin/env python3
"""Backups beside a running server, and restores: whole ones, with a loss, of damaged copies, on a full disk."""
import contextlib
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import threading

import pawl_server

NONCE = "executor-0123456789"

POLICY = """
policy:
  start_deadline: 10m
  heartbeat: 10m
  checks:
    error_budget: {max_age: 1h}
    aqdd: {max_depth: 1000}
  agents:
    - {name: bot, owner: alice}
    - {name: cat, owner: alice}
  services:
    - {name: shop, slo: {objective: 90, window: 1h, events: true}}
  tools:
    - name: weight
      class: write
      services: [shop]
      parameters: {type: object, properties: {n: {type: integer}}, required: [n]}
    - name: drop
      class: destructive
      services: [shop]
      parameters: {type: object, properties: {n: {type: integer}}, required: [n]}
"""


def propose(s, tool, n, token="bot"):
    status, answer = s.call("POST", "/v1/actions", {"tool": tool, "parameters": {"n": n}}, token=token)
    assert status == 201, answer
    return answer


def begin(s, n):
    """An action that is executing."""
    decided = propose(s, "weight", n)
    assert decided["verdict"] == "allow", decided
    status, answer = s.call("POST", f"/v1/actions/{decided['action_id']}/commit",
                            {"executor_nonce": NONCE, "digest": decided["digest"]}, token="bot")
    assert status == 200 and answer["committed"], answer
    return decided["action_id"]


def state(s, action):
    return s.call("GET", f"/v1/actions/{action}")[1]["state"]


def people(s):
    s.token("bot", roles=["agent"], agent="bot")
    s.token("cat", roles=["agent"], agent="cat")
    s.token("source", roles=["source"], person="probe", services="*")
    s.token("sam", roles=["viewer", "approver", "responder"], person="sam")
    status, answer = s.call("POST", "/v1/events", {"type": "sli", "service": "shop", "good": 1000, "total": 1000},
                            token="source")
    assert status == 202, answer


def says(done, code, *texts):
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    for text in texts:
        assert text in done.stdout + done.stderr, (text, done.stdout, done.stderr)


def backup(s, name, *more):
    to = s.folder / "backups" / name
    to.parent.mkdir(exist_ok=True)
    return to, s.command("backup", "--data", str(s.folder / "data"), "--to", str(to), *more, token=None)


def restore(s, name, data, *more):
    return s.command("restore", "--from", str(s.folder / "backups" / name), "--data", str(s.folder / data), *more,
                     token=None)


def move_away(s, old):
    """The data folder's ledger is gone; its keys are kept."""
    s.stop()
    (s.folder / "data").rename(s.folder / old)


def keys(s, old):
    return "--keys", str(s.folder / old / "keys")


# --- the scenes -----------------------------------------------------------------------------------------------------

@contextlib.contextmanager
def load(s):
    """Proposals from two agents, all the time."""
    over = threading.Event()
    failed = []

    def work(token, n):
        while not over.is_set():
            try:
                propose(s, "weight", n, token=token)
            except Exception as error:  # said by who started the thread
                failed.append(error)
                return
            n += 1

    threads = [threading.Thread(target=work, args=(token, n)) for token, n in (("bot", 10**6), ("cat", 2 * 10**6))]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert not failed, failed


def under_load(s):
    sizes = []
    with load(s):
        for i in range(4):
            to, done = backup(s, f"under-load-{i}", *(["--deep"] if i == 3 else []))
            says(done, 0, "ok", f"{to}:", "entries, verified", f"{to}.checkpoint: over", "The keys are not in it")
            assert to.stat().st_mode & 0o777 == 0o600
            sizes.append(int(done.stdout.split(f"{to}: ")[1].split()[0]))
    assert sizes == sorted(sizes) and sizes[0] < sizes[-1], sizes
    assert len(list((s.folder / "backups").iterdir())) == 8, "nothing else is left"
    says(backup(s, "under-load-0")[1], 1, "exists; each backup has a name of its own")
    says(s.command("backup", "--data", str(s.folder / "data"), token=None), 2, "expected --to FILE")
    says(s.command("backup", "--data", str(s.folder / "nothing"), "--to", str(s.folder / "backups/no"), token=None), 1,
         "there is no ledger")
    for length, text in ((4000, "pawl: ////"), (4001, "a name has more than 4000 bytes")):
        says(s.command("backup", "--data", str(s.folder / "data"), "--to", "/" * length, token=None), 1, text)


def whole(s):
    """Of the last state, on a machine where only the keys and the second place are left."""
    executing = begin(s, 1)
    move_away(s, "old")
    to = s.folder / "backups/last"
    says(s.command("backup", "--data", str(s.folder / "old"), "--to", str(to), token=None), 0)
    checkpoint = (s.folder / "data.checkpoint").read_bytes()
    says(restore(s, "last", "data"), 1, "data")  # there is neither folder nor key
    says(restore(s, "last", "data", "--reason", "x"), 2, "go together")
    says(restore(s, "last", "data", "--accept-loss"), 2, "go together")
    says(restore(s, "last", "data", *keys(s, "old")), 0, "ok", "entries, verified")
    assert (s.folder / "data.checkpoint").read_bytes() == checkpoint, "nothing was lost: it stays"
    says(s.command("verify", "--deep", "--data", str(s.folder / "data"), "--against", str(s.folder / "data.checkpoint"),
                   token=None), 0)
    says(restore(s, "last", "data"), 1, "exists; move the old ledger away first")
    s.start()
    assert state(s, executing) == "executing"
    status, answer = s.call("POST", f"/v1/actions/{executing}/outcome",
                            {"executor_nonce": NONCE, "result": "succeeded"}, token="bot")
    assert status == 200, answer
    assert not s.entries(kind="ledger.restored")
    propose(s, "weight", 2)
    says(restore(s, "last", "data"), 1, "data")
    shutil.rmtree(s.folder / "old")


def with_a_loss(s):
    executing = begin(s, 3)
    allowed = propose(s, "weight", 4)
    approved, waiting = propose(s, "drop", 5), propose(s, "drop", 6, token="cat")
    assert approved["verdict"] == waiting["verdict"] == "escalate", approved
    says(s.command("approve", approved["action_id"], "--digest", approved["digest"], token="sam"), 0)
    status, grant = s.call("POST", "/v1/grants", {"agent": "bot", "tool": "*", "target": "*", "expires_in": "8h",
                                                  "reason": "tonight"})
    assert status == 201, grant
    to, done = backup(s, "early")
    says(done, 0)
    had = int(done.stdout.split(f"{to}: ")[1].split()[0])
    assert begin(s, 7)  # is lost
    move_away(s, "old")
    signed = (s.folder / "data.checkpoint").read_text()
    done = restore(s, "early", "data", *keys(s, "old"))
    says(done, 1, "entries would be lost", f"the backup has {had}")
    assert not (s.folder / "data/ledger.db").exists()
    says(restore(s, "early", "data", "--checkpoint-file", str(s.folder / "nowhere")), 1, "nobody can tell what was lost")
    assert sorted(p.name for p in (s.folder / "data").iterdir()) == ["keys", "pawl.lock"]
    says(restore(s, "early", "data", "--accept-loss", "--reason", "  "), 1, "expected a reason")
    assert not (s.folder / "data/ledger.db").exists() and (s.folder / "data.checkpoint").read_text() == signed
    done = restore(s, "early", "data", "--accept-loss", "--reason", "the disk failed")
    says(done, 0, "Entries were lost", "revoke them again", "is kept: ")
    kept = pathlib.Path(done.stdout.split("is kept: ")[1].split("\n")[0])
    assert kept.name.startswith("data.checkpoint.20") and kept.read_text() == signed
    new = (s.folder / "data.checkpoint").read_text()
    assert int(new.split("\n")[1]) == had + 1, new
    says(s.command("verify", "--deep", "--data", str(s.folder / "data"), "--against", str(s.folder / "data.checkpoint"),
                   token=None), 0)
    s.start()
    entry = s.entries(kind="ledger.restored")[-1]
    assert entry["seq"] == had and entry["body"]["lost_after"] == had - 1, entry
    assert entry["body"]["reason"] == "the disk failed" and entry["body"]["checkpoint"] == signed
    assert state(s, executing) == "unknown"
    assert state(s, allowed["action_id"]) == state(s, approved["action_id"]) == "cancelled"
    assert state(s, waiting["action_id"]) == "escalated"
    grants = {g["grant_id"]: g["state"] for g in s.call("GET", "/v1/grants")[1]["items"]}
    assert grants.get(grant["grant_id"], "revoked") == "revoked", grants
    status, answer = s.call("POST", f"/v1/actions/{approved['action_id']}/commit",
                            {"executor_nonce": NONCE, "digest": approved["digest"]}, token="bot")
    assert status == 409, answer
    says(s.command("actions", "settle", executing, "--result", "failed", "--reason", "looked", token="sam"), 0, "failed")
    says(s.command("actions", "settle", executing, "--result", "failed", "--reason", "again", token="sam"), 1,
         "only one that is unknown is settled")
    status, answer = s.call("POST", f"/v1/actions/{executing}/outcome",
                            {"executor_nonce": NONCE, "result": "succeeded"}, token="bot")
    assert status == 409, answer
    shutil.rmtree(s.folder / "old")


def damaged(s):
    to, done = backup(s, "good")
    says(done, 0)
    good = to.read_bytes()
    checkpoint = pathlib.Path(f"{to}.checkpoint")
    note = checkpoint.read_bytes()
    move_away(s, "old")
    (s.folder / "data").mkdir(mode=0o700)
    shutil.copytree(s.folder / "old/keys", s.folder / "data/keys")

    def refused(*texts):
        says(restore(s, "good", "data", "--accept-loss", "--reason", "x"), 1, *texts)
        assert sorted(p.name for p in (s.folder / "data").iterdir()) == ["keys", "pawl.lock"]

    for was, becomes in ((b'"owner":"alice"', b'"owner":"mallo"'), (b'"verdict":"allow"', b'"verdict":"alloc"'),
                         (b'"kind":"action.decided"', b'"kind":"action.expired"')):
        assert was in good
        to.write_bytes(good.replace(was, becomes))
        refused()
    to.write_bytes(good[:len(good) // 2])
    refused()
    to.write_bytes(b"not a ledger at all")
    refused("damaged, or not a ledger")
    to.write_bytes(good)
    checkpoint.write_bytes(note.replace(b"\n", b"0\n", 2).replace(b"0\n", b"\n", 1))  # over ten times as many
    refused("good.checkpoint")
    checkpoint.unlink()
    refused("good.checkpoint")
    checkpoint.write_bytes(note)
    # Another key, and a second place that holds another history.
    other = s.folder / "other"
    says(s.command("init", "--data", str(other), token=None), 0)
    shutil.move(s.folder / "data/keys", s.folder / "ours")
    shutil.copytree(other / "keys", s.folder / "data/keys")
    refused("signed by another key")
    says(restore(s, "good", "data", "--keys", str(s.folder / "ours")), 1, "another one than in")
    shutil.rmtree(s.folder / "data/keys")
    shutil.move(s.folder / "ours", s.folder / "data/keys")
    second = s.folder / "data.checkpoint"
    kept = second.read_bytes()
    second.write_bytes((s.folder / "other.checkpoint").read_bytes() if (s.folder / "other.checkpoint").exists()
                       else b"nonsense\n")
    refused("data.checkpoint")
    second.write_bytes(kept)
    says(s.command("backup", "--data", str(s.folder / "old"), "--to", str(s.folder / "backups/end"), token=None), 0)
    says(restore(s, "end", "data"), 0)
    s.start()
    says(restore(s, "end", "data"), 1, "exists")
    shutil.rmtree(s.folder / "old")


def full_disk(s):
    def limited():
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_FSIZE, (64 << 10, 64 << 10))

    before = sorted((s.folder / "backups").iterdir())
    words = [s.pawl, "backup", "--data", str(s.folder / "data"), "--to", str(s.folder / "backups/full")]
    done = subprocess.run(words, env=s.environment(None), capture_output=True, text=True, timeout=60, preexec_fn=limited)
    says(done, 1, "copy to")
    assert sorted((s.folder / "backups").iterdir()) == before, "nothing half-written stays"
    says(backup(s, "full")[1], 0)
    target = s.folder / "elsewhere"
    words = [s.pawl, "restore", "--from", str(s.folder / "backups/full"), "--data", str(target), "--accept-loss",
             "--reason", "x", *keys(s, "data")]
    done = subprocess.run(words, env=s.environment(None), capture_output=True, text=True, timeout=60, preexec_fn=limited)
    says(done, 1)
    assert sorted(p.name for p in target.iterdir()) == ["keys", "pawl.lock"]


def main(pawl):
    with pawl_server.Server(pawl, POLICY) as s:
        people(s)
        for scene in (under_load, whole, with_a_loss, damaged, full_disk):
            print(scene.__name__.replace("_", " "), flush=True)
            scene(s)


if __name__ == "__main__":
    main(sys.argv[1])
