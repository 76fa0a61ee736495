#!/usr/bin/env python3
"""pawl run against a real server: every verdict, and what the ledger says of it afterwards."""
import hashlib
import json
import os
import shutil
import sqlite3
import sys

import pawl_server

POLICY = """
policy:
  heartbeat: 1s
  checks:
    aqdd: {max_depth: 1}
    breaker: {mode: "off"}
  agents:
    - {name: bot, owner: alice}
    - {name: other, owner: alice}
    - {name: third, owner: alice}
    - {name: adviser, owner: alice, advisory: true}
  services:
    - {name: good, slo: {objective: 99, events: true}}
    - {name: burnt, slo: {objective: 99, events: true}}
  tools:
    - name: say
      class: write
      match: {argv: ["say", "{service}", "..."]}
      services: ["{service}"]
    - name: look
      class: read
      match: {argv: ["look", "..."]}
      services: [good]
"""

SAY = """#!/bin/sh
# say SERVICE WHAT [FILE]: does what it is told, and leaves a mark that it ran.
case "$2" in
  text) echo "out of $1"; echo "err of $1" >&2 ;;
  exit) exit "$3" ;;
  die) kill -9 $$ ;;
  cat) cat "$3" ;;
  stdin) cat ;;
  env) env ;;
  sleep) sleep "$3" ;;
  mark) echo once >> "$3" ;;
esac
"""


def main(pawl):
    with pawl_server.Server(pawl, POLICY) as s:
        bin_folder = s.folder / "bin"
        bin_folder.mkdir()
        for name in ("say", "look"):
            (bin_folder / name).write_text(SAY)
            (bin_folder / name).chmod(0o755)
        path = {"PATH": f"{bin_folder}:{os.environ['PATH']}"}
        for agent in ("bot", "other", "third", "adviser"):
            s.token(agent, roles=["agent"], agent=agent)
        s.token("approver", roles=["approver", "viewer"], person="carol")
        s.token("source", roles=["source"], person="prober", services="*")
        for service, good in (("good", 1000), ("burnt", 900)):
            status, answer = s.call("POST", "/v1/events", {"type": "sli", "service": service, "good": good,
                                                           "total": 1000}, token="source")
            assert status == 202, answer

        def run(*words, token="bot", extra=None, **more):
            return s.command("run", *words, token=token, extra={**path, **(extra or {})}, **more)

        allowed(s, run)
        exits(run)
        inputs(s, run)
        environment(s, run)
        denied(s, run)
        unreachable(s, run)
        one_phase(s, run)
        advised(s, run)
        escalated(s, run, path, bin_folder)
        replaced(s, path, bin_folder)
        rejected(s, path)
        on_terminal(s)
        held(s, run, path)
        stopped(s, path)
        spooled(s, run, path)
        proven(s)
    print("ok")


def result_of(s, run, *words, **more):
    file = s.folder / "result.json"
    file.unlink(missing_ok=True)
    done = run("--result", str(file), *words, **more)
    return done, json.loads(file.read_text())


def finished(s, action):
    found = s.entries(action=action, kind="action.finished")
    assert len(found) == 1, found
    return found[0]["body"]


def allowed(s, run):
    done, result = result_of(s, run, "--intent", "say it", "--", "say", "good", "text")
    assert (done.returncode, done.stdout, done.stderr) == (0, "out of good\n", "err of good\n"), done
    assert result["ran"] is True and result["verdict"] == "allow" and result["exit_status"] == 0, result
    body = finished(s, result["action_id"])
    detail = body["detail"]
    assert body["result"] == "succeeded" and detail["exit_status"] == 0 and detail["signal"] is None, body
    assert detail["stdout_sha256"] == "sha256:" + hashlib.sha256(b"out of good\n").hexdigest(), detail
    assert (detail["stdout_bytes"], detail["stderr_bytes"]) == (12, 12), detail
    assert "out of good" in detail["output_tail"] and "err of good" in detail["output_tail"], detail
    decided = s.entries(action=result["action_id"], kind="action.decided")[0]["body"]["request"]
    file = s.folder / "bin" / "say"
    assert decided["intent"] == "say it", decided
    assert decided["invocation"]["executable"] == str(file.resolve()), decided
    assert decided["invocation"]["executable_sha256"] == \
        "sha256:" + hashlib.sha256(file.read_bytes()).hexdigest(), decided
    assert decided["invocation"]["argv"] == ["say", "good", "text"], decided
    assert decided["invocation"]["stdin"] is None, decided


