//! An export: the users of a segment, page by page in the order of their ids, become the parts of an object.

use domain::transfer::{Column, ExportProgress, columns, escape_formula};
use domain::{Error, Export, ExportId, Format, Object as _, Time, TransferStatus, User};
use edge::filters_of;
use files::{ObjectKey, Part};
use serde_json::{Map, Value};
use store::search::{Filter, Found, Search};
use store::{From, retried};
use users::{Users, asks_for_deleted};
use utoipa::PartialSchema as _;

use crate::{Transfers, Whose};

/// How many bytes a part has, and with it how much of the file is ever held.
const PART: usize = 8 * 1024 * 1024;

/// How many users are read at once.
const PAGE: u32 = 100;

/// Some rows of the file.
struct Rows {
    bytes: Vec<u8>,
    count: u64,
    /// After which row to go on.
    after: Option<String>,
    /// Whether there are no more.
    last: bool,
    total: Option<u64>,
}

impl Transfers {
    /// Goes on with an export, until `end`: whether it is over.
    pub(crate) async fn export(&self, whose: Whose<ExportId>, end: Time) -> Result<bool, Error> {
        loop {
            let Some(export) = self.open_export(whose).await? else { return Ok(true) };
            match self.export_part(&export).await {
                // Cancelled, or somebody else is doing the same: the next look tells.
                Err(Error::Stale) => {}
                Err(Error::NotFound) => self.fail_export(whose, "The segment is gone.").await?,
                done => done?,
            }
            if Time::now() > end {
                return Ok(self.open_export(whose).await?.is_none());
            }
        }
    }

    async fn export_part(&self, export: &Export) -> Result<(), Error> {
        self.store.segment(export.segment_id).await?;
        let rows = self.rows_of(export).await?;
        let (key, progress) = (ObjectKey::export(export.id.uuid()), &export.progress);
        let (count, size) = (rows.count, rows.bytes.len() as u64);
        let counted = Export { total_rows: export.total_rows.or(rows.total), ..export.clone() };
        let content_type = content_type(export.fields.format);
        if rows.last && progress.upload.is_none() {
            // Small enough to be sent at once.
            self.files.put(&key, content_type, rows.bytes).await?;
            return self.export_ended(export, progress.clone(), (count, size)).await;
        }
        let Some(upload) = progress.upload.clone() else {
            let upload = Some(self.files.begin_parts(&key, content_type).await?);
            let begun = counted.reached(ExportProgress { upload, ..progress.clone() }, (0, 0), Time::now());
            return self.store.change_export(export, &begun, None).await;
        };
        let mut parts = progress.parts.clone();
        if !rows.bytes.is_empty() {
            match self.files.put_part(&key, (&upload, parts.len() + 1), rows.bytes).await {
                Ok(part) => parts.push(part),
                Err(files::Error::NotFound) => return self.lost(export).await,
                Err(error) => return Err(error.into()),
            }
        }
        if rows.last {
            self.completed(&key, &upload, &parts).await?;
            return self.export_ended(export, progress.clone(), (count, size)).await;
        }
        let progress = ExportProgress { upload: Some(upload), parts, after: rows.after };
        self.store.change_export(export, &counted.reached(progress, (count, size), Time::now()), None).await
    }

    /// The next rows, as many as make a part.
    async fn rows_of(&self, export: &Export) -> Result<Rows, Error> {
        let written = Written::of(export);
        let filters = filters_of::<Users>(export.fields.filters.0.parameters())?;
        let mut after = export.progress.after.clone();
        let mut rows = Rows { bytes: Vec::new(), count: 0, after: None, last: false, total: None };
        if export.progress.after.is_none() && export.progress.parts.is_empty() {
            rows.bytes = written.header();
        }
        while rows.bytes.len() < PART && !rows.last {
            let total = export.total_rows.or(rows.total).map(|total| (total, false));
            let found = self.page(export, &filters, (after.clone(), total)).await?;
            for user in &found.rows {
                written.write(&user.show(), &mut rows.bytes);
            }
            rows.count += found.rows.len() as u64;
            rows.last = !found.more_after;
            rows.total = rows.total.or(Some(found.total).filter(|_| !found.capped));
            after = found.positions.last().cloned().or(after);
        }
        Ok(Rows { after, ..rows })
    }

    async fn page(
        &self,
        export: &Export,
        filters: &[Filter],
        (after, total): (Option<String>, Option<(u64, bool)>),
    ) -> Result<Found<User>, Error> {
        let from = after.map_or(From::Offset(0), From::After);
        let search = Search { filters: filters.to_vec(), sort: Vec::new(), size: PAGE, from, total };
        let segment = export.segment_id;
        match (asks_for_deleted(filters)?, export.fields.excluded.0) {
            (true, _) => self.store.deleted_users(segment, &search).await,
            (false, true) => self.store.excluded_users(segment, &search).await,
            (false, false) => self.store.users(segment, &search).await,
        }
    }

