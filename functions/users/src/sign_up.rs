//! `POST /v1/users`: a master user signs up.
//!
//! The table comes first, in one transaction that claims the e-mail, so that of any number of simultaneous sign-ups
//! one alone reaches Cognito. Until Cognito has made the identity the sign-up is pending: cut off there, the next
//! sign-up with the same values, or the `reconcile` function, takes it back. A user who does not verify its e-mail
//! within a day gives way to the next who signs up with a value of its own.

use std::time::Duration;

use axum::extract::State;
use domain::user::{SignUp, User};
use domain::{Act, Action, Actor, Entry, Error, Status, Time, UserId};
use edge::{Answer, App, Body, Created, RequestId, Seed, SignUpMode, Visitor};
use identity::Identity;
use reconcile::settled;
use store::{Scope, UserRecord};

use crate::location;
use reconcile::purged;

/// Signs up a master user. A verification code is sent to the e-mail.
#[utoipa::path(post, path = "/v1/users", tag = "users", security(()), request_body = SignUp,
    responses(
        (status = 201, description = "The user, UNVERIFIED.", body = User),
        (status = 409, description = "A value is taken by another user. Who has not verified its e-mail 24 hours after \
            signing up takes nothing any more: a new sign-up erases it."),
    ))]
pub async fn sign_up(
    State(app): State<App>,
    State(identity): State<Identity>,
    visitor: Visitor,
    seed: Seed,
    request_id: RequestId,
    Body(new): Body<SignUp>,
) -> Answer<Created> {
    visitor.signs_up().await?;
    if app.sign_up == SignUpMode::Closed {
        return Err(Error::Forbidden("Nobody can sign up here; ask the deployment's owner for access.").into());
    }
    let id: UserId = seed.id(0);
    let user = User::master(id, new.fields.clone(), Time::of(id.uuid()));
    let entry = Entry::between(None, &user, Action::Created, Act::of(Actor::User(id), &request_id.0));
    let Some(pending) = claim(&app, &identity, &user, &entry).await? else {
        return Ok(Created::one(location(id), &user));
    };
    match identity.sign_up(id, &new.email, &new.password).await {
        // An identity of this id can only come from an earlier try of this very request.
        Ok(()) | Err(Error::Conflict(_)) => {}
        // Nobody knows whether Cognito has made the identity: `reconcile` finds out.
        Err(error) if error.is_outcome_unknown() => return Err(error.into()),
        Err(refused) => {
            // What is refused at the second try of a call may have been made by the first.
            identity.delete(id).await?;
            app.store.undo_sign_up(&pending).await?;
            return Err(refused.into());
        }
    }
    if !app.store.end(&pending).await? {
        // This took so long that it was taken for dead, and was taken back.
        identity.delete(id).await?;
        return Err(Error::Unavailable("a sign-up outlived its lease".into()).into());
    }
    Ok(Created::one(location(id), &user))
}

/// Writes the user and its claims, over abandoned sign-ups if need be: the pending record, or nothing where an
/// earlier try of this very request has finished.
async fn claim(app: &App, identity: &Identity, user: &User, entry: &Entry) -> Result<Option<UserRecord>, Error> {
    let first = app.sign_up == SignUpMode::First;
    match app.store.sign_up(user, entry, first).await {
        Err(Error::Conflict(_) | Error::Forbidden(_)) => {}
        claimed => return claimed.map(Some),
    }
    if let Some(own) = app.store.user(user.id).await? {
        let pending = own.pending.is_some();
        return if pending { app.store.renew(own).await.map(Some) } else { Ok(None) };
    }
    make_room(app, identity, user, &entry.request_id).await?;
    app.store.sign_up(user, entry, first).await.map(Some)
}

/// How long a sign-up may hold its values unverified: as long as the code lives that was sent with it.
const VERIFIED_WITHIN: Duration = Duration::from_secs(24 * 60 * 60);

/// Takes back abandoned sign-ups that hold what this one needs. Where nobody else holds any of it, those whose e-mail
/// has not been verified in time are erased: a mistyped e-mail, or somebody else's, is not held for ever.
async fn make_room(app: &App, identity: &Identity, user: &User, request_id: &str) -> Result<(), Error> {
    let mut holders = Vec::new();
    for unique in user.unique_values() {
        holders.extend(app.store.user_by(Scope::Masters, &unique).await?);
    }
    if app.sign_up == SignUpMode::First {
        holders.extend(app.store.first_user().await?);
    }
    holders.sort_unstable_by_key(|holder| holder.user.id);
    holders.dedup_by_key(|holder| holder.user.id);
    let (mut overdue, mut all) = (Vec::new(), true);
    for holder in holders {
        let Some(holder) = settled(&app.store, identity, holder).await? else { continue };
        if is_overdue(identity, &holder).await? {
            overdue.push(holder);
        } else {
            all = false;
        }
    }
    for holder in overdue.iter().filter(|_| all) {
        match purged(&app.store, identity, holder, Act::of(Actor::System, request_id)).await {
            // Verified, or erased for another sign-up, in this very moment: who has the values is seen when they are
            // claimed.
            Ok(()) | Err(Error::Stale) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Whether a user has had its time to verify its e-mail, and has not.
async fn is_overdue(identity: &Identity, record: &UserRecord) -> Result<bool, Error> {
    let user = &record.user;
    let late = user.created_at.plus(VERIFIED_WITHIN) < Time::now();
    let open = late && user.status == Status::Unverified && record.pending.is_none();
    // A verification that was cut off before the table heard of it counts: the next login completes it.
    Ok(open && !identity.is_confirmed(user.id).await?)
}
