#!/usr/bin/env python3
"""Large texts beside entries: in over HTTP, whole again, over a restart, verified, damaged, erased by retention, and bounded."""
import hashlib
import json
import pathlib
import socket
import sqlite3
import sys

import pawl_server

NONCE = "executor-0123456789"
MIB = 1 << 20
LARGE_BYTES_MAX = 64 * MIB  # HTTP_LARGE_BYTES_MAX

POLICY = """
policy:
  start_deadline: 3s
  heartbeat: 3s
  checks:
    breaker: {max_failures: 50}
  agents:
    - {name: bot, owner: alice}
  services:
    - {name: shop, slo: {objective: 99, events: true}}
  tools:
    - {name: scale, class: write, services: [shop], parameters: {type: object}}
"""
SETTINGS = "  retention: {blobs: 1d}\n"


def text_of(size, seed):
    """Lines of hexadecimal digits, the same for the same seed."""
    lines, length, block = [], 0, hashlib.sha256(seed.encode()).hexdigest()
    while length < size:
        block = hashlib.sha256(block.encode()).hexdigest()
        lines.append(f"+ line {block[:48]}\n")
        length += len(lines[-1])
    return "".join(lines)[:size]


def name_of(text):
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


# --- what is large goes in, and comes out as it was ---------------------------------------------------------------

def propose(s, diff, n, **more):
    status, answer = s.call("POST", "/v1/actions", {"tool": "scale", "parameters": {"n": n}, "diff": diff, **more}, token="bot")
    assert status == 201, answer
    return answer


def commit(s, action):
    status, answer = s.call("POST", f"/v1/actions/{action['action_id']}/commit",
                            {"executor_nonce": NONCE, "digest": action["digest"]}, token="bot")
    assert status == 200 and answer["committed"], answer


def finish(s, action, output):
    status, answer = s.call("POST", f"/v1/actions/{action['action_id']}/outcome",
                            {"executor_nonce": NONCE, "result": "succeeded", "detail": {"output": output}}, token="bot")
    assert status == 200, answer


def lives(s, diff, output):
    """Proposed, approved by who saw all of it, committed, finished."""
    asked = propose(s, {"unified": diff}, 1, wants_person="so much of it")
    assert asked["verdict"] == "escalate", asked
    shown = s.call("GET", f"/v1/actions/{asked['action_id']}", token="carol")[1]
    assert shown["decision"]["request"]["diff"] == {"unified": diff}, "the approver sees all of it"
    status, answer = s.call("POST", f"/v1/approvals/{asked['action_id']}/approve",
                            {"digest": asked["digest"], "decision_id": asked["decision_id"]}, token="carol")
    assert status == 200 and answer["state"] == "approved", answer
    commit(s, asked)
    finish(s, asked, output)
    return asked


def stands(s, action, diff, output):
    """Everything of it, to everybody who may."""
    got = s.call("GET", f"/v1/actions/{action['action_id']}")[1]
    assert got["state"] == "succeeded" and got["decision"]["request"]["diff"] == {"unified": diff}
    entry = s.call("GET", "/v1/ledger/" + action["action_id"][4:])[1]
    assert entry["body"]["request"]["diff"] == {"unified": {"$blob": name_of(diff), "size": len(diff)}}, "the entry is small"
    finished = s.entries(kind="action.finished", action=action["action_id"])[0]
    assert finished["body"]["detail"] == {"output": {"$blob": name_of(output), "size": len(output)}}, finished
    for text in (diff, output):
        status, headers, found = s.send("GET", "/v1/blobs/" + name_of(text), token="audrey")
        assert status == 200 and found == text.encode(), (status, len(found))
        assert headers["Content-Type"] == "application/octet-stream", headers
        for token in ("bot", "carol"):
            assert s.send("GET", "/v1/blobs/" + name_of(text), token=token)[0] == 403, token
    replay = s.call("GET", f"/v1/decisions/{action['decision_id']}/replay")
    assert replay[0] == 200, replay


def verify(s, *words, code=0):
    done = s.command("verify", "--data", str(s.folder / "data"), *words)
    assert done.returncode == code, (words, done.stdout, done.stderr)
    return done.stdout + done.stderr


def counts(s, beside, erased):
    for words in ((), ("--deep",)):
        assert f"{beside} large texts beside them, {erased} erased by policy" in verify(s, *words), verify(s, *words)
        found = json.loads(verify(s, "--json", *words))
        assert (found["blobs"], found["blobs_erased"]) == (beside, erased), found


