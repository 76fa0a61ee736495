#!/usr/bin/env python3
"""Who calls: signed requests and tokens of issuers, made here and checked by the real server."""
import base64
import hashlib
import http.server
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils

import pawl_server


def url64(b):
    return base64.urlsafe_b64encode(b).rstrip(b"=").decode()


def raw(key):
    return key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


K1, K2, STRANGER = (ed25519.Ed25519PrivateKey.generate() for _ in range(3))

POLICY = f"""
policy:
  checks:
    error_budget: {{mode: off}}
    aqdd: {{mode: off}}
    her_trend: {{mode: off}}
    breaker: {{mode: off}}
  agents:
    - {{name: bot, owner: ann, tier: autonomous, keys: [{{id: k1, public: {url64(raw(K1))}}},
         {{id: k2, public: "{base64.b64encode(raw(K2)).decode()}"}}]}}
    - {{name: modelled, owner: ann, tier: autonomous, model: m1, prompt_version: p1}}
    - {{name: lead, owner: lea, tier: supervised, zones: [eu]}}
    - {{name: advisor, owner: lea, tier: autonomous, advisory: true}}
    - {{name: free, owner: ann, tier: autonomous, zones: [eu, us]}}
    - {{name: team/helper, owner: ann, tier: autonomous, keys: [{{id: k1, public: {url64(raw(K2))}}}]}}
  services:
    - {{name: here, zone: eu}}
    - {{name: there, zone: us}}
  permissions:
    - {{agents: [bot, modelled, free, advisor, "team/*"], tools: ["*"]}}
    - {{agents: [lead], tools: [scale, wipe, here, there]}}
  tools:
    - {{name: here, class: write, services: [here]}}
    - {{name: there, class: write, services: [there]}}
    - {{name: special, class: write}}
    - {{name: wipe, class: destructive, parameters: {{type: object}}}}
    - {{name: scale, class: write}}
"""

count = 0


def nonce():
    global count
    count += 1
    return f"nonce-{count}-{os.getpid()}"


class Signed:
    """One request, signed; every part can be changed after."""

    def __init__(self, s, method, path, body=None, key=K1, keyid="bot/k1", query="", tag="pawl", **params):
        self.method, self.path, self.query = method, path, query
        self.body = b"" if body is None else json.dumps(body).encode()
        self.headers = {"Host": f"127.0.0.1:{s.port}"}
        covered = [("@method", method), ("@authority", self.headers["Host"]), ("@path", path)]
        if query:
            covered.append(("@query", "?" + query))
        if self.body:
            self.headers["Content-Type"] = "application/json"
            self.headers["Content-Digest"] = f"sha-256=:{base64.b64encode(hashlib.sha256(self.body).digest()).decode()}:"
            covered.append(("content-digest", self.headers["Content-Digest"]))
        covered = [row for row in covered if row[0] not in params.get("without", ())]
        created = int(time.time()) + params.get("shift", 0)
        inner = f"({' '.join(json.dumps(name) for name, _ in covered)});created={created}"
        given = params.get("nonce", nonce())
        inner += f';nonce="{given}"' if given else ""
        inner += f';keyid="{keyid}";alg="ed25519";tag="{tag}"'
        base = "".join(f'"{name}": {value}\n' for name, value in covered) + f'"@signature-params": {inner}'
        self.headers["Signature-Input"] = "sig=" + inner
        self.headers["Signature"] = f"sig=:{base64.b64encode(key.sign(base.encode())).decode()}:"

    def send(self, s):
        path = self.path + ("?" + self.query if self.query else "")
        status, _, text = s.send(self.method, path, self.body, token=None, headers=self.headers)
        return status, json.loads(text)


def says(answer, status, text):
    assert answer[0] == status and text in answer[1].get("detail", ""), (answer, status, text)


def tokens_of(s, person):
    return [t for t in s.call("GET", "/v1/tokens")[1]["items"] if t["person"] == person]


