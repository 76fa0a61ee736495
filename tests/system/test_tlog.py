#!/usr/bin/env python3
"""The written log under the eyes of an independent verifier, as files and over HTTP.

    test_tlog.py TLOG_EXPORT    the program that writes a log and lays it out
"""
import functools
import http.server
import os
import shutil
import subprocess
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))


def verify(prefix, vkey, *more):
    command = [sys.executable, os.path.join(HERE, "tlog_check.py"), prefix, vkey, *more]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, "no_proxy": "*"})


def expect_good(prefix, vkey, text, *more):
    result = verify(prefix, vkey, *more)
    assert result.returncode == 0 and text in result.stdout, (prefix, more, result)


def expect_bad(prefix, vkey, text, *more):
    result = verify(prefix, vkey, *more)
    assert result.returncode == 1 and text in result.stderr, (prefix, more, result)


def flipped(path, at=5):
    """The file with one bit turned over; gives what puts it back."""
    with open(path, "rb") as file:
        data = bytearray(file.read())
    old = bytes(data)
    data[at] ^= 1
    with open(path, "wb") as file:
        file.write(data)
    return functools.partial(restore, path, old)


def restore(path, data):
    with open(path, "wb") as file:
        file.write(data)


def check_sizes(export, folder, sizes):
    vkey = subprocess.run([export, folder, *map(str, sizes)], check=True, capture_output=True, text=True).stdout.strip()
    receipt = os.path.join(folder, "receipt")
    expect_good(folder, vkey, ": %d entries (%d of them read)" % (sizes[-1], sizes[-1]), "--receipt", receipt)
    for size in sizes:
        expect_good(folder, vkey, "all as signed", "--old", os.path.join(folder, "checkpoint.%d" % size))
    return vkey


def check_damage(folder, vkey):
    """Every kind of file, spoiled, is seen."""
    cases = [
        ("tile/0/000", 5, "entries of tile 0 are not its hashes"),
        ("tile/entries/000", 60, "entries of tile 0 are not its hashes"),
        ("tile/entries/000", 0, "an entry bundle"),
        ("tile/0/002.p/88", 2800, "entries of tile 2 are not its hashes"),
        ("tile/1/000.p/2", 33, "tile 1/0 is not the roots of the tiles below"),
        ("checkpoint", 21, "the checkpoint's signature is wrong"),
    ]
    for name, at, text in cases:
        back = flipped(os.path.join(folder, name), at)
        expect_bad(folder, vkey, text)
        back()
    receipt = os.path.join(folder, "receipt")
    with open(receipt, "rb") as file:
        at = file.read().index(b"\n", 40) - 10
    back = flipped(receipt, at)
    assert verify(folder, vkey, "--receipt", receipt).returncode == 1
    back()
    os.rename(os.path.join(folder, "tile/0/001"), os.path.join(folder, "away"))
    expect_bad(folder, vkey, "No such file")
    os.rename(os.path.join(folder, "away"), os.path.join(folder, "tile/0/001"))
    expect_good(folder, vkey, "all as signed", "--receipt", receipt)


def check_forks(export, folder, vkey):
    """An older checkpoint of this log holds; one of another log under the same key does not."""
    other = os.path.join(folder, "other")
    os.mkdir(other)
    subprocess.run([export, other, "10"], check=True, capture_output=True)
    expect_bad(other, vkey, "the log has shrunk from 600 to 10", "--old", os.path.join(folder, "checkpoint"))


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def check_http(folder, vkey):
    handler = functools.partial(Quiet, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        prefix = "http://127.0.0.1:%d/" % server.server_address[1]
        expect_good(prefix, vkey, "600 entries (600 of them read)")
        shutil.rmtree(os.path.join(folder, "tile/entries"))  # hash tiles alone will do
        expect_good(prefix, vkey, "600 entries (0 of them read)")
        server.shutdown()


def main():
    export = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as root:
        folders = [os.path.join(root, name) for name in "abc"]
        for folder in folders:
            os.mkdir(folder)
        check_sizes(export, folders[0], [1, 2, 255, 256, 257])
        vkey = check_sizes(export, folders[1], [3, 600])
        check_damage(folders[1], vkey)
        check_forks(export, folders[1], vkey)
        check_http(folders[1], vkey)
        check_sizes(export, folders[2], [65535, 65836])
    print("tlog: written, verified, spoiled and refused")


if __name__ == "__main__":
    main()
