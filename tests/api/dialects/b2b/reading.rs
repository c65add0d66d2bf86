//! What is read: users, what has changed, what is deleted, languages; as JSON and as XML.

use serde_json::{Value, json};

use super::{B2b, user};

#[tokio::test(flavor = "multi_thread")]
async fn a_user_is_shown_with_its_language_and_its_business_partner() {
    let b2b = B2b::start().await;
    let partner = json!({ "idRemote": "erp-77", "contactName": "Eva Ruiz", "commercialName": "Café Sur", "tin": "CSU010203AB1",
        "role": "customer", "status": true });
    let partner = b2b.send("POST", "/BusinessPartner/create", partner).await;
    assert_eq!((partner.status.as_u16(), &partner.body["idRemote"]), (201, &json!("erp-77")), "{partner:?}");
    let spanish = b2b.get("/Language/getLanguage?pageSize=500").await["data"].clone();
    let spanish = spanish.as_array().unwrap().iter().find(|language| language["code"] == "es").unwrap().clone();
    let mut new = user("erp-1");
    new["languageId"] = spanish["id"].clone();
    new["businessPartnerId"] = json!("erp-77");
    new["dateValid"] = json!("2027-12-31 23:59:59");
    new["active"] = json!(true);
    new["unknown"] = json!({ "is": "ignored" });
    let made = b2b.send("POST", "/User/create", json!([new])).await;
    let id = made.body[0]["id"].as_str().unwrap();
    assert_eq!((made.status.as_u16(), &made.body), (201, &json!([{ "id": id, "idRemote": "erp-1" }])));
    let found = b2b.get("/User/getUser").await;
    let updated = found["data"][0]["updatedAt"].clone();
    let expected = json!({
        "data": [{
            "id": id, "idRemote": "erp-1", "username": "user.erp-1", "name": "Ana", "email": "erp-1@example.com",
            "status": "ACTIVE", "updatedAt": updated, "dateValid": "2027-12-31T23:59:59.000Z", "active": true,
            "language": { "id": "14284", "code": "es", "iso": "spa", "name": "Spanish" },
            "businessPartner": { "id": partner.body["id"], "idRemote": "erp-77", "contactName": "Eva Ruiz",
                "commercialName": "Café Sur", "tin": "CSU010203AB1" },
        }],
        "pagination": { "totalItems": 1, "itemsPerPage": 10, "currentPage": 1, "totalPages": 1, "nextPageUrl": null },
    });
    assert_eq!(found, expected);
    // By either id it is the same one.
    for by in [id, "erp-1"] {
        assert_eq!(b2b.get(&format!("/User/getUser?id={by}")).await, expected, "{by}");
    }
    let v1 = b2b.world.read(&format!("/v1/users/{id}")).await;
    assert_eq!(
        (&v1["reference_id"], &v1["language"], &v1["partner_id"]),
        (&json!("erp-1"), &json!("es"), &partner.body["id"])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_v1_writes_is_read_here_and_a_uuid_may_be_a_remote_id() {
    let b2b = B2b::start().await;
    let remote = "0199d2a4-5c00-7000-8000-00000000abcd";
    let own = b2b.world.user(json!({ "reference_id": remote, "name": "Eva", "language": "pt-BR" })).await;
    let found = b2b.get(&format!("/User/getUser?id={remote}")).await;
    assert_eq!((&found["data"][0]["id"], &found["data"][0]["language"]["code"]), (&json!(own), &json!("pt")));
    assert_eq!(found["data"][0]["businessPartner"], Value::Null);
    let kept = b2b
        .send("PUT", &format!("/User/update/{remote}"), json!({ "languageId": found["data"][0]["language"]["id"] }))
        .await;
    assert_eq!((kept.status.as_u16(), &kept.body), (200, &json!({ "id": own, "idRemote": remote })));
    let v1 = b2b.world.read(&format!("/v1/users/{own}")).await;
    assert_eq!(v1["language"], "pt-BR", "the region stays, where the language does");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_counted_from_1_and_each_leads_to_the_next() {
    let b2b = B2b::start().await;
    let rows: Vec<_> = (0..12).map(|nth| user(&format!("r{nth:02}"))).collect();
    assert_eq!(b2b.send("POST", "/User/create", rows.into()).await.status, 201);
    let first = b2b.get("/User/getUser").await;
    assert_eq!((first["data"].as_array().unwrap().len(), &first["pagination"]["totalPages"]), (10, &json!(2)));
    let mut seen = Vec::new();
    let mut next = Some("/b2b/User/getUser?pageSize=5".to_owned());
    for page in 1..=3 {
        let url = next.take().unwrap();
        let path = url.split_once("/b2b").unwrap().1.to_owned();
        let found = b2b.get(&path).await;
        seen.extend(found["data"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()));
        let pagination = &found["pagination"];
        let numbers = ["totalItems", "itemsPerPage", "currentPage", "totalPages"].map(|name| pagination[name].as_u64());
        assert_eq!(numbers, [Some(12), Some(5), Some(page), Some(3)]);
        next = pagination["nextPageUrl"].as_str().map(str::to_owned);
        assert!(next.as_ref().is_none_or(|next| next.starts_with("http://127.0.0.1:")), "{next:?}");
    }
    assert_eq!(next, None);
    seen.dedup();
    assert_eq!(seen.len(), 12);
    let large = b2b.get("/User/getUser?pageSize=100000").await;
    assert_eq!(large["pagination"]["itemsPerPage"], 500, "{large}");
    let blank = b2b.get("/User/getUser?page=%20&pageSize=&id=%20").await;
    assert_eq!(blank, first, "blank is as if it were left out");
    let beyond = b2b.get("/User/getUser?page=%209%20").await;
    assert_eq!((&beyond["data"], &beyond["pagination"]["nextPageUrl"]), (&json!([]), &Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn update_from_tells_who_was_updated_at_a_time_or_later() {
    let b2b = B2b::start().await;
    let (one, two, three) = (b2b.user("one").await, b2b.user("two").await, b2b.user("three").await);
    let _ = three;
    assert_eq!(b2b.send("PUT", "/User/update/one", json!({ "name": "Eva" })).await.status, 200);
    let updated = b2b.get("/User/getUser?id=two").await["data"][0]["updatedAt"].as_str().unwrap().to_owned();
    let ids = |found: &Value| -> Vec<String> {
        found["data"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
    };
    let found = b2b.get(&format!("/User/updateFrom?date={updated}")).await;
    assert_eq!(ids(&found), [two.clone(), three, one.clone()], "those updated first first, the time itself included");
    assert_eq!(found["pagination"]["totalItems"], 3);
    let part = b2b.get(&format!("/User/updateFrom?date={updated}&pageSize=2")).await;
    let next = part["pagination"]["nextPageUrl"].as_str().unwrap().split_once("/b2b").unwrap().1.to_owned();
    assert_eq!(ids(&b2b.get(&next).await), [one]);
    for (date, expected) in [
        ("2020-01-01", 3),
        ("2020-01-01 00:00:00", 3),
        ("2020-01-01T00:00", 3),
        ("2020-01-01T00:00:00+02:00", 3),
        ("1577836800", 3),
        ("2999-01-01", 0),
    ] {
        assert_eq!(ids(&b2b.get(&format!("/User/updateFrom?date={date}")).await).len(), expected, "{date}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn xml_has_what_json_has() {
    let b2b = B2b::start().await;
    let mut new = user("erp-1");
    new["name"] = json!("A <b> & \"c\" é 😀");
    assert_eq!(b2b.send("POST", "/User/create", json!([new])).await.status, 201);
    b2b.user("erp-2").await;
    b2b.call("DELETE", "/User/delete/erp-2").send().await;
    for path in [
        "/User/getUser",
        "/User/getUser?id=erp-1",
        "/User/updateFrom?date=2020-01-01",
        "/DeletedHistory/getDeleted",
        "/Language/getLanguage?pageSize=3",
        "/BusinessPartner/getBPartner",
    ] {
        let json = b2b.get(path).await;
        let reply = b2b.call("GET", path).header("accept", "application/xml").send().await;
        assert_eq!(
            (reply.status.as_u16(), reply.header("content-type")),
            (200, "application/xml; charset=utf-8"),
            "{path}"
        );
        let expected = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>{}", element("export", &json));
        assert_eq!(reply.text, expected, "{path}");
        assert!(
            reply.text.contains("<export><data") && reply.text.ends_with("</pagination></export>"),
            "{}",
            reply.text
        );
    }
    let made = b2b.call("POST", "/User/create").header("accept", "text/xml").json(json!([user("erp-3")])).send().await;
    assert_eq!((made.status.as_u16(), made.header("content-type")), (201, "text/xml; charset=utf-8"));
    assert!(
        made.text.contains("<export><item><id>") && made.text.contains("<idRemote>erp-3</idRemote>"),
        "{}",
        made.text
    );
}

/// The element that a value is, by the rule that the document states.
fn element(name: &str, value: &Value) -> String {
    let inner = match value {
        Value::Null => String::new(),
        Value::Object(members) => members.iter().map(|(name, value)| element(name, value)).collect(),
        Value::Array(rows) => rows.iter().map(|row| element("item", row)).collect(),
        Value::String(text) => {
            let escapes = [('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;"), ('"', "&quot;"), ('\'', "&apos;")];
            escapes.iter().fold(text.clone(), |text, (char, escape)| text.replace(*char, escape))
        }
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    };
    if inner.is_empty() { format!("<{name}/>") } else { format!("<{name}>{inner}</{name}>") }
}

#[tokio::test(flavor = "multi_thread")]
async fn languages_are_those_of_v1() {
    let b2b = B2b::start().await;
    let here = b2b.get("/Language/getLanguage?pageSize=20").await;
    let there = b2b.world.read("/v1/languages").await;
    let mut expected = there["data"].clone();
    for language in expected.as_array_mut().unwrap() {
        language["id"] = json!(language["id"].to_string());
    }
    assert_eq!(here["data"], expected, "the id is text here");
    assert_eq!(here["pagination"]["totalItems"], there["page"]["total_items"]);
}
