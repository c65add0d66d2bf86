use std::sync::Arc;
use std::time::Duration;

use crate::system::{CLIENT, EMAIL, PASSWORD, POOL, System, named, refused};

const HOUR: Duration = Duration::from_secs(60 * 60);

impl System {
    async fn forget(&self, username: &str) -> Result<String, String> {
        let request = self.sdk.forgot_password().client_id(CLIENT).username(username);
        let answer = named(request.send().await)?;
        let details = answer.code_delivery_details.unwrap();
        Ok(details.destination.unwrap())
    }

    async fn recover(&self, username: &str, code: &str, password: &str) -> Result<(), String> {
        let request = self.sdk.confirm_forgot_password().client_id(CLIENT);
        let request = request.username(username).confirmation_code(code).password(password);
        named(request.send().await).map(|_| ())
    }

    async fn resend(&self, username: &str) -> Result<(), String> {
        let request = self.sdk.resend_confirmation_code().client_id(CLIENT).username(username);
        named(request.send().await).map(|_| ())
    }
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_once_with_its_code() {
    let system = System::start().await;
    system.user("ada").await;
    assert_eq!(system.forget("ada").await.unwrap(), "a***@e***");
    assert_eq!(system.message(EMAIL).unwrap().kind, "recovery");
    let code = system.code();
    let wrong = System::other_than(&code);
    refused(system.recover("ada", &wrong, "new password").await, "CodeMismatchException", "");
    refused(system.recover("ada", &code, "short").await, "InvalidPasswordException", "");
    system.recover("ada", &code, "new password").await.unwrap();
    refused(system.recover("ada", &code, "newer password").await, "ExpiredCodeException", "");
    refused(system.log_in("ada", PASSWORD).await, "NotAuthorizedException", "");
    system.log_in("ada", "new password").await.unwrap();
}

#[tokio::test]
async fn a_code_works_for_one_of_many_at_once() {
    let system = System::start().await;
    system.user("ada").await;
    system.forget("ada").await.unwrap();
    let code = system.code();
    let attempts = (0..6).map(|n| {
        let request = system.sdk.confirm_forgot_password().client_id(CLIENT).username("ada");
        tokio::spawn(request.confirmation_code(&code).password(format!("new password {n}")).send())
    });
    let mut successes = 0;
    for attempt in attempts.collect::<Vec<_>>() {
        successes += usize::from(attempt.await.unwrap().is_ok());
    }
    assert_eq!(successes, 1);
}

#[tokio::test]
async fn a_code_expires() {
    let system = System::start().await;
    system.sign_up("ada").await;
    let code = system.code();
    system.cognito.advance_clock(24 * HOUR);
    refused(system.confirm("ada", &code).await, "ExpiredCodeException", "request a code again");
    system.resend("ada").await.unwrap();
    system.confirm("ada", &system.code()).await.unwrap();

    system.forget("ada").await.unwrap();
    system.cognito.advance_clock(HOUR);
    refused(system.recover("ada", &system.code(), "new password").await, "ExpiredCodeException", "");
}

#[tokio::test]
async fn a_new_code_takes_the_old_ones_place() {
    let system = System::start().await;
    system.sign_up("ada").await;
    let old = system.code();
    system.resend("ada").await.unwrap();
    let new = system.code();
    if old != new {
        refused(system.confirm("ada", &old).await, "CodeMismatchException", "");
    }
    system.confirm("ada", &new).await.unwrap();
}

#[tokio::test]
async fn five_wrong_tries_end_a_code() {
    let system = System::start().await;
    system.sign_up("ada").await;
    let code = system.code();
    for _ in 0..5 {
        let wrong = system.confirm("ada", &System::other_than(&code)).await;
        refused(wrong, "CodeMismatchException", "");
    }
    refused(system.confirm("ada", &code).await, "LimitExceededException", "Attempt limit exceeded");
    system.resend("ada").await.unwrap();
    system.confirm("ada", &system.code()).await.unwrap();
}

#[tokio::test]
async fn an_unknown_user_is_sent_a_code_in_appearance_only() {
    let system = System::start().await;
    let destination = system.forget("nobody").await.unwrap();
    assert_eq!(destination, system.forget("nobody").await.unwrap());
    assert!(destination.contains("***@"));
    assert!(system.message(EMAIL).is_none());
    system.resend("nobody").await.unwrap();
    refused(system.recover("nobody", "123456", "new password").await, "CodeMismatchException", "");
    refused(system.confirm("nobody", "123456").await, "ExpiredCodeException", "");
}

#[tokio::test]
async fn a_password_is_recovered_through_a_verified_address_only() {
    let system = System::start().await;
    system.sign_up("ada").await;
    let request = system.sdk.admin_confirm_sign_up().user_pool_id(POOL);
    request.username("ada").send().await.unwrap();
    refused(system.forget("ada").await, "InvalidParameterException", "verified email");
}

#[tokio::test]
async fn a_recovery_message_is_in_the_words_of_its_trigger() {
    let system = System::start().await;
    system.user("ada").await;
    system.cognito.set_triggers(Arc::new(|mut event| {
        assert_eq!(event["triggerSource"], "CustomMessage_ForgotPassword");
        assert_eq!((&event["userName"], &event["request"]["userAttributes"]["email"]), (&"ada".into(), &EMAIL.into()));
        event["response"]["emailMessage"] = "Take 1234567 for <!-- {####} -->this.".into();
        Box::pin(async move { Ok(event) })
    }));
    system.forget("ada").await.unwrap();
    let message = system.message(EMAIL).unwrap();
    assert_eq!((message.kind.as_str(), message.code.as_deref()), ("recovery", Some("1234567")));
    assert!(!message.body.contains("{####}"), "{}", message.body);
    system.cognito.set_triggers(Arc::new(|mut event| {
        event["response"]["emailMessage"] = "No code.".into();
        Box::pin(async move { Ok(event) })
    }));
    refused(system.forget("ada").await, "InvalidLambdaResponseException", "code parameter");
    system.cognito.set_triggers(Arc::new(|_| Box::pin(async { Err("broken".to_owned()) })));
    refused(system.forget("ada").await, "UserLambdaValidationException", "broken");
}
