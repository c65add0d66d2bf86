//! How much of a response fits through Lambda, which takes 6 MB.

use std::io::{self, Write};

use serde_json::Value;

/// The most bytes of the rows of a page, as they travel.
const MAX_ROWS: usize = 5_500_000;

/// Counts the bytes of JSON as Lambda sends them: inside of a string of JSON, where quotes and backslashes are escaped.
#[derive(Default)]
struct PayloadLength(usize);

impl Write for PayloadLength {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.iter().map(|byte| if matches!(byte, b'"' | b'\\') { 2 } else { 1 }).sum::<usize>();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns how many of the first rows fit into a page: at least one, which is an item of at most 400 KB.
pub(crate) fn count_fitting<'a>(rows: impl IntoIterator<Item = &'a Value>) -> usize {
    let mut length = PayloadLength::default();
    let fits = |row: &Value| {
        // To count cannot fail.
        drop(serde_json::to_writer(&mut length, row));
        length.write(b",").is_ok() && length.0 <= MAX_ROWS
    };
    rows.into_iter().map(fits).take_while(|fits| *fits).count().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_counted_as_they_travel() {
        let plain = Value::from("x".repeat(999_996));
        assert_eq!(count_fitting([&plain; 9]), 5);
        let quotes = Value::from("\"".repeat(999_996));
        // Each quote is `\"` in JSON, and `\\\"` in a string of JSON.
        assert_eq!(count_fitting([&quotes; 9]), 1);
        let large = Value::from("x".repeat(9_000_000));
        assert_eq!(count_fitting([&large; 2]), 1);
        assert_eq!(count_fitting([&Value::Null; 3]), 3);
    }
}
