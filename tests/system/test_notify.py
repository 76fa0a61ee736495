#!/usr/bin/env python3
"""What waits on a person reaches a person: a real webhook receiver and a command, from the first word to the last."""
import base64
import hashlib
import hmac
import http.server
import json
import os
import resource
import sys
import time
import threading

import pawl_server

KEY = os.urandom(32)
OLD_KEY = os.urandom(32)

POLICY = """
policy:
  proposal_ttl: 24s
  start_deadline: 1s
  checks:
    breaker: {max_denials: 2, max_failures: 10}
    error_budget: {max_age: 1s}
  agents:
    - {name: bot, owner: team-shop, escalation: [alice, on-call], checks: {error_budget: {max_age: 1h}}}
    - {name: cat, owner: team-cats}
  services:
    - {name: shop, owner: team-shop, slo: {objective: 99, events: true}}
    - {name: web, owner: team-web, slo: {objective: 90, window: 1h, events: true}}
    - {name: mail, owner: team-mail, slo: {objective: 99, events: true}}
  tools:
    - name: scale
      class: write
      services: [shop]
      parameters: {type: object, properties: {n: {type: integer}, note: {type: string}}}
    - name: move
      class: write
      services: [web]
      parameters: {type: object}
      observe: {for: 3s, max_drop_pct: 5}
      revert: {argv: [/bin/false], timeout: 5s}
"""

SECRET_WORDS = "words-of-an-agent"
# What a person pastes into a reason by mistake.
SLIPPED = "ghp_" + "Ab1Cd2Ef3Gh4Ij5Kl6Mn7Op8Qr9St0Uv1Wx2"


def settings(receiver, folder):
    return f"""  prometheus: {{url: "http://127.0.0.1:1", interval: 200ms}}
  notify:
    - name: people
      on: ["*"]
      webhook: {{url: "http://127.0.0.1:{receiver.server_address[1]}/hook", secret_file: {folder}/hook.secret}}
      repeat: 10s
    - name: pager
      on: [stop]
      command: ["{folder}/page", "--team", "sre"]
    - name: shop
      on: [escalated]
      owners: ["team-c*"]
      webhook: {{url: "http://127.0.0.1:{receiver.server_address[1]}/cats", secret_file: {folder}/hook.secret}}
"""


# --- a receiver that trusts nobody --------------------------------------------------------------------------------

class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        message, at = self.headers["webhook-id"], self.headers["webhook-timestamp"]
        signed = f"{message}.{at}.".encode() + body
        want = ["v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
                for key in (KEY, OLD_KEY)]
        good = self.headers["webhook-signature"].split() == want
        if not good:
            self.server.forged.append(body)
        if SLIPPED.encode() in body:
            self.server.leaked.append(body)
        refuse = self.server.refusals > 0
        self.server.refusals -= refuse
        if good and not refuse:
            notice = json.loads(body)
            notice.update(id=message, path=self.path)
            self.server.heard.append(notice)
        self.send_response(503 if refuse else 204 if good else 401)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Receiver(http.server.ThreadingHTTPServer):
    def __init__(self):
        super().__init__(("127.0.0.1", 0), Hook)
        self.heard, self.forged, self.leaked, self.refusals = [], [], [], 0
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def find(self, kind, key=None, path="/hook", repeat=0):
        return [n for n in list(self.heard) if n["type"] == "pawl." + kind and n["path"] == path
                and (key is None or n["data"]["key"] == key) and n["data"]["repeat"] == repeat]


def comes(s, receiver, kind, key=None, **more):
    found = s.wait_for(lambda: receiver.find(kind, key, **more), 40)
    assert SECRET_WORDS not in json.dumps(found) and len(found) == 1, found
    assert found[0]["data"]["kind"] == kind and found[0]["data"]["needs_ack"], found
    return found[0]


# --- what happens -------------------------------------------------------------------------------------------------

def propose(s, n, token="bot", **more):
    status, answer = s.call("POST", "/v1/actions", {
        "tool": "scale", "parameters": {"n": n, "note": SECRET_WORDS}, "intent": SECRET_WORDS, **more}, token=token)
    assert status == 201, answer
    return answer


def feed(s, service):
    assert s.call("POST", "/v1/events", {"type": "sli", "service": service, "good": 1000, "total": 1000},
                  token="source")[0] == 202


