//! `ranking`: the students of a membership by their points.

use std::collections::BTreeMap;

use axum::extract::{OriginalUri, State as Shared};
use domain::{Error, Field as _, KeyScope, MembershipId, Name, UserId, field::Pointer};
use edge::{Answer, List, Path, Query, Rendered};
use members::{Rank, Ranking};
use serde::Deserialize;
use serde_json::{Value, json};
use store::Configuration;

use super::pages;
use super::schema::{RankedStudent, RankingPage};
use crate::State;
use crate::place::Place;

/// Whose place is asked for.
#[derive(Debug, Deserialize)]
pub(super) struct OfUser {
    user_id: UserId,
}

/// Ranks the students of a membership, the most points first; who has as many shares a position. Without `membership_id`
/// it is the platform's oldest membership.
#[utoipa::path(get, path = "/platform/ranking", tag = "ranking",
    params(("membership_id" = Option<String>, Query, description = "The membership; the oldest one without it."),
        ("per_page" = Option<u32>, Query, description = "Number of students of a page, 1 to 100, 20 without it."),
        ("cursor" = Option<String>, Query, description = "`meta.next_cursor` of the page before.")),
    responses((status = 200, description = "A page of the ranking.", body = RankingPage, example = json!({
        "data": [example()],
        "links": { "next": null },
        "meta": { "next_cursor": null, "total": 1, "membership_id": "0199d2a4-5c00-7000-8000-00000000ab01" }
    }))))]
pub(super) async fn list(
    Shared(state): Shared<State>,
    place: Place,
    OriginalUri(uri): OriginalUri,
    query: Query,
) -> Answer<Rendered> {
    let named = named_membership(&query)?;
    let list = List::<Ranking>::asked(&state.app, &place.caller, pages::known_parameters(query), uri.path()).await?;
    let of = ranked_by(&state, &place, named).await?;
    let found = members::ranked(&state.app, &of, list.search()).await?;
    let names = names(&state, &found.rows).await?;
    let data: Vec<_> = found.rows.iter().map(|rank| shown(rank, &of, &names)).collect();
    let listed = list.found(&state.app, found).await?;
    let more = vec![("total", listed.total().into()), ("membership_id", json!(of.membership.id))];
    Ok(Rendered(pages::paged(data, &listed, more)))
}

/// Reads a student's place in the ranking.
#[utoipa::path(get, path = "/platform/ranking/{user_id}", tag = "ranking",
    params(("membership_id" = Option<String>, Query, description = "The membership; the oldest one without it.")),
    responses((status = 200, description = "The student's place.", body = RankedStudent, example = json!(example()))))]
pub(super) async fn read(
    Shared(state): Shared<State>,
    place: Place,
    Path(OfUser { user_id }): Path<OfUser>,
    query: Query,
) -> Answer<Rendered> {
    let named = named_membership(&query)?;
    let of = ranked_by(&state, &place, named).await?;
    let member = state.app.store.member_of(of.membership.id, user_id).await?.ok_or(Error::NotFound)?;
    let rank = members::rank(&state.app, of.placed(member.member)).await?;
    let names = names(&state, std::slice::from_ref(&rank)).await?;
    Ok(Rendered(shown(&rank, &of, &names)))
}

/// The membership that the query names, if it names one.
fn named_membership(query: &Query) -> Result<Option<MembershipId>, Error> {
    let (at, mut errors) = (Pointer::root().child("membership_id"), Vec::new());
    let named = query.iter().filter(|(name, _)| *name == "membership_id").map(|(_, id)| id.trim());
    let named = named.filter(|id| !id.is_empty()).last();
    let named = named.and_then(|id| MembershipId::read(id.into(), &at, &mut errors));
    if errors.is_empty() { Ok(named) } else { Err(Error::Invalid(errors)) }
}

/// The membership whose members are ranked: the one that is named, or else the segment's oldest.
async fn ranked_by(state: &State, place: &Place, named: Option<MembershipId>) -> Result<Configuration, Error> {
    let store = &state.app.store;
    let reads = async {
        let oldest = match named {
            Some(named) => Some(named),
            None => store.oldest_membership(place.id).await?,
        };
        store.configuration(oldest.ok_or(Error::NotFound)?).await
    };
    let (access, of) = place.caller.accesses(reads).await?;
    access.manages(&of.membership, KeyScope::Read)?;
    // The key of an account reaches other segments too.
    if of.membership.segment_id == place.id { Ok(of) } else { Err(Error::NotFound) }
}

/// What the users are called who have no name as members, as those who come by a product: 1 `BatchGetItem`, if there are such.
async fn names(state: &State, ranks: &[Rank]) -> Result<BTreeMap<UserId, String>, Error> {
    let nameless = ranks.iter().map(|rank| &rank.member.fields).filter(|fields| fields.name.is_none());
    let users: Vec<_> = nameless.filter_map(|fields| fields.user_id).collect();
    let users = state.app.store.users_by_id(users).await?;
    Ok(users.into_iter().map(|user| (user.id, whole(&user.fields.name, &user.fields.last_name))).collect())
}

fn whole(name: &Option<Name>, last_name: &Option<Name>) -> String {
    [name, last_name].into_iter().flatten().map(Name::as_str).collect::<Vec<_>>().join(" ")
}

fn shown(rank: &Rank, of: &Configuration, names: &BTreeMap<UserId, String>) -> Value {
    let fields = &rank.member.fields;
    let own = whole(&fields.name, &fields.last_name);
    let name = fields.user_id.and_then(|user| names.get(&user)).unwrap_or(&own);
    let level = fields.level_id.and_then(|level| of.level(level)).map(|level| level.fields.name.as_str());
    json!({
        "position": rank.position,
        "user_id": fields.user_id,
        "name": (!name.is_empty()).then_some(name),
        "points": rank.member.points,
        "level": level,
    })
}

fn example() -> Value {
    json!({
        "position": 1, "user_id": "0199d2a4-5c00-7000-8000-000000000002", "name": "Ana López", "points": 120,
        "level": "Gold"
    })
}
