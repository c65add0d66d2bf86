//! `POST /v1/users/{user}/number`.

use axum::extract::State;
use domain::user::{Numbering, Person, PersonNumber};
use domain::{Action, Entry, Error, KeyScope, Role, Status, Time, User, body};
use edge::{Answer, App, Caller, MaybeBody, Path, Rendered, Tries, UserRef};
use serde_json::json;
use store::{Also, CLASH};
use utoipa::ToSchema;

body! {
    /// The number that a user is to have.
    pub struct NumberRequest {
        /// That of the same person in another segment of the account; without it one that nobody has.
        pub number: Option<PersonNumber>,
    }
    example { }
}

/// The number of a person.
#[derive(Debug, ToSchema)]
pub(crate) struct Numbered {
    /// The person's number, the same in all segments of the account.
    #[expect(dead_code, reason = "the shape of the answer, for the OpenAPI document")]
    number: i64,
}

/// Gives a user of a segment the number of the person that it is: the one that it has already; else the one that is sent,
/// which the person has in another segment of the account; else one that nobody has.
#[utoipa::path(post, path = "/v1/users/{user}/number", tag = "users", operation_id = "assign_user_number", request_body = NumberRequest,
    responses((status = 200, description = "The number.", body = Numbered)))]
pub(crate) async fn number(
    State(app): State<App>,
    caller: Caller,
    Path(user): Path<UserRef>,
    MaybeBody(asked): MaybeBody<NumberRequest>,
) -> Answer<Rendered> {
    let known = asked.and_then(|asked| asked.number);
    let number = numbered(&app, &caller, user, known).await?;
    Ok(Rendered(json!({ "number": number.get() })))
}

/// The number of the person that a user of a segment is, which it gets where it has none.
///
/// # Errors
/// As [`Caller::acts`]; [`Error::Forbidden`] for the user itself; [`Error::Conflict`] where it has another number than `known`,
/// or the segment has that person already; [`Error::Invalid`] where nobody in the account has it.
pub async fn numbered(
    app: &App,
    caller: &Caller,
    user: UserRef,
    known: Option<PersonNumber>,
) -> Result<PersonNumber, Error> {
    let mut tries = Tries::default();
    loop {
        let subject = caller.acts(user, KeyScope::Write).await?;
        let before = subject.record;
        let segment = before.user.segment_id.filter(|_| subject.role == Role::Manager);
        let segment = segment.ok_or(Error::Forbidden("Only the owner of the segment gives its users numbers."))?;
        match (before.user.number(), known) {
            (Some(has), Some(known)) if has != known => {
                let message = "is another one than the user has, which stays";
                return Err(Error::conflict("/number", "immutable", message));
            }
            (Some(has), _) => return Ok(has),
            (None, _) if before.user.status == Status::Deleted => {
                return Err(Error::conflict("", "deleted", "The user is deleted; restore it first."));
            }
            (None, _) => {}
        }
        let segment = app.store.segment(segment).await?;
        let (number, numbering) = numbering(known);
        let person = Person { account: segment.owner_id, number, segment: segment.number };
        let after = User { person: Some(person), ..before.user.next(Time::now()) };
        let entry = Entry::between(Some(&before.user), &after, Action::Updated, caller.act());
        let also = Also { numbering: Some(numbering), ..Also::default() };
        match app.store.change_user(&before, &after, &entry, also).await {
            Err(error) if is_clash(&error) || matches!(error, Error::Stale) => tries.again().await?,
            changed => return changed.map(|_| number),
        }
    }
}

/// The number that somebody has who is `known`, or one at random: numbers that count up would be contended.
pub(crate) fn numbering(known: Option<PersonNumber>) -> (PersonNumber, Numbering) {
    known.map_or_else(|| (PersonNumber::random(), Numbering::New), |known| (known, Numbering::Known))
}

/// Whether a number that was made up is somebody's already.
pub(crate) fn is_clash(error: &Error) -> bool {
    matches!(error, Error::Conflict(fields) if fields.iter().any(|field| field.code == CLASH))
}
