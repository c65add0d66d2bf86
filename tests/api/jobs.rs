//! What changes leave to be done: erasing, and finding members by what levels and fields are now.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use local::{Functions, Options};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::faults::{Phase, Plan, Verdict, wiring_behind};
use crate::system::{Ana, Muster};
use crate::world::id;

/// A system whose jobs are done when a test says so.
async fn still() -> Muster {
    Muster::with(Options { reconcile_every: Duration::from_secs(3600), ..Options::default() }).await
}

impl Muster {
    /// Does what there is to do.
    pub(crate) async fn work(&self) {
        let end = domain::Time::now().plus(Duration::from_secs(60));
        let functions = self.functions.acting_as("Reconcile");
        // A job that is done begins another one: a segment's those of its memberships, these those of their members.
        for _ in 0..4 {
            reconcile::jobs::run((&functions.app.store, &functions.identity, &functions.files), end).await.unwrap();
        }
    }

    /// The first names that a search finds, in order.
    async fn names(&self, ana: &Ana, club: &str, query: &str) -> Vec<String> {
        let reply = self.get(&format!("/v1/memberships/{club}/members?{query}")).by(ana).send().await;
        assert_eq!(reply.status, 200, "{reply:?}");
        let rows = reply.body["data"].as_array().unwrap();
        rows.iter().map(|row| row["name"].as_str().unwrap_or_default().to_owned()).collect()
    }
}

/// Makes something that must be taken: its id.
async fn made(muster: &Muster, ana: &Ana, path: &str, body: Value) -> String {
    id(&muster.made(ana, path, body).await)
}

