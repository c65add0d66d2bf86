//! Webhooks: where the events of a segment are sent, and what has come of it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::{Host, Url};
use utoipa::ToSchema;

use crate::clock::Time;
use crate::event::{Event, EventType};
use crate::field::Object;
use crate::id::{EventId, SegmentId, WebhookId};
use crate::text::Text;
use crate::value::{List, OrDefault};
use crate::{body, object, text, words};

text!(
    /// The URL that events are sent to.
    WebhookUrl, plain 1..=1000, example "https://example.com/muster", |text| {
        let malformed = Err(("invalid_url", "must be a URL such as https://example.com/muster, without user, password and #"));
        let Ok(url) = Url::parse(text) else { return malformed };
        let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        if url.has_host() && plain && matches!(url.scheme(), "https" | "http") { Ok(()) } else { malformed }
    }
);

impl WebhookUrl {
    /// Whether the URL may be called from outside a machine of one's own: by TLS, and at no address that is private.
    /// What a name resolves to is looked at when it is called.
    #[must_use]
    pub fn is_public(&self) -> bool {
        let Ok(url) = Url::parse(&self.0) else { return false };
        let public = match url.host() {
            Some(Host::Ipv4(address)) => is_public(address.into()),
            Some(Host::Ipv6(address)) => is_public(address.into()),
            Some(Host::Domain(name)) => !matches!(name.trim_end_matches('.').rsplit('.').next(), Some("localhost")),
            None => false,
        };
        public && url.scheme() == "https"
    }
}

/// Whether an address is one of the internet at large: not this machine, not its network, and nobody's in particular.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => match embedded(address) {
            Some(address) => is_public_v4(address),
            None => is_public_v6(address),
        },
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let reserved = matches!(
        (a, b, c),
        // This network, shared addresses of carriers, protocol assignments, benchmarks, and all that is kept for later.
        (0, ..) | (100, 64..=127, _) | (192, 0, 0) | (192, 88, 99) | (198, 18..=19, _) | (240..=255, ..)
    );
    let special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_broadcast()
        || address.is_documentation();
    !reserved && !special
}

/// Only what is given out as global unicast, but for what is kept for documents and for tunnels.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    let kept = matches!((first, second), (0x2001, 0x0000..=0x01ff | 0x0db8) | (0x3fff, 0x0000..=0x0fff));
    (0x2000..=0x3fff).contains(&first) && !kept
}

/// The IPv4 address that an IPv6 address stands for: mapped, translated (NAT64) or tunneled (6to4).
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let of = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match address.segments() {
        [0x64, 0xff9b, _, _, _, _, high, low] | [0x2002, high, low, ..] => Some(of(high, low)),
        _ => address.to_ipv4(),
    }
}

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

body! {
    /// What to send an event again to.
    pub struct ReplayFields {
        /// The webhook that it is sent to; without one, all that want it.
        pub webhook_id: Option<WebhookId>,
    }
    example { "webhook_id": null }
}

body! {
    /// The events to send again.
    pub struct RangeFields {
        /// From when on, itself included.
        pub since: Time,
        /// Before when; now, if it is not said.
        pub until: Option<Time>,
        /// The webhook that they are sent to; without one, all that want each.
        pub webhook_id: Option<WebhookId>,
    }
    example { "since": "2026-11-21T10:00:00.000Z", "until": null, "webhook_id": null }
}

words! {
    /// How far a delivery is.
    pub enum DeliveryStatus {
        /// It is going to be tried, once more if it has been.
        Pending = "PENDING",
        /// The receiver has taken it.
        Delivered = "DELIVERED",
        /// It was tried as often as it is; a replay sends it again.
        Dead = "DEAD",
    }
}

/// An event on its way to a webhook.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Delivery {
    /// The event.
    pub event_id: EventId,
    /// Where it is sent.
    pub webhook_id: WebhookId,
    /// The segment of both.
    pub segment_id: SegmentId,
    /// How far it is.
    pub status: DeliveryStatus,
    /// How often it was tried.
    pub attempts: u32,
    /// What the last try came to: the status of the answer, or why there was none.
    pub last_result: Option<String>,
    /// When it is tried next.
    pub next_at: Option<Time>,
    /// When it last changed.
    pub updated_at: Time,
}

