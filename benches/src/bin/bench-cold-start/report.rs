//! What was measured, and whether it is good enough.

use std::fmt::{Display, Formatter, Result};
use std::time::Duration;

use crate::function::Times;

/// [`ANSWER`] may take this many times the empty function's.
const RATIO: f64 = 6.0;

/// The deployment package may have this many bytes.
const SIZE: usize = 4_000_000;

/// Two functions, the empty one first.
pub(crate) struct Report {
    /// How long their processes took.
    pub(crate) runs: (Runs, Runs),
    /// How big their packages are.
    pub(crate) sizes: (usize, usize),
}

/// How long each process took.
#[derive(Default)]
pub(crate) struct Runs(Vec<Times>);

/// What is measured, with its name.
type Measure = (&'static str, fn(&Times) -> Duration);

const INIT: Measure = ("init", |times| times.init);
const FIRST: Measure = ("first answer", |times| times.first);
const SECOND: Measure = ("second answer", |times| times.second);
const ANSWER: Measure = ("init + first", Times::answer);

/// The least time and the one in the middle, in milliseconds.
#[derive(Clone, Copy)]
struct Summary {
    minimum: f64,
    median: f64,
}

impl Runs {
    /// Adds a process.
    pub(crate) fn push(&mut self, times: Times) {
        self.0.push(times);
    }

    fn summary(&self, (_, measure): Measure) -> Summary {
        let mut all: Vec<_> = self.0.iter().map(|times| measure(times).as_secs_f64() * 1e3).collect();
        all.sort_by(f64::total_cmp);
        let at = |index: usize| all.get(index).copied().unwrap_or(f64::NAN);
        Summary { minimum: at(0), median: f64::midpoint(at(all.len().saturating_sub(1) / 2), at(all.len() / 2)) }
    }
}

impl Report {
    /// The requirements that do not hold, each in a sentence.
    pub(crate) fn broken(&self) -> Vec<String> {
        let mut broken = Vec::new();
        // The least times: whatever else the machine does only ever adds to a time.
        let ratio = self.ratio(ANSWER).minimum;
        if ratio > RATIO {
            broken.push(format!(
                "The {} of addresses takes {ratio:.2} times as long as the empty function's (minimum); at most {RATIO} \
                 times are allowed.",
                ANSWER.0
            ));
        }
        if self.sizes.1 > SIZE {
            broken.push(format!("The package of addresses has {} bytes; at most {SIZE} are allowed.", self.sizes.1));
        }
        broken
    }

    fn ratio(&self, measure: Measure) -> Summary {
        let (empty, addresses) = (self.runs.0.summary(measure), self.runs.1.summary(measure));
        Summary { minimum: addresses.minimum / empty.minimum, median: addresses.median / empty.median }
    }
}

impl Display for Report {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        writeln!(out, "{:16}{:>18}{:>18}{:>18}", "", "empty", "addresses", "ratio")?;
        writeln!(out, "{:16}{1:>9}{2:>9}{1:>9}{2:>9}{1:>9}{2:>9}", "", "minimum", "median")?;
        for measure in [INIT, FIRST, SECOND, ANSWER] {
            let (empty, addresses) = (self.runs.0.summary(measure), self.runs.1.summary(measure));
            write!(out, "{:16}", measure.0)?;
            for Summary { minimum, median } in [empty, addresses, self.ratio(measure)] {
                write!(out, "{minimum:>9.2}{median:>9.2}")?;
            }
            writeln!(out)?;
        }
        let (empty, addresses) = self.sizes;
        writeln!(out, "{:16}{empty:>18}{addresses:>18}", "package, bytes")?;
        writeln!(out, "Times in milliseconds, of {} processes of each.", self.runs.0.0.len())
    }
}
