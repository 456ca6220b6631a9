use super::*;

#[test]
fn ids_have_many_forms() {
    let some = |tasks: &[u32]| Tasks::Some(tasks.to_vec());
    let cases = [
        ("12", Some((12, Tasks::None))),
        ("12+1", Some((12, Tasks::None))),
        ("12_3", Some((12, some(&[3])))),
        ("12_[1-5%2]", Some((12, some(&[1, 2, 3, 4, 5])))),
        ("12_[0,2-8:2%4]", Some((12, some(&[0, 2, 4, 6, 8])))),
        ("12_[7]", Some((12, some(&[7])))),
        ("12_[1,3,...]", Some((12, Tasks::Rest))),
        ("12.batch", None),
        ("12_x", None),
        ("JOBID", None),
        ("", None),
    ];
    for (text, expected) in cases {
        assert_eq!(job_id(text), expected, "{text}");
    }
}

#[test]
fn lines_of_squeue_are_jobs_and_all_others_are_not() {
    let row =
        squeue_row("12_[1-5%2]|PENDING|JobArrayTaskLimit|2026-11-26T14:05:00|N/A|traintop:a|b")
            .unwrap();
    assert_eq!(row.phase, Phase::Waiting);
    assert_eq!(row.reason.as_deref(), Some("JobArrayTaskLimit"));
    assert!(row.start.is_some() && row.end.is_none());
    assert_eq!(row.comment, "traintop:a|b");
    assert!(row.is_about(Some(12), "", Some(4)) && !row.is_about(Some(12), "", Some(6)));
    assert!(row.is_about(None, "traintop:a|b", Some(1)) && !row.is_about(None, "other", Some(1)));
    assert!(!row.is_about(Some(12), "", None));
    let row = squeue_row("7|RUNNING|None|2026-11-26T14:05:00|NONE|(null)").unwrap();
    assert_eq!(
        (row.phase, row.reason, row.end),
        (Phase::Working, None, None)
    );
    for line in [
        "",
        "slurm_load_jobs error: Unable to contact slurm controller",
        "7|FLYING|None|N/A|N/A|",
        "7|RUNNING|None",
        "JOBID|STATE|REASON|START_TIME|END_TIME|COMMENT",
    ] {
        assert_eq!(squeue_row(line), None, "{line}");
    }
}

#[test]
fn every_state_has_its_phase() {
    let cases = [
        ("COMPLETING", Phase::Working),
        ("REQUEUED", Phase::Waiting),
        ("COMPLETED", Phase::Over(End::Completed)),
        ("TIMEOUT", Phase::Over(End::TimeLimit)),
        ("OUT_OF_MEMORY", Phase::Over(End::OutOfMemory)),
        ("OUT_OF_ME+", Phase::Over(End::OutOfMemory)),
        ("PREEMPTED", Phase::Over(End::Preempted)),
        ("NODE_FAIL", Phase::Over(End::NodeFailure)),
        ("CANCELLED", Phase::Over(End::Cancelled(None))),
        ("CANCELLED+", Phase::Over(End::Cancelled(None))),
        ("CANCELLED by 1000", Phase::Over(End::Cancelled(Some(1000)))),
    ];
    for (state, expected) in cases {
        assert_eq!(phase(state), Some(expected), "{state}");
    }
}

#[test]
fn lines_of_sacct_are_jobs_and_steps_are_not() {
    let row = sacct_row("31_2|CANCELLED by 0|2026-11-26T14:05:00").unwrap();
    assert_eq!(row.tasks, Tasks::Some(vec![2]));
    assert_eq!(row.phase, Phase::Over(End::Cancelled(Some(0))));
    assert!(row.end.is_some());
    assert_eq!(sacct_row("31.batch|CANCELLED|Unknown"), None);
    assert_eq!(sacct_row("Slurm accounting storage is disabled"), None);
}

#[test]
fn what_sbatch_prints_is_an_id_perhaps_with_a_cluster_and_a_sites_greeting() {
    assert_eq!(submitted("12\n"), Some((12, None)));
    assert_eq!(submitted("12;big\n"), Some((12, Some("big".to_owned()))));
    assert_eq!(submitted("Your quota is 3 TB\n12\n"), Some((12, None)));
    assert_eq!(submitted("sbatch: error: no\n"), None);
}