def escalated(s, receiver):
    """Said at once, also when the receiver fails at first; the cats' route has nothing to do with it."""
    receiver.refusals = 1
    asked = propose(s, 1, wants_person=SECRET_WORDS)
    data = comes(s, receiver, "escalated", asked["action_id"])["data"]
    assert (data["agent"], data["service"], data["owner"]) == ("bot", "shop", "team-shop"), data
    assert data["escalation"] == ["alice", "on-call"] and data["seq"] == int(asked["action_id"][4:]), data
    assert "asks for scale on shop: request" in data["text"] and asked["action_id"] in data["text"], data
    done = s.command("approve", asked["action_id"], "--digest", asked["digest"], token="carol")
    assert done.returncode == 0, done
    rejected = propose(s, 2, wants_person=SECRET_WORDS)
    comes(s, receiver, "escalated", rejected["action_id"])
    assert s.command("reject", rejected["action_id"], "--reason", "no", token="carol").returncode == 0
    waiting = propose(s, 3, wants_person=SECRET_WORDS)
    comes(s, receiver, "escalated", waiting["action_id"])
    cats = propose(s, 4, token="cat", wants_person=SECRET_WORDS)
    comes(s, receiver, "escalated", cats["action_id"], path="/cats")
    assert not receiver.find("escalated", waiting["action_id"], path="/cats")
    return [asked["action_id"], rejected["action_id"]], [waiting["action_id"], cats["action_id"]]


def committed(s, n, **more):
    answer = propose(s, n, **more)
    assert answer["verdict"] == "allow", answer
    nonce = f"nonce-of-{n:016}"
    status, grant = s.call("POST", f"/v1/actions/{answer['action_id']}/commit",
                           {"executor_nonce": nonce, "digest": answer["digest"]}, token="bot")
    assert status == 200, grant
    return answer["action_id"], nonce


def lost(s, receiver):
    """Two executors vanish; one comes back late."""
    back, nonce = committed(s, 10)
    gone, _ = committed(s, 11)
    data = comes(s, receiver, "unknown", back)["data"]
    assert "scale for bot was lost" in data["text"] and data["owner"] == "team-shop", data
    comes(s, receiver, "unknown", gone)
    status, answer = s.call("POST", f"/v1/actions/{back}/outcome", {"executor_nonce": nonce, "result": "succeeded"},
                            token="bot")
    assert status == 200, answer
    return back, gone


def stops(s, receiver):
    stop_ids = []
    for name in ("shop", "mail"):
        status, stop = s.call("POST", "/v1/stops", {"scope": "service", "name": name, "reason": f"odd\nline {SLIPPED}"})
        assert status in (201, 202), stop
        stop_ids.append(s.call("GET", "/v1/stops")[1]["items"][-1]["stop_id"])
    data = comes(s, receiver, "stop", stop_ids[0])["data"]
    assert (data["service"], data["owner"]) == ("shop", "team-shop") and "by root: odd?line [redacted:github_token:" in data["text"], data
    assert "[redacted:github_token:" in s.call("GET", "/v1/stops")[1]["items"][-1]["reason"]
    assert s.call("POST", f"/v1/stops/{stop_ids[0]}/resume", {"reason": f"fine {SLIPPED}"})[0] == 200
    comes(s, receiver, "stop", stop_ids[1])
    paged = s.wait_for(lambda: [line for line in read(s.folder / "paged").splitlines() if stop_ids[1] in line])
    words, environment, given = paged[0].split("|", 2)
    assert words == "--team sre" and environment == f"stop {stop_ids[1]}" and json.loads(given)["type"] == "pawl.stop"
    return stop_ids


def by_file(s):
    """A reason that comes with the stop file; nothing of the server says it on, not even its log."""
    (s.folder / "reason").write_text(SLIPPED)
    (s.folder / "reason").rename(s.folder / "data" / "stop")  # whole at once: it acts on the first it sees of it
    s.wait_for(lambda: "[redacted:github_token:" in s.said())
    assert SLIPPED not in json.dumps(s.call("GET", "/v1/stops")[1])
    all_of_it = [stop for stop in s.call("GET", "/v1/stops")[1]["items"] if stop["scope"] == "all"][0]
    assert s.call("POST", f"/v1/stops/{all_of_it['stop_id']}/resume", {"reason": "fine"})[0] == 200
    assert not (s.folder / "data" / "stop").exists()


