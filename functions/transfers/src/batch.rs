//! A batch of an import: its rows read, done, and noted.

use domain::transfer::{Column, Counts, named, unescape_formula};
use domain::{Error, FieldError, Format, Import, ImportId, TransferStatus};
use files::ObjectKey;
use serde_json::{Map, Value};

use crate::apply::Importing;
use crate::prepare::{Batch, known};
use crate::rows::{CELLS, Content, Cutter, LONGEST, Row};
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
        let (mut cutter, mut rows) = (Cutter::new(format, source.delimiter, (batch.from, batch.line)), Vec::new());
        let part = (batch.from, batch.to);
        self.files.read_between(&key, &source.etag, part, |bytes| cutter.feed(bytes, |row| rows.push(row))).await?;
        cutter.end(|row| rows.push(row));
        let known = known();
        let columns: Vec<_> = source.columns.iter().filter_map(|name| named(&known, name)).collect();
        let numbered = (batch.row..).zip(rows);
        let raw = import.fields.raw.0;
        Ok(numbered.map(|(number, row)| read(number, row, (format, &columns, raw))).collect())
    }
}

fn read(number: u64, row: Row, (format, columns, raw): (Format, &[Column], bool)) -> ImportRow {
    let refused = |code, message: &str| Err(Error::Invalid(vec![FieldError::new("", code, message)]));
    let body = match row.content {
        Content::Cells(cells) if cells.len() > columns.len() => {
            refused("too_many_cells", &format!("has {} cells, and the header {}", cells.len(), columns.len()))
        }
        Content::Cells(cells) => {
            let mut body = Map::new();
            let value = |cell| if raw { cell } else { unescape_formula(cell) };
            columns.iter().zip(&cells).for_each(|(column, cell)| column.read(value(cell), &mut body));
            Ok(Value::Object(body))
        }
        Content::Line(line) => serde_json::from_str(&line).map_err(|error| Error::Malformed(error.to_string())),
        Content::TooLong if format == Format::Csv => {
            let most = LONGEST / 1024;
            refused("too_long", &format!("must have at most {most} KiB and {CELLS} cells; is a quote left open?"))
        }
        Content::TooLong => refused("too_long", &format!("must have at most {} KiB", LONGEST / 1024)),
        Content::NotText => refused("malformed", "is not UTF-8"),
    };
    ImportRow { number, line: row.line, body }
}
