//! Points: what a member gets or loses, each time with a reason, and the level that follows them.

use axum::extract::State;
use domain::award::{self, AwardFields, Delta};
use domain::text::Text;
use domain::{Award, EntryId, Error, KeyScope, LevelId, Member, MemberId, Time};
use edge::{Answer, App, Body, Caller, Created, FilterKind, List, ListSpec, Listed, Path, Seed, openapi, retried};
use store::{AlsoOfMember, Configuration};

use crate::seat::Seat;

/// How awards are listed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Awards;

impl ListSpec for Awards {
    const SORTS: &'static [&'static str] = &["id", "created_at"];
    const DEFAULT_SORT: &'static str = "-created_at";
    const FILTERS: &'static [(&'static str, FilterKind)] = &[];
}

// The document's macro takes no generic types, but names of them.
type AwardList = openapi::ListOf<Award>;

/// Lists what points a member got and lost, newest first.
#[utoipa::path(get, path = "/v1/members/{member}/points", tag = "points", params(List<Awards>),
    responses((status = 200, description = "A page of awards.", body = AwardList)))]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(member): Path<MemberId>,
    list: List<Awards>,
) -> Answer<Listed> {
    let window = list.window();
    let (seat, page) =
        tokio::join!(Seat::take(&app, &caller, member, KeyScope::Read), app.store.awards(member, &window));
    let total = seat?.record.award_count;
    Ok(list.answer(&app, page?, |award| award.id.to_string(), total).await?)
}

/// Gives a member points, or takes some away; its level follows.
#[utoipa::path(post, path = "/v1/members/{member}/points", tag = "points", operation_id = "award_points", request_body = AwardFields,
    responses((status = 201, description = "The award, with the points and the level after it.", body = Award)))]
pub(crate) async fn award(
    State(app): State<App>,
    caller: Caller,
    Path(member): Path<MemberId>,
    seed: Seed,
    Body(fields): Body<AwardFields>,
) -> Answer<Created> {
    let id: EntryId = seed.id(0);
    let made = retried(|| async {
        let seat = Seat::manage(&app, &caller, member, KeyScope::Write).await?;
        let before = &seat.record;
        let points = match award::after(before.member.points, fields.delta) {
            Ok(points) => points,
            // Unless an earlier try of this very request has taken them already.
            Err(error) => match app.store.award(member, id).await {
                Ok(made) => return Ok(made),
                Err(_) => return Err(error),
            },
        };
        let level_id = seat.configuration.level_of(points.get()).map(|level| level.id);
        let at = Time::of(id.uuid());
        let award =
            Award { id, member_id: member, fields: fields.clone(), points, level_id, actor: caller.actor(), at };
        let after = Member { points, ..before.member.next(Time::now()) };
        let also = AlsoOfMember { award: Some(&award), ..AlsoOfMember::default() };
        match app.store.change_member(before, after, &seat.configuration, also, caller.act()).await {
            // An earlier try of this very request had made it before it was cut off.
            Err(Error::Conflict(taken)) if taken.iter().any(|one| one.code == "exists") => {
                app.store.award(member, id).await
            }
            changed => changed.map(|_| award),
        }
    })
    .await?;
    Ok(Created::one(format!("/v1/members/{member}/points"), &made))
}

/// Moves a member to a level, by the points with which that begins: level and points never disagree.
pub(crate) fn moved(
    caller: &Caller,
    configuration: &Configuration,
    member: &mut Member,
    (level, id): (LevelId, EntryId),
) -> Result<Award, Error> {
    let unknown =
        || Error::invalid("/level_id", "unknown", "must be the id of a level of this membership that is in use");
    let level = configuration.level(level).filter(|level| level.fields.status.0).ok_or_else(unknown)?;
    let before = member.points.get();
    member.points = level.fields.from_point;
    let delta = Delta::new(member.points.get() - before).ok_or_else(unknown)?;
    let reason = Text::parse("Level set").map_err(|(_, message)| Error::internal(message))?;
    let (fields, points) = (AwardFields { delta, reason }, member.points);
    let (actor, at) = (caller.actor(), member.updated_at);
    Ok(Award { id, member_id: member.id, fields, points, level_id: Some(level.id), actor, at })
}
