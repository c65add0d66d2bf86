//! What the routes of `/platform` cost, for `costs.rs`: what the routes of `/v1` do that they stand for, and one read more,
//! of the developer.

use domain::DeveloperFields;
use domain::field::Body as _;
use serde_json::{Value, json};

use super::token;
use crate::costs::Costs;
use crate::system::Ana;
use crate::world::id;

/// Who asks, and whom for.
struct Asking {
    tokens: String,
    user: String,
    product: String,
}

impl Asking {
    async fn of(&self, costs: &mut Costs, (method, route): (&str, &str), body: Value) {
        let path = route.replace("{id}", &self.user).replace("{user_id}", &self.user).replace("{document}", "12345678");
        let path = path.replace("{email}", "ana@example.com").replace("{reference_id}", "crm-1");
        let (path, query) =
            path.split_once('?').map_or((path.as_str(), String::new()), |(path, query)| (path, format!("?{query}")));
        let path = format!("/platform{path}/{}{query}", self.tokens);
        let route = route.split('?').next().unwrap();
        costs.of(&format!("{method} /platform{route}"), (method, &path, body), None, 200).await;
    }
}

/// Each route, with those that it stands for.
const STANDS_FOR: [(&str, &[&str]); 19] = [
    ("POST /platform/register", &["POST /v1/developers"]),
    ("POST /platform/generate-token", &["POST /v1/developers/{developer}/token"]),
    ("GET /platform/users/show-id/{id}", &[USER, OF_USER]),
    ("GET /platform/users/show-document/{document}", &[FILTER, OF_USER]),
    ("GET /platform/users/show-email/{email}", &[FILTER, OF_USER]),
    ("GET /platform/users/show-reference/{reference_id}", &[FILTER, OF_USER]),
    ("POST /platform/users/create", &["POST /v1/segments/{segment}/users/batch, of ten", SUBSCRIBE]),
    ("POST /platform/users/create/user-subscription", &[SUBSCRIBE]),
    ("PUT /platform/users/update/user-subscription", &[OF_USER, "PATCH /v1/subscriptions/{subscription}"]),
    ("GET /platform/products/all-products", &["GET /v1/segments/{segment}/products"]),
    ("POST /platform/partners/magic-link", &["GET /v1/users/exists, of a segment", "POST /v1/users/{user}/magic-link"]),
    ("GET /platform/ranking", &[MEMBERSHIPS, "GET /v1/memberships/{membership}/ranking"]),
    ("GET /platform/ranking/{user_id}", &[MEMBERSHIPS, "GET /v1/members/{member}/ranking"]),
    ("POST /platform/push", &["POST /v1/segments/{segment}/notifications"]),
    ("GET /platform/push/{id}", &["GET /v1/segments/{segment}/notifications/{notification}"]),
    ("DELETE /platform/users/destroy-user-id/{id}", &[PURGE]),
    ("DELETE /platform/users/destroy-document/{document}", &[FILTER, PURGE]),
    ("DELETE /platform/users/destroy-email/{email}", &[FILTER, PURGE]),
    ("DELETE /platform/users/destroy-reference-id/{reference_id}", &[FILTER, PURGE]),
];
const USER: &str = "GET /v1/users/{user}, of a segment";
const OF_USER: &str = "GET /v1/segments/{segment}/subscriptions, filter on user_id";
const FILTER: &str = "GET /v1/segments/{segment}/users, filter on e-mail";
const SUBSCRIBE: &str = "POST /v1/segments/{segment}/subscriptions";
const MEMBERSHIPS: &str = "GET /v1/segments/{segment}/memberships";
const PURGE: &str = "DELETE /v1/users/{user}?purge=true, of a segment";

