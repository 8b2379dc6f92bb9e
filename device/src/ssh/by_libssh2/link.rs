//! A connection that is logged in, for those who use it: orders to its thread.

use std::{
    io,
    os::fd::OwnedFd,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::future::BoxFuture;
use jackfield_config::profile::SshBackend;
use tokio::{
    io::copy_bidirectional,
    net::UnixStream,
    sync::{Semaphore, SemaphorePermit, mpsc, oneshot},
    task::JoinHandle,
};

use super::{
    super::{
        SshError,
        algorithms::refusal,
        fate::Fate,
        way::{Bearer, Entry, Link, Stream, refused},
    },
    algorithms::Allowed,
    channel::{Onward, Shell},
    entering::{Host, NotEntered, greet, log_in},
    offer,
    opening::What,
    pipe::{Near, Shared},
    serving::{Order, Serving},
    speaker::Speaker,
    wake::Wake,
    words::{self, words},
};
use crate::{
    beside::{Beside, Program, Start},
    channel::{Channel, Window},
    connect::dial,
    limits::{SSH_ORDERS_MAX, SSH_STACK_BYTES, SSH_THREADS_MAX},
    target::Address,
};

/// Threads that may still be begun.
static THREADS: Semaphore = Semaphore::const_new(SSH_THREADS_MAX);

/// A connection on a thread of its own.
struct Libssh2Link {
    orders: mpsc::Sender<Order>,
    owner: Owner,
    _bridge: Option<Bridge>,
}

/// Dropped, the thread ends.
struct Owner {
    shared: Arc<Shared>,
    is_left: Arc<AtomicBool>,
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.is_left.store(true, Ordering::Release);
        self.shared.wake.wake();
    }
}

/// Carries bytes between a channel of the host before and the socket that the library wants.
struct Bridge(JoinHandle<()>);

impl Drop for Bridge {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn system(error: io::Error) -> SshError {
    SshError::Protocol { why: error.to_string(), is_loss: false }
}

/// A socket for the library.
fn socket(bearer: Bearer) -> io::Result<(OwnedFd, Option<Bridge>)> {
    match bearer {
        Bearer::Tcp(stream) => Ok((stream.into_std()?.into(), None)),
        Bearer::Through(mut stream) => {
            let (mut ours, theirs) = UnixStream::pair()?;
            let bridge = tokio::spawn(async move {
                if let Err(error) = copy_bidirectional(&mut stream, &mut ours).await {
                    tracing::debug!(%error, "an SSH connection through another host broke");
                }
            });
            Ok((theirs.into_std()?.into(), Some(Bridge(bridge))))
        }
    }
}

/// Everything that a thread begins with.
struct Begin {
    socket: OwnedFd,
    host: Host,
    shared: Arc<Shared>,
    is_left: Arc<AtomicBool>,
    orders: mpsc::Receiver<Order>,
    keepalive: Duration,
    greeted: oneshot::Sender<()>,
    entered: oneshot::Sender<Result<(), NotEntered>>,
    /// Given back when the thread ends.
    permit: SemaphorePermit<'static>,
}

/// Logs in to a host.
pub(in super::super) async fn enter(bearer: Bearer, entry: &Entry<'_>) -> Result<Box<dyn Link>, SshError> {
    entry.stage.is(format!("waiting for one of the {SSH_THREADS_MAX} threads for libssh2 to be free"));
    let closed = |_| system(io::ErrorKind::NotConnected.into());
    let permit = THREADS.acquire().await.map_err(closed)?;
    entry.stage.is(format!("connected to {}, waiting for its SSH greeting and keys", entry.hop.address));
    let (socket, bridge) = socket(bearer).map_err(system)?;
    let shared = Arc::new(Shared { wake: Wake::new().map_err(system)?, fate: Fate::default() });
    let owner = Owner { shared: Arc::clone(&shared), is_left: Arc::default() };
    let (orders, inbox) = mpsc::channel(SSH_ORDERS_MAX);
    let ((greeted, greeting), (entered, entering)) = (oneshot::channel(), oneshot::channel());
    let begin = Begin {
        socket,
        host: Host {
            hop: entry.hop.clone(),
            check: entry.check.clone(),
            own_agent: entry.own_agent.map(ToOwned::to_owned),
            login: entry.login.clone(),
        },
        shared,
        is_left: Arc::clone(&owner.is_left),
        orders: inbox,
        keepalive: entry.keepalive,
        greeted,
        entered,
        permit,
    };
    let thread = std::thread::Builder::new().name("libssh2".to_owned()).stack_size(SSH_STACK_BYTES);
    thread.spawn(move || live(begin)).map_err(system)?;
    if greeting.await.is_ok() {
        entry.stage.is(format!("logging in to {}", entry.hop.address));
    }
    match entering.await {
        Ok(Ok(())) => Ok(Box::new(Libssh2Link { orders, owner, _bridge: bridge })),
        Ok(Err(NotEntered::Told(error))) => Err(error),
        Ok(Err(NotEntered::Discord(discord))) => {
            let (allowed, otherwise) = *discord;
            // Some devices take one connection only.
            drop((owner, bridge));
            Err(Box::pin(explain(entry, &allowed)).await.unwrap_or(otherwise))
        }
        // The library's face panics where a server says what is no text.
        Err(_) => Err(SshError::Protocol { why: "libssh2 could not go on".to_owned(), is_loss: false }),
    }
}

/// The life of a thread.
fn live(begin: Begin) {
    let Begin { socket, host, shared, is_left, orders, keepalive, greeted, entered, permit } = begin;
    let entering = || -> Result<Speaker, NotEntered> {
        let mut speaker = Speaker::new(socket, shared, is_left).map_err(SshError::from)?;
        greet(&mut speaker, &host)?;
        // Who asked may have given up meanwhile; that is seen at the next wait.
        let _ = greeted.send(());
        log_in(&mut speaker, &host)?;
        Ok(speaker)
    };
    match entering() {
        Ok(speaker) => {
            if entered.send(Ok(())).is_ok() {
                let leaver = Serving::new(speaker, orders, keepalive).run();
                drop(permit);
                drop(leaver);
            }
        }
        Err(error) => drop(entered.send(Err(error))),
    }
}

/// Asks a server what it offers, and says what it lacks.
async fn explain(entry: &Entry<'_>, allowed: &Allowed) -> Option<SshError> {
    let address = &entry.hop.address;
    let mut stream: Box<dyn Stream> = match entry.before {
        Some(before) => before.onward(address).await.ok()?,
        None => Box::new(dial(address).await.ok()?),
    };
    let offer = offer::ask(&mut stream).await.ok()?;
    let (matter, offered) = allowed.lacks(&offer)?;
    Some(refusal(matter, offered, entry.hop.legacy, SshBackend::Libssh2))
}

impl Libssh2Link {
    /// A channel; the outer error is that the connection is over.
    async fn open(&self, what: What) -> io::Result<Result<Near, ssh2::Error>> {
        let shared = &self.owner.shared;
        let (opened, opening) = oneshot::channel();
        self.orders.send(Order::Open(what, opened)).await.map_err(|_closed| shared.lost())?;
        shared.wake.wake();
        opening.await.map_err(|_dropped| shared.lost())
    }

