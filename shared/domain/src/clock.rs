//! Times: read from the clock here and nowhere else, always UTC, always with milliseconds.

use std::time::Duration;

use jiff::civil::DateTime;
use jiff::fmt::temporal::DateTimeParser;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::Value;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::error::FieldError;
use crate::field::{Field, Pointer};

/// An instant in UTC, kept and shown to the millisecond (`2026-11-21T10:00:00.000Z`): milliseconds since 1970.
///
/// The range is the years 1 to 9999; a later or earlier instant becomes the nearest end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(i64);

/// `0001-01-01T00:00:00.000Z`: databases and languages have no year 0.
const FIRST_MILLIS: i64 = -62_135_596_800_000;
/// `9999-12-31T23:59:59.999Z`, which other systems write for "never".
const LAST_MILLIS: i64 = 253_402_300_799_999;

impl Time {
    /// The present moment.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    #[must_use]
    pub fn now() -> Self {
        Self::from_millis(Timestamp::now().as_millisecond())
    }

    /// Returns the instant `millis` milliseconds after 1970, or the end of the range that is nearest to it.
    #[must_use]
    pub fn from_millis(millis: i64) -> Self {
        Self(millis.clamp(FIRST_MILLIS, LAST_MILLIS))
    }

    /// When the thing with this id (a `UUIDv7`) was made.
    #[must_use]
    pub fn of(id: uuid::Uuid) -> Self {
        let (seconds, nanos) = id.get_timestamp().map_or((0, 0), |made| made.to_unix());
        let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
        Self::from_millis(seconds.saturating_mul(1000).saturating_add(i64::from(nanos / 1_000_000)))
    }

    /// The first of all ids that could be made at this time.
    #[must_use]
    pub fn first_id(self) -> uuid::Uuid {
        let millis = u64::try_from(self.millis()).unwrap_or_default();
        uuid::Uuid::from_u64_pair((millis << 16) | 0x7000, 0x8000_0000_0000_0000)
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970, the unit of DynamoDB's TTL and of tokens.
    #[must_use]
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// This instant and `more`.
    #[must_use]
    pub fn plus(self, more: Duration) -> Self {
        let more = i64::try_from(more.as_millis()).unwrap_or(i64::MAX);
        Self::from_millis(self.millis().saturating_add(more))
    }

    /// This instant less `less`.
    #[must_use]
    pub fn minus(self, less: Duration) -> Self {
        let less = i64::try_from(less.as_millis()).unwrap_or(i64::MAX);
        Self::from_millis(self.millis().saturating_sub(less))
    }

    /// Parses a date and time with an offset. What the offset shifts past the range becomes the nearest end.
    fn parse(text: &str) -> Option<Self> {
        const PARSER: DateTimeParser = DateTimeParser::new();
        if !has_shape(text) {
            return None;
        }
        let pieces = PARSER.parse_pieces(text).ok()?;
        let local = pieces.date().to_datetime(pieces.time()?);
        let offset = pieces.to_numeric_offset()?;
        let since_1970 = local.duration_since(DateTime::constant(1970, 1, 1, 0, 0, 0, 0));
        let millis = since_1970.as_secs() * 1000 + i64::from(since_1970.subsec_nanos()).div_euclid(1_000_000);
        (local.year() >= 0).then(|| Self::from_millis(millis - i64::from(offset.seconds()) * 1000))
    }
}

/// Whether a text is written as RFC 3339, section 5.6, says; the parser reads more of ISO 8601.
fn has_shape(text: &str) -> bool {
    let fits = |text: &str, shape: &str| {
        let fits = |(letter, place): (u8, u8)| {
            if place == b'0' { letter.is_ascii_digit() } else { letter.eq_ignore_ascii_case(&place) }
        };
        text.len() == shape.len() && text.bytes().zip(shape.bytes()).all(fits)
    };
    let Some((local, rest)) = text.split_at_checked(19) else { return false };
    let fraction = rest.strip_prefix('.').map(|rest| rest.trim_start_matches(|letter: char| letter.is_ascii_digit()));
    let has_digits = fraction.is_none_or(|zone| zone.len() + 1 < rest.len());
    let zone = fraction.unwrap_or(rest);
    let hours = zone.get(1..3).is_none_or(|hours| hours < "24");
    let is_offset = (fits(zone, "+00:00") || fits(zone, "-00:00")) && hours;
    fits(local, "0000-00-00T00:00:00") && has_digits && (zone.eq_ignore_ascii_case("z") || is_offset)
}

impl std::fmt::Display for Time {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let start = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
        // Within the range of a civil date and time, which is wider.
        let at = start.checked_add(SignedDuration::from_millis(self.0)).unwrap_or(start);
        let (date, time) = (at.date(), at.time());
        let millis = time.subsec_nanosecond() / 1_000_000;
        let (year, month, day) = (date.year(), date.month(), date.day());
        let (hour, minute, second) = (time.hour(), time.minute(), time.second());
        write!(out, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("not an RFC 3339 time"))
    }
}

