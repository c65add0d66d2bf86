//! `users/show-…` and `users/destroy-…`: a student by one of four keys.

use std::future::Future;

use axum::extract::State as Shared;
use domain::document::DocumentNumber;
use domain::user::Unique;
use domain::{Email, Error, KeyScope, ReferenceId, Status, Subscription, User, UserId};
use edge::{Access, Answer, Path, Rendered, UserRef};
use serde::Deserialize;
use serde_json::json;
use store::UserRecord;

use super::schema::{Confirmation, Student};
use super::shown;
use crate::State;
use crate::place::Place;

/// What a path names. The tokens of the path are none of a handler's business.
#[derive(Debug, Deserialize)]
pub(super) struct ById {
    id: UserId,
}

#[derive(Debug, Deserialize)]
pub(super) struct ByDocument {
    document: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct ByEmail {
    email: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct ByReference {
    reference_id: String,
}

/// Looks a student up by its id.
#[utoipa::path(get, path = "/platform/users/show-id/{id}", tag = "users",
    responses((status = 200, description = "The student.", body = Student, example = json!(example()))))]
pub(super) async fn show_id(
    Shared(state): Shared<State>,
    place: Place,
    Path(ById { id }): Path<ById>,
) -> Answer<Rendered> {
    let latest = async |user| Box::pin(state.app.store.latest_subscription(place.id, user)).await;
    let (subject, latest) = place.caller.reads(UserRef::Id(id), KeyScope::Read, latest).await?;
    rendered(&state, &place, subject.record.user, latest).await
}

/// Looks a student up by its document, of whatever type, punctuation aside. 409 if it is not one student's alone.
#[utoipa::path(get, path = "/platform/users/show-document/{document}", tag = "users",
    responses((status = 200, description = "The student.", body = Student, example = json!(example()))))]
pub(super) async fn show_document(
    Shared(state): Shared<State>,
    place: Place,
    Path(ByDocument { document }): Path<ByDocument>,
) -> Answer<Rendered> {
    show(&state, &place, with_document(&state, &place, &document)).await
}

/// Looks a student up by its e-mail.
#[utoipa::path(get, path = "/platform/users/show-email/{email}", tag = "users",
    responses((status = 200, description = "The student.", body = Student, example = json!(example()))))]
pub(super) async fn show_email(
    Shared(state): Shared<State>,
    place: Place,
    Path(ByEmail { email }): Path<ByEmail>,
) -> Answer<Rendered> {
    show(&state, &place, with_email(&state, &place, &email)).await
}

/// Looks a student up by its id in another system.
#[utoipa::path(get, path = "/platform/users/show-reference/{reference_id}", tag = "users",
    responses((status = 200, description = "The student.", body = Student, example = json!(example()))))]
pub(super) async fn show_reference(
    Shared(state): Shared<State>,
    place: Place,
    Path(ByReference { reference_id }): Path<ByReference>,
) -> Answer<Rendered> {
    show(&state, &place, with_reference(&state, &place, &reference_id)).await
}

/// Erases a student for good, with all that is its own.
#[utoipa::path(delete, path = "/platform/users/destroy-user-id/{id}", tag = "users",
    responses((status = 200, description = "The student is gone.", body = Confirmation,
        example = json!({ "message": "The user is gone." }))))]
pub(super) async fn destroy_id(
    Shared(state): Shared<State>,
    place: Place,
    Path(ById { id }): Path<ById>,
) -> Answer<Rendered> {
    destroy(&state, &place, std::future::ready(Ok(vec![id]))).await
}

/// Erases the student with this document, of whatever type, punctuation aside. 409 if it is not one student's alone.
#[utoipa::path(delete, path = "/platform/users/destroy-document/{document}", tag = "users",
    responses((status = 200, description = "The student is gone.", body = Confirmation,
        example = json!({ "message": "The user is gone." }))))]
pub(super) async fn destroy_document(
    Shared(state): Shared<State>,
    place: Place,
    Path(ByDocument { document }): Path<ByDocument>,
) -> Answer<Rendered> {
    destroy(&state, &place, with_document(&state, &place, &document)).await
}

/// Erases the student with this e-mail.
#[utoipa::path(delete, path = "/platform/users/destroy-email/{email}", tag = "users",
    responses((status = 200, description = "The student is gone.", body = Confirmation,
        example = json!({ "message": "The user is gone." }))))]
pub(super) async fn destroy_email(
    Shared(state): Shared<State>,
    place: Place,
    Path(ByEmail { email }): Path<ByEmail>,
) -> Answer<Rendered> {
    destroy(&state, &place, with_email(&state, &place, &email)).await
}

/// Erases the student with this id in another system.
#[utoipa::path(delete, path = "/platform/users/destroy-reference-id/{reference_id}", tag = "users",
    responses((status = 200, description = "The student is gone.", body = Confirmation,
        example = json!({ "message": "The user is gone." }))))]
