"""Runs the notebooks (percent scripts) and writes copies with their outputs to rendered/; with --check runs them and writes nothing."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import jupytext
from nbclient import NotebookClient

HERE = Path(__file__).parent
NOTEBOOKS = ("first_steps", "quarterly_plan", "negotiation")


def text_of(notebook: object) -> str:
    """All text that a notebook printed."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]  # type: ignore[attr-defined]
    return "\n".join(output.get("text", "") or output.get("data", {}).get("text/plain", "") for output in outputs)


def run(name: str, is_check: bool) -> None:
    began = time.monotonic()
    notebook = jupytext.read(HERE / f"{name}.py")
    notebook.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
    NotebookClient(notebook, timeout=600, kernel_name="python3").execute(cwd=str(HERE))
    for index, cell in enumerate(notebook.cells):
        # The same bytes for the same outputs.
        cell["id"] = f"cell-{index}"
        cell.metadata = {}
    notebook.metadata.pop("language_info", None)
    path = HERE / "rendered" / f"{name}.ipynb"
    seconds = time.monotonic() - began
    if not is_check:
        path.parent.mkdir(exist_ok=True)
        jupytext.write(notebook, path)
        print(f"{name}: ran in {seconds:.0f} s, written to {path.relative_to(HERE)}")
        return
    same = path.exists() and text_of(jupytext.read(path)) == text_of(notebook)
    print(f"{name}: ran in {seconds:.0f} s; its text is {'that' if same else 'not that'} of the rendered copy")


def main() -> None:
    for name in NOTEBOOKS:
        run(name, "--check" in sys.argv[1:])


if __name__ == "__main__":
    main()
