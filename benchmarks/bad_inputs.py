"""Bad inputs for every reader of files and options, made from good ones, and what became of each.

    python benchmarks/bad_inputs.py [--inputs 1000] [--seed 0] [--replays 20]

Each input is a good one with one thing wrong: another type, size, encoding, order or nesting, a cut, a
control character, a missing file, a folder in the place of a file.  It is given to the command that reads it,
in this process; replays run in processes of their own.  Wanted are sentences: no traceback, nothing that
takes longer than a minute, nothing raw on the terminal, no file of others overwritten.  What is taken without
a word is listed with what was changed: such a change may well leave a good input.
"""

from __future__ import annotations

import argparse
import copy
import io
import json
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from random import Random
from typing import Any

import pytest

from statemachine.__main__ import main as command
from statemachine.history.foreign import brief
from statemachine.plugin.options import asked_for
from statemachine.processes import plan as plans
from statemachine.report.console import MISUSED
from statemachine.report.text.paper import WIDE

LIMIT_SECONDS = 60
DEFECT = "refused_delivery_deletes_message"
VALUES: tuple[Any, ...] = (
    *(None, True, False, -1, 0, 10**30, 1.5, -1e300, float("nan"), float("inf")),
    *("", "7", "\ud800", "\0", "\x1b[2J", "a\n::error::b", "##vso[task.complete]", "n" * 5_000, "../../x"),
    *([], {}, [[]], {"a": {"b": []}}, ["x"] * 2_000),
)
BYTES = (
    b"",
    b"\xff\xfe",
    b"\0" * 100,
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b"\x89PNG\r\n",
    b"\xef\xbb\xbf{}",
    b"1",
)
_RAW = re.compile(r"[^\S\n\t \u00a0]|[\x00-\x08\x0e-\x1f\x7f\x80-\x9f\u202e]|^\s*::|##\w*\[", re.MULTILINE)


@dataclass
class Good:
    """Texts of good files, each to be spoilt."""

    history: str
    entry: str
    run: str
    plan: str
    log: str
    patterns: str


@dataclass
class Tally:
    """What became of the inputs of one kind."""

    ends: Counter[str] = field(default_factory=Counter)
    bad: list[str] = field(default_factory=list)
    """Inputs that ended in a traceback, took too long, or were shown raw."""
    silent: Counter[str] = field(default_factory=Counter)
    """By what was changed: inputs that were taken without a word."""


class Hang(BaseException):
    """The time for one input is over."""


@contextmanager
def limited(seconds: int) -> Iterator[None]:
    def over(*_: object) -> None:
        raise Hang

    before = signal.signal(signal.SIGALRM, over)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


# -- what is done to a good text ------------------------------------------------------------


def spoilt(text: str, draw: Random) -> tuple[str, bytes]:
    """Return what was changed, and the bytes of the changed file."""
    change = draw.choice((_value, _value, _value, _key, _cut, _line, _scribble, _whole))
    return change(text, draw)


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inside:
        yield (*path, key)
        yield from _places(one, (*path, key))


def _in_json(text: str, draw: Random, change: Callable[[Any, Any], None]) -> tuple[str, bytes]:
    """Change one place of one JSON value: the whole file, or one of its lines."""
    lines = text.rstrip("\n").split("\n")
    try:
        json.loads(text)
    except ValueError:
        number = draw.randrange(len(lines))
    else:
        lines, number = [text], 0
    try:
        values = copy.deepcopy(json.loads(lines[number]))
        places = list(_places(values))
    except ValueError:
        return _scribble(text, draw)
    if not places:
        return _scribble(text, draw)
    *above, last = draw.choice(places)
    holder = values
    for key in above:
        holder = holder[key]
    change(holder, last)
    lines[number] = json.dumps(values)
    return str(last) if isinstance(last, str) else "an item", "\n".join(lines).encode(
        "utf-8", "surrogatepass"
    )


def _value(text: str, draw: Random) -> tuple[str, bytes]:
    wrong = draw.choice(VALUES)

    def change(holder: Any, last: Any) -> None:
        holder[last] = wrong

    what, changed = _in_json(text, draw, change)
    return f"{what} = {brief(wrong)}", changed


