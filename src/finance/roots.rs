//! All real roots of a present value as a function of x = ln(1 + rate).
//!
//! f(x) = Σ aᵢ e^(-tᵢ x), times t₁ < t₂ < …, has at most as many roots as its amounts change sign (Descartes' rule for sums
//! of exponentials). If s is a time between two amounts of opposite sign, f(x) e^(s x) has the derivative
//! e^(s x) Σ (s - tᵢ) aᵢ e^(-tᵢ x): a sum of the same kind with one sign change fewer. Its roots cut the line into stretches
//! on which f(x) e^(s x) is monotone, so each stretch holds at most one root and its ends tell whether it does. The
//! recursion ends at one sign change (exactly one root) or none. No root is missed and none is invented.
//!
//! On a stretch the equation solved is ln(Σ positive) - ln(Σ negative) = 0, which is close to linear and cannot overflow,
//! by Newton's method kept inside a bracket.

/// |ln(1 + rate)| searched: beyond it 1 + rate leaves the range of f64.
pub(super) const LIMIT: f64 = 700.0;

/// Flows at strictly increasing times, no amount zero.
#[derive(Debug, Clone, Default)]
pub(super) struct Flows {
    times: Vec<f64>,
    amounts: Vec<f64>,
}

/// What happens at one x: the logarithm of the ratio of positive to negative present values, and its derivative.
#[derive(Clone, Copy)]
struct Value {
    log_ratio: f64,
    slope: f64,
}

impl Flows {
    /// Takes flows in any order: sorts, adds up what falls on the same time, drops zeros, counts from the first time and
    /// scales amounts to at most 1, so that no sum overflows.
    pub(super) fn new(times: &[f64], amounts: &[f64]) -> Self {
        let mut flows = Self::default();
        flows.fill(times, amounts);
        flows
    }

    /// As [`Flows::new`], into the same memory.
    pub(super) fn fill(&mut self, times: &[f64], amounts: &[f64]) {
        self.times.clear();
        self.amounts.clear();
        let largest = amounts.iter().fold(0.0_f64, |largest, amount| largest.max(amount.abs()));
        if largest == 0.0 {
            return;
        }
        self.times.reserve(times.len());
        self.amounts.reserve(amounts.len());
        if times.windows(2).all(|pair| pair[0] < pair[1]) {
            for (time, amount) in times.iter().zip(amounts) {
                self.push(*time, *amount / largest);
            }
        } else {
            let mut sorted: Vec<(f64, f64)> = times.iter().copied().zip(amounts.iter().map(|amount| amount / largest)).collect();
            sorted.sort_by(|left, right| left.0.total_cmp(&right.0).then(left.1.total_cmp(&right.1)));
            let mut rest = sorted.as_slice();
            while let Some((time, _)) = rest.first() {
                let same = rest.iter().take_while(|flow| flow.0.total_cmp(time).is_eq()).count();
                self.push(*time, rest[..same].iter().map(|flow| flow.1).sum());
                rest = &rest[same..];
            }
        }
        if let Some(first) = self.times.first().copied() {
            for time in &mut self.times {
                *time -= first;
            }
        }
    }

    fn push(&mut self, time: f64, amount: f64) {
        if amount != 0.0 {
            self.times.push(time);
            self.amounts.push(amount);
        }
    }

    /// How often consecutive amounts differ in sign.
    pub(super) fn sign_changes(&self) -> usize {
        self.amounts.windows(2).filter(|pair| (pair[0] > 0.0) != (pair[1] > 0.0)).count()
    }

    /// All roots within ±[`LIMIT`], ascending.
    pub(super) fn roots(&self) -> Vec<f64> {
        match self.sign_changes() {
            0 => Vec::new(),
            1 => match self.halley() {
                Some(root) => vec![root],
                None => self.roots_between(&[]),
            },
            _ => {
                let turning = self.derivative().roots();
                self.roots_between(&turning)
            }
        }
    }

    /// With one sign change the amounts before it have one sign and those after it the other. The logarithm of the ratio
    /// of both present values is monotone and close to linear in x: Halley's method from x = 0, without a bracket; an
    /// answer only if it settles.
    fn halley(&self) -> Option<f64> {
        let split = self.amounts.windows(2).position(|pair| (pair[0] > 0.0) != (pair[1] > 0.0))? + 1;
        let ((early_times, late_times), (early, late)) = (self.times.split_at(split), self.amounts.split_at(split));
        let mut x = 0.0_f64;
        for _ in 0..20 {
            let origin = self.origin(x);
            let [left, left_mean, left_variance] = moments(early_times, early, origin, x);
            let [right, right_mean, right_variance] = moments(late_times, late, origin, x);
            let value = (-right / left).ln();
            let slope = left_mean - right_mean;
            let newton = value / slope;
            let step = newton / (1.0 - 0.5 * newton * (right_variance - left_variance) / slope);
            x -= step;
            if !x.is_finite() || x.abs() > LIMIT {
                return None;
            }
            if step.abs() <= 1e-6 * x.abs().max(1e-3) {
                return Some(x);
            }
        }
        None
    }

