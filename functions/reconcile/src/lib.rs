//! Finishes what a crash has cut off between the table and Cognito. Runs on a schedule; a request that meets an
//! abandoned change of its own user settles it too.

use domain::{Action, Actor, Error, Time};
use identity::Identity;
use store::{Pending, PendingKind, Store, UserRecord};

/// Settles every abandoned change: how many there were.
///
/// # Errors
/// The first that could not be settled; the next run tries it again.
pub async fn sweep(store: &Store, identity: &Identity) -> Result<usize, Error> {
    let mut settled = 0;
    for kind in PendingKind::ALL {
        for id in store.pending(kind, Time::now().minus(Pending::LEASE)).await? {
            // The index lags behind: the record itself says whether there is still something to settle.
            let Some(record) = store.user(id).await? else { continue };
            if record.pending.is_some_and(Pending::is_abandoned) {
                settle(store, identity, record).await?;
                tracing::info!(?kind, "settled what had been cut off");
                settled += 1;
            }
        }
    }
    Ok(settled)
}

/// Settles the pending change of one user, whose maker must be dead. Settling twice does no harm.
///
/// # Errors
/// [`Error::Unavailable`]; the change stays pending.
pub async fn settle(store: &Store, identity: &Identity, record: UserRecord) -> Result<(), Error> {
    let Some(pending) = record.pending else { return Ok(()) };
    let id = record.user.id;
    match pending.kind {
        // With an identity the sign-up is whole, and its code has been sent. Without one nobody knows the password
        // any more: the claims become free, and signing up again is a fresh start.
        PendingKind::SignUp if identity.exists(id).await? => store.end(&record).await,
        PendingKind::SignUp => unless_stale(store.undo_sign_up(&record).await),
        PendingKind::Email => {
            if let Some(email) = &record.user.fields.email {
                identity.set_email(id, email).await?;
            }
            store.end(&record).await
        }
        // Nobody can tell which password holds, so no session may: whoever knows the right one logs in again.
        PendingKind::Password => {
            let act = (Action::PasswordChangeInterrupted, Actor::System, "reconcile");
            store.finish_password(record, act, None).await
        }
        PendingKind::Purge => {
            identity.delete(id).await?;
            unless_stale(store.erase(id).await)
        }
    }
}

/// Somebody else has settled it first.
fn unless_stale(done: Result<(), Error>) -> Result<(), Error> {
    match done {
        Err(Error::Stale) => Ok(()),
        done => done,
    }
}