def exits(run):
    done = run("--", "say", "good", "exit", "7")
    assert done.returncode == 7, done
    done = run("--", "say", "good", "exit", "22")
    assert done.returncode == 22 and "its own exit status" in done.stderr, done
    done = run("--", "say", "good", "die")
    assert done.returncode == 128 + 9, done
    done = run("--", "no-such-command")
    assert done.returncode == 127 and "no-such-command" in done.stderr, done
    done = run("say", "good")
    assert done.returncode == 2 and "expected -- COMMAND" in done.stderr, done
    done = run("--bogus", "--", "say")
    assert done.returncode == 2 and "unknown option --bogus" in done.stderr, done


def inputs(s, run):
    file = s.folder / "input.txt"
    file.write_text("what was there\n")
    done, result = result_of(s, run, "--input", str(file), "--", "say", "good", "cat", str(file))
    assert (done.returncode, done.stdout) == (0, "what was there\n"), done
    decided = s.entries(action=result["action_id"], kind="action.decided")[0]["body"]["request"]
    digest = "sha256:" + hashlib.sha256(b"what was there\n").hexdigest()
    assert decided["invocation"]["inputs"] == {str(file): digest}, decided
    assert decided["invocation"]["argv"][3] == str(file), decided
    done = run("--input", str(file), "--", "say", "good", "cat", "other")
    assert done.returncode == 126 and "no argument is exactly that" in done.stderr, done
    done, result = result_of(s, run, "--stdin", str(file), "--", "say", "good", "stdin")
    assert (done.returncode, done.stdout) == (0, "what was there\n"), done
    decided = s.entries(action=result["action_id"], kind="action.decided")[0]["body"]["request"]
    assert decided["invocation"]["stdin"] == digest, decided
    done = run("--", "say", "good", "stdin", stdin="not for it")
    assert (done.returncode, done.stdout) == (0, ""), done
    assert not list(s.folder.glob("pawl-run-*")), "copies are left behind"


def environment(s, run):
    extra = {"LD_AUDIT": "", "MINE": "shown", "API_TOKEN": "hidden-value", "DROPPED": "yes"}
    done, result = result_of(s, run, "--env", "MINE", "--env", "API_TOKEN", "--", "say", "good", "env", extra=extra)
    assert "MINE=shown" in done.stdout and "API_TOKEN=hidden-value" in done.stdout, done
    assert "DROPPED" not in done.stdout and "LD_" not in done.stdout and "PAWL_TOKEN" not in done.stdout, done
    env = s.entries(action=result["action_id"], kind="action.decided")[0]["body"]["request"]["invocation"]["env"]
    assert env["MINE"] == "shown", env
    # It leaves pawl run as a digest, and the server marks even that.
    assert env["API_TOKEN"]["$redacted"].startswith("hmac-sha256:"), env
    done = run("--env", "LD_PRELOAD", "--", "say", "good", "env")
    assert done.returncode == 126 and "never passed on" in done.stderr, done


def denied(s, run):
    mark = s.folder / "denied"
    done, result = result_of(s, run, "--", "touch", str(mark))
    assert done.returncode == 23 and not mark.exists(), done
    assert result["ran"] is False and result["verdict"] == "deny", result
    done = run("--service", "burnt", "--", "say", "good", "mark", str(mark))
    assert done.returncode == 23 and not mark.exists(), done
    done = run("--agent", "other", "--", "say", "good", "mark", str(mark))
    assert done.returncode == 24 and not mark.exists(), done


def unreachable(s, run):
    mark = s.folder / "unreachable"
    nowhere = {"PAWL_URL": f"http://127.0.0.1:{pawl_server.free_port()}"}
    done, result = result_of(s, run, "--", "say", "good", "mark", str(mark), extra=nowhere)
    assert done.returncode == 24 and "can't be reached" in done.stderr and not mark.exists(), done
    assert result == {"ran": False, "verdict": None, "action_id": None, "exit_status": None, "signal": None}, result
    done = run("--", "say", "good", "mark", str(mark), extra={"PAWL_TOKEN": "pawl_agent_wrong"})
    assert done.returncode == 24 and not mark.exists(), done


def one_phase(s, run):
    done, result = result_of(s, run, "--", "look", "good", "text")
    assert done.returncode == 0 and done.stdout == "out of good\n", done
    assert finished(s, result["action_id"])["result"] == "succeeded"
    assert not s.entries(action=result["action_id"], kind="action.committed")


