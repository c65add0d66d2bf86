//! Who acts on a member, and what the member is held to.

use domain::payment_card::refuse_payment_card;
use domain::segment::Settings;
use domain::{
    CustomField, Error, FieldError, KeyScope, Member, MemberFields, MemberId, Membership, Object, Question, SegmentId,
    UserId,
};
use edge::{Access, App, Caller, IfNoneMatch, Owner, Shown};
use store::{Configuration, MemberRecord};

/// What somebody is to a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The master user whose segment it is, or a key with the scope.
    Manager,
    /// The user who is the member.
    Itself,
}

/// A member, what it is held to, and who acts on it.
#[derive(Debug)]
pub struct Seat {
    /// The member.
    pub record: MemberRecord,
    /// Its membership, with catalogs.
    pub configuration: Configuration,
    /// What the caller is to it.
    pub role: Role,
}

impl Seat {
    /// The member, for those who may act on it: its membership is read once its id is known, 2 rounds of latency, and
    /// 1 more where fields name catalogs.
    ///
    /// # Errors
    /// [`Error::NotFound`] for everybody else; [`Error::Forbidden`] for a member that is shut out.
    pub async fn take(app: &App, caller: &Caller, id: MemberId, scope: KeyScope) -> Result<Self, Error> {
        let (access, record) = caller.accesses(app.store.member(id)).await?;
        let role = role(app, &access, &record.member, scope).await?;
        let configuration = app.store.configuration(record.member.membership_id).await?;
        let configuration = app.store.with_catalogs(configuration).await?;
        Ok(Self { record, configuration, role })
    }

    /// The same for who must manage it.
    pub(crate) async fn manage(app: &App, caller: &Caller, id: MemberId, scope: KeyScope) -> Result<Self, Error> {
        let seat = Self::take(app, caller, id, scope).await?;
        if seat.role == Role::Itself {
            return Err(Error::Forbidden("Only the owner of the segment can do this."));
        }
        Ok(seat)
    }

    /// Something of the member, unless the client has it. Its version tells what was written: where levels or fields
    /// have changed since, it is shown in any case.
    pub(crate) fn shows(&self, has: &IfNoneMatch, object: &impl Object) -> Shown {
        if self.configuration.edition() != self.record.edition {
            return Shown::new(object);
        }
        Shown::unless(has, object)
    }

    /// The member as clients see it.
    #[must_use]
    pub fn shown(&self) -> Member {
        self.configuration.shown(self.record.member.clone())
    }
}

async fn role(app: &App, access: &Access, member: &Member, scope: KeyScope) -> Result<Role, Error> {
    match access.manages(member, scope) {
        Ok(()) => Ok(Role::Manager),
        Err(Error::NotFound) if member.fields.user_id.is_some_and(|user| access.is(user)) => {
            member.takes_part()?;
            app.check_participation(access, member.segment_id).await.map(|()| Role::Itself)
        }
        Err(error) => Err(error),
    }
}

/// The questions that a member is asked, in their order.
pub(crate) fn asked<'a>(configuration: &'a Configuration, member: &Member) -> Vec<Question<'a>> {
    let level = configuration.level_of(member.points.get()).map(|level| level.id);
    let mut questions = configuration.questions();
    questions.retain(|question| CustomField::applies(question.field, level));
    questions
}

/// The settings of the segment: 1 `GetItem`.
pub(crate) async fn settings(app: &App, segment: SegmentId) -> Result<Settings, Error> {
    Ok(app.store.segment(segment).await?.fields.settings.0)
}

/// Returns the error of a new member's card number that is a payment card's, where the segment or the membership refuses it.
pub(crate) fn find_payment_card(membership: &Membership, of: &Settings, new: &MemberFields) -> Option<FieldError> {
    let is_refused = membership.fields.settings.0.refuse_payment_cards.0 || of.refuse_payment_cards.0;
    refuse_payment_card(None, new.card_number.as_ref()).filter(|_| is_refused)
}

/// Refuses a new card number that is a payment card's, where the segment or the membership says so: 1 `GetItem` where the
/// number looks like one and the membership does not refuse it already.
pub(crate) async fn check_card(
    app: &App,
    membership: &Membership,
    (before, after): (Option<&MemberFields>, &MemberFields),
) -> Result<(), Error> {
    let before = before.and_then(|before| before.card_number.as_ref());
    let Some(error) = refuse_payment_card(before, after.card_number.as_ref()) else { return Ok(()) };
    let is_refused = membership.fields.settings.0.refuse_payment_cards.0
        || settings(app, membership.segment_id).await?.refuse_payment_cards.0;
    if is_refused { Err(Error::Invalid(vec![error])) } else { Ok(()) }
}

/// Refuses a user who is no user of the segment, nor its owner: 1 `GetItem`, if there is one to be refused.
///
/// # Errors
/// [`Error::Invalid`].
pub async fn knows(app: &App, of: impl Into<Owner>, user: Option<UserId>) -> Result<(), Error> {
    let (Some(user), Owner { account, segment }) = (user, of.into()) else { return Ok(()) };
    let found = app.store.user(user).await?.map(|record| record.user);
    let known = found.is_some_and(|found| {
        found.status != domain::Status::Deleted && (found.segment_id == Some(segment) || found.id == account)
    });
    if known {
        return Ok(());
    }
    Err(Error::invalid("/user_id", "unknown", "must be the id of a user of this segment"))
}
