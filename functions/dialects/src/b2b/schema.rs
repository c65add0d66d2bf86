//! Requests and answers as the document shows them.

use domain::field::nullable;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, OneOfBuilder, SchemaFormat};
use utoipa::openapi::{OpenApi, Ref, RefOr, Required, Schema};
use utoipa::{IntoParams, PartialSchema, ToSchema};

use super::page::{DEFAULT_SIZE, MOST, MOST_PAGES};
use crate::openapi::ERROR;
use crate::openapi::objects::{
    id, many, objects, of, one_of, optional, required, secret, sometimes, switch, text, whole,
};

/// A time, RFC 3339 in UTC.
fn time() -> ObjectBuilder {
    text().format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
}

/// A text, or null where it is unset.
fn text_or_null() -> RefOr<Schema> {
    nullable(text().into())
}

objects! {
    /// The credentials of a login.
    pub(super) Credentials {
        /// The id of a key, or the e-mail of a master user.
        "_username": required(text()),
        /// The secret of the key, or the password of the master user.
        "_password": required(secret()),
    }

    /// What a login gives.
    pub(super) Token {
        /// The bearer token, valid for an hour.
        "token": required(text()),
    }

    /// A user to be created. A number is taken where text is meant.
    pub(super) NewUser {
        /// The user's id in the client's system; no other user of the segment has it.
        "idRemote": optional(text()),
        /// The name to log in with; no other user of the segment has it.
        "username": required(text()),
        /// The name.
        "name": required(text()),
        /// The id of the language, as `getLanguage` lists it.
        "languageId": required(text()),
        /// The e-mail; no other user of the segment has it.
        "email": required(text()),
        /// The local id of the business partner, or its `idRemote`.
        "businessPartnerId": required(text()),
        /// The time until which the user can sign in: a day, a time, or seconds since 1970.
        "dateValid": optional(text()),
        /// Whether the user is in use, true without it.
        "active": optional(switch()),
    }

    /// A change of a user: what is left out stays. `idRemote` is ignored.
    pub(super) UserChange {
        /// The name to log in with; no other user of the segment has it.
        "username": sometimes(text()),
        /// The name.
        "name": sometimes(text()),
        /// The id of the language, as `getLanguage` lists it.
        "languageId": sometimes(text()),
        /// The e-mail; no other user of the segment has it.
        "email": sometimes(text()),
        /// The local id of the business partner, or its `idRemote`.
        "businessPartnerId": sometimes(text()),
        /// The time until which the user can sign in: a day, a time, or seconds since 1970; null removes it.
        "dateValid": optional(text()),
        /// Whether the user is in use.
        "active": optional(switch()),
    }

    /// A business partner to be created. A number is taken where text is meant.
    pub(super) NewBusinessPartner {
        /// The partner's id in the client's system; no other partner of the segment has it.
        "idRemote": optional(text()),
        /// The name of the contact.
        "contactName": optional(text()),
        /// The name in commerce.
        "commercialName": required(text()),
        /// The tax number.
        "tin": optional(text()),
        /// The role, such as `customer`.
        "role": optional(text()),
        /// Whether the partner is in use, true without it.
        "status": optional(switch()),
    }

    /// A change of a business partner: what is left out stays, null or blank text clears.
    pub(super) BusinessPartnerChange {
        /// The partner's id in the client's system; no other partner of the segment has it.
        "idRemote": optional(text()),
        /// The name of the contact.
        "contactName": optional(text()),
        /// The name in commerce, which cannot be cleared.
        "commercialName": sometimes(text()),
        /// The tax number.
        "tin": optional(text()),
        /// The role, such as `customer`.
        "role": optional(text()),
        /// Whether the partner is in use.
        "status": optional(switch()),
    }

    /// Both ids of what was created.
    pub(super) CreatedIds {
        /// The local id.
        "id": required(id()),
        /// The id in the client's system.
        "idRemote": required(text_or_null()),
    }

    /// The ids of what was changed.
    pub(super) ChangedIds {
        /// The local id.
        "id": required(id()),
        /// The id in the client's system; absent for a key without the scope read.
        "idRemote": sometimes(text_or_null()),
    }

    /// The id of what was deleted.
    pub(super) DeletedId {
        /// The local id.
        "id": required(id()),
    }

    /// A page of users.
    pub(super) UserPage {
        /// The users.
        "data": required(many(of::<User>())),
        /// The page.
        "pagination": required(of::<Pagination>()),
    }

    /// A user.
    User {
        /// The local id.
        "id": required(id()),
        /// The id in the client's system.
        "idRemote": required(text_or_null()),
        /// The name to log in with.
        "username": required(text_or_null()),
        /// The name.
        "name": required(text_or_null()),
        /// The e-mail.
        "email": required(text_or_null()),
        /// The status.
        "status": required(one_of(&["ACTIVE", "BLOCKED"])),
        /// The time of the last change.
        "updatedAt": required(time()),
        /// The time until which the user can sign in.
        "dateValid": required(nullable(time().into())),
        /// Whether the status is ACTIVE.
        "active": required(switch()),
        /// The language.
        "language": required(nullable(of::<Language>())),
        /// The business partner.
        "businessPartner": required(nullable(of::<PartnerOfUser>())),
    }

    /// The business partner of a user.
    PartnerOfUser {
        /// The local id.
        "id": required(id()),
        /// The id in the client's system.
        "idRemote": required(text_or_null()),
        /// The name of the contact.
        "contactName": required(text_or_null()),
        /// The name in commerce.
        "commercialName": required(text()),
        /// The tax number.
        "tin": required(text_or_null()),
    }

    /// A page of languages.
    pub(super) LanguagePage {
        /// The languages.
        "data": required(many(of::<Language>())),
        /// The page.
        "pagination": required(of::<Pagination>()),
    }

    /// A language.
    Language {
        /// The id, digits as text.
        "id": required(text()),
        /// The code of ISO 639-1.
        "code": required(text()),
        /// The code of ISO 639-3.
        "iso": required(text()),
        /// The name in English.
        "name": required(text()),
    }

    /// A page of business partners.
    pub(super) BusinessPartnerPage {
        /// The business partners.
        "data": required(many(of::<BusinessPartner>())),
        /// The page.
        "pagination": required(of::<Pagination>()),
    }

    /// A business partner.
    BusinessPartner {
        /// The local id.
        "id": required(id()),
        /// The id in the client's system.
        "idRemote": required(text_or_null()),
        /// The name of the contact.
        "contactName": required(text_or_null()),
        /// The name in commerce.
        "commercialName": required(text()),
        /// The tax number.
        "tin": required(text_or_null()),
        /// The role, such as `customer`.
        "role": required(text_or_null()),
        /// Whether the partner is in use.
        "status": required(switch()),
    }

    /// A page of the deleted history.
    pub(super) DeletedPage {
        /// What is deleted.
        "data": required(many(of::<DeletedRow>())),
        /// The page.
        "pagination": required(of::<Pagination>()),
    }

    /// A user who is deleted.
    DeletedRow {
        /// The id of the row, which is that of the user.
        "id": required(id()),
        /// The local id of the user.
        "columnId": required(id()),
        /// The user's id in the client's system.
        "columnIdRemote": required(text_or_null()),
        /// The table that the user was in.
        "table": required(one_of(&["User"])),
        /// The time of the deletion.
        "createdAt": required(time()),
    }

    /// Which page of how many.
    Pagination {
        /// The number of rows in all pages.
        "totalItems": required(whole().minimum(Some(0))),
        /// The most rows of a page.
        "itemsPerPage": required(whole().minimum(Some(1)).maximum(Some(MOST))),
        /// The number of this page, from 1.
        "currentPage": required(whole().minimum(Some(1))),
        /// The number of pages.
        "totalPages": required(whole().minimum(Some(0))),
        /// The address of the next page; null on the last one.
        "nextPageUrl": required(text_or_null()),
    }

    /// An error.
    pub(super) Error {
        /// The status.
        "code": required(whole()),
        /// What is wrong.
        "error": required(text()),
    }
}

