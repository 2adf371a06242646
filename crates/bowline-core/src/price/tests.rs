//! No report within the bounds costs more than was set aside.

use proptest::prelude::*;

use super::*;

fn rates() -> impl Strategy<Value = Rates> {
    let rate = || {
        prop_oneof![
            Just(0_u64),
            1_u64..1_000,
            100_000_u64..100_000_000,
            Just(u64::from(u32::MAX))
        ]
    };
    (rate(), rate(), rate(), rate()).prop_map(|(input, output, read, write)| Rates {
        input_micro_usd_per_mtok: input,
        output_micro_usd_per_mtok: output,
        cache_read_micro_usd_per_mtok: read,
        cache_write_micro_usd_per_mtok: write,
    })
}

fn price() -> impl Strategy<Value = Price> {
    let long = proptest::option::of((0_u64..400_000, rates()));
    (rates(), long).prop_map(|(rates, long)| Price {
        rates,
        long: long.map(|(above_input_tokens, rates)| LongRates {
            above_input_tokens,
            rates,
        }),
    })
}

fn usage() -> impl Strategy<Value = Usage> {
    let count = || 0_u64..500_000;
    (count(), count(), count(), count()).prop_map(|(input, output, cached, written)| Usage {
        input_tokens: input,
        output_tokens: output,
        cached_input_tokens: cached,
        cache_write_tokens: written,
        reasoning_tokens: 0,
    })
}

proptest! {
    #[test]
    fn no_usage_within_the_bounds_costs_more_than_the_worst(
        price in price(),
        usage in usage(),
        more_input in 0_u64..1_000,
        more_output in 0_u64..1_000,
    ) {
        let worst = price.worst_micro_usd(
            usage.input_tokens + more_input,
            usage.output_tokens + more_output,
        );
        prop_assert!(price.cost_micro_usd(&usage) <= worst);
    }

    #[test]
    fn what_the_money_pays_for_is_exact(
        price in price(),
        input in 0_u64..500_000,
        money in 0_u64..50_000_000,
    ) {
        match price.output_tokens_for(money, input) {
            None => prop_assert!(price.worst_micro_usd(input, 0) > money),
            Some(u64::MAX) => prop_assert!(price.worst_micro_usd(input, 1_000_000) <= money),
            Some(tokens) => {
                prop_assert!(price.worst_micro_usd(input, tokens) <= money);
                prop_assert!(price.worst_micro_usd(input, tokens + 1) > money);
            }
        }
    }
}

#[test]
fn an_hour_costs_twice_the_input_where_writing_is_charged_for() {
    let check = |input, write, expect| {
        let rates = Rates {
            input_micro_usd_per_mtok: input,
            cache_write_micro_usd_per_mtok: write,
            ..Rates::default()
        };
        let price = Price {
            rates,
            long: Some(LongRates {
                above_input_tokens: 9,
                rates,
            }),
        };
        let hour = price.kept_for(CacheTtl::Hour);
        assert_eq!(hour.rates.cache_write_micro_usd_per_mtok, expect);
        assert_eq!(hour.long.expect("long rates").rates, hour.rates);
        assert_eq!(price.kept_for(CacheTtl::FiveMinutes), price);
        assert!(hour.worst_micro_usd(1_000, 0) >= price.worst_micro_usd(1_000, 0));
    };
    check(3_000_000, 3_750_000, 6_000_000);
    // Nobody charges, or somebody charges more.
    check(3_000_000, 3_000_000, 3_000_000);
    check(3_000_000, 0, 0);
    check(3_000_000, 7_000_000, 7_000_000);
}

#[test]
fn a_started_millionth_counts_whole() {
    let price = Price {
        rates: Rates {
            input_micro_usd_per_mtok: 75_000,
            output_micro_usd_per_mtok: 300_000,
            cache_read_micro_usd_per_mtok: 18_750,
            cache_write_micro_usd_per_mtok: 75_000,
        },
        long: None,
    };
    let one = Usage {
        input_tokens: 1,
        ..Usage::default()
    };
    assert_eq!(price.cost_micro_usd(&one), 1);
    let many = Usage {
        input_tokens: 1_000_000,
        cached_input_tokens: 400_000,
        output_tokens: 10,
        ..Usage::default()
    };
    assert_eq!(price.cost_micro_usd(&many), 45_000 + 7_500 + 3);
}
