// Package holdfast is the root of the module; it holds no code but the test of who may
// import whom. The rooms:
//
//	cmd/holdfast   the binary: one file a subcommand
//	inventory      the vocabulary: deltas, keys, availability, commands, exceptions
//	codec          msgpack and JSON; partitioning; subject tokens
//	engine         the partition state machine, and its parts: ledger, window, timer, dedupe
//	detectors      one file a detector; pure functions of a record's view
//	policy         governance: thresholds, autonomy, owners, expiry
//	state          Pebble: records, outbox and position in one batch
//	stream         JetStream: topology, reader, worker, outputs, ways in
//	client         the Go SDK for producers and subscribers
//	doctor         what is wrong with a deployment, and the way out
//	access         roles and tokens of HTTP
//	console        HTTP API and web console
//	bench          scenarios and what measures them: load, driver, processes, references, reports; simulator, real data
//	internal       oracle (the naive model), faultsim (partitions under faults drawn from a seed), torture (processes under faults), golden (bytes of every format), wire (varint coding), reload (values that follow their files)
package holdfast
