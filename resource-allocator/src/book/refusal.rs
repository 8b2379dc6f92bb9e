//! Why a wish is not met.

use jackfield_protocol::{
    error::ErrorCode,
    id::{LeaseId, UserName},
    time::Time,
};

use super::{
    Book, Free, Obstacle,
    lease::{Holder, Lease, State},
    queue::{Turn, Want},
};

/// Why a wish is not met, as a sentence that names who stands in its way.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Somebody has it.
    #[error("{told}; wait for it with --wait 30m, or ask them")]
    Held {
        /// Who, what, until when, why.
        told: String,
        /// Its end, where that is known.
        until: Option<Time>,
        /// Which lease.
        lease: LeaseId,
    },
    /// Somebody has booked it.
    #[error("{told}; ask for a time before or after that")]
    Booked {
        /// Who, what, from when until when, why.
        told: String,
        /// Its end.
        until: Option<Time>,
    },
    /// Somebody has or has booked some of a time that was to be booked.
    #[error("{told}; {free}")]
    Clash {
        /// Who, what, from when until when, why.
        told: String,
        /// Which lease.
        lease: LeaseId,
        /// Its end.
        until: Option<Time>,
        /// What is free.
        free: Box<Free>,
    },
    /// Times of a series are taken.
    #[error("{taken} of {of} times are taken: {told}; {rest}")]
    SeriesTaken {
        /// Who has the first of them.
        told: String,
        /// How many.
        taken: usize,
        /// Of how many.
        of: usize,
        /// What can be done.
        rest: String,
    },
    /// A booking that would have begun already.
    #[error("{begin} is over; book a time that is still to come")]
    Past {
        /// The beginning.
        begin: Time,
    },
    /// A series that clashes with itself.
    #[error(
        "what begins at {one} is not over when the next begins at {next}; book it for less time, or less often"
    )]
    Overlap {
        /// The one.
        one: Time,
        /// The next.
        next: Time,
    },
    /// A lease that is of no series, or none of whose series is still to come.
    #[error("lease {lease} is of no series of which something is still to come")]
    NoSeries {
        /// Which.
        lease: LeaseId,
    },
    /// It is no booking any more.
    #[error(
        "lease {lease} is {state}, and only what has not begun can be moved; `jackfield lease extend {lease}` changes its end"
    )]
    Begun {
        /// Which.
        lease: LeaseId,
        /// How far it is.
        state: &'static str,
    },
    /// Maintenance of whatever fits.
    #[error("maintenance is of resources or SUTs by name, not of what fits")]
    MaintenanceByNeeds,
    /// One person has booked too much.
    #[error("nobody may have more than {most} times of series booked; cancel some, or book less far ahead")]
    TooManyBooked {
        /// The most.
        most: usize,
    },
    /// Somebody asked before.
    #[error("{told} asked before; wait behind them with --wait 30m")]
    Behind {
        /// Who.
        told: String,
    },
    /// Of what fits, not enough is free.
    #[error("{told}; wait for it with --wait 30m")]
    NoneFree {
        /// Who has what of it.
        told: String,
    },
    /// It is dirty, under a check, or out of service.
    #[error(
        "{told}; wait for it with --wait 30m, or, with the role CHANGE_TESTBED, take it to repair it and say `jackfield resource health`"
    )]
    NotFit {
        /// What, and why.
        told: String,
    },
    /// The lab has not enough that fits.
    #[error("the lab has nothing that could ever meet `{needs}`; see `jackfield resource find`")]
    Unfit {
        /// What was asked for.
        needs: String,
    },
    /// Named resources and needs in one wish.
    #[error("ask for resources by name or by what they are, not both; `path=/tb1/router1` is a need, too")]
    NamedAndNeeded,
    /// There is no such lease.
    #[error("there is no lease {lease}, or it is over; see `jackfield lease list`")]
    NoSuch {
        /// Which.
        lease: LeaseId,
    },
    /// It is somebody else's.
    #[error(
        "lease {lease} is not yours: {told}; an administrator can take it with `jackfield lease force {lease} --reason …`"
    )]
    NotTheirs {
        /// Whose.
        told: String,
        /// Which.
        lease: LeaseId,
    },
    /// It is a run's.
    #[error("{told}; the lease ends with the run: `jackfield runs stop {run}`")]
    OfRun {
        /// What it has.
        told: String,
        /// Which run.
        run: jackfield_protocol::id::RunId,
    },
    /// Nobody may take it away but those who may.
    #[error("{user} may not take leases of others away: that needs the role CHANGE_TESTBED")]
    MayNotForce {
        /// Who wanted it.
        user: UserName,
    },
    /// It is not held now.
    #[error("lease {lease} is {state}, so it cannot be {wish}")]
    WrongState {
        /// Which.
        lease: LeaseId,
        /// How far it is.
        state: &'static str,
        /// What was wanted.
        wish: &'static str,
    },
    /// It rests on something that cannot be handed over.
    #[error(
        "lease {lease} is that of a console or inside of another lease, and cannot be handed over; end it instead"
    )]
    Tied {
        /// Which.
        lease: LeaseId,
    },
    /// Nothing was asked for.
    #[error("a lease needs at least one resource or SUT")]
    Nothing,
    /// No time at all.
    #[error("a lease must last longer than that; write how long, such as --for 2h")]
    NoTime,
    /// A booking without an end.
    #[error("what is booked for later needs an end; write how long, such as --for 2h")]
    NoEnd,
    /// Longer than anybody may have it at once.
    #[error("a lease lasts at most {days} days at once; it can be extended later")]
    TooLong {
        /// The most.
        days: u64,
    },
    /// Too far ahead.
    #[error("nothing can be booked further ahead than two years")]
    TooFar,
    /// One person has too many.
    #[error("you have {most} leases and requests open, and nobody may have more")]
    TooMany {
        /// The most.
        most: u32,
    },
}

