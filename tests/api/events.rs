//! The events under `events/`, replayed as Lambda would hand them over.

use std::collections::BTreeMap;
use std::path::Path;

use domain::field::Body as _;
use edge::Invocation;
use serde_json::{Value, json};

use crate::imports::{begun_export, begun_import};
use crate::limits::within_a_minute;
use crate::system::{Ana, Muster, PASSWORD};
use crate::uploads::club::{id, put, segment};
use crate::uploads::samples::PDF;
use crate::world::id as id_of;

/// Some of the ids that events were written with.
const SEGMENT: &str = "0199d2a4-5c00-7000-8000-0000000005e6";
const UPLOAD: &str = "0199d2a4-5c00-7000-8000-000000000f11";
const STATUS: &str = "0199d2a4-5c00-7000-8000-0000000057a1";
const PARTNER: &str = "0199d2a4-5c00-7000-8000-00000000ba01";
const IMPORT: &str = "0199d2a4-5c00-7000-8000-000000001a01";
const EXPORT: &str = "0199d2a4-5c00-7000-8000-000000000e01";
const DEVICE: &str = "0199d2a4-5c00-7000-8000-00000000dc01";
const NOTIFICATION: &str = "0199d2a4-5c00-7000-8000-00000000b001";
const PRODUCT: &str = "0199d2a4-5c00-7000-8000-000000000d01";
const DEVELOPER: &str = "0199d2a4-5c00-7000-8000-00000000de01";
const EVENT: &str = "0199d2a4-5c00-7000-8000-00000000e0e1";
const WEBHOOK: &str = "0199d2a4-5c00-7000-8000-00000000eb01";
const SUBSCRIBER: &str = "0199d2a4-5c00-7000-8000-000000000002";

pub(crate) fn events() -> BTreeMap<String, Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../events");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let files = files.filter(|file| file.extension().is_some_and(|extension| extension == "json"));
    let read = |file: std::path::PathBuf| {
        let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
        (name, serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap())
    };
    files.map(read).collect()
}

/// `METHOD /path` of an event, if it is one of a route.
fn route(event: &Value) -> Option<String> {
    let key = event["routeKey"].as_str()?;
    let Some((_, path)) = key.split_once(' ') else { return Some(key.to_owned()) };
    Some(format!("{} {path}", event["requestContext"]["http"]["method"].as_str()?))
}

/// Puts what exists here in the place of what an event was written with.
fn fitted(event: &Value, ana: &Ana, address: &str) -> String {
    let mut event = event.clone();
    for (name, value) in [("user", ana.id.as_str()), ("address", address)] {
        let Some(before) = event["pathParameters"][name].as_str().map(str::to_owned) else { continue };
        if before == "me" {
            continue;
        }
        event = serde_json::from_str(&event.to_string().replace(&before, value)).unwrap();
    }
    event.to_string().replace("ACCESS_TOKEN", &ana.access)
}