impl Field for Time {
    fn read(value: Value, at: &Pointer, errors: &mut Vec<FieldError>) -> Option<Self> {
        let time = value.as_str().map(str::trim).and_then(Self::parse);
        if time.is_none() {
            errors.push(at.error("invalid_time", "must be an RFC 3339 time such as 2026-01-31T09:30:00Z"));
        }
        time
    }

    fn show(&self) -> Value {
        self.to_string().into()
    }

    fn schema() -> RefOr<Schema> {
        <Self as PartialSchema>::schema()
    }
}

impl PartialSchema for Time {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .description(Some("RFC 3339 in UTC with milliseconds."))
            .examples([serde_json::json!("2026-11-21T10:00:00.000Z")])
            .into()
    }
}

impl ToSchema for Time {}

/// A calendar day, `YYYY-MM-DD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Date(jiff::civil::Date);

impl std::fmt::Display for Date {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(out)
    }
}

impl Field for Date {
    fn read(value: Value, at: &Pointer, errors: &mut Vec<FieldError>) -> Option<Self> {
        // jiff also reads `20260131` and dates with a time; the contract is the long form alone.
        let date = value.as_str().map(str::trim).filter(|text| text.len() == 10).and_then(|text| text.parse().ok());
        if date.is_none() {
            errors.push(at.error("invalid_date", "must be a day that exists, written YYYY-MM-DD"));
        }
        date.map(Self)
    }

    fn show(&self) -> Value {
        self.to_string().into()
    }

    fn schema() -> RefOr<Schema> {
        <Self as PartialSchema>::schema()
    }
}

impl PartialSchema for Date {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Date)))
            .description(Some("A calendar day, `YYYY-MM-DD`."))
            .examples([serde_json::json!("1990-02-28")])
            .into()
    }
}

impl ToSchema for Date {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_shown_with_three_digits_of_a_second_even_when_they_are_zero() {
        assert_eq!(Time::from_millis(1_763_719_200_000).to_string(), "2025-11-21T10:00:00.000Z");
    }

    #[test]
    fn the_range_is_the_years_0_to_9999_and_is_clamped() {
        for (text, shown) in [
            ("9999-12-31T23:59:59Z", Some("9999-12-31T23:59:59.000Z")),
            ("9999-12-31T23:59:59.999999Z", Some("9999-12-31T23:59:59.999Z")),
            ("9999-12-31T23:59:59-05:00", Some("9999-12-31T23:59:59.999Z")),
            ("9999-12-31T00:00:00+05:00", Some("9999-12-30T19:00:00.000Z")),
            ("0001-01-01T00:00:00+05:00", Some("0001-01-01T00:00:00.000Z")),
            ("0000-12-31T00:00:00Z", Some("0001-01-01T00:00:00.000Z")),
            ("2030-01-01T10:00:00+24:00", None),
            ("2030-01-01T10:00:00+02", None),
            ("2030-01-01T10:00:00+0200", None),
            ("2030-01-01T10Z", None),
            ("20300101T100000Z", None),
            ("2030-01-01T10:00:00,5Z", None),
            ("2030-01-01T10:00:00.Z", None),
            ("2030-01-01 10:00:00Z", None),
            ("1969-12-31T23:59:59.9Z", Some("1969-12-31T23:59:59.900Z")),
            ("2026-11-21T10:00:00.1234+02:00", Some("2026-11-21T08:00:00.123Z")),
            ("10000-01-01T00:00:00Z", None),
            ("2026-02-30T00:00:00Z", None),
            ("2026-11-21T10:00:00", None),
            ("2026-11-21", None),
        ] {
            assert_eq!(Time::parse(text).map(|time| time.to_string()).as_deref(), shown, "{text}");
        }
        assert_eq!(Time::from_millis(i64::MAX).to_string(), "9999-12-31T23:59:59.999Z");
        assert_eq!(Time::from_millis(-1).seconds(), -1);
        let last = Time::from_millis(i64::MAX);
        assert_eq!(Time::of(last.first_id()), last);
    }

    #[test]
    fn a_day_that_does_not_exist_is_refused_with_its_field() {
        for text in ["2025-02-29", "20250228", "2025-2-28", "2025-02-28T00:00", ""] {
            let mut errors = Vec::new();
            assert_eq!(Date::read(text.into(), &Pointer::root().child("birthdate"), &mut errors), None, "{text}");
            assert_eq!(errors.first().map(|error| error.pointer.as_str()), Some("/birthdate"), "{text}");
        }
    }
}
