//! The Lambda functions of custom authentication, called with Cognito's own events.

use serde_json::{Map, Value, json};

use crate::Cognito;
use crate::client::Client;
use crate::error::Failure;
use crate::pool::Pool;
use crate::user::User;

/// Whom a custom login is about; the same for each trigger that it calls.
pub(crate) struct Caller<'a> {
    pub(crate) cognito: &'a Cognito,
    pub(crate) client: &'a Client,
    pub(crate) username: &'a str,
    /// `None` for a user that does not exist and whose login only looks as if.
    pub(crate) user: Option<&'a User>,
    pub(crate) metadata: Option<&'a Value>,
}

/// What the define trigger decided.
pub(crate) enum Decision {
    Issue,
    Fail,
    Ask,
}

/// What the create trigger made.
pub(crate) struct Question {
    pub(crate) public_parameters: Map<String, Value>,
    pub(crate) private_parameters: Value,
    pub(crate) metadata: Option<String>,
}

impl Caller<'_> {
    pub(crate) async fn define(&self, results: &[Value]) -> Result<Decision, Failure> {
        let request = json!({ "session": results });
        let response = json!({ "challengeName": null, "issueTokens": null, "failAuthentication": null });
        let response = self.call("DefineAuthChallenge", request, response).await?;
        let says = |name: &str| response.get(name).and_then(Value::as_bool).unwrap_or(false);
        if says("failAuthentication") {
            return Ok(Decision::Fail);
        }
        if says("issueTokens") {
            return Ok(Decision::Issue);
        }
        match response.get("challengeName").and_then(Value::as_str) {
            Some("CUSTOM_CHALLENGE") => Ok(Decision::Ask),
            other => {
                let name = other.unwrap_or("null");
                Err(Failure::InvalidLambdaResponse(format!("The challenge {name} is not CUSTOM_CHALLENGE.")))
            }
        }
    }

    pub(crate) async fn create(&self, results: &[Value]) -> Result<Question, Failure> {
        let request = json!({ "challengeName": "CUSTOM_CHALLENGE", "session": results });
        let response = json!({
            "publicChallengeParameters": null,
            "privateChallengeParameters": null,
            "challengeMetadata": null,
        });
        let response = self.call("CreateAuthChallenge", request, response).await?;
        Ok(Question {
            public_parameters: texts(&response, "publicChallengeParameters")?,
            private_parameters: Value::Object(texts(&response, "privateChallengeParameters")?),
            metadata: response.get("challengeMetadata").and_then(Value::as_str).map(str::to_owned),
        })
    }

    /// Whether the answer is right.
    pub(crate) async fn verify(&self, private_parameters: &Value, answer: &str) -> Result<bool, Failure> {
        let request = json!({ "privateChallengeParameters": private_parameters, "challengeAnswer": answer });
        let response = self.call("VerifyAuthChallengeResponse", request, json!({ "answerCorrect": null })).await?;
        Ok(response.get("answerCorrect").and_then(Value::as_bool).unwrap_or(false))
    }

    /// Answers the event's `response` as the function filled it in.
    async fn call(&self, trigger: &str, mut request: Value, response: Value) -> Result<Value, Failure> {
        let Some(triggers) = self.cognito.triggers() else {
            return Err(Failure::invalid("Custom auth lambda trigger is not configured for the user pool."));
        };
        if let Value::Object(fields) = &mut request {
            fields.insert("userAttributes".to_owned(), self.user_attributes());
            fields.extend(self.metadata.map(|metadata| ("clientMetadata".to_owned(), metadata.clone())));
            // Cognito tells it only where it must not be told to the caller.
            let not_found = self.client.discreet.then(|| ("userNotFound".to_owned(), self.user.is_none().into()));
            fields.extend(not_found);
        }
        let event = Event { source: &format!("{trigger}_Authentication"), username: self.username, request, response };
        let answered = triggers(event.envelop(self.cognito, self.client))
            .await
            .map_err(|error| Failure::UserLambdaValidation(format!("{trigger} failed with error {error}.")))?;
        let response = answered.get("response").filter(|response| response.is_object()).cloned();
        response.ok_or_else(|| Failure::InvalidLambdaResponse("Unrecognizable lambda output".to_owned()))
    }

    fn user_attributes(&self) -> Value {
        self.user.map_or_else(|| json!({}), User::trigger_attributes)
    }
}

