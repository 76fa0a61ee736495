#!/usr/bin/env python3
"""Every command of docs/executor.md, run against a real server; each answer has the shape that the page shows.

Ids and digests of the page stand for those that the server gives. What a section needs to be there is made before it.
"""
import json
import os
import pathlib
import re
import subprocess
import sys

import pawl_server

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs/executor.md"
NONCE = "9b6d0f4c2a8e4417b1d3"
EXACT = {"state", "verdict", "blocking_check", "blocked_by", "committed", "cancel", "status", "code", "type", "title",
         "detail", "reason", "recommendation", "agent", "tool", "services", "two_phase", "heartbeat_s"}

POLICY = """
policy:
  start_deadline: {start_deadline}
  heartbeat: 60s
  agents:
    - {{name: deploy-bot, owner: alice}}
  services:
    - {{name: shop, slo: {{objective: 99, events: true}}}}
  tools:
    - name: scale
      class: write
      services: [shop]
      parameters: {{type: object, properties: {{replicas: {{type: integer}}}}, required: [replicas]}}
"""


def read_page(text):
    """[(section, [(command, status, answer)])]; status and answer are None for what only sets up."""
    sections = []
    for part in re.split(r"^## ", text, flags=re.M):
        blocks = re.findall(r"^```sh\n(.*?)^```\n(?:```json\n(.*?)^```)?", part, re.M | re.S)
        assert part.count("```sh") == len(blocks) and part.count("```json") == sum(bool(b) for _, b in blocks), part
        steps = []
        for command, answer in blocks:
            status = re.search(r"  # (\d{3})$", command, re.M)
            assert bool(status) == bool(answer), ("a status for every answer", command)
            steps.append((command, int(status.group(1)) if status else None, json.loads(answer) if answer else None))
        sections.append((part.split("\n", 1)[0], steps))
    return sections


def same_shape(got, want, at=""):
    assert type(got) is type(want), (at, got, want)
    if isinstance(want, dict):
        assert list(got) == list(want), (at, list(got), list(want))
        for name in want:
            if name in EXACT:
                assert got[name] == want[name], (at + "/" + name, got[name], want[name])
            same_shape(got[name], want[name], at + "/" + name)
    elif isinstance(want, list):
        assert len(got) == len(want), (at, got, want)
        for i, item in enumerate(want):
            same_shape(got[i], item, f"{at}/{i}")
    elif isinstance(want, str):
        for pattern in (r"sha256:[0-9a-f]{64}", r"[a-z]{3}_\d+", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"):
            assert bool(re.fullmatch(pattern, got)) == bool(re.fullmatch(pattern, want)), (at, got, want)


class Reader:
    """Somebody who types the page's commands, one shell for all of them."""

    def __init__(self, s):
        self.s = s
        self.typed = ""    # what set up
        self.actions = {}  # of the page, to what the server answered
        (s.folder / "bin").mkdir()
        curl = s.folder / "bin/curl"
        curl.write_text(f'#!/bin/sh\nPATH="{os.environ["PATH"]}" exec curl -w "\\n%{{http_code}}" "$@"\n')
        curl.chmod(0o755)
        token = s.folder / ".config/pawl/agent"
        token.parent.mkdir(parents=True)
        token.write_text(s.tokens["bot"] + "\n")

    def here(self, command):
        command = command.replace("127.0.0.1:7411", f"127.0.0.1:{self.s.port}")
        for name, answer in self.actions.items():
            if re.search(name + r"\b", command):
                command = re.sub(r"sha256:[0-9a-f]{64}", answer["digest"], command)
                command = re.sub(name + r"\b", answer["action_id"], command)
        return command

    def type(self, command, status, want):
        if status is None:
            self.typed += self.here(command)
            return
        env = self.s.environment(None, {"PATH": f"{self.s.folder}/bin:{os.environ['PATH']}"})
        done = subprocess.run(["bash", "-ec", self.typed + self.here(command)], env=env, capture_output=True, text=True,
                              timeout=60)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        text, _, code = done.stdout.rpartition("\n")
        assert int(code) == status, (command, done.stdout)
        got = json.loads(text)
        if "instance" in want:
            want["instance"] = self.here(want["instance"])
            assert got["instance"] == want["instance"], got
        same_shape(got, want, command)
        if want.get("action_id") not in (None, *self.actions):
            self.actions[want["action_id"]] = got


def propose(s, replicas):
    status, answer = s.call("POST", "/v1/actions", {"tool": "scale", "parameters": {"replicas": replicas}}, token="bot")
    assert status == 201 and answer["verdict"] == "allow", answer
    return answer


def stop(s):
    status, answer = s.call("POST", "/v1/stops", {"scope": "agent", "name": "deploy-bot", "reason": "look"})
    assert status in (200, 201, 202), answer
    return answer["stop_id"]


def resume(s, stop_id):
    status, answer = s.call("POST", f"/v1/stops/{stop_id}/resume", {"reason": "looked"})
    assert status == 200, answer


# --- what a section needs; what follows the yield is done after it ---------------------------------------------------

def a_commit_that_may_not_start(s, reader):
    reader.actions["act_50"] = propose(s, 6)
    stop_id = stop(s)
    yield
    resume(s, stop_id)


def cancel(s, reader):
    stop_id = stop(s)
    yield
    resume(s, stop_id)


def when_an_answer_does_not_come(s, reader):
    s.config.write_text(s.config.read_text().replace("start_deadline: 10m", "start_deadline: 1s"))
    done = s.command("policy", "reload")
    assert done.returncode == 0, done.stderr
    lost = propose(s, 7)
    status, answer = s.call("POST", f"/v1/actions/{lost['action_id']}/commit",
                            {"executor_nonce": NONCE, "digest": lost["digest"]}, token="bot")
    assert status == 200 and answer["committed"], answer
    s.wait_for(lambda: s.call("GET", f"/v1/actions/{lost['action_id']}", token="bot")[1]["state"] == "unknown")
    reader.actions["act_60"] = lost
    yield


NEEDS = [a_commit_that_may_not_start, cancel, when_an_answer_does_not_come]


def main(pawl):
    needs = {f.__name__.replace("_", " "): f for f in NEEDS}
    sections = read_page(PAGE.read_text())
    assert set(needs) <= {title.lower() for title, _ in sections}, sections
    with pawl_server.Server(pawl, POLICY.format(start_deadline="10m")) as s:
        s.token("bot", roles=["agent"], agent="deploy-bot")
        s.token("source", roles=["source"], person="probe", services="*")
        status, answer = s.call("POST", "/v1/events", {"type": "sli", "service": "shop", "good": 1000, "total": 1000},
                                token="source")
        assert status == 202, answer
        reader = Reader(s)
        for title, steps in sections:
            print(title, flush=True)
            scene = needs.get(title.lower(), lambda s, reader: iter([None]))(s, reader)
            next(scene)
            for step in steps:
                reader.type(*step)
            assert next(scene, None) is None
        assert len(reader.actions) == 3, reader.actions


if __name__ == "__main__":
    main(sys.argv[1])
