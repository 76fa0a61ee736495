#!/usr/bin/env python3
"""Every command of docs/runbook.md, run against a real server in the state that its section is about.

A section's scene prepares the state and yields the names that its commands are about, once for each of its code
blocks; what stands after a yield says what the block's commands have done.
"""
import contextlib
import os
import pathlib
import pty
import re
import resource
import signal
import subprocess
import sys

import pawl_server
import test_prometheus

RUNBOOK = pathlib.Path(__file__).resolve().parents[2] / "docs/runbook.md"
NONCE = "executor-0123456789"

POLICY = """
policy:
  start_deadline: {start_deadline}
  heartbeat: {start_deadline}
  checks:
    breaker: {{max_failures: 1}}
  agents:
    - {{name: deploy-bot, owner: alice}}
  services:
    - {{name: shop, slo: {slo}}}
  tools:
    - name: scale
      class: write
      services: [shop]
      parameters: {{type: object, properties: {{n: {{type: integer}}}}, required: [n]}}
    - name: drop
      class: destructive
      services: [shop]
      parameters: {{type: object, properties: {{n: {{type: integer}}}}, required: [n]}}
    - name: scale-shop
      class: write
      services: [shop]
      match: {{argv: [[kubectl, scale, deploy/shop, "--replicas={{n}}"]]}}
      parameters: {{type: object, properties: {{n: {{type: integer}}}}, required: [n]}}
"""
FROZEN = "  freezes:\n    - {name: sale, services: [shop], from: 2020-01-01T00:00:00Z, until: 2040-01-01T00:00:00Z}\n"


# --- the page -------------------------------------------------------------------------------------------------

def read_runbook(text):
    """[(section, [[(command, exit code)]])]"""
    sections = []
    for part in re.split(r"^## ", text, flags=re.M)[1:]:
        blocks = [commands(block) for block in re.findall(r"^```sh\n(.*?)^```", part, re.M | re.S)]
        sections.append((part.split("\n", 1)[0], blocks))
    return sections


def commands(block):
    found = []
    for line in block.replace("\\\n", " ").splitlines():
        command, _, remark = line.partition("  # ")
        code = re.fullmatch(r"\s*exit (\d+)", remark)
        if command.strip():
            found.append((command.strip(), int(code.group(1)) if code else 0))
    return found


# --- the machine ------------------------------------------------------------------------------------------------