def advised(s, run):
    mark = s.folder / "advised"
    done = run("--", "say", "good", "mark", str(mark), token="adviser")
    assert done.returncode == 20 and not mark.exists(), done


def approve(s, item, token="approver"):
    return s.command("approve", item["action_id"], "--digest", item["digest"], token=token)


def begin(s, path, *words):
    return s.begin("run", "--", *words, token="bot", extra=path)


def pending_one(s):
    return s.wait_for(lambda: s.approvals())[0]


def escalated(s, run, path, bin_folder):
    mark = s.folder / "approved"
    done = run("--no-wait", "--", "say", "burnt", "mark", str(mark))
    assert done.returncode == 22 and not mark.exists(), done
    item = pending_one(s)
    assert s.command("reject", item["action_id"], "--reason", "later", token="approver").returncode == 0
    waiting = begin(s, path, "say", "burnt", "mark", str(mark))
    item = pending_one(s)
    assert item["blocking_check"] == "error_budget", item
    assert not mark.exists()
    done = approve(s, item)
    assert done.returncode == 0, done
    out, err = waiting.communicate(timeout=20)
    assert waiting.returncode == 0 and mark.read_text() == "once\n", (out, err)
    assert item["action_id"] in err and "waits for a person" in err, err
    committed = s.entries(action=item["action_id"], kind="action.committed")
    assert len(committed) == 1, committed
    assert not s.approvals()


def replaced(s, path, bin_folder):
    """Between the proposal and the grant the command changes: the new bytes never run."""
    mark = s.folder / "replaced"
    for how in ("in place", "by rename"):
        shutil.copy(bin_folder / "look", bin_folder / "say")
        waiting = begin(s, path, "say", "burnt", "mark", str(mark))
        item = pending_one(s)
        evil = SAY.replace("echo once", "echo evil")
        if how == "in place":
            (bin_folder / "say").write_text(evil)
        else:
            (bin_folder / "new").write_text(evil)
            (bin_folder / "new").chmod(0o755)
            (bin_folder / "new").rename(bin_folder / "say")
        assert approve(s, item).returncode == 0
        out, err = waiting.communicate(timeout=20)
        assert waiting.returncode == 126 and "was not started" in err, (how, waiting.returncode, err)
        assert not mark.exists(), how
        body = finished(s, item["action_id"])
        assert body["result"] == "failed" and body["detail"]["ran"] is False, body
    shutil.copy(bin_folder / "look", bin_folder / "say")


def rejected(s, path):
    mark = s.folder / "rejected"
    waiting = begin(s, path, "say", "burnt", "mark", str(mark))
    item = pending_one(s)
    done = s.command("reject", item["action_id"], "--reason", "not today", token="approver")
    assert done.returncode == 0, done
    out, err = waiting.communicate(timeout=20)
    assert waiting.returncode == 23 and not mark.exists(), (waiting.returncode, err)


def on_terminal(s):
    """The whole action is shown, the agent's words escaped; only yes is a yes."""
    intent = "fine\x1b[2J \u202e hidden"
    status, answer = s.call("POST", "/v1/actions", {
        "intent": intent, "invocation": {"argv": ["say", "burnt", "mark"], "executable": "/bin/say"}}, token="bot")
    assert status == 201 and answer["state"] == "escalated", answer
    for typed in (b"y\n", b"\n", b"YES\n", b"\x04"):
        code, text = s.terminal("approver", typed, "approve", answer["action_id"])
        assert code == 1 and "not approved" in text, (typed, code, text)
    code, text = s.terminal("approver", b"yes\n", "approve", answer["action_id"])
    assert code == 0 and "is approved" in text, (code, text)
    assert '"fine\\u001b[2J \\u202e hidden"' in text and "The agent's own words" in text, text
    assert "\x1b" not in text and "\u202e" not in text, text
    assert answer["digest"] in text and "error budget of burnt is" in text and "s old" in text, text
    approval = s.entries(action=answer["action_id"], kind="approval.granted")[0]["body"]
    assert approval.get("shown_at"), approval
    done = s.command("approve", answer["action_id"], token="approver")
    assert done.returncode == 2 and "--digest" in done.stderr, done


