//! What would go out by e-mail, SMS or push: printed, and readable at `GET /_local/outbox?to=ADDRESS`.

use std::collections::HashMap;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use domain::{Body as _, Device, Message, Time};
use notifications::Sender;
use serde::Serialize;
use serde_json::{Value, json};

/// A message that would have gone out.
#[derive(Debug, Clone, Serialize)]
pub struct Sent {
    /// The address, or a device's id.
    pub to: String,
    /// What for: `verification`, `recovery`, …
    pub kind: String,
    /// The code in it.
    pub code: Option<String>,
    /// The whole text.
    pub body: String,
    /// When.
    pub at: Time,
}

/// The messages of this run, oldest first; a clone shares them.
#[derive(Debug, Clone, Default)]
pub struct Outbox(Arc<Mutex<VecDeque<Sent>>>);

/// The oldest go beyond this.
const KEPT: usize = 10_000;

impl Outbox {
    /// Keeps a message.
    pub fn put(&self, message: Sent) {
        let mut messages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if messages.len() >= KEPT {
            messages.pop_front();
        }
        messages.push_back(message);
    }

    /// What sends push notifications into it.
    #[must_use]
    pub fn sender(&self) -> Sender {
        let outbox = self.clone();
        Sender::Outbox(Arc::new(move |device, message| outbox.push(device, message)))
    }

    /// Keeps a push notification to a device; whether the device is still there. Those whose tokens begin with `dead` are
    /// not, as if their app had been removed.
    fn push(&self, device: &Device, message: &Message) -> bool {
        if device.fields.token.reveal().starts_with("dead") {
            return false;
        }
        let (to, kind, body) = (device.id.to_string(), "push".to_owned(), Value::Object(message.show()).to_string());
        tracing::info!(target: "local::outbox", to, kind, "would be sent");
        self.put(Sent { to, kind, code: None, body, at: Time::now() });
        true
    }

    /// The messages to an address, newest last; to all without one.
    #[must_use]
    pub fn to(&self, address: Option<&str>) -> Vec<Sent> {
        let messages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = |message: &&Sent| address.is_none_or(|to| message.to.eq_ignore_ascii_case(to));
        messages.iter().filter(wanted).cloned().collect()
    }

    /// The route.
    pub(crate) fn router(&self) -> Router {
        let send = format!("{SES}/v2/email/outbound-emails");
        Router::new().route("/_local/outbox", get(list)).route(&send, post(send_email)).with_state(self.clone())
    }
}

async fn list(State(outbox): State<Outbox>, Query(query): Query<HashMap<String, String>>) -> Json<Value> {
    Json(json!({ "data": outbox.to(query.get("to").map(String::as_str)) }))
}

/// Where Amazon SES (version 2 of its API) answers.
pub(crate) const SES: &str = "/_local/ses";

/// `SendEmail` of a simple message: printed, and kept.
async fn send_email(State(outbox): State<Outbox>, Json(request): Json<Value>) -> Response {
    let text = |at: &str| request.pointer(at).and_then(Value::as_str).map(str::to_owned);
    let (to, from) = (text("/Destination/ToAddresses/0"), text("/FromEmailAddress"));
    let (subject, body) = (text("/Content/Simple/Subject/Data"), text("/Content/Simple/Body/Text/Data"));
    let (Some(to), Some(_), Some(subject), Some(body)) = (to, from, subject, body) else {
        let refusal =
            Json(json!({ "message": "This emulator takes simple messages with a text, from somebody to somebody." }));
        return (StatusCode::BAD_REQUEST, [("x-amzn-errortype", "BadRequestException")], refusal).into_response();
    };
    tracing::info!(target: "local::outbox", to, kind = "notice", subject, "would be sent");
    outbox.put(Sent {
        to,
        kind: "notice".to_owned(),
        code: None,
        body: format!("{subject}\n\n{body}"),
        at: Time::now(),
    });
    Json(json!({ "MessageId": domain::EntryId::fresh() })).into_response()
}
