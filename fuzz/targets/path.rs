//! Request paths: any bytes give a path or a refusal, and normalising again changes nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut room = Vec::new();
    let Ok(first) = router::normalise_path(bytes, &mut room) else {
        return;
    };
    let first = first.to_vec();
    let mut room = Vec::new();
    let second = router::normalise_path(&first, &mut room).map(|path| path.to_vec());
    assert_eq!(Ok(first), second.map_err(|_| ()));
});
