use std::collections::HashMap;
use std::sync::Arc;

use aws_lc_rs::hmac;
use aws_sdk_cognitoidentityprovider::types::{AuthFlowType, ChallengeNameType, ExplicitAuthFlowsType};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::system::{CLIENT, EMAIL, PASSWORD, POOL, System, refused};

/// A client with a secret, and how to call in its name.
struct Confidential<'a> {
    system: &'a System,
    id: String,
    secret: String,
}

impl<'a> Confidential<'a> {
    async fn new(system: &'a System) -> Self {
        let request = system.sdk.create_user_pool_client().user_pool_id(POOL).client_name("web").generate_secret(true);
        let request = request
            .explicit_auth_flows(ExplicitAuthFlowsType::AllowUserPasswordAuth)
            .explicit_auth_flows(ExplicitAuthFlowsType::AllowCustomAuth)
            .explicit_auth_flows(ExplicitAuthFlowsType::AllowRefreshTokenAuth);
        let made = request.send().await.unwrap().user_pool_client.unwrap();
        let text = |text: Option<&str>| text.unwrap().to_owned();
        Self { system, id: text(made.client_id()), secret: text(made.client_secret()) }
    }

    fn hash(&self, username: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.secret.as_bytes());
        STANDARD.encode(hmac::sign(&key, format!("{username}{}", self.id).as_bytes()))
    }

    /// Sends an operation as it stands in `body`, as `Type: message` if it is refused.
    async fn call(&self, operation: &str, mut body: Value) -> Result<Value, String> {
        body["ClientId"] = self.id.clone().into();
        let target = format!("AWSCognitoIdentityProviderService.{operation}");
        let request = reqwest::Client::new().post(&self.system.base).header("x-amz-target", target);
        let response = request.body(body.to_string()).send().await.unwrap();
        let refused = !response.status().is_success();
        let answer: Value = response.json().await.unwrap();
        let text = |name: &str| answer[name].as_str().unwrap().to_owned();
        if refused { Err(format!("{}: {}", text("__type"), text("message"))) } else { Ok(answer) }
    }

    /// Tries an operation without a hash, and with each that is wrong; then does it with the right one.
    async fn guarded(&self, operation: &str, body: Value, at: &str, username: &str) -> Value {
        let missing = format!("Client {} is configured with secret but SECRET_HASH was not received", self.id);
        refused(self.call(operation, body.clone()).await, "NotAuthorizedException", &missing);
        let with = |hash: &str| {
            let mut body = body.clone();
            *body.pointer_mut(at).unwrap() = hash.into();
            body
        };
        let wrong = format!("Unable to verify secret hash for client {}", self.id);
        for hash in [self.hash("somebody else"), "not base64!".to_owned(), self.secret.clone(), String::new()] {
            refused(self.call(operation, with(&hash)).await, "NotAuthorizedException", &wrong);
        }
        self.call(operation, with(&self.hash(username))).await.unwrap()
    }
}

