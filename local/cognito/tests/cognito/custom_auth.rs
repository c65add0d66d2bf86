use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_cognitoidentityprovider::types::{AuthFlowType, AuthenticationResultType, ChallengeNameType};
use local_cognito::Triggers;
use serde_json::{Value, json};

use crate::system::{CLIENT, EMAIL, POOL, System, named, refused};

/// Asks until the third wrong answer; "sesame" is right. Keeps the events.
fn triggers(events: Arc<Mutex<Vec<Value>>>) -> Triggers {
    Arc::new(move |mut event| {
        events.lock().unwrap().push(event.clone());
        let session = event["request"]["session"].as_array().cloned().unwrap_or_default();
        event["response"] = match event["triggerSource"].as_str().unwrap() {
            "DefineAuthChallenge_Authentication" => {
                let right = session.last().is_some_and(|last| last["challengeResult"] == true);
                let failed = !right && session.len() >= 3;
                json!({ "issueTokens": right, "failAuthentication": failed, "challengeName": "CUSTOM_CHALLENGE" })
            }
            "CreateAuthChallenge_Authentication" => json!({
                "publicChallengeParameters": { "question": "the word?" },
                "privateChallengeParameters": { "answer": "sesame" },
                "challengeMetadata": "WORD",
            }),
            "VerifyAuthChallengeResponse_Authentication" => {
                let request = &event["request"];
                let right = request["challengeAnswer"] == request["privateChallengeParameters"]["answer"];
                json!({ "answerCorrect": right })
            }
            "TokenGeneration_Authentication" | "TokenGeneration_RefreshTokens" => {
                json!({ "claimsOverrideDetails": null })
            }
            other => panic!("{other}"),
        };
        Box::pin(async move { Ok(event) })
    })
}

impl System {
    async fn begin(&self, username: &str) -> Result<String, String> {
        let request = self.sdk.initiate_auth().client_id(CLIENT).auth_flow(AuthFlowType::CustomAuth);
        let asked = named(request.auth_parameters("USERNAME", username).send().await)?;
        assert_eq!(asked.challenge_name, Some(ChallengeNameType::CustomChallenge));
        assert_eq!(asked.challenge_parameters.unwrap()["question"], "the word?");
        Ok(asked.session.unwrap())
    }

    /// The tokens, or the next question's session.
    async fn answer(
        &self,
        username: &str,
        session: &str,
        answer: &str,
    ) -> Result<Result<AuthenticationResultType, String>, String> {
        let request = self.sdk.respond_to_auth_challenge().client_id(CLIENT).session(session);
        let request = request.challenge_name(ChallengeNameType::CustomChallenge).client_metadata("device", "phone");
        let request = request.challenge_responses("USERNAME", username).challenge_responses("ANSWER", answer);
        let answer = named(request.send().await)?;
        Ok(answer.authentication_result.ok_or_else(|| answer.session.unwrap()))
    }
}

#[tokio::test]
async fn the_right_answer_to_a_custom_challenge_gets_tokens() {
    let system = System::start().await;
    let events = Arc::new(Mutex::new(Vec::new()));
    system.cognito.set_triggers(triggers(events.clone()));
    system.user("ada").await;
    let first = system.begin("ada").await.unwrap();
    let second = system.answer("ada", &first, "open").await.unwrap().unwrap_err();
    let tokens = system.answer("ada", &second, "sesame").await.unwrap().unwrap();
    assert_eq!(system.whoami(&tokens).await.unwrap(), "ada");
    system.refresh(&tokens).await.unwrap();

    let events = events.lock().unwrap();
    let sources: Vec<&str> =
        events.iter().filter_map(|event| event["triggerSource"].as_str()?.split('A').next()).collect();
    let asked = ["Define", "Create", "Verify", "Define", "Create", "Verify", "Define"];
    assert_eq!(sources, [&asked[..], &["TokenGeneration_", "TokenGeneration_RefreshTokens"]].concat());
    let begun = &events[0];
    assert_eq!(begun["version"], "1");
    assert_eq!(begun["userPoolId"], POOL);
    assert_eq!(begun["userName"], "ada");
    assert_eq!(begun["callerContext"]["clientId"], CLIENT);
    assert_eq!(begun["request"]["session"], json!([]));
    assert_eq!(begun["request"]["userNotFound"], false);
    assert_eq!(begun["request"]["userAttributes"]["email"], EMAIL);
    assert_eq!(begun["request"]["userAttributes"]["email_verified"], "true");
    assert_eq!(begun["request"]["userAttributes"]["cognito:user_status"], "CONFIRMED");
    let result = json!({ "challengeName": "CUSTOM_CHALLENGE", "challengeResult": false, "challengeMetadata": "WORD" });
    assert_eq!(events[3]["request"]["session"], json!([result]));
    assert_eq!(events[5]["request"]["challengeAnswer"], "sesame");
    assert_eq!(events[5]["request"]["clientMetadata"]["device"], "phone");
}

