"""Run by `nox -s wheel`: the built wheel is complete, installs by itself and imports without any extra."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "src" / "govfile"


def main(wheel: Path, sdist: Path) -> None:
    """Raise `SystemExit` with the reason when something is missing."""
    with zipfile.ZipFile(wheel) as archive:
        inside = {name for name in archive.namelist() if name.startswith("govfile/")}
    expected = {
        f"govfile/{path.relative_to(PACKAGE).as_posix()}"
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    if inside != expected or "govfile/py.typed" not in inside:
        raise SystemExit(f"the wheel differs from src/govfile: {sorted(inside ^ expected)}")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    for needed in ("LICENSE", "README.md", "CHANGELOG.md", "SECURITY.md", "noxfile.py", "tests/conftest.py"):
        if needed not in names:
            raise SystemExit(f"the source distribution lacks {needed}")
    with tempfile.TemporaryDirectory() as place:
        pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", place, str(wheel)]
        subprocess.run(pip, check=True)
        program = "import govfile; assert govfile.__version__; import govfile.errors; print(govfile.__file__)"
        shown = subprocess.run(
            [sys.executable, "-X", "dev", "-W", "error", "-c", program],
            check=True,
            capture_output=True,
            text=True,
            cwd=place,
            env={"PYTHONPATH": place},
        )
        if not shown.stdout.startswith(place):
            raise SystemExit(f"the installed wheel was not the one imported: {shown.stdout}")
        said = subprocess.run(
            [sys.executable, "-m", "govfile"], capture_output=True, text=True, cwd=place, env={"PYTHONPATH": place}
        )
        if said.returncode != 2 or "pip install 'govfile[cli]'" not in said.stderr:
            raise SystemExit(f"without the extra, the command said: {said.stderr or said.stdout}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
