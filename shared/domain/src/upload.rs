//! Uploads: private files of members and segments.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::clock::Time;
use crate::custom_field::{ContentType, CustomField, DEFAULT_BYTES, FieldKey};
use crate::error::FieldError;
use crate::field::{Body as _, Field as _, Object, Pointer, bookkeeping, nullable, shown_schema, string_schema};
use crate::history::Actor;
use crate::id::{MemberId, SegmentId, UploadId, UserId};
use crate::transfer::Format;
use crate::user::User;
use crate::value::Integer;
use crate::{body, text, words};

text!(
    /// What a file is called: shown and offered when it is downloaded, and nothing else.
    Filename, plain 1..=255, example "tax-certificate.pdf", |_| Ok(())
);

text!(
    /// A SHA-256 in 64 hexadecimal digits, small ones.
    Sha256, plain 1..=64, example "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", |text| {
        if text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) { Ok(()) } else {
            Err(("invalid_checksum", "must have 64 digits 0 to 9 and a to f"))
        }
    }
);

impl Sha256 {
    /// The digits of a digest.
    #[must_use]
    pub fn of(digest: &[u8; 32]) -> Self {
        Self(digest.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// The digest.
    #[must_use]
    pub fn bytes(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (byte, digits) in bytes.iter_mut().zip(self.0.as_bytes().chunks(2)) {
            let digit = |nth: usize| digits.get(nth).map_or(0, |digit| char::from(*digit).to_digit(16).unwrap_or(0));
            // Two digits make at most 255.
            *byte = u8::try_from(digit(0) * 16 + digit(1)).unwrap_or(0);
        }
        bytes
    }
}

words! {
    /// How far an upload is.
    pub enum UploadStatus {
        /// The file has not arrived, or is still being checked.
        Pending = "PENDING",
        /// The file is there, and is what it was said to be.
        Available = "AVAILABLE",
        /// The file was not what it was said to be, and is gone.
        Rejected = "REJECTED",
    }
}

words! {
    /// What a file that is sent may hold.
    pub enum FileType {
        /// A PNG image.
        Png = "image/png",
        /// A JPEG image.
        Jpeg = "image/jpeg",
        /// A PDF document.
        Pdf = "application/pdf",
        /// A certificate, `.cer`.
        Certificate = "application/x-x509-ca-cert",
        /// A private key in PKCS #8, `.key`.
        Key = "application/pkcs8",
        /// A table of users to import.
        Csv = "text/csv",
        /// Users to import, a JSON object a line.
        Ndjson = "application/x-ndjson",
    }
}

words! {
    /// What an upload is for. An upload serves one purpose only.
    pub enum UploadPurpose {
        /// An image that is a user's `photo_upload_id`.
        Photo = "photo",
        /// A file that answers a custom field of a member.
        Answer = "answer",
        /// A table of users for `POST /v1/segments/{segment}/imports`.
        Import = "import",
    }
}

/// Who an upload belongs to. Erasing the holder deletes the upload, and nothing else does so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UploadHolder {
    /// The team of the segment, until its first use.
    Segment(SegmentId),
    /// A member.
    Member(MemberId),
    /// A user, whose photo it is.
    User(UserId),
}

impl FileType {
    /// Whether it is an image, as a photo must be.
    #[must_use]
    pub fn is_image(self) -> bool {
        match self {
            Self::Png | Self::Jpeg => true,
            Self::Pdf | Self::Certificate | Self::Key | Self::Csv | Self::Ndjson => false,
        }
    }

