//! Who changed what of a user, and when.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::audit::{AuditActor, Origin};
use crate::clock::Time;
use crate::error::FieldError;
use crate::field::{Field, Object, Pointer, described, named};
use crate::id::{EntryId, KeyId, UserId};
use crate::nested;
use crate::text::{Name, Text};
use crate::user::User;

/// One row of a user's history; it never changes.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Entry {
    /// Its id; ids sort by time.
    pub id: EntryId,
    /// Whose history it is.
    pub user_id: UserId,
    /// What happened.
    pub action: Action,
    /// Who did it.
    pub actor: Actor,
    /// Who used the key, by the name that it gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor_name: Option<Name>,
    /// The request that did it, as in `X-Request-Id`.
    pub request_id: String,
    /// The fields that changed.
    pub changes: Vec<EntryChange>,
    /// When.
    pub at: Time,
    /// Whether nobody is to be told by an event.
    #[serde(skip)]
    pub silent: bool,
    /// The source of the request, for the audit; the history does not keep it.
    #[serde(skip)]
    pub origin: Option<Origin>,
}

/// On whose account something is done.
#[derive(Debug, Clone, Copy)]
pub struct Act<'a> {
    /// Who does it.
    pub actor: Actor,
    /// Who uses the key, by the name that it gives.
    pub name: Option<&'a Name>,
    /// The request that does it.
    pub request_id: &'a str,
    /// The source of the request, for the audit.
    pub origin: Option<&'a Origin>,
    /// Whether nobody is to be told by an event.
    pub silent: bool,
}

/// What can happen to a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The user came to be.
    Created,
    /// The e-mail was verified.
    Verified,
    /// Fields changed.
    Updated,
    /// The password changed.
    PasswordChanged,
    /// A password change was cut off by a crash: either password may hold, and all sessions have ended.
    PasswordChangeInterrupted,
    /// Muster created the identity by which the user signs in; nobody changed a password.
    LoginCreated,
    /// Shut out, with a reason.
    Blocked,
    /// Let in again.
    Unblocked,
    /// Deleted; restorable.
    Deleted,
    /// Restored.
    Restored,
    /// E-mails that were sent elsewhere are recorded; nothing changed.
    EmailsRecorded,
}

/// Who acted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "id", rename_all = "snake_case")]
pub enum Actor {
    /// A user, most often the one whose history it is.
    User(UserId),
    /// A key of the account or the segment.
    Key(KeyId),
    /// Somebody without a valid credential.
    Anonymous,
    /// Muster itself, finishing what a crash had cut off.
    System,
}

/// Actors are shown, and never read from a body.
impl Field for Actor {
    fn read(value: Value, at: &Pointer, errors: &mut Vec<FieldError>) -> Option<Self> {
        let actor = serde_json::from_value(value).ok();
        if actor.is_none() {
            errors.push(at.error("invalid_type", "must be an actor"));
        }
        actor
    }

    fn show(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    fn schema() -> RefOr<Schema> {
        let about = "The id of the user or key; absent of others.";
        let actor = ObjectBuilder::new()
            .schema_type(Type::Object)
            .property("type", described(<AuditActor as Field>::schema(), "Kind of the actor."))
            .property("id", described(<UserId as Field>::schema(), about))
            .required("type")
            .description(Some("The user, key or system that acted."))
            .examples([json!({ "type": "user", "id": "0199d2a4-5c00-7000-8000-000000000001" })]);
        named(actor.into(), "Actor")
    }
}

impl PartialSchema for Actor {
    fn schema() -> RefOr<Schema> {
        <Self as Field>::schema()
    }
}

impl ToSchema for Actor {}

/// A field that changed; secrets never, personal numbers and addresses only masked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EntryChange {
    /// The field's name.
    pub field: String,
    /// What it was.
    #[schema(schema_with = anything)]
    pub old: Value,
    /// What it is.
    #[schema(schema_with = anything)]
    pub new: Value,
}

nested! {
    /// An e-mail that was sent elsewhere.
    pub struct RecordedEmail {
        /// Who sent it.
        pub from: Option<Text>,
        /// To whom.
        pub to: Text,
        /// What it is about.
        pub subject: Option<Text>,
        /// What it says, of which only that there is something is kept.
        pub body: Option<Letter>,
        /// Who else got it.
        pub cc: Option<Text>,
        /// Who else got it, of whom the others do not know.
        pub bcc: Option<Text>,
    }
}

/// The body of an e-mail, which is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter;

impl Field for Letter {
    fn read(value: Value, at: &Pointer, errors: &mut Vec<FieldError>) -> Option<Self> {
        if !value.is_string() {
            errors.push(at.error("invalid_type", "must be a string"));
            return None;
        }
        Some(Self)
    }

    fn show(&self) -> Value {
        "•••".into()
    }

    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::String).into()
    }
}

