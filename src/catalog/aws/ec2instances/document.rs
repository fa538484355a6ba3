//! The JSON of ec2instances.info, borrowed from the buffer: an instance type has dozens of fields, and hundreds of prices of which few may
//! be wanted, so that nothing is copied and regions that were not asked for are passed over.

use crate::catalog::builder::Selection;
use crate::catalog::stream::Text;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de};
use std::fmt;

/// A value of the document.
#[derive(Clone, Debug, Default)]
pub(super) enum Value<'a> {
    Text(Text<'a>),
    Number(f64),
    Object(Vec<(Text<'a>, Value<'a>)>),
    /// An array, a truth value or nothing.
    #[default]
    Other,
}

impl<'de: 'a, 'a> Deserialize<'de> for Value<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ValueVisitor;
        impl<'de> Visitor<'de> for ValueVisitor {
            type Value = Value<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON value")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Value<'de>, E> {
                Ok(Value::Text(Text(text.into())))
            }

            fn visit_str<E>(self, text: &str) -> Result<Value<'de>, E> {
                Ok(Value::Text(Text(text.to_owned().into())))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Value<'de>, E> {
                Ok(Value::Number(number))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Value<'de>, E> {
                u32::try_from(number).map(|number| Value::Number(number.into())).map_err(|_| E::custom("a price above 4 billion"))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Value<'de>, E> {
                i32::try_from(number)
                    .map(|number| Value::Number(number.into()))
                    .map_err(|_| E::custom("a price below -2 billion"))
            }

            fn visit_bool<E>(self, _: bool) -> Result<Value<'de>, E> {
                Ok(Value::Other)
            }

            fn visit_unit<E>(self) -> Result<Value<'de>, E> {
                Ok(Value::Other)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value<'de>, A::Error> {
                while sequence.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Value::Other)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value<'de>, A::Error> {
                let mut fields = Vec::with_capacity(12);
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Value::Object(fields))
            }
        }
        deserializer.deserialize_any(ValueVisitor)
    }
}

/// The prices of one operating system or engine.
#[derive(Clone, Debug, Default)]
pub(super) struct Entry<'a> {
    pub(super) on_demand: Option<Value<'a>>,
    pub(super) reserved: Vec<(Text<'a>, Value<'a>)>,
    pub(super) spot_average: Option<Value<'a>>,
    /// The class of interruption, in words.
    pub(super) interruption: Option<Text<'a>>,
}

impl<'a> Entry<'a> {
    /// The entry of these fields.
    pub(super) fn of(fields: Vec<(Text<'a>, Value<'a>)>) -> Self {
        let mut entry = Self::default();
        for (key, value) in fields {
            match (&*key, value) {
                ("ondemand", value) => entry.on_demand = Some(value),
                ("reserved", Value::Object(prices)) => entry.reserved = prices,
                ("spot_avg", value) => entry.spot_average = Some(value),
                ("pct_interrupt", Value::Text(class)) => entry.interruption = Some(class),
                _ => {}
            }
        }
        entry
    }
}

/// An instance type of the file, or a node type of its files for other services.
#[derive(Debug, Default)]
pub(super) struct Instance<'a> {
    pub(super) instance_type: Text<'a>,
    /// The service's code, where the file is not of EC2.
    pub(super) service: Option<Text<'a>>,
    /// Region, then operating system or engine.
    pub(super) pricing: Vec<(Text<'a>, Vec<(Text<'a>, Value<'a>)>)>,
    /// How many regions were passed over.
    pub(super) left_out: u64,
}

/// Reads an instance type, of its regions those that may be wanted.
pub(super) struct InstanceSeed<'s>(pub(super) &'s Selection);

impl<'de> DeserializeSeed<'de> for InstanceSeed<'_> {
    type Value = Instance<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Instance<'de>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for InstanceSeed<'_> {
    type Value = Instance<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an instance type with `instance_type` and `pricing`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Instance<'de>, A::Error> {
        let mut instance = Instance::default();
        let (mut is_named, mut is_priced) = (false, false);
        while let Some(key) = map.next_key::<Text<'de>>()? {
            match &*key {
                "instance_type" => {
                    instance.instance_type = map.next_value()?;
                    is_named = true;
                }
                // Files of some services have both spellings.
                "servicecode" | "serviceCode" => instance.service = map.next_value()?,
                "pricing" => {
                    map.next_value_seed(PricingSeed { selection: self.0, instance: &mut instance })?;
                    is_priced = true;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        if !is_named || !is_priced {
            return Err(de::Error::missing_field(if is_named { "pricing" } else { "instance_type" }));
        }
        Ok(instance)
    }
}

struct PricingSeed<'s, 'i, 'a> {
    selection: &'s Selection,
    instance: &'i mut Instance<'a>,
}

impl<'de> DeserializeSeed<'de> for PricingSeed<'_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for PricingSeed<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("prices by region")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(region) = map.next_key::<Text<'de>>()? {
            if !self.selection.takes_region(&region) {
                map.next_value::<IgnoredAny>()?;
                self.instance.left_out += 1;
                continue;
            }
            match map.next_value()? {
                Value::Object(systems) => self.instance.pricing.push((region, systems)),
                _ => return Err(de::Error::custom(format!("`{}` is not an object of operating systems", &*region))),
            }
        }
        Ok(())
    }
}
