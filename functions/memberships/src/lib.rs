//! `/v1/memberships`: what a segment offers to join, with levels and custom fields.

use domain::{Error, KeyScope, Membership, MembershipId};
use edge::{Access, App, Caller};
use store::{Configuration, Deleted, UserRecord};
use utoipa_axum::router::OpenApiRouter;

pub mod fields;
pub mod levels;
pub mod memberships;

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    memberships::router().merge(levels::router()).merge(fields::router())
}

/// Lets those see a membership who manage it, its members among the users of its segment and, where people may enrol
/// themselves, every user. Of a user who has joined anything, 1 or 2 reads tell whether it is a member of a closed one.
async fn readable(app: &App, access: &Access, membership: &Membership) -> Result<(), Error> {
    match (access.manages(membership, KeyScope::Read), access.user()) {
        (Err(Error::NotFound), Some(_)) if membership.is_open() => {
            app.check_participation(access, membership.segment_id).await
        }
        (Err(Error::NotFound), Some(UserRecord { user, .. }))
            if user.segment_id == Some(membership.segment_id) && !user.unjoined =>
        {
            let member = app.store.member_of(membership.id, user.id).await?;
            member.ok_or(Error::NotFound)?.member.takes_part()
        }
        (managed, _) => managed,
    }
}

/// A membership with its levels and fields, for those who may see it: 1 round of latency, and 2 more for a member of a
/// closed one.
///
/// # Errors
/// [`Error::NotFound`] for everybody else.
pub async fn shown(app: &App, caller: &Caller, id: MembershipId) -> Result<Configuration, Error> {
    let (access, configuration) = caller.accesses(app.store.configuration(id)).await?;
    readable(app, &access, &configuration.membership).await?;
    Ok(configuration)
}

/// The levels or fields of a membership that were deleted, for those who manage it: 1 round of latency.
///
/// # Errors
/// [`Error::NotFound`] for everybody else.
pub async fn deleted<T: Deleted>(app: &App, caller: &Caller, id: MembershipId) -> Result<Vec<T>, Error> {
    let reads = async { tokio::try_join!(app.store.membership(id), app.store.deleted(id.uuid())) };
    let (access, (membership, found)) = caller.accesses(reads).await?;
    access.manages(&membership, KeyScope::Read)?;
    Ok(found)
}

/// A membership with its levels and fields, for those who manage it: 1 round of latency.
async fn managed(app: &App, caller: &Caller, id: MembershipId) -> Result<Configuration, Error> {
    let (access, configuration) = caller.accesses(app.store.configuration(id)).await?;
    access.manages(&configuration.membership, KeyScope::Admin)?;
    Ok(configuration)
}