def whole(s, diff, output):
    action = lives(s, diff, output)
    stands(s, action, diff, output)
    counts(s, 2, 0)
    s.stop()
    s.start()
    feed(s)
    stands(s, action, diff, output)
    counts(s, 2, 0)
    return action


def refused(s):
    """One text beyond what is kept, and a name that is the server's own: with the place, and nothing entered."""
    before = len(s.entries())
    for diff, place in (({"unified": "x" * (8 * MIB + 1)}, "/diff/unified"), ({"$blob": name_of("x"), "size": 1}, "/diff/$blob")):
        status, problem = s.call("POST", "/v1/actions", {"tool": "scale", "parameters": {}, "diff": diff}, token="bot")
        assert status == 422 and problem["errors"][0]["pointer"] == place, problem
    assert s.send("GET", "/v1/blobs/" + name_of("never was"))[0] == 404
    assert s.send("GET", "/v1/blobs/sha256:zz")[0] == 404
    assert len(s.entries()) == before


# --- damage ------------------------------------------------------------------------------------------------------

def damaged(s, action, diff):
    """A text that is not there, and one that is another, while nobody erased anything."""
    s.stop()
    ledger = s.folder / "data/ledger.db"
    digest = hashlib.sha256(diff.encode()).digest()
    with sqlite3.connect(ledger) as db:
        row = db.execute("SELECT id, digest, bytes FROM blob WHERE digest = ?", (digest,)).fetchone()
        db.execute("DELETE FROM blob WHERE id = ?", (row[0],))
    db.close()
    for words in ((), ("--deep",)):
        said = verify(s, *words, code=1)
        assert f"entry {action['action_id'][4:]}: {name_of(diff)} is missing, and no erasure took it" in said, said
    s.start()
    status, problem = s.call("GET", f"/v1/actions/{action['action_id']}")
    assert status == 500 and "is missing, and no erasure took it" in s.said() + str(problem), problem
    s.stop()
    with sqlite3.connect(ledger) as db:
        db.execute("INSERT INTO blob VALUES (?, ?, ?)", (row[0], row[1], row[2][:-1] + b"?"))
    db.close()
    said = verify(s, code=1)
    assert f"entry {action['action_id'][4:]}" in said, said
    with sqlite3.connect(ledger) as db:
        db.execute("UPDATE blob SET bytes = ? WHERE id = ?", (row[2], row[0]))
    db.close()
    counts(s, 2, 0)
    s.start()
    feed(s)


# --- many at once ----------------------------------------------------------------------------------------------------

def begin_body(s, size, sent=4096):
    """A connection that says how much comes, and sends less of it."""
    c = socket.create_connection(("127.0.0.1", s.port), timeout=20)
    c.sendall(f"POST /v1/actions HTTP/1.1\r\nHost: 127.0.0.1:{s.port}\r\nAuthorization: Bearer {s.tokens['bot']}\r\n"
              f"Content-Type: application/json\r\nContent-Length: {size}\r\n\r\n".encode() + b'{"tool": "scale", ' + b" " * sent)
    return c


def answers(c):
    """What it says by now; nothing when it waits for more."""
    c.settimeout(1)
    try:
        return c.recv(65536)
    except TimeoutError:
        return b""


def sanitized(s):
    """Then memory that was freed is kept for a while."""
    return b"__asan_init" in pathlib.Path(s.pawl).read_bytes()


def resident(s):
    status = pathlib.Path(f"/proc/{s.process.pid}/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS:"))


