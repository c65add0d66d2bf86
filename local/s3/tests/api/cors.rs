//! What browsers of other origins may do.

use aws_sdk_s3::types::{CorsConfiguration, CorsRule as SdkRule};
use local_s3::CorsRule;
use reqwest::Method;

use crate::support::{Answer, BUCKET, System, answer, code, hour, presigned, send};

const APP: &str = "https://app.example.com";

fn rule() -> CorsRule {
    let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    CorsRule {
        id: Some("app".to_owned()),
        allowed_origins: list(&["https://*.example.com"]),
        allowed_methods: list(&["PUT", "GET"]),
        allowed_headers: list(&["Content-Type", "x-amz-checksum-*"]),
        expose_headers: list(&["ETag"]),
        max_age_seconds: Some(600),
    }
}

async fn preflight(system: &System, origin: &str, method: &str, headers: &str) -> Answer {
    let url = format!("http://{}/{BUCKET}/some/key?X-Amz-Signature=not-looked-at", system.address);
    let request = reqwest::Client::new().request(Method::OPTIONS, url).header("Origin", origin);
    let request = request.header("Access-Control-Request-Method", method);
    let request = request.header("Access-Control-Request-Headers", headers);
    answer(request.send().await.unwrap()).await
}

#[tokio::test]
async fn a_preflight_is_answered_by_the_bucket_s_rules() {
    let system = System::start().await;
    system.s3.set_cors(BUCKET, &[rule()]).unwrap();
    let allowed = preflight(&system, APP, "PUT", "content-type, X-Amz-Checksum-Sha256").await;
    assert_eq!((allowed.status, allowed.body.as_str()), (200, ""), "{allowed:?}");
    assert_eq!(allowed.header("access-control-allow-origin"), APP);
    assert_eq!(allowed.header("access-control-allow-methods"), "PUT, GET");
    assert_eq!(allowed.header("access-control-allow-headers"), "content-type, x-amz-checksum-sha256");
    assert_eq!(allowed.header("access-control-expose-headers"), "ETag");
    assert_eq!(allowed.header("access-control-max-age"), "600");
    assert_eq!(allowed.header("access-control-allow-credentials"), "true");
    assert!(allowed.header("vary").contains("Origin"));
}

#[tokio::test]
async fn a_preflight_outside_the_rules_is_refused() {
    let system = System::start().await;
    let none = preflight(&system, APP, "PUT", "").await;
    assert_eq!((none.status, none.code()), (403, "AccessForbidden"));
    assert!(none.body.contains("CORS is not enabled for this bucket"), "{none:?}");
    system.s3.set_cors(BUCKET, &[rule()]).unwrap();
    for (origin, method, headers) in [
        ("https://evil.test", "PUT", ""),
        ("http://app.example.com", "PUT", ""),
        ("https://app.example.com.evil.test", "PUT", ""),
        (APP, "DELETE", ""),
        (APP, "put", ""),
        (APP, "PUT", "content-type, x-amz-acl"),
    ] {
        let refused = preflight(&system, origin, method, headers).await;
        assert_eq!((refused.status, refused.code()), (403, "AccessForbidden"), "{origin} {method} {headers}");
        assert_eq!(refused.header("access-control-allow-origin"), "");
    }
    let url = format!("http://{}/{BUCKET}/a", system.address);
    let bare = reqwest::Client::new().request(Method::OPTIONS, url).send().await.unwrap();
    assert_eq!(answer(bare).await.status, 400);
}

#[tokio::test]
async fn answers_good_and_bad_can_be_read_by_the_origin() {
    let system = System::start().await;
    system.s3.set_cors(BUCKET, &[rule()]).unwrap();
    let request = system.client().put_object().bucket(BUCKET).key("a").content_length(5);
    let put = presigned(&request.presigned(hour()).await.unwrap());
    let good = send(&put, &[("origin", APP)], "hello").await;
    assert_eq!((good.status, good.header("access-control-allow-origin")), (200, APP), "{good:?}");
    assert_eq!(good.header("access-control-expose-headers"), "ETag");
    let bad = send(&put, &[("origin", APP)], "hello!").await;
    assert_eq!((bad.status, bad.header("access-control-allow-origin")), (403, APP), "{bad:?}");
    let other = send(&put, &[("origin", "https://evil.test")], "hello").await;
    assert_eq!((other.status, other.header("access-control-allow-origin")), (200, ""), "{other:?}");
}

#[tokio::test]
async fn any_origin_is_allowed_without_credentials() {
    let system = System::start().await;
    system.s3.set_cors(BUCKET, &[CorsRule { allowed_origins: vec!["*".to_owned()], ..rule() }]).unwrap();
    let allowed = preflight(&system, "https://any.test", "GET", "").await;
    assert_eq!((allowed.status, allowed.header("access-control-allow-origin")), (200, "*"));
    assert_eq!(allowed.header("access-control-allow-credentials"), "");
}

#[tokio::test]
async fn a_configuration_is_put_and_read_by_the_sdk() {
    let system = System::start().await;
    let client = system.client();
    assert_eq!(code(client.get_bucket_cors().bucket(BUCKET).send().await), "NoSuchCORSConfiguration");
    let put = |methods: &str, origin: &str| {
        let rule = SdkRule::builder().allowed_methods(methods).allowed_origins(origin).max_age_seconds(5).build();
        let rules = CorsConfiguration::builder().cors_rules(rule.unwrap()).build().unwrap();
        client.put_bucket_cors().bucket(BUCKET).cors_configuration(rules).send()
    };
    assert_eq!(code(put("PATCH", "*").await), "InvalidRequest");
    assert_eq!(code(put("PUT", "https://*.*.test").await), "InvalidRequest");
    put("PUT", "https://*.test").await.unwrap();
    let got = client.get_bucket_cors().bucket(BUCKET).send().await.unwrap();
    assert_eq!(got.cors_rules()[0].allowed_origins(), ["https://*.test"]);
    assert_eq!(preflight(&system, "https://a.test", "PUT", "").await.status, 200);
}
