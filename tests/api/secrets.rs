//! The app client's secret: without it Cognito is of no use to anybody who reads the client's id in a token.

use aws_sdk_cognitoidentityprovider::error::ProvideErrorMetadata as _;
use aws_sdk_cognitoidentityprovider::types::{AuthFlowType, ExplicitAuthFlowsType};
use local::{Functions, Wiring};
use serde_json::{Value, json};

use crate::system::{Muster, PASSWORD};

/// Serves the functions with other settings: their URL.
async fn served(wiring: &Wiring) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Functions::connect(wiring).router();
    tokio::spawn(local::serve(listener, router, std::future::pending()));
    url
}

/// Posts to functions that may fail: status and body.
async fn post(url: &str, path: &str, token: Option<&str>, body: Value) -> (u16, Value) {
    let mut call = reqwest::Client::new().post(format!("{url}{path}")).header("content-type", "application/json");
    if let Some(token) = token {
        call = call.bearer_auth(token);
    }
    let reply = call.body(body.to_string()).send().await.unwrap();
    let status = reply.status().as_u16();
    (status, serde_json::from_str(&reply.text().await.unwrap()).unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_knows_the_clients_id_alone_gets_nothing_from_cognito() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let (sdk, client) = (muster.cognito(), &muster.wiring.client_id);
    let refused = |operation: &str, code: Option<&str>, message: Option<&str>| {
        assert_eq!(code, Some("NotAuthorizedException"), "{operation}: {message:?}");
        assert!(message.unwrap().contains("SECRET_HASH was not received"), "{operation}: {message:?}");
    };
    let sent = sdk.sign_up().client_id(client).username("eve").password(PASSWORD).send().await.unwrap_err();
    refused("SignUp", sent.code(), sent.message());
    let sent = sdk.confirm_sign_up().client_id(client).username(&ana.id).confirmation_code("123456").send().await;
    let sent = sent.unwrap_err();
    refused("ConfirmSignUp", sent.code(), sent.message());
    let sent = sdk.resend_confirmation_code().client_id(client).username(&ana.id).send().await.unwrap_err();
    refused("ResendConfirmationCode", sent.code(), sent.message());
    let sent = sdk.forgot_password().client_id(client).username(&ana.id).send().await.unwrap_err();
    refused("ForgotPassword", sent.code(), sent.message());
    let sent = sdk.confirm_forgot_password().client_id(client).username(&ana.id).confirmation_code("123456");
    let sent = sent.password(PASSWORD).send().await.unwrap_err();
    refused("ConfirmForgotPassword", sent.code(), sent.message());
    let sent = sdk.initiate_auth().client_id(client).auth_flow(AuthFlowType::RefreshTokenAuth);
    let sent = sent.auth_parameters("REFRESH_TOKEN", &ana.refresh).send().await.unwrap_err();
    let told = (sent.code(), sent.message());
    assert_eq!(
        told,
        (Some("NotAuthorizedException"), Some("Invalid Refresh Token")),
        "Muster's tokens are none of Cognito's"
    );
    assert_eq!(muster.identities().await, [ana.id.as_str()], "no stranger makes an identity past Muster");
    assert_eq!(muster.login(&ana.email, PASSWORD).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_is_good_at_muster_alone() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let (sdk, client) = (muster.cognito(), &muster.wiring.client_id);
    for secret in [None, Some("guessed".to_owned())] {
        let sent = sdk.get_tokens_from_refresh_token().client_id(client).refresh_token(&ana.refresh);
        assert!(sent.set_client_secret(secret.clone()).send().await.is_err());
        let sent = sdk.revoke_token().client_id(client).token(&ana.refresh);
        assert!(sent.set_client_secret(secret.clone()).send().await.is_err());
        // Nor does Muster take its own wrong secret for a token that is not good.
        let url = served(&Wiring { client_secret: secret, ..muster.wiring.clone() }).await;
        let refresh = json!({ "refresh_token": ana.refresh });
        assert_eq!(post(&url, "/v1/auth/refresh", None, refresh.clone()).await.0, 500);
        assert_eq!(post(&url, "/v1/auth/logout", Some(&ana.access), refresh).await.0, 500);
    }
    let refresh = json!({ "refresh_token": ana.refresh });
    assert_eq!(muster.post("/v1/auth/refresh", refresh).send().await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_is_our_fault_and_proves_nothing_about_a_user() {
    let muster = Muster::start().await;
    let id = muster.sign_up("new@example.com").await;
    let ana = muster.ana().await;
    let before = muster.whole_table().await.matches("\"verified\"").count();
    for secret in [None, Some("another_secret".to_owned())] {
        let url = served(&Wiring { client_secret: secret, ..muster.wiring.clone() }).await;
        let login = json!({ "email": ana.email, "password": PASSWORD });
        let recovery = json!({ "email": ana.email });
        for (path, body) in [
            (format!("/v1/users/{id}/verification"), json!({ "code": "123456" })),
            (format!("/v1/users/{id}/restoration"), json!({ "password": PASSWORD })),
            ("/v1/auth/login".to_owned(), login),
            ("/v1/auth/recovery".to_owned(), recovery),
        ] {
            let (status, body) = post(&url, &path, None, body).await;
            assert_eq!((status, &body["code"]), (500, &json!("internal")), "{path}");
        }
    }
    assert_eq!(muster.login("new@example.com", PASSWORD).await.status, 403, "nobody was verified by it");
    assert_eq!(muster.whole_table().await.matches("\"verified\"").count(), before, "nor does the table say so");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_without_a_secret_works_too() {
    let muster = Muster::start().await;
    let client = muster.cognito().create_user_pool_client().user_pool_id(&muster.wiring.pool_id).client_name("old");
    let client = client
        .explicit_auth_flows(ExplicitAuthFlowsType::AllowAdminUserPasswordAuth)
        .explicit_auth_flows(ExplicitAuthFlowsType::AllowCustomAuth)
        .explicit_auth_flows(ExplicitAuthFlowsType::AllowRefreshTokenAuth);
    let client_id = client.send().await.unwrap().user_pool_client.unwrap().client_id.unwrap();
    let url = served(&Wiring { client_id, client_secret: None, ..muster.wiring.clone() }).await;
    let body = json!({ "email": "ana@example.com", "name": "Ana", "password": PASSWORD });
    let (status, user) = post(&url, "/v1/users", None, body).await;
    assert_eq!(status, 201);
    let path = format!("/v1/users/{}/verification", user["id"].as_str().unwrap());
    let code = json!({ "code": muster.code("ana@example.com") });
    assert_eq!(post(&url, &path, None, code).await.0, 200);
    let login = json!({ "email": "ana@example.com", "password": PASSWORD });
    let (status, tokens) = post(&url, "/v1/auth/login", None, login).await;
    assert_eq!(status, 200);
    let refresh = json!({ "refresh_token": tokens["refresh_token"] });
    assert_eq!(post(&url, "/v1/auth/refresh", None, refresh.clone()).await.0, 200);
    let token = tokens["access_token"].as_str();
    assert_eq!(post(&url, "/v1/auth/logout", token, refresh.clone()).await.0, 204);
    assert_eq!(post(&url, "/v1/auth/refresh", None, refresh).await.0, 401);
}