pub(super) async fn destroy_reference(
    Shared(state): Shared<State>,
    place: Place,
    Path(ByReference { reference_id }): Path<ByReference>,
) -> Answer<Rendered> {
    destroy(&state, &place, with_reference(&state, &place, &reference_id)).await
}

async fn show(state: &State, place: &Place, finds: impl Future<Output = Finds>) -> Answer<Rendered> {
    let known = found(place, KeyScope::Read, finds).await?;
    // Searches are large: on the heap, so that each layer above does not hold them on its stack again.
    let latest = Box::pin(state.app.store.latest_subscription(place.id, known.user));
    let (record, latest) = tokio::try_join!(known.of(state), latest)?;
    rendered(state, place, record.user, latest).await
}

async fn rendered(state: &State, place: &Place, user: User, latest: Option<Subscription>) -> Answer<Rendered> {
    if user.segment_id != Some(place.id) || user.status == Status::Deleted {
        return Err(Error::NotFound.into());
    }
    let photo_url = shown::photo_url(state, &user).await?;
    Ok(Rendered(shown::user(&user, photo_url, latest.as_ref())))
}

async fn destroy(state: &State, place: &Place, finds: impl Future<Output = Finds>) -> Answer<Rendered> {
    let record = found(place, KeyScope::Admin, finds).await?.of(state).await?;
    if record.user.segment_id != Some(place.id) {
        return Err(Error::NotFound.into());
    }
    Box::pin(users::purge(&state.app, &state.identity, record, place.caller.act())).await?;
    Ok(Rendered(json!({ "message": "The user is gone." })))
}

/// Whose ids a look-up has found.
type Finds = Result<Vec<UserId>, Error>;

/// A user who was found, and whoever asks for it.
struct Known {
    user: UserId,
    access: Access,
    scope: KeyScope,
}

impl Known {
    /// The user, for whoever has its segment.
    async fn of(&self, state: &State) -> Result<UserRecord, Error> {
        let record = state.app.store.user(self.user).await?.ok_or(Error::NotFound)?;
        self.access.manages(&record, self.scope)?;
        Ok(record)
    }
}

/// The one user who was found. A caller learns nothing before its tokens and scopes are checked.
async fn found(place: &Place, scope: KeyScope, finds: impl Future<Output = Finds>) -> Result<Known, Error> {
    let (access, ids) = place.caller.accesses(finds).await?;
    access.require_scopes()?;
    match ids.as_slice() {
        [] => Err(Error::NotFound),
        [user] => Ok(Known { user: *user, access, scope }),
        _ => {
            let message = "is the document of several users, each of another type; name the user otherwise";
            Err(Error::conflict("/document", "ambiguous", message))
        }
    }
}

/// What cannot be an e-mail is nobody's.
async fn with_email(state: &State, place: &Place, text: &str) -> Finds {
    with(state, place, Email::parse(text).ok().as_ref().map(Unique::email)).await
}

async fn with_reference(state: &State, place: &Place, text: &str) -> Finds {
    with(state, place, ReferenceId::parse(text).ok().as_ref().map(Unique::reference)).await
}

async fn with(state: &State, place: &Place, unique: Option<Unique>) -> Finds {
    let Some(unique) = unique else { return Ok(Vec::new()) };
    Ok(state.app.store.holder(Some(place.id).into(), &unique).await?.into_iter().collect())
}

async fn with_document(state: &State, place: &Place, text: &str) -> Finds {
    let Ok(number) = DocumentNumber::parse(text) else { return Ok(Vec::new()) };
    Box::pin(state.app.store.with_document(place.id, &number)).await
}

fn example() -> serde_json::Value {
    let user = serde_json::Map::from_iter(example_fields());
    let subscription = json!({
        "id": "0199d2a4-5c00-7000-8000-00000000ae01", "tenant_id": "0199d2a4-5c00-7000-8000-0000000005e6",
        "active": 1, "user_id": "0199d2a4-5c00-7000-8000-000000000002",
        "package_id": "0199d2a4-5c00-7000-8000-000000000d01", "created_at": "2026-11-21 10:00:00",
        "updated_at": "2026-11-21 10:00:00"
    });
    let mut example = user.clone();
    example.insert("subscription".to_owned(), subscription);
    example.insert("user".to_owned(), user.into());
    example.into()
}

fn example_fields() -> impl Iterator<Item = (String, serde_json::Value)> {
    let fields = [
        ("id", json!("0199d2a4-5c00-7000-8000-000000000002")),
        ("name", json!("Ana")),
        ("last_name", json!("López")),
        ("email", json!("ana@example.com")),
        ("photo_url", json!(null)),
        ("document", json!("390.533.447-05")),
        ("genre", json!("FEMALE")),
        ("birth", json!("1990-02-28")),
        ("phone", json!("(11)98765-4321")),
        ("status", json!(1)),
        ("created_at", json!("2026-11-21 10:00:00")),
        ("updated_at", json!("2026-11-21 10:05:00")),
    ];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value))
}