class Machine:
    """Where the commands are typed. What belongs to it and not to Pawl is played."""

    def __init__(self, s, levers=None, vacuum=None, prometheus=None):
        self.s, self.levers, self.vacuum, self.prometheus = s, levers, vacuum, prometheus
        for name in ("bin", ".config/pawl", "backup"):
            (s.folder / name).mkdir(parents=True)
        (s.folder / "bin/pawl").symlink_to(pathlib.Path(s.pawl).resolve())
        runuser = s.folder / "bin/runuser"
        runuser.write_text('#!/bin/sh\n[ "$1 $2 $3" = "-u pawl --" ] && shift 3 && exec "$@"\n')
        runuser.chmod(0o755)

    def keep_tokens(self, **files):
        for name, token in files.items():
            path = self.s.folder / ".config/pawl" / name
            path.write_text(self.s.tokens[token] + "\n")
            path.chmod(0o600)

    def here(self, command, names):
        """The command with this machine's paths and this scene's names."""
        data = str(self.s.folder / "data")
        for known, ours in [("/var/lib/pawl/data", data), ("/var/lib/pawl", str(self.s.folder)),
                            ("/etc/pawl/pawl.yaml", str(self.s.config)),
                            ("/root/pawl-backup", str(self.s.folder / "backup")), *names.items()]:
            command = re.sub(re.escape(known) + r"(?![0-9])", lambda _, to=ours: to, command)
        return command

    def played(self, command):
        """The exit code of a command that is not ours; None when it is to be run."""
        running = self.s.process is not None and self.s.process.poll() is None
        if command == "systemctl status pawl":
            return 0 if running else 3
        if command.startswith("journalctl -u pawl"):
            assert self.s.said()
            return 0
        plays = {"systemctl start pawl": self.s.start, "systemctl stop pawl": self.s.stop,
                 "systemctl restart pawl": self.restart, "timedatectl": lambda: None,
                 "systemctl kill -s USR1 pawl": lambda: self.s.process.send_signal(signal.SIGUSR1),
                 "journalctl --vacuum-size=200M": self.vacuum, "systemctl restart prometheus": self.prometheus}
        if command not in plays:
            return None
        plays[command]()
        return 0

    def restart(self):
        self.s.stop()
        self.s.start()

    def environment(self):
        env = self.s.environment(None, {"PATH": f"{self.s.folder}/bin:{os.environ['PATH']}"})
        return env if self.levers is None else {**env, **self.levers.environment(self.s.preloaded)}

    def run(self, command, expected, names):
        code = self.played(command)
        text = ""
        if code is None:
            line = self.here(command, names)
            asks = line.startswith("pawl approve ") or "--break-glass" in line
            code, text = self.on_a_terminal(line) if asks else self.in_a_shell(line)
        assert code == expected, (command, code, text, self.s.said()[-2000:])
        return text

    def in_a_shell(self, line):
        done = subprocess.run(["bash", "-c", line], env=self.environment(), stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout + done.stderr

    def on_a_terminal(self, line):
        ours, theirs = pty.openpty()
        with subprocess.Popen(["bash", "-c", line], env=self.environment(), stdin=theirs, stdout=theirs,
                              stderr=theirs, start_new_session=True) as process:
            os.close(theirs)
            os.write(ours, b"yes\n")
            text = b""
            with contextlib.suppress(OSError):  # the end of a terminal
                while chunk := os.read(ours, 4096):
                    text += chunk
            os.close(ours)
            return process.wait(60), text.decode()


# --- what scenes are made of --------------------------------------------------------------------------------------

def people(s, machine):
    s.token("bot", roles=["agent"], agent="deploy-bot")
    s.token("source", roles=["source"], person="probe", services="*")
    s.token("sam", roles=["viewer", "auditor", "responder", "approver"], person="sam")
    s.token("dana", roles=["admin"], person="dana")
    s.token("olga", roles=["override"], person="olga")
    machine.keep_tokens(token="sam", admin="dana", override="olga")


def feed(s):
    status, answer = s.call("POST", "/v1/events", {"type": "sli", "service": "shop", "good": 10, "total": 10},
                            token="source")
    assert status == 202, answer


def propose(s, tool, n):
    status, answer = s.call("POST", "/v1/actions", {"tool": tool, "parameters": {"n": n}}, token="bot")
    assert status in (201, 503), answer
    return answer


def commit(s, decided):
    return s.call("POST", f"/v1/actions/{decided['action_id']}/commit",
                  {"executor_nonce": NONCE, "digest": decided["digest"]}, token="bot")[1]


def begin(s, n=1):
    """An action that is executing."""
    decided = propose(s, "scale", n)
    assert decided["verdict"] == "allow" and commit(s, decided)["committed"], decided
    return decided


def report(s, decided, result):
    status, answer = s.call("POST", f"/v1/actions/{decided['action_id']}/outcome",
                            {"executor_nonce": NONCE, "result": result}, token="bot")
    assert status == 200, answer


def status_of(s):
    return s.call("GET", "/v1/status")[1]


def breaker(s):
    rows = s.call("GET", "/v1/breakers")[1]["items"]
    return next((row["state"] for row in rows if row["agent"] == "deploy-bot"), "closed")


def id_of(decided):
    return {"act_42": decided["action_id"], "dec_41": decided["decision_id"]}


# --- the scenes ---------------------------------------------------------------------------------------------------

def before_anything_happens(s, machine):
    yield {}
    for name in ("ledger.key", "redact.key"):
        assert (s.folder / "backup" / name).read_bytes() == (s.folder / "data/keys" / name).read_bytes()
    assert (s.folder / "backup/ledger-1.db").exists() and (s.folder / "backup/ledger-1.db.checkpoint").exists()
    admins = [t for t in s.call("GET", "/v1/tokens")[1]["items"] if "admin" in t["roles"]]
    assert any(t["person"] == "erin" for t in admins), admins


def pawl_is_down(s, machine):
    begin(s)
    s.kill()
    yield {}
    assert s.call("GET", "/healthz", token=None)[0] == 200
    s.wait_for(lambda: status_of(s)["unknown_actions"] == 1)


def the_disk_is_full(s, machine):
    def limit(most):
        resource.prlimit(s.process.pid, resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))

    def vacuum():
        limit(resource.RLIM_INFINITY)
        s.wait_for(lambda: status_of(s)["ledger"]["state"] == "ok")

    machine.vacuum = vacuum
    limit(4096)
    assert propose(s, "scale", 1)["code"] == "ledger_unavailable"
    assert status_of(s)["ledger"]["state"] == "disk_full"
    yield {}
    assert len(s.entries(kind="action.abandoned")) == 1
    assert propose(s, "scale", 2)["verdict"] == "allow"