def _key(text: str, draw: Random) -> tuple[str, bytes]:
    added = draw.random() < 0.5

    def change(holder: Any, last: Any) -> None:
        if added and isinstance(holder, dict):
            holder["weather"] = "fine"
        else:
            del holder[last]

    what, changed = _in_json(text, draw, change)
    return "a key that nobody knows" if added else f"without {what}", changed


def _cut(text: str, draw: Random) -> tuple[str, bytes]:
    return "cut off", text.encode()[: draw.randrange(len(text))]


def _line(text: str, draw: Random) -> tuple[str, bytes]:
    lines = text.split("\n")
    one, other = draw.randrange(len(lines)), draw.randrange(len(lines))
    what = draw.choice(("a line twice", "a line left out", "two lines exchanged", "a line without end"))
    if what == "a line twice":
        lines.insert(one, lines[one])
    elif what == "a line left out":
        del lines[one]
    elif what == "two lines exchanged":
        lines[one], lines[other] = lines[other], lines[one]
    else:
        lines[one] = lines[one] * 20_000 if len(lines[one]) > 400 else "already DONE " * 20_000
    return what, "\n".join(lines).encode()


def _scribble(text: str, draw: Random) -> tuple[str, bytes]:
    content = bytearray(text.encode())
    for _ in range(draw.choice((1, 3, 30))):
        content[draw.randrange(len(content))] = draw.choice(b'\x00\x1b\xff"{}[]0-9e:,\n\\')
    return "scribbled", bytes(content)


def _whole(text: str, draw: Random) -> tuple[str, bytes]:
    return "another file", draw.choice(BYTES)


def put(file: Path, content: bytes, draw: Random) -> str:
    """Write the file, or at times something else in its place; return what, or nothing."""
    place = draw.random()
    file.parent.mkdir(parents=True, exist_ok=True)
    if place < 0.02:
        return "no file"
    if place < 0.04:
        file.mkdir()
        return "a folder in its place"
    if place < 0.06:
        file.symlink_to(file.name)
        return "a link to itself"
    file.write_bytes(content)
    return ""


# -- who reads it ---------------------------------------------------------------------------


def called(arguments: Sequence[str]) -> tuple[int, str]:
    """Run a command in this process; return its exit code and all that it printed."""
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        try:
            code = command(list(arguments))
        except SystemExit as ended:
            code = int(ended.code or 0)
    return code, said.getvalue()


def of_plan(file: Path) -> tuple[int, str]:
    try:
        plans.load(file)
    except plans.PlanError as error:
        return MISUSED, f"{WIDE.spelt(str(error))}\n"  # as __main__ prints it
    return 0, ""


OPTIONS = {
    **dict.fromkeys(("binding", "defect", "lane", "replay", "corpus", "fuzz_for", "exhaust", "kills")),
    **dict.fromkeys(("report", "hypothesis_seed", "database_server")),
    "clock_skew": "0",
    "hang_after": "60",
    "allow": "",
    "minimise_for": "60",
    "keep_failures": "100",
}
WORDS = (
    *(
        "",
        " ",
        "nothing",
        "-1",
        "1e400",
        "9" * 5_000,
        "\x1b[2J",
        "::error::x",
        "a:b:c",
        ":",
        "os:system",
        "/",
    ),
    *(
        "/dev/null",
        "n" * 5_000,
        "redis://u:hunter2@127.0.0.1:1/0",
        "x://u:hunter2@h",
        "prepare,prepare,x",
        "\u202e",
    ),
)


def of_options(draw: Random) -> tuple[str, Callable[[], tuple[int, str]]]:
    """Return one option of a run with a wrong word, and what reads it."""
    name, word = draw.choice(list(OPTIONS)), draw.choice(WORDS)
    good = {**OPTIONS, "binding": "models_under_test.binding:AIJobsBinding"}

    def read() -> tuple[int, str]:
        try:
            asked_for(argparse.Namespace(**{**good, name: word}))
        except pytest.UsageError as error:
            return MISUSED, f"{error}\n"
        return 0, ""

    return f"--{name} {brief(word)}", read


