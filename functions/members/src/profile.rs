//! The profile that a person shares with the owner of a segment by joining one of its memberships.

use axum::extract::State;
use domain::{Error, KeyScope, MemberId, Status, User, UserId, UserProfile};
use edge::{Answer, App, Caller, IfNoneMatch, Owner, Path, Shown, UserRef};

use crate::seat::Seat;

/// Reads the profile of a member's user, for the owner of the segment and for the member itself.
#[utoipa::path(get, path = "/v1/members/{member}/profile", tag = "members", operation_id = "get_member_profile",
    responses((status = 200, description = "How the user is called and reached.", body = UserProfile)))]
pub(crate) async fn read(
    State(app): State<App>,
    caller: Caller,
    Path(member): Path<MemberId>,
    has: IfNoneMatch,
) -> Answer<Shown> {
    let member = Seat::take(&app, &caller, member, KeyScope::Read).await?.record.member;
    let user = member.fields.user_id.ok_or(Error::NotFound)?;
    let record = app.store.user(user).await?.filter(|record| record.user.status != Status::Deleted);
    Ok(Shown::unless(&has, &UserProfile::from(record.ok_or(Error::NotFound)?.user)))
}

/// Reads a user whole for those who may act on it; for the owner of a segment in which it is a member, its profile with the
/// member `kept` of its metadata: 1 `Query` more.
///
/// # Errors
/// [`Error::NotFound`] for everybody else; as [`Caller::access`].
pub async fn read_shared_user(app: &App, caller: &Caller, id: UserId, kept: &str) -> Result<User, Error> {
    if caller.session().is_ok_and(|session| session.claims.user_id == id) {
        return Ok(caller.acts(UserRef::Id(id), KeyScope::Read).await?.record.user);
    }
    let (access, record) = caller.accesses(app.store.user(id)).await?;
    let record = record.ok_or(Error::NotFound)?;
    match access.manages(&record, KeyScope::Read) {
        Err(Error::NotFound) if record.user.status != Status::Deleted => {}
        managed => return managed.map(|()| record.user),
    }
    let joined = app.store.joined(id).await?;
    let owners = joined.iter().map(|joined| Owner { account: joined.owner_id, segment: joined.segment_id });
    // Of several segments, any that the caller reaches will do.
    let reached = owners
        .map(|owner| access.manages(owner, KeyScope::Read))
        .find(|reached| !matches!(reached, Err(Error::NotFound)));
    reached.ok_or(Error::NotFound)?.map(|()| record.user.shared_with(kept))
}
