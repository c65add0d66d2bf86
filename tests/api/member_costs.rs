//! What the routes of segments, keys, memberships and members cost, for `costs.rs`.

use domain::field::Body as _;
use serde_json::{Value, json};

use crate::costs::Costs;
use crate::segment_costs;
use crate::system::Ana;
use crate::user_costs;
use crate::world::id;

/// A user who has requests left, and what it owns.
pub(crate) struct Owner {
    pub(crate) user: Ana,
    pub(crate) segment: String,
    membership: String,
}

impl Owner {
    /// Measures one request of the owner.
    pub(crate) async fn of(&self, costs: &mut Costs, route: &str, path: &str, body: Value) -> Value {
        let method = route.split(' ').next().unwrap();
        let status = match method {
            "POST" => 201,
            "DELETE" => 204,
            _ => 200,
        };
        costs.of(route, (method, path, body), Some(&self.user), status).await
    }
}

/// Measures each route.
pub(crate) async fn measure(costs: &mut Costs) {
    let user = costs.muster.ana().await;
    // The 256th request of a minute borrows for all that follow.
    for _ in 0..256 {
        costs.muster.get("/v1/users/me").by(&user).send().await;
    }
    let mut owner = Owner { user, segment: String::new(), membership: String::new() };
    segments(costs, &mut owner).await;
    keys(costs, &owner).await;
    catalogs(costs, &owner).await;
    segment_costs::measure(costs, &owner).await;
    memberships(costs, &mut owner).await;
    let levels = levels(costs, &owner).await;
    fields(costs, &owner).await;
    let member = members(costs, &owner, &levels).await;
    points(costs, &owner, &member).await;
    user_costs::measure(costs, &owner).await;
    ending(costs, &owner, &member).await;
}

async fn segments(costs: &mut Costs, owner: &mut Owner) {
    let made = owner.of(costs, "POST /v1/segments", "/v1/segments", json!({ "name": "S" })).await;
    owner.segment = format!("/v1/segments/{}", id(&made));
    owner.of(costs, "GET /v1/segments", "/v1/segments", Value::Null).await;
    let filter = "/v1/segments?filter[name]=s*";
    owner.of(costs, "GET /v1/segments, filter", filter, Value::Null).await;
    owner.of(costs, "GET /v1/segments/{segment}", &owner.segment, Value::Null).await;
    owner.of(costs, "PATCH /v1/segments/{segment}", &owner.segment, json!({ "role": "consumer" })).await;
    let events = format!("{}/events", owner.segment);
    let told = owner.of(costs, "GET /v1/segments/{segment}/events", &events, Value::Null).await;
    let one = format!("{events}/{}", id(&told["data"][0]));
    owner.of(costs, "GET /v1/segments/{segment}/events/{event}", &one, Value::Null).await;
    webhooks(costs, owner, (&events, &one)).await;
}

async fn webhooks(costs: &mut Costs, owner: &Owner, (events, event): (&str, &str)) {
    let (path, of_route) = (format!("{}/webhooks", owner.segment), "/v1/segments/{segment}/webhooks");
    let body = json!({ "url": "https://example.com/", "event_types": ["muster.upload.*"] });
    let made = owner.of(costs, &format!("POST {of_route}"), &path, body).await;
    owner.of(costs, &format!("GET {of_route}"), &path, Value::Null).await;
    let one = format!("{path}/{}", id(&made));
    let of_one = format!("{of_route}/{{webhook}}");
    owner.of(costs, &format!("GET {of_one}"), &one, Value::Null).await;
    owner.of(costs, &format!("PATCH {of_one}"), &one, json!({ "description": "A" })).await;
    owner.of(costs, &format!("POST {of_one}/secret"), &format!("{one}/secret"), Value::Null).await;
    let named = json!({ "webhook_id": id(&made) });
    let replay = ("POST", &*format!("{event}/replay"), named.clone());
    costs.of("POST /v1/segments/{segment}/events/{event}/replay", replay, Some(&owner.user), 202).await;
    let range = json!({ "since": "2026-01-01T00:00:00Z", "webhook_id": named["webhook_id"] });
    let replay = ("POST", &*format!("{events}/replay"), range);
    costs.of("POST /v1/segments/{segment}/events/replay", replay, Some(&owner.user), 202).await;
    owner.of(costs, &format!("DELETE {of_one}"), &one, Value::Null).await;
}

