#!/usr/bin/env python3
"""GET /v1/stream while things happen: what is told, from where it goes on, who is ended; and pawl watch."""
import concurrent.futures
import http.client
import json
import queue
import signal
import socket
import sys
import threading

import pawl_server

POLICY = """
policy:
  checks:
    breaker: {max_denials: 2}
  agents:
    - {name: bot, owner: alice}
    - {name: cat, owner: alice}
  services:
    - {name: shop, slo: {objective: 99, events: true}}
  tools:
    - name: scale
      class: write
      services: [shop]
      parameters: {type: object, properties: {n: {type: integer}, note: {type: string}}}
"""

STREAMS_MAX = 64
REPLAY_MAX = 1000
SECRET_WORDS = "words-of-an-agent"


class Stream:
    """One stream, read in the background: events as (id, name, data)."""

    def __init__(self, s, token="viewer", last=None):
        self.connection = http.client.HTTPConnection("127.0.0.1", s.port, timeout=60)
        headers = {"Authorization": "Bearer " + s.tokens[token]}
        if last is not None:
            headers["Last-Event-ID"] = str(last)
        self.connection.request("GET", "/v1/stream", headers=headers)
        self.answer = self.connection.getresponse()
        self.status = self.answer.status
        self.events, self.comments, self.last = queue.Queue(), queue.Queue(), None
        self.opened, self.ended = threading.Event(), threading.Event()
        if self.status == 200:
            assert self.answer.getheader("Content-Type") == "text/event-stream"
            assert self.answer.getheader("Cache-Control") == "no-cache"
            threading.Thread(target=self.read, daemon=True).start()
            assert self.opened.wait(20)  # a place to go on from comes before anything happens

    def take(self, line, event):
        name, _, value = line.partition(": ")
        if name == "":
            self.comments.put(value)
        elif name == "id":
            self.last = event["id"] = int(value)
            self.opened.set()
        else:
            event[name] = value

    def read(self):
        event = {}
        try:
            for line in self.answer:
                line = line.decode().rstrip("\n")
                if line:
                    self.take(line, event)
                    continue
                if "data" in event:
                    self.events.put((event["id"], event["event"], json.loads(event["data"])))
                event = {}
        except (OSError, http.client.HTTPException, ValueError):
            pass
        self.ended.set()

    def next(self, name=None):
        while True:
            event = self.events.get(timeout=20)
            assert event[2]["kind"] == event[1] and event[2]["seq"] == event[0], event
            assert SECRET_WORDS not in json.dumps(event), event
            if name is None or event[1] == name:
                return event

    def close(self):
        self.connection.sock.shutdown(socket.SHUT_RDWR)
        self.ended.wait(20)
        self.connection.close()


def propose(s, n, token="bot", **more):
    status, answer = s.call("POST", "/v1/actions", {
        "tool": "scale", "parameters": {"n": n, "note": SECRET_WORDS}, "intent": SECRET_WORDS, **more}, token=token)
    assert status == 201, answer
    return answer


def escalate(s, n):
    answer = propose(s, n, wants_person=SECRET_WORDS)
    assert answer["verdict"] == "escalate", answer
    return answer


def approve(s, answer):
    done = s.command("approve", answer["action_id"], "--digest", answer["digest"], token="carol")
    assert done.returncode == 0, done


def move_tier(s, n, reason):
    status, answer = s.call("POST", "/v1/tiers", {"agent": "cat", "service": "*", "tier": "supervised", "reason": reason})
    assert status in (200, 201), answer
    return n


# --- what is told -----------------------------------------------------------------------------------------------

def life_of_an_action(s):
    stream = Stream(s)
    propose(s, 1)  # allowed: not told
    asked = escalate(s, 2)
    seq, name, data = stream.next()
    assert name == "action.decided" and data["action_id"] == asked["action_id"], data
    assert (data["agent"], data["tool"], data["services"]) == ("bot", "scale", ["shop"]), data
    assert (data["verdict"], data["blocking_check"]) == ("escalate", "request"), data
    assert "parameters" not in data and "intent" not in data and "target" not in data, data
    assert f"act_{seq}" == asked["action_id"]
    approve(s, asked)
    _, name, data = stream.next()
    assert name == "approval.granted" and data["person"] == "carol" and data["quorum"] is True, data
    again = escalate(s, 3)
    assert stream.next()[1] == "action.decided"
    assert s.command("reject", again["action_id"], "--reason", "not today", token="carol").returncode == 0
    _, name, data = stream.next()
    assert name == "approval.rejected" and data["reason"] == "not today" and data["agent"] == "bot", data
    third = escalate(s, 4)
    stream.next("action.decided")
    status, answer = s.call("POST", f"/v1/actions/{third['action_id']}/cancel", {"reason": SECRET_WORDS}, token="bot")
    assert status == 200, answer
    assert stream.next()[1] == "action.cancelled"
    stream.close()


