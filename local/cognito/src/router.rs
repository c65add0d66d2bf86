//! The HTTP interface: one `POST` for all operations, and the two documents that verify tokens.

use std::pin::Pin;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};

use crate::error::Failure;
use crate::input::Input;
use crate::pool::Pool;
use crate::{Cognito, account, admin, auth, challenge, client, own_email, pool, recovery, sign_up, tokens};

const TARGET: &str = "AWSCognitoIdentityProviderService.";

pub(crate) fn router(cognito: Cognito) -> Router {
    Router::new()
        .route("/", post(operate))
        .route("/{pool}/.well-known/jwks.json", get(jwks))
        .route("/{pool}/.well-known/openid-configuration", get(openid_configuration))
        .with_state(cognito)
}

async fn operate(State(cognito): State<Cognito>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    let operation = target.and_then(|target| target.strip_prefix(TARGET)).unwrap_or_default();
    match serve(cognito, operation, body).await {
        Ok(answer) => {
            let content_type = HeaderValue::from_static("application/x-amz-json-1.1");
            ([(header::CONTENT_TYPE, content_type)], answer.to_string()).into_response()
        }
        Err(failure) => failure.into_response(),
    }
}

type Answer = Pin<Box<dyn Future<Output = Result<Value, Failure>> + Send>>;

fn serve(cognito: Cognito, operation: &str, body: Bytes) -> Answer {
    match operation {
        "AdminConfirmSignUp" => run(cognito, body, admin::admin_confirm_sign_up),
        "AdminCreateUser" => run(cognito, body, admin::admin_create_user),
        "AdminDeleteUser" => run(cognito, body, admin::admin_delete_user),
        "AdminDisableUser" => run(cognito, body, admin::admin_disable_user),
        "AdminEnableUser" => run(cognito, body, admin::admin_enable_user),
        "AdminGetUser" => run(cognito, body, admin::admin_get_user),
        "AdminInitiateAuth" => run(cognito, body, auth::admin_initiate_auth),
        "AdminRespondToAuthChallenge" => run(cognito, body, challenge::admin_respond_to_auth_challenge),
        "AdminSetUserPassword" => run(cognito, body, admin::admin_set_user_password),
        "AdminUpdateUserAttributes" => run(cognito, body, admin::admin_update_user_attributes),
        "AdminUserGlobalSignOut" => run(cognito, body, admin::admin_user_global_sign_out),
        "ChangePassword" => run(cognito, body, account::change_password),
        "ConfirmForgotPassword" => run(cognito, body, recovery::confirm_forgot_password),
        "ConfirmSignUp" => run(cognito, body, sign_up::confirm_sign_up),
        "CreateUserPool" => run(cognito, body, pool::create_user_pool),
        "CreateUserPoolClient" => run(cognito, body, client::create_user_pool_client),
        "DescribeUserPool" => run(cognito, body, pool::describe_user_pool),
        "DescribeUserPoolClient" => run(cognito, body, client::describe_user_pool_client),
        "ForgotPassword" => run(cognito, body, recovery::forgot_password),
        "GetTokensFromRefreshToken" => run(cognito, body, auth::get_tokens_from_refresh_token),
        "GetUser" => run(cognito, body, account::get_user),
        "GetUserAttributeVerificationCode" => run(cognito, body, own_email::get_user_attribute_verification_code),
        "GlobalSignOut" => run(cognito, body, account::global_sign_out),
        "InitiateAuth" => run(cognito, body, auth::initiate_auth),
        "ListUsers" => run(cognito, body, admin::list_users),
        "ResendConfirmationCode" => run(cognito, body, sign_up::resend_confirmation_code),
        "RespondToAuthChallenge" => run(cognito, body, challenge::respond_to_auth_challenge),
        "RevokeToken" => run(cognito, body, account::revoke_token),
        "SignUp" => run(cognito, body, sign_up::sign_up),
        "UpdateUserAttributes" => run(cognito, body, own_email::update_user_attributes),
        "VerifyUserAttribute" => run(cognito, body, own_email::verify_user_attribute),
        _ => Box::pin(async { Err(Failure::UnknownOperation) }),
    }
}

fn run<F>(cognito: Cognito, body: Bytes, operation: fn(Cognito, Input) -> F) -> Answer
where
    F: Future<Output = Result<Value, Failure>> + Send + 'static,
{
    Box::pin(async move { operation(cognito, Input::parse(&body)?).await })
}

async fn jwks(State(cognito): State<Cognito>, Path(pool): Path<String>) -> Response {
    document(&cognito, &pool, || cognito.key().jwks())
}

async fn openid_configuration(State(cognito): State<Cognito>, Path(pool): Path<String>) -> Response {
    document(&cognito, &pool, || {
        let issuer = tokens::issuer(&cognito, &pool);
        json!({
            "issuer": issuer,
            "jwks_uri": format!("{issuer}/.well-known/jwks.json"),
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code", "token"],
            "scopes_supported": ["openid", "email", "phone", "profile"],
            "subject_types_supported": ["public"],
        })
    })
}

/// Ordinary JSON, unlike the answers of operations.
fn document(cognito: &Cognito, pool: &str, make: impl FnOnce() -> Value) -> Response {
    match cognito.storage().read(|data| Pool::find(data, pool)) {
        Ok(Some(_)) => axum::Json(make()).into_response(),
        Ok(None) => {
            let message = format!("User pool {pool} does not exist.");
            (StatusCode::NOT_FOUND, axum::Json(json!({ "message": message }))).into_response()
        }
        Err(failure) => failure.into_response(),
    }
}
