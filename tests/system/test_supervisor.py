#!/usr/bin/env python3
"""What the service manager is told, and the unit that it is told by."""
import pathlib
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import threading

import pawl_server

UNIT = pathlib.Path(__file__).resolve().parents[2] / "examples/systemd/pawl.service"
POLICY = "\npolicy: {agents: [{name: bot, owner: alice}]}\n"


class Manager:
    """The socket of a service manager: a file in the server's folder, or a name without one."""

    def __init__(self, s, abstract):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.name = f"@pawl-test-{s.port}" if abstract else str(s.folder / "notify")
        self.socket.bind(self.name.replace("@", "\0") if abstract else self.name)
        self.socket.settimeout(20)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def next(self):
        return self.socket.recv(4096).decode().split("\n")

    def hears(self, wanted, times=300):
        """Once it comes, among the signs of life before it."""
        said = None
        for _ in range(times):
            said = self.next()
            if said == wanted:
                return
        raise AssertionError(f"waited in vain for {wanted}, the last was {said}")

    def is_silent(self, seconds):
        self.socket.settimeout(seconds)
        try:
            said = self.next()
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(20)
        return said


def serve(s, manager, **watchdog):
    """The server as a service manager starts it; it has said nothing yet."""
    extra = {"NOTIFY_SOCKET": manager.name, **watchdog}
    s.log = open(s.folder / "server.log", "ab")
    s.process = subprocess.Popen([s.pawl, "serve", "--config", str(s.config)], stdout=s.log, stderr=s.log,
                                 env=s.environment(None, extra))


def ready_when_it_listens(s, manager):
    serve(s, manager)
    assert manager.next() == ["READY=1"]
    assert s.call("GET", "/healthz", token=None)[0] == 200, "ready means that it answers"
    assert manager.is_silent(0.3) is True, "nobody asked for signs of life"
    s.process.send_signal(signal.SIGTERM)
    assert manager.next() == ["STOPPING=1"]
    assert s.process.wait(20) == 0


def never_ready_when_it_fails(s, manager):
    good = s.config.read_text()
    s.config.write_text(good + "nonsense: 1\n")
    serve(s, manager)
    assert s.process.wait(20) == 1
    assert manager.is_silent(0.2) is True
    s.config.write_text(good)


def signs_of_life(s, manager):
    serve(s, manager, WATCHDOG_USEC="200000")
    assert manager.next() == ["READY=1"]
    for _ in range(5):
        said = manager.next()
        assert said == ["WATCHDOG=1", "STATUS=deciding"], said
    s.process.send_signal(signal.SIGSTOP)  # what does not run gives none
    while manager.is_silent(1.0) is not True:
        pass
    s.process.send_signal(signal.SIGCONT)
    assert manager.next()[0] == "WATCHDOG=1"
    s.kill()


def another_is_watched(s, manager):
    """WATCHDOG_PID names the process that is meant; what is no number is no watchdog."""
    for watchdog in ({"WATCHDOG_USEC": "100000", "WATCHDOG_PID": "1"}, {"WATCHDOG_USEC": "soon"},
                     {"WATCHDOG_USEC": "-5"}, {"WATCHDOG_USEC": "0"}):
        serve(s, manager, **watchdog)
        assert manager.next() == ["READY=1"]
        assert manager.is_silent(0.3) is True, watchdog
        s.kill()


def no_life_while_nothing_becomes_durable(s, manager):
    """The loop turns and the disk hangs: that is what a watchdog is for."""
    levers = pawl_server.Levers(s.folder)
    serve(s, manager, WATCHDOG_USEC="400000", **levers.environment(s.preloaded))
    assert manager.next() == ["READY=1"]
    assert manager.next()[0] == "WATCHDOG=1"
    levers.hang(True)
    stop = threading.Thread(target=lambda: s.call("POST", "/v1/stops", {"scope": "agent", "name": "bot"}))
    stop.start()
    while manager.is_silent(2.0) is not True:
        pass
    assert s.send("GET", "/healthz", token=None)[0] == 200, "the loop itself is well"
    levers.hang(False)
    stop.join()
    assert manager.next()[0] == "WATCHDOG=1"
    s.kill()


