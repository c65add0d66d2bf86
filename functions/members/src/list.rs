//! Finding members, by anything.

use axum::extract::State;
use domain::custom_field::{FieldType, Values};
use domain::{CustomField, Error, KeyScope, Member, MembershipId, UserId};
use edge::{Access, Answer, App, Caller, FilterKind, List, ListSpec, Listed, Path, openapi};
use store::Configuration;
use store::search::{Found, Search};

use crate::seat::settings;

/// How members are listed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Members;

impl ListSpec for Members {
    const SORTS: &'static [&'static str] = &[
        "id",
        "created_at",
        "status",
        "level_id",
        "name",
        "last_name",
        "number",
        "points",
        "starts_at",
        "expires_at",
        "last_payment_at",
    ];
    const DEFAULT_SORT: &'static str = "id";
    const FILTERS: &'static [(&'static str, FilterKind)] = &[
        ("status", FilterKind::Choice(&["ACTIVE", "INACTIVE", "BLOCKED"])),
        ("approval", FilterKind::Choice(&["PENDING", "APPROVED", "REJECTED"])),
        ("level_id", FilterKind::Word),
        ("user_id", FilterKind::Word),
        ("name", FilterKind::Text),
        ("last_name", FilterKind::Text),
        ("phone", FilterKind::Phone),
        ("number", FilterKind::Word),
        ("card_number", FilterKind::Word),
        ("origin", FilterKind::Text),
        ("product_id", FilterKind::Word),
        ("points", FilterKind::Number),
        ("starts_at", FilterKind::Time),
        ("expires_at", FilterKind::Time),
        ("last_payment_at", FilterKind::Time),
        ("created_at", FilterKind::Made),
    ];
    const ANSWERS: bool = true;
}

// The document's macro takes no generic types, but names of them.
type MemberList = openapi::ListOf<Member>;

/// Finds members of a membership by any of their fields, and by `filter[answers.KEY]` and `sort=answers.KEY` of
/// searchable custom fields. Where users enrol themselves, each finds itself.
#[utoipa::path(get, path = "/v1/memberships/{membership}/members", tag = "members", params(List<Members>),
    responses((status = 200, description = "A page of members.", body = MemberList)))]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(membership): Path<MembershipId>,
    list: List<Members>,
) -> Answer<Listed> {
    let (access, configuration) = caller.accesses(app.store.configuration(membership)).await?;
    // Whoever may not read the membership learns nothing of its fields either.
    let itself = reach(&app, &access, &configuration).await?;
    let list = match itself {
        Some(user) => list.only("user_id", user),
        None => list,
    };
    let searchable = |key: &str| {
        let named = |field: &&CustomField| field.fields.key.as_str() == key;
        let field = configuration.fields.iter().find(named)?;
        (field.fields.searchable.0 && field.fields.status.0).then_some(field.fields.kind)
    };
    let list = list.resolve(
        |key| searchable(key).map(kind),
        // Who has chosen several stands at no one place.
        |key| searchable(key).is_some_and(|kind| kind.values() != Values::Several),
    )?;
    let list = match list.needs_country() {
        true => list.in_country(settings(&app, configuration.membership.segment_id).await?.country.as_ref()),
        false => list,
    };
    let found = found(&app, configuration, list.search(), itself).await?;
    Ok(list.found(&app, found).await?)
}

/// Whom the caller finds in a membership: everybody, or the one user that it is itself.
///
/// # Errors
/// [`Error::NotFound`] for whoever finds nobody.
pub async fn reach(app: &App, access: &Access, configuration: &Configuration) -> Result<Option<UserId>, Error> {
    let membership = &configuration.membership;
    match access.manages(membership, KeyScope::Read) {
        Err(Error::NotFound) if membership.is_open() => {
            let itself = access.user().ok_or(Error::NotFound)?.user.id;
            app.check_participation(access, membership.segment_id).await.map(|()| Some(itself))
        }
        managed => managed.map(|()| None),
    }
}

/// A page of members as clients see them; `itself` is whom alone the caller reaches, and the search asks for.
///
/// # Errors
/// [`Error::Forbidden`] for a member that is shut out.
pub async fn found(
    app: &App,
    configuration: Configuration,
    search: &Search,
    itself: Option<UserId>,
) -> Result<Found<Member>, Error> {
    let configuration = app.store.with_catalogs(configuration).await?;
    let found = app.store.members(&configuration, search).await?;
    if itself.is_some() {
        found.rows.iter().try_for_each(|record| record.member.takes_part())?;
    }
    let members = found.rows.iter().map(|record| configuration.shown(record.member.clone())).collect();
    Ok(found.with_rows(members))
}

/// What filters by an answer to a field of a type are.
fn kind(kind: FieldType) -> FilterKind {
    match kind.values() {
        Values::Number => FilterKind::Number,
        Values::Boolean => FilterKind::Switch,
        Values::Date => FilterKind::Date,
        Values::Text | Values::Several => FilterKind::Answer(kind),
    }
}
