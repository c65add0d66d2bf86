//! Rules that all documents keep, and their snapshots.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::documents;

/// The command that writes the snapshots.
const WRITE: &str = "MUSTER_WRITE_OPENAPI=1 cargo test --workspace documents_match_their_snapshots";

/// Properties of answers that may be absent, with what has them.
const ABSENT: [&str; 15] = [
    "Actor.id",
    "BatchResult.error",
    "BatchResult.id",
    "Entry.actor_name",
    "Event.delivery",
    "Event.membership_id",
    "Event.user_id",
    "LevelWithFields.fields",
    "Page.total_capped",
    "Problem.error",
    "Problem.error_description",
    "Problem.user_id",
    "SentEvent.delivery",
    "SentEvent.membership_id",
    "SentEvent.user_id",
];

/// The name of each document's snapshot, and the document.
fn all() -> Vec<(String, Value)> {
    let document = |(_, path, document)| {
        let path: &str = path;
        let name = path.rsplit('/').next().unwrap_or_default();
        let name = if path == "/openapi.json" { "v1.json" } else { name };
        (name.to_owned(), serde_json::to_value::<utoipa::openapi::OpenApi>(document).unwrap())
    };
    documents().into_iter().map(document).collect()
}

fn v1() -> Value {
    all().into_iter().find(|(name, _)| name == "v1.json").unwrap().1
}

/// Each operation of a document, with `METHOD /path`.
fn operations(document: &Value) -> Vec<(String, &Value)> {
    let of = |(path, item)| {
        let (path, item): (&String, &Value) = (path, item);
        let operations = item.as_object().unwrap().iter();
        operations
            .map(|(method, operation)| (format!("{} {path}", method.to_uppercase()), operation))
            .collect::<Vec<_>>()
    };
    document["paths"].as_object().unwrap().iter().flat_map(of).collect()
}

/// Calls `look` with each schema of a document and where it stands; properties stand at `…/NAME`.
fn each_schema<'a>(document: &'a Value, look: &mut dyn FnMut(&str, &'a Value)) {
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        within(name, schema, look);
    }
    for (route, operation) in operations(document) {
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            within(&format!("{route} {}", parameter["name"]), &parameter["schema"], look);
        }
        let answers = operation["responses"].as_object().into_iter().flat_map(|answers| answers.values());
        for (nth, body) in std::iter::once(&operation["requestBody"]).chain(answers).enumerate() {
            for content in body["content"].as_object().into_iter().flat_map(|content| content.values()) {
                within(&format!("{route} {nth}"), &content["schema"], look);
            }
        }
    }
}

fn within<'a>(at: &str, schema: &'a Value, look: &mut dyn FnMut(&str, &'a Value)) {
    if !schema.is_object() {
        return;
    }
    look(at, schema);
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        within(&format!("{at}/{name}"), property, look);
    }
    for (name, one) in [("items", &schema["items"]), ("values", &schema["additionalProperties"])] {
        within(&format!("{at}/{name}"), one, look);
    }
    for all in ["oneOf", "anyOf", "allOf"] {
        for one in schema[all].as_array().into_iter().flatten() {
            within(at, one, look);
        }
    }
}

fn has_text(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.trim().len() > 3)
}

#[test]
fn documents_match_their_snapshots() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../openapi");
    let is_written = std::env::var_os("MUSTER_WRITE_OPENAPI").is_some();
    for (name, document) in all() {
        let text = format!("{}\n", serde_json::to_string_pretty(&document).unwrap());
        if is_written {
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join(&name), &text).unwrap();
        }
        let snapshot = fs::read_to_string(folder.join(&name)).unwrap_or_default();
        assert!(snapshot == text, "openapi/{name} differs from its document. Write the snapshots: {WRITE}");
    }
}

