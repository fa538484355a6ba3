//! covermix decides which cloud commitments to buy.

pub mod finance;
