"""A process under strace: what it wrote and where it connected to, in the kernel's words. The pid is the process's own."""
import re
from pathlib import Path

CALLS = "write,writev,pwrite64,sendto,sendmsg,sendmmsg,connect"
LINE = re.compile(r"^\d+ +(?:<\.\.\. )?(\w+)")
INET = re.compile(r'sin6?_port=htons\((\d+)\).*?"([^"]+)"')
UNIX = re.compile(r'sun_path=(@?"[^"]*")')


class Trace:
    """`under` goes before the process's own arguments."""

    def __init__(self, directory, name):
        self.file = Path(directory) / f"{name}.strace"
        # -D: strace is not the parent, so that signals, exit codes and the pid are what they would be without it.
        self.under = ["strace", "-D", "-f", "--seccomp-bpf", "-qq", "-yy", "-s", "65536", "-e", f"trace={CALLS}", "-e", "signal=none", "-o", str(self.file)]

    def lines(self):
        return self.file.read_text(errors="replace").splitlines()

    def writes(self, but=()):
        """Every call that wrote, apart from those to a place that is named in one of `but`."""
        return [line for line in self.lines() if (LINE.match(line) or [""] * 2)[1] not in ("", "connect") and not any(place in line.split(">, ")[0] for place in but)]

    def connected(self):
        """Addresses as "127.0.0.1:80" or a socket's path."""
        places = set()
        for line in self.lines():
            if (LINE.match(line) or [""] * 2)[1] != "connect" or "resumed>" in line:
                continue
            inet, local = INET.search(line), UNIX.search(line)
            assert inet or local, line
            places.add(f"{inet[2]}:{inet[1]}" if inet else local[1].strip('"'))
        return places