def ready(s):
    """What an earlier process may have taken is not taken for the first seconds."""
    early = Signed(s, "GET", "/v1/actions")
    says(early.send(s), 401, "created before this server took signatures")
    s.wait_for(lambda: Signed(s, "GET", "/v1/actions").send(s)[0] == 200)


def signed_requests(s):
    ready(s)
    status, answer = Signed(s, "POST", "/v1/actions", {"tool": "scale"}).send(s)
    assert status == 201 and answer["verdict"] == "allow", answer
    entry = [e for e in s.entries(kind="action.decided")][-1]
    [token] = tokens_of(s, "bot")
    assert entry["actor"] == token["token_id"] and token["roles"] == ["agent"], (entry, token)
    assert Signed(s, "GET", "/v1/actions", query="limit=5&verdict=a%20b").send(s)[0] in (200, 422)
    assert Signed(s, "GET", "/v1/actions", query="limit=5").send(s)[0] == 200

    # Once, and as it was signed.
    once = Signed(s, "POST", "/v1/actions", {"tool": "scale", "intent": "again"})
    assert once.send(s)[0] == 201
    says(once.send(s), 401, "the nonce was used before")
    changed = Signed(s, "POST", "/v1/actions", {"tool": "scale"})
    changed.body = changed.body.replace(b"scale", b"wipes")
    says(changed.send(s), 401, "digest")
    changed = Signed(s, "POST", "/v1/actions", {"tool": "scale"})
    changed.path = "/v1/evaluate"
    says(changed.send(s), 401, "signature")
    changed = Signed(s, "GET", "/v1/actions", query="limit=5")
    changed.query = "limit=6"
    says(changed.send(s), 401, "signature")
    changed = Signed(s, "GET", "/v1/actions")
    changed.query = "limit=6"
    says(changed.send(s), 401, "query")
    changed = Signed(s, "GET", "/v1/actions")
    changed.headers["Host"] = f"localhost:{s.port}"
    says(changed.send(s), 401, "signature")

    # What the rules ask for.
    body = {"tool": "scale"}
    for wrong, text in [(dict(without=("content-digest",)), "content-digest"), (dict(without=("@path",)), "@path"),
                        (dict(without=("@method",)), "@method"), (dict(nonce=""), "nonce"), (dict(shift=-120), "old"),
                        (dict(shift=30), "ahead"), (dict(tag="other"), "tag"), (dict(key=STRANGER), "signature"),
                        (dict(key=K2), "signature"), (dict(keyid="bot/k3"), "no agent has that key"),
                        (dict(keyid="nobody/k1"), "no agent has that key"), (dict(keyid="bot"), "no agent has that key"),
                        (dict(keyid="team/helper"), "no agent has that key")]:
        status, answer = Signed(s, "POST", "/v1/actions", body, **wrong).send(s)
        assert status == 401, (wrong, status, answer)
        assert text in answer["detail"] or text in ("old", "ahead", "tag"), (wrong, answer)

    # Each key is a credential of its own; an agent speaks for itself, and may what agents may.
    assert Signed(s, "POST", "/v1/actions", body, key=K2, keyid="bot/k2").send(s)[0] == 201
    assert Signed(s, "POST", "/v1/actions", body, key=K2, keyid="team/helper/k1").send(s)[0] == 201
    says(Signed(s, "POST", "/v1/actions", {"tool": "scale", "agent": "bot"}, key=K2, keyid="team/helper/k1").send(s),
         403, "this credential is team/helper's")
    assert Signed(s, "GET", "/v1/tokens").send(s)[0] == 403
    assert len(tokens_of(s, "bot")) == 2 and len(tokens_of(s, "team/helper")) == 1

    # What stands for a key in the ledger is known to anybody, and is no bearer's secret.
    for secret in (f"key:bot/k1:{url64(raw(K1))}", f"pawl_key:bot/k1:{url64(raw(K1))}"):
        assert s.send("GET", "/v1/actions", token=secret)[0] == 401

    # Revoked is revoked, and another key of the same agent is not.
    assert s.call("POST", f"/v1/tokens/{token['token_id']}/revoke", {"reason": "lost"})[0] == 200
    says(Signed(s, "POST", "/v1/actions", body).send(s), 401, "revoked")
    assert Signed(s, "GET", "/v1/actions", key=K2, keyid="bot/k2").send(s)[0] == 200
    replay = Signed(s, "POST", "/v1/actions", body, key=K2, keyid="bot/k2")
    assert replay.send(s)[0] == 201

    # A crash forgets nonces; so what was signed before is not taken.
    s.kill()
    s.start()
    says(replay.send(s), 401, "created before this server took signatures")
    s.wait_for(lambda: Signed(s, "GET", "/v1/actions", key=K2, keyid="bot/k2").send(s)[0] == 200)
    says(Signed(s, "POST", "/v1/actions", body).send(s), 401, "revoked")
    assert len(tokens_of(s, "bot")) == 2


