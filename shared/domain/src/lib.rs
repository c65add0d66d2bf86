//! What Muster is about: types, rules and errors. No I/O, no HTTP, no AWS crate.
//!
//! Text from outside becomes a private-field newtype here, by [`Field::read`], and nowhere else; whoever holds an
//! [`Email`] holds a valid one. The two things that are not pure, the clock and fresh ids, are made in [`clock`] and
//! [`id`].

pub mod address;
pub mod answer;
pub mod audit;
pub mod award;
mod body;
pub mod catalog;
pub mod clock;
pub mod custom_field;
pub mod custom_status;
mod degrees;
pub mod developer;
pub mod device;
pub mod document;
pub mod error;
pub mod event;
pub mod field;
pub mod history;
pub mod id;
pub mod json;
pub mod key;
pub mod language;
pub mod level;
pub mod mapping;
pub mod member;
pub mod membership;
pub mod money;
pub mod normalize;
pub mod notification;
pub mod object;
mod parsed;
pub mod partner;
pub mod password;
mod patch;
pub mod payment_card;
pub mod phone;
pub mod place;
pub mod product;
mod public_url;
mod schema;
mod secret;
pub mod segment;
pub mod session;
pub mod subscription;
pub mod text;
pub mod transfer;
pub mod upload;
pub mod user;
pub mod username;
pub mod value;
pub mod web;
pub mod webhook;

pub use address::{Address, AddressFields};
pub use answer::{Answer, Answers};
pub use audit::{AuditAction, AuditEntry, AuditScope, AuditTarget, Origin};
pub use award::{Award, AwardFields};
pub use catalog::{Catalog, CatalogFields};
pub use clock::Time;
pub use custom_field::{CustomField, CustomFieldFields, Question};
pub use custom_status::{CustomStatus, CustomStatusFields};
pub use developer::{Developer, DeveloperFields};
pub use device::{Device, DeviceFields, Platform};
pub use document::{Checks, Document, DocumentType};
pub use error::{Error, FieldError};
pub use event::{Event, EventType};
pub use field::{Body, Field, Fields, Flag, MergePatch, Object};
pub use history::{Act, Action, Actor, Entry, EntryChange};
pub use id::{
    AddressId, AuditId, CatalogId, DeveloperId, DeviceId, EntryId, EventId, ExportId, FieldId, ImportId, KeyId,
    LevelId, MemberId, MembershipId, NotificationId, PartnerId, ProductId, SegmentId, SessionId, StatusId, UploadId,
    UserId, WebhookId,
};
pub use key::{Key, KeyCreator, KeyFields, KeyScope};
pub use level::{Level, LevelFields};
pub use member::{EnrolmentFields, Member, MemberFields};
pub use membership::{Membership, MembershipFields, MembershipSettings};
pub use notification::{Message, Notification, NotificationFields, NotificationStatus};
pub use parsed::ParsedBody;
pub use partner::{Partner, PartnerFields};
pub use password::{Password, login_forms};
pub use product::{Product, ProductFields};
pub use public_url::PublicUrl;
pub use segment::{Segment, SegmentFields};
pub use session::UserSession;
pub use subscription::{Subscription, SubscriptionFields};
pub use text::{Email, Name, Phone, PhoneSpelling, ReferenceId};
pub use transfer::{Export, ExportFields, Format, Import, ImportFields, MatchBy, TransferStatus};
pub use upload::{Upload, UploadFields, UploadHolder, UploadPurpose, UploadStatus};
pub use user::{NewUser, Role, SignUp, Status, User, UserFields, UserProfile, UserState};
pub use username::{NamedUsername, Username};
pub use webhook::{Delivery, Webhook, WebhookFields};
