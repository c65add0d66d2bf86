//! Bad input on every private route of the OpenAPI document: a 4xx that names what is wrong, nothing stored, never a 5xx.

use serde_json::{Value, json};

use crate::bad_input::{NO_IDS, WRONG_QUERIES, malformed, named, no_objects, wrong};
use crate::isolation::{Isolated, unchanged};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_json_object_is_refused_by_every_route() {
    let isolated = Isolated::start().await;
    let (muster, ana) = (&isolated.world.muster, &isolated.world.ana);
    let malformed = malformed();
    let before = muster.lasting().await;
    let routes: Vec<_> = isolated.routes.iter().filter(|route| route.body.is_some()).collect();
    assert!(routes.len() >= 20, "{}", routes.len());
    for route in &routes {
        let send =
            async |kind: &str, raw: &[u8]| muster.call(&route.method, &route.path).raw(kind, raw).by(ana).send().await;
        for raw in &malformed {
            let reply = send("application/json", raw).await;
            let found = (reply.status.as_u16(), &reply.body["code"]);
            assert_eq!(found, (400, &json!("malformed")), "{} {raw:.40?}", route.name);
        }
        for other in no_objects() {
            let reply = send("application/json", other.to_string().as_bytes()).await;
            let found = (reply.status.as_u16(), &reply.body["code"]);
            assert_eq!(found, (400, &json!("invalid")), "{} {other}", route.name);
        }
        let padded = format!("{{{}}}", " ".repeat(300 * 1024));
        assert_eq!(send("application/json", padded.as_bytes()).await.status, 413, "{}", route.name);
        assert_eq!(send("text/plain", b"{}").await.status, 415, "{}", route.name);
    }
    unchanged(&before, &muster.lasting().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_field_refuses_the_wrong_kind_of_value_by_name() {
    let isolated = Isolated::start().await;
    let (muster, ana) = (&isolated.world.muster, &isolated.world.ana);
    let wrong: Vec<_> = wrong().into_iter().chain([json!([null]), json!({ "a": [{}] })]).collect();
    // What may be empty.
    let empty = [
        "settings",
        "answers",
        "level_ids",
        "event_types",
        "options",
        "metadata",
        "legal_address",
        "country",
        "state",
        "city",
        "filters",
        "fields",
        "data",
        "user_ids",
    ];
    let before = muster.lasting().await;
    let answers = "PUT /v1/members/{member}/answers";
    for route in isolated.routes.iter().filter(|route| route.name != answers) {
        let Some(example) = &route.body else { continue };
        for field in example.as_object().unwrap().keys() {
            for value in &wrong {
                let is_empty = *value == json!({}) || *value == json!([]);
                if is_empty && empty.contains(&field.as_str()) {
                    continue;
                }
                // Any object is metadata, and which answers there are depends on who is asked.
                if matches!(field.as_str(), "answers" | "metadata") && value.is_object() {
                    continue;
                }
                // Each user of a batch is refused by itself.
                if field == "users" && value.as_array().is_some_and(|users| !users.is_empty()) {
                    continue;
                }
                let mut body = example.clone();
                body[field] = value.clone();
                let reply = muster.call(&route.method, &route.path).json(body).by(ana).send().await;
                assert_eq!(reply.status, 400, "{} {field} {value:.60} {reply:?}", route.name);
                named(&reply, &format!("/{field}"));
                assert!(reply.text.len() < 3_000, "an answer does not repeat what was sent");
            }
        }
        let mut unknown = example.clone();
        unknown["no/such~field"] = json!(1);
        let reply = muster.call(&route.method, &route.path).json(unknown).by(ana).send().await;
        named(&reply, "/no~1such~0field");
        assert!(reply.errors().iter().all(|(_, code)| code == "unknown"), "{} {reply:?}", route.name);
    }
    unchanged(&before, &muster.lasting().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_of_any_shape_are_refused_by_name() {
    let isolated = Isolated::start().await;
    let world = &isolated.world;
    let types = ["number", "string", "text", "url", "email", "boolean", "date", "phone", "file", "curp", "rfc", "rut"];
    for kind in types {
        world.field(kind, kind, json!({})).await;
    }
    let member = world.member(json!({})).await;
    let before = world.muster.lasting().await;
    for kind in types {
        for value in wrong().into_iter().chain([json!([[[]]]), json!({ "digits": "1" })]) {
            let reply = world.send("PUT", &format!("{member}/answers"), json!({ kind: value })).await;
            assert_eq!(reply.status, 400, "{kind} {value:.40} {reply:?}");
            named(&reply, &format!("/{kind}"));
        }
    }
    for key in ["", "no such", "a/b~c", "PK", "\u{0}", &"k".repeat(10_000)] {
        let reply = world.send("PUT", &format!("{member}/answers"), json!({ key: 1 })).await;
        assert_eq!((reply.status.as_u16(), reply.errors()[0].1.as_str()), (400, "unknown"), "{key:.20}");
    }
    let many: serde_json::Map<_, _> = (0..10_000).map(|nth| (format!("f{nth}"), json!(1))).collect();
    let reply = world.send("PUT", &format!("{member}/answers"), Value::Object(many)).await;
    assert!(reply.status == 400 && reply.text.len() < 20_000, "{}", reply.text.len());
    unchanged(&before, &world.muster.lasting().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_that_are_none_name_nothing() {
    let isolated = Isolated::start().await;
    let (muster, ana) = (&isolated.world.muster, &isolated.world.ana);
    let before = muster.lasting().await;
    let own = ["v1", "me", "users", "segments", "memberships", "members", "subscriptions", "keys", "uploads"];
    for route in &isolated.routes {
        let path = route.path.split('?').next().unwrap();
        for id in path.split('/').filter(|part| part.len() == 36 && !own.contains(part)) {
            for wrong in NO_IDS.into_iter().chain(["%00", &id.replace('-', ""), &"9".repeat(5000)]) {
                let path = path.replace(id, wrong);
                let call = muster.call(&route.method, &path).by(ana);
                let call = match &route.body {
                    Some(body) => call.json(body.clone()),
                    None => call,
                };
                let reply = call.send().await;
                assert_eq!(reply.status, 404, "{} {path:.80} {reply:?}", route.name);
            }
        }
    }
    unchanged(&before, &muster.lasting().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_out_of_range_or_unknown_are_refused_by_name() {
    let isolated = Isolated::start().await;
    let (muster, ana) = (&isolated.world.muster, &isolated.world.ana);
    let before = muster.lasting().await;
    let lists = isolated.routes.iter().filter(|route| route.query.iter().any(|name| name == "page[size]"));
    let of_any_list = [
        ("page[cursor]=x", "/page[cursor]"),
        ("page[cursor]=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "/page[cursor]"),
        ("sort=none", "/sort"),
        ("filter[none]=x", "/filter[none]"),
        ("filter=1", "/filter"),
        ("include=all", "/include"),
    ];
    let mut count = 0;
    for route in lists {
        count += 1;
        for (query, pointer) in WRONG_QUERIES.into_iter().chain(of_any_list) {
            let reply = muster.get(&format!("{}?{query}", route.path)).by(ana).send().await;
            assert_eq!(reply.status, 400, "{} {query} {reply:?}", route.name);
            named(&reply, pointer);
        }
        for filter in route.query.iter().filter(|name| name.ends_with("_at][gte]")) {
            let reply = muster.get(&format!("{}?{filter}=2026-02-30T00:00:00Z", route.path)).by(ana).send().await;
            named(&reply, &format!("/{filter}"));
        }
    }
    assert!(count >= 12, "{count} lists");
    for route in &isolated.routes {
        let more = if route.path.contains('?') { '&' } else { '?' };
        let call = muster.call(&route.method, &format!("{}{more}colour=red", route.path)).by(ana);
        let call = match &route.body {
            Some(body) => call.json(body.clone()),
            None => call,
        };
        let reply = call.send().await;
        assert_eq!(reply.status, 400, "{} {reply:?}", route.name);
        named(&reply, "/colour");
    }
    unchanged(&before, &muster.lasting().await);
}