#[test]
fn operation_ids_are_verbs_with_nouns_and_unique_in_all_documents() {
    let mut ids = BTreeSet::new();
    for (name, document) in all() {
        let dialect = name.trim_end_matches(".json");
        for (route, operation) in operations(&document) {
            let id = operation["operationId"].as_str().unwrap();
            assert!(ids.insert(id.to_owned()), "{name}: {route} has the id of another operation: {id}");
            let is_snake = id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
            assert!(is_snake && id.contains('_'), "{route}: {id}");
            assert!(name == "v1.json" || id.starts_with(&format!("{dialect}_")), "{route}: {id}");
        }
    }
    assert!(ids.len() > 200, "{}", ids.len());
}

#[test]
fn every_property_parameter_and_body_is_described() {
    for (name, document) in all() {
        let (missing, seen) = undescribed(&document);
        assert!(missing.is_empty(), "{name}: {missing:#?}");
        assert!(seen > if name == "v1.json" { 1000 } else { 20 }, "{name}: {seen}");
    }
}

/// What a document does not describe, and how many properties and parameters it has.
fn undescribed(document: &Value) -> (Vec<String>, usize) {
    let (mut missing, mut seen) = (Vec::new(), 0);
    each_schema(document, &mut |at, schema| {
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            seen += 1;
            if !has_text(&property["description"]) {
                missing.push(format!("{at}/{name}"));
            }
        }
    });
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        if !has_text(&schema["description"]) {
            missing.push(name.clone());
        }
    }
    for (route, operation) in operations(document) {
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            seen += 1;
            if !has_text(&parameter["description"]) {
                missing.push(format!("{route} {}", parameter["name"]));
            }
        }
        let body = operation.get("requestBody");
        if body.is_some_and(|body| !has_text(&body["description"])) {
            missing.push(format!("{route} body"));
        }
    }
    (missing, seen)
}

/// Schemas that may be of any type: a user of a batch, which is rejected by itself, the values of fields of any type, and what a dialect only keeps.
const UNTYPED: [&str; 4] = ["Batch/users/items", "EntryChange/old", "EntryChange/new", "KeptValue"];

#[test]
fn every_request_and_answer_is_typed() {
    for (name, document) in all() {
        let mut untyped = Vec::new();
        each_schema(&document, &mut |at, schema| {
            let words = ["type", "$ref", "oneOf", "anyOf", "allOf", "enum", "const"];
            if words.iter().all(|word| schema[word].is_null()) && !UNTYPED.contains(&at) {
                untyped.push(at.to_owned());
            }
        });
        assert!(untyped.is_empty(), "{name}: {untyped:#?}");
    }
}

#[test]
fn named_schemas_are_components_and_nullable_ones_have_one_form() {
    for (name, document) in all() {
        let mut wrong = Vec::new();
        each_schema(&document, &mut |at, schema| {
            if schema["title"].is_string() {
                wrong.push(format!("{at} is named, and no component: {}", schema["title"]));
            }
            let is_null = |one: &Value| one["type"] == "null";
            if schema["type"].as_array().is_some_and(|types| types.iter().any(|one| one == "null")) {
                wrong.push(format!("{at} is nullable by its type"));
            }
            if let Some(either) = schema["oneOf"].as_array()
                && either.iter().any(is_null)
                && (either.len() != 2 || is_null(&either[0]))
            {
                wrong.push(format!("{at} is not one value or null"));
            }
        });
        assert!(wrong.is_empty(), "{name}: {wrong:#?}");
    }
}

#[test]
fn enums_and_shared_objects_of_v1_are_components() {
    let document = v1();
    let components = document["components"]["schemas"].as_object().unwrap();
    for name in ["Address", "Document", "Gender", "LegalAddress", "Links", "Page", "Place", "Problem", "UserStatus"] {
        assert!(components.contains_key(name), "{name}");
    }
    let mut inline = Vec::new();
    each_schema(&document, &mut |at, schema| {
        let is_enum = schema["enum"].as_array().is_some_and(|words| words.len() > 1);
        // The choices of a parameter of one list are its own.
        if is_enum && !components.contains_key(at) && !at.contains("\"include\"") {
            inline.push(at.to_owned());
        }
    });
    assert!(inline.is_empty(), "{inline:#?}");
}

