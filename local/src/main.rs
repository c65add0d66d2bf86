//! `cargo run -p local`: Muster on this machine.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use domain::PublicUrl;
use edge::{DeveloperRegistration, EXPORT_RETENTION_DAYS, TrustedProxyHops};
use local::{Options, System};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Muster on this machine, with nothing else to install: the API, and emulators of DynamoDB, S3 and Cognito.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// The port of the API; the emulators take the three after it.
    #[arg(long, default_value_t = 3000, value_parser = clap::value_parser!(u16).range(1..=65_532))]
    port: u16,
    /// The folder that keeps the data.
    #[arg(long, value_name = "DIR", default_value = ".local", conflicts_with = "ephemeral")]
    data: PathBuf,
    /// Keep nothing.
    #[arg(long)]
    ephemeral: bool,
    /// The code of every verification and recovery, instead of random ones.
    #[arg(long, value_name = "CODE")]
    fixed_code: Option<String>,
    /// Who may register developers: open (anybody) or account (master users).
    #[arg(long, value_name = "WHO", default_value = "open", value_parser = DeveloperRegistration::parse)]
    developer_registration: DeveloperRegistration,
    /// How many proxies in front of this machine are trusted to append to X-Forwarded-For.
    #[arg(long, value_name = "HOPS", default_value = "0", value_parser = TrustedProxyHops::parse)]
    trusted_proxy_hops: TrustedProxyHops,
    /// Where clients reach this machine, if not on its port; the path of the URL is a base path.
    #[arg(long, value_name = "URL", value_parser = PublicUrl::parse)]
    public_url: Option<PublicUrl>,
    /// For how many days the files of exports and the reports of imports are kept.
    #[arg(long, value_name = "DAYS", default_value_t = EXPORT_RETENTION_DAYS, value_parser = clap::value_parser!(u64).range(1..=30))]
    export_retention_days: u64,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let quiet = Targets::new()
        .with_default(LevelFilter::WARN)
        .with_target("edge", LevelFilter::INFO)
        .with_target("local", LevelFilter::INFO)
        // Tells of every request that it refuses, which is its work.
        .with_target("s3s", LevelFilter::OFF);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(false).compact();
    tracing_subscriber::registry().with(lines).with(quiet).init();
    let data = (!arguments.ephemeral).then_some(arguments.data);
    let options = Options {
        port: arguments.port,
        data: data.clone(),
        fixed_code: arguments.fixed_code,
        developer_registration: arguments.developer_registration,
        trusted_proxy_hops: arguments.trusted_proxy_hops,
        public_url: arguments.public_url,
        export_retention: Duration::from_secs(arguments.export_retention_days * 24 * 60 * 60),
        ..Options::default()
    };
    let started = match Signals::listen() {
        Ok(signals) => System::start(options).await.map(|system| (system, signals)),
        Err(error) => Err(local::Error::Start(error.to_string())),
    };
    let (system, signals) = match started {
        Ok(started) => started,
        Err(error) => {
            drop(writeln!(io::stderr(), "{error}"));
            return ExitCode::FAILURE;
        }
    };
    tell(&system, data);
    signals.come().await;
    say("Ending.");
    system.stop().await;
    ExitCode::SUCCESS
}

fn tell(system: &System, data: Option<PathBuf>) {
    let (url, endpoints) = (&system.url, &system.wiring.endpoints);
    let kept = data.map_or_else(|| "nowhere: all is gone at the end".to_owned(), |data| data.display().to_string());
    say("Muster is up.");
    say(&format!("  API       {url}"));
    say(&format!("  DynamoDB  {}  table {}", endpoints.dynamodb, system.wiring.table));
    say(&format!("  S3        {}", endpoints.s3));
    let (pool, client) = (&system.wiring.pool_id, &system.wiring.client_id);
    say(&format!("  Cognito   {}  pool {pool}, client {client}", endpoints.cognito));
    say(&format!("  Outbox    {url}/_local/outbox?to=ADDRESS"));
    say(&format!("  Data      {kept}"));
    say(&format!("End it with Ctrl-C. Begin here: {url}/docs"));
}

/// Prints a line. Whoever started the program may have stopped reading, which is no reason to end.
fn say(line: &str) {
    drop(writeln!(io::stdout(), "{line}"));
}

/// Ctrl-C and SIGTERM, listened for from the moment that this is made.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Until one of them comes.
    async fn come(mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
