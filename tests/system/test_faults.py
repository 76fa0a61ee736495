#!/usr/bin/env python3
"""What goes wrong around a server: full disk, damaged ledger, lost log, a second server, stops, signals."""
import contextlib
import pathlib
import resource
import signal
import socket
import sqlite3
import sys
import threading

import pawl_server

POLICY = """
policy:
  agents:
    - {name: bot, owner: alice}
  services:
    - {name: shop, slo: {objective: 99, events: true}}
    - {name: other, slo: {objective: 99, events: true}}
  tools:
    - name: scale
      class: write
      services: [shop]
      parameters: {type: object, properties: {n: {type: integer}}, required: [n]}
"""


@contextlib.contextmanager
def server(pawl):
    with pawl_server.Server(pawl, POLICY) as s:
        prepare(s)
        yield s


def prepare(s):
    s.token("bot", roles=["agent"], agent="bot")
    s.token("source", roles=["source"], person="probe", services="*")
    s.token("second", roles=["admin"], person="bob")
    feed(s)


def feed(s):
    status, answer = s.call("POST", "/v1/events", {"type": "sli", "service": "shop", "good": 10, "total": 10},
                            token="source")
    assert status == 202, answer


def propose(s, n, token="bot"):
    return s.call("POST", "/v1/actions", {"tool": "scale", "parameters": {"n": n}}, token=token)


def commit(s, decided, nonce="executor-0123456789"):
    return s.call("POST", f"/v1/actions/{decided['action_id']}/commit",
                  {"executor_nonce": nonce, "digest": decided["digest"]}, token="bot")


def verify(s):
    return s.command("verify", "--data", str(s.folder / "data"))


def refused_start(s, *texts):
    """serve ends by itself, and says all of texts."""
    ended = s.command("serve", "--config", str(s.config))
    assert ended.returncode not in (0, None), "it started"
    for text in texts:
        assert text in ended.stderr, (text, ended.stderr)
    return ended.returncode


# --- a full disk ----------------------------------------------------------------------------------------

