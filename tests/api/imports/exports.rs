//! Exports, and what becomes of them elsewhere.

use std::time::Duration;

use domain::Time;
use local::Options;
use serde_json::{Value, json};

use super::{counts, started, still};
use crate::faults::Phase;
use crate::system::Muster;
use crate::uploads::club::get;
use crate::uploads::cut::Cut;
use crate::world::{World, id};

impl World {
    /// Begins an export: its path.
    async fn exported(&self, body: Value) -> String {
        let begun = self.muster.made(&self.ana, &self.of_segment("exports"), body).await;
        self.of_segment(&format!("exports/{}", id(&begun)))
    }

    /// Makes some users of many kinds.
    async fn peopled(&self) {
        for nth in 0..25 {
            let body = json!({
                "email": format!("a{nth}@example.com"), "reference_id": format!("r{nth}"),
                "name": (["Ana", "Zoë \"Z\"", "Eva, the second", "=1+1", "O'Neill"][nth % 5]),
                "operation_country": "PER", "identification": { "type": "PASSPORT", "value": format!("0{nth}") },
                "legal_address": { "street_name": "Calle 1", "city": "Mérida" },
                "gender": (["MALE", "FEMALE"][nth % 2]), "metadata": { "plan": "gold", "rate": 1.5, "nested": { "a": [1] } }
            });
            self.muster.made(&self.ana, &self.of_segment("users"), body).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_what_the_list_is() {
    let world = started().await;
    world.peopled().await;
    for (filters, query) in [
        (json!({}), "users?page[size]=100"),
        (json!({ "gender": "FEMALE", "email": "a1*" }), "users?page[size]=100&filter[gender]=FEMALE&filter[email]=a1*"),
        (json!({ "created_at": { "gte": "2020-01-01T00:00:00Z" } }), "users?page[size]=100"),
        (json!({ "status": "DELETED" }), "users/deleted"),
    ] {
        let path = world.exported(json!({ "format": "ndjson", "filters": filters })).await;
        let export = world.over(&path).await;
        let listed = world.read(&world.of_segment(query)).await["data"].as_array().unwrap().clone();
        let written = world.fetched(&format!("{path}/content")).await;
        let lines: Vec<Value> = written.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines, listed, "{filters}");
        let told = (&export["status"], &export["written_rows"], &export["total_rows"], &export["size"]);
        let expected = (&json!("COMPLETED"), &json!(lines.len()), &json!(lines.len()), &json!(written.len()));
        assert_eq!(told, expected);
        assert_eq!(export["filters"], filters);
    }
    let path = world.exported(json!({ "format": "csv", "fields": ["name", "identification"] })).await;
    world.over(&path).await;
    let table = world.fetched(&format!("{path}/content")).await;
    let beginning = "name,identification.type,identification.value,identification.display\r\n\
        Ana,PASSPORT,00,00\r\n\"Zoë \"\"Z\"\"\",PASSPORT,01,01\r\n";
    assert!(table.starts_with(beginning), "{table}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_exported_can_be_imported_elsewhere() {
    let mut world = started().await;
    world.peopled().await;
    let fields =
        ["email", "reference_id", "name", "operation_country", "identification", "legal_address", "gender", "metadata"];
    let here = world.users().await;
    for format in ["csv", "ndjson"] {
        let path = world.exported(json!({ "format": format, "fields": fields })).await;
        world.over(&path).await;
        let file = world.fetched(&format!("{path}/content")).await;
        let other = world.muster.made(&world.ana, "/v1/segments", json!({ "name": "Other" })).await;
        let first = std::mem::replace(&mut world.segment, id(&other));
        let import = world.imported(format, &file, json!({})).await;
        let import = world.over(&import).await;
        assert_eq!(counts(&import), [25, 0, 0, 0], "{import}");
        let there = world.users().await;
        world.segment = first;
        let of = |user: &Value| fields.map(|field| user[field].clone());
        assert_eq!(here.values().map(of).collect::<Vec<_>>(), there.values().map(of).collect::<Vec<_>>());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_cut_off_anywhere_comes_to_the_same_end() {
    let world = still().await;
    world.peopled().await;
    let path = world.exported(json!({ "format": "csv" })).await;
    let (mut cuts, soon) = (0, Time::now().plus(Duration::from_secs(60)));
    loop {
        let phase = if cuts % 2 == 0 { Phase::Before } else { Phase::After };
        let cut = Cut::at((cuts / 2, phase));
        if cut.transfers(&world.muster).run(soon).await.is_ok() && !cut.has_cut() {
            break;
        }
        cuts += 1;
    }
    assert!(cuts >= 10, "{cuts}");
    let export = world.over(&path).await;
    assert_eq!((&export["status"], &export["written_rows"]), (&json!("COMPLETED"), &json!(25)), "{export}");
    let lines = world.fetched(&format!("{path}/content")).await;
    assert_eq!(lines.matches("@example.com").count(), 25);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_cancelled_and_forgotten_like_an_import() {
    let world = still().await;
    let path = world.exported(json!({ "format": "csv" })).await;
    let content = world.get(&format!("{path}/content")).await;
    assert_eq!((content.status.as_u16(), content.errors()), (409, vec![(String::new(), "pending".to_owned())]));
    assert_eq!(world.call("DELETE", &path).send().await.status, 204);
    assert_eq!(world.read(&path).await["status"], "CANCELLED");
    assert_eq!(world.read(&world.of_segment("exports")).await["page"]["total_items"], 1);
    assert_eq!(world.call("DELETE", &path).send().await.status, 204);
    assert_eq!(world.get(&path).await.status, 404);
    for (filters, pointer) in [
        (json!({ "nickname": "x" }), "/filters/nickname"),
        (json!({ "status": "GONE" }), "/filters/status"),
        (json!({ "status": "ACTIVE,DELETED" }), "/filters/status"),
        (json!({ "created_at": { "gte": "x" } }), "/filters/created_at/gte"),
    ] {
        let refused =
            world.send("POST", &world.of_segment("exports"), json!({ "format": "csv", "filters": filters })).await;
        assert_eq!((refused.status.as_u16(), refused.errors()[0].0.as_str()), (400, pointer), "{refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_cell_of_a_table_is_a_formula_and_every_value_survives() {
    let mut world = started().await;
    let values = ["=1+1", "+1", "-1", "@a", "'=1", "''+1", "'a", "O'Neill"];
    for (nth, value) in values.iter().enumerate() {
        let body = json!({ "reference_id": format!("r{nth}"), "email": format!("u{nth}@example.com"), "name": value });
        world.muster.made(&world.ana, &world.of_segment("users"), body).await;
    }
    let here = world.users().await;
    for raw in [false, true] {
        let body = json!({ "format": "csv", "fields": ["email", "reference_id", "name"], "raw": raw });
        let path = world.exported(body).await;
        assert_eq!(world.over(&path).await["raw"], raw);
        let file = world.fetched(&format!("{path}/content")).await;
        let names = file.lines().skip(1).map(|line| line.rsplit(',').next().unwrap().to_owned());
        let names: Vec<_> = names.collect();
        if raw {
            assert_eq!(names, values);
        } else {
            assert_eq!(names, ["'=1+1", "'+1", "'-1", "'@a", "''=1", "'''+1", "'a", "O'Neill"]);
        }
        let other = world.muster.made(&world.ana, "/v1/segments", json!({ "name": "Other" })).await;
        let first = std::mem::replace(&mut world.segment, id(&other));
        let import = world.imported("csv", &file, json!({ "raw": raw })).await;
        assert_eq!(counts(&world.over(&import).await), [8, 0, 0, 0]);
        let there = world.users().await;
        world.segment = first;
        let names = |users: &std::collections::BTreeMap<String, Value>| {
            users.values().map(|user| user["name"].clone()).collect::<Vec<_>>()
        };
        assert_eq!(names(&here), names(&there), "raw {raw}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_of_json_are_no_table_and_stay_as_they_are() {
    let world = started().await;
    let body = json!({ "email": "a@example.com", "name": "=1+1" });
    world.muster.made(&world.ana, &world.of_segment("users"), body).await;
    let path = world.exported(json!({ "format": "ndjson", "fields": ["name"] })).await;
    world.over(&path).await;
    assert_eq!(world.fetched(&format!("{path}/content")).await, "{\"name\":\"=1+1\"}\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_exports_and_reports_expire() {
    let (export_retention, transfer_every) = (Duration::from_secs(3), Duration::from_millis(50));
    let options = Options { export_retention, transfer_every, ..Options::default() };
    let world = World::on(Muster::with(options).await, super::club()).await;
    let import = world.imported("csv", "email\na@example.com\n", json!({})).await;
    let export = world.exported(json!({ "format": "csv" })).await;
    let mut files = Vec::new();
    for (path, file) in [(&import, "report"), (&export, "content")] {
        let over = world.over(path).await;
        let end: Time = serde_json::from_value(over["finished_at"].clone()).unwrap();
        assert_eq!(over["expires_at"], end.plus(export_retention).to_string(), "{over}");
        let path = format!("{path}/{file}");
        files.push((world.get(&path).await.header("location").to_owned(), path));
    }
    for (url, path) in files {
        let expired = world.until(&path, |reply| reply.status != 302).await;
        assert_eq!((expired.status.as_u16(), &expired.body["code"]), (410, &json!("gone")), "{expired:?}");
        let mut tries = 0;
        while get(&url).await.status != 404 {
            tries += 1;
            assert!(tries < 200, "the file is still there");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_kept_for_a_week_by_default() {
    let world = started().await;
    let path = world.exported(json!({ "format": "csv" })).await;
    let export = world.over(&path).await;
    let end: Time = serde_json::from_value(export["finished_at"].clone()).unwrap();
    assert_eq!(export["expires_at"], end.plus(Duration::from_secs(7 * 24 * 60 * 60)).to_string());
}
