//! Custom fields: which parts go together, and what may change.

use serde_json::{Value, json};

use super::*;
use crate::clock::Time;
use crate::error::Error;
use crate::field::{Body as _, MergePatch, Object as _};

fn parse(more: &Value) -> Result<CustomFieldFields, Vec<(String, &'static str)>> {
    let mut body = json!({ "key": "f", "name": "F" });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    CustomFieldFields::parse(body).map_err(|error| {
        let Error::Invalid(errors) = error else { panic!("{error}") };
        errors.into_iter().map(|error| (error.pointer, error.code)).collect()
    })
}

fn field(more: &Value) -> CustomField {
    CustomField::new(FieldId::fresh(), MembershipId::fresh(), parse(more).expect("a sound field"), Time::now())
}

#[test]
fn the_parts_of_a_field_go_with_its_type() {
    let (options, catalog) = (json!([{ "key": "a", "value": "A" }]), CatalogId::fresh().to_string());
    for (more, expected) in [
        (json!({ "type": "dropdown", "options": options }), vec![]),
        (json!({ "type": "multiple", "catalog_id": catalog }), vec![]),
        (json!({ "type": "dropdown" }), vec![("/options", "required")]),
        (json!({ "type": "dropdown", "options": [] }), vec![("/options", "required")]),
        (json!({ "type": "multiple", "options": options, "catalog_id": catalog }), vec![("/catalog_id", "exclusive")]),
        (json!({ "type": "multiple", "options": [], "catalog_id": catalog }), vec![("/catalog_id", "exclusive")]),
        (json!({ "type": "string", "catalog_id": catalog }), vec![("/catalog_id", "exclusive")]),
        (
            json!({ "type": "text", "options": options, "unique": true, "searchable": true, "max_size": 1,
                "content_types": [] }),
            ["/options", "/max_size", "/content_types", "/unique", "/searchable"].map(|at| (at, "exclusive")).to_vec(),
        ),
        (json!({ "type": "file", "max_size": 104_857_600, "content_types": ["image/png"] }), vec![]),
        (json!({ "type": "file", "content_types": [] }), vec![("/content_types", "too_short")]),
        (
            json!({ "type": "link", "max_size": 1, "content_types": ["image/png"], "unique": true, "searchable": true }),
            vec![],
        ),
        (json!({ "type": "link", "content_types": [] }), vec![("/content_types", "too_short")]),
        (json!({ "type": "file", "unique": true }), vec![("/unique", "exclusive")]),
        (json!({ "type": "file", "searchable": true }), vec![("/searchable", "exclusive")]),
        (json!({ "type": "file", "max_size": 104_857_601 }), vec![("/max_size", "out_of_range")]),
        (json!({ "type": "file", "max_size": 0 }), vec![("/max_size", "out_of_range")]),
        (json!({ "type": "file", "content_types": ["text/html"] }), vec![("/content_types/0", "invalid_choice")]),
        (json!({ "type": "boolean", "unique": true }), vec![("/unique", "exclusive")]),
        (json!({ "type": "boolean", "searchable": true }), vec![]),
        (json!({ "type": "dropdown", "options": options, "unique": true }), vec![("/unique", "exclusive")]),
        (json!({ "type": "multiple", "options": options, "unique": true }), vec![("/unique", "exclusive")]),
        (json!({ "type": "curp", "unique": true, "searchable": true }), vec![]),
        (json!({ "type": "color" }), vec![("/type", "invalid_choice")]),
        (json!({}), vec![("/type", "required")]),
    ] {
        let found = parse(&more).err().unwrap_or_default();
        let found: Vec<_> = found.iter().map(|(pointer, code)| (pointer.as_str(), *code)).collect();
        assert_eq!(found, expected, "{more}");
    }
}

#[test]
fn a_key_is_lower_case_and_begins_with_a_letter() {
    for (key, valid) in [
        ("a", true),
        ("tax_id_2", true),
        ("", false),
        ("2nd", false),
        ("_a", false),
        ("taxId", false),
        ("tax-id", false),
        ("año", false),
        (&"a".repeat(64), true),
        (&"a".repeat(65), false),
    ] {
        assert_eq!(FieldKey::parse(key).is_ok(), valid, "{key}");
    }
}

#[test]
fn options_have_distinct_keys_whose_digits_are_text() {
    let options = json!([{ "key": 1, "value": "One" }, { "key": "1", "value": "Uno" }, { "key": "2", "value": 2 }]);
    assert_eq!(
        parse(&json!({ "type": "dropdown", "options": options })).err(),
        Some(vec![("/options/1".to_owned(), "repeated")])
    );
}

#[test]
fn a_key_never_changes() -> Result<(), Error> {
    let field = field(&json!({ "type": "string" }));
    let patch = |patch| field.patched(MergePatch::parse(patch)?, Time::now());
    let Err(Error::Invalid(errors)) = patch(json!({ "key": "g" })) else { panic!("accepted") };
    assert_eq!(
        errors.iter().map(|error| (error.pointer.as_str(), error.code)).collect::<Vec<_>>(),
        [("/key", "immutable")]
    );
    assert_eq!(patch(json!({ "key": "f", "name": "G" }))?.version, 2);
    Ok(())
}

#[test]
fn a_patch_is_checked_together_with_what_it_leaves() -> Result<(), Error> {
    let field = field(&json!({ "type": "string", "unique": true }));
    let patched = |patch| field.patched(MergePatch::parse(patch)?, Time::now());
    assert!(matches!(patched(json!({ "type": "text" })), Err(Error::Invalid(_))));
    assert_eq!(patched(json!({ "type": "text", "unique": null }))?.fields.kind, FieldType::Text);
    Ok(())
}

#[test]
fn a_file_has_limits_that_need_not_be_told() {
    let file = field(&json!({ "type": "file" }));
    assert_eq!((file.max_size(), file.content_types()), (5 * 1024 * 1024, &ContentType::ALL[..]));
    let file = field(&json!({ "type": "file", "max_size": 7, "content_types": ["application/pdf"] }));
    assert_eq!((file.max_size(), file.content_types()), (7, &[ContentType::Pdf][..]));
    assert_eq!(ContentType::ALL.map(ContentType::as_str), ContentType::NAMES);
}

#[test]
fn a_field_comes_back_from_json_as_it_was() {
    let level = LevelId::fresh().to_string();
    let field = field(&json!({ "type": "file", "max_size": 7, "position": -3, "level_ids": [level], "render": 2 }));
    let kept: CustomField = serde_json::from_str(&serde_json::to_string(&field).unwrap()).unwrap();
    assert_eq!(kept.show(), field.show());
    assert_eq!(kept.show()["render"], "2");
    assert_eq!(kept.show()["type"], "file");
}

#[test]
fn every_example_is_accepted() {
    assert!(CustomFieldFields::parse(CustomFieldFields::example()).is_ok());
    assert!(MergePatch::<CustomFieldFields>::parse(CustomFieldFields::patch_example()).is_ok());
}
