//! The `docs` function in Lambda; it also answers every path that no other function has.

use edge::{App, Clients, Settings};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    edge::init_logs();
    let app = App::new(&Settings::from_env()?, &Clients::from_env());
    edge::serve(edge::wrap(docs::router(), &app, &[])).await
}