def glass(s):
    """Who broke it, and what for; not why, which is in the ledger."""
    stream = Stream(s)
    status, answer = s.call("POST", "/v1/actions", {"tool": "scale", "parameters": {"n": 7}, "break_glass": SECRET_WORDS}, token="rita")
    assert status == 201 and answer["verdict"] == "allow", answer
    path, nonce = f"/v1/actions/{answer['action_id']}", {"executor_nonce": "executor-0123456789"}
    assert s.call("POST", path + "/commit", {**nonce, "digest": answer["digest"]}, token="rita")[1]["committed"]
    assert s.call("POST", path + "/outcome", {**nonce, "result": "succeeded"}, token="rita")[0] == 200
    _, name, data = stream.next()
    assert name == "action.committed" and data["break_glass"] is True and data["person"] == "rita", data
    assert data["action_id"] == answer["action_id"] and SECRET_WORDS not in str(data), data
    stream.close()


def stops_and_breakers(s):
    stream = Stream(s)
    status, stop = s.call("POST", "/v1/stops", {"scope": "service", "name": "shop", "reason": "odd"})
    assert status in (201, 202), stop
    _, name, data = stream.next()
    assert name == "stop.set" and data["services"] == ["shop"] and data["reason"] == "odd", data
    stop_id = data["stop_id"]
    assert s.call("POST", f"/v1/stops/{stop_id}/resume", {"reason": "fine"})[0] == 200
    _, name, data = stream.next()
    assert name == "stop.lifted" and data["stop_id"] == stop_id, data
    for n in range(2):
        s.call("POST", "/v1/actions", {"tool": "no-such-tool", "parameters": {"n": n}}, token="cat")
    _, name, data = stream.next()
    assert name == "breaker.opened" and data["agent"] == "cat" and data["cause"] == "denials", data
    assert s.call("POST", "/v1/breakers", {"agent": "cat", "state": "closed", "reason": "mended"})[0] in (200, 201)
    _, name, data = stream.next()
    assert name == "breaker.set" and data["state"] == "closed", data
    stream.close()


# --- from where ---------------------------------------------------------------------------------------------------

def resumed(s):
    stream = Stream(s)
    first = escalate(s, 10)
    seq = stream.next()[0]
    stream.close()
    approve(s, first)  # nobody listens
    second = escalate(s, 11)
    stream = Stream(s, last=seq)
    _, name, data = stream.next()
    assert name == "approval.granted" and data["action_id"] == first["action_id"], data
    _, name, data = stream.next()
    assert name == "action.decided" and data["action_id"] == second["action_id"], data
    s.command("reject", second["action_id"], "--reason", "no", token="carol")
    _, name, data = stream.next()  # and on with what happens now, nothing twice
    assert name == "approval.rejected" and data["action_id"] == second["action_id"], data
    stream.close()


def resumed_over_many(s):
    """More was missed than one stream looks at: it ends, and the next goes on."""
    stream = Stream(s)
    stream.close()
    last, count = stream.last, REPLAY_MAX + 300
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: move_tier(s, n, "many"), range(count)))
    seen, streams = [], 0
    while len(seen) < count:
        stream, streams = Stream(s, last=last), streams + 1
        while True:
            try:
                seen.append(stream.events.get(timeout=0.2)[0])
            except queue.Empty:
                if stream.ended.is_set() and stream.events.empty() or len(seen) == count:
                    break
        last = stream.last
        stream.close()
    assert streams > 1 and seen == sorted(set(seen)) and len(seen) == count, (streams, len(seen))


# --- who ----------------------------------------------------------------------------------------------------------

def slow_reader(s):
    """Who does not read is ended; what it missed is there when it comes back."""
    connection = socket.socket(socket.AF_UNIX)  # the kernel keeps less of it than of TCP
    connection.connect(str(s.folder / "data" / "pawl.sock"))
    connection.sendall(f"GET /v1/stream HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                       f"Authorization: Bearer {s.tokens['viewer']}\r\n\r\n".encode())
    lively = Stream(s)
    reason, count = "r" * 1000, 1000
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: move_tier(s, n, reason), range(count)))
    for _ in range(count):
        assert lively.next()[1] == "tier.changed"
    lively.close()
    connection.settimeout(20)
    got = b""
    while True:
        piece = connection.recv(65536)
        if not piece:
            break
        got += piece
    connection.close()
    ids = [int(line[4:]) for line in got.split(b"\n") if line.startswith(b"id: ")]
    assert 0 < len(ids) < count, (len(ids), count)
    missed = Stream(s, last=ids[-1])
    assert missed.next()[0] > ids[-1]
    missed.close()