async fn keys(costs: &mut Costs, owner: &Owner) {
    let key = json!({ "name": "K", "scopes": ["read"] });
    let path = format!("{}/keys", owner.segment);
    let made = owner.of(costs, "POST /v1/segments/{segment}/keys", &path, key.clone()).await;
    owner.of(costs, "GET /v1/segments/{segment}/keys", &path, Value::Null).await;
    let by = Ana { access: made["secret"].as_str().unwrap().to_owned(), ..owner.user.clone() };
    // The second request of a minute borrows for the third.
    for _ in 0..2 {
        costs.muster.get(&owner.segment).by(&by).send().await;
    }
    let read = ("GET", owner.segment.as_str(), Value::Null);
    costs.of("GET /v1/segments/{segment}, by a key", read, Some(&by), 200).await;
    let client =
        json!({ "grant_type": "client_credentials", "client_id": made["id"], "client_secret": made["secret"] });
    let token = costs.of("POST /v1/oauth/token", ("POST", "/v1/oauth/token", client.clone()), None, 200).await;
    let mut revocation = client;
    revocation["token"] = token["access_token"].clone();
    costs.of("POST /v1/oauth/revoke", ("POST", "/v1/oauth/revoke", revocation), None, 200).await;
    let one = format!("{path}/{}", id(&made));
    owner.of(costs, "DELETE /v1/segments/{segment}/keys/{key}", &one, Value::Null).await;
    developers(costs, owner).await;
    let made = owner.of(costs, "POST /v1/keys", "/v1/keys", key).await;
    owner.of(costs, "GET /v1/keys", "/v1/keys", Value::Null).await;
    owner.of(costs, "GET /v1/audit", "/v1/audit", Value::Null).await;
    let audit = format!("{}/audit", owner.segment);
    owner.of(costs, "GET /v1/segments/{segment}/audit", &audit, Value::Null).await;
    owner.of(costs, "DELETE /v1/keys/{key}", &format!("/v1/keys/{}", id(&made)), Value::Null).await;
}

async fn catalogs(costs: &mut Costs, owner: &Owner) {
    let catalog = |key: &str| json!({ "name": "C", "options": [{ "key": key, "value": "A" }] });
    let path = format!("{}/catalogs", owner.segment);
    let made = owner.of(costs, "POST /v1/segments/{segment}/catalogs", &path, catalog("a")).await;
    owner.of(costs, "GET /v1/segments/{segment}/catalogs", &path, Value::Null).await;
    let one = format!("{path}/{}", id(&made));
    owner.of(costs, "GET /v1/segments/{segment}/catalogs/{catalog}", &one, Value::Null).await;
    owner.of(costs, "PUT /v1/segments/{segment}/catalogs/{catalog}", &one, catalog("b")).await;
    owner.of(costs, "DELETE /v1/segments/{segment}/catalogs/{catalog}", &one, Value::Null).await;
}

async fn memberships(costs: &mut Costs, owner: &mut Owner) {
    let path = format!("{}/memberships", owner.segment);
    let made = owner.of(costs, "POST /v1/segments/{segment}/memberships", &path, json!({ "name": "M" })).await;
    owner.membership = format!("/v1/memberships/{}", id(&made));
    owner.of(costs, "GET /v1/segments/{segment}/memberships", &path, Value::Null).await;
    owner.of(costs, "GET /v1/memberships/{membership}", &owner.membership, Value::Null).await;
    owner.of(costs, "PATCH /v1/memberships/{membership}", &owner.membership, json!({ "self_enrolment": true })).await;
}

/// The ids of two levels.
async fn levels(costs: &mut Costs, owner: &Owner) -> [String; 2] {
    let path = format!("{}/levels", owner.membership);
    let level = |number: i64| json!({ "name": "L", "number": number, "from_point": 100 * number, "to_point": 100 * number + 99 });
    let mut levels = Vec::new();
    for number in 0..3 {
        levels.push(id(&owner.of(costs, "POST /v1/memberships/{membership}/levels", &path, level(number)).await));
    }
    owner.of(costs, "GET /v1/memberships/{membership}/levels", &path, Value::Null).await;
    let with = format!("{path}?include=fields");
    owner.of(costs, "GET /v1/memberships/{membership}/levels?include=fields", &with, Value::Null).await;
    let one = format!("{path}/{}", levels[2]);
    owner.of(costs, "GET /v1/memberships/{membership}/levels/{level}", &one, Value::Null).await;
    owner.of(costs, "PATCH /v1/memberships/{membership}/levels/{level}", &one, json!({ "name": "Z" })).await;
    owner.of(costs, "DELETE /v1/memberships/{membership}/levels/{level}", &one, Value::Null).await;
    [levels[0].clone(), levels[1].clone()]
}

