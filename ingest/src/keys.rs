//! Numbers for what rows say. The texts that a class and a usage line are made of are the same in very many rows: every distinct set of them gets a
//! number when it is first seen, its class is worked out once, and rows are added up by number and hour.
//!
//! Two functions of the engine do it: `key_of` gives the number of a row, `slot_of` puts it together with the hour.

mod call;

pub(crate) use call::{class_of, key_of, slot_of};

use crate::classes::{ChargeKind, Class};
use crate::reconciliation::Treatment;
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Decimal128Array, Int64Array, RecordBatch, StringViewArray, new_null_array,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Decimal128Type, Field, Int64Type, Schema, SchemaRef};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::PhysicalExpr;
use std::collections::HashMap;
use std::collections::hash_map::{Entry, RandomState};
use std::hash::{BuildHasher, BuildHasherDefault, Hasher};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// The seconds of an hour.
const HOUR: i64 = 3600;

/// A text of at most so many bytes is in its view.
const INLINE: u32 = 12;

/// The parts of a slot: the number of the row's texts, whether its on-demand price is missing, whether there is a quantity, and the hour or the
/// number of its two instants.
const KEY_SHIFT: u32 = 34;
const UNLISTED: i64 = 1 << 33;
const POSITIVE: i64 = 1 << 32;
const SPAN: u32 = 1 << 31;
const NO_HOUR: u32 = u32::MAX;

/// What the columns given to `key_of` are, in this order.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    /// Columns of text.
    pub(crate) texts: Vec<String>,
    /// Columns of whole numbers.
    pub(crate) numbers: Vec<String>,
    /// Conditions on the other columns that a class is made of.
    pub(crate) flags: Vec<String>,
}

impl Layout {
    fn schema(&self) -> SchemaRef {
        let fields = |names: &[String], data_type: DataType| -> Vec<Field> {
            names.iter().map(|name| Field::new(name, data_type.clone(), true)).collect()
        };
        let (texts, numbers) = (fields(&self.texts, DataType::Utf8View), fields(&self.numbers, DataType::Int64));
        Arc::new(Schema::new([texts, numbers, fields(&self.flags, DataType::Boolean)].concat()))
    }
}

/// All distinct sets of texts seen so far.
pub(crate) struct Keys {
    layout: Layout,
    schema: SchemaRef,
    classes: &'static [Class],
    class: Arc<dyn PhysicalExpr>,
    /// The seconds that rows are added up by: an hour, or less where months begin within one.
    step: i64,
    seed: u64,
    table: RwLock<Table>,
    spans: Mutex<Spans>,
}

/// The sets, by column.
#[derive(Default)]
struct Table {
    index: HashMap<u64, u32, BuildHasherDefault<Itself>>,
    texts: Vec<Texts>,
    numbers: Vec<Vec<Option<i64>>>,
    flags: Vec<u128>,
    classes: Vec<u16>,
}

/// Texts as the engine's views: those of at most 12 bytes whole, of longer ones length, first bytes and place in `long`.
#[derive(Default)]
struct Texts {
    views: Vec<u128>,
    long: Vec<Box<str>>,
}

/// Pairs of first and last second of rows that are not within one hour.
#[derive(Default)]
struct Spans {
    index: HashMap<(i64, i64), u32>,
    pairs: Vec<(i64, i64)>,
}

/// The hash of a number that is a hash.
#[derive(Default)]
struct Itself(u64);

impl Hasher for Itself {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0 << 8 | u64::from(*byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

/// What a slot says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    /// The number of the texts.
    pub(crate) key: usize,
    /// Whether the row has no on-demand price.
    pub(crate) is_unlisted: bool,
    /// Whether it has a quantity above 0.
    pub(crate) is_positive: bool,
    /// When, of rows that are usage.
    pub(crate) time: Option<Time>,
}

/// When usage was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Time {
    /// Within the hour of this second.
    Hour(i64),
    /// From one second to another, over the end of an hour or backward.
    Span(i64, i64),
}

/// A column of a batch.
enum Cells<T> {
    One(T),
    Rows(T),
}

