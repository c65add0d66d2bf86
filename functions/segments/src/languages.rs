//! Languages: what the `language` of a user can be.

use axum::extract::State;
use domain::language::ListedLanguage;
use edge::{Answer, App, Caller, FilterKind, List, ListSpec, Listed, openapi};

/// How languages are listed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Languages;

impl ListSpec for Languages {
    const SORTS: &'static [&'static str] = &["id", "code", "iso", "name"];
    const DEFAULT_SORT: &'static str = "code";
    const FILTERS: &'static [(&'static str, FilterKind)] =
        &[("code", FilterKind::Word), ("iso", FilterKind::Word), ("name", FilterKind::Text)];
}

// The document's macro takes no generic types, but names of them.
type LanguageList = openapi::ListOf<ListedLanguage>;

/// Lists the languages of ISO 639-1, for whoever has a token or a key.
#[utoipa::path(get, path = "/v1/languages", tag = "languages", params(List<Languages>),
    responses((status = 200, description = "A page of languages.", body = LanguageList)))]
pub(crate) async fn list(State(app): State<App>, caller: Caller, list: List<Languages>) -> Answer<Listed> {
    caller.access().await?;
    Ok(list.within(&app, ListedLanguage::all().collect()).await?)
}
