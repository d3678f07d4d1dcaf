"""make_big.py DENSE OUT [COPIES [FIRST]] - one large log out of a dense one.

Every copy of the chunks gets record ids, times and a computer name of its own, and right checksums, so that
no reader gains from meeting the same bytes again."""
import struct
import sys
import zlib

CHUNK, HEADER = 65536, 4096
ID_STEP = 1_000_000
TIME_STEP = 24 * 3600 * 10_000_000  # one day of 100 ns
LETTERS = "BCDFGHJKLMNPQRSTVWXZ"


def template_values(chunk, at, end):
    """(offset, size, type) of the substitution values of the first template instance of a record."""
    if chunk[at:at + 4] != b"\x0f\x01\x01\x00" or chunk[at + 4] != 0x0C:
        return
    definition = struct.unpack_from("<I", chunk, at + 10)[0]
    at += 14
    if definition == at:  # the definition stands here: next, id, 12 more bytes, size, data
        at += 24 + struct.unpack_from("<I", chunk, at + 20)[0]
    n = struct.unpack_from("<I", chunk, at)[0]
    value = at + 4 + 4 * n
    for i in range(n):
        size, kind = struct.unpack_from("<HB", chunk, at + 4 + 4 * i)
        if value + size > end:
            return
        yield value, size, kind
        value += size


def computers(chunk):
    """Offsets of the last letter of each literal computer name."""
    name = "Computer\0".encode("utf-16-le")
    at = chunk.find(name)
    while at != -1:
        node = at - 8
        target = struct.pack("<I", node)
        use = chunk.find(target)
        while use != -1:
            after = use + 4
            if after == node:
                after = node + 8 + len(name)
            if after + 5 <= CHUNK and chunk[after:after + 3] == b"\x02\x05\x01":
                n = struct.unpack_from("<H", chunk, after + 3)[0]
                last = after + 5 + 2 * (n - 1)
                if 0 < n < 256 and last + 2 <= CHUNK:
                    yield last
            use = chunk.find(target, use + 1)
        at = chunk.find(name, at + 1)


def places(chunk):
    """What differs between copies: [(offset, value, step)] of 64-bit numbers, and [offset] of letters."""
    numbers = [(at, struct.unpack_from("<Q", chunk, at)[0], ID_STEP) for at in (8, 16, 24, 32)]
    free = struct.unpack_from("<I", chunk, 48)[0]
    at = 512
    while at + 28 <= free and chunk[at:at + 4] == b"\x2a\x2a\0\0":
        size, record, time = struct.unpack_from("<IQQ", chunk, at + 4)
        if size < 28 or at + size > free:
            break
        numbers += [(at + 8, record, ID_STEP), (at + 16, time, TIME_STEP)]
        for value, n, kind in template_values(chunk, at + 24, at + size - 4):
            number = struct.unpack_from("<Q", chunk, value)[0] if n == 8 else 0
            if kind == 0x0A and number == record:
                numbers.append((value, number, ID_STEP))
            elif kind == 0x11 and number:
                numbers.append((value, number, TIME_STEP))
        at += size
    return numbers, sorted(set(computers(chunk)))


def prepare(dense):
    """The header, the chunks, and what changes in them."""
    with open(dense, "rb") as file:
        data = file.read()
    chunks = [bytearray(data[at:at + CHUNK]) for at in range(HEADER, len(data) - CHUNK + 1, CHUNK)]
    return bytearray(data[:HEADER]), chunks, [places(bytes(chunk)) for chunk in chunks]


def write(prepared, out, copies):
    """Writes one log with the copies of these numbers."""
    head, chunks, marks = prepared
    struct.pack_into("<QQ", head, 8, 0, len(copies) * len(chunks) - 1)
    struct.pack_into("<H", head, 42, len(copies) * len(chunks))
    struct.pack_into("<I", head, 124, zlib.crc32(head[:120]))
    with open(out, "wb") as file:
        file.write(head)
        for copy in copies:
            for chunk, (numbers, letters) in zip(chunks, marks):
                for at, value, step in numbers:
                    struct.pack_into("<Q", chunk, at, value + copy * step)
                for at in letters:
                    struct.pack_into("<H", chunk, at, ord(LETTERS[copy % len(LETTERS)]))
                free = struct.unpack_from("<I", chunk, 48)[0]
                struct.pack_into("<I", chunk, 52, zlib.crc32(chunk[512:free]))
                struct.pack_into("<I", chunk, 124, zlib.crc32(chunk[128:512], zlib.crc32(chunk[:120])))
                file.write(chunk)


if __name__ == "__main__":
    first = int(sys.argv[4]) if len(sys.argv) > 4 else 0
    write(prepare(sys.argv[1]), sys.argv[2], range(first, first + (int(sys.argv[3]) if len(sys.argv) > 3 else 15)))
