//! What each route costs is what `docs/access-patterns.md` says.

use std::collections::BTreeMap;

use local::{Cost, Meter, Options};
use serde_json::{Value, json};

use crate::dialects::{b2b, calls, identity, platform};
use crate::member_costs;
use crate::system::{Ana, Muster, PASSWORD};
use crate::uploads::club::{member, put, segment};
use crate::uploads::samples::PDF;

/// How the names of routes end that are measured with many rows.
const OF_MANY: &str = ", of 1,000 users";

const DOCUMENT: &str = include_str!("../../docs/access-patterns.md");

/// The rows `| route | calls | rounds | read units | write units |` of the document.
fn documented() -> BTreeMap<String, Cost> {
    let rows = DOCUMENT.lines().filter(|line| line.starts_with("| `"));
    let rows = rows.filter_map(|line| {
        let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [route, calls, rounds, read, write] = cells.as_slice() else { return None };
        let cost = Cost {
            operations: (*calls).to_owned(),
            rounds: rounds.parse().ok()?,
            read_units: read.parse().ok()?,
            write_units: write.parse().ok()?,
        };
        Some((route.trim_matches('`').to_owned(), cost))
    });
    rows.collect()
}

/// What routes were found to cost.
pub(crate) struct Costs {
    pub(crate) muster: Muster,
    meter: Meter,
    found: BTreeMap<String, Cost>,
    /// The minute in which the measuring began.
    minute: i64,
    /// Headers that are sent with each request.
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl Costs {
    /// Starts a system that does nothing but answer.
    async fn start() -> Self {
        let (meter, hour) = (Meter::default(), std::time::Duration::from_secs(3600));
        let options = Options {
            interceptor: Some(meter.interceptor()),
            reconcile_every: hour,
            transfer_every: hour,
            deliver_every: hour,
            ..Options::default()
        };
        let muster = Muster::with(options).await;
        Self { muster, meter, found: BTreeMap::new(), minute: 0, headers: Vec::new() }
    }

    /// Sends so many requests of a user.
    async fn use_up(&self, requests: u32, by: &Ana) {
        for _ in 0..requests {
            self.muster.get("/v1/users/me").by(by).send().await;
        }
    }

    /// Compares what was found with those rows of the document.
    fn agree_with_document(&self, is_measured: impl Fn(&str) -> bool) {
        let documented = documented();
        let wrong = self.found.iter().filter(|(route, cost)| documented.get(*route) != Some(cost));
        let rows = wrong.map(|(route, Cost { operations, rounds, read_units, write_units })| {
            format!("| `{route}` | {operations} | {rounds} | {read_units} | {write_units} |\n")
        });
        let rows: String = rows.collect();
        assert!(rows.is_empty(), "the document says otherwise:\n{rows}");
        let measured = documented.keys().filter(|route| is_measured(route));
        let unmeasured: Vec<_> = measured.filter(|route| !self.found.contains_key(*route)).collect();
        assert!(unmeasured.is_empty(), "not measured: {unmeasured:?}");
    }

    /// A dialect's route reads at most once more than those that it stands for, and `more` for a dearer credential.
    pub(crate) fn reads_at_most_one_more(&self, route: &str, stands_for: &[&str], more: u64) {
        let (has, may) = (self.reads(route), stands_for.iter().map(|one| self.reads(one)).sum::<u64>() + more + 1);
        assert!(has <= may, "{route} reads {has} times, {stands_for:?} allow {may}");
    }

    /// How often a route was found to read.
    pub(crate) fn reads(&self, route: &str) -> u64 {
        let calls = &self.found.get(route).unwrap_or_else(|| panic!("{route} is not measured")).operations;
        let reads = calls.split(", ").filter_map(|call| call.split_once(' '));
        let reads = reads.filter(|(_, name)| ["GetItem", "BatchGetItem", "Query"].contains(name));
        reads.map(|(count, _)| count.parse::<u64>().unwrap()).sum()
    }

    /// Measures one request, named as the document names it.
    pub(crate) async fn of(&mut self, route: &str, call: (&str, &str, Value), by: Option<&Ana>, status: u16) -> Value {
        let (method, path, body) = call;
        let mut call = self.muster.call(method, path);
        if !body.is_null() {
            call = call.json(body);
        }
        if let Some(ana) = by {
            call = call.by(ana);
        }
        for (name, value) in &self.headers {
            call = call.header(name, value);
        }
        if route.ends_with("Idempotency-Key") {
            call = call.header("idempotency-key", "k");
        }
        self.meter.take();
        let reply = call.send().await;
        assert_eq!(reply.status, status, "{route}: {reply:?}");
        self.found.insert(route.to_owned(), self.meter.take());
        reply.body
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_costs_what_the_document_says() {
    let minute = || domain::Time::now().seconds() / 60;
    // Limits are borrowed anew in each minute. A measurement that crossed a minute is repeated.
    for _ in 0..3 {
        let costs = measure_every_route().await;
        if minute() == costs.minute {
            return costs.agree_with_document(|route| !route.ends_with(OF_MANY));
        }
    }
    panic!("three times the routes took more than a minute");
}

async fn measure_every_route() -> Costs {
    let mut costs = Costs::start().await;
    // With most of a minute left, and 31 requests used up, the 32nd borrows for all that follow.
    begin_with_seconds_left(45).await;
    costs.minute = domain::Time::now().seconds() / 60;
    let ana = costs.muster.ana().await;
    costs.use_up(32, &ana).await;
    public(&mut costs).await;
    own(&mut costs, &ana).await;
    addresses(&mut costs, &ana).await;
    uploads(&mut costs, &ana).await;
    transfers(&mut costs).await;
    push(&mut costs).await;
    member_costs::measure(&mut costs).await;
    dialects(&mut costs).await;
    ending(&mut costs, &ana).await;
    crate::dialects::flows::costs::measure(&mut costs).await;
    costs
}

/// The cost of a page must not grow with the segment.
#[tokio::test(flavor = "multi_thread")]
async fn pages_of_many_users_cost_what_the_document_says() {
    let mut costs = Costs::start().await;
    let ana = costs.muster.ana().await;
    let segment = costs.muster.made(&ana, "/v1/segments", json!({ "name": "Many" })).await;
    let users = format!("/v1/segments/{}/users", segment["id"].as_str().unwrap());
    for batch in 0..10 {
        let row = |nth: u32| {
            let last_name = if nth.is_multiple_of(3) { format!("Nunes{nth}") } else { format!("Ruiz{nth}") };
            let gender = if nth.is_multiple_of(2) { "FEMALE" } else { "MALE" };
            json!({ "email": format!("u{nth}@example.com"), "name": "Ana", "last_name": last_name, "gender": gender })
        };
        let rows: Vec<_> = (batch * 100..batch * 100 + 100).map(row).collect();
        let made = costs.muster.post(&format!("{users}/batch"), json!({ "users": rows })).by(&ana).send().await;
        assert_eq!(made.status, 200, "{made:?}");
    }
    begin_with_seconds_left(20).await;
    costs.use_up(64, &ana).await;
    for (about, query) in [
        ("", ""),
        (", page of 100", "?page[size]=100"),
        (", page 40", "?page[number]=40"),
        (", sort by name", "?sort=last_name"),
        (", filter on e-mail", "?filter[email]=u7@example.com"),
        (", filter on gender", "?filter[gender]=FEMALE"),
        (", filter on the beginning of a name", "?filter[last_name]=nunes*"),
        (", filter on two fields", "?filter[last_name]=nunes*&filter[email]=u9*"),
        ("/changes", "/changes?since=2026-01-01T00:00:00Z"),
        ("/changes, page of 20", "/changes?since=2026-01-01T00:00:00Z&page[size]=20"),
    ] {
        let route = format!("GET /v1/segments/{{segment}}/users{about}{OF_MANY}");
        costs.of(&route, ("GET", &format!("{users}{query}"), Value::Null), Some(&ana), 200).await;
    }
    costs.agree_with_document(|route| route.ends_with(OF_MANY));
}

/// Waits until a minute has so many seconds left.
async fn begin_with_seconds_left(seconds: u64) {
    let left = 60 - u64::try_from(domain::Time::now().seconds()).unwrap() % 60;
    if left < seconds {
        tokio::time::sleep(std::time::Duration::from_secs(left)).await;
    }
}

async fn dialects(costs: &mut Costs) {
    b2b::costs::measure(costs).await;
    platform::costs::measure(costs).await;
    identity::costs::measure(costs).await;
    calls::costs::measure(costs).await;
}

async fn public(costs: &mut Costs) {
    let sign_up = json!({ "email": "new@example.com", "name": "New", "password": PASSWORD });
    let user = costs.of("POST /v1/users", ("POST", "/v1/users", sign_up), None, 201).await;
    let id = user["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/users/{id}/verification/resend");
    costs.of("POST /v1/users/{user}/verification/resend", ("POST", &path, Value::Null), None, 202).await;
    let code = json!({ "code": costs.muster.code("new@example.com") });
    let path = format!("/v1/users/{id}/verification");
    costs.of("POST /v1/users/{user}/verification", ("POST", &path, code), None, 200).await;
    for (name, email, status) in [("", "new@example.com", 200), (", unknown", "nobody@example.com", 401)] {
        let body = json!({ "email": email, "password": PASSWORD });
        costs.of(&format!("POST /v1/auth/login{name}"), ("POST", "/v1/auth/login", body), None, status).await;
    }
    let recovery = json!({ "email": "new@example.com" });
    costs.of("POST /v1/auth/recovery", ("POST", "/v1/auth/recovery", recovery), None, 202).await;
    let unknown = json!({ "email": "nobody@example.com" });
    costs.of("POST /v1/auth/recovery, unknown", ("POST", "/v1/auth/recovery", unknown), None, 202).await;
    let wrong = [("wrong code", "new@example.com"), ("unknown", "nobody@example.com")];
    for (name, email) in wrong {
        let confirm = json!({ "email": email, "code": "wrong", "new_password": "staple battery horse" });
        let name = format!("POST /v1/auth/recovery/confirm, {name}");
        costs.of(&name, ("POST", "/v1/auth/recovery/confirm", confirm), None, 400).await;
    }
    let code = costs.muster.recovery_code("new@example.com");
    let confirm = json!({ "email": "new@example.com", "code": code, "new_password": "staple battery horse" });
    costs.of("POST /v1/auth/recovery/confirm", ("POST", "/v1/auth/recovery/confirm", confirm), None, 204).await;
}

async fn own(costs: &mut Costs, ana: &Ana) {
    let by = Some(ana);
    let refresh = json!({ "refresh_token": ana.refresh });
    costs.of("POST /v1/auth/refresh", ("POST", "/v1/auth/refresh", refresh), None, 200).await;
    costs.of("GET /v1/users/{user}", ("GET", "/v1/users/me", Value::Null), by, 200).await;
    costs.of("GET /v1/users/exists", ("GET", "/v1/users/exists?email=x@example.com", Value::Null), by, 200).await;
    let patch = |name: &str| ("PATCH", "/v1/users/me", json!({ "name": name }));
    costs.of("PATCH /v1/users/{user}", patch("A"), by, 200).await;
    costs.of("PATCH /v1/users/{user}, with Idempotency-Key", patch("B"), by, 200).await;
    costs.of("PATCH /v1/users/{user}, replayed Idempotency-Key", patch("B"), by, 200).await;
    let email = ("PATCH", "/v1/users/me", json!({ "email": "other@example.com" }));
    costs.of("PATCH /v1/users/{user}, e-mail", email, by, 200).await;
    let base = "/v1/users/me/email";
    let resend = format!("{base}/verification/resend");
    costs.of("POST /v1/users/{user}/email/verification/resend", ("POST", &resend, Value::Null), by, 202).await;
    costs
        .of("DELETE /v1/users/{user}/email/pending", ("DELETE", &format!("{base}/pending"), Value::Null), by, 204)
        .await;
    costs.muster.patch("/v1/users/me", json!({ "email": "other@example.com" })).by(ana).send().await;
    let code = json!({ "code": costs.muster.code("other@example.com") });
    costs
        .of("POST /v1/users/{user}/email/verification", ("POST", &format!("{base}/verification"), code), by, 200)
        .await;
    let password = json!({ "old_password": PASSWORD, "new_password": "staple battery horse" });
    costs.of("POST /v1/users/{user}/password", ("POST", "/v1/users/me/password", password), by, 204).await;
    costs.of("GET /v1/users/{user}/history", ("GET", "/v1/users/me/history", Value::Null), by, 200).await;
    sessions(costs, ana).await;
}

async fn sessions(costs: &mut Costs, ana: &Ana) {
    let by = Some(ana);
    for _ in 0..2 {
        assert_eq!(costs.muster.login("other@example.com", "staple battery horse").await.status, 200);
    }
    let (route, path) = ("/v1/users/{user}/sessions", "/v1/users/me/sessions");
    let listed = costs.of(&format!("GET {route}"), ("GET", path, Value::Null), by, 200).await;
    let one = format!("{path}/{}", crate::world::id(&listed["data"][0]));
    costs.of(&format!("DELETE {route}/{{session}}"), ("DELETE", &one, Value::Null), by, 204).await;
    costs.of(&format!("DELETE {route}"), ("DELETE", path, Value::Null), by, 204).await;
}

async fn addresses(costs: &mut Costs, ana: &Ana) {
    let by = Some(ana);
    let base = "/v1/users/me/addresses";
    let made = costs.of("POST /v1/users/{user}/addresses", ("POST", base, json!({ "alias": "a" })), by, 201).await;
    let twenty = Value::from(vec![json!({}); 20]);
    costs.of("POST /v1/users/{user}/addresses, twenty", ("POST", base, twenty), by, 201).await;
    costs.of("GET /v1/users/{user}/addresses", ("GET", base, Value::Null), by, 200).await;
    let filter = format!("{base}?filter[status]=true");
    costs.of("GET /v1/users/{user}/addresses, filter", ("GET", &filter, Value::Null), by, 200).await;
    let number = format!("{base}?page[size]=5&page[number]=3");
    costs.of("GET /v1/users/{user}/addresses, page 3", ("GET", &number, Value::Null), by, 200).await;
    let one = format!("{base}/{}", made["id"].as_str().unwrap());
    let deleted = format!("{base}?deleted=true");
    costs.of("GET /v1/users/{user}/addresses, deleted", ("GET", &deleted, Value::Null), by, 200).await;
    costs.of("GET /v1/users/{user}/addresses/{address}", ("GET", &one, Value::Null), by, 200).await;
    let patch = json!({ "alias": "b" });
    costs.of("PATCH /v1/users/{user}/addresses/{address}", ("PATCH", &one, patch), by, 200).await;
    costs.of("DELETE /v1/users/{user}/addresses/{address}", ("DELETE", &one, Value::Null), by, 204).await;
}

async fn uploads(costs: &mut Costs, ana: &Ana) {
    let bob = costs.muster.ana().await;
    let segment = segment(&costs.muster, ana).await;
    let member = member(&costs.muster, ana, segment, &bob).await;
    let by = Some(ana);
    let file = json!({
        "segment_id": segment, "filename": "a.pdf", "content_type": "application/pdf", "size": PDF.len()
    });
    let of_member = json!({ "member_id": member.id, "field": "tax_certificate" });
    costs.of("POST /v1/uploads", ("POST", "/v1/uploads", file.clone()), by, 201).await;
    let mut file = file;
    file.as_object_mut().unwrap().extend(of_member.as_object().unwrap().clone());
    let begun = costs.of("POST /v1/uploads, for a member's field", ("POST", "/v1/uploads", file), by, 201).await;
    arrival(costs, &begun).await;
    let one = format!("/v1/uploads/{}", begun["id"].as_str().unwrap());
    costs.of("GET /v1/uploads/{upload}", ("GET", &one, Value::Null), by, 200).await;
    // The second request of a minute borrows for the third.
    for _ in 0..2 {
        costs.muster.get("/v1/users/me").by(&bob).send().await;
    }
    let itself = ("GET", one.as_str(), Value::Null);
    costs.of("GET /v1/uploads/{upload}, by the member itself", itself, Some(&bob), 200).await;
    let content = format!("{one}/content");
    costs.of("GET /v1/uploads/{upload}/content", ("GET", &content, Value::Null), by, 302).await;
    costs.of("DELETE /v1/uploads/{upload}", ("DELETE", &one, Value::Null), by, 204).await;
}

/// A file that can be imported: its upload.
async fn table(muster: &Muster, ana: &Ana, segment: Value) -> Value {
    let file = json!({ "segment_id": segment, "filename": "a.csv", "content_type": "text/csv", "size": 6 });
    let begun = muster.made(ana, "/v1/uploads", file).await;
    assert_eq!(put(&begun, b"email\n", &[]).await.status, 200);
    let upload = format!("/v1/uploads/{}", begun["id"].as_str().unwrap());
    while muster.get(&upload).by(ana).send().await.body["status"] == "PENDING" {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    begun["id"].clone()
}

async fn transfers(costs: &mut Costs) {
    let ana = &costs.muster.ana().await;
    for _ in 0..32 {
        costs.muster.get("/v1/users/me").by(ana).send().await;
    }
    let segment = segment(&costs.muster, ana).await;
    let by = Some(ana);
    let upload = table(&costs.muster, ana, json!(segment)).await;
    let import = json!({ "upload_id": upload, "format": "csv" });
    for (kind, file, body) in [("import", "report", import), ("export", "content", json!({ "format": "csv" }))] {
        let (base, one) =
            (format!("/v1/segments/{{segment}}/{kind}s"), format!("/v1/segments/{{segment}}/{kind}s/{{{kind}}}"));
        let path = format!("/v1/segments/{segment}/{kind}s");
        let made = costs.of(&format!("POST {base}"), ("POST", &path, body), by, 201).await;
        costs.of(&format!("GET {base}"), ("GET", &path, Value::Null), by, 200).await;
        let path = format!("{path}/{}", made["id"].as_str().unwrap());
        costs.of(&format!("GET {one}"), ("GET", &path, Value::Null), by, 200).await;
        costs.of(&format!("DELETE {one}, under way"), ("DELETE", &path, Value::Null), by, 204).await;
        let file = (format!("GET {one}/{file}"), format!("{path}/{file}"));
        costs.of(&file.0, ("GET", &file.1, Value::Null), by, 409).await;
        costs.of(&format!("DELETE {one}"), ("DELETE", &path, Value::Null), by, 204).await;
    }
}

async fn push(costs: &mut Costs) {
    let ana = &costs.muster.ana().await;
    for _ in 0..32 {
        costs.muster.get("/v1/users/me").by(ana).send().await;
    }
    let segment = segment(&costs.muster, ana).await;
    let users = format!("/v1/segments/{segment}/users");
    let (first, second) = (json!({ "email": "first@example.com" }), json!({ "email": "second@example.com" }));
    let first = format!("/v1/users/{}/devices", crate::world::id(&costs.muster.made(ana, &users, first).await));
    let second = format!("/v1/users/{}/devices", crate::world::id(&costs.muster.made(ana, &users, second).await));
    devices(costs, ana, (&first, &second)).await;
    let user = first.split('/').nth(3).unwrap();
    notifications(costs, ana, &format!("/v1/segments/{segment}/notifications"), user).await;
}

async fn devices(costs: &mut Costs, ana: &Ana, (first, second): (&str, &str)) {
    let (by, route) = (Some(ana), "POST /v1/users/{user}/devices");
    let phone = json!({ "platform": "fcm", "token": "a-token-of-a-phone" });
    let newer = json!({ "platform": "fcm", "token": "a-token-of-a-phone", "app_version": "2" });
    costs.of(route, ("POST", first, phone.clone()), by, 201).await;
    costs.of(&format!("{route}, again"), ("POST", first, phone), by, 201).await;
    costs.of(&format!("{route}, again with another version"), ("POST", first, newer.clone()), by, 201).await;
    let made = costs.of(&format!("{route}, another user's"), ("POST", second, newer), by, 201).await;
    costs.of("GET /v1/users/{user}/devices", ("GET", second, Value::Null), by, 200).await;
    let one = format!("{second}/{}", crate::world::id(&made));
    costs.of("GET /v1/users/{user}/devices/{device}", ("GET", &one, Value::Null), by, 200).await;
    costs.of("DELETE /v1/users/{user}/devices/{device}", ("DELETE", &one, Value::Null), by, 204).await;
}

async fn notifications(costs: &mut Costs, ana: &Ana, path: &str, user: &str) {
    let (by, route) = (Some(ana), "/v1/segments/{segment}/notifications");
    let later = domain::Time::now().plus(std::time::Duration::from_secs(3600));
    let body = json!({ "title": "a", "body": "b", "schedule": later });
    let named = json!({ "title": "a", "body": "b", "schedule": later, "user_ids": [user] });
    costs.of(&format!("POST {route}, to named users"), ("POST", path, named), by, 202).await;
    let made = costs.of(&format!("POST {route}"), ("POST", path, body), by, 202).await;
    costs.of(&format!("GET {route}"), ("GET", path, Value::Null), by, 200).await;
    let (one, route) = (format!("{path}/{}", crate::world::id(&made)), format!("{route}/{{notification}}"));
    costs.of(&format!("GET {route}"), ("GET", &one, Value::Null), by, 200).await;
    costs.of(&format!("DELETE {route}, scheduled"), ("DELETE", &one, Value::Null), by, 204).await;
    costs.of(&format!("DELETE {route}"), ("DELETE", &one, Value::Null), by, 204).await;
}

/// Sends the file, and measures its check.
async fn arrival(costs: &mut Costs, begun: &Value) {
    costs.meter.take();
    assert_eq!(put(begun, PDF, &[]).await.status, 200);
    let key = files::ObjectKey::quarantine(begun["id"].as_str().unwrap().parse().unwrap());
    while costs.muster.functions.files.head(&key).await.is_ok() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    costs.found.insert("arrivals".to_owned(), costs.meter.take());
}

async fn ending(costs: &mut Costs, ana: &Ana) {
    costs.of("DELETE /v1/users/{user}", ("DELETE", "/v1/users/me", Value::Null), Some(ana), 204).await;
    let path = format!("/v1/users/{}/restoration", ana.id);
    let password = json!({ "password": "staple battery horse" });
    costs.of("POST /v1/users/{user}/restoration", ("POST", &path, password), None, 200).await;
    let login = costs.muster.login("other@example.com", "staple battery horse").await;
    let ana = Ana::of(ana.email.clone(), &login);
    let logout = json!({ "refresh_token": ana.refresh });
    costs.of("POST /v1/auth/logout", ("POST", "/v1/auth/logout", logout), Some(&ana), 204).await;
    let eve = costs.muster.ana().await;
    costs.muster.address(&eve, "Home").await;
    // The second request of a minute borrows for the third.
    costs.muster.get("/v1/users/me").by(&eve).send().await;
    costs
        .of("DELETE /v1/users/{user}?purge=true", ("DELETE", "/v1/users/me?purge=true", Value::Null), Some(&eve), 204)
        .await;
}
