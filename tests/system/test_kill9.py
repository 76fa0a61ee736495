#!/usr/bin/env python3
"""kill -9 under load: what was answered is in the ledger, nothing was granted twice, the log only grows.

PAWL_KILLS says how often (25), PAWL_SEED which random numbers; both are printed.
"""
import http.client
import json
import os
import random
import sys
import threading
import time

import pawl_server

POLICY = """
policy:
  start_deadline: 5m
  limits: {open_actions: 1000000, pending_approvals: 1000000}
  agents:
    - {name: bot-0, owner: alice}
    - {name: bot-1, owner: alice}
    - {name: bot-2, owner: alice}
    - {name: bot-3, owner: alice}
  services:
    - {name: shop, slo: {objective: 99, events: true}}
    - {name: dark, slo: {objective: 99, events: true}}
  tools:
    - name: scale
      class: write
      services: ["{service}"]
      parameters:
        type: object
        properties: {service: {type: string}, n: {type: integer}}
        required: [service, n]
"""
AGENTS = 4
EXPECTED = {"shop": "allow", "dark": "hold", "none": "deny"}


class Client:
    """One kept connection; None for every answer that never came."""

    def __init__(self, server, token):
        self.server, self.token = server, token
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)

    def call(self, method, path, body=None):
        try:
            self.connection.request(method, path, json.dumps(body) if body is not None else None,
                                    {"Authorization": "Bearer " + self.server.tokens[self.token],
                                     "Content-Type": "application/json"})
            answer = self.connection.getresponse()
            return answer.status, json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError):
            return None


class Load:
    """Four agents at work until the server is gone, and what it told them."""

    def __init__(self, server, serial, rng):
        self.server = server
        self.ended = threading.Event()
        self.decisions = []  # (decision seq, action, verdict)
        self.grants = []     # (grant seq, action)
        self.outcomes = []   # action
        self.checkpoint = None
        self.wrong = []
        self.threads = [threading.Thread(target=self.work, args=(i, serial, random.Random(rng.random())))
                        for i in range(AGENTS)]
        self.threads.append(threading.Thread(target=self.watch))

    def work(self, agent, serial, rng):
        client = Client(self.server, f"bot-{agent}")
        number = serial * 1000000
        while not self.ended.is_set():
            number += 1
            service = rng.choices(["shop", "dark", "none"], [8, 1, 1])[0]
            answer = client.call("POST", "/v1/actions",
                                 {"tool": "scale", "parameters": {"service": service, "n": number}})
            if answer is None:
                return
            status, decided = answer
            if status != 201 or decided["verdict"] != EXPECTED[service]:
                self.wrong.append(answer)
                return
            self.decisions.append((int(decided["decision_id"][4:]), decided["action_id"], decided["verdict"]))
            if decided["verdict"] == "hold":
                client.call("POST", f"/v1/actions/{decided['action_id']}/cancel", {})
            if decided["verdict"] == "allow":
                self.execute(client, decided, rng)

    def execute(self, client, decided, rng):
        path = "/v1/actions/" + decided["action_id"]
        nonce = f"{rng.getrandbits(128):032x}"
        answer = client.call("POST", path + "/commit", {"executor_nonce": nonce, "digest": decided["digest"]})
        if answer is None:
            return
        status, granted = answer
        if status != 200 or not granted["committed"]:
            self.wrong.append(answer)
            return
        self.grants.append((int(granted["grant"]["grant_id"][4:]), decided["action_id"], decided["digest"]))
        rival = client.call("POST", path + "/commit",
                            {"executor_nonce": f"{rng.getrandbits(128):032x}", "digest": decided["digest"]})
        if rival is not None and rival[0] != 409:
            self.wrong.append(rival)
        done = client.call("POST", path + "/outcome", {"executor_nonce": nonce, "result": "succeeded"})
        if done is not None and done[0] == 200:
            self.outcomes.append(decided["action_id"])

    def watch(self):
        """Keeps the newest checkpoint anyone has seen."""
        while not self.ended.wait(0.02):
            try:
                status, _, note = self.server.send("GET", "/checkpoint")
                if status == 200:
                    self.checkpoint = note
            except (OSError, http.client.HTTPException):
                return

    def run(self, seconds):
        for thread in self.threads:
            thread.start()
        time.sleep(seconds)
        self.server.kill()
        self.ended.set()
        for thread in self.threads:
            thread.join()
        assert not self.wrong, self.wrong[0]