def held(s, run, path):
    """Two open escalations make the queue deeper than the policy allows."""
    mark = s.folder / "held"
    for agent, number in (("bot", "1"), ("other", "2")):
        done = run("--no-wait", "--", "say", "burnt", "exit", number, token=agent)
        assert done.returncode == 22, done
    done, result = result_of(s, run, "--", "say", "good", "mark", str(mark), token="third")
    assert done.returncode == 21 and "is held" in done.stderr and not mark.exists(), done
    assert result["verdict"] == "hold" and result["ran"] is False, result
    # With --wait it is asked again after the hold, under the same id.
    waiting = s.begin("run", "--wait", "2", "--", "say", "good", "mark", str(mark), token="third", extra=path)
    s.wait_for(lambda: len(s.call("GET", "/v1/actions?state=held")[1]["items"]) == 2)
    for item in s.approvals():
        assert s.command("reject", item["action_id"], "--reason", "no", token="approver").returncode == 0
    assert not s.approvals()
    out, err = waiting.communicate(timeout=20)
    assert waiting.returncode == 0 and mark.read_text() == "once\n", (waiting.returncode, err)
    action = err.split()[1]
    assert len(s.entries(action=action, kind="action.redecided")) == 1, err


def stopped(s, path):
    """A stop reaches a running command by its heartbeat."""
    waiting = begin(s, path, "say", "good", "sleep", "30")
    s.wait_for(lambda: s.call("GET", "/v1/actions?state=executing")[1]["items"])
    done = s.command("stop", "--agent", "bot", "--reason", "test")
    assert done.returncode == 0, done
    stop = done.stdout.split()[0]
    out, err = waiting.communicate(timeout=20)
    assert waiting.returncode == 128 + 15 and "the server says stop" in err, (waiting.returncode, err)
    done = s.command("resume", stop, "--reason", "over")
    assert done.returncode == 0, done


def spooled(s, run, path):
    """An outcome the server did not get is sent by the next run."""
    waiting = begin(s, path, "say", "good", "sleep", "2")
    item = s.wait_for(lambda: s.call("GET", "/v1/actions?state=executing")[1]["items"])[0]
    s.stop()
    out, err = waiting.communicate(timeout=30)
    assert waiting.returncode == 0 and "the outcome is kept" in err, (waiting.returncode, err)
    files = list((s.folder / "state" / "pawl").glob("outcome-*.json"))
    assert len(files) == 1 and files[0].stat().st_mode & 0o777 == 0o600, files
    s.start()
    for service, good in (("good", 1000), ("burnt", 900)):
        s.call("POST", "/v1/events", {"type": "sli", "service": service, "good": good, "total": 1000}, token="source")
    done = run("--", "look", "good", "text")
    assert "delivered" in done.stderr, done
    assert finished(s, item["action_id"])["result"] == "succeeded"
    assert not list((s.folder / "state" / "pawl").glob("outcome-*.json"))


def proven(s):
    done = s.command("verify", "--data", str(s.folder / "data"), "--json", "--deep", token=None)
    assert done.returncode == 0, done
    entries = json.loads(done.stdout)["entries"]
    status, first = s.call("GET", "/v1/ledger/0")
    key = first["body"]["vkey"]
    receipt = s.folder / "receipt"
    done = s.command("prove", str(entries - 1), "-o", str(receipt))
    assert done.returncode == 0, done
    done = s.command("verify", "--proof", str(receipt), "--key", key, token=None)
    assert done.returncode == 0 and f"entry {entries - 1} of" in done.stdout, done
    kept = s.folder / "kept"
    kept.write_bytes(s.call("GET", "/checkpoint")[1])
    done = s.command("verify", "--data", str(s.folder / "data"), "--against", str(kept), token=None)
    assert done.returncode == 0, done
    lines = receipt.read_text().splitlines()
    lines[3] = lines[4] if lines[3] != lines[4] else "A" * 43 + "="
    receipt.write_text("\n".join(lines) + "\n")
    done = s.command("verify", "--proof", str(receipt), "--key", key, token=None)
    assert done.returncode == 1 and "does not lead" in done.stderr, done
    s.stop()
    tamper(s)
    s.start()


def tamper(s):
    """One byte of one body, in a copy of the folder, is found and named."""
    copy = s.folder / "copy"
    shutil.copytree(s.folder / "data", copy, ignore=shutil.ignore_patterns("*.sock"))
    db = sqlite3.connect(copy / "ledger.db")
    body = db.execute("select body from entry where seq = 3").fetchone()[0]
    changed = body[:-2] + bytes([body[-2] ^ 1]) + body[-1:]
    db.execute("update entry set body = ? where seq = 3", (changed,))
    db.commit()
    db.close()
    done = s.command("verify", "--data", str(copy), token=None)
    assert done.returncode == 1 and "3" in done.stderr, done


if __name__ == "__main__":
    main(sys.argv[1])
