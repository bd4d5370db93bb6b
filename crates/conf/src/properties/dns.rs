//! Name resolution.

use super::{Property, array, boolean, number, string};

pub(super) const PROPERTIES: &[Property] = &[
    array(
        "dns_resolver",
        "",
        "Name servers, `ip[:port]`; those of /etc/resolv.conf when unset.",
    )
    .acted(),
    string("dns_hostsfile", "/etc/hosts", "Hosts file.").acted(),
    array(
        "dns_order",
        "LAST,SRV,A,CNAME",
        "Record kinds in the order of asking.",
    )
    .acted(),
    number(
        "dns_valid_ttl",
        "",
        "Seconds that replace the lifetime of answers.",
    )
    .acted(),
    number(
        "dns_stale_ttl",
        "3600",
        "Seconds that an outdated answer may serve.",
    )
    .acted(),
    number("dns_cache_size", "10000", "Most answers remembered.").acted(),
    number(
        "dns_not_found_ttl",
        "30",
        "Seconds that the absence of a name is remembered.",
    )
    .acted(),
    number(
        "dns_error_ttl",
        "1",
        "Seconds that a failure is remembered.",
    )
    .acted(),
    boolean(
        "dns_no_sync",
        "off",
        "Allow the same question several times at once.",
    )
    .never("the same question is asked once at a time per node"),
    boolean(
        "new_dns_client",
        "off",
        "Use `resolver_*` instead of `dns_*`.",
    )
    .acted(),
    array("resolver_address", "", "Name servers, `ip[:port]`.").acted(),
    string("resolver_hosts_file", "/etc/hosts", "Hosts file.").acted(),
    array("resolver_family", "A,SRV", "Record kinds: A, AAAA, SRV.").acted(),
    number(
        "resolver_valid_ttl",
        "",
        "Seconds that replace the lifetime of answers.",
    )
    .acted(),
    number(
        "resolver_error_ttl",
        "1",
        "Seconds that a failure or absence is remembered.",
    )
    .acted(),
    number(
        "resolver_stale_ttl",
        "3600",
        "Seconds that an outdated answer may serve.",
    )
    .acted(),
    number(
        "resolver_lru_cache_size",
        "10000",
        "Most answers remembered.",
    )
    .acted(),
    string("resolver_mem_cache_size", "5m", "Size of the shared cache.")
        .never("there is no second cache"),
];
