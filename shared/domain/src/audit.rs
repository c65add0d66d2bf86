//! The audit: who did what to what, when, from where and with what result. It serves the owner of an account; the history
//! of a user says which of its fields changed.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::openapi::schema::ArrayBuilder;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

use crate::clock::Time;
use crate::field::{Field, Object, named, nullable, response_object, string_schema};
use crate::history::{Act, Actor};
use crate::id::{
    AuditId, DeveloperId, ExportId, ImportId, KeyId, MemberId, MembershipId, SegmentId, UploadId, UserId, WebhookId,
};
use crate::text::Name;
use crate::words;

words! {
    /// An act that is on record. The first word names the kind of thing, the second the act.
    pub enum AuditAction {
        /// A key was created.
        KeyCreated = "key.created",
        /// A key was revoked, and each key that it created.
        KeyRevoked = "key.revoked",
        /// All keys of an account and of its segments were revoked.
        AllKeysRevoked = "key.all_revoked",
        /// An access token was issued for a key.
        TokenIssued = "token.issued",
        /// An access token of a key was revoked.
        TokenRevoked = "token.revoked",
        /// A developer was registered.
        DeveloperCreated = "developer.created",
        /// A developer was deleted.
        DeveloperDeleted = "developer.deleted",
        /// A developer got a new token.
        DeveloperTokenIssued = "developer.token_issued",
        /// A developer called with a credential of the account for the first time.
        DeveloperFirstUsed = "developer.first_used",
        /// A developer was banned from an account.
        DeveloperBanned = "developer.banned",
        /// The ban of a developer was lifted.
        DeveloperUnbanned = "developer.unbanned",
        /// An export was started.
        ExportStarted = "export.started",
        /// The file of an export was downloaded.
        ExportDownloaded = "export.downloaded",
        /// An export was cancelled or deleted.
        ExportDeleted = "export.deleted",
        /// An import was started.
        ImportStarted = "import.started",
        /// The report of an import was downloaded.
        ReportDownloaded = "import.report_downloaded",
        /// An import was cancelled or deleted.
        ImportDeleted = "import.deleted",
        /// A webhook was created.
        WebhookCreated = "webhook.created",
        /// A webhook was changed.
        WebhookChanged = "webhook.changed",
        /// A webhook was deleted.
        WebhookDeleted = "webhook.deleted",
        /// A webhook got a new secret.
        WebhookSecretRenewed = "webhook.secret_renewed",
        /// A magic link was created.
        MagicLinkCreated = "magic_link.created",
        /// A magic link signed its user in.
        MagicLinkRedeemed = "magic_link.redeemed",
        /// A magic link was rejected: it is used up, has ended, or was made up.
        MagicLinkRejected = "magic_link.rejected",
        /// A user logged in.
        LoginSucceeded = "login.succeeded",
        /// A login of a user who exists was rejected.
        LoginFailed = "login.failed",
        /// A recovery code was sent.
        RecoveryRequested = "recovery.requested",
        /// A recovery was tried with a wrong code.
        RecoveryFailed = "recovery.failed",
        /// A password was changed.
        PasswordChanged = "password.changed",
        /// A change that demands the present password came with a wrong one.
        PasswordRejected = "password.rejected",
        /// A change of e-mail waits for its code.
        EmailChangeRequested = "email.change_requested",
        /// A change of e-mail was cancelled or undone.
        EmailChangeUndone = "email.change_undone",
        /// An e-mail was changed.
        EmailChanged = "email.changed",
        /// The code for an e-mail was wrong.
        EmailCodeRejected = "email.code_rejected",
        /// A session was ended.
        SessionRevoked = "session.revoked",
        /// A rejected refresh token was used again, which ended its session.
        SessionReused = "session.reused",
        /// A user was blocked.
        UserBlocked = "user.blocked",
        /// A user was unblocked.
        UserUnblocked = "user.unblocked",
        /// The end of a user's validity was changed.
        ValidityChanged = "user.validity_changed",
        /// A user was deleted and can be restored.
        UserDeleted = "user.deleted",
        /// A user was restored.
        UserRestored = "user.restored",
        /// A user was purged.
        UserPurged = "user.purged",
        /// A segment was deleted.
        SegmentDeleted = "segment.deleted",
        /// The settings of a segment or a membership, or the status of a segment, were changed.
        SettingsChanged = "settings.changed",
    }
}

