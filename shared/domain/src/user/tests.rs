use super::*;
use crate::error::Error;
use crate::field::MergePatch;
use crate::segment::Settings;

#[test]
fn every_example_is_accepted() {
    assert!(SignUp::parse(SignUp::example()).is_ok());
    assert!(MergePatch::<UserState>::parse(UserState::patch_example()).is_ok());
}

#[test]
fn a_master_keeps_its_email_and_name() -> Result<(), Error> {
    let user = User::master(UserId::fresh(), SignUp::parse(SignUp::example())?.fields, Time::now());
    let patch = MergePatch::parse(json!({ "email": null, "name": null }))?;
    let Err(Error::Invalid(errors)) = user.patched(patch, Role::Itself, None, Time::now()) else { panic!("accepted") };
    assert_eq!(errors.iter().map(|error| error.pointer.as_str()).collect::<Vec<_>>(), ["/email", "/name"]);
    Ok(())
}

#[test]
fn metadata_merges_like_the_rest_and_keeps_its_digits() -> Result<(), Error> {
    let mut user = User::of_segment(UserId::fresh(), SegmentId::fresh(), UserFields::default(), Time::now());
    let value = |text: &str| crate::json::read_json(text.as_bytes()).map_err(Error::internal);
    for (patch, expected) in [
        (r#"{"email":"a@b.example","name":"A","metadata":{"a":1.50,"b":{"c":1}}}"#, r#"{"a":1.50,"b":{"c":1}}"#),
        (r#"{"metadata":{"b":{"d":2}}}"#, r#"{"a":1.50,"b":{"c":1,"d":2}}"#),
        (r#"{"metadata":{"b":null}}"#, r#"{"a":1.50}"#),
        (r#"{"metadata":{"c":[1E3,2e-7]}}"#, r#"{"a":1.50,"c":[1E3,2e-7]}"#),
    ] {
        user =
            user.patched(MergePatch::parse(value(patch)?)?, Role::Manager, Some(&Settings::default()), Time::now())?;
        let shown = user.show();
        assert_eq!(shown.get("metadata").map(ToString::to_string).as_deref(), Some(expected));
    }
    Ok(())
}

fn in_segment(fields: Value) -> Result<User, Error> {
    let fields = UserFields::parse(fields)?;
    Ok(User::of_segment(UserId::fresh(), SegmentId::fresh(), fields, Time::now()))
}

fn patched(user: &User, patch: Value, role: Role, settings: &Settings) -> Result<User, Error> {
    user.patched(MergePatch::parse(patch)?, role, Some(settings), Time::now())
}

fn refused(result: Result<User, Error>) -> Vec<(String, &'static str)> {
    match result {
        Err(Error::Invalid(errors)) => errors.into_iter().map(|error| (error.pointer, error.code)).collect(),
        Err(error) => vec![(String::new(), error.code())],
        Ok(_) => Vec::new(),
    }
}

#[test]
fn a_user_is_blocked_with_a_reason_which_goes_when_it_is_let_in_again() -> Result<(), Error> {
    let (user, settings) = (in_segment(json!({ "email": "a@b.example" }))?, Settings::default());
    let block = json!({ "status": "BLOCKED", "status_reason": "CLIENT_INTERNAL_REASON" });
    let blocked = patched(&user, block.clone(), Role::Manager, &settings)?;
    assert_eq!((blocked.status, blocked.status_reason.is_some()), (Status::Blocked, true));
    let active = patched(&blocked, json!({ "status": "ACTIVE" }), Role::Manager, &settings)?;
    assert_eq!((active.status, active.status_reason.is_some()), (Status::Active, false));

    let named = |pointer: &str, code| vec![(pointer.to_owned(), code)];
    for (patch, expected) in [
        (json!({ "status": "DELETED" }), named("/status", "invalid_transition")),
        (json!({ "status": "UNVERIFIED" }), named("/status", "invalid_transition")),
        (json!({ "status_reason": "x" }), named("/status_reason", "not_applicable")),
    ] {
        assert_eq!(refused(patched(&user, patch, Role::Manager, &settings)), expected);
    }
    assert_eq!(refused(patched(&user, block, Role::Itself, &settings)), named("", "forbidden"));
    Ok(())
}

#[test]
fn a_segment_requires_what_its_settings_say_of_all_but_children() -> Result<(), Error> {
    let user = in_segment(json!({ "email": "a@b.example" }))?;
    let settings = Settings::read(
        json!({ "required_user_fields": ["email", "phone"] }),
        &crate::field::Pointer::root(),
        &mut Vec::new(),
    );
    let settings = settings.unwrap_or_default();
    let pointers =
        |errors: Vec<crate::error::FieldError>| errors.into_iter().map(|error| error.pointer).collect::<Vec<_>>();
    assert_eq!(pointers(user.fields.find_missing(&settings, None)), ["/phone"]);
    assert!(patched(&user, json!({ "name": "Ana" }), Role::Manager, &settings).is_ok(), "what it never had");
    let taken = patched(&user, json!({ "email": null }), Role::Manager, &settings);
    assert_eq!(refused(taken), [("/email".to_owned(), "required")]);
    let child =
        patched(&user, json!({ "parent_id": UserId::fresh().show(), "email": null }), Role::Manager, &settings)?;
    let grown = patched(&child, json!({ "parent_id": null }), Role::Manager, &settings);
    assert_eq!(refused(grown).len(), 2, "it needs both once it stands alone");
    Ok(())
}
