use super::*;

#[test]
fn each_kind_of_harmless_number_is_known() {
    for (kind, words) in [
        (
            is_date as fn(&str) -> bool,
            &["2026-11-24", "20261124_100000", "2026_11_24_10_00_00-2"][..],
        ),
        (is_time, &["10:00", "10:00:00,123", "23:59:60.5Z"]),
        (
            is_place,
            &["/data/7", "runs/run3", "train.py:30:5", "https://host/1"],
        ),
        (is_version, &["2.1.0+cu118", "v3.11.4", "127.0.0.1:29500"]),
        (is_hexadecimal, &["0x7f3a", "3f2a9c1"]),
        (is_name, &["resnet18", "cuda:0", "bf16", "--seed2"]),
    ] {
        for word in words {
            assert!(kind(word), "{word}");
        }
    }
    assert!(is_measured("80", "gb") && is_measured("20mib", "") && is_measured("25.6m", "params"));
    assert!(has_only_harmless_numbers("seed = 3, device=0,1 on 8 gpus"));
}

#[test]
fn what_may_be_a_result_is_of_no_kind() {
    let kinds = [
        is_date,
        is_time,
        is_place,
        is_version,
        is_hexadecimal,
        is_name,
    ];
    for word in [
        "0.93",
        "93",
        "1e-3",
        "3/100",
        "ep3",
        "epoch3",
        "loss0.3",
        "loss/0.3",
        "best-0.93.pt",
        "/ckpt/best-0.93.pt",
        "99:00",
        "1.5",
        "val3",
    ] {
        assert!(!kinds.iter().any(|kind| kind(word)), "{word}");
    }
    assert!(!is_measured("0.93", "") && !is_measured("93", "done"));
    for line in [
        "seed 0.93",
        "lr 0.1",
        "seed: 3 0.93",
        "version 3 reached 0.93",
    ] {
        assert!(!has_only_harmless_numbers(line), "{line}");
    }
    assert!(has_bare_decimal("failed: 0.93") && !has_bare_decimal("tried 20.00 MiB"));
}
