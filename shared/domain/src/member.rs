//! Members: who has joined a membership, and what is kept of each.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::answer::{Answers, Given, missing};
use crate::clock::Time;
use crate::custom_field::Question;
use crate::error::Error;
use crate::field::{Body, Field as _, Fields, MergePatch, Object, bookkeeping, shown_schema};
use crate::id::{LevelId, MemberId, MembershipId, SegmentId, UserId};
use crate::level::Points;
use crate::text::{Code, Name, Phone};
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
    pub enum Approval {
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
        /// Phone number, E.164.
        pub phone: Option<Phone>,
        /// The number of a card.
        pub card_number: Option<Code>,
        /// Whether the member takes part.
        pub status: OrDefault<MemberStatus>,
        /// Whether the owner has agreed.
        pub approval: OrDefault<Approval>,
        /// Where the member came from.
        pub origin: Option<Code>,
        /// The product that the member has subscribed to.
        pub product_id: Option<Code>,
        /// When the subscription begins.
        pub starts_at: Option<Time>,
        /// When the subscription ends.
        pub expires_at: Option<Time>,
        /// When the subscription was last paid.
        pub last_payment_at: Option<Time>,
    }
    example {
        "user_id": "0199d2a4-5c00-7000-8000-000000000002", "level_id": "0199d2a4-5c00-7000-8000-000000001e01",
        "name": "Ana", "last_name": "López", "phone": "+5215512345678", "card_number": "5204165000000001",
        "status": "ACTIVE", "approval": "PENDING", "origin": "web", "product_id": null,
        "starts_at": null, "expires_at": null, "last_payment_at": null
    }
    patch { "approval": "APPROVED", "phone": null }
}

body! {
    /// What a user who enrols itself writes about itself as a member.
    pub struct EnrolmentFields {
        /// First name.
        pub name: Option<Name>,
        /// Last name.
        pub last_name: Option<Name>,
        /// Phone number, E.164.
        pub phone: Option<Phone>,
        /// The number of a card.
        pub card_number: Option<Code>,
        /// Where the member came from.
        pub origin: Option<Code>,
    }
    example {
        "name": "Ana", "last_name": "López", "phone": "+5215512345678", "card_number": "5204165000000001", "origin": "web"
    }
    patch { "phone": null }
}

impl MemberFields {
    /// What the member itself may write of these.
    #[must_use]
    pub fn enrolment(&self) -> EnrolmentFields {
        let Self { name, last_name, phone, card_number, origin, .. } = self.clone();
        EnrolmentFields { name, last_name, phone, card_number, origin }
    }

    /// These with what the member itself wrote.
    #[must_use]
    pub fn with(self, written: EnrolmentFields) -> Self {
        let EnrolmentFields { name, last_name, phone, card_number, origin } = written;
        Self { name, last_name, phone, card_number, origin, ..self }
    }
}

