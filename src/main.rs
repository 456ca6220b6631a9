//! The dashboard and command line.

use std::process::ExitCode;

use clap::Parser;
use traintop::cli;

fn main() -> ExitCode {
    if let Err(error) = color_eyre::install() {
        eprintln!("{error}");
    }
    match cli::run(cli::Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