/// Leaves the fields `city`, searchable, and `mail`, unique.
async fn fields(costs: &mut Costs, owner: &Owner) {
    let path = format!("{}/fields", owner.membership);
    let route = "POST /v1/memberships/{membership}/fields";
    let plain = json!({ "key": "plain", "name": "P", "type": "string" });
    let made = owner.of(costs, route, &path, plain).await;
    for (key, kind, searchable, unique) in [("city", "string", true, false), ("mail", "email", false, true)] {
        let field = json!({ "key": key, "name": key, "type": kind, "searchable": searchable, "unique": unique });
        costs.muster.made(&owner.user, &path, field).await;
    }
    owner.of(costs, "GET /v1/memberships/{membership}/fields", &path, Value::Null).await;
    let one = format!("{path}/{}", id(&made));
    owner.of(costs, "GET /v1/memberships/{membership}/fields/{field}", &one, Value::Null).await;
    let route = "PATCH /v1/memberships/{membership}/fields/{field}";
    owner.of(costs, route, &one, json!({ "name": "Q" })).await;
    owner.of(costs, &format!("{route}, newly required"), &one, json!({ "required": true })).await;
    owner.of(costs, "DELETE /v1/memberships/{membership}/fields/{field}", &one, Value::Null).await;
}

/// The path of a member.
async fn members(costs: &mut Costs, owner: &Owner, levels: &[String; 2]) -> String {
    let path = format!("{}/members", owner.membership);
    let route = "POST /v1/memberships/{membership}/members";
    owner.of(costs, route, &path, json!({ "name": "A" })).await;
    let whole = json!({ "name": "B", "last_name": "B", "user_id": owner.user.id, "level_id": levels[0],
        "answers": { "city": "a", "mail": "a@example.com" } });
    let made = owner.of(costs, &format!("{route}, with answers and a level"), &path, whole).await;
    let route = "GET /v1/memberships/{membership}/members";
    for (name, query) in [
        ("", ""),
        (", filter on an answer", "?filter[answers.city]=a"),
        (", two filters", "?filter[answers.city]=a&filter[status]=ACTIVE"),
        (", filter on user_id", &format!("?filter[user_id]={}", owner.user.id)),
        (", sort by name", "?sort=name"),
        (", sort by an answer", "?sort=-answers.city"),
    ] {
        owner.of(costs, &format!("{route}{name}"), &format!("{path}{query}"), Value::Null).await;
    }
    let one = format!("/v1/members/{}", id(&made));
    owner.of(costs, "GET /v1/members/{member}", &one, Value::Null).await;
    owner.of(costs, "PATCH /v1/members/{member}", &one, json!({ "origin": "web" })).await;
    owner.of(costs, "PATCH /v1/members/{member}, level", &one, json!({ "level_id": levels[1] })).await;
    let answers = format!("{one}/answers");
    owner.of(costs, "GET /v1/members/{member}/answers", &answers, Value::Null).await;
    owner.of(costs, "GET /v1/members/{member}/profile", &format!("{one}/profile"), Value::Null).await;
    let new = json!({ "city": "b", "mail": "b@example.com" });
    owner.of(costs, "PUT /v1/members/{member}/answers", &answers, new).await;
    one
}

async fn points(costs: &mut Costs, owner: &Owner, member: &str) {
    let path = format!("{member}/points");
    let award = json!({ "delta": 1, "reason": "x" });
    owner.of(costs, "POST /v1/members/{member}/points", &path, award).await;
    let down = json!({ "delta": -100, "reason": "x" });
    owner.of(costs, "POST /v1/members/{member}/points, to another level", &path, down).await;
    owner.of(costs, "GET /v1/members/{member}/points", &path, Value::Null).await;
    owner.of(costs, "GET /v1/members/{member}/ranking", &format!("{member}/ranking"), Value::Null).await;
    let ranking = format!("{}/ranking", owner.membership);
    owner.of(costs, "GET /v1/memberships/{membership}/ranking", &ranking, Value::Null).await;
}

async fn ending(costs: &mut Costs, owner: &Owner, member: &str) {
    owner.of(costs, "DELETE /v1/members/{member}", member, Value::Null).await;
    owner.of(costs, "DELETE /v1/memberships/{membership}", &owner.membership, Value::Null).await;
    owner.of(costs, "DELETE /v1/segments/{segment}", &owner.segment, Value::Null).await;
}

async fn developers(costs: &mut Costs, owner: &Owner) {
    let made = owner.of(costs, "POST /v1/developers", "/v1/developers", domain::DeveloperFields::example()).await;
    owner.of(costs, "GET /v1/developers", "/v1/developers", Value::Null).await;
    let (route, one) = ("/v1/developers/{developer}", format!("/v1/developers/{}", id(&made)));
    owner.of(costs, &format!("GET {route}"), &one, Value::Null).await;
    owner.of(costs, &format!("PATCH {route}"), &one, json!({ "name": "Eva" })).await;
    let token = ("POST", format!("{one}/token"));
    costs.of(&format!("POST {route}/token"), (token.0, &token.1, Value::Null), Some(&owner.user), 200).await;
    for method in ["PUT", "DELETE"] {
        let path = format!("{one}/ban");
        costs.of(&format!("{method} {route}/ban"), (method, &path, Value::Null), Some(&owner.user), 200).await;
    }
    owner.of(costs, &format!("DELETE {route}"), &one, Value::Null).await;
}
