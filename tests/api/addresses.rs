//! Addresses.

use serde_json::json;

use crate::system::Muster;

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_kept_to_the_digit_changed_and_deleted() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let raw = r#"{"alias":"Home","latitude":19.4320,"longitude":-99.13320900000000001,"zip_code":6600,
        "country":{"code":"MEX","name":"México"},"is_billing":true}"#;
    let made = muster.call("POST", "/v1/users/me/addresses").raw("application/json", raw).by(&ana).send().await;
    assert_eq!(made.status, 201, "{made:?}");
    assert!(made.text.contains(r#""latitude":19.4320,"longitude":-99.13320900000000001"#), "{}", made.text);
    assert_eq!((&made.body["status"], &made.body["is_shipping"]), (&json!(true), &json!(false)));
    let path = made.header("location").to_owned();
    let read = muster.get(&path).by(&ana).send().await;
    assert_eq!((read.status.as_u16(), &read.text), (200, &made.text));
    let patch = json!({ "alias": null, "country": { "name": "Mexico" }, "is_billing": null });
    let changed = muster.patch(&path, patch).by(&ana).send().await;
    assert_eq!(changed.body["alias"], json!(null));
    assert_eq!(changed.body["country"], json!({ "code": "MEX", "name": "Mexico" }), "objects merge");
    assert_eq!((&changed.body["is_billing"], &changed.body["version"]), (&json!(false), &json!(2)));
    assert_eq!(muster.delete(&path).by(&ana).send().await.status, 204);
    assert_eq!(muster.get(&path).by(&ana).send().await.status, 404);
    assert_eq!(muster.delete(&path).by(&ana).send().await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn several_addresses_come_together_or_not_at_all() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let twenty: Vec<_> = (0..20).map(|nth| json!({ "alias": format!("a{nth}") })).collect();
    let made = muster.post("/v1/users/me/addresses", json!(twenty)).by(&ana).send().await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(made.body["data"].as_array().unwrap().len(), 20);
    let listed = muster.get("/v1/users/me/addresses?page[size]=100").by(&ana).send().await;
    let aliases: Vec<_> =
        listed.body["data"].as_array().unwrap().iter().map(|one| one["alias"].as_str().unwrap()).collect();
    assert_eq!(aliases, (0..20).map(|nth| format!("a{nth}")).collect::<Vec<_>>(), "in the order in which they came");
    let mixed = json!([{ "alias": "x" }, { "latitude": 91 }, { "alias": "", "colour": "red" }]);
    let refused = muster.post("/v1/users/me/addresses", mixed).by(&ana).send().await;
    assert_eq!(refused.status, 400);
    let pointers: Vec<_> = refused.errors().into_iter().map(|(pointer, _)| pointer).collect();
    assert_eq!(pointers, ["/1/latitude", "/2/alias", "/2/colour"]);
    for count in [0, 21] {
        let many: Vec<_> = (0..count).map(|_| json!({})).collect();
        assert_eq!(muster.post("/v1/users/me/addresses", json!(many)).by(&ana).send().await.status, 400);
    }
    let total = muster.get("/v1/users/me/addresses").by(&ana).send().await.body["page"]["total_items"].clone();
    assert_eq!(total, 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_pick_and_count() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    for nth in 0..30 {
        let body = json!({ "alias": format!("a{nth}"), "is_billing": nth % 3 == 0, "is_shipping": nth % 2 == 0 });
        assert_eq!(muster.post("/v1/users/me/addresses", body).by(&ana).send().await.status, 201);
    }
    let list = async |query: &str| muster.get(&format!("/v1/users/me/addresses?{query}")).by(&ana).send().await;
    let billing = list("filter[is_billing]=true&page[size]=4").await;
    assert_eq!((&billing.body["page"]["total_items"], &billing.body["page"]["total_pages"]), (&json!(10), &json!(3)));
    let mut seen: Vec<_> = billing.body["data"].as_array().unwrap().clone();
    let mut next = billing.body["links"]["next"].clone();
    while let Some(link) = next.as_str() {
        let page = muster.get(link).by(&ana).send().await;
        seen.extend(page.body["data"].as_array().unwrap().clone());
        next = page.body["links"]["next"].clone();
    }
    let aliases: Vec<_> = seen.iter().map(|one| one["alias"].as_str().unwrap().to_owned()).collect();
    assert_eq!(aliases, (0..30).step_by(3).map(|nth| format!("a{nth}")).collect::<Vec<_>>());
    assert_eq!(list("filter[is_billing]=true,false").await.body["page"]["total_items"], 30);
    assert_eq!(list("filter[is_billing]=true&filter[is_shipping]=true").await.body["page"]["total_items"], 5);
    let second = list("filter[status]=true,false&page[number]=2&page[size]=25").await;
    assert_eq!(second.body["data"].as_array().unwrap().len(), 5);
    for bad in [
        "filter[is_billing]=yes",
        "filter[is_billing]=",
        "filter[is_billing]=true&filter[is_billing]=false",
        "filter[colour]=red",
        "filter=1",
        "filter[is_billing",
    ] {
        assert_eq!(list(bad).await.status, 400, "{bad}");
    }
}
