//! The emulators, the functions, and what runs beside them.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arrivals::Arrivals;
use aws_smithy_runtime_api::client::interceptors::SharedInterceptor;
use axum::Json;
use axum::http::StatusCode;
use axum::middleware::from_fn;
use axum::routing::post;
use domain::{PublicUrl, Time};
use edge::{DeveloperRegistration, EXPORT_RETENTION_DAYS, FUNCTION_TIMEOUT, SignUpMode, TrustedProxyHops};
use events::Bus;
use local_s3::OnCreated;
use notifications::Notifications;
use serde_json::json;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};
use transfers::Transfers;

use crate::emulators::{BUCKET, CLIENT_SECRET, CREDENTIALS, Emulators, POOL, REGION};
use crate::error::Error;
use crate::events::{Stream, deliver};
use crate::functions::{Functions, Wiring};
use crate::outbox::{Outbox, SES, Sent};
use crate::server::{listen, serve};

/// How to start the local system.
#[derive(Debug, Clone)]
pub struct Options {
    /// The port of the API; the emulators take the three after it. 0 takes any that are free.
    pub port: u16,
    /// The folder that keeps the data; nothing is kept without one.
    pub data: Option<PathBuf>,
    /// The code of every message.
    pub fixed_code: Option<String>,
    /// Who may sign up.
    pub sign_up: SignUpMode,
    /// Who may register developers.
    pub developer_registration: DeveloperRegistration,
    /// How many times the default rate limits; everybody on this machine comes from one address.
    pub rate_limit_factor: u64,
    /// Whether files wait for a malware scan.
    pub malware_scan: bool,
    /// For how long the files of exports and the reports of imports are kept.
    pub export_retention: Duration,
    /// How many proxies in front of the API are trusted.
    pub trusted_proxy_hops: TrustedProxyHops,
    /// Where clients reach the API, if not on this machine's port.
    pub public_url: Option<PublicUrl>,
    /// How long a function may run.
    pub function_timeout: Duration,
    /// How often to look for what a crash has cut off.
    pub reconcile_every: Duration,
    /// How often to look for imports and exports that are to be done, and notifications that are to be sent.
    pub transfer_every: Duration,
    /// How often to look for events that are to be sent.
    pub stream_every: Duration,
    /// How often to look for deliveries that are to be tried again.
    pub deliver_every: Duration,
    /// Sees each call to DynamoDB that a request makes.
    pub interceptor: Option<SharedInterceptor>,
    /// Whether notices go out, as in a deployment with `MailFrom`.
    pub sends_mail: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 0,
            data: None,
            fixed_code: None,
            sign_up: SignUpMode::Open,
            developer_registration: DeveloperRegistration::Open,
            rate_limit_factor: 1000,
            malware_scan: false,
            export_retention: Duration::from_secs(EXPORT_RETENTION_DAYS * 24 * 60 * 60),
            trusted_proxy_hops: TrustedProxyHops::default(),
            public_url: None,
            function_timeout: FUNCTION_TIMEOUT,
            reconcile_every: Duration::from_secs(2),
            transfer_every: Duration::from_millis(500),
            stream_every: Duration::from_millis(100),
            deliver_every: Duration::from_secs(1),
            interceptor: None,
            sends_mail: true,
        }
    }
}

/// The local system, running. It ends when it is dropped, or better by [`System::stop`].
pub struct System {
    /// Where the API answers.
    pub url: String,
    /// What the functions are connected to.
    pub wiring: Wiring,
    /// The emulators.
    pub emulators: Emulators,
    /// The functions.
    pub functions: Functions,
    /// What would have been sent.
    pub outbox: Outbox,
    stop: oneshot::Sender<()>,
    api: JoinHandle<()>,
    // Aborts what is in it when it is dropped.
    _tasks: JoinSet<()>,
}

impl System {
    /// Starts everything; once this is done, everything answers.
    ///
    /// # Errors
    /// [`Error`], in words for whoever started it.
    pub async fn start(options: Options) -> Result<Self, Error> {
        let (listener, url) = listen(options.port).await?;
        let (outbox, mut tasks) = (Outbox::default(), JoinSet::new());
        let first_port = if options.port == 0 { 0 } else { options.port.saturating_add(1) };
        let data = options.data.as_deref();
        let (emulators, bucket) =
            Emulators::start(&mut tasks, first_port, data, options.fixed_code.clone(), outbox.clone()).await?;
        let mut wiring = wiring(&emulators, &options, &url);
        // It answers where the outbox is read.
        wiring.endpoints.ses = options.sends_mail.then(|| format!("{url}{SES}"));
        let functions = Functions::connect(&wiring);
        functions.app.store.ensure_table().await.map_err(|error| Error::Start(told(&error)))?;
        functions.app.warm(true).await;
        connect_triggers(&emulators, &functions, options.fixed_code.clone());
        // What runs beside the requests has a client of its own: it is no cost of theirs. What checks a file is.
        let beside = Functions::connect(&Wiring { interceptor: None, ..wiring.clone() });
        bucket.open(&mut tasks, on_created(functions.arrivals()));
        tasks.spawn(transfer(beside.transfers(), options.transfer_every));
        tasks.spawn(notify(beside.notifications(outbox.sender()), options.transfer_every));
        let stream = Stream {
            database: emulators.database.clone(),
            table: wiring.table.clone(),
            reached: options.data.as_deref().map(|folder| folder.join("stream")),
        };
        let events = beside.events(shown(outbox.clone()));
        tasks.spawn(stream.follow(events.clone(), options.stream_every));
        tasks.spawn(deliver(events.clone(), options.deliver_every));
        tasks.spawn(reconcile(beside, options.reconcile_every));
        let (stop, stopped) = oneshot::channel::<()>();
        let of_machine = outbox.router().merge(rotation(events)).layer(from_fn(edge::secure));
        let router = functions.router().merge(of_machine);
        let api = tokio::spawn(async move {
            drop(serve(listener, router, async { drop(stopped.await) }).await);
        });
        Ok(Self { url, wiring, emulators, functions, outbox, stop, api, _tasks: tasks })
    }

