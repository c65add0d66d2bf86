//! DynamoDB, S3 and Cognito on this machine.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
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
        let (there, new): (Vec<_>, Vec<_>) = data_files(data).into_iter().partition(|file| file.exists());
        check_data_files(&there)?;
        let opened = (|| Ok((files(data)?, table(data)?, users(data, &cognito_url, fixed_code, outbox)?)))();
        let (files, table, users) = opened.map_err(|error| {
            remove_empty(&new);
            explain(data, error)
        })?;
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

/// The files that hold all data, by their names in the folder.
const DATA_FILES: [&str; 3] = ["dynamodb.sqlite", "cognito.sqlite", "s3/metadata.sqlite"];

fn data_files(data: Option<&Path>) -> Vec<PathBuf> {
    data.into_iter().flat_map(|folder| DATA_FILES.map(|name| folder.join(name))).collect()
}

/// Checks that each file can be read and written, and is not empty: `SQLite` takes an empty file for a new database.
fn check_data_files(there: &[PathBuf]) -> Result<(), Error> {
    for file in there {
        let name = file.display().to_string();
        let opened = fs::OpenOptions::new().read(true).write(true).open(file);
        let length = opened.and_then(|file| file.metadata()).map(|about| about.len());
        if length.map_err(|cause| Error::File { file: name.clone(), cause })? == 0 {
            return Err(Error::Data(format!("{name} is damaged (it is empty)")));
        }
    }
    Ok(())
}

/// Removes files that this start has created and not written.
fn remove_empty(new: &[PathBuf]) {
    for file in new.iter().filter(|file| file.metadata().is_ok_and(|about| about.len() == 0)) {
        drop(fs::remove_file(file));
    }
}

/// The space that a start needs at the most, in bytes.
const SPACE: usize = 1024 * 1024;

/// Says that the disk is full, where it is: then `SQLite` fails in other words.
fn explain(data: Option<&Path>, error: Error) -> Error {
    let Some(folder) = data else { return error };
    let probe = folder.join(".space");
    let written = fs::write(&probe, vec![0; SPACE]);
    // Removed even where only a part of it was written.
    drop(fs::remove_file(&probe));
    match written {
        Err(cause) if cause.kind() == ErrorKind::StorageFull => Error::Full(folder.display().to_string()),
        Err(_) | Ok(()) => error,
    }
}

fn table(data: Option<&Path>) -> Result<Database, Error> {
    let Some(folder) = data else {
        return stream::in_memory().map_err(|error| Error::Start(error.to_string()));
    };
    let file = folder.join(DATA_FILES[0]);
    stream::on_disk(&file).map_err(|error| Error::Data(format!("{} is damaged ({error})", file.display())))
}

fn users(data: Option<&Path>, url: &str, fixed_code: Option<String>, outbox: Outbox) -> Result<Cognito, Error> {
    let options = local_cognito::Options {
        data: data.map(|folder| folder.join(DATA_FILES[1])),
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

/// The pause between two looks for expired items, each of which reads the whole table. DynamoDB takes up to two days.
const EXPIRE_EVERY: Duration = Duration::from_secs(10 * 60);

/// DynamoDB erases what is over by itself.
async fn expire(table: Database) {
    let mut ticks = tokio::time::interval(EXPIRE_EVERY);
    loop {
        ticks.tick().await;
        let table = table.clone();
        let swept = tokio::task::spawn_blocking(move || table.sweep_ttl()).await;
        if let Ok(Err(error)) = swept {
            tracing::warn!(%error, "expired items could not be erased; tried again in ten minutes");
        }
    }
}
