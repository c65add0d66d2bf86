//! How a user changes: what a patch may do to it, and what a segment asks of it.

use serde_json::{Map, Value};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::clock::Time;
use crate::error::{Error, FieldError};
use crate::field::{Body, Field, Fields, MergePatch, Pointer, described};
use crate::parsed::ParsedBody;
use crate::segment::Settings;
use crate::text::{Code, Secret};
use crate::user::FirstStatus;
use crate::user::{Right, Status, User, UserFields, Writer};
use crate::username::Username;

/// What somebody is to a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The user itself.
    Itself,
    /// The master user whose segment it is in, or a key with the scope.
    Manager,
}

/// All of a user that a patch can change.
#[derive(Debug, Clone)]
pub struct UserState {
    /// ACTIVE or BLOCKED.
    pub status: Status,
    /// Why the user is blocked.
    pub status_reason: Option<Code>,
    /// Everything else.
    pub fields: UserFields,
}

impl Body for UserState {
    const DEPENDENT: &[(&str, &str)] = UserFields::DEPENDENT;

    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let (status, status_reason) = (fields.take("status"), fields.take("status_reason"));
        // Proves who changes the e-mail, and is nothing of the user.
        let _: Option<Option<Secret>> = fields.take(CURRENT_PASSWORD);
        let fields = UserFields::read(fields)?;
        Some(Self { status: status?, status_reason: status_reason?, fields })
    }

    fn rules(&self, errors: &mut Vec<FieldError>) {
        self.fields.rules(errors);
    }

    fn fixed(&self, before: &Self, errors: &mut Vec<FieldError>) {
        let at = |name| Pointer::root().child(name);
        let moves = matches!(
            (before.status, self.status),
            (Status::Active, Status::Blocked) | (Status::Blocked, Status::Active)
        );
        if self.status != before.status && !moves {
            let message = format!("cannot be changed from {} to {}", before.status.as_str(), self.status.as_str());
            errors.push(at("status").error("invalid_transition", &message));
        }
        let reason = self.status_reason.is_some() && self.status_reason != before.status_reason;
        if reason && self.status != Status::Blocked {
            errors.push(reason_without_block());
        }
    }

    fn show(&self) -> Map<String, Value> {
        let mut shown = self.fields.show();
        shown.insert("status".to_owned(), self.status.show());
        shown.insert("status_reason".to_owned(), self.status_reason.show());
        shown
    }

    fn example() -> Value {
        UserFields::example()
    }

    fn patch_example() -> Value {
        UserFields::patch_example()
    }

    fn schema() -> RefOr<Schema> {
        let mut schema = <UserFields as Body>::schema();
        if let RefOr::T(Schema::Object(object)) = &mut schema {
            let status = "Of a user of a segment: BLOCKED shuts it out, ACTIVE lets it in again.";
            let password = "The present password; a change of the own e-mail needs it, or a sign-in within the last 10 \
                minutes.";
            let reason = "Reason of the status.";
            object.properties.extend([
                ("status".to_owned(), described(<FirstStatus as Field>::schema(), status)),
                ("status_reason".to_owned(), described(<Option<Code> as Field>::schema(), reason)),
                (CURRENT_PASSWORD.to_owned(), described(<Option<Secret> as Field>::schema(), password)),
            ]);
        }
        schema
    }
}

impl AsRef<UserFields> for UserState {
    fn as_ref(&self) -> &UserFields {
        &self.fields
    }
}

impl PartialSchema for UserState {
    fn schema() -> RefOr<Schema> {
        <Self as Body>::schema()
    }
}

impl ToSchema for UserState {
    /// Clients see patches of it, as those of a user.
    fn name() -> std::borrow::Cow<'static, str> {
        "User".into()
    }
}

/// The member of a patch that proves who sends it.
pub const CURRENT_PASSWORD: &str = "current_password";

/// The error of a reason for a user who is not blocked.
pub(super) fn reason_without_block() -> FieldError {
    FieldError::new("/status_reason", "not_applicable", "goes with the status BLOCKED")
}

/// What a master user must always have.
pub(super) const MASTER_REQUIRES: [&str; 2] = ["email", "name"];

impl User {
    /// The user after `patch`, one version on. `settings` are those of its segment, if it has one.
    ///
    /// # Errors
    /// [`Error::Forbidden`] where a user changes of itself what only others may; [`Error::Invalid`] where the patch breaks a
    /// rule or takes away what such a user must have.
    pub fn patched(
        &self,
        patch: MergePatch<UserState>,
        role: Role,
        settings: Option<&Settings>,
        now: Time,
    ) -> Result<Self, Error> {
        let (status, status_reason) = (self.status, self.status_reason.clone());
        let before = UserState { status, status_reason, fields: self.fields.clone() };
        let mut parsed = self.apply(patch, &before);
        if let Some(after) = parsed.body() {
            self.check_rights(self.writer(role), &before, after)?;
            let is_own = role == Role::Itself && self.segment_id.is_some();
            if is_own && self.fields.email.is_some() && after.fields.email.is_none() {
                // Without proof, and with nobody left to be told of it.
                return Err(Error::Forbidden(
                    "Only the owner of the segment takes an e-mail away; change it to another one.",
                ));
            }
        }
        match settings {
            Some(settings) => parsed.check_in(settings, Some(&self.fields)),
            None => parsed.check(|after| after.fields.check_as_master()),
        }
        let UserState { status, status_reason, fields } = parsed.into_result()?;
        Ok(Self { status, status_reason, fields, ..self.next(now) })
    }

