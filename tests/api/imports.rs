//! Imports and exports of a segment's users.

mod exports;
mod killed;
mod spreadsheets;

use std::collections::BTreeMap;
use std::time::Duration;

use domain::{
    Act, Actor, AuditAction, AuditEntry, AuditScope, Body as _, Export, ExportFields, ExportId, Import, ImportFields,
    ImportId, Time,
};
use local::Options;
use serde_json::{Value, json};

use crate::system::{Ana, Muster, Reply};
use crate::uploads::club::{get, put};
use crate::world::{World, id};

/// A world whose imports and exports are done at once.
async fn started() -> World {
    World::on(Muster::with(Options { transfer_every: Duration::from_millis(50), ..Options::default() }).await, club())
        .await
}

/// A world whose imports and exports are left to the test.
async fn still() -> World {
    let still = Duration::from_secs(3600);
    World::on(Muster::with(Options { transfer_every: still, ..Options::default() }).await, club()).await
}

fn club() -> Value {
    json!({ "name": "Club" })
}

/// An import that has not begun: its id.
pub(crate) async fn begun_import(muster: &Muster, ana: &Ana, segment: &str) -> String {
    let fields = ImportFields::parse(ImportFields::example()).unwrap();
    let of = (segment.parse().unwrap(), ana.id.parse().unwrap());
    let new = Import::new(ImportId::fresh(), of, Actor::User(of.1), fields, Time::now());
    let (scope, act) = (AuditScope::of_segment(of.1, of.0), Act::by_itself("test"));
    let audit = AuditEntry::new(AuditAction::ImportStarted, scope, new.id, act);
    muster.functions.app.store.create_import(&new, &audit).await.unwrap();
    new.id.to_string()
}

/// An export that has not begun: its id.
pub(crate) async fn begun_export(muster: &Muster, ana: &Ana, segment: &str) -> String {
    let fields = ExportFields::parse(ExportFields::example()).unwrap();
    let of = (segment.parse().unwrap(), ana.id.parse().unwrap());
    let new = Export::new(ExportId::fresh(), of, fields, Time::now());
    let (scope, act) = (AuditScope::of_segment(of.1, of.0), Act::by_itself("test"));
    let audit = AuditEntry::new(AuditAction::ExportStarted, scope, new.id, act);
    muster.functions.app.store.create_export(&new, &audit).await.unwrap();
    new.id.to_string()
}

impl World {
    fn of_segment(&self, rest: &str) -> String {
        format!("/v1/segments/{}/{rest}", self.segment)
    }

    /// Sends a file and waits until it has been checked: its upload.
    async fn sent(&self, content_type: &str, bytes: &[u8]) -> Value {
        let body = json!({
            "segment_id": self.segment, "filename": "users", "content_type": content_type, "size": bytes.len()
        });
        let begun = self.muster.made(&self.ana, "/v1/uploads", body).await;
        assert_eq!(put(&begun, bytes, &[]).await.status, 200);
        self.until(&format!("/v1/uploads/{}", id(&begun)), |upload| upload.body["status"] != "PENDING").await.body
    }

    /// Begins an import of a file: its path.
    pub(crate) async fn imported(&self, format: &str, file: impl AsRef<[u8]>, more: Value) -> String {
        let content_type = if format == "csv" { "text/csv" } else { "application/x-ndjson" };
        let upload = self.sent(content_type, file.as_ref()).await;
        assert_eq!(upload["status"], "AVAILABLE", "{upload}");
        let mut body = json!({ "upload_id": upload["id"], "format": format });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let begun = self.muster.made(&self.ana, &self.of_segment("imports"), body).await;
        self.of_segment(&format!("imports/{}", id(&begun)))
    }

    /// Waits until an import or export is over.
    async fn over(&self, path: &str) -> Value {
        let open = |reply: &Reply| matches!(reply.body["status"].as_str(), Some("PENDING" | "RUNNING"));
        self.until(path, |reply| !open(reply)).await.body
    }

