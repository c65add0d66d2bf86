//! One member: read, changed, deleted.

use axum::extract::State;
use domain::answer::Given;
use domain::{EnrolmentFields, Error, KeyScope, Member, MemberFields, MemberId, MergePatch, ParsedBody, Time};
use edge::{Answer, App, Body, Caller, IfMatch, IfNoneMatch, NoContent, Path, Seed, Shown, retried};
use serde_json::Value;
use store::AlsoOfMember;

use crate::points::moved;
use crate::seat::{Role, Seat, check_card, knows};

// The document's macro takes no generic types, but names of them.
type MemberPatch = MergePatch<MemberFields>;

/// Reads a member, with its answers and the required fields that it has not answered.
#[utoipa::path(get, path = "/v1/members/{member}", tag = "members",
    responses((status = 200, description = "The member.", body = Member)))]
pub(crate) async fn read(
    State(app): State<App>,
    caller: Caller,
    Path(member): Path<MemberId>,
    has: IfNoneMatch,
) -> Answer<Shown> {
    let seat = Seat::take(&app, &caller, member, KeyScope::Read).await?;
    Ok(seat.shows(&has, &seat.shown()))
}

/// Changes a member by a merge patch. A level is reached by its points: `level_id` sets these to where the level
/// begins. The member itself changes its name, phone, card number, origin and metadata only; if it was APPROVED, it returns
/// to PENDING, unless its membership keeps approvals.
#[utoipa::path(patch, path = "/v1/members/{member}", tag = "members", request_body = MemberPatch,
    responses((status = 200, description = "The member after the change.", body = Member)))]
pub(crate) async fn change(
    State(app): State<App>,
    caller: Caller,
    Path(member): Path<MemberId>,
    matches: IfMatch,
    seed: Seed,
    Body(given): Body<Given>,
) -> Answer<Shown> {
    Ok(retried(|| async {
        let seat = Seat::take(&app, &caller, member, KeyScope::Write).await?;
        let before = seat.shown();
        let now = Time::now();
        let mut patched = patch_fields(&before, Value::Object(given.0.clone()), seat.role);
        let fields = patched.readable()?.clone();
        let membership = &seat.configuration.membership;
        patched.add_outcome(check_card(&app, membership, (Some(&before.fields), &fields)).await)?;
        if fields.user_id != before.fields.user_id {
            patched.add_outcome(knows(&app, membership, fields.user_id).await)?;
        }
        let after = Member { fields, ..before.next(now) };
        let after = match seat.role {
            Role::Itself => after.reviewed(&before, &membership.fields.settings.0),
            Role::Manager => after,
        };
        // What is kept has all answers, those that do not hold at the moment too.
        let mut after = Member { answers: seat.record.member.answers.clone(), ..after };
        let award = match after.fields.level_id {
            level if level == before.fields.level_id => Ok(None),
            Some(level) => moved(&caller, &seat.configuration, &mut after, (level, seed.id(0))).map(Some),
            None => {
                let message = "cannot be cleared: a level follows from the points";
                Err(Error::invalid("/level_id", "required", message))
            }
        };
        let award = patched.add_outcome(award)?.flatten();
        patched.into_result()?;
        matches.check(before.version)?;
        let also = AlsoOfMember { award: award.as_ref(), ..AlsoOfMember::default() };
        let record = app.store.change_member(&seat.record, after, &seat.configuration, also, caller.act()).await?;
        Ok(Shown::new(&seat.configuration.shown(record.member)))
    })
    .await?)
}

/// Applies a patch to what is written about a member: to all of it by who manages it, to what is its own by the member.
fn patch_fields(before: &Member, patch: Value, role: Role) -> ParsedBody<MemberFields> {
    match role {
        Role::Manager => MergePatch::read(patch).apply_to(&before.fields),
        Role::Itself => {
            let own = MergePatch::<EnrolmentFields>::read(patch).apply_to(&before.fields.enrolment());
            own.map(|own| before.fields.clone().with(own))
        }
    }
}

/// Deletes a member with its answers, awards and files.
#[utoipa::path(delete, path = "/v1/members/{member}", tag = "members",
    responses((status = 204, description = "The member is gone; its files go within minutes.")))]
pub(crate) async fn delete(
    State(app): State<App>,
    caller: Caller,
    Path(member): Path<MemberId>,
    matches: IfMatch,
) -> Answer<NoContent> {
    Ok(retried(|| async {
        let seat = Seat::manage(&app, &caller, member, KeyScope::Write).await?;
        matches.check(seat.record.member.version)?;
        app.store.delete_member(&seat.record, caller.act()).await?;
        Ok(NoContent)
    })
    .await?)
}
