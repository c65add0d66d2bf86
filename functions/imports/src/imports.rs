//! Imports: a file's rows become users of a segment.

use axum::extract::State as Shared;
use domain::{
    AuditAction, AuditEntry, AuditScope, Error, FieldError, Import, ImportFields, ImportId, KeyScope, SegmentId, Time,
    TransferStatus, UploadHolder, UploadPurpose, UploadStatus,
};
use edge::{
    Answer, App, Body, Caller, Created, FilterKind, Found, IfMatch, IfNoneMatch, List, ListSpec, Listed, NoContent,
    Path, Problem, Seed, Shown, openapi, retried,
};
use files::ObjectKey;

use crate::{FETCHING, State, there};

/// How imports are listed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Imports;

impl ListSpec for Imports {
    const SORTS: &'static [&'static str] = &["id", "created_at"];
    const DEFAULT_SORT: &'static str = "-id";
    const FILTERS: &'static [(&'static str, FilterKind)] = &[("status", FilterKind::Choice(TransferStatus::NAMES))];
}

// The document's macro takes no generic types, but names of them.
type ImportList = openapi::ListOf<Import>;

/// Lists the imports of a segment, newest first.
#[utoipa::path(get, path = "/v1/segments/{segment}/imports", tag = "imports", params(List<Imports>),
    responses((status = 200, description = "A page of imports.", body = ImportList)))]
pub(crate) async fn list(
    Shared(app): Shared<App>,
    caller: Caller,
    Path(segment): Path<SegmentId>,
    list: List<Imports>,
) -> Answer<Listed> {
    let (managed, imports) = tokio::join!(caller.segment(segment, KeyScope::Admin), app.store.imports(segment));
    managed?;
    Ok(list.within(&app, imports?).await?)
}

/// Begins to make users of a segment out of a file's rows, and goes on by itself.
///
/// Send the file first, by `POST /v1/uploads` with the `segment_id` and the `purpose` `import`, as `text/csv` or `application/x-ndjson`.
/// A CSV file begins with a header that names its columns as the fields of a user are named, in any case, those within
/// objects by a dot (`identification.type`, `metadata.plan`). Its encoding is UTF-8, UTF-16 with a byte order mark, or
/// Windows-1252. A first line `sep=;` names the delimiter. Empty cells, columns and rows are ignored, as are blanks around
/// cells. A line of NDJSON, in UTF-8, is what
/// `POST /v1/segments/{segment}/users` takes, without a password. Each row stands or falls alone; the report tells what
/// came of it.
#[utoipa::path(post, path = "/v1/segments/{segment}/imports", tag = "imports", request_body = ImportFields,
    responses((status = 201, description = "The import, which is under way or soon will be.", body = Import)))]
pub(crate) async fn create(
    Shared(State { app, machine, .. }): Shared<State>,
    caller: Caller,
    Path(segment): Path<SegmentId>,
    seed: Seed,
    Body(fields): Body<ImportFields>,
) -> Answer<Created> {
    let segment = caller.segment(segment, KeyScope::Admin).await?;
    check_file(&app, segment.id, &fields).await?;
    let id: ImportId = seed.id(0);
    let new = Import::new(id, (segment.id, segment.owner_id), caller.actor(), fields, Time::of(id.uuid()));
    let audit = AuditEntry::new(AuditAction::ImportStarted, &segment, id, caller.act());
    match app.store.create_import(&new, &audit).await {
        // An earlier try of this very request had made it before it was cut off.
        Ok(()) | Err(Error::Conflict(_)) => {}
        Err(error) => return Err(error.into()),
    }
    machine.start("import", segment.id, id.uuid()).await?;
    Ok(Created::one(location(&new), &new))
}

/// Reads an import: how far it is, and what came of the rows that were read.
#[utoipa::path(get, path = "/v1/segments/{segment}/imports/{import}", tag = "imports",
    responses((status = 200, description = "The import.", body = Import)))]
pub(crate) async fn read(
    Shared(app): Shared<App>,
    caller: Caller,
    Path((segment, import)): Path<(SegmentId, ImportId)>,
    has: IfNoneMatch,
) -> Answer<Shown> {
    Ok(Shown::unless(&has, &found(&app, &caller, (segment, import)).await?))
}