#[tokio::test]
async fn wrong_answers_end_in_a_refusal() {
    let system = System::start().await;
    system.cognito.set_triggers(triggers(Arc::default()));
    system.user("ada").await;
    let mut session = system.begin("ada").await.unwrap();
    for _ in 0..2 {
        session = system.answer("ada", &session, "open").await.unwrap().unwrap_err();
    }
    refused(system.answer("ada", &session, "open").await, "NotAuthorizedException", "Incorrect username or password");
}

#[tokio::test]
async fn a_session_is_used_once_by_its_user_within_three_minutes() {
    let system = System::start().await;
    system.cognito.set_triggers(triggers(Arc::default()));
    system.user("ada").await;
    let session = system.begin("ada").await.unwrap();
    system.answer("ada", &session, "sesame").await.unwrap().unwrap();
    refused(system.answer("ada", &session, "sesame").await, "NotAuthorizedException", "can only be used once");
    refused(system.answer("ada", "invented", "sesame").await, "NotAuthorizedException", "Invalid session for the user");
    let session = system.begin("ada").await.unwrap();
    refused(system.answer("bob", &session, "sesame").await, "NotAuthorizedException", "Invalid session for the user");
    let session = system.begin("ada").await.unwrap();
    system.cognito.advance_clock(Duration::from_secs(180));
    refused(system.answer("ada", &session, "sesame").await, "NotAuthorizedException", "session is expired");
}

#[tokio::test]
async fn an_unknown_user_is_asked_and_gets_no_tokens() {
    let system = System::start().await;
    let events = Arc::new(Mutex::new(Vec::new()));
    system.cognito.set_triggers(triggers(events.clone()));
    let session = system.begin("nobody").await.unwrap();
    refused(
        system.answer("nobody", &session, "sesame").await,
        "NotAuthorizedException",
        "Incorrect username or password",
    );
    assert!(events.lock().unwrap().iter().all(|event| event["request"]["userNotFound"] == true));
}

#[tokio::test]
async fn a_user_disabled_between_question_and_answer_is_shut_out() {
    let system = System::start().await;
    system.cognito.set_triggers(triggers(Arc::default()));
    system.user("ada").await;
    let session = system.begin("ada").await.unwrap();
    let request = system.sdk.admin_disable_user().user_pool_id(POOL);
    request.username("ada").send().await.unwrap();
    refused(system.answer("ada", &session, "sesame").await, "NotAuthorizedException", "User is disabled");
    refused(system.begin("ada").await, "NotAuthorizedException", "User is disabled");
}

#[tokio::test]
async fn a_trigger_that_fails_says_why() {
    let system = System::start().await;
    system.user("ada").await;
    refused(system.begin("ada").await, "InvalidParameterException", "not configured");
    system.cognito.set_triggers(Arc::new(|_| Box::pin(async { Err("no table".to_owned()) })));
    refused(
        system.begin("ada").await,
        "UserLambdaValidationException",
        "DefineAuthChallenge failed with error no table.",
    );
    system.cognito.set_triggers(Arc::new(|_| Box::pin(async { Ok(json!("done")) })));
    refused(system.begin("ada").await, "InvalidLambdaResponseException", "");
}
