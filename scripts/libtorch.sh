#!/usr/bin/env bash
# Finds or makes the libtorch that the worker links, and points the link `.libtorch` in this clone at it.
#
#   1. LIBTORCH, if it is set;
#   2. else a Python torch of the exact version;
#   3. else, where there is an NVIDIA driver, the CUDA libtorch out of PyPI's torch wheel and its own dependencies;
#   4. else the same wheel trimmed to the CPU (about 0.5 GB).
#
# 3 and 4 are made once, in the user's cache folder, and shared by all clones. TRAINTOP_LIBTORCH=cpu or =cuda decides
# between them by hand, for a login node without a driver that builds for nodes with one.
set -euo pipefail

version=2.11.0
project=$(cd "$(dirname "$0")/.." && pwd)
link=$project/.libtorch
cache=${XDG_CACHE_HOME:-$HOME/.cache}/traintop
again="run the same command again"

say() { printf 'libtorch: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# The version that a folder's own files state, without its +cpu or +cu130; nothing if they state none.
version_of() {
    local text=
    if [ -f "$1/build-version" ]; then
        text=$(head -n 1 "$1/build-version")
    elif [ -f "$1/version.py" ]; then
        text=$(sed -n "s/^__version__ = ['\"]\([^'\"]*\)['\"].*/\1/p" "$1/version.py")
    fi
    printf '%s' "${text%%+*}"
}

# What a folder lacks to be compiled and linked against; nothing if it is whole.
lack_of() {
    local file
    for file in include/torch/csrc/api/include/torch/torch.h lib/libtorch_cpu.so lib/libc10.so lib/libtorch.so; do
        [ -s "$1/$file" ] || { printf '%s' "$file"; return; }
    done
    # Folders made here carry a list of their files and sizes.
    [ -f "$1/manifest" ] || return 0
    local size path
    while read -r size path; do
        [ "$(stat -c %s "$1/$path" 2>/dev/null)" = "$size" ] || { printf '%s' "$path"; return; }
    done <"$1/manifest"
}

use() { # FOLDER WORDS
    local now
    now=$(readlink "$link" 2>/dev/null || true)
    if [ "$now" != "$1" ]; then
        [ ! -e "$link" ] || [ -L "$link" ] || die "$link is in the way: it should be a link; move it away and $again."
        ln -sfn "$1" "$link"
    fi
    say "using $2 ($1)"
    exit 0
}

if [ -n "${LIBTORCH:-}" ] && [ "$(realpath -m "$LIBTORCH")" != "$(realpath -m "$link")" ]; then
    [ -d "$LIBTORCH" ] || die "LIBTORCH names $LIBTORCH, which is not a folder; set it to a libtorch $version folder, or unset it."
    folder=$(realpath "$LIBTORCH")
    found=$(version_of "$folder")
    [ -z "$found" ] || [ "$found" = "$version" ] || die "LIBTORCH names version $found at $folder, but traintop needs $version; set it to such a folder, or unset it."
    lack=$(lack_of "$folder")
    [ -z "$lack" ] || die "LIBTORCH names $folder, which is no complete libtorch ($lack is missing or damaged); set it to a libtorch $version folder, or unset it."
    use "$folder" "LIBTORCH"
fi

# Found without importing it: an import takes seconds and may fail for reasons of its own.
if command -v python3 >/dev/null && [ -z "${TRAINTOP_LIBTORCH:-}" ]; then
    folder=$(python3 -c 'import importlib.util as u; s = u.find_spec("torch"); print(s.submodule_search_locations[0] if s and s.submodule_search_locations else "")' 2>/dev/null || true)
    if [ -n "$folder" ] && [ "$(version_of "$folder")" = "$version" ] && [ -z "$(lack_of "$folder")" ]; then
        use "$folder" "Python's torch $version"
    fi
fi

has_driver() { [ -e /proc/driver/nvidia/version ] || { command -v nvidia-smi >/dev/null && nvidia-smi -L >/dev/null 2>&1; }; }
kind=${TRAINTOP_LIBTORCH:-}
if [ -z "$kind" ]; then
    if has_driver; then kind=cuda; else kind=cpu; fi
fi
case $kind in
cpu) root=$cache/libtorch-$version-cpu folder=$root need_gb=2 ;;
cuda) root=$cache/libtorch-$version-cuda folder=$root/torch need_gb=8 ;;
*) die "TRAINTOP_LIBTORCH must be cpu or cuda, got '$kind'." ;;
esac

if [ -d "$root" ]; then
    lack=$(lack_of "$folder")
    if [ -z "$lack" ] && [ "$(version_of "$folder")" = "$version" ]; then use "$folder" "the $kind libtorch $version made earlier"; fi
    say "$root is incomplete (${lack:-its version} is missing or damaged); rebuilding it."
fi

[ "$(uname -sm)" = "Linux x86_64" ] || die "only on x86-64 Linux can it be made automatically; set LIBTORCH to a libtorch $version folder."
command -v python3 >/dev/null || die "python3 is needed to fetch it; install it with: sudo apt-get install python3"
python3 -m pip --version >/dev/null 2>&1 || die "python3's pip is needed to fetch it; install it with: sudo apt-get install python3-pip"

mkdir -p "$cache" 2>/dev/null || die "cannot make $cache; set XDG_CACHE_HOME to a folder that you may write."
exec 9>"$cache/libtorch.lock"
if ! flock -n 9; then
    say "another clone is making it; waiting for it."
    flock 9
    if [ -d "$root" ] && [ -z "$(lack_of "$folder")" ]; then use "$folder" "the $kind libtorch $version made meanwhile"; fi
fi

free_kb=$(df -Pk "$cache" | awk 'NR == 2 { print $4 }')
[ "$free_kb" -ge $((need_gb * 1000 * 1000)) ] || die "making it takes $need_gb GB in $cache, where only $((free_kb / 1000)) MB are free; make room, or set XDG_CACHE_HOME to a folder on another disk."

# What an interrupted earlier start left; the lock is held, so nobody is using it.
rm -rf "$cache"/making-libtorch.*
work=$(mktemp -d "$cache/making-libtorch.XXXXXX")
trap 'rm -rf "$work"' EXIT
say "fetching torch $version for $kind (once, into $cache)"
TMPDIR=$work python3 "$project/scripts/libtorch_from_wheels.py" "$kind" "$work" || exit 1
rm -rf "$root.old"
[ ! -d "$root" ] || mv "$root" "$root.old"
mv "$work/made" "$root"
rm -rf "$root.old"
lack=$(lack_of "$folder")
[ -z "$lack" ] || die "what was made lacks $lack; $again, and if it stays so, set LIBTORCH to a libtorch $version folder."
use "$folder" "the $kind libtorch $version made now"