    async fn open_or_say(&self, what: What) -> Result<Near, SshError> {
        let lost = |error: io::Error| SshError::Protocol { why: error.to_string(), is_loss: true };
        self.open(what).await.map_err(lost)?.map_err(|error| words::refusal(&error))
    }
}

impl Link for Libssh2Link {
    fn onward<'a>(&'a self, next: &'a Address) -> BoxFuture<'a, Result<Box<dyn Stream>, SshError>> {
        Box::pin(async {
            let near = self.open_or_say(What::Onward(next.clone())).await?;
            let onward: Box<dyn Stream> = Box::new(Onward::new(near));
            Ok(onward)
        })
    }

    fn shell<'a>(
        &'a self,
        terminal: &'a str,
        window: Window,
    ) -> BoxFuture<'a, Result<Box<dyn Channel>, SshError>> {
        Box::pin(async move {
            let what = What::Shell { terminal: terminal.to_owned(), window };
            let shell: Box<dyn Channel> = Box::new(Shell::new(self.open_or_say(what).await?));
            Ok(shell)
        })
    }

    fn leave(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            let (leaver, left) = oneshot::channel();
            if self.orders.send(Order::Leave(leaver)).await.is_ok() {
                self.owner.shared.wake.wake();
                // Nothing is sent: it is dropped with the thread.
                let _ = left.await;
            }
        })
    }
}

impl Beside for Libssh2Link {
    fn start(&self, what: Start) -> BoxFuture<'_, io::Result<Box<dyn Program>>> {
        Box::pin(async move {
            let near = self.open(What::Program(what.clone())).await?.map_err(|error| {
                if words::is_refused_request(&error) {
                    refused(&what)
                } else {
                    io::Error::other(words(&error))
                }
            })?;
            let program: Box<dyn Program> = Box::new(near);
            Ok(program)
        })
    }
}

#[cfg(test)]
mod tests {
    use jackfield_config::simulated::DeviceModel;

    use super::*;
    use crate::{
        clock::Deadline,
        limits::SSH_PARTING,
        session::{Session, SessionSettings},
        simulate::{Listen, Running, serve},
        target::SessionTarget,
    };

    const MODEL: &str = "name = 'host'\nstart = 'shell'\n[modes.shell]\nprompt = '$ '\n";

    async fn open(device: &Running) -> Session {
        let mut properties = device.properties("ssh");
        properties.insert("ssh_backend".to_owned(), "libssh2".into());
        properties.insert("profile".to_owned(), "generic".into());
        let target = SessionTarget::from_properties(&properties).unwrap();
        let settings = SessionSettings::new("/no/such/file");
        Session::open(target, &settings, Duration::from_secs(20), Vec::new()).await.unwrap()
    }

    #[tokio::test]
    async fn a_thread_ends_with_its_connection_whoever_ends_it() {
        let device = serve(DeviceModel::parse("m.toml", MODEL).unwrap(), Listen::default()).await.unwrap();
        let mut sessions = Vec::new();
        for _ in 0..9 {
            sessions.push(open(&device).await);
        }
        assert_eq!(THREADS.available_permits(), SSH_THREADS_MAX - 9);
        // Some are closed, some are dropped, the device ends the others.
        for session in &mut sessions[..3] {
            session.close().await;
        }
        assert_eq!(THREADS.available_permits(), SSH_THREADS_MAX - 6);
        drop(sessions.drain(..6));
        device.stop().await;
        let limit = Deadline::after(SSH_PARTING * 20);
        while THREADS.available_permits() < SSH_THREADS_MAX - 3 && !limit.left().is_zero() {
            tokio::task::yield_now().await;
        }
        assert!(THREADS.available_permits() >= SSH_THREADS_MAX - 3);
        drop(sessions);
        while THREADS.available_permits() < SSH_THREADS_MAX && !limit.left().is_zero() {
            tokio::task::yield_now().await;
        }
        assert_eq!(THREADS.available_permits(), SSH_THREADS_MAX);
    }
}
