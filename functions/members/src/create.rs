//! Joining: the owner of the segment enrols somebody, or somebody itself where the membership allows it.

use axum::extract::State;
use domain::answer::{AnswerSpellings, Given, check_answers};
use domain::field::Pointer;
use domain::member::Joining;
use domain::segment::Settings;
use domain::{
    Answers, EnrolmentFields, Error, KeyScope, Member, MemberFields, MemberId, MembershipId, ParsedBody, Time, UserId,
};
use edge::{Access, Answer, App, Body, Caller, Created, Path, Seed};
use serde_json::Value;
use store::{AlsoOfMember, Configuration};

use crate::files::new_files;
use crate::points::moved;
use crate::seat::{Role, asked, find_payment_card, knows, settings};

/// A member as it comes.
pub type NewMember = Joining<MemberFields>;

/// Enrols a member: the owner of the segment and its keys enrol anybody; where the membership allows it, a user enrols
/// itself and writes only its name, phone, card number, origin and answers.
#[utoipa::path(post, path = "/v1/memberships/{membership}/members", tag = "members", request_body = NewMember,
    responses((status = 201, description = "The member.", body = Member)))]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    Path(membership): Path<MembershipId>,
    seed: Seed,
    Body(given): Body<Given>,
) -> Answer<Created> {
    let joining = |joins: &Joins<'_>| match joins.role {
        Role::Manager => Ok(ParsedBody::parse(Value::Object(given.0))),
        Role::Itself => enrolment(joins.access, given),
    };
    let member = join(&app, &caller, membership, seed, joining).await?;
    Ok(Created::one(format!("/v1/members/{}", member.id), &member))
}

/// Who enrols somebody, and in what.
#[derive(Debug, Clone, Copy)]
pub struct Joins<'a> {
    /// What the caller may reach.
    pub access: &'a Access,
    /// The membership, without catalogs.
    pub of: &'a Configuration,
    /// The settings of its segment.
    pub settings: &'a Settings,
    /// What the caller is to the new member.
    pub role: Role,
}

/// Enrols the member that `joining` makes of who the caller is and what the membership asks.
///
/// # Errors
/// [`Error::NotFound`] for whoever may not enrol anybody, not even itself; [`Error::Invalid`], [`Error::Conflict`].
pub async fn join(
    app: &App,
    caller: &Caller,
    membership: MembershipId,
    seed: Seed,
    joining: impl FnOnce(&Joins<'_>) -> Result<ParsedBody<NewMember>, Error>,
) -> Result<Member, Error> {
    let (access, configuration) = caller.accesses(app.store.configuration(membership)).await?;
    let segment = configuration.membership.segment_id;
    let (role, settings) = tokio::try_join!(role(app, &access, &configuration), settings(app, segment))?;
    let mut new = joining(&Joins { access: &access, of: &configuration, settings: &settings, role })?;
    new.check(|new| find_payment_card(&configuration.membership, &settings, &new.fields).into_iter().collect());
    let Joining { fields, answers: sent } = new.readable()?.clone();
    let (catalogs, known) = tokio::join!(
        app.store.with_catalogs(configuration.clone()),
        knows_unless_itself(app, &configuration, &fields, role)
    );
    let configuration = catalogs?;
    new.add_outcome(known)?;
    let id: MemberId = seed.id(0);
    let now = Time::of(id.uuid());
    let level = fields.level_id;
    let mut member = Member::new(id, &configuration.membership, fields, now);
    let award = level.map(|level| moved(caller, &configuration, &mut member, (level, seed.id(1)))).transpose();
    let award = new.add_outcome(award)?.flatten();
    let at = Pointer::root().child("answers");
    let questions = asked(&configuration, &member);
    let checks = settings.document_checks.0;
    let mut errors = Vec::new();
    let answers = check_answers(&questions, checks, &Answers::default(), sent.clone(), &at, &mut errors);
    // The level decides what is asked.
    if !new.has_error("level_id") {
        new.add_errors(errors);
    }
    new.into_result()?;
    let files = new_files(app, &questions, (&Answers::default(), &answers), (&member, role), &at).await?;
    member.spellings = AnswerSpellings::default().after(&sent.0, &answers);
    member.answers = answers;
    let also = AlsoOfMember { award: award.as_ref(), files: &files, answers_at: "/answers", ..AlsoOfMember::default() };
    let record = match app.store.create_member(member, &configuration, also, caller.act()).await {
        // An earlier try of this very request had made it before it was cut off.
        Err(Error::Conflict(taken)) if taken.iter().any(|one| one.code == "exists") => app.store.member(id).await?,
        made => made?,
    };
    Ok(configuration.shown(record.member))
}

/// What the caller is to whoever joins.
async fn role(app: &App, access: &Access, configuration: &Configuration) -> Result<Role, Error> {
    let membership = &configuration.membership;
    match access.manages(membership, KeyScope::Write) {
        Ok(()) => Ok(Role::Manager),
        Err(Error::NotFound) if access.user().is_some() && membership.is_open() => {
            app.check_participation(access, membership.segment_id).await.map(|()| Role::Itself)
        }
        Err(error) => Err(error),
    }
}

/// What a user writes who enrols itself.
fn enrolment(access: &Access, given: Given) -> Result<ParsedBody<NewMember>, Error> {
    let user = access.user().ok_or(Error::NotFound)?.user.id;
    Ok(enrol(user, Value::Object(given.0)))
}

/// Reads what the user `user` writes who enrols itself.
#[must_use]
pub fn enrol(user: UserId, body: Value) -> ParsedBody<NewMember> {
    let own = ParsedBody::<Joining<EnrolmentFields>>::parse(body);
    own.map(|Joining { fields, answers }| Joining { fields: fields.of(user), answers })
}

/// A user who enrols itself is there; one whom somebody else enrols must be of the segment.
async fn knows_unless_itself(
    app: &App,
    configuration: &Configuration,
    fields: &MemberFields,
    role: Role,
) -> Result<(), Error> {
    match role {
        Role::Manager => knows(app, &configuration.membership, fields.user_id).await,
        Role::Itself => Ok(()),
    }
}