    /// How the rows of a file to import are written; nothing for all other files.
    #[must_use]
    pub fn rows(self) -> Option<Format> {
        match self {
            Self::Csv => Some(Format::Csv),
            Self::Ndjson => Some(Format::Ndjson),
            Self::Png | Self::Jpeg | Self::Pdf | Self::Certificate | Self::Key => None,
        }
    }
}

/// What S3 takes in one request, and with it the most bytes that any file may have.
pub const MOST_SENT: i64 = 5 * 1024 * 1024 * 1024;

/// How many bytes a file to import may have unless a deployment says otherwise.
pub const MOST_ROWS: i64 = 512 * 1024 * 1024;

/// What a file is meant for.
#[derive(Debug, Clone, Copy)]
pub enum Meant<'a> {
    /// To answer this field.
    Field(&'a CustomField),
    /// To answer any field.
    Answer,
    /// To be a user's photo.
    Photo,
    /// To be imported; then it may have so many bytes.
    Import(i64),
    /// No purpose is declared; a file to import may have so many bytes.
    Undeclared(i64),
}

body! {
    /// A file that is going to be sent.
    #[derive(Serialize, Deserialize)]
    pub struct UploadFields {
        /// The segment that it belongs to.
        pub segment_id: SegmentId,
        /// What the file is for: `photo`, `answer` or `import`. Inferred if absent: `photo` with `user_id`, `answer` with
        /// `member_id`, `import` for CSV and NDJSON, `answer` for other documents. An image of the segment's team without
        /// a purpose gets it at its first use. A file serves no other purpose.
        pub purpose: Option<UploadPurpose>,
        /// The member that answers with it; without one, whoever the segment's team answers for first.
        pub member_id: Option<MemberId>,
        /// The user whose photo it is. A user of a segment who uploads a photo is this user itself.
        pub user_id: Option<UserId>,
        /// The key of the custom field that it answers, whose limits it is then held to.
        pub field: Option<FieldKey>,
        /// What it is called.
        pub filename: Filename,
        /// What it holds.
        pub content_type: FileType,
        /// How many bytes it has. 5 MiB at most, or what its field says; to be imported, what the deployment says,
        /// 512 MiB unless told otherwise.
        pub size: Integer<1, MOST_SENT>,
        /// Its SHA-256, if whoever sends it knows it; then nothing else can be sent.
        pub sha256: Option<Sha256>,
    }
    example {
        "segment_id": "0199d2a4-5c00-7000-8000-0000000005e6",
        "purpose": "answer", "member_id": "0199d2a4-5c00-7000-8000-00000000ae01", "user_id": null,
        "field": "tax_certificate",
        "filename": "tax-certificate.pdf", "content_type": "application/pdf", "size": 52417, "sha256": null
    }
}

/// A private file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Upload {
    /// Its id, which answers a field.
    pub id: UploadId,
    /// The master user whose segment it belongs to.
    pub owner_id: UserId,
    /// Who began it, and whose quota counts it; uploads from before quotas have nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begun_by: Option<Actor>,
    /// What its sender says of it.
    #[serde(flatten)]
    pub fields: UploadFields,
    /// How far it is.
    pub status: UploadStatus,
    /// Why it was rejected.
    pub reason: Option<String>,
    /// Counts the changes; it is the `ETag`.
    pub version: u64,
    /// When it was begun.
    pub created_at: Time,
    /// When it last changed.
    pub updated_at: Time,
}

impl UploadFields {
    /// Returns the purpose, declared or inferred; nothing for an image of the segment's team, whose first use decides it.
    #[must_use]
    pub fn purpose(&self) -> Option<UploadPurpose> {
        self.purpose.or(match self.content_type {
            _ if self.user_id.is_some() => Some(UploadPurpose::Photo),
            _ if self.member_id.is_some() => Some(UploadPurpose::Answer),
            FileType::Csv | FileType::Ndjson => Some(UploadPurpose::Import),
            FileType::Pdf | FileType::Certificate | FileType::Key => Some(UploadPurpose::Answer),
            FileType::Png | FileType::Jpeg => None,
        })
    }

    /// Returns who the upload belongs to.
    #[must_use]
    pub fn holder(&self) -> UploadHolder {
        match (self.member_id, self.user_id) {
            (Some(member), _) => UploadHolder::Member(member),
            (None, Some(user)) => UploadHolder::User(user),
            (None, None) => UploadHolder::Segment(self.segment_id),
        }
    }

    /// Whether the file may be shown as the photo of `user`: an image of its segment, for it or for nobody yet, and for no
    /// other purpose.
    #[must_use]
    pub fn is_photo_of(&self, user: &User) -> bool {
        let is_held = match self.holder() {
            UploadHolder::User(holder) => holder == user.id,
            UploadHolder::Segment(_) => true,
            UploadHolder::Member(_) => false,
        };
        let is_photo = matches!(self.purpose(), Some(UploadPurpose::Photo) | None);
        user.segment_id == Some(self.segment_id) && is_held && is_photo && self.content_type.is_image()
    }

    /// Whether `actor` may make the file the photo of `user`. A user takes its own files, and those that the segment's team
    /// declared as photos; a manager takes every file that can be one.
    #[must_use]
    pub fn can_be_photo_of(&self, user: &User, actor: Actor) -> bool {
        let is_itself = actor == Actor::User(user.id);
        self.is_photo_of(user) && (!is_itself || self.purpose() == Some(UploadPurpose::Photo))
    }

