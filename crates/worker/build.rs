//! Bakes the folder of libtorch into the worker's run path, and into nothing else: the dashboard
//! must start where there is no libtorch, so only `rustc-link-arg-bin` for the worker is used. Its
//! version is passed to the worker too.

#![allow(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    reason = "the walls around `disk` and the terminal are for the programs"
)]

use std::fs;
use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if let Ok(lib) = std::env::var("DEP_TCH_LIBTORCH_LIB") {
        println!("cargo::rustc-link-arg-bin=traintop-worker=-Wl,-rpath,{lib}");
        let version = version_in(Path::new(&lib)).unwrap_or_else(|| "unknown".to_owned());
        println!("cargo::rustc-env=TRAINTOP_LIBTORCH_VERSION={version}");
    }
}

/// The version of the libtorch whose `lib` folder this is: `build-version` has it alone, a Python
/// torch's `version.py` between quotes.
fn version_in(lib: &Path) -> Option<String> {
    let folder = lib.parent()?;
    let own = fs::read_to_string(folder.join("build-version"));
    let text = own
        .or_else(|_| fs::read_to_string(folder.join("version.py")))
        .ok()?;
    let line = text.lines().find(|line| line.contains('.'))?;
    let version = line.split(['\'', '"']).find(|part| part.contains('.'))?;
    Some(version.trim().to_owned())
}
