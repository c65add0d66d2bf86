//! The functions in a process of their own, which is killed in the middle of a request.

use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use local::{Endpoints, Functions, Wiring};
use serde_json::{Value, json};
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, Command};

use crate::faults::{Phase, Plan, Verdict, wiring_behind};
use crate::system::Muster;

/// The child: the functions alone, in a process that can be killed. It is a test so that the test's own binary can
/// be started as one.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "not a test: the process that the crash tests start and kill"]
async fn the_functions_as_a_process() {
    #[expect(clippy::disallowed_methods, reason = "how the parent tells where the emulators are")]
    let Ok(wiring) = std::env::var("MUSTER_CRASH_WIRING") else { return };
    edge::init_logs();
    let wiring: Value = serde_json::from_str(&wiring).unwrap();
    let text = |name: &str| wiring[name].as_str().unwrap().to_owned();
    let functions = Functions::connect(&Wiring {
        endpoints: Endpoints {
            dynamodb: text("dynamodb"),
            s3: text("s3"),
            cognito: text("cognito"),
            ses: wiring["ses"].as_str().map(str::to_owned),
        },
        region: text("region"),
        credentials: (text("key"), text("secret")),
        table: text("table"),
        bucket: text("bucket"),
        malware_scan: false,
        pool_id: text("pool"),
        client_id: text("client"),
        client_secret: wiring["client_secret"].as_str().map(str::to_owned),
        issuer: text("issuer"),
        sign_up: if wiring["first"] == true { edge::SignUpMode::First } else { edge::SignUpMode::Open },
        developer_registration: edge::DeveloperRegistration::Open,
        rate_limit_factor: 1000,
        export_retention: Duration::from_secs(7 * 24 * 3600),
        public_url: None,
        trusted_proxy_hops: edge::TrustedProxyHops::default(),
        function_timeout: edge::FUNCTION_TIMEOUT,
        interceptor: None,
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    eprintln!("LISTENING http://{}", listener.local_addr().unwrap());
    // Ends by itself, should its parent be gone.
    let end = tokio::time::sleep(Duration::from_secs(60));
    local::serve(listener, functions.router(), end).await.unwrap();
}

/// Starts the child over these emulators: it, its URL, and all that it prints.
pub(crate) async fn child(wiring: &Wiring) -> (Child, String, Printed) {
    let told = json!({
        "dynamodb": wiring.endpoints.dynamodb, "s3": wiring.endpoints.s3, "cognito": wiring.endpoints.cognito, "ses": wiring.endpoints.ses,
        "region": wiring.region, "key": wiring.credentials.0, "secret": wiring.credentials.1, "table": wiring.table, "bucket": wiring.bucket,
        "pool": wiring.pool_id, "client": wiring.client_id,
        "client_secret": wiring.client_secret, "issuer": wiring.issuer, "first": wiring.sign_up == edge::SignUpMode::First,
    });
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["killed::the_functions_as_a_process", "--exact", "--ignored", "--nocapture"])
        .env("MUSTER_CRASH_WIRING", told.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let url = loop {
        let line = lines.next_line().await.unwrap().unwrap();
        if let Some((_, url)) = line.split_once("LISTENING ") {
            break url.to_owned();
        }
    };
    let printed = Printed::default();
    let (errors, logs) = (printed.clone(), printed.clone());
    tokio::spawn(async move { errors.keep(lines).await });
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    tokio::spawn(async move { logs.keep(lines).await });
    (child, url, printed)
}

/// What a process has printed.
#[derive(Clone, Default)]
pub(crate) struct Printed(Arc<Mutex<String>>);

impl Printed {
    async fn keep(&self, mut lines: Lines<impl AsyncBufRead + Unpin>) {
        while let Ok(Some(line)) = lines.next_line().await {
            let mut text = self.0.lock().unwrap();
            text.push_str(&line);
            text.push('\n');
        }
    }

    pub(crate) fn text(&self) -> String {
        self.0.lock().unwrap().clone()
    }
}

/// Sends the request to a child that is killed at the `nth` call: whether it was, or else the answer's status.
pub(crate) async fn cut_off(muster: &Muster, (nth, phase): (usize, Phase), request: &Request<'_>) -> Result<(), u16> {
    let victim: Arc<Mutex<Option<Child>>> = Arc::default();
    let prey = victim.clone();
    let plan: Plan = Arc::new(move |_, number, at| {
        if (number, at) != (nth, phase) {
            return Verdict::Pass;
        }
        if let Some(child) = prey.lock().unwrap().as_mut() {
            child.start_kill().unwrap();
        }
        Verdict::Silence
    });
    let wiring = wiring_behind(muster, plan).await;
    let (child, url, _) = child(&wiring).await;
    *victim.lock().unwrap() = Some(child);
    let (method, path, body, token) = request;
    let (path, key) = path.split_once('#').map_or((*path, None), |(path, key)| (path, Some(key)));
    let mut call = reqwest::Client::new().request(method.parse().unwrap(), format!("{url}{path}"));
    if let Some(token) = token {
        call = call.bearer_auth(token);
    }
    if !body.is_null() {
        call = call.header("content-type", "application/json").body(body.to_string());
    }
    if let Some(key) = key {
        call = call.header("idempotency-key", key);
    }
    let answered = call.send().await.map(|reply| reply.status().as_u16());
    let child = victim.lock().unwrap().take();
    if let Some(mut child) = child {
        child.kill().await.unwrap();
    }
    answered.map_or(Ok(()), Err)
}

/// Method, path (behind a `#` an `Idempotency-Key`), body, token.
pub(crate) type Request<'a> = (&'a str, &'a str, Value, Option<&'a str>);

/// Every point at which a request can be cut off, as long as there is one more call to cut off at.
pub(crate) fn points() -> impl Iterator<Item = (usize, Phase)> {
    (0..40).flat_map(|nth| [(nth, Phase::Before), (nth, Phase::After)])
}