impl Keys {
    pub(crate) fn new(layout: Layout, classes: &'static [Class], class: Arc<dyn PhysicalExpr>, step: i64) -> Result<Self> {
        if layout.flags.len() > 64 {
            return Err(DataFusionError::Internal(format!("{} conditions in a class", layout.flags.len())));
        }
        let table = Table {
            texts: layout.texts.iter().map(|_| Texts::default()).collect(),
            numbers: vec![Vec::new(); layout.numbers.len()],
            ..Table::default()
        };
        let (schema, seed) = (layout.schema(), RandomState::new().hash_one(0));
        let (table, spans) = (RwLock::new(table), Mutex::default());
        Ok(Self { layout, schema, classes, class, step, seed, table, spans })
    }

    /// The columns of [`Layout`] for every number so far.
    pub(crate) fn batch(&self) -> Result<RecordBatch> {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        self.rows(&table, 0)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.table.read().unwrap_or_else(PoisonError::into_inner).flags.len()
    }

    /// The class of each by its place in the format's list.
    pub(crate) fn classes(&self) -> Vec<u16> {
        self.table.read().unwrap_or_else(PoisonError::into_inner).classes.clone()
    }

    /// What a slot says.
    pub(crate) fn slot(&self, slot: i64) -> Slot {
        let index = u32::try_from(slot & i64::from(u32::MAX)).unwrap_or(NO_HOUR);
        let time = match index {
            NO_HOUR => None,
            _ if index & SPAN != 0 => {
                let spans = self.spans.lock().unwrap_or_else(PoisonError::into_inner);
                let (since, until) = spans.pairs.get(place(index & !SPAN)).copied().unwrap_or_default();
                Some(Time::Span(since, until))
            }
            _ => Some(Time::Hour(i64::from(index) * self.step)),
        };
        let key = usize::try_from(slot >> KEY_SHIFT).unwrap_or_default();
        Slot { key, is_unlisted: slot & UNLISTED != 0, is_positive: slot & POSITIVE != 0, time }
    }

    /// The names of the classes of some numbers.
    fn names(&self, keys: &Int64Array) -> StringViewArray {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        let name = |key: Option<i64>| {
            let class = table.classes.get(usize::try_from(key?).ok()?)?;
            self.classes.get(usize::from(*class)).map(|class| class.name)
        };
        keys.iter().map(name).collect()
    }

    /// The numbers of rows.
    pub(crate) fn intern(&self, args: &[ColumnarValue], rows: usize) -> Result<Int64Array> {
        let (texts, rest) = args.split_at(self.layout.texts.len().min(args.len()));
        let (numbers, flags) = rest.split_at(self.layout.numbers.len().min(rest.len()));
        let texts: Vec<Cells<StringViewArray>> = texts.iter().map(text_cells).collect::<Result<_>>()?;
        let numbers: Vec<Cells<Int64Array>> = numbers.iter().map(number_cells).collect::<Result<_>>()?;
        let flags = bits(flags, rows)?;
        let hashes = self.hashes(&texts, &numbers, &flags, rows);
        let mut found = vec![0i64; rows];
        let mut missed = Vec::new();
        {
            let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
            for row in 0..rows {
                match table.find(hashes[row], row, &texts, &numbers, flags[row]) {
                    Ok(key) => found[row] = i64::from(key),
                    Err(_) => missed.push(row),
                }
            }
        }
        if !missed.is_empty() {
            let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
            let known = table.flags.len();
            for row in missed {
                let key = match table.find(hashes[row], row, &texts, &numbers, flags[row]) {
                    Ok(key) => key,
                    Err(free) => table.insert(free, row, &texts, &numbers, flags[row])?,
                };
                found[row] = i64::from(key);
            }
            let classes = self.classify(&self.rows(&table, known)?)?;
            table.classes.extend(classes);
        }
        Ok(Int64Array::from(found))
    }

