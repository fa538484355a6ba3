//! One hour of the recourse: the prices of all slots at given demand and capacity.
//!
//! A slot over a single line serves it first, since it can serve nothing else: what it covers comes off the line's demand. The other slots form
//! trees: the slot with the most lines is the root of its component, and without it the rest falls apart. For a fixed price of the root the
//! children are independent; a slot without active slots beneath it is a fractional knapsack, solved by selection in linear time; any other
//! price is found on its concave piecewise linear value by intersecting tangents.

/// The slots, sorted into those over one line and the trees of the others.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    solos: Vec<Solo>,
    wide: Vec<usize>,
    nodes: Vec<Node>,
    roots: Vec<usize>,
}

/// A slot over one line.
#[derive(Clone, Copy, Debug)]
struct Solo {
    slot: usize,
    line: usize,
    weight: f64,
}

/// A slot in the tree.
#[derive(Clone, Debug)]
struct Node {
    slot: usize,
    /// The slot's lines with their weights.
    lines: Vec<(usize, f64)>,
    /// All lines of the subtree.
    all: Vec<usize>,
    /// The lines of the subtree that are in no child.
    own: Vec<usize>,
    children: Vec<usize>,
    /// All slots of the subtree.
    slots: Vec<usize>,
}

impl Tree {
    /// `slots`: lines and weights of each slot.
    pub(super) fn new(slots: &[Vec<(usize, f64)>]) -> Self {
        let is_solo = |slot: &usize| slots[*slot].len() == 1;
        let (solo, wide): (Vec<usize>, Vec<usize>) = (0..slots.len()).partition(is_solo);
        let solos = solo.into_iter().map(|slot| Solo { slot, line: slots[slot][0].0, weight: slots[slot][0].1 }).collect();
        let mut nodes = Vec::new();
        let roots = grow(wide.clone(), slots, &mut nodes);
        Self { solos, wide, nodes, roots }
    }

    /// The slots over several lines.
    pub(super) fn wide(&self) -> &[usize] {
        &self.wide
    }

    /// The prices of an hour: `scratch.lambda` for each slot and, in `scratch.cap`, the marginal cost of each line.
    pub(super) fn price(&self, demand: &[f64], prices: &[f64], capacity: &[f64], scratch: &mut Scratch) {
        let mut residual = std::mem::take(&mut scratch.residual);
        for ((residual, demand), served) in residual.iter_mut().zip(demand).zip(&scratch.served) {
            *residual = (demand - served).max(0.0);
        }
        scratch.cap.copy_from_slice(prices);
        scratch.open.copy_from_slice(&residual);
        for root in &self.roots {
            self.solve(*root, &residual, capacity, scratch);
        }
        for node in self.nodes.iter().filter(|node| capacity[node.slot] > 0.0) {
            let lambda = scratch.lambda[node.slot];
            for (line, weight) in &node.lines {
                scratch.cap[*line] = scratch.cap[*line].min(lambda * weight);
            }
        }
        // A slot without capacity costs nothing at any price: the lowest that changes no line's marginal cost gives the strongest cut.
        for node in self.nodes.iter().filter(|node| capacity[node.slot] <= 0.0) {
            let of_line = |(line, weight): &(usize, f64)| if residual[*line] > 0.0 { scratch.cap[*line] / weight } else { 0.0 };
            scratch.lambda[node.slot] = node.lines.iter().map(of_line).fold(0.0, f64::max);
        }
        for solo in &self.solos {
            scratch.lambda[solo.slot] = if residual[solo.line] > 0.0 { scratch.cap[solo.line] / solo.weight } else { 0.0 };
        }
        for ((cap, residual), served) in scratch.cap.iter_mut().zip(&residual).zip(&scratch.served) {
            if *residual <= 0.0 && *served > 0.0 {
                *cap = 0.0;
            }
        }
        scratch.residual = residual;
    }

