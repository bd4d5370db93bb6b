//! The store through its public contract, on real files.

#[cfg(test)]
mod catalogue;
#[cfg(test)]
mod common;
#[cfg(test)]
mod concurrency;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod dump;
#[cfg(test)]
mod entities;
#[cfg(test)]
mod file;
#[cfg(test)]
mod history;
#[cfg(test)]
mod lists;
#[cfg(test)]
mod postgres;
#[cfg(test)]
mod records;
#[cfg(test)]
mod relations;
#[cfg(test)]
mod replace;
#[cfg(test)]
mod sealing;