    fn hashes(&self, texts: &[Cells<StringViewArray>], numbers: &[Cells<Int64Array>], flags: &[u128], rows: usize) -> Vec<u64> {
        let mut hashes = vec![self.seed; rows];
        for column in texts {
            // One text for all rows tells no two of them apart.
            let Cells::Rows(column) = column else { continue };
            for (row, (hash, view)) in hashes.iter_mut().zip(column.views().iter()).enumerate() {
                *hash = if length(*view) <= INLINE {
                    mix(mix(*hash, low(*view)), high(*view))
                } else {
                    column.value(row).as_bytes().chunks(8).fold(*hash, |hash, chunk| {
                        let mut word = [0u8; 8];
                        word[..chunk.len()].copy_from_slice(chunk);
                        mix(hash, u64::from_le_bytes(word))
                    })
                };
            }
        }
        for column in numbers {
            let Cells::Rows(column) = column else { continue };
            for (row, hash) in hashes.iter_mut().enumerate() {
                *hash = mix(*hash, number(column, row).map_or(u64::MAX, i64::cast_unsigned));
            }
        }
        for (hash, flags) in hashes.iter_mut().zip(flags) {
            *hash = mix(mix(*hash, low(*flags)), high(*flags));
        }
        hashes
    }

    /// The rows of a table from one on.
    fn rows(&self, table: &Table, from: usize) -> Result<RecordBatch> {
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(self.schema.fields().len());
        for texts in &table.texts {
            let built: StringViewArray = texts.views[from..].iter().map(|view| Some(texts.get(*view))).collect();
            columns.push(Arc::new(built));
        }
        for numbers in &table.numbers {
            columns.push(Arc::new(Int64Array::from(numbers[from..].to_vec())));
        }
        for flag in 0..self.layout.flags.len() {
            let built: BooleanArray = table.flags[from..].iter().map(|bits| read_flag(*bits, flag)).collect();
            columns.push(Arc::new(built));
        }
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }

    /// The places of the classes of some rows.
    fn classify(&self, rows: &RecordBatch) -> Result<Vec<u16>> {
        let names = cast(&self.class.evaluate(rows)?.into_array(rows.num_rows())?, &DataType::Utf8View)?;
        let place = |name: Option<&str>| {
            let place = self.classes.iter().position(|class| Some(class.name) == name);
            let unknown = || DataFusionError::Internal(format!("{name:?} is no class"));
            place.and_then(|place| u16::try_from(place).ok()).ok_or_else(unknown)
        };
        names.as_string_view().iter().map(place).collect()
    }

    /// The slots of rows: key, first second, end, list cost, quantity.
    pub(crate) fn slots(&self, args: &[ArrayRef], rows: usize) -> Result<Int64Array> {
        let [keys, starts, finishes, lists, quantities] = args else {
            return Err(DataFusionError::Internal("slot_of takes five columns".into()));
        };
        let [keys, starts, finishes] = [keys, starts, finishes].map(|column| cast(column, &DataType::Int64));
        let (keys, starts, finishes) = (keys?, starts?, finishes?);
        let (keys, starts, finishes) =
            (keys.as_primitive::<Int64Type>(), starts.as_primitive::<Int64Type>(), finishes.as_primitive::<Int64Type>());
        let (lists, quantities) = (decimals(lists)?, decimals(quantities)?);
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        // Whether rows are in the curves, and whether it matters that they have no on-demand price.
        let facts = |class: &Class| (is_usage(class), class.kind == ChargeKind::Covered);
        let facts: Vec<(bool, bool)> = self.classes.iter().map(facts).collect();
        let mut slots = Vec::with_capacity(rows);
        for row in 0..rows {
            let key = keys.value(row);
            let class = usize::try_from(key).ok().and_then(|key| table.classes.get(key)).copied().unwrap_or_default();
            let (is_usage, is_covered) = facts.get(usize::from(class)).copied().unwrap_or_default();
            let mut slot = key << KEY_SHIFT;
            if is_covered && (lists.is_null(row) || lists.value(row) == 0) {
                slot |= UNLISTED;
            }
            if is_covered && !quantities.is_null(row) && quantities.value(row) > 0 {
                slot |= POSITIVE;
            }
            let index = match number(starts, row) {
                Some(start) if is_usage => self.index(start, number(finishes, row))?,
                _ => NO_HOUR,
            };
            slots.push(slot | i64::from(index));
        }
        Ok(Int64Array::from(slots))
    }

