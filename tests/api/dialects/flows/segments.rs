//! Segments.

use serde_json::{Value, json};

use super::{call, done, made, read, totals, without_times};
use crate::system::Muster;

#[tokio::test(flavor = "multi_thread")]
async fn a_segment_is_made_read_changed_listed_and_deleted() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let address = muster.address(&ana, "Home").await;
    let new = json!({
        "owner_id": ana.id, "name": "Merchants", "managed_by": "Ana López", "role": "consumer", "status": true,
        "shipping_address_id": address,
    });
    let id = made(&muster, &ana, "/flows/segment", new).await;
    let path = format!("/flows/segment/{id}");
    let expected = json!({
        "owner_id": ana.id, "name": "Merchants", "managed_by": "Ana López", "role": "consumer", "status": true,
        "shipping_address_id": address, "id": id, "removed": false, "extra_space": null, "beacons": null, "readers": null,
        "cards": null,
    });
    assert_eq!(without_times(&read(&muster, &ana, &path).await), expected);
    assert_eq!(read(&muster, &ana, &format!("/v1/segments/{id}")).await["managed_by"], "Ana López");

    let change = json!({ "shipping_address_id": "", "status": "0", "name": "Shops" });
    done(&muster, &ana, ("PUT", &path), change).await;
    let after = read(&muster, &ana, &path).await;
    assert_eq!((&after["shipping_address_id"], &after["status"]), (&Value::Null, &json!(false)));
    assert_eq!((&after["name"], &after["role"]), (&json!("Shops"), &json!("consumer")));

    let second = muster.post("/v1/segments", json!({ "name": "A" })).by(&ana).send().await;
    let list = format!("/flows/segment/list/{}", ana.id);
    let reply = call(&muster, &ana, ("GET", &format!("{list}?no_items=500")), Value::Null, 200).await;
    let ids: Vec<_> = reply.body.as_array().unwrap().iter().map(|row| row["id"].clone()).collect();
    assert_eq!(
        (ids, totals(&reply)),
        (vec![json!(id), second.body["id"].clone()], ("1", "2")),
        "in the order of creation"
    );

    done(&muster, &ana, ("DELETE", &path), Value::Null).await;
    call(&muster, &ana, ("GET", &path), Value::Null, 404).await;
    let reply = call(&muster, &ana, ("GET", &list), Value::Null, 200).await;
    assert_eq!(totals(&reply), ("1", "1"));
    let removed = call(&muster, &ana, ("GET", &format!("{list}?removed=true")), Value::Null, 200).await;
    let row = &removed.body[0];
    assert_eq!((&row["id"], &row["name"], &row["removed"]), (&json!(id), &json!("Shops"), &json!(true)));
    assert_eq!(totals(&removed), ("1", "1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_makes_or_lists_segments_for_somebody_else() {
    let muster = Muster::start().await;
    let (ana, eva) = (muster.ana().await, muster.ana().await);
    call(&muster, &eva, ("POST", "/flows/segment"), json!({ "owner_id": ana.id, "name": "S" }), 404).await;
    call(&muster, &eva, ("GET", &format!("/flows/segment/list/{}", ana.id)), Value::Null, 404).await;
    let own = made(&muster, &eva, "/flows/segment", json!({ "name": "S" })).await;
    assert_eq!(read(&muster, &eva, &format!("/flows/segment/{own}")).await["owner_id"], json!(eva.id));
    for (body, message) in [
        (json!({ "owner_id": eva.id }), "name is required"),
        (json!({ "owner_id": "me", "name": "S" }), "owner_id must be an id, as it was given"),
        (json!({ "name": "S", "shipping_address_id": 7 }), "shipping_address_id must be an id, as it was given"),
        (json!({ "name": "S", "status": "on" }), "status must be true or false"),
    ] {
        let reply = call(&muster, &eva, ("POST", "/flows/segment"), body, 400).await;
        assert_eq!(reply.body, json!({ "message": message }));
    }
    for (query, message) in [
        ("page=0", "page must be a whole number from 1 to 1000000"),
        ("no_items=501", "no_items must be a whole number from 1 to 500"),
        ("removed=maybe", "removed must be true or false"),
    ] {
        let path = format!("/flows/segment/list/{}?{query}&unknown=1", eva.id);
        let reply = call(&muster, &eva, ("GET", &path), Value::Null, 400).await;
        assert_eq!(reply.body, json!({ "message": message }));
    }
}