/// Measures each route.
pub(crate) async fn measure(costs: &mut Costs) {
    let ana = costs.muster.ana().await;
    for _ in 0..32 {
        costs.muster.get("/v1/users/me").by(&ana).send().await;
    }
    let segment = id(&costs.muster.made(&ana, "/v1/segments", json!({ "name": "S" })).await);
    let of_segment = format!("/v1/segments/{segment}");
    let plat = costs.muster.key(&ana, &format!("{of_segment}/keys"), &["read", "write", "admin"]).await.1;
    let dev = token(&costs.muster, &ana.access).await;
    let product = id(&costs.muster.made(&ana, &format!("{of_segment}/products"), json!({ "title": "A" })).await);
    let asking = &mut Asking { tokens: format!("{dev}/{plat}"), user: String::new(), product };
    // The 128th request of a minute borrows for all that follow.
    for _ in 0..128 {
        costs.muster.get(&of_segment).token(&plat).send().await;
    }
    account(costs, &asking.tokens).await;
    asking.of(costs, ("GET", "/products/all-products"), Value::Null).await;
    let one = json!({ "product_id": asking.product, "users": [{ "email": "new@example.com" }] });
    asking.of(costs, ("POST", "/users/create"), one).await;
    destroying(costs, asking, (&ana, &format!("{of_segment}/users"))).await;
    for (route, stands_for) in STANDS_FOR {
        // Those were asked with a token; a key is one read more, and so is the developer.
        costs.reads_at_most_one_more(route, stands_for, 1);
    }
}

async fn account(costs: &mut Costs, tokens: &str) {
    // The first use of a developer's token is recorded once.
    let first = format!("/platform/products/all-products/{tokens}");
    assert_eq!(costs.muster.get(&first).send().await.status, 200);
    let made = costs
        .of("POST /platform/register", ("POST", "/platform/register", DeveloperFields::example()), None, 200)
        .await;
    let named = json!({ "user_id": made[0]["id"] });
    costs.of("POST /platform/generate-token", ("POST", "/platform/generate-token", named), None, 200).await;
    let link = "/platform/login-magico/ml_AAAAAAAAAAAAAAAAAAAAAAGZ0qRcAHAAgAAAAAAAAAE";
    costs.of("GET /platform/login-magico/{token}", ("GET", link, Value::Null), None, 200).await;
}

async fn push(costs: &mut Costs, tokens: &str) {
    let message = json!({ "title": "Hello", "body": "A new lesson is there." });
    let path = format!("/platform/push/{tokens}");
    let begun = id(&costs.of("POST /platform/push", ("POST", &path, message), None, 202).await);
    let path = format!("/platform/push/{begun}/{tokens}");
    costs.of("GET /platform/push/{id}", ("GET", &path, Value::Null), None, 200).await;
}

/// Destroys a student by each of its keys, and before the first asks for it in each way.
async fn destroying(costs: &mut Costs, asking: &mut Asking, (ana, users): (&Ana, &str)) {
    for key in ["user-id/{id}", "document/{document}", "email/{email}", "reference-id/{reference_id}"] {
        let student = json!({ "email": "ana@example.com", "reference_id": "crm-1",
            "identification": { "type": "DOCUMENT", "value": "12345678" } });
        asking.user = id(&costs.muster.made(ana, users, student.clone()).await);
        if key.starts_with("user-id") {
            whole(costs, asking).await;
            // With a subscription there is more to erase.
            let path = format!("/v1/users/{}?purge=true", asking.user);
            costs.muster.delete(&path).by(ana).send().await;
            asking.user = id(&costs.muster.made(ana, users, student).await);
        }
        asking.of(costs, ("DELETE", &format!("/users/destroy-{key}")), Value::Null).await;
    }
}

async fn whole(costs: &mut Costs, asking: &Asking) {
    let subscription = json!({ "product_id": asking.product, "user_id": asking.user });
    asking.of(costs, ("POST", "/users/create/user-subscription"), subscription.clone()).await;
    let mut change = subscription;
    change["expiration_date"] = json!("2027-11-01");
    asking.of(costs, ("PUT", "/users/update/user-subscription"), change).await;
    for route in ["id/{id}", "document/{document}", "email/{email}", "reference/{reference_id}"] {
        asking.of(costs, ("GET", &format!("/users/show-{route}")), Value::Null).await;
    }
    asking.of(costs, ("POST", "/partners/magic-link"), json!({ "email": "ana@example.com" })).await;
    asking.of(costs, ("GET", "/ranking"), Value::Null).await;
    asking.of(costs, ("GET", "/ranking/{user_id}"), Value::Null).await;
    push(costs, &asking.tokens).await;
}
