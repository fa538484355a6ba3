//! Billing exports to usage curves and the portfolio held.