    /// The rows of a report, or of an export.
    async fn fetched(&self, path: &str) -> String {
        let found = self.get(path).await;
        assert_eq!(found.status, 302, "{found:?}");
        let file = get(found.header("location")).await;
        assert_eq!(file.status, 200);
        String::from_utf8(file.bytes).unwrap()
    }

    async fn report(&self, import: &str) -> Vec<Value> {
        let report = self.fetched(&format!("{import}/report")).await;
        report.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The users of the segment, by their e-mails.
    async fn users(&self) -> BTreeMap<String, Value> {
        let (mut users, mut next) = (BTreeMap::new(), Some(self.of_segment("users?page[size]=100")));
        while let Some(path) = next {
            let page = self.read(&path).await;
            for user in page["data"].as_array().unwrap() {
                users.insert(user["email"].as_str().unwrap_or(user["id"].as_str().unwrap()).to_owned(), user.clone());
            }
            next = page["links"]["next"].as_str().map(str::to_owned);
        }
        users
    }
}

/// The counts of an import: created, updated, unchanged, failed.
fn counts(import: &Value) -> [u64; 4] {
    let count = |name: &str| import[name].as_u64().unwrap();
    let counts = ["created", "updated", "unchanged", "failed"].map(count);
    assert_eq!(count("read_rows"), counts.iter().sum::<u64>(), "{import}");
    counts
}

/// The pointers and codes of a row's errors.
fn errors(row: &Value) -> Vec<(&str, &str)> {
    let errors = row["errors"].as_array().unwrap().iter();
    errors.map(|error| (error["pointer"].as_str().unwrap(), error["code"].as_str().unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_row_of_a_table_becomes_a_user_or_is_told_why_not() {
    let world = started().await;
    let file = "\u{feff}email;name;identification.type;identification.value;operation_country;metadata.note;metadata.plan\r\n\
        ana@example.com;Ana;DNI;20.123.456;ARG;\"Calle\n\"\"1\"\"\";gold\r\n\
        \r\n\
        ;Nobody;;;;;\r\n\
        eva@example.com;;DNI;1;ARG;;\r\n\
        ANA@example.com;Again;;;;;\r\n\
        bob@example.com;Bob;;;;;;x;\r\n\
        ;;\u{a0}; ;;;\r\n\
        nonsense;\"x;\"\"y\";;;XX;;\r\n\
        zoe@example.com;Zoë;;;;;";
    let path = world.imported("csv", file, json!({})).await;
    let import = world.over(&path).await;
    assert_eq!(
        (&import["status"], &import["total_rows"], &import["kind"]),
        (&json!("COMPLETED"), &json!(7), &json!("import"))
    );
    assert_eq!((counts(&import), import["reason"].is_null()), ([2, 0, 0, 5], true), "{import}");
    assert!(import["started_at"].is_string() && import["finished_at"].is_string());
    let report = world.report(&path).await;
    let told: Vec<_> =
        report.iter().map(|row| (row["row"].as_u64().unwrap(), row["line"].as_u64().unwrap(), errors(row))).collect();
    let expected = [
        (1, 2, vec![]),
        (2, 5, vec![("/email", "required")]),
        (3, 6, vec![("/identification/value", "invalid_document")]),
        (4, 7, vec![("/email", "taken")]),
        (5, 8, vec![("", "too_many_cells")]),
        (6, 10, vec![("/email", "invalid_email"), ("/operation_country", "invalid_country")]),
        (7, 11, vec![]),
    ];
    assert_eq!(told, expected, "{report:#?}");
    let users = world.users().await;
    assert_eq!(users.keys().collect::<Vec<_>>(), ["ana@example.com", "zoe@example.com"]);
    let ana = &users["ana@example.com"];
    assert_eq!(ana["id"], report[0]["id"]);
    assert_eq!(ana["identification"], json!({ "type": "DNI", "value": "20123456", "display": "20.123.456" }));
    assert_eq!(ana["metadata"], json!({ "note": "Calle\n\"1\"", "plan": "gold" }));
    assert_eq!((&users["zoe@example.com"]["name"], &ana["status"]), (&json!("Zoë"), &json!("ACTIVE")));
    let history = world.read(&format!("/v1/users/{}/history", ana["id"].as_str().unwrap())).await;
    assert_eq!(history["data"][0]["actor"], json!({ "type": "user", "id": world.ana.id }), "{history}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_is_the_body_of_a_new_user() {
    let world = started().await;
    let file = "{\"email\":\"ana@example.com\",\"identification\":{\"type\":\"DNI\",\"value\":20123456},\"operation_country\":\"ARG\"}\n\n\
        {\"email\":\"eva@example.com\",\"metadata\":{\"a\":1.50}}\r\n{\"email\":\n[1]\n\
        {\"email\":\"bob@example.com\",\"password\":\"correct horse battery\",\"status\":\"ACTIVE\"}";
    let path = world.imported("ndjson", file, json!({})).await;
    let import = world.over(&path).await;
    assert_eq!(counts(&import), [2, 0, 0, 3], "{import}");
    let report = world.report(&path).await;
    let told: Vec<_> = report.iter().map(|row| (row["line"].as_u64().unwrap(), errors(row))).collect();
    let expected = [
        (1, vec![]),
        (3, vec![]),
        (4, vec![("", "malformed")]),
        (5, vec![("", "invalid_type")]),
        (6, vec![("/status", "unknown"), ("/password", "unknown")]),
    ];
    assert_eq!(told, expected, "{report:#?}");
    let users = world.users().await;
    assert_eq!(users["eva@example.com"]["metadata"].to_string(), "{\"a\":1.50}");
    assert_eq!(users["ana@example.com"]["identification"]["value"], "20123456");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rehearsal_tells_what_would_be_and_writes_nothing() {
    let world = started().await;
    let users = world.of_segment("users");
    world.muster.made(&world.ana, &users, json!({ "email": "ana@example.com", "reference_id": "1" })).await;
    world.muster.made(&world.ana, &users, json!({ "email": "eva@example.com", "reference_id": "2" })).await;
    let before = world.muster.items("U#").await.len();
    let file = "email,reference_id,name,parent_id\nana@example.com,,,\nbob@example.com,3,,\nBOB@example.com,4,,\n\
        zoe@example.com,2,,\nkim@example.com,5,,0199d2a4-5c00-7000-8000-000000000001\n";
    let path = world.imported("csv", file, json!({ "dry_run": true })).await;
    let import = world.over(&path).await;
    assert_eq!((counts(&import), &import["dry_run"]), ([1, 0, 0, 4], &json!(true)), "{import}");
    let report = world.report(&path).await;
    let told: Vec<_> = report.iter().map(|row| errors(row)).collect();
    let taken = |field| vec![(field, "taken")];
    let expected = [taken("/email"), vec![], taken("/email"), taken("/reference_id"), vec![("/parent_id", "unknown")]];
    assert_eq!(told, expected, "{report:#?}");
    let file = "email,reference_id\nana@example.com,1\nother@example.com,2\nana@example.com,2\nnew@example.com,7\n";
    let path = world.imported("csv", file, json!({ "dry_run": true, "match": "reference_id" })).await;
    let import = world.over(&path).await;
    assert_eq!(counts(&import), [1, 1, 1, 1], "{import}");
    assert_eq!(world.muster.items("U#").await.len(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_change_the_users_that_they_find() {
    let world = started().await;
    let users = world.of_segment("users");
    let new = |nth: usize, name: &str| json!({ "email": format!("a{nth}@example.com"), "reference_id": format!("r{nth}"), "name": name, "phone": "+5215512345678" });
    for nth in 0..3 {
        world.muster.made(&world.ana, &users, new(nth, "Ana")).await;
    }
    let file = "reference_id,name,email\nr0,Eva,\nr1,Ana,a1@example.com\nr9,New,a9@example.com\nr2,,a0@example.com\n,X,x@example.com\nr0,Zoë,\n";
    let path = world.imported("csv", file, json!({ "match": "reference_id" })).await;
    let import = world.over(&path).await;
    assert_eq!((counts(&import), &import["match"]), ([1, 2, 1, 2], &json!("reference_id")), "{import}");
    let report = world.report(&path).await;
    let statuses: Vec<_> = report.iter().map(|row| row["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["updated", "unchanged", "created", "failed", "failed", "updated"]);
    assert_eq!(
        (errors(&report[3]), errors(&report[4])),
        (vec![("/email", "taken")], vec![("/reference_id", "required")])
    );
    let found = world.users().await;
    let ana = &found["a0@example.com"];
    assert_eq!(
        (&ana["name"], &ana["phone"], &ana["version"]),
        (&json!("Zoë"), &json!("+5215512345678"), &json!(3)),
        "rows of one user come in their order, and empty cells change nothing"
    );
    let lines = "{\"email\":\"A1@example.com\",\"phone\":null}\n{\"email\":\"a2@example.com\",\"gender\":\"X\"}\n";
    let path = world.imported("ndjson", lines, json!({ "match": "email" })).await;
    let import = world.over(&path).await;
    assert_eq!(counts(&import), [0, 1, 0, 1], "{import}");
    assert_eq!(world.users().await["A1@example.com"]["phone"], Value::Null, "null clears");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_with_an_unknown_column_fails_as_a_whole() {
    let world = started().await;
    let path = world.imported("csv", "email,fullname\nana@example.com,Ana\n", json!({})).await;
    let import = world.over(&path).await;
    let reason = import["reason"].as_str().unwrap();
    assert!(reason.contains("\"fullname\"") && reason.contains("identification.type"), "{reason}");
    assert_eq!((&import["status"], counts(&import)), (&json!("FAILED"), [0; 4]));
    let report = world.get(&format!("{path}/report")).await;
    assert_eq!((report.status.as_u16(), report.errors()), (409, vec![(String::new(), "failed".to_owned())]));
    assert!(world.users().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_file_of_rows_that_has_arrived_can_be_imported() {
    let world = started().await;
    let imports = world.of_segment("imports");
    let csv = world.sent("text/csv", b"email\n").await;
    let begin = async |upload: &Value, format: &str| {
        world.send("POST", &imports, json!({ "upload_id": upload, "format": format })).await
    };
    let one = |pointer: &str, code: &str| vec![(pointer.to_owned(), code.to_owned())];
    assert_eq!(begin(&csv["id"], "ndjson").await.errors(), one("/format", "invalid_choice"));
    let nobodys = json!("0199d2a4-5c00-7000-8000-000000000f11");
    assert_eq!(begin(&nobodys, "csv").await.errors(), one("/upload_id", "unknown"));
    let pdf = world.sent("application/pdf", crate::uploads::samples::PDF).await;
    assert_eq!(begin(&pdf["id"], "csv").await.errors(), one("/upload_id", "invalid_choice"));
    let late = json!({ "segment_id": world.segment, "filename": "a", "content_type": "text/csv", "size": 9 });
    let late = world.muster.made(&world.ana, "/v1/uploads", late).await;
    assert_eq!(begin(&late["id"], "csv").await.errors(), one("/upload_id", "pending"));
    for (content_type, format, bytes) in [
        ("text/csv", "csv", b"email,name\na@b.example,Zo\xeb\0\n".as_slice()),
        ("application/x-ndjson", "ndjson", b"{\"email\":\"a@b.example\",\"name\":\"Zo\xeb\"}\n"),
    ] {
        let binary = world.sent(content_type, bytes).await;
        assert!(binary["reason"].as_str().unwrap().contains("UTF-8"), "{binary}");
        assert_eq!(begin(&binary["id"], format).await.errors(), one("/upload_id", "rejected"));
    }
    let big = |size: u64, kind: &str| json!({ "segment_id": world.segment, "filename": "a", "content_type": kind, "size": size });
    let most = 512 * 1024 * 1024;
    assert_eq!(world.send("POST", "/v1/uploads", big(most, "text/csv")).await.status, 201);
    for (size, kind) in [(most + 1, "text/csv"), (most, "application/pdf")] {
        assert_eq!(world.send("POST", "/v1/uploads", big(size, kind)).await.errors(), one("/size", "out_of_range"));
    }
    let other = world.muster.made(&world.ana, "/v1/segments", json!({ "name": "Other" })).await;
    let path = format!("/v1/segments/{}/imports", id(&other));
    let foreign = world.send("POST", &path, json!({ "upload_id": csv["id"], "format": "csv" })).await;
    assert_eq!(foreign.errors(), one("/upload_id", "unknown"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_without_rows_makes_nobody() {
    let world = started().await;
    for (format, file) in [("csv", "email,name\n"), ("ndjson", "\n")] {
        let path = world.imported(format, file, json!({})).await;
        let import = world.over(&path).await;
        assert_eq!((&import["status"], counts(&import)), (&json!("COMPLETED"), [0; 4]), "{import}");
        assert!(world.report(&path).await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_is_over_is_forgotten_and_one_under_way_cancelled() {
    let world = still().await;
    let transfers = world.muster.functions.transfers();
    let files = &transfers.files;
    let path = world.imported("csv", "email\nana@example.com\n", json!({})).await;
    let import = path.rsplit('/').next().unwrap().to_owned();
    assert_eq!(world.read(&path).await["status"], "PENDING");
    assert_eq!(world.call("DELETE", &path).send().await.status, 204);
    let cancelled = world.read(&path).await;
    assert_eq!(cancelled["status"], "CANCELLED");
    transfers.run(Time::now().plus(Duration::from_secs(60))).await.unwrap();
    assert!(world.users().await.is_empty());
    let again = world.imported("csv", "email\nana@example.com\n", json!({})).await;
    transfers.run(Time::now().plus(Duration::from_secs(60))).await.unwrap();
    assert_eq!(world.read(&again).await["status"], "COMPLETED");
    let listed = world.read(&world.of_segment("imports")).await;
    let ids: Vec<_> = listed["data"].as_array().unwrap().iter().map(|import| import["id"].as_str().unwrap()).collect();
    assert_eq!(ids, [again.rsplit('/').next().unwrap(), import.as_str()], "newest first");
    let some = world.read(&world.of_segment("imports?filter[status]=CANCELLED")).await;
    assert_eq!(some["page"]["total_items"], 1);
    let report = files::ObjectKey::report(again.rsplit('/').next().unwrap().parse().unwrap());
    assert!(files.head(&report).await.is_ok());
    for path in [&path, &again] {
        assert_eq!(world.call("DELETE", path).send().await.status, 204);
        assert_eq!(world.get(path).await.status, 404);
    }
    for _ in 0..300 {
        if files.head(&report).await.is_err() {
            assert_eq!(world.users().await.len(), 1, "the users stay");
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the report stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_left_before_it_could_be_started_is_found() {
    let world = still().await;
    let transfers = world.muster.functions.transfers();
    let import = begun_import(&world.muster, &world.ana, &world.segment).await;
    let export = begun_export(&world.muster, &world.ana, &world.segment).await;
    assert!(transfers.left().await.unwrap().is_empty(), "whoever made them may be about to start them");
    world.muster.a_day_passes().await;
    let left = transfers.left().await.unwrap();
    let told: Vec<_> = left.iter().map(|(kind, _, id)| (*kind, id.to_string())).collect();
    assert_eq!(told, [("import", import), ("export", export)]);
    transfers.run(Time::now().plus(Duration::from_secs(60))).await.unwrap();
    assert!(transfers.left().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_goes_with_its_segment() {
    let world = still().await;
    let transfers = world.muster.functions.transfers();
    let path = world.imported("csv", "email\nana@example.com\n", json!({})).await;
    let of = path.rsplit('/').next().unwrap().to_owned();
    let whose = json!({ "step": "prepare", "segment_id": world.segment, "id": of });
    let end = Time::now().plus(Duration::from_secs(60));
    assert!(!transfers.step(serde_json::from_value(whose).unwrap(), end).await.unwrap().done);
    assert_eq!(world.call("DELETE", world.of_segment("").trim_end_matches('/')).send().await.status, 204);
    transfers.run(end).await.unwrap();
    let batches = files::ObjectKey::batches(of.parse().unwrap());
    for _ in 0..600 {
        let left = [world.muster.items(&format!("S#{}", world.segment)).await, world.muster.items("V#").await].concat();
        if left.is_empty() && transfers.files.head(&batches).await.is_err() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("something stays of the segment");
}