    /// Answers what has begun, and ends.
    pub async fn stop(self) {
        drop(self.stop);
        // A client that keeps its connection open must not keep the system up.
        drop(tokio::time::timeout(Duration::from_secs(2), self.api).await);
    }
}

/// `POST /_local/secret-rotation`: the command that an operator gives the `events` function elsewhere.
fn rotation(events: events::Events) -> axum::Router {
    let rotate = async move || match events.handle(json!({ "command": "rotate_secret" }), Time::now()).await {
        Ok(answer) => (StatusCode::OK, Json(answer)),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "error": told(&error) }))),
    };
    axum::Router::new().route("/_local/secret-rotation", post(rotate))
}

fn wiring(emulators: &Emulators, options: &Options, url: &str) -> Wiring {
    Wiring {
        endpoints: emulators.endpoints.clone(),
        region: REGION.to_owned(),
        credentials: (CREDENTIALS.0.to_owned(), CREDENTIALS.1.to_owned()),
        table: "muster".to_owned(),
        bucket: BUCKET.to_owned(),
        malware_scan: options.malware_scan,
        pool_id: POOL.0.to_owned(),
        client_id: POOL.1.to_owned(),
        client_secret: Some(CLIENT_SECRET.to_owned()),
        issuer: format!("{}/{}", emulators.endpoints.cognito, POOL.0),
        sign_up: options.sign_up,
        developer_registration: options.developer_registration,
        rate_limit_factor: options.rate_limit_factor,
        export_retention: options.export_retention,
        public_url: options.public_url.clone().or_else(|| PublicUrl::parse(url).ok()),
        trusted_proxy_hops: options.trusted_proxy_hops,
        function_timeout: options.function_timeout,
        interceptor: options.interceptor.clone(),
    }
}

/// There is no EventBridge here: events are shown with all else that would go out.
fn shown(outbox: Outbox) -> Bus {
    Bus::Shown(Arc::new(move |event| {
        let (to, body) = (format!("/v1/segments/{}", event.segment_id), event.cloud_event().to_string());
        outbox.put(Sent { to, kind: "event".to_owned(), code: None, body, at: Time::now() });
    }))
}

/// Cognito calls the `challenge` function; with a fixed code, that is also the one of each recovery.
fn connect_triggers(emulators: &Emulators, functions: &Functions, fixed_code: Option<String>) {
    let store = functions.acting_as("Challenge").app.store;
    emulators.cognito.set_triggers(Arc::new(move |event| {
        let (store, fixed_code) = (store.clone(), fixed_code.clone());
        Box::pin(async move {
            let make_code = || fixed_code.clone().map_or_else(edge::random_code, Ok);
            challenge::answer(&store, &make_code, event).await.map_err(|error| told(&error))
        })
    }));
}

/// S3 calls the `arrivals` function, as often as it takes.
fn on_created(arrivals: Arrivals) -> OnCreated {
    Arc::new(move |event| {
        let arrivals = arrivals.clone();
        Box::pin(async move {
            while let Err(error) = arrivals.handle(event.clone()).await {
                tracing::warn!(cause = told(&error), "a file could not be checked; tried again");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        })
    })
}

/// The schedule that starts the `reconcile` function.
pub async fn reconcile(functions: Functions, every: Duration) {
    let functions = functions.acting_as("Reconcile");
    let mut ticks = tokio::time::interval(every);
    loop {
        ticks.tick().await;
        let (store, end) = (&functions.app.store, Time::now().plus(Duration::from_secs(60)));
        let swept = reconcile::sweep(store, &functions.identity).await;
        if let Err(error) = swept.and(reconcile::jobs::run((store, &functions.identity, &functions.files), end).await) {
            tracing::warn!(cause = told(&error), "reconciling failed; tried again");
        }
    }
}

/// What the state machine does elsewhere: imports and exports.
pub async fn transfer(transfers: Transfers, every: Duration) {
    let mut ticks = tokio::time::interval(every);
    loop {
        ticks.tick().await;
        if let Err(error) = transfers.run(Time::now().plus(Duration::from_secs(60))).await {
            tracing::warn!(cause = told(&error), "an import or export could not go on; tried again");
        }
    }
}

/// What the table's stream and schedules do elsewhere: send what is due.
pub async fn notify(notifications: Notifications, every: Duration) {
    let mut ticks = tokio::time::interval(every);
    loop {
        ticks.tick().await;
        if let Err(error) = notifications.run(Time::now().plus(Duration::from_secs(60))).await {
            tracing::warn!(cause = told(&error), "a notification could not be sent to all; tried again");
        }
    }
}

/// An error with its cause, which the developer of this machine may see.
fn told(error: &domain::Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), |cause| format!("{error} ({cause})"))
}
