//! The worked process of this system: a form-encoded token, then users from creation to reactivation, and field mappings.

use serde_json::{Value, json};

use super::USERS;
use crate::system::{Call, Reply};
use crate::world::World;

/// A client that has got its token.
struct Client {
    world: World,
    token: String,
}

impl Client {
    async fn start() -> Self {
        let world = World::start().await;
        let (id, secret) = world.key(&["read", "write", "admin"]).await;
        let form = format!(
            "client_id={id}&client_secret={secret}&audience=https%3A%2F%2Fcards.example.com&grant_type=client_credentials"
        );
        let call = world.muster.call("POST", "/identity/oauth/token");
        let reply = call.raw("application/x-www-form-urlencoded", form).send().await;
        let token = reply.body["access_token"].as_str().unwrap().to_owned();
        let expected =
            json!({ "access_token": token, "token_type": "Bearer", "expires_in": 3600, "scope": "read write admin" });
        assert_eq!((reply.status.as_u16(), &reply.body), (200, &expected));
        Self { world, token }
    }

    fn call(&self, method: &str, path: &str) -> Call<'_> {
        self.world.muster.call(method, path).token(&self.token)
    }

    async fn send(&self, method: &str, path: &str, data: Value) -> Reply {
        let key = domain::UserId::fresh().to_string();
        self.call(method, path).header("x-idempotency-key", &key).json(json!({ "data": data })).send().await
    }

    /// The whole answer about a user with what was `sent`: documents as they are kept.
    fn expected(&self, reply: &Reply, sent: &Value, more: Value) -> Value {
        let data = &reply.body["data"];
        let id = data["id"].as_str().unwrap();
        assert!(id.len() == 40 && id.starts_with("usr-"), "{reply:?}");
        let mut expected = json!({
            "id": id, "client_id": format!("cli-{}", self.world.segment), "status": "ACTIVE", "status_reason": null,
            "company_id": null, "created_at": data["created_at"], "updated_at": data["updated_at"]
        });
        for fields in [sent, &more] {
            expected.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        }
        json!({ "data": expected })
    }
}

/// A card user of Argentina, as the documentation's example sends one.
fn marta() -> Value {
    json!({
        "name": "Marta", "surname": "Quiroga", "identification_type": "DNI", "identification_value": 30_111_222,
        "birthdate": "1985-04-12", "gender": "FEMALE", "email": "marta.quiroga@example.com", "phone": "+5491140001000",
        "tax_identification_type": "CUIL", "tax_identification_value": "20055361682", "nationality": "ARG",
        "tax_condition": "MONOTRIBUTO", "operation_country": "ARG",
        "legal_address": {
            "street_name": "Av. Rivadavia", "street_number": 1370, "floor": "2", "apartment": "B", "zipcode": "01085",
            "neighborhood": "Monserrat", "city": "Buenos Aires", "region": "Ciudad Autónoma de Buenos Aires",
            "additional_info": "", "country": "ARG"
        }
    })
}

/// What of her is answered in another way than it was sent: numbers as text, the zip code by its documented name.
fn as_answered() -> Value {
    let mut address = marta()["legal_address"].clone();
    let members = address.as_object_mut().unwrap();
    let zip_code = members.remove("zipcode").unwrap();
    members.extend([
        ("zip_code".to_owned(), zip_code),
        ("street_number".to_owned(), json!("1370")),
        ("additional_info".to_owned(), Value::Null),
    ]);
    json!({ "identification_value": "30111222", "legal_address": address })
}

