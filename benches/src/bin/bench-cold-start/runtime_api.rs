//! Lambda's runtime API for one process, on loopback: it hands out events, and writes down when what happened.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use benches::Failure;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

/// The API, as the one who starts the process sees it.
pub(crate) struct RuntimeApi {
    /// Where it answers, for `AWS_LAMBDA_RUNTIME_API`.
    pub(crate) address: String,
    events: UnboundedSender<String>,
    steps: UnboundedReceiver<Step>,
    // Aborts what is in it when it is dropped.
    _server: JoinSet<()>,
}

/// What the process does.
enum Step {
    /// It asks for an event.
    Asks(Instant),
    /// It gets the event.
    Gets(Instant),
    /// It has answered the event.
    Answers(Instant, Bytes),
    /// It has failed.
    Fails(Bytes),
}

/// The API, as the process sees it.
#[derive(Clone)]
struct Shared {
    events: Arc<Mutex<UnboundedReceiver<String>>>,
    steps: UnboundedSender<Step>,
}

/// A process that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(20);

impl RuntimeApi {
    /// Serves it on any free port.
    pub(crate) async fn serve() -> Result<Self, Failure> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?.to_string();
        let ((events, to_hand_out), (written, steps)) = (unbounded_channel(), unbounded_channel());
        let shared = Shared { events: Arc::new(Mutex::new(to_hand_out)), steps: written };
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
            .route("/2018-06-01/runtime/init/error", post(error))
            .with_state(shared);
        let mut server = JoinSet::new();
        server.spawn(async move { drop(axum::serve(listener, router).await) });
        Ok(Self { address, events, steps, _server: server })
    }

    /// When the process asks for an event: it has started.
    pub(crate) async fn asked(&mut self) -> Result<Instant, Failure> {
        match self.step().await? {
            Step::Asks(at) => Ok(at),
            Step::Gets(_) | Step::Answers(..) | Step::Fails(_) => Err("It must ask for an event first.".into()),
        }
    }

    /// Hands out an event; how long the answer takes, and the answer.
    pub(crate) async fn invoke(&mut self, event: &Value) -> Result<(Duration, Value), Failure> {
        self.events.send(event.to_string())?;
        let Step::Gets(got) = self.step().await? else {
            return Err("It must take the event that it has asked for.".into());
        };
        match self.step().await? {
            Step::Answers(at, answer) => Ok((at.duration_since(got), serde_json::from_slice(&answer)?)),
            Step::Asks(_) | Step::Gets(_) | Step::Fails(_) => Err("It must answer an event before the next.".into()),
        }
    }

    async fn step(&mut self) -> Result<Step, Failure> {
        match tokio::time::timeout(PATIENCE, self.steps.recv()).await {
            Ok(Some(Step::Fails(why))) => Err(String::from_utf8_lossy(&why).into()),
            Ok(Some(step)) => Ok(step),
            Ok(None) => Err("The runtime API has ended.".into()),
            Err(_) => Err(format!("It does nothing for {} seconds.", PATIENCE.as_secs()).into()),
        }
    }
}

/// `GET …/next`: waits for an event.
async fn next(State(shared): State<Shared>) -> Response {
    drop(shared.steps.send(Step::Asks(now())));
    let Some(event) = shared.events.lock().await.recv().await else {
        return StatusCode::GONE.into_response();
    };
    let headers = [
        ("lambda-runtime-aws-request-id", "6bc28136-46c5-4c4c-8a2a-5e9f5b1b8a3e"),
        // Far away: in the year 2100.
        ("lambda-runtime-deadline-ms", "4102444800000"),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:123456789012:function:measured"),
        ("lambda-runtime-trace-id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0"),
    ];
    let answer = (headers.map(|(name, value)| (HeaderName::from_static(name), value)), event).into_response();
    drop(shared.steps.send(Step::Gets(now())));
    answer
}

/// `POST …/response`.
async fn response(State(shared): State<Shared>, answer: Bytes) -> StatusCode {
    drop(shared.steps.send(Step::Answers(now(), answer)));
    StatusCode::ACCEPTED
}

/// `POST …/error`.
async fn error(State(shared): State<Shared>, why: Bytes) -> StatusCode {
    drop(shared.steps.send(Step::Fails(why)));
    StatusCode::ACCEPTED
}

/// Now.
#[expect(clippy::disallowed_methods, reason = "to measure time is what this program is for")]
pub(crate) fn now() -> Instant {
    Instant::now()
}