/// A call of a trigger.
pub(crate) struct Event<'a> {
    pub(crate) source: &'a str,
    pub(crate) username: &'a str,
    pub(crate) request: Value,
    /// The members that the function fills in.
    pub(crate) response: Value,
}

impl Event<'_> {
    /// Adds the pool and the client, as every trigger gets them.
    pub(crate) fn envelop(self, cognito: &Cognito, client: &Client) -> Value {
        json!({
            "version": "1",
            "triggerSource": self.source,
            "region": cognito.options().region,
            "userPoolId": client.pool,
            "userName": self.username,
            "callerContext": { "awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": client.id },
            "request": self.request,
            "response": self.response,
        })
    }
}

/// What the pre token generation trigger (version `V1_0`, of all plans) changes of an id token.
#[derive(Default)]
pub(crate) struct Customized {
    added: Map<String, Value>,
    suppressed: Vec<String>,
}

/// Claims that no trigger changes.
const FIXED: [&str; 13] =
    ["acr", "amr", "at_hash", "aud", "auth_time", "azp", "exp", "iat", "iss", "jti", "nonce", "origin_jti", "sub"];

impl Customized {
    pub(crate) fn apply(self, claims: &mut Value) {
        let Value::Object(claims) = claims else { return };
        let is_free =
            |name: &String| !FIXED.contains(&name.as_str()) && name != "token_use" && !name.starts_with("cognito:");
        for name in self.suppressed.iter().filter(|name| is_free(name)) {
            claims.remove(name);
        }
        claims.extend(self.added.into_iter().filter(|(name, _)| is_free(name)));
    }
}

/// Asks the pre token generation trigger, where the pool has one.
pub(crate) async fn customized(
    cognito: &Cognito,
    client: &Client,
    user: &User,
    source: &str,
) -> Result<Customized, Failure> {
    let pool = cognito.storage().read(|data| Pool::known(data, &user.pool))?;
    let Some(triggers) = cognito.triggers().filter(|_| pool.customizes_tokens()) else {
        return Ok(Customized::default());
    };
    let caller = Caller { cognito, client, username: &user.username, user: Some(user), metadata: None };
    let event = Event {
        source: &format!("TokenGeneration_{source}"),
        username: &user.username,
        request: json!({
            "userAttributes": caller.user_attributes(),
            "groupConfiguration": { "groupsToOverride": [], "iamRolesToOverride": [], "preferredRole": null },
        }),
        response: json!({ "claimsOverrideDetails": null }),
    };
    let failed = |error| Failure::UserLambdaValidation(format!("PreTokenGeneration failed with error {error}."));
    let answered = triggers(event.envelop(cognito, client)).await.map_err(failed)?;
    let details = answered.pointer("/response/claimsOverrideDetails").cloned().unwrap_or_default();
    let suppressed = details.get("claimsToSuppress").and_then(Value::as_array).cloned().unwrap_or_default();
    Ok(Customized {
        // Version one takes texts alone.
        added: texts(&details, "claimsToAddOrOverride")?,
        suppressed: suppressed.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
    })
}

fn texts(response: &Value, name: &str) -> Result<Map<String, Value>, Failure> {
    match response.get(name) {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(fields)) if fields.values().all(Value::is_string) => Ok(fields.clone()),
        Some(_) => Err(Failure::InvalidLambdaResponse(format!("{name} is not a map of strings."))),
    }
}
