//! Exports: the users of a segment become a file.

use axum::extract::State as Shared;
use domain::{
    AuditAction, AuditEntry, AuditScope, Error, Export, ExportFields, ExportId, FieldError, Format, KeyScope,
    SegmentId, Time, TransferStatus,
};
use edge::{
    Answer, App, Body, Caller, Created, FilterKind, Found, IfMatch, IfNoneMatch, List, ListSpec, Listed, NoContent,
    Path, Problem, Seed, Shown, filters_of, openapi, retried,
};
use files::ObjectKey;
use users::{Users, asks_for_deleted};

use crate::{FETCHING, State, there};

/// How exports are listed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Exports;

impl ListSpec for Exports {
    const SORTS: &'static [&'static str] = &["id", "created_at"];
    const DEFAULT_SORT: &'static str = "-id";
    const FILTERS: &'static [(&'static str, FilterKind)] = &[("status", FilterKind::Choice(TransferStatus::NAMES))];
}

// The document's macro takes no generic types, but names of them.
type ExportList = openapi::ListOf<Export>;

/// Lists the exports of a segment, newest first.
#[utoipa::path(get, path = "/v1/segments/{segment}/exports", tag = "exports", params(List<Exports>),
    responses((status = 200, description = "A page of exports.", body = ExportList)))]
pub(crate) async fn list(
    Shared(app): Shared<App>,
    caller: Caller,
    Path(segment): Path<SegmentId>,
    list: List<Exports>,
) -> Answer<Listed> {
    let (managed, exports) = tokio::join!(caller.segment(segment, KeyScope::Admin), app.store.exports(segment));
    managed?;
    Ok(list.within(&app, exports?).await?)
}

/// Begins to write the users of a segment to a file, and goes on by itself.
///
/// Users are written in the order of their ids: as they are shown, a line each (`ndjson`), or a cell each field, with
/// those within objects under names with a dot (`csv`). Such a file can be imported where it has fields alone that can
/// be written.
#[utoipa::path(post, path = "/v1/segments/{segment}/exports", tag = "exports", request_body = ExportFields,
    responses((status = 201, description = "The export, which is under way or soon will be.", body = Export)))]
pub(crate) async fn create(
    Shared(State { app, machine, .. }): Shared<State>,
    caller: Caller,
    Path(segment): Path<SegmentId>,
    seed: Seed,
    Body(fields): Body<ExportFields>,
) -> Answer<Created> {
    let segment = caller.segment(segment, KeyScope::Admin).await?;
    check_filters(&fields)?;
    let id: ExportId = seed.id(0);
    let new = Export::new(id, (segment.id, segment.owner_id), fields, Time::of(id.uuid()));
    let new = Export { created_by: Some(caller.actor()), ..new };
    let audit = AuditEntry::new(AuditAction::ExportStarted, &segment, id, caller.act());
    match app.store.create_export(&new, &audit).await {
        // An earlier try of this very request had made it before it was cut off.
        Ok(()) | Err(Error::Conflict(_)) => {}
        Err(error) => return Err(error.into()),
    }
    machine.start("export", segment.id, id.uuid()).await?;
    Ok(Created::one(format!("/v1/segments/{}/exports/{id}", segment.id), &new))
}

/// Reads an export: how far it is.
#[utoipa::path(get, path = "/v1/segments/{segment}/exports/{export}", tag = "exports",
    responses((status = 200, description = "The export.", body = Export)))]
pub(crate) async fn read(
    Shared(app): Shared<App>,
    caller: Caller,
    Path((segment, export)): Path<(SegmentId, ExportId)>,
    has: IfNoneMatch,
) -> Answer<Shown> {
    Ok(Shown::unless(&has, &found(&app, &caller, (segment, export)).await?))
}

/// Fetches the file of an export that is completed.
#[utoipa::path(get, path = "/v1/segments/{segment}/exports/{export}/content", tag = "exports", operation_id = "get_export_content",
    responses(
        (status = 302, description = "Where the file is, for a minute.", headers(("Location", description = "A URL for whoever has it."))),
        (status = 409, description = "There is none: the export is not over (`pending`), or has `failed` or was `cancelled`.",
            body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "The file has expired (`expires_at`).",
            body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn content(
    Shared(State { app, files, .. }): Shared<State>,
    caller: Caller,
    Path((segment, export)): Path<(SegmentId, ExportId)>,
) -> Answer<Found> {
    let export = found(&app, &caller, (segment, export)).await?;
    there(&export.run)?;
    let ending = match export.fields.format {
        Format::Csv => "csv",
        Format::Ndjson => "ndjson",
    };
    let name = format!("users-{}.{ending}", export.id);
    let get = files.presign_get(&ObjectKey::export(export.id.uuid()), &name, FETCHING).await;
    let url = get.map_err(Error::from)?.url;
    let scope = AuditScope::of_segment(export.owner_id, export.segment_id);
    let audit = AuditEntry::new(AuditAction::ExportDownloaded, scope, export.id, caller.act());
    app.store.record_audit(&audit).await?;
    Ok(Found(url))
}

/// Cancels an export that is not over; forgets one that is over, with its file.
#[utoipa::path(delete, path = "/v1/segments/{segment}/exports/{export}", tag = "exports",
    responses((status = 204, description = "The export is cancelled, or forgotten.")))]
pub(crate) async fn delete(
    Shared(app): Shared<App>,
    caller: Caller,
    Path((segment, export)): Path<(SegmentId, ExportId)>,
    matches: IfMatch,
) -> Answer<NoContent> {
    Ok(retried(|| async {
        let export = found(&app, &caller, (segment, export)).await?;
        matches.check(export.version)?;
        let scope = AuditScope::of_segment(export.owner_id, segment);
        let audit = AuditEntry::new(AuditAction::ExportDeleted, scope, export.id, caller.act());
        let done = if export.run.status.is_open() {
            let cancelled = export.ended(TransferStatus::Cancelled, None, Time::now());
            app.store.change_export(&export, &cancelled, Some(&audit)).await
        } else {
            app.store.delete_export(&export, Some(&audit)).await
        };
        done.map(|()| NoContent)
    })
    .await?)
}

/// An export that the caller may act on: 1 round of latency.
async fn found(app: &App, caller: &Caller, (segment, export): (SegmentId, ExportId)) -> Result<Export, Error> {
    let (managed, export) = tokio::join!(caller.segment(segment, KeyScope::Admin), app.store.export(segment, export));
    managed?;
    export
}

/// Refuses filters that the list of users does not have.
fn check_filters(fields: &ExportFields) -> Result<(), Error> {
    let checked =
        filters_of::<Users>(fields.filters.0.parameters()).and_then(|filters| asks_for_deleted(&filters).map(drop));
    checked.map_err(|error| {
        let Error::Invalid(errors) = error else { return error };
        Error::Invalid(errors.into_iter().map(of_body).collect())
    })
}

/// An error of a parameter, `/filter[status]`, as one of the body, `/filters/status`.
fn of_body(error: FieldError) -> FieldError {
    let inner = error.pointer.strip_prefix("/filter[").and_then(|rest| rest.strip_suffix(']'));
    match inner {
        Some(inner) => FieldError { pointer: format!("/filters/{}", inner.replace("][", "/")), ..error },
        None => error,
    }
}
