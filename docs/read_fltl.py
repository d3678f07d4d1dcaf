import itertools, msgpack, zlib
def column(c, n, s): return c if isinstance(c, list) else [c["c"]] * n if "c" in c else [None if i is None else s[i] for i in c["i"]]
def events(path):
    for o in msgpack.Unpacker(open(path, "rb"), max_buffer_size=0, max_bin_len=2**26):
        if not isinstance(o, list) or o[0] != "FLBLOCK1": continue
        b = msgpack.unpackb(zlib.decompress(o[8]) if o[7] else o[8])
        cols = {k: column(c, b["n"], b["str"]) for k, c in b["cols"].items()}
        rows = [dict(zip(cols, r), t=t, data={}) for t, r in zip(itertools.accumulate(cols["t"]), zip(*cols.values()))]
        for g in b["data"]:
            for i, v in zip(itertools.accumulate(g["r"]), zip(*(column(c, len(g["r"]), b["str"]) for c in g["v"]))): rows[i]["data"] = dict(zip(g["k"], v))
        yield from rows