def fill_disk(s, is_full):
    """No file of the server may grow beyond one page any more, which it sees as a full disk does."""
    resource.prlimit(s.process.pid, resource.RLIMIT_FSIZE,
                     (4096 if is_full else resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def full_disk(s):
    before = propose(s, 1)[1]
    assert before["verdict"] == "allow"
    fill_disk(s, True)
    status, problem = propose(s, 2)
    assert (status, problem["code"]) == (503, "ledger_unavailable"), problem
    status, problem = propose(s, 3)
    assert (status, problem["code"]) == (503, "ledger_unavailable"), problem
    assert commit(s, before)[0] == 503
    status, headers, _ = s.send("GET", "/v1/status")
    assert status == 200 and headers.get("Pawl-Durable") == "false", headers
    assert s.call("GET", "/v1/status")[1]["ledger"]["state"] == "disk_full"
    assert s.call("GET", "/readyz")[0] == 503
    assert s.call("GET", "/healthz", token=None)[0] == 200
    status, stop = s.call("POST", "/v1/stops", {"scope": "service", "name": "other", "reason": "full"})
    assert status in (201, 202) and stop["durable"] == (status == 201), stop
    status, evaluated = s.call("POST", "/v1/evaluate", {"tool": "scale", "parameters": {"n": 4}}, token="bot")
    assert status == 200 and evaluated["recorded"] is False
    pid = s.process.pid
    fill_disk(s, False)
    s.wait_for(lambda: s.call("GET", "/v1/status")[1]["ledger"]["state"] == "ok")
    status, after = propose(s, 5)
    assert (status, after["verdict"], s.process.pid) == (201, "allow", pid)
    assert commit(s, before)[1]["committed"] is True
    check_abandoned(s)
    assert any(e["body"]["name"] == "other" for e in s.entries(kind="stop.set"))
    assert verify(s).returncode == 0


def check_abandoned(s):
    """The answer that never left is recorded as such, and nothing can start by it."""
    abandoned = s.entries(kind="action.abandoned")
    assert len(abandoned) == 1, abandoned
    action = abandoned[0]["refs"][0]
    decided = s.call("GET", "/v1/ledger/" + action[4:])[1]
    assert decided["body"]["request"]["parameters"] == {"n": 2}, decided
    status, problem = commit(s, {"action_id": action, "digest": decided["body"]["request"]["digest"]})
    assert status == 409 and "abandoned" in problem["detail"], problem


def full_disk_at_the_end(s):
    """A server that is ended while the disk is full ends, and what was not answered is not there."""
    fill_disk(s, True)
    status, _ = propose(s, 1)
    assert status == 503
    s.process.send_signal(signal.SIGTERM)
    s.process.wait(20)
    s.kill()
    s.start()
    assert not [e for e in s.entries(kind="action.decided") if e["body"]["request"]["parameters"] == {"n": 1}]
    feed(s)
    assert propose(s, 1)[1]["verdict"] == "allow"


# --- a damaged ledger --------------------------------------------------------------------------------------

def ledger(s):
    return s.folder / "data" / "ledger.db"


def put_back(s, whole):
    """The database's file as it was, and nothing else of it."""
    for path in ledger(s).parent.glob("ledger.db-*"):
        path.unlink()
    ledger(s).write_bytes(whole)


def edit(s, statement):
    with contextlib.closing(sqlite3.connect(ledger(s))) as db, db:
        changed = db.execute(statement).rowcount
        assert changed > 0, statement


def replaced(column, old, new):
    return f"{column} = CAST(replace(CAST({column} AS TEXT), '{old}', '{new}') AS BLOB)"


DAMAGES = [
    # what is done to it; what verify says; what a start says
    ("a changed body", f"UPDATE entry SET {replaced('body', 'root', 'boot')} WHERE seq = 1", "entry 1", "entry 1"),
    ("a changed policy", f"UPDATE blob SET {replaced('bytes', 'alice', 'malice')}", "entry 2: a blob", "a blob"),
    ("a missing policy", "DELETE FROM blob", "entry 2: there is no such blob", "no such blob"),
    ("a changed header", f"UPDATE entry SET {replaced('header', 'token.created', 'token.revoked')} WHERE seq = 3",
     "checkpoint", "entry 3"),
    ("a missing entry", "DELETE FROM entry WHERE seq = 4", "entry 4", "4"),
    ("lost entries", "DELETE FROM entry WHERE seq >= (SELECT max(seq) - 3 FROM entry)", "entries", "entries were lost"),
    ("another checkpoint", f"UPDATE checkpoint SET {replaced('note', 'pawl.local', 'pawl.lacol')}", "checkpoint",
     "checkpoint"),
    ("another format", "PRAGMA user_version = 2", "format 2", "format 2"),
]


def damaged_ledger(s):
    for n in range(5):
        propose(s, n)
    s.stop()
    put_back(s, ledger(s).read_bytes())  # after a graceful end one file holds it all
    assert verify(s).returncode == 0
    whole = ledger(s).read_bytes()
    for what, statement, verify_says, start_says in DAMAGES:
        if statement.startswith("PRAGMA"):
            with contextlib.closing(sqlite3.connect(ledger(s))) as db, db:
                db.execute(statement)
        else:
            edit(s, statement)
        failed = verify(s)
        assert failed.returncode != 0 and verify_says in failed.stderr, (what, failed.stderr)
        refused_start(s, start_says)
        put_back(s, whole)
    s.start()


def changed_bytes(s):
    """Bytes changed behind the database's back, and a file that is cut."""
    for n in range(40):
        propose(s, n)
    s.stop()
    whole = ledger(s).read_bytes()
    at = whole.rfind(b'"verdict":"allow"')
    assert at > 0
    put_back(s, whole[:at] + b'"verdict":"ALLOW"' + whole[at + 17:])
    failed = verify(s)
    assert failed.returncode != 0 and "entry " in failed.stderr, failed.stderr
    for size in (0, 100, 16384, len(whole) // 2, len(whole) - 16384):
        put_back(s, whole[:size])
        failed = verify(s)
        assert failed.returncode != 0, size
        refused_start(s)
    put_back(s, whole)
    s.start()


def lost_log(s):
    """A crash, and then the write-ahead log is gone: what was signed and shown is missing."""
    for n in range(5):
        propose(s, n)
    kept = s.folder / "data.checkpoint"
    seen = s.wait_for(lambda: s.send("GET", "/checkpoint")[2] if kept.exists() else None)
    s.wait_for(lambda: int(kept.read_text().split("\n")[1]) >= int(seen.split(b"\n")[1]))
    s.kill()
    wal = pathlib.Path(str(ledger(s)) + "-wal")
    assert wal.stat().st_size > 0
    saved = wal.read_bytes()
    wal.unlink()
    refused_start(s, "entries were lost", "data.checkpoint")
    put_back(s, ledger(s).read_bytes())
    wal.write_bytes(saved)
    s.start()


def other_key(s):
    s.stop()
    key = s.folder / "data/keys/ledger.key"
    text = key.read_text()
    key.write_text("00" * 32 + "\n")
    refused_start(s, "checkpoint")
    key.write_text("nothing\n")
    refused_start(s, "64 hexadecimal digits")
    key.write_text(text)
    key.chmod(0o644)
    refused_start(s, "ledger.key", "0600")
    key.chmod(0o600)
    (s.folder / "data").chmod(0o755)
    refused_start(s, "0700")
    (s.folder / "data").chmod(0o700)
    s.start()


# --- processes -----------------------------------------------------------------------------------------------

def second_server(s):
    ended = s.command("serve", "--config", str(s.config))
    assert ended.returncode == 3, ended
    assert f"held by process {s.process.pid}" in ended.stderr, ended.stderr


def init_over_it(s):
    again = s.command("init", "--data", str(s.folder / "data"))
    assert again.returncode != 0 and "not empty" in again.stderr, again.stderr


def graceful_end(s):
    """What is under way when the end is asked for is answered: the events wait for their bucket."""
    answers = []
    waiting = [threading.Thread(target=lambda: answers.append(
        s.call("POST", "/v1/events", {"type": "sli", "service": "shop", "good": 1, "total": 1}, token="source")[0]))
        for _ in range(8)]
    before = s.call("GET", "/v1/status")[1]["ledger"]["entries"]
    for thread in waiting:
        thread.start()
    s.wait_for(lambda: len(answers) > 0)
    process = s.process
    process.send_signal(signal.SIGTERM)
    for thread in waiting:
        thread.join()
    assert process.wait(20) == 0
    assert answers == [202] * 8, answers
    s.kill()
    s.start()
    assert s.call("GET", "/v1/status")[1]["ledger"]["entries"] > before


def half_a_request(s):
    """A peer that never ends its request does not keep the server from ending."""
    with socket.create_connection(("127.0.0.1", s.port)) as peer:
        peer.sendall(b"POST /v1/actions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
        s.stop()
    s.start()


def repeated_key(s):
    body = b'{"tool":"scale","parameters":{"n":77}}'
    key = {"Idempotency-Key": "once-only"}
    status, _, first = s.send("POST", "/v1/actions", body, token="bot", headers=key)
    assert status == 201
    for end in (lambda: None, s.stop, s.kill):
        end()
        if s.process is None:
            s.start()
        status, _, again = s.send("POST", "/v1/actions", body, token="bot", headers=key)
        assert status == 200, again
        ids = [t.split(b'"action_id":"')[1].split(b'"')[0] for t in (first, again)]
        assert ids[0] == ids[1], (first, again)
    status, _, other = s.send("POST", "/v1/actions", body.replace(b"77", b"78"), token="bot", headers=key)
    assert status == 422 and b"another body" in other, other


# --- stops -----------------------------------------------------------------------------------------------------

def stops(s):
    return s.call("GET", "/v1/stops")[1]["items"]


def resume(s):
    for stop in stops(s):
        status, answer = s.call("POST", f"/v1/stops/{stop['stop_id']}/resume", {"reason": "over"}, token="second")
        assert status == 200, answer
    assert stops(s) == []


def is_stopped(s):
    decided = propose(s, 1000)[1]
    return decided["verdict"] == "deny" and decided["blocking_check"] == "stop"


def stop_file(s):
    path = s.folder / "data/stop"
    # The stop takes effect as soon as the file is there; its reason is read when it is there whole.
    whole = s.folder / "stop.new"
    whole.write_text("the building is on fire\n")
    whole.rename(path)
    s.wait_for(lambda: stops(s))
    assert stops(s)[0]["reason"] == "the building is on fire" and is_stopped(s)
    path.unlink()
    assert is_stopped(s), "removing the file must not resume"
    s.stop()
    s.start()
    assert is_stopped(s), "a restart must not resume"
    resume(s)
    assert not is_stopped(s)


def stop_file_at_start(s):
    """A stop that was left while no server ran, readable or not."""
    for make in (lambda p: p.write_text("left"), lambda p: p.mkdir(), lambda p: p.symlink_to("/nowhere")):
        s.stop()
        path = s.folder / "data/stop"
        make(path)
        s.start()
        assert is_stopped(s)
        if path.is_dir():
            path.rmdir()
        else:
            path.unlink(missing_ok=True)
        resume(s)
    assert not (s.folder / "data/stop").exists()


def stop_signal(s):
    s.process.send_signal(signal.SIGUSR1)
    s.wait_for(lambda: stops(s))
    assert is_stopped(s) and (s.folder / "data/stop").exists()
    resume(s)
    assert not (s.folder / "data/stop").exists()


def stop_by_a_person(s):
    status, stop = s.call("POST", "/v1/stops", {"scope": "all", "reason": "drill"})
    assert status == 201 and stop["durable"] and is_stopped(s)
    status, problem = s.call("POST", f"/v1/stops/{stop['stop_id']}/resume", {"reason": "me"})
    assert status == 403 and "someone else" in problem["detail"], problem
    s.kill()
    s.start()
    assert is_stopped(s)
    resume(s)
    assert s.call("POST", "/v1/stops", {"scope": "agent", "name": "bot"}, token="bot")[0] == 201
    assert s.call("POST", "/v1/stops", {"scope": "all"}, token="bot")[0] == 403
    assert is_stopped(s)
    resume(s)


def commit_under_stop(s):
    decided = propose(s, 1)[1]
    assert decided["verdict"] == "allow"
    s.call("POST", "/v1/stops", {"scope": "tool", "name": "scale"})
    status, answer = commit(s, decided)
    assert status == 200 and answer["committed"] is False and answer["verdict"] == "deny", answer
    resume(s)


SCENES = [full_disk, full_disk_at_the_end, damaged_ledger, changed_bytes, lost_log, other_key, second_server,
          init_over_it, graceful_end, half_a_request, repeated_key, stop_file, stop_file_at_start, stop_signal,
          stop_by_a_person, commit_under_stop]


def main(pawl):
    for scene in SCENES:
        print(scene.__name__, flush=True)
        with server(pawl) as s:
            scene(s)


if __name__ == "__main__":
    main(sys.argv[1])
