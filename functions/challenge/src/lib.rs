//! Cognito's triggers: signing in by a one-time secret (`CUSTOM_AUTH`), single use, a minute long, kept in the table; what an
//! id token says; and the message that carries a recovery code.
//!
//! Cognito asks what to demand (define), what to show (create) and whether the answer is right (verify). Nothing is
//! shown: who signs in so was given the secret a moment before, by Muster itself.

use std::time::Duration;

use domain::{Email, Error, Time, UserId};
use serde_json::{Value, json};
use store::Store;

/// Makes a code of digits: at random, but where a sandbox has one for all.
pub type MakeCode<'a> = &'a (dyn Fn() -> Result<String, Error> + Sync);

/// Answers a trigger: the event again, with its `response`. `make_code` makes the code of a recovery.
///
/// # Errors
/// [`Error::Unavailable`], or [`Error::Internal`] for an event that is none of these.
pub async fn answer(store: &Store, make_code: MakeCode<'_>, mut event: Value) -> Result<Value, Error> {
    let source = event.get("triggerSource").and_then(Value::as_str).unwrap_or_default();
    let response = match source {
        "DefineAuthChallenge_Authentication" => define(event.pointer("/request/session")),
        "CreateAuthChallenge_Authentication" => {
            json!({ "publicChallengeParameters": {}, "privateChallengeParameters": {}, "challengeMetadata": "ONE_TIME" })
        }
        "VerifyAuthChallengeResponse_Authentication" => json!({ "answerCorrect": verify(store, &event).await? }),
        _ if source.starts_with("TokenGeneration_") => name_segment(&event),
        "CustomMessage_ForgotPassword" => recovery_message(store, make_code, &event).await?,
        // Any other message is Cognito's own.
        other if other.starts_with("CustomMessage_") => return Ok(event),
        other => return Err(Error::internal(format!("no trigger of ours: {other}"))),
    };
    if let Some(event) = event.as_object_mut() {
        event.insert("response".to_owned(), response);
    }
    Ok(event)
}

/// How long a recovery code is good.
const RECOVER_WITHIN: Duration = Duration::from_secs(60 * 60);

/// The message with a recovery code of Muster's own, which wrong tries of strangers leave good: Cognito's would be of no use
/// to anybody after five. Cognito demands that its own stands in the message, where no reader sees it.
async fn recovery_message(store: &Store, make_code: MakeCode<'_>, event: &Value) -> Result<Value, Error> {
    let text = |at| event.pointer(at).and_then(Value::as_str).unwrap_or_default();
    let user: UserId = text("/userName").parse()?;
    let email = Email::parse(text("/request/userAttributes/email")).map_err(|(_, reason)| Error::internal(reason))?;
    let code = make_code()?;
    store.keep_recovery_code(user, &email, &code, Time::now().plus(RECOVER_WITHIN)).await?;
    let of_cognito = text("/request/codeParameter");
    let message = format!("Your password reset code is {code}. It is good for 60 minutes.<!-- {of_cognito} -->");
    Ok(json!({ "smsMessage": null, "emailMessage": message, "emailSubject": "Your password reset code" }))
}

/// Names the segment of a user in its id token: the claim `segment_id`. Version one of the event customizes id tokens,
/// on every plan of Cognito's.
fn name_segment(event: &Value) -> Value {
    match event.pointer("/request/userAttributes/custom:segment_id").and_then(Value::as_str) {
        Some(segment) => json!({ "claimsOverrideDetails": { "claimsToAddOrOverride": { "segment_id": segment } } }),
        None => json!({ "claimsOverrideDetails": null }),
    }
}

/// One challenge, one try.
fn define(session: Option<&Value>) -> Value {
    let tries = session.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    match tries {
        [] => json!({ "challengeName": "CUSTOM_CHALLENGE", "issueTokens": false, "failAuthentication": false }),
        [only] => {
            let right = only.get("challengeResult").and_then(Value::as_bool) == Some(true);
            json!({ "issueTokens": right, "failAuthentication": !right })
        }
        _ => json!({ "issueTokens": false, "failAuthentication": true }),
    }
}

async fn verify(store: &Store, event: &Value) -> Result<bool, Error> {
    // Of a user without an identity no secret is used up: nobody can be signed in by it.
    if event.pointer("/request/userNotFound").and_then(Value::as_bool) == Some(true) {
        return Ok(false);
    }
    let text = |at| event.pointer(at).and_then(Value::as_str).unwrap_or_default();
    let Ok(user) = text("/userName").parse::<UserId>() else { return Ok(false) };
    store.take_one_time(user, text("/request/challengeAnswer")).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id_tokens_name_the_segment_of_a_user_who_has_one() {
        let event = |attributes: Value| json!({ "request": { "userAttributes": attributes } });
        let named = name_segment(&event(json!({ "custom:segment_id": "s" })));
        assert_eq!(named.pointer("/claimsOverrideDetails/claimsToAddOrOverride/segment_id"), Some(&json!("s")));
        assert_eq!(name_segment(&event(json!({}))), json!({ "claimsOverrideDetails": null }));
    }

    #[test]
    fn tokens_are_issued_for_one_right_answer_and_for_nothing_else() {
        let issues = |session: Value| define(Some(&session)).get("issueTokens").cloned();
        let (right, wrong) = (json!({ "challengeResult": true }), json!({ "challengeResult": false }));
        assert_eq!(issues(json!([])), Some(false.into()));
        assert_eq!(issues(json!([right])), Some(true.into()));
        assert_eq!(issues(json!([wrong])), Some(false.into()));
        assert_eq!(issues(json!([wrong, right])), Some(false.into()));
    }
}