# --- tokens of issuers ---------------------------------------------------------------------------------

ISSUER = "https://issuer.example"


class Issuer:
    """Keys in a file, and tokens."""

    def __init__(self, path):
        self.path = path
        self.keys = {}

    def rotate(self, kid, key=None):
        self.keys[kid] = key or ed25519.Ed25519PrivateKey.generate()
        rows = []
        for name, key in self.keys.items():
            if isinstance(key, ed25519.Ed25519PrivateKey):
                rows.append({"kty": "OKP", "crv": "Ed25519", "x": url64(raw(key)), "kid": name, "use": "sig"})
            else:
                at = key.public_key().public_numbers()
                rows.append({"kty": "EC", "crv": "P-256", "kid": name, "use": "jwt-svid",
                             "x": url64(at.x.to_bytes(32, "big")), "y": url64(at.y.to_bytes(32, "big"))})
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps({"keys": rows}))
        fresh.chmod(0o600)
        fresh.rename(self.path)

    def token(self, sub, kid="a", key=None, ttl=300, **claims):
        key = key or self.keys[kid]
        spiffe = sub.startswith("spiffe:")
        now = int(time.time())
        body = {"iss": ISSUER, "aud": "pawl", "sub": sub, "iat": now + min(ttl, 0) - 1, "exp": now + ttl, **claims}
        head = {"alg": "ES256" if spiffe else "EdDSA", "kid": kid, "typ": "JWT"}
        text = url64(json.dumps(head).encode()) + "." + url64(json.dumps(body).encode())
        if spiffe:
            r, s = utils.decode_dss_signature(key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
            return text + "." + url64(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
        return text + "." + url64(key.sign(text.encode()))


def propose(s, token, tool="scale", **more):
    if tool == "wipe":  # each is an action of its own
        more["parameters"] = {"nonce": nonce()}
    status, _, text = s.send("POST", "/v1/actions", json.dumps({"tool": tool, **more}).encode(), token=token)
    return status, json.loads(text)


def settings(folder):
    return f"""  identity:
    - name: company
      issuer: {ISSUER}
      audience: pawl
      jwks_file: {folder}/jwks.json
      subjects:
        - {{sub: "agent:bot", agent: bot}}
        - {{sub: "agent:modelled", agent: modelled}}
        - {{sub: "agent:lead", agent: lead}}
        - {{sub: "agent:free", agent: free}}
        - {{sub: "agent:advisor", agent: advisor}}
        - {{sub: "agent:ghost", agent: ghost}}
        - {{sub: "user:ann", person: ann, roles: [viewer]}}
        - {{sub: "user:oli", person: oli, roles: [approver, viewer], groups: "sre"}}
        - {{sub: "user:max", person: max, roles: [approver, viewer]}}
        - {{sub: "viewer:*", person: guest, roles: [viewer]}}
    - name: mesh
      profile: spiffe
      trust_domain: prod.example
      audience: pawl
      jwks_file: {folder}/bundle.json
      subjects:
        - {{sub: "spiffe://prod.example/agents/bot", agent: bot}}
"""


def issued_tokens(s, issuer):
    status, answer = propose(s, issuer.token("agent:bot"))
    assert status == 201 and answer["verdict"] == "allow", answer
    entry = s.entries(kind="action.decided")[-1]
    [bot] = tokens_of(s, "bot")
    assert entry["actor"] == bot["token_id"], (entry, bot)
    assert propose(s, issuer.token("agent:bot"))[0] == 201 and len(tokens_of(s, "bot")) == 1
    says(propose(s, issuer.token("agent:bot"), agent="lead"), 403, "this credential is bot's")

    other = ed25519.Ed25519PrivateKey.generate()
    good = issuer.token("agent:bot")
    head, body, signature = good.split(".")
    for token, text in [
            (issuer.token("agent:bot", aud="other"), "aud"),
            (issuer.token("agent:bot", ttl=-60), "expired"),
            (issuer.token("agent:bot", nbf=int(time.time()) + 200), "not valid yet"),
            (issuer.token("agent:bot", iss="https://else.example"), "issuer is not known"),
            (issuer.token("agent:bot", key=other), "signature is wrong"),
            (issuer.token("agent:nobody"), "stands for nobody"),
            (issuer.token("agent:bot", model=7), "model"),
            (issuer.token("agent:bot", model="m" * 257), "model"),
            (head + "." + body + ".", ""), ("a.b.c", ""), ("..", ""),
            (url64(b'{"alg":"none"}') + "." + body + ".", ""),
    ]:
        says(propose(s, token), 401, text)

    # What stands for a subject in the ledger is no bearer's secret either.
    for secret in (f"jwt:{ISSUER} agent:bot", f"pawl_jwt:{ISSUER} agent:bot"):
        assert s.send("GET", "/v1/actions", token=secret)[0] == 401

    # People.
    assert s.send("GET", "/v1/agents", token=issuer.token("viewer:x"))[0] == 200
    assert s.send("GET", "/v1/tokens", token=issuer.token("viewer:x"))[0] == 403
    assert s.send("POST", "/v1/actions", b'{"tool":"scale"}', token=issuer.token("viewer:x"))[0] == 403


def rotation(s, issuer):
    issuer.keys["b"] = ed25519.Ed25519PrivateKey.generate()
    early = issuer.token("agent:bot", kid="b")
    assert propose(s, early)[0] == 401
    issuer.rotate("b", issuer.keys["b"])
    s.wait_for(lambda: propose(s, early)[0] == 201)  # read once more, by itself
    del issuer.keys["a"]
    issuer.rotate("c")
    s.wait_for(lambda: propose(s, issuer.token("agent:bot", kid="c"))[0] == 201)
    assert propose(s, early)[0] == 201
    # A file that is none leaves the keys as they were; a signal reads it at once.
    good = issuer.path.read_text()
    issuer.path.write_text("{")
    s.process.send_signal(signal.SIGHUP)
    s.wait_for(lambda: "the old ones stay" in s.said())
    assert propose(s, early)[0] == 201
    issuer.path.write_text(good)
    del issuer.keys["b"]
    issuer.rotate("a")
    s.process.send_signal(signal.SIGHUP)
    s.wait_for(lambda: propose(s, early)[0] == 401)
    assert propose(s, issuer.token("agent:bot"))[0] == 201


def decided(s, answer):
    """What was recorded of it; and a replay comes to the same."""
    status, record = s.call("GET", f"/v1/decisions/{answer['decision_id']}/replay")
    assert status == 200 and record["same"] is True, record
    status, entry = s.call("GET", f"/v1/ledger/{answer['action_id'].removeprefix('act_')}")
    assert status == 200, entry
    return entry["body"]


def models(s, issuer):
    def rung(expected, verdict, token, tool, **more):
        status, answer = propose(s, token, tool, **more)
        assert status == 201 and answer["verdict"] == verdict, (expected, answer)
        facts = decided(s, answer)["facts"]
        assert (facts.get("identity"), facts.get("rung_dropped", False)) == expected, facts

    both = dict(model="m1", prompt_version="p1")
    rung(("attested", False), "allow", issuer.token("agent:modelled", **both), "wipe")
    rung(("attested", True), "escalate", issuer.token("agent:modelled", model="m2", prompt_version="p1"), "wipe")
    rung(("attested", True), "allow", issuer.token("agent:modelled", model="m1", prompt_version="p2"), "scale")
    rung(("asserted", False), "allow", issuer.token("agent:modelled"), "wipe", intent="said", **both)
    rung(("asserted", False), "allow", issuer.token("agent:modelled", model="m1"), "wipe", prompt_version="p1", intent="half")
    rung((None, True), "allow", issuer.token("agent:modelled"), "scale")
    rung(("asserted", False), "allow", issuer.token("agent:bot"), "wipe", model="any")
    # What was allowed to one model is not another one's to start.
    status, answer = propose(s, issuer.token("agent:modelled", **both), "wipe")
    order = json.dumps({"executor_nonce": nonce() + "0123456789abcdef", "digest": answer["digest"]}).encode()
    path = f"/v1/actions/{answer['action_id']}/commit"
    for claims, want in ((dict(model="m2", prompt_version="p1"), 409), (dict(model="m1", prompt_version="p2"), 409), (both, 200)):
        status, _, text = s.send("POST", path, order, token=issuer.token("agent:modelled", **claims))
        assert status == want and (want == 200 or b"another model or prompt" in text), (claims, status, text)
    # The door of a command says it as well.
    s.tokens["modelled"] = issuer.token("agent:modelled")
    for options, extra, dropped in ((("--model", "m1", "--prompt-version", "p1"), {}, False), (("--model", "m2"), {}, True),
                                    ((), {"PAWL_MODEL": "m1", "PAWL_PROMPT_VERSION": "p1"}, False), ((), {}, True)):
        ran = s.command("run", *options, "--", "/bin/true", token="modelled", extra=extra)
        facts = s.entries(kind="action.decided")[-1]["seq"]
        facts = s.call("GET", f"/v1/ledger/{facts}")[1]["body"]["facts"]
        assert facts.get("rung_dropped", False) is dropped, (options, extra, facts, ran)
    says(propose(s, issuer.token("agent:modelled", **both), model="m3"), 422, "the token says otherwise")
    says(propose(s, issuer.token("agent:bot"), model="m" * 257), 422, "at most 256 bytes")
    # Registered again with the new one, it is whole again.
    text = s.config.read_text()
    s.config.write_text(text.replace("model: m1", "model: m2"))
    s.process.send_signal(signal.SIGHUP)
    s.wait_for(lambda: s.said().count("policy in force") > 0)
    rung(("attested", False), "allow", issuer.token("agent:modelled", model="m2", prompt_version="p1"), "wipe", intent="new")
    rung(("attested", True), "escalate", issuer.token("agent:modelled", **both), "wipe", intent="old")
    # An issuer's word may be asked for.
    s.config.write_text(text.replace("  checks:", "  checks:\n    tier: {asserted_cap: true}", 1))
    s.process.send_signal(signal.SIGHUP)
    s.wait_for(lambda: s.said().count("policy in force") > 1)
    rung(("asserted", False), "escalate", issuer.token("agent:bot"), "wipe", model="any", intent="capped")
    rung(("attested", False), "allow", issuer.token("agent:bot", model="any"), "wipe", intent="not capped")
    s.config.write_text(text)
    s.process.send_signal(signal.SIGHUP)
    s.wait_for(lambda: s.said().count("policy in force") > 2)


def chained(sub, *actors):
    """sub delegated to the last of actors, which delegated on."""
    act = None
    for actor in reversed(actors):
        act = {"sub": actor, **({"act": act} if act else {})}
    return dict(sub=sub, act=act)


def delegation(s, issuer):
    def verdict(token, tool, **more):
        status, answer = propose(s, token, tool, **more)
        assert status == 201, answer
        return answer["verdict"], answer, decided(s, answer)

    # Alone it may; for one who stands lower it may what that one may.
    assert verdict(issuer.token("agent:free"), "wipe")[0] == "allow"
    got, answer, body = verdict(issuer.token(**chained("agent:lead", "agent:free")), "wipe")
    assert got == "escalate" and body["request"]["act"] == ["lead"] and body["request"]["agent"] == "free", body
    assert verdict(issuer.token(**chained("agent:lead", "agent:free")), "here")[0] == "allow"
    assert verdict(issuer.token("agent:free"), "there")[0] == "allow"
    got, _, body = verdict(issuer.token(**chained("agent:lead", "agent:free")), "there")
    assert got == "deny" and body["facts"]["zones"][0] is True, body
    assert verdict(issuer.token("agent:free"), "special")[0] == "allow"
    got, refused, body = verdict(issuer.token(**chained("agent:lead", "agent:free")), "special")
    assert got == "deny" and refused["blocking_check"] == "identity" and body["facts"]["delegator"][1] == "lead", body
    got, _, body = verdict(issuer.token(**chained("agent:lead", "agent:free", "agent:bot")), "special")
    assert got == "deny" and body["request"]["act"] == ["bot", "lead"], body
    assert verdict(issuer.token(**chained("agent:advisor", "agent:free")), "scale")[0] == "advise"
    # In a person's name.
    got, for_oli, body = verdict(issuer.token(**chained("user:oli", "agent:free", "agent:lead")), "wipe", intent="for oli")
    assert got == "escalate" and body["request"]["behalf"] == "oli" and body["request"]["act"] == ["lead"], body

    # Too deep, unknown, no agent, another issuer's.
    for claims, text in [(chained("agent:lead", "agent:free", "agent:bot", "agent:free", "agent:bot"), "deeper than 3"),
                         (chained("agent:lead", "agent:free", "user:ann"), "must be an agent"),
                         (chained("agent:lead", "user:ann"), "must be an agent"),
                         (chained("agent:ghost", "agent:free"), "must be an agent"),
                         (chained("agent:lead", "agent:ghost"), "must be an agent"),
                         (chained("agent:nobody", "agent:free"), "stands for nobody"),
                         (dict(sub="agent:lead", act={"sub": "agent:free", "iss": "https://else.example"}), "another issuer"),
                         (dict(sub="agent:lead", act=[1]), "act")]:
        says(propose(s, issuer.token(**claims)), 401, text)

    # Nobody in the chain approves, nor who owns one of it; somebody else does.
    def approve(answer, sub):
        text = json.dumps({"digest": answer["digest"], "decision_id": answer["decision_id"]}).encode()
        status, _, text = s.send("POST", f"/v1/approvals/{answer['action_id']}/approve", text, token=issuer.token(sub))
        return status, json.loads(text)

    says(approve(for_oli, "user:oli"), 403, "in oli's name")
    assert approve(for_oli, "user:max")[0] == 200
    # A stop of the delegator covers the delegate.
    assert s.call("POST", "/v1/stops", {"scope": "agent", "name": "lead", "level": "stop", "reason": "look"})[0] in (200, 201)
    got, _, body = verdict(issuer.token(**chained("agent:lead", "agent:free")), "here", intent="stopped")
    assert got == "deny" and body["facts"]["stops"] == ["lead"], body
    assert verdict(issuer.token("agent:free"), "here", intent="not stopped")[0] == "allow"


def mesh(s, bundle, issuer):
    assert propose(s, bundle.token("spiffe://prod.example/agents/bot", kid="s"))[0] == 201
    for token in (bundle.token("spiffe://prod.example/agents/other", kid="s"),
                  bundle.token("spiffe://else.example/agents/bot", kid="s"),
                  issuer.token("agent:bot", key=issuer.keys["a"], kid="s")):
        assert propose(s, token)[0] == 401


def revoked(s, issuer):
    for row in tokens_of(s, "bot"):
        assert s.call("POST", f"/v1/tokens/{row['token_id']}/revoke", {"reason": "lost"})[0] == 200
    says(propose(s, issuer.token("agent:bot")), 401, "revoked")
    assert propose(s, issuer.token("agent:lead"), intent="as lead")[0] == 201
    s.stop()
    # It stands for somebody else now: a new principal, and the old one ends.
    s.config.write_text(s.config.read_text().replace('sub: "agent:lead", agent: lead', 'sub: "agent:lead", agent: free'))
    s.start()
    says(propose(s, issuer.token("agent:bot")), 401, "revoked")
    assert propose(s, issuer.token("agent:lead"), intent="as free")[0] == 201
    ended = [e for e in s.entries(kind="token.revoked") if e["actor"] == "system"]
    assert len(ended) == 1, ended


def with_issuers(pawl):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="pawl-test-keys-"))
    try:
        issuer, bundle = Issuer(folder / "jwks.json"), Issuer(folder / "bundle.json")
        issuer.rotate("a")
        bundle.rotate("s", ec.generate_private_key(ec.SECP256R1()))
        with pawl_server.Server(pawl, POLICY, settings(folder)) as s:
            issued_tokens(s, issuer)
            mesh(s, bundle, issuer)
            models(s, issuer)
            delegation(s, issuer)
            rotation(s, issuer)
            revoked(s, issuer)
    finally:
        shutil.rmtree(folder)


