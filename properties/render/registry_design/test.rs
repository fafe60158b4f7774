$explanation
#[test]
fn test_batch_votes_$name() {
    abort_on_panic();
    let rng = &mut ctx::test_root(&ctx::RealClock).rng();

    // The committee is that of a genesis, which the certificate is verified against.
    let setup = validator::testonly::Setup::new_with_weights(rng, vec![$weights]);
    let attesters = setup.genesis.attesters.as_ref().unwrap();
    let genesis = setup.genesis.hash();

    // The hashes of the batches, by number, and one of no batch; ascending, as votes compare by hash as well.
    let mut hashes: Vec<attester::BatchHash> = (0..$hashes).map(|_| rng.gen()).collect();
    hashes.sort();

    let vote = |attester: usize, number: u64, hash: usize| {
        Arc::new(setup.attester_keys[attester].sign_msg(attester::Batch {
            number: attester::BatchNumber(number),
            hash: hashes[hash],
            genesis,
        }))
    };

    let mut votes = BatchVotes::default();
$operations

    let qc = votes
        .find_quorum(attesters, &genesis)
        .expect("should find quorum");
    qc.verify(&setup.genesis)
        .expect("the certificate should verify");
}
