use std::time::{Duration, Instant};

use crate::system::{CLIENT, EMAIL, PASSWORD, POOL, System, claims, named, refused};

#[tokio::test]
async fn a_sign_up_leads_through_its_code_to_tokens_until_they_are_revoked() {
    let system = System::start().await;
    system.sign_up("ada").await;
    let message = system.message(EMAIL).unwrap();
    assert_eq!(message.kind, "verification");
    let code = system.code();
    assert!(message.body.contains(&code));

    let wrong = system.confirm("ada", &System::other_than(&code)).await;
    refused(wrong, "CodeMismatchException", "Invalid verification code");
    system.confirm("ada", &code).await.unwrap();
    let again = system.confirm("ada", &code).await;
    refused(again, "NotAuthorizedException", "Current status is CONFIRMED");

    let tokens = system.log_in("ada", PASSWORD).await.unwrap();
    let refreshed = system.refresh(&tokens).await.unwrap();
    assert!(refreshed.refresh_token().is_none());
    assert_eq!(system.whoami(&refreshed).await.unwrap(), "ada");
    let (old, new) = (claims(tokens.access_token().unwrap()), claims(refreshed.access_token().unwrap()));
    assert_eq!(old["origin_jti"], new["origin_jti"]);
    assert_eq!(old["auth_time"], new["auth_time"]);
    assert_ne!(old["jti"], new["jti"]);

    let revoke = system.sdk.revoke_token().client_id(CLIENT);
    revoke.token(tokens.refresh_token().unwrap()).send().await.unwrap();
    refused(system.refresh(&tokens).await, "NotAuthorizedException", "Refresh Token has been revoked");
    for dead in [&tokens, &refreshed] {
        refused(system.whoami(dead).await, "NotAuthorizedException", "Access Token has been revoked");
    }
}

#[tokio::test]
async fn an_unknown_user_and_a_wrong_password_are_answered_alike() {
    let system = System::start().await;
    system.user("ada").await;
    let wrong = system.log_in("ada", "wrong password").await.unwrap_err();
    let unknown = system.log_in("bob", "wrong password").await.unwrap_err();
    assert_eq!(wrong, "NotAuthorizedException: Incorrect username or password.");
    assert_eq!(wrong, unknown);
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "only a duration is meant")]
async fn an_unknown_user_takes_the_time_of_a_wrong_password() {
    let system = System::start().await;
    system.user("ada").await;
    // The shortest of many times, since other work of the machine makes some of them longer.
    let mut shortest = [Duration::MAX; 2];
    for _ in 0..20 {
        for (user, shortest) in ["ada", "bob"].iter().zip(&mut shortest) {
            let start = Instant::now();
            system.log_in(user, "wrong password").await.unwrap_err();
            *shortest = start.elapsed().min(*shortest);
        }
    }
    let [known, unknown] = shortest;
    assert!(unknown * 2 > known && known * 2 > unknown, "{known:?} {unknown:?}");
}

#[tokio::test]
async fn an_unconfirmed_user_is_told_so_only_with_the_right_password() {
    let system = System::start().await;
    system.sign_up("ada").await;
    refused(system.log_in("ada", "wrong password").await, "NotAuthorizedException", "Incorrect");
    refused(system.log_in("ada", PASSWORD).await, "UserNotConfirmedException", "");
}

#[tokio::test]
async fn of_many_sign_ups_with_one_name_one_succeeds() {
    let system = System::start().await;
    let attempts = (0..8).map(|_| {
        let request = system.sdk.sign_up().client_id(CLIENT).username("ada");
        tokio::spawn(request.password(PASSWORD).send())
    });
    let mut outcomes = Vec::new();
    for attempt in attempts.collect::<Vec<_>>() {
        outcomes.push(named(attempt.await.unwrap()));
    }
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
    for refusal in outcomes.into_iter().filter(Result::is_err) {
        refused(refusal, "UsernameExistsException", "User already exists");
    }
}

#[tokio::test]
async fn usernames_differ_by_case() {
    let system = System::start().await;
    system.user("ada").await;
    system.user("Ada").await;
    assert!(system.log_in("Ada", PASSWORD).await.is_ok());
}

#[tokio::test]
async fn a_changed_password_takes_the_old_ones_place() {
    let system = System::start().await;
    system.user("ada").await;
    let tokens = system.log_in("ada", PASSWORD).await.unwrap();
    let change = |previous: &str, proposed: &str| {
        let request = system.sdk.change_password().access_token(tokens.access_token().unwrap());
        let request = request.previous_password(previous).proposed_password(proposed);
        async { named(request.send().await) }
    };
    refused(change("wrong password", "new password").await, "NotAuthorizedException", "Incorrect");
    refused(change(PASSWORD, "short").await, "InvalidPasswordException", "Password not long enough");
    change(PASSWORD, "new password").await.unwrap();
    refused(system.log_in("ada", PASSWORD).await, "NotAuthorizedException", "Incorrect");
    system.log_in("ada", "new password").await.unwrap();
}

#[tokio::test]
async fn signing_out_everywhere_ends_all_logins() {
    let system = System::start().await;
    system.user("ada").await;
    let first = system.log_in("ada", PASSWORD).await.unwrap();
    let second = system.log_in("ada", PASSWORD).await.unwrap();
    let request = system.sdk.global_sign_out().access_token(first.access_token().unwrap());
    request.send().await.unwrap();
    for tokens in [&first, &second] {
        refused(system.refresh(tokens).await, "NotAuthorizedException", "revoked");
        refused(system.whoami(tokens).await, "NotAuthorizedException", "revoked");
    }
    let third = system.log_in("ada", PASSWORD).await.unwrap();
    let request = system.sdk.admin_user_global_sign_out().user_pool_id(POOL);
    request.username("ada").send().await.unwrap();
    refused(system.refresh(&third).await, "NotAuthorizedException", "revoked");
}

#[tokio::test]
async fn a_client_cannot_declare_its_own_address_verified() {
    let system = System::start().await;
    let verified = aws_sdk_cognitoidentityprovider::types::AttributeType::builder()
        .name("email_verified")
        .value("true")
        .build()
        .unwrap();
    let request = system.sdk.sign_up().client_id(CLIENT).username("ada").password(PASSWORD);
    refused(named(request.user_attributes(verified).send().await), "NotAuthorizedException", "unauthorized attribute");
}