class Address(http.server.ThreadingHTTPServer):
    """An issuer's keys at an address on loopback."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Keys)
        self.status, self.text, self.asked = 200, "", 0


class Keys(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked += 1
        body = self.server.text.encode()
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def with_an_address(pawl):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="pawl-test-keys-"))
    address = Address()
    threading.Thread(target=address.serve_forever, daemon=True).start()
    lines = f"""  identity:
    - name: remote
      issuer: {ISSUER}
      audience: pawl
      jwks_url: http://127.0.0.1:{address.server_address[1]}/keys
      subjects: [{{sub: "agent:bot", agent: bot}}]
"""
    try:
        issuer = Issuer(folder / "jwks.json")
        issuer.rotate("a")
        address.text = issuer.path.read_text()
        with pawl_server.Server(pawl, POLICY, lines) as s:
            s.wait_for(lambda: propose(s, issuer.token("agent:bot"))[0] == 201)
            asked = address.asked
            # Tokens that name unknown keys are refused, and many of them ask no oftener.
            issuer.rotate("b")
            address.text = issuer.path.read_text()
            for _ in range(20):
                assert propose(s, issuer.token("agent:bot", kid="b"))[0] == 401
            assert address.asked == asked, address.asked
            # An answer that is none leaves the keys as they were; a signal asks at once.
            for status, text in ((500, "down"), (200, "{"), (302, "")):
                address.status, good, address.text = status, address.text, text
                before, said = address.asked, s.said().count("the old ones stay")
                s.process.send_signal(signal.SIGHUP)
                s.wait_for(lambda: address.asked > before and s.said().count("the old ones stay") > said)
                assert propose(s, issuer.token("agent:bot"))[0] == 201
                address.status, address.text = 200, good
            s.process.send_signal(signal.SIGHUP)
            s.wait_for(lambda: propose(s, issuer.token("agent:bot", kid="b"))[0] == 201)
    finally:
        address.shutdown()
        address.server_close()
        shutil.rmtree(folder)


def refused_at_start(pawl):
    """Keys that are not there, or that others may write, are no keys to start with."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="pawl-test-keys-"))
    try:
        Issuer(folder / "bundle.json").rotate("s", ec.generate_private_key(ec.SECP256R1()))
        s = pawl_server.Server(pawl, POLICY, settings(folder))
        try:
            for text in ("it can't be read", "group or others may write it"):
                ended = subprocess.run([pawl, "serve", "--config", str(s.config)], capture_output=True, text=True, timeout=60)
                assert ended.returncode != 0 and text in ended.stderr and "company" in ended.stderr, ended
                Issuer(folder / "jwks.json").rotate("a")
                (folder / "jwks.json").chmod(0o620)
        finally:
            s.__exit__(None)
    finally:
        shutil.rmtree(folder)


def main():
    with pawl_server.Server(sys.argv[1], POLICY) as s:
        signed_requests(s)
    with_issuers(sys.argv[1])
    with_an_address(sys.argv[1])
    refused_at_start(sys.argv[1])


if __name__ == "__main__":
    main()
