"""A wire between server and PostgreSQL that is cut at a chosen answer: what a lost connection looks like from inside."""
import os
import socket
import tempfile
import threading
from pathlib import Path


class Cutter:
    """A Unix socket that passes bytes to the real one. `arm(answer, deliver)` cuts every connection when PostgreSQL says
    `answer`, after passing it on or instead; from then on nobody is let through until `mend()`. `silent` lets connections in
    and answers nothing, as a firewall that drops packets does."""

    def __init__(self, cluster):
        self.real = os.path.join(cluster.socket_dir, ".s.PGSQL.5432")
        self.directory = tempfile.mkdtemp(prefix="ccut-", dir="/tmp")
        self.path = os.path.join(self.directory, ".s.PGSQL.5432")
        self.armed, self.deliver, self.is_cut, self.silent = None, False, False, False
        self.cuts, self.sent = 0, 0  # how often it was cut; how often the server sent something
        self.open, self.lock = [], threading.Lock()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(64)
        os.chmod(self.directory, 0o755)
        os.chmod(self.path, 0o777)
        threading.Thread(target=self._accept, daemon=True).start()

    def url(self, database, role="connectord_app"):
        return f"host={self.directory} dbname={database.name} user={role}"

    def arm(self, answer, deliver):
        self.armed, self.deliver, self.is_cut = answer, deliver, False

    def cut(self):
        with self.lock:
            self.is_cut, self.armed = True, None
            self.cuts += 1
            for one in self.open:
                try:
                    one.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
            self.open.clear()

    def mend(self):
        self.is_cut, self.silent, self.armed = False, False, None

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            if self.silent:
                with self.lock:
                    self.open.append(client)
                continue
            if self.is_cut:
                client.close()
                continue
            server = socket.socket(socket.AF_UNIX)
            server.connect(self.real)
            with self.lock:
                self.open += [client, server]
            threading.Thread(target=self._pass, args=(client, server, False), daemon=True).start()
            threading.Thread(target=self._pass, args=(server, client, True), daemon=True).start()

    def _pass(self, source, target, answers):
        try:
            while data := source.recv(65536):
                if self.silent:
                    continue
                self.sent += not answers
                hit = answers and self.armed is not None and self.armed in data
                if not hit or self.deliver:
                    target.sendall(data)
                if hit:
                    self.cut()
                    return
        except OSError:
            pass
        finally:
            for one in (source, target):
                try:
                    one.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def end(self):
        self.cut()
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        Path(self.path).unlink(missing_ok=True)
        os.rmdir(self.directory)