#[tokio::test]
async fn every_operation_of_a_client_with_a_secret_demands_its_hash() {
    let system = System::start().await;
    let client = Confidential::new(&system).await;
    let own = |more: Value| {
        let mut body = json!({ "Username": "ada", "SecretHash": null });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let attributes = json!([{ "Name": "email", "Value": EMAIL }]);
    let sign_up = own(json!({ "Password": PASSWORD, "UserAttributes": attributes }));
    client.guarded("SignUp", sign_up, "/SecretHash", "ada").await;
    client.guarded("ResendConfirmationCode", own(json!({})), "/SecretHash", "ada").await;
    let code = own(json!({ "ConfirmationCode": system.code() }));
    client.guarded("ConfirmSignUp", code, "/SecretHash", "ada").await;
    client.guarded("ForgotPassword", own(json!({})), "/SecretHash", "ada").await;
    let code = own(json!({ "ConfirmationCode": system.code(), "Password": PASSWORD }));
    client.guarded("ConfirmForgotPassword", code, "/SecretHash", "ada").await;

    let hash = "/AuthParameters/SECRET_HASH";
    let password = json!({ "USERNAME": "ada", "PASSWORD": PASSWORD, "SECRET_HASH": null });
    let login = json!({ "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": password });
    let tokens = client.guarded("InitiateAuth", login, hash, "ada").await;
    let token = &tokens["AuthenticationResult"]["RefreshToken"];
    let refresh = json!({ "REFRESH_TOKEN": token, "SECRET_HASH": null });
    let refresh = json!({ "AuthFlow": "REFRESH_TOKEN_AUTH", "AuthParameters": refresh });
    client.guarded("InitiateAuth", refresh, hash, "ada").await;

    system.cognito.set_triggers(Arc::new(|mut event| {
        let answered = event["request"]["session"].as_array().is_some_and(|session| !session.is_empty());
        let challenge = json!({ "challengeName": "CUSTOM_CHALLENGE", "issueTokens": answered, "answerCorrect": true });
        event["response"] = challenge;
        Box::pin(async move { Ok(event) })
    }));
    let custom = json!({ "AuthFlow": "CUSTOM_AUTH", "AuthParameters": { "USERNAME": "ada", "SECRET_HASH": null } });
    let asked = client.guarded("InitiateAuth", custom, hash, "ada").await;
    let answer = json!({ "USERNAME": "ada", "ANSWER": "x", "SECRET_HASH": null });
    let answer =
        json!({ "ChallengeName": "CUSTOM_CHALLENGE", "Session": asked["Session"], "ChallengeResponses": answer });
    client.guarded("RespondToAuthChallenge", answer, "/ChallengeResponses/SECRET_HASH", "ada").await;
}

#[tokio::test]
async fn what_goes_by_a_refresh_token_alone_demands_the_secret_itself() {
    let system = System::start().await;
    let client = Confidential::new(&system).await;
    system.user("ada").await;
    let request = system.sdk.initiate_auth().client_id(&client.id).auth_flow(AuthFlowType::UserPasswordAuth);
    let request = request.auth_parameters("USERNAME", "ada").auth_parameters("PASSWORD", PASSWORD);
    let login = request.auth_parameters("SECRET_HASH", client.hash("ada")).send().await.unwrap();
    let token = login.authentication_result.unwrap().refresh_token.unwrap();
    for secret in [Value::Null, json!("wrong"), json!(client.hash("ada"))] {
        let refresh = json!({ "RefreshToken": token, "ClientSecret": secret });
        let refreshed = client.call("GetTokensFromRefreshToken", refresh).await;
        refused(refreshed, "NotAuthorizedException", "Invalid client secret");
        let revoke = json!({ "Token": token, "ClientSecret": secret });
        refused(client.call("RevokeToken", revoke).await, "UnauthorizedException", "Invalid client secret");
    }
    let refresh = json!({ "RefreshToken": token, "ClientSecret": client.secret });
    let refreshed = client.call("GetTokensFromRefreshToken", refresh.clone()).await.unwrap();
    assert!(refreshed["AuthenticationResult"]["AccessToken"].is_string());
    client.call("RevokeToken", json!({ "Token": token, "ClientSecret": client.secret })).await.unwrap();
    refused(client.call("GetTokensFromRefreshToken", refresh).await, "NotAuthorizedException", "revoked");
}

#[tokio::test]
async fn a_client_without_a_secret_takes_no_hash_where_a_login_begins() {
    let system = System::start().await;
    system.user("ada").await;
    let request = system.sdk.forgot_password().client_id(CLIENT).username("ada").secret_hash("aGFzaA==");
    let reason = "App client local is not configured for secret but secret hash was received";
    refused(crate::system::named(request.send().await), "InvalidParameterException", reason);
    // Where it goes on, a hash is ignored.
    let tokens = system.log_in("ada", PASSWORD).await.unwrap();
    let parameters = [("REFRESH_TOKEN", tokens.refresh_token().unwrap()), ("SECRET_HASH", "aGFzaA==")];
    let parameters = HashMap::from(parameters.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let request = system.sdk.initiate_auth().client_id(CLIENT).auth_flow(AuthFlowType::RefreshTokenAuth);
    request.set_auth_parameters(Some(parameters)).send().await.unwrap();
    let request = system.sdk.respond_to_auth_challenge().client_id(CLIENT).session("invented session, long enough");
    let request = request.challenge_name(ChallengeNameType::CustomChallenge).challenge_responses("USERNAME", "ada");
    let request = request.challenge_responses("ANSWER", "x").challenge_responses("SECRET_HASH", "aGFzaA==");
    refused(crate::system::named(request.send().await), "NotAuthorizedException", "Invalid session");
}

#[tokio::test]
async fn a_secret_is_described_to_administrators_and_demanded_of_others() {
    let system = System::start().await;
    system.cognito.ensure_pool(POOL, "guarded", Some("a_secret")).unwrap();
    let request = system.sdk.describe_user_pool_client().user_pool_id(POOL).client_id("guarded");
    let described = request.send().await.unwrap().user_pool_client.unwrap();
    assert_eq!(described.client_secret(), Some("a_secret"));
    let request = system.sdk.sign_up().client_id("guarded").username("eve").password(PASSWORD);
    refused(crate::system::named(request.send().await), "NotAuthorizedException", "SECRET_HASH was not received");
}