impl EnrolmentFields {
    /// What is written about the user `user_id`, who enrols itself: active, and nobody has agreed yet.
    #[must_use]
    pub fn of(self, user_id: UserId) -> MemberFields {
        MemberFields {
            user_id: Some(user_id),
            level_id: None,
            name: None,
            last_name: None,
            phone: None,
            card_number: None,
            status: OrDefault::default(),
            approval: OrDefault::default(),
            origin: None,
            product_id: None,
            starts_at: None,
            expires_at: None,
            last_payment_at: None,
        }
        .with(self)
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
    /// Its number.
    pub number: MemberNumber,
    /// What is written about it.
    #[serde(flatten)]
    pub fields: MemberFields,
    /// Its points.
    pub points: Points,
    /// Its answers.
    pub answers: Answers,
    /// The keys of the required fields that it has not answered.
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
    pub fn new(
        id: MemberId,
        (membership_id, segment_id): (MembershipId, SegmentId),
        number: MemberNumber,
        fields: MemberFields,
        now: Time,
    ) -> Self {
        Self {
            id,
            membership_id,
            segment_id,
            number,
            fields,
            points: Points::default(),
            answers: Answers::default(),
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

    /// The member after its own `patch`, one version on.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the patch breaks a rule.
    pub fn patched_by_itself(&self, patch: MergePatch<EnrolmentFields>, now: Time) -> Result<Self, Error> {
        let written = patch.apply(&self.fields.enrolment())?;
        Ok(Self { fields: self.fields.clone().with(written), ..self.next(now) })
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
        Self { answers, missing_fields, ..self.clone() }
    }
}

impl PartialSchema for Member {
    fn schema() -> RefOr<Schema> {
        shown_schema::<MemberFields>(vec![
            ("id", <MemberId as PartialSchema>::schema()),
            ("membership_id", <MembershipId as PartialSchema>::schema()),
            ("segment_id", <SegmentId as PartialSchema>::schema()),
            ("number", <MemberNumber as PartialSchema>::schema()),
            ("points", <Points as crate::Field>::schema()),
            ("answers", <Given as crate::Field>::schema()),
            ("missing_fields", <List<crate::custom_field::FieldKey, 1000> as crate::Field>::schema()),
        ])
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
        "answers": { "bank": "bbva" }, "missing_fields": ["tax_id"],
        "version": 2, "created_at": "2026-11-21T10:00:00.000Z", "updated_at": "2026-11-21T10:05:00.000Z"
    });
    if let (Some(object), Value::Object(fields)) = (example.as_object_mut(), <MemberFields as Body>::example()) {
        object.extend(fields);
    }
    example
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::custom_field::{CustomField, CustomFieldFields};
    use crate::document::Checks;
    use crate::field::Pointer;
    use crate::id::FieldId;

    fn parse<T: Body>(body: Value) -> Result<T, Error> {
        T::parse(body)
    }

    fn member() -> Result<Member, Error> {
        let fields = parse::<EnrolmentFields>(json!({ "name": "Ana" }))?.of(UserId::fresh());
        let number = MemberNumber::parse("40281739").map_err(|(_, message)| Error::internal(message))?;
        Ok(Member::new(MemberId::fresh(), (MembershipId::fresh(), SegmentId::fresh()), number, fields, Time::now()))
    }

    #[test]
    fn who_enrols_itself_decides_nothing_that_is_the_owners() -> Result<(), Error> {
        for owners in ["status", "approval", "level_id", "points", "user_id", "product_id", "expires_at"] {
            let body = json!({ owners: null });
            assert!(parse::<Joining<EnrolmentFields>>(body.clone()).is_err(), "{owners}");
            assert!(MergePatch::<EnrolmentFields>::parse(body).is_err(), "{owners}");
        }
        let mut member = member()?;
        assert_eq!(member.fields.approval.0, Approval::Pending);
        assert_eq!(member.fields.status.0, MemberStatus::Active);
        member.fields = MemberFields { level_id: Some(LevelId::fresh()), ..member.fields };
        let patch = MergePatch::parse(json!({ "name": null, "phone": "+5215512345678" }))?;
        let patched = member.patched_by_itself(patch, Time::now())?;
        assert_eq!((patched.fields.name.is_some(), patched.fields.phone.is_some(), patched.version), (false, true, 2));
        assert_eq!(patched.fields.level_id, member.fields.level_id);
        assert_eq!(patched.fields.user_id, member.fields.user_id);
        Ok(())
    }

    #[test]
    fn the_owner_writes_the_rest_but_no_points_and_answers_only_at_first() -> Result<(), Error> {
        let member = member()?;
        let patch = MergePatch::parse(json!({ "approval": "APPROVED", "status": "BLOCKED", "starts_at": null }))?;
        let patched = member.patched(patch, Time::now())?;
        assert_eq!((patched.fields.approval.0, patched.fields.status.0), (Approval::Approved, MemberStatus::Blocked));
        for kept in ["points", "answers", "number", "missing_fields"] {
            assert!(MergePatch::<MemberFields>::parse(json!({ kept: 1 })).is_err(), "{kept}");
        }
        let joining = parse::<Joining<MemberFields>>(json!({ "answers": { "bank": 1 } }))?;
        assert_eq!(joining.answers.0.get("bank"), Some(&json!(1)));
        assert_eq!(parse::<Joining<MemberFields>>(json!({}))?.answers, Given::default());
        assert!(parse::<Joining<MemberFields>>(json!({ "answers": [] })).is_err());
        Ok(())
    }

    #[test]
    fn a_member_is_shown_as_it_stands_under_the_fields_of_now() -> Result<(), Error> {
        let field = |body| -> Result<CustomField, Error> {
            let fields = parse::<CustomFieldFields>(body)?;
            Ok(CustomField::new(FieldId::fresh(), MembershipId::fresh(), fields, Time::now()))
        };
        let text = field(json!({ "key": "age", "name": "Age", "type": "string", "required": true }))?;
        let number = field(json!({ "key": "age", "name": "Age", "type": "number", "required": true }))?;
        let (given, mut errors) = (parse::<Given>(json!({ "age": "young" }))?, Vec::new());
        let mut member = member()?;
        let questions = [Question::new(&text, None)];
        let root = Pointer::root();
        member.answers =
            crate::answer::check_answers(&questions, Checks::Format, &member.answers, given, &root, &mut errors);
        let shown = member.under(&questions).show();
        assert_eq!((&shown["answers"], &shown["missing_fields"]), (&json!({ "age": "young" }), &json!([])));
        let shown = member.under(&[Question::new(&number, None)]).show();
        assert_eq!((&shown["answers"], &shown["missing_fields"]), (&json!({}), &json!(["age"])));
        Ok(())
    }

    #[test]
    fn a_member_comes_back_from_json_as_it_was() -> Result<(), Error> {
        let mut member = member()?;
        member.answers =
            serde_json::from_str(r#"{"n":12.50,"s":"12.50","b":true,"m":["a"]}"#).map_err(Error::internal)?;
        let kept = serde_json::to_string(&member).and_then(|kept| serde_json::from_str::<Member>(&kept));
        let kept = kept.map_err(Error::internal)?;
        assert_eq!(kept.show(), member.show());
        assert_eq!(kept.show()["answers"].to_string(), r#"{"b":true,"m":["a"],"n":12.50,"s":"12.50"}"#);
        Ok(())
    }

    #[test]
    fn every_example_is_accepted() {
        assert!(parse::<Joining<MemberFields>>(<Joining<MemberFields> as Body>::example()).is_ok());
        assert!(parse::<Joining<EnrolmentFields>>(<Joining<EnrolmentFields> as Body>::example()).is_ok());
        assert!(MergePatch::<MemberFields>::parse(MemberFields::patch_example()).is_ok());
        assert!(MergePatch::<EnrolmentFields>::parse(EnrolmentFields::patch_example()).is_ok());
    }
}