    /// The hour of a row, or the number of its two instants.
    fn index(&self, start: i64, finish: Option<i64>) -> Result<u32> {
        let hour = start.div_euclid(HOUR) * HOUR;
        let span = finish.filter(|finish| *finish > hour + HOUR || *finish < start);
        let within = u32::try_from(start.div_euclid(self.step)).ok().filter(|index| index & SPAN == 0);
        let pair = match (within, span) {
            (Some(index), None) => return Ok(index),
            (_, Some(finish)) => (start, finish),
            (None, None) => (start, finish.unwrap_or(start)),
        };
        let mut spans = self.spans.lock().unwrap_or_else(PoisonError::into_inner);
        let Spans { index, pairs } = &mut *spans;
        let next = u32::try_from(pairs.len()).ok().filter(|next| next & SPAN == 0);
        match index.entry(pair) {
            Entry::Occupied(known) => Ok(*known.get() | SPAN),
            Entry::Vacant(free) => {
                let next = next.filter(|next| next | SPAN != NO_HOUR);
                let next = next.ok_or_else(|| DataFusionError::ResourcesExhausted("too many different times in rows".into()))?;
                pairs.push(pair);
                Ok(*free.insert(next) | SPAN)
            }
        }
    }
}

/// Whether rows of a class are in the curves.
pub(crate) fn is_usage(class: &Class) -> bool {
    matches!(class.treatment, Treatment::Usage | Treatment::UncoverableUsage)
}

impl Table {
    /// The number of a row, or the hash that is free for it.
    fn find(
        &self,
        hash: u64,
        row: usize,
        texts: &[Cells<StringViewArray>],
        numbers: &[Cells<Int64Array>],
        flags: u128,
    ) -> std::result::Result<u32, u64> {
        let mut hash = hash;
        loop {
            let Some(key) = self.index.get(&hash) else { return Err(hash) };
            let key_place = place(*key);
            let is_same = self.flags[key_place] == flags
                && self.texts.iter().zip(texts).all(|(known, column)| known.is(key_place, column, row))
                && self.numbers.iter().zip(numbers).all(|(known, column)| known[key_place] == at(column, row));
            if is_same {
                return Ok(*key);
            }
            hash = mix(hash, 1);
        }
    }

    fn insert(
        &mut self,
        hash: u64,
        row: usize,
        texts: &[Cells<StringViewArray>],
        numbers: &[Cells<Int64Array>],
        flags: u128,
    ) -> Result<u32> {
        let key = u32::try_from(self.flags.len()).ok().filter(|key| *key < 1 << 29);
        let key = key.ok_or_else(|| DataFusionError::ResourcesExhausted("too many different usage lines".into()))?;
        self.index.insert(hash, key);
        for (known, column) in self.texts.iter_mut().zip(texts) {
            let (Cells::One(column) | Cells::Rows(column)) = column;
            known.push(column.value(if column.len() == 1 { 0 } else { row }));
        }
        for (known, column) in self.numbers.iter_mut().zip(numbers) {
            known.push(at(column, row));
        }
        self.flags.push(flags);
        Ok(key)
    }
}

impl Texts {
    fn push(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let mut view = [0u8; 16];
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        view[..4].copy_from_slice(&length.to_le_bytes());
        if length <= INLINE {
            view[4..4 + bytes.len()].copy_from_slice(bytes);
        } else {
            view[4..8].copy_from_slice(&bytes[..4]);
            view[8..].copy_from_slice(&(self.long.len() as u64).to_le_bytes());
            self.long.push(text.into());
        }
        self.views.push(u128::from_le_bytes(view));
    }

    fn get(&self, view: u128) -> String {
        let bytes = view.to_le_bytes();
        if length(view) > INLINE {
            return self.long[usize::try_from(high(view)).unwrap_or_default()].to_string();
        }
        String::from_utf8_lossy(&bytes[4..4 + place(length(view))]).into_owned()
    }

    fn is(&self, key: usize, column: &Cells<StringViewArray>, row: usize) -> bool {
        let (column, row) = match column {
            Cells::One(column) => (column, 0),
            Cells::Rows(column) => (column, row),
        };
        let (known, view) = (self.views[key], column.views()[row]);
        if length(view) <= INLINE {
            return known == view;
        }
        low(known) == low(view) && *self.long[usize::try_from(high(known)).unwrap_or_default()] == *column.value(row)
    }
}

