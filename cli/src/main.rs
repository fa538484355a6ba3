//! The program `covermix`; everything is in the library part.

use std::process::ExitCode;

fn main() -> ExitCode {
    covermix_cli::run(std::env::args_os())
}