/// Puts a segment of this user, and what is in it, in the place of what the event names by its path.
async fn with_segment(muster: &Muster, ana: &Ana, event: &Value) -> Value {
    let named = |name: &str| event["pathParameters"][name].as_str();
    if !["segment", "key", "membership", "member", "subscription"].into_iter().any(|name| named(name).is_some()) {
        return event.clone();
    }
    let made = |path: String, body: Value| async move {
        let reply = muster.post(&path, body).by(ana).send().await;
        assert_eq!(reply.status, 201, "{reply:?}");
        reply.body["id"].as_str().unwrap().to_owned()
    };
    let segment = made("/v1/segments".to_owned(), json!({ "name": "Card users" })).await;
    let of_segment = format!("/v1/segments/{segment}");
    let of_key = if named("segment").is_some() { of_segment.as_str() } else { "/v1" };
    let key = made(format!("{of_key}/keys"), json!({ "name": "Site", "scopes": ["read"] })).await;
    let catalog = made(format!("{of_segment}/catalogs"), json!({ "name": "Banks", "options": [] })).await;
    let membership = made(format!("{of_segment}/memberships"), json!({ "name": "Club" })).await;
    let of_membership = format!("/v1/memberships/{membership}");
    let level = json!({ "name": "Blue", "number": 1, "from_point": 0, "to_point": 100 });
    let level = made(format!("{of_membership}/levels"), level).await;
    let options = json!([{ "key": "bbva", "value": "BBVA" }]);
    let field = json!({ "key": "bank", "name": "Bank", "type": "dropdown", "options": options, "searchable": true });
    let field = made(format!("{of_membership}/fields"), field).await;
    let member = made(format!("{of_membership}/members"), json!({ "name": "Ana" })).await;
    let ids = [
        ("segment", segment),
        ("key", key),
        ("catalog", catalog),
        ("membership", membership),
        ("level", level),
        ("field", field),
        ("member", member),
    ];
    let written = ids.iter().filter_map(|(name, id)| Some((named(name)?, id)));
    let fitted = written.fold(event.to_string(), |text, (before, id)| text.replace(before, id));
    let event = serde_json::from_str(&fitted).unwrap();
    with_offers(muster, ana, (&of_segment, event)).await
}

/// Puts what users of the segment have, and what they subscribe to, in the place of what the event names.
async fn with_offers(muster: &Muster, ana: &Ana, (segment, event): (&str, Value)) -> Value {
    let made = async |path: &str, body: Value| {
        let reply = muster.post(&format!("{segment}{path}"), body).by(ana).send().await;
        assert_eq!(reply.status, 201, "{reply:?}");
        reply.body["id"].as_str().unwrap().to_owned()
    };
    let mut text = event.to_string();
    for (written, path, body) in [
        (STATUS, "/statuses", json!({ "name": "New" })),
        (PARTNER, "/partners", json!({ "commercial_name": "A" })),
        (PRODUCT, "/products", json!({ "title": "Course" })),
        (WEBHOOK, "/webhooks", json!({ "url": "https://example.com/", "status": "DISABLED" })),
    ] {
        if text.contains(written) {
            text = text.replace(written, &made(path, body).await);
        }
    }
    if let Some(written) = event["pathParameters"]["subscription"].as_str() {
        let product = made("/products", json!({ "title": "Course" })).await;
        let subscription = made("/subscriptions", json!({ "user_id": ana.id, "product_id": product })).await;
        text = text.replace(written, &subscription);
    }
    if text.contains(EVENT) {
        let told = muster.get(&format!("{segment}/events")).by(ana).send().await;
        text = text.replace(EVENT, told.body["data"][0]["id"].as_str().unwrap());
    }
    serde_json::from_str(&text.replace(SUBSCRIBER, &ana.id)).unwrap()
}

/// The event of `flows`, with things of this user in the place of those that such events name.
async fn with_flows(muster: &Muster, ana: &Ana, event: String) -> String {
    let made = async |path: &str, body: Value| {
        let reply = muster.post(&format!("/flows/{path}"), body).by(ana).send().await;
        assert_eq!(reply.status, 201, "{reply:?}");
        reply.body["id"].as_str().unwrap().to_owned()
    };
    let address = made("address", json!({ "owner_id": ana.id })).await;
    let segment = made("segment", json!({ "name": "Card users" })).await;
    let membership = made("membership", json!({ "segment_id": segment, "name": "Club" })).await;
    let level =
        json!({ "membership_id": membership, "name": "Blue", "number_level": 1, "from_point": 0, "to_point": 9 });
    let level = made("membership-level", level).await;
    let field = json!({ "membership_id": membership, "name": "Name", "type": "string" });
    let field = made("membership-custom-field", field).await;
    let member = made("membership-user", json!({ "membership_id": membership, "name": "Ana" })).await;
    let written = [
        ("0199d2a4-5c00-7000-8000-000000000001", &ana.id),
        ("0199d2a4-5c00-7000-8000-0000000000a1", &address),
        (SEGMENT, &segment),
        ("0199d2a4-5c00-7000-8000-00000000ab01", &membership),
        ("0199d2a4-5c00-7000-8000-000000001e01", &level),
        ("0199d2a4-5c00-7000-8000-00000000f1e1", &field),
        ("0199d2a4-5c00-7000-8000-00000000ae01", &member),
    ];
    written.into_iter().fold(event, |event, (before, id)| event.replace(before, id))
}

