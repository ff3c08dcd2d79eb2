//! The 250 people of every vendor: made up, the same for the same seed, some of them odd in legal ways.

use serde_json::{Value, json};

/// How many there are.
pub(crate) const HOW_MANY: usize = 250;
/// First name, and how it is spelt in an address.
const FIRST: &[(&str, &str)] = &[
    ("Grace", "grace"),
    ("Zoë", "zoe"),
    ("Ibrahim", "ibrahim"),
    ("Mei", "mei"),
    ("Łucja", "lucja"),
    ("Tomás", "tomas"),
    ("Priya", "priya"),
    ("Kwame", "kwame"),
    ("Ingrid", "ingrid"),
    ("Yūki", "yuki"),
    ("Olga", "olga"),
    ("Mateo", "mateo"),
    ("Anouk", "anouk"),
    ("Farid", "farid"),
    ("Hana", "hana"),
    ("Jürgen", "juergen"),
    ("Siobhán", "siobhan"),
    ("Dmitri", "dmitri"),
    ("Leila", "leila"),
    ("Bo", "bo"),
    ("Chidi", "chidi"),
    ("Esther", "esther"),
    ("Noor", "noor"),
    ("Rafael", "rafael"),
    ("Vera", "vera"),
];
/// Last name, and how it is spelt in an address.
const LAST: &[(&str, &str)] = &[
    ("Hill", "hill"),
    ("O'Brien", "o'brien"),
    ("Nakamura", "nakamura"),
    ("da Silva", "da.silva"),
    ("Müller", "mueller"),
    ("Okafor", "okafor"),
    ("Smith-Jones", "smith-jones"),
    ("Li", "li"),
    ("Kowalska", "kowalska"),
    ("Haddad", "haddad"),
    ("Ñúñez", "nunez"),
    ("Lindqvist", "lindqvist"),
    ("Papadopoulos", "papadopoulos"),
    ("van der Berg", "vanderberg"),
    ("Ivanova", "ivanova"),
    ("Rossi", "rossi"),
    ("Dubois", "dubois"),
    ("Novák", "novak"),
    ("Mensah", "mensah"),
    ("Brown", "brown"),
];
const TITLES: &[&str] =
    &["Analyst", "Engineer", "Designer", "Accountant", "Recruiter", "Support Agent", "Counsel"];
/// Locale and time zone.
const PLACES: &[(&str, &str)] = &[
    ("en-GB", "Europe/London"),
    ("en-US", "America/New_York"),
    ("de-DE", "Europe/Berlin"),
    ("ja-JP", "Asia/Tokyo"),
    ("pt-BR", "America/Sao_Paulo"),
    ("fr-FR", "Europe/Paris"),
    ("pl-PL", "Europe/Warsaw"),
];

/// A small generator of our own (splitmix64): its numbers stay the same whatever library is upgraded.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).expect("smaller than a usize")
    }

    fn hex(&mut self) -> String {
        format!("{:016x}{:016x}{:08x}", self.next(), self.next(), self.next() & 0xffff_ffff)
    }
}

/// Everyone, number 1 first.
pub(crate) fn everyone(seed: u64) -> Vec<Value> {
    let mut numbers = Numbers(seed);
    let mut names: Vec<(usize, usize)> =
        (0..FIRST.len()).flat_map(|first| (0..LAST.len()).map(move |last| (first, last))).collect();
    for at in (1..names.len()).rev() {
        names.swap(at, numbers.below(at + 1));
    }
    let others = names.into_iter().map(|(first, last)| {
        let address = format!("{}.{}@example.com", FIRST[first].1, LAST[last].1);
        (FIRST[first].0, LAST[last].0, address)
    });
    let ada = ("Ada", "Byrne", "ada@example.com".to_owned());
    let all = std::iter::once(ada).chain(others).take(HOW_MANY);
    all.enumerate().map(|(at, name)| person(at + 1, name, &mut numbers)).collect()
}

fn person(n: usize, (first, last, email): (&str, &str, String), numbers: &mut Numbers) -> Value {
    let login = email.split('@').next().unwrap_or_default().replace(['.', '\''], "-");
    let (locale, timezone) = PLACES[numbers.below(PLACES.len())];
    let phone = (!n.is_multiple_of(7)).then(|| format!("+1555{:07}", 100 + n));
    let (month, day, hour) = (numbers.below(12) + 1, numbers.below(28) + 1, numbers.below(24));
    let state = match n {
        1 => "active",
        n if n % 23 == 0 => "invited",
        n if n % 17 == 0 => "suspended",
        _ => "active",
    };
    json!({
        "n": n, "first": first, "last": last, "name": format!("{first} {last}"), "email": email, "login": login,
        "title": TITLES[numbers.below(TITLES.len())], "phone": phone, "locale": locale, "timezone": timezone,
        "created_at": format!("2024-{month:02}-{day:02}T{hour:02}:00:00Z"),
        "last_login_at": format!("2026-{month:02}-{day:02}T{hour:02}:30:00Z"),
        "state": state, "hex": numbers.hex(),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::everyone;

    #[test]
    fn a_seed_decides_everything_and_addresses_are_unique() {
        assert_eq!(everyone(1), everyone(1));
        assert_ne!(everyone(1), everyone(2));
        let people = everyone(1);
        let emails: BTreeSet<_> = people.iter().map(|person| person["email"].to_string()).collect();
        assert_eq!((people.len(), emails.len()), (250, 250));
        assert_eq!(people[0]["email"], "ada@example.com");
        assert!(emails.iter().any(|email| email.contains('\'')), "an odd but legal address");
    }
}
