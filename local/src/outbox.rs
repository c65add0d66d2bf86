//! What would go out by e-mail, SMS or push: printed, and readable at `GET /_local/outbox?to=ADDRESS`.

use std::collections::HashMap;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Query, State};
use axum::routing::get;
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
        Router::new().route("/_local/outbox", get(list)).with_state(self.clone())
    }
}

async fn list(State(outbox): State<Outbox>, Query(query): Query<HashMap<String, String>>) -> Json<Value> {
    Json(json!({ "data": outbox.to(query.get("to").map(String::as_str)) }))
}
