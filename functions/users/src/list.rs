//! `GET /v1/segments/{segment}/users` and `…/users/deleted`.

use axum::extract::State;
use domain::{DocumentType, Error, KeyScope, SegmentId, Status, User, user::Gender};
use edge::{Answer, App, Caller, FilterKind, List, ListOption, ListSpec, Listed, Path, openapi};
use store::search::{Filter, Match, Test, Value};

/// How users are listed.
#[derive(Debug, Clone, Copy)]
pub struct Users;

impl ListSpec for Users {
    const SORTS: &'static [&'static str] = &[
        "id",
        "created_at",
        "updated_at",
        "email",
        "name",
        "last_name",
        "gender",
        "status",
        "identification_type",
        "identification_value",
    ];
    const DEFAULT_SORT: &'static str = "id";
    const FILTERS: &'static [(&'static str, FilterKind)] = &[
        ("status", FilterKind::Choice(Status::NAMES)),
        ("status_reason", FilterKind::Word),
        ("email", FilterKind::Email),
        ("username", FilterKind::Username),
        ("reference_id", FilterKind::Identifier),
        ("name", FilterKind::Text),
        ("last_name", FilterKind::Text),
        ("second_last_name", FilterKind::Text),
        ("phone", FilterKind::Phone),
        ("gender", FilterKind::Choice(Gender::NAMES)),
        ("birthdate", FilterKind::Date),
        ("nationality", FilterKind::Word),
        ("operation_country", FilterKind::Word),
        ("language", FilterKind::Word),
        ("identification_type", FilterKind::Choice(DocumentType::NAMES)),
        ("identification_value", FilterKind::Document),
        ("tax_identification_type", FilterKind::Choice(DocumentType::NAMES)),
        ("tax_identification_value", FilterKind::Document),
        ("tax_condition", FilterKind::Word),
        ("country", FilterKind::Text),
        ("state", FilterKind::Text),
        ("city", FilterKind::Text),
        ("photo_upload_id", FilterKind::Word),
        ("partner_id", FilterKind::Word),
        ("status_id", FilterKind::Word),
        ("parent_id", FilterKind::Word),
        ("valid_until", FilterKind::Time),
        ("created_at", FilterKind::Made),
        ("updated_at", FilterKind::Time),
    ];
    const OPTIONS: &'static [ListOption] = &[ListOption {
        name: "excluded",
        values: &["true", "false"],
        about: "Whether those are listed whose own status shuts them out, and no others.",
    }];
}

// The document's macro takes no generic types, but names of them.
type UserList = openapi::ListOf<User>;

/// Lists the users of a segment; those who are deleted only where nothing but `filter[status]=DELETED` is asked of the
/// status, and those whose own status is excluded only with `excluded=true`.
#[utoipa::path(get, path = "/v1/segments/{segment}/users", tag = "users", params(List<Users>),
    responses((status = 200, description = "A page of users.", body = UserList)))]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(segment): Path<SegmentId>,
    list: List<Users>,
) -> Answer<Listed> {
    let deleted = asks_for_deleted(&list.search().filters)?;
    let (list, is_reached) = locate(&caller, segment, list).await?;
    let search = async {
        match (deleted, list.option("excluded")) {
            (true, _) => app.store.deleted_users(segment, list.search()).await,
            (false, Some("true")) => app.store.excluded_users(segment, list.search()).await,
            (false, _) => app.store.users(segment, list.search()).await,
        }
    };
    let (reached, found) = tokio::join!(reach(&caller, segment, is_reached), search);
    reached?;
    Ok(list.found(&app, found?).await?)
}

/// Lists the users of a segment who are deleted and not erased: the deleted history. `updated_at` is when.
#[utoipa::path(get, path = "/v1/segments/{segment}/users/deleted", tag = "users", operation_id = "list_deleted_users", params(List<Users>),
    responses((status = 200, description = "A page of deleted users.", body = UserList)))]
pub(crate) async fn deleted(
    State(app): State<App>,
    caller: Caller,
    Path(segment): Path<SegmentId>,
    list: List<Users>,
) -> Answer<Listed> {
    let (list, is_reached) = locate(&caller, segment, list).await?;
    let search = app.store.deleted_users(segment, list.search());
    let (reached, found) = tokio::join!(reach(&caller, segment, is_reached), search);
    reached?;
    Ok(list.found(&app, found?).await?)
}

/// The list, where a phone without a calling code is one of the segment's country; and whether the caller is known to reach
/// the segment, which is read before the users only for such a phone.
async fn locate(caller: &Caller, segment: SegmentId, list: List<Users>) -> Result<(List<Users>, bool), Error> {
    if !list.needs_country() {
        return Ok((list, false));
    }
    let segment = caller.segment(segment, KeyScope::Read).await?;
    Ok((list.in_country(segment.fields.settings.0.country.as_ref()), true))
}

async fn reach(caller: &Caller, segment: SegmentId, is_reached: bool) -> Result<(), Error> {
    if is_reached { Ok(()) } else { caller.segment(segment, KeyScope::Read).await.map(drop) }
}

/// Whether it is users who are deleted that are asked for: they are kept apart from the others.
///
/// # Errors
/// [`Error::Invalid`] where others are asked for too.
pub fn asks_for_deleted(filters: &[Filter]) -> Result<bool, Error> {
    let is_deleted = |one: &Match| *one == Match::Exact(Value::word(Status::Deleted.as_str()));
    for filter in filters.iter().filter(|filter| filter.field == "status") {
        let Test::AnyOf(values) = &filter.test else { continue };
        match (values.iter().any(is_deleted), values.iter().all(is_deleted)) {
            (true, true) => return Ok(true),
            (true, false) => {
                let message = "takes DELETED by itself only; ask for the others by themselves";
                return Err(Error::invalid("/filter[status]", "exclusive", message));
            }
            (false, _) => {}
        }
    }
    Ok(false)
}