fn place(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[allow(clippy::cast_possible_truncation)]
fn low(value: u128) -> u64 {
    value as u64
}

#[allow(clippy::cast_possible_truncation)]
fn high(value: u128) -> u64 {
    (value >> 64) as u64
}

/// The bytes of a text, from its view.
#[allow(clippy::cast_possible_truncation)]
fn length(view: u128) -> u32 {
    view as u32
}

/// Folded multiplication.
fn mix(hash: u64, word: u64) -> u64 {
    let product = u128::from(hash ^ word ^ 0x2d35_8dcc_aa6c_78a5) * 0x8bb8_4b93_962e_acc9;
    low(product) ^ high(product)
}

fn number(column: &Int64Array, row: usize) -> Option<i64> {
    (!column.is_null(row)).then(|| column.value(row))
}

fn at(column: &Cells<Int64Array>, row: usize) -> Option<i64> {
    match column {
        Cells::One(column) => number(column, 0),
        Cells::Rows(column) => number(column, row),
    }
}

/// A column as views; what is NULL is the empty text.
fn text_cells(value: &ColumnarValue) -> Result<Cells<StringViewArray>> {
    let views = |column: &ArrayRef| -> Result<StringViewArray> {
        let column = cast(column, &DataType::Utf8View)?.as_string_view().clone();
        if column.null_count() == 0 {
            return Ok(column);
        }
        let views = column.views().iter().enumerate().map(|(row, view)| if column.is_null(row) { 0 } else { *view });
        Ok(StringViewArray::try_new(views.collect(), column.data_buffers().to_vec(), None)?)
    };
    Ok(match value {
        ColumnarValue::Array(column) => Cells::Rows(views(column)?),
        ColumnarValue::Scalar(scalar) => Cells::One(views(&scalar.to_array()?)?),
    })
}

fn number_cells(value: &ColumnarValue) -> Result<Cells<Int64Array>> {
    let numbers =
        |column: &ArrayRef| -> Result<Int64Array> { Ok(cast(column, &DataType::Int64)?.as_primitive::<Int64Type>().clone()) };
    Ok(match value {
        ColumnarValue::Array(column) => Cells::Rows(numbers(column)?),
        ColumnarValue::Scalar(scalar) => Cells::One(numbers(&scalar.to_array()?)?),
    })
}

fn decimals(column: &ArrayRef) -> Result<Decimal128Array> {
    match column.data_type() {
        DataType::Decimal128(..) => Ok(column.as_primitive::<Decimal128Type>().clone()),
        // Only a column that no file has.
        _ => Ok(new_null_array(&DataType::Decimal128(38, 0), column.len()).as_primitive::<Decimal128Type>().clone()),
    }
}

/// Conditions, two bits each: whether it holds, and whether it is known.
fn bits(flags: &[ColumnarValue], rows: usize) -> Result<Vec<u128>> {
    let mut bits = vec![0u128; rows];
    for (flag, value) in flags.iter().enumerate() {
        let (holds, is_unknown) = (1u128 << (2 * flag), 2u128 << (2 * flag));
        match value {
            ColumnarValue::Scalar(scalar) => {
                let column = cast(&scalar.to_array()?, &DataType::Boolean)?;
                let column = column.as_boolean();
                let bit = if column.is_null(0) {
                    is_unknown
                } else if column.value(0) {
                    holds
                } else {
                    0
                };
                bits.iter_mut().for_each(|bits| *bits |= bit);
            }
            ColumnarValue::Array(column) => {
                let column = cast(column, &DataType::Boolean)?;
                let column = column.as_boolean();
                if column.true_count() == 0 && column.null_count() == 0 {
                    continue;
                }
                for (row, bits) in bits.iter_mut().enumerate() {
                    *bits |= if column.is_null(row) {
                        is_unknown
                    } else if column.value(row) {
                        holds
                    } else {
                        0
                    };
                }
            }
        }
    }
    Ok(bits)
}

fn read_flag(bits: u128, flag: usize) -> Option<bool> {
    let two = bits >> (2 * flag) & 3;
    (two & 2 == 0).then_some(two == 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reconciliation::Treatment;
    use datafusion::common::DFSchema;
    use datafusion::prelude::SessionContext;

    const CLASSES: [Class; 2] = [
        crate::classes::class("covered", "covered", Treatment::Usage, ChargeKind::Covered),
        crate::classes::class("other", "other", Treatment::SetAside, ChargeKind::Other),
    ];

    fn keys(step: i64) -> Keys {
        let layout = Layout { texts: vec!["name".into()], numbers: vec!["file".into()], flags: vec!["flag_0".into()] };
        let context = SessionContext::new();
        let schema = DFSchema::try_from(layout.schema().as_ref().clone()).unwrap();
        let sql = "CASE WHEN name LIKE 'a%' AND flag_0 THEN 'covered' ELSE 'other' END";
        let class = context.parse_sql_expr(sql, &schema).unwrap();
        Keys::new(layout, &CLASSES, context.create_physical_expr(class, &schema).unwrap(), step).unwrap()
    }

    fn columns(names: Vec<Option<&str>>, files: Vec<Option<i64>>, flags: Vec<Option<bool>>) -> Vec<ColumnarValue> {
        let columns: [ArrayRef; 3] =
            [Arc::new(StringViewArray::from(names)), Arc::new(Int64Array::from(files)), Arc::new(BooleanArray::from(flags))];
        columns.map(ColumnarValue::Array).to_vec()
    }

    #[test]
    fn rows_that_say_the_same_have_one_number() {
        let keys = keys(HOUR);
        let (long, other) = ("a text of more than twelve bytes", "a text of more than twelve BYTES");
        let names = vec![Some("a"), Some(long), Some("a"), Some(other), None, Some(""), Some("a"), Some(long)];
        let files = vec![Some(0), Some(0), Some(0), Some(0), Some(1), Some(1), None, Some(0)];
        let flags = vec![Some(true), Some(true), Some(true), Some(true), Some(false), Some(false), Some(true), None];
        let found = keys.intern(&columns(names, files, flags), 8).unwrap();
        assert_eq!(found.values().to_vec(), [0, 1, 0, 2, 3, 3, 4, 5]);
        // Known ones keep their numbers, one constant or not.
        let again = columns(vec![Some(other), Some("new")], vec![Some(0); 2], vec![Some(true); 2]);
        assert_eq!(keys.intern(&again, 2).unwrap().values().to_vec(), [2, 6]);
        let batch = keys.batch().unwrap();
        let texts: Vec<&str> = batch.column(0).as_string_view().iter().flatten().collect();
        assert_eq!(texts, ["a", long, other, "", "a", long, "new"]);
        // What is not known to hold does not.
        assert_eq!(keys.classes(), [0, 0, 0, 1, 0, 1, 1]);
        assert_eq!((keys.len(), batch.column(2).null_count()), (7, 1));
    }

    #[test]
    fn slots_say_when_and_what() {
        let keys = keys(900);
        let (names, flags) = (vec![Some("a"); 5], vec![Some(true); 5]);
        let numbers = keys.intern(&columns(names, vec![Some(0); 5], flags), 5).unwrap();
        let starts = Int64Array::from(vec![Some(3_600), Some(4_600), Some(7_000), Some(9_000), Some(-5)]);
        let finishes = Int64Array::from(vec![None, Some(7_200), Some(7_201), Some(8_000), None]);
        let amounts = |values: Vec<Option<i128>>| -> ArrayRef { Arc::new(Decimal128Array::from(values)) };
        let lists = amounts(vec![None, Some(0), Some(5), Some(5), Some(5)]);
        let quantities = amounts(vec![Some(1), Some(0), Some(-1), None, Some(1)]);
        let slots = keys.slots(&[Arc::new(numbers), Arc::new(starts), Arc::new(finishes), lists, quantities], 5).unwrap();
        let said: Vec<Slot> = slots.iter().flatten().map(|slot| keys.slot(slot)).collect();
        let slot = |is_unlisted, is_positive, time| Slot { key: 0, is_unlisted, is_positive, time: Some(time) };
        assert_eq!(
            said,
            [
                slot(true, true, Time::Hour(3_600)),
                slot(true, false, Time::Hour(4_500)),
                slot(false, false, Time::Span(7_000, 7_201)),
                slot(false, false, Time::Span(9_000, 8_000)),
                slot(false, true, Time::Span(-5, -5)),
            ]
        );
    }
}
