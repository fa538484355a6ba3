"""The example on Ray, run for real where Ray is installed: results identical to local ones."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from conftest import REPOSITORY

EXAMPLE = REPOSITORY / "python" / "examples" / "many_on_ray.py"


@pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed: pip install ray")
def test_plans_on_ray_are_those_of_plan_many(tmp_path: Path) -> None:
    # Ray writes a token to the home folder.
    environment = {**os.environ, "HOME": str(tmp_path)}
    ran = subprocess.run([sys.executable, str(EXAMPLE)], capture_output=True, text=True, timeout=900, check=False, env=environment)
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert len(ran.stdout.splitlines()) == 4 and "identical to local" in ran.stdout

