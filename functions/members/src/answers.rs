//! The answers of a member to the custom fields of its membership.

use axum::extract::State;
use domain::answer::{Given, SentAnswers, check_answers};
use domain::field::Pointer;
use domain::segment::Settings;
use domain::{Error, KeyScope, Member, MemberId, Object, Time};
use edge::{Answer, App, Body, Caller, IfMatch, IfNoneMatch, Path, Shown, retried};
use serde_json::Value;
use store::{AlsoOfMember, Configuration};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::files::{gone_files, new_files};
use crate::seat::{Role, Seat, asked, settings};

/// A member's answers, by the keys of their fields; their version is the member's.
struct Answered(Member);

impl Object for Answered {
    fn version(&self) -> u64 {
        self.0.version
    }

    fn show(&self) -> Value {
        self.0.answers.show()
    }
}

impl PartialSchema for Answered {
    fn schema() -> RefOr<Schema> {
        Given::answers_schema()
    }
}

impl ToSchema for Answered {
    fn name() -> std::borrow::Cow<'static, str> {
        "Answers".into()
    }
}

/// Reads a member's answers.
#[utoipa::path(get, path = "/v1/members/{member}/answers", tag = "answers", operation_id = "get_answers",
    responses((status = 200, description = "A value for each field that has been answered.", body = Answered)))]
pub(crate) async fn read(
    State(app): State<App>,
    caller: Caller,
    Path(member): Path<MemberId>,
    has: IfNoneMatch,
) -> Answer<Shown> {
    let seat = Seat::take(&app, &caller, member, KeyScope::Read).await?;
    Ok(seat.shows(&has, &Answered(seat.shown())))
}

/// Answers some fields of a member's level, and leaves the other answers as they are; `null` takes an answer back.
///
/// A member that changes its own answers after it was APPROVED returns to PENDING, unless its membership keeps approvals.
#[utoipa::path(put, path = "/v1/members/{member}/answers", tag = "answers", operation_id = "update_answers", request_body = Given,
    responses((status = 200, description = "All answers after the change.", body = Answered)))]
pub(crate) async fn write(
    State(app): State<App>,
    caller: Caller,
    Path(member): Path<MemberId>,
    matches: IfMatch,
    Body(given): Body<Given>,
) -> Answer<Shown> {
    let (member, _) = answered(&app, &caller, member, &matches, |_, _| Ok(given.clone().into())).await?;
    Ok(Shown::new(&Answered(member)))
}

/// Answers some fields of a member's level as `given` says of the member, what it is held to, and the settings of its segment:
/// the member after it, and its membership.
///
/// # Errors
/// [`Error::NotFound`] for whoever may not answer for the member; [`Error::Invalid`], [`Error::Conflict`] with pointers
/// to the fields' keys; [`Error::OtherVersion`].
pub async fn answered(
    app: &App,
    caller: &Caller,
    member: MemberId,
    matches: &IfMatch,
    given: impl Fn(&Seat, &Settings) -> Result<SentAnswers, Error>,
) -> Result<(Member, Configuration), Error> {
    retried(|| async {
        let seat = Seat::take(app, caller, member, KeyScope::Write).await?;
        let before = &seat.record.member;
        let settings = settings(app, before.segment_id).await?;
        let SentAnswers { values: given, spellings } = given(&seat, &settings)?;
        let checks = settings.document_checks.0;
        let questions = asked(&seat.configuration, before);
        let (at, mut errors) = (Pointer::root(), Vec::new());
        let answers = check_answers(&questions, checks, &before.answers, given, &at, &mut errors);
        if !errors.is_empty() {
            return Err(Error::Invalid(errors));
        }
        matches.check(before.version)?;
        let change = (&before.answers, &answers);
        let files = new_files(app, &questions, change, (before, seat.role), &at).await?;
        let gone = gone_files(app, &questions, change, before).await?;
        let spellings = before.spellings.after(&spellings, &answers);
        let after = Member { answers, spellings, ..before.next(Time::now()) };
        let after = match seat.role {
            Role::Itself => after.reviewed(before, &seat.configuration.membership.fields.settings.0),
            Role::Manager => after,
        };
        let also = AlsoOfMember { files: &files, gone: &gone, ..AlsoOfMember::default() };
        let record = app.store.change_member(&seat.record, after, &seat.configuration, also, caller.act()).await?;
        Ok((seat.configuration.shown(record.member), seat.configuration))
    })
    .await
}