    /// The value of a subtree at the marginal costs in `scratch.cap`. Leaves the prices in `scratch.lambda` and what no slot of the subtree covers
    /// in `scratch.open`.
    fn solve(&self, index: usize, demand: &[f64], capacity: &[f64], scratch: &mut Scratch) -> f64 {
        let node = &self.nodes[index];
        if !scratch.has_active[index] {
            let mut value = 0.0;
            for line in &node.all {
                scratch.open[*line] = demand[*line];
                value += demand[*line] * scratch.cap[*line];
            }
            return value;
        }
        if capacity[node.slot] <= 0.0 {
            return self.solve_children(node, demand, capacity, scratch);
        }
        if scratch.has_active_below[index] {
            self.search(index, demand, capacity, scratch)
        } else {
            knapsack(node, demand, capacity[node.slot], scratch)
        }
    }

    fn solve_children(&self, node: &Node, demand: &[f64], capacity: &[f64], scratch: &mut Scratch) -> f64 {
        let mut value = 0.0;
        for line in &node.own {
            scratch.open[*line] = demand[*line];
            value += demand[*line] * scratch.cap[*line];
        }
        for child in &node.children {
            value += self.solve(*child, demand, capacity, scratch);
        }
        value
    }

    /// Finds the price of a slot with active slots beneath it.
    fn search(&self, index: usize, demand: &[f64], capacity: &[f64], scratch: &mut Scratch) -> f64 {
        let node = &self.nodes[index];
        let mut work = std::mem::take(&mut scratch.work[index]);
        for (position, (line, _)) in node.lines.iter().enumerate() {
            work.cap[position] = scratch.cap[*line];
        }
        let of_line = |(position, (line, weight)): (usize, &(usize, f64))| {
            if demand[*line] > 0.0 { work.cap[position] / weight } else { 0.0 }
        };
        let highest = node.lines.iter().enumerate().map(of_line).fold(0.0, f64::max);
        let mut left: Option<Tangent> = None;
        let mut right: Option<Tangent> = None;
        let mut price = if work.last > 0.0 && work.last < highest { work.last } else { 0.5 * highest };
        let mut stride = 0.01;
        for _ in 0..100 {
            let tangent = self.tangent(node, price, demand, capacity, scratch, &work);
            let side = usize::from(tangent.slope <= 0.0);
            work.keep(side, node, scratch);
            let tiny = 1e-12 * capacity[node.slot];
            if side == 0 {
                left = Some(tangent);
            } else {
                right = Some(tangent);
                if price <= 0.0 || tangent.slope.abs() <= tiny {
                    left = None;
                    break;
                }
            }
            stride *= 4.0;
            price = match (&left, &right) {
                (Some(left), Some(right)) => {
                    let meet = (right.value - left.value + left.slope * left.price - right.slope * right.price)
                        / (left.slope - right.slope);
                    let bound = left.value + left.slope * (meet - left.price);
                    let best = left.value.max(right.value);
                    if bound - best <= 1e-10 * best.abs().max(1e-9) {
                        break;
                    }
                    meet
                }
                // Step outwards from the price of the hour before, which is near, before going to the ends.
                (Some(_), None) => {
                    if stride < 1.0 {
                        (price * (1.0 + stride)).min(highest)
                    } else {
                        highest
                    }
                }
                (None, _) => {
                    if stride < 1.0 {
                        price * (1.0 - stride)
                    } else {
                        0.0
                    }
                }
            };
        }
        let value = self.settle(node, left, right, &mut work, scratch);
        scratch.work[index] = work;
        value
    }

    /// Value and slope of a slot at a price; leaves what remains open in `scratch.open`.
    fn tangent(&self, node: &Node, price: f64, demand: &[f64], capacity: &[f64], scratch: &mut Scratch, work: &Work) -> Tangent {
        for (position, (line, weight)) in node.lines.iter().enumerate() {
            scratch.cap[*line] = work.cap[position].min(price * weight);
        }
        let value = self.solve_children(node, demand, capacity, scratch) - price * capacity[node.slot];
        let mut slope = -capacity[node.slot];
        for (position, (line, weight)) in node.lines.iter().enumerate() {
            // Not at the line's own worth, which `price` reaches only up to rounding.
            let is_covered = price * weight < work.cap[position] * (1.0 - 1e-12);
            if is_covered {
                slope += weight * scratch.open[*line];
                scratch.open[*line] = 0.0;
            }
        }
        Tangent { price, value, slope }
    }

