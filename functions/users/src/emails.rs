//! `POST /v1/users/{user}/emails`: what was written to a user elsewhere, for its history.

use axum::extract::State;
use domain::history::RecordedEmail;
use domain::value::List;
use domain::{Action, Entry, Error, KeyScope, Role, Time, User, body};
use edge::{Answer, App, Body, Caller, NoContent, Path, Subject, UserRef, retried};
use store::Also;

body! {
    /// E-mails that were sent elsewhere.
    pub struct EmailRecords {
        /// 1 to 20 e-mails.
        pub emails: List<RecordedEmail, 20>,
    }
    example { "emails": [{ "from": "hello@example.com", "to": "ana@example.com", "subject": "Welcome", "body": "Hello, Ana." }] }
}

/// Records e-mails in the history of a user of a segment. Nothing is sent. Of each the subject is kept, the addresses masked,
/// and of its body that there was one.
#[utoipa::path(post, path = "/v1/users/{user}/emails", tag = "users", operation_id = "record_emails", request_body = EmailRecords,
    responses((status = 204, description = "They are in the history.")))]
pub(crate) async fn record(
    State(app): State<App>,
    caller: Caller,
    Path(user): Path<UserRef>,
    Body(records): Body<EmailRecords>,
) -> Answer<NoContent> {
    recorded(&app, &caller, user, &records.emails.0).await?;
    Ok(NoContent)
}

/// Records e-mails in the history of a user: the user since then.
///
/// # Errors
/// As [`Caller::acts`]; [`Error::Forbidden`] for the user itself; [`Error::Invalid`] where there are none.
pub async fn recorded(app: &App, caller: &Caller, user: UserRef, emails: &[RecordedEmail]) -> Result<User, Error> {
    if emails.is_empty() {
        return Err(Error::invalid("/emails", "invalid_length", "must have 1 to 20 e-mails"));
    }
    retried(|| async {
        let Subject { record: before, role } = caller.acts(user, KeyScope::Write).await?;
        if role == Role::Itself {
            return Err(Error::Forbidden("Only the owner of the segment records what was written to its users."));
        }
        let after = before.user.next(Time::now());
        let entry = Entry::between(Some(&before.user), &after, Action::EmailsRecorded, caller.act());
        let entry = Entry { changes: emails.iter().map(RecordedEmail::entered).collect(), ..entry };
        app.store.change_user(&before, &after, &entry, Also::default()).await.map(|record| record.user)
    })
    .await
}
