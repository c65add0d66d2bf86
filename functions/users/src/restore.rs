//! `POST /v1/users/{user}/restoration`: back from deletion.

use axum::extract::State;
use domain::text::Secret;
use domain::user::User;
use domain::{Act, Action, Actor, Entry, Error, KeyScope, Role, Status, Time, UserId, body};
use edge::{Account, Answer, Anybody, App, Attempt, Caller, MaybeBody, Path, Seed, Shown, Subject, UserRef, Visitor};
use identity::LoggedIn;
use reconcile::settled;
use store::{Also, Pending, UserRecord};

body! {
    /// The proof that a deleted or expired user is the caller's own. Its tokens are not valid any more.
    pub struct Restoration {
        /// The password that the user had.
        pub password: Secret,
    }
    example { "password": "correct horse battery" }
}

/// Restores a deleted user: a master user by its password; a user of a segment by whoever has the segment, with a token or
/// a key and no body. 409 names each value that somebody else has taken since. A master user whose `valid_until` has passed
/// comes back in the same way, without it.
#[utoipa::path(post, path = "/v1/users/{user}/restoration", tag = "users", operation_id = "restore_user", security((), ("bearer" = []), ("key" = [])),
    request_body = Restoration,
    responses((status = 200, description = "The user, ACTIVE again.", body = User)))]
pub(crate) async fn restore(
    State(state): State<crate::State>,
    Anybody(caller): Anybody,
    visitor: Visitor,
    Path(id): Path<UserId>,
    seed: Seed,
    MaybeBody(restoration): MaybeBody<Restoration>,
) -> Answer<Shown> {
    match (caller, restoration) {
        (Some(caller), None) => by_manager(&state.app, &caller, (id, seed)).await,
        (None, Some(restoration)) => by_itself(&state, &visitor, (id, restoration, seed)).await,
        (None, None) => Err(Error::Unauthenticated.into()),
        (Some(_), Some(_)) => {
            let message = "Send the password of a master user, or the credential of whoever has the segment, not both.";
            Err(Error::invalid("", "exclusive", message).into())
        }
    }
}

async fn by_manager(app: &App, caller: &Caller, (id, seed): (UserId, Seed)) -> Answer<Shown> {
    let Subject { record, role } = caller.acts(UserRef::Id(id), KeyScope::Write).await?;
    if is_done(&record, seed) {
        return Ok(Shown::new(&record.user));
    }
    if record.user.status != Status::Deleted || role == Role::Itself {
        return Err(not_deleted("The user is not deleted.").into());
    }
    if record.is_being_erased() {
        return Err(Error::NotFound.into());
    }
    restored(app, &record, caller.act()).await
}

async fn by_itself(
    crate::State { app, identity, .. }: &crate::State,
    visitor: &Visitor,
    (id, restoration, seed): (UserId, Restoration, Seed),
) -> Answer<Shown> {
    let account = Account::Id(id);
    let found = match visitor.tries(Attempt::Login, &account).await? {
        Some(record) => settled(&app.store, identity, record).await?,
        None => None,
    };
    // Blocked users, those of segments, and those who are being erased are as unknown as those who never were.
    let known = found.filter(|record| record.user.segment_id.is_none() && record.pending.is_none());
    let known = known.filter(|record| matches!(record.user.status, Status::Active | Status::Deleted));
    let asked = known.as_ref().map_or_else(UserId::fresh, |record| record.user.id);
    let (LoggedIn::Tokens(_), Some(record)) = (identity.login(asked, restoration.password.reveal()).await?, known)
    else {
        visitor.record_failure(Attempt::Login, &account, None).await?;
        return Err(Error::Unauthenticated.into());
    };
    if is_done(&record, seed) {
        return Ok(Shown::new(&record.user));
    }
    if record.user.status != Status::Deleted && record.user.check_validity(Time::now()).is_ok() {
        return Err(not_deleted("The user is not deleted; log in.").into());
    }
    restored(app, &record, visitor.act(Actor::User(id))).await
}

async fn restored(app: &App, record: &UserRecord, act: Act<'_>) -> Answer<Shown> {
    let now = Time::now();
    let mut user = record.user.moved(Status::Active, now);
    // Nobody else could extend the validity of a master user.
    if user.segment_id.is_none() && user.check_validity(now).is_err() {
        user.fields.valid_until = None;
    }
    // A parent who is erased cannot come back: the child stands alone.
    if let Some(parent) = user.fields.parent_id
        && app.store.user(parent).await?.is_none()
    {
        user.fields.parent_id = None;
    }
    let entry = Entry::between(Some(&record.user), &user, Action::Restored, act);
    match app.store.change_user(record, &user, &entry, Also::default()).await {
        Ok(restored) => Ok(Shown::new(&restored.user)),
        Err(Error::Invalid(_)) => {
            let message = "is a user who is deleted, or a child by now; restore the parent first";
            Err(Error::conflict("/parent_id", "no_parent", message).into())
        }
        Err(error) => Err(Pending::instead_of_stale(error).into()),
    }
}

/// Whether an earlier try of this very request has restored the user, and lost its answer.
fn is_done(record: &UserRecord, seed: Seed) -> bool {
    seed.is_repeated() && record.user.status == Status::Active && record.user.check_validity(Time::now()).is_ok()
}

fn not_deleted(message: &str) -> Error {
    Error::conflict("", "not_deleted", message)
}