#[tokio::test(flavor = "multi_thread")]
async fn documented_process_gets_the_documented_answers() {
    let client = Client::start().await;
    let created = client.send("POST", USERS, marta()).await;
    let expected = client.expected(&created, &marta(), as_answered());
    assert_eq!((created.status.as_u16(), &created.body), (201, &expected));
    let marta = expected["data"].clone();
    let one = format!("{USERS}{}", marta["id"].as_str().unwrap());
    let read = client.call("GET", &one).send().await;
    assert_eq!((read.status.as_u16(), &read.body), (200, &expected));

    let joao = json!({ "email": "joao@example.com", "operation_country": "BRA", "name": "João", "surname": "", "gender": "MALE",
        "legal_address": { "zip_code": "01310-100" } });
    let joao = client.send("POST", USERS, joao).await.body["data"].clone();
    let page = |rows: Value, pages: u64, current: u64, filters: Value| {
        let pagination = json!({ "total_pages": pages, "current_page": current });
        json!({ "data": rows, "meta": { "pagination": pagination, "filters": filters } })
    };
    let filters = json!([{ "field": "status", "values": ["ACTIVE", "BLOCKED"] }]);
    for (query, expected) in [
        ("", page(json!([marta, joao]), 1, 0, json!([]))),
        (
            "?filter[status]=ACTIVE,BLOCKED&sort=status,-gender&page[size]=1&page[number]=0",
            page(json!([joao]), 2, 0, filters.clone()),
        ),
        (
            "?filter[status]=ACTIVE,BLOCKED&sort=status,-gender&page[size]=1&page[number]=1",
            page(json!([marta]), 2, 1, filters),
        ),
        (
            "?filter[country_code]=BRA",
            page(json!([joao]), 1, 0, json!([{ "field": "country_code", "values": ["BRA"] }])),
        ),
    ] {
        let listed = client.call("GET", &format!("{USERS}{query}")).send().await;
        assert_eq!((listed.status.as_u16(), &listed.body), (200, &expected), "{query}");
    }
    client.change(&one, marta).await;
    client.map_fields().await;
}

impl Client {
    /// Changes, blocks and reactivates a user.
    async fn change(&self, one: &str, mut user: Value) {
        for (data, more) in [
            (
                json!({ "surname": "Quiroga Paz", "birthdate": "1985-04-13T00:00:00.000Z", "tax_condition": " " }),
                json!({ "surname": "Quiroga Paz", "birthdate": "1985-04-13", "tax_condition": null }),
            ),
            (
                json!({ "status": "BLOCKED", "status_reason": "CLIENT_INTERNAL_REASON" }),
                json!({ "status": "BLOCKED", "status_reason": "CLIENT_INTERNAL_REASON" }),
            ),
            (json!({ "status": "ACTIVE" }), json!({ "status": "ACTIVE", "status_reason": null })),
        ] {
            let changed = self.send("PATCH", one, data).await;
            user = self.expected(&changed, &user, more)["data"].clone();
            user["updated_at"] = changed.body["data"]["updated_at"].clone();
            assert_eq!((changed.status.as_u16(), &changed.body["data"]), (200, &user));
        }
        let reply = self.send("PATCH", one, json!({ "status": "BLOCKED" })).await;
        let error = json!({ "code": "required", "detail": reply.body["errors"][0]["detail"],
            "source": { "pointer": "/data/status_reason" } });
        assert_eq!((reply.status.as_u16(), &reply.body), (400, &told_twice(error)));
        let misspelt = self.call("GET", &format!("{USERS}?filter[statu]=ACTIVE")).send().await;
        let error = json!({ "code": "unknown", "detail": misspelt.body["errors"][0]["detail"],
            "source": { "parameter": "filter[statu]" } });
        assert_eq!((misspelt.status.as_u16(), &misspelt.body), (400, &told_twice(error)));
    }

    async fn map_fields(&self) {
        let path = "/identity/users/v1/custom-fields/mappings";
        let mappings = json!([{ "key": "cost_centre", "display_name": "Cost centre", "type": "string" }]);
        let replaced = self.call("POST", path).json(mappings.clone()).send().await;
        assert_eq!((replaced.status.as_u16(), &replaced.body), (200, &json!({ "data": mappings })));
        let read = self.call("GET", path).send().await;
        assert_eq!((read.status.as_u16(), &read.body), (200, &json!({ "data": mappings })));
        let revoked =
            self.world.muster.post("/identity/oauth/token/revoke", json!({ "token": self.token })).send().await;
        assert_eq!(revoked.status, 200, "{revoked:?}");
        assert_eq!(self.call("GET", path).send().await.status, 401);
    }
}

/// An error as clients read it, in either of two places.
fn told_twice(error: Value) -> Value {
    let detail = json!({ "code": error["code"], "detail": error["detail"] });
    json!({ "errors": [error], "error": { "details": [detail] } })
}
