//! A user whose e-mail is verified becomes `ACTIVE`.

use domain::{Act, Action, Actor, Entry, Error, Status, Time};
use edge::{App, RequestId};
use store::{Also, UserRecord};

/// Makes the user of `record` active, with a secret that signs it in once, if one is given.
///
/// # Errors
/// [`Error::Stale`] where the user has changed since it was read.
pub async fn activate(
    app: &App,
    record: &UserRecord,
    request_id: &RequestId,
    one_time: Option<(String, Time)>,
) -> Result<(), Error> {
    let user = record.user.moved(Status::Active, Time::now());
    let entry =
        Entry::between(Some(&record.user), &user, Action::Verified, Act::of(Actor::User(user.id), &request_id.0));
    app.store.change_user(record, &user, &entry, Also { one_time, ..Also::default() }).await.map(drop)
}
