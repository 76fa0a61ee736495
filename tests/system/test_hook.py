#!/usr/bin/env python3
"""pawl hook claude-code as its host calls it: a JSON object in, silence or a denial out."""
import json
import sys

import pawl_server

POLICY = """
policy:
  agents:
    - {name: bot, owner: alice}
  services:
    - {name: good, slo: {objective: 99, events: true}}
    - {name: burnt, slo: {objective: 99, events: true}}
  tools:
    - name: read-file
      class: read
      match: {mcp: ["claude-code/read"]}
      parameters: {type: object}
    - name: deploy
      class: write
      match: {mcp: ["mcp__ops__deploy"]}
      parameters: {type: object, required: [service], properties: {service: {type: string}}}
      services: ["{service}"]
"""


def main(pawl):
    with pawl_server.Server(pawl, POLICY) as s:
        s.token("bot", roles=["agent"], agent="bot")
        s.token("approver", roles=["approver", "viewer"], person="carol")
        s.token("source", roles=["source"], person="prober", services="*")
        for service, good in (("good", 1000), ("burnt", 900)):
            assert s.call("POST", "/v1/events", {"type": "sli", "service": service, "good": good, "total": 1000},
                          token="source")[0] == 202
        read_tool(s)
        two_phase(s)
        mismatch(s)
        repeated(s)
        escalation(s)
        denials(s)
        own_surface(s)
        install(s)
    print("ok")


def call(event, use, tool, given, **more):
    return json.dumps({"hook_event_name": event, "session_id": "s1", "tool_use_id": use, "tool_name": tool,
                       "tool_input": given, "cwd": "/tmp", "permission_mode": "default", **more})


def hook(s, text, *words, extra=None):
    done = s.command("hook", "claude-code", *words, token="bot", stdin=text, extra=extra)
    assert done.returncode == 0, done
    return json.loads(done.stdout) if done.stdout else None


def decision(answer):
    output = answer["hookSpecificOutput"]
    assert output["hookEventName"] == "PreToolUse" and output["permissionDecisionReason"], answer
    return output["permissionDecision"], output["permissionDecisionReason"]


def finished(s):
    return s.entries(kind="action.finished")


def read_tool(s):
    assert hook(s, call("PreToolUse", "r1", "Read", {"file_path": "/etc/hosts"})) is None
    assert hook(s, call("PostToolUse", "r1", "Read", {"file_path": "/etc/hosts"}, tool_response={"x": 1})) is None
    last = finished(s)[-1]["body"]
    assert last["result"] == "succeeded" and last["detail"]["response_bytes"] == 7, last
    assert not list((s.folder / "state/pawl/hook").iterdir())


def two_phase(s):
    given = {"service": "good"}
    assert hook(s, call("PreToolUse", "d1", "mcp__ops__deploy", given)) is None
    assert s.call("GET", "/v1/actions?state=executing")[1]["items"]
    files = list((s.folder / "state/pawl/hook").iterdir())
    assert len(files) == 1 and files[0].stat().st_mode & 0o777 == 0o600, files
    assert hook(s, call("PostToolUseFailure", "d1", "mcp__ops__deploy", given, error="no route")) is None
    last = finished(s)[-1]["body"]
    assert last["result"] == "failed" and last["detail"]["error"] == "no route", last


def mismatch(s):
    assert hook(s, call("PreToolUse", "m1", "mcp__ops__deploy", {"service": "good"})) is None
    answer = hook(s, call("PostToolUse", "m1", "mcp__ops__deploy", {"service": "burnt"}, tool_response={}))
    assert answer["decision"] == "block" and "not what was decided" in answer["reason"], answer
    last = finished(s)[-1]["body"]
    assert last["result"] == "failed" and last["detail"]["input_mismatch"] is True, last
    answer = hook(s, call("PostToolUse", "never", "mcp__ops__deploy", {"service": "good"}, tool_response={}))
    assert answer["decision"] == "block" and "past the gate" in answer["reason"], answer


def repeated(s):
    """The host may fire the same call twice: it is one action."""
    before = len(s.entries(kind="action.decided"))
    for _ in range(2):
        assert hook(s, call("PreToolUse", "twice", "mcp__ops__deploy", {"service": "good"})) is None
    assert len(s.entries(kind="action.decided")) == before + 1
    assert hook(s, call("PostToolUse", "twice", "mcp__ops__deploy", {"service": "good"}, tool_response={})) is None


def escalation(s):
    given = {"service": "burnt"}
    verdict, reason = decision(hook(s, call("PreToolUse", "e1", "mcp__ops__deploy", given)))
    assert verdict == "deny" and "act_" in reason and "escalated" in reason, reason
    verdict, reason = decision(hook(s, call("PreToolUse", "e2", "mcp__ops__deploy", given), "--headless"))
    assert verdict == "defer", reason
    items = s.approvals()
    assert len(items) == 1, items
    done = s.command("approve", items[0]["action_id"], "--digest", items[0]["digest"], token="approver")
    assert done.returncode == 0, done
    assert hook(s, call("PreToolUse", "e3", "mcp__ops__deploy", given)) is None
    verdict, reason = decision(hook(s, call("PreToolUse", "e4", "mcp__ops__deploy", given)))
    assert verdict == "deny", reason  # the approval was for once
    assert hook(s, call("PostToolUse", "e3", "mcp__ops__deploy", given, tool_response={})) is None


