"""The example on Ray, run for real where Ray is installed: results identical to local ones."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest
from conftest import REPOSITORY

EXAMPLE = REPOSITORY / "python" / "examples" / "many_on_ray.py"


def has_ray() -> bool:
    """Whether Ray is installed; a folder of its name in the working directory is not it."""
    try:
        return bool(version("ray"))
    except PackageNotFoundError:
        return False


@pytest.mark.skipif(not has_ray(), reason="Ray is not installed: pip install ray")
def test_plans_on_ray_are_those_of_plan_many(tmp_path: Path) -> None:
    # Ray writes a token to the home folder.
    environment = {**os.environ, "HOME": str(tmp_path)}
    ran = subprocess.run([sys.executable, str(EXAMPLE)], capture_output=True, text=True, timeout=900, check=False, env=environment)
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert len(ran.stdout.splitlines()) == 4 and "identical to local" in ran.stdout

