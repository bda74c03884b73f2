"""Real processes under test: started with a log file, waited for by condition, ended by their own pid."""
import itertools
import os
import random
import signal
import socket
import subprocess
from pathlib import Path

from waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
STOP_S = 35  # a drain is allowed 30
PORTS = range(10_000, 32_000)  # below those that the kernel gives to whoever names none
_numbers, _given = itertools.count(1), set()


def binary():
    path = Path(os.environ.get("CONNECTORD_BIN") or ROOT / "build/dev/connectord")
    assert path.exists(), f"{path} is missing: build it (cmake --preset dev && ninja -C build/dev) or set CONNECTORD_BIN"
    return str(path.resolve())


def clean_environment(**extra):
    """The environment without what a developer's shell may hold for connectord or AWS; nobody's instance metadata is asked."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("CONNECTORD_", "AWS_", "PG", "NOTIFY_SOCKET"))}
    kept["AWS_EC2_METADATA_DISABLED"] = "true"
    kept.update({k: str(v) for k, v in extra.items() if v is not None})
    return kept


def free_port():
    """A port that nobody has, which is given once and which no connection or listener without a port of its own can get meanwhile."""
    while True:
        port = random.choice(PORTS)
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in _given:
            _given.add(port)
            return port


class Process:
    """One child. Its output goes to `log`; `stop` asks and insists, `kill` does not ask."""

    def __init__(self, argv, env, directory, name, stdout=None):
        self.name = f"{name}-{next(_numbers)}"
        self.log = Path(directory) / f"{self.name}.log"
        with open(self.log, "ab") as log:
            self.popen = subprocess.Popen(argv, env=env, stdin=subprocess.DEVNULL, stdout=stdout or log, stderr=log,
                                          cwd=directory)
        self.pid = self.popen.pid

    @property
    def alive(self):
        return self.popen.poll() is None

    @property
    def returncode(self):
        return self.popen.poll()

    def text(self):
        return self.log.read_text(errors="replace")

    def tail(self, lines=30):
        return "\n".join(self.text().splitlines()[-lines:])

    def sanitizer_reports(self):
        """What a build with sanitizers said; an ordinary build says nothing of the kind."""
        lines = self.text().splitlines()
        marks = ("AddressSanitizer", "LeakSanitizer", "ThreadSanitizer", "runtime error:")
        return ["\n".join(lines[i:i + 25]) for i, line in enumerate(lines) if any(mark in line for mark in marks)][:3]

    def wait_for(self, condition, what, within=30.0):
        """wait_until that fails at once, with the log, when the process ends."""
        def check():
            assert self.alive, f"{self.name} ended with {self.returncode} before: {what}\n{self.tail()}"
            return condition()
        return wait_until(check, lambda: f"{self.name}: {what}\n{self.tail()}", within)

    def wait_log(self, fragment, within=30.0):
        return self.wait_for(lambda: fragment in self.text(), f"log says {fragment!r}", within)

    def wait_exit(self, within=STOP_S):
        try:
            return self.popen.wait(within)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} still runs after {within} s\n{self.tail()}") from None

    def signal(self, number):
        self.popen.send_signal(number)

    def stop(self, within=STOP_S):
        """SIGTERM and wait; returns the exit code."""
        if self.alive:
            self.popen.terminate()
        return self.wait_exit(within)

    def kill(self):
        """SIGKILL, as a power cut would; returns when the process is gone."""
        if self.alive:
            self.popen.send_signal(signal.SIGKILL)
        return self.popen.wait(STOP_S)

    def end(self):
        """For fixtures: gone at any rate."""
        if self.alive:
            self.popen.terminate()
            try:
                self.popen.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self.kill()


def run(argv, within=60, env=None, **kwargs):
    """Runs a command to its end; returns CompletedProcess with text output."""
    return subprocess.run(argv, env=env if env is not None else clean_environment(), stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=within, **kwargs)
