//! How fast an import and an export are on one machine, and how much memory they take.
//!
//! The emulators run in this process and keep their data on disk; the steps run in a process of their own, so that its
//! memory is theirs alone.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for a terminal")]

use std::fmt::Write as _;
use std::io::Read as _;
use std::process::{ExitCode, Stdio};
use std::time::Duration;

use clap::Parser;
use domain::Time;
use local::{Endpoints, Functions, Options, System, Wiring};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};

/// What goes wrong here, in words for whoever runs the program.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Measures an import and an export.
#[derive(Debug, Parser)]
struct Arguments {
    /// How many rows the file has.
    #[arg(long, default_value_t = 100_000)]
    rows: usize,
    /// How many times to kill the process that does it, each time some seconds after it has begun or gone on.
    #[arg(long, default_value_t = 0)]
    kills: u64,
    /// Does what is to be done, over the emulators that the standard input names: the process that is measured.
    #[arg(long, hide = true)]
    worker: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = if arguments.worker { worker().await } else { measure(arguments.rows, arguments.kills).await };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

async fn measure(rows: usize, kills: u64) -> Result<(), Failure> {
    let data = tempfile::tempdir()?;
    let hour = Duration::from_secs(3600);
    let data = Some(data.path().to_owned());
    let system = System::start(Options { data, transfer_every: hour, reconcile_every: hour, ..Options::default() });
    let mut client = Client::of(system.await?).await?;
    let file = table(rows)?;
    let (bytes, upload) = (file.len(), client.upload(file).await?);
    let import = json!({ "upload_id": upload, "format": "csv" });
    let (import, millis, memory) = client.done("imports", import, kills).await?;
    println!("{}", line("import", at(&import, "created"), (bytes, millis, memory)));
    let (export, millis, memory) = client.done("exports", json!({ "format": "csv" }), 0).await?;
    let bytes = at(&export, "size").as_u64().and_then(|size| usize::try_from(size).ok()).unwrap_or_default();
    println!("{}", line("export", at(&export, "written_rows"), (bytes, millis, memory)));
    let all = [at(&import, "created"), at(&export, "written_rows")];
    if all.iter().any(|count| count.as_u64() != u64::try_from(rows).ok()) {
        return Err(format!("not all rows are there: {import} {export}").into());
    }
    Ok(())
}

fn line(what: &str, rows: &Value, (bytes, millis, memory): (usize, i64, u64)) -> String {
    let rate = rows.as_i64().unwrap_or_default().saturating_mul(1000) / millis.max(1);
    let (kib, seconds) = (bytes / 1024, millis / 1000);
    format!("{what}: {rows} rows, {kib} KiB, {seconds} s, {rate} rows a second, at most {memory} KiB of memory")
}

/// A table of users, each with what most have.
fn table(rows: usize) -> Result<String, Failure> {
    let mut table = "email,reference_id,name,last_name,phone,identification.type,identification.value\n".to_owned();
    for nth in 0..rows {
        writeln!(table, "user{nth}@example.com,r{nth},Name {nth},Last {},+52155{nth:08},DOCUMENT,P{nth}", nth % 500)?;
    }
    Ok(table)
}

/// Who imports.
const EMAIL: &str = "ana@example.com";
/// Its password.
const PASSWORD: &str = "correct horse battery";

/// A master user of a running system, with a segment.
struct Client {
    system: System,
    http: reqwest::Client,
    token: String,
    segment: String,
}

impl Client {
    async fn of(system: System) -> Result<Self, Failure> {
        let http = reqwest::Client::new();
        let mut client = Self { system, http, token: String::new(), segment: String::new() };
        let user = json!({ "email": EMAIL, "name": "Ana", "password": PASSWORD });
        let user = client.post("/v1/users", user).await?;
        let sent = client.system.outbox.to(None);
        let code = sent.last().and_then(|sent| sent.code.clone()).ok_or("no code was sent")?;
        let path = format!("/v1/users/{}/verification", text(at(&user, "id"))?);
        client.token = text(at(&client.post(&path, json!({ "code": code })).await?, "access_token"))?;
        client.segment = text(at(&client.post("/v1/segments", json!({ "name": "Imported" })).await?, "id"))?;
        Ok(client)
    }

