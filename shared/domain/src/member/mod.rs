//! Members: who has joined a membership, and what is kept of each.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::answer::{AnswerSpellings, Answers, Given, missing};
use crate::clock::Time;
use crate::custom_field::Question;
use crate::error::{Error, FieldError};
use crate::field::{Body, Field as _, Fields, MergePatch, Object, Pointer, bookkeeping, shown_schema};
use crate::id::{LevelId, MemberId, MembershipId, ProductId, SegmentId, UserId};
use crate::level::Points;
use crate::membership::{Membership, MembershipSettings};
use crate::money::Amount;
use crate::phone::check_spelling;
use crate::subscription::Quantity;
use crate::text::{Code, Name, Phone, PhoneSpelling, ReferenceId};
use crate::user::Metadata;
use crate::value::{List, OrDefault};
use crate::{body, text, words};

text!(
    /// A member's number: 8 digits, unique in the membership, made by Muster.
    MemberNumber, plain 1..=8, example "40281739", |text| {
        if text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit()) { Ok(()) } else {
            Err(("invalid_number", "must have 8 digits"))
        }
    }
);

impl MemberNumber {
    /// The number that the member `id` gets at an attempt, from 0: spread evenly, and the same for each try of one
    /// request.
    #[must_use]
    pub fn of(id: MemberId, attempt: u8) -> Self {
        // SplitMix64, whose output is as even as the random bits of the id.
        let (_, random) = id.uuid().as_u64_pair();
        let step = random.wrapping_add(0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(u64::from(attempt) + 1));
        let mixed = (step ^ (step >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        Self(format!("{:08}", (mixed ^ (mixed >> 31)) % 100_000_000))
    }
}

words! {
    /// Whether a member takes part.
    #[derive(Default)]
    pub enum MemberStatus {
        /// Takes part.
        #[default]
        Active = "ACTIVE",
        /// Does not take part.
        Inactive = "INACTIVE",
        /// Shut out.
        Blocked = "BLOCKED",
    }
}

words! {
    /// Whether the owner of the segment has agreed.
    #[derive(Default)]
    pub enum Approval as "MemberApproval" {
        /// Not decided yet.
        #[default]
        Pending = "PENDING",
        /// Agreed.
        Approved = "APPROVED",
        /// Turned down.
        Rejected = "REJECTED",
    }
}

body! {
    /// What the owner of the segment writes about a member.
    #[derive(Serialize, Deserialize)]
    pub struct MemberFields {
        /// The user who is the member.
        pub user_id: Option<UserId>,
        /// The level that the member has reached.
        pub level_id: Option<LevelId>,
        /// First name.
        pub name: Option<Name>,
        /// Last name.
        pub last_name: Option<Name>,
        /// Phone number, E.164: a plus and 7 to 15 digits. Separators are removed.
        pub phone: Option<Phone>,
        /// The phone in the spelling of another system's client. It may spell no number of E.164; then `phone` is null.
        #[serde(default)]
        pub phone_display: Option<PhoneSpelling>,
        /// The loyalty number on the member's card; no payment card. See `settings.refuse_payment_cards`.
        pub card_number: Option<Code>,
        /// Whether the member takes part.
        pub status: OrDefault<MemberStatus>,
        /// Whether the owner has agreed. A member that changes its own data or answers returns from APPROVED to PENDING, unless
        /// its membership's `settings.keep_approval` is true.
        pub approval: OrDefault<Approval>,
        /// Where the member came from.
        pub origin: Option<Code>,
        /// The product that the member has subscribed to; its membership must be this one. Only a user subscribes.
        pub product_id: Option<ProductId>,
        /// The subscription's id in another system.
        pub reference_id: Option<ReferenceId>,
        /// How many of the product.
        pub quantity: Option<Quantity>,
        /// The price of one in this subscription, in the product's currency; null where it is the product's `value`.
        #[serde(default)]
        pub price: Option<Amount>,
        /// When the subscription begins.
        pub starts_at: Option<Time>,
        /// When the subscription ends.
        pub expires_at: Option<Time>,
        /// When the subscription was last paid.
        pub last_payment_at: Option<Time>,
        /// Anything else, up to 8 KiB of JSON.
        pub metadata: Option<Metadata>,
    }
    example {
        "user_id": "0199d2a4-5c00-7000-8000-000000000002", "level_id": "0199d2a4-5c00-7000-8000-000000001e01",
        "name": "Ana", "last_name": "López", "phone": "+5215512345678", "phone_display": null, "card_number": "100200300",
        "status": "ACTIVE", "approval": "PENDING", "origin": "web", "product_id": null,
        "reference_id": null, "quantity": null, "price": null, "starts_at": null, "expires_at": null, "last_payment_at": null, "metadata": null
    }
    patch { "approval": "APPROVED", "phone": null }
    dependent ["/phone_display" of "/phone"]
    rules Self::check_together
}

body! {
    /// What a user who enrols itself writes about itself as a member.
    pub struct EnrolmentFields {
        /// First name.
        pub name: Option<Name>,
        /// Last name.
        pub last_name: Option<Name>,
        /// Phone number, E.164: a plus and 7 to 15 digits. Separators are removed.
        pub phone: Option<Phone>,
        /// The phone in the spelling of another system's client. It may spell no number of E.164; then `phone` is null.
        pub phone_display: Option<PhoneSpelling>,
        /// The loyalty number on the member's card; no payment card. See `settings.refuse_payment_cards`.
        pub card_number: Option<Code>,
        /// Where the member came from.
        pub origin: Option<Code>,
        /// Anything else, up to 8 KiB of JSON.
        pub metadata: Option<Metadata>,
    }
    example {
        "name": "Ana", "last_name": "López", "phone": "+5215512345678", "phone_display": null, "card_number": "100200300",
        "origin": "web", "metadata": null
    }
    patch { "phone": null }
    dependent ["/phone_display" of "/phone"]
    rules Self::check_spelling
}

impl MemberFields {
    fn check_together(&self, errors: &mut Vec<FieldError>) {
        check_spelling(self.phone.as_ref(), self.phone_display.as_ref(), errors);
        if self.product_id.is_some() && self.user_id.is_none() {
            errors.push(Pointer::root().child("user_id").error("required", "is required where there is a product"));
        }
    }

    /// Of whom nothing is written yet: active, and nobody has agreed.
    pub(crate) fn nothing(user_id: Option<UserId>) -> Self {
        Self {
            user_id,
            level_id: None,
            name: None,
            last_name: None,
            phone: None,
            phone_display: None,
            card_number: None,
            status: OrDefault::default(),
            approval: OrDefault::default(),
            origin: None,
            product_id: None,
            reference_id: None,
            quantity: None,
            price: None,
            starts_at: None,
            expires_at: None,
            last_payment_at: None,
            metadata: None,
        }
    }

    /// What the member itself may write of these.
    #[must_use]
    pub fn enrolment(&self) -> EnrolmentFields {
        let Self { name, last_name, phone, phone_display, card_number, origin, metadata, .. } = self.clone();
        EnrolmentFields { name, last_name, phone, phone_display, card_number, origin, metadata }
    }

    /// These with what the member itself wrote.
    #[must_use]
    pub fn with(self, written: EnrolmentFields) -> Self {
        let EnrolmentFields { name, last_name, phone, phone_display, card_number, origin, metadata } = written;
        Self { name, last_name, phone, phone_display, card_number, origin, metadata, ..self }
    }
}

impl EnrolmentFields {
    fn check_spelling(&self, errors: &mut Vec<FieldError>) {
        check_spelling(self.phone.as_ref(), self.phone_display.as_ref(), errors);
    }

    /// What is written about the user `user_id`, who enrols itself: active, and nobody has agreed yet.
    #[must_use]
    pub fn of(self, user_id: UserId) -> MemberFields {
        MemberFields::nothing(Some(user_id)).with(self)
    }
}

/// What makes a member: the fields `T`, and the first answers.
#[derive(Debug, Clone)]
pub struct Joining<T> {
    /// What is written about the member.
    pub fields: T,
    /// Its answers, not checked yet.
    pub answers: Given,
}

impl<T: Body> Body for Joining<T> {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let answers: Option<OrDefault<Given>> = fields.take("answers");
        let fields = T::read(fields);
        Some(Self { answers: answers?.0, fields: fields? })
    }

    fn rules(&self, errors: &mut Vec<FieldError>) {
        self.fields.rules(errors);
    }

    fn show(&self) -> Map<String, Value> {
        let mut shown = self.fields.show();
        shown.insert("answers".to_owned(), crate::Field::show(&self.answers));
        shown
    }

    fn example() -> Value {
        let mut example = T::example();
        if let Some(object) = example.as_object_mut() {
            object.insert("answers".to_owned(), <Given as Body>::example());
        }
        example
    }

    fn schema() -> RefOr<Schema> {
        let mut schema = T::schema();
        if let RefOr::T(Schema::Object(object)) = &mut schema {
            object.properties.insert("answers".to_owned(), <OrDefault<Given> as crate::Field>::schema());
            object.examples = vec![Self::example()];
        }
        schema
    }
}

impl<T: Body> PartialSchema for Joining<T> {
    fn schema() -> RefOr<Schema> {
        <Self as Body>::schema()
    }
}

impl<T: Body + ToSchema> ToSchema for Joining<T> {
    fn name() -> std::borrow::Cow<'static, str> {
        format!("New{}", T::name().trim_end_matches("Fields")).into()
    }
}

