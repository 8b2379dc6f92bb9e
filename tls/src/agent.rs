//! An HTTP client whose connections are checked as ours are: `ureq`, with our own TLS below it.

use std::{fmt, io::Read as _, io::Write as _, sync::Arc};

use rustls::{ClientConfig, ClientConnection, StreamOwned, pki_types::ServerName};
use ureq::{
    Agent, Error,
    config::Config,
    http::Uri,
    unversioned::{
        resolver::DefaultResolver,
        transport::{
            Buffers, ConnectProxyConnector, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout,
            TcpConnector, Transport, TransportAdapter,
        },
    },
};

/// An agent for an engine.
pub fn agent(config: Config, tls: Arc<ClientConfig>) -> Agent {
    let connector =
        ().chain(ConnectProxyConnector::default()).chain(TcpConnector::default()).chain(Encrypt(tls));
    Agent::with_parts(config, connector, DefaultResolver::default())
}

/// Puts TLS over a connection to an `https` address.
#[derive(Debug)]
struct Encrypt(Arc<ClientConfig>);

impl<In: Transport> Connector<In> for Encrypt {
    type Out = Either<In, Encrypted>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        let Some(below) = chained else { return Ok(None) };
        if !details.needs_tls() || below.is_tls() {
            return Ok(Some(Either::A(below)));
        }
        let mut connection = ClientConnection::new(Arc::clone(&self.0), name(details.uri)?)?;
        let mut socket = TransportAdapter::new(below.boxed(), Arc::clone(&details.current_time));
        socket.set_timeout(details.timeout);
        connection.complete_io(&mut socket)?;
        let buffers =
            LazyBuffers::new(details.config.input_buffer_size(), details.config.output_buffer_size());
        Ok(Some(Either::B(Encrypted { buffers, stream: StreamOwned::new(connection, socket) })))
    }
}

/// Whom we want to speak to.
fn name(uri: &Uri) -> Result<ServerName<'static>, Error> {
    let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let bad = |_| Error::BadUri(format!("`{host}` is neither a name nor an address"));
    ServerName::try_from(host.to_owned()).map_err(bad)
}

/// A connection with TLS over it.
struct Encrypted {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter>,
}

impl Transport for Encrypted {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.stream.sock.set_timeout(timeout);
        let output = self.buffers.output().get(..amount).unwrap_or_default();
        self.stream.write_all(output)?;
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.stream.sock.set_timeout(timeout);
        let amount = self.stream.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.sock.get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

impl fmt::Debug for Encrypted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encrypted").finish_non_exhaustive()
    }
}
