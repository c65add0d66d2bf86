//! The ranking of a membership: by points, the most first; who has as many shares a position.

use axum::extract::State;
use domain::{Error, KeyScope, Member, MemberId, MembershipId, Object};
use edge::{Answer, App, Caller, FilterKind, List, ListSpec, Listed, Path, Rendered, openapi};
use serde_json::{Value, json};
use store::Configuration;
use store::search::{Found, Search};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::seat::Seat;

/// How a ranking is listed.
#[derive(Debug, Clone, Copy)]
pub struct Ranking;

impl ListSpec for Ranking {
    const SORTS: &'static [&'static str] = &["points"];
    const DEFAULT_SORT: &'static str = "-points";
    const FILTERS: &'static [(&'static str, FilterKind)] = &[];
}

/// A member's place in the ranking of its membership.
#[derive(Debug)]
pub struct Rank {
    /// From 1; members with as many points have the same.
    pub position: u64,
    /// The member, with its level.
    pub member: Member,
}

// The document's macro takes no generic types, but names of them.
type RankList = openapi::ListOf<Rank>;

impl Object for Rank {
    fn version(&self) -> u64 {
        self.member.version
    }

    fn show(&self) -> Value {
        let mut shown = self.member.show();
        let shows = |name: &str| SHOWN.contains(&name);
        if let Some(fields) = shown.as_object_mut() {
            fields.retain(|name, _| shows(name));
            fields.insert("member_id".to_owned(), json!(self.member.id));
            fields.insert("position".to_owned(), self.position.into());
        }
        shown
    }
}

/// What is shown of a member besides its id.
const SHOWN: [&str; 6] = ["user_id", "name", "last_name", "number", "points", "level_id"];

impl PartialSchema for Rank {
    fn schema() -> RefOr<Schema> {
        let about = "A member's place in the ranking of its membership.";
        let mut rank = ObjectBuilder::new().schema_type(Type::Object).description(Some(about));
        if let RefOr::T(Schema::Object(member)) = <Member as PartialSchema>::schema() {
            let (id, shown) = (member.properties.get("id").cloned(), member.properties);
            for (name, schema) in id.map(|id| ("member_id".to_owned(), id)).into_iter().chain(shown) {
                if name == "member_id" || SHOWN.contains(&name.as_str()) {
                    rank = rank.property(&name, schema).required(name);
                }
            }
        }
        let about = "From 1; members with as many points have the same.";
        let position = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).description(Some(about));
        rank.property("position", position).required("position").into()
    }
}

impl ToSchema for Rank {}

/// Lists the members of a membership by their points, the most first, each with its exact position.
#[utoipa::path(get, path = "/v1/memberships/{membership}/ranking", tag = "ranking", params(List<Ranking>),
    responses((status = 200, description = "A page of the ranking.", body = RankList)))]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(membership): Path<MembershipId>,
    list: List<Ranking>,
) -> Answer<Listed> {
    let (access, configuration) = caller.accesses(app.store.configuration(membership)).await?;
    access.manages(&configuration.membership, KeyScope::Read)?;
    let found = ranked(&app, &configuration, list.search()).await?;
    Ok(list.found(&app, found).await?)
}

/// A page of the ranking of a membership.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn ranked(app: &App, of: &Configuration, search: &Search) -> Result<Found<Rank>, Error> {
    let found = app.store.members(of, search).await?;
    let members: Vec<_> = found.rows.iter().map(|record| of.placed(record.member.clone())).collect();
    let positions = positions(app, of.membership.id, &members).await?;
    let ranks = positions.into_iter().zip(members).map(|(position, member)| Rank { position, member }).collect();
    Ok(found.with_rows(ranks))
}

/// The positions of members that follow one another in the list. The counters tell where the first two runs of equal
/// points begin; going down, each further one begins where the one before has ended, which the page shows.
async fn positions(app: &App, membership: MembershipId, members: &[Member]) -> Result<Vec<u64>, Error> {
    let mut positions = Vec::new();
    let mut before: Option<(i64, u64)> = None;
    for (nth, run) in members.chunk_by(|one, other| one.points == other.points).enumerate() {
        let points = run.first().map_or(0, |member| member.points.get());
        let position = match before {
            Some((higher, end)) if nth > 1 && points < higher => end,
            Some(_) | None => app.store.members_above(membership, points).await? + 1,
        };
        before = Some((points, position + run.len() as u64));
        positions.extend(run.iter().map(|_| position));
    }
    Ok(positions)
}

/// Reads a member's place in the ranking.
///
/// It has no `ETag`, since it changes with the points of other members.
#[utoipa::path(get, path = "/v1/members/{member}/ranking", tag = "ranking", operation_id = "get_rank",
    responses((status = 200, description = "The member's place.", body = Rank)))]
pub(crate) async fn read(State(app): State<App>, caller: Caller, Path(member): Path<MemberId>) -> Answer<Rendered> {
    let seat = Seat::take(&app, &caller, member, KeyScope::Read).await?;
    Ok(Rendered(rank(&app, seat.shown()).await?.show()))
}

/// A member's place in the ranking of its membership: 1 `BatchGetItem`.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn rank(app: &App, member: Member) -> Result<Rank, Error> {
    let position = app.store.members_above(member.membership_id, member.points.get()).await? + 1;
    Ok(Rank { position, member })
}