words! {
    /// The result of an act.
    pub enum AuditResult {
        /// The act was done.
        Succeeded = "succeeded",
        /// The act was rejected.
        Failed = "failed",
    }
}

words! {
    /// A kind of actor.
    pub enum AuditActor {
        /// A user.
        User = "user",
        /// A key.
        Key = "key",
        /// Somebody without a valid credential.
        Anonymous = "anonymous",
        /// Muster itself.
        System = "system",
    }
}

words! {
    /// A kind of thing that an act is done to.
    pub enum AuditKind {
        /// A user.
        User = "user",
        /// A member.
        Member = "member",
        /// A key.
        Key = "key",
        /// A developer.
        Developer = "developer",
        /// An export.
        Export = "export",
        /// An import.
        Import = "import",
        /// An upload.
        Upload = "upload",
        /// A webhook.
        Webhook = "webhook",
        /// A segment.
        Segment = "segment",
        /// A membership.
        Membership = "membership",
    }
}

/// The longest agent that is kept, in characters.
const AGENT: usize = 256;

/// The source of a request. It is kept in the audit and never logged.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// The source address.
    pub address: Option<IpAddr>,
    /// The `User-Agent` header, cut to 256 characters.
    pub agent: Option<String>,
}

impl Origin {
    /// The origin with this address and `User-Agent`.
    #[must_use]
    pub fn new(address: Option<IpAddr>, agent: Option<&str>) -> Self {
        let agent = agent.map(|agent| agent.chars().filter(|character| !character.is_control()).take(AGENT).collect());
        Self { address, agent }
    }
}

/// Hides both parts: an origin is personal data.
impl std::fmt::Debug for Origin {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Origin(…)")
    }
}

/// The account, and the segment if the act concerns one, in whose audits an entry is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditScope {
    /// The account, named by its master user.
    pub account: UserId,
    /// The segment.
    pub segment: Option<SegmentId>,
}

impl AuditScope {
    /// The scope of an act in one segment.
    #[must_use]
    pub fn of_segment(account: UserId, segment: SegmentId) -> Self {
        Self { account, segment: Some(segment) }
    }

    /// The scope of an act on an account as a whole.
    #[must_use]
    pub fn of_account(account: UserId) -> Self {
        Self { account, segment: None }
    }

    /// The scope of an act on a developer: the audit of its account, or its own audit if it is of no account. Operators read
    /// the latter; no route lists it.
    #[must_use]
    pub fn of_developer(developer: DeveloperId, account: Option<UserId>) -> Self {
        Self::of_account(account.unwrap_or_else(|| developer.uuid().into()))
    }
}

impl From<(UserId, Option<SegmentId>)> for AuditScope {
    fn from((account, segment): (UserId, Option<SegmentId>)) -> Self {
        Self { account, segment }
    }
}

impl From<&crate::membership::Membership> for AuditScope {
    fn from(membership: &crate::membership::Membership) -> Self {
        Self::of_segment(membership.owner_id, membership.segment_id)
    }
}

impl From<&crate::segment::Segment> for AuditScope {
    fn from(segment: &crate::segment::Segment) -> Self {
        Self::of_segment(segment.owner_id, segment.id)
    }
}

/// The thing that an act is done to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditTarget {
    kind: AuditKind,
    id: Uuid,
}

macro_rules! targets {
    ($($id:ident is $kind:ident),* $(,)?) => {
        $(impl From<$id> for AuditTarget {
            fn from(id: $id) -> Self {
                Self { kind: AuditKind::$kind, id: id.uuid() }
            }
        })*
    };
}

targets!(
    UserId is User,
    MemberId is Member,
    KeyId is Key,
    DeveloperId is Developer,
    ExportId is Export,
    ImportId is Import,
    UploadId is Upload,
    WebhookId is Webhook,
    SegmentId is Segment,
    MembershipId is Membership,
);

