//! `/v1/uploads`: private files of segments and members, which clients send to the bucket and get from it themselves.

use std::time::Duration;

use axum::extract::{FromRef, State as Shared};
use domain::{
    Actor, Answer as Answered, Error, KeyScope, Member, MemberId, SegmentId, Time, Upload, UploadFields, UploadHolder,
    UploadId, UploadStatus, User,
};
use edge::{
    Access, Answer, App, Body, Caller, Created, Found, IfMatch, IfNoneMatch, NoContent, Path, Problem, Seed, Shown,
    retried,
};
use files::{Files, ObjectKey};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

mod begin;
mod new;

use new::NewUpload;

/// How long a file can be sent.
const SENDING: Duration = Duration::from_secs(15 * 60);

/// How long a file can be fetched, once it was asked for.
const FETCHING: Duration = Duration::from_secs(60);

/// What the routes need.
#[derive(Debug, Clone, FromRef)]
pub struct State {
    /// The data and the edge.
    pub app: App,
    /// The bucket.
    pub files: Files,
    /// How big a file to import may be.
    pub most_rows: MostRows,
}

/// How many bytes a file to import may have.
#[derive(Debug, Clone, Copy)]
pub struct MostRows(pub i64);

/// The routes.
pub fn router() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(create)).routes(routes!(read, delete)).routes(routes!(content))
}

/// Begins an upload, and says how to send its file.
///
/// Send the file by the method, to the URL and with the headers that the answer has, within 15 minutes. It is checked
/// when it has arrived; the upload's status says what came of it.
///
/// Each caller has a quota. A user of a segment begins at most 200 files and 1 GiB a UTC day, and 50 files that have not
/// arrived within a quarter of an hour. A master user or key begins at most 20,000 files and 100 GiB a day, and 2,000 that have
/// not arrived. More is 429 with `Retry-After`.
#[utoipa::path(post, path = "/v1/uploads", tag = "uploads", request_body = UploadFields,
    responses((status = 201, description = "The upload, and how to send its file.", body = NewUpload)))]
async fn create(
    Shared(State { app, files, most_rows }): Shared<State>,
    caller: Caller,
    seed: Seed,
    Body(fields): Body<UploadFields>,
) -> Answer<Created> {
    let upload = begun(&app, &caller, seed, fields, most_rows).await?;
    let id = upload.id;
    let expires_at = Time::now().plus(SENDING);
    let fields = &upload.fields;
    let sha256 = fields.sha256.as_ref().map(|sha256| sha256.bytes());
    let (key, size) = (ObjectKey::quarantine(id.uuid()), fields.size.get().unsigned_abs());
    let put = files.presign_put(&key, fields.content_type.as_str(), size, sha256.as_ref(), SENDING).await;
    let put = put.map_err(Error::from)?;
    Ok(Created::one(format!("/v1/uploads/{id}"), &NewUpload { upload, put, expires_at }))
}

/// Begins an upload, if the caller may and nothing speaks against it.
///
/// # Errors
/// [`Error::NotFound`] for whoever may not; [`Error::Invalid`] where the file would not be taken.
pub async fn begun(
    app: &App,
    caller: &Caller,
    seed: Seed,
    fields: UploadFields,
    most_rows: MostRows,
) -> Result<Upload, Error> {
    let (owner, fields) = begin::owner(app, caller, fields, most_rows.0).await?;
    let id: UploadId = seed.id(0);
    let upload = Upload::new(id, owner, fields, Time::of(id.uuid()));
    let upload = Upload { begun_by: Some(caller.actor()), ..upload };
    caller.counts_upload(&upload).await?;
    match app.store.create_upload(&upload).await {
        // An earlier try of this very request had made it before it was cut off.
        Ok(()) | Err(Error::Conflict(_)) => Ok(upload),
        Err(error) => Err(error),
    }
}

/// As which member the caller sends files to a segment: the one that it became last, where the segment is not its own.
/// 1 read for a user.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn member_of(app: &App, caller: &Caller, segment: SegmentId) -> Result<Option<MemberId>, Error> {
    let Ok(session) = caller.session() else { return Ok(None) };
    let user = session.claims.user_id;
    let joined = app.store.joined(user).await?;
    let there = joined.iter().rev().find(|joined| joined.segment_id == segment && joined.owner_id != user);
    Ok(there.map(|joined| joined.member_id))
}

/// Reads an upload: whether its file has arrived, and was accepted.
#[utoipa::path(get, path = "/v1/uploads/{upload}", tag = "uploads",
    responses((status = 200, description = "The upload.", body = Upload)))]
