//! `POST /v1/segments/{segment}/users`.

use axum::extract::State;
use domain::user::{Person, PersonNumber};
use domain::{
    Act, Action, Entry, Error, KeyScope, NewUser, ParsedBody, Password, Segment, SegmentId, Status, Time, User, UserId,
};
use edge::{Answer, App, Body, Caller, Created, Draft, Path, Seed, Tries};
use identity::Identity;
use reconcile::{purged, settled};
use store::{PasswordEffects, Pending, PendingKind, UserRecord};

use crate::location;
use crate::number::{is_clash, numbering};
use crate::password::set_begun_password;

/// Makes a user of a segment, ACTIVE at once. It can log in if it is given a password, now or later.
#[utoipa::path(post, path = "/v1/segments/{segment}/users", tag = "users", request_body = NewUser,
    responses((status = 201, description = "The user.", body = User)))]
pub(crate) async fn create(
    State(app): State<App>,
    State(identity): State<Identity>,
    caller: Caller,
    Path(segment): Path<SegmentId>,
    seed: Seed,
    Body(Draft(new)): Body<Draft<NewUser>>,
) -> Answer<Created> {
    let segment = caller.segment(segment, KeyScope::Write).await?;
    let user = made(&app, &identity, (&segment, seed.id(0)), new, caller.act()).await?;
    Ok(Created::one(location(user.id), &user))
}

/// Makes a user of a segment: 1 transaction, and 2 writes more for a password.
///
/// # Errors
/// [`Error::Invalid`] where the segment does not take such a user; [`Error::Conflict`] naming each value that is taken.
pub async fn made(
    app: &App,
    identity: &Identity,
    (segment, id): (&Segment, UserId),
    new: ParsedBody<NewUser>,
    act: Act<'_>,
) -> Result<User, Error> {
    let new = new.accept(&segment.fields.settings.0)?;
    let (user, entry) = build_user((segment, id), &new, act);
    let record = match app.store.create_user(&user, segment.owner_id, &entry).await {
        Err(error @ Error::Conflict(_)) => {
            made_before(app, identity, (id, new.password.is_some())).await?.ok_or(error)?
        }
        made => made?,
    };
    with_password(app, identity, record, new.password, act).await
}

/// Makes a user of a segment who has a number: this one, which another user of the account has, or one that nobody has.
/// 1 transaction, unless a number that was made up is somebody's.
///
/// # Errors
/// As of any new user; [`Error::Conflict`] where the segment has the person already; [`Error::Invalid`] where nobody has the number.
pub async fn made_with_number(
    (app, identity): (&App, &Identity),
    (segment, id): (&Segment, UserId),
    (new, known): (ParsedBody<NewUser>, Option<PersonNumber>),
    act: Act<'_>,
) -> Result<User, Error> {
    let new = new.accept(&segment.fields.settings.0)?;
    let (user, _) = build_user((segment, id), &new, act);
    let mut tries = Tries::default();
    let record = loop {
        let (number, numbering) = numbering(known);
        let person = Person { account: segment.owner_id, number, segment: segment.number };
        let user = User { person: Some(person), ..user.clone() };
        let entry = Entry::between(None, &user, Action::Created, act);
        match app.store.create_numbered(&user, segment.owner_id, &entry, numbering).await {
            Err(error) if is_clash(&error) => tries.again().await?,
            Err(error @ Error::Conflict(_)) => {
                break made_before(app, identity, (id, new.password.is_some())).await?.ok_or(error)?;
            }
            made => break made?,
        }
    };
    with_password(app, identity, record, new.password, act).await
}

/// A new user as it is to be written, and what its history tells of it.
pub(crate) fn build_user((segment, id): (&Segment, UserId), new: &NewUser, act: Act<'_>) -> (User, Entry) {
    let user = User::of_segment(id, segment.id, new.fields.clone(), Time::of(id.uuid()));
    let identification_scope = segment.fields.settings.0.identification_scope.0;
    let status = new.status.map_or(user.status, Status::from);
    let user = User { status, status_reason: new.status_reason.clone(), identification_scope, ..user };
    let entry = Entry::between(None, &user, Action::Created, act);
    (user, entry)
}

/// The user who was made, with its password if it has one.
pub(crate) async fn with_password(
    app: &App,
    identity: &Identity,
    record: UserRecord,
    password: Option<Password>,
    act: Act<'_>,
) -> Result<User, Error> {
    // Of an earlier try nobody knows whether it came to set the password: again does what once does.
    let Some(password) = password else { return Ok(record.user) };
    let effects = PasswordEffects { is_internal: true, ..PasswordEffects::default() };
    // An earlier try of this request may have begun it.
    let begun = match record.pending {
        Some(_) => record.clone(),
        None => app.store.begin(&record, PendingKind::Password).await?,
    };
    match set_begun_password((app, identity), begun, &password, (Action::PasswordChanged, act), effects).await {
        Ok(()) => {}
        // The same request completes it.
        Err(error) if error.is_transient() => return Err(error),
        Err(refused) => {
            purged(&app.store, identity, &record, act).await?;
            return Err(refused);
        }
    }
    Ok(app.store.user(record.user.id).await?.ok_or(Error::NotFound)?.user)
}

/// Finds what an earlier try of this very request has created. That try has ended: where it was setting the password, this
/// one takes it over.
pub(crate) async fn made_before(
    app: &App,
    identity: &Identity,
    (id, has_password): (UserId, bool),
) -> Result<Option<UserRecord>, Error> {
    let Some(record) = app.store.user(id).await? else { return Ok(None) };
    let Some(record) = settled(&app.store, identity, record).await? else { return Ok(None) };
    if record.user.status == Status::Deleted {
        return Ok(None);
    }
    match record.pending.map(|pending| pending.kind) {
        Some(PendingKind::Password) if has_password => app.store.renew(record).await.map(Some),
        Some(_) if has_password => Err(Pending::in_progress()),
        Some(_) | None => Ok(Some(record)),
    }
}
