//! `POST /v1/users/{user}/restoration`: back from deletion.

use axum::extract::State;
use domain::text::Secret;
use domain::user::User;
use domain::{Action, Actor, Entry, Error, Status, Time, UserId, body};
use edge::{Account, Answer, App, Attempt, Body, Path, RequestId, Shown, Visitor};
use identity::{Identity, LoggedIn};
use reconcile::settled;
use store::{Also, Pending};

body! {
    /// What proves that a deleted user is one's own: its tokens have ended with it.
    pub struct Restoration {
        /// The password that the user had.
        pub password: Secret,
    }
    example { "password": "correct horse battery" }
}

/// Restores a deleted master user, by its password. 409 names each value that somebody else has taken since.
#[utoipa::path(post, path = "/v1/users/{user}/restoration", tag = "users", security(()),
    request_body = Restoration,
    responses((status = 200, description = "The user, ACTIVE again.", body = User)))]
pub(crate) async fn restore(
    State(app): State<App>,
    State(identity): State<Identity>,
    visitor: Visitor,
    request_id: RequestId,
    Path(id): Path<UserId>,
    Body(restoration): Body<Restoration>,
) -> Answer<Shown> {
    let found = match visitor.tries(Attempt::Login, Account::Id(id)).await? {
        Some(record) => settled(&app.store, &identity, record).await?,
        None => None,
    };
    // Blocked users, and those who are being erased, are as unknown as those who never were.
    let known = found
        .filter(|record| matches!(record.user.status, Status::Active | Status::Deleted) && record.pending.is_none());
    let asked = known.as_ref().map_or_else(UserId::fresh, |record| record.user.id);
    let (LoggedIn::Tokens(_), Some(record)) = (identity.login(asked, restoration.password.reveal()).await?, known)
    else {
        return Err(Error::Unauthenticated.into());
    };
    if record.user.status != Status::Deleted {
        return Err(Error::conflict("", "not_deleted", "The user is not deleted; log in.").into());
    }
    let user = record.user.moved(Status::Active, None, Time::now());
    let entry = Entry::between(Some(&record.user), &user, (Action::Restored, Actor::User(id), &request_id.0));
    let restored = app.store.change_user(&record, &user, &entry, Also::default()).await;
    restored.map_err(Pending::instead_of_stale)?;
    Ok(Shown::new(&user))
}
