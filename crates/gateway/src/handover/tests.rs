use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};

use test_support::TempDir;

use super::*;

#[tokio::test]
async fn a_successor_gets_the_sockets_with_what_waits_in_them() {
    let folder = TempDir::new("handover");
    let door = folder.path().join(DOOR);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let datagrams = UdpSocket::bind("127.0.0.1:0").unwrap();
    let (tcp, udp) = (
        listener.local_addr().unwrap(),
        datagrams.local_addr().unwrap(),
    );
    let own = Sockets::default();
    own.keep(Kind::Tcp, tcp, &listener);
    own.keep(Kind::Udp, udp, &datagrams);
    let giving = {
        let (door, own) = (door.clone(), own.clone());
        tokio::spawn(async move { offer(&door, &own).await })
    };
    let (taken, predecessor) = loop {
        if let (taken, Some(predecessor)) = take(&door).await {
            break (taken, predecessor);
        }
        tokio::task::yield_now().await;
    };
    // Somebody has connected and nobody has accepted it yet.
    let mut client = TcpStream::connect(tcp).unwrap();
    assert!(!giving.is_finished());
    predecessor.release();
    giving.await.unwrap();
    own.close();
    drop((listener, datagrams));

    let mut shares = taken.seek(Kind::Tcp, tcp);
    assert!(shares.share(0, 2).len() + shares.share(1, 2).len() == 1);
    assert_eq!(taken.seek(Kind::Tcp, udp).share(0, 1).len(), 0);
    assert_eq!(taken.seek(Kind::Udp, udp).share(0, 1).len(), 1);
    assert_eq!(taken.close_unwanted(), 0);

    let (again, _) = take(&door).await;
    assert_eq!(again.close_unwanted(), 0);
    // The share was dropped: now the connection is gone with the last holder of its socket.
    client.write_all(b"x").ok();
    assert!(client.read(&mut [0; 1]).map_or(true, |count| count == 0));
}

#[tokio::test]
async fn every_inherited_socket_is_served_whatever_the_number_of_cores() {
    let address = "127.0.0.1:9".parse().unwrap();
    for (sockets, cores) in [(4, 1), (4, 3), (2, 4), (0, 2)] {
        let held = (0..sockets).map(|_| sockets::Held {
            kind: Kind::Tcp,
            address,
            socket: UdpSocket::bind("127.0.0.1:0").unwrap().into(),
        });
        let inherited = Sockets::inherit(held.collect());
        let mut sought = inherited.seek(Kind::Tcp, address);
        let shares: Vec<usize> = (0..cores)
            .map(|core| sought.share(core, cores).len())
            .collect();
        assert_eq!(shares.iter().sum::<usize>(), sockets, "{shares:?}");
        let spread = shares.iter().max().unwrap() - shares.iter().min().unwrap();
        assert!(spread <= 1, "{shares:?}");
    }
}

#[tokio::test]
async fn a_caller_that_does_not_start_changes_nothing() {
    let folder = TempDir::new("handover");
    let door = folder.path().join(DOOR);
    let own = Sockets::default();
    let giving = {
        let (door, own) = (door.clone(), own.clone());
        tokio::spawn(async move { offer(&door, &own).await })
    };
    for _ in 0..2 {
        let (_, predecessor) = loop {
            let found = take(&door).await;
            if found.1.is_some() {
                break found;
            }
            tokio::task::yield_now().await;
        };
        drop(predecessor);
        assert!(!giving.is_finished());
    }
    giving.abort();
}

#[tokio::test]
async fn without_a_predecessor_there_are_no_sockets() {
    let folder = TempDir::new("handover");
    let (sockets, predecessor) = take(&folder.path().join(DOOR)).await;
    assert!(predecessor.is_none());
    assert_eq!(sockets.close_unwanted(), 0);
}
