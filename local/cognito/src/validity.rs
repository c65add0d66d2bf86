//! How long a token lives.

use serde::{Deserialize, Serialize};

use crate::error::Failure;
use crate::input::Input;

pub(crate) const MINUTE: i64 = 60;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;

/// A time span as it was given, so that it can be described as it was given.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Validity {
    pub(crate) amount: i64,
    pub(crate) unit: Unit,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Unit {
    Seconds,
    Minutes,
    Hours,
    Days,
}

impl Validity {
    pub(crate) fn new(amount: i64, unit: Unit) -> Self {
        Self { amount, unit }
    }

    pub(crate) fn seconds(&self) -> i64 {
        let unit = match self.unit {
            Unit::Seconds => 1,
            Unit::Minutes => MINUTE,
            Unit::Hours => HOUR,
            Unit::Days => DAY,
        };
        self.amount.saturating_mul(unit)
    }

    /// `{token}Validity` in the unit that `TokenValidityUnits` names for it; 0 and absent mean `default`.
    pub(crate) fn parse(input: &Input, token: &str, default: Self, range: (i64, i64)) -> Result<Self, Failure> {
        let field = format!("{token}Validity");
        let units = ["seconds", "minutes", "hours", "days"];
        let unit = match input.section("TokenValidityUnits")?.choice(token, &units)? {
            Some("seconds") => Unit::Seconds,
            Some("minutes") => Unit::Minutes,
            Some("hours") => Unit::Hours,
            Some(_) => Unit::Days,
            None => default.unit,
        };
        let validity = match input.number(&field, 0..=315_360_000)? {
            None | Some(0) => default,
            Some(amount) => Self { amount, unit },
        };
        if (range.0..=range.1).contains(&validity.seconds()) {
            Ok(validity)
        } else {
            Err(Failure::invalid(format!("Invalid range for token validity: {field}.")))
        }
    }
}
