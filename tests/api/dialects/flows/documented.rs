//! The document of `/flows` types all that is sent and answered.

use serde_json::{Value, json};

use crate::system::Muster;

/// Calls `look` with each schema within this one, and where it stands.
fn each(at: &str, schema: &Value, look: &mut dyn FnMut(&str, &Value)) {
    look(at, schema);
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        each(&format!("{at}.{name}"), property, look);
    }
    for one in ["oneOf", "allOf"].iter().filter_map(|all| schema[all].as_array()).flatten() {
        each(at, one, look);
    }
    if schema["items"].is_object() {
        each(&format!("{at}[]"), &schema["items"], look);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_body_and_property_has_a_type_and_a_meaning() {
    let muster = Muster::start().await;
    let document = muster.get("/openapi/flows.json").send().await.body;
    let (mut wrong, mut seen) = (Vec::new(), 0);
    let mut look = |at: &str, schema: &Value| {
        seen += 1;
        if !["type", "$ref", "oneOf", "allOf"].iter().any(|kind| !schema[kind].is_null()) {
            wrong.push(format!("{at} has no type"));
        }
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            if property["description"].as_str().is_none_or(|about| about.len() < 4) {
                wrong.push(format!("{at}.{name} has no meaning"));
            }
        }
        let reference = schema["$ref"].as_str().map(|reference| reference.trim_start_matches('#'));
        if reference.is_some_and(|reference| document.pointer(reference).is_none()) {
            wrong.push(format!("{at} refers to nothing"));
        }
    };
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        each(name, schema, &mut look);
    }
    let mut bodies = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let answers = operation["responses"].as_object().unwrap().values();
            for body in std::iter::once(&operation["requestBody"]).chain(answers) {
                if let Some(content) = body["content"].as_object() {
                    bodies += 1;
                    let schema = &content["application/json"]["schema"];
                    let named = if schema["type"] == json!("array") { &schema["items"] } else { schema };
                    assert!(named["$ref"].is_string(), "{method} {path}: {schema}");
                    each(&format!("{method} {path}"), schema, &mut look);
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(seen > 300 && bodies > 50, "{seen} {bodies}");
}
