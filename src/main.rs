//! The dashboard and command line.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use traintop::{cli, launch};

fn main() -> ExitCode {
    launch::keep_descriptors_to_ourselves();
    if let Err(error) = color_eyre::install() {
        eprintln!("{error}");
    }
    match cli::run(cli::Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            // `eprintln` would panic where standard error is gone, as with a closed terminal.
            let _ = writeln!(io::stderr(), "{error:#}");
            ExitCode::FAILURE
        }
    }
}