/// How long after each try that failed the next one is due, give or take a fifth; after the last there is none.
pub const PAUSES: [Duration; 8] = [
    Duration::from_secs(5),
    Duration::from_secs(60),
    Duration::from_secs(5 * 60),
    Duration::from_secs(30 * 60),
    Duration::from_secs(2 * 60 * 60),
    Duration::from_secs(5 * 60 * 60),
    Duration::from_secs(10 * 60 * 60),
    Duration::from_secs(24 * 60 * 60),
];

/// So long after it was first due a delivery that fails is not tried again, however often it was: one that waited for
/// others to the same webhook.
const LONGEST: Duration = Duration::from_secs(3 * 24 * 60 * 60);

impl Delivery {
    /// One that has not been tried and is due now.
    #[must_use]
    pub fn new(event: &Event, webhook: WebhookId, now: Time) -> Self {
        Self {
            event_id: event.id,
            webhook_id: webhook,
            segment_id: event.segment_id,
            status: DeliveryStatus::Pending,
            attempts: 0,
            last_result: None,
            next_at: Some(now),
            updated_at: now,
        }
    }

    /// It after a try that came to `result`; `chance`, from 0 to 1, is the jitter.
    #[must_use]
    pub fn tried(&self, taken: bool, result: String, (now, chance): (Time, f64)) -> Self {
        let attempts = self.attempts + 1;
        let late = now > Time::of(self.event_id.uuid()).plus(LONGEST) && self.attempts > 0;
        let pause = PAUSES.get(self.attempts as usize).filter(|_| !taken && !late);
        let next_at = pause.map(|pause| now.plus(pause.mul_f64(0.8 + 0.4 * chance.clamp(0.0, 1.0))));
        let status = match (taken, next_at) {
            (true, _) => DeliveryStatus::Delivered,
            (false, Some(_)) => DeliveryStatus::Pending,
            (false, None) => DeliveryStatus::Dead,
        };
        Self { status, attempts, last_result: Some(result), next_at, updated_at: now, ..self.clone() }
    }

    /// It once it is tried no more, for a reason that is not the receiver's answer.
    #[must_use]
    pub fn given_up(&self, why: &str, now: Time) -> Self {
        let (status, last_result) = (DeliveryStatus::Dead, Some(why.to_owned()));
        Self { status, last_result, next_at: None, updated_at: now, ..self.clone() }
    }

    /// It once it was put off, since its webhook has just failed: it has not been tried.
    #[must_use]
    pub fn put_off(&self, now: Time) -> Self {
        Self { next_at: Some(now.plus(PAUSES[0])), updated_at: now, ..self.clone() }
    }
}

impl Object for Delivery {
    fn version(&self) -> u64 {
        u64::from(self.attempts)
    }