COMMANDS = (
    *(("soak", "--steps"), ("soak", "--steps", "1", "--binding"), ("soak", "--steps", "1", "--defect")),
    *(("merge",), ("merge", ".", "--binding"), ("merge", ".", "--corpus"), ("merge", "--corpus")),
    *(("check-log",), ("check-log", "--patterns"), ("check-log", "log", "--binding")),
    *(("plain-test",), ("plain-test", ".", "-o"), ("check-binding",), ("processes", "--plan")),
    *(("processes", "--kills"), ("gate", "--database-server"), ("certificate", "--defects")),
    *(("certificate", "--seeds"), ("certificate", "--shard"), ()),
)


IN_PROCESS = ("history", "history", "plan", "log", "log", "patterns", "option")
"""Kinds whose readers neither open a database nor start a program."""
KINDS = (*IN_PROCESS, "corpus", "run.json", "word")
"""All, some twice as often."""


def inputs(
    good: Good, folder: Path, draw: Random, kinds: Sequence[str]
) -> tuple[str, str, Callable[[], tuple[int, str]]]:
    """Make one input in ``folder``; return its kind, what is wrong with it, and what reads it."""
    kind = draw.choice(kinds)
    if kind == "option":
        what, read = of_options(draw)
        return kind, what, read
    if kind == "word":
        arguments = [*draw.choice(COMMANDS), draw.choice(WORDS)]
        return kind, brief(" ".join(arguments)), lambda: called(arguments)
    text = {"corpus": good.entry, "run.json": good.run}.get(kind) or getattr(good, kind, "")
    what, content = spoilt(text, draw)
    names = {"history": "saved/history.ndjson", "corpus": "corpus/failures/x.ndjson", "run.json": "run.json"}
    file = folder / names.get(kind, kind)
    what = put(file, content, draw) or what
    (folder / "good.log").write_text(good.log, encoding="utf-8")
    readers: dict[str, Callable[[], tuple[int, str]]] = {
        "history": lambda: called(["plain-test", str(file.parent)]),
        "corpus": lambda: called(["merge", str(folder), "--corpus", str(folder / "merged"), *_bundled()]),
        "run.json": lambda: called(["merge", str(folder), "--corpus", str(folder / "merged"), *_bundled()]),
        "plan": lambda: of_plan(file),
        "log": lambda: called(["check-log", str(file)]),
        "patterns": lambda: called(["check-log", "--patterns", str(file), str(folder / "good.log")]),
    }
    return kind, what, readers[kind]


def _bundled() -> list[str]:
    return ["--binding", "models_under_test.binding:AIJobsBinding"]


def judged(tally: Tally, kind: str, what: str, read: Callable[[], tuple[int, str]]) -> None:
    """Give one input to its reader and count how that ended."""
    try:
        with limited(LIMIT_SECONDS):
            code, said = read()
    except Hang:
        tally.ends["hang"] += 1
        tally.bad.append(f"{kind}: {what}: more than {LIMIT_SECONDS} s")
        return
    except Exception as error:  # noqa: BLE001  any is a bug of a reader
        tally.ends["traceback"] += 1
        tally.bad.append(f"{kind}: {what}: {type(error).__name__}: {brief(str(error))}")
        return
    if _RAW.search(said) or "hunter2" in said:
        tally.ends["raw"] += 1
        tally.bad.append(f"{kind}: {what}: shown raw: {brief(_RAW.findall(said))}")
    elif code == MISUSED:
        tally.ends["sentence"] += 1
    elif "passed over in the corpus" in said or "left no run.json" in said or _passed_over(said):
        tally.ends["told in the report"] += 1
    else:
        tally.ends["taken"] += 1
        tally.silent[f"{kind}: {what}"] += 1


def _passed_over(said: str) -> bool:
    found = re.search(r"passed over: (.*)", said)
    return found is not None and bool(re.search(r"\b[1-9]\d* ", found[1]))


