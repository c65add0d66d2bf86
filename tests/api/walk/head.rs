//! HEAD is answered as GET is, without a body.

use std::collections::BTreeMap;

use reqwest::Method;
use reqwest::header::HeaderMap;

use super::{Credentials, Operation, Victim, list_operations, new_developer};
use crate::system::Reply;

/// Headers that differ between two answers to the same request: the second has its own id, and fewer calls left.
const OWN: [&str; 4] = ["date", "x-request-id", "ratelimit", "retry-after"];

/// Headers whose values are signed or sealed anew each time.
const FRESH: [&str; 2] = ["link", "location"];

/// The headers that two answers to the same request have in common.
fn shared(headers: &HeaderMap) -> BTreeMap<&str, &str> {
    let shared = headers.iter().filter(|(name, _)| !OWN.contains(&name.as_str()));
    shared
        .map(|(name, value)| (name.as_str(), if FRESH.contains(&name.as_str()) { "" } else { value.to_str().unwrap() }))
        .collect()
}

async fn answers(victim: &Victim, operation: &Operation, by: &Credentials) -> (Reply, Reply) {
    let head = Operation { method: Method::HEAD, ..operation.clone() };
    let (get, _) = victim.call(operation, by);
    let (head, _) = victim.call(&head, by);
    (get.send().await, head.send().await)
}

#[tokio::test(flavor = "multi_thread")]
async fn head_is_answered_as_get_without_a_body() {
    let victim = Victim::start().await;
    let (muster, ana) = (&victim.world.muster, &victim.world.ana);
    let developer = new_developer(muster, ana).await;
    let (key_id, key) = victim.world.key(&["read", "write", "admin"]).await;
    let of = |name: &str, token: &str| Credentials {
        developer: developer.clone(),
        key_id: key_id.clone(),
        segment: Some(victim.ids["segment"].clone()),
        ..Credentials::new(name, token)
    };
    let callers = [of("the owner", &ana.access), of("a key", &key), Credentials::new("nobody", "none")];
    let (mut reached, mut wrong) = (0, Vec::new());
    let operations = list_operations(muster).await;
    for operation in operations.iter().filter(|operation| operation.method == Method::GET) {
        let mut is_reached = false;
        for by in &callers {
            let (get, head) = answers(&victim, operation, by).await;
            is_reached |= get.status.as_u16() < 400;
            if !head.text.is_empty() || head.status != get.status || shared(&head.headers) != shared(&get.headers) {
                let (get, head) = ((get.status, shared(&get.headers)), (head.status, shared(&head.headers)));
                wrong.push(format!("{} by {}: {get:?} {head:?}", operation.path, by.name));
            }
        }
        reached += usize::from(is_reached);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(reached > 60, "{reached}");
}

#[tokio::test(flavor = "multi_thread")]
async fn head_takes_the_parameters_of_get_and_no_others() {
    let victim = Victim::start().await;
    let users = format!("/v1/segments/{}/users", victim.ids["segment"]);
    for (path, status) in [
        (format!("{users}?page[size]=1&sort=-id"), 200),
        (format!("{users}?unknown=1"), 400),
        ("/v1/users/me?unknown=1".to_owned(), 400),
        ("/v1/nothing".to_owned(), 404),
        ("/v1/auth/login".to_owned(), 405),
        ("/docs/".to_owned(), 200),
        ("/openapi.json".to_owned(), 200),
    ] {
        let (get, head) = (victim.world.call("GET", &path).send().await, victim.world.call("HEAD", &path).send().await);
        assert_eq!((get.status.as_u16(), head.status.as_u16()), (status, status), "{path}");
        assert!(head.text.is_empty() && shared(&head.headers) == shared(&get.headers), "{path} {get:?} {head:?}");
    }
}
