//! What Amazon SNS hands over to Apple and Google.

use domain::Message;
use serde_json::{Map, Value, json};

/// A message with the form that each platform takes, as `MessageStructure=json` has it: JSON in strings of JSON.
#[must_use]
pub fn payload(message: &Message) -> String {
    let (title, body) = (message.title.as_str(), message.body.as_str());
    let data = message.data.0.entries();
    let mut apple: Map<String, Value> = data.iter().map(|(name, text)| (name.clone(), text.as_str().into())).collect();
    apple.insert("aps".to_owned(), json!({ "alert": { "title": title, "body": body }, "sound": "default" }));
    let apple = Value::Object(apple).to_string();
    let google = json!({
        "fcmV1Message": { "message": { "notification": { "title": title, "body": body }, "data": data } }
    });
    json!({ "default": body, "APNS": apple, "APNS_SANDBOX": apple, "GCM": google.to_string() }).to_string()
}

#[cfg(test)]
mod tests {
    use domain::Body as _;

    use super::*;

    #[test]
    fn each_platform_gets_its_own_form_and_no_more_than_it_takes() -> Result<(), Box<dyn std::error::Error>> {
        let longest = json!({ "title": "\u{1F514}".repeat(100), "body": "\u{1F514}".repeat(500), "data": { "a": "x".repeat(1000) } });
        for (message, title) in
            [(Message::example(), "Hello"), (longest.clone(), longest["title"].as_str().unwrap_or("?"))]
        {
            let whole: Value = serde_json::from_str(&payload(&Message::parse(message.clone())?))?;
            let of = |name: &str| -> Result<Value, Box<dyn std::error::Error>> {
                let text = whole[name].as_str().ok_or("no text")?;
                assert!(text.len() <= 4096, "{name} {}", text.len());
                Ok(serde_json::from_str(text)?)
            };
            for apple in ["APNS", "APNS_SANDBOX"] {
                assert_eq!(of(apple)?["aps"]["alert"]["title"], title);
            }
            let google = of("GCM")?["fcmV1Message"]["message"].clone();
            assert_eq!((&google["notification"]["title"], &google["data"]), (&json!(title), &message["data"]));
        }
        Ok(())
    }
}