/// A segment with a membership.
async fn club(muster: &Muster, ana: &Ana) -> (String, String) {
    let segment = made(muster, ana, "/v1/segments", json!({ "name": "Card users" })).await;
    let club = made(muster, ana, &format!("/v1/segments/{segment}/memberships"), json!({ "name": "Club" })).await;
    (segment, club)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_segment_answers_nothing_at_once_and_leaves_nothing() {
    let muster = still().await;
    let ana = muster.ana().await;
    let (segment, club) = club(&muster, &ana).await;
    made(&muster, &ana, &format!("/v1/segments/{segment}/keys"), json!({ "name": "k", "scopes": ["read"] })).await;
    let bank = json!({ "key": "bank", "name": "Bank", "type": "string", "searchable": true, "unique": true });
    made(&muster, &ana, &format!("/v1/memberships/{club}/fields"), bank).await;
    let level = json!({ "name": "One", "number": 1, "from_point": 0, "to_point": 9 });
    let level = made(&muster, &ana, &format!("/v1/memberships/{club}/levels"), level).await;
    let products = format!("/v1/segments/{segment}/products");
    let body = json!({ "title": "Zither", "reference_id": "z", "membership_id": club });
    let product = made(&muster, &ana, &products, body).await;
    let body = json!({ "name": "Zoe", "user_id": ana.id, "product_id": product, "answers": { "bank": "Zanzibank" } });
    let member = made(&muster, &ana, &format!("/v1/memberships/{club}/members"), body).await;
    let award = json!({ "delta": 5, "reason": "Zeal" });
    made(&muster, &ana, &format!("/v1/members/{member}/points"), award).await;
    let status = made(&muster, &ana, &format!("/v1/segments/{segment}/statuses"), json!({ "name": "Zoned" })).await;
    let partners = format!("/v1/segments/{segment}/partners");
    for nth in 0..30 {
        let body = json!({ "commercial_name": format!("Zebra {nth}"), "reference_id": nth, "role": "customer" });
        made(&muster, &ana, &partners, body).await;
    }

    assert_eq!(muster.delete(&format!("/v1/segments/{segment}")).by(&ana).send().await.status, 204);
    for path in [
        format!("/v1/segments/{segment}"),
        format!("/v1/segments/{segment}/keys"),
        format!("/v1/memberships/{club}"),
        format!("/v1/memberships/{club}/levels"),
        format!("/v1/memberships/{club}/members"),
        format!("/v1/members/{member}"),
        format!("/v1/members/{member}/answers"),
        format!("/v1/segments/{segment}/statuses/{status}"),
        partners,
        products,
        format!("/v1/segments/{segment}/subscriptions"),
        format!("/v1/subscriptions/{member}"),
    ] {
        assert_eq!(muster.get(&path).by(&ana).send().await.status, 404, "{path}");
    }
    assert_eq!(muster.get("/v1/segments").by(&ana).send().await.body["page"]["total_items"], 0);

    muster.work().await;
    let after = muster.table_but_events().await;
    for gone in
        ["Zoe", "zoe", "Zanzibank", "zanzibank", "Zeal", "Zoned", "Zebra", "zebra", "Zither", "zither", &member, &level]
    {
        assert!(!after.contains(gone), "{gone} is still there");
    }
    // The jobs of both stay until no request can be running that knows nothing of them.
    let left = muster.items("").await;
    let ids = [&segment, &club, &member, &status, &product];
    let is_of_it = |key: &&String| !key.starts_with("Y#") && ids.iter().any(|id| key.contains(*id));
    let of_it: Vec<_> = left.iter().filter(is_of_it).collect();
    assert_eq!(of_it, [&format!("J#erase_membership#{club}"), &format!("J#erase_segment#{segment}")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn members_follow_changed_levels() {
    let muster = still().await;
    let ana = muster.ana().await;
    let (_, club) = club(&muster, &ana).await;
    let level =
        |number: i64, from: i64, to: i64| json!({ "name": "L", "number": number, "from_point": from, "to_point": to });
    let levels = format!("/v1/memberships/{club}/levels");
    let low = made(&muster, &ana, &levels, level(1, 0, 100)).await;
    let high = made(&muster, &ana, &levels, level(2, 101, 200)).await;
    let members = format!("/v1/memberships/{club}/members");
    let zoe = made(&muster, &ana, &members, json!({ "name": "Zoe" })).await;
    made(&muster, &ana, &format!("/v1/members/{zoe}/points"), json!({ "delta": 90, "reason": "Zeal" })).await;

    let path = format!("/v1/members/{zoe}");
    let before = muster.get(&path).by(&ana).send().await;
    let has = async || muster.get(&path).by(&ana).header("if-none-match", before.header("etag")).send().await.status;
    assert_eq!(has().await, 304);
    let path_of_low = format!("{levels}/{low}");
    assert_eq!(muster.patch(&path_of_low, json!({ "to_point": 80 })).by(&ana).send().await.status, 200);
    let path_of_high = format!("{levels}/{high}");
    assert_eq!(muster.patch(&path_of_high, json!({ "from_point": 81 })).by(&ana).send().await.status, 200);
    assert_eq!(has().await, 200, "it looks otherwise now");
    let read = muster.get(&path).by(&ana).send().await;
    assert_eq!(read.body["level_id"], high.as_str(), "what is read is true at once");

    muster.work().await;
    assert_eq!(muster.names(&ana, &club, &format!("filter[level_id]={high}")).await, ["Zoe"]);
    assert_eq!(muster.names(&ana, &club, &format!("filter[level_id]={low}")).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_becomes_searchable_finds_who_answered_before() {
    let muster = still().await;
    let ana = muster.ana().await;
    let (_, club) = club(&muster, &ana).await;
    let fields = format!("/v1/memberships/{club}/fields");
    let city = made(&muster, &ana, &fields, json!({ "key": "city", "name": "City", "type": "string" })).await;
    let members = format!("/v1/memberships/{club}/members");
    for (name, city) in [("Zoe", json!("Zürich")), ("Ana", json!(null)), ("Bo", json!("Aarau"))] {
        made(&muster, &ana, &members, json!({ "name": name, "answers": { "city": city } })).await;
    }
    let refused = muster.get(&format!("{members}?filter[answers.city]=zurich")).by(&ana).send().await;
    assert_eq!(refused.errors(), [("/filter[answers.city]".to_owned(), "unknown".to_owned())]);

    let path = format!("{fields}/{city}");
    assert_eq!(muster.patch(&path, json!({ "searchable": true })).by(&ana).send().await.status, 200);
    muster.work().await;
    assert_eq!(muster.names(&ana, &club, "filter[answers.city]=zurich").await, ["Zoe"]);
    assert_eq!(muster.names(&ana, &club, "sort=answers.city").await, ["Bo", "Zoe", "Ana"], "who has none comes last");
    assert_eq!(muster.names(&ana, &club, "sort=-answers.city").await, ["Zoe", "Bo", "Ana"]);

    assert_eq!(muster.patch(&path, json!({ "searchable": false })).by(&ana).send().await.status, 200);
    muster.work().await;
    let left = muster.items("X#").await;
    assert!(!left.iter().any(|key| key.contains("answers.city")), "no entry is left: {left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forced_change_leaves_the_field_among_what_is_missing() {
    let muster = still().await;
    let ana = muster.ana().await;
    let (_, club) = club(&muster, &ana).await;
    let fields = format!("/v1/memberships/{club}/fields");
    let options = json!([{ "key": "a", "value": "A" }, { "key": "b", "value": "B" }]);
    let bank = json!({ "key": "bank", "name": "Bank", "type": "dropdown", "options": options, "required": true, "searchable": true });
    let bank = made(&muster, &ana, &fields, bank).await;
    let members = format!("/v1/memberships/{club}/members");
    let zoe = made(&muster, &ana, &members, json!({ "name": "Zoe", "answers": { "bank": "a" } })).await;
    made(&muster, &ana, &members, json!({ "name": "Bo", "answers": { "bank": "b" } })).await;

    let path = format!("{fields}/{bank}");
    let less = json!({ "options": [{ "key": "b", "value": "B" }] });
    let refused = muster.patch(&path, less.clone()).by(&ana).send().await;
    assert_eq!(refused.errors(), [(String::new(), "affects_members".to_owned())], "{refused:?}");
    assert!(refused.body["errors"][0]["message"].as_str().unwrap().contains("1 member "), "{refused:?}");
    assert_eq!(muster.patch(&format!("{path}?force=true"), less).by(&ana).send().await.status, 200);
    let read = muster.get(&format!("/v1/members/{zoe}")).by(&ana).send().await;
    assert_eq!((&read.body["missing_fields"], &read.body["answers"]), (&json!(["bank"]), &json!({})));

    muster.work().await;
    assert_eq!(muster.names(&ana, &club, "filter[answers.bank]=a").await, Vec::<String>::new());
    assert_eq!(muster.names(&ana, &club, "filter[answers.bank]=b").await, ["Bo"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purged_user_leaves_neither_segments_nor_memberships_that_it_joined() {
    let muster = still().await;
    let (ana, bo) = (muster.ana().await, muster.ana().await);
    let (_, theirs) = club(&muster, &bo).await;
    let open = json!({ "self_enrolment": true });
    assert_eq!(muster.patch(&format!("/v1/memberships/{theirs}"), open).by(&bo).send().await.status, 200);
    let (_, mine) = club(&muster, &ana).await;
    let joined = made(&muster, &ana, &format!("/v1/memberships/{theirs}/members"), json!({ "name": "Zoe" })).await;
    let had = made(&muster, &ana, &format!("/v1/memberships/{mine}/members"), json!({ "name": "Zadig" })).await;
    assert_eq!(muster.names(&bo, &theirs, "").await, ["Zoe"]);

    assert_eq!(muster.delete("/v1/users/me?purge=true").by(&ana).send().await.status, 204);
    assert_eq!(muster.names(&bo, &theirs, "").await, Vec::<String>::new());
    muster.work().await;
    let after = muster.table_but_events().await;
    for gone in ["Zoe", "zoe", "Zadig", "zadig", &joined, &had, &ana.email] {
        assert!(!after.contains(gone), "{gone} is still there");
    }
    let left = muster.items("").await;
    assert!(!left.iter().any(|key| key.contains(&ana.id)), "{left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_to_a_field_that_came_while_a_job_ran_is_kept() {
    let muster = still().await;
    let ana = muster.ana().await;
    let (_, club) = club(&muster, &ana).await;
    let member = made(&muster, &ana, &format!("/v1/memberships/{club}/members"), json!({ "name": "Zoe" })).await;
    let level = json!({ "name": "One", "number": 1, "from_point": 0, "to_point": 9 });
    made(&muster, &ana, &format!("/v1/memberships/{club}/levels"), level).await;
    // The job has taken itself (1 update) and read the levels and fields (1 query); now it looks for the members.
    let (reached, go_on, queries) = (Arc::new(Notify::new()), Arc::new(Notify::new()), AtomicUsize::new(0));
    let (here, told, taken) = (reached.clone(), go_on.clone(), AtomicUsize::new(0));
    let plan: Plan = Arc::new(move |operation, _, phase| {
        if (operation, phase) == ("UpdateItem", Phase::After) {
            taken.fetch_add(1, Ordering::SeqCst);
        }
        let asks = (operation, phase) == ("Query", Phase::Before) && taken.load(Ordering::SeqCst) == 1;
        if asks && queries.fetch_add(1, Ordering::SeqCst) == 1 {
            here.notify_one();
            return Verdict::Until(told.clone());
        }
        Verdict::Pass
    });
    let functions = Functions::connect(&wiring_behind(&muster, plan).await).acting_as("Reconcile");
    let end = domain::Time::now().plus(Duration::from_secs(60));
    let job = tokio::spawn(async move {
        reconcile::jobs::run((&functions.app.store, &functions.identity, &functions.files), end).await
    });
    reached.notified().await;
    let field = json!({ "key": "city", "name": "City", "type": "string" });
    made(&muster, &ana, &format!("/v1/memberships/{club}/fields"), field).await;
    let answers = format!("/v1/members/{member}/answers");
    let answered = muster.call("PUT", &answers).json(json!({ "city": "Aarau" })).by(&ana).send().await;
    assert_eq!(answered.status, 200, "{answered:?}");
    go_on.notify_one();
    job.await.unwrap().unwrap();
    let read = muster.get(&answers).by(&ana).send().await;
    assert_eq!(read.body, json!({ "city": "Aarau" }));
}