/// One row of the audit. It never changes.
///
/// Actor and target are kept flat, so that a filter of the table reaches them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AuditEntry {
    /// The id; ids sort by time.
    pub id: AuditId,
    /// The account.
    pub account_id: UserId,
    /// The segment, if the act concerns one.
    pub segment_id: Option<SegmentId>,
    /// The act.
    pub action: AuditAction,
    /// The result.
    pub result: AuditResult,
    /// The kind of actor.
    pub actor_type: AuditActor,
    /// The id of the user or key, or else the word for the kind of actor.
    pub actor: String,
    /// The name that the caller gave of who uses the key.
    pub actor_name: Option<Name>,
    /// The kind of target.
    pub target_type: AuditKind,
    /// The id of the target.
    pub target: String,
    /// The names of the fields that changed, never their values.
    #[serde(default)]
    pub fields: Vec<String>,
    /// The source address.
    pub address: Option<IpAddr>,
    /// The `User-Agent` header.
    pub agent: Option<String>,
    /// The request, as in `X-Request-Id`.
    pub request_id: String,
    /// The time.
    pub at: Time,
}

impl AuditEntry {
    /// Creates the record of an act that succeeded.
    #[must_use]
    pub fn new(
        action: AuditAction,
        scope: impl Into<AuditScope>,
        target: impl Into<AuditTarget>,
        act: Act<'_>,
    ) -> Self {
        let (id, scope, target) = (AuditId::fresh(), scope.into(), target.into());
        let (actor_type, actor) = match act.actor {
            Actor::User(user) => (AuditActor::User, user.to_string()),
            Actor::Key(key) => (AuditActor::Key, key.to_string()),
            Actor::Anonymous => (AuditActor::Anonymous, AuditActor::Anonymous.as_str().to_owned()),
            Actor::System => (AuditActor::System, AuditActor::System.as_str().to_owned()),
        };
        Self {
            id,
            account_id: scope.account,
            segment_id: scope.segment,
            action,
            result: AuditResult::Succeeded,
            actor_type,
            actor,
            actor_name: act.name.cloned(),
            target_type: target.kind,
            target: target.id.to_string(),
            fields: Vec::new(),
            address: act.origin.and_then(|origin| origin.address),
            agent: act.origin.and_then(|origin| origin.agent.clone()),
            request_id: act.request_id.to_owned(),
            at: Time::of(id.uuid()),
        }
    }

    /// The record that the same act was done to another thing too.
    #[must_use]
    pub fn of_other(&self, scope: impl Into<AuditScope>, target: impl Into<AuditTarget>) -> Self {
        let (id, scope, target) = (AuditId::fresh(), scope.into(), target.into());
        Self {
            id,
            account_id: scope.account,
            segment_id: scope.segment,
            target_type: target.kind,
            target: target.id.to_string(),
            at: Time::of(id.uuid()),
            ..self.clone()
        }
    }

    /// The record of the same act, which was rejected.
    #[must_use]
    pub fn failed(self) -> Self {
        Self { result: AuditResult::Failed, ..self }
    }

    /// The record with the names of the fields that changed.
    #[must_use]
    pub fn with_fields(self, fields: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { fields: fields.into_iter().map(Into::into).collect(), ..self }
    }
}

impl Object for AuditEntry {
    /// A row never changes.
    fn version(&self) -> u64 {
        1
    }

    fn show(&self) -> Value {
        let named = matches!(self.actor_type, AuditActor::User | AuditActor::Key);
        json!({
            "id": self.id,
            "segment_id": self.segment_id,
            "action": self.action,
            "result": self.result,
            "actor": {
                "type": self.actor_type,
                "id": named.then_some(&self.actor),
                "name": self.actor_name,
            },
            "target": { "type": self.target_type, "id": self.target },
            "fields": self.fields,
            "address": self.address,
            "agent": self.agent,
            "request_id": self.request_id,
            "at": self.at,
        })
    }
}