def denials(s):
    verdict, reason = decision(hook(s, call("PreToolUse", "x1", "Bash", {"command": "ls"})))
    assert verdict == "deny" and "denied" in reason, reason
    cases = ["", "{", "[]", "{}", '{"hook_event_name":"PreToolUse"}',
             call("PreToolUse", "x2", "", {}), call("PreToolUse", "", "Read", {}),
             call("PreToolUse", "x3", "Read", "no object"), call("PreToolUse", "x4", "Bash", {"command": 7}),
             call("PreToolUse", "x5", "a" * 300, {}), '{"hook_event_name":"PreToolUse","hook_event_name":"x"}']
    for text in cases:
        verdict, reason = decision(hook(s, text))
        assert verdict == "deny", (text, reason)
    nowhere = {"PAWL_URL": f"http://127.0.0.1:{pawl_server.free_port()}"}
    read = call("PreToolUse", "x6", "Read", {"file_path": "/etc/hosts"})
    for extra in (nowhere, {"PAWL_TOKEN": "pawl_agent_wrong"}, {"PAWL_TOKEN": "a b"}, {"PAWL_URL": "ftp://x"},
                  {"XDG_STATE_HOME": "/dev/null/x"}):
        verdict, reason = decision(hook(s, read, extra=extra))
        assert verdict == "deny", (extra, reason)
    assert hook(s, json.dumps({"hook_event_name": "SessionStart", "session_id": "s1"})) is None
    done = s.command("hook", "claude-code", "--bogus", token="bot", stdin=read)
    assert done.returncode == 2 and "unknown option" in done.stderr, done
    with open("/dev/full", "w") as full:
        import subprocess
        done = subprocess.run([s.pawl, "hook", "claude-code"], env=s.environment("bot"), input="{", stdout=full,
                              stderr=subprocess.PIPE, text=True, timeout=30)
    assert done.returncode == 2 and "denied" in done.stderr, done


def own_surface(s):
    """Denied here, before any server is asked."""
    nowhere = {"PAWL_URL": f"http://127.0.0.1:{pawl_server.free_port()}", "PAWL_CONFIG": str(s.config)}
    data = str(s.folder / "data")
    (s.folder / "link").symlink_to(data)
    calls = [("Read", {"file_path": str(s.config)}), ("Write", {"file_path": data + "/stop", "content": ""}),
             ("Read", {"file_path": f"{s.folder}/x/../data/ledger.db"}),
             ("Read", {"file_path": f"{s.folder}/link/ledger.db"}),
             ("Edit", {"file_path": "~/.claude/settings.json"}),
             ("Bash", {"command": f"cat {data}/keys/ledger.key"}), ("Bash", {"command": "echo hi; pawl stop --all"}),
             ("Bash", {"command": f"'{s.pawl}' approve act_1"}), ("Bash", {"command": "p\\awl status"}),
             ("Bash", {"command": "PAWL_TOKEN=x env"}), ("mcp__fs__read", {"deep": [{"path": data}]})]
    for tool, given in calls:
        answer = hook(s, call("PreToolUse", "p", tool, given), "--data", data, extra=nowhere)
        verdict, reason = decision(answer)
        assert verdict == "deny" and "no agent touches Pawl itself" in reason, (tool, given, reason)
    answer = hook(s, call("PreToolUse", "p", "Read", {"file_path": data + "base"}), "--data", data, extra=nowhere)
    assert "can't be reached" in decision(answer)[1], answer


def install(s):
    settings = s.folder / "settings.json"
    settings.write_text(json.dumps({"model": "m", "hooks": {"PreToolUse": [{"matcher": "Bash", "hooks": []}],
                                                            "Stop": []}}))
    settings.chmod(0o640)
    for _ in range(2):  # the second time changes nothing
        done = s.command("hook", "claude-code", "--install", "--settings", str(settings), token=None)
        assert done.returncode == 0, done
        there = json.loads(settings.read_text())
        assert there["model"] == "m" and there["hooks"]["Stop"] == [], there
        assert [e["matcher"] for e in there["hooks"]["PreToolUse"]] == ["Bash", "*"], there
        ours = there["hooks"]["PreToolUse"][1]["hooks"][0]
        assert ours["args"][:2] == ["hook", "claude-code"] and ours["command"].endswith("/pawl"), ours
        assert ours["timeout"] == 30 and ours["onFailure"] == "block" and ours["type"] == "command", ours
        assert len(there["hooks"]["PostToolUse"]) == 1 and len(there["hooks"]["PostToolUseFailure"]) == 1, there
    assert settings.stat().st_mode & 0o777 == 0o640
    settings.write_text("{ no json")
    done = s.command("hook", "claude-code", "--install", "--settings", str(settings), token=None)
    assert done.returncode == 1 and "left as it is" in done.stderr and settings.read_text() == "{ no json", done
    done = s.command("hook", "claude-code", "--install", "--print", token=None)
    assert done.returncode == 0 and "PreToolUse" in json.loads(done.stdout)["hooks"], done
    done = s.command("hook", "claude-code", "--install", "--print", "--model", "m-2", "--prompt-version", "p-7", token=None)
    args = json.loads(done.stdout)["hooks"]["PreToolUse"][0]["hooks"][0]["args"]
    assert args[args.index("--model") + 1] == "m-2" and args[args.index("--prompt-version") + 1] == "p-7", args


if __name__ == "__main__":
    main(sys.argv[1])
