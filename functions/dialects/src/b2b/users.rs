//! Users, by local or remote id.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::user::Unique;
use domain::{Error, KeyScope, MergePatch, ParsedBody, ReferenceId, Role, Status, User, UserId, UserState};
use edge::{App, IfMatch, LenientBody, Path, Seed, UserRef};
use identity::Identity;
use serde_json::{Value, json};
use store::search::{Filter, Search, Sort, Test};
use users::How;

use crate::b2b::body::{NO_TIME, Named, change, rows};
use crate::b2b::format::Format;
use crate::b2b::page::Page;
use crate::b2b::refused::Refused;
use crate::b2b::schema::{
    ChangedIds, CreatedUsers, DeletedId, NewUsers, PageParameters, SegmentHeader, UserChange, UserPage,
};
use crate::b2b::{Connection, shown};
use crate::lenient::{Json, time};
use crate::place::Place;

/// Reads users who are not deleted: the one with the local id or `idRemote` that is given, or all in pages.
#[utoipa::path(get, path = "/b2b/User/getUser", tag = "b2b",
    params(("id" = Option<String>, Query, description = "A local id or `idRemote`."),
        PageParameters, SegmentHeader),
    responses((status = 200, description = "A page of users.", body = UserPage, example = json!(example()))))]
pub(super) async fn get_user(
    State(app): State<App>,
    format: Format,
    Connection(place): Connection,
    page: Page,
) -> Result<Response, Refused> {
    if let Some(id) = &page.id {
        let mut meant = Meant::by(id);
        while let Some(user) = meant.next((&app, &place), KeyScope::Read).await? {
            let user = match read(&place, user).await {
                Err(Error::NotFound) => continue,
                read => read?,
            };
            let shown = shown::users(&app, place.id, &[user]).await?.pop().unwrap_or_default();
            return Ok(format.answer(StatusCode::OK, page.one(shown)));
        }
        return Err(meant.nobody());
    }
    listed((&app, &place), format, &page, page.search()).await
}

/// Reads the users who were updated at a time or later, those updated first first.
#[utoipa::path(get, path = "/b2b/User/updateFrom", tag = "b2b",
    params(("date" = String, Query, description = "A day or a time."),
        PageParameters, SegmentHeader),
    responses((status = 200, description = "A page of users.", body = UserPage, example = json!(example()))))]
pub(super) async fn update_from(
    State(app): State<App>,
    format: Format,
    Connection(place): Connection,
    page: Page,
) -> Result<Response, Refused> {
    let Some(from) = page.date.as_deref().and_then(time) else {
        place.caller.access().await?;
        let (code, message) = page.date.map_or(("required", "is required"), |_| ("invalid_date", NO_TIME));
        return Err(Error::invalid("/date", code, message).into());
    };
    let field = "updated_at".to_owned();
    let test = Test::Range { gt: None, gte: Some(store::search::Value::word(from)), lt: None, lte: None };
    let filters = vec![Filter { field: field.clone(), test }];
    let search = Search { filters, sort: vec![Sort { field, descending: false }], ..page.search() };
    listed((&app, &place), format, &page, search).await
}

/// Makes users, 1 to 100: all of them, or none. One user may also be the body itself. `businessPartnerId` is a local or remote id. A user needs `username`, `name`,
/// `languageId`, `email` and `businessPartnerId`.
#[utoipa::path(post, path = "/b2b/User/create", tag = "b2b", params(SegmentHeader),
    request_body(content = NewUsers, example = json!([{ "idRemote": "erp-1", "username": "ana.lopez", "name": "Ana", "languageId": "14284",
        "email": "ana@example.com", "businessPartnerId": "erp-77", "dateValid": "2027-12-31", "active": true }])),
    responses((status = 201, description = "Their ids.", body = CreatedUsers,
        example = json!([{ "id": "0199d2a4-5c00-7000-8000-000000000002", "idRemote": "erp-1" }]))))]
