//! Scripts of other sites may call, and read the headers that they need.

use crate::system::Muster;

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_may_call_every_route_from_another_site_and_read_its_headers() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let site = "https://app.example.com";
    let documents = std::iter::once("/openapi.json").chain(dialects::documents().into_iter().map(|(_, path, _)| path));
    let mut routes = 0;
    for document in documents {
        let document = muster.get(document).send().await.body;
        for (path, item) in document["paths"].as_object().unwrap() {
            let path = path.replace(['{', '}'], "");
            for method in item.as_object().unwrap().keys() {
                let asked = muster.call("OPTIONS", &path).header("origin", site);
                let asked = asked.header("access-control-request-method", &method.to_uppercase());
                let asked = asked.header("access-control-request-headers", "authorization,content-type,x-any");
                let reply = asked.send().await;
                assert_eq!(reply.status, 200, "{method} {path}");
                assert_eq!(reply.header("access-control-allow-origin"), "*");
                assert_eq!(reply.header("access-control-allow-headers"), "authorization,content-type,x-any");
                assert!(reply.header("access-control-allow-methods").contains(&method.to_uppercase()), "{reply:?}");
                assert_eq!(reply.header("access-control-max-age"), "7200");
                routes += 1;
            }
        }
    }
    assert!(routes > 100, "{routes}");
    let segments = format!("/flows/segment/list/{}?removed=false", ana.id);
    for (path, status) in
        [(segments.as_str(), 200), ("/v1/users/me", 200), ("/v1/users/me/addresses/x", 404), ("/v1/nowhere", 404)]
    {
        let reply = muster.get(path).by(&ana).header("origin", site).send().await;
        assert_eq!((reply.status.as_u16(), reply.header("access-control-allow-origin")), (status, "*"), "{path}");
        let exposed: Vec<_> = reply.header("access-control-expose-headers").split(',').collect();
        let needed = [
            "etag",
            "link",
            "location",
            "ratelimit",
            "retry-after",
            "x-request-id",
            "x-total-pages",
            "x-total-results",
        ];
        assert!(needed.iter().all(|name| exposed.contains(name)), "{exposed:?}");
        assert!(reply.header("access-control-allow-credentials").is_empty(), "no cookie says who calls");
    }
}
