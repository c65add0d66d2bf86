//! Users: what they are, how they begin, change, end and come back.

mod access;
mod email;
mod metadata;
mod new;
mod operation;
mod profile;
mod state;
mod unique;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::clock::{Date, Time};
use crate::document::Document;
use crate::error::{Error, FieldError};
use crate::field::{Body, Field, Object, bookkeeping, nullable, shown_schema};
use crate::id::{PartnerId, SegmentId, StatusId, UploadId, UserId};
use crate::phone::check_spelling;
use crate::place::{LegalAddress, Place};
use crate::segment::{IdentificationScope, SegmentNumber};
use crate::text::{Code, Country, Email, Language, Name, Phone, PhoneSpelling, ReferenceId};
use crate::username::Username;
use crate::value::Integer;
use crate::{body, words};

pub use access::{RIGHTS, Right, Writer};
pub use email::EmailChange;
pub use metadata::Metadata;
pub use new::{FirstStatus, NewUser, SignUp};
pub use profile::UserProfile;
pub use state::{CURRENT_PASSWORD, Role, UserState};
pub use unique::{Unique, rounds};

/// The number of a person among those of an account.
pub type PersonNumber = Integer<1, 2_147_483_647>;

/// A person, who may be a user of several segments of an account, of each once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The account.
    pub account: UserId,
    /// The person's number in it.
    pub number: PersonNumber,
    /// The number of the segment that the user is in.
    pub segment: SegmentNumber,
}

/// Where a person's number comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbering {
    /// Nobody in the account has it yet.
    New,
    /// It is somebody's already, whom the user is too.
    Known,
}

/// How far a purge is that a user has begun itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SelfPurge {
    /// It is under way.
    Begun,
    /// It is over. The item is a tombstone for the owner of the segment: an id and times.
    Done,
}

/// A person, master or of a segment.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct User {
    /// The id; Cognito's username too.
    pub id: UserId,
    /// The segment that the user belongs to; a master user has none.
    pub segment_id: Option<SegmentId>,
    /// Where in its life the user stands.
    pub status: Status,
    /// Why it stands there.
    pub status_reason: Option<Code>,
    /// The person that the user is, once that has been asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<Person>,
    /// Whether its `status_id` is one that is excluded, as the store found it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub excluded: bool,
    /// Whether its identification is unique in its country only, as the segment's settings said when it was written.
    #[serde(default, skip_serializing_if = "IdentificationScope::is_segment")]
    pub identification_scope: IdentificationScope,
    /// Whether it has never joined a membership, as the store notes it: then none need be looked for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unjoined: bool,
    /// How far a purge is that the user has begun itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub self_purge: Option<SelfPurge>,
    /// Whether the e-mail has been proved, where that is written down; see [`User::is_email_verified`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email_verified: Option<bool>,
    /// The address that becomes the e-mail once the code is confirmed that was sent to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending_email: Option<Email>,
    /// What the user, or who keeps it, writes.
    #[serde(flatten)]
    pub fields: UserFields,
    /// Counts the changes; it is the `ETag`.
    pub version: u64,
    /// When the user came to be.
    pub created_at: Time,
    /// When it last changed.
    pub updated_at: Time,
}

words! {
    /// The stations of a user's life: `UNVERIFIED → ACTIVE ⇄ BLOCKED → DELETED` (restorable) `→` purged, which leaves nothing.
    pub enum Status as "UserStatus" {
        /// Signed up; the e-mail is not verified yet.
        Unverified = "UNVERIFIED",
        /// In use.
        Active = "ACTIVE",
        /// Shut out until made active again.
        Blocked = "BLOCKED",
        /// Out of use; its unique values are free again.
        Deleted = "DELETED",
    }
}

