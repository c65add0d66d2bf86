//! The whole onboarding process, as a client of the API goes through it: read `flow.rs`.

use std::process::ExitCode;

use clap::Parser;

mod client;
mod data;
mod flow;

use client::{Failure, Muster, say};
use local::{Options, System};

/// Goes through the onboarding process, with made-up data.
#[derive(Debug, Parser)]
struct Arguments {
    /// Where Muster answers, as `cargo run -p local` tells it; without it, one is started that keeps nothing.
    #[arg(long)]
    url: Option<String>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            say("Failed", failure);
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Failure> {
    if let Some(url) = arguments.url {
        return flow::onboard(Muster::at(&url)).await;
    }
    let system = System::start(Options::default()).await?;
    let done = flow::onboard(Muster::at(&system.url)).await;
    system.stop().await;
    done
}
