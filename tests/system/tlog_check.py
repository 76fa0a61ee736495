#!/usr/bin/env python3
"""Checks a transparency log from outside: python3's standard library, no code of the program.

    tlog_check.py PREFIX VKEY [--old FILE] [--receipt FILE]...

PREFIX is a folder or an http(s):// address, below which lie checkpoint and tile/...; VKEY is the log's
verifier key. Checks the checkpoint's signature; that every hash tile is the roots of the tiles below
it, that level 0 is the hashes of the entries, that the whole comes to the signed root; an inclusion
proof of some entries, made from the tiles; with --old that the log still begins with what an older
checkpoint vouched for; with --receipt an offline receipt. Exit 0 and one line when all holds, else 1.

Written from RFC 6962, RFC 9162 section 2.1, RFC 8032 and c2sp.org's tlog-tiles, tlog-checkpoint,
signed-note and tlog-proof.
"""
import argparse
import base64
import hashlib
import json
import os
import sys
import urllib.error
import urllib.request

WIDTH = 256
TOKEN = os.environ.get("PAWL_TOKEN")


class Bad(Exception):
    pass


def need(condition, text):
    if not condition:
        raise Bad(text)


# --- Ed25519 (RFC 8032 section 5.1) ---------------------------------------------------------------

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


def point_add(a, b):
    e, f = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    g, h = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = f - e, h - g, h + g, f + e
    return e * f % P, g * h % P, f * g % P, e * h % P


def point_multiply(n, point):
    result = (0, 1, 1, 0)
    while n:
        if n & 1:
            result = point_add(result, point)
        point = point_add(point, point)
        n >>= 1
    return result


