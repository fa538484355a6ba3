//! covermix decides which cloud commitments to buy.
