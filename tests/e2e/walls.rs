//! The wall that the architecture rests on: libtorch stays in the worker.

use std::fs;

use crate::programs::TRAINTOP;

#[test]
fn dashboard_program_is_linked_without_libtorch() {
    let program = fs::read(TRAINTOP).unwrap();
    for library in ["libtorch_cpu.so", "libtorch.so", "libc10.so"] {
        let found = program
            .windows(library.len())
            .any(|window| window == library.as_bytes());
        assert!(!found, "the dashboard's file names {library}");
    }
}
