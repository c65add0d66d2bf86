//! Answers: each type's canonical form, all errors at once, what holds, what is missing.

use super::*;
use crate::Catalog;
use crate::catalog::CatalogFields;
use crate::clock::Time;
use crate::custom_field::{CustomField, CustomFieldFields};
use crate::id::{CatalogId, FieldId, MembershipId, SegmentId, UploadId};

/// A field with key `f`, of this type and with whatever else `more` says.
fn field(kind: FieldType, more: &Value) -> CustomField {
    let mut body = json!({ "key": "f", "name": "F", "type": kind.as_str() });
    if let (Some(body), Some(more)) = (body.as_object_mut(), more.as_object()) {
        body.extend(more.clone());
    }
    let fields = CustomFieldFields::parse(body).expect("a sound field");
    CustomField::new(FieldId::fresh(), MembershipId::fresh(), fields, Time::now())
}

/// Options `a` and `b`, and `off`, which is switched off.
fn options() -> Value {
    json!({ "options": [{ "key": "a", "value": "A" }, { "key": "off", "value": "Off", "status": false },
        { "key": "b", "value": "B" }] })
}

fn of_type(kind: FieldType) -> CustomField {
    field(kind, &if kind.chooses() { options() } else { json!({}) })
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

/// The answers after `given`, or the codes of what is wrong.
fn after(field: &CustomField, current: &Answers, given: Value) -> Result<Answers, Vec<(String, &'static str)>> {
    let (mut errors, at) = (Vec::new(), Pointer::root().child("answers"));
    let given = Given(Map::from_iter([("f".to_owned(), given)]));
    let answers = check_answers(&[Question::new(field, None)], Checks::Format, current, given, &at, &mut errors);
    if errors.is_empty() { Ok(answers) } else { Err(errors.into_iter().map(|e| (e.pointer, e.code)).collect()) }
}

fn given(field: &CustomField, value: Value) -> Answers {
    after(field, &Answers::default(), value).expect("a sound answer")
}

fn refused(field: &CustomField, value: Value) -> Option<&'static str> {
    after(field, &Answers::default(), value).err()?.first().map(|(_, code)| *code)
}