pub(super) async fn create(
    State(app): State<App>,
    State(identity): State<Identity>,
    format: Format,
    Connection(place): Connection,
    seed: Seed,
    LenientBody(Json(body)): LenientBody<Json>,
) -> Result<Response, Refused> {
    let segment = place.segment(KeyScope::Write).await?;
    let rows = rows(body)?;
    let named = Named::find(&app, place.id, &rows).await?;
    let new = rows.iter().enumerate().map(|(index, row)| named.user(row, None, &format!("/{index}")));
    let new = new.map(|row| row.map(ParsedBody::parse)).collect::<Result<_, _>>()?;
    let made = users::together((&app, &identity), &segment, (seed, new, ""), place.caller.act()).await;
    let made = made.map_err(|error| Refused::of_bodies(error, &rows))?;
    Ok(format.answer(StatusCode::CREATED, made.iter().map(shown::user_ids).collect()))
}

/// Changes what is sent of a user, but for its `idRemote`. The user may also be the only one of an array. What a user needs
/// is not cleared: null and blank text are refused for `username`, `name`, `languageId`, `email` and `businessPartnerId`.
#[utoipa::path(put, path = "/b2b/User/update/{id}", tag = "b2b",
    params(("id" = String, Path, description = "The local id, or the `idRemote`."), SegmentHeader),
    request_body(content = UserChange, example = json!({ "name": "Ana López", "active": false })),
    responses((status = 200, description = "Its ids.", body = ChangedIds,
        example = json!({ "id": "0199d2a4-5c00-7000-8000-000000000002", "idRemote": "erp-1" }))))]
pub(super) async fn update(
    State(app): State<App>,
    State(identity): State<Identity>,
    format: Format,
    Connection(place): Connection,
    Path(id): Path<String>,
    LenientBody(Json(body)): LenientBody<Json>,
) -> Result<Response, Refused> {
    let body = match change(body) {
        Ok(body) => body,
        Err(error) => {
            place.segment(KeyScope::Write).await?;
            return Err(error.into());
        }
    };
    // What the body names is told of after whoever calls has been let pass.
    let named = match Named::find(&app, place.id, std::slice::from_ref(&body)).await {
        Ok(named) => named,
        Err(refused) => {
            place.segment(KeyScope::Write).await?;
            return Err(refused);
        }
    };
    let patch = |user: &User| Ok(MergePatch::<UserState>::read(named.user(&body, Some(user), "")?));
    let mut meant = Meant::by(&id);
    while let Some(user) = meant.next((&app, &place), KeyScope::Write).await? {
        let whom = (UserRef::Id(user), Some(place.id));
        match users::changed((&app, &identity), &place.caller, whom, &IfMatch::default(), patch).await {
            Err(Error::NotFound) => {}
            Err(error @ Error::Invalid(_)) => return Err(Refused::of_bodies(error, std::slice::from_ref(&body))),
            Err(error) => return Err(Refused::of(error, "User", &id)),
            Ok(user) => {
                // A key that does not read does not learn the remote id that goes with the local one.
                let ids = if place.caller.can_read() { shown::user_ids(&user) } else { json!({ "id": user.id }) };
                return Ok(format.answer(StatusCode::OK, ids));
            }
        }
    }
    Err(meant.nobody())
}

/// Deletes a user: out of use, its e-mail, username and `idRemote` free again. It stays in the deleted history, and can be
/// reactivated (`POST /v1/users/{user}/restoration`).
#[utoipa::path(delete, path = "/b2b/User/delete/{id}", tag = "b2b",
    params(("id" = String, Path, description = "The local id, or the `idRemote`."), SegmentHeader),
    responses((status = 200, description = "Its local id.", body = DeletedId, example = json!({ "id": "0199d2a4-5c00-7000-8000-000000000002" }))))]
