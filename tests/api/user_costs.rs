//! What the routes of a segment's users cost, for `costs.rs`.

use serde_json::{Value, json};

use crate::costs::Costs;
use crate::member_costs::Owner;
use crate::world::id;

/// Measures each route.
pub(crate) async fn measure(costs: &mut Costs, owner: &Owner) {
    let users = format!("{}/users", owner.segment);
    let of_route = "/v1/segments/{segment}/users";
    let email = |email: &str| json!({ "email": email });
    let one = owner.of(costs, &format!("POST {of_route}"), &users, email("a@example.com")).await;
    let one = format!("/v1/users/{}", id(&one));
    let all = json!({
        "email": "b@example.com", "username": "beto", "reference_id": "b-1", "name": "Beto", "last_name": "Ruiz",
        "gender": "MALE", "phone": "+5215512345678", "birthdate": "1990-02-28", "operation_country": "PER",
        "identification": { "type": "DNI", "value": "12345678" },
    });
    let other = owner.of(costs, &format!("POST {of_route}, with many fields"), &users, all).await;
    let other = format!("/v1/users/{}", id(&other));
    let with_password = json!({ "email": "c@example.com", "password": "correct horse battery" });
    let third = owner.of(costs, &format!("POST {of_route}, with a password"), &users, with_password).await;
    let third = id(&third);
    let child = json!({ "parent_id": third });
    owner.of(costs, &format!("POST {of_route}, with a parent"), &users, child).await;
    lists(costs, owner, &users, of_route).await;
    changes(costs, owner, (&one, &third)).await;
    addresses(costs, owner, &one).await;
    feed(costs, owner, &users, of_route).await;
    endings(costs, owner, (&users, &other), of_route).await;
}

async fn lists(costs: &mut Costs, owner: &Owner, users: &str, of_route: &str) {
    owner.of(costs, &format!("GET {of_route}"), users, Value::Null).await;
    for (about, query) in [
        ("sort by name", "sort=last_name"),
        ("sort by facets", "sort=status,-gender"),
        ("filter on status", "filter[status]=ACTIVE,BLOCKED"),
        ("filter on e-mail", "filter[email]=a@example.com"),
        ("filter on status, sort by e-mail", "filter[status]=ACTIVE,BLOCKED&sort=email"),
    ] {
        owner.of(costs, &format!("GET {of_route}, {about}"), &format!("{users}?{query}"), Value::Null).await;
    }
}

async fn changes(costs: &mut Costs, owner: &Owner, (one, third): (&str, &str)) {
    let user = "/v1/users/{user}";
    let email = |email: &str| json!({ "email": email });
    owner.of(costs, &format!("GET {user}, of a segment"), one, Value::Null).await;
    owner.of(costs, &format!("PATCH {user}, of a segment"), one, json!({ "name": "Ana" })).await;
    owner.of(costs, &format!("PATCH {user}, of a segment, blocked"), one, json!({ "status": "BLOCKED" })).await;
    owner.of(costs, &format!("PATCH {user}, of a segment, e-mail"), one, email("d@example.com")).await;
    let status = json!({ "name": "Of one" });
    let status = costs.muster.made(&owner.user, &format!("{}/statuses", owner.segment), status).await;
    let status = json!({ "status_id": status["id"] });
    owner.of(costs, &format!("PATCH {user}, of a segment, status"), one, status).await;
    let family = format!("/v1/users/{third}/family");
    owner.of(costs, &format!("GET {user}/family"), &family, Value::Null).await;
    let password = ("POST", &*format!("{one}/password"), json!({ "new_password": "staple battery horse" }));
    costs.of(&format!("POST {user}/password, by the segment's owner"), password, Some(&owner.user), 204).await;
    magic_link(costs, owner, third).await;
    let number = ("POST", &*format!("{one}/number"), Value::Null);
    costs.of(&format!("POST {user}/number"), number, Some(&owner.user), 200).await;
    let emails = json!({ "emails": [{ "to": "ana@example.com", "subject": "Welcome" }] });
    let emails = ("POST", &*format!("{one}/emails"), emails);
    costs.of(&format!("POST {user}/emails"), emails, Some(&owner.user), 204).await;
    let exists =
        format!("/v1/users/exists?email=d@example.com&segment_id={}", owner.segment.rsplit('/').next().unwrap());
    owner.of(costs, "GET /v1/users/exists, of a segment", &exists, Value::Null).await;
}

async fn addresses(costs: &mut Costs, owner: &Owner, user: &str) {
    let (path, of_route) = (format!("{user}/addresses"), "/v1/users/{user}/addresses");
    let route = format!("POST {of_route}, of a segment's user");
    let made = owner.of(costs, &route, &path, json!({ "alias": "Home" })).await;
    let one = format!("{path}/{}", id(&made));
    for (method, body) in [("PATCH", json!({ "alias": "Work" })), ("DELETE", Value::Null)] {
        owner.of(costs, &format!("{method} {of_route}/{{address}}, of a segment's user"), &one, body).await;
    }
}

async fn feed(costs: &mut Costs, owner: &Owner, users: &str, of_route: &str) {
    owner.of(costs, &format!("GET {of_route}/changes"), &format!("{users}/changes"), Value::Null).await;
    let part = format!("{users}/changes?page[size]=1");
    owner.of(costs, &format!("GET {of_route}/changes, told before"), &part, Value::Null).await;
    let batch = (0..10).map(|n| json!({ "email": format!("{n}@example.com") })).collect::<Vec<_>>();
    let batch = json!({ "users": batch });
    let batch = ("POST", &*format!("{users}/batch"), batch);
    costs.of(&format!("POST {of_route}/batch, of ten"), batch, Some(&owner.user), 200).await;
    let whole = (0..10).map(|n| json!({ "email": format!("w{n}@example.com") })).collect::<Vec<_>>();
    let whole = ("POST", &*format!("{users}/batch"), json!({ "users": whole, "atomic": true }));
    costs.of(&format!("POST {of_route}/batch, atomic"), whole, Some(&owner.user), 200).await;
}

async fn endings(costs: &mut Costs, owner: &Owner, (users, other): (&str, &str), of_route: &str) {
    let user = "/v1/users/{user}";
    owner.of(costs, &format!("DELETE {user}, of a segment"), other, Value::Null).await;
    owner.of(costs, &format!("GET {of_route}/deleted"), &format!("{users}/deleted"), Value::Null).await;
    let restoration = ("POST", &*format!("{other}/restoration"), Value::Null);
    costs.of(&format!("POST {user}/restoration, of a segment"), restoration, Some(&owner.user), 200).await;
    owner
        .of(costs, &format!("DELETE {user}?purge=true, of a segment"), &format!("{other}?purge=true"), Value::Null)
        .await;
}

async fn magic_link(costs: &mut Costs, owner: &Owner, user: &str) {
    let path = format!("/v1/users/{user}/magic-link");
    let route = "POST /v1/users/{user}/magic-link";
    let made = costs.of(route, ("POST", &path, Value::Null), Some(&owner.user), 200).await;
    let token = made["url"].as_str().unwrap().split_once("token=").unwrap().1;
    let redemption = ("POST", "/v1/auth/magic-link", json!({ "token": token }));
    costs.of("POST /v1/auth/magic-link", redemption, None, 200).await;
}
