//! Somebody with addresses to ask for, made through the API as any client would.

use benches::Failure;
use local::System;
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};

/// A user who has signed up and lives somewhere.
pub(crate) struct User {
    /// The access token.
    pub(crate) token: String,
    /// The ids of the addresses.
    pub(crate) addresses: Vec<String>,
}

impl User {
    /// Signs up, verifies the e-mail and writes two addresses.
    pub(crate) async fn sign_up(system: &System) -> Result<Self, Failure> {
        let (client, url, email) = (Client::new(), &system.url, "ana@example.com");
        let sign_up = json!({ "email": email, "name": "Ana", "password": "correct horse battery" });
        let user = sent(client.post(format!("{url}/v1/users")).json(&sign_up)).await?;
        let messages = system.outbox.to(Some(email));
        let code = messages.last().and_then(|message| message.code.as_deref()).ok_or("No code was sent.")?;
        let verification = format!("{url}/v1/users/{}/verification", text(&user, "id")?);
        let tokens = sent(client.post(verification).json(&json!({ "code": code }))).await?;
        let token = text(&tokens, "access_token")?;
        let two = json!([
            { "alias": "Home", "street": "Avenida Juárez", "external_number": "14", "is_location": true },
            { "alias": "Office", "street": "Paseo de la Reforma", "external_number": "222", "is_billing": true },
        ]);
        let made = client.post(format!("{url}/v1/users/me/addresses")).bearer_auth(&token).json(&two);
        let made = sent(made).await?;
        let made = made.get("data").and_then(Value::as_array).ok_or("No addresses were made.")?;
        let addresses = made.iter().map(|address| text(address, "id")).collect::<Result<_, _>>()?;
        Ok(Self { token, addresses })
    }
}

/// The body of a good answer.
async fn sent(request: RequestBuilder) -> Result<Value, Failure> {
    let answer = request.send().await?;
    let (status, url) = (answer.status(), answer.url().clone());
    let body = answer.text().await?;
    if !status.is_success() {
        return Err(format!("The local system answers {status} to {url}: {body}").into());
    }
    Ok(serde_json::from_str(&body)?)
}

fn text(object: &Value, field: &str) -> Result<String, Failure> {
    let value = object.get(field).and_then(Value::as_str).ok_or_else(|| format!("{field} is missing in {object}"))?;
    Ok(value.to_owned())
}
