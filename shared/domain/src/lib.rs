//! What Muster is about: types, rules and errors. No I/O, no HTTP, no AWS crate.
//!
//! Text from outside becomes a private-field newtype here, by [`Field::read`], and nowhere else; whoever holds an
//! [`Email`] holds a valid one. The two things that are not pure, the clock and fresh ids, are made in [`clock`] and
//! [`id`].

pub mod address;
pub mod clock;
pub mod document;
pub mod error;
pub mod field;
pub mod history;
pub mod id;
pub mod key;
pub mod place;
pub mod text;
pub mod user;

pub use address::{Address, AddressFields};
pub use clock::Time;
pub use document::{Document, DocumentType};
pub use error::{Error, FieldError};
pub use field::{Body, Field, Fields, Flag, MergePatch, Object};
pub use history::{Action, Actor, Entry, EntryChange};
pub use id::{
    AddressId, CatalogId, EntryId, FieldId, KeyId, LevelId, MemberId, MembershipId, SegmentId, UploadId, UserId,
};
pub use key::{Key, KeyFields, KeyScope};
pub use text::{Email, Name, Password, Phone, ReferenceId, Username};
pub use user::{SignUp, Status, User, UserFields};
