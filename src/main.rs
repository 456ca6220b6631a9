//! The dashboard and command line.

use std::process::ExitCode;

use traintop::cli;
use traintop_launch as launch;
use traintop_text::terminal::{self, error_text};

fn main() -> ExitCode {
    launch::keep_descriptors_to_ourselves();
    terminal::clean_panics();
    match terminal::parse_arguments().map(cli::run) {
        Ok(Ok(code)) | Err(code) => code,
        Ok(Err(error)) => {
            error_text(format_args!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}