def play(good: Good, number: int, seed: int, root: Path, kinds: Sequence[str] = KINDS) -> dict[str, Tally]:
    """Make ``number`` inputs below ``root`` and give each to its reader; return the tallies by kind."""
    draw, tallies = Random(seed), dict[str, Tally]()
    mine = root / "mine"
    mine.write_text("of others", encoding="utf-8")
    for one in range(number):
        folder = root / str(one)
        folder.mkdir()
        kind, what, read = inputs(good, folder, draw, kinds)
        judged(tallies.setdefault(kind, Tally()), kind, what, read)
        if mine.read_text("utf-8") != "of others":
            raise SystemExit(f"{kind}: {what}: a file of others was overwritten")
        shutil.rmtree(folder)
    return tallies


def made(cwd: Path) -> Good:
    """Return good files, as a failing run has left them."""
    run = [*_pytest(), "--lane", "embedded", "--defect", DEFECT, "--hypothesis-seed=1"]
    subprocess.run(run, cwd=cwd, capture_output=True, check=False)
    left = cwd / ".statemachine"
    (history,) = left.glob("*/history.ndjson")
    (entry,) = left.glob("corpus/failures/*.ndjson")
    return good_files(*(file.read_text("utf-8") for file in (history, entry, left / "run.json")))


def good_files(history: str, entry: str, run: str) -> Good:
    """Return these texts, and a plan, a log and patterns."""
    drawn = plans.draw_plan(1, ["ai"], jobs=4, kills=3, gap_seconds=1, work_seconds=1, lease_seconds=2)
    at = '{"at": "2030-10-27T00:30:%02dZ", "worker": "ai-1", "job_id": "j1", "tenant_id": "t1"'
    events = (
        *("job.created", "prepare.called", 'prepare.accepted", "attempt": 1, "x": "'),
        *('finish.called", "operation": "complete', 'finish.accepted", "operation": "complete'),
    )
    said = [f'{at % second}, "event": "{event}"}}' for second, event in enumerate(events)]
    plain = [
        f"2030-10-27 00:30:0{n} [ai-1] {word} job_id=j2"
        for n, word in ((8, "mark_running"), (9, "mark_done"))
    ]
    shipped = resources.files("statemachine.logs") / "patterns.toml"
    log = "\n".join([*said, *plain, ""])
    return Good(history, entry, run, plans.dumps(drawn), log, shipped.read_text("utf-8"))


def _pytest() -> list[str]:
    plugins = ["-p", "no:cacheprovider", "-p", "statemachine.plugin"]
    return [sys.executable, "-m", "pytest", "-q", *plugins, "--pyargs", "statemachine"]


def replays(good: Good, number: int, seed: int, root: Path) -> Tally:
    """Replay spoilt histories by pytest, each in a process of its own."""
    draw, tally = Random(seed), Tally()
    for one in range(number):
        folder = root / f"replay{one}"
        what, content = spoilt(good.history, draw)
        what = put(folder / "history.ndjson", content, draw) or what

        def read(folder: Path = folder) -> tuple[int, str]:
            asked = [*_pytest(), f"--replay={folder}", "--defect", DEFECT]
            ran = subprocess.run(asked, cwd=root, capture_output=True, text=True, check=False)
            said = ran.stdout + ran.stderr
            if "Traceback (most recent" in said or "INTERNALERROR" in said:
                raise RuntimeError(said[-300:])
            return ran.returncode, said

        judged(tally, "replay", what, read)
    return tally


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--inputs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--replays", type=int, default=20)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        good = made(root)
        tallies = play(good, asked.inputs, asked.seed, root)
        tallies["replay"] = replays(good, asked.replays, asked.seed, root)
    ends = ("sentence", "told in the report", "taken", "traceback", "hang", "raw")
    sys.stdout.write(f"{'':<10}{''.join(f'{end:>20}' for end in ends)}\n")
    for kind, tally in sorted(tallies.items()):
        sys.stdout.write(f"{kind:<10}{''.join(f'{tally.ends[end]:>20}' for end in ends)}\n")
    for tally in tallies.values():
        sys.stdout.writelines(f"BAD    {bad}\n" for bad in tally.bad)
    for tally in tallies.values():
        sys.stdout.writelines(f"taken  {times} of {what}\n" for what, times in sorted(tally.silent.items()))


if __name__ == "__main__":
    main()
