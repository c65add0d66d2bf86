//! DynamoDB, S3 and Cognito on this machine.

use std::fs;
use std::path::Path;
use std::time::Duration;

use domain::Time;
use dynoxide::Database;
use local_cognito::{Cognito, Message};
use local_s3::{CorsRule, LocalS3, OnCreated};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::error::Error;
use crate::functions::Endpoints;
use crate::outbox::{Outbox, Sent};
use crate::server::{self, listen};
use crate::stream;

/// The region of everything local.
pub(crate) const REGION: &str = "us-east-1";
/// The credentials that the local S3 accepts.
pub(crate) const CREDENTIALS: (&str, &str) = ("local", "local-secret");
/// The local bucket.
pub(crate) const BUCKET: &str = "muster-local";
/// The local user pool and its client.
pub(crate) const POOL: (&str, &str) = ("local_muster", "local");
/// The client's secret, as `local.env` has it.
pub(crate) const CLIENT_SECRET: &str = "local_client_secret";

/// The emulators, running.
#[derive(Clone)]
pub struct Emulators {
    /// Where they answer.
    pub endpoints: Endpoints,
    /// The pool, for tests that turn its clock.
    pub cognito: Cognito,
    /// The table, whose stream is read.
    pub(crate) database: Database,
}

/// S3, which does not answer yet: nothing may arrive before somebody is there to be told.
pub(crate) struct Bucket {
    files: LocalS3,
    listener: TcpListener,
}

impl Bucket {
    /// Answers from now on, and tells `on_created` of each object that arrives, or had arrived untold.
    pub(crate) fn open(self, tasks: &mut JoinSet<()>, on_created: OnCreated) {
        self.files.on_created(on_created);
        tasks.spawn(self.files.serve(self.listener));
    }
}

impl Emulators {
    /// Starts the three, on the three ports from `first_port` on, or on any if that is 0; S3 once its bucket is opened.
    /// With `data` they keep what they are told.
    pub(crate) async fn start(
        tasks: &mut JoinSet<()>,
        first_port: u16,
        data: Option<&Path>,
        fixed_code: Option<String>,
        outbox: Outbox,
    ) -> Result<(Self, Bucket), Error> {
        if let Some(folder) = data {
            writable(folder)?;
        }
        let port = |nth: u16| if first_port == 0 { 0 } else { first_port + nth };
        let (dynamodb, dynamodb_url) = listen(port(0)).await?;
        let (listener, s3_url) = listen(port(1)).await?;
        let (cognito, cognito_url) = listen(port(2)).await?;
        let files = files(data)?;
        let table = table(data)?;
        let users = users(data, &cognito_url, fixed_code, outbox)?;
        tasks.spawn(expire(table.clone()));
        let database = table.clone();
        tasks.spawn(async move {
            drop(dynoxide::server::serve_with_shutdown(dynamodb, table, std::future::pending()).await)
        });
        tasks.spawn(serve_cognito(cognito, users.clone()));
        let endpoints = Endpoints { dynamodb: dynamodb_url, s3: s3_url, cognito: cognito_url, ses: None };
        Ok((Self { endpoints, cognito: users, database }, Bucket { files, listener }))
    }
}

fn writable(folder: &Path) -> Result<(), Error> {
    let failed = |cause| Error::Folder { folder: folder.display().to_string(), cause };
    fs::create_dir_all(folder).map_err(failed)?;
    let probe = folder.join(".writable");
    fs::write(&probe, b"").and_then(|()| fs::remove_file(&probe)).map_err(failed)
}

fn table(data: Option<&Path>) -> Result<Database, Error> {
    let Some(folder) = data else {
        return stream::in_memory().map_err(|error| Error::Start(error.to_string()));
    };
    let file = folder.join("dynamodb.sqlite");
    stream::on_disk(&file).map_err(|error| Error::Data(format!("{} is damaged ({error})", file.display())))
}

fn users(data: Option<&Path>, url: &str, fixed_code: Option<String>, outbox: Outbox) -> Result<Cognito, Error> {
    let options = local_cognito::Options {
        data: data.map(|folder| folder.join("cognito.sqlite")),
        issuer_base: url.to_owned(),
        fixed_code,
        region: REGION.to_owned(),
    };
    let deliver = std::sync::Arc::new(move |message: Message| {
        let Message { to, kind, code, body } = message;
        tracing::info!(target: "local::outbox", to, kind, code, "would be sent");
        outbox.put(Sent { to, kind, code, body, at: Time::now() });
    });
    let cognito = Cognito::open(options, deliver).map_err(|error| Error::Data(error.to_string()))?;
    cognito.ensure_pool(POOL.0, POOL.1, Some(CLIENT_SECRET)).map_err(|error| Error::Start(error.to_string()))?;
    Ok(cognito)
}

fn files(data: Option<&Path>) -> Result<LocalS3, Error> {
    let options = local_s3::Options {
        data: data.map(|folder| folder.join("s3")),
        access_key: CREDENTIALS.0.to_owned(),
        secret_key: CREDENTIALS.1.to_owned(),
        region: REGION.to_owned(),
    };
    let files = LocalS3::open(options).map_err(|error| match error {
        local_s3::Error::InUse { .. } => Error::InUse(error.to_string()),
        local_s3::Error::Damaged { .. } | local_s3::Error::Io { .. } | local_s3::Error::Bucket { .. } => {
            Error::Data(error.to_string())
        }
    })?;
    let anybody = CorsRule {
        allowed_origins: vec!["*".to_owned()],
        allowed_methods: ["GET", "PUT", "HEAD"].map(str::to_owned).into(),
        allowed_headers: vec!["*".to_owned()],
        expose_headers: vec!["ETag".to_owned()],
        ..CorsRule::default()
    };
    let bucket = files.ensure_bucket(BUCKET).and_then(|()| files.set_cors(BUCKET, &[anybody]));
    bucket.map_err(|error| Error::Start(error.to_string()))?;
    Ok(files)
}

async fn serve_cognito(listener: TcpListener, cognito: Cognito) {
    drop(server::serve(listener, cognito.router(), std::future::pending()).await);
}

/// DynamoDB erases what is over by itself.
async fn expire(table: Database) {
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    loop {
        ticks.tick().await;
        let table = table.clone();
        let swept = tokio::task::spawn_blocking(move || table.sweep_ttl()).await;
        if let Ok(Err(error)) = swept {
            tracing::warn!(%error, "expired items could not be erased; tried again in a second");
        }
    }
}
