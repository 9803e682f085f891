"""How fast near-duplicates are found, in how much memory, and how many of them, beside datasketch and dropoutt.

    python benchmarks/dedup.py sides  [--rows 100000]                    advisor with and without numba, datasketch, dropoutt
    python benchmarks/dedup.py growth [--rows 100000,400000,1250000]     time and peak memory as the rows grow
    python benchmarks/dedup.py check  [--rows 625000,1250000,2500000,5000000] [--characters 300]     the same of the whole check
    python benchmarks/dedup.py truth  [--rows 20000]                     recall and precision beside an exact join of all pairs
    python benchmarks/dedup.py bands  [--rows 2000000]                   grouping 32 bands by a NumPy sort, and in DuckDB

The rows are passages of about 1 kB from the documentation installed on this machine: manual pages, /usr/share/doc, docstrings
and text files of the Python installation. Where it holds fewer, every letter is shifted in the alphabet for the next copy: other
words with the same statistics. 2 % of the rows are copies with 5, 10 or 15 % of their words substituted, deleted or inserted;
which ones is known. A copy counts as found where it stands in a cluster with its source, as near-duplicate or as template.

Every tool runs in a process of its own: user + system seconds, wall seconds and peak memory are that process's, reading the
file included. Where a tool is not installed it is left out, and said so.
"""

from __future__ import annotations

import argparse
import ast
import gzip
import json
import random
import re
import resource
import string
import subprocess
import sys
import sysconfig
import tempfile
import time
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

PASSAGE = 1000
EDITED_SHARE, RATES = 0.02, (0.05, 0.10, 0.15)
ROOTS = (Path("/usr/share/man"), Path("/usr/share/doc"), Path(sysconfig.get_path("stdlib")))
TEXT = {".rst", ".txt", ".md", ".html"}
SIGN = "".join(
    c for c in map(chr, range(0x10000)) if (unicodedata.category(c)[0] == "S" and c not in "|~^`´¨¯¸˘˙˚˛˜˝") or c in "/%&"
)
WIDE = re.compile(rf"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+|[{re.escape(SIGN)}]")


def documents() -> Iterator[str]:
    """Yield the texts installed on this machine, in a fixed order."""
    for root in ROOTS:
        for path in sorted(root.rglob("*")):
            try:
                if path.suffix == ".gz":
                    yield gzip.decompress(path.read_bytes()).decode()
                elif path.suffix in TEXT and path.is_file():
                    yield path.read_text(encoding="utf-8")
                elif path.suffix == ".py":
                    tree = ast.parse(path.read_text(encoding="utf-8"))
                    holders = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
                    yield "\n\n".join(ast.get_docstring(node) or "" for node in ast.walk(tree) if isinstance(node, holders))
            except (OSError, ValueError, SyntaxError, EOFError, RecursionError):
                continue


def passages() -> Iterator[str]:
    """Yield passages of about a kilobyte, each once."""
    seen: set[int] = set()
    for document in documents():
        gathered: list[str] = []
        size = 0
        for paragraph in document.split("\n\n"):
            gathered.append(paragraph)
            size += len(paragraph)
            if size >= PASSAGE:
                text, gathered, size = "\n\n".join(gathered)[: 4 * PASSAGE], [], 0
                if hash(text) not in seen:
                    seen.add(hash(text))
                    yield text


def corpus(kept: Path | None) -> list[str]:
    """Return the passages in an order that is random and always the same; from the file `kept`, which is written where absent."""
    if kept is not None and kept.exists():
        return list(texts(kept))
    found = sorted(passages())
    random.Random(0).shuffle(found)
    if kept is not None:
        kept.write_text("".join(json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in found), encoding="utf-8")
    return found


