//! What the benchmarks have in common: how they end and, where they search among few and among many, how.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "programs for a terminal")]

pub mod emulator;
pub mod names;
pub mod random;
pub mod report;

use std::fmt::Display;
use std::process::ExitCode;

/// What goes wrong in a benchmark, in words for whoever runs it.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Tells what was measured, and each requirement that `broken` finds not to hold, in a sentence.
#[must_use]
pub fn told<R: Display>(measured: Result<R, Failure>, broken: impl Fn(&R) -> Vec<String>) -> ExitCode {
    let report = match measured {
        Ok(report) => report,
        Err(failure) => {
            eprintln!("{failure}");
            return ExitCode::FAILURE;
        }
    };
    print!("{report}");
    let broken = broken(&report);
    broken.iter().for_each(|requirement| eprintln!("{requirement}"));
    if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