/// The event of a dialect, with a segment of this user that has what such events name.
async fn with_dialect(muster: &Muster, ana: &Ana, event: String) -> String {
    let segment = crate::world::id(&muster.made(ana, "/v1/segments", json!({ "name": "Card users" })).await);
    let of_segment = format!("/v1/segments/{segment}");
    let user = json!({ "reference_id": "erp-1", "email": "ana.lopez@example.com" });
    muster.made(ana, &format!("{of_segment}/users"), user).await;
    let partner = json!({ "reference_id": "erp-77", "commercial_name": "Café Sur" });
    muster.made(ana, &format!("{of_segment}/partners"), partner).await;
    event.replace(SEGMENT, &segment)
}

/// The event of a call, with a key of this user, and a person in its segment who has what such events name.
async fn with_key(muster: &Muster, ana: &Ana, event: String) -> String {
    let segment = crate::world::id(&muster.made(ana, "/v1/segments", json!({ "name": "Card users" })).await);
    let of_segment = format!("/v1/segments/{segment}");
    let user = muster.made(ana, &format!("{of_segment}/users"), json!({ "email": "ana.lopez@example.com" })).await;
    let number = muster.post(&format!("/v1/users/{}/number", crate::world::id(&user)), json!({})).by(ana).send().await;
    let product = json!({ "title": "Pottery", "reference_id": "course-1" });
    muster.made(ana, &format!("{of_segment}/products"), product).await;
    if event.contains("set_status") {
        muster.made(ana, &format!("{of_segment}/statuses"), json!({ "name": "New" })).await;
    }
    let (id, secret) = muster.key(ana, "/v1/keys", &["read", "write", "admin"]).await;
    let event = event.replace("API_ID", &id).replace("API_TOKEN", &secret);
    event.replace("1829304758", &number.body["number"].to_string())
}

/// A user of a segment of this user's, in the place of the user whom an event names: nobody does that to itself.
async fn with_managed(muster: &Muster, ana: &Ana, event: String) -> String {
    let segment = crate::world::id(&muster.made(ana, "/v1/segments", json!({ "name": "Card users" })).await);
    let path = format!("/v1/segments/{segment}/users");
    let user = muster.made(ana, &path, json!({ "email": "ana.lopez@example.com" })).await;
    event.replace(&ana.id, &crate::world::id(&user))
}