def the_key_is_lost(s, machine):
    key, kept = s.folder / "data/keys/ledger.key", s.folder / "backup/ledger.key"
    kept.write_bytes(key.read_bytes())
    kept.chmod(0o600)
    key.unlink()
    assert propose(s, "scale", 1)["verdict"] == "allow", "it goes on with the key in memory"
    yield {}
    assert propose(s, "scale", 2)["verdict"] == "allow"
    key.unlink()
    kept.unlink()
    old = (s.folder / "data.checkpoint").read_text()
    yield {}
    assert (s.folder / "data-old/ledger.db").exists() and key.exists()
    machine_tokens(s)
    first = s.command("log", "--json").stdout.splitlines()[0]
    assert "vkey" in first, first
    new = s.wait_for(lambda: (lambda p: p.exists() and p.read_text())(s.folder / "data.checkpoint"))
    assert new.splitlines()[-1] != old.splitlines()[-1], "another key signs"


def the_ledger_is_damaged(s, machine):
    running = begin(s)
    done = s.command("backup", "--data", str(s.folder / "data"), "--to", str(s.folder / "backup/ledger-1.db"))
    assert done.returncode == 0, done.stderr
    assert propose(s, "scale", 2)["verdict"] == "allow"
    s.stop()
    ledger = s.folder / "data/ledger.db"
    ledger.write_bytes(ledger.read_bytes().replace(b'"verdict":"allow"', b'"verdict":"hello"'))
    signed = (s.folder / "data.checkpoint").read_text()
    yield {}
    assert "entries would be lost" in machine.said and not (s.folder / "data/ledger.db").exists()
    yield {}
    assert "the disk failed" in machine.said and running["action_id"] in machine.said
    kept = [p for p in s.folder.iterdir() if p.name.startswith("data.checkpoint.")]
    assert [p.read_text() for p in kept] == [signed]


def machine_tokens(s):
    """The credentials that the commands have made."""
    for file, name in (("admin", "admin"), ("token", "sam")):
        s.tokens[name] = (s.folder / ".config/pawl" / file).read_text().strip()
    assert s.call("GET", "/v1/tokens")[0] == 200 and s.call("GET", "/v1/ledger", token="sam")[0] == 200


def the_queue_is_backed_up(s, machine):
    first, second = propose(s, "drop", 1), propose(s, "drop", 2)
    assert first["verdict"] == second["verdict"] == "escalate", second
    yield {**id_of(first), "act_43": second["action_id"]}
    states = {a["action_id"]: a["state"] for a in s.call("GET", "/v1/actions")[1]["items"]}
    assert (states[first["action_id"]], states[second["action_id"]]) == ("approved", "rejected"), states
    seen = Names(lambda: {"stp_7": s.call("GET", "/v1/stops")[1]["items"][0]["stop_id"]})
    yield seen
    assert propose(s, "scale", 3)["verdict"] == "allow" and status_of(s)["stops"] == []


