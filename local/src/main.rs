//! `cargo run -p local`: Muster on this machine.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for a terminal")]

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use local::{Options, System};
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
    let options =
        Options { port: arguments.port, data: data.clone(), fixed_code: arguments.fixed_code, ..Options::default() };
    let system = match System::start(options).await {
        Ok(system) => system,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    tell(&system, data);
    ended().await;
    println!("Ending.");
    system.stop().await;
    ExitCode::SUCCESS
}

fn tell(system: &System, data: Option<PathBuf>) {
    let (url, endpoints) = (&system.url, &system.wiring.endpoints);
    let kept = data.map_or_else(|| "nowhere: all is gone at the end".to_owned(), |data| data.display().to_string());
    println!("Muster is up.");
    println!("  API       {url}");
    println!("  DynamoDB  {}  table {}", endpoints.dynamodb, system.wiring.table);
    println!("  S3        {}", endpoints.s3);
    println!("  Cognito   {}  pool {}, client {}", endpoints.cognito, system.wiring.pool_id, system.wiring.client_id);
    println!("  Outbox    {url}/_local/outbox?to=ADDRESS");
    println!("  Data      {kept}");
    println!("End it with Ctrl-C. Begin here: {url}/docs");
}

/// Until Ctrl-C, or SIGTERM.
async fn ended() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminated) => {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminated.recv() => {}
            }
        }
        Err(_) => drop(tokio::signal::ctrl_c().await),
    }
}
