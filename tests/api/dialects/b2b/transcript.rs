//! The worked process of this system: login, language, partner, users in JSON and XML, sync, update, delete, history, errors.

use serde_json::{Value, json};

use super::{B2b, error, told};
use crate::system::{Call, PASSWORD, Reply};

/// The process of a client that has logged in.
struct Process<'a> {
    b2b: &'a B2b,
    token: String,
}

impl Process<'_> {
    fn call(&self, method: &str, path: &str) -> Call<'_> {
        self.b2b.world.muster.call(method, &format!("/b2b{path}")).token(&self.token)
    }

    async fn get(&self, path: &str) -> Value {
        let reply = self.call("GET", path).send().await;
        assert_eq!(reply.status, 200, "{path} {reply:?}");
        reply.body
    }

    async fn send(&self, method: &str, path: &str, body: Value) -> Reply {
        self.call(method, path).json(body).send().await
    }
}

/// The pagination of a list that fits on one page.
fn pagination(total: u64) -> Value {
    json!({ "totalItems": total, "itemsPerPage": 10, "currentPage": 1, "totalPages": 1, "nextPageUrl": null })
}

fn local_id(value: &Value) -> String {
    let id = value.as_str().unwrap();
    assert_eq!(id.len(), 36, "{id}");
    id.to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn documented_process_gets_the_documented_answers() {
    let b2b = B2b::empty().await;
    let credentials = json!({ "_username": b2b.world.ana.email, "_password": PASSWORD });
    let login = b2b.world.muster.post("/b2b/login", credentials).send().await;
    let token = login.body["token"].as_str().unwrap().to_owned();
    assert_eq!(told(&login), (200, json!({ "token": token })));
    let process = Process { b2b: &b2b, token };

    let languages = process.get("/Language/getLanguage?page=1&pageSize=500").await;
    let spanish = languages["data"].as_array().unwrap().iter().find(|language| language["code"] == "es").unwrap();
    assert_eq!(*spanish, json!({ "id": "14284", "code": "es", "iso": "spa", "name": "Spanish" }));

    let partner = json!({ "idRemote": "BP-7", "contactName": "Elena Soto", "commercialName": "Norte S.A.", "tin": "A12345678",
        "role": "customer", "status": true });
    let created = process.send("POST", "/BusinessPartner/create", partner).await;
    let partner = local_id(&created.body["id"]);
    assert_eq!(told(&created), (201, json!({ "id": partner, "idRemote": "BP-7" })));
    let more = json!([{ "idRemote": 8, "commercialName": "Sur S.A." }]);
    let created = process.send("POST", "/BusinessPartner/create", more).await;
    let second = local_id(&created.body[0]["id"]);
    assert_eq!(told(&created), (201, json!([{ "id": second, "idRemote": "8" }])));
    let row = json!({ "id": partner, "idRemote": "BP-7", "contactName": "Elena Soto", "commercialName": "Norte S.A.",
        "tin": "A12345678", "role": "customer", "status": true });
    let found = process.get("/BusinessPartner/getBPartner?id=BP-7").await;
    assert_eq!(found, json!({ "data": [row], "pagination": pagination(1) }));
    process.users(&partner).await;
}

impl Process<'_> {
    async fn users(&self, partner: &str) {
        let rows = json!([
            { "idRemote": "U-1", "username": "mario.gil", "name": "Mario", "languageId": "14284", "email": "mario@example.com",
                "businessPartnerId": "BP-7", "dateValid": "2030-12-31 00:00:00", "active": true },
            { "idRemote": 2, "username": "lea.paz", "name": "Lea & Co", "languageId": 14284, "email": "lea@example.com",
                "businessPartnerId": partner, "dateValid": "", "active": "0" }
        ]);
        let created = self.send("POST", "/User/create", rows).await;
        let ids = [local_id(&created.body[0]["id"]), local_id(&created.body[1]["id"])];
        let expected = json!([{ "id": ids[0], "idRemote": "U-1" }, { "id": ids[1], "idRemote": "2" }]);
        assert_eq!(told(&created), (201, expected));

        let mut found = self.get("/User/getUser?page=1&pageSize=10").await;
        // Users of one request have one time; their ids decide their order.
        found["data"].as_array_mut().unwrap().sort_by_key(|row| row["idRemote"] != "U-1");
        let of = |nth: usize, status: &str, valid: Value| {
            let (remote, username, name, email) =
                [("U-1", "mario.gil", "Mario", "mario@example.com"), ("2", "lea.paz", "Lea & Co", "lea@example.com")]
                    [nth];
            json!({
                "id": ids[nth], "idRemote": remote, "username": username, "name": name, "email": email, "status": status,
                "updatedAt": found["data"][nth]["updatedAt"], "dateValid": valid, "active": status == "ACTIVE",
                "language": { "id": "14284", "code": "es", "iso": "spa", "name": "Spanish" },
                "businessPartner": { "id": partner, "idRemote": "BP-7", "contactName": "Elena Soto",
                    "commercialName": "Norte S.A.", "tin": "A12345678" }
            })
        };
        let mario = of(0, "ACTIVE", json!("2030-12-31T00:00:00.000Z"));
        let lea = of(1, "BLOCKED", Value::Null);
        assert_eq!(found, json!({ "data": [mario, lea], "pagination": pagination(2) }));
        self.xml(&lea, partner).await;

        let updated = found["data"][0]["updatedAt"].as_str().unwrap();
        let changed = json!({ "name": "Lea", "active": true });
        let changed = self.send("PUT", "/User/update/2", changed).await;
        assert_eq!(told(&changed), (200, json!({ "id": ids[1], "idRemote": "2" })));
        let since = self.get(&format!("/User/updateFrom?date={updated}&page=1&pageSize=10")).await;
        let mut lea = lea;
        for (name, value) in [("name", json!("Lea")), ("status", json!("ACTIVE")), ("active", json!(true))] {
            lea[name] = value;
        }
        lea["updatedAt"] = since["data"][1]["updatedAt"].clone();
        assert_eq!(since, json!({ "data": [mario, lea], "pagination": pagination(2) }));
        self.delete(&ids[1]).await;
    }

    /// The same user, as XML.
    async fn xml(&self, lea: &Value, partner: &str) {
        let reply = self.call("GET", "/User/getUser?id=2").header("accept", "application/xml").send().await;
        let (id, updated) = (lea["id"].as_str().unwrap(), lea["updatedAt"].as_str().unwrap());
        let expected = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><export><data><item><id>{id}</id><idRemote>2</idRemote>\
             <username>lea.paz</username><name>Lea &amp; Co</name><email>lea@example.com</email><status>BLOCKED</status>\
             <updatedAt>{updated}</updatedAt><dateValid/><active>false</active><language><id>14284</id><code>es</code>\
             <iso>spa</iso><name>Spanish</name></language><businessPartner><id>{partner}</id><idRemote>BP-7</idRemote>\
             <contactName>Elena Soto</contactName><commercialName>Norte S.A.</commercialName><tin>A12345678</tin>\
             </businessPartner></item></data><pagination><totalItems>1</totalItems><itemsPerPage>10</itemsPerPage>\
             <currentPage>1</currentPage><totalPages>1</totalPages><nextPageUrl/></pagination></export>"
        );
        assert_eq!((reply.status.as_u16(), reply.text), (200, expected));
    }

    async fn delete(&self, lea: &str) {
        let deleted = self.call("DELETE", "/User/delete/2").send().await;
        assert_eq!(told(&deleted), (200, json!({ "id": lea })));
        let history = self.get("/DeletedHistory/getDeleted?page=1&pageSize=10").await;
        let at = history["data"][0]["createdAt"].clone();
        assert!(at.as_str().unwrap().ends_with('Z'), "{history}");
        let row = json!({ "id": lea, "columnId": lea, "columnIdRemote": "2", "table": "User", "createdAt": at });
        assert_eq!(history, json!({ "data": [row], "pagination": pagination(1) }));

        let user = |name: &str, value: Value| {
            let mut user = json!({ "idRemote": "U-3", "username": "ida", "name": "Ida", "languageId": "14284",
                "email": "ida@example.com", "businessPartnerId": "BP-7" });
            user[name] = value;
            json!([user])
        };
        for (body, expected) in [
            (user("languageId", Value::Null), error(400, "Parameter languageId is required")),
            (user("businessPartnerId", json!("")), error(400, "Parameter businessPartnerId is required")),
            (user("username", json!("mario.gil")), error(409, "Duplicate entry => Care with email and username")),
            (user("email", json!("mario@example.com")), error(409, "Duplicate entry => Care with email and username")),
        ] {
            assert_eq!(told(&self.send("POST", "/User/create", body.clone()).await), expected, "{body}");
        }
        let gone = self.call("GET", "/User/getUser?id=2").send().await;
        assert_eq!(told(&gone), error(404, "No entity found for User with 2."));
        let date = self.call("GET", "/User/updateFrom").send().await;
        assert_eq!(told(&date), error(400, "Parameter date is required"));
        let anonymous = self.b2b.world.muster.get("/b2b/User/getUser").header("accept", "application/xml").send().await;
        let expected = "<export><code>401</code><error>Unauthorized.</error></export>";
        assert!(anonymous.status == 401 && anonymous.text.ends_with(expected), "{anonymous:?}");
    }
}