def crowded(s, diff):
    """More than is kept of bodies under way: the next is sent away, and small ones are served all the while."""
    size = 10 * MIB
    fits = LARGE_BYTES_MAX // size
    before = resident(s)
    for _ in range(3):
        waiting = [begin_body(s, size, size - MIB) for _ in range(fits)]
        assert all(answers(c) == b"" for c in waiting[-2:]), "they have room"
        one_more = begin_body(s, size)
        said = answers(one_more)
        assert said.startswith(b"HTTP/1.1 503 ") and b"\r\nRetry-After: " in said, said[:200]
        assert s.call("GET", "/v1/status")[0] == 200
        assert propose(s, {"unified": "small"}, s.next())["verdict"] == "allow"
        with_room = begin_body(s, LARGE_BYTES_MAX - fits * size)
        assert answers(with_room) == b"", "what is left is given out to the last byte"
        assert sanitized(s) or resident(s) > before + fits * size // 2, "they are in memory"
        for c in (*waiting, one_more, with_room):
            c.close()
        s.wait_for(lambda: takes_large(s, diff))
        assert sanitized(s) or s.wait_for(lambda: resident(s) < before + fits * size // 2), "and given back"
    counts(s, 5, 0)
    with sqlite3.connect(f"file:{s.folder}/data/ledger.db?mode=ro", uri=True) as db:
        kept = db.execute("SELECT count(*) FROM blob WHERE length(bytes) > ?", (MIB,)).fetchone()[0]
    db.close()
    assert kept == 2, "the same text is kept once"


def takes_large(s, diff):
    """There is room again: for one that is there already, so that nothing grows."""
    n = s.next()
    body = json.dumps({"tool": "scale", "parameters": {"n": n}, "diff": {"unified": diff}}).encode()
    try:
        return s.send("POST", "/v1/actions", body, token="bot")[0] == 201
    except ConnectionError:
        return False


# --- retention --------------------------------------------------------------------------------------------------------

def erased(s, action, diff, output):
    """A day and more later: what is over loses its texts, what nobody knows the end of keeps them."""
    kept = text_of(3 * MIB, "of an action that stays open")
    unknown = propose(s, {"unified": kept}, s.next())
    commit(s, unknown)
    s.wait_for(lambda: s.call("GET", f"/v1/actions/{unknown['action_id']}")[1]["state"] == "unknown")
    s.levers.add_ms(2 * 86400 * 1000)
    s.wait_for(lambda: s.call("GET", "/v1/status")[1]["ledger"]["state"] == "clock_jumped")
    assert s.command("clock", "accept").returncode == 0
    entry = s.wait_for(lambda: s.entries(kind="blobs.erased"), 60)[0]
    assert entry["body"]["rule"] == "blobs older than 1d" and entry["body"]["count"] >= 2, entry
    assert entry["body"]["bytes"] >= len(diff) + len(output), entry
    s.wait_for(lambda: s.send("GET", "/v1/blobs/" + name_of(diff), token="audrey")[0] == 404)
    status, problem = s.call("GET", "/v1/blobs/" + name_of(output), token="audrey")
    assert status == 404 and "erased by policy" in problem["detail"], problem
    status, problem = s.call("GET", f"/v1/decisions/{action['decision_id']}/replay")
    assert status == 410 and "was erased by policy" in problem["detail"], problem
    decision = s.call("GET", f"/v1/decisions/{action['decision_id']}")[1]
    assert decision["request"]["diff"] == {"unified": {"$blob": name_of(diff), "size": len(diff), "erased": "erased by policy"}}
    assert s.send("GET", "/v1/blobs/" + name_of(kept), token="audrey")[2] == kept.encode()
    counts(s, 1, 5)
    s.stop()
    s.start()
    feed(s)
    assert s.send("GET", "/v1/blobs/" + name_of(kept), token="audrey")[2] == kept.encode()
    assert s.call("GET", f"/v1/decisions/{action['decision_id']}/replay")[0] == 410
    assert b"\0" * 64 not in diff.encode() and diff.encode()[:200] not in (s.folder / "data/ledger.db").read_bytes(), "overwritten"


def feed(s):
    assert s.call("POST", "/v1/events", {"type": "sli", "service": "shop", "good": 10, "total": 10}, token="source")[0] == 202


class Server(pawl_server.Server):
    used = 100

    def next(self):
        self.used += 1
        return self.used


def main(pawl, preloaded):
    s = Server(pawl, POLICY, SETTINGS)
    s.levers = pawl_server.Levers(s.folder)
    s.extra = s.levers.environment(preloaded)
    diff, output = text_of(5 * MIB, "a diff"), text_of(4 * MIB, "an output")
    with s:
        s.token("bot", roles=["agent"], agent="bot")
        s.token("carol", roles=["approver"], person="carol")
        s.token("audrey", roles=["auditor"], person="audrey")
        s.token("source", roles=["source"], person="probe", services="*")
        feed(s)
        print("whole", flush=True)
        action = whole(s, diff, output)
        print("refused", flush=True)
        refused(s)
        print("damaged", flush=True)
        damaged(s, action, diff)
        print("crowded", flush=True)
        crowded(s, diff)
        print("erased", flush=True)
        erased(s, action, diff, output)


if __name__ == "__main__":
    main(*sys.argv[1:])