impl RecordedEmail {
    /// What the history keeps of it.
    #[must_use]
    pub fn entered(&self) -> EntryChange {
        let mut shown = self.show();
        for field in ["from", "to", "cc", "bcc"] {
            if let Some(Value::String(addresses)) = shown.get_mut(field) {
                let masked = addresses.split([',', ';']).map(|address| masked_text(address.trim()));
                *addresses = masked.collect::<Vec<_>>().join(", ");
            }
        }
        EntryChange { field: "email_list".to_owned(), old: Value::Null, new: shown }
    }
}

/// Any JSON value.
fn anything() -> Schema {
    let about = "The value; of personal data, a masked form.";
    ObjectBuilder::new().schema_type(SchemaType::AnyValue).description(Some(about)).into()
}

impl<'a> Act<'a> {
    /// What somebody does by a request, of which others are told.
    #[must_use]
    pub fn of(actor: Actor, request_id: &'a str) -> Self {
        Self { actor, name: None, request_id, origin: None, silent: false }
    }

    /// What Muster does by itself.
    #[must_use]
    pub fn by_itself(what: &'a str) -> Self {
        Self::of(Actor::System, what)
    }

    /// The same act, from this origin.
    #[must_use]
    pub fn from_origin(self, origin: &'a Origin) -> Self {
        Self { origin: Some(origin), ..self }
    }

    /// The same, of which no event tells: as where it goes with something else, whose end is told.
    #[must_use]
    pub fn untold(self) -> Self {
        Self { silent: true, ..self }
    }
}

impl Entry {
    /// Returns the act that made the change.
    #[must_use]
    pub fn act(&self) -> Act<'_> {
        Act {
            actor: self.actor,
            name: self.actor_name.as_ref(),
            request_id: &self.request_id,
            origin: self.origin.as_ref(),
            silent: self.silent,
        }
    }

    /// What made `new` out of `old`.
    #[must_use]
    pub fn between(old: Option<&User>, new: &User, action: Action, act: Act<'_>) -> Self {
        let (old, after) = (old.map(User::show).unwrap_or_default(), new.show());
        let changes = after.as_object().into_iter().flatten().filter_map(|(field, value)| {
            let before = old.get(field).unwrap_or(&Value::Null);
            let bookkeeping = matches!(field.as_str(), "id" | "version" | "created_at" | "updated_at");
            (before != value && !bookkeeping).then(|| EntryChange {
                field: field.clone(),
                old: masked(field, before),
                new: masked(field, value),
            })
        });
        Self {
            id: EntryId::fresh(),
            user_id: new.id,
            action,
            actor: act.actor,
            actor_name: act.name.cloned(),
            request_id: act.request_id.to_owned(),
            changes: changes.collect(),
            at: new.updated_at,
            silent: act.silent,
            origin: act.origin.cloned(),
        }
    }
}

impl Object for Entry {
    /// A row never changes.
    fn version(&self) -> u64 {
        1
    }

    fn show(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

/// The value as the history may keep it: enough to recognise, not enough to use.
fn masked(field: &str, value: &Value) -> Value {
    match (field, value) {
        (_, Value::Null) => Value::Null,
        ("email" | "pending_email" | "username" | "phone" | "phone_display" | "birthdate", Value::String(text)) => {
            masked_text(text).into()
        }
        ("identification" | "tax_identification", Value::Object(document)) => {
            let mut document = document.clone();
            for name in ["value", "display"] {
                if let Some(Value::String(number)) = document.get_mut(name) {
                    *number = masked_text(number);
                }
            }
            Value::Object(document)
        }
        ("legal_address" | "metadata", _) => "•••".into(),
        // As its digits: a JSON number that keeps them has no form of its own in the table.
        (_, Value::Number(number)) => number.to_string().into(),
        _ => value.clone(),
    }
}

/// The first and the last character, of an e-mail the domain too.
fn masked_text(text: &str) -> String {
    let (local, domain) = text.rsplit_once('@').map_or((text, None), |(local, domain)| (local, Some(domain)));
    let first = local.chars().next().map(String::from).unwrap_or_default();
    let last = local.chars().skip(3).last().map(String::from).unwrap_or_default();
    let domain = domain.map(|domain| format!("@{domain}")).unwrap_or_default();
    format!("{first}•••{last}{domain}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn personal_values_are_masked_and_the_rest_is_told() {
        assert_eq!(masked("email", &json!("ana.lopez@example.com")), json!("a•••z@example.com"));
        assert_eq!(masked("phone", &json!("+5215512345678")), json!("+•••8"));
        assert_eq!(
            masked("identification", &json!({"type": "DNI", "value": "20123456", "display": "20.123.456"})),
            json!({"type": "DNI", "value": "2•••6", "display": "2•••6"})
        );
        assert_eq!(masked("name", &json!("Ana")), json!("Ana"));
        assert_eq!(masked("email", &Value::Null), Value::Null);
    }
}