def cut(passages: list[str], characters: int | None) -> list[str]:
    """Return the passages in pieces of so many characters; as they are without a number."""
    if not characters:
        return passages
    pieces = (text[at : at + characters] for text in passages for at in range(0, len(text) - characters // 2, characters))
    return list(dict.fromkeys(pieces))


def shifted(copy: int) -> dict[int, int]:
    """Return a translation that moves every letter `copy` places on."""
    lower, upper = string.ascii_lowercase, string.ascii_uppercase
    return str.maketrans(lower + upper, lower[copy:] + lower[:copy] + upper[copy:] + upper[:copy])


def edited(text: str, rate: float, generator: random.Random) -> str:
    """Return `text` with this share of its words changed."""
    words = text.split(" ")
    for place in generator.sample(range(len(words)), max(1, round(rate * len(words)))):
        kind, other = generator.random(), generator.choice(words)
        words[place] = other if kind < 0.7 else "" if kind < 0.85 else f"{words[place]} {other}"
    return " ".join(word for word in words if word)


def write(path: Path, rows: int, base: list[str]) -> list[tuple[int, int, float]]:
    """Write `rows` lines of JSON; return (row, row it is a copy of, share of words edited)."""
    generator = random.Random(rows)
    copies = int(rows * EDITED_SHARE)
    chosen = {
        int(source): rate for source, rate in zip(generator.sample(range(rows - copies), copies), RATES * copies, strict=False)
    }
    late: list[tuple[str, int, float]] = []
    first: dict[int, int] = {}
    with path.open("w", encoding="utf-8") as stream:
        for row in range(rows - copies):
            text = base[row % len(base)].translate(shifted(row // len(base) % 26))
            stream.write(json.dumps({"text": text}, ensure_ascii=False) + "\n")
            # A text without Latin letters is the same in every copy of the corpus; the first row stands for all.
            source = first.setdefault(hash(text), row)
            if row in chosen:
                late.append((edited(text, chosen[row], generator), source, chosen[row]))
        for text, _, _ in late:
            stream.write(json.dumps({"text": text}, ensure_ascii=False) + "\n")
    return [(rows - copies + place, source, rate) for place, (_, source, rate) in enumerate(late)]


def texts(path: Path) -> Iterator[str]:
    """Yield the text of each line."""
    loads = __import__("orjson").loads if find_spec("orjson") else json.loads
    with path.open("rb") as stream:
        for line in stream:
            yield loads(line)["text"]


def word_pairs(text: str) -> set[tuple[str, str]]:
    """Return pairs of neighbouring words, wide characters and signs being words, and words with digits by themselves.

    Written apart from the product's kernel, with sets of strings. It does not fold accents and knows no combining marks.
    """
    words = WIDE.findall(unicodedata.normalize("NFKC", text).lower())
    numbers = {(word, "#") for word in words if any(map(str.isdecimal, word))}
    return (set(pairwise(words)) or {(word, "") for word in words}) | numbers


def run_advisor(path: Path) -> dict[str, Any]:
    """Find near-duplicates with the product."""
    from advisor.data.duplicates import near_duplicates

    found = near_duplicates(texts(path))
    return {"clusters": [cluster.rows for cluster in found.clusters], "pairs": found.pairs}


def run_plain(path: Path) -> dict[str, Any]:
    """Do the same without numba."""
    from advisor.data.duplicates import fast

    fast.AVAILABLE = False
    return run_advisor(path)


def run_check(path: Path) -> dict[str, Any]:
    """Check everything, as `advisor data check` does, near-duplicates included."""
    from advisor.data.signals import DatasetMeasurements
    from advisor.data.survey import survey
    from advisor.engine import examine
    from advisor.rulebook import load

    measured = DatasetMeasurements(survey([path]))
    examine(measured, load(subject="dataset"))
    # Rows that are no good record (a text of blanks) have no number among the good ones: lines count all.
    lines = measured["train"].column("line") - 1
    groups = [lines[group].tolist() for group in measured["near_groups"]]
    return {"clusters": groups, "pairs": 0}


def run_datasketch(path: Path) -> dict[str, Any]:
    """Find pairs with datasketch as its documentation writes it: 128 permutations on the same word pairs, bands for the same
    similarity, `update` for each pair of words; then each candidate compared exactly, as sets. The sets are kept in memory.
    """
    library = import_module("datasketch")

    from advisor.data.duplicates.candidates import rows_per_band

    rows = rows_per_band(0.7)
    index = library.MinHashLSH(num_perm=128, params=(128 // rows, rows))
    kept: list[set[str]] = []
    pairs = []
    for row, text in enumerate(texts(path)):
        shingles = {" ".join(pair) for pair in word_pairs(text)}
        kept.append(shingles)
        if not shingles:
            continue
        signature = library.MinHash(num_perm=128)
        for shingle in shingles:
            signature.update(shingle.encode())
        for other in index.query(signature):
            if 2 * len(shingles & kept[other]) >= 0.7 * (len(shingles) + len(kept[other])):
                pairs.append((other, row))
        index.insert(row, signature)
    return {"clusters": pairs, "pairs": len(pairs)}


def run_datasketch_fastest(path: Path) -> dict[str, Any]:
    """Do the same in the fastest form that was found: Python's own hash instead of SHA-1, taken once; `update_batch`; the
    permutations made once; sorted arrays of hashes for the exact comparison, in a third of the memory.
    """
    import numpy as np

    library = import_module("datasketch")

    from advisor.data.duplicates.candidates import rows_per_band

    rows = rows_per_band(0.7)
    index = library.MinHashLSH(num_perm=128, params=(128 // rows, rows))
    empty = library.MinHash(num_perm=128, hashfunc=int)
    kept, pairs = [], []
    for row, text in enumerate(texts(path)):
        shingles = word_pairs(text)
        hashes = np.sort(np.fromiter(map(hash, shingles), dtype=np.int64, count=len(shingles)))
        kept.append(hashes)
        if not shingles:
            continue
        signature = empty.copy()
        signature.update_batch((hashes & 0xFFFFFFFF).tolist())
        for other in index.query(signature):
            both = np.concatenate((hashes, kept[other]))
            both.sort(kind="stable")
            if 2 * np.count_nonzero(both[1:] == both[:-1]) >= 0.7 * len(both):
                pairs.append((other, row))
        index.insert(row, signature, check_duplication=False)
    return {"clusters": pairs, "pairs": len(pairs)}


def run_dropoutt(path: Path) -> dict[str, Any]:
    """Run dropoutt's whole check on a copy of the rows in a format it reads."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "rows.jsonl"
        with copy.open("w", encoding="utf-8") as stream:
            for text in texts(path):
                chat = [{"role": "user", "content": "Say it."}, {"role": "assistant", "content": text}]
                stream.write(json.dumps({"messages": chat}, ensure_ascii=False) + "\n")
        began = usage()
        options = ["--offline", "--no-html", "--no-open", "--brief", "-j", "1", "-o", f"{folder}/out"]
        command = [str(Path(sys.executable).with_name("dropoutt")), "scan", str(copy), *options]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        said = [told for told in done.stdout.splitlines() if "NDUP" in told or "duplicate" in told] or [done.stderr[-300:]]
        return {"clusters": [], "pairs": 0, "began": began, "says": "\n".join(said)}


def band_keys(rows: int, band: int) -> Any:
    """Return random keys of which some are shared."""
    import numpy as np

    return np.random.default_rng(band).integers(0, 16 * rows, rows).astype(np.uint64)


def run_sort(path: Path) -> dict[str, Any]:
    """Pair equal keys with the product's sort, one file per band."""
    import numpy as np

    from advisor.data.duplicates.candidates import bucket_pairs

    rows = int(path.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        for band in range(BANDS):
            band_keys(rows, band).tofile(f"{folder}/{band}")
        keys = [Path(folder) / str(band) for band in range(BANDS)]
        read = [lambda path=path: np.fromfile(path, dtype=np.uint64) for path in keys]
        pairs = [len(one) for band in range(BANDS) for one, _ in bucket_pairs(read[band](), read[band - 1]())]
    return {"clusters": [], "pairs": sum(pairs)}


def run_duckdb(path: Path) -> dict[str, Any]:
    """Pair equal keys in DuckDB, with 1 GB and spill to disk."""
    import numpy as np

    duckdb, pa = import_module("duckdb"), import_module("pyarrow")
    rows = int(path.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        settings = {"memory_limit": "1GB", "temp_directory": folder, "threads": 2, "preserve_insertion_order": "false"}
        database = duckdb.connect(f"{folder}/bands", config=settings)
        database.execute("CREATE TABLE bands (band UTINYINT, key UBIGINT, row UINTEGER)")
        for band in range(BANDS):
            columns = [np.full(rows, band, dtype=np.uint8), band_keys(rows, band), np.arange(rows, dtype=np.uint32)]
            database.register("batch", pa.table(columns, names=["band", "key", "row"]))
            database.execute("INSERT INTO bands SELECT * FROM batch")
        joined = "SELECT count(*) FROM bands a JOIN bands b ON a.band = b.band AND a.key = b.key AND a.row < b.row"
        pairs = database.execute(joined).fetchall()[0][0]
        database.close()
    return {"clusters": [], "pairs": pairs}


BANDS = 32
CHECK = "advisor, whole check"
TOOLS = {
    "advisor": run_advisor, "advisor, no numba": run_plain, CHECK: run_check, "datasketch": run_datasketch,
    "datasketch, fastest": run_datasketch_fastest, "dropoutt": run_dropoutt,
}  # fmt: skip
GROUPING = {"numpy sort": run_sort, "duckdb": run_duckdb}


def usage() -> float:
    """Return the CPU seconds of this process and its children so far."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def child(tool: str, path: Path, answer: Path) -> None:
    """Run one tool and write what it found and what it took."""
    began = time.perf_counter()
    result = (TOOLS | GROUPING)[tool](path)
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    result |= {"cpu": usage() - result.pop("began", 0.0), "wall": time.perf_counter() - began, "megabytes": peak / 1e3}
    answer.write_text(json.dumps(result), encoding="utf-8")


def measured(tool: str, path: Path) -> dict[str, Any]:
    """Run one tool in a process of its own."""
    answer = path.with_suffix(".answer")
    subprocess.run([sys.executable, __file__, "child", "--tool", tool, "--path", str(path), "--answer", str(answer)], check=True)
    result: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
    return result


def planted_recall(clusters: list[list[int]], planted: list[tuple[int, int, float]]) -> str:
    """Return the share of planted copies found, by share of words edited."""
    together = {frozenset(pair) for cluster in clusters if len(cluster) < 50 for pair in pairs_of(cluster)}
    of = {row: n for n, cluster in enumerate(clusters) if len(cluster) >= 50 for row in cluster}
    found: Counter[float] = Counter()
    for row, source, rate in planted:
        found[rate] += frozenset((row, source)) in together or (row in of and of[row] == of.get(source))
    total = Counter(rate for _, _, rate in planted)
    return " / ".join(f"{found[rate] / total[rate]:.3f}" for rate in RATES)


def pairs_of(cluster: list[int]) -> Iterator[tuple[int, int]]:
    """Yield all pairs of a cluster."""
    return ((one, other) for place, one in enumerate(cluster) for other in cluster[place + 1 :])


def line(name: str, rows: int, result: dict[str, Any], planted: list[tuple[int, int, float]]) -> None:
    """Print one tool's row."""
    recall = planted_recall(result["clusters"], planted) if result["clusters"] else "-"
    cost = f"{result['cpu']:>8.1f} {rows / result['cpu']:>10,.0f} {result['wall']:>8.1f} {result['megabytes']:>8,.0f}"
    print(f"{name:20} {rows:>9,} {cost} {result['pairs']:>9,}  {recall}", flush=True)


HEAD = f"{'':20} {'rows':>9} {'CPU s':>8} {'rows/CPU s':>10} {'wall s':>8} {'peak MB':>8} {'pairs':>9}  planted 5/10/15 % found"


def sides(folder: Path, sizes: list[int], tools: list[str], base: list[str]) -> None:
    """All tools on the same rows."""
    print(f"{len(base):,} passages on this machine\n{HEAD}")
    for rows in sizes:
        path = folder / "rows.jsonl"
        planted = write(path, rows, base)
        print(f"{rows:,} rows, {path.stat().st_size / 1e6:.0f} MB")
        for tool in tools:
            if find_spec(tool.split(",")[0]) is None:
                print(f"{tool}: not installed, left out")
                continue
            result = measured(tool, path)
            line(tool, rows, result, planted)
            if "says" in result:
                print(result["says"])


def grouping(folder: Path, rows: int) -> None:
    """The two ways to group the bands."""
    path = folder / "rows"
    path.write_text(str(rows), encoding="utf-8")
    print(HEAD)
    for tool in GROUPING:
        if find_spec(tool.split()[0]) is None:
            print(f"{tool}: not installed, left out")
        else:
            line(tool, rows, measured(tool, path), [])


def exact_pairs(sets: list[set[tuple[str, str]]], least: float) -> set[tuple[int, int]]:
    """Return all pairs with at least this Jaccard similarity: exact join over the rarest shingles (prefix filter)."""
    counts = Counter(shingle for shingles in sets for shingle in shingles)
    index: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    found = set()
    for row, shingles in enumerate(sets):
        rarest = sorted(shingles, key=lambda shingle: (counts[shingle], shingle))
        seen: set[int] = set()
        for shingle in rarest[: len(rarest) - int(-(-least * len(rarest) // 1)) + 1]:
            for other in index[shingle]:
                if other not in seen:
                    seen.add(other)
                    common = len(shingles & sets[other])
                    if common >= least * (len(shingles) + len(sets[other]) - common):
                        found.add((other, row))
            index[shingle].append(row)
    return found


def truth(folder: Path, rows: int, base: list[str]) -> None:
    """What the bands find of all pairs, and whether what is reported is so, by sets made apart from the kernel."""
    import numpy as np

    from advisor.data.duplicates import batches, near_duplicates
    from advisor.data.duplicates.candidates import agreeing, bucket_pairs, jaccard, least_agreement, rows_per_band
    from advisor.data.duplicates.kernel import HASHES, sketch

    path = folder / "rows.jsonl"
    write(path, rows, base)
    everything = list(texts(path))
    sets = [word_pairs(text) for text in everything]
    wanted = exact_pairs(sets, 0.5)
    level = rows_per_band(0.7)
    sketches = [sketch(batch, level) for batch in batches(everything)]
    bands, minima = (np.concatenate([getattr(part, name) for part in sketches]) for name in ("bands", "minima"))
    found: set[tuple[int, int]] = set()
    shared = 0
    for band in range(HASHES // level):
        for one, other in bucket_pairs(bands[:, band], bands[:, (band + 1) % (HASHES // level)]):
            alike = agreeing(minima, one, other, least_agreement(0.7))
            shared += len(one)
            found.update(zip(one[alike].tolist(), other[alike].tolist(), strict=True))
    print(f"{rows:,} rows; {shared:,} times two rows share a band, {len(found):,} pairs compared exactly")
    for least in (jaccard(0.7), 0.6, 0.7, 0.8):
        pairs = {pair for pair in wanted if similar(sets, *pair) >= least}
        print(
            f"Jaccard >= {least:.2f}: {len(pairs):,} pairs by the exact join, {len(pairs & found) / max(len(pairs), 1):.4f} found"
        )
    near = [cluster for cluster in near_duplicates(everything).clusters if cluster.kind == "near"]
    told = [(row, cluster.keep) for cluster in near for row in cluster.rows if row != cluster.keep]
    right = sum(similar(sets, *pair) >= jaccard(0.7) - 1e-9 for pair in told)
    print(
        f"{len(near):,} clusters, {len(told):,} rows named near-duplicates of the kept one, {right / len(told):.4f} are by the sets"
    )


def similar(sets: list[set[tuple[str, str]]], one: int, other: int) -> float:
    """Return the Jaccard similarity."""
    common = len(sets[one] & sets[other])
    return common / max(len(sets[one]) + len(sets[other]) - common, 1)


def main() -> None:
    """Run one of the comparisons."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("sides", "growth", "check", "truth", "bands", "child"))
    parser.add_argument("--rows", default="")
    parser.add_argument("--tools", default=";".join(TOOLS), help="of `sides`, with ; between")
    parser.add_argument("--characters", type=int, help="cut the passages into texts of so many characters")
    parser.add_argument("--corpus", type=Path, help="keep the passages in this file: gathering them takes minutes")
    parser.add_argument("--tool")
    parser.add_argument("--path", type=Path)
    parser.add_argument("--answer", type=Path)
    options = parser.parse_args()
    if options.what == "child":
        child(options.tool, options.path, options.answer)
        return
    default = {
        "sides": "100000", "growth": "100000,400000,1250000", "check": "625000,1250000,2500000,5000000", "truth": "20000",
        "bands": "2000000",
    }[options.what]  # fmt: skip
    sizes = [int(size) for size in (options.rows or default).split(",")]
    with tempfile.TemporaryDirectory() as folder:
        if options.what == "bands":
            grouping(Path(folder), sizes[0])
            return
        base = cut(corpus(options.corpus), options.characters)
        if options.what == "truth":
            truth(Path(folder), sizes[0], base)
        else:
            tools = {"growth": ["advisor"], "check": [CHECK]}.get(options.what) or options.tools.split(";")
            sides(Path(folder), sizes, tools, base)


if __name__ == "__main__":
    main()