def nothing_slipped(s, receiver):
    """Not out of it, not into a file, not through an interface."""
    assert not receiver.leaked, receiver.leaked
    assert any("[redacted:github_token:" in entry["body"].get("reason", "") for entry in s.entries(kind="stop.lifted"))
    for path in ("/v1/ledger?limit=1000", "/v1/stops", "/v1/status", "/v1/actions?limit=1000"):
        status, answer = s.call("GET", path)
        assert status == 200 and SLIPPED not in json.dumps(answer), (path, status)
    for path in s.folder.rglob("*"):
        assert not path.is_file() or SLIPPED.encode() not in path.read_bytes(), path


def unconfirmed(s, receiver):
    """A stop finds two executions; one says that it ended, the other is never heard of again."""
    (said, nonce), (gone, _) = committed(s, 60), committed(s, 61)
    status, stop = s.call("POST", "/v1/stops", {"scope": "agent", "name": "bot", "reason": "odd"})
    assert status == 201, stop
    comes(s, receiver, "stop", stop["stop_id"])
    listed = s.call("GET", "/v1/stops")[1]["items"][-1]
    assert (listed["running"], listed["confirmed"], listed["unconfirmed"]) == (2, 0, 0), listed
    assert s.call("POST", f"/v1/actions/{said}/outcome", {"executor_nonce": nonce, "result": "failed"}, token="bot")[0] == 200
    assert not receiver.find("stop_unconfirmed")
    data = comes(s, receiver, "stop_unconfirmed", stop["stop_id"])["data"]
    assert "of 2 executions that it found, nobody said in time that 1 ended" in data["text"], data
    assert (data["agent"], data["owner"], data["escalation"]) == ("bot", "team-shop", ["alice", "on-call"]), data
    comes(s, receiver, "unknown", gone)
    listed = s.call("GET", "/v1/stops")[1]["items"][-1]
    assert (listed["running"], listed["confirmed"], listed["unconfirmed"]) == (0, 1, 1), listed
    # After a restart it is the same one; once the stop is lifted it is over.
    was = receiver.find("stop_unconfirmed")[0]["id"]
    s.stop()
    receiver.heard.clear()
    s.start()
    assert comes(s, receiver, "stop_unconfirmed", stop["stop_id"])["id"] == was
    assert s.call("POST", f"/v1/stops/{stop['stop_id']}/resume", {"reason": "fine"})[0] == 200
    assert s.command("actions", "settle", gone, "--result", "failed", "--reason", "it is gone").returncode == 0
    s.stop()
    receiver.heard.clear()
    s.start()
    # A stop that finds nothing, or only what ends, alarms nobody.
    feed(s, "shop")
    action, nonce = committed(s, 62)
    status, stop = s.call("POST", "/v1/stops", {"scope": "service", "name": "shop", "reason": "odd"})
    assert s.call("POST", f"/v1/actions/{action}/outcome", {"executor_nonce": nonce, "result": "succeeded"}, token="bot")[0] == 200
    assert s.entries(kind="stop.confirmed")[-1]["body"]["unconfirmed"] == 0
    comes(s, receiver, "stop", stop["stop_id"])
    assert not receiver.find("stop_unconfirmed"), receiver.find("stop_unconfirmed")
    assert s.call("POST", f"/v1/stops/{stop['stop_id']}/resume", {"reason": "fine"})[0] == 200