/// The users of a request.
#[derive(Debug)]
pub(super) enum NewUsers {}

impl PartialSchema for NewUsers {
    fn schema() -> RefOr<Schema> {
        let about = "1 to 100 users. One user may also be the body itself.";
        many(of::<NewUser>()).min_items(Some(1)).max_items(Some(100)).description(Some(about)).into()
    }
}

impl ToSchema for NewUsers {}

/// The ids of the users of a request.
#[derive(Debug)]
pub(super) enum CreatedUsers {}

impl PartialSchema for CreatedUsers {
    fn schema() -> RefOr<Schema> {
        many(of::<CreatedIds>()).description(Some("The ids, in the order of the request.")).into()
    }
}

impl ToSchema for CreatedUsers {}

/// The business partners of a request.
#[derive(Debug)]
pub(super) enum NewBusinessPartners {}

impl PartialSchema for NewBusinessPartners {
    fn schema() -> RefOr<Schema> {
        let several = many(of::<NewBusinessPartner>()).min_items(Some(1)).max_items(Some(20));
        let about = "A business partner, or an array of 1 to 20.";
        OneOfBuilder::new().item(of::<NewBusinessPartner>()).item(several).description(Some(about)).into()
    }
}

impl ToSchema for NewBusinessPartners {}

/// The ids of the business partners of a request.
#[derive(Debug)]
pub(super) enum CreatedBusinessPartners {}