class Names(dict):
    """Names that are known only once a command before has made them."""

    def __init__(self, find):
        super().__init__()
        self.find = find

    def items(self):
        try:
            return self.find().items()
        except IndexError:
            return {}.items()


def the_gate_is_in_the_way(s, machine):
    kubectl = s.folder / "bin/kubectl"
    kubectl.write_text(f'#!/bin/sh\necho "$*" >> {s.folder}/scaled\n')
    kubectl.chmod(0o755)
    scaled = s.folder / "scaled"
    yield Names(lambda: {"dec_41": held(s, None)[0]["decision_id"]})
    assert "freeze" in machine.said and not scaled.exists()
    waits = propose(s, "scale", 1)
    assert waits["verdict"] == "hold", waits
    yield {"act_42": waits["action_id"]}
    status, again = s.call("POST", f"/v1/actions/{waits['action_id']}/decide", {}, token="bot")
    assert status == 200 and again["verdict"] == "allow", again
    yield {}
    assert "break_glass" in machine.said and scaled.read_text() == "scale deploy/shop --replicas=6\n"
    done = s.call("GET", "/v1/incidents")[1]["items"][0]
    yield {"act_43": done["action_id"], "dec_43": done["action_id"].replace("act", "dec"), "inc_44": done["incident_id"]}
    assert "waived" in machine.said, machine.said
    assert s.call("GET", "/v1/incidents")[1]["items"] == []


def held(s, agent):
    return [a for a in s.call("GET", "/v1/actions?state=held")[1]["items"] if a["agent"] == agent]


def stop_everything(s, machine):
    def stopped():
        return propose(s, "scale", 1)["blocking_check"] == "stop"

    running = begin(s)
    yield {}
    assert stopped()
    s.token("root2", roles=["admin"], person="erin")
    for stop in status_of(s)["stops"]:
        assert s.call("POST", f"/v1/stops/{stop['stop_id']}/resume", {"reason": "x"}, token="root2")[0] == 200
    assert not stopped()
    yield {}
    s.wait_for(stopped)
    assert (s.folder / "data/stop").exists()
    yield {}
    assert running["action_id"] in machine.said and "executing" in machine.said
    yield {}
    assert not stopped() and not (s.folder / "data/stop").exists()


def a_breaker_is_open(s, machine):
    report(s, begin(s), "failed")
    assert breaker(s) == "open"
    yield {}
    assert "deploy-bot" in machine.said and "failed" in machine.said
    yield {}
    assert [e["body"]["state"] for e in s.entries(kind="breaker.set")] == ["closed", "open"]
    assert breaker(s) == "open"
    assert propose(s, "scale", 2)["blocking_check"] == "breaker"
    yield {}
    assert "deny" in machine.said


def an_action_is_unknown(s, machine):
    decided, other = begin(s), begin(s, 3)
    s.wait_for(lambda: status_of(s)["unknown_actions"] == 2)
    yield id_of(decided)
    assert propose(s, "scale", 2)["verdict"] != "allow"
    report(s, decided, "succeeded")  # late: from its spool
    assert status_of(s)["unknown_actions"] == 1
    yield {"act_43": other["action_id"]}
    assert status_of(s)["unknown_actions"] == 0 and status_of(s)["stops"] == []


def the_clock_jumped(s, machine):
    machine.levers.add_ms(60000)
    s.wait_for(lambda: status_of(s)["ledger"]["state"] == "clock_jumped")
    decided = propose(s, "scale", 1)
    assert decided["verdict"] == "hold" and not commit(s, decided).get("committed", False), decided
    yield {}
    assert "clock.jumped" in machine.said
    yield {}
    assert status_of(s)["ledger"]["state"] == "ok"
    feed(s)
    assert propose(s, "scale", 2)["verdict"] == "allow"