body! {
    /// What is written about a user.
    #[derive(Serialize, Deserialize, Default)]
    pub struct UserFields {
        /// E-mail, unique without case.
        pub email: Option<Email>,
        /// Name to log in with, unique without case, width and composition (RFC 8265).
        pub username: Option<Username>,
        /// The user's id in another system, unique.
        pub reference_id: Option<ReferenceId>,
        /// First name.
        pub name: Option<Name>,
        /// Last name.
        pub last_name: Option<Name>,
        /// Second last name.
        pub second_last_name: Option<Name>,
        /// Phone number, E.164: a plus and 7 to 15 digits. Separators are removed.
        pub phone: Option<Phone>,
        /// The phone in the spelling of another system's client. It may spell no number of E.164; then `phone` is null.
        #[serde(default)]
        pub phone_display: Option<PhoneSpelling>,
        /// Gender.
        pub gender: Option<Gender>,
        /// Day of birth.
        pub birthdate: Option<Date>,
        /// ISO 3166-1 alpha-3.
        pub nationality: Option<Country>,
        /// The country that the user does business in, ISO 3166-1 alpha-3.
        pub operation_country: Option<Country>,
        /// Language, BCP 47.
        pub language: Option<Language>,
        /// Identity document, unique.
        pub identification: Option<Document>,
        /// Tax document.
        pub tax_identification: Option<Document>,
        /// Tax condition, as the country names it.
        pub tax_condition: Option<Code>,
        /// Where the user is reached by law.
        pub legal_address: Option<LegalAddress>,
        /// Country.
        pub country: Option<Place>,
        /// State.
        pub state: Option<Place>,
        /// City.
        pub city: Option<Place>,
        /// The user's photo: a file of its segment.
        pub photo_upload_id: Option<UploadId>,
        /// The user of the same segment whose child this one is; a child has no children of its own.
        pub parent_id: Option<UserId>,
        /// The partner of the segment that the user belongs to.
        pub partner_id: Option<PartnerId>,
        /// The status of the segment's own that the user has. An excluded one locks the user, and leaves it out of the lists
        /// and counts of users; its members stay.
        pub status_id: Option<StatusId>,
        /// Until when the user can sign in and its tokens are accepted; from then on it is answered 401 `expired`.
        pub valid_until: Option<Time>,
        /// Anything else, up to 8 KiB of JSON.
        pub metadata: Option<Metadata>,
    }
    example {
        "email": "ana@example.com", "name": "Ana", "last_name": "López", "phone": "+5215512345678",
        "gender": "FEMALE", "birthdate": "1990-02-28", "language": "es-MX"
    }
    patch { "last_name": "López García", "phone": null, "metadata": { "plan": "gold" } }
    dependent [
        "/phone_display" of "/phone",
        "/identification/display" of "/identification/value",
        "/tax_identification/display" of "/tax_identification/value"
    ]
    rules Self::check_spelling
}

words! {
    /// A user's gender.
    pub enum Gender {
        /// Male.
        Male = "MALE",
        /// Female.
        Female = "FEMALE",
        /// Neither, or not told.
        Other = "OTHER",
    }
}

impl User {
    /// A master user who has just signed up.
    #[must_use]
    pub fn master(id: UserId, fields: UserFields, now: Time) -> Self {
        Self::new(id, None, Status::Unverified, fields, now)
    }

    /// A new user of a segment, in use at once.
    #[must_use]
    pub fn of_segment(id: UserId, segment: SegmentId, fields: UserFields, now: Time) -> Self {
        Self::new(id, Some(segment), Status::Active, fields, now)
    }

    fn new(id: UserId, segment_id: Option<SegmentId>, status: Status, fields: UserFields, now: Time) -> Self {
        let (version, created_at, updated_at) = (1, now, now);
        Self {
            id,
            segment_id,
            status,
            status_reason: None,
            person: None,
            excluded: false,
            identification_scope: IdentificationScope::Segment,
            unjoined: true,
            self_purge: None,
            email_verified: None,
            pending_email: None,
            fields,
            version,
            created_at,
            updated_at,
        }
    }

    /// The user in another station of its life, one version on.
    #[must_use]
    pub fn moved(&self, status: Status, now: Time) -> Self {
        Self { status, status_reason: None, pending_email: None, ..self.next(now) }
    }

    /// The user unchanged, one version on.
    #[must_use]
    pub fn next(&self, now: Time) -> Self {
        Self { version: self.version + 1, updated_at: now, ..self.clone() }
    }

    /// Returns what is left of a user of a segment that has purged itself: its id and its times.
    #[must_use]
    pub fn tombstone(&self) -> Self {
        let left = Self::new(self.id, self.segment_id, Status::Deleted, UserFields::default(), self.created_at);
        let (version, updated_at) = (self.version + 1, self.updated_at);
        Self { unjoined: false, self_purge: Some(SelfPurge::Done), version, updated_at, ..left }
    }