impl PartialSchema for CreatedBusinessPartners {
    fn schema() -> RefOr<Schema> {
        let about = "The ids of a business partner; of an array, an array of these.";
        OneOfBuilder::new().item(of::<CreatedIds>()).item(many(of::<CreatedIds>())).description(Some(about)).into()
    }
}

impl ToSchema for CreatedBusinessPartners {}

/// The header that names the segment.
#[derive(Debug)]
pub(super) enum SegmentHeader {}

impl IntoParams for SegmentHeader {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let about = "The id of the segment. A key of a segment, and an account with exactly one segment, need none.";
        let header = ParameterBuilder::new().name("X-Segment-Id").parameter_in(ParameterIn::Header);
        vec![header.required(Required::False).description(Some(about)).schema(Some(id())).build()]
    }
}

/// The parameters of a list.
#[derive(Debug)]
pub(super) enum PageParameters {}

impl IntoParams for PageParameters {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let parameter = |name: &str, about: &str, usual: u32, most: u32| {
            let schema = whole().minimum(Some(1)).maximum(Some(most)).default(Some(usual.into()));
            let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Query);
            parameter.required(Required::False).description(Some(about)).schema(Some(schema)).build()
        };
        vec![
            parameter("page", "The number of the page, from 1.", 1, MOST_PAGES),
            parameter("pageSize", "The most rows of a page.", DEFAULT_SIZE, MOST),
        ]
    }
}

/// Adds the errors that are not of the dialect's documentation: 403, to operations with a body 413 and 415, to a POST 422.
pub(super) fn add_errors(document: &mut OpenApi) {
    for item in document.paths.paths.values_mut() {
        let is_post = item.post.is_some();
        for operation in [&mut item.get, &mut item.post, &mut item.put, &mut item.delete].into_iter().flatten() {
            let has_body = operation.request_body.is_some();
            for (status, description, comes) in [
                (403, "The key lacks the scope, or the master's e-mail is not verified yet.", true),
                (413, "The body is larger than 256 KiB.", has_body),
                (415, "The body is neither JSON nor a form.", has_body),
                (422, "The idempotency key was used with another body.", is_post),
            ] {
                if comes {
                    add_error(operation, status, description);
                }
            }
        }
    }
}

fn add_error(operation: &mut Operation, status: u16, description: &str) {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(ERROR))).build();
    let response = ResponseBuilder::new().description(description).content("application/json", content).build();
    operation.responses.responses.insert(status.to_string(), response.into());
}