def point_decode(data):
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    need(y < P, "point out of range")
    xx = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(xx, (P + 3) // 8, P)
    if (x * x - xx) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    need((x * x - xx) % P == 0 and not (x == 0 and sign), "not a point")
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


def point_equal(a, b):
    return (a[0] * b[2] - b[0] * a[2]) % P == 0 and (a[1] * b[2] - b[1] * a[2]) % P == 0


BASE = point_decode((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def ed25519_verify(key, message, signature):
    try:
        a, r = point_decode(key), point_decode(signature[:32])
    except Bad:
        return False
    s = int.from_bytes(signature[32:], "little")
    k = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
    return s < L and point_equal(point_multiply(s, BASE), point_add(r, point_multiply(k, a)))


# --- signed notes -------------------------------------------------------------------------------------


class Key:
    def __init__(self, vkey):
        self.name, key_id, data = vkey.split("+", 2)
        data = base64.b64decode(data, validate=True)
        need(len(data) == 33 and data[0] == 1, "the verifier key is not Ed25519")
        self.id, self.public = bytes.fromhex(key_id), data[1:]
        want = hashlib.sha256(self.name.encode() + b"\n" + data).digest()[:4]
        need(self.id == want, "the verifier key's id does not belong to its key")


def open_checkpoint(note, key):
    """(size, root) of a checkpoint that key has signed."""
    text, blank, lines = note.decode().rpartition("\n\n")
    need(blank and lines.endswith("\n"), "the checkpoint is not a signed note")
    text += "\n"
    good = 0
    for line in lines[:-1].split("\n"):
        dash, name, data = line.split(" ")
        data = base64.b64decode(data, validate=True)
        need(dash == "\u2014" and len(data) > 4, "malformed signature line")
        if name == key.name and data[:4] == key.id:
            need(ed25519_verify(key.public, text.encode(), data[4:]), "the checkpoint's signature is wrong")
            good += 1
    need(good, "the checkpoint has no signature by " + key.name)
    origin, size, root = text.split("\n")[:3]
    need(origin == key.name, "the checkpoint is of another log")
    need(str(int(size)) == size, "malformed size")
    root = base64.b64decode(root, validate=True)
    need(len(root) == 32, "malformed root")
    return int(size), root


# --- tiles ----------------------------------------------------------------------------------------------


def leaf_hash(entry):
    return hashlib.sha256(b"\0" + entry).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def tree_root(hashes):
    """RFC 6962 section 2.1 word for word, over hashes of leaves or of equal perfect subtrees."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    return node_hash(tree_root(hashes[:k]), tree_root(hashes[k:]))


def tile_path(level, index, width):
    text = "%03d" % (index % 1000)
    while index >= 1000:
        index //= 1000
        text = "x%03d/%s" % (index % 1000, text)
    return "tile/%s/%s%s" % (level, text, "" if width == WIDTH else ".p/%d" % width)


class Log:
    def __init__(self, prefix):
        self.prefix = prefix.rstrip("/")
        self.fetched = 0

    def read(self, path, optional=False):
        where = self.prefix + "/" + path
        try:
            if where.startswith(("http://", "https://")):
                headers = {"Authorization": "Bearer " + TOKEN} if TOKEN else {}
                with urllib.request.urlopen(urllib.request.Request(where, headers=headers), timeout=30) as reply:
                    data = reply.read()
            else:
                with open(where, "rb") as file:
                    data = file.read()
        except (OSError, urllib.error.URLError) as error:
            need(optional, "%s: %s" % (where, error))
            return None
        self.fetched += 1
        return data

    def widths(self, level, size):
        """(index, width) of the tiles of a level in a tree of that size."""
        hashes = size >> 8 * level
        return [(i, min(WIDTH, hashes - i * WIDTH)) for i in range((hashes + WIDTH - 1) // WIDTH)]

    def tile(self, level, index, width):
        data = self.read(tile_path(level, index, width))
        need(len(data) == 32 * width, "%s has %d bytes" % (tile_path(level, index, width), len(data)))
        return [data[i:i + 32] for i in range(0, len(data), 32)]

    def entries(self, index, width):
        """The entries of a bundle, or None when the log does not serve them."""
        data = self.read(tile_path("entries", index, width), optional=True)
        if data is None:
            return None
        found = []
        while data:
            size = int.from_bytes(data[:2], "big")
            need(len(data) >= 2 + size, "an entry bundle ends early")
            found.append(data[2:2 + size])
            data = data[2 + size:]
        need(len(found) == width, "an entry bundle has %d entries, not %d" % (len(found), width))
        return found


def check_tree(log, size, root):
    """Every tile from the bottom to the top; gives the leaf hashes and the number of entries seen."""
    levels, seen = [], 0
    level = 0
    while size >> 8 * level:
        hashes = []
        for index, width in log.widths(level, size):
            tile = log.tile(level, index, width)
            if level == 0:
                entries = log.entries(index, width)
                if entries is not None:
                    need([leaf_hash(e) for e in entries] == tile, "entries of tile %d are not its hashes" % index)
                    check_seqs(entries, index * WIDTH)
                    seen += width
            else:
                below = levels[level - 1][index * WIDTH * WIDTH:(index * WIDTH + width) * WIDTH]
                want = [tree_root(below[i:i + WIDTH]) for i in range(0, len(below), WIDTH)]
                need(want == tile, "tile %d/%d is not the roots of the tiles below" % (level, index))
            hashes += tile
        levels.append(hashes)
        level += 1
    leaves = levels[0] if levels else []
    need(tree_root(leaves) == root, "the tiles do not come to the signed root")
    return leaves, seen


def check_seqs(entries, first):
    for i, entry in enumerate(entries):
        need(json.loads(entry)["seq"] == first + i, "entry %d says another seq" % (first + i))


# --- proofs (RFC 9162 section 2.1.3) ------------------------------------------------------------------------


def inclusion_path(leaves, index):
    if len(leaves) <= 1:
        return []
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if index < k:
        return inclusion_path(leaves[:k], index) + [tree_root(leaves[k:])]
    return inclusion_path(leaves[k:], index - k) + [tree_root(leaves[:k])]


def includes(path, leaf, index, size, root):
    fn, sn, r = index, size - 1, leaf
    for p in path:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            r = node_hash(p, r)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = node_hash(r, p)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and r == root


def check_receipt(data, key):
    """An entry's receipt by itself: its note, its proof, and the body when it is along."""
    head, blank, note = data.partition(b"\n\n")
    need(blank, "the receipt has no checkpoint")
    lines = head.decode().split("\n")
    need(lines.pop(0) == "c2sp.org/tlog-proof@v1", "not a tlog-proof")
    need(lines and lines[0].startswith("extra "), "the receipt carries no entry")
    extra = json.loads(base64.b64decode(lines.pop(0)[6:], validate=True))
    need(lines and lines[0].startswith("index "), "the receipt has no index")
    index = int(lines.pop(0)[6:])
    path = [base64.b64decode(line, validate=True) for line in lines]
    size, root = open_checkpoint(note, key)
    header = extra["header"].encode()
    need(index < size and includes(path, leaf_hash(header), index, size, root), "the receipt proves nothing")
    need(json.loads(header)["seq"] == index, "the receipt is of another entry")
    if extra.get("body"):
        salted = bytes.fromhex(extra["salt"]) + extra["body"].encode()
        digest = "sha256:" + hashlib.sha256(salted).hexdigest()
        need(json.loads(header)["body_digest"] == digest, "the receipt's body is not the sealed one")
    return index


# --- the whole ----------------------------------------------------------------------------------------------


def check(arguments):
    key = Key(arguments.vkey)
    log = Log(arguments.prefix)
    size, root = open_checkpoint(log.read("checkpoint"), key)
    leaves, seen = check_tree(log, size, root)
    for index in sorted({0, size // 3, size // 2, size - 1} if size else set()):
        need(includes(inclusion_path(leaves, index), leaves[index], index, size, root), "no inclusion of %d" % index)
    if arguments.old:
        with open(arguments.old, "rb") as file:
            old_size, old_root = open_checkpoint(file.read(), key)
        need(old_size <= size, "the log has shrunk from %d to %d" % (old_size, size))
        need(tree_root(leaves[:old_size]) == old_root, "the log's first %d entries have changed" % old_size)
    for name in arguments.receipt:
        with open(name, "rb") as file:
            check_receipt(file.read(), key)
    print("%s: %d entries (%d of them read), %d files, %d receipts: all as signed" %
          (key.name, size, seen, log.fetched, len(arguments.receipt)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("prefix")
    parser.add_argument("vkey")
    parser.add_argument("--old")
    parser.add_argument("--receipt", action="append", default=[])
    try:
        check(parser.parse_args())
    except (Bad, ValueError, KeyError, IndexError) as error:
        print("tlog_check: %s" % error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
