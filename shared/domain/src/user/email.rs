//! What becomes of a user's e-mail when it changes: who changes it decides whether it must be proved first.

use crate::text::Email;
use crate::user::{Role, Status, User};

/// How a change of a user's e-mail takes effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EmailChange {
    /// It stays as it is.
    Unchanged,
    /// At once: the segment's owner changes it, or the user clears it or writes the same address in another case.
    Immediate,
    /// Once the user has proved that it reads what is sent to this address.
    NeedsProof(Email),
}

impl User {
    /// Returns whether the user has proved that it reads what is sent to its e-mail.
    #[must_use]
    pub fn is_email_verified(&self) -> bool {
        // A master user who is not UNVERIFIED has signed up by a code.
        let by_sign_up = self.segment_id.is_none() && self.status != Status::Unverified;
        self.fields.email.is_some() && self.email_verified.unwrap_or(by_sign_up)
    }

    /// Returns whether this is the user's e-mail, in whatever case.
    #[must_use]
    pub fn has_email(&self, email: &Email) -> bool {
        self.fields.email.as_ref().is_some_and(|own| own.canonical() == email.canonical())
    }

    /// Decides how the e-mail of `after`, which this user is to become, takes effect, and returns the user accordingly.
    #[must_use]
    pub fn decide_email(&self, mut after: Self, role: Role) -> (Self, EmailChange) {
        let (old, new) = (&self.fields.email, after.fields.email.clone());
        if *old == new {
            return (after, EmailChange::Unchanged);
        }
        let is_same_address = new.as_ref().is_some_and(|new| self.has_email(new));
        match (role, new) {
            (Role::Itself, Some(new)) if !is_same_address => {
                after.fields.email.clone_from(old);
                after.pending_email = Some(new.clone());
                (after, EmailChange::NeedsProof(new))
            }
            (Role::Itself | Role::Manager, _) => {
                after.pending_email = None;
                after.email_verified = Some(is_same_address && self.is_email_verified());
                (after, EmailChange::Immediate)
            }
        }
    }

    /// The user with an address that it has proved, one version on.
    #[must_use]
    pub fn with_proved_email(&self, email: Email, now: crate::Time) -> Self {
        let mut user = self.next(now);
        user.fields.email = Some(email);
        (user.email_verified, user.pending_email) = (Some(true), None);
        user
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::field::Body as _;
    use crate::{SegmentId, Time, UserFields, UserId};

    fn user(email: Option<&str>) -> User {
        let fields = UserFields::parse(json!({ "email": email })).expect("an e-mail or none");
        User::of_segment(UserId::fresh(), SegmentId::fresh(), fields, Time::now())
    }

    fn decided(old: Option<&str>, new: Option<&str>, role: Role) -> (Option<String>, bool, Option<String>) {
        let before = User { email_verified: Some(true), ..user(old) };
        let after = User { fields: user(new).fields, ..before.clone() };
        let (after, _) = before.decide_email(after, role);
        let text = |email: &Option<Email>| email.as_ref().map(|email| email.as_str().to_owned());
        (text(&after.fields.email), after.is_email_verified(), text(&after.pending_email))
    }

    #[test]
    fn own_email_waits_for_its_proof_and_a_managers_counts_at_once_unproved() {
        let (old, new) = (Some("a@example.com"), Some("b@example.com"));
        let text = |email: Option<&str>| email.map(str::to_owned);
        assert_eq!(decided(old, new, Role::Itself), (text(old), true, text(new)));
        assert_eq!(decided(None, new, Role::Itself), (None, false, text(new)));
        assert_eq!(decided(old, None, Role::Itself), (None, false, None));
        assert_eq!(decided(old, Some("A@example.com"), Role::Itself), (text(Some("A@example.com")), true, None));
        assert_eq!(decided(old, new, Role::Manager), (text(new), false, None));
        assert_eq!(decided(old, old, Role::Manager), (text(old), true, None));
    }
}