#[test]
fn each_type_has_its_canonical_form() {
    let upload = UploadId::fresh().to_string();
    for (kind, written, canonical) in [
        (FieldType::Dropdown, r#""a""#, r#""a""#),
        (FieldType::Multiple, r#"["b","a"]"#, r#"["a","b"]"#),
        (FieldType::Number, "12.50", "12.50"),
        (FieldType::Number, r#"" -0012 ""#, "-12"),
        (FieldType::Number, "123456789012345678901234567890.1", "123456789012345678901234567890.1"),
        (FieldType::String, r#"" Ana  López ""#, r#""Ana  López""#),
        (FieldType::String, r#""007.10""#, r#""007.10""#),
        (FieldType::String, "7.10", r#""7.10""#),
        (FieldType::Text, r#"" one\ntwo\n""#, r#""one\ntwo""#),
        (FieldType::Url, r#"" HTTPS://Example.com""#, r#""HTTPS://Example.com""#),
        (FieldType::Link, r#"" HTTPS://Example.com""#, r#""HTTPS://Example.com""#),
        (FieldType::Link, &format!("\"{}\"", upload.to_uppercase()), &format!("\"{upload}\"")),
        (FieldType::Email, r#"" Ana@Example.com ""#, r#""Ana@Example.com""#),
        (FieldType::Boolean, "false", "false"),
        (FieldType::Date, r#""2024-02-29""#, r#""2024-02-29""#),
        (FieldType::Phone, "5215512345678", r#""+5215512345678""#),
        (FieldType::Phone, r#""+5215512345678""#, r#""+5215512345678""#),
        (FieldType::File, &format!("\"{}\"", upload.to_uppercase()), &format!("\"{upload}\"")),
        (FieldType::Curp, r#""boxw310820hnerxn09""#, r#""BOXW310820HNERXN09""#),
        (FieldType::Rfc, r#""a&ñ-000229-aa0""#, r#""A&Ñ000229AA0""#),
        (FieldType::Clabe, "646180110400000007", r#""646180110400000007""#),
        (FieldType::Cpf, r#""390.533.447-05""#, r#""39053344705""#),
        (FieldType::Cnpj, r#""12.abc.345/01de-35""#, r#""12ABC34501DE35""#),
        (FieldType::Cuil, r#""20-05536168-2""#, r#""20055361682""#),
        (FieldType::Nit, r#""213.123.432-1""#, r#""2131234321""#),
        (FieldType::Ruc, r#""10101174102""#, r#""10101174102""#),
        (FieldType::Rut, r#""12.345-k""#, r#""12345K""#),
    ] {
        let field = of_type(kind);
        let answers = given(&field, json(written));
        let answer = answers.get("f").expect("an answer");
        assert_eq!(answer.show().to_string(), canonical, "{}", kind.as_str());
        assert!(answer.holds(&Question::new(&field, None)), "{} holds as it was read", kind.as_str());
        let kept: Answers = serde_json::from_str(&serde_json::to_string(&answers).unwrap()).unwrap();
        assert_eq!(kept, answers, "{} comes back from JSON", kind.as_str());
    }
}

#[test]
fn each_type_refuses_what_it_is_not() {
    for (kind, written, code) in [
        (FieldType::Dropdown, json!("c"), "invalid_choice"),
        (FieldType::Dropdown, json!("off"), "invalid_choice"),
        (FieldType::Dropdown, json!(["a"]), "invalid_type"),
        (FieldType::Multiple, json!("a"), "invalid_type"),
        (FieldType::Multiple, json!(["a", "off"]), "invalid_choice"),
        (FieldType::Multiple, json!(["a", "a"]), "repeated"),
        (FieldType::Multiple, json!(["a", "a", "a", "a"]), "too_long"),
        (FieldType::Number, json!("1e"), "invalid_number"),
        (FieldType::Number, json("1e99"), "invalid_number"),
        (FieldType::Number, json!("1."), "invalid_number"),
        (FieldType::Number, json!(".5"), "invalid_number"),
        (FieldType::Number, json!("--1"), "invalid_number"),
        (FieldType::Number, json!("1".repeat(41)), "invalid_number"),
        (FieldType::Number, json!(true), "invalid_type"),
        (FieldType::String, json!("  "), "too_short"),
        (FieldType::String, json!("x".repeat(256)), "too_long"),
        (FieldType::String, json!("a\nb"), "control_character"),
        (FieldType::Text, json!("x".repeat(4001)), "too_long"),
        (FieldType::Text, json!("a\u{0}b"), "control_character"),
        (FieldType::Url, json!("example.com"), "invalid_url"),
        (FieldType::Url, json!("/a"), "invalid_url"),
        (FieldType::Url, json!("ftp://example.com"), "invalid_url"),
        (FieldType::Url, json!("http:example.com"), "invalid_url"),
        (FieldType::Url, json!("https://"), "invalid_url"),
        (FieldType::Url, json!("https://a b.com"), "invalid_url"),
        (FieldType::Url, json!("https://example.com\\a"), "invalid_url"),
        (FieldType::Url, json!("javascript:alert(1)"), "invalid_url"),
        (FieldType::Url, json!(format!("https://a.b/{}", "x".repeat(2048))), "too_long"),
        (FieldType::Email, json!("ana"), "invalid_email"),
        (FieldType::Boolean, json!("true"), "invalid_type"),
        (FieldType::Boolean, json!(1), "invalid_type"),
        (FieldType::Date, json!("2025-02-29"), "invalid_date"),
        (FieldType::Date, json!("20250228"), "invalid_date"),
        (FieldType::Phone, json!("55 1234"), "invalid_phone"),
        (FieldType::File, json!("a.pdf"), "invalid_id"),
        (FieldType::Link, json!("a.pdf"), "invalid_url"),
        (FieldType::Cpf, json!("1"), "invalid_document"),
        (FieldType::Clabe, json!(false), "invalid_type"),
    ] {
        assert_eq!(refused(&of_type(kind), written.clone()), Some(code), "{} {written}", kind.as_str());
    }
}

#[test]
fn all_errors_come_at_once_with_their_pointers_and_name_the_known_keys() {
    let (number, choice) = (field(FieldType::Number, &json!({ "key": "age" })), of_type(FieldType::Multiple));
    let questions = [Question::new(&number, None), Question::new(&choice, None)];
    let given = json!({ "age": "x", "f": ["a", 7, "c"], "a/b": 1 });
    let (mut errors, at) = (Vec::new(), Pointer::root().child("answers"));
    let given = <Given as Field>::read(given, &at, &mut errors).unwrap();
    check_answers(&questions, Checks::Format, &Answers::default(), given, &at, &mut errors);
    let found: Vec<_> = errors.iter().map(|error| (error.pointer.as_str(), error.code)).collect();
    let expected = [
        ("/answers/age", "invalid_number"),
        ("/answers/f/1", "invalid_choice"),
        ("/answers/f/2", "invalid_choice"),
        ("/answers/a~1b", "unknown"),
    ];
    assert_eq!(found, expected);
    assert_eq!(errors[1].message, "must be one of a, b");
    assert_eq!(errors[3].message, "is not a field here; known are: age, f");
}

#[test]
fn an_answer_to_many_unknown_keys_stays_short() {
    let given = Given((0..1000).map(|key| (format!("key{key}"), json!(1))).collect());
    let mut errors = Vec::new();
    check_answers(&[], Checks::Format, &Answers::default(), given, &Pointer::root(), &mut errors);
    assert_eq!(errors.len(), 20);
}

#[test]
fn a_long_list_of_options_is_not_named_to_its_end() {
    let options: Vec<_> = (0..30).map(|key| json!({ "key": key.to_string(), "value": "x" })).collect();
    let field = field(FieldType::Dropdown, &json!({ "options": options }));
    let (mut errors, at) = (Vec::new(), Pointer::root());
    let given = Given(Map::from_iter([("f".to_owned(), json!("none"))]));
    check_answers(&[Question::new(&field, None)], Checks::Format, &Answers::default(), given, &at, &mut errors);
    assert!(errors[0].message.ends_with("18, 19, …"), "{}", errors[0].message);
}

#[test]
fn null_and_an_empty_list_take_an_answer_back_and_others_stay() {
    let choice = of_type(FieldType::Multiple);
    let current = given(&choice, json!(["a"]));
    assert_eq!(after(&choice, &current, Value::Null), Ok(Answers::default()));
    assert_eq!(after(&choice, &current, json!([])), Ok(Answers::default()));
    let other = field(FieldType::Number, &json!({ "key": "age" }));
    let both = check_answers(
        &[Question::new(&other, None)],
        Checks::Format,
        &current,
        Given(Map::from_iter([("age".to_owned(), json!(7))])),
        &Pointer::root(),
        &mut Vec::new(),
    );
    assert_eq!(both.show().to_string(), r#"{"age":7,"f":["a"]}"#);
}

#[test]
fn an_option_that_was_switched_off_may_stay_but_not_be_chosen_anew() {
    let on = json!({ "options": [{ "key": "off", "value": "Off" }, { "key": "a", "value": "A" }] });
    for (kind, before, again) in
        [(FieldType::Dropdown, json!("off"), json!("off")), (FieldType::Multiple, json!(["off"]), json!(["a", "off"]))]
    {
        let current = given(&field(kind, &on), before.clone());
        let now = of_type(kind);
        assert!(current.get("f").unwrap().holds(&Question::new(&now, None)));
        assert!(after(&now, &current, again).is_ok());
        assert_eq!(refused(&now, before), Some("invalid_choice"));
    }
}

#[test]
fn the_level_of_checks_counts_for_documents() {
    let field = of_type(FieldType::Cpf);
    let question = Question::new(&field, None);
    let given = || Given(Map::from_iter([("f".to_owned(), json!("123.456.789-98"))]));
    let mut errors = Vec::new();
    let kept = check_answers(&[question], Checks::Format, &Answers::default(), given(), &Pointer::root(), &mut errors);
    assert_eq!(errors, []);
    check_answers(&[question], Checks::Checksum, &Answers::default(), given(), &Pointer::root(), &mut errors);
    assert_eq!(errors.first().map(|error| error.code), Some("invalid_document"));
    assert!(kept.get("f").unwrap().holds(&question), "what was taken stays");
}

#[test]
fn an_answer_that_no_longer_holds_is_missing_and_not_shown() {
    for (before, value, now) in [
        (of_type(FieldType::String), json!("x"), field(FieldType::Number, &json!({ "required": true }))),
        (of_type(FieldType::Number), json!(7), field(FieldType::String, &json!({ "required": true }))),
        (of_type(FieldType::String), json!("x"), field(FieldType::Rut, &json!({ "required": true }))),
        (of_type(FieldType::Number), json!(7), field(FieldType::Rut, &json!({ "required": true }))),
        (of_type(FieldType::Boolean), json!(true), field(FieldType::Date, &json!({ "required": true }))),
        (
            of_type(FieldType::Dropdown),
            json!("a"),
            field(FieldType::Dropdown, &json!({ "required": true, "options": [{ "key": "b", "value": "B" }] })),
        ),
        (
            of_type(FieldType::Multiple),
            json!(["a", "b"]),
            field(FieldType::Multiple, &json!({ "required": true, "options": [{ "key": "b", "value": "B" }] })),
        ),
    ] {
        let answers = given(&before, value);
        let question = Question::new(&now, None);
        assert_eq!(answers.holding(&[question]), Answers::default(), "{:?}", now.fields.kind);
        assert_eq!(missing(&[question], None, &answers), ["f"], "{:?}", now.fields.kind);
        let before = Question::new(&before, None);
        assert_eq!(answers.holding(&[before]), answers);
    }
}

#[test]
fn only_required_fields_in_use_and_of_the_level_can_be_missing() {
    let level = LevelId::fresh();
    for (more, at_level, without) in [
        (json!({ "required": true }), true, true),
        (json!({ "required": false }), false, false),
        (json!({ "required": true, "status": false }), false, false),
        (json!({ "required": true, "level_ids": [level.to_string()] }), true, false),
        (json!({ "required": true, "level_ids": [LevelId::fresh().to_string()] }), false, false),
    ] {
        let field = field(FieldType::Boolean, &more);
        let questions = [Question::new(&field, None)];
        let none = Answers::default();
        assert_eq!(!missing(&questions, Some(level), &none).is_empty(), at_level, "{more}");
        assert_eq!(!missing(&questions, None, &none).is_empty(), without, "{more}");
        assert!(missing(&questions, Some(level), &given(&field, json!(false))).is_empty(), "false is an answer");
    }
}

#[test]
fn a_catalog_gives_the_choices_of_a_field_that_names_it() {
    let field = field(FieldType::Dropdown, &json!({ "catalog_id": CatalogId::fresh().to_string() }));
    let fields = CatalogFields::parse(CatalogFields::example()).unwrap();
    let catalog = Catalog::new(CatalogId::fresh(), SegmentId::fresh(), fields, Time::now());
    for (catalog, wrong) in [(Some(&catalog), 0), (None, 1)] {
        let given = Given(Map::from_iter([("f".to_owned(), json!("banorte"))]));
        let (mut errors, question) = (Vec::new(), Question::new(&field, catalog));
        check_answers(&[question], Checks::Format, &Answers::default(), given, &Pointer::root(), &mut errors);
        assert_eq!(errors.len(), wrong);
    }
}

#[test]
fn members_are_found_by_every_answer_but_files_and_long_text() {
    let text = |text: &str| vec![IndexValue::Text(text.to_owned())];
    for (kind, value, found) in [
        (FieldType::Dropdown, json!("a"), text("a")),
        (
            FieldType::Multiple,
            json!(["b", "a"]),
            vec![IndexValue::Text("a".to_owned()), IndexValue::Text("b".to_owned())],
        ),
        (FieldType::Number, json("-12.50"), vec![IndexValue::Number("-12.50".to_owned())]),
        (FieldType::String, json!("Ana"), text("Ana")),
        (FieldType::Boolean, json!(true), vec![IndexValue::Boolean(true)]),
        (FieldType::Date, json!("2024-02-29"), vec![IndexValue::Date("2024-02-29".to_owned())]),
        (FieldType::Cpf, json!("390.533.447-05"), text("39053344705")),
        (FieldType::Text, json!("long"), vec![]),
        (FieldType::File, json!(UploadId::fresh().to_string()), vec![]),
    ] {
        let answers = given(&of_type(kind), value);
        assert_eq!(answers.get("f").unwrap().index_values(kind), found, "{}", kind.as_str());
    }
}

#[test]
fn two_answers_that_mean_the_same_are_the_same_to_a_unique_field() {
    for (kind, one, other) in [
        (FieldType::Number, json!("12"), json("12.00")),
        (FieldType::Number, json!("-0.0"), json!("0")),
        (FieldType::Email, json!("Ana@Example.com"), json!("ana@example.com")),
        (FieldType::Url, json!("https://EXAMPLE.com"), json!("https://example.com/")),
        (FieldType::Link, json!("https://EXAMPLE.com"), json!("https://example.com/")),
        (FieldType::Phone, json!("+5215512345678"), json!("5215512345678")),
        (FieldType::Rut, json!("12.345.678-5"), json!("123456785")),
    ] {
        let value = |value| given(&of_type(kind), value).get("f").unwrap().unique_value(kind);
        assert!(value(one.clone()).is_some());
        assert_eq!(value(one), value(other), "{}", kind.as_str());
    }
    let number =
        |text: &str| given(&of_type(FieldType::Number), json!(text)).get("f").unwrap().unique_value(FieldType::Number);
    assert_ne!(number("10"), number("1"));
    assert_ne!(number("100"), number("10"));
}

#[test]
fn what_cannot_be_unique_claims_nothing() {
    for (kind, value) in
        [(FieldType::Dropdown, json!("a")), (FieldType::Boolean, json!(true)), (FieldType::Text, json!("x"))]
    {
        assert_eq!(given(&of_type(kind), value).get("f").unwrap().unique_value(kind), None);
    }
}

#[test]
fn a_change_tells_what_it_may_invalidate() {
    let (one, two) = (LevelId::fresh().to_string(), LevelId::fresh().to_string());
    let fewer = json!([{ "key": "b", "value": "Bee" }]);
    for (old, new, expected) in [
        (json!({}), json!({ "name": "G", "status": false }), vec![]),
        (json!({}), json!({ "required": true }), vec![Invalidates::NewlyRequired]),
        (json!({ "required": true }), json!({ "required": false }), vec![]),
        (json!({ "required": true, "status": false }), json!({ "required": true }), vec![Invalidates::NewlyRequired]),
        (json!({}), json!({ "unique": true, "type": "string" }), vec![Invalidates::Type, Invalidates::NewlyUnique]),
        (json!({ "type": "string" }), json!({ "type": "string", "unique": true }), vec![Invalidates::NewlyUnique]),
        (json!({ "type": "string", "unique": true }), json!({ "type": "string" }), vec![]),
        (json!({}), json!({ "level_ids": [one] }), vec![Invalidates::Levels]),
        (json!({ "level_ids": [one] }), json!({}), vec![]),
        (json!({ "level_ids": [one] }), json!({ "level_ids": [one, two] }), vec![]),
        (json!({ "level_ids": [one, two] }), json!({ "level_ids": [two] }), vec![Invalidates::Levels]),
        (
            json!({ "level_ids": [one], "required": true }),
            json!({ "level_ids": [two], "required": true }),
            vec![Invalidates::NewlyRequired, Invalidates::Levels],
        ),
        (
            json!({ "type": "dropdown" }),
            json!({ "type": "dropdown", "options": fewer }),
            vec![Invalidates::Options(vec!["a".to_owned(), "off".to_owned()])],
        ),
        (json!({ "type": "dropdown", "options": fewer }), json!({ "type": "dropdown" }), vec![]),
        (json!({ "type": "dropdown" }), json!({ "type": "multiple" }), vec![Invalidates::Type]),
    ] {
        let with = |more: &Value| {
            let kind = FieldType::parse(more["type"].as_str().unwrap_or("boolean")).unwrap();
            let mut all = if kind.chooses() { options() } else { json!({}) };
            all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            field(kind, &all)
        };
        let (before, after) = (with(&old), with(&new));
        let found = invalidates(&Question::new(&before, None), &Question::new(&after, None));
        assert_eq!(found, expected, "{old} to {new}");
    }
}
