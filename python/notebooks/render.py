"""Runs the notebooks (percent scripts) and writes copies with their outputs to rendered/; with --check runs them, writes nothing, and fails where the
text of an output is not that of the copy. What differs from run to run by its nature (times, addresses) is left out of the comparison.

    python render.py [--check] [NAME...]
"""

from __future__ import annotations

import difflib
import re
import sys
import time
from pathlib import Path
from typing import Any

import jupytext
from covermix import FileError, find_program
from nbclient import NotebookClient

HERE = Path(__file__).parent
NOTEBOOKS = ("first_steps", "quarterly_plan", "negotiation")
#: Texts that differ from run to run: figures' addresses, seconds, and where a bill's program and files are.
CHANGING = (r" at 0x[0-9a-f]+>", r"\d+(\.\d+)? s\b", r"\d+(\.\d+)? seconds")

#: Cells that show what the program `covermix` reads: without it they are neither run nor compared.
PROGRAM_TAG = "needs-program"


def missing_program() -> str | None:
    """What a notebook says where bills cannot be read; ``None`` where they can."""
    try:
        find_program()
    except FileError as error:
        print(f"cells with the tag {PROGRAM_TAG} are left out: {error}")
        return error.remedy or str(error)
    return None


REMEDY = missing_program()
HAS_PROGRAM = REMEDY is None


def texts_of(notebook: Any) -> list[str]:
    """The text of every output, by cell."""
    texts = []
    for index, cell in enumerate(notebook.cells):
        if PROGRAM_TAG in cell.metadata.get("tags", ()) and not HAS_PROGRAM:
            continue
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            is_remedy = not HAS_PROGRAM and output.get("text", "").strip() == REMEDY
            if is_remedy or output.get("output_type") == "error":
                continue
            text = "\n".join([output.get("text", ""), *(data.get(f"text/{kind}", "") for kind in ("plain", "markdown", "html"))])
            for pattern in CHANGING:
                text = re.sub(pattern, "", text)
            texts += [f"cell {index}: {line.rstrip()}" for line in text.splitlines()]
    return texts


def sources_of(notebook: Any) -> list[tuple[str, str]]:
    """What the cells are, by kind."""
    return [(cell.cell_type, cell.source) for cell in notebook.cells]


def run(name: str, is_check: bool) -> bool:
    """Whether the outputs are those of the rendered copy, or were written to it."""
    began = time.monotonic()
    notebook: Any = jupytext.read(HERE / f"{name}.py")
    notebook.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
    if not HAS_PROGRAM:
        for cell in notebook.cells:
            if PROGRAM_TAG in cell.metadata.get("tags", ()):
                cell.source = f"# {PROGRAM_TAG}"
    NotebookClient(notebook, timeout=600, kernel_name="python3").execute(cwd=str(HERE))
    for index, cell in enumerate(notebook.cells):
        # The same bytes for the same outputs.
        cell["id"] = f"cell-{index}"
        cell.metadata = {"tags": cell.metadata["tags"]} if cell.metadata.get("tags") else {}
    notebook.metadata.pop("language_info", None)
    path = HERE / "rendered" / f"{name}.ipynb"
    seconds = time.monotonic() - began
    if not is_check:
        if not HAS_PROGRAM:
            sys.exit("The notebooks are rendered with the program covermix: set COVERMIX_PROGRAM.")
        path.parent.mkdir(exist_ok=True)
        jupytext.write(notebook, path)
        print(f"{name}: ran in {seconds:.0f} s, written to {path.relative_to(HERE)}")
        return True
    rendered: Any = jupytext.read(path) if path.exists() else None
    before = [] if rendered is None else texts_of(rendered)
    is_same_source = rendered is not None and sources_of(rendered) == sources_of(jupytext.read(HERE / f"{name}.py"))
    changes = list(difflib.unified_diff(before, texts_of(notebook), "rendered", "now", lineterm="", n=0))
    print(f"{name}: ran in {seconds:.0f} s; its text is {'not ' if changes else ''}that of the rendered copy")
    print("\n".join(changes[:60]))
    if not is_same_source:
        print(f"{name}: the rendered copy is of another source")
    return not changes and is_same_source


def main() -> None:
    arguments = sys.argv[1:]
    names = [argument for argument in arguments if argument != "--check"] or NOTEBOOKS
    results = [run(name, "--check" in arguments) for name in names]
    if not all(results):
        sys.exit("The rendered notebooks are out of date: run python/notebooks/render.py, look at what changed, and check it in.")


if __name__ == "__main__":
    main()
