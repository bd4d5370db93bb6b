//! The condition on the address and port of one end of the connection.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// One entry of a route's `sources` or `destinations`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AddressRule {
    block: Option<Block>,
    port: Option<u16>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Block {
    V4 { network: u32, mask: u32 },
    V6 { network: u128, mask: u128 },
}

impl AddressRule {
    /// Reads an address or a block and a port; `None` when the text is neither. Host bits of a block are
    /// ignored.
    pub(crate) fn parse(ip: Option<&str>, port: Option<u16>) -> Option<Self> {
        let block = match ip {
            Some(text) => Some(Block::parse(text)?),
            None => None,
        };
        Some(Self { block, port })
    }

    /// The port that it names.
    pub(crate) const fn port(&self) -> Option<u16> {
        self.port
    }

    fn matches(&self, end: (IpAddr, u16)) -> bool {
        self.block.is_none_or(|block| block.contains(end.0))
            && self.port.is_none_or(|port| port == end.1)
    }

    /// Whether every end that satisfies the other rule satisfies this one.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        let is_wider = match (self.block, other.block) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(wide), Some(narrow)) => wide.covers(narrow),
        };
        is_wider && (self.port.is_none() || self.port == other.port)
    }

    /// Whether one of the rules holds for an end of the connection; no rule at all holds for each.
    pub(crate) fn any(rules: &[Self], end: (IpAddr, u16)) -> bool {
        rules.is_empty() || rules.iter().any(|rule| rule.matches(end))
    }
}

impl Block {
    fn parse(text: &str) -> Option<Self> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length.parse::<u32>().ok()?)),
            None => (text, None),
        };
        match address.parse().ok()? {
            IpAddr::V4(address) => {
                let length = length.unwrap_or(32);
                let shift = 32_u32.checked_sub(length)?;
                let mask = u32::MAX.checked_shl(shift).unwrap_or(0);
                Some(Self::V4 {
                    network: address.to_bits() & mask,
                    mask,
                })
            }
            IpAddr::V6(address) => {
                let length = length.unwrap_or(128);
                let shift = 128_u32.checked_sub(length)?;
                let mask = u128::MAX.checked_shl(shift).unwrap_or(0);
                Some(Self::V6 {
                    network: address.to_bits() & mask,
                    mask,
                })
            }
        }
    }

    fn covers(self, other: Self) -> bool {
        match (self, other) {
            (
                Self::V4 { network, mask },
                Self::V4 {
                    network: inner,
                    mask: narrow,
                },
            ) => mask & narrow == mask && inner & mask == network,
            (
                Self::V6 { network, mask },
                Self::V6 {
                    network: inner,
                    mask: narrow,
                },
            ) => mask & narrow == mask && inner & mask == network,
            _ => false,
        }
    }

    fn contains(self, address: IpAddr) -> bool {
        match (self, address) {
            (Self::V4 { network, mask }, IpAddr::V4(address)) => {
                Ipv4Addr::to_bits(address) & mask == network
            }
            (Self::V6 { network, mask }, IpAddr::V6(address)) => {
                Ipv6Addr::to_bits(address) & mask == network
            }
            _ => false,
        }
    }
}
