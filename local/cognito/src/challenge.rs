//! Logins of more than one step: `CUSTOM_AUTH`, `RespondToAuthChallenge` and `AdminRespondToAuthChallenge`.

use serde_json::{Value, json};

use crate::client::Client;
use crate::error::Failure;
use crate::input::Input;
use crate::logins::Login;
use crate::pool::Pool;
use crate::sessions::{self, Challenge, Session};
use crate::triggers::{Caller, Decision};
use crate::user::{Status, User};
use crate::{Cognito, tokens};

pub(crate) async fn respond_to_auth_challenge(cognito: Cognito, input: Input) -> Result<Value, Failure> {
    let client = Client::of(&cognito, &input)?;
    let session = match input.optional_text("Session")? {
        Some(session) if !session.is_empty() => session,
        Some(_) | None => return Err(Failure::invalid("Missing required parameter Session")),
    };
    let responses = input.section("ChallengeResponses")?;
    let username = responses.parameter("USERNAME")?;
    client.check_hash(username, responses.optional_text("SECRET_HASH")?)?;
    match input.text("ChallengeName")? {
        "CUSTOM_CHALLENGE" => {
            client.allow("CUSTOM_AUTH")?;
            let answer = responses.parameter("ANSWER")?;
            let metadata = input.text_map("ClientMetadata")?;
            let session = take(&cognito, &client, session, username)?;
            answer_custom(&cognito, &client, session, answer, metadata.as_ref()).await
        }
        "NEW_PASSWORD_REQUIRED" => {
            let password = responses.parameter("NEW_PASSWORD")?;
            // First, so that a password that is too short does not end the session.
            let pool = cognito.storage().read(|data| Pool::known(data, &client.pool))?;
            pool.policy.check("Password", password)?;
            let hash = cognito.hasher().hash(password).await?;
            let session = take(&cognito, &client, session, username)?;
            set_new_password(&cognito, &client, &session, hash).await
        }
        other => Err(Failure::unsupported(&format!("The challenge {other}"))),
    }
}

pub(crate) async fn admin_respond_to_auth_challenge(cognito: Cognito, input: Input) -> Result<Value, Failure> {
    input.text("UserPoolId")?;
    respond_to_auth_challenge(cognito, input).await
}

/// `InitiateAuth` with `CUSTOM_AUTH`; its `ClientMetadata` does not reach the triggers, as in Cognito.
pub(crate) async fn begin_custom(cognito: &Cognito, client: &Client, username: &str) -> Result<Value, Failure> {
    let user = cognito.storage().read(|data| User::find(data, &client.pool, username))?;
    match &user {
        Some(user) => may_log_in(user)?,
        None if client.discreet => {}
        None => return Err(Failure::UserNotFound),
    }
    let caller = Caller { cognito, client, username, user: user.as_ref(), metadata: None };
    proceed(&caller, Vec::new()).await
}

async fn answer_custom(
    cognito: &Cognito,
    client: &Client,
    session: Session,
    answer: &str,
    metadata: Option<&Value>,
) -> Result<Value, Failure> {
    let Challenge::Custom { mut results, private_parameters, metadata: question } = session.challenge else {
        return Err(sessions::invalid());
    };
    let user = match &session.user {
        None => None,
        Some(sub) => {
            let user =
                cognito.storage().read(|data| User::by_sub(data, sub))?.ok_or_else(Failure::wrong_credentials)?;
            may_log_in(&user)?;
            Some(user)
        }
    };
    let caller = Caller { cognito, client, username: &session.username, user: user.as_ref(), metadata };
    let right = caller.verify(&private_parameters, answer).await?;
    results.push(json!({
        "challengeName": "CUSTOM_CHALLENGE",
        "challengeResult": right,
        "challengeMetadata": question,
    }));
    proceed(&caller, results).await
}

/// Lets the define trigger decide, and asks the next question if it says so.
async fn proceed(caller: &Caller<'_>, results: Vec<Value>) -> Result<Value, Failure> {
    match caller.define(&results).await? {
        Decision::Fail => Err(Failure::wrong_credentials()),
        Decision::Issue => {
            // Whatever the triggers say, a user that does not exist gets no tokens.
            let user = caller.user.ok_or_else(Failure::wrong_credentials)?;
            finish(caller.cognito, caller.client, &user.sub).await
        }
        Decision::Ask => ask(caller, results).await,
    }
}

async fn ask(caller: &Caller<'_>, results: Vec<Value>) -> Result<Value, Failure> {
    let question = caller.create(&results).await?;
    let session = Session {
        username: caller.username.to_owned(),
        user: caller.user.map(|user| user.sub.clone()),
        challenge: Challenge::Custom {
            results,
            private_parameters: question.private_parameters,
            metadata: question.metadata,
        },
    };
    let cognito = caller.cognito;
    let session = cognito.storage().write(|data| session.put(data, caller.client, cognito.now()))?;
    let mut parameters = question.public_parameters;
    parameters.insert("USERNAME".to_owned(), caller.username.into());
    Ok(json!({
        "ChallengeName": "CUSTOM_CHALLENGE",
        "Session": session,
        "ChallengeParameters": parameters,
    }))
}

/// Looks at the user once more: the triggers took their time.
async fn finish(cognito: &Cognito, client: &Client, sub: &str) -> Result<Value, Failure> {
    let (user, (login, refresh_token)) = cognito.storage().write(|data| {
        let user = User::by_sub(data, sub)?.ok_or_else(Failure::wrong_credentials)?;
        may_log_in(&user)?;
        let login = Login::start(data, client, &user, cognito.now())?;
        Ok((user, login))
    })?;
    tokens::signed_in(cognito, client, &user, &login, Some(&refresh_token)).await
}

async fn set_new_password(
    cognito: &Cognito,
    client: &Client,
    session: &Session,
    hash: String,
) -> Result<Value, Failure> {
    let (Challenge::NewPassword { of }, Some(sub)) = (&session.challenge, &session.user) else {
        return Err(sessions::invalid());
    };
    let (user, (login, refresh_token)) = cognito.storage().write(|data| {
        let user = User::by_sub(data, sub)?.filter(|user| user.password == *of);
        let mut user = user.ok_or_else(sessions::invalid)?;
        if !user.enabled {
            return Err(Failure::disabled());
        }
        user.set_password(hash);
        user.save(data, cognito.now())?;
        let login = Login::start(data, client, &user, cognito.now())?;
        Ok((user, login))
    })?;
    tokens::signed_in(cognito, client, &user, &login, Some(&refresh_token)).await
}

fn take(cognito: &Cognito, client: &Client, session: &str, username: &str) -> Result<Session, Failure> {
    let session = cognito.storage().write(|data| Session::take(data, client, session, cognito.now()))?;
    if session.username == username { Ok(session) } else { Err(sessions::invalid()) }
}

/// Custom authentication asks no password, so that one who must change theirs may log in.
fn may_log_in(user: &User) -> Result<(), Failure> {
    match (user.enabled, user.status) {
        (false, _) => Err(Failure::disabled()),
        (true, Status::Unconfirmed) => Err(Failure::UserNotConfirmed),
        (true, Status::Confirmed | Status::ForceChangePassword) => Ok(()),
    }
}
