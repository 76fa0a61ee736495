#!/usr/bin/env python3
"""Who calls: signed requests and tokens of issuers, made here and checked by the real server."""
import base64
import hashlib
import json
import os
import sys
import time

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

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
    - {{name: team/helper, owner: ann, tier: autonomous, keys: [{{id: k1, public: {url64(raw(K2))}}}]}}
  tools:
    - {{name: wipe, class: destructive}}
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


def main():
    with pawl_server.Server(sys.argv[1], POLICY) as s:
        signed_requests(s)


if __name__ == "__main__":
    main()
