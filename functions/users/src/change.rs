//! `PATCH /v1/users/{user}`.

use axum::extract::State;
use domain::user::{User, UserFields};
use domain::{Action, Entry, Error, MergePatch, Time};
use edge::{Answer, App, Body, Caller, IfMatch, Patch, Path, Shown, UserRef};
use identity::Identity;
use store::{Also, Pending, PendingKind, UserRecord};

use crate::settled;

// The document's macro takes no generic types, but names of them.
type UserPatch = MergePatch<UserFields>;

/// Changes a user by a merge patch. A new e-mail is where codes go from now on.
#[utoipa::path(patch, path = "/v1/users/{user}", tag = "users", request_body = UserPatch,
    responses((status = 200, description = "The user after the change.", body = User)))]
pub(crate) async fn change(
    State(app): State<App>,
    State(identity): State<Identity>,
    caller: Caller,
    Path(user): Path<UserRef>,
    matches: IfMatch,
    Body(Patch(patch)): Body<Patch<UserFields>>,
) -> Answer<Shown> {
    loop {
        let before = settled((&app, &identity), &caller, user).await?;
        matches.check(before.user.version)?;
        match apply(&app, &identity, &caller, &before, patch.clone()).await {
            // Read again, it shows what came between: another version, which who named one is told; another change under
            // way, which is told in its own words; or nothing any more.
            Err(Error::Stale) => {}
            Err(error) => return Err(error.into()),
            Ok(after) => return Ok(Shown::new(&after)),
        }
    }
}

async fn apply(
    app: &App,
    identity: &Identity,
    caller: &Caller,
    before: &UserRecord,
    patch: MergePatch<UserFields>,
) -> Result<User, Error> {
    let after = before.user.patched(patch, Time::now())?;
    let entry = Entry::between(Some(&before.user), &after, (Action::Updated, caller.actor(), caller.request_id()));
    if entry.changes.is_empty() {
        return Ok(before.user.clone());
    }
    let email = after.fields.email.clone().filter(|email| before.user.fields.email.as_ref() != Some(email));
    if email.is_some() && before.pending.is_some() {
        return Err(Pending::in_progress());
    }
    let begins = email.is_some().then_some(PendingKind::Email);
    let changed = app.store.change_user(before, &after, &entry, Also { begins, ..Also::default() }).await?;
    if let Some(email) = email {
        match identity.set_email(after.id, &email).await {
            Ok(()) => drop(app.store.end(&changed).await?),
            Err(error @ (Error::Unavailable(_) | Error::Internal(_))) => return Err(error),
            Err(refused) => {
                take_back(app, caller, before, &changed).await?;
                return Err(refused);
            }
        }
    }
    Ok(after)
}

/// The e-mail of before, since Cognito does not take the new one.
async fn take_back(app: &App, caller: &Caller, before: &UserRecord, changed: &UserRecord) -> Result<(), Error> {
    let mut user = changed.user.next(Time::now());
    user.fields.email.clone_from(&before.user.fields.email);
    let entry = Entry::between(Some(&changed.user), &user, (Action::Updated, caller.actor(), caller.request_id()));
    app.store.change_user(changed, &user, &entry, Also { ends: true, ..Also::default() }).await.map(drop)
}

#[cfg(test)]
mod tests {
    use domain::Object as _;

    use super::*;

    #[test]
    fn the_examples_of_the_document_are_users() {
        let example: Result<User, _> = serde_json::from_value(domain::user::example());
        assert!(example.is_ok_and(|user| user.show().get("email").is_some()));
    }
}
