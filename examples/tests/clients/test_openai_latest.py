"""The newest `openai` package: the same tests, in an interpreter that finds that one first."""

import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
LATEST = pathlib.Path(sys.prefix) / "latest"


def test_the_newest_package_is_served_as_well():
    assert LATEST.is_dir(), "requirements-latest.txt is not installed"
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", HERE / "test_openai.py"],
        env={**os.environ, "PYTHONPATH": str(LATEST)},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr
