//! Looks through the file of an import: its header, how many rows it has, and in which batches they are done.

use domain::transfer::{Column, columns, named, unescape_formula};
use domain::{Body as _, Format, UserFields};
use serde::{Deserialize, Serialize};

use crate::rows::{Content, Cutter, Row, delimiter};

/// How long a header may be.
pub(crate) const HEADER: u64 = 64 * 1024;

/// How many rows a batch has at most.
const ROWS: u64 = 500;

/// A batch that has so many bytes has rows enough.
const BYTES: u64 = 1024 * 1024;

/// Some rows of a file: a stretch of it that begins and ends where rows do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// Where the file has it.
    pub from: u64,
    /// Where the file goes on behind it.
    pub to: u64,
    /// The number of its first row, from 1.
    pub row: u64,
    /// On which line the stretch begins, from 1.
    pub line: u64,
}

/// What the beginning of a file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) columns: Vec<String>,
    pub(crate) delimiter: char,
    /// Where the first row begins.
    pub(crate) end: u64,
    /// On which line.
    pub(crate) line: u64,
}

/// The columns that a table of users may have.
pub(crate) fn known() -> Vec<Column> {
    columns(&UserFields::schema())
}

/// Reads the beginning of a file; `whole` says whether that is all of it.
///
/// # Errors
/// What is wrong with it, in a sentence.
pub(crate) fn header(format: Format, beginning: &[u8], whole: bool) -> Result<Header, String> {
    let begins = if beginning.starts_with("\u{feff}".as_bytes()) { 3 } else { 0 };
    let none = Header { columns: Vec::new(), delimiter: ',', end: begins as u64, line: 1 };
    let text = beginning.get(begins..).unwrap_or_default();
    if format == Format::Ndjson {
        return Ok(none);
    }
    let first = String::from_utf8_lossy(text);
    let delimiter = delimiter(first.lines().find(|line| !line.is_empty()).unwrap_or_default());
    let (mut cutter, mut rows) = (Cutter::new(format, delimiter, (none.end, none.line)), Vec::new());
    cutter.feed(text, |row| rows.push(row));
    if whole && rows.is_empty() {
        cutter.end(|row| rows.push(row));
    }
    let Some(Row { end, end_line, content: Content::Cells(names), .. }) = rows.into_iter().next() else {
        return Err("The file must begin with a header of at most 64 KiB that names its columns.".to_owned());
    };
    let columns: Vec<_> = names.iter().map(|name| unescape_formula(name.trim()).to_owned()).collect();
    checked(&columns)?;
    Ok(Header { columns, delimiter, end, line: end_line })
}

fn checked(names: &[String]) -> Result<(), String> {
    let known = known();
    for (nth, name) in names.iter().enumerate() {
        if named(&known, name).is_none() {
            let allowed: Vec<_> = known.iter().map(Column::name).collect();
            let name: String = name.chars().take(100).collect();
            let allowed = allowed.join(", ");
            return Err(format!("The file has a column {name:?}; known are: {allowed}, and metadata.KEY."));
        }
        if names.iter().take(nth).any(|other| other == name) {
            return Err(format!("The file has two columns {name:?}; take one of them out."));
        }
    }
    Ok(())
}

/// Divides rows into batches, as they are found.
#[derive(Debug)]
pub(crate) struct Divider {
    /// Where the last row ended, and on which line.
    at: (u64, u64),
    rows: u64,
    batches: Vec<Batch>,
    open: Option<Batch>,
}

impl Divider {
    pub(crate) fn new(at: (u64, u64)) -> Self {
        Self { at, rows: 0, batches: Vec::new(), open: None }
    }

    pub(crate) fn see(&mut self, row: &Row) {
        self.rows += 1;
        let (at, line) = self.at;
        let batch = self.open.get_or_insert(Batch { from: at, to: at, row: self.rows, line });
        batch.to = row.end;
        self.at = (row.end, row.end_line);
        if self.rows - batch.row + 1 >= ROWS || batch.to - batch.from >= BYTES {
            self.batches.extend(self.open.take());
        }
    }

    /// The batches, and how many rows they have together.
    pub(crate) fn end(mut self) -> (Vec<Batch>, u64) {
        self.batches.extend(self.open.take());
        (self.batches, self.rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_names_columns_between_which_something_stands() {
        for (file, columns, delimiter, end, line) in [
            ("email,name\na@b.example,A\n", vec!["email", "name"], ',', 11, 2),
            ("\u{feff}email;identification.type\r\n", vec!["email", "identification.type"], ';', 30, 2),
            ("\n\"email\"\tmetadata.plan\n", vec!["email", "metadata.plan"], '\t', 23, 3),
            ("email", vec!["email"], ',', 5, 1),
        ] {
            let found = header(Format::Csv, file.as_bytes(), true).unwrap();
            let columns: Vec<_> = columns.into_iter().map(str::to_owned).collect();
            assert_eq!((found.columns, found.delimiter), (columns, delimiter), "{file}");
            // The rest of the line end may stand on either side.
            let at = (found.end, found.line);
            assert!(at == (end, line) || at == (end - 1, line - 1), "{file} {at:?}");
        }
        assert_eq!(header(Format::Ndjson, "\u{feff}{}".as_bytes(), true).map(|header| header.end), Ok(3));
    }

    #[test]
    fn what_is_wrong_with_a_header_is_told() {
        for (file, told) in [
            ("email,mail\n", "a column \"mail\"; known are: email, username"),
            ("email,password\n", "password"),
            ("email,email\n", "two columns \"email\""),
            ("email,\n", "a column \"\""),
            ("", "must begin with a header"),
        ] {
            let told_instead = header(Format::Csv, file.as_bytes(), true).err().unwrap_or_default();
            assert!(told_instead.contains(told), "{file}: {told_instead}");
        }
        assert!(header(Format::Csv, &[b'a'; 70_000], false).is_err());
    }

    #[test]
    fn batches_follow_each_other_without_a_gap() {
        let file: String = (0..1234).map(|nth| format!("{nth}@example.com\n")).collect();
        let (mut divider, mut cutter) = (Divider::new((0, 1)), Cutter::new(Format::Csv, ',', (0, 1)));
        cutter.feed(file.as_bytes(), |row| divider.see(&row));
        let (batches, rows) = divider.end();
        assert_eq!((rows, batches.iter().map(|batch| batch.row).collect::<Vec<_>>()), (1234, vec![1, 501, 1001]));
        assert_eq!(batches.iter().map(|batch| batch.line).collect::<Vec<_>>(), [1, 501, 1001]);
        assert!(batches.windows(2).all(|two| two[0].to == two[1].from));
        assert_eq!((batches[0].from, batches[2].to), (0, file.len() as u64));
    }
}