    /// The sum with one sign change fewer: amounts times (s - t), s in the middle of the last pair of opposite sign.
    fn derivative(&self) -> Self {
        let at = self.amounts.windows(2).rposition(|pair| (pair[0] > 0.0) != (pair[1] > 0.0)).unwrap_or(0);
        let middle = 0.5 * (self.times[at] + self.times[at + 1]);
        let amounts: Vec<f64> = self.times.iter().zip(&self.amounts).map(|(time, amount)| (middle - time) * amount).collect();
        Self::new(&self.times, &amounts)
    }

    /// One root at most between neighbours of `turning`; a turning point where the sum vanishes is a double root.
    fn roots_between(&self, turning: &[f64]) -> Vec<f64> {
        let mut points = vec![(-LIMIT, self.sign(-LIMIT))];
        points.extend(turning.iter().map(|x| (*x, self.sign(*x))));
        points.push((LIMIT, self.sign(LIMIT)));
        let mut roots = Vec::new();
        for pair in points.windows(2) {
            let ((low, low_sign), (high, high_sign)) = (pair[0], pair[1]);
            if low_sign * high_sign < 0 {
                roots.push(self.bracketed(low, high, low_sign));
            }
            if high_sign == 0 && high < LIMIT {
                roots.push(high);
            }
        }
        roots.dedup_by(|right, left| (*right - *left).abs() <= 1e-15 * left.abs());
        roots
    }

    /// The root between two points of opposite sign.
    fn bracketed(&self, mut low: f64, mut high: f64, low_sign: i8) -> f64 {
        // From the end nearer to zero, widen by doubling: most roots lie near it, while the bracket may be ±LIMIT.
        let mut width = 0.5;
        if high >= LIMIT {
            let start = if low <= -LIMIT { 0.0 } else { low };
            let mut from = start;
            while from < high {
                if self.sign(from) * low_sign > 0 {
                    low = from;
                } else {
                    high = from;
                    break;
                }
                from = (from + width).min(LIMIT);
                width *= 2.0;
            }
        }
        width = 0.5;
        if low <= -LIMIT {
            let mut from = high;
            while from > low {
                if self.sign(from) * low_sign > 0 {
                    low = from;
                    break;
                }
                high = from;
                from = (from - width).max(-LIMIT);
                width *= 2.0;
            }
        }
        let mut x = 0.5 * (low + high);
        for _ in 0..400 {
            let value = self.value(x);
            if value.log_ratio == 0.0 {
                return x;
            }
            if (value.log_ratio > 0.0) == (low_sign > 0) {
                low = x;
            } else {
                high = x;
            }
            let newton = x - value.log_ratio / value.slope;
            let next = if newton > low && newton < high { newton } else { 0.5 * (low + high) };
            let step = (next - x).abs();
            x = next;
            if step <= 4.0 * f64::EPSILON * x.abs().max(1e-6) || high - low <= 2.0 * f64::EPSILON * x.abs() {
                return x;
            }
        }
        x
    }

    /// Sign of f(x): 0 where it vanishes within rounding.
    fn sign(&self, x: f64) -> i8 {
        let (positive, negative, _, _) = self.sums(x);
        let difference = positive - negative;
        if difference.abs() <= 32.0 * f64::EPSILON * (positive + negative) {
            0
        } else if difference > 0.0 {
            1
        } else {
            -1
        }
    }

    fn value(&self, x: f64) -> Value {
        let (positive, negative, positive_time, negative_time) = self.sums(x);
        Value { log_ratio: (positive / negative).ln(), slope: negative_time / negative - positive_time / positive }
    }

    /// The time whose power is 1, such that all others are smaller: the first for positive x, the last for negative.
    fn origin(&self, x: f64) -> f64 {
        if x < 0.0 { self.times.last().copied().unwrap_or(0.0) } else { 0.0 }
    }

    /// Present values of inflows and of outflows, and both weighted by time, all scaled so that the largest power is 1.
    fn sums(&self, x: f64) -> (f64, f64, f64, f64) {
        let origin = self.origin(x);
        let (mut sum, mut absolute, mut sum_time, mut absolute_time) = (0.0, 0.0, 0.0, 0.0);
        for (time, amount) in self.times.iter().zip(&self.amounts) {
            let value = amount * ((origin - time) * x).exp();
            sum += value;
            absolute += value.abs();
            sum_time += value * time;
            absolute_time += value.abs() * time;
        }
        (0.5 * (absolute + sum), 0.5 * (absolute - sum), 0.5 * (absolute_time + sum_time), 0.5 * (absolute_time - sum_time))
    }
}

