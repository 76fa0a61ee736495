#!/usr/bin/env python3
"""What people do themselves: an operator under the gate, broken glass with its notice and its review, an override."""
import json
import sys

import pawl_server

POLICY = """
policy:
  agents:
    - {name: bot, owner: alice}
  services:
    - {name: shop, slo: {objective: 99, events: true}}
  tools:
    - name: touch
      class: write
      services: [shop]
      match: {argv: [[touch, "{file}"]]}
      parameters: {type: object, properties: {file: {type: string}}}
  freezes:
    - {name: fair, services: [shop], from: 2020-01-01T00:00:00Z, until: 2040-01-01T00:00:00Z}
"""


def main(pawl):
    with pawl_server.Server(pawl, POLICY) as s:
        s.token("bot", roles=["agent"], agent="bot")
        s.token("ben", roles=["approver"], person="ben")
        s.token("rita", roles=["responder"], person="rita")
        s.token("olga", roles=["override", "responder"], person="olga")
        s.token("probe", roles=["source"], person="probe", services="*")
        assert s.call("POST", "/v1/events", {"type": "sli", "service": "shop", "good": 10, "total": 10},
                      token="probe")[0] == 202
        a_person_is_held_as_well(s)
        glass_is_broken_at_a_terminal_only(s)
        glass_is_broken(s)
        a_hold_is_overridden(s)
        agents_break_nothing(s)
        assert s.command("verify", "--data", str(s.folder / "data"), "--deep").returncode == 0


def a_person_is_held_as_well(s):
    mark = s.folder / "held"
    done = s.command("run", "--", "touch", str(mark), token="ben")
    assert done.returncode == 21 and "freeze" in done.stderr and not mark.exists(), done
    action = s.call("GET", "/v1/actions?state=held")[1]["items"][0]
    assert (action["agent"], action["author_type"], action["person"]) == (None, "human", "ben"), action


def glass_is_broken_at_a_terminal_only(s):
    mark = s.folder / "script"
    done = s.command("run", "--break-glass", "--reason", "why", "--", "touch", str(mark), token="rita")
    assert done.returncode == 2 and "terminal" in done.stderr and not mark.exists(), done
    for words, error in ((["--break-glass"], "needs --reason"), (["--reason", "x"], "goes with --break-glass")):
        code, text = s.terminal("rita", None, "run", *words, "--", "touch", str(mark))
        assert code == 2 and error in text and not mark.exists(), (code, text)


def glass_is_broken(s):
    mark = s.folder / "broken"
    code, text = s.terminal("rita", None, "run", "--break-glass", "--reason", "the shop is down", "--", "touch", str(mark))
    assert code == 0 and mark.exists(), (code, text)
    # Nothing of it is in a catalogue, and it runs all the same.
    code, text = s.terminal("rita", None, "run", "--break-glass", "--reason", "and this", "--", "sh", "-c", "exit 3")
    assert code == 3, (code, text)
    decided = [e for e in s.entries(kind="action.decided") if e["body"]["request"].get("break_glass")]
    assert [e["body"]["request"]["person"] for e in decided] == ["rita", "rita"], decided
    decision = s.call("GET", "/v1/decisions/dec_" + str(decided[0]["seq"]))[1]
    freeze = [f for f in decision["findings"] if f["check"] == "freeze"][0]
    assert (decision["verdict"], freeze["verdict"], freeze["mode"]) == ("allow", "hold", "waived"), decision
    listed = json.loads(s.command("incidents", "--json").stdout)
    assert [(i["cause"], i["person"]) for i in listed] == [("break_glass", "rita")] * 2, listed
    assert b"pawl_reviews_open 2" in s.send("GET", "/metrics")[2]
    for incident in listed:
        own = s.command("incident", "close", incident["incident_id"], "--reason", "fine", token="rita")
        assert own.returncode == 1 and "can't be the one" in own.stderr, own
        other = s.command("incident", "close", incident["incident_id"], "--reason", "looked at", token="olga")
        assert other.returncode == 0, other
    metrics = s.send("GET", "/metrics")[2]
    assert all(line in metrics for line in (b"pawl_break_glass_total 2", b"pawl_reviews_open 0", b"pawl_reviews_overdue 0"))
    # A stop is lifted, not broken.
    stopped = s.command("stop", "--all", "--reason", "hands off", token="olga")
    assert stopped.returncode == 0, stopped
    mark = s.folder / "stopped"
    code, text = s.terminal("rita", None, "run", "--break-glass", "--reason", "x", "--", "touch", str(mark))
    assert code == 23 and not mark.exists(), (code, text)
    assert s.command("resume", "--all", "--reason", "on", token="admin").returncode == 0


def a_hold_is_overridden(s):
    mark = s.folder / "overridden"
    waiting = s.begin("run", "--wait", "120", "--", "touch", str(mark), token="bot")
    action = s.wait_for(lambda: [a for a in s.call("GET", "/v1/actions?state=held")[1]["items"] if a["agent"] == "bot"])[0]
    words = ("approve", action["action_id"], "--override", "freeze", "--reason", "the fair is over")
    for token in ("ben", "bot"):
        refused = s.command(*words, "--digest", action["digest"], token=token)
        assert refused.returncode == 1 and "role" in refused.stderr, refused
    alone = s.command("approve", action["action_id"], "--override", "freeze", token="olga")
    assert alone.returncode == 2 and "go together" in alone.stderr, alone
    code, text = s.terminal("olga", b"no\n", *words)
    assert code == 1 and "not overridden" in text, (code, text)
    code, text = s.terminal("olga", b"yes\n", *words)
    assert code == 0 and "Override freeze of" in text, (code, text)
    # What waits asks again when the hold said so; here it is asked for it.
    assert s.call("POST", f"/v1/actions/{action['action_id']}/decide", {}, token="bot")[1]["state"] == "allowed"
    waiting.terminate()
    waiting.communicate(timeout=20)
    entry = s.entries(kind="override.granted")[0]
    assert entry["body"]["person"] == "olga" and entry["body"]["check"] == "freeze" and entry["body"]["shown_at"], entry
    assert b"pawl_overrides_total 1" in s.send("GET", "/metrics")[2]
    assert s.call("GET", f"/v1/actions/{action['action_id']}")[1]["overrides"] == ["freeze"]


def agents_break_nothing(s):
    mark = s.folder / "agent"
    code, text = s.terminal("bot", None, "run", "--break-glass", "--reason", "let me", "--", "touch", str(mark))
    assert code == 24 and "expected a responder" in text and not mark.exists(), (code, text)
    for token in ("ben", "admin"):
        status, problem = s.call("POST", "/v1/actions", {"agent": "bot", "tool": "touch"}, token=token)
        assert status == 403 and problem["errors"][0]["pointer"] == "/agent", problem


if __name__ == "__main__":
    main(sys.argv[1])