def a_signal_is_unknown(s, machine):
    fake = machine.fake
    good = fake.answers["good_requests"]
    fake.answers["good_requests"] = lambda: (500, b"oops")
    s.wait_for(lambda: propose(s, "scale", 1)["verdict"] == "hold")

    def restart():
        fake.answers["good_requests"] = good
        s.wait_for(lambda: s.call("GET", "/v1/signals")[1]["items"][0]["state"] == "known")

    machine.prometheus = restart
    yield {}
    assert "unknown" in machine.said and "known" in machine.said
    assert propose(s, "scale", 2)["verdict"] == "allow"


def a_policy_is_refused(s, machine):
    good = pathlib.Path(str(s.config) + ".good")
    good.write_text(s.config.read_text())
    good.chmod(0o600)
    s.config.write_text(s.config.read_text().replace("owner: alice", "owner: [alice"))
    s.process.send_signal(signal.SIGHUP)
    s.wait_for(lambda: status_of(s)["policy"]["error"])
    yield {}
    assert "pawl.yaml:" in machine.said, "the place of the mistake"
    assert status_of(s)["policy"]["error"] is None


SCENES = [before_anything_happens, pawl_is_down, the_disk_is_full, the_key_is_lost, the_ledger_is_damaged, the_queue_is_backed_up,
          the_gate_is_in_the_way, stop_everything, a_breaker_is_open, an_action_is_unknown, the_clock_jumped, a_signal_is_unknown,
          a_policy_is_refused]
LOSES_SOON = (pawl_is_down, an_action_is_unknown)  # an executor that is silent for two seconds is lost


def play(scene, blocks, s, machine):
    """Each block's commands between two steps of the scene; the scene has as many steps as there are blocks."""
    steps = scene(s, machine)
    for block in blocks:
        names = next(steps, None)
        assert names is not None, ("no scene for a block", block)
        machine.said = ""
        for command, code in block:
            print("   ", command, flush=True)
            machine.said += machine.run(command, code, names)
    assert next(steps, None) is None, "a scene for a block that is not there"


def stage(scene, blocks, pawl, preloaded):
    fake = test_prometheus.Prometheus() if scene is a_signal_is_unknown else None
    slo = "{objective: 99, prometheus: {good: good_requests, total: all_requests}}" if fake else \
        "{objective: 99, events: true}"
    policy = POLICY.format(start_deadline="1s" if scene in LOSES_SOON else "60s", slo=slo)
    policy += FROZEN if scene is the_gate_is_in_the_way else ""
    settings = test_prometheus.settings(f"http://127.0.0.1:{fake.server_address[1]}") if fake else ""
    s = pawl_server.Server(pawl, policy, settings)
    s.preloaded = preloaded
    levers = pawl_server.Levers(s.folder) if scene is the_clock_jumped else None
    s.extra = levers.environment(preloaded) if levers else {}
    machine = Machine(s, levers)
    machine.fake = fake
    with s:
        people(s, machine)
        if fake is None:
            feed(s)
        else:
            s.wait_for(lambda: s.call("GET", "/readyz")[0] == 200)
        play(scene, blocks, s, machine)
    if fake is not None:
        fake.end()


def main(pawl, preloaded):
    scenes = {scene.__name__.replace("_", " "): scene for scene in SCENES}
    sections = read_runbook(RUNBOOK.read_text())
    assert [title.lower() for title, _ in sections] == list(scenes), "a scene for every section, in their order"
    for title, blocks in sections:
        print(title, flush=True)
        assert blocks, "a section without a command helps nobody"
        stage(scenes[title.lower()], blocks, pawl, preloaded)


if __name__ == "__main__":
    main(*sys.argv[1:3])
