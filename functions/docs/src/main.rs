//! The `docs` function in Lambda; it also answers every path that no other function has.

use edge::{App, Clients, Settings};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), edge::RunError> {
    edge::init_logs();
    let settings = Settings::from_env()?;
    let app = App::new(&settings, &Clients::from_env());
    edge::serve(edge::wrap(docs::router(), &app, &[]), &settings).await
}
