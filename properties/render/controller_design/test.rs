$explanation
#[tokio::test]
async fn test_$name() {
    abort_on_panic();
    let ctx = &ctx::test_root(&ctx::RealClock);
    let rng = &mut ctx.rng();

    let genesis: attester::GenesisHash = rng.gen();
    let keys: Vec<attester::SecretKey> = (0..$attesters).map(|_| rng.gen()).collect();

    // The hashes of each batch: its own, and that of whoever has executed it otherwise.
    let hashes: Vec<[attester::BatchHash; 2]> = (0..$batches).map(|_| [rng.gen(), rng.gen()]).collect();
    let batch = |number: u64, hash: usize| attester::Batch {
        number: attester::BatchNumber(number),
        hash: hashes[number as usize][hash],
        genesis,
    };
    let vote = |attester: usize, number: u64, hash: usize| -> Vote {
        keys[attester].sign_msg(batch(number, hash)).into()
    };

    // The committees, by attester and weight.
    let committee = |weights: &[(usize, u64)]| {
        let members = weights
            .iter()
            .map(|(attester, weight)| attester::WeightedAttester {
                key: keys[*attester].public(),
                weight: *weight,
            });
        Arc::new(attester::Committee::new(members).unwrap())
    };
    let committees = $committees;
    let info = |number: u64, hash: usize, committee: usize| {
        Arc::new(Info {
            batch_to_attest: batch(number, hash),
            committee: committees[committee].clone(),
        })
    };

$operations
}
