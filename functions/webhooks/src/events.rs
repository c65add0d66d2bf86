//! Events: that something has changed, in which fields, and by whom; never what it is now.

use axum::extract::State;
use domain::event::DeliveryOutcome;
use domain::{Delivery, Event, EventId, KeyScope, Object, SegmentId};
use edge::{Answer, App, Caller, FilterKind, IfNoneMatch, List, ListSpec, Listed, Path, Shown, openapi};
use serde_json::Value;
use store::COUNTED;
use store::search::Found;
use utoipa::openapi::schema::ArrayBuilder;
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// How events are listed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Events;

impl ListSpec for Events {
    const SORTS: &'static [&'static str] = &["id", "created_at"];
    const DEFAULT_SORT: &'static str = "-id";
    const FILTERS: &'static [(&'static str, FilterKind)] = &[
        ("type", FilterKind::Word),
        ("subject_id", FilterKind::Word),
        ("created_at", FilterKind::Made),
        ("delivery", FilterKind::Choice(DeliveryOutcome::NAMES)),
    ];
}

// The document's macro takes no generic types, but names of them.
type EventList = openapi::ListOf<Event>;

/// Lists the events of a segment, of the last 30 days, newest first.
///
/// They are counted as far as 1,000; `filter[type]=muster.user.*` finds all types that begin so, and
/// `filter[delivery]=failed` what a webhook has not taken, however often it was tried. Whoever has to miss none
/// takes a webhook, or reads the changes of users: an event may come to stand before one that has been read.
#[utoipa::path(get, path = "/v1/segments/{segment}/events", tag = "events", params(List<Events>),
    responses((status = 200, description = "A page of events.", body = EventList)))]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(segment): Path<SegmentId>,
    list: List<Events>,
) -> Answer<Listed> {
    let window = list.window();
    let known = list.search().total;
    let counted = async {
        match known {
            Some((total, _)) => Ok(total),
            None => app.store.count_events(segment, &window).await,
        }
    };
    let (managed, page, total) =
        tokio::join!(caller.segment(segment, KeyScope::Read), app.store.events(segment, &window), counted);
    managed?;
    let (page, total) = (page?, total?);
    let positions = page.rows.iter().map(|event| event.id.to_string()).collect();
    let (rows, more_after, more_before) = (page.rows, page.more_after, page.more_before);
    let found = Found { rows, positions, more_after, more_before, total, capped: total >= COUNTED };
    Ok(list.found(&app, found).await?)
}

/// An event with what has come of sending it.
pub(crate) struct SentEvent {
    event: Event,
    deliveries: Vec<Delivery>,
}

impl Object for SentEvent {
    /// The event stays as it is; its deliveries get on.
    fn version(&self) -> u64 {
        let changed = self.deliveries.iter().map(|delivery| delivery.updated_at.millis());
        changed.max().and_then(|millis| u64::try_from(millis).ok()).unwrap_or(1)
    }

    fn show(&self) -> Value {
        let mut shown = self.event.show();
        if let Some(fields) = shown.as_object_mut() {
            fields.insert("deliveries".to_owned(), self.deliveries.iter().map(Delivery::show).collect());
        }
        shown
    }
}

impl PartialSchema for SentEvent {
    fn schema() -> RefOr<Schema> {
        let about = "Progress of the event to each webhook.";
        let deliveries = ArrayBuilder::new().items(Ref::from_schema_name("Delivery")).description(Some(about));
        openapi::with(Event::schema(), "deliveries", RefOr::T(Schema::Array(deliveries.build())))
    }
}

impl ToSchema for SentEvent {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push(("Delivery".to_owned(), Delivery::schema()));
        Event::schemas(schemas);
        Delivery::schemas(schemas);
    }
}

/// Reads an event, with what has come of sending it to each webhook.
#[utoipa::path(get, path = "/v1/segments/{segment}/events/{event}", tag = "events",
    responses((status = 200, description = "The event.", body = SentEvent)))]
pub(crate) async fn read(
    State(app): State<App>,
    caller: Caller,
    Path((segment, event)): Path<(SegmentId, EventId)>,
    has: IfNoneMatch,
) -> Answer<Shown> {
    let (managed, found, deliveries) = tokio::join!(
        caller.segment(segment, KeyScope::Read),
        app.store.event(segment, event),
        app.store.deliveries(event)
    );
    managed?;
    Ok(Shown::unless(&has, &SentEvent { event: found?, deliveries: deliveries? }))
}
