//! What is deleted, and languages.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::KeyScope;
use domain::language::ListedLanguage;
use edge::{App, Caller};
use store::search::{Search, Sort, within};

use crate::b2b::format::Format;
use crate::b2b::page::Page;
use crate::b2b::refused::Refused;
use crate::b2b::schema::{DeletedPage, LanguagePage, PageParameters, SegmentHeader};
use crate::b2b::{Connection, shown};

/// Lists the users who are deleted and can still be reactivated, those deleted first first. `columnId` is the user's local id.
#[utoipa::path(get, path = "/b2b/DeletedHistory/getDeleted", tag = "b2b",
    params(PageParameters, SegmentHeader),
    responses((status = 200, description = "A page of what is deleted.", body = DeletedPage, example = json!({
        "data": [{ "id": "0199d2a4-5c00-7000-8000-000000000002", "columnId": "0199d2a4-5c00-7000-8000-000000000002",
            "columnIdRemote": "erp-1", "table": "User", "createdAt": "2026-11-21T10:00:00.000Z" }],
        "pagination": { "totalItems": 1, "itemsPerPage": 10, "currentPage": 1, "totalPages": 1, "nextPageUrl": null } }))))]
pub(super) async fn get_deleted(
    State(app): State<App>,
    format: Format,
    Connection(place): Connection,
    page: Page,
) -> Result<Response, Refused> {
    let sort = vec![Sort { field: "updated_at".to_owned(), descending: false }];
    let search = Search { sort, ..page.search() };
    let (managed, found) = tokio::join!(place.segment(KeyScope::Read), app.store.deleted_users(place.id, &search));
    managed?;
    let found = found?;
    let rows = found.rows.iter().map(shown::deleted).collect();
    Ok(format.answer(StatusCode::OK, page.shown(&found, rows)))
}

/// Lists the languages that a user can have.
#[utoipa::path(get, path = "/b2b/Language/getLanguage", tag = "b2b",
    params(PageParameters),
    responses((status = 200, description = "A page of languages.", body = LanguagePage, example = json!({
        "data": [{ "id": "14284", "code": "es", "iso": "spa", "name": "Spanish" }],
        "pagination": { "totalItems": 1, "itemsPerPage": 10, "currentPage": 1, "totalPages": 1, "nextPageUrl": null } }))))]
pub(super) async fn get_language(format: Format, caller: Caller, page: Page) -> Result<Response, Refused> {
    caller.access().await?;
    let sort = vec![Sort { field: "code".to_owned(), descending: false }];
    let found = within(ListedLanguage::all().collect(), &Search { sort, ..page.search() })?;
    let rows = found.rows.iter().copied().map(shown::language).collect();
    Ok(format.answer(StatusCode::OK, page.shown(&found, rows)))
}
