//! Users who are made together: all of them stand in the end, or none.

use std::collections::HashMap;

use domain::{Act, Error, FieldError, NewUser, ParsedBody, Segment, User, UserId};
use edge::{App, Seed};
use futures_util::future::try_join_all;
use futures_util::stream::{self, StreamExt as _};
use identity::Identity;
use reconcile::undo;
use store::{Resumed, Whole};

use crate::create::{build_user, made, made_before, with_password};

/// So many users are made at once.
const AT_ONCE: usize = 16;

/// Makes users of a segment, 1 to 100: all of them, or none. What can be told beforehand is told before anything is
/// written; `at` is the array for errors.
///
/// They are too many items for one transaction: see [`store::Store::create_first`].
///
/// # Errors
/// Those of one user, with its place.
pub async fn together(
    (app, identity): (&App, &Identity),
    segment: &Segment,
    (seed, new, at): (Seed, Vec<ParsedBody<NewUser>>, &str),
    act: Act<'_>,
) -> Result<Vec<User>, Error> {
    let ids: Vec<UserId> = (0..new.len()).map(|index| seed.scattered(index)).collect();
    let new = accept_all(new, segment, at)?;
    check_unique(app, segment, (&ids, &new), at).await?;
    let mut rows = ids.iter().copied().zip(new).enumerate();
    let Some((_, (id, first))) = rows.next() else { return Ok(Vec::new()) };
    let making = (app, identity, segment);
    let (first, whole) = match make_first(making, (id, first), &ids, act).await.map_err(|error| placed(error, at, 0))? {
        First::Made(user, whole) => (user, whole),
        First::AllMade => return all(app, &ids).await,
        First::Refused(error, whole) => return Err(undone(making, (&ids, whole), placed(error, at, 0), act).await),
    };
    let rest = rows.map(|(index, (id, new))| async move {
        let made = made(app, identity, (segment, id), new.into(), act).await;
        made.map_err(|error| placed(error, at, index))
    });
    // All come to their end before anything is undone.
    let made: Vec<_> = stream::iter(rest).buffered(AT_ONCE).collect().await;
    match made.into_iter().collect::<Result<Vec<_>, _>>() {
        Ok(rest) if app.store.stand(whole).await? => Ok(std::iter::once(*first).chain(rest).collect()),
        Ok(_) => Err(Error::Unavailable("the users took too long to make, and are undone".into())),
        Err(error) => Err(undone(making, (&ids, whole), error, act).await),
    }
}

/// What came of the first user.
enum First {
    Made(Box<User>, Whole),
    /// An earlier try of this request had made all of them.
    AllMade,
    /// It was made, but not with its password.
    Refused(Error, Whole),
}

async fn make_first(
    (app, identity, segment): (&App, &Identity, &Segment),
    (id, new): (UserId, NewUser),
    all: &[UserId],
    act: Act<'_>,
) -> Result<First, Error> {
    let (user, entry) = build_user((segment, id), &new, act);
    let (record, whole) = match app.store.create_first(&user, segment.owner_id, &entry, all).await {
        Err(error @ Error::Conflict(_)) => {
            let record = made_before(app, identity, (id, new.password.is_some())).await?.ok_or(error)?;
            match app.store.resume(id).await? {
                Resumed::Stands => return Ok(First::AllMade),
                Resumed::GoesOn(whole) => (record, whole),
            }
        }
        made => made?,
    };
    Ok(match with_password(app, identity, record, new.password, act).await {
        Ok(user) => First::Made(Box::new(user), whole),
        Err(error) => First::Refused(error, whole),
    })
}

/// Undoes what was made, for `error`; what cannot be undone now is left to the job.
async fn undone(
    (app, identity, _): (&App, &Identity, &Segment),
    (ids, whole): (&[UserId], Whole),
    error: Error,
    act: Act<'_>,
) -> Error {
    if error.is_in_progress() {
        // An earlier try of this request has only just been cut off: the next one goes on, or else the job comes.
        return error;
    }
    let undone = undo(&app.store, identity, ids, act).await;
    // A write whose end is not known may come true later: then the job is still needed.
    let known = !error.is_outcome_unknown();
    let ended = match undone {
        Ok(()) if known => app.store.stand(whole).await.map(drop),
        done => done,
    };
    if let Err(cause) = ended {
        tracing::warn!(cause = ?cause, "what was made of a batch is left to a job");
    }
    error
}

async fn all(app: &App, ids: &[UserId]) -> Result<Vec<User>, Error> {
    let found = try_join_all(ids.iter().map(|id| app.store.user(*id))).await?;
    Ok(found.into_iter().flatten().map(|record| record.user).collect())
}

/// Returns new users that the segment accepts.
///
/// # Errors
/// [`Error::Invalid`] with the errors of each.
fn accept_all(new: Vec<ParsedBody<NewUser>>, segment: &Segment, at: &str) -> Result<Vec<NewUser>, Error> {
    let (mut accepted, mut errors) = (Vec::new(), Vec::new());
    for (index, user) in new.into_iter().enumerate() {
        match user.accept(&segment.fields.settings.0) {
            Ok(user) => accepted.push(user),
            Err(Error::Invalid(found)) => errors.extend(found.into_iter().map(|error| placed_at(error, at, index))),
            Err(other) => return Err(other),
        }
    }
    if errors.is_empty() { Ok(accepted) } else { Err(Error::Invalid(errors)) }
}

/// Checks that no unique value of the users is another user's: 1 read for each 100 values.
///
/// # Errors
/// [`Error::Conflict`] with each that is.
async fn check_unique(
    app: &App,
    segment: &Segment,
    (ids, new): (&[UserId], &[NewUser]),
    at: &str,
) -> Result<(), Error> {
    let mut taken = Vec::new();
    let mut values: HashMap<(&str, String), usize> = HashMap::new();
    let (mut claims, scope) = (Vec::new(), segment.fields.settings.0.identification_scope.0);
    for (index, user) in new.iter().enumerate() {
        for unique in user.fields.unique_values(scope) {
            match values.insert((unique.field, unique.value.clone()), index) {
                Some(_) => taken.push(placed_at(unique.taken(), at, index)),
                None => claims.push((index, unique)),
            }
        }
    }
    if taken.is_empty() {
        let uniques: Vec<_> = claims.iter().map(|(_, unique)| unique.clone()).collect();
        let held = app.store.held(Some(segment.id).into(), &uniques, ids).await?;
        let held = held.into_iter().filter_map(|place| claims.get(place));
        taken = held.map(|(index, unique)| placed_at(unique.taken(), at, *index)).collect();
    }
    if taken.is_empty() { Ok(()) } else { Err(Error::Conflict(taken)) }
}

/// The error with the place of the user in the array.
fn placed(error: Error, at: &str, index: usize) -> Error {
    error.map_fields(|field| placed_at(field, at, index))
}

fn placed_at(error: FieldError, at: &str, index: usize) -> FieldError {
    FieldError { pointer: format!("{at}/{index}{}", error.pointer), ..error }
}