async fn read(
    Shared(app): Shared<App>,
    caller: Caller,
    Path(upload): Path<UploadId>,
    has: IfNoneMatch,
) -> Answer<Shown> {
    let (upload, _) = reached(&app, &caller, upload, KeyScope::Read).await?;
    Ok(Shown::unless(&has, &upload))
}

/// Fetches the file of an upload, as an attachment of its name.
#[utoipa::path(get, path = "/v1/uploads/{upload}/content", tag = "uploads", operation_id = "get_upload_content",
    responses(
        (status = 302, description = "Where the file is, for a minute.", headers(("Location", description = "A URL for whoever has it."))),
        (status = 409, description = "The file is not there yet (`pending`), or was rejected (`rejected`).",
            body = Problem, content_type = "application/problem+json")))]
async fn content(
    Shared(State { app, files, .. }): Shared<State>,
    caller: Caller,
    Path(upload): Path<UploadId>,
) -> Answer<Found> {
    let (upload, _) = reached(&app, &caller, upload, KeyScope::Read).await?;
    match upload.status {
        UploadStatus::Available => {}
        UploadStatus::Pending => {
            let message = "The file has not arrived, or is still being checked; ask again in a moment.";
            return Err(Error::conflict("", "pending", message).into());
        }
        UploadStatus::Rejected => {
            let message = "The file was rejected, for the reason that the upload has; begin another upload.";
            return Err(Error::conflict("", "rejected", message).into());
        }
    }
    let clean = ObjectKey::clean(upload.id.uuid());
    let get = files.presign_get(&clean, upload.fields.filename.as_str(), FETCHING).await;
    Ok(Found(get.map_err(Error::from)?.url))
}

/// Deletes an upload and its file.
///
/// A file cannot be deleted while it is one of its member's answers.
#[utoipa::path(delete, path = "/v1/uploads/{upload}", tag = "uploads",
    responses((status = 204, description = "The upload is gone; its file follows.")))]
async fn delete(
    Shared(app): Shared<App>,
    caller: Caller,
    Path(upload): Path<UploadId>,
    matches: IfMatch,
) -> Answer<NoContent> {
    Ok(retried(|| async {
        let (upload, itself) = reached(&app, &caller, upload, KeyScope::Write).await?;
        matches.check(upload.version)?;
        let member = match (itself, upload.fields.member_id) {
            (None, Some(id)) => match app.store.member(id).await {
                Err(Error::NotFound) => None,
                found => Some(found?.member),
            },
            (itself, _) => itself,
        };
        if member.is_some_and(|member| answers_with(&member, upload.id)) {
            let message = "The file is one of the member's answers; take the answer back first.";
            return Err(Error::conflict("", "in_use", message));
        }
        app.store.delete_upload(&upload).await?;
        Ok(NoContent)
    })
    .await?)
}

/// An upload that the caller reaches: as who manages its segment, as the user whose photo it is, or else as the member whose
/// it is, who comes along.
async fn reached(app: &App, caller: &Caller, id: UploadId, scope: KeyScope) -> Result<(Upload, Option<Member>), Error> {
    let (access, upload) = caller.accesses(app.store.upload(id)).await?;
    match access.manages(&upload, scope) {
        Err(Error::NotFound) => {}
        managed => return managed.map(|()| (upload, None)),
    }
    let caller = access.user().ok_or(Error::NotFound)?;
    match upload.fields.holder() {
        UploadHolder::Member(member) => {
            let in_use = app.check_participation(&access, upload.fields.segment_id);
            let (member, in_use) = tokio::join!(app.store.member(member), in_use);
            let member = member?.member;
            if !is_itself(&access, &member) {
                return Err(Error::NotFound);
            }
            member.takes_part()?;
            in_use?;
            Ok((upload, Some(member)))
        }
        UploadHolder::User(user) if access.is(user) => Ok((upload, None)),
        // A user reads the photo that it chose among those of the segment.
        UploadHolder::Segment(_) if scope == KeyScope::Read && is_photo(&caller.user, &upload) => Ok((upload, None)),
        UploadHolder::User(_) | UploadHolder::Segment(_) => Err(Error::NotFound),
    }
}

/// Whether the upload is the photo that the user has, and was declared to be one.
fn is_photo(user: &User, upload: &Upload) -> bool {
    let is_chosen = user.fields.photo_upload_id == Some(upload.id);
    is_chosen && upload.fields.can_be_photo_of(user, Actor::User(user.id))
}

/// Whether the caller is the user who is the member.
fn is_itself(access: &Access, member: &Member) -> bool {
    member.fields.user_id.is_some_and(|user| access.is(user))
}

fn answers_with(member: &Member, upload: UploadId) -> bool {
    let answer = Answered::Text(upload.to_string());
    member.answers.iter().any(|(_, given)| *given == answer)
}
