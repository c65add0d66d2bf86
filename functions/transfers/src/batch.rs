//! A batch of an import: its rows read, done, and noted.

use domain::json::JsonText;
use domain::transfer::{Column, Counts, TextEncoding, find_column, unescape_formula};
use domain::{Error, FieldError, Format, Import, ImportId, TransferStatus};
use files::ObjectKey;
use serde_json::{Map, Value};

use crate::apply::Importing;
use crate::prepare::{Batch, known};
use crate::rows::{CELLS, Content, Cutter, LONGEST, Notation, Position, Row};
use crate::{Transfers, Whose, report};

/// A row of an import, as the body of the user that it makes or changes.
#[derive(Debug)]
pub(crate) struct ImportRow {
    /// Its number, from 1.
    pub(crate) number: u64,
    /// The line on which it begins, from 1.
    pub(crate) line: u64,
    pub(crate) body: Result<Value, Error>,
}

impl Transfers {
    /// Does a batch, and notes it; nothing where the import is not under way.
    pub(crate) async fn batch(&self, whose: Whose<ImportId>, batch: Batch) -> Result<(), Error> {
        let running = |import: &Import| import.run.status == TransferStatus::Running;
        let Some(import) = self.import(whose).await?.filter(running) else { return Ok(()) };
        let rows = match self.rows(&import, batch).await {
            Err(files::Error::NotFound | files::Error::Changed) => {
                return self.fail_import(whose, "The file is gone; send it again.").await;
            }
            rows => rows?,
        };
        let results = match Importing::new(self, &import).all(rows).await {
            Err(Error::NotFound) => return self.fail_import(whose, "The segment is gone.").await,
            results => results?,
        };
        let mut counts = Counts::default();
        results.iter().for_each(|result| counts.add(result.status));
        let key = ObjectKey::rows(import.id.uuid(), batch.row);
        self.files.put(&key, "application/x-ndjson", report::lines(&results)?).await?;
        match self.store.batch_done(&import, batch.row, &counts).await {
            // Cancelled, or gone.
            Err(Error::Stale) => Ok(()),
            done => done,
        }
    }

    async fn rows(&self, import: &Import, batch: Batch) -> Result<Vec<ImportRow>, files::Error> {
        let Some(source) = &import.source else { return Ok(Vec::new()) };
        let (format, key) = (import.fields.format, ObjectKey::clean(import.fields.upload_id.uuid()));
        let notation = Notation { format, delimiter: source.delimiter, encoding: source.encoding };
        let (mut cutter, mut rows) = (Cutter::new(notation, Position::new(batch.from, batch.line)), Vec::new());
        let part = (batch.from, batch.to);
        self.files.read_between(&key, &source.etag, part, |bytes| cutter.feed(bytes, |row| rows.push(row))).await?;
        cutter.end(|row| rows.push(row));
        let known = known();
        let columns: Vec<_> = source.columns.iter().map(|name| find_column(&known, name)).collect();
        let numbered = (batch.row..).zip(rows);
        let raw = import.fields.raw.0;
        Ok(numbered.map(|(number, row)| read(number, row, notation, (&columns, raw))).collect())
    }
}

fn read(number: u64, row: Row, notation: Notation, (columns, raw): (&[Option<Column>], bool)) -> ImportRow {
    let refused = |code, message: &str| Err(Error::invalid("", code, message));
    let body = match row.content {
        Content::Cells(cells) => read_cells(&cells, columns, raw),
        Content::Line(line) => JsonText::read(line.as_bytes())
            .map_err(|error| Error::Malformed(error.to_string()))
            .and_then(JsonText::into_unique),
        Content::TooLong if notation.format == Format::Csv => {
            let most = LONGEST / 1024;
            refused("too_long", &format!("must have at most {most} KiB and {CELLS} cells; is a quote left open?"))
        }
        Content::TooLong => refused("too_long", &format!("must have at most {} KiB", LONGEST / 1024)),
        Content::OpenQuote => refused(
            "malformed",
            "has a quote that is never closed; close it, and import this line and all behind it again",
        ),
        Content::NotText => {
            let encoding = match notation.encoding {
                TextEncoding::Utf8 => "UTF-8",
                TextEncoding::Utf16Le | TextEncoding::Utf16Be => "UTF-16",
                TextEncoding::Windows1252 => "Windows-1252",
            };
            refused("malformed", &format!("is not {encoding}, as the rest of the file is; save the file as UTF-8"))
        }
    };
    ImportRow { number, line: row.start.line, body }
}

/// Reads the cells of a row. Those of columns without a name, and those beyond the header, must be empty.
fn read_cells(cells: &[String], columns: &[Option<Column>], raw: bool) -> Result<Value, Error> {
    let (mut body, mut stray) = (Map::new(), Vec::new());
    for (nth, cell) in cells.iter().enumerate() {
        let text = cell.trim();
        if text.is_empty() {
            continue;
        }
        match columns.get(nth) {
            Some(Some(column)) => column.read(if raw { cell } else { unescape_formula(text) }, &mut body),
            Some(None) | None => stray.push(format!("{} ({})", nth + 1, letters(nth))),
        }
    }
    match stray.as_slice() {
        [] => Ok(Value::Object(body)),
        [first, more @ ..] => {
            let more = if more.is_empty() { String::new() } else { format!(" and {} more", more.len()) };
            let message = format!(
                "has a value in column {first}{more}, which the header does not name; clear it, or name the column"
            );
            Err(Error::Invalid(vec![FieldError::new("", "too_many_cells", &message)]))
        }
    }
}

/// What a spreadsheet calls a column: `A` to `Z`, then `AA`.
fn letters(nth: usize) -> String {
    let last = char::from(b'A' + u8::try_from(nth % 26).unwrap_or(0));
    let before = if nth < 26 { String::new() } else { letters(nth / 26 - 1) };
    format!("{before}{last}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn cells(row: &[&str], raw: bool) -> Result<Value, String> {
        let known = known();
        let columns: Vec<_> = ["email", "", "metadata.note"].iter().map(|name| find_column(&known, name)).collect();
        let row: Vec<_> = row.iter().map(|cell| (*cell).to_owned()).collect();
        match read_cells(&row, &columns, raw) {
            Ok(body) => Ok(body),
            Err(Error::Invalid(errors)) => Err(errors.into_iter().map(|error| error.message).collect()),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn cells_are_trimmed_and_empty_ones_ignored() {
        let plain = json!({ "email": "a@b.example", "metadata": { "note": "=1" } });
        assert_eq!(cells(&["\u{a0}a@b.example ", "\u{a0}", " '=1\t", "", " "], false), Ok(plain));
        let raw = json!({ "email": " a", "metadata": { "note": "'=1 " } });
        assert_eq!(cells(&[" a", "", "'=1 "], true), Ok(raw));
    }

    #[test]
    fn value_without_a_column_is_named() {
        for (row, named) in [
            (vec!["a", "x"], "in column 2 (B), which"),
            (vec!["a", "", "", "", "x"], "in column 5 (E), which"),
            (vec!["a", "x", "", "y", "z"], "in column 2 (B) and 2 more, which"),
        ] {
            let message = cells(&row, false).err().unwrap_or_default();
            assert!(message.contains(named), "{message}");
        }
        assert_eq!([25, 26, 701, 702].map(letters), ["Z", "AA", "ZZ", "AAA"]);
    }
}
