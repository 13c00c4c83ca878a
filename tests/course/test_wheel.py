"""A wheel has the course's files, and `minitorch course new` works where nothing but the wheel is."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from minitorch.course.tasks import SOLVED

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.whole_course
def test_the_course_from_an_installed_wheel(tmp_path: Path) -> None:
    flags = ["--no-deps", "--no-build-isolation", "--quiet", "--wheel-dir", str(tmp_path / "wheels")]
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", *flags, str(ROOT)], check=True, timeout=300)
    (wheel,) = (tmp_path / "wheels").glob("*.whl")
    with zipfile.ZipFile(wheel) as file:
        inside = set(file.namelist())
    wanted = {
        f"minitorch/course/solved/{path.relative_to(SOLVED).as_posix()}"
        for path in SOLVED.rglob("*")
        if path.suffix in (".py", ".toml")
    }
    assert len(wanted) > 50
    assert {
        *wanted,
        "minitorch/course/tasks.toml",
        "minitorch/course/hidden/test_hidden.py",
    } - inside == set()
    site = tmp_path / "site"
    subprocess.run([*pip, "install", "--no-deps", "--quiet", "--target", str(site), str(wheel)], check=True)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")} | {
        "PYTHONPATH": str(site)
    }
    code = "import sys, minitorch_command as c; print(c.__file__); sys.exit(c.main())"
    done = subprocess.run(
        [sys.executable, "-c", code, "course", "new", "4", "mine"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith(str(site))
    assert (tmp_path / "mine" / "project" / "digits.npz").is_file()
    assert (tmp_path / "mine" / "guide" / "module4.md").is_file()
