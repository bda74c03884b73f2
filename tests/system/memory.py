"""The memory of a running process, read as a debugger that may do everything would write it down, and what lies where in it.

A secret is looked for by pieces of 16 characters, so that a freed block whose head was written over shows as well."""
import array
import base64
import itertools
import re

PIECE, PAGE = 16, 4096
THERE = 3 << 62  # in pagemap: in memory, or swapped out
HEAD = re.compile(rb"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \d+ *(.*)")


class Mapping:
    def __init__(self, head):
        self.start, self.end = int(head[1], 16), int(head[2], 16)
        self.name = head[4].decode() or "anonymous"
        self.anonymous, self.guarded = 0, False

    def note(self, line):
        name, _, value = line.partition(b":")
        if name in (b"Anonymous", b"Swap"):
            self.anonymous += int(value.split()[0])
        elif name == b"VmFlags":
            self.guarded = b"dd" in value.split()  # MADV_DONTDUMP: libsodium's guarded memory; no core file has it


def mappings(pid):
    """What the process wrote itself; pages that only mirror a file hold what the file holds."""
    found = []
    with open(f"/proc/{pid}/smaps", "rb") as lines:
        for line in lines:
            head = HEAD.match(line)
            if head:
                found.append(Mapping(head))
            else:
                found[-1].note(line)
    return [m for m in found if m.anonymous]


def touched(pid, mapping):
    """(start, length) of the runs of pages that hold something: most of a heap or a stack was never written."""
    entries = array.array("Q")
    with open(f"/proc/{pid}/pagemap", "rb") as pagemap:
        pagemap.seek(mapping.start // PAGE * entries.itemsize)
        entries.frombytes(pagemap.read((mapping.end - mapping.start) // PAGE * entries.itemsize))
    at = mapping.start
    for there, run in itertools.groupby(entries, lambda entry: bool(entry & THERE)):
        length = len(list(run)) * PAGE
        if there:
            yield at, length
        at += length


def content(pid, mapping):
    """What lies there; pieces of an address space that ended meanwhile are gone."""
    parts = []
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for start, length in touched(pid, mapping):
            try:
                memory.seek(start)
                parts.append(memory.read(length))
            except OSError:
                continue
    return b"".join(parts)


def pieces(secret):
    """What must not lie in memory: 16 bytes of the secret from its start, its middle or its end, as text and as what it encodes."""
    key = re.fullmatch("[a-z]+_[a-z]+_[0-9a-f]{32}_([0-9a-f]{64})_[0-9a-f]{8}", secret)
    if key:  # what precedes its secret part names it and is no secret
        secret = key[1]
    if secret.count(".") == 2:  # a JWT: its signature
        secret = secret.split(".")[2]
    wholes = {secret.encode(), secret.encode().hex().encode(), base64.b64encode(secret.encode())}
    if re.fullmatch("[0-9a-f]{64}", secret):
        wholes.add(bytes.fromhex(secret))
    encoded = secret.removeprefix("whsec_").split(":")[-1]
    if len(encoded) % 4 == 0 and re.fullmatch("[A-Za-z0-9+/]+=*", encoded):
        wholes |= {encoded.encode(), base64.b64decode(encoded)}
    assert all(len(whole) >= PIECE for whole in wholes)
    return {whole[at:at + PIECE] for whole in wholes for at in (0, len(whole) // 2 - PIECE // 2, len(whole) - PIECE)}


def found(pid, secrets):
    """{(name of the secret, name of the mapping, guarded)} over the whole memory of the process."""
    wanted = {name: pieces(secret) for name, secret in secrets.items()}
    hits = set()
    for mapping in mappings(pid):
        text = content(pid, mapping)
        hits |= {(name, mapping.name, mapping.guarded) for name, parts in wanted.items() if any(part in text for part in parts)}
    return hits