/// Σ v, and mean and variance of the times weighted by v, where v = amount · e^((origin - time) x), every power at most 1.
fn moments(times: &[f64], amounts: &[f64], origin: f64, x: f64) -> [f64; 3] {
    const BLOCK: usize = 64;
    const LANES: usize = 4;
    let mut sums = [[0.0_f64; LANES]; 3];
    for (times, amounts) in times.chunks(BLOCK).zip(amounts.chunks(BLOCK)) {
        // First the values, each on its own, then the sums in lanes: either loop becomes vector instructions.
        let (mut values, mut at) = ([0.0; BLOCK], [0.0; BLOCK]);
        let length = times.len().min(amounts.len());
        at[..length].copy_from_slice(&times[..length]);
        for ((value, time), amount) in values[..length].iter_mut().zip(&at[..length]).zip(amounts) {
            *value = amount * power((origin - time) * x);
        }
        let padded = length.div_ceil(LANES) * LANES;
        for (values, times) in values[..padded].as_chunks::<LANES>().0.iter().zip(at[..padded].as_chunks::<LANES>().0) {
            for lane in 0..LANES {
                let moment = values[lane] * times[lane];
                sums[0][lane] += values[lane];
                sums[1][lane] += moment;
                sums[2][lane] += moment * times[lane];
            }
        }
    }
    let [sum, first, second] = sums.map(|lanes| lanes.iter().sum::<f64>());
    let mean = first / sum;
    [sum, mean, second / sum - mean * mean]
}

/// e^y for y ≤ 0 (0 below -700), to about one unit in the last place. Without branches or calls, so that a loop over it
/// becomes vector instructions: y = k ln 2 + r, |r| ≤ ln 2 / 2, Taylor's series to r^12, and k added to the exponent's bits.
#[inline]
fn power(y: f64) -> f64 {
    /// Adding it rounds to a whole number, which then stands in the lowest bits.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
    const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    const TERMS: [f64; 13] = [
        1.0 / 479_001_600.0,
        1.0 / 39_916_800.0,
        1.0 / 3_628_800.0,
        1.0 / 362_880.0,
        1.0 / 40_320.0,
        1.0 / 5_040.0,
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5,
        1.0,
        1.0,
    ];
    let kept = if y > -700.0 { y } else { -700.0 };
    let rounded = kept * std::f64::consts::LOG2_E + ROUND;
    let whole = rounded - ROUND;
    let r = (kept - whole * LN_2_HIGH) - whole * LN_2_LOW;
    let mut sum = TERMS[0];
    for term in &TERMS[1..] {
        sum = sum * r + term;
    }
    let scale = f64::from_bits(rounded.to_bits().wrapping_add(1023) << 52);
    if y > -700.0 { sum * scale } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_roots(roots: &[f64]) -> Flows {
        let mut amounts = vec![1.0];
        for root in roots {
            let mut next = vec![0.0; amounts.len() + 1];
            for (index, amount) in amounts.iter().enumerate() {
                next[index] += amount;
                next[index + 1] -= amount * (1.0 + root);
            }
            amounts = next;
        }
        let times: Vec<f64> = (0_u32..).map(f64::from).take(amounts.len()).collect();
        Flows::new(&times, &amounts)
    }

    #[test]
    fn every_constructed_root_is_found() {
        for wanted in [&[0.1, 0.2][..], &[-0.9, 0.0, 3.0], &[-0.5, 0.01, 0.5, 2.0, 20.0], &[0.0]] {
            let found: Vec<f64> = of_roots(wanted).roots().iter().map(|x| x.exp_m1()).collect();
            assert_eq!(found.len(), wanted.len(), "{found:?} against {wanted:?}");
            for (found, wanted) in found.iter().zip(wanted) {
                assert!((found - wanted).abs() < 1e-9, "{found} is not {wanted}");
            }
        }
    }

    #[test]
    fn powers_are_exact_to_the_last_places() {
        for step in 0..100_000_u32 {
            let y = -f64::from(step) * 0.006_99;
            assert!((power(y) / y.exp() - 1.0).abs() < 1e-15, "e^{y}: {} and {}", power(y), y.exp());
        }
        assert_eq!((power(0.0).to_bits(), power(-701.0).to_bits()), (1.0_f64.to_bits(), 0.0_f64.to_bits()));
    }

    #[test]
    fn a_double_root_is_one_root() {
        let found = of_roots(&[0.25, 0.25]).roots();
        assert_eq!(found.len(), 1);
        assert!((found[0].exp_m1() - 0.25).abs() < 1e-7);
    }

    #[test]
    fn same_times_add_up_and_order_does_not_matter() {
        let flows = Flows::new(&[1.0, 0.0, 1.0, 2.0], &[60.0, -100.0, 60.0, 0.0]);
        assert_eq!(flows.times, vec![0.0, 1.0]);
        assert!((flows.roots()[0].exp_m1() - 0.2).abs() < 1e-12);
    }
}