class Ledger:
    """The entries read so far."""

    def __init__(self):
        self.next = 0
        self.decided = {}    # seq: (action, verdict)
        self.committed = {}  # action: seq
        self.finished = set()

    def read(self, server):
        for entry in server.entries(after=self.next):
            assert entry["seq"] == self.next, f"entry {self.next} is missing"
            self.next += 1
            kind, body = entry["kind"], entry["body"]
            if kind == "action.decided":
                self.decided[entry["seq"]] = (f"act_{entry['seq']}", body["verdict"])
            elif kind == "action.committed":
                action = entry["refs"][0]
                assert action not in self.committed, f"{action} was granted twice"
                self.committed[action] = entry["seq"]
            elif kind == "action.finished":
                assert entry["refs"][0] not in self.finished
                self.finished.add(entry["refs"][0])

    def check(self, load):
        for seq, action, verdict in load.decisions:
            assert self.decided.get(seq) == (action, verdict), f"answered {action} {verdict}, not in the ledger"
        for seq, action, _ in load.grants:
            assert self.committed.get(action) == seq, f"the grant of {action} is not in the ledger"
        for action in load.outcomes:
            assert action in self.finished, f"the outcome of {action} is not in the ledger"


def check_after(server, load, ledger):
    """The server is back: everything it ever said still holds."""
    ledger.read(server)
    ledger.check(load)
    for _, action, digest in load.grants[-3:]:
        agent = next(e for e in [server.call("GET", "/v1/actions/" + action)[1]])["agent"]
        status, answer = server.call("POST", f"/v1/actions/{action}/commit",
                                     {"executor_nonce": "another-executor", "digest": digest}, token=agent)
        assert status == 409, (status, answer)
    if load.checkpoint is not None:
        kept = server.folder / "kept"
        kept.write_bytes(load.checkpoint)
        verified = server.command("verify", "--data", str(server.folder / "data"), "--against", str(kept))
        assert verified.returncode == 0, verified.stderr


def feed(server):
    status, answer = server.call("POST", "/v1/events",
                                 {"type": "sli", "service": "shop", "good": 1000, "total": 1000}, token="source")
    assert status == 202, answer


def main(pawl):
    kills = int(os.environ.get("PAWL_KILLS", "25"))
    seed = int(os.environ.get("PAWL_SEED", str(random.SystemRandom().getrandbits(32))))
    print(f"{kills} kills, seed {seed}", flush=True)
    rng = random.Random(seed)
    ledger = Ledger()
    told = 0
    with pawl_server.Server(pawl, POLICY, "  connections: 64\n  checkpoint_interval: 50ms\n") as s:
        for i in range(AGENTS):
            s.token(f"bot-{i}", roles=["agent"], agent=f"bot-{i}")
        s.token("source", roles=["source"], person="probe", services="*")
        for serial in range(kills):
            feed(s)
            load = Load(s, serial, rng)
            load.run(rng.uniform(0.02, 0.5))
            told += len(load.decisions) + len(load.grants) + len(load.outcomes)
            s.start()
            check_after(s, load, ledger)
        verified = s.command("verify", "--deep", "--data", str(s.folder / "data"))
        assert verified.returncode == 0, verified.stderr
    assert ledger.committed and told > kills, "there was no load to speak of"
    print(f"{told} answers kept over {kills} kills, {len(ledger.committed)} grants, {ledger.next} entries")


if __name__ == "__main__":
    main(sys.argv[1])