    /// Whether this is the tombstone of a user.
    #[must_use]
    pub fn is_tombstone(&self) -> bool {
        self.self_purge == Some(SelfPurge::Done)
    }

    /// Checks that the user's validity has not ended.
    ///
    /// # Errors
    /// [`Error::Expired`].
    pub fn check_validity(&self, now: Time) -> Result<(), Error> {
        let is_over = self.fields.valid_until.is_some_and(|end| end <= now);
        if is_over { Err(Error::Expired) } else { Ok(()) }
    }

    /// The number of the person that the user is, the same in all segments of the account.
    #[must_use]
    pub fn number(&self) -> Option<PersonNumber> {
        self.person.map(|person| person.number)
    }

    /// The person that the user is as long as it is not deleted.
    #[must_use]
    pub fn present(&self) -> Option<Person> {
        self.person.filter(|_| self.status != Status::Deleted)
    }

    /// Each value of this user that nobody else in its scope may have; none once it is deleted.
    #[must_use]
    pub fn unique_values(&self) -> Vec<Unique> {
        if self.status == Status::Deleted {
            return Vec::new();
        }
        self.fields.unique_values(self.identification_scope)
    }
}

impl AsRef<Self> for UserFields {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl UserFields {
    fn check_spelling(&self, errors: &mut Vec<FieldError>) {
        check_spelling(self.phone.as_ref(), self.phone_display.as_ref(), errors);
    }

    /// Each value that nobody else in the scope may have.
    #[must_use]
    pub fn unique_values(&self, scope: IdentificationScope) -> Vec<Unique> {
        let country = self.operation_country.as_ref().filter(|_| scope == IdentificationScope::Country);
        let values = [
            self.email.as_ref().map(Unique::email),
            self.username.as_ref().map(Unique::username),
            self.reference_id.as_ref().map(Unique::reference),
            self.identification.as_ref().map(|document| Unique::identification(document, country)),
        ];
        values.into_iter().flatten().collect()
    }
}

impl PartialSchema for User {
    fn schema() -> RefOr<Schema> {
        let verified = nullable(ObjectBuilder::new().schema_type(Type::Boolean).into());
        let before = vec![
            ("id", "The user's id.", <UserId as Field>::response_schema()),
            ("segment_id", "The segment of the user; null for a master user.", <Option<SegmentId>>::response_schema()),
            ("status", "Status of the account.", Status::response_schema()),
            ("status_reason", "Reason of the status, as its writer gave it.", <Option<Code>>::response_schema()),
            (
                "number",
                "The person's number, the same in all segments of the account; null until it is first asked for.",
                <Option<PersonNumber>>::response_schema(),
            ),
            ("email_verified", "Whether the e-mail is verified; null without an e-mail.", verified),
            ("pending_email", "A new e-mail that waits for its code.", <Option<Email>>::response_schema()),
        ];
        shown_schema::<UserFields>("A person: a master user, or a user of a segment.", example(), before)
    }
}

impl ToSchema for User {}

impl Object for User {
    fn version(&self) -> u64 {
        self.version
    }

    fn show(&self) -> Value {
        let mut shown = Map::from_iter([
            ("id".to_owned(), self.id.show()),
            ("segment_id".to_owned(), self.segment_id.show()),
            ("status".to_owned(), self.status.as_str().into()),
            ("status_reason".to_owned(), self.status_reason.show()),
            ("number".to_owned(), self.number().show()),
            ("email_verified".to_owned(), self.fields.email.as_ref().map(|_| self.is_email_verified()).into()),
            ("pending_email".to_owned(), self.pending_email.show()),
        ]);
        shown.extend(self.fields.show());
        shown.extend(bookkeeping(self.version, self.created_at, self.updated_at));
        Value::Object(shown)
    }
}

/// A user for the examples of the OpenAPI document.
#[must_use]
pub fn example() -> Value {
    let mut example = json!({
        "id": "0199d2a4-5c00-7000-8000-000000000001", "segment_id": null, "status": "ACTIVE", "status_reason": null, "number": null,
        "email_verified": true, "pending_email": null,
        "version": 2, "created_at": "2026-11-21T10:00:00.000Z", "updated_at": "2026-11-21T10:05:00.000Z"
    });
    if let (Some(object), Value::Object(fields)) = (example.as_object_mut(), UserFields::example()) {
        object.extend(fields);
    }
    example
}

#[cfg(test)]
mod tests;