impl Refusal {
    /// The word scripts compare.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Held { .. }
            | Self::Booked { .. }
            | Self::Clash { .. }
            | Self::SeriesTaken { .. }
            | Self::Behind { .. }
            | Self::NoneFree { .. } => ErrorCode::Held,
            Self::NoSuch { .. } | Self::Unfit { .. } => ErrorCode::NotFound,
            Self::NotTheirs { .. } | Self::MayNotForce { .. } => ErrorCode::Forbidden,
            Self::NotFit { .. }
            | Self::OfRun { .. }
            | Self::WrongState { .. }
            | Self::NoSeries { .. }
            | Self::Begun { .. }
            | Self::Tied { .. } => ErrorCode::WrongState,
            Self::Nothing
            | Self::NamedAndNeeded
            | Self::NoTime
            | Self::NoEnd
            | Self::Past { .. }
            | Self::Overlap { .. }
            | Self::MaintenanceByNeeds
            | Self::TooLong { .. }
            | Self::TooFar => ErrorCode::BadRequest,
            Self::TooMany { .. } | Self::TooManyBooked { .. } => ErrorCode::TooMany,
        }
    }

    /// Who is in the way, without what is free instead.
    pub fn told_alone(&self) -> String {
        if let Self::Clash { told, .. } = self { told.clone() } else { self.to_string() }
    }
}

impl Book {
    /// Who has what, until when, and why, as people say it.
    pub fn told(&self, lease: &Lease) -> String {
        let Lease { holder, what, .. } = lease;
        let wanted = lease.needs.as_ref().map_or_else(|| what.to_string(), ToString::to_string);
        let has = match &lease.state {
            State::Asked { begin } => {
                let until = lease.until.map(|until| format!(" until {until}")).unwrap_or_default();
                format!("{holder} has booked {what} from {begin}{until}")
            }
            State::Waiting { .. } => format!("{holder} waits for {wanted}"),
            State::Offered { until } => format!("{what} is offered to {holder} until {until}"),
            State::Active => match (lease.until, lease.since) {
                (Some(until), _) => format!("{holder} has {what} until {until}"),
                (None, Some(since)) => format!("{holder} has {what} since {since}"),
                (None, None) => format!("{holder} has {what}"),
            },
            State::Ending { until, .. } => format!("{holder} is leaving {what} until {until}"),
            State::Ended { at, .. } => format!("{holder} had {what} until {at}"),
        };
        if lease.purpose.is_empty() { has } else { format!("{has} ({})", lease.purpose) }
    }

    /// Who waits, as people say it.
    pub fn told_turn(&self, turn: Turn) -> String {
        match turn {
            Turn::Ask(id) => self.leases.get(&id).map_or_else(String::new, |lease| match &lease.holder {
                Holder::Person(user) | Holder::Lab(user) => format!("{user} (lease {id})"),
                Holder::Run(run) => format!("run {run}"),
            }),
            Turn::Part { run, .. } => format!("run {run}"),
        }
    }

    /// What is not fit of what somebody wants, as people say it.
    pub fn told_unfit(&self, want: &Want) -> String {
        self.unfit_for(want).map_or_else(String::new, |unfit| unfit.to_string())
    }

    /// What stands in the way, as a refusal.
    pub(crate) fn in_the_way(&self, obstacle: Obstacle, want: &Want) -> Refusal {
        let gone = |lease: LeaseId| Refusal::NoSuch { lease };
        match obstacle {
            Obstacle::Held(id) => self.leases.get(&id).map_or_else(
                || gone(id),
                |lease| Refusal::Held { told: self.told(lease), until: lease.until, lease: id },
            ),
            Obstacle::Booked(id) => self.leases.get(&id).map_or_else(
                || gone(id),
                |lease| Refusal::Booked { told: self.told(lease), until: lease.until },
            ),
            Obstacle::Behind(turn) => Refusal::Behind { told: self.told_turn(turn) },
            Obstacle::Unfit => Refusal::NotFit { told: self.told_unfit(want) },
        }
    }
}