def fill_disk(s, is_full):
    """No file of the server may grow beyond one page any more, which it sees as a full disk does."""
    resource.prlimit(s.process.pid, resource.RLIMIT_FSIZE,
                     (4096 if is_full else resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def full_for_a_while(s, receiver, n):
    """True when it was said meanwhile."""
    receiver.heard.clear()
    fill_disk(s, True)
    try:
        assert s.call("POST", "/v1/actions", {"tool": "scale", "parameters": {"n": n}}, token="bot")[0] == 503
        return s.wait_for(lambda: receiver.find("disk", "disk"), 4)
    except AssertionError:
        return None
    finally:
        fill_disk(s, False)
        s.wait_for(lambda: s.call("GET", "/v1/status")[1]["ledger"]["state"] == "ok")
        # The server looks once a second: room for an instant would not be seen.
        time.sleep(1.5)


def full_disk(s, receiver):
    """The machine's, not one agent's; over once there is room: a disk that is full again is said again."""
    first = full_for_a_while(s, receiver, 70)
    data = first[0]["data"]
    assert "decisions are refused" in data["text"] and data["agent"] == data["owner"] == "" and data["needs_ack"], data
    second = s.wait_for(lambda: full_for_a_while(s, receiver, 71), 40)
    assert second[0]["id"] != first[0]["id"], (first, second)


def clock_jumps(s, receiver):
    for hours in (1, 3):
        receiver.heard.clear()
        s.levers.add_ms(hours * 3600 * 1000)
        data = comes(s, receiver, "clock", "clock")["data"]
        assert "pawl clock accept" in data["text"] and data["seq"] == s.entries(kind="clock.jumped")[-1]["seq"], data
        assert s.command("clock", "accept").returncode == 0


def harm(s, receiver):
    """A change breaks its service and can't be taken back."""
    feed(s, "web")
    action, nonce = committed(s, 30, tool="move")
    assert s.call("POST", f"/v1/actions/{action}/outcome", {"executor_nonce": nonce, "result": "succeeded"},
                  token="bot")[0] == 200
    assert s.call("POST", "/v1/events", {"type": "sli", "service": "web", "good": 0, "total": 300},
                  token="source")[0] == 202
    notice = s.wait_for(lambda: receiver.find("revert_failed"))[0]["data"]
    assert notice["text"] == f"{action} of bot did harm to web and its revert failed", notice
    assert notice["key"].startswith("inc_") and notice["owner"] == "team-shop" and notice["service"] == "web", notice
    assert s.command("incident", "close", notice["key"], "--reason", "mended by hand").returncode == 0
    return notice["key"]


def break_glass(s, n):
    """What an operator does whatever the checks say: its action and its incident."""
    status, answer = s.call("POST", "/v1/actions", {"tool": "scale", "parameters": {"n": n, "note": SECRET_WORDS},
                                                    "break_glass": SECRET_WORDS}, token="rita")
    assert status == 201 and answer["verdict"] == "allow", answer
    nonce = {"executor_nonce": f"nonce-of-{n:016}"}
    path = f"/v1/actions/{answer['action_id']}"
    status, grant = s.call("POST", path + "/commit", {**nonce, "digest": answer["digest"]}, token="rita")
    assert status == 200 and grant["committed"], grant
    assert s.call("POST", path + "/outcome", {**nonce, "result": "succeeded"}, token="rita")[0] == 200
    incident = [i for i in s.call("GET", "/v1/incidents")[1]["items"] if i["action_id"] == answer["action_id"]][0]
    return answer["action_id"], incident


def glass(s, receiver):
    """Told to everybody's route until another person has looked, and to none that did not ask for it."""
    looked_at, stays = break_glass(s, 40), break_glass(s, 41)
    for action, incident in (looked_at, stays):
        data = comes(s, receiver, "break_glass", incident["incident_id"])["data"]
        assert data["text"] == (f"rita broke the glass for scale ({action}): somebody else looks at it until "
                                f"{incident['review_by']} and closes {incident['incident_id']}"), (data, incident)
        assert (data["service"], data["agent"]) == ("shop", "") and data["seq"] == int(incident["incident_id"][4:]), data
    first = looked_at[1]["incident_id"]
    assert s.command("incident", "close", first, "--reason", "mine", token="rita").returncode == 1
    assert s.command("incident", "close", first, "--reason", "it was needed", token="olga").returncode == 0
    assert not receiver.find("break_glass", path="/cats")
    return first, stays[1]["incident_id"]


def breaker(s, receiver):
    for n in range(2):
        s.call("POST", "/v1/actions", {"tool": "no-such-tool", "parameters": {"n": n}}, token="cat")
    data = comes(s, receiver, "breaker", "cat")["data"]
    assert data["owner"] == "team-cats" and data["text"] == "the breaker of cat is open: denials", data


def signal_lost(s, receiver):
    """What was never known is not lost; what was is."""
    data = comes(s, receiver, "signal_lost", "shop")["data"]
    assert data["service"] == "shop" and data["owner"] == "team-shop" and "not known any more" in data["text"], data
    assert not receiver.find("signal_lost", "mail")


def read(path):
    return path.read_text() if path.exists() else ""


# --- after a restart -------------------------------------------------------------------------------------------------

def restarted(s, receiver, still_open, settled):
    """What is open is said again under the same id; what is settled is not."""
    before = {n["data"]["key"] + n["type"]: n["id"] for n in receiver.heard if n["data"]["repeat"] == 0}
    s.stop()
    receiver.heard.clear()
    s.start()
    for kind, key in still_open:
        again = comes(s, receiver, kind, key)
        assert again["id"] == before[key + again["type"]], (kind, key)
    for kind, key in settled:
        assert not receiver.find(kind, key), (kind, key)


def repeated(s, receiver, still_open, settled):
    """What is open is said again, what is settled is not."""
    for kind, key in still_open:
        first = receiver.find(kind, key)[0]
        assert comes(s, receiver, kind, key, repeat=1)["id"] == first["id"] + "_1"
    for kind, key in settled:
        assert not receiver.find(kind, key, repeat=1), (kind, key)


def expired(s, receiver, waiting):
    for key in waiting:
        data = comes(s, receiver, "expiring", key)["data"]
        assert "expires at" in data["text"], data
        s.wait_for(lambda: s.entries(kind="action.expired", action=key), 40)


def scenes(s, receiver):
    feed(s, "shop")
    decided, waiting = escalated(s, receiver)
    back, gone = lost(s, receiver)
    lifted, standing = stops(s, receiver)
    incident = harm(s, receiver)
    looked_at, not_yet = glass(s, receiver)
    breaker(s, receiver)
    signal_lost(s, receiver)
    settled = [("escalated", key) for key in decided] + [("unknown", back), ("stop", lifted),
                                                             ("revert_failed", incident), ("break_glass", looked_at)]
    still_open = [("escalated", key) for key in waiting] + [("unknown", gone), ("stop", standing), ("break_glass", not_yet)]
    repeated(s, receiver, still_open, settled)
    restarted(s, receiver, still_open + [("breaker", "cat")], settled)
    expired(s, receiver, waiting)
    assert s.call("POST", f"/v1/stops/{standing}/resume", {"reason": "fine"})[0] == 200
    feed(s, "shop")
    unconfirmed(s, receiver)
    full_disk(s, receiver)
    clock_jumps(s, receiver)
    by_file(s)
    nothing_slipped(s, receiver)
    assert not receiver.forged, receiver.forged


def refusals(pawl):
    """A route that can't work is refused at the start, not when it is needed."""
    for route, said in (('{name: x, on: [stop], command: ["page"]}', "absolute path"),
                        ('{name: x, on: [nonsense], command: ["/bin/true"]}', "expected *, escalated"),
                        ('{name: x, on: [stop], webhook: {url: "https://h", secret_file: /nowhere/x}}', "notify route x")):
        server = pawl_server.Server(pawl, POLICY, f"  notify: [{route}]\n")
        try:
            done = server.command("serve", "--config", str(server.config))
            assert done.returncode == 1 and said in done.stderr, done
        finally:
            server.__exit__(True)


def prepare(s, receiver):
    secret = s.folder / "hook.secret"
    secret.write_text("".join(f"whsec_{base64.b64encode(key).decode()}\n" for key in (KEY, OLD_KEY)))
    secret.chmod(0o600)
    page = s.folder / "page"
    page.write_text(f"#!/bin/sh\necho \"$*|$PAWL_NOTICE_KIND $PAWL_NOTICE_KEY|$(cat)\" >> {s.folder}/paged\n")
    page.chmod(0o755)
    s.config.write_text(s.config.read_text().replace("policy:\n", settings(receiver, s.folder) + "policy:\n", 1))


def main(pawl, preloaded):
    refusals(pawl)
    receiver = Receiver()
    server = pawl_server.Server(pawl, POLICY)
    prepare(server, receiver)
    server.levers = pawl_server.Levers(server.folder)
    server.extra = server.levers.environment(preloaded)
    with server as s:
        s.token("bot", roles=["agent"], agent="bot")
        s.token("cat", roles=["agent"], agent="cat")
        s.token("carol", roles=["approver", "viewer"], person="carol")
        s.token("rita", roles=["responder"], person="rita")
        s.token("olga", roles=["responder"], person="olga")
        s.token("source", roles=["source"], person="prober", services="*")
        scenes(s, receiver)


if __name__ == "__main__":
    main(*sys.argv[1:])
