//! What was measured, and whether it is good enough.

use std::fmt::{Display, Formatter, Result};

use local::Cost;

use crate::searches::Measure;

/// A search may cost so many times as much among the most members as among the fewest.
const RATIO: f64 = 2.0;

/// What each search cost, by the size of the membership.
#[derive(Default)]
pub(crate) struct Report {
    sizes: Vec<usize>,
    rows: Vec<Row>,
}

/// What one search cost at each size.
struct Row {
    what: String,
    costs: Vec<Cost>,
    is_flat: bool,
}

impl Report {
    /// Adds what was measured in a membership of so many. Each measures the same.
    pub(crate) fn add(&mut self, size: usize, measured: Vec<Measure>) {
        self.sizes.push(size);
        for Measure { what, cost, is_flat } in measured {
            match self.rows.iter_mut().find(|row| row.what == what) {
                Some(row) => row.costs.push(cost),
                None => self.rows.push(Row { what, costs: vec![cost], is_flat }),
            }
        }
    }

    /// The requirements that do not hold, each in a sentence.
    pub(crate) fn broken(&self) -> Vec<String> {
        let broken = self.rows.iter().filter_map(|Row { what, costs, is_flat }| {
            let ratio = ratio(costs);
            if costs.len() != self.sizes.len() {
                return Some(format!("{what}: was not measured at each size."));
            }
            // What is no number is not cheap either.
            let cheap = ratio <= RATIO || !is_flat;
            let dear = "times the capacity among the most members";
            (!cheap).then(|| format!("{what}: {ratio:.2} {dear}; at most {RATIO} times are allowed."))
        });
        broken.collect()
    }
}

/// How many times the capacity of the first membership the last one takes.
fn ratio(costs: &[Cost]) -> f64 {
    let units = |cost: Option<&Cost>| cost.map_or(f64::NAN, Cost::units);
    units(costs.last()) / units(costs.first())
}

impl Display for Report {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        write!(out, "| {:48} |", "read units, and round trips")?;
        self.sizes.iter().try_for_each(|size| write!(out, " {size:>7} |       |"))?;
        writeln!(out, " ratio |")?;
        write!(out, "|{:-<50}|", "")?;
        self.sizes.iter().try_for_each(|_| write!(out, "--------:|------:|"))?;
        writeln!(out, "------:|")?;
        for Row { what, costs, is_flat } in &self.rows {
            write!(out, "| {what:48} |")?;
            costs.iter().try_for_each(|cost| write!(out, " {:>7.1} | {:>5} |", cost.units(), cost.rounds))?;
            writeln!(out, " {:>5.2}{} |", ratio(costs), if *is_flat { "" } else { "*" })?;
        }
        writeln!(out, "\n\\* Its answer, or what is equal in it, grows with the membership: not judged.")
    }
}
