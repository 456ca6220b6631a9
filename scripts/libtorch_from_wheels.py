"""Makes a libtorch folder out of PyPI's torch wheel: called by libtorch.sh as `libtorch_from_wheels.py cpu|cuda WORK`.

Leaves WORK/made: for `cpu` a libtorch folder with only what a CPU needs, for `cuda` the folders torch/ and nvidia/ side by
side, as pip would lay them, since libtorch finds CUDA's libraries by that place. Whichever Python runs this, the wheels are
those of CPython 3.11 on x86-64 Linux: only their C++ parts are used.
"""

import os
import pathlib
import re
import subprocess
import sys
import zipfile

HERE = pathlib.Path(__file__).parent
VERSION = "2.11.0"
# pip takes a wheel only if its exact tag is named; the torch wheel itself asks for glibc 2.28.
GLIBC = [f"manylinux_2_{minor}" for minor in range(28, 4, -1)] + ["manylinux2014", "manylinux2010", "manylinux1"]
CPU_LIBRARIES = ["libtorch_cpu.so", "libc10.so", "libgomp.so.1", "libshm.so", "libtorch_global_deps.so"]
# libtorch_cpu.so of this wheel names these two, though a CPU never calls them.
CUDA_STUBS = ["libcudart.so.13", "libcupti.so.13"]
# A file of the wheel that only Python needs.
PYTHON_ONLY = "libtorch_python.so"


def fail(sentence):
    sys.exit(f"libtorch: {sentence}")


def fetch(folder, *what):
    """Downloads wheels into `folder`; ends the program with one sentence if that fails."""
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-cache-dir", "--only-binary=:all:"]
    command += ["--python-version", "3.11", "--implementation", "cp", "--abi", "cp311", "--abi", "abi3", "--abi", "none"]
    command += [word for glibc in GLIBC for word in ("--platform", f"{glibc}_x86_64")] + ["--platform", "any"]
    done = subprocess.run([*command, "--dest", str(folder), *what], capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return
    errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or done.stderr.splitlines()[-1:]
    if "No space left" in done.stderr:
        fail(f"the disk of {folder} is full; make room, or set XDG_CACHE_HOME to a folder on another disk.")
    if "DO NOT MATCH THE HASHES" in done.stderr:
        fail("a downloaded wheel is not the expected one (damaged, or changed on its way); run the same command again.")
    fail(f"the download failed; with a network run the same command again, without one set LIBTORCH to a libtorch {VERSION} folder. pip said: {' '.join(errors)[:300]}")


def open_wheel(path):
    try:
        return zipfile.ZipFile(path)
    except zipfile.BadZipFile:
        fail(f"{path.name} is damaged; run the same command again.")


def wheel_of(folder, package):
    paths = sorted(folder.glob(f"{package}-*.whl"))
    if not paths:
        fail(f"the download left no {package} wheel in {folder}; run the same command again.")
    return open_wheel(paths[0])


def unpack(wheel, wanted, place):
    """Writes the members for which `wanted(name)` holds to `place(name)`; zipfile checks each one's CRC."""
    for member in wheel.infolist():
        if member.is_dir() or not wanted(member.filename):
            continue
        target = place(member.filename)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with wheel.open(member) as source, open(target, "wb") as sink:
                while chunk := source.read(1 << 20):
                    sink.write(chunk)
        except zipfile.BadZipFile:
            fail(f"{member.filename} in the wheel is damaged; run the same command again.")
        except OSError as error:
            fail(f"cannot write {target} ({error.strerror}); make room, or set XDG_CACHE_HOME to a folder on another disk.")


def file_name(member):
    return member.split("/")[-1]


def make_cpu(wheels, made):
    fetch(wheels, "--no-deps", "--require-hashes", "--requirement", str(HERE / "libtorch-wheels.txt"))
    with wheel_of(wheels, "torch") as torch:
        unpack(torch, lambda name: name.startswith("torch/include/"), lambda name: made / pathlib.PurePath(name).relative_to("torch"))
        unpack(torch, lambda name: name.startswith("torch/lib/") and file_name(name) in CPU_LIBRARIES, lambda name: made / "lib" / file_name(name))
    for package in ("nvidia_cuda_runtime", "nvidia_cuda_cupti"):
        with wheel_of(wheels, package) as wheel:
            unpack(wheel, lambda name: file_name(name) in CUDA_STUBS, lambda name: made / "lib" / file_name(name))
    # The wheel's own libtorch.so names libtorch_cuda.so; a linker script names what is here.
    (made / "lib" / "libtorch.so").write_text("INPUT ( libtorch_cpu.so libc10.so )\n")
    return made


def make_cuda(wheels, made):
    pinned = wheels.parent / "torch.txt"
    pinned.write_text("".join(line for line in (HERE / "libtorch-wheels.txt").open() if line.startswith("torch==")))
    fetch(wheels, "--no-deps", "--require-hashes", "--requirement", str(pinned))
    with wheel_of(wheels, "torch") as torch:
        metadata = torch.read(f"torch-{VERSION}.dist-info/METADATA").decode()
        unpack(torch, lambda name: re.match(r"torch/(include|lib)/", name) and file_name(name) != PYTHON_ONLY, lambda name: made / name)
    # The torch wheel says which of NVIDIA's it runs with; the rest of what it asks for is Python's.
    needs = [need.split(";")[0].strip() for need in re.findall(r"^Requires-Dist: ((?:cuda-toolkit|nvidia-)[^\n]*)", metadata, re.MULTILINE)]
    fetch(wheels, *needs)
    for path in sorted(wheels.glob("nvidia_*.whl")):
        with open_wheel(path) as wheel:
            unpack(wheel, lambda name: name.startswith("nvidia/") and "/lib/" in name, lambda name: made / name)
        path.unlink()
    return made / "torch"


def main():
    kind, work = sys.argv[1], pathlib.Path(sys.argv[2])
    made = work / "made"
    made.mkdir()
    folder = {"cpu": make_cpu, "cuda": make_cuda}[kind](work / "wheels", made)
    (folder / "build-version").write_text(f"{VERSION}\n")
    # What a later start checks the folder against: the libraries, which a broken copy or a full disk would cut short.
    libraries = sorted(path for path in made.rglob("lib/*") if path.is_file())
    (folder / "manifest").write_text("".join(f"{path.stat().st_size} {os.path.relpath(path, folder)}\n" for path in libraries))


main()