    /// Ends a search: takes the prices of the better side and mixes what both leave open so that the slot is just used up.
    fn settle(&self, node: &Node, left: Option<Tangent>, right: Option<Tangent>, work: &mut Work, scratch: &mut Scratch) -> f64 {
        for (position, (line, _)) in node.lines.iter().enumerate() {
            scratch.cap[*line] = work.cap[position];
        }
        let (best, side, share) = match (left, right) {
            (Some(left), Some(right)) => {
                let side = usize::from(right.value > left.value);
                (if side == 0 { left } else { right }, side, -right.slope / (left.slope - right.slope))
            }
            (Some(only), None) => (only, 0, 1.0),
            (None, Some(only)) => (only, 1, 0.0),
            (None, None) => return 0.0, // the loop above always keeps a side
        };
        for (position, line) in node.all.iter().enumerate() {
            scratch.open[*line] = share * work.open[0][position] + (1.0 - share) * work.open[1][position];
        }
        for (position, slot) in node.slots.iter().enumerate() {
            scratch.lambda[*slot] = work.lambda[side][position];
        }
        scratch.lambda[node.slot] = best.price;
        work.last = best.price;
        best.value
    }
}

/// A point of a slot's value as a function of its price.
#[derive(Clone, Copy, Debug)]
struct Tangent {
    price: f64,
    value: f64,
    slope: f64,
}

