#!/usr/bin/env bash
# Names what has to be on the machine beforehand and is not, each with the Debian command that installs it.
missing=0
need() { # PROGRAM WHAT COMMAND
    command -v "$1" >/dev/null && return
    printf 'traintop needs %s, which is not on this machine; install it with: %s\n' "$2" "$3" >&2
    missing=1
}
need cargo "Rust (cargo)" "sudo apt-get install rustup && rustup default stable"
need c++ "a C++ compiler" "sudo apt-get install g++"
need cc "a C compiler" "sudo apt-get install gcc"
need python3 "python3" "sudo apt-get install python3 python3-pip"
if command -v python3 >/dev/null && ! python3 -m pip --version >/dev/null 2>&1; then
    printf 'traintop needs pip for python3, which is not on this machine; install it with: sudo apt-get install python3-pip\n' >&2
    missing=1
fi
exit $missing
