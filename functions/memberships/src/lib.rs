//! `/v1/memberships`: what a segment offers to join, with levels and custom fields.

use domain::{Error, KeyScope, Membership, MembershipId};
use edge::{Access, App, Caller};
use store::{Configuration, Deleted};
use utoipa_axum::router::OpenApiRouter;

pub mod fields;
pub mod levels;
pub mod memberships;

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    memberships::router().merge(levels::router()).merge(fields::router())
}

/// Lets those see a membership who manage it, the users of its segment and, where people may enrol themselves, every
/// user.
fn readable(access: &Access, membership: &Membership) -> Result<(), Error> {
    let Some(user) = access.user() else { return access.manages(membership, KeyScope::Read) };
    if membership.is_open() || user.user.segment_id == Some(membership.segment_id) {
        return Ok(());
    }
    access.manages(membership, KeyScope::Read)
}

/// A membership with its levels and fields, for those who may see it: 1 round of latency.
///
/// # Errors
/// [`Error::NotFound`] for everybody else.
pub async fn shown(app: &App, caller: &Caller, id: MembershipId) -> Result<Configuration, Error> {
    let (access, configuration) = caller.accesses(app.store.configuration(id)).await?;
    readable(&access, &configuration.membership)?;
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
