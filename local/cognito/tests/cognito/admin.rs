use aws_sdk_cognitoidentityprovider::types::{
    AttributeType, AuthFlowType, ChallengeNameType, MessageActionType, UserStatusType,
};

use crate::system::{CLIENT, EMAIL, PASSWORD, POOL, System, named, refused};

fn attribute(name: &str, value: &str) -> AttributeType {
    AttributeType::builder().name(name).value(value).build().unwrap()
}

#[tokio::test]
async fn a_disabled_user_neither_logs_in_nor_refreshes() {
    let system = System::start().await;
    system.user("ada").await;
    let tokens = system.log_in("ada", PASSWORD).await.unwrap();
    let request = system.sdk.admin_disable_user().user_pool_id(POOL);
    request.username("ada").send().await.unwrap();
    refused(system.log_in("ada", PASSWORD).await, "NotAuthorizedException", "User is disabled");
    refused(system.refresh(&tokens).await, "NotAuthorizedException", "User is disabled");
    assert!(system.whoami(&tokens).await.is_err());

    let request = system.sdk.admin_enable_user().user_pool_id(POOL);
    request.username("ada").send().await.unwrap();
    refused(system.refresh(&tokens).await, "NotAuthorizedException", "revoked");
    system.log_in("ada", PASSWORD).await.unwrap();
}

#[tokio::test]
async fn a_deleted_users_tokens_are_dead_even_when_the_name_is_taken_again() {
    let system = System::start().await;
    system.user("ada").await;
    let tokens = system.log_in("ada", PASSWORD).await.unwrap();
    let request = system.sdk.admin_delete_user().user_pool_id(POOL);
    request.username("ada").send().await.unwrap();
    system.user("ada").await;
    refused(system.whoami(&tokens).await, "UserNotFoundException", "");
    refused(system.refresh(&tokens).await, "NotAuthorizedException", "Invalid Refresh Token");
}

#[tokio::test]
async fn a_user_that_an_administrator_makes_must_replace_the_temporary_password() {
    let system = System::start().await;
    let request = system.sdk.admin_create_user().user_pool_id(POOL);
    let request = request.username("ada").user_attributes(attribute("email", EMAIL));
    let user = request.send().await.unwrap().user.unwrap();
    assert_eq!(user.user_status, Some(UserStatusType::ForceChangePassword));
    let message = system.message(EMAIL).unwrap();
    assert_eq!(message.kind, "invitation");

    let request = system.sdk.admin_initiate_auth().user_pool_id(POOL).client_id(CLIENT);
    let request = request.auth_flow(AuthFlowType::AdminUserPasswordAuth).auth_parameters("USERNAME", "ada");
    let request = request.auth_parameters("PASSWORD", message.code.unwrap());
    let asked = request.send().await.unwrap();
    assert_eq!(asked.challenge_name, Some(ChallengeNameType::NewPasswordRequired));
    let request = system.sdk.admin_respond_to_auth_challenge().user_pool_id(POOL).client_id(CLIENT);
    let request = request.challenge_name(ChallengeNameType::NewPasswordRequired).session(asked.session.unwrap());
    let request = request.challenge_responses("USERNAME", "ada").challenge_responses("NEW_PASSWORD", PASSWORD);
    assert!(request.send().await.unwrap().authentication_result.is_some());
    system.log_in("ada", PASSWORD).await.unwrap();
}

#[tokio::test]
async fn a_user_without_a_password_gets_one_from_an_administrator() {
    let system = System::start().await;
    let request = system.sdk.admin_create_user().user_pool_id(POOL).username("ada");
    let request = request.message_action(MessageActionType::Suppress).user_attributes(attribute("email", EMAIL));
    let request = request.user_attributes(attribute("email_verified", "true"));
    request.send().await.unwrap();
    assert!(system.message(EMAIL).is_none());
    refused(system.log_in("ada", PASSWORD).await, "NotAuthorizedException", "Incorrect");
    let request = system.sdk.admin_set_user_password().user_pool_id(POOL).username("ada");
    request.password(PASSWORD).permanent(true).send().await.unwrap();
    system.log_in("ada", PASSWORD).await.unwrap();
    let request = system.sdk.admin_get_user().user_pool_id(POOL);
    let user = request.username("ada").send().await.unwrap();
    assert_eq!(user.user_status, Some(UserStatusType::Confirmed));
    assert!(user.enabled);
    assert!(user.user_attributes().contains(&attribute("email_verified", "true")));
}

#[tokio::test]
async fn a_changed_address_is_unverified_and_old_codes_do_not_vouch_for_it() {
    let system = System::start().await;
    system.sign_up("ada").await;
    let code = system.code();
    let request = system.sdk.admin_update_user_attributes().user_pool_id(POOL);
    let request = request.username("ada").user_attributes(attribute("email", "eve@example.com"));
    request.send().await.unwrap();
    refused(system.confirm("ada", &code).await, "ExpiredCodeException", "");
    let request = system.sdk.admin_update_user_attributes().user_pool_id(POOL);
    let request = request.username("ada").user_attributes(attribute("shoe_size", "38"));
    refused(named(request.send().await), "InvalidParameterException", "does not exist in the schema");
}

#[tokio::test]
async fn users_are_listed_page_by_page() {
    let system = System::start().await;
    for username in ["ada", "bob", "eve"] {
        system.sign_up(username).await;
    }
    let request = system.sdk.list_users().user_pool_id(POOL).limit(2);
    let first = request.clone().send().await.unwrap();
    let second = request.pagination_token(first.pagination_token().unwrap()).send().await.unwrap();
    assert!(second.pagination_token().is_none());
    let names: Vec<&str> = first.users().iter().chain(second.users()).filter_map(|user| user.username()).collect();
    assert_eq!(names, ["ada", "bob", "eve"]);
}

#[tokio::test]
async fn an_unknown_user_is_named_as_such_to_administrators() {
    let system = System::start().await;
    let request = system.sdk.admin_get_user().user_pool_id(POOL);
    let error = request.username("nobody").send().await.unwrap_err().into_service_error();
    assert!(error.is_user_not_found_exception());
    let request = system.sdk.admin_get_user().user_pool_id("local_other");
    let error = request.username("nobody").send().await.unwrap_err().into_service_error();
    assert!(error.is_resource_not_found_exception());
}