impl PartialSchema for AuditEntry {
    fn schema() -> RefOr<Schema> {
        let optional = || nullable(string_schema());
        let actor = vec![
            ("type", "Kind of the actor.", true, AuditActor::response_schema()),
            ("id", "The id of the user or key; null of others.", true, optional()),
            ("name", "The name that the caller gave of who uses the key.", true, optional()),
        ];
        let target = vec![
            ("type", "Kind of the target.", true, AuditKind::response_schema()),
            ("id", "The id of the target.", true, string_schema()),
        ];
        let actor = named(response_object("The actor of an act.", None, actor), "AuditEntryActor");
        let target = named(response_object("The target of an act.", None, target), "AuditTarget");
        let fields: RefOr<Schema> = ArrayBuilder::new().items(string_schema()).into();
        let entry = vec![
            ("id", "The entry's id; ids sort by time.", true, AuditId::response_schema()),
            (
                "segment_id",
                "The segment, if the act is one of a segment.",
                true,
                <Option<SegmentId>>::response_schema(),
            ),
            ("action", "The act.", true, AuditAction::response_schema()),
            ("result", "Whether it was done.", true, AuditResult::response_schema()),
            ("actor", "The user, key or system that acted.", true, actor),
            ("target", "The thing that the act was done to.", true, target),
            ("fields", "The names of changed fields.", true, fields),
            ("address", "The source address.", true, optional()),
            ("agent", "The `User-Agent` header, at most 256 characters.", true, optional()),
            ("request_id", "The request, as in `X-Request-Id`.", true, string_schema()),
            ("at", "Time of the act.", true, Time::response_schema()),
        ];
        response_object("An entry of the audit; it never changes.", Some(example()), entry)
    }
}

/// An entry for the examples of the OpenAPI document.
fn example() -> Value {
    json!({
        "id": "0199d2a4-5c00-7000-8000-00000000ad01", "segment_id": null, "action": "key.created", "result": "succeeded",
        "actor": { "type": "user", "id": "0199d2a4-5c00-7000-8000-000000000001", "name": null },
        "target": { "type": "key", "id": "0199d2a4-5c00-7000-8000-00000000ce11" }, "fields": [],
        "address": "192.0.2.7", "agent": "curl/8.5.0", "request_id": "0199d2a4-5c00-7000-8000-00000000c0de",
        "at": "2026-11-21T10:00:00.000Z"
    })
}

impl ToSchema for AuditEntry {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origin_is_cut_and_never_printed() {
        let origin = Origin::new(Some([192, 0, 2, 7].into()), Some(&format!("agent\r\n{}", "é".repeat(400))));
        assert_eq!(origin.agent.as_ref().map(|agent| agent.chars().count()), Some(256));
        assert!(origin.agent.as_ref().is_some_and(|agent| !agent.contains(['\r', '\n'])));
        assert_eq!(format!("{origin:?}"), "Origin(…)");
    }

    #[test]
    fn entry_names_actor_target_and_origin() {
        let (account, key) = (UserId::fresh(), KeyId::fresh());
        let origin = Origin::new(Some([192, 0, 2, 7].into()), Some("curl/8"));
        let act = Act::of(Actor::Anonymous, "request").from_origin(&origin);
        let entry = AuditEntry::new(AuditAction::LoginFailed, AuditScope::of_account(account), account, act).failed();
        let shown = entry.show();
        assert_eq!(shown["actor"], json!({ "type": "anonymous", "id": null, "name": null }));
        assert_eq!(shown["target"], json!({ "type": "user", "id": account }));
        assert_eq!((&shown["address"], &shown["agent"]), (&json!("192.0.2.7"), &json!("curl/8")));
        assert_eq!((&shown["action"], &shown["result"]), (&json!("login.failed"), &json!("failed")));
        let act = Act::of(Actor::Key(key), "request");
        let entry = AuditEntry::new(AuditAction::KeyCreated, (account, Some(SegmentId::fresh())), key, act);
        assert_eq!(entry.show()["actor"]["id"], json!(key));
    }

    #[test]
    fn schema_describes_every_shown_property() {
        let act = Act::of(Actor::System, "request");
        let account = UserId::fresh();
        let entry = AuditEntry::new(AuditAction::UserPurged, AuditScope::of_account(account), account, act);
        let RefOr::T(Schema::Object(schema)) = AuditEntry::schema() else { panic!("no object") };
        let shown: Vec<_> = entry.show().as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect();
        assert!(shown.iter().all(|name| schema.properties.contains_key(name) && schema.required.contains(name)));
        assert_eq!(shown.len(), schema.properties.len());
    }
}
