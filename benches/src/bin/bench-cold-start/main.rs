//! How fast the `addresses` function starts, measured against an empty one on the same machine.
//!
//! Each run starts a fresh process of one, then of the other, so that whatever else the machine does slows down
//! both. Ratios are judged, never times: they hold on any machine.

#![expect(clippy::print_stderr, reason = "a program for a terminal")]

mod binaries;
mod function;
mod report;
mod runtime_api;
mod user;

use std::process::ExitCode;
use std::time::Duration;

use benches::Failure;
use clap::{ArgAction, Parser};
use local::{Options, System};

use crate::binaries::Binaries;
use crate::function::Function;
use crate::report::{Report, Runs};
use crate::user::User;

/// Measures the cold start of `addresses` against that of an empty function.
#[derive(Debug, Parser)]
struct Arguments {
    /// How many cold starts of each.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// Whether to build both functions first.
    #[arg(long, default_value_t = true, action = ArgAction::Set)]
    build: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    benches::told(measure(&Arguments::parse()).await, Report::broken)
}

async fn measure(arguments: &Arguments) -> Result<Report, Failure> {
    if arguments.build {
        eprintln!("Building both functions as they are deployed, which takes minutes when much has changed.");
        binaries::build()?;
    }
    let binaries = Binaries::find()?;
    let sizes = (binaries.empty.zipped()?, binaries.addresses.zipped()?);
    // Nothing is cut off here, so nothing needs to be looked for between the runs.
    let options = Options { reconcile_every: Duration::from_secs(3600), ..Options::default() };
    let system = System::start(options).await?;
    let user = User::sign_up(&system).await?;
    let empty = Function::empty(&binaries.empty);
    let addresses = Function::addresses(&binaries.addresses, &system.wiring, &user);
    eprintln!("Starting each of them {} times.", arguments.runs);
    // The first start of each reads its program from the disk, which says more of the disk.
    empty.start().await?;
    addresses.start().await?;
    let mut runs = (Runs::default(), Runs::default());
    for _ in 0..arguments.runs {
        runs.0.push(empty.start().await?);
        runs.1.push(addresses.start().await?);
    }
    system.stop().await;
    Ok(Report { runs, sizes })
}
