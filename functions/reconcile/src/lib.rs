//! Finishes what a crash has cut off between the table and Cognito. Runs on a schedule; a request that meets an
//! abandoned change of its own user settles it too.

use domain::user::SelfPurge;
use domain::{Act, Action, Actor, Entry, Error, Status, Time, User, UserId};
use futures_util::future::join_all;
use identity::{Identity, Standing};
use store::{Also, PasswordEffects, Pending, PendingKind, Store, UserRecord, retried};

#[cfg(feature = "jobs")]
mod command;
#[cfg(feature = "jobs")]
pub mod jobs;
#[cfg(feature = "jobs")]
mod traces;

#[cfg(feature = "jobs")]
pub use command::handle;

/// So many rows are worked on at once.
const AT_ONCE: usize = 16;

/// Settles every abandoned change.
///
/// # Errors
/// The last of those that could not be settled; the others are, and the next run tries it again.
pub async fn sweep(store: &Store, identity: &Identity) -> Result<(), Error> {
    let mut outcome = Ok(());
    for kind in PendingKind::ALL {
        for id in store.pending(kind, Time::now().minus(Pending::LEASE)).await? {
            // The index lags behind: the record itself says whether there is still something to settle.
            let settled = match store.user(id).await {
                Ok(Some(record)) => settled(store, identity, record).await.map(drop),
                Ok(None) => Ok(()),
                Err(error) => Err(error),
            };
            // The run fails with the last cause only, and an operator needs each.
            if let Err(error) = &settled {
                tracing::error!(?kind, user = %id, cause = ?error, "a pending change could not be finished; the next run tries again");
            }
            outcome = settled.and(outcome);
        }
    }
    outcome
}

/// The record with no abandoned change left on it; nothing where settling has taken the user away.
///
/// # Errors
/// [`Error::Unavailable`]; the change stays pending.
pub async fn settled(store: &Store, identity: &Identity, record: UserRecord) -> Result<Option<UserRecord>, Error> {
    let Some(pending) = record.pending.filter(|pending| pending.is_abandoned()) else { return Ok(Some(record)) };
    let id = record.user.id;
    settle(store, identity, record).await?;
    tracing::info!(kind = ?pending.kind, "settled what had been cut off");
    store.user(id).await
}

/// Settles a pending change whose maker must be dead. Who settles it second finds it ended, and ends nothing else.
async fn settle(store: &Store, identity: &Identity, record: UserRecord) -> Result<(), Error> {
    let Some(pending) = record.pending else { return Ok(()) };
    let id = record.user.id;
    match pending.kind {
        // With an identity the sign-up is whole, and its code has been sent. Without one nobody knows the password
        // any more: the claims become free, and signing up again is a fresh start.
        PendingKind::SignUp if identity.exists(id).await? => store.end(&record).await.map(drop),
        PendingKind::SignUp => unless_stale(store.undo_sign_up(&record).await),
        PendingKind::Email => {
            match identity.set_email(&record.user).await {
                Ok(false) => return end_without_identity(store, identity, &record).await,
                // An e-mail that Cognito never takes must not keep the change pending.
                Ok(true) | Err(Error::Invalid(_)) => {}
                Err(error) => return Err(error),
            }
            store.end(&record).await.map(drop)
        }
        PendingKind::Password if !has_password(identity, id).await? => {
            end_without_identity(store, identity, &record).await
        }
        // Nobody can tell which password holds, so no session may: whoever knows the right one logs in again.
        PendingKind::Password => {
            let act = (Action::PasswordChangeInterrupted, Act::of(Actor::System, "reconcile"));
            let effects = PasswordEffects { changed_at: Some(pending.since), ..PasswordEffects::default() };
            store.finish_password(record, act, effects).await.map(drop)
        }
        PendingKind::Purge => {
            identity.delete(id).await?;
            unless_stale(store.erase(&record.user, Act::by_itself("reconcile")).await)
        }
    }
}

/// Whether an identity has a password that may hold; one that was cut off before it got its first is deleted.
async fn has_password(identity: &Identity, user: UserId) -> Result<bool, Error> {
    match identity.standing(user).await? {
        Standing::Missing => Ok(false),
        Standing::Unfinished => identity.delete(user).await.map(|()| false),
        Standing::Unconfirmed | Standing::Confirmed => Ok(true),
    }
}

