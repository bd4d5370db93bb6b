//! Cipher suites of TLS 1.2 by the names that OpenSSL has for them.

/// A cipher suite of TLS 1.2. Those without forward secrecy or authentication do not exist here;
/// suites of TLS 1.3 are always offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlsSuite {
    /// `ECDHE-ECDSA-AES128-GCM-SHA256`
    EcdsaAes128,
    /// `ECDHE-ECDSA-AES256-GCM-SHA384`
    EcdsaAes256,
    /// `ECDHE-ECDSA-CHACHA20-POLY1305`
    EcdsaChaCha20,
    /// `ECDHE-RSA-AES128-GCM-SHA256`
    RsaAes128,
    /// `ECDHE-RSA-AES256-GCM-SHA384`
    RsaAes256,
    /// `ECDHE-RSA-CHACHA20-POLY1305`
    RsaChaCha20,
}

impl TlsSuite {
    /// All suites in the order of the preset `intermediate`, with their names.
    const ALL: [(&'static str, Self); 6] = [
        ("ECDHE-ECDSA-AES128-GCM-SHA256", Self::EcdsaAes128),
        ("ECDHE-RSA-AES128-GCM-SHA256", Self::RsaAes128),
        ("ECDHE-ECDSA-AES256-GCM-SHA384", Self::EcdsaAes256),
        ("ECDHE-RSA-AES256-GCM-SHA384", Self::RsaAes256),
        ("ECDHE-ECDSA-CHACHA20-POLY1305", Self::EcdsaChaCha20),
        ("ECDHE-RSA-CHACHA20-POLY1305", Self::RsaChaCha20),
    ];

    /// All suites, the preferred first.
    pub(crate) fn all() -> Vec<Self> {
        Self::ALL.map(|(_, suite)| suite).to_vec()
    }

    /// Those that FIPS 140 allows.
    pub(crate) fn fips() -> Vec<Self> {
        let mut all = Self::all();
        all.retain(|suite| !matches!(suite, Self::EcdsaChaCha20 | Self::RsaChaCha20));
        all
    }

    /// Reads a list as OpenSSL has it. Gives the suites in their order, and what means none of
    /// them.
    pub(crate) fn parse_list(text: &str) -> (Vec<Self>, Vec<&str>) {
        let (mut chosen, mut unknown) = (Vec::new(), Vec::new());
        let words = text.split([':', ',', ' ']).filter(|word| !word.is_empty());
        for word in words {
            let excluded = word.strip_prefix(['!', '-']);
            let named: Vec<Self> = match excluded.unwrap_or(word) {
                "ALL" | "DEFAULT" | "HIGH" | "EECDH" | "ECDHE" => Self::all(),
                name => Self::ALL
                    .into_iter()
                    .filter(|(own, _)| own.eq_ignore_ascii_case(name))
                    .map(|(_, suite)| suite)
                    .collect(),
            };
            match excluded {
                Some(_) => chosen.retain(|suite| !named.contains(suite)),
                // Those of TLS 1.3 are not chosen here, in OpenSSL neither.
                None if named.is_empty() && !word.starts_with("TLS_") => unknown.push(word),
                None => chosen.extend(named),
            }
        }
        let mut kept = Vec::new();
        for suite in chosen {
            if !kept.contains(&suite) {
                kept.push(suite);
            }
        }
        (kept, unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_keeps_its_order_and_names_what_it_does_not_know() {
        let text = "ECDHE-RSA-AES256-GCM-SHA384:AES128-SHA:TLS_AES_128_GCM_SHA256:\
                    ecdhe-ecdsa-aes128-gcm-sha256:ECDHE-RSA-AES256-GCM-SHA384:@STRENGTH";
        let (suites, unknown) = TlsSuite::parse_list(text);
        assert_eq!(suites, [TlsSuite::RsaAes256, TlsSuite::EcdsaAes128]);
        assert_eq!(unknown, ["AES128-SHA", "@STRENGTH"]);
    }

    #[test]
    fn words_stand_for_many_and_can_be_taken_back() {
        let (suites, unknown) = TlsSuite::parse_list(
            "HIGH:!aNULL:!ECDHE-RSA-CHACHA20-POLY1305:!ECDHE-ECDSA-CHACHA20-POLY1305",
        );
        assert_eq!((suites, unknown), (TlsSuite::fips(), Vec::new()));
    }
}