    /// Whether the file may answer a field of `member`: for it, or for nobody yet where a manager of the segment answers.
    #[must_use]
    pub fn can_answer_for(&self, member: MemberId, is_manager: bool) -> bool {
        let is_held = match self.holder() {
            UploadHolder::Member(holder) => holder == member,
            UploadHolder::Segment(_) => is_manager,
            UploadHolder::User(_) => false,
        };
        is_held && matches!(self.purpose(), Some(UploadPurpose::Answer) | None)
    }

    /// What speaks against such a file: too big, or of a type that it must not be.
    #[must_use]
    pub fn unfit(&self, meant: Meant<'_>) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let names = |types: &[ContentType]| types.iter().map(|one| one.as_str()).collect();
        let (types, most): (Vec<_>, _) = match meant {
            Meant::Field(field) => (names(field.content_types()), field.max_size()),
            Meant::Answer => (names(&ContentType::ALL), DEFAULT_BYTES),
            Meant::Photo => (vec![FileType::Png.as_str(), FileType::Jpeg.as_str()], DEFAULT_BYTES),
            Meant::Import(rows) => (vec![FileType::Csv.as_str(), FileType::Ndjson.as_str()], rows),
            Meant::Undeclared(rows) => {
                (FileType::NAMES.to_vec(), self.content_type.rows().map_or(DEFAULT_BYTES, |_| rows))
            }
        };
        if self.size.get() > most {
            let message = format!("must be at most {most} bytes");
            errors.push(Pointer::root().child("size").error("out_of_range", &message));
        }
        if !types.contains(&self.content_type.as_str()) {
            let message = format!("must be one of {}", types.join(", "));
            errors.push(Pointer::root().child("content_type").error("invalid_choice", &message));
        }
        errors
    }
}

impl Upload {
    /// A file that is going to be sent.
    #[must_use]
    pub fn new(id: UploadId, owner_id: UserId, fields: UploadFields, now: Time) -> Self {
        let fields = UploadFields { purpose: fields.purpose(), ..fields };
        let status = UploadStatus::Pending;
        Self {
            id,
            owner_id,
            begun_by: None,
            fields,
            status,
            reason: None,
            version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// The file once it was found to be what it was said to be; its checksum is known from now on.
    #[must_use]
    pub fn accepted(&self, sha256: Sha256, now: Time) -> Self {
        let fields = UploadFields { sha256: Some(sha256), ..self.fields.clone() };
        Self { fields, status: UploadStatus::Available, ..self.next(now) }
    }

    /// The file once it was found not to be what it was said to be; `reason` is a sentence.
    #[must_use]
    pub fn rejected(&self, reason: &str, now: Time) -> Self {
        Self { status: UploadStatus::Rejected, reason: Some(reason.to_owned()), ..self.next(now) }
    }

    fn next(&self, now: Time) -> Self {
        Self { version: self.version + 1, updated_at: now, ..self.clone() }
    }
}

impl Object for Upload {
    fn version(&self) -> u64 {
        self.version
    }

    fn show(&self) -> Value {
        let mut shown = Map::from_iter([
            ("id".to_owned(), self.id.show()),
            ("status".to_owned(), self.status.show()),
            ("reason".to_owned(), self.reason.clone().into()),
        ]);
        shown.extend(self.fields.show());
        shown.extend(bookkeeping(self.version, self.created_at, self.updated_at));
        Value::Object(shown)
    }
}

impl PartialSchema for Upload {
    fn schema() -> RefOr<Schema> {
        let before = vec![
            ("id", "The upload's id, which answers a field.", UploadId::response_schema()),
            ("status", "Progress of the upload.", UploadStatus::response_schema()),
            ("reason", "Reason of a rejection: a sentence.", nullable(string_schema())),
        ];
        shown_schema::<UploadFields>("A private file.", example(), before)
    }
}

impl ToSchema for Upload {}

/// An upload for the examples of the OpenAPI document.
#[must_use]
pub fn example() -> Value {
    let mut example = serde_json::json!({
        "id": "0199d2a4-5c00-7000-8000-000000000f11", "status": "PENDING", "reason": null,
        "version": 1, "created_at": "2026-11-21T10:00:00.000Z", "updated_at": "2026-11-21T10:00:00.000Z"
    });
    if let (Some(object), Value::Object(fields)) = (example.as_object_mut(), UploadFields::example()) {
        object.extend(fields);
    }
    example
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_written_and_read_back() {
        let digest = std::array::from_fn(|nth| u8::try_from(nth * 8).unwrap_or(0));
        assert_eq!(Sha256::of(&digest).bytes(), digest);
        assert!(Sha256::of(&digest).as_str().starts_with("0008101820"));
        assert!(Sha256::parse(Sha256::of(&digest).as_str()).is_ok());
    }
}