/// Who has joined a membership.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Member {
    /// Its id.
    pub id: MemberId,
    /// The membership that it has joined.
    pub membership_id: MembershipId,
    /// The segment of the membership.
    pub segment_id: SegmentId,
    /// The master user whose segment that is.
    pub owner_id: UserId,
    /// Its number.
    pub number: MemberNumber,
    /// What is written about it.
    #[serde(flatten)]
    pub fields: MemberFields,
    /// Its points.
    pub points: Points,
    /// Its answers.
    pub answers: Answers,
    /// The answers that were spelled otherwise.
    #[serde(default, skip_serializing_if = "AnswerSpellings::is_empty")]
    pub spellings: AnswerSpellings,
    /// The keys of the required fields that it has not answered, which follow from the fields as they are now.
    #[serde(skip)]
    pub missing_fields: Vec<String>,
    /// Counts the changes; it is the `ETag`.
    pub version: u64,
    /// When it joined.
    pub created_at: Time,
    /// When it last changed.
    pub updated_at: Time,
}

impl Member {
    /// A member who has just joined, without points and answers.
    #[must_use]
    pub fn new(id: MemberId, membership: &Membership, fields: MemberFields, now: Time) -> Self {
        Self {
            id,
            membership_id: membership.id,
            segment_id: membership.segment_id,
            owner_id: membership.owner_id,
            number: MemberNumber::of(id, 0),
            fields,
            points: Points::default(),
            answers: Answers::default(),
            spellings: AnswerSpellings::default(),
            missing_fields: Vec::new(),
            version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// The member after the owner's `patch`, one version on.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the patch breaks a rule.
    pub fn patched(&self, patch: MergePatch<MemberFields>, now: Time) -> Result<Self, Error> {
        let fields = patch.apply(&self.fields)?;
        Ok(Self { fields, ..self.next(now) })
    }

    /// The member after a change of its own: it returns to PENDING where that changed what was approved, unless its
    /// membership keeps approvals.
    #[must_use]
    pub fn reviewed(self, before: &Self, settings: &MembershipSettings) -> Self {
        let is_changed = self.answers != before.answers
            || Body::show(&self.fields.enrolment()) != Body::show(&before.fields.enrolment());
        if !is_changed || settings.keep_approval.0 || self.fields.approval.0 != Approval::Approved {
            return self;
        }
        Self { fields: MemberFields { approval: OrDefault(Approval::Pending), ..self.fields }, ..self }
    }

    /// Refuses what a member does itself where it is shut out.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub fn takes_part(&self) -> Result<(), Error> {
        if self.fields.status.0 == MemberStatus::Blocked {
            return Err(Error::Forbidden("You are shut out of this membership; ask its owner."));
        }
        Ok(())
    }

    /// The member unchanged, one version on.
    #[must_use]
    pub fn next(&self, now: Time) -> Self {
        Self { version: self.version + 1, updated_at: now, ..self.clone() }
    }

    /// The member as it stands under these `questions` of its membership: without the answers that no longer hold,
    /// and with what is missing now.
    #[must_use]
    pub fn under(&self, questions: &[Question<'_>]) -> Self {
        let answers = self.answers.holding(questions);
        let missing_fields = missing(questions, self.fields.level_id, &answers);
        let spellings = self.spellings.of(&answers);
        Self { answers, spellings, missing_fields, ..self.clone() }
    }
}

const SPELLINGS: &str =
    "The answers in the spelling that was sent, by the keys of the custom fields, where it differs from `answers`.";

impl PartialSchema for Member {
    fn schema() -> RefOr<Schema> {
        let missing = <List<crate::custom_field::FieldKey, 1000>>::response_schema();
        let before = vec![
            ("id", "The member's id.", MemberId::response_schema()),
            ("membership_id", "The membership that it has joined.", MembershipId::response_schema()),
            ("segment_id", "The segment of the membership.", SegmentId::response_schema()),
            ("number", "The member's number: 8 digits, unique in the membership.", MemberNumber::response_schema()),
            ("points", "The member's points.", Points::response_schema()),
            ("answers", "The member's answers, by the keys of the custom fields.", Given::answers_schema()),
            ("answers_display", SPELLINGS, Given::spellings_schema()),
            ("missing_fields", "The keys of required fields without an answer.", missing),
        ];
        shown_schema::<MemberFields>("A user's or a person's participation in a membership.", example(), before)
    }
}

impl ToSchema for Member {}

impl Object for Member {
    fn version(&self) -> u64 {
        self.version
    }

    fn show(&self) -> Value {
        let mut shown = Map::from_iter([
            ("id".to_owned(), self.id.show()),
            ("membership_id".to_owned(), self.membership_id.show()),
            ("segment_id".to_owned(), self.segment_id.show()),
            ("number".to_owned(), self.number.show()),
            ("points".to_owned(), self.points.show()),
            ("answers".to_owned(), self.answers.show()),
            ("answers_display".to_owned(), self.spellings.show()),
            ("missing_fields".to_owned(), self.missing_fields.clone().into()),
        ]);
        shown.extend(Body::show(&self.fields));
        shown.extend(bookkeeping(self.version, self.created_at, self.updated_at));
        Value::Object(shown)
    }
}

/// A member for the examples of the OpenAPI document.
#[must_use]
pub fn example() -> Value {
    let mut example = json!({
        "id": "0199d2a4-5c00-7000-8000-00000000ae01", "membership_id": "0199d2a4-5c00-7000-8000-00000000ab01",
        "segment_id": "0199d2a4-5c00-7000-8000-0000000005e6", "number": "40281739", "points": 120,
        "answers": { "bank": "bbva" }, "answers_display": {}, "missing_fields": ["tax_id"],
        "version": 2, "created_at": "2026-11-21T10:00:00.000Z", "updated_at": "2026-11-21T10:05:00.000Z"
    });
    if let (Some(object), Value::Object(fields)) = (example.as_object_mut(), <MemberFields as Body>::example()) {
        object.extend(fields);
    }
    example
}

#[cfg(test)]
mod tests;