pub(super) async fn delete(
    State(app): State<App>,
    State(identity): State<Identity>,
    format: Format,
    Connection(place): Connection,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    let mut meant = Meant::by(&id);
    while let Some(user) = meant.next((&app, &place), KeyScope::Write).await? {
        let whom = (UserRef::Id(user), Some(place.id));
        match users::gone((&app, &identity), &place.caller, whom, &IfMatch::default(), How::default()).await {
            // Who is deleted is not there for anybody here.
            Ok(Status::Deleted) | Err(Error::NotFound) => {}
            Err(error) => return Err(error.into()),
            Ok(_) => return Ok(format.answer(StatusCode::OK, json!({ "id": user.to_string() }))),
        }
    }
    Err(meant.nobody())
}

/// A page of users who are not deleted.
async fn listed(
    (app, place): (&App, &Place),
    format: Format,
    page: &Page,
    search: Search,
) -> Result<Response, Refused> {
    let (managed, found) = tokio::join!(place.segment(KeyScope::Read), app.store.users(place.id, &search));
    managed?;
    let mut found = found?;
    if found.capped {
        // Who asks for each page by its number must not stop before the last one: there are no more than all.
        let all = app.store.users(place.id, &Search { size: 1, ..page.search() }).await?;
        found.total = all.total;
    }
    let rows = shown::users(app, place.id, &found.rows).await?;
    Ok(format.answer(StatusCode::OK, page.shown(&found, rows)))
}

/// A user of the segment who is not deleted, for whoever has the segment.
async fn read(place: &Place, id: UserId) -> Result<User, Error> {
    let subject = place.caller.acts(UserRef::Id(id), KeyScope::Read).await?;
    let user = subject.record.user;
    let fits = user.segment_id == Some(place.id) && user.status != Status::Deleted && subject.role == Role::Manager;
    if fits { Ok(user) } else { Err(Error::NotFound) }
}

/// Whom an id means: the user of this local id, or else the one of this remote id, which is 1 read more.
#[derive(Debug)]
struct Meant<'a> {
    id: &'a str,
    own: Option<UserId>,
    asked: bool,
}

impl<'a> Meant<'a> {
    fn by(id: &'a str) -> Self {
        Self { id, own: id.parse().ok(), asked: false }
    }

    /// The next who may be meant. That nobody is, is told to those only who have the segment.
    async fn next(&mut self, (app, place): (&App, &Place), scope: KeyScope) -> Result<Option<UserId>, Error> {
        if let Some(own) = self.own.take() {
            return Ok(Some(own));
        }
        if std::mem::replace(&mut self.asked, true) {
            return Ok(None);
        }
        let holder = match ReferenceId::parse(self.id) {
            Ok(reference) => app.store.holder(Some(place.id).into(), &Unique::reference(&reference)).await?,
            Err(_) => None,
        };
        if holder.is_none() {
            place.segment(scope).await?;
        }
        Ok(holder)
    }

    fn nobody(&self) -> Refused {
        Refused::of(Error::NotFound, "User", self.id)
    }
}

/// A page of users for the examples of the OpenAPI document.
fn example() -> Value {
    json!({
        "data": [{
            "id": "0199d2a4-5c00-7000-8000-000000000002", "idRemote": "erp-1", "username": "ana.lopez", "name": "Ana",
            "email": "ana@example.com", "status": "ACTIVE", "updatedAt": "2026-11-21T10:00:00.000Z", "dateValid": null,
            "active": true, "language": { "id": "14284", "code": "es", "iso": "spa", "name": "Spanish" },
            "businessPartner": { "id": "0199d2a4-5c00-7000-8000-00000000ba01", "idRemote": "erp-77", "contactName": "Eva Ruiz",
                "commercialName": "Café Sur", "tin": "CSU010203AB1" }
        }],
        "pagination": { "totalItems": 1, "itemsPerPage": 10, "currentPage": 1, "totalPages": 1, "nextPageUrl": null }
    })
}
