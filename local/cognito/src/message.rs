//! The message trigger: a Lambda function that writes a message in its own words.

use serde_json::{Value, json};

use crate::client::Client;
use crate::error::Failure;
use crate::triggers::Event;
use crate::user::User;
use crate::{Cognito, Message};

/// What stands for Cognito's code in a message.
const PLACEHOLDER: &str = "{####}";

/// The message as the trigger writes it, for `source`; as it is, where there is no trigger or it writes none.
pub(crate) async fn customized(
    (cognito, client): (&Cognito, &Client),
    source: &str,
    user: &User,
    message: Message,
) -> Result<Message, Failure> {
    let Some(triggers) = cognito.triggers() else { return Ok(message) };
    let event = Event {
        source: &format!("CustomMessage_{source}"),
        username: &user.username,
        request: json!({
            "userAttributes": user.trigger_attributes(), "codeParameter": PLACEHOLDER, "usernameParameter": null,
        }),
        response: json!({ "smsMessage": null, "emailMessage": null, "emailSubject": null }),
    };
    let answered = triggers(event.envelop(cognito, client))
        .await
        .map_err(|error| Failure::UserLambdaValidation(format!("CustomMessage failed with error {error}.")))?;
    let Some(text) = answered.pointer("/response/emailMessage").and_then(Value::as_str) else { return Ok(message) };
    if !text.contains(PLACEHOLDER) {
        let reason = "The message must have the code parameter.";
        return Err(Failure::InvalidLambdaResponse(reason.to_owned()));
    }
    let own = message.code.clone().unwrap_or_default();
    let body = text.replace(PLACEHOLDER, &own);
    let code = Some(shown_code(&body, &own));
    Ok(Message { code, body, ..message })
}

/// The code that the reader of a message sees: Cognito's own, or else the first that is as long in the visible text.
fn shown_code(body: &str, own: &str) -> String {
    let visible = visible(body);
    if visible.contains(own) {
        return own.to_owned();
    }
    let mut runs = visible.split(|letter: char| !letter.is_ascii_digit());
    runs.find(|digits| digits.len() >= own.len()).unwrap_or(own).to_owned()
}

/// A message without its comments.
fn visible(body: &str) -> String {
    let mut parts = body.split("<!--");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once("-->").map_or("", |(_, after)| after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_of_a_message_is_the_one_that_its_reader_sees() {
        assert_eq!(shown_code("Your code is 123456", "123456"), "123456");
        assert_eq!(shown_code("Your code is 654321.<!-- 123456 -->", "123456"), "654321");
        assert_eq!(shown_code("<!-- 123456 -->In 60 minutes: 654321", "123456"), "654321");
    }
}