    async fn completed(&self, key: &ObjectKey, upload: &str, parts: &[Part]) -> Result<(), Error> {
        match self.files.complete_parts(key, upload, parts).await {
            // An earlier try has completed it, before it was cut off.
            Err(files::Error::NotFound) => {
                self.files.head(key).await?;
                Ok(())
            }
            done => Ok(done?),
        }
    }

    /// The object of parts is gone: either it is complete, or it was left alone for too long.
    async fn lost(&self, export: &Export) -> Result<(), Error> {
        if self.files.head(&ObjectKey::export(export.id.uuid())).await.is_ok() {
            return self.export_ended(export, export.progress.clone(), (0, 0)).await;
        }
        let reason = "It was not finished within a day; begin it again.";
        self.store.change_export(export, &export.ended(TransferStatus::Failed, Some(reason), Time::now()), None).await
    }

    async fn export_ended(&self, export: &Export, had: ExportProgress, more: (u64, u64)) -> Result<(), Error> {
        let all = export.reached(had, more, Time::now());
        let now = Time::now();
        let ended = all.ended(TransferStatus::Completed, None, now).expiring(now.plus(self.retention));
        // However many there were when it began.
        let ended = Export { total_rows: Some(ended.written_rows), version: export.version + 1, ..ended };
        self.store.change_export(export, &ended, None).await
    }

    /// The export, if it is not over.
    pub(crate) async fn open_export(&self, whose: Whose<ExportId>) -> Result<Option<Export>, Error> {
        match self.store.export(whose.segment_id, whose.id).await {
            Err(Error::NotFound) => Ok(None),
            found => Ok(Some(found?).filter(|export| export.run.status.is_open())),
        }
    }

    /// Ends an export, unless it is over already.
    pub(crate) async fn fail_export(&self, whose: Whose<ExportId>, reason: &str) -> Result<(), Error> {
        retried(|| async {
            let Some(export) = self.open_export(whose).await? else { return Ok(()) };
            let ended = export.ended(TransferStatus::Failed, Some(reason), Time::now());
            self.store.change_export(&export, &ended, None).await
        })
        .await
    }
}

/// The type of a file whose rows are written so.
fn content_type(format: Format) -> &'static str {
    match format {
        Format::Csv => "text/csv",
        Format::Ndjson => "application/x-ndjson",
    }
}

/// How rows are written.
enum Written {
    /// These columns; with `raw` the cells as they are.
    Csv { columns: Vec<Column>, raw: bool },
    /// These fields, or all.
    Ndjson(Vec<String>),
}

impl Written {
    fn of(export: &Export) -> Self {
        let fields: Vec<_> = export.fields.fields.0.0.iter().map(|field| field.as_str().to_owned()).collect();
        match export.fields.format {
            Format::Ndjson => Self::Ndjson(fields),
            Format::Csv => {
                let (all, raw) = (columns(&User::schema()), export.fields.raw.0);
                let wanted = |column: &Column| column.name().split('.').next().map(str::to_owned);
                if fields.is_empty() {
                    return Self::Csv { columns: all, raw };
                }
                let of_field = |field: &String| {
                    all.iter().filter(|column| wanted(column).as_ref() == Some(field)).cloned().collect::<Vec<_>>()
                };
                Self::Csv { columns: fields.iter().flat_map(of_field).collect(), raw }
            }
        }
    }

    fn header(&self) -> Vec<u8> {
        match self {
            Self::Csv { columns, raw } => line(columns.iter().map(|column| column.name().to_owned()), *raw),
            Self::Ndjson(_) => Vec::new(),
        }
    }

    fn write(&self, user: &Value, into: &mut Vec<u8>) {
        match self {
            Self::Csv { columns, raw } => into.extend(line(columns.iter().map(|column| column.write(user)), *raw)),
            Self::Ndjson(fields) if fields.is_empty() => into.extend(format!("{user}\n").bytes()),
            Self::Ndjson(fields) => {
                let some: Map<_, _> =
                    fields.iter().filter_map(|field| Some((field.clone(), user.get(field)?.clone()))).collect();
                into.extend(format!("{}\n", Value::Object(some)).bytes());
            }
        }
    }
}

/// Writes a line of a table by RFC 4180, with formulas escaped unless it is `raw`.
fn line(cells: impl Iterator<Item = String>, raw: bool) -> Vec<u8> {
    let quoted = cells.map(|cell| if raw { cell } else { escape_formula(&cell).into_owned() }).map(|cell| {
        let must = cell.contains([',', '"', '\n', '\r']);
        if must { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell }
    });
    let line = quoted.collect::<Vec<_>>().join(",");
    // An empty line would be no row.
    format!("{}\r\n", if line.is_empty() { "\"\"" } else { &line }).into_bytes()
}
