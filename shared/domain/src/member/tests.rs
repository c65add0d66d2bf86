//! Members: who writes what of one, and how it is shown.

use super::*;
use crate::custom_field::{CustomField, CustomFieldFields};
use crate::document::Checks;
use crate::field::Pointer;
use crate::id::FieldId;
use crate::membership::MembershipFields;

fn parse<T: Body>(body: Value) -> Result<T, Error> {
    T::parse(body)
}

fn member() -> Result<Member, Error> {
    let fields = parse::<EnrolmentFields>(json!({ "name": "Ana" }))?.of(UserId::fresh());
    let club = parse::<MembershipFields>(json!({ "name": "Club" }))?;
    let ids = (MembershipId::fresh(), SegmentId::fresh(), UserId::fresh());
    let club = Membership::new(ids.0, ids.1, ids.2, club, Time::now());
    Ok(Member::new(MemberId::fresh(), &club, fields, Time::now()))
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
    let patched = member.fields.clone().with(patch.apply(&member.fields.enrolment())?);
    assert_eq!((patched.name.is_some(), patched.phone.is_some()), (false, true));
    assert_eq!(patched.level_id, member.fields.level_id);
    assert_eq!(patched.user_id, member.fields.user_id);
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
        serde_json::from_str(r#"{"n":{"digits":"12.50"},"s":"12.50","b":true,"m":["a"]}"#).map_err(Error::internal)?;
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

#[test]
fn numbers_are_spread_and_the_same_for_each_try() {
    let id = MemberId::fresh();
    assert_eq!(MemberNumber::of(id, 3), MemberNumber::of(id, 3));
    let tried: std::collections::HashSet<_> = (0..20).map(|attempt| MemberNumber::of(id, attempt)).collect();
    assert_eq!(tried.len(), 20);
    assert!(tried.iter().all(|number| MemberNumber::parse(number.as_str()).is_ok()));
}
