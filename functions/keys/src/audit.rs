//! `/v1/audit` and `/v1/segments/{segment}/audit`: who did what, when, from where and with what result.

use axum::extract::{OriginalUri, State};
use domain::audit::AuditAction;
use domain::{AuditEntry, Error, FieldError, KeyScope, SegmentId};
use edge::{Answer, App, Caller, FilterKind, List, ListSpec, Listed, Path, Query, openapi};
use store::search::Found;
use store::{AUDIT_COUNTED, Page};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes.
pub(crate) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_audit_of_account)).routes(routes!(list_audit_of_segment))
}

/// The parameters of an audit list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Audit;

impl ListSpec for Audit {
    const SORTS: &'static [&'static str] = &["id", "at"];
    const DEFAULT_SORT: &'static str = "-id";
    const FILTERS: &'static [(&'static str, FilterKind)] = &[
        ("actor", FilterKind::Word),
        ("action", FilterKind::Choice(AuditAction::NAMES)),
        ("target", FilterKind::Word),
        ("at", FilterKind::Made),
    ];
}

/// The short names of filters, for the OpenAPI document.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the document alone reads the fields")]
struct Shortcuts {
    /// Short form of `filter[actor]`.
    actor: Option<String>,
    /// Short form of `filter[action]`.
    action: Option<String>,
    /// Short form of `filter[target]`.
    target: Option<String>,
    /// RFC 3339 time; only entries from then on.
    since: Option<String>,
    /// RFC 3339 time; only entries before it.
    until: Option<String>,
}

/// Short names of filters.
const ALIASES: [(&str, &str); 5] = [
    ("actor", "filter[actor]"),
    ("action", "filter[action]"),
    ("target", "filter[target]"),
    ("since", "filter[at][gte]"),
    ("until", "filter[at][lt]"),
];

// The document's macro takes no generic types, but names of them.
type AuditEntryList = openapi::ListOf<AuditEntry>;

/// Lists the acts in the account and all its segments, newest first.
///
/// Entries are kept for 90 days by default (`AuditRetentionDays` of the deployment) and counted up to 1,000. `actor` and
/// `target` are ids; `actor` is `anonymous` or `system` for acts without a user or key. `since` is included, `until` is
/// not. A failed login is listed under the account of the user that it named.
#[utoipa::path(get, path = "/v1/audit", tag = "audit", operation_id = "list_account_audit",
    params(List<Audit>, Shortcuts),
    responses((status = 200, description = "A page of the audit.", body = AuditEntryList)))]
async fn list_audit_of_account(
    State(app): State<App>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
    query: Query,
) -> Answer<Listed> {
    let list = read_list(&app, &caller, query, uri.path()).await?;
    let account = caller.access().await?.account(KeyScope::Admin)?;
    let window = list.window();
    let count = count_entries(&list, app.store.count_audit_of_account(account, &window));
    let (page, total) = tokio::try_join!(app.store.audit_of_account(account, &window), count)?;
    list_page(&app, list, page, total).await
}

/// Lists the acts in a segment, newest first.
///
/// The parameters are those of `/v1/audit`.
#[utoipa::path(get, path = "/v1/segments/{segment}/audit", tag = "audit", operation_id = "list_segment_audit",
    params(List<Audit>, Shortcuts),
    responses((status = 200, description = "A page of the audit.", body = AuditEntryList)))]
async fn list_audit_of_segment(
    State(app): State<App>,
    caller: Caller,
    Path(segment): Path<SegmentId>,
    OriginalUri(uri): OriginalUri,
    query: Query,
) -> Answer<Listed> {
    let list = read_list(&app, &caller, query, uri.path()).await?;
    let window = list.window();
    let count = count_entries(&list, app.store.count_audit_of_segment(segment, &window));
    let read = app.store.audit_of_segment(segment, &window);
    let (managed, page, total) = tokio::join!(caller.segment(segment, KeyScope::Admin), read, count);
    managed?;
    list_page(&app, list, page?, total?).await
}

/// Reads what is asked for. An error names the parameter as it was sent, by its short name or by the long one.
async fn read_list(app: &App, caller: &Caller, query: Query, path: &str) -> Result<List<Audit>, Error> {
    let sent: Vec<_> = ALIASES.into_iter().filter(|(short, _)| query.iter().any(|(name, _)| name == *short)).collect();
    let named = |error: FieldError| {
        let alias = sent.iter().find(|(_, long)| error.pointer.strip_prefix('/') == Some(long));
        alias.map_or(error.clone(), |(short, _)| FieldError { pointer: format!("/{short}"), ..error })
    };
    let list = List::<Audit>::asked(app, caller, query.renamed(&ALIASES), path).await;
    list.map_err(|error| error.map_fields(named))
}

/// Returns the total that a cursor knows, or else what `count` finds.
async fn count_entries(
    list: &List<Audit>,
    count: impl Future<Output = Result<u64, domain::Error>>,
) -> Result<u64, domain::Error> {
    match list.search().total {
        Some((total, _)) => Ok(total),
        None => count.await,
    }
}

async fn list_page(app: &App, list: List<Audit>, page: Page<AuditEntry>, total: u64) -> Answer<Listed> {
    let positions = page.rows.iter().map(|entry| entry.id.to_string()).collect();
    let Page { rows, more_after, more_before } = page;
    Ok(list
        .found(app, Found { rows, positions, more_after, more_before, total, capped: total >= AUDIT_COUNTED })
        .await?)
}
