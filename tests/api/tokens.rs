//! Tokens that are not good, and good ones whose user is not.

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use axum::{Json, Router, routing::get};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use local::{Functions, Wiring};
use serde_json::{Value, json};

use crate::system::{Ana, Muster, PASSWORD};

/// A pool of our own, whose key we have: what it signs is right but for what a test makes wrong.
pub(crate) struct Forge {
    key: EncodingKey,
    jwks: Value,
    modulus_pem: String,
}

impl Forge {
    pub(crate) fn new() -> Self {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let pkcs8: aws_lc_rs::encoding::Pkcs8V1Der<'_> = pair.as_der().unwrap();
        let pem =
            format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(pkcs8.as_ref()));
        let key = EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap();
        let public = pair.public_key();
        let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let (n, e) = (
            part(public.modulus().big_endian_without_leading_zero()),
            part(public.exponent().big_endian_without_leading_zero()),
        );
        let jwks = json!({ "keys": [{ "kid": "k1", "alg": "RS256", "kty": "RSA", "use": "sig", "n": n, "e": e }] });
        Self { key, jwks, modulus_pem: n }
    }

    pub(crate) fn token(&self, kid: &str, claims: &Value) -> String {
        let header = Header { kid: Some(kid.to_owned()), ..Header::new(Algorithm::RS256) };
        encode(&header, claims, &self.key).unwrap()
    }

    /// Tokens that take the public key, in two forms, for a shared secret.
    pub(crate) fn confused_tokens(&self, claims: &Value) -> [String; 2] {
        let header = Header { kid: Some("k1".to_owned()), ..Header::new(Algorithm::HS256) };
        let sign = |secret: &[u8]| encode(&header, claims, &EncodingKey::from_secret(secret)).unwrap();
        [sign(self.modulus_pem.as_bytes()), sign(self.jwks.to_string().as_bytes())]
    }
}

/// A part of a token.
pub(crate) fn encode_part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// A token whose header says that it is not signed.
pub(crate) fn unsigned_token(claims: &Value) -> String {
    format!("{}.{}.", encode_part(&json!({ "alg": "none", "kid": "k1" })), encode_part(claims))
}

/// The functions of this system, but with keys from the forge.
async fn behind(muster: &Muster, forge: &Forge) -> String {
    let jwks = forge.jwks.clone();
    let pool = Router::new().route("/{pool}/.well-known/jwks.json", get(async move || Json(jwks)));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let keys = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, pool).await });
    let mut wiring: Wiring = muster.wiring.clone();
    wiring.endpoints.cognito = keys;
    let functions = Functions::connect(&wiring);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(local::serve(listener, functions.router(), std::future::pending()));
    url
}

pub(crate) fn claims(muster: &Muster, ana: &Ana) -> Value {
    let payload = ana.access.split('.').nth(1).unwrap();
    let mut claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
    claims["iss"] = muster.wiring.issuer.clone().into();
    claims
}

async fn status(url: &str, token: &str) -> u16 {
    let request = reqwest::Client::new().get(format!("{url}/v1/users/me")).bearer_auth(token);
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_with_anything_wrong_is_refused() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let forge = Forge::new();
    let url = behind(&muster, &forge).await;
    let good = claims(&muster, &ana);
    assert_eq!(status(&url, &forge.token("k1", &good)).await, 200, "the forge itself is sound");
    let now = good["iat"].as_i64().unwrap();
    for (claim, value) in [
        ("exp", json!(now - 1)),
        ("exp", json!(null)),
        ("iss", json!("https://cognito-idp.us-east-1.amazonaws.com/us-east-1_other")),
        ("iss", json!(null)),
        ("client_id", json!("another")),
        ("client_id", json!(null)),
        ("token_use", json!("id")),
        ("token_use", json!(null)),
        ("username", json!("0199d2a4-5c00-7000-8000-000000000001")),
        ("username", json!("U#x")),
    ] {
        let mut wrong = good.clone();
        wrong[claim] = value.clone();
        assert_eq!(status(&url, &forge.token("k1", &wrong)).await, 401, "{claim}: {value}");
    }
    assert_eq!(status(&url, &forge.token("k2", &good)).await, 401, "a key that the pool does not have");
    assert_eq!(status(&url, &Forge::new().token("k1", &good)).await, 401, "another's signature");
    assert_eq!(status(&url, &unsigned_token(&good)).await, 401, "alg none");
    for confused in forge.confused_tokens(&good) {
        assert_eq!(status(&url, &confused).await, 401, "the public key as a secret");
    }
    for nonsense in ["", "x", "a.b.c", "....", &"x".repeat(7000)] {
        assert_eq!(status(&url, nonsense).await, 401);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_token_is_no_access_token_and_another_pools_token_is_none() {
    let (muster, other) = (Muster::start().await, Muster::start().await);
    let ana = muster.ana().await;
    let login = muster.login(&ana.email, PASSWORD).await;
    let id_token = login.body["id_token"].as_str().unwrap();
    assert_eq!(muster.get("/v1/users/me").token(id_token).send().await.status, 401);
    assert_eq!(other.get("/v1/users/me").by(&ana).send().await.status, 401);
    let header = muster.get("/v1/users/me").header("authorization", "Basic YTpi").send().await;
    assert_eq!((header.status.as_u16(), header.header("www-authenticate")), (401, "Bearer"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blocked_user_is_out_at_once_on_every_route() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let address = muster.address(&ana, "Home").await;
    muster.set_status(&ana.id, "BLOCKED").await;
    let before = muster.whole_table().await.len();
    let one = format!("/v1/users/me/addresses/{address}");
    let change = json!({ "old_password": PASSWORD, "new_password": "staple battery horse" });
    for call in [
        muster.get("/v1/users/me"),
        muster.patch("/v1/users/me", json!({ "name": "x" })),
        muster.delete("/v1/users/me"),
        muster.get("/v1/users/exists?email=a@example.com"),
        muster.post("/v1/users/me/password", change),
        muster.get("/v1/users/me/history"),
        muster.get("/v1/users/me/addresses"),
        muster.post("/v1/users/me/addresses", json!({})),
        muster.get(&one),
        muster.patch(&one, json!({ "alias": "x" })),
        muster.delete(&one),
        muster.post("/v1/auth/logout", json!({ "refresh_token": ana.refresh })),
        muster.get(&format!("/v1/users/{}", ana.id)),
        muster.get("/v1/users/0199d2a4-5c00-7000-8000-000000000001"),
    ] {
        assert_eq!(call.by(&ana).send().await.status, 401);
    }
    assert_eq!(muster.post("/v1/auth/refresh", json!({ "refresh_token": ana.refresh })).send().await.status, 401);
    let restore = muster.post(&format!("/v1/users/{}/restoration", ana.id), json!({ "password": PASSWORD }));
    assert_eq!(restore.send().await.status, 401);
    assert!(muster.whole_table().await.len().abs_diff(before) < 2_000, "only rate limits were counted");
}
