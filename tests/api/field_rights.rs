//! Who writes which field of a user, by the one table of the domain; and reads that follow no reference to others.

use domain::user::{RIGHTS, Right, Writer};
use serde_json::{Value, json};

use crate::system::{Muster, PASSWORD};
use crate::world::{World, id, refused};

fn sign_up(more: (&str, Value)) -> Value {
    let email = format!("{}@example.com", domain::UserId::fresh());
    json!({ "email": email, "name": "Eve", "password": PASSWORD, more.0: more.1 })
}

/// A value that the field takes where it is taken at all.
fn value(field: &str, ids: &str) -> Value {
    match field {
        "email" => format!("{}@example.com", domain::UserId::fresh()).into(),
        "status" => "BLOCKED".into(),
        "status_reason" => "X".into(),
        field if field.ends_with("_id") && field != "reference_id" => ids.into(),
        field => {
            let example = <domain::UserFields as domain::Body>::example();
            let more = json!({
                "username": domain::UserId::fresh().to_string(), "reference_id": domain::UserId::fresh().to_string(),
                "second_last_name": "Paz", "phone_display": "55 1234 5678", "nationality": "MEX", "operation_country": "MEX",
                "identification": { "type": "PASSPORT", "value": format!("G{}", domain::Time::now().millis()) },
                "tax_identification": { "type": "RFC", "value": "GODE561231GR8" }, "tax_condition": "601",
                "legal_address": { "city": "León" }, "country": { "name": "México" }, "state": { "name": "Jalisco" },
                "city": { "name": "León" }, "valid_until": "2036-01-01T00:00:00Z", "metadata": { "plan": "gold" },
            });
            let found = more.get(field).or_else(|| example.get(field)).cloned();
            found.unwrap_or_else(|| panic!("{field}: say here what it takes"))
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_up_takes_exactly_what_a_master_user_sets_for_itself() {
    let world = World::start().await;
    let victim = world.user(json!({ "name": "Secret" })).await;
    for (field, _) in RIGHTS {
        let made = world.muster.post("/v1/users", sign_up((field, value(field, &victim)))).send().await;
        let eve = world.muster.ana().await;
        let changed = json!({ field: value(field, &victim) });
        let changed = world.muster.patch("/v1/users/me", changed).by(&eve).send().await;
        match Writer::SignUp.right(field) {
            Right::Writes => {
                assert_eq!((made.status.as_u16(), changed.status.as_u16()), (201, 200), "{field} {made:?} {changed:?}");
            }
            Right::NotApplicable => {
                let expected = (400, format!("/{field}"), "not_applicable".to_owned());
                assert_eq!((refused(&made), refused(&changed)), (expected.clone(), expected), "{field}");
            }
            Right::Managed => {
                assert!(matches!(changed.status.as_u16(), 400 | 403), "{field} {changed:?}");
                assert_eq!(refused(&made), (400, format!("/{field}"), "unknown".to_owned()));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn segment_user_writes_only_its_own_fields() {
    let world = World::start().await;
    for (field, _) in RIGHTS.into_iter().filter(|(field, _)| Writer::SegmentUser.right(field) == Right::Managed) {
        let eva = world.segment_user().await;
        let patch = json!({ field: value(field, &world.ana.id) });
        let reply = world.muster.patch("/v1/users/me", patch).by(&eva).send().await;
        // A reason without its status is wrong whoever sends it.
        let expected = if field == "status_reason" { 400 } else { 403 };
        assert_eq!(reply.status, expected, "{field} {reply:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_up_document_has_no_field_of_a_segment() {
    let muster = Muster::start().await;
    let document = muster.get("/openapi.json").send().await.body;
    let schema = &document["paths"]["/v1/users"]["post"]["requestBody"]["content"]["application/json"]["schema"];
    let schema = match schema["$ref"].as_str() {
        Some(to) => document.pointer(to.trim_start_matches('#')).unwrap(),
        None => schema,
    };
    let fields: Vec<_> = schema["properties"].as_object().unwrap().keys().filter(|name| *name != "password").collect();
    assert!(fields.len() > 15 && fields.iter().all(|name| Writer::SignUp.right(name) == Right::Writes), "{fields:?}");
}

/// Rows that name others' things: written before the check, or by hand.
#[tokio::test(flavor = "multi_thread")]
async fn wrong_row_shows_nothing_of_the_thing_that_it_names() {
    let world = World::start().await;
    let secret = json!({ "name": "Zzqsecret", "phone": "+525511223344" });
    let victim = world.user(secret).await;
    let eve = world.muster.ana().await;
    let segment = id(&world.muster.made(&eve, "/v1/segments", json!({ "name": "Hers" })).await);
    let users = format!("/v1/segments/{segment}/users");
    let hers = id(&world.muster.made(&eve, &users, json!({ "email": "a@example.com" })).await);
    let of_victim = format!("/v1/segments/{}", world.segment);
    let partner = json!({ "commercial_name": "Zzqsecret" });
    let partner = id(&world.muster.made(&world.ana, &format!("{of_victim}/partners"), partner).await);
    let status = json!({ "name": "Zzqsecret" });
    let status = id(&world.muster.made(&world.ana, &format!("{of_victim}/statuses"), status).await);
    for user in [&eve.id, &hers] {
        let item = (format!("U#{user}"), "U".to_owned());
        let wrong = [("parent_id", &victim), ("partner_id", &partner), ("status_id", &status)];
        for (name, value) in wrong {
            world.muster.set_attribute((&item.0, &item.1), name, value).await;
        }
        for path in [
            format!("/v1/users/{user}"),
            format!("/v1/users/{user}/family"),
            format!("/v1/users/{user}/history"),
            format!("{users}?filter[parent_id]={victim}"),
            users.clone(),
        ] {
            let reply = world.muster.get(&path).by(&eve).send().await;
            let is_secret = |text: &str| text.contains("Zzqsecret") || text.contains("5511223344");
            assert!(reply.status == 200 && !is_secret(&reply.text), "{path}: {reply:?}");
        }
    }
    let own = world.muster.get("/v1/users/me").by(&eve).send().await;
    assert_eq!((&own.body["parent_id"], &own.body["partner_id"]), (&Value::Null, &Value::Null), "{own:?}");
    let renamed = world.muster.patch("/v1/users/me", json!({ "name": "Eve" })).by(&eve).send().await;
    assert_eq!(renamed.status, 200, "{renamed:?}");
    // The victim's family is as it was, and stays so when the stranger is erased.
    assert_eq!(world.muster.delete("/v1/users/me?purge=true").by(&eve).send().await.status, 204);
    let family = world.read(&format!("/v1/users/{victim}/family")).await;
    assert_eq!(family, json!({ "parent": null, "children": [] }));
    assert_eq!(world.call("DELETE", &format!("/v1/users/{victim}")).send().await.status, 204);
}