/// A slot with no active slot beneath it: its capacity goes to the lines worth most per unit.
fn knapsack(node: &Node, demand: &[f64], capacity: f64, scratch: &mut Scratch) -> f64 {
    for line in &node.all {
        scratch.open[*line] = demand[*line];
    }
    let order = &mut scratch.order;
    order.clear();
    let mut need = 0.0;
    for (line, weight) in &node.lines {
        if demand[*line] > 0.0 {
            need += demand[*line] * weight;
            order.push((scratch.cap[*line] / weight, *line, demand[*line] * weight));
        }
    }
    let mut price = 0.0;
    if need <= capacity {
        for (_, line, _) in order.iter() {
            scratch.open[*line] = 0.0;
        }
    } else {
        // Halve the lines by worth: the better half is either covered whole, or holds the line that the capacity ends in.
        let (mut left, mut low, mut high) = (capacity, 0, order.len());
        while high - low > 1 {
            let middle = usize::midpoint(low, high);
            order[low..high].select_nth_unstable_by(middle - low, |a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            let better: f64 = order[low..middle].iter().map(|(_, _, need)| need).sum();
            if better <= left {
                for (_, line, _) in &order[low..middle] {
                    scratch.open[*line] = 0.0;
                }
                left -= better;
                low = middle;
            } else {
                high = middle;
            }
        }
        let (worth, line, need) = order[low];
        scratch.open[line] -= demand[line] * (left / need).min(1.0);
        price = worth;
    }
    scratch.lambda[node.slot] = price;
    node.all.iter().map(|line| scratch.open[*line] * scratch.cap[*line]).sum()
}

/// Memory of the hour loop for one set of capacities, so that it allocates nothing.
pub(super) struct Scratch {
    /// The marginal cost of each line.
    pub(super) cap: Vec<f64>,
    /// The price of each slot.
    pub(super) lambda: Vec<f64>,
    /// What the slots over one line serve of each line.
    served: Vec<f64>,
    /// What they leave of its demand.
    residual: Vec<f64>,
    /// What is not covered of each line, in the cheapest order.
    pub(super) open: Vec<f64>,
    has_active: Vec<bool>,
    has_active_below: Vec<bool>,
    order: Vec<(f64, usize, f64)>,
    work: Vec<Work>,
}

impl Scratch {
    pub(super) fn new(tree: &Tree, capacity: &[f64], lines: usize) -> Self {
        let work = |node: &Node| Work {
            cap: vec![0.0; node.lines.len()],
            open: [vec![0.0; node.all.len()], vec![0.0; node.all.len()]],
            lambda: [vec![0.0; node.slots.len()], vec![0.0; node.slots.len()]],
            last: 0.0,
        };
        let mut served = vec![0.0; lines];
        for solo in &tree.solos {
            served[solo.line] += capacity[solo.slot] / solo.weight;
        }
        // Children stand before their parents in `nodes`.
        let (mut has_active, mut has_active_below) = (vec![false; tree.nodes.len()], vec![false; tree.nodes.len()]);
        for (index, node) in tree.nodes.iter().enumerate() {
            has_active_below[index] = node.children.iter().any(|child| has_active[*child]);
            has_active[index] = has_active_below[index] || capacity[node.slot] > 0.0;
        }
        Self {
            cap: vec![0.0; lines],
            lambda: vec![0.0; capacity.len()],
            served,
            residual: vec![0.0; lines],
            open: vec![0.0; lines],
            has_active,
            has_active_below,
            order: Vec::with_capacity(lines),
            work: tree.nodes.iter().map(work).collect(),
        }
    }
}

/// Memory of one node's search: marginal costs from above; what is open and the prices at the best point of either side.
#[derive(Default)]
struct Work {
    cap: Vec<f64>,
    open: [Vec<f64>; 2],
    lambda: [Vec<f64>; 2],
    /// The price found in the hour before: the next search starts there.
    last: f64,
}

impl Work {
    fn keep(&mut self, side: usize, node: &Node, scratch: &Scratch) {
        for (kept, line) in self.open[side].iter_mut().zip(&node.all) {
            *kept = scratch.open[*line];
        }
        for (kept, slot) in self.lambda[side].iter_mut().zip(&node.slots) {
            *kept = scratch.lambda[*slot];
        }
    }
}

/// Grows the trees of these slots; children are pushed before their parents. Returns the roots.
fn grow(slots: Vec<usize>, weights: &[Vec<(usize, f64)>], nodes: &mut Vec<Node>) -> Vec<usize> {
    let mut roots = Vec::new();
    for component in components(slots, weights) {
        let mut lines: Vec<usize> = component.iter().flat_map(|slot| weights[*slot].iter().map(|(line, _)| *line)).collect();
        lines.sort_unstable();
        lines.dedup();
        // The widest slot is the root; among equals the first, so that the tree does not depend on the order of the components.
        let Some(root) = component.iter().copied().max_by_key(|slot| (weights[*slot].len(), usize::MAX - slot)) else { continue };
        let children = grow(component.iter().copied().filter(|slot| *slot != root).collect(), weights, nodes);
        let below = |line: &usize| children.iter().any(|child| nodes[*child].all.binary_search(line).is_ok());
        let own = lines.iter().copied().filter(|line| !below(line)).collect();
        nodes.push(Node { slot: root, lines: weights[root].clone(), all: lines, own, children, slots: component });
        roots.push(nodes.len() - 1);
    }
    roots
}

/// Splits slots into groups that share no line.
fn components(slots: Vec<usize>, weights: &[Vec<(usize, f64)>]) -> Vec<Vec<usize>> {
    let mut groups: Vec<(Vec<usize>, std::collections::BTreeSet<usize>)> = Vec::new();
    for slot in slots {
        let mut members = vec![slot];
        let mut lines: std::collections::BTreeSet<usize> = weights[slot].iter().map(|(line, _)| *line).collect();
        groups.retain_mut(|(others, their_lines)| {
            let is_apart = their_lines.is_disjoint(&lines);
            if !is_apart {
                members.append(others);
                lines.append(their_lines);
            }
            is_apart
        });
        members.sort_unstable();
        groups.push((members, lines));
    }
    groups.into_iter().map(|(members, _)| members).collect()
}
