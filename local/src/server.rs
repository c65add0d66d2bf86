//! A router on a port.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use tokio::net::TcpListener;

use crate::error::Error;

/// Serves `router` until `until` is done; requests that have begun are answered first.
///
/// # Errors
/// Where the listener breaks.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    until: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).with_graceful_shutdown(until).await
}

/// Listens on a port of the loopback interface; port 0 is any that is free.
pub(crate) async fn listen(port: u16) -> Result<(TcpListener, String), Error> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(|error| {
        let taken = error.kind() == io::ErrorKind::AddrInUse;
        if taken { Error::PortTaken(port) } else { Error::Port(port, error) }
    })?;
    let address = listener.local_addr().map_err(|error| Error::Port(port, error))?;
    Ok((listener, format!("http://{address}")))
}