    /// The state after a patch. A username from before a stricter rule stays as it is, unless the patch names it. A reason
    /// goes with the status BLOCKED only.
    fn apply(&self, patch: MergePatch<UserState>, before: &UserState) -> ParsedBody<UserState> {
        let is_kept = |username: &Username| username.is_former() && !patch.names("username");
        let kept = self.fields.username.clone().filter(is_kept);
        let mut from = before.clone();
        from.fields.username = from.fields.username.filter(|_| kept.is_none());
        patch.apply_to(&from).map(|after| {
            let fields = UserFields { username: kept.or(after.fields.username), ..after.fields };
            let status_reason = after.status_reason.filter(|_| after.status == Status::Blocked);
            UserState { status: after.status, status_reason, fields }
        })
    }

    /// The kind of caller that somebody in this role is to the user.
    #[must_use]
    pub fn writer(&self, role: Role) -> Writer {
        match (role, self.segment_id) {
            (Role::Manager, _) => Writer::Manager,
            (Role::Itself, Some(_)) => Writer::SegmentUser,
            (Role::Itself, None) => Writer::MasterUser,
        }
    }

    fn check_rights(&self, writer: Writer, before: &UserState, after: &UserState) -> Result<(), Error> {
        let (old, new) = (before.show(), after.show());
        let is_changed = |name: &&String| old.get(*name) != new.get(*name);
        if new.keys().filter(is_changed).all(|name| writer.right(name) != Right::Managed) {
            return Ok(());
        }
        Err(Error::Forbidden(match self.segment_id {
            None => "Nobody changes the status of a master user; delete it to put it out of use.",
            Some(_) => {
                "Only the owner of the segment changes status, reference_id, valid_until, and what a user belongs to."
            }
        }))
    }
}

impl<T: AsRef<UserFields>> ParsedBody<T> {
    /// Adds what a segment does not accept of a new user, or of a user that was so `before`: what it requires, and what the
    /// country asks. Without a country that can be read, nobody knows what that is.
    pub fn check_in(&mut self, settings: &Settings, before: Option<&UserFields>) {
        let has_country = !self.has_error("operation_country");
        // A child needs none of the required fields.
        let has_parent = !self.has_error("parent_id");
        self.check(|body| {
            let fields: &UserFields = body.as_ref();
            let checks = settings.document_checks.0;
            let by_country = has_country.then(|| fields.check_by_country(before, checks));
            let missing = has_parent.then(|| fields.find_missing(settings, before));
            [by_country, missing].into_iter().flatten().flatten().collect()
        });
    }
}

impl UserFields {
    /// Returns the fields that a segment requires and that the user lacks. A segment that turns stricter accepts what a user
    /// lacked `before`.
    #[must_use]
    pub fn find_missing(&self, settings: &Settings, before: Option<&Self>) -> Vec<FieldError> {
        let mut errors = Vec::new();
        if self.parent_id.is_some() {
            return errors;
        }
        let (shown, had) = (self.show(), before.map(Body::show));
        let is_set = |shown: &Map<String, Value>, name: &str| shown.get(name).is_some_and(has_value);
        // A phone that spells no number of E.164 is a phone.
        let has = |shown: &Map<String, Value>, name: &str| {
            is_set(shown, name) || name == "phone" && is_set(shown, "phone_display")
        };
        let was_free = before.is_some_and(|before| before.parent_id.is_some());
        for name in settings.required_user_fields.0.names().filter(|name| !has(&shown, name)) {
            if was_free || had.as_ref().is_none_or(|had| has(had, name)) {
                errors.push(Pointer::root().child(name).error("required", "is required in this segment"));
            }
        }
        errors
    }

    /// What a master user may not lack or have.
    #[must_use]
    pub fn check_as_master(&self) -> Vec<FieldError> {
        let shown = self.show();
        let has = |name: &str| shown.get(name).is_some_and(|value| !value.is_null());
        let at = |name: &str| Pointer::root().child(name);
        let missing = MASTER_REQUIRES.iter().filter(|name| !has(name));
        let missing = missing.map(|name| at(name).error("required", "cannot be cleared"));
        missing.chain(self.not_applicable(Writer::MasterUser)).collect()
    }
}

/// Whether a field has a value: an object has one where a part of it has.
fn has_value(shown: &Value) -> bool {
    match shown {
        Value::Null => false,
        Value::Object(parts) => parts.values().any(has_value),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => true,
    }
}
