//! Replays: events that are sent again.

use axum::extract::State;
use domain::webhook::{Delivery, RangeFields, ReplayFields};
use domain::{Error, Event, EventId, KeyScope, SegmentId, Time, Webhook, WebhookId};
use edge::{Answer, App, Begun, Body, Caller, MaybeBody, Path};
use serde_json::json;
use store::{From, Window};
use utoipa::ToSchema;

/// So many deliveries are begun by one request; it says where to go on.
const MOST: usize = 1_000;

/// So many events are looked at by one request, however few of them are wanted.
const LOOKED_AT: usize = 5_000;

/// What a replay has begun.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "the shape of the answer, for the OpenAPI document")]
pub(crate) struct Replayed {
    /// How many deliveries are going to be tried, within a minute.
    deliveries: u64,
    /// Where to go on, as `since` of another request, where one request is not enough.
    #[schema(required = true)]
    next_since: Option<Time>,
}

/// Sends an event again: to all webhooks that want it, or to the one that is named, whatever came of it before.
#[utoipa::path(post, path = "/v1/segments/{segment}/events/{event}/replay", tag = "events", operation_id = "replay_event",
    request_body = ReplayFields,
    responses((status = 202, description = "The event will be sent.", body = Replayed)))]
pub(crate) async fn one(
    State(app): State<App>,
    caller: Caller,
    Path((segment, event)): Path<(SegmentId, EventId)>,
    MaybeBody(fields): MaybeBody<ReplayFields>,
) -> Answer<Begun> {
    let (managed, event, webhooks) = tokio::join!(
        caller.segment(segment, KeyScope::Write),
        app.store.event(segment, event),
        app.store.webhooks(segment)
    );
    managed?;
    let event = event?;
    let named = fields.and_then(|fields| fields.webhook_id);
    let webhooks = receivers(webhooks?.into_iter().map(|record| record.webhook), named)?;
    let deliveries = deliveries(&event, &webhooks, named);
    begin(&app, &[&event], &deliveries).await?;
    Ok(Begun(json!({ "deliveries": deliveries.len(), "next_since": null })))
}

/// Sends the events of a time again, oldest first, to all webhooks that want each, or to the one that is named.
///
/// One request begins 1,000 deliveries at most, and looks at 5,000 events; where there are more, `next_since` says where to
/// go on.
#[utoipa::path(post, path = "/v1/segments/{segment}/events/replay", tag = "events", operation_id = "replay_events", request_body = RangeFields,
    responses((status = 202, description = "The events will be sent.", body = Replayed)))]
pub(crate) async fn range(
    State(app): State<App>,
    caller: Caller,
    Path(segment): Path<SegmentId>,
    Body(fields): Body<RangeFields>,
) -> Answer<Begun> {
    let (managed, webhooks) = tokio::join!(caller.segment(segment, KeyScope::Write), app.store.webhooks(segment));
    managed?;
    let webhooks = receivers(webhooks?.into_iter().map(|record| record.webhook), fields.webhook_id)?;
    if webhooks.is_empty() {
        return Ok(Begun(json!({ "deliveries": 0, "next_since": null })));
    }
    let id = |time: Time| EventId::from(time.first_id()).to_string();
    let ids = (Some(id(fields.since)), fields.until.map(id));
    let mut window = Window { size: 100, from: From::Offset(0), descending: false, filters: Vec::new(), ids };
    let (mut begun, mut looked_at, mut next_since) = (0, 0, None);
    while next_since.is_none() {
        let page = app.store.events(segment, &window).await?;
        let (mut some, mut events) = (Vec::new(), Vec::new());
        for event in &page.rows {
            let more = deliveries(event, &webhooks, fields.webhook_id);
            if begun + some.len() + more.len() > MOST {
                next_since = Some(Time::of(event.id.uuid()));
                break;
            }
            some.extend(more);
            events.push(event);
        }
        begin(&app, &events, &some).await?;
        begun += some.len();
        match page.rows.last() {
            Some(last) if page.more_after && next_since.is_none() => {
                looked_at += page.rows.len();
                next_since = (looked_at >= LOOKED_AT).then(|| Time::of(last.id.uuid()));
                window.from = From::After(last.id.to_string());
            }
            Some(_) | None => break,
        }
    }
    Ok(Begun(json!({ "deliveries": begun, "next_since": next_since })))
}

/// Begins deliveries of these events: none of them has failed any more.
async fn begin(app: &App, events: &[&Event], deliveries: &[Delivery]) -> Result<(), Error> {
    for event in events.iter().filter(|event| event.delivery.is_some()) {
        app.store.mark_event(event.segment_id, event.id, false).await?;
    }
    app.store.note_deliveries(deliveries).await
}

/// The webhooks that events may be sent to, or the one that is named.
fn receivers(all: impl Iterator<Item = Webhook>, named: Option<WebhookId>) -> Result<Vec<Webhook>, Error> {
    let active: Vec<_> = all.filter(Webhook::is_active).collect();
    let Some(named) = named else { return Ok(active) };
    let one: Vec<_> = active.into_iter().filter(|webhook| webhook.id == named).collect();
    if one.is_empty() {
        let message = "must be the id of a webhook of this segment that is ACTIVE";
        return Err(Error::invalid("/webhook_id", "unknown", message));
    }
    Ok(one)
}

/// The deliveries of an event: to the one webhook that is named, or to each that wants it.
fn deliveries(event: &Event, webhooks: &[Webhook], named: Option<WebhookId>) -> Vec<Delivery> {
    let wanting = webhooks.iter().filter(|webhook| named.is_some() || webhook.wants(event));
    wanting.map(|webhook| Delivery::new(event, webhook.id, Time::now())).collect()
}
