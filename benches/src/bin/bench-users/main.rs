//! What lists, look-ups and changes of users cost in segments of a thousand to a million.
//!
//! Capacity units are judged and no times: they are what AWS bills, and the same on any machine.

#![expect(clippy::print_stderr, reason = "a program for a terminal")]

mod cases;
mod chart;
mod measured;
mod people;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc;

use benches::Failure;
use benches::emulator::Emulator;
use benches::random::Random;
use benches::report::Report;
use clap::Parser;
use domain::Segment;
use store::{Item, Store};

use crate::measured::Filled;
use crate::people::{Names, Person};

/// Measures what reading the users of small and large segments costs.
#[derive(Debug, Parser)]
struct Arguments {
    /// How many users the segments have, the fewest first.
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 10_000, 100_000, 1_000_000])]
    users: Vec<usize>,
    /// Where to draw a chart, as SVG.
    #[arg(long)]
    chart: Option<PathBuf>,
}

/// So many users are written at once, so that their items do not fill the memory.
const BATCH: usize = 1_000;

/// Nothing that is measured sorts by these.
const UNREAD: [&str; 2] = ["name", "updated_at"];

// One thread: a call cannot be answered before all have been sent that do not wait for it, so that round trips are told
// right.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    benches::told(measure(&arguments).await, Report::broken)
}

async fn measure(arguments: &Arguments) -> Result<Report, Failure> {
    let mut report = Report::default();
    for size in &arguments.users {
        // A fresh one, so that only the largest segment has to fit into the memory.
        let emulator = Emulator::start().await?;
        eprintln!("Filling a segment with {size} users.");
        let filled = fill(&emulator, *size).await?;
        eprintln!("Measuring.");
        report.add(*size, filled.measure().await?);
    }
    if let Some(path) = &arguments.chart {
        chart::draw(&report, path)?;
    }
    Ok(report)
}

/// A segment of so many, in the emulator.
async fn fill(emulator: &Emulator, size: usize) -> Result<Filled<'_>, Failure> {
    let store = &emulator.store;
    let segment = people::segment(store).await?;
    let people = std::thread::scope(|scope| {
        let (sender, batches) = mpsc::sync_channel(2);
        let written = scope.spawn(move || batches.into_iter().try_for_each(|batch: Vec<Item>| emulator.fill(batch)));
        let people = generate(store, &segment, size, &sender);
        drop(sender);
        written.join().map_err(|_| "Writing has panicked.")??;
        people
    });
    Ok(Filled { store, meter: &emulator.meter, segment: segment.id, people: people? })
}

/// Makes the items of so many users.
fn generate(
    store: &Store,
    segment: &Segment,
    size: usize,
    written: &mpsc::SyncSender<Vec<Item>>,
) -> Result<Vec<Person>, Failure> {
    let (mut random, names) = (Random::seeded(), Names::new());
    let mut new = store.new_users(segment.owner_id).without(segment.id, &UNREAD);
    let (mut people, mut items) = (Vec::with_capacity(size), Vec::new());
    for nth in 0..size {
        let (user, entry) = people::user(segment, &names, &mut random, nth)?;
        items.extend(new.add(&user, &entry)?);
        people.push(Person::of(&user));
        if (nth + 1) % BATCH == 0 {
            written.send(std::mem::take(&mut items))?;
        }
    }
    items.extend(new.counters());
    written.send(items)?;
    Ok(people)
}
