//! `GET /v1/users/{user}/history`.

use axum::extract::State;
use domain::{Entry, KeyScope};
use edge::{Answer, App, Caller, FilterKind, List, ListSpec, Listed, Path, UserRef};

/// How history is listed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct History;

impl ListSpec for History {
    const SORTS: &'static [&'static str] = &["id", "at"];
    const DEFAULT_SORT: &'static str = "-at";
    const FILTERS: &'static [(&'static str, FilterKind)] = &[];
}

// The document's macro takes no generic types, but names of them.
type EntryList = edge::openapi::ListOf<Entry>;

/// Lists who changed what of a user, newest first; personal values are masked.
#[utoipa::path(get, path = "/v1/users/{user}/history", tag = "users", operation_id = "list_user_history", params(List<History>),
    responses((status = 200, description = "A page of the history.", body = EntryList)))]
pub(crate) async fn history(
    State(app): State<App>,
    caller: Caller,
    Path(user): Path<UserRef>,
    list: List<History>,
) -> Answer<Listed> {
    let window = list.window();
    let (owner, page) = caller.reads(user, KeyScope::Read, |id| app.store.entries(id, &window)).await?;
    Ok(list.answer(&app, page, |entry| entry.id.to_string(), owner.record.entry_count).await?)
}