/// Fetches the report of an import that is completed: NDJSON, a line each row.
///
/// `{"row": 1, "line": 2, "status": "failed", "id": null, "errors": [{"pointer": "/email", "code": "taken", …}]}`; `row`
/// counts rows, `line` those of the file, and `status` is created, updated, unchanged or failed.
#[utoipa::path(get, path = "/v1/segments/{segment}/imports/{import}/report", tag = "imports", operation_id = "get_import_report",
    responses(
        (status = 302, description = "Where the report is, for a minute.", headers(("Location", description = "A URL for whoever has it."))),
        (status = 409, description = "There is none: the import is not over (`pending`), or has `failed` or was `cancelled`.",
            body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "The file has expired (`expires_at`).",
            body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn report(
    Shared(State { app, files, .. }): Shared<State>,
    caller: Caller,
    Path((segment, import)): Path<(SegmentId, ImportId)>,
) -> Answer<Found> {
    let import = found(&app, &caller, (segment, import)).await?;
    there(&import.run)?;
    let name = format!("import-{}.ndjson", import.id);
    let get = files.presign_get(&ObjectKey::report(import.id.uuid()), &name, FETCHING).await;
    let url = get.map_err(Error::from)?.url;
    let scope = AuditScope::of_segment(import.owner_id, import.segment_id);
    let audit = AuditEntry::new(AuditAction::ReportDownloaded, scope, import.id, caller.act());
    app.store.record_audit(&audit).await?;
    Ok(Found(url))
}

/// Cancels an import that is not over, and keeps what it has made by then; forgets one that is over, with its report.
#[utoipa::path(delete, path = "/v1/segments/{segment}/imports/{import}", tag = "imports",
    responses((status = 204, description = "The import is cancelled, or forgotten.")))]
pub(crate) async fn delete(
    Shared(app): Shared<App>,
    caller: Caller,
    Path((segment, import)): Path<(SegmentId, ImportId)>,
    matches: IfMatch,
) -> Answer<NoContent> {
    Ok(retried(|| async {
        let import = found(&app, &caller, (segment, import)).await?;
        matches.check(import.version)?;
        let scope = AuditScope::of_segment(import.owner_id, segment);
        let audit = AuditEntry::new(AuditAction::ImportDeleted, scope, import.id, caller.act());
        let done = if import.run.status.is_open() {
            let cancelled = import.ended(TransferStatus::Cancelled, None, Time::now());
            app.store.change_import(&import, &cancelled, Some(&audit)).await
        } else {
            app.store.delete_import(&import, Some(&audit)).await
        };
        done.map(|()| NoContent)
    })
    .await?)
}

fn location(import: &Import) -> String {
    format!("/v1/segments/{}/imports/{}", import.segment_id, import.id)
}

/// An import that the caller may act on: 1 round of latency.
async fn found(app: &App, caller: &Caller, (segment, import): (SegmentId, ImportId)) -> Result<Import, Error> {
    let (managed, import) = tokio::join!(caller.segment(segment, KeyScope::Admin), app.store.import(segment, import));
    managed?;
    import
}

/// Refuses a file that cannot be imported: 1 read.
async fn check_file(app: &App, segment: SegmentId, fields: &ImportFields) -> Result<(), Error> {
    let upload = match app.store.upload(fields.upload_id).await {
        Err(Error::NotFound) => None,
        found => Some(found?).filter(|upload| upload.fields.holder() == UploadHolder::Segment(segment)),
    };
    let refused =
        |pointer: &str, code, message: &str| Err(Error::Invalid(vec![FieldError::new(pointer, code, message)]));
    let Some(upload) = upload else {
        return refused("/upload_id", "unknown", "must be the id of an upload of this segment itself");
    };
    match upload.status {
        UploadStatus::Available => {}
        UploadStatus::Pending => {
            return refused("/upload_id", "pending", "must have arrived and been checked; ask again in a moment");
        }
        UploadStatus::Rejected => {
            let reason = upload.reason.as_deref().unwrap_or_default();
            return refused("/upload_id", "rejected", &format!("was rejected; upload another file: {reason}"));
        }
    }
    match upload.fields.content_type.rows() {
        None => refused("/upload_id", "invalid_choice", "must be a file of text/csv or application/x-ndjson"),
        Some(format) if format != fields.format => {
            refused("/format", "invalid_choice", &format!("must be {}, as the file is", format.as_str()))
        }
        Some(_) if upload.fields.purpose() != Some(UploadPurpose::Import) => {
            refused("/upload_id", "unknown", "must be the id of an upload with the purpose import")
        }
        Some(_) => Ok(()),
    }
}
