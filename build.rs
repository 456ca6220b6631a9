//! Bakes the folder of libtorch into the worker's run path, and into nothing else: the dashboard must start where
//! there is no libtorch, so only `rustc-link-arg-bin` for the worker is used.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if let Ok(lib) = std::env::var("DEP_TCH_LIBTORCH_LIB") {
        println!("cargo::rustc-link-arg-bin=traintop-worker=-Wl,-rpath,{lib}");
    }
}
