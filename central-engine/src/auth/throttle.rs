//! Tries of passwords, counted when they begin, so that guessing is slow however many guess at once.
//!
//! An address has so many tries, and gets them back one by one: whoever fails is slowed down and never shut out. An account that is guessed at from
//! many addresses is asked about from addresses that nobody knows only now and then; from one that has logged in to it before it goes on as
//! ever, so that no stranger keeps its owner out. A try that succeeds costs nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, Ipv6Addr},
};

use jackfield_protocol::{id::UserName, time::Time};

use crate::limits;

/// How many tries are left, for each who tries and each who is tried.
#[derive(Debug, Default)]
pub struct Throttle {
    addresses: BTreeMap<IpAddr, Bucket>,
    accounts: BTreeMap<UserName, Bucket>,
    /// From where somebody has logged in to an account.
    known: BTreeSet<(UserName, IpAddr)>,
}

/// Tries that were taken and have not come back, in thousandths.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    taken_millis: u64,
    since: Time,
}

impl Bucket {
    /// What is taken now; one try comes back in each share of the window.
    fn taken(self, tries_max: u64, now: Time) -> u64 {
        let back = now.millis_since(self.since).saturating_mul(tries_max.saturating_mul(1_000));
        self.taken_millis.saturating_sub(back.div_euclid(limits::LOGIN_WINDOW_MILLIS))
    }
}

impl Throttle {
    /// Takes a try, if there is one: `tries_max` for an address in a window, and as many times
    /// [`limits::LOGIN_ADDRESSES_FACTOR`] for an account.
    pub fn begin(&mut self, user: &UserName, address: IpAddr, tries_max: u64, now: Time) -> bool {
        let address = network(address);
        let for_account = tries_max.saturating_mul(limits::LOGIN_ADDRESSES_FACTOR);
        let is_known = self.known.contains(&(user.clone(), address));
        let free = has_left(&self.addresses, &address, tries_max, now)
            && (is_known || has_left(&self.accounts, user, for_account, now));
        if free {
            take(&mut self.addresses, address, tries_max, now);
            if !is_known {
                take(&mut self.accounts, user.clone(), for_account, now);
            }
        }
        free
    }

    /// The password was right: the try is given back, and the address is known from now on.
    pub fn succeeded(&mut self, user: &UserName, address: IpAddr) {
        let address = network(address);
        give_back(&mut self.addresses, &address);
        give_back(&mut self.accounts, user);
        if self.known.len() >= limits::LOGIN_TRACKED_MAX {
            self.known.pop_first();
        }
        self.known.insert((user.clone(), address));
    }
}

/// Who counts as one address: whoever has an IPv6 address has the 2^64 beside it as well.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(six) => IpAddr::V6(Ipv6Addr::from_bits(six.to_bits() & !u128::from(u64::MAX))),
    }
}

fn has_left<K: Ord>(buckets: &BTreeMap<K, Bucket>, key: &K, tries_max: u64, now: Time) -> bool {
    let taken = buckets.get(key).map_or(0, |bucket| bucket.taken(tries_max, now));
    taken.saturating_add(1_000) <= tries_max.saturating_mul(1_000)
}

fn take<K: Ord + Clone>(buckets: &mut BTreeMap<K, Bucket>, key: K, tries_max: u64, now: Time) {
    if buckets.len() >= limits::LOGIN_TRACKED_MAX && !buckets.contains_key(&key) {
        // Whoever has taken one try loses least by being forgotten; a flood of them goes at once, so that it is swept rarely.
        buckets.retain(|_, bucket| bucket.taken(tries_max, now) > 1_000);
        if buckets.len() >= limits::LOGIN_TRACKED_MAX {
            buckets.pop_first();
        }
    }
    let taken = buckets.get(&key).map_or(0, |bucket| bucket.taken(tries_max, now));
    buckets.insert(key, Bucket { taken_millis: taken.saturating_add(1_000), since: now });
}

fn give_back<K: Ord>(buckets: &mut BTreeMap<K, Bucket>, key: &K) {
    if let Some(bucket) = buckets.get_mut(key) {
        bucket.taken_millis = bucket.taken_millis.saturating_sub(1_000);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: u64 = limits::LOGIN_WINDOW_MILLIS;

    fn address(last: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, last])
    }

    #[test]
    fn tries_count_when_they_begin_and_come_back_one_by_one() {
        let mut throttle = Throttle::default();
        let ana = UserName::from("ana");
        let mut tries = |count: usize, now| {
            (0..count).filter(|_| throttle.begin(&ana, address(9), 10, Time(now))).count()
        };
        assert_eq!(tries(300, 0), 10);
        assert_eq!(tries(300, i64::try_from(WINDOW / 10).unwrap()), 1);
        assert_eq!(tries(300, i64::try_from(WINDOW * 3).unwrap()), 10);
    }

    #[test]
    fn nobody_keeps_another_out() {
        let mut throttle = Throttle::default();
        let (ana, bob) = (UserName::from("ana"), UserName::from("bob"));
        assert!(throttle.begin(&ana, address(1), 2, Time(0)));
        throttle.succeeded(&ana, address(1));
        let strangers: usize = (10..250)
            .map(|last| (0..10).filter(|_| throttle.begin(&ana, address(last), 2, Time(0))).count())
            .sum();
        assert_eq!(u64::try_from(strangers).unwrap(), 2 * limits::LOGIN_ADDRESSES_FACTOR);
        assert!(throttle.begin(&ana, address(1), 2, Time(0)), "from where she logged in before");
        assert!(throttle.begin(&bob, address(250), 2, Time(0)), "another account");
        // A user name that reads like an address is no address.
        assert!(
            (0..10).filter(|_| throttle.begin(&"10.0.0.251".into(), address(9), 2, Time(0))).count() <= 2
        );
        assert!(throttle.begin(&bob, address(251), 2, Time(0)));
    }

    #[test]
    fn the_addresses_of_one_network_are_one() {
        let mut throttle = Throttle::default();
        let tries = (0..50_u16).filter(|n| {
            throttle.begin(&"ana".into(), format!("2001:db8::{n:x}").parse().unwrap(), 10, Time(0))
        });
        assert_eq!(tries.count(), 10);
    }

    #[test]
    fn what_succeeds_costs_nothing() {
        let mut throttle = Throttle::default();
        let ana = UserName::from("ana");
        for _ in 0..100 {
            assert!(throttle.begin(&ana, address(1), 2, Time(0)));
            throttle.succeeded(&ana, address(1));
        }
    }

    #[test]
    fn a_flood_of_addresses_forgets_no_one_who_tried_much() {
        let mut throttle = Throttle::default();
        let ana = UserName::from("ana");
        while throttle.begin(&ana, address(1), 10, Time(0)) {}
        for n in 0..20_000_u32 {
            throttle.begin(&UserName::from(format!("u{n}")), IpAddr::from(n.to_be_bytes()), 10, Time(0));
        }
        assert!(throttle.addresses.len() <= limits::LOGIN_TRACKED_MAX);
        assert!(!throttle.begin(&ana, address(1), 10, Time(0)));
    }
}
