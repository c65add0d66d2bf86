use std::time::Duration;

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, TokenData, Validation, decode, decode_header};
use serde_json::Value;

use crate::system::{CLIENT, EMAIL, PASSWORD, POOL, System, claims, named, refused};

async fn verify(system: &System, token: &str, audience: Option<&str>) -> TokenData<Value> {
    let url = format!("{}/{POOL}/.well-known/jwks.json", system.base);
    let keys: JwkSet = reqwest::get(url).await.unwrap().json().await.unwrap();
    let key = keys.find(&decode_header(token).unwrap().kid.unwrap()).unwrap();
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_issuer(&[format!("{}/{POOL}", system.base)]);
    match audience {
        Some(audience) => validation.set_audience(&[audience]),
        None => validation.validate_aud = false,
    }
    decode(token, &DecodingKey::from_jwk(key).unwrap(), &validation).unwrap()
}

#[tokio::test]
async fn tokens_verify_against_the_published_keys() {
    let system = System::start().await;
    system.user("ada").await;
    let tokens = system.log_in("ada", PASSWORD).await.unwrap();
    assert_eq!(tokens.expires_in, 3600);
    assert_eq!(tokens.token_type.as_deref(), Some("Bearer"));

    let access = verify(&system, tokens.access_token().unwrap(), None).await.claims;
    assert_eq!(access["token_use"], "access");
    assert_eq!(access["username"], "ada");
    assert_eq!(access["client_id"], CLIENT);
    assert_eq!(access["scope"], "aws.cognito.signin.user.admin");
    assert_eq!(access["exp"].as_i64().unwrap() - access["iat"].as_i64().unwrap(), 3600);
    for claim in ["sub", "origin_jti", "jti", "event_id"] {
        assert_eq!(access[claim].as_str().unwrap().len(), 36, "{claim}");
    }

    let id = verify(&system, tokens.id_token().unwrap(), Some(CLIENT)).await.claims;
    assert_eq!(id["token_use"], "id");
    assert_eq!(id["cognito:username"], "ada");
    assert_eq!(id["email"], EMAIL);
    assert_eq!(id["email_verified"], true);
    assert_eq!(id["sub"], access["sub"]);
    assert_ne!(id["sub"], "ada");

    let url = format!("{}/{POOL}/.well-known/openid-configuration", system.base);
    let about: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
    assert_eq!(about["issuer"], access["iss"]);
}

#[tokio::test]
async fn an_access_token_expires() {
    let system = System::start().await;
    system.user("ada").await;
    let tokens = system.log_in("ada", PASSWORD).await.unwrap();
    system.cognito.advance_clock(Duration::from_secs(60 * 60));
    refused(system.whoami(&tokens).await, "NotAuthorizedException", "Access Token has expired");
    let refreshed = system.refresh(&tokens).await.unwrap();
    assert_eq!(system.whoami(&refreshed).await.unwrap(), "ada");
    let access = claims(refreshed.access_token().unwrap());
    assert!(access["iat"].as_i64().unwrap() - access["auth_time"].as_i64().unwrap() >= 60 * 60);
}

#[tokio::test]
async fn a_refresh_token_expires() {
    let system = System::start().await;
    system.user("ada").await;
    let tokens = system.log_in("ada", PASSWORD).await.unwrap();
    system.cognito.advance_clock(Duration::from_secs(30 * 24 * 60 * 60));
    refused(system.refresh(&tokens).await, "NotAuthorizedException", "Refresh Token has expired");
}

#[tokio::test]
async fn only_what_was_issued_is_accepted() {
    let system = System::start().await;
    system.user("ada").await;
    let tokens = system.log_in("ada", PASSWORD).await.unwrap();
    let access = tokens.access_token().unwrap();
    let (signed, _) = access.rsplit_once('.').unwrap();
    let id = tokens.id_token().unwrap();
    let (_, foreign_signature) = id.rsplit_once('.').unwrap();
    for forged in [id, "nonsense", signed, &format!("{signed}."), &format!("{signed}.{foreign_signature}")] {
        let request = system.sdk.get_user().access_token(forged);
        refused(named(request.send().await), "NotAuthorizedException", "Invalid Access Token");
    }
    let mut invented = tokens.clone();
    invented.refresh_token = Some("invented".to_owned());
    refused(system.refresh(&invented).await, "NotAuthorizedException", "Invalid Refresh Token");
    let request = system.sdk.revoke_token().client_id(CLIENT).token(access);
    refused(named(request.send().await), "UnsupportedTokenTypeException", "");
}

#[tokio::test]
async fn a_refresh_token_serves_its_own_client() {
    let system = System::start().await;
    system.cognito.ensure_pool(POOL, "other", None).unwrap();
    system.user("ada").await;
    let tokens = system.log_in("ada", PASSWORD).await.unwrap();
    let token = tokens.refresh_token().unwrap();
    let request = system.sdk.get_tokens_from_refresh_token().refresh_token(token);
    assert!(request.clone().client_id(CLIENT).send().await.is_ok());
    refused(named(request.client_id("other").send().await), "NotAuthorizedException", "Invalid Refresh Token");
    let request = system.sdk.revoke_token().token(token);
    refused(named(request.client_id("other").send().await), "UnauthorizedException", "");
    assert!(system.refresh(&tokens).await.is_ok());
}
