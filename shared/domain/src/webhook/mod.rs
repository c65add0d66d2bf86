//! Webhooks: where the events of a segment are sent, and what has come of it.

mod delivery;
mod special;
mod url;

use serde::{Deserialize, Serialize};

pub use self::delivery::{Delivery, DeliveryStatus, PAUSES, RangeFields, ReplayFields};
pub use self::special::is_public;
pub use self::url::WebhookUrl;
use crate::clock::Time;
use crate::event::{Event, EventType};
use crate::history::Actor;
use crate::id::{SegmentId, WebhookId};
use crate::text::Text;
use crate::value::{List, OrDefault};
use crate::{body, object, text, words};

text!(
    /// The type of an event, or how types begin: `muster.user.*`.
    EventTypes, plain 1..=60, example "muster.user.*", |text| {
        let known = match text.strip_suffix('*') {
            Some(prefix) => {
                prefix.starts_with(EventType::PREFIX) && EventType::all().any(|kind| kind.to_string().starts_with(prefix))
            }
            None => EventType::parse(text).is_some(),
        };
        if known { Ok(()) } else {
            Err(("invalid_choice", "must be the type of an event, such as muster.user.created, or muster.user.* for all of users"))
        }
    }
);

impl EventTypes {
    fn has(&self, kind: &str) -> bool {
        self.0.strip_suffix('*').map_or(kind == self.0, |prefix| kind.starts_with(prefix))
    }
}

words! {
    /// Whether events are sent to a webhook.
    #[derive(Default)]
    pub enum WebhookStatus {
        /// They are.
        #[default]
        Active = "ACTIVE",
        /// They are not. So it becomes by itself where the receiver answers 410.
        Disabled = "DISABLED",
    }
}

body! {
    /// What is written about a webhook.
    #[derive(Serialize, Deserialize)]
    pub struct WebhookFields {
        /// Where events are sent: https.
        pub url: WebhookUrl,
        /// What it is for.
        pub description: Option<Text>,
        /// Which events are sent: those of these types, or all if there are none.
        pub event_types: OrDefault<List<EventTypes, 50>>,
        /// Whether events are sent.
        pub status: OrDefault<WebhookStatus>,
    }
    example {
        "url": "https://example.com/muster", "description": "The shop", "event_types": ["muster.user.*"],
        "status": "ACTIVE"
    }
    patch { "event_types": ["muster.user.*", "muster.member.deleted"] }
}

object! {
    /// Where the events of a segment are sent.
    pub struct Webhook of WebhookFields {
        /// Its id.
        pub id: WebhookId = "0199d2a4-5c00-7000-8000-00000000eb01",
        /// The segment that it belongs to.
        pub segment_id: SegmentId = "0199d2a4-5c00-7000-8000-0000000005e6",
        /// The user or key that created it.
        pub created_by: Option<Actor> = serde_json::json!({ "type": "user", "id": "0199d2a4-5c00-7000-8000-000000000001" }),
    }
}

impl Webhook {
    /// Whether an event is sent to it.
    #[must_use]
    pub fn wants(&self, event: &Event) -> bool {
        let (kind, types) = (event.kind.to_string(), &self.fields.event_types.0.0);
        self.is_active() && (types.is_empty() || types.iter().any(|types| types.has(&kind)))
    }

    /// Whether events are sent to it.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.fields.status.0 == WebhookStatus::Active
    }

    /// The webhook once its receiver has said that it is gone.
    #[must_use]
    pub fn disabled(&self, now: Time) -> Self {
        let fields = WebhookFields { status: OrDefault(WebhookStatus::Disabled), ..self.fields.clone() };
        self.replaced(fields, now)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::event::{About, Thing, What};
    use crate::field::{Body as _, MergePatch};
    use crate::history::Act;

    /// That a user has come to be.
    pub(super) fn event() -> Event {
        let about = About::new(Thing::User, SegmentId::fresh(), uuid::Uuid::nil());
        Event::of(about, What::Created, (None, None), Act::of(Actor::System, "test")).unwrap()
    }

    #[test]
    fn every_example_is_accepted() {
        assert!(WebhookFields::parse(WebhookFields::example()).is_ok());
        assert!(MergePatch::<WebhookFields>::parse(WebhookFields::patch_example()).is_ok());
    }

    #[test]
    fn a_webhook_wants_what_its_types_name() {
        let (event, now) = (event(), Time::now());
        for (types, wanted) in [
            (json!([]), true),
            (json!(["muster.*"]), true),
            (json!(["muster.member.*", "muster.user.created"]), true),
            (json!(["muster.user.c*"]), true),
            (json!(["muster.user.deleted"]), false),
        ] {
            let fields = WebhookFields::parse(json!({ "url": "https://example.com/", "event_types": types })).unwrap();
            let webhook = Webhook::new(WebhookId::fresh(), event.segment_id, None, fields, now);
            assert_eq!(webhook.wants(&event), wanted, "{types}");
            assert!(!webhook.disabled(now).wants(&event));
        }
        for types in ["user.created", "muster.person.*", "muster.user.eaten", "*"] {
            assert!(EventTypes::parse(types).is_err(), "{types}");
        }
    }
}
