//! Requests and answers as the document shows them.

use domain::field::{Property, count_schema, nullable};
use domain::mapping::FieldMapping;
use domain::{Field as _, User, UserFields};
use utoipa::openapi::schema::OneOfBuilder;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::fields::{ALWAYS, PARTS, PLAIN};
use crate::openapi::objects::{self, many, objects, of, one_of, required, sometimes, text};
use crate::openapi::property;

/// The fields that clients write, each with the schema that it has in `object` under `/v1`.
fn fields(object: &RefOr<Schema>) -> Vec<Property> {
    let plain = PLAIN.into_iter().map(|(theirs, our)| match theirs {
        "phone" => (theirs, "A phone in any spelling, which is given back.", false, nullable(text().into())),
        "status_reason" => (theirs, "Why the user is blocked.", false, nullable(text().into())),
        _ => (theirs, "", ALWAYS.contains(&theirs), property(object, our)),
    });
    let parts = PARTS.into_iter().map(|(theirs, our, member)| {
        let meaning = if our == "identification" { "The identity document." } else { "The tax document." };
        (theirs, meaning, false, nullable(property(object, &format!("{our}/{member}"))))
    });
    let address = ("legal_address", "", false, property(object, "legal_address"));
    plain.chain(parts).chain([address]).collect()
}

/// The status that a client writes.
fn status() -> Property {
    let status = one_of(&["ACTIVE", "BLOCKED"]);
    (
        "status",
        "`BLOCKED` locks the user, and needs a `status_reason`. A new user is `ACTIVE` by default.",
        false,
        status.into(),
    )
}

/// A card user to be created.
#[derive(Debug)]
pub(super) enum NewCardUser {}

impl PartialSchema for NewCardUser {
    fn schema() -> RefOr<Schema> {
        let fields = fields(&<UserFields as PartialSchema>::schema()).into_iter().chain([status()]).collect();
        objects::object("A card user to be created. The segment's settings may require further fields.", fields)
    }
}

impl ToSchema for NewCardUser {}

/// A change of a card user.
#[derive(Debug)]
pub(super) enum CardUserChange {}

impl PartialSchema for CardUserChange {
    fn schema() -> RefOr<Schema> {
        let fields = fields(&<UserFields as PartialSchema>::schema()).into_iter().chain([status()]);
        let fields = fields.map(|(name, meaning, _, schema)| (name, meaning, false, schema)).collect();
        objects::object("A change of a card user: what is left out stays, null or empty text clears.", fields)
    }
}

impl ToSchema for CardUserChange {}

/// A card user.
#[derive(Debug)]
pub(super) enum CardUser {}

impl PartialSchema for CardUser {
    fn schema() -> RefOr<Schema> {
        let user = <User as PartialSchema>::schema();
        let ours = |name: &'static str| (name, "", true, property(&user, name));
        let before: [Property; 3] = [
            ("id", "The user's id behind `usr-`.", true, text().into()),
            ("client_id", "The segment's id behind `cli-`.", true, text().into()),
            ("status", "`BLOCKED` for who is shut out.", true, one_of(&["ACTIVE", "BLOCKED"]).into()),
        ];
        let fields = fields(&user).into_iter().map(|(name, meaning, _, schema)| (name, meaning, true, schema));
        let after = [ours("created_at"), ours("updated_at")];
        objects::object("A card user.", before.into_iter().chain(fields).chain(after).collect())
    }
}

impl ToSchema for CardUser {}

objects! {
    /// A card user to be created. The fields may also stand in the body itself.
    pub(super) CreateCardUser {
        /// The user.
        "data": required(of::<NewCardUser>()),
    }

    /// A change of a card user. The fields may also stand in the body itself.
    pub(super) UpdateCardUser {
        /// The change.
        "data": required(of::<CardUserChange>()),
    }

    /// A card user.
    pub(super) CardUserData {
        /// The user.
        "data": required(of::<CardUser>()),
    }

    /// A page of card users.
    pub(super) CardUserPage {
        /// The users.
        "data": required(many(of::<CardUser>())),
        /// The page, and what it was asked for.
        "meta": required(of::<PageMeta>()),
    }

    /// A page, and what it was asked for.
    PageMeta {
        /// The page.
        "pagination": required(of::<Pagination>()),
        /// The filters of the request.
        "filters": required(many(of::<AppliedFilter>())),
    }

    /// Which page of how many.
    Pagination {
        /// How many pages there are.
        "total_pages": required(count_schema()),
        /// The number of this page, from 0.
        "current_page": required(count_schema()),
    }

    /// A filter of a request.
    AppliedFilter {
        /// The field.
        "field": required(text()),
        /// The values, of which a user has one.
        "values": required(many(text())),
    }

    /// What the segment calls the fields of its own.
    pub(super) MappingList {
        /// The mappings.
        "data": required(many(FieldMapping::response_schema())),
    }

    /// An error.
    pub(super) ErrorList {
        /// What is wrong: each field, or the request as a whole.
        "errors": required(many(of::<OneError>())),
        /// The same without places. Of a request for a token, the code of OAuth (RFC 6749, section 5.2).
        "error": required(OneOfBuilder::new().item(of::<ErrorDetails>()).item(text())),
        /// What is wrong, of a request for a token.
        "error_description": sometimes(text()),
    }

    /// The errors without their places.
    ErrorDetails {
        /// An error of each field, or of the request as a whole.
        "details": required(many(of::<ErrorDetail>())),
    }

    /// An error without its place.
    ErrorDetail {
        /// A word for programs, such as `required`.
        "code": required(text()),
        /// A sentence for people.
        "detail": required(text()),
    }

    /// One thing that is wrong.
    OneError {
        /// A word for programs, such as `required`.
        "code": required(text()),
        /// A sentence for people.
        "detail": required(text()),
        /// Where it is; absent where the request as a whole is wrong.
        "source": sometimes(of::<ErrorSource>()),
    }

    /// Where in a request something is wrong: one of the two.
    ErrorSource {
        /// A JSON pointer into the body.
        "pointer": sometimes(text()),
        /// A parameter of the query.
        "parameter": sometimes(text()),
    }
}

/// Mappings that replace all of a segment.
#[derive(Debug)]
pub(super) enum MappingsBody {}

impl PartialSchema for MappingsBody {
    fn schema() -> RefOr<Schema> {
        many(FieldMapping::schema()).description(Some("Mappings that replace all of the segment.")).into()
    }
}

impl ToSchema for MappingsBody {}
