use aws_sdk_cognitoidentityprovider::types::{
    AuthFlowType, ExplicitAuthFlowsType, PasswordPolicyType, TimeUnitsType, TokenValidityUnitsType, UserPoolPolicyType,
};
use serde_json::{Value, json};

use crate::system::{CLIENT, PASSWORD, POOL, System, named, refused};

#[tokio::test]
async fn a_pool_has_the_password_policy_that_it_was_made_with() {
    let system = System::start().await;
    let policy = PasswordPolicyType::builder().minimum_length(12).require_numbers(true).build();
    let policies = UserPoolPolicyType::builder().password_policy(policy).build();
    let request = system.sdk.create_user_pool().pool_name("strict").policies(policies);
    let pool = request.send().await.unwrap().user_pool.unwrap();
    let id = pool.id().unwrap();
    let request = system.sdk.describe_user_pool().user_pool_id(id);
    let described = request.send().await.unwrap().user_pool.unwrap();
    assert_eq!(described, pool);

    let request = system.sdk.create_user_pool_client().user_pool_id(id);
    let client = request.client_name("web").send().await.unwrap().user_pool_client.unwrap();
    let sign_up = |password: &str| {
        let request = system.sdk.sign_up().client_id(client.client_id().unwrap()).username("ada");
        let request = request.password(password);
        async { named(request.send().await) }
    };
    refused(sign_up("short").await, "InvalidPasswordException", "Password not long enough");
    refused(sign_up("long and wordy").await, "InvalidPasswordException", "must have numeric characters");
    sign_up("long and 1 digit").await.unwrap();
}

#[tokio::test]
async fn a_client_uses_its_own_flows_and_validities() {
    let system = System::start().await;
    let units = TokenValidityUnitsType::builder().access_token(TimeUnitsType::Minutes).build();
    let request = system.sdk.create_user_pool_client().user_pool_id(POOL).client_name("web");
    let request = request.explicit_auth_flows(ExplicitAuthFlowsType::AllowUserPasswordAuth).access_token_validity(5);
    let made = request.token_validity_units(units).send().await.unwrap().user_pool_client.unwrap();
    let id = made.client_id().unwrap();
    let request = system.sdk.describe_user_pool_client().user_pool_id(POOL).client_id(id);
    assert_eq!(request.send().await.unwrap().user_pool_client, Some(made.clone()));

    system.user("ada").await;
    let request = system.sdk.initiate_auth().client_id(id);
    let log_in = request.clone().auth_flow(AuthFlowType::UserPasswordAuth).auth_parameters("USERNAME", "ada");
    refused(named(log_in.clone().send().await), "InvalidParameterException", "Missing required parameter PASSWORD");
    let answer = log_in.auth_parameters("PASSWORD", PASSWORD).send().await.unwrap();
    let tokens = answer.authentication_result.unwrap();
    assert_eq!(tokens.expires_in, 300);
    for flow in [AuthFlowType::RefreshTokenAuth, AuthFlowType::CustomAuth] {
        refused(
            named(request.clone().auth_flow(flow).send().await),
            "InvalidParameterException",
            "flow not enabled for this client",
        );
    }
    let unknown = request.auth_flow(AuthFlowType::UserPasswordAuth).auth_parameters("USERNAME", "nobody");
    let unknown = unknown.auth_parameters("PASSWORD", PASSWORD).send().await;
    refused(named(unknown), "UserNotFoundException", "");
}

#[tokio::test]
async fn what_the_emulator_cannot_do_is_refused() {
    let system = System::start().await;
    let request = system.sdk.create_user_pool_client().user_pool_id(POOL);
    let request = request.client_name("web").enable_token_revocation(false);
    refused(named(request.send().await), "InvalidParameterException", "EnableTokenRevocation=false is not supported");
    refused(named(system.sdk.list_groups().user_pool_id(POOL).send().await), "UnknownOperationException", "");
}

#[tokio::test]
async fn errors_have_the_shape_of_the_protocol() {
    let system = System::start().await;
    let send = async |operation: &str, body: Value| {
        let target = format!("AWSCognitoIdentityProviderService.{operation}");
        let request = reqwest::Client::new().post(&system.base).header("x-amz-target", target);
        let response = request.body(body.to_string()).send().await.unwrap();
        let kind = response.headers()["x-amzn-errortype"].to_str().unwrap().to_owned();
        let status = response.status().as_u16();
        let body: Value = response.json().await.unwrap();
        assert_eq!(body["__type"], kind);
        (status, kind, body["message"].as_str().unwrap().to_owned())
    };
    let (status, kind, message) = send("SignUp", json!({ "ClientId": CLIENT })).await;
    assert_eq!((status, &*kind), (400, "InvalidParameterException"));
    assert_eq!(
        message,
        "1 validation error detected: Value null at 'username' failed to satisfy constraint: Member must not be null"
    );
    let (status, kind, message) = send("SignUp", json!({ "ClientId": "other" })).await;
    assert_eq!((status, &*kind), (400, "ResourceNotFoundException"));
    assert_eq!(message, "User pool client other does not exist.");
    let (status, kind, _) = send("SignUp", json!([])).await;
    assert_eq!((status, &*kind), (400, "SerializationException"));
    let (status, kind, _) = send("Invent", json!({})).await;
    assert_eq!((status, &*kind), (400, "UnknownOperationException"));
}
