//! Where the programs are.

use std::path::Path;

pub const TRAINTOP: &str = env!("CARGO_BIN_EXE_traintop");
/// The real worker, which a build of the workspace puts beside the dashboard.
const WORKER: &str = concat!(env!("CARGO_BIN_EXE_traintop"), "-worker");

/// The path of the real worker.
pub fn worker() -> &'static str {
    assert!(
        Path::new(WORKER).exists(),
        "{WORKER} is missing: `make test` builds it"
    );
    WORKER
}
