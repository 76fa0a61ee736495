"""A real server in a folder of its own, and calls to it."""
import http.client
import json
import os
import pathlib
import pty
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Levers:
    """What preloaded.c moves in one server: its wall clock and its disk."""

    def __init__(self, folder):
        self.path = folder / "levers"
        self.path.write_bytes(bytes(16))

    def environment(self, preloaded):
        options = os.environ.get("ASAN_OPTIONS", "")
        return {"LD_PRELOAD": str(preloaded), "PAWL_TEST_LEVERS": str(self.path),
                "ASAN_OPTIONS": options + ":verify_asan_link_order=0"}

    def set(self, at, number):
        with open(self.path, "r+b") as file:
            file.seek(at)
            file.write(struct.pack("=q", number))

    def add_ms(self, number):
        self.set(0, number)

    def hang(self, does):
        self.set(8, 1 if does else 0)


class Server:
    """Made, started, and ended with its folder. server: more lines of its `server:` settings."""

    def __init__(self, pawl, policy, server=""):
        self.pawl = pawl
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="pawl-test-"))
        self.port = free_port()
        self.process = None
        self.extra = {}  # of the server's environment
        self.tokens = {}
        self.config = self.folder / "pawl.yaml"
        self.config.write_text(
            f"server:\n  listen: 127.0.0.1:{self.port}\n  data: {self.folder}/data\n"
            "  rate_per_s: 10000\n  burst: 10000\n  sli_bucket: 100ms\n" + server + policy)
        self.config.chmod(0o600)
        made = self.command("init", "--data", str(self.folder / "data"), "--admin", "root", token=None)
        assert made.returncode == 0, made.stderr
        self.tokens["admin"] = made.stdout.strip()

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def __exit__(self, error, *_):
        try:
            if error is None:
                self.stop()
        finally:
            self.kill()
            shutil.rmtree(self.folder)

    def start(self):
        self.log = open(self.folder / "server.log", "ab")
        self.process = subprocess.Popen([self.pawl, "serve", "--config", str(self.config)],
                                        stdout=self.log, stderr=self.log, env={**os.environ, **self.extra})
        for _ in range(200):
            try:
                if self.call("GET", "/healthz", token=None)[0] == 200:
                    return
            except OSError:
                time.sleep(0.05)
            assert self.process.poll() is None, (self.folder / "server.log").read_text()
        raise AssertionError("the server does not answer")

    def stop(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            assert self.process.wait(20) == 0, (self.folder / "server.log").read_text()
            self.process = None
            self.log.close()

    def kill(self):
        """Ends it as a crash would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(20)
            self.process = None
            self.log.close()

    def said(self):
        """What the server has logged so far."""
        return (self.folder / "server.log").read_text()

    def send(self, method, path, body=b"", token="admin", headers=None):
        """One request as it is; status, headers and bytes of the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            given = {"Content-Type": "application/json"} if body else {}
            if token is not None:
                given["Authorization"] = "Bearer " + self.tokens.get(token, token)
            connection.request(method, path, body, {**given, **(headers or {})})
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def call(self, method, path, body=None, token="admin"):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        headers = {}
        if token is not None:
            headers["Authorization"] = "Bearer " + self.tokens[token]
        if body is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(body)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        is_json = "json" in (answer.getheader("Content-Type") or "")
        return answer.status, json.loads(text) if is_json else text

    def token(self, name, **order):
        status, answer = self.call("POST", "/v1/tokens", order)
        assert status == 201, answer
        self.tokens[name] = answer["token"]

    def environment(self, token, extra=None):
        env = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "PAWL_URL": f"http://127.0.0.1:{self.port}",
               "XDG_STATE_HOME": str(self.folder / "state"), "TMPDIR": str(self.folder), "LANG": "C.UTF-8"}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"):
            if name in os.environ:
                env[name] = os.environ[name]
        if token is not None:
            env["PAWL_TOKEN"] = self.tokens[token]
        env.update(extra or {})
        return env

    def command(self, *words, token="admin", extra=None, stdin=None, cwd=None):
        """pawl with these words, to its end."""
        return subprocess.run([self.pawl, *words], env=self.environment(token, extra), input=stdin,
                              capture_output=True, text=True, timeout=60, cwd=cwd)

    def begin(self, *words, token="admin", extra=None):
        """pawl with these words, in the background."""
        return subprocess.Popen([self.pawl, *words], env=self.environment(token, extra), text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def terminal(self, token, answer, *words, extra=None):
        """pawl on a terminal of its own, where answer is typed when it asks: its exit code and all it printed."""
        pid, fd = pty.fork()
        if pid == 0:
            os.execve(self.pawl, [self.pawl, *words],
                      self.environment(token, {"NO_COLOR": "1", "TERM": "xterm", **(extra or {})}))
        out = b""
        while True:
            try:
                piece = os.read(fd, 65536)
            except OSError:
                break
            out += piece
            if answer and out.endswith(b"Type yes: "):
                os.write(fd, answer)
                answer = None
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        os.close(fd)
        return code, out.decode().replace("\r\n", "\n")

    def wait_for(self, what, seconds=15):
        """What what() gives, once it is true."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            found = what()
            if found:
                return found
            time.sleep(0.05)
        raise AssertionError("waited in vain; server log:\n" + (self.folder / "server.log").read_text())

    def approvals(self):
        status, answer = self.call("GET", "/v1/approvals")
        assert status == 200, (status, answer)
        return answer["items"]

    def entries(self, after=0, **query):
        """The ledger's entries from after on that fit."""
        found = []
        while True:
            path = f"/v1/ledger?limit=1000&after={after}" + "".join(f"&{k}={v}" for k, v in query.items())
            status, page = self.call("GET", path)
            assert status == 200, page
            found += page["items"]
            after = page["next"]
            if not page["more"]:
                return found