def a_full_disk_is_not_death(s, manager):
    """A restart makes no room: it lives, and says what is wrong."""
    serve(s, manager, WATCHDOG_USEC="200000")
    assert manager.next() == ["READY=1"]
    resource.prlimit(s.process.pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
    status, stop = s.call("POST", "/v1/stops", {"scope": "agent", "name": "bot"})
    assert status == 202 and stop["durable"] is False, "a stop is in force, whatever the disk says"
    manager.hears(["WATCHDOG=1", "STATUS=the disk is full: decisions are refused"])
    resource.prlimit(s.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    manager.hears(["WATCHDOG=1", "STATUS=deciding"])
    assert len(s.entries(kind="stop.set")) == 1, "what could not be written is written once there is room"
    s.kill()


def a_manager_that_is_gone(s, manager):
    manager.socket.close()
    serve(s, manager, WATCHDOG_USEC="100000")
    s.wait_for(lambda: "listening" in s.said())
    assert s.call("GET", "/healthz", token=None)[0] == 200
    s.process.send_signal(signal.SIGTERM)
    assert s.process.wait(20) == 0


def a_socket_that_can_not_be(s, _):
    for name in ("relative", "/" + "x" * 200, "@", ""):
        s.log = open(s.folder / "server.log", "wb")
        s.process = subprocess.Popen([s.pawl, "serve", "--config", str(s.config)], stdout=s.log, stderr=s.log,
                                     env=s.environment(None, {"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "100000"}))
        s.wait_for(lambda: "listening" in s.said())
        s.stop()


# --- the unit -------------------------------------------------------------------------------------------------

def unit_lines():
    return [line for line in UNIT.read_text().splitlines() if line and not line.startswith("#")]


def the_unit(pawl, folder):
    lines = unit_lines()
    for needed in ("Type=notify", "WatchdogSec=20s", "NoNewPrivileges=yes", "ProtectSystem=strict", "User=pawl",
                   "CapabilityBoundingSet=", "MemoryDenyWriteExecute=yes", "StateDirectoryMode=0700"):
        assert needed in lines, needed
    started = next(line for line in lines if line.startswith("ExecStart=")).split("=", 1)[1].split()
    assert started == ["/usr/bin/pawl", "serve", "--config", "/etc/pawl/pawl.yaml"], started
    sections = [line for line in lines if line.startswith("[")]
    assert sections == ["[Unit]", "[Service]", "[Install]"], sections
    assert all(re.fullmatch(r"\[\w+\]|[A-Z]\w+=.*", line) for line in lines)
    if shutil.which("systemd-analyze") is None:
        print("no systemd-analyze: the unit is not verified by it")
        return
    copy = folder / "pawl.service"
    copy.write_text(UNIT.read_text().replace("/usr/bin/pawl serve", f"{pathlib.Path(pawl).resolve()} serve"))
    verified = subprocess.run(["systemd-analyze", "verify", "--man=no", str(copy)], capture_output=True, text=True)
    assert verified.returncode == 0 and verified.stderr == "", verified.stderr
    exposed = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=15", str(copy)],
                             capture_output=True, text=True)
    assert exposed.returncode == 0, exposed.stdout


SCENES = [ready_when_it_listens, never_ready_when_it_fails, signs_of_life, another_is_watched,
          no_life_while_nothing_becomes_durable, a_full_disk_is_not_death,
          a_manager_that_is_gone, a_socket_that_can_not_be]


def main(pawl, preloaded):
    for abstract in (False, True):
        for scene in SCENES:
            print(scene.__name__, "abstract" if abstract else "", flush=True)
            s = pawl_server.Server(pawl, POLICY)
            s.preloaded = preloaded
            try:
                with Manager(s, abstract) as manager:
                    scene(s, manager)
            finally:
                s.kill()
                shutil.rmtree(s.folder)
    s = pawl_server.Server(pawl, POLICY)
    the_unit(pawl, s.folder)
    shutil.rmtree(s.folder)


if __name__ == "__main__":
    main(*sys.argv[1:3])