    async fn upload(&self, file: String) -> Result<Value, Failure> {
        let body = json!({
            "segment_id": self.segment, "filename": "a.csv", "content_type": "text/csv", "size": file.len()
        });
        let begun = self.post("/v1/uploads", body).await?;
        let put = self.http.put(text(at(&begun, "url"))?).header("content-type", "text/csv").body(file);
        put.send().await?.error_for_status()?;
        let path = format!("/v1/uploads/{}", text(at(&begun, "id"))?);
        while at(&self.get(&path).await?, "status") == "PENDING" {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(at(&begun, "id").clone())
    }

    /// Begins an import or export and has it done, by a process that is killed so many times: it, how many milliseconds
    /// that took, and the most KiB.
    async fn done(&mut self, kind: &str, body: Value, kills: u64) -> Result<(Value, i64, u64), Failure> {
        let path = format!("/v1/segments/{}/{kind}", self.segment);
        let begun = self.post(&path, body).await?;
        let wiring = told(&self.system.wiring).to_string();
        let began = Time::now();
        for nth in 1..=kills {
            let mut child = worker_of(&wiring).await?;
            tokio::time::sleep(Duration::from_millis(1500 + 3000 * nth % 10_000)).await;
            child.kill().await?;
            println!("killed for the {nth}. time after {} s", (Time::now().millis() - began.millis()) / 1000);
        }
        let output = worker_of(&wiring).await?.wait_with_output().await?;
        if !output.status.success() {
            return Err("the process that does it has failed; its last words stand above".into());
        }
        let millis = Time::now().millis() - began.millis();
        let memory = String::from_utf8(output.stdout)?.trim().parse()?;
        // The token of its beginning may be over by now.
        let login = json!({ "email": EMAIL, "password": PASSWORD });
        self.token = text(at(&self.post("/v1/auth/login", login).await?, "access_token"))?;
        let done = self.get(&format!("{path}/{}", text(at(&begun, "id"))?)).await?;
        if at(&done, "status") != "COMPLETED" {
            return Err(format!("it did not come to its end: {done}").into());
        }
        Ok((done, millis, memory))
    }

    async fn post(&self, path: &str, body: Value) -> Result<Value, Failure> {
        let url = format!("{}{path}", self.system.url);
        let call = self.http.post(url).bearer_auth(&self.token).header("content-type", "application/json");
        answered(call.body(body.to_string())).await
    }

    async fn get(&self, path: &str) -> Result<Value, Failure> {
        answered(self.http.get(format!("{}{path}", self.system.url)).bearer_auth(&self.token)).await
    }
}

async fn answered(call: reqwest::RequestBuilder) -> Result<Value, Failure> {
    let reply = call.send().await?;
    let (status, text) = (reply.status(), reply.text().await?);
    if status.is_success() { Ok(serde_json::from_str(&text)?) } else { Err(text.into()) }
}

/// A process that does all imports and exports over these emulators, and ends.
async fn worker_of(wiring: &str) -> Result<Child, Failure> {
    let mut child = Command::new(std::env::current_exe()?)
        .arg("--worker")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut stdin = child.stdin.take().ok_or("the worker has no input")?;
    stdin.write_all(wiring.as_bytes()).await?;
    Ok(child)
}

/// A field of an answer; null where it is not there.
fn at<'a>(value: &'a Value, name: &str) -> &'a Value {
    value.get(name).unwrap_or(&Value::Null)
}

fn text(value: &Value) -> Result<String, Failure> {
    Ok(value.as_str().ok_or("an answer has something else than text")?.to_owned())
}

fn told(wiring: &Wiring) -> Value {
    json!({
        "dynamodb": wiring.endpoints.dynamodb, "s3": wiring.endpoints.s3, "cognito": wiring.endpoints.cognito,
        "region": wiring.region, "key": wiring.credentials.0, "secret": wiring.credentials.1,
        "table": wiring.table, "bucket": wiring.bucket, "pool": wiring.pool_id, "client": wiring.client_id,
        "issuer": wiring.issuer
    })
}

/// Does all imports and exports, and tells the most memory that it took, in KiB.
async fn worker() -> Result<(), Failure> {
    let mut input = String::new();
    std::io::stdin().read_to_string(&mut input)?;
    let wiring: Value = serde_json::from_str(&input)?;
    let named = |name: &str| text(at(&wiring, name));
    let functions = Functions::connect(&Wiring {
        endpoints: Endpoints { dynamodb: named("dynamodb")?, s3: named("s3")?, cognito: named("cognito")?, ses: None },
        region: named("region")?,
        credentials: (named("key")?, named("secret")?),
        table: named("table")?,
        bucket: named("bucket")?,
        malware_scan: false,
        pool_id: named("pool")?,
        client_id: named("client")?,
        client_secret: None,
        issuer: named("issuer")?,
        sign_up: edge::SignUpMode::Open,
        developer_registration: edge::DeveloperRegistration::Open,
        rate_limit_factor: 1,
        export_retention: Duration::from_secs(7 * 24 * 3600),
        public_url: None,
        trusted_proxy_hops: edge::TrustedProxyHops::default(),
        function_timeout: edge::FUNCTION_TIMEOUT,
        interceptor: None,
    });
    functions.transfers().run(Time::now().plus(Duration::from_secs(24 * 3600))).await?;
    let status = std::fs::read_to_string("/proc/self/status")?;
    let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("/proc tells no VmHWM")?;
    println!("{}", most.trim().trim_end_matches(" kB"));
    Ok(())
}