def opened(s):
    """A stream; None while there is no place: one that left is noticed within a second."""
    stream = Stream(s)
    return stream if stream.status == 200 else None


def limits(s):
    streams = [s.wait_for(lambda: opened(s)) for _ in range(STREAMS_MAX)]
    refused = Stream(s)
    assert refused.status == 503, refused.status
    assert json.loads(refused.answer.read())["detail"] == "64 streams are open: the limit"
    streams[0].close()
    streams[0] = s.wait_for(lambda: opened(s))  # the place of one that left is free
    for stream in streams:
        stream.close()


def who_may(s):
    assert Stream(s, token="bot").status == 403
    assert s.send("GET", "/v1/stream", token=None)[0] == 401
    for last in ("nonsense", "-1", "99999999"):
        refused = Stream(s, last=last)
        assert refused.status == 422, (last, refused.status)
        assert "Last-Event-ID" in json.loads(refused.answer.read())["detail"]
    status, headers, body = s.send("HEAD", "/v1/stream", token="viewer")
    assert (status, headers["Content-Type"], body) == (200, "text/event-stream", b"")
    s.token("leaver", roles=["viewer"], person="leaver")
    stream = Stream(s, token="leaver")
    token = next(t for t in s.call("GET", "/v1/tokens")[1]["items"] if t["person"] == "leaver")
    assert s.call("POST", f"/v1/tokens/{token.get('token_id') or token['id']}/revoke", {"reason": "left"})[0] == 200
    assert stream.ended.wait(20)


def kept_alive(s):
    stream = s.wait_for(lambda: opened(s))
    assert stream.comments.get(timeout=60) == "keep-alive"
    stream.close()


# --- pawl watch ----------------------------------------------------------------------------------------------------

def watch(s):
    text, lines = s.begin("watch", token="viewer"), s.begin("watch", "--json", token="viewer")
    try:
        # A watch is open once it prints: something is said until it does.
        found = queue.Queue()
        threading.Thread(target=lambda: [found.put(line) for line in lines.stdout], daemon=True).start()
        first = None
        while first is None:
            move_tier(s, 0, "knock")
            try:
                first = json.loads(found.get(timeout=0.5))
            except queue.Empty:
                pass
        assert first["kind"] == "tier.changed", first
        s.stop()
        s.start()
        asked = escalate(s, 50)
        while True:
            event = json.loads(found.get(timeout=20))
            if event["kind"] == "action.decided":
                break
        assert event["action_id"] == asked["action_id"], event
        line = text.stdout.readline()
        while "action.decided" not in line:
            line = text.stdout.readline()
        assert asked["action_id"] in line and "agent=bot" in line and "blocking_check=request" in line, line
    finally:
        for process in (text, lines):
            process.send_signal(signal.SIGINT)
            process.wait(20)
            process.stdout.close()
            process.stderr.close()
    refused = s.command("watch", token="bot")
    assert refused.returncode == 1 and "roles" in refused.stderr, refused
    assert s.command("watch", "more").returncode == 2
    assert s.command("watch", extra={"PAWL_URL": "http://127.0.0.1:1"}).returncode == 24


def main(pawl):
    with pawl_server.Server(pawl, POLICY) as s:
        s.token("bot", roles=["agent"], agent="bot")
        s.token("cat", roles=["agent"], agent="cat")
        s.token("carol", roles=["approver", "viewer"], person="carol")
        s.token("rita", roles=["responder"], person="rita")
        s.token("viewer", roles=["viewer"], person="victor")
        s.token("source", roles=["source"], person="prober", services="*")
        assert s.call("POST", "/v1/events", {"type": "sli", "service": "shop", "good": 1000, "total": 1000},
                      token="source")[0] == 202
        for scene in (who_may, life_of_an_action, glass, stops_and_breakers, resumed, resumed_over_many, slow_reader, watch,
                      limits, kept_alive):
            print(scene.__name__, flush=True)
            scene(s)


if __name__ == "__main__":
    main(sys.argv[1])
