"""Check GitHub workflows as far as that can be done without GitHub: actionlint, then shellcheck.

``python .ci/check_workflows.py [FILE...]`` checks the repository's own workflows and those that the docs
offer to copy: of a Markdown file each block of YAML that is a workflow.  Exit code 0 when nothing was said,
1 otherwise, and 2 with a sentence when it could not check.  actionlint is the WebAssembly build that
``npm ci`` puts beside this file: it calls no shellcheck, so that is done here, in actionlint's way.  Neither
runs anything, and nobody looks at the steps in PowerShell.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
ROOT = HERE.parent
ACTIONLINT = HERE / "node_modules" / "@tktco" / "node-actionlint" / "bin" / "node-actionlint.js"

BLOCK = re.compile(r"^```yaml\n(.*?)^```$", re.M | re.S)
EXPRESSION = re.compile(r"\$\{\{.*?\}\}", re.S)
NOT_KNOWABLE = "SC1091,SC2194,SC2050,SC2153,SC2154,SC2157,SC2043"
"""What shellcheck says of a script whose expressions are replaced by underscores; actionlint's own list."""


def workflows(file: Path) -> Iterator[tuple[str, str]]:
    """Name and text of each workflow in ``file``; line numbers are those of the file."""
    text = file.read_text(encoding="utf-8")
    if file.suffix != ".md":
        yield file.stem, text
        return
    for number, block in enumerate(BLOCK.finditer(text), 1):
        if re.search(r"^jobs:", block[1], re.M):
            yield f"{file.stem}-{number}", "\n" * text[: block.start(1)].count("\n") + block[1]


def scripts(workflow: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Where it stands and its text, for each step of a workflow that bash or sh runs."""
    for name, job in workflow.get("jobs", {}).items():
        usual = "pwsh" if "windows" in str(job.get("runs-on")) else "bash"
        for level in (workflow, job):
            usual = level.get("defaults", {}).get("run", {}).get("shell", usual)
        for number, step in enumerate(job.get("steps", ()), 1):
            shell = step.get("shell", usual).split()[0]
            if "run" in step and shell in ("bash", "sh"):
                yield f"job {name}, step {number} ({step.get('name', 'without a name')})", step["run"]


def actionlint(texts: dict[str, str]) -> list[str]:
    """What actionlint says of workflows by name."""
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        for name, text in texts.items():
            (folder / f"{name}.yml").write_text(text, encoding="utf-8")
        done = said_by("node", str(ACTIONLINT), "*.yml", cwd=folder)
    if f"Checking {len(texts)} workflow file(s)" not in done.stdout:
        give_up(f"actionlint did not start: {(done.stderr or done.stdout).strip()}")
    return done.stdout.splitlines()[1:] if done.returncode else []


def shellcheck(name: str, text: str) -> list[str]:
    """What shellcheck says of the steps of a workflow in which actionlint found nothing."""
    said = []
    for place, script in scripts(yaml.safe_load(text)):
        plain = EXPRESSION.sub(lambda found: "_" * len(found[0]), script)
        options = ("--norc", "--shell=bash", "--format=gcc", f"--exclude={NOT_KNOWABLE}", "-")
        done = said_by("shellcheck", *options, given=plain)
        said += [f"{name}, {place}: {line.removeprefix('-:')}" for line in done.stdout.splitlines()]
    return said


def said_by(*command: str, given: str = "", cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=cwd, input=given, capture_output=True, encoding="utf-8", check=False, timeout=120
    )


def give_up(sentence: str) -> None:
    sys.stderr.write(f"workflows not checked: {sentence}\n")
    raise SystemExit(2)


def main(files: list[str]) -> int:
    missing = [program for program in ("node", "shellcheck") if shutil.which(program) is None]
    if missing:
        give_up(f"{' and '.join(missing)} not found; install Node.js 20 or newer and shellcheck")
    if not ACTIONLINT.exists():
        give_up("actionlint is not installed; run npm ci --prefix .ci")
    usual = [*sorted((ROOT / ".github" / "workflows").glob("*.y*ml")), ROOT / "docs" / "ci.md"]
    texts: dict[str, str] = {}
    for file in [Path(name) for name in files] or usual:
        found = dict(workflows(file))
        if not found:
            give_up(f"{file} holds no workflow")
        texts |= found
    said = actionlint(texts)
    flawed = {line.partition(".yml:")[0] for line in said}
    for name in sorted(texts.keys() - flawed):
        said += shellcheck(name, texts[name])
    sys.stdout.write("\n".join(said or [f"{len(texts)} workflows checked: {', '.join(texts)}"]) + "\n")
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