/// The names of the components that the answers of a document consist of.
fn in_answers(document: &Value) -> BTreeSet<String> {
    let mut left: Vec<&Value> =
        operations(document).into_iter().map(|(_, operation)| &operation["responses"]).collect();
    let mut names = BTreeSet::new();
    while let Some(value) = left.pop() {
        if let Some(name) = value["$ref"].as_str().and_then(|to| to.strip_prefix("#/components/schemas/"))
            && names.insert(name.to_owned())
        {
            left.push(&document["components"]["schemas"][name]);
        }
        left.extend(value.as_object().into_iter().flat_map(|fields| fields.values()));
        left.extend(value.as_array().into_iter().flatten());
    }
    names
}

#[test]
fn answers_of_v1_have_no_leniency_of_requests() {
    let document = v1();
    let names = in_answers(&document);
    assert!(names.len() > 60, "{names:?}");
    let mut wrong = Vec::new();
    for name in names {
        within(&name, &document["components"]["schemas"][&name], &mut |at, schema| {
            if schema["type"].is_array() || schema.get("default").is_some() {
                wrong.push(format!("{at} is of several types, or has a default"));
            }
            for property in schema["properties"].as_object().into_iter().flat_map(|properties| properties.keys()) {
                let is_required =
                    schema["required"].as_array().is_some_and(|names| names.iter().any(|one| one == property));
                if !is_required && !ABSENT.contains(&format!("{at}.{property}").as_str()) {
                    wrong.push(format!("{at}.{property} is not required"));
                }
            }
        });
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn filters_of_v1_are_arrays_that_commas_divide() {
    let document = v1();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (route, operation) in operations(&document) {
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let name = parameter["name"].as_str().unwrap();
            let is_range = ["[gt]", "[gte]", "[lt]", "[lte]"].iter().any(|end| name.ends_with(end));
            let (kind, explode) = (&parameter["schema"]["type"], &parameter["explode"]);
            if name == "sort" || (name.starts_with("filter[") && !is_range && name != "filter[answers.KEY]") {
                assert!(kind == "array" && explode == false, "{route} {name}");
                *counts.entry("several").or_default() += 1;
            } else if name == "filter[answers.KEY]" {
                assert!(kind == "object" && explode == true, "{route} {name}");
                *counts.entry("answers").or_default() += 1;
            } else if is_range {
                assert!(kind != "array", "{route} {name}");
                *counts.entry("range").or_default() += 1;
            }
        }
    }
    assert!(counts["several"] > 60 && counts["range"] > 40 && counts["answers"] >= 1, "{counts:?}");
}

#[test]
fn each_error_of_v1_is_shared_and_has_one_example() {
    let document = v1();
    for (name, answer) in document["components"]["responses"].as_object().unwrap() {
        let example = &answer["content"]["application/problem+json"]["example"];
        assert!(name == "NotModified" || has_text(&example["detail"]), "{name}");
    }
    let (mut shared, mut own) = (0, 0);
    for (_, operation) in operations(&document) {
        for (status, answer) in operation["responses"].as_object().unwrap() {
            if status.as_str() >= "400" {
                if answer["$ref"].is_string() { shared += 1 } else { own += 1 }
            }
        }
    }
    assert!(shared > 20 * own, "{shared} {own}");
}

#[test]
fn answers_of_v1_are_shown_with_values() {
    let document = v1();
    for name in in_answers(&document) {
        let schema = &document["components"]["schemas"][&name];
        let is_object = schema["properties"].is_object() && !schema["properties"]["links"].is_object();
        assert!(!is_object || schema["examples"][0].is_object(), "{name} has no example");
    }
}
