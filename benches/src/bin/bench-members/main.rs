//! What searches and rankings cost in memberships of a thousand, ten thousand and a hundred thousand members.
//!
//! Capacity units are judged and no times: they are what AWS bills, and the same on any machine.

#![expect(clippy::print_stderr, reason = "a program for a terminal")]

mod people;
mod searches;

use std::process::ExitCode;

use benches::Failure;
use benches::emulator::Emulator;
use benches::random::Random;
use benches::report::Report;
use clap::Parser;

use crate::searches::Filled;

/// Measures what searching the members of small and large memberships costs.
#[derive(Debug, Parser)]
struct Arguments {
    /// How many members the memberships have, the fewest first.
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 10_000, 100_000])]
    members: Vec<usize>,
}

/// So many members are written at once, so that their items do not fill the memory.
const BATCH: usize = 1_000;

// One thread: a call cannot be answered before all have been sent that do not wait for it, so that round trips are told
// right.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    benches::told(measure(&Arguments::parse()).await, Report::broken)
}

async fn measure(arguments: &Arguments) -> Result<Report, Failure> {
    let emulator = Emulator::start().await?;
    let mut report = Report::default();
    for size in &arguments.members {
        eprintln!("Filling a membership with {size} members.");
        let filled = fill(&emulator, *size).await?;
        report.add(*size, filled.measure().await?);
    }
    Ok(report)
}

/// A membership of so many, in the emulator.
async fn fill(emulator: &Emulator, size: usize) -> Result<Filled<'_>, Failure> {
    let store = &emulator.store;
    let configuration = people::membership(store).await?;
    let mut random = Random::seeded();
    let mut new = store.new_members(&configuration);
    let (mut members, mut items) = (Vec::with_capacity(size), Vec::new());
    for nth in 0..size {
        let member = configuration.placed(people::member(&configuration, &mut random, (nth, size))?);
        items.extend(new.add(&member)?);
        members.push(member);
        if (nth + 1) % BATCH == 0 {
            emulator.fill(items.drain(..))?;
        }
    }
    emulator.fill(items)?;
    emulator.fill(new.counters())?;
    Ok(Filled { store, meter: &emulator.meter, configuration, members })
}
