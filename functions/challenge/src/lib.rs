//! Cognito's `CUSTOM_AUTH` triggers: signing in by a one-time secret, single use, a minute long, kept in the table.
//!
//! Cognito asks what to demand (define), what to show (create) and whether the answer is right (verify). Nothing is
//! shown: who signs in so was given the secret a moment before, by Muster itself.

use domain::{Error, UserId};
use serde_json::{Value, json};
use store::Store;

/// Answers a trigger: the event again, with its `response`.
///
/// # Errors
/// [`Error::Unavailable`], or [`Error::Internal`] for an event that is none of the three.
pub async fn answer(store: &Store, mut event: Value) -> Result<Value, Error> {
    let source = event.get("triggerSource").and_then(Value::as_str).unwrap_or_default();
    let response = match source {
        "DefineAuthChallenge_Authentication" => define(event.pointer("/request/session")),
        "CreateAuthChallenge_Authentication" => {
            json!({ "publicChallengeParameters": {}, "privateChallengeParameters": {}, "challengeMetadata": "ONE_TIME" })
        }
        "VerifyAuthChallengeResponse_Authentication" => json!({ "answerCorrect": verify(store, &event).await? }),
        other => return Err(Error::internal(format!("no trigger of ours: {other}"))),
    };
    if let Some(event) = event.as_object_mut() {
        event.insert("response".to_owned(), response);
    }
    Ok(event)
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
    fn tokens_are_issued_for_one_right_answer_and_for_nothing_else() {
        let issues = |session: Value| define(Some(&session)).get("issueTokens").cloned();
        let (right, wrong) = (json!({ "challengeResult": true }), json!({ "challengeResult": false }));
        assert_eq!(issues(json!([])), Some(false.into()));
        assert_eq!(issues(json!([right])), Some(true.into()));
        assert_eq!(issues(json!([wrong])), Some(false.into()));
        assert_eq!(issues(json!([wrong, right])), Some(false.into()));
    }
}
