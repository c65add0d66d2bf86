//! Files that are answers, or look as if they were.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::Time;
use local::Options;
use serde_json::{Value, json};

use super::club::{Club, id, put};
use super::cut::Cut;
use super::samples::{PDF, PNG};
use crate::faults::Phase;
use crate::system::{Ana, Muster};
use crate::world;

/// A club whose jobs are done when a test says so.
async fn still() -> Club {
    Club::with(Muster::with(Options { reconcile_every: Duration::from_secs(3600), ..Options::default() }).await).await
}

/// Does what there is to do, whoever had it before.
async fn work(club: &Club) {
    for _ in 0..3 {
        club.muster.age("pending_at", AttributeValue::S(Time::from_millis(0).to_string())).await;
        let (functions, end) =
            (club.muster.functions.acting_as("Reconcile"), Time::now().plus(Duration::from_secs(10)));
        reconcile::jobs::run((&functions.app.store, &functions.identity, &functions.files), end).await.unwrap();
    }
}

/// An upload of the member that is available.
async fn sent(club: &Club, content_type: &str, bytes: &[u8]) -> String {
    let more = json!({ "content_type": content_type, "size": bytes.len(), "member_id": club.member.id });
    let begun = club.begin(more).await;
    assert_eq!(put(&begun.body, bytes, &[]).await.status, 200, "{begun:?}");
    assert_eq!(club.checked(&id(&begun)).await["status"], "AVAILABLE");
    id(&begun)
}

/// The path of the member's answers, and that of its field for files.
async fn places(club: &Club) -> (String, String) {
    let fields = format!("/v1/memberships/{}/fields", club.member.membership_id);
    let found = club.muster.get(&format!("{fields}?filter[key]=tax_certificate")).by(&club.owner).send().await;
    let field = world::column(&found, "id")[0].as_str().unwrap().to_owned();
    (format!("/v1/members/{}/answers", club.member.id), format!("{fields}/{field}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_deletes_a_strangers_file_by_naming_it_in_an_answer() {
    let club = still().await;
    let theirs = club.send("image/png", PNG).await;
    club.checked(&theirs).await;
    let (muster, eve) = (&club.muster, club.muster.ana().await);
    let made = async |path: &str, body: Value| world::id(&muster.made(&eve, path, body).await);
    let segment = made("/v1/segments", json!({ "name": "Eve's" })).await;
    let club_of_eve = made(&format!("/v1/segments/{segment}/memberships"), json!({ "name": "Eve's" })).await;
    let fields = format!("/v1/memberships/{club_of_eve}/fields");
    let send = async |method: &str, path: &str, body: Value, by: &Ana| {
        let reply = muster.call(method, path).json(body).by(by).send().await;
        assert!(reply.status.is_success(), "{method} {path}: {reply:?}");
    };
    for way in ["taken back", "its field goes"] {
        let field = made(&fields, json!({ "key": "note", "name": "Note", "type": "string" })).await;
        let member = json!({ "answers": { "note": theirs } });
        let member = made(&format!("/v1/memberships/{club_of_eve}/members"), member).await;
        let field = format!("{fields}/{field}");
        send("PATCH", &format!("{field}?force=true"), json!({ "type": "file" }), &eve).await;
        // From now on it is kept as a file's.
        send("PATCH", &format!("/v1/members/{member}"), json!({ "name": "Eve" }), &eve).await;
        if way == "taken back" {
            send("PUT", &format!("/v1/members/{member}/answers"), json!({ "note": null }), &eve).await;
        }
        send("DELETE", &format!("{field}?force=true"), json!({}), &eve).await;
        work(&club).await;
        assert_eq!(club.fetch(&theirs).await.bytes, PNG, "{way}");
        send("DELETE", &format!("/v1/members/{member}"), json!({}), &eve).await;
        work(&club).await;
        assert_eq!(club.fetch(&theirs).await.bytes, PNG, "{way}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_goes_with_the_field_that_it_answers_wherever_that_is_cut_off() {
    let mut cut = 0;
    for point in (0..40).flat_map(|nth| [(nth, Phase::Before), (nth, Phase::After)]) {
        let club = still().await;
        let file = sent(&club, "application/pdf", PDF).await;
        let (answers, field) = places(&club).await;
        let given = club.muster.call("PUT", &answers).json(json!({ "tax_certificate": file })).by(&club.owner);
        assert_eq!(given.send().await.status, 200);
        let gone = club.muster.delete(&format!("{field}?force=true")).by(&club.owner).send().await;
        assert_eq!(gone.status, 204, "{gone:?}");
        let (functions, files) = Cut::at(point).functions(&club.muster, "Reconcile");
        let end = Time::now().plus(Duration::from_secs(10));
        let whole = reconcile::jobs::run((&functions.app.store, &functions.identity, &files), end).await.is_ok();
        work(&club).await;
        assert_eq!(club.muster.items("F#").await, Vec::<String>::new(), "{point:?}");
        assert_eq!(club.objects(&file).await, (false, false), "{point:?}");
        if whole {
            break;
        }
        cut += 1;
    }
    assert!(cut >= 16, "{cut} points");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_stays_that_answers_a_field_which_is_not_asked_too() {
    let club = still().await;
    let file = sent(&club, "application/pdf", PDF).await;
    let (answers, field) = places(&club).await;
    let write = async |given: Value| {
        let reply = club.muster.call("PUT", &answers).json(given).by(&club.owner).send().await;
        assert_eq!(reply.status, 200, "{reply:?}");
    };
    write(json!({ "tax_certificate": file })).await;
    let off = |off: bool| club.muster.patch(&format!("{field}?force=true"), json!({ "status": !off })).by(&club.owner);
    assert_eq!(off(true).send().await.status, 200);
    let other = json!({ "key": "other", "name": "Other", "type": "file", "content_types": ["application/pdf"] });
    let fields = field.rsplit_once('/').unwrap().0;
    club.muster.made(&club.owner, fields, other).await;
    write(json!({ "other": file })).await;
    write(json!({ "other": null })).await;
    assert_eq!(off(false).send().await.status, 200);
    work(&club).await;
    assert_eq!(club.fetch(&file).await.bytes, PDF, "it is still an answer");
    write(json!({ "tax_certificate": null })).await;
    work(&club).await;
    assert_eq!(club.objects(&file).await, (false, false));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_shut_out_of_a_membership_begins_no_uploads_there() {
    let club = Club::found().await;
    let begin = async || {
        let body = club.body(json!({ "member_id": club.member.id }));
        club.muster.post("/v1/uploads", body).by(&club.user).send().await.status.as_u16()
    };
    assert_eq!(begin().await, 201);
    let path = format!("/v1/members/{}", club.member.id);
    let blocked = club.muster.patch(&path, json!({ "status": "BLOCKED" })).by(&club.owner).send().await;
    assert_eq!(blocked.status, 200, "{blocked:?}");
    assert_eq!(begin().await, 403);
}