/// Ends a pending change of a user of whom Cognito has no identity. Who had one gets it again, with a password that nobody
/// knows, so that the user can recover; of who had none that is written down.
///
/// # Errors
/// [`Error::Unavailable`]; the change stays pending.
pub async fn end_without_identity(store: &Store, identity: &Identity, record: &UserRecord) -> Result<(), Error> {
    let id = record.user.id;
    if !record.has_login {
        return store.end_without_login(record).await.map(drop);
    }
    match identity.restore(&record.user).await {
        Ok(()) => {}
        // An e-mail that Cognito never takes must not keep the change pending.
        Err(Error::Invalid(_)) => return store.end_without_login(record).await.map(drop),
        Err(error) => return Err(error),
    }
    if !store.end(record).await? {
        // Who was erased meanwhile has an identity again that nobody else knows of.
        delete_if_erased(store, identity, id).await?;
    }
    Ok(())
}

/// Deletes the identity of a user who is erased, or is being erased: whether it is.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn delete_if_erased(store: &Store, identity: &Identity, user: UserId) -> Result<bool, Error> {
    let is_erased = store.user(user).await?.is_none_or(|record| record.is_being_erased());
    if is_erased {
        identity.delete(user).await?;
    }
    Ok(is_erased)
}

/// Ends a change of password that Cognito has refused; of a call whose outcome is unknown, [`sweep`] finds out. Where
/// the user has no identity with a password, none stays.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn end_refused_password(
    store: &Store,
    identity: &Identity,
    record: &UserRecord,
    error: &Error,
) -> Result<(), Error> {
    if error.is_outcome_unknown() {
        return Ok(());
    }
    if has_password(identity, record.user.id).await? {
        store.end(record).await.map(drop)
    } else {
        end_without_identity(store, identity, record).await
    }
}

/// Erases a user for good. The table first: from here on the user is gone for everybody, and what is cut off is known
/// to [`sweep`].
///
/// # Errors
/// [`Error::Stale`] where the user has changed since it was read; [`Error::Conflict`] where it has children.
pub async fn purged(store: &Store, identity: &Identity, before: &UserRecord, act: Act<'_>) -> Result<(), Error> {
    purge(store, identity, before, (act, None)).await
}

/// Erases a user of a segment that purges itself, and leaves a tombstone for the owner of the segment.
///
/// # Errors
/// As [`purged`].
pub async fn purge_self(store: &Store, identity: &Identity, before: &UserRecord, act: Act<'_>) -> Result<(), Error> {
    purge(store, identity, before, (act, Some(SelfPurge::Begun))).await
}

/// Erases users who were made together and do not stand, whatever they are by now.
///
/// # Errors
/// [`Error::Unavailable`]; [`Error::Conflict`] where somebody has made one of them a parent meanwhile.
pub async fn undo(store: &Store, identity: &Identity, users: &[UserId], act: Act<'_>) -> Result<(), Error> {
    for some in users.chunks(AT_ONCE) {
        let undone = join_all(some.iter().map(|user| undo_one(store, identity, *user, act))).await;
        undone.into_iter().collect::<Result<(), Error>>()?;
    }
    Ok(())
}

async fn undo_one(store: &Store, identity: &Identity, id: UserId, act: Act<'_>) -> Result<(), Error> {
    retried(|| async {
        let Some(record) = store.user(id).await? else { return Ok(()) };
        purged(store, identity, &record, act).await
    })
    .await
}

async fn purge(
    store: &Store,
    identity: &Identity,
    before: &UserRecord,
    (act, self_purge): (Act<'_>, Option<SelfPurge>),
) -> Result<(), Error> {
    let user = before.user.moved(Status::Deleted, Time::now());
    // One that has begun stays what it is, whoever begins it again.
    let after = User { self_purge: self_purge.or(before.user.self_purge), ..user };
    let gone = put_out_of_use(store, before, (&after, Some(PendingKind::Purge)), act).await?;
    identity.delete(before.user.id).await?;
    // Somebody else has done it, or has begun it again and goes on: nothing else comes after a purge.
    unless_stale(store.erase(&gone.user, act).await)
}

/// Puts a user out of use, and begins what follows.
///
/// # Errors
/// As [`purged`].
pub async fn deleted(
    store: &Store,
    before: &UserRecord,
    begins: Option<PendingKind>,
    act: Act<'_>,
) -> Result<UserRecord, Error> {
    let after = before.user.moved(Status::Deleted, Time::now());
    put_out_of_use(store, before, (&after, begins), act).await
}

async fn put_out_of_use(
    store: &Store,
    before: &UserRecord,
    (after, begins): (&User, Option<PendingKind>),
    act: Act<'_>,
) -> Result<UserRecord, Error> {
    let entry = Entry::between(Some(&before.user), after, Action::Deleted, act);
    let also = Also { begins, ends_sessions: Some(None), ..Also::default() };
    store.change_user(before, after, &entry, also).await
}

/// Somebody else has settled it first.
fn unless_stale(done: Result<(), Error>) -> Result<(), Error> {
    match done {
        Err(Error::Stale) => Ok(()),
        done => done,
    }
}