/// The event of an import or export, with those and a file that its segment has.
async fn with_transfers(muster: &Muster, ana: &Ana, event: String) -> String {
    let named: Value = serde_json::from_str(&event).unwrap();
    let segment = named["pathParameters"]["segment"].as_str().unwrap();
    let body = json!({ "segment_id": segment, "filename": "a.csv", "content_type": "text/csv", "size": 6 });
    let begun = muster.post("/v1/uploads", body).by(ana).send().await;
    assert_eq!(put(&begun.body, b"email\n", &[]).await.status, 200, "{begun:?}");
    let path = format!("/v1/uploads/{}", id(&begun));
    while muster.get(&path).by(ana).send().await.body["status"] == "PENDING" {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let (import, export) = (begun_import(muster, ana, segment).await, begun_export(muster, ana, segment).await);
    event.replace(UPLOAD, &id(&begun)).replace(IMPORT, &import).replace(EXPORT, &export)
}

/// The event, with a device of this user and a notification that its segment has.
async fn with_push(muster: &Muster, ana: &Ana, event: String) -> String {
    let named: Value = serde_json::from_str(&event).unwrap();
    let device = json!({ "platform": "fcm", "token": "a-token-of-a-phone" });
    let device = muster.post("/v1/users/me/devices", device).by(ana).send().await;
    let event = event.replace(DEVICE, &id(&device));
    let Some(segment) = named["pathParameters"]["segment"].as_str() else { return event };
    let later = domain::Time::now().plus(std::time::Duration::from_secs(3600));
    let body = json!({ "title": "Hello", "body": "Later.", "schedule": later });
    let begun = muster.post(&format!("/v1/segments/{segment}/notifications"), body).by(ana).send().await;
    event.replace(NOTIFICATION, &id(&begun))
}

/// The event, with a segment of this user and an upload whose file was accepted.
async fn with_upload(muster: &Muster, ana: &Ana, event: String) -> String {
    let segment = segment(muster, ana).await.to_string();
    let body = json!({
        "segment_id": segment, "filename": "a.pdf", "content_type": "application/pdf", "size": PDF.len()
    });
    let begun = muster.post("/v1/uploads", body).by(ana).send().await;
    assert_eq!(put(&begun.body, PDF, &[]).await.status, 200, "{begun:?}");
    let path = format!("/v1/uploads/{}", id(&begun));
    while muster.get(&path).by(ana).send().await.body["status"] == "PENDING" {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    event.replace(SEGMENT, &segment).replace(UPLOAD, &id(&begun))
}

/// The status that the functions answer an event with.
pub(crate) async fn replay(muster: &Muster, event: &str) -> (u16, Value) {
    let request = serde_json::from_str(event).unwrap();
    let invocation = Invocation {
        request_id: "an-invocation".to_owned(),
        time_left: edge::FUNCTION_TIMEOUT,
        base_path: String::new(),
    };
    let response = edge::respond(muster.functions.routes(), request, &invocation).await.unwrap();
    (response.status_code, serde_json::from_str(&response.body).unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_an_event_for_each_route() {
    let muster = Muster::start().await;
    let document = muster.get("/openapi.json").send().await.body;
    let mut routes = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        routes.extend(item.as_object().unwrap().keys().map(|method| format!("{} {path}", method.to_uppercase())));
    }
    let keys: Vec<_> = events().values().filter_map(route).collect();
    for route in routes {
        assert!(keys.contains(&route), "no event for {route}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_event_reaches_its_handler() {
    for (name, event) in events() {
        let Some(route) = route(&event) else { continue };
        if name.starts_with("platform-") || name.starts_with("identity-") {
            // See `events.rs` of these dialects.
            continue;
        }
        let muster = Muster::start().await;
        let ana = muster.ana().await;
        let event = with_segment(&muster, &ana, &event).await;
        let address = muster.address(&ana, "Home").await;
        let mut event = fitted(&event, &ana, &address);
        if name.starts_with("imports-") {
            event = with_transfers(&muster, &ana, event).await;
        }
        if name.starts_with("flows-") {
            event = with_flows(&muster, &ana, event).await;
        }
        if name.starts_with("push-") {
            event = with_push(&muster, &ana, event).await;
        }
        if name.starts_with("uploads-") {
            event = with_upload(&muster, &ana, event).await;
        }
        if event.contains(DEVELOPER) {
            let made = muster.made(&ana, "/v1/developers", domain::DeveloperFields::example()).await;
            event = event.replace(DEVELOPER, &id_of(&made));
        }
        if name.starts_with("b2b-") {
            event = with_dialect(&muster, &ana, event).await;
        }
        if name.starts_with("calls-") {
            event = with_key(&muster, &ana, event).await;
        }
        if ["users-number", "users-record-emails", "users-create-magic-link"].contains(&name.as_str()) {
            event = with_managed(&muster, &ana, event).await;
        }
        let (status, body) = replay(&muster, &event).await;
        // What needs a secret of the moment, or names whom the event was written with, is refused in its own way.
        let expected: &[u16] = match name.as_str() {
            "auth-confirm-recovery" | "flows-confirm-recovery" | "users-verify" | "flows-validate-code" => &[400],
            "users-change-password" => &[204, 400],
            // The member is nobody's.
            "members-read-profile" => &[404],
            // The beginning of a file is none.
            "flows-upload-file" => &[201, 400],
            "flows-user-available" => &[404],
            "users-restore" => &[401, 409],
            "auth-login" | "auth-refresh" | "users-redeem-magic-link" => &[401],
            "keys-issue-token" | "keys-revoke-token" => &[401],
            "users-undo-email" | "users-show-undo" => &[200, 400],
            // No e-mail waits for its proof.
            "users-resend-email-code" | "users-verify-email" => &[409],
            "flows-log-in" | "flows-refresh-login" | "b2b-login" => &[401],
            "uploads-content" => &[302],
            // Whether it is over already.
            "imports-report" | "imports-content" => &[302, 409],
            // Its session is somebody else's or over.
            "docs-not-found" | "users-end-session" => &[404],
            "docs-swagger-ui" => &[200, 303, 307, 308],
            _ => &[200, 201, 202, 204],
        };
        assert!(expected.contains(&status), "{name} ({route}): {status} {body}");
        if route.contains(" /v1/") && event.contains(&ana.access) {
            let anonymous = event.replace(&ana.access, "nonsense");
            assert_eq!(replay(&muster, &anonymous).await.0, 401, "{name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_events_of_arrivals_are_understood() {
    let muster = Muster::start().await;
    for name in ["arrivals-created", "arrivals-scanned"] {
        let event = events()[name].clone();
        assert!(event.to_string().contains(&format!("quarantine/{UPLOAD}")), "{name}");
        muster.functions.arrivals().handle(event).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_calls_of_the_stream_and_of_its_schedule_are_understood() {
    let muster = Muster::start().await;
    let sender = muster.functions.events(::events::Bus::None);
    let answer = sender.handle(events()["events-stream"].clone(), domain::Time::now()).await.unwrap();
    assert_eq!(answer, json!({ "batchItemFailures": [] }));
    assert_eq!(sender.handle(events()["events-schedule"].clone(), domain::Time::now()).await.unwrap(), Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_events_of_transfers_are_understood() {
    let muster = Muster::start().await;
    let steps = events().into_iter().filter(|(name, _)| name.starts_with("transfers-"));
    let mut understood = 0;
    for (name, event) in steps {
        let step: transfers::Step = serde_json::from_value(event.clone()).unwrap();
        assert_eq!(serde_json::to_value(&step).unwrap(), event, "{name}");
        // Nobody has such an import.
        let stepped = muster.functions.transfers().step(step, domain::Time::now()).await.unwrap();
        assert!(stepped.done, "{name}");
        understood += 1;
    }
    assert_eq!(understood, 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_events_of_notifications_are_understood() {
    let muster = Muster::start().await;
    let named = (SEGMENT.parse().unwrap(), NOTIFICATION.parse().unwrap());
    for (name, expected) in [("due", vec![named]), ("written", vec![named]), ("look", vec![])] {
        let event = events()[&format!("notifications-{name}")].clone();
        let event: notifications::Event = serde_json::from_value(event).unwrap();
        assert_eq!(event.named(), expected, "{name}");
    }
    // Nobody has such a notification.
    let notifications = muster.functions.notifications(local::Outbox::default().sender());
    let left = notifications.send(named.0, named.1, domain::Time::now()).await.unwrap();
    assert_eq!(left, notifications::Left::Nothing);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_source_address_of_an_event_is_limited_and_no_header_changes_it() {
    let muster = Muster::with(local::Options { rate_limit_factor: 1, ..local::Options::default() }).await;
    within_a_minute().await;
    let mut event = events()["users-sign-up"].clone();
    let mut statuses = Vec::new();
    for nth in 0..25 {
        event["headers"]["x-forwarded-for"] = format!("203.0.113.{nth}").into();
        event["body"] =
            json!({ "email": format!("a{nth}@example.com"), "name": "A", "password": PASSWORD }).to_string().into();
        statuses.push(replay(&muster, &event.to_string()).await.0);
    }
    let made = statuses.iter().filter(|status| **status == 201).count();
    assert!(made == 10 || made == 20, "{statuses:?}");
}
