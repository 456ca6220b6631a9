//! The two walls that the architecture rests on: libtorch stays in the worker, and modules use only those below them.

use std::fs;
use std::path::{Path, PathBuf};

/// The library's modules, lowest first: each may use only those before it.
const LAYERS: &[&str] = &[
    "text",
    "disk",
    "machine",
    "pickle",
    "run",
    "recipe",
    "analysis",
    "config",
    "launch",
    "dashboard",
    "cli",
];
/// What the worker may use of the library.
const WORKER_MAY_USE: &[&str] = &["disk", "pickle", "text", "run", "recipe", "analysis"];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Every Rust file below `path` (or `path` itself), with its text.
fn rust_files(path: &Path) -> Vec<(PathBuf, String)> {
    if path.is_dir() {
        let mut files = Vec::new();
        for entry in fs::read_dir(path).unwrap() {
            files.extend(rust_files(&entry.unwrap().path()));
        }
        return files;
    }
    if path.extension().is_some_and(|extension| extension == "rs") {
        return vec![(path.to_owned(), fs::read_to_string(path).unwrap())];
    }
    Vec::new()
}

/// The lines of code that name the path `what` as a whole word; comments do not count.
fn lines_naming<'a>(text: &'a str, what: &str) -> Vec<&'a str> {
    let in_word = |next: char| next.is_alphanumeric() || next == '_';
    let whole = |line: &str, at: usize| {
        !line[..at].ends_with(in_word) && !line[at + what.len()..].starts_with(in_word)
    };
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .filter(|line| line.match_indices(what).any(|(at, _)| whole(line, at)))
        .collect()
}

#[test]
fn libtorch_bindings_are_named_only_by_the_worker() {
    let worker = source().join("worker");
    for (path, text) in rust_files(&source()) {
        if !path.starts_with(&worker) {
            for crate_name in ["tch", "torch_sys"] {
                let naming = lines_naming(&text, crate_name);
                assert!(
                    naming.is_empty(),
                    "{} names {crate_name}: {naming:?}",
                    path.display()
                );
            }
        }
    }
}

#[test]
fn dashboard_program_is_linked_without_libtorch() {
    let program = fs::read(env!("CARGO_BIN_EXE_traintop")).unwrap();
    for library in ["libtorch_cpu.so", "libtorch.so", "libc10.so"] {
        let found = program
            .windows(library.len())
            .any(|window| window == library.as_bytes());
        assert!(!found, "the dashboard's file names {library}");
    }
}

#[test]
fn modules_use_only_those_below_them() {
    for (height, module) in LAYERS.iter().enumerate() {
        let files = [source().join(module), source().join(format!("{module}.rs"))];
        for (path, text) in files
            .iter()
            .filter(|path| path.exists())
            .flat_map(|path| rust_files(path))
        {
            for higher in &LAYERS[height + 1..] {
                let naming = lines_naming(&text, &format!("crate::{higher}"));
                assert!(
                    naming.is_empty(),
                    "{} uses {higher}, which stands above {module}: {naming:?}",
                    path.display()
                );
            }
        }
    }
}

#[test]
fn worker_uses_only_recipes_runs_and_numbers() {
    for (path, text) in rust_files(&source().join("worker")) {
        for module in LAYERS
            .iter()
            .filter(|module| !WORKER_MAY_USE.contains(module))
        {
            let naming = lines_naming(&text, &format!("traintop::{module}"));
            assert!(
                naming.is_empty(),
                "{} uses {module}: {naming:?}",
                path.display()
            );
        }
    }
}
