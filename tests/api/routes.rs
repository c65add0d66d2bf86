//! The template, the OpenAPI document and the events name the same routes, and each private one wants a token.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::system::Muster;

const TEMPLATE: &str = include_str!("../../template.yaml");

/// Whether an operation of a document may be called without a credential.
pub(crate) fn is_public(operation: &Value) -> bool {
    let security = operation["security"].as_array().unwrap();
    security.is_empty() || security.iter().any(|one| one.as_object().unwrap().is_empty())
}

/// `METHOD /path` of each operation of the document, and whether it is public.
async fn documented(muster: &Muster) -> BTreeMap<String, (bool, Value)> {
    let document = muster.get("/openapi.json").send().await.body;
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let mut routes = BTreeMap::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let public = is_public(operation);
            routes.insert(format!("{} {path}", method.to_uppercase()), (public, operation.clone()));
        }
    }
    routes
}

/// The paths of the template under `/v1`. Each takes any method: the function itself knows which there are.
fn deployed() -> BTreeSet<&'static str> {
    in_template().filter(|path| path.starts_with("/v1/")).collect()
}

fn in_template() -> impl Iterator<Item = &'static str> {
    let paths = TEMPLATE.lines().filter_map(|line| line.trim().strip_prefix("Path: "));
    paths.map(|path| path.trim_matches('"'))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_template_deploys_exactly_the_documented_paths() {
    let muster = Muster::start().await;
    let documented = documented(&muster).await;
    let paths: BTreeSet<_> = documented.keys().map(|route| route.split_once(' ').unwrap().1).collect();
    let paths: BTreeSet<_> = paths.into_iter().filter(|path| path.starts_with("/v1/")).collect();
    assert_eq!(deployed(), paths);
    let prefixes: BTreeSet<_> =
        dialects::DIALECTS.iter().map(|dialect| format!("{}{{proxy+}}", dialect.prefix)).collect();
    let proxies = in_template().filter(|path| path.contains("{proxy+}")).map(str::to_owned).collect();
    assert_eq!(prefixes, proxies, "each dialect is one path");
    assert!(documented.len() > 18, "{documented:?}");
    let methods = TEMPLATE.lines().filter(|line| line.trim() == "Method: ANY").count();
    assert_eq!(methods, paths.len() + prefixes.len(), "a path with one method would answer 404 to all others, not 405");
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_document_refers_to_it_describes() {
    let muster = Muster::start().await;
    for path in dialects::documents().into_iter().map(|(_, path, _)| path).chain(["/openapi.json"]) {
        let document = muster.get(path).send().await.body;
        let (mut left, mut seen) = (vec![&document], 0);
        while let Some(value) = left.pop() {
            if let Some(to) = value["$ref"].as_str() {
                assert!(document.pointer(to.trim_start_matches('#')).is_some(), "{path} has no {to}");
                seen += 1;
            }
            left.extend(value.as_object().into_iter().flat_map(|fields| fields.values()));
            left.extend(value.as_array().into_iter().flatten());
        }
        assert!(seen > 0 || path != "/openapi.json");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_private_route_wants_a_token_and_the_public_ones_are_these() {
    let muster = Muster::start().await;
    let mut public = Vec::new();
    for (route, (open, _)) in documented(&muster).await {
        let (method, path) = route.split_once(' ').unwrap();
        let id = "0199d2a4-5c00-7000-8000-000000000001";
        let path = path.replace("{user}", "me").replace("{address}", id).replace("{upload}", id);
        if open {
            public.push(route);
            continue;
        }
        for token in [None, Some("nonsense")] {
            let mut call = muster.call(method, &path);
            if let Some(token) = token {
                call = call.token(token);
            }
            let reply = call.send().await;
            assert_eq!((reply.status.as_u16(), reply.header("www-authenticate")), (401, "Bearer"), "{route}");
        }
    }
    let expected = [
        "GET /health",
        "GET /v1/auth/magic-link",
        "GET /v1/users/{user}/email/undo",
        "POST /v1/auth/login",
        "POST /v1/auth/magic-link",
        "POST /v1/auth/recovery",
        "POST /v1/auth/recovery/confirm",
        "POST /v1/auth/refresh",
        "POST /v1/oauth/revoke",
        "POST /v1/oauth/token",
        "POST /v1/users",
        "POST /v1/users/{user}/email/undo",
        "POST /v1/users/{user}/restoration",
        "POST /v1/users/{user}/verification",
        "POST /v1/users/{user}/verification/resend",
    ];
    assert_eq!(public, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_operation_documents_its_body_by_an_example_and_its_errors() {
    let muster = Muster::start().await;
    let document = muster.get("/openapi.json").send().await.body;
    let mut ids = BTreeSet::new();
    for (route, (public, operation)) in documented(&muster).await {
        assert!(ids.insert(operation["operationId"].as_str().unwrap().to_owned()), "{route} has the id of another one");
        assert!(operation["summary"].as_str().is_some_and(|summary| !summary.is_empty()), "{route}");
        if !route.contains(" /v1/") {
            continue;
        }
        let responses = operation["responses"].as_object().unwrap();
        let mut needed = vec!["400", "429", "500", "503"];
        needed.extend(if public { [].as_slice() } else { &["401", "404"] });
        if let Some(body) = operation.get("requestBody") {
            needed.extend(["413", "415"]);
            assert!(body["content"]["application/json"]["example"].is_object(), "{route}");
        }
        for status in needed {
            assert!(responses.contains_key(status), "{route} {status}");
        }
        for (status, response) in responses.iter().filter(|(status, _)| status.as_str() >= "400") {
            let response = match response["$ref"].as_str() {
                Some(to) => document.pointer(to.trim_start_matches('#')).unwrap(),
                None => response,
            };
            assert!(response["content"].get("application/problem+json").is_some(), "{route} {status}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn swagger_ui_is_served_from_here() {
    let muster = Muster::start().await;
    let page = muster.get("/docs/").send().await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("swagger-ui"));
    assert!(!page.text.contains("https://"), "nothing is fetched from elsewhere");
    assert_eq!(muster.get("/docs/swagger-ui-bundle.js").send().await.status, 200);
    assert_eq!(muster.get("/health").send().await.status, 200);
}
