//! Addresses, of oneself and of the users of one's segments.

use serde_json::{Value, json};

use super::{call, done, made, read, totals, without_times};
use crate::system::{Ana, Muster};

fn home(owner: &str) -> Value {
    json!({
        "owner_id": owner, "alias": "Home", "latitude": 19.426_967, "longitude": "-99.168097", "street": "Avenida Reforma",
        "external_number": 222, "internal_number": "4B", "zipcode": "06600", "neighbourhood": "Juárez",
        "references": "Ring twice", "rfc": "GODE561231GR8", "business": true, "status": true, "location": 1, "billing": false,
        "shipping": "true", "country": { "id": 142, "code": "MEX", "name": "México" },
        "state": { "id": null, "code": null, "name": null }, "city": { "name": "Ciudad de México" }, "unknown": [],
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_made_read_changed_listed_and_deleted() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let id = made(&muster, &ana, "/flows/address", home(&ana.id)).await;
    let path = format!("/flows/address/{id}");
    let nowhere = json!({ "id": null, "code": null, "name": null });
    let mut expected = json!({
        "owner_id": ana.id, "alias": "Home", "latitude": "19.43", "longitude": "-99.17", "street": "Avenida Reforma",
        "external_number": "222", "internal_number": "4B", "zipcode": "06600", "neighbourhood": "Juárez",
        "references": "Ring twice", "rfc": "GODE561231GR8", "business": true, "status": true, "location": true, "billing": false,
        "shipping": true, "country": { "id": 142, "code": "MEX", "name": "México" }, "state": nowhere,
        "city": { "id": null, "code": null, "name": "Ciudad de México" }, "id": id, "removed": false,
    });
    assert_eq!(without_times(&read(&muster, &ana, &path).await), expected);
    let own = read(&muster, &ana, &format!("/v1/users/me/addresses/{id}")).await;
    assert_eq!((&own["zip_code"], own["latitude"].to_string()), (&json!("06600"), "19.426967".to_owned()));
    assert_eq!(own["is_shipping"], true);

    let change =
        json!({ "internal_number": null, "billing": true, "city": nowhere, "business": "Café", "owner_id": ana.id });
    done(&muster, &ana, ("PUT", &path), change).await;
    for (name, value) in
        [("internal_number", Value::Null), ("billing", json!(true)), ("city", nowhere), ("business", json!("Café"))]
    {
        expected[name] = value;
    }
    assert_eq!(without_times(&read(&muster, &ana, &path).await), expected);

    let office = muster.address(&ana, "Office").await;
    let list = format!("/flows/address/list/{}", ana.id);
    let reply = call(&muster, &ana, ("GET", &list), Value::Null, 200).await;
    let ids: Vec<_> = reply.body.as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap()).collect();
    assert_eq!((ids, totals(&reply)), (vec![id.as_str(), &office], ("1", "2")));
    assert_eq!(without_times(&reply.body[0]), expected);
    let page = call(&muster, &ana, ("GET", &format!("{list}?page=2&no_items=1")), Value::Null, 200).await;
    assert_eq!((&page.body[0]["id"], totals(&page)), (&json!(office), ("2", "2")));
    let removed = call(&muster, &ana, ("GET", &format!("{list}?removed=true")), Value::Null, 200).await;
    assert_eq!((&removed.body, totals(&removed)), (&json!([]), ("0", "0")));

    for id in [&id, &office] {
        done(&muster, &ana, ("DELETE", &format!("/flows/address/{id}")), Value::Null).await;
        for method in ["GET", "DELETE"] {
            call(&muster, &ana, (method, &format!("/flows/address/{id}")), Value::Null, 404).await;
        }
    }
    let own = read(&muster, &ana, "/v1/users/me/addresses").await;
    assert_eq!(own["page"]["total_items"], 0);
    assert!(muster.items("H#").await.is_empty(), "nothing says where they were");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_removed_is_listed_as_it_was() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let id = made(&muster, &ana, "/flows/address", home(&ana.id)).await;
    let office = muster.address(&ana, "Office").await;
    let mut expected = without_times(&read(&muster, &ana, &format!("/flows/address/{id}")).await);
    for id in [&id, &office] {
        done(&muster, &ana, ("DELETE", &format!("/flows/address/{id}")), Value::Null).await;
    }
    expected["removed"] = json!(true);
    let list = format!("/flows/address/list/{}", ana.id);
    assert_eq!(without_times(&read(&muster, &ana, &format!("{list}?removed=true")).await[0]), expected);
    for (query, ids, found) in [
        ("removed=True&no_items=1", vec![&id], ("2", "2")),
        ("removed=1&no_items=1&page=2", vec![&office], ("2", "2")),
        ("removed=true&page=3", vec![], ("1", "2")),
        ("removed=false", vec![], ("0", "0")),
    ] {
        let page = call(&muster, &ana, ("GET", &format!("{list}?{query}")), Value::Null, 200).await;
        let shown: Vec<_> = page.body.as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap()).collect();
        assert_eq!((shown, totals(&page)), (ids.into_iter().map(String::as_str).collect(), found), "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sends_back_what_it_read_moves_nothing() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let id = made(&muster, &ana, "/flows/address", home(&ana.id)).await;
    let path = format!("/flows/address/{id}");
    let shown = read(&muster, &ana, &path).await;
    let own = format!("/v1/users/me/addresses/{id}");
    for (change, latitude, longitude) in [
        (shown, "19.426967", "-99.168097"),
        (json!({ "latitude": 19.43, "longitude": "-99.17" }), "19.426967", "-99.168097"),
        (json!({ "latitude": "19.44", "longitude": -99.168 }), "19.44", "-99.168"),
        (json!({ "latitude": "", "longitude": null }), "null", "null"),
    ] {
        done(&muster, &ana, ("PUT", &path), change).await;
        let own = read(&muster, &ana, &own).await;
        assert_eq!((own["latitude"].to_string(), own["longitude"].to_string()), (latitude.into(), longitude.into()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_of_a_segment_keeps_the_addresses_of_its_users_and_nobody_else_does() {
    let muster = Muster::start().await;
    let (ana, stranger): (Ana, Ana) = (muster.ana().await, muster.ana().await);
    let segment = made(&muster, &ana, "/flows/segment", json!({ "name": "S" })).await;
    let user = muster
        .post(&format!("/v1/segments/{segment}/users"), json!({ "email": "u@example.com" }))
        .by(&ana)
        .send()
        .await;
    let user = user.body["id"].as_str().unwrap().to_owned();
    let id = made(&muster, &ana, "/flows/address", home(&user)).await;
    let path = format!("/flows/address/{id}");
    done(&muster, &ana, ("PUT", &path), json!({ "alias": "Flat" })).await;
    assert_eq!(read(&muster, &ana, &path).await["owner_id"], json!(user));
    let of_user = format!("/flows/address/list/{user}");
    assert_eq!(read(&muster, &ana, &of_user).await[0]["alias"], "Flat");

    call(&muster, &stranger, ("POST", "/flows/address"), home(&user), 404).await;
    for (method, path, body) in [
        ("GET", path.as_str(), Value::Null),
        ("PUT", &path, json!({ "alias": "Mine" })),
        ("DELETE", &path, Value::Null),
        ("GET", &of_user, Value::Null),
    ] {
        let reply = call(&muster, &stranger, (method, path), body, 404).await;
        assert_eq!(reply.body, json!({ "message": "There is nothing here that you can reach." }));
    }
    done(&muster, &ana, ("DELETE", &path), Value::Null).await;
    assert_eq!(read(&muster, &ana, &format!("{of_user}?removed=true")).await[0]["alias"], "Flat");
    call(&muster, &stranger, ("GET", &format!("{of_user}?removed=true")), Value::Null, 404).await;
    made(&muster, &ana, "/flows/address", home(&user)).await;
    let purged = muster.delete(&format!("/v1/users/{user}?purge=true")).by(&ana).send().await;
    assert_eq!(purged.status, 204);
    assert!(muster.items("H#").await.is_empty(), "a purge leaves nothing");
    for partition in ["U#", "K#"] {
        assert!(muster.items(&format!("{partition}{user}")).await.is_empty(), "nor what was removed before");
    }
}