    fn show(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

impl Event {
    /// The event as `CloudEvents` 1.0 has it, in its structured mode: the body of what is sent.
    #[must_use]
    pub fn cloud_event(&self) -> Value {
        json!({
            "specversion": "1.0",
            "id": self.id,
            "source": format!("/v1/segments/{}", self.segment_id),
            "type": self.kind,
            "subject": self.subject(),
            "time": self.created_at,
            "datacontenttype": "application/json",
            "data": {
                "segment_id": self.segment_id,
                "subject_id": self.subject_id,
                "membership_id": self.membership_id,
                "user_id": self.user_id,
                "version": self.version,
                "changed": self.changed,
                "actor": self.actor,
                "request_id": self.request_id,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{About, Thing, What};
    use crate::field::{Body as _, MergePatch};
    use crate::history::{Act, Actor};

    #[test]
    fn every_example_is_accepted() {
        assert!(WebhookFields::parse(WebhookFields::example()).is_ok());
        assert!(MergePatch::<WebhookFields>::parse(WebhookFields::patch_example()).is_ok());
    }

    #[test]
    fn only_urls_of_the_internet_at_large_are_public() {
        let public = |url: &str| WebhookUrl::parse(url).map(|url| url.is_public());
        for url in ["https://example.com/a?b=c", "https://93.184.216.34:8443/", "https://[2606:4700::1111]/"] {
            assert_eq!(public(url), Ok(true), "{url}");
        }
        for url in [
            "http://example.com/",
            "https://localhost/",
            "https://a.localhost./",
            "https://127.0.0.1/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://10.0.0.1/",
            "https://169.254.169.254/latest/meta-data",
            "https://[::1]/",
            "https://[::ffff:169.254.169.254]/",
            "https://[64:ff9b::a00:1]/",
            "https://[2002:7f00:1::]/",
            "https://[fd00:ec2::254]/",
            "https://[fe80::1]/",
            "https://0.0.0.0/",
            "https://100.64.0.1/",
            "https://224.0.0.1/",
        ] {
            assert_eq!(public(url), Ok(false), "{url}");
        }
        for url in [
            "https://a:b@example.com/",
            "https://a@example.com/",
            "ftp://example.com/",
            "example.com",
            "https://",
            "https://a/#b",
        ] {
            assert!(public(url).is_err(), "{url}");
        }
    }

    fn event() -> Event {
        let about = About::new(Thing::User, SegmentId::fresh(), uuid::Uuid::nil());
        Event::of(about, What::Created, (None, None), Act::of(Actor::System, "test")).unwrap()
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
            let webhook = Webhook::new(WebhookId::fresh(), event.segment_id, fields, now);
            assert_eq!(webhook.wants(&event), wanted, "{types}");
            assert!(!webhook.disabled(now).wants(&event));
        }
        for types in ["user.created", "muster.person.*", "muster.user.eaten", "*"] {
            assert!(EventTypes::parse(types).is_err(), "{types}");
        }
    }

    #[test]
    fn a_delivery_is_tried_ever_later_and_is_dead_at_the_end() {
        let mut delivery = Delivery::new(&event(), WebhookId::fresh(), Time::now());
        for pause in PAUSES {
            let now = Time::of(delivery.event_id.uuid());
            for chance in [0.0, 0.5, 1.0] {
                let next = delivery.tried(false, "500".to_owned(), (now, chance)).next_at.unwrap();
                let waited = (next.millis() - now.millis()) as f64 / pause.as_millis() as f64;
                assert!((0.79..=1.21).contains(&waited), "{waited} of {pause:?}");
            }
            delivery = delivery.tried(false, "500".to_owned(), (now, 0.5));
            assert_eq!(delivery.status, DeliveryStatus::Pending);
        }
        let now = delivery.updated_at;
        let dead = delivery.tried(false, "500".to_owned(), (now, 0.5));
        assert_eq!((dead.status, dead.attempts, dead.next_at), (DeliveryStatus::Dead, 9, None));
        let taken = delivery.tried(true, "204".to_owned(), (now, 0.5));
        assert_eq!((taken.status, taken.next_at), (DeliveryStatus::Delivered, None));
        let early = Delivery { attempts: 1, ..delivery };
        let late = early.tried(false, "500".to_owned(), (now.plus(LONGEST * 2), 0.5));
        assert_eq!(late.status, DeliveryStatus::Dead);
    }

    #[test]
    fn a_cloud_event_has_what_the_specification_asks_for() {
        let event = event();
        let shown = event.cloud_event();
        for (attribute, value) in [
            ("specversion", "1.0".to_owned()),
            ("id", event.id.to_string()),
            ("source", format!("/v1/segments/{}", event.segment_id)),
            ("type", "muster.user.created".to_owned()),
            ("subject", format!("users/{}", event.subject_id)),
            ("datacontenttype", "application/json".to_owned()),
        ] {
            assert_eq!(shown[attribute], value, "{attribute}");
        }
    }
}
