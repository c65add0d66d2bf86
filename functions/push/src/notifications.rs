//! Notifications to the users of a segment.

use std::collections::BTreeSet;

use axum::extract::State;
use domain::field::Pointer;
use domain::{
    Act, Error, KeyScope, Notification, NotificationFields, NotificationId, NotificationStatus, SegmentId, Status,
    Time, User, UserId,
};
use edge::{
    Answer, App, BegunAt, Body, Caller, FilterKind, IfMatch, IfNoneMatch, List, ListSpec, Listed, NoContent, Path,
    Problem, Seed, Shown, openapi, retried,
};

/// How notifications are listed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Notifications;

impl ListSpec for Notifications {
    const SORTS: &'static [&'static str] = &["id", "created_at"];
    const DEFAULT_SORT: &'static str = "-id";
    const FILTERS: &'static [(&'static str, FilterKind)] = &[("status", FilterKind::Choice(NotificationStatus::NAMES))];
}

// The document's macro takes no generic types, but names of them.
type NotificationList = openapi::ListOf<Notification>;

/// Lists the notifications of a segment, newest first.
#[utoipa::path(get, path = "/v1/segments/{segment}/notifications", tag = "notifications", params(List<Notifications>),
    responses((status = 200, description = "A page of notifications.", body = NotificationList)))]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(segment): Path<SegmentId>,
    list: List<Notifications>,
) -> Answer<Listed> {
    let (managed, found) = tokio::join!(caller.segment(segment, KeyScope::Read), app.store.notifications(segment));
    managed?;
    Ok(list.within(&app, found?).await?)
}

/// Sends a notification to the devices of a segment's users, now or at a time within a year.
///
/// It is handed over to Apple and Google for each device that is registered when its turn comes, of users who are in use
/// then: not of those who are blocked, deleted or excluded by their status. A device may get it twice where sending was cut off.
#[utoipa::path(post, path = "/v1/segments/{segment}/notifications", tag = "notifications", operation_id = "create_notification",
    request_body = NotificationFields,
    responses(
        (status = 202, description = "The notification, which is being sent or waits for its time.", body = Notification,
            headers(("Location", description = "Where to see what comes of it."))),
        (status = 409, description = "This deployment sends no push notifications (`push_off`).",
            body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    Path(segment): Path<SegmentId>,
    seed: Seed,
    Body(fields): Body<NotificationFields>,
) -> Answer<BegunAt> {
    let segment = caller.segment(segment, KeyScope::Write).await?.id;
    let new = begin(&app, (segment, seed), fields, caller.act()).await?;
    Ok(BegunAt::new(format!("/v1/segments/{segment}/notifications/{}", new.id), &new))
}

/// Writes a notification to be sent; whoever sends finds it there. 1 transaction.
///
/// # Errors
/// [`Error::Conflict`] where nothing can be sent here; [`Error::Invalid`] for a schedule that is past, or too far, and for
/// each id that names no user of the segment; [`Error::NotFound`] where the segment is gone.
pub async fn begin(
    app: &App,
    (segment, seed): (SegmentId, Seed),
    fields: NotificationFields,
    act: Act<'_>,
) -> Result<Notification, Error> {
    if !app.push {
        let message = "This deployment sends no push notifications: its operator has set up neither Apple's nor Google's \
            service.";
        return Err(Error::conflict("", "push_off", message));
    }
    let id: NotificationId = seed.id(0);
    let now = Time::of(id.uuid());
    fields.check(now)?;
    check_recipients(app, segment, &fields.user_ids.0.0).await?;
    let (new, users) = Notification::new(id, segment, fields, now);
    match app.store.create_notification(&new, users, act).await {
        // An earlier try of this very request had made it before it was cut off.
        Ok(()) | Err(Error::Conflict(_)) => Ok(new),
        Err(error) => Err(error),
    }
}

/// Rejects ids that name no user of the segment: 1 `BatchGetItem` for each hundred.
async fn check_recipients(app: &App, segment: SegmentId, ids: &[UserId]) -> Result<(), Error> {
    let found = app.store.users_of(&ids.iter().copied().collect()).await?;
    let users = found.iter().map(|record| &record.user);
    let in_segment = |user: &&User| user.segment_id == Some(segment) && user.status != Status::Deleted;
    let known: BTreeSet<_> = users.filter(in_segment).map(|user| user.id).collect();
    let at = Pointer::root().child("user_ids");
    let unknown = ids.iter().enumerate().filter(|(_, id)| !known.contains(id));
    let errors: Vec<_> = unknown
        .map(|(index, _)| at.child(index).error("unknown", "must be the id of a user of this segment"))
        .collect();
    if errors.is_empty() { Ok(()) } else { Err(Error::Invalid(errors)) }
}

/// Reads a notification: how far it is, and what has come of it.
#[utoipa::path(get, path = "/v1/segments/{segment}/notifications/{notification}", tag = "notifications",
    responses((status = 200, description = "The notification.", body = Notification)))]
pub(crate) async fn read(
    State(app): State<App>,
    caller: Caller,
    Path(of): Path<(SegmentId, NotificationId)>,
    has: IfNoneMatch,
) -> Answer<Shown> {
    Ok(Shown::unless(&has, &found(&app, &caller, of, KeyScope::Read).await?))
}

/// Cancels a notification that waits for its time; forgets one that is over.
#[utoipa::path(delete, path = "/v1/segments/{segment}/notifications/{notification}", tag = "notifications",
    responses((status = 204, description = "The notification is cancelled, or forgotten."),
        (status = 409, description = "It is being sent already (`sending`).",
            body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn delete(
    State(app): State<App>,
    caller: Caller,
    Path(of): Path<(SegmentId, NotificationId)>,
    matches: IfMatch,
) -> Answer<NoContent> {
    Ok(retried(|| async {
        let found = found(&app, &caller, of, KeyScope::Write).await?;
        matches.check(found.version)?;
        let done = match found.status {
            NotificationStatus::Scheduled => {
                let now = Time::now();
                let cancelled = found.ended(NotificationStatus::Cancelled, None, now);
                app.store.change_notification(&found, &cancelled, now, caller.act()).await
            }
            NotificationStatus::Sending => {
                Err(Error::conflict("", "sending", "It is being sent already, and cannot be called back."))
            }
            NotificationStatus::Sent | NotificationStatus::Cancelled | NotificationStatus::Failed => {
                app.store.delete_notification(&found, caller.act()).await
            }
        };
        done.map(|()| NoContent)
    })
    .await?)
}

/// A notification that the caller may act on: 1 round of latency.
async fn found(
    app: &App,
    caller: &Caller,
    (segment, id): (SegmentId, NotificationId),
    scope: KeyScope,
) -> Result<Notification, Error> {
    let (managed, found) = tokio::join!(caller.segment(segment, scope), app.store.notification(segment, id));
    managed?;
    found
}
