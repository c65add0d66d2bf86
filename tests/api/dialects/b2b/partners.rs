//! Business partners.

use serde_json::{Value, json};

use super::{B2b, error, told, user};

#[tokio::test(flavor = "multi_thread")]
async fn a_partner_is_made_changed_and_deleted_by_either_id() {
    let b2b = B2b::empty().await;
    let new = json!({ "idRemote": 77, "contactName": "Eva", "commercialName": "Café Sur", "tin": "0012", "role": "customer", "status": 1 });
    let made = b2b.send("POST", "/BusinessPartner/create", new).await;
    let id = made.body["id"].as_str().unwrap().to_owned();
    assert_eq!(told(&made), (201, json!({ "id": id, "idRemote": "77" })));
    let row = json!({ "id": id, "idRemote": "77", "contactName": "Eva", "commercialName": "Café Sur", "tin": "0012", "role": "customer",
        "status": true });
    let pagination =
        json!({ "totalItems": 1, "itemsPerPage": 10, "currentPage": 1, "totalPages": 1, "nextPageUrl": null });
    let page = json!({ "data": [row], "pagination": pagination });
    for path in ["", &format!("?id={id}"), "?id=77"] {
        assert_eq!(b2b.get(&format!("/BusinessPartner/getBPartner{path}")).await, page, "{path}");
    }
    let changed = b2b.send("PUT", "/BusinessPartner/update/77", json!({ "contactName": "", "status": false })).await;
    assert_eq!(told(&changed), (200, json!({ "id": id, "idRemote": "77" })));
    let v1 = b2b.world.read(&format!("/v1/segments/{}/partners/{id}", b2b.world.segment)).await;
    assert_eq!((&v1["contact_name"], &v1["status"], &v1["tin"]), (&Value::Null, &json!(false), &json!("0012")));
    let mut of = user("erp-1");
    of["businessPartnerId"] = json!(id);
    assert_eq!(b2b.send("POST", "/User/create", json!([of])).await.status, 201);
    let used = b2b.call("DELETE", "/BusinessPartner/delete/77").send().await;
    assert_eq!(told(&used), error(409, "Users name it; change these first."));
    let other = json!({ "idRemote": "78", "commercialName": "Other" });
    assert_eq!(b2b.send("POST", "/BusinessPartner/create", other).await.status, 201);
    assert_eq!(b2b.send("PUT", "/User/update/erp-1", json!({ "businessPartnerId": 78 })).await.status, 200);
    assert_eq!(told(&b2b.call("DELETE", "/BusinessPartner/delete/77").send().await), (200, json!({ "id": id })));
    for (method, path) in [("GET", "getBPartner?id="), ("PUT", "update/"), ("DELETE", "delete/")] {
        for by in [id.as_str(), "77"] {
            let call = b2b.call(method, &format!("/BusinessPartner/{path}{by}"));
            let reply = if method == "PUT" { call.json(json!({})) } else { call }.send().await;
            assert_eq!(
                told(&reply),
                error(404, &format!("No entity found for BusinessPartner with {by}.")),
                "{method}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_partner_is_told_by_its_name_here() {
    let b2b = B2b::empty().await;
    let first = json!({ "idRemote": "1", "commercialName": "A" });
    assert_eq!(b2b.send("POST", "/BusinessPartner/create", first.clone()).await.status, 201);
    for (body, expected) in [
        (first, error(409, "Duplicate entry => Care with idRemote")),
        (json!({}), error(400, "Parameter commercialName is required")),
        (json!({ "commercialName": "A", "contactName": [] }), error(400, "Parameter contactName must be a string")),
        (json!({ "commercialName": "A", "status": "maybe" }), error(400, "Parameter status must be true or false")),
        (json!("x"), error(400, "The body must be an object.")),
        (json!([]), error(400, "The body must have 1 to 20 business partners.")),
        (json!([[]]), error(400, "The body must be an object.")),
        (json!([{ "commercialName": "B" }, {}]), error(400, "Parameter commercialName is required")),
        (
            json!([{ "idRemote": "2", "commercialName": "B" }, { "idRemote": "1", "commercialName": "C" }]),
            error(409, "Duplicate entry => Care with idRemote"),
        ),
        (
            json!([{ "idRemote": "2", "commercialName": "B" }, { "idRemote": 2, "commercialName": "C" }]),
            error(409, "Duplicate entry => Care with idRemote"),
        ),
    ] {
        let reply = b2b.send("POST", "/BusinessPartner/create", body.clone()).await;
        assert_eq!(told(&reply), expected, "{body}");
    }
    assert_eq!(
        b2b.get("/BusinessPartner/getBPartner").await["pagination"]["totalItems"],
        1,
        "all of an array, or none"
    );
    let emptied = b2b.send("PUT", "/BusinessPartner/update/1", json!({ "commercialName": "" })).await;
    assert_eq!(told(&emptied), error(400, "Parameter commercialName is required"));
}
