//! The worked example: 1 membership, 5 levels, 19 custom fields of many variants, one member who signs up alone and has
//! all answers and files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::memberships::membership;
use super::{call, made, read, totals};
use crate::system::{Ana, Muster, PASSWORD};
use crate::uploads::club::get;

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/onboarding/data").join(name)
}

fn json_of(name: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(data(name)).unwrap()).unwrap()
}

/// Signs up, verifies, and is signed in by that.
async fn signed_up(muster: &Muster, email: &str) -> Ana {
    let new = json!({ "email": email, "name": "Ana", "password": PASSWORD, "mobile": "5512345678" });
    let id = muster.post("/flows/user", new).send().await.body["id"].as_str().unwrap().to_owned();
    let code = json!({ "verification_code": muster.code(email), "user_id": id });
    let tokens = muster.post("/flows/user/validate-code", code).send().await;
    let text = |name: &str| tokens.body[name].as_str().unwrap().to_owned();
    Ana { id: text("id"), email: email.to_owned(), access: text("access_token"), refresh: text("refresh_token") }
}

/// The 19 custom fields: the id of each by the key that it has in the example.
async fn fields(muster: &Muster, owner: &Ana, (segment, membership): &(String, String)) -> BTreeMap<String, String> {
    let banks = json!({ "name": "Banks", "options": json_of("banks.json") });
    let banks = muster.post(&format!("/v1/segments/{segment}/catalogs"), banks).by(owner).send().await;
    let mut fields = BTreeMap::new();
    for field in json_of("fields.json").as_array().unwrap() {
        let key = field["key"].as_str().unwrap();
        let options = if key == "business_categories" { json_of("categories.json") } else { field["options"].clone() };
        let kind = if field["type"] == "file" { json!("url") } else { field["type"].clone() };
        let new = json!({
            "membership_id": membership, "name": field["name"], "type": kind, "options": options, "required": true,
            "catalog_id": if key == "bank" { banks.body["id"].clone() } else { Value::Null }, "position": field["position"],
            "render": "one-column", "status": true, "tag_level": "fiscal", "tooltip": "",
        });
        let id = made(muster, owner, "/flows/membership-custom-field", new).await;
        fields.insert(key.to_owned(), id);
    }
    fields
}

async fn answer(muster: &Muster, by: &Ana, (membership, member): (&str, &str), answers: Vec<(&str, Value)>) {
    let each = answers.into_iter().map(|(id, answer)| json!({ "membership_custom_field_id": id, "answer": answer }));
    let stack = json!({
        "membership_id": membership, "membership_user_id": member, "user_id": by.id, "custom_fields": each.collect::<Value>(),
    });
    let path = "/flows/membership-custom-field-answer/stack";
    assert_eq!(call(muster, by, ("POST", path), stack, 201).await.body, json!({}));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_worked_example_runs_through_and_is_read_back_by_v1() {
    let muster = Muster::start().await;
    let ana = signed_up(&muster, "owner@example.com").await;
    let of = membership(&muster, &ana).await;
    let (segment, membership) = (&of.0, &of.1);
    for (number, name) in (1..).zip(["Blue", "Silver", "Gold", "Platinum", "Black"]) {
        let (from, to) = (if number == 1 { 0 } else { 100 * number - 99 }, 100 * number);
        let level = json!({
            "membership_id": membership, "name": name, "number_level": number, "from_point": from, "to_point": to, "status": true,
        });
        made(&muster, &ana, "/flows/membership-level", level).await;
    }
    let fields = fields(&muster, &ana, &of).await;
    let list = format!("/flows/membership-custom-field/list/{membership}?no_items=50");
    assert_eq!(totals(&call(&muster, &ana, ("GET", &list), Value::Null, 200).await), ("1", "19"));
    let levels = format!("/flows/membership-level/list/{membership}");
    assert_eq!(totals(&call(&muster, &ana, ("GET", &levels), Value::Null, 200).await), ("1", "5"));
    let carla = signed_up(&muster, "carla@example.com").await;
    let join = json!({ "membership_id": membership, "user_id": carla.id, "segment_id": segment, "name": "Carla" });
    let member = made(&muster, &carla, "/flows/membership-user", join).await;
    let mut expected = json_of("answers.json");
    let texts = expected.as_object().unwrap().iter();
    let texts = texts.map(|(key, answer)| (fields[key].as_str(), answer.clone())).collect();
    answer(&muster, &carla, (membership, &member), texts).await;
    let mut files = Vec::new();
    for (key, name, mime) in [
        ("official_id", "official_id.png", "image/png"),
        ("tax_certificate", "tax_certificate.pdf", "application/pdf"),
        ("certificate", "certificate.cer", "cer"),
        ("private_key", "private.key", "key"),
    ] {
        let bytes = std::fs::read(data(name)).unwrap();
        let body = json!({ "mime": mime, "file": STANDARD.encode(&bytes) });
        let upload = call(&muster, &carla, ("POST", &format!("/flows/upload/{segment}")), body, 201).await;
        expected[key] = upload.body["uuid"].clone();
        files.push((key, upload.body["uuid"].clone(), bytes));
    }
    let answers = files.iter().map(|(key, id, _)| (fields[*key].as_str(), id.clone())).collect();
    answer(&muster, &carla, (membership, &member), answers).await;

    let list = format!("/flows/membership-custom-field-answer/list/{member}?no_items=50");
    let rows = call(&muster, &carla, ("GET", &list), Value::Null, 200).await;
    assert_eq!(totals(&rows), ("1", "19"));
    let is_of = |row: &&Value, key: &str| row["membership_custom_field_id"] == json!(fields[key]);
    let answer_of = |key: &str| rows.body.as_array().unwrap().iter().find(|row| is_of(row, key)).unwrap().clone();
    // A field with options of its own has no catalog.
    let of_catalog = ["bank", "country"].map(|key| answer_of(key)["answer_for_catalog"].clone());
    assert_eq!(of_catalog, [json!("Banco del Colibrí"), Value::Null]);
    let own = read(&muster, &ana, &format!("/v1/members/{member}")).await;
    assert_eq!(own["missing_fields"], json!([]));
    for (key, answer) in expected.as_object().unwrap() {
        assert_eq!(answer_of(key)["answer"].to_string(), answer.to_string(), "{key}");
        let key_there = format!("f_{}", fields[key].replace('-', ""));
        assert_eq!(own["answers"][&key_there].to_string(), answer.to_string(), "{key}");
    }
    for (key, id, bytes) in files {
        let content = muster.get(&format!("/v1/uploads/{}/content", id.as_str().unwrap())).by(&ana).send().await;
        assert_eq!(get(content.header("location")).await.bytes, bytes, "{key}");
    }
    let found =
        &read(&muster, &ana, &format!("/flows/membership-user/list/{membership}?user_id={}", carla.id)).await[0];
    assert_eq!((&found["id"], &found["membership_level"]["name"]), (&json!(member), &json!("Blue")));
}
