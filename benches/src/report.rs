//! What was measured, and whether it is good enough.

use std::fmt::{Display, Formatter, Result};

use local::Cost;

/// A search may cost so many times as much where it costs the most as where it costs the least.
const RATIO: f64 = 2.0;

/// What was measured, and its cost.
#[derive(Debug)]
pub struct Measure {
    /// What, in words.
    pub what: String,
    /// Its cost.
    pub cost: Cost,
    /// Whether it may cost no more among many than among few.
    pub is_flat: bool,
}

/// What each search cost, by how many are searched.
#[derive(Debug, Default)]
pub struct Report {
    /// How many, the fewest first.
    pub sizes: Vec<usize>,
    /// Each search.
    pub rows: Vec<Row>,
}

/// What one search cost at each size.
#[derive(Debug)]
pub struct Row {
    /// What, in words.
    pub what: String,
    /// What it cost, size by size.
    pub costs: Vec<Cost>,
    is_flat: bool,
}

impl Report {
    /// Adds what was measured among so many. Each time it is the same.
    pub fn add(&mut self, size: usize, measured: Vec<Measure>) {
        self.sizes.push(size);
        for Measure { what, cost, is_flat } in measured {
            match self.rows.iter_mut().find(|row| row.what == what) {
                Some(row) => row.costs.push(cost),
                None => self.rows.push(Row { what, costs: vec![cost], is_flat }),
            }
        }
    }

    /// The requirements that do not hold, each in a sentence.
    #[must_use]
    pub fn broken(&self) -> Vec<String> {
        let broken = self.rows.iter().filter_map(|Row { what, costs, is_flat }| {
            let ratio = ratio(costs);
            if costs.len() != self.sizes.len() {
                return Some(format!("{what}: was not measured at each size."));
            }
            // What is no number is not cheap either.
            let cheap = ratio <= RATIO || !is_flat;
            let dear = "times the capacity at one size than at another";
            (!cheap).then(|| format!("{what}: {ratio:.2} {dear}; at most {RATIO} times are allowed."))
        });
        broken.collect()
    }
}

/// How many times the capacity of the size where it is the least the one takes where it is the most.
fn ratio(costs: &[Cost]) -> f64 {
    // Not `f64::max`, which passes over what is no number.
    let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
    for Cost { read_units: units, .. } in costs {
        if units.is_nan() {
            return f64::NAN;
        }
        (least, most) = (least.min(*units), most.max(*units));
    }
    most / least
}

impl Display for Report {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        let title = "read units, and round trips";
        let widest = self.rows.iter().map(|row| row.what.len()).max().unwrap_or_default().max(title.len());
        write!(out, "| {title:widest$} |")?;
        self.sizes.iter().try_for_each(|size| write!(out, " {size:>7} |       |"))?;
        writeln!(out, " ratio |")?;
        write!(out, "|{:-<width$}|", "", width = widest + 2)?;
        self.sizes.iter().try_for_each(|_| write!(out, "--------:|------:|"))?;
        writeln!(out, "------:|")?;
        for Row { what, costs, is_flat } in &self.rows {
            write!(out, "| {what:widest$} |")?;
            costs.iter().try_for_each(|cost| write!(out, " {:>7.1} | {:>5} |", cost.read_units, cost.rounds))?;
            writeln!(out, " {:>5.2}{} |", ratio(costs), if *is_flat { "" } else { "*" })?;
        }
        writeln!(out, "\n\\* Its answer, or what is equal in it, grows with how many are searched: not judged.")
    }
}
