//! What comes with a new user: its fields, and a password that goes to Cognito.

use serde_json::{Map, Value, json};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::error::{Error, FieldError};
use crate::field::{Body, Field, Fields, described};
use crate::parsed::ParsedBody;
use crate::password::Password;
use crate::segment::Settings;
use crate::text::{Code, Email};
use crate::user::state::{MASTER_REQUIRES, reason_without_block};
use crate::user::{Right, Status, UserFields, Writer};
use crate::words;

words! {
    /// Where the life of a user of a segment begins.
    pub enum FirstStatus as "FirstUserStatus" {
        /// In use at once, which is the default.
        Active = "ACTIVE",
        /// Shut out until made active.
        Blocked = "BLOCKED",
    }
}

impl From<FirstStatus> for Status {
    fn from(first: FirstStatus) -> Self {
        match first {
            FirstStatus::Active => Self::Active,
            FirstStatus::Blocked => Self::Blocked,
        }
    }
}

/// What a new master user sends: [`UserFields`] with e-mail and name, and a password.
#[derive(Debug, Clone)]
pub struct SignUp {
    /// Goes to Cognito and nowhere else.
    pub password: Password,
    /// Everything else; `email` is there.
    pub fields: UserFields,
    /// The e-mail among the fields.
    pub email: Email,
}

impl Body for SignUp {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let password = fields.take("password");
        for required in MASTER_REQUIRES {
            fields.require(required);
        }
        let read = UserFields::read(fields)?;
        read.not_applicable(Writer::SignUp).into_iter().for_each(|error| fields.add_error(error));
        let password: Password = password?;
        if let Some(weakness) = password.find_weakness("/password", &read, None) {
            fields.add_error(weakness);
        }
        Some(Self { password, email: read.email.clone()?, fields: read })
    }

    fn rules(&self, errors: &mut Vec<FieldError>) {
        self.fields.rules(errors);
    }

    fn show(&self) -> Map<String, Value> {
        self.fields.show()
    }

    fn example() -> Value {
        with_password_example(UserFields::example())
    }

    fn schema() -> RefOr<Schema> {
        let mut schema = with_password(Self::example(), &["password", "email", "name"]);
        if let RefOr::T(Schema::Object(object)) = &mut schema {
            object.properties.retain(|name, _| name == "password" || Writer::SignUp.right(name) == Right::Writes);
            object.description = Some("A new master user.".to_owned());
        }
        schema
    }
}

impl PartialSchema for SignUp {
    fn schema() -> RefOr<Schema> {
        <Self as Body>::schema()
    }
}

impl ToSchema for SignUp {}

/// What a new user of a segment sends: [`UserFields`], of which the segment says what must be there, and a password if
/// it is to log in.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// Goes to Cognito and nowhere else.
    pub password: Option<Password>,
    /// Where the user's life begins.
    pub status: Option<FirstStatus>,
    /// Why the user is blocked from the beginning.
    pub status_reason: Option<Code>,
    /// Everything else.
    pub fields: UserFields,
}

impl Body for NewUser {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let (password, status, status_reason) =
            (fields.take("password"), fields.take("status"), fields.take("status_reason"));
        let fields = UserFields::read(fields)?;
        Some(Self { password: password?, status: status?, status_reason: status_reason?, fields })
    }

    fn rules(&self, errors: &mut Vec<FieldError>) {
        self.fields.rules(errors);
    }

    fn show(&self) -> Map<String, Value> {
        self.fields.show()
    }

    fn example() -> Value {
        UserFields::example()
    }

    fn schema() -> RefOr<Schema> {
        let mut schema = with_password(Self::example(), &[]);
        if let RefOr::T(Schema::Object(object)) = &mut schema {
            let about = "Status of the new account. Default `ACTIVE`.";
            object.properties.insert("status".to_owned(), described(<Option<FirstStatus> as Field>::schema(), about));
            let about = "Reason of the status BLOCKED.";
            object.properties.insert("status_reason".to_owned(), described(<Option<Code> as Field>::schema(), about));
            object.description =
                Some("A new user of a segment; the segment's settings say which fields are required.".to_owned());
        }
        schema
    }
}

impl ParsedBody<NewUser> {
    /// Returns a new user that a segment with these settings accepts, its password included.
    ///
    /// # Errors
    /// [`Error::Invalid`] with each error of the body and each rule of the segment that it breaks.
    pub fn accept(mut self, settings: &Settings) -> Result<NewUser, Error> {
        self.check_in(settings, None);
        let has_status = !self.has_error("status");
        self.check(|new| {
            let is_blocked = new.status == Some(FirstStatus::Blocked);
            let reason = new.status_reason.as_ref().filter(|_| has_status && !is_blocked);
            let password = new.password.as_ref();
            let weakness =
                password.and_then(|password| password.find_weakness("/password", &new.fields, Some(settings)));
            reason.map(|_| reason_without_block()).into_iter().chain(weakness).collect()
        });
        self.into_result()
    }
}

impl AsRef<UserFields> for NewUser {
    fn as_ref(&self) -> &UserFields {
        &self.fields
    }
}

impl PartialSchema for NewUser {
    fn schema() -> RefOr<Schema> {
        <Self as Body>::schema()
    }
}

impl ToSchema for NewUser {}

fn with_password(example: Value, required: &[&str]) -> RefOr<Schema> {
    let mut schema = <UserFields as Body>::schema();
    if let RefOr::T(Schema::Object(object)) = &mut schema {
        let about = "Password for logins; a user of a segment without one cannot log in.";
        object.properties.insert("password".to_owned(), described(<Password as Field>::schema(), about));
        object.required.extend(required.iter().map(|name| (*name).to_owned()));
        object.examples = vec![example];
    }
    schema
}

fn with_password_example(mut example: Value) -> Value {
    if let Some(object) = example.as_object_mut() {
        object.insert("password".to_owned(), json!("correct horse battery"));
    }
    example
}
